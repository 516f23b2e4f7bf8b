//! The environment of a role: what `env` and `exec` set, override and clear, for which shell.

use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, needs, signed_in};

/// Adds text to the config file.
fn add(home: &Home, text: &str) {
    home.write(".aws/config", &format!("{}\n{text}", home.read(".aws/config")));
}

/// The variables of a command that `exec` runs, one a line.
fn variables(home: &Home, arguments: &str) -> Vec<String> {
    let out = home.daypass(&format!("exec {arguments} -- env")).stdout_has("AWS_ACCESS_KEY_ID=").any_stderr().go().stdout;
    out.lines().map(str::to_owned).collect()
}

#[track_caller]
fn has(variables: &[String], line: &str) {
    assert!(variables.iter().any(|variable| variable == line), "{line} is missing in {variables:#?}");
}

#[track_caller]
fn lacks(variables: &[String], name: &str) {
    assert!(!variables.iter().any(|variable| variable.starts_with(&format!("{name}="))), "{name} is in {variables:#?}");
}

const SHOW: &str = "echo $AWS_ACCESS_KEY_ID:$AWS_REGION:${AWS_PROFILE-none}:$DAYPASS_ACTIVE";
const FISH: &str =
    "set -q AWS_PROFILE; and set p $AWS_PROFILE; or set p none; echo \"$AWS_ACCESS_KEY_ID:$AWS_REGION:$p:$DAYPASS_ACTIVE\"";

#[test]
fn eval_works_with_and_without_quotes() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("AWS_PROFILE", "dev");
    for (shell, eval) in [
        ("dash", "eval $(daypass env dev)"),
        ("bash", "eval $(daypass env dev)"),
        ("bash", "eval `daypass env dev`"),
        ("zsh", "eval $(daypass env dev)"),
        ("bash", "eval \"$(daypass env dev)\""),
        ("fish", "eval (daypass env dev)"),
        ("fish", "daypass env dev | source"),
    ] {
        needs(shell, &format!("apt-get install {shell}"));
        let show = if shell == "fish" { FISH } else { SHOW };
        let out = home.program(shell).args(["-c", &format!("{eval}; {show}")]).stdout_has("ASIA").go().stdout;
        assert!(out.contains(":eu-west-1:none:ASIA") && out.ends_with(" dev\n"), "{shell} {eval}: {out}");
        let unset = eval.replace("env dev", "env --unset");
        let out = home.program(shell).args(["-c", &format!("{eval}; {unset}; {show}")]).stdout_has(":").go().stdout;
        assert_eq!(out, "::none:\n", "{shell} {unset}");
    }
}

#[test]
fn the_format_is_that_of_the_calling_shell_whatever_the_login_shell_is() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (shell, login, line) in [
        ("bash", "/usr/bin/fish", "eval \"$(daypass env dev)\"; echo $AWS_REGION"),
        ("dash", "/usr/bin/fish", "eval \"$(daypass env dev)\"; echo $AWS_REGION"),
        ("zsh", "/usr/bin/nu", "eval \"$(daypass env dev)\"; echo $AWS_REGION"),
        ("bash", "/bin/tcsh", "eval \"$(daypass env dev)\"; echo $AWS_REGION"),
        ("fish", "/bin/bash", "daypass env dev | source; echo $AWS_REGION"),
    ] {
        needs(shell, &format!("apt-get install {shell}"));
        home.program(shell).args(["-c", line]).with("SHELL", login).stdout("eu-west-1\n").go();
    }
    // No shell runs it here.
    home.daypass("env dev").with("SHELL", "/usr/bin/fish").stdout_has("set -gx AWS_REGION 'eu-west-1';").go();
}

#[test]
fn the_account_id_is_that_of_the_credentials() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("AWS_ACCOUNT_ID", "999999999999");
    has(&variables(&home, "dev"), "AWS_ACCOUNT_ID=111122223333");
    home.daypass("env dev --shell sh").stdout_has("export AWS_ACCOUNT_ID='111122223333';").go();
}

#[test]
fn the_settings_of_the_profile_reach_the_command() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    // Once cached, the credentials need no portal: these settings would apply to it as well.
    variables(&home, "dev");
    let config = home.read(".aws/config").replace(
        "region = eu-west-1\n",
        "region = eu-west-1\nendpoint_url = http://localhost:4566\nservices = local\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n\
         ca_bundle = /etc/corp.pem\n\n[services local]\ndynamodb =\n  endpoint_url = http://localhost:8000\n",
    );
    home.write(".aws/config", &config);
    let found = variables(&home, "dev");
    for line in [
        "AWS_ENDPOINT_URL=http://localhost:4566",
        "AWS_ENDPOINT_URL_DYNAMODB=http://localhost:8000",
        "AWS_USE_FIPS_ENDPOINT=true",
        "AWS_USE_DUALSTACK_ENDPOINT=true",
        "AWS_CA_BUNDLE=/etc/corp.pem",
    ] {
        has(&found, line);
    }
    let own = home.program("sh").args(["-c", "AWS_ENDPOINT_URL_DYNAMODB=http://localhost:1 daypass exec dev -- env"]);
    let own = own.stdout_has("AWS_ENDPOINT_URL_DYNAMODB=http://localhost:1\n").go().stdout;
    assert!(own.contains("AWS_ENDPOINT_URL=http://localhost:4566\n"), "{own}");
}

