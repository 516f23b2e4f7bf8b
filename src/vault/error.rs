//! Why a back-end could not do its work, told apart by what the caller does next. Touches nothing.

use crate::error::{self, Exit};

/// The result of a call to a back-end.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a back-end could not do its work. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such service here (no bus, no provider, a kernel without keyrings): another back-end may work.
    Missing(String),
    /// The back-end is locked; the text names what a person has to unlock.
    Locked(String),
    /// The back-end refuses, or its answer makes no sense.
    Failed(String),
    /// The back-end did not answer in time.
    TimedOut(String),
    /// The back-end has no space for this value.
    Full(String),
}

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let (what, hint) = match error {
            // On a terminal it prompts to unlock.
            Error::Locked(what) => (format!("{what} is locked"), "daypass login".to_owned()),
            Error::Missing(why) => (format!("no keyring: {why}"), other_keyring()),
            Error::Failed(why) => (format!("the keyring fails: {why}"), other_keyring()),
            Error::TimedOut(why) => (format!("the keyring hangs: {why}"), other_keyring()),
            Error::Full(why) => (format!("the keyring is full: {why}"), "daypass logout --all".to_owned()),
        };
        Self::new(Exit::Keyring, what, hint)
    }
}

impl Error {
    /// The error of a command that has tried to unlock the keyring, or cannot.
    pub fn after_unlocking(self) -> error::Error {
        match self {
            Self::Locked(what) => error::Error::new(Exit::Keyring, format!("{what} is locked"), other_keyring()),
            other => other.into(),
        }
    }
}

/// The command that selects another back-end.
fn other_keyring() -> String {
    format!("{} DAYPASS_KEYRING={}", if cfg!(windows) { "set" } else { "export" }, fallback())
}

/// The back-end to suggest if the operating system's keyring is missing.
fn fallback() -> &'static str {
    if cfg!(target_os = "linux") { "keyutils" } else { "file" }
}
