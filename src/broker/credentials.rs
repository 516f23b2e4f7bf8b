//! One rule for every credential: look, lock, look again, act, keep, unlock. So any number of processes that ask at once cause one refresh
//! and one exchange, and what is in the vault is handed out without lock or network.
//!
//! It touches nothing itself: the vault keeps, the portal answers, `locks` wait, `clock` tells the time.

use std::time::Duration;

use super::failure::{self, Failure};
use super::freshness::{self, CredentialState, TokenState};
use super::locks::{Locks, Scope};
use super::retry;
use crate::credentials::{RoleCredentials, Token};
use crate::error::{Error, Exit, Result};
use crate::portal::{self, Account, Portal};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::sys::clock::{self, Deadline};
use crate::sys::signal;
use crate::sys::stderr;
use crate::vault::{self, Vault};

/// How long fresh role credentials are waited for while others are in hand that still live. An SDK's user waits as long, and some
/// SDKs give a helper five seconds in all.
const WITH_SOME_IN_HAND: Duration = Duration::from_secs(4);

/// A refresh is not begun with less time left: an answer that comes when we have gone is a sign-in lost.
const LEAST_FOR_REFRESH: Duration = Duration::from_secs(2);

/// The credentials of one session.
pub struct Broker<'a> {
    pub(super) session: &'a Session,
    pub(super) vault: &'a Vault,
    pub(super) portal: Portal,
    pub(super) locks: Locks,
}

impl<'a> Broker<'a> {
    /// Nothing is opened or called yet.
    pub fn new(session: &'a Session, vault: &'a Vault, portal: Portal, locks: Locks) -> Self {
        Self { session, vault, portal, locks }
    }

    /// Role credentials that live long enough, or at least still live where the portal fails.
    ///
    /// `patience` bounds all waiting for locks and for the portal.
    pub fn role_credentials(&self, account: &AccountId, role: &RoleName, patience: Duration) -> Result<RoleCredentials> {
        let deadline = Deadline::after(patience);
        let kept = self.cached(account, role)?.map(|kept| (freshness::credential_state(&kept, clock::now()), kept));
        match kept {
            Some((CredentialState::Fresh, kept)) => Ok(kept),
            Some((CredentialState::Stale, kept)) => {
                let sooner = Deadline::after(patience.min(WITH_SOME_IN_HAND));
                self.exchange(account, role, sooner, true).or_else(|error| stretch(kept, error))
            }
            Some((CredentialState::Expired, _)) | None => self.exchange(account, role, deadline, false),
        }
    }

    /// What is cached for the role, whatever its age. A cache that can't be read holds nothing: if it is the whole keyring that fails,
    /// the reading of the sign-in, which is next, says so. But what hangs once would hang again.
    fn cached(&self, account: &AccountId, role: &RoleName) -> Result<Option<RoleCredentials>> {
        match self.vault.role(self.session, account, role) {
            Err(fault @ vault::Error::TimedOut(_)) => Err(fault.into()),
            Err(fault) => {
                tracing::warn!(?fault, "the cached role credentials can't be read");
                Ok(None)
            }
            Ok(kept) => Ok(kept),
        }
    }

