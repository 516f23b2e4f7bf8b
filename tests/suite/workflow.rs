//! The main workflow, from an empty home to a tool that has credentials, and back.

use crate::support::portal::{Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

#[test]
fn the_whole_workflow_from_configure_to_logout() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();

    let document = home.daypass("credential-process --profile dev").stdout_has("{").go().json();
    let issued = portal.issued().remove(0);
    assert_eq!(document["Version"], 1);
    assert_eq!(document["AccessKeyId"], issued.access_key_id.as_str());
    assert_eq!(document["SecretAccessKey"], issued.secret_access_key.as_str());
    assert_eq!(document["SessionToken"], issued.session_token.as_str());
    assert_eq!(document["AccountId"], "111122223333");

    home.daypass("env dev --shell sh")
        .stdout_has(&format!("export AWS_ACCESS_KEY_ID='{}';\n", issued.access_key_id))
        .stdout_has("unset AWS_PROFILE;\n")
        .stdout_has("export AWS_REGION='eu-west-1';\nexport AWS_DEFAULT_REGION='eu-west-1';\n")
        .go();
    home.daypass("exec dev -- sh -c 'printf %s \"$AWS_SESSION_TOKEN\"; exit 7'").stdout(&issued.session_token).status(7).go();
    home.daypass("list corp").stdout_has("Development").stdout_has("DeveloperAccess").stdout_has("dev").go();
    home.daypass("status corp").stdout_has("corp").go();
    home.daypass("logout corp").stderr("Signed out of corp.\n").go();
    assert_eq!(portal.count(Call::Logout), 1);
    assert_eq!(portal.count(Call::GetRoleCredentials), 1, "everything after the first was served from the vault");
    home.daypass("credential-process --profile dev")
        .stderr("daypass: not signed in to corp\nhint: daypass login corp\n")
        .status(3)
        .go();
}

#[test]
fn a_cached_call_makes_no_request() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let first = home.daypass("credential-process --profile dev").stdout_has("{").go().stdout;
    let before = portal.requests();
    home.daypass("credential-process --profile dev").stdout(&first).go();
    home.daypass("credential-process --session corp --account 111122223333 --role DeveloperAccess").stdout(&first).go();
    assert_eq!(portal.requests(), before);
}

#[test]
fn credential_process_prints_one_line_with_the_real_expiration() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let done = home.daypass("credential-process --profile dev").stdout_has("{").go();
    assert_eq!(done.stdout.lines().count(), 1);
    let expiration = done.json()["Expiration"].as_str().unwrap().to_owned();
    let told = i64::try_from(portal.issued()[0].expiration / 1000).unwrap();
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let parsed = time::PrimitiveDateTime::parse(&expiration, format).unwrap().assume_utc();
    assert_eq!(parsed.unix_timestamp(), told);
}

#[test]
fn native_and_legacy_profiles_work() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let mut config = home.read(".aws/config");
    config +=
        "\n[profile native]\nsso_session = corp\nsso_account_id = 444455556666\nsso_role_name = ReadOnly\nregion = us-east-2\n";
    config += "\n[profile legacy]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 444455556666\n\
               sso_role_name = Break+Glass=Now\n";
    home.write(".aws/config", &config);
    let native = home.daypass("credential-process --profile native").stdout_has("{").go().json();
    assert_eq!(native["AccountId"], "444455556666");
    home.daypass("env native --shell bash").stdout_has("export AWS_REGION='us-east-2'").go();
    // A legacy profile uses the sign-in of the session for the same portal.
    home.daypass("credential-process --profile legacy").stdout_has("444455556666").go();
    assert_eq!(portal.issued()[1].role, "Break+Glass=Now");
}

#[test]
fn flags_alone_work_without_a_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::support::run::Home::new().at(&portal);
    let portal_flags = "--session corp --start-url https://sandbox.awsapps.com/start --sso-region us-east-1";
    home.daypass(&format!("login {portal_flags} --no-browser")).any_stderr().go();
    home.daypass(&format!("credential-process {portal_flags} --account 111122223333 --role ReadOnly"))
        .stdout_has("111122223333")
        .go();
    assert!(!home.path(".aws").exists());
}

#[test]
fn an_account_can_be_given_by_name() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --session corp --account Production --role ReadOnly").stdout_has("444455556666").go();
    home.daypass("credential-process --session corp --account Nowhere --role ReadOnly")
        .stderr("daypass: you have no account named \"Nowhere\"\nhint: daypass list\n")
        .status(2)
        .go();
}

