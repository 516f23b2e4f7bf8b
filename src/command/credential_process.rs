//! `daypass credential-process`: what an SDK calls. One document on standard output, or nothing; never a question, and a browser only
//! where the profile's own command line allows it.

use std::time::Duration;

use super::login;
use crate::cli::CredentialProcess;
use crate::clock::Deadline;
use crate::error::{Exit, Result};
use crate::output::process;
use crate::profile::resolve;
use crate::world::World;

/// Everything in all. Some SDKs end a helper sooner, but only a portal that hangs makes it last so long.
const PATIENCE: Duration = Duration::from_secs(15);

/// With `--login`: when a person must have answered, and when all is over. SDKs wait for a minute.
const ANSWERED: Duration = Duration::from_secs(45);
const IN_ALL: Duration = Duration::from_secs(50);

/// Runs it.
pub fn run(world: &World, typed: CredentialProcess) -> Result<u8> {
    let (answered, end) = (Deadline::after(ANSWERED), Deadline::after(IN_ALL));
    let target = resolve::target(&world.env, &super::asked_role(typed.role, None))?;
    let (account, credentials) = match world.credentials(&target, PATIENCE) {
        Err(needed) if needed.exit == Exit::SignIn && typed.login => {
            login::sign_in_unasked(world, &target.session, target.profile.as_deref(), needed, answered)?;
            world.credentials(&target, end.left().min(PATIENCE))?
        }
        other => other?,
    };
    world.print(&process::document(&credentials, &account))?;
    Ok(0)
}
