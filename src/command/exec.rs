//! `daypass exec`: a command with credentials in its environment.

use std::ffi::OsString;

use crate::child;
use crate::cli::Exec;
use crate::error::{Error, Result};
use crate::profile::{Config, resolve};
use crate::world::{PATIENCE, World};

/// Runs it. On Unix it returns only if the command could not be started.
pub fn run(world: &World, typed: Exec) -> Result<u8> {
    let named = typed.name.clone();
    let target = resolve::target(&world.env, &super::asked_role(typed.role, typed.name))
        .map_err(|error| command_for_profile(world, named.as_deref(), &typed.command, error))?;
    let (account, credentials) = world.credentials(&target, PATIENCE)?;
    let (set, cleared) = super::variables(world, &target, &account, &credentials);
    child::run(&typed.command, &set, &cleared)
}

/// Where the name is no profile but a program, and a profile is named by the environment, the dashes before the command are missing.
fn command_for_profile(world: &World, named: Option<&str>, command: &[OsString], error: Error) -> Error {
    let Some(name) = named else { return error };
    let is_profile = |name: &str| Config::read(&world.env).is_ok_and(|config| config.profile(name).is_some());
    let is_program = || world.env.path().iter().any(|folder| folder.join(name).is_file());
    if is_profile(name) || !is_program() || !world.env.profile().is_some_and(is_profile) {
        return error;
    }
    let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
    let line = ["daypass", "exec", "--", name].into_iter().chain(words.iter().map(|word| &**word));
    Error { hint: resolve::typed_line(line), slip: None, ..error }
}
