//! Files: private folders, whole-or-not-at-all replacement, kernel file locks. Touches the paths it is given, nothing else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::sys::clock::{self, Deadline};

/// Makes a folder that only its owner may enter (0700), with its parents. One that is there already keeps its mode.
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

/// Puts a new file of mode 0600 in the place of `path`, whole or not at all: temporary file beside it, rename. What is `lasting` is on
/// the disk when this returns (fsync, before the rename and of the folder); the rest a power cut may take, or damage.
///
/// # Errors
/// Those of the system, a full disk among them; `path` is then as it was.
pub fn replace_private(path: &Path, content: &[u8], lasting: bool) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    // tempfile creates with mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    if lasting {
        file.as_file().sync_all()?;
    }
    rename(file, path)?;
    if lasting {
        sync_folder(folder);
    }
    Ok(())
}

/// Puts a temporary file in the place of `path`. On Windows a file can't be replaced while another program reads it: for a moment it
/// is tried again.
///
/// # Errors
/// Those of the system; the temporary file is then gone and `path` as it was.
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

/// Makes a rename in this folder survive a power cut. Not every file system can; the file itself is whole either way.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A kernel lock on a file: released when this is dropped, or when its process dies in whatever way.
///
/// The file stays: removing it would let two processes hold "the" lock on two files.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, waiting for its holder until the deadline. None if it is still held then.
    ///
    /// # Errors
    /// Those of opening the file (its folder must be there).
    pub fn take(path: &Path, deadline: Deadline) -> io::Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // The kernel's queue can't be left after a time, so it is asked again and again: 1, 2, 4, then every 8 ms.
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

    /// What the last holder left as a note in the lock file. Anything unreadable is no note.
    pub fn note(&mut self) -> String {
        let mut text = String::new();
        let read = self.file.rewind().and_then(|()| (&self.file).take(4096).read_to_string(&mut text));
        if read.is_ok() { text } else { String::new() }
    }

    /// Leaves a note for the next holder. It is an aid, so a full disk is no error.
    pub fn leave_note(&mut self, text: &str) {
        let _ = self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(text.as_bytes()));
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
