//! `--convert`: turns profiles with the SDKs' own `sso_*` keys, and those of other tools, into daypass profiles of the same name.

use std::collections::HashSet;

use super::flags::AssumeFlags;
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::chain::AssumedRole;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::Session;
use crate::profile::other_tools::{self, OtherTool, ToolRole};
use crate::profile::precedence::Precedence;
use crate::profile::resolve::{self, CredentialSource, RoleTarget};
use crate::profile::{Block, Config, helper, start_url};
use crate::sys::env::Env;

/// The profiles that can be converted, and those that cannot.
#[derive(Debug, Default)]
pub(super) struct Conversion {
    /// The names of the profiles.
    pub(super) names: Vec<String>,
    /// The roles that they refer to.
    pub(super) roles: Vec<AccountRole>,
    /// A change for each name, after those for new sessions that they need.
    pub(super) changes: Vec<Change>,
    /// Why others are left alone, a sentence each.
    pub(super) skipped: Vec<String>,
    /// The profiles of other tools whose role or portal the config file does not contain, and what is missing, as a clause.
    pub(super) unknown: Vec<(String, String)>,
}

/// The conversion of all profiles of other tools that match, and with `native` of those with the SDKs' own keys. Their other keys are
/// kept. `planned`: a session whose block is about to be written.
pub(super) fn conversion(
    precedence: &Precedence<'_>,
    env: &Env,
    program: &str,
    planned: Option<&Session>,
    native: bool,
    matches: impl Fn(&str, &Session, &AccountRole) -> bool,
) -> Conversion {
    let config = precedence.config;
    let index = ProfileIndex::new(config, env);
    let mut found = Conversion::default();
    let mut sessions = Sessions::of(config);
    sessions.known.extend(planned.cloned());
    sessions.names.extend(planned.map(|session| session.name.clone()));
    // Some tools keep the portal in a file of their own.
    let only = match sessions.known.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let mut used = HashSet::new();
    for profile in precedence.profiles() {
        let kind = resolve::credential_source(profile);
        let tool = other_tools::of(config, profile);
        let (session, role) = match &tool {
            Some(OtherTool { role: Some(ToolRole { account, role, session }), tool, .. }) => {
                let role = AccountRole { account: account.clone(), role: role.clone() };
                let Some(session) = session.clone().or_else(|| only.clone()) else {
                    let lacks = format!("the portal of its {tool} line is not known");
                    found.unknown.push((profile.name.to_string(), lacks));
                    continue;
                };
                (session, role)
            }
            Some(OtherTool { role: None, tool, .. }) => {
                let lacks = format!("its role is known to {tool} only");
                found.unknown.push((profile.name.to_string(), lacks));
                continue;
            }
            None if native && matches!(kind, CredentialSource::Native | CredentialSource::Legacy) => {
                let Some(found) = index.role_of(profile) else { continue };
                found
            }
            None => continue,
        };
        if !matches(&profile.name, &session, &role) {
            continue;
        }
        let usable = sessions.names.contains(&session.name) && helper::is_argument(&session.name);
        let session = if usable { session } else { sessions.with_block(&session) };
        let change = helper::line(program, &session.name, &role.account, &role.role)
            .map(|line| change(&profile.name, line + &helper::agent_flags(profile), tool.as_ref()))
            .map_err(|error| error.what);
        let change = change.and_then(|change| edit::other_source(precedence, profile, &change).map_or(Ok(change), Err));
        match change {
            Ok(change) => {
                found.names.push(profile.name.to_string());
                found.changes.push(change);
                found.roles.push(role);
                used.insert(session.name);
            }
            Err(why) => found.skipped.push(format!("Profile {} is left alone: {why}.", profile.name)),
        }
    }
    let needed = sessions.new.into_iter().filter(|session| used.contains(&session.name));
    found.changes.splice(0..0, needed.map(Change::Session));
    found
}

/// The change that makes a profile call daypass instead of another tool.
pub(super) fn change(profile: &str, line: String, tool: Option<&OtherTool>) -> Change {
    let mut change = Change::helper(profile, line, Vec::new());
    if let (Some(tool), Change::Profile { remove, .. }) = (tool, &mut change) {
        remove.push("credential_process".to_owned());
        remove.extend(tool.keys.iter().cloned());
    }
    change
}

/// Adds the conversion of profiles that assume a role with the credentials of a daypass, native or legacy profile. Their other keys are
/// kept.
pub(super) fn add_chains(
    found: &mut Conversion,
    precedence: &Precedence<'_>,
    env: &Env,
    program: &str,
    matches: impl Fn(&str, &Session) -> bool,
) {
    let index = ProfileIndex::new(precedence.config, env);
    for profile in precedence.profiles() {
        let CredentialSource::Assumes(source) = resolve::credential_source(profile) else { continue };
        let Some(target) = index.target(profile) else { continue };
        let Some(role) = target.chain.last().filter(|_| matches(&profile.name, &target.session)) else { continue };
        match chained(precedence, program, profile, &source, &target, role) {
            Ok(change) => {
                found.names.push(profile.name.to_string());
                found.changes.push(change);
            }
            Err(error) => found.skipped.push(format!("Profile {} is left alone: {}.", profile.name, error.what)),
        }
    }
}

/// The change that makes a profile assume its role inside daypass.
fn chained(
    precedence: &Precedence<'_>,
    program: &str,
    profile: &Block<'_>,
    source: &str,
    target: &RoleTarget,
    role: &AssumedRole,
) -> Result<Change> {
    let assume = AssumeFlags::of(role).request().unwrap_or_default();
    let (session, account) = (&*target.session.name, target.account.to_string());
    let role = [("--account", &*account), ("--role", target.role.as_str())];
    let portal: &[(&str, &str)] = match (precedence.session(session), target.chain.len(), *profile.name == *source) {
        (Some(_), 1, _) | (Some(_), _, true) => &[("--session", session)],
        (None, _, true) => &[("--start-url", &target.session.start_url), ("--sso-region", &target.session.region)],
        (_, _, false) => &[("--profile", source)],
    };
    let is_source = portal.first().is_some_and(|(flag, _)| *flag == "--profile");
    let base: Vec<_> = portal.iter().copied().chain(role.into_iter().filter(|_| !is_source)).collect();
    let line = helper::chained_line(program, &base, &assume)?;
    let change = Change::chained(&profile.name, line);
    match edit::other_source(precedence, profile, &change) {
        Some(why) => Err(Error::usage(why, "daypass doctor")),
        None => Ok(change),
    }
}

/// The sessions of a config file, and those about to be written.
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

    /// The session of this portal that has a block, or is about to get one, of a name that a helper's command line can contain; else a new
    /// one, named after its start URL.
    pub(super) fn with_block(&mut self, session: &Session) -> Session {
        if let Some(known) =
            self.known.iter().chain(&self.new).find(|known| known.is_same_portal(session) && helper::is_argument(&known.name))
        {
            return known.clone();
        }
        let base = start_url::session_name(&session.start_url);
        let numbered = (2..1000).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.names.contains(name)).unwrap_or(base);
        self.names.insert(name.clone());
        let start_url = start_url::clean(&session.start_url).unwrap_or_else(|_| session.start_url.clone());
        let new = Session { name, start_url, region: session.region.clone(), scopes: portal::scopes_of(session) };
        self.new.push(new.clone());
        new
    }
}
