//! The portal's calls: accounts, roles, role credentials and logout.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::super::call::{Call, Received};
use super::super::config::Account;
use super::super::http1::Response;
use super::errors::portal_error;
use super::{Principal, RoleKeys, Service, milliseconds};

impl Service {
    /// Answers a call that carries an access token.
    pub(super) fn portal_call(&mut self, call: Call, received: &Received) -> Result<Value, Response> {
        self.mark_used(received.bearer.as_deref().unwrap_or_default());
        let session = received
            .bearer
            .as_ref()
            .and_then(|bearer| self.access_tokens.get(bearer))
            .filter(|access| SystemTime::now() < access.expires_at && self.sessions.contains(&access.session))
            .map(|access| access.session)
            .ok_or_else(|| portal_error("UnauthorizedException", 401, "Session token not found or invalid"))?;
        match call {
            Call::Logout => {
                self.sessions.remove(&session);
                // The service answers with an empty body, which is not JSON.
                Err(Response { status: 200, headers: Vec::new(), body: Vec::new() })
            }
            Call::ListAccounts => {
                let all = self.config.accounts.iter().map(|account| {
                    let mut entry = json!({"accountId": account.id});
                    for (name, value) in [("accountName", &account.name), ("emailAddress", &account.email)] {
                        if let Some(value) = value {
                            entry[name] = Value::from(value.as_str());
                        }
                    }
                    entry
                });
                self.page("accountList", "accounts", all.collect(), received)
            }
            Call::ListAccountRoles => {
                let account = self.account(received)?;
                match account.suspended {
                    Some(404) => return Err(portal_error("ResourceNotFoundException", 404, "No such account")),
                    Some(status) => return Err(portal_error("ForbiddenException", status, "No access")),
                    None => {}
                }
                let all = account.roles.iter().map(|role| json!({"roleName": role, "accountId": account.id}));
                self.page("roleList", &account.id, all.collect(), received)
            }
            _ => {
                let account = self.account(received)?;
                let role = received.field("role_name");
                if !account.roles.iter().any(|known| known == role) {
                    return Err(portal_error("ForbiddenException", 403, "No access"));
                }
                let keys = self.new_role_keys(received.field("account_id"), role);
                Ok(json!({"roleCredentials": {
                    "accessKeyId": keys.access_key_id,
                    "secretAccessKey": keys.secret_access_key,
                    "sessionToken": keys.session_token,
                    "expiration": keys.expiration,
                }}))
            }
        }
    }

    fn account(&self, received: &Received) -> Result<&Account, Response> {
        let id = received.field("account_id");
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(portal_error("InvalidRequestException", 400, "account_id must match [0-9]{12}"));
        }
        let found = self.config.accounts.iter().find(|account| account.id == id);
        found.ok_or_else(|| portal_error("ForbiddenException", 403, "No access"))
    }

    /// The requested page of a list. A page token names its list, so that it is not valid for another one.
    fn page(&self, name: &str, list: &str, all: Vec<Value>, received: &Received) -> Result<Value, Response> {
        let bad = |what| portal_error("InvalidRequestException", 400, what);
        let size = match received.field("max_result") {
            "" => self.config.page_size,
            text => {
                let requested = text.parse().ok().filter(|size| (1..=100).contains(size));
                self.config.page_size.min(requested.ok_or_else(|| bad("max_result must be between 1 and 100"))?)
            }
        };
        let start = match received.field("next_token") {
            "" => 0,
            token => {
                let start =
                    token.strip_prefix("page-of-").and_then(|rest| rest.strip_prefix(list)?.strip_prefix('-')?.parse().ok());
                start.ok_or_else(|| bad("next_token is not valid"))?
            }
        };
        let more = start + size < all.len();
        let entries: Vec<Value> = all.into_iter().skip(start).take(size).collect();
        let mut answer = json!({name: entries});
        if more {
            answer["nextToken"] = Value::from(format!("page-of-{list}-{}", start + size));
        }
        Ok(answer)
    }

    fn new_role_keys(&mut self, account: &str, role: &str) -> RoleKeys {
        let user = self.config.user.clone();
        let arn = format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_{role}_0123456789abcdef/{user}");
        self.new_keys(account, role, arn, self.config.role_ttl)
    }

    /// Issues keys to a role session.
    pub(super) fn new_keys(&mut self, account: &str, role: &str, arn: String, life: Duration) -> RoleKeys {
        let expires_at = SystemTime::now() + life;
        let keys = RoleKeys {
            account: account.to_owned(),
            role: role.to_owned(),
            access_key_id: format!("ASIASANDBOX{:09}", self.issued.len() + 1),
            secret_access_key: self.new_secret("key", 40),
            session_token: self.new_secret("session", 900),
            expiration: milliseconds(expires_at),
        };
        let principal = Principal {
            account: account.to_owned(),
            arn,
            secret_access_key: keys.secret_access_key.clone(),
            session_token: Some(keys.session_token.clone()),
            expires_at: Some(expires_at),
        };
        self.principals.insert(keys.access_key_id.clone(), principal);
        self.issued.push(keys.clone());
        keys
    }
}
