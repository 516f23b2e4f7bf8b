//! Reads, resolves and changes the user's AWS configuration: names, grammar, profiles, edits. Only [`store`] touches files for writing.

mod awscli;
mod backup;
pub mod chain;
pub mod config;
pub mod diagnosis;
mod diff;
pub mod edit;
mod encoding;
pub mod findings;
mod header;
pub mod helper;
pub mod index;
pub mod ini;
mod last_change;
pub mod names;
pub mod naming;
pub mod other_tools;
pub mod precedence;
pub mod replacement;
pub mod request;
pub mod resolve;
mod scan;
pub mod settings;
pub mod start_url;
pub mod store;
pub mod undo;

pub use config::{Block, Config, Value, Warning};
