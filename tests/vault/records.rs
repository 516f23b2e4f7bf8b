//! The text of records.

use super::*;

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
    fn records_round_trip(token in tokens(), at in times(), reusable: bool) {
        prop_assert_eq!(Registration::from_text(&token.registration.to_text().unwrap()), Some(token.registration.clone()));
        let sign_in = SignIn::new(token.clone(), reusable);
        let read = SignIn::from_text(&sign_in.to_text().unwrap());
        prop_assert_eq!(read.as_ref(), Some(&sign_in));
        prop_assert_eq!(read.map(SignIn::token), Some(token.clone()));
        let role = RoleCredentials {
            access_key_id: token.registration.client_id.clone(),
            secret_access_key: token.access.clone(),
            session_token: token.access.clone(),
            expires_at: at,
            received_at: token.expires_at,
            clock_offset: time::Duration::minutes(-780),
        };
        prop_assert_eq!(RoleCredentials::from_text(&role.to_text().unwrap()), Some(role));
    }

    #[test]
    fn a_truncated_record_is_a_miss(token in tokens(), cut in any::<prop::sample::Index>()) {
        let text = SignIn::new(token, false).to_text().unwrap();
        let ends: Vec<usize> = text.expose().char_indices().map(|(at, _)| at).collect();
        prop_assert_eq!(SignIn::from_text(&Secret::new(&text.expose()[..ends[cut.index(ends.len())]])), None);
    }

    #[test]
    fn garbage_is_a_miss(text in any::<String>()) {
        prop_assert_eq!(SignIn::from_text(&Secret::new(&*text)), None);
        prop_assert_eq!(RoleCredentials::from_text(&Secret::new(&*text)), None);
    }
}

#[test]
fn an_unknown_version_is_a_miss_and_unknown_fields_are_ignored() {
    let text = registration().to_text().unwrap().expose().to_owned();
    assert_eq!(Registration::from_text(&Secret::new(text.replacen("\"v\":1", "\"v\":2", 1))), None);
    assert_eq!(Registration::from_text(&Secret::new(text.replacen('{', "{\"later\":[1,{}],", 1))), Some(registration_of(&text)));
}

fn registration_of(text: &str) -> Registration {
    Registration::from_text(&Secret::new(text)).unwrap()
}
