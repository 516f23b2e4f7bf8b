//! daypass: short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
//!
//! The modules are grouped in layers. A module imports only from layers below its own, and no two files import each other;
//! `tests/architecture.rs` checks both.
//!
//! | layer | modules | may touch |
//! | --- | --- | --- |
//! | entry | `main`, this file, [`cli`], `completion` | arguments, exit status |
//! | commands | [`command`] | through [`context::Context`] |
//! | interface | [`context`], [`ui`], [`output`] | terminal |
//! | core | [`broker`], [`migration`] | nothing itself |
//! | services | [`portal`], [`sts`], [`iam`] (all on [`aws`]), [`vault`], [`history`], [`allowance`], [`issued`], [`audit`] | network; keyring; its own files; files to search |
//! | model | [`credentials`], [`profile`], [`access_key`] | [`profile::store`] the user's files; the rest nothing |
//! | system | [`sys`] | one thing each |
//! | foundation | [`error`], [`secret`], [`text`] | nothing |

pub mod access_key;
pub mod allowance;
pub mod audit;
pub mod aws;
pub mod broker;
pub mod cli;
pub mod command;
mod completion;
pub mod context;
pub mod credentials;
pub mod error;
pub mod history;
pub mod iam;
pub mod issued;
pub mod migration;
pub mod output;
pub mod portal;
pub mod profile;
pub mod secret;
pub mod sts;
pub mod sys;
pub mod text;
pub mod ui;
pub mod vault;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

use cli::{Cli, Command, FileWarning};
use context::Context;
use error::{Correction, Error, Result};
use sys::env::Env;
use ui::{log, terminal};

/// Runs daypass with these arguments, the program name first, and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>, env: Env) -> u8 {
    if env.completing().is_some() {
        return completion::answer(arguments, &env);
    }
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match parse(&arguments).and_then(|cli| dispatch(cli, env)) {
        Ok(status) => status,
        Err(mut error) => {
            if let Some(line) = error.correction.take().and_then(|correction| corrected_command(&arguments, *correction)) {
                error.hint = line;
            }
            terminal::say(&terminal::shown(&error));
            error.exit as u8
        }
    }
}

fn dispatch(cli: Option<Cli>, env: Env) -> Result<u8> {
    let Some(Cli { global, command }) = cli else { return Ok(0) };
    log::start(env.log(), global.verbose);
    let subcommand = command.as_ref().map_or("pick", Command::name);
    let context = Context::new(env, global.into(), Cli::command, subcommand);
    let warning = command.as_ref().map_or(FileWarning::Before, Command::file_warning);
    if warning == FileWarning::Before {
        context.warn_of_files();
    }
    let result = match command {
        Some(command) => command.run(&context),
        None => command::pick::run(&context),
    };
    if warning == FileWarning::OnFailure && result.is_err() {
        context.warn_of_files();
    }
    result.map_err(|error| for_agent(&context, complete_hint(&context, error)))
}

/// A coding agent can't sign in: it has no browser in which it is the user.
fn for_agent(context: &Context, error: Error) -> Error {
    match context.env.agent() {
        Some(_) if error.exit == error::Exit::SignIn => Error { what: format!("{}; a person has to sign in", error.what), ..error },
        _ => error,
    }
}

/// Without a terminal `daypass configure` cannot prompt, so a hint to run it gets the missing values, with examples for those that are
/// not known.
fn complete_hint(context: &Context, error: Error) -> Error {
    if context.may_prompt() || !error.hint.starts_with("daypass configure") {
        return error;
    }
    let words = shlex::split(&error.hint).unwrap_or_default();
    match Cli::try_parse_from(words) {
        Ok(Cli { command: Some(cli::Command::Configure(args)), .. }) => {
            Error { hint: command::configure::complete_command(&context.env, &args), ..error }
        }
        _ => error,
    }
}

/// Reads the command line. None if help or the version was requested, which it has printed.
fn parse(arguments: &[OsString]) -> Result<Option<Cli>> {
    let error = match Cli::read(arguments) {
        Ok(cli) => return Ok(Some(cli)),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A shell would evaluate what its function prints.
        if arguments.iter().any(|word| word == "--dp") {
            terminal::say(error.render().to_string().trim_end());
            return Ok(None);
        }
        // Clap detects whether the terminal shows colour.
        let _ = error.print();
        return Ok(None);
    }
    // The first paragraph is the message. Usage and tips follow; the hint is the corrected command line, or the command that shows them.
    let text = error.render().to_string();
    let message: Vec<&str> = text.split("\n\n").next().unwrap_or_default().lines().map(str::trim).collect();
    let message = message.join(" ").replace("subcommand", "command");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let definition = Cli::command();
    let subcommand = arguments.iter().skip(1).find_map(|word| definition.find_subcommand(word)).map(clap::Command::get_name);
    let help = subcommand.map_or_else(|| "daypass --help".to_owned(), |name| format!("daypass {name} --help"));
    Err(match typo(&error) {
        Some((wrong, meant)) => Error::typo(format!("{message}; did you mean '{meant}'?"), &wrong, &meant, help),
        None => Error::usage(message, help),
    })
}

/// The mistyped word of a command line, and the most similar one that is known.
fn typo(error: &clap::Error) -> Option<(String, String)> {
    let (wrong, meant) = match error.kind() {
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        ErrorKind::InvalidValue => (ContextKind::InvalidValue, ContextKind::SuggestedValue),
        _ => return None,
    };
    let text = |kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        // The most similar one is the last.
        ContextValue::Strings(texts) => texts.last().cloned(),
        _ => None,
    };
    Some((text(wrong)?, text(meant)?))
}

/// The corrected command line, or the same one; None if it does not contain what is to be corrected.
fn corrected_command(arguments: &[OsString], correction: Correction) -> Option<String> {
    let mut words: Vec<String> = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let mut prefix = String::new();
    match correction {
        Correction::Replace(wrong, meant) => {
            let corrected = |word: &String| match word.split_once('=').filter(|(flag, _)| flag.starts_with("--")) {
                _ if *word == wrong => Some(meant.clone()),
                Some((flag, value)) if flag == wrong => Some(format!("{meant}={value}")),
                Some((flag, value)) if value == wrong => Some(format!("{flag}={meant}")),
                _ => None,
            };
            let (at, word) = words.iter().enumerate().find_map(|(at, word)| Some((at, corrected(word)?)))?;
            words.splice(at..=at, [word]);
        }
        Correction::Add(more) => {
            // Right after the command's name: what follows may belong to another program.
            let definition = Cli::command();
            let command = words.iter().position(|word| definition.find_subcommand(word).is_some())?;
            let after = command + 1;
            words.splice(after..after, more);
        }
        Correction::Repeat(first) => prefix = format!("{first}: "),
    }
    Some(prefix + &text::command_line(["daypass"].into_iter().chain(words.iter().map(String::as_str))))
}
