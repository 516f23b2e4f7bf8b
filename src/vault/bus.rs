//! The D-Bus session bus, as much of it as the Secret Service needs: method calls, their answers, one signal. Touches the bus's
//! socket, and every step of it ends at a deadline: connecting and greeting too.
//!
//! Calls can be sent before the answers to earlier ones are there. A read is so two round trips, greeting included.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use socket2::{Domain, SockAddr, Socket, Type as SocketType};
use zeroize::Zeroizing;
use zvariant::serialized::{Context, Data};
use zvariant::{DynamicType, Endian, LE, ObjectPath, Signature, Type, Value, as_value};

use super::Bytes;
use crate::sys::clock::Deadline;

const CALL: u8 = 1;
const ANSWER: u8 = 2;
const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

// Header fields (D-Bus specification, "Header Fields").
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// The parts of a header before its fields, and the length of the fields.
const FIXED: usize = 16;

/// The specification allows 128 MiB; no keyring of ours comes near.
const LARGEST: usize = 64 << 20;

/// Byte order, kind, flags, version, length of the body, serial, fields.
type Header<'m> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Value<'m>)>);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The bus can't be reached, or does not let us in.
    NoBus(String),
    /// The connection was fine and then was not.
    Broken(String),
    /// The deadline passed.
    TimedOut,
    /// The answer is an error, of this name and with this text for people.
    Refused {
        /// Such as `org.freedesktop.DBus.Error.ServiceUnknown`.
        name: String,
        /// In whatever language.
        text: String,
    },
}

/// A connection.
pub(super) struct Bus {
    socket: UnixStream,
    outgoing: Bytes,
    incoming: Bytes,
    /// How much of `incoming` was handed out already.
    taken: usize,
    serial: u32,
    waiting: Vec<Message>,
}

/// What is called: an object's method.
#[derive(Clone, Copy)]
pub(super) struct Method<'a> {
    /// The bus name of who is called.
    pub(super) destination: &'a str,
    /// The object.
    pub(super) path: &'a str,
    /// The interface.
    pub(super) interface: &'a str,
    /// The method.
    pub(super) member: &'a str,
}

/// The number of a call, to ask for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Serial(u32);

/// An answer or a signal.
pub(super) struct Message {
    kind: u8,
    endian: Endian,
    answers: Option<u32>,
    path: String,
    member: String,
    error: String,
    signature: String,
    body: Bytes,
}

impl Message {
    /// The arguments, as a tuple (of one, where there is one).
    pub(super) fn body<T: Type + DeserializeOwned>(&self) -> Result<T, Trouble> {
        self.data::<T>()?.deserialize().map(|(value, _)| value).map_err(|error| nonsense(&error))
    }

    /// The arguments once they are known to be of this type, for those who want to borrow from them: `deserialize` of what comes back.
    pub(super) fn data<T: Type>(&self) -> Result<Data<'_, 'static>, Trouble> {
        // The library takes "(ss)" and "ss" for the same, as far as one can tell afterwards; on the wire they are.
        let wanted = Signature::try_from(inside(&T::SIGNATURE.to_string())).map_err(|error| nonsense(&error))?;
        if wanted.to_string_no_parens() != self.signature {
            return Err(nonsense(&format!("arguments of type \"{}\"", self.signature)));
        }
        Ok(Data::new(self.body.as_slice(), Context::new_dbus(self.endian, 0)))
    }
}

fn nonsense(what: &dyn std::fmt::Display) -> Trouble {
    Trouble::Broken(format!("the session bus sent nonsense: {what}"))
}

