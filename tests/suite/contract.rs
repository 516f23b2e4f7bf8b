//! Exit statuses, the two lines of an error, standard output, logs.

use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

#[test]
fn every_error_is_two_lines_on_standard_error_and_nothing_on_standard_output() {
    let portal = Portal::strict();
    let home = configured(&portal);
    for (arguments, status) in [
        ("bogus", 2),
        ("login --bogus", 2),
        ("exec dev", 3),
        ("credential-process --profile nowhere", 2),
        ("credential-process --session nowhere --account 111122223333 --role X", 2),
        ("credential-process --session corp --account 12 --role X", 2),
        ("credential-process --session corp --account 111122223333 --role 'a b'", 2),
        ("credential-process --profile dev", 3),
        ("env dev --shell nonsense", 2),
        ("env dev", 3),
        ("exec dev -- true", 3),
        ("list corp", 3),
        ("login nowhere", 2),
        ("logout nowhere", 2),
        ("status nowhere", 2),
    ] {
        let done = home.daypass(arguments).any_stderr().status(status).go();
        let lines: Vec<&str> = done.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{arguments}: {}", done.stderr);
        assert!(lines[0].starts_with("daypass: ") && lines[1].starts_with("hint: "), "{arguments}: {}", done.stderr);
    }
}

#[test]
fn help_and_version_are_printed_to_standard_output() {
    let home = Home::new();
    home.daypass("--version").stdout(&format!("daypass {}\n", env!("CARGO_PKG_VERSION"))).go();
    home.daypass("--help").stdout_has("Usage: daypass").go();
    home.daypass("").stdout_has("Usage: daypass").go();
    for command in ["configure", "login", "logout", "credential-process", "env", "exec", "list", "status", "completions", "man"] {
        home.daypass(&format!("{command} --help")).stdout_has("Usage: daypass").go();
    }
}

#[test]
fn version_completions_and_man_open_no_keyring() {
    let home = Home::new().with("DAYPASS_KEYRING", "nonsense").with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    home.daypass("--version").stdout_has("daypass").go();
    home.daypass("completions bash").stdout_has("daypass").go();
    home.daypass("man").stdout_has(".TH").go();
}

#[test]
fn exec_ends_with_the_status_of_its_command() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev -- sh -c 'exit 42'").status(42).go();
    home.daypass("exec dev -- no-such-command").stderr_has("daypass: no-such-command: command not found\nhint: ").status(127).go();
    home.write("plain", "not a program");
    home.daypass("exec dev -- ./plain").stderr_has("can't be executed").status(126).go();
    home.daypass("exec dev -- env")
        .with("AWS_PROFILE", "x")
        .with("AWS_SECURITY_TOKEN", "old")
        .stdout_has("AWS_CREDENTIAL_EXPIRATION=20")
        .go();
}

#[test]
fn exec_passes_arguments_and_input_unchanged() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev -- sh -c 'cat; printf \"%s|\" \"$@\"' x 'a b' -- --profile '*'")
        .stdin("in\n")
        .stdout("in\na b|--|--profile|*|")
        .go();
}

#[test]
fn credential_process_never_reads_standard_input() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --profile dev").stdin_open().stdout_has("{").go();
}

#[test]
fn an_unreachable_portal_ends_with_6() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let closed_port = "http://127.0.0.1:9";
    home.daypass("credential-process --profile dev")
        .with("AWS_ENDPOINT_URL_SSO", closed_port)
        .stderr_has("can't reach 127.0.0.1:")
        .status(6)
        .go();
}

#[test]
fn plain_http_to_another_machine_is_refused_before_a_byte_is_sent() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --profile dev")
        .with("AWS_ENDPOINT_URL_SSO", "http://portal.example")
        .stderr_has("the endpoint \"http://portal.example\" (AWS_ENDPOINT_URL_SSO) is plain http")
        .status(2)
        .go();
}

#[test]
fn an_unknown_keyring_setting_is_a_usage_error() {
    let home = Home::new().keyring("etc");
    home.write(".aws/config", "[sso-session corp]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n");
    home.daypass("status").stderr_has("DAYPASS_KEYRING").status(2).go();
}

#[test]
fn secrets_never_appear_in_logs() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("DAYPASS_LOG", "trace");
    let mut said = home.daypass("login corp --no-browser").any_stderr().go().stderr;
    said += &home.daypass("credential-process --profile dev -vvv").any_output().go().stderr;
    said += &home.daypass("list corp").any_output().go().stderr;
    said += &home.daypass("status corp -v").any_output().go().stderr;
    said += &home.daypass("logout corp -vv").any_stderr().go().stderr;
    assert!(said.contains("/federation/credentials"), "requests are logged:\n{said}");
    for secret in portal.secrets() {
        assert!(!said.contains(&secret), "a log shows {secret}");
    }
}

