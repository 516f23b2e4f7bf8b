//! `daypass list`: lists the accounts and roles of a session and the profiles that use them, or only the profiles.

use std::collections::HashMap;

use serde::Serialize;

use super::flags::SessionOrProfileArgs;
use super::profiles;
use super::roles::{self, Reachable};
use super::session::{self, Chosen};
use crate::context::Context;
use crate::error::Result;
use crate::output::{self, Format, csv};
use crate::profile::Config;
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::Session;

/// List your accounts and roles and the profiles that use them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass list
  daypass list --filter 'prod read'
  daypass list --profiles")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionOrProfileArgs,
    /// Only rows that contain all of these words, in any column, ignoring case
    #[arg(long, value_name = "WORDS")]
    pub filter: Vec<String>,
    /// List all profiles instead, and where their credentials come from (no network)
    #[arg(long)]
    pub profiles: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// The column that a table leaves out.
const EMAIL: &str = "account_email";

/// One role, as `--format json` shows it.
#[derive(Serialize)]
struct Entry {
    account_id: String,
    account_name: Option<String>,
    account_email: Option<String>,
    role: String,
    profiles: Vec<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let config = Config::read(&context.env)?;
    let words = words(&args.filter);
    if args.profiles {
        let session = session::named(&config, args.session)?.map(|chosen| chosen.session);
        profiles::run(context, &config, session.as_ref(), &words, args.format)?;
        return Ok(0);
    }
    let Chosen { session, profile } = session::choose(context, &config, args.session)?;
    let broker = context.broker(&session, profile.as_deref())?;
    let mut by_role = profiles_by_role(context, &config, &session);
    let entry = |Reachable { account, role }| Entry {
        account_id: account.id.to_string(),
        account_name: account.name,
        account_email: account.email,
        profiles: by_role.remove(&role).unwrap_or_default(),
        role: role.role.to_string(),
    };
    let entries: Vec<Entry> = roles::all(context, &session, &broker)?.roles.into_iter().map(entry).collect();
    if entries.is_empty() {
        return Err(roles::nothing_reachable(&session.name));
    }
    let row = |entry: &Entry, separator: &str| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let profiles = entry.profiles.join(separator);
        vec![entry.account_id.clone(), text(&entry.account_name), text(&entry.account_email), entry.role.clone(), profiles]
    };
    show(context, args.format, &words, ["account_id", "account_name", EMAIL, "role", "profiles"], entries, row)?;
    Ok(0)
}

/// Prints the entries that contain all of the words, in any column.
fn show<T: Serialize, const N: usize>(
    context: &Context,
    format: Format,
    words: &[String],
    columns: [&str; N],
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
            let head = columns.map(|name| name.trim_start_matches("account_").replace('_', " ").to_uppercase());
            let head = head.each_ref().map(|title| if title == "ID" { "ACCOUNT" } else { title.as_str() });
            // Nobody looks for the address of an account's root user, and it would be the widest column.
            let kept = |at: &usize| columns.get(*at) != Some(&EMAIL);
            let head: Vec<&str> = (0..N).filter(kept).filter_map(|at| head.get(at).copied()).collect();
            let mut rows = rows(", ");
            for row in &mut rows {
                *row = std::mem::take(row).into_iter().enumerate().filter(|(at, _)| kept(at)).map(|(_, cell)| cell).collect();
            }
            context.table(&head, &rows)
        }
    })?;
    if entries.is_empty() {
        context.tell(if words.is_empty() { "Nothing to list." } else { "No matches." });
    }
    Ok(())
}

/// The words of all `--filter`s, in lower case.
fn words(filters: &[String]) -> Vec<String> {
    filters.iter().flat_map(|filter| filter.split_whitespace()).map(str::to_lowercase).collect()
}

/// The profiles that refer to roles of this session, by role.
fn profiles_by_role(context: &Context, config: &Config, session: &Session) -> HashMap<AccountRole, Vec<String>> {
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
