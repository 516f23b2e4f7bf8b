//! Finds and reads the files to search. Opens only regular files and folders, for reading: no pipes, sockets, devices or placeholders of
//! cloud storage, and nothing behind a link that leaves the searched folder or on another device.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::find::{self, Hit};
use super::places::{self, Kind, Place};
use super::table::{Table, glob};
use crate::secret::Buffer;
use crate::sys::clock::Deadline;
use crate::sys::{file, folder};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 100 << 20;
/// The number of bytes by which text is told from other files.
const HEAD: usize = 16_384;
/// The most threads: more do not read faster.
const THREADS: usize = 8;
/// How often progress is reported.
const PROGRESS: Duration = Duration::from_millis(100);

/// Keys in one file.
#[derive(Debug)]
pub struct FileHits {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub place: &'static Place,
    /// The keys.
    pub hits: Vec<Hit>,
    /// The permissions, on Unix.
    pub mode: Option<u32>,
    /// When it was changed last.
    pub modified: Option<std::time::SystemTime>,
    /// Device and inode, on Unix: two names of one file are one place.
    identity: Option<(u64, u64)>,
}

/// A file or folder that was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotRead {
    /// The file or folder.
    pub path: PathBuf,
    /// Why, as a clause.
    pub why: String,
    /// Whether a key may therefore be missing from the result; otherwise it is outside of what is searched.
    pub is_gap: bool,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct Found {
    /// The files with keys, sorted.
    pub files: Vec<FileHits>,
    /// What was not read, sorted.
    pub not_read: Vec<NotRead>,
    /// The number of files that were searched.
    pub count: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl Found {
    /// Adds another result.
    pub fn add(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.not_read.append(&mut other.not_read);
        self.count += other.count;
        self.bytes += other.bytes;
    }

    /// Sorts the result, and removes other names of the same files: earlier files count.
    pub fn finish(&mut self) {
        let mut seen = HashSet::new();
        self.files.retain(|file| file.identity.is_none_or(|identity| seen.insert(identity)));
        self.files.sort_by(|one, other| one.path.cmp(&other.path));
        self.not_read.sort();
        self.not_read.dedup();
    }

    /// Names paths below a folder by another name of it.
    pub(super) fn show_as(&mut self, real: &Path, name: &Path) {
        let files = self.files.iter_mut().map(|file| &mut file.path);
        for path in files.chain(self.not_read.iter_mut().map(|not_read| &mut not_read.path)) {
            if let Ok(rest) = path.strip_prefix(real) {
                *path = if rest.as_os_str().is_empty() { name.to_owned() } else { name.join(rest) };
            }
        }
    }

    fn skip(&mut self, path: &Path, why: impl Into<String>, is_gap: bool) {
        self.not_read.push(NotRead { path: path.to_owned(), why: why.into(), is_gap });
    }
}

/// The folder within which files are read.
#[derive(Debug, Clone)]
pub struct Root {
    real: PathBuf,
    device: u64,
}

impl Root {
    /// # Errors
    /// The folder does not exist or can't be read.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let real = fs::canonicalize(folder)?;
        let device = device(&fs::symlink_metadata(&real)?);
        Ok(Self { real, device })
    }

    /// Its path without links.
    pub fn path(&self) -> &Path {
        &self.real
    }
}

impl FileHits {
    /// A key in an environment variable.
    pub(super) fn of_variable(name: &str, hit: Hit) -> Self {
        let place = &places::ENVIRONMENT;
        Self { path: name.into(), place, hits: vec![hit], mode: None, modified: None, identity: None }
    }
}

/// Reads files one after the other, into one buffer.
#[derive(Default)]
pub struct Reader {
    buffer: Buffer,
    /// What was found.
    pub found: Found,
}

