//! Parses the shared config and credentials files. Touches nothing.
//!
//! A [`Document`] contains no copy of the text, only the position of each section, key and value. An edit is a splice, so bytes outside
//! of it can't change. The rules are those that the AWS SDKs share. Where some tools reject the whole file for one bad line, or the AWS
//! CLI reads more than the others, parsing continues and a [`Warning`] names the line:
//!
//! - white space is space and tab; a line ends with LF or CRLF; a byte order mark at the start is skipped;
//! - `[default]`, `[profile NAME]`, `[sso-session NAME]` in the config file, `[NAME]` in the credentials file; a name in quotes
//!   (`[profile "a b"]`) is read as the AWS CLI writes it; any other section is [`Kind::Other`];
//! - `key = value`, keys in any case; `#` and `;` start a comment at the start of a line, on a section's line, and after white space
//!   on a key's line;
//! - a line further indented than its key continues the value; below an empty value such lines are `key = value` themselves;
//! - the last of duplicate keys counts; sections of the same name are merged; `[profile default]` replaces `[default]`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// The start of the comment line, inside the section, by which `daypass sync` recognises a profile that it wrote.
pub const MARK: &str = "# daypass sync:";

/// Which of the two files; their section names differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `~/.aws/config`
    Config,
    /// `~/.aws/credentials`
    Credentials,
}

/// The kind of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `[default]`, `[profile NAME]`, or any section of the credentials file.
    Profile,
    /// `[sso-session NAME]`
    Session,
    /// Any other: services, plugins, and names that can't be read. Its name is the text between the brackets.
    Other,
}

/// A line that could not be read, or that tools read differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, as a clause.
    pub what: Cow<'static, str>,
    /// How serious it is.
    pub level: Level,
    /// What to do, as an instruction; empty if `what` tells it.
    pub fix: Cow<'static, str>,
}

/// How serious a warning is, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The AWS CLI rejects the whole file.
    Rejected,
    /// The line probably does not mean what its author intended, or some SDKs reject the file.
    Misread,
    /// Only some tools read the line.
    Portability,
}

/// One section and its position. Two sections of the same name are two of these.
#[derive(Debug, Clone)]
pub struct Section<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its name, without quotes.
    pub name: Cow<'a, str>,
    /// The line of its header, counted from 1.
    pub line: usize,
    /// Whether it is `[profile default]`, which replaces `[default]`.
    prefixed_default: bool,
    /// The header's whole line, including its line end.
    pub header: Range<usize>,
    /// The whole line of the `daypass sync` mark, including its line end.
    pub mark: Option<Range<usize>>,
    /// The end of its last line that is neither blank nor a comment at column 0: another key can be added there.
    pub body_end: usize,
    entries: Range<usize>,
}

/// One key, its value and their position.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key as written.
    key: Range<usize>,
    /// The value on the key's line, without blanks and comment.
    pub value: Range<usize>,
    /// The comment on the key's line, from its `#` or `;`.
    pub comment: Option<Range<usize>>,
    /// From the start of the key's line to the end of its last continuation line, including the line end.
    pub span: Range<usize>,
    /// The end of `span` without the line end.
    pub text_end: usize,
    /// The line of the key, counted from 1.
    pub line: usize,
    continued: bool,
}

/// Sections of the same kind and name, merged.
#[derive(Debug)]
pub struct Group<'d, 'a> {
    /// The sections in file order; at least one.
    pub sections: Vec<&'d Section<'a>>,
}

/// A file's text and the positions of its parts.
pub struct Document<'a> {
    text: &'a [u8],
    sections: Vec<Section<'a>>,
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
}

impl<'a> Document<'a> {
    /// Parses a whole file. Accepts any bytes.
    pub fn parse(text: &'a [u8], file: FileKind) -> Self {
        Parser::new(text, file, None).run()
    }

    /// Parses only the sections of this kind and name, in one pass and without warnings.
    pub fn find(text: &'a [u8], file: FileKind, kind: Kind, name: &str) -> Self {
        Parser::new(text, file, Some((kind, Some(name)))).run()
    }

    /// Parses only the sections of this kind, in one pass and without warnings.
    pub fn of_kind(text: &'a [u8], file: FileKind, kind: Kind) -> Self {
        Parser::new(text, file, Some((kind, None))).run()
    }

    /// The sections in file order.
    pub fn sections(&self) -> &[Section<'a>] {
        &self.sections
    }

