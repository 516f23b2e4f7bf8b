//! The region of a portal: checked, learned from the portal's address, and corrected if the configured one is wrong.

use std::time::Duration;

use crate::aws::regions;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::portal::discovery;
use crate::profile::config::Value;
use crate::profile::edit::Change;
use crate::profile::names::Session;
use crate::profile::resolve::{self, CredentialSource};
use crate::profile::store::{self, Others};
use crate::profile::{Block, Config, start_url};
use crate::sys::clock::Deadline;
use crate::text;
use crate::ui::prompt;

/// How long the portal may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The name of a region, given by this flag.
///
/// # Errors
/// It is none; with the nearest one.
pub(super) fn checked(name: &str, flag: &str) -> Result<String> {
    if start_url::is_region(name) && regions::is_plausible(name) {
        return Ok(name.to_owned());
    }
    let near = regions::nearest(&name.to_lowercase());
    let rule = near.map_or_else(|| ", such as eu-west-1".to_owned(), |near| format!("; did you mean \"{near}\"?"));
    let meant = near.unwrap_or("us-east-1");
    Err(Error::typo(format!("\"{name}\" is not a region{rule}"), name, meant, format!("add {flag} {meant}")))
}

/// The region of the portal at this address, if it can be learned.
pub(super) fn learned(context: &Context, start_url: &str) -> Option<String> {
    // Settings that can't be used are reported by the sign-in.
    discovery::region(&context.env, start_url, Deadline::after(TIMEOUT)).ok().flatten()
}

/// The session with the region of its portal, after a sign-in that failed with this error. If the config file contains the wrong region,
/// it is changed there. The user is asked first.
///
/// # Errors
/// The given one, if the region is right or not known, or if the user declines; those of writing.
pub(super) fn corrected(context: &Context, session: &Session, error: Error) -> Result<Session> {
    if !context.may_prompt() || !matches!(error.exit, Exit::Failed | Exit::Usage) {
        return Err(error);
    }
    let Some(region) = learned(context, &session.start_url).filter(|region| *region != session.region) else { return Err(error) };
    let config = Config::read(&context.env)?;
    let is_wrong = |block: &Block<'_>| {
        let text = |key: &str| block.text(key).unwrap_or_default();
        text("sso_region") == session.region && start_url::is_same(text("sso_start_url"), &session.start_url)
    };
    let right = Session { region: region.clone(), ..session.clone() };
    let block = config.session(&session.name).filter(is_wrong);
    let mut place = block.as_ref().and_then(|block| block.get("sso_region")).map(Value::place);
    let mut changes: Vec<Change> = block.iter().map(|_| Change::Session(Session { scopes: Vec::new(), ..right.clone() })).collect();
    for profile in config.profiles() {
        if resolve::credential_source(&profile) == CredentialSource::Legacy && is_wrong(&profile) {
            place = place.or_else(|| profile.get("sso_region").map(Value::place));
            let set = vec![("sso_region".to_owned(), region.clone())];
            changes.push(Change::Profile { name: profile.name.to_string(), set, remove: Vec::new(), mark: None });
        }
    }
    let wrong = place.map_or_else(|| format!("not in {}", session.region), |place| format!("but {place} says {}", session.region));
    let verb = if changes.is_empty() { "Use" } else { "Change it to" };
    let question = format!("{} is in {region}, {wrong}. {verb} {region}?", session.start_url);
    if !prompt::confirm(&text::clean(&question), true).ok().flatten().unwrap_or_default() {
        return Err(error);
    }
    if !changes.is_empty() {
        let plan = store::update(&context.env, &changes, Others::Allow)?;
        context.tell(&text::clean(&format!("Changed sso_region to {region} in {}.", plan.path.display())));
        super::tell_backup(context, &plan);
    }
    Ok(right)
}
