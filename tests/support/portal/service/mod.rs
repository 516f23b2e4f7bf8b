//! The service itself: what an administrator set up, what it issued, and how it answers.

mod access;
mod authorization;
mod clients;
mod device;
mod errors;
mod tokens;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(super) use errors::{error_of, oidc_error, portal_error};

use super::call::{Call, Received};
use super::config::Realm;
use super::http1::Reply;

/// An access token is honoured this much longer than its client was told: a test steers by what is told, and not by how fast the
/// machine is. What has to be dead is revoked.
const GRACE: Duration = Duration::from_mins(2);

/// Role credentials that were handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    pub account: String,
    pub role: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    /// Milliseconds since 1970.
    pub expiration: u64,
}

/// All that a client holds after a sign-in. Times are in seconds since 1970.
#[derive(Debug, Clone)]
pub struct SignIn {
    pub client_id: String,
    pub client_secret: String,
    pub client_expires_at: u64,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_at: u64,
}

#[derive(Debug)]
pub(super) struct Client {
    /// What it was registered for: the code flow, with this redirect; else the device flow.
    redirect: Option<String>,
    secret: String,
    expires_at: SystemTime,
    scopes: usize,
}

#[derive(Debug)]
struct DeviceCode {
    client_id: String,
    user_code: String,
    expires_at: SystemTime,
    polls: usize,
    answered_at: Option<Instant>,
    decision: Option<bool>,
}

#[derive(Debug)]
struct AuthorizationCode {
    client_id: String,
    redirect_uri: String,
    challenge: String,
}

#[derive(Debug)]
pub(super) struct Access {
    session: usize,
    expires_at: SystemTime,
}

#[derive(Debug)]
struct Refresh {
    session: usize,
    client_id: String,
}

/// What a refresh gave, as long as nobody has used it.
#[derive(Debug)]
struct Unclaimed {
    access: String,
    refresh: String,
    spent: String,
}

/// The service's memory.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub realm: Realm,
    url: String,
    pub clients: HashMap<String, Client>,
    codes: HashMap<String, DeviceCode>,
    authorization_codes: HashMap<String, AuthorizationCode>,
    pub access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    unclaimed: Vec<Unclaimed>,
    /// The portal sessions that live, and the number of the last one.
    sessions: BTreeSet<usize>,
    last_session: usize,
    pub secrets: Vec<String>,
    pub issued: Vec<RoleKeys>,
}

impl Service {
    pub fn new(realm: Realm, url: String) -> Self {
        Self { realm, url, ..Self::default() }
    }

    /// Answers a well-formed call; one with fields missing gets what such a call gets.
    pub fn serve(&mut self, received: &Received) -> Reply {
        let Some(call) = received.call else { return portal_error("UnknownOperationException", 404, "no such operation") };
        if let Some(complaint) = received.complaints.first() {
            return error_of(call, "invalid_request", complaint);
        }
        let answer = match call {
            Call::RegisterClient => self.register(received),
            Call::StartDeviceAuthorization => self.start_device_authorization(received),
            Call::PollForToken => self.poll(received),
            Call::RedeemCode => self.redeem(received),
            Call::RefreshToken => self.refresh(received),
            Call::GetRoleCredentials | Call::ListAccounts | Call::ListAccountRoles | Call::Logout => self.portal(call, received),
        };
        match answer {
            Ok(body) => Reply::json(200, &body),
            Err(refusal) => refusal,
        }
    }

    /// `secret-KIND-NUMBER-…`: unique, recognisable, as long as the real one, and remembered.
    pub(super) fn new_secret(&mut self, kind: &str, length: usize) -> String {
        let start = format!("secret-{kind}-{}-", self.secrets.len() + 1);
        let length = if self.realm.long_secrets { length } else { length.min(40) };
        let secret = format!("{start}{}", random(length.saturating_sub(start.len()).max(8)));
        self.secrets.push(secret.clone());
        secret
    }

    pub fn end_sessions(&mut self) {
        self.sessions.clear();
    }
}

fn random(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1000 + u64::from(since.subsec_millis())
}
