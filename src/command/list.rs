//! `daypass list`: the accounts and roles that a session can reach, and the profiles that point at them.

use std::collections::HashMap;

use serde::Serialize;

use super::roles::{self, Reachable};
use crate::cli::{Format, List};
use crate::error::Result;
use crate::output::table;
use crate::profile::leads::{Leads, Role};
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::world::World;

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
    let accounts = roles::accounts(&broker)?;
    let entries: Vec<Entry> = roles::roles_in(world, &broker, &accounts)?
        .into_iter()
        .map(|Reachable { account, role }| Entry {
            account_id: role.account.to_string(),
            account_name: account.name,
            account_email: account.email,
            profiles: pointing.get(&role).cloned().unwrap_or_default(),
            role: role.role.to_string(),
        })
        .collect();
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
fn pointing(world: &World, session: &Session) -> Result<HashMap<Role, Vec<String>>> {
    let config = Config::read(&world.env)?;
    let leads = Leads::new(&config, &world.env);
    let mut found: HashMap<Role, Vec<String>> = HashMap::new();
    for profile in config.profiles() {
        if let Some((its, role)) = leads.of(&profile)
            && its.is_same_portal(session)
        {
            found.entry(role).or_default().push(profile.name.into_owned());
        }
    }
    Ok(found)
}
