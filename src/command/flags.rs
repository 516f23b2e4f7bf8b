//! Flags and arguments that several commands share.

use clap::Args;

use crate::profile::request::RoleRequest;

/// A session, given by flags.
#[derive(Debug, Default, Clone, Args)]
pub struct SessionFlags {
    /// [sso-session NAME] block in ~/.aws/config
    #[arg(long = "session", value_name = "NAME")]
    pub session: Option<String>,
    /// Start URL of the access portal, such as https://corp.awsapps.com/start
    #[arg(long, value_name = "URL")]
    pub start_url: Option<String>,
    /// Region of IAM Identity Center
    #[arg(long, value_name = "REGION")]
    pub sso_region: Option<String>,
    /// Registration scopes, comma-separated [default: sso:account:access]
    #[arg(long, value_name = "LIST")]
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
    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,
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
    /// The session and its settings.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Account ID (12 digits) or name
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// Role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// Region to use
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
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
        let RoleFlags { profile, session, account, role, region } = &self.flags;
        let flags = typed(&[("--account", account), ("--role", role), ("--region", region)]);
        self.name.iter().cloned().chain(typed(&[("--profile", profile)])).chain(session.words()).chain(flags).collect()
    }
}

fn typed(flags: &[(&str, &Option<String>)]) -> Vec<String> {
    flags.iter().filter_map(|(flag, value)| value.as_ref().map(|value| [(*flag).to_owned(), value.clone()])).flatten().collect()
}

impl From<SessionFlags> for RoleRequest {
    fn from(flags: SessionFlags) -> Self {
        let SessionFlags { session, start_url, sso_region, scopes } = flags;
        Self { session, start_url, sso_region, scopes, ..Self::default() }
    }
}

impl From<SessionArgs> for RoleRequest {
    fn from(SessionArgs { name, flags }: SessionArgs) -> Self {
        SessionFlags { session: flags.session.or(name), ..flags }.into()
    }
}

impl From<SessionOrProfileArgs> for RoleRequest {
    fn from(SessionOrProfileArgs { session, profile }: SessionOrProfileArgs) -> Self {
        Self { profile, ..session.into() }
    }
}

impl From<RoleFlags> for RoleRequest {
    fn from(flags: RoleFlags) -> Self {
        let RoleFlags { profile, session, account, role, region } = flags;
        Self { profile, account, role, region, ..session.into() }
    }
}

impl From<RoleArgs> for RoleRequest {
    fn from(RoleArgs { name, flags }: RoleArgs) -> Self {
        RoleFlags { profile: flags.profile.or(name), ..flags }.into()
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
