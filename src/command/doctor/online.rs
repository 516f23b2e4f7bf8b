//! The sign-in of the examined profile: as the keyring has it, and with `--online` as the portal knows it.

use std::time::Duration;

use crate::broker::freshness::{self, TokenState};
use crate::context::Context;
use crate::error::{Error, Exit};
use crate::profile::findings::{Code, Finding, Subject, chain_of};
use crate::profile::names::Session;
use crate::profile::request::RoleRequest;
use crate::profile::resolve::{self, CredentialSource};
use crate::sys::clock;
use crate::text::command_line;
use crate::vault;

/// How long the portal may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How far the clock may be off: AWS refuses signatures that are older.
const CLOCK_TOLERANCE: time::Duration = time::Duration::minutes(5);

/// Nothing if the profile does not need a sign-in of daypass.
pub(super) fn findings(context: &Context, subject: &Subject<'_>, online: bool) -> Vec<Finding> {
    let Some(session) = session(subject) else { return Vec::new() };
    let required =
        |what: String| Finding::new(Code::SignInRequired, what, command_line(["daypass", "login", &*session.name]), None);
    let token = match context.vault().map(|vault| vault.token(&session)) {
        Ok(Ok(token)) => token,
        Ok(Err(error)) => {
            let code = if matches!(error, vault::Error::Locked(_)) { Code::KeyringLocked } else { Code::KeyringUnavailable };
            let error = Error::from(error);
            return vec![Finding::new(code, error.what, error.hint, None)];
        }
        Err(error) => return vec![Finding::new(Code::KeyringUnavailable, error.what, error.hint, None)],
    };
    let Some(token) = token else { return vec![required(format!("not signed in to {}", session.name))] };
    if freshness::token_state(&token, subject.now) == TokenState::SignInRequired {
        return vec![required(format!("the sign-in to {} has expired", session.name))];
    }
    if !online {
        return Vec::new();
    }
    let broker = match context.broker(&session, subject.argument) {
        Ok(broker) => broker,
        Err(error) => return vec![Finding::new(Code::KeyringUnavailable, error.what, error.hint, None)],
    };
    let (result, offset) = broker.check_sign_in(&token, TIMEOUT);
    let mut found = Vec::new();
    match result {
        // An access token that has expired is renewed by the next command that needs it, not by this one.
        Err(error) if error.exit == Exit::SignIn && token.expires_at <= subject.now => {}
        Err(error) if error.exit == Exit::SignIn => {
            found.push(required(format!("the portal has ended the sign-in to {}", session.name)));
        }
        Err(error) => found.push(Finding::new(Code::PortalUnreachable, error.what, error.hint, None)),
        Ok(()) => {}
    }
    if let Some(offset) = offset.filter(|offset| offset.abs() > CLOCK_TOLERANCE) {
        let (minutes, direction) = (offset.whole_minutes().abs(), if offset.is_positive() { "behind" } else { "ahead" });
        let what = format!("the clock of this machine is {minutes} min {direction}: AWS refuses what it signs");
        found.push(Finding::new(Code::ClockOff, what, clock::SYNCHRONIZE, None));
    }
    found
}

/// The session of the examined profile, or of the one at the end of its roles, if that gets its credentials from daypass.
fn session(subject: &Subject<'_>) -> Option<Session> {
    let name = subject.argument.or(subject.env.profile()).unwrap_or("default");
    let base = *chain_of(subject.precedence, name).last()?;
    if !matches!(resolve::credential_source(base), CredentialSource::Helper(_)) {
        return None;
    }
    let request = RoleRequest { profile: Some(base.name.to_string()), ..RoleRequest::default() };
    resolve::session_in(subject.precedence.config, &request).ok()
}
