//! Files, for those who choose them: one of mode 0600 for each slot, in a folder of mode 0700. Touches that folder only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::{Backend, Bytes, Item};
use crate::sys::file;

/// What the names of our files end with; others in the folder are none of ours.
const SUFFIX: &str = ".secret";

/// Files in one folder. The folder is made by the first value that is kept.
pub struct Files {
    folder: Option<PathBuf>,
}

impl Files {
    /// Those of this folder; None where the user has no home.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The folder, once it is known to be safe. None if it is not there yet.
    fn folder(&self) -> Result<Option<&Path>> {
        let folder =
            self.folder.as_deref().ok_or_else(|| Error::Missing("there is no home folder to keep secrets under".to_owned()))?;
        match trusted(folder) {
            Ok(()) => Ok(Some(folder)),
            Err(Unsafe::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(Unsafe::Io(error)) => Err(to_error(folder, &error)),
            Err(Unsafe::Because(reason)) => Err(Error::Failed(reason)),
        }
    }

    fn made_folder(&self) -> Result<&Path> {
        if let Some(folder) = self.folder()? {
            return Ok(folder);
        }
        if let Some(folder) = &self.folder {
            file::private_folder(folder).map_err(|error| to_error(folder, &error))?;
        }
        self.folder()?.ok_or_else(|| Error::Failed("the folder for secrets went away".to_owned()))
    }
}

impl Backend for Files {
    fn name(&self) -> &'static str {
        "file"
    }

    fn probe(&self) -> Result<()> {
        self.folder().map(drop)
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>> {
        self.folder()?.map_or(Ok(None), |folder| read(&path(folder, slot)))
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        let path = path(self.made_folder()?, slot);
        // Role credentials are fetched again in a moment; a refresh token is not. What a power cut damages reads as nothing.
        let lasting = slot.key.role().is_none();
        file::replace_private(&path, content, lasting).map_err(|error| to_error(&path, &error))
    }

    fn delete(&self, slot: &Item) -> Result<()> {
        let Some(folder) = self.folder()? else { return Ok(()) };
        let path = path(folder, slot);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(to_error(&path, &error)),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        let Some(folder) = self.folder()? else { return Ok(Vec::new()) };
        let mut contents = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| to_error(folder, &error))? {
            let entry = entry.map_err(|error| to_error(folder, &error))?;
            let ours = entry.file_name().to_str().is_some_and(|name| name.ends_with(SUFFIX));
            if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                contents.extend(read(&entry.path())?);
            }
        }
        Ok(contents)
    }
}

fn path(folder: &Path, slot: &Item) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", slot.name))
}

fn read(path: &Path) -> Result<Option<Bytes>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(Zeroizing::new(content))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(to_error(path, &error)),
    }
}

fn to_error(path: &Path, error: &io::Error) -> Error {
    let what = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(what),
        _ => Error::Failed(what),
    }
}

enum Unsafe {
    Io(io::Error),
    Because(String),
}

/// Whether nobody but the user (and root) can put files of their own in the place of ours: the folder is the user's and only the
/// user's to write, and nobody else can put another folder in its place.
#[cfg(unix)]
fn trusted(folder: &Path) -> std::result::Result<(), Unsafe> {
    use std::os::unix::fs::MetadataExt;
    const WRITABLE_BY_GROUP_OR_OTHERS: u32 = 0o022;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let me = rustix::process::geteuid().as_raw();
    // Symbolic links are followed: what they lead to is what counts.
    let there = fs::metadata(folder).map_err(Unsafe::Io)?;
    let refuse = |path: &Path, why: &str| Err(Unsafe::Because(format!("{} {why}", path.display())));
    if !there.is_dir() {
        return refuse(folder, "is not a folder");
    }
    if there.uid() != me {
        return refuse(folder, "belongs to another user");
    }
    if there.mode() & WRITABLE_BY_GROUP_OR_OTHERS != 0 {
        return refuse(folder, "can be written by others; 'chmod 700' it");
    }
    // The parent of the folder itself, not that of a link to it.
    let real = fs::canonicalize(folder).map_err(Unsafe::Io)?;
    for parent in [folder.parent(), real.parent()].into_iter().flatten() {
        let above = fs::metadata(parent).map_err(Unsafe::Io)?;
        if above.uid() != me && above.uid() != 0 {
            return refuse(parent, "belongs to another user");
        }
        // Group-writable is common where each user has a group of their own.
        if above.mode() & WRITABLE_BY_OTHERS != 0 && above.mode() & STICKY == 0 {
            return refuse(parent, "can be written by anybody");
        }
    }
    Ok(())
}

/// The user's profile folder has an access list that keeps others out.
#[cfg(not(unix))]
fn trusted(folder: &Path) -> std::result::Result<(), Unsafe> {
    match fs::metadata(folder) {
        Ok(there) if there.is_dir() => Ok(()),
        Ok(_) => Err(Unsafe::Because(format!("{} is not a folder", folder.display()))),
        Err(error) => Err(Unsafe::Io(error)),
    }
}
