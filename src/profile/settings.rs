//! Settings of a profile that SDKs also read from the environment. Touches only a [`Config`] that was read.
//!
//! A command that gets credentials in its environment has no profile: the SDK reads the settings of `[default]`. So the settings of the
//! profile are passed on as variables, and those of `[default]` are overridden. Rules: "Service-specific endpoints" and "General
//! configuration" of the AWS SDKs and Tools reference guide. A variable that the user set wins over the profile.

use std::path::Path;

use super::config::{Block, Config};

/// Variables to set, and what they cannot override.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Names and values.
    pub variables: Vec<(String, String)>,
    /// A setting of `[default]` that still applies, as a sentence.
    pub warning: Option<String>,
}

const IGNORE_ENDPOINTS: (&str, &str) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
const ENDPOINT: (&str, &str) = ("AWS_ENDPOINT_URL", "endpoint_url");
const CA_BUNDLE: (&str, &str) = ("AWS_CA_BUNDLE", "ca_bundle");
const FLAGS: [(&str, &str); 2] =
    [("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"), ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")];

/// The sign-in's services: role credentials need none, and another profile's sign-in may use other endpoints.
const SIGN_IN: [&str; 2] = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"];

/// Certificates of the system, where Linux distributions, BSDs and macOS keep them as one file.
const SYSTEM_BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// The settings for a command that works with the role of this profile, or of none. `by_user`: the names of the variables that the user
/// set.
pub fn settings(config: &Config, profile: Option<&str>, by_user: &[&str]) -> Settings {
    let own = profile.and_then(|name| config.profile(name));
    let default = config.profile("default").filter(|_| profile != Some("default"));
    let text = |block: &Option<Block<'_>>, key: &str| block.as_ref().and_then(|block| block.text(key)).map(str::to_owned);
    let is_true = |value: &String| value.eq_ignore_ascii_case("true");
    let mut found = Settings::default();
    let mut set = |name: &str, value: Option<String>| {
        found.variables.extend(value.filter(|_| !by_user.contains(&name)).map(|value| (name.to_owned(), value)));
    };
    for (name, key) in FLAGS {
        let shield = text(&default, key).filter(is_true).map(|_| "false".to_owned());
        set(name, text(&own, key).or(shield));
    }
    let system = || SYSTEM_BUNDLES.iter().find(|path| Path::new(path).is_file()).map(|&path| path.to_owned());
    set(CA_BUNDLE.0, text(&own, CA_BUNDLE.1).or_else(|| text(&default, CA_BUNDLE.1).and_then(|_| system())));

    let (name, key) = IGNORE_ENDPOINTS;
    if text(&own, key).as_ref().is_some_and(is_true) {
        set(name, Some("true".to_owned()));
        return found;
    }
    let carried = endpoints(config, own.as_ref());
    let inherited = endpoints(config, default.as_ref());
    let given: Vec<&str> = carried.iter().map(|(name, _)| &**name).chain(by_user.iter().copied()).collect();
    let is_endpoint = |name: &&str| name.starts_with(ENDPOINT.0) && !SIGN_IN.contains(name);
    if let Some((exposed, _)) = inherited.iter().find(|(name, _)| !given.contains(&&**name) && !given.contains(&ENDPOINT.0)) {
        if given.iter().any(is_endpoint) {
            found.warning = Some(format!(
                "[default] in {} sets an endpoint ({exposed}) that applies here too, because only some services have one of their own",
                config.path().display()
            ));
        } else {
            set(name, Some("true".to_owned()));
        }
    }
    for (name, value) in carried {
        set(&name, Some(value));
    }
    found
}

/// The endpoints of a profile as variables: the general one, and those of its `[services]` section.
fn endpoints(config: &Config, profile: Option<&Block<'_>>) -> Vec<(String, String)> {
    let Some(profile) = profile else { return Vec::new() };
    let general = profile.text(ENDPOINT.1).map(|url| (ENDPOINT.0.to_owned(), url.to_owned()));
    let services = profile.text("services").and_then(|name| config.services(name));
    let of_services = services.iter().flat_map(|block| &block.values).filter_map(|service| {
        // What is no service's identifier must not become part of a variable's name.
        let id = service.key.replace(['-', ' '], "_").to_ascii_uppercase();
        let name = format!("{}_{id}", ENDPOINT.0);
        let nested = service.text.lines().filter_map(|line| line.split_once('='));
        let (_, url) =
            nested.map(|(key, value)| (key.trim(), value.trim())).rfind(|(key, _)| key.eq_ignore_ascii_case(ENDPOINT.1))?;
        let valid = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (valid && !url.is_empty() && !SIGN_IN.contains(&&*name)).then(|| (name, url.to_owned()))
    });
    general.into_iter().chain(of_services).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, profile: Option<&str>, by_user: &[&str]) -> Vec<(String, String)> {
        let config = Config::of_texts(("config".into(), text.to_owned()), Default::default());
        settings(&config, profile, by_user).variables
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    const LOCAL: &str = "
[profile dev]
endpoint_url = http://localhost:4566
services = local
use_fips_endpoint = true
[services local]
s3 =
  addressing_style = path
  endpoint_url = http://localhost:9000
elastic_beanstalk =
  endpoint_url = http://localhost:1
sso =
  endpoint_url = http://localhost:2
a;b =
  endpoint_url = http://localhost:3
";

    #[test]
    fn the_settings_of_the_profile_become_variables() {
        let expected = pairs(&[
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_ENDPOINT_URL_S3", "http://localhost:9000"),
            ("AWS_ENDPOINT_URL_ELASTIC_BEANSTALK", "http://localhost:1"),
        ]);
        assert_eq!(of(LOCAL, Some("dev"), &[]), expected);
        assert_eq!(of(LOCAL, None, &[]), []);
    }

    #[test]
    fn a_variable_that_the_user_set_wins_over_the_profile() {
        let expected = pairs(&[
            ("AWS_ENDPOINT_URL_S3", "http://localhost:9000"),
            ("AWS_ENDPOINT_URL_ELASTIC_BEANSTALK", "http://localhost:1"),
        ]);
        assert_eq!(of(LOCAL, Some("dev"), &["AWS_ENDPOINT_URL", "AWS_USE_FIPS_ENDPOINT"]), expected);
    }

    #[test]
    fn settings_of_default_do_not_apply_to_another_profile() {
        let default = "[default]\nendpoint_url = http://localhost:1\nuse_fips_endpoint = true\nuse_dualstack_endpoint = TRUE\n";
        let plain = format!("{default}[profile dev]\n");
        let shield = pairs(&[
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ]);
        assert_eq!(of(&plain, Some("dev"), &[]), shield);
        assert_eq!(of(&plain, None, &["AWS_ENDPOINT_URL_SSO"]), shield);
        // The user's own endpoint wins over that of `[default]` by itself, and must not be ignored.
        assert_eq!(of(&plain, Some("dev"), &["AWS_ENDPOINT_URL"]), shield[..2]);
        let own = format!("{default}[profile dev]\nendpoint_url = http://localhost:2\nuse_fips_endpoint = false\n");
        let expected = pairs(&[
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
            ("AWS_ENDPOINT_URL", "http://localhost:2"),
        ]);
        assert_eq!(of(&own, Some("dev"), &[]), expected);
    }

    #[test]
    fn an_endpoint_of_default_that_cannot_be_overridden_is_reported() {
        let text = "[default]\nendpoint_url = http://localhost:1\n[profile dev]\nservices = s\n[services s]\ns3 =\n endpoint_url = http://localhost:2\n";
        let config = Config::of_texts(("config".into(), text.to_owned()), Default::default());
        let found = settings(&config, Some("dev"), &[]);
        assert_eq!(found.variables, pairs(&[("AWS_ENDPOINT_URL_S3", "http://localhost:2")]));
        assert!(found.warning.is_some());
        let both = text.replace("services = s", "services = s\nendpoint_url = http://localhost:3");
        let config = Config::of_texts(("config".into(), both), Default::default());
        assert_eq!(settings(&config, Some("dev"), &[]).warning, None);
    }

    #[test]
    fn a_profile_that_ignores_endpoints_has_none() {
        let text = "[profile dev]\nendpoint_url = http://localhost:1\nignore_configured_endpoint_urls = true\n";
        assert_eq!(of(text, Some("dev"), &[]), pairs(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]));
    }
}
