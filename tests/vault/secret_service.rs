//! The Secret Service: GNOME Keyring on a private bus, and buses that fail.

use std::cell::RefCell;
use std::os::unix::net::UnixListener;
use std::thread;

use daypass::vault::keyutils::Keyutils;
use daypass::vault::secret_service::SecretService;

use super::bus::Bus;
use super::contract::{keeps_500_roles, meets_the_contract};
use super::keyutils::kernel;
use super::*;

fn service(bus: &Bus) -> SecretService {
    SecretService::new(Some(bus.address()), None)
}

fn vault(bus: &Bus, keyring: &str) -> Vault {
    let vars = [("DBUS_SESSION_BUS_ADDRESS", bus.address()), ("DAYPASS_KEYRING", keyring)];
    Vault::open(&vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()).unwrap()
}

fn put(store: &dyn Backend, key: &Key, text: &str) -> vault::Result<()> {
    split::put(store, key, &Secret::new(text), None)
}

/// The Secret Service without its deadline: a call that times out is repeated over a new connection. Listing 500 items takes longer
/// than 2 s on a loaded machine, and how fast the machine is is not what a test checks.
struct Retrying {
    address: String,
    service: RefCell<SecretService>,
}

impl Retrying {
    fn retry<T>(&self, call: impl Fn(&SecretService) -> vault::Result<T>) -> vault::Result<T> {
        for _ in 0..30 {
            match call(&self.service.borrow()) {
                Err(vault::Error::TimedOut(_)) => {}
                other => return other,
            }
            self.service.replace(SecretService::new(Some(&self.address), None));
        }
        call(&self.service.borrow())
    }
}

impl Backend for Retrying {
    fn name(&self) -> &'static str {
        self.service.borrow().name()
    }

    fn get(&self, item: &Item) -> vault::Result<Option<Bytes>> {
        self.retry(|service| service.get(item))
    }

    fn put(&self, item: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> vault::Result<()> {
        self.retry(|service| service.put(item, content, expires))
    }

    fn delete(&self, item: &Item) -> vault::Result<()> {
        self.retry(|service| service.delete(item))
    }

    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.retry(Backend::list)
    }
}

#[test]
fn the_secret_service_meets_the_contract() {
    meets_the_contract(&service(&Bus::unlocked()));
}

#[test]
fn the_secret_service_keeps_500_roles() {
    let bus = Bus::unlocked();
    keeps_500_roles(Box::new(Retrying { address: bus.address().to_owned(), service: RefCell::new(service(&bus)) }));
}

