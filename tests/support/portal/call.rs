//! The operations of all services, and the strict parser of their requests.

use std::fmt;

use serde_json::{Map, Value};

use super::http1::{self, Request};

/// An operation of one of the services. `CreateToken` counts as one operation per grant type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    RegisterClient,
    StartDeviceAuthorization,
    /// `CreateToken` with a device code.
    PollForToken,
    /// `CreateToken` with an authorization code.
    RedeemCode,
    /// `CreateToken` with a refresh token.
    RefreshToken,
    GetRoleCredentials,
    ListAccounts,
    ListAccountRoles,
    Logout,
    GetCallerIdentity,
    GetAccessKeyInfo,
    AssumeRole,
    GetAccessKeyLastUsed,
    ListAccessKeys,
    UpdateAccessKey,
    DeleteAccessKey,
}

/// The namespace of the services with signed requests: the operation's name, the API version and the call.
const QUERY_CALLS: [(&str, &str, Call); 7] = [
    ("GetCallerIdentity", "2011-06-15", Call::GetCallerIdentity),
    ("GetAccessKeyInfo", "2011-06-15", Call::GetAccessKeyInfo),
    ("AssumeRole", "2011-06-15", Call::AssumeRole),
    ("GetAccessKeyLastUsed", "2010-05-08", Call::GetAccessKeyLastUsed),
    ("ListAccessKeys", "2010-05-08", Call::ListAccessKeys),
    ("UpdateAccessKey", "2010-05-08", Call::UpdateAccessKey),
    ("DeleteAccessKey", "2010-05-08", Call::DeleteAccessKey),
];

impl Call {
    /// The name, in signatures, of the service that it belongs to. None if its requests are not signed.
    pub fn signed_service(self) -> Option<&'static str> {
        match self {
            Self::GetCallerIdentity | Self::GetAccessKeyInfo | Self::AssumeRole => Some("sts"),
            Self::GetAccessKeyLastUsed | Self::ListAccessKeys | Self::UpdateAccessKey | Self::DeleteAccessKey => Some("iam"),
            _ => None,
        }
    }

    /// Whether it belongs to SSO-OIDC.
    pub fn is_oidc(self) -> bool {
        matches!(
            self,
            Self::RegisterClient | Self::StartDeviceAuthorization | Self::PollForToken | Self::RedeemCode | Self::RefreshToken
        )
    }

    /// The required and the optional fields.
    fn fields(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::RegisterClient => {
                (&["clientName", "clientType"], &["scopes", "grantTypes", "redirectUris", "issuerUrl", "entitledApplicationArn"])
            }
            Self::StartDeviceAuthorization => (&["clientId", "clientSecret", "startUrl"], &[]),
            Self::PollForToken => (&["clientId", "clientSecret", "grantType", "deviceCode"], &["scope"]),
            Self::RedeemCode => (&["clientId", "clientSecret", "grantType", "code", "codeVerifier", "redirectUri"], &["scope"]),
            Self::RefreshToken => (&["clientId", "clientSecret", "grantType", "refreshToken"], &["scope"]),
            Self::GetRoleCredentials => (&["role_name", "account_id"], &[]),
            Self::ListAccounts => (&[], &["max_result", "next_token"]),
            Self::ListAccountRoles => (&["account_id"], &["max_result", "next_token"]),
            Self::Logout => (&[], &[]),
            Self::GetCallerIdentity => (&["Action", "Version"], &[]),
            Self::AssumeRole => (
                &["Action", "Version", "RoleArn", "RoleSessionName"],
                &["ExternalId", "DurationSeconds", "Policy", "PolicyArns", "SourceIdentity"],
            ),
            Self::GetAccessKeyInfo | Self::GetAccessKeyLastUsed => (&["Action", "Version", "AccessKeyId"], &[]),
            Self::ListAccessKeys => (&["Action", "Version"], &["UserName", "MaxItems", "Marker"]),
            Self::UpdateAccessKey => (&["Action", "Version", "AccessKeyId", "Status"], &["UserName"]),
            Self::DeleteAccessKey => (&["Action", "Version", "AccessKeyId"], &["UserName"]),
        }
    }
}

