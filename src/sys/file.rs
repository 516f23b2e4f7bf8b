//! Creates private folders, replaces files atomically, takes kernel file locks. Touches only the paths it is given.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::sys::clock::{self, Deadline};

/// Creates a folder of mode 0700, with its parents. An existing folder keeps its mode.
///
/// # Errors
/// Those of the system.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Replaces `path` atomically by a new file of mode 0600: a temporary file beside it, then a rename. If `durable`, the content is on the
/// disk when this returns (fsync of the file and of the folder); otherwise a power cut may lose or damage it.
///
/// # Errors
/// Those of the system, such as a full disk; `path` is then unchanged.
pub fn replace_private(path: &Path, content: &[u8], durable: bool) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // tempfile creates with mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    if durable {
        file.as_file().sync_all()?;
    }
    rename(file, path)?;
    if durable {
        sync_folder(folder);
    }
    Ok(())
}

/// Replaces `path` by a temporary file. Windows can't replace a file that another program reads; there it is retried for a second.
///
/// # Errors
/// Those of the system; the temporary file is then deleted and `path` unchanged.
pub fn rename(mut file: NamedTempFile, path: &Path) -> io::Result<()> {
    let deadline = Deadline::after(if cfg!(windows) { Duration::from_secs(1) } else { Duration::ZERO });
    loop {
        match file.persist(path) {
            Err(failed) if failed.error.kind() == io::ErrorKind::PermissionDenied && !deadline.passed() => {
                file = failed.file;
                clock::sleep(Duration::from_millis(8));
            }
            other => return other.map(drop).map_err(Into::into),
        }
    }
}

/// Makes a rename in this folder survive a power cut, if the file system can.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A kernel lock on a file. It is released when this value is dropped or the process ends.
///
/// The file is never deleted: otherwise two processes could hold the lock on two files of the same name.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock and waits for its holder until the deadline. None if it is still held then.
    ///
    /// # Errors
    /// Those of opening the file; its folder must exist.
    pub fn take(path: &Path, deadline: Deadline) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // A wait in the kernel has no time-out, so the lock is tried again after 1, 2, 4, then every 8 ms.
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { file, path: path.to_owned() })),
                Err(TryLockError::WouldBlock) if deadline.passed() => return Ok(None),
                Err(TryLockError::WouldBlock) => clock::sleep(pause.min(deadline.left())),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            pause = (pause * 2).min(Duration::from_millis(8));
        }
    }

    /// The text that the last holder wrote into the lock file; empty if it is unreadable.
    pub fn note(&mut self) -> String {
        let mut text = String::new();
        let read = self.file.rewind().and_then(|()| (&self.file).take(4096).read_to_string(&mut text));
        if read.is_ok() { text } else { String::new() }
    }

    /// Writes a text for the next holder. Errors, such as a full disk, are ignored.
    pub fn leave_note(&mut self, text: &str) {
        let _ = self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(text.as_bytes()));
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
