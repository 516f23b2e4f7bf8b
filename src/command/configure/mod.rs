//! `daypass configure`: writes a session and profiles. With complete flags it prompts for nothing; on a terminal it prompts for
//! what is missing and cannot be derived.

mod args;
mod convert;
mod questions;
mod wizard;
mod write;

pub use args::Args;

use super::roles::Reachable;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::profile::Config;
use crate::profile::edit::Change;
use crate::sys::env::Env;
use wizard::Wizard;

/// The command line that these arguments, with the values that they lack, make up: for a hint where nothing can be prompted for.
pub fn complete_command(env: &Env, args: &Args) -> String {
    let config = Config::read(env).unwrap_or_else(|_| Config::of_texts(Default::default(), Default::default()));
    wizard::complete_command(args, &config)
}

/// Runs the command.
///
/// # Errors
/// Missing or invalid values, those of signing in and of listing roles, and those of writing the config file.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let config = Config::read(&context.env)?;
    if let (false, Some(rejection)) = (args.force, config.rejections().first()) {
        let hint = format!("{}; or write all the same with --force", rejection.fix);
        return Err(Error::usage(rejection.line(), hint));
    }
    context.warn_of_files();
    let wizard = Wizard::new(context, &config, &args);
    if args.convert && args.account.is_none() && args.role.is_none() {
        return wizard.convert_all();
    }
    let session = wizard.session()?;
    let mut changes = vec![Change::Session(session.clone())];
    let mut names = Vec::new();
    if !args.session_only {
        let mut roles = wizard.roles(&session)?;
        wizard.check_assumed(roles.len())?;
        // A role that is only the base of another is not what existing profiles refer to.
        let conversion = wizard.conversion(Some(&session), |_, its, role| {
            args.assume.assume_role.is_none() && its.is_same_portal(&session) && roles.iter().any(|selected| selected.role == *role)
        })?;
        let converted = wizard.accepted(conversion)?;
        // A role whose profile is converted needs no second profile.
        roles.retain(|selected| args.profile.is_some() || !converted.roles.contains(&selected.role));
        if !roles.is_empty() {
            let settings = wizard.settings()?;
            names = wizard.names(&session, &roles)?;
            for (name, Reachable { role, .. }) in names.iter().zip(&roles) {
                changes.push(wizard.profile(&session, name, role, &settings)?);
            }
        }
        changes.extend(converted.changes);
        names.extend(converted.names);
    }
    wizard.write(&changes, &names, Some(&session))
}
