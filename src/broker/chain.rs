//! Returns the credentials of roles that are assumed on top of a role of the portal, by the broker's one rule. Touches nothing itself: it
//! calls the vault, STS, `locks` and `clock`.
//!
//! The credentials of each role of a chain are cached. If one can't be assumed, the call fails: the credentials of the role before it,
//! which may do other things, are never returned instead.

use std::cell::OnceCell;
use std::time::Duration;

use super::credentials::Broker;
use super::failure;
use super::locks::Scope;
use super::retry;
use crate::aws::SigningKeys;
use crate::credentials::RoleCredentials;
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::chain::{MAX_DURATION, is_session_name};
use crate::profile::names::{AccountId, RoleName};
use crate::sts::{self, RoleSession, Sts};
use crate::sys::clock::{self, Deadline};
use crate::sys::stderr;
use crate::vault::{Assumed, Kind};

/// The session name if the person's own is not known.
const FALLBACK_NAME: &str = "daypass";

/// How long to wait for the person's session name.
const NAME_TIMEOUT: Duration = Duration::from_secs(2);

/// A role to assume, and where.
pub struct Step {
    /// What is asked for. An empty name means the person's own.
    pub request: RoleSession,
    /// STS in the region of the role.
    pub sts: Sts,
}

/// A role of the portal, and the roles on top of it.
struct Chain<'a> {
    account: &'a AccountId,
    role: &'a RoleName,
    steps: &'a [Step],
    /// The person's session name, once it was looked up.
    name: OnceCell<String>,
}

impl Broker<'_> {
    /// Fresh credentials of the last of these roles, or unexpired ones if a service fails; those of the portal's role without any.
    ///
    /// `timeout` limits all waiting for locks and services.
    pub fn chained_credentials(
        &self,
        account: &AccountId,
        role: &RoleName,
        steps: &[Step],
        timeout: Duration,
    ) -> Result<RoleCredentials> {
        let chain = Chain { account, role, steps, name: OnceCell::new() };
        self.of_chain(&chain, steps.len(), timeout)
    }

    /// The credentials of the role that the first `length` steps lead to.
    fn of_chain(&self, chain: &Chain<'_>, length: usize, timeout: Duration) -> Result<RoleCredentials> {
        let steps = chain.steps.get(..length).unwrap_or_default();
        let Some(step) = steps.last() else { return self.role_credentials(chain.account, chain.role, timeout) };
        let key = chain.key(length);
        self.by_rule(&key, timeout, |deadline, have_unexpired| {
            let mut lock = self.locks.take(self.session, Scope::Role(&key), deadline)?;
            if let Some(cached) = self.cached_if_fresh(&key)? {
                return Ok(cached);
            }
            let to_error = |error| failure::not_assumed(self.session, &chain.source(length), &step.request.role_arn, error);
            if have_unexpired && let Some(portal::Error::Unavailable(after, why)) = lock.failure(clock::now()) {
                return Err(to_error(sts::Error::Call(crate::aws::Error::Unavailable(after, why))));
            }
            let mut base = self.of_chain(chain, length - 1, deadline.left())?;
            if let Some(portal::Error::Forbidden(why)) = lock.refusal(&base.session_token, clock::now()) {
                return Err(to_error(sts::Error::AccessDenied(why)));
            }
            let token = self.vault.token(self.session)?;
            let mut answer = self.assume(chain, step, &base, deadline);
            if let Err(Failure::Sts(sts::Error::InvalidKeys(why))) = &answer {
                log::info!("STS rejects these keys: {why}");
                base = self.replaced(chain, length - 1, &base, deadline)?;
                answer = self.assume(chain, step, &base, deadline);
            }
            let credentials = answer.map_err(|failure| match failure {
                Failure::Sts(error) => {
                    if let Some(noted) = as_noted(&error) {
                        lock.remember(Some(&base.session_token), clock::now(), &noted);
                    }
                    to_error(error)
                }
                Failure::Local(error) => error,
            })?;
            log::info!("assumed {}", step.request.role_arn);
            // Without a sign-in nothing is stored: a sign-out would have to delete it.
            if token.is_some()
                && let Err(error) = self.store_role(&key, &credentials, token.as_ref())
            {
                log::warn!("the role credentials were not stored: {error:?}");
            }
            lock.clear();
            Ok(credentials)
        })
    }

    /// Assumes a role with these credentials.
    fn assume(
        &self,
        chain: &Chain<'_>,
        step: &Step,
        base: &RoleCredentials,
        deadline: Deadline,
    ) -> std::result::Result<RoleCredentials, Failure> {
        let mut request = step.request.clone();
        if request.name.is_empty() {
            request.name = self.name(chain, step, deadline)?;
        }
        if request.duration.is_some_and(|duration| duration > MAX_DURATION) {
            stderr::say(&format!(
                "daypass: the credentials of {} are valid for one hour, which is AWS's limit for a role that another role assumes",
                request.role_arn
            ));
            request.duration = Some(MAX_DURATION);
        }
        let keys = SigningKeys::from(base);
        Ok(retry::until(deadline, || step.sts.assume_role(&keys, &request, deadline))?)
    }

    /// The session name of the person, which Identity Center chose: looked up once for a chain, with the keys of the portal's role.
    fn name(&self, chain: &Chain<'_>, step: &Step, deadline: Deadline) -> Result<String> {
        if let Some(name) = chain.name.get() {
            return Ok(name.clone());
        }
        let own = self.role_credentials(chain.account, chain.role, deadline.left())?;
        let limit = Deadline::after(NAME_TIMEOUT.min(deadline.left() / 2));
        let name = match step.sts.caller_identity(&SigningKeys::from(&own), limit) {
            Ok(identity) => identity.session_name().filter(|name| is_session_name(name)).map(str::to_owned),
            // The name only makes the session easier to recognise. If STS itself fails, the next request reports it.
            Err(error) => {
                log::info!("the person's session name is not known: {error:?}");
                None
            }
        };
        Ok(chain.name.get_or_init(|| name.unwrap_or_else(|| FALLBACK_NAME.to_owned())).clone())
    }

    /// Other credentials than these, which the service rejects although they have not expired by the clock.
    fn replaced(
        &self,
        chain: &Chain<'_>,
        length: usize,
        rejected: &RoleCredentials,
        deadline: Deadline,
    ) -> Result<RoleCredentials> {
        let key = chain.key(length);
        let cached = self.vault.role(self.session, &key)?;
        if cached.is_some_and(|cached| cached.access_key_id == rejected.access_key_id) {
            self.vault.delete_role(self.session, &key)?;
        }
        self.of_chain(chain, length, deadline.left())
    }
}

