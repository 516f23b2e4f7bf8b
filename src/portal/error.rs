//! Turns failed calls into [`Error`], named for what the caller does next. Pure.
//!
//! Reads the status, the headers and the JSON body itself: the SDK looks at one header only, and a proxy or a captive portal may answer in
//! the place of the service.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use rustls::CertificateError;
use serde::Deserialize;

use super::redact::RequestSecrets;
use super::regions;
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
    /// There is no connection, and a retry would not change that: the request was sent once.
    Unreachable(Obstacle, String),
    /// The answer is not one of Identity Center: a captive portal, a wrong endpoint.
    UnexpectedResponse(String),
    /// No request can be made, because an endpoint, proxy or CA setting is wrong.
    InvalidSettings(String),
}

/// Why there is no connection, if a retry would not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// The proxy wants another user name or password, or any (HTTP 407). Each attempt counts towards locking the account.
    ProxyAuthentication,
    /// The server's certificate is not trusted, or is for another host.
    UntrustedCertificate,
    /// The server's certificate is not valid yet, or no longer, by this machine's clock.
    CertificateDate,
    /// The host name does not resolve, and its region is not one of AWS's.
    UnknownRegion,
}

impl Error {
    /// An [`Error::UnexpectedResponse`] with this text.
    pub fn unexpected_response(what: &str) -> Self {
        Self::UnexpectedResponse(what.to_owned())
    }

    /// The attempt took too long.
    pub(super) fn timed_out(target: &Target) -> Self {
        Self::Unavailable(None, format!("cannot reach {target}: no answer in time"))
    }

    /// The error of a call to this server.
    pub(super) fn of_call<E: StdError + Send + Sync + 'static>(error: &SdkError<E, HttpResponse>, target: &Target) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self::InvalidSettings(format!("cannot build a request: {}", innermost(error))),
            SdkError::TimeoutError(_) => Self::timed_out(target),
            _ => match error.raw_response() {
                Some(response) => Self::of_answer(response, target),
                None => Self::of_connection(error, target),
            },
        }
    }

    fn of_answer(response: &HttpResponse, target: &Target) -> Self {
        let header = |name: &str| response.headers().get(name);
        let secrets = response.extension::<RequestSecrets>().cloned().unwrap_or_default();
        answered(target, response.status().as_u16(), &header, response.body().bytes().unwrap_or_default(), &secrets)
    }

    /// The error of a connection to this server. Errors are told apart by their types.
    pub(super) fn of_connection(error: &(dyn StdError + 'static), target: &Target) -> Self {
        let cannot_reach = |why: &str| format!("cannot reach {target}: {why}");
        for cause in causes(error) {
            if cause.is::<PlainHttp>() {
                return Self::InvalidSettings(format!(
                    "the endpoint {target} is plain http, which is allowed for this machine only"
                ));
            }
            if let Some(TooLong(limit)) = cause.downcast_ref() {
                return Self::UnexpectedResponse(format!("{target} returned more than {limit} bytes"));
            }
            if let Some(rustls::Error::InvalidCertificate(error)) = cause.downcast_ref() {
                let (obstacle, why) = untrusted(error);
                return Self::Unreachable(obstacle, cannot_reach(&why));
            }
            if let Some(TunnelError::ProxyAuthRequired) = cause.downcast_ref() {
                let why = cannot_reach("the proxy requires authentication (HTTP 407)");
                return Self::Unreachable(Obstacle::ProxyAuthentication, why);
            }
            if cause.is::<ResolveDnsError>() && target.region_is_unknown() {
                let why = format!("{target} does not exist, and \"{}\" is not a region that daypass knows", target.region);
                return Self::Unreachable(Obstacle::UnknownRegion, why);
            }
        }
        Self::Unavailable(None, cannot_reach(&innermost(error)))
    }
}

/// The error of a CONNECT request to a proxy. hyper-util does not export its name.
type TunnelError = <Tunnel<HttpConnector> as tower_service::Service<Uri>>::Error;

fn untrusted(error: &CertificateError) -> (Obstacle, String) {
    match error {
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (Obstacle::CertificateDate, "its certificate is not valid yet by this machine's clock".to_owned())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (Obstacle::CertificateDate, "its certificate has expired by this machine's clock".to_owned())
        }
        CertificateError::UnknownIssuer => {
            (Obstacle::UntrustedCertificate, "the issuer of its certificate is not trusted".to_owned())
        }
        other => (Obstacle::UntrustedCertificate, format!("its certificate is not valid: {other}")),
    }
}

/// The server that a request is sent to, as messages name it.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    host: String,
    port: u16,
    proxy: Option<String>,
    region: String,
    /// The setting that selects its FIPS endpoint, if one does.
    fips: Option<String>,
}

impl Target {
    /// A server of this region that is not known yet; `fips` is the setting that selects FIPS endpoints, if one does.
    pub(super) fn new(region: &str, fips: Option<String>) -> Self {
        Self { region: region.to_owned(), fips, ..Self::default() }
    }

