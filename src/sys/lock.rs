//! Takes kernel locks on files, in a folder that belongs to the user and not to the environment of one process. Touches that folder.
//!
//! Programs that start daypass set different variables for one user, and `XDG_RUNTIME_DIR` may even name another user's folder. So
//! each folder is used only after a check that it is the user's own and that nobody else can change it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sys::clock::{self, Deadline};
use crate::sys::env::Env;
use crate::sys::file;

/// The name of the folder in a runtime folder.
const NAME: &str = "daypass";

/// The folders that may contain the user's lock files. They are looked for only if a lock is taken.
#[derive(Debug, Clone)]
pub struct Folders {
    env: Env,
}

impl Folders {
    /// `/run/user/UID`, then `XDG_RUNTIME_DIR`, then the state and the cache folder, then a folder under the temporary ones.
    pub fn new(env: &Env) -> Self {
        Self { env: env.clone() }
    }

    /// The first usable folder, which is created if it is missing. None if the user can't write in any.
    pub fn usable(&self) -> Option<PathBuf> {
        // Runtime folders are used only if they exist and are private; the others are created.
        let runtime = self.env.runtime_folders().into_iter().filter(|folder| is_private(folder)).map(|folder| folder.join(NAME));
        let own = self.env.state_folder().into_iter().chain(self.env.cache_folder());
        runtime.chain(own).chain(temporary(&self.env)).find(|folder| match writable(folder) {
            Ok(()) => true,
            Err(error) => {
                log::debug!("{} is not used for lock files: {error}", folder.display());
                false
            }
        })
    }
}

/// Folders where anybody may create a private folder. `/dev/shm` is writable in containers whose root file system is read-only.
#[cfg(unix)]
fn temporary(env: &Env) -> impl Iterator<Item = PathBuf> {
    let name = format!("daypass-{}", rustix::process::geteuid().as_raw());
    let folders = [Some(PathBuf::from("/tmp")), env.temporary_folder(), Some(PathBuf::from("/dev/shm"))];
    folders.into_iter().flatten().filter(|folder| folder.is_dir()).map(move |folder| folder.join(&name))
}

#[cfg(not(unix))]
fn temporary(_env: &Env) -> impl Iterator<Item = PathBuf> {
    std::iter::empty()
}

/// Whether a folder belongs to the user, and others can neither read nor write in it.
#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_dir() && file::owned(&meta) && closed_to_others(&meta))
}

#[cfg(not(unix))]
fn is_private(folder: &Path) -> bool {
    folder.is_dir()
}

#[cfg(unix)]
fn closed_to_others(meta: &fs::Metadata) -> bool {
    const GROUP_AND_OTHERS: u32 = 0o077;
    std::os::unix::fs::MetadataExt::mode(meta) & GROUP_AND_OTHERS == 0
}

fn writable(folder: &Path) -> io::Result<()> {
    file::private_folder(folder)?;
    #[cfg(unix)]
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    file::check_folder(folder)?;
    #[cfg(unix)]
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    Ok(())
}

/// A kernel lock on a file. It is released when this value is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// Whether the file stays, because it contains something for the next holder.
    keep: bool,
}

impl Lock {
    /// Takes the lock and waits for its holder until the deadline. None if it is still held then. The folder must have been checked.
    ///
    /// # Errors
    /// Those of opening the file; its folder must exist.
    pub fn take(path: &Path, deadline: Deadline) -> io::Result<Option<Self>> {
        let mut file = open(path)?;
        // A wait in the kernel has no time-out, so the lock is tried again after 1, 2, 4, then every 8 ms.
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => {
                    let keep = file.metadata()?.len() > 0;
                    return Ok(Some(Self { file, path: path.to_owned(), keep }));
                }
                // The last holder deleted the file.
                Ok(()) => {
                    file = open(path)?;
                    continue;
                }
                Err(TryLockError::WouldBlock) if deadline.passed() => return Ok(None),
                Err(TryLockError::WouldBlock) => clock::sleep(pause.min(deadline.left())),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            pause = (pause * 2).min(Duration::from_millis(8));
        }
    }

    /// The text that an earlier holder left; empty if it is unreadable.
    pub fn note(&mut self) -> String {
        let mut text = String::new();
        let read = self.file.rewind().and_then(|()| (&self.file).take(4096).read_to_string(&mut text));
        if read.is_ok() { text } else { String::new() }
    }

    /// Writes a text for other processes. Errors, such as a full disk, are ignored. The file is deleted with the lock unless `keep`.
    pub fn leave_note(&mut self, text: &str, keep: bool) {
        self.keep = keep;
        let _ = self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(text.as_bytes()));
    }
}

impl Drop for Lock {
    /// Deletes the file, still under the lock. Those who wait for it notice and open the next one. Windows can't delete an open file.
    fn drop(&mut self) {
        if cfg!(unix) && !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens or creates a lock file. Anything else in its place is deleted: a link, or a file that root left in the user's folder.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let usable = |meta: &fs::Metadata| meta.is_file() && file::owned(meta) && closed_to_others(meta);
        if fs::symlink_metadata(path).is_ok_and(|meta| !usable(&meta)) {
            fs::remove_file(path)?;
        }
        // O_CLOEXEC is the standard library's default.
        options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}

/// Whether this file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: fs::Metadata| (meta.dev(), meta.ino());
    matches!((file.metadata().map(id), fs::symlink_metadata(path).map(id)), (Ok(open), Ok(named)) if open == named)
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
