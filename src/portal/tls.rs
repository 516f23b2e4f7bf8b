//! Builds the HTTP client: TLS, trusted certificates and proxies.

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::error::Error;
use super::settings::Settings;
use super::trust;

/// The HTTP client of the SDK's clients.
pub(super) fn http_client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    let tls = context(settings)?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| connector(&tls, settings, components)))
}

/// The TLS settings, with the trusted certificates.
pub(super) fn context(settings: &Settings) -> Result<TlsContext, Error> {
    let trust = trust::store(settings.ca_bundle(), &settings.env)?;
    let tls = TlsContext::builder().with_trust_store(trust).build();
    tls.map_err(|error| Error::InvalidSettings(format!("cannot start TLS: {error}")))
}

/// A connector that makes single requests.
pub(super) fn connector(
    tls: &TlsContext,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).tls_context(tls.clone()).build()
}
