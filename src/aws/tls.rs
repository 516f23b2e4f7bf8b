//! Builds the HTTP client: TLS, trusted certificates, name lookup and proxy.

use std::net::ToSocketAddrs;
use std::sync::Arc;

use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::error::Error;
use super::exchange::{Exchange, LastExchange};
use super::proxy::Proxy;
use super::settings::Settings;
use super::trust;

/// The HTTP client of the SDK's clients; `last` is updated with each request.
pub(super) fn http_client(settings: &Settings, last: LastExchange) -> Result<SharedHttpClient, Error> {
    let proxy = Arc::new(Proxy::new(&settings.env)?);
    let (tls, for_connector) = (context(settings)?, Arc::clone(&proxy));
    let client = Builder::new().build_with_connector_fn(move |settings, parts| connector(&tls, &for_connector, settings, parts));
    Ok(http_client_fn(move |settings, parts| {
        let connector = client.http_connector(settings, parts);
        SharedHttpConnector::new(Exchange { connector, proxy: Arc::clone(&proxy), last: last.clone() })
    }))
}

/// A connector for single requests outside of the SDK's clients.
pub(super) fn single(settings: &Settings, last: LastExchange) -> Result<Exchange, Error> {
    let proxy = Proxy::new(&settings.env)?;
    let connector = SharedHttpConnector::new(connector(&context(settings)?, &proxy, None, None));
    Ok(Exchange { connector, proxy: Arc::new(proxy), last })
}

/// The TLS settings, with the trusted certificates.
fn context(settings: &Settings) -> Result<TlsContext, Error> {
    let trust = trust::store(settings.ca_bundle(), &settings.env)?;
    let tls = TlsContext::builder().with_trust_store(trust).build();
    tls.map_err(|error| Error::InvalidSettings(format!("can't start TLS: {error}")))
}

fn connector(
    tls: &TlsContext,
    proxy: &Proxy,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut connector = Connector::builder().proxy_config(proxy.config());
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    let connector = connector.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring));
    connector.tls_context(tls.clone()).build_with_resolver(SystemResolver)
}

/// Looks up host names with the system's functions, as the default resolver does, but its errors have a type.
#[derive(Debug, Clone)]
struct SystemResolver;

impl ResolveDns for SystemResolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let name = name.to_owned();
        DnsFuture::new(async move {
            let addresses = tokio::task::spawn_blocking(move || (name, 0).to_socket_addrs()).await;
            let addresses = addresses.map_err(ResolveDnsError::new)?.map_err(ResolveDnsError::new)?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}
