//! `daypass log`: shows which credentials were handed out to which program.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::flags::duration;
use crate::context::Context;
use crate::error::Result;
use crate::issued::Issue;
use crate::output::{self, Format, csv};
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::sys::clock;

/// Show which credentials were handed out, and to which program (no network)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass log --since 1h
  daypass log --agent --format json

CloudTrail shows the same access key IDs. The record contains no secrets, is
private to you, and is limited in size: the oldest lines are deleted.
DAYPASS_LOG_ISSUED=0 turns it off.")]
pub struct Args {
    /// Only the last TIME, such as 30m, 8h or 7d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// Only the role of this profile
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Only credentials that coding agents got
    #[arg(long)]
    pub agent: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let from = args.since.map(|since| clock::now() - since);
    let of_profile = match args.profile {
        Some(name) => {
            let request = RoleRequest { profile: Some(name), ..RoleRequest::default() };
            let target = resolve::target(&context.env, &request)?;
            Some((target.final_account().to_string(), target.final_role().to_owned()))
        }
        None => None,
    };
    let mut issues = context.issued().all();
    issues.retain(|issue| {
        let recent = |from| OffsetDateTime::parse(&issue.time, &Rfc3339).is_ok_and(|time| time >= from);
        from.is_none_or(recent)
            && of_profile.as_ref().is_none_or(|(account, role)| *account == issue.account && *role == issue.role)
            && (!args.agent || issue.agent.is_some())
    });
    context.print(&match args.format {
        Format::Json => output::json(&issues),
        Format::Csv => {
            let head = ["time", "command", "profile", "role", "account", "access_key_id", "expires", "cached", "program", "agent"];
            csv::table(&head, &issues.iter().map(row).collect::<Vec<_>>())
        }
        Format::Table if issues.is_empty() => String::new(),
        Format::Table => {
            let head = ["TIME", "COMMAND", "ROLE", "ACCOUNT", "ACCESS KEY ID", "EXPIRES", "FROM", "PROGRAM", "AGENT"];
            let rows: Vec<Vec<String>> = issues.iter().map(for_people).collect();
            context.table(&head, &rows)
        }
    })?;
    if issues.is_empty() {
        context.tell("No credentials were handed out.");
    }
    Ok(0)
}

fn row(issue: &Issue) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let Issue { time, command, profile, account, role, access_key_id, expires, cached, program, agent } = issue;
    let (profile, program, agent) = (text(profile), text(program), text(agent));
    let known = [time, command, &profile, role, account, access_key_id, expires].map(Clone::clone);
    known.into_iter().chain([cached.to_string(), program, agent]).collect()
}

fn for_people(issue: &Issue) -> Vec<String> {
    let mut cells = row(issue);
    cells.remove(2);
    if let Some(cell) = cells.get_mut(6) {
        if issue.cached { "keyring" } else { "AWS" }.clone_into(cell);
    }
    cells
}
