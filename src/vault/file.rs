//! Files of mode 0600 in a folder of mode 0700, one for each item; used only if chosen. Touches that folder only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::{Backend, Bytes, Item};
use crate::sys::file;

/// The suffix of daypass's files. Other files in the folder are ignored.
const SUFFIX: &str = ".secret";

/// Files in one folder, which is created for the first value.
pub struct Files {
    folder: Option<PathBuf>,
}

impl Files {
    /// Files in this folder; None if the user has no home folder.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The folder, if it is safe to use. None if it does not exist yet.
    fn folder(&self) -> Result<Option<&Path>> {
        let folder =
            self.folder.as_deref().ok_or_else(|| Error::Missing("there is no home folder to store secrets in".to_owned()))?;
        match trusted(folder) {
            Ok(()) => Ok(Some(folder)),
            Err(Unsafe::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(Unsafe::Io(error)) => Err(to_error(folder, &error)),
            Err(Unsafe::Because(reason)) => Err(Error::Failed(reason)),
        }
    }

    fn create_folder(&self) -> Result<&Path> {
        if let Some(folder) = self.folder()? {
            return Ok(folder);
        }
        if let Some(folder) = &self.folder {
            file::private_folder(folder).map_err(|error| to_error(folder, &error))?;
        }
        self.folder()?.ok_or_else(|| Error::Failed("the folder for secrets disappeared".to_owned()))
    }
}

impl Backend for Files {
    fn name(&self) -> &'static str {
        "file"
    }

    fn probe(&self) -> Result<()> {
        self.folder().map(drop)
    }

    fn get(&self, item: &Item) -> Result<Option<Bytes>> {
        self.folder()?.map_or(Ok(None), |folder| read(&path(folder, item)))
    }

    fn put(&self, item: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        let path = path(self.create_folder()?, item);
        // Role credentials can be fetched again, a refresh token cannot. A file that a power cut damaged counts as missing.
        let durable = item.key.role().is_none();
        file::replace_private(&path, content, durable).map_err(|error| to_error(&path, &error))
    }

    fn delete(&self, item: &Item) -> Result<()> {
        let Some(folder) = self.folder()? else { return Ok(()) };
        let path = path(folder, item);
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
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.ends_with(SUFFIX));
            if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
                contents.extend(read(&entry.path())?);
            }
        }
        Ok(contents)
    }
}

fn path(folder: &Path, item: &Item) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", item.name))
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

/// Checks that nobody but the user and root can replace daypass's files: only the user may write in the folder, and nobody else can
/// replace the folder.
#[cfg(unix)]
fn trusted(folder: &Path) -> std::result::Result<(), Unsafe> {
    use std::os::unix::fs::MetadataExt;
    const WRITABLE_BY_GROUP_OR_OTHERS: u32 = 0o022;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let me = rustix::process::geteuid().as_raw();
    // Symbolic links are followed; their target is checked.
    let meta = fs::metadata(folder).map_err(Unsafe::Io)?;
    let refuse = |path: &Path, why: &str| Err(Unsafe::Because(format!("{} {why}", path.display())));
    if !meta.is_dir() {
        return refuse(folder, "is not a folder");
    }
    if meta.uid() != me {
        return refuse(folder, "belongs to another user");
    }
    if meta.mode() & WRITABLE_BY_GROUP_OR_OTHERS != 0 {
        return refuse(folder, "is writable by others; 'chmod 700' it");
    }
    // Both the parent of the link and that of its target.
    let real = fs::canonicalize(folder).map_err(Unsafe::Io)?;
    for parent in [folder.parent(), real.parent()].into_iter().flatten() {
        let above = fs::metadata(parent).map_err(Unsafe::Io)?;
        if above.uid() != me && above.uid() != 0 {
            return refuse(parent, "belongs to another user");
        }
        // Group-writable folders are common on systems where each user has a group of their own.
        if above.mode() & WRITABLE_BY_OTHERS != 0 && above.mode() & STICKY == 0 {
            return refuse(parent, "is writable by anybody");
        }
    }
    Ok(())
}

/// The access list of the user's profile folder excludes others.
#[cfg(not(unix))]
fn trusted(folder: &Path) -> std::result::Result<(), Unsafe> {
    match fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => Ok(()),
        Ok(_) => Err(Unsafe::Because(format!("{} is not a folder", folder.display()))),
        Err(error) => Err(Unsafe::Io(error)),
    }
}
