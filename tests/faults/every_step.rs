//! A failure at every call of the vault and at every request to the portal, in every scenario.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass::broker::{self, Decision, Flow, SignInRequest, SignInUi};
use daypass::error::{Error, Exit};
use time::OffsetDateTime;

use crate::fixture::{Fixture, TIMEOUT};
use crate::store::{SimulatedCrash, VaultFault};
use crate::support::portal::{Answer, Call};

/// A state and the call that is made in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    FreshCredentials,
    StaleCredentials,
    NoCredentials,
    ExpiredToken,
    RevokedToken,
    RefusedRole,
    SignIn,
    SignOut,
}

/// The user interface of a sign-in that is approved on another device.
struct ApprovedElsewhere;

impl SignInUi for ApprovedElsewhere {
    fn notify(&mut self, _: &broker::Event<'_>) {}

    fn wait(&mut self, pause: Duration, _: Duration) -> Decision {
        daypass::sys::clock::sleep(pause);
        Decision::Continue
    }

    fn restart(&mut self) -> bool {
        false
    }
}

impl Scenario {
    const ALL: [Self; 8] = [
        Self::FreshCredentials,
        Self::StaleCredentials,
        Self::NoCredentials,
        Self::ExpiredToken,
        Self::RevokedToken,
        Self::RefusedRole,
        Self::SignIn,
        Self::SignOut,
    ];

    pub(super) fn set_up(self) -> Fixture {
        let fixture = if self == Self::SignIn { Fixture::new() } else { Fixture::signed_in() };
        if matches!(self, Self::FreshCredentials | Self::StaleCredentials | Self::SignOut) {
            fixture.ask("DeveloperAccess").unwrap();
        }
        match self {
            Self::StaleCredentials => fixture.set_time_left("DeveloperAccess", time::Duration::minutes(10)),
            Self::ExpiredToken => fixture.expire_token(),
            Self::RevokedToken => fixture.portal.revoke_access_tokens(),
            _ => {}
        }
        fixture.store.calls.set(0);
        fixture
    }

    /// Makes the call. None after a simulated crash.
    fn run(self, fixture: &Fixture) -> Option<Result<(), Error>> {
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| match self {
            Self::RefusedRole => fixture.ask("Nobody").map(|_| panic!("a role that does not exist")),
            Self::SignIn => fixture
                .broker()
                .sign_in(SignInRequest { flow: Flow::Device, port: None, unattended_until: None }, &mut ApprovedElsewhere)
                .map(drop),
            Self::SignOut => fixture.broker().sign_out(TIMEOUT).map(drop),
            _ => fixture.ask("DeveloperAccess").map(|credentials| fixture.assert_issued_for("DeveloperAccess", &credentials)),
        }));
        outcome
            .map_err(|payload| {
                if !payload.is::<SimulatedCrash>() {
                    panic::resume_unwind(payload)
                }
            })
            .ok()
    }

    /// How many calls of the vault and how many requests to the portal it makes.
    fn steps(self) -> (usize, usize) {
        let fixture = self.set_up();
        let before = fixture.portal.requests();
        let outcome = self.run(&fixture).unwrap();
        match self {
            Self::RefusedRole => assert_eq!(outcome.unwrap_err().exit, Exit::Refused),
            _ => outcome.unwrap(),
        }
        (fixture.store.calls.get(), fixture.portal.requests() - before)
    }
}

/// Runs every combination, several in parallel, because a sign-in waits a second between polls.
fn run_all<T: Sync>(all: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run(one);
                }
            });
        }
    });
}

