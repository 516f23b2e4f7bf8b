//! Resolves all profiles to their roles in one pass. Touches nothing but a [`Config`] that was read.

use std::collections::HashMap;

use super::config::{Block, Config};
use super::names::{AccountId, RoleName, Session};
use super::request::{Account, AgentRule, RoleRequest};
use super::resolve::{self, CredentialSource, RoleTarget};
use crate::sys::env::Env;

/// A role in an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountRole {
    /// The account.
    pub account: AccountId,
    /// The role in it.
    pub role: RoleName,
}

/// The sessions of a configuration, by which its profiles are resolved.
pub struct ProfileIndex<'c> {
    config: &'c Config,
    env: &'c Env,
    /// In file order.
    blocks: Vec<Session>,
    sessions: HashMap<String, Session>,
}

impl<'c> ProfileIndex<'c> {
    /// Resolves the sessions.
    pub fn new(config: &'c Config, env: &'c Env) -> Self {
        let blocks = resolve::session_blocks(config);
        let sessions = blocks.iter().map(|session| (session.name.clone(), session.clone()));
        Self { sessions: sessions.collect(), blocks, config, env }
    }

    /// The same role as [`resolve::target_in`] gives for a profile; None if the profile has none or contradicts itself.
    pub fn target(&self, profile: &Block<'_>) -> Option<RoleTarget> {
        let text = |key| profile.text(key).map(str::to_owned);
        // Only daypass's own command line may contain an account's name.
        let id = || text("sso_account_id").filter(|id| AccountId::new(id).is_some());
        let own_rule = || (text("daypass_agents"), text("daypass_agent_role"));
        let (session, account, role, region, (agents, agent_role)) = match resolve::credential_source(profile) {
            CredentialSource::Native => (self.native(profile)?, id()?, text("sso_role_name")?, None, own_rule()),
            CredentialSource::Legacy => {
                (resolve::legacy_session(&self.blocks, profile)?, id()?, text("sso_role_name")?, None, own_rule())
            }
            CredentialSource::Helper(request) => {
                let RoleRequest {
                    profile: None,
                    named_by: _,
                    session: Some(name),
                    start_url: None,
                    sso_region: None,
                    scopes: None,
                    account,
                    role,
                    region,
                    assume: None,
                    agents,
                    agent_role,
                } = *request
                else {
                    // It refers to another profile or an address, or assumes a role.
                    return self.resolved(profile);
                };
                (self.sessions.get(&name)?.clone(), account?, role?, region, (agents, agent_role))
            }
            CredentialSource::Assumes(_) => return self.resolved(profile),
            CredentialSource::Other(..) | CredentialSource::Nothing => return None,
        };
        Some(RoleTarget {
            session,
            account: Account::new(&account).ok()?,
            role: RoleName::new(&role).ok()?,
            region: text("region").or(region),
            profile: Some(profile.name.to_string()),
            overridden: false,
            chain: Vec::new(),
            via: String::new(),
            agents: AgentRule::new(agents.as_deref(), agent_role.as_deref()).ok()?,
        })
    }

    /// The role, by a full resolution.
    fn resolved(&self, profile: &Block<'_>) -> Option<RoleTarget> {
        let request = RoleRequest { profile: Some(profile.name.to_string()), ..RoleRequest::default() };
        resolve::target_in(self.config, self.env, &request).ok()
    }

    /// The roles of all profiles, in file order.
    pub fn targets(&self) -> Vec<RoleTarget> {
        self.config.profiles().iter().filter_map(|profile| self.target(profile)).collect()
    }

    /// The session and role of a profile; None also if its account is given by name, or if it assumes another role.
    pub fn role_of(&self, profile: &Block<'_>) -> Option<(Session, AccountRole)> {
        let RoleTarget { session, account, role, chain, .. } = self.target(profile)?;
        match account {
            Account::Id(account) if chain.is_empty() => Some((session, AccountRole { account, role })),
            _ => None,
        }
    }

    fn native(&self, profile: &Block<'_>) -> Option<Session> {
        let session = self.sessions.get(profile.text("sso_session")?)?;
        let agrees = |key, its: &str| profile.text(key).is_none_or(|own| own == its);
        let fits = agrees("sso_start_url", &session.start_url) && agrees("sso_region", &session.region);
        fits.then(|| session.clone())
    }
}
