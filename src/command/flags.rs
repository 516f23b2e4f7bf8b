//! Flags and arguments that several commands share.

use std::time::Duration;

use clap::Args;

use crate::profile::chain::{AssumedRole, MAX_DURATION, Policy};
use crate::profile::request::{AssumeRequest, NamedBy, RoleRequest};
use crate::profile::start_url;
use crate::text;

/// The heading of the flags for a role that no profile describes.
const WITHOUT_PROFILE: &str = "Without a profile";
/// The heading of the flags for a portal that no session block describes.
const WITHOUT_SESSION: &str = "Without a session block";

/// A session, given by flags.
#[derive(Debug, Default, Clone, Args)]
pub struct SessionFlags {
    /// [sso-session NAME] block in ~/.aws/config
    #[arg(long = "session", value_name = "NAME")]
    pub session: Option<String>,
    /// Start URL of the access portal, such as https://corp.awsapps.com/start
    #[arg(long, value_name = "URL", help_heading = WITHOUT_SESSION)]
    pub start_url: Option<String>,
    /// Region of IAM Identity Center
    #[arg(long, value_name = "REGION", help_heading = WITHOUT_SESSION)]
    pub sso_region: Option<String>,
    /// Registration scopes, comma-separated [default: sso:account:access]
    #[arg(long, value_name = "LIST", help_heading = WITHOUT_SESSION)]
    pub scopes: Option<String>,
}

/// A session, given by an argument or flags.
#[derive(Debug, Clone, Args)]
pub struct SessionArgs {
    /// Session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session, given by flags.
    #[command(flatten)]
    pub flags: SessionFlags,
}

/// A session, given by an argument, flags or a profile.
#[derive(Debug, Clone, Args)]
pub struct SessionOrProfileArgs {
    /// Session, or a profile that uses it [default: that of $AWS_PROFILE, or the only one]
    #[arg(value_name = "SESSION|PROFILE", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session, given by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Use the session of this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "session"])]
    pub profile: Option<String>,
}

/// A role, given by flags: a profile, or session, account and role.
#[derive(Debug, Default, Clone, Args)]
pub struct RoleFlags {
    /// Profile [default: $AWS_PROFILE, then default]
    #[arg(long = "profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// Region to use
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The session and its settings.
    #[command(flatten, next_help_heading = WITHOUT_PROFILE)]
    pub session: SessionFlags,
    /// Account ID (12 digits) or name
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// Role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// A role to assume with its credentials. The command's own flags follow it.
    #[command(flatten, next_help_heading = None)]
    pub assume: AssumeFlags,
}

/// The heading of the flags for a role to assume.
const CHAINING: &str = "Role chaining";

/// A role to assume, given by flags.
#[derive(Debug, Default, Clone, Args)]
pub struct AssumeFlags {
    /// Role to assume with these credentials
    #[arg(long, value_name = "ARN", help_heading = CHAINING)]
    pub assume_role: Option<String>,
    /// Session name, which CloudTrail shows [default: that of your own session]
    #[arg(long, value_name = "NAME", requires = "assume_role", help_heading = CHAINING)]
    pub role_session_name: Option<String>,
    /// External ID that the role requires
    #[arg(long, value_name = "ID", requires = "assume_role", help_heading = CHAINING)]
    pub external_id: Option<String>,
    /// How long the credentials are valid, such as 900 (seconds) or 30m [default and maximum: 1h]
    #[arg(long, value_name = "TIME", requires = "assume_role", help_heading = CHAINING)]
    pub duration: Option<String>,
    /// Limit the session: read-only, the ARN of a managed policy, or a file
    #[arg(long, value_name = "POLICY", requires = "assume_role", help_heading = CHAINING)]
    pub policy: Option<String>,
    /// Source identity, which CloudTrail shows; roles assumed from this one keep it
    #[arg(long, value_name = "NAME", requires = "assume_role", help_heading = CHAINING)]
    pub source_identity: Option<String>,
}

impl AssumeFlags {
    /// The flags as they are typed.
    pub fn words(&self) -> Vec<String> {
        let Self { assume_role, role_session_name, external_id, duration, policy, source_identity } = self;
        typed(&[
            ("--assume-role", assume_role),
            ("--role-session-name", role_session_name),
            ("--external-id", external_id),
            ("--duration", duration),
            ("--policy", policy),
            ("--source-identity", source_identity),
        ])
    }

