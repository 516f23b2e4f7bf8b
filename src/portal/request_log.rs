//! Sees each request before it is sent: logs it without secrets, and refuses plain http to other machines.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::error::PlainHttp;

/// Records the address of a request, which contains the endpoint that the client chose.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestUri(Arc<OnceLock<String>>);

impl RequestUri {
    /// None before the request is sent.
    pub(super) fn uri(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl Intercept for RequestUri {
    fn name(&self) -> &'static str {
        "RequestUri"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let _ = self.0.set(context.request().uri().to_owned());
        Ok(())
    }
}

/// Logs requests and answers, and refuses plain http to other machines.
#[derive(Debug)]
pub(super) struct RequestCheck;

impl Intercept for RequestCheck {
    fn name(&self) -> &'static str {
        "RequestCheck"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let (endpoint, path) = parts(request.uri());
        tracing::debug!(method = request.method(), endpoint, path, "request");
        if endpoint.starts_with("https://") || is_loopback(endpoint) { Ok(()) } else { Err(PlainHttp(endpoint.to_owned()).into()) }
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let id = response.headers().get("x-amzn-requestid").unwrap_or_default();
        tracing::debug!(status = response.status().as_u16(), request_id = id, "answer");
        Ok(())
    }
}

/// Scheme with authority, and path without query.
fn parts(uri: &str) -> (&str, &str) {
    let after_scheme = uri.find("://").map_or(0, |at| at + 3);
    let path_at = uri.get(after_scheme..).and_then(|rest| rest.find(['/', '?'])).map_or(uri.len(), |at| after_scheme + at);
    let (endpoint, path) = uri.split_at(path_at);
    (endpoint, path.split('?').next().unwrap_or_default())
}

/// Whether a plain http endpoint is on this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
fn is_loopback(endpoint: &str) -> bool {
    let Some(authority) = endpoint.strip_prefix("http://") else { return false };
    // A user part could disguise another host as a loopback one.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_allowed_only_for_this_machine() {
        for here in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "http://127.1.2.3"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in [
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
            "http://10.0.0.1",
            "ftp://localhost",
        ] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_query_is_never_logged() {
        assert_eq!(
            parts("https://portal.sso.eu-west-1.amazonaws.com/logout?x=1"),
            ("https://portal.sso.eu-west-1.amazonaws.com", "/logout")
        );
        assert_eq!(parts("http://localhost:1"), ("http://localhost:1", ""));
    }
}