    /// Fetches role credentials, unless another process has just done so. With some in hand that still live, a portal that has just
    /// failed is not asked again.
    fn exchange(&self, account: &AccountId, role: &RoleName, deadline: Deadline, in_hand: bool) -> Result<RoleCredentials> {
        let mut lock = self.locks.take(self.session, Scope::Role(account, role), deadline)?;
        if let Some(kept) = self.cached(account, role)?
            && freshness::credential_state(&kept, clock::now()) == CredentialState::Fresh
        {
            return Ok(kept);
        }
        let means = |fault: portal::Error| match fault {
            portal::Error::Forbidden(why) => failure::refused(self.session, account, role, &why),
            other => failure::to_error(self.session, other.into()),
        };
        if in_hand && let Some(fault) = lock.failure(clock::now()) {
            return Err(means(fault));
        }
        let mut used = None;
        let answer = self.usable_token(deadline).and_then(|token| {
            if let Some(fault) = lock.refusal(&token, clock::now()) {
                return Err(fault.into());
            }
            self.with_token(&token, deadline, |token| {
                used = Some(token.clone());
                retry::until(deadline, || self.portal.role_credentials(token, account, role, deadline)).map_err(|fault| match fault
                {
                    // Only the account and the role can be unsuited.
                    portal::Error::InvalidRequest(why) => portal::Error::Forbidden(why),
                    other => other,
                })
            })
        });
        let credentials = answer.map_err(|failure| match failure {
            Failure::Portal(fault) => {
                lock.remember(used.as_ref(), clock::now(), &fault);
                means(fault)
            }
            Failure::Ours(error) => error,
        })?;
        if credentials.expires_at <= clock::now() {
            stderr::say("daypass: the role credentials that were just issued have expired by this machine's clock: check its time");
        }
        if let Err(fault) = self.store_role(account, role, &credentials, used.as_ref()) {
            tracing::warn!(?fault, "role credentials are not kept");
        }
        Ok(credentials)
    }

    /// Keeps what was fetched, if the sign-in that fetched it is still the one: after a sign-out nothing may come back, and after a
    /// sign-in by somebody else it would not be theirs.
    ///
    /// No lock is needed. Whoever signs out or in changes the sign-in first and forgets the role credentials then; here they are kept
    /// first, and the sign-in is looked at then (the look before that only spares the keeping). So one of the two sees the other.
    fn store_role(
        &self,
        account: &AccountId,
        role: &RoleName,
        credentials: &RoleCredentials,
        by: Option<&Token>,
    ) -> vault::Result<()> {
        let by = by.map(|token| &token.access);
        let still = || Ok(self.vault.token(self.session)?.as_ref().map(|token| &token.access) == by);
        if still()? {
            self.vault.store_role(self.session, account, role, credentials)?;
            if still().unwrap_or(false) {
                return Ok(());
            }
            self.vault.delete_role(self.session, account, role)?;
        }
        tracing::info!("the sign-in has changed: these role credentials are not kept");
        Ok(())
    }

    /// A token that the portal takes, by all that the clock says; refreshed if it is close to its end.
    pub fn token(&self, deadline: Deadline) -> Result<Token> {
        self.usable_token(deadline).map_err(|failure| failure::to_error(self.session, failure))
    }

    fn usable_token(&self, deadline: Deadline) -> std::result::Result<Token, Failure> {
        let Some(token) = self.vault.token(self.session)? else {
            return Err(portal::Error::Unauthorized("not signed in".to_owned()).into());
        };
        match freshness::token_state(&token, clock::now()) {
            TokenState::Valid => Ok(token),
            TokenState::SignInRequired => Err(portal::Error::Unauthorized("the sign-in has expired".to_owned()).into()),
            TokenState::RefreshNow => self.renew(&token, Cause::Clock, deadline),
            TokenState::RefreshSoon => {
                // It still works: what it is for needs time too.
                let sooner = Deadline::after(deadline.left() / 2);
                self.renew(&token, Cause::Clock, sooner).or_else(|failure| {
                    tracing::warn!(?failure, "the token is close to its end and could not be refreshed");
                    Ok(token)
                })
            }
        }
    }

    /// A token refreshed now, or by another process a moment ago.
    pub fn refreshed(&self, token: &Token, deadline: Deadline) -> Result<Token> {
        self.renew(token, Cause::Clock, deadline).map_err(|failure| failure::to_error(self.session, failure))
    }

    /// Calls the portal with a token; one that it takes no more, whatever the clock says, is refreshed once.
    fn with_token<T>(
        &self,
        token: &Token,
        deadline: Deadline,
        mut call: impl FnMut(&Token) -> std::result::Result<T, portal::Error>,
    ) -> std::result::Result<T, Failure> {
        match call(token) {
            Err(portal::Error::Unauthorized(why)) => {
                tracing::info!(why, "the portal takes this token no more");
                let renewed = self.renew(token, Cause::Refused, deadline)?;
                Ok(call(&renewed)?)
            }
            other => Ok(other?),
        }
    }

