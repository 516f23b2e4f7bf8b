//! The terminal and the standard streams.
//!
//! Text for people goes to standard error; standard output is for programs. Callers clean text that comes from a server or a file.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use aws_smithy_types::base64;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

use crate::error::Error;
use crate::sys::env::Env;
pub use crate::sys::stderr::{is_ours, say};

/// Whether the user can be prompted: standard input and standard error are terminals.
pub fn can_prompt() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether standard output is a terminal.
pub fn shows_output() -> bool {
    io::stdout().is_terminal()
}

/// The width of standard output in columns; None if it is not a terminal or its width is not known.
pub fn width() -> Option<usize> {
    terminal_size_of(io::stdout()).map(|(Width(columns), _)| usize::from(columns))
}

/// Whether the terminal of standard input has been closed.
pub fn is_gone() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdin = io::stdin();
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        let result = poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
        let [polled] = polled;
        result.is_ok() && polled.revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }
    #[cfg(not(unix))]
    false
}

/// Whether standard error is a terminal.
pub fn shows_messages() -> bool {
    io::stderr().is_terminal()
}

/// The width of standard error in columns; None if it is not a terminal or its width is not known. Crossterm would return that of the
/// process's own terminal, which may be another one, and without one it would start a program.
pub fn columns() -> Option<u16> {
    terminal_size_of(io::stderr()).map(|(Width(columns), _)| columns)
}

/// A message that fits standard error if that is a terminal: broken between words, with the command at its end, if any, on a line of its
/// own, which can be copied. An indented line is a command already.
pub fn fitted(line: &str) -> Cow<'_, str> {
    fitted_to(line, columns().map(usize::from))
}

/// The same for a terminal of this width.
pub fn fitted_to(line: &str, width: Option<usize>) -> Cow<'_, str> {
    match width {
        Some(width) if !line.starts_with("  ") && line.lines().any(|line| line.width() > width) => Cow::Owned(broken(line, width)),
        _ => Cow::Borrowed(line),
    }
}

/// An error as it is shown on standard error. Its hint stays in one line, which can be copied.
pub fn shown(error: &Error) -> String {
    let text = error.to_string();
    let (what, hint) = text.split_once('\n').unwrap_or((&text, ""));
    format!("{}\n{hint}", fitted(what))
}

fn broken(line: &str, width: usize) -> String {
    let (message, command) = match [": daypass ", ": aws "].iter().filter_map(|start| line.rfind(start)).max() {
        Some(at) => line.split_at(at + 1),
        None => (line, ""),
    };
    let mut text = String::new();
    let mut used = 0;
    for word in message.split_inclusive([' ', '\n']) {
        if used > 0 && used + word.trim_end().width() > width {
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            used = 0;
        }
        text += word;
        used = if word.ends_with('\n') { 0 } else { used + word.width() };
    }
    if command.is_empty() { text } else { format!("{text}\n {command}") }
}

/// The height of standard error in rows; None if it is not a terminal or its height is not known.
pub fn rows() -> Option<u16> {
    terminal_size_of(io::stderr()).map(|(_, Height(rows))| rows).filter(|rows| *rows > 0)
}

/// Sets the title of the terminal (OSC 2). The text must be clean.
pub fn set_title(text: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\x1b]2;{text}\x1b\\").and_then(|()| err.flush());
}

/// Replaces the line of the cursor.
pub fn rewrite(line: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\x1b[K{line}").and_then(|()| err.flush());
}

/// Erases this many rows above the line of the cursor, and that line. The cursor is at the start of the first one then.
pub fn erase_above(rows: usize) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\r\x1b[{rows}A\x1b[J").and_then(|()| err.flush());
}

/// Copies a text to the clipboard through the terminal (OSC 52), which also works over SSH if the terminal allows it.
pub fn copy(text: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "\x1b]52;c;{}\x07", base64::encode(text)).and_then(|()| err.flush());
}

/// Prints to standard output in one write.
///
/// # Errors
/// Those of writing, except for a closed pipe: the reader has read enough.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct TerminalCapabilities {
    /// Colours and other styles.
    pub colour: bool,
    /// Characters outside ASCII.
    pub utf8: bool,
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
    /// Whether the user can be prompted.
    pub fn may_prompt(self) -> bool {
        !self.no_input && can_prompt()
    }

    /// Whether the user can choose from a list.
    pub fn may_choose(self, env: &Env) -> bool {
        self.may_prompt() && env.moves_cursor()
    }

    /// Prints a message that is not an error to standard error.
    pub fn tell(self, line: &str) {
        if !self.quiet {
            say(&fitted(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_broken_between_words_and_before_its_command() {
        let message = "Deactivated key AKIA…LYX4. It can be deleted from 2026-12-12 on: daypass retire old --wait 14";
        assert_eq!(
            broken(message, 30),
            "Deactivated key AKIA…LYX4. It\ncan be deleted from 2026-12-12\non:\n  daypass retire old --wait 14"
        );
        assert_eq!(broken("Try: aws s3 ls", 8), "Try:\n  aws s3 ls");
        assert_eq!(broken("a b\nccc ddd", 3), "a b\nccc\nddd");
        assert_eq!(broken("unbreakable", 3), "unbreakable");
    }
}
