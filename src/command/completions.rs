//! `daypass completions`: prints a completion script, which calls daypass for the candidates.

use crate::context::Context;
use crate::error::Result;
use crate::output::shell::{self, Interactive};

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The script calls daypass, so it completes the names in your config file.
'daypass shell-init' includes it.")]
pub struct Args {
    /// Shell
    pub shell: Interactive,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.print(&shell::completion(args.shell))?;
    Ok(0)
}
