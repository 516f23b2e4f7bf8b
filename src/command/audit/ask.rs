//! Asks AWS about keys, with the user's roles and never with the keys.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::known::Known;
use crate::access_key::LongLivedKey;
use crate::audit::report::{Entry, KeyPlace};
use crate::aws::SigningKeys;
use crate::broker::retry;
use crate::command::aws::{clients, of_iam, of_sts};
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Exit, Result};
use crate::iam::{self, Iam};
use crate::output::audit::Aws;
use crate::output::rfc3339;
use crate::profile::index::AccountRole;
use crate::profile::names::{AccountId, Session};
use crate::profile::resolve::RoleTarget;
use crate::sts::Sts;
use crate::sys::clock::Deadline;
use crate::text;

/// How many roles of an account are tried: some may not read IAM.
const ROLES: usize = 3;

/// What AWS says of a key; nothing if nobody could be asked.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The account of a key whose ID does not contain it.
    pub(super) account: Option<AccountId>,
    /// Whether it is a root user's.
    pub(super) is_root: bool,
    /// When it was created.
    pub(super) created: Option<OffsetDateTime>,
    /// Owner, status and last use.
    pub(super) aws: Option<Aws>,
}

/// Asks about each access key that a role can be asked about.
///
/// # Errors
/// Sign-in is required, the keyring fails, or the user interrupts. Other errors are warnings.
pub(super) fn ask(context: &Context, entries: &[Entry], known: &Known) -> Result<HashMap<LongLivedKey, Answer>> {
    let mut answers = HashMap::new();
    for (number, entry) in (1..).zip(entries) {
        let LongLivedKey::Access(id) = &entry.key else { continue };
        match about(context, id.as_str(), entry, known) {
            Ok(answer) => drop(answers.insert(entry.key.clone(), answer)),
            Err(error) if matches!(error.exit, Exit::SignIn | Exit::Keyring | Exit::Interrupted) => return Err(error),
            Err(error) => {
                context.tell(&text::clean(&format!("warning: can't ask about {}: {}", entry.key.masked(), error.what)));
                // The others would wait as long.
                if error.exit == Exit::Unreachable && number < entries.len() {
                    context.tell("warning: the other keys were not asked about");
                    break;
                }
            }
        }
    }
    Ok(answers)
}

fn about(context: &Context, id: &str, entry: &Entry, known: &Known) -> Result<Answer> {
    let mut answer = Answer::default();
    let account = match entry.key.account() {
        Some(account) => account.clone(),
        // Any identity may ask for the account of any key.
        None => match known.listed.first() {
            None => return Ok(answer),
            Some(any) => {
                let deadline = Deadline::after(COMMAND_TIMEOUT);
                let (keys, sts, _) = role(context, &any.session, &any.role)?;
                let account = retry::until(deadline, || sts.account_of_key(&keys, id, deadline)).map_err(of_sts)?;
                answer.account = AccountId::new(&account);
                answer
                    .account
                    .clone()
                    .ok_or_else(|| Error::failed(format!("STS names the account \"{account}\""), "daypass list"))?
            }
        },
    };
    let profile = entry.places.iter().find(|place| place.is_rewritten()).and_then(KeyPlace::profile);
    let mut refused = None;
    for replacement in known.replacements(&account, profile).iter().take(ROLES) {
        let (keys, _, iam) = role(context, &replacement.session, &replacement.role)?;
        match owner(&iam, &keys, id) {
            Ok(found) => return Ok(Answer { account: answer.account, ..found }),
            Err(iam::Error::AccessDenied(why)) => refused = Some(iam::Error::AccessDenied(why)),
            Err(error) => return Err(of_iam(error)),
        }
    }
    // No role may read IAM: what STS said is still known.
    if let Some(error) = refused {
        context.tell(&text::clean(&format!("warning: can't ask about {}: {}", entry.key.masked(), of_iam(error).what)));
    }
    Ok(answer)
}

/// Owner and last use, then status and age, which another permission allows.
fn owner(iam: &Iam, keys: &SigningKeys, id: &str) -> std::result::Result<Answer, iam::Error> {
    let deadline = Deadline::after(COMMAND_TIMEOUT);
    let found = retry::until(deadline, || iam.last_used(keys, id, deadline))?;
    // IAM names no user for the keys of the root user, or this one.
    let user = found.user.filter(|user| user != "<root_account>");
    let listed = match &user {
        None => Vec::new(),
        Some(user) => retry::until(deadline, || iam.access_keys(keys, Some(user), deadline)).or_else(|error| match error {
            iam::Error::AccessDenied(_) => Ok(Vec::new()),
            error => Err(error),
        })?,
    };
    let own = listed.into_iter().find(|key| key.id == id);
    let status = own.as_ref().map(|key| if key.active { "Active" } else { "Inactive" }.to_owned());
    let aws = Aws {
        status,
        last_used: found.last.as_ref().map(|last| rfc3339(last.at)),
        service: found.last.map(|last| last.service),
        user: user.clone(),
    };
    Ok(Answer { account: None, is_root: user.is_none(), created: own.and_then(|key| key.created), aws: Some(aws) })
}

/// The keys of a role, and the services to ask with them.
fn role(context: &Context, session: &Session, role: &AccountRole) -> Result<(SigningKeys, Sts, Iam)> {
    let target = RoleTarget::of_role(session.clone(), role.account.clone(), role.role.clone());
    let (_, credentials) = context.credentials(&target, COMMAND_TIMEOUT)?;
    let (sts, iam) = clients(context, &session.region, None);
    Ok((SigningKeys::from(&credentials), sts, iam))
}
