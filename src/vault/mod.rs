//! Stores secrets between two runs: the portal's tokens in the operating system's keyring, role credentials where reading is fastest.
//! Touches the back-ends only; knows credentials, not the portal.
//!
//! A [`Backend`] stores named items; [`split`] stores values of any length in them, [`record`] converts credentials to text and back.
//! The [`Vault`] decides which back-end stores what, and opens each when it is first needed.

#[cfg(target_os = "linux")]
mod bus;
pub mod error;
pub mod file;
mod hint;
pub mod key;
#[cfg(target_os = "linux")]
pub mod keyutils;
pub mod memory;
#[cfg(any(target_os = "macos", windows))]
pub mod native;
pub mod parked;
pub mod record;
#[cfg(target_os = "linux")]
pub mod secret_service;
pub mod split;
pub mod store;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use crate::credentials::{Registration, RoleCredentials, Token};
use crate::profile::names::Session;
use crate::secret::Secret;
use crate::sys::clock;
use crate::sys::env::Env;
pub use error::{Error, Result};
pub use key::{Assumed, Key, Kind};
pub use parked::ParkedKey;
use record::{Record, SignIn};
pub use split::Entry;
pub use store::{Backend, Bytes, CALL_LIMIT, Item};

/// Where one kind of secret is stored, for `daypass status -v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// "sign-in" or "role credentials".
    pub of: &'static str,
    /// The back-end's name.
    pub store: &'static str,
    /// Why this one.
    pub why: String,
}

/// What a vault contains. See [`Vault::contents`].
#[derive(Debug, Default)]
pub struct Contents {
    /// The sessions that have a sign-in, without their scopes, by name.
    pub sessions: Vec<Session>,
    /// The sign-ins that were read with the list. See [`Vault::token_in`].
    tokens: HashMap<Key, Token>,
    /// The keys of role credentials and their expiry, in no order.
    pub roles: Vec<(Key, OffsetDateTime)>,
    /// How many parked keys are due for their next step.
    pub due: usize,
    /// Why the OS keyring could not be read although the kernel keyring could: it is locked.
    pub unread: Option<Error>,
}

/// All secrets of daypass.
pub struct Vault {
    /// Stores everything, or with a `cache` what must survive a reboot.
    durable: Box<dyn Backend>,
    /// The kernel keyring, for `auto` on Linux. Stores role credentials, and tokens if `durable` is missing.
    cache: Option<Box<dyn Backend>>,
    /// Why these back-ends are used.
    chosen: String,
    /// See [`Vault::identity`].
    identity: Option<String>,
}

