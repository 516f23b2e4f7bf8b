//! One line on standard error that shows the progress of a command.

use std::io::{self, IsTerminal, Write};

use crate::text;

/// A line on standard error that says how far a piece of work is. It goes when this is dropped; where standard error is no terminal,
/// or nothing is to be said, it is never there.
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// `quiet`: nothing is to be said.
    pub fn new(quiet: bool) -> Self {
        Self { shown: !quiet && io::stderr().is_terminal() }
    }

    /// Says this in place of what was said before. It should fit into forty columns.
    pub fn say(&self, line: &str) {
        if self.shown {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r{}\x1b[K", text::clean(line)).and_then(|()| err.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
