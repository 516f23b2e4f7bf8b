//! Writes the user's AWS config file, and for a migration the credentials file. Touches these files, the backup of the first, a note of its
//! last change in the state folder and a lock in the runtime folder, nothing else.
//!
//! The file is replaced whole or not at all. Under a lock it is read, changed in memory and checked. The result goes to a temporary file
//! in the same folder, is synced to the disk, and replaces the old one by a rename, but only if that is still what was read. A symbolic
//! link stays: its target is replaced. Mode and owner are kept. The previous version of the config file, without secrets, is kept beside
//! it as `NAME.daypass.bak`, of mode 0600.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::backup;
use super::config::Config;
use super::diff;
use super::edit::{self, Change};
use super::encoding;
use super::ini::FileKind;
use super::last_change::LastChange;
use crate::error::{Error, Result};
use crate::sys::clock::{self, Deadline};
use crate::sys::env::Env;
use crate::sys::file;
use crate::sys::lock::{Folders, Lock};
use crate::text::shell_quote;

/// How long to wait for another daypass that writes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the change is tried again because another program changed the file.
const TRIES: usize = 20;

/// The config file before and after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The file's path, links not followed.
    pub path: PathBuf,
    /// Its text; None if there is no file.
    pub before: Option<String>,
    /// The text with the changes.
    pub after: String,
}

/// Whether a profile with another credential source may become a daypass profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// No: tools would go on using the other source.
    Refuse,
    /// Yes: the caller removes the other source, or the user wants to keep it.
    Allow,
}

impl Plan {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.before.as_ref().map_or(self.after.is_empty(), |before| *before == self.after)
    }

    fn replacement(&self) -> Replacement<'_> {
        let (before, after) = (self.before.as_deref(), &self.after);
        Replacement { path: &self.path, before, after, backup: true, undone_by: None, mode: None }
    }

    /// The change as a unified diff for `patch -p1 -d /`; empty if there is none. It quotes the file as it is: clean it before it goes to
    /// a terminal.
    pub fn diff(&self) -> String {
        if self.is_empty() { String::new() } else { unified(&self.path, self.before.as_deref(), &self.after) }
    }
}

/// The change of a file as a unified diff with secrets and access key IDs masked; empty if nothing visible changes.
pub fn masked_diff(path: &Path, before: Option<&str>, after: &str) -> String {
    let before = before.map(backup::masked);
    let after = backup::masked(after);
    if before.as_ref() == Some(&after) { String::new() } else { unified(path, before.as_deref(), &after) }
}

fn unified(path: &Path, before: Option<&str>, after: &str) -> String {
    let shown = path.display().to_string();
    let shown = shown.trim_start_matches('/');
    let old = if before.is_some() { format!("a/{shown}") } else { "/dev/null".to_owned() };
    format!("--- {old}\n+++ b/{shown}\n{}", diff::hunks(before.unwrap_or_default(), after))
}

/// Computes the changes from the configuration as it is under the lock.
pub type Make<'m> = &'m dyn Fn(&Config) -> Result<Vec<Change>>;

/// A change that was computed, with what it was computed from.
pub struct Prepared {
    /// What it does to the config file.
    pub plan: Plan,
    /// The text of the credentials file, on which the change may depend.
    credentials: Zeroizing<String>,
}

/// Computes what changes do to the config file, for [`carry_out`]. Writes nothing.
///
/// # Errors
/// Those of [`edit::apply`] and of reading.
pub fn prepare(env: &Env, changes: &[Change], others: Others) -> Result<Prepared> {
    prepare_at(env, env.config_file().ok_or_else(no_home)?, &|_| Ok(changes.to_vec()), others, None)
}

/// Returns what [`update`] would do to the config file. Writes nothing.
///
/// # Errors
/// As [`prepare`].
pub fn plan(env: &Env, changes: &[Change], others: Others) -> Result<Plan> {
    Ok(prepare(env, changes, others)?.plan)
}