impl Bus {
    /// Connects to the first of these addresses that answers, and queues the greeting: it goes out together with the first call.
    ///
    /// Addresses are those of [`addresses`].
    pub(super) fn connect(addresses: &[PathBuf], deadline: Deadline) -> Result<Self, Trouble> {
        let mut failed = Trouble::NoBus("there is no D-Bus session bus".to_owned());
        for address in addresses {
            match dial(address, deadline) {
                Ok(socket) => {
                    let mut bus = Self {
                        socket,
                        outgoing: Bytes::default(),
                        incoming: Bytes::default(),
                        taken: 0,
                        serial: 0,
                        waiting: Vec::new(),
                    };
                    // EXTERNAL without a name: the bus takes the user from the socket. BEGIN is sent unasked, as sd-bus does.
                    bus.outgoing.extend_from_slice(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
                    return Ok(bus);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Err(Trouble::TimedOut),
                Err(error) => failed = Trouble::NoBus(format!("the D-Bus session bus can't be reached: {error}")),
            }
        }
        Err(failed)
    }

    /// The bus's side of the greeting; to be read once, before any answer.
    pub(super) fn greeted(&mut self, deadline: Deadline) -> Result<(), Trouble> {
        // DATA asks for what was sent already; OK is the end of it. More lines than that are no D-Bus.
        for _ in 0..4 {
            let mut line = String::new();
            while !line.ends_with("\r\n") {
                let byte = self.take(1, deadline).map_err(no_bus)?;
                line.extend(byte.iter().map(|&byte| char::from(byte)));
                if line.len() > 256 {
                    return Err(Trouble::NoBus("the session bus does not speak D-Bus".to_owned()));
                }
            }
            match line.split_ascii_whitespace().next() {
                Some("OK") => return Ok(()),
                Some("DATA") => {}
                _ => break,
            }
        }
        Err(Trouble::NoBus("the D-Bus session bus does not let this user in".to_owned()))
    }

    /// Queues a call. `arguments` is a tuple of them; `()` for none.
    pub(super) fn call<T: Serialize + DynamicType>(&mut self, method: Method, arguments: &T) -> Result<Serial, Trouble> {
        let signature = arguments.signature().to_string();
        let signature = inside(&signature);
        let mut body = Body::default();
        if !signature.is_empty() {
            body.push(arguments)?;
        }
        self.queue(method, signature, &body)
    }

    /// Queues a call whose arguments are written already.
    pub(super) fn queue(&mut self, method: Method, signature: &str, body: &Body) -> Result<Serial, Trouble> {
        self.serial += 1;
        let mut fields = vec![
            (PATH, Field::Path(ObjectPath::try_from(method.path).map_err(unfit)?)),
            (INTERFACE, Field::Text(method.interface)),
            (MEMBER, Field::Text(method.member)),
            (DESTINATION, Field::Text(method.destination)),
        ];
        if !signature.is_empty() {
            fields.push((SIGNATURE, Field::Signature(signature)));
        }
        let len = u32::try_from(body.0.len()).map_err(unfit)?;
        let header =
            zvariant::to_bytes(Context::new_dbus(LE, 0), &(b'l', CALL, 0_u8, 1_u8, len, self.serial, fields)).map_err(unfit)?;
        let padded = header.len().next_multiple_of(8);
        let mut outgoing = Zeroizing::new(Vec::with_capacity(self.outgoing.len() + padded + body.0.len()));
        outgoing.extend_from_slice(&self.outgoing);
        outgoing.extend_from_slice(&header);
        outgoing.extend(std::iter::repeat_n(0, padded - header.len()));
        outgoing.extend_from_slice(&body.0);
        self.outgoing = outgoing;
        Ok(Serial(self.serial))
    }

    /// Sends what is queued.
    pub(super) fn flush(&mut self, deadline: Deadline) -> Result<(), Trouble> {
        let outgoing = std::mem::take(&mut self.outgoing);
        let mut rest = outgoing.as_slice();
        while !rest.is_empty() {
            let left = Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(Trouble::TimedOut)?;
            match self.socket.set_write_timeout(Some(left)).and_then(|()| self.socket.write(rest)) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) => interrupted(&error)?,
            }
        }
        Ok(())
    }

    /// The answer to a call, in whatever order answers come.
    pub(super) fn answer(&mut self, serial: Serial, deadline: Deadline) -> Result<Message, Trouble> {
        let message = self.wait(deadline, |message| message.answers == Some(serial.0))?;
        if message.kind == ERROR {
            let text = message.body::<(String,)>().map(|(text,)| text).unwrap_or_default();
            return Err(Trouble::Refused { name: message.error, text });
        }
        Ok(message)
    }

