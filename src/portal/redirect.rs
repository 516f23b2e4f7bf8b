//! Looks up where an address redirects to. Touches the network.

use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::client::new_runtime;
use super::error::Error;
use super::settings::Settings;
use super::tls;
use crate::sys::clock::Deadline;

/// How long the lookup may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The `Location` that this address redirects to, if any: one HEAD, or GET if HEAD is not allowed. The redirect is not followed, and no
/// credentials are sent.
///
/// # Errors
/// [`Error::InvalidSettings`] only: an address that can't be reached has no redirect.
pub(super) fn location(settings: &Settings, address: &str, deadline: Deadline) -> Result<Option<String>, Error> {
    let runtime = new_runtime()?;
    let connector = tls::connector(&tls::context(settings)?, None, None);
    let limit = deadline.left().min(TIMEOUT);
    let answer = runtime.block_on(async {
        tokio::time::timeout(limit, async {
            let answer = send(&connector, "HEAD", address).await?;
            if matches!(answer.status().as_u16(), 405 | 501) { send(&connector, "GET", address).await } else { Some(answer) }
        })
        .await
    });
    // A name lookup can't be cancelled.
    runtime.shutdown_background();
    let answer = answer.ok().flatten().filter(|answer| matches!(answer.status().as_u16(), 301..=303 | 307 | 308));
    Ok(answer.and_then(|answer| answer.headers().get("location").map(str::to_owned)))
}

async fn send(connector: &Connector, method: &str, address: &str) -> Option<HttpResponse> {
    let mut request = HttpRequest::empty();
    request.set_method(method).ok()?;
    request.set_uri(address).ok()?;
    connector.call(request).await.inspect_err(|error| tracing::info!(?error, address, "no answer")).ok()
}
