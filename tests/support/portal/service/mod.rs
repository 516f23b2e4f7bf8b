//! The simulated service: its configuration, its state, and its answers.

mod accounts;
mod authorization;
mod clients;
mod device;
mod errors;
mod iam;
mod query;
mod sts;
mod tokens;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(super) use errors::{error_for, oidc_error, portal_error};
pub use iam::UserKey;
pub(super) use query::{Principal, query_error};

use super::call::{Call, Received};
use super::config::PortalConfig;
use super::http1::Response;

/// How long an access token stays valid after the expiry that its client knows. Tests depend on the expiry in the answer, not on the
/// speed of the machine. A token that must be invalid is revoked.
const GRACE: Duration = Duration::from_mins(2);

/// Role credentials that the portal or STS issued.
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

/// What a client has after a sign-in. Times are in seconds since 1970.
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
    /// The redirect URI of a client for the code flow; None for the device flow.
    redirect: Option<String>,
    secret: String,
    expires_at: SystemTime,
    /// How many scopes it registered.
    scopes: usize,
}

#[derive(Debug)]
struct DeviceCode {
    client_id: String,
    user_code: String,
    expires_at: SystemTime,
    polls: usize,
    /// When the last poll was answered.
    answered_at: Option<Instant>,
    /// Whether the user allowed it, once decided.
    decision: Option<bool>,
}

#[derive(Debug)]
struct AuthorizationCode {
    client_id: String,
    redirect_uri: String,
    challenge: String,
}

#[derive(Debug)]
pub(super) struct AccessToken {
    session: usize,
    expires_at: SystemTime,
}

#[derive(Debug)]
struct RefreshToken {
    session: usize,
    client_id: String,
}

/// The tokens of a refresh, until a client uses one of them.
#[derive(Debug)]
struct UnusedRefresh {
    access: String,
    refresh: String,
    /// The refresh token that they replaced.
    replaced: String,
}

/// Configuration and state. Tokens and codes are keyed by their text.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub config: PortalConfig,
    url: String,
    pub clients: HashMap<String, Client>,
    device_codes: HashMap<String, DeviceCode>,
    authorization_codes: HashMap<String, AuthorizationCode>,
    pub access_tokens: HashMap<String, AccessToken>,
    refresh_tokens: HashMap<String, RefreshToken>,
    unused_refreshes: Vec<UnusedRefresh>,
    /// The portal sessions that have not ended, and the number of the last one.
    sessions: BTreeSet<usize>,
    last_session: usize,
    pub secrets: Vec<String>,
    /// All keys that were issued, by the portal and by STS, in order.
    pub issued: Vec<RoleKeys>,
    /// The long-lived keys of users.
    pub user_keys: Vec<UserKey>,
    /// Who each access key belongs to.
    pub principals: HashMap<String, Principal>,
}

impl Service {
    pub fn new(config: PortalConfig, url: String) -> Self {
        Self { config, url, ..Self::default() }
    }

    /// Answers a call. A malformed call gets `invalid_request` or `InvalidRequestException`.
    pub fn serve(&mut self, received: &Received) -> Response {
        let Some(call) = received.call else { return portal_error("UnknownOperationException", 404, "no such operation") };
        if let Some(complaint) = received.complaints.first() {
            return error_for(call, "invalid_request", complaint);
        }
        let answer = match call {
            Call::RegisterClient => self.register(received),
            Call::StartDeviceAuthorization => self.start_device_authorization(received),
            Call::PollForToken => self.poll(received),
            Call::RedeemCode => self.redeem(received),
            Call::RefreshToken => self.refresh(received),
            Call::GetRoleCredentials | Call::ListAccounts | Call::ListAccountRoles | Call::Logout => {
                self.portal_call(call, received)
            }
            Call::GetCallerIdentity | Call::GetAccessKeyInfo | Call::AssumeRole => {
                return self.sts(call, received).unwrap_or_else(|refusal| refusal);
            }
            Call::GetAccessKeyLastUsed | Call::ListAccessKeys | Call::UpdateAccessKey | Call::DeleteAccessKey => {
                return self.iam(call, received).unwrap_or_else(|refusal| refusal);
            }
        };
        match answer {
            Ok(body) => Response::json(200, &body),
            Err(refusal) => refusal,
        }
    }

    /// A new secret, `secret-KIND-NUMBER-…`: unique, recognisable and recorded. `length` is that of a real one.
    pub(super) fn new_secret(&mut self, kind: &str, length: usize) -> String {
        let start = format!("secret-{kind}-{}-", self.secrets.len() + 1);
        let length = if self.config.long_secrets { length } else { length.min(40) };
        let secret = format!("{start}{}", random(length.saturating_sub(start.len()).max(8)));
        self.secrets.push(secret.clone());
        secret
    }

    fn new_session(&mut self) -> usize {
        self.last_session += 1;
        self.sessions.insert(self.last_session);
        self.last_session
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
