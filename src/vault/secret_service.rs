//! The Secret Service of Linux desktops (GNOME Keyring, KWallet, KeePassXC): the default collection, in a plain session.
//!
//! Where something may need a person, the service answers with the path of a prompt, and nothing happens until that is run. Not every
//! prompt needs a person: KeePassXC stores and deletes nothing without one, and KWallet reports an open wallet as locked until one
//! was run. So writing and deleting run prompts, and reading runs only that of an open wallet. Only after `unlock` may a prompt take
//! longer than a call. Whether the collection is locked is asked together with each search.
//!
//! A plain session sends secrets unencrypted over a socket that is private to the user. A process that could read from that socket
//! could also ask the service for the secret, and encryption takes two thirds of the time of a read.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use zbus::wire::DynamicDeserialize;
use zbus::{DynamicType, Message, ObjectPath, OwnedObjectPath, OwnedVariant, Variant};
use zeroize::Zeroizing;

use super::bus::{self, Address, Bus, Method};
use super::error::Error as VaultError;
use super::key::Key;
use super::store::{Backend, Bytes, CALL_LIMIT, Item};
use crate::sys::clock::{self, Deadline};
use crate::text;

const NAME: &str = "org.freedesktop.secrets";
const BUS: &str = "org.freedesktop.DBus";
const ROOT: &str = "/org/freedesktop/secrets";
/// The default collection, whichever that is (Secret Service specification, "Aliases").
const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The path that means "no prompt" and "no collection".
const NOTHING: &str = "/";

/// How long a prompt may take with nobody there. It leaves a part of [`CALL_LIMIT`] to find out what to tell.
const UNATTENDED: Duration = Duration::from_millis(1500);

/// Before the default collection is asked for again.
const PAUSES: [Duration; 3] = [Duration::from_millis(5), Duration::from_millis(20), Duration::from_millis(50)];

/// Items in the user's default collection.
pub struct SecretService {
    addresses: Vec<Address>,
    /// None before the first call. A service that is absent or does not answer is not tried again: one run waits for it once.
    state: RefCell<Option<Result<Connection, VaultError>>>,
    /// How long a person may take to answer a prompt, if one is there.
    patience: Cell<Option<Duration>>,
}

impl SecretService {
    /// The one on this bus (`DBUS_SESSION_BUS_ADDRESS`), else on this socket. Connects to nothing yet.
    pub fn new(address: Option<&str>, socket: Option<PathBuf>) -> Self {
        let addresses = match address {
            Some(list) => Address::list(list),
            None => socket.into_iter().map(Address::Path).collect(),
        };
        Self { addresses, state: RefCell::new(None), patience: Cell::new(None) }
    }

    /// Does one piece of work within [`CALL_LIMIT`], prompts with a person there excluded. Connects before the first.
    fn within<T>(&self, work: impl Copy + AsyncFn(&Connection) -> Result<T, Error>) -> Result<T, VaultError> {
        let mut state = self.state.borrow_mut();
        let deadline = Deadline::after(CALL_LIMIT);
        let state = state.get_or_insert_with(|| Connection::open(&self.addresses, deadline));
        let result = match state {
            Ok(connection) => connection.run(deadline, self.patience.get(), work),
            Err(fault) => Err(fault.clone()),
        };
        if let Err(fault @ (VaultError::Missing(_) | VaultError::TimedOut(_))) = &result {
            *state = Err(fault.clone());
        }
        result
    }
}

