//! `daypass credential-process`: what an SDK calls. One document on standard output, or nothing; never a question, and a browser only
//! where the profile's own command line allows it.

use std::time::Duration;

use super::flags::RoleFlags;
use super::login;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::credential_process;
use crate::profile::resolve;
use crate::sys::clock::Deadline;

/// Print credentials for an SDK (the credential_process of a profile)
#[derive(Debug, clap::Args)]
#[command(after_help = "\
In ~/.aws/config, all on one line ('daypass configure' writes it):
  [profile dev]
  credential_process = /usr/bin/daypass credential-process
      --session corp --account 111122223333 --role DeveloperAccess

With --login a sign-in that is missing opens the browser: one for all tools that
ask at once, and never over SSH, in CI or without a display. It waits for 45
seconds; if nobody answers, no other opens for five minutes.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Open the browser where sign-in is needed ('daypass configure --login' writes this)
    #[arg(long)]
    pub login: bool,
}

/// Everything in all. Some SDKs end a helper sooner, but only a portal that hangs makes it last so long.
const TIMEOUT: Duration = Duration::from_secs(15);

/// With `--login`: when a person must have answered, and when all is over. SDKs wait for a minute.
const ANSWERED: Duration = Duration::from_secs(45);
const IN_ALL: Duration = Duration::from_secs(50);

/// Runs it.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let (answered, end) = (Deadline::after(ANSWERED), Deadline::after(IN_ALL));
    let target = resolve::target(&context.env, &args.role.into())?;
    let (account, credentials) = match context.credentials(&target, TIMEOUT) {
        Err(needed) if needed.exit == Exit::SignIn && args.login => {
            login::sign_in_unattended(context, &target.session, target.profile.as_deref(), needed, answered)?;
            context.credentials(&target, end.left().min(TIMEOUT))?
        }
        other => other?,
    };
    context.print(&credential_process::document(&credentials, &account))?;
    Ok(0)
}
