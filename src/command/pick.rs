//! `daypass` alone, and `env --pick`: all that can be reached, to choose from, what is used most first. These are the profiles of the
//! config file and the roles that a portal listed when it was last asked; a session itself can be chosen too, which asks it again.
//! So the list is there at once: nothing needs the network or the keyring before something is chosen.

use std::collections::{HashMap, HashSet};

use super::login::signing_in;
use super::{configure, console, env, roles};
use crate::cli::{Configure, SessionFlags};
use crate::error::{Error, Exit, Result};
use crate::grant::RoleCredentials;
use crate::output;
use crate::picker::{self, Key, Picker};
use crate::profile::Config;
use crate::profile::leads::{Leads, Role};
use crate::profile::names::{AccountId, Session};
use crate::profile::resolve::{self, Account, Target};
use crate::recall::Listed;
use crate::world::{PATIENCE, World};
use crate::{child, clock, terminal};

const LETTERS: &[char] = &['o', 'e', 's'];

const HELP: &[&str] = &[
    "  type to search, Enter starts a shell, Ctrl-O opens the console, Ctrl-E prints env, Ctrl-S makes a profile, Esc leaves",
    "  Enter starts a shell, ^O console, ^E env, ^S profile, Esc leaves",
    "  Enter shell ^O console ^E env ^S save",
];

/// What can be chosen.
enum Choice {
    Role(Target),
    /// Its roles are listed anew, and shown.
    Session(Session),
}

/// What is shown of it, and what it means.
type Row = (Vec<String>, Choice);

/// Chooses, and does what the key says. None where there is nothing to choose from yet.
pub fn run(world: &World) -> Result<Option<u8>> {
    let config = Config::read(&world.env)?;
    let choices = choices(world, &config);
    if choices.is_empty() {
        return Ok(None);
    }
    let Some((key, target)) = choose(world, choices, |picker| picker.acting(LETTERS, HELP))? else {
        return Ok(Some(Exit::Interrupted as u8));
    };
    match key {
        Key::Control('o') => console::open_as(world, &target)?,
        Key::Control('e') => {
            let (account, credentials) = credentials(world, &target)?;
            env::print(world, &target, &account, &credentials, None)?;
        }
        Key::Control('s') => {
            let typed = as_typed(&config, target);
            let words = [&typed.role, &typed.account].map(|word| word.as_deref().unwrap_or_default());
            world.tell(&format!("A profile for {}:", terminal::clean(&words.join(" in "))));
            return configure::run(world, &typed).map(Some);
        }
        _ => return shell(world, &target).map(Some),
    }
    Ok(Some(0))
}

/// For `env --pick`. None where the person leaves.
pub fn target(world: &World) -> Result<Option<Target>> {
    if !world.may_choose() {
        let hint = "daypass env PROFILE ('daypass list --profiles' shows yours)";
        return Err(Error::usage("there is no terminal to choose on", hint));
    }
    let choices = choices(world, &Config::read(&world.env)?);
    if choices.is_empty() {
        return Err(Error::usage("there is no session and no profile to choose from", "daypass configure"));
    }
    Ok(choose(world, choices, |picker| picker)?.map(|(_, target)| target))
}

/// Its role credentials. Here a person waits: where sign-in is needed, they sign in.
pub fn credentials(world: &World, target: &Target) -> Result<(AccountId, RoleCredentials)> {
    signing_in(world, &target.session, target.profile.as_deref(), false, || world.credentials(target, PATIENCE))
}

/// Until it is a role that is chosen.
fn choose(world: &World, mut offered: Vec<Row>, dress: impl Fn(Picker) -> Picker) -> Result<Option<(Key, Target)>> {
    let title = match world.env.active() {
        Some(name) => format!("Which role? This shell has {name}."),
        None => "Which role?".to_owned(),
    };
    loop {
        let (rows, mut meant): (Vec<_>, Vec<_>) = offered.into_iter().unzip();
        let picker = dress(Picker::new(&title, rows, false));
        let Some((key, chosen)) = picker::pick(picker, world.look())? else { return Ok(None) };
        match chosen.first().map(|&row| meant.swap_remove(row)) {
            Some(Choice::Role(target)) => return Ok(Some((key, target))),
            Some(Choice::Session(session)) => list(world, &session)?,
            None => {}
        }
        offered = choices(world, &Config::read(&world.env)?);
    }
}

fn list(world: &World, session: &Session) -> Result<()> {
    let broker = world.broker(session, None)?;
    let all = signing_in(world, session, None, false, || roles::all(world, session, &broker))?;
    if all.is_empty() { Err(roles::nothing_reachable(&session.name)) } else { Ok(()) }
}

