//! `daypass allow`: lifts the rule about coding agents for a profile, for a while.

use std::time::Duration;

use super::flags::{RoleArgs, duration};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::output;
use crate::profile::resolve;
use crate::sys::clock;
use crate::text;

/// Let coding agents use a denied profile for a while
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass allow prod --for 30m
  daypass allow prod --for 0s      # end it now

Only a person at a terminal can do this. It lifts 'configure --agents deny',
'--agent-role' and DAYPASS_AGENTS=deny for the role of the profile. Credentials
that an agent already has stay valid until they expire, usually within an hour.")]
pub struct Args {
    /// The role.
    #[command(flatten)]
    pub role: RoleArgs,
    /// How long, such as 30m or 2h (at most 24h)
    #[arg(long = "for", value_name = "TIME", default_value = "30m", value_parser = duration)]
    pub time: Duration,
}

/// The longest time.
const MOST: Duration = Duration::from_hours(24);

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let target = resolve::target(&context.env, &args.role.into())?;
    if let Some(agent) = context.env.agent() {
        let what = format!("only a person can allow this, and it is run by a coding agent ({agent})");
        return Err(Error { exit: Exit::Refused, ..Error::again(what, "in a terminal of your own") });
    }
    if !context.may_prompt() {
        let what = "only a person at a terminal can allow this";
        let error = if context.interaction.no_input {
            Error::failed(what, "leave out --no-input")
        } else {
            Error::again(what, "in a terminal")
        };
        return Err(Error { exit: Exit::Refused, ..error });
    }
    if args.time > MOST {
        return Err(Error::usage("a day is the longest time for --for", "add --for 24h"));
    }
    let now = clock::now();
    let until = now + args.time;
    context.allowances().allow(&target, until, now)?;
    let name = text::clean(&target.described_role()).into_owned();
    let account = target.final_account().to_string();
    context.tell(&if args.time.is_zero() {
        format!("Coding agents may no longer use {name} in {}.", text::clean(&account))
    } else {
        format!("Coding agents may use {name} in {} until {}.", text::clean(&account), output::when(until))
    });
    Ok(0)
}
