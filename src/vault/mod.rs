//! Where secrets are kept between two runs: the portal's tokens in the operating system's keyring, role credentials where they are
//! read fastest. An edge: it knows grants, not the portal.
//!
//! A back-end is a [`Store`] of named slots; [`split`] puts values of any length into them, [`record`] gives grants their text. The
//! [`Vault`] knows which back-end holds what, and opens each when it is first needed. [`Fault`] says what the caller does next.

#[cfg(target_os = "linux")]
mod bus;
pub mod file;
pub mod key;
#[cfg(target_os = "linux")]
pub mod keyutils;
pub mod memory;
#[cfg(any(target_os = "macos", windows))]
pub mod native;
pub mod record;
#[cfg(target_os = "linux")]
pub mod secret_service;
pub mod split;

use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::clock;
use crate::env::Env;
use crate::error::{Error, Exit, Result};
use crate::grant::{Registration, RoleCredentials, Token};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::secret::Secret;
pub use key::{Key, Kind};
use record::Record;
pub use split::Entry;

/// How long one call of a back-end may take, whatever a daemon does.
pub const CALL_LIMIT: Duration = Duration::from_secs(2);

/// Bytes that are wiped when they are let go.
pub type Bytes = Zeroizing<Vec<u8>>;

/// Why a back-end could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such service here (no bus, no provider, a kernel without keyrings), for this reason: another back-end may serve.
    Absent(String),
    /// It is there and locked: a person has to unlock this.
    Locked(String),
    /// It is there and refuses, or answers nonsense.
    Broken(String),
    /// It is there and did not answer in time.
    TimedOut(String),
    /// It has no room for this value.
    Full(String),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let status = "run 'daypass status -v' to see which keyring is used; DAYPASS_KEYRING chooses another";
        let (what, hint) = match fault {
            Fault::Locked(what) => {
                (format!("{what} is locked"), "unlock it, or run 'daypass login' on the desktop to be asked".to_owned())
            }
            Fault::Absent(why) => (format!("no keyring: {why}"), format!("export DAYPASS_KEYRING={}", fallback())),
            Fault::Broken(why) => (format!("the keyring fails: {why}"), status.to_owned()),
            Fault::TimedOut(why) => (format!("the keyring hangs: {why}"), status.to_owned()),
            Fault::Full(why) => (format!("the keyring is full: {why}"), "daypass logout --all".to_owned()),
        };
        Error::new(Exit::Keyring, what, hint)
    }
}

/// What is there where the operating system's keyring is not.
fn fallback() -> &'static str {
    if LINUX { "keyutils" } else { "file" }
}

/// Where a value, or a part of it, is put.
#[derive(Debug, Clone)]
pub struct Slot<'k> {
    /// Lower-case hex digits, dots and digits: fit for a file, a kernel key, a target name.
    pub name: String,
    /// Whose value it is: for what people see, and for what it is worth.
    pub key: &'k Key,
}

/// One back-end: slots with a name and some bytes each.
///
/// Every call but [`Store::unlock`] ends within [`CALL_LIMIT`], whatever a daemon does, and never asks a person for anything. The
/// bytes are text unless there is a [`Store::limit`].
pub trait Store {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// The most bytes that a slot takes, if that is few.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Whether a reboot empties it.
    fn volatile(&self) -> bool {
        false
    }

    /// Whether what has expired goes by itself.
    fn forgets(&self) -> bool {
        false
    }

    /// Whether it is there; a locked one may be said to be or not.
    fn probe(&self) -> Outcome<()> {
        Ok(())
    }

    /// Unlocks it where it can be locked, by the system's own prompt if need be, waiting so long for the person.
    fn unlock(&self, _wait: Duration) -> Outcome<()> {
        Ok(())
    }

    /// What is in the slot.
    fn get(&self, slot: &Slot) -> Outcome<Option<Bytes>>;

    /// Puts it there, in place of what was. `expires` is when it may be thrown away, for those that can do that by themselves.
    fn put(&self, slot: &Slot, content: &[u8], expires: Option<OffsetDateTime>) -> Outcome<()>;

    /// Empties the slot. An empty one is no fault.
    fn delete(&self, slot: &Slot) -> Outcome<()>;

    /// What is in each of daypass's slots.
    fn list(&self) -> Outcome<Vec<Bytes>>;
}

