//! The vault against real keyrings: the kernel's, GNOME Keyring on a private bus, files; and against broken ones.

// The unwraps are the assertions. Programs, files and variables of tests are not the program's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs
)]

mod support {
    #[cfg(target_os = "linux")]
    pub(crate) mod bus;
}

#[cfg(unix)]
use std::fs;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass::credentials::{Registration, RoleCredentials, Token};
use daypass::error::{Error, Exit};
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::secret::Secret;
use daypass::sys::clock;
use daypass::sys::env::Env;
use daypass::vault::file::Files;
use daypass::vault::memory::Memory;
use daypass::vault::record::Record;
use daypass::vault::{self, Backend, Bytes, Item, Key, Kind, Vault, split};
use proptest::prelude::*;
use time::OffsetDateTime;

/// What all sessions of this run have in their start URL, and those of no other run.
fn run() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("run-").tempdir().unwrap();
        folder.path().file_name().unwrap().to_str().unwrap().to_owned()
    })
}

/// A session that no other test uses: the kernel's keyring is one for all.
fn session(name: &str) -> Session {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let start_url = format!("https://{}.example/{}/", run(), COUNT.fetch_add(1, Ordering::Relaxed));
    Session { name: name.to_owned(), start_url, region: "eu-west-1".to_owned(), scopes: vec![] }
}

