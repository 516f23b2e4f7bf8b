//! Calls the Security Token Service through the AWS SDK: `GetCallerIdentity` and `AssumeRole`. Touches the network; does not know the
//! vault.
//!
//! Requests are signed with keys that the caller passes. The SDK's default credential chain is never used, because it could call daypass
//! itself. The endpoint is the regional one of the settings' region, which also decides the partition.

mod error;

use std::time::Duration;

use aws_sdk_sts::types::PolicyDescriptorType;
use time::OffsetDateTime;

use crate::aws::{self, Issued, Service, SigningKeys, filled};
use crate::credentials::RoleCredentials;
use crate::sys::clock::Deadline;

pub use error::Error;

/// The service, by its names in settings.
const SERVICES: [Service; 1] = [Service { id: "STS", key: "sts", variable: "AWS_ENDPOINT_URL_STS" }];

/// STS in one region.
pub struct Sts {
    client: aws::LazyClient,
}

/// Whose keys signed a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account ID.
    pub account: String,
    /// The ARN of the user or of the role session.
    pub arn: String,
}

impl Identity {
    /// The name of the role session: `ada` of `arn:aws:sts::111122223333:assumed-role/Deploy/ada`. None for other ARNs.
    pub fn session_name(&self) -> Option<&str> {
        let (_, resource) = self.arn.rsplit_once(':')?;
        resource.strip_prefix("assumed-role/")?.split_once('/').map(|(_, name)| name)
    }
}

/// What `AssumeRole` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSession {
    /// The role.
    pub role_arn: String,
    /// The name of the session, which CloudTrail shows.
    pub name: String,
    /// The secret-like text that the role's trust policy may require.
    pub external_id: Option<String>,
    /// How long the credentials are valid; the service's default is one hour.
    pub duration: Option<Duration>,
    /// A session policy (JSON), which limits what the role may do.
    pub policy: Option<String>,
    /// The ARNs of managed policies that limit the session.
    pub policy_arns: Vec<String>,
    /// An identity that stays with the session through further roles.
    pub source_identity: Option<String>,
}

impl Sts {
    /// STS with these settings. Builds and calls nothing.
    pub fn new(settings: aws::Settings) -> Self {
        Self { client: aws::LazyClient::new(settings, &SERVICES) }
    }

    /// How far the service's clock is ahead of this machine's, by the last answer. None before the first one, or if it had no date.
    pub fn clock_offset(&self) -> Option<time::Duration> {
        self.client.clock_offset()
    }

    /// `GetCallerIdentity`, which no policy can forbid.
    pub fn caller_identity(&self, keys: &SigningKeys, deadline: Deadline) -> Result<Identity, Error> {
        let client = self.client.get()?;
        let sts = aws_sdk_sts::Client::new(&client.signing_with(keys));
        let answer = client.call(deadline, sts.get_caller_identity().send())?;
        match (filled(answer.account), filled(answer.arn)) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(aws::Error::UnexpectedResponse("GetCallerIdentity returned no identity".to_owned()).into()),
        }
    }

    /// `GetAccessKeyInfo`: the account of any access key, active or not.
    pub fn account_of_key(&self, keys: &SigningKeys, id: &str, deadline: Deadline) -> Result<String, Error> {
        let client = self.client.get()?;
        let sts = aws_sdk_sts::Client::new(&client.signing_with(keys));
        let answer = client.call(deadline, sts.get_access_key_info().access_key_id(id).send())?;
        let unnamed = || aws::Error::UnexpectedResponse("GetAccessKeyInfo returned no account".to_owned());
        Ok(filled(answer.account).ok_or_else(unnamed)?)
    }

    /// `AssumeRole`.
    pub fn assume_role(&self, keys: &SigningKeys, session: &RoleSession, deadline: Deadline) -> Result<RoleCredentials, Error> {
        let client = self.client.get()?;
        let sts = aws_sdk_sts::Client::new(&client.signing_with(keys));
        let policies = session.policy_arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
        let request = sts
            .assume_role()
            .role_arn(&session.role_arn)
            .role_session_name(&session.name)
            .set_external_id(session.external_id.clone())
            .set_duration_seconds(session.duration.map(|duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)))
            .set_policy(session.policy.clone())
            .set_policy_arns(Some(policies).filter(|_| !session.policy_arns.is_empty()))
            .set_source_identity(session.source_identity.clone());
        let answer = client.call(deadline, request.send())?;
        let issued = answer.credentials.map_or_else(Issued::default, |keys| Issued {
            expires_at: OffsetDateTime::from_unix_timestamp(keys.expiration.secs()).ok(),
            access_key_id: Some(keys.access_key_id),
            secret_access_key: Some(keys.secret_access_key),
            session_token: Some(keys.session_token),
        });
        Ok(issued.checked("AssumeRole", self.clock_offset())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_role_session_has_a_name() {
        let name = |arn: &str| Identity { account: String::new(), arn: arn.to_owned() }.session_name().map(str::to_owned);
        assert_eq!(
            name("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123/ada@example.com").unwrap(),
            "ada@example.com"
        );
        assert_eq!(name("arn:aws-cn:sts::111122223333:assumed-role/x/y").unwrap(), "y");
        for other in ["arn:aws:iam::111122223333:user/ada", "arn:aws:iam::111122223333:root", "arn:aws:sts::1:assumed-role/x", ""] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
