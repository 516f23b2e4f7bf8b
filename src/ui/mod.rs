//! The terminal interface: prompts, the picker, the sign-in screen, tables and logging.

pub mod keys;
pub mod log;
pub mod picker;
pub mod progress;
pub mod prompt;
pub mod qr;
pub mod sign_in;
pub mod table;
pub mod terminal;
