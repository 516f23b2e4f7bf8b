//! `daypass man`: prints the manual page of daypass or of one command.

use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::man;
use crate::profile::names::nearest;

/// Print a manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  daypass man exec | man -l -")]
pub struct Args {
    /// Command [default: daypass itself]
    pub command: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.print(&man::page(&command(context, args.command.as_deref())?))?;
    Ok(0)
}

/// The definition of a command, or of the whole command line.
///
/// # Errors
/// There is no such command.
pub(super) fn command(context: &Context, name: Option<&str>) -> Result<clap::Command> {
    let mut whole = (context.definition)();
    whole.build();
    let Some(name) = name else { return Ok(whole) };
    if let Some(command) = whole.find_subcommand(name) {
        return Ok(command.clone());
    }
    let what = format!("there is no command \"{name}\"");
    match nearest(name, whole.get_subcommands().map(clap::Command::get_name)) {
        Some(near) => Err(Error::typo(format!("{what}; did you mean \"{near}\"?"), name, near, "daypass --help")),
        None => Err(Error::usage(what, "daypass --help")),
    }
}
