//! Defines what the portal issues: client registrations, tokens and role credentials, each with its expiry. Touches nothing.

use time::{Duration, OffsetDateTime};

use crate::secret::Secret;

/// A public OAuth client that Identity Center registered for this machine (`RegisterClient`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The public client ID.
    pub client_id: String,
    /// A long signed text, sent back to the service unchanged.
    pub client_secret: Secret,
    /// When the registration expires (about 90 days after it was created).
    pub expires_at: OffsetDateTime,
    /// The scopes of the registration. They limit its tokens, whatever a later request asks for.
    pub scopes: Vec<String>,
}

/// A sign-in: the result of `CreateToken`, with the registration that it is bound to. No other registration can refresh it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bearer token for calls of the portal.
    pub access: Secret,
    /// When `access` expires.
    pub expires_at: OffsetDateTime,
    /// The refresh token, which each use replaces. None for a registration without scopes.
    pub refresh: Option<Secret>,
    /// The client that the token was issued to.
    pub registration: Registration,
}

impl Token {
    /// Whether a refresh is possible: there is a refresh token and the registration has not expired.
    pub fn refreshable(&self, now: OffsetDateTime) -> bool {
        self.refresh.is_some() && now < self.registration.expires_at
    }
}

/// The result of `GetRoleCredentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// When they expire; never altered in any output.
    pub expires_at: OffsetDateTime,
    /// When they were received; with `expires_at` this gives their full lifetime.
    pub received_at: OffsetDateTime,
    /// How far the service's clock was ahead of this machine's then; zero if unknown.
    pub clock_offset: Duration,
}

impl RoleCredentials {
    /// When they expire by this machine's clock, which may be wrong.
    pub fn expires_by_local_clock(&self) -> OffsetDateTime {
        self.expires_at.saturating_sub(self.clock_offset)
    }
}
