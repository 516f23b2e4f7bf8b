//! The macOS Keychain and the Windows Credential Manager, by the `keyring` crate.
//!
//! Each call runs on a thread of its own, so that it ends in time even if the system does not answer. On macOS the Keychain shows no
//! window during a call, except to unlock.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::Error as VaultError;
use super::store::{Backend, Bytes, CALL_LIMIT, Item};

/// The login keychain, or the user's generic credentials.
pub struct Native;

impl Backend for Native {
    fn name(&self) -> &'static str {
        if cfg!(windows) { "Credential Manager" } else { "Keychain" }
    }

    /// Windows takes 2,560 bytes (`CRED_MAX_CREDENTIAL_BLOB_SIZE`).
    fn limit(&self) -> Option<usize> {
        cfg!(windows).then_some(2500)
    }

    fn unlock(&self, wait: Duration) -> Result<(), VaultError> {
        within(wait, system::unlock)
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>, VaultError> {
        let name = slot.name.clone();
        within(CALL_LIMIT, move || quietly(|store| content(&entry(store, &name)?)))
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<(), VaultError> {
        let (name, content) = (slot.name.clone(), Zeroizing::new(content.to_vec()));
        within(CALL_LIMIT, move || quietly(|store| entry(store, &name)?.set_secret(&content)))
    }

    fn delete(&self, slot: &Item) -> Result<(), VaultError> {
        let name = slot.name.clone();
        within(CALL_LIMIT, move || {
            quietly(|store| match entry(store, &name)?.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                other => other,
            })
        })
    }

    fn list(&self) -> Result<Vec<Bytes>, VaultError> {
        within(CALL_LIMIT, || {
            quietly(|store| {
                let mut contents = Vec::new();
                for entry in store.search(&HashMap::from([system::OURS]))? {
                    contents.extend(content(&entry)?);
                }
                Ok(contents)
            })
        })
    }
}

/// One of daypass's entries. Its user is the name of the slot.
fn entry(store: &CredentialStore, name: &str) -> keyring_core::Result<Entry> {
    let target = format!("daypass:{name}");
    let modifiers = system::modifiers(&target);
    store.build("daypass", name, Some(&modifiers))
}

fn content(entry: &Entry) -> keyring_core::Result<Option<Bytes>> {
    match entry.get_secret() {
        Ok(content) => Ok(Some(Zeroizing::new(content))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let (sender, receiver) = mpsc::channel();
    // A call that hangs is left behind: it ends with the process.
    thread::Builder::new()
        .spawn(move || {
            let _ = sender.send(work());
        })
        .map_err(|error| VaultError::Failed(format!("no thread for the keyring: {error}")))?;
    match receiver.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(VaultError::TimedOut("the system's keyring did not answer in time".to_owned())),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(VaultError::Failed("the call of the system's keyring failed".to_owned())),
    }
}

/// Does one piece of work in the store that the `keyring` crate chooses for this system.
fn quietly<T>(work: impl FnOnce(&CredentialStore) -> keyring_core::Result<T>) -> Result<T, VaultError> {
    let _quiet = system::no_windows()?;
    keyring::Entry::store_status().as_ref().map_err(system::fault)?;
    let store = keyring_core::get_default_store().ok_or_else(|| system::fault(&Error::NoDefaultStore))?;
    work(store.as_ref()).map_err(|error| system::fault(&error))
}

#[cfg(target_os = "macos")]
mod system {
    use security_framework::base::Error as OsError;
    use security_framework::os::macos::keychain::{KeychainUserInteractionLock, SecKeychain};

    use super::{Error, HashMap, VaultError};

    /// What a search finds daypass's entries by.
    pub(super) const OURS: (&str, &str) = ("service", "daypass");

    // Security framework result codes (SecBase.h).
    const USER_CANCELED: i32 = -128;
    const NOT_AVAILABLE: i32 = -25291;
    const AUTH_FAILED: i32 = -25293;
    const NO_SUCH_KEYCHAIN: i32 = -25294;
    const NO_DEFAULT_KEYCHAIN: i32 = -25307;
    const INTERACTION_NOT_ALLOWED: i32 = -25308;
    const INTERACTION_REQUIRED: i32 = -25315;

    /// An entry is its service and its user here.
    pub(super) fn modifiers(_target: &str) -> HashMap<&str, &str> {
        HashMap::new()
    }

    pub(super) fn no_windows() -> Result<KeychainUserInteractionLock, VaultError> {
        SecKeychain::disable_user_interaction().map_err(|error| of_code(error.code(), &error))
    }

    pub(super) fn unlock() -> Result<(), VaultError> {
        let unlocked = SecKeychain::default().and_then(|mut keychain| keychain.unlock(None));
        unlocked.map_err(|error| of_code(error.code(), &error))
    }

    pub(super) fn fault(error: &Error) -> VaultError {
        match error {
            Error::PlatformFailure(inner) | Error::NoStorageAccess(inner) => {
                of_code(inner.downcast_ref::<OsError>().map_or(0, |error| error.code()), inner)
            }
            other => VaultError::Failed(other.to_string()),
        }
    }

    fn of_code(code: i32, error: &dyn std::fmt::Display) -> VaultError {
        match code {
            USER_CANCELED | AUTH_FAILED | INTERACTION_NOT_ALLOWED | INTERACTION_REQUIRED => {
                VaultError::Locked("the login keychain".to_owned())
            }
            NOT_AVAILABLE | NO_SUCH_KEYCHAIN | NO_DEFAULT_KEYCHAIN => {
                VaultError::Missing(format!("there is no login keychain: {error}"))
            }
            _ => VaultError::Failed(format!("the Keychain: {error}")),
        }
    }
}

#[cfg(windows)]
mod system {
    use super::{Error, HashMap, VaultError};

    /// What a search finds daypass's entries by.
    pub(super) const OURS: (&str, &str) = ("pattern", "^daypass:[0-9a-f]{64}[.0-9]*$");

    /// An entry is its target here. `Local`: it does not roam to the user's other machines.
    pub(super) fn modifiers(target: &str) -> HashMap<&str, &str> {
        HashMap::from([("target", target), ("persistence", "Local")])
    }

    /// Needed on macOS only: generic credentials never prompt.
    pub(super) struct Quiet;

    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn no_windows() -> Result<Quiet, VaultError> {
        Ok(Quiet)
    }

    /// They are unlocked as long as the user is signed in to Windows.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn unlock() -> Result<(), VaultError> {
        Ok(())
    }

    pub(super) fn fault(error: &Error) -> VaultError {
        match error {
            // No logon session, as for some services.
            Error::NoStorageAccess(error) => VaultError::Missing(format!("the Credential Manager can't be used here: {error}")),
            Error::TooLong(what, most) => VaultError::Full(format!("{what} is longer than {most}")),
            other => VaultError::Failed(format!("the Credential Manager: {other}")),
        }
    }
}
