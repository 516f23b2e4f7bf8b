//! The answers of the services, as daypass uses them. Pure.

use std::time::Duration;

use crate::credentials::Registration;
use crate::profile::names::{AccountId, RoleName};
use crate::secret::Secret;

/// A client registration for the authorization code flow, with its authorize page.
#[derive(Debug)]
pub struct CodeClient {
    /// Valid for this flow only.
    pub registration: Registration,
    /// The address of the authorize page, on the host that registered the client.
    pub authorize: String,
}

/// A started device authorization (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// The code that the client polls with. A secret: it is exchanged for the token.
    pub device_code: Secret,
    /// The code that the person compares or types.
    pub user_code: String,
    /// The address of the verification page.
    pub verification_uri: String,
    /// The same address with the user code filled in.
    pub verification_uri_complete: Option<String>,
    /// How long the codes are valid.
    pub expires_in: Duration,
    /// The shortest pause between two polls.
    pub interval: Duration,
}

/// The roles that the signed-in user has in one account, or why the portal refuses to list them (such as for a suspended account).
pub type AccountRoles = Result<Vec<RoleName>, String>;

/// An account that the signed-in user can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its twelve digits.
    pub id: AccountId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its e-mail address, if it has one.
    pub email: Option<String>,
}
