//! One line on standard error that shows the progress of a command.

use std::io::{self, IsTerminal, Write};

use crate::text;

/// A line of progress on standard error. It is removed when this is dropped, and never shown if standard error is not a terminal.
pub struct Progress {
    shown: bool,
}

impl Progress {
    /// Creates an empty line. `quiet`: never show anything.
    pub fn new(quiet: bool) -> Self {
        Self { shown: !quiet && io::stderr().is_terminal() }
    }

    /// Replaces the line. The text should fit into forty columns.
    pub fn show(&self, line: &str) {
        if self.shown {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r{}\x1b[K", text::clean(line)).and_then(|()| err.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
