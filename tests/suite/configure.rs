//! `configure` with flags: what it writes and what it refuses.

use crate::CONFIGURE;
use crate::support::portal::Portal;
use crate::support::run::Home;

const WRITTEN: &str = "\
[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role DeveloperAccess
region = eu-west-1
";

#[test]
fn configure_writes_both_blocks_without_a_terminal_or_a_sign_in() {
    let portal = Portal::strict();
    let home = Home::new().at(&portal);
    home.daypass(CONFIGURE)
        .stderr("Wrote profile dev to [HOME]/.aws/config.\nNext: daypass login corp\n")
        .leaves(".aws/config", WRITTEN)
        .go();
}

#[test]
fn the_same_command_twice_writes_nothing_the_second_time() {
    let home = Home::new();
    home.daypass(CONFIGURE).any_stderr().go();
    let before = std::fs::metadata(home.path(".aws/config")).unwrap().modified().unwrap();
    home.daypass(CONFIGURE).stderr_has("is already up to date").leaves(".aws/config", WRITTEN).go();
    assert_eq!(std::fs::metadata(home.path(".aws/config")).unwrap().modified().unwrap(), before);
    assert!(!home.path(".aws/config.daypass.bak").exists());
}

#[test]
fn a_dry_run_prints_the_change_and_writes_nothing() {
    let home = Home::new();
    home.daypass(&format!("{CONFIGURE} --dry-run")).stdout_has("+[sso-session corp]\n").stdout_has("+[profile dev]\n").go();
    assert!(!home.path(".aws").exists());
}

#[test]
fn a_profile_of_a_known_session_needs_only_the_sessions_name() {
    let home = Home::new();
    home.daypass(CONFIGURE).any_stderr().go();
    home.daypass("configure --session corp --account 444455556666 --role ReadOnly --profile prod --output json")
        .any_stderr()
        .leaves(
            ".aws/config",
            &format!(
                "{WRITTEN}\n[profile prod]\ncredential_process = [DAYPASS] credential-process --session corp --account 444455556666 \
                 --role ReadOnly\noutput = json\n"
            ),
        )
        .go();
}

#[test]
fn everything_that_the_user_wrote_stays() {
    let home = Home::new();
    let own =
        "# mine\n[default]\nregion=us-west-2   \n\n[profile dev]\n; keep\nregion = here\ns3 =\n  max_concurrent_requests = 20\n";
    home.write(".aws/config", own);
    home.daypass(CONFIGURE).any_stderr().go();
    let after = home.read(".aws/config");
    assert!(after.starts_with("# mine\n[default]\nregion=us-west-2   \n\n[profile dev]\n; keep\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n"), "{after}");
    assert_eq!(home.read(".aws/config.daypass.bak"), own);
}

#[test]
fn native_writes_the_sdks_own_keys() {
    let home = Home::new();
    home.daypass(&format!("{CONFIGURE} --native")).any_stderr().go();
    let config = home.read(".aws/config");
    assert!(
        config.contains("[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = DeveloperAccess\n"),
        "{config}"
    );
    assert!(!config.contains("credential_process"));
}

#[test]
fn helper_writes_another_program_name_that_daypass_recognises() {
    let home = Home::new();
    home.daypass(&format!("{CONFIGURE} --helper daypass")).any_stderr().go();
    assert!(home.read(".aws/config").contains("\ncredential_process = daypass credential-process --session corp "));
    home.daypass("credential-process --profile dev").stderr_has("not signed in to corp").status(3).go();
}

#[test]
fn a_missing_value_without_a_terminal_is_an_error_that_names_the_flag() {
    // The portal is not asked for its region.
    let home = Home::new().at(&Portal::strict());
    for flag in ["--start-url", "--sso-region", "--account", "--role", "--profile"] {
        let words = shlex::split(CONFIGURE).unwrap();
        let at = words.iter().position(|word| word == flag).unwrap();
        let rest = words.iter().enumerate().filter(|(n, _)| *n != at && *n != at + 1).map(|(_, word)| word);
        home.daypass("")
            .args(rest)
            .stderr_has(&format!("daypass: {flag} is missing"))
            .stderr_has("\nhint: daypass configure")
            .status(2)
            .go();
    }
    assert!(!home.path(".aws").exists());
}

