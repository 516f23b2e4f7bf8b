//! A list to choose from, narrowed by typing.
//!
//! [`Picker`] is a state machine that touches nothing: keys in, decisions out. `screen` turns it into lines. [`pick`] shows it on the
//! terminal and restores the terminal whenever it ends.

mod run;
mod screen;
mod state;

pub use run::pick;
pub use state::{Key, Picker, Step};

#[cfg(test)]
mod tests;
