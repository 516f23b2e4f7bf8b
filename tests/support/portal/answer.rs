//! The answers that a test can choose for a call.

use std::sync::Arc;

use serde_json::Value;

use super::http1;
use super::latch::Latch;
use super::service;

/// The answer to one call.
#[derive(Clone)]
pub struct Answer {
    pub(super) content: Content,
    pub(super) fault: Option<Fault>,
    pub(super) edit: Option<Edit>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) latch: Option<Latch>,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// What the real service would answer.
    Served,
    OidcError(&'static str),
    Fixed(http1::Response),
}

/// A failure of the network.
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
    /// Answers like the real service.
    pub fn served() -> Self {
        Self { content: Content::Served, fault: None, edit: None, headers: Vec::new(), latch: None }
    }

    /// An SSO-OIDC error, such as `invalid_grant`, with its status and shape.
    pub fn oidc(code: &'static str) -> Self {
        Self { content: Content::OidcError(code), ..Self::served() }
    }

    /// The user has not decided yet.
    pub fn pending() -> Self {
        Self::oidc("authorization_pending")
    }

    /// The client polls too fast.
    pub fn slow_down() -> Self {
        Self::oidc("slow_down")
    }

    /// The user denied the sign-in.
    pub fn denied() -> Self {
        Self::oidc("access_denied")
    }

    /// The device code has expired.
    pub fn expired() -> Self {
        Self::oidc("expired_token")
    }

    /// The portal's 401: the access token is invalid.
    pub fn unauthorized() -> Self {
        Self::fixed(service::portal_error("UnauthorizedException", 401, "Session token not found or invalid"))
    }

    /// The portal's 403: the role is not assigned.
    pub fn no_access() -> Self {
        Self::fixed(service::portal_error("ForbiddenException", 403, "No access"))
    }

    /// The portal's 404.
    pub fn not_found() -> Self {
        Self::fixed(service::portal_error("ResourceNotFoundException", 404, "The specified resource doesn't exist."))
    }

    /// The portal's 429, with `Retry-After` in seconds.
    pub fn throttled(retry_after: u64) -> Self {
        let response = service::portal_error("TooManyRequestsException", 429, "Rate exceeded");
        Self::fixed(response.with("Retry-After", &retry_after.to_string()))
    }

    /// An error of STS, such as `ExpiredToken`.
    pub fn sts(code: &str, status: u16) -> Self {
        Self::fixed(service::query_error(code, status, "no"))
    }

    /// This status without a body, as from a load balancer.
    pub fn status(status: u16) -> Self {
        Self::fixed(http1::Response { status, headers: Vec::new(), body: Vec::new() })
    }

    /// This status and body, declared as JSON. The body may be malformed.
    pub fn body(status: u16, body: &str) -> Self {
        Self::fixed(http1::Response::new(status, "application/json", body))
    }

    /// The sign-in page of a hotel network: 200 and HTML.
    pub fn captive_portal() -> Self {
        Self::fixed(http1::Response::html(200, "<!DOCTYPE html><title>Welcome to the hotel</title>".to_owned()))
    }

    /// A 302 to the sign-in page of such a network.
    pub fn redirect(to: &str) -> Self {
        Self::fixed(http1::Response::html(302, String::new()).with("Location", to))
    }

    /// Accepts the request and sends nothing until the client gives up. The service does nothing.
    pub fn hang() -> Self {
        Self::status(200).faulty(Fault::Hang)
    }

    /// Resets the connection. The service does nothing.
    pub fn reset() -> Self {
        Self::status(200).faulty(Fault::Reset)
    }

    /// Sends bytes that are not HTTP.
    pub fn garbage() -> Self {
        Self::status(200).faulty(Fault::Garbage)
    }

    /// The call takes effect, but the connection is reset before the answer arrives.
    pub fn but_lost(self) -> Self {
        self.faulty(Fault::Reset)
    }

    /// The call takes effect, but nothing is sent until the client gives up.
    pub fn but_hung(self) -> Self {
        self.faulty(Fault::Hang)
    }

    /// The answer arrives at ten bytes per second.
    pub fn but_dripping(self) -> Self {
        self.faulty(Fault::Drip)
    }

    /// The answer ends in the middle of its body.
    pub fn but_truncated(self) -> Self {
        self.faulty(Fault::Truncated)
    }

    /// Changes the JSON of the answer.
    pub fn edited(self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self { edit: Some(Arc::new(edit)), ..self }
    }

    /// Adds a header, such as `x-amzn-ErrorType`.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Waits until the test opens this latch. The call takes effect only then.
    pub fn after(self, latch: &Latch) -> Self {
        Self { latch: Some(latch.clone()), ..self }
    }

    fn fixed(response: http1::Response) -> Self {
        Self { content: Content::Fixed(response), ..Self::served() }
    }

    fn faulty(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }
}
