//! Finds lines that were probably meant as the header of a certain section. Touches nothing.

use super::ini::{self, FileKind, Kind};
use super::names::nearest;

/// A line that is not the header it was probably meant to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lookalike<'a> {
    /// Counted from 1.
    pub(super) line: usize,
    /// The line without its outer blanks.
    pub(super) text: &'a str,
    /// The line as it should be.
    pub(super) correct: String,
}

/// The line that was probably meant as the header of this section, of a file that has no such section.
pub(super) fn lookalike<'a>(text: &'a str, file: FileKind, kind: Kind, name: &str) -> Option<Lookalike<'a>> {
    let plain = simplified(name);
    let mut near: Option<Lookalike<'a>> = None;
    for (number, line) in (1..).zip(text.split(['\n', '\r'])) {
        let line = line.trim_matches(is_space);
        let Some((its_kind, its_name)) = read(line, file) else { continue };
        // A bare name could be either.
        if its_kind.is_some_and(|its| its != kind) || is_header_of_another(line, file, name) {
            continue;
        }
        let its = simplified(its_name);
        let found = || Lookalike { line: number, text: line, correct: header(file, kind, name) };
        if its == plain {
            return Some(found());
        }
        if near.is_none() && nearest(&plain, [&*its].into_iter()).is_some() {
            near = Some(found());
        }
    }
    near
}

/// A section's header as the AWS CLI writes it.
pub(super) fn header(file: FileKind, kind: Kind, name: &str) -> String {
    let quoted = if ini::is_plain_name(name) { name.to_owned() } else { format!("\"{name}\"") };
    match (kind, file) {
        (Kind::Session, _) => format!("[sso-session {quoted}]"),
        (_, FileKind::Config) if name != "default" => format!("[profile {quoted}]"),
        (..) => format!("[{name}]"),
    }
}

/// Whether the line is the header of a section that another name refers to: such a name is suggested as it is.
fn is_header_of_another(line: &str, file: FileKind, name: &str) -> bool {
    let inner = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let section = inner.map(|inner| ini::classify(inner.as_bytes(), file));
    section.is_some_and(|(kind, its, ..)| kind != Kind::Other && its != name)
}

/// The kind and the name that a line near to a header was probably meant to have. The kind is None for a name alone.
fn read(line: &str, file: FileKind) -> Option<(Option<Kind>, &str)> {
    let uncommented = line.split([';', '#']).next().unwrap_or_default().trim_matches(is_space);
    let brackets = ['[', ']', '{', '}', '(', ')', '<', '>'];
    let inner = uncommented.trim_matches(|c| brackets.contains(&c) || is_space(c));
    let bracketed = inner.len() != uncommented.len();
    // What follows a closing bracket is not part of the name.
    let inner = inner.split([']', '}', ')', '>']).next().unwrap_or_default();
    let separator = |c: char| is_space(c) || matches!(c, '.' | ':' | '/' | '=' | '-' | '_' | '"' | '\'');
    for (word, kind) in
        [("profile", Kind::Profile), ("sso-session", Kind::Session), ("sso session", Kind::Session), ("session", Kind::Session)]
    {
        let first = inner.split(is_space).next().unwrap_or_default();
        // A mistyped word and a blank, or the very word and whatever else separates it from the name.
        let mistyped = inner.get(first.len()..).filter(|rest| !rest.is_empty() && distance(first, word) <= 2);
        let exact = inner.get(..word.len()).filter(|start| start.replace('_', "-").eq_ignore_ascii_case(word));
        let rest = mistyped.or_else(|| exact.and_then(|start| inner.get(start.len()..)));
        let name = rest.map(|rest| rest.trim_matches(separator)).filter(|name| !name.is_empty() && !name.contains('='));
        if let Some(name) = name.filter(|_| bracketed || !line.contains('=')) {
            return Some((Some(kind), name));
        }
    }
    let name = inner.trim_matches(['"', '\'']);
    (bracketed && !name.is_empty() && !name.contains('=') && file == FileKind::Config).then_some((None, name))
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(&one.to_lowercase(), other)
}

/// A name without regard to case, quotes and the kind of blanks.
fn simplified(name: &str) -> String {
    let name = name.replace(['"', '\''], "").to_lowercase();
    name.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, kind: Kind, name: &str) -> Option<(usize, String)> {
        lookalike(text, FileKind::Config, kind, name).map(|found| (found.line, found.correct))
    }

    #[test]
    fn a_line_near_to_the_header_of_a_profile_is_found() {
        for line in [
            "[dev]",
            "[Profile dev]",
            "[PROFILE dev]",
            "[profil dev]",
            "[prifile dev]",
            "[profiles dev]",
            "[profile.dev]",
            "[profile:dev]",
            "[profiledev]",
            "[profile-dev]",
            "[profile dev",
            "profile dev]",
            "profile dev",
            "(profile dev)",
            "[profile\u{a0}dev]",
            "\u{feff}[profile dev]",
            "[profile 'dev]",
            "[ Dev ]",
            "[profile DEV] x",
            "\t[profile dev]]",
            "[[profile dev]]",
        ] {
            let text = format!("# x\n{line}\nregion = x\n");
            assert_eq!(found(&text, Kind::Profile, "dev"), Some((2, "[profile dev]".to_owned())), "{line}");
        }
    }

    #[test]
    fn a_name_with_blanks_is_found() {
        for line in ["[profile Foo Bar]", "[profile foo  bar]", "[Foo Bar]", "[profile 'Foo Bar]"] {
            let correct = "[profile \"Foo Bar\"]".to_owned();
            assert_eq!(found(&format!("{line}\n"), Kind::Profile, "Foo Bar"), Some((1, correct)), "{line}");
        }
        assert_eq!(found("[sso session corp]\n", Kind::Session, "corp"), Some((1, "[sso-session corp]".to_owned())));
        assert_eq!(found("[SSO-Session corp]\n", Kind::Session, "corp"), Some((1, "[sso-session corp]".to_owned())));
    }

    #[test]
    fn other_lines_are_not_taken_for_a_header() {
        for text in [
            "dev = 1\n",
            "region = dev\n",
            "# [profile dev]\n",
            "[profile prod]\n",
            "[sso-session dev]\n",
            "[services dev]\n",
            "[]\n",
        ] {
            assert_eq!(found(text, Kind::Profile, "dev"), None, "{text}");
        }
    }
}
