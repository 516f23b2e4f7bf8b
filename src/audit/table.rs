//! Looks up files in the table of places, by their names first: a walk asks for each file of a home. Touches nothing.

use std::ffi::OsStr;
use std::path::Path;

use super::places::{Advice, CLOSED, Format, Kind, PLACES, Place};

/// A shared credentials or config file in another folder than that of the AWS tools.
static COPY: Place = Place { pattern: "", kind: Kind::Copy, format: Format::Ini, takes_keys: true, advice: Advice::Delete };

/// The patterns, ready to be looked up.
pub struct Table {
    places: Index<&'static Place>,
    closed: Index<()>,
}

/// The patterns by their last parts: those without `*` by a hash, the others by their first or last byte.
struct Index<T> {
    exact: [Vec<Pattern<T>>; 256],
    beginning: [Vec<Pattern<T>>; 256],
    ending: [Vec<Pattern<T>>; 256],
    /// `*` alone, or text between two `*`.
    others: Vec<Pattern<T>>,
}

struct Pattern<T> {
    /// The last part, the one before it, and the rest.
    name: &'static str,
    parent: &'static str,
    folders: &'static str,
    /// Its line in the table: the first counts.
    line: usize,
    value: T,
}

impl Table {
    /// Prepares the look-up.
    pub fn new() -> Self {
        let relative = |place: &'static Place| Some((place.pattern.strip_prefix("~/").unwrap_or(place.pattern), place));
        let places = PLACES.iter().filter(|place| !place.pattern.starts_with('/')).filter_map(relative);
        Self { places: Index::new(places), closed: Index::new(CLOSED.iter().map(|pattern| (*pattern, ()))) }
    }

    /// The place that a file is, by the last parts of its path. What may never be opened is none.
    pub fn place(&self, folder: &Path, name: &OsStr) -> Option<&'static Place> {
        let place = self.places.get(folder, name)?;
        let is_closed = self.is_closed(folder, name) || folder.ends_with(".ssh");
        let is_rewritten = matches!(place.advice, Advice::Migrate);
        (!is_closed).then_some(if is_rewritten { &COPY } else { place })
    }

    /// Whether a path or one of its folders may never be opened.
    pub fn is_below_closed(&self, path: &Path) -> bool {
        let is_closed =
            |path: &Path| path.parent().zip(path.file_name()).is_some_and(|(folder, name)| self.is_closed(folder, name));
        path.ancestors().any(is_closed)
    }

    /// Whether a file or folder may never be opened, by its own name.
    pub fn is_closed(&self, folder: &Path, name: &OsStr) -> bool {
        self.closed.get(folder, name).is_some()
    }
}

impl<T: Copy> Index<T> {
    fn new(patterns: impl Iterator<Item = (&'static str, T)>) -> Self {
        let empty = || [const { Vec::new() }; 256];
        let mut index = Self { exact: empty(), beginning: empty(), ending: empty(), others: Vec::new() };
        for (line, (pattern, value)) in patterns.enumerate() {
            let (folders, name) = pattern.rsplit_once('/').unwrap_or(("", pattern));
            let (folders, parent) = folders.rsplit_once('/').unwrap_or(("", folders));
            let lower = |byte: Option<&u8>| byte.map_or(b'*', u8::to_ascii_lowercase);
            let list = match (lower(name.as_bytes().first()), lower(name.as_bytes().last())) {
                _ if !name.contains('*') => index.exact.get_mut(usize::from(hash(name.as_bytes()))),
                (b'*', b'*') => None,
                (b'*', last) => index.ending.get_mut(usize::from(last)),
                (first, _) => index.beginning.get_mut(usize::from(first)),
            };
            list.unwrap_or(&mut index.others).push(Pattern { name, parent, folders, line, value });
        }
        index
    }

    /// The value of the first pattern that matches.
    fn get(&self, folder: &Path, name: &OsStr) -> Option<T> {
        let bytes = name.as_encoded_bytes();
        let exact = list(&self.exact, Some(&hash(bytes))).iter();
        let lower = |byte: Option<&u8>| byte.map(u8::to_ascii_lowercase);
        let beginning = list(&self.beginning, lower(bytes.first()).as_ref());
        let wild = beginning.iter().chain(list(&self.ending, lower(bytes.last()).as_ref())).chain(&self.others);
        // Most patterns for any name in a folder differ in the folder's own name.
        let parent = folder.file_name().map(OsStr::as_encoded_bytes).unwrap_or_default();
        let matching = exact.chain(wild).filter(|pattern| {
            glob(pattern.name.as_bytes(), bytes)
                && (pattern.parent.is_empty()
                    || glob(pattern.parent.as_bytes(), parent)
                        && folder.parent().is_some_and(|above| is_in(above, pattern.folders)))
        });
        matching.min_by_key(|pattern| pattern.line).map(|pattern| pattern.value)
    }
}

fn list<'l, T>(lists: &'l [Vec<T>; 256], byte: Option<&u8>) -> &'l [T] {
    byte.and_then(|byte| lists.get(usize::from(*byte))).map_or(&[], Vec::as_slice)
}

