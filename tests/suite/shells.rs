//! `env` and `shell-init`: real shells run the scripts that are written for them.

use serde_json::{Value, json};

use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{needs, pexpect, signed_in};

/// A value with every character that a shell may interpret.
const AWKWARD: &str = "a'b''c\"d$HOME`id`$(id)\\n\\\\%PATH%!!*~;&|#<x>{y}\"\"end'";

/// A portal whose role credentials have this session token.
fn portal_with_token(token: &str) -> Portal {
    let portal = Portal::live(PortalConfig::default());
    let body = json!({"roleCredentials": {
        "accessKeyId": "ASIAEXAMPLE", "secretAccessKey": "s/e+c=", "sessionToken": token, "expiration": 4_102_444_800_000_u64,
    }});
    portal.expect(Call::GetRoleCredentials).answered(Answer::body(200, &body.to_string()));
    portal
}

/// Prints the environment variables as JSON.
const SHOW: &str = "/usr/bin/python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'";

#[track_caller]
fn assert_set(vars: &Value, token: &str) {
    assert_eq!(vars["AWS_ACCESS_KEY_ID"], "ASIAEXAMPLE");
    assert_eq!(vars["AWS_SECRET_ACCESS_KEY"], "s/e+c=");
    assert_eq!(vars["AWS_SESSION_TOKEN"], token);
    assert_eq!(vars["AWS_CREDENTIAL_EXPIRATION"], "2100-01-01T00:00:00Z");
    assert_eq!((&vars["AWS_REGION"], &vars["AWS_DEFAULT_REGION"]), (&json!("eu-west-1"), &json!("eu-west-1")));
    assert_eq!((&vars["DAYPASS_ACTIVE"], &vars["AWS_VAULT"]), (&json!("ASIAEXAMPLE dev"), &json!("dev")));
    for cleared in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"] {
        assert_eq!(vars.get(cleared), None, "{cleared}");
    }
}

#[track_caller]
fn assert_cleared(vars: &Value) {
    let left: Vec<&String> = vars.as_object().unwrap().keys().filter(|name| name.starts_with("AWS_")).collect();
    let kept = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];
    assert!(left.iter().all(|name| name.starts_with("AWS_ENDPOINT_URL_") || kept.contains(&name.as_str())), "{left:?}");
    assert_eq!(vars.get("DAYPASS_ACTIVE"), None);
}

/// Sets variables that contradict the credentials.
fn with_conflicting_variables(home: Home) -> Home {
    home.with("AWS_PROFILE", "dev").with("AWS_DEFAULT_PROFILE", "x").with("AWS_SECURITY_TOKEN", "old")
}

#[test]
fn posix_shells_and_fish_set_awkward_values_exactly_and_clear_them() {
    let portal = portal_with_token(AWKWARD);
    let home = with_conflicting_variables(signed_in(&portal));
    for (shell, package, set, unset) in [
        ("dash", "dash", "eval \"$(daypass env dev --shell sh)\"", "eval \"$(daypass env --unset --shell sh)\""),
        ("bash", "bash", "eval \"$(daypass env dev --shell bash)\"", "eval \"$(daypass env --unset --shell bash)\""),
        ("zsh", "zsh", "eval \"$(daypass env dev --shell zsh)\"", "eval \"$(daypass env --unset --shell zsh)\""),
        ("zsh", "zsh", "setopt rcquotes; eval \"$(daypass env dev --shell zsh)\"", "eval \"$(daypass env --unset --shell zsh)\""),
        ("fish", "fish", "daypass env dev --shell fish | source", "daypass env --unset --shell fish | source"),
    ] {
        needs(shell, &format!("apt-get install {package}"));
        let done = home.program(shell).args(["-c", &format!("{set}; {SHOW}; {unset}; {SHOW}")]).stdout_has("{").go();
        let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_set(&lines[0], AWKWARD);
        assert_cleared(&lines[1]);
    }
}

