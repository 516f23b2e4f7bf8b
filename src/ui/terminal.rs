//! The terminal and the standard streams: what a person sees and types.
//!
//! Text for people goes to standard error; standard output belongs to what a program reads. What came from a server or a file is
//! cleaned of control characters first.

use std::io::{self, IsTerminal, Write};

use aws_smithy_types::base64;
use terminal_size::{Width, terminal_size_of};

use crate::sys::env::Env;
pub use crate::sys::stderr::say;

/// Whether a person can be asked: both standard input and standard error are a terminal.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether standard output is a terminal.
pub fn shows_output() -> bool {
    io::stdout().is_terminal()
}

/// The columns of the terminal that standard output is; None where it is none, or does not tell.
pub fn width() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(Width(columns), _)| usize::from(columns))
}

/// Whether the terminal that standard input was has been closed.
pub fn is_gone() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdin = io::stdin();
        let mut asked = [PollFd::new(&stdin, PollFlags::IN)];
        let answered = poll(&mut asked, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let [asked] = asked;
        answered.is_ok() && asked.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }
    #[cfg(not(unix))]
    false
}

/// Whether standard error is a terminal.
pub fn shows_people() -> bool {
    io::stderr().is_terminal()
}

/// The columns of the terminal that standard error is; None where it is none, or does not tell. Crossterm would tell those of the
/// process's own terminal, which may be another, and without one it would ask a program.
pub fn columns() -> Option<u16> {
    terminal_size_of(io::stderr()).map(|(Width(columns), _)| columns)
}

/// Whether standard error's terminal may be drawn on: while this program is in the background, its lines are another's.
pub fn is_ours() -> bool {
    #[cfg(unix)]
    return !rustix::termios::tcgetpgrp(io::stderr()).is_ok_and(|group| group != rustix::process::getpgrp());
    #[cfg(not(unix))]
    true
}

/// Puts this in the place of the line that the cursor is in; an empty text leaves an empty line.
pub fn rewrite(line: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\x1b[K{line}").and_then(|()| err.flush());
}

/// Asks the terminal to put this into the clipboard (OSC 52): it works over SSH too, where the terminal allows it.
pub fn copy(text: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\x1b]52;c;{}\x07", base64::encode(text)).and_then(|()| err.flush());
}

/// Text for programs, on standard output, in one write.
///
/// # Errors
/// Those of the write; a closed pipe (the reader has seen enough) is none.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// How much daypass prints for people, and whether it may prompt them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Interaction {
    /// How often `-v` was given.
    pub verbose: u8,
    /// Print errors only.
    pub quiet: bool,
    /// Never prompt.
    pub no_input: bool,
}

impl Interaction {
    /// Whether a person can be prompted.
    pub fn may_prompt(self) -> bool {
        !self.no_input && can_ask()
    }

    /// Whether a person can choose from a list.
    pub fn may_choose(self, env: &Env) -> bool {
        self.may_prompt() && env.moves_cursor()
    }

    /// Prints a line for people that is not an error.
    pub fn tell(self, line: &str) {
        if !self.quiet {
            say(line);
        }
    }
}
