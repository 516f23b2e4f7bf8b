//! `daypass login`: signs in by the device flow.

use std::time::Duration;

use crate::broker::Broker;
use crate::browser;
use crate::cli::Login;
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::grant::Token;
use crate::output;
use crate::portal::DeviceAuthorization;
use crate::profile::names::Session;
use crate::profile::resolve;
use crate::terminal;
use crate::vault::Fault;
use crate::world::{PATIENCE, World};

/// How long a person may take to unlock the keyring in the system's own prompt.
const UNLOCKING: Duration = Duration::from_mins(2);

/// Runs it.
pub fn run(world: &World, typed: Login) -> Result<u8> {
    let profile = typed.profile.clone();
    let session = resolve::session(&world.env, &super::asked_session(typed.session, typed.name, typed.profile))?;
    if typed.if_needed && lasts(world, &session, profile.as_deref(), typed.min_ttl.unwrap_or_default())? {
        world.tell(&format!("Already signed in to {}.", terminal::clean(&session.name)));
        return Ok(0);
    }
    sign_in(world, &session, profile.as_deref(), typed.no_browser)?;
    Ok(0)
}

/// Signs in to a session and tells how long it lasts.
pub fn sign_in(world: &World, session: &Session, profile: Option<&str>, no_browser: bool) -> Result<Token> {
    let broker = world.broker(session, profile)?;
    unlock(world, session)?;
    let token = broker.sign_in(&mut |started| show(world, session, started, no_browser))?;
    let until = output::when(token.expires_at);
    let lasts = if token.refresh.is_some() { format!("until {until}, and is renewed by itself") } else { format!("until {until}") };
    world.tell(&format!("Signed in to {}. The sign-in lasts {lasts}.", terminal::clean(&session.name)));
    if world.vault()?.token_is_volatile() {
        world.tell("The sign-in is kept in the kernel's keyring: it lasts until a restart, or three days without use.");
    }
    Ok(token)
}

/// A locked keyring is found before the person goes to the browser. With a person there, the system may ask to unlock it.
fn unlock(world: &World, session: &Session) -> Result<()> {
    let vault = world.vault()?;
    match vault.token(session) {
        Err(Fault::Locked(_)) if world.may_ask() => Ok(vault.unlock(UNLOCKING)?),
        Err(fault) => Err(fault.into()),
        Ok(_) => Ok(()),
    }
}

/// Always the address and the code; the browser where it may be opened.
fn show(world: &World, session: &Session, started: &DeviceAuthorization, no_browser: bool) {
    let address = started.verification_uri_complete.as_ref().unwrap_or(&started.verification_uri);
    terminal::say(&format!(
        "To sign in to {}, open this address and check that it shows this code:\n\n    {}\n    {}\n",
        terminal::clean(&session.name),
        terminal::clean(address),
        terminal::clean(&started.user_code),
    ));
    // What the service names is opened only if it is a web page.
    let is_page = address.starts_with("https://") || address.starts_with("http://");
    if no_browser || !is_page {
        return;
    }
    if let Err(error) = browser::open(address, &world.env) {
        tracing::info!(%error, "no browser");
        world.tell("No browser could be opened here: use one elsewhere.");
    }
}

/// Whether the sign-in lasts so long. One that can be refreshed is refreshed: if that works it lasts.
fn lasts(world: &World, session: &Session, profile: Option<&str>, at_least: Duration) -> Result<bool> {
    let broker: Broker<'_> = world.broker(session, profile)?;
    let Some(token) = world.vault()?.token(session)? else { return Ok(false) };
    let now = clock::now();
    if token.expires_at - now >= at_least && token.expires_at > now {
        return Ok(true);
    }
    Ok(broker.refreshed(&token, Deadline::after(PATIENCE)).is_ok())
}
