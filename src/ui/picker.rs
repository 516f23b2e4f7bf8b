//! A list to choose from, narrowed by typing. [`Picker`] is the list as a state machine: keys in, lines of a screen out; it touches
//! nothing. [`pick`] shows it on the terminal, and puts the terminal right again on every way out.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::{cursor, queue, terminal as screen};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal;
use crate::error::{Error, Exit, Result};
use crate::sys::{clock, signal};
use crate::text;

/// Between two columns.
const GAP: usize = 2;

/// What a column needs to be of use, if its cells are that wide.
const NARROWEST: usize = 10;

/// A key, as far as it means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // They are called as they are printed on the keyboard.
pub enum Key {
    Char(char),
    Space,
    Tab,
    Enter,
    Escape,
    Interrupt,
    Backspace,
    /// Ctrl-W: the last word goes.
    EraseWord,
    /// Ctrl-U: the query goes.
    EraseLine,
    /// Ctrl-A: all that is shown is marked, or unmarked.
    MarkAll,
    /// Ctrl with another letter: it may choose in a way of its own.
    Control(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// What a key has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is decided yet.
    Open,
    /// By this key these rows, by their numbers, in their order; at least one.
    Chosen(Key, Vec<usize>),
    /// The person wants none.
    Left,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As text.
    Plain,
    /// The row that the keys move.
    Current,
    /// Less important.
    Faint,
}

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub struct TerminalCapabilities {
    /// Colours and other renditions.
    pub colour: bool,
    /// Letters outside ASCII.
    pub utf8: bool,
}

/// The list.
pub struct Picker {
    title: String,
    rows: Vec<Vec<String>>,
    /// A row's cells in one line: what is searched.
    texts: Vec<String>,
    several: bool,
    /// The letters that choose with Ctrl, as Enter does alone.
    letters: &'static [char],
    /// What the keys do, in one line, the longest first: the first that fits is shown.
    help: &'static [&'static str],
    query: String,
    /// Rows that match, the best first.
    found: Vec<usize>,
    /// The current one, as an index into `found`.
    cursor: usize,
    /// The first that is shown, as an index into `found`.
    top: usize,
    /// How many fit; at the last capabilities at the screen.
    page: usize,
    marks: BTreeSet<usize>,
    /// Whether the last key was one of the query: a space then parts words, else it marks.
    typing: bool,
    matcher: Matcher,
}

