//! Roles that are assumed on top of other credentials, from a profile's keys or from flags. Touches nothing.

use std::path::PathBuf;
use std::time::Duration;

use super::config::Block;
use super::names::{self, RoleArn};
use super::request::AssumeRequest;
use crate::error::{Error, Result};
use crate::text;

/// The most roles that are assumed one after another.
pub const MAX_ROLES: usize = 5;

/// The longest session of a role that was assumed with another role's credentials (IAM user guide, "Role chaining").
pub const MAX_DURATION: Duration = Duration::from_hours(1);

/// The shortest session (`AssumeRole`).
const MIN_DURATION: Duration = Duration::from_mins(15);

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role.
    pub arn: RoleArn,
    /// The name of the session; if None, the person's own.
    pub session_name: Option<String>,
    /// What the role's trust policy may require.
    pub external_id: Option<String>,
    /// How long the credentials are valid; if None, an hour. More than [`MAX_DURATION`] is not possible.
    pub duration: Option<Duration>,
    /// What limits the session.
    pub policy: Option<Policy>,
    /// An identity that stays with the session.
    pub source_identity: Option<String>,
    /// The region of the STS endpoint.
    pub region: Option<String>,
    /// The profile that assumes it, whose endpoint settings apply.
    pub profile: Option<String>,
}

/// A session policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// The ARN of a managed policy.
    Arn(String),
    /// A file with a policy document.
    File(PathBuf),
}

impl AssumedRole {
    /// The role of a profile with `role_arn`.
    ///
    /// # Errors
    /// A value is malformed; the message names its line.
    pub fn of_profile(profile: &Block<'_>) -> Result<Self> {
        let at = |key: &str, error: Error| {
            let place = profile.get(key).map(super::config::Value::place).unwrap_or_default();
            let file = profile.get(key).map_or(profile.file, |value| value.file);
            let hint = text::edit_file(&file.to_string_lossy());
            Error { what: format!("{place}: {}", error.what), correction: None, hint, ..error }
        };
        let text = |key: &str| profile.text(key).map(str::to_owned);
        let arn = RoleArn::new(profile.text("role_arn").unwrap_or_default()).map_err(|error| at("role_arn", error))?;
        let session_name = profile.text("role_session_name").map(session_name).transpose();
        let duration = profile.text("duration_seconds").map(|text| {
            let seconds = text
                .parse()
                .map_err(|_| Error::typo(format!("\"{text}\" is not a number of seconds such as 3600"), text, "3600", FLAGS))?;
            checked(Duration::from_secs(seconds), text)
        });
        Ok(Self {
            arn,
            session_name: session_name.map_err(|error| at("role_session_name", error))?,
            external_id: text("external_id"),
            duration: duration.transpose().map_err(|error| at("duration_seconds", error))?,
            policy: None,
            source_identity: None,
            region: text("region"),
            profile: Some(profile.name.to_string()),
        })
    }

    /// The role of `--assume-role` and the flags that belong to it; `region` is that of the request.
    ///
    /// # Errors
    /// A value is malformed.
    pub fn of_flags(flags: &AssumeRequest, region: Option<String>) -> Result<Self> {
        let arn = RoleArn::new(&flags.role_arn)?;
        let policy = flags.policy.as_deref().map(|text| match text {
            "read-only" => Policy::Arn(format!("arn:{}:iam::aws:policy/ReadOnlyAccess", arn.partition())),
            arn if arn.starts_with("arn:") => Policy::Arn(arn.to_owned()),
            path => Policy::File(path.into()),
        });
        Ok(Self {
            session_name: flags.session_name.as_deref().map(session_name).transpose()?,
            external_id: flags.external_id.clone(),
            duration: flags.duration.as_deref().map(duration).transpose()?,
            policy,
            source_identity: flags.source_identity.as_deref().map(session_name).transpose()?,
            region,
            profile: None,
            arn,
        })
    }
}

/// Whether a text can be the name of a role session, or a source identity (`AssumeRole`: `[\w+=,.@-]{2,64}`).
pub fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

/// The command that describes the flags.
const FLAGS: &str = "daypass env --help";

fn session_name(text: &str) -> Result<String> {
    if is_session_name(text) {
        return Ok(text.to_owned());
    }
    let what = format!("\"{text}\" can't name a role session: such names have 2 to 64 letters, digits and _+=,.@-");
    let plain = names::plain(text, "daypass");
    Err(Error::typo(what, text, if plain.len() < 2 { "daypass" } else { &plain }, FLAGS))
}

/// `900`, `900s`, `15m` or `1h`.
fn duration(text: &str) -> Result<Duration> {
    let length = text::duration(text, &[("s", 1), ("m", 60), ("h", 3600)]);
    let what = || format!("\"{text}\" is not a duration such as 900, 30m or 1h");
    checked(length.ok_or_else(|| Error::typo(what(), text, "1h", FLAGS))?, text)
}

fn checked(duration: Duration, text: &str) -> Result<Duration> {
    if duration < MIN_DURATION {
        let what = format!("a role session of {text} is too short; AWS requires 15 minutes (900)");
        return Err(Error::typo(what, text, "900", FLAGS));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_seconds_minutes_or_hours_and_at_least_a_quarter_of_an_hour() {
        for (text, seconds) in [("900", 900), ("900s", 900), ("15m", 900), ("1h", 3600), ("12h", 43_200)] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for bad in ["", "h", "1d", "899", "14m", "-1h", "1.5h", "99999999999999999999", "18446744073709551615h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_name_has_the_characters_that_sts_allows() {
        for good in ["ad", "ada@example.com", "a+b=c,d.e-f_g", &"x".repeat(64)] {
            assert!(is_session_name(good), "{good}");
        }
        for bad in ["", "a", "a b", "é!", "a/b", &"x".repeat(65)] {
            assert!(!is_session_name(bad), "{bad}");
        }
    }
}
