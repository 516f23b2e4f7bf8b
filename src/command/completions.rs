//! `daypass completions`: the completion script of a shell, for packagers.

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::error::Result;
use crate::world::World;

/// Runs it.
pub fn run(world: &World, typed: &Completions) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(typed.shell, &mut Cli::command(), "daypass", &mut text);
    world.print(&String::from_utf8_lossy(&text))?;
    Ok(0)
}
