//! Turns failed calls into [`Error`], by their cause. Pure.
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
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use rustls::CertificateError;
use serde::Deserialize;

use super::redact::RequestSecrets;
use super::regions;
use crate::sys::clock;

/// Why a call of any service failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The service itself refuses the request. Which service it is decides what the caller does next.
    Rejected(Rejection),
    /// Throttled, server error, reset or time-out: retry, not before the given time.
    Unavailable(Option<Duration>, String),
    /// There is no connection, and a retry would not change that: the request was sent once.
    Unreachable(Obstacle, String),
    /// The answer is not one of the service: a captive portal, a wrong endpoint.
    UnexpectedResponse(String),
    /// No request can be made, because an endpoint, proxy or CA setting is wrong.
    InvalidSettings(String),
}

/// An error answer of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// The error of OAuth services (RFC 6749 §5.2), such as `invalid_grant`.
    pub oauth: Option<String>,
    /// AWS's code or shape, such as `AccessDenied` or `ForbiddenException`.
    pub code: Option<String>,
    /// The service's text, cleaned.
    pub text: Option<String>,
}

impl Rejection {
    /// The service's text, or else this one.
    pub fn why(self, fallback: &str) -> String {
        self.text.unwrap_or_else(|| fallback.to_owned())
    }
}

/// An error that a later attempt may not have.
pub trait Temporary: Sized {
    /// The shortest pause before a retry; None if a retry would not help.
    fn pause(&self) -> Option<Duration>;

    /// The error of a call for which no time is left.
    fn out_of_time() -> Self;
}

impl Temporary for Error {
    fn pause(&self) -> Option<Duration> {
        if let Self::Unavailable(asked, _) = self { Some(asked.unwrap_or_default()) } else { None }
    }

    fn out_of_time() -> Self {
        Self::Unavailable(None, "no time is left for the request".to_owned())
    }
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
    /// The attempt took too long.
    pub(super) fn timed_out(target: &Target) -> Self {
        Self::Unavailable(None, target.unreachable("no answer in time"))
    }

