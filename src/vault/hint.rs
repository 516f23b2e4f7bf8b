//! Converts a back-end's error to one for people. A hint names a back-end only if it is not the one that failed. Touches the kernel
//! keyring, to see whether it can be suggested.

use std::path::Path;

use super::error::Error;
use crate::error::{self, Exit};
use crate::text::shell_quote;

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let (what, hint) = match error {
            // On a terminal it prompts to unlock.
            Error::Locked(what) => (format!("{what} is locked"), "daypass login".to_owned()),
            Error::Unconfirmed { what, setting } => {
                (what, format!("in KeePassXC, turn off Settings > Secret Service Integration > \"{setting}\""))
            }
            Error::Missing(why) => (format!("no keyring: {why}"), select(alternative())),
            Error::Failed(why) => (format!("keyring error: {why}"), select(alternative())),
            Error::File { what, path } => (format!("can't store secrets in files: {what}"), for_file(path.as_deref())),
            Error::TimedOut(why) => (format!("the keyring timed out: {why}"), select(alternative())),
            Error::Full(why) => (format!("the keyring is full: {why}"), "df -h".to_owned()),
            Error::Quota(why) => (format!("the kernel keyring is full: {why}"), select("file")),
        };
        Self::new(Exit::Keyring, what, hint)
    }
}

impl Error {
    /// The error of a command that has tried to unlock the keyring, or cannot.
    pub fn after_unlocking(self) -> error::Error {
        match self {
            Self::Locked(what) => error::Error::new(Exit::Keyring, format!("{what} is locked"), select(alternative())),
            other => other.into(),
        }
    }
}

impl Error {
    /// The error of a command that can't store a long-lived key. A back-end that a restart empties is no alternative.
    pub fn while_parking(self) -> error::Error {
        match self {
            Self::Missing(why) => {
                error::Error::new(Exit::Keyring, format!("no keyring that could keep the key: {why}"), select("file"))
            }
            Self::Failed(_) | Self::TimedOut(_) => error::Error { hint: select("file"), ..self.into() },
            other => other.into(),
        }
    }
}

/// What to do if the files can't be used: another back-end, or else a look at the path.
fn for_file(path: Option<&Path>) -> String {
    match (alternative(), path) {
        (other, _) if other != "file" => select(other),
        _ if !cfg!(target_os = "linux") => select("os"),
        (_, Some(path)) => format!("ls -ld {}", shell_quote(&path.to_string_lossy())),
        (_, None) => "export HOME=/path/to/folder".to_owned(),
    }
}

/// The command that selects another back-end.
fn select(keyring: &str) -> String {
    format!("{} DAYPASS_KEYRING={keyring}", if cfg!(windows) { "set" } else { "export" })
}

/// The back-end to suggest if one is missing: the kernel keyring if it works here, which then is not the missing one.
fn alternative() -> &'static str {
    #[cfg(target_os = "linux")]
    if super::store::Backend::probe(&super::keyutils::Keyutils).is_ok() {
        return "keyutils";
    }
    "file"
}
