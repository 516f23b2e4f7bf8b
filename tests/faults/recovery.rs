//! Single failures and races, and what is left after them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use daypass::broker::{Broker, PortalSession};
use daypass::error::Exit;
use daypass::profile::names::RoleName;
use daypass::vault::memory::Memory;
use daypass::vault::{Kind, Vault};
use time::OffsetDateTime;

use crate::every_step::Scenario;
use crate::fixture::{Fixture, TIMEOUT, account};
use crate::store::{SharedStore, VaultFault};
use crate::support::portal::{Answer, Call};

#[test]
fn credentials_that_did_not_fit_in_the_cache_are_used_like_those_in_it() {
    let mut fixture = Fixture::signed_in();
    let first = fixture.ask("DeveloperAccess").unwrap();
    let with_an_empty_cache =
        |fixture: &Fixture| Vault::new(Box::new(SharedStore(Rc::clone(&fixture.store))), Some(Box::new(Memory::default())));
    let vault = with_an_empty_cache(&fixture);
    let durable = std::mem::replace(&mut fixture.vault, vault);
    assert_eq!(fixture.ask("DeveloperAccess").unwrap().access_key_id, first.access_key_id, "they are fresh");
    fixture.vault = durable;
    fixture.set_time_left("DeveloperAccess", time::Duration::minutes(10));
    fixture.vault = with_an_empty_cache(&fixture);
    fixture.portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::status(500));
    assert_eq!(fixture.ask("DeveloperAccess").unwrap().access_key_id, first.access_key_id, "they expire soon, but are valid");
}

#[test]
fn a_full_disk_still_returns_credentials_and_uses_no_refresh_token() {
    let fixture = Fixture::signed_in();
    fixture.store.fault.replace(Some((0, VaultFault::DiskFull)));
    fixture.assert_issued_for("DeveloperAccess", &fixture.ask("DeveloperAccess").unwrap());
    fixture.store.fault.take();
    fixture.expire_token();
    fixture.store.fault.replace(Some((0, VaultFault::DiskFull)));
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::Keyring);
    assert_eq!(fixture.portal.count(Call::RefreshToken), 0);
    fixture.assert_usable(false);
}

#[test]
fn two_401s_in_a_row_are_remembered_briefly_and_lose_no_sign_in() {
    let fixture = Fixture::signed_in();
    fixture.portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::unauthorized());
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    let before = fixture.portal.requests();
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    assert_eq!(fixture.portal.requests(), before);
    fixture.assert_usable(false);
}

#[test]
fn signing_in_clears_remembered_failures() {
    let fixture = Fixture::signed_in();
    fixture.portal.expect(Call::GetRoleCredentials).answered(Answer::no_access());
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::Refused);
    fixture.new_sign_in();
    fixture.assert_issued_for("DeveloperAccess", &fixture.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_hanging_refresh_leaves_time_to_use_a_token_that_is_about_to_expire() {
    let fixture = Fixture::signed_in();
    fixture.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    fixture.portal.expect(Call::RefreshToken).any_number_of_times().answered(Answer::hang());
    fixture.assert_issued_for("DeveloperAccess", &fixture.ask("DeveloperAccess").unwrap());
}

#[test]
fn a_valid_access_token_survives_invalid_grant() {
    let fixture = Fixture::signed_in();
    fixture.change_token(|token| token.expires_at = OffsetDateTime::now_utc() + Duration::from_mins(2));
    fixture.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
    fixture.assert_issued_for("DeveloperAccess", &fixture.ask("DeveloperAccess").unwrap());
    fixture.assert_usable(false);
    assert_eq!(fixture.portal.count(Call::RefreshToken), 1);
}

#[test]
fn after_invalid_grant_the_token_of_another_process_is_awaited_and_used() {
    let fixture = Rc::new(Fixture::signed_in());
    fixture.expire_token();
    let before = fixture.store.calls.get();
    fixture.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
    let _ = fixture.broker().token(daypass::sys::clock::Deadline::after(Duration::from_secs(3)));
    // The last look before this one gives up is at about twice the steps of the first look after the refusal.
    let steps = fixture.store.calls.get() - before;
    let newer: fn(&Fixture) = Fixture::new_sign_in;
    // This one is not used at once, but it can be refreshed, and nothing may be stored in its place.
    let newer_but_expired: fn(&Fixture) = |fixture| {
        fixture.new_sign_in();
        fixture.expire_token();
    };
    for (sign_in, is_used) in [(newer, true), (newer_but_expired, false)] {
        fixture.new_sign_in();
        fixture.expire_token();
        let refreshes = fixture.portal.count(Call::RefreshToken);
        fixture.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
        let other_process = Rc::clone(&fixture);
        let late = fixture.store.calls.get() + steps / 2;
        fixture.store.concurrent.replace(Some((late, Box::new(move || sign_in(&other_process)))));
        match fixture.ask("DeveloperAccess") {
            Ok(credentials) => fixture.assert_issued_for("DeveloperAccess", &credentials),
            Err(error) => assert_eq!((error.exit, is_used), (Exit::SignIn, false), "{error}"),
        }
        assert!(fixture.store.concurrent.take().is_none(), "the other process has signed in");
        assert_eq!(fixture.portal.count(Call::RefreshToken), refreshes + 1);
        fixture.assert_usable(false);
    }
}

#[test]
fn a_sign_in_that_the_portal_has_ended_is_deleted_and_not_used_again() {
    let without_refresh_token: fn(&Fixture) = |fixture| fixture.change_token(|token| token.refresh = None);
    let with_a_used_one: fn(&Fixture) = |fixture| fixture.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_grant"));
    for prepare in [without_refresh_token, with_a_used_one] {
        let fixture = Fixture::signed_in();
        let ask = |broker: &Broker<'_>| broker.role_credentials(&account(), &RoleName::new("ReadOnly").unwrap(), TIMEOUT);
        let broker = fixture.broker();
        ask(&broker).unwrap();
        assert_eq!(broker.portal_session(), Some(PortalSession::Alive));
        fixture.set_time_left("ReadOnly", -time::Duration::MINUTE);
        fixture.portal.revoke_access_tokens();
        prepare(&fixture);
        let broker = fixture.broker();
        assert_eq!(broker.portal_session(), None);
        assert_eq!(ask(&broker).unwrap_err().exit, Exit::SignIn);
        assert_eq!(broker.portal_session(), Some(PortalSession::Ended));
        assert_eq!(fixture.vault.token(&fixture.session).unwrap(), None);
        let requests = fixture.portal.requests();
        assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
        assert_eq!(fixture.portal.requests(), requests);
    }
}

#[test]
fn an_unknown_client_registration_discards_no_sign_in() {
    let fixture = Fixture::signed_in();
    fixture.expire_token();
    fixture.portal.expect(Call::RefreshToken).answered(Answer::oidc("invalid_client"));
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    fixture.assert_usable(false);
}

#[test]
fn a_valid_token_without_a_refresh_token_survives_a_refresh_attempt() {
    let fixture = Fixture::signed_in();
    fixture.change_token(|token| token.refresh = None);
    let token = fixture.vault.token(&fixture.session).unwrap().unwrap();
    let deadline = daypass::sys::clock::Deadline::after(TIMEOUT);
    assert_eq!(fixture.broker().refreshed(&token, deadline).unwrap_err().exit, Exit::SignIn);
    fixture.assert_usable(false);
}

#[test]
fn a_clock_jump_loses_no_sign_in_once_corrected() {
    let fixture = Fixture::signed_in();
    let registered_until = fixture.vault.token(&fixture.session).unwrap().unwrap().registration.expires_at;
    fixture.change_token(|token| {
        (token.expires_at, token.registration.expires_at) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH);
    });
    assert_eq!(fixture.ask("DeveloperAccess").unwrap_err().exit, Exit::SignIn);
    fixture.change_token(|token| token.registration.expires_at = registered_until);
    fixture.assert_usable(false);
}

