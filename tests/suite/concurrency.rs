//! Many processes with one session at once: one does the work and the others use its result, even if that process is killed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use daypass::sys::env::Env;
use daypass::sys::lock::Folders;
use daypass::vault::Backend;
use daypass::vault::keyutils::Keyutils;

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::{Home, Running};
use crate::{OnKernelKeyring, configured, make_stale, number_of, signed_in};

const ASK: &str = "credential-process --profile dev";
const HOUR: Duration = Duration::from_hours(1);

/// A signed-in home with its secrets in this keyring. All homes share the kernel keyring, so each has a unique start URL.
struct SignedIn {
    portal: OnKernelKeyring,
    home: Home,
    keyring: &'static str,
}

impl SignedIn {
    /// One for each keyring that this machine has. `token_ttl` applies to the sign-in; refreshed tokens are valid for an hour.
    fn on_each_keyring(config: &PortalConfig, token_ttl: Duration) -> Vec<Self> {
        let mut keyrings = vec!["file"];
        match Keyutils.probe() {
            Ok(()) => keyrings.push("keyutils"),
            Err(error) => eprintln!("not tried on keyutils: {error:?}"),
        }
        let sign_in = |keyring| {
            let start_url = format!("https://{}.awsapps.com/start", fastrand::u64(..));
            let portal = OnKernelKeyring(Portal::live(PortalConfig { start_url, token_ttl, ..config.clone() }));
            let home = Home::new().at(&portal).keyring(keyring);
            home.write(
                ".aws/config",
                &format!("[sso-session corp]\nsso_start_url = {}\nsso_region = us-east-1\n", portal.start_url()),
            );
            home.daypass("login corp --no-browser").any_stderr().go();
            portal.change(|config| config.token_ttl = HOUR);
            Self { portal, home, keyring }
        };
        keyrings.into_iter().map(sign_in).collect()
    }

    fn ask(&self, role: &str) -> Running<'_> {
        let account = self.account();
        self.home
            .daypass(&format!("credential-process --session corp --account {account} --role {role}"))
            .stdout_has("AccessKeyId")
            .spawn()
    }

    fn account(&self) -> String {
        let mut account = String::new();
        self.portal.change(|config| account.clone_from(&config.accounts[0].id));
        account
    }
}

impl Drop for SignedIn {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.home.daypass("logout corp").any_stderr().go();
        }
    }
}

/// As many concurrent callers as it is good for every change, times `DAYPASS_TEST_REPEAT`.
fn callers() -> std::ops::Range<usize> {
    0..number_of(40)
}

fn answers(running: Vec<Running<'_>>) -> Vec<String> {
    running.into_iter().map(|run| run.wait().stdout).collect()
}

/// Which of these processes holds the lock whose file name starts with this. The folder may contain locks of other tests.
fn lock_holder(home: &Home, running: &[Running<'_>], lock: &str) -> usize {
    let vars = [("XDG_RUNTIME_DIR", home.path("run")), ("HOME", home.path(""))];
    let env: Env = vars.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let files = fs::read_dir(Folders::new(&env).usable().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(lock));
    let holders = files.filter_map(|path| fs::read_to_string(path).ok()?.lines().next()?.parse::<u32>().ok());
    let found: Vec<usize> = holders.filter_map(|holder| running.iter().position(|run| run.id() == holder)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {process}")).status().unwrap();
    assert!(sent.success());
}

/// Waits until the process has received the signals that were sent to it. A second signal of one kind would be lost before that.
#[cfg(target_os = "linux")]
fn wait_for_delivery(process: u32) {
    let pending = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        // A signal that killed the process stays pending until the process is reaped.
        !line("State:").starts_with('Z') && line("ShdPnd:").bytes().any(|digit| digit != b'0')
    };
    while pending() {
        std::thread::yield_now();
    }
}

#[test]
fn concurrent_calls_make_one_exchange_and_get_equal_answers() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::default(), HOUR) {
        let answers = answers(callers().map(|_| fixture.ask("ReadOnly")).collect());
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", fixture.keyring);
        assert_eq!(fixture.portal.count(Call::GetRoleCredentials), 1, "{}", fixture.keyring);
    }
}

