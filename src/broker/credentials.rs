//! Returns tokens and role credentials: from the vault if they are fresh, else from the portal. Touches nothing itself: it calls the
//! vault, the portal, `locks` and `clock`.
//!
//! One rule for every credential: look, lock, look again, act, store, unlock. Any number of processes that ask at once cause one refresh
//! and one exchange, and what is in the vault is returned without lock or network.

use std::cell::Cell;
use std::time::Duration;

use super::failure::{self, Failure};
use super::freshness::{self, CredentialState, TokenState};
use super::locks::{Locks, Scope};
use super::retry;
use crate::credentials::{RoleCredentials, Token};
use crate::error::{Error, Exit, Result};
use crate::portal::{self, Account, AccountRoles, Portal};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::sys::clock::{self, Deadline};
use crate::sys::signal;
use crate::sys::stderr;
use crate::vault::{self, Kind, Vault};

/// How long to wait for fresh role credentials if unexpired ones are cached. The user waits as long, and some SDKs end a helper after
/// five seconds.
const REPLACEMENT_TIMEOUT: Duration = Duration::from_secs(4);

/// A refresh is not started with less time left: if this process ends before the answer arrives, the sign-in is lost.
const MIN_REFRESH_TIME: Duration = Duration::from_secs(2);

/// How long to look for a token that another process may be about to store, before a refresh token counts as unusable.
const REPLACEMENT_WAIT: Duration = Duration::from_secs(2);

/// The pause between two such looks.
const REPLACEMENT_POLL: Duration = Duration::from_millis(100);

/// How far this machine's clock may be wrong without a warning: AWS refuses signatures that are older.
const CLOCK_TOLERANCE: time::Duration = time::Duration::minutes(5);

/// The credentials of one session.
pub struct Broker<'a> {
    pub(super) session: &'a Session,
    pub(super) vault: &'a Vault,
    pub(super) portal: Portal,
    pub(super) locks: Locks,
    portal_session: Cell<Option<PortalSession>>,
}

/// What the portal said about the session of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortalSession {
    /// It accepted it.
    Alive,
    /// It rejected it, so that the person has to sign in again.
    Ended,
}

impl<'a> Broker<'a> {
    /// A broker for this session. Opens and calls nothing.
    pub fn new(session: &'a Session, vault: &'a Vault, portal: Portal, locks: Locks) -> Self {
        Self { session, vault, portal, locks, portal_session: Cell::new(None) }
    }

    /// What the portal has said about the portal session so far; None if it was not asked.
    pub fn portal_session(&self) -> Option<PortalSession> {
        self.portal_session.get()
    }

    /// Notes that the portal has accepted the sign-in. An access token can be valid for longer than the session.
    fn note_alive(&self) {
        if self.portal_session.get().is_none() {
            self.portal_session.set(Some(PortalSession::Alive));
        }
    }

    /// Fresh role credentials, or unexpired ones if the portal fails.
    ///
    /// `timeout` limits all waiting for locks and for the portal.
    pub fn role_credentials(&self, account: &AccountId, role: &RoleName, timeout: Duration) -> Result<RoleCredentials> {
        let key = Kind::Role(account.clone(), role.clone());
        self.by_rule(&key, timeout, |deadline, have_unexpired| self.exchange(&key, account, role, deadline, have_unexpired))
    }

    /// What is cached if it is fresh, else what `replace` returns; if that fails, what is cached and has not expired. `replace` gets its
    /// deadline, and whether unexpired credentials are cached.
    pub(super) fn by_rule(
        &self,
        key: &Kind,
        timeout: Duration,
        replace: impl FnOnce(Deadline, bool) -> Result<RoleCredentials>,
    ) -> Result<RoleCredentials> {
        let deadline = Deadline::after(timeout);
        let at_hand = readable(self.vault.role_at_hand(self.session, key))?;
        let cached = at_hand.map(|cached| (freshness::credential_state(&cached, clock::now()), cached));
        match cached {
            Some((CredentialState::Fresh, cached)) => {
                log::info!("the cached role credentials are fresh: no request");
                Ok(cached)
            }
            Some((CredentialState::Stale, cached)) => {
                log::info!("the cached role credentials expire soon: asking for new ones");
                replace(Deadline::after(timeout.min(REPLACEMENT_TIMEOUT)), true).or_else(|error| use_unexpired(cached, error))
            }
            Some((CredentialState::Expired, _)) | None => {
                log::info!("no valid role credentials are cached");
                replace(deadline, false).or_else(|error| match self.cached(key) {
                    // Those that did not fit in the cache were not looked for.
                    Ok(Some(cached)) => use_unexpired(cached, error),
                    _ => Err(error),
                })
            }
        }
    }

