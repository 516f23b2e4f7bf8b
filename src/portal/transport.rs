//! How requests travel: the AWS SDK's configuration, TLS, proxies, trust roots, time limits, and the refusal of plain http.

use std::cell::OnceCell;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::profile::ProfileSet;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::os_shim_internal::{Env as SdkEnv, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use tokio::runtime::{self, Runtime};

use super::error::{Error, PlainHttp};
use super::trust;
use crate::profile::Config;
use crate::sys::clock::Deadline;
use crate::sys::env::Env;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a start URL may take to say where it leads.
const REDIRECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What an attempt gets at least of what the deadline leaves.
pub(super) const MIN_ATTEMPT: Duration = Duration::from_secs(1);

/// The services by the SDK's names for them.
const SERVICES: [&str; 2] = ["SSO", "SSO OIDC"];

/// What a portal needs to know before it can be called. Files are read only then.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The session's `sso_region`.
    pub region: String,
    /// The session's start URL.
    pub start_url: String,
    /// The profile whose endpoint and CA settings count.
    pub profile: Option<String>,
    /// The environment that may hold others.
    pub env: Env,
}

impl Settings {
    /// The files that the rest of daypass reads; None where there are none (the SDK takes only those that are there).
    fn files(&self) -> Option<EnvConfigFiles> {
        let kinds =
            [(EnvConfigFileKind::Config, self.env.config_file()), (EnvConfigFileKind::Credentials, self.env.credentials_file())];
        let mut there = kinds.into_iter().filter_map(|(kind, path)| Some((kind, path.filter(|path| path.is_file())?))).peekable();
        there.peek()?;
        Some(there.fold(EnvConfigFiles::builder(), |files, (kind, path)| files.with_file(kind, path)).build())
    }

    /// `AWS_CA_BUNDLE`, else the profile's `ca_bundle`.
    fn ca_bundle(&self) -> Option<PathBuf> {
        self.env.ca_bundle().or_else(|| {
            let config = Config::read(&self.env).ok()?;
            let profile = config.profile(self.profile.as_deref()?)?;
            Some(self.env.expand(profile.text("ca_bundle")?))
        })
    }
}

/// The runtime and the two clients.
pub(super) struct Client {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    config: SdkConfig,
    oidc: OnceCell<aws_sdk_ssooidc::Client>,
    sso: OnceCell<aws_sdk_sso::Client>,
}

impl Client {
    /// Reads endpoint settings from the environment and the configuration, as any SDK does; never credentials. `dual_stack` is for
    /// those who did not say what they want.
    pub(super) fn build(settings: &Settings, dual_stack: bool) -> Result<Self, Error> {
        let runtime = new_runtime()?;
        let http = http_client(settings)?;
        let shared = runtime.block_on(SharedSettings::read(settings));
        for service in SERVICES {
            if let Some(endpoint) =
                shared.endpoint(service).filter(|url| !url.starts_with("https://") && !url.starts_with("http://"))
            {
                return Err(Error::InvalidSettings(format!("the endpoint \"{endpoint}\" of {service} is no web address")));
            }
        }
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(http)
            // Retries are the broker's: they belong under one deadline with everything else.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build());
        config.set_use_fips(shared.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
        config.set_use_dual_stack(match shared.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") {
            // A custom endpoint together with dual-stack is an error in the service's endpoint rules.
            None if dual_stack && !SERVICES.iter().any(|service| shared.endpoint(service).is_some()) => Some(true),
            said => said,
        });
        let config = config.service_config(shared).build();
        Ok(Self { runtime: Some(runtime), config, oidc: OnceCell::new(), sso: OnceCell::new() })
    }

    pub(super) fn oidc(&self) -> &aws_sdk_ssooidc::Client {
        self.oidc.get_or_init(|| {
            aws_sdk_ssooidc::Client::from_conf(aws_sdk_ssooidc::config::Builder::from(&self.config).interceptor(Guard).build())
        })
    }

    pub(super) fn sso(&self) -> &aws_sdk_sso::Client {
        self.sso.get_or_init(|| {
            aws_sdk_sso::Client::from_conf(aws_sdk_sso::config::Builder::from(&self.config).interceptor(Guard).build())
        })
    }

    /// One attempt. It gets half of what the deadline leaves, so that a server that hangs leaves time for another.
    pub(super) fn call<T, E>(
        &self,
        deadline: Deadline,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.call_for(deadline, MIN_ATTEMPT, request)
    }

    /// One attempt that gets so long at the least, if the deadline leaves that.
    pub(super) fn call_for<T, E>(
        &self,
        deadline: Deadline,
        least: Duration,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.run(within(deadline, least, request))?
    }

    /// Runs to its end what makes several calls.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::InvalidSettings("the runtime has ended".to_owned())) };
        Ok(runtime.block_on(work))
    }
}

/// One attempt, as [`Client::call_for`] makes it.
pub(super) async fn within<T, E>(
    deadline: Deadline,
    least: Duration,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let left = deadline.left();
    match tokio::time::timeout((left / 2).max(least).min(left), request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Unavailable(None, "no answer in time".to_owned())),
    }
}

