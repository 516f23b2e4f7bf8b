//! The Security Token Service.

use std::time::{Duration, SystemTime};

use super::super::call::{Call, Received};
use super::super::config::IamRole;
use super::super::http1::Response;
use super::query::{Principal, escape, query_error, result};
use super::{Service, seconds};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The longest session of a role that was assumed with another role's keys.
const CHAIN_LIMIT: u64 = 3600;

impl Service {
    pub(super) fn sts(&mut self, call: Call, received: &Received) -> Result<Response, Response> {
        let caller = self.principal(received)?;
        if call == Call::GetCallerIdentity {
            let (arn, account) = (escape(&caller.arn), &caller.account);
            let user = received.signed_by.as_deref().unwrap_or_default();
            let who = format!("<Arn>{arn}</Arn><UserId>{user}</UserId><Account>{account}</Account>");
            return Ok(result("GetCallerIdentity", NAMESPACE, &who));
        }
        if call == Call::GetAccessKeyInfo {
            // Any identity may ask. Keys that are not the simulated ones belong to the caller's account, as with moto.
            let known = self.user_keys.iter().find(|key| key.id == received.field("AccessKeyId"));
            let account = known.map_or(&caller.account, |key| &key.account);
            return Ok(result("GetAccessKeyInfo", NAMESPACE, &format!("<Account>{account}</Account>")));
        }
        let role_arn = received.field("RoleArn");
        let session = received.field("RoleSessionName");
        let invalid = |what: &str| query_error("ValidationError", 400, what);
        if !is_name(session) {
            return Err(invalid("roleSessionName must satisfy [\\w+=,.@-]{2,64}"));
        }
        let seconds_asked = match received.field("DurationSeconds") {
            "" => CHAIN_LIMIT,
            text => {
                text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)).ok_or_else(|| invalid("durationSeconds"))?
            }
        };
        if caller.session_token.is_some() && seconds_asked > CHAIN_LIMIT {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            ));
        }
        let policy = received.field("Policy");
        if !policy.is_empty() && serde_json::from_str::<serde_json::Value>(policy).is_err() {
            return Err(query_error("MalformedPolicyDocument", 400, "The policy is not in the valid JSON format."));
        }
        let role = self.config.roles.iter().find(|role| role.arn == role_arn);
        let allowed = role.is_some_and(|role| allows(role, &caller, received));
        let Some(role) = role.filter(|_| allowed) else {
            let what = format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}", caller.arn);
            return Err(query_error("AccessDenied", 403, &what));
        };
        let life = self.config.assumed_ttl.min(Duration::from_secs(seconds_asked));
        let (account, name) = (role.account().to_owned(), role.name().to_owned());
        let partition = role_arn.split(':').nth(1).unwrap_or("aws");
        let arn = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}");
        let keys = self.new_keys(&account, &name, arn.clone(), life);
        let expires = time::OffsetDateTime::from_unix_timestamp(
            seconds(SystemTime::UNIX_EPOCH + Duration::from_millis(keys.expiration)).cast_signed(),
        );
        let expires = expires.unwrap().format(&time::format_description::well_known::Rfc3339).unwrap();
        Ok(result(
            "AssumeRole",
            NAMESPACE,
            &format!(
                "<AssumedRoleUser><AssumedRoleId>AROASANDBOX:{session}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser><Credentials>\
                 <AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
                 <Expiration>{expires}</Expiration></Credentials>",
                escape(&arn),
                keys.access_key_id,
                keys.secret_access_key,
                keys.session_token
            ),
        ))
    }
}

/// Whether the role's trust policy lets this caller assume it.
fn allows(role: &IamRole, caller: &Principal, received: &Received) -> bool {
    let external_id = role.external_id.as_deref().unwrap_or_default();
    let trusted = role.trusts.iter().any(|part| caller.arn.contains(part.as_str()));
    let identity = role.allows_source_identity || received.field("SourceIdentity").is_empty();
    trusted && identity && (external_id.is_empty() || external_id == received.field("ExternalId"))
}

fn is_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}
