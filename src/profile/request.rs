//! Unchecked requests for role credentials, from flags, arguments or a helper's command line. Touches nothing.

use std::fmt;

use super::names::{AccountId, RoleName};
use crate::error::{Error, Result};

/// What names a profile, for messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NamedBy {
    /// The argument PROFILE, or nothing: then it is `default`.
    #[default]
    Argument,
    /// `--profile`
    Flag,
    /// This environment variable.
    Variable(&'static str),
}

/// `(from AWS_PROFILE)` and the like, after a blank. Empty for an argument, which the user has just typed.
impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => Ok(()),
            Self::Flag => f.write_str(" (from --profile)"),
            Self::Variable(name) => write!(f, " (from {name})"),
        }
    }
}

/// The flags and arguments of a request, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleRequest {
    /// `--profile`, or the argument PROFILE.
    pub profile: Option<String>,
    /// What named that profile.
    pub named_by: NamedBy,
    /// `--session`, or the argument SESSION.
    pub session: Option<String>,
    /// `--start-url`
    pub start_url: Option<String>,
    /// `--sso-region`
    pub sso_region: Option<String>,
    /// `--scopes`, comma-separated.
    pub scopes: Option<String>,
    /// `--account`: twelve digits, or a name.
    pub account: Option<String>,
    /// `--role`
    pub role: Option<String>,
    /// `--region`, for the user's own calls.
    pub region: Option<String>,
    /// `--assume-role` and the flags that belong to it.
    pub assume: Option<Box<AssumeRequest>>,
    /// `--agents`, or `daypass_agents`: `allow` or `deny`.
    pub agents: Option<String>,
    /// `--agent-role`, or `daypass_agent_role`.
    pub agent_role: Option<String>,
}

/// What a profile allows coding agents. It keeps them from mistakes; it is no protection against a program that wants the credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AgentRule {
    /// What `DAYPASS_AGENTS` says; without it, everything.
    #[default]
    Unset,
    /// Everything, whatever `DAYPASS_AGENTS` says.
    Allow,
    /// Nothing.
    Deny,
    /// The credentials of this role in the same account.
    Role(RoleName),
}

impl AgentRule {
    /// # Errors
    /// `agents` is neither `allow` nor `deny`, or the role's name is invalid.
    pub fn new(agents: Option<&str>, role: Option<&str>) -> Result<Self> {
        match (agents, role) {
            (_, Some(role)) => Ok(Self::Role(RoleName::new(role)?)),
            (None, None) => Ok(Self::Unset),
            (Some("allow"), None) => Ok(Self::Allow),
            (Some("deny"), None) => Ok(Self::Deny),
            (Some(other), None) => Err(Error::usage(
                format!("\"{other}\" is no rule for agents: it is allow or deny"),
                "daypass configure --agents deny",
            )),
        }
    }
}

/// A role to assume on top of the requested one, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssumeRequest {
    /// `--assume-role`
    pub role_arn: String,
    /// `--role-session-name`
    pub session_name: Option<String>,
    /// `--external-id`
    pub external_id: Option<String>,
    /// `--duration`
    pub duration: Option<String>,
    /// `--policy`: `read-only`, an ARN or a file.
    pub policy: Option<String>,
    /// `--source-identity`
    pub source_identity: Option<String>,
}

impl RoleRequest {
    /// Whether it identifies the credentials without a profile.
    pub(super) fn is_complete(&self) -> bool {
        self.account.is_some() && self.role.is_some() && (self.session.is_some() || self.has_portal())
    }

    pub(super) fn has_portal(&self) -> bool {
        self.start_url.is_some() && self.sso_region.is_some()
    }

    /// The same; without a profile with that of the environment, from [`crate::sys::env::Env::profile_variable`].
    pub fn or_profile_of(self, variable: Option<(&'static str, &str)>) -> Self {
        match variable {
            Some((variable, name)) if self.profile.is_none() => {
                Self { profile: Some(name.to_owned()), named_by: NamedBy::Variable(variable), ..self }
            }
            _ => self,
        }
    }

    /// Takes from `other` what `self` does not set.
    pub(super) fn or(self, other: Self) -> Self {
        // Session and address belong together: half of each would be a third portal.
        let names_portal = self.session.is_some() || self.start_url.is_some();
        let portal = if names_portal { Self::default() } else { other.clone() };
        Self {
            profile: other.profile,
            named_by: other.named_by,
            session: self.session.or(portal.session),
            start_url: self.start_url.or(portal.start_url),
            sso_region: self.sso_region.or(portal.sso_region),
            scopes: self.scopes.or(portal.scopes),
            account: self.account.or(other.account),
            role: self.role.or(other.role),
            region: self.region.or(other.region),
            assume: self.assume,
            agents: self.agents.or(other.agents),
            agent_role: self.agent_role.or(other.agent_role),
        }
    }
}

/// An account by ID or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Its ID.
    Id(AccountId),
    /// Its name, which only the portal can resolve to an ID.
    Name(String),
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id(id) => id.as_str(),
            Self::Name(name) => name,
        })
    }
}

impl Account {
    /// # Errors
    /// The text is empty, or a number that is not an account ID.
    pub fn new(text: &str) -> Result<Self> {
        if let Some(id) = AccountId::new(text) {
            return Ok(Self::Id(id));
        }
        if text.trim().is_empty() || text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            let what = format!("\"{text}\" is not an account ID, which has 12 digits");
            return Err(Error::usage(what, "daypass list"));
        }
        Ok(Self::Name(text.to_owned()))
    }
}
