//! Describes changes of the user's files and splices them into a text. Touches nothing: [`super::store`] writes.
//!
//! A change concerns some keys of some sections. Every other byte stays: comments, order, blank lines, line ends, unknown keys, nested
//! values. Only the part of the grammar that all AWS tools read alike is written: plain names, one `key = value` per line, no comments
//! after values. Any number of changes is made in one pass.
//!
//! Each result is parsed twice before it is accepted. Our own parser must find the old meaning with the changes. rust-ini, which shares
//! no code with ours, must find every key that no change concerns unchanged, and those that were set with their new values. It reads a
//! simpler grammar and rejects or misreads some valid files (a comment on a section's line, a continued value, a `\` at a line's end),
//! so its result counts only if it finds the same sections and keys in the *old* text as we do, which is nearly always.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::config::{Block, Config, Value};
use super::helper;
use super::ini::{self, Document, Entry, FileKind, Kind, MARK, Section};
use super::names::{self, Session};
use super::precedence::Precedence;
use super::resolve::{self, SSO_KEYS};
use crate::error::{Error, Result};
use crate::text::{command_line, shell_quote};

/// One change of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Sets the keys of the `[sso-session]` block. Without scopes, existing ones stay.
    Session(Session),
    /// Sets these keys of the profile and removes those.
    Profile {
        /// The profile's name.
        name: String,
        /// Keys, in lower case, with their values; new ones are written in this order.
        set: Vec<(String, String)>,
        /// Keys to remove, in lower case. A key that is also in `set` is replaced on purpose, whatever its old value (see
        /// [`other_source`]).
        remove: Vec<String>,
        /// The text after [`MARK`]; None leaves the mark as it is.
        mark: Option<String>,
    },
    /// Removes the profile, with the comments inside it.
    Forget {
        /// The profile's name.
        name: String,
    },
}

impl Change {
    /// Makes the profile call daypass, and removes its `sso_*` keys: SDKs would prefer their own provider.
    pub fn helper(name: &str, line: String, more: Vec<(String, String)>) -> Self {
        let set = std::iter::once(("credential_process".to_owned(), line)).chain(more).collect();
        Self::Profile { name: name.to_owned(), set, remove: SSO_KEYS.map(str::to_owned).to_vec(), mark: None }
    }

    /// Makes the profile call daypass, which assumes its role, and removes the keys with which SDKs would do so.
    pub fn chained(name: &str, line: String) -> Self {
        let remove = SSO_KEYS.iter().chain(&CHAIN_KEYS).map(|&key| key.to_owned()).collect();
        Self::Profile { name: name.to_owned(), set: vec![("credential_process".to_owned(), line)], remove, mark: None }
    }

    /// Makes the profile use the SDKs' own provider, and removes `credential_process` and what repeats the session.
    pub fn native(name: &str, session: &str, account: &str, role: &str, more: Vec<(String, String)>) -> Self {
        let own = [("sso_session", session), ("sso_account_id", account), ("sso_role_name", role)];
        let set = own.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).chain(more).collect();
        let remove = ["credential_process", "sso_start_url", "sso_region", "sso_registration_scopes"].map(str::to_owned).to_vec();
        Self::Profile { name: name.to_owned(), set, remove, mark: None }
    }

    /// The same change, which also sets the mark of `daypass sync`.
    pub fn marked(self, text: &str) -> Self {
        match self {
            Self::Profile { name, set, remove, .. } => Self::Profile { name, set, remove, mark: Some(text.to_owned()) },
            other => other,
        }
    }
}

/// The keys with which SDKs assume a role.
const CHAIN_KEYS: [&str; 5] = ["role_arn", "source_profile", "role_session_name", "external_id", "duration_seconds"];

/// A change in one form for sessions and profiles.
struct Edit<'c> {
    kind: Kind,
    name: &'c str,
    set: Vec<(&'c str, &'c str)>,
    remove: Vec<&'c str>,
    mark: Option<&'c str>,
    forget: bool,
}