#[test]
fn the_settings_of_default_do_not_reach_the_command_of_another_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).without("AWS_ENDPOINT_URL_STS").without("AWS_ENDPOINT_URL_IAM");
    let roles = ["dev", "--session corp --account 111122223333 --role ReadOnly"];
    for role in roles {
        variables(&home, role);
    }
    add(&home, "[default]\nendpoint_url = http://localhost:1\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n");
    for role in roles {
        let found = variables(&home, role);
        for line in ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_USE_FIPS_ENDPOINT=false", "AWS_USE_DUALSTACK_ENDPOINT=false"]
        {
            has(&found, line);
        }
    }
}

#[test]
fn the_settings_of_one_profile_are_cleared_for_the_next_one() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("configure --session corp --account 111122223333 --role ReadOnly --profile plain").any_stderr().go();
    home.write(
        ".aws/config",
        &home.read(".aws/config").replace("region = eu-west-1\n", "region = eu-west-1\nendpoint_url = http://localhost:1\n"),
    );
    let show = "echo ${AWS_ENDPOINT_URL-none} ${AWS_REGION-none} ${AWS_VAULT-unnamed} ${DAYPASS_SETTINGS+marked}";
    let set = "eval \"$(daypass env";
    for (script, shown) in [
        (
            format!("{set} dev)\"; {show}; {set} plain)\"; {show}"),
            "http://localhost:1 eu-west-1 dev marked\nnone none plain marked\n",
        ),
        (format!("{set} dev)\"; {set} --unset)\"; {show}"), "none none unnamed\n"),
        // What the user set before or after stays.
        (format!("export AWS_ENDPOINT_URL=mine; {set} dev)\"; {set} --unset)\"; {show}"), "mine none unnamed\n"),
        (format!("{set} dev)\"; export AWS_ENDPOINT_URL=mine; {set} --unset)\"; {show}"), "mine none unnamed\n"),
        (format!("{set} dev)\"; export AWS_ENDPOINT_URL=mine; {set} plain)\"; {show}"), "mine none plain marked\n"),
    ] {
        home.program("sh").args(["-c", &script]).stdout(shown).go();
    }
}

#[test]
fn unset_leaves_keys_and_a_region_of_the_user() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let mine = "export AWS_ACCESS_KEY_ID=AKIAMINE AWS_SECRET_ACCESS_KEY=s AWS_REGION=mars-1";
    let show = "echo ${AWS_ACCESS_KEY_ID-none} ${AWS_SECRET_ACCESS_KEY-none} ${AWS_REGION-none} ${AWS_DEFAULT_REGION-none}";
    let unset = "eval \"$(daypass env --unset)\"";
    for (script, shown) in [
        (format!("{mine}; {unset}; {show}"), "AKIAMINE s mars-1 none\n"),
        (format!("{mine}; eval \"$(daypass env dev)\"; {unset}; {show}"), "none none mars-1 none\n"),
        (format!("eval \"$(daypass env dev)\"; {mine}; {unset}; {show}"), "AKIAMINE s mars-1 none\n"),
    ] {
        home.program("sh").args(["-c", &script]).stdout(shown).go();
    }
}

#[test]
fn a_region_of_the_user_wins_over_the_profile_and_a_flag_over_both() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let show = "sh -c 'echo $AWS_REGION $AWS_DEFAULT_REGION'";
    for (before, arguments, shown) in [
        ("AWS_REGION=mars-1", "", "mars-1 mars-1\n"),
        ("AWS_DEFAULT_REGION=mars-1", "", "mars-1 mars-1\n"),
        ("AWS_REGION=mars-1 AWS_DEFAULT_REGION=moon-1", "", "mars-1 moon-1\n"),
        ("AWS_REGION=mars-1", "--region us-east-2", "us-east-2 us-east-2\n"),
        ("AWS_REGION=", "", "eu-west-1 eu-west-1\n"),
        // A region that daypass set for another profile does not.
        ("AWS_REGION=mars-1 AWS_DEFAULT_REGION=mars-1 DAYPASS_REGION=mars-1", "", "eu-west-1 eu-west-1\n"),
    ] {
        let script = format!("{before} daypass exec dev {arguments} -- {show}");
        home.program("sh").args(["-c", &script]).stdout(shown).go();
    }
    let link = home.daypass("console dev --destination s3 --print").with("AWS_REGION", "mars-1");
    link.stdout_has("region%3Dmars-1").go();
}

