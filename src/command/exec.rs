//! `daypass exec`: runs a command with credentials in its environment.

use std::ffi::OsString;

use super::flags::RoleArgs;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Correction, Error, Exit, Result};
use crate::profile::names::nearest;
use crate::profile::{Config, resolve};
use crate::sys::child;
use crate::text;

/// Run a command with credentials in its environment
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass exec dev -- aws s3 ls
  daypass exec dev aws s3 ls
  daypass exec dev -- $SHELL
  daypass exec --session corp --account 111122223333 --role DeveloperAccess \\
      -- terraform plan

The -- is optional after a profile or after --account and --role: the next word
starts the command. It is required to use AWS_PROFILE: 'daypass exec -- aws s3
ls'.

Exits with the status of the command, 127 if it is not found, or 126 if it
cannot be executed.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Runs the command. On Unix it returns only if the command could not be started.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let (named, region) = (args.role.name.clone(), args.role.flags.region.clone());
    let target = resolve::target(&context.env, &args.role.into())
        .map_err(|error| command_for_profile(context, named.as_deref(), &args.command, error))?;
    let (account, credentials) = context.credentials(&target, COMMAND_TIMEOUT)?;
    let (set, cleared) = super::variables(context, &target, &account, &credentials, region.as_deref());
    child::run(&args.command, &set, &cleared).map_err(|error| similar_command(context, &args.command, error))
}

/// If the name is that of a program, not of a profile, and the environment names a profile, then the `--` before the command is missing.
fn command_for_profile(context: &Context, named: Option<&str>, command: &[OsString], error: Error) -> Error {
    let Some(name) = named else { return error };
    let is_profile = |name: &str| Config::read(&context.env).is_ok_and(|config| config.profile(name).is_some());
    let is_program = || context.env.path().iter().any(|folder| folder.join(name).is_file());
    if is_profile(name) || !is_program() || !context.env.profile().is_some_and(is_profile) {
        return error;
    }
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let line = ["daypass", "exec", "--", name].into_iter().chain(words.iter().map(|word| &**word));
    Error { hint: text::command_line(line), correction: None, ..error }
}

/// If the command was not found and `PATH` contains one of a similar name, the hint runs that one.
fn similar_command(context: &Context, command: &[OsString], error: Error) -> Error {
    let Some(name) = command.first().and_then(|program| program.to_str()).filter(|_| error.exit == Exit::NotFound) else {
        return error;
    };
    let folders = context.env.path();
    let files = folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let names: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => Error {
            what: format!("{}; did you mean \"{near}\"?", error.what),
            correction: Some(Box::new(Correction::Replace(name.to_owned(), near.to_owned()))),
            ..error
        },
        None => error,
    }
}
