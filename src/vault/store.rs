//! The trait that every back-end implements, and what is stored in one. Touches nothing.

use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::Result;
use super::key::Key;

/// The longest that one call of a back-end may take.
pub const CALL_LIMIT: Duration = Duration::from_secs(2);

/// Bytes that are wiped when they are dropped.
pub type Bytes = Zeroizing<Vec<u8>>;

/// A place for a value or a part of one.
#[derive(Debug, Clone)]
pub struct Item<'k> {
    /// Lower-case hex digits, dots and digits: valid as a file name, as a kernel key's description and as a credential's target name.
    pub name: String,
    /// The key of the value: for labels, and to tell tokens from role credentials.
    pub key: &'k Key,
}

/// A back-end: items with a name and some bytes each.
///
/// Every call returns within [`CALL_LIMIT`] and needs no person. The exceptions are [`Backend::unlock`] and, after it, calls that write
/// or delete. The bytes are UTF-8 text unless the back-end has a [`Backend::limit`]. Each back-end gives the five methods without a default; the rest are:
///
/// | back-end | `limit` | `volatile` | `expires_items` | `probe` | `unlock` |
/// | --- | --- | --- | --- | --- | --- |
/// | Secret Service | none | no | no | asks the service | runs its prompts |
/// | Keychain | none | no | no | default | runs its prompt |
/// | Credential Manager | 2,500 bytes | no | no | default | default |
/// | kernel keyring | 32,767 bytes | yes | yes | asks the kernel | default |
/// | files | none | no | no | checks the folder | default |
/// | memory | none | yes | no | default | default |
pub trait Backend {
    /// The name that people see.
    fn name(&self) -> &'static str;

    /// The most bytes that an item takes; None if any value of daypass fits.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Whether a reboot deletes its items.
    fn volatile(&self) -> bool {
        false
    }

    /// Whether the back-end itself deletes items that have expired.
    fn expires_items(&self) -> bool {
        false
    }

    /// Whether the back-end is there. A locked one may return `Ok` or [`Error::Locked`](super::Error::Locked).
    fn probe(&self) -> Result<()> {
        Ok(())
    }

    /// Unlocks the back-end if it is locked, by the system's own prompt. Waits at most `wait` for the person, here and at each prompt of
    /// later calls that write or delete.
    fn unlock(&self, _wait: Duration) -> Result<()> {
        Ok(())
    }

    /// The content of an item; None if there is no such item.
    fn get(&self, item: &Item) -> Result<Option<Bytes>>;

    /// Creates or replaces an item. A back-end that [expires items](Backend::expires_items) may delete it after `expires`.
    fn put(&self, item: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> Result<()>;

    /// Deletes an item. A missing item is not an error.
    fn delete(&self, item: &Item) -> Result<()>;

    /// The contents of all items that daypass stored.
    fn list(&self) -> Result<Vec<Bytes>>;
}
