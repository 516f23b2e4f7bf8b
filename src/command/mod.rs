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
mod role_in_shell;
mod roles;
pub mod serve;
mod server;
mod session;
pub mod shell_init;
pub mod status;
pub mod sync;
pub mod undo;
pub mod use_profile;

use crate::context::Context;
use crate::output::export;
use crate::profile::request::Account;
use crate::profile::resolve::RoleTarget;
use crate::profile::store::{self, Plan};
use crate::profile::{Config, settings};
use crate::sys::clock;
use crate::sys::env::REGION;
use crate::text;
use crate::ui::terminal;

/// The name under which uses of role credentials are counted: the profile, or `role@account` if another role is used than the profile's.
fn name_of(target: &RoleTarget, account: &Account) -> String {
    target.profile.clone().filter(|_| !target.overridden).unwrap_or_else(|| format!("{}@{account}", target.final_role()))
}

/// The name for people: the same, with the account's name if the portal has listed it.
fn shown_name_of(context: &Context, target: &RoleTarget) -> String {
    // Looked up only if it is shown: the portals of large organizations list thousands of roles.
    let account = || match target.final_account() {
        Account::Id(id) => context.history().account_name(&target.session, &id).unwrap_or_else(|| id.to_string()),
        Account::Name(name) => name,
    };
    let role = || format!("{}@{}", target.final_role(), account());
    let name = target.profile.clone().filter(|_| !target.overridden).unwrap_or_else(role);
    text::clean(&name).into_owned()
}

/// What else to set for a role than its credentials. `name` is for people, `region` that of the command line, if any.
fn extras<'a>(context: &'a Context, target: &'a RoleTarget, name: &'a str, region: Option<&'a str>) -> export::Extras<'a> {
    let env = &context.env;
    // A role that is given without a profile needs no file, so one that can't be read is not an error here.
    let by_user = env.users_variables();
    let config = Config::read(env).ok();
    let settings = config.map(|config| settings::settings(&config, target.profile.as_deref(), &by_user)).unwrap_or_default();
    if let Some(warning) = settings.warning {
        context.tell(&format!("daypass: {}", text::clean(&warning)));
    }
    export::Extras { name, region: region_of(context, target, region), settings: settings.variables }
}

/// The region of a role, if there is one, and the variables that get it: that of the command line, the user's own, or the profile's.
fn region_of<'a>(context: &'a Context, target: &'a RoleTarget, region: Option<&'a str>) -> Option<(&'a str, Vec<&'static str>)> {
    let by_user = context.env.users_variables();
    let names = REGION.into_iter().filter(|name| region.is_some() || !by_user.contains(name)).collect();
    region.or(context.env.region()).or(target.region.as_deref()).map(|region| (region, names))
}

/// Counts a use of a role, whose account is this one, for the order of the picker, and of its region.
fn note_use(context: &Context, target: &RoleTarget, account: &Account, region: Option<&str>) {
    let region = match account {
        Account::Id(id) => region.map(|region| (id, region)),
        Account::Name(_) => None,
    };
    context.history().used(&name_of(target, account), region, clock::now());
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
