//! Creates private folders, checks who can change them, replaces files atomically. Touches only the paths it is given.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::sys::clock::{self, Deadline};

/// Creates a folder of mode 0700, with its parents. An existing folder keeps its mode.
///
/// # Errors
/// Those of the system. [`io::ErrorKind::PermissionDenied`] if root would create something in another user's folder, as
/// `sudo -E` does: that user could not use it.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        refuse_for_root(path)?;
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    builder.create(path)
}

/// Refuses to let root write into another user's folder, or create one there: the user could not change it later.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`]
#[cfg(unix)]
pub fn refuse_for_root(path: &Path) -> io::Result<()> {
    if !is_root() {
        return Ok(());
    }
    let existing = path.ancestors().find_map(|folder| Some((folder, fs::metadata(folder).ok()?)));
    match existing {
        Some((folder, meta)) if !owned(&meta) => Err(denied(folder, "belongs to another user, and this is root")),
        _ => Ok(()),
    }
}

/// Checks that nobody but the user and root can replace the files in a folder: it belongs to the user, only the user may write in it,
/// and nobody else can replace it or one of the folders that contain it. Symbolic links are followed, their targets are checked.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] if there is no such folder; [`io::ErrorKind::PermissionDenied`] with the reason if it is not safe.
#[cfg(unix)]
pub fn check_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    const WRITABLE_BY_GROUP_OR_OTHERS: u32 = 0o022;
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let real = fs::canonicalize(folder)?;
    let meta = fs::symlink_metadata(&real)?;
    if !meta.is_dir() {
        return Err(denied(folder, "is not a folder"));
    }
    if !owned(&meta) {
        return Err(denied(folder, "belongs to another user"));
    }
    if meta.mode() & WRITABLE_BY_GROUP_OR_OTHERS != 0 {
        return Err(denied(folder, "is writable by others; 'chmod 700' it"));
    }
    // The folders that contain a link are checked too: anyone who can write to them can change the link.
    let link = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let link = link.map(fs::canonicalize).transpose()?;
    let of_link = link.iter().flat_map(|parent| parent.ancestors());
    for parent in real.ancestors().skip(1).chain(of_link) {
        let above = fs::symlink_metadata(parent)?;
        if !owned(&above) && above.uid() != 0 && !is_unmapped(above.uid()) {
            return Err(denied(parent, "belongs to another user"));
        }
        // Group-writable folders are common on systems where each user has a group of their own.
        if above.mode() & WRITABLE_BY_OTHERS != 0 && above.mode() & STICKY == 0 {
            return Err(denied(parent, "is writable by anybody"));
        }
    }
    Ok(())
}

/// The access list of the user's profile folder excludes others.
///
/// # Errors
/// As on Unix.
#[cfg(not(unix))]
pub fn check_folder(folder: &Path) -> io::Result<()> {
    if fs::metadata(folder)?.is_dir() { Ok(()) } else { Err(denied(folder, "is not a folder")) }
}

/// Whether a folder that contains it belongs to a user of the host, who has no number in this user namespace (rootless containers,
/// bubblewrap). Such folders are the host's own.
#[cfg(unix)]
fn is_unmapped(uid: u32) -> bool {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let overflow = text("/proc/sys/kernel/overflowuid").trim().parse() == Ok(uid);
    overflow && !text("/proc/self/uid_map").split_whitespace().eq(["0", "0", "4294967295"])
}

