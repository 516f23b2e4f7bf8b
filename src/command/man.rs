//! `daypass man`: the manual page, for packagers.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::{Error, Result};
use crate::world::World;

/// Runs it: the page of daypass, then one a command.
pub fn run(world: &World) -> Result<u8> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let page = clap_mangen::Man::new(command);
    page.render(&mut text).map_err(|error| Error::failed(format!("the manual page can't be made: {error}"), "try again"))?;
    world.print(&String::from_utf8_lossy(&text))?;
    Ok(0)
}
