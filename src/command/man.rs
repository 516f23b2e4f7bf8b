//! `daypass man`: prints the manual page of daypass or of one command.

use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::man;

/// Print a manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  daypass man exec | man -l -")]
pub struct Args {
    /// Command [default: daypass itself]
    pub command: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let mut command = (context.definition)();
    command.build();
    let command = match &args.command {
        None => command,
        Some(name) => command
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Error::usage(format!("there is no command \"{name}\""), "daypass --help"))?,
    };
    context.print(&man::page(&command))?;
    Ok(0)
}