impl Vault {
    /// The vault that `DAYPASS_KEYRING` selects. Opens nothing yet.
    ///
    /// # Errors
    /// The value is unknown, or not available on this system.
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
                        "DAYPASS_KEYRING is \"{other}\"; this system supports auto, os, {}file and memory",
                        if LINUX { "keyutils, " } else { "" }
                    ),
                    if cfg!(windows) { "set DAYPASS_KEYRING=auto" } else { "export DAYPASS_KEYRING=auto" },
                ));
            }
        };
        let (chosen, identity) = match env.data_folder().filter(|_| choice == "file") {
            Some(folder) => {
                let chosen = format!("DAYPASS_KEYRING=file, {}", folder.display());
                (chosen, Some(real(folder).to_string_lossy().into_owned()))
            }
            None => (format!("DAYPASS_KEYRING={choice}"), (choice != "memory").then(|| "system".to_owned())),
        };
        Ok(Self { durable, cache, chosen, identity })
    }

    /// A vault on these back-ends. With a cache it behaves as `auto` does on Linux.
    pub fn new(durable: Box<dyn Backend>, cache: Option<Box<dyn Backend>>) -> Self {
        Self { durable, cache, chosen: "chosen by the caller".to_owned(), identity: None }
    }

    /// Tells the vaults of one user apart, for the names of locks. None if no other process can use this vault.
    pub fn identity(&self) -> Option<String> {
        self.identity.clone()
    }

    /// Credentials of this role, including expired ones. If the cache has none, a locked or missing keyring is not an error here: the sign-in is
    /// read next, and that error is the one to report.
    pub fn role(&self, session: &Session, role: &Kind) -> Result<Option<RoleCredentials>> {
        match self.cached_role(session, role) {
            Some(Ok(Some(credentials))) => Ok(Some(credentials)),
            _ => match read_role(self.durable(), session, role) {
                Err(Error::Locked(_) | Error::Unconfirmed { .. } | Error::Missing(_)) => Ok(None),
                other => other,
            },
        }
    }

    /// As [`Vault::role`], but looks only into the cache if that can be read. What did not fit in there is missed.
    pub fn role_at_hand(&self, session: &Session, role: &Kind) -> Result<Option<RoleCredentials>> {
        match self.cached_role(session, role) {
            Some(Ok(found)) => Ok(found),
            _ => self.role(session, role),
        }
    }

    /// What the cache returns; None if there is none.
    fn cached_role(&self, session: &Session, role: &Kind) -> Option<Result<Option<RoleCredentials>>> {
        self.cache().map(|cache| read_role(cache, session, role))
    }

    /// Stores role credentials until they expire.
    pub fn store_role(&self, session: &Session, role: &Kind, credentials: &RoleCredentials) -> Result<()> {
        let key = Key::new(session, role.clone());
        let (text, expires) = (credentials.to_text()?, credentials.expires_by_local_clock());
        if let Some(cache) = self.cache() {
            match put(cache, Some(self.durable()), &key, &text, expires) {
                Err(error) if error.is_full() || matches!(error, Error::Missing(_)) => {}
                other => return other,
            }
        }
        // A failed clean-up does not fail the call.
        if !self.durable().expires_items() {
            let _ = remove_expired_roles(self.durable(), clock::now());
        }
        put(self.durable(), None, &key, &text, expires)
    }

    /// The sign-in to a session. One in the cache is newer than one in the OS keyring: see [`Vault::rescue_token`].
    pub fn token(&self, session: &Session) -> Result<Option<Token>> {
        Ok(self.sign_in(session)?.map(SignIn::token))
    }

    /// Stores a sign-in until it is neither valid nor refreshable.
    pub fn store_token(&self, session: &Session, token: &Token) -> Result<()> {
        self.put_sign_in(session, token, |key, text, expires| self.store(key, text, expires))
    }

    /// Stores a sign-in in the kernel keyring, because the OS keyring has just failed and the sign-in can't be had again. It moves with
    /// [`Vault::settle`].
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no kernel keyring beside the OS keyring.
    pub fn rescue_token(&self, session: &Session, token: &Token) -> Result<()> {
        let cache = self.cache().ok_or_else(|| Error::Missing("there is no other keyring".to_owned()))?;
        self.put_sign_in(session, token, |key, text, expires| put(cache, None, key, text, expires))
    }

    /// Whether the sign-in is in the cache although the OS keyring is there.
    pub fn is_unsettled(&self, session: &Session) -> bool {
        let in_cache = |cache| matches!(split::get(cache, &Key::new(session, Kind::Token)), Ok(Some(_)));
        self.cache().is_some_and(in_cache) && self.durable().probe().is_ok()
    }

    /// Moves the sign-in from the cache to the OS keyring. The caller must hold the lock of the session's token.
    pub fn settle(&self, session: &Session) -> Result<()> {
        let Some(cache) = self.cache() else { return Ok(()) };
        let key = Key::new(session, Kind::Token);
        let Some(token) = read::<SignIn>(cache, &key)?.map(SignIn::token) else { return Ok(()) };
        self.put_sign_in(session, &token, |key, text, expires| put(self.durable(), None, key, text, expires))?;
        split::delete(cache, &key)
    }

    /// Verifies by a write that a sign-in can be stored. The caller must hold the lock of the session's token.
    pub fn verify(&self, session: &Session) -> Result<()> {
        if let Some(token) = self.token(session)? {
            return self.store_token(session, &token);
        }
        let key = Key::new(session, Kind::Probe);
        let stored = self.store(&key, &Secret::new("-".repeat(SIGN_IN_LEN)), clock::now());
        match self.delete(&key) {
            // What stays contains no secret.
            Err(Error::Unconfirmed { .. }) => stored,
            deleted => stored.and(deleted),
        }
    }

    /// Deletes a sign-in. A registration for the next one stays.
    pub fn delete_token(&self, session: &Session) -> Result<()> {
        let registration = self.sign_in(session).ok().flatten().filter(|sign_in| sign_in.reusable);
        self.delete(&Key::new(session, Kind::Token))?;
        if let Some(sign_in) = registration {
            // It only saves a request.
            let _ = self.store_registration(session, &sign_in.token().registration);
        }
        Ok(())
    }

    /// The client registration for the next sign-in to a session.
    pub fn registration(&self, session: &Session) -> Result<Option<Registration>> {
        match self.find(&Key::new(session, Kind::Registration))? {
            Some(registration) => Ok(Some(registration)),
            None => Ok(self.sign_in(session)?.filter(|sign_in| sign_in.reusable).map(|sign_in| sign_in.token().registration)),
        }
    }

    /// Stores a client registration until it expires.
    pub fn store_registration(&self, session: &Session, registration: &Registration) -> Result<()> {
        self.store(&Key::new(session, Kind::Registration), &registration.to_text()?, registration.expires_at)
    }

    fn sign_in(&self, session: &Session) -> Result<Option<SignIn>> {
        let key = Key::new(session, Kind::Token);
        match self.cache().map(|cache| read(cache, &key)) {
            Some(Ok(Some(sign_in))) => Ok(Some(sign_in)),
            _ => self.find(&key),
        }
    }

    /// Stores a sign-in with `put`. It contains the registration, so a registration stored for the next sign-in is deleted if it is the
    /// same one, because the kernel keyring of a user is small. One that only the previous sign-in contained is stored again.
    fn put_sign_in(
        &self,
        session: &Session,
        token: &Token,
        put: impl FnOnce(&Key, &Secret, OffsetDateTime) -> Result<()>,
    ) -> Result<()> {
        let key = Key::new(session, Kind::Registration);
        let is_same = |registration: &Registration| registration.client_id == token.registration.client_id;
        let separate = self.find::<Registration>(&key).ok().flatten().is_some_and(|registration| is_same(&registration));
        let old = self.sign_in(session).ok().flatten().filter(|old| old.reusable).map(|old| old.token().registration);
        let reusable = separate || old.as_ref().is_some_and(is_same);
        let text = SignIn::new(token.clone(), reusable).to_text()?;
        let refreshable_until = token.refresh.as_ref().map(|_| token.registration.expires_at);
        let expires = refreshable_until.map_or(token.expires_at, |until| until.max(token.expires_at));
        // Neither registration is worth an error: it saves one request.
        if separate {
            let _ = self.delete(&key);
        }
        put(&Key::new(session, Kind::Token), &text, expires)?;
        if let Some(old) = old.filter(|_| !reusable) {
            let _ = self.store_registration(session, &old);
        }
        Ok(())
    }

    /// The sessions that have a sign-in, and the role credentials that have not expired.
    pub fn contents(&self, now: OffsetDateTime) -> Result<Contents> {
        let (mut sessions, mut tokens, mut roles, mut due, mut unread) = (HashSet::new(), HashMap::new(), HashMap::new(), 0, None);
        for store in self.stores() {
            let entries = match split::list(store) {
                // The other back-end can still be shown.
                Err(Error::Missing(_)) if self.cache.is_some() => continue,
                Err(error @ (Error::Locked(_) | Error::Unconfirmed { .. })) if self.cache.is_some() => {
                    unread = Some(error);
                    continue;
                }
                other => other?,
            };
            for Entry { key, expires, value } in entries {
                match key.kind {
                    Kind::Token => {
                        if let Some(sign_in) = value.as_ref().and_then(SignIn::from_text) {
                            tokens.entry(key.clone()).or_insert_with(|| sign_in.token());
                        }
                        sessions.insert(key);
                    }
                    Kind::Role(..) | Kind::Assumed(..) => {
                        _ = expires.filter(|at| *at > now).map(|at| roles.entry(key).or_insert(at));
                    }
                    Kind::Parked(_) => due += usize::from(expires.is_some_and(|due| due <= now)),
                    Kind::Registration | Kind::Probe => {}
                }
            }
        }
        let session = |key: Key| Session { name: key.session, start_url: key.start_url, region: key.region, scopes: Vec::new() };
        let mut sessions: Vec<_> = sessions.into_iter().map(session).collect();
        sessions
            .sort_by(|one, other| (&one.name, &one.start_url, &one.region).cmp(&(&other.name, &other.start_url, &other.region)));
        Ok(Contents { sessions, tokens, roles: roles.into_iter().collect(), due, unread })
    }

    /// The sign-in to a session, from a list of the contents if it is there.
    pub fn token_in(&self, contents: &mut Contents, session: &Session) -> Result<Option<Token>> {
        match contents.tokens.remove(&Key::new(session, Kind::Token)) {
            Some(token) => Ok(Some(token)),
            None => self.token(session),
        }
    }

    /// Stores a long-lived key and reads it again. Only a store that survives a restart takes it. Its expiry is the date of its next
    /// step.
    ///
    /// # Errors
    /// [`Error::Missing`] if there is no such store; [`Error::Failed`] if it does not return what it took.
    pub fn park(&self, parked: &ParkedKey) -> Result<()> {
        let store = self.durable();
        if store.volatile() {
            return Err(Error::Missing(format!("the {} loses its secrets at a restart", store.name())));
        }
        let key = ParkedKey::key(&parked.id);
        match parked.due() {
            Some(due) => put(store, None, &key, &parked.to_text()?, due)?,
            None => split::put(store, &key, &parked.to_text()?, None)?,
        }
        if read::<ParkedKey>(store, &key)?.as_ref() == Some(parked) {
            return Ok(());
        }
        Err(Error::Failed(format!("the {} did not return the key that it had just stored", store.name())))
    }

    /// The parked keys, in the order in which they were parked.
    ///
    /// # Errors
    /// Those of the store, except that a store that is not there contains none.
    pub fn parked(&self) -> Result<Vec<ParkedKey>> {
        let entries = match split::list(self.durable()) {
            Err(Error::Missing(_)) => return Ok(Vec::new()),
            other => other?,
        };
        let ids = entries.iter().filter(|entry| entry.key.parked().is_some());
        let of = |entry: &Entry| match &entry.value {
            Some(text) => Ok(ParkedKey::from_text(text)),
            None => read(self.durable(), &entry.key),
        };
        let mut keys = ids.filter_map(|entry| of(entry).transpose()).collect::<Result<Vec<_>>>()?;
        keys.sort_by(|one, other| (one.parked_at, &one.id).cmp(&(other.parked_at, &other.id)));
        Ok(keys)
    }

    /// Deletes a parked key with its secret.
    pub fn delete_parked(&self, id: &str) -> Result<()> {
        split::delete(self.durable(), &ParkedKey::key(id))
    }

    /// Deletes the credentials of one role.
    pub fn delete_role(&self, session: &Session, role: &Kind) -> Result<()> {
        self.delete(&Key::new(session, role.clone()))
    }

    /// Deletes all role credentials of a session.
    pub fn delete_roles(&self, session: &Session) -> Result<()> {
        self.on_each(|store| {
            let entries = split::list(store)?;
            entries
                .iter()
                .filter(|entry| entry.key.role().is_some() && entry.key.belongs_to(session))
                .try_for_each(|entry| split::delete(store, &entry.key))
        })
    }

    /// Where each kind of secret is stored now, and why.
    pub fn locations(&self) -> [Location; 2] {
        let durable = self.durable().name();
        let (token, role) = ("sign-in", "role credentials");
        let Some(cache) = self.cache() else {
            return [token, role].map(|of| Location { of, store: durable, why: self.chosen.clone() });
        };
        let lasting = match self.durable().probe() {
            Err(Error::Missing(why)) => Location { of: token, store: cache.name(), why: format!("{why}; lost on reboot") },
            Err(error) => Location { of: token, store: durable, why: crate::error::Error::from(error).what },
            Ok(()) => Location { of: token, store: durable, why: "the system's keyring".to_owned() },
        };
        let cached = match cache.probe() {
            Err(Error::Missing(why)) => Location { of: role, store: durable, why },
            _ => Location { of: role, store: cache.name(), why: "memory only, never on a disk".to_owned() },
        };
        [lasting, cached]
    }

    /// What happens when the back-ends are read, in the order in which a sign-in is looked for: a line for each. None if all can be read.
    pub fn failures(&self) -> Option<Vec<String>> {
        let stores: Vec<&dyn Backend> = [self.durable()].into_iter().chain(self.cache()).collect();
        let read: Vec<Result<()>> = stores.iter().map(|store| split::list(*store).map(drop)).collect();
        if read.iter().all(Result::is_ok) {
            return None;
        }
        let line = |(store, read): (&&dyn Backend, Result<()>)| {
            let result = match read {
                Ok(()) => "can be read".to_owned(),
                Err(Error::Missing(why)) => format!("not available: {why}"),
                Err(error) => crate::error::Error::from(error).what,
            };
            format!("tried {} ({}): {result}", store.name(), self.chosen)
        };
        Some(stores.iter().zip(read).map(line).collect())
    }

    /// Whether a reboot deletes the sign-in.
    pub fn token_is_volatile(&self) -> bool {
        match self.cache() {
            Some(cache) if matches!(self.durable().probe(), Err(Error::Missing(_))) => cache.volatile(),
            _ => self.durable().volatile(),
        }
    }

    /// Unlocks the keyring through the system's own prompt if it is locked, for commands on a terminal. Waits at most `wait` for the
    /// person, here and at each prompt of later calls that write or delete.
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
            // Stored while there was no OS keyring, for example over SSH.
            (Ok(None) | Err(Error::Missing(_)), Some(cache)) => match read(cache, key) {
                Err(Error::Missing(_)) => found,
                other => other,
            },
            _ => found,
        }
    }

    fn store(&self, key: &Key, text: &Secret, expires: OffsetDateTime) -> Result<()> {
        let stored = put(self.durable(), None, key, text, expires);
        match (&stored, self.cache()) {
            (Ok(()), Some(cache)) => {
                // An older value there must never be found again. If the cache can't be reached, it contains none.
                let _ = split::delete(cache, key);
                stored
            }
            (Err(Error::Missing(_)), Some(cache)) => match put(cache, None, key, text, expires) {
                Err(Error::Missing(_)) => stored,
                other => other,
            },
            _ => stored,
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        self.on_each(|store| split::delete(store, key))
    }

    /// Runs `act` on each back-end, even if one fails. A missing back-end contains nothing to delete.
    fn on_each(&self, act: impl Fn(&dyn Backend) -> Result<()>) -> Result<()> {
        let results: Vec<_> = self.stores().map(act).collect();
        results.into_iter().filter(|result| !matches!(result, Err(Error::Missing(_)))).collect()
    }
}

