//! What is known of the user's accounts and roles without a network.

use std::collections::{BTreeMap, HashMap};

use time::OffsetDateTime;

use crate::command::roles;
use crate::context::Context;
use crate::error::Result;
use crate::profile::index::ProfileIndex;
use crate::profile::names::AccountId;
use crate::profile::replacement::{self, Candidate, KeyUse, Replacement};
use crate::profile::resolve::{self, RoleTarget};
use crate::profile::{Block, Config};

/// What is known of the user's roles.
#[derive(Default)]
pub(super) struct Known {
    pub(super) listed: Vec<Candidate>,
    targets: Vec<RoleTarget>,
    uses: BTreeMap<String, f64>,
    regions: HashMap<String, String>,
    /// Whether there is a session, whose roles may not be listed yet.
    pub(super) has_session: bool,
}

impl Known {
    /// Reads the AWS files and the history.
    pub(super) fn read(context: &Context, now: OffsetDateTime) -> Self {
        // The search itself reports a file that can't be read.
        let Ok(config) = Config::read(&context.env) else { return Self::default() };
        let sessions = resolve::sessions(&config);
        let history = context.history();
        let region = |profile: &Block<'_>| Some((profile.name.to_string(), profile.text("region")?.to_owned()));
        Self {
            listed: history.candidates(&sessions),
            targets: ProfileIndex::new(&config, &context.env).targets(),
            uses: history.uses(now),
            regions: config.profiles().iter().filter_map(region).collect(),
            has_session: !sessions.is_empty(),
        }
    }

    /// As [`Known::read`]. If no portal has listed roles yet, they are asked.
    ///
    /// # Errors
    /// Those of a listing, such as that sign-in is required.
    pub(super) fn listed(context: &Context, now: OffsetDateTime) -> Result<Self> {
        let known = Self::read(context, now);
        if !known.listed.is_empty() {
            return Ok(known);
        }
        for session in resolve::sessions(&Config::read(&context.env)?) {
            roles::all(context, &session, &context.broker(&session, None)?)?;
        }
        Ok(Self::read(context, now))
    }

    pub(super) fn reaches(&self, account: &AccountId) -> bool {
        self.of(account).next().is_some()
    }

    pub(super) fn of(&self, account: &AccountId) -> impl Iterator<Item = &Candidate> {
        self.listed.iter().filter(move |candidate| candidate.role.account == *account)
    }

    /// The roles that can replace a key of this account and profile, the best first.
    pub(super) fn replacements(&self, account: &AccountId, profile: Option<&str>) -> Vec<Replacement> {
        let region = profile.and_then(|profile| self.regions.get(profile)).map(String::as_str);
        replacement::rank(account, KeyUse { profile, region }, &self.listed, &self.targets, &self.uses)
    }
}
