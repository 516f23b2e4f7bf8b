//! The kernel keyring.

use std::fs;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daypass::vault::keyutils::Keyutils;

use super::contract::{keeps_500_roles, meets_the_contract};
use super::*;

/// All tests share one keyring and its quota.
static KERNEL: Mutex<()> = Mutex::new(());

pub(super) fn kernel() -> Kernel {
    Kernel { _turn: KERNEL.lock().unwrap_or_else(PoisonError::into_inner) }
}

/// Exclusive use of the kernel keyring by one test. Dropping it deletes what the test left there, even if it failed.
pub(super) struct Kernel {
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Kernel {
    fn drop(&mut self) {
        for entry in split::list(&Keyutils).unwrap_or_default() {
            if entry.key.start_url.contains(run()) {
                let _ = split::delete(&Keyutils, &entry.key);
            }
        }
    }
}

fn uid() -> u32 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid()
}

#[test]
fn keyutils_meets_the_contract() {
    let _kernel = kernel();
    meets_the_contract(&Keyutils);
}

#[test]
fn keyutils_sets_a_kernel_timeout_on_role_credentials_only() {
    let _kernel = kernel();
    let role = |name: &str| Key::new(&session(name), Kind::Role(account(1), role("Dev")));
    let key = role("s");
    split::put(&Keyutils, &key, &Secret::new("x"), Some(in_minutes(60))).unwrap();
    let line = |key: &Key| {
        let keys = fs::read_to_string("/proc/keys").unwrap();
        keys.lines().find(|line| line.contains(&key.id())).unwrap().to_owned()
    };
    // Root and the owner of the keys see these lines.
    assert!(line(&key).contains(" 59m ") || line(&key).contains(" 60m "), "{}", line(&key));
    split::put(&Keyutils, &key, &Secret::new("x"), None).unwrap();
    assert!(line(&key).contains(" perm "), "the time-out of the previous value is gone: {}", line(&key));
    split::delete(&Keyutils, &key).unwrap();
    let past = role("past");
    split::put(&Keyutils, &past, &Secret::new("x"), Some(in_minutes(-5))).unwrap();
    assert!(!line(&past).contains(" perm "), "an expired value has a time-out too");
    split::delete(&Keyutils, &past).unwrap();
    let token = Key::new(&session("token"), Kind::Token);
    split::put(&Keyutils, &token, &Secret::new("x"), Some(in_minutes(-5))).unwrap();
    assert!(line(&token).contains(" perm "), "a wrong clock deletes no sign-in");
    split::delete(&Keyutils, &token).unwrap();
}

#[test]
fn a_foreign_key_with_a_long_name_does_not_break_listing() {
    let _kernel = kernel();
    let ring = linux_keyutils::KeyRing::get_persistent(linux_keyutils::KeyRingIdentifier::Process).unwrap();
    let foreign = ring.add_key(&"x".repeat(3000), b"\xff\x00not ours").unwrap();
    let key = Key::new(&session("s"), Kind::Token);
    split::put(&Keyutils, &key, &Secret::new("x"), None).unwrap();
    assert!(split::list(&Keyutils).unwrap().iter().any(|entry| entry.key == key));
    split::delete(&Keyutils, &key).unwrap();
    ring.unlink_key(foreign).unwrap();
}

/// Runs this test again, alone, in a process started by `wrapper`.
fn run_again(test: &str, wrapper: &[&str]) {
    let test = format!("keyutils::{test}");
    let program = std::env::current_exe().unwrap();
    // Another user must be able to read the program.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("vault-test");
    fs::copy(program, &copy).unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let line = [wrapper, &[copy.to_str().unwrap(), &test, "--exact", "--nocapture", "--test-threads=1"]].concat();
    let output = Command::new(line[0]).args(&line[1..]).env("DAYPASS_TEST_INNER", "1").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}; apt-get install util-linux keyutils", line[0]));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn is_run_again() -> bool {
    std::env::var_os("DAYPASS_TEST_INNER").is_some()
}