/// A usual length of a stored sign-in in bytes: a client secret of 1,800, two tokens of 300, names and times.
const SIGN_IN_LEN: usize = 2600;

const LINUX: bool = cfg!(target_os = "linux");

/// The kernel keyring, on Linux.
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

/// The folder without symbolic links, even if it does not exist yet.
fn real(folder: PathBuf) -> PathBuf {
    let existing = folder.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    // Joined by parts: an empty rest must not add a separator.
    let real = existing.and_then(|(part, real)| Some(real.iter().chain(folder.strip_prefix(part).ok()?).collect()));
    real.unwrap_or(folder)
}

fn read<R: Record>(store: &dyn Backend, key: &Key) -> Result<Option<R>> {
    Ok(split::get(store, key)?.as_ref().and_then(R::from_text))
}

fn read_role(store: &dyn Backend, session: &Session, role: &Kind) -> Result<Option<RoleCredentials>> {
    let found = read(store, &Key::new(session, role.clone()))?;
    if found.is_some() {
        log::info!("role credentials are cached in: {}", store.name());
    }
    Ok(found)
}

/// Deletes role credentials that have expired and returns the rest. Sign-ins stay: the clock may be wrong.
fn remove_expired_roles(store: &dyn Backend, now: OffsetDateTime) -> Result<Vec<Entry>> {
    let roles = split::list(store)?.into_iter().filter(|entry| entry.key.role().is_some());
    let (expired, rest): (Vec<_>, Vec<_>) = roles.partition(|entry| entry.expires.is_some_and(|expires| expires <= now));
    expired.iter().try_for_each(|entry| split::delete(store, &entry.key))?;
    Ok(rest)
}

