//! daypass: short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
//!
//! The house has floors; a room imports only from floors below its own:
//!
//! | floor | rooms |
//! | --- | --- |
//! | 0 ground | [`error`], [`secret`], [`clock`], [`mod@env`], [`mod@file`], [`terminal`], [`signal`], [`keys`], [`listener`], [`browser`], [`child`] |
//! | 1 nouns | [`grant`], [`profile`] |
//! | 2 edges | [`vault`], [`portal`], [`recall`] |
//! | 3 heart | [`broker`] |
//! | 4 face | [`cli`], [`output`], [`picker`] |
//! | 5 verbs | [`world`], [`command`] |
//! | 6 door | this file, `main` |

pub mod broker;
pub mod browser;
pub mod child;
pub mod cli;
pub mod clock;
pub mod command;
pub mod env;
pub mod error;
pub mod file;
pub mod grant;
pub mod keys;
pub mod listener;
mod log;
pub mod output;
pub mod picker;
pub mod portal;
pub mod profile;
pub mod recall;
pub mod secret;
pub mod signal;
pub mod terminal;
pub mod vault;
pub mod world;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use cli::{Cli, Verb};
use env::Env;
use error::{Error, Result};
use profile::resolve;
use world::World;

/// Runs daypass with these arguments (the program's name first) and returns the status to end with.
pub fn run(arguments: impl IntoIterator<Item = OsString>, env: Env) -> u8 {
    if env.completing().is_some() {
        return command::completions::answer(arguments, &env);
    }
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match parse(&arguments).and_then(|typed| obey(typed, env)) {
        Ok(status) => status,
        Err(mut error) => {
            if let Some(line) = error.slip.as_ref().and_then(|slip| retyped(&arguments, &slip.0, &slip.1)) {
                error.hint = line;
            }
            terminal::say(&error.to_string());
            error.exit as u8
        }
    }
}

fn obey(typed: Option<Cli>, env: Env) -> Result<u8> {
    let Some(Cli { common, verb }) = typed else { return Ok(0) };
    log::start(env.log(), common.verbose);
    let world = World::new(env, common);
    match verb {
        Some(Verb::Configure(typed)) => command::configure::run(&world, &typed),
        Some(Verb::Login(typed)) => command::login::run(&world, typed),
        Some(Verb::Logout(typed)) => command::logout::run(&world, typed),
        Some(Verb::CredentialProcess(typed)) => command::credential_process::run(&world, typed),
        Some(Verb::Env(typed)) => command::env::run(&world, typed),
        Some(Verb::Exec(typed)) => command::exec::run(&world, typed),
        Some(Verb::Console(typed)) => command::console::run(&world, typed),
        Some(Verb::List(typed)) => command::list::run(&world, typed),
        Some(Verb::Status(typed)) => command::status::run(&world, typed),
        Some(Verb::ShellInit(typed)) => command::shell_init::run(&world, &typed),
        Some(Verb::Sync(typed)) => command::sync::run(&world, &typed),
        Some(Verb::Completions(typed)) => command::completions::run(&world, &typed),
        Some(Verb::Man(typed)) => command::man::run(&world, &typed),
        None => {
            let there = world.may_choose() && terminal::shows_output();
            if there && let Some(status) = command::pick::run(&world)? {
                return Ok(status);
            }
            world.print(&Cli::command().render_help().to_string())?;
            if there {
                world.tell("\nBegin with: daypass configure");
            }
            Ok(0)
        }
    }
}

/// None where help or the version was asked for, and has been printed.
fn parse(arguments: &[OsString]) -> Result<Option<Cli>> {
    if let Some(typed) = parse_helper(arguments) {
        return Ok(Some(typed));
    }
    let error = match Cli::read(arguments.iter().cloned()) {
        Ok(typed) => return Ok(Some(typed)),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Clap knows whether the terminal takes colour.
        let _ = error.print();
        return Ok(None);
    }
    // Clap's message is the first paragraph; usage and tips follow, which the hint's command shows better.
    let text = error.render().to_string();
    let message: Vec<&str> = text.split("\n\n").next().unwrap_or_default().lines().map(str::trim).collect();
    let message = message.join(" ");
    let definitions = Cli::command();
    let verb = arguments.iter().skip(1).find_map(|word| definitions.find_subcommand(word)).map(clap::Command::get_name);
    let help = verb.map_or_else(|| "daypass --help".to_owned(), |verb| format!("daypass {verb} --help"));
    Err(Error::usage(message.strip_prefix("error: ").unwrap_or(&message), help))
}

/// The command line with the word that is meant in place of the wrong one; None where that is not in it.
fn retyped(arguments: &[OsString], wrong: &str, meant: &str) -> Option<String> {
    let mut words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let is_it = |word: &&mut String| {
        *word == wrong || word.split_once('=').is_some_and(|(flag, value)| flag.starts_with("--") && value == wrong)
    };
    let word = words.iter_mut().find(is_it)?;
    *word = word.strip_suffix(wrong)?.to_owned() + meant;
    Some(resolve::typed_line(["daypass"].into_iter().chain(words.iter().map(String::as_str))))
}

/// What SDKs call is read by its own definitions alone: building those of all commands would be half of a warm call's work.
/// None for anything else, and for what is wrong with it, which the whole command line's parser says better.
fn parse_helper(arguments: &[OsString]) -> Option<Cli> {
    #[derive(Parser)]
    struct Helper {
        #[command(flatten)]
        common: cli::Common,
        #[command(flatten)]
        typed: cli::CredentialProcess,
    }
    let from_verb = arguments.get(1..).filter(|rest| rest.first().is_some_and(|verb| verb == "credential-process"))?;
    let Helper { common, typed } = Helper::try_parse_from(from_verb).ok()?;
    Some(Cli { common, verb: Some(Verb::CredentialProcess(typed)) })
}
