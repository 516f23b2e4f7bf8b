//! `daypass configure`: writes a session and profiles. With complete flags it prompts for nothing; on a terminal it prompts for
//! what is missing and cannot be derived.

mod args;
mod convert;
mod questions;
mod wizard;
mod write;

pub use args::Args;

use super::roles::Reachable;
use super::{region, sync};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::profile::Config;
use crate::profile::edit::Change;
use crate::profile::index::ProfileIndex;
use crate::profile::names::Session;
use crate::profile::precedence::Precedence;
use crate::profile::resolve;
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
    if let Some(region) = &args.region {
        region::checked(region, "--region")?;
    }
    let config = Config::read(&context.env)?;
    if let (false, Some(rejection)) = (args.force, config.rejections().first()) {
        let hint = format!("{}; or write all the same with --force", rejection.fix);
        return Err(Error::usage(rejection.line(), hint));
    }
    resolve::check_lines(&config)?;
    context.warn_of(&config);
    let args = if context.may_prompt() { args } else { with_existing_values(args, &config, &context.env) };
    let wizard = Wizard::new(context, &config, &args);
    if args.convert && args.account.is_none() && args.role.is_none() {
        return wizard.convert_all();
    }
    if let (Some(name), false) = (&args.profile, args.sync || args.session_only) {
        wizard.check_profile(name)?;
    }
    let session = wizard.session()?;
    if args.sync {
        let write = |session: &Session| wizard.sync(session);
        return wizard.with_right_region(&session, write).map(|(_, status)| status);
    }
    if args.session_only {
        return wizard.write(&[Change::Session(session.clone())], &[], Some(&session));
    }
    let (session, mut roles) = wizard.with_right_region(&session, |session| wizard.roles(session))?;
    wizard.note_roles(&roles);
    let mut changes = vec![Change::Session(session.clone())];
    let mut names = Vec::new();
    wizard.check_assumed(roles.len())?;
    // A role that is only the base of another is not what existing profiles refer to.
    let conversion = wizard.conversion(&Precedence::new(&config), Some(&session), |_, its, role| {
        args.assume.assume_role.is_none() && its.is_same_portal(&session) && roles.iter().any(|selected| selected.role == *role)
    })?;
    let converted = wizard.accepted(conversion);
    // A role whose profile is converted needs no second profile.
    roles.retain(|selected| args.profile.is_some() || !converted.roles.contains(&selected.role));
    if !roles.is_empty() {
        let settings = wizard.settings(&session)?;
        names = wizard.names(&session, &roles)?;
        for (name, Reachable { role, .. }) in names.iter().zip(&roles) {
            changes.push(wizard.profile(&session, name, role, &settings)?);
        }
    }
    changes.extend(converted.changes);
    names.extend(converted.names);
    wizard.write(&changes, &names, Some(&session))
}

/// The arguments, with the missing values of an existing profile, which a prompt would propose.
fn with_existing_values(mut args: Args, config: &Config, env: &Env) -> Args {
    let names_portal = args.portal.is_some() || args.session.start_url.is_some();
    let block = args.profile.as_deref().filter(|_| !names_portal && !args.convert).and_then(|name| config.profile(name));
    let Some((session, role)) = block.and_then(|block| ProfileIndex::new(config, env).role_of(&block)) else { return args };
    if args.session.session.as_ref().is_some_and(|name| *name != session.name) {
        return args;
    }
    if config.session(&session.name).is_some() {
        args.session.session = Some(session.name);
    } else {
        args.session.start_url = Some(session.start_url);
        args.session.sso_region.get_or_insert(session.region);
    }
    args.account.get_or_insert(role.account.to_string());
    args.role.get_or_insert(role.role.to_string());
    args
}

impl Wizard<'_> {
    /// Does something that may require a sign-in. If that shows that the region is wrong, it is corrected with the user's consent. If it
    /// fails before the session is written, the hint is the command that goes on with what is known.
    fn with_right_region<T>(&self, session: &Session, act: impl Fn(&Session) -> Result<T>) -> Result<(Session, T)> {
        let (session, result) = match act(session).map_err(|error| region::corrected(self.context, session, error)) {
            Ok(done) => (session.clone(), Ok(done)),
            Err(Ok(corrected)) => {
                self.note(|args, set_up| {
                    args.session.sso_region = args.session.sso_region.take().map(|_| corrected.region.clone());
                    set_up.region = Some(corrected.region.clone());
                });
                let result = act(&corrected);
                (corrected, result)
            }
            Err(Err(error)) => (session.clone(), Err(error)),
        };
        let is_sign_in = |error: &Error| matches!(error.exit, Exit::SignIn | Exit::Failed | Exit::Interrupted);
        match result {
            Err(error) if is_sign_in(&error) && self.config.session(&session.name).is_none() => {
                Err(Error { hint: self.command_so_far(), correction: None, ..error })
            }
            result => Ok((session, result?)),
        }
    }

    /// `--sync`: signs in and writes a profile for every role.
    fn sync(&self, session: &Session) -> Result<u8> {
        let region = match &self.args.region {
            Some(region) => region::checked(region, "--region")?,
            None => self.likely_region(session),
        };
        let Args { helper, dry_run, no_browser, .. } = self.args.clone();
        let status = sync::onboard(self.context, session, region, helper, dry_run, no_browser)?;
        if !dry_run {
            self.note_completion();
        }
        Ok(status)
    }
}
