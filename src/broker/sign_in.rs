//! Signs in, by the device flow or by the authorization code flow with PKCE, and signs out. Touches one port of the loopback interface,
//! through [`Listener`].

use std::time::Duration;

use super::credentials::Broker;
use super::device::{Next, Polling};
use super::failure::{self, Failure, why};
use super::freshness::{self, TokenState};
use super::locks::Scope;
use super::pkce::{self, AuthorizationRequest, Callback};
use super::retry;
use crate::credentials::{Registration, Token};
use crate::error::{Error, Exit, Result};
use crate::portal::{self, DeviceAuthorization};
use crate::sys::clock::{self, Deadline};
use crate::sys::listener::Listener;
use crate::sys::signal::{self, Hold};

/// How long to wait for one answer of the service while a person signs in.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a second `login` waits for the first. Longer than any device code is valid (ten minutes in practice).
const OTHER_SIGN_IN_TIMEOUT: Duration = Duration::from_mins(15);

/// How long a sign-in or sign-out waits for a refresh. Longer than a refresh may take.
const OTHER_REFRESH_TIMEOUT: Duration = Duration::from_secs(35);

/// A registration that expires this soon is not used: its token could not be refreshed for long.
const REGISTRATION_MARGIN: time::Duration = time::Duration::minutes(15);

/// How long to wait for the callback; as long as a device code is valid.
const BROWSER_TIMEOUT: Duration = Duration::from_mins(10);

/// How often the listener is polled.
const CALLBACK_POLL: Duration = Duration::from_millis(50);

/// The redirect address of a registration, without a port: any port is allowed (RFC 8252 §7.3).
const LOOPBACK: &str = "http://127.0.0.1";

/// How the browser's answer is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// By polling; a person compares a code, and the browser may be on any device (RFC 8628).
    Device,
    /// By a redirect to this machine, with the device flow as the fallback (RFC 7636).
    Pkce,
}

/// How to sign in.
#[derive(Debug, Clone, Copy)]
pub struct SignInRequest {
    /// The flow to start with.
    pub flow: Flow,
    /// The port to listen on; a free one if absent.
    pub port: Option<u16>,
    /// Set if no person asked for the sign-in: when it must be complete. If nobody answers, it is not started again for some minutes.
    pub unattended_until: Option<Deadline>,
}

impl SignInRequest {
    /// This long from now, but not later than the whole sign-in may take.
    fn within(self, limit: Duration) -> Deadline {
        Deadline::after(self.unattended_until.map_or(limit, |end| limit.min(end.left())))
    }
}

/// What happens during a sign-in, for the person who signs in.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another process is signing in to this session; this one waits for its result.
    WaitingForOther,
    /// Code flow: the page to open.
    Authorize {
        /// The address of the page.
        url: &'a str,
        /// The port of the loopback interface that receives the callback.
        port: u16,
        /// How long daypass waits for the callback.
        life: Duration,
    },
    /// Device flow: the address to open and the code to compare.
    DeviceCode(&'a DeviceAuthorization),
    /// The code flow does not work, for this reason; the device flow starts.
    FellBack(&'a str),
    /// Device flow: the result of the last poll.
    Polling(PollState),
}

/// Why a poll returned no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollState {
    /// Not approved yet.
    Pending,
    /// The service asks for longer pauses.
    SlowDown,
    /// The service cannot be reached.
    Unreachable,
}

/// What the user interface decides while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Keep waiting.
    Continue,
    /// The browser can't be used, for this reason; switch to the device flow.
    UseDeviceCode(&'static str),
    /// Nobody can answer.
    GiveUp,
}

