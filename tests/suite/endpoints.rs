//! Which endpoints daypass calls: general endpoint settings never receive a token.

use crate::signed_in;
use crate::support::portal::{Portal, PortalConfig};

const ASK: &str = "credential-process --session corp --account 111122223333 --role DeveloperAccess";

/// A home whose config file has this `[default]`, and whose portal is known by the given environment.
fn with_default(keys: &str) -> (Portal, crate::Home) {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let config = home.read(".aws/config");
    home.write(
        ".aws/config",
        &format!("{config}\n[default]\n{keys}\n[services local]\nsso =\n  endpoint_url = http://127.0.0.1:9\n"),
    );
    (portal, home)
}

#[test]
fn a_general_endpoint_does_not_receive_the_token() {
    let emulator = Portal::strict();
    let (_portal, home) = with_default(&format!("endpoint_url = {}", emulator.url()));
    home.daypass(ASK).stdout_has("111122223333").go();
    home.daypass("list corp").with("AWS_ENDPOINT_URL", emulator.url()).stdout_has("DeveloperAccess").go();
    home.daypass("list corp")
        .without("AWS_ENDPOINT_URL_SSO")
        .with("AWS_ENDPOINT_URL", emulator.url())
        .with("HTTPS_PROXY", "http://127.0.0.1:9")
        .stderr_has("can't reach portal.sso.us-east-1.amazonaws.com:443 through the proxy http://127.0.0.1:9 (HTTPS_PROXY): ")
        .status(6)
        .go();
    assert_eq!(emulator.requests(), 0);
}

#[test]
fn settings_of_the_default_profile_do_not_apply_unless_it_is_named() {
    let (_portal, home) = with_default("use_fips_endpoint = true\nservices = local\nuse_dualstack_endpoint = true");
    home.daypass(ASK).stdout_has("111122223333").go();
    let other = "credential-process --session corp --account 111122223333 --role ReadOnly";
    home.daypass(other).with("AWS_PROFILE", "default").stderr_has("use_fips_endpoint of profile \"default\"").status(2).go();
}

#[test]
fn the_services_of_a_named_profile_apply() {
    let (_portal, home) = with_default("services = local");
    let list = home.daypass("list corp").with("AWS_PROFILE", "default").without("AWS_ENDPOINT_URL_SSO");
    list.stderr_has("can't reach 127.0.0.1:9 (endpoint_url of sso in [services local]): ").status(6).go();
}

#[test]
fn fips_with_an_endpoint_of_ones_own_is_a_usage_error_that_names_both() {
    let (_portal, home) = with_default("");
    home.daypass(ASK)
        .with("AWS_USE_FIPS_ENDPOINT", "true")
        .stderr_has("AWS_ENDPOINT_URL_SSO and AWS_USE_FIPS_ENDPOINT are both set")
        .status(2)
        .go();
}

#[test]
fn a_fips_host_that_cannot_be_reached_is_named_with_its_setting() {
    let (_portal, home) = with_default("");
    home.daypass(ASK)
        .without("AWS_ENDPOINT_URL_SSO")
        .without("AWS_ENDPOINT_URL_SSO_OIDC")
        .with("HTTPS_PROXY", "http://127.0.0.1:9")
        .with("AWS_USE_FIPS_ENDPOINT", "true")
        .stderr_has("portal.sso-fips.us-east-1.amazonaws.com:443 (FIPS endpoint, set by AWS_USE_FIPS_ENDPOINT)")
        .status(6)
        .go();
}

#[test]
fn a_malformed_endpoint_is_a_usage_error_without_its_password() {
    let (_portal, home) = with_default("");
    for bad in ["http://", "https://", "http://127.0.0.1\\@x", "http://127.0.0.1:99999", "https://me:hidden@a b"] {
        let run = home.daypass(ASK).with("AWS_ENDPOINT_URL_SSO", bad).stderr_has("(AWS_ENDPOINT_URL_SSO) is not a web address");
        let done = run.status(2).go();
        assert!(!done.stderr.contains("hidden"), "{done}");
    }
}

#[test]
fn endpoints_that_an_outer_daypass_ignores_still_apply_to_a_nested_one() {
    let (_portal, home) = with_default("endpoint_url = http://localhost:1");
    let home = home.without("AWS_ENDPOINT_URL_STS").without("AWS_ENDPOINT_URL_IAM").with("HTTPS_PROXY", "http://127.0.0.1:9");
    let nested = "test \"$AWS_IGNORE_CONFIGURED_ENDPOINT_URLS\" = true && daypass list corp --format csv";
    let evaluated = format!("eval \"$(daypass env dev --shell sh)\"; {nested}");
    for outer in [&["daypass", "exec", "dev", "--", "sh", "-c", nested][..], &["sh", "-c", &evaluated]] {
        home.program(outer[0]).args(&outer[1..]).stdout_has("DeveloperAccess").go();
    }
    // The user's own variable counts.
    let own = home.daypass("list corp").with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    own.stderr_has("portal.sso.us-east-1.amazonaws.com:443 through the proxy").status(6).go();
}
