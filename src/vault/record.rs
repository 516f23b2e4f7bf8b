//! Converts credentials to text and back: compact JSON with a version number. Touches nothing.
//!
//! A damaged text, or one of an unknown version, counts as missing: the caller fetches or signs in again. Unknown fields are ignored,
//! so that an older daypass reads what a newer one wrote.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::Bytes;
use crate::credentials::{Registration, RoleCredentials, Token};
use crate::secret::{Secret, exposed};

/// The only version that is written and read.
pub(super) const VERSION: u32 = 1;

/// Credentials that have a text form.
pub trait Record: Sized {
    /// The JSON text.
    ///
    /// # Errors
    /// [`Error::Failed`] for a time that RFC 3339 can't express (a year after 9999).
    fn to_text(&self) -> Result<Secret>;

    /// The credentials in a text; None if it is damaged or of another version.
    fn from_text(text: &Secret) -> Option<Self>;
}

macro_rules! record {
    ($credentials:ident, $form:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Serialize, Deserialize)]
        struct $form {
            v: u32,
            $($(#[$attribute])* $field: $type,)*
        }

        impl From<$credentials> for $form {
            fn from(credentials: $credentials) -> Self {
                Self { v: VERSION, $($field: credentials.$field.into(),)* }
            }
        }

        impl From<$form> for $credentials {
            fn from(form: $form) -> Self {
                Self { $($field: form.$field.into(),)* }
            }
        }

        impl Record for $credentials {
            fn to_text(&self) -> Result<Secret> {
                let mut json = Wiped::default();
                serde_json::to_writer(&mut json, &$form::from(self.clone())).map_err(|error| Error::Failed(error.to_string()))?;
                secret(json.0).ok_or_else(|| Error::Failed("JSON that is not UTF-8".to_owned()))
            }

            fn from_text(text: &Secret) -> Option<Self> {
                serde_json::from_str::<$form>(text.expose()).ok().filter(|form| form.v == VERSION).map(Self::from)
            }
        }
    };
}

record!(Registration, RegistrationForm {
    client_id: String,
    #[serde(serialize_with = "exposed")]
    client_secret: Secret,
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    scopes: Vec<String>,
});

record!(SignIn, SignInForm {
    #[serde(serialize_with = "exposed")]
    access: Secret,
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(default, serialize_with = "exposed_if_any", skip_serializing_if = "Option::is_none")]
    refresh: Option<Secret>,
    registration: RegistrationForm,
    #[serde(default, skip_serializing_if = "is_false")]
    reusable: bool,
});

/// A token as it is stored. Its registration is stored with it and nowhere else: the client secret is the longest part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    access: Secret,
    expires_at: OffsetDateTime,
    refresh: Option<Secret>,
    registration: Registration,
    /// Whether the registration is also for the next sign-in.
    pub reusable: bool,
}

impl SignIn {
    /// A token, and whether its registration is also for the next sign-in.
    pub fn new(token: Token, reusable: bool) -> Self {
        let Token { access, expires_at, refresh, registration } = token;
        Self { access, expires_at, refresh, registration, reusable }
    }

    /// The token without what only the vault needs.
    pub fn token(self) -> Token {
        let Self { access, expires_at, refresh, registration, .. } = self;
        Token { access, expires_at, refresh, registration }
    }
}

record!(
    RoleCredentials,
    RoleForm {
        access_key_id: String,
        #[serde(serialize_with = "exposed")]
        secret_access_key: Secret,
        #[serde(serialize_with = "exposed")]
        session_token: Secret,
        #[serde(with = "rfc3339")]
        expires_at: OffsetDateTime,
        #[serde(with = "rfc3339")]
        received_at: OffsetDateTime,
        #[serde(default, with = "seconds", skip_serializing_if = "seconds::is_zero")]
        clock_offset: Duration,
    }
);

/// A duration in whole seconds.
mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::Duration;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(duration.whole_seconds())
    }

    /// Nothing is written for zero: an older daypass wrote nothing either.
    pub(super) fn is_zero(duration: &Duration) -> bool {
        duration.whole_seconds() == 0
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        i64::deserialize(deserializer).map(Duration::seconds)
    }
}

// serde prescribes the signature.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}

// serde prescribes the signature.
#[allow(clippy::ref_option)]
fn exposed_if_any<S: serde::Serializer>(secret: &Option<Secret>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A buffer that wipes its old memory when it grows.
#[derive(Default)]
pub(super) struct Wiped(pub(super) Bytes);

impl Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut bigger = Zeroizing::new(Vec::with_capacity((2 * needed).max(4096)));
            bigger.extend_from_slice(&self.0);
            self.0 = bigger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Converts bytes to a secret without copying them. None if they are not UTF-8.
pub(super) fn secret(mut bytes: Bytes) -> Option<Secret> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            None
        }
    }
}