/// The rows with what they stand for: profiles and the roles that none of them leads to, by their use; then the sessions.
fn choices(world: &World, config: &Config) -> Vec<Row> {
    let (recall, now) = (world.recall(), clock::now());
    let mut targets = Leads::new(config, &world.env).targets();
    let mut names = HashMap::new();
    let mut sessions = Vec::new();
    for session in portals(config) {
        let about = match recall.listing(&session) {
            None => format!("{}: list accounts and roles", session.name),
            Some((at, listed)) => {
                names.extend(listed.iter().filter_map(|role| Some((role.account.clone(), role.account_name.clone()?))));
                add(&mut targets, &session, listed);
                format!("{}: list again (last {} ago)", session.name, output::left(now, at))
            }
        };
        sessions.push((vec![about], Choice::Session(session)));
    }
    let uses = recall.uses(now);
    let weight = |target: &Target| name_of(target).and_then(|name| uses.get(&name)).copied().unwrap_or_default();
    targets.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    let rows = rows(&targets, &names);
    rows.into_iter().zip(targets.into_iter().map(Choice::Role)).chain(sessions).collect()
}

/// The sessions, but each portal once: two names of it would show each role twice.
fn portals(config: &Config) -> Vec<Session> {
    resolve::sessions(config).into_iter().fold(Vec::new(), |mut portals: Vec<Session>, session| {
        if !portals.iter().any(|earlier| earlier.is_same_portal(&session)) {
            portals.push(session);
        }
        portals
    })
}

/// The roles that a portal listed, but those to which a profile leads.
fn add(targets: &mut Vec<Target>, session: &Session, listed: Vec<Listed>) {
    let pointed: HashSet<Role> = targets.iter().filter_map(|target| role_at(session, target)).collect();
    let roles = listed.into_iter().map(|Listed { account, role, .. }| Role { account, role });
    targets.extend(roles.filter(|role| !pointed.contains(role)).map(|Role { account, role }| Target {
        session: session.clone(),
        account: Account::Id(account),
        role,
        region: None,
        profile: None,
    }));
}

/// Profile, account, role, session and the account's id, as far as there is anything to tell. The last give way on a narrow terminal.
fn rows(targets: &[Target], names: &HashMap<AccountId, String>) -> Vec<Vec<String>> {
    let of_several = targets.windows(2).any(|two| matches!(two, [one, other] if one.session.name != other.session.name));
    let cells = |target: &Target| {
        let (id, name) = match &target.account {
            Account::Id(id) => (id.to_string(), names.get(id).cloned()),
            Account::Name(name) => (String::new(), Some(name.clone())),
        };
        let session = if of_several { target.session.name.clone() } else { String::new() };
        [target.profile.clone().unwrap_or_default(), name.unwrap_or_default(), target.role.to_string(), session, id]
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

fn role_at(session: &Session, target: &Target) -> Option<Role> {
    match &target.account {
        Account::Id(account) if target.session.is_same_portal(session) => {
            Some(Role { account: account.clone(), role: target.role.clone() })
        }
        _ => None,
    }
}

/// By what its use is counted; None where it can't be known without the portal.
fn name_of(target: &Target) -> Option<String> {
    match &target.account {
        Account::Id(account) => Some(super::name_of(target, account)),
        Account::Name(_) => target.profile.clone(),
    }
}

/// A shell of the person's own, with the credentials in its environment.
fn shell(world: &World, target: &Target) -> Result<u8> {
    let (account, credentials) = credentials(world, target)?;
    let name = super::name_of(target, &account);
    let lasts = output::left(credentials.expires_at, clock::now());
    world.tell(&format!("A shell with the credentials of {}, for {lasts}; 'exit' leaves it.", terminal::clean(&name)));
    let (set, cleared) = super::variables(world, target, &account, &credentials);
    child::run(&[world.env.shell_program().into()], &set, &cleared)
}

/// What would be typed to make a profile of it. Region, output and name are asked.
fn as_typed(config: &Config, target: Target) -> Configure {
    let known = config.session(&target.session.name).is_some();
    let session = if known {
        SessionFlags { session: Some(target.session.name), ..SessionFlags::default() }
    } else {
        let Session { start_url, region, .. } = target.session;
        SessionFlags { start_url: Some(start_url), sso_region: Some(region), ..SessionFlags::default() }
    };
    Configure { session, account: Some(target.account.to_string()), role: Some(target.role.to_string()), ..Configure::default() }
}
