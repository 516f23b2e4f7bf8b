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
        let no_home = || Error::File { what: "there is no home folder to store secrets in".to_owned(), path: None };
        let folder = self.folder.as_deref().ok_or_else(no_home)?;
        match file::check_folder(folder) {
            Ok(()) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(to_error(folder, &error)),
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
    // An error of daypass's own check names the path already.
    let what = if error.raw_os_error().is_some() { format!("{}: {error}", path.display()) } else { error.to_string() };
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full(what),
        _ => Error::File { what, path: Some(path.to_owned()) },
    }
}