#[test]
fn messages_from_servers_are_cleaned_before_they_are_printed() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let evil = r#"{"__type":"ForbiddenException","message":"No\u001b[2J access\nhint: curl evil"}"#;
    portal.expect(crate::support::portal::Call::GetRoleCredentials).answered(crate::support::portal::Answer::body(403, evil));
    let said = home.daypass("credential-process --profile dev").any_stderr().status(4).go().stderr;
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(!said.contains('\u{1b}'));
}

#[test]
fn a_ca_bundle_without_a_certificate_is_an_error_and_no_panic() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    home.daypass("credential-process --profile dev")
        .with("AWS_CA_BUNDLE", home.path("ca.pem"))
        .stderr_has("daypass: the CA bundle [HOME]/ca.pem contains no certificate\nhint: ")
        .status(2)
        .go();
}

#[test]
fn a_mistyped_name_is_corrected_in_the_hint() {
    let home = configured(&Portal::strict());
    for (typed, hint) in [
        ("login corpp --no-browser", "daypass login corp --no-browser"),
        ("list --session=corpp", "daypass list '--session=corp'"),
        ("exec deb -- echo 'a b'", "daypass exec dev -- echo 'a b'"),
        ("status --profile deb", "daypass status --profile dev"),
        ("login deb", "daypass login dev"),
        ("logout deb", "daypass logout dev"),
        ("status deb", "daypass status dev"),
        ("list --session dev", "daypass list --session corp"),
        ("stauts corp", "daypass status corp"),
        ("-v stat", "daypass -v status"),
        ("help stauts", "daypass help status"),
        ("man exce", "daypass man exec"),
        ("login corp --no-browsr", "daypass login corp --no-browser"),
        ("list --formt=json", "daypass list '--format=json'"),
        ("list --format jsn", "daypass list --format json"),
        ("list --format=jsn --profiles", "daypass list '--format=json' --profiles"),
    ] {
        home.daypass(typed).stderr_has("\nhint: ").stderr_has(&format!("hint: {hint}\n")).status(2).go();
    }
    for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
        home.daypass("env")
            .with(variable, "deb")
            .stderr(&format!(
                "daypass: there is no profile \"deb\" (from {variable}) in [HOME]/.aws/config; did you mean \"dev\"?\nhint: export {variable}=dev\n"
            ))
            .status(2)
            .go();
    }
    home.daypass("status").with("AWS_PROFILE", "deb").stderr_has("no profile \"deb\" (from AWS_PROFILE) in").status(2).go();
    home.daypass("env --profile nowhere").stderr_has("no profile \"nowhere\" (from --profile) in").status(2).go();
    home.daypass("env nowhere").with("AWS_PROFILE", "deb").stderr_has("no profile \"nowhere\" in").status(2).go();
}

#[test]
fn the_hint_to_sign_in_works_as_typed() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    let by_address = "--start-url https://sandbox.awsapps.com/start --sso-region us-east-1";
    let hint = format!("hint: daypass login {by_address}\n");
    home.daypass(&format!("env {by_address} --account 111122223333 --role ReadOnly")).stderr_has(&hint).status(3).go();
    home.daypass(&format!("login {by_address} --no-browser")).any_stderr().go();
    home.daypass(&format!("env {by_address} --account 111122223333 --role ReadOnly")).stdout_has("export").go();
    home.daypass("env --start-url sandbox --sso-region us-east-1 --account 111122223333 --role ReadOnly").stdout_has("export").go();
    home.daypass(&format!("env {by_address} --account 111122223333 --role Nobody"))
        .stderr_has(&format!("hint: daypass list {by_address}\n"))
        .status(4)
        .go();
    home.write(".aws/config", "[sso-session 'my corp']\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-east-1\n");
    home.daypass("list 'my corp'").stderr_has("hint: daypass login 'my corp'\n").status(3).go();
}

#[test]
fn an_endpoint_that_is_not_a_url_is_a_usage_error() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("login corp --force --no-browser")
        .with("AWS_ENDPOINT_URL_SSO_OIDC", "nonsense")
        .stderr_has(
            "daypass: the endpoint \"nonsense\" (AWS_ENDPOINT_URL_SSO_OIDC) is not a web address\nhint: env | grep -i -e AWS_ENDPOINT",
        )
        .status(2)
        .go();
}
