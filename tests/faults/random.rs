//! Random orders.

use daypass::error::Exit;
use proptest::prelude::*;

use crate::every_step::answers;
use crate::fixture::{PATIENCE, Stage};
use crate::store::Trouble;

/// One thing that happens in a random life.
#[derive(Debug, Clone)]
enum Event {
    Ask(bool),
    SignIn,
    SignOut,
    TokenExpires,
    TokensAreRevoked,
    SessionEnds,
    RolesAge,
    RolesExpire,
    Portal(usize, usize),
    Vault(usize, bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => any::<bool>().prop_map(Event::Ask),
        1 => Just(Event::SignIn),
        1 => Just(Event::SignOut),
        2 => Just(Event::TokenExpires),
        1 => Just(Event::TokensAreRevoked),
        1 => Just(Event::SessionEnds),
        2 => Just(Event::RolesAge),
        2 => Just(Event::RolesExpire),
        2 => (0usize..3, 0..answers().len()).prop_map(|(after, answer)| Event::Portal(after, answer)),
        2 => (0usize..8, any::<bool>()).prop_map(|(after, full)| Event::Vault(after, full)),
    ];
    proptest::collection::vec(event, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model: whether the sign-in must serve. It need not after a sign-out, the session's end, or a disturbance of the portal; one
    /// failing call of the vault changes nothing.
    #[test]
    fn any_sequence_of_events_returns_only_correct_credentials(events in events()) {
        let stage = Stage::signed_in();
        let (mut must_serve, mut disturbed) = (true, false);
        for event in events {
            let roles = ["DeveloperAccess", "ReadOnly"];
            match event {
                Event::Ask(first) => {
                    let role = roles[usize::from(first)];
                    let outcome = stage.ask(role);
                    let faulty = stage.slots.trouble.take().is_some();
                    match outcome {
                        Ok(credentials) => stage.assert_right(role, &credentials),
                        Err(error) if faulty => prop_assert!([Exit::Keyring, Exit::SignIn, Exit::Unreachable, Exit::Refused].contains(&error.exit)),
                        Err(error) => {
                            prop_assert!(!must_serve || disturbed, "{error}");
                            prop_assert!([Exit::SignIn, Exit::Unreachable, Exit::Refused].contains(&error.exit), "{error}");
                        }
                    }
                }
                Event::SignIn => {
                    stage.slots.trouble.take();
                    stage.new_sign_in();
                    stage.portal.cancel_injected();
                    (must_serve, disturbed) = (true, false);
                }
                Event::SignOut => {
                    stage.slots.trouble.take();
                    stage.broker().sign_out(PATIENCE).unwrap();
                    must_serve = false;
                    for role in roles {
                        prop_assert_eq!(stage.ask(role).unwrap_err().exit, Exit::SignIn);
                    }
                }
                Event::TokenExpires => {
                    stage.slots.trouble.take();
                    if stage.vault.token(&stage.session).unwrap().is_some() {
                        stage.expire_token();
                    }
                }
                Event::TokensAreRevoked => stage.portal.revoke_access_tokens(),
                Event::SessionEnds => {
                    stage.portal.end_sessions();
                    must_serve = false;
                }
                Event::RolesAge | Event::RolesExpire => {
                    stage.slots.trouble.take();
                    let left = if matches!(event, Event::RolesAge) { time::Duration::minutes(5) } else { -time::Duration::SECOND };
                    for role in roles {
                        stage.age(role, left);
                    }
                }
                Event::Portal(after, answer) => {
                    stage.portal.inject_after(after, answers()[answer].1.clone());
                    disturbed = true;
                }
                Event::Vault(after, full) => {
                    let why = "for the test".to_owned();
                    let fault = if full { daypass::vault::Error::Full(why) } else { daypass::vault::Error::Failed(why) };
                    stage.slots.trouble.replace(Some((stage.slots.calls.get() + after, Trouble::Once(fault))));
                }
            }
        }
    }
}
