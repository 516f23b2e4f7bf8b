//! The list as a state machine: keys in, decisions out.

use std::collections::BTreeSet;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::text;

/// A key that the picker reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Named as on the keyboard.
pub enum Key {
    Char(char),
    Space,
    Tab,
    Enter,
    Escape,
    Interrupt,
    Backspace,
    /// Ctrl-W: erase the last word.
    EraseWord,
    /// Ctrl-U: erase the query.
    EraseLine,
    /// Ctrl-A: mark or unmark all rows that match.
    MarkAll,
    /// Ctrl with another letter, which may be an action of its own.
    Control(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The result of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// No decision yet.
    Open,
    /// The key, and the numbers of the chosen rows in their order; at least one.
    Chosen(Key, Vec<usize>),
    /// The user cancelled.
    Cancelled,
}

/// A list to choose from.
pub struct Picker {
    pub(super) title: String,
    pub(super) rows: Vec<Vec<String>>,
    /// The cells of each row in one line, for the search.
    texts: Vec<String>,
    pub(super) several: bool,
    /// The letters that choose with Ctrl, like Enter.
    letters: &'static [char],
    /// What the keys do, in one line, the longest first: the first that fits is shown.
    pub(super) help: &'static [&'static str],
    pub(super) query: String,
    /// The rows that match, best first.
    pub(super) found: Vec<usize>,
    /// The current row, as an index into `found`.
    pub(super) cursor: usize,
    /// The first row on the screen, as an index into `found`.
    pub(super) top: usize,
    /// How many rows fit on the screen, as of the last drawing.
    pub(super) page: usize,
    pub(super) marks: BTreeSet<usize>,
    matcher: Matcher,
}

impl Picker {
    /// A list of these rows. All have the same number of cells, except that a single cell spans all columns. `several`: more than one
    /// row may be chosen. Cells are cleaned.
    pub fn new(title: &str, rows: Vec<Vec<String>>, several: bool) -> Self {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| text::clean(cell).into_owned()).collect()).collect();
        Self {
            title: text::clean(title).into_owned(),
            texts: rows.iter().map(|row| row.join(" ")).collect(),
            found: (0..rows.len()).collect(),
            rows,
            several,
            letters: &[],
            help: if several {
                &[
                    "  Type to search (a comma between words), Space mark, Ctrl-A mark all, Enter select, Esc cancel",
                    "  Space mark, ^A all, comma new word, Enter select, Esc cancel",
                    "  Space mark, comma: word, Esc cancel",
                ]
            } else {
                &["  Type to search, Enter select, Esc cancel", "  Enter select, Esc cancel"]
            },
            query: String::new(),
            cursor: 0,
            top: 0,
            page: 1,
            marks: BTreeSet::new(),
            matcher: Matcher::new(Config::DEFAULT),
        }
    }

    /// Sets the row that is current at first.
    pub fn at(mut self, row: usize) -> Self {
        self.cursor = row.min(self.rows.len().saturating_sub(1));
        self
    }

    /// Marks rows.
    pub fn marking(mut self, rows: impl IntoIterator<Item = usize>) -> Self {
        self.marks.extend(rows);
        self
    }

    /// Sets the letters that choose with Ctrl, and the help lines for all keys, the longest first.
    pub fn acting(self, letters: &'static [char], help: &'static [&'static str]) -> Self {
        Self { letters, help, ..self }
    }

    /// Handles a key.
    pub fn press(&mut self, key: Key) -> Step {
        let last = self.found.len().saturating_sub(1);
        match key {
            Key::Backspace => self.edit(|query| {
                query.pop();
            }),
            Key::EraseLine => self.edit(String::clear),
            Key::EraseWord => self.edit(|query| {
                let kept = query.trim_end().rfind(' ').map_or(0, |at| at + 1);
                query.truncate(kept);
            }),
            // Where a space marks, a comma separates words. No name needs one: its parts match as well.
            Key::Char(',') => self.edit(|query| query.push(' ')),
            Key::Space if !self.several => self.edit(|query| query.push(' ')),
            Key::Char(c) => self.edit(|query| query.push(c)),
            Key::Space | Key::Tab => self.mark(),
            Key::MarkAll => self.mark_all(),
            Key::Up => self.cursor = self.cursor.checked_sub(1).unwrap_or(last),
            Key::Down => self.cursor = if self.cursor >= last { 0 } else { self.cursor + 1 },
            Key::PageUp => self.cursor = self.cursor.saturating_sub(self.page),
            Key::PageDown => self.cursor = (self.cursor + self.page).min(last),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = last,
            Key::Control(letter) if !self.letters.contains(&letter) => {}
            Key::Enter | Key::Control(_) if !self.marks.is_empty() => {
                return Step::Chosen(key, self.marks.iter().copied().collect());
            }
            Key::Enter | Key::Control(_) => {
                return self.found.get(self.cursor).map_or(Step::Open, |&row| Step::Chosen(key, vec![row]));
            }
            Key::Escape if !self.query.is_empty() => self.edit(String::clear),
            Key::Escape | Key::Interrupt => return Step::Cancelled,
        }
        Step::Open
    }

    fn edit(&mut self, change: impl FnOnce(&mut String)) {
        let before = self.query.trim().to_owned();
        change(&mut self.query);
        if self.query.trim() == before {
            return;
        }
        let pattern = Pattern::new(&self.query, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize)> = Vec::new();
        for (row, text) in self.texts.iter().enumerate() {
            buffer.clear();
            let score = pattern.score(Utf32Str::new(text, &mut buffer), &mut self.matcher);
            scored.extend(score.map(|score| (score, row)));
        }
        // Equal scores keep the order of the list.
        scored.sort_by_key(|&(score, row)| (std::cmp::Reverse(score), row));
        self.found = scored.into_iter().map(|(_, row)| row).collect();
        (self.cursor, self.top) = (0, 0);
    }

    fn mark(&mut self) {
        if let (true, Some(&row)) = (self.several, self.found.get(self.cursor))
            && !self.marks.remove(&row)
        {
            self.marks.insert(row);
        }
    }

    fn mark_all(&mut self) {
        if !self.several {
            return;
        }
        if self.found.iter().all(|row| self.marks.contains(row)) {
            self.marks.retain(|row| !self.found.contains(row));
        } else {
            self.marks.extend(&self.found);
        }
    }
}
