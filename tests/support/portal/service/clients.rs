//! Client registrations.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::call::Received;
use super::super::http1::Response;
use super::errors::oidc_error;
use super::{Client, Service, random, seconds};

impl Service {
    pub(super) fn register(&mut self, received: &Received) -> Result<Value, Response> {
        let list = |name: &str| -> Vec<&str> {
            received.fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let redirect = match (list("grantTypes").as_slice(), list("redirectUris").as_slice()) {
            ([], []) => None,
            (["authorization_code", "refresh_token"], ["http://127.0.0.1/oauth/callback"]) => {
                if received.field("issuerUrl") != self.config.start_url {
                    return Err(oidc_error("invalid_request", ""));
                }
                Some("http://127.0.0.1/oauth/callback".to_owned())
            }
            _ => return Err(oidc_error("invalid_redirect_uri", "only the loopback redirect without a port")),
        };
        let (id, secret, expires_at) = self.new_client(list("scopes").len(), redirect);
        Ok(json!({
            "clientId": id,
            "clientSecret": secret,
            "clientIdIssuedAt": seconds(SystemTime::now()),
            "clientSecretExpiresAt": expires_at,
        }))
    }

    pub(super) fn new_client(&mut self, scopes: usize, redirect: Option<String>) -> (String, String, u64) {
        let id = random(22);
        let secret = self.new_secret("client", 1600);
        let expires_at = SystemTime::now() + self.config.registration_ttl;
        self.clients.insert(id.clone(), Client { redirect, secret: secret.clone(), expires_at, scopes });
        (id, secret, seconds(expires_at))
    }

    /// The client of the call, if its secret is right and its registration has not expired.
    pub(super) fn client(&self, received: &Received) -> Result<&Client, Response> {
        self.clients
            .get(received.field("clientId"))
            .filter(|client| client.secret == received.field("clientSecret") && SystemTime::now() < client.expires_at)
            .ok_or_else(|| oidc_error("invalid_client", "Invalid client provided"))
    }
}
