//! `daypass env`: variables for a shell to evaluate.

use crate::cli::{EnvVerb, Shell};
use crate::error::{Exit, Result};
use crate::grant::RoleCredentials;
use crate::output::export;
use crate::profile::names::AccountId;
use crate::profile::resolve::{self, Target};
use crate::world::{PATIENCE, World};

/// Runs it.
pub fn run(world: &World, typed: EnvVerb) -> Result<u8> {
    if typed.unset {
        world.print(&export::script(shell(world, typed.shell)?, &[], &export::unset(&world.env.our_region()))?)?;
        return Ok(0);
    }
    let (target, (account, credentials)) = if typed.pick {
        let Some(mut target) = super::pick::target(world)? else { return Ok(Exit::Interrupted as u8) };
        target.region = typed.role.region.or(target.region);
        let credentials = super::pick::credentials(world, &target)?;
        (target, credentials)
    } else {
        let target = resolve::target(&world.env, &super::asked_role(typed.role, typed.name))?;
        let credentials = world.credentials(&target, PATIENCE)?;
        (target, credentials)
    };
    print(world, &target, &account, &credentials, typed.shell)?;
    Ok(0)
}

/// Prints the variables, for this shell or the person's own.
pub(super) fn print(
    world: &World,
    target: &Target,
    account: &AccountId,
    credentials: &RoleCredentials,
    typed: Option<Shell>,
) -> Result<()> {
    let (set, cleared) = super::variables(world, target, account, credentials);
    world.print(&export::script(shell(world, typed)?, &set, &cleared)?)
}

fn shell(world: &World, typed: Option<Shell>) -> Result<Shell> {
    typed.map_or_else(|| export::shell_of(world.env.shell()), Ok)
}
