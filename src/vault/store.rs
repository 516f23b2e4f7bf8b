//! The trait that every back-end implements, and what is stored in one. Touches nothing.

use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::Result;
use super::key::Key;

/// How long one call of a back-end may take, whatever a daemon does.
pub const CALL_LIMIT: Duration = Duration::from_secs(2);

/// Bytes that are wiped when they are let go.
pub type Bytes = Zeroizing<Vec<u8>>;

/// Where a value, or a part of it, is put.
#[derive(Debug, Clone)]
pub struct Item<'k> {
    /// Lower-case hex digits, dots and digits: fit for a file, a kernel key, a target name.
    pub name: String,
    /// Whose value it is: for what people see, and for what it is worth.
    pub key: &'k Key,
}

/// One back-end: slots with a name and some bytes each.
///
/// Every call but [`Backend::unlock`] ends within [`CALL_LIMIT`], whatever a daemon does, and never asks a person for anything. The
/// bytes are text unless there is a [`Backend::limit`].
pub trait Backend {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// The most bytes that a slot takes, if that is few.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Whether a reboot empties it.
    fn volatile(&self) -> bool {
        false
    }

    /// Whether what has expired goes by itself.
    fn forgets(&self) -> bool {
        false
    }

    /// Whether it is there; a locked one may be said to be or not.
    fn probe(&self) -> Result<()> {
        Ok(())
    }

    /// Unlocks it where it can be locked, by the system's own prompt if need be, waiting so long for the person.
    fn unlock(&self, _wait: Duration) -> Result<()> {
        Ok(())
    }

    /// What is in the slot.
    fn get(&self, slot: &Item) -> Result<Option<Bytes>>;

    /// Puts it there, in place of what was. `expires` is when it may be thrown away, for those that can do that by themselves.
    fn put(&self, slot: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> Result<()>;

    /// Empties the slot. An empty one is no fault.
    fn delete(&self, slot: &Item) -> Result<()>;

    /// What is in each of daypass's slots.
    fn list(&self) -> Result<Vec<Bytes>>;
}