#[test]
fn tcsh_elvish_and_xonsh_set_awkward_values_exactly_and_clear_them() {
    let portal = portal_with_token(AWKWARD);
    let home = with_conflicting_variables(signed_in(&portal));
    let show = "/usr/bin/python3 show.py";
    home.write("show.py", "import json, os; print(json.dumps(dict(os.environ)))");
    for (shell, set, unset) in [
        (&["tcsh", "-f", "-c"][..], "eval \"`daypass env dev`\"", "eval \"`daypass env --unset`\""),
        (&["elvish", "-norc", "-c"], "eval (daypass env dev | slurp)", "eval (daypass env --unset | slurp)"),
        (&["xonsh", "--no-rc", "-c"], "execx($(daypass env dev))", "execx($(daypass env --unset))"),
    ] {
        needs(shell[0], &format!("apt-get install {}", shell[0]));
        // The format is that of the shell that runs daypass.
        let script = format!("{set}\n{show}\n{unset}\n{show}");
        let script = if shell[0] == "tcsh" { script.replace('\n', "; ") } else { script };
        let done = home.program(shell[0]).args(&shell[1..]).arg(script).with("SHELL", "/bin/bash").stdout_has("{").go();
        let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_set(&lines[0], AWKWARD);
        assert_cleared(&lines[1]);
    }
}

#[test]
fn env_works_under_set_eu() {
    let portal = portal_with_token("t");
    let home = signed_in(&portal);
    for shell in ["dash", "bash", "zsh"] {
        needs(shell, &format!("apt-get install {shell}"));
        let script = format!("set -eu; eval \"$(daypass env dev --shell sh)\"; {SHOW}; eval \"$(daypass env --unset --shell sh)\"");
        let done = home.program(shell).args(["-c", &script]).stdout_has("{").go();
        assert_set(&done.json(), "t");
    }
}

#[test]
fn nushell_loads_the_record_and_unsets_its_nulls() {
    needs("nu", "npm install -g nushell");
    let portal = portal_with_token(AWKWARD);
    let home = with_conflicting_variables(signed_in(&portal));
    let show = "^/usr/bin/python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'";
    let script = format!(
        "daypass env dev --shell nushell | from json | load-env; {show} | print; daypass env --unset --shell nushell | from json | load-env; {show} | print"
    );
    let done = home.program("nu").args(["--no-config-file", "-c", &script]).stdout_has("{").go();
    let lines: Vec<Value> =
        done.stdout.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_set(&lines[0], AWKWARD);
    assert_cleared(&lines[1]);
}

#[test]
fn json_contains_every_value_and_null_for_what_must_be_unset() {
    let portal = portal_with_token(AWKWARD);
    let home = signed_in(&portal);
    let vars = home.daypass("env dev --shell json").stdout_has("{").go().json();
    assert_eq!(vars["AWS_SESSION_TOKEN"], AWKWARD);
    assert_eq!(vars["AWS_PROFILE"], Value::Null);
    assert_eq!(vars.as_object().unwrap().len(), 14);
    let vars = home.daypass("env --unset --shell json").stdout_has("{").go().json();
    assert!(vars.as_object().unwrap().values().all(Value::is_null));
}

#[test]
fn a_dotenv_file_is_read_alike_by_docker_and_by_shells() {
    let token = "IQoJb3JpZ2luX2VjE+/a=b==%";
    let portal = portal_with_token(token);
    let home = signed_in(&portal);
    let file = home.daypass("env dev --shell dotenv").stdout_has("AWS_SESSION_TOKEN=").go().stdout;
    // Docker takes everything after the first `=` literally.
    let literal: Vec<_> = file.lines().filter_map(|line| line.split_once('=')).collect();
    assert!(literal.contains(&("AWS_SESSION_TOKEN", token)), "{file}");
    // Other tools read it as shell syntax.
    home.write("vars", &file);
    home.program("dash").args(["-c", "set -a; . ./vars; printf %s \"$AWS_SESSION_TOKEN\""]).stdout(token).go();
}

