//! `--convert`: profiles with the SDKs' own single sign-on keys become daypass profiles of the same name.

use std::collections::HashSet;

use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::Session;
use crate::profile::resolve::{self, CredentialSource};
use crate::profile::{Config, helper, start_url};
use crate::sys::env::Env;

/// What can be converted, and what can't.
#[derive(Debug, Default)]
pub(super) struct Conversion {
    /// The profiles' names.
    pub(super) names: Vec<String>,
    /// Where each index.
    pub(super) roles: Vec<AccountRole>,
    /// One for each name, and those of the sessions that they need.
    pub(super) changes: Vec<Change>,
    /// Why others stay as they are, a sentence each.
    pub(super) stay: Vec<String>,
}

/// Native and legacy profiles, of those whose name, session and role are wanted. All of their keys that are not `sso_*` stay.
/// `planned`: a session that will have a block.
pub(super) fn conversion(
    config: &Config,
    env: &Env,
    program: &str,
    planned: Option<&Session>,
    wanted: impl Fn(&str, &Session, &AccountRole) -> bool,
) -> Conversion {
    let index = ProfileIndex::new(config, env);
    let mut found = Conversion::default();
    let mut sessions = Sessions::of(config);
    sessions.known.extend(planned.cloned());
    sessions.names.extend(planned.map(|session| session.name.clone()));
    let mut used = HashSet::new();
    for profile in config.profiles() {
        let kind = resolve::credential_source(&profile);
        if !matches!(kind, CredentialSource::Native | CredentialSource::Legacy) {
            continue;
        }
        let Some((session, role)) = index.role_of(&profile) else { continue };
        if !wanted(&profile.name, &session, &role) {
            continue;
        }
        let session = if kind == CredentialSource::Legacy { sessions.with_block(&session) } else { session };
        let change = helper::line(program, &session.name, &role.account, &role.role)
            .map(|line| Change::helper(&profile.name, line, Vec::new()))
            .map_err(|error| error.what);
        let change = change.and_then(|change| edit::other_source(config, &profile, &change).map_or(Ok(change), Err));
        match change {
            Ok(change) => {
                found.names.push(profile.name.to_string());
                found.changes.push(change);
                found.roles.push(role);
                used.insert(session.name);
            }
            Err(why) => found.stay.push(format!("Profile {} stays as it is: {why}.", profile.name)),
        }
    }
    let needed = sessions.new.into_iter().filter(|session| used.contains(&session.name));
    found.changes.splice(0..0, needed.map(Change::Session));
    found
}

/// The sessions of a file, and those that are about to be written.
pub(super) struct Sessions {
    names: HashSet<String>,
    known: Vec<Session>,
    new: Vec<Session>,
}

impl Sessions {
    pub(super) fn of(config: &Config) -> Self {
        let blocks = config.sessions();
        let known = blocks.iter().filter_map(|block| resolve::session_of(block).ok()).collect();
        Self { names: blocks.iter().map(|block| block.name.to_string()).collect(), known, new: Vec::new() }
    }

    /// The session by a block: the one of this portal that is there, or about to be; else a new one, called by its address.
    pub(super) fn with_block(&mut self, session: &Session) -> Session {
        if let Some(known) = self.known.iter().chain(&self.new).find(|known| known.is_same_portal(session)) {
            return known.clone();
        }
        let base = start_url::session_name(&session.start_url);
        let numbered = (2..1000).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.names.contains(name)).unwrap_or(base);
        self.names.insert(name.clone());
        let start_url = start_url::clean(&session.start_url).unwrap_or_else(|_| session.start_url.clone());
        let new = Session { name, start_url, region: session.region.clone(), scopes: vec![portal::ACCOUNT_ACCESS.to_owned()] };
        self.new.push(new.clone());
        new
    }
}
