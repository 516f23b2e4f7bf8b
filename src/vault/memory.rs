//! A back-end in the memory of the process: `DAYPASS_KEYRING=memory`. Touches nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::error::Result;
use super::store::{Backend, Bytes, Item};

/// Items in a map.
#[derive(Default)]
pub struct Memory(RefCell<BTreeMap<String, Bytes>>);

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn volatile(&self) -> bool {
        true
    }

    fn get(&self, item: &Item) -> Result<Option<Bytes>> {
        Ok(self.0.borrow().get(&item.name).cloned())
    }

    fn put(&self, item: &Item, content: &[u8], _expires: Option<OffsetDateTime>) -> Result<()> {
        self.0.borrow_mut().insert(item.name.clone(), Zeroizing::new(content.to_vec()));
        Ok(())
    }

    fn delete(&self, item: &Item) -> Result<()> {
        self.0.borrow_mut().remove(&item.name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<Bytes>> {
        Ok(self.0.borrow().values().cloned().collect())
    }
}
