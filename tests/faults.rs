//! The broker in-process, on a vault and against a portal that fail at every step in turn: what it hands out is right and alive, no
//! sign-in is lost that could be kept, and the next call works or says that a sign-in is needed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_macros
)]

#[path = "support/mod.rs"]
mod support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass::broker::{self, Broker, Decision, Flow, Locks, SignInRequest, SignInUi};
use daypass::credentials::{Registration, RoleCredentials, Token};
use daypass::error::{Error, Exit};
use daypass::portal::{Portal as Client, Settings};
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::secret::Secret;
use daypass::sys::env::Env;
use daypass::vault::{self, Backend, Bytes, Item, Vault};
use proptest::prelude::*;
use support::portal::{Answer, Call, Portal, Realm};
use tempfile::TempDir;
use time::OffsetDateTime;

const PATIENCE: Duration = Duration::from_secs(15);

/// What happens to the vault.
#[derive(Debug, Clone)]
enum Trouble {
    /// One call fails.
    Once(vault::Error),
    /// From that call on all fail.
    Ever(vault::Error),
    /// The process ends before that call.
    PowerCut,
    /// It can be read, and takes nothing: a full disk.
    NoRoom,
}

/// Ends the broker where a power cut would.
struct Cut;

/// What another process does, all of it before one call.
type Act = Box<dyn FnOnce()>;

/// A back-end whose calls are counted, and one of which may meet trouble.
#[derive(Default)]
struct Slots {
    contents: RefCell<BTreeMap<String, Vec<u8>>>,
    calls: Cell<usize>,
    trouble: RefCell<Option<(usize, Trouble)>>,
    meanwhile: RefCell<Option<(usize, Act)>>,
}

impl Slots {
    fn step(&self) -> vault::Result<()> {
        let step = self.calls.replace(self.calls.get() + 1);
        let due = self.meanwhile.borrow_mut().take_if(|(at, _)| *at == step);
        if let Some((_, act)) = due {
            act();
        }
        match &*self.trouble.borrow() {
            Some((at, Trouble::Once(fault))) if *at == step => Err(fault.clone()),
            Some((at, Trouble::Ever(fault))) if *at <= step => Err(fault.clone()),
            Some((at, Trouble::PowerCut)) if *at == step => panic::resume_unwind(Box::new(Cut)),
            _ => Ok(()),
        }
    }
}

struct Shared(Rc<Slots>);

impl Backend for Shared {
    fn name(&self) -> &'static str {
        "test"
    }

    fn get(&self, slot: &Item) -> vault::Result<Option<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().get(&slot.name).map(|content| content.clone().into()))
    }

    fn put(&self, slot: &Item, content: &[u8], _: Option<OffsetDateTime>) -> vault::Result<()> {
        self.0.step()?;
        if matches!(*self.0.trouble.borrow(), Some((_, Trouble::NoRoom))) {
            return Err(vault::Error::Full("for the test".to_owned()));
        }
        self.0.contents.borrow_mut().insert(slot.name.clone(), content.to_vec());
        Ok(())
    }

    fn delete(&self, slot: &Item) -> vault::Result<()> {
        self.0.step()?;
        self.0.contents.borrow_mut().remove(&slot.name);
        Ok(())
    }

    fn list(&self) -> vault::Result<Vec<Bytes>> {
        self.0.step()?;
        Ok(self.0.contents.borrow().values().map(|content| content.clone().into()).collect())
    }
}

