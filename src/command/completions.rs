//! `daypass completions`: prints a completion script, which calls daypass for the candidates.

use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::shell::{self, Interactive};

/// Print the completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The script calls daypass, so it completes the names in your config file.
'daypass shell-init' includes it. tcsh and xonsh have none.")]
pub struct Args {
    /// Shell
    pub shell: Interactive,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let script = shell::completion(args.shell)
        .ok_or_else(|| Error::usage("there is no completion for this shell", "daypass completions --help"))?;
    context.print(&script)?;
    Ok(0)
}
