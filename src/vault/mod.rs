//! Where secrets are kept between two runs: the portal's tokens in the operating system's keyring, role credentials where they are
//! read fastest. An edge: it knows grants, not the portal.
//!
//! A back-end is a [`Backend`] of named slots; [`split`] puts values of any length into them, [`record`] gives grants their text. The
//! [`Vault`] knows which back-end holds what, and opens each when it is first needed. [`Error`] says what the caller does next.

#[cfg(target_os = "linux")]
mod bus;
pub mod error;
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
pub mod store;

use std::time::Duration;

use time::OffsetDateTime;

use crate::credentials::{Registration, RoleCredentials, Token};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::secret::Secret;
use crate::sys::clock;
use crate::sys::env::Env;
pub use error::{Error, Result};
pub use key::{Key, Kind};
use record::Record;
pub use split::Entry;
pub use store::{Backend, Bytes, CALL_LIMIT, Item};

/// Where one kind of secret lives, for `daypass status -v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// "sign-in" or "role credentials".
    pub of: &'static str,
    /// The back-end's name.
    pub store: &'static str,
    /// Why this one.
    pub why: String,
}

/// All secrets of daypass.
pub struct Vault {
    /// For everything; with `cache` beside it, for what has to last.
    durable: Box<dyn Backend>,
    /// `auto` on Linux: the kernel's keyring. Role credentials go there first, and tokens where `durable` is absent.
    cache: Option<Box<dyn Backend>>,
    /// What chose them.
    chosen: String,
}

impl Vault {
    /// The vault that `DAYPASS_KEYRING` asks for. Opens nothing yet.
    ///
    /// # Errors
    /// A value that is none of those known, or that this system does not have.
    pub fn open(env: &Env) -> crate::error::Result<Self> {
        let choice = env.keyring().unwrap_or("auto");
        let cache = if choice == "auto" { kernel() } else { None };
        let durable: Box<dyn Backend> = match choice {
            "auto" | "os" => os(env),
            #[cfg(target_os = "linux")]
            "keyutils" => Box::new(keyutils::Keyutils),
            "file" => Box::new(file::Files::new(env.data_folder())),
            "memory" => Box::new(memory::Memory::default()),
            other => {
                return Err(crate::error::Error::usage(
                    format!(
                        "DAYPASS_KEYRING is \"{other}\"; this system has auto, os, {}file and memory",
                        if LINUX { "keyutils, " } else { "" }
                    ),
                    if cfg!(windows) { "set DAYPASS_KEYRING=auto" } else { "export DAYPASS_KEYRING=auto" },
                ));
            }
        };
        Ok(Self { durable, cache, chosen: format!("DAYPASS_KEYRING={choice}") })
    }

    /// A vault on these back-ends: one for everything, and perhaps a cache one beside it, as `auto` has it on Linux.
    pub fn on(durable: Box<dyn Backend>, cache: Option<Box<dyn Backend>>) -> Self {
        Self { durable, cache, chosen: "chosen by the caller".to_owned() }
    }

    /// Role credentials, expired ones too. With none in the cache, a keyring that is locked or absent is no fault: the sign-in is read
    /// next, and its absence is what a person has to hear of.
    pub fn role(&self, session: &Session, account: &AccountId, role: &RoleName) -> Result<Option<RoleCredentials>> {
        let key = role_key(session, account, role);
        if let Some(Ok(Some(credentials))) = self.cache().map(|cache| read(cache, &key)) {
            return Ok(Some(credentials));
        }
        match read(self.durable(), &key) {
            Err(Error::Locked(_) | Error::Missing(_)) => Ok(None),
            other => other,
        }
    }

    /// Keeps role credentials until they expire.
    pub fn store_role(&self, session: &Session, account: &AccountId, role: &RoleName, credentials: &RoleCredentials) -> Result<()> {
        let key = role_key(session, account, role);
        let (text, expires) = (credentials.to_text()?, credentials.expires_at);
        if let Some(cache) = self.cache() {
            match put(cache, Some(self.durable()), &key, &text, expires) {
                Err(Error::Missing(_) | Error::Full(_)) => {}
                other => return other,
            }
        }
        // Failing to clean up is no failure to keep.
        if !self.durable().forgets() {
            let _ = live(self.durable(), clock::now());
        }
        put(self.durable(), None, &key, &text, expires)
    }

