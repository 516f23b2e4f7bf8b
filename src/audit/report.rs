//! Groups what was found by key, and orders it. Looks only at the folders of the files with keys.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::find::{Hit, Secret};
use super::places::{Advice, Format, Kind, Place};
use super::walk::FileHits;
use crate::access_key::LongLivedKey;
use crate::profile::ini::is_plain_name;
use crate::profile::names::AccountId;

/// A key and the places where it is.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: LongLivedKey,
    /// Whether it is a root user's.
    pub is_root: bool,
    /// The places, those that daypass rewrites first, then the worst.
    pub places: Vec<KeyPlace>,
    /// The oldest of the files: the key is at least as old.
    pub oldest: Option<SystemTime>,
}

/// A place of a key.
#[derive(Debug)]
pub struct KeyPlace {
    /// The file, or the name of a variable.
    pub file: PathBuf,
    /// Counted from 1; none for a variable.
    pub line: Option<usize>,
    /// What it is.
    pub place: &'static Place,
    /// The section of an ini file.
    pub section: Option<String>,
    /// The secret that is with it.
    pub secret: Secret,
    /// Whether it is in a comment.
    pub commented: bool,
    /// The permissions, on Unix.
    pub mode: Option<u32>,
    /// Whether the file is in a Git work tree.
    pub git: bool,
    /// Whether other users can read the file.
    pub exposed: bool,
}

impl KeyPlace {
    /// Whether `daypass migrate` rewrites it.
    pub fn is_rewritten(&self) -> bool {
        self.place.advice == Advice::Migrate && !self.commented && self.section.as_deref().is_some_and(is_plain_name)
    }

    /// The profile of an AWS file.
    pub fn profile(&self) -> Option<&str> {
        let is_aws = matches!(self.place.kind, Kind::Credentials | Kind::Config | Kind::Copy);
        self.section.as_deref().filter(|_| is_aws)
    }

    /// The order of places: rewritten ones first, then the worst.
    fn order(&self) -> impl Ord + '_ {
        (!self.is_rewritten(), !self.exposed, !self.git, &self.file, self.line)
    }
}

/// The keys that were found, in the order of their places. `reaches`: whether the user has a role in an account. An ID alone counts in a
/// place that takes keys, and anywhere if the user reaches its account.
pub fn entries(files: Vec<FileHits>, home: Option<&Path>, reaches: &dyn Fn(&AccountId) -> bool) -> Vec<Entry> {
    let mut folders = Folders { home, real_home: home.and_then(|home| fs::canonicalize(home).ok()), git: HashMap::new() };
    let mut keys: BTreeMap<LongLivedKey, Entry> = BTreeMap::new();
    for file in files {
        let (git, exposed) = (folders.git(&file.path), folders.exposes(&file));
        let FileHits { path, place, hits, mode, modified, .. } = file;
        for hit in hits.into_iter().filter(|hit| counts(hit, place, reaches)) {
            let Hit { key, line, secret, commented, section, .. } = hit;
            let entry = keys.entry(key.clone()).or_insert_with(|| Entry { key, is_root: false, places: Vec::new(), oldest: None });
            entry.is_root |= place.advice == Advice::Root;
            entry.oldest = entry.oldest.into_iter().chain(modified).min();
            let line = (place.kind != Kind::Environment).then_some(line);
            // Two words of one line, such as the value and its comment.
            if entry.places.last_mut().is_some_and(|last| last.file == path && last.line == line) {
                if let Some(last) = entry.places.last_mut() {
                    last.secret = last.secret.max(secret);
                }
                continue;
            }
            entry.places.push(KeyPlace { file: path.clone(), line, place, section, secret, commented, mode, git, exposed });
        }
    }
    let mut entries: Vec<Entry> = keys.into_values().collect();
    for entry in &mut entries {
        entry.places.sort_by(|one, other| one.order().cmp(&other.order()));
    }
    entries.sort_by(|one, other| order(one).cmp(&order(other)));
    entries
}

/// The order of keys: those that daypass rewrites first, then the worst.
fn order(entry: &Entry) -> impl Ord + '_ {
    let any = |is: fn(&KeyPlace) -> bool| entry.places.iter().any(is);
    let first = entry.places.first().map(|place| (&*place.file, place.line));
    (!any(KeyPlace::is_rewritten), !any(|place| place.exposed), !any(|place| place.git), !entry.is_root, first, &entry.key)
}

fn counts(hit: &Hit, place: &Place, reaches: &dyn Fn(&AccountId) -> bool) -> bool {
    if hit.secret > Secret::None {
        return true;
    }
    if place.format == Format::History {
        return hit.named;
    }
    // daypass's own backups keep the ID of a key that was migrated.
    let is_backup = place.kind == Kind::Copy && !place.takes_keys;
    place.takes_keys || !is_backup && hit.key.account().is_some_and(reaches)
}

/// What is known of folders.
struct Folders<'h> {
    home: Option<&'h Path>,
    real_home: Option<PathBuf>,
    git: HashMap<PathBuf, bool>,
}

impl Folders<'_> {
    /// Whether a file is in a Git work tree. If it is a link, its target counts.
    fn git(&mut self, file: &Path) -> bool {
        let Ok(file) = fs::canonicalize(file) else { return false };
        let Some(folder) = file.parent() else { return false };
        if let Some(&known) = self.git.get(folder) {
            return known;
        }
        let home = self.real_home.as_deref().filter(|home| folder.starts_with(home));
        let within = folder.ancestors().take_while(|folder| home.is_none_or(|home| folder.starts_with(home)));
        let is_git = within.map(|folder| folder.join(".git")).any(|git| fs::symlink_metadata(git).is_ok());
        self.git.insert(folder.to_owned(), is_git);
        is_git
    }

    /// Whether other users can read a file. The mode of the home folder counts, unless only its owner should be able to read such a file.
    fn exposes(&self, file: &FileHits) -> bool {
        const READ_BY_OTHERS: u32 = 0o004;
        let counts = |folder: &&Path| {
            let above = self.home.is_some_and(|home| file.path.starts_with(home) && home.starts_with(folder));
            !(above && file.place.kind.is_private())
        };
        let folders = || file.path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).filter(counts);
        file.mode.is_some_and(|mode| mode & READ_BY_OTHERS != 0) && folders().all(is_entered_by_others)
    }
}

#[cfg(unix)]
fn is_entered_by_others(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    const ENTERED_BY_OTHERS: u32 = 0o001;
    fs::metadata(folder).is_ok_and(|meta| meta.mode() & ENTERED_BY_OTHERS != 0)
}

#[cfg(not(unix))]
fn is_entered_by_others(_: &Path) -> bool {
    false
}