fn account(number: usize) -> AccountId {
    AccountId::new(&format!("{number:012}")).unwrap()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// Whole seconds: what a grant's expiry has.
fn in_minutes(minutes: i64) -> OffsetDateTime {
    clock::now().replace_nanosecond(0).unwrap() + time::Duration::minutes(minutes)
}

fn credentials(text: &str, expires_at: OffsetDateTime) -> RoleCredentials {
    RoleCredentials {
        access_key_id: format!("ASIA{text}"),
        secret_access_key: Secret::new("s".repeat(40)),
        session_token: Secret::new("t".repeat(900)),
        expires_at,
        received_at: clock::now(),
    }
}

fn registration() -> Registration {
    Registration {
        client_id: "client".to_owned(),
        client_secret: Secret::new("c".repeat(2000)),
        expires_at: in_minutes(60 * 24 * 90),
        scopes: vec!["sso:account:access".to_owned()],
    }
}

fn token(text: &str) -> Token {
    Token { access: Secret::new(text), expires_at: in_minutes(60), refresh: Some(Secret::new("r")), registration: registration() }
}

/// A store that the test still holds when the vault has it.
#[derive(Clone, Default)]
struct Shared(Rc<Memory>);

impl Backend for Shared {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn limit(&self) -> Option<usize> {
        self.0.limit()
    }
    fn volatile(&self) -> bool {
        true
    }
    fn probe(&self) -> vault::Result<()> {
        self.0.probe()
    }
    fn get(&self, slot: &Item) -> vault::Result<Option<Bytes>> {
        self.0.get(slot)
    }
    fn put(&self, slot: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> vault::Result<()> {
        self.0.put(slot, content, expires)
    }
    fn delete(&self, slot: &Item) -> vault::Result<()> {
        self.0.delete(slot)
    }
    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.0.list()
    }
}

fn shared(memory: Memory) -> Shared {
    Shared(Rc::new(memory))
}

fn two(main: &Shared, quick: &Shared) -> Vault {
    Vault::on(Box::new(main.clone()), Some(Box::new(quick.clone())))
}

fn absent() -> vault::Error {
    vault::Error::Missing("not here".to_owned())
}

fn locked() -> vault::Error {
    vault::Error::Locked("the keyring".to_owned())
}

// What every back-end promises.

fn text_of(store: &dyn Backend, key: &Key) -> Option<String> {
    split::get(store, key).unwrap().map(|value| value.expose().to_owned())
}

fn keeps_the_contract(store: &dyn Backend) {
    let base = session("corp");
    let key = Key::new(&base, Kind::Token);
    let later = Some(in_minutes(60));
    let put = |key: &Key, text: &str| split::put(store, key, &Secret::new(text), later).unwrap();
    let of_base = || {
        let entries = split::list(store).unwrap();
        entries.into_iter().filter(|entry| entry.key.start_url.contains(&base.start_url)).collect::<Vec<_>>()
    };

    assert_eq!(text_of(store, &key), None, "nothing is there at first");
    split::delete(store, &key).unwrap();
    put(&key, "first");
    assert_eq!(text_of(store, &key).as_deref(), Some("first"));
    put(&key, "second, and longer");
    put(&key, "third");
    assert_eq!(text_of(store, &key).as_deref(), Some("third"), "the last one stays");
    assert_eq!(of_base().len(), 1, "and nothing beside it");
    assert_eq!(of_base()[0].expires, later);

    // Names of any kind, and names that differ in one place only.
    let hostile = ["nul\0nul", "../../slash/..", "new\nline\r\n", "quote\"'`$(x)", "ünïcödé 🔑", "", " ", "%00", "a;b,c=d"];
    let names = hostile.iter().map(|&name| Key { session: name.to_owned(), ..key.clone() });
    let urls = hostile.iter().map(|&name| Key { start_url: format!("{}{name}x", base.start_url), ..key.clone() });
    let kinds = [
        Kind::Registration,
        Kind::Role(account(1), role("A")),
        Kind::Role(account(1), role("a")),
        Kind::Role(account(2), role("A")),
    ];
    let kinds = kinds.into_iter().map(|kind| Key { kind, ..key.clone() });
    let keys: Vec<Key> = names.chain(urls).chain(kinds).chain([Key { region: "us-east-1".to_owned(), ..key.clone() }]).collect();
    for (number, key) in keys.iter().enumerate() {
        put(key, &format!("value {number} ünïcödé \0 \" \n"));
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(text_of(store, key), Some(format!("value {number} ünïcödé \0 \" \n")), "{key:?}");
    }
    assert_eq!(text_of(store, &key).as_deref(), Some("third"));
    let listed = of_base();
    assert_eq!(listed.len(), keys.len() + 1);
    assert!(keys.iter().all(|key| listed.iter().any(|entry| entry.key == *key)));
    for key in &keys {
        split::delete(store, key).unwrap();
        assert_eq!(text_of(store, key), None);
    }
    assert_eq!(of_base().len(), 1, "the others went, and only they");

    // Long ones, growing and shrinking; lengths around every limit.
    for len in [65_536, 1, 2499, 2500, 2501, 32_500, 32_767, 70_001, 0, 65_536] {
        let text: String = ('!'..='~').cycle().take(len).collect();
        put(&key, &text);
        assert_eq!(text_of(store, &key).as_ref(), Some(&text), "{len} bytes");
        assert_eq!(of_base().len(), 1);
    }
    split::delete(store, &key).unwrap();
    assert_eq!(text_of(store, &key), None);
    assert_eq!(of_base(), []);
}

fn holds_500_roles(store: Box<dyn Backend>) {
    let (mine, other) = (session("mine"), session("other"));
    let expires = in_minutes(60);
    // Keeping one looks for expired ones too, which is slow work for 500: most are put there past that.
    for number in 0..480 {
        let key = Key::new(&mine, Kind::Role(account(number), role("Dev")));
        let text = credentials(&number.to_string(), expires).to_text().unwrap();
        split::put(store.as_ref(), &key, &text, Some(expires)).unwrap();
    }
    let vault = Vault::on(store, None);
    vault.store_token(&mine, &token("stays")).unwrap();
    for number in 480..500 {
        vault.store_role(&mine, &account(number), &role("Dev"), &credentials(&number.to_string(), expires)).unwrap();
    }
    vault.store_role(&other, &account(1), &role("Dev"), &credentials("other", expires)).unwrap();
    vault.store_role(&mine, &account(1), &role("Past"), &credentials("past", in_minutes(-1))).unwrap();
    for number in 0..500 {
        let found = vault.role(&mine, &account(number), &role("Dev")).unwrap().unwrap();
        assert_eq!(found.access_key_id, format!("ASIA{number}"));
    }
    let of_test = |vault: &Vault| {
        let roles = vault.roles(clock::now()).unwrap();
        roles.into_iter().filter(|(key, _)| [&mine.start_url, &other.start_url].contains(&&key.start_url)).collect::<Vec<_>>()
    };
    let listed = of_test(&vault);
    assert_eq!(listed.len(), 501, "all but the one that expired");
    assert!(listed.iter().all(|(_, at)| *at == expires));
    assert_eq!(vault.role(&mine, &account(1), &role("Past")).unwrap(), None, "which is dropped");
    vault.delete_roles(&mine).unwrap();
    assert_eq!(of_test(&vault), [(Key::new(&other, Kind::Role(account(1), role("Dev"))), expires)]);
    assert_eq!(vault.token(&mine).unwrap().unwrap().access.expose(), "stays");
    vault.delete_roles(&other).unwrap();
    vault.delete_token(&mine).unwrap();
}

#[test]
fn memory_keeps_the_contract() {
    keeps_the_contract(&Memory::default());
    keeps_the_contract(&Memory::with_limit(2500));
    holds_500_roles(Box::new(Memory::with_limit(2500)));
}

#[test]
fn files_keep_the_contract() {
    let home = tempfile::tempdir().unwrap();
    keeps_the_contract(&Files::new(Some(home.path().join("share/daypass"))));
    holds_500_roles(Box::new(Files::new(Some(home.path().join("share/daypass")))));
}

// Files.

#[cfg(unix)]
mod files {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn keep(folder: &std::path::Path) -> vault::Result<()> {
        split::put(&Files::new(Some(folder.to_owned())), &Key::new(&session("s"), Kind::Token), &Secret::new("x"), None)
    }

    #[test]
    fn secrets_are_private_and_leave_no_temporary_files() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        keep(&folder).unwrap();
        assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
        let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert_eq!(mode(&files[0]), 0o600);
    }

    #[test]
    fn a_folder_that_others_can_write_or_replace_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let parent = home.path().join("parent");
        let folder = parent.join("daypass");
        fs::create_dir_all(&folder).unwrap();
        for bad in [0o770, 0o702, 0o777] {
            set(&folder, bad);
            assert!(matches!(keep(&folder), Err(vault::Error::Failed(_))), "{bad:o}");
        }
        let link = home.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(matches!(keep(&link), Err(vault::Error::Failed(_))), "a link to such");
        set(&folder, 0o700);
        keep(&link).unwrap();
        set(&parent, 0o777);
        assert!(matches!(keep(&folder), Err(vault::Error::Failed(_))), "a parent that anybody can write");
        assert!(matches!(keep(&link), Err(vault::Error::Failed(_))), "the parent of what a link leads to");
        set(&parent, 0o1777);
        keep(&folder).unwrap();
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        // Root's, for those who are not root; for root one that was given away.
        let home = tempfile::tempdir().unwrap();
        let mine = fs::metadata(home.path()).unwrap().uid();
        let folder = if mine == 0 { home.path().join("given") } else { "/usr/share".into() };
        if mine == 0 {
            fs::create_dir(&folder).unwrap();
            std::os::unix::fs::chown(&folder, Some(12_345), None).unwrap();
        }
        assert!(matches!(keep(&folder), Err(vault::Error::Failed(_))));
    }

    #[test]
    fn stray_files_are_none_of_ours() {
        let home = tempfile::tempdir().unwrap();
        let store = Files::new(Some(home.path().join("d")));
        split::put(&store, &Key::new(&session("s"), Kind::Token), &Secret::new("x"), None).unwrap();
        fs::write(home.path().join("d/notes.txt"), "{}").unwrap();
        fs::write(home.path().join("d/half.secret"), b"{\"v\":1,\xff").unwrap();
        fs::create_dir(home.path().join("d/folder.secret")).unwrap();
        assert_eq!(split::list(&store).unwrap().len(), 1);
    }
}

