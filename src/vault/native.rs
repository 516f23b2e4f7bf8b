//! The macOS Keychain and the Windows Credential Manager, by the keyring crate's stores. Touches the user's keychain or vault.
//!
//! Each call runs on a thread of its own, so that it ends in time even if the system does not answer. On macOS the Keychain's windows
//! are forbidden during each call but unlocking.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
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

    fn unlock(&self, wait: Duration) -> Result<()> {
        within(wait, system::unlock)
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>> {
        let name = slot.name.clone();
        within(CALL_LIMIT, move || quietly(|| content(&system::entry(&name)?)))
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        let (name, content) = (slot.name.clone(), Zeroizing::new(content.to_vec()));
        within(CALL_LIMIT, move || quietly(|| system::entry(&name)?.set_secret(&content)))
    }

    fn delete(&self, slot: &Item) -> Result<()> {
        let name = slot.name.clone();
        within(CALL_LIMIT, move || {
            quietly(|| match system::entry(&name)?.delete_credential() {
                Err(Error::NoEntry) => Ok(()),
                other => other,
            })
        })
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        within(CALL_LIMIT, || {
            quietly(|| {
                let mut contents = Vec::new();
                for entry in system::entries()? {
                    contents.extend(content(&entry)?);
                }
                Ok(contents)
            })
        })
    }
}

fn content(entry: &Entry) -> keyring_core::Result<Option<Bytes>> {
    match entry.get_secret() {
        Ok(content) => Ok(Some(Zeroizing::new(content))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    }
}

fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let (sender, receiver) = mpsc::channel();
    // A call that hangs is left behind: it ends with the process.
    thread::Builder::new()
        .spawn(move || {
            let _ = sender.send(work());
        })
        .map_err(|error| Error::Failed(format!("no thread for the keyring: {error}")))?;
    match receiver.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Error::TimedOut("the system's keyring did not answer in time".to_owned())),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(Error::Failed("the call of the system's keyring failed".to_owned())),
    }
}

fn quietly<T>(work: impl FnOnce() -> keyring_core::Result<T>) -> Result<T> {
    let _quiet = system::no_windows()?;
    work().map_err(|error| system::to_error(&error))
}

#[cfg(target_os = "macos")]
mod system {
    use apple_native_keyring_store::keychain::Backend as Keychain;
    use security_framework::base::Error as OsError;
    use security_framework::os::macos::keychain::{KeychainUserInteractionLock, SecKeychain};

    use super::{Arc, CredentialStoreApi, Entry, Error, HashMap};

    // Security framework result codes (SecBase.h).
    const USER_CANCELED: i32 = -128;
    const NOT_AVAILABLE: i32 = -25291;
    const AUTH_FAILED: i32 = -25293;
    const NO_SUCH_KEYCHAIN: i32 = -25294;
    const NO_DEFAULT_KEYCHAIN: i32 = -25307;
    const INTERACTION_NOT_ALLOWED: i32 = -25308;
    const INTERACTION_REQUIRED: i32 = -25315;

    fn keychain() -> keyring_core::Result<Arc<Keychain>> {
        Keychain::new()
    }

    pub(super) fn entry(name: &str) -> keyring_core::Result<Entry> {
        keychain()?.build("daypass", name, None)
    }

    pub(super) fn entries() -> keyring_core::Result<Vec<Entry>> {
        keychain()?.search(&HashMap::from([("service", "daypass")]))
    }

    pub(super) fn no_windows() -> Result<KeychainUserInteractionLock> {
        SecKeychain::disable_user_interaction().map_err(|error| of_code(error.code(), &error))
    }

    pub(super) fn unlock() -> Result<()> {
        let unlocked = SecKeychain::default().and_then(|mut keychain| keychain.unlock(None));
        unlocked.map_err(|error| of_code(error.code(), &error))
    }

    pub(super) fn to_error(error: &Error) -> Error {
        match error {
            Error::PlatformFailure(inner) | Error::NoStorageAccess(inner) => {
                of_code(inner.downcast_ref::<OsError>().map_or(0, |error| error.code()), inner)
            }
            other => Error::Failed(other.to_string()),
        }
    }

    fn of_code(code: i32, error: &dyn std::fmt::Display) -> Error {
        match code {
            USER_CANCELED | AUTH_FAILED | INTERACTION_NOT_ALLOWED | INTERACTION_REQUIRED => {
                Error::Locked("the login keychain".to_owned())
            }
            NOT_AVAILABLE | NO_SUCH_KEYCHAIN | NO_DEFAULT_KEYCHAIN => {
                Error::Missing(format!("there is no login keychain: {error}"))
            }
            _ => Error::Failed(format!("the Keychain: {error}")),
        }
    }
}

#[cfg(windows)]
mod system {
    use windows_native_keyring_store::Backend as Credentials;

    use super::{Arc, CredentialStoreApi, Entry, Error, HashMap};

    fn credentials() -> keyring_core::Result<Arc<Credentials>> {
        Credentials::new()
    }

    pub(super) fn entry(name: &str) -> keyring_core::Result<Entry> {
        let target = format!("daypass:{name}");
        // Local: it does not roam to the user's other machines.
        credentials()?.build("daypass", name, Some(&HashMap::from([("target", target.as_str()), ("persistence", "Local")])))
    }

    pub(super) fn entries() -> keyring_core::Result<Vec<Entry>> {
        credentials()?.search(&HashMap::from([("pattern", "^daypass:[0-9a-f]{64}[.0-9]*$")]))
    }

    /// What macOS has to hold on to. Generic credentials never ask for anything.
    pub(super) struct Quiet;

    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn no_windows() -> Result<Quiet> {
        Ok(Quiet)
    }

    /// They are open as long as the user is signed in to Windows.
    #[allow(clippy::unnecessary_wraps)]
    pub(super) fn unlock() -> Result<()> {
        Ok(())
    }

    pub(super) fn to_error(error: &Error) -> Error {
        match error {
            // No logon session, as for some services.
            Error::NoStorageAccess(error) => Error::Missing(format!("the Credential Manager can't be used here: {error}")),
            Error::TooLong(what, most) => Error::Full(format!("{what} is longer than {most}")),
            other => Error::Failed(format!("the Credential Manager: {other}")),
        }
    }
}
