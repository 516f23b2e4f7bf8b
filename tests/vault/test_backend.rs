//! A back-end in memory whose calls can be made to fail, whose size can be limited and whose items can be damaged.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use daypass::vault::{Backend, Bytes, Error, Item, Result};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Items in a map.
#[derive(Default)]
pub(crate) struct TestBackend {
    items: RefCell<BTreeMap<String, Bytes>>,
    limit: Option<usize>,
    capacity: Option<usize>,
    down: Option<Error>,
    errors: RefCell<VecDeque<Option<Error>>>,
}

impl TestBackend {
    /// A back-end that takes at most `limit` bytes per item.
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// A back-end that takes at most `capacity` items.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { capacity: Some(capacity), ..Self::default() }
    }

    /// A back-end whose every call fails with this error.
    pub(crate) fn down(error: Error) -> Self {
        Self { down: Some(error), ..Self::default() }
    }

    /// Makes one call fail after `calls` more calls. A second use counts from that failing call.
    pub(crate) fn fail_after(&self, calls: usize, error: Error) {
        let mut errors = self.errors.borrow_mut();
        errors.extend(std::iter::repeat_n(None, calls));
        errors.push_back(Some(error));
    }

    /// A copy of another back-end's items, without its errors.
    pub(crate) fn copy_of(other: &Self) -> Self {
        Self { items: other.items.clone(), limit: other.limit, capacity: other.capacity, ..Self::default() }
    }

    /// The names of all items.
    pub(crate) fn names(&self) -> Vec<String> {
        self.items.borrow().keys().cloned().collect()
    }

    /// Overwrites an item without any check.
    pub(crate) fn damage(&self, name: &str, content: &[u8]) {
        self.items.borrow_mut().insert(name.to_owned(), Zeroizing::new(content.to_vec()));
    }

    /// The content of an item.
    pub(crate) fn content(&self, name: &str) -> Option<Bytes> {
        self.items.borrow().get(name).cloned()
    }

    fn next_error(&self) -> Result<()> {
        if let Some(error) = &self.down {
            return Err(error.clone());
        }
        self.errors.borrow_mut().pop_front().flatten().map_or(Ok(()), Err)
    }
}

impl Backend for TestBackend {
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
        self.next_error()
    }

    fn get(&self, item: &Item) -> Result<Option<Bytes>> {
        self.next_error()?;
        Ok(self.items.borrow().get(&item.name).cloned())
    }

    fn put(&self, item: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        self.next_error()?;
        if self.limit.is_some_and(|limit| content.len() > limit) {
            return Err(Error::Full(format!("{} bytes are too many for one item", content.len())));
        }
        let mut items = self.items.borrow_mut();
        if self.capacity.is_some_and(|capacity| items.len() >= capacity && !items.contains_key(&item.name)) {
            return Err(Error::Full("no item is left".to_owned()));
        }
        items.insert(item.name.clone(), Zeroizing::new(content.to_vec()));
        Ok(())
    }

    fn delete(&self, item: &Item) -> Result<()> {
        self.next_error()?;
        self.items.borrow_mut().remove(&item.name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        self.next_error()?;
        Ok(self.items.borrow().values().cloned().collect())
    }
}
