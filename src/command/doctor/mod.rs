//! `daypass doctor`: shows which credential source each SDK uses, and what is wrong. It changes nothing.

mod machine;
mod online;

use std::fmt::Write;

use serde::Serialize;

use crate::context::Context;
use crate::error::Result;
use crate::output::{self, Format, csv};
use crate::profile::Config;
use crate::profile::findings::{self, Finding, Level, Subject};
use crate::profile::precedence::{Place, Precedence, Ranking, Sdk, Source};
use crate::sys::clock;
use crate::text;
use crate::ui::terminal;

/// Show which credentials each AWS SDK uses, and what is wrong (changes nothing)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass doctor dev
  daypass doctor dev --sdk js,go
  daypass doctor --format json

Without PROFILE, it shows what tools use that are started from this shell, and
checks all profiles.

Exits with status 1 if it finds an error. There is no network access without
--online, and no prompt. Each finding has a code, which docs/doctor.md
describes.")]
pub struct Args {
    /// Profile, as if named by --profile or in code [default: what the environment selects]
    #[arg(value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Only these SDKs and tools, comma-separated
    #[arg(long, value_name = "SDK", value_delimiter = ',')]
    pub sdk: Vec<Sdk>,
    /// Also ask the access portal whether the sign-in is valid, and compare clocks
    #[arg(long)]
    pub online: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// The version of the JSON document.
const VERSION: u8 = 1;

/// The document of `--format json`.
#[derive(Serialize)]
struct Report {
    version: u8,
    profile: String,
    sources: Vec<Row>,
    findings: Vec<FindingRow>,
}

/// What one SDK uses.
#[derive(Serialize)]
struct Row {
    sdk: &'static str,
    #[serde(flatten)]
    source: SourceRow,
    shadowed: Vec<SourceRow>,
}

#[derive(Serialize, PartialEq)]
struct SourceRow {
    kind: &'static str,
    place: Option<String>,
    /// The last four characters.
    key_id: Option<String>,
}

#[derive(Serialize)]
struct FindingRow {
    code: &'static str,
    level: &'static str,
    what: String,
    hint: String,
    place: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let config = Config::read(&context.env)?;
    let precedence = Precedence::new(&config);
    let sdks: Vec<Sdk> = Sdk::ALL.into_iter().filter(|sdk| args.sdk.is_empty() || args.sdk.contains(sdk)).collect();
    let argument = args.profile.as_deref();
    let subject = Subject { precedence: &precedence, env: &context.env, sdks: &sdks, argument, now: clock::now() };
    let rankings: Vec<(Sdk, Ranking)> = sdks.iter().map(|&sdk| (sdk, precedence.ranking(sdk, &context.env, argument))).collect();
    let mut found = findings::findings(&subject);
    found.extend(machine::findings(context, &subject));
    found.extend(online::findings(context, &subject, args.online));
    found.sort_by_key(|finding| finding.code.level());
    let failed = found.iter().any(|finding| finding.code.level() == Level::Error);
    let profile = argument.or(context.env.profile()).unwrap_or("default");
    context.print(&match args.format {
        Format::Json => {
            let sources = rankings.iter().map(|(sdk, ranking)| row(*sdk, ranking)).collect();
            let findings = found.iter().map(finding_row).collect();
            output::json(&Report { version: VERSION, profile: profile.to_owned(), sources, findings })
        }
        Format::Csv => csv_table(&found),
        Format::Table => people(context, profile, &rankings, &found),
    })?;
    Ok(u8::from(failed))
}

fn row(sdk: Sdk, ranking: &Ranking) -> Row {
    Row { sdk: sdk.name(), source: source_row(&ranking.used), shadowed: ranking.shadowed.iter().map(source_row).collect() }
}

fn source_row(source: &Source) -> SourceRow {
    SourceRow {
        kind: source.kind.name(),
        place: source.place.as_ref().map(Place::to_string),
        key_id: source.key_id.as_deref().map(last_four),
    }
}

/// The last four characters of an access key ID, which tell a user's keys apart.
fn last_four(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(4);
    id.chars().skip(skipped).collect()
}

fn finding_row(Finding { code, what, hint, place }: &Finding) -> FindingRow {
    FindingRow {
        code: code.name(),
        level: code.level().name(),
        what: what.clone(),
        hint: hint.clone(),
        place: place.as_ref().map(Place::to_string),
    }
}

fn csv_table(found: &[Finding]) -> String {
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(finding_row)
        .map(|row| vec![row.level.to_owned(), row.code.to_owned(), row.what, row.hint, row.place.unwrap_or_default()])
        .collect();
    csv::table(&["level", "code", "what", "hint", "place"], &rows)
}

/// A row for each group of SDKs that agree, then the findings.
fn people(context: &Context, profile: &str, rankings: &[(Sdk, Ranking)], found: &[Finding]) -> String {
    let mut groups: Vec<(Vec<&str>, &Ranking)> = Vec::new();
    for (sdk, ranking) in rankings {
        match groups.iter_mut().find(|(_, other)| other == &ranking) {
            Some((names, _)) => names.push(sdk.name()),
            None => groups.push((vec![sdk.name()], ranking)),
        }
    }
    let same_profile = rankings.iter().all(|(_, ranking)| ranking.profile == profile);
    let cells = |(names, ranking): &(Vec<&str>, &Ranking)| {
        let place = ranking.used.place.as_ref().map(Place::to_string).unwrap_or_default();
        let hidden: Vec<String> = ranking.shadowed.iter().map(described).collect();
        let mut cells = vec![names.join(" "), described_kind(&ranking.used), place, hidden.join(", ")];
        if !same_profile {
            cells.insert(1, ranking.profile.clone());
        }
        cells
    };
    let rows: Vec<Vec<String>> = groups.iter().map(cells).collect();
    let mut head = vec!["SDKS", "SOURCE", "SET IN", "INSTEAD OF"];
    if !same_profile {
        head.insert(1, "PROFILE");
    }
    let mut report = if same_profile { format!("Profile {}\n\n", text::clean(profile)) } else { String::new() };
    report += &context.whole_table(&head, &rows);
    report.push('\n');
    if found.is_empty() {
        report += "Nothing is wrong.\n";
    }
    let width = terminal::width();
    for finding in found {
        let (level, code) = (finding.code.level().name(), finding.code.name());
        // Writing to memory cannot fail.
        let line = format!("{level} {code}: {}", text::clean(&finding.what));
        let _ = writeln!(report, "{}\nhint: {}", terminal::fitted_to(&line, width), text::clean(&finding.hint));
    }
    report
}

fn described_kind(source: &Source) -> String {
    match (&source.key_id, &source.fault) {
        (Some(id), _) => format!("{} …{}", source.kind.name(), last_four(id)),
        (None, Some(fault)) => format!("{}: {fault}", source.kind.name()),
        (None, None) => source.kind.name().to_owned(),
    }
}

fn described(source: &Source) -> String {
    let place = source.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    described_kind(source) + &place
}