    /// The sign-in to a session.
    pub fn token(&self, session: &Session) -> Result<Option<Token>> {
        self.find(&Key::new(session, Kind::Token))
    }

    /// Keeps a sign-in, for as long as anything can be done with it.
    pub fn store_token(&self, session: &Session, token: &Token) -> Result<()> {
        let refreshable_until = token.refresh.as_ref().map(|_| token.registration.expires_at);
        let expires = refreshable_until.map_or(token.expires_at, |until| until.max(token.expires_at));
        self.keep(&Key::new(session, Kind::Token), &token.to_text()?, expires)
    }

    /// Forgets a sign-in.
    pub fn delete_token(&self, session: &Session) -> Result<()> {
        self.forget(&Key::new(session, Kind::Token))
    }

    /// The client registration for the next sign-in to a session.
    pub fn registration(&self, session: &Session) -> Result<Option<Registration>> {
        self.find(&Key::new(session, Kind::Registration))
    }

    /// Keeps a client registration until the service forgets it.
    pub fn store_registration(&self, session: &Session, registration: &Registration) -> Result<()> {
        self.keep(&Key::new(session, Kind::Registration), &registration.to_text()?, registration.expires_at)
    }

    /// The role credentials that are cached, of all sessions, with their expiry. What has expired is dropped.
    pub fn roles(&self, now: OffsetDateTime) -> Result<Vec<(Key, OffsetDateTime)>> {
        let mut roles: Vec<(Key, OffsetDateTime)> = Vec::new();
        for store in self.stores() {
            let entries = match live(store, now) {
                // What is in the other one can be shown.
                Err(Error::Missing(_) | Error::Locked(_)) if self.cache.is_some() => continue,
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
    pub fn sessions(&self) -> Result<Vec<Session>> {
        let mut sessions = Vec::new();
        for store in self.stores() {
            let entries = match split::list(store) {
                Err(Error::Missing(_)) => continue,
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
    pub fn delete_role(&self, session: &Session, account: &AccountId, role: &RoleName) -> Result<()> {
        self.forget(&role_key(session, account, role))
    }

    /// Forgets all role credentials of a session.
    pub fn delete_roles(&self, session: &Session) -> Result<()> {
        self.everywhere(|store| {
            let entries = split::list(store)?;
            entries
                .iter()
                .filter(|entry| entry.key.role().is_some() && entry.key.is_of(session))
                .try_for_each(|entry| split::delete(store, &entry.key))
        })
    }

    /// Where each kind of secret lives at present, and why.
    pub fn locations(&self) -> [Location; 2] {
        let durable = self.durable().name();
        let (token, role) = ("sign-in", "role credentials");
        let Some(cache) = self.cache() else {
            return [token, role].map(|of| Location { of, store: durable, why: self.chosen.clone() });
        };
        let lasting = match self.durable().probe() {
            Err(Error::Missing(why)) => Location { of: token, store: cache.name(), why: format!("{why}; gone at a reboot") },
            Err(fault) => Location { of: token, store: durable, why: crate::error::Error::from(fault).what },
            Ok(()) => Location { of: token, store: durable, why: "the system's keyring".to_owned() },
        };
        let cached = match cache.probe() {
            Err(Error::Missing(why)) => Location { of: role, store: durable, why },
            _ => Location { of: role, store: cache.name(), why: "memory only, never on a disk".to_owned() },
        };
        [lasting, cached]
    }

    /// Whether the sign-in is kept where a reboot ends it.
    pub fn token_is_volatile(&self) -> bool {
        match self.cache() {
            Some(cache) if matches!(self.durable().probe(), Err(Error::Missing(_))) => cache.volatile(),
            _ => self.durable().volatile(),
        }
    }

    /// For `login`, with a person there: lets the system ask for what unlocks its keyring, and waits so long for the answer.
    pub fn unlock(&self, wait: Duration) -> Result<()> {
        match self.durable().unlock(wait) {
            Err(Error::Missing(_)) if self.cache.is_some() => Ok(()),
            other => other,
        }
    }

    fn durable(&self) -> &dyn Backend {
        self.durable.as_ref()
    }

    fn cache(&self) -> Option<&dyn Backend> {
        self.cache.as_deref()
    }

    fn stores(&self) -> impl Iterator<Item = &dyn Backend> {
        self.cache().into_iter().chain([self.durable()])
    }

    fn find<R: Record>(&self, key: &Key) -> Result<Option<R>> {
        let found = read(self.durable(), key);
        match (&found, self.cache()) {
            // From a time when there was no OS keyring, such as a sign-in over ssh.
            (Ok(None) | Err(Error::Missing(_)), Some(cache)) => match read(cache, key) {
                Err(Error::Missing(_)) => found,
                other => other,
            },
            _ => found,
        }
    }

    fn keep(&self, key: &Key, text: &Secret, expires: OffsetDateTime) -> Result<()> {
        let kept = put(self.durable(), None, key, text, expires);
        match (&kept, self.cache()) {
            (Ok(()), Some(cache)) => {
                // An older one there must not come back one day. Where that can't be reached there is none.
                let _ = split::delete(cache, key);
                kept
            }
            (Err(Error::Missing(_)), Some(cache)) => match put(cache, None, key, text, expires) {
                Err(Error::Missing(_)) => kept,
                other => other,
            },
            _ => kept,
        }
    }

    fn forget(&self, key: &Key) -> Result<()> {
        self.everywhere(|store| split::delete(store, key))
    }

    /// Does it in each back-end, even if one fails. In an absent one there is nothing to be forgotten.
    fn everywhere(&self, act: impl Fn(&dyn Backend) -> Result<()>) -> Result<()> {
        let results: Vec<_> = self.stores().map(act).collect();
        results.into_iter().filter(|result| !matches!(result, Err(Error::Missing(_)))).collect()
    }
}

const LINUX: bool = cfg!(target_os = "linux");

/// The kernel's keyring, where there may be one.
#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps)]
fn kernel() -> Option<Box<dyn Backend>> {
    Some(Box::new(keyutils::Keyutils))
}

#[cfg(not(target_os = "linux"))]
fn kernel() -> Option<Box<dyn Backend>> {
    None
}

#[cfg(target_os = "linux")]
fn os(env: &Env) -> Box<dyn Backend> {
    Box::new(secret_service::SecretService::new(env.session_bus(), env.session_bus_socket()))
}

#[cfg(any(target_os = "macos", windows))]
fn os(_env: &Env) -> Box<dyn Backend> {
    Box::new(native::Native)
}

fn role_key(session: &Session, account: &AccountId, role: &RoleName) -> Key {
    Key::new(session, Kind::Role(account.clone(), role.clone()))
}

fn read<R: Record>(store: &dyn Backend, key: &Key) -> Result<Option<R>> {
    Ok(split::get(store, key)?.as_ref().and_then(R::of_text))
}

/// What has not expired; the rest is deleted.
fn live(store: &dyn Backend, now: OffsetDateTime) -> Result<Vec<Entry>> {
    let (dead, live): (Vec<_>, Vec<_>) =
        split::list(store)?.into_iter().partition(|entry| entry.expires.is_some_and(|expires| expires <= now));
    dead.iter().try_for_each(|entry| split::delete(store, &entry.key))?;
    Ok(live)
}

/// Keeps a value. In a full back-end it gets the room of what has expired, then that of the role credentials that expire first: they
/// move to `overflow`, or go where there is none or it does not take them. Tokens and registrations never give way.
fn put(store: &dyn Backend, overflow: Option<&dyn Backend>, key: &Key, text: &Secret, expires: OffsetDateTime) -> Result<()> {
    match split::put(store, key, text, Some(expires)) {
        Err(Error::Full(_)) => {}
        other => return other,
    }
    let mut roles = live(store, clock::now())?;
    roles.retain(|entry| entry.key.role().is_some() && entry.key != *key);
    roles.sort_by_key(|entry| entry.expires);
    let mut roles = roles.into_iter();
    loop {
        match split::put(store, key, text, Some(expires)) {
            Err(fault @ Error::Full(_)) => {
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