impl Reader {
    /// Searches a file of a known place. Its path may contain links that stay within `root`; `None` is anywhere.
    pub fn known(&mut self, path: &Path, place: &'static Place, root: Option<&Root>) {
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if is_missing(&error) => return,
            Err(error) => return self.refused(path, &error, root.is_some()),
        };
        let Some(root) = root else {
            let real = if meta.is_symlink() { fs::canonicalize(path).ok() } else { Some(path.to_owned()) };
            if let Some(real) = real {
                self.file(path, &real, place, None);
            }
            return;
        };
        match fs::canonicalize(path) {
            Ok(real) if real.starts_with(&root.real) => self.file(path, &real, place, Some(root.device)),
            Ok(_) => self.found.skip(path, "a link that leaves your home folder", true),
            Err(error) if is_missing(&error) => {}
            Err(error) => self.refused(path, &error, true),
        }
    }

    /// Searches a regular file, `real` without links. Anything else is not opened.
    fn file(&mut self, path: &Path, real: &Path, place: &'static Place, root_device: Option<u64>) {
        let meta = match fs::symlink_metadata(real) {
            Ok(meta) => meta,
            Err(error) if is_missing(&error) => return,
            Err(error) => return self.refused(path, &error, true),
        };
        if meta.is_dir() {
            return;
        }
        if let Some(why) = special(meta.file_type()) {
            let is_gap = matches!(place.kind, Kind::Credentials | Kind::Config);
            return self.found.skip(path, why, is_gap);
        }
        if is_placeholder(&meta) {
            return self.found.skip(path, "a placeholder of cloud storage", false);
        }
        if root_device.is_some_and(|root| device(&meta) != root) {
            return self.found.skip(path, "on another device", true);
        }
        self.read(file::open_without_links(real), || path.to_owned(), place, false);
    }

    /// Reads and searches a file that was opened. `any`: it may be other than text.
    fn read(&mut self, opened: io::Result<Option<(File, Metadata)>>, path: impl Fn() -> PathBuf, place: &'static Place, any: bool) {
        let (mut file, meta) = match opened {
            Ok(Some(opened)) => opened,
            Ok(None) => return,
            Err(error) if is_missing(&error) => return,
            Err(error) => return self.refused(&path(), &error, true),
        };
        let length = meta.len();
        if length > LARGEST {
            return self.found.skip(&path(), format!("larger than {} MiB", LARGEST >> 20), !any);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let size = match self.fill(&mut file, length, any) {
            Ok(Some(size)) => size,
            Ok(None) => return,
            Err(error) => return self.refused(&path(), &error, true),
        };
        self.found.count += 1;
        self.found.bytes += size as u64;
        let bytes = self.buffer.get(..size).unwrap_or_default();
        let hits = match find::decode(bytes) {
            Some(text) => find::find(&text, place.format),
            None => find::find(bytes, place.format),
        };
        if !hits.is_empty() {
            self.found.files.push(FileHits {
                path: path(),
                place,
                hits,
                mode: mode(&meta),
                modified: meta.modified().ok(),
                identity: identity(&meta),
            });
        }
    }

    /// Reads a file into the buffer, and returns how much. None if it is not text, if that is asked.
    fn fill(&mut self, file: &mut File, length: usize, any: bool) -> io::Result<Option<usize>> {
        let mut read = 0;
        // One byte more than expected: a short read is then the end.
        let mut goal = if any { HEAD.min(length + 1) } else { length + 1 };
        loop {
            if self.buffer.len() < goal {
                // A new buffer, because a grown one would leave a copy in memory.
                let mut larger = Buffer::new(goal.next_power_of_two().max(HEAD));
                if let (Some(to), Some(from)) = (larger.get_mut(..read), self.buffer.get(..read)) {
                    to.copy_from_slice(from);
                }
                self.buffer = larger;
            }
            let free = self.buffer.get_mut(read..goal).unwrap_or_default();
            let wanted = free.len();
            let more = match file.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            read += more;
            if any && read == more && !is_text(self.buffer.get(..read).unwrap_or_default()) {
                return Ok(None);
            }
            if more < wanted || read as u64 > LARGEST {
                return Ok(Some(read));
            }
            goal = (length + 1).max(read * 2);
        }
    }

    fn refused(&mut self, path: &Path, error: &io::Error, is_gap: bool) {
        let why = match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        self.found.skip(path, why, is_gap);
    }
}

/// What a walk searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Files of the table's names, in folders that projects may be in.
    Projects,
    /// All text.
    All,
}

/// A walk through folders, by several threads.
pub struct Walk<'w> {
    /// How much is searched.
    pub depth: Depth,
    /// The home folder, without links.
    pub home: &'w Path,
    /// When to stop.
    pub deadline: Option<Deadline>,
    /// The places.
    pub table: &'w Table,
    /// Files that were searched already.
    pub done: &'w HashSet<PathBuf>,
}

/// The folders that no thread has taken yet.
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    threads: usize,
    /// The number of threads without work, and of files that were searched.
    idle: AtomicUsize,
    count: AtomicU64,
}

