//! Runs requests: owns the runtime and the settings of the SDK's clients, and limits the time of each attempt. Touches the network.

use std::cell::OnceCell;
use std::future::Future;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use tokio::runtime::{self, Runtime};

use super::error::Error;
use super::exchange::LastExchange;
use super::keys::SigningKeys;
use super::settings::{EndpointSettings, Service, Settings};
use super::tls;
use crate::sys::clock::Deadline;

/// The least time for one attempt, if the deadline allows it.
pub const MIN_ATTEMPT: Duration = Duration::from_secs(1);

/// The runtime, and what the SDK's clients are built from.
pub struct Client {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    config: SdkConfig,
    last: LastExchange,
}

impl Client {
    /// Reads the endpoint settings of these services from the environment and the configuration; never credentials. `dual_stack` applies
    /// if the user's settings do not decide it.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`].
    pub fn build(settings: &Settings, services: &'static [Service], dual_stack: bool) -> Result<Self, Error> {
        let runtime = new_runtime()?;
        let endpoints = runtime.block_on(EndpointSettings::read(settings, services))?;
        let fips = endpoints.fips.as_ref().filter(|fips| fips.value).map(|fips| fips.source.clone());
        let own = endpoints.own();
        // A custom endpoint together with dual-stack is an error in the service's endpoint rules.
        let dual_stack = (dual_stack && own.is_empty()).then_some(true);
        let last = LastExchange::new(&settings.region, fips, own);
        let http = tls::http_client(settings, last.clone())?;
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(http)
            // The broker retries, because all attempts share one deadline.
            .retry_config(RetryConfig::disabled());
        config.set_use_fips(endpoints.fips.as_ref().map(|fips| fips.value));
        config.set_use_dual_stack(endpoints.dual_stack.or(dual_stack));
        let config = config.service_config(endpoints).build();
        Ok(Self { runtime: Some(runtime), config, last })
    }

    /// The settings of a service's client. They contain no credentials.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The settings of the client of a service whose requests are signed with these keys.
    pub fn signing_with(&self, keys: &SigningKeys) -> SdkConfig {
        let token = keys.session_token.as_ref().map(|token| token.expose().to_owned());
        let secret = keys.secret_access_key.expose();
        let credentials = Credentials::new(&keys.access_key_id, secret, token, None, "daypass");
        self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
    }

    /// What is known of the last request.
    pub fn last(&self) -> &LastExchange {
        &self.last
    }

    /// Makes one attempt. It gets half of the time that is left, so that a server that hangs leaves time for another.
    pub fn call<T, E>(
        &self,
        deadline: Deadline,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.call_for(deadline, MIN_ATTEMPT, request)
    }

    /// Makes one attempt that gets at least `least`, if the deadline allows it.
    pub fn call_for<T, E>(
        &self,
        deadline: Deadline,
        least: Duration,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.run(within(&self.last, deadline, least, request))?
    }

    /// Runs something that makes several calls.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::InvalidSettings("the runtime has ended".to_owned())) };
        Ok(runtime.block_on(work))
    }
}

/// A client that is built before the first request.
pub struct LazyClient {
    settings: Settings,
    services: &'static [Service],
    client: OnceCell<Client>,
}

impl LazyClient {
    /// A client of these services. Builds nothing.
    pub fn new(settings: Settings, services: &'static [Service]) -> Self {
        Self { settings, services, client: OnceCell::new() }
    }

    /// The client.
    ///
    /// # Errors
    /// Those of [`Client::build`].
    pub fn get(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::build(&self.settings, self.services, false)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// How far the service's clock is ahead of this machine's, by the last answer. None before the first one, or if it had no date.
    pub fn clock_offset(&self) -> Option<time::Duration> {
        self.client.get()?.last().clock_offset()
    }
}

impl Drop for Client {
    /// Leaves a running name lookup behind: it can't be cancelled, and the system may take half a minute for it.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes one attempt, like [`Client::call_for`].
pub async fn within<T, E>(
    last: &LastExchange,
    deadline: Deadline,
    minimum: Duration,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Error>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let left = deadline.left();
    match tokio::time::timeout((left / 2).max(minimum).min(left), request).await {
        Ok(answer) => answer.map_err(|error| Error::of_call(&error, &last.target())),
        Err(_) => Err(Error::timed_out(&last.target())),
    }
}

/// A runtime for one thread.
pub(super) fn new_runtime() -> Result<Runtime, Error> {
    let built = runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Error::InvalidSettings(format!("can't start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;
    use crate::sys::env::Env;

    #[test]
    fn a_name_lookup_that_hangs_is_left_behind() {
        let settings = Settings { region: "us-east-1".into(), profile: None, env: Env::default() };
        let client = Client::build(&settings, &[], false).unwrap();
        let (release, hung) = std::sync::mpsc::channel::<()>();
        let answer = client.call(Deadline::after(Duration::from_millis(1)), async {
            let _ = tokio::task::spawn_blocking(move || hung.recv()).await;
            Ok::<(), SdkError<ErrorMetadata, HttpResponse>>(())
        });
        assert!(matches!(answer, Err(Error::Unavailable(None, _))));
        // If it waited, it would wait for ever.
        drop(client);
        drop(release);
    }
}
