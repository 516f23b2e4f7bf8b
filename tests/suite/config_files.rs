//! What users see of config and credentials files that tools reject or misread.

use std::fs;

use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;
use crate::{CONFIGURE, configured, signed_in};

const DUPLICATE: &str = "[profile a]\nregion = x\n[profile a]\nregion = y\n";

#[test]
fn configure_refuses_a_file_that_the_aws_cli_rejects_and_force_writes_it() {
    let home = Home::new();
    home.write(".aws/config", DUPLICATE);
    home.daypass(CONFIGURE)
        .status(2)
        .stderr(
            "daypass: [HOME]/.aws/config:3: the AWS CLI rejects this file: [profile a] is already in line 1\n\
             hint: move its keys to line 1 and remove this line; or write all the same with --force\n",
        )
        .leaves(".aws/config", DUPLICATE)
        .go();
    let done = home.daypass(&format!("{CONFIGURE} --force")).any_stderr().go();
    assert!(!done.stderr.contains("Try: aws"), "{}", done.stderr);
    assert_eq!(done.stderr.matches("config:3:").count(), 1, "{}", done.stderr);
    assert!(home.read(".aws/config").starts_with(DUPLICATE));
}

#[test]
fn configure_names_a_rejected_credentials_file() {
    let home = Home::new();
    home.write(".aws/credentials", "[a]\nregion\n");
    home.daypass(CONFIGURE)
        .status(2)
        .stderr_has("[HOME]/.aws/credentials:2: the AWS CLI rejects this file: this line has no =")
        .go();
    assert!(!home.path(".aws/config").exists());
}

#[test]
fn other_commands_warn_once_and_status_v_lists_all() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let text = home.read(".aws/config");
    home.write(".aws/config", &format!("{text}output = json # mine\nstray\nregion = z\n"));
    let warning =
        "warning: [HOME]/.aws/config:10: the AWS CLI rejects this file: this line has no = (and 2 more: daypass status -v)\n";
    for command in ["env dev", "list", "list --profiles", "status"] {
        home.daypass(command).any_output().stderr(warning).go();
    }
    home.daypass("env dev -q").any_output().stderr("").go();
    let listed = home.daypass("status -v").any_output().go().stderr;
    for line in [":9: the AWS CLI takes \"# mine\" as part of the value", ":10: the AWS CLI rejects", ":11: the AWS CLI rejects"] {
        assert!(listed.contains(line), "{listed}");
    }
}

#[test]
fn credential_process_warns_only_if_it_fails() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let text = home.read(".aws/config");
    home.write(".aws/config", &format!("{text}stray\n"));
    home.daypass("credential-process --profile dev").any_output().stderr("").go();
    home.daypass("credential-process --profile none").fails().stderr_has("config:9: the AWS CLI rejects this file").go();
}

#[test]
fn keys_in_the_credentials_file_are_marked() {
    let home = configured(&Portal::strict());
    let keys = "[dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    home.write(".aws/credentials", keys);
    home.daypass("list --profiles")
        .any_stderr()
        .stdout_has("dev      static key")
        .stdout_has("\ndev: AWS tools use aws_access_key_id ([HOME]/.aws/credentials:2) instead of daypass\n")
        .go();
    let json = home.daypass("list --profiles --format json").any_stderr().stdout_has("").go().json();
    assert!(json[0]["overridden_by"].as_str().unwrap().starts_with("aws_access_key_id ("), "{json}");
    let listed = home.daypass("status -v").any_output().status_of([0, 3]).go().stderr;
    assert!(
        listed.contains("credentials:2: AWS tools use this aws_access_key_id instead of what profile \"dev\" gets"),
        "{listed}"
    );
    fs::remove_file(home.path(".aws/credentials")).unwrap();
    let table = home.daypass("list --profiles").stdout_has("dev").go().stdout;
    assert!(!table.contains("instead"), "{table}");
}

#[test]
fn an_unknown_profile_names_the_line_that_was_probably_meant() {
    let home = Home::new();
    for (line, name, correct) in [
        ("[dev]", "dev", "[profile dev]"),
        ("[profile Foo Bar]", "'Foo Bar'", "[profile \"Foo Bar\"]"),
        ("[Profile up]", "up", "[profile up]"),
        ("[profile.dotted]", "dotted", "[profile dotted]"),
    ] {
        home.write(".aws/config", &format!("# c\n{line}\nregion = x\n"));
        home.daypass(&format!("env {name}"))
            .status(2)
            .stderr_has(&format!("in [HOME]/.aws/config, but [HOME]/.aws/config:2 is \"{line}\" and should be {correct}\n"))
            .stderr_has("hint: ${EDITOR:-vi} [HOME]/.aws/config\n")
            .go();
    }
}

