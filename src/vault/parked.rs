//! A long-lived key that a migration took out of the user's files, with what restores them. Touches nothing.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::error::{Error, Result};
use super::key::{Key, Kind};
use super::record::{Record, VERSION, Wiped, secret};
use crate::profile::names::{AccountId, RoleName};
use crate::profile::undo::FileUndo;
use crate::secret::{Secret, exposed};

/// A parked key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedKey {
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    #[serde(serialize_with = "exposed")]
    pub secret: Secret,
    /// The account that it belongs to.
    #[serde(serialize_with = "text", deserialize_with = "account")]
    pub account: AccountId,
    /// The name of the session that replaces it.
    pub session: String,
    /// The role that replaces it.
    #[serde(serialize_with = "text", deserialize_with = "role")]
    pub role: RoleName,
    /// The profiles that had it.
    pub profiles: Vec<String>,
    /// When it was parked.
    #[serde(with = "rfc3339")]
    pub parked_at: OffsetDateTime,
    /// Since when it is known to be inactive at AWS.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub inactive_since: Option<OffsetDateTime>,
    /// The IAM user that it belongs to, once AWS named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the user wants to keep it at AWS (`migrate --keep-key`): nothing is due then.
    #[serde(default)]
    pub kept: bool,
    /// How to restore the config file and the credentials file.
    pub files: Vec<FileUndo>,
}

impl ParkedKey {
    /// How long a key stays inactive before it is deleted, in days, unless the user chooses otherwise.
    pub const WAIT_DAYS: u32 = 14;

    /// When the next step is due: deactivation at once, deletion after [`ParkedKey::WAIT_DAYS`] of inactivity. None if the key is kept.
    pub fn due(&self) -> Option<OffsetDateTime> {
        let next = self.inactive_since.map_or(self.parked_at, |since| since + time::Duration::days(Self::WAIT_DAYS.into()));
        (!self.kept).then_some(next)
    }

    pub(super) fn key(id: &str) -> Key {
        Key { kind: Kind::Parked(id.to_owned()), session: String::new(), start_url: String::new(), region: String::new() }
    }
}

impl Record for ParkedKey {
    fn to_text(&self) -> Result<Secret> {
        let mut json = Wiped::default();
        serde_json::to_writer(&mut json, &(VERSION, self)).map_err(|error| Error::Failed(error.to_string()))?;
        secret(json.0).ok_or_else(|| Error::Failed("JSON that is not UTF-8".to_owned()))
    }

    fn from_text(text: &Secret) -> Option<Self> {
        let (version, key): (u32, Self) = serde_json::from_str(text.expose()).ok()?;
        (version == VERSION).then_some(key)
    }
}

fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn account<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<AccountId, D::Error> {
    AccountId::new(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not an account ID"))
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<RoleName, D::Error> {
    RoleName::new(&String::deserialize(deserializer)?).map_err(|error| D::Error::custom(error.what))
}
