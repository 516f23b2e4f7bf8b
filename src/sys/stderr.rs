//! Prints lines for people on standard error.

use std::io::{self, Write};

/// Prints a line for people. A closed standard error is ignored.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
