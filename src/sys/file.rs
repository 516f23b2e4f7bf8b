//! Creates private folders, checks who can change them, replaces files atomically. Touches only the paths it is given.

use std::fs::{self, File};
use std::io::{self, Write};
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

#[cfg(unix)]
fn refuse_for_root(path: &Path) -> io::Result<()> {
    let existing = path.ancestors().find_map(|folder| Some((folder, fs::metadata(folder).ok()?)));
    match existing {
        Some((folder, meta)) if is_root() && !owned(&meta) => Err(denied(folder, "belongs to another user, and this is root")),
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
    // The folders that contain a link are checked too: whoever writes in them can change the link.
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

/// Makes a rename in this folder survive a power cut, if the file system can.
pub fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
