//! Takes kernel file locks: per session one for signing in and one for its token, and one per role. The kernel releases them when
//! their process ends. A lock file names its holder and records the last failure for a few seconds. Touches the folder of lock files.

use std::path::PathBuf;

use ring::digest;
use time::{Duration, OffsetDateTime};

use crate::error::{Error, Result};
use crate::portal;
use crate::profile::names::Session;
use crate::secret::Secret;
use crate::sys::clock::Deadline;
use crate::sys::lock::{Folders, Lock};
use crate::sys::signal;
use crate::text::shell_quote;
use crate::vault;

/// How long a refusal is returned without a request: some SDKs run a failing helper twice per attempt (JavaScript's provider chain).
const REFUSAL_LIFE: Duration = Duration::seconds(5);

/// How long a failing portal is not called again while unexpired credentials remain: some SDKs ask at each use once these are stale.
const FAILURE_LIFE: Duration = Duration::seconds(30);

/// How long no browser is opened again after an automatic sign-in that nobody finished: tools retry on their own.
const UNANSWERED_LIFE: Duration = Duration::minutes(5);

/// What is shown for the holder of a lock file that does not name it.
const UNKNOWN: &str = "unknown";

/// What a lock protects.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Signing in to the session.
    SignIn,
    /// Changing the session's token.
    Token,
    /// Fetching these role credentials.
    Role(&'a vault::Kind),
}

/// The locks on one vault.
#[derive(Debug, Clone)]
pub struct Locks {
    folders: Folders,
    /// None if no other process can use the vault.
    vault: Option<String>,
}

impl Locks {
    /// Locks in the first usable one of these folders. `vault` tells two vaults of one user apart; without it nothing is locked.
    pub fn new(folders: Folders, vault: Option<String>) -> Self {
        Self { folders, vault }
    }

    /// Whether another process holds the lock now: to tell a person why nothing happens.
    pub(super) fn held(&self, session: &Session, scope: Scope<'_>) -> bool {
        let free = |path: PathBuf| Lock::take(&path, Deadline::after(std::time::Duration::ZERO));
        self.path(session, scope).filter(|path| path.exists()).is_some_and(|path| matches!(free(path), Ok(None)))
    }

    /// Takes a lock and waits for its holder until the deadline. Without a folder for lock files nothing is locked: one process at a
    /// time works there, rather than none.
    pub(super) fn take(&self, session: &Session, scope: Scope<'_>, deadline: Deadline) -> Result<Held> {
        signal::arm();
        let Some(path) = self.path(session, scope) else { return Ok(Held { lock: None, note: None }) };
        let broken = |error| {
            let hint = format!("ls -l {}", shell_quote(&path.to_string_lossy()));
            Error::failed(format!("{} can't be locked: {error}", path.display()), hint)
        };
        let mut lock = Lock::take(&path, Deadline::after(std::time::Duration::ZERO)).map_err(broken)?;
        if lock.is_none() {
            log::info!("waiting for another daypass (process {})", holder(&path).as_deref().unwrap_or(UNKNOWN));
            lock = Lock::take(&path, deadline).map_err(broken)?;
        }
        let Some(mut lock) = lock else {
            let holder = holder(&path);
            let process = holder.as_deref().unwrap_or(UNKNOWN);
            let what = format!("timed out waiting for another daypass (process {process}) to finish with {}", session.name);
            return Err(match &holder {
                Some(process) => Error::again(what, &format!("end process {process} if it hangs, then")),
                None => Error::again(what, "wait for it to end, then"),
            });
        };
        let note = lock.note().lines().nth(1).and_then(Note::parse);
        let mut held = Held { lock: Some(lock), note };
        held.write();
        Ok(held)
    }

    /// Deletes what is recorded about a session, for a sign-out. What another process holds is left alone.
    pub(super) fn clear(&self, session: &Session) {
        let Some((folder, vault)) = self.folders.usable().zip(self.vault.as_ref()) else { return };
        let of_session = hash_of(vault, session);
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().contains(&of_session)
                && let Ok(Some(mut lock)) = Lock::take(&entry.path(), Deadline::after(std::time::Duration::ZERO))
            {
                lock.leave_note("", false);
            }
        }
    }

    fn path(&self, session: &Session, scope: Scope<'_>) -> Option<PathBuf> {
        let vault = self.vault.as_ref()?;
        let folder = self.folders.usable();
        if folder.is_none() {
            log::warn!("there is no folder for lock files: use one process at a time, or set XDG_RUNTIME_DIR to a private folder");
        }
        Some(folder?.join(name(vault, session, scope)))
    }
}

