//! `daypass logout`: deletes local tokens and credentials, and ends the portal session.

use std::time::Duration;

use super::flags::SessionOrProfileArgs;
use super::login;
use crate::context::Context;
use crate::error::Result;
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::sys::clock;
use crate::text;
use crate::ui::terminal;
use crate::vault::{self, Contents};

/// Sign out: delete local tokens and credentials and end the portal session
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionOrProfileArgs,
    /// Sign out of every session
    #[arg(long, conflicts_with_all = ["name", "session", "profile"])]
    pub all: bool,
}

/// The time limit for the portal.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    login::unlock(context)?;
    let profile = args.session.profile.clone();
    let sessions = if args.all {
        match context.vault()?.contents(clock::now()) {
            // The config file still names sessions.
            Err(vault::Error::Missing(_)) => every_session(context, Contents::default())?,
            contents => every_session(context, contents?)?,
        }
    } else {
        vec![resolve::session(&context.env, &args.session.into())?]
    };
    for session in &sessions {
        let name = text::clean(&session.name);
        context.history().forget(session);
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

/// The sessions of the config file, and those that only the vault contains.
pub(super) fn every_session(context: &Context, stored: Contents) -> Result<Vec<Session>> {
    let mut sessions = resolve::sessions(&Config::read(&context.env)?);
    if let Some(error) = stored.unread {
        return Err(error.into());
    }
    for session in stored.sessions {
        let known = |other: &Session| Session { scopes: Vec::new(), ..other.clone() } == session;
        if !sessions.iter().any(known) {
            sessions.push(session);
        }
    }
    Ok(sessions)
}
