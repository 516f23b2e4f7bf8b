//! Lets the user choose a role, most used first: from the profiles of the config file and the roles that each portal listed last.
//! Choosing a session refreshes its roles. Uses neither the network nor the keyring before a choice is made.

use std::collections::{HashMap, HashSet};

use super::roles;
use crate::context::{COMMAND_TIMEOUT, Context, OnBehalf};
use crate::credentials::RoleCredentials;
use crate::error::{Error, Result};
use crate::history::ListedRole;
use crate::output;
use crate::profile::Config;
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::{AccountId, Session};
use crate::profile::request::Account;
use crate::profile::resolve::{self, RoleTarget};
use crate::sys::clock;
use crate::ui::picker::{self, Key, Picker};

/// An item of the list.
pub(super) enum Choice {
    Role(RoleTarget),
    /// Refreshes the roles of the session and shows the list again.
    Session(Session),
}

/// The cells that are shown, and the choice that they stand for.
pub(super) type Row = (Vec<String>, Choice);

/// The choice of `env --pick`. None if the user cancels.
///
/// # Errors
/// No terminal; nothing to choose from; those of refreshing a session.
pub(super) fn target(context: &Context) -> Result<Option<RoleTarget>> {
    if !context.may_choose() {
        return Err(Error::usage("the picker requires a terminal", "daypass list --profiles"));
    }
    let choices = choices(context, &Config::read(&context.env)?);
    if choices.is_empty() {
        return Err(Error::usage("there is no session or profile to choose from", "daypass configure"));
    }
    Ok(choose(context, choices, |picker| picker)?.map(|(_, target)| target))
}

/// The choice of a profile other than this one. None if the user cancels.
///
/// # Errors
/// No terminal; no profile to choose from.
pub(super) fn profile(context: &Context, other_than: &str) -> Result<Option<String>> {
    if !context.may_choose() {
        return Err(Error::usage("PROFILE is missing, and there is no terminal to choose on", "daypass list --profiles"));
    }
    let is_profile = |choice: &Choice| matches!(choice, Choice::Role(target) if target.profile.as_deref().is_some_and(|name| name != other_than));
    let rows =
        choices(context, &Config::read(&context.env)?).into_iter().filter(|(_, choice)| is_profile(choice)).collect::<Vec<_>>();
    if rows.is_empty() {
        return Err(Error::usage("there is no profile to choose from", "daypass configure"));
    }
    let (cells, mut choices): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let Some((_, chosen)) = picker::pick(Picker::new("Which profile?", cells, false), context.capabilities())? else {
        return Ok(None);
    };
    Ok(chosen.first().and_then(|&row| match choices.swap_remove(row) {
        Choice::Role(target) => target.profile,
        Choice::Session(_) => None,
    }))
}

/// The role credentials of a target, after signing in if required.
pub(super) fn credentials(context: &Context, target: &RoleTarget) -> Result<(AccountId, RoleCredentials)> {
    context.signing_in(OnBehalf::of_target(target), || context.credentials_unattended(target, COMMAND_TIMEOUT))
}

/// Shows the list until a role is chosen. `configure` sets the keys of the picker. None if the user cancels.
pub(super) fn choose(
    context: &Context,
    mut rows: Vec<Row>,
    configure: impl Fn(Picker) -> Picker,
) -> Result<Option<(Key, RoleTarget)>> {
    let title = match context.env.active().or(context.env.profile()) {
        Some(name) => format!("Which role? (this shell uses {name})"),
        None => "Which role?".to_owned(),
    };
    loop {
        let (cells, mut choices): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let picker = configure(Picker::new(&title, cells, false));
        let Some((key, chosen)) = picker::pick(picker, context.capabilities())? else { return Ok(None) };
        match chosen.first().map(|&row| choices.swap_remove(row)) {
            Some(Choice::Role(target)) => return Ok(Some((key, target))),
            Some(Choice::Session(session)) => refresh(context, &session)?,
            None => {}
        }
        rows = self::choices(context, &Config::read(&context.env)?);
    }
}

fn refresh(context: &Context, session: &Session) -> Result<()> {
    let broker = context.broker(session, None)?;
    let listed = context.signing_in(OnBehalf::of(session), || roles::all_unattended(context, session, &broker))?;
    if listed.roles.is_empty() { Err(roles::nothing_reachable(&session.name)) } else { Ok(()) }
}

