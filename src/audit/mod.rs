//! Finds long-lived keys on this machine. Reads files and folders; writes nothing, uses no network and no key, and returns no secret.
//!
//! What is searched is in [`places`], what counts as a key in [`find`](mod@find), what is never opened in [`walk`].

pub mod accepted;
pub mod find;
pub mod places;
pub mod report;
mod table;
pub mod walk;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::access_key::{BEDROCK_PREFIX, USER_PREFIX};
use crate::sys::clock::Deadline;
use crate::sys::env::Env;
use find::Hit;
use places::{Advice, Format, PLACES, Place, VAULTS};
use table::Table;
use walk::{Depth, FileHits, Found, NotRead, Reader, Root, Walk};

/// How long the default search may take: a home folder on a slow network would take hours.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Known places and the environment.
    Quick,
    /// These, and folders below the home folder in which projects may be.
    Projects,
    /// These, and all text below the home folder.
    All,
    /// All text in these files and folders, and nothing else.
    Paths(Vec<PathBuf>),
}

/// Searches for keys. `progress` gets the number of files that were searched so far.
///
/// # Errors
/// There is no home folder, or it can't be read.
pub fn search(env: &Env, scope: &Scope, progress: &mut dyn FnMut(u64)) -> io::Result<Found> {
    if let Scope::Paths(paths) = scope {
        return Ok(paths_named(paths, progress));
    }
    let home = env.home().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is unknown"))?;
    let root = Root::new(&home)?;
    // A folder that can be entered but not listed would look empty.
    fs::read_dir(&home)?;
    let mut reader = Reader::default();
    reader.found.files.extend(environment(env));
    let known = known(env, &home);
    for (path, place) in &known {
        reader.known(path, place, path.starts_with(&home).then_some(&root));
    }
    let mut found = reader.found;
    for (pattern, why) in VAULTS {
        let paths = walk::expand(&home, pattern.trim_start_matches("~/")).into_iter();
        let names = paths.filter(|path| fs::symlink_metadata(path).is_ok());
        found.not_read.extend(names.map(|path| NotRead { path, why: (*why).to_owned(), is_gap: false }));
    }
    let (depth, deadline) = match scope {
        Scope::All => (Depth::All, None),
        Scope::Projects => (Depth::Projects, Some(Deadline::after(TIME_LIMIT))),
        Scope::Quick | Scope::Paths(_) => {
            found.finish();
            return Ok(found);
        }
    };
    let real = |path: &PathBuf| Some(root.path().join(path.strip_prefix(&home).ok()?));
    let done: HashSet<PathBuf> = known.iter().filter_map(|(path, _)| real(path)).collect();
    let walk = Walk { depth, deadline, table: &Table::new(), done: &done, home: root.path() };
    found.add(walk.run(&root, progress));
    if root.path() != home {
        found.show_as(root.path(), &home);
    }
    found.finish();
    Ok(found)
}

/// Searches what the user named.
fn paths_named(paths: &[PathBuf], progress: &mut dyn FnMut(u64)) -> Found {
    let (table, done) = (Table::new(), HashSet::new());
    let mut all = Found::default();
    for path in paths {
        // Below the home folder paths are shown relative to it.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let is_folder = fs::metadata(path).is_ok_and(|meta| meta.is_dir());
        match Root::new(path) {
            Ok(root) if is_folder && !table.is_below_closed(root.path()) => {
                let walk = Walk { depth: Depth::All, deadline: None, table: &table, done: &done, home: Path::new("") };
                let before = all.count;
                let mut found = walk.run(&root, &mut |count| progress(before + count));
                found.show_as(root.path(), path);
                all.add(found);
            }
            _ => {
                let mut reader = Reader::default();
                walk::named_file(path, &table, &mut reader);
                all.add(reader.found);
            }
        }
    }
    all.finish();
    all
}

/// The known places: paths that need not exist.
fn known(env: &Env, home: &Path) -> Vec<(PathBuf, &'static Place)> {
    let mut known: Vec<(PathBuf, &'static Place)> = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |path: PathBuf, place: &'static Place| {
        if seen.insert(path.clone().into_os_string()) {
            known.push((path, place));
        }
    };
    let named = |format: Format, pattern: &str| PLACES.iter().find(|place| place.format == format && place.pattern == pattern);
    let variables = [
        // The files of the AWS tools, wherever they are.
        (env.credentials_file(), Some(&places::CREDENTIALS)),
        (env.config_file(), Some(&places::CONFIG)),
        (env.boto_config(), named(Format::Ini, "~/.boto")),
        (env.credential_file(), Some(&places::CREDENTIAL_FILE)),
        (env.shell_history(), named(Format::History, "~/.bash_history")),
        (env.rclone_config(), named(Format::Ini, "rclone.conf")),
    ];
    let kubeconfig = env.kubeconfig().into_iter().map(|path| (Some(path), named(Format::Text, "kubeconfig*")));
    for (path, place) in variables.into_iter().chain(kubeconfig) {
        if let (Some(path), Some(place)) = (path, place) {
            add(path, place);
        }
    }
    let moved = env.moved_folders();
    for place in PLACES {
        // macOS asks the user before a program may read these folders.
        let asks = cfg!(target_os = "macos")
            && ["~/Desktop/", "~/Documents/", "~/Downloads/"].iter().any(|part| place.pattern.starts_with(part));
        if asks {
            continue;
        }
        let unused = matches!(place.advice, Advice::Migrate);
        let place = if unused { &places::UNUSED } else { place };
        let folders = match (place.pattern.strip_prefix("~/"), place.pattern.strip_prefix('/')) {
            (Some(relative), _) => {
                let elsewhere = moved.iter().filter_map(|(part, folder)| Some((folder.as_path(), relative.strip_prefix(part)?)));
                [(home, relative)].into_iter().chain(elsewhere).collect()
            }
            (_, Some(absolute)) => vec![(Path::new("/"), absolute)],
            _ => Vec::new(),
        };
        for (folder, pattern) in folders {
            let pattern = match (pattern.strip_suffix("{user}"), env.user().filter(|user| !user.contains('/'))) {
                (None, _) => Cow::Borrowed(pattern),
                (Some(folder), Some(user)) => Cow::Owned(format!("{folder}{user}")),
                (Some(_), None) => continue,
            };
            for path in walk::expand(folder, &pattern) {
                add(path, place);
            }
        }
    }
    known
}

/// Keys in environment variables, each as a file with the variable's name.
fn environment(env: &Env) -> Vec<FileHits> {
    // One line for each variable that concerns keys, so that an ID finds its secret in another variable.
    let concerns = |name: &str, value: &[u8]| {
        let has = |part: &str| memchr::memmem::find(value, part.as_bytes()).is_some();
        has(USER_PREFIX) || has(BEDROCK_PREFIX) || name.to_ascii_uppercase().contains("SECRET")
    };
    let mut names = Vec::new();
    let mut text = Zeroizing::new(Vec::new());
    let variables = env.variables();
    text.reserve(variables.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
    for (name, value) in variables {
        let value = value.as_encoded_bytes();
        if concerns(name, value) {
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            text.extend(value.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
            text.push(b'\n');
            names.push(name);
        }
    }
    let file = |hit: Hit| {
        let name = names.get(hit.line - 1)?;
        Some(FileHits::of_variable(name, hit))
    };
    find::find(&text, Format::Text).into_iter().filter_map(file).collect()
}
