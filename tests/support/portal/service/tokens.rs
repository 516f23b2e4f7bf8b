//! Access and refresh tokens.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::call::Received;
use super::super::http1::Reply;
use super::errors::oidc_error;
use super::{Access, GRACE, Refresh, Service, SignIn, Unclaimed, seconds};

impl Service {
    pub(super) fn refresh(&mut self, received: &Received) -> Result<Value, Reply> {
        let scopes = self.client(received)?.scopes;
        let client_id = received.field("clientId");
        let token = received.field("refreshToken");
        self.claim(token);
        let session = self
            .refresh
            .get(token)
            .filter(|refresh| refresh.client_id == client_id && self.sessions.contains(&refresh.session))
            .map(|refresh| refresh.session)
            .ok_or_else(|| oidc_error("invalid_grant", "Invalid refresh token provided"))?;
        // It rotates: this one is spent.
        if !self.realm.lenient_rotation {
            self.refresh.remove(token);
        }
        let tokens = self.new_tokens(session, client_id, scopes);
        let text = |name: &str| tokens.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.unclaimed.push(Unclaimed { access: text("accessToken"), refresh: text("refreshToken"), spent: token.to_owned() });
        Ok(tokens)
    }

    /// Somebody uses a token: what it came in place of is dead.
    pub(super) fn claim(&mut self, token: &str) {
        for claimed in self.unclaimed.extract_if(.., |unclaimed| unclaimed.access == token || unclaimed.refresh == token) {
            self.refresh.remove(&claimed.spent);
        }
    }

    /// How many refreshes gave tokens that nobody has used.
    pub fn unclaimed(&self) -> usize {
        self.unclaimed.len()
    }

    pub(super) fn new_tokens(&mut self, session: usize, client_id: &str, scopes: usize) -> Value {
        let access = self.new_secret("access", 340);
        let told = SystemTime::now() + self.realm.token_life;
        self.access.insert(access.clone(), Access { session, expires_at: told + GRACE });
        let mut answer = json!({"accessToken": access, "expiresIn": self.realm.token_life.as_secs(), "tokenType": "Bearer"});
        if self.realm.refresh_tokens && scopes > 0 {
            let refresh = self.new_secret("refresh", 1500);
            answer["refreshToken"] = Value::from(refresh.as_str());
            self.refresh.insert(refresh, Refresh { session, client_id: client_id.to_owned() });
        }
        answer
    }

    pub fn sign_in_directly(&mut self) -> SignIn {
        let (client_id, client_secret, client_expires_at) = self.new_client(1, None);
        self.last_session += 1;
        self.sessions.insert(self.last_session);
        let tokens = self.new_tokens(self.last_session, &client_id, 1);
        let text = |name: &str| tokens.get(name).and_then(Value::as_str).map(str::to_owned);
        SignIn {
            client_id,
            client_secret,
            client_expires_at,
            access_token: text("accessToken").unwrap_or_default(),
            refresh_token: text("refreshToken"),
            expires_at: seconds(SystemTime::now() + self.realm.token_life),
        }
    }
}
