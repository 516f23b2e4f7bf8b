//! Signing in, by the device flow or by the authorization code flow with PKCE, and signing out.

use std::time::Duration;

use super::credentials::Broker;
use super::device::{Next, Polling};
use super::failure::{self, Failure, why};
use super::freshness::{self, TokenState};
use super::locks::Scope;
use super::pkce::{self, Proof, Return};
use super::retry;
use crate::credentials::{Registration, Token};
use crate::error::{Error, Exit, Result};
use crate::portal::{self, DeviceAuthorization};
use crate::sys::clock::{self, Deadline};
use crate::sys::listener::Listener;
use crate::sys::signal::{self, Hold};

/// How long one answer of the service is waited for while a person signs in.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than any device code lives (ten minutes in practice): how long a second `login` waits for the first.
const ANOTHERS_SIGN_IN: Duration = Duration::from_mins(15);

/// Longer than a refresh may take: how long a sign-in or a sign-out waits for one.
const ANOTHERS_REFRESH: Duration = Duration::from_secs(35);

/// A registration this close to its end is not started with: the token that it leads to could never be refreshed.
const REGISTRATION_MARGIN: time::Duration = time::Duration::minutes(15);

/// How long the browser may take to come back with a code; as long as a device code lives.
const BROWSER_TIMEOUT: Duration = Duration::from_mins(10);

/// How often the listener is looked at.
const CALLBACK_POLL: Duration = Duration::from_millis(50);

/// What a registration for the code flow holds: the port is left out there, and is free (RFC 8252 §7.3).
const LOOPBACK: &str = "http://127.0.0.1";

/// How the browser's answer comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// By a code that a person compares; the browser may be anywhere (RFC 8628).
    Device,
    /// By a redirect to this machine; the device flow follows where that does not work (RFC 7636).
    Pkce,
}

/// How to sign in.
#[derive(Debug, Clone, Copy)]
pub struct SignInRequest {
    /// The flow to begin with.
    pub flow: Flow,
    /// The port to listen on in place of a free one.
    pub port: Option<u16>,
    /// Where no person asked for it: when it must be over. It is then started once, and not again for some minutes if nobody answers.
    pub unattended_until: Option<Deadline>,
}

impl SignInRequest {
    /// This long from now, but never beyond the end of the whole.
    fn within(self, limit: Duration) -> Deadline {
        Deadline::after(self.unattended_until.map_or(limit, |end| limit.min(end.left())))
    }
}

/// What the person who signs in has to know.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another process signs in to this session: its result is waited for.
    WaitingForOther,
    /// Code flow: this page is to be opened; the listener stands on this port.
    Authorize {
        /// The page.
        url: &'a str,
        /// The port of the loopback interface.
        port: u16,
        /// How long the answer is waited for.
        life: Duration,
    },
    /// Device flow: where to go, and what to compare.
    DeviceCode(&'a DeviceAuthorization),
    /// The code flow does not work, for this reason; the device flow follows.
    FellBack(&'a str),
    /// Device flow: what the last poll came to.
    Polling(PollState),
}

/// Why it is not over yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollState {
    /// Not approved yet.
    Pending,
    /// The service asks for longer pauses.
    SlowDown,
    /// The service can't be reached at present.
    Unreachable,
}

/// What the person wants meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on waiting.
    Continue,
    /// The browser does not serve, for this reason: on with the device flow.
    UseDeviceCode(&'static str),
    /// There is nobody to wait for.
    GiveUp,
}