/// Whether the last parts of a folder's path match these.
fn is_in(folder: &Path, parts: &str) -> bool {
    let mut parents = folder.components().rev();
    let mut parts = parts.rsplit('/').filter(|part| !part.is_empty());
    parts.all(|part| parents.next().is_some_and(|parent| glob(part.as_bytes(), parent.as_os_str().as_encoded_bytes())))
}

/// Whether a name matches a pattern, in which `*` is any text. ASCII case does not matter.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let same = |one: &u8, other: &u8| one.eq_ignore_ascii_case(other);
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', [])) => true,
        Some((b'*', rest)) => {
            // A text behind the last `*` is the end of the name.
            if !rest.contains(&b'*') {
                let start = name.len().checked_sub(rest.len());
                return start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(rest));
            }
            (0..=name.len()).any(|at| glob(rest, name.get(at..).unwrap_or_default()))
        }
        Some((first, rest)) => name.split_first().is_some_and(|(byte, after)| same(first, byte) && glob(rest, after)),
    }
}

/// A number for the length, the first and the last byte of a name, in lower case.
fn hash(name: &[u8]) -> u8 {
    let byte = |byte: Option<&u8>| byte.map_or(0, u8::to_ascii_lowercase);
    let length = name.len().to_le_bytes().first().copied().unwrap_or_default();
    byte(name.first()).wrapping_mul(31) ^ byte(name.last()).wrapping_mul(7) ^ length.wrapping_mul(13)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::places;

    #[test]
    fn a_star_is_any_text_within_one_part() {
        for (pattern, name, matches) in [
            ("*.env", "prod.env", true),
            ("*.env", ".ENV", true),
            ("*.env", "env", false),
            (".env.*", ".env.local", true),
            ("*accessKeys*.csv", "bob_accessKeys (1).csv", true),
            ("*accessKeys*.csv", "accessKeys.csv.gz", false),
            ("compose*.yml", "compose.yml", true),
            ("a*b*c", "aXbYbc", true),
            ("", "x", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_by_the_last_parts_of_their_paths() {
        let table = Table::new();
        let kind = |path: &str| {
            let path = Path::new(path);
            table.place(path.parent().unwrap(), path.file_name().unwrap()).map(|place| place.kind)
        };
        for (path, expected) in [
            ("/src/app/.env", Some(Kind::Project)),
            ("/src/app/.env.local", Some(Kind::Project)),
            ("/src/app/.terraform/terraform.tfstate", Some(Kind::Project)),
            ("/src/app/.vscode/settings.json", Some(Kind::Project)),
            ("/src/app/settings.json", None),
            ("/backup/.aws/credentials", Some(Kind::Copy)),
            ("/backup/.bashrc", Some(Kind::ShellStartup)),
            ("/home/me/Downloads/rootkey.csv", Some(Kind::Download)),
            ("/home/me/.ssh/id_rsa.env", None),
            ("/home/me/.ssh/config", None),
            ("/src/app/main.rs", None),
            ("/src/app/config", None),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
        let closed = |path: &str| table.is_closed(Path::new(path).parent().unwrap(), Path::new(path).file_name().unwrap());
        assert!(closed("/home/me/.ssh") && closed("/x/server.pem") && closed("/home/me/.config/google-chrome-beta"));
        assert!(!closed("/home/me/google-chrome") && !closed("/home/me/keys.txt"));
    }

    #[test]
    fn no_pattern_is_in_the_table_twice() {
        let mut seen = std::collections::HashSet::new();
        let twice: Vec<&str> = PLACES.iter().map(|place| place.pattern).filter(|pattern| !seen.insert(*pattern)).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn the_places_of_the_aws_tools_are_the_only_ones_to_be_rewritten() {
        let rewritten: Vec<&str> =
            PLACES.iter().filter(|place| place.advice == Advice::Migrate).map(|place| place.pattern).collect();
        assert_eq!(rewritten, [places::CREDENTIALS.pattern, places::CONFIG.pattern]);
    }
}