impl Drop for Client {
    /// A look-up of a name can't be broken off: the system may take half a minute over one. It is left behind.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The settings that all SDKs share, by the AWS SDK's own readers: a variable, then the profile with its `[services]`. Its loader of
/// everything would link all sources of credentials; daypass must not even be able to call itself as one of them.
#[derive(Debug)]
struct SharedSettings {
    env: SdkEnv,
    profiles: ProfileSet,
}

impl SharedSettings {
    /// Files that the SDK can't read have no settings.
    async fn read(settings: &Settings) -> Self {
        let env = SdkEnv::real();
        let profiles = match settings.files() {
            Some(files) => aws_config::profile::load(&Fs::real(), &env, &files, settings.profile.clone().map(Into::into)).await,
            None => Ok(ProfileSet::default()),
        };
        let profiles = profiles.inspect_err(|error| tracing::warn!(?error, "the AWS SDK can't read the configuration"));
        Self { env, profiles: profiles.unwrap_or_default() }
    }

    fn flag(&self, variable: &str, key: &str) -> Option<bool> {
        let (value, _) = EnvConfigValue::new().env(variable).profile(key).load(&self.env, Some(&self.profiles))?;
        match value.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                tracing::warn!(variable, key, "neither true nor false");
                None
            }
        }
    }

    /// The endpoint that is configured for a service, or for all.
    fn endpoint(&self, service: &str) -> Option<String> {
        if self.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") == Some(true) {
            return None;
        }
        // `sso_oidc`, as AWS writes it in `[services]`: by itself the SDK would look for `sso-oidc`. For variables it is the same.
        let service = service.replace(' ', "_");
        let value = EnvConfigValue::new().env("AWS_ENDPOINT_URL").profile("endpoint_url").service_id(&service);
        value.load(&self.env, Some(&self.profiles)).map(|(value, _)| value.into_owned())
    }
}

impl LoadServiceConfig for SharedSettings {
    /// The clients ask for endpoints only.
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        self.endpoint(key.service_id())
    }
}

fn new_runtime() -> Result<Runtime, Error> {
    let built = runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Error::InvalidSettings(format!("the runtime can't start: {error}")))
}

fn http_client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    let tls = tls_context(settings)?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| connector(&tls, settings, components)))
}

fn tls_context(settings: &Settings) -> Result<TlsContext, Error> {
    let trust = trust::store(settings.ca_bundle(), &settings.env)?;
    let tls = TlsContext::builder().with_trust_store(trust).build();
    tls.map_err(|error| Error::InvalidSettings(format!("TLS can't start: {error}")))
}

fn connector(tls: &TlsContext, settings: Option<&HttpConnectorSettings>, components: Option<&RuntimeComponents>) -> Connector {
    let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).tls_context(tls.clone()).build()
}

/// Where this address redirects to, if it does: one HEAD, or GET where that is not taken. Nothing is followed, nothing is sent along.
///
/// # Errors
/// [`Error::InvalidSettings`] only: an address that can't be reached leads nowhere.
pub(super) fn redirect_of(settings: &Settings, address: &str, deadline: Deadline) -> Result<Option<String>, Error> {
    let runtime = new_runtime()?;
    let connector = connector(&tls_context(settings)?, None, None);
    let limit = deadline.left().min(REDIRECT_TIMEOUT);
    let answer = runtime.block_on(async {
        tokio::time::timeout(limit, async {
            let answer = ask(&connector, "HEAD", address).await?;
            if matches!(answer.status().as_u16(), 405 | 501) { ask(&connector, "GET", address).await } else { Some(answer) }
        })
        .await
    });
    // The look-up of a name can't be called off.
    runtime.shutdown_background();
    let answer = answer.ok().flatten().filter(|answer| matches!(answer.status().as_u16(), 301..=303 | 307 | 308));
    Ok(answer.and_then(|answer| answer.headers().get("location").map(str::to_owned)))
}

async fn ask(connector: &Connector, method: &str, address: &str) -> Option<HttpResponse> {
    let mut request = HttpRequest::empty();
    request.set_method(method).ok()?;
    request.set_uri(address).ok()?;
    connector.call(request).await.inspect_err(|error| tracing::info!(?error, address, "no answer")).ok()
}

/// Notes the address of a request: the endpoint that was chosen, which the client does not tell.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestUri(Arc<OnceLock<String>>);

impl RequestUri {
    /// None before the request.
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

/// Sees each request before it leaves: refuses plain http to other machines, and logs what may be logged.
#[derive(Debug)]
struct Guard;

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
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
    // A user part could dress another host up as a loopback one.
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
    fn a_look_up_that_hangs_is_left_behind() {
        let settings = Settings { region: "us-east-1".into(), start_url: String::new(), profile: None, env: Env::default() };
        let wire = Client::build(&settings, false).unwrap();
        let (release, hung) = std::sync::mpsc::channel::<()>();
        let answer = wire.call(Deadline::after(Duration::from_millis(1)), async {
            let _ = tokio::task::spawn_blocking(move || hung.recv()).await;
            Ok::<(), SdkError<std::io::Error, HttpResponse>>(())
        });
        assert!(matches!(answer, Err(Error::Unavailable(None, _))));
        // Waits for ever, if it waits.
        drop(wire);
        drop(release);
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
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