impl Backend for SecretService {
    fn name(&self) -> &'static str {
        "Secret Service"
    }

    fn probe(&self) -> Result<(), VaultError> {
        self.within(Connection::locked).map(drop)
    }

    fn unlock(&self, wait: Duration) -> Result<(), VaultError> {
        self.patience.set(Some(wait));
        self.within(async |connection| {
            if connection.locked().await? && !connection.unlock(vec![connection.collection().await?]).await? {
                return Err(Error::Locked);
            }
            // KeePassXC may have each item confirmed as well.
            let found = connection.find(&ours()).await?;
            if found.is_empty() || connection.unlock(found).await? { Ok(()) } else { Err(Error::Unconfirmed(Action::Read)) }
        })
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>, VaultError> {
        self.within(async |connection| {
            let attributes = exactly(slot);
            match connection.read_unasked(&slot.name, &attributes).await {
                // A locked collection is no error where it is role credentials that are missing: see `Vault::role`.
                Ok(None) if slot.key.role().is_none() => {}
                Err(Error::NoDefault) => {}
                Err(error) if is_locked(&error) => {}
                other => return other,
            }
            match connection.newest(connection.find(&attributes).await?).await? {
                Some(item) => if_there(connection.read(&item).await),
                None => Ok(None),
            }
        })
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<(), VaultError> {
        self.within(async |connection| {
            let (session, locked) = join(connection.session(), connection.locked()).await;
            if locked? {
                return Err(Error::Locked);
            }
            let label = text::clean(&slot.key.label()).into_owned();
            let properties = HashMap::from([
                ("org.freedesktop.Secret.Item.Label", Variant::from(label)),
                ("org.freedesktop.Secret.Item.Attributes", Variant::from(attributes(slot))),
            ]);
            let secret: Secret = (session?.into(), b"", content, "text/plain; charset=utf8");
            let arguments = (properties, &secret, true);
            let mut found = connection
                .of_default(async || {
                    // The service replaces an item that has exactly these attributes. The search finds others, and those of races.
                    let create = connection.ask(at(DEFAULT, COLLECTION, "CreateItem"), &arguments);
                    let (created, found) = join(create, connection.search(&exactly(slot))).await;
                    let created: Option<(OwnedObjectPath, OwnedObjectPath)> = if_there(created)?;
                    let (Some((_, prompt)), Some(found)) = (created, if_there(found)?) else { return Ok(None) };
                    if prompt.as_str() == NOTHING {
                        return Ok(Some(found));
                    }
                    match if_there(connection.store_by_prompt(&prompt, found, &secret).await)? {
                        Some(()) => if_there(connection.search(&exactly(slot)).await),
                        None => Ok(None),
                    }
                })
                .await?;
            if found.len() < 2 {
                return Ok(());
            }
            // All processes that race agree on the newest, so that exactly one remains.
            let newest = connection.newest(found.clone()).await?;
            found.retain(|item| Some(item) != newest.as_ref());
            connection.delete(&found).await
        })
    }

    fn delete(&self, slot: &Item) -> Result<(), VaultError> {
        self.within(async |connection| {
            let found = connection.find(&exactly(slot)).await?;
            connection.delete(&found).await
        })
    }

    fn list(&self) -> Result<Vec<Bytes>, VaultError> {
        self.within(async |connection| {
            let (session, found) = join(connection.session(), connection.find(&ours())).await;
            let found = found?;
            if found.is_empty() {
                return Ok(Vec::new());
            }
            let secrets = connection.call(at(ROOT, SERVICE, "GetSecrets"), &(found, session?)).await?;
            let body = secrets.body();
            let secrets: HashMap<ObjectPath, Secret> = body.deserialize().map_err(unexpected)?;
            Ok(secrets.into_values().map(|(_, _, value, _)| Zeroizing::new(value.to_vec())).collect())
        })
    }
}

/// Session, parameters of the encryption (none in a plain session), value, content type.
type Secret<'m> = (ObjectPath<'m>, &'m [u8], &'m [u8], &'m str);

/// The attributes that all items of daypass have.
fn ours() -> HashMap<&'static str, &'static str> {
    HashMap::from([("service", "daypass")])
}

/// The attributes that one item has and no other.
fn exactly<'a>(slot: &'a Item) -> HashMap<&'static str, &'a str> {
    HashMap::from([("service", "daypass"), ("id", &slot.name)])
}

/// What people see and search by. Strings on the bus can't contain a NUL, and people can't read other control characters.
fn attributes(slot: &Item) -> HashMap<String, String> {
    let Key { session, start_url, region, .. } = slot.key;
    let mut pairs = vec![
        ("service", "daypass"),
        ("id", &slot.name),
        ("kind", slot.key.word()),
        ("session", session),
        ("start_url", start_url),
        ("region", region),
    ];
    if let Some((account, role)) = slot.key.role() {
        pairs.extend([("account", account.as_str()), ("role", role.as_str())]);
    }
    pairs.into_iter().map(|(name, value)| (name.to_owned(), text::clean(value).into_owned())).collect()
}