/// Returns the text with the changes made; the same text if there is nothing to change.
///
/// # Errors
/// [`crate::error::Exit::Usage`] for a name or value that tools would read differently, and for two changes of one section;
/// [`crate::error::Exit::Failed`] if the result does not have the intended meaning.
pub fn apply(text: &str, file: FileKind, changes: &[Change]) -> Result<String> {
    let scopes: Vec<String> = changes.iter().map(scopes_of).collect();
    let edits: Vec<Edit<'_>> = changes.iter().zip(&scopes).map(|(change, scopes)| edit_of(change, scopes)).collect();
    let mut seen = HashSet::with_capacity(edits.len());
    for edit in &edits {
        check_edit(edit)?;
        if !seen.insert((edit.kind, edit.name)) {
            let other = format!("{}-2", edit.name);
            let hint = command_line(["daypass", "configure", "--profile", &other]);
            return Err(Error::typo(format!("\"{}\" would be written twice", edit.name), edit.name, &other, hint));
        }
    }
    let before = Document::parse(text.as_bytes(), file);
    let after = splice(text, file, &before, &edits)?;
    if after != text {
        check(text, &after, file, &before, &edits).map_err(|what| {
            let hint = "daypass doctor";
            Error::failed(format!("nothing was written, because the result would be wrong: {what}"), hint)
        })?;
    }
    Ok(after)
}

fn scopes_of(change: &Change) -> String {
    if let Change::Session(session) = change { session.scopes.join(",") } else { String::new() }
}

fn edit_of<'c>(change: &'c Change, scopes: &'c str) -> Edit<'c> {
    let edit = |kind, name| Edit { kind, name, set: Vec::new(), remove: Vec::new(), mark: None, forget: false };
    match change {
        Change::Session(session) => {
            let mut set = vec![("sso_start_url", &*session.start_url), ("sso_region", &*session.region)];
            if !scopes.is_empty() {
                set.push(("sso_registration_scopes", scopes));
            }
            Edit { set, ..edit(Kind::Session, &session.name) }
        }
        Change::Profile { name, set, remove, mark } => Edit {
            set: set.iter().map(|(key, value)| (&**key, &**value)).collect(),
            remove: remove.iter().map(|key| &**key).filter(|key| !set.iter().any(|(set, _)| set == key)).collect(),
            mark: mark.as_deref(),
            ..edit(Kind::Profile, name)
        },
        Change::Forget { name } => Edit { forget: true, ..edit(Kind::Profile, name) },
    }
}

fn check_edit(edit: &Edit<'_>) -> Result<()> {
    let mut keys = BTreeSet::new();
    for &(key, value) in &edit.set {
        if !ini::is_plain_name(key) || key.bytes().any(|b| b.is_ascii_uppercase()) || !keys.insert(key) {
            return Err(Error::usage(
                format!("\"{key}\" can't be written as a key"),
                "a key consists of lower-case letters, digits and _, and is given once",
            ));
        }
        check_value(key, value)?;
    }
    match edit.mark {
        Some(mark) if mark.chars().any(is_break) || mark.trim() != mark || mark.is_empty() => {
            Err(Error::usage(format!("\"{mark}\" can't be written as a comment"), "remove line breaks and outer blanks"))
        }
        _ => Ok(()),
    }
}

/// Checks that all tools read this value alike, on one line.
fn check_value(key: &str, value: &str) -> Result<()> {
    let why = if value.is_empty() {
        "it is empty"
    } else if value.chars().any(is_break) {
        "it contains a line break or a control character"
    } else if value.trim() != value {
        "it starts or ends with a space"
    } else if value.starts_with(['#', ';']) || [" #", " ;"].iter().any(|comment| value.contains(comment)) {
        "most tools treat text after \" #\" or \" ;\" as a comment"
    } else if value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
        "some tools would drop the quotes around it"
    } else {
        return Ok(());
    };
    let plain: String = value.chars().filter(|c| !is_break(*c)).collect();
    let plain = [" #", " ;"].iter().fold(&*plain, |plain, comment| plain.split(comment).next().unwrap_or_default());
    let plain = plain.trim_matches(|c: char| c.is_whitespace() || "\"#;".contains(c));
    Err(Error::typo(format!("\"{value}\" can't be written as {key}: {why}"), value, plain, "daypass configure --help"))
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// One replacement in the text.
struct Splice {
    range: Range<usize>,
    new: String,
    /// Whether `new` consists of whole lines: they start on a new line, even after a last line without a line end.
    lines: bool,
}