/// The user interface of a sign-in.
pub trait SignInUi {
    /// Is told of each event.
    fn notify(&mut self, event: &Event<'_>);

    /// Waits for `pause`. The sign-in times out after `left`.
    fn wait(&mut self, pause: Duration, left: Duration) -> Decision;

    /// Whether to start again after the code has expired or the callback timed out.
    fn restart(&mut self) -> bool;

    /// How long to wait for the callback. (For a device code the service sets the time.)
    fn browser_timeout(&self) -> Duration {
        BROWSER_TIMEOUT
    }
}

/// A new token. Signals are held until it is stored.
type HeldToken = (Token, Hold);

/// The result of the code flow, if it did not fail.
enum PkceResult {
    Done(HeldToken),
    FellBack(String),
    /// The callback timed out.
    TimedOut,
}

impl Broker<'_> {
    /// Signs in: registers if needed, starts the flow, waits for the person, stores the token. If several processes sign in at once, one
    /// of them does it and the others use its result.
    pub fn sign_in(&self, request: SignInRequest, ui: &mut dyn SignInUi) -> Result<Token> {
        let before = self.vault.token(self.session)?;
        if self.locks.held(self.session, Scope::SignIn) {
            ui.notify(&Event::WaitingForOther);
        }
        let timeout = request.unattended_until.unwrap_or_else(|| Deadline::after(OTHER_SIGN_IN_TIMEOUT));
        let lock = self.locks.take(self.session, Scope::SignIn, timeout);
        let mut lock = lock.map_err(|error| {
            if request.unattended_until.is_some() { failure::sign_in_required(self.session, &error.what) } else { error }
        })?;
        let current = self.vault.token(self.session)?;
        if let Some(token) = &current
            // A person who runs `login` wants a new sign-in. A program does not: another one may have signed in since it found none.
            && (request.unattended_until.is_some() || before.is_none_or(|before| before.access != token.access))
            && freshness::token_state(token, clock::now()) == TokenState::Valid
        {
            return Ok(token.clone());
        }
        self.verify_vault(request.within(OTHER_REFRESH_TIMEOUT))?;
        if request.unattended_until.is_some() {
            if lock.unanswered(clock::now()) {
                return Err(failure::sign_in_required(self.session, "the last sign-in in the browser was not completed"));
            }
            lock.start_unasked(clock::now());
        }
        let mut prompted = false;
        let authorized = self.authorize(request, ui, &mut prompted).map_err(|failure| failure::to_error(self.session, failure));
        if !prompted && authorized.as_ref().is_err_and(|error| error.exit == Exit::Unreachable) {
            // The portal failed before the person was prompted, so the next process may prompt them.
            lock.clear();
        }
        let (token, _hold) = authorized.map_err(|error| match error {
            // Nobody had asked to sign in; the caller asked for credentials, and for those a sign-in is missing.
            error if request.unattended_until.is_some() && error.exit == Exit::Failed => {
                failure::sign_in_required(self.session, &error.what)
            }
            error => error,
        })?;
        // Wait for a running refresh, which would overwrite this token. If it hangs, store the token anyway: a person has approved it.
        let _token = self.locks.take(self.session, Scope::Token, request.within(OTHER_REFRESH_TIMEOUT));
        self.store_sign_in(&token)?;
        // Another person, or the same one with other rights, may have signed in: old role credentials are not theirs.
        self.vault.delete_roles(self.session)?;
        lock.clear();
        self.warn_of_wrong_clock();
        Ok(token)
    }

    /// Gets a token. Signals are held until it is stored, because its code is used up. `prompted` becomes true as soon as the person is
    /// told to do something.
    fn authorize(
        &self,
        request: SignInRequest,
        ui: &mut dyn SignInUi,
        prompted: &mut bool,
    ) -> std::result::Result<HeldToken, Failure> {
        let start_url = self.portal.service_url(request.within(REQUEST_TIMEOUT))?;
        let mut flow = request.flow;
        loop {
            let late = match flow {
                Flow::Pkce => match self.pkce_flow(&start_url, request, ui, prompted)? {
                    PkceResult::Done(token) => return Ok(token),
                    PkceResult::FellBack(why) => {
                        ui.notify(&Event::FellBack(&why));
                        flow = Flow::Device;
                        continue;
                    }
                    PkceResult::TimedOut => self.browser_timed_out().into(),
                },
                Flow::Device => match self.device_flow(&start_url, request, ui, prompted) {
                    Err(expired @ Failure::Portal(portal::Error::DeviceCodeExpired)) => expired,
                    other => return other,
                },
            };
            if request.unattended_until.is_some() || !ui.restart() {
                return Err(late);
            }
        }
    }

