//! Runs the real program, and others, in a temporary home folder, with no other environment variables, and under a watchdog.
//! A test fails on anything that it does not allow: unless it says otherwise, both streams must be empty and the status must be 0.
//!
//! ```ignore
//! let portal = Portal::live(PortalConfig::default());
//! let home = Home::new().at(&portal);
//! home.daypass("login corp").stderr_has("Signed in").go();
//! home.daypass("credential-process --profile nowhere").stderr("daypass: …\nhint: …\n").status(2).go();
//! ```
//!
//! Expected texts may contain `[HOME]`, `[PORTAL]` and `[DAYPASS]`: the home's path, the portal's address and the program's path.

#![allow(dead_code, unused_imports, unreachable_pub)] // Each test program uses a part of this module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A fixture that cannot continue fails its test.
#![allow(clippy::disallowed_methods)] // Tests start programs, write files and read their own environment.

mod command;
mod home;
mod running;
mod signals;

use std::time::Duration;

pub use command::Run;
pub use home::Home;
pub use running::{Finished, Running};

/// The program under test: the one that Cargo built, or that of `tests/run --binary`.
pub const DAYPASS: &str = match option_env!("DAYPASS_TEST_BINARY") {
    Some(path) => path,
    None => env!("CARGO_BIN_EXE_daypass"),
};

/// How long a program may run by default.
const LIMIT: Duration = Duration::from_mins(1);
