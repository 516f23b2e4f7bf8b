//! Where secrets are kept between two runs: the portal's tokens in the operating system's keyring, role credentials where they are
//! read fastest. An edge: it knows grants, not the portal.
//!
//! A back-end is a [`Store`]: get, put, delete, list. [`Fault`] says what the caller does next.

pub mod key;

use time::OffsetDateTime;

use crate::secret::Secret;
pub use key::{Key, Kind};

/// Why a back-end could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such service here (no bus, no provider, a kernel without keyrings): another back-end may serve.
    Absent(String),
    /// It is there and locked: a person has to unlock it.
    Locked(String),
    /// It is there and refuses, answers nonsense, or did not answer in time.
    Broken(String),
    /// It has no room for this value.
    Full(String),
}

/// One back-end.
///
/// Every call ends within two seconds, whatever a daemon does, and never asks a person for anything.
pub trait Store {
    /// What people call it: the name of `DAYPASS_KEYRING` and `daypass status -v`.
    fn name(&self) -> &'static str;

    /// The value kept under this key; None where there is none, or where what is there is torn.
    fn get(&self, key: &Key) -> Result<Option<Secret>, Fault>;

    /// Keeps the value, in place of an earlier one. `expires` is when it may be thrown away.
    fn put(&self, key: &Key, value: &Secret, expires: Option<OffsetDateTime>) -> Result<(), Fault>;

    /// Forgets the value. No value is no fault.
    fn delete(&self, key: &Key) -> Result<(), Fault>;

    /// The keys of all values that daypass keeps here.
    fn list(&self) -> Result<Vec<Key>, Fault>;
}
