//! `daypass completions`: the completion script of a shell, which asks daypass for the candidates.

use crate::context::Context;
use crate::error::Result;
use crate::output::shell::{self, Interactive};

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The script asks daypass itself, so it knows the names in your config file.
'daypass shell-init' holds it too.")]
pub struct Args {
    /// The shell
    pub shell: Interactive,
}

/// Runs it.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.print(&shell::completion(args.shell))?;
    Ok(0)
}
