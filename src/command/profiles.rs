//! `daypass list --profiles`: lists all profiles, and where each gets its credentials from. No network, no keyring.

use std::fmt::Write;

use serde::Serialize;

use crate::access_key::AccessKeyId;
use crate::context::Context;
use crate::error::Result;
use crate::output::{self, Format, csv};
use crate::profile::index::ProfileIndex;
use crate::profile::names::{RoleArn, Session};
use crate::profile::other_tools;
use crate::profile::precedence::{Kind, Precedence, Sdk, Source};
use crate::profile::request::{Account, RoleRequest};
use crate::profile::resolve::{self, RoleTarget};
use crate::profile::{Block, Config, diagnosis, helper};
use crate::text;
use crate::ui::terminal;

/// One profile, as `--format json` shows it.
#[derive(Debug, Default, Serialize)]
struct Entry {
    profile: String,
    /// What the AWS CLI uses: `daypass`, `sso`, `static-key`, `temporary-key`, `assume-role`, `web-identity`, `login`, the name of another
    /// tool, or `credential-process`. `broken` if it fails; `none` if there is nothing.
    source: String,
    /// An ID of twelve digits, or a name.
    account: Option<String>,
    role: Option<String>,
    region: Option<String>,
    session: Option<String>,
    /// What the role is assumed from: a profile, ROLE@ACCOUNT, or the value of `credential_source`.
    via: Option<String>,
    /// The key by which AWS tools get other credentials: `KEY (FILE:LINE)`.
    overridden_by: Option<String>,
    /// Where the source is set: `FILE:LINE`.
    place: Option<String>,
    /// What is wrong.
    problem: Option<String>,
    /// The command to type next.
    hint: Option<String>,
    /// The source for people.
    #[serde(skip)]
    shown: String,
}

/// Prints the profiles, of one session or of all, that contain all of the words in any column.
pub(super) fn run(context: &Context, config: &Config, session: Option<&Session>, words: &[String], format: Format) -> Result<()> {
    let (index, precedence) = (ProfileIndex::new(config, &context.env), Precedence::new(config));
    let mut entries = Vec::new();
    for block in precedence.profiles() {
        let target = index.target(block);
        if session.is_none_or(|session| target.as_ref().is_some_and(|target| session.is_same_portal(&target.session))) {
            entries.push(entry(context, config, &precedence, block, target));
        }
    }
    entries.retain(|entry| {
        let cells: Vec<String> = row(entry).iter().chain([&entry.shown]).map(|cell| cell.to_lowercase()).collect();
        words.iter().all(|word| cells.iter().any(|cell| cell.contains(word)))
    });
    context.print(&match format {
        Format::Json => output::json(&entries),
        Format::Csv => csv::table(&COLUMNS, &entries.iter().map(row).collect::<Vec<_>>()),
        Format::Table => people(context, &entries),
    })?;
    if entries.is_empty() {
        context.tell(if words.is_empty() { "Nothing to list." } else { "No matches." });
    }
    Ok(())
}

fn entry(context: &Context, config: &Config, precedence: &Precedence<'_>, block: &Block<'_>, target: Option<RoleTarget>) -> Entry {
    let overriding = diagnosis::overriding(precedence, block);
    let source = precedence.of_profile(Sdk::Cli2, block).into_iter().next();
    let base = Entry {
        place: source.as_ref().and_then(|source| source.place.as_ref()).map(ToString::to_string),
        profile: block.name.to_string(),
        region: block.text("region").map(str::to_owned),
        overridden_by: overriding.map(|value| format!("{} ({})", value.key, value.place())),
        ..Entry::default()
    };
    let named = |source: &str, shown: String| (source.to_owned(), shown);
    let other = |entry: Entry, (source, shown): (String, String)| Entry { source, shown, ..entry };
    let tool = other_tools::of(config, block);
    match source {
        Some(Source { fault: Some(fault), .. }) => {
            let problem = Some(fault.to_string());
            let hint = Some(text::command_line(["daypass", "doctor", &block.name]));
            other(Entry { problem, hint, ..base }, named("broken", "broken".to_owned()))
        }
        Some(Source { kind: Kind::StaticKey, key_id: Some(id), .. }) => {
            let account = AccessKeyId::parse(&id).and_then(|id| id.account().map(ToString::to_string));
            let source = if block.text("aws_session_token").is_some() { "temporary key" } else { "static key" };
            let hint = match &base.overridden_by {
                Some(_) => Some(text::command_line(["daypass", "doctor", &block.name])),
                None => resolve::migrate_hint(block).filter(|_| source == "static key"),
            };
            other(Entry { account, hint, ..base }, named(&source.replace(' ', "-"), source.to_owned()))
        }
        Some(Source { kind: kind @ (Kind::Daypass | Kind::Sso), .. }) => {
            let shown = if kind == Kind::Daypass { "daypass" } else { "SSO" };
            match target {
                Some(target) => {
                    let shown = match &target.session {
                        _ if !target.via.is_empty() => format!("{shown} via {}", target.via),
                        // A legacy profile's session is named by its address.
                        session if session.name == session.start_url => shown.to_owned(),
                        session => format!("{shown} ({})", session.name),
                    };
                    other(of_target(base, target), named(kind.name(), shown))
                }
                None => broken(context, config, base),
            }
        }
        Some(Source { kind: Kind::AssumeRole, .. }) => {
            let via = block.text("source_profile").or(block.text("credential_source")).map(str::to_owned);
            let entry = match target {
                Some(target) => of_target(base, target),
                None => of_arn(Entry { via, ..base }, block),
            };
            let shown = format!("role via {}", entry.via.as_deref().unwrap_or_default());
            other(entry, named(Kind::AssumeRole.name(), shown))
        }
        Some(Source { kind: Kind::WebIdentity, .. }) => {
            other(of_arn(base, block), named(Kind::WebIdentity.name(), "web identity".to_owned()))
        }
        Some(Source { kind: Kind::Login, .. }) => other(base, named(Kind::Login.name(), "aws login".to_owned())),
        Some(Source { kind: Kind::CredentialProcess, .. }) | None if let Some(tool) = tool => of_tool(base, tool),
        Some(Source { kind, .. }) => {
            let words = block.text("credential_process").and_then(helper::words).unwrap_or_default();
            let program = words.first().and_then(|word| word.rsplit(['/', '\\']).next());
            other(base, named(kind.name(), program.map_or("process".to_owned(), |name| format!("process {name}"))))
        }
        None => other(base, named("none", "none".to_owned())),
    }
}

