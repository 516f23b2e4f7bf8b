//! The credential endpoint as SDKs and attackers see it: who may ask, and the documents. Pure.
//!
//! The protocol is that of the container credential provider (AWS SDKs and Tools reference guide). A page in a browser can send requests
//! to 127.0.0.1 too, under a name of its own (DNS rebinding): hence the checks of `Host` and of the headers that browsers add.

use serde::Serialize;
use zeroize::Zeroizing;

use super::rfc3339;
use crate::credentials::RoleCredentials;
use crate::profile::names::AccountId;
use crate::secret::Secret;
use crate::sys::http::Request;

/// Headers that browsers send and SDKs do not; a name that ends in `-` stands for all that begin with it.
const BROWSER_HEADERS: [&str; 3] = ["origin", "referer", "sec-fetch-"];

/// Who may ask.
pub struct Gate {
    token: Secret,
    /// The accepted values of `Host`, in lower case.
    hosts: Vec<String>,
}

/// Why a request is refused: the status and a text.
pub type Refusal = (&'static str, &'static str);

impl Gate {
    /// A gate for the endpoint at this port; `more` are other hosts under which forwarded ports reach it.
    pub fn new(token: Secret, port: u16, more: &[String]) -> Self {
        let own = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}"));
        Self { token, hosts: own.into_iter().chain(more.iter().map(|host| host.to_ascii_lowercase())).collect() }
    }

    /// Checks everything that tells who sends a request, before its path matters.
    ///
    /// # Errors
    /// The refusal. It does not tell which part of a token is wrong.
    pub fn check(&self, request: &Request) -> Result<(), Refusal> {
        let is_host = |host: &[u8]| self.hosts.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(host));
        if !only(request, "host").is_some_and(is_host) {
            return Err(("403 Forbidden", "the Host header is not that of this endpoint (daypass serve --allow-host adds one)"));
        }
        let from_browser = |name: &&str| match name.strip_suffix('-') {
            Some(_) => request.has_header(name),
            None => request.headers(name).next().is_some(),
        };
        if BROWSER_HEADERS.iter().any(from_browser) {
            return Err(("403 Forbidden", "requests of browsers are refused"));
        }
        if !only(request, "authorization").is_some_and(|token| self.token.matches(token)) {
            return Err((
                "403 Forbidden",
                "the token in AWS_CONTAINER_AUTHORIZATION_TOKEN is missing or not that of this endpoint",
            ));
        }
        if request.method == "GET" { Ok(()) } else { Err(("405 Method Not Allowed", "only GET is supported")) }
    }
}

/// The value of a header that is given exactly once.
fn only<'r>(request: &'r Request, name: &str) -> Option<&'r [u8]> {
    let mut values = request.headers(name);
    let first = values.next()?;
    if values.next().is_some() { None } else { Some(first) }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
    account_id: &'a str,
}

/// The credentials, as the container credential provider reads them.
pub fn document(credentials: &RoleCredentials, account: &AccountId) -> Zeroizing<String> {
    let document = Document {
        access_key_id: &credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.expose(),
        token: credentials.session_token.expose(),
        expiration: rfc3339(credentials.expires_at),
        account_id: account.as_str(),
    };
    // Serializing strings cannot fail.
    Zeroizing::new(serde_json::to_string(&document).unwrap_or_default())
}

/// An error. botocore shows its text.
pub fn error(code: &str, message: &str) -> String {
    serde_json::json!({ "Code": code, "Message": message }).to_string()
}
