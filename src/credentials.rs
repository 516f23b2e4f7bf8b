//! What the portal grants: a client registration, a portal token, role credentials. Each knows its expiry. Touches nothing.

use time::OffsetDateTime;

use crate::secret::Secret;

/// A public OAuth client that Identity Center registered for this machine (`RegisterClient`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The client's public name.
    pub client_id: String,
    /// A long signed text; goes back to the service unchanged.
    pub client_secret: Secret,
    /// When the service forgets it (about 90 days after it was made).
    pub expires_at: OffsetDateTime,
    /// The scopes it was registered with: they, not those of a later request, decide what its tokens may do.
    pub scopes: Vec<String>,
}

/// The sign-in: what `CreateToken` answers, with the registration it is bound to (it can be refreshed by no other).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bearer of the portal's calls.
    pub access: Secret,
    /// When `access` ends.
    pub expires_at: OffsetDateTime,
    /// Rotates on use. None for a registration without scopes.
    pub refresh: Option<Secret>,
    /// The client that the token was given to.
    pub registration: Registration,
}

impl Token {
    /// Whether a refresh can be tried at all: there is a refresh token and its registration still lives.
    pub fn refreshable(&self, now: OffsetDateTime) -> bool {
        self.refresh.is_some() && now < self.registration.expires_at
    }
}

/// What `GetRoleCredentials` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleCredentials {
    /// `ASIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// The true end; never altered on the way out.
    pub expires_at: OffsetDateTime,
    /// When they were received: with `expires_at`, their full life.
    pub received_at: OffsetDateTime,
}
