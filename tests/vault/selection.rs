//! Which keyring the vault uses for what, and what it does if one of them fails.

use std::rc::Rc;

use super::*;

/// A back-end that the test and the vault share.
#[derive(Clone, Default)]
struct Shared(Rc<TestBackend>);

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
    fn get(&self, item: &Item) -> vault::Result<Option<Bytes>> {
        self.0.get(item)
    }
    fn put(&self, item: &Item, content: &[u8], expires: Option<OffsetDateTime>) -> vault::Result<()> {
        self.0.put(item, content, expires)
    }
    fn delete(&self, item: &Item) -> vault::Result<()> {
        self.0.delete(item)
    }
    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.0.list()
    }
}

fn shared(memory: TestBackend) -> Shared {
    Shared(Rc::new(memory))
}

fn vault_on(durable: &Shared, cache: &Shared) -> Vault {
    Vault::new(Box::new(durable.clone()), Some(Box::new(cache.clone())))
}

fn missing() -> vault::Error {
    vault::Error::Missing("not here".to_owned())
}

fn locked() -> vault::Error {
    vault::Error::Locked("the keyring".to_owned())
}

#[test]
fn an_unknown_keyring_is_a_usage_error_that_lists_the_known_ones() {
    let env: Env = [("DAYPASS_KEYRING".to_owned(), "kwallet".to_owned())].into_iter().collect();
    let error = Vault::open(&env).err().unwrap();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.what.contains("kwallet") && error.what.contains("auto") && error.what.contains("file"), "{error}");
}

#[test]
fn every_keyring_error_has_exit_status_5_and_a_hint() {
    let what = || "x".to_owned();
    for error in [
        vault::Error::Missing(what()),
        vault::Error::Locked(what()),
        vault::Error::Unconfirmed { what: what(), setting: "y" },
        vault::Error::Failed(what()),
        vault::Error::TimedOut(what()),
        vault::Error::Full(what()),
        vault::Error::Quota(what()),
    ] {
        let error = Error::from(error);
        assert_eq!(error.exit, Exit::Keyring);
        assert!(!error.hint.is_empty());
    }
}

#[test]
fn role_credentials_come_from_the_cache_while_the_os_keyring_is_locked() {
    let (durable, cache) = (shared(TestBackend::down(locked())), Shared::default());
    let (vault, session) = (vault_on(&durable, &cache), session("s"));
    let kept = credentials("1", in_minutes(5));
    vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &kept).unwrap();
    assert_eq!(vault.role(&session, &Kind::Role(account(1), role("Dev"))).unwrap(), Some(kept));
    assert_eq!(vault.role(&session, &Kind::Role(account(2), role("Dev"))).unwrap(), None, "a miss is no error");
    assert_eq!(vault.contents(clock::now()).unwrap().roles.len(), 1);
    assert_eq!(vault.token(&session), Err(locked()), "reading the token reports the reason");
    assert_eq!(vault.store_token(&session, &token("t")), Err(locked()), "locked is not missing");
    assert_eq!(vault.delete_roles(&session), Err(locked()), "there may be more in the locked keyring");
    assert_eq!(vault.contents(clock::now()).unwrap().roles.len(), 0);
    assert_eq!(vault.locations()[0].why, "the keyring is locked");
}

#[test]
fn without_an_os_keyring_tokens_are_kept_in_the_cache() {
    let (durable, cache) = (shared(TestBackend::down(missing())), Shared::default());
    let (vault, session) = (vault_on(&durable, &cache), session("s"));
    vault.store_token(&session, &token("t")).unwrap();
    vault.store_registration(&session, &registration()).unwrap();
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "t");
    assert!(vault.registration(&session).unwrap().is_some());
    assert!(vault.token_is_volatile());
    assert_eq!(vault.locations()[0].why, "not here; lost on reboot");
    vault.delete_token(&session).unwrap();
    assert_eq!(vault.token(&session).unwrap(), None);
    assert_eq!(vault.unlock(Duration::ZERO), Ok(()));
}

#[test]
fn without_any_keyring_the_error_is_that_of_the_os_keyring() {
    let vault = vault_on(
        &shared(TestBackend::down(missing())),
        &shared(TestBackend::down(vault::Error::Missing("no kernel keyring".to_owned()))),
    );
    let session = session("s");
    assert_eq!(vault.token(&session), Err(missing()));
    assert_eq!(vault.store_token(&session, &token("t")), Err(missing()));
    assert_eq!(vault.role(&session, &Kind::Role(account(1), role("Dev"))), Ok(None));
    assert_eq!(vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &credentials("1", in_minutes(5))), Err(missing()));
    assert_eq!(vault.contents(clock::now()).unwrap().roles, []);
    assert_eq!(vault.delete_token(&session), Ok(()));
}

