//! The commands, one file each: the arguments with their help, and what the command does. They reach everything through
//! [`Context`] and return the exit status.

// The doc comments of arguments are help texts, written for terminals; each flag is a bool; `run` owns its arguments.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools, clippy::needless_pass_by_value)]
#![allow(rustdoc::bare_urls, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]

mod choose;
pub mod completions;
pub mod configure;
pub mod console;
mod convert;
pub mod credential_process;
pub mod env;
pub mod exec;
pub mod flags;
pub mod list;
pub mod login;
pub mod logout;
pub mod man;
pub mod pick;
mod roles;
pub mod shell_init;
pub mod status;
pub mod sync;

use crate::context::Context;
use crate::credentials::RoleCredentials;
use crate::output::export;
use crate::profile::names::AccountId;
use crate::profile::resolve::RoleTarget;
use crate::profile::store::Plan;
use crate::sys::clock;
use crate::text;
use crate::ui::terminal;

/// What people call these credentials: the profile, or `role@account`.
fn name_of(target: &RoleTarget, account: &AccountId) -> String {
    target.profile.clone().unwrap_or_else(|| format!("{}@{account}", target.role))
}

/// What the environment of a role has to hold, and what it must not. It counts as a use.
fn variables(
    context: &Context,
    target: &RoleTarget,
    account: &AccountId,
    credentials: &RoleCredentials,
) -> (Vec<export::Variable>, Vec<&'static str>) {
    let name = name_of(target, account);
    note_use(context, &name);
    let set = export::variables(credentials, &name, target.region.as_deref());
    let cleared = export::cleared(&set, &context.env.our_region());
    (set, cleared)
}

/// Counts a use, for the order of the picker.
fn note_use(context: &Context, name: &str) {
    context.history().used(name, clock::now());
}

/// A change for standard output. A diff quotes the file: what could move a terminal's cursor is shown to terminals as blanks.
fn diff_for_stdout(plan: &Plan) -> String {
    if terminal::shows_output() { clean_lines(&plan.diff()) } else { plan.diff() }
}

/// Line by line what a terminal may see.
fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n').map(|line| text::clean(line.trim_end_matches('\n')).into_owned() + "\n").collect()
}