    /// The keys of one section in file order.
    pub fn entries(&self, section: &Section<'a>) -> &[Entry] {
        self.entries.get(section.entries.clone()).unwrap_or_default()
    }

    /// The key in lower case, as all tools but one compare it.
    pub fn key(&self, entry: &Entry) -> Cow<'a, str> {
        let key = self.slice(&entry.key);
        if key.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(key.to_ascii_lowercase()) } else { key }
    }

    /// Whether this is the entry's key, ignoring case.
    pub fn is_key(&self, entry: &Entry, key: &str) -> bool {
        bytes(self.text, &entry.key).eq_ignore_ascii_case(key.as_bytes())
    }

    /// The value. Each continuation line follows after a line break, without its outer blanks. Invalid UTF-8 is replaced.
    pub fn value(&self, entry: &Entry) -> Cow<'a, str> {
        let first = self.slice(&entry.value);
        if !entry.continued {
            return first;
        }
        let nested = first.is_empty();
        let mut value = first.into_owned();
        for line in lines(self.text, entry.span.clone()).skip(1) {
            let line = bytes(self.text, &line.text);
            let more = trim(line);
            let comment = line.first().is_none_or(|b| is_comment(*b));
            if !comment && !more.is_empty() && (!nested || is_nested_property(more)) {
                value.push('\n');
                value.push_str(&String::from_utf8_lossy(more));
            }
        }
        Cow::Owned(value)
    }

    /// The comment lines between the lines of one value, including their line ends.
    pub fn comments_within(&self, entry: &Entry) -> Vec<Range<usize>> {
        let comment = |line: &Line| bytes(self.text, &line.text).first().is_some_and(|b| is_comment(*b));
        lines(self.text, entry.span.clone()).skip(1).filter(comment).map(|line| line.text.start..line.next).collect()
    }

    /// The text after [`MARK`].
    pub fn mark(&self, section: &Section<'a>) -> Option<Cow<'a, str>> {
        let line = bytes(self.text, section.mark.as_ref()?).trim_ascii();
        Some(String::from_utf8_lossy(trim(line.strip_prefix(MARK.as_bytes())?)))
    }

    /// Sections merged by name, in the order of their first; `[default]` only if there is no `[profile default]`.
    pub fn groups(&self) -> Vec<Group<'_, 'a>> {
        let replaced = self.sections.iter().any(|section| section.prefixed_default);
        let mut groups: Vec<Group<'_, 'a>> = Vec::with_capacity(self.sections.len());
        let mut known: HashMap<(Kind, &str), usize> = HashMap::with_capacity(self.sections.len());
        for section in &self.sections {
            if replaced && section.is_default() && !section.prefixed_default {
                continue;
            }
            let at = *known.entry((section.kind, &section.name)).or_insert(groups.len());
            match groups.get_mut(at) {
                Some(group) => group.sections.push(section),
                None => groups.push(Group { sections: vec![section] }),
            }
        }
        groups
    }

    /// The line of a `[default]` that is ignored because there is a `[profile default]`.
    pub fn replaced_default(&self) -> Option<usize> {
        let replaced = self.sections.iter().any(|section| section.prefixed_default);
        self.sections
            .iter()
            .find(|section| replaced && section.is_default() && !section.prefixed_default)
            .map(|section| section.line)
    }

    /// The lines that could not be read or that tools read differently, in file order.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.warnings.clone();
        let mut seen: HashMap<(Kind, &str), usize> = HashMap::with_capacity(self.sections.len());
        let replaced = self.sections.iter().any(|section| section.prefixed_default);
        let mut keys = Vec::new();
        for section in &self.sections {
            if replaced && section.is_default() && !section.prefixed_default {
                warnings.push(Warning::new(
                    Level::Misread,
                    section.line,
                    "[default] is ignored because there is a [profile default]",
                ));
            } else if let Some(first) = seen.insert((section.kind, &section.name), section.line) {
                let what = format!("this section is already in line {first}: most tools merge the two, the AWS CLI reads the last");
                warnings.push(Warning::new(Level::Misread, section.line, what));
            }
            keys.clear();
            keys.extend(self.entries(section).iter().map(|entry| (self.key(entry), entry.line)));
            keys.sort();
            for pair in keys.windows(2) {
                if let [(key, first), (again, line)] = pair
                    && key == again
                {
                    warnings.push(Warning::new(
                        Level::Misread,
                        *line,
                        format!("{key} is already set in line {first}: the last one counts"),
                    ));
                }
            }
        }
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }

    fn slice(&self, range: &Range<usize>) -> Cow<'a, str> {
        String::from_utf8_lossy(bytes(self.text, range))
    }
}