#[test]
fn aws_profile_set_to_a_helper_profile_does_not_make_daypass_call_itself() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("AWS_PROFILE", "dev").with("AWS_SDK_LOAD_CONFIG", "1");
    home.daypass("credential-process").stdout_has("111122223333").go();
    home.daypass("exec -- sh -c 'test -z \"$AWS_PROFILE\" && test -n \"$AWS_ACCESS_KEY_ID\"'").go();
    home.daypass("list corp --format csv").stdout_has("111122223333,Development").go();
    home.daypass("logout").any_stderr().go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn env_sets_and_unsets_the_variables_in_every_shell() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let key =
        home.daypass("credential-process --profile dev").stdout_has("{").go().json()["AccessKeyId"].as_str().unwrap().to_owned();
    for (shell, script) in [
        ("dash", "eval \"$(daypass env dev --shell sh)\"; printf %s \"$AWS_ACCESS_KEY_ID|$AWS_PROFILE\""),
        ("bash", "eval \"$(daypass env dev --shell bash)\"; printf %s \"$AWS_ACCESS_KEY_ID|$AWS_PROFILE\""),
        ("zsh", "eval \"$(daypass env dev --shell zsh)\"; printf %s \"$AWS_ACCESS_KEY_ID|$AWS_PROFILE\""),
        ("fish", "daypass env dev --shell fish | source; printf %s \"$AWS_ACCESS_KEY_ID|$AWS_PROFILE\""),
    ] {
        home.program(shell).args(["-c", script]).with("AWS_PROFILE", "other").stdout(&format!("{key}|")).go();
    }
    for (shell, script) in [
        ("dash", "eval \"$(daypass env --unset --shell sh)\"; printf %s \"$AWS_ACCESS_KEY_ID\""),
        ("fish", "daypass env --unset --shell fish | source; printf %s \"$AWS_ACCESS_KEY_ID\""),
    ] {
        home.program(shell).args(["-c", script]).with("AWS_ACCESS_KEY_ID", "old").with("DAYPASS_ACTIVE", "old dev").stdout("").go();
    }
}

#[test]
fn env_uses_the_syntax_of_the_shell_variable() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("env dev").with("SHELL", "/usr/bin/fish").stdout_has("set -gx AWS_ACCESS_KEY_ID '").go();
    home.daypass("env dev").with("SHELL", "/bin/zsh").stdout_has("export AWS_ACCESS_KEY_ID='").go();
}

#[test]
fn all_pages_of_a_list_are_read() {
    let portal = Portal::live(PortalConfig { page_size: 2, ..PortalConfig::of(5, 3) });
    let home = signed_in(&portal);
    let entries = home.daypass("list --format json").stdout_has("[").go().json();
    assert_eq!(entries.as_array().unwrap().len(), 15);
    assert_eq!(portal.count(Call::ListAccounts), 3);
}

#[test]
fn logout_all_signs_out_of_every_session() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("configure --session other --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 --account 111122223333 --role ReadOnly --profile ro")
        .any_stderr()
        .go();
    home.daypass("login other --no-browser").any_stderr().go();
    home.daypass("status --format json").stdout_has("\"signed_in\": true").go();
    home.daypass("logout --all").stderr_has("Signed out of corp.").stderr_has("Signed out of other.").go();
    assert_eq!(portal.count(Call::Logout), 2);
    home.daypass("status --format json").stdout_has("\"signed_in\": false").any_stderr().status(3).go();
}

#[test]
fn logout_deletes_local_tokens_even_if_the_portal_fails() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::Logout).any_number_of_times().answered(crate::support::portal::Answer::status(503));
    home.daypass("logout corp").stderr_has("deleted the local sign-in to corp, but could not end the portal session").go();
    home.daypass("credential-process --profile dev").any_stderr().status(3).go();
}

#[test]
fn endpoints_come_from_the_settings_of_identity_center() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new();
    home.daypass(crate::CONFIGURE).any_stderr().go();
    let plain = home.read(".aws/config");
    let url = portal.url();
    for (more, vars) in [
        (
            String::new(),
            &[
                ("AWS_ENDPOINT_URL_SSO", url.as_str()),
                ("AWS_ENDPOINT_URL_SSO_OIDC", &url),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ][..],
        ),
        (format!("services = here\n\n[services here]\nsso =\n  endpoint_url = {url}\nsso_oidc =\n  endpoint_url = {url}\n"), &[]),
    ] {
        home.write(".aws/config", &format!("{plain}{more}"));
        let run = |line: &str| vars.iter().fold(home.daypass(line), |run, (name, value)| run.with(name, *value));
        run("login --profile dev --no-browser").stderr_has("Signed in").go();
        run("credential-process --profile dev").stdout_has("Version").go();
        run("logout --profile dev").stderr("Signed out of corp.\n").go();
    }
    home.daypass("login --profile dev --no-browser")
        .with("AWS_ENDPOINT_URL_SSO_OIDC", &url)
        .with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        .with("HTTPS_PROXY", "http://127.0.0.1:9")
        .stderr_has("can't reach oidc.us-east-1.amazonaws.com:443 through the proxy http://127.0.0.1:9 (HTTPS_PROXY): ")
        .status(6)
        .go();
}