// Records.

fn times() -> impl Strategy<Value = OffsetDateTime> {
    (0_i64..4_000_000_000, 0_i64..1_000_000_000)
        .prop_map(|(seconds, nanos)| OffsetDateTime::from_unix_timestamp(seconds).unwrap() + time::Duration::nanoseconds(nanos))
}

fn registrations() -> impl Strategy<Value = Registration> {
    (any::<String>(), any::<String>(), times(), prop::collection::vec(any::<String>(), 0..3)).prop_map(
        |(client_id, client_secret, expires_at, scopes)| Registration {
            client_id,
            client_secret: Secret::new(client_secret),
            expires_at,
            scopes,
        },
    )
}

fn tokens() -> impl Strategy<Value = Token> {
    (any::<String>(), times(), any::<Option<String>>(), registrations()).prop_map(|(access, expires_at, refresh, registration)| {
        Token { access: Secret::new(access), expires_at, refresh: refresh.map(Secret::new), registration }
    })
}

proptest! {
    #[test]
    fn a_record_reads_back_as_it_was(token in tokens(), at in times()) {
        prop_assert_eq!(Registration::of_text(&token.registration.to_text().unwrap()), Some(token.registration.clone()));
        prop_assert_eq!(Token::of_text(&token.to_text().unwrap()), Some(token.clone()));
        let role = RoleCredentials {
            access_key_id: token.registration.client_id.clone(),
            secret_access_key: token.access.clone(),
            session_token: token.access.clone(),
            expires_at: at,
            received_at: token.expires_at,
        };
        prop_assert_eq!(RoleCredentials::of_text(&role.to_text().unwrap()), Some(role));
    }

    #[test]
    fn a_record_that_was_cut_is_a_miss(token in tokens(), cut in any::<prop::sample::Index>()) {
        let text = token.to_text().unwrap();
        let ends: Vec<usize> = text.expose().char_indices().map(|(at, _)| at).collect();
        prop_assert_eq!(Token::of_text(&Secret::new(&text.expose()[..ends[cut.index(ends.len())]])), None);
    }

    #[test]
    fn garbage_is_a_miss(text in any::<String>()) {
        prop_assert_eq!(Token::of_text(&Secret::new(&*text)), None);
        prop_assert_eq!(RoleCredentials::of_text(&Secret::new(&*text)), None);
    }
}

#[test]
fn a_record_of_another_version_is_a_miss_and_fields_from_the_future_are_passed_over() {
    let text = registration().to_text().unwrap().expose().to_owned();
    assert_eq!(Registration::of_text(&Secret::new(text.replacen("\"v\":1", "\"v\":2", 1))), None);
    assert_eq!(Registration::of_text(&Secret::new(text.replacen('{', "{\"later\":[1,{}],", 1))), Some(registration_of(&text)));
}

