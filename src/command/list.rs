//! `daypass list`: the accounts and roles that a session can reach, and the profiles that point at them; or the profiles alone.

use std::collections::HashMap;

use serde::Serialize;

use super::flags::SessionArgs;
use super::roles::{self, Reachable};
use crate::context::Context;
use crate::error::Result;
use crate::output::{self, Format, csv};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::Session;
use crate::profile::request::RoleRequest;
use crate::profile::resolve::RoleTarget;
use crate::profile::{Config, resolve};

/// List the accounts and roles that you can reach, and the profiles that point at them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass list
  daypass list --filter 'prod read'
  daypass list --profiles")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,
    /// Only rows that hold all of these words, in any column and any case
    #[arg(long, value_name = "WORDS")]
    pub filter: Vec<String>,
    /// List the profiles of the config file in place of the portal's accounts and roles (no network)
    #[arg(long)]
    pub profiles: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

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
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let config = Config::read(&context.env)?;
    let words = words(&args.filter);
    let asked = RoleRequest::from(args.session);
    let anything_named = asked.session.is_some() || asked.start_url.is_some();
    if args.profiles {
        let session = if anything_named { Some(resolve::session_in(&config, &asked)?) } else { None };
        let profiles = profiles(context, &config, session.as_ref()).into_iter().map(|target| Pointer {
            profile: target.profile.unwrap_or_default(),
            account: target.account.to_string(),
            role: target.role.to_string(),
            region: target.region,
            session: target.session.name,
        });
        let row = |entry: &Pointer, _: &str| {
            let region = entry.region.clone().unwrap_or_default();
            vec![entry.profile.clone(), entry.account.clone(), entry.role.clone(), region, entry.session.clone()]
        };
        show(context, args.format, &words, ["profile", "account", "role", "region", "session"], profiles.collect(), row)?;
        return Ok(0);
    }
    let session = resolve::session_in(&config, &asked)?;
    let broker = context.broker(&session, None)?;
    let mut pointing = pointing(context, &config, &session);
    let entry = |Reachable { account, role }| Entry {
        account_id: account.id.to_string(),
        account_name: account.name,
        account_email: account.email,
        profiles: pointing.remove(&role).unwrap_or_default(),
        role: role.role.to_string(),
    };
    let entries: Vec<Entry> = roles::all(context, &session, &broker)?.into_iter().map(entry).collect();
    let row = |entry: &Entry, separator: &str| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let profiles = entry.profiles.join(separator);
        vec![entry.account_id.clone(), text(&entry.account_name), text(&entry.account_email), entry.role.clone(), profiles]
    };
    show(context, args.format, &words, ["account_id", "account_name", "account_email", "role", "profiles"], entries, row)?;
    Ok(0)
}

/// Prints what holds all the words, in any of its columns.
fn show<T: Serialize>(
    context: &Context,
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
    context.print(&match format {
        Format::Json => output::json(&entries),
        Format::Csv => csv::table(&columns, &rows(" ")),
        Format::Table => {
            let head = columns.map(|name| name.trim_start_matches("account_").to_uppercase());
            let head = head.each_ref().map(|title| if title == "ID" { "ACCOUNT" } else { title.as_str() });
            context.table(&head, &rows(", "))
        }
    })?;
    if entries.is_empty() {
        context.tell(if words.is_empty() { "Nothing is there to be listed." } else { "Nothing holds these words." });
    }
    Ok(())
}

/// The words of all `--filter`s, in small letters.
fn words(filters: &[String]) -> Vec<String> {
    filters.iter().flat_map(|filter| filter.split_whitespace()).map(str::to_lowercase).collect()
}

/// The profiles of the configuration that lead to roles, of this session or of all. One that leads nowhere is left out.
fn profiles(context: &Context, config: &Config, session: Option<&Session>) -> Vec<RoleTarget> {
    let of_session = |target: &RoleTarget| session.is_none_or(|session| session.is_same_portal(&target.session));
    ProfileIndex::new(config, &context.env).targets().into_iter().filter(of_session).collect()
}

/// The profiles of the configuration that lead to roles of this session.
fn pointing(context: &Context, config: &Config, session: &Session) -> HashMap<AccountRole, Vec<String>> {
    let index = ProfileIndex::new(config, &context.env);
    let mut found: HashMap<AccountRole, Vec<String>> = HashMap::new();
    for profile in config.profiles() {
        if let Some((its, role)) = index.role_of(&profile)
            && its.is_same_portal(session)
        {
            found.entry(role).or_default().push(profile.name.into_owned());
        }
    }
    found
}
