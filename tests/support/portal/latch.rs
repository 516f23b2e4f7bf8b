//! A latch that holds answers back.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Holds answers back until the test opens it. The test can wait for requests to arrive at it.
#[derive(Clone, Default)]
pub struct Latch(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    open: bool,
    arrived: usize,
}

impl Latch {
    /// A closed latch.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Releases all requests, present and future.
    pub fn open(&self) {
        let (state, changed) = &*self.0;
        state.lock().unwrap_or_else(PoisonError::into_inner).open = true;
        changed.notify_all();
    }

    /// Waits until this many requests have arrived at it. Fails the test after 30 s.
    pub fn wait_for_requests(&self, requests: usize) {
        let (state, changed) = &*self.0;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = Duration::from_secs(30);
        let (state, _) =
            changed.wait_timeout_while(state, limit, |state| state.arrived < requests).unwrap_or_else(PoisonError::into_inner);
        assert!(state.arrived >= requests, "{} of {requests} expected requests arrived", state.arrived);
    }

    /// Waits, in the place of a request, until the latch is open.
    pub(super) fn wait(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.arrived += 1;
        changed.notify_all();
        drop(changed.wait_while(state, |state| !state.open));
    }
}
