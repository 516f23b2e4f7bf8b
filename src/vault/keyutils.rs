//! The Linux kernel keyring: in memory, never on a disk, read in microseconds, lost at a reboot. Touches the user's persistent keyring
//! by system calls.
//!
//! The persistent keyring (persistent-keyring(7)) is used directly, because it needs no session keyring (containers, cron) and is shared
//! by all of the user's processes. It is linked to the process keyring, which gives the right to read its keys.

use linux_keyutils::{Key, KeyError, KeyRing, KeyRingIdentifier, KeySerialId};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::{Backend, Bytes, Item};
use crate::secret::Buffer;
use crate::sys::clock;

/// The longest payload of a key of type `user`, in bytes.
const LIMIT: usize = 32_767;

/// A length in bytes that most values do not exceed.
const USUAL: usize = 2048;

/// More keys than the default quota allows to root (1,000,000).
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

    fn expires_items(&self) -> bool {
        true
    }

    fn probe(&self) -> Result<()> {
        ring().map(drop)
    }

    fn get(&self, item: &Item) -> Result<Option<Bytes>> {
        match find(ring()?, item)? {
            Some(key) => content(key, &mut Buffer::new(USUAL)),
            None => Ok(None),
        }
    }

    fn put(&self, item: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> Result<()> {
        let key = ring()?.add_key(&description(item), content).map_err(to_error)?;
        // A wrong clock must not delete a sign-in, so only role credentials get a time-out.
        let expires = expires.filter(|_| item.key.role().is_some());
        // 0 means no time-out, so a value that has expired already gets one second.
        let seconds = expires.map_or(0, |at| usize::try_from((at - clock::now()).whole_seconds()).unwrap_or(0).max(1));
        // The kernel counts in 32 bits.
        key.set_timeout(seconds.min(u32::MAX as usize)).map_err(to_error)
    }

    fn delete(&self, item: &Item) -> Result<()> {
        let ring = ring()?;
        let Some(key) = find(ring, item)? else { return Ok(()) };
        // The kernel returns a deleted key's quota some time later, but that of a shortened payload at once, when space for another
        // value is needed. A failure is harmless.
        let _ = key.update(b"-");
        match ring.unlink_key(key) {
            Err(error) if !is_missing(error) => Err(to_error(error)),
            _ => Ok(()),
        }
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        ring()?;
        // The library's listing reads each key's description too, and panics if a foreign one is longer than 512 bytes. The content
        // of a keyring is the numbers of its keys; the process keyring contains only the link to the persistent one.
        let (mut contents, mut buffer) = (Vec::new(), Buffer::new(USUAL));
        for ring in members(PROCESS_KEYRING)? {
            for key in members(ring).unwrap_or_default() {
                // Foreign keys may forbid reading; daypass's own do not.
                contents.extend(content(Key::from_id(KeySerialId(key)), &mut buffer).ok().flatten());
            }
        }
        Ok(contents)
    }
}

fn ring() -> Result<KeyRing> {
    KeyRing::get_persistent(KeyRingIdentifier::Process).map_err(to_error)
}

fn description(item: &Item) -> String {
    format!("daypass:{}", item.name)
}

fn find(ring: KeyRing, item: &Item) -> Result<Option<Key>> {
    match ring.search(&description(item)) {
        Ok(key) => Ok(Some(key)),
        Err(error) if is_missing(error) => Ok(None),
        Err(error) => Err(to_error(error)),
    }
}

fn content(key: Key, buffer: &mut Buffer) -> Result<Option<Bytes>> {
    loop {
        // The kernel returns the real length.
        let len = match key.read(&mut &mut **buffer) {
            Err(error) if is_missing(error) => return Ok(None),
            len => len.map_err(to_error)?,
        };
        match buffer.get(..len) {
            Some(content) => return Ok(Some(Zeroizing::new(content.to_vec()))),
            None if len > LIMIT => return Ok(None),
            None => *buffer = Buffer::new(len),
        }
    }
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
            return Err(Error::Failed(format!("the kernel reports a keyring of {} keys", len / 4)));
        }
        numbers = vec![0; len + 4096];
    }
}

/// The user's line of `/proc/key-users` in words. Keys of other programs count too.
fn quota() -> Option<String> {
    let text = std::fs::read_to_string("/proc/key-users").ok()?;
    let uid = rustix::process::geteuid().as_raw().to_string();
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(&uid)?.strip_prefix(':'))?;
    // Usage, instantiated, keys and bytes, the last two as used/allowed.
    let mut fields = line.split_whitespace().skip(2);
    let (keys, bytes) = (fields.next()?.split_once('/')?, fields.next()?.split_once('/')?);
    Some(format!("{} of {} keys, {} of {} bytes, by all programs (/proc/key-users)", keys.0, keys.1, bytes.0, bytes.1))
}

fn is_missing(error: KeyError) -> bool {
    matches!(error, KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked | KeyError::MissingFileOrDirectory)
}

fn to_error(error: KeyError) -> Error {
    const NO_SUCH_CALL: i32 = rustix::io::Errno::NOSYS.raw_os_error();
    match error {
        KeyError::QuotaExceeded => {
            let used = quota().map(|used| format!(": {used}")).unwrap_or_default();
            Error::Quota(format!("this user's quota of kernel keys is used up{used}"))
        }
        KeyError::OutOfMemory => Error::Full("the kernel has no memory for another key".to_owned()),
        // System call filters of containers return EPERM or ENOSYS; a kernel without persistent keyrings returns ENOTSUP.
        KeyError::PermissionDenied | KeyError::AccessDenied | KeyError::OperationNotSupported | KeyError::Unknown(NO_SUCH_CALL) => {
            Error::Missing(format!("the kernel keyring can't be used here ({error})"))
        }
        other => Error::Failed(format!("the kernel keyring: {other}")),
    }
}