fn registration_of(text: &str) -> Registration {
    Registration::of_text(&Secret::new(text)).unwrap()
}

// Splitting.

const LIMIT: usize = 400;

fn a_key() -> Key {
    Key { kind: Kind::Token, session: "corp".to_owned(), start_url: "https://x".to_owned(), region: "r".to_owned() }
}

/// Texts of no part up to some ten, told apart by their letter.
fn text(letter: char, len: usize) -> Secret {
    Secret::new(letter.to_string().repeat(len))
}

proptest! {
    #[test]
    fn a_writer_that_dies_at_any_step_leaves_the_old_value_or_the_new_one(old in 1_usize..4000, new in 1_usize..4000, step in 0_usize..60) {
        let (store, key) = (Memory::with_limit(LIMIT), a_key());
        split::put(&store, &key, &text('o', old), None).unwrap();
        store.fail_after(step, vault::Error::Failed("dead".to_owned()));
        for _ in 0..200 {
            store.fail_after(0, vault::Error::Failed("dead".to_owned()));
        }
        let finished = split::put(&store, &key, &text('n', new), None).is_ok();
        let store = Memory::copy_of(&store);
        let found = split::get(&store, &key).unwrap();
        prop_assert!(found == Some(text('o', old)) || found == Some(text('n', new)));
        prop_assert!(!finished || found == Some(text('n', new)));

        // And the next one clears up after it.
        split::put(&store, &key, &text('z', 1), None).unwrap();
        prop_assert_eq!(store.names(), [key.id()]);
    }

    #[test]
    fn one_step_that_fails_leaves_no_parts_behind(old in 1_usize..4000, new in 1_usize..4000, step in 0_usize..60) {
        let (store, key) = (Memory::with_limit(LIMIT), a_key());
        split::put(&store, &key, &text('o', old), None).unwrap();
        let before = store.names().len();
        store.fail_after(step, vault::Error::Full("no room".to_owned()));
        let put = split::put(&store, &key, &text('n', new), None);
        let store = Memory::copy_of(&store);
        let found = split::get(&store, &key).unwrap();
        if found == Some(text('o', old)) {
            prop_assert!(put.is_err());
            prop_assert_eq!(store.names().len(), before);
        } else {
            prop_assert_eq!(found, Some(text('n', new)));
        }
    }

    #[test]
    fn any_mix_of_two_values_is_one_of_them_or_a_miss(
        lens in (1_usize..4000, 1_usize..4000),
        choice in prop::collection::vec(0..4, 64),
        cut in any::<prop::sample::Index>(),
    ) {
        let key = a_key();
        let first = Memory::with_limit(LIMIT);
        split::put(&first, &key, &text('a', lens.0), None).unwrap();
        let second = Memory::copy_of(&first);
        split::put(&second, &key, &text('b', lens.1), None).unwrap();
        // The third has the generation of the first again.
        let third = Memory::copy_of(&second);
        split::put(&third, &key, &text('c', lens.0), None).unwrap();

        let mut names = [first.names(), second.names(), third.names()].concat();
        names.sort();
        names.dedup();
        let mixed = Memory::with_limit(LIMIT);
        for (name, choice) in names.iter().zip(choice) {
            let content = match choice {
                0 => first.content(name),
                1 => second.content(name),
                2 => third.content(name),
                _ => first.content(name).or_else(|| third.content(name)).map(|mut content| {
                    let len = cut.index(content.len());
                    content.truncate(len);
                    content
                }),
            };
            if let Some(content) = content {
                mixed.damage(name, &content);
            }
        }
        let found = split::get(&mixed, &key).unwrap();
        let whole = [text('a', lens.0), text('b', lens.1), text('c', lens.0)];
        prop_assert!(found.as_ref().is_none_or(|value| whole.contains(value)));
        split::list(&mixed).unwrap();
    }

    #[test]
    fn a_slot_of_any_bytes_is_a_miss_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (store, key) = (Memory::default(), a_key());
        store.damage(&key.id(), &bytes);
        prop_assert_eq!(split::get(&store, &key).unwrap(), None);
        prop_assert_eq!(split::list(&store).unwrap(), []);
    }
}

#[test]
fn a_value_under_another_keys_name_is_a_miss() {
    let store = Memory::default();
    let (mine, other) = (a_key(), Key { session: "other".to_owned(), ..a_key() });
    split::put(&store, &other, &Secret::new("x"), None).unwrap();
    store.damage(&mine.id(), &store.content(&other.id()).unwrap());
    assert_eq!(split::get(&store, &mine).unwrap(), None);
}

// The vault's choice.

