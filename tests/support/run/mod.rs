//! Runs the real program, and others, in a home of their own: a temporary folder, an environment that holds nothing else, and a
//! watchdog. What a test does not mention must not happen: both streams are empty and the status is 0 unless it says otherwise.
//!
//! ```ignore
//! let portal = Portal::live(PortalConfig::default());
//! let home = Home::new().at(&portal);
//! home.daypass("login corp").stderr_has("Signed in").go();
//! home.daypass("credential-process --profile nowhere").stderr("daypass: …\nhint: …\n").status(2).go();
//! ```
//!
//! In expected texts `[HOME]`, `[PORTAL]` and `[DAYPASS]` stand for the home's path, the portal's address and the program's path.

#![allow(dead_code, unused_imports, unreachable_pub)] // Each test program uses its part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A fixture that can't go on ends its test.
#![allow(clippy::disallowed_methods)] // Tests start programs, write files and read their own environment.

mod command;
mod home;
mod running;
mod signals;

use std::time::Duration;

pub use command::Run;
pub use home::Home;
pub use running::{Done, Running};

/// The program under test: the one that Cargo built, or that of `tests/run --binary`.
pub const DAYPASS: &str = match option_env!("DAYPASS_TEST_BINARY") {
    Some(path) => path,
    None => env!("CARGO_BIN_EXE_daypass"),
};

/// How long a child may run if its test says nothing else.
const LIMIT: Duration = Duration::from_mins(1);
