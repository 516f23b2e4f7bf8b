//! Why a back-end could not do its work, told apart by what the caller does next. Touches nothing.

use std::path::PathBuf;

/// The result of a call to a back-end.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a back-end could not do its work. The text is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// There is no such service here (no bus, no provider, a kernel without keyrings): another back-end may work.
    Missing(String),
    /// The back-end is locked; the text names what a person has to unlock.
    Locked(String),
    /// The back-end is unlocked, but a person has to confirm this call, and nobody did.
    Unconfirmed {
        /// What has to be confirmed, as a clause.
        what: String,
        /// The setting of KeePassXC that requires it: no other known keyring does.
        setting: &'static str,
    },
    /// The back-end refuses, or its answer makes no sense.
    Failed(String),
    /// A file or the folder of the `file` back-end can't be used.
    File {
        /// What is wrong, with the path.
        what: String,
        /// The path to look at; None without a home folder.
        path: Option<PathBuf>,
    },
    /// The back-end did not answer in time.
    TimedOut(String),
    /// The back-end has no space for this value.
    Full(String),
    /// The kernel keyring has no space, which keys of other programs may use up.
    Quota(String),
}

impl Error {
    /// Whether there is no space.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_) | Self::Quota(_))
    }
}