fn splice(text: &str, file: FileKind, before: &Document<'_>, edits: &[Edit<'_>]) -> Result<String> {
    let eol = if text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let groups = before.groups();
    let known: HashMap<(Kind, &str), usize> =
        groups.iter().enumerate().filter_map(|(at, group)| group.first().map(|first| ((first.kind, &*first.name), at))).collect();
    let mut splices = Vec::new();
    let mut appended = Vec::new();
    for edit in edits {
        match known.get(&(edit.kind, edit.name)).and_then(|at| groups.get(*at)) {
            Some(group) if edit.forget => {
                splices.extend(group.sections.iter().map(|section| cut(text, section)));
            }
            Some(group) => change_group(text, eol, before, &group.sections, edit, &mut splices),
            None if edit.forget => {}
            None => appended.push(new_section(file, eol, edit)?),
        }
    }
    // The sort is stable: insertions at one position keep their order, before a replacement that starts there.
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));

    let mut after = String::with_capacity(text.len() + appended.iter().map(|section| section.len() + 2).sum::<usize>() + 256);
    let mut done = 0;
    for splice in &splices {
        after.push_str(text.get(done..splice.range.start).unwrap_or_default());
        if splice.lines {
            end_line(&mut after, eol);
        }
        after.push_str(&splice.new);
        done = splice.range.end;
    }
    after.push_str(text.get(done..).unwrap_or_default());
    for section in appended {
        end_line(&mut after, eol);
        let last = after.lines().next_back();
        if last.is_some_and(|line| !line.trim_matches([' ', '\t', '\u{feff}']).is_empty()) {
            after.push_str(eol);
        }
        after.push_str(&section);
    }
    Ok(after)
}

fn end_line(text: &mut String, eol: &str) {
    if !matches!(text.chars().next_back(), None | Some('\n' | '\u{feff}')) {
        text.push_str(eol);
    }
}

/// Removes a section, from its header to its last key, and the blank line above it.
fn cut(text: &str, section: &Section<'_>) -> Splice {
    let above = text.get(..section.header.start).unwrap_or_default();
    let below = text.get(section.body_end..).unwrap_or_default();
    let blank_above = ["\n\r\n", "\n\n"].iter().find(|end| above.ends_with(**end)).map_or(0, |end| end.len() - 1);
    let first = above.trim_start_matches('\u{feff}').is_empty();
    let blank_below = ["\r\n", "\n"].iter().find(|end| first && below.starts_with(**end)).map_or(0, |end| end.len());
    Splice { range: section.header.start - blank_above..section.body_end + blank_below, new: String::new(), lines: false }
}

fn new_section(file: FileKind, eol: &str, edit: &Edit<'_>) -> Result<String> {
    let Edit { kind, name, .. } = *edit;
    if !ini::is_plain_name(name) {
        let what = format!("\"{name}\" is not a name that all AWS tools read");
        let plain = names::plain(name, "dev");
        let flag = if kind == Kind::Session { "--session" } else { "--profile" };
        return Err(Error::typo(
            format!("{what}: use letters, digits and _-./@:+%"),
            name,
            &plain,
            command_line(["daypass", "configure", flag, &plain]),
        ));
    }
    let mut section = match (kind, file) {
        (Kind::Session, _) => format!("[sso-session {name}]{eol}"),
        (_, FileKind::Config) if name != "default" => format!("[profile {name}]{eol}"),
        _ => format!("[{name}]{eol}"),
    };
    if let Some(mark) = edit.mark {
        section.extend([MARK, " ", mark, eol]);
    }
    for (key, value) in &edit.set {
        section.extend([key, " = ", value, eol]);
    }
    Ok(section)
}

