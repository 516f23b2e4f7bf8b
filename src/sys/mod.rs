//! Wraps the operating system, one effect per file: no other module reads variables or the clock, starts programs or installs signal
//! handlers (`clippy.toml` forbids the calls elsewhere).

pub mod browser;
pub mod child;
pub mod clock;
pub mod env;
pub mod file;
pub mod folder;
pub mod http;
pub mod listener;
pub mod lock;
pub mod parent;
pub mod process;
pub mod signal;
pub mod stderr;
mod web_address;
