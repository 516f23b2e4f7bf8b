//! Stores values of any length in items of limited size: one item if the value fits, else parts, and a header that is written last.
//! Touches only the store that it is given.
//!
//! An item contains the header, one line of JSON (key, expiry, length), followed by the value. If the value is split, the item
//! contains only the header, which names the parts and their SHA-256. Parts are written under the generation that the current header
//! does not use, so that a writer that stops halfway leaves the old value whole. A header whose parts are missing, damaged or from
//! another writer counts as missing.

use std::collections::HashSet;
use std::io::Write;

use ring::digest;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::key::hex;
use super::key::{Assumed, Key, Kind};
use super::record::{Wiped, secret};
use super::store::{Backend, Bytes, Item};
use crate::profile::names::{AccountId, RoleName};
use crate::secret::Secret;

/// The only version of the header that is written and read.
const VERSION: u32 = 1;

/// The first byte of a part, so that no part is mistaken for a header.
const PART: u8 = b'+';

#[derive(Serialize, Deserialize)]
struct Header {
    v: u32,
    key: KeyForm,
    /// Seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    /// The length of the whole value in bytes.
    len: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<Parts>,
}

#[derive(Serialize, Deserialize)]
struct Parts {
    generation: u8,
    count: usize,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct KeyForm {
    kind: String,
    session: String,
    start_url: String,
    region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assumed: Option<AssumedForm>,
}

#[derive(Serialize, Deserialize)]
struct AssumedForm {
    arn: String,
    digest: String,
}

impl KeyForm {
    fn of(key: &Key) -> Self {
        let role = key.role();
        Self {
            kind: key.word().to_owned(),
            session: key.session.clone(),
            start_url: key.start_url.clone(),
            region: key.region.clone(),
            account: role.map(|(account, _)| account.to_string()),
            role: role.map(|(_, role)| role.to_string()),
            id: key.parked().map(str::to_owned),
            assumed: key.assumed().map(|Assumed { arn, digest }| AssumedForm { arn: arn.clone(), digest: digest.clone() }),
        }
    }

    fn key(self) -> Option<Key> {
        let role = || Some((AccountId::new(self.account.as_ref()?)?, RoleName::new(self.role.as_ref()?).ok()?));
        let kind = match (self.kind.as_str(), self.assumed) {
            ("registration", None) => Kind::Registration,
            ("token", None) => Kind::Token,
            ("role", None) => role().map(|(account, role)| Kind::Role(account, role))?,
            ("assumed", Some(AssumedForm { arn, digest })) => {
                role().map(|(account, role)| Kind::Assumed(account, role, Assumed { arn, digest }))?
            }
            ("parked", None) => Kind::Parked(self.id?),
            _ => return None,
        };
        Some(Key { kind, session: self.session, start_url: self.start_url, region: self.region })
    }
}

/// A value in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// When the value expires.
    pub expires: Option<OffsetDateTime>,
    /// The value; None if it is split.
    pub value: Option<Secret>,
}

/// The value of a key; None if it is missing or incomplete.
pub fn get(store: &dyn Backend, key: &Key) -> Result<Option<Secret>> {
    let Some(content) = store.get(&head(key))? else { return Ok(None) };
    let Some((header, value)) = parse(content) else { return Ok(None) };
    if header.key.key().as_ref() != Some(key) {
        return Ok(None);
    }
    match header.parts {
        None => Ok(value),
        Some(parts) => Ok(join(store, key, &parts, header.len)?.filter(|value| value.len() == header.len).and_then(secret)),
    }
}