#[test]
fn without_a_terminal_an_existing_profile_supplies_the_missing_values() {
    let home = Home::new();
    home.daypass(CONFIGURE).any_stderr().go();
    home.write(
        ".aws/config",
        &format!(
            "{}\n[sso-session other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = eu-west-1\n\n[profile leg]\n\
             sso_start_url = https://leg.awsapps.com/start\nsso_region = us-west-2\nsso_account_id = 111122223333\nsso_role_name = R\n",
            home.read(".aws/config")
        ),
    );
    home.daypass("configure --profile dev --login").any_stderr().go();
    let config = home.read(".aws/config");
    assert!(
        config.contains("--session corp --account 111122223333 --role DeveloperAccess --login\nregion = eu-west-1\n"),
        "{config}"
    );
    home.daypass("configure --profile dev --role ReadOnly").any_stderr().go();
    home.daypass("configure --profile leg").any_stderr().go();
    let config = home.read(".aws/config");
    assert!(config.contains("--session corp --account 111122223333 --role ReadOnly\n"), "{config}");
    assert!(config.contains("--session leg --account 111122223333 --role R\n"), "{config}");
    home.daypass("configure --profile new --role R")
        .stderr_has("daypass: --session and --account are missing, ")
        .stderr_has("\nhint: daypass configure --session corp --account 111122223333 --role R --profile new\n")
        .status(2)
        .go();
    home.daypass("configure --profile dev --session other").stderr_has("daypass: --account and --role are missing").status(2).go();
}

#[test]
fn values_that_could_inject_a_line_or_an_escape_are_refused() {
    let home = Home::new();
    let hostile = [
        ("--session", "a\nb"),
        ("--session", "a b"),
        ("--profile", "x]\n[profile y"),
        ("--profile", "a\u{1b}[31m"),
        ("--start-url", "https://x.awsapps.com/\nregion = y"),
        ("--sso-region", "us-east-1\nx = y"),
        ("--region", "eu-west-1 # x"),
        ("--output", "json\nx = y"),
        ("--scopes", "a\nb"),
        ("--role", "a;b"),
        ("--account", "12345"),
    ];
    for (flag, value) in hostile {
        let mut words = shlex::split(CONFIGURE).unwrap();
        match words.iter().position(|word| word == flag) {
            Some(at) => words[at + 1] = value.to_owned(),
            None => words.extend([flag.to_owned(), value.to_owned()]),
        }
        let done = home.daypass("").args(words).any_stderr().status(2).go();
        assert_eq!(done.stderr.lines().count(), 2, "{flag} {value:?}: {}", done.stderr);
        assert!(!done.stderr.contains('\u{1b}'));
    }
    assert!(!home.path(".aws/config").exists());
}

#[test]
fn static_keys_that_would_take_precedence_are_an_error() {
    let home = Home::new();
    home.write(".aws/credentials", "[dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n");
    home.daypass(CONFIGURE).stderr_has("aws_access_key_id").stderr_has("\nhint: daypass migrate dev\n").status(2).go();
    assert!(!home.path(".aws/config").exists());
}

#[test]
fn aws_config_file_is_honoured() {
    let home = Home::new();
    let elsewhere = home.path("dotfiles/aws.ini");
    home.write("dotfiles/keep", "");
    home.daypass(CONFIGURE).with("AWS_CONFIG_FILE", elsewhere).any_stderr().leaves("dotfiles/aws.ini", WRITTEN).go();
    assert!(!home.path(".aws").exists());
}

#[test]
fn session_only_writes_a_session_and_takes_the_region_from_the_start_url() {
    let portal = Portal::strict();
    let home = Home::new().at(&portal);
    home.daypass("configure --session-only --session corp --start-url https://ssoins-12.portal.eu-west-1.app.aws/#/")
        .stderr("Wrote session corp to [HOME]/.aws/config.\nNext: daypass login corp\n")
        .leaves(
            ".aws/config",
            "[sso-session corp]\nsso_start_url = https://ssoins-12.portal.eu-west-1.app.aws\nsso_region = eu-west-1\n\
             sso_registration_scopes = sso:account:access\n",
        )
        .go();
    home.daypass("configure --session-only --session corp --account 111122223333").any_stderr().status(2).go();
}

