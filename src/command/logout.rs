//! `daypass logout`: deletes local tokens and credentials, and ends the portal session; or deletes the credentials of one role.

use std::time::Duration;

use super::flags::SessionOrProfileArgs;
use super::session;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Result};
use crate::profile::names::Session;
use crate::profile::request::{Account, RoleRequest};
use crate::profile::{Config, resolve};
use crate::sys::clock;
use crate::text;
use crate::ui::terminal;
use crate::vault::{self, Contents};

/// Sign out: delete local tokens and credentials, and end the portal session
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass logout
  daypass logout corp
  daypass logout dev --role-only

With --role-only, you stay signed in, and only the cached credentials of one
profile's role are deleted: the next call gets new ones. Use it after a change
of the permission set; otherwise the old credentials are used until they expire.")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionOrProfileArgs,
    /// Sign out of every session
    #[arg(long, conflicts_with_all = ["name", "session", "profile"])]
    pub all: bool,
    /// Delete only the cached credentials of this profile's role, and stay signed in
    #[arg(long, conflicts_with_all = ["all", "session", "start_url", "sso_region"])]
    pub role_only: bool,
}

/// The time limit for the portal.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.unlock()?;
    if args.role_only {
        return role_only(context, args.session.name.or(args.session.profile));
    }
    let (sessions, profile) = if args.all {
        let sessions = match context.vault()?.contents(clock::now()) {
            // The config file still names sessions.
            Err(vault::Error::Missing(_)) => every_session(context, &Contents::default())?,
            contents => every_session(context, &contents?)?,
        };
        (sessions, None)
    } else {
        let name = args.session.name.clone().or_else(|| args.session.session.session.clone());
        match session::choose(context, &Config::read(&context.env)?, args.session) {
            Ok(chosen) => (vec![chosen.session], chosen.profile),
            Err(error) => (stored(context, name.as_deref(), error)?, None),
        }
    };
    for session in &sessions {
        let name = text::clean(&session.name);
        context.history().forget(session);
        context.history().signed_out(session);
        match context.broker(session, profile.as_deref())?.sign_out(TIMEOUT)? {
            None => context.tell(&format!("Signed out of {name}.")),
            Some(why) => terminal::say(&format!(
                "daypass: deleted the local sign-in to {name}, but could not end the portal session ({}); it expires on its own",
                text::clean(&why)
            )),
        }
    }
    Ok(0)
}

/// The sessions of this name that only the vault contains.
///
/// # Errors
/// The given one, if there are none.
fn stored(context: &Context, name: Option<&str>, error: Error) -> Result<Vec<Session>> {
    let contents = context.vault()?.contents(clock::now()).unwrap_or_default();
    let found: Vec<Session> = contents.sessions.into_iter().filter(|session| Some(&*session.name) == name).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    // A new session is no help to somebody who signs out.
    Err(if name.is_some() && error.correction.is_none() { Error { hint: "daypass status".to_owned(), ..error } } else { error })
}

/// Deletes the cached credentials of a profile's role, and of the roles that were assumed with them.
fn role_only(context: &Context, profile: Option<String>) -> Result<u8> {
    let target = resolve::target(&context.env, &RoleRequest { profile, ..RoleRequest::default() })?;
    let account = context.account(&target, COMMAND_TIMEOUT)?;
    let vault = context.vault()?;
    let cached = vault.contents(clock::now())?.roles.into_iter().map(|(key, _)| key);
    let is_its = |key: &vault::Key| key.belongs_to(&target.session) && key.role() == Some((&account, &target.role));
    let (name, mut none) = (super::name_of(&target, &Account::Id(account.clone())), true);
    for key in cached.filter(is_its) {
        vault.delete_role(&target.session, &key.kind)?;
        none = false;
    }
    context.tell(&text::clean(&if none {
        format!("No credentials of {name} were cached.")
    } else {
        format!("Deleted the cached credentials of {name}. The next call gets new ones.")
    }));
    Ok(0)
}

/// The sessions of the config file, and those that only the vault contains.
pub(super) fn every_session(context: &Context, stored: &Contents) -> Result<Vec<Session>> {
    let mut sessions = resolve::sessions(&Config::read(&context.env)?);
    if let Some(error) = &stored.unread {
        return Err(error.clone().into());
    }
    for session in &stored.sessions {
        let known = |other: &Session| Session { scopes: Vec::new(), ..other.clone() } == *session;
        if !sessions.iter().any(known) {
            sessions.push(session.clone());
        }
    }
    Ok(sessions)
}