/// Stores a value and replaces an earlier one.
pub fn put(store: &dyn Backend, key: &Key, value: &Secret, expires: Option<OffsetDateTime>) -> Result<()> {
    let value = value.expose().as_bytes();
    let mut header = Header {
        v: VERSION,
        key: KeyForm::of(key),
        expires: expires.map(OffsetDateTime::unix_timestamp),
        len: value.len(),
        parts: None,
    };
    let whole = write(&header, value)?;
    let Some(limit) = store.limit() else { return store.put(&head(key), &whole, expires) };
    if whole.len() <= limit {
        store.put(&head(key), &whole, expires)?;
        sweep(store, key, 0, 0)?;
        return sweep(store, key, 1, 0);
    }
    let current = store.get(&head(key))?.and_then(|content| Some(parse(content)?.0.parts?.generation));
    let (old, new) = if current == Some(0) { (0, 1) } else { (1, 0) };
    let pieces = value.chunks(limit.saturating_sub(1).max(1));
    let count = pieces.len();
    header.parts = Some(Parts { generation: new, count, sha256: sha256(value) });
    let written = pieces
        .enumerate()
        .try_for_each(|(index, piece)| {
            let mut content = Zeroizing::new(Vec::with_capacity(piece.len() + 1));
            content.push(PART);
            content.extend_from_slice(piece);
            store.put(&part(key, new, index), &content, expires)
        })
        .and_then(|()| store.put(&head(key), &write(&header, b"")?, expires));
    match written {
        Ok(()) => {
            sweep(store, key, new, count)?;
            sweep(store, key, old, 0)
        }
        Err(error) => {
            // The parts already written are of no use.
            let _ = sweep(store, key, new, 0);
            Err(error)
        }
    }
}

/// Deletes a value. A missing value is not an error.
pub fn delete(store: &dyn Backend, key: &Key) -> Result<()> {
    store.delete(&head(key))?;
    if store.limit().is_some() {
        sweep(store, key, 0, 0)?;
        sweep(store, key, 1, 0)?;
    }
    Ok(())
}

/// All values that daypass stored. Unreadable ones are skipped.
pub fn list(store: &dyn Backend) -> Result<Vec<Entry>> {
    let mut known = HashSet::new();
    let entry = |content| {
        let (header, value) = parse(content)?;
        let expires = header.expires.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        Some(Entry { key: header.key.key()?, expires, value })
    };
    Ok(store.list()?.into_iter().filter_map(entry).filter(|entry| known.insert(entry.key.clone())).collect())
}

fn head(key: &Key) -> Item<'_> {
    Item { name: key.id(), key }
}

fn part(key: &Key, generation: u8, index: usize) -> Item<'_> {
    Item { name: format!("{}.{generation}.{index}", key.id()), key }
}

fn write(header: &Header, value: &[u8]) -> Result<Bytes> {
    let mut content = Wiped(Zeroizing::new(Vec::with_capacity(512 + value.len())));
    serde_json::to_writer(&mut content, header)
        .map_err(std::io::Error::from)
        .and_then(|()| content.write_all(b"\n"))
        .and_then(|()| content.write_all(value))
        .map_err(|error| Error::Failed(error.to_string()))?;
    Ok(content.0)
}

/// The header, and the value if it is not split.
fn parse(mut content: Bytes) -> Option<(Header, Option<Secret>)> {
    let end = content.iter().position(|&byte| byte == b'\n')?;
    let header: Header = serde_json::from_slice(content.get(..end)?).ok()?;
    content.drain(..=end);
    let value = if header.parts.is_none() && content.len() == header.len { secret(content) } else { None };
    (header.v == VERSION).then_some((header, value))
}

fn join(store: &dyn Backend, key: &Key, parts: &Parts, len: usize) -> Result<Option<Bytes>> {
    let mut value = Wiped::default();
    for index in 0..parts.count {
        let Some(content) = store.get(&part(key, parts.generation, index))? else { return Ok(None) };
        let Some((&PART, piece)) = content.split_first() else { return Ok(None) };
        // A wrong count in the header must not use up the memory.
        if value.0.len() + piece.len() > len || value.write_all(piece).is_err() {
            return Ok(None);
        }
    }
    Ok((sha256(&value.0) == parts.sha256).then_some(value.0))
}

/// Deletes the parts of one generation from `from` on. The last one first, so that an interrupted call leaves no gap behind which a
/// later call would miss the rest.
fn sweep(store: &dyn Backend, key: &Key, generation: u8, from: usize) -> Result<()> {
    let mut end = from;
    while store.get(&part(key, generation, end))?.is_some() {
        end += 1;
    }
    (from..end).rev().try_for_each(|index| store.delete(&part(key, generation, index)))
}

fn sha256(value: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, value).as_ref())
}
