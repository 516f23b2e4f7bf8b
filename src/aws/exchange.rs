//! Sends single HTTP requests: checks and logs each one, and prepares its answer. Touches the network.
//!
//! It refuses plain http to other machines, limits the length of an answer, notes which server was called and what time it reports, and
//! attaches the secrets of the request to the answer, so that no message repeats them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::Uri;
use time::{Duration, OffsetDateTime};

use super::error::{PlainHttp, Target, TooLong, http_date};
use super::proxy::Proxy;
use super::redact::RequestSecrets;
use super::settings::is_allowed;
use crate::sys::clock;

/// The longest answer that is read, in bytes. A page of 100 accounts has about 30,000.
const MAX_LENGTH: usize = 1024 * 1024;

/// What is known of the last request and its answer. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LastExchange(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    uri: String,
    target: Target,
    clock_offset: Option<Duration>,
}

impl LastExchange {
    /// For requests to this region, or to these endpoints of the user's; `fips` is the setting that selects FIPS endpoints, if one does.
    pub(super) fn new(region: &str, fips: Option<String>, own: Vec<(String, String)>) -> Self {
        let target = Target::new(region, fips, own);
        Self(Arc::new(Mutex::new(State { target, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the last request, which contains the endpoint that the client chose. Empty before the first one.
    pub fn uri(&self) -> String {
        self.state().uri.clone()
    }

    /// The server of the last request.
    pub(super) fn target(&self) -> Target {
        self.state().target.clone()
    }

    /// How far the service's clock is ahead of this machine's, by the `Date` of the last answer.
    pub fn clock_offset(&self) -> Option<Duration> {
        self.state().clock_offset
    }
}

/// Sends requests through another connector.
pub(super) struct Exchange {
    pub(super) connector: SharedHttpConnector,
    pub(super) proxy: Arc<Proxy>,
    pub(super) last: LastExchange,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

impl HttpConnector for Exchange {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri: Uri = match request.uri().parse() {
            Ok(uri) => uri,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(Box::new(error)))),
        };
        let target = self.last.target().at(&uri, self.proxy.of(&uri));
        log::debug!("request: {} {target}{}", request.method(), uri.path());
        {
            let mut state = self.last.state();
            request.uri().clone_into(&mut state.uri);
            state.target = target;
        }
        if !is_allowed(&uri) {
            return HttpConnectorFuture::ready(Err(ConnectorError::user(Box::new(PlainHttp))));
        }
        let secrets = RequestSecrets::of(&request);
        let answer = self.connector.call(request);
        let last = self.last.clone();
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            let id = answer.headers().get("x-amzn-requestid").filter(|id| !id.is_empty());
            let id = id.map_or_else(|| "none".to_owned(), |id| secrets.clean(id));
            log::debug!("answer: status {}, request ID {id}", answer.status().as_u16());
            last.state().clock_offset = answer.headers().get("date").and_then(offset);
            let body = read(answer.take_body()).await?;
            *answer.body_mut() = SdkBody::from(body);
            answer.add_extension(secrets);
            Ok::<HttpResponse, ConnectorError>(answer)
        })
    }
}

/// Reads a body up to [`MAX_LENGTH`].
async fn read(body: SdkBody) -> Result<Vec<u8>, ConnectorError> {
    let mut stream = ByteStream::new(body);
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(error.into()))?;
        if bytes.len() + chunk.len() > MAX_LENGTH {
            return Err(ConnectorError::other(Box::new(TooLong(MAX_LENGTH)), None));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The difference between a `Date` header and this machine's clock.
fn offset(date: &str) -> Option<Duration> {
    Some(OffsetDateTime::from_unix_timestamp(http_date(date)?).ok()? - clock::now())
}
