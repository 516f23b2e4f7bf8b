//! The program with Linux keyrings, each on a private bus: GNOME Keyring (unlocked, locked, hanging, missing), KWallet and KeePassXC; and
//! with the kernel keyring.

#![cfg(target_os = "linux")]

#[path = "../support/bus.rs"]
mod bus;

use std::time::{Duration, Instant};

use self::bus::Bus;
use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::Home;

/// A configuration with a unique start URL: all homes of a user share the kernel keyring.
fn unique_start_url(test: &str) -> PortalConfig {
    PortalConfig { start_url: format!("https://{test}-{}.awsapps.com/start", std::process::id()), ..PortalConfig::default() }
}

fn home(portal: &Portal, bus: &Bus, keyring: &str) -> Home {
    let home = Home::new().at(portal).keyring(keyring).with("DBUS_SESSION_BUS_ADDRESS", bus.address());
    let start_url = portal.start_url();
    home.daypass(&format!(
        "configure --session corp --start-url {start_url} --sso-region us-east-1 --account 111122223333 --role DeveloperAccess --profile dev"
    ))
    .any_stderr()
    .go();
    home
}

#[test]
fn no_secret_is_written_to_a_file_and_logout_leaves_none_in_the_keyring() {
    let bus = Bus::unlocked();
    let portal = Portal::live(unique_start_url("workflow"));
    let home = home(&portal, &bus, "auto");
    home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
    let first = home.daypass("credential-process --profile dev").stdout_has("{").go().stdout;
    home.daypass("credential-process --profile dev").stdout(&first).go();
    home.daypass("exec dev -- true").go();
    home.daypass("status -v").stdout_has("corp").stderr_has("sign-in: Secret Service").go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
    for secret in portal.secrets() {
        assert_eq!(home.files_with(&secret), Vec::<std::path::PathBuf>::new(), "a secret is in a file");
    }
    // The desktop's own tool finds the sign-in.
    let found = bus.run("secret-tool", &["search", "service", "daypass"], "");
    let found = String::from_utf8_lossy(&found.stdout).into_owned() + &String::from_utf8_lossy(&found.stderr);
    assert!(found.contains("label = daypass: sign-in to corp"), "{found}");
    home.daypass("logout corp").any_stderr().go();
    home.daypass("credential-process --profile dev").any_stderr().status(3).go();
    let left = bus.run("secret-tool", &["search", "service", "daypass", "kind", "token"], "");
    assert!(left.stdout.is_empty());
}

#[test]
fn the_secret_service_alone_keeps_tokens_and_role_credentials() {
    let bus = Bus::unlocked();
    let portal = Portal::live(unique_start_url("os"));
    let home = home(&portal, &bus, "os");
    home.daypass("login corp --no-browser").any_stderr().go();
    let first = home.daypass("credential-process --profile dev").stdout_has("{").go().stdout;
    home.daypass("credential-process --profile dev").stdout(&first).go();
    home.daypass("status --format json").stdout_has("\"role\": \"DeveloperAccess\"").go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn kwallet_and_keepassxc_serve_the_whole_workflow_without_a_person() {
    for bus in [Bus::kwallet(), Bus::keepassxc(false)] {
        let portal = Portal::live(unique_start_url("desktop"));
        let home = home(&portal, &bus, "os");
        for _ in 0..2 {
            home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
        }
        let first = home.daypass("credential-process --profile dev").stdout_has("{").go().stdout;
        home.daypass("credential-process --profile dev").stdout(&first).go();
        home.daypass("status --format json").stdout_has("\"role\": \"DeveloperAccess\"").go();
        home.daypass("logout corp").stderr_has("Signed out of corp").go();
        home.daypass("credential-process --profile dev").any_stderr().status(3).go();
    }
}

#[test]
fn keepassxc_that_asks_for_confirmation_ends_with_5_and_the_hint_names_its_setting() {
    let bus = Bus::keepassxc(true);
    let portal = Portal::live(unique_start_url("confirm"));
    let home = home(&portal, &bus, "os");
    home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
    home.daypass("credential-process --profile dev")
        .stderr_has("asks for confirmation before a program reads from it")
        .stderr_has("\nhint: in KeePassXC, turn off")
        .status(5)
        .go();
}

#[test]
fn a_locked_keyring_ends_with_5_and_a_hint_and_requests_no_credentials() {
    let bus = Bus::unlocked();
    let portal = Portal::live(unique_start_url("locked"));
    let first = home(&portal, &bus, "auto");
    first.daypass("login corp --no-browser").any_stderr().go();
    let config = first.read(".aws/config");
    let bus = bus.locked_again();
    let home = home(&portal, &bus, "auto");
    home.write(".aws/config", &config);
    for command in ["credential-process --profile dev", "status corp"] {
        home.daypass(command).stderr_has("is locked").stderr_has("\nhint: daypass login\n").status(5).go();
    }
    home.daypass("doctor dev").stdout_has("error keyring-locked: ").stdout_has("\nhint: daypass login\n").status(1).go();
    home.daypass("login corp --no-browser")
        .stderr_has("is locked")
        .stderr_has("\nhint: export DAYPASS_KEYRING=keyutils\n")
        .status(5)
        .go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 0);
}