/// What a back-end answers.
pub type Outcome<T> = std::result::Result<T, Fault>;

/// Where one kind of secret lives, for `daypass status -v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// "sign-in" or "role credentials".
    pub of: &'static str,
    /// The back-end's name.
    pub store: &'static str,
    /// Why this one.
    pub why: String,
}

/// All secrets of daypass.
pub struct Vault {
    /// For everything; with `quick` beside it, for what has to last.
    main: Box<dyn Store>,
    /// `auto` on Linux: the kernel's keyring. Role credentials go there first, and tokens where `main` is absent.
    quick: Option<Box<dyn Store>>,
    /// What chose them.
    chosen: String,
}

impl Vault {
    /// The vault that `DAYPASS_KEYRING` asks for. Opens nothing yet.
    ///
    /// # Errors
    /// A value that is none of those known, or that this system does not have.
    pub fn open(env: &Env) -> Result<Self> {
        let choice = env.keyring().unwrap_or("auto");
        let quick = if choice == "auto" { kernel() } else { None };
        let main: Box<dyn Store> = match choice {
            "auto" | "os" => os(env),
            #[cfg(target_os = "linux")]
            "keyutils" => Box::new(keyutils::Keyutils),
            "file" => Box::new(file::Files::new(env.data_folder())),
            "memory" => Box::new(memory::Memory::default()),
            other => {
                return Err(Error::usage(
                    format!(
                        "DAYPASS_KEYRING is \"{other}\"; this system has auto, os, {}file and memory",
                        if LINUX { "keyutils, " } else { "" }
                    ),
                    if cfg!(windows) { "set DAYPASS_KEYRING=auto" } else { "export DAYPASS_KEYRING=auto" },
                ));
            }
        };
        Ok(Self { main, quick, chosen: format!("DAYPASS_KEYRING={choice}") })
    }

    /// A vault on these back-ends: one for everything, and perhaps a quick one beside it, as `auto` has it on Linux.
    pub fn on(main: Box<dyn Store>, quick: Option<Box<dyn Store>>) -> Self {
        Self { main, quick, chosen: "chosen by the caller".to_owned() }
    }

    /// Role credentials, expired ones too. With none in the cache, a keyring that is locked or absent is no fault: the sign-in is read
    /// next, and its absence is what a person has to hear of.
    pub fn role(&self, session: &Session, account: &AccountId, role: &RoleName) -> Outcome<Option<RoleCredentials>> {
        let key = role_key(session, account, role);
        if let Some(Ok(Some(credentials))) = self.quick().map(|quick| read(quick, &key)) {
            return Ok(Some(credentials));
        }
        match read(self.main(), &key) {
            Err(Fault::Locked(_) | Fault::Absent(_)) => Ok(None),
            other => other,
        }
    }

    /// Keeps role credentials until they expire.
    pub fn keep_role(&self, session: &Session, account: &AccountId, role: &RoleName, credentials: &RoleCredentials) -> Outcome<()> {
        let key = role_key(session, account, role);
        let (text, expires) = (credentials.to_text()?, credentials.expires_at);
        if let Some(quick) = self.quick() {
            match put(quick, Some(self.main()), &key, &text, expires) {
                Err(Fault::Absent(_) | Fault::Full(_)) => {}
                other => return other,
            }
        }
        // Failing to clean up is no failure to keep.
        if !self.main().forgets() {
            let _ = live(self.main(), clock::now());
        }
        put(self.main(), None, &key, &text, expires)
    }

    /// The sign-in to a session.
    pub fn token(&self, session: &Session) -> Outcome<Option<Token>> {
        self.find(&Key::new(session, Kind::Token))
    }

    /// Keeps a sign-in, for as long as anything can be done with it.
    pub fn keep_token(&self, session: &Session, token: &Token) -> Outcome<()> {
        let refreshable_until = token.refresh.as_ref().map(|_| token.registration.expires_at);
        let expires = refreshable_until.map_or(token.expires_at, |until| until.max(token.expires_at));
        self.keep(&Key::new(session, Kind::Token), &token.to_text()?, expires)
    }

    /// Forgets a sign-in.
    pub fn forget_token(&self, session: &Session) -> Outcome<()> {
        self.forget(&Key::new(session, Kind::Token))
    }

