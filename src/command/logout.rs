//! `daypass logout`: forgets tokens and credentials here, and ends the session at the portal.

use std::time::Duration;

use crate::cli::Logout;
use crate::error::Result;
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::terminal;
use crate::world::World;

/// The portal is not waited for much longer than a person waits for a sign-out.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs it.
pub fn run(world: &World, typed: Logout) -> Result<u8> {
    let profile = typed.profile.clone();
    let sessions = if typed.all {
        every_session(world)?
    } else {
        vec![resolve::session(&world.env, &super::asked_session(typed.session, typed.name, typed.profile))?]
    };
    for session in &sessions {
        let name = terminal::clean(&session.name);
        world.recall().forget(session);
        match world.broker(session, profile.as_deref())?.sign_out(PATIENCE)? {
            None => world.tell(&format!("Signed out of {name}.")),
            Some(why) => terminal::say(&format!(
                "daypass: signed out of {name} here, but the portal could not be told ({}): the session there ends by itself",
                terminal::clean(&why)
            )),
        }
    }
    Ok(0)
}

/// Those of the configuration, and those that only the vault still knows.
pub(super) fn every_session(world: &World) -> Result<Vec<Session>> {
    let mut sessions = resolve::sessions(&Config::read(&world.env)?);
    for session in world.vault()?.sessions()? {
        let known = |other: &Session| Session { scopes: Vec::new(), ..other.clone() } == session;
        if !sessions.iter().any(known) {
            sessions.push(session);
        }
    }
    Ok(sessions)
}
