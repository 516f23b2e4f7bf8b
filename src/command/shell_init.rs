//! `daypass shell-init`: a function for the person's own shell, and completion.

use crate::context::Context;
use crate::error::Result;
use crate::output::shell::{self, Interactive};

/// Print a shell function that sets and clears credentials in the shell itself, and completion
#[derive(Debug, clap::Args)]
#[command(after_help = "\
In the shell's start-up file:
  eval \"$(daypass shell-init bash)\"   # ~/.bashrc
  eval \"$(daypass shell-init zsh)\"    # ~/.zshrc, after compinit
  daypass shell-init fish | source    # ~/.config/fish/config.fish
  daypass shell-init powershell | Out-String | Invoke-Expression  # $PROFILE
Once, for Nushell:
  mkdir $nu.user-autoload-dirs.0
  daypass shell-init nushell | save -f $\"($nu.user-autoload-dirs.0)/daypass.nu\"

Then:
  dp dev    sets the credentials of the profile dev in this shell
  dp        the same, for what you choose from a list
  dp -      clears them")]
pub struct Args {
    /// The shell
    pub shell: Interactive,
    /// What to call the function
    #[arg(long, value_name = "NAME", default_value = "dp", value_parser = function_name)]
    pub name: String,
}

/// A name that all shells take for a function.
fn function_name(text: &str) -> std::result::Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits { Ok(text.to_owned()) } else { Err("a function's name has letters, digits, _ and -".to_owned()) }
}

/// Runs it.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.print(&shell::init(args.shell, &args.name))?;
    Ok(0)
}
