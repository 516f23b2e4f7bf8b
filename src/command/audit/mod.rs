//! `daypass audit`: finds long-lived keys on this machine, and what would replace each. No network, no keyring.

mod ask;
mod known;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use time::OffsetDateTime;
use time::macros::datetime;

use crate::access_key::{self, LongLivedKey};
use crate::audit::accepted::{self, Acceptance};
use crate::audit::find::Secret;
use crate::audit::places::{Advice, Kind};
use crate::audit::report::{self, Entry, KeyPlace};
use crate::audit::walk::{self, Found};
use crate::audit::{self, Scope};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::output::audit::{Accepted, Account, Aws, Created, Document, Key, NotRead, Parked, Place, Replacement, Scanned};
use crate::output::{self, Format, rfc3339};
use crate::profile::names::AccountId;
use crate::profile::naming::{self, Template, Values};
use crate::sys::{clock, file};
use crate::text;
use crate::ui::progress::Progress;
use crate::vault::ParkedKey;
use ask::Answer;
use known::Known;

/// Find long-lived access keys on this machine (reads only, no network)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Searches the files of AWS tools, shells, editors and other programs that keep
keys, the environment, and project folders below your home folder. Uses no key,
prints no secret and changes nothing. The account of a key is part of its ID.
With --ask, a role of the key's account asks IAM about it; the key is not used.

Each line of the file of accepted keys is 'KEY-ID-OR-SHA256 UNTIL-DATE REASON':
  AKIARZPUZDIKGB2VALC4 2027-01-31 build server, moves in January

Exits with status 7 if long-lived keys remain, 0 if not, 1 if something could
not be read and no key was found.

Examples:
  daypass audit
  daypass audit --all
  daypass audit ~/src/shop
  daypass audit --quick --quiet || echo 'see daypass audit'")]
pub struct Args {
    /// Search all text in these files and folders instead
    #[arg(value_name = "PATH", conflicts_with_all = ["quick", "all"])]
    pub paths: Vec<PathBuf>,
    /// Search known places and the environment only, in milliseconds
    #[arg(long, conflicts_with = "all")]
    pub quick: bool,
    /// Search all text below the home folder
    #[arg(long)]
    pub all: bool,
    /// Use your roles to ask AWS for the owner, age, status and last use of each key
    #[arg(long)]
    pub ask: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Show whole key IDs, which are not secret
    #[arg(long)]
    pub ids: bool,
    /// File of accepted keys [default: ~/.config/daypass/accepted]
    #[arg(long, value_name = "FILE")]
    pub accept: Option<PathBuf>,
    /// Exit with status 0 even if keys were found
    #[arg(long)]
    pub exit_zero: bool,
}

/// The time before which all keys with IDs of the old form were created.
const OLD_FORM_ENDED: OffsetDateTime = datetime!(2019-07-01 00:00 UTC);
/// How many files that were not read are shown.
const SHOWN: usize = 10;

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let now = clock::now();
    let started = Instant::now();
    let accepted = accepted(context, args.accept.as_deref())?;
    let scope = match (args.quick, args.all) {
        (true, _) => Scope::Quick,
        (_, true) => Scope::All,
        _ if args.paths.is_empty() => Scope::Projects,
        _ => Scope::Paths(args.paths.clone()),
    };
    let found = search(context, &scope)?;
    let home = context.env.home();
    let home = home.as_deref();
    let Found { files, not_read, count, bytes } = found;
    // Most homes have no keys, and then nothing else is read.
    let known = match (files.is_empty(), args.ask) {
        (true, _) => Known::default(),
        (false, true) => Known::listed(context, now)?,
        (false, false) => Known::read(context, now),
    };
    let mut entries = report::entries(files, home, &|account| known.reaches(account));
    let mut answers = if args.ask { ask::ask(context, &entries, &known)? } else { HashMap::new() };
    for entry in &mut entries {
        entry.is_root |= answers.get(&entry.key).is_some_and(|answer| answer.is_root);
    }
    let profiles = static_profiles(&entries);
    let keys = entries.iter().map(|entry| {
        let acceptance = entry.key.id().and_then(|id| accepted.get(&accepted::sha256(id)));
        let answer = answers.remove(&entry.key).unwrap_or_default();
        key(entry, answer, &known, &profiles, &View { home, now, acceptance, ids: args.ids })
    });
    let document = Document {
        version: 1,
        complete: !not_read.iter().any(|not_read| not_read.is_gap),
        keys: keys.collect(),
        parked: if matches!(scope, Scope::Paths(_)) { Vec::new() } else { parked(context, args.ids, now) },
        not_read: not_read.iter().map(|not_read| unread(not_read, home)).collect(),
        scanned: Scanned { files: count, bytes, ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) },
    };
    let remaining = document.keys.iter().filter(|key| key.counts()).count();
    if !context.interaction.quiet {
        match args.format {
            Format::Json => context.print(&output::json(&document))?,
            Format::Csv => context.print(&output::audit::csv(&document))?,
            Format::Table => show(context, &document, &known)?,
        }
    }
    if remaining > 0 {
        return Ok(if args.exit_zero { 0 } else { Exit::KeysFound as u8 });
    }
    match not_read.iter().find(|not_read| not_read.is_gap) {
        None => Ok(0),
        Some(first) => {
            let what = format!("the search is incomplete: {}: {}", shown(&first.path, home), first.why);
            Err(Error::failed(what, format!("ls -ld {}", text::shell_quote(&first.path.to_string_lossy()))))
        }
    }
}

