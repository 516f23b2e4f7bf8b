//! `--convert`: profiles with the SDKs' own single sign-on keys become daypass profiles of the same name.

use crate::env::Env;
use crate::profile::edit::{self, Change};
use crate::profile::leads::{Leads, Role};
use crate::profile::names::Session;
use crate::profile::resolve::{self, Means};
use crate::profile::{Config, helper, start_url};

/// What can be converted, and what can't.
#[derive(Debug, Default)]
pub(super) struct Conversion {
    /// The profiles' names.
    pub(super) names: Vec<String>,
    /// One for each name, and those of the sessions that they need.
    pub(super) changes: Vec<Change>,
    /// Why others stay as they are, a sentence each.
    pub(super) stay: Vec<String>,
}

/// Native and legacy profiles, of those whose name, session and role are wanted. All of their keys that are not `sso_*` stay.
pub(super) fn conversion(config: &Config, env: &Env, program: &str, wanted: impl Fn(&str, &Session, &Role) -> bool) -> Conversion {
    let leads = Leads::new(config, env);
    let mut found = Conversion::default();
    let mut sessions: Vec<Session> = Vec::new();
    for profile in config.profiles() {
        let kind = resolve::means(&profile);
        if !matches!(kind, Means::Native | Means::Legacy) {
            continue;
        }
        let Some((session, role)) = leads.of(&profile) else { continue };
        if !wanted(&profile.name, &session, &role) {
            continue;
        }
        let session = if kind == Means::Legacy { with_block(config, &sessions, &session) } else { session };
        let change = helper::line(program, &session.name, &role.account, &role.role)
            .map(|line| Change::helper(&profile.name, line, Vec::new()))
            .map_err(|error| error.what);
        let change = change.and_then(|change| edit::other_source(config, &profile, &change).map_or(Ok(change), Err));
        match change {
            Ok(change) => {
                found.names.push(profile.name.to_string());
                found.changes.push(change);
                if config.session(&session.name).is_none() && !sessions.contains(&session) {
                    sessions.push(session);
                }
            }
            Err(why) => found.stay.push(format!("Profile {} stays as it is: {why}.", profile.name)),
        }
    }
    found.changes.splice(0..0, sessions.into_iter().map(Change::Session));
    found
}

/// The session by a block: the one of this portal that is there, or about to be; else a new one, called by its address.
pub(super) fn with_block(config: &Config, planned: &[Session], session: &Session) -> Session {
    let blocks = config.sessions();
    let there = blocks.iter().filter_map(|block| resolve::session_of(block).ok()).find(|known| known.is_same_portal(session));
    if let Some(known) = there.or_else(|| planned.iter().find(|known| known.is_same_portal(session)).cloned()) {
        return known;
    }
    let base = start_url::session_name(&session.start_url);
    let is_free = |name: &String| config.session(name).is_none() && planned.iter().all(|known| known.name != *name);
    let numbered = (2..1000).map(|n| format!("{base}-{n}"));
    let name = std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base);
    let start_url = start_url::clean(&session.start_url).unwrap_or_else(|_| session.start_url.clone());
    Session { name, start_url, region: session.region.clone(), scopes: vec![crate::portal::ACCOUNT_ACCESS.to_owned()] }
}