    /// Asks the portal whether it accepts this sign-in. Refreshes and stores nothing. Also returns how far the service's clock is ahead of
    /// this machine's, if there was an answer.
    pub fn check_sign_in(&self, token: &Token, timeout: Duration) -> (Result<()>, Option<time::Duration>) {
        let accounts = self.portal.accounts(token, timeout);
        let result = accounts.map(drop).map_err(|error| failure::to_error(self.session, error.into()));
        (result, self.portal.clock_offset())
    }

    /// The cached credentials, expired ones too.
    fn cached(&self, key: &Kind) -> Result<Option<RoleCredentials>> {
        readable(self.vault.role(self.session, key))
    }

    /// The cached credentials if they are fresh: a second look, under the lock.
    pub(super) fn cached_if_fresh(&self, key: &Kind) -> Result<Option<RoleCredentials>> {
        let is_fresh = |cached: &RoleCredentials| freshness::credential_state(cached, clock::now()) == CredentialState::Fresh;
        Ok(self.cached(key)?.filter(is_fresh))
    }

    /// Fetches role credentials, unless another process has just done so. If `have_unexpired` ones, a portal that has just failed is not
    /// called again.
    fn exchange(
        &self,
        key: &Kind,
        account: &AccountId,
        role: &RoleName,
        deadline: Deadline,
        have_unexpired: bool,
    ) -> Result<RoleCredentials> {
        let mut lock = self.locks.take(self.session, Scope::Role(key), deadline)?;
        if let Some(cached) = self.cached_if_fresh(key)? {
            log::info!("another daypass has fetched them meanwhile");
            return Ok(cached);
        }
        let to_error = |error: portal::Error| match error {
            portal::Error::Forbidden(why) => failure::refused(self.session, account, role, &why),
            other => failure::to_error(self.session, other.into()),
        };
        if have_unexpired && let Some(error) = lock.failure(clock::now()) {
            return Err(to_error(error));
        }
        let mut used = None;
        let answer = self.usable_token(deadline).and_then(|token| {
            if let Some(error) = lock.refusal(&token.access, clock::now()) {
                return Err(error.into());
            }
            self.with_token(&token, deadline, |token| {
                used = Some(token.clone());
                retry::until(deadline, || self.portal.role_credentials(token, account, role, deadline)).map_err(|error| match error
                {
                    // Only the account and the role of this request can be invalid.
                    portal::Error::InvalidRequest(why) => portal::Error::Forbidden(why),
                    other => other,
                })
            })
        });
        let credentials = answer.map_err(|failure| match failure {
            Failure::Portal(error) => {
                lock.remember(used.as_ref().map(|token| &token.access), clock::now(), &error);
                to_error(error)
            }
            Failure::Local(error) => error,
        })?;
        log::info!("fetched from the portal");
        self.warn_of_wrong_clock();
        if let Err(error) = self.store_role(key, &credentials, used.as_ref()) {
            log::warn!("the role credentials were not stored: {error:?}");
        }
        lock.clear();
        Ok(credentials)
    }

    /// Stores role credentials, if the token they were fetched with is still the session's. After a sign-out nothing may be stored, and
    /// after another person's sign-in these would not be theirs.
    ///
    /// No lock is needed. A sign-out or sign-in changes the token first and deletes the role credentials second. This function stores
    /// them first and reads the token second. So at least one of the two sees the other.
    pub(super) fn store_role(&self, key: &Kind, credentials: &RoleCredentials, by: Option<&Token>) -> vault::Result<()> {
        self.vault.store_role(self.session, key, credentials)?;
        let current = self.vault.token(self.session).ok().flatten();
        if current.map(|token| token.access).as_ref() == by.map(|token| &token.access) {
            return Ok(());
        }
        self.vault.delete_role(self.session, key)?;
        log::info!("the sign-in has changed: these role credentials are not stored");
        Ok(())
    }