/// Searches, with progress for people.
fn search(context: &Context, scope: &Scope) -> Result<Found> {
    let shows = matches!(scope, Scope::All | Scope::Paths(_)) && !context.interaction.quiet && context.env.moves_cursor();
    let progress = Progress::new(!shows);
    let mut show = |count: u64| progress.show(&format!("{count} files scanned"));
    audit::search(&context.env, scope, &mut show).map_err(|error| {
        let home = context.env.home().unwrap_or_default();
        Error::failed(format!("can't search the home folder {}: {error}", home.display()), format!("ls -ld \"{}\"", home.display()))
    })
}

/// The accepted keys. Lines that can't be read are named, and accept nothing.
fn accepted(context: &Context, given: Option<&Path>) -> Result<HashMap<String, Acceptance>> {
    let Some(path) = given.map(Path::to_owned).or_else(|| context.env.accepted_keys()) else { return Ok(HashMap::new()) };
    let bytes = match file::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if given.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => {
            let shown = path.display();
            return Err(Error::failed(format!("can't read {shown}: {error}"), format!("ls -ld \"{shown}\"")));
        }
    };
    let (accepted, bad) = accepted::read(&String::from_utf8_lossy(&bytes));
    for line in bad {
        context.tell(&text::clean(&format!(
            "warning: {}:{line}: not 'KEY-ID-OR-SHA256 UNTIL-DATE REASON' (a date is 2027-01-31); the line is ignored",
            path.display()
        )));
    }
    Ok(accepted)
}

/// The first static profile of each account: it keeps its name if it is migrated.
fn static_profiles(entries: &[Entry]) -> HashMap<AccountId, String> {
    let mut profiles = HashMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_root) {
        let rewritten = entry.places.iter().filter(|place| place.is_rewritten()).filter_map(KeyPlace::profile);
        // Without a name every program uses it anyway.
        let profile = rewritten.clone().find(|name| *name != "default").or_else(|| rewritten.clone().next());
        if let (Some(account), Some(profile)) = (entry.key.account(), profile) {
            profiles.entry(account.clone()).or_insert_with(|| profile.to_owned());
        }
    }
    profiles
}

/// The keys of migrated profiles. The keyring is asked only if there was one.
fn parked(context: &Context, ids: bool, now: OffsetDateTime) -> Vec<Parked> {
    if !context.history().has_parked() {
        return Vec::new();
    }
    let keys = context.vault().and_then(|vault| Ok(vault.parked()?)).unwrap_or_else(|error| {
        context.tell(&text::clean(&format!("warning: migrated keys are not listed: {}", error.what)));
        Vec::new()
    });
    let parked = |key: ParkedKey| Parked {
        id: if ids { key.id.clone() } else { access_key::masked(&key.id) },
        account: key.account.to_string(),
        since: rfc3339(key.parked_at),
        inactive_since: key.inactive_since.map(rfc3339),
        due: key.due().map(rfc3339),
        is_due: key.due().is_some_and(|due| due <= now),
        profiles: key.profiles,
    };
    keys.into_iter().map(parked).collect()
}

/// How keys are shown.
struct View<'a> {
    home: Option<&'a Path>,
    now: OffsetDateTime,
    acceptance: Option<&'a Acceptance>,
    ids: bool,
}

