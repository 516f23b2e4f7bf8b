//! Builds the HTTP client: TLS, trusted certificates, name lookup and proxy.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn};

use super::error::Error;
use super::exchange::{Exchange, LastExchange};
use super::proxy::Proxy;
use super::settings::Settings;
use super::trust;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The HTTP client of the SDK's clients; `last` is updated with each request.
pub(super) fn http_client(settings: &Settings, last: LastExchange) -> Result<SharedHttpClient, Error> {
    let connector = SharedHttpConnector::new(exchange(settings, last)?);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

/// Sends requests; `last` is updated with each.
pub(super) fn exchange(settings: &Settings, last: LastExchange) -> Result<Exchange, Error> {
    let proxy = Proxy::new(&settings.env)?;
    let trust = trust::store(settings.ca_bundle(), &settings.env)?;
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| Error::InvalidSettings(format!("can't start TLS: {error}")))?;
    let connector = Connector::builder()
        .proxy_config(proxy.config())
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_with_resolver(SystemResolver);
    Ok(Exchange { connector: SharedHttpConnector::new(connector), proxy: Arc::new(proxy), last })
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
