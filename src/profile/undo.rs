//! What a migration changed in one of the user's files, and how to restore it byte for byte. Touches nothing.
//!
//! The file before the change is described by the file after it: both have the same start and the same end, and only the part between
//! is stored. If the file was changed since, the keys that were removed are set again, and everything else stays as it is now.

use std::fmt::Write;

use ring::digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::backup;
use super::edit::{self, Change};
use super::ini::{Document, FileKind, Kind, Section};
use crate::error::Result;
use crate::secret::{Secret, exposed};

/// How to restore one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUndo {
    /// The file's path, links not followed.
    pub path: String,
    /// Whether there was a file.
    pub existed: bool,
    /// Its permission bits; None if it did not exist, or on systems without them.
    pub mode: Option<u32>,
    /// SHA-256 of the text before and after the change, in hex digits.
    before: String,
    after: String,
    /// How many bytes both texts have in common at the start and at the end.
    start: usize,
    end: usize,
    /// The bytes between, before the change.
    #[serde(serialize_with = "exposed")]
    removed: Secret,
    /// The sections that were changed, for a file that was changed since.
    sections: Vec<SectionUndo>,
}

/// The keys of one section that a migration changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionUndo {
    /// The profile.
    pub profile: String,
    /// Whether the file had a section for it.
    pub existed: bool,
    /// The values that were removed or replaced.
    pub values: Vec<OldValue>,
    /// The keys that were added.
    pub added: Vec<String>,
}

/// A key and its value before the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldValue {
    /// In lower case.
    pub key: String,
    /// As the SDKs read it.
    #[serde(serialize_with = "exposed")]
    pub value: Secret,
}

/// The text that restores a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Restored {
    /// The file is as it was before the change.
    Unchanged,
    /// The same bytes as before; None if there was no file.
    Exactly(Option<Zeroizing<String>>),
    /// The file was changed since: its present text, with the old values of the changed keys.
    Merged(Zeroizing<String>),
}

impl FileUndo {
    /// Describes a change.
    pub fn new(path: String, mode: Option<u32>, before: Option<&str>, after: &str, sections: Vec<SectionUndo>) -> Self {
        let old = before.unwrap_or_default();
        let start = common(old.chars(), after.chars());
        let (old_rest, new_rest) = (old.get(start..).unwrap_or_default(), after.get(start..).unwrap_or_default());
        let end = common(old_rest.chars().rev(), new_rest.chars().rev());
        let removed = old_rest.get(..old_rest.len() - end).unwrap_or_default();
        Self {
            path,
            existed: before.is_some(),
            mode: mode.filter(|_| before.is_some()),
            before: sha256(old),
            after: sha256(after),
            start,
            end,
            removed: Secret::new(removed),
            sections,
        }
    }

    /// Whether the part that was changed contained a secret.
    pub fn has_secret(&self) -> bool {
        let removed = self.removed.expose();
        backup::without_secrets(removed) != removed
    }

    /// Whether this is the text before the change.
    pub fn is_before(&self, text: Option<&str>) -> bool {
        text.is_some() == self.existed && sha256(text.unwrap_or_default()) == self.before
    }

    /// Whether this is the text after the change.
    pub fn is_after(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| sha256(text) == self.after)
    }

    /// The text that restores the file, which is `now`; None if there is no file now.
    ///
    /// # Errors
    /// Those of [`edit::apply`], for a file that was changed since.
    pub fn restore(&self, now: Option<&str>, kind: FileKind) -> Result<Restored> {
        if self.is_before(now) {
            return Ok(Restored::Unchanged);
        }
        let text = now.unwrap_or_default();
        if self.is_after(now)
            && let Some(rest) = text.len().checked_sub(self.end).and_then(|end| text.get(end..))
        {
            let start = text.get(..self.start).unwrap_or_default();
            let old = Zeroizing::new([start, self.removed.expose(), rest].concat());
            if sha256(&old) == self.before {
                return Ok(Restored::Exactly(self.existed.then_some(old)));
            }
        }
        let document = Document::parse(text.as_bytes(), kind);
        let changes: Vec<Change> = self.sections.iter().map(|section| section.change(&document)).collect();
        Ok(Restored::Merged(Zeroizing::new(edit::apply(text, kind, &changes)?)))
    }
}

