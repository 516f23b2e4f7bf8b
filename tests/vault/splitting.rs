//! Values that are split into several items: interrupted writes, mixed and damaged parts.

use super::*;

const LIMIT: usize = 400;

/// A value of one letter, so that values can be told apart. Its length decides into how many parts it is split.
fn text(letter: char, len: usize) -> Secret {
    Secret::new(letter.to_string().repeat(len))
}

proptest! {
    #[test]
    fn a_writer_that_dies_at_any_step_leaves_the_old_value_or_the_new_one(old in 1_usize..4000, new in 1_usize..4000, step in 0_usize..60) {
        let (store, key) = (TestBackend::with_limit(LIMIT), a_key());
        split::put(&store, &key, &text('o', old), None).unwrap();
        store.fail_after(step, vault::Error::Failed("dead".to_owned()));
        for _ in 0..200 {
            store.fail_after(0, vault::Error::Failed("dead".to_owned()));
        }
        let finished = split::put(&store, &key, &text('n', new), None).is_ok();
        let store = TestBackend::copy_of(&store);
        let found = split::get(&store, &key).unwrap();
        prop_assert!(found == Some(text('o', old)) || found == Some(text('n', new)));
        prop_assert!(!finished || found == Some(text('n', new)));

        // The next write removes what is left.
        split::put(&store, &key, &text('z', 1), None).unwrap();
        prop_assert_eq!(store.names(), [key.id()]);
    }

    #[test]
    fn a_failed_step_leaves_no_parts_behind(old in 1_usize..4000, new in 1_usize..4000, step in 0_usize..60) {
        let (store, key) = (TestBackend::with_limit(LIMIT), a_key());
        split::put(&store, &key, &text('o', old), None).unwrap();
        let before = store.names().len();
        store.fail_after(step, vault::Error::Full("no room".to_owned()));
        let put = split::put(&store, &key, &text('n', new), None);
        let store = TestBackend::copy_of(&store);
        let found = split::get(&store, &key).unwrap();
        if found == Some(text('o', old)) {
            prop_assert!(put.is_err());
            prop_assert_eq!(store.names().len(), before);
        } else {
            prop_assert_eq!(found, Some(text('n', new)));
        }
    }

    #[test]
    fn any_mix_of_writes_reads_as_one_of_them_or_a_miss(
        lens in (1_usize..4000, 1_usize..4000),
        choice in prop::collection::vec(0..4, 64),
        cut in any::<prop::sample::Index>(),
    ) {
        let key = a_key();
        let first = TestBackend::with_limit(LIMIT);
        split::put(&first, &key, &text('a', lens.0), None).unwrap();
        let second = TestBackend::copy_of(&first);
        split::put(&second, &key, &text('b', lens.1), None).unwrap();
        // The third value has the same generation as the first.
        let third = TestBackend::copy_of(&second);
        split::put(&third, &key, &text('c', lens.0), None).unwrap();

        let mut names = [first.names(), second.names(), third.names()].concat();
        names.sort();
        names.dedup();
        let mixed = TestBackend::with_limit(LIMIT);
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
    fn arbitrary_bytes_are_a_miss_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (store, key) = (TestBackend::default(), a_key());
        store.damage(&key.id(), &bytes);
        prop_assert_eq!(split::get(&store, &key).unwrap(), None);
        prop_assert_eq!(split::list(&store).unwrap(), []);
    }
}

#[test]
fn a_value_under_another_keys_name_is_a_miss() {
    let store = TestBackend::default();
    let (mine, other) = (a_key(), Key { session: "other".to_owned(), ..a_key() });
    split::put(&store, &other, &Secret::new("x"), None).unwrap();
    store.damage(&mine.id(), &store.content(&other.id()).unwrap());
    assert_eq!(split::get(&store, &mine).unwrap(), None);
}
