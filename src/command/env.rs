//! `daypass env`: prints variables for a shell to evaluate.

use super::choose;
use super::flags::RoleArgs;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::credentials::RoleCredentials;
use crate::error::{Exit, Result};
use crate::output::export::{self, Shell};
use crate::profile::names::AccountId;
use crate::profile::resolve::{self, RoleTarget};

/// Print variables for a shell to evaluate
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  eval \"$(daypass env dev)\"        # sh, bash, zsh
  daypass env dev --shell fish | source
  daypass env dev --shell powershell | Out-String | Invoke-Expression
  daypass env dev --shell nushell | from json | load-env
  for /f \"delims=\" %i in ('daypass env dev --shell cmd') do @%i
  eval \"$(daypass env --unset)\"    # clear them

Without --shell the format is that of $SHELL, your login shell. 'daypass
shell-init' defines a function for this: dp dev.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Output format [default: that of $SHELL]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<Shell>,
    /// Choose the role from a list on the terminal
    #[arg(long, conflicts_with_all = ["name", "profile", "session", "start_url", "sso_region", "scopes", "account", "role", "unset"])]
    pub pick: bool,
    /// Print commands that clear the variables
    #[arg(long)]
    pub unset: bool,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    if args.unset {
        context.print(&export::script(shell(context, args.shell)?, &[], &export::unset(&context.env.our_region()))?)?;
        return Ok(0);
    }
    let (target, (account, credentials)) = if args.pick {
        let Some(mut target) = choose::target(context)? else { return Ok(Exit::Interrupted as u8) };
        target.region = args.role.flags.region.or(target.region);
        let credentials = choose::credentials(context, &target)?;
        (target, credentials)
    } else {
        let target = resolve::target(&context.env, &args.role.into())?;
        let credentials = context.credentials(&target, COMMAND_TIMEOUT)?;
        (target, credentials)
    };
    print(context, &target, &account, &credentials, args.shell)?;
    Ok(0)
}

/// Prints the variables in the requested format or that of the user's shell.
pub(super) fn print(
    context: &Context,
    target: &RoleTarget,
    account: &AccountId,
    credentials: &RoleCredentials,
    requested: Option<Shell>,
) -> Result<()> {
    let (set, cleared) = super::variables(context, target, account, credentials);
    context.print(&export::script(shell(context, requested)?, &set, &cleared)?)
}

fn shell(context: &Context, requested: Option<Shell>) -> Result<Shell> {
    requested.map_or_else(|| export::shell_of(context.env.shell()), Ok)
}