impl Picker {
    /// A list of these rows, each of the same number of cells; a row of one goes over all columns. `several`: more than one may be
    /// chosen. Cells are cleaned.
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
                    "  type to search, Enter takes, Space or Tab marks several, Ctrl-A all, Esc leaves",
                    "  Enter takes, Space marks, Esc leaves",
                ]
            } else {
                &["  type to search, Enter takes, Esc leaves", "  Enter takes, Esc leaves"]
            },
            query: String::new(),
            cursor: 0,
            top: 0,
            page: 1,
            marks: BTreeSet::new(),
            typing: false,
            matcher: Matcher::new(Config::DEFAULT),
        }
    }

    /// The row at which the list opens.
    pub fn at(mut self, row: usize) -> Self {
        self.cursor = row.min(self.rows.len().saturating_sub(1));
        self
    }

    /// These letters choose too, with Ctrl; what all keys do is said by the help, the longest line first.
    pub fn acting(self, letters: &'static [char], help: &'static [&'static str]) -> Self {
        Self { letters, help, ..self }
    }

    /// Does what a key means.
    pub fn press(&mut self, key: Key) -> Step {
        let last = self.found.len().saturating_sub(1);
        let typing = std::mem::replace(&mut self.typing, false);
        match key {
            Key::Char(c) => self.edit(|query| query.push(c)),
            Key::Backspace => self.edit(|query| {
                query.pop();
            }),
            Key::EraseLine => self.edit(String::clear),
            Key::EraseWord => self.edit(|query| {
                let kept = query.trim_end().rfind(' ').map_or(0, |at| at + 1);
                query.truncate(kept);
            }),
            // Words are parted by one blank, so a second one marks, as does one with nothing typed or after an arrow key.
            Key::Space if !self.several || typing && !self.query.is_empty() && !self.query.ends_with(' ') => {
                self.edit(|query| query.push(' '));
            }
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
            Key::Escape | Key::Interrupt => return Step::Left,
        }
        Step::Open
    }

    fn edit(&mut self, change: impl FnOnce(&mut String)) {
        let before = self.query.trim().to_owned();
        change(&mut self.query);
        self.typing = true;
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
        // Of equal ones the order of the list holds.
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

    /// The screen, line by line, none wider than `columns`; and in which column of the second line the query ends.
    pub fn screen(&mut self, columns: usize, lines: usize, capabilities: TerminalCapabilities) -> (Vec<(Style, String)>, usize) {
        self.page = lines.saturating_sub(4).max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(self.page));
        let widths = self.widths(columns.saturating_sub(if self.several { 5 } else { 3 }));
        // Of a long query its end is shown: that is where it grows.
        let prompt = "> ";
        let room = columns.saturating_sub(prompt.len() + 1);
        let hidden = self.query.width().saturating_sub(room);
        let shown: String = self.query.chars().skip(hidden).collect();
        let end = prompt.len() + shown.width();
        let mut screen = vec![(Style::Plain, self.title.clone()), (Style::Plain, [prompt, &shown].concat())];
        for (at, &row) in self.found.iter().enumerate().skip(self.top).take(self.page) {
            let current = at == self.cursor;
            let mut line = String::from(if current { "> " } else { "  " });
            if self.several {
                line.push_str(if self.marks.contains(&row) { "* " } else { "  " });
            }
            let cells = self.rows.get(row).map(Vec::as_slice).unwrap_or_default();
            if let [text] = cells {
                line.push_str(&fit(text, text.width(), capabilities));
            } else {
                for (cell, &width) in cells.iter().zip(&widths) {
                    line.push_str(&fit(cell, width, capabilities));
                    line.push_str(&" ".repeat(GAP));
                }
            }
            screen.push((if current { Style::Current } else { Style::Plain }, line.trim_end().to_owned()));
        }
        if self.found.is_empty() {
            screen.push((Style::Faint, "  nothing matches".to_owned()));
        }
        let marked = if self.marks.is_empty() { String::new() } else { format!(", {} marked", self.marks.len()) };
        screen.push((Style::Faint, format!("  {} of {}{marked}", self.found.len(), self.rows.len())));
        let keys = self.help.iter().find(|keys| keys.len() < columns).or(self.help.last());
        screen.push((Style::Faint, keys.copied().unwrap_or_default().to_owned()));
        for (_, line) in &mut screen {
            fit(line, columns.saturating_sub(1), capabilities).trim_end().clone_into(line);
        }
        screen.truncate(lines);
        (screen, end)
    }

    /// Each column as wide as its widest cell; where that is too much, the widest give way, and then the last columns are not shown.
    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in self.rows.iter().filter(|row| row.len() > 1) {
            widths.resize(row.len(), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let room_for = |widths: &[usize]| room.saturating_sub(GAP * widths.len().saturating_sub(1));
        while widths.len() > 1 && widths.iter().map(|&width| width.min(NARROWEST)).sum::<usize>() > room_for(&widths) {
            widths.pop();
        }
        while widths.iter().sum::<usize>() > room_for(&widths) {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// The text in so many columns: filled with blanks, or cut with a mark that something is missing.
fn fit(text: &str, columns: usize, capabilities: TerminalCapabilities) -> String {
    let mut fitted = String::with_capacity(columns);
    let mut used = 0;
    let whole: bool = text.width() <= columns;
    let room = if whole { columns } else { columns.saturating_sub(1) };
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        // A terminal without UTF-8 would show each byte.
        if capabilities.utf8 || c.is_ascii() {
            fitted.push(c);
        } else {
            fitted.extend(std::iter::repeat_n('?', width));
        }
        used += width;
    }
    if !whole && columns > 0 {
        fitted.push(if capabilities.utf8 { '…' } else { '~' });
        used += 1;
    }
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    fitted
}

/// Shows the list and waits until something is chosen: the key, and the rows by their numbers, at least one. None where the person
/// leaves.
///
/// # Errors
/// A terminal that fails; a list with nothing in it.
pub fn pick(mut picker: Picker, capabilities: TerminalCapabilities) -> Result<Option<(Key, Vec<usize>)>> {
    if picker.rows.is_empty() {
        return Err(Error::failed("there is nothing to choose from", "daypass list"));
    }
    let failed = |error: io::Error| Error::failed(format!("the terminal fails: {error}"), "daypass --help");
    let _raw = Raw::enter().map_err(failed)?;
    let mut stale = true;
    loop {
        if stale {
            draw(&mut picker, capabilities).map_err(failed)?;
        }
        stale = false;
        if signal::waits() {
            return Ok(None);
        }
        if !event::poll(SIGNALS_SEEN_AFTER).map_err(failed)? {
            continue;
        }
        stale = true;
        let Some(key) = key_of(&event::read().map_err(failed)?) else { continue };
        #[cfg(unix)]
        if key == Key::Control('z') {
            put_right();
            signal::stop();
            put_up().map_err(failed)?;
            continue;
        }
        match picker.press(key) {
            Step::Open => {}
            Step::Chosen(key, rows) => return Ok(Some((key, rows))),
            Step::Left => return Ok(None),
        }
    }
}

/// How long a signal may go unseen.
const SIGNALS_SEEN_AFTER: Duration = Duration::from_millis(100);

fn key_of(event: &Event) -> Option<Key> {
    let Event::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Char('p' | 'k') if control => Key::Up,
        KeyCode::Char('n' | 'j') if control => Key::Down,
        KeyCode::Char('a') if control => Key::MarkAll,
        KeyCode::Char('u') if control => Key::EraseLine,
        KeyCode::Char('w') if control => Key::EraseWord,
        KeyCode::Char('h') if control => Key::Backspace,
        KeyCode::Char(c) if control => Key::Control(c),
        KeyCode::Char(' ') => Key::Space,
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::ALT) => Key::Char(c),
        KeyCode::Tab => Key::Tab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

fn draw(picker: &mut Picker, capabilities: TerminalCapabilities) -> io::Result<()> {
    // A terminal that does not know its size says 0.
    let (columns, lines) = screen::size().ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or((80, 24));
    let (text, end) = picker.screen(columns.into(), lines.into(), capabilities);
    let mut out = Vec::new();
    queue!(out, cursor::MoveTo(0, 0))?;
    for (at, (style, line)) in text.iter().enumerate() {
        if at > 0 {
            out.extend(b"\r\n");
        }
        let (before, after) = match style {
            _ if !capabilities.colour => ("", ""),
            Style::Plain => ("", ""),
            // Legible whatever the colours are.
            Style::Current => ("\x1b[7m", "\x1b[0m"),
            Style::Faint => ("\x1b[2m", "\x1b[0m"),
        };
        out.extend([before, line, after].concat().bytes());
        queue!(out, screen::Clear(screen::ClearType::UntilNewLine))?;
    }
    queue!(out, screen::Clear(screen::ClearType::FromCursorDown))?;
    queue!(out, cursor::MoveTo(u16::try_from(end).unwrap_or(u16::MAX).min(columns - 1), 1))?;
    let mut err = io::stderr().lock();
    err.write_all(&out)?;
    err.flush()
}

/// Ends the program where the list does not come to its end although it should: crossterm never returns from a terminal that was closed,
/// and takes all of a processor.
#[allow(clippy::disallowed_methods)] // Nobody else is left to end it where the signal that tells of the closing is ignored.
fn watch(over: &AtomicBool) {
    let mut overdue = 0;
    while !over.load(Ordering::SeqCst) {
        clock::sleep(SIGNALS_SEEN_AFTER);
        overdue = if signal::waits() || terminal::is_gone() { overdue + 1 } else { 0 };
        if overdue > 3 {
            put_right();
            signal::obey();
            std::process::exit(Exit::Interrupted as i32);
        }
    }
}

/// The terminal in raw mode, on its second screen. It is put right when this is dropped, by a panic, and before a signal ends the program.
struct Raw {
    over: Arc<AtomicBool>,
    // Let go after the terminal was put right.
    _hold: signal::Hold,
}

static HOOK: std::sync::Once = std::sync::Once::new();

impl Raw {
    fn enter() -> io::Result<Self> {
        let raw = Self { over: Arc::default(), _hold: signal::hold() };
        let over = Arc::clone(&raw.over);
        thread::spawn(move || watch(&over));
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                put_right();
                before(panic);
            }));
        });
        put_up()?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        put_right();
    }
}