impl Warning {
    fn new(level: Level, line: usize, what: impl Into<Cow<'static, str>>) -> Self {
        Self { line, what: what.into(), level, fix: Cow::Borrowed("") }
    }
}

impl Section<'_> {
    /// Whether it is the profile `default`, in either form.
    pub fn is_default(&self) -> bool {
        self.kind == Kind::Profile && self.name == "default"
    }
}

impl<'d, 'a> Group<'d, 'a> {
    /// The first section: all have its kind and name.
    pub fn first(&self) -> Option<&'d Section<'a>> {
        self.sections.first().copied()
    }
}

/// Whether all tools accept this as a section's name or a key without quotes: letters, digits and `_-/.%@:+`.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte)
}

/// Classifies the text between a header's brackets: kind, name, whether it is `[profile default]`, and a warning.
pub fn classify(inner: &[u8], file: FileKind) -> (Kind, Cow<'_, str>, bool, Option<&'static str>) {
    let inner = trim(inner);
    let other = |warning| (Kind::Other, String::from_utf8_lossy(inner), false, warning);
    let blank = inner.iter().position(|b| is_blank(*b));
    let (first, rest) =
        blank.and_then(|at| inner.split_at_checked(at)).map_or((inner, None), |(first, rest)| (first, Some(trim(rest))));
    let known = matches!(first, b"profile" | b"sso-session" | b"services");
    match (file, first, rest) {
        (_, b"", _) => other(Some("this section has no name")),
        (FileKind::Config, b"default", None) => (Kind::Profile, Cow::Borrowed("default"), false, None),
        (FileKind::Config, b"profile" | b"sso-session", Some(rest)) => match name(rest) {
            Ok((name, warning)) => {
                let kind = if first == b"profile" { Kind::Profile } else { Kind::Session };
                let prefixed_default = kind == Kind::Profile && name == "default";
                (kind, name, prefixed_default, warning)
            }
            Err(warning) => other(Some(warning)),
        },
        (FileKind::Config, b"plugins" | b"preview", None) | (FileKind::Config, b"services", Some(_)) => other(None),
        (FileKind::Config, _, Some(_)) => other(is_near_prefix(first).then_some(NEAR_PREFIX)),
        (FileKind::Config, _, None) => other(Some("in this file a profile's section is [profile NAME]; this one is ignored")),
        (FileKind::Credentials, _, Some(_)) if known => {
            other(Some("in this file a profile's section is [NAME]; this one is ignored"))
        }
        // The AWS CLI writes a name with blanks here as it is.
        (FileKind::Credentials, _, _) => match std::str::from_utf8(inner) {
            Ok(name) if !name.contains(['[', ']']) && !name.contains(char::is_control) => {
                let warning = (!is_plain_name(name)).then_some(ONLY_CLI);
                (Kind::Profile, Cow::Borrowed(name), false, warning)
            }
            _ => other(Some(BAD_NAME)),
        },
    }
}

const NEAR_PREFIX: &str = "only [profile NAME], [sso-session NAME] and [services NAME] have a meaning; this section is ignored";
const ONLY_CLI: &str = "only some tools read a section of this name; others accept letters, digits and _-./@:+% without quotes";
const BAD_NAME: &str = "this section's name can't be read; the section is ignored";

/// Whether this is probably a mistyped `profile` or `sso-session`.
fn is_near_prefix(word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word).to_lowercase();
    ["profile", "profiles", "sso-session", "sso_session", "session"]
        .iter()
        .any(|known| strsim::damerau_levenshtein(&word, known) <= 1)
}

/// A name after `profile` or `sso-session`: plain or quoted.
fn name(rest: &[u8]) -> Result<(Cow<'_, str>, Option<&'static str>), &'static str> {
    let rest = std::str::from_utf8(rest).map_err(|_| BAD_NAME)?;
    if is_plain_name(rest) {
        return Ok((Cow::Borrowed(rest), None));
    }
    if rest.contains(['[', ']']) || rest.contains(char::is_control) {
        return Err(BAD_NAME);
    }
    if rest.contains(['"', '\'']) {
        return match shlex::split(rest).as_deref() {
            Some([name]) if !name.is_empty() => Ok((Cow::Owned(name.clone()), Some(ONLY_CLI))),
            _ => Err(BAD_NAME),
        };
    }
    if rest.contains([' ', '\t']) {
        return Err("a name with blanks must be quoted; this section is ignored");
    }
    Ok((Cow::Borrowed(rest), Some(ONLY_CLI)))
}

