//! The terminal and the standard streams: what a person sees and types.
//!
//! Text for people goes to standard error; standard output belongs to what a program reads. What came from a server or a file is
//! cleaned of control characters first.

use std::borrow::Cow;
use std::io::{self, BufRead, IsTerminal, Write};

use aws_smithy_types::base64;
use terminal_size::{Width, terminal_size_of};

use crate::signal;

/// The text without what could move a terminal's cursor, colour it or forge a second line: control characters (C0, DEL, C1) become
/// a space, and direction overrides (U+202A–U+202E, U+2066–U+2069) and zero-width characters go.
pub fn clean(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    if text.chars().any(|c| c.is_control() || hidden(c)) {
        text.chars().filter(|&c| !hidden(c)).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

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

/// A line for people, on standard error. A closed standard error is no reason to fail.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
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
            let _ = write!(err, "\r{}\x1b[K", clean(line)).and_then(|()| err.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}

/// Asks one question on standard error and reads one line; the default stands in brackets and is taken for an empty line.
/// None at the end of input.
///
/// # Errors
/// Those of reading standard input.
pub fn ask(question: &str, default: Option<&str>) -> io::Result<Option<String>> {
    signal::arm();
    let prompt = match default {
        Some(default) => format!("{question} [{}]: ", clean(default)),
        None => format!("{question}: "),
    };
    let mut err = io::stderr().lock();
    err.write_all(prompt.as_bytes())?;
    err.flush()?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let typed = line.trim();
    Ok(Some(if typed.is_empty() { default.unwrap_or_default().to_owned() } else { typed.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_line_breaks_and_direction_overrides_do_not_survive() {
        assert_eq!(clean("a\x1b[31mb\r\nc\u{9b}d\u{202e}e"), "a [31mb  c dee".replace("c dee", "c de"));
        assert_eq!(clean("plain – text"), "plain – text");
    }
}