#[test]
fn an_unknown_keyring_is_wrong_usage_and_names_the_known_ones() {
    let env: Env = [("DAYPASS_KEYRING".to_owned(), "kwallet".to_owned())].into_iter().collect();
    let error = Vault::open(&env).err().unwrap();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.what.contains("kwallet") && error.what.contains("auto") && error.what.contains("file"), "{error}");
}

#[test]
fn every_fault_of_a_keyring_ends_with_status_5_and_a_hint() {
    let what = || "x".to_owned();
    for fault in [
        vault::Error::Missing(what()),
        vault::Error::Locked(what()),
        vault::Error::Failed(what()),
        vault::Error::TimedOut(what()),
        vault::Error::Full(what()),
    ] {
        let error = Error::from(fault);
        assert_eq!(error.exit, Exit::Keyring);
        assert!(!error.hint.is_empty());
    }
}

#[test]
fn role_credentials_come_from_the_quick_keyring_though_the_other_one_is_locked() {
    let (main, quick) = (shared(Memory::down(locked())), Shared::default());
    let (vault, session) = (two(&main, &quick), session("s"));
    let kept = credentials("1", in_minutes(5));
    vault.store_role(&session, &account(1), &role("Dev"), &kept).unwrap();
    assert_eq!(vault.role(&session, &account(1), &role("Dev")).unwrap(), Some(kept));
    assert_eq!(vault.role(&session, &account(2), &role("Dev")).unwrap(), None, "a miss is no fault");
    assert_eq!(vault.roles(clock::now()).unwrap().len(), 1);
    assert_eq!(vault.token(&session), Err(locked()), "the token says what is wrong");
    assert_eq!(vault.store_token(&session, &token("t")), Err(locked()), "locked is not absent");
    assert_eq!(vault.delete_roles(&session), Err(locked()), "there may be some more");
    assert_eq!(vault.roles(clock::now()).unwrap().len(), 0);
    assert_eq!(vault.locations()[0].why, "the keyring is locked");
}

#[test]
fn with_no_os_keyring_tokens_live_in_the_quick_one() {
    let (main, quick) = (shared(Memory::down(absent())), Shared::default());
    let (vault, session) = (two(&main, &quick), session("s"));
    vault.store_token(&session, &token("t")).unwrap();
    vault.store_registration(&session, &registration()).unwrap();
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "t");
    assert!(vault.registration(&session).unwrap().is_some());
    assert!(vault.token_is_volatile());
    assert_eq!(vault.locations()[0].why, "not here; gone at a reboot");
    vault.delete_token(&session).unwrap();
    assert_eq!(vault.token(&session).unwrap(), None);
    assert_eq!(vault.unlock(Duration::ZERO), Ok(()));
}

#[test]
fn with_neither_keyring_the_reason_of_the_os_keyring_is_told() {
    let vault = two(&shared(Memory::down(absent())), &shared(Memory::down(vault::Error::Missing("no kernel keyring".to_owned()))));
    let session = session("s");
    assert_eq!(vault.token(&session), Err(absent()));
    assert_eq!(vault.store_token(&session, &token("t")), Err(absent()));
    assert_eq!(vault.role(&session, &account(1), &role("Dev")), Ok(None));
    assert_eq!(vault.store_role(&session, &account(1), &role("Dev"), &credentials("1", in_minutes(5))), Err(absent()));
    assert_eq!(vault.roles(clock::now()), Ok(vec![]));
    assert_eq!(vault.delete_token(&session), Ok(()));
}

#[test]
fn a_sign_in_from_a_time_without_os_keyring_is_found_and_replaced_by_the_next() {
    let (quick, session) = (Shared::default(), session("s"));
    two(&shared(Memory::down(absent())), &quick).store_token(&session, &token("ssh")).unwrap();
    let main = Shared::default();
    let vault = two(&main, &quick);
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "ssh");
    vault.store_token(&session, &token("desktop")).unwrap();
    assert!(quick.0.names().is_empty());
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "desktop");
}

#[test]
fn where_the_quick_keyring_is_refused_roles_live_in_the_os_keyring() {
    let main = Shared::default();
    let (vault, session) = (two(&main, &shared(Memory::down(absent()))), session("s"));
    vault.store_role(&session, &account(1), &role("Dev"), &credentials("1", in_minutes(5))).unwrap();
    assert!(vault.role(&session, &account(1), &role("Dev")).unwrap().is_some());
    assert_eq!(main.0.names().len(), 1);
    assert_eq!(vault.locations()[1].why, "not here");
    vault.store_role(&session, &account(2), &role("Dev"), &credentials("2", in_minutes(-1))).unwrap();
    vault.store_role(&session, &account(3), &role("Dev"), &credentials("3", in_minutes(5))).unwrap();
    assert_eq!(vault.role(&session, &account(2), &role("Dev")).unwrap(), None, "keeping one drops what has expired");
}

