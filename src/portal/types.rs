//! What the services answer, as daypass uses it. Pure.

use std::time::Duration;

use crate::credentials::Registration;
use crate::profile::names::AccountId;
use crate::secret::Secret;

/// A client that may use the authorization code flow, and where its browser goes.
#[derive(Debug)]
pub struct CodeClient {
    /// No other flow takes it.
    pub registration: Registration,
    /// The authorize page, at the host that registered the client.
    pub authorize: String,
}

/// A started device authorization (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// What the client polls with. A secret: who has it gets the token.
    pub device_code: Secret,
    /// What the person compares or types.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: Option<String>,
    /// How long the codes live.
    pub expires_in: Duration,
    /// The shortest pause between two polls.
    pub interval: Duration,
}

/// An account that the signed-in user can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its twelve digits.
    pub id: AccountId,
    /// Its name; some have none.
    pub name: Option<String>,
    /// Its e-mail address; some have none.
    pub email: Option<String>,
}

/// Treats an empty text as a missing one.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