/// A request that has arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// None if neither service has such an operation.
    pub call: Option<Call>,
    /// Method and path: `GET /path`.
    pub line: String,
    /// The fields of the JSON body, of the query, or of the form.
    pub fields: Map<String, Value>,
    /// The access token of a portal call.
    pub bearer: Option<String>,
    /// The access key ID that signed it.
    pub signed_by: Option<String>,
    /// The region that it was signed for.
    pub region: Option<String>,
    /// Whether it was signed at about the service's time.
    pub current: bool,
    /// All headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The number of the connection.
    pub connection: usize,
    /// What the real service would reject.
    pub complaints: Vec<String>,
}

impl Received {
    /// A text field; empty if it is absent or not a string.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.call {
            Some(call) => write!(f, "{call:?} ({})", self.line)?,
            None => f.write_str(&self.line)?,
        }
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// Parses a request strictly, as a call.
pub fn parse(request: &Request, connection: usize) -> Received {
    let mut complaints = Vec::new();
    let json_path = matches!(request.path.as_str(), "/client/register" | "/device_authorization" | "/token");
    let fields: Map<String, Value> = if json_path && request.method == "POST" {
        if !request.query.is_empty() {
            complaints.push("a query where the fields belong in the body".to_owned());
        }
        if let Ok(Value::Object(fields)) = serde_json::from_slice(&request.body) {
            fields
        } else {
            complaints.push("the body is not a JSON object".to_owned());
            Map::new()
        }
    } else if request.method == "POST" && request.path == "/" {
        let is_form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            complaints.push("the content type is not application/x-www-form-urlencoded".to_owned());
        }
        let form = http1::form(&String::from_utf8_lossy(&request.body));
        form.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
    } else {
        if !request.body.is_empty() {
            complaints.push("a body where none belongs".to_owned());
        }
        request.query.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
    };
    let grant = fields.get("grantType").and_then(Value::as_str).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let query_call = QUERY_CALLS.iter().find(|(action, version, _)| text("Action") == *action && text("Version") == *version);
    let call = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/client/register") => Some(Call::RegisterClient),
        ("POST", "/device_authorization") => Some(Call::StartDeviceAuthorization),
        ("POST", "/token") if grant == "refresh_token" => Some(Call::RefreshToken),
        ("POST", "/token") if grant == "authorization_code" => Some(Call::RedeemCode),
        ("POST", "/token") if grant == "urn:ietf:params:oauth:grant-type:device_code" => Some(Call::PollForToken),
        ("GET", "/federation/credentials") => Some(Call::GetRoleCredentials),
        ("GET", "/assignment/accounts") => Some(Call::ListAccounts),
        ("GET", "/assignment/roles") => Some(Call::ListAccountRoles),
        ("POST", "/logout") => Some(Call::Logout),
        ("POST", "/") => query_call.map(|(_, _, call)| *call),
        _ => None,
    };
    let bearer = request.header("x-amz-sso_bearer_token").map(str::to_owned);
    if let Some(call) = call {
        complaints.extend(field_complaints(call, &fields));
        if call.is_oidc() && request.header("content-type") != Some("application/json") {
            complaints.push("the content type is not application/json".to_owned());
        }
        let signed = call.signed_service().is_some();
        if (call.is_oidc() || signed) == bearer.is_some() {
            complaints.push("x-amz-sso_bearer_token belongs in the portal's calls only".to_owned());
        }
        if request.header("authorization").is_some() && !signed {
            complaints.push("signed, or with an Authorization header, which these calls do not have".to_owned());
        }
    } else {
        complaints.push("no such operation".to_owned());
    }
    let line = format!("{} {}", request.method, request.path);
    Received {
        call,
        line,
        fields,
        bearer,
        signed_by: None,
        region: None,
        current: true,
        headers: request.headers.clone(),
        connection,
        complaints,
    }
}

fn field_complaints(call: Call, fields: &Map<String, Value>) -> Vec<String> {
    let (needed, allowed) = call.fields();
    let is_list = |name: &str| matches!(name, "scopes" | "grantTypes" | "redirectUris");
    let missing = needed.iter().filter(|name| !fields.contains_key(**name)).map(|name| format!("{name} is missing"));
    // `PolicyArns.member.1.arn` is a list in a form.
    let base = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let unknown = fields
        .keys()
        .filter(|name| !needed.contains(&name.as_str()) && !allowed.contains(&base(name).as_str()))
        .map(|name| format!("{name} is unknown"));
    let ill_typed = fields
        .iter()
        .filter(|(name, value)| if is_list(name) { !value.is_array() } else { !value.is_string() })
        .map(|(name, _)| format!("{name} has the wrong type"));
    missing.chain(unknown).chain(ill_typed).collect()
}