fn at<'a>(path: &'a str, interface: &'a str, member: &'a str) -> Method<'a> {
    Method { destination: NAME, path, interface, member }
}

/// Why a piece of work has no result. [`Connection::fault`] makes a [`VaultError`] of it.
#[derive(Debug)]
enum Error {
    Bus(bus::Error),
    /// The default collection is locked.
    Locked,
    /// A person has to confirm it, and did not.
    Unconfirmed(Action),
    /// There is no default collection.
    NoDefault,
}

impl From<bus::Error> for Error {
    fn from(error: bus::Error) -> Self {
        Self::Bus(error)
    }
}

/// What a person may have to confirm.
#[derive(Debug, Clone, Copy)]
enum Action {
    Read,
    Write,
    Delete,
}

/// A connection to the service.
struct Connection {
    bus: Bus,
    /// Of the present piece of work.
    deadline: Cell<Deadline>,
    /// As in [`SecretService`].
    patience: Cell<Option<Duration>>,
    session: OnceCell<OwnedObjectPath>,
    /// The items that were read, by their names.
    known: RefCell<HashMap<String, OwnedObjectPath>>,
}

impl Connection {
    fn open(addresses: &[Address], deadline: Deadline) -> Result<Self, VaultError> {
        let bus = Bus::connect(addresses, deadline).map_err(plain_fault)?;
        let (deadline, patience) = (Cell::new(deadline), Cell::new(None));
        Ok(Self { bus, deadline, patience, session: OnceCell::new(), known: RefCell::default() })
    }

    /// Does one piece of work. A service that exits meanwhile is asked once more: the bus starts it again.
    fn run<T>(
        &mut self,
        deadline: Deadline,
        patience: Option<Duration>,
        work: impl Copy + AsyncFn(&Self) -> Result<T, Error>,
    ) -> Result<T, VaultError> {
        self.deadline.set(deadline);
        self.patience.set(patience);
        let mut result = self.bus.run(work(self));
        if let Err(Error::Bus(bus::Error::Refused { name, .. })) = &result
            && matches!(name.as_str(), NO_REPLY | NO_SESSION)
        {
            self.session = OnceCell::new();
            result = self.bus.run(work(self));
        }
        result.map_err(|error| self.bus.run(self.fault(error)))
    }

    async fn call<A: Serialize + DynamicType>(&self, method: Method<'_>, arguments: &A) -> Result<Message, Error> {
        Ok(self.bus.call(method, arguments, self.deadline.get()).await?)
    }