    /// The error of a call to this server.
    pub(super) fn of_call<E>(error: &SdkError<E, HttpResponse>, target: &Target) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        match error {
            SdkError::ConstructionFailure(_) => Self::InvalidSettings(format!("can't build a request: {}", innermost(error))),
            SdkError::TimeoutError(_) => Self::timed_out(target),
            _ => match error.raw_response() {
                Some(response) => Self::of_answer(response, error.as_service_error().map(ProvideErrorMetadata::meta), target),
                None => Self::of_connection(error, target),
            },
        }
    }

    fn of_answer(response: &HttpResponse, xml: Option<&ErrorMetadata>, target: &Target) -> Self {
        let header = |name: &str| response.headers().get(name);
        let secrets = response.extension::<RequestSecrets>().cloned().unwrap_or_default();
        let body = response.body().bytes().unwrap_or_default();
        answered(target, response.status().as_u16(), &header, &ErrorBody::read(body, xml), &secrets)
    }

    /// The error of a connection to this server. Errors are told apart by their types.
    pub(super) fn of_connection(error: &(dyn StdError + 'static), target: &Target) -> Self {
        let cannot_reach = |why: &str| target.unreachable(why);
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
    /// The user's own endpoints, and the setting that names this server, if one does.
    own: Vec<(String, String)>,
    setting: Option<String>,
}

impl Target {
    /// A server of this region, or one of these endpoints, that is not known yet; `fips` is the setting that selects FIPS endpoints, if
    /// one does.
    pub(super) fn new(region: &str, fips: Option<String>, own: Vec<(String, String)>) -> Self {
        Self { region: region.to_owned(), fips, own, ..Self::default() }
    }

    /// The server of this address, with the same settings; `proxy` is shown as it is.
    pub(super) fn at(self, uri: &Uri, proxy: Option<String>) -> Self {
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let host = uri.host().unwrap_or_default().to_owned();
        let is_it = |(own, _): &&(String, String)| own.parse::<Uri>().is_ok_and(|own| own.authority() == uri.authority());
        let setting = self.own.iter().find(is_it).map(|(_, setting)| setting.clone());
        Self { host, port: uri.port_u16().unwrap_or(default), proxy, setting, ..self }
    }

    /// That no connection was made, with the setting that the address is from.
    fn unreachable(&self, why: &str) -> String {
        let setting = self.setting.as_ref().map(|setting| format!(" ({setting})")).unwrap_or_default();
        format!("can't reach {self}{setting}: {why}")
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

/// The body of an error answer: OIDC has `error` and `error_description`, the portal `message`, query services (STS, IAM) XML.
#[derive(Deserialize, Default)]
struct ErrorBody {
    error: Option<String>,
    error_description: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
    #[serde(rename = "__type")]
    kind: Option<String>,
}

impl ErrorBody {
    /// `xml` is what the SDK found in it.
    fn read(body: &[u8], xml: Option<&ErrorMetadata>) -> Self {
        match (serde_json::from_slice(body), xml) {
            (Ok(json), _) => json,
            (Err(_), Some(xml)) if body.trim_ascii_start().starts_with(b"<") => {
                Self { kind: xml.code().map(str::to_owned), message: xml.message().map(str::to_owned), ..Self::default() }
            }
            _ => Self::default(),
        }
    }
}

/// The codes of a service that receives too many requests; query services send them with HTTP 400.
const THROTTLED: [&str; 4] = ["TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"];

/// The error of an unsuccessful answer, or of a successful one that can't be read.
fn answered<'a>(
    target: &Target,
    status: u16,
    header: &impl Fn(&str) -> Option<&'a str>,
    body: &ErrorBody,
    secrets: &RequestSecrets,
) -> Error {
    // `Shape:http://…` in the header, `namespace#Shape` in the body.
    let code = header("x-amzn-errortype").and_then(|text| text.split(':').next());
    let code = code.or_else(|| body.kind.as_deref().and_then(|kind| kind.rsplit('#').next())).map(str::to_owned);
    let text = body.error_description.as_ref().or(body.message.as_ref()).filter(|text| !text.is_empty());
    let text = text.map(|text| secrets.clean(text));
    let and_why = || text.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    let unavailable = |what: &str| {
        let now = header("date").and_then(http_date).unwrap_or_else(|| clock::now().unix_timestamp());
        let retry_after = header("retry-after").and_then(|text| wait(text.trim(), now));
        let wait = retry_after.map_or_else(String::new, |wait| format!(" and asks to wait {} s", wait.as_secs()));
        Error::Unavailable(retry_after, format!("{target} {what}{wait}{}", and_why()))
    };

    if status == 407 {
        let why = format!("can't reach {target}: a proxy requires authentication (HTTP 407)");
        return Error::Unreachable(Obstacle::ProxyAuthentication, why);
    }
    if status == 429 || code.as_deref().is_some_and(|code| THROTTLED.contains(&code)) {
        return unavailable("receives too many requests");
    }
    if status >= 500 || status == 408 {
        return unavailable(&format!("failed with HTTP {status}"));
    }
    match (body.error.as_deref(), &code) {
        (Some("server_error"), _) => unavailable("reports a server error"),
        (Some(_), _) | (None, Some(_)) if (400..500).contains(&status) || body.error.is_some() => {
            let oauth = body.error.as_deref().map(|error| secrets.clean(error));
            Error::Rejected(Rejection { status, oauth, code: code.map(|code| secrets.clean(&code)), text })
        }
        (None, Some(_)) => Error::UnexpectedResponse(format!("{target} returned HTTP {status} with an answer that can't be read")),
        // A JSON body alone is no proof: proxies send `{"message":…}` too, and must not end a sign-in.
        _ => Error::UnexpectedResponse(format!("{target} returned HTTP {status}, not from the service")),
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

    fn error_of(status: u16, headers: &[(&str, &'static str)], body: &str) -> Error {
        let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        answered(&target(), status, &header, &ErrorBody::read(body.as_bytes(), None), &RequestSecrets::default())
    }

    fn rejected(status: u16, oauth: Option<&str>, code: Option<&str>, text: Option<&str>) -> Error {
        let [oauth, code, text] = [oauth, code, text].map(|part| part.map(str::to_owned));
        Error::Rejected(Rejection { status, oauth, code, text })
    }

    #[test]
    fn a_rejection_has_the_code_of_the_header_and_the_text_of_the_body() {
        let shape = [("x-amzn-errortype", "InvalidGrantException:http://x/")];
        let body = r#"{"error":"invalid_grant","error_description":"Invalid"}"#;
        let expected = rejected(400, Some("invalid_grant"), Some("InvalidGrantException"), Some("Invalid"));
        assert_eq!(error_of(400, &shape, body), expected);
        assert_eq!(error_of(400, &shape, ""), rejected(400, None, Some("InvalidGrantException"), None));
        let portal = r#"{"__type":"a#ForbiddenException","message":"No access"}"#;
        assert_eq!(error_of(403, &[], portal), rejected(403, None, Some("ForbiddenException"), Some("No access")));
    }

    #[test]
    fn an_xml_error_has_the_code_that_the_sdk_found() {
        let xml = ErrorMetadata::builder().code("AccessDenied").message("no").build();
        let of = |status, body: &str, xml: &ErrorMetadata| {
            answered(&target(), status, &|_| None, &ErrorBody::read(body.as_bytes(), Some(xml)), &RequestSecrets::default())
        };
        assert_eq!(of(403, "<ErrorResponse>", &xml), rejected(403, None, Some("AccessDenied"), Some("no")));
        let throttled = ErrorMetadata::builder().code("Throttling").build();
        assert!(matches!(of(400, "<ErrorResponse>", &throttled), Error::Unavailable(None, _)));
        assert!(matches!(of(403, "<html>", &ErrorMetadata::builder().build()), Error::UnexpectedResponse(_)));
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
        for (status, body) in [
            (403, "<html>Please log in to the guest Wi-Fi</html>"),
            (401, ""),
            (401, r#"{"message":"Sign in to the proxy"}"#),
            (403, r#"{"message":"Forbidden"}"#),
            (200, "<html>"),
            (302, ""),
        ] {
            assert!(matches!(error_of(status, &[], body), Error::UnexpectedResponse(_)), "{status} {body}");
        }
    }

    #[test]
    fn server_errors_and_throttling_are_retried_whatever_the_body() {
        assert!(matches!(error_of(503, &[], ""), Error::Unavailable(None, _)));
        assert!(matches!(error_of(429, &[], r#"{"message":"slow"}"#), Error::Unavailable(None, _)));
        let what = "oidc.us-east-1.amazonaws.com:443 receives too many requests and asks to wait 7 s";
        assert_eq!(error_of(429, &[("retry-after", "7")], "{}"), Error::Unavailable(Some(Duration::from_secs(7)), what.into()));
    }
}