impl SectionUndo {
    /// The change that takes this one back. A section that the migration added is removed, unless it got other keys since.
    fn change(&self, now: &Document<'_>) -> Change {
        let is_own = |section: &&Section<'_>| section.kind == Kind::Profile && section.name == self.profile;
        let added_only =
            |section: &Section<'_>| now.entries(section).iter().all(|entry| self.added.iter().any(|key| now.is_key(entry, key)));
        if !self.existed && now.sections().iter().filter(is_own).all(added_only) {
            return Change::Forget { name: self.profile.clone() };
        }
        let set = self.values.iter().map(|OldValue { key, value }| (key.clone(), value.expose().to_owned())).collect();
        Change::Profile { name: self.profile.clone(), set, remove: self.added.clone(), mark: None }
    }
}

/// The length in bytes of what two texts have in common.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).map(|(c, _)| c.len_utf8()).sum()
}

/// The digest of a text, in hex digits.
pub(super) fn sha256(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# é\n[a]\naws_access_key_id = 1\naws_secret_access_key = 2\n\n[b]\nregion = x";
    const AFTER: &str = "# é\n[b]\nregion = x";

    fn undo(before: Option<&str>, after: &str) -> FileUndo {
        let old = |key: &str, value: &str| OldValue { key: key.to_owned(), value: Secret::new(value) };
        let values = vec![old("aws_access_key_id", "1"), old("aws_secret_access_key", "2")];
        let section = SectionUndo { profile: "a".to_owned(), existed: true, values, added: Vec::new() };
        FileUndo::new("f".to_owned(), Some(0o600), before, after, vec![section])
    }

    #[test]
    fn every_pair_of_texts_is_restored_exactly() {
        let texts = ["", "a", "aa", "aaa", "é", "ë", "éa", "aé", BEFORE, AFTER];
        for before in texts.map(Some).into_iter().chain([None]) {
            for after in texts {
                let undo = undo(before, after);
                let restored = undo.restore(Some(after), FileKind::Credentials).unwrap();
                let expected = match before {
                    Some(before) if before == after => Restored::Unchanged,
                    _ => Restored::Exactly(before.map(|text| Zeroizing::new(text.to_owned()))),
                };
                assert_eq!(restored, expected, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn a_file_that_was_changed_since_gets_its_keys_back() {
        let now = format!("{AFTER}\n\n[c]\nregion = y\n");
        let restored = undo(Some(BEFORE), AFTER).restore(Some(&now), FileKind::Credentials).unwrap();
        let expected = format!("{now}\n[a]\naws_access_key_id = 1\naws_secret_access_key = 2\n");
        assert_eq!(restored, Restored::Merged(Zeroizing::new(expected)));
    }

    #[test]
    fn a_section_that_was_added_goes_unless_it_got_other_keys_since() {
        let section = SectionUndo {
            profile: "a".to_owned(),
            existed: false,
            values: Vec::new(),
            added: vec!["credential_process".to_owned()],
        };
        let undo = FileUndo::new("f".to_owned(), None, Some(""), "[profile a]\ncredential_process = x\n", vec![section]);
        let restored = |now: &str| match undo.restore(Some(now), FileKind::Config).unwrap() {
            Restored::Merged(text) => text.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(restored("[profile a]\ncredential_process = x\n\n[profile b]\nk = 1\n"), "\n[profile b]\nk = 1\n".trim_start());
        assert_eq!(restored("[profile a]\ncredential_process = x\nregion = y\n"), "[profile a]\nregion = y\n");
    }
}
