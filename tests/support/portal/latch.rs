//! Latch.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Holds answers back until the test opens it, and tells the test that a request is there.
#[derive(Clone, Default)]
pub struct Latch(Arc<(Mutex<Gate>, Condvar)>);

#[derive(Default)]
struct Gate {
    open: bool,
    arrived: usize,
}

impl Latch {
    /// A closed one.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets all through, now and later.
    pub fn open(&self) {
        let (gate, changed) = &*self.0;
        gate.lock().unwrap_or_else(PoisonError::into_inner).open = true;
        changed.notify_all();
    }

    /// Waits until so many requests have come to it; fails the test if they don't within half a minute.
    pub fn reached_by(&self, requests: usize) {
        let (gate, changed) = &*self.0;
        let gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = Duration::from_secs(30);
        let (gate, _) =
            changed.wait_timeout_while(gate, limit, |gate| gate.arrived < requests).unwrap_or_else(PoisonError::into_inner);
        assert!(gate.arrived >= requests, "{} of {requests} expected requests came", gate.arrived);
    }

    /// A request comes, and waits.
    pub(super) fn pass(&self) {
        let (gate, changed) = &*self.0;
        let mut gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        gate.arrived += 1;
        changed.notify_all();
        drop(changed.wait_while(gate, |gate| !gate.open));
    }
}
