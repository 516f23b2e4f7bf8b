//! `daypass console`: the AWS console in the browser, by the portal's shortcut link. It needs no credentials, and no sign-in here: the
//! portal asks for one in the browser.

use std::time::Duration;

use crate::browser;
use crate::cli::Console;
use crate::clock::{self, Deadline};
use crate::error::{Error, Result};
use crate::output::console;
use crate::profile::resolve::{self, Asked, Target};
use crate::world::{PATIENCE, World};

/// A launcher that fails does so at once; what runs on is the browser, or finds it.
const LAUNCHED: Duration = Duration::from_millis(500);

/// How often the launcher is looked at.
const LOOKED: Duration = Duration::from_millis(10);

/// Runs it: all links are known to be good before the first is opened.
pub fn run(world: &World, typed: Console) -> Result<u8> {
    let asked = super::asked_role(typed.role, None);
    let each: Vec<Asked> = if typed.names.is_empty() {
        vec![asked]
    } else {
        typed.names.into_iter().map(|name| Asked { profile: Some(name), ..asked.clone() }).collect()
    };
    let link_of = |asked: &Asked| link(world, &resolve::target(&world.env, asked)?, typed.destination.as_deref());
    let links = each.iter().map(link_of).collect::<Result<Vec<_>>>()?;
    for link in links {
        if typed.print {
            world.print(&format!("{link}\n"))?;
        } else {
            open(world, &link)?;
        }
    }
    Ok(0)
}

/// Opens the console as this role.
pub(super) fn open_as(world: &World, target: &Target) -> Result<()> {
    open(world, &link(world, target, None)?)
}

/// Without a browser here the link is told all the same: it works in any.
fn open(world: &World, link: &str) -> Result<()> {
    let failed = |why: &str| {
        Error::failed(format!("no browser could be opened here: {why}"), format!("open this address in any browser: {link}"))
    };
    // A browser of the person's own choice may be anywhere.
    if world.env.browser().is_none() {
        browser::on_this_machine(&world.env).map_err(failed)?;
    }
    let mut opened = browser::open(link, &world.env).map_err(|error| failed(&error.to_string()))?;
    let deadline = Deadline::after(LAUNCHED);
    while opened.runs() && !deadline.passed() {
        clock::sleep(LOOKED);
    }
    if opened.failed() { Err(failed("the program that opens addresses has failed")) } else { Ok(()) }
}

/// The link. Whoever asks for it uses the role.
fn link(world: &World, target: &Target, destination: Option<&str>) -> Result<String> {
    let destination =
        destination.map(|text| console::destination(text, &target.session.region, target.region.as_deref())).transpose()?;
    let account = world.account(target, PATIENCE)?;
    super::note_use(world, &super::name_of(target, &account));
    console::link(&target.session.start_url, &account, &target.role, destination.as_deref())
}
