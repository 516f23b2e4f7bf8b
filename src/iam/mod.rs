//! Calls Identity and Access Management through the AWS SDK, about access keys only. Touches the network; does not know the vault.
//!
//! Requests are signed with keys that the caller passes. The region of the settings decides the partition; the service itself is global.

mod error;

use aws_sdk_iam::types::StatusType;
use time::OffsetDateTime;

use crate::aws::{self, Service, SigningKeys, filled};
use crate::sys::clock::Deadline;

pub use error::Error;

/// The service, by its names in settings.
const SERVICES: [Service; 1] = [Service { id: "IAM", key: "iam", variable: "AWS_ENDPOINT_URL_IAM" }];

/// IAM in one partition.
pub struct Iam {
    client: aws::LazyClient,
}

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// Whether it can sign requests.
    pub active: bool,
    /// When it was created.
    pub created: Option<OffsetDateTime>,
}

/// The last use of an access key, as far as IAM has recorded it: it may take hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: OffsetDateTime,
    /// The service, such as `s3`.
    pub service: String,
    /// The region.
    pub region: String,
}

/// The answer of `GetAccessKeyLastUsed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The IAM user. None if the service named none.
    pub user: Option<String>,
    /// None if it was never used.
    pub last: Option<LastUse>,
}

impl Iam {
    /// IAM in the partition of this region. Builds and calls nothing.
    pub fn new(settings: aws::Settings) -> Self {
        let region = global_region(&settings.region).to_owned();
        Self { client: aws::LazyClient::new(aws::Settings { region, ..settings }, &SERVICES) }
    }

    /// `GetAccessKeyLastUsed`: whose key it is, and its last use.
    pub fn last_used(&self, keys: &SigningKeys, id: &str, deadline: Deadline) -> Result<KeyUse, Error> {
        let client = self.client.get()?;
        let iam = aws_sdk_iam::Client::new(&client.signing_with(keys));
        let answer = client.call(deadline, iam.get_access_key_last_used().access_key_id(id).send())?;
        let last = answer.access_key_last_used.and_then(|last| {
            let at = OffsetDateTime::from_unix_timestamp(last.last_used_date?.secs()).ok()?;
            Some(LastUse { at, service: last.service_name, region: last.region })
        });
        Ok(KeyUse { user: filled(answer.user_name), last })
    }

    /// `ListAccessKeys` of a user; None for the user whose key signs. A user has at most two keys, which fit one page.
    pub fn access_keys(&self, keys: &SigningKeys, user: Option<&str>, deadline: Deadline) -> Result<Vec<AccessKey>, Error> {
        let client = self.client.get()?;
        let iam = aws_sdk_iam::Client::new(&client.signing_with(keys));
        let answer = client.call(deadline, iam.list_access_keys().set_user_name(user.map(str::to_owned)).send())?;
        let key = |key: aws_sdk_iam::types::AccessKeyMetadata| {
            let created = key.create_date.and_then(|date| OffsetDateTime::from_unix_timestamp(date.secs()).ok());
            Some(AccessKey { id: filled(key.access_key_id)?, active: key.status == Some(StatusType::Active), created })
        };
        Ok(answer.access_key_metadata.into_iter().filter_map(key).collect())
    }

    /// `UpdateAccessKey`: activates or deactivates a key of a user; None for the user whose key signs.
    pub fn set_active(
        &self,
        keys: &SigningKeys,
        user: Option<&str>,
        id: &str,
        active: bool,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let client = self.client.get()?;
        let iam = aws_sdk_iam::Client::new(&client.signing_with(keys));
        let status = if active { StatusType::Active } else { StatusType::Inactive };
        let request = iam.update_access_key().access_key_id(id).status(status).set_user_name(user.map(str::to_owned));
        Ok(client.call(deadline, request.send()).map(drop)?)
    }

    /// `DeleteAccessKey` of a user.
    pub fn delete(&self, keys: &SigningKeys, user: &str, id: &str, deadline: Deadline) -> Result<(), Error> {
        let client = self.client.get()?;
        let iam = aws_sdk_iam::Client::new(&client.signing_with(keys));
        Ok(client.call(deadline, iam.delete_access_key().access_key_id(id).user_name(user).send()).map(drop)?)
    }
}

/// The region that requests to IAM are signed for (IAM endpoints in the AWS General Reference). The SDK's endpoint rules know it too, but
/// not for an endpoint of the user's own.
fn global_region(region: &str) -> &str {
    match region.split('-').next().unwrap_or_default() {
        "cn" => "cn-north-1",
        "us" if region.starts_with("us-gov-") => "us-gov-west-1",
        "us" if region.starts_with("us-isob-") => "us-isob-east-1",
        "us" if region.starts_with("us-iso-") => "us-iso-east-1",
        "eusc" => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_one_region_for_iam() {
        assert_eq!(global_region("eu-west-1"), "us-east-1");
        assert_eq!(global_region("cn-northwest-1"), "cn-north-1");
        assert_eq!(global_region("us-gov-east-1"), "us-gov-west-1");
    }
}
