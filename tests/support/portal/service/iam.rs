//! The part of IAM that manages access keys.

use super::super::call::{Call, Received};
use super::super::config::KeyRights;
use super::super::http1::Response;
use super::query::{Principal, escape, query_error, result};
use super::{Service, random};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A long-lived key of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    pub id: String,
    pub secret: String,
    pub account: String,
    /// `root` for the root user.
    pub user: String,
    pub active: bool,
    /// Seconds since 1970, the service and the region.
    pub last_used: Option<(i64, String, String)>,
}

impl UserKey {
    /// The two lines of an AWS file.
    pub fn lines(&self) -> String {
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", self.id, self.secret)
    }
}

impl Service {
    /// A new key, whose ID contains the account as AWS's do.
    pub fn new_user_key(&mut self, account: &str, user: &str) -> UserKey {
        let number: u128 = account.parse().expect("a number");
        let bits = 1 << 79 | number << 39 | u128::from(fastrand::u64(..1 << 39));
        let body = (0..16).rev().map(|at| char::from(ALPHABET[usize::try_from(bits >> (5 * at) & 31).unwrap()]));
        let id: String = "AKIA".chars().chain(body).collect();
        let secret = random(38) + "+/";
        self.secrets.push(secret.clone());
        let arn =
            if user == "root" { format!("arn:aws:iam::{account}:root") } else { format!("arn:aws:iam::{account}:user/{user}") };
        let account = account.to_owned();
        let key = UserKey { id, secret, account, user: user.to_owned(), active: true, last_used: None };
        let principal = Principal {
            account: key.account.clone(),
            arn,
            secret_access_key: key.secret.clone(),
            session_token: None,
            expires_at: None,
        };
        self.principals.insert(key.id.clone(), principal);
        self.user_keys.push(key.clone());
        key
    }

    pub(super) fn iam(&mut self, call: Call, received: &Received) -> Result<Response, Response> {
        let caller = self.principal(received)?;
        if received.region.as_deref() != Some("us-east-1") {
            return Err(query_error("SignatureDoesNotMatch", 403, "Credential should be scoped to a valid region."));
        }
        let denied = || {
            let what = format!("User: {} is not authorized to perform: iam:{call:?}", caller.arn);
            query_error("AccessDenied", 403, &what)
        };
        let own_user = caller.arn.split_once(":user/").map(|(_, user)| user.to_owned());
        let named = Some(received.field("UserName")).filter(|name| !name.is_empty()).map(str::to_owned);
        let is_own = own_user.is_some() && (named.is_none() || named == own_user);
        let rights = match caller.arn.split_once("AWSReservedSSO_") {
            Some((_, rest)) => {
                let role = rest.rsplit_once('_').map(|(role, _)| role).unwrap_or_default();
                self.config.key_rights.iter().find(|(name, _)| name == role).map_or(KeyRights::Nothing, |(_, rights)| *rights)
            }
            None if is_own || call == Call::GetAccessKeyLastUsed => self.config.own_key_rights,
            None => KeyRights::Nothing,
        };
        let reads = matches!(call, Call::GetAccessKeyLastUsed | Call::ListAccessKeys);
        if rights == KeyRights::Nothing || rights == KeyRights::Read && !reads {
            return Err(denied());
        }
        let user = named.or(own_user);
        let id = received.field("AccessKeyId").to_owned();
        let missing = || query_error("NoSuchEntity", 404, &format!("The Access Key with id {id} cannot be found."));
        let at = self.user_keys.iter().position(|key| {
            key.id == id
                && key.account == caller.account
                && (call == Call::GetAccessKeyLastUsed || Some(&key.user) == user.as_ref())
        });
        match call {
            Call::GetAccessKeyLastUsed => {
                // AWS answers so for a key that does not exist.
                let key = self.user_keys.get(at.ok_or_else(denied)?).ok_or_else(denied)?;
                let user = if key.user == "root" { String::new() } else { format!("<UserName>{}</UserName>", escape(&key.user)) };
                let last = match &key.last_used {
                    None => "<Region>N/A</Region><ServiceName>N/A</ServiceName>".to_owned(),
                    Some((at, service, region)) => {
                        let date = time::OffsetDateTime::from_unix_timestamp(*at).unwrap();
                        let date = date.format(&time::format_description::well_known::Rfc3339).unwrap();
                        format!("<Region>{region}</Region><ServiceName>{service}</ServiceName><LastUsedDate>{date}</LastUsedDate>")
                    }
                };
                let body = format!("{user}<AccessKeyLastUsed>{last}</AccessKeyLastUsed>");
                Ok(result("GetAccessKeyLastUsed", NAMESPACE, &body))
            }
            Call::ListAccessKeys => {
                let user = user.ok_or_else(|| query_error("ValidationError", 400, "Must specify userName"))?;
                let own = self.user_keys.iter().filter(|key| key.account == caller.account && key.user == user);
                let member = |key: &UserKey| {
                    let status = if key.active { "Active" } else { "Inactive" };
                    format!(
                        "<member><UserName>{}</UserName><AccessKeyId>{}</AccessKeyId><Status>{status}</Status>\
                         <CreateDate>2024-01-02T03:04:05Z</CreateDate></member>",
                        escape(&key.user),
                        key.id
                    )
                };
                let members: String = own.map(member).collect();
                let body = format!("<IsTruncated>false</IsTruncated><AccessKeyMetadata>{members}</AccessKeyMetadata>");
                Ok(result("ListAccessKeys", NAMESPACE, &body))
            }
            Call::UpdateAccessKey => {
                let key = self.user_keys.get_mut(at.ok_or_else(missing)?).ok_or_else(missing)?;
                key.active = match received.field("Status") {
                    "Active" => true,
                    "Inactive" => false,
                    _ => return Err(query_error("ValidationError", 400, "Status")),
                };
                Ok(result("UpdateAccessKey", NAMESPACE, ""))
            }
            _ => {
                self.user_keys.remove(at.ok_or_else(missing)?);
                self.principals.remove(&id);
                Ok(result("DeleteAccessKey", NAMESPACE, ""))
            }
        }
    }
}