/// Returns what [`update_by`] would do to the config file. Writes nothing.
///
/// # Errors
/// As [`prepare`], and those of `make`.
pub fn plan_by(env: &Env, make: Make<'_>, others: Others) -> Result<Plan> {
    Ok(prepare_at(env, env.config_file().ok_or_else(no_home)?, make, others, None)?.plan)
}

/// Makes the changes in the config file and returns what it did.
///
/// # Errors
/// Those of [`plan`], and of writing; the file is then as it was.
pub fn update(env: &Env, changes: &[Change], others: Others) -> Result<Plan> {
    update_by(env, &|_| Ok(changes.to_vec()), others)
}

/// Makes the changes that `make` computes from the file under the lock.
///
/// # Errors
/// Those of [`plan_by`], and of writing; the file is then as it was.
pub fn update_by(env: &Env, make: Make<'_>, others: Others) -> Result<Plan> {
    let prepared = prepare_at(env, env.config_file().ok_or_else(no_home)?, make, others, None)?;
    carry_out(env, prepared, make, others)
}

/// Makes changes that were prepared, and returns what it did. If a file was changed meanwhile, `make` computes them again.
///
/// # Errors
/// As [`update_by`].
pub fn carry_out(env: &Env, mut prepared: Prepared, make: Make<'_>, others: Others) -> Result<Plan> {
    if prepared.plan.is_empty() {
        return Ok(prepared.plan);
    }
    let target = Destination::of(&prepared.plan.path)?;
    let _lock = lock(env, &target.path)?;
    for _ in 0..TRIES {
        prepared = prepare_at(env, prepared.plan.path.clone(), make, others, Some(prepared))?;
        if prepared.plan.is_empty() || write(env, prepared.plan.replacement())? == Written::Yes {
            return Ok(prepared.plan);
        }
    }
    let what = format!("{} keeps changing while daypass writes it", prepared.plan.path.display());
    Err(Error::again(what, "close the other program that writes it, then"))
}

/// A file's whole new text, for a change that was computed from both files.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// The file's path, links not followed.
    pub path: &'a Path,
    /// Its text as it was read; None if there was no file.
    pub before: Option<&'a str>,
    /// Its new text.
    pub after: &'a str,
    /// Whether the previous version, without its secrets, becomes the backup.
    pub backup: bool,
    /// The command that undoes the change, if [`undo`] must not.
    pub undone_by: Option<&'a str>,
    /// Permission bits to set; None keeps those of the file.
    pub mode: Option<u32>,
}

/// The text of one of the user's files that is about to be edited; None if there is no file.
///
/// # Errors
/// Those of reading; a text that can't be edited line by line.
pub fn read(path: &Path) -> Result<Option<Zeroizing<String>>> {
    let Some(mut bytes) = text_of(path)? else { return Ok(None) };
    let text = Zeroizing::new(encoding::decode(std::mem::take(&mut *bytes), path)?);
    encoding::check_editable(&text, path)?;
    Ok(Some(text))
}

/// Replaces a file if it still is what was read. Returns whether it was.
///
/// # Errors
/// Those of writing; the file is then as it was.
pub fn replace(env: &Env, new: Replacement<'_>) -> Result<bool> {
    if new.before == Some(new.after) && new.mode.is_none() {
        return Ok(true);
    }
    let target = Destination::of(new.path)?;
    let _lock = lock(env, &target.path)?;
    Ok(write(env, new)? == Written::Yes)
}

/// Tells before a change whether [`replace`] could write a file.
///
/// # Errors
/// The file is read-only, or nothing can be written in its folder.
pub fn check_writable(path: &Path) -> Result<()> {
    let target = Destination::of(path)?;
    temporary(&target.folder, &temporary_prefix(path), b"", target.meta.as_ref()).map(drop)
}

