//! Types for the names in AWS's configuration. A value of such a type is well-formed. Touches nothing.

use std::borrow::Cow;
use std::fmt;

use super::start_url;
use crate::error::{Error, Result};

/// An Identity Center sign-in, as an `[sso-session NAME]` block describes it.
///
/// Name, start URL and region together identify it. The vault's keys bind all three, so two config files that use the same session
/// name for two portals never share a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The block's name. A legacy profile has no block; its session is named by its start URL.
    pub name: String,
    /// `sso_start_url` as the user wrote it.
    pub start_url: String,
    /// `sso_region`: the region of Identity Center, not of the user's resources.
    pub region: String,
    /// `sso_registration_scopes`; may be empty.
    pub scopes: Vec<String>,
}

impl Session {
    /// Whether both belong to the same portal, regardless of names and of how the address is written.
    pub fn is_same_portal(&self, other: &Self) -> bool {
        self.region == other.region && start_url::is_same(&self.start_url, &other.start_url)
    }
}

/// A twelve-digit account ID. It is text because of leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl AccountId {
    /// None if the text is not twelve digits.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| Self(text.to_owned()))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A permission set's name, the `role_name` of the portal's calls: letters, digits and `_+=,.@-`, 64 at most (IAM's rule).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleName(String);

impl RoleName {
    /// # Errors
    /// The text can't be a role name.
    pub fn new(text: &str) -> Result<Self> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::usage(
                format!("\"{text}\" is not a role name: role names have up to 64 letters, digits and _+=,.@-"),
                "daypass list",
            ))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of an IAM role: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn {
    text: String,
    account: AccountId,
}

impl RoleArn {
    /// # Errors
    /// The text can't be the ARN of a role.
    pub fn new(text: &str) -> Result<Self> {
        let malformed = || {
            let example = "arn:aws:iam::111122223333:role/Deploy";
            Error::typo(format!("\"{text}\" is not the ARN of a role, such as {example}"), text, example, "daypass env --help")
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return Err(malformed()) };
        let is_partition = partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let name = resource.strip_prefix("role/").filter(|name| !name.is_empty() && !name.ends_with('/'));
        let is_name = name.is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b)));
        match AccountId::new(account) {
            Some(account) if is_partition && is_name && text.len() <= 2048 => Ok(Self { text: text.to_owned(), account }),
            _ => Err(malformed()),
        }
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        self.text.split(':').nth(1).unwrap_or_default()
    }

    /// The account of the role.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The name with its path: `team/Deploy`.
    pub fn name_with_path(&self) -> &str {
        self.text.split_once(":role/").map_or("", |(_, name)| name)
    }

    /// The name without its path.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The most characters that a text adds to a name.
const LONGEST: usize = 64;

/// Returns the text as a part of a name: letters, digits and `_.@+-` stay; each run of other characters becomes one hyphen. It neither
/// starts nor ends with a hyphen or a dot, so that it can't be taken for a flag or a path.
pub fn plain<'t>(text: &'t str, if_empty: &'t str) -> Cow<'t, str> {
    let mut name = String::with_capacity(text.len().min(LONGEST));
    for c in text.chars() {
        if name.len() == LONGEST {
            break;
        }
        if c.is_ascii_alphanumeric() || "_.@+-".contains(c) {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let trimmed = name.trim_matches(['-', '.']);
    if trimmed.is_empty() { Cow::Borrowed(if_empty) } else { Cow::Owned(trimmed.to_owned()) }
}

/// The known name that is nearest to a mistyped one, if one is near enough.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Two mistakes, as in most programs that suggest; one in a short name.
    let most = if name.len() < 5 { 1 } else { 2 };
    let scored = known.map(|known| (strsim::damerau_levenshtein(name, known), known)).filter(|(distance, _)| *distance <= most);
    scored.min_by_key(|(distance, _)| *distance).map(|(_, near)| near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_has_twelve_digits_and_keeps_leading_zeros() {
        assert_eq!(AccountId::new("000022223333").unwrap().as_str(), "000022223333");
        assert_eq!(AccountId::new("22223333"), None);
        assert_eq!(AccountId::new("11112222333x"), None);
    }

    #[test]
    fn the_arn_of_a_role_has_an_account_and_a_name() {
        let arn = RoleArn::new("arn:aws-us-gov:iam::000022223333:role/team/Deploy+1").unwrap();
        assert_eq!((arn.partition(), arn.account().as_str()), ("aws-us-gov", "000022223333"));
        assert_eq!((arn.name_with_path(), arn.name()), ("team/Deploy+1", "Deploy+1"));
        for bad in [
            "",
            "Deploy",
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:user/x",
            "arn:aws:sts::111122223333:assumed-role/x/y",
            "arn:aws:iam:us-east-1:111122223333:role/x",
            "arn:aws:iam::111122223333:role/a b",
            "arn:evil:iam::111122223333:role/x",
            "arn:aws:iam::111122223333:role/x/",
        ] {
            assert!(RoleArn::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_role_name_consists_of_the_characters_that_iam_allows() {
        assert!(RoleName::new("Ops+Read=Only,v.1@team-x_y").is_ok());
        for bad in ["", "a b", "a;b", "ü", &"x".repeat(65)] {
            assert!(RoleName::new(bad).is_err(), "{bad}");
        }
    }
}
