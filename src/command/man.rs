//! `daypass man`: a manual page, of daypass or of one command.

use clap::CommandFactory;

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
use crate::output::man;
use crate::world::World;

/// Runs it.
pub fn run(world: &World, typed: &Man) -> Result<u8> {
    let mut command = Cli::command();
    command.build();
    let command = match &typed.command {
        None => command,
        Some(name) => command
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Error::usage(format!("there is no command \"{name}\""), "daypass --help"))?,
    };
    world.print(&man::page(&command))?;
    Ok(0)
}
