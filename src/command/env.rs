//! `daypass env`: prints variables for a shell to evaluate.

use super::choose;
use super::flags::RoleArgs;
use super::role_in_shell::Role;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Exit, Result};
use crate::output::export::{self, Shell};
use crate::profile::resolve;
use crate::sys::{parent, process};
use crate::text;
use crate::ui::terminal;

/// Print credentials as variables for a shell to evaluate
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  eval \"$(daypass env dev)\"        # sh, bash, zsh
  daypass env dev --shell fish | source
  daypass env dev --shell powershell | Out-String | Invoke-Expression
  daypass env dev --shell nushell | from json | load-env
  eval \"`daypass env dev`\"         # tcsh
  eval (daypass env dev | slurp)   # elvish
  execx($(daypass env dev))        # xonsh
  for /f \"delims=\" %i in ('daypass env dev --shell cmd') do @%i
  eval \"$(daypass env --unset)\"    # clear the variables

Without --shell, the format is that of the shell that runs daypass, else $SHELL.
'daypass shell-init' defines a function for this: dp dev.

The variables are the credentials, AWS_ACCOUNT_ID, the region, the endpoint,
FIPS, dual-stack and CA settings of the profile, and AWS_VAULT, where shell
prompts look for the name. Variables that you set yourself take precedence over
the region and the settings of the profile.")]
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
    /// Set keys: without this, 'dp' sets AWS_PROFILE if that is enough
    #[arg(short, long, conflicts_with = "unset")]
    pub keys: bool,
    /// Print commands that clear the variables
    #[arg(long)]
    pub unset: bool,
    /// Print the secrets even if standard output is a terminal
    #[arg(long)]
    pub show: bool,
    /// The arguments are those of the function of shell-init
    #[arg(long, hide = true)]
    pub dp: bool,
}

/// Runs the command.
///
/// # Errors
/// Those of resolving the role and of getting its credentials; a format that cannot express them; a terminal as standard output.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let shell = shell(context, args.shell);
    let (dp, keys) = (args.dp, args.keys || !args.dp);
    if args.unset || dp && args.role.name.as_deref() == Some("-") {
        return clear(context, shell, dp);
    }
    if terminal::shows_output() && !args.show {
        let what = "standard output is a terminal, which would keep the secrets in its scroll-back";
        return Err(Error::usage(what, export::evaluation(shell, &command(&args))));
    }
    let region = args.role.flags.region.clone();
    let (target, (account, credentials)) = if args.pick || dp && args.role.words().is_empty() {
        let Some(target) = choose::target(context)? else { return Ok(Exit::Interrupted as u8) };
        let credentials = choose::credentials(context, &target)?;
        (target, credentials)
    } else {
        let target = resolve::target(&context.env, &args.role.into())?;
        let credentials = context.credentials(&target, COMMAND_TIMEOUT)?;
        (target, credentials)
    };
    let role = Role { target: &target, account, credentials, region: region.as_deref() };
    let variables = if keys { role.keys(context) } else { role.profile_or_keys(context) };
    context.print(&export::script(shell, &variables.set, &variables.cleared)?)?;
    if dp {
        context.tell(&role.confirmation(context, &variables));
        title(context, Some(&role.name(context)));
    }
    Ok(0)
}

/// Prints what clears the variables; for a person also what they were.
fn clear(context: &Context, shell: Shell, tell: bool) -> Result<u8> {
    let env = &context.env;
    let keys_are_users = env.access_key().is_some() && env.active().is_none();
    context.print(&export::script(shell, &[], &export::unset(env.our_settings(), keys_are_users))?)?;
    if tell {
        let profile = env.profile().filter(|_| env.is_ours("AWS_PROFILE"));
        let left = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter();
        let left = left.filter(|name| env.aws(name).is_some() && !env.is_ours(name));
        let left: Vec<&str> = left.filter(|name| keys_are_users || *name != "AWS_ACCESS_KEY_ID").collect();
        let cleared = match env.active().or(profile) {
            Some(name) => format!("Cleared {}.", text::clean(name)),
            None => "There was nothing to clear.".to_owned(),
        };
        let left = if left.is_empty() { String::new() } else { format!(" {} was not set by daypass and stays.", left.join(", ")) };
        context.tell(&(cleared + &left));
        title(context, None);
    }
    Ok(0)
}

/// In tmux the default status line shows the title of the pane: names the role in it, or the host again, which tmux itself does at first.
fn title(context: &Context, name: Option<&str>) {
    if context.env.tmux() && !context.interaction.quiet && terminal::shows_messages() {
        terminal::set_title(name.unwrap_or(&process::host_name()));
    }
}

/// The requested format, or that of the shell that runs daypass.
pub(super) fn shell(context: &Context, requested: Option<Shell>) -> Shell {
    requested.unwrap_or_else(|| export::shell_of(parent::program().as_deref(), context.env.shell()))
}

/// The line that loads a role's credentials into the shell that runs daypass.
pub(super) fn evaluation(context: &Context, role: RoleArgs) -> String {
    let args = Args { role, shell: None, pick: false, keys: false, unset: false, show: false, dp: false };
    export::evaluation(shell(context, None), &command(&args))
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
