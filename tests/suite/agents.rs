//! Coding agents: the rule of a profile, `allow`, the record of what was handed out, and who is asked to sign in.

use serde_json::Value;

use crate::support::portal::{Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{CONFIGURE, pexpect, signed_in};

const ASK: &str = "credential-process --profile dev";
const AGENT: (&str, &str) = ("CLAUDECODE", "1");

/// Signed in, with this rule in the profile `dev`.
fn with_rule(portal: &Portal, rule: &str) -> Home {
    let home = signed_in(portal);
    home.daypass(&format!("{CONFIGURE} {rule}")).any_stderr().go();
    home
}

#[test]
fn a_denied_profile_is_refused_to_an_agent_and_given_to_a_person() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_rule(&portal, "--agents deny");
    assert!(home.read(".aws/config").contains("--role DeveloperAccess --agents deny\n"));
    home.daypass(ASK).stdout_has("ASIA").go();
    // The command line itself, as SDKs run it.
    let config = home.read(".aws/config");
    let line = config.lines().find_map(|line| line.strip_prefix("credential_process = ")).unwrap();
    home.program("sh").args(["-c", line]).stdout_has("ASIA").go();
    let denied = "is denied to coding agents, and this is run by one (claude-code)";
    home.program("sh").args(["-c", line]).with(AGENT.0, AGENT.1).stderr_has(denied).status(4).go();
    for command in [ASK, "env dev --shell sh", "exec dev -- true"] {
        home.daypass(command)
            .with(AGENT.0, AGENT.1)
            .stderr_has("dev is denied to coding agents")
            .stderr_has("\nhint: daypass allow dev --for 30m\n")
            .status(4)
            .go();
    }
    home.daypass(ASK).with(AGENT.0, AGENT.1).with("DAYPASS_AGENT", "0").stdout_has("ASIA").go();
    // The editor's own terminal is no agent.
    home.daypass(ASK).with("CURSOR_TRACE_ID", "x").stdout_has("ASIA").go();
    // A rule survives another run of configure, which names none.
    home.daypass(&CONFIGURE.replace("eu-west-1", "eu-north-1")).any_stderr().go();
    home.daypass(ASK).with(AGENT.0, AGENT.1).stderr_has(denied).status(4).go();
}

#[test]
fn the_read_only_profile_of_the_account_is_named() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_rule(&portal, "--agents deny");
    let other = CONFIGURE.replace("DeveloperAccess", "ReadOnly").replace("--profile dev", "--profile dev-ro");
    home.daypass(&other).any_stderr().go();
    home.daypass(ASK)
        .with(AGENT.0, AGENT.1)
        .stderr_has("profile \"dev-ro\" of the same account is read-only")
        .stderr_has("\nhint: export AWS_PROFILE=dev-ro\n")
        .status(4)
        .go();
}

#[test]
fn an_agent_gets_the_other_role_if_the_profile_names_one() {
    let portal = Portal::live(PortalConfig::default());
    for rule in ["--agent-role ReadOnly", "--native --agent-role ReadOnly"] {
        let home = with_rule(&portal, rule);
        home.daypass(ASK).with(AGENT.0, AGENT.1).stdout_has("ASIA").go();
        home.daypass("status --format json").stdout_has("\"role\": \"ReadOnly\"").go();
        home.daypass(ASK).stdout_has("ASIA").go();
        home.daypass("status --format json").stdout_has("\"role\": \"DeveloperAccess\"").go();
    }
}

#[test]
fn the_default_of_the_machine_applies_to_profiles_without_a_rule() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("DAYPASS_AGENTS", "deny").with(AGENT.0, AGENT.1);
    home.daypass(ASK).stderr_has("denied to coding agents").status(4).go();
    home.daypass(&format!("{CONFIGURE} --agents allow")).any_stderr().go();
    home.daypass(ASK).stdout_has("ASIA").go();
    home.daypass("credential-process --session corp --account 111122223333 --role ReadOnly")
        .stderr_has("hint: daypass allow --session corp --account 111122223333 --role ReadOnly --for 30m")
        .status(4)
        .go();
    let home = home.with("DAYPASS_AGENTS", "maybe");
    home.daypass(ASK).stderr_has("\"maybe\" is no rule for agents").status(2).go();
}

