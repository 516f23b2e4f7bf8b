//! The Secret Service where it differs from GNOME Keyring: KWallet, KeePassXC, a service that exits, a bus of another user.

#![cfg(target_os = "linux")]
// The unwraps are the assertions. Programs, files and variables of tests are not the program's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    missing_docs
)]

mod support {
    pub(crate) mod bus;
}

use std::io::{BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

use daypass::error::{Error, Exit};
use daypass::secret::Secret;
use daypass::vault::secret_service::SecretService;
use daypass::vault::{self, Backend, Key, Kind, split};
use proptest::prelude::*;

use support::bus::Bus;

fn service(bus: &Bus) -> SecretService {
    SecretService::new(Some(bus.address()), None)
}

fn a_key() -> Key {
    Key { kind: Kind::Token, session: "corp".to_owned(), start_url: "https://x".to_owned(), region: "r".to_owned() }
}

fn put(store: &dyn Backend, text: &str) -> vault::Result<()> {
    split::put(store, &a_key(), &Secret::new(text), None)
}

fn get(store: &dyn Backend) -> vault::Result<Option<String>> {
    Ok(split::get(store, &a_key())?.map(|secret| secret.expose().to_owned()))
}

fn delete(store: &dyn Backend) -> vault::Result<()> {
    split::delete(store, &a_key())
}

/// Each step on a connection of its own, as from another process.
fn stores_reads_replaces_and_deletes(bus: &Bus) {
    let long = "ü".repeat(5000);
    assert_eq!(get(&service(bus)), Ok(None));
    put(&service(bus), "first").unwrap();
    assert_eq!(get(&service(bus)).unwrap().as_deref(), Some("first"));
    put(&service(bus), &long).unwrap();
    assert_eq!(get(&service(bus)).unwrap(), Some(long));
    assert_eq!(service(bus).list().unwrap().len(), 1);
    service(bus).unlock(Duration::from_mins(1)).unwrap();
    delete(&service(bus)).unwrap();
    assert_eq!(get(&service(bus)), Ok(None));
    assert_eq!(service(bus).list().unwrap().len(), 0);
}

#[test]
fn an_open_wallet_that_reports_itself_locked_needs_no_person() {
    let bus = Bus::kwallet();
    assert!(bus.property("Locked").contains("boolean true"));
    stores_reads_replaces_and_deletes(&bus);
}

#[test]
fn a_closed_wallet_is_locked_and_nothing_prompts_for_it() {
    let bus = Bus::kwallet().closed_wallet();
    let mut prompts = bus.watch_prompts();
    for fault in [get(&service(&bus)).unwrap_err(), put(&service(&bus), "x").unwrap_err(), delete(&service(&bus)).unwrap_err()] {
        assert_eq!(fault, vault::Error::Locked("the keyring \"kdewallet\"".to_owned()));
    }
    assert!(!prompts.any(&bus));
}

#[test]
fn prompts_of_keepassxc_that_need_no_person_are_run() {
    stores_reads_replaces_and_deletes(&Bus::keepassxc(false));
}

#[test]
fn keepassxc_that_asks_for_confirmation_is_not_locked() {
    let bus = Bus::keepassxc(true);
    let creator = service(&bus);
    put(&creator, "x").unwrap();
    assert_eq!(get(&creator).unwrap().as_deref(), Some("x"), "who stores an item may read it");

    // To another program that is there without a person.
    let mut prompts = bus.watch_prompts();
    let other = service(&bus);
    for (fault, does) in [
        (get(&other).unwrap_err(), "reads from"),
        (other.list().unwrap_err(), "reads from"),
        (put(&other, "y").unwrap_err(), "writes to"),
    ] {
        let error = Error::from(fault);
        assert_eq!(error.exit, Exit::Keyring);
        assert!(error.what.ends_with(&format!("asks for confirmation before a program {does} it")), "{error}");
        assert!(error.hint.contains("\"Confirm when passwords are retrieved by clients\""), "{error}");
    }
    assert!(!prompts.any(&bus));

    // Only its prompt tells whether deleting needs a person. It is not left on the screen.
    let fault = delete(&other).unwrap_err();
    assert!(matches!(&fault, vault::Error::Unconfirmed { what, .. } if what.ends_with("deletes from it")), "{fault:?}");
    assert!(prompts.until("member=Dismiss").contains("member=Prompt"));

    // With a person there the prompt is shown, and waits for them.
    let unlocked = other.unlock(Duration::from_millis(100));
    assert!(matches!(unlocked, Err(vault::Error::Unconfirmed { .. })), "{unlocked:?}");
    assert!(prompts.until("member=Dismiss").contains("member=Prompt"));
    assert_eq!(get(&creator).unwrap().as_deref(), Some("x"));
}

#[test]
fn a_service_that_exits_while_it_is_asked_is_asked_again() {
    let bus = Bus::unlocked();
    let store = service(&bus);
    put(&store, "kept").unwrap();
    bus.stop_keyring();
    let mut calls = bus.watch("type='method_call',member='SearchItems'");
    thread::scope(|scope| {
        scope.spawn(|| {
            calls.until("member=SearchItems");
            bus.kill_keyring();
        });
        assert_eq!(get(&store).unwrap().as_deref(), Some("kept"));
    });
}

// A bus of another user.

const LISTEN: &str = "DAYPASS_TEST_LISTEN";

/// A user who is not the one that runs the tests, where that can be had: this test again, in a process of root's that gives itself up.
#[test]
fn a_bus_of_another_user_is_refused_before_anything_is_sent() {
    if let Some(name) = env::var_os(LISTEN) {
        return listen(name.to_str().unwrap());
    }
    let me = fs::metadata("/proc/self").unwrap().uid();
    if me != 0 {
        let system = Path::new("/run/dbus/system_bus_socket");
        assert!(system.exists(), "this test needs root, or root's bus at {}", system.display());
        return is_refused(&SecretService::new(None, Some(system.to_owned())), &format!("unix:path={}", system.display()), 0);
    }
    let (name, uid) = (format!("daypass-test-{}", process::id()), 40_000 + process::id() % 20_000);
    // Where another user can read it.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("test");
    fs::copy(env::current_exe().unwrap(), &copy).unwrap();
    let uid_text = uid.to_string();
    let mut other = Command::new("setpriv")
        .args(["--reuid", &uid_text, "--regid", &uid_text, "--clear-groups"])
        .arg(&copy)
        .args(["a_bus_of_another_user_is_refused_before_anything_is_sent", "--exact", "--nocapture"])
        .env(LISTEN, &name)
        .stdout(Stdio::piped())
        .spawn()
        .expect("apt-get install util-linux");
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("listening")).unwrap();
    is_refused(&SecretService::new(Some(&format!("unix:abstract={name}")), None), &format!("unix:abstract={name}"), uid);
    assert_eq!(lines.find(|line| line.contains("bytes")).unwrap(), "0 bytes");
    assert!(other.wait().unwrap().success());
}

