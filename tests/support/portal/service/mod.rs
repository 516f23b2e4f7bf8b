//! The service itself: what an administrator set up, what it issued, and how it answers.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::call::{Call, Received};
use super::http1::Reply;

/// An access token is honoured this much longer than its client was told: a test steers by what is told, and not by how fast the
/// machine is. What has to be dead is revoked.
const GRACE: Duration = Duration::from_mins(2);

/// What an administrator of Identity Center sets up, and how the person at the browser behaves.
#[derive(Debug, Clone)]
pub struct Realm {
    /// The one that is known; any other is an `invalid_request` without a description, as in life.
    pub start_url: String,
    pub accounts: Vec<Account>,
    /// Told in whole seconds.
    pub token_life: Duration,
    /// Told in milliseconds.
    pub role_life: Duration,
    pub code_life: Duration,
    pub registration_life: Duration,
    /// What clients are told to wait between two polls; one that waits less than half of it gets `slow_down`.
    pub interval: Duration,
    pub approval: Approval,
    /// What the authorize page comes back with in place of a code, such as `access_denied`.
    pub authorize_error: Option<&'static str>,
    /// Whether clients with scopes get refresh tokens.
    pub refresh_tokens: bool,
    /// Whether a spent refresh token is honoured until somebody has used what came in its place. Otherwise it is dead at once.
    pub lenient_rotation: bool,
    /// Entries of a page of a list, if the client asks for no fewer.
    pub page_size: usize,
    /// Whether secrets are as long as the real ones, which matters to keyrings; short ones are for reading.
    pub long_secrets: bool,
}

impl Default for Realm {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self {
            start_url: "https://sandbox.awsapps.com/start".to_owned(),
            accounts: vec![
                Account::new("111122223333", "Development", &["DeveloperAccess", "ReadOnly"]),
                Account::new("444455556666", "Production", &["Break+Glass=Now", "ReadOnly"]),
            ],
            token_life: hour,
            role_life: hour,
            code_life: Duration::from_mins(10),
            registration_life: 90 * 24 * hour,
            interval: Duration::from_secs(1),
            approval: Approval::AfterPolls(0),
            authorize_error: None,
            refresh_tokens: true,
            lenient_rotation: false,
            page_size: 100,
            long_secrets: true,
        }
    }
}

impl Realm {
    /// So many accounts with so many roles each.
    pub fn of(accounts: usize, roles: usize) -> Self {
        let roles: Vec<String> = (1..=roles).map(|n| format!("Role{n:03}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let accounts = (1..=accounts).map(|n| Account::new(&format!("{:012}", 100_000_000 + n), &format!("Team {n:03}"), &roles));
        Self { accounts: accounts.collect(), ..Self::default() }
    }
}

/// An account, with the roles that the person has in it.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    /// The service may leave it out.
    pub name: Option<String>,
    /// The service may leave it out.
    pub email: Option<String>,
    pub roles: Vec<String>,
}

impl Account {
    pub fn new(id: &str, name: &str, roles: &[&str]) -> Self {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "-"));
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        Self { id: id.to_owned(), name: Some(name.to_owned()), email: Some(email), roles }
    }
}

/// When a device code is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// By itself, after so many polls were told to wait.
    AfterPolls(usize),
    /// As soon as a browser opens the complete verification address.
    OnVisit,
    /// By the buttons of that page, or by [`super::Portal::allow`] and [`super::Portal::deny`].
    ByHand,
}

/// Role credentials that were handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleKeys {
    pub account: String,
    pub role: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
    /// Milliseconds since 1970.
    pub expiration: u64,
}

/// All that a client holds after a sign-in. Times are in seconds since 1970.
#[derive(Debug, Clone)]
pub struct SignIn {
    pub client_id: String,
    pub client_secret: String,
    pub client_expires_at: u64,
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub expires_at: u64,
}

#[derive(Debug)]
pub(super) struct Client {
    /// What it was registered for: the code flow, with this redirect; else the device flow.
    redirect: Option<String>,
    secret: String,
    expires_at: SystemTime,
    scopes: usize,
}

#[derive(Debug)]
struct DeviceCode {
    client_id: String,
    user_code: String,
    expires_at: SystemTime,
    polls: usize,
    answered_at: Option<Instant>,
    decision: Option<bool>,
}

