//! Completes command lines for the scripts of shells, from the definition of the command line and the names in the config file.
//! Uses neither the keyring nor the network.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use crate::cli::Cli;
use crate::error::Error;
use crate::output::console;
use crate::output::shell::{Nushell, VARIABLE};
use crate::profile::config::{Block, Config};
use crate::profile::request::RoleRequest;
use crate::profile::resolve::{self, CredentialSource};
use crate::sys::env::Env;
use crate::text;
use crate::ui::terminal;

/// The shells whose scripts call daypass.
const SHELLS: [&dyn EnvCompleter; 6] = [&Bash, &Zsh, &Fish, &Powershell, &Elvish, &Nushell];

/// A shell that gets flags as candidates only for a word that begins like one: elsewhere they would bury the names.
struct Shown {
    shell: &'static dyn EnvCompleter,
    flags: bool,
}

impl EnvCompleter for Shown {
    fn name(&self) -> &'static str {
        self.shell.name()
    }

    fn is(&self, name: &str) -> bool {
        self.shell.is(name)
    }

    fn write_registration(&self, var: &str, name: &str, bin: &str, completer: &str, out: &mut dyn io::Write) -> io::Result<()> {
        self.shell.write_registration(var, name, bin, completer, out)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        self.shell.write_complete(command, words, folder, &mut text)?;
        // Candidates are separated by a line break, or for bash by a vertical tab.
        let candidates = text.split_inclusive(|byte| matches!(byte, b'\n' | b'\x0b'));
        candidates.filter(|candidate| self.flags || !candidate.starts_with(b"-")).try_for_each(|candidate| out.write_all(candidate))
    }
}

/// Prints the candidates for the word at the cursor.
pub(crate) fn answer(arguments: impl IntoIterator<Item = OsString>, env: &Env) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let words = arguments.splitn(2, |word| word == "--").nth(1).unwrap_or_default();
    // These shells send the words up to the cursor. The scripts of the others ask for the command's position themselves.
    if matches!(env.completing(), Some("fish" | "powershell" | "pwsh")) && Cli::command_at(words).is_some() {
        return 0;
    }
    let folder = std::env::current_dir().ok();
    let at = env.completed_word().unwrap_or(words.len().saturating_sub(1));
    let flags = words.get(at).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let [bash, zsh, fish, powershell, elvish, nushell] = SHELLS.map(|shell| Shown { shell, flags });
    let shells: [&dyn EnvCompleter; 7] = [&bash, &zsh, &fish, &powershell, &elvish, &nushell, &ExecPosition];
    // To define all commands takes longer than everything else.
    let typed = words.get(1).filter(|_| at > 1).and_then(|word| word.to_str()).map(str::to_owned);
    let complete = CompleteEnv::with_factory(|| with_candidates(Cli::definition_of(typed.as_deref()), env))
        .var(VARIABLE)
        .shells(Shells(&shells));
    match complete.try_complete(arguments, folder.as_deref()) {
        Ok(_) => 0,
        Err(error) => {
            let error = Error::usage(error.to_string(), "daypass shell-init --help");
            terminal::say(&error.to_string());
            error.exit as u8
        }
    }
}

/// Adds the candidates for each argument.
fn with_candidates(definition: clap::Command, env: &Env) -> clap::Command {
    definition.mut_subcommands(|subcommand| {
        let names_command = ["man", "help"].contains(&subcommand.get_name());
        subcommand.mut_args(|arg| {
            if names_command && arg.get_id() == "command" {
                return arg.add(ArgValueCandidates::new(commands));
            }
            let value = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
            let names: fn(&Config) -> Names = match (arg.get_id().as_str(), value) {
                ("profile", _) | (_, "PROFILE") => profiles,
                ("session", _) | (_, "SESSION") => sessions,
                (_, "SESSION|PROFILE") => |config| profiles(config).into_iter().chain(sessions(config)).collect(),
                ("account", _) => |config| values(config, |request| request.account),
                ("role", _) => |config| values(config, |request| request.role),
                ("destination", _) => |_| console::services().map(|name| (name.to_owned(), Vec::new())).collect(),
                _ => return arg,
            };
            let env = env.clone();
            arg.add(ArgValueCandidates::new(move || candidates(&env, names)))
        })
    })
}

