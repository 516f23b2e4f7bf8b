//! Why a back-end could not do what it was asked, told apart by what the caller does next. Pure.

use crate::error::{self, Exit};

/// The result of a call to a back-end.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a back-end could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such service here (no bus, no provider, a kernel without keyrings), for this reason: another back-end may serve.
    Missing(String),
    /// It is there and locked: a person has to unlock this.
    Locked(String),
    /// It is there and refuses, or answers nonsense.
    Failed(String),
    /// It is there and did not answer in time.
    TimedOut(String),
    /// It has no room for this value.
    Full(String),
}

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let status = "run 'daypass status -v' to see which keyring is used; DAYPASS_KEYRING chooses another";
        let (what, hint) = match error {
            Error::Locked(what) => {
                (format!("{what} is locked"), "unlock it, or run 'daypass login' on the desktop to be asked".to_owned())
            }
            Error::Missing(why) => (format!("no keyring: {why}"), format!("export DAYPASS_KEYRING={}", fallback())),
            Error::Failed(why) => (format!("the keyring fails: {why}"), status.to_owned()),
            Error::TimedOut(why) => (format!("the keyring hangs: {why}"), status.to_owned()),
            Error::Full(why) => (format!("the keyring is full: {why}"), "daypass logout --all".to_owned()),
        };
        Self::new(Exit::Keyring, what, hint)
    }
}

/// What is there where the operating system's keyring is not.
fn fallback() -> &'static str {
    if cfg!(target_os = "linux") { "keyutils" } else { "file" }
}
