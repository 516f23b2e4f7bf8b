//! Where profiles lead, for questions about all of them at once: thousands are read in one pass. Touches nothing but a [`Config`] that
//! was read.

use std::collections::HashMap;

use super::names::{AccountId, RoleName, Session};
use super::resolve::{self, Account, Asked, Means};
use super::{Block, Config};
use crate::env::Env;

/// The role that a profile leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Role {
    /// The account.
    pub account: AccountId,
    /// The role in it.
    pub role: RoleName,
}

/// The sessions of a file, ready to be asked about its profiles.
pub struct Leads<'c> {
    config: &'c Config,
    env: &'c Env,
    sessions: HashMap<String, Session>,
}

impl<'c> Leads<'c> {
    /// Reads the sessions.
    pub fn new(config: &'c Config, env: &'c Env) -> Self {
        let sessions = config.sessions();
        let sessions = sessions.iter().filter_map(|block| Some((block.name.to_string(), resolve::session_of(block).ok()?)));
        Self { sessions: sessions.collect(), config, env }
    }

    /// Where a profile leads; None where it leads nowhere, contradicts itself, or names its account in words.
    pub fn of(&self, profile: &Block<'_>) -> Option<(Session, Role)> {
        let said = match resolve::means(profile) {
            Means::Native => return self.native(profile),
            Means::Legacy => {
                let session = resolve::legacy_session(profile)?;
                return Some((session, role(profile.text("sso_account_id")?, profile.text("sso_role_name")?)?));
            }
            Means::Helper(said) => said,
            Means::Other(..) | Means::Nothing => return None,
        };
        if let Asked { profile: None, session: Some(name), start_url: None, sso_region: None, account, role: named, .. } = &*said {
            return Some((self.sessions.get(name)?.clone(), role(account.as_deref()?, named.as_deref()?)?));
        }
        // A helper that names another profile, or an address: the long way.
        let asked = Asked { profile: Some(profile.name.to_string()), ..Asked::default() };
        let target = resolve::target_in(self.config, self.env, &asked).ok()?;
        match target.account {
            Account::Id(account) => Some((target.session, Role { account, role: target.role })),
            Account::Name(_) => None,
        }
    }

    fn native(&self, profile: &Block<'_>) -> Option<(Session, Role)> {
        let session = self.sessions.get(profile.text("sso_session")?)?;
        let agrees = |key, its: &str| profile.text(key).is_none_or(|own| own == its);
        let fits = agrees("sso_start_url", &session.start_url) && agrees("sso_region", &session.region);
        let role = role(profile.text("sso_account_id")?, profile.text("sso_role_name")?)?;
        fits.then(|| (session.clone(), role))
    }
}

fn role(account: &str, role: &str) -> Option<Role> {
    Some(Role { account: AccountId::new(account)?, role: RoleName::new(role).ok()? })
}