#[test]
fn a_profile_without_a_required_key_is_described_by_that_key() {
    let home = Home::new();
    for (keys, lacks) in [
        ("sso_account_id = 111122223333\nsso_role_name = R\n", "sso_session"),
        ("sso_account_id = 111122223333\nsso_role_name = R\nsso_region = us-east-1\n", "sso_start_url"),
        ("sso_session = corp\nsso_role_name = R\n", "sso_account_id"),
        ("sso_session = corp\nsso_account_id = 111122223333\n", "sso_role_name"),
        ("sso_start_url = https://x.awsapps.com/start\nsso_account_id = 111122223333\nsso_role_name = R\n", "sso_region"),
        ("aws_secret_access_key = x\n", "aws_access_key_id"),
        ("aws_access_key_id = AKIA\n", "aws_secret_access_key"),
        ("role_arn = arn:aws:iam::111122223333:role/R\n", "source_profile"),
        ("source_profile = corp\n", "role_arn"),
        ("credential_process = daypass credential-process --session corp --account 111122223333\n", "--role"),
    ] {
        home.write(
            ".aws/config",
            &format!(
                "[sso-session corp]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n[profile dev]\n{keys}"
            ),
        );
        let error = home.daypass("env dev").status(2).any_stderr().go().stderr;
        assert!(error.contains(&format!("no {lacks}\n")), "{keys}{error}");
    }
}

#[test]
fn hints_quote_names_that_contain_blanks() {
    let home = Home::new();
    let role = "role_arn = arn:aws:iam::111122223333:role/R\nsource_profile = c d\n";
    home.write(".aws/config", &format!("[profile \"a b\"]\n{role}[profile \"c d\"]\nsso_session = x\n"));
    home.daypass("console 'a b' --account 1").status(2).stderr_has("hint: daypass configure --profile 'c d'").go();
    home.write(".aws/config", "[profile \"a b\"]\nsso_session = x\n");
    home.daypass("env 'a b'").status(2).stderr_has("hint: daypass configure --profile 'a b'").go();
}

#[test]
fn sync_and_convert_use_a_plain_session_for_one_whose_name_can_not_be_an_argument() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    let session =
        "sso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n";
    let native =
        "[profile mine]\nsso_session = FOO BAR\nsso_account_id = 111122223333\nsso_role_name = DeveloperAccess\noutput = json\n";
    home.write(".aws/config", &format!("[sso-session 'FOO BAR']\n{session}{native}"));
    home.daypass("login 'FOO BAR' --no-browser").any_stderr().go();
    home.daypass("sync 'FOO BAR' --convert").stderr_has("Next: daypass login sandbox\n").go();
    let config = home.read(".aws/config");
    assert!(config.contains(&format!("\n[sso-session sandbox]\n{session}")), "{config}");
    assert!(config.contains("[profile mine]\noutput = json\ncredential_process = "), "{config}");
    assert!(config.contains("credential-process --session sandbox --account 111122223333 --role DeveloperAccess\n"), "{config}");
    assert!(config.starts_with("[sso-session 'FOO BAR']\n"), "{config}");
    home.daypass("login sandbox --no-browser").any_stderr().go();
    home.daypass("credential-process --profile mine").any_output().go();
    home.daypass("sync sandbox --convert").stderr_has("is already up to date").go();
}

#[test]
#[cfg(unix)]
fn a_config_file_from_a_pipe_is_read() {
    let home = configured(&Portal::strict());
    let script = "exec \"$0\" list --profiles --format csv < /dev/null";
    let text = home.read(".aws/config");
    let run = home.program("bash").args([
        "-c",
        &format!("AWS_CONFIG_FILE=<(printf %s \"$1\") {script}"),
        env!("CARGO_BIN_EXE_daypass"),
        &text,
    ]);
    run.any_stderr().stdout_has("dev,daypass,111122223333,DeveloperAccess,eu-west-1,corp").go();
}