#[derive(Debug)]
struct AuthorizationCode {
    client_id: String,
    redirect_uri: String,
    challenge: String,
}

#[derive(Debug)]
pub(super) struct Access {
    session: usize,
    expires_at: SystemTime,
}

#[derive(Debug)]
struct Refresh {
    session: usize,
    client_id: String,
}

/// What a refresh gave, as long as nobody has used it.
#[derive(Debug)]
struct Unclaimed {
    access: String,
    refresh: String,
    spent: String,
}

/// The service's memory.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub realm: Realm,
    url: String,
    pub clients: HashMap<String, Client>,
    codes: HashMap<String, DeviceCode>,
    authorization_codes: HashMap<String, AuthorizationCode>,
    pub access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    unclaimed: Vec<Unclaimed>,
    /// The portal sessions that live, and the number of the last one.
    sessions: BTreeSet<usize>,
    last_session: usize,
    pub secrets: Vec<String>,
    pub issued: Vec<RoleKeys>,
}

impl Service {
    pub fn new(realm: Realm, url: String) -> Self {
        Self { realm, url, ..Self::default() }
    }

    /// Answers a well-formed call; one with fields missing gets what such a call gets.
    pub fn serve(&mut self, received: &Received) -> Reply {
        let Some(call) = received.call else { return portal_error("UnknownOperationException", 404, "no such operation") };
        if let Some(complaint) = received.complaints.first() {
            return error_of(call, "invalid_request", complaint);
        }
        let answer = match call {
            Call::RegisterClient => self.register(received),
            Call::StartDeviceAuthorization => self.start_device_authorization(received),
            Call::PollForToken => self.poll(received),
            Call::RedeemCode => self.redeem(received),
            Call::RefreshToken => self.refresh(received),
            Call::GetRoleCredentials | Call::ListAccounts | Call::ListAccountRoles | Call::Logout => self.portal(call, received),
        };
        match answer {
            Ok(body) => Reply::json(200, &body),
            Err(refusal) => refusal,
        }
    }

