//! `daypass doctor`: every finding with an arrangement that has it and one that nearly has it, and both forms of output.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use daypass::profile::findings::Code;
use serde_json::Value;
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

/// Files below the home, variables, and arguments of `doctor`. `[HOME]` is replaced in all of them.
#[derive(Clone, Copy)]
struct Arrangement {
    config: &'static str,
    credentials: &'static str,
    vars: &'static [(&'static str, &'static str)],
    files: &'static [(&'static str, &'static str)],
    arguments: &'static str,
    /// Files that get this mode.
    modes: &'static [(&'static str, u32)],
}

const NOTHING: Arrangement = Arrangement { config: "", credentials: "", vars: &[], files: &[], arguments: "", modes: &[] };

const fn config(config: &'static str) -> Arrangement {
    Arrangement { config, ..NOTHING }
}

const fn both(config: &'static str, credentials: &'static str) -> Arrangement {
    Arrangement { config, credentials, ..NOTHING }
}

const fn vars(config: &'static str, vars: &'static [(&'static str, &'static str)]) -> Arrangement {
    Arrangement { config, vars, ..NOTHING }
}

const fn files(config: &'static str, files: &'static [(&'static str, &'static str)]) -> Arrangement {
    Arrangement { config, files, ..NOTHING }
}

/// A profile that is as it should be.
macro_rules! dev {
    ($($more:literal)*) => {
        concat!(
            "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n",
            "[profile dev]\ncredential_process = [HOME]/bin/daypass credential-process --session corp --account 111122223333 --role R\n",
            $($more)*
        )
    };
}

/// The same with the SDKs' own keys.
macro_rules! native {
    ($($more:literal)*) => {
        concat!(
            "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n",
            "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = R\n",
            $($more)*
        )
    };
}

const KEYS: &str = "[dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalr\n";
const OTHER_KEYS: &str = "[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalr\n";
const PROFILE: (&str, &str) = ("AWS_PROFILE", "dev");
const ENDPOINT: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/creds");
const TOKEN: (&str, &str) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "[HOME]/token");
const ROLE: (&str, &str) = ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
const FUTURE: &str = r#"{"accessToken": "t", "expiresAt": "2096-01-01T00:00:00Z"}"#;
const PAST: &str = r#"{"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"}"#;

