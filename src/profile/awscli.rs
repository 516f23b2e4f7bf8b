//! Finds the lines for which the AWS CLI rejects a whole file. Touches nothing.
//!
//! Follows botocore, which reads both files by Python's `configparser.RawConfigParser` with its default settings, and then splits values
//! that begin with an empty line itself. Its rules differ from those of the SDKs, so they are applied separately from [`super::ini`].

use std::borrow::Cow;
use std::collections::HashMap;

use super::ini::{Level, Warning};

/// The lines for which the AWS CLI rejects this file, in file order.
pub(super) fn rejections(text: &str) -> Vec<Warning> {
    let mut reader = Reader::default();
    let rest = text.strip_prefix('\u{feff}');
    if rest.is_some() {
        reader.reject(1, "the file starts with a byte order mark", "remove the first 3 bytes of the file");
    }
    for (number, line) in (1..).zip(rest.unwrap_or(text).split('\n')) {
        reader.number = number;
        // Python takes CR, LF and CRLF for the end of a line.
        line.strip_suffix('\r').unwrap_or(line).split('\r').for_each(|line| reader.line(line));
    }
    reader.rejections
}

#[derive(Default)]
struct Reader<'a> {
    number: usize,
    rejections: Vec<Warning>,
    /// The line of each section's header.
    sections: HashMap<&'a str, usize>,
    /// The number of the current section's name in `sections`; None before the first.
    section: Option<usize>,
    numbers: HashMap<&'a str, usize>,
    /// The line of each key, by section.
    keys: HashMap<(usize, Cow<'a, str>), usize>,
    /// The indent of the last line that was not a continuation, in characters.
    indent: usize,
    value: Value,
}

/// What a line with a larger indent continues.
#[derive(Default, PartialEq)]
enum Value {
    #[default]
    None,
    Text,
    /// The first line of the value is empty: each further line must be `KEY = VALUE`.
    Nested,
}

impl<'a> Reader<'a> {
    fn reject(&mut self, line: usize, what: impl Into<Cow<'static, str>>, fix: impl Into<Cow<'static, str>>) {
        self.rejections.push(Warning { line, what: what.into(), level: Level::Rejected, fix: fix.into() });
    }

    fn line(&mut self, line: &'a str) {
        let text = line.trim_matches(is_space);
        if text.is_empty() || text.starts_with(['#', ';']) {
            return;
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if self.section.is_some() && self.value != Value::None && indent > self.indent {
            let incomplete = |piece: &str| !piece.trim_matches(is_space).is_empty() && !piece.contains('=');
            if self.value == Value::Nested && text.split(is_line_break).any(incomplete) {
                self.reject(
                    self.number,
                    "below a key without a value each line must be KEY = VALUE",
                    "complete or remove the line",
                );
            }
            return;
        }
        self.indent = indent;
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')).map(|(name, _)| name)
            && !name.is_empty()
        {
            self.header(name);
        } else if self.section.is_none() {
            self.outside(text);
        } else {
            self.property(text);
        }
    }

    fn header(&mut self, name: &'a str) {
        self.value = Value::None;
        let next = self.numbers.len();
        self.section = Some(*self.numbers.entry(name).or_insert(next));
        if let Some(first) = self.sections.get(name) {
            let (what, fix) =
                (format!("[{name}] is already in line {first}"), format!("move its keys to line {first} and remove this line"));
            self.reject(self.number, what, fix);
        } else {
            self.sections.insert(name, self.number);
        }
    }

    fn outside(&mut self, text: &str) {
        if let Some((what, fix)) = damaged(text) {
            self.reject(self.number, what, fix);
        } else {
            self.reject(self.number, "a line before the first section", "move the line below a section's line, or remove it");
        }
    }

    fn property(&mut self, text: &'a str) {
        let Some(at) = text.find(['=', ':']) else {
            let (what, fix) = damaged(text).unwrap_or(("this line has no =", "write KEY = VALUE, or remove the line"));
            return self.reject(self.number, what, fix);
        };
        let (key, value) = text.split_at(at);
        let key = key.trim_end_matches(is_space);
        if key.is_empty() {
            self.value = Value::None;
            let (what, fix) =
                damaged(text).unwrap_or(("this line has no key before its =", "write KEY = VALUE, or remove the line"));
            return self.reject(self.number, what, fix);
        }
        let empty = value.get(1..).is_none_or(|value| value.trim_matches(is_space).is_empty());
        self.value = if empty { Value::Nested } else { Value::Text };
        let lower = if key.chars().any(char::is_uppercase) { Cow::Owned(key.to_lowercase()) } else { Cow::Borrowed(key) };
        if let Some(first) = self.keys.insert((self.section.unwrap_or_default(), lower), self.number) {
            self.reject(self.number, format!("{key} is already set in line {first}"), format!("remove this line or line {first}"));
        }
    }
}

/// A header without its `]`, or a mark of an unresolved merge.
fn damaged(text: &str) -> Option<(&'static str, &'static str)> {
    let merge = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| text.starts_with(mark));
    if merge {
        return Some(("a mark of an unresolved merge", "resolve the merge and remove its marks"));
    }
    if text.starts_with("[]") {
        return Some(("this section has no name", "name the section, or remove the line"));
    }
    text.starts_with('[').then_some(("a section's line must end with ]", "end the line with ]"))
}

/// Python's `str.isspace`.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Python's `str.splitlines`.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
