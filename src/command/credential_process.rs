//! `daypass credential-process`: called by SDKs. Prints one document to standard output, or nothing. It never prompts, and opens a
//! browser only if the command line in the profile contains `--login`.

use std::time::Duration;

use super::flags::RoleFlags;
use crate::context::{Context, OnBehalf};
use crate::error::{Exit, Result};
use crate::output::credential_process;
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::sys::clock::Deadline;

/// Print credentials for an SDK (the credential_process of a profile)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
In ~/.aws/config, all on one line ('daypass configure' writes it):
  [profile dev]
  credential_process = /usr/bin/daypass credential-process
      --session corp --account 111122223333 --role DeveloperAccess

With --login it opens the browser if sign-in is required: one tab, however many
tools ask, and never over SSH, in CI or without a display. It waits 45 seconds;
if nobody signs in, no browser is opened for the next five minutes.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Open the browser if sign-in is required ('daypass configure --login' writes this)
    #[arg(long)]
    pub login: bool,
    /// Whether coding agents get the credentials ('daypass configure --agents' writes this)
    #[arg(long, value_name = "RULE", value_parser = ["allow", "deny"])]
    pub agents: Option<String>,
    /// Role that coding agents get instead, in the same account ('daypass configure --agent-role' writes this)
    #[arg(long, value_name = "NAME", conflicts_with = "agents")]
    pub agent_role: Option<String>,
}

/// The time limit without a sign-in. Some SDKs wait less, but only a hanging portal makes a call take this long.
const TIMEOUT: Duration = Duration::from_secs(15);

/// With `--login`: the limits for the sign-in and for the whole call. SDKs wait one minute.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(45);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(50);

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let (sign_in_by, end) = (Deadline::after(SIGN_IN_TIMEOUT), Deadline::after(TOTAL_TIMEOUT));
    let request = RoleRequest { agents: args.agents, agent_role: args.agent_role, ..args.role.into() };
    let target = resolve::target(&context.env, &request)?;
    let (account, credentials) = match context.credentials_unattended(&target, TIMEOUT) {
        Err(needed) if needed.exit == Exit::SignIn && args.login && context.env.agent().is_none() => {
            context.sign_in_unattended(OnBehalf::of_target(&target), needed, sign_in_by)?;
            context.credentials_unattended(&target, end.left().min(TIMEOUT))?
        }
        other => other?,
    };
    context.print(&credential_process::document(&credentials, &account))?;
    Ok(0)
}