    /// The authorization code flow. The listener is ready before the address is shown.
    fn pkce_flow(
        &self,
        start_url: &str,
        request: SignInRequest,
        ui: &mut dyn SignInUi,
        prompted: &mut bool,
    ) -> std::result::Result<PkceResult, Failure> {
        let mut listener = match (Listener::bind(request.port), request.port) {
            (Ok(listener), _) => listener,
            (Err(error), Some(port)) => {
                let what = format!("can't listen on port {port} of 127.0.0.1: {error}");
                return Err(Error::usage(what, failure::login_command(self.session)).into());
            }
            (Err(error), None) => return Ok(PkceResult::FellBack(format!("can't listen on 127.0.0.1: {error}"))),
        };
        let authorization =
            AuthorizationRequest::new().ok_or_else(|| Error::failed("the system has no random numbers", "try again"))?;
        // A new registration each time: if the service had forgotten an old one, only the browser would show it.
        let deadline = request.within(REQUEST_TIMEOUT);
        let redirect = format!("{LOOPBACK}{}", pkce::CALLBACK);
        let register = || self.portal.register_for_code(self.session, start_url, &redirect, deadline);
        let client = match retry::until(deadline, register) {
            Ok(client) => client,
            Err(error) => return self.pkce_refused(error),
        };
        let redirect = format!("{LOOPBACK}:{}{}", listener.port(), pkce::CALLBACK);
        let registration = &client.registration;
        let url = authorization.address(&client.authorize, &registration.client_id, &redirect, &registration.scopes);
        let life = request.within(ui.browser_timeout());
        *prompted = true;
        ui.notify(&Event::Authorize { url: &url, port: listener.port(), life: life.left() });
        let (visit, callback) = loop {
            if let Some(visit) = listener.visit(pkce::CALLBACK) {
                match authorization.read(&visit.query) {
                    Callback::Unrelated => {
                        log::warn!("a callback that does not belong to this sign-in");
                        visit.answer(false, "Not this sign-in", "This page does not belong to the sign-in in the terminal.");
                        continue;
                    }
                    callback => break (visit, callback),
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
        // No other request is accepted.
        drop(listener);
        let name = &self.session.name;
        match callback {
            Callback::Code(code) => {
                let deadline = request.within(REQUEST_TIMEOUT);
                let redeem = || {
                    let hold = signal::hold();
                    Ok((self.portal.redeem(registration, &code, &authorization.verifier, &redirect, deadline)?, hold))
                };
                match retry::until(deadline, redeem) {
                    Ok(token) => {
                        visit.answer(true, "Signed in", &format!("daypass is signed in to {name}. You can close this page."));
                        Ok(PkceResult::Done(token))
                    }
                    Err(error) => {
                        visit.answer(false, "Not signed in yet", "See the terminal for what to do next.");
                        self.pkce_refused(error)
                    }
                }
            }
            Callback::Denied(why) => {
                visit.answer(false, "Not signed in", "The sign-in was denied. You can close this page.");
                Err(portal::Error::AccessDenied(why).into())
            }
            Callback::Unsupported(why) => {
                visit.answer(false, "Not signed in yet", "Continue in the terminal, which shows a code to compare.");
                Ok(PkceResult::FellBack(why))
            }
            Callback::Unrelated => Err(portal::Error::unexpected_response("an unrelated callback was accepted").into()),
        }
    }

    /// A service that rejects this flow may accept the other; if not, that one reports why.
    fn pkce_refused(&self, error: portal::Error) -> std::result::Result<PkceResult, Failure> {
        match error {
            portal::Error::InvalidRequest(why) | portal::Error::InvalidClient(why) | portal::Error::Forbidden(why) => {
                Ok(PkceResult::FellBack(why))
            }
            // The code is too old, used, or another client's.
            portal::Error::Unauthorized(why) | portal::Error::InvalidGrant(why) => {
                Err(Error::failed(format!("the authorization code was not accepted: {why}"), failure::login_command(self.session))
                    .into())
            }
            other => Err(other.into()),
        }
    }

    fn browser_timed_out(&self) -> Error {
        Error::failed(
            format!("the sign-in to {} was not completed in the browser in time", self.session.name),
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
        prompted: &mut bool,
    ) -> std::result::Result<HeldToken, Failure> {
        let (registration, started) = self.start(start_url, request)?;
        let life = request.within(started.expires_in);
        *prompted = true;
        ui.notify(&Event::DeviceCode(&started));
        let mut polling = Polling::new(started.interval);
        let mut pause = polling.first().min(life.left());
        let mut answer_lost = false;
        loop {
            if ui.wait(pause, life.left()) == Decision::GiveUp {
                return Err(self.no_browser().into());
            }
            let hold = signal::hold();
            let error = match self.portal.poll(&registration, &started.device_code, request.within(REQUEST_TIMEOUT)) {
                Ok(token) => return Ok((token, hold)),
                Err(error) => error,
            };
            drop(hold);
            log::debug!("poll: {error:?}");
            answer_lost |= matches!(error, portal::Error::Unavailable(..));
            let state = match error {
                portal::Error::SlowDown => PollState::SlowDown,
                portal::Error::Unavailable(..) => PollState::Unreachable,
                _ => PollState::Pending,
            };
            match polling.after(error, life.left()) {
                Next::Wait(next) => {
                    ui.notify(&Event::Polling(state));
                    pause = next;
                }
                // The code was approved and used by a poll whose answer was lost.
                Next::End(portal::Error::InvalidGrant(why)) if answer_lost => return Err(portal::Error::Unauthorized(why).into()),
                // Otherwise it is nearly always a wrong region (seen in public reports of the AWS CLI).
                Next::End(portal::Error::InvalidGrant(why)) => return Err(portal::Error::InvalidRequest(why).into()),
                Next::End(error) => return Err(error.into()),
            }
        }
    }

    /// Starts a device authorization with the stored registration. If the service has forgotten it, registers again, once.
    fn start(&self, start_url: &str, request: SignInRequest) -> std::result::Result<(Registration, DeviceAuthorization), Failure> {
        let deadline = request.within(REQUEST_TIMEOUT);
        let stored = self.vault.registration(self.session)?.filter(|stored| {
            clock::now() + REGISTRATION_MARGIN < stored.expires_at && stored.scopes == portal::scopes_of(self.session)
        });
        let start = |registration: &Registration| {
            retry::until(deadline, || self.portal.start_device_authorization(start_url, registration, deadline))
        };
        if let Some(stored) = stored {
            match start(&stored) {
                Err(portal::Error::InvalidClient(why)) => log::info!("registering again: {why}"),
                other => return Ok((stored, other.map_err(as_invalid_request)?)),
            }
        }
        let registration = retry::until(deadline, || self.portal.register(self.session, deadline)).map_err(as_invalid_request)?;
        if let Err(error) = self.vault.store_registration(self.session, &registration) {
            log::warn!("the registration was not stored: {error:?}");
        }
        let started = start(&registration).map_err(as_invalid_request)?;
        Ok((registration, started))
    }

    /// Deletes the session's token and role credentials, and ends the portal session.
    ///
    /// If the portal session could not be ended, returns why; the rest is done all the same.
    pub fn sign_out(&self, timeout: Duration) -> Result<Option<String>> {
        // Wait for a running refresh, which would store its token again.
        let lock = self.locks.take(self.session, Scope::Token, Deadline::after(OTHER_REFRESH_TIMEOUT))?;
        let deadline = Deadline::after(timeout);
        let token = self.vault.token(self.session)?;
        // In this order: a process that is fetching role credentials reads the token after it has stored them (`store_role`).
        let deleted = self.vault.delete_token(self.session).and(self.vault.delete_roles(self.session));
        drop(lock);
        self.locks.clear(self.session);
        // The portal ends a session by its access token. An expired one is refreshed for that, and stored nowhere.
        let end = |mut token: Token| {
            if matches!(freshness::token_state(&token, clock::now()), TokenState::RefreshNow) {
                token = self.portal.refresh(&token, deadline)?;
            }
            retry::until(deadline, || self.portal.sign_out(&token, deadline))
        };
        let ended = token.map(end);
        deleted?;
        Ok(match ended {
            // The portal does not know the token: there is no session to end.
            None
            | Some(
                Ok(()) | Err(portal::Error::Unauthorized(_) | portal::Error::InvalidGrant(_) | portal::Error::InvalidClient(_)),
            ) => None,
            Some(Err(error)) => Some(why(error)),
        })
    }
}

/// Before the person is prompted, a refusal means a wrong start URL, region or scope.
fn as_invalid_request(error: portal::Error) -> portal::Error {
    match error {
        portal::Error::Unauthorized(why)
        | portal::Error::InvalidGrant(why)
        | portal::Error::InvalidClient(why)
        | portal::Error::Forbidden(why) => portal::Error::InvalidRequest(why),
        other => other,
    }
}