/// The person who signs in, by way of a terminal or of nothing at all.
pub trait SignInUi {
    /// Hears of something.
    fn notify(&mut self, event: &Event<'_>);

    /// Passes this time; the whole ends after `left`.
    fn wait(&mut self, pause: Duration, left: Duration) -> Decision;

    /// The code has expired, or the browser did not come back in time: whether to start the same again.
    fn restart(&mut self) -> bool;

    /// How long the browser may take to come back. (For a code the service says it.)
    fn browser_timeout(&self) -> Duration {
        BROWSER_TIMEOUT
    }
}

/// A sign-in's token; signals wait until it is kept.
type Signed = (Token, Hold);

/// How the code flow ended, if it did not fail.
enum PkceResult {
    Done(Signed),
    FellBack(String),
    /// The browser did not come back in time.
    TimedOut,
}

impl Broker<'_> {
    /// Signs in: registers where needed, starts, waits for the ui, keeps. Of processes that sign in at once one does it, and the
    /// others take its result.
    pub fn sign_in(&self, request: SignInRequest, ui: &mut dyn SignInUi) -> Result<Token> {
        let before = self.vault.token(self.session)?;
        if self.locks.held(self.session, Scope::SignIn) {
            ui.notify(&Event::WaitingForOther);
        }
        let patience = request.unattended_until.unwrap_or_else(|| Deadline::after(ANOTHERS_SIGN_IN));
        let lock = self.locks.take(self.session, Scope::SignIn, patience);
        let mut lock = lock.map_err(|error| {
            if request.unattended_until.is_some() { failure::sign_in_required(self.session, &error.what) } else { error }
        })?;
        let current = self.vault.token(self.session)?;
        if let Some(token) = &current
            && before.is_none_or(|before| before.access != token.access)
            && freshness::token_state(token, clock::now()) == TokenState::Valid
        {
            return Ok(token.clone());
        }
        if request.unattended_until.is_some() {
            if lock.unanswered(clock::now()) {
                return Err(failure::sign_in_required(
                    self.session,
                    "nobody answered in the browser that was opened a short while ago",
                ));
            }
            lock.start_unasked(clock::now());
        }
        let mut asked = false;
        let authorized = self.authorize(request, ui, &mut asked).map_err(|failure| failure::to_error(self.session, failure));
        if !asked && authorized.as_ref().is_err_and(|error| error.exit == Exit::Unreachable) {
            // The portal did not answer, rather than the person: the next tool may ask them.
            lock.answered();
        }
        let (token, _hold) = authorized.map_err(|error| match error {
            // Nobody had said that they wanted to sign in: to the one who asked for credentials, that is what is missing.
            error if request.unattended_until.is_some() && error.exit == Exit::Failed => {
                failure::sign_in_required(self.session, &error.what)
            }
            error => error,
        })?;
        // A refresh under way is let end, or it would put its own token over this one. One that never ends does not cost what a person
        // has just approved.
        let _token = self.locks.take(self.session, Scope::Token, request.within(ANOTHERS_REFRESH));
        self.vault.store_token(self.session, &token).or_else(|_| self.vault.store_token(self.session, &token))?;
        // Another ui, or the same with other rights, may have signed in: what the last sign-in fetched is not theirs.
        self.vault.delete_roles(self.session)?;
        lock.answered();
        Ok(token)
    }

    /// The token, which a signal does not take away before it is kept: the code that led to it is spent. `asked` becomes true as soon as
    /// there is something for the person to do.
    fn authorize(&self, request: SignInRequest, ui: &mut dyn SignInUi, asked: &mut bool) -> std::result::Result<Signed, Failure> {
        let start_url = self.portal.service_url(request.within(REQUEST_TIMEOUT))?;
        let mut flow = request.flow;
        loop {
            let late = match flow {
                Flow::Pkce => match self.pkce_flow(&start_url, request, ui, asked)? {
                    PkceResult::Done(token) => return Ok(token),
                    PkceResult::FellBack(why) => {
                        ui.notify(&Event::FellBack(&why));
                        flow = Flow::Device;
                        continue;
                    }
                    PkceResult::TimedOut => self.browser_timed_out().into(),
                },
                Flow::Device => match self.device_flow(&start_url, request, ui, asked) {
                    Err(expired @ Failure::Portal(portal::Error::DeviceCodeExpired)) => expired,
                    other => return other,
                },
            };
            if request.unattended_until.is_some() || !ui.restart() {
                return Err(late);
            }
        }
    }

