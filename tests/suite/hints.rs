//! Each hint is a command that works as typed, in the situation in which it is given, and that helps.

#[cfg(target_os = "linux")]
use crate::needs;
use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{CONFIGURE, configured, signed_in};

/// Runs a command that fails, then its hint in the same home: the hint must be accepted, and the same error must not return.
#[track_caller]
fn follow(home: &Home, command: &str) -> String {
    let failed = home.daypass(command).any_output().fails().go();
    let (error, hint) = failed.stderr.trim_end().rsplit_once("\nhint: ").unwrap_or_else(|| panic!("{command}: no hint\n{failed}"));
    let error = error.lines().last().unwrap();
    let done = home.program("sh").args(["-c", hint]).any_output().status_of((0..=255).collect::<Vec<_>>()).go();
    assert!(!done.stderr.contains(error), "{command}: the hint {hint} leads to the same error\n{done}");
    assert!(!matches!(done.status.code(), Some(2 | 126 | 127)), "{command}: the hint {hint} is refused\n{done}");
    hint.to_owned()
}

#[test]
fn names_that_do_not_exist_or_are_of_another_kind() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (command, hint) in [
        ("env nowhere", "daypass list --profiles"),
        ("env deb", "daypass env dev"),
        ("login deb", "daypass login dev"),
        ("logout crop", "daypass logout corp"),
        ("logout nothing-like-it", "daypass status"),
        ("list deb", "daypass list dev"),
        ("sync dev --dry-run", "daypass sync corp --dry-run"),
        ("status crop", "daypass status corp"),
        ("env dev --account Nowhere", "daypass list"),
        ("env dev --account 1234", "daypass list"),
        ("env dev --role 'not a role'", "daypass list"),
        ("sync --only nothing-like-it", "daypass list"),
        ("man nonsense", "daypass --help"),
        ("nonsense", "daypass --help"),
        ("login --nonsense", "daypass login --help"),
    ] {
        assert_eq!(follow(&home, command), hint, "{command}");
        home.daypass("login corp --no-browser").any_output().go();
    }
}

#[test]
fn values_that_are_missing_or_malformed() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (command, hint) in [
        ("sync --name '{region}' --dry-run", "daypass sync --region us-east-1 --name '{region}' --dry-run"),
        ("sync --region Frankfurt --dry-run", "daypass sync --region us-east-1 --dry-run"),
        ("sync --name '{accounts}' --dry-run", "daypass sync --name '{account_name}.{role}'"),
        (
            "login --flow device --port 8400 --no-browser --if-needed",
            "daypass login --flow pkce --port 8400 --no-browser --if-needed",
        ),
        ("console dev --destination lamda --print", "daypass console dev --destination lambda --print"),
        ("console dev --destination nowhere --print", "daypass console dev --destination help --print"),
        (
            "console dev --destination https://example.com --print",
            "daypass console dev --destination https://console.aws.amazon.com/ --print",
        ),
        ("env --unset --shell dotenv", "daypass env --unset --shell sh"),
        ("env --pick", "daypass list --profiles"),
        (
            "env dev --shell sh --assume-role Deploy",
            "daypass env dev --shell sh --assume-role arn:aws:iam::111122223333:role/Deploy",
        ),
        (
            "env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --duration soon",
            "daypass env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --duration 1h",
        ),
        (
            "env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --duration 1m",
            "daypass env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --duration 900",
        ),
        (
            "env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --role-session-name 'a b'",
            "daypass env dev --shell sh --assume-role arn:aws:iam::222233334444:role/Deploy --role-session-name a-b",
        ),
        (
            "configure --session corp --account 111122223333 --role ReadOnly --profile 'a b'",
            "daypass configure --session corp --account 111122223333 --role ReadOnly --profile a-b",
        ),
        (
            "status --start-url https://corp.awsapps.com/start",
            "daypass status --sso-region us-east-1 --start-url https://corp.awsapps.com/start",
        ),
        ("status --sso-region us-east-1", "daypass status --start-url https://corp.awsapps.com/start --sso-region us-east-1"),
    ] {
        assert_eq!(follow(&home, command), hint, "{command}");
    }
}

#[test]
fn configure_names_all_missing_values_and_keeps_those_that_were_given() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    home.daypass("configure --no-input --role Admin --region eu-west-1 --dry-run")
        .stderr(
            "daypass: --start-url, --sso-region, --account and --profile are missing, and there is no terminal to prompt on\n\
             hint: daypass configure --start-url https://corp.awsapps.com/start --sso-region us-east-1 \
             --account 111122223333 --role Admin --profile dev --region eu-west-1 --dry-run\n",
        )
        .status(2)
        .go();
    // This address contains the region, also without its scheme.
    home.daypass("configure --no-input --start-url ssoins-1234.eu-west-1.portal.amazonaws.com")
        .stderr_has("daypass: --account, --role and --profile are missing,")
        .status(2)
        .go();
    for command in [
        "configure",
        "configure --session-only",
        "configure --start-url https://other.awsapps.com/start",
        "configure --session corp --start-url https://corp.awsapps.com/start --sso-region us-east-1 --account 111122223333",
        "configure --session 'a b' --session-only --start-url https://corp.awsapps.com/start --sso-region us-east-1",
        "configure --session corp --session-only --start-url http://corp.awsapps.com --sso-region us-east-1",
        "configure --session corp --session-only --start-url https://corp.awsapps.com/start --sso-region Frankfurt",
        // Nothing is configured yet.
        "env dev",
        "list",
        "login",
        "login --all",
        "console",
    ] {
        follow(&Home::new().at(&portal), command);
    }
    let home = configured(&portal);
    assert!(
        follow(&home, "configure --account 444455556666 --role ReadOnly")
            .contains("--account 444455556666 --role ReadOnly --profile example")
    );
}