/// Deletes a file if it still is what was read. Returns whether it was.
///
/// # Errors
/// Those of deleting; the file is then as it was.
pub fn remove(env: &Env, path: &Path, before: &str) -> Result<bool> {
    let target = Destination::of(path)?;
    let _lock = lock(env, &target.path)?;
    delete(&target, before)
}

fn delete(target: &Destination, before: &str) -> Result<bool> {
    if text_of(&target.path)?.as_ref().map(|bytes| bytes.as_slice()) != Some(before.as_bytes()) {
        return Ok(false);
    }
    fs::remove_file(&target.path).map_err(|error| cannot("delete", &target.path, &error))?;
    file::sync_folder(&target.folder);
    Ok(true)
}

/// How the last change of the config file is undone.
#[derive(Debug)]
pub struct Undo {
    /// The file's path, links not followed.
    pub path: PathBuf,
    /// Its text now; None if there is no file.
    pub before: Option<Zeroizing<String>>,
    /// Its text before the change; None if there was no file.
    pub after: Option<Zeroizing<String>>,
}

impl Undo {
    /// The difference as a unified diff with secrets and access key IDs masked.
    pub fn diff(&self) -> String {
        let text = |text: &Option<Zeroizing<String>>| text.as_ref().map(|text| text.to_string());
        masked_diff(&self.path, text(&self.before).as_deref(), &text(&self.after).unwrap_or_default())
    }
}

/// Returns what [`undo`] would do to the config file. Writes nothing.
///
/// # Errors
/// There is nothing to undo; the file was changed since; the backup is without its secrets, or was changed itself; those of reading.
pub fn undo_plan(env: &Env) -> Result<Undo> {
    let path = env.config_file().ok_or_else(no_home)?;
    let (shown, backup) = (path.display(), backup_path(&path));
    let note = note_path(env, &path).and_then(|note| file::read(&note).ok());
    let Some(last) = note.and_then(|note| serde_json::from_slice::<LastChange>(&note).ok()) else {
        let what = format!("there is no recorded change to {shown} to undo");
        return Err(Error::failed(what, "daypass list --profiles"));
    };
    let compare = format!("diff {} {}", shell_quote(&backup.to_string_lossy()), shell_quote(&path.to_string_lossy()));
    let before = read(&path)?;
    if !last.is_after(before.as_ref().map(|text| text.as_str())) {
        return Err(Error::failed(format!("{shown} was changed since daypass wrote it, so undo would lose that change"), compare));
    }
    if let Some(command) = last.undone_by {
        return Err(Error::failed(
            format!("the last change to {shown} was the migration of a key, which has its own undo"),
            command,
        ));
    }
    if last.created() {
        return Ok(Undo { path, before, after: None });
    }
    let Some(after) = read(&backup)? else {
        return Err(Error::failed(format!("the backup {} is gone", backup.display()), format!("ls -ld \"{}\"", backup.display())));
    };
    if !last.is_before(&after) {
        let why = if backup::lacks_secrets(&after) { "lacks the secrets that the file contained" } else { "was changed" };
        return Err(Error::failed(format!("the backup {} {why}, so it can't be restored", backup.display()), compare));
    }
    Ok(Undo { path, before, after: Some(after) })
}

/// Undoes the last change of the config file. The undone version becomes the backup, so that this can be undone too.
///
/// # Errors
/// The file was changed meanwhile; those of writing. The file is then as it was.
pub fn undo(env: &Env, undo: &Undo) -> Result<()> {
    let target = Destination::of(&undo.path)?;
    let _lock = lock(env, &target.path)?;
    let before = undo.before.as_ref().map(|text| text.as_str());
    let done = match (&undo.after, before) {
        (Some(after), _) => {
            let new = Replacement { path: &undo.path, before, after, backup: true, undone_by: None, mode: None };
            write(env, new)? == Written::Yes
        }
        (None, Some(before)) => {
            back_up(&undo.path, before, &target)?;
            let done = delete(&target, before)?;
            if done {
                note(env, &undo.path, &LastChange::new(Some(before), None, None));
            }
            done
        }
        (None, None) => true,
    };
    if done {
        return Ok(());
    }
    Err(Error::failed(format!("{} was changed meanwhile", undo.path.display()), "daypass undo --dry-run"))
}

