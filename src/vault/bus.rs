//! A connection to the D-Bus session bus, by `zbus`: method calls and one signal, each with a deadline.
//!
//! `zbus` itself waits forever for a bus or a service that does not answer. Its connection runs on a Tokio runtime of this thread: no
//! other thread is started. Its message buffers are not wiped.

use std::fmt;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use zbus::connection::Builder as Handshake;
use zbus::message::{Flags, Type};
use zbus::{DBusError, DynamicType, MatchRule, Message, MessageStream};

use crate::sys::clock::{self, Deadline};

/// The pause before another attempt to connect to a bus whose queue is full.
const QUEUE_FULL: Duration = Duration::from_millis(20);

/// Why a call has no answer.
#[derive(Debug)]
pub(super) enum Error {
    /// There is no bus, or it rejects this user.
    NoBus(String),
    /// The connection broke, or the answer is not what the method returns.
    Broken(String),
    /// The deadline passed.
    TimedOut,
    /// The answer is an error.
    Refused {
        /// Such as `org.freedesktop.DBus.Error.ServiceUnknown`.
        name: String,
        /// A text for people.
        text: String,
    },
}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, text, _) => Self::Refused { name: name.to_string(), text: text.unwrap_or_default() },
            zbus::Error::FDO(error) => {
                Self::Refused { name: error.name().to_string(), text: error.description().unwrap_or_default().to_owned() }
            }
            other => Self::Broken(format!("the session bus: {other}")),
        }
    }
}

/// A Unix socket of the session bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A path in the file system.
    Path(PathBuf),
    /// A name in Linux's abstract namespace.
    Abstract(String),
}

impl Address {
    /// The Unix sockets of a list such as `unix:path=/run/user/1000/bus;unix:abstract=/tmp/dbus-x,guid=…` (D-Bus specification,
    /// "Server Addresses"). Other transports are ignored.
    pub(super) fn list(list: &str) -> Vec<Self> {
        let socket = |address: &str| {
            address.strip_prefix("unix:")?.split(',').find_map(|pair| match pair.split_once('=')? {
                ("path", path) => unescape(path).map(PathBuf::from).map(Self::Path),
                ("abstract", name) => unescape(name).map(Self::Abstract),
                _ => None,
            })
        };
        list.split(';').filter_map(socket).collect()
    }

    /// Connects to what listens there.
    async fn connect(&self) -> zbus::Result<UnixStream> {
        let address = match self {
            Self::Path(path) => SocketAddr::from_pathname(path)?,
            Self::Abstract(name) => SocketAddr::from_abstract_name(name)?,
        };
        loop {
            match UnixStream::connect_addr(&address.clone().into()).await {
                Err(error) if error.kind() == ErrorKind::WouldBlock => clock::pause(QUEUE_FULL).await,
                connected => return Ok(connected?),
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "unix:path={}", path.display()),
            Self::Abstract(name) => write!(f, "unix:abstract={name}"),
        }
    }
}

/// Decodes `%2f` and the like. None for what is no escape sequence or not UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// A method of an object.
#[derive(Clone, Copy)]
pub(super) struct Method<'a> {
    /// The bus name of the service.
    pub(super) destination: &'a str,
    /// The object.
    pub(super) path: &'a str,
    /// The interface.
    pub(super) interface: &'a str,
    /// The method.
    pub(super) member: &'a str,
}

/// A connection.
pub(super) struct Bus {
    // Closed before the runtime ends.
    connection: zbus::Connection,
    runtime: Runtime,
}

