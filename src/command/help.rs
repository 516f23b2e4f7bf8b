//! `daypass help`: prints the help of daypass or of one command, as `--help` does.

use super::man;
use crate::context::Context;
use crate::error::Result;

/// Print help for daypass or for a command
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  daypass help\n  daypass help exec")]
pub struct Args {
    /// Command [default: daypass itself]
    pub command: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let name = args.command.as_deref();
    man::command(context, name)?;
    let words = ["daypass"].into_iter().chain(name).chain(["--help"]);
    if let Err(help) = (context.definition)().try_get_matches_from(words) {
        // Clap detects whether the terminal shows colour.
        let _ = help.print();
    }
    Ok(0)
}