#[test]
fn a_full_quick_keyring_sends_its_oldest_roles_to_the_os_keyring() {
    let (main, quick) = (Shared::default(), shared(Memory::with_room(3)));
    let (vault, session) = (two(&main, &quick), session("s"));
    for number in 0..10 {
        let minutes = i64::try_from(number).unwrap() + 10;
        vault.store_role(&session, &account(number), &role("Dev"), &credentials(&number.to_string(), in_minutes(minutes))).unwrap();
    }
    for number in 0..10 {
        assert!(vault.role(&session, &account(number), &role("Dev")).unwrap().is_some(), "{number}");
        let key = Key::new(&session, Kind::Role(account(number), role("Dev")));
        assert_eq!(split::get(&quick, &key).unwrap().is_some(), number >= 7, "{number}");
        assert_eq!(split::get(&main, &key).unwrap().is_some(), number < 7, "{number}");
    }
    assert_eq!(vault.roles(clock::now()).unwrap().len(), 10);
    vault.delete_roles(&session).unwrap();
    assert!(main.0.names().is_empty() && quick.0.names().is_empty());
}

#[test]
fn a_full_keyring_gives_up_roles_but_never_tokens() {
    let (quick, session) = (shared(Memory::with_room(3)), session("s"));
    let vault = two(&shared(Memory::down(absent())), &quick);
    vault.store_token(&session, &token("t")).unwrap();
    for (number, minutes) in (0..5).zip(5..) {
        vault.store_role(&session, &account(number), &role("Dev"), &credentials("x", in_minutes(minutes))).unwrap();
    }
    vault.store_registration(&session, &registration()).unwrap();
    assert!(vault.role(&session, &account(4), &role("Dev")).unwrap().is_some());
    assert!(vault.token(&session).unwrap().is_some() && vault.registration(&session).unwrap().is_some());
    let other = Session { name: "other".to_owned(), ..session.clone() };
    vault.store_token(&other, &token("u")).unwrap();
    assert!(matches!(vault.store_registration(&other, &registration()), Err(vault::Error::Full(_))), "three that can't go");
    assert!(vault.token(&session).unwrap().is_some());
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread;

    use daypass::vault::keyutils::Keyutils;
    use daypass::vault::secret_service::SecretService;

    use super::support::bus::Bus;
    use super::*;

    // The kernel's keyring.

    /// One keyring with one quota for all tests.
    static KERNEL: Mutex<()> = Mutex::new(());

    fn kernel() -> Kernel {
        Kernel { _turn: KERNEL.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// A test's turn at the keyring. It takes away what the test left there, also if it failed.
    struct Kernel {
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
    fn keyutils_keeps_the_contract() {
        let _kernel = kernel();
        keeps_the_contract(&Keyutils);
    }

    #[test]
    fn keyutils_drops_a_value_by_itself_when_it_expires() {
        let _kernel = kernel();
        let key = Key::new(&session("s"), Kind::Token);
        split::put(&Keyutils, &key, &Secret::new("x"), Some(in_minutes(60))).unwrap();
        let line = |key: &Key| {
            let keys = fs::read_to_string("/proc/keys").unwrap();
            keys.lines().find(|line| line.contains(&key.id())).unwrap().to_owned()
        };
        // Possession is this process's: root, or the owner, sees the line.
        assert!(line(&key).contains(" 59m ") || line(&key).contains(" 60m "), "{}", line(&key));
        split::put(&Keyutils, &key, &Secret::new("x"), None).unwrap();
        assert!(line(&key).contains(" perm "), "a time-out does not outlive its value: {}", line(&key));
        split::delete(&Keyutils, &key).unwrap();
        let past = Key::new(&session("past"), Kind::Token);
        split::put(&Keyutils, &past, &Secret::new("x"), Some(in_minutes(-5))).unwrap();
        assert!(!line(&past).contains(" perm "), "what is past already has a time-out too");
        split::delete(&Keyutils, &past).unwrap();
    }

    #[test]
    fn a_foreign_key_with_a_long_name_does_not_disturb_the_list() {
        let _kernel = kernel();
        let ring = linux_keyutils::KeyRing::get_persistent(linux_keyutils::KeyRingIdentifier::Process).unwrap();
        let foreign = ring.add_key(&"x".repeat(3000), b"\xff\x00not ours").unwrap();
        let key = Key::new(&session("s"), Kind::Token);
        split::put(&Keyutils, &key, &Secret::new("x"), None).unwrap();
        assert!(split::list(&Keyutils).unwrap().iter().any(|entry| entry.key == key));
        split::delete(&Keyutils, &key).unwrap();
        ring.unlink_key(foreign).unwrap();
    }

    /// This test alone, in a process of its own, with a variable that lets it run.
    fn again(test: &str, wrapper: &[&str]) {
        let test = format!("linux::{test}");
        let program = std::env::current_exe().unwrap();
        // Where another user can read it.
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

    fn inner() -> bool {
        std::env::var_os("DAYPASS_TEST_INNER").is_some()
    }

    #[test]
    fn keyutils_works_without_a_session_keyring_and_is_one_for_all_sessions() {
        let key = Key { session: "sessions".to_owned(), start_url: "https://sessions.example".to_owned(), ..a_key() };
        if inner() {
            assert_eq!(text_of(&Keyutils, &key).as_deref(), Some("from outside"));
            return;
        }
        let _kernel = kernel();
        split::put(&Keyutils, &key, &Secret::new("from outside"), Some(in_minutes(5))).unwrap();
        again("keyutils_works_without_a_session_keyring_and_is_one_for_all_sessions", &["keyctl", "session", "-"]);
        split::delete(&Keyutils, &key).unwrap();
    }

    /// A user with the kernel's small quota (20,000 bytes, 200 keys unless raised): another one where we are root, else ourselves.
    #[test]
    fn in_a_small_quota_old_roles_give_way_and_nothing_fails() {
        if uid() == 0 {
            let uid = (40_000 + std::process::id() % 20_000).to_string();
            return again(
                "in_a_small_quota_old_roles_give_way_and_nothing_fails",
                &["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"],
            );
        }
        let _kernel = kernel();
        let session = session("small");
        let keep = |vault: &Vault, number: usize| {
            let expires = in_minutes(i64::try_from(number).unwrap() + 10);
            vault.store_role(&session, &account(number), &role("Dev"), &credentials(&number.to_string(), expires)).unwrap();
        };
        let held = |vault: &Vault| {
            (0..60).filter(|&number| vault.role(&session, &account(number), &role("Dev")).unwrap().is_some()).collect::<Vec<_>>()
        };
        let alone = Vault::on(Box::new(Keyutils), None);
        alone.store_token(&session, &token("stays")).unwrap();
        (0..60).for_each(|number| keep(&alone, number));
        let left = held(&alone);
        assert!(left.len() > 2 && left.len() < 60, "{left:?}");
        assert_eq!(left.last(), Some(&59), "the newest stay");
        assert_eq!(left, (60 - left.len()..60).collect::<Vec<_>>());
        assert_eq!(alone.token(&session).unwrap().unwrap().access.expose(), "stays");
        alone.delete_roles(&session).unwrap();

        let home = tempfile::tempdir().unwrap();
        let both = Vault::on(Box::new(Files::new(Some(home.path().join("d")))), Some(Box::new(Keyutils)));
        (0..60).for_each(|number| keep(&both, number));
        assert_eq!(held(&both).len(), 60, "with another keyring beside it, all are there");
        both.delete_roles(&session).unwrap();
        both.delete_token(&session).unwrap();
    }

    #[test]
    fn keyutils_holds_500_roles() {
        let _kernel = kernel();
        if uid() == 0 {
            holds_500_roles(Box::new(Keyutils));
        }
    }

    // The Secret Service.

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

    #[test]
    fn the_secret_service_keeps_the_contract() {
        keeps_the_contract(&service(&Bus::unlocked()));
    }

    #[test]
    fn the_secret_service_holds_500_roles() {
        holds_500_roles(Box::new(service(&Bus::unlocked())));
    }

    #[test]
    fn items_can_be_found_and_read_with_other_tools() {
        let bus = Bus::unlocked();
        let session = session("corp");
        vault(&bus, "os").store_role(&session, &account(42), &role("Dev"), &credentials("1", in_minutes(5))).unwrap();
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
    fn replacing_leaves_one_item_and_of_duplicates_the_newest_is_read() {
        let bus = Bus::unlocked();
        let (store, key) = (service(&bus), Key::new(&session("s"), Kind::Token));
        put(&store, &key, "old").unwrap();
        put(&store, &key, "new").unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
        // One more attribute makes it another item for the service, as a version of daypass with other attributes would.
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
    fn processes_that_race_leave_one_item() {
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
    fn a_locked_keyring_says_so_at_every_call_and_shows_no_prompt() {
        let bus = Bus::unlocked();
        let (session, key) = (session("s"), a_key());
        vault(&bus, "os").store_token(&session, &token("t")).unwrap();
        let bus = bus.locked_again();
        let mut prompts = bus.watch_prompts();
        let store = service(&bus);
        let is_locked = |fault: vault::Error| matches!(&fault, vault::Error::Locked(what) if what.contains("Login"));
        assert!(is_locked(split::get(&store, &key).unwrap_err()));
        assert!(is_locked(put(&store, &key, "x").unwrap_err()));
        assert!(is_locked(split::delete(&store, &key).unwrap_err()));
        assert!(is_locked(split::list(&store).unwrap_err()));
        for keyring in ["os", "auto"] {
            let vault = vault(&bus, keyring);
            assert!(is_locked(vault.token(&session).unwrap_err()));
            assert!(is_locked(vault.store_token(&session, &token("u")).unwrap_err()));
            assert_eq!(vault.role(&session, &account(1), &role("Dev")), Ok(None));
            assert!(!vault.token_is_volatile());
        }
        let error = Error::from(vault(&bus, "auto").token(&session).unwrap_err());
        assert_eq!((error.exit, error.what.as_str()), (Exit::Keyring, "the keyring \"Login\" is locked"));
        assert!(!prompts.any(&bus));

        // Whereas unlocking does; nobody is there to answer it.
        let unlocked = store.unlock(Duration::from_mins(1));
        assert!(matches!(unlocked, Err(vault::Error::Locked(_))), "{unlocked:?}");
        assert!(prompts.any(&bus));
    }

    #[test]
    fn an_unlocked_keyring_needs_no_unlocking() {
        let bus = Bus::unlocked();
        let mut prompts = bus.watch_prompts();
        put(&service(&bus), &a_key(), "x").unwrap();
        service(&bus).unlock(Duration::from_mins(1)).unwrap();
        assert!(!prompts.any(&bus));
    }

    #[test]
    fn no_bus_no_provider_and_no_default_keyring_are_all_absent() {
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
            for fault in [
                store.probe().unwrap_err(),
                split::get(&store, &a_key()).unwrap_err(),
                put(&store, &a_key(), "x").unwrap_err(),
                split::delete(&store, &a_key()).unwrap_err(),
                split::list(&store).unwrap_err(),
            ] {
                assert!(matches!(fault, vault::Error::Missing(_)), "{case}: {fault:?}");
            }
        }
    }

    #[test]
    fn with_no_secret_service_auto_keeps_the_sign_in_in_the_kernel() {
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
    fn a_warm_role_does_not_touch_the_bus() {
        let _kernel = kernel();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = ("DBUS_SESSION_BUS_ADDRESS".to_owned(), format!("unix:path={}", path.display()));
        let vault = Vault::open(&[address].into_iter().collect()).unwrap();
        let session = session("s");
        vault.store_role(&session, &account(1), &role("Dev"), &credentials("1", in_minutes(5))).unwrap();
        assert!(vault.role(&session, &account(1), &role("Dev")).unwrap().is_some());
        assert!(listener.accept().is_err(), "nobody called");
        split::delete(&Keyutils, &Key::new(&session, Kind::Role(account(1), role("Dev")))).unwrap();
        drop(listener);
        assert_eq!(vault.role(&session, &account(1), &role("Dev")), Ok(None));
    }

    fn times_out(store: &SecretService) {
        assert!(matches!(split::get(store, &a_key()), Err(vault::Error::TimedOut(_))));
        assert!(matches!(put(store, &a_key(), "x"), Err(vault::Error::TimedOut(_))));
        assert!(matches!(split::delete(store, &a_key()), Err(vault::Error::TimedOut(_))));
        assert!(matches!(split::list(store), Err(vault::Error::TimedOut(_))));
    }

    #[test]
    fn a_keyring_daemon_that_hangs_ends_every_call() {
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
    fn a_bus_that_hangs_ends_every_call() {
        let bus = Bus::unlocked();
        bus.stop();
        times_out(&service(&bus));
    }

    #[test]
    fn a_bus_that_accepts_and_never_answers_ends_every_call() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let _listener = UnixListener::bind(&path).unwrap();
        times_out(&SecretService::new(None, Some(path)));
    }

    #[test]
    fn a_bus_whose_queue_is_full_ends_every_call() {
        use socket2::{Domain, SockAddr, Socket, Type};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let _queued = std::os::unix::net::UnixStream::connect(&path).unwrap();
        times_out(&SecretService::new(None, Some(path)));
    }

    /// A bus that sends these bytes to whoever calls, and hangs up when that one is gone.
    fn chatter(bytes: &[u8]) -> Result<Option<Secret>, vault::Error> {
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
    fn a_bus_that_rejects_this_user_is_absent() {
        for answer in ["REJECTED EXTERNAL\r\n", "DATA\r\nERROR\r\n", "", "DATA\r\n", "DATA\r\nOK 00\r\n"] {
            let fault = chatter(answer.as_bytes()).unwrap_err();
            assert!(matches!(fault, vault::Error::Missing(_)), "{answer:?}: {fault:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_bus_that_talks_nonsense_is_a_fault_and_no_panic(
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            starts in prop::sample::select(vec![&b""[..], b"l\x02\x01\x01", b"B\x03\0\x01\0\0\0\x04", b"l\x02\x01\x01\xff\xff\xff\xff"]),
        ) {
            let mut all = b"DATA\r\nOK 0123\r\n".to_vec();
            all.extend_from_slice(starts);
            all.append(&mut bytes);
            prop_assert!(chatter(&all).is_err());
        }
    }
}
