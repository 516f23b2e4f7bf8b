//! Which session `login`, `logout`, `list` and `status` are about: that of an argument, of `AWS_PROFILE`, the only one, or the one that
//! the user picks.

use super::flags::SessionOrProfileArgs;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::profile::Config;
use crate::profile::names::{Session, nearest};
use crate::profile::request::RoleRequest;
use crate::profile::resolve::{self, CredentialSource};
use crate::text;
use crate::ui::picker::{self, Picker};

/// A session, and the profile that it was found by.
pub(super) struct Chosen {
    pub(super) session: Session,
    pub(super) profile: Option<String>,
}

/// The session to use.
///
/// # Errors
/// An unknown name; an incomplete block; no session, or several where nobody can pick one.
pub(super) fn choose(context: &Context, config: &Config, args: SessionOrProfileArgs) -> Result<Chosen> {
    let scopes = args.session.scopes.clone();
    let chosen = match named(config, args)? {
        Some(chosen) => Some(chosen),
        None => of_environment(context, config)?,
    };
    let mut chosen = match chosen {
        Some(chosen) => chosen,
        None => Chosen { session: only_or_picked(context, config)?, profile: None },
    };
    chosen.session.scopes = scopes.as_deref().map_or(chosen.session.scopes, resolve::scope_list);
    Ok(chosen)
}

/// The session that the arguments name; None if they name none. The argument is a session, or a profile.
pub(super) fn named(config: &Config, args: SessionOrProfileArgs) -> Result<Option<Chosen>> {
    let name = args.name.clone();
    let is_profile = |name: &String| {
        let is_session = config.session(name).is_some() || resolve::sessions(config).iter().any(|session| session.name == *name);
        !is_session && args.session.start_url.is_none() && config.profile(name).is_some()
    };
    let profile = args.profile.clone().or_else(|| name.clone().filter(is_profile));
    let request = RoleRequest::from(args);
    let request = match &profile {
        Some(_) => RoleRequest {
            session: request.session.filter(|session| Some(session) != name.as_ref()),
            profile: profile.clone(),
            ..request
        },
        None if request == (RoleRequest { scopes: request.scopes.clone(), ..RoleRequest::default() }) => return Ok(None),
        None => request,
    };
    let session = resolve::session_in(config, &request).map_err(|error| match (&name, &profile) {
        (Some(name), None) if error.exit == Exit::Usage && error.correction.is_none() => mistyped_profile(config, name, error),
        _ => error,
    })?;
    Ok(Some(Chosen { session, profile }))
}

/// The name may also be meant for a profile.
fn mistyped_profile(config: &Config, name: &str, error: Error) -> Error {
    let blocks = config.profiles();
    match nearest(name, blocks.iter().map(|block| &*block.name)) {
        Some(near) => {
            let what =
                format!("there is no session or profile \"{name}\" in {}; did you mean \"{near}\"?", config.path().display());
            Error::typo(what, name, near, "daypass status")
        }
        None => error,
    }
}

/// The session of the profile that `AWS_PROFILE` names; None if its credentials do not come from Identity Center.
///
/// # Errors
/// There is no such profile, or it is incomplete.
pub(super) fn of_environment(context: &Context, config: &Config) -> Result<Option<Chosen>> {
    let variable = context.env.profile_variable();
    let Some((_, name)) = variable else { return Ok(None) };
    let source = config.profile(name).map(|block| resolve::credential_source(&block));
    let request = RoleRequest::default().or_profile_of(variable);
    let session = match source {
        Some(CredentialSource::Other(..) | CredentialSource::Nothing) => None,
        Some(CredentialSource::Assumes(_)) => resolve::session_in(config, &request).ok(),
        _ => Some(resolve::session_in(config, &request)?),
    };
    Ok(session.map(|session| Chosen { session, profile: Some(name.to_owned()) }))
}

fn only_or_picked(context: &Context, config: &Config) -> Result<Session> {
    let sessions = resolve::sessions(config);
    if sessions.len() < 2 || !context.may_choose() {
        return resolve::session_in(config, &RoleRequest::default());
    }
    let rows = sessions.iter().map(|session| vec![session.name.clone(), session.start_url.clone()]).collect();
    match picker::pick(Picker::new("Which session?", rows, false), context.capabilities())? {
        Some((_, rows)) => rows.first().and_then(|&row| sessions.get(row).cloned()),
        None => None,
    }
    .ok_or_else(|| Error::new(Exit::Interrupted, "cancelled; nothing was changed", "daypass status"))
}

/// The arguments that name a session on the command line: one without a block in the config file is named by its address.
pub(super) fn words(session: &Session) -> String {
    if session.name == session.start_url {
        text::command_line(["--start-url", &session.start_url, "--sso-region", &session.region])
    } else {
        text::shell_quote(&session.name).into_owned()
    }
}
