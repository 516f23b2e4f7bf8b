//! Reads the settings of the requests: region, endpoints, FIPS, dual-stack and CA bundle. Touches the user's configuration files.
//!
//! Only settings of the service itself apply: its variable, and the settings of a profile that was named. A general `AWS_ENDPOINT_URL` or
//! `endpoint_url`, which usually names an emulator, must receive neither tokens nor requests that keys of an account sign.

use std::path::PathBuf;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env as SdkEnv, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use http::Uri;

use super::error::Error;
use crate::profile::Config;
use crate::sys::env::Env;

/// What is needed to call a service. Files are read only when it is called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region of the service.
    pub region: String,
    /// The profile that was named and whose endpoint and CA settings apply.
    pub profile: Option<String>,
    /// The environment, which may contain others.
    pub env: Env,
}

impl Settings {
    /// The files that the rest of daypass reads; None if there are none (the SDK accepts only existing ones).
    fn files(&self) -> Option<EnvConfigFiles> {
        let kinds =
            [(EnvConfigFileKind::Config, self.env.config_file()), (EnvConfigFileKind::Credentials, self.env.credentials_file())];
        let mut existing =
            kinds.into_iter().filter_map(|(kind, path)| Some((kind, path.filter(|path| path.is_file())?))).peekable();
        existing.peek()?;
        Some(existing.fold(EnvConfigFiles::builder(), |files, (kind, path)| files.with_file(kind, path)).build())
    }

    /// `AWS_CA_BUNDLE`, else the profile's `ca_bundle`.
    pub(super) fn ca_bundle(&self) -> Option<PathBuf> {
        self.env.ca_bundle().or_else(|| {
            let config = Config::read(&self.env).ok()?;
            let profile = config.profile(self.profile.as_deref()?)?;
            Some(self.env.expand(profile.text("ca_bundle")?))
        })
    }
}

/// A service, by the names it has in settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its identifier in the SDK, such as `SSO OIDC`.
    pub id: &'static str,
    /// Its key in a `[services]` section, such as `sso_oidc`.
    pub key: &'static str,
    /// The variable for its endpoint, such as `AWS_ENDPOINT_URL_SSO_OIDC`.
    pub variable: &'static str,
}

/// A value, and where it comes from, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting<T> {
    pub(super) value: T,
    pub(super) source: String,
}

/// The endpoint settings of some services.
#[derive(Debug, Default)]
pub(super) struct EndpointSettings {
    /// The service's identifier and its own endpoint.
    own: Vec<(&'static str, Setting<String>)>,
    /// Whether FIPS endpoints are used.
    pub(super) fips: Option<Setting<bool>>,
    /// Whether dual-stack endpoints are used, if the user decides it.
    pub(super) dual_stack: Option<bool>,
}

impl EndpointSettings {
    /// Reads them. Files that the SDK can't read have no settings.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] for an endpoint that is not a web address, or is plain http on another machine, or is set together with
    /// FIPS (the endpoint rules of the services refuse that).
    pub(super) async fn read(settings: &Settings, services: &'static [Service]) -> Result<Self, Error> {
        let env = &settings.env;
        let profiles = match settings.profile.as_ref().and_then(|name| Some((name, settings.files()?))) {
            Some((name, files)) => aws_config::profile::load(&Fs::real(), &SdkEnv::real(), &files, Some(name.clone().into())).await,
            None => Ok(ProfileSet::default()),
        };
        let profiles = profiles.inspect_err(|error| log::warn!("the AWS SDK can't read the configuration: {error:?}"));
        let profile = Profile { name: settings.profile.clone().unwrap_or_default(), set: profiles.unwrap_or_default() };
        let ignored = env.ignore_configured_endpoints().or(profile.get("ignore_configured_endpoint_urls")).is_some_and(is_true);
        let endpoint = |service: &Service| {
            let variable = env.endpoint(service.variable);
            let variable = variable.map(|value| Setting { value: value.to_owned(), source: service.variable.to_owned() });
            Some((service.id, variable.or_else(|| profile.endpoint(service))?))
        };
        let endpoints: Vec<_> = services.iter().filter(|_| !ignored).filter_map(endpoint).collect();
        let fips = flag(env.use_fips_endpoint(), "AWS_USE_FIPS_ENDPOINT", &profile, "use_fips_endpoint");
        let dual_stack = flag(env.use_dual_stack_endpoint(), "AWS_USE_DUALSTACK_ENDPOINT", &profile, "use_dualstack_endpoint");
        for (_, endpoint) in &endpoints {
            check(endpoint)?;
            for (setting, what) in [(&fips, "FIPS"), (&dual_stack, "dual-stack")] {
                if let Some(setting) = setting.as_ref().filter(|setting| setting.value) {
                    let (one, other) = (&endpoint.source, &setting.source);
                    return Err(Error::InvalidSettings(format!(
                        "{one} and {other} are both set: an endpoint of your own has no {what} variant"
                    )));
                }
            }
        }
        Ok(Self { own: endpoints, fips, dual_stack: dual_stack.map(|setting| setting.value) })
    }

