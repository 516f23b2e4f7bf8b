//! One rule for every credential: look, lock, look again, act, keep, unlock. So any number of processes that ask at once cause one refresh
//! and one exchange, and what is in the vault is handed out without lock or network.
//!
//! It touches nothing itself: the vault keeps, the portal answers, [`locks`] wait, `clock` tells the time.

pub mod device;
pub mod fresh;
mod locks;
mod retry;
mod sign_in;

use std::time::Duration;

use crate::clock::{self, Deadline};
use crate::error::{Error, Exit, Result};
use crate::grant::{RoleCredentials, Token};
use crate::portal::{self, Account, Fault, Portal};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::terminal;
use crate::vault::Vault;

pub use locks::Locks;
use locks::{Held, Scope};
pub use sign_in::Shown;

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
    /// `patience` bounds the whole call.
    pub fn role_credentials(&self, account: &AccountId, role: &RoleName, patience: Duration) -> Result<RoleCredentials> {
        let kept = self.vault.role(self.session, account, role)?;
        let now = clock::now();
        if let Some(kept) = &kept
            && fresh::role(kept, now) == fresh::Role::Fresh
        {
            return Ok(kept.clone());
        }
        let deadline = Deadline::after(patience);
        self.exchange(account, role, deadline).or_else(|error| match kept {
            // A refusal is an answer, not a failure: access that was taken away is not stretched.
            Some(kept) if error.exit != Exit::Refused && fresh::role(&kept, clock::now()) != fresh::Role::Expired => {
                tracing::warn!(%error, "serving role credentials that are close to their end");
                Ok(kept)
            }
            _ => Err(error),
        })
    }

    /// Fetches role credentials, unless another process has just done so.
    fn exchange(&self, account: &AccountId, role: &RoleName, deadline: Deadline) -> Result<RoleCredentials> {
        let mut lock = self.locks.take(self.session, Scope::Role(account, role), deadline)?;
        if let Some(kept) = self.vault.role(self.session, account, role)?
            && fresh::role(&kept, clock::now()) == fresh::Role::Fresh
        {
            return Ok(kept);
        }
        let token = self.token(deadline)?;
        if let Some(why) = lock.refusal(&token, clock::now()) {
            return Err(self.refused(account, role, why));
        }
        let credentials = self.with_token(&token, deadline, |token| {
            let answer = self.portal.role_credentials(token, account, role, deadline);
            if let Err(Fault::Refused(why)) = &answer {
                lock.remember(token, clock::now(), why);
            }
            answer
        });
        let credentials = credentials.map_err(|fault| match fault {
            Failure::Portal(Fault::Refused(why) | Fault::Unsuited(why)) => self.refused(account, role, &why),
            other => self.error(other),
        })?;
        if credentials.expires_at <= clock::now() {
            terminal::say(
                "daypass: the role credentials that were just issued have expired by this machine's clock: check its time",
            );
        }
        if let Err(fault) = self.vault.keep_role(self.session, account, role, &credentials) {
            tracing::warn!(?fault, "role credentials are not kept");
        }
        drop::<Held>(lock);
        Ok(credentials)
    }

    /// A token that the portal takes, by all that the clock says; refreshed if it is close to its end.
    pub fn token(&self, deadline: Deadline) -> Result<Token> {
        let Some(token) = self.vault.token(self.session)? else {
            return Err(self.sign_in_needed("not signed in"));
        };
        match fresh::token(&token, clock::now()) {
            fresh::Sign::Good => Ok(token),
            fresh::Sign::In => Err(self.sign_in_needed("the sign-in has expired")),
            fresh::Sign::Refresh => self.renew(&token, deadline).map_err(|failure| self.error(failure)),
            fresh::Sign::Ageing => self.renew(&token, deadline).or_else(|failure| {
                tracing::warn!(?failure, "the token is close to its end and could not be refreshed");
                Ok(token)
            }),
        }
    }

    /// A token refreshed now, or by another process a moment ago.
    pub fn refreshed(&self, token: &Token, deadline: Deadline) -> Result<Token> {
        self.renew(token, deadline).map_err(|failure| self.error(failure))
    }

    /// Calls the portal with a token; one that it takes no more, whatever the clock says, is refreshed once.
    fn with_token<T>(
        &self,
        token: &Token,
        deadline: Deadline,
        mut call: impl FnMut(&Token) -> std::result::Result<T, Fault>,
    ) -> std::result::Result<T, Failure> {
        match retry::until(deadline, || call(token)) {
            Err(Fault::SignIn(why)) => {
                tracing::info!(why, "the portal takes this token no more");
                let renewed = self.renew(token, deadline)?;
                match retry::until(deadline, || call(&renewed)) {
                    Err(Fault::SignIn(why)) => {
                        self.discard(&renewed);
                        Err(Failure::Portal(Fault::SignIn(why)))
                    }
                    other => Ok(other?),
                }
            }
            other => Ok(other?),
        }
    }

    /// Replaces a token by a refreshed one, unless another process has just done so.
    fn renew(&self, old: &Token, deadline: Deadline) -> std::result::Result<Token, Failure> {
        let _lock = self.locks.take(self.session, Scope::Token, deadline)?;
        let Some(token) = self.vault.token(self.session)? else {
            return Err(Fault::SignIn("not signed in".to_owned()).into());
        };
        let now = clock::now();
        if token.access != old.access && fresh::token(&token, now) == fresh::Sign::Good {
            return Ok(token);
        }
        if !token.refreshable(now) {
            if token.access == old.access {
                self.discard(&token);
            }
            return Err(Fault::SignIn("the sign-in can't be refreshed".to_owned()).into());
        }
        match retry::until(deadline, || self.portal.refresh(&token, deadline)) {
            Ok(renewed) => {
                // Before anything else: the old refresh token is spent.
                self.keep(&renewed);
                Ok(renewed)
            }
            Err(fault @ (Fault::SignIn(_) | Fault::Registration(_))) => {
                // Somebody without our lock (another host's home, another tool's copy) may have been first.
                match self.vault.token(self.session)? {
                    Some(newer) if newer.refresh != token.refresh && fresh::token(&newer, now) == fresh::Sign::Good => Ok(newer),
                    _ => {
                        self.discard_refresh(&token, old);
                        Err(Fault::SignIn(why(fault)).into())
                    }
                }
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

    /// Forgets a token that is of no more use.
    fn discard(&self, token: &Token) {
        let current = self.vault.token(self.session);
        if current.is_ok_and(|current| current.is_some_and(|current| current.access == token.access)) {
            let _ = self.vault.forget_token(self.session);
        }
    }

    /// Forgets a spent refresh token. The access token stays while it lives, unless it was the reason to refresh.
    fn discard_refresh(&self, token: &Token, refused: &Token) {
        let alive = fresh::token(&Token { refresh: None, ..token.clone() }, clock::now()) == fresh::Sign::Good;
        let ageing = fresh::token(refused, clock::now()) == fresh::Sign::Ageing;
        if alive && (ageing || token.access != refused.access) {
            let _ = self.vault.keep_token(self.session, &Token { refresh: None, ..token.clone() });
        } else {
            let _ = self.vault.forget_token(self.session);
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
    pub fn roles_of(
        &self,
        accounts: &[AccountId],
        patience: Duration,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Vec<RoleName>>> {
        let deadline = Deadline::after(patience);
        let token = self.token(deadline)?;
        match self.portal.roles_of(&token, accounts, patience, done) {
            Err(Fault::SignIn(why)) => {
                tracing::info!(why, "the portal takes this token no more");
                let renewed = self.refreshed(&token, Deadline::after(patience))?;
                let answer = self.portal.roles_of(&renewed, accounts, patience, done);
                if let Err(Fault::SignIn(_)) = &answer {
                    self.discard(&renewed);
                }
                answer.map_err(|fault| self.error(fault.into()))
            }
            other => other.map_err(|fault| self.error(fault.into())),
        }
    }

    fn refused(&self, account: &AccountId, role: &RoleName, why: &str) -> Error {
        Error::new(
            Exit::Refused,
            format!("the portal refuses role {role} in account {account}: {why}"),
            format!("daypass list {}", self.session.name),
        )
    }

    fn sign_in_needed(&self, why: &str) -> Error {
        Error::new(Exit::SignIn, format!("sign-in to {} needed: {why}", self.session.name), self.login())
    }

    /// The command that signs in to this session. A legacy profile's session has no name of its own, but its URL serves.
    fn login(&self) -> String {
        format!("daypass login {}", self.session.name)
    }

    /// What a failure means to the user.
    fn error(&self, failure: Failure) -> Error {
        let Session { name, start_url, region, .. } = self.session;
        match failure {
            Failure::Ours(error) => error,
            Failure::Portal(fault) => match fault {
                Fault::SignIn(why) | Fault::Registration(why) => self.sign_in_needed(&why),
                Fault::Denied(why) => Error::failed(format!("the sign-in to {name} was refused: {why}"), self.login()),
                Fault::CodeExpired => {
                    Error::failed(format!("nobody approved the sign-in to {name} before its code expired"), self.login())
                }
                Fault::Pending | Fault::SlowDown => {
                    Error::failed(format!("the sign-in to {name} is not approved yet"), self.login())
                }
                Fault::Refused(why) => {
                    Error::new(Exit::Refused, format!("the portal refuses: {why}"), format!("daypass list {name}"))
                }
                Fault::Unsuited(why) => Error::failed(
                    format!("IAM Identity Center in {region} does not accept {start_url}: {why}"),
                    format!(
                        "check the start URL and the region: daypass configure --session {name} --start-url URL --sso-region REGION"
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

impl From<crate::vault::Fault> for Failure {
    fn from(fault: crate::vault::Fault) -> Self {
        Self::Ours(fault.into())
    }
}

/// The service's own words.
fn why(fault: Fault) -> String {
    match fault {
        Fault::SignIn(why)
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
