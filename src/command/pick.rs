//! `daypass` without a command: lets the user choose a role, then starts a shell, opens the console, shows the `env` command or writes a
//! profile.

use super::choose::{choices, choose, credentials};
use super::flags::{AssumeFlags, RoleArgs, RoleFlags, SessionFlags};
use super::role_in_shell::Role;
use super::{configure, console, env};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::profile::Config;
use crate::profile::names::Session;
use crate::profile::resolve::RoleTarget;
use crate::text;
use crate::ui::picker::Key;
use crate::ui::{prompt, terminal};

const LETTERS: &[char] = &['o', 'e', 's'];

const HELP: &[&str] = &[
    "  Type to search, Enter start shell, Ctrl-O open console, Ctrl-E show env command, Ctrl-S write profile, Esc cancel",
    "  Enter shell, ^O console, ^E env, ^S profile, Esc cancel",
    "  Enter shell ^O console ^E env ^S save",
];

/// Opens the picker on a terminal. If there is nothing to choose from yet, offers the set-up. Otherwise prints the help.
pub fn run(context: &Context) -> Result<u8> {
    if context.may_choose() && terminal::shows_output() {
        if let Some(status) = pick(context)? {
            return Ok(status);
        }
        context.tell("Nothing is configured yet.");
        if context.may_prompt() && prompt::confirm("Set up daypass now?", true).ok().flatten() == Some(true) {
            return configure::run(context, configure::Args::default());
        }
    }
    context.print(&(context.definition)().render_help().to_string())?;
    Ok(0)
}

/// None if there is nothing to choose from yet.
fn pick(context: &Context) -> Result<Option<u8>> {
    let config = Config::read(&context.env)?;
    let choices = choices(context, &config);
    if choices.is_empty() {
        return Ok(None);
    }
    let Some((key, target)) = choose(context, choices, |picker| picker.acting(LETTERS, HELP))? else {
        return Ok(Some(Exit::Interrupted as u8));
    };
    match key {
        Key::Control('o') => console::open_as(context, &target)?,
        Key::Control('e') => {
            // Signs in first if required, so that the line works.
            credentials(context, &target)?;
            context.print(&(env::evaluation(context, role_args(&config, target)) + "\n"))?;
        }
        Key::Control('s') => {
            let args = configure_args(&config, target)?;
            let words = [&args.role, &args.account].map(|word| word.as_deref().unwrap_or_default());
            context.tell(&format!("New profile for {}:", text::clean(&words.join(" in "))));
            return configure::run(context, args).map(Some);
        }
        _ => return shell(context, &target).map(Some),
    }
    Ok(Some(0))
}

/// Starts the user's shell with the credentials in its environment.
fn shell(context: &Context, target: &RoleTarget) -> Result<u8> {
    let (account, credentials) = credentials(context, target)?;
    Role { target, account, credentials, region: None }.start_shell(context)
}

/// The arguments that name this role.
fn role_args(config: &Config, target: RoleTarget) -> RoleArgs {
    if target.profile.is_some() {
        return RoleArgs { name: target.profile, flags: RoleFlags::default() };
    }
    let (account, role, region) = (Some(target.account.to_string()), Some(target.role.to_string()), target.region);
    RoleArgs {
        name: None,
        flags: RoleFlags { session: session_flags(config, target.session), account, role, region, ..RoleFlags::default() },
    }
}

/// The flags that name this session.
fn session_flags(config: &Config, session: Session) -> SessionFlags {
    if config.session(&session.name).is_some() {
        return SessionFlags { session: Some(session.name), ..SessionFlags::default() };
    }
    let Session { start_url, region, .. } = session;
    SessionFlags { start_url: Some(start_url), sso_region: Some(region), ..SessionFlags::default() }
}

/// The arguments of `daypass configure` for a profile of this role. Its name is prompted for.
///
/// # Errors
/// The role is reached through several others, which no single profile can express.
fn configure_args(config: &Config, target: RoleTarget) -> Result<configure::Args> {
    let assume = match target.chain.as_slice() {
        [] => AssumeFlags::default(),
        [role] => AssumeFlags::of(role),
        [.., last] => {
            let what = format!("{} is reached through several roles", last.arn);
            return Err(Error::usage(what, "daypass configure --convert --dry-run"));
        }
    };
    let (account, role) = (Some(target.account.to_string()), Some(target.role.to_string()));
    Ok(configure::Args { session: session_flags(config, target.session), account, role, assume, ..configure::Args::default() })
}