struct State {
    folders: Vec<PathBuf>,
    idle: usize,
    late: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next folder. None once all threads are without work.
    fn take(&self) -> Option<PathBuf> {
        let mut state = self.lock();
        if let Some(folder) = state.folders.pop() {
            return Some(folder);
        }
        state.idle += 1;
        loop {
            self.idle.store(state.idle, Ordering::Relaxed);
            if state.idle == self.threads {
                self.wake.notify_all();
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            if let Some(folder) = state.folders.pop() {
                state.idle -= 1;
                self.idle.store(state.idle, Ordering::Relaxed);
                return Some(folder);
            }
        }
    }

    /// Gives half of the folders to threads without work.
    fn share(&self, folders: &mut Vec<PathBuf>) {
        if folders.len() > 1 && self.idle.load(Ordering::Relaxed) > 0 {
            // The first ones are nearest to the root, and contain most.
            self.lock().folders.extend(folders.drain(..folders.len() / 2));
            self.wake.notify_all();
        }
    }
}

impl Walk<'_> {
    /// Searches a folder and those below it. `progress` gets the number of files that were searched so far.
    pub fn run(&self, root: &Root, progress: &mut dyn FnMut(u64)) -> Found {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let state = State { folders: vec![root.real.clone()], idle: 0, late: false };
        let (idle, count) = (AtomicUsize::new(0), AtomicU64::new(0));
        let queue = Queue { state: Mutex::new(state), wake: Condvar::new(), threads, idle, count };
        let mut found = Found::default();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.work(root, &queue))).collect();
            let mut state = queue.lock();
            while state.idle < threads {
                state = queue.wake.wait_timeout(state, PROGRESS).unwrap_or_else(PoisonError::into_inner).0;
                progress(queue.count.load(Ordering::Relaxed));
            }
            drop(state);
            for worker in workers {
                found.add(worker.join().unwrap_or_default());
            }
        });
        if queue.lock().late {
            found.skip(&root.real, "the time limit was reached before all folders were searched", true);
        }
        // Threads take turns at random.
        found.files.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }

    fn work(&self, root: &Root, queue: &Queue) -> Found {
        let mut reader = Reader::default();
        let mut folders = Vec::new();
        while let Some(folder) = folders.pop().or_else(|| queue.take()) {
            if self.deadline.is_some_and(Deadline::passed) {
                folders.clear();
                let mut state = queue.lock();
                state.folders.clear();
                state.late = true;
                continue;
            }
            let before = reader.found.count;
            self.folder(&folder, root, &mut reader, &mut folders);
            queue.count.fetch_add(reader.found.count - before, Ordering::Relaxed);
            queue.share(&mut folders);
        }
        reader.found
    }

    fn folder(&self, folder: &Path, root: &Root, reader: &mut Reader, below: &mut Vec<PathBuf>) {
        let meta = match fs::symlink_metadata(folder) {
            Ok(meta) if meta.is_dir() => meta,
            Err(error) if !is_missing(&error) => return reader.refused(folder, &error, true),
            _ => return,
        };
        if is_placeholder(&meta) {
            return reader.found.skip(folder, "a placeholder of cloud storage", false);
        }
        if device(&meta) != root.device {
            return reader.found.skip(folder, "on another device", false);
        }
        let is_home = folder == self.home;
        let first = below.len();
        // In a folder with one of these marks are only caches, or what Python installs.
        let mut is_cache = false;
        let mut files = Vec::new();
        let listed = folder::list(folder, |entry| {
            let name = entry.name;
            if entry.kind == folder::Kind::Folder {
                if self.enters(folder, name, is_home) {
                    below.push(folder.join(name));
                } else if self.depth == Depth::Projects && name == ".git" {
                    // The only file of this folder that is searched.
                    let git = folder.join(name);
                    files.extend(self.table.place(&git, OsStr::new("config")).map(|place| (git.join("config"), place, false)));
                }
                return;
            }
            is_cache |= self.depth == Depth::Projects && !is_home && (name == "CACHEDIR.TAG" || name == "pyvenv.cfg");
            if let Some(place) = self.table.place(folder, name) {
                files.push((folder.join(name), place, entry.kind == folder::Kind::File));
            } else if self.depth == Depth::All && entry.kind == folder::Kind::File && !self.table.is_closed(folder, name) {
                let path = || folder.join(name);
                if CHECKS_FILES && fs::symlink_metadata(path()).is_ok_and(|meta| is_placeholder(&meta)) {
                    reader.found.skip(&path(), "a placeholder of cloud storage", false);
                } else {
                    reader.read(entry.open(), path, &places::ANY_FILE, true);
                }
            }
        });
        if let Err(error) = listed
            && !is_missing(&error)
        {
            reader.refused(folder, &error, true);
        }
        if is_cache {
            below.truncate(first);
            return;
        }
        for (path, place, is_file) in files {
            match is_file {
                _ if self.done.contains(&path) => {}
                true => reader.file(&path, &path, place, Some(root.device)),
                // A link may lead to a file.
                false => reader.known(&path, place, Some(root)),
            }
        }
    }

    /// Whether a folder is searched.
    fn enters(&self, folder: &Path, name: &OsStr, is_home: bool) -> bool {
        let is_in = |list: &[&str]| list.iter().any(|known| name == *known);
        if self.table.is_closed(folder, name) {
            return false;
        }
        if self.depth == Depth::All {
            return true;
        }
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if is_home {
            return if hidden { is_in(places::HIDDEN_AT_HOME) } else { !is_in(places::PRUNED_AT_HOME) };
        }
        // Modules and providers of Terraform are fetched.
        let fetched = folder.file_name().is_some_and(|parent| parent == ".terraform");
        let is_fetched = fetched || is_in(places::PRUNED) || name == "pkg" && folder.ends_with("go");
        !is_fetched && (!hidden || is_in(places::HIDDEN))
    }
}