/// A portal, a vault, a session; each call gets a broker of its own, as each process has.
struct Stage {
    portal: Portal,
    slots: Rc<Slots>,
    vault: Vault,
    session: Session,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        let portal = Portal::live(Realm { long_secrets: false, ..Realm::default() });
        let folder = TempDir::new().unwrap();
        let url = portal.url();
        std::fs::write(folder.path().join("config"), format!("[profile sandbox]\nendpoint_url = {url}\n")).unwrap();
        let slots = Rc::<Slots>::default();
        let vault = Vault::on(Box::new(Shared(Rc::clone(&slots))), None);
        let session =
            Session { name: "corp".to_owned(), start_url: portal.start_url(), region: "us-east-1".to_owned(), scopes: Vec::new() };
        Self { portal, slots, vault, session, folder }
    }

    fn signed_in() -> Self {
        let stage = Self::new();
        stage.sign_in_directly();
        stage
    }

    /// Puts a new sign-in into the vault, as the end of one does.
    fn sign_in_directly(&self) {
        let given = self.portal.sign_in();
        let at = |seconds: u64| OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap();
        let token = Token {
            access: Secret::new(given.access_token),
            expires_at: at(given.expires_at),
            refresh: given.refresh_token.map(Secret::new),
            registration: Registration {
                client_id: given.client_id,
                client_secret: Secret::new(given.client_secret),
                expires_at: at(given.client_expires_at),
                scopes: vec!["sso:account:access".to_owned()],
            },
        };
        self.vault.store_token(&self.session, &token).unwrap();
        self.vault.delete_roles(&self.session).unwrap();
    }

    fn broker(&self) -> Broker<'_> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let env: Env = [("HOME", path("")), ("AWS_CONFIG_FILE", path("config"))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let settings = Settings {
            region: self.session.region.clone(),
            start_url: self.session.start_url.clone(),
            profile: Some("sandbox".to_owned()),
            env,
        };
        Broker::new(&self.session, &self.vault, Client::new(settings), Locks::new(Some(self.folder.path().join("run"))))
    }

    fn ask(&self, role: &str) -> Result<RoleCredentials, Error> {
        self.broker().role_credentials(&account(), &RoleName::new(role).unwrap(), PATIENCE)
    }

    fn change_token(&self, change: impl FnOnce(&mut Token)) {
        let mut token = self.vault.token(&self.session).unwrap().unwrap();
        change(&mut token);
        self.vault.store_token(&self.session, &token).unwrap();
    }

    fn expire_token(&self) {
        self.change_token(|token| token.expires_at = OffsetDateTime::now_utc() - Duration::from_hours(1));
    }

    /// Makes what is kept for a role so old that new credentials are wanted, or dead.
    fn age(&self, role: &str, left: time::Duration) {
        let role = RoleName::new(role).unwrap();
        let Some(mut kept) = self.vault.role(&self.session, &account(), &role).unwrap() else { return };
        let now = OffsetDateTime::now_utc();
        (kept.received_at, kept.expires_at) = (now - Duration::from_hours(2), now + left);
        self.vault.store_role(&self.session, &account(), &role, &kept).unwrap();
    }

    /// What is handed out was issued for this role, and lives.
    #[track_caller]
    fn assert_right(&self, role: &str, credentials: &RoleCredentials) {
        assert!(credentials.expires_at > OffsetDateTime::now_utc(), "expired");
        let right = self.portal.issued().into_iter().any(|issued| {
            issued.role == role
                && issued.access_key_id == credentials.access_key_id
                && issued.secret_access_key == credentials.secret_access_key.expose()
                && issued.session_token == credentials.session_token.expose()
        });
        assert!(right, "not what was issued for {role}");
    }

    /// All is well again: the next call works, or asks for a sign-in where that may be so. Another role, so that nothing that is
    /// remembered of the last call answers.
    #[track_caller]
    fn assert_usable(&self, may_need_sign_in: bool) {
        self.slots.trouble.take();
        match self.ask("ReadOnly") {
            Ok(credentials) => self.assert_right("ReadOnly", &credentials),
            Err(error) => {
                assert!(may_need_sign_in, "a sign-in was lost that could be kept: {error}");
                assert_eq!((error.exit, error.hint.as_str()), (Exit::SignIn, "daypass login corp"), "{error}");
            }
        }
    }
}

fn account() -> AccountId {
    AccountId::new("111122223333").unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
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

    fn set(self) -> Stage {
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
fn a_vault_that_fails_at_any_step_costs_no_sign_in_and_serves_nothing_wrong() {
    let what = || "for the test".to_owned();
    let faults =
        [vault::Error::Locked(what()), vault::Error::Failed(what()), vault::Error::TimedOut(what()), vault::Error::Full(what())];
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
                    Trouble::PowerCut | Trouble::NoRoom => stage.portal.unclaimed() > 0,
                };
                stage.assert_usable(unavoidable);
            }
        }
    });
}

/// Everything that a network may answer.
fn answers() -> Vec<(&'static str, Answer)> {
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
fn a_portal_that_fails_at_any_step_costs_no_sign_in_and_serves_nothing_wrong() {
    let answers = answers();
    let mut all = Vec::new();
    for scene in Scene::ALL {
        for step in 0..scene.steps().1 {
            all.extend(answers.iter().map(|(name, answer)| (scene, step, *name, answer)));
        }
    }
    each(&all, |&(scene, step, name, answer)| {
        let stage = scene.set();
        stage.portal.disturb_after(step, answer.clone());
        let outcome = scene.play(&stage).unwrap();
        eprintln!("{scene:?}, request {step}, {name}: {outcome:?}");
        assert!(stage.portal.was_disturbed());
        if scene == Scene::Ageing && !["403", "404"].contains(&name) {
            assert_eq!(outcome, Ok(()), "there were living credentials in hand");
        }
        // What the service itself has said, and what it has spent with an answer that never came.
        let spent = ["invalid_grant", "invalid_client"].contains(&name) && stage.portal.count(Call::RefreshToken) > 0;
        let unavoidable = match scene {
            Scene::SignIn => outcome.is_err(),
            Scene::SignOut => true,
            _ => spent || stage.portal.unclaimed() > 0,
        };
        stage.assert_usable(unavoidable);
    });
}

#[test]
fn on_a_full_disk_credentials_go_out_and_no_refresh_token_is_spent() {
    let stage = Stage::signed_in();
    stage.slots.trouble.replace(Some((0, Trouble::NoRoom)));
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
    stage.slots.trouble.take();
    stage.expire_token();
    stage.slots.trouble.replace(Some((0, Trouble::NoRoom)));
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::Keyring);
    assert_eq!(stage.portal.count(Call::RefreshToken), 0);
    stage.assert_usable(false);
}