    fn register(&mut self, received: &Received) -> Result<Value, Reply> {
        let list = |name: &str| -> Vec<&str> {
            received.fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let redirect = match (list("grantTypes").as_slice(), list("redirectUris").as_slice()) {
            ([], []) => None,
            (["authorization_code", "refresh_token"], ["http://127.0.0.1/oauth/callback"]) => {
                if received.field("issuerUrl") != self.realm.start_url {
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

    fn new_client(&mut self, scopes: usize, redirect: Option<String>) -> (String, String, u64) {
        let id = random(22);
        let secret = self.new_secret("client", 1600);
        let expires_at = SystemTime::now() + self.realm.registration_life;
        self.clients.insert(id.clone(), Client { redirect, secret: secret.clone(), expires_at, scopes });
        (id, secret, seconds(expires_at))
    }

    /// The authorize page: where the browser goes next, nowhere while the person thinks, or what the page complains about.
    pub fn authorize(&mut self, query: &[(String, String)]) -> Result<Option<String>, String> {
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
        if let Some(error) = self.realm.authorize_error {
            return Ok(Some(format!("{redirect_uri}?error={error}&error_description=said+the+page&state={state}")));
        }
        if self.realm.approval == Approval::ByHand {
            return Ok(None);
        }
        let code = AuthorizationCode { client_id: client_id.to_owned(), redirect_uri: redirect_uri.to_owned(), challenge };
        let (redirect_uri, state) = (redirect_uri.to_owned(), state.to_owned());
        let name = self.new_secret("code", 60);
        self.authorization_codes.insert(name.clone(), code);
        Ok(Some(format!("{redirect_uri}?code={name}&state={state}")))
    }

    fn redeem(&mut self, received: &Received) -> Result<Value, Reply> {
        let scopes = self.client(received)?.scopes;
        // Spent by the first who brings it, rightly or not.
        let code = self.authorization_codes.remove(received.field("code"));
        let hash = ring::digest::digest(&ring::digest::SHA256, received.field("codeVerifier").as_bytes());
        let challenge = daypass::secret::base64url(hash.as_ref());
        code.filter(|code| {
            code.client_id == received.field("clientId")
                && code.redirect_uri == received.field("redirectUri")
                && code.challenge == challenge
        })
        .ok_or_else(|| oidc_error("invalid_grant", "Invalid authorization code provided"))?;
        self.last_session += 1;
        self.sessions.insert(self.last_session);
        Ok(self.new_tokens(self.last_session, received.field("clientId"), scopes))
    }

    /// The client that the call names, if it proves that it is the one.
    fn client(&self, received: &Received) -> Result<&Client, Reply> {
        self.clients
            .get(received.field("clientId"))
            .filter(|client| client.secret == received.field("clientSecret") && SystemTime::now() < client.expires_at)
            .ok_or_else(|| oidc_error("invalid_client", "Invalid client provided"))
    }

    fn start_device_authorization(&mut self, received: &Received) -> Result<Value, Reply> {
        if self.client(received)?.redirect.is_some() {
            return Err(oidc_error("unauthorized_client", "This client is for the authorization code flow"));
        }
        if received.field("startUrl") != self.realm.start_url {
            return Err(oidc_error("invalid_request", ""));
        }
        let letters = || -> String { (0..4).map(|_| fastrand::uppercase()).collect() };
        let user_code = format!("{}-{}", letters(), letters());
        let device_code = self.new_secret("device", 60);
        let code = DeviceCode {
            client_id: received.field("clientId").to_owned(),
            user_code: user_code.clone(),
            expires_at: SystemTime::now() + self.realm.code_life,
            polls: 0,
            answered_at: None,
            decision: None,
        };
        self.codes.insert(device_code.clone(), code);
        Ok(json!({
            "deviceCode": device_code,
            "userCode": user_code,
            "verificationUri": format!("{}/device", self.url),
            "verificationUriComplete": format!("{}/device?user_code={user_code}", self.url),
            "expiresIn": self.realm.code_life.as_secs(),
            "interval": self.realm.interval.as_secs(),
        }))
    }

    fn poll(&mut self, received: &Received) -> Result<Value, Reply> {
        let scopes = self.client(received)?.scopes;
        let (approval, interval) = (self.realm.approval, self.realm.interval);
        let device_code = received.field("deviceCode");
        let code = self
            .codes
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
            Some(false) => Err(oidc_error("access_denied", "The person refused")),
            Some(true) => {
                self.codes.remove(device_code);
                self.last_session += 1;
                self.sessions.insert(self.last_session);
                Ok(self.new_tokens(self.last_session, received.field("clientId"), scopes))
            }
        }
    }

    fn refresh(&mut self, received: &Received) -> Result<Value, Reply> {
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
    fn claim(&mut self, token: &str) {
        for claimed in self.unclaimed.extract_if(.., |unclaimed| unclaimed.access == token || unclaimed.refresh == token) {
            self.refresh.remove(&claimed.spent);
        }
    }

    /// How many refreshes gave tokens that nobody has used.
    pub fn unclaimed(&self) -> usize {
        self.unclaimed.len()
    }

    fn new_tokens(&mut self, session: usize, client_id: &str, scopes: usize) -> Value {
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

    fn portal(&mut self, call: Call, received: &Received) -> Result<Value, Reply> {
        self.claim(received.bearer.as_deref().unwrap_or_default());
        let session = received
            .bearer
            .as_ref()
            .and_then(|bearer| self.access.get(bearer))
            .filter(|access| SystemTime::now() < access.expires_at && self.sessions.contains(&access.session))
            .map(|access| access.session)
            .ok_or_else(|| portal_error("UnauthorizedException", 401, "Session token not found or invalid"))?;
        match call {
            Call::Logout => {
                self.sessions.remove(&session);
                // An empty answer, and no JSON.
                Err(Reply { status: 200, headers: Vec::new(), body: Vec::new() })
            }
            Call::ListAccounts => {
                let all = self.realm.accounts.iter().map(|account| {
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

    fn account(&self, received: &Received) -> Result<&Account, Reply> {
        let id = received.field("account_id");
        if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(portal_error("InvalidRequestException", 400, "account_id must match [0-9]{12}"));
        }
        let found = self.realm.accounts.iter().find(|account| account.id == id);
        found.ok_or_else(|| portal_error("ForbiddenException", 403, "No access"))
    }

    /// The page that the call asks for. A page token names its list, so that none fits another.
    fn page(&self, name: &str, list: &str, all: Vec<Value>, received: &Received) -> Result<Value, Reply> {
        let bad = |what| portal_error("InvalidRequestException", 400, what);
        let size = match received.field("max_result") {
            "" => self.realm.page_size,
            text => {
                let asked = text.parse().ok().filter(|asked| (1..=100).contains(asked));
                self.realm.page_size.min(asked.ok_or_else(|| bad("max_result must be between 1 and 100"))?)
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
        let keys = RoleKeys {
            account: account.to_owned(),
            role: role.to_owned(),
            access_key_id: format!("ASIASANDBOX{:09}", self.issued.len() + 1),
            secret_access_key: self.new_secret("key", 40),
            session_token: self.new_secret("session", 900),
            expiration: milliseconds(SystemTime::now() + self.realm.role_life),
        };
        self.issued.push(keys.clone());
        keys
    }

    /// `secret-KIND-NUMBER-…`: unique, recognisable, as long as the real one, and remembered.
    fn new_secret(&mut self, kind: &str, length: usize) -> String {
        let start = format!("secret-{kind}-{}-", self.secrets.len() + 1);
        let length = if self.realm.long_secrets { length } else { length.min(40) };
        let secret = format!("{start}{}", random(length.saturating_sub(start.len()).max(8)));
        self.secrets.push(secret.clone());
        secret
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

    pub fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// The person decides on every code that waits; how many there were.
    pub fn decide_all(&mut self, allow: bool) -> usize {
        self.codes.values_mut().filter(|code| code.decision.is_none()).map(|code| code.decision = Some(allow)).count()
    }

    /// The person decides on one code; whether it waited for that.
    pub fn decide(&mut self, user_code: &str, allow: bool) -> bool {
        let now = SystemTime::now();
        let waits = |code: &&mut DeviceCode| code.user_code == user_code && code.decision.is_none() && now < code.expires_at;
        self.codes.values_mut().find(waits).map(|code| code.decision = Some(allow)).is_some()
    }
}

/// An error of SSO-OIDC, in its body and in its header.
pub(super) fn oidc_error(code: &str, description: &str) -> Reply {
    let (shape, status) = match code {
        "authorization_pending" => ("AuthorizationPendingException", 400),
        "slow_down" => ("SlowDownException", 400),
        "expired_token" => ("ExpiredTokenException", 400),
        "access_denied" => ("AccessDeniedException", 400),
        "invalid_grant" => ("InvalidGrantException", 400),
        "invalid_client" => ("InvalidClientException", 401),
        "unauthorized_client" => ("UnauthorizedClientException", 400),
        "invalid_scope" => ("InvalidScopeException", 400),
        "invalid_client_metadata" => ("InvalidClientMetadataException", 400),
        "invalid_redirect_uri" => ("InvalidRedirectUriException", 400),
        "unsupported_grant_type" => ("UnsupportedGrantTypeException", 400),
        "server_error" => ("InternalServerException", 500),
        "invalid_request" => ("InvalidRequestException", 400),
        other => panic!("SSO-OIDC has no error {other}"),
    };
    let reply = Reply::json(status, &json!({"error": code, "error_description": description}));
    reply.with("x-amzn-ErrorType", &format!("{shape}:http://internal.amazon.com/coral/com.amazonaws.ssooidc/"))
}

/// An error of the portal.
pub(super) fn portal_error(shape: &str, status: u16, message: &str) -> Reply {
    let reply = Reply::json(status, &json!({"message": message, "__type": shape}));
    reply.with("x-amzn-ErrorType", &format!("{shape}:http://internal.amazon.com/coral/com.amazonaws.ssoportal/"))
}

/// A 400 in the manner of the service that the call belongs to.
pub(super) fn error_of(call: Call, code: &str, description: &str) -> Reply {
    if call.is_oidc() { oidc_error(code, description) } else { portal_error("InvalidRequestException", 400, description) }
}

fn random(length: usize) -> String {
    (0..length).map(|_| fastrand::alphanumeric()).collect()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1000 + u64::from(since.subsec_millis())
}