/// One line of the text, with and without its line end.
#[derive(Debug, Clone)]
pub struct Line {
    /// Without its line end.
    pub text: Range<usize>,
    /// Where the next one starts.
    pub next: usize,
}

/// The lines within a range. Together they cover the whole range.
pub fn lines(text: &[u8], within: Range<usize>) -> impl Iterator<Item = Line> + '_ {
    let mut start = within.start;
    std::iter::from_fn(move || {
        let rest = text.get(start..within.end).filter(|rest| !rest.is_empty())?;
        let (length, end) = match memchr::memchr(b'\n', rest) {
            Some(at) => (at - usize::from(rest.get(..at).is_some_and(|line| line.ends_with(b"\r"))), at + 1),
            None => (rest.len(), rest.len()),
        };
        let line = Line { text: start..start + length, next: start + end };
        start = line.next;
        Some(line)
    })
}

struct Parser<'a, 'w> {
    document: Document<'a>,
    file: FileKind,
    /// The kind of the sections that are read, and their name; None reads all.
    only: Option<(Kind, Option<&'w str>)>,
    position: Position,
    open: Open,
}

/// Each `[` that begins a line's text, and the number of blanks before it. After blanks, whether it is a header depends on the lines
/// before it, so none of them may be skipped.
pub(super) fn brackets(text: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    memchr::memchr_iter(b'[', text).filter_map(|at| {
        let before = bytes(text, &(0..at));
        let blanks = before.iter().rev().take_while(|b| is_blank(**b)).count();
        let begins = before.len().checked_sub(blanks + 1).is_none_or(|at| before.get(at) == Some(&b'\n'));
        begins.then_some((at, blanks))
    })
}

/// Where the next key belongs.
#[derive(Clone, Copy, PartialEq)]
enum Position {
    /// No section yet.
    Start,
    /// To the last section.
    Section,
    /// To no section: after a header that can't be read, or in a section that was not requested.
    Nowhere,
}

/// What a line with a larger indent continues.
#[derive(Clone, Copy)]
enum Open {
    /// Nothing, right after a header.
    Nothing,
    /// A rejected line of this indent: its continuation lines are rejected too.
    Refused(usize),
    /// The last entry, of this indent.
    Entry(usize),
}

impl<'a, 'w> Parser<'a, 'w> {
    fn new(text: &'a [u8], file: FileKind, only: Option<(Kind, Option<&'w str>)>) -> Self {
        let document = Document { text, sections: Vec::new(), entries: Vec::new(), warnings: Vec::new() };
        Self { document, file, only, position: Position::Start, open: Open::Nothing }
    }

