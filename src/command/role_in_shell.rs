//! A role in the user's shell: its variables, the line that confirms it, and a shell of its own.

use super::{extras, note_use, region_of, shown_name_of};
use crate::context::Context;
use crate::credentials::RoleCredentials;
use crate::error::Result;
use crate::output;
use crate::output::export::{self, Name, Variable};
use crate::profile::Config;
use crate::profile::names::AccountId;
use crate::profile::precedence::{Kind, Precedence, Sdk};
use crate::profile::request::Account;
use crate::profile::resolve::{self, CredentialSource, RoleTarget};
use crate::sys::{child, clock};
use crate::text;

/// A role with its credentials.
pub(super) struct Role<'a> {
    pub(super) target: &'a RoleTarget,
    pub(super) account: AccountId,
    pub(super) credentials: RoleCredentials,
    /// `--region`
    pub(super) region: Option<&'a str>,
}

/// The variables to set for a role, and those to clear.
pub(super) struct Variables {
    pub(super) set: Vec<Variable>,
    pub(super) cleared: Vec<Name>,
    /// Whether AWS tools renew the credentials, because only the profile is named.
    renews: bool,
}

impl Role<'_> {
    /// The name for people.
    pub(super) fn name(&self, context: &Context) -> String {
        shown_name_of(context, self.target)
    }

    /// The variables with the keys of the role. This counts as a use.
    pub(super) fn keys(&self, context: &Context) -> Variables {
        let name = self.name(context);
        let extras = extras(context, self.target, &name, self.region);
        note_use(context, self.target, &Account::Id(self.account.clone()), extras.region());
        let set = export::variables(&self.credentials, &self.account, extras);
        let cleared = export::cleared(&set, context.env.our_settings()).into_iter().chain(of_other_tools(context)).collect();
        Variables { set, cleared, renews: false }
    }

    /// The variables that name the profile, if every AWS tool then gets this role from it; else those with the keys. This counts as a use.
    pub(super) fn profile_or_keys(&self, context: &Context) -> Variables {
        self.profile(context).unwrap_or_else(|| self.keys(context))
    }

    fn profile(&self, context: &Context) -> Option<Variables> {
        let config = Config::read(&context.env).ok()?;
        let profile = self.target.profile.as_deref().filter(|_| !self.target.overridden)?;
        let own = config.profile(profile)?.text("region").map(str::to_owned);
        let region = region_of(context, self.target, self.region);
        let used = region.as_ref().map(|(region, _)| (*region).to_owned());
        // Tools read the profile's settings themselves, so only another region than its own is set.
        let region = region.filter(|_| used != own || self.region.is_some());
        let extras = export::Extras { name: profile, region, settings: Vec::new() };
        let set = export::profile_variables(profile, extras);
        let cleared = export::cleared_for_profile(&set, context.env.our_settings());
        if !is_role_of_profile(context, &config, self.target, &set, &cleared) {
            return None;
        }
        note_use(context, self.target, &Account::Id(self.account.clone()), used.as_deref());
        Some(Variables { set, cleared: cleared.into_iter().chain(of_other_tools(context)).collect(), renews: true })
    }

    /// One line that tells a person what a shell now uses.
    pub(super) fn confirmation(&self, context: &Context, variables: &Variables) -> String {
        let name = context.history().account_name(&self.target.session, &self.account);
        let account = name.unwrap_or_else(|| self.account.to_string());
        let profile = self.target.profile.as_ref().filter(|_| !self.target.overridden);
        let profile = profile.map(|profile| format!("{profile}: ")).unwrap_or_default();
        let region = region_of(context, self.target, self.region).map_or("no region", |(region, _)| region);
        let left = output::left(self.credentials.expires_by_local_clock(), clock::now());
        let then = if variables.renews { ", then renewed" } else { " left" };
        text::clean(&format!("{profile}{account}, {}, {region}, {left}{then}", self.target.final_role())).into_owned()
    }

    /// Replaces this process by the user's shell, with the keys of the role.
    pub(super) fn start_shell(&self, context: &Context) -> Result<u8> {
        let left = output::left(self.credentials.expires_by_local_clock(), clock::now());
        context.tell(&format!(
            "Started a shell with credentials for {} (valid for {left}). Type 'exit' to leave.",
            self.name(context)
        ));
        let Variables { set, cleared, .. } = self.keys(context);
        child::run(&[context.env.shell_program().into()], &set, &cleared)
    }
}

/// Whether every AWS SDK gets this role from the profile if these variables are set and those cleared. Profiles with the SDKs' own
/// single sign-on don't count: they need a sign-in of the AWS CLI.
fn is_role_of_profile(context: &Context, config: &Config, target: &RoleTarget, set: &[Variable], cleared: &[Name]) -> bool {
    let set = set.iter().map(|(name, value)| (&**name, value.as_str()));
    let env = context.env.changed(set, cleared.iter().map(|name| &**name));
    let precedence = Precedence::new(config);
    let by_sdk = |sdk: &Sdk| match precedence.ranking(*sdk, &env, None).used.kind {
        Kind::Daypass => true,
        Kind::AssumeRole => target.profile.as_deref().is_some_and(|profile| is_based_on_daypass(config, profile)),
        _ => false,
    };
    Sdk::ALL.iter().all(by_sdk)
}

/// Whether a profile that assumes a role does so with the credentials of a profile that calls daypass.
fn is_based_on_daypass(config: &Config, profile: &str) -> bool {
    let mut name = profile.to_owned();
    // More than any resolved chain has.
    for _ in 0..16 {
        let Some(block) = config.profile(&name) else { return false };
        match resolve::credential_source(&block) {
            CredentialSource::Helper(_) => return true,
            CredentialSource::Assumes(source) if source != name => name = source,
            _ => return false,
        }
    }
    false
}

/// The names and expiries that other tools set for the credentials that are replaced.
fn of_other_tools(context: &Context) -> impl Iterator<Item = Name> {
    export::of_other_tools(|name| context.env.aws(name).is_some())
}