/// Stores a value. If the back-end is full, expired role credentials are deleted, then the role credentials that expire first. These move to
/// `overflow`, and are lost if there is none or it fails. Tokens and registrations are never deleted.
fn put(store: &dyn Backend, overflow: Option<&dyn Backend>, key: &Key, text: &Secret, expires: OffsetDateTime) -> Result<()> {
    match split::put(store, key, text, Some(expires)) {
        Err(error) if error.is_full() => {}
        other => return other,
    }
    let mut roles = remove_expired_roles(store, clock::now())?;
    roles.retain(|entry| entry.key != *key);
    roles.sort_by_key(|entry| entry.expires);
    let mut roles = roles.into_iter();
    loop {
        match split::put(store, key, text, Some(expires)) {
            Err(error) if error.is_full() => {
                let Some(oldest) = roles.next() else { return Err(error) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_vault_has_one_identity_before_and_after_its_folder_exists_and_behind_links() {
        let home = tempfile::tempdir().unwrap();
        let identity = |data: &str| {
            let vars =
                [("DAYPASS_KEYRING", "file".into()), ("HOME", home.path().into()), ("XDG_DATA_HOME", home.path().join(data))];
            Vault::open(&vars.map(|(name, value): (_, PathBuf)| (name.to_owned(), value)).into_iter().collect()).unwrap().identity()
        };
        let before = identity("data");
        assert!(before.is_some());
        std::fs::create_dir_all(home.path().join("data/daypass")).unwrap();
        assert_eq!(identity("data"), before);
        #[cfg(target_os = "linux")]
        {
            assert_ne!(identity("other"), before);
            std::os::unix::fs::symlink(home.path().join("data"), home.path().join("link")).unwrap();
            assert_eq!(identity("link"), before);
        }
    }
}