fn of_target(entry: Entry, target: RoleTarget) -> Entry {
    let account = match target.final_account() {
        Account::Id(id) => id.to_string(),
        Account::Name(name) => name,
    };
    Entry {
        account: Some(account),
        role: Some(target.final_role().to_owned()),
        region: target.region,
        session: Some(target.session.name),
        via: Some(target.via).filter(|via| !via.is_empty()),
        ..entry
    }
}

/// The account and the name of `role_arn`.
fn of_arn(entry: Entry, block: &Block<'_>) -> Entry {
    let Some(arn) = block.text("role_arn").and_then(|arn| RoleArn::new(arn).ok()) else { return entry };
    Entry { account: Some(arn.account().to_string()), role: Some(arn.name().to_owned()), ..entry }
}

fn of_tool(entry: Entry, tool: other_tools::OtherTool) -> Entry {
    let hint = Some(text::command_line(["daypass", "migrate", &entry.profile]));
    let role = tool.role;
    Entry {
        source: tool.tool.to_lowercase(),
        shown: tool.tool.to_owned(),
        account: role.as_ref().map(|role| role.account.to_string()),
        role: role.map(|role| role.role.to_string()),
        hint,
        ..entry
    }
}

/// A profile that daypass can't resolve.
fn broken(context: &Context, config: &Config, entry: Entry) -> Entry {
    let request = RoleRequest { profile: Some(entry.profile.clone()), ..RoleRequest::default() };
    let error = resolve::target_in(config, &context.env, &request).err();
    let (problem, hint) = error.map(|error| (error.what, error.hint)).unzip();
    Entry { source: "broken".to_owned(), shown: "broken".to_owned(), problem, hint, ..entry }
}

const COLUMNS: [&str; 11] =
    ["profile", "source", "account", "role", "region", "session", "via", "overridden_by", "place", "problem", "hint"];

fn row(entry: &Entry) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let Entry { profile, source, account, role, region, session, via, overridden_by, place, problem, hint, shown: _ } = entry;
    let known = [profile, source].map(Clone::clone);
    known.into_iter().chain([account, role, region, session, via, overridden_by, place, problem, hint].map(text)).collect()
}

/// A table, and below it what is wrong and what to do about each profile.
fn people(context: &Context, entries: &[Entry]) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = |entry: &Entry| {
        vec![entry.profile.clone(), entry.shown.clone(), text(&entry.account), text(&entry.role), text(&entry.region)]
    };
    let rows: Vec<_> = entries.iter().map(cells).collect();
    let mut report = context.table(&["PROFILE", "SOURCE", "ACCOUNT", "ROLE", "REGION"], &rows);
    let mut notes = String::new();
    let width = terminal::width();
    let note = |notes: &mut String, line: &str| notes.extend([&*terminal::fitted_to(line, width), "\n"]);
    for entry in entries {
        let name = text::clean(&entry.profile);
        // Writing to memory can't fail.
        if let Some(overriding) = &entry.overridden_by {
            note(&mut notes, &format!("{name}: AWS tools use {} instead of daypass", text::clean(overriding)));
        }
        if let (Some(problem), Some(hint)) = (&entry.problem, &entry.hint) {
            let place = entry.place.as_deref().map(|place| format!(" ({})", text::clean(place))).unwrap_or_default();
            note(&mut notes, &format!("{name}{place}: {}", text::clean(problem)));
            let _ = writeln!(notes, "hint: {}", text::clean(hint));
        }
    }
    let mut movable = entries
        .iter()
        .filter(|entry| entry.problem.is_none() && entry.overridden_by.is_none())
        .filter_map(|entry| entry.hint.as_ref());
    match (movable.next(), movable.count()) {
        (None, _) => {}
        (Some(only), 0) => note(&mut notes, &format!("1 profile can be moved to daypass: {}", text::clean(only))),
        (Some(_), more) => {
            note(&mut notes, &format!("{} profiles can be moved to daypass: daypass migrate --all", more + 1));
        }
    }
    if !notes.is_empty() {
        report.extend(["\n", &notes]);
    }
    report
}
