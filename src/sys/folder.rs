//! Lists folders and opens the files in them, for reading. On Linux without an allocation for each entry: `audit` lists whole homes.
//! Touches only the folders it is given.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// What an entry of a folder is. Links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, a pipe, a socket or a device.
    Other,
}

/// An entry of a folder.
pub struct Entry<'f> {
    /// Its name.
    pub name: &'f OsStr,
    /// What it is.
    pub kind: Kind,
    #[cfg(target_os = "linux")]
    folder: std::os::fd::BorrowedFd<'f>,
    #[cfg(not(target_os = "linux"))]
    path: std::path::PathBuf,
}

impl Entry<'_> {
    /// Opens a regular file for reading, with its metadata; None if it is anything else, such as a link. Does not wait.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(target_os = "linux")]
    pub fn open(&self) -> io::Result<Option<(File, Metadata)>> {
        use rustix::fs::{Mode, OFlags, openat};
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match openat(self.folder, self.name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::LOOP) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let meta = file.metadata()?;
        Ok(meta.is_file().then_some((file, meta)))
    }

    /// Opens a regular file for reading, with its metadata; None if it is anything else, such as a link. Does not wait.
    ///
    /// # Errors
    /// Those of the system.
    #[cfg(not(target_os = "linux"))]
    pub fn open(&self) -> io::Result<Option<(File, Metadata)>> {
        super::file::open_without_links(&self.path)
    }
}

/// Calls `each` for every entry of a folder, which must not be a link.
///
/// # Errors
/// Those of the system; `each` may have been called.
#[cfg(target_os = "linux")]
pub fn list(path: &Path, mut each: impl FnMut(&Entry<'_>)) -> io::Result<()> {
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let folder = openat(CWD, path, flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 16_384];
    let mut entries = RawDir::new(&folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            // Some file systems do not say.
            FileType::Unknown => {
                let meta = statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(meta.st_mode)
            }
            kind => kind,
        };
        let kind = match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        each(&Entry { name, kind, folder: folder.as_fd() });
    }
    Ok(())
}

/// Calls `each` for every entry of a folder.
///
/// # Errors
/// Those of the system; `each` may have been called.
#[cfg(not(target_os = "linux"))]
pub fn list(path: &Path, mut each: impl FnMut(&Entry<'_>)) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let kind = if kind.is_file() {
            Kind::File
        } else if kind.is_dir() {
            Kind::Folder
        } else {
            Kind::Other
        };
        each(&Entry { name: &name, kind, path: entry.path() });
    }
    Ok(())
}
