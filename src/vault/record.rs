//! The text form of what is kept: compact JSON with a version number. Touches nothing.
//!
//! A text of an unknown version, or one that is damaged, reads as nothing at all: the caller fetches or signs in anew. Fields that
//! this version does not know are passed over, so that an older daypass reads what a newer one wrote.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use zeroize::Zeroizing;

use super::error::{Error, Result};
use super::store::Bytes;
use crate::credentials::{Registration, RoleCredentials, Token};
use crate::secret::{Secret, exposed};

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A grant that has a text form.
pub trait Record: Sized {
    /// The JSON text.
    ///
    /// # Errors
    /// [`Error::Failed`] for a time that RFC 3339 can't write (a year beyond 9999).
    fn to_text(&self) -> Result<Secret>;

    /// None for anything but a text of this version.
    fn of_text(text: &Secret) -> Option<Self>;
}

macro_rules! record {
    ($grant:ident, $form:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Serialize, Deserialize)]
        struct $form {
            v: u32,
            $($(#[$attribute])* $field: $type,)*
        }

        impl From<$grant> for $form {
            fn from(grant: $grant) -> Self {
                Self { v: VERSION, $($field: grant.$field.into(),)* }
            }
        }

        impl From<$form> for $grant {
            fn from(form: $form) -> Self {
                Self { $($field: form.$field.into(),)* }
            }
        }

        impl Record for $grant {
            fn to_text(&self) -> Result<Secret> {
                let mut json = Wiped::default();
                serde_json::to_writer(&mut json, &$form::from(self.clone())).map_err(|error| Error::Failed(error.to_string()))?;
                secret(json.0).ok_or_else(|| Error::Failed("JSON that is not UTF-8".to_owned()))
            }

            fn of_text(text: &Secret) -> Option<Self> {
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

record!(Token, TokenForm {
    #[serde(serialize_with = "exposed")]
    access: Secret,
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    #[serde(default, serialize_with = "exposed_if_any", skip_serializing_if = "Option::is_none")]
    refresh: Option<Secret>,
    registration: RegistrationForm,
});

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
    }
);

// The signature is serde's.
#[allow(clippy::ref_option)]
fn exposed_if_any<S: serde::Serializer>(secret: &Option<Secret>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// A buffer that leaves no copy behind when it grows.
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

/// The bytes as a secret text, without a second copy. None if they are not UTF-8.
pub(super) fn secret(mut bytes: Bytes) -> Option<Secret> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            None
        }
    }
}
