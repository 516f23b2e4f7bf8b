//! The keys that sign a request, and those that a service issues. Pure.

use time::{Duration, OffsetDateTime};

use super::error::Error;
use crate::credentials::RoleCredentials;
use crate::secret::Secret;
use crate::sys::clock;

/// The keys that sign requests: those of a role, or long-lived ones without a session token.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// `ASIA…` or `AKIA…`
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token of a role's keys.
    pub session_token: Option<Secret>,
}

impl From<&RoleCredentials> for SigningKeys {
    fn from(credentials: &RoleCredentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
            session_token: Some(credentials.session_token.clone()),
        }
    }
}

/// Role credentials as a service returns them, unchecked.
#[derive(Default)]
pub struct Issued {
    /// `ASIA…`
    pub access_key_id: Option<String>,
    /// The secret access key.
    pub secret_access_key: Option<String>,
    /// The session token.
    pub session_token: Option<String>,
    /// When they expire.
    pub expires_at: Option<OffsetDateTime>,
}

impl Issued {
    /// The credentials, received now; `operation` returned them, and `clock_offset` is how far the service's clock is ahead.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] if a part is missing or can't be one of AWS's.
    pub fn checked(self, operation: &str, clock_offset: Option<Duration>) -> Result<RoleCredentials, Error> {
        let unexpected = |what: &str| Error::UnexpectedResponse(format!("{operation} returned {what}"));
        let (Some(access_key_id), Some(secret), Some(session_token), Some(expires_at)) =
            (filled(self.access_key_id), filled(self.secret_access_key), filled(self.session_token), self.expires_at)
        else {
            return Err(unexpected("incomplete credentials"));
        };
        if ![&access_key_id, &secret, &session_token].into_iter().all(|part| is_printable(part)) {
            return Err(unexpected("credentials with control characters"));
        }
        Ok(RoleCredentials {
            access_key_id,
            secret_access_key: Secret::new(secret),
            session_token: Secret::new(session_token),
            expires_at,
            received_at: clock::now(),
            clock_offset: clock_offset.unwrap_or_default(),
        })
    }
}

/// Treats an empty text as a missing one.
pub fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Whether it consists of printable ASCII characters, as all keys and tokens of AWS do. Other characters could not be sent as a header.
pub fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}
