//! `exec`: the command behaves as if it were started without daypass.

use crate::support::portal::{Portal, PortalConfig};
use crate::{needs, pexpect, signed_in};

#[test]
fn the_dashes_are_optional_after_a_profile_or_session_account_and_role() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev printf %s,%s --region x").stdout("--region,x").go();
    home.daypass("exec --profile dev printf %s a").stdout("a").go();
    home.daypass("exec --session corp --account 111122223333 --role ReadOnly sh -c 'printf %s \"$DAYPASS_ACTIVE\"'")
        .stdout_has(" ReadOnly@111122223333")
        .go();
    home.daypass("exec -- printf %s a").with("AWS_PROFILE", "dev").stdout("a").go();
    // Without dashes the first word is the profile, even if AWS_PROFILE is set.
    home.daypass("exec printf '%s %s' a")
        .with("AWS_PROFILE", "dev")
        .stderr("daypass: there is no profile \"printf\" in [HOME]/.aws/config\nhint: daypass exec -- printf '%s %s' a\n")
        .status(2)
        .go();
    home.daypass("exec printf %s").stderr_has("hint: daypass list --profiles").status(2).go();
}

#[test]
fn without_a_command_a_shell_starts() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("SHELL", "/bin/sh");
    for arguments in ["exec dev", "exec dev --", "exec --profile dev"] {
        let run = home.daypass(arguments).stdin("echo ${DAYPASS_ACTIVE#* } $AWS_VAULT $AWS_REGION; exit 7\n");
        run.stdout("dev dev eu-west-1\n").stderr_has("Started a shell with credentials for dev (valid for ").status(7).go();
    }
    home.daypass("exec dev --server")
        .stdin("echo ${AWS_ACCESS_KEY_ID-none} ${AWS_CONTAINER_CREDENTIALS_FULL_URI%:*}\n")
        .stdout("none http://127.0.0.1\n")
        .stderr("Started a shell with credentials for dev, which renew. Type 'exit' to leave.\n")
        .go();
}

#[test]
fn verbose_tells_where_the_credentials_came_from() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let cold = home.daypass("exec dev -v -- true").stderr_has("no valid role credentials are cached");
    cold.stderr_has("the token is valid: not refreshed").stderr_has("fetched from the portal").go();
    for arguments in ["exec dev -v -- true", "env dev -v", "credential-process --profile dev -v"] {
        let warm = home.daypass(arguments).any_output().go().stderr;
        assert!(warm.contains("role credentials are cached in: ") && warm.contains("are fresh: no request"), "{arguments}: {warm}");
    }
}

#[test]
fn the_status_shows_the_signal_that_killed_the_command() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.program("bash").args(["-c", "daypass exec dev -- sh -c 'kill -TERM $$'; echo $?"]).stdout("143\n").any_stderr().go();
}

#[test]
fn an_ignored_interrupt_stays_ignored_in_the_command() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let command = "exec daypass exec dev -- sh -c 'kill -INT $$; echo alive'";
    home.program("bash").args(["-c", &format!("trap '' INT; {command}")]).stdout("alive\n").go();
    home.program("bash").args(["-c", &format!("({command}); echo $?")]).stdout("130\n").any_stderr().go();
}

#[test]
fn the_command_replaces_the_process_and_a_closed_pipe_ends_it() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let ids = home.program("bash").args(["-c", "daypass exec dev -- sh -c 'echo $$' & wait; echo $!"]).stdout_has("\n").go().stdout;
    let ids: Vec<&str> = ids.lines().collect();
    assert_eq!(ids[0], ids[1]);
    home.program("bash").args(["-c", "daypass exec dev -- yes | head -n 1; echo ${PIPESTATUS[0]}"]).stdout("y\n141\n").go();
}

#[test]
fn the_command_inherits_no_file_descriptor_of_daypass() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let show = "cd /proc/$$/fd; echo *";
    let without = home.program("sh").args(["-c", show]).stdout_has("0 1").go().stdout;
    home.daypass("exec dev -- sh -c").arg(show).stdout(&without).go();
}

#[test]
fn the_command_has_the_terminal_and_job_control() {
    needs("bash", "apt-get install bash");
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("TERM", "dumb").with("PS1", "READY> ");
    let said = pexpect(
        &home,
        r#"
bash = pexpect.spawn('bash', ['--norc', '--noprofile', '-i'], encoding='utf-8', timeout=30, dimensions=(33, 77))
bash.expect_exact('READY> ')
bash.sendline("daypass exec dev -- sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size && echo wait\"\"ing && exec cat'")
bash.expect_exact('33 77')
bash.expect_exact('waiting')
bash.sendcontrol('z')
bash.expect('Stopped.*daypass exec dev')
bash.expect_exact('READY> ')
bash.sendline('fg; echo status=$?')
bash.expect_exact('exec cat')
bash.sendline('typed')
bash.expect_exact('typed\r\ntyped')
bash.sendcontrol('c')
bash.expect_exact('READY> ')
bash.sendline('echo st""atus=$?')
bash.expect_exact('status=130')
bash.sendeof()
bash.expect(pexpect.EOF)
print('all of it')
"#,
    );
    assert_eq!(said, "all of it\n");
}

#[test]
fn a_command_not_found_is_127_and_not_executable_is_126_with_a_hint() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev 'no such'").stderr("daypass: no such: command not found\nhint: echo \"$PATH\"\n").status(127).go();
    home.daypass("exec dev ./missing").stderr_has("\nhint: ls -ld .\n").status(127).go();
    let similar = home.daypass("exec dev -- priintf %s a").stderr_has("did you mean \"printf\"?");
    similar.stderr_has("\nhint: daypass exec dev -- printf '%s' a\n").status(127).go();
    home.write("plain", "text");
    home.daypass("exec dev ./plain").stderr_has("./plain can't be executed").stderr_has("\nhint: ls -l ./plain\n").status(126).go();
    home.daypass("exec dev /").stderr_has("hint: ls -l /\n").status(126).go();
}
