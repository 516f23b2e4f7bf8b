//! `daypass undo`: restores the previous version of the config file.

use super::clean_lines;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::profile::store;
use crate::text;
use crate::ui::{prompt, terminal};

/// Undo the last change to ~/.aws/config
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Restores the file as it was before daypass changed it last ('configure', 'sync',
'use', 'migrate' of another tool's profile), byte for byte. It shows the
difference and asks first. A second 'daypass undo' reverses the first one.

It refuses if the file was changed since, or if it contained a secret: backups
never contain secrets. The previous version, without secrets, is in
~/.aws/config.daypass.bak. To undo the migration of a key, use
'daypass migrate --undo'.")]
pub struct Args {
    /// Restore without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Print the difference, with secrets masked, without restoring anything
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// There is nothing to undo, or it can't be undone; those of writing.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let undo = store::undo_plan(&context.env)?;
    let path = undo.path.display().to_string();
    let path = text::clean(&path);
    if args.dry_run {
        let diff = undo.diff();
        context.print(&if terminal::shows_output() { clean_lines(&diff) } else { diff })?;
        return Ok(0);
    }
    if !args.yes {
        if !context.may_prompt() {
            return Err(Error::usage(
                "undo asks before it restores a file, and there is no terminal to ask on",
                "daypass undo --yes",
            ));
        }
        terminal::say(&format!("\n{}", clean_lines(&undo.diff())));
        let question =
            if undo.after.is_some() { format!("Restore {path}?") } else { format!("Delete {path}, which did not exist before?") };
        match prompt::confirm(&question, true) {
            Ok(Some(true)) => {}
            Ok(Some(false)) => {
                context.tell("Nothing was changed.");
                return Ok(0);
            }
            _ => return Err(Error::new(Exit::Interrupted, "input ended; nothing was changed", "daypass undo --dry-run")),
        }
    }
    store::undo(&context.env, &undo)?;
    let done = if undo.after.is_some() { "Restored" } else { "Deleted" };
    context.tell(&format!("{done} {path}. A second 'daypass undo' reverses this."));
    Ok(0)
}
