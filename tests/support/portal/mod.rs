//! A sandbox of AWS IAM Identity Center: SSO-OIDC and the SSO portal on one free port of the loopback interface, speaking the real
//! wire. It is no part of the program; tests and the demo start it, and it ends with its value.
//!
//! It knows two manners:
//!
//! - [`Portal::live`] behaves as the service does: clients, device codes, tokens that rotate, accounts and roles. Calls are counted.
//! - [`Portal::strict`] answers only what a test said that it expects, and fails the test for any other call and for any that did
//!   not come:
//!
//! ```ignore
//! let portal = Portal::strict();
//! portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
//! portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::status(503));
//! portal.expect(Call::GetRoleCredentials).served();
//! ```
//!
//! Expectations can be laid over a live portal too; calls without one are then served. In either manner a request that the real
//! service would not understand fails the test, when the portal is dropped or at [`Portal::verify`].
//!
//! Times: a client goes by the lifetimes that it was told, so tests steer by those ([`Realm`]) and not by a clock.

#![allow(dead_code, unused_imports, unreachable_pub)] // Each test program and the demo use their part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A fixture that can't go on ends its test.
#![allow(clippy::disallowed_methods)] // The sandbox is another party: it has its own clock.

mod answer;
mod call;
mod config;
mod expectations;
mod http1;
mod latch;
mod pages;
mod server;
mod service;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

pub use answer::Answer;
pub use call::{Call, Received};
pub use config::{Account, Approval, Realm};
use expectations::{Mode, Script};
pub use latch::Latch;
use server::Shared;
use service::Service;
pub use service::{RoleKeys, SignIn};

/// A running sandbox. It stops, and reports what the test did not expect, when it is dropped.
pub struct Portal {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

impl Portal {
    /// A portal that serves every call as the real service would.
    pub fn live(realm: Realm) -> Self {
        Self::start(realm, Mode::Live)
    }

    /// A portal that takes only expected calls; those of one kind in the order in which they were expected.
    pub fn strict() -> Self {
        Self::start(Realm::default(), Mode::Strict)
    }

    /// The same, and calls of all kinds must come in the order in which they were expected.
    pub fn strict_in_order() -> Self {
        Self::start(Realm::default(), Mode::InOrder)
    }

    fn start(realm: Realm, mode: Mode) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("the port that was bound");
        let shared = Arc::new(Shared::default());
        {
            let mut inner = shared.inner();
            inner.service = Service::new(realm, format!("http://{address}"));
            inner.script = Script::new(mode);
        }
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || server::accept(&listener, &for_acceptor));
        Self { shared, address, acceptor: Some(acceptor) }
    }

    /// `http://127.0.0.1:PORT`: the endpoint of both services.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The one start URL that it knows.
    pub fn start_url(&self) -> String {
        self.shared.inner().service.realm.start_url.clone()
    }

    /// Begins an expectation; [`Expected::answered`] or [`Expected::served`] ends it.
    pub fn expect(&self, call: Call) -> Expected<'_> {
        Expected { portal: self, call, times: Some(1) }
    }

    /// Every call so far, in the order of arrival; visits of pages are not calls.
    pub fn calls(&self) -> Vec<Received> {
        self.shared.inner().calls.clone()
    }

    /// How often this call came.
    pub fn count(&self, call: Call) -> usize {
        self.shared.inner().calls.iter().filter(|received| received.call == Some(call)).count()
    }

    /// Waits until so many of these calls have been served or at least have had their effect; fails the test after half a minute.
    pub fn wait_for(&self, call: Call, calls: usize) {
        let start = std::time::Instant::now();
        while self.shared.inner().done.iter().filter(|done| **done == call).count() < calls {
            assert!(start.elapsed() < std::time::Duration::from_secs(30), "{call:?} did not come");
            thread::yield_now();
        }
    }

    /// How many calls came in all.
    pub fn requests(&self) -> usize {
        self.shared.inner().calls.len()
    }

    /// How often a browser opened the verification page.
    pub fn visits(&self) -> usize {
        self.shared.inner().visits
    }

    /// Everything secret that was ever issued. Each begins with `secret-`, so that a piece of one is recognised too.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.inner().service.secrets.clone()
    }

    /// All role credentials that were handed out, in order.
    pub fn issued(&self) -> Vec<RoleKeys> {
        self.shared.inner().service.issued.clone()
    }

    /// A sign-in out of thin air, for tests that start with a full vault.
    pub fn sign_in(&self) -> SignIn {
        self.shared.inner().service.sign_in_directly()
    }

    /// The person says yes to every device code that waits. Says how many did.
    pub fn allow(&self) -> usize {
        self.shared.inner().service.decide_all(true)
    }

    /// The person says no to every device code that waits. Says how many did.
    pub fn deny(&self) -> usize {
        self.shared.inner().service.decide_all(false)
    }

    /// An administrator ends all sessions: access and refresh tokens are dead.
    pub fn end_sessions(&self) {
        self.shared.inner().service.end_sessions();
    }

    /// All access tokens die before their time; refresh tokens still work.
    pub fn revoke_access_tokens(&self) {
        self.shared.inner().service.access.clear();
    }

    /// The service no longer knows any client registration.
    pub fn forget_clients(&self) {
        self.shared.inner().service.clients.clear();
    }

    /// Changes the service while it runs: other lifetimes, accounts, roles.
    pub fn change(&self, change: impl FnOnce(&mut Realm)) {
        change(&mut self.shared.inner().service.realm);
    }

    /// How many refreshes gave tokens that nobody has used since: their answers were lost, or are still to be used.
    pub fn unclaimed(&self) -> usize {
        self.shared.inner().service.unclaimed()
    }

    /// After so many further requests, of whatever kind, the next one gets this answer.
    pub fn disturb_after(&self, requests: usize, answer: Answer) {
        self.shared.inner().script.disturb_after(requests, answer);
    }

    /// Forgets a disturbance that has not come; whether it had.
    pub fn was_disturbed(&self) -> bool {
        self.shared.inner().script.was_disturbed()
    }

    /// What was wrong with the calls so far, and forgets it: for tests of the sandbox itself.
    pub fn take_complaints(&self) -> Vec<String> {
        let mut inner = self.shared.inner();
        let missing = inner.script.take_missing();
        let mut complaints = std::mem::take(&mut inner.complaints);
        complaints.extend(missing);
        complaints
    }

    /// Fails the test if a call came that was not expected or not well-formed, or if an expected one did not come.
    #[track_caller]
    pub fn verify(&self) {
        let complaints = self.take_complaints();
        if !complaints.is_empty() {
            let calls = self.calls().iter().map(|call| format!("\n  {call}")).collect::<Vec<_>>().concat();
            panic!("the sandbox portal complains:\n- {}\nall calls:{calls}", complaints.join("\n- "));
        }
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.inner().script.open_latches();
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        if !thread::panicking() {
            self.verify();
        }
    }
}

/// An expectation that still lacks its answer.
#[must_use = "an expectation counts when it has an answer: end it with `answered` or `served`"]
pub struct Expected<'a> {
    portal: &'a Portal,
    call: Call,
    times: Option<usize>,
}

impl Expected<'_> {
    /// So many of these calls must come, no more and no fewer.
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Any number of these calls may come, none too.
    pub fn any_number_of_times(self) -> Self {
        Self { times: None, ..self }
    }

    /// Each gets this answer.
    pub fn answered(self, answer: Answer) {
        self.portal.shared.inner().script.expect(self.call, self.times, answer);
    }

    /// Each is served as the real service would.
    pub fn served(self) {
        self.answered(Answer::served());
    }
}