    /// The endpoints of the user's own, each with the setting that it is from.
    pub(super) fn own(&self) -> Vec<(String, String)> {
        self.own.iter().map(|(_, endpoint)| (endpoint.value.clone(), endpoint.source.clone())).collect()
    }
}

impl LoadServiceConfig for EndpointSettings {
    /// The clients ask for endpoints only.
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.own.iter().find(|(id, _)| *id == key.service_id()).map(|(_, endpoint)| endpoint.value.clone())
    }
}

/// The profile that was named, read by the AWS SDK's own code.
struct Profile {
    name: String,
    set: ProfileSet,
}

impl Profile {
    fn get(&self, key: &str) -> Option<&str> {
        self.set.get_profile(&self.name)?.get(key)
    }

    /// The profile's `services` entry for this service.
    fn endpoint(&self, service: &Service) -> Option<Setting<String>> {
        let section = self.get("services")?;
        let key = PropertiesKey::builder().section_key("services").section_name(section);
        let key = key.property_name(service.key).sub_property_name("endpoint_url").build().ok()?;
        let value = self.set.other_sections().get(&key)?.clone();
        Some(Setting { value, source: format!("endpoint_url of {} in [services {section}]", service.key) })
    }
}

/// A setting that is true or false; None if it is neither.
fn flag(variable: Option<&str>, name: &str, profile: &Profile, key: &str) -> Option<Setting<bool>> {
    let (text, source) = match variable {
        Some(text) => (text, name.to_owned()),
        None => (profile.get(key)?, format!("{key} of profile \"{}\"", profile.name)),
    };
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(Setting { value: true, source }),
        "false" => Some(Setting { value: false, source }),
        _ => {
            log::warn!("{source} is neither true nor false");
            None
        }
    }
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// Refuses an endpoint that no request can be sent to.
fn check(endpoint: &Setting<String>) -> Result<(), Error> {
    let Setting { value, source } = endpoint;
    let shown = without_user(value);
    let invalid = |why: &str| Err(Error::InvalidSettings(format!("the endpoint \"{shown}\" ({source}) {why}")));
    match value.parse::<Uri>() {
        Ok(uri) if is_web_address(&uri) => {
            if is_allowed(&uri) {
                Ok(())
            } else {
                invalid("is plain http, which is allowed for this machine only")
            }
        }
        _ => invalid("is not a web address"),
    }
}

fn is_web_address(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let server = authority.as_str().rsplit('@').next().unwrap_or_default();
    let host = authority.host();
    let port_is_valid = server.len() == host.len() || authority.port_u16().is_some();
    let host_is_valid = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    matches!(uri.scheme_str(), Some("http" | "https")) && host_is_valid && port_is_valid && uri.query().is_none()
}

/// An address without user name and password.
fn without_user(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        (None, Some((_, rest))) => rest.to_owned(),
        _ => address.to_owned(),
    }
}

/// Whether a request may be sent to this address: https, or http on this machine (`localhost`, 127.0.0.0/8 or `[::1]`).
pub(super) fn is_allowed(uri: &Uri) -> bool {
    // A user part could disguise another host as a loopback one.
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let is_loopback = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback && !has_user,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(endpoint: &str) -> Option<String> {
        match check(&Setting { value: endpoint.to_owned(), source: "AWS_ENDPOINT_URL_SSO".to_owned() }) {
            Err(Error::InvalidSettings(why)) => Some(why),
            _ => None,
        }
    }

    #[test]
    fn plain_http_is_allowed_for_this_machine_only() {
        for here in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "http://127.1.2.3", "https://example.com/path"]
        {
            assert_eq!(error(here), None, "{here}");
        }
        for elsewhere in ["http://example.com", "http://127.0.0.1.example.com", "http://localhost@example.com", "http://10.0.0.1"] {
            assert!(error(elsewhere).is_some_and(|why| why.contains("is plain http")), "{elsewhere}");
        }
    }

    #[test]
    fn a_malformed_endpoint_is_refused_before_any_request() {
        for bad in [
            "http://",
            "https://",
            "http://127.0.0.1\\@x",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:x",
            "http://[::1",
            "https://a b",
            "ftp://localhost",
            "localhost:80",
            "nonsense",
            "/path",
            "https://:443",
            "https://example.com?x=y",
        ] {
            assert!(error(bad).is_some_and(|why| why.contains("is not a web address")), "{bad}");
        }
    }

    #[test]
    fn a_password_in_an_endpoint_is_not_shown() {
        for bad in ["http://me:secret@example.com", "http://me:secret@", "me:secret@example.com", "https://me:secret@a b/@c"] {
            assert!(error(bad).is_some_and(|why| !why.contains("secret")), "{bad}");
        }
    }
}