#[test]
fn a_damaged_sign_in_ends_with_3_and_damaged_credentials_are_fetched_again() {
    let fixture = Fixture::signed_in();
    fixture.ask("DeveloperAccess").unwrap();
    let names: Vec<_> = fixture.store.contents.borrow().keys().cloned().collect();
    for name in names {
        let whole = fixture.store.contents.borrow()[&name].clone();
        for damaged in [whole[..whole.len() / 2].to_vec(), b"\0\xff garbage".to_vec(), Vec::new()] {
            fixture.store.contents.borrow_mut().insert(name.clone(), damaged);
            match fixture.ask("DeveloperAccess") {
                Ok(credentials) => fixture.assert_issued_for("DeveloperAccess", &credentials),
                Err(error) => assert_eq!(error.exit, Exit::SignIn, "{error}"),
            }
            fixture.store.contents.borrow_mut().insert(name.clone(), whole.clone());
        }
    }
    fixture.assert_usable(false);
}

#[test]
fn a_concurrent_sign_in_or_sign_out_leaves_no_credentials_of_the_previous_sign_in() {
    let fetch: fn(&Fixture) = |fixture| drop(fixture.ask("DeveloperAccess"));
    let sign_out: fn(&Fixture) = |fixture| drop(fixture.broker().sign_out(TIMEOUT).unwrap());
    // At every call of the vault in the first action, another process performs the whole second action.
    for (first, second) in [(fetch, sign_out), (sign_out, fetch), (fetch, Fixture::new_sign_in)] {
        for step in 0.. {
            let fixture = Rc::new(Scenario::NoCredentials.set_up());
            let (other_process, issued_before) = (Rc::clone(&fixture), Rc::<RefCell<Vec<String>>>::default());
            let record = Rc::clone(&issued_before);
            let action = move || {
                record.replace(other_process.portal.issued().into_iter().map(|issued| issued.access_key_id).collect());
                second(&other_process);
            };
            fixture.store.concurrent.replace(Some((step, Box::new(action))));
            first(&fixture);
            if fixture.store.concurrent.take().is_some() {
                assert!(step > 2, "it has only {step} steps");
                break;
            }
            let role = Kind::Role(account(), RoleName::new("DeveloperAccess").unwrap());
            if let Some(left) = fixture.vault.role(&fixture.session, &role).unwrap() {
                assert!(fixture.vault.token(&fixture.session).unwrap().is_some(), "step {step}: nobody is signed in");
                assert!(!issued_before.borrow().contains(&left.access_key_id), "step {step}: not of this sign-in");
            }
        }
    }
}