    /// Replaces a token by a refreshed one, unless another process has just done so.
    fn renew(&self, old: &Token, cause: Cause, deadline: Deadline) -> std::result::Result<Token, Failure> {
        let _lock = self.locks.take(self.session, Scope::Token, deadline)?;
        let Some(token) = self.vault.token(self.session)? else {
            return Err(portal::Error::Unauthorized("not signed in".to_owned()).into());
        };
        let now = clock::now();
        if token.access != old.access && now < token.expires_at {
            return Ok(token);
        }
        let refused = cause == Cause::Refused && token.access == old.access;
        if !token.refreshable(now) {
            // By the clock alone nothing is thrown away: it may jump back.
            if refused {
                self.vault.delete_token(self.session)?;
            }
            return Err(portal::Error::Unauthorized("the sign-in can't be refreshed".to_owned()).into());
        }
        // The request spends the refresh token. In a vault that can't take the next one (a full disk) this one is worth more.
        self.vault.store_token(self.session, &token)?;
        let answer = retry::until_with(deadline, LEAST_FOR_REFRESH, || {
            let hold = signal::hold();
            self.portal.refresh(&token, deadline).map(|renewed| (renewed, hold))
        });
        match answer {
            Ok((renewed, _hold)) => {
                // Before anything else, signals too: the old refresh token is spent.
                self.keep(&renewed);
                Ok(renewed)
            }
            Err(portal::Error::InvalidGrant(why) | portal::Error::InvalidClient(why)) => {
                // Somebody without our lock (another host's home, another tool's copy) may have been first.
                match self.vault.token(self.session)? {
                    Some(newer) if newer.refresh != token.refresh && now < newer.expires_at => return Ok(newer),
                    _ if refused || token.expires_at <= now => self.vault.delete_token(self.session)?,
                    _ => self.vault.store_token(self.session, &Token { refresh: None, ..token })?,
                }
                Err(portal::Error::Unauthorized(why).into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Keeps a token that was just received. The old one is spent, so a vault that fails is tried twice, and then said.
    fn keep(&self, token: &Token) {
        let kept = self.vault.store_token(self.session, token).or_else(|_| self.vault.store_token(self.session, token));
        if let Err(fault) = kept {
            let error = Error::from(fault);
            stderr::say(&format!(
                "daypass: the refreshed sign-in could not be kept ({}): 'daypass login' will be needed",
                error.what
            ));
        }
    }

    /// All accounts that the session can reach.
    pub fn accounts(&self, patience: Duration) -> Result<Vec<Account>> {
        let deadline = Deadline::after(patience);
        let token = self.token(deadline)?;
        let list = |token: &Token| self.portal.accounts(token, deadline.left());
        self.with_token(&token, deadline, list).map_err(|failure| failure::to_error(self.session, failure))
    }

    /// The roles of each of these accounts, in their order, all of them or none. `patience` is for one answer of the portal; `done` hears
    /// how many accounts are done.
    pub fn roles_of(&self, accounts: &[AccountId], patience: Duration, done: &mut dyn FnMut(usize)) -> Result<Vec<Vec<RoleName>>> {
        // The calls are paced: a sign-in that ends in the middle is renewed then.
        let paced = portal::MIN_INTERVAL.saturating_mul(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
        let deadline = Deadline::after(patience.saturating_add(paced));
        let token = self.token(deadline)?;
        let list = |token: &Token| self.portal.roles_of(token, accounts, patience, done);
        self.with_token(&token, deadline, list).map_err(|failure| failure::to_error(self.session, failure))
    }
}

/// Serves what still lives, where the portal fails. A refusal is an answer and no failure: access that was taken away is not stretched.
fn stretch(kept: RoleCredentials, error: Error) -> Result<RoleCredentials> {
    if error.exit == Exit::Refused || freshness::credential_state(&kept, clock::now()) == CredentialState::Expired {
        return Err(error);
    }
    tracing::warn!(%error, "serving role credentials that are close to their end");
    Ok(kept)
}

/// Why a token is refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// By the clock it is at its end or close to it.
    Clock,
    /// The portal takes it no more.
    Refused,
}
