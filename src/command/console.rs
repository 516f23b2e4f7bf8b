//! `daypass console`: opens the AWS console in the browser through the portal's shortcut link. It needs neither credentials nor a
//! sign-in here; the portal signs the user in, in the browser.

use std::time::Duration;

use super::flags::RoleFlags;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Result};
use crate::output::console;
use crate::profile::request::{Account, RoleRequest};
use crate::profile::resolve::{self, RoleTarget};
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};
use crate::text;

/// Open the AWS console in the browser
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass console dev
  daypass console dev --destination s3
  daypass console dev prod --print \\
      --destination https://eu-west-1.console.aws.amazon.com/ec2/home

It needs no credentials here; the portal signs you in, in the browser. For a
profile that assumes a role, the console opens with the role of the portal, and
a second link switches to the assumed role.")]
pub struct Args {
    /// Profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub names: Vec<String>,
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Page to open: a service such as s3 or logs, or the address of a console page
    #[arg(long, value_name = "URL|SERVICE")]
    pub destination: Option<String>,
    /// Print the link without opening a browser
    #[arg(long)]
    pub print: bool,
}

/// How long to wait for a launcher to fail. One that still runs then is the browser, or will open it.
const LAUNCH_LIMIT: Duration = Duration::from_millis(500);

/// How often the launcher is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Runs the command. All links are checked before the first is opened.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let request = RoleRequest::from(args.role);
    let requests: Vec<RoleRequest> = if args.names.is_empty() {
        vec![request]
    } else {
        args.names.into_iter().map(|name| RoleRequest { profile: Some(name), ..request.clone() }).collect()
    };
    let links_of = |request: &RoleRequest| {
        links(context, &resolve::target(&context.env, request)?, args.destination.as_deref(), request.region.as_deref())
    };
    let links = requests.iter().map(links_of).collect::<Result<Vec<_>>>()?;
    for links in links {
        if args.print {
            for link in std::iter::once(&links.portal).chain(&links.switch) {
                context.print(&format!("{link}\n"))?;
            }
        } else {
            open(context, &links)?;
        }
    }
    Ok(0)
}

/// The links for a role.
struct Links {
    /// Signs in to the console, through the portal.
    portal: String,
    /// Switches to the assumed role there.
    switch: Option<String>,
}

/// Opens the console with this role.
pub(super) fn open_as(context: &Context, target: &RoleTarget) -> Result<()> {
    open(context, &links(context, target, None, None)?)
}

/// Opens a link. The error contains it, because it works in any browser.
fn open(context: &Context, links: &Links) -> Result<()> {
    let link = &*links.portal;
    let failed = |why: &str| {
        Error::failed(format!("couldn't open a browser here: {why}"), format!("open this address in any browser: {link}"))
    };
    // The browser of BROWSER may be on another machine.
    if context.env.browser().is_none() {
        browser::on_this_machine(&context.env).map_err(failed)?;
    }
    let mut opened = browser::open(link, &context.env).map_err(|error| failed(&error.to_string()))?;
    let deadline = Deadline::after(LAUNCH_LIMIT);
    while opened.runs() && !deadline.passed() {
        clock::sleep(CHECK_INTERVAL);
    }
    if opened.failed() {
        return Err(failed("the program that opens addresses failed"));
    }
    if let Some(switch) = &links.switch {
        context.tell(&format!("In the console, switch to the assumed role: {switch}"));
    }
    Ok(())
}

/// The links for a role, which counts as a use of it. `region` is that of the command line, if any.
fn links(context: &Context, target: &RoleTarget, destination: Option<&str>, region: Option<&str>) -> Result<Links> {
    let region = region.or(context.env.region()).or(target.region.as_deref());
    let destination = destination.map(|text| console::destination(text, &target.session.region, region)).transpose()?;
    let switch = match target.chain.as_slice() {
        [] => None,
        [role] => Some(console::switch_link(&role.arn, target.profile.as_deref())?),
        [.., last] => {
            let what = format!("the console can switch to one role, and {} is reached through several", last.arn);
            return Err(Error::usage(what, format!("daypass console {}", text::shell_quote(&target.via))));
        }
    };
    let account = context.account(target, COMMAND_TIMEOUT)?;
    let Account::Id(counted) = target.final_account() else {
        return Err(Error::failed("the account is not known", "daypass list"));
    };
    super::note_use(context, target, &Account::Id(counted), region);
    Ok(Links { portal: console::link(&target.session.start_url, &account, &target.role, destination.as_deref())?, switch })
}
