//! `daypass status`: shows who is signed in and until when. No network; with `--prompt` no keyring either.

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::flags::{SessionFlags, SessionOrProfileArgs};
use super::{logout, session};
use crate::broker::freshness::{self, TokenState};
use crate::context::Context;
use crate::credentials::Token;
use crate::error::{Error, Exit, Result};
use crate::output::{self, Format, csv, rfc3339};
use crate::profile::names::{RoleArn, Session};
use crate::profile::request::RoleRequest;
use crate::profile::{Config, diagnosis, resolve};
use crate::sys::clock;
use crate::sys::env::Env;
use crate::text;
use crate::ui::terminal;

/// Show who is signed in and until when (no network)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exits with status 3 if sign-in is required: for the given session, or for all
sessions. daypass renews the sign-in automatically until your portal session
ends. The portal does not say when that is; daypass estimates it by how long
your earlier sessions lasted, and warns half an hour before.

--prompt uses neither the network nor the keyring. It prints the profile whose
credentials this shell has and their remaining validity ('dev 42 min'),
otherwise AWS_PROFILE, otherwise nothing:
  PS1='$(daypass status --prompt) \\$ '")]
pub struct Args {
    /// Session, or a profile that uses it [default: that of $AWS_PROFILE, or all]
    #[arg(value_name = "SESSION|PROFILE", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session, given by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Use the session of this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "session"])]
    pub profile: Option<String>,
    /// Print a short text for the shell prompt (no keyring)
    #[arg(long, conflicts_with_all = ["name", "session", "profile", "format"])]
    pub prompt: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// How long before the end of a portal session to warn.
const WARN_BEFORE: time::Duration = time::Duration::minutes(30);

/// One session, as `--format json` shows it.
#[derive(Serialize)]
struct Entry {
    session: String,
    start_url: String,
    region: String,
    signed_in: bool,
    /// When the access token expires. A refreshable one is renewed automatically.
    expires_at: Option<String>,
    refreshable: bool,
    refreshable_until: Option<String>,
    signed_in_at: Option<String>,
    /// About when the portal session ends, by how long earlier ones lasted.
    session_end_estimate: Option<String>,
    roles: Vec<CachedRole>,
    /// For people.
    #[serde(skip)]
    sign_in: String,
    #[serde(skip)]
    end: Option<OffsetDateTime>,
}

#[derive(Serialize)]
struct CachedRole {
    account_id: String,
    role: String,
    /// The role of the portal that an assumed one is based on: ROLE@ACCOUNT.
    via: Option<String>,
    expires_at: String,
    /// For people.
    #[serde(skip)]
    left: String,
}

impl CachedRole {
    fn described(&self) -> String {
        match &self.via {
            Some(via) => format!("{} via {via}", self.role),
            None => self.role.clone(),
        }
    }
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let now = clock::now();
    if args.prompt {
        let text = prompt(&context.env, now).map(|text| text + &prompt_warning(context, now) + "\n");
        context.print(&text.unwrap_or_default())?;
        return Ok(0);
    }
    let vault = context.vault()?;
    if context.interaction.verbose > 0 {
        vault.failures().into_iter().flatten().for_each(|line| terminal::say(&terminal::fitted(&text::clean(&line))));
    }
    let mut contents = vault.contents(now)?;
    let config = Config::read(&context.env)?;
    let args_of_session = SessionOrProfileArgs { name: args.name.clone(), session: args.session, profile: args.profile };
    let stored = |error: Error| {
        let of_name = |session: &&Session| Some(&session.name) == args.name.as_ref();
        let found: Vec<Session> = contents.sessions.iter().filter(of_name).cloned().collect();
        if found.is_empty() { Err(error) } else { Ok(found) }
    };
    let sessions = match session::named(&config, args_of_session) {
        Ok(Some(chosen)) => vec![chosen.session],
        Ok(None) => match session::of_environment(context, &config)? {
            Some(chosen) => vec![chosen.session],
            None => logout::every_session(context, &contents)?,
        },
        Err(error) => stored(error)?,
    };
    let history = context.history();
    let mut entries = Vec::new();
    for session in sessions {
        let token = vault.token_in(&mut contents, &session)?;
        let cached = contents.roles.iter().filter(|(key, _)| key.belongs_to(&session)).filter_map(|(key, expires_at)| {
            let (account, role) = key.role()?;
            let assumed = key.assumed().and_then(|assumed| RoleArn::new(&assumed.arn).ok());
            let (account_id, role, via) = match assumed {
                Some(arn) => (arn.account().to_string(), arn.name().to_owned(), Some(format!("{role}@{account}"))),
                None => (account.to_string(), role.to_string(), None),
            };
            Some(CachedRole { account_id, role, via, expires_at: rfc3339(*expires_at), left: output::left(*expires_at, now) })
        });
        let mut cached: Vec<_> = cached.collect();
        cached.sort_by(|one, other| (&one.account_id, &one.role).cmp(&(&other.account_id, &other.role)));
        let known = token.as_ref().map(|_| (history.signed_in_at(&session), history.session_end(&session)));
        entries.push(entry(session, token.as_ref(), known.unwrap_or_default(), cached, now));
    }
    if context.interaction.verbose > 0 {
        for location in vault.locations() {
            let line = format!("{}: {} ({})", location.of, location.store, text::clean(&location.why));
            terminal::say(&terminal::fitted(&line));
        }
        for warning in diagnosis::warnings(&config) {
            let fix = if warning.fix.is_empty() { String::new() } else { format!("; {}", warning.fix) };
            terminal::say(&terminal::fitted(&text::clean(&format!("warning: {}{fix}", warning.line()))));
        }
    } else {
        context.warn_of(&config);
    }
    let due = contents.due;
    if due > 0 {
        let keys = if due == 1 { "1 migrated key is".to_owned() } else { format!("{due} migrated keys are") };
        context.tell(&format!("{keys} due for the next step: daypass retire"));
    }
    for entry in entries.iter().filter(|entry| entry.signed_in) {
        if let Some(warning) = entry.end.and_then(|end| end_warning(end, now)) {
            let login = format!("daypass login {} --force", text::shell_quote(&entry.session));
            context.tell(&text::clean(&format!("The portal session of {} {warning}. Sign in again: {login}", entry.session)));
        }
    }
    if entries.is_empty() {
        context.tell("No sessions yet. Start with: daypass configure");
    }
    context.print(&match args.format {
        Format::Json => output::json(&entries),
        Format::Csv => csv(&entries),
        Format::Table => tables(context, &entries),
    })?;
    match entries.first() {
        Some(first) if entries.iter().all(|entry| !entry.signed_in) => {
            let command = format!("daypass login {}", text::shell_quote(&first.session));
            Err(Error::new(Exit::SignIn, format!("not signed in to {}", first.session), command))
        }
        _ => Ok(0),
    }
}

fn entry(
    session: Session,
    token: Option<&Token>,
    (signed_in_at, end): (Option<OffsetDateTime>, Option<OffsetDateTime>),
    roles: Vec<CachedRole>,
    now: OffsetDateTime,
) -> Entry {
    let renewable = token.filter(|token| token.refreshable(now));
    let sign_in = match token.map(|token| (token, freshness::token_state(token, now))) {
        None => "signed out".to_owned(),
        Some((_, TokenState::SignInRequired)) => "expired".to_owned(),
        Some(_) if let (Some(end), Some(_)) = (end.filter(|end| *end > now), renewable) => {
            format!("until about {} ({})", output::when_near(end, now), output::left(end, now))
        }
        Some((_, TokenState::RefreshNow)) => "renewed on next use".to_owned(),
        Some((token, _)) if renewable.is_some() => format!("{}, then renewed", output::left(token.expires_at, now)),
        Some((token, _)) => output::left(token.expires_at, now),
    };
    Entry {
        signed_in: token.is_some_and(|token| freshness::token_state(token, now) != TokenState::SignInRequired),
        expires_at: token.map(|token| rfc3339(token.expires_at)),
        refreshable: renewable.is_some(),
        refreshable_until: renewable.map(|token| rfc3339(token.registration.expires_at)),
        signed_in_at: signed_in_at.map(rfc3339),
        session_end_estimate: end.map(rfc3339),
        sign_in,
        end: end.filter(|_| renewable.is_some()),
        session: session.name,
        start_url: session.start_url,
        region: session.region,
        roles,
    }
}

/// A table of the sessions, and one of the cached roles if there are any.
fn tables(context: &Context, entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let session = |entry: &Entry| vec![entry.session.clone(), entry.sign_in.clone(), entry.start_url.clone()];
    let sessions: Vec<_> = entries.iter().map(session).collect();
    let role = |entry: &Entry, role: &CachedRole| {
        vec![role.account_id.clone(), role.described(), role.left.clone(), entry.session.clone()]
    };
    let roles: Vec<_> = entries.iter().flat_map(|entry| entry.roles.iter().map(|of| role(entry, of))).collect();
    let mut text = context.table(&["SESSION", "SIGN-IN", "START URL"], &sessions);
    if !roles.is_empty() {
        text.push('\n');
        text += &context.table(&["ACCOUNT", "CACHED ROLE", "LEFT", "SESSION"], &roles);
    }
    text
}

/// A row for each cached role, or for a session without cached roles.
fn csv(entries: &[Entry]) -> String {
    let head =
        ["session", "start_url", "region", "signed_in", "expires_at", "refreshable_until", "account_id", "role", "role_expires_at"];
    let mut rows = Vec::new();
    for entry in entries {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let session = [
            entry.session.clone(),
            entry.start_url.clone(),
            entry.region.clone(),
            entry.signed_in.to_string(),
            text(&entry.expires_at),
            text(&entry.refreshable_until),
        ];
        let role = |role: &CachedRole| [role.account_id.clone(), role.described(), role.expires_at.clone()];
        let none = [String::new(), String::new(), String::new()];
        let roles = if entry.roles.is_empty() { vec![none] } else { entry.roles.iter().map(role).collect() };
        rows.extend(roles.into_iter().map(|role| session.iter().cloned().chain(role).collect::<Vec<_>>()));
    }
    csv::table(&head, &rows)
}

/// What to say about a portal session that ends soon, as a clause; None if it does not.
fn end_warning(end: OffsetDateTime, now: OffsetDateTime) -> Option<String> {
    if end <= now {
        return Some("may have ended".to_owned());
    }
    (end - now <= WARN_BEFORE).then(|| format!("ends in about {}", output::left(end, now)))
}

/// The end of the portal session of the profile in the prompt, if that is soon. Nothing that can't be read is an error here.
fn prompt_warning(context: &Context, now: OffsetDateTime) -> String {
    let profile = context.env.access_key().map_or(context.env.profile(), |_| context.env.active());
    let warning = profile.and_then(|profile| {
        let request = RoleRequest { profile: Some(profile.to_owned()), ..RoleRequest::default() };
        let session = resolve::target(&context.env, &request).ok()?.session;
        end_warning(context.history().session_end(&session)?, now)
    });
    warning.map(|warning| format!(" (sign-in {warning})")).unwrap_or_default()
}

/// The text for a prompt: the keys in the environment, which most tools prefer to a profile, and their remaining validity; else the
/// profile; else None.
fn prompt(env: &Env, now: OffsetDateTime) -> Option<String> {
    if env.access_key().is_none() {
        return env.profile().map(|name| text::clean(name).into_owned());
    }
    let name = text::clean(env.active().unwrap_or("keys"));
    let left = env
        .expiration()
        .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok())
        .map(|until| if until > now { output::left(until, now) } else { "expired".to_owned() });
    Some([Some(name.into_owned()), left].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(vars: &[(&str, &str)]) -> Option<String> {
        let env = vars.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        prompt(&env, time::macros::datetime!(2026-01-01 00:00 UTC))
    }

    #[test]
    fn a_prompt_shows_the_keys_in_the_environment_before_a_profile() {
        let key = ("AWS_ACCESS_KEY_ID", "ASIA1");
        let until = ("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:42:00Z");
        assert_eq!(shows(&[]), None);
        assert_eq!(shows(&[("AWS_PROFILE", "de\u{1b}v")]).unwrap(), "de v");
        assert_eq!(shows(&[key, until, ("DAYPASS_ACTIVE", "ASIA1 dev"), ("AWS_PROFILE", "other")]).unwrap(), "dev 42 min");
        assert_eq!(shows(&[key, ("AWS_CREDENTIAL_EXPIRATION", "2025-12-31T23:00:00Z")]).unwrap(), "keys expired");
        assert_eq!(shows(&[key, ("AWS_CREDENTIAL_EXPIRATION", "nonsense")]).unwrap(), "keys");
    }

    #[test]
    fn a_prompt_does_not_show_the_name_of_earlier_keys() {
        assert_eq!(shows(&[("AWS_ACCESS_KEY_ID", "ASIA2"), ("DAYPASS_ACTIVE", "ASIA1 dev")]).unwrap(), "keys");
    }
}
