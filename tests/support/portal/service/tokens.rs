//! Access and refresh tokens: issued, refreshed, rotated.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::call::Received;
use super::super::config::Rotation;
use super::super::http1::Response;
use super::errors::oidc_error;
use super::{AccessToken, GRACE, RefreshToken, Service, SignIn, UnusedRefresh, seconds};

impl Service {
    pub(super) fn refresh(&mut self, received: &Received) -> Result<Value, Response> {
        let scopes = self.client(received)?.scopes;
        let client_id = received.field("clientId");
        let token = received.field("refreshToken");
        self.mark_used(token);
        let session = self
            .refresh_tokens
            .get(token)
            .filter(|refresh| refresh.client_id == client_id && self.sessions.contains(&refresh.session))
            .map(|refresh| refresh.session)
            .ok_or_else(|| oidc_error("invalid_grant", "Invalid refresh token provided"))?;
        match self.config.rotation {
            Rotation::Never => {
                let mut answer = self.new_access_token(session);
                answer["refreshToken"] = Value::from(token);
                return Ok(answer);
            }
            Rotation::Lenient => {}
            Rotation::Strict => drop(self.refresh_tokens.remove(token)),
        }
        let tokens = self.new_tokens(session, client_id, scopes);
        let text = |name: &str| tokens.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.unused_refreshes.push(UnusedRefresh {
            access: text("accessToken"),
            refresh: text("refreshToken"),
            replaced: token.to_owned(),
        });
        Ok(tokens)
    }

    /// Records that a client uses this token. The refresh token that it replaced becomes invalid.
    pub(super) fn mark_used(&mut self, token: &str) {
        for used in self.unused_refreshes.extract_if(.., |unused| unused.access == token || unused.refresh == token) {
            self.refresh_tokens.remove(&used.replaced);
        }
    }

    pub fn unused_refreshes(&self) -> usize {
        self.unused_refreshes.len()
    }

    fn new_access_token(&mut self, session: usize) -> Value {
        let access = self.new_secret("access", 340);
        let expires_at = SystemTime::now() + self.config.token_ttl;
        self.access_tokens.insert(access.clone(), AccessToken { session, expires_at: expires_at + GRACE });
        json!({"accessToken": access, "expiresIn": self.config.token_ttl.as_secs(), "tokenType": "Bearer"})
    }

    pub(super) fn new_tokens(&mut self, session: usize, client_id: &str, scopes: usize) -> Value {
        let mut answer = self.new_access_token(session);
        if self.config.refresh_tokens && scopes > 0 {
            let refresh = self.new_secret("refresh", 1500);
            answer["refreshToken"] = Value::from(refresh.as_str());
            self.refresh_tokens.insert(refresh, RefreshToken { session, client_id: client_id.to_owned() });
        }
        answer
    }

    /// Creates a client registration and a session with tokens, without a device code.
    pub fn new_sign_in(&mut self) -> SignIn {
        let (client_id, client_secret, client_expires_at) = self.new_client(1, None);
        let session = self.new_session();
        let tokens = self.new_tokens(session, &client_id, 1);
        let text = |name: &str| tokens.get(name).and_then(Value::as_str).map(str::to_owned);
        SignIn {
            client_id,
            client_secret,
            client_expires_at,
            access_token: text("accessToken").unwrap_or_default(),
            refresh_token: text("refreshToken"),
            expires_at: seconds(SystemTime::now() + self.config.token_ttl),
        }
    }
}
