//! Signs in: because the person asked for it, or because credentials turned out to require it.

use std::time::Duration;

use super::{Context, OnBehalf};
use crate::broker::{Broker, Flow, PortalSession, SignInRequest};
use crate::credentials::Token;
use crate::error::{Error, Exit, Result};
use crate::output;
use crate::profile::names::Session;
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};
use crate::text;
use crate::ui::prompt;
use crate::ui::sign_in::{Browser, SignInOptions, TerminalSignIn};
use crate::ui::terminal;
use crate::vault;

/// The time limit for a prompt of the system's keyring.
const UNLOCK_TIMEOUT: Duration = Duration::from_mins(2);

impl Context {
    /// Runs `act`. If it fails because sign-in is required, asks on the terminal whether to sign in, and runs it again.
    ///
    /// # Errors
    /// Those of `act` and of signing in.
    pub fn offering_sign_in<T>(&self, by: OnBehalf<'_>, act: impl Fn() -> Result<T>) -> Result<T> {
        match act() {
            Err(error) if error.exit == Exit::SignIn => {
                if !self.agrees_to_sign_in(by.session) {
                    return Err(error);
                }
                self.sign_in(by)?;
                act()
            }
            other => other,
        }
    }

    /// Runs `act`. If it fails because sign-in is required, signs in and runs it again: for a dialogue in which the person has just chosen
    /// the session.
    ///
    /// # Errors
    /// Those of `act` and of signing in.
    pub fn signing_in<T>(&self, by: OnBehalf<'_>, act: impl Fn() -> Result<T>) -> Result<T> {
        match act() {
            Err(error) if error.exit == Exit::SignIn => {
                self.sign_in(by)?;
                act()
            }
            other => other,
        }
    }

    /// Asks whether to sign in. Standard output may be the input of another program (`eval "$(daypass env dev)"`): only standard input and
    /// standard error must be a terminal. A program in the background must not read from it, and in a CI job nobody answers.
    fn agrees_to_sign_in(&self, session: &Session) -> bool {
        let attended = self.may_prompt() && self.env.agent().is_none() && !self.env.ci() && terminal::is_ours();
        let question = || format!("Not signed in to {}. Sign in now?", text::clean(&session.name));
        attended && matches!(prompt::confirm(&question(), true), Ok(Some(true)))
    }

    /// Signs in to a session with the flow that this machine allows, and says so.
    ///
    /// # Errors
    /// Those of the broker and of the keyring.
    pub fn sign_in(&self, by: OnBehalf<'_>) -> Result<Token> {
        let no_browser = by.no_browser || self.env.agent().is_some();
        let local = !no_browser && browser::on_this_machine(&self.env).is_ok();
        let request = SignInRequest { flow: if local { Flow::Pkce } else { Flow::Device }, port: None, unattended_until: None };
        self.sign_in_with(by, &self.sign_in_options(request, no_browser))
    }

    /// Signs in to a session in this way, and says so.
    ///
    /// # Errors
    /// Those of the broker and of the keyring.
    pub fn sign_in_with(&self, by: OnBehalf<'_>, options: &SignInOptions) -> Result<Token> {
        let session = by.session;
        let broker = self.broker(session, by.profile)?;
        self.unlock()?;
        // A keyring that can't be used is found before the user goes to the browser.
        self.vault()?.token(session).map_err(vault::Error::after_unlocking)?;
        let mut ui = TerminalSignIn::new(&self.env, self.interaction, session, options);
        let token = broker.sign_in(options.request, &mut ui)?;
        drop(ui);
        let (history, now) = (self.history(), clock::now());
        history.signed_in(session, now);
        let name = text::clean(&session.name);
        self.tell(&match (token.refresh.is_some(), history.session_end(session)) {
            (true, Some(end)) => format!("Signed in to {name} until about {}.", output::when_near(end, now)),
            (true, None) => format!("Signed in to {name}. daypass renews the sign-in until your portal session ends."),
            (false, _) => format!("Signed in to {name} until {}.", output::when_near(token.expires_at, now)),
        });
        if self.vault()?.token_is_volatile() {
            self.tell("The sign-in is stored in the kernel keyring: it is lost on a restart or after three days without use.");
        }
        Ok(token)
    }

    /// The default is to open a browser only if one runs on this machine: over SSH it would be a text browser on the remote machine.
    pub fn sign_in_options(&self, request: SignInRequest, no_browser: bool) -> SignInOptions {
        let available = browser::on_this_machine(&self.env).is_ok() || self.env.browser().is_some();
        let browser = match (no_browser, available) {
            (true, _) => Browser::Suppressed,
            (false, true) => Browser::Opened,
            (false, false) => Browser::Absent,
        };
        SignInOptions { request, browser, qr: false, events: false }
    }

    /// Signs in for a tool that needs credentials, if a browser runs on this machine. The profile must allow it.
    ///
    /// # Errors
    /// Sign-in is still required: there is no desktop, or nobody signed in before `until`.
    pub fn sign_in_unattended(&self, by: OnBehalf<'_>, needed: Error, until: Deadline) -> Result<()> {
        if let Err(why) = browser::on_this_machine(&self.env) {
            return Err(Error { what: format!("{}; no browser is opened: {why}", needed.what), ..needed });
        }
        let request = SignInRequest { flow: Flow::Pkce, port: None, unattended_until: Some(until) };
        let options = self.sign_in_options(request, false);
        let mut ui = TerminalSignIn::new(&self.env, self.interaction, by.session, &options);
        self.broker(by.session, by.profile)?.sign_in(request, &mut ui)?;
        self.history().signed_in(by.session, clock::now());
        Ok(())
    }

    /// On a terminal, the system prompts for a keyring that is locked or asks for confirmation.
    ///
    /// # Errors
    /// The keyring stays locked.
    pub fn unlock(&self) -> Result<()> {
        if self.may_prompt() {
            self.vault()?.unlock(UNLOCK_TIMEOUT).map_err(vault::Error::after_unlocking)?;
        }
        Ok(())
    }

    /// Records what the portal has said about its session.
    pub fn note_portal_session(&self, session: &Session, broker: &Broker<'_>) {
        match broker.portal_session() {
            Some(PortalSession::Alive) => self.history().session_seen(session, clock::now()),
            Some(PortalSession::Ended) => self.history().session_ended(session, clock::now()),
            None => {}
        }
    }
}
