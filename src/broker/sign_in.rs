//! Signing in, by the device flow or by the authorization code flow with PKCE, and signing out.

use std::time::Duration;

use super::device::{Next, Polling};
use super::locks::Scope;
use super::pkce::{self, Proof, Return};
use super::{Broker, Failure, fresh, retry, why};
use crate::clock::{self, Deadline};
use crate::error::{Error, Exit, Result};
use crate::grant::{Registration, Token};
use crate::listener::Listener;
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

/// How long the browser may take to come back with a code; as long as a device code lives.
const BROWSER: Duration = Duration::from_mins(10);

/// How often the listener is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What a registration for the code flow holds: the port is left out there, and is free (RFC 8252 §7.3).
const LOOPBACK: &str = "http://127.0.0.1";

/// How the browser's answer comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// By a code that a person compares; the browser may be anywhere (RFC 8628).
    Device,
    /// By a redirect to this machine; the device flow follows where that does not work (RFC 7636).
    Code,
}

/// How to sign in.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The flow to begin with.
    pub flow: Flow,
    /// The port to listen on in place of a free one.
    pub port: Option<u16>,
    /// Where no person asked for it: when it must be over. It is then started once, and not again for some minutes if nobody answers.
    pub unasked: Option<Deadline>,
}

impl Way {
    /// This long from now, but never beyond the end of the whole.
    fn within(self, limit: Duration) -> Deadline {
        Deadline::after(self.unasked.map_or(limit, |end| limit.min(end.left())))
    }
}

/// What the person who signs in has to know.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another process signs in to this session: its result is waited for.
    Another,
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
    Code(&'a DeviceAuthorization),
    /// The code flow does not work, for this reason; the device flow follows.
    FellBack(&'a str),
    /// Device flow: what the last poll came to.
    Waiting(Waiting),
}

/// Why it is not over yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Not approved yet.
    Pending,
    /// The service asks for longer pauses.
    SlowDown,
    /// The service can't be reached at present.
    Unreachable,
}

/// What the person wants meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Go on waiting.
    GoOn,
    /// The browser does not serve, for this reason: on with the device flow.
    Device(&'static str),
    /// There is nobody to wait for.
    GiveUp,
}

/// The person who signs in, by way of a terminal or of nothing at all.
pub trait Person {
    /// Hears of something.
    fn hear(&mut self, event: &Event<'_>);

    /// Passes this time; the whole ends after `left`.
    fn pass(&mut self, pause: Duration, left: Duration) -> Wish;

    /// The code has expired, or the browser did not come back in time: whether to start the same again.
    fn starts_again(&mut self) -> bool;

    /// How long the browser may take to come back. (For a code the service says it.)
    fn patience(&self) -> Duration {
        BROWSER
    }
}

/// A sign-in's token; signals wait until it is kept.
type Signed = (Token, Hold);

/// How the code flow ended, if it did not fail.
enum ByCode {
    Done(Signed),
    FellBack(String),
    /// The browser did not come back in time.
    Late,
}

impl Broker<'_> {
    /// Signs in: registers where needed, starts, waits for the person, keeps. Of processes that sign in at once one does it, and the
    /// others take its result.
    pub fn sign_in(&self, way: Way, person: &mut dyn Person) -> Result<Token> {
        let before = self.vault.token(self.session)?;
        if self.locks.held(self.session, Scope::SignIn) {
            person.hear(&Event::Another);
        }
        let patience = way.unasked.unwrap_or_else(|| Deadline::after(ANOTHERS_SIGN_IN));
        let lock = self.locks.take(self.session, Scope::SignIn, patience);
        let mut lock = lock.map_err(|error| if way.unasked.is_some() { self.sign_in_needed(&error.what) } else { error })?;
        let current = self.vault.token(self.session)?;
        if let Some(token) = &current
            && before.is_none_or(|before| before.access != token.access)
            && fresh::token(token, clock::now()) == fresh::Sign::Good
        {
            return Ok(token.clone());
        }
        if way.unasked.is_some() {
            if lock.unanswered(clock::now()) {
                return Err(self.sign_in_needed("nobody answered in the browser that was opened a short while ago"));
            }
            lock.start_unasked(clock::now());
        }
        let mut asked = false;
        let authorized = self.authorize(way, person, &mut asked).map_err(|failure| self.error(failure));
        if !asked && authorized.as_ref().is_err_and(|error| error.exit == Exit::Unreachable) {
            // The portal did not answer, rather than the person: the next tool may ask them.
            lock.answered();
        }
        let (token, _hold) = authorized.map_err(|error| match error {
            // Nobody had said that they wanted to sign in: to the one who asked for credentials, that is what is missing.
            error if way.unasked.is_some() && error.exit == Exit::Failed => self.sign_in_needed(&error.what),
            error => error,
        })?;
        // A refresh under way is let end, or it would put its own token over this one. One that never ends does not cost what a person
        // has just approved.
        let _token = self.locks.take(self.session, Scope::Token, way.within(ANOTHERS_REFRESH));
        self.vault.keep_token(self.session, &token).or_else(|_| self.vault.keep_token(self.session, &token))?;
        // Another person, or the same with other rights, may have signed in: what the last sign-in fetched is not theirs.
        self.vault.forget_roles(self.session)?;
        lock.answered();
        Ok(token)
    }

