//! The Secret Service of Linux desktops (GNOME Keyring, `KWallet`, `KeePassXC`): the default collection, in a plain session. Touches the
//! session bus, through `bus`.
//!
//! Nothing here shows a prompt but its `unlock`: the service never shows one unasked, it answers with a prompt's path,
//! and only that function follows it. Whether the collection is locked is asked before anything else, together with the search.
//!
//! A plain session sends the secret unencrypted over a socket that is private to the user. Whoever could watch that socket could ask
//! the service for the secret as well, and encrypting is two thirds of a read's time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use zeroize::Zeroizing;
use zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::bus::{self, Body, Bus, Message, Method, Serial, Trouble};
use super::error::{Error, Result};
use super::key::Key;
use super::store::{Backend, Bytes, CALL_LIMIT, Item};
use crate::sys::clock::{self, Deadline};
use crate::text;

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
/// The default collection, whichever that is (Secret Service specification, "Aliases").
const DEFAULT: &str = "/org/freedesktop/secrets/aliases/default";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// The path that stands for "no prompt" and "no collection".
const NOTHING: &str = "/";

/// Before the default collection is asked for again.
const PAUSES: [Duration; 3] = [Duration::from_millis(5), Duration::from_millis(20), Duration::from_millis(50)];

/// Items in the user's default collection.
pub struct SecretService {
    addresses: Vec<PathBuf>,
    link: RefCell<Link>,
}

enum Link {
    Closed,
    Open(Talk),
    /// It is absent or does not answer: not tried again, so that one run waits for a dead service once.
    Down(Error),
}

impl SecretService {
    /// The one on this bus (`DBUS_SESSION_BUS_ADDRESS`), else on this socket. Connects to nothing yet.
    pub fn new(address: Option<&str>, socket: Option<PathBuf>) -> Self {
        let addresses = match address {
            Some(list) => bus::addresses(list),
            None => socket.into_iter().collect(),
        };
        Self { addresses, link: RefCell::new(Link::Closed) }
    }

    /// Does one piece of work under one deadline, connecting first where that is still to be done.
    fn within<T>(&self, limit: Duration, work: impl FnOnce(&mut Talk) -> Result<T>) -> Result<T> {
        let mut link = self.link.borrow_mut();
        let deadline = Deadline::after(limit);
        if let Link::Closed = *link {
            match Talk::open(&self.addresses, deadline) {
                Ok(talk) => *link = Link::Open(talk),
                Err(fault) => *link = Link::Down(fault),
            }
        }
        let result = match &mut *link {
            Link::Open(talk) => {
                talk.deadline = deadline;
                work(talk)
            }
            Link::Down(fault) => Err(fault.clone()),
            Link::Closed => Err(Error::Failed("the connection to the keyring is closed".to_owned())),
        };
        if let Err(fault @ (Error::Missing(_) | Error::TimedOut(_))) = &result {
            *link = Link::Down(fault.clone());
        }
        result
    }
}