/// Searches a file that the user named. Its own path may be a link.
pub fn named_file(path: &Path, table: &Table, reader: &mut Reader) {
    let real = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) => return reader.refused(path, &error, true),
    };
    let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else { return };
    let place = table.place(folder, name);
    if table.is_below_closed(&real) {
        return reader.found.skip(path, "a private key, or a store of another program", true);
    }
    let meta = match fs::symlink_metadata(&real) {
        Ok(meta) => meta,
        Err(error) => return reader.refused(path, &error, true),
    };
    match (special(meta.file_type()), place) {
        (Some(why), _) => reader.found.skip(path, why, true),
        (None, _) if is_placeholder(&meta) => reader.found.skip(path, "a placeholder of cloud storage", true),
        (None, Some(place)) => reader.read(file::open_without_links(&real), || path.to_owned(), place, false),
        (None, None) => reader.read(file::open_without_links(&real), || path.to_owned(), &places::ANY_FILE, true),
    }
}

/// The paths that a pattern of the table matches: of a folder, or absolute ones. Only patterns with `*` are looked up.
pub fn expand(base: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut paths = vec![base.to_owned()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains('*') {
            for path in &mut paths {
                path.push(part);
            }
            continue;
        }
        let names = |folder: PathBuf| {
            let entries = fs::read_dir(&folder).ok();
            let names = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
            names.filter(|name| glob(part.as_bytes(), name.as_encoded_bytes())).map(|name| folder.join(name)).collect::<Vec<_>>()
        };
        paths = paths.into_iter().flat_map(names).collect();
    }
    paths.sort();
    paths
}

/// Whether each file is looked at before it is opened: on these systems it may be a placeholder of cloud storage, which reading fetches.
const CHECKS_FILES: bool = cfg!(any(windows, target_os = "macos"));

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether the start of a file is text: it has no NUL, or is UTF-16.
fn is_text(head: &[u8]) -> bool {
    memchr::memchr(0, head).is_none() || find::decode(head.get(..64.min(head.len())).unwrap_or_default()).is_some()
}

/// What it is, if it is neither a file nor a folder nor a link.
#[cfg(unix)]
fn special(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        (kind.is_block_device() || kind.is_char_device()).then_some("a device")
    }
}

#[cfg(not(unix))]
fn special(kind: FileType) -> Option<&'static str> {
    (!kind.is_file() && !kind.is_dir() && !kind.is_symlink()).then_some("not a regular file")
}

#[cfg(unix)]
fn device(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(meta)
}

/// Windows mounts are reparse points, as links are, which are not followed.
#[cfg(not(unix))]
fn device(_: &Metadata) -> u64 {
    0
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)] // Other systems have none.
fn identity(meta: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps)]
fn mode(meta: &Metadata) -> Option<u32> {
    Some(std::os::unix::fs::MetadataExt::mode(meta) & 0o7777)
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Whether reading would fetch the content from elsewhere.
#[cfg(target_os = "macos")]
fn is_placeholder(meta: &Metadata) -> bool {
    /// `SF_DATALESS` of `sys/stat.h`.
    const DATALESS: u32 = 0x4000_0000;
    std::os::macos::fs::MetadataExt::st_flags(meta) & DATALESS != 0
}

#[cfg(windows)]
fn is_placeholder(meta: &Metadata) -> bool {
    /// `FILE_ATTRIBUTE_OFFLINE`, `FILE_ATTRIBUTE_RECALL_ON_OPEN`, `FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS`.
    const RECALLED: u32 = 0x1000 | 0x4_0000 | 0x40_0000;
    std::os::windows::fs::MetadataExt::file_attributes(meta) & RECALLED != 0
}

#[cfg(not(any(windows, target_os = "macos")))]
fn is_placeholder(_: &Metadata) -> bool {
    false
}
