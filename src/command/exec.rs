//! `daypass exec`: a command with credentials in its environment.

use crate::child;
use crate::cli::Exec;
use crate::error::Result;
use crate::output::export;
use crate::profile::resolve;
use crate::world::{PATIENCE, World};

/// Runs it. On Unix it returns only if the command could not be started.
pub fn run(world: &World, typed: Exec) -> Result<u8> {
    let target = resolve::target(&world.env, &super::asked_role(typed.role, typed.name))?;
    let (account, credentials) = world.credentials(&target, PATIENCE)?;
    let name = super::name_of(&target, &account);
    super::note_use(world, &name);
    let set = export::variables(&credentials, &name, target.region.as_deref());
    child::run(&typed.command, &set, &export::CLEARED)
}
