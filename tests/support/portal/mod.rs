//! A simulated AWS IAM Identity Center: SSO-OIDC and the SSO portal on one free loopback port, with the real wire format, and beside them
//! STS, which verifies that requests are signed with keys that were issued here. It is not part of the program; tests and the demo start
//! it, and it stops when it is dropped.
//!
//! It has two modes:
//!
//! - [`Portal::live`] behaves like the service: clients, device codes, rotating tokens, accounts and roles. Calls are counted.
//! - [`Portal::strict`] answers only the calls that the test expects. An unexpected or a missing call fails the test:
//!
//! ```ignore
//! let portal = Portal::strict();
//! portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
//! portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::status(503));
//! portal.expect(Call::GetRoleCredentials).served();
//! ```
//!
//! A live portal accepts expectations too; it serves calls that match none. In both modes a malformed request fails the test, when
//! the portal is dropped or at [`Portal::verify`].
//!
//! Clients trust the lifetimes in the answers. Tests therefore set those ([`PortalConfig`]) and need no clock of their own.

#![allow(dead_code, unused_imports, unreachable_pub)] // Each test program and the demo use a part of this module.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A fixture that cannot continue fails its test.
#![allow(clippy::disallowed_methods)] // The portal is a server of its own: it reads the clock and sleeps.

mod answer;
mod call;
mod config;
mod expectations;
mod http1;
mod latch;
mod pages;
mod server;
mod service;
mod sigv4;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

pub use answer::Answer;
pub use call::{Call, Received};
pub use config::{Account, Approval, IamRole, KeyRights, PortalConfig, Rotation};
use expectations::{Expectations, Mode};
pub use latch::Latch;
use server::Shared;
use service::Service;
pub use service::{RoleKeys, SignIn, UserKey};

/// A running portal. Dropping it stops it and fails the test if there are complaints.
pub struct Portal {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

impl Portal {
    /// A portal that serves every call like the real service.
    pub fn live(config: PortalConfig) -> Self {
        Self::start(config, Mode::Live)
    }

    /// A portal that accepts only expected calls. Calls of one kind get their answers in the order of the expectations.
    pub fn strict() -> Self {
        Self::start(PortalConfig::default(), Mode::Strict)
    }

    /// Like [`Portal::strict`]; calls of all kinds must also come in the order of the expectations.
    pub fn strict_in_order() -> Self {
        Self::start(PortalConfig::default(), Mode::InOrder)
    }

    fn start(config: PortalConfig, mode: Mode) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("the port that was bound");
        let shared = Arc::new(Shared::default());
        {
            let mut inner = shared.inner();
            inner.service = Service::new(config, format!("http://{address}"));
            inner.expectations = Expectations::new(mode);
        }
        let for_acceptor = Arc::clone(&shared);
        let acceptor = thread::spawn(move || server::accept_connections(&listener, &for_acceptor));
        Self { shared, address, acceptor: Some(acceptor) }
    }

    /// The endpoint of all services: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The only start URL that it accepts.
    pub fn start_url(&self) -> String {
        self.shared.inner().service.config.start_url.clone()
    }

