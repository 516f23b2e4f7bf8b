//! What a test expects of the program, and what the program then gets to hear.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use super::http1;
use super::service;

/// What one call gets. Made by the functions that are named for it.
#[derive(Clone)]
pub struct Answer {
    pub(super) reply: Reply,
    pub(super) fault: Option<Fault>,
    pub(super) edit: Option<Edit>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) latch: Option<Latch>,
}

#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// As the real service would.
    Served,
    Oidc(&'static str),
    Fixed(http1::Reply),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Reset,
    Hang,
    Garbage,
    Truncated,
    Drip,
}

type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

impl Answer {
    /// As the real service would answer.
    pub fn served() -> Self {
        Self { reply: Reply::Served, fault: None, edit: None, headers: Vec::new(), latch: None }
    }

    /// An error of SSO-OIDC, such as `invalid_grant`, with the status and the shape that belong to it.
    pub fn oidc(code: &'static str) -> Self {
        Self { reply: Reply::Oidc(code), ..Self::served() }
    }

    /// The person has not decided yet.
    pub fn pending() -> Self {
        Self::oidc("authorization_pending")
    }

    /// The program polls too fast.
    pub fn slow_down() -> Self {
        Self::oidc("slow_down")
    }

    /// The person said no.
    pub fn denied() -> Self {
        Self::oidc("access_denied")
    }

    /// The device code is too old.
    pub fn expired() -> Self {
        Self::oidc("expired_token")
    }

    /// The portal's 401: the token is dead.
    pub fn unauthorized() -> Self {
        Self::fixed(service::portal_error("UnauthorizedException", 401, "Session token not found or invalid"))
    }

    /// The portal's 403: no such assignment.
    pub fn no_access() -> Self {
        Self::fixed(service::portal_error("ForbiddenException", 403, "No access"))
    }

    /// The portal's 404.
    pub fn not_found() -> Self {
        Self::fixed(service::portal_error("ResourceNotFoundException", 404, "The specified resource doesn't exist."))
    }

    /// The portal's 429, with `Retry-After` in seconds.
    pub fn throttled(retry_after: u64) -> Self {
        let reply = service::portal_error("TooManyRequestsException", 429, "Rate exceeded");
        Self::fixed(reply.with("Retry-After", &retry_after.to_string()))
    }

    /// This status and no body, as a load balancer answers.
    pub fn status(status: u16) -> Self {
        Self::fixed(http1::Reply { status, headers: Vec::new(), body: Vec::new() })
    }

    /// This status with this JSON text, or what should have been it.
    pub fn body(status: u16, body: &str) -> Self {
        Self::fixed(http1::Reply::new(status, "application/json", body))
    }

    /// A hotel's sign-in page: 200 and HTML.
    pub fn captive_portal() -> Self {
        Self::fixed(http1::Reply::html(200, "<!DOCTYPE html><title>Welcome to the hotel</title>".to_owned()))
    }

    /// The same hotel by a 302.
    pub fn redirect(to: &str) -> Self {
        Self::fixed(http1::Reply::html(302, String::new()).with("Location", to))
    }

    /// Accepts the request and says nothing until the program gives up.
    pub fn hang() -> Self {
        Self::status(200).faulty(Fault::Hang)
    }

    /// Connection reset; the service did nothing.
    pub fn reset() -> Self {
        Self::status(200).faulty(Fault::Reset)
    }

    /// Bytes that are no HTTP.
    pub fn garbage() -> Self {
        Self::status(200).faulty(Fault::Garbage)
    }

    /// The service did what was asked, and the connection is reset before its answer arrives.
    pub fn but_lost(self) -> Self {
        self.faulty(Fault::Reset)
    }

    /// The service did what was asked, and says nothing until the program gives up.
    pub fn but_hung(self) -> Self {
        self.faulty(Fault::Hang)
    }

