//! The verbs, a file each. They reach everything through [`World`], and return the status to end with.

pub mod completions;
pub mod configure;
pub mod console;
mod convert;
pub mod credential_process;
pub mod env;
pub mod exec;
pub mod list;
pub mod login;
pub mod logout;
pub mod man;
pub mod pick;
mod roles;
pub mod shell_init;
pub mod status;
pub mod sync;

use crate::cli::{RoleFlags, SessionFlags};
use crate::grant::RoleCredentials;
use crate::output::export;
use crate::profile::names::AccountId;
use crate::profile::resolve::{Asked, Target};
use crate::profile::store::Plan;
use crate::world::World;
use crate::{clock, terminal};

/// A session by its flags, by the bare argument, or by a profile.
fn asked_session(flags: SessionFlags, name: Option<String>, profile: Option<String>) -> Asked {
    Asked {
        profile,
        session: flags.session.or(name),
        start_url: flags.start_url,
        sso_region: flags.sso_region,
        scopes: flags.scopes,
        ..Asked::default()
    }
}

/// A role by its flags or by the bare argument.
fn asked_role(flags: RoleFlags, name: Option<String>) -> Asked {
    Asked {
        account: flags.account,
        role: flags.role,
        region: flags.region,
        ..asked_session(flags.session, None, flags.profile.or(name))
    }
}

/// What people call these credentials: the profile, or `role@account`.
fn name_of(target: &Target, account: &AccountId) -> String {
    target.profile.clone().unwrap_or_else(|| format!("{}@{account}", target.role))
}

/// What the environment of a role has to hold, and what it must not. It counts as a use.
fn variables(
    world: &World,
    target: &Target,
    account: &AccountId,
    credentials: &RoleCredentials,
) -> (Vec<export::Variable>, Vec<&'static str>) {
    let name = name_of(target, account);
    note_use(world, &name);
    let set = export::variables(credentials, &name, target.region.as_deref());
    let cleared = export::cleared(&set, &world.env.our_region());
    (set, cleared)
}

/// Counts a use, for the order of the picker.
fn note_use(world: &World, name: &str) {
    world.recall().used(name, clock::now());
}

/// A change for standard output. A diff quotes the file: what could move a terminal's cursor is shown to terminals as blanks.
fn diff_for_stdout(plan: &Plan) -> String {
    if terminal::shows_output() { clean_lines(&plan.diff()) } else { plan.diff() }
}

/// Line by line what a terminal may see.
fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n').map(|line| terminal::clean(line.trim_end_matches('\n')).into_owned() + "\n").collect()
}