#[test]
fn items_can_be_found_and_read_with_other_tools() {
    let bus = Bus::unlocked();
    let session = session("corp");
    vault(&bus, "os").store_role(&session, &Kind::Role(account(42), role("Dev")), &credentials("1", in_minutes(5))).unwrap();
    let found = bus.run("secret-tool", &["search", "--all", "service", "daypass"], "");
    let text = String::from_utf8(found.stdout).unwrap() + &String::from_utf8(found.stderr).unwrap();
    for line in [
        "label = daypass: Dev in 000000000042 (corp)",
        "attribute.kind = role",
        "attribute.session = corp",
        &format!("attribute.start_url = {}", session.start_url),
        "attribute.region = eu-west-1",
        "attribute.account = 000000000042",
        "attribute.role = Dev",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn replacing_leaves_one_item_and_the_newest_duplicate_is_read() {
    let bus = Bus::unlocked();
    let (store, key) = (service(&bus), Key::new(&session("s"), Kind::Token));
    put(&store, &key, "old").unwrap();
    put(&store, &key, "new").unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    // One more attribute makes it a different item for the service, as another version of daypass may have stored it.
    let content = store.get(&Item { name: key.id(), key: &key }).unwrap().unwrap();
    let newer = String::from_utf8(content.to_vec()).unwrap().replace("\nnew", "\ndup");
    let id = key.id();
    let stored = bus.run("secret-tool", &["store", "--label=x", "service", "daypass", "id", &id, "more", "1"], &newer);
    assert!(stored.status.success());
    assert_eq!(store.list().unwrap().len(), 2);
    assert_eq!(text_of(&store, &key).as_deref(), Some("dup"));
    put(&store, &key, "one").unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
    put(&store, &key, "last").unwrap();
    assert_eq!((store.list().unwrap().len(), text_of(&store, &key).as_deref()), (1, Some("last")));
}

#[test]
fn concurrent_writers_leave_one_item() {
    let bus = Bus::unlocked();
    let key = Key::new(&session("s"), Kind::Token);
    thread::scope(|scope| {
        for writer in 0..6 {
            let (bus, key) = (&bus, &key);
            scope.spawn(move || (0..5).for_each(|round| put(&service(bus), key, &format!("{writer}.{round}")).unwrap()));
        }
    });
    let store = service(&bus);
    assert_eq!(store.list().unwrap().len(), 1);
    assert!(text_of(&store, &key).unwrap().ends_with(".4"));
}

#[test]
fn every_call_on_a_locked_keyring_reports_it_and_shows_no_prompt() {
    let bus = Bus::unlocked();
    let (session, key) = (session("s"), a_key());
    vault(&bus, "os").store_token(&session, &token("t")).unwrap();
    let bus = bus.locked_again();
    let mut prompts = bus.watch_prompts();
    let store = service(&bus);
    let is_locked = |error: vault::Error| matches!(&error, vault::Error::Locked(what) if what.contains("Login"));
    assert!(is_locked(split::get(&store, &key).unwrap_err()));
    assert!(is_locked(put(&store, &key, "x").unwrap_err()));
    assert!(is_locked(split::delete(&store, &key).unwrap_err()));
    assert!(is_locked(split::list(&store).unwrap_err()));
    for keyring in ["os", "auto"] {
        let vault = vault(&bus, keyring);
        assert!(is_locked(vault.token(&session).unwrap_err()));
        assert!(is_locked(vault.store_token(&session, &token("u")).unwrap_err()));
        assert_eq!(vault.role(&session, &Kind::Role(account(1), role("Dev"))), Ok(None));
        assert!(!vault.token_is_volatile());
    }
    let error = Error::from(vault(&bus, "auto").token(&session).unwrap_err());
    assert_eq!((error.exit, error.what.as_str()), (Exit::Keyring, "the keyring \"Login\" is locked"));
    assert!(!prompts.any(&bus));

    // Unlocking does prompt, and nobody answers.
    let unlocked = store.unlock(Duration::from_mins(1));
    assert!(matches!(unlocked, Err(vault::Error::Locked(_))), "{unlocked:?}");
    assert!(prompts.any(&bus));
}

#[test]
fn unlocking_an_unlocked_keyring_shows_no_prompt() {
    let bus = Bus::unlocked();
    let mut prompts = bus.watch_prompts();
    put(&service(&bus), &a_key(), "x").unwrap();
    service(&bus).unlock(Duration::from_mins(1)).unwrap();
    assert!(!prompts.any(&bus));
}

#[test]
fn no_bus_no_provider_and_no_default_keyring_are_all_missing() {
    let nowhere = tempfile::tempdir().unwrap();
    let closed = nowhere.path().join("closed");
    drop(UnixListener::bind(&closed).unwrap());
    let (bare, empty) = (Bus::bare(), Bus::without_collection());
    for (case, store) in [
        ("no address and no socket", SecretService::new(None, None)),
        ("no such socket", SecretService::new(None, Some(nowhere.path().join("bus")))),
        ("nobody listens", SecretService::new(Some(&format!("unix:path={}", closed.display())), None)),
        ("another transport", SecretService::new(Some("tcp:host=localhost,port=1"), None)),
        ("no provider", service(&bare)),
        ("no default keyring", service(&empty)),
    ] {
        for error in [
            store.probe().unwrap_err(),
            split::get(&store, &a_key()).unwrap_err(),
            put(&store, &a_key(), "x").unwrap_err(),
            split::delete(&store, &a_key()).unwrap_err(),
            split::list(&store).unwrap_err(),
        ] {
            assert!(matches!(error, vault::Error::Missing(_)), "{case}: {error:?}");
        }
    }
}

#[test]
fn without_a_secret_service_auto_keeps_the_sign_in_in_the_kernel_keyring() {
    let _kernel = kernel();
    let bus = Bus::bare();
    let session = session("s");
    let vault = vault(&bus, "auto");
    vault.store_token(&session, &token("t")).unwrap();
    assert!(text_of(&Keyutils, &Key::new(&session, Kind::Token)).is_some());
    assert!(vault.token_is_volatile());
    assert_eq!(vault.locations().map(|home| home.store), ["keyutils", "keyutils"]);
    vault.delete_token(&session).unwrap();
    assert_eq!(vault.token(&session), Ok(None));
}

#[test]
fn cached_role_credentials_are_read_without_the_bus() {
    let _kernel = kernel();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = ("DBUS_SESSION_BUS_ADDRESS".to_owned(), format!("unix:path={}", path.display()));
    let vault = Vault::open(&[address].into_iter().collect()).unwrap();
    let session = session("s");
    vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &credentials("1", in_minutes(5))).unwrap();
    assert!(vault.role(&session, &Kind::Role(account(1), role("Dev"))).unwrap().is_some());
    assert!(listener.accept().is_err(), "nobody connected");
    split::delete(&Keyutils, &Key::new(&session, Kind::Role(account(1), role("Dev")))).unwrap();
    drop(listener);
    assert_eq!(vault.role(&session, &Kind::Role(account(1), role("Dev"))), Ok(None));
}

fn times_out(store: &SecretService) {
    assert!(matches!(split::get(store, &a_key()), Err(vault::Error::TimedOut(_))));
    assert!(matches!(put(store, &a_key(), "x"), Err(vault::Error::TimedOut(_))));
    assert!(matches!(split::delete(store, &a_key()), Err(vault::Error::TimedOut(_))));
    assert!(matches!(split::list(store), Err(vault::Error::TimedOut(_))));
}

#[test]
fn every_call_on_a_hanging_keyring_daemon_times_out() {
    let bus = Bus::unlocked();
    let (open, session) = (service(&bus), session("s"));
    put(&open, &a_key(), "x").unwrap();
    bus.stop_keyring();
    times_out(&open);
    times_out(&service(&bus));
    let vault = vault(&bus, "os");
    assert!(matches!(vault.token(&session), Err(vault::Error::TimedOut(_))));
    assert!(matches!(vault.unlock(Duration::from_mins(1)), Err(vault::Error::TimedOut(_))));
}

#[test]
fn every_call_on_a_hanging_bus_times_out() {
    let bus = Bus::unlocked();
    bus.stop();
    times_out(&service(&bus));
}

#[test]
fn every_call_on_a_bus_that_never_answers_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let _listener = UnixListener::bind(&path).unwrap();
    times_out(&SecretService::new(None, Some(path)));
}