impl Chain<'_> {
    /// The key of the credentials that the first `length` steps lead to. It contains everything that the steps ask for.
    fn key(&self, length: usize) -> Kind {
        let steps = self.steps.get(..length).unwrap_or_default();
        let Some(last) = steps.last() else { return Kind::Role(self.account.clone(), self.role.clone()) };
        let mut parts = Vec::new();
        for RoleSession { role_arn, name, external_id, duration, policy, policy_arns, source_identity } in
            steps.iter().map(|step| &step.request)
        {
            let optional = [external_id, policy, source_identity].map(|value| value.clone().unwrap_or_default());
            let duration = duration.map(|duration| duration.as_secs().to_string()).unwrap_or_default();
            parts.extend([role_arn.clone(), name.clone(), duration, policy_arns.join(" ")].into_iter().chain(optional));
        }
        let digest = Assumed::digest(parts.iter().map(String::as_str));
        Kind::Assumed(self.account.clone(), self.role.clone(), Assumed { arn: last.request.role_arn.clone(), digest })
    }

    /// What assumes the role of the last of `length` steps, for messages.
    fn source(&self, length: usize) -> String {
        match length.checked_sub(2).and_then(|at| self.steps.get(at)) {
            Some(step) => step.request.role_arn.clone(),
            None => format!("{} in account {}", self.role, self.account),
        }
    }
}

/// An error of STS, or one that is ready to be shown.
enum Failure {
    Sts(sts::Error),
    Local(Error),
}

impl From<sts::Error> for Failure {
    fn from(error: sts::Error) -> Self {
        Self::Sts(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

/// The error as the lock file records it; None if it is not recorded.
fn as_noted(error: &sts::Error) -> Option<portal::Error> {
    match error {
        sts::Error::AccessDenied(why) => Some(portal::Error::Forbidden(why.clone())),
        sts::Error::Call(error) => Some(error.clone().into()),
        _ => None,
    }
}
