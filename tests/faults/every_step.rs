//! Every step in turn.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass::broker::{self, Decision, Flow, SignInRequest, SignInUi};
use daypass::error::{Error, Exit};
use time::OffsetDateTime;

use crate::fixture::{PATIENCE, Stage};
use crate::store::{Cut, Trouble};
use crate::support::portal::{Answer, Call};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scene {
    Warm,
    Ageing,
    Cold,
    ExpiredToken,
    RevokedToken,
    RefusedRole,
    SignIn,
    SignOut,
}

/// Somebody who approves elsewhere.
struct Patient;

impl SignInUi for Patient {
    fn notify(&mut self, _: &broker::Event<'_>) {}

    fn wait(&mut self, pause: Duration, _: Duration) -> Decision {
        daypass::sys::clock::sleep(pause);
        Decision::Continue
    }

    fn restart(&mut self) -> bool {
        false
    }
}

impl Scene {
    const ALL: [Self; 8] = [
        Self::Warm,
        Self::Ageing,
        Self::Cold,
        Self::ExpiredToken,
        Self::RevokedToken,
        Self::RefusedRole,
        Self::SignIn,
        Self::SignOut,
    ];

    pub(super) fn set(self) -> Stage {
        let stage = if self == Self::SignIn { Stage::new() } else { Stage::signed_in() };
        if matches!(self, Self::Warm | Self::Ageing | Self::SignOut) {
            stage.ask("DeveloperAccess").unwrap();
        }
        match self {
            Self::Ageing => stage.age("DeveloperAccess", time::Duration::minutes(10)),
            Self::ExpiredToken => stage.expire_token(),
            Self::RevokedToken => stage.portal.revoke_access_tokens(),
            _ => {}
        }
        stage.slots.calls.set(0);
        stage
    }

    /// Plays it. None where the power was cut.
    fn play(self, stage: &Stage) -> Option<Result<(), Error>> {
        let played = panic::catch_unwind(AssertUnwindSafe(|| match self {
            Self::RefusedRole => stage.ask("Nobody").map(|_| panic!("a role that does not exist")),
            Self::SignIn => stage
                .broker()
                .sign_in(SignInRequest { flow: Flow::Device, port: None, unattended_until: None }, &mut Patient)
                .map(drop),
            Self::SignOut => stage.broker().sign_out(PATIENCE).map(drop),
            _ => stage.ask("DeveloperAccess").map(|credentials| stage.assert_right("DeveloperAccess", &credentials)),
        }));
        played
            .map_err(|payload| {
                if !payload.is::<Cut>() {
                    panic::resume_unwind(payload)
                }
            })
            .ok()
    }

    /// How many calls of the vault and of the portal it takes.
    fn steps(self) -> (usize, usize) {
        let stage = self.set();
        let before = stage.portal.requests();
        let outcome = self.play(&stage).unwrap();
        match self {
            Self::RefusedRole => assert_eq!(outcome.unwrap_err().exit, Exit::Refused),
            _ => outcome.unwrap(),
        }
        (stage.slots.calls.get(), stage.portal.requests() - before)
    }
}

/// Plays every combination, some at a time: signing in waits a second for the person.
fn each<T: Sync>(all: &[T], play: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    play(one);
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
    let once = faults.iter().cloned().map(Trouble::Once);
    let troubles: Vec<_> = once.chain(faults.iter().cloned().map(Trouble::Ever)).chain([Trouble::PowerCut]).collect();
    let mut all = Vec::new();
    for scene in Scene::ALL {
        for step in 0..scene.steps().0 {
            all.extend(troubles.iter().map(|trouble| (scene, step, trouble)));
        }
    }
    each(&all, |&(scene, step, trouble)| {
        let stage = scene.set();
        stage.slots.trouble.replace(Some((step, trouble.clone())));
        let outcome = scene.play(&stage);
        eprintln!("{scene:?}, call {step} of the vault, {trouble:?}: {outcome:?}");
        match &outcome {
            Some(Err(error)) => {
                let expected = if scene == Scene::RefusedRole { vec![Exit::Keyring, Exit::Refused] } else { vec![Exit::Keyring] };
                assert!(expected.contains(&error.exit), "{error}");
            }
            Some(Ok(())) => {}
            None => assert!(matches!(trouble, Trouble::PowerCut)),
        }
        match scene {
            // The sign-in was not there before, or was to go.
            Scene::SignIn => {
                let kept = matches!(outcome, Some(Ok(())));
                stage.assert_usable(!kept);
            }
            Scene::SignOut => {
                stage.slots.trouble.take();
                stage.broker().sign_out(PATIENCE).unwrap();
                let left = stage.vault.sessions().unwrap().len() + stage.vault.roles(OffsetDateTime::now_utc()).unwrap().len();
                assert_eq!(left, 0, "something was left behind");
            }
            _ => {
                let unavoidable = match trouble {
                    Trouble::Once(_) => false,
                    // The vault took what was tried before the refresh, and refuses what came of it, twice.
                    Trouble::Ever(_) => stage.portal.count(Call::RefreshToken) > 0,
                    Trouble::PowerCut | Trouble::NoRoom => stage.portal.unused_refreshes() > 0,
                };
                stage.assert_usable(unavoidable);
            }
        }
    });
}

/// Everything that a network may answer.
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
    for scene in Scene::ALL {
        for step in 0..scene.steps().1 {
            all.extend(answers.iter().map(|(name, answer)| (scene, step, *name, answer)));
        }
    }
    each(&all, |&(scene, step, name, answer)| {
        let stage = scene.set();
        stage.portal.inject_after(step, answer.clone());
        let outcome = scene.play(&stage).unwrap();
        eprintln!("{scene:?}, request {step}, {name}: {outcome:?}");
        assert!(stage.portal.cancel_injected());
        if scene == Scene::Ageing && !["403", "404"].contains(&name) {
            assert_eq!(outcome, Ok(()), "there were living credentials in hand");
        }
        // What the service itself has said, and what it has spent with an answer that never came.
        let spent = ["invalid_grant", "invalid_client"].contains(&name) && stage.portal.count(Call::RefreshToken) > 0;
        let unavoidable = match scene {
            Scene::SignIn => outcome.is_err(),
            Scene::SignOut => true,
            _ => spent || stage.portal.unused_refreshes() > 0,
        };
        stage.assert_usable(unavoidable);
    });
}