#[test]
fn every_call_on_a_bus_with_a_full_backlog_times_out() {
    use socket2::{Domain, SockAddr, Socket, Type};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    listener.listen(0).unwrap();
    let _queued = std::os::unix::net::UnixStream::connect(&path).unwrap();
    times_out(&SecretService::new(None, Some(path)));
}

/// The result of a read from a bus that sends these bytes to its first client.
fn read_from_bus_that_sends(bytes: &[u8]) -> Result<Option<Secret>, vault::Error> {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bus");
    let listener = UnixListener::bind(&path).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut caller, _) = listener.accept().unwrap();
            let _ = caller.write_all(bytes);
            let _ = caller.shutdown(std::net::Shutdown::Write);
            let _ = caller.read_to_end(&mut Vec::new());
        });
        split::get(&SecretService::new(None, Some(path.clone())), &a_key())
    })
}

#[test]
fn a_bus_that_rejects_this_user_is_missing() {
    for answer in ["REJECTED EXTERNAL\r\n", "DATA\r\nERROR\r\n", "", "DATA\r\n", "DATA\r\nOK 00\r\n"] {
        let error = read_from_bus_that_sends(answer.as_bytes()).unwrap_err();
        assert!(matches!(error, vault::Error::Missing(_)), "{answer:?}: {error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_malformed_bus_answer_is_an_error_and_no_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..200),
        starts in prop::sample::select(vec![&b""[..], b"l\x02\x01\x01", b"B\x03\0\x01\0\0\0\x04", b"l\x02\x01\x01\xff\xff\xff\xff"]),
    ) {
        let mut all = b"DATA\r\nOK 0123\r\n".to_vec();
        all.extend_from_slice(starts);
        all.append(&mut bytes);
        prop_assert!(read_from_bus_that_sends(&all).is_err());
    }
}