/// The file that records the last change of a config file; None if there is no folder for it.
fn note_path(env: &Env, path: &Path) -> Option<PathBuf> {
    // The file may have been deleted.
    let real = path.canonicalize().ok().or_else(|| Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?)))?;
    Some(env.state_folder()?.join(format!("{}.json", digest("undo-", &real))))
}

/// Records the last change of a config file. If that fails, `undo` refuses.
fn note(env: &Env, path: &Path, change: &LastChange) {
    let Some(note) = note_path(env, path) else { return };
    let written = note.parent().map_or(Ok(()), file::private_folder).and_then(|()| {
        let text = serde_json::to_vec(change)?;
        file::replace_private(&note, &text, false)
    });
    if let Err(error) = written {
        log::warn!("the change was not recorded for 'daypass undo': {error}");
    }
}

/// The permission bits of a file; None if there is none, or on systems without them.
pub fn mode(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    return fs::metadata(path).ok().map(|meta| std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o7777);
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Removes the secrets from a backup of an earlier daypass, if it contains this one. Returns its path if it did and `clean` is false.
///
/// # Errors
/// Those of reading and writing.
pub fn clean_backup(path: &Path, secret: &str, clean: bool) -> Result<Option<PathBuf>> {
    let backup = backup_path(path);
    let Some(bytes) = text_of(&backup)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    if !text.contains(secret) {
        return Ok(None);
    }
    if clean {
        file::replace_private(&backup, backup::without_secrets(&text).as_bytes(), true)
            .map_err(|error| cannot("write", &backup, &error))?;
        return Ok(None);
    }
    Ok(Some(backup))
}

fn text_of(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match file::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

fn no_home() -> Error {
    Error::usage("no home folder for .aws/config", "export AWS_CONFIG_FILE=/path/to/config")
}

/// Computes a change. If the files are those that `earlier` was computed from, that is the result.
fn prepare_at(env: &Env, path: PathBuf, make: Make<'_>, others: Others, earlier: Option<Prepared>) -> Result<Prepared> {
    let before = match file::read(&path) {
        Ok(bytes) => Some(encoding::decode(bytes, &path)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot("read", &path, &error)),
    };
    let text = before.clone().unwrap_or_default();
    let config = Config::with_credentials(env, path.clone(), text.clone())?;
    let [_, (.., credentials)] = config.texts();
    let is_current = |earlier: &Prepared| earlier.plan.before == before && *earlier.credentials == credentials;
    if let Some(earlier) = earlier.filter(is_current) {
        return Ok(earlier);
    }
    let credentials = Zeroizing::new(credentials.to_owned());
    let changes = make(&config)?;
    if others == Others::Refuse {
        edit::refuse_other_sources(&config, &changes)?;
    }
    let after = edit::apply(&text, FileKind::Config, &changes);
    if after.as_ref() != Ok(&text) {
        encoding::check_editable(&text, &path)?;
    }
    Ok(Prepared { plan: Plan { path, before, after: after? }, credentials })
}

#[derive(PartialEq)]
enum Written {
    Yes,
    /// Another program changed the file since it was read.
    Overtaken,
}

/// The file to replace, after all links.
struct Destination {
    path: PathBuf,
    folder: PathBuf,
    /// None if there is no file.
    meta: Option<Metadata>,
}

impl Destination {
    /// Creates a missing folder. Refuses anything but a writable regular file.
    fn of(path: &Path) -> Result<Self> {
        let shown = path.display();
        let real = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
                    return Err(Error::usage(format!("{shown} is not a file's path"), "export AWS_CONFIG_FILE=/path/to/config"));
                };
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                file::private_folder(folder).map_err(|error| cannot("create the folder", folder, &error))?;
                let folder = folder.canonicalize().map_err(|error| cannot("open the folder", folder, &error))?;
                return Ok(Self { path: folder.join(name), folder, meta: None });
            }
            Err(error) => return Err(cannot("read", path, &error)),
            Ok(_) => path.canonicalize(),
        };
        let not_a_file = |what: &str| Error::failed(format!("{shown} {what}"), "export AWS_CONFIG_FILE=/path/to/config");
        let real = match real {
            // Such as /dev/fd/63, whose target has no name.
            Err(_) if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) => return Err(not_a_file("is not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let to = fs::read_link(path).unwrap_or_default();
                let what = format!("{shown} is a symbolic link to {}, which does not exist", to.display());
                let target = path.parent().unwrap_or(path).join(&to);
                let folder = target.parent().unwrap_or(&target);
                let quoted = |path: &Path| shell_quote(&path.to_string_lossy()).into_owned();
                return Err(Error::failed(what, format!("mkdir -p {} && touch {}", quoted(folder), quoted(&target))));
            }
            other => other.map_err(|error| cannot("follow", path, &error))?,
        };
        let meta = fs::metadata(&real).map_err(|error| cannot("read", &real, &error))?;
        if !meta.is_file() {
            let what = if meta.is_dir() { "is a folder" } else { "is not a regular file" };
            return Err(not_a_file(what));
        }
        let read_only = || Error::failed(format!("{} is read-only", real.display()), format!("chmod u+w \"{}\"", real.display()));
        if meta.permissions().readonly() {
            return Err(read_only());
        }
        // A rename would bypass the file's permissions.
        OpenOptions::new().write(true).open(&real).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => read_only(),
            _ => cannot("write", &real, &error),
        })?;
        let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { path: real, folder, meta: Some(meta) })
    }
}

