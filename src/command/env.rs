//! `daypass env`: prints variables for a shell to evaluate.

use super::choose;
use super::flags::RoleArgs;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Exit, Result};
use crate::output::export::{self, Shell};
use crate::profile::resolve;
use crate::sys::parent;
use crate::text;
use crate::ui::terminal;

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

Without --shell the format is that of the shell that runs daypass, or of $SHELL.
'daypass shell-init' defines a function for this: dp dev.

Sets the credentials, AWS_ACCOUNT_ID, the region, and the endpoints, FIPS,
dual-stack and CA settings of the profile. Variables that you set yourself win
over the profile's region and settings.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Output format [default: that of the calling shell]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<Shell>,
    /// Choose the role from a list on the terminal
    #[arg(long, conflicts_with_all = ["name", "profile", "session", "start_url", "sso_region", "scopes", "account", "role", "unset"])]
    pub pick: bool,
    /// Print commands that clear the variables
    #[arg(long)]
    pub unset: bool,
    /// Print the secrets even if standard output is a terminal
    #[arg(long)]
    pub show: bool,
}

/// Runs the command.
///
/// # Errors
/// Those of resolving the role and of getting its credentials; a format that cannot express them; a terminal as standard output.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let shell = shell(context, args.shell)?;
    if args.unset {
        let keys_are_users = context.env.access_key().is_some() && context.env.active().is_none();
        context.print(&export::script(shell, &[], &export::unset(context.env.our_settings(), keys_are_users))?)?;
        return Ok(0);
    }
    if terminal::shows_output() && !args.show {
        let what = "standard output is a terminal, which would keep the secrets in its scroll-back";
        return Err(Error::usage(what, export::evaluation(shell, &command(&args))));
    }
    let region = args.role.flags.region.clone();
    let (target, (account, credentials)) = if args.pick {
        let Some(target) = choose::target(context)? else { return Ok(Exit::Interrupted as u8) };
        let credentials = choose::credentials(context, &target)?;
        (target, credentials)
    } else {
        let target = resolve::target(&context.env, &args.role.into())?;
        let credentials = context.credentials(&target, COMMAND_TIMEOUT)?;
        (target, credentials)
    };
    let (set, cleared) = super::variables(context, &target, &account, &credentials, region.as_deref());
    context.print(&export::script(shell, &set, &cleared)?)?;
    Ok(0)
}

/// The requested format, or that of the shell that runs daypass.
pub(super) fn shell(context: &Context, requested: Option<Shell>) -> Result<Shell> {
    requested.map_or_else(|| export::shell_of(parent::program().as_deref(), context.env.shell()), Ok)
}

/// The line that loads a role's credentials into the shell that runs daypass.
pub(super) fn evaluation(context: &Context, role: RoleArgs) -> Result<String> {
    let args = Args { role, shell: None, pick: false, unset: false, show: false };
    Ok(export::evaluation(shell(context, None)?, &command(&args)))
}

/// The command line of these arguments.
fn command(args: &Args) -> String {
    let mut words = vec!["daypass".to_owned(), "env".to_owned()];
    words.extend(args.role.words());
    words.extend(args.pick.then(|| "--pick".to_owned()));
    if let Some(value) = args.shell.and_then(|shell| clap::ValueEnum::to_possible_value(&shell)) {
        words.extend(["--shell".to_owned(), value.get_name().to_owned()]);
    }
    text::command_line(words.iter().map(String::as_str))
}
