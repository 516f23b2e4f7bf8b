//! Removes the secrets of a request from the text of its answer. Pure.
//!
//! A service or a proxy may repeat what it was sent, and its text reaches standard error and the lock files.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::secret::Secret;

/// The headers that are secret: the portal's access token, and the session token of signed requests.
const SECRET_HEADERS: [&str; 2] = ["x-amz-sso_bearer_token", "x-amz-security-token"];

/// The members of request bodies that are secret (the request shapes of SSO-OIDC).
const SECRET_MEMBERS: [&str; 5] = ["clientSecret", "deviceCode", "refreshToken", "code", "codeVerifier"];

/// Shorter pieces of a secret reveal nothing, and occur in other words.
const MIN_PIECE: usize = 8;

/// The longest text of a server that is shown or stored, in characters.
const MAX_TEXT: usize = 300;

/// More of a text is not searched, in characters: it would be cut anyway.
const MAX_SEARCHED: usize = 4 * MAX_TEXT;

/// The secrets of one request.
#[derive(Clone, Default)]
pub(super) struct RequestSecrets(Arc<Vec<Secret>>);

impl std::fmt::Debug for RequestSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestSecrets")
    }
}

impl RequestSecrets {
    /// The secret headers and the secret members of the body.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let headers = SECRET_HEADERS.into_iter().filter_map(|name| request.headers().get(name).map(Secret::new));
        let body: Option<serde_json::Value> = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok());
        let member = |name| Some(Secret::new(body.as_ref()?.get(name)?.as_str()?));
        Self(Arc::new(headers.chain(SECRET_MEMBERS.into_iter().filter_map(member)).collect()))
    }

    /// The text without these secrets and pieces of them, cut at [`MAX_TEXT`] characters.
    pub(super) fn clean(&self, text: &str) -> String {
        let text: Vec<char> = text.chars().take(MAX_SEARCHED).collect();
        let secrets: Vec<Vec<char>> = self.0.iter().map(|secret| secret.expose().chars().collect()).collect();
        let mut clean = String::new();
        let mut at = 0;
        while let Some(&next) = text.get(at) {
            let rest = text.get(at..).unwrap_or_default();
            let secret = secrets.iter().map(|secret| longest_common(rest, secret)).max().unwrap_or_default();
            if secret > 0 {
                clean.push_str("[redacted]");
                at += secret;
            } else {
                clean.push(next);
                at += 1;
            }
        }
        match clean.char_indices().nth(MAX_TEXT) {
            Some((end, _)) => clean.get(..end).unwrap_or_default().to_owned() + "…",
            None => clean,
        }
    }
}

/// How much of the start of `text` is a piece of `secret`; 0 if it is shorter than [`MIN_PIECE`] and than the secret.
fn longest_common(text: &[char], secret: &[char]) -> usize {
    let common = |start: usize| text.iter().zip(secret.iter().skip(start)).take_while(|(one, other)| one == other).count();
    let longest = (0..secret.len()).map(common).max().unwrap_or_default();
    if longest >= MIN_PIECE.min(secret.len()) { longest } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        RequestSecrets(Arc::new(vec![Secret::new("aoaAAAA-very+secret/token=="), Secret::new("other-secret-1")])).clean(text)
    }

    #[test]
    fn a_secret_and_pieces_of_it_are_removed_whatever_surrounds_them() {
        assert_eq!(clean("token aoaAAAA-very+secret/token== is invalid"), "token [redacted] is invalid");
        assert_eq!(clean("Bearer:aoaAAAA-very+sec..."), "Bearer:[redacted]...");
        assert_eq!(clean("other-secret-1other-secret-1"), "[redacted][redacted]");
        assert_eq!(clean("a token that is not valid"), "a token that is not valid");
    }

    #[test]
    fn a_long_text_is_cut_at_300_characters() {
        assert_eq!(clean(&"é".repeat(1_000_000)).chars().count(), 301);
        assert_eq!(clean(&"é".repeat(300)), "é".repeat(300));
    }
}