    /// The client registration for the next sign-in to a session.
    pub fn registration(&self, session: &Session) -> Outcome<Option<Registration>> {
        self.find(&Key::new(session, Kind::Registration))
    }

    /// Keeps a client registration until the service forgets it.
    pub fn keep_registration(&self, session: &Session, registration: &Registration) -> Outcome<()> {
        self.keep(&Key::new(session, Kind::Registration), &registration.to_text()?, registration.expires_at)
    }

    /// The role credentials that are cached, of all sessions, with their expiry. What has expired is dropped.
    pub fn roles(&self, now: OffsetDateTime) -> Outcome<Vec<(Key, OffsetDateTime)>> {
        let mut roles: Vec<(Key, OffsetDateTime)> = Vec::new();
        for store in self.stores() {
            let entries = match live(store, now) {
                // What is in the other one can be shown.
                Err(Fault::Absent(_) | Fault::Locked(_)) if self.quick.is_some() => continue,
                other => other?,
            };
            for Entry { key, expires } in entries {
                let Some(expires) = expires else { continue };
                if key.role().is_some() && !roles.iter().any(|(known, _)| *known == key) {
                    roles.push((key, expires));
                }
            }
        }
        Ok(roles)
    }

    /// The sessions that there is a sign-in to, without their scopes.
    pub fn sessions(&self) -> Outcome<Vec<Session>> {
        let mut sessions = Vec::new();
        for store in self.stores() {
            let entries = match split::list(store) {
                Err(Fault::Absent(_)) => continue,
                other => other?,
            };
            for Key { kind, session, start_url, region } in entries.into_iter().map(|entry| entry.key) {
                let session = Session { name: session, start_url, region, scopes: Vec::new() };
                if kind == Kind::Token && !sessions.contains(&session) {
                    sessions.push(session);
                }
            }
        }
        Ok(sessions)
    }

    /// Forgets the credentials of one role.
    pub fn forget_role(&self, session: &Session, account: &AccountId, role: &RoleName) -> Outcome<()> {
        self.forget(&role_key(session, account, role))
    }

    /// Forgets all role credentials of a session.
    pub fn forget_roles(&self, session: &Session) -> Outcome<()> {
        self.everywhere(|store| {
            let entries = split::list(store)?;
            entries
                .iter()
                .filter(|entry| entry.key.role().is_some() && entry.key.is_of(session))
                .try_for_each(|entry| split::delete(store, &entry.key))
        })
    }

    /// Where each kind of secret lives at present, and why.
    pub fn homes(&self) -> [Home; 2] {
        let main = self.main().name();
        let (token, role) = ("sign-in", "role credentials");
        let Some(quick) = self.quick() else {
            return [token, role].map(|of| Home { of, store: main, why: self.chosen.clone() });
        };
        let lasting = match self.main().probe() {
            Err(Fault::Absent(why)) => Home { of: token, store: quick.name(), why: format!("{why}; gone at a reboot") },
            Err(fault) => Home { of: token, store: main, why: Error::from(fault).what },
            Ok(()) => Home { of: token, store: main, why: "the system's keyring".to_owned() },
        };
        let cached = match quick.probe() {
            Err(Fault::Absent(why)) => Home { of: role, store: main, why },
            _ => Home { of: role, store: quick.name(), why: "memory only, never on a disk".to_owned() },
        };
        [lasting, cached]
    }

    /// Whether the sign-in is kept where a reboot ends it.
    pub fn token_is_volatile(&self) -> bool {
        match self.quick() {
            Some(quick) if matches!(self.main().probe(), Err(Fault::Absent(_))) => quick.volatile(),
            _ => self.main().volatile(),
        }
    }

    /// For `login`, with a person there: lets the system ask for what unlocks its keyring, and waits so long for the answer.
    pub fn unlock(&self, wait: Duration) -> Outcome<()> {
        match self.main().unlock(wait) {
            Err(Fault::Absent(_)) if self.quick.is_some() => Ok(()),
            other => other,
        }
    }

    fn main(&self) -> &dyn Store {
        self.main.as_ref()
    }

    fn quick(&self) -> Option<&dyn Store> {
        self.quick.as_deref()
    }

