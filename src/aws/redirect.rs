//! Looks up where an address redirects to, and what it answers. Touches the network.

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
    let answer = answer(settings, &["HEAD", "GET"], address, deadline)?;
    Ok(answer.as_ref().and_then(redirect))
}

/// What an address answers.
#[derive(Debug, PartialEq, Eq)]
pub enum Page {
    /// It redirects to this one.
    Redirect(String),
    /// A page, as text.
    Text(String),
}

/// What this address answers to one GET without credentials; None if it can't be reached. A redirect is not followed.
///
/// # Errors
/// As [`location`].
pub fn page(settings: &Settings, address: &str, deadline: Deadline) -> Result<Option<Page>, Error> {
    let answer = answer(settings, &["GET"], address, deadline)?;
    Ok(answer.map(|answer| match redirect(&answer) {
        Some(to) => Page::Redirect(to),
        None => Page::Text(String::from_utf8_lossy(answer.body().bytes().unwrap_or_default()).into_owned()),
    }))
}

fn redirect(answer: &HttpResponse) -> Option<String> {
    matches!(answer.status().as_u16(), 301..=303 | 307 | 308).then(|| answer.headers().get("location").map(str::to_owned)).flatten()
}

/// The answer to the first of these methods that the address allows.
fn answer(settings: &Settings, methods: &[&str], address: &str, deadline: Deadline) -> Result<Option<HttpResponse>, Error> {
    let runtime = new_runtime()?;
    let exchange = tls::exchange(settings, LastExchange::default())?;
    let limit = deadline.left().min(TIMEOUT);
    let answer = runtime.block_on(async {
        tokio::time::timeout(limit, async {
            let mut last = None;
            for method in methods {
                last = send(&exchange, method, address).await?;
                if !last.as_ref().is_some_and(|answer| matches!(answer.status().as_u16(), 405 | 501)) {
                    break;
                }
            }
            Ok(last)
        })
        .await
    });
    // A name lookup can't be cancelled.
    runtime.shutdown_background();
    answer.unwrap_or(Ok(None))
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
                log::info!("the start URL could not be looked up: {error:?}");
                Ok(None)
            }
        },
    }
}
