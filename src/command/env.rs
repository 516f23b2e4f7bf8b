//! `daypass env`: variables for a shell to evaluate.

use crate::cli::EnvVerb;
use crate::error::Result;
use crate::output::export;
use crate::profile::resolve;
use crate::world::{PATIENCE, World};

/// Runs it.
pub fn run(world: &World, typed: EnvVerb) -> Result<u8> {
    let shell = typed.shell.map_or_else(|| export::shell_of(world.env.shell()), Ok)?;
    let script = if typed.unset {
        export::script(shell, &[], &export::SET)?
    } else {
        let target = resolve::target(&world.env, &super::asked_role(typed.role, typed.name))?;
        let (account, credentials) = world.credentials(&target, PATIENCE)?;
        let set = export::variables(&credentials, &super::name_of(&target, &account), target.region.as_deref());
        export::script(shell, &set, &export::CLEARED)?
    };
    world.print(&script)?;
    Ok(0)
}
