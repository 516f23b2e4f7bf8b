//! Looks up where an address redirects to. Touches the network.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::client::new_runtime;
use super::error::{Error, Obstacle};
use super::exchange::{Exchange, LastExchange};
use super::settings::Settings;
use super::tls;
use crate::sys::clock::Deadline;

/// How long the lookup may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The `Location` that this address redirects to, if any: one HEAD, or GET if HEAD is not allowed. The redirect is not followed, and no
/// credentials are sent.
///
/// # Errors
/// [`Error::InvalidSettings`], or a proxy that requires authentication. Any other address that can't be reached has no redirect.
pub fn location(settings: &Settings, address: &str, deadline: Deadline) -> Result<Option<String>, Error> {
    let runtime = new_runtime()?;
    let exchange = tls::single(settings, LastExchange::default())?;
    let limit = deadline.left().min(TIMEOUT);
    let answer = runtime.block_on(async {
        tokio::time::timeout(limit, async {
            let answer = send(&exchange, "HEAD", address).await?;
            let unsupported = answer.as_ref().is_some_and(|answer| matches!(answer.status().as_u16(), 405 | 501));
            if unsupported { send(&exchange, "GET", address).await } else { Ok(answer) }
        })
        .await
    });
    // A name lookup can't be cancelled.
    runtime.shutdown_background();
    let answer = answer.unwrap_or(Ok(None))?.filter(|answer| matches!(answer.status().as_u16(), 301..=303 | 307 | 308));
    Ok(answer.and_then(|answer| answer.headers().get("location").map(str::to_owned)))
}

async fn send(exchange: &Exchange, method: &str, address: &str) -> Result<Option<HttpResponse>, Error> {
    let mut request = HttpRequest::empty();
    if request.set_method(method).is_err() || request.set_uri(address).is_err() {
        return Ok(None);
    }
    match exchange.call(request).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => match Error::of_connection(&error, &exchange.last.target()) {
            error @ Error::Unreachable(Obstacle::ProxyAuthentication, _) => Err(error),
            error => {
                tracing::info!(?error, "the start URL could not be looked up");
                Ok(None)
            }
        },
    }
}