/// A code, what has it, and what nearly has it.
#[rustfmt::skip]
const CASES: &[(&str, Arrangement, Arrangement)] = &[
    ("file-rejected", config(dev!("region = a\nregion = b\n")), config(dev!("region = a\n#region = b\n"))),
    ("file-misread", config("[dev]\nregion = x\n"), both("", "[dev]\nregion = x\n")),
    ("two-default-sections", config("[default]\nregion = x\n[profile default]\nregion = y\n"), config("[profile default]\nregion = y\n")),
    ("profile-missing", Arrangement { arguments: "prod", ..config(dev!()) }, Arrangement { arguments: "dev", ..config(dev!()) }),
    ("section-misnamed", vars("[dev]\nregion = x\n", &[PROFILE]), vars("[profile dev]\nregion = x\n", &[PROFILE])),
    ("static-key-beside-helper", both(dev!(), KEYS), both(dev!(), OTHER_KEYS)),
    ("static-key-beside-sso", config(native!("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")), both(native!(), OTHER_KEYS)),
    ("sso-beside-helper", config(dev!("sso_region = us-east-1\n")), config(dev!("region = us-east-1\n"))),
    ("other-source-beside-helper", config(dev!("login_session = arn:aws:iam::1:user/u\n")), config(dev!("[profile b]\nlogin_session = arn:aws:iam::1:user/u\n"))),
    ("half-key-pair", both(dev!(), "[k]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"), both(dev!(), OTHER_KEYS)),
    ("half-key-pair", vars(dev!(), &[("AWS_ACCESS_KEY_ID", "AKIA1")]), vars(dev!(), &[("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "x")])),
    ("environment-keys-expired",
        vars(dev!(), &[("AWS_ACCESS_KEY_ID", "ASIA1"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")]),
        vars(dev!(), &[("AWS_ACCESS_KEY_ID", "ASIA1"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_CREDENTIAL_EXPIRATION", "2096-01-01T00:00:00Z")])),
    ("environment-keys",
        vars(dev!(), &[("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "x"), PROFILE]),
        vars(dev!(), &[("AWS_ACCESS_KEY_ID", "ASIA1"), ("AWS_SECRET_ACCESS_KEY", "x"), ("DAYPASS_ACTIVE", "ASIA1 dev"), PROFILE])),
    ("two-profile-variables", vars(dev!(), &[PROFILE, ("AWS_DEFAULT_PROFILE", "other")]), vars(dev!(), &[PROFILE, ("AWS_DEFAULT_PROFILE", "dev")])),
    ("default-profile-ignored", vars(dev!(), &[("AWS_DEFAULT_PROFILE", "dev")]), vars(dev!(), &[PROFILE])),
    ("web-identity-wins", vars(dev!(), &[TOKEN, ROLE, PROFILE]), vars("", &[TOKEN, ROLE])),
    ("container-wins", vars("[profile dev]\nregion = x\n", &[ENDPOINT, PROFILE]), vars(dev!(), &[ENDPOINT, PROFILE])),
    ("container-without-effect", vars(dev!(), &[ENDPOINT, PROFILE]), vars("", &[ENDPOINT])),
    ("container-address",
        vars("", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://host.docker.internal:9/creds")]),
        vars("", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "https://host.docker.internal:9/creds")])),
    ("proxy-for-loopback",
        vars("", &[ENDPOINT, ("HTTP_PROXY", "http://proxy.example.com:1")]),
        vars("", &[ENDPOINT, ("HTTP_PROXY", "http://proxy.example.com:1"), ("NO_PROXY", "example.com, 127.0.0.1")])),
    ("falls-through", vars(dev!(), &[ENDPOINT, PROFILE]), Arrangement { arguments: "--sdk boto3,go", ..vars(dev!(), &[ENDPOINT, PROFILE]) }),
    ("token-file", vars("", &[TOKEN, ROLE]), Arrangement { files: &[("token", "t")], ..vars("", &[TOKEN, ROLE]) }),
    ("token-file",
        Arrangement { files: &[("token", "t\n")], ..vars("", &[ENDPOINT, ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "[HOME]/token")]) },
        Arrangement { files: &[("token", "t")], ..vars("", &[ENDPOINT, ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "[HOME]/token")]) }),
    ("role-cycle",
        config("[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = a\n"),
        config(dev!("[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = dev\n"))),
    ("role-source-missing", config("[profile a]\nrole_arn = x\nsource_profile = b\n"), config(dev!("[profile a]\nrole_arn = x\nsource_profile = dev\n"))),
    ("role-source-unusable",
        config("[profile a]\nrole_arn = x\nsource_profile = b\n[profile b]\nregion = x\n"),
        config(dev!("[profile a]\nrole_arn = x\nsource_profile = dev\nregion = x\n"))),
    ("role-incomplete", config("[profile a]\nrole_arn = x\n"), config("[profile a]\nrole_arn = x\ncredential_source = EcsContainer\n")),
    ("two-sources",
        config("[profile a]\nrole_arn = x\nsource_profile = b\ncredential_source = EcsContainer\n[profile b]\n"),
        config("[profile a]\nrole_arn = x\ncredential_source = EcsContainer\n[profile b]\n")),
    ("session-missing", config("[profile a]\nsso_session = none\nsso_account_id = 1\nsso_role_name = R\n"), config(native!())),
    ("session-missing",
        config("[profile dev]\ncredential_process = [HOME]/bin/daypass credential-process --session none --account 111122223333 --role R\n"),
        config(dev!())),
    ("session-contradiction", config(native!("sso_region = eu-west-1\n")), config(native!("region = eu-west-1\n"))),
    ("sso-incomplete", config("[profile a]\nsso_account_id = 1\nsso_role_name = R\n"), config(native!())),
    ("helper-missing", config("[profile a]\ncredential_process = [HOME]/bin/none x\n"), config(dev!())),
    ("helper-missing", config("[profile a]\ncredential_process = no-such-program x\n"), config("[profile a]\ncredential_process = sh x\n")),
    ("helper-not-executable", Arrangement { modes: &[("bin/daypass", 0o644)], ..config(dev!()) }, config(dev!())),
    ("helper-relative", config("[profile a]\ncredential_process = bin/daypass x\n"), config(dev!())),
    ("helper-versioned-path",
        Arrangement { modes: &[("Cellar/daypass/1/daypass", 0o755)], ..files("[profile a]\ncredential_process = [HOME]/Cellar/daypass/1/daypass x\n", &[("Cellar/daypass/1/daypass", "#!")]) },
        config(dev!())),
    ("helper-quoting", config("[profile a]\ncredential_process = ~/bin/daypass x\n"), config(dev!())),
    ("helper-quoting", config("[profile a]\ncredential_process = sh -c \"echo $HOME\"\n"), config("[profile a]\ncredential_process = sh -c \"echo; HOME\"\n")),
    ("helper-quoting", config("[profile a]\ncredential_process = \"sh credential-process x\"\n"), config("[profile a]\ncredential_process = \"sh\" credential-process x\n")),
    ("duration-too-long",
        config(dev!("[profile a]\nrole_arn = x\nsource_profile = dev\nduration_seconds = 7200\n")),
        both("[profile a]\nrole_arn = x\nsource_profile = other\nduration_seconds = 7200\n", OTHER_KEYS)),
    ("no-scopes",
        config("[sso-session corp]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = R\n"),
        config(native!())),
    ("no-credentials", vars("[profile dev]\nregion = x\n", &[PROFILE]), vars(dev!(), &[PROFILE])),
    ("no-profile", config(dev!()), vars(dev!(), &[PROFILE])),
    ("ca-bundle-missing", vars("", &[("AWS_CA_BUNDLE", "[HOME]/none.pem")]), Arrangement { files: &[("ca.pem", "x")], ..vars("", &[("AWS_CA_BUNDLE", "[HOME]/ca.pem")]) }),
    ("general-endpoint", vars("", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]), vars("", &[("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")])),
    ("file-readable-by-others", both("", KEYS), Arrangement { modes: &[(".aws/credentials", 0o600)], ..both("", KEYS) }),
    ("token-in-clear", files("", &[(".aws/sso/cache/a.json", FUTURE)]), files("", &[(".aws/sso/cache/a.json", PAST)])),
    ("keys-in-clear",
        files("", &[(".aws/cli/cache/a.json", r#"{"Credentials": {"SecretAccessKey": "s", "Expiration": "2096-01-01T00:00:00UTC"}}"#)]),
        files("", &[(".aws/cli/cache/a.json", r#"{"Credentials": {"SecretAccessKey": "s", "Expiration": "2020-01-01T00:00:00UTC"}}"#)])),
];

/// The codes that need a portal or a keyring, with tests of their own.
const OF_SIGN_IN: [&str; 5] = ["sign-in-required", "keyring-unavailable", "keyring-locked", "portal-unreachable", "clock-off"];

fn home_of(arrangement: &Arrangement) -> Home {
    let home = Home::new().with("AWS_EC2_METADATA_DISABLED", "true");
    let place = home.path("").to_string_lossy().trim_end_matches('/').to_owned();
    let text = |text: &str| text.replace("[HOME]", &place);
    home.write("bin/daypass", "#!/bin/sh\n");
    set_mode(&home, "bin/daypass", 0o755);
    home.write(".aws/config", &text(arrangement.config));
    home.write(".aws/credentials", &text(arrangement.credentials));
    for (name, content) in arrangement.files {
        home.write(name, &text(content));
    }
    for (name, mode) in arrangement.modes {
        set_mode(&home, name, *mode);
    }
    arrangement.vars.iter().fold(home, |home, (name, value)| home.with(name, text(value)))
}

fn set_mode(home: &Home, name: &str, mode: u32) {
    fs::set_permissions(home.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn report(home: &Home, arguments: &str) -> Value {
    let run = home.daypass(&format!("doctor --format json {arguments}")).stdout_has("\"version\": 1").status_of([0, 1]);
    let done = run.go();
    let report = done.json();
    let failed = report["findings"].as_array().unwrap().iter().any(|finding| finding["level"] == "error");
    assert_eq!(!done.status.success(), failed, "{report}");
    report
}

fn codes(report: &Value) -> Vec<String> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_finding_is_made_where_it_applies_and_not_where_it_nearly_does() {
    let mut wrong = Vec::new();
    for (code, has, nearly) in CASES {
        for (arrangement, expected) in [(has, true), (nearly, false)] {
            let found = codes(&report(&home_of(arrangement), arrangement.arguments));
            if found.iter().any(|found| found == code) != expected {
                wrong.push(format!(
                    "{code} {} in {:?} {:?}: {found:?}",
                    if expected { "is missing" } else { "is" },
                    arrangement.config,
                    arrangement.vars
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_is_tested_and_documented_with_its_level() {
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let tested: BTreeSet<&str> = CASES.iter().map(|(code, ..)| *code).chain(OF_SIGN_IN).collect();
    assert_eq!(tested, all);
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md")).unwrap();
    let documented: Vec<(&str, &str)> = docs
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let code = cells.next()?.trim().strip_suffix('`')?;
            Some((code, cells.next()?.trim())).filter(|(_, level)| ["error", "warning", "note"].contains(level))
        })
        .collect();
    let expected: Vec<(&str, &str)> = Code::ALL.iter().map(|code| (code.name(), code.level().name())).collect();
    assert_eq!(documented, expected);
}

#[test]
fn sources_are_grouped_and_keys_are_masked() {
    let home = home_of(&both(dev!(), KEYS));
    set_mode(&home, ".aws/credentials", 0o600);
    let text = home
        .daypass("doctor dev --sdk boto3,js,rust,go")
        .stdout_has("Profile dev\n")
        .stdout_has("boto3 js go  static-key …MPLE  [HOME]/.aws/credentials:2  daypass ([HOME]/.aws/config:6)")
        .stdout_has("rust         daypass           [HOME]/.aws/config:6       static-key …MPLE ([HOME]/.aws/credentials:2)")
        .stdout_has("error static-key-beside-helper: boto3, js and go use aws_access_key_id ([HOME]/.aws/credentials:2) instead of")
        .stdout_has("\nhint: remove aws_access_key_id, aws_secret_access_key ([HOME]/.aws/credentials:2)\n")
        .status(1)
        .go()
        .stdout;
    assert!(!text.contains("AKIAIOSFODNN7EXAMPLE") && !text.contains("wJalr"), "{text}");
    let report = report(&home, "dev");
    let js = report["sources"].as_array().unwrap().iter().find(|source| source["sdk"] == "js").unwrap();
    assert_eq!(js["kind"], "static-key");
    assert_eq!(js["key_id"], "MPLE");
    assert_eq!(js["shadowed"][0]["kind"], "daypass");
    assert_eq!(js["shadowed"][0]["key_id"], Value::Null);
    assert!(!report.to_string().contains("AKIAIOSFODNN7EXAMPLE"));
}

#[test]
fn a_good_profile_has_no_findings_and_nothing_is_changed() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let before = (home.read(".aws/config"), portal.calls().len());
    home.daypass("doctor dev")
        .stdout_has("boto3 cli1 cli2 js rust go java dotnet  daypass  [HOME]/.aws/config:")
        .stdout_has("Nothing is wrong.")
        .go();
    assert_eq!((home.read(".aws/config"), portal.calls().len()), before);
    home.daypass("doctor dev --online").stdout_has("Nothing is wrong.").go();
}

#[test]
fn a_missing_or_ended_sign_in_is_found() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("doctor dev")
        .stdout_has("error sign-in-required: not signed in to corp\nhint: daypass login corp\n")
        .status(1)
        .go();
    home.daypass("login corp --no-browser").any_stderr().go();
    assert_eq!(codes(&report(&home, "dev")), [""; 0]);
    portal.end_sessions();
    assert_eq!(codes(&report(&home, "dev")), [""; 0]);
    assert_eq!(codes(&report(&home, "dev --online")), ["sign-in-required"]);
}

#[test]
fn a_portal_that_fails_and_a_wrong_clock_are_found_online() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::ListAccounts).answered(Answer::status(400));
    assert_eq!(codes(&report(&home, "dev --online")), ["portal-unreachable"]);
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let ahead = (OffsetDateTime::now_utc() + Duration::minutes(20)).format(&Rfc2822).unwrap().replace("+0000", "GMT");
    portal.expect(Call::ListAccounts).answered(Answer::served().with_header("Date", &ahead));
    let found = report(&home, "dev --online");
    assert_eq!(codes(&found), ["clock-off"]);
    assert!(found["findings"][0]["what"].as_str().unwrap().contains("min behind"), "{found}");
}

#[test]
fn a_keyring_that_is_missing_is_found() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).keyring("os").with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    assert_eq!(codes(&report(&home, "dev")), ["keyring-unavailable"]);
}
