//! Reads the settings of the requests: region, endpoints, FIPS, dual-stack and CA bundle. Touches the user's configuration files.

use std::path::PathBuf;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::EnvConfigValue;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env as SdkEnv, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::profile::Config;
use crate::sys::env::Env;

/// The SDK's names of the two services.
pub(super) const SERVICES: [&str; 2] = ["SSO", "SSO OIDC"];

/// What is needed to call a portal. Files are read only when it is called.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The session's `sso_region`.
    pub region: String,
    /// The session's start URL.
    pub start_url: String,
    /// The profile whose endpoint and CA settings apply.
    pub profile: Option<String>,
    /// The environment, which may contain others.
    pub env: Env,
}

impl Settings {
    /// The files that the rest of daypass reads; None if there are none (the SDK accepts only existing ones).
    fn files(&self) -> Option<EnvConfigFiles> {
        let kinds =
            [(EnvConfigFileKind::Config, self.env.config_file()), (EnvConfigFileKind::Credentials, self.env.credentials_file())];
        let mut existing =
            kinds.into_iter().filter_map(|(kind, path)| Some((kind, path.filter(|path| path.is_file())?))).peekable();
        existing.peek()?;
        Some(existing.fold(EnvConfigFiles::builder(), |files, (kind, path)| files.with_file(kind, path)).build())
    }

    /// `AWS_CA_BUNDLE`, else the profile's `ca_bundle`.
    pub(super) fn ca_bundle(&self) -> Option<PathBuf> {
        self.env.ca_bundle().or_else(|| {
            let config = Config::read(&self.env).ok()?;
            let profile = config.profile(self.profile.as_deref()?)?;
            Some(self.env.expand(profile.text("ca_bundle")?))
        })
    }
}

/// The settings that all SDKs share, read by the AWS SDK's own code: a variable, then the profile with its `[services]`. The SDK's full
/// loader is not used, because it would link all credential sources and could call daypass as one of them.
#[derive(Debug)]
pub(super) struct SharedSettings {
    env: SdkEnv,
    profiles: ProfileSet,
}

impl SharedSettings {
    /// Reads them. Files that the SDK can't read have no settings.
    pub(super) async fn read(settings: &Settings) -> Self {
        let env = SdkEnv::real();
        let profiles = match settings.files() {
            Some(files) => aws_config::profile::load(&Fs::real(), &env, &files, settings.profile.clone().map(Into::into)).await,
            None => Ok(ProfileSet::default()),
        };
        let profiles = profiles.inspect_err(|error| tracing::warn!(?error, "the AWS SDK can't read the configuration"));
        Self { env, profiles: profiles.unwrap_or_default() }
    }

    /// A setting that is true or false; None if it is neither.
    pub(super) fn flag(&self, variable: &str, key: &str) -> Option<bool> {
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
    pub(super) fn endpoint(&self, service: &str) -> Option<String> {
        if self.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") == Some(true) {
            return None;
        }
        // `sso_oidc`, as AWS writes it in `[services]`: the SDK would look for `sso-oidc`. For variables there is no difference.
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