    /// The answer comes at ten bytes a second.
    pub fn but_dripping(self) -> Self {
        self.faulty(Fault::Drip)
    }

    /// The answer breaks off in the middle of its body.
    pub fn but_truncated(self) -> Self {
        self.faulty(Fault::Truncated)
    }

    /// With its JSON changed: a field less, a field more, another time.
    pub fn edited(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self { edit: Some(Arc::new(edit)), ..self }
    }

    /// With one more header, such as `x-amzn-ErrorType`.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Not before the test opens this latch; what the service does, it does then.
    pub fn after(self, latch: &Latch) -> Self {
        Self { latch: Some(latch.clone()), ..self }
    }

    fn fixed(reply: http1::Reply) -> Self {
        Self { reply: Reply::Fixed(reply), ..Self::served() }
    }

    fn faulty(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}

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

/// What happens to a call that no expectation covers, and in which order they count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Live,
    Strict,
    InOrder,
}

struct Expectation {
    call: Call,
    /// None: any number.
    left: Option<usize>,
    answer: Answer,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left {
            Some(left) => write!(f, "{:?}, {left} more", self.call),
            None => write!(f, "{:?}, any number", self.call),
        }
    }
}

/// The expectations that are still open, in their order.
#[derive(Default)]
pub(super) struct Script {
    mode: Mode,
    open: Vec<Expectation>,
    disturbance: Option<(usize, Answer)>,
    latches: Vec<Latch>,
}

impl Script {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, ..Self::default() }
    }

    pub(super) fn expect(&mut self, call: Call, times: Option<usize>, answer: Answer) {
        self.latches.extend(answer.latch.clone());
        if times != Some(0) {
            self.open.push(Expectation { call, left: times, answer });
        }
    }

    pub(super) fn disturb_after(&mut self, requests: usize, answer: Answer) {
        self.disturbance = Some((requests, answer));
    }

    pub(super) fn was_disturbed(&mut self) -> bool {
        self.disturbance.take().is_none()
    }

    /// What this call gets, or the complaint that nobody expected it.
    pub(super) fn answer_to(&mut self, call: Call) -> Result<Answer, String> {
        match self.disturbance.take() {
            Some((0, answer)) => return Ok(answer),
            waiting => self.disturbance = waiting.map(|(requests, answer)| (requests - 1, answer)),
        }
        let found = match self.mode {
            // One with any number may also be passed over.
            Mode::InOrder => {
                let next = self.open.iter().position(|expected| expected.call == call || expected.left.is_some());
                next.filter(|&at| self.open.get(at).is_some_and(|expected| expected.call == call))
            }
            Mode::Live | Mode::Strict => self.open.iter().position(|expected| expected.call == call),
        };
        let Some((at, expected)) = found.and_then(|at| Some((at, self.open.get_mut(at)?))) else {
            return match self.mode {
                Mode::Live => Ok(Answer::served()),
                Mode::Strict | Mode::InOrder => Err(format!("{call:?} was not expected{}", self.still_open())),
            };
        };
        let answer = expected.answer.clone();
        if let Some(left) = &mut expected.left {
            *left -= 1;
            if *left == 0 {
                self.open.remove(at);
            }
        }
        if self.mode == Mode::InOrder {
            self.open.drain(..at);
        }
        Ok(answer)
    }

    fn still_open(&self) -> String {
        let list: Vec<String> = self.open.iter().map(ToString::to_string).collect();
        if list.is_empty() { "; nothing was".to_owned() } else { format!("; expected: {}", list.join("; ")) }
    }

    /// The expected calls that did not come, and forgets them.
    pub(super) fn take_missing(&mut self) -> Vec<String> {
        let missing: Vec<Expectation> = self.open.extract_if(.., |expected| expected.left.is_some()).collect();
        missing.iter().map(|expected| format!("a call did not come: {expected}")).collect()
    }

    pub(super) fn open_latches(&self) {
        self.latches.iter().for_each(Latch::open);
    }
}
