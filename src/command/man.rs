//! `daypass man`: a manual page, of daypass or of one command.

use clap::CommandFactory;

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
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
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .manual("daypass")
        .render(&mut text)
        .map_err(|error| Error::failed(format!("the manual page can't be made: {error}"), "daypass --help"))?;
    world.print(&String::from_utf8_lossy(&text))?;
    Ok(0)
}