#[test]
fn only_a_person_at_a_terminal_allows_a_denied_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_rule(&portal, "--agents deny");
    home.daypass("allow dev")
        .stderr_has("only a person at a terminal can allow this\nhint: in a terminal: daypass allow dev\n")
        .status(4)
        .go();
    let allow = |time: &str, vars: &str| {
        let script = format!(
            "child = pexpect.spawn('daypass', ['allow', 'dev', '--for', '{time}'], env={{**os.environ{vars}}}, encoding='utf-8')\n\
             print(child.read())"
        );
        pexpect(&home, &script)
    };
    let home_vars = allow("30m", ", 'CLAUDECODE': '1'");
    assert!(home_vars.contains("only a person can allow this"), "{home_vars}");
    home.daypass(ASK).with(AGENT.0, AGENT.1).any_stderr().status(4).go();
    let said = allow("30m", "");
    assert!(said.contains("Coding agents may use DeveloperAccess in 111122223333 until "), "{said}");
    home.daypass(ASK).with(AGENT.0, AGENT.1).stdout_has("ASIA").go();
    let said = allow("0s", "");
    assert!(said.contains("Coding agents may no longer use DeveloperAccess"), "{said}");
    home.daypass(ASK).with(AGENT.0, AGENT.1).any_stderr().status(4).go();
}

#[test]
fn an_agent_is_told_that_a_person_has_to_sign_in_and_no_browser_opens() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::configured(&portal).with(AGENT.0, AGENT.1).with("DISPLAY", ":0").with("BROWSER", "touch opened #");
    home.daypass(&format!("{ASK} --login")).stderr_has("; a person has to sign in\nhint: daypass login corp\n").status(3).go();
    assert_eq!(portal.visits(), 0);
    // It prints the address and a code, which a person can approve.
    home.daypass("login corp").stderr_has("check that it shows this code").stderr_has("Signed in to corp").go();
    assert!(!home.path("opened").exists());
    assert_eq!(portal.count(Call::PollForToken), 1);
}

#[test]
fn what_was_handed_out_is_recorded() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("log").stderr_has("No credentials were handed out.").go();
    home.daypass(ASK).stdout_has("ASIA").go();
    home.daypass("exec dev -- true").with(AGENT.0, AGENT.1).go();
    home.daypass(ASK).with("DAYPASS_LOG_ISSUED", "0").stdout_has("ASIA").go();
    let all = home.daypass("log --since 1h --profile dev --format json").stdout_has("[").go().json();
    let [first, second] = all.as_array().unwrap().as_slice() else { panic!("{all}") };
    let key = &portal.issued()[0].access_key_id;
    for (issue, command, cached) in [(first, "credential-process", false), (second, "exec", true)] {
        assert_eq!(issue["access_key_id"], key.as_str());
        assert_eq!((&issue["role"], &issue["account"]), (&Value::from("DeveloperAccess"), &Value::from("111122223333")));
        assert_eq!((&issue["command"], &issue["cached"]), (&Value::from(command), &Value::from(cached)));
        assert!(issue["expires"].as_str().unwrap().ends_with('Z') && issue["time"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!((&first["agent"], &second["agent"]), (&Value::Null, &Value::from("claude-code")));
    #[cfg(target_os = "linux")]
    assert!(first["program"].is_string(), "{first}");
    home.daypass("log --agent").stdout_has("exec").stdout_has(key).stdout_has("keyring").stdout_has("claude-code").go();
    assert_eq!(home.daypass("log --agent --format csv").stdout_has("time,command,").go().stdout.lines().count(), 2);
    for secret in portal.secrets() {
        assert!(!home.read(".local/state/daypass/issued.jsonl").contains(&secret));
    }
}

#[test]
#[cfg(unix)]
fn a_record_that_cannot_be_written_fails_nothing() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write(".local/state/daypass/x", "");
    std::fs::remove_dir_all(home.path(".local/state/daypass")).unwrap();
    home.write(".local/state/daypass", "no folder");
    home.daypass(ASK).stdout_has("ASIA").go();
}

#[test]
fn the_document_of_sts_is_printed_for_tools_that_run_an_export_command() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let document = home.daypass("env dev --shell sts-json").stdout_has("{").go().json();
    let keys = &document["Credentials"];
    let issued = &portal.issued()[0];
    assert_eq!(keys["AccessKeyId"], issued.access_key_id.as_str());
    assert_eq!(keys["SecretAccessKey"], issued.secret_access_key.as_str());
    assert_eq!(keys["SessionToken"], issued.session_token.as_str());
    assert!(keys["Expiration"].as_str().unwrap().ends_with('Z'));
    assert_eq!(document.as_object().unwrap().len(), 1);
    home.daypass("env --unset --shell sts-json").stderr_has("can't clear variables").status(2).go();
}