#[test]
fn a_sign_in_in_the_cache_is_found_and_moves_to_the_os_keyring_with_the_next_one() {
    let (cache, session) = (Shared::default(), session("s"));
    vault_on(&shared(TestBackend::down(missing())), &cache).store_token(&session, &token("ssh")).unwrap();
    let durable = Shared::default();
    let vault = vault_on(&durable, &cache);
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "ssh");
    vault.store_token(&session, &token("desktop")).unwrap();
    assert!(cache.0.names().is_empty());
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "desktop");
}

#[test]
fn without_a_cache_role_credentials_are_kept_in_the_os_keyring() {
    let durable = Shared::default();
    let (vault, session) = (vault_on(&durable, &shared(TestBackend::down(missing()))), session("s"));
    vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &credentials("1", in_minutes(5))).unwrap();
    assert!(vault.role(&session, &Kind::Role(account(1), role("Dev"))).unwrap().is_some());
    assert_eq!(durable.0.names().len(), 1);
    assert_eq!(vault.locations()[1].why, "not here");
    vault.store_role(&session, &Kind::Role(account(2), role("Dev")), &credentials("2", in_minutes(-1))).unwrap();
    vault.store_role(&session, &Kind::Role(account(3), role("Dev")), &credentials("3", in_minutes(5))).unwrap();
    assert_eq!(vault.role(&session, &Kind::Role(account(2), role("Dev"))).unwrap(), None, "storing a role drops expired ones");
}

#[test]
fn a_full_cache_moves_its_oldest_roles_to_the_os_keyring() {
    let (durable, cache) = (Shared::default(), shared(TestBackend::with_capacity(3)));
    let (vault, session) = (vault_on(&durable, &cache), session("s"));
    for number in 0..10 {
        let minutes = i64::try_from(number).unwrap() + 10;
        vault
            .store_role(&session, &Kind::Role(account(number), role("Dev")), &credentials(&number.to_string(), in_minutes(minutes)))
            .unwrap();
    }
    for number in 0..10 {
        assert!(vault.role(&session, &Kind::Role(account(number), role("Dev"))).unwrap().is_some(), "{number}");
        let key = Key::new(&session, Kind::Role(account(number), role("Dev")));
        assert_eq!(split::get(&cache, &key).unwrap().is_some(), number >= 7, "{number}");
        assert_eq!(split::get(&durable, &key).unwrap().is_some(), number < 7, "{number}");
        let at_hand = vault.role_at_hand(&session, &Kind::Role(account(number), role("Dev"))).unwrap();
        assert_eq!(at_hand.is_some(), number >= 7, "{number}");
    }
    assert_eq!(vault.contents(clock::now()).unwrap().roles.len(), 10);
    vault.delete_roles(&session).unwrap();
    assert!(durable.0.names().is_empty() && cache.0.names().is_empty());
}

#[test]
fn a_full_keyring_drops_roles_but_never_tokens() {
    let (cache, session) = (shared(TestBackend::with_capacity(3)), session("s"));
    let vault = vault_on(&shared(TestBackend::down(missing())), &cache);
    vault.store_token(&session, &token("t")).unwrap();
    for (number, minutes) in (0..5).zip(5..) {
        vault.store_role(&session, &Kind::Role(account(number), role("Dev")), &credentials("x", in_minutes(minutes))).unwrap();
    }
    vault.store_registration(&session, &registration()).unwrap();
    assert!(vault.role(&session, &Kind::Role(account(4), role("Dev"))).unwrap().is_some());
    assert!(vault.token(&session).unwrap().is_some() && vault.registration(&session).unwrap().is_some());
    let other = Session { name: "other".to_owned(), ..session.clone() };
    vault.store_token(&other, &token("u")).unwrap();
    assert!(matches!(vault.store_registration(&other, &registration()), Err(vault::Error::Full(_))), "three that can't go");
    assert!(vault.token(&session).unwrap().is_some());
}

#[test]
fn reading_deletes_nothing_even_if_the_clock_is_ahead() {
    let (durable, cache, session) = (Shared::default(), Shared::default(), session("s"));
    let vault = vault_on(&durable, &cache);
    vault.store_token(&session, &Token { refresh: None, ..token("t") }).unwrap();
    vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &credentials("1", in_minutes(5))).unwrap();
    let names = || [durable.0.names(), cache.0.names()].concat();
    let before = names();
    let ahead = clock::now() + time::Duration::days(400);
    assert_eq!(vault.contents(ahead).unwrap().roles, [], "expired credentials are not shown");
    assert_eq!(vault.contents(clock::now()).unwrap().sessions.len(), 1);
    assert!(
        vault.token(&session).unwrap().is_some() && vault.role(&session, &Kind::Role(account(1), role("Dev"))).unwrap().is_some()
    );
    assert_eq!(names(), before);
}