fn key(entry: &Entry, answer: Answer, known: &Known, profiles: &HashMap<AccountId, String>, view: &View<'_>) -> Key {
    let account = entry.key.account().or(answer.account.as_ref());
    let own = entry.places.iter().find(|place| place.is_rewritten()).and_then(KeyPlace::profile);
    let ranked = account.map(|account| known.replacements(account, own)).unwrap_or_default();
    let name = account.and_then(|account| known.of(account).find_map(|candidate| candidate.account_name.clone()));
    let best = ranked.first();
    let profile = best
        .and_then(|best| best.profile.clone())
        .or_else(|| own.map(str::to_owned))
        .or_else(|| profiles.get(account?).cloned())
        .or_else(|| ranked.iter().find_map(|found| found.profile.clone()))
        .or_else(|| {
            // The name that `sync` gives.
            let role = &best?.role;
            let values =
                Values { role, account_name: name.as_deref(), account_email: None, session: &best?.session.name, region: None };
            Some(Template::parse(naming::DEFAULT, false).ok()?.name(&values))
        })
        .unwrap_or_else(|| "NAME".to_owned());
    let today = view.now.date();
    Key {
        id: if view.ids { entry.key.id().map_or_else(|| entry.key.masked(), str::to_owned) } else { entry.key.masked() },
        sha256: entry.key.id().map(accepted::sha256),
        kind: kind(entry),
        created: answer.created.map(|date| Created::Date(rfc3339(date))).or_else(|| created(entry, view.now)),
        aws: answer.aws,
        accepted: view.acceptance.map(|Acceptance { until, reason }| Accepted {
            until: until.to_string(),
            reason: reason.clone(),
            expired: *until < today,
        }),
        replacement: ranked
            .iter()
            .map(|found| Replacement {
                session: found.session.name.clone(),
                account: found.role.account.to_string(),
                role: found.role.role.to_string(),
                profile: found.profile.clone(),
            })
            .collect(),
        places: entry.places.iter().map(|found| place(found, entry, &profile, view.home)).collect(),
        needs_account: entry.key.account().is_none() && account.is_some(),
        account: account.map(|id| Account { id: id.to_string(), name, reachable: known.reaches(id) }),
    }
}

fn kind(entry: &Entry) -> &'static str {
    match entry.key {
        LongLivedKey::Access(_) if entry.is_root => "root",
        LongLivedKey::Access(_) => "user",
        LongLivedKey::Bedrock(_) => "bedrock",
        LongLivedKey::CodeCommit(_) => "codecommit",
    }
}

/// A lower bound of a key's age: that of the oldest file that contains it. A key ID in the old form was created before spring 2019.
fn created(entry: &Entry, now: OffsetDateTime) -> Option<Created> {
    let old = matches!(&entry.key, LongLivedKey::Access(id) if id.account().is_none()).then_some(OLD_FORM_ENDED);
    let oldest = entry.oldest.map(OffsetDateTime::from).into_iter().chain(old).min()?;
    Some(Created::AtLeastDays((now - oldest).whole_days().max(0)))
}

fn place(found: &KeyPlace, entry: &Entry, profile: &str, home: Option<&Path>) -> Place {
    let mut notes = Vec::new();
    let mut note = |applies: bool, text| {
        if applies {
            notes.push(text);
        }
    };
    note(found.place.kind == Kind::Copy, "a copy");
    note(found.commented, "in a comment");
    note(found.secret == Secret::None, "only the ID");
    note(found.exposed, "other users can read it");
    note(found.git, "in a Git work tree");
    let is_variable = found.place.kind == Kind::Environment;
    let named = |path: String| if is_variable { format!("environment:{path}") } else { path };
    Place {
        file: named(relative(&found.file, home)),
        line: found.line,
        profile: found.profile().map(str::to_owned),
        kind: found.place.kind.name(),
        secret: found.secret > Secret::None,
        mode: found.mode.map(|mode| format!("{mode:04o}")),
        git: found.git,
        can: if found.is_rewritten() { "rewrite" } else { "report" },
        advice: advice(found, entry, profile, home),
        shown: named(shown(&found.file, home)),
        notes,
    }
}

