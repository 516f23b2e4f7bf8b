//! Many processes at once, on one session: one of them does the work and the others take its result, whatever happens to that one.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use daypass::sys::env::Env;
use daypass::sys::lock::Folders;
use daypass::vault::keyutils::Keyutils;
use daypass::vault::{Backend, Vault};
use time::OffsetDateTime;

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::{Home, Running};
use crate::{configured, signed_in};

const ASK: &str = "credential-process --profile dev";
const HOUR: Duration = Duration::from_hours(1);

/// A home that is signed in, with its secrets in this back-end. The kernel's keyring is shared by all homes, so each start URL is
/// another.
struct Place {
    portal: Portal,
    home: Home,
    keyring: &'static str,
}

impl Place {
    /// One for each back-end that this machine has. `token_ttl` is that of the sign-in; what is refreshed lives an hour.
    fn each(config: &PortalConfig, token_ttl: Duration) -> Vec<Self> {
        let mut keyrings = vec!["file"];
        match Keyutils.probe() {
            Ok(()) => keyrings.push("keyutils"),
            Err(fault) => eprintln!("not tried on keyutils: {fault:?}"),
        }
        let place = |keyring| {
            let start_url = format!("https://{}.awsapps.com/start", fastrand::u64(..));
            let portal = Portal::live(PortalConfig { start_url, token_ttl, ..config.clone() });
            let home = Home::new().at(&portal).keyring(keyring);
            home.write(
                ".aws/config",
                &format!("[sso-session corp]\nsso_start_url = {}\nsso_region = us-east-1\n", portal.start_url()),
            );
            home.daypass("login corp --no-browser").any_stderr().go();
            portal.change(|config| config.token_ttl = HOUR);
            Self { portal, home, keyring }
        };
        keyrings.into_iter().map(place).collect()
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

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.home.daypass("logout corp").any_stderr().go();
        }
    }
}

fn answers(running: Vec<Running<'_>>) -> Vec<String> {
    running.into_iter().map(|run| run.wait().stdout).collect()
}

/// Which of these processes holds the lock whose file's name begins so. The folder may contain locks of other tests.
fn holder(home: &Home, running: &[Running<'_>], lock: &str) -> usize {
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

/// Waits until a signal that was sent has been handled, or has ended the process: two of a kind in one moment would be one.
#[cfg(target_os = "linux")]
fn taken(process: u32) {
    let pending = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        // What ended a process stays pending until that is waited for.
        !line("State:").starts_with('Z') && line("ShdPnd:").bytes().any(|digit| digit != b'0')
    };
    while pending() {
        std::thread::yield_now();
    }
}

/// Makes the role credentials that are kept so old that new ones are wanted.
fn age(home: &Home) {
    let vars = [("DAYPASS_KEYRING", "file".into()), ("XDG_DATA_HOME", home.path("data").to_string_lossy().into_owned())];
    let vault = Vault::open(&vars.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Env>()).unwrap();
    let now = OffsetDateTime::now_utc();
    let roles = vault.roles(now).unwrap();
    assert!(!roles.is_empty());
    for (key, _) in roles {
        let (account, role) = key.role().unwrap();
        let session = daypass::profile::names::Session {
            name: key.session.clone(),
            start_url: key.start_url.clone(),
            region: key.region.clone(),
            scopes: Vec::new(),
        };
        let mut credentials = vault.role(&session, account, role).unwrap().unwrap();
        credentials.received_at = now - 2 * HOUR;
        credentials.expires_at = now + Duration::from_mins(10);
        vault.store_role(&session, account, role, &credentials).unwrap();
    }
}

#[test]
fn forty_concurrent_calls_make_one_exchange_and_get_equal_answers() {
    for place in Place::each(&PortalConfig::default(), HOUR) {
        let answers = answers((0..40).map(|_| place.ask("ReadOnly")).collect());
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", place.keyring);
        assert_eq!(place.portal.count(Call::GetRoleCredentials), 1, "{}", place.keyring);
    }
}

#[test]
fn forty_concurrent_calls_with_an_expired_token_make_one_refresh_and_none_fails() {
    for place in Place::each(&PortalConfig::default(), Duration::ZERO) {
        answers((0..40).map(|n| place.ask(["DeveloperAccess", "ReadOnly"][n % 2])).collect());
        assert_eq!(place.portal.count(Call::RefreshToken), 1, "{}", place.keyring);
        assert_eq!(place.portal.count(Call::GetRoleCredentials), 2, "{}", place.keyring);
    }
}

#[test]
fn forty_concurrent_calls_with_a_revoked_token_make_one_refresh_and_none_fails() {
    for place in Place::each(&PortalConfig::of(1, 8), HOUR) {
        place.portal.revoke_access_tokens();
        answers((0..40).map(|n| place.ask(&format!("Role{:03}", n % 8 + 1))).collect());
        assert_eq!(place.portal.count(Call::RefreshToken), 1, "{}", place.keyring);
    }
}

#[test]
fn forty_concurrent_calls_for_eight_roles_make_eight_exchanges() {
    for place in Place::each(&PortalConfig::of(1, 8), Duration::ZERO) {
        answers((0..40).map(|n| place.ask(&format!("Role{:03}", n % 8 + 1))).collect());
        assert_eq!(place.portal.count(Call::GetRoleCredentials), 8, "{}", place.keyring);
        assert_eq!(place.portal.count(Call::RefreshToken), 1, "{}", place.keyring);
    }
}

#[test]
fn if_the_exchanging_process_is_killed_another_takes_over() {
    for place in Place::each(&PortalConfig::default(), HOUR) {
        let latch = Latch::closed();
        place.portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
        let mut running: Vec<_> = (0..12).map(|_| place.ask("ReadOnly")).collect();
        latch.wait_for_requests(1);
        let victim = holder(&place.home, &running, "role-");
        running.remove(victim).kill();
        let answers = answers(running);
        latch.open();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}", place.keyring);
        assert_eq!(place.portal.count(Call::GetRoleCredentials), 2, "{}", place.keyring);
    }
}