impl Backend for SecretService {
    fn name(&self) -> &'static str {
        "Secret Service"
    }

    fn probe(&self) -> Result<()> {
        self.within(CALL_LIMIT, Talk::locked).map(drop)
    }

    fn unlock(&self, wait: Duration) -> Result<()> {
        if !self.within(CALL_LIMIT, Talk::locked)? {
            return Ok(());
        }
        self.within(wait, Talk::unlock)
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>> {
        self.within(CALL_LIMIT, |talk| {
            let found = talk.find(&exactly(slot))?;
            let Some(item) = talk.newest(found)? else { return Ok(None) };
            let session = talk.session()?;
            let message = match talk.ask(at(item.as_str(), ITEM, "GetSecret"), &(session,)) {
                Ok(message) => message,
                Err(Trouble::Refused { name, .. }) if no_such_object(&name) => return Ok(None),
                Err(trouble) => return Err(talk.convert_error(trouble)),
            };
            let data = message.data::<(Secret,)>().map_err(plain_fault)?;
            let (((_, _, value, _),), _): ((Secret,), usize) = data.deserialize().map_err(unreadable)?;
            Ok(Some(Zeroizing::new(value.to_vec())))
        })
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        self.within(CALL_LIMIT, |talk| {
            if talk.locked()? {
                return Err(talk.locked_fault());
            }
            let session = talk.session()?;
            let label = text::clean(&slot.key.label()).into_owned();
            let properties = HashMap::from([
                ("org.freedesktop.Secret.Item.Label", Value::from(label)),
                ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes(slot))),
            ]);
            let body = || {
                let mut body = Body::default();
                body.push(&properties)?;
                body.push(&(&session, [0_u8; 0].as_slice()))?;
                body.push_secret(content)?;
                body.push(&"text/plain; charset=utf8")?;
                body.push(&true)?;
                Ok(body)
            };
            let body = body().map_err(plain_fault)?;
            let mut found = talk.of_default(|talk| {
                // The service replaces an item of the very same attributes; the search after it is for those that don't, and for races.
                let create = talk.bus.queue(at(DEFAULT, COLLECTION, "CreateItem"), "a{sv}(oayays)b", &body).map_err(plain_fault)?;
                let search = talk.queue(at(DEFAULT, COLLECTION, "SearchItems"), &(exactly(slot),))?;
                talk.flush()?;
                let created: Option<(OwnedObjectPath, OwnedObjectPath)> = talk.answer_if_there(create)?;
                if created.as_ref().is_some_and(|(_, prompt)| prompt.as_str() != NOTHING) {
                    return Err(talk.locked_fault());
                }
                let found: Option<(Vec<OwnedObjectPath>,)> = talk.answer_if_there(search)?;
                Ok(created.and(found).map(|(found,)| found))
            })?;
            if found.len() < 2 {
                return Ok(());
            }
            // All processes that race agree on which is the newest, so that exactly one stays.
            let newest = talk.newest(found.clone())?;
            found.retain(|item| Some(item) != newest.as_ref());
            talk.delete(&found)
        })
    }

    fn delete(&self, slot: &Item) -> Result<()> {
        self.within(CALL_LIMIT, |talk| {
            let found = talk.find(&exactly(slot))?;
            talk.delete(&found)
        })
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        self.within(CALL_LIMIT, |talk| {
            let found = talk.find(&HashMap::from([("service", "daypass")]))?;
            if found.is_empty() {
                return Ok(Vec::new());
            }
            let session = talk.session()?;
            let message =
                talk.ask(at(ROOT, SERVICE, "GetSecrets"), &(found, session)).map_err(|trouble| talk.convert_error(trouble))?;
            let data = message.data::<(Secrets,)>().map_err(plain_fault)?;
            let ((secrets,), _): ((Secrets,), usize) = data.deserialize().map_err(unreadable)?;
            Ok(secrets.into_values().map(|(_, _, value, _)| Zeroizing::new(value.to_vec())).collect())
        })
    }
}

/// Session, parameters (none in a plain session), value, content type.
type Secret<'m> = (ObjectPath<'m>, &'m [u8], &'m [u8], &'m str);
type Secrets<'m> = HashMap<ObjectPath<'m>, Secret<'m>>;

/// What finds one item and no other.
fn exactly<'a>(slot: &'a Item) -> HashMap<&'static str, &'a str> {
    HashMap::from([("service", "daypass"), ("id", &slot.name)])
}

/// What people see and search by. The bus's strings can't hold a NUL, and people can't read other control characters.
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

const BUS: Method =
    Method { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "" };

/// A connection and what was agreed on it.
struct Talk {
    bus: Bus,
    deadline: Deadline,
    /// `Hello` and `OpenSession`, whose answers were not read yet.
    opening: Option<(Serial, Serial)>,
    session: Option<OwnedObjectPath>,
}

impl Talk {
    /// Connects, and queues all that has to come before the first call.
    fn open(addresses: &[PathBuf], deadline: Deadline) -> Result<Self> {
        let open = || {
            let mut bus = Bus::connect(addresses, deadline)?;
            let hello = bus.call(Method { member: "Hello", ..BUS }, &())?;
            let session = bus.call(at(ROOT, SERVICE, "OpenSession"), &("plain", Value::from("")))?;
            Ok(Self { bus, deadline, opening: Some((hello, session)), session: None })
        };
        open().map_err(plain_fault)
    }

    /// Reads the answers to what [`Talk::open`] queued.
    fn settle(&mut self) -> Result<()> {
        let Some((hello, session)) = self.opening.take() else { return Ok(()) };
        self.bus.greeted(self.deadline).map_err(plain_fault)?;
        // A bus that hangs up here has let us greet and then found that we are another user.
        self.bus.answer(hello, self.deadline).map_err(|trouble| plain_fault(bus::no_bus(trouble)))?;
        let (_, path): (OwnedValue, OwnedObjectPath) = self.answer(session)?;
        self.session = Some(path);
        Ok(())
    }

    fn session(&mut self) -> Result<OwnedObjectPath> {
        self.settle()?;
        self.session.clone().ok_or_else(|| Error::Failed("the keyring opened no session".to_owned()))
    }