#[test]
fn values_that_a_format_cannot_express_are_refused_and_nothing_is_printed() {
    let portal = portal_with_token("a\"$b#%c%");
    let home = signed_in(&portal);
    for shell in ["cmd", "dotenv"] {
        home.daypass(&format!("env dev --shell {shell}"))
            .stderr(&format!(
                "daypass: the value of AWS_SESSION_TOKEN can't be written as {shell}\nhint: daypass env dev --shell json\n"
            ))
            .status(2)
            .go();
    }
    home.daypass("env --unset --shell dotenv")
        .stderr("daypass: a dotenv file can't clear variables\nhint: daypass env --unset --shell sh\n")
        .status(2)
        .go();
}

/// What `dp dev` tells.
const CONFIRMED: &str = "dev: 111122223333, DeveloperAccess, eu-west-1, ";

/// A name of credentials that another tool has left, and what SDKs prefer to a profile.
fn with_names_of_other_tools(home: Home) -> Home {
    let home = home.with("AWS_SSO_PROFILE", "old").with("AWS_SESSION_EXPIRATION", "2026-01-01T00:00:00Z").with("AWS_VAULT", "old");
    home.with("AWS_ACCESS_KEY_ID", "AKIAOLD").with("AWS_SECRET_ACCESS_KEY", "old").with("AWS_ROLE_ARN", "old")
}

/// `dp dev` names the profile and clears what SDKs or prompts prefer to it.
#[track_caller]
fn assert_named(vars: &Value) {
    assert_eq!(vars["AWS_PROFILE"], "dev");
    let names = vars.as_object().unwrap().keys().filter(|name| name.starts_with("AWS_") && !name.starts_with("AWS_ENDPOINT_URL_"));
    assert_eq!(names.collect::<Vec<_>>(), ["AWS_PROFILE"]);
}

#[test]
fn dp_names_the_profile_or_sets_its_keys_and_clears_both() {
    let portal = portal_with_token(AWKWARD);
    let home = with_names_of_other_tools(with_conflicting_variables(signed_in(&portal)));
    home.write("show.py", "import json, os; print(json.dumps(dict(os.environ)))");
    let show = "/usr/bin/python3 show.py";
    for (shell, init) in [
        (&["bash", "-c"][..], "eval \"$(daypass shell-init bash)\""),
        (&["zsh", "-fc"], "eval \"$(daypass shell-init zsh)\""),
        (&["zsh", "-fc"], "autoload -Uz compinit; compinit -D; eval \"$(daypass shell-init zsh)\""),
        (&["fish", "-c"], "daypass shell-init fish | source"),
        (&["tcsh", "-f"], "eval \"`daypass shell-init tcsh`\""),
        (&["xonsh", "--no-rc"], "execx($(daypass shell-init xonsh))"),
    ] {
        needs(shell[0], &format!("apt-get install {}", shell[0]));
        let lines = format!("{init}\ndp dev\n{show}\ndp -\n{show}\ndp -k dev\n{show}\ndp -\n{show}\n");
        home.write("script", &lines);
        let script = if shell.last() == Some(&"--no-rc") || shell[0] == "tcsh" { "script" } else { ". ./script" };
        let done = home.program(shell[0]).args(&shell[1..]).arg(script).stdout_has("{").any_stderr().go();
        let seen: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_named(&seen[0]);
        assert_set(&seen[2], AWKWARD);
        for cleared in [&seen[1], &seen[3]] {
            assert_cleared(cleared);
            assert_eq!((cleared.get("AWS_PROFILE"), cleared.get("AWS_VAULT")), (None, None), "{shell:?}");
        }
        let told: Vec<&str> = done.stderr.lines().collect();
        assert!(told[0].starts_with(CONFIRMED) && told[0].ends_with(", then renewed"), "{shell:?}: {told:?}");
        assert_eq!((told[1], told[3]), ("Cleared dev.", "Cleared dev."), "{told:?}");
        assert!(told[2].starts_with(CONFIRMED) && told[2].ends_with(" left"), "{told:?}");
    }
}

