//! Single cases.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use daypass::error::Exit;
use daypass::profile::names::RoleName;
use time::OffsetDateTime;

use crate::every_step::Scene;
use crate::fixture::{PATIENCE, Stage, account};
use crate::store::Trouble;
use crate::support::portal::{Answer, Call};

#[test]
fn a_full_disk_still_returns_credentials_and_uses_no_refresh_token() {
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
fn two_401s_in_a_row_are_remembered_briefly_and_lose_no_sign_in() {
    let stage = Stage::signed_in();
    stage.portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::unauthorized());
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    let asked = stage.portal.requests();
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    assert_eq!(stage.portal.requests(), asked);
    stage.assert_usable(false);
}

#[test]
fn signing_in_clears_remembered_failures() {
    let stage = Stage::signed_in();
    stage.portal.expect(Call::GetRoleCredentials).answered(Answer::no_access());
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    assert_eq!(stage.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    stage.new_sign_in();
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_hanging_refresh_leaves_time_to_use_a_token_that_is_about_to_expire() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    stage.portal.expect(Call::RefreshToken).any_number_of_times().answered(Answer::hang());
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_valid_access_token_survives_invalid_grant() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    stage.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
    stage.assert_right("DeveloperAccess", &stage.ask("DeveloperAccess").unwrap());
    stage.assert_usable(false);
    assert_eq!(stage.portal.count(Call::RefreshToken), 1);
}

#[test]
fn a_valid_token_without_a_refresh_token_survives_a_refresh_attempt() {
    let stage = Stage::signed_in();
    stage.change_token(|token| token.refresh = None);
    let token = stage.vault.token(&stage.session).unwrap().unwrap();
    let deadline = daypass::sys::clock::Deadline::after(PATIENCE);
    assert_eq!(stage.broker().refreshed(&token, deadline).unwrap_err().exit, Exit::SignIn);
    stage.assert_usable(false);
}

#[test]
fn a_clock_jump_loses_no_sign_in_once_corrected() {
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
fn a_damaged_sign_in_ends_with_3_and_damaged_credentials_are_fetched_again() {
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

#[test]
fn a_concurrent_sign_in_or_sign_out_leaves_no_credentials_of_the_previous_sign_in() {
    let fetch: fn(&Stage) = |stage| drop(stage.ask("DeveloperAccess"));
    let sign_out: fn(&Stage) = |stage| drop(stage.broker().sign_out(PATIENCE).unwrap());
    // Each of the second in the middle of the first, as another process would, at every call of the vault.
    for (first, second) in [(fetch, sign_out), (sign_out, fetch), (fetch, Stage::new_sign_in)] {
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
