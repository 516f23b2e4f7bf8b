//! Prints text for people on standard error.

use std::io::{self, Write};

/// Prints a line for people. A closed standard error is ignored.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints text without a line break.
pub fn print(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Whether this program may draw on the terminal of standard error: in the background it must not.
pub fn is_ours() -> bool {
    #[cfg(unix)]
    return !rustix::termios::tcgetpgrp(io::stderr()).is_ok_and(|group| group != rustix::process::getpgrp());
    #[cfg(not(unix))]
    true
}
