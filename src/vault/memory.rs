//! A back-end that lives as long as the process: `DAYPASS_KEYRING=memory`, and the one for tests, where the next calls can be made
//! to fail. Touches nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::{Backend, Bytes, Item};

/// Slots in a map.
#[derive(Default)]
pub struct Memory {
    slots: RefCell<BTreeMap<String, Bytes>>,
    limit: Option<usize>,
    room: Option<usize>,
    down: Option<Error>,
    faults: RefCell<VecDeque<Option<Error>>>,
}

impl Memory {
    /// One that takes no more than `limit` bytes in a slot.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// One that has no more than so many slots.
    pub fn with_room(room: usize) -> Self {
        Self { room: Some(room), ..Self::default() }
    }

    /// One that answers nothing but this.
    pub fn down(fault: Error) -> Self {
        Self { down: Some(fault), ..Self::default() }
    }

    /// Lets `calls` calls pass and makes the one after them fail. May be said again: the count then starts where this fault struck.
    pub fn fail_after(&self, calls: usize, fault: Error) {
        let mut faults = self.faults.borrow_mut();
        faults.extend(std::iter::repeat_n(None, calls));
        faults.push_back(Some(fault));
    }

    /// Copies what another one holds now: the state of a disk at some moment.
    pub fn copy_of(other: &Self) -> Self {
        Self { slots: other.slots.clone(), limit: other.limit, room: other.room, ..Self::default() }
    }

    /// The names of the slots in use.
    pub fn names(&self) -> Vec<String> {
        self.slots.borrow().keys().cloned().collect()
    }

    /// Puts bytes into a slot past all rules, as damage would.
    pub fn damage(&self, name: &str, content: &[u8]) {
        self.slots.borrow_mut().insert(name.to_owned(), Zeroizing::new(content.to_vec()));
    }

    /// The bytes of a slot.
    pub fn content(&self, name: &str) -> Option<Bytes> {
        self.slots.borrow().get(name).cloned()
    }

    fn strike(&self) -> Result<()> {
        if let Some(fault) = &self.down {
            return Err(fault.clone());
        }
        self.faults.borrow_mut().pop_front().flatten().map_or(Ok(()), Err)
    }
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn limit(&self) -> Option<usize> {
        self.limit
    }

    fn volatile(&self) -> bool {
        true
    }

    fn probe(&self) -> Result<()> {
        self.strike()
    }

    fn get(&self, slot: &Item) -> Result<Option<Bytes>> {
        self.strike()?;
        Ok(self.slots.borrow().get(&slot.name).cloned())
    }

    fn put(&self, slot: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        self.strike()?;
        if self.limit.is_some_and(|limit| content.len() > limit) {
            return Err(Error::Full(format!("{} bytes are too many for one slot", content.len())));
        }
        let mut slots = self.slots.borrow_mut();
        if self.room.is_some_and(|room| slots.len() >= room && !slots.contains_key(&slot.name)) {
            return Err(Error::Full("no slot is left".to_owned()));
        }
        slots.insert(slot.name.clone(), Zeroizing::new(content.to_vec()));
        Ok(())
    }

    fn delete(&self, slot: &Item) -> Result<()> {
        self.strike()?;
        self.slots.borrow_mut().remove(&slot.name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        self.strike()?;
        Ok(self.slots.borrow().values().cloned().collect())
    }
}
