//! Signing in by the device flow, and signing out.

use std::time::Duration;

use super::device::{Next, Polling};
use super::locks::Scope;
use super::{Broker, Failure, fresh, retry, why};
use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::grant::{Registration, Token};
use crate::portal::{self, DeviceAuthorization, Fault};
use crate::signal::{self, Hold};

/// How long one answer of the service is waited for while a person signs in.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than any device code lives (ten minutes in practice): how long a second `login` waits for the first.
const ANOTHERS_SIGN_IN: Duration = Duration::from_mins(15);

/// Longer than a refresh may take: how long a sign-in or a sign-out waits for one.
const ANOTHERS_REFRESH: Duration = Duration::from_secs(35);

/// A registration this close to its end is not started with: the token that it leads to could never be refreshed.
const REGISTRATION_MARGIN: time::Duration = time::Duration::minutes(15);

/// Called with what a person has to see: the verification URL and the user code.
pub type Shown<'a> = &'a mut dyn FnMut(&DeviceAuthorization);

impl Broker<'_> {
    /// Signs in: registers where needed, starts, shows, polls, keeps. Of processes that sign in at once one does it, and the others
    /// take its result.
    pub fn sign_in(&self, show: Shown<'_>) -> Result<Token> {
        let before = self.vault.token(self.session)?;
        let _lock = self.locks.take(self.session, Scope::SignIn, Deadline::after(ANOTHERS_SIGN_IN))?;
        let current = self.vault.token(self.session)?;
        if let Some(token) = &current
            && before.is_none_or(|before| before.access != token.access)
            && fresh::token(token, clock::now()) == fresh::Sign::Good
        {
            return Ok(token.clone());
        }
        let (token, _hold) = self.authorize(show).map_err(|failure| self.error(failure))?;
        // A refresh under way is let end, or it would put its own token over this one. One that never ends does not cost what a person
        // has just approved.
        let _token = self.locks.take(self.session, Scope::Token, Deadline::after(ANOTHERS_REFRESH));
        self.vault.keep_token(self.session, &token).or_else(|_| self.vault.keep_token(self.session, &token))?;
        // Another person, or the same with other rights, may have signed in: what the last sign-in fetched is not theirs.
        self.vault.forget_roles(self.session)?;
        Ok(token)
    }

    /// The token, which a signal does not take away before it is kept: the device code is spent.
    fn authorize(&self, show: Shown<'_>) -> std::result::Result<(Token, Hold), Failure> {
        let (registration, started) = self.start()?;
        let life = Deadline::after(started.expires_in);
        show(&started);
        let mut polling = Polling::new(started.interval);
        clock::sleep(polling.first().min(life.left()));
        let mut answer_lost = false;
        loop {
            let hold = signal::hold();
            let fault = match self.portal.poll(&registration, &started.device_code, Deadline::after(PATIENCE)) {
                Ok(token) => return Ok((token, hold)),
                Err(fault) => fault,
            };
            drop(hold);
            tracing::debug!(?fault, "poll");
            answer_lost |= matches!(fault, Fault::Busy(..));
            match polling.after(fault, life.left()) {
                Next::Wait(pause) => clock::sleep(pause),
                // The code was approved and spent by a poll whose answer never came.
                Next::End(Fault::Spent(why)) if answer_lost => return Err(Fault::SignIn(why).into()),
                // Else it is nearly always a wrong region (reference of OIDC errors).
                Next::End(Fault::Spent(why)) => return Err(Fault::Unsuited(why).into()),
                Next::End(fault) => return Err(fault.into()),
            }
        }
    }

    /// Starts a device authorization with the registration that is kept; a registration that the service has forgotten is made anew, once.
    fn start(&self) -> std::result::Result<(Registration, DeviceAuthorization), Failure> {
        let deadline = Deadline::after(PATIENCE);
        let kept = self
            .vault
            .registration(self.session)?
            .filter(|kept| clock::now() + REGISTRATION_MARGIN < kept.expires_at && kept.scopes == portal::scopes_of(self.session));
        let start = |registration: &Registration| {
            retry::until(deadline, || self.portal.start_device_authorization(self.session, registration, deadline))
        };
        if let Some(kept) = kept {
            match start(&kept) {
                Err(Fault::Registration(why)) => tracing::info!(why, "registering again"),
                other => return Ok((kept, other.map_err(misfit)?)),
            }
        }
        let registration = retry::until(deadline, || self.portal.register(self.session, deadline)).map_err(misfit)?;
        if let Err(fault) = self.vault.keep_registration(self.session, &registration) {
            tracing::warn!(?fault, "the registration is not kept");
        }
        let started = start(&registration).map_err(misfit)?;
        Ok((registration, started))
    }

    /// Forgets the session's token and role credentials here, and ends the session at the portal.
    ///
    /// What could not be done at the portal is returned as text: the rest is done all the same.
    pub fn sign_out(&self, patience: Duration) -> Result<Option<String>> {
        // A refresh under way is let end, or it would put its token back.
        let lock = self.locks.take(self.session, Scope::Token, Deadline::after(ANOTHERS_REFRESH))?;
        let deadline = Deadline::after(patience);
        let token = self.vault.token(self.session)?;
        self.vault.forget_roles(self.session)?;
        let Some(mut token) = token else { return Ok(None) };
        // The portal ends a session by its access token; one that has expired is renewed for that.
        let mut ended = Ok(());
        if matches!(fresh::token(&token, clock::now()), fresh::Sign::Refresh) {
            match self.portal.refresh(&token, deadline) {
                Ok(renewed) => token = renewed,
                Err(fault) => ended = Err(fault),
            }
        }
        self.vault.forget_token(self.session)?;
        drop(lock);
        let ended = ended.and_then(|()| retry::until(deadline, || self.portal.sign_out(&token, deadline)));
        Ok(match ended {
            // A token that the portal does not know has no session to end.
            Ok(()) | Err(Fault::SignIn(_) | Fault::Spent(_) | Fault::Registration(_)) => None,
            Err(fault) => Some(why(fault)),
        })
    }
}

/// Before a person has been asked anything, a refusal is about the start URL, the region or the scopes.
fn misfit(fault: Fault) -> Fault {
    match fault {
        Fault::SignIn(why) | Fault::Spent(why) | Fault::Registration(why) | Fault::Refused(why) => Fault::Unsuited(why),
        other => other,
    }
}
