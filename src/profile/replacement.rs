//! Ranks the roles that can replace a long-lived key. Touches nothing.

use std::collections::BTreeMap;

use super::index::AccountRole;
use super::names::{AccountId, RoleName, Session};
use super::request::Account;
use super::resolve::RoleTarget;

/// A role that a portal listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The session of the portal.
    pub session: Session,
    /// The role.
    pub role: AccountRole,
    /// The account's name.
    pub account_name: Option<String>,
}

/// A role that can replace a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The session of the portal.
    pub session: Session,
    /// The role.
    pub role: AccountRole,
    /// The profile that uses this role already.
    pub profile: Option<String>,
}

/// What is known of a key to rank roles by: all of it may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyUse<'a> {
    /// The profile that has the key.
    pub profile: Option<&'a str>,
    /// That profile's region.
    pub region: Option<&'a str>,
}

/// The roles that can replace a key of this account, the best first: only roles of this account that a portal listed. The one that fits
/// the name of the key's profile comes first, then one that a profile of the same region uses, then the one used most, then the one
/// with the least power; then by name.
///
/// The result is certain if it has one element.
pub fn rank(
    account: &AccountId,
    key: KeyUse<'_>,
    listed: &[Candidate],
    profiles: &[RoleTarget],
    uses: &BTreeMap<String, f64>,
) -> Vec<Replacement> {
    let mut found: Vec<Replacement> = Vec::new();
    for candidate in listed.iter().filter(|candidate| candidate.role.account == *account) {
        let is_same = |other: &Replacement| other.role == candidate.role && other.session.is_same_portal(&candidate.session);
        if !found.iter().any(is_same) {
            let Candidate { session, role, .. } = candidate.clone();
            let profile = users(profiles, &session, &role).next().and_then(|target| target.profile.clone());
            found.push(Replacement { session, role, profile });
        }
    }
    let mut ranked: Vec<(Rank, Replacement)> =
        found.into_iter().map(|found| (Rank::of(&found, key, profiles, uses), found)).collect();
    ranked.sort_by(|(one, its), (other, others)| {
        (other.name, other.region)
            .cmp(&(one.name, one.region))
            .then(other.weight.total_cmp(&one.weight))
            .then(one.power.cmp(&other.power))
            .then_with(|| (&its.role.role, &its.session.name).cmp(&(&others.role.role, &others.session.name)))
    });
    ranked.into_iter().map(|(_, replacement)| replacement).collect()
}

/// How well a role fits.
struct Rank {
    /// The number of words that its name has in common with the profile's.
    name: usize,
    /// Whether a profile of the same region uses it.
    region: bool,
    /// How much it is used.
    weight: f64,
    power: u8,
}

impl Rank {
    fn of(found: &Replacement, key: KeyUse<'_>, profiles: &[RoleTarget], uses: &BTreeMap<String, f64>) -> Self {
        let targets: Vec<&RoleTarget> = users(profiles, &found.session, &found.role).collect();
        let anonymous = format!("{}@{}", found.role.role, found.role.account);
        let names = targets.iter().filter_map(|target| target.profile.as_deref()).chain([&*anonymous]);
        Self {
            name: key.profile.map_or(0, |profile| common_words(profile, found.role.role.as_str())),
            region: key.region.is_some() && targets.iter().any(|target| target.region.as_deref() == key.region),
            weight: names.filter_map(|name| uses.get(name)).sum(),
            power: power(&found.role.role),
        }
    }
}

/// The profiles that use a role.
fn users<'t>(profiles: &'t [RoleTarget], session: &Session, role: &AccountRole) -> impl Iterator<Item = &'t RoleTarget> {
    profiles.iter().filter(move |target| {
        let is_account = matches!(&target.account, Account::Id(account) if *account == role.account);
        is_account && target.role == role.role && target.chain.is_empty() && target.session.is_same_portal(session)
    })
}

