//! What a user reads when daypass can't go on: what failed, what to type next, and the exit status that scripts see.
//!
//! Rooms below have errors of their own, named by what their caller does next; they become an [`Error`] where it is known what the
//! user wanted. Touches nothing.

use std::fmt;

use crate::text;

/// A result whose error is ready to be shown.
pub type Result<T> = std::result::Result<T, Error>;

/// Exit statuses: a contract with scripts (README, "Exit status").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Anything that has no status of its own.
    Failed = 1,
    /// The command line, a variable or the configuration is wrong.
    Usage = 2,
    /// No token, or it expired and could not be refreshed.
    SignIn = 3,
    /// The portal refuses this account or role.
    Refused = 4,
    /// The keyring is locked, missing or refuses.
    Keyring = 5,
    /// The portal can't be reached, or answers nonsense.
    Unreachable = 6,
    /// `exec`: the command was found and can't be executed (POSIX shells' number).
    NotExecutable = 126,
    /// `exec`: no such command (POSIX shells' number).
    NotFound = 127,
    /// Ctrl-C.
    Interrupted = 130,
}

/// One line that says what failed, one line `hint:` with the command to type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The status to end with.
    pub exit: Exit,
    /// What failed, as a clause without a final stop.
    pub what: String,
    /// What to do now: a command where there is one.
    pub hint: String,
    /// A word of the command line that is wrong, and the one that is likely meant: whoever has the command line makes the hint of them.
    pub typo: Option<Box<(String, String)>>,
}

impl Error {
    /// An error of any kind.
    pub fn new(exit: Exit, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit, what: what.into(), hint: hint.into(), typo: None }
    }

    /// [`Exit::Usage`], with what is likely meant by a wrong name. The hint is for where the name was not on the command line.
    pub fn typo(what: impl Into<String>, wrong: &str, meant: &str, hint: impl Into<String>) -> Self {
        Self { typo: Some(Box::new((wrong.to_owned(), meant.to_owned()))), ..Self::usage(what, hint) }
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
        // Both parts may quote a server or a file: neither may break out of its line or reach a terminal raw.
        write!(f, "daypass: {}\nhint: {}", text::clean(&self.what), text::clean(&self.hint))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_always_two_lines_even_if_a_server_sent_line_breaks() {
        let error = Error::failed("the portal said \"a\nb\x1b[2J\"", "daypass login corp\r\nrm -rf ~");
        assert_eq!(error.to_string().lines().count(), 2);
        assert!(!error.to_string().contains('\x1b'));
    }
}