/// The number of the last process that wrote into the lock file; None if there is none. Read without the lock: for people only.
fn holder(path: &std::path::Path) -> Option<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let number = text.lines().next().unwrap_or_default();
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then(|| number.to_owned())
}

/// A held lock.
#[derive(Debug)]
pub(super) struct Held {
    lock: Option<Lock>,
    note: Option<Note>,
}

impl Held {
    /// The refusal of the same request with the same token (the secret that it is made with), if it was a moment ago.
    pub(super) fn refusal(&self, token: &Secret, now: OffsetDateTime) -> Option<portal::Error> {
        let note = self
            .note
            .as_ref()
            .filter(|note| matches!(note.kind, Kind::Refused | Kind::SignIn) && note.token == fingerprint(token))?;
        note.younger_than(REFUSAL_LIFE, now)
    }

    /// The failure of the portal, if it was a moment ago.
    pub(super) fn failure(&self, now: OffsetDateTime) -> Option<portal::Error> {
        self.note.as_ref().filter(|note| note.kind == Kind::Failed)?.younger_than(FAILURE_LIFE, now)
    }

    /// Whether an automatic sign-in was started a short while ago and nobody finished it.
    pub(super) fn unanswered(&self, now: OffsetDateTime) -> bool {
        let started = self.note.as_ref().filter(|note| note.kind == Kind::Unanswered);
        started.is_some_and(|started| started.younger_than(UNANSWERED_LIFE, now).is_some())
    }

    /// Records that an automatic sign-in starts. This happens before it starts, because its process may be killed.
    pub(super) fn start_unasked(&mut self, now: OffsetDateTime) {
        self.record(Note { kind: Kind::Unanswered, at: now, token: "-".to_owned() });
    }

    /// Deletes what is recorded: the work was done.
    pub(super) fn clear(&mut self) {
        self.note = None;
        self.write();
    }

    /// Records that the service refused this token or failed. The text of its answer is not stored.
    pub(super) fn remember(&mut self, token: Option<&Secret>, now: OffsetDateTime, error: &portal::Error) {
        let kind = match (error, token) {
            (portal::Error::Forbidden(_), Some(_)) => Kind::Refused,
            (portal::Error::Unauthorized(_), Some(_)) => Kind::SignIn,
            (portal::Error::Unavailable(..) | portal::Error::Unreachable(..) | portal::Error::UnexpectedResponse(_), _) => {
                Kind::Failed
            }
            _ => return,
        };
        self.record(Note { kind, at: now, token: token.map_or("-".to_owned(), fingerprint) });
    }

    fn record(&mut self, note: Note) {
        self.note = Some(note);
        self.write();
    }

    fn write(&mut self) {
        let note = self.note.as_ref().map(Note::to_string).unwrap_or_default();
        if let Some(lock) = &mut self.lock {
            lock.leave_note(&format!("{}\n{note}\n", std::process::id()), self.note.is_some());
        }
    }
}

/// A recorded failure. A refusal belongs to the token that was used; signing in changes the token and so clears it.
#[derive(Debug, PartialEq, Eq)]
struct Note {
    kind: Kind,
    at: OffsetDateTime,
    token: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refused,
    SignIn,
    Failed,
    Unanswered,
}

impl Kind {
    const WORDS: [(Self, &'static str); 4] =
        [(Self::Refused, "refused"), (Self::SignIn, "sign-in"), (Self::Failed, "failed"), (Self::Unanswered, "unanswered")];
}

impl Note {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let word = parts.next()?;
        let (kind, _) = Kind::WORDS.into_iter().find(|(_, known)| *known == word)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(parts.next()?.parse().ok()?).ok()?;
        Some(Self { kind, at, token: parts.next()?.to_owned() })
    }

    /// The error, if it is younger than `life`. A time in the future (the clock was set back) does not count.
    fn younger_than(&self, life: Duration, now: OffsetDateTime) -> Option<portal::Error> {
        let error = match self.kind {
            Kind::Refused => portal::Error::Forbidden("it was refused a moment ago".to_owned()),
            Kind::SignIn | Kind::Unanswered => portal::Error::Unauthorized("the sign-in was refused a moment ago".to_owned()),
            Kind::Failed => portal::Error::Unavailable(None, "it failed a moment ago".to_owned()),
        };
        (Duration::ZERO..life).contains(&(now - self.at)).then_some(error)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = Kind::WORDS.into_iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, word)| word);
        write!(f, "{word} {} {}", self.at.unix_timestamp_nanos(), self.token)
    }
}