#[test]
fn concurrent_calls_with_an_expired_token_make_one_refresh_and_none_fails() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::default(), Duration::ZERO) {
        answers(callers().map(|n| fixture.ask(["DeveloperAccess", "ReadOnly"][n % 2])).collect());
        assert_eq!(fixture.portal.count(Call::RefreshToken), 1, "{}", fixture.keyring);
        assert_eq!(fixture.portal.count(Call::GetRoleCredentials), 2, "{}", fixture.keyring);
    }
}

#[test]
fn concurrent_calls_with_a_revoked_token_make_one_refresh_and_none_fails() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::of(1, 8), HOUR) {
        fixture.portal.revoke_access_tokens();
        answers(callers().map(|n| fixture.ask(&format!("Role{:03}", n % 8 + 1))).collect());
        assert_eq!(fixture.portal.count(Call::RefreshToken), 1, "{}", fixture.keyring);
    }
}

#[test]
fn concurrent_calls_for_eight_roles_make_eight_exchanges() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::of(1, 8), Duration::ZERO) {
        answers(callers().map(|n| fixture.ask(&format!("Role{:03}", n % 8 + 1))).collect());
        assert_eq!(fixture.portal.count(Call::GetRoleCredentials), 8, "{}", fixture.keyring);
        assert_eq!(fixture.portal.count(Call::RefreshToken), 1, "{}", fixture.keyring);
    }
}

#[test]
fn if_the_exchanging_process_is_killed_another_takes_over() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::default(), HOUR) {
        let latch = Latch::closed();
        fixture.portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
        let mut running: Vec<_> = (0..12).map(|_| fixture.ask("ReadOnly")).collect();
        latch.wait_for_requests(1);
        let victim = lock_holder(&fixture.home, &running, "role-");
        running.remove(victim).kill();
        let answers = answers(running);
        latch.open();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", fixture.keyring);
        assert_eq!(fixture.portal.count(Call::GetRoleCredentials), 2, "{}", fixture.keyring);
    }
}

#[test]
fn if_the_refreshing_process_is_killed_another_takes_over() {
    for fixture in SignedIn::on_each_keyring(&PortalConfig::of(1, 8), Duration::ZERO) {
        let latch = Latch::closed();
        // The victim's request has arrived and is not served yet, so the refresh token is still valid.
        fixture.portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
        let mut running: Vec<_> = (0..16).map(|n| fixture.ask(&format!("Role{:03}", n % 8 + 1))).collect();
        latch.wait_for_requests(1);
        let victim = lock_holder(&fixture.home, &running, "token-");
        running.remove(victim).kill();
        answers(running);
        latch.open();
        assert_eq!(fixture.portal.count(Call::RefreshToken), 2, "{}", fixture.keyring);
        assert_eq!(fixture.portal.count(Call::GetRoleCredentials), 8, "{}", fixture.keyring);
    }
}

#[test]
fn verbose_output_names_the_process_that_is_waited_for() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
    let first = home.daypass(ASK).stdout_has("{").spawn();
    latch.wait_for_requests(1);
    let second = home.daypass(&format!("{ASK} -v")).stdout_has("{").any_stderr().spawn();
    second.wait_for_stderr(&format!("waiting for another daypass (process {})", first.id()));
    latch.open();
    assert_eq!(second.wait().stdout, first.wait().stdout);
}

#[test]
fn a_stopped_process_is_waited_for_only_until_the_deadline() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::served().after(&latch));
    // One process stops without cached credentials, the other with stale ones.
    let cold = "credential-process --session corp --account 444455556666 --role ReadOnly";
    let first = home.daypass(cold).any_output().spawn();
    latch.wait_for_requests(1);
    make_stale(&home);
    let second = home.daypass(ASK).any_output().spawn();
    latch.wait_for_requests(2);
    for run in [&first, &second] {
        send("STOP", run.id());
    }
    let with_stale = home.daypass(ASK).stdout_has("111122223333").spawn();
    home.daypass(cold)
        .stderr(&format!(
            "daypass: timed out waiting for another daypass (process {0}) to finish with corp\n\
             hint: end process {0} if it hangs, then: daypass {cold}\n",
            first.id()
        ))
        .status(1)
        .go();
    with_stale.wait();
    first.kill();
    second.kill();
    home.daypass(cold).stdout_has("444455556666").go();
}