/// The items: profiles and the roles without a profile, most used first; then the sessions.
pub(super) fn choices(context: &Context, config: &Config) -> Vec<Row> {
    let (history, now) = (context.history(), clock::now());
    let mut targets = ProfileIndex::new(config, &context.env).targets();
    let regions = regions(&targets, history.regions(now));
    let mut names = HashMap::new();
    let mut sessions = Vec::new();
    for session in portals(config) {
        let about = match history.listing(&session) {
            None => format!("List the roles of {}", session.name),
            Some((at, listed)) => {
                names.extend(listed.iter().filter_map(|role| Some((role.account.clone(), role.account_name.clone()?))));
                add(&mut targets, &session, listed, &regions);
                format!("Refresh the roles of {} (updated {} ago)", session.name, output::left(now, at))
            }
        };
        sessions.push((vec![about], Choice::Session(session)));
    }
    let uses = history.uses(now);
    let weight = |target: &RoleTarget| uses.get(&super::name_of(target, &target.final_account())).copied().unwrap_or_default();
    targets.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    let rows = rows(&targets, &names);
    rows.into_iter().zip(targets.into_iter().map(Choice::Role)).chain(sessions).collect()
}

/// The sessions, one for each portal: a second one would show each role twice.
fn portals(config: &Config) -> Vec<Session> {
    resolve::sessions(config).into_iter().fold(Vec::new(), |mut portals: Vec<Session>, session| {
        if !portals.iter().any(|earlier| earlier.is_same_portal(&session)) {
            portals.push(session);
        }
        portals
    })
}

/// The region of each account: the one in which it was used most, else that of its first profile with one.
fn regions(targets: &[RoleTarget], used: HashMap<AccountId, String>) -> HashMap<AccountId, String> {
    let by_profile = |target: &RoleTarget| match target.final_account() {
        Account::Id(account) => Some((account, target.region.clone()?)),
        Account::Name(_) => None,
    };
    // Later entries replace earlier ones.
    targets.iter().rev().filter_map(by_profile).chain(used).collect()
}

/// Adds the roles that a portal listed, except those that a profile refers to, with the regions of their accounts.
fn add(targets: &mut Vec<RoleTarget>, session: &Session, listed: Vec<ListedRole>, regions: &HashMap<AccountId, String>) {
    let with_profile: HashSet<AccountRole> = targets.iter().filter_map(|target| role_at(session, target)).collect();
    let roles = listed.into_iter().map(|ListedRole { account, role, .. }| AccountRole { account, role });
    let of_role = |AccountRole { account, role }| {
        let region = regions.get(&account).cloned();
        RoleTarget { region, ..RoleTarget::of_role(session.clone(), account, role) }
    };
    targets.extend(roles.filter(|role| !with_profile.contains(role)).map(of_role));
}

/// Cells for profile, account, role, session and account ID; empty columns are left out. The least important come last, because a
/// narrow terminal does not show the last ones.
fn rows(targets: &[RoleTarget], names: &HashMap<AccountId, String>) -> Vec<Vec<String>> {
    let several_sessions = targets.windows(2).any(|two| matches!(two, [one, other] if one.session.name != other.session.name));
    let cells = |target: &RoleTarget| {
        let (id, name) = match target.final_account() {
            Account::Id(id) => (id.to_string(), names.get(&id).cloned()),
            Account::Name(name) => (String::new(), Some(name)),
        };
        let session = if several_sessions { target.session.name.clone() } else { String::new() };
        [target.profile.clone().unwrap_or_default(), name.unwrap_or_default(), target.described_role(), session, id]
    };
    let mut columns: [Vec<String>; 5] = Default::default();
    for target in targets {
        for (column, cell) in columns.iter_mut().zip(cells(target)) {
            column.push(cell);
        }
    }
    let filled: Vec<Vec<String>> = columns.into_iter().filter(|column| column.iter().any(|cell| !cell.is_empty())).collect();
    (0..targets.len()).map(|row| filled.iter().filter_map(|column| column.get(row).cloned()).collect()).collect()
}

fn role_at(session: &Session, target: &RoleTarget) -> Option<AccountRole> {
    match &target.account {
        Account::Id(account) if target.session.is_same_portal(session) && target.chain.is_empty() => {
            Some(AccountRole { account: account.clone(), role: target.role.clone() })
        }
        _ => None,
    }
}
