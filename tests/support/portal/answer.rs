//! Answers.

use std::sync::Arc;

use serde_json::Value;

use super::http1;
use super::latch::Latch;
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
