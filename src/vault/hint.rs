//! Converts a back-end's error to one for people. A hint names a back-end only if it is not the one that failed. Touches the kernel
//! keyring, to see whether it can be suggested.

use super::error::Error;
use crate::error::{self, Exit};

impl From<Error> for error::Error {
    fn from(error: Error) -> Self {
        let status = "run 'daypass status -v' to see which keyring is used; DAYPASS_KEYRING selects another";
        let (what, hint) = match error {
            Error::Locked(what) => {
                (format!("{what} is locked"), "unlock it, or run 'daypass login' on the desktop to be asked".to_owned())
            }
            Error::Missing(why) => (format!("no keyring: {why}"), select(alternative())),
            Error::Failed(why) => (format!("the keyring fails: {why}"), status.to_owned()),
            Error::TimedOut(why) => (format!("the keyring hangs: {why}"), status.to_owned()),
            Error::Full(why) => (format!("the keyring is full: {why}"), "df -h".to_owned()),
            Error::Quota(why) => (format!("the kernel keyring is full: {why}"), select("file")),
        };
        Self::new(Exit::Keyring, what, hint)
    }
}

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
