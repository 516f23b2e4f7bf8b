//! One rule for every credential: look, lock, look again, act, keep, unlock. So any number of processes that ask at once cause one refresh
//! and one exchange, and what is in the vault is handed out without lock or network.
//!
//! It touches nothing itself: the vault keeps, the portal answers, `locks` wait, `clock` tells the time.

pub mod device;
pub mod fresh;
mod locks;
pub mod pkce;
mod retry;
mod sign_in;

use std::time::Duration;

use crate::clock::{self, Deadline};
use crate::error::{Error, Exit, Result};
use crate::grant::{RoleCredentials, Token};
use crate::portal::{self, Account, Fault, Portal};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::resolve::typed;
use crate::signal;
use crate::terminal;
use crate::vault::{self, Vault};

pub use locks::Locks;
use locks::Scope;
pub use sign_in::{Event, Flow, Person, Waiting, Way, Wish};

/// How long fresh role credentials are waited for while others are in hand that still live. An SDK's user waits as long, and some
/// SDKs give a helper five seconds in all.
const WITH_SOME_IN_HAND: Duration = Duration::from_secs(4);

/// A refresh is not begun with less time left: an answer that comes when we have gone is a sign-in lost.
const LEAST_FOR_REFRESH: Duration = Duration::from_secs(2);