fn write(env: &Env, plan: Replacement<'_>) -> Result<Written> {
    let target = Destination::of(plan.path)?;
    let prefix = temporary_prefix(plan.path);
    sweep(&target.folder, &prefix);
    let new = temporary(&target.folder, &prefix, plan.after.as_bytes(), target.meta.as_ref())?;
    set_mode(new.as_file(), plan.mode).map_err(|error| cannot("write", &target.path, &error))?;
    if let Some(before) = plan.before.filter(|_| plan.backup) {
        back_up(plan.path, before, &target)?;
    }
    let now = text_of(&target.path)?;
    if now.as_ref().map(|bytes| bytes.as_slice()) != plan.before.map(str::as_bytes) {
        return Ok(Written::Overtaken);
    }
    let done = match now {
        Some(_) => match new.persist(&target.path) {
            // Another program has it open and may be writing it: read it again before the next try.
            Err(error) if cfg!(windows) && error.error.kind() == io::ErrorKind::PermissionDenied => {
                clock::sleep(Duration::from_millis(50));
                return Ok(Written::Overtaken);
            }
            other => other.map(drop),
        },
        // Never over a file that appeared meanwhile.
        None => match new.persist_noclobber(&target.path) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(Written::Overtaken),
            other => other.map(drop),
        },
    };
    done.map_err(|error| cannot("write", &target.path, &error.error))?;
    file::sync_folder(&target.folder);
    if plan.backup {
        note(env, plan.path, &LastChange::new(plan.before, Some(plan.after), plan.undone_by));
    }
    Ok(Written::Yes)
}

/// Writes the backup: this text, without its secrets.
fn back_up(path: &Path, text: &str, target: &Destination) -> Result<()> {
    let (backup, prefix) = (backup_path(path), temporary_prefix(path));
    let folder = backup.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.canonicalize().is_ok_and(|folder| folder != target.folder) {
        sweep(folder, &prefix);
    }
    let content = backup::without_secrets(text);
    let copy = temporary(folder, &prefix, content.as_bytes(), target.meta.as_ref())?;
    set_mode(copy.as_file(), Some(0o600)).map_err(|error| cannot("write", &backup, &error))?;
    file::rename(copy, &backup).map_err(|error| cannot("write", &backup, &error))
}

