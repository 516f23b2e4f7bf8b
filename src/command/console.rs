//! `daypass console`: the AWS console in the browser, by the portal's shortcut link. It needs no credentials, and no sign-in here: the
//! portal asks for one in the browser.

use crate::browser;
use crate::cli::Console;
use crate::error::{Error, Result};
use crate::output::console;
use crate::profile::resolve::{self, Asked, Target};
use crate::world::{PATIENCE, World};

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

fn open(world: &World, link: &str) -> Result<()> {
    browser::open(link, &world.env)
        .map(drop)
        .map_err(|error| Error::failed(format!("no browser could be opened: {error}"), "add --print, and open the link elsewhere"))
}

/// The link. To open it is a use of the role.
fn link(world: &World, target: &Target, destination: Option<&str>) -> Result<String> {
    let destination =
        destination.map(|text| console::destination(text, &target.session.region, target.region.as_deref())).transpose()?;
    let account = world.account(target, PATIENCE)?;
    super::note_use(world, &super::name_of(target, &account));
    console::link(&target.session.start_url, &account, &target.role, destination.as_deref())
}
