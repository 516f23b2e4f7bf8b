//! The arguments of `daypass configure`.

use crate::command::flags::{AssumeFlags, SessionFlags};

/// Write a session and a profile to ~/.aws/config
#[derive(Debug, Default, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  daypass configure
  daypass configure corp --sync
  daypass configure corp --account 111122223333 --role DeveloperAccess \\
      --profile dev --region eu-west-1
  daypass configure --session corp --account 111122223333 --role Developer \\
      --assume-role arn:aws:iam::222233334444:role/Deploy --profile deploy
  daypass configure --convert --dry-run

Without flags, configure asks for the portal, the roles (type to search, Space
marks several) and the name of the profile. It takes the region of the portal
from its address or its page, and names the session after the portal. If all
values are given, it asks for nothing. The values of an existing profile are the
defaults.

'configure PORTAL --sync' is the command for a new colleague: it signs in and
writes a profile for every role.

The previous version of the file is kept; 'daypass undo' restores it.")]
pub struct Args {
    /// Access portal: its alias or ID (corp, d-9067abc123), its address, or a session in ~/.aws/config
    #[arg(value_name = "PORTAL", conflicts_with_all = ["session", "start_url"])]
    pub portal: Option<String>,
    /// Sign in and write a profile for every account and role, like 'daypass sync'
    #[arg(long, conflicts_with_all = ["account", "role", "assume_role", "profile", "output", "session_only", "native", "login", "agents", "agent_role", "convert", "keep_other_keys"])]
    pub sync: bool,
    /// The session.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Account ID (12 digits) or name
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// Role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// A role to assume with its credentials.
    #[command(flatten)]
    pub assume: AssumeFlags,
    /// Profile to write
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the profile
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Output format of the profile, for the AWS CLI
    #[arg(long, value_name = "FORMAT")]
    pub output: Option<String>,
    /// Write only the session block, like 'aws configure sso-session'
    #[arg(long, conflicts_with_all = ["account", "role", "assume_role", "profile", "region", "output", "native", "helper", "convert"])]
    pub session_only: bool,
    /// Write the SDKs' own sso_* keys instead of credential_process
    #[arg(long, conflicts_with = "assume_role")]
    pub native: bool,
    /// Program name to write into credential_process, such as 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME", conflicts_with = "native")]
    pub helper: Option<String>,
    /// Let the profile open the browser if sign-in is required
    #[arg(long, conflicts_with = "native")]
    pub login: bool,
    /// Whether coding agents get the profile's credentials (see 'daypass allow')
    #[arg(long, value_name = "RULE", value_parser = ["allow", "deny"])]
    pub agents: Option<String>,
    /// Role that coding agents get instead, in the same account, such as ReadOnlyAccess
    #[arg(long, value_name = "NAME", conflicts_with = "agents")]
    pub agent_role: Option<String>,
    /// Turn profiles with sso_* keys for this account and role into daypass profiles of the same name; other keys are kept.
    /// Without --account and --role: all profiles of the session or of all sessions, or only --profile; also those with
    /// source_profile and those of other tools
    #[arg(long, conflicts_with = "native")]
    pub convert: bool,
    /// Write the profile even if it contains other keys that AWS tools prefer, such as static keys in the credentials file
    #[arg(long)]
    pub keep_other_keys: bool,
    /// Write even if the AWS CLI rejects the config or credentials file as it is
    #[arg(long)]
    pub force: bool,
    /// Print the change as a diff without writing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print the sign-in address without opening a browser
    #[arg(long)]
    pub no_browser: bool,
}