    /// The next signal of this name from this object.
    pub(super) fn signal(&mut self, path: &str, member: &str, deadline: Deadline) -> Result<Message, Trouble> {
        self.wait(deadline, |message| message.kind == SIGNAL && message.path == path && message.member == member)
    }

    fn wait(&mut self, deadline: Deadline, wanted: impl Fn(&Message) -> bool) -> Result<Message, Trouble> {
        loop {
            if let Some(index) = self.waiting.iter().position(&wanted) {
                return Ok(self.waiting.swap_remove(index));
            }
            let message = self.read(deadline)?;
            self.waiting.push(message);
        }
    }

    fn read(&mut self, deadline: Deadline) -> Result<Message, Trouble> {
        let fixed = self.take(FIXED, deadline)?;
        let endian = match fixed.first() {
            Some(b'l') => Endian::Little,
            Some(b'B') => Endian::Big,
            _ => return Err(nonsense(&"a byte order that does not exist")),
        };
        let number = |at: usize| -> Result<usize, Trouble> {
            let bytes = fixed.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
            let number = if matches!(endian, Endian::Little) { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) };
            usize::try_from(number)
                .ok()
                .filter(|&number| number <= LARGEST)
                .ok_or_else(|| nonsense(&"a message beyond all measure"))
        };
        let (body_len, fields_len) = (number(4)?, number(12)?);
        let mut header = fixed.clone();
        header.extend_from_slice(&self.take(fields_len.next_multiple_of(8), deadline)?);
        let body = self.take(body_len, deadline)?;
        let mut message = Message {
            kind: 0,
            endian,
            answers: None,
            path: String::new(),
            member: String::new(),
            error: String::new(),
            signature: String::new(),
            body,
        };
        let data = Data::new(header.as_slice(), Context::new_dbus(endian, 0));
        let ((_, kind, _, _, _, _, fields), _): (Header, usize) = data.deserialize().map_err(|error| nonsense(&error))?;
        message.kind = kind;
        for field in fields {
            match field {
                (REPLY_SERIAL, Value::U32(serial)) if matches!(kind, ANSWER | ERROR) => message.answers = Some(serial),
                (PATH, Value::ObjectPath(path)) => message.path = path.to_string(),
                (MEMBER, Value::Str(member)) => message.member = member.to_string(),
                (ERROR_NAME, Value::Str(name)) => message.error = name.to_string(),
                // Written as a tuple's where there is more than one argument; kept without the parentheses.
                (SIGNATURE, Value::Signature(signature)) => message.signature = signature.to_string_no_parens(),
                _ => {}
            }
        }
        Ok(message)
    }

    /// The next `len` bytes.
    fn take(&mut self, len: usize, deadline: Deadline) -> Result<Bytes, Trouble> {
        let mut bytes = Zeroizing::new(Vec::new());
        loop {
            let ready = self.incoming.get(self.taken..).unwrap_or_default();
            let part = ready.get(..len - bytes.len()).unwrap_or(ready);
            // Reserved when the first bytes of it are there: one copy, and no memory for a mere announcement.
            if bytes.capacity() == 0 && !part.is_empty() {
                bytes.reserve_exact(len);
            }
            bytes.extend_from_slice(part);
            self.taken += part.len();
            if bytes.len() == len {
                return Ok(bytes);
            }
            self.fill(deadline)?;
        }
    }

    fn fill(&mut self, deadline: Deadline) -> Result<(), Trouble> {
        let mut buffer = Zeroizing::new(vec![0; 16 << 10]);
        loop {
            let left = Some(deadline.left()).filter(|left| !left.is_zero()).ok_or(Trouble::TimedOut)?;
            match self.socket.set_read_timeout(Some(left)).and_then(|()| self.socket.read(&mut buffer)) {
                Ok(0) => return Err(Trouble::Broken("the session bus hung up".to_owned())),
                Ok(read) => {
                    buffer.truncate(read);
                    (self.incoming, self.taken) = (buffer, 0);
                    return Ok(());
                }
                Err(error) => interrupted(&error)?,
            }
        }
    }
}

