//! `daypass shell-init`: a function for the person's own shell, and completion.

use crate::cli::ShellInit;
use crate::error::Result;
use crate::output::shell;
use crate::world::World;

/// Runs it.
pub fn run(world: &World, typed: &ShellInit) -> Result<u8> {
    world.print(&shell::init(typed.shell, &typed.name))?;
    Ok(0)
}
