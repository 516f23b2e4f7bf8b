//! `daypass console`: the AWS console in the browser, by the portal's shortcut link. It needs no credentials, and no sign-in here: the
//! portal asks for one in the browser.

use std::time::Duration;

use super::flags::RoleFlags;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Result};
use crate::output::console;
use crate::profile::request::RoleRequest;
use crate::profile::resolve::{self, RoleTarget};
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};

/// Open the AWS console in the browser
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass console dev
  daypass console dev --destination s3
  daypass console dev prod --print \\
      --destination https://eu-west-1.console.aws.amazon.com/ec2/home

It needs no credentials: the portal signs you in, in the browser.")]
pub struct Args {
    /// The profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub names: Vec<String>,
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// The page to open: a service's short name, such as s3 or logs, or an address in the console
    #[arg(long, value_name = "URL|SERVICE")]
    pub destination: Option<String>,
    /// Print the link; open no browser
    #[arg(long)]
    pub print: bool,
}

/// A launcher that fails does so at once; what runs on is the browser, or finds it.
const LAUNCHED: Duration = Duration::from_millis(500);

/// How often the launcher is looked at.
const LOOKED: Duration = Duration::from_millis(10);

/// Runs it: all links are known to be good before the first is opened.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let asked = RoleRequest::from(args.role);
    let each: Vec<RoleRequest> = if args.names.is_empty() {
        vec![asked]
    } else {
        args.names.into_iter().map(|name| RoleRequest { profile: Some(name), ..asked.clone() }).collect()
    };
    let link_of = |asked: &RoleRequest| link(context, &resolve::target(&context.env, asked)?, args.destination.as_deref());
    let links = each.iter().map(link_of).collect::<Result<Vec<_>>>()?;
    for link in links {
        if args.print {
            context.print(&format!("{link}\n"))?;
        } else {
            open(context, &link)?;
        }
    }
    Ok(0)
}

/// Opens the console as this role.
pub(super) fn open_as(context: &Context, target: &RoleTarget) -> Result<()> {
    open(context, &link(context, target, None)?)
}

/// Without a browser here the link is told all the same: it works in any.
fn open(context: &Context, link: &str) -> Result<()> {
    let failed = |why: &str| {
        Error::failed(format!("no browser could be opened here: {why}"), format!("open this address in any browser: {link}"))
    };
    // A browser of the person's own choice may be anywhere.
    if context.env.browser().is_none() {
        browser::on_this_machine(&context.env).map_err(failed)?;
    }
    let mut opened = browser::open(link, &context.env).map_err(|error| failed(&error.to_string()))?;
    let deadline = Deadline::after(LAUNCHED);
    while opened.runs() && !deadline.passed() {
        clock::sleep(LOOKED);
    }
    if opened.failed() { Err(failed("the program that opens addresses has failed")) } else { Ok(()) }
}

/// The link. Whoever asks for it uses the role.
fn link(context: &Context, target: &RoleTarget, destination: Option<&str>) -> Result<String> {
    let destination =
        destination.map(|text| console::destination(text, &target.session.region, target.region.as_deref())).transpose()?;
    let account = context.account(target, COMMAND_TIMEOUT)?;
    super::note_use(context, &super::name_of(target, &account));
    console::link(&target.session.start_url, &account, &target.role, destination.as_deref())
}