    /// The authorization code flow. The listener stands before anybody hears of the address.
    fn pkce_flow(
        &self,
        start_url: &str,
        request: SignInRequest,
        ui: &mut dyn SignInUi,
        asked: &mut bool,
    ) -> std::result::Result<PkceResult, Failure> {
        let mut listener = match (Listener::bind(request.port), request.port) {
            (Ok(listener), _) => listener,
            (Err(error), Some(port)) => {
                let what = format!("port {port} of 127.0.0.1 can't be listened on: {error}");
                return Err(Error::usage(what, "give another --port, or none").into());
            }
            (Err(error), None) => return Ok(PkceResult::FellBack(format!("there is no port to listen on: {error}"))),
        };
        let proof = Proof::new().ok_or_else(|| Error::failed("the system has no random numbers", "try again"))?;
        // Registered each time: a client that the service has forgotten would be told of in the browser only, and never here.
        let deadline = request.within(REQUEST_TIMEOUT);
        let redirect = format!("{LOOPBACK}{}", pkce::CALLBACK);
        let register = || self.portal.register_for_code(self.session, start_url, &redirect, deadline);
        let client = match retry::until(deadline, register) {
            Ok(client) => client,
            Err(fault) => return self.pkce_refused(fault),
        };
        let redirect = format!("{LOOPBACK}:{}{}", listener.port(), pkce::CALLBACK);
        let registration = &client.registration;
        let url = proof.address(&client.authorize, &registration.client_id, &redirect, &registration.scopes);
        let life = request.within(ui.browser_timeout());
        *asked = true;
        ui.notify(&Event::Authorize { url: &url, port: listener.port(), life: life.left() });
        let (visit, returned) = loop {
            if let Some(visit) = listener.visit(pkce::CALLBACK) {
                match proof.read(&visit.query) {
                    Return::Stray => {
                        tracing::warn!("a visit of the callback that does not belong to this sign-in");
                        visit.answer(
                            false,
                            "Not this sign-in",
                            "This page does not belong to the sign-in that waits in the terminal.",
                        );
                        continue;
                    }
                    returned => break (visit, returned),
                }
            }
            if life.passed() {
                return Ok(PkceResult::TimedOut);
            }
            match ui.wait(CALLBACK_POLL.min(life.left()), life.left()) {
                Decision::Continue => {}
                Decision::UseDeviceCode(why) => return Ok(PkceResult::FellBack(why.to_owned())),
                Decision::GiveUp => return Err(self.no_browser().into()),
            }
        };
        // Nobody else is to come.
        drop(listener);
        let name = &self.session.name;
        match returned {
            Return::Code(code) => {
                let deadline = request.within(REQUEST_TIMEOUT);
                let redeem = || {
                    let hold = signal::hold();
                    Ok((self.portal.redeem(registration, &code, &proof.verifier, &redirect, deadline)?, hold))
                };
                match retry::until(deadline, redeem) {
                    Ok(token) => {
                        visit.answer(true, "Signed in", &format!("daypass has what it needs for {name}. You can close this page."));
                        Ok(PkceResult::Done(token))
                    }
                    Err(fault) => {
                        visit.answer(false, "Not signed in yet", "The terminal says how it goes on.");
                        self.pkce_refused(fault)
                    }
                }
            }
            Return::Denied(why) => {
                visit.answer(false, "Not signed in", "Nothing was handed out. You can close this page.");
                Err(portal::Error::AccessDenied(why).into())
            }
            Return::Unfit(why) => {
                visit.answer(false, "Not signed in yet", "It goes on in the terminal, with a code to compare.");
                Ok(PkceResult::FellBack(why))
            }
            Return::Stray => Err(portal::Error::unexpected_response("a stray visit counted").into()),
        }
    }

    /// A service that does not take this flow's requests may well take the other's; if it does not, that one says why.
    fn pkce_refused(&self, fault: portal::Error) -> std::result::Result<PkceResult, Failure> {
        match fault {
            portal::Error::InvalidRequest(why) | portal::Error::InvalidClient(why) | portal::Error::Forbidden(why) => {
                Ok(PkceResult::FellBack(why))
            }
            // A code that is too old, spent, or another client's: nothing that a portal token could cure.
            portal::Error::Unauthorized(why) | portal::Error::InvalidGrant(why) => Err(Error::failed(
                format!("the code that the browser brought is not accepted: {why}"),
                failure::login_command(self.session),
            )
            .into()),
            other => Err(other.into()),
        }
    }

    fn browser_timed_out(&self) -> Error {
        Error::failed(
            format!("nobody finished the sign-in to {} in the browser in time", self.session.name),
            failure::login_command(self.session),
        )
    }

    fn no_browser(&self) -> Error {
        failure::sign_in_required(self.session, "no browser could be opened")
    }

