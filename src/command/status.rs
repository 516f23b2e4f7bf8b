//! `daypass status`: who is signed in and until when. No network.

use serde::Serialize;
use time::OffsetDateTime;

use crate::broker::fresh::{self, Sign};
use crate::cli::{Format, SessionFlags, Status};
use crate::clock;
use crate::error::{Error, Exit, Result};
use crate::grant::Token;
use crate::output::{self, rfc3339, table};
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::terminal;
use crate::vault::Kind;
use crate::world::World;

/// One session, as `--format json` shows it.
#[derive(Serialize)]
struct Entry {
    session: String,
    start_url: String,
    region: String,
    signed_in: bool,
    /// When the access token ends; a refreshable one is renewed by itself.
    expires_at: Option<String>,
    refreshable: bool,
    refreshable_until: Option<String>,
    roles: Vec<CachedRole>,
}

#[derive(Serialize)]
struct CachedRole {
    account_id: String,
    role: String,
    expires_at: String,
}

/// Runs it.
pub fn run(world: &World, typed: Status) -> Result<u8> {
    let config = Config::read(&world.env)?;
    let sessions = match typed.name {
        Some(name) => vec![resolve::session_in(&config, &super::asked_session(SessionFlags::default(), Some(name), None))?],
        None => resolve::sessions(&config),
    };
    let vault = world.vault()?;
    let now = clock::now();
    let tokens: Vec<Option<Token>> = sessions.iter().map(|session| vault.token(session)).collect::<std::result::Result<_, _>>()?;
    let roles = vault.roles(now)?;
    let entries: Vec<Entry> = sessions
        .iter()
        .zip(&tokens)
        .map(|(session, token)| {
            let of_session = roles.iter().filter_map(|(key, expires_at)| match &key.kind {
                Kind::Role(account, role) if key.is_of(session) => {
                    Some(CachedRole { account_id: account.to_string(), role: role.to_string(), expires_at: rfc3339(*expires_at) })
                }
                _ => None,
            });
            entry(session, token.as_ref(), of_session.collect(), now)
        })
        .collect();
    if world.common.verbose > 0 {
        for home in vault.homes() {
            terminal::say(&format!("{}: {} ({})", home.of, home.store, terminal::clean(&home.why)));
        }
    }
    world.print(&match typed.format {
        Format::Json => serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n",
        Format::Table => table::plain(&HEAD, &rows(&entries, &tokens, now)),
        Format::Csv => table::csv(&HEAD, &rows(&entries, &tokens, now)),
    })?;
    match entries.iter().find(|entry| !entry.signed_in) {
        Some(first) if entries.iter().all(|entry| !entry.signed_in) => {
            let command = format!("daypass login {}", first.session);
            Err(Error::new(Exit::SignIn, format!("sign-in to {} needed", first.session), command))
        }
        _ => Ok(0),
    }
}

fn entry(session: &Session, token: Option<&Token>, roles: Vec<CachedRole>, now: OffsetDateTime) -> Entry {
    let refreshable = token.is_some_and(|token| token.refreshable(now));
    Entry {
        session: session.name.clone(),
        start_url: session.start_url.clone(),
        region: session.region.clone(),
        signed_in: token.is_some_and(|token| fresh::token(token, now) != Sign::In),
        expires_at: token.map(|token| rfc3339(token.expires_at)),
        refreshable,
        refreshable_until: token.filter(|_| refreshable).map(|token| rfc3339(token.registration.expires_at)),
        roles,
    }
}

const HEAD: [&str; 4] = ["SESSION", "SIGN-IN", "ROLES CACHED", "START URL"];

fn rows(entries: &[Entry], tokens: &[Option<Token>], now: OffsetDateTime) -> Vec<Vec<String>> {
    let sign_in = |token: &Option<Token>| match token.as_ref().map(|token| (token, fresh::token(token, now))) {
        None => "signed out".to_owned(),
        Some((_, Sign::In)) => "expired".to_owned(),
        Some((_, Sign::Refresh)) => "renewed when next used".to_owned(),
        Some((token, _)) if token.refreshable(now) => format!("{}, then renewed", output::left(token.expires_at, now)),
        Some((token, _)) => output::left(token.expires_at, now),
    };
    let row = |(entry, token): (&Entry, _)| {
        vec![entry.session.clone(), sign_in(token), entry.roles.len().to_string(), entry.start_url.clone()]
    };
    entries.iter().zip(tokens).map(row).collect()
}