#[test]
fn a_vault_failure_at_any_step_loses_no_sign_in_and_returns_nothing_wrong() {
    let what = || "for the test".to_owned();
    let faults = [
        daypass::vault::Error::Locked(what()),
        daypass::vault::Error::Failed(what()),
        daypass::vault::Error::TimedOut(what()),
        daypass::vault::Error::Full(what()),
    ];
    let once = faults.iter().cloned().map(VaultFault::Once);
    let faults_to_inject: Vec<_> = once.chain(faults.iter().cloned().map(VaultFault::Always)).chain([VaultFault::Crash]).collect();
    let mut all = Vec::new();
    for scenario in Scenario::ALL {
        for step in 0..scenario.steps().0 {
            all.extend(faults_to_inject.iter().map(|fault| (scenario, step, fault)));
        }
    }
    run_all(&all, |&(scenario, step, fault)| {
        let fixture = scenario.set_up();
        fixture.store.fault.replace(Some((step, fault.clone())));
        let outcome = scenario.run(&fixture);
        eprintln!("{scenario:?}, call {step} of the vault, {fault:?}: {outcome:?}");
        match &outcome {
            Some(Err(error)) => {
                let expected =
                    if scenario == Scenario::RefusedRole { vec![Exit::Keyring, Exit::Refused] } else { vec![Exit::Keyring] };
                assert!(expected.contains(&error.exit), "{error}");
            }
            Some(Ok(())) => {}
            None => assert!(matches!(fault, VaultFault::Crash)),
        }
        match scenario {
            // There was no sign-in before, or it was to be deleted.
            Scenario::SignIn => {
                let kept = matches!(outcome, Some(Ok(())));
                fixture.assert_usable(!kept);
            }
            Scenario::SignOut => {
                fixture.store.fault.take();
                fixture.broker().sign_out(TIMEOUT).unwrap();
                let left = fixture.vault.contents(OffsetDateTime::now_utc()).unwrap();
                assert!(left.sessions.is_empty() && left.roles.is_empty(), "something is left in the vault: {left:?}");
            }
            _ => {
                let unavoidable = match fault {
                    VaultFault::Once(_) => false,
                    // The vault accepted the write before the refresh, and rejected both writes of the new tokens.
                    VaultFault::Always(_) => fixture.portal.count(Call::RefreshToken) > 0,
                    VaultFault::Crash | VaultFault::DiskFull => fixture.portal.unused_refreshes() > 0,
                };
                fixture.assert_usable(unavoidable);
            }
        }
    });
}

/// Every answer that a network may give.
pub(super) fn answers() -> Vec<(&'static str, Answer)> {
    vec![
        ("reset", Answer::reset()),
        ("lost", Answer::served().but_lost()),
        ("truncated", Answer::served().but_truncated()),
        ("garbage", Answer::garbage()),
        ("500", Answer::status(500)),
        ("503", Answer::status(503)),
        ("408", Answer::status(408)),
        ("throttled", Answer::throttled(1)),
        ("captive portal", Answer::captive_portal()),
        ("redirect", Answer::redirect("https://hotel.example/")),
        ("empty object", Answer::body(200, "{}")),
        ("401", Answer::unauthorized()),
        ("403", Answer::no_access()),
        ("404", Answer::not_found()),
        ("invalid_grant", Answer::oidc("invalid_grant")),
        ("invalid_client", Answer::oidc("invalid_client")),
        ("a proxy's 401", Answer::body(401, r#"{"message":"Sign in to the proxy"}"#)),
        ("a proxy's 403", Answer::body(403, r#"{"message":"Forbidden"}"#)),
    ]
}

#[test]
fn a_portal_failure_at_any_step_loses_no_sign_in_and_returns_nothing_wrong() {
    let answers = answers();
    let mut all = Vec::new();
    for scenario in Scenario::ALL {
        for step in 0..scenario.steps().1 {
            all.extend(answers.iter().map(|(name, answer)| (scenario, step, *name, answer)));
        }
    }
    run_all(&all, |&(scenario, step, name, answer)| {
        let fixture = scenario.set_up();
        fixture.portal.inject_after(step, answer.clone());
        let outcome = scenario.run(&fixture).unwrap();
        eprintln!("{scenario:?}, request {step}, {name}: {outcome:?}");
        assert!(fixture.portal.cancel_injected());
        if scenario == Scenario::StaleCredentials && !["403", "404"].contains(&name) {
            assert_eq!(outcome, Ok(()), "unexpired credentials were cached");
        }
        // The service itself invalidated the sign-in, or replaced the refresh token in an answer that was lost.
        let invalidated = name == "invalid_grant" && fixture.portal.count(Call::RefreshToken) > 0;
        let unavoidable = match scenario {
            Scenario::SignIn => outcome.is_err(),
            Scenario::SignOut => true,
            _ => invalidated || fixture.portal.unused_refreshes() > 0,
        };
        fixture.assert_usable(unavoidable);
    });
}