impl Bus {
    /// Connects to the first of these addresses where something listens.
    pub(super) fn connect(addresses: &[Address], deadline: Deadline) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| Error::Broken(format!("the session bus: {error}")))?;
        let connection = runtime.block_on(async {
            let mut failed = Error::NoBus("there is no D-Bus session bus".to_owned());
            for address in addresses {
                match within(deadline, address.connect()).await {
                    Ok(socket) => {
                        check_owner(&socket, address)?;
                        return greet(socket, deadline).await;
                    }
                    Err(Error::TimedOut) => return Err(Error::TimedOut),
                    Err(error) => failed = no_bus(error),
                }
            }
            Err(failed)
        })?;
        Ok(Self { connection, runtime })
    }

    /// Runs calls to their end.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Calls a method. The arguments are a tuple.
    pub(super) async fn call<A>(&self, method: Method<'_>, arguments: &A, deadline: Deadline) -> Result<Message, Error>
    where
        A: Serialize + DynamicType,
    {
        let Method { destination, path, interface, member } = method;
        within(deadline, self.connection.call_method(Some(destination), path, Some(interface), member, arguments)).await
    }

    /// Calls a method without arguments, and does not wait for the answer.
    pub(super) async fn send(&self, method: Method<'_>, deadline: Deadline) -> Result<(), Error> {
        let Method { destination, path, interface, member } = method;
        let call = Message::method_call(path, member).destination(destination).interface(interface);
        let call = call.with_flags(Flags::NO_REPLY_EXPECTED).build(&())?;
        within(deadline, self.connection.send(&call)).await
    }

    /// Listens to a signal of an object from now on.
    pub(super) async fn signals(&self, from: Method<'_>, deadline: Deadline) -> Result<Signals, Error> {
        let Method { destination, path, interface, member } = from;
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(destination).interface(interface).path(path).member(member);
        within(deadline, MessageStream::for_match_rule(rule.build()?, &self.connection, None)).await.map(Signals)
    }
}

/// The signals that [`Bus::signals`] listens to.
pub(super) struct Signals(MessageStream);

impl Signals {
    /// Waits for the next one.
    pub(super) async fn next(&mut self, deadline: Deadline) -> Result<Message, Error> {
        let closed = || Err(zbus::Error::Failure("it closed the connection".to_owned()));
        within(deadline, async { self.0.next().await.unwrap_or_else(closed) }).await
    }
}

/// Refuses a bus of another user before anything is sent to it. Any user can bind an abstract address, or a path in `/tmp`, once the
/// bus that used it has ended; and root could use the bus of any user.
fn check_owner(socket: &UnixStream, address: &Address) -> Result<(), Error> {
    let user = rustix::process::geteuid().as_raw();
    match socket.peer_cred().map(|peer| peer.uid()) {
        Ok(owner) if owner == user => Ok(()),
        Ok(owner) => Err(Error::Broken(format!("the session bus at {address} belongs to user {owner}, not to user {user}"))),
        Err(error) => Err(Error::Broken(format!("the owner of the session bus at {address} is unknown: {error}"))),
    }
}

async fn greet(socket: UnixStream, deadline: Deadline) -> Result<zbus::Connection, Error> {
    let greeted = within(deadline, async { Handshake::unix_stream(socket.into_std()?).build().await }).await;
    greeted.map_err(no_bus)
}

async fn within<T>(deadline: Deadline, step: impl Future<Output = zbus::Result<T>>) -> Result<T, Error> {
    match tokio::time::timeout(deadline.left(), step).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Error::TimedOut),
    }
}

/// Whatever goes wrong before the bus has greeted this program: it is not there for this user.
fn no_bus(error: Error) -> Error {
    match error {
        Error::TimedOut => Error::TimedOut,
        // It names the session bus.
        Error::Broken(what) => Error::NoBus(format!("can't connect to {what}")),
        Error::NoBus(what) | Error::Refused { text: what, .. } => {
            Error::NoBus(format!("the D-Bus session bus can't be used: {what}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_list_gives_its_unix_sockets_in_order() {
        let list = "tcp:host=localhost,port=1;unix:path=/run/a%20b,guid=00;unix:guid=1,abstract=/tmp/x;unix:path=%zz;;unix:";
        assert_eq!(Address::list(list), [Address::Path("/run/a b".into()), Address::Abstract("/tmp/x".to_owned())]);
    }
}
