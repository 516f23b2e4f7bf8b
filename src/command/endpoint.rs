//! The credential endpoint of `exec --server` and `serve`: answers from memory, while a thread renews what expires soon.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::broker::freshness::{self, CredentialState};
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::credentials::RoleCredentials;
use crate::error::{Error, Exit, Result};
use crate::output::container::{self, Gate};
use crate::profile::names::AccountId;
use crate::profile::resolve::RoleTarget;
use crate::secret::Secret;
use crate::sys::clock::{self, Deadline};
use crate::sys::env::Env;
use crate::sys::http::{Answer, Limits, Request, Server};
use crate::ui::terminal::Interaction;

/// A request has a short line and a few headers; the longest is the token.
const LIMITS: Limits = Limits { head: 8 * 1024, time: Some(Duration::from_secs(2)) };

/// How long to wait for the next request at a time.
const WAIT: Duration = Duration::from_mins(1);

/// How long a request waits for a renewal if nothing that is in memory works: some SDKs give up after a second.
const PATIENCE: Duration = Duration::from_millis(800);

/// The pause between two renewals that did not help, if requests need one, and if unexpired credentials are left.
const RETRY_SOON: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(30);

/// The longest sleep of the thread that renews: the machine may have been suspended, or its clock set.
const NAP: Duration = Duration::from_mins(1);

/// An endpoint that is ready.
pub(super) struct Endpoint {
    server: Server,
    gate: Gate,
    token: Secret,
    roles: Arc<Roles>,
}

/// The roles, and what is in memory of each.
struct Roles {
    targets: Vec<RoleTarget>,
    held: Mutex<Vec<Held>>,
    /// Something in `held` has changed, or is requested.
    changed: Condvar,
}

/// The credentials of one role.
#[derive(Default)]
struct Held {
    credentials: Option<(AccountId, RoleCredentials)>,
    /// Why there are none, or no newer ones.
    failure: Option<Error>,
    /// Whether a request waits for new ones.
    requested: bool,
    /// When they may be requested again.
    next: Option<Deadline>,
}

/// A random token.
pub(super) fn new_token() -> Result<Secret> {
    Secret::random().ok_or_else(|| Error::failed("the system has no random numbers", "try again"))
}

impl Endpoint {
    /// Gets the credentials of the roles, and listens. `hosts` are more values of `Host` to accept.
    ///
    /// # Errors
    /// Those of [`Context::credentials`]; the port is not free.
    pub(super) fn start(
        context: &Context,
        targets: Vec<RoleTarget>,
        port: Option<u16>,
        token: Secret,
        hosts: &[String],
    ) -> Result<Self> {
        let held = targets.iter().map(|target| {
            let credentials = Some(context.credentials(target, COMMAND_TIMEOUT)?);
            Ok(Held { credentials, ..Held::default() })
        });
        let held = Mutex::new(held.collect::<Result<Vec<_>>>()?);
        let server = Server::bind(port, LIMITS).map_err(|error| {
            let asked = port.map_or_else(|| "a port of 127.0.0.1".to_owned(), |port| format!("127.0.0.1:{port}"));
            Error::failed(format!("can't listen on {asked}: {error}"), "leave out --port, or choose another one")
        })?;
        let roles = Arc::new(Roles { targets, held, changed: Condvar::new() });
        let gate = Gate::new(token.clone(), server.port(), hosts);
        let (for_thread, env, interaction) = (Arc::clone(&roles), context.env.clone(), context.interaction);
        let definition = context.definition;
        thread::spawn(move || for_thread.renew(&env, interaction, definition));
        Ok(Self { server, gate, token, roles })
    }

    /// The address of the role at this position.
    pub(super) fn address(&self, role: usize) -> String {
        let name = self.roles.targets.get(role).filter(|_| role > 0).and_then(|target| target.profile.as_deref());
        let path = name.map(|name| percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string());
        format!("http://127.0.0.1:{}/{}", self.server.port(), path.unwrap_or_default())
    }

    /// The token that requests must have.
    pub(super) fn token(&self) -> &Secret {
        &self.token
    }

    /// Answers requests until the process ends.
    pub(super) fn run(mut self) -> ! {
        loop {
            while let Some(request) = self.server.request() {
                self.answer(request);
            }
            self.server.wait(WAIT);
        }
    }