#[test]
fn dp_without_a_terminal_or_with_a_wrong_name_changes_nothing() {
    let portal = portal_with_token("t");
    let home = signed_in(&portal);
    for (shell, init) in [
        ("bash", "eval \"$(daypass shell-init bash)\""),
        ("zsh", "eval \"$(daypass shell-init zsh)\""),
        ("fish", "daypass shell-init fish | source"),
    ] {
        let ends = if shell == "fish" { "$status" } else { "$?" };
        for done in ["dp dev -q", "dp - -q"] {
            home.program(shell).args(["-c", &format!("{init}; {done}; echo status {ends}")]).stdout("status 0\n").go();
        }
        // Without a terminal the picker cannot open.
        let script = format!("{init}; dp; echo status {ends}");
        home.program(shell)
            .args(["-c", &script])
            .stdout("status 2\n")
            .stderr("daypass: the picker requires a terminal\nhint: daypass list --profiles\n")
            .go();
        // Help is printed and not evaluated. A failure changes nothing.
        let script = format!("{init}; dp dev --help");
        home.program(shell).args(["-c", &script]).stdout_has("Usage: daypass env").go();
        let script = format!("{init}; dp nowhere; echo status {ends}");
        home.program(shell).args(["-c", &script]).stdout("status 2\n").stderr_has("no profile \"nowhere\"").go();
    }
    let script = "eval \"`daypass shell-init tcsh`\"\ndp --help\n";
    home.write("script", script);
    home.program("tcsh").args(["-f", "script"]).stderr_has("Usage: daypass env").go();
}

#[test]
fn dp_works_in_elvish() {
    needs("elvish", "apt-get install elvish");
    let portal = portal_with_token(AWKWARD);
    let home = with_conflicting_variables(signed_in(&portal)).with("TERM", "xterm");
    home.write("rc.elv", "eval (daypass shell-init elvish | slurp)\n");
    pexpect(
        &home,
        r#"
shell = pexpect.spawn('elvish', ['-rc', 'rc.elv'], encoding='utf-8', timeout=30, dimensions=(40, 200))
shell.expect_exact('> ')
shell.send("dp dev; echo 'is' (get-env AWS_PROFILE)'.'; dp -; echo (has-env AWS_PROFILE) end\r")
shell.expect_exact('then renewed')
shell.expect('is dev[.]')
shell.expect('[$]false end')
shell.send("dp nowhere; echo 'st'ill\r")
shell.expect_exact('no profile "nowhere"')
shell.expect_exact('still')
assert 'Exception' not in shell.before, shell.before
shell.close(force=True)
"#,
    );
}

#[test]
fn dp_works_in_nushell() {
    needs("nu", "npm install -g nushell");
    let portal = portal_with_token(AWKWARD);
    let home = with_conflicting_variables(signed_in(&portal));
    home.write("daypass.nu", &home.daypass("shell-init nushell").stdout_has("def").go().stdout);
    let show = "^/usr/bin/python3 -c 'import json, os; print(json.dumps(dict(os.environ)))' | print";
    let script = format!("source daypass.nu; dp -k dev --region us-east-2; {show}; dp -; {show}; dp dev; {show}");
    let done = home.program("nu").args(["--no-config-file", "-c", &script]).stdout_has("{").any_stderr().go();
    let lines: Vec<Value> =
        done.stdout.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["AWS_SESSION_TOKEN"], &lines[0]["AWS_REGION"]), (&json!(AWKWARD), &json!("us-east-2")));
    assert_cleared(&lines[1]);
    assert_named(&lines[2]);
    home.program("nu")
        .args(["--no-config-file", "-c", "source daypass.nu; dp nowhere; print unreached"])
        .stderr_has("no profile \"nowhere\"")
        .status(2)
        .go();
}