    /// The token, which a signal does not take away before it is kept: the code that led to it is spent. `asked` becomes true as soon as
    /// there is something for the person to do.
    fn authorize(&self, way: Way, person: &mut dyn Person, asked: &mut bool) -> std::result::Result<Signed, Failure> {
        let start_url = self.portal.service_url(way.within(PATIENCE))?;
        let mut flow = way.flow;
        loop {
            let late = match flow {
                Flow::Code => match self.by_code(&start_url, way, person, asked)? {
                    ByCode::Done(token) => return Ok(token),
                    ByCode::FellBack(why) => {
                        person.hear(&Event::FellBack(&why));
                        flow = Flow::Device;
                        continue;
                    }
                    ByCode::Late => self.late().into(),
                },
                Flow::Device => match self.by_device(&start_url, way, person, asked) {
                    Err(expired @ Failure::Portal(Fault::CodeExpired)) => expired,
                    other => return other,
                },
            };
            if way.unasked.is_some() || !person.starts_again() {
                return Err(late);
            }
        }
    }

    /// The authorization code flow. The listener stands before anybody hears of the address.
    fn by_code(
        &self,
        start_url: &str,
        way: Way,
        person: &mut dyn Person,
        asked: &mut bool,
    ) -> std::result::Result<ByCode, Failure> {
        let mut listener = match (Listener::bind(way.port), way.port) {
            (Ok(listener), _) => listener,
            (Err(error), Some(port)) => {
                let what = format!("port {port} of 127.0.0.1 can't be listened on: {error}");
                return Err(Error::usage(what, "give another --port, or none").into());
            }
            (Err(error), None) => return Ok(ByCode::FellBack(format!("there is no port to listen on: {error}"))),
        };
        let proof = Proof::new().ok_or_else(|| Error::failed("the system has no random numbers", "try again"))?;
        // Registered each time: a client that the service has forgotten would be told of in the browser only, and never here.
        let deadline = way.within(PATIENCE);
        let redirect = format!("{LOOPBACK}{}", pkce::CALLBACK);
        let register = || self.portal.register_for_code(self.session, start_url, &redirect, deadline);
        let client = match retry::until(deadline, register) {
            Ok(client) => client,
            Err(fault) => return self.unfit(fault),
        };
        let redirect = format!("{LOOPBACK}:{}{}", listener.port(), pkce::CALLBACK);
        let registration = &client.registration;
        let url = proof.address(&client.authorize, &registration.client_id, &redirect, &registration.scopes);
        let life = way.within(person.patience());
        *asked = true;
        person.hear(&Event::Authorize { url: &url, port: listener.port(), life: life.left() });
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
                return Ok(ByCode::Late);
            }
            match person.pass(LOOK.min(life.left()), life.left()) {
                Wish::GoOn => {}
                Wish::Device(why) => return Ok(ByCode::FellBack(why.to_owned())),
                Wish::GiveUp => return Err(self.nobody().into()),
            }
        };
        // Nobody else is to come.
        drop(listener);
        let name = &self.session.name;
        match returned {
            Return::Code(code) => {
                let deadline = way.within(PATIENCE);
                let redeem = || {
                    let hold = signal::hold();
                    Ok((self.portal.redeem(registration, &code, &proof.verifier, &redirect, deadline)?, hold))
                };
                match retry::until(deadline, redeem) {
                    Ok(token) => {
                        visit.answer(true, "Signed in", &format!("daypass has what it needs for {name}. You can close this page."));
                        Ok(ByCode::Done(token))
                    }
                    Err(fault) => {
                        visit.answer(false, "Not signed in yet", "The terminal says how it goes on.");
                        self.unfit(fault)
                    }
                }
            }
            Return::Denied(why) => {
                visit.answer(false, "Not signed in", "Nothing was handed out. You can close this page.");
                Err(Fault::Denied(why).into())
            }
            Return::Unfit(why) => {
                visit.answer(false, "Not signed in yet", "It goes on in the terminal, with a code to compare.");
                Ok(ByCode::FellBack(why))
            }
            Return::Stray => Err(Fault::nonsense("a stray visit counted").into()),
        }
    }

    /// A service that does not take this flow's requests may well take the other's; if it does not, that one says why.
    fn unfit(&self, fault: Fault) -> std::result::Result<ByCode, Failure> {
        match fault {
            Fault::Unsuited(why) | Fault::Registration(why) | Fault::Refused(why) => Ok(ByCode::FellBack(why)),
            // A code that is too old, spent, or another client's: nothing that a portal token could cure.
            Fault::SignIn(why) | Fault::Spent(why) => {
                Err(Error::failed(format!("the code that the browser brought is not accepted: {why}"), self.login()).into())
            }
            other => Err(other.into()),
        }
    }

    fn late(&self) -> Error {
        Error::failed(format!("nobody finished the sign-in to {} in the browser in time", self.session.name), self.login())
    }

    fn nobody(&self) -> Error {
        self.sign_in_needed("no browser could be opened")
    }

    fn by_device(
        &self,
        start_url: &str,
        way: Way,
        person: &mut dyn Person,
        asked: &mut bool,
    ) -> std::result::Result<Signed, Failure> {
        let (registration, started) = self.start(start_url, way)?;
        let life = way.within(started.expires_in);
        *asked = true;
        person.hear(&Event::Code(&started));
        let mut polling = Polling::new(started.interval);
        let mut pause = polling.first().min(life.left());
        let mut answer_lost = false;
        loop {
            if person.pass(pause, life.left()) == Wish::GiveUp {
                return Err(self.nobody().into());
            }
            let hold = signal::hold();
            let fault = match self.portal.poll(&registration, &started.device_code, way.within(PATIENCE)) {
                Ok(token) => return Ok((token, hold)),
                Err(fault) => fault,
            };
            drop(hold);
            tracing::debug!(?fault, "poll");
            answer_lost |= matches!(fault, Fault::Busy(..));
            let state = match fault {
                Fault::SlowDown => Waiting::SlowDown,
                Fault::Busy(..) => Waiting::Unreachable,
                _ => Waiting::Pending,
            };
            match polling.after(fault, life.left()) {
                Next::Wait(next) => {
                    person.hear(&Event::Waiting(state));
                    pause = next;
                }
                // The code was approved and spent by a poll whose answer never came.
                Next::End(Fault::Spent(why)) if answer_lost => return Err(Fault::SignIn(why).into()),
                // Else it is nearly always a wrong region (reference of OIDC errors).
                Next::End(Fault::Spent(why)) => return Err(Fault::Unsuited(why).into()),
                Next::End(fault) => return Err(fault.into()),
            }
        }
    }

    /// Starts a device authorization with the registration that is kept; a registration that the service has forgotten is made anew, once.
    fn start(&self, start_url: &str, way: Way) -> std::result::Result<(Registration, DeviceAuthorization), Failure> {
        let deadline = way.within(PATIENCE);
        let kept = self
            .vault
            .registration(self.session)?
            .filter(|kept| clock::now() + REGISTRATION_MARGIN < kept.expires_at && kept.scopes == portal::scopes_of(self.session));
        let start = |registration: &Registration| {
            retry::until(deadline, || self.portal.start_device_authorization(start_url, registration, deadline))
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
        // In this order: whoever fetches role credentials at this moment looks for the sign-in once they are kept (`keep_role`).
        let forgotten = self.vault.forget_token(self.session).and(self.vault.forget_roles(self.session));
        drop(lock);
        // The portal ends a session by its access token; one that has expired is renewed for that, and kept nowhere.
        let end = |mut token: Token| {
            if matches!(fresh::token(&token, clock::now()), fresh::Sign::Refresh) {
                token = self.portal.refresh(&token, deadline)?;
            }
            retry::until(deadline, || self.portal.sign_out(&token, deadline))
        };
        let ended = token.map(end);
        forgotten?;
        Ok(match ended {
            // A token that the portal does not know has no session to end.
            None | Some(Ok(()) | Err(Fault::SignIn(_) | Fault::Spent(_) | Fault::Registration(_))) => None,
            Some(Err(fault)) => Some(why(fault)),
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