fn put_up() -> io::Result<()> {
    screen::enable_raw_mode()?;
    let mut err = io::stderr().lock();
    queue!(err, screen::EnterAlternateScreen)?;
    err.flush()
}

fn put_right() {
    let mut err = io::stderr().lock();
    let _ = queue!(err, screen::LeaveAlternateScreen).and_then(|()| err.flush());
    let _ = screen::disable_raw_mode();
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF8: TerminalCapabilities = TerminalCapabilities { colour: true, utf8: true };
    const ASCII: TerminalCapabilities = TerminalCapabilities { colour: false, utf8: false };

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    fn accounts(several: bool) -> Picker {
        let rows = rows(&[
            &["Development", "111122223333", "DeveloperAccess"],
            &["Development", "111122223333", "ReadOnly"],
            &["Production", "444455556666", "Break+Glass=Now"],
            &["Production", "444455556666", "ReadOnly"],
        ]);
        Picker::new("Role", rows, several)
    }

    fn press(picker: &mut Picker, keys: &str) -> Step {
        let mut step = Step::Open;
        for c in keys.chars() {
            step = picker.press(match c {
                ' ' => Key::Space,
                '\t' => Key::Tab,
                '\n' => Key::Enter,
                '\u{1b}' => Key::Escape,
                '\u{8}' => Key::Backspace,
                '↓' => Key::Down,
                '↑' => Key::Up,
                c => Key::Char(c),
            });
        }
        step
    }

    fn text(picker: &mut Picker, columns: usize, lines: usize, capabilities: TerminalCapabilities) -> Vec<String> {
        picker.screen(columns, lines, capabilities).0.into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn several_words_narrow_the_list_in_whatever_order_and_case() {
        for words in ["prod read", "READ prod", "4444 only", "prd rdnl"] {
            assert_eq!(press(&mut accounts(false), &format!("{words}\n")), Step::Chosen(Key::Enter, vec![3]), "{words}");
        }
    }

    #[test]
    fn enter_takes_the_current_row_and_nothing_where_nothing_matches() {
        assert_eq!(press(&mut accounts(false), "\n"), Step::Chosen(Key::Enter, vec![0]));
        assert_eq!(press(&mut accounts(false).at(2), "\n"), Step::Chosen(Key::Enter, vec![2]));
        assert_eq!(press(&mut accounts(false), "zzz\n"), Step::Open);
        assert_eq!(press(&mut accounts(false), "zzz\u{8}\u{8}\u{8}↓\n"), Step::Chosen(Key::Enter, vec![1]));
    }

    #[test]
    fn the_cursor_goes_round() {
        assert_eq!(press(&mut accounts(false), "↑\n"), Step::Chosen(Key::Enter, vec![3]));
        assert_eq!(press(&mut accounts(false), "↓↓↓↓\n"), Step::Chosen(Key::Enter, vec![0]));
    }

    #[test]
    fn marks_outlive_the_query_and_are_taken_together() {
        let mut picker = accounts(true);
        // One space parts words, the next one marks.
        press(&mut picker, "prod read  ");
        assert_eq!(press(&mut picker, "\u{1b}↓ \n"), Step::Chosen(Key::Enter, vec![1, 3]));
    }

    #[test]
    fn a_second_mark_takes_the_first_back_and_a_single_list_has_no_marks() {
        assert_eq!(press(&mut accounts(true), "\t\t↓\n"), Step::Chosen(Key::Enter, vec![1]));
        assert_eq!(press(&mut accounts(false), "\t↓\n"), Step::Chosen(Key::Enter, vec![1]));
    }

    #[test]
    fn all_that_is_shown_can_be_marked() {
        let mut picker = accounts(true);
        press(&mut picker, "read");
        picker.press(Key::MarkAll);
        assert_eq!(press(&mut picker, "\n"), Step::Chosen(Key::Enter, vec![1, 3]));
        picker.press(Key::MarkAll);
        assert_eq!(press(&mut picker, "\n"), Step::Chosen(Key::Enter, vec![1]));
    }

    #[test]
    fn escape_drops_the_query_first_and_then_leaves() {
        let mut picker = accounts(true);
        assert_eq!(press(&mut picker, "x\u{1b}"), Step::Open);
        assert_eq!(press(&mut picker, "\u{1b}"), Step::Left);
        assert_eq!(picker.press(Key::Interrupt), Step::Left);
    }

    #[test]
    fn words_are_erased_from_the_end() {
        let mut picker = accounts(true);
        press(&mut picker, "prod read");
        picker.press(Key::EraseWord);
        assert_eq!(text(&mut picker, 80, 24, UTF8)[1], "> prod");
        picker.press(Key::EraseLine);
        assert_eq!(text(&mut picker, 80, 24, UTF8)[1], ">");
    }

    #[test]
    fn the_screen_shows_title_query_rows_and_keys() {
        let mut picker = accounts(true);
        press(&mut picker, "prod");
        press(&mut picker, "↓ ");
        assert_eq!(
            text(&mut picker, 200, 24, UTF8),
            [
                "Role",
                "> prod",
                "    Production   444455556666  Break+Glass=Now",
                "> * Production   444455556666  ReadOnly",
                "  2 of 4, 1 marked",
                "  type to search, Enter takes, Space or Tab marks several, Ctrl-A all, Esc leaves",
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_screen_and_no_screen_higher() {
        for (columns, lines) in [(40, 10), (20, 5), (1, 1), (0, 0), (3, 2), (200, 50)] {
            for capabilities in [UTF8, ASCII] {
                let mut picker = accounts(true);
                press(&mut picker, "development");
                let shown = text(&mut picker, columns, lines, capabilities);
                assert!(shown.len() <= lines, "{columns}x{lines}");
                assert!(shown.iter().all(|line| line.width() <= columns), "{columns}x{lines}: {shown:?}");
            }
        }
    }

    #[test]
    fn at_forty_columns_the_widest_cells_are_cut() {
        let shown = text(&mut accounts(false), 40, 24, UTF8);
        assert_eq!(shown[2], "> Development  1111222233…  DeveloperA…");
        let shown = text(&mut accounts(false), 40, 24, ASCII);
        assert_eq!(shown[2], "> Development  1111222233~  DeveloperA~");
    }

    #[test]
    fn what_a_terminal_can_not_show_is_a_question_mark_and_escapes_are_gone() {
        let mut picker = Picker::new("x", rows(&[&["Zürich 東京 \u{1b}[31m", "a"]]), false);
        assert_eq!(text(&mut picker, 80, 24, ASCII)[2], "> Z?rich ????  [31m  a");
        assert_eq!(text(&mut picker, 80, 24, UTF8)[2], "> Zürich 東京  [31m  a");
    }

    #[test]
    fn a_long_list_scrolls_with_the_cursor() {
        let many: Vec<Vec<String>> = (0..100).map(|n| vec![format!("row {n}")]).collect();
        let mut picker = Picker::new("x", many, false).at(50);
        assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 50".to_owned()));
        picker.press(Key::PageDown);
        assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 56".to_owned()));
        picker.press(Key::End);
        assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 99".to_owned()));
        picker.press(Key::Home);
        assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 0".to_owned()));
    }
}