#[test]
fn two_401_in_a_row_are_remembered_for_a_moment_and_cost_no_sign_in() {
    let stage = Stage::signed_in();
    stage.portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::unauthorized());
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    let asked = stage.portal.requests();
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    assert_eq!(stage.portal.requests(), asked);
    stage.assert_usable(false);
}

#[test]
fn signing_in_clears_what_was_remembered() {
    let stage = Stage::signed_in();
    stage.portal.expect(Call::GetRoleCredentials).answered(Answer::no_access());
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    stage.sign_in_directly();
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_token_close_to_its_end_leaves_time_for_what_it_is_for_while_its_refresh_hangs() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    stage.portal.expect(Call::RefreshToken).any_number_of_times().answered(Answer::hang());
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_living_token_survives_a_refresh_token_that_does_not() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    stage.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
    stage.assert_usable(false);
    assert_eq!(stage.portal.count(Call::RefreshToken), 1);
}

#[test]
fn a_living_token_that_can_not_be_refreshed_survives_being_asked_to() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.refresh = None);
    let token = stage.vault.token(&stage.session).unwrap().unwrap();
    let deadline = daypass::sys::clock::Deadline::after(PATIENCE);
    assert_eq!(stage.broker().refreshed(&token, deadline).unwrap_err().exit, Exit::SignIn);
    stage.assert_usable(false);
}

#[test]
fn a_clock_that_jumped_ahead_costs_nothing_once_it_is_back() {
    let stage = Stage::signed_in();
    let registered_until = stage.vault.token(&stage.session).unwrap().unwrap().registration.expires_at;
    stage.change_token(|token| {
        (token.expires_at, token.registration.expires_at) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH);
    });
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    stage.change_token(|token| token.registration.expires_at = registered_until);
    stage.assert_usable(false);
}

#[test]
fn a_damaged_sign_in_ends_in_3_and_damaged_credentials_are_fetched_anew() {
    let stage = Stage::signed_in();
    stage.ask("DeveloperAccess").unwrap();
    let names: Vec<_> = stage.slots.contents.borrow().keys().cloned().collect();
    for name in names {
        let whole = stage.slots.contents.borrow()[&name].clone();
        for damaged in [whole[..whole.len() / 2].to_vec(), b"\0\xff garbage".to_vec(), Vec::new()] {
            stage.slots.contents.borrow_mut().insert(name.clone(), damaged);
            match stage.ask("DeveloperAccess") {
                Ok(credentials) => stage.assert_right("DeveloperAccess", &credentials),
                Err(error) => assert_eq!(error.exit, Exit::SignIn, "{error}"),
            }
            stage.slots.contents.borrow_mut().insert(name.clone(), whole.clone());
        }
    }
    stage.assert_usable(false);
}

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
    fn whatever_happens_in_whatever_order_what_goes_out_is_right(events in events()) {
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
                    stage.sign_in_directly();
                    stage.portal.was_disturbed();
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
                    stage.portal.disturb_after(after, answers()[answer].1.clone());
                    disturbed = true;
                }
                Event::Vault(after, full) => {
                    let why = "for the test".to_owned();
                    let fault = if full { vault::Error::Full(why) } else { vault::Error::Failed(why) };
                    stage.slots.trouble.replace(Some((stage.slots.calls.get() + after, Trouble::Once(fault))));
                }
            }
        }
    }
}

#[test]
fn whenever_somebody_signs_out_or_in_nothing_stays_that_the_sign_in_before_has_fetched() {
    let fetch: fn(&Stage) = |stage| drop(stage.ask("DeveloperAccess"));
    let sign_out: fn(&Stage) = |stage| drop(stage.broker().sign_out(PATIENCE).unwrap());
    // Each of the second in the middle of the first, as another process would, at every call of the vault.
    for (first, second) in [(fetch, sign_out), (sign_out, fetch), (fetch, Stage::sign_in_directly)] {
        for step in 0.. {
            let stage = Rc::new(Scene::Cold.set());
            let (beside, issued_before) = (Rc::clone(&stage), Rc::<RefCell<Vec<String>>>::default());
            let noted = Rc::clone(&issued_before);
            let act = move || {
                noted.replace(beside.portal.issued().into_iter().map(|issued| issued.access_key_id).collect());
                second(&beside);
            };
            stage.slots.meanwhile.replace(Some((step, Box::new(act))));
            first(&stage);
            if stage.slots.meanwhile.take().is_some() {
                assert!(step > 2, "it has {step} steps");
                break;
            }
            let role = RoleName::new("DeveloperAccess").unwrap();
            if let Some(left) = stage.vault.role(&stage.session, &account(), &role).unwrap() {
                assert!(stage.vault.token(&stage.session).unwrap().is_some(), "step {step}: nobody is signed in");
                assert!(!issued_before.borrow().contains(&left.access_key_id), "step {step}: not of this sign-in");
            }
        }
    }
}
