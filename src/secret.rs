//! Wraps secret text: it can't be printed, and its memory is wiped when it is dropped. Touches nothing but the system's random numbers.
//!
//! Reviewers should look at each call of [`Secret::expose`].

use std::fmt;
use std::ops::{Deref, DerefMut};

use aws_smithy_types::base64;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// A token, a key or a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text; its buffer is wiped when the secret is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 random bits as 43 letters, digits, `-` and `_`. None if the system has no random numbers.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(&mut *bytes).ok()?;
        Some(Self::new(base64url(&*bytes)))
    }

    /// Whether the other text is the same one, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &[u8]) -> bool {
        // Comparing two tags is what the library offers in constant time.
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        hmac::verify(&key, other, hmac::sign(&key, self.0.as_bytes()).as_ref()).is_ok()
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Unused capacity is wiped at once, but contents byte by byte.
        self.0.clear();
    }
}

/// A buffer whose contents may be secret.
#[derive(Default)]
pub struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    /// A buffer of this many zeros.
    pub fn new(length: usize) -> Self {
        Self(Zeroizing::new(vec![0; length]))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // As above.
        self.0.clear();
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
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

/// Base64 with `-` and `_`, and without padding (RFC 4648 §5), as OAuth requires.
pub fn base64url(bytes: &[u8]) -> String {
    base64::encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// For `#[serde(serialize_with = "exposed")]`. A secret has no serialization of its own, so that no record exposes it by accident.
pub fn exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_contain_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn random_secrets_differ_and_need_no_url_encoding() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert!(one != other && one.expose().len() == 43);
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }

    #[test]
    fn a_secret_matches_itself_only() {
        let secret = Secret::new("token-1");
        assert!(secret.matches(b"token-1"));
        for other in ["", "token-", "token-12", "token-2", "TOKEN-1"] {
            assert!(!secret.matches(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn base64url_has_no_padding_and_needs_no_url_encoding() {
        assert_eq!(base64url(&[0xfb, 0xff, 0xfe, 0x01]), "-__-AQ");
    }
}