#[test]
fn keep_other_keys_keeps_static_keys() {
    let home = Home::new();
    let keys = "[dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    home.write(".aws/credentials", keys);
    home.daypass(CONFIGURE).stderr_has("which AWS tools would use instead").stderr_has("--keep-other-keys").status(2).go();
    home.daypass(&format!("{CONFIGURE} --keep-other-keys"))
        .any_stderr()
        .leaves(".aws/config", WRITTEN)
        .leaves(".aws/credentials", keys)
        .go();
}

const SSO_PROFILES: &str = "\
[profile native]
# kept
sso_session = corp
sso_account_id = 111122223333
sso_role_name = DeveloperAccess
region = eu-west-3

[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1

[profile legacy]
sso_start_url = https://other.awsapps.com/start#/
sso_region = eu-west-1
sso_account_id = 000000000001
sso_role_name = Admin
output = json

[profile torn]
sso_session = corp
sso_account_id = 111122223333

[profile chained]
role_arn = arn:aws:iam::1:role/x
source_profile = native
";

#[test]
fn convert_changes_every_sso_profile_without_a_sign_in_and_keeps_other_keys() {
    let portal = Portal::strict();
    let home = Home::new().at(&portal);
    home.write(".aws/config", SSO_PROFILES);
    home.daypass("configure --convert --dry-run").stdout_has("-sso_session = corp\n").leaves(".aws/config", SSO_PROFILES).go();
    let expected = "\
[profile native]
# kept
region = eu-west-3
credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role DeveloperAccess

[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1

[profile legacy]
output = json
credential_process = [DAYPASS] credential-process --session other --account 000000000001 --role Admin

[profile torn]
sso_session = corp
sso_account_id = 111122223333

[profile chained]
role_arn = arn:aws:iam::1:role/x
source_profile = native

[sso-session other]
sso_start_url = https://other.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
";
    home.daypass("configure --convert").stderr_has("Wrote profiles native, legacy to").leaves(".aws/config", expected).go();
    home.daypass("configure --convert").stderr_has("nothing was written").leaves(".aws/config", expected).go();
}

#[test]
fn convert_can_be_limited_to_a_profile_or_session_and_explains_what_it_skips() {
    let home = Home::new();
    for (flags, converted) in [
        ("--profile native", "--session corp"),
        ("--start-url https://other.awsapps.com/start/", "--session other"),
        ("--start-url other", "--session other"),
    ] {
        home.write(".aws/config", SSO_PROFILES);
        home.daypass(&format!("configure --convert {flags}")).any_stderr().go();
        let config = home.read(".aws/config");
        assert!(config.contains(converted) && config.matches("credential_process").count() == 1, "{config}");
    }
    home.write(".aws/config", SSO_PROFILES);
    home.write(".aws/credentials", "[native]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n");
    home.daypass("configure --convert").stderr_has("Profile native is left alone: profile \"native\" has aws_access_key_id").go();
}

#[test]
fn an_sso_profile_for_the_same_role_is_mentioned_and_converted_on_request() {
    let home = Home::new();
    home.write(".aws/config", SSO_PROFILES);
    home.daypass(CONFIGURE).stderr_has("native uses sso_* keys for the same role; 'daypass configure --convert'").go();
    assert!(home.read(".aws/config").contains("[profile native]\n# kept\nsso_session = corp\n"));
    home.write(".aws/config", SSO_PROFILES);
    home.daypass("configure --convert --session corp --account 111122223333 --role DeveloperAccess")
        .stderr_has("Wrote profile native to")
        .go();
    let config = home.read(".aws/config");
    assert!(config.contains("[profile native]\n# kept\nregion = eu-west-3\ncredential_process = "), "{config}");
    assert!(config.contains("[profile legacy]\nsso_start_url"), "{config}");
}
