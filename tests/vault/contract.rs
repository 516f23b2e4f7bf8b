//! What every back-end must do.

use super::*;

pub(super) fn meets_the_contract(store: &dyn Backend) {
    let base = session("corp");
    let key = Key::new(&base, Kind::Token);
    let later = Some(in_minutes(60));
    let put = |key: &Key, text: &str| split::put(store, key, &Secret::new(text), later).unwrap();
    let of_base = || {
        let entries = split::list(store).unwrap();
        entries.into_iter().filter(|entry| entry.key.start_url.contains(&base.start_url)).collect::<Vec<_>>()
    };

    assert_eq!(text_of(store, &key), None, "empty at first");
    split::delete(store, &key).unwrap();
    put(&key, "first");
    assert_eq!(text_of(store, &key).as_deref(), Some("first"));
    put(&key, "second, and longer");
    put(&key, "third");
    assert_eq!(text_of(store, &key).as_deref(), Some("third"), "the last value is kept");
    assert_eq!(of_base().len(), 1, "and is the only item");
    assert_eq!(of_base()[0].expires, later);

    // Hostile names, and keys that differ in one field only.
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
    assert_eq!(of_base().len(), 1, "only the other items were deleted");

    // Long values that grow and shrink, with lengths around every limit.
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

pub(super) fn keeps_500_roles(store: Box<dyn Backend>) {
    let (mine, other) = (session("mine"), session("other"));
    let expires = in_minutes(60);
    // Storing a role through the vault also lists all items, to drop expired ones. With 500 items that is slow, so most are stored
    // directly.
    for number in 0..480 {
        let key = Key::new(&mine, Kind::Role(account(number), role("Dev")));
        let text = credentials(&number.to_string(), expires).to_text().unwrap();
        split::put(store.as_ref(), &key, &text, Some(expires)).unwrap();
    }
    let vault = Vault::new(store, None);
    vault.store_token(&mine, &token("stays")).unwrap();
    for number in 480..500 {
        vault.store_role(&mine, &Kind::Role(account(number), role("Dev")), &credentials(&number.to_string(), expires)).unwrap();
    }
    vault.store_role(&other, &Kind::Role(account(1), role("Dev")), &credentials("other", expires)).unwrap();
    vault.store_role(&mine, &Kind::Role(account(1), role("Past")), &credentials("past", in_minutes(-1))).unwrap();
    for number in 0..500 {
        let found = vault.role(&mine, &Kind::Role(account(number), role("Dev"))).unwrap().unwrap();
        assert_eq!(found.access_key_id, format!("ASIA{number}"));
    }
    let of_test = |vault: &Vault| {
        let roles = vault.contents(clock::now()).unwrap().roles;
        roles.into_iter().filter(|(key, _)| [&mine.start_url, &other.start_url].contains(&&key.start_url)).collect::<Vec<_>>()
    };
    let listed = of_test(&vault);
    assert_eq!(listed.len(), 501, "all but the expired one");
    assert!(listed.iter().all(|(_, at)| *at == expires));
    vault.delete_roles(&mine).unwrap();
    assert_eq!(of_test(&vault), [(Key::new(&other, Kind::Role(account(1), role("Dev"))), expires)]);
    assert_eq!(vault.token(&mine).unwrap().unwrap().access.expose(), "stays");
    vault.delete_roles(&other).unwrap();
    vault.delete_token(&mine).unwrap();
}

#[test]
fn memory_meets_the_contract() {
    meets_the_contract(&Memory::default());
    meets_the_contract(&TestBackend::default());
    meets_the_contract(&TestBackend::with_limit(2500));
    keeps_500_roles(Box::new(TestBackend::with_limit(2500)));
}

#[test]
fn files_meet_the_contract() {
    let home = tempfile::tempdir().unwrap();
    meets_the_contract(&Files::new(Some(home.path().join("share/daypass"))));
    keeps_500_roles(Box::new(Files::new(Some(home.path().join("share/daypass")))));
}