    /// Calls a method and returns what it answers.
    async fn ask<A, T>(&self, method: Method<'_>, arguments: &A) -> Result<T, Error>
    where
        A: Serialize + DynamicType,
        T: for<'m> DynamicDeserialize<'m>,
    {
        self.call(method, arguments).await?.body().deserialize().map_err(unexpected)
    }

    async fn property<T: TryFrom<OwnedVariant>>(&self, path: &str, interface: &str, name: &str) -> Result<T, Error> {
        let value: OwnedVariant = self.ask(at(path, PROPERTIES, "Get"), &(interface, name)).await?;
        T::try_from(value).map_err(|_| unexpected(format_args!("the property {name} is of another type")))
    }

    /// The session of this connection, opened when it is first needed.
    async fn session(&self) -> Result<&OwnedObjectPath, Error> {
        let open = async || {
            let (_, path): (OwnedVariant, _) = self.ask(at(ROOT, SERVICE, "OpenSession"), &("plain", Variant::from(""))).await?;
            Ok(path)
        };
        self.session.get_or_try_init(open).await
    }

    /// Asks something of the default collection. While other programs write, GNOME Keyring may not know it for a moment, nor the item
    /// that is being replaced: it is asked again.
    async fn of_default<T>(&self, ask: impl AsyncFn() -> Result<Option<T>, Error>) -> Result<T, Error> {
        for pause in PAUSES {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            clock::pause(pause.min(self.deadline.get().left())).await;
        }
        ask().await?.ok_or(Error::NoDefault)
    }

    /// Whether a person has to unlock the default collection.
    async fn locked(&self) -> Result<bool, Error> {
        let locked = self.of_default(async || if_there(self.property(DEFAULT, COLLECTION, "Locked").await)).await?;
        Ok(locked && !self.unlock_open_wallet().await?)
    }

    /// The content of an item.
    async fn read(&self, item: &OwnedObjectPath) -> Result<Bytes, Error> {
        let secret = self.call(at(item.as_str(), ITEM, "GetSecret"), &(self.session().await?,)).await?;
        let body = secret.body();
        let (_, _, value, _): Secret = body.deserialize().map_err(unexpected)?;
        Ok(Zeroizing::new(value.to_vec()))
    }

    /// The content of the item that was written last, without having asked whether the collection is locked: an item that can be
    /// read is not. [`Error::NoDefault`] if the collection or the item is not known at this moment.
    async fn read_unasked(&self, name: &str, attributes: &HashMap<&str, &str>) -> Result<Option<Bytes>, Error> {
        // What was read before is probably in the same item still, so that one is read together with the search.
        let known = self.known.borrow().get(name).cloned();
        let read = async || match &known {
            Some(item) => self.read(item).await.map(Some),
            None => self.session().await.map(|_| None),
        };
        let (found, read) = join(self.search(attributes), read()).await;
        let Some(item) = self.newest(if_there(found)?.ok_or(Error::NoDefault)?).await? else { return Ok(None) };
        let read = if known.as_ref() == Some(&item) { read } else { self.read(&item).await.map(Some) };
        self.known.borrow_mut().insert(name.to_owned(), item);
        if_there(read)?.ok_or(Error::NoDefault)
    }

    async fn search(&self, attributes: &HashMap<&str, &str>) -> Result<Vec<OwnedObjectPath>, Error> {
        self.ask(at(DEFAULT, COLLECTION, "SearchItems"), &(attributes,)).await
    }

    /// The items with these attributes. A locked collection is an error: it may not know its items.
    async fn find(&self, attributes: &HashMap<&str, &str>) -> Result<Vec<OwnedObjectPath>, Error> {
        self.of_default(async || {
            let (locked, found) = join(self.property(DEFAULT, COLLECTION, "Locked"), self.search(attributes)).await;
            match if_there(locked)? {
                None => Ok(None),
                Some(false) => if_there(found),
                Some(true) if self.unlock_open_wallet().await? => if_there(self.search(attributes).await),
                Some(true) => Err(Error::Locked),
            }
        })
        .await
    }

    /// The item that was written last. Times are in seconds; among equal ones it is the item with the highest number, by which
    /// services name new items.
    async fn newest(&self, mut items: Vec<OwnedObjectPath>) -> Result<Option<OwnedObjectPath>, Error> {
        if items.len() < 2 {
            return Ok(items.pop());
        }
        let modified = join_all(items.iter().map(|item| self.property::<u64>(item.as_str(), ITEM, "Modified"))).await;
        let mut dated = Vec::new();
        for (modified, item) in modified.into_iter().zip(items) {
            // None: deleted meanwhile by another process.
            if let Some(modified) = if_there(modified)? {
                dated.push((modified, item));
            }
        }
        Ok(dated.into_iter().max_by_key(|(modified, item)| (*modified, item.len(), item.to_string())).map(|(_, item)| item))
    }

    async fn delete(&self, items: &[OwnedObjectPath]) -> Result<(), Error> {
        let deleted = join_all(items.iter().map(|item| self.ask(at(item.as_str(), ITEM, "Delete"), &()))).await;
        for prompt in deleted {
            let prompt: Option<OwnedObjectPath> = if_there(prompt)?;
            if let Some(prompt) = prompt {
                self.confirm(&prompt, Action::Delete).await?;
            }
        }
        Ok(())
    }

    /// The path of the default collection itself.
    async fn collection(&self) -> Result<OwnedObjectPath, Error> {
        self.ask(at(ROOT, SERVICE, "ReadAlias"), &("default",)).await
    }

    /// Unlocks collections or items by the service's prompt. Returns whether that was completed.
    async fn unlock(&self, objects: Vec<OwnedObjectPath>) -> Result<bool, Error> {
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = self.ask(at(ROOT, SERVICE, "Unlock"), &(objects,)).await?;
        self.prompt(&prompt).await
    }

    /// Unlocks the default collection if it is an open wallet of KWallet, and returns whether it is. That needs no person. Whether
    /// the wallet is open only KWallet's own interface tells; it is called by the owner's name, which starts no daemon. (`ksecretd` of
    /// KDE Frameworks 6.14 has no such interface: there a wallet is locked until a program with a person there has unlocked it.)
    async fn unlock_open_wallet(&self) -> Result<bool, Error> {
        let owner = async |name: &str| -> Result<Option<String>, Error> {
            let get = Method { destination: BUS, path: "/org/freedesktop/DBus", interface: BUS, member: "GetNameOwner" };
            match self.ask(get, &(name,)).await {
                Err(Error::Bus(bus::Error::Refused { name, .. })) if name == NO_OWNER => Ok(None),
                owner => owner.map(Some),
            }
        };
        let Some(service) = owner(NAME).await? else { return Ok(false) };
        for (daemon, path) in [("org.kde.kwalletd6", "/modules/kwalletd6"), ("org.kde.kwalletd5", "/modules/kwalletd5")] {
            if owner(daemon).await?.as_ref() == Some(&service) {
                let is_open = Method { destination: &service, path, interface: "org.kde.KWallet", member: "isOpen" };
                let wallet: String = self.property(DEFAULT, COLLECTION, "Label").await?;
                return Ok(self.ask(is_open, &(wallet,)).await? && self.unlock(vec![self.collection().await?]).await?);
            }
        }
        Ok(false)
    }

    /// Stores a secret for which the service has answered `CreateItem` with a prompt, as KeePassXC does. That needs no person for a new
    /// item. To replace one it may, where the item's own method does not.
    async fn store_by_prompt(
        &self,
        prompt: &OwnedObjectPath,
        found: Vec<OwnedObjectPath>,
        secret: &Secret<'_>,
    ) -> Result<(), Error> {
        let Some(item) = self.newest(found).await? else { return self.confirm(prompt, Action::Write).await };
        match self.call(at(item.as_str(), ITEM, "SetSecret"), &(secret,)).await {
            Err(error) if is_locked(&error) && self.patience.get().is_some() => self.confirm(prompt, Action::Write).await,
            stored => {
                self.dismiss(prompt).await;
                match stored {
                    Err(error) if is_locked(&error) => Err(Error::Unconfirmed(Action::Write)),
                    stored => stored.map(drop),
                }
            }
        }
    }

    async fn confirm(&self, prompt: &OwnedObjectPath, action: Action) -> Result<(), Error> {
        if self.prompt(prompt).await? { Ok(()) } else { Err(Error::Unconfirmed(action)) }
    }

    /// Runs a prompt, if there is one, and returns whether it was completed: neither dismissed nor left without an answer.
    async fn prompt(&self, prompt: &OwnedObjectPath) -> Result<bool, Error> {
        if prompt.as_str() == NOTHING {
            return Ok(true);
        }
        let at = |member| at(prompt.as_str(), PROMPT, member);
        let mut completed = self.bus.signals(at("Completed"), self.deadline.get()).await?;
        // No window of this program, to which the prompt would belong.
        self.call(at("Prompt"), &("",)).await?;
        let limit = self.patience.get().unwrap_or(UNATTENDED.min(self.deadline.get().left()));
        let completed = completed.next(Deadline::after(limit)).await;
        if self.patience.get().is_some() {
            self.deadline.set(Deadline::after(CALL_LIMIT));
        }
        match completed {
            Ok(completed) => {
                let (dismissed, _): (bool, OwnedVariant) = completed.body().deserialize().map_err(unexpected)?;
                Ok(!dismissed)
            }
            Err(bus::Error::TimedOut) => {
                self.dismiss(prompt).await;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a prompt from the screen, and from the service's memory. Nothing depends on it.
    async fn dismiss(&self, prompt: &OwnedObjectPath) {
        let _ = self.bus.send(at(prompt.as_str(), PROMPT, "Dismiss"), self.deadline.get()).await;
    }

    async fn fault(&self, error: Error) -> VaultError {
        match error {
            Error::Locked => VaultError::Locked(self.label().await),
            Error::Unconfirmed(action) => self.unconfirmed(action).await,
            Error::NoDefault => VaultError::Missing("the Secret Service has no default keyring".to_owned()),
            // In an unlocked collection it is the item that is locked, for this program.
            error if is_locked(&error) => match self.locked().await {
                Ok(false) => self.unconfirmed(Action::Read).await,
                _ => VaultError::Locked(self.label().await),
            },
            Error::Bus(error) => plain_fault(error),
        }
    }

    async fn unconfirmed(&self, action: Action) -> VaultError {
        let (does, setting) = match action {
            Action::Read => ("reads from", "Confirm when passwords are retrieved by clients"),
            Action::Write => ("writes to", "Confirm when passwords are retrieved by clients"),
            Action::Delete => ("deletes from", "Confirm when clients request entry deletion"),
        };
        VaultError::Unconfirmed {
            what: format!("{} asks for confirmation before a program {does} it", self.label().await),
            setting,
        }
    }

    /// What people call the default collection.
    async fn label(&self) -> String {
        match self.property::<String>(DEFAULT, COLLECTION, "Label").await {
            Ok(label) if !label.is_empty() => format!("the keyring \"{label}\""),
            _ => "the default keyring".to_owned(),
        }
    }
}

const IS_LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";
/// The session is one of a service that has exited.
const NO_SESSION: &str = "org.freedesktop.Secret.Error.NoSession";
/// The bus sends it when nothing has this name.
const NO_OWNER: &str = "org.freedesktop.DBus.Error.NameHasNoOwner";
/// The bus sends it when a service exits without an answer.
const NO_REPLY: &str = "org.freedesktop.DBus.Error.NoReply";

fn is_locked(error: &Error) -> bool {
    matches!(error, Error::Bus(bus::Error::Refused { name, .. }) if name == IS_LOCKED)
}

/// None if the service knows no such object.
fn if_there<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Bus(bus::Error::Refused { name, .. })) if no_such_object(&name) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unexpected(why: impl std::fmt::Display) -> Error {
    Error::Bus(bus::Error::Broken(format!("unexpected answer from the keyring: {why}")))
}

fn no_such_object(error: &str) -> bool {
    matches!(
        error,
        "org.freedesktop.Secret.Error.NoSuchObject"
            | "org.freedesktop.DBus.Error.UnknownObject"
            | "org.freedesktop.DBus.Error.UnknownMethod"
            | "org.freedesktop.DBus.Error.UnknownInterface"
    )
}

fn plain_fault(error: bus::Error) -> VaultError {
    const BUS_ERROR: &str = "org.freedesktop.DBus.Error.";
    match error {
        bus::Error::NoBus(what) => VaultError::Missing(what),
        bus::Error::Broken(what) => VaultError::Failed(what),
        bus::Error::TimedOut => VaultError::TimedOut("the Secret Service did not answer in time".to_owned()),
        bus::Error::Refused { name, text } => match name.strip_prefix(BUS_ERROR).unwrap_or(&name) {
            "ServiceUnknown" | "NameHasNoOwner" => {
                VaultError::Missing("nothing on the session bus provides a Secret Service".to_owned())
            }
            spawn if spawn.starts_with("Spawn.") => VaultError::Missing(format!("the Secret Service can't be started: {text}")),
            _ if no_such_object(&name) => VaultError::Missing("the Secret Service has no default keyring".to_owned()),
            _ if name == NO_REPLY => VaultError::Failed("the Secret Service exits before it answers".to_owned()),
            "Timeout" | "TimedOut" => VaultError::TimedOut("the Secret Service did not answer in time".to_owned()),
            _ => VaultError::Failed(format!("the Secret Service refuses: {text} ({name})")),
        },
    }
}
