//! The runner of programs in a temporary home.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;

/// The message of a run that fails.
fn failure(run: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(run)).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn a_run_fails_on_unexpected_output_status_or_file_content() {
    let home = Home::new();
    let sh = |script: &str| home.program("sh").args(["-c", script]);
    sh("true").go();
    assert!(failure(|| drop(sh("echo hello").go())).contains("standard output should be exactly"));
    assert!(failure(|| drop(sh("echo hello >&2").go())).contains("standard error should be exactly"));
    assert!(failure(|| drop(sh("exit 3").go())).contains("the status should be 0, and is exit status: 3"));
    assert!(
        failure(|| drop(sh("echo one").stdout_has("one").stdout_has("two").go())).contains("standard output should contain: two")
    );
    assert!(failure(|| drop(sh("echo b >f").leaves("f", "a\n").go())).contains("f should be exactly"));
    sh("cat; echo $HOME; echo no >&2; echo b >f; exit 3")
        .stdin("typed\n")
        .stdout("typed\n[HOME]\n")
        .stderr("no\n")
        .leaves("f", "b\n")
        .status(3)
        .go();
}

#[test]
fn a_run_sees_only_the_variables_of_its_home() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal).with("MINE", "1");
    let shown = home.program("env").any_output().go().stdout;
    let mut names: Vec<&str> = shown.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| *name != "LLVM_PROFILE_FILE");
    names.sort_unstable();
    let services = ["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_STS"];
    assert_eq!(
        names,
        [&services[..], &["DAYPASS_KEYRING", "HOME", "MINE", "PATH", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]]
            .concat()
    );
}

#[test]
fn a_run_that_hangs_is_killed_with_its_children() {
    let home = Home::new();
    let message = failure(|| {
        home.program("sh").args(["-c", "sleep 1000 & exec sleep 1000"]).limit(Duration::from_millis(200)).go();
    });
    assert!(message.contains("it hung"), "{message}");
}

#[test]
fn a_test_can_wait_for_output_of_a_running_program_and_kill_it() {
    let home = Home::new();
    let start = || home.program("sh").args(["-c", "echo one >&2; read line; echo two >&2"]).stdin_open().spawn();
    let running = start();
    assert!(running.wait_for_stderr("one").contains("one"));
    running.kill();
    assert!(failure(|| drop(home.program("true").spawn().wait_for_stderr("one"))).contains("it ended without printing"));
}

#[test]
fn files_with_finds_a_secret_anywhere_in_the_home() {
    let home = Home::new();
    home.write("data/deep/down", "xx secret-1 yy");
    assert_eq!(home.files_with("secret-"), [home.path("data/deep/down")]);
    assert_eq!(home.files_with("secret-2"), Vec::<std::path::PathBuf>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn programs_get_default_signal_actions_even_under_nohup() {
    let home = Home::new();
    if std::env::var_os("TEST_UNDER_NOHUP").is_some() {
        home.program("sh").args(["-c", "kill -HUP $$; echo still running"]).fails().go();
        return;
    }
    // This test again, in a process that ignores SIGHUP.
    let test = "run::programs_get_default_signal_actions_even_under_nohup";
    let inner = home.program("nohup").arg(std::env::current_exe().unwrap()).args(["--exact", test]);
    inner.with("TEST_UNDER_NOHUP", "1").stdout_has("1 passed").go();
}