#[test]
fn expired_role_credentials_make_space_and_expired_sign_ins_stay() {
    let (store, session) = (shared(TestBackend::with_capacity(3)), session("s"));
    let vault = Vault::new(Box::new(store.clone()), None);
    vault.store_token(&session, &Token { refresh: None, expires_at: in_minutes(-5), ..token("t") }).unwrap();
    vault.store_role(&session, &Kind::Role(account(1), role("Dev")), &credentials("1", in_minutes(-5))).unwrap();
    vault.store_registration(&session, &Registration { expires_at: in_minutes(-5), ..registration() }).unwrap();
    vault.store_role(&session, &Kind::Role(account(2), role("Dev")), &credentials("2", in_minutes(5))).unwrap();
    assert!(vault.token(&session).unwrap().is_some() && vault.registration(&session).unwrap().is_some());
    assert!(vault.role(&session, &Kind::Role(account(1), role("Dev"))).unwrap().is_none());
}

#[test]
fn a_sign_in_contains_its_registration_and_both_survive_a_sign_out_and_a_refresh() {
    let (store, session) = (Shared::default(), session("s"));
    let vault = Vault::new(Box::new(store.clone()), None);
    let other = Registration { client_id: "of another flow".to_owned(), ..registration() };
    vault.store_registration(&session, &registration()).unwrap();
    vault.store_token(&session, &token("t")).unwrap();
    assert_eq!(store.0.names().len(), 1, "the client secret is stored once");
    let of_next_sign_in = || vault.registration(&session).unwrap().map(|registration| registration.client_id);
    assert_eq!(of_next_sign_in().as_deref(), Some("client"));
    vault.store_token(&session, &token("refreshed")).unwrap();
    assert_eq!(of_next_sign_in().as_deref(), Some("client"));
    vault.delete_token(&session).unwrap();
    assert_eq!(of_next_sign_in().as_deref(), Some("client"));
    vault.store_token(&session, &Token { registration: other, ..token("pkce") }).unwrap();
    assert_eq!(of_next_sign_in().as_deref(), Some("client"), "a client of another flow is not for the next one");
    assert_eq!(store.0.names().len(), 2);
}

#[test]
fn a_sign_in_that_the_keyring_lost_in_the_middle_moves_home_when_it_is_back() {
    let (durable, cache, session) = (Shared::default(), Shared::default(), session("s"));
    vault_on(&durable, &cache).store_token(&session, &token("old")).unwrap();
    let locked_now = vault_on(&shared(TestBackend::down(locked())), &cache);
    assert_eq!(locked_now.store_token(&session, &token("new")), Err(locked()));
    locked_now.rescue_token(&session, &token("new")).unwrap();
    assert_eq!(locked_now.token(&session).unwrap().unwrap().access.expose(), "new", "while it is locked");
    assert!(!locked_now.is_unsettled(&session));
    let vault = vault_on(&durable, &cache);
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "new", "not the old one");
    assert!(vault.is_unsettled(&session));
    vault.settle(&session).unwrap();
    assert!(cache.0.names().is_empty() && !vault.is_unsettled(&session));
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "new");
}

#[test]
fn a_vault_that_takes_no_sign_in_is_found_by_a_write_that_leaves_nothing() {
    let (store, session) = (Shared::default(), session("s"));
    let vault = Vault::new(Box::new(store.clone()), None);
    vault.verify(&session).unwrap();
    assert!(store.0.names().is_empty());
    vault.store_token(&session, &token("t")).unwrap();
    vault.verify(&session).unwrap();
    assert_eq!(vault.token(&session).unwrap().unwrap().access.expose(), "t");
    let full = Vault::new(Box::new(TestBackend::with_capacity(0)), None);
    assert!(matches!(full.verify(&session), Err(vault::Error::Full(_))));
    assert_eq!(vault_on(&shared(TestBackend::down(locked())), &Shared::default()).verify(&session), Err(locked()));
}

#[test]
fn what_cannot_be_read_is_not_shown_as_empty() {
    for error in [missing(), locked()] {
        let only = Vault::new(Box::new(TestBackend::down(error.clone())), None);
        assert_eq!(only.contents(clock::now()).err(), Some(error.clone()));
        let beside_a_cache = vault_on(&shared(TestBackend::down(error.clone())), &Shared::default());
        let unread = beside_a_cache.contents(clock::now()).unwrap().unread;
        assert_eq!(unread, Some(error).filter(|error| *error == locked()));
    }
}