/// The commands, which all have a manual page.
fn commands() -> Vec<CompletionCandidate> {
    let candidate =
        |subcommand: &clap::Command| CompletionCandidate::new(subcommand.get_name()).help(subcommand.get_about().cloned());
    Cli::command().get_subcommands().map(candidate).collect()
}

/// Names with their descriptions.
type Names = BTreeMap<String, Vec<String>>;

/// A file that can't be read yields no names: completion has no place to show an error.
fn candidates(env: &Env, names: fn(&Config) -> Names) -> Vec<CompletionCandidate> {
    let names = Config::read(env).map(|config| names(&config)).unwrap_or_default();
    let candidate = |(name, about): (String, Vec<String>)| {
        let help = (!about.is_empty()).then(|| about.join(", ").into());
        // A name that the shell would not pass on unchanged is left out.
        (text::clean(&name) == name).then(|| CompletionCandidate::new(name).help(help))
    };
    names.into_iter().filter_map(candidate).collect()
}

fn profiles(config: &Config) -> Names {
    let about = |block: &Block<'_>| {
        let request = request(block);
        [request.role, request.account].into_iter().flatten().collect::<Vec<_>>().join(" in ")
    };
    config.profiles().iter().map(|block| (block.name.to_string(), vec![about(block)])).collect()
}

fn sessions(config: &Config) -> Names {
    resolve::sessions(config).into_iter().map(|session| (session.name, vec![session.start_url])).collect()
}

/// The values of one field in all profiles, with the profiles that contain each.
fn values(config: &Config, value: fn(RoleRequest) -> Option<String>) -> Names {
    config.profiles().iter().fold(Names::new(), |mut names, block| {
        if let Some(value) = value(request(block)) {
            names.entry(value).or_default().push(block.name.to_string());
        }
        names
    })
}

/// The account and the role that a profile itself contains.
fn request(block: &Block<'_>) -> RoleRequest {
    match resolve::credential_source(block) {
        CredentialSource::Helper(request) => *request,
        CredentialSource::Native | CredentialSource::Legacy => {
            let text = |key| block.text(key).map(str::to_owned);
            RoleRequest { account: text("sso_account_id"), role: text("sso_role_name"), ..RoleRequest::default() }
        }
        CredentialSource::Assumes(_) | CredentialSource::Other(..) | CredentialSource::Nothing => RoleRequest::default(),
    }
}

/// Not a shell: the scripts use it to find out whether the last word belongs to the command of `exec`, which the shell then completes
/// itself. Prints the index at which that command begins, or nothing.
struct ExecPosition;

impl EnvCompleter for ExecPosition {
    fn name(&self) -> &'static str {
        "command"
    }

    fn is(&self, name: &str) -> bool {
        name == "command"
    }

    fn write_registration(&self, _: &str, _: &str, _: &str, _: &str, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    fn write_complete(
        &self,
        _: &mut clap::Command,
        words: Vec<OsString>,
        _: Option<&Path>,
        text: &mut dyn io::Write,
    ) -> io::Result<()> {
        // Bash splits `--flag=value` into three words.
        let is_flag = |at: usize| words.get(at).is_some_and(|word| word.as_encoded_bytes().starts_with(b"--"));
        let kept = |at: &usize| !(words.get(*at).is_some_and(|word| word == "=") && is_flag(at.wrapping_sub(1)));
        let places: Vec<usize> = (0..words.len()).filter(kept).collect();
        let joined: Vec<_> = places.iter().filter_map(|&at| words.get(at).cloned()).collect();
        match Cli::command_at(&joined).and_then(|at| places.get(at)) {
            Some(at) => writeln!(text, "{at}"),
            None => Ok(()),
        }
    }
}
