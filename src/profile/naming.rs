//! Makes unique names for many profiles from a template, of characters that all AWS tools read. Touches nothing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::index::AccountRole;
use super::ini::is_plain_name;
use super::names::plain;
use crate::error::{Error, Result};

/// The default template.
pub const DEFAULT: &str = "{account_name}.{role}";

/// A template such as `{account_name}.{role}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    AccountId,
    AccountName,
    AccountEmail,
    Role,
    Session,
    Region,
}

const FIELDS: [(&str, Field); 6] = [
    ("account_id", Field::AccountId),
    ("account_name", Field::AccountName),
    ("account_email", Field::AccountEmail),
    ("role", Field::Role),
    ("session", Field::Session),
    ("region", Field::Region),
];

/// The values of the fields.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// Account and role.
    pub role: &'a AccountRole,
    /// The account ID is used if there is none.
    pub account_name: Option<&'a str>,
    /// The account ID is used if there is none.
    pub account_email: Option<&'a str>,
    /// The session's name.
    pub session: &'a str,
    /// The profile's region.
    pub region: Option<&'a str>,
}

impl Template {
    /// Parses a template; `region` tells whether [`Values::region`] will have a value.
    ///
    /// # Errors
    /// An unknown field, an unmatched brace, or a character that a profile's name can't contain.
    pub fn parse(text: &str, region: bool) -> Result<Self> {
        let hint = format!("daypass sync --name '{DEFAULT}'");
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(Error::usage(format!("the name \"{text}\" has a {{ without a }}"), hint));
            };
            let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                let what = format!("\"{{{name}}}\" is not a field of a profile's name; the fields are {}", known.join(" "));
                return Err(Error::usage(what, hint));
            };
            if *field == Field::Region && !region {
                return Err(Error::missing("the name contains {region}, but --region is missing", "--region", "us-east-1"));
            }
            parts.extend([Part::Text(plain.to_owned()), Part::Field(*field)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        for part in &parts {
            if let Part::Text(plain) = part
                && !is_plain_name(plain)
            {
                let what = format!("\"{plain}\" can't be part of a profile's name: use letters, digits and _-./@:+%");
                return Err(Error::usage(what, hint));
            }
        }
        if parts.is_empty() {
            return Err(Error::usage("the name is empty", hint));
        }
        Ok(Self(parts))
    }

    /// Returns the name of one role's profile.
    pub fn name(&self, values: &Values<'_>) -> String {
        let id = values.role.account.as_str();
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field) => name.push_str(&match field {
                    Field::AccountId => Cow::Borrowed(id),
                    Field::AccountName => plain(values.account_name.unwrap_or(id), id),
                    Field::AccountEmail => plain(values.account_email.unwrap_or(id), id),
                    Field::Role => plain(values.role.role.as_str(), "role"),
                    Field::Session => plain(values.session, "session"),
                    Field::Region => plain(values.region.unwrap_or_default(), "region"),
                }),
            }
        }
        name
    }
}

/// A profile that needs a name.
#[derive(Debug, Clone)]
pub struct Want {
    /// Its role.
    pub role: AccountRole,
    /// The name by the template.
    pub name: String,
    /// The names of existing profiles for this role.
    pub has: Vec<String>,
}

impl Want {
    /// The possible names, the best first. The later ones distinguish what the template does not.
    fn candidates(&self) -> [String; 4] {
        let AccountRole { account, role } = &self.role;
        let digest = ring::digest::digest(&ring::digest::SHA256, format!("{account}/{role}").as_bytes());
        let hash = digest.as_ref().iter().take(4).fold(0_u32, |hash, byte| hash << 8 | u32::from(*byte));
        let base = &self.name;
        [
            base.clone(),
            format!("{base}-{account}"),
            format!("{base}-{account}-{}", plain(role.as_str(), "role")),
            format!("{base}-{account}-{hash:08x}"),
        ]
    }
}

