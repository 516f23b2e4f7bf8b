//! The device authorization flow.

use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::super::call::Received;
use super::super::config::Approval;
use super::super::http1::Response;
use super::errors::oidc_error;
use super::{DeviceCode, Service};

impl Service {
    pub(super) fn start_device_authorization(&mut self, received: &Received) -> Result<Value, Response> {
        if self.client(received)?.redirect.is_some() {
            return Err(oidc_error("unauthorized_client", "This client is for the authorization code flow"));
        }
        if received.field("startUrl") != self.config.start_url {
            return Err(oidc_error("invalid_request", ""));
        }
        let letters = || -> String { (0..4).map(|_| fastrand::uppercase()).collect() };
        let user_code = format!("{}-{}", letters(), letters());
        let device_code = self.new_secret("device", 60);
        let code = DeviceCode {
            client_id: received.field("clientId").to_owned(),
            user_code: user_code.clone(),
            expires_at: SystemTime::now() + self.config.code_ttl,
            polls: 0,
            answered_at: None,
            decision: None,
        };
        self.device_codes.insert(device_code.clone(), code);
        Ok(json!({
            "deviceCode": device_code,
            "userCode": user_code,
            "verificationUri": format!("{}/device", self.url),
            "verificationUriComplete": format!("{}/device?user_code={user_code}", self.url),
            "expiresIn": self.config.code_ttl.as_secs(),
            "interval": self.config.interval.as_secs(),
        }))
    }

    pub(super) fn poll(&mut self, received: &Received) -> Result<Value, Response> {
        let scopes = self.client(received)?.scopes;
        let (approval, interval) = (self.config.approval, self.config.interval);
        let device_code = received.field("deviceCode");
        let code = self
            .device_codes
            .get_mut(device_code)
            .filter(|code| code.client_id == received.field("clientId"))
            .ok_or_else(|| oidc_error("invalid_grant", "Invalid device code provided"))?;
        let too_fast = code.answered_at.replace(Instant::now()).is_some_and(|last| last.elapsed() < interval / 2);
        code.polls += 1;
        let approved = matches!(approval, Approval::AfterPolls(polls) if code.polls > polls);
        match code.decision.or(approved.then_some(true)) {
            _ if SystemTime::now() >= code.expires_at => Err(oidc_error("expired_token", "Device code expired")),
            _ if too_fast => Err(oidc_error("slow_down", "Slow down")),
            None => Err(oidc_error("authorization_pending", "Authorization is pending")),
            Some(false) => Err(oidc_error("access_denied", "The user refused")),
            Some(true) => {
                self.device_codes.remove(device_code);
                let session = self.new_session();
                Ok(self.new_tokens(session, received.field("clientId"), scopes))
            }
        }
    }

    /// Decides on every pending code. Returns how many there were.
    pub fn decide_all(&mut self, allow: bool) -> usize {
        self.device_codes.values_mut().filter(|code| code.decision.is_none()).map(|code| code.decision = Some(allow)).count()
    }

    /// Decides on one code. Returns whether it was pending.
    pub fn decide(&mut self, user_code: &str, allow: bool) -> bool {
        let now = SystemTime::now();
        let pending = |code: &&mut DeviceCode| code.user_code == user_code && code.decision.is_none() && now < code.expires_at;
        self.device_codes.values_mut().find(pending).map(|code| code.decision = Some(allow)).is_some()
    }
}