    /// A token that is valid by the clock; refreshed if it expires soon.
    pub fn token(&self, deadline: Deadline) -> Result<Token> {
        self.usable_token(deadline).map_err(|failure| failure::to_error(self.session, failure))
    }

    fn usable_token(&self, deadline: Deadline) -> std::result::Result<Token, Failure> {
        self.settle(deadline);
        let Some(token) = self.vault.token(self.session)? else {
            return Err(portal::Error::Unauthorized(String::new()).into());
        };
        match freshness::token_state(&token, clock::now()) {
            TokenState::Valid => {
                log::info!("the token is valid: not refreshed");
                Ok(token)
            }
            TokenState::SignInRequired => Err(portal::Error::Unauthorized("the sign-in has expired".to_owned()).into()),
            TokenState::RefreshNow => self.renew(&token, RefreshReason::Expiring, deadline),
            TokenState::RefreshSoon => {
                // It still works, and the call that needs it needs time too.
                let half = Deadline::after(deadline.left() / 2);
                match self.renew(&token, RefreshReason::Expiring, half) {
                    // The next call would fail alike, and a proxy may lock the account after a few attempts.
                    Err(failure @ Failure::Portal(portal::Error::Unreachable(..))) => Err(failure),
                    Err(failure) => {
                        log::warn!("the token expires soon and could not be refreshed: {failure:?}");
                        Ok(token)
                    }
                    renewed => renewed,
                }
            }
        }
    }

    /// A token that was refreshed now, or by another process a moment ago.
    pub fn refreshed(&self, token: &Token, deadline: Deadline) -> Result<Token> {
        self.renew(token, RefreshReason::Expiring, deadline).map_err(|failure| failure::to_error(self.session, failure))
    }

    /// Calls the portal with a token. If the portal rejects it, whatever the clock says, it is refreshed once.
    fn with_token<T>(
        &self,
        token: &Token,
        deadline: Deadline,
        mut call: impl FnMut(&Token) -> std::result::Result<T, portal::Error>,
    ) -> std::result::Result<T, Failure> {
        match call(token) {
            Err(portal::Error::Unauthorized(why)) => {
                log::info!("the portal rejects this token: {why}");
                let renewed = self.renew(token, RefreshReason::Rejected, deadline)?;
                Ok(call(&renewed)?)
            }
            other => {
                if other.is_ok() {
                    self.note_alive();
                }
                Ok(other?)
            }
        }
    }

