//! The key of a value in the vault: its kind, and the session that it belongs to. Touches nothing.

use std::fmt::Write;

use ring::digest;

use crate::profile::names::{AccountId, RoleName, Session};

/// The kind of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A client registration, for the next device sign-in.
    Registration,
    /// The access token with its refresh token and the registration that both are bound to.
    Token,
    /// Credentials of a role of the portal.
    Role(AccountId, RoleName),
    /// Credentials of a role that was assumed with those of a role of the portal.
    Assumed(AccountId, RoleName, Assumed),
    /// A value without content, which tests whether a sign-in fits.
    Probe,
    /// The long-lived key of this access key ID, which a migration took out of the user's files. It belongs to no session.
    Parked(String),
}

/// The roles that are assumed one after another on top of a role of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Assumed {
    /// The ARN of the last one.
    pub arn: String,
    /// The hash of all of them and of all that limits them, as [`Assumed::digest`] returns it.
    pub digest: String,
}

impl Assumed {
    /// The SHA-256 of these parts, in hex digits.
    pub fn digest<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in parts {
            update(&mut hash, part);
        }
        hex(hash.finish().as_ref())
    }
}

/// Each part is preceded by its length, so that different parts never hash the same text.
fn update(hash: &mut digest::Context, part: &str) {
    hash.update(&(part.len() as u64).to_be_bytes());
    hash.update(part.as_bytes());
}

/// A key binds the session's name, its start URL and its region: two config files that use one name for two portals share nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The session's name.
    pub session: String,
    /// Its start URL as configured.
    pub start_url: String,
    /// Its region.
    pub region: String,
}

impl Key {
    /// The key of a session's value of this kind.
    pub fn new(session: &Session, kind: Kind) -> Self {
        Self { kind, session: session.name.clone(), start_url: session.start_url.clone(), region: session.region.clone() }
    }

    /// Whether the value belongs to this session.
    pub fn belongs_to(&self, session: &Session) -> bool {
        (&self.session, &self.start_url, &self.region) == (&session.name, &session.start_url, &session.region)
    }

    /// The label in a keyring viewer.
    pub fn label(&self) -> String {
        match &self.kind {
            Kind::Registration => format!("daypass: client registration for {}", self.session),
            Kind::Token => format!("daypass: sign-in to {}", self.session),
            Kind::Role(account, role) => format!("daypass: {role} in {account} ({})", self.session),
            Kind::Assumed(.., assumed) => format!("daypass: {} ({})", assumed.arn, self.session),
            Kind::Probe => "daypass: test of the keyring".to_owned(),
            Kind::Parked(id) => format!("daypass: migrated key {id}"),
        }
    }

    /// The kind in one word.
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::Registration => "registration",
            Kind::Token => "token",
            Kind::Role(..) => "role",
            Kind::Assumed(..) => "assumed",
            Kind::Probe => "probe",
            Kind::Parked(_) => "parked",
        }
    }

    /// The account and role of the portal that role credentials are for, or are based on.
    pub fn role(&self) -> Option<(&AccountId, &RoleName)> {
        match &self.kind {
            Kind::Role(account, role) | Kind::Assumed(account, role, _) => Some((account, role)),
            Kind::Registration | Kind::Token | Kind::Probe | Kind::Parked(_) => None,
        }
    }

    /// The access key ID of a parked key.
    pub fn parked(&self) -> Option<&str> {
        match &self.kind {
            Kind::Parked(id) => Some(id),
            Kind::Registration | Kind::Token | Kind::Role(..) | Kind::Assumed(..) | Kind::Probe => None,
        }
    }

    /// The roles that are assumed on top of it.
    pub fn assumed(&self) -> Option<&Assumed> {
        if let Kind::Assumed(.., assumed) = &self.kind { Some(assumed) } else { None }
    }

    /// The SHA-256 of all parts in 64 hex digits: a name that every back-end accepts, whatever the session is called.
    pub fn id(&self) -> String {
        let role = self.role().map(|(account, role)| (account.as_str(), role.as_str()));
        let (account, role) = role.or_else(|| Some((self.parked()?, ""))).unwrap_or_default();
        let assumed = self.assumed().map(|assumed| [&*assumed.arn, &*assumed.digest]);
        let parts = [self.word(), &self.session, &self.start_url, &self.region, account, role];
        Assumed::digest(parts.into_iter().chain(assumed.into_iter().flatten()))
    }
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_whose_parts_concatenate_to_the_same_text_have_different_ids() {
        let key = |session: &str, start_url: &str| Key {
            kind: Kind::Token,
            session: session.to_owned(),
            start_url: start_url.to_owned(),
            region: "us-east-1".to_owned(),
        };
        assert_ne!(key("ab", "c").id(), key("a", "bc").id());
        assert_ne!(key("ab", "c").id(), Key { kind: Kind::Registration, ..key("ab", "c") }.id());
        assert_eq!(key("ab", "c").id().len(), 64);
    }
}