fn change_group(
    text: &str,
    eol: &str,
    before: &Document<'_>,
    sections: &[&Section<'_>],
    edit: &Edit<'_>,
    splices: &mut Vec<Splice>,
) {
    let (Some(first), Some(last)) = (sections.first(), sections.last()) else { return };
    let entries = || sections.iter().flat_map(|section| before.entries(section));
    if let Some(mark) = edit.mark {
        let line = [MARK, " ", mark, eol].concat();
        match sections.iter().find_map(|section| Some((before.mark(section)?, section.mark.clone()?))) {
            Some((old, _)) if old == mark => {}
            Some((_, range)) => splices.push(Splice { range, new: line, lines: true }),
            None => splices.push(Splice { range: first.header.end..first.header.end, new: line, lines: true }),
        }
    }
    let mut added = String::new();
    for &(key, value) in &edit.set {
        match entries().rfind(|entry| before.is_key(entry, key)) {
            Some(entry) if before.value(entry) == value => {}
            Some(entry) => {
                // The AWS CLI takes a comment after a value for a part of it, so the comment moves to its own line. So do comments
                // between the lines of a value that becomes one line.
                let after_value =
                    entry.comment.clone().and_then(|comment| text.get(comment)).map(|comment| [comment, eol].concat());
                let start = entry.span.start;
                let comments = after_value.unwrap_or_default() + &comments_within(text, before, entry);
                splices.push(Splice { range: start..start, new: comments, lines: true });
                let blank = if text.get(..entry.value.start).is_some_and(|front| front.ends_with('=')) && entry.value.is_empty() {
                    " "
                } else {
                    ""
                };
                splices.push(Splice { range: entry.value.start..entry.text_end, new: [blank, value].concat(), lines: false });
            }
            None => added.extend([key, " = ", value, eol]),
        }
    }
    for entry in entries().filter(|entry| edit.remove.iter().any(|key| before.is_key(entry, key))) {
        splices.push(Splice { range: entry.span.clone(), new: comments_within(text, before, entry), lines: true });
    }
    if !added.is_empty() {
        splices.push(Splice { range: last.body_end..last.body_end, new: added, lines: true });
    }
}

fn comments_within(text: &str, before: &Document<'_>, entry: &Entry) -> String {
    before.comments_within(entry).into_iter().filter_map(|range| text.get(range)).collect()
}

type Name = (Kind, String);
/// Sections with their keys; the mark is stored under a key that no other can have.
type Meaning<'m> = BTreeMap<(Kind, Cow<'m, str>), BTreeMap<Cow<'m, str>, Cow<'m, str>>>;