    fn stores(&self) -> impl Iterator<Item = &dyn Store> {
        self.quick().into_iter().chain([self.main()])
    }

    fn find<R: Record>(&self, key: &Key) -> Outcome<Option<R>> {
        let found = read(self.main(), key);
        match (&found, self.quick()) {
            // From a time when there was no OS keyring, such as a sign-in over ssh.
            (Ok(None) | Err(Fault::Absent(_)), Some(quick)) => match read(quick, key) {
                Err(Fault::Absent(_)) => found,
                other => other,
            },
            _ => found,
        }
    }

    fn keep(&self, key: &Key, text: &Secret, expires: OffsetDateTime) -> Outcome<()> {
        let kept = put(self.main(), None, key, text, expires);
        match (&kept, self.quick()) {
            (Ok(()), Some(quick)) => {
                // An older one there must not come back one day. Where that can't be reached there is none.
                let _ = split::delete(quick, key);
                kept
            }
            (Err(Fault::Absent(_)), Some(quick)) => match put(quick, None, key, text, expires) {
                Err(Fault::Absent(_)) => kept,
                other => other,
            },
            _ => kept,
        }
    }

    fn forget(&self, key: &Key) -> Outcome<()> {
        self.everywhere(|store| split::delete(store, key))
    }

    /// Does it in each back-end, even if one fails. In an absent one there is nothing to be forgotten.
    fn everywhere(&self, act: impl Fn(&dyn Store) -> Outcome<()>) -> Outcome<()> {
        let results: Vec<_> = self.stores().map(act).collect();
        results.into_iter().filter(|result| !matches!(result, Err(Fault::Absent(_)))).collect()
    }
}

const LINUX: bool = cfg!(target_os = "linux");

/// The kernel's keyring, where there may be one.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps)]
fn kernel() -> Option<Box<dyn Store>> {
    Some(Box::new(keyutils::Keyutils))
}

#[cfg(not(target_os = "linux"))]
fn kernel() -> Option<Box<dyn Store>> {
    None
}

#[cfg(target_os = "linux")]
fn os(env: &Env) -> Box<dyn Store> {
    Box::new(secret_service::SecretService::new(env.session_bus(), env.session_bus_socket()))
}

#[cfg(any(target_os = "macos", windows))]
fn os(_env: &Env) -> Box<dyn Store> {
    Box::new(native::Native)
}

fn role_key(session: &Session, account: &AccountId, role: &RoleName) -> Key {
    Key::new(session, Kind::Role(account.clone(), role.clone()))
}

fn read<R: Record>(store: &dyn Store, key: &Key) -> Outcome<Option<R>> {
    Ok(split::get(store, key)?.as_ref().and_then(R::of_text))
}

/// What has not expired; the rest is deleted.
fn live(store: &dyn Store, now: OffsetDateTime) -> Outcome<Vec<Entry>> {
    let (dead, live): (Vec<_>, Vec<_>) =
        split::list(store)?.into_iter().partition(|entry| entry.expires.is_some_and(|expires| expires <= now));
    dead.iter().try_for_each(|entry| split::delete(store, &entry.key))?;
    Ok(live)
}

/// Keeps a value. In a full back-end it gets the room of what has expired, then that of the role credentials that expire first: they
/// move to `overflow`, or go where there is none or it does not take them. Tokens and registrations never give way.
fn put(store: &dyn Store, overflow: Option<&dyn Store>, key: &Key, text: &Secret, expires: OffsetDateTime) -> Outcome<()> {
    match split::put(store, key, text, Some(expires)) {
        Err(Fault::Full(_)) => {}
        other => return other,
    }
    let mut roles = live(store, clock::now())?;
    roles.retain(|entry| entry.key.role().is_some() && entry.key != *key);
    roles.sort_by_key(|entry| entry.expires);
    let mut roles = roles.into_iter();
    loop {
        match split::put(store, key, text, Some(expires)) {
            Err(fault @ Fault::Full(_)) => {
                let Some(oldest) = roles.next() else { return Err(fault) };
                if let Some(overflow) = overflow
                    && let Ok(Some(value)) = split::get(store, &oldest.key)
                {
                    let _ = split::put(overflow, &oldest.key, &value, oldest.expires);
                }
                split::delete(store, &oldest.key)?;
            }
            other => return other,
        }
    }
}