fn temporary_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".daypass-");
    prefix
}

/// Removes the temporary files of a killed daypass. Under the lock no other process creates files with this prefix.
fn sweep(folder: &Path, prefix: &OsStr) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a temporary file, synced to the disk, with the mode and owner of the file that it will replace.
fn temporary(folder: &Path, prefix: &OsStr, content: &[u8], like: Option<&Metadata>) -> Result<tempfile::NamedTempFile> {
    let failed = |error: io::Error| {
        let what = if error.kind() == io::ErrorKind::StorageFull {
            "the disk is full; nothing was changed"
        } else {
            "nothing was changed"
        };
        let hint = format!("ls -ld \"{0}\"; df -h \"{0}\"", folder.display());
        Error::failed(format!("can't write in {}: {error}; {what}", folder.display()), hint)
    };
    let mut file = tempfile::Builder::new().prefix(prefix).tempfile_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    if let Some(like) = like {
        adopt(file.as_file(), like).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    Ok(file)
}

#[cfg(unix)]
fn adopt(file: &File, like: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    // After the owner, because a change of owner may clear mode bits.
    file.set_permissions(like.permissions())
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn adopt(_: &File, _: &Metadata) -> io::Result<()> {
    // A file in the same folder inherits the same permissions.
    Ok(())
}

/// Sets permission bits, if any are given.
#[cfg(unix)]
fn set_mode(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    mode.map_or(Ok(()), |mode| file.set_permissions(fs::Permissions::from_mode(mode)))
}

#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps)]
fn set_mode(_: &File, _: Option<u32>) -> io::Result<()> {
    Ok(())
}

/// The path of the backup: beside the link, not beside its target, which may be in a repository of dotfiles.
pub fn backup_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".daypass.bak");
    path.with_file_name(name)
}

/// Takes the lock of a file, which is the same for all links to it. It is in the folder of lock files, so nothing is left beside the
/// file. None if there is no such folder: [`write`] notices other changes too.
fn lock(env: &Env, target: &Path) -> Result<Option<Lock>> {
    let Some(folder) = Folders::new(env).usable() else { return Ok(None) };
    let path = folder.join(digest("config-", target) + ".lock");
    let lock = Lock::take(&path, Deadline::after(LOCK_TIMEOUT)).map_err(|error| cannot("lock", &path, &error))?;
    lock.map(Some).ok_or_else(|| {
        let what = format!("another daypass has been changing {} for {} seconds", target.display(), LOCK_TIMEOUT.as_secs());
        Error::again(what, "wait for it to end, then")
    })
}

/// A file name made from a path.
fn digest(prefix: &str, path: &Path) -> String {
    use std::fmt::Write;
    let digest = ring::digest::digest(&ring::digest::SHA256, path.as_os_str().as_encoded_bytes());
    let mut name = prefix.to_owned();
    for byte in digest.as_ref().iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn cannot(do_what: &str, path: &Path, error: &io::Error) -> Error {
    Error::failed(format!("can't {do_what} {}: {error}", path.display()), format!("ls -ld \"{}\"", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_file_that_changed_since_it_was_read_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        put(&path, "theirs");
        let plan = Plan { path: path.clone(), before: Some("old".to_owned()), after: "ours".to_owned() };
        assert!(write(&Env::default(), plan.replacement()).unwrap() == Written::Overtaken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }

    #[test]
    fn a_file_that_appeared_or_disappeared_since_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let gone = Plan { path: path.clone(), before: Some("old".to_owned()), after: "ours".to_owned() };
        assert!(write(&Env::default(), gone.replacement()).unwrap() == Written::Overtaken && !path.exists());
        put(&path, "theirs");
        let appeared = Plan { path: path.clone(), before: None, after: "ours".to_owned() };
        assert!(write(&Env::default(), appeared.replacement()).unwrap() == Written::Overtaken);
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }
}