    /// The flags that assume this role.
    pub fn of(role: &AssumedRole) -> Self {
        let policy = role.policy.as_ref().map(|policy| match policy {
            Policy::Arn(arn) => arn.clone(),
            Policy::File(path) => path.to_string_lossy().into_owned(),
        });
        Self {
            assume_role: Some(role.arn.to_string()),
            role_session_name: role.session_name.clone(),
            external_id: role.external_id.clone(),
            duration: role.duration.map(|duration| duration.min(MAX_DURATION).as_secs().to_string()),
            policy,
            source_identity: role.source_identity.clone(),
        }
    }

    /// The request; None without a role.
    pub fn request(self) -> Option<AssumeRequest> {
        let Self { assume_role, role_session_name, external_id, duration, policy, source_identity } = self;
        assume_role.map(|role_arn| AssumeRequest {
            role_arn,
            session_name: role_session_name,
            external_id,
            duration,
            policy,
            source_identity,
        })
    }
}

/// A role, given by an argument or flags.
#[derive(Debug, Clone, Args)]
pub struct RoleArgs {
    /// Profile [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub name: Option<String>,
    /// The role, given by flags.
    #[command(flatten)]
    pub flags: RoleFlags,
}

impl SessionFlags {
    /// The flags as they are typed.
    pub fn words(&self) -> Vec<String> {
        let Self { session, start_url, sso_region, scopes } = self;
        typed(&[("--session", session), ("--start-url", start_url), ("--sso-region", sso_region), ("--scopes", scopes)])
    }
}

impl RoleArgs {
    /// The arguments as they are typed.
    pub fn words(&self) -> Vec<String> {
        let RoleFlags { profile, session, account, role, region, assume } = &self.flags;
        let flags = typed(&[("--account", account), ("--role", role), ("--region", region)]);
        let base = self.name.iter().cloned().chain(typed(&[("--profile", profile)])).chain(session.words()).chain(flags);
        base.chain(assume.words()).collect()
    }
}

fn typed(flags: &[(&str, &Option<String>)]) -> Vec<String> {
    flags.iter().filter_map(|(flag, value)| value.as_ref().map(|value| [(*flag).to_owned(), value.clone()])).flatten().collect()
}

fn named_by(flag: Option<&String>) -> NamedBy {
    if flag.is_some() { NamedBy::Flag } else { NamedBy::Argument }
}

impl From<SessionFlags> for RoleRequest {
    fn from(flags: SessionFlags) -> Self {
        let SessionFlags { session, start_url, sso_region, scopes } = flags;
        // The service knows a portal by its address only. Other addresses are taken as they are: a sign-in is stored by its address.
        let whole = |typed: String| if typed.contains("://") { typed } else { start_url::clean(&typed).unwrap_or(typed) };
        let start_url = start_url.map(whole);
        Self { session, start_url, sso_region, scopes, ..Self::default() }
    }
}

impl From<SessionArgs> for RoleRequest {
    fn from(SessionArgs { name, flags }: SessionArgs) -> Self {
        SessionFlags { session: flags.session.or(name), ..flags }.into()
    }
}

impl From<SessionOrProfileArgs> for RoleRequest {
    fn from(SessionOrProfileArgs { name, session, profile }: SessionOrProfileArgs) -> Self {
        Self { named_by: named_by(profile.as_ref()), profile, ..SessionArgs { name, flags: session }.into() }
    }
}

impl From<RoleFlags> for RoleRequest {
    fn from(flags: RoleFlags) -> Self {
        let RoleFlags { profile, session, account, role, region, assume } = flags;
        let (named_by, assume) = (named_by(profile.as_ref()), assume.request().map(Box::new));
        Self { profile, named_by, account, role, region, assume, ..session.into() }
    }
}

impl From<RoleArgs> for RoleRequest {
    fn from(RoleArgs { name, flags }: RoleArgs) -> Self {
        let named_by = named_by(flags.profile.as_ref());
        Self { named_by, ..RoleFlags { profile: flags.profile.or(name), ..flags }.into() }
    }
}

impl RoleArgs {
    /// The profile that was named.
    pub fn profile(&self) -> Option<&str> {
        self.name.as_deref().or(self.flags.profile.as_deref())
    }

    /// Whether the arguments alone determine the role.
    pub fn is_complete(&self) -> bool {
        self.profile().is_some() || self.flags.account.is_some() && self.flags.role.is_some()
    }
}

/// Parses `90`, `90s`, `30m`, `8h`, `2d`: a number of seconds, or of the given unit.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    text::duration(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86400)])
        .ok_or_else(|| "expected a number with s, m, h or d, such as 30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_may_have_a_unit() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("8h"), Ok(Duration::from_hours(8)));
        for bad in ["", "h", "1w", "-1m", "1.5h", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
