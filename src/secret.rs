//! A text that must not be seen: it can't be printed, and its memory is wiped when it is let go.
//!
//! Touches nothing, but for a new one the system's random numbers. [`Secret::expose`] is the visible border: each call of it is a place to look at in review.

use std::fmt;

use aws_smithy_types::base64;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// A token, a key or a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; its buffer is wiped when the secret is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 random bits as 43 letters, digits, `-` and `_`. None where the system has no random numbers.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *bytes).ok()?;
        Some(Self::new(base64url(&*bytes)))
    }

    /// The text itself, for the one place that must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Base64 with `-` and `_`, and without padding (RFC 4648 §5), as OAuth wants it.
pub fn base64url(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// For `#[serde(serialize_with = "exposed")]`: a secret has no serialization of its own, so that a record says it where it means it.
pub fn exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn a_random_one_is_fit_for_an_address_and_is_never_the_same() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(one != other && one.expose().len() == 43);
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }

    #[test]
    fn base64url_has_no_padding_and_no_characters_that_addresses_mean_something_by() {
        assert_eq!(base64url(&[0xfb, 0xff, 0xfe, 0x01]), "-__-AQ");
    }
}