    fn run(mut self) -> Document<'a> {
        let text = self.document.text;
        let start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        if start > 0 {
            self.warn(1, "the file starts with a byte order mark: most AWS tools reject such a file");
        }
        let jumps = self.only.is_some() && brackets(text).all(|(_, blanks)| blanks == 0);
        let (mut at, mut number) = (start, 1);
        loop {
            // A file that was read in parts has thousands of empty lines.
            let empty = bytes(text, &(at..text.len())).iter().take_while(|byte| **byte == b'\n').count();
            (at, number) = (at + empty, number + empty);
            let Some(line) = lines(text, at..text.len()).next() else { break };
            self.line(&line, number);
            (at, number) = (line.next, number + 1);
            if jumps && self.position != Position::Section {
                let rest = bytes(text, &(at..text.len()));
                let header =
                    if rest.starts_with(b"[") { Some(0) } else { memchr::memmem::find(rest, b"\n[").map(|found| found + 1) };
                let skipped = bytes(rest, &(0..header.unwrap_or(rest.len())));
                (at, number) = (at + skipped.len(), number + memchr::memchr_iter(b'\n', skipped).count());
            }
        }
        self.document
    }

    fn warn(&mut self, line: usize, what: impl Into<Cow<'static, str>>) {
        self.warn_at(Level::Misread, line, what);
    }

    fn warn_at(&mut self, level: Level, line: usize, what: impl Into<Cow<'static, str>>) {
        // A search for one section does not check the rest.
        if self.only.is_none() {
            self.document.warnings.push(Warning::new(level, line, what));
        }
    }

    fn line(&mut self, line: &Line, number: usize) {
        let whole = bytes(self.document.text, &line.text);
        let indent = whole.iter().take_while(|b| is_blank(**b)).count();
        let Some(first) = whole.get(indent) else { return };
        let comment = is_comment(*first);
        if comment && indent == 0 {
            self.mark(line);
            return;
        }
        if *first != b'[' || matches!(self.open, Open::Entry(key) | Open::Refused(key) if indent > key) {
            self.extend_body(line.next);
        }
        match self.open {
            Open::Entry(key) if indent > key => return self.continuation(line, number),
            Open::Refused(key) if indent > key => return,
            _ => {}
        }
        if *first == b'[' {
            if indent > 0 {
                self.warn(number, "the section's line is indented: some AWS tools reject such a file");
            }
            self.header(line, number);
        } else if comment {
            self.warn(number, "an indented comment here makes some AWS tools reject the file");
        } else {
            if indent > 0 && matches!(self.open, Open::Nothing) && self.position == Position::Section {
                self.warn(number, "the section's first key is indented: some AWS tools reject such a file");
            }
            self.property(line, indent, number);
        }
    }

    fn extend_body(&mut self, end: usize) {
        if self.position == Position::Section
            && let Some(section) = self.document.sections.last_mut()
        {
            section.body_end = end;
        }
    }

    fn mark(&mut self, line: &Line) {
        if self.position == Position::Section
            && bytes(self.document.text, &line.text).starts_with(MARK.as_bytes())
            && let Some(section) = self.document.sections.last_mut()
        {
            section.mark.get_or_insert(line.text.start..line.next);
            section.body_end = line.next;
        }
    }

    fn header(&mut self, line: &Line, number: usize) {
        self.open = Open::Nothing;
        self.position = Position::Nowhere;
        let whole = trim(bytes(self.document.text, &line.text));
        if let Some(blank) = odd_blank(whole) {
            self.warn(number, format!("{blank} in a section's line: not all tools read this section"));
        }
        let uncommented = whole.iter().position(|b| is_comment(*b)).and_then(|at| whole.get(..at)).unwrap_or(whole);
        let Some(inner) = trim(uncommented).strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) else {
            self.warn(number, "a section's line must end with ]; the keys below it are ignored");
            return;
        };
        let (kind, name, prefixed_default, warning) = classify(inner, self.file);
        if self.only.is_some_and(|(wanted, called)| wanted != kind || called.is_some_and(|called| called != name)) {
            return;
        }
        if let Some(warning) = warning {
            self.warn_at(if warning == ONLY_CLI { Level::Portability } else { Level::Misread }, number, warning);
        }
        self.position = Position::Section;
        let entries = self.document.entries.len()..self.document.entries.len();
        let header = line.text.start..line.next;
        let body_end = line.next;
        self.document.sections.push(Section { kind, name, line: number, prefixed_default, header, mark: None, body_end, entries });
    }

    fn property(&mut self, line: &Line, indent: usize, number: usize) {
        self.open = Open::Refused(indent);
        match self.position {
            Position::Section => {}
            Position::Start => return self.warn(number, "a key before the first section is ignored"),
            Position::Nowhere => return,
        }
        let text = self.document.text;
        let start = line.text.start + indent;
        let whole = bytes(text, &(start..line.text.end));
        let comment = comment_start(whole);
        let uncommented = comment.and_then(|at| whole.get(..at)).unwrap_or(whole);
        let Some(equals) = memchr::memchr(b'=', uncommented) else {
            if let Some(blank) = odd_blank(whole) {
                return self.warn(number, format!("{blank} makes this line unreadable for most tools"));
            }
            return self.warn(number, "this line has no = and is ignored; some AWS tools reject such a file");
        };
        let key = trimmed(text, start..start + equals);
        if key.is_empty() {
            return self.warn(number, "this line has no key before its = and is ignored; some AWS tools reject such a file");
        }
        if !bytes(text, &key).iter().all(|b| is_name_byte(*b)) {
            return match odd_blank(bytes(text, &key)) {
                Some(blank) => self.warn(number, format!("{blank} in the key; most tools ignore this line")),
                None => self.warn(number, "a key consists of letters, digits and _-./@:+%; this line is ignored"),
            };
        }
        let value = bytes(text, &trimmed(text, start + equals + 1..start + uncommented.len()));
        if let Some(blank) = odd_blank_around(value) {
            self.warn(
                number,
                format!("{blank} at the value's start or end: the AWS CLI drops it, other tools take it as part of the value"),
            );
        }
        if let Some(at) = comment {
            let comment = String::from_utf8_lossy(bytes(text, &(start + at..line.text.end))).into_owned();
            self.warn(
                number,
                format!("the AWS CLI takes \"{comment}\" as part of the value; move the comment to a line of its own"),
            );
        }
        self.open = Open::Entry(indent);
        self.document.entries.push(Entry {
            key,
            value: trimmed(text, start + equals + 1..start + uncommented.len()),
            comment: comment.map(|at| trimmed(text, start + at..line.text.end)),
            span: line.text.start..line.next,
            text_end: line.text.end,
            line: number,
            continued: false,
        });
        let end = self.document.entries.len();
        if let Some(section) = self.document.sections.last_mut() {
            section.entries.end = end;
        }
    }

    fn continuation(&mut self, line: &Line, number: usize) {
        let more = trim(bytes(self.document.text, &line.text));
        let Some(entry) = self.document.entries.last_mut() else { return };
        entry.span.end = line.next;
        entry.text_end = line.text.end;
        entry.continued = true;
        let nested = entry.value.is_empty();
        match more.first() {
            _ if nested && !is_nested_property(more) => {
                self.warn(number, "below a key without a value each line must be KEY = VALUE; some AWS tools reject such a file");
            }
            Some(first) if !nested && is_comment(*first) => {
                self.warn(number, "an indented comment below a key is part of its value for some AWS tools");
            }
            Some(b'[') if !nested => self.warn(number, "an indented section line is part of the value above it"),
            _ => {}
        }
    }
}