fn is_refused(store: &SecretService, address: &str, owner: u32) {
    let me = fs::metadata("/proc/self").unwrap().uid();
    let what = format!("the session bus at {address} belongs to user {owner}, not to user {me}");
    assert_eq!(put(store, "x"), Err(vault::Error::Failed(what)));
}

/// A bus at an abstract address: what a caller sends is counted.
fn listen(name: &str) {
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap();
    println!("\nlistening");
    let sent = listener.accept().unwrap().0.read_to_end(&mut Vec::new()).unwrap();
    println!("{sent} bytes");
}

// A bus that greets and then fails.

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bus_that_talks_nonsense_after_its_greeting_is_a_fault_and_no_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        starts in prop::sample::select(vec![
            &b""[..],
            b"l\x02\x01\x01",
            b"B\x03\0\x01\0\0\0\x04",
            b"l\x02\x01\x01\xff\xff\xff\xff",
            // The answer to Hello, as a bus sends it, and the start of another message.
            b"l\x02\x01\x01\x09\0\0\0\x01\0\0\0\x0f\0\0\0\x05\x01u\0\x01\0\0\0\x08\x01g\0\x01s\0\0\x04\0\0\0:1.7\0l\x03\x01\x01\x04\0\0\0",
        ]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        let mut all = b"OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n".to_vec();
        all.extend_from_slice(starts);
        all.append(&mut bytes);
        let answer = thread::scope(|scope| {
            scope.spawn(|| {
                let (mut caller, _) = listener.accept().unwrap();
                let _ = caller.write_all(&all);
                let _ = caller.shutdown(std::net::Shutdown::Write);
                let _ = caller.read_to_end(&mut Vec::new());
            });
            get(&SecretService::new(None, Some(path.clone())))
        });
        prop_assert!(answer.is_err());
    }
}
