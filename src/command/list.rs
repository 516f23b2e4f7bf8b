//! `daypass list`: the accounts and roles that a session can reach, and the profiles that point at them; or the profiles alone.

use serde::Serialize;

use crate::cli::{Format, List};
use crate::error::Result;
use crate::output::{self, table};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::resolve::{Account, Asked, Target};
use crate::profile::{Config, resolve};
use crate::terminal::Progress;
use crate::world::{PATIENCE, World};

/// One role, as `--format json` shows it.
#[derive(Serialize)]
struct Entry {
    account_id: String,
    account_name: Option<String>,
    account_email: Option<String>,
    role: String,
    profiles: Vec<String>,
}

/// One profile, as `--format json` shows it.
#[derive(Serialize)]
struct Pointer {
    profile: String,
    /// Twelve digits, or a name that the portal knows.
    account: String,
    role: String,
    region: Option<String>,
    session: String,
}

/// Runs it.
pub fn run(world: &World, typed: List) -> Result<u8> {
    let config = Config::read(&world.env)?;
    let anything_named = typed.name.is_some() || typed.session.session.is_some() || typed.session.start_url.is_some();
    let words = words(&typed.filter);
    let asked = super::asked_session(typed.session, typed.name, None);
    if typed.profiles {
        let session = if anything_named { Some(resolve::session_in(&config, &asked)?) } else { None };
        let profiles = profiles(world, &config, session.as_ref()).into_iter().map(|(name, target)| Pointer {
            profile: name,
            account: match target.account {
                Account::Id(id) => id.to_string(),
                Account::Name(name) => name,
            },
            role: target.role.to_string(),
            region: target.region,
            session: target.session.name,
        });
        let row = |entry: &Pointer, _: &str| {
            let region = entry.region.clone().unwrap_or_default();
            vec![entry.profile.clone(), entry.account.clone(), entry.role.clone(), region, entry.session.clone()]
        };
        show(world, typed.format, &words, ["profile", "account", "role", "region", "session"], profiles.collect(), row)?;
        return Ok(0);
    }
    let session = resolve::session_in(&config, &asked)?;
    let pointing = pointing(world, &config, &session);
    let mut entries = Vec::new();
    let broker = world.broker(&session, None)?;
    let progress = Progress::new(!world.common.quiet);
    progress.show("Accounts ...");
    let mut accounts = broker.accounts(PATIENCE)?;
    // By name, nameless ones last, as the AWS CLI does.
    accounts.sort_by(|a, b| (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id)));
    let all = accounts.len();
    for (done, account) in accounts.into_iter().enumerate() {
        progress.show(&format!("Roles of {done} of {all} accounts ..."));
        let mut roles = broker.roles(&account.id, PATIENCE)?;
        roles.sort();
        for role in roles {
            let profiles = pointing.iter().filter(|(_, id, name)| (id, name) == (&account.id, &role));
            entries.push(Entry {
                account_id: account.id.to_string(),
                account_name: account.name.clone(),
                account_email: account.email.clone(),
                role: role.to_string(),
                profiles: profiles.map(|(profile, ..)| profile.clone()).collect(),
            });
        }
    }
    drop(progress);
    let row = |entry: &Entry, separator: &str| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let profiles = entry.profiles.join(separator);
        vec![entry.account_id.clone(), text(&entry.account_name), text(&entry.account_email), entry.role.clone(), profiles]
    };
    show(world, typed.format, &words, ["account_id", "account_name", "account_email", "role", "profiles"], entries, row)?;
    Ok(0)
}

/// Prints what holds all the words, in any of its columns.
fn show<T: Serialize>(
    world: &World,
    format: Format,
    words: &[String],
    columns: [&str; 5],
    mut entries: Vec<T>,
    row: impl Fn(&T, &str) -> Vec<String>,
) -> Result<()> {
    entries.retain(|entry| {
        let cells: Vec<String> = row(entry, " ").iter().map(|cell| cell.to_lowercase()).collect();
        words.iter().all(|word| cells.iter().any(|cell| cell.contains(word)))
    });
    let rows = |separator: &str| entries.iter().map(|entry| row(entry, separator)).collect::<Vec<_>>();
    world.print(&match format {
        Format::Json => output::json(&entries),
        Format::Csv => table::csv(&columns, &rows(" ")),
        Format::Table => {
            let head = columns.map(|name| name.trim_start_matches("account_").to_uppercase());
            let head = head.each_ref().map(|title| if title == "ID" { "ACCOUNT" } else { title.as_str() });
            world.table(&head, &rows(", "))
        }
    })?;
    if entries.is_empty() {
        world.tell(if words.is_empty() { "Nothing is there to be listed." } else { "Nothing holds these words." });
    }
    Ok(())
}

/// The words of all `--filter`s, in small letters.
fn words(filters: &[String]) -> Vec<String> {
    filters.iter().flat_map(|filter| filter.split_whitespace()).map(str::to_lowercase).collect()
}

/// The profiles of the configuration that lead to roles, of this session or of all. One that leads nowhere is left out.
fn profiles(world: &World, config: &Config, session: Option<&Session>) -> Vec<(String, Target)> {
    let same = |target: &Target| {
        let portal = |session: &Session| (session.start_url.clone(), session.region.clone());
        session.is_none_or(|session| portal(session) == portal(&target.session))
    };
    let target = |name: String| {
        let asked = Asked { profile: Some(name.clone()), ..Asked::default() };
        resolve::target_in(config, &world.env, &asked).ok().filter(same).map(|target| (name, target))
    };
    config.profiles().iter().filter_map(|block| target(block.name.to_string())).collect()
}

/// The profiles that lead to roles of this session, by the account's id.
fn pointing(world: &World, config: &Config, session: &Session) -> Vec<(String, AccountId, RoleName)> {
    let by_id = |(name, target): (String, Target)| match target.account {
        Account::Id(account) => Some((name, account, target.role)),
        Account::Name(_) => None,
    };
    profiles(world, config, Some(session)).into_iter().filter_map(by_id).collect()
}