#[test]
fn if_the_refreshing_process_is_killed_another_takes_over() {
    for place in Place::each(&PortalConfig::of(1, 8), Duration::ZERO) {
        let latch = Latch::closed();
        // The request of the victim is on its way and has not been served: the refresh token is not spent yet.
        place.portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
        let mut running: Vec<_> = (0..16).map(|n| place.ask(&format!("Role{:03}", n % 8 + 1))).collect();
        latch.wait_for_requests(1);
        let victim = holder(&place.home, &running, "token-");
        running.remove(victim).kill();
        answers(running);
        latch.open();
        assert_eq!(place.portal.count(Call::RefreshToken), 2, "{}", place.keyring);
        assert_eq!(place.portal.count(Call::GetRoleCredentials), 8, "{}", place.keyring);
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
    second.wait_for_stderr(&format!("waiting for another daypass holder=\"{}\"", first.id()));
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
    // One stands still with no credentials there, one with some that age.
    let cold = "credential-process --session corp --account 444455556666 --role ReadOnly";
    let first = home.daypass(cold).any_output().spawn();
    latch.wait_for_requests(1);
    age(&home);
    let second = home.daypass(ASK).any_output().spawn();
    latch.wait_for_requests(2);
    for run in [&first, &second] {
        send("STOP", run.id());
    }
    let with_some = home.daypass(ASK).stdout_has("111122223333").spawn();
    home.daypass(cold)
        .stderr(&format!(
            "daypass: timed out waiting for another daypass (process {}) to finish with corp\n\
             hint: try again; if it hangs, end that process\n",
            first.id()
        ))
        .status(1)
        .go();
    with_some.wait();
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
    let patient = home.daypass(ASK).stdout_has("111122223333").spawn();
    patient.wait();
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
    age(&home);
    portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::hang());
    let first = home.daypass(ASK).stdout_has("111122223333").go().stdout;
    let asked = portal.count(Call::GetRoleCredentials);
    home.daypass(ASK).stdout(&first).go();
    assert_eq!(portal.count(Call::GetRoleCredentials), asked);
}

#[test]
fn a_revoked_role_ends_with_4_even_if_credentials_are_unexpired() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    age(&home);
    portal.change(|config| config.accounts[0].roles.clear());
    home.daypass(ASK).any_stderr().status(4).go();
}

#[test]
fn a_signal_during_a_refresh_ends_the_program_and_keeps_the_sign_in() {
    // Ctrl-C is a status of our own; of the others it dies, as whoever sent them expects.
    for (signal, status, number) in [("INT", Some(130), None), ("TERM", None, Some(15)), ("HUP", None, Some(1))] {
        let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
        let home = signed_in(&portal);
        portal.change(|config| config.token_ttl = HOUR);
        let latch = Latch::closed();
        portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
        let interrupted = home.daypass(ASK).fails().spawn();
        latch.wait_for_requests(1);
        send(signal, interrupted.id());
        taken(interrupted.id());
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
    taken(interrupted.id());
    send("INT", interrupted.id());
    interrupted.wait();
    // The request had not been served: nothing was lost.
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
