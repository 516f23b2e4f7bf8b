//! The program with Linux keyrings, each on a private bus: GNOME Keyring (unlocked, locked, hanging, missing), KWallet and KeePassXC; and
//! with the kernel keyring.

#![cfg(target_os = "linux")]

#[path = "../support/bus.rs"]
mod bus;

use std::time::{Duration, Instant};

use daypass::sys::clock::Deadline;
use daypass::sys::lock::{Folders, Lock};

use self::bus::Bus;
use crate::OnKernelKeyring;
use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::Home;

/// A configuration with a unique start URL.
fn unique_start_url(test: &str) -> PortalConfig {
    PortalConfig { start_url: format!("https://{test}-{}.awsapps.com/start", std::process::id()), ..PortalConfig::default() }
}

fn live(config: PortalConfig) -> OnKernelKeyring {
    OnKernelKeyring(Portal::live(config))
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
    let portal = live(unique_start_url("workflow"));
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
    let portal = live(unique_start_url("os"));
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
        let portal = live(unique_start_url("desktop"));
        let home = home(&portal, &bus, "os");
        for _ in 0..2 {
            home.daypass("login corp --force --no-browser").stderr_has("Signed in to corp").go();
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
    let portal = live(unique_start_url("confirm"));
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
    let portal = live(unique_start_url("locked"));
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
    let portal = live(unique_start_url("hung"));
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
    let portal = live(unique_start_url("kernel"));
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
    let portal = live(PortalConfig { token_ttl: Duration::ZERO, ..unique_start_url("between") });
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

/// A home that is signed in and has a long-lived key in profile `old`, with its credentials file.
fn with_key(portal: &Portal, bus: &Bus, keyring: &str) -> (Home, String) {
    let home = home(portal, bus, keyring);
    home.daypass("login corp --no-browser").any_stderr().go();
    let credentials = format!("[old]\n{}", portal.new_user_key("111122223333", "ada").lines());
    home.write(".aws/credentials", &credentials);
    (home, credentials)
}

const MIGRATE: &str = "migrate old --role DeveloperAccess";

#[test]
fn a_key_moves_to_the_secret_service_and_back_and_to_no_other_place() {
    let bus = Bus::unlocked();
    let portal = live(unique_start_url("parked"));
    let (home, credentials) = with_key(&portal, &bus, "auto");
    home.daypass(MIGRATE).any_stderr().leaves(".aws/credentials", "").go();
    let secret = credentials.lines().last().unwrap().rsplit_once(' ').unwrap().1.to_owned();
    assert_eq!(home.files_with(&secret), Vec::<std::path::PathBuf>::new());
    let found = bus.run("secret-tool", &["search", "service", "daypass", "kind", "parked"], "");
    assert!(String::from_utf8_lossy(&found.stdout).contains(&secret));
    home.daypass("status").stdout_has("corp").stderr_has("1 migrated key is due").go();
    home.daypass("logout --all").any_stderr().go();
    home.daypass("migrate --undo old").any_stderr().leaves(".aws/credentials", &credentials).go();
    let found = bus.run("secret-tool", &["search", "service", "daypass", "kind", "parked"], "");
    assert!(found.stdout.is_empty());
}

#[test]
fn a_keyring_that_is_locked_hangs_or_is_missing_stops_a_migration_before_it_begins() {
    let portal = live(unique_start_url("unparked"));
    let bus = Bus::unlocked();
    let (home, credentials) = with_key(&portal, &bus, "auto");
    bus.stop_keyring();
    home.daypass(MIGRATE).stderr_has("the keyring timed out").status(5).leaves(".aws/credentials", &credentials).go();
    bus.continue_keyring();
    let bus = bus.locked_again();
    let home = home.with("DBUS_SESSION_BUS_ADDRESS", bus.address());
    home.daypass(MIGRATE).stderr_has("is locked").status(5).leaves(".aws/credentials", &credentials).go();
    // The kernel keyring would lose the key at a restart.
    let bare = Bus::bare();
    let (home, credentials) = with_key(&portal, &bare, "auto");
    home.daypass(MIGRATE)
        .stderr_has("no keyring that could keep the key")
        .stderr_has("\nhint: export DAYPASS_KEYRING=file\n")
        .status(5)
        .leaves(".aws/credentials", &credentials)
        .go();
}

#[test]
fn a_keyring_that_vanishes_after_the_key_was_parked_loses_nothing() {
    for (keyring, works) in [("auto", true), ("os", false)] {
        let bus = Bus::unlocked();
        let portal = live(unique_start_url(&format!("vanishing-{keyring}")));
        let (home, credentials) = with_key(&portal, &bus, keyring);
        let config = home.read(".aws/config");
        // The lock of the config file holds the migration between parking and writing.
        let digest = ring::digest::digest(&ring::digest::SHA256, home.path(".aws/config").as_os_str().as_encoded_bytes());
        let name = digest.as_ref().iter().take(16).fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let vars = [("HOME", home.path("")), ("XDG_RUNTIME_DIR", home.path("run"))];
        let env = vars.map(|(name, path)| (name.to_owned(), path)).into_iter().collect();
        let folder = Folders::new(&env).usable().expect("a folder for lock files");
        let lock = Lock::take(&folder.join(format!("config-{name}.lock")), Deadline::after(Duration::ZERO)).unwrap().unwrap();
        let running = home.daypass(MIGRATE).any_stderr().status(i32::from(!works)).spawn();
        let parked = || bus.run("secret-tool", &["search", "service", "daypass", "kind", "parked"], "");
        let start = Instant::now();
        while parked().stdout.is_empty() {
            assert!(start.elapsed() < Duration::from_secs(8), "the key was not parked");
        }
        bus.stop_keyring();
        drop(lock);
        running.wait();
        bus.continue_keyring();
        if works {
            assert_eq!(home.read(".aws/credentials"), "");
            home.daypass("credential-process --profile old").stdout_has("AccessKeyId").go();
            home.daypass("migrate --undo old").any_stderr().go();
        }
        assert_eq!((home.read(".aws/config"), home.read(".aws/credentials")), (config, credentials), "{keyring}");
    }
}