#[test]
fn a_session_that_is_incomplete_or_ambiguous() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let config = home.read(".aws/config");
    home.write(
        ".aws/config",
        &format!("{config}\n[sso-session other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = eu-west-1\n"),
    );
    assert_eq!(follow(&home, "list"), "daypass list --session corp");
    assert_eq!(
        follow(&home, "exec --account 111122223333 --role ReadOnly -- true"),
        "daypass exec --session corp --account 111122223333 --role ReadOnly -- true"
    );
    home.write(".aws/config", "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\n");
    follow(&home, "login corp");
    home.write(".aws/config", "[profile dev]\nsso_session = gone\nsso_account_id = 111122223333\nsso_role_name = R\n");
    follow(&home, "env dev");
}

#[test]
fn profiles_with_another_credential_source() {
    let portal = Portal::live(PortalConfig::default());
    for source in [
        "aws_access_key_id = minioadmin\naws_secret_access_key = s",
        "credential_process = /usr/bin/other",
        "login_session = x",
        "web_identity_token_file = /t\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = dev",
        "role_arn = arn:aws:iam::111122223333:role/x",
        "role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = static",
        "region = us-east-1",
    ] {
        let with_profile = || {
            let home = signed_in(&portal);
            home.write(".aws/config", &format!("{}\n[profile static]\n{source}\n", home.read(".aws/config")));
            home
        };
        for command in ["env static", "exec static -- true", "credential-process --profile static", "console static"] {
            follow(&with_profile(), command);
        }
        if source.contains("aws_access_key_id") {
            let configure = CONFIGURE.replace("--profile dev", "--profile static");
            assert!(follow(&with_profile(), &configure).contains("--profile static-sso"));
            // The profile is refused first, and the hint has what else is missing.
            let hint = follow(&with_profile(), "configure --profile static");
            assert_eq!(hint, "daypass configure --account 111122223333 --role ReadOnly --profile static-sso");
            assert_eq!(follow(&with_profile(), "sync static"), "daypass sync corp");
        }
    }
}

#[test]
fn values_in_a_file_open_in_the_editor() {
    let portal = Portal::live(PortalConfig::default());
    for keys in [
        "role_arn = nonsense\nsource_profile = dev",
        "role_arn = arn:aws:iam::222233334444:role/x\nsource_profile = dev\nduration_seconds = soon",
        "role_arn = arn:aws:iam::222233334444:role/x\nsource_profile = dev\nrole_session_name = a b",
        "sso_session = corp\nsso_region = eu-west-9\nsso_account_id = 111122223333\nsso_role_name = ReadOnly",
    ] {
        let home = signed_in(&portal).with("EDITOR", "true");
        home.write(".aws/config", &format!("{}\n[profile bad]\n{keys}\n", home.read(".aws/config")));
        let hint = follow(&home, "env bad");
        assert!(hint.starts_with("${EDITOR:-vi} ") && hint.ends_with("/.aws/config"), "{hint}");
    }
}

#[cfg(unix)]
#[test]
fn a_config_file_that_is_a_pipe_is_no_broken_link() {
    let home = Home::new();
    let refused = home.daypass(CONFIGURE).with("AWS_CONFIG_FILE", "/dev/stdin").stdin("").status(1);
    refused.stderr_has("/dev/stdin is not a regular file\nhint: export AWS_CONFIG_FILE=").go();
}

#[cfg(unix)]
#[test]
fn a_config_file_that_is_a_link_to_a_missing_one() {
    let home = Home::new();
    home.write(".aws/other", "");
    std::os::unix::fs::symlink("dotfiles/config", home.path(".aws/config")).unwrap();
    assert!(follow(&home, CONFIGURE).starts_with("mkdir -p "));
    home.daypass(CONFIGURE).any_stderr().go();
    assert!(home.read(".aws/dotfiles/config").contains("[profile dev]"));
}

#[test]
fn a_missing_sign_in() {
    let portal = Portal::live(PortalConfig::default());
    for command in ["env dev", "exec dev -- true", "credential-process --profile dev", "list", "sync", "status"] {
        let home = configured(&portal).with("BROWSER", "true");
        assert_eq!(follow(&home, command), "daypass login corp", "{command}");
    }
}

#[test]
fn a_role_or_a_list_that_the_portal_refuses() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    assert_eq!(follow(&home, "env dev --role Nobody"), "daypass list corp");
    portal.expect(Call::ListAccounts).answered(Answer::body(403, r#"{"__type":"ForbiddenException","message":"no"}"#));
    home.daypass("list").stderr_has("\nhint: ask your administrator").status(4).go();
}

#[test]
fn a_command_that_is_not_found_or_not_executable() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write("plain", "text");
    for command in ["exec dev nosuchcmd", "exec dev ./nosuchcmd", "exec dev -- priintf a", "exec dev ./plain"] {
        follow(&home, command);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_keyring_that_is_named_wrongly() {
    needs("sh", "apt-get install dash");
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).keyring("nonsense");
    for command in ["status", "login corp", "env dev"] {
        assert_eq!(follow(&home, command), "export DAYPASS_KEYRING=auto", "{command}");
    }
}
