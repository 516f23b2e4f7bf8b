//! `daypass console`: the AWS console in the browser, by the portal's shortcut link. It needs no credentials, and no sign-in here: the
//! portal asks for one in the browser.

use crate::browser;
use crate::cli::Console;
use crate::error::{Error, Result};
use crate::output::console;
use crate::profile::resolve::{self, Asked};
use crate::world::{PATIENCE, World};

/// Runs it: all links are known to be good before the first is opened.
pub fn run(world: &World, typed: Console) -> Result<u8> {
    let asked = super::asked_role(typed.role, None);
    let each: Vec<Asked> = if typed.names.is_empty() {
        vec![asked]
    } else {
        typed.names.into_iter().map(|name| Asked { profile: Some(name), ..asked.clone() }).collect()
    };
    let links = each.iter().map(|asked| link(world, asked, typed.destination.as_deref())).collect::<Result<Vec<_>>>()?;
    for link in links {
        if typed.print {
            world.print(&format!("{link}\n"))?;
        } else {
            browser::open(&link, &world.env).map_err(|error| {
                Error::failed(format!("no browser could be opened: {error}"), "add --print, and open the link elsewhere")
            })?;
        }
    }
    Ok(0)
}

fn link(world: &World, asked: &Asked, destination: Option<&str>) -> Result<String> {
    let target = resolve::target(&world.env, asked)?;
    let destination =
        destination.map(|text| console::destination(text, &target.session.region, target.region.as_deref())).transpose()?;
    let account = world.account(&target, PATIENCE)?;
    console::link(&target.session.start_url, &account, &target.role, destination.as_deref())
}
