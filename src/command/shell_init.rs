//! `daypass shell-init`: prints a shell function and completion for the start-up file of a shell.

use crate::context::Context;
use crate::error::Result;
use crate::output::shell::{self, Interactive};

/// Print shell integration: completion, and a function that sets credentials in the current shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
In the start-up file of the shell:
  eval \"$(daypass shell-init bash)\"   # ~/.bashrc
  eval \"$(daypass shell-init zsh)\"    # ~/.zshrc, after compinit
  daypass shell-init fish | source    # ~/.config/fish/config.fish
  daypass shell-init powershell | Out-String | Invoke-Expression  # $PROFILE
  eval \"`daypass shell-init tcsh`\"    # ~/.tcshrc
  eval (daypass shell-init elvish | slurp)  # ~/.config/elvish/rc.elv
  execx($(daypass shell-init xonsh))  # ~/.xonshrc
Once, for Nushell:
  mkdir $nu.user-autoload-dirs.0
  daypass shell-init nushell | save -f $\"($nu.user-autoload-dirs.0)/daypass.nu\"

Then:
  dp dev      use profile dev in this shell (AWS_PROFILE; credentials renew)
  dp -k dev   set its keys instead, for tools that read no profiles
  dp          pick a role (keys, if it has no profile)
  dp -        clear the profile or keys")]
pub struct Args {
    /// Shell
    pub shell: Interactive,
    /// Name of the function
    #[arg(long, value_name = "NAME", default_value = "dp", value_parser = function_name)]
    pub name: String,
}

/// Accepts a name that all shells allow for a function.
fn function_name(text: &str) -> std::result::Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits { Ok(text.to_owned()) } else { Err("expected letters, digits, _ and -".to_owned()) }
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.print(&shell::init(args.shell, &args.name))?;
    Ok(0)
}