/// The signature of a tuple without its parentheses: that of a body with these arguments.
fn inside(tuple: &str) -> &str {
    tuple.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or("")
}

/// A header field's value, which is written as a variant. `Value` would do, but for signatures: it writes "(ss)" for "ss".
enum Field<'a> {
    Path(ObjectPath<'a>),
    Text(&'a str),
    Signature(&'a str),
}

impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => as_value::Serialize(path).serialize(serializer),
            Self::Text(text) => as_value::Serialize(text).serialize(serializer),
            Self::Signature(signature) => as_value::Serialize(&Plain(signature)).serialize(serializer),
        }
    }
}

/// A signature as it is.
struct Plain<'a>(&'a str);

impl Type for Plain<'_> {
    const SIGNATURE: &'static Signature = &Signature::Signature;
}

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// The arguments of a call, written one after the other.
#[derive(Default)]
pub(super) struct Body(Bytes);

impl Body {
    /// Any value, padded to its place.
    pub(super) fn push<T: Serialize + DynamicType>(&mut self, value: &T) -> Result<(), Trouble> {
        let bytes = zvariant::to_bytes(Context::new_dbus(LE, self.0.len()), value).map_err(unfit)?;
        self.0.extend_from_slice(&bytes);
        Ok(())
    }

    /// An array of secret bytes, past the library's buffers, which are not wiped.
    pub(super) fn push_secret(&mut self, value: &[u8]) -> Result<(), Trouble> {
        self.push(&u32::try_from(value.len()).map_err(unfit)?)?;
        let mut longer = Zeroizing::new(Vec::with_capacity(self.0.len() + value.len() + 64));
        longer.extend_from_slice(&self.0);
        longer.extend_from_slice(value);
        self.0 = longer;
        Ok(())
    }
}

fn unfit(error: impl std::fmt::Display) -> Trouble {
    Trouble::Broken(format!("a call can't be written: {error}"))
}

/// Ok for what is no failure: a signal, or a time-out (whether the deadline has passed is looked at before each step).
fn interrupted(error: &std::io::Error) -> Result<(), Trouble> {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(()),
        _ => Err(Trouble::Broken(format!("the session bus: {error}"))),
    }
}

/// A bus that hangs up on the greeting did not let us in (another user's, after `sudo`).
pub(super) fn no_bus(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Broken(what) => Trouble::NoBus(what),
        other => other,
    }
}

fn dial(address: &std::path::Path, deadline: Deadline) -> std::io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, SocketType::STREAM, None)?;
    // On Linux it bounds connecting as well: a bus that no longer accepts has a queue that fills up.
    socket.set_write_timeout(Some(deadline.left()).filter(|left| !left.is_zero()))?;
    socket.connect(&SockAddr::unix(address)?)?;
    Ok(OwnedFd::from(socket).into())
}

/// The Unix sockets of an address list such as `unix:path=/run/user/1000/bus;unix:abstract=/tmp/dbus-x,guid=…` (D-Bus specification,
/// "Server Addresses"). An abstract one starts with a NUL. Other transports are left out.
pub(super) fn addresses(list: &str) -> Vec<PathBuf> {
    let socket = |address: &str| {
        address.strip_prefix("unix:")?.split(',').find_map(|pair| match pair.split_once('=')? {
            ("path", path) => unescape(path),
            ("abstract", name) => Some(format!("\0{}", unescape(name)?)),
            _ => None,
        })
    };
    list.split(';').filter_map(socket).map(PathBuf::from).collect()
}

/// `%2f` and its kin. None for what is no escape or no UTF-8.
fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_list_gives_its_unix_sockets_in_order() {
        let list = "tcp:host=localhost,port=1;unix:path=/run/a%20b,guid=00;unix:guid=1,abstract=/tmp/x;unix:path=%zz;;unix:";
        assert_eq!(addresses(list), [PathBuf::from("/run/a b"), PathBuf::from("\0/tmp/x")]);
    }
}
