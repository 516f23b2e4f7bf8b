//! Turns failed calls into [`Error`], named for what the caller does next. Pure.
//!
//! Reads the status, the headers and the JSON body itself: the SDK looks at one header only, and a proxy or a captive portal may answer in
//! the place of the service.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde::Deserialize;

use crate::sys::clock;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Device flow: not approved yet. Poll again after the interval.
    AuthorizationPending,
    /// Poll five seconds slower from now on (RFC 8628 §3.5); other calls: back off.
    SlowDown,
    /// Device flow: the code has expired. Start again.
    DeviceCodeExpired,
    /// Device flow: the person or a policy denied the sign-in.
    AccessDenied(String),
    /// The client registration is not accepted: register again, once.
    InvalidClient(String),
    /// The portal token is not accepted: refresh it or sign in.
    Unauthorized(String),
    /// The refresh token or the device code is not accepted and never will be (`invalid_grant`): sign in.
    InvalidGrant(String),
    /// No access to this account or role. Signing in again does not help.
    Forbidden(String),
    /// The service rejects the request: wrong start URL, region or scope.
    InvalidRequest(String),
    /// Throttled, server error, reset or time-out: retry, not before the given time.
    Unavailable(Option<Duration>, String),
    /// The answer is not one of Identity Center: a captive portal, a wrong endpoint.
    UnexpectedResponse(String),
    /// No request can be made, because an endpoint, proxy or CA setting is wrong.
    InvalidSettings(String),
}

impl Error {
    /// An [`Error::UnexpectedResponse`] with this text.
    pub fn unexpected_response(what: &str) -> Self {
        Self::UnexpectedResponse(what.to_owned())
    }
}

/// A request without TLS to a host other than this machine.
#[derive(Debug)]
pub(super) struct PlainHttp(pub(super) String);

impl fmt::Display for PlainHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the endpoint {} is plain http, which is allowed for this machine only", self.0)
    }
}

impl std::error::Error for PlainHttp {}

/// The error body of either service: OIDC has `error` and `error_description`, the portal `message`.
#[derive(Deserialize, Default)]
struct Body {
    error: Option<String>,
    error_description: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
}

impl<E: StdError + Send + Sync + 'static> From<SdkError<E, HttpResponse>> for Error {
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        if let Some(response) = error.raw_response() {
            return match response.body().bytes() {
                Some(body) => answered(response.status().as_u16(), &|name| response.headers().get(name), body),
                None => Self::Unavailable(None, "the answer was cut off".to_owned()),
            };
        }
        let why = innermost(&error);
        if let Some(plain) = find::<PlainHttp>(&error) {
            return Self::InvalidSettings(plain.to_string());
        }
        match error {
            SdkError::ConstructionFailure(_) => Self::InvalidSettings(why),
            SdkError::TimeoutError(_) => Self::Unavailable(None, "no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                Self::Unavailable(None, "no connection in time".to_owned())
            }
            SdkError::DispatchFailure(failure) if failure.is_user() => Self::InvalidSettings(why),
            _ => Self::Unavailable(None, why),
        }
    }
}

/// The error of an unsuccessful answer, or of a successful one that can't be read.
fn answered<'a>(status: u16, header: &impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> Error {
    let retry_after = || header("retry-after").and_then(|text| wait(text.trim()));
    let json: Option<Body> = serde_json::from_slice(body).ok();
    // `Shape:http://…` in the header, `namespace#Shape` in the body.
    let shape = header("x-amzn-errortype").and_then(|text| text.split(':').next()).map(str::to_owned);
    let json = json.unwrap_or_default();
    let shape = shape.or_else(|| json.kind.as_deref().and_then(|kind| kind.rsplit('#').next()).map(str::to_owned));
    // A JSON body alone is no proof: proxies send `{"message":…}` too, and must not end a sign-in.
    let from_service = shape.is_some() || json.error.is_some();
    let text = json.error_description.or(json.message).filter(|text| !text.is_empty());
    let why = |fallback: &str| text.clone().unwrap_or_else(|| fallback.to_owned());

    if status == 429 || shape.as_deref() == Some("TooManyRequestsException") {
        return Error::Unavailable(retry_after(), why("too many requests"));
    }
    if status >= 500 || status == 408 {
        return Error::Unavailable(retry_after(), why(&format!("the server failed (HTTP {status})")));
    }
    // `error` first (RFC 6749 §5.2), the shape second.
    match (json.error.as_deref(), shape.as_deref()) {
        (Some("authorization_pending"), _) | (None, Some("AuthorizationPendingException")) => Error::AuthorizationPending,
        (Some("slow_down"), _) | (None, Some("SlowDownException")) => Error::SlowDown,
        (Some("expired_token"), _) | (None, Some("ExpiredTokenException")) => Error::DeviceCodeExpired,
        (Some("access_denied"), _) | (None, Some("AccessDeniedException")) => Error::AccessDenied(why("access denied")),
        (Some("invalid_grant"), _) | (None, Some("InvalidGrantException")) => Error::InvalidGrant(why("the grant is not accepted")),
        (Some("invalid_client" | "unauthorized_client"), _)
        | (None, Some("InvalidClientException" | "UnauthorizedClientException")) => {
            Error::InvalidClient(why("the client registration is not accepted"))
        }
        (Some("server_error"), _) => Error::Unavailable(retry_after(), why("server error")),
        (Some(error), _) => Error::InvalidRequest(why(error)),
        (None, _) if !from_service => Error::UnexpectedResponse(format!("HTTP {status}, and not from IAM Identity Center")),
        (None, _) => match status {
            401 => Error::Unauthorized(why("the token is not accepted")),
            403 | 404 => Error::Forbidden(why("no access")),
            400..=499 => Error::InvalidRequest(why(shape.as_deref().unwrap_or("the request is not accepted"))),
            _ => Error::UnexpectedResponse(format!("HTTP {status} with an answer that can't be read")),
        },
    }
}