    fn answer(&self, request: Request) {
        const JSON: &str = "application/json";
        let refused = |status: &'static str, code: &str, message: &str| {
            log::info!("refused with status {status}: {message}");
            (status, zeroize::Zeroizing::new(container::error(code, message)))
        };
        let path = request.target.split('?').next().unwrap_or_default();
        let (status, body) = match (self.gate.check(&request), self.roles.at(path)) {
            (Err((status, why)), _) => refused(status, "Refused", why),
            (Ok(()), None) => refused("404 Not Found", "NotFound", "no such profile at this endpoint"),
            (Ok(()), Some(role)) => match self.roles.credentials(role) {
                Ok((account, credentials)) => ("200 OK", container::document(&credentials, &account)),
                Err(error) => {
                    let message = format!("{}: {}", error.what, error.hint);
                    // A temporary failure is worth another attempt of the SDK.
                    let temporary = matches!(error.exit, Exit::Unreachable | Exit::Failed);
                    let status = if temporary { "503 Service Unavailable" } else { "403 Forbidden" };
                    refused(status, if temporary { "Unavailable" } else { "Forbidden" }, &message)
                }
            },
        };
        let headers = if status.starts_with("405") { "Allow: GET\r\n" } else { "" };
        request.answer(Answer { status, headers, kind: JSON, body: &body });
    }
}

impl Roles {
    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The role at this path: the first one has `/`, and each its profile's name.
    fn at(&self, path: &str) -> Option<usize> {
        let name = percent_encoding::percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
        if name.is_empty() {
            return Some(0);
        }
        self.targets.iter().position(|target| target.profile.as_deref() == Some(&*name))
    }

    /// The credentials in memory. If none of them work, waits a moment for a renewal.
    fn credentials(&self, role: usize) -> Result<(AccountId, RoleCredentials)> {
        let mut all = self.held();
        let works = |held: &Held| held.credentials.clone().filter(|(_, credentials)| !expired(credentials));
        let Some(held) = all.get_mut(role) else { return Err(Error::failed("no such role", "daypass serve --help")) };
        if let Some(credentials) = works(held) {
            return Ok(credentials);
        }
        if held.next.is_none_or(Deadline::passed) {
            held.requested = true;
            self.changed.notify_all();
            let waits = |all: &mut Vec<Held>| all.get(role).is_some_and(|held| held.requested);
            let waited = self.changed.wait_timeout_while(all, PATIENCE, waits);
            (all, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        let held = all.get(role);
        held.and_then(works).ok_or_else(|| {
            let failure = held.and_then(|held| held.failure.clone());
            failure.unwrap_or_else(|| Error::new(Exit::Unreachable, "the credentials are being renewed", "try again"))
        })
    }

    /// Renews what is no longer fresh, until the process ends.
    fn renew(&self, env: &Env, interaction: Interaction, definition: fn() -> clap::Command) -> ! {
        loop {
            for (role, target) in self.targets.iter().enumerate() {
                if !self.held().get(role).is_some_and(Held::is_due) {
                    continue;
                }
                // A new vault each time, because the keyring's service may have been restarted.
                let context = Context::new(env.clone(), interaction, definition, "serve");
                let renewed = context.credentials_unattended(target, COMMAND_TIMEOUT);
                if let Some(held) = self.held().get_mut(role) {
                    held.take(renewed);
                }
                self.changed.notify_all();
            }
            let all = self.held();
            let pause = all.iter().map(Held::pause).min().unwrap_or(NAP).min(NAP);
            let sleeps = |all: &mut Vec<Held>| !all.iter().any(|held| held.requested);
            drop(self.changed.wait_timeout_while(all, pause, sleeps));
        }
    }
}

impl Held {
    /// How long to wait before a renewal.
    fn pause(&self) -> Duration {
        let fresh = self.credentials.as_ref().map(|(_, credentials)| freshness::fresh_for(credentials, clock::now()));
        match fresh.filter(|fresh| !fresh.is_zero()) {
            Some(fresh) => fresh,
            None if self.requested => Duration::ZERO,
            None => self.next.map(Deadline::left).unwrap_or_default(),
        }
    }

    fn is_due(&self) -> bool {
        self.pause().is_zero()
    }

    /// Takes the result of a renewal. What still works is kept, unless the role is refused now.
    fn take(&mut self, renewed: Result<(AccountId, RoleCredentials)>) {
        self.requested = false;
        match renewed {
            Ok(credentials) => {
                (self.credentials, self.failure) = (Some(credentials), None);
                self.next = Some(Deadline::after(RETRY));
            }
            Err(error) => {
                log::info!("not renewed: {error}");
                if error.exit == Exit::Refused {
                    self.credentials = None;
                }
                let works = self.credentials.as_ref().is_some_and(|(_, credentials)| !expired(credentials));
                self.next = Some(Deadline::after(if works { RETRY } else { RETRY_SOON }));
                self.failure = Some(error);
            }
        }
    }
}

fn expired(credentials: &RoleCredentials) -> bool {
    freshness::credential_state(credentials, clock::now()) == CredentialState::Expired
}
