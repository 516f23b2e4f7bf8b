//! The name of a value in the vault: what it is, and of which portal. Touches nothing.

use crate::profile::names::{AccountId, RoleName, Session};

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A client registration, for the next sign-in.
    Registration,
    /// The portal token with its refresh token and the registration that it is bound to.
    Token,
    /// Role credentials.
    Role(AccountId, RoleName),
}

/// A key binds the session's name, its start URL and its region: two config files that use one name for two portals share nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// The session's name.
    pub session: String,
    /// Its start URL as configured.
    pub start_url: String,
    /// Its region.
    pub region: String,
}

impl Key {
    /// The key of one kind of value of one session.
    pub fn new(session: &Session, kind: Kind) -> Self {
        Self { kind, session: session.name.clone(), start_url: session.start_url.clone(), region: session.region.clone() }
    }

    /// A label that a person understands in a keyring viewer.
    pub fn label(&self) -> String {
        match &self.kind {
            Kind::Registration => format!("daypass: client registration for {}", self.session),
            Kind::Token => format!("daypass: sign-in to {}", self.session),
            Kind::Role(account, role) => format!("daypass: {role} in {account} ({})", self.session),
        }
    }
}
