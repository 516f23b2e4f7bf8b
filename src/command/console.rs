//! `daypass console`: opens the AWS console in the browser through the portal's shortcut link. It needs neither credentials nor a
//! sign-in here; the portal signs the user in, in the browser.

use std::time::Duration;

use super::flags::RoleFlags;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Result};
use crate::output::console::{self, Launch};
use crate::profile::request::{Account, RoleRequest};
use crate::profile::resolve::{self, RoleTarget};
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};
use crate::text;
use crate::ui::terminal;

/// Open the AWS console in the browser
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass console dev
  daypass console dev --destination s3         # 'help' lists the names
  daypass console dev prod --print \\
      --destination https://eu-west-1.console.aws.amazon.com/ec2/home

daypass needs no sign-in for this: the portal signs you in, in the browser. For
a profile that assumes a role, the console opens with the role of the portal,
and a second link switches to the assumed role.

DAYPASS_CONSOLE_BROWSER sets the command that opens the link, instead of
BROWSER. It may contain {url}, {profile}, {account_name}, {account_id}, {role},
{session} and {region}:
  firefox \"ext+container:name={account_name}&url={url}\"
  google-chrome --profile-directory={account_name} {url}")]
pub struct Args {
    /// Profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub names: Vec<String>,
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Page to open: a service such as s3 or logs ('help' lists them), or the address of a console page
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

/// Runs the command. What fails for one profile does not keep the others from being opened; the exit status is that of the first failure.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    if args.destination.as_deref() == Some("help") {
        let rows: Vec<Vec<String>> = console::pages().map(Vec::from).collect();
        context.print(&context.table(&["NAME", "ALSO", "PAGE"], &rows))?;
        return Ok(0);
    }
    let request = RoleRequest::from(args.role);
    let requests: Vec<RoleRequest> = if args.names.is_empty() {
        vec![request]
    } else {
        args.names.into_iter().map(|name| RoleRequest { profile: Some(name), ..request.clone() }).collect()
    };
    let mut errors = Vec::new();
    for request in &requests {
        let links = resolve::target(&context.env, request)
            .and_then(|target| links(context, &target, args.destination.as_deref(), request.region.as_deref()));
        let done = match links {
            Ok(links) if args.print => print(context, &links),
            Ok(links) => open(context, &links),
            Err(error) => Err(error),
        };
        errors.extend(done.err());
    }
    // The first one is returned, which can correct the command line.
    for error in errors.iter().skip(1) {
        terminal::say(&terminal::shown(error));
    }
    errors.into_iter().next().map_or(Ok(0), Err)
}

/// The links for a role, and what a launch command can name.
struct Links {
    /// Signs in to the console, through the portal.
    portal: String,
    /// Switches to the assumed role there.
    switch: Option<String>,
    profile: String,
    account_name: String,
    account_id: String,
    role: String,
    session: String,
    region: String,
}

/// Opens the console with this role.
pub(super) fn open_as(context: &Context, target: &RoleTarget) -> Result<()> {
    open(context, &links(context, target, None, None)?)
}

fn print(context: &Context, links: &Links) -> Result<()> {
    std::iter::once(&links.portal).chain(&links.switch).try_for_each(|link| context.print(&format!("{link}\n")))
}

/// Opens a link. The error contains it, because it works in any browser.
fn open(context: &Context, links: &Links) -> Result<()> {
    let link = &*links.portal;
    let failed = |why: &str| {
        Error::failed(format!("couldn't open a browser here: {why}"), format!("open this address in any browser: {link}"))
    };
    let env = &context.env;
    // The browser of such a variable may be on another machine.
    if env.browser().is_none() && env.console_browser().is_none() {
        browser::on_this_machine(env).map_err(failed)?;
    }
    let opened = match env.console_browser() {
        Some(command) => {
            let url = browser::safe(link).map_err(|error| failed(&error.to_string()))?;
            let launch = Launch {
                profile: &links.profile,
                account_name: &links.account_name,
                account_id: &links.account_id,
                role: &links.role,
                session: &links.session,
                region: &links.region,
                url: &url,
            };
            browser::launch(&launch.words(command, "DAYPASS_CONSOLE_BROWSER")?)
        }
        None => browser::open(link, env),
    };
    let mut opened = opened.map_err(|error| failed(&error.to_string()))?;
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
    // The portal signs in, so a name that it has listed before needs no sign-in here.
    let listed = match &target.account {
        Account::Name(name) => context.history().account_called(&target.session, name),
        Account::Id(_) => None,
    };
    let account = match listed {
        Some(account) => account,
        None => context.account(target, COMMAND_TIMEOUT)?,
    };
    let portal = console::link(&target.session.start_url, &account, &target.role, destination.as_deref())?;
    let counted = target.chain.last().map_or(&account, |role| role.arn.account());
    super::note_use(context, target, &Account::Id(counted.clone()), region);
    let name = match &target.account {
        Account::Name(name) => Some(name.clone()),
        Account::Id(id) => context.history().account_name(&target.session, id),
    };
    Ok(Links {
        portal,
        switch,
        profile: super::shown_name_of(context, target),
        account_name: text::clean(&name.unwrap_or_else(|| account.to_string())).into_owned(),
        account_id: account.to_string(),
        role: target.role.to_string(),
        session: text::clean(&target.session.name).into_owned(),
        region: region.map(text::clean).unwrap_or_default().into_owned(),
    })
}