/// Whether a file or folder belongs to the effective user.
#[cfg(unix)]
pub fn owned(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(meta) == rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn denied(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", path.display()))
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

/// The largest file that [`read`] accepts, in bytes.
const MAX_FILE: u64 = 1 << 30;
/// The most bytes that [`read`] takes from a pipe, and how long it waits for them.
#[cfg(unix)]
const MAX_PIPE: u64 = 16 << 20;
#[cfg(unix)]
const PIPE_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a file whose path comes from the user: a regular file, the null device, or a pipe (`<(…)` of a shell). Neither blocks without
/// end nor reads without end. A pipe can be read only once, so its bytes are kept for later calls.
///
/// # Errors
/// Those of the system; anything else than a file or pipe; more than 1 GiB, or 16 MiB from a pipe; a pipe that is not closed within 5
/// seconds.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let meta = fs::metadata(path)?;
    if meta.is_file() {
        // A folder or device may have replaced it meanwhile: what was opened counts.
        return match open_regular(path)? {
            Some(file) => limited(&file, MAX_FILE),
            None => Err(not_a_file()),
        };
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        if meta.file_type().is_fifo() {
            return pipe::read(path, (meta.dev(), meta.ino()));
        }
        let null = fs::metadata("/dev/null").ok().map(|null| null.rdev());
        if meta.file_type().is_char_device() && Some(meta.rdev()) == null {
            return Ok(Vec::new());
        }
    }
    Err(if meta.is_dir() { io::ErrorKind::IsADirectory.into() } else { not_a_file() })
}

/// Opens a regular file; None if it is anything else, which is not opened.
///
/// # Errors
/// Those of the system.
pub fn open_regular(path: &Path) -> io::Result<Option<File>> {
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, NONBLOCK);
    let file = options.open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Opens a regular file for reading, with its metadata; None if it is anything else, such as a link. Does not wait.
///
/// # Errors
/// Those of the system.
pub fn open_without_links(path: &Path) -> io::Result<Option<(File, fs::Metadata)>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().try_into().unwrap_or_default());
    }
    #[cfg(not(unix))]
    if fs::symlink_metadata(path)?.is_symlink() {
        return Ok(None);
    }
    let file = match options.open(path) {
        #[cfg(unix)]
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Ok(None),
        other => other?,
    };
    let meta = file.metadata()?;
    Ok(meta.is_file().then_some((file, meta)))
}

// `O_NONBLOCK`: opening a pipe or device does not wait.
#[cfg(target_os = "linux")]
const NONBLOCK: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0o200 } else { 0o4000 };
#[cfg(all(unix, not(target_os = "linux")))]
const NONBLOCK: i32 = 0x4;

fn limited(file: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

#[cfg(unix)]
mod pipe {
    use std::fs::OpenOptions;
    use std::io::{self, Read};
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};
    use std::sync::{Mutex, PoisonError};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use zeroize::Zeroizing;

    use super::{MAX_PIPE, NONBLOCK, PIPE_TIMEOUT, limited};
    use crate::sys::clock::Deadline;

    /// Path, device and inode of a pipe, with its bytes.
    type Known = Vec<(PathBuf, (u64, u64), Zeroizing<Vec<u8>>)>;
    static KNOWN: Mutex<Known> = Mutex::new(Vec::new());

    pub(super) fn read(path: &Path, identity: (u64, u64)) -> io::Result<Vec<u8>> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, bytes)) = known.iter().find(|(name, other, _)| name == path && *other == identity) {
            return Ok(bytes.to_vec());
        }
        let file = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path)?;
        let bytes = Zeroizing::new(limited(Waiting { file: &file, deadline: Deadline::after(PIPE_TIMEOUT) }, MAX_PIPE)?);
        known.push((path.to_owned(), identity, bytes.clone()));
        Ok(bytes.to_vec())
    }

    /// A pipe that is read until its writers close it, at most until the deadline.
    struct Waiting<'a> {
        file: &'a std::fs::File,
        deadline: Deadline,
    }

    impl Read for Waiting<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let left = self.deadline.left();
            let timeout = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
            let mut asked = [PollFd::new(self.file, PollFlags::IN)];
            match poll(&mut asked, Some(&timeout)) {
                Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "it is a pipe whose writer does not close it")),
                Ok(_) => self.file.read(buffer),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Makes a rename in this folder survive a power cut, if the file system can.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