/// Parses a note and writes it again, for `fuzz/`; None if it is no note.
#[cfg(fuzzing)]
pub fn note_round_trip(line: &str) -> Option<String> {
    Note::parse(line).map(|note| note.to_string())
}

fn fingerprint(token: &Secret) -> String {
    hex(token.expose(), 8)
}

/// A file name that every file system accepts, whatever the session is called: the kind, and hashes of what the lock protects, which is
/// a session's values in one vault.
fn name(vault: &str, session: &Session, scope: Scope<'_>) -> String {
    let of_session = hash_of(vault, session);
    match scope {
        Scope::SignIn => format!("sign-in-{of_session}.lock"),
        Scope::Token => format!("token-{of_session}.lock"),
        Scope::Role(kind) => {
            let mut parts = Vec::new();
            if let vault::Kind::Role(account, role) | vault::Kind::Assumed(account, role, _) = kind {
                parts.extend([account.as_str(), role.as_str()]);
            }
            if let vault::Kind::Assumed(.., assumed) = kind {
                parts.extend([&*assumed.arn, &*assumed.digest]);
            }
            format!("role-{of_session}-{}.lock", hex(&parts.join("\n"), 8))
        }
    }
}

fn hash_of(vault: &str, session: &Session) -> String {
    hex(&[vault, &session.name, &session.start_url, &session.region].join("\n"), 16)
}

fn hex(text: &str, bytes: usize) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(bytes).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::names::{AccountId, RoleName};

    #[test]
    fn a_note_round_trips_and_garbage_is_no_note() {
        let at = time::macros::datetime!(2026-01-01 00:00:00.123456789 UTC);
        for (kind, _) in Kind::WORDS {
            let note = Note { kind, at, token: "ab".into() };
            assert_eq!(Note::parse(&note.to_string()), Some(note));
        }
        for garbage in ["", "x y z", "refused", "refused x y", "failed 99999999999999999999999999999999999999 a"] {
            assert_eq!(Note::parse(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn whatever_is_protected_has_a_lock_of_its_own() {
        let corp = Session { name: "corp".into(), start_url: "https://a/start".into(), region: "r".into(), scopes: Vec::new() };
        let sessions = [
            corp.clone(),
            Session { name: "other".into(), ..corp.clone() },
            Session { start_url: "https://b/start".into(), ..corp.clone() },
            Session { region: "s".into(), ..corp },
        ];
        let account = |id| AccountId::new(id).unwrap();
        let role = |name| RoleName::new(name).unwrap();
        let assumed = |digest: &str| vault::Assumed { arn: "arn:x".into(), digest: digest.into() };
        let kinds = [
            vault::Kind::Role(account("111122223333"), role("a")),
            vault::Kind::Role(account("222233334444"), role("a")),
            vault::Kind::Role(account("111122223333"), role("b")),
            vault::Kind::Assumed(account("111122223333"), role("a"), assumed("1")),
            vault::Kind::Assumed(account("111122223333"), role("a"), assumed("2")),
        ];
        let scopes = || [Scope::SignIn, Scope::Token].into_iter().chain(kinds.iter().map(Scope::Role));
        let names: std::collections::HashSet<_> = ["system", "/home/jane"]
            .iter()
            .flat_map(|vault| sessions.iter().map(move |session| (vault, session)))
            .flat_map(|(vault, session)| scopes().map(move |scope| name(vault, session, scope)))
            .collect();
        assert_eq!(names.len(), 2 * sessions.len() * (2 + kinds.len()));
    }

    #[test]
    fn a_refusal_counts_for_five_seconds_and_not_from_the_future() {
        let at = time::macros::datetime!(2026-01-01 00:00 UTC);
        let note = Note { kind: Kind::Refused, at, token: "ab".into() };
        assert_eq!(note.younger_than(REFUSAL_LIFE, at), Some(portal::Error::Forbidden("it was refused a moment ago".into())));
        assert_eq!(note.younger_than(REFUSAL_LIFE, at + REFUSAL_LIFE), None);
        assert_eq!(note.younger_than(REFUSAL_LIFE, at - Duration::SECOND), None);
    }
}