    /// Starts an expectation; [`Expected::answered`] or [`Expected::served`] completes it.
    pub fn expect(&self, call: Call) -> Expected<'_> {
        Expected { portal: self, call, times: Some(1) }
    }

    /// Every call so far, in the order of arrival. Page visits are not calls.
    pub fn calls(&self) -> Vec<Received> {
        self.shared.inner().calls.clone()
    }

    /// How many calls of this kind have arrived.
    pub fn count(&self, call: Call) -> usize {
        self.shared.inner().calls.iter().filter(|received| received.call == Some(call)).count()
    }

    /// Waits until this many calls of this kind have taken effect. Fails the test after 30 s.
    pub fn wait_for(&self, call: Call, calls: usize) {
        let start = std::time::Instant::now();
        while self.shared.inner().done.iter().filter(|done| **done == call).count() < calls {
            assert!(start.elapsed() < std::time::Duration::from_secs(30), "{calls} calls of {call:?} did not arrive");
            thread::yield_now();
        }
    }

    /// How many calls have arrived in total.
    pub fn requests(&self) -> usize {
        self.shared.inner().calls.len()
    }

    /// How often a browser has opened a page.
    pub fn visits(&self) -> usize {
        self.shared.inner().visits
    }

    /// Every secret that was issued. Each starts with `secret-`, so that a truncated one is recognised too.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.inner().service.secrets.clone()
    }

    /// All role credentials that were issued, by the portal and by STS, in order.
    pub fn issued(&self) -> Vec<RoleKeys> {
        self.shared.inner().service.issued.clone()
    }

    /// Creates a sign-in without a device code, for tests that start signed in.
    pub fn sign_in(&self) -> SignIn {
        self.shared.inner().service.new_sign_in()
    }

    /// Gives a user of this account a new long-lived key. `user` is `root` for the root user.
    pub fn new_user_key(&self, account: &str, user: &str) -> UserKey {
        self.shared.inner().service.new_user_key(account, user)
    }

    /// A user's key as it is now; None if it was deleted.
    pub fn user_key(&self, id: &str) -> Option<UserKey> {
        self.shared.inner().service.user_keys.iter().find(|key| key.id == id).cloned()
    }

    /// Changes a user's key, as an administrator or another program can.
    pub fn change_user_key(&self, id: &str, change: impl FnOnce(&mut UserKey)) {
        self.shared.inner().service.user_keys.iter_mut().find(|key| key.id == id).map(change);
    }

    /// Approves every pending device code. Returns how many there were.
    pub fn allow(&self) -> usize {
        self.shared.inner().service.decide_all(true)
    }

    /// Denies every pending device code. Returns how many there were.
    pub fn deny(&self) -> usize {
        self.shared.inner().service.decide_all(false)
    }

    /// Ends all sessions, as an administrator can: access and refresh tokens become invalid.
    pub fn end_sessions(&self) {
        self.shared.inner().service.end_sessions();
    }

    /// Revokes all access tokens before they expire. Refresh tokens stay valid.
    pub fn revoke_access_tokens(&self) {
        self.shared.inner().service.access_tokens.clear();
    }

    /// Deletes all client registrations.
    pub fn forget_clients(&self) {
        self.shared.inner().service.clients.clear();
    }

    /// Lets all role credentials that were issued so far expire before the time that their answers named.
    pub fn expire_keys(&self) {
        self.shared.inner().service.expire_keys();
    }

    /// Changes the configuration while the portal runs.
    pub fn change(&self, change: impl FnOnce(&mut PortalConfig)) {
        change(&mut self.shared.inner().service.config);
    }

    /// How many refreshes issued tokens that no client has used yet: the answer was lost, or the client has not used it so far.
    pub fn unused_refreshes(&self) -> usize {
        self.shared.inner().service.unused_refreshes()
    }

    /// Gives this answer to the request that follows this many further requests of any kind.
    pub fn inject_after(&self, requests: usize, answer: Answer) {
        self.shared.inner().expectations.inject_after(requests, answer);
    }

    /// Cancels the injected answer. Returns whether it had been given before.
    pub fn cancel_injected(&self) -> bool {
        self.shared.inner().expectations.cancel_injected()
    }

    /// Takes the complaints about the calls so far, so that they do not fail the test.
    pub fn take_complaints(&self) -> Vec<String> {
        let mut inner = self.shared.inner();
        let missing = inner.expectations.take_missing();
        let mut complaints = std::mem::take(&mut inner.complaints);
        complaints.extend(missing);
        complaints
    }

    /// Fails the test if a call was unexpected or malformed, or if an expected call did not arrive.
    #[track_caller]
    pub fn verify(&self) {
        let complaints = self.take_complaints();
        if !complaints.is_empty() {
            let calls = self.calls().iter().map(|call| format!("\n  {call}")).collect::<Vec<_>>().concat();
            panic!("the simulated portal complains:\n- {}\nall calls:{calls}", complaints.join("\n- "));
        }
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.inner().expectations.open_latches();
        // Wakes the acceptor, which then sees that the portal is stopping.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        if !thread::panicking() {
            self.verify();
        }
    }
}

/// An expectation without an answer yet.
#[must_use = "an expectation takes effect with its answer: complete it with `answered` or `served`"]
pub struct Expected<'a> {
    portal: &'a Portal,
    call: Call,
    times: Option<usize>,
}

impl Expected<'_> {
    /// Expects exactly this many calls.
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Allows any number of calls, including none.
    pub fn any_number_of_times(self) -> Self {
        Self { times: None, ..self }
    }

    /// Answers each call with this.
    pub fn answered(self, answer: Answer) {
        self.portal.shared.inner().expectations.expect(self.call, self.times, answer);
    }

    /// Answers each call like the real service.
    pub fn served(self) {
        self.answered(Answer::served());
    }
}
