//! What daypass changed last in a config file, so that the change can be undone: digests of the text before and after. Contains nothing of
//! the text. Touches nothing.

use serde::{Deserialize, Serialize};

use super::undo::sha256;

/// The last change of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastChange {
    /// SHA-256 of the text before the change, in hex digits; None if there was no file.
    before: Option<String>,
    /// The same after the change; None if the file was deleted.
    after: Option<String>,
    /// The command that undoes it, if restoring this file does not.
    pub(super) undone_by: Option<String>,
}

impl LastChange {
    pub(super) fn new(before: Option<&str>, after: Option<&str>, undone_by: Option<&str>) -> Self {
        Self { before: before.map(sha256), after: after.map(sha256), undone_by: undone_by.map(str::to_owned) }
    }

    /// Whether the file was created by the change.
    pub(super) fn created(&self) -> bool {
        self.before.is_none()
    }

    /// Whether this is the text before the change.
    pub(super) fn is_before(&self, text: &str) -> bool {
        self.before.as_ref() == Some(&sha256(text))
    }

    /// Whether this is the text after the change; None if there is no file.
    pub(super) fn is_after(&self, text: Option<&str>) -> bool {
        self.after == text.map(sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_recognised_by_their_digests_only() {
        let change = LastChange::new(Some("a secret"), None, None);
        assert!(change.is_before("a secret") && !change.is_before("") && !change.created());
        assert!(change.is_after(None) && !change.is_after(Some("")));
        let stored = serde_json::to_string(&change).unwrap();
        assert!(!stored.contains("secret") && serde_json::from_str::<LastChange>(&stored).unwrap() == change);
    }
}
