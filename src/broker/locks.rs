//! One lock a session for its token, one a role for its credentials, one a session for signing in: kernel file locks, which die with
//! their holder. The lock file names the holder, and keeps the role's last refusal for a few seconds.

use std::path::PathBuf;

use ring::digest;
use time::{Duration, OffsetDateTime};

use crate::clock::Deadline;
use crate::error::{Error, Exit, Result};
use crate::file::{self, Lock};
use crate::grant::Token;
use crate::profile::names::{AccountId, RoleName, Session};

/// How long a refusal is believed: some SDKs run a failing helper twice per attempt (reference: JavaScript's provider chain).
const REFUSAL_LIFE: Duration = Duration::seconds(5);

/// What is locked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// A person is signing in.
    SignIn,
    /// The portal token is being changed.
    Token,
    /// These role credentials are being fetched.
    Role(&'a AccountId, &'a RoleName),
}

/// The folder that the locks of all processes of this user live in.
#[derive(Debug, Clone)]
pub struct Locks {
    folder: Option<PathBuf>,
}

impl Locks {
    /// Locks in this folder; it is made when the first one is taken.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Takes a lock, waiting for its holder until the deadline.
    pub(super) fn take(&self, session: &Session, scope: Scope<'_>, deadline: Deadline) -> Result<Held> {
        let no_folder = |why: String| Error::failed(why, "set XDG_RUNTIME_DIR to a folder that you can write to");
        let folder = self.folder.as_ref().ok_or_else(|| no_folder("there is no folder for lock files".to_owned()))?;
        file::private_folder(folder).map_err(|error| no_folder(format!("{} can't be made: {error}", folder.display())))?;
        let path = folder.join(name(session, scope));
        let broken = |error| no_folder(format!("{} can't be locked: {error}", path.display()));
        let mut lock = Lock::take(&path, Deadline::after(std::time::Duration::ZERO)).map_err(broken)?;
        if lock.is_none() {
            tracing::info!(holder = holder(&path), ?scope, "waiting for another daypass");
            lock = Lock::take(&path, deadline).map_err(broken)?;
        }
        let Some(mut lock) = lock else {
            return Err(Error::new(
                Exit::Failed,
                format!("another daypass (process {}) has been at work on {} for too long", holder(&path), session.name),
                "try again; if it hangs, end that process",
            ));
        };
        let refusal = Refusal::parse(&lock.note());
        lock.leave_note(&format!("{}\n", std::process::id()));
        Ok(Held { lock, refusal })
    }
}

/// Who wrote its number into the lock file last. Read without the lock: for people only.
fn holder(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let number = text.lines().next().unwrap_or_default();
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) { number.to_owned() } else { "unknown".to_owned() }
}

/// A held lock.
#[derive(Debug)]
pub(super) struct Held {
    lock: Lock,
    refusal: Option<Refusal>,
}

impl Held {
    /// What the portal said a moment ago to the same question with the same token, if it said no.
    pub(super) fn refusal(&self, token: &Token, now: OffsetDateTime) -> Option<&str> {
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.token == fingerprint(token))?;
        let age = now - refusal.at;
        (Duration::ZERO..REFUSAL_LIFE).contains(&age).then_some(&refusal.why)
    }

    /// Remembers that the portal said no.
    pub(super) fn remember(&mut self, token: &Token, now: OffsetDateTime, why: &str) {
        let refusal = Refusal { at: now, token: fingerprint(token), why: why.replace(['\n', '\r'], " ") };
        self.lock.leave_note(&format!("{}\n{refusal}\n", std::process::id()));
    }
}

/// A refusal belongs to the token that met it: signing in brings another, and so clears it.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    at: OffsetDateTime,
    token: String,
    why: String,
}

impl Refusal {
    fn parse(note: &str) -> Option<Self> {
        let mut parts = note.lines().nth(1)?.splitn(3, ' ');
        let at = OffsetDateTime::from_unix_timestamp_nanos(parts.next()?.parse().ok()?).ok()?;
        Some(Self { at, token: parts.next()?.to_owned(), why: parts.next()?.to_owned() })
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.at.unix_timestamp_nanos(), self.token, self.why)
    }
}

fn fingerprint(token: &Token) -> String {
    hex(token.access.expose(), 8)
}

/// A file name that any file system takes, whatever the session is called: what it is, and a hash of what it is of.
fn name(session: &Session, scope: Scope<'_>) -> String {
    let of = |parts: &[&str]| hex(&parts.join("\n"), 16);
    let (portal, region) = (&session.start_url, &session.region);
    match scope {
        Scope::SignIn => format!("sign-in-{}.lock", of(&[&session.name, portal, region])),
        Scope::Token => format!("token-{}.lock", of(&[&session.name, portal, region])),
        Scope::Role(account, role) => {
            format!("role-{}.lock", of(&[&session.name, portal, region, account.as_str(), role.as_str()]))
        }
    }
}

fn hex(text: &str, bytes: usize) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(bytes).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_its_note_and_garbage_is_none() {
        let at = time::macros::datetime!(2026-01-01 00:00:00.123456789 UTC);
        let refusal = Refusal { at, token: "ab".into(), why: "No access at all".into() };
        assert_eq!(Refusal::parse(&format!("123\n{refusal}\n")), Some(refusal));
        for garbage in ["", "123\n", "123\nx y z\n", "123\n99999999999999999999999999999999999999 a b\n"] {
            assert_eq!(Refusal::parse(garbage), None, "{garbage}");
        }
    }
}