/// `Retry-After` in either of its forms (RFC 9110 §10.2.3): seconds, or a date.
fn wait(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok().or_else(|| {
        let at = DateTime::from_str(text, Format::HttpDate).ok()?.secs();
        Some(u64::try_from(at - clock::now().unix_timestamp()).unwrap_or(0))
    });
    seconds.map(Duration::from_secs)
}

/// The first error of this type in a chain of causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut link = Some(error);
    while let Some(here) = link {
        if let Some(found) = here.downcast_ref() {
            return Some(found);
        }
        link = here.source();
    }
    None
}

/// The text of the last cause of a chain, which is the system's or a library's.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut link = error;
    while let Some(below) = link.source() {
        link = below;
    }
    link.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(status: u16, shape: Option<&str>, body: &str) -> Error {
        answered(status, &|name| (name == "x-amzn-errortype").then_some(shape).flatten(), body.as_bytes())
    }

    #[test]
    fn the_error_field_takes_precedence_over_the_header() {
        assert_eq!(
            error_of(400, Some("InvalidGrantException:http://x/"), r#"{"error":"authorization_pending"}"#),
            Error::AuthorizationPending
        );
    }

    #[test]
    fn the_header_alone_is_sufficient() {
        assert_eq!(error_of(400, Some("SlowDownException:http://x/"), ""), Error::SlowDown);
        assert_eq!(error_of(403, Some("ForbiddenException"), ""), Error::Forbidden("no access".into()));
    }

    #[test]
    fn only_invalid_grant_means_that_a_refresh_token_is_unusable() {
        assert_eq!(
            error_of(400, None, r#"{"error":"invalid_grant","error_description":"Invalid"}"#),
            Error::InvalidGrant("Invalid".into())
        );
        assert_eq!(error_of(400, Some("InvalidGrantException"), ""), Error::InvalidGrant("the grant is not accepted".into()));
        assert_eq!(error_of(401, Some("UnauthorizedException"), ""), Error::Unauthorized("the token is not accepted".into()));
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(wait("Fri, 31 Dec 2100 23:59:59 GMT").is_some_and(|wait| wait > Duration::from_hours(24)));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_403_that_is_not_from_the_service_is_unexpected_and_no_refusal() {
        assert!(matches!(error_of(403, None, "<html>Please log in to the guest Wi-Fi</html>"), Error::UnexpectedResponse(_)));
        assert!(matches!(error_of(401, None, ""), Error::UnexpectedResponse(_)));
        assert!(matches!(error_of(401, None, r#"{"message":"Sign in to the proxy"}"#), Error::UnexpectedResponse(_)));
        assert!(matches!(error_of(403, None, r#"{"message":"Forbidden"}"#), Error::UnexpectedResponse(_)));
        assert!(matches!(error_of(200, None, "<html>"), Error::UnexpectedResponse(_)));
        assert!(matches!(error_of(302, None, ""), Error::UnexpectedResponse(_)));
    }

    #[test]
    fn server_errors_and_throttling_are_retried_whatever_the_body() {
        assert!(matches!(error_of(503, None, ""), Error::Unavailable(None, _)));
        assert!(matches!(error_of(429, None, r#"{"message":"slow"}"#), Error::Unavailable(None, _)));
        let throttled = answered(429, &|name| (name == "retry-after").then_some("7"), b"{}");
        assert_eq!(throttled, Error::Unavailable(Some(Duration::from_secs(7)), "too many requests".into()));
    }
}