    fn queue<B: serde::Serialize + zvariant::DynamicType>(&mut self, method: Method, body: &B) -> Result<Serial> {
        self.bus.call(method, body).map_err(plain_fault)
    }

    fn flush(&mut self) -> Result<()> {
        self.bus.flush(self.deadline).map_err(plain_fault)
    }

    fn answer<T: zvariant::Type + serde::de::DeserializeOwned>(&mut self, serial: Serial) -> Result<T> {
        let answer = self.bus.answer(serial, self.deadline).and_then(|message| message.body());
        answer.map_err(|trouble| self.convert_error(trouble))
    }

    /// One call by itself. The connection has to be settled.
    fn ask<B: serde::Serialize + zvariant::DynamicType>(
        &mut self,
        method: Method,
        body: &B,
    ) -> std::result::Result<Message, Trouble> {
        let serial = self.bus.call(method, body)?;
        self.bus.flush(self.deadline)?;
        self.bus.answer(serial, self.deadline)
    }

    /// The same; None where the service knows no such object.
    fn answer_if_there<T: zvariant::Type + serde::de::DeserializeOwned>(&mut self, serial: Serial) -> Result<Option<T>> {
        match self.bus.answer(serial, self.deadline).and_then(|message| message.body()) {
            Ok(answer) => Ok(Some(answer)),
            Err(Trouble::Refused { name, .. }) if no_such_object(&name) => Ok(None),
            Err(trouble) => Err(self.convert_error(trouble)),
        }
    }

    /// Asks something of the default collection. While other programs write, GNOME Keyring may for a moment not know it, nor the item
    /// that it is to replace: it is asked again.
    fn of_default<T>(&mut self, ask: impl Fn(&mut Self) -> Result<Option<T>>) -> Result<T> {
        for pause in PAUSES {
            if let Some(answer) = ask(self)? {
                return Ok(answer);
            }
            clock::sleep(pause.min(self.deadline.left()));
        }
        ask(self)?.ok_or_else(|| Error::Missing("the Secret Service has no default keyring".to_owned()))
    }

    fn locked(&mut self) -> Result<bool> {
        self.of_default(|talk| {
            let locked = talk.queue(at(DEFAULT, PROPERTIES, "Get"), &(COLLECTION, "Locked"))?;
            talk.flush()?;
            talk.settle()?;
            let locked: Option<(OwnedValue,)> = talk.answer_if_there(locked)?;
            locked.map(|(locked,)| is_true(&locked)).transpose()
        })
    }

    /// The items of these attributes. A locked collection is a fault: it may not know what it holds.
    fn find(&mut self, attributes: &HashMap<&str, &str>) -> Result<Vec<OwnedObjectPath>> {
        self.of_default(|talk| {
            let locked = talk.queue(at(DEFAULT, PROPERTIES, "Get"), &(COLLECTION, "Locked"))?;
            let found = talk.queue(at(DEFAULT, COLLECTION, "SearchItems"), &(attributes,))?;
            talk.flush()?;
            talk.settle()?;
            let locked: Option<(OwnedValue,)> = talk.answer_if_there(locked)?;
            if let Some((locked,)) = &locked
                && is_true(locked)?
            {
                return Err(talk.locked_fault());
            }
            let found: Option<(Vec<OwnedObjectPath>,)> = talk.answer_if_there(found)?;
            Ok(locked.and(found).map(|(found,)| found))
        })
    }

    /// The item that was written last. Times are in seconds; among equals it is the one of the highest number, by which services
    /// name what they make.
    fn newest(&mut self, mut items: Vec<OwnedObjectPath>) -> Result<Option<OwnedObjectPath>> {
        if items.len() < 2 {
            return Ok(items.pop());
        }
        let mut asked = Vec::new();
        for item in items {
            asked.push((self.queue(at(item.as_str(), PROPERTIES, "Get"), &(ITEM, "Modified"))?, item));
        }
        self.flush()?;
        let mut dated = Vec::new();
        for (serial, item) in asked {
            match self.bus.answer(serial, self.deadline).and_then(|message| message.body::<(OwnedValue,)>()) {
                Ok((value,)) => dated.push((u64::try_from(&value).unwrap_or(0), item)),
                // Deleted in the meantime by whoever races.
                Err(Trouble::Refused { name, .. }) if no_such_object(&name) => {}
                Err(trouble) => return Err(self.convert_error(trouble)),
            }
        }
        Ok(dated.into_iter().max_by_key(|(modified, item)| (*modified, item.len(), item.to_string())).map(|(_, item)| item))
    }

