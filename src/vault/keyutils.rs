//! The Linux kernel's keyring: memory that no disk sees, read in microseconds, gone at a reboot. Touches the user's persistent
//! keyring, by system calls.
//!
//! The persistent keyring (persistent-keyring(7)) is used directly: it is there without a session keyring (containers, cron) and is
//! the same for all of the user's processes. It is linked to this process's own keyring, which is what allows reading its keys.

use linux_keyutils::{Key, KeyError, KeyRing, KeyRingIdentifier, KeySerialId};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::{Backend, Bytes, Item};
use crate::sys::clock;

/// The most that the kernel takes for a key of type `user`.
const LIMIT: usize = 32_767;

/// More keys than the kernel's quota allows to root (1,000,000 unless raised).
const MOST_KEYS: usize = 1 << 20;

/// `KEY_SPEC_PROCESS_KEYRING`.
const PROCESS_KEYRING: i32 = -2;

/// Keys in the user's persistent keyring.
pub struct Keyutils;

impl Backend for Keyutils {
    fn name(&self) -> &'static str {
        "keyutils"
    }

    fn limit(&self) -> Option<usize> {
        Some(LIMIT)
    }

    fn volatile(&self) -> bool {
        true
    }

    fn forgets(&self) -> bool {
        true
    }

    fn probe(&self) -> Result<()> {
        ring().map(drop)
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>> {
        match find(ring()?, slot)? {
            Some(key) => content(key),
            None => Ok(None),
        }
    }

    fn put(&self, slot: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> Result<()> {
        let key = ring()?.add_key(&description(slot), content).map_err(to_error)?;
        // No time-out is 0. Values that are past already get a second.
        let seconds = expires.map_or(0, |at| usize::try_from((at - clock::now()).whole_seconds()).unwrap_or(0).max(1));
        // The kernel counts in 32 bits.
        key.set_timeout(seconds.min(u32::MAX as usize)).map_err(to_error)
    }

    fn delete(&self, slot: &Item) -> Result<()> {
        let ring = ring()?;
        let Some(key) = find(ring, slot)? else { return Ok(()) };
        // The kernel gives back a key's room some time after it has gone, but that of a payload at once. Whoever makes room for
        // another value needs it at once. That this may fail changes nothing.
        let _ = key.update(b"-");
        match ring.unlink_key(key) {
            Err(error) if !gone(error) => Err(to_error(error)),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        ring()?;
        // The library's listing asks for each key's description too, and panics at a foreign one of more than 512 bytes. A keyring's
        // content is the numbers of its keys; this process's keyring holds nothing but the link to the persistent one.
        let mut contents = Vec::new();
        for ring in members(PROCESS_KEYRING)? {
            for key in members(ring).unwrap_or_default() {
                // Foreign keys may forbid reading; they are none of ours.
                contents.extend(content(Key::from_id(KeySerialId(key))).ok().flatten());
            }
        }
        Ok(contents)
    }
}

fn ring() -> Result<KeyRing> {
    KeyRing::get_persistent(KeyRingIdentifier::Process).map_err(to_error)
}

fn description(slot: &Item) -> String {
    format!("daypass:{}", slot.name)
}

fn find(ring: KeyRing, slot: &Item) -> Result<Option<Key>> {
    match ring.search(&description(slot)) {
        Ok(key) => Ok(Some(key)),
        Err(error) if gone(error) => Ok(None),
        Err(error) => Err(to_error(error)),
    }
}

fn content(key: Key) -> Result<Option<Bytes>> {
    // Most values fit the first; the kernel says how much there is.
    let mut buffer = Zeroizing::new(vec![0; 4096]);
    for _ in 0..2 {
        match key.read(&mut *buffer) {
            Ok(len) if len <= buffer.len() => {
                buffer.truncate(len);
                return Ok(Some(buffer));
            }
            Ok(len) if len <= LIMIT => buffer = Zeroizing::new(vec![0; LIMIT]),
            Ok(_) => return Ok(None),
            Err(error) if gone(error) => return Ok(None),
            Err(error) => return Err(to_error(error)),
        }
    }
    Ok(None)
}

fn members(ring: i32) -> Result<Vec<i32>> {
    let mut numbers = vec![0; 4096];
    loop {
        let len = Key::from_id(KeySerialId(ring)).read(&mut numbers).map_err(to_error)?;
        if len <= numbers.len() {
            numbers.truncate(len);
            return Ok(numbers.chunks_exact(4).filter_map(|number| Some(i32::from_ne_bytes(number.try_into().ok()?))).collect());
        }
        if len > 4 * MOST_KEYS {
            return Err(Error::Failed(format!("the kernel says that a keyring has {} keys", len / 4)));
        }
        numbers = vec![0; len + 4096];
    }
}

fn gone(error: KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked | KeyError::MissingFileOrDirectory)
}

fn to_error(error: KeyError) -> Error {
    const NO_SUCH_CALL: i32 = rustix::io::Errno::NOSYS.raw_os_error();
    match error {
        KeyError::QuotaExceeded => Error::Full("the kernel's keyring quota of this user is used up".to_owned()),
        KeyError::OutOfMemory => Error::Full("the kernel has no memory for another key".to_owned()),
        // Containers' system call filters answer EPERM or ENOSYS; a kernel without persistent keyrings ENOTSUP.
        KeyError::PermissionDenied | KeyError::AccessDenied | KeyError::OperationNotSupported | KeyError::Unknown(NO_SUCH_CALL) => {
            Error::Missing(format!("the kernel's keyring can't be used here ({error})"))
        }
        other => Error::Failed(format!("the kernel's keyring: {other}")),
    }
}
