//! Stores sign-ins so that none is lost: a person has approved it, or the old refresh token is used up. Touches the vault and the
//! portal.

use std::time::Duration;

use super::credentials::Broker;
use super::locks::Scope;
use super::retry;
use crate::credentials::Token;
use crate::error::{Error, Result};
use crate::sys::clock::Deadline;
use crate::sys::stderr;
use crate::vault;

/// How long another process may take to change the token.
const OTHER_CHANGE_TIMEOUT: Duration = Duration::from_secs(35);

/// How long ending a portal session may take.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(10);

impl Broker<'_> {
    /// Verifies that a sign-in can be stored, before a person is asked to approve it.
    ///
    /// # Errors
    /// Those of the vault.
    pub(super) fn verify_vault(&self, deadline: Deadline) -> Result<()> {
        let limit = OTHER_CHANGE_TIMEOUT.min(deadline.left());
        let _lock = self.locks.take(self.session, Scope::Token, Deadline::after(limit))?;
        Ok(self.vault.verify(self.session)?)
    }

    /// Stores a new sign-in, or ends its portal session if that is impossible: nobody could end it later.
    ///
    /// # Errors
    /// Those of the vault.
    pub(super) fn store_sign_in(&self, token: &Token) -> Result<()> {
        self.store_or_rescue(token).map_err(|error| {
            let deadline = Deadline::after(SIGN_OUT_TIMEOUT);
            if let Err(error) = retry::until(deadline, || self.portal.sign_out(token, deadline)) {
                log::warn!("the portal session of this sign-in could not be ended: {error:?}");
            }
            error.into()
        })
    }

    /// Stores a refreshed token. If that is impossible, says so: the old refresh token is used up.
    pub(super) fn store_refreshed(&self, token: &Token) {
        if let Err(error) = self.store_or_rescue(token) {
            let error = Error::from(error);
            stderr::say(&format!(
                "daypass: the refreshed sign-in could not be stored ({}); you will have to sign in again",
                error.what
            ));
        }
    }

    /// Moves a sign-in from the kernel keyring to the OS keyring, which may be back.
    pub(super) fn settle(&self, deadline: Deadline) {
        if !self.vault.is_unsettled(self.session) {
            return;
        }
        if let Ok(_lock) = self.locks.take(self.session, Scope::Token, deadline)
            && let Err(error) = self.vault.settle(self.session)
        {
            log::info!("the sign-in stays in the kernel keyring: {error:?}");
        }
    }

    /// Stores a token in the keyring, twice if the first try fails, or else in the kernel keyring.
    pub(super) fn store_or_rescue(&self, token: &Token) -> vault::Result<()> {
        let store = || self.vault.store_token(self.session, token);
        store().or_else(|_| store()).or_else(|error| {
            self.vault.rescue_token(self.session, token).map_err(|_| error)?;
            log::info!("the keyring failed; the kernel keyring keeps the sign-in until it is back");
            Ok(())
        })
    }
}
