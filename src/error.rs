//! The error that users see: what failed, what to type next, and the exit status for scripts. Touches nothing.
//!
//! Other modules have errors of their own, named by what their caller does next. They are converted to an [`Error`] where it is known
//! what the user requested.

use std::fmt;

use crate::text;

/// A result whose error is ready to be printed.
pub type Result<T> = std::result::Result<T, Error>;

/// The exit statuses (README, "Exit status").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Anything that has no status of its own.
    Failed = 1,
    /// The command line, a variable or the configuration is wrong.
    Usage = 2,
    /// No token, or it expired and could not be refreshed.
    SignIn = 3,
    /// The portal refuses this account or role, or STS refuses to let it be assumed.
    Refused = 4,
    /// The keyring is locked, missing or refuses.
    Keyring = 5,
    /// The portal can't be reached, or its answer makes no sense.
    Unreachable = 6,
    /// `audit`: long-lived keys were found.
    KeysFound = 7,
    /// `exec`: the command was found and can't be executed (POSIX shells' number).
    NotExecutable = 126,
    /// `exec`: no such command (POSIX shells' number).
    NotFound = 127,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The one with this number; [`Exit::Failed`] for others.
    pub fn of(status: u8) -> Self {
        let all = [Self::Usage, Self::SignIn, Self::Refused, Self::Keyring, Self::Unreachable, Self::Interrupted];
        all.into_iter().find(|exit| *exit as u8 == status).unwrap_or(Self::Failed)
    }
}

/// One line for what failed, one line `hint:` with the command to type next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The exit status.
    pub exit: Exit,
    /// What failed, as a clause without a full stop.
    pub what: String,
    /// What to do next: a command if there is one.
    pub hint: String,
    /// How to correct the command line. The hint is then the corrected one, if the command line allows it.
    pub correction: Option<Box<Correction>>,
}

/// A correction of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// A wrong word, and the one probably meant.
    Replace(String, String),
    /// Words to add to the command's arguments.
    Add(Vec<String>),
    /// The same command line, after what is to be done first, a clause.
    Repeat(String),
}

impl Error {
    /// An error of any kind.
    pub fn new(exit: Exit, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, what: what.into(), hint: hint.into(), correction: None }
    }

    /// [`Exit::Usage`] for a wrong name, with the one probably meant. The hint is used if the name was not on the command line.
    pub fn typo(what: impl Into<String>, wrong: &str, meant: &str, hint: impl Into<String>) -> Self {
        let correction = Correction::Replace(wrong.to_owned(), meant.to_owned());
        Self { correction: Some(Box::new(correction)), ..Self::usage(what, hint) }
    }

    /// [`Exit::Usage`] for a missing flag, with an example or the probable value.
    pub fn missing(what: impl Into<String>, flag: &str, value: &str) -> Self {
        Self::usage(what, format!("add {}", text::command_line([flag, value]))).adding(&[flag, value])
    }

    /// The same error, for which the command's arguments lack these words.
    #[must_use]
    pub fn adding(self, words: &[&str]) -> Self {
        let correction = Correction::Add(words.iter().map(|&word| word.to_owned()).collect());
        Self { correction: Some(Box::new(correction)), ..self }
    }

    /// [`Exit::Failed`] for what works after something else is done `first`. The hint is that and the same command line.
    pub fn again(what: impl Into<String>, first: &str) -> Self {
        let correction = Correction::Repeat(first.to_owned());
        Self { correction: Some(Box::new(correction)), ..Self::failed(what, format!("{first} try again")) }
    }

    /// [`Exit::Failed`].
    pub fn failed(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what, hint)
    }

    /// [`Exit::Usage`].
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what, hint)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both parts may quote a server or a file, so line breaks and control characters are removed.
        write!(f, "daypass: {}\nhint: {}", text::clean(&self.what), text::clean(&self.hint))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_two_lines_even_if_it_quotes_line_breaks() {
        let error = Error::failed("the portal said \"a\nb\x1b[2J\"", "daypass login corp\r\nrm -rf ~");
        assert_eq!(error.to_string().lines().count(), 2);
        assert!(!error.to_string().contains('\x1b'));
    }
}