    /// Replaces a token with a refreshed one, unless another process has just done so.
    fn renew(&self, old: &Token, reason: RefreshReason, deadline: Deadline) -> std::result::Result<Token, Failure> {
        let _lock = self.locks.take(self.session, Scope::Token, deadline)?;
        let Some(token) = self.vault.token(self.session)? else {
            return Err(portal::Error::Unauthorized(String::new()).into());
        };
        let now = clock::now();
        if token.access != old.access && now < token.expires_at {
            return Ok(token);
        }
        let rejected = reason == RefreshReason::Rejected && token.access == old.access;
        if !token.refreshable(now) {
            // Nothing is deleted because of the clock alone: it may be set back.
            if rejected {
                self.portal_session.set(Some(PortalSession::Ended));
                self.vault.delete_token(self.session)?;
            }
            return Err(portal::Error::Unauthorized("the sign-in can't be refreshed".to_owned()).into());
        }
        // The request uses up the refresh token. A vault that can't store this one now (a full disk) can't store the next one either.
        self.store_or_rescue(&token)?;
        let answer = retry::until_with(deadline, MIN_REFRESH_TIME, || {
            let hold = signal::hold();
            self.portal.refresh(&token, deadline).map(|renewed| (renewed, hold))
        });
        match answer {
            Ok((renewed, _hold)) => {
                // Before anything else, also before a signal is handled: the old refresh token is used up.
                self.store_refreshed(&renewed);
                self.note_alive();
                log::info!("the token was refreshed");
                Ok(renewed)
            }
            Err(portal::Error::InvalidGrant(why)) => {
                let stored = self.replacement(&token, deadline)?;
                let now = clock::now();
                if stored.as_ref() == Some(&token) {
                    self.portal_session.set(Some(PortalSession::Ended));
                }
                match stored {
                    Some(other) if other != token && now < other.expires_at => return Ok(other),
                    Some(same) if same == token && (rejected || token.expires_at <= now) => {
                        self.vault.delete_token(self.session)?;
                    }
                    // It can be used until it expires, but not be refreshed again.
                    Some(same) if same == token => {
                        self.vault.store_token(self.session, &Token { refresh: None, ..token })?;
                    }
                    _ => {}
                }
                Err(portal::Error::Unauthorized(why).into())
            }
            // The registration is not accepted, which says nothing about the refresh token: nothing is deleted.
            Err(portal::Error::InvalidClient(why)) => Err(portal::Error::Unauthorized(why).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The stored token, as soon as it is another than this one, or after [`REPLACEMENT_WAIT`].
    ///
    /// A process that does not share this lock (on another host with the same home) may have refreshed first, and its token may not be
    /// stored yet.
    fn replacement(&self, token: &Token, deadline: Deadline) -> std::result::Result<Option<Token>, Failure> {
        let limit = Deadline::after(REPLACEMENT_WAIT.min(deadline.left()));
        loop {
            let stored = self.vault.token(self.session)?;
            if limit.passed() || stored.as_ref() != Some(token) {
                return Ok(stored);
            }
            clock::sleep(REPLACEMENT_POLL.min(limit.left()));
        }
    }

    /// Warns if this machine's clock differs from the service's by more than [`CLOCK_TOLERANCE`].
    pub(super) fn warn_of_wrong_clock(&self) {
        let Some(ahead) = self.portal.clock_offset().filter(|offset| offset.abs() > CLOCK_TOLERANCE) else { return };
        let (hours, minutes) = (ahead.whole_hours().abs(), ahead.whole_minutes().abs() % 60);
        let difference = if hours > 0 { format!("{hours} h {minutes} min") } else { format!("{minutes} min") };
        let direction = if ahead.is_positive() { "behind" } else { "ahead" };
        stderr::say(&format!(
            "daypass: this machine's clock is {difference} {direction}: set it, because AWS tools misjudge when credentials expire, and AWS \
             refuses their requests"
        ));
    }

    /// All accounts that the session can reach.
    pub fn accounts(&self, timeout: Duration) -> Result<Vec<Account>> {
        let deadline = Deadline::after(timeout);
        let token = self.token(deadline)?;
        let list = |token: &Token| self.portal.accounts(token, deadline.left());
        self.with_token(&token, deadline, list).map_err(|failure| failure::to_error(self.session, failure))
    }

    /// The roles of each of these accounts, in their order; an error text for each account that the portal refuses. `timeout` is for one
    /// answer of the portal; `done` gets the number of accounts that are done.
    pub fn roles_of(&self, accounts: &[AccountId], timeout: Duration, done: &mut dyn FnMut(usize)) -> Result<Vec<AccountRoles>> {
        // The calls are rate-limited, and a token that expires meanwhile is refreshed.
        let calls = portal::MIN_INTERVAL.saturating_mul(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
        let deadline = Deadline::after(timeout.saturating_add(calls));
        let token = self.token(deadline)?;
        let list = |token: &Token| self.portal.roles_of(token, accounts, timeout, done);
        self.with_token(&token, deadline, list).map_err(|failure| failure::to_error(self.session, failure))
    }
}

/// A cache that can't be read counts as empty: if the whole keyring fails, reading the token, which follows, reports it. A keyring that
/// timed out is reported at once, because it would time out again.
fn readable(cached: vault::Result<Option<RoleCredentials>>) -> Result<Option<RoleCredentials>> {
    match cached {
        Err(error @ vault::Error::TimedOut(_)) => Err(error.into()),
        Err(error) => {
            log::warn!("the cached role credentials can't be read: {error:?}");
            Ok(None)
        }
        Ok(cached) => Ok(cached),
    }
}

/// Returns unexpired credentials if the portal fails. A refusal is not a failure: access that was taken away is not extended.
fn use_unexpired(cached: RoleCredentials, error: Error) -> Result<RoleCredentials> {
    if error.exit == Exit::Refused || freshness::credential_state(&cached, clock::now()) == CredentialState::Expired {
        return Err(error);
    }
    log::warn!("returning role credentials that expire soon: {error}");
    Ok(cached)
}

/// Why a token is refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshReason {
    /// It has expired or expires soon, by the clock.
    Expiring,
    /// The portal rejects it.
    Rejected,
}