/// Returns a name for each, in their order; None if all candidates are taken.
///
/// A profile keeps the name that it has if that is one of its candidates. If names collide, or one is taken, each gets the account ID
/// appended. So names depend on the set, not on its order, and the next run gives the same names.
pub fn assign(wants: &[Want], is_taken: impl Fn(&str) -> bool) -> Vec<Option<String>> {
    let candidates: Vec<[String; 4]> = wants.iter().map(Want::candidates).collect();
    let mut given: Vec<Option<&str>> = vec![None; wants.len()];
    let mut used: HashSet<&str> = HashSet::new();
    for ((want, candidates), given) in wants.iter().zip(&candidates).zip(&mut given) {
        let kept = candidates.iter().find(|name| want.has.contains(name) && !is_taken(name));
        if let Some(kept) = kept
            && used.insert(kept)
        {
            *given = Some(kept);
        }
    }
    for level in 0..4 {
        let open = |given: &[Option<&str>]| -> Vec<usize> {
            given.iter().enumerate().filter(|(_, given)| given.is_none()).map(|(at, _)| at).collect()
        };
        let open = open(&given);
        let mut count: HashMap<&str, usize> = HashMap::new();
        let name_of = |at: usize| candidates.get(at).and_then(|names| names.get(level)).map_or("", String::as_str);
        for &at in &open {
            *count.entry(name_of(at)).or_default() += 1;
        }
        for &at in &open {
            let name = name_of(at);
            if count.get(name) == Some(&1)
                && !is_taken(name)
                && used.insert(name)
                && let Some(given) = given.get_mut(at)
            {
                *given = Some(name);
            }
        }
    }
    given.into_iter().map(|name| name.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::names::{AccountId, RoleName};
    use proptest::prelude::*;

    fn role(account: u64, role: &str) -> AccountRole {
        AccountRole { account: AccountId::new(&format!("{account:012}")).unwrap(), role: RoleName::new(role).unwrap() }
    }

    fn name(template: &str, account_name: Option<&str>) -> String {
        let role = role(7, "Ops+Read=Only");
        let values = Values { role: &role, account_name, account_email: None, session: "corp", region: Some("eu-west-1") };
        Template::parse(template, true).unwrap().name(&values)
    }

    fn want(account: u64, role_name: &str, name: &str, has: &[&str]) -> Want {
        Want { role: role(account, role_name), name: name.into(), has: has.iter().map(|&name| name.into()).collect() }
    }

    fn assigned(wants: &[Want], taken: &[&str]) -> Vec<String> {
        assign(wants, |name| taken.contains(&name)).into_iter().map(Option::unwrap_or_default).collect()
    }

    #[test]
    fn template_fields_are_filled_with_characters_that_all_tools_read() {
        assert_eq!(name(DEFAULT, Some("Development (EU)")), "Development-EU.Ops+Read-Only");
        assert_eq!(name("{session}/{account_id}:{region}", None), "corp/000000000007:eu-west-1");
        assert_eq!(name("{account_name}", None), "000000000007");
    }

    #[test]
    fn hostile_names_are_made_harmless() {
        for (hostile, harmless) in [
            ("../../etc/passwd", "etc-passwd"),
            ("x]\n[profile y", "x-profile-y"),
            ("\u{1b}[31mred", "31mred"),
            ("--help", "help"),
            ("🦀", "000000000007"),
            ("..", "000000000007"),
            ("", "000000000007"),
        ] {
            assert_eq!(name("{account_name}", Some(hostile)), harmless, "{hostile:?}");
        }
        assert_eq!(name("{account_name}", Some(&"x".repeat(200))).len(), 64);
    }

    #[test]
    fn an_unknown_field_error_lists_the_known_fields() {
        let error = Template::parse("{acct}", true).unwrap_err();
        assert!(error.what.contains("{acct}") && error.what.contains("account_name"), "{error}");
        for bad in ["", "{role", "a b", "{role}]", "{region}"] {
            assert!(Template::parse(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_names_that_collide_get_the_account_id_appended() {
        let wants = [want(1, "A", "x", &[]), want(2, "A", "x", &[]), want(3, "A", "y", &[])];
        assert_eq!(assigned(&wants, &[]), ["x-000000000001", "x-000000000002", "y"]);
    }

    #[test]
    fn colliding_roles_of_one_account_get_the_role_and_then_a_hash() {
        let wants = [want(1, "A", "x", &[]), want(1, "B", "x", &[]), want(1, "B=", "x", &[])];
        let names = assigned(&wants, &[]);
        assert_eq!(names[0], "x-000000000001-A");
        assert!(names[1].starts_with("x-000000000001-") && names[2].starts_with("x-000000000001-") && names[1] != names[2]);
    }

    #[test]
    fn a_taken_name_is_replaced_and_a_given_name_is_kept() {
        assert_eq!(assigned(&[want(1, "A", "x", &[])], &["x"]), ["x-000000000001"]);
        // The second is new: the first keeps its name.
        assert_eq!(assigned(&[want(1, "A", "x", &["x"]), want(2, "A", "x", &[])], &[]), ["x", "x-000000000002"]);
        // A name that the template no longer gives is dropped.
        assert_eq!(assigned(&[want(1, "A", "new", &["old"])], &[]), ["new"]);
    }

    proptest! {
        #[test]
        fn names_are_unique_stable_and_do_not_depend_on_the_order(
            roles in proptest::collection::btree_set((0u64..6, "[A-C=+]{1,2}"), 1..12),
            bases in proptest::collection::vec("[xy]", 12),
            taken in proptest::collection::hash_set("[xy](-00000000000[0-5])?", 0..3),
        ) {
            let wants: Vec<Want> =
                roles.iter().zip(&bases).map(|((account, role), base)| want(*account, role, base, &[])).collect();
            let names = assign(&wants, |name| taken.contains(name));
            let unique: HashSet<&Option<String>> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len());
            prop_assert!(names.iter().all(|name| name.as_ref().is_some_and(|name| !taken.contains(name) && is_plain_name(name))));
            let reversed: Vec<Want> = wants.iter().rev().cloned().collect();
            let mut names_reversed = assign(&reversed, |name| taken.contains(name));
            names_reversed.reverse();
            prop_assert_eq!(&names_reversed, &names);
            let again: Vec<Want> = wants
                .iter()
                .zip(&names)
                .map(|(want, name)| Want { has: name.iter().cloned().collect(), ..want.clone() })
                .collect();
            prop_assert_eq!(assign(&again, |name| taken.contains(name)), names);
        }
    }
}