#[test]
fn keyutils_needs_no_session_keyring_and_is_shared_by_all_sessions() {
    let key = Key { session: "sessions".to_owned(), start_url: "https://sessions.example".to_owned(), ..a_key() };
    if is_run_again() {
        assert_eq!(text_of(&Keyutils, &key).as_deref(), Some("from outside"));
        return;
    }
    let _kernel = kernel();
    split::put(&Keyutils, &key, &Secret::new("from outside"), Some(in_minutes(5))).unwrap();
    run_again("keyutils_needs_no_session_keyring_and_is_shared_by_all_sessions", &["keyctl", "session", "-"]);
    split::delete(&Keyutils, &key).unwrap();
}

/// Uses the default quota of a user (20,000 bytes, 200 keys). Root has a larger one, so root runs this as another user.
#[test]
fn a_small_quota_drops_the_oldest_roles_and_nothing_fails() {
    if uid() == 0 {
        let uid = (40_000 + std::process::id() % 20_000).to_string();
        return run_again(
            "a_small_quota_drops_the_oldest_roles_and_nothing_fails",
            &["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"],
        );
    }
    let _kernel = kernel();
    let session = session("small");
    let keep = |vault: &Vault, number: usize| {
        let expires = in_minutes(i64::try_from(number).unwrap() + 10);
        vault.store_role(&session, &Kind::Role(account(number), role("Dev")), &credentials(&number.to_string(), expires)).unwrap();
    };
    let held = |vault: &Vault| {
        (0..60)
            .filter(|&number| vault.role(&session, &Kind::Role(account(number), role("Dev"))).unwrap().is_some())
            .collect::<Vec<_>>()
    };
    let alone = Vault::new(Box::new(Keyutils), None);
    alone.store_token(&session, &token("stays")).unwrap();
    (0..60).for_each(|number| keep(&alone, number));
    let left = held(&alone);
    assert!(left.len() > 2 && left.len() < 60, "{left:?}");
    assert_eq!(left.last(), Some(&59), "the newest are kept");
    assert_eq!(left, (60 - left.len()..60).collect::<Vec<_>>());
    assert_eq!(alone.token(&session).unwrap().unwrap().access.expose(), "stays");
    alone.delete_roles(&session).unwrap();

    let home = tempfile::tempdir().unwrap();
    let both = Vault::new(Box::new(Files::new(Some(home.path().join("d")))), Some(Box::new(Keyutils)));
    (0..60).for_each(|number| keep(&both, number));
    assert_eq!(held(&both).len(), 60, "with a second keyring, all are kept");
    both.delete_roles(&session).unwrap();
    both.delete_token(&session).unwrap();
}

/// What an ordinary user may keep in the kernel's keyring: 20,000 bytes, 200 keys.
#[test]
fn six_sign_ins_fit_the_kernel_keyring_of_an_ordinary_user() {
    if uid() == 0 {
        let uid = (60_000 + std::process::id() % 20_000).to_string();
        return run_again(
            "six_sign_ins_fit_the_kernel_keyring_of_an_ordinary_user",
            &["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"],
        );
    }
    let _kernel = kernel();
    let vault = Vault::new(Box::new(Keyutils), None);
    for (count, refresh) in [(6, 300), (4, 1500)] {
        let sessions: Vec<Session> = (0..count).map(|number| session(&format!("session-{number}"))).collect();
        for session in &sessions {
            let registration =
                Registration { client_id: "i".repeat(22), client_secret: Secret::new("c".repeat(1800)), ..registration() };
            vault.verify(session).unwrap();
            vault.store_registration(session, &registration).unwrap();
            let (access, refresh) = (Secret::new("a".repeat(300)), Some(Secret::new("r".repeat(refresh))));
            let token = Token { access, refresh, registration, ..token("") };
            vault.store_token(session, &token).unwrap();
            // A refresh, and another sign-in.
            vault.store_token(session, &token).unwrap();
            vault.verify(session).unwrap();
        }
        for session in &sessions {
            assert_eq!(vault.token(session).unwrap().unwrap().registration.client_secret.expose().len(), 1800);
            assert!(vault.registration(session).unwrap().is_some());
            vault.delete_token(session).unwrap();
            split::delete(&Keyutils, &Key::new(session, Kind::Registration)).unwrap();
        }
    }
}

#[test]
fn keyutils_keeps_500_roles() {
    let _kernel = kernel();
    if uid() == 0 {
        keeps_500_roles(Box::new(Keyutils));
    }
}
