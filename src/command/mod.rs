//! The commands, one file each: the arguments with their help, and `run`. They use everything through [`Context`] and return the exit
//! status.

// The doc comments of arguments are help texts, written for terminals; each flag is a bool; `run` owns its arguments.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, clippy::needless_pass_by_value)]
#![allow(rustdoc::bare_urls, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]

pub mod allow;
pub mod audit;
mod aws;
mod choose;
pub mod completions;
pub mod configure;
pub mod console;
mod convert;
pub mod credential_process;
pub mod doctor;
mod endpoint;
pub mod env;
pub mod exec;
pub mod flags;
pub mod help;
pub mod list;
pub mod log;
pub mod login;
pub mod logout;
pub mod man;
pub mod migrate;
pub mod pick;
mod profiles;
mod region;
pub mod retire;
mod roles;
pub mod serve;
mod server;
mod session;
pub mod shell_init;
pub mod status;
pub mod sync;
pub mod undo;

use crate::context::Context;
use crate::credentials::RoleCredentials;
use crate::output::export;
use crate::profile::names::AccountId;
use crate::profile::request::Account;
use crate::profile::resolve::RoleTarget;
use crate::profile::store::{self, Plan};
use crate::profile::{Config, settings};
use crate::sys::clock;
use crate::sys::env::REGION;
use crate::text;
use crate::ui::terminal;

/// The display name of role credentials: the profile, or `role@account` if another role is used than the profile's.
fn name_of(target: &RoleTarget, account: &AccountId) -> String {
    target.profile.clone().filter(|_| !target.overridden).unwrap_or_else(|| format!("{}@{account}", target.final_role()))
}

/// The same, before the account is looked up.
fn known_name_of(target: &RoleTarget) -> String {
    match target.final_account() {
        Account::Id(account) => name_of(target, &account),
        Account::Name(name) => {
            let role = || format!("{}@{name}", target.final_role());
            target.profile.clone().filter(|_| !target.overridden).unwrap_or_else(role)
        }
    }
}

/// The variables to set for a role, and those to clear. `region` is that of the command line, if any. This counts as a use.
fn variables(
    context: &Context,
    target: &RoleTarget,
    account: &AccountId,
    credentials: &RoleCredentials,
    region: Option<&str>,
) -> (Vec<export::Variable>, Vec<export::Name>) {
    let name = name_of(target, account);
    let set = export::variables(credentials, account, extras(context, target, &name, region));
    let cleared = export::cleared(&set, context.env.our_settings());
    (set, cleared)
}

/// What else to set for a role than its credentials. `region` is that of the command line, if any. This counts as a use of `name`.
fn extras<'a>(context: &'a Context, target: &'a RoleTarget, name: &'a str, region: Option<&'a str>) -> export::Extras<'a> {
    let env = &context.env;
    note_use(context, name);
    // A role that is given without a profile needs no file, so one that can't be read is not an error here.
    let by_user = env.users_variables();
    let config = Config::read(env).ok();
    let settings = config.map(|config| settings::settings(&config, target.profile.as_deref(), &by_user)).unwrap_or_default();
    if let Some(warning) = settings.warning {
        context.tell(&format!("daypass: {}", text::clean(&warning)));
    }
    let names = REGION.into_iter().filter(|name| region.is_some() || !by_user.contains(name)).collect();
    let region = region.or(env.region()).or(target.region.as_deref()).map(|region| (region, names));
    export::Extras { name, region, settings: settings.variables }
}

/// Counts a use, for the order of the picker.
fn note_use(context: &Context, name: &str) {
    context.history().used(name, clock::now());
}

/// Names the backup of the file that was changed, if there was one.
fn tell_backup(context: &Context, plan: &Plan) {
    if plan.before.is_some() && !plan.is_empty() {
        let backup = store::backup_path(&plan.path);
        context.tell(&text::clean(&format!("The previous version is in {}; 'daypass undo' restores it.", backup.display())));
    }
}

/// The diff of a change for standard output. It quotes the file, so it is cleaned for a terminal.
fn diff_for_stdout(plan: &Plan) -> String {
    if terminal::shows_output() { clean_lines(&plan.diff()) } else { plan.diff() }
}

/// Cleans each line of a text.
fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n').map(|line| text::clean(line.trim_end_matches('\n')).into_owned() + "\n").collect()
}