fn check(old: &str, new: &str, file: FileKind, before: &Document<'_>, edits: &[Edit<'_>]) -> std::result::Result<(), String> {
    let after = Document::parse(new.as_bytes(), file);
    let mut expected = meaning(before);
    for edit in edits {
        let name = (edit.kind, Cow::Borrowed(edit.name));
        if edit.forget {
            expected.remove(&name);
            continue;
        }
        let keys = expected.entry(name).or_default();
        keys.retain(|key, _| !edit.remove.contains(&&**key));
        keys.extend(edit.set.iter().map(|&(key, value)| (Cow::Borrowed(key), Cow::Borrowed(value))));
        keys.extend(edit.mark.map(|mark| (Cow::Borrowed(MARK), Cow::Borrowed(mark))));
    }
    let found = meaning(&after);
    if found != expected {
        let differs = |name: &&(Kind, Cow<'_, str>)| found.get(*name) != expected.get(*name);
        let name = expected.keys().chain(found.keys()).find(differs).map(|(_, name)| &**name).unwrap_or_default();
        return Err(format!("section \"{name}\" would not read as intended"));
    }
    second_reading(old, new, file, before, edits)
}

fn meaning<'m>(document: &'m Document<'_>) -> Meaning<'m> {
    let mut meaning = Meaning::new();
    for group in document.groups() {
        for section in group.sections {
            let keys = meaning.entry((section.kind, Cow::Borrowed(&*section.name))).or_default();
            keys.extend(document.entries(section).iter().map(|entry| (document.key(entry), document.value(entry))));
            keys.extend(document.mark(section).map(|mark| (Cow::Borrowed(MARK), mark)));
        }
    }
    meaning
}

/// What rust-ini reads: sections and keys in file order, nested keys with the blanks before them.
type Reading = Vec<(Name, Vec<(String, String)>)>;

fn second_reading(
    old: &str,
    new: &str,
    file: FileKind,
    before: &Document<'_>,
    edits: &[Edit<'_>],
) -> std::result::Result<(), String> {
    // A last line without a line end may break only what is appended: the old text is read with one more section.
    let Some(mut old) = by_rust_ini(&[old, "\n[plugins]\n"].concat(), file) else { return Ok(()) };
    if old.pop() != Some(((Kind::Other, "plugins".to_owned()), Vec::new())) || !reads_alike(&old, before) {
        return Ok(());
    }
    let new = by_rust_ini(new, file).ok_or("rust-ini rejects it")?;
    let edits: HashMap<(Kind, &str), &Edit<'_>> = edits.iter().map(|edit| ((edit.kind, edit.name), edit)).collect();
    // Each key that no change concerns, and the last value of each key that one does.
    let mut unmeant = [Vec::new(), Vec::new()];
    let mut meant = [HashMap::new(), HashMap::new()];
    for ((reading, unmeant), meant) in [&old, &new].into_iter().zip(&mut unmeant).zip(&mut meant) {
        for ((kind, name), keys) in reading {
            let edit = edits.get(&(*kind, &**name));
            let concerns = |key: &str| {
                edit.is_some_and(|edit| edit.forget || edit.remove.contains(&key) || edit.set.iter().any(|(set, _)| *set == key))
            };
            for (key, value) in keys {
                if concerns(key) {
                    meant.insert((*kind, &**name, &**key), &**value);
                } else {
                    unmeant.push((*kind, &**name, &**key, &**value));
                }
            }
        }
    }
    let [was_unmeant, is_unmeant] = unmeant;
    if was_unmeant != is_unmeant {
        return Err("rust-ini finds a change of a key that should stay".to_owned());
    }
    let [was, is] = meant;
    for ((kind, name), edit) in &edits {
        for (key, value) in &edit.set {
            let place = (*kind, *name, *key);
            let found = is.get(&place);
            // A value that was right stays as it is, with a comment after it that rust-ini takes for a part of it.
            if found != Some(value) && (found.is_none() || found != was.get(&place)) {
                return Err(format!("rust-ini does not find the new {key} of \"{name}\""));
            }
        }
        if edit.remove.iter().any(|key| is.contains_key(&(*kind, *name, *key))) {
            return Err(format!("rust-ini still finds a removed key of \"{name}\""));
        }
    }
    Ok(())
}

/// None if rust-ini can't read the text.
fn by_rust_ini(text: &str, file: FileKind) -> Option<Reading> {
    // It joins a line that ends in a backslash with the next.
    if text.lines().any(|line| line.ends_with('\\')) {
        return None;
    }
    let options = || ::ini::ParseOption {
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: false,
        enabled_preserve_key_leading_whitespace: true,
    };
    let ini = ::ini::Ini::load_from_str_opt(text.trim_start_matches('\u{feff}'), options()).ok()?;
    let mut reading = Reading::new();
    for (name, keys) in &ini {
        let Some(name) = name else {
            if keys.is_empty() {
                continue;
            }
            return None;
        };
        let (kind, name, ..) = ini::classify(name.as_bytes(), file);
        reading.push((
            (kind, name.into_owned()),
            keys.iter().map(|(key, value)| (key.to_ascii_lowercase(), value.to_owned())).collect(),
        ));
    }
    Some(reading)
}

/// Whether rust-ini finds the same sections and keys as we do.
fn reads_alike(reading: &Reading, document: &Document<'_>) -> bool {
    let counting: usize = document.groups().iter().map(|group| group.sections.len()).sum();
    reading.len() == document.sections().len()
        // To it, [default] and [profile default] are two sections.
        && reading.len() == counting
        && reading.iter().zip(document.sections()).all(|((name, keys), section)| {
            let own = document.entries(section).iter().map(|entry| document.key(entry).into_owned());
            let its = keys.iter().map(|(key, _)| key).filter(|key| !key.starts_with([' ', '\t']));
            // Whether it keeps the blanks of an indented first key depends on the lines above.
            let starts_plain = !keys.first().is_some_and(|(key, _)| key.starts_with([' ', '\t']));
            name.0 == section.kind && name.1 == section.name && starts_plain && own.eq(its.cloned())
        })
}

/// Refuses changes that would add a daypass or SSO source to a profile with another credential source in either file: tools would
/// silently go on using the other one.
///
/// # Errors
/// [`crate::error::Exit::Usage`], naming the key with file and line.
pub fn refuse_other_sources(config: &Config, changes: &[Change]) -> Result<()> {
    let precedence = Precedence::new(config);
    for change in changes {
        let Change::Profile { name, .. } = change else { continue };
        let block = precedence.profile(name);
        if let Some(what) = block.and_then(|block| other_source(&precedence, block, change)) {
            let what = format!("{what} (--keep-other-keys writes it anyway)");
            if let Some(hint) = block.and_then(resolve::migrate_hint) {
                return Err(Error::usage(what, hint));
            }
            let other = format!("{name}-sso");
            let hint = format!("daypass configure --profile {}", shell_quote(&other));
            return Err(Error::typo(what, name, &other, hint));
        }
    }
    Ok(())
}

/// The other credential source that some tool would use after this change, as a clause with the key, its file and line.
pub fn other_source(precedence: &Precedence<'_>, block: &Block<'_>, change: &Change) -> Option<String> {
    let Change::Profile { name, set, remove, .. } = change else { return None };
    let own: &[&str] = if set.iter().any(|(key, _)| key == "credential_process") {
        &["credential_process"]
    } else if set.iter().any(|(key, _)| key == "sso_session") {
        &SSO_KEYS
    } else {
        return None;
    };
    let path = precedence.config.path();
    let mut after = block.clone();
    after.values.retain(|value| value.file != path || !remove.contains(&value.key.to_string()));
    for (key, text) in set {
        match after.values.iter_mut().find(|value| value.key == *key) {
            // A key in the credentials file stays, and is stronger.
            Some(value) if value.file != path => {}
            Some(value) => value.text = Cow::Owned(text.clone()),
            None => {
                let value = Value { key: key.clone().into(), text: text.clone().into(), file: path, line: block.line };
                after.values.push(value);
            }
        }
    }
    if let Some(value) = precedence.stronger(&after, own) {
        let place = value.place();
        return Some(format!("profile \"{name}\" has {} ({place}), which AWS tools would use instead", value.key));
    }
    let replaced = remove.iter().any(|key| key == "credential_process");
    let process = block.get("credential_process").filter(|process| !replaced && helper::read(&process.text).is_none())?;
    Some(format!("profile \"{name}\" has a credential_process that calls another program ({})", process.place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "[profile a]\nk = 1\nregion = x\n\n[profile b]\nk = 2\n";

    fn change() -> Change {
        Change::Profile { name: "a".into(), set: vec![("region".into(), "y".into())], remove: vec!["gone".into()], mark: None }
    }

    /// The verdicts of both checks, and of the second alone, on this result.
    fn verdicts(new: &str) -> (bool, bool) {
        let (change, scopes) = (change(), String::new());
        let edits = [edit_of(&change, &scopes)];
        let before = Document::parse(OLD.as_bytes(), FileKind::Config);
        let second = second_reading(OLD, new, FileKind::Config, &before, &edits);
        (check(OLD, new, FileKind::Config, &before, &edits).is_ok(), second.is_ok())
    }

    #[test]
    fn a_right_result_passes_both_readings() {
        assert_eq!(verdicts("[profile a]\nk = 1\nregion = y\n\n[profile b]\nk = 2\n"), (true, true));
    }

    #[test]
    fn a_wrong_result_passes_neither_reading() {
        for wrong in [
            OLD,
            "[profile a]\nk = 1\nregion = z\n\n[profile b]\nk = 2\n",
            "[profile a]\nk = 9\nregion = y\n\n[profile b]\nk = 2\n",
            "[profile a]\nk = 1\nregion = y\n\n[profile b]\nk = 9\n",
            "[profile a]\nk = 1\nregion = y\n",
            "[profile a]\nk = 1\nregion = y\n\n[profile b]\nk = 2\nregion = y\n",
            "[profile a]\nk = 1\nregion = y\n\n[profile c]\nk = 2\n",
            "[profile a]\nk = 1\nregion = y\ngone = 1\n\n[profile b]\nk = 2\n",
            "[profile a]\nk = 1\nregion = y\n[profile b\nk = 2\n",
        ] {
            // Where nothing was set, the second reading finds the old value and accepts it.
            assert_eq!(verdicts(wrong), (false, wrong == OLD), "{wrong:?}");
        }
    }
}
