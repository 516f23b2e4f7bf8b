//! `daypass credential-process`: what an SDK calls. One document on standard output, or nothing; never a question, never a browser.

use std::time::Duration;

use crate::cli::CredentialProcess;
use crate::error::Result;
use crate::output::process;
use crate::profile::resolve;
use crate::world::World;

/// Everything in all. Some SDKs end a helper sooner, but only a portal that hangs makes it last so long.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs it.
pub fn run(world: &World, typed: CredentialProcess) -> Result<u8> {
    let target = resolve::target(&world.env, &super::asked_role(typed.role, None))?;
    let (account, credentials) = world.credentials(&target, PATIENCE)?;
    world.print(&process::document(&credentials, &account))?;
    Ok(0)
}
