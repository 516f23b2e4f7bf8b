//! Text for the start-up files of shells: completion, which calls daypass, and a function that sets credentials in the current shell.

use std::io;
use std::path::Path;

use clap::ValueEnum;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

/// The variable with which a completion script names its shell.
pub const VARIABLE: &str = "DAYPASS_COMPLETE";

/// The interactive shells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Interactive {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// Nushell
    #[value(alias = "nu")]
    Nushell,
    /// Elvish
    Elvish,
    /// tcsh
    #[value(alias = "csh")]
    Tcsh,
    /// xonsh
    Xonsh,
}

const PROGRAM: &str = "daypass";

/// The completion script; None for a shell that has none.
pub fn completion(shell: Interactive) -> Option<String> {
    let completer: &dyn EnvCompleter = match shell {
        Interactive::Bash => &Bash,
        Interactive::Zsh => &Zsh,
        Interactive::Fish => &Fish,
        Interactive::Powershell => &Powershell,
        Interactive::Nushell => &Nushell,
        Interactive::Elvish => &Elvish,
        Interactive::Tcsh | Interactive::Xonsh => return None,
    };
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut text);
    let more = match shell {
        Interactive::Bash => include_str!("more.bash"),
        Interactive::Zsh => include_str!("more.zsh"),
        Interactive::Fish => include_str!("more.fish"),
        _ => "",
    };
    Some(format!("{}\n{more}", String::from_utf8_lossy(&text).trim()))
}

/// Completion, and the function with this name.
pub fn init(shell: Interactive, name: &str) -> String {
    let completion = completion(shell).unwrap_or_default();
    let text = match shell {
        Interactive::Bash => {
            let function = include_str!("posix.sh").replace("SHELL", "bash");
            format!("{completion}\n{function}{}", include_str!("complete.bash"))
        }
        Interactive::Zsh => {
            let function = include_str!("posix.sh").replace("SHELL", "zsh");
            // compdef exists only after compinit.
            format!("{function}if (( $+functions[compdef] )); then\n{completion}{}fi\n", include_str!("complete.zsh"))
        }
        Interactive::Fish => format!("{completion}\n{}", include_str!("init.fish")),
        Interactive::Powershell => format!("{completion}\n{}", include_str!("init.ps1")),
        Interactive::Nushell => format!("{completion}\n{}", include_str!("init.nu")),
        Interactive::Elvish => format!("{completion}\n{}", include_str!("init.elv")),
        Interactive::Tcsh => include_str!("init.tcsh").to_owned(),
        Interactive::Xonsh => include_str!("init.xsh").to_owned(),
    };
    text.replace("NAME", name)
}

/// Nushell, which clap does not support: one candidate per line, with its description after a tab.
pub struct Nushell;

impl EnvCompleter for Nushell {
    fn name(&self) -> &'static str {
        "nushell"
    }

    fn is(&self, name: &str) -> bool {
        name == "nushell"
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, text: &mut dyn io::Write) -> io::Result<()> {
        text.write_all(include_bytes!("complete.nu"))
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<std::ffi::OsString>,
        folder: Option<&Path>,
        text: &mut dyn io::Write,
    ) -> io::Result<()> {
        // The same lines as fish's.
        Fish.write_complete(command, words, folder, text)
    }
}
