//! Chooses the proxy of a request. Pure.
//!
//! Plain http is allowed for this machine only, and this machine is never reached through a proxy, so only the proxy for https matters.

use aws_smithy_http_client::proxy::ProxyConfig;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::error::Error;
use crate::sys::env::Env;

/// Hosts that are never reached through a proxy, in the form of `NO_PROXY`.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The proxy that the environment configures, if any.
#[derive(Debug)]
pub(super) struct Proxy {
    configured: Option<Configured>,
}

#[derive(Debug)]
struct Configured {
    variable: &'static str,
    config: ProxyConfig,
    matcher: Matcher,
}

impl Proxy {
    /// Reads `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. A value without a scheme means http, as in curl.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] for a value that is not the address of an http or https proxy.
    pub(super) fn new(env: &Env) -> Result<Self, Error> {
        let Some((variable, value)) = env.https_proxy() else { return Ok(Self { configured: None }) };
        let address = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        // The value may contain a password: only its scheme is shown.
        let scheme = address.split("://").next().unwrap_or_default();
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err(Error::InvalidSettings(format!(
                "{variable} has the scheme \"{scheme}\"; only http and https proxies are supported"
            )));
        }
        let malformed =
            || Error::InvalidSettings(format!("{variable} is not the address of a proxy, such as http://proxy.example.com:3128"));
        let uri: Uri = address.parse().map_err(|_| malformed())?;
        let port_is_valid = |uri: &Uri| {
            uri.authority().is_some_and(|authority| {
                let host = authority.as_str().rsplit('@').next().unwrap_or_default();
                host.len() == authority.host().len() || authority.port_u16().is_some()
            })
        };
        if uri.host().is_none_or(str::is_empty) || !port_is_valid(&uri) {
            return Err(malformed());
        }
        let excluded = format!("{LOOPBACK},{}", env.no_proxy().unwrap_or_default());
        let config = ProxyConfig::https(uri.clone()).map_err(|_| malformed())?.no_proxy(&excluded);
        let matcher = Matcher::builder().https(uri.to_string()).no(excluded).build();
        Ok(Self { configured: Some(Configured { variable, config, matcher }) })
    }

    /// The setting of the HTTP client.
    pub(super) fn config(&self) -> ProxyConfig {
        self.configured.as_ref().map_or_else(ProxyConfig::disabled, |configured| configured.config.clone())
    }

    /// The proxy of a request to this address, without user name and password, and the variable that configures it.
    pub(super) fn of(&self, uri: &Uri) -> Option<String> {
        let configured = self.configured.as_ref()?;
        let used = configured.matcher.intercept(uri)?;
        let address = used.uri().to_string();
        Some(format!("{} ({})", address.trim_end_matches('/'), configured.variable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(vars: &[(&str, &str)]) -> Result<Proxy, Error> {
        Proxy::new(&vars.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn used(vars: &[(&str, &str)], address: &str) -> Option<String> {
        proxy(vars).unwrap().of(&address.parse().unwrap())
    }

    #[test]
    fn https_uses_the_proxy_and_its_password_is_not_shown() {
        let aws = "https://oidc.us-east-1.amazonaws.com/token";
        assert_eq!(
            used(&[("HTTPS_PROXY", "http://me:secret@proxy.example:3128")], aws).as_deref(),
            Some("http://proxy.example:3128 (HTTPS_PROXY)")
        );
        assert_eq!(used(&[("all_proxy", "proxy.example:3128")], aws).as_deref(), Some("http://proxy.example:3128 (all_proxy)"));
        assert_eq!(used(&[("HTTP_PROXY", "http://proxy.example:3128")], aws), None);
        assert_eq!(used(&[("HTTPS_PROXY", "http://proxy.example"), ("NO_PROXY", ".amazonaws.com")], aws), None);
    }

    #[test]
    fn loopback_never_uses_a_proxy() {
        for here in ["http://127.0.0.1:9", "http://localhost:9", "https://localhost", "https://127.8.9.1:9", "https://[::1]:9"] {
            assert_eq!(
                used(&[("HTTPS_PROXY", "http://proxy.example"), ("ALL_PROXY", "http://proxy.example")], here),
                None,
                "{here}"
            );
        }
    }

    #[test]
    fn a_malformed_or_unsupported_proxy_is_an_error_that_hides_its_password() {
        for bad in [
            "socks5://me:secret@proxy.example:1080",
            "ftp://me:secret@proxy.example",
            "http://",
            "http://me:se cret@proxy",
            "http://me:secret@proxy.example:99999",
            "http://me:secret@proxy.example:port",
            "://secret",
        ] {
            let Err(Error::InvalidSettings(why)) = proxy(&[("HTTPS_PROXY", bad)]) else { panic!("{bad}") };
            assert!(why.contains("HTTPS_PROXY") && !why.contains("secret"), "{why}");
        }
    }
}
