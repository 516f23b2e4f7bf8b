//! `daypass completions`: the completion script of a shell. The script asks this program, which answers from the command line's
//! definition and the names in the config file: no keyring, no network.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::cli::{Cli, Completions};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::output::{console, shell};
use crate::profile::resolve::{self, Means};
use crate::profile::{Block, Config};
use crate::terminal;
use crate::world::World;

/// Runs it.
pub fn run(world: &World, typed: &Completions) -> Result<u8> {
    world.print(&shell::completion(typed.shell))?;
    Ok(0)
}

/// Answers a shell: what could stand at the cursor.
pub fn answer(arguments: impl IntoIterator<Item = OsString>, env: &Env) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let words = arguments.splitn(2, |word| word == "--").nth(1).unwrap_or_default();
    // What these send ends at the cursor. The other shells' scripts ask for a command's place themselves.
    if matches!(env.completing(), Some("fish" | "powershell" | "pwsh")) && Cli::command_at(words).is_some() {
        return 0;
    }
    let folder = std::env::current_dir().ok();
    let complete = CompleteEnv::with_factory(|| command(env)).var(shell::ASKS).shells(shell::SHELLS);
    match complete.try_complete(arguments, folder.as_deref()) {
        Ok(_) => 0,
        Err(error) => {
            let error = Error::usage(error.to_string(), "daypass shell-init --help");
            terminal::say(&error.to_string());
            error.exit as u8
        }
    }
}

/// The command line's definition, with the names that each argument may take.
fn command(env: &Env) -> clap::Command {
    Cli::command().mut_subcommands(|verb| {
        let of_man = verb.get_name() == "man";
        verb.mut_args(|arg| {
            if of_man && arg.get_id() == "command" {
                return arg.add(ArgValueCandidates::new(verbs));
            }
            let value = arg.get_value_names().and_then(<[_]>::first).map_or("", |name| name.as_str());
            let names: fn(&Config) -> Names = match (arg.get_id().as_str(), value) {
                ("profile", _) | (_, "PROFILE") => profiles,
                ("session", _) | (_, "SESSION") => sessions,
                ("account", _) => |config| said(config, |asked| asked.account),
                ("role", _) => |config| said(config, |asked| asked.role),
                ("destination", _) => |_| console::services().map(|name| (name.to_owned(), Vec::new())).collect(),
                _ => return arg,
            };
            let env = env.clone();
            arg.add(ArgValueCandidates::new(move || candidates(&env, names)))
        })
    })
}

/// The commands that have a manual page.
fn verbs() -> Vec<CompletionCandidate> {
    let candidate = |verb: &clap::Command| CompletionCandidate::new(verb.get_name()).help(verb.get_about().cloned());
    Cli::command().get_subcommands().map(candidate).collect()
}

/// A name, and what is said of it.
type Names = BTreeMap<String, Vec<String>>;

/// A file that can't be read has no names: at a prompt there is nobody to tell.
fn candidates(env: &Env, names: fn(&Config) -> Names) -> Vec<CompletionCandidate> {
    let names = Config::read(env).map(|config| names(&config)).unwrap_or_default();
    let candidate = |(name, about): (String, Vec<String>)| {
        let help = (!about.is_empty()).then(|| about.join(", ").into());
        // A name that would not arrive as it is can't be chosen here.
        (terminal::clean(&name) == name).then(|| CompletionCandidate::new(name).help(help))
    };
    names.into_iter().filter_map(candidate).collect()
}

fn profiles(config: &Config) -> Names {
    let about = |block: &Block<'_>| {
        let asked = asked(block);
        [asked.role, asked.account].into_iter().flatten().collect::<Vec<_>>().join(" in ")
    };
    config.profiles().iter().map(|block| (block.name.to_string(), vec![about(block)])).collect()
}

fn sessions(config: &Config) -> Names {
    resolve::sessions(config).into_iter().map(|session| (session.name, vec![session.start_url])).collect()
}

/// One value of all profiles, with the profiles that say it.
fn said(config: &Config, value: fn(resolve::Asked) -> Option<String>) -> Names {
    config.profiles().iter().fold(Names::new(), |mut names, block| {
        if let Some(value) = value(asked(block)) {
            names.entry(value).or_default().push(block.name.to_string());
        }
        names
    })
}

/// The account and the role that a profile names by itself.
fn asked(block: &Block<'_>) -> resolve::Asked {
    match resolve::means(block) {
        Means::Helper(asked) => *asked,
        Means::Native | Means::Legacy => {
            let text = |key| block.text(key).map(str::to_owned);
            resolve::Asked { account: text("sso_account_id"), role: text("sso_role_name"), ..resolve::Asked::default() }
        }
        Means::Other(..) | Means::Nothing => resolve::Asked::default(),
    }
}