#[test]
fn a_keyring_that_hangs_ends_with_5_within_its_deadline() {
    let bus = Bus::unlocked();
    let portal = Portal::live(unique_start_url("hung"));
    let home = home(&portal, &bus, "auto");
    bus.stop_keyring();
    let start = Instant::now();
    home.daypass("credential-process --profile dev").stderr_has("the keyring timed out").status(5).go();
    // One keyring call with its deadline of 2 s. No second call is tried. The rest is time for the program on a loaded machine.
    assert!(start.elapsed() < Duration::from_secs(2 + 4), "{:?}", start.elapsed());
}

#[test]
fn without_a_secret_service_the_kernel_keyring_keeps_the_sign_in_and_login_says_so() {
    let bus = Bus::bare();
    let portal = Portal::live(unique_start_url("kernel"));
    let home = home(&portal, &bus, "auto");
    home.daypass("login corp --no-browser").stderr_has("stored in the kernel keyring").go();
    let first = home.daypass("credential-process --profile dev").stdout_has("{").go().stdout;
    home.daypass("credential-process --profile dev").stdout(&first).go();
    for secret in portal.secrets() {
        assert_eq!(home.files_with(&secret), Vec::<std::path::PathBuf>::new());
    }
    home.daypass("logout corp").any_stderr().go();
    home.daypass("status corp").any_output().status(3).go();
}

#[test]
fn a_keyring_that_hangs_during_a_refresh_costs_no_sign_in() {
    let bus = Bus::unlocked();
    let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..unique_start_url("between") });
    let home = home(&portal, &bus, "auto");
    home.daypass("login corp --no-browser").any_stderr().go();
    portal.change(|config| config.token_ttl = Duration::from_hours(1));
    let latch = Latch::closed();
    portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
    let refreshing = home.daypass("credential-process --profile dev").stdout_has("AccessKeyId").spawn();
    latch.wait_for_requests(1);
    bus.stop_keyring();
    latch.open();
    refreshing.wait();
    bus.continue_keyring();
    home.daypass("credential-process --session corp --account 444455556666 --role ReadOnly").stdout_has("AccessKeyId").go();
    assert_eq!(portal.count(Call::RefreshToken), 1);
    // It is in the keyring again, and nowhere else.
    let stored = bus.run("secret-tool", &["search", "service", "daypass", "kind", "token"], "");
    let stored = String::from_utf8_lossy(&stored.stdout).into_owned();
    assert!(portal.secrets().iter().any(|secret| stored.contains(secret.as_str())), "{stored}");
    home.daypass("logout corp").any_stderr().go();
    home.daypass("status corp").any_output().status(3).go();
}
