//! A vault back-end in memory that fails on request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic;
use std::rc::Rc;

use daypass::vault::{self, Backend, Bytes, Item};
use time::OffsetDateTime;

/// A failure to inject into the vault.
#[derive(Debug, Clone)]
pub(super) enum VaultFault {
    /// One call fails.
    Once(vault::Error),
    /// That call and all later ones fail.
    Always(vault::Error),
    /// The process ends before that call.
    Crash,
    /// Reads work, writes fail: a full disk.
    DiskFull,
}

/// The panic payload that ends the broker in place of a crash.
pub(super) struct SimulatedCrash;

/// What another process does before one call.
pub(super) type ConcurrentAction = Box<dyn FnOnce()>;

/// A back-end that counts its calls. One of them may fail, and another process may act before one of them.
#[derive(Default)]
pub(super) struct FaultyStore {
    pub(super) contents: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(super) calls: Cell<usize>,
    /// From which call on, or in which call, it fails.
    pub(super) fault: RefCell<Option<(usize, VaultFault)>>,
    /// Before which call the other process acts.
    pub(super) concurrent: RefCell<Option<(usize, ConcurrentAction)>>,
}

impl FaultyStore {
    fn step(&self) -> vault::Result<()> {
        let step = self.calls.replace(self.calls.get() + 1);
        let due = self.concurrent.borrow_mut().take_if(|(at, _)| *at == step);
        if let Some((_, action)) = due {
            action();
        }
        match &*self.fault.borrow() {
            Some((at, VaultFault::Once(fault))) if *at == step => Err(fault.clone()),
            Some((at, VaultFault::Always(fault))) if *at <= step => Err(fault.clone()),
            Some((at, VaultFault::Crash)) if *at == step => panic::resume_unwind(Box::new(SimulatedCrash)),
            _ => Ok(()),
        }
    }
}

pub(super) struct SharedStore(pub(super) Rc<FaultyStore>);

impl Backend for SharedStore {
    fn name(&self) -> &'static str {
        "test"
    }

    fn get(&self, item: &Item) -> vault::Result<Option<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().get(&item.name).map(|content| content.clone().into()))
    }

    fn put(&self, item: &Item, content: &[u8], _: Option<OffsetDateTime>) -> vault::Result<()> {
        self.0.step()?;
        if matches!(*self.0.fault.borrow(), Some((_, VaultFault::DiskFull))) {
            return Err(vault::Error::Full("for the test".to_owned()));
        }
        self.0.contents.borrow_mut().insert(item.name.clone(), content.to_vec());
        Ok(())
    }

    fn delete(&self, item: &Item) -> vault::Result<()> {
        self.0.step()?;
        self.0.contents.borrow_mut().remove(&item.name);
        Ok(())
    }

    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().values().map(|content| content.clone().into()).collect())
    }
}
