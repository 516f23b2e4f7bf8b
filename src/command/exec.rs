//! `daypass exec`: runs a command with credentials in its environment.

use std::ffi::OsString;

use super::flags::RoleArgs;
use super::role_in_shell::{Role, Variables};
use super::server;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Correction, Error, Exit, Result};
use crate::output::export;
use crate::profile::names::nearest;
use crate::profile::precedence::{Kind, Precedence, Sdk};
use crate::profile::resolve::RoleTarget;
use crate::profile::{Config, resolve};
use crate::sys::child;
use crate::text;

/// Run a command with credentials in its environment
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass exec dev -- aws s3 ls
  daypass exec dev aws s3 ls
  daypass exec dev                  # a shell
  daypass exec --session corp --account 111122223333 --role DeveloperAccess \\
      -- terraform plan
  daypass exec dev --server -- terraform apply

With --server, the credentials of the command renew for as long as it runs: AWS
SDKs ask a local endpoint for them, which ends with the command.

Without a command, exec starts your shell ($SHELL).

The -- is optional after a profile or after --account and --role: the next word
starts the command. It is required to use AWS_PROFILE: 'daypass exec -- aws s3
ls'.

Exits with the status of the command, 127 if it is not found, or 126 if it can't
be executed.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleArgs,
    /// Give the command credentials that renew, from a local endpoint
    #[arg(long)]
    pub server: bool,
    /// Hide the config and credentials files from the command, so that it can't use credentials of [default] instead of the endpoint's
    #[arg(long, requires = "server")]
    pub isolate: bool,
    /// Command and its arguments [default: $SHELL]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Runs the command. On Unix it returns only if the command could not be started.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let (named, region) = (args.role.name.clone(), args.role.flags.region.clone());
    let typed = args.role.words();
    let target = resolve::target(&context.env, &args.role.into())
        .map_err(|error| command_for_profile(context, named.as_deref(), &args.command, error))?;
    if args.server {
        return with_server(context, &target, &typed, region.as_deref(), args.isolate, &args.command);
    }
    let (account, credentials) = context.credentials(&target, COMMAND_TIMEOUT)?;
    let role = Role { target: &target, account, credentials, region: region.as_deref() };
    if args.command.is_empty() {
        return role.start_shell(context);
    }
    let Variables { set, cleared, .. } = role.keys(context);
    child::run(&args.command, &set, &cleared).map_err(|error| similar_command(context, &args.command, error))
}

/// Runs the command with an endpoint beside it, which is ready before the command starts.
fn with_server(
    context: &Context,
    target: &RoleTarget,
    typed: &[String],
    region: Option<&str>,
    isolate: bool,
    command: &[OsString],
) -> Result<u8> {
    let name = super::shown_name_of(context, target);
    let mut extras = super::extras(context, target, &name, region);
    super::note_use(context, target, &target.final_account(), extras.region());
    if isolate {
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        extras
            .settings
            .extend(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|file| (file.to_owned(), nothing.to_owned())));
    } else {
        refuse_default(context)?;
    }
    let (address, token) = server::start(context, target, typed)?;
    let set = export::endpoint_variables(&address, &token, extras);
    let cleared = export::cleared_for_endpoint(&set, context.env.our_settings());
    let shell = [context.env.shell_program().into()];
    let command = if command.is_empty() {
        context.tell(&format!("Started a shell with credentials for {name}, which renew. Type 'exit' to leave."));
        &shell
    } else {
        command
    };
    child::run(command, &set, &cleared).map_err(|error| similar_command(context, command, error))
}

/// An error if an SDK would use credentials of `[default]`, because every SDK prefers a profile to an endpoint.
fn refuse_default(context: &Context) -> Result<()> {
    let Ok(config) = Config::read(&context.env) else { return Ok(()) };
    let cleared = export::cleared_for_endpoint(&[], Vec::new());
    let set = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1")];
    let env = context.env.changed(set, cleared.iter().map(|name| &**name));
    let precedence = Precedence::new(&config);
    let used = Sdk::ALL.iter().map(|sdk| precedence.ranking(*sdk, &env, None).used).find(|used| used.kind != Kind::Container);
    let Some(place) = used.and_then(|used| used.place) else { return Ok(()) };
    let what = format!("AWS tools would use the credentials of [default] ({place}) instead of the endpoint");
    Err(Error::usage(what, "add --isolate, which hides the config and credentials files from the command").adding(&["--isolate"]))
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