#[test]
fn the_region_of_a_previous_profile_is_cleared_and_the_users_own_stays() {
    let portal = portal_with_token("t");
    let home = signed_in(&portal);
    home.daypass("configure --session corp --account 111122223333 --role ReadOnly --profile nowhere").any_stderr().go();
    let show = "echo ${AWS_REGION-none} ${AWS_DEFAULT_REGION-none}";
    let (set, unset) = ("eval \"$(daypass env", "eval \"$(daypass env --unset)\"");
    for (script, shown) in [
        (format!("{set} dev)\"; {set} nowhere)\"; {show}; {unset}; {show}"), "none none\nnone none\n"),
        (format!("{set} dev)\"; daypass exec nowhere -- sh -c '{show}'; {show}"), "none none\neu-west-1 eu-west-1\n"),
        (
            format!("export AWS_REGION=us-west-2; {set} nowhere)\"; {show}; {unset}; {show}"),
            "us-west-2 us-west-2\nus-west-2 none\n",
        ),
        (format!("{set} dev)\"; export AWS_REGION=us-west-2; {set} nowhere)\"; {show}"), "us-west-2 us-west-2\n"),
    ] {
        home.program("sh").args(["-c", &script]).stdout(shown).go();
    }
    // fish clears the region of a previous profile too.
    let script = "daypass env dev --shell fish | source; daypass env nowhere --shell fish | source; echo \"<$AWS_REGION>\"";
    home.program("fish").args(["-c", script]).stdout("<>\n").go();
}

#[test]
fn the_dp_function_replaces_an_alias_called_dp() {
    let portal = portal_with_token("t");
    let home = signed_in(&portal);
    for (shell, before) in [
        (["bash", "-ic"].as_slice(), ""),
        (&["bash", "-c"], "shopt -s expand_aliases; "),
        (&["zsh", "-fc"], ""),
        (&["zsh", "-fic"], "autoload -Uz compinit; compinit -D; "),
    ] {
        needs(shell[0], &format!("apt-get install {}", shell[0]));
        let script =
            format!("{before}set -e\nalias dp='echo an alias of'\neval \"$(daypass shell-init {})\"\ndp -k dev\n{SHOW}", shell[0]);
        let done = home.program(shell[0]).args(&shell[1..]).arg(script).stdout_has("{").any_stderr().go();
        assert_set(&done.json(), "t");
    }
}

#[test]
fn the_fish_line_in_help_works_with_any_login_shell() {
    needs("fish", "apt-get install fish");
    let portal = portal_with_token("t");
    let home = signed_in(&portal);
    let help = home.daypass("env --help").stdout_has("| source").go().stdout;
    let line = help.lines().find(|line| line.contains("| source")).unwrap().trim();
    let readme = include_str!("../../README.md").replace("\\|", "|");
    assert!(readme.contains(&format!("`{line}`")), "README has another line than {line}");
    for login in ["/bin/bash", "/usr/bin/fish"] {
        let done = home.program("fish").args(["-c", &format!("{line}; {SHOW}")]).with("SHELL", login).stdout_has("{").go();
        assert_set(&done.json(), "t");
    }
}

#[test]
fn the_nushell_lines_in_help_work_in_a_fresh_home() {
    needs("nu", "npm install -g nushell");
    let home = Home::new();
    let help = home.daypass("shell-init --help").stdout_has("Nushell").go().stdout;
    let lines: Vec<&str> = help.lines().map(str::trim).filter(|line| line.contains("$nu.")).collect();
    assert!(lines.iter().any(|line| line.starts_with("daypass shell-init nushell")), "{help}");
    for _ in 0..2 {
        home.program("nu").args(["-c", &lines.join("\n")]).go();
    }
    home.program("nu")
        .args(["-c", "source $\"($nu.user-autoload-dirs.0)/daypass.nu\"; dp --help"])
        .stdout_has("Usage: daypass env")
        .go();
}

#[test]
fn shell_init_accepts_another_function_name() {
    let home = Home::new();
    home.daypass("shell-init bash --name aws-in").stdout_has("\nfunction aws-in {\n").go();
    home.daypass("shell-init bash --name 'x; rm'").stderr_has("expected letters, digits, _ and -").status(2).go();
}
