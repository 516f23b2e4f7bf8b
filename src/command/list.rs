//! `daypass list`: the accounts and roles that a session can reach, and the profiles that point at them.

use serde::Serialize;

use crate::cli::{Format, List};
use crate::error::Result;
use crate::output::table;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::resolve::{Account, Asked};
use crate::profile::{Config, resolve};
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

/// Runs it.
pub fn run(world: &World, typed: List) -> Result<u8> {
    let session = resolve::session(&world.env, &super::asked_session(typed.session, typed.name, None))?;
    let broker = world.broker(&session, None)?;
    let pointing = pointing(world, &session)?;
    let mut entries = Vec::new();
    let mut accounts = broker.accounts(PATIENCE)?;
    // By name, nameless ones last, as the AWS CLI does.
    accounts.sort_by(|a, b| (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id)));
    for account in accounts {
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
    let rows = |separator: &str| -> Vec<Vec<String>> {
        entries
            .iter()
            .map(|entry| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                vec![
                    entry.account_id.clone(),
                    text(&entry.account_name),
                    text(&entry.account_email),
                    entry.role.clone(),
                    entry.profiles.join(separator),
                ]
            })
            .collect()
    };
    world.print(&match typed.format {
        Format::Json => serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n",
        Format::Table => table::plain(&["ACCOUNT", "NAME", "EMAIL", "ROLE", "PROFILES"], &rows(", ")),
        Format::Csv => table::csv(&["account_id", "account_name", "account_email", "role", "profiles"], &rows(" ")),
    })?;
    Ok(0)
}

/// The profiles of the configuration that lead to roles of this session.
fn pointing(world: &World, session: &Session) -> Result<Vec<(String, AccountId, RoleName)>> {
    let config = Config::read(&world.env)?;
    let mut found = Vec::new();
    for profile in config.profiles() {
        let asked = Asked { profile: Some(profile.name.to_string()), ..Asked::default() };
        let Ok(target) = resolve::target_in(&config, &world.env, &asked) else { continue };
        let same = (&target.session.start_url, &target.session.region) == (&session.start_url, &session.region);
        if let (true, Account::Id(account)) = (same, target.account) {
            found.push((profile.name.to_string(), account, target.role));
        }
    }
    Ok(found)
}