/// How much a permission set of this name may probably do: 0 reads, 1 is unknown, 2 develops, 3 administers.
fn power(role: &RoleName) -> u8 {
    let name = role.as_str().to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["admin", "root", "owner", "fullaccess"]) {
        3
    } else if has(&["poweruser", "power-user", "power_user", "dev"]) {
        2
    } else {
        u8::from(!has(&["readonly", "read-only", "read_only", "view", "audit", "reader"]))
    }
}

/// The number of words of a profile's name that a role's name contains: `prod-admin` has one of `AdministratorAccess`.
fn common_words(profile: &str, role: &str) -> usize {
    let role = role.to_ascii_lowercase();
    let profile = profile.to_ascii_lowercase();
    let words = profile.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= 3);
    words.filter(|word| role.contains(word)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str) -> Session {
        let start_url = format!("https://{name}.awsapps.com/start");
        Session { name: name.into(), start_url, region: "us-east-1".into(), scopes: Vec::new() }
    }

    fn candidate(account: &str, role: &str) -> Candidate {
        let role = AccountRole { account: AccountId::new(account).unwrap(), role: RoleName::new(role).unwrap() };
        Candidate { session: session("corp"), role, account_name: None }
    }

    fn profile(name: &str, account: &str, role: &str, region: &str) -> RoleTarget {
        let (account, role) = (AccountId::new(account).unwrap(), RoleName::new(role).unwrap());
        RoleTarget {
            region: Some(region.to_owned()),
            profile: Some(name.to_owned()),
            ..RoleTarget::of_role(session("corp"), account, role)
        }
    }

    fn names(key: KeyUse<'_>, profiles: &[RoleTarget], uses: &[(&str, f64)]) -> Vec<String> {
        let listed =
            ["AdministratorAccess", "DeveloperAccess", "Billing", "ReadOnlyAccess"].map(|role| candidate("111122223333", role));
        let listed = [&listed[..], &listed[..1], &[candidate("444455556666", "Other")]].concat();
        let uses = uses.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect();
        let account = AccountId::new("111122223333").unwrap();
        rank(&account, key, &listed, profiles, &uses).into_iter().map(|found| found.role.role.to_string()).collect()
    }

    #[test]
    fn roles_of_the_account_are_listed_once_the_least_powerful_first() {
        let expected = ["ReadOnlyAccess", "Billing", "DeveloperAccess", "AdministratorAccess"];
        assert_eq!(names(KeyUse::default(), &[], &[]), expected);
    }

    #[test]
    fn name_then_region_then_use_come_before_power() {
        let key = KeyUse { profile: Some("my-developer"), region: Some("eu-west-1") };
        let profiles = [
            profile("a", "111122223333", "AdministratorAccess", "eu-west-1"),
            profile("b", "111122223333", "ReadOnlyAccess", "us-east-1"),
            profile("c", "444455556666", "ReadOnlyAccess", "eu-west-1"),
        ];
        let expected = ["DeveloperAccess", "AdministratorAccess", "Billing", "ReadOnlyAccess"];
        assert_eq!(names(key, &profiles, &[("Billing@111122223333", 3.0), ("b", 1.0), ("c", 9.0)]), expected);
    }

    #[test]
    fn a_replacement_names_the_profile_that_uses_the_role() {
        let account = AccountId::new("111122223333").unwrap();
        let listed = [candidate("111122223333", "ReadOnlyAccess")];
        let profiles = [profile("dev", "111122223333", "ReadOnlyAccess", "eu-west-1")];
        let found = rank(&account, KeyUse::default(), &listed, &profiles, &BTreeMap::new());
        assert_eq!(found, [Replacement { session: session("corp"), role: listed[0].role.clone(), profile: Some("dev".into()) }]);
        assert!(rank(&AccountId::new("444455556666").unwrap(), KeyUse::default(), &listed, &profiles, &BTreeMap::new()).is_empty());
    }
}
