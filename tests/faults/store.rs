//! A vault back-end that fails when it is told to.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic;
use std::rc::Rc;

use daypass::vault::{self, Backend, Bytes, Item};
use time::OffsetDateTime;

/// What happens to the vault.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// One call fails.
    Once(vault::Error),
    /// From that call on all fail.
    Ever(vault::Error),
    /// The process ends before that call.
    PowerCut,
    /// It can be read, and takes nothing: a full disk.
    NoRoom,
}

/// Ends the broker where a power cut would.
pub(super) struct Cut;

/// What another process does, all of it before one call.
pub(super) type Act = Box<dyn FnOnce()>;

/// A back-end whose calls are counted, and one of which may meet trouble.
#[derive(Default)]
pub(super) struct Slots {
    pub(super) contents: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(super) calls: Cell<usize>,
    pub(super) trouble: RefCell<Option<(usize, Trouble)>>,
    pub(super) meanwhile: RefCell<Option<(usize, Act)>>,
}

impl Slots {
    fn step(&self) -> vault::Result<()> {
        let step = self.calls.replace(self.calls.get() + 1);
        let due = self.meanwhile.borrow_mut().take_if(|(at, _)| *at == step);
        if let Some((_, act)) = due {
            act();
        }
        match &*self.trouble.borrow() {
            Some((at, Trouble::Once(fault))) if *at == step => Err(fault.clone()),
            Some((at, Trouble::Ever(fault))) if *at <= step => Err(fault.clone()),
            Some((at, Trouble::PowerCut)) if *at == step => panic::resume_unwind(Box::new(Cut)),
            _ => Ok(()),
        }
    }
}

pub(super) struct Shared(pub(super) Rc<Slots>);

impl Backend for Shared {
    fn name(&self) -> &'static str {
        "test"
    }

    fn get(&self, slot: &Item) -> vault::Result<Option<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().get(&slot.name).map(|content| content.clone().into()))
    }

    fn put(&self, slot: &Item, content: &[u8], _: Option<OffsetDateTime>) -> vault::Result<()> {
        self.0.step()?;
        if matches!(*self.0.trouble.borrow(), Some((_, Trouble::NoRoom))) {
            return Err(vault::Error::Full("for the test".to_owned()));
        }
        self.0.contents.borrow_mut().insert(slot.name.clone(), content.to_vec());
        Ok(())
    }

    fn delete(&self, slot: &Item) -> vault::Result<()> {
        self.0.step()?;
        self.0.contents.borrow_mut().remove(&slot.name);
        Ok(())
    }

    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().values().map(|content| content.clone().into()).collect())
    }
}