/// Whether all tools accept this line below an empty value.
fn is_nested_property(line: &[u8]) -> bool {
    let line = comment_start(line).and_then(|at| line.get(..at)).unwrap_or(line);
    !line.first().is_none_or(|b| is_comment(*b)) && memchr::memchr(b'=', line).is_some_and(|at| at > 0)
}

/// The start of a comment on a key's line: a `#` or `;` after a blank.
fn comment_start(line: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'#', b';', line)
        .find(|at| at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(|b| is_blank(*b)))
}

/// Names the first character that looks like a blank, or like nothing, and is neither space nor tab.
fn odd_blank(text: &[u8]) -> Option<String> {
    if text.iter().all(|byte| byte.is_ascii_graphic() || is_blank(*byte)) {
        return None;
    }
    String::from_utf8_lossy(text).chars().find(|c| is_odd_blank(*c)).map(name_of_blank)
}

/// The same for the first and the last character.
fn odd_blank_around(text: &[u8]) -> Option<String> {
    if text.first().is_none_or(u8::is_ascii_graphic) && text.last().is_none_or(u8::is_ascii_graphic) {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    text.chars().next().into_iter().chain(text.chars().next_back()).find(|c| is_odd_blank(*c)).map(name_of_blank)
}

fn is_odd_blank(c: char) -> bool {
    let invisible =
        matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{180e}' | '\u{1c}'..='\u{1f}');
    invisible || c.is_whitespace() && !matches!(c, ' ' | '\t')
}

fn name_of_blank(c: char) -> String {
    let name = match c {
        '\u{a0}' | '\u{202f}' => "a no-break space",
        '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' => "an invisible character",
        c if c.is_control() => "a control character",
        _ => "a Unicode blank",
    };
    format!("{name} (U+{:04X})", u32::from(c))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_comment(byte: u8) -> bool {
    matches!(byte, b'#' | b';')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-/.%@:+".contains(&byte)
}

fn bytes<'a>(text: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    text.get(range.clone()).unwrap_or_default()
}

fn trim(text: &[u8]) -> &[u8] {
    bytes(text, &trimmed(text, 0..text.len()))
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let slice = bytes(text, &range);
    let front = slice.iter().take_while(|b| is_blank(**b)).count();
    let back = slice.iter().skip(front).rev().take_while(|b| is_blank(**b)).count();
    range.start + front..range.end - back
}
