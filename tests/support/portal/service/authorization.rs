//! The authorization code flow with PKCE.

use serde_json::Value;

use super::super::call::Received;
use super::super::config::Approval;
use super::super::http1::Response;
use super::errors::oidc_error;
use super::{AuthorizationCode, Service};

impl Service {
    /// The authorize page. `allow` is what the user has decided on it. Returns the redirect, None while the user has not decided, or what
    /// is wrong with the request.
    pub fn authorize(&mut self, query: &[(String, String)], allow: Option<bool>) -> Result<Option<String>, String> {
        let field = |name: &str| -> Result<&str, String> {
            let mut values = query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            values.next().filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} is missing"))
        };
        let (client_id, redirect_uri, state) = (field("client_id")?, field("redirect_uri")?, field("state")?);
        let client = self.clients.get(client_id).ok_or("the client is unknown")?;
        let (_, port) = redirect_uri.rsplit_once(':').ok_or("the redirect has no port")?;
        let port = port.strip_suffix("/oauth/callback").ok_or("the redirect has another path")?;
        let with_port = |registered: &str| registered.replacen("127.0.0.1", &format!("127.0.0.1:{port}"), 1);
        if client.redirect.as_deref().map(with_port).as_deref() != Some(redirect_uri) {
            return Err("the redirect is not the registered one".to_owned());
        }
        let fixed = [("response_type", "code"), ("code_challenge_method", "S256"), ("scopes", "sso:account:access")];
        if fixed.iter().any(|&(name, value)| field(name) != Ok(value)) {
            return Err("response_type, code_challenge_method or scopes".to_owned());
        }
        let challenge = field("code_challenge")?.to_owned();
        if let Some(error) = self.config.authorize_error {
            return Ok(Some(format!("{redirect_uri}?error={error}&error_description=said+the+page&state={state}")));
        }
        match allow {
            None if self.config.approval == Approval::ByHand => return Ok(None),
            Some(false) => {
                let error = "error=access_denied&error_description=the+person+denied+it";
                return Ok(Some(format!("{redirect_uri}?{error}&state={state}")));
            }
            _ => {}
        }
        let code = AuthorizationCode { client_id: client_id.to_owned(), redirect_uri: redirect_uri.to_owned(), challenge };
        let (redirect_uri, state) = (redirect_uri.to_owned(), state.to_owned());
        let name = self.new_secret("code", 60);
        self.authorization_codes.insert(name.clone(), code);
        Ok(Some(format!("{redirect_uri}?code={name}&state={state}")))
    }

    pub(super) fn redeem(&mut self, received: &Received) -> Result<Value, Response> {
        let scopes = self.client(received)?.scopes;
        // A code is valid for one attempt, successful or not.
        let code = self.authorization_codes.remove(received.field("code"));
        let hash = ring::digest::digest(&ring::digest::SHA256, received.field("codeVerifier").as_bytes());
        let challenge = daypass::secret::base64url(hash.as_ref());
        code.filter(|code| {
            code.client_id == received.field("clientId")
                && code.redirect_uri == received.field("redirectUri")
                && code.challenge == challenge
        })
        .ok_or_else(|| oidc_error("invalid_grant", "Invalid authorization code provided"))?;
        let session = self.new_session();
        Ok(self.new_tokens(session, received.field("clientId"), scopes))
    }
}