/// The line or command that replaces a key.
fn advice(found: &KeyPlace, entry: &Entry, profile: &str, home: Option<&Path>) -> String {
    const ROOT: &str = "root key: delete it in the console";
    let section = found.section.as_deref().unwrap_or(profile);
    let line = match found.place.advice {
        _ if entry.is_root => return ROOT.to_owned(),
        // Deactivating the key of an SMTP user stops its mail.
        _ if found.secret == Secret::Smtp => "SES SMTP: create an SMTP user for this program; deactivating this key stops its mail",
        Advice::Root => ROOT,
        Advice::Migrate if found.is_rewritten() => return text::command_line(["daypass", "migrate", section]),
        Advice::Migrate if !found.commented && found.section.is_some() => {
            "rename the profile without blanks, then daypass migrate it"
        }
        Advice::Migrate => "delete this line",
        _ if found.commented => "delete this line",
        Advice::Delete => return format!("rm {}", quoted(&found.file, home)),
        _ if found.place.kind == Kind::Environment && !found.file.starts_with("AWS_ACCESS_KEY_ID") => {
            return unset(&found.file.to_string_lossy(), profile);
        }
        Advice::Line(line) => line,
    };
    // DVC's sections are ['remote "NAME"'].
    fill(&fill(line, "{profile}", profile), "{section}", section.split('"').nth(1).unwrap_or(section))
}

/// The command that replaces a key in this variable.
fn unset(variable: &str, profile: &str) -> String {
    let secret = if variable == "AWS_ACCESS_KEY" { " AWS_SECRET_KEY" } else { "" };
    format!("unset {variable}{secret}; export AWS_PROFILE={}", text::shell_quote(profile))
}

/// Puts a name into a line, as text within quotation marks or XML, and as a shell's word elsewhere.
fn fill(line: &str, placeholder: &str, name: &str) -> String {
    let Some((before, after)) = line.split_once(placeholder) else { return line.to_owned() };
    let word = match after.chars().next() {
        Some('"') => name.replace('\\', "\\\\").replace('"', "\\\"").into(),
        Some('\'' | '<') => name.into(),
        _ => text::shell_quote(name),
    };
    format!("{before}{word}{}", fill(after, placeholder, name))
}

/// A path for a command line.
fn quoted(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", text::shell_quote(&rest.to_string_lossy())),
        None => text::shell_quote(&path.to_string_lossy()).into_owned(),
    }
}

fn unread(not_read: &walk::NotRead, home: Option<&Path>) -> NotRead {
    let walk::NotRead { path, why, .. } = not_read;
    NotRead { file: relative(path, home), why: why.clone(), shown: shown(path, home) }
}

/// A path relative to the home folder if it is below it.
fn relative(path: &Path, home: Option<&Path>) -> String {
    let rest = home.and_then(|home| path.strip_prefix(home).ok()).filter(|rest| !rest.as_os_str().is_empty());
    rest.unwrap_or(path).to_string_lossy().into_owned()
}

/// A path for people.
fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~{}{}", std::path::MAIN_SEPARATOR, rest.display()),
        None => path.display().to_string(),
    }
}

/// Prints the table, what was not read, and what to do next.
fn show(context: &Context, document: &Document, known: &Known) -> Result<()> {
    let rows: Vec<Vec<String>> = document.keys.iter().flat_map(|key| rows(key, !known.listed.is_empty())).collect();
    if !rows.is_empty() {
        context.print(&context.whole_table(&["KEY", "WHERE", "PROFILE", "ACCOUNT", "NOTES", "REPLACE WITH"], &rows))?;
        context.tell("");
    }
    for not_read in document.not_read.iter().take(SHOWN) {
        context.tell(&text::clean(&format!("Not read: {}: {}", not_read.shown, not_read.why)));
    }
    if let Some(more) = document.not_read.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        context.tell(&format!("Not read: {more} more; see daypass audit --format json"));
    }
    let counting: Vec<&Key> = document.keys.iter().filter(|key| key.counts()).collect();
    let places: usize = counting.iter().map(|key| key.places.len()).sum();
    let accepted = document.keys.len() - counting.len();
    let accepted = if accepted > 0 { format!(" ({accepted} accepted)") } else { String::new() };
    let Scanned { files, ms, .. } = document.scanned;
    let found = match counting.len() {
        0 => format!("No long-lived keys{accepted}."),
        keys => format!("{} in {}{accepted}.", text::counted(keys, "long-lived key"), text::counted(places, "place")),
    };
    let files = text::counted(usize::try_from(files).unwrap_or(usize::MAX), "file");
    context.tell(&format!("{found} {files} scanned in {ms} ms."));
    match document.parked.iter().filter(|parked| parked.is_due).count() {
        0 => {}
        1 => context.tell("1 migrated key is due for the next step: daypass retire"),
        due => context.tell(&format!("{due} migrated keys are due for the next step: daypass retire")),
    }
    if let Some(next) = next(&counting, known) {
        context.tell(&text::clean(&format!("Next: {next}")));
    }
    Ok(())
}