#[test]
fn a_hanging_portal_is_retried_within_one_deadline() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let other = signed_in(&portal);
    let dripping = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(Answer::hang());
    let retried = home.daypass(ASK).stdout_has("111122223333").spawn();
    retried.wait();
    portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::served().but_dripping());
    let hung = other.daypass(ASK).stderr_has(": no answer in time\nhint: ").status(6).spawn();
    let dripped = dripping.daypass(ASK).stderr_has(": no answer in time\nhint: ").status(6).spawn();
    hung.wait();
    dripped.wait();
}

#[test]
fn a_hanging_portal_is_not_asked_again_while_credentials_are_unexpired() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    make_stale(&home);
    portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::hang());
    let first = home.daypass(ASK).stdout_has("111122223333").go().stdout;
    let before = portal.count(Call::GetRoleCredentials);
    home.daypass(ASK).stdout(&first).go();
    assert_eq!(portal.count(Call::GetRoleCredentials), before);
}

#[test]
fn a_revoked_role_ends_with_4_even_if_credentials_are_unexpired() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    make_stale(&home);
    portal.change(|config| config.accounts[0].roles.clear());
    home.daypass(ASK).any_stderr().status(4).go();
}

#[test]
fn a_signal_during_a_refresh_ends_the_program_and_keeps_the_sign_in() {
    // SIGINT ends the program with status 130. The other signals kill it.
    for (signal, status, number) in [("INT", Some(130), None), ("TERM", None, Some(15)), ("HUP", None, Some(1))] {
        let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
        let home = signed_in(&portal);
        portal.change(|config| config.token_ttl = HOUR);
        let latch = Latch::closed();
        portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
        let interrupted = home.daypass(ASK).fails().spawn();
        latch.wait_for_requests(1);
        send(signal, interrupted.id());
        wait_for_delivery(interrupted.id());
        latch.open();
        let ended = interrupted.wait().status;
        assert_eq!((ended.code(), ended.signal()), (status, number), "{signal}");
        home.daypass(ASK).stdout_has("111122223333").go();
        assert_eq!(portal.count(Call::RefreshToken), 1, "{signal}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_during_a_refresh_ends_the_program_at_once() {
    let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
    let home = signed_in(&portal);
    portal.change(|config| config.token_ttl = HOUR);
    let latch = Latch::closed();
    portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
    let interrupted = home.daypass(ASK).status(130).spawn();
    latch.wait_for_requests(1);
    send("INT", interrupted.id());
    wait_for_delivery(interrupted.id());
    send("INT", interrupted.id());
    interrupted.wait();
    // The request was not served, so nothing was lost.
    home.daypass(ASK).stdout_has("111122223333").go();
}

#[test]
fn a_signal_during_the_last_poll_keeps_the_approval() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let latch = Latch::closed();
    portal.expect(Call::PollForToken).answered(Answer::served().after(&latch));
    let login = home.daypass("login corp --no-browser").any_stderr().status(130).spawn();
    latch.wait_for_requests(1);
    send("INT", login.id());
    latch.open();
    login.wait();
    home.daypass(ASK).stdout_has("111122223333").go();
}

#[test]
fn credentials_fetched_for_an_ended_sign_in_are_not_cached() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let latch = Latch::closed();
    let keys = r#"{"roleCredentials": {"accessKeyId": "ASIALATE", "secretAccessKey": "s", "sessionToken": "t", "expiration": 4102444800000}}"#;
    portal.expect(Call::GetRoleCredentials).answered(Answer::body(200, keys).after(&latch));
    let late = home.daypass(ASK).stdout_has("ASIALATE").spawn();
    latch.wait_for_requests(1);
    home.daypass("logout corp").any_stderr().go();
    latch.open();
    late.wait();
    home.daypass(ASK).stderr_has("not signed in").status(3).go();
}