    fn delete(&mut self, items: &[OwnedObjectPath]) -> Result<()> {
        let mut asked = Vec::new();
        for item in items {
            asked.push(self.queue(at(item.as_str(), ITEM, "Delete"), &())?);
        }
        self.flush()?;
        for serial in asked {
            match self.bus.answer(serial, self.deadline).and_then(|message| message.body::<(OwnedObjectPath,)>()) {
                Ok((prompt,)) if prompt.as_str() != NOTHING => return Err(self.locked_fault()),
                Ok(_) => {}
                Err(Trouble::Refused { name, .. }) if no_such_object(&name) => {}
                Err(trouble) => return Err(self.convert_error(trouble)),
            }
        }
        Ok(())
    }

    fn unlock(&mut self) -> Result<()> {
        let (collection,): (OwnedObjectPath,) = {
            let alias = self.queue(at(ROOT, SERVICE, "ReadAlias"), &("default",))?;
            self.flush()?;
            self.answer(alias)?
        };
        let unlock = self.queue(at(ROOT, SERVICE, "Unlock"), &(vec![collection],))?;
        self.flush()?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = self.answer(unlock)?;
        if prompt.as_str() != NOTHING {
            let rule = format!("type='signal',sender='{NAME}',interface='{PROMPT}',path='{}'", prompt.as_str());
            let watch = self.queue(Method { member: "AddMatch", ..BUS }, &(rule,))?;
            // No window of ours that the prompt could belong to.
            let show = self.queue(at(prompt.as_str(), PROMPT, "Prompt"), &("",))?;
            self.flush()?;
            for serial in [watch, show] {
                let answered = self.bus.answer(serial, self.deadline);
                answered.map_err(|trouble| self.convert_error(trouble))?;
            }
            // Whether it was answered or waved away is seen by looking at the lock.
            match self.bus.signal(prompt.as_str(), "Completed", self.deadline) {
                Ok(_) => {}
                Err(Trouble::TimedOut) => return Err(Error::Locked("the keyring (nobody answered its prompt)".to_owned())),
                Err(trouble) => return Err(self.convert_error(trouble)),
            }
        }
        if self.locked()? { Err(self.locked_fault()) } else { Ok(()) }
    }

    /// Says what has to be unlocked.
    fn locked_fault(&mut self) -> Error {
        let label = self.ask(at(DEFAULT, PROPERTIES, "Get"), &(COLLECTION, "Label")).and_then(|message| {
            let (label,): (OwnedValue,) = message.body()?;
            Ok(String::try_from(label).unwrap_or_default())
        });
        match label {
            Ok(label) if !label.is_empty() => Error::Locked(format!("the keyring \"{label}\"")),
            _ => Error::Locked("the default keyring".to_owned()),
        }
    }

    fn convert_error(&mut self, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Refused { name, .. } if name == "org.freedesktop.Secret.Error.IsLocked" => self.locked_fault(),
            other => plain_fault(other),
        }
    }
}

// By value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
fn unreadable(error: zvariant::Error) -> Error {
    Error::Failed(format!("the keyring answers nonsense: {error}"))
}

fn is_true(value: &OwnedValue) -> Result<bool> {
    bool::try_from(value).map_err(|error| Error::Failed(format!("the keyring does not say whether it is locked: {error}")))
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

fn plain_fault(trouble: Trouble) -> Error {
    const BUS_ERROR: &str = "org.freedesktop.DBus.Error.";
    match trouble {
        Trouble::NoBus(what) => Error::Missing(what),
        Trouble::Broken(what) => Error::Failed(what),
        Trouble::TimedOut => Error::TimedOut("the Secret Service did not answer in time".to_owned()),
        Trouble::Refused { name, text } => match name.strip_prefix(BUS_ERROR).unwrap_or(&name) {
            "ServiceUnknown" | "NameHasNoOwner" => {
                Error::Missing("nothing on the session bus provides a Secret Service".to_owned())
            }
            spawn if spawn.starts_with("Spawn.") => Error::Missing(format!("the Secret Service can't be started: {text}")),
            _ if no_such_object(&name) => Error::Missing("the Secret Service has no default keyring".to_owned()),
            "NoReply" | "Timeout" | "TimedOut" => Error::TimedOut("the Secret Service did not answer in time".to_owned()),
            _ => Error::Failed(format!("the Secret Service refuses: {text} ({name})")),
        },
    }
}