fn rows(key: &Key, known: bool) -> Vec<Vec<String>> {
    let account = match &key.account {
        Some(Account { id, name: Some(name), .. }) => format!("{name} {id}"),
        Some(Account { id, .. }) => id.clone(),
        None if key.kind == "bedrock" => "unknown".to_owned(),
        None => "unknown (created before 2019)".to_owned(),
    };
    let asked = key.aws.as_ref().map(in_words).unwrap_or_default();
    let row = |(number, place): (usize, &Place)| {
        let first = |text: &str| if number == 0 { text.to_owned() } else { String::new() };
        let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
        let replace = match (&key.accepted, place.can) {
            (Some(Accepted { until, reason, expired: false }), _) => first(&format!("accepted until {until}: {reason}")),
            (Some(Accepted { until, expired: true, .. }), _) if number == 0 => {
                format!("accepted until {until}, which has passed: {}", replacement(key, place, known))
            }
            (_, "rewrite") => first(&replacement(key, place, known)),
            _ => place.advice.clone(),
        };
        let notes = place
            .notes
            .iter()
            .copied()
            .chain([&*first(&asked)].into_iter().filter(|text| !text.is_empty()))
            .collect::<Vec<_>>()
            .join("; ");
        let profile = place.profile.clone().unwrap_or_default();
        vec![first(&key.id), format!("{}{line}", place.shown), profile, first(&account), notes, replace]
    };
    key.places.iter().enumerate().map(row).collect()
}

/// What AWS said of a key.
fn in_words(aws: &Aws) -> String {
    let user = aws.user.as_ref().map(|user| format!("user {user}"));
    let date = |moment: &String| moment.split('T').next().unwrap_or_default().to_owned();
    let service =
        |last: String| format!("last used {last}{}", aws.service.as_ref().map(|name| format!(" for {name}")).unwrap_or_default());
    let last = aws.last_used.as_ref().map_or_else(|| "never used".to_owned(), |moment| service(date(moment)));
    let parts = [user, aws.status.as_ref().map(|status| status.to_lowercase()), Some(last)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What replaces a key that daypass can rewrite.
fn replacement(key: &Key, place: &Place, known: bool) -> String {
    match (key.replacement.as_slice(), &key.account) {
        _ if key.kind == "root" || place.can != "rewrite" => place.advice.clone(),
        ([only], _) => only.role.clone(),
        ([best, ..], _) => format!("{} (1 of {} roles)", best.role, key.replacement.len()),
        // What the portal lists is not known yet: migrating asks it.
        ([], Some(_)) if !known => place.advice.clone(),
        ([], Some(_)) => "no role of yours is in this account".to_owned(),
        ([], None) => "daypass audit --ask".to_owned(),
    }
}

/// The command to type next.
fn next(counting: &[&Key], known: &Known) -> Option<String> {
    let rewritten = |key: &&&Key| key.kind != "root" && key.places.iter().any(|place| place.can == "rewrite");
    if known.listed.is_empty() && counting.iter().any(|key| key.kind != "root") {
        return Some(if known.has_session { "daypass list" } else { "daypass configure" }.to_owned());
    }
    let ready: Vec<_> = counting.iter().filter(rewritten).filter(|key| !key.replacement.is_empty()).collect();
    if ready.iter().filter(|key| key.replacement.len() == 1).count() > 1 {
        return Some("daypass migrate --all".to_owned());
    }
    let profiles = || {
        let places = ready.iter().flat_map(|key| key.places.iter().map(move |place| (key, place)));
        places.filter(|(_, place)| place.can == "rewrite").filter_map(|(key, place)| Some((key, place.profile.as_deref()?)))
    };
    let Some((key, profile)) = profiles().find(|(_, name)| *name != "default").or_else(|| profiles().next()) else {
        // The lines to write instead name a profile that does not exist yet.
        let without = |key: &&&Key| key.kind != "root" && key.replacement.iter().all(|found| found.profile.is_none());
        let best = counting.iter().filter(without).find_map(|key| key.replacement.first())?;
        return Some(text::command_line([
            "daypass",
            "sync",
            &*best.session,
            "--only",
            &*format!("{}/{}", best.account, best.role),
        ]));
    };
    let account = key.account.as_ref().filter(|_| key.needs_account).map(|account| ["--account", &*account.id]);
    Some(text::command_line(["daypass", "migrate", profile].into_iter().chain(account.into_iter().flatten())))
}