    fn device_flow(
        &self,
        start_url: &str,
        request: SignInRequest,
        ui: &mut dyn SignInUi,
        asked: &mut bool,
    ) -> std::result::Result<Signed, Failure> {
        let (registration, started) = self.start(start_url, request)?;
        let life = request.within(started.expires_in);
        *asked = true;
        ui.notify(&Event::DeviceCode(&started));
        let mut polling = Polling::new(started.interval);
        let mut pause = polling.first().min(life.left());
        let mut answer_lost = false;
        loop {
            if ui.wait(pause, life.left()) == Decision::GiveUp {
                return Err(self.no_browser().into());
            }
            let hold = signal::hold();
            let fault = match self.portal.poll(&registration, &started.device_code, request.within(REQUEST_TIMEOUT)) {
                Ok(token) => return Ok((token, hold)),
                Err(fault) => fault,
            };
            drop(hold);
            tracing::debug!(?fault, "poll");
            answer_lost |= matches!(fault, portal::Error::Unavailable(..));
            let state = match fault {
                portal::Error::SlowDown => PollState::SlowDown,
                portal::Error::Unavailable(..) => PollState::Unreachable,
                _ => PollState::Pending,
            };
            match polling.after(fault, life.left()) {
                Next::Wait(next) => {
                    ui.notify(&Event::Polling(state));
                    pause = next;
                }
                // The code was approved and spent by a poll whose answer never came.
                Next::End(portal::Error::InvalidGrant(why)) if answer_lost => return Err(portal::Error::Unauthorized(why).into()),
                // Else it is nearly always a wrong region (reference of OIDC errors).
                Next::End(portal::Error::InvalidGrant(why)) => return Err(portal::Error::InvalidRequest(why).into()),
                Next::End(fault) => return Err(fault.into()),
            }
        }
    }

    /// Starts a device authorization with the registration that is kept; a registration that the service has forgotten is made anew, once.
    fn start(&self, start_url: &str, request: SignInRequest) -> std::result::Result<(Registration, DeviceAuthorization), Failure> {
        let deadline = request.within(REQUEST_TIMEOUT);
        let kept = self
            .vault
            .registration(self.session)?
            .filter(|kept| clock::now() + REGISTRATION_MARGIN < kept.expires_at && kept.scopes == portal::scopes_of(self.session));
        let start = |registration: &Registration| {
            retry::until(deadline, || self.portal.start_device_authorization(start_url, registration, deadline))
        };
        if let Some(kept) = kept {
            match start(&kept) {
                Err(portal::Error::InvalidClient(why)) => tracing::info!(why, "registering again"),
                other => return Ok((kept, other.map_err(as_invalid_request)?)),
            }
        }
        let registration = retry::until(deadline, || self.portal.register(self.session, deadline)).map_err(as_invalid_request)?;
        if let Err(fault) = self.vault.store_registration(self.session, &registration) {
            tracing::warn!(?fault, "the registration is not kept");
        }
        let started = start(&registration).map_err(as_invalid_request)?;
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
        // In this order: whoever fetches role credentials at this moment looks for the sign-in once they are kept (`store_role`).
        let forgotten = self.vault.delete_token(self.session).and(self.vault.delete_roles(self.session));
        drop(lock);
        // The portal ends a session by its access token; one that has expired is renewed for that, and kept nowhere.
        let end = |mut token: Token| {
            if matches!(freshness::token_state(&token, clock::now()), TokenState::RefreshNow) {
                token = self.portal.refresh(&token, deadline)?;
            }
            retry::until(deadline, || self.portal.sign_out(&token, deadline))
        };
        let ended = token.map(end);
        forgotten?;
        Ok(match ended {
            // A token that the portal does not know has no session to end.
            None
            | Some(
                Ok(()) | Err(portal::Error::Unauthorized(_) | portal::Error::InvalidGrant(_) | portal::Error::InvalidClient(_)),
            ) => None,
            Some(Err(fault)) => Some(why(fault)),
        })
    }
}

/// Before a person has been asked anything, a refusal is about the start URL, the region or the scopes.
fn as_invalid_request(fault: portal::Error) -> portal::Error {
    match fault {
        portal::Error::Unauthorized(why)
        | portal::Error::InvalidGrant(why)
        | portal::Error::InvalidClient(why)
        | portal::Error::Forbidden(why) => portal::Error::InvalidRequest(why),
        other => other,
    }
}