    /// The server of this address, with the same settings; `proxy` is shown as it is.
    pub(super) fn at(self, uri: &Uri, proxy: Option<String>) -> Self {
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let host = uri.host().unwrap_or_default().to_owned();
        Self { host, port: uri.port_u16().unwrap_or(default), proxy, ..self }
    }

    fn region_is_unknown(&self) -> bool {
        self.host.contains(&format!(".{}.", self.region)) && !regions::is_known(&self.region)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        if let Some(setting) = &self.fips {
            write!(f, " (FIPS endpoint, set by {setting})")?;
        }
        if let Some(proxy) = &self.proxy {
            write!(f, " through the proxy {proxy}")?;
        }
        Ok(())
    }
}

/// A request without TLS to a host other than this machine.
#[derive(Debug)]
pub(super) struct PlainHttp;

impl fmt::Display for PlainHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain http is allowed for this machine only")
    }
}

impl std::error::Error for PlainHttp {}

/// An answer of more bytes than this.
#[derive(Debug)]
pub(super) struct TooLong(pub(super) usize);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer has more than {} bytes", self.0)
    }
}

impl std::error::Error for TooLong {}

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

/// The error of an unsuccessful answer, or of a successful one that can't be read.
fn answered<'a>(
    target: &Target,
    status: u16,
    header: &impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    secrets: &RequestSecrets,
) -> Error {
    let json: Body = serde_json::from_slice(body).unwrap_or_default();
    // `Shape:http://…` in the header, `namespace#Shape` in the body.
    let shape = header("x-amzn-errortype").and_then(|text| text.split(':').next()).map(str::to_owned);
    let shape = shape.or_else(|| json.kind.as_deref().and_then(|kind| kind.rsplit('#').next()).map(str::to_owned));
    // A JSON body alone is no proof: proxies send `{"message":…}` too, and must not end a sign-in.
    let from_service = shape.is_some() || json.error.is_some();
    let text = json.error_description.or(json.message).filter(|text| !text.is_empty()).map(|text| secrets.clean(&text));
    let why = |fallback: &str| text.clone().unwrap_or_else(|| secrets.clean(fallback));
    let and_why = || text.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    let unavailable = |what: &str| {
        let now = header("date").and_then(http_date).unwrap_or_else(|| clock::now().unix_timestamp());
        let retry_after = header("retry-after").and_then(|text| wait(text.trim(), now));
        let wait = retry_after.map_or_else(String::new, |wait| format!(" and asks to wait {} s", wait.as_secs()));
        Error::Unavailable(retry_after, format!("{target} {what}{wait}{}", and_why()))
    };

    if status == 407 {
        let why = format!("cannot reach {target}: a proxy requires authentication (HTTP 407)");
        return Error::Unreachable(Obstacle::ProxyAuthentication, why);
    }
    if status == 429 || shape.as_deref() == Some("TooManyRequestsException") {
        return unavailable("receives too many requests");
    }
    if status >= 500 || status == 408 {
        return unavailable(&format!("failed with HTTP {status}"));
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
        (Some("server_error"), _) => unavailable("reports a server error"),
        (Some(error), _) => Error::InvalidRequest(why(error)),
        (None, _) if !from_service => Error::UnexpectedResponse(format!("{target} returned HTTP {status}, not from the service")),
        (None, _) => match status {
            401 => Error::Unauthorized(why("the token is not accepted")),
            403 | 404 => Error::Forbidden(why("no access")),
            400..=499 => Error::InvalidRequest(why(shape.as_deref().unwrap_or("the request is not accepted"))),
            _ => Error::UnexpectedResponse(format!("{target} returned HTTP {status} with an answer that can't be read")),
        },
    }
}

/// `Retry-After` in either of its forms (RFC 9110 §10.2.3): seconds, or a date.
fn wait(text: &str, now: i64) -> Option<Duration> {
    let seconds = text.parse().ok().or_else(|| Some(u64::try_from(http_date(text)? - now).unwrap_or(0)));
    seconds.map(Duration::from_secs)
}

/// A date of a header, in seconds since 1970.
pub(super) fn http_date(text: &str) -> Option<i64> {
    DateTime::from_str(text, Format::HttpDate).ok().map(|date| date.secs())
}

/// An error and its causes. The payload of an [`io::Error`] is one of them; `source` would skip it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(payload) => Some(payload as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

/// The text of the last cause, which is the system's or a library's.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::default().at(&"https://oidc.us-east-1.amazonaws.com/token".parse().unwrap(), None)
    }

    fn error_of(status: u16, shape: Option<&str>, body: &str) -> Error {
        answered(
            &target(),
            status,
            &|name| (name == "x-amzn-errortype").then_some(shape).flatten(),
            body.as_bytes(),
            &RequestSecrets::default(),
        )
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
        assert_eq!(wait("7", 0), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_700), Some(Duration::from_secs(77)));
        assert_eq!(wait("soon", 0), None);
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
        let throttled = answered(&target(), 429, &|name| (name == "retry-after").then_some("7"), b"{}", &RequestSecrets::default());
        let what = "oidc.us-east-1.amazonaws.com:443 receives too many requests and asks to wait 7 s";
        assert_eq!(throttled, Error::Unavailable(Some(Duration::from_secs(7)), what.into()));
    }
}
