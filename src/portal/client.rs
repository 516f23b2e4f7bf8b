//! Runs requests: owns the runtime and the clients of both services, and limits the time of each attempt. Touches the network.

use std::cell::OnceCell;
use std::future::Future;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use tokio::runtime::{self, Runtime};

use super::error::Error;
use super::request_log::RequestCheck;
use super::settings::{SERVICES, Settings, SharedSettings};
use super::tls;
use crate::sys::clock::Deadline;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The least time for one attempt, if the deadline allows it.
pub(super) const MIN_ATTEMPT: Duration = Duration::from_secs(1);

/// The runtime and the two clients.
pub(super) struct Client {
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    config: SdkConfig,
    oidc: OnceCell<aws_sdk_ssooidc::Client>,
    sso: OnceCell<aws_sdk_sso::Client>,
}

impl Client {
    /// Reads endpoint settings from the environment and the configuration, as any SDK does; never credentials. `dual_stack` applies if the
    /// user's settings do not decide it.
    pub(super) fn build(settings: &Settings, dual_stack: bool) -> Result<Self, Error> {
        let runtime = new_runtime()?;
        let http = tls::http_client(settings)?;
        let shared = runtime.block_on(SharedSettings::read(settings));
        for service in SERVICES {
            if let Some(endpoint) =
                shared.endpoint(service).filter(|url| !url.starts_with("https://") && !url.starts_with("http://"))
            {
                return Err(Error::InvalidSettings(format!("the endpoint \"{endpoint}\" of {service} is not a web address")));
            }
        }
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .http_client(http)
            // The broker retries, because all attempts share one deadline.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build());
        config.set_use_fips(shared.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
        config.set_use_dual_stack(match shared.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") {
            // A custom endpoint together with dual-stack is an error in the service's endpoint rules.
            None if dual_stack && !SERVICES.iter().any(|service| shared.endpoint(service).is_some()) => Some(true),
            configured => configured,
        });
        let config = config.service_config(shared).build();
        Ok(Self { runtime: Some(runtime), config, oidc: OnceCell::new(), sso: OnceCell::new() })
    }

    pub(super) fn oidc(&self) -> &aws_sdk_ssooidc::Client {
        self.oidc.get_or_init(|| {
            aws_sdk_ssooidc::Client::from_conf(
                aws_sdk_ssooidc::config::Builder::from(&self.config).interceptor(RequestCheck).build(),
            )
        })
    }

    pub(super) fn sso(&self) -> &aws_sdk_sso::Client {
        self.sso.get_or_init(|| {
            aws_sdk_sso::Client::from_conf(aws_sdk_sso::config::Builder::from(&self.config).interceptor(RequestCheck).build())
        })
    }

    /// Makes one attempt. It gets half of the time that is left, so that a server that hangs leaves time for another.
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

    /// Makes one attempt that gets at least `least`, if the deadline allows it.
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

    /// Runs something that makes several calls.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return Err(Error::InvalidSettings("the runtime has ended".to_owned())) };
        Ok(runtime.block_on(work))
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

/// A runtime for one thread.
pub(super) fn new_runtime() -> Result<Runtime, Error> {
    let built = runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Error::InvalidSettings(format!("cannot start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::env::Env;

    #[test]
    fn a_name_lookup_that_hangs_is_left_behind() {
        let settings = Settings { region: "us-east-1".into(), start_url: String::new(), profile: None, env: Env::default() };
        let client = Client::build(&settings, false).unwrap();
        let (release, hung) = std::sync::mpsc::channel::<()>();
        let answer = client.call(Deadline::after(Duration::from_millis(1)), async {
            let _ = tokio::task::spawn_blocking(move || hung.recv()).await;
            Ok::<(), SdkError<std::io::Error, HttpResponse>>(())
        });
        assert!(matches!(answer, Err(Error::Unavailable(None, _))));
        // If it waited, it would wait for ever.
        drop(client);
        drop(release);
    }
}