#[test]
fn the_prompt_names_the_profile_only_if_its_role_is_used() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (arguments, name) in [
        ("dev", "dev"),
        ("dev --account 111122223333 --role DeveloperAccess", "dev"),
        ("dev --region us-east-2", "dev"),
        ("dev --account 444455556666 --role ReadOnly", "ReadOnly@444455556666"),
        ("dev --role ReadOnly", "ReadOnly@111122223333"),
        ("--profile dev --session corp --account 444455556666 --role ReadOnly", "ReadOnly@444455556666"),
    ] {
        let found = variables(&home, arguments);
        let active = found.iter().find(|variable| variable.starts_with("DAYPASS_ACTIVE=")).unwrap();
        assert_eq!(active.split_once(' ').unwrap().1, name, "{arguments}");
    }
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_the_line_to_type_and_no_secret() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("SHELL", "/bin/bash");
    for (arguments, line) in [
        ("env dev", "hint: eval \"$(daypass env dev)\""),
        ("env dev --region us-east-2 --shell fish", "hint: daypass env dev --region us-east-2 --shell fish | source"),
        (
            "env --session corp --account 111122223333 --role ReadOnly",
            "hint: eval \"$(daypass env --session corp --account 111122223333 --role ReadOnly)\"",
        ),
        ("env dev --shell json", "hint: daypass env dev --shell json --show"),
        ("env --pick", "hint: eval \"$(daypass env --pick)\""),
    ] {
        let seen = home.daypass(arguments).on_terminal().exp_eof().unwrap();
        assert!(seen.contains(line) && !seen.contains("ASIA"), "{arguments}: {seen}");
    }
    let seen = home.daypass("env dev --show").on_terminal().exp_eof().unwrap();
    assert!(seen.contains("export AWS_ACCESS_KEY_ID='ASIA"), "{seen}");
    let seen = home.daypass("env --unset").on_terminal().exp_eof().unwrap();
    assert!(seen.contains("unset AWS_ACCESS_KEY_ID;"), "{seen}");
}

#[test]
fn a_general_endpoint_of_the_profile_is_not_used_by_the_sign_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    add(&home, "[services mixed]\nsso =\n  endpoint_url = http://localhost:1\ns3 =\n  endpoint_url = http://localhost:2\n");
    home.write(".aws/config", &home.read(".aws/config").replace("region = eu-west-1\n", "region = eu-west-1\nservices = mixed\n"));
    home.daypass("login corp --no-browser").any_stderr().go();
    let found = variables(&home, "dev");
    has(&found, "AWS_ENDPOINT_URL_S3=http://localhost:2");
    has(&found, &format!("AWS_ENDPOINT_URL_SSO={}", portal.url()));
    lacks(&found, "AWS_ENDPOINT_URL");
}

#[test]
fn dp_names_a_profile_only_if_every_tool_then_gets_its_role() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let native = "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n";
    add(&home, &format!("[profile native]\n{native}[profile mixed]\nregion = us-east-2\n"));
    let config = home.read(".aws/config");
    let helper = config.lines().find(|line| line.starts_with("credential_process")).unwrap();
    let chained = "role_arn = arn:aws:iam::222233334444:role/Deploy\nsource_profile = dev\n";
    home.write(".aws/config", &format!("{config}{helper}\n[profile chained]\n{chained}"));
    let set =
        |arguments: &str| home.daypass(&format!("env --dp --shell json {arguments}")).stdout_has("{").any_stderr().go().json();
    for named in ["dev", "mixed", "chained"] {
        assert_eq!((&set(named)["AWS_PROFILE"], &set(named)["AWS_ACCESS_KEY_ID"]), (&named.into(), &serde_json::Value::Null));
    }
    assert_eq!(set("dev").get("AWS_REGION"), None);
    assert_eq!(set("dev --region us-west-2")["AWS_REGION"], "us-west-2");
    // The SDKs' own single sign-on needs a sign-in of the AWS CLI, another role is not the profile's, and keys in a file are stronger.
    home.write(".aws/credentials", "[mixed]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = s\n");
    for keys in ["native", "mixed", "dev --role ReadOnly", "-k dev", "--session corp --account 111122223333 --role ReadOnly"] {
        let set = set(keys);
        assert!(set["AWS_ACCESS_KEY_ID"].as_str().unwrap().starts_with("ASIA") && set["AWS_PROFILE"].is_null(), "{keys}: {set}");
    }
}

#[cfg(unix)]
#[test]
fn in_tmux_dp_names_the_role_in_the_title_of_the_pane() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::terminal::signed_in(&portal).with("TMUX", "/tmp/tmux,1,0");
    for (columns, lines) in [(40, 15), (80, 24)] {
        let script = "eval \"$(daypass shell-init bash)\"; dp dev; dp -";
        let mut terminal = crate::terminal::Terminal::running(&home, &["bash", "-c", script], columns, lines);
        terminal.shows("dev: 111122223333, DeveloperAccess,").shows("\u{1b}]2;dev\u{1b}\\");
        terminal.shows("Cleared dev.").shows("\u{1b}]2;");
        terminal.ends(0);
    }
}