/// The credentials of one session.
pub struct Broker<'a> {
    session: &'a Session,
    vault: &'a Vault,
    portal: Portal,
    locks: Locks,
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
        let kept = self.cached(account, role)?.map(|kept| (fresh::role(&kept, clock::now()), kept));
        match kept {
            Some((fresh::Role::Fresh, kept)) => Ok(kept),
            Some((fresh::Role::Ageing, kept)) => {
                let sooner = Deadline::after(patience.min(WITH_SOME_IN_HAND));
                self.exchange(account, role, sooner, true).or_else(|error| stretch(kept, error))
            }
            Some((fresh::Role::Expired, _)) | None => self.exchange(account, role, deadline, false),
        }
    }

    /// What is cached for the role, whatever its age. A cache that can't be read holds nothing: if it is the whole keyring that fails,
    /// the reading of the sign-in, which is next, says so. But what hangs once would hang again.
    fn cached(&self, account: &AccountId, role: &RoleName) -> Result<Option<RoleCredentials>> {
        match self.vault.role(self.session, account, role) {
            Err(fault @ vault::Fault::TimedOut(_)) => Err(fault.into()),
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
            && fresh::role(&kept, clock::now()) == fresh::Role::Fresh
        {
            return Ok(kept);
        }
        let means = |fault: Fault| match fault {
            Fault::Refused(why) => self.refused(account, role, &why),
            other => self.error(other.into()),
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
                    Fault::Unsuited(why) => Fault::Refused(why),
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
            terminal::say(
                "daypass: the role credentials that were just issued have expired by this machine's clock: check its time",
            );
        }
        if let Err(fault) = self.keep_role(account, role, &credentials, used.as_ref()) {
            tracing::warn!(?fault, "role credentials are not kept");
        }
        Ok(credentials)
    }

    /// Keeps what was fetched, if the sign-in that fetched it is still the one: after a sign-out nothing may come back, and after a
    /// sign-in by somebody else it would not be theirs.
    ///
    /// No lock is needed. Whoever signs out or in changes the sign-in first and forgets the role credentials then; here they are kept
    /// first, and the sign-in is looked at then (the look before that only spares the keeping). So one of the two sees the other.
    fn keep_role(
        &self,
        account: &AccountId,
        role: &RoleName,
        credentials: &RoleCredentials,
        by: Option<&Token>,
    ) -> vault::Outcome<()> {
        let by = by.map(|token| &token.access);
        let still = || Ok(self.vault.token(self.session)?.as_ref().map(|token| &token.access) == by);
        if still()? {
            self.vault.keep_role(self.session, account, role, credentials)?;
            if still().unwrap_or(false) {
                return Ok(());
            }
            self.vault.forget_role(self.session, account, role)?;
        }
        tracing::info!("the sign-in has changed: these role credentials are not kept");
        Ok(())
    }

    /// A token that the portal takes, by all that the clock says; refreshed if it is close to its end.
    pub fn token(&self, deadline: Deadline) -> Result<Token> {
        self.usable_token(deadline).map_err(|failure| self.error(failure))
    }

    fn usable_token(&self, deadline: Deadline) -> std::result::Result<Token, Failure> {
        let Some(token) = self.vault.token(self.session)? else {
            return Err(Fault::SignIn("not signed in".to_owned()).into());
        };
        match fresh::token(&token, clock::now()) {
            fresh::Sign::Good => Ok(token),
            fresh::Sign::In => Err(Fault::SignIn("the sign-in has expired".to_owned()).into()),
            fresh::Sign::Refresh => self.renew(&token, Cause::Clock, deadline),
            fresh::Sign::Ageing => {
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
        self.renew(token, Cause::Clock, deadline).map_err(|failure| self.error(failure))
    }

    /// Calls the portal with a token; one that it takes no more, whatever the clock says, is refreshed once.
    fn with_token<T>(
        &self,
        token: &Token,
        deadline: Deadline,
        mut call: impl FnMut(&Token) -> std::result::Result<T, Fault>,
    ) -> std::result::Result<T, Failure> {
        match call(token) {
            Err(Fault::SignIn(why)) => {
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
            return Err(Fault::SignIn("not signed in".to_owned()).into());
        };
        let now = clock::now();
        if token.access != old.access && now < token.expires_at {
            return Ok(token);
        }
        let refused = cause == Cause::Refused && token.access == old.access;
        if !token.refreshable(now) {
            // By the clock alone nothing is thrown away: it may jump back.
            if refused {
                self.vault.forget_token(self.session)?;
            }
            return Err(Fault::SignIn("the sign-in can't be refreshed".to_owned()).into());
        }
        // The request spends the refresh token. In a vault that can't take the next one (a full disk) this one is worth more.
        self.vault.keep_token(self.session, &token)?;
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
            Err(Fault::Spent(why) | Fault::Registration(why)) => {
                // Somebody without our lock (another host's home, another tool's copy) may have been first.
                match self.vault.token(self.session)? {
                    Some(newer) if newer.refresh != token.refresh && now < newer.expires_at => return Ok(newer),
                    _ if refused || token.expires_at <= now => self.vault.forget_token(self.session)?,
                    _ => self.vault.keep_token(self.session, &Token { refresh: None, ..token })?,
                }
                Err(Fault::SignIn(why).into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Keeps a token that was just received. The old one is spent, so a vault that fails is tried twice, and then said.
    fn keep(&self, token: &Token) {
        let kept = self.vault.keep_token(self.session, token).or_else(|_| self.vault.keep_token(self.session, token));
        if let Err(fault) = kept {
            let error = Error::from(fault);
            terminal::say(&format!(
                "daypass: the refreshed sign-in could not be kept ({}): 'daypass login' will be needed",
                error.what
            ));
        }
    }

    /// All accounts that the session can reach.
    pub fn accounts(&self, patience: Duration) -> Result<Vec<Account>> {
        let deadline = Deadline::after(patience);
        let token = self.token(deadline)?;
        let list = |token: &Token| {
            portal::all_pages(|page| retry::until(deadline, || self.portal.accounts(token, page.clone(), deadline)))
        };
        self.with_token(&token, deadline, list).map_err(|failure| self.error(failure))
    }

    /// The roles of each of these accounts, in their order, all of them or none. `patience` is for one answer of the portal; `done` hears
    /// how many accounts are done.
    pub fn roles_of(&self, accounts: &[AccountId], patience: Duration, done: &mut dyn FnMut(usize)) -> Result<Vec<Vec<RoleName>>> {
        // The calls are paced: a sign-in that ends in the middle is renewed then.
        let paced = portal::APART.saturating_mul(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
        let deadline = Deadline::after(patience.saturating_add(paced));
        let token = self.token(deadline)?;
        let list = |token: &Token| self.portal.roles_of(token, accounts, patience, done);
        self.with_token(&token, deadline, list).map_err(|failure| self.error(failure))
    }

    fn refused(&self, account: &AccountId, role: &RoleName, why: &str) -> Error {
        Error::new(
            Exit::Refused,
            format!("the portal refuses role {role} in account {account}: {why}"),
            format!("daypass list {}", self.named()),
        )
    }

    fn sign_in_needed(&self, why: &str) -> Error {
        Error::new(Exit::SignIn, format!("sign-in to {} needed: {why}", self.session.name), self.login())
    }

    /// The command that signs in to this session.
    fn login(&self) -> String {
        format!("daypass login {}", self.named())
    }

    /// The session as a command takes it. One without a block is called by its address.
    fn named(&self) -> String {
        let Session { name, start_url, region, .. } = self.session;
        if name == start_url {
            format!("--start-url {} --sso-region {}", typed(start_url), typed(region))
        } else {
            typed(name).into_owned()
        }
    }

    /// What a failure means to the user.
    fn error(&self, failure: Failure) -> Error {
        let Session { name, start_url, region, .. } = self.session;
        match failure {
            Failure::Ours(error) => error,
            Failure::Portal(fault) => match fault {
                Fault::SignIn(why) | Fault::Spent(why) | Fault::Registration(why) => self.sign_in_needed(&why),
                Fault::Denied(why) => Error::failed(format!("the sign-in to {name} was refused: {why}"), self.login()),
                Fault::CodeExpired => {
                    Error::failed(format!("nobody approved the sign-in to {name} before its code expired"), self.login())
                }
                Fault::Pending | Fault::SlowDown => {
                    Error::failed(format!("the sign-in to {name} is not approved yet"), self.login())
                }
                Fault::Refused(why) => {
                    Error::new(Exit::Refused, format!("the portal refuses: {why}"), format!("daypass list {}", self.named()))
                }
                Fault::Unsuited(why) => Error::failed(
                    format!("IAM Identity Center in {region} does not accept {start_url}: {why}"),
                    format!(
                        "check the start URL and the region: daypass configure --session {} --start-url URL --sso-region REGION",
                        if name == start_url { "NAME".into() } else { typed(name) }
                    ),
                ),
                Fault::Busy(_, why) => Error::new(
                    Exit::Unreachable,
                    format!("IAM Identity Center in {region} can't be reached: {why}"),
                    "check the network (HTTPS_PROXY and NO_PROXY are honoured), then try again",
                ),
                Fault::Nonsense(why) => Error::new(
                    Exit::Unreachable,
                    format!("what answers for IAM Identity Center in {region} is something else: {why}"),
                    "check for a captive portal or a proxy, and AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL_SSO_OIDC and AWS_ENDPOINT_URL",
                ),
                Fault::Settings(why) => Error::usage(
                    why,
                    "check AWS_ENDPOINT_URL*, AWS_CA_BUNDLE, HTTPS_PROXY and the endpoint settings of the profile",
                ),
            },
        }
    }
}

/// Serves what still lives, where the portal fails. A refusal is an answer and no failure: access that was taken away is not stretched.
fn stretch(kept: RoleCredentials, error: Error) -> Result<RoleCredentials> {
    if error.exit == Exit::Refused || fresh::role(&kept, clock::now()) == fresh::Role::Expired {
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

/// A portal's fault, or what went wrong on this side.
#[derive(Debug)]
enum Failure {
    Portal(Fault),
    Ours(Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Portal(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<vault::Fault> for Failure {
    fn from(fault: vault::Fault) -> Self {
        Self::Ours(fault.into())
    }
}

/// The service's own words.
fn why(fault: Fault) -> String {
    match fault {
        Fault::SignIn(why)
        | Fault::Spent(why)
        | Fault::Registration(why)
        | Fault::Denied(why)
        | Fault::Refused(why)
        | Fault::Unsuited(why)
        | Fault::Busy(_, why)
        | Fault::Nonsense(why)
        | Fault::Settings(why) => why,
        Fault::Pending | Fault::SlowDown | Fault::CodeExpired => String::new(),
    }
}
