//! Random sequences of calls, failures and events.

use daypass::error::Exit;
use proptest::prelude::*;

use crate::every_step::answers;
use crate::fixture::{Fixture, TIMEOUT};
use crate::store::VaultFault;

/// One event of a random sequence.
#[derive(Debug, Clone)]
enum Event {
    /// A call, for the first or the second role.
    Ask(bool),
    SignIn,
    SignOut,
    TokenExpires,
    TokensAreRevoked,
    SessionEnds,
    RolesBecomeStale,
    RolesExpire,
    /// After this many requests the portal gives the answer with this index.
    PortalFault(usize, usize),
    /// After this many calls one call of the vault fails, because it is full or for another reason.
    VaultFault(usize, bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => any::<bool>().prop_map(Event::Ask),
        1 => Just(Event::SignIn),
        1 => Just(Event::SignOut),
        2 => Just(Event::TokenExpires),
        1 => Just(Event::TokensAreRevoked),
        1 => Just(Event::SessionEnds),
        2 => Just(Event::RolesBecomeStale),
        2 => Just(Event::RolesExpire),
        2 => (0usize..3, 0..answers().len()).prop_map(|(after, answer)| Event::PortalFault(after, answer)),
        2 => (0usize..8, any::<bool>()).prop_map(|(after, full)| Event::VaultFault(after, full)),
    ];
    proptest::collection::vec(event, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model is whether the sign-in must work. It need not after a sign-out, the end of the session or a failure of the portal.
    /// One failing call of the vault does not change that.
    #[test]
    fn any_sequence_of_events_returns_only_correct_credentials(events in events()) {
        let fixture = Fixture::signed_in();
        let (mut must_work, mut portal_failed) = (true, false);
        for event in events {
            let roles = ["DeveloperAccess", "ReadOnly"];
            match event {
                Event::Ask(first) => {
                    let role = roles[usize::from(first)];
                    let outcome = fixture.ask(role);
                    let faulty = fixture.store.fault.take().is_some();
                    match outcome {
                        Ok(credentials) => fixture.assert_issued_for(role, &credentials),
                        Err(error) if faulty => prop_assert!([Exit::Keyring, Exit::SignIn, Exit::Unreachable, Exit::Refused].contains(&error.exit)),
                        Err(error) => {
                            prop_assert!(!must_work || portal_failed, "{error}");
                            prop_assert!([Exit::SignIn, Exit::Unreachable, Exit::Refused].contains(&error.exit), "{error}");
                        }
                    }
                }
                Event::SignIn => {
                    fixture.store.fault.take();
                    fixture.new_sign_in();
                    fixture.portal.cancel_injected();
                    (must_work, portal_failed) = (true, false);
                }
                Event::SignOut => {
                    fixture.store.fault.take();
                    fixture.broker().sign_out(TIMEOUT).unwrap();
                    must_work = false;
                    for role in roles {
                        prop_assert_eq!(fixture.ask(role).unwrap_err().exit, Exit::SignIn);
                    }
                }
                Event::TokenExpires => {
                    fixture.store.fault.take();
                    if fixture.vault.token(&fixture.session).unwrap().is_some() {
                        fixture.expire_token();
                    }
                }
                Event::TokensAreRevoked => fixture.portal.revoke_access_tokens(),
                Event::SessionEnds => {
                    fixture.portal.end_sessions();
                    must_work = false;
                }
                Event::RolesBecomeStale | Event::RolesExpire => {
                    fixture.store.fault.take();
                    let left = if matches!(event, Event::RolesBecomeStale) { time::Duration::minutes(5) } else { -time::Duration::SECOND };
                    for role in roles {
                        fixture.set_time_left(role, left);
                    }
                }
                Event::PortalFault(after, answer) => {
                    fixture.portal.inject_after(after, answers()[answer].1.clone());
                    portal_failed = true;
                }
                Event::VaultFault(after, full) => {
                    let why = "for the test".to_owned();
                    let fault = if full { daypass::vault::Error::Full(why) } else { daypass::vault::Error::Failed(why) };
                    fixture.store.fault.replace(Some((fixture.store.calls.get() + after, VaultFault::Once(fault))));
                }
            }
        }
    }
}
