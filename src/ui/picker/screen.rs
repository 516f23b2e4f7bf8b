//! The lines of a picker's screen.

use std::collections::HashSet;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::state::Picker;
use crate::ui::terminal::TerminalCapabilities;

/// Blanks between two columns.
const GAP: usize = 2;

/// The width that a column needs to be useful, if its cells are that wide.
const NARROWEST: usize = 10;

/// The width of an account ID, which is of little use if it is truncated.
const ACCOUNT_ID: usize = 12;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As text.
    Plain,
    /// The row that the keys move.
    Current,
    /// Less important.
    Faint,
}

impl Picker {
    /// The lines of the screen, none wider than `columns`, and the column of the second line in which the query ends.
    pub(super) fn screen(
        &mut self,
        columns: usize,
        lines: usize,
        capabilities: TerminalCapabilities,
    ) -> (Vec<(Style, String)>, usize) {
        self.page = lines.saturating_sub(4).max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(self.page));
        let widths = self.widths(columns.saturating_sub(if self.several { 5 } else { 3 }), capabilities);
        // The end of a long query is shown, because that is where it changes.
        let prompt = "> ";
        let space = columns.saturating_sub(prompt.len() + 1);
        let hidden = self.query.width().saturating_sub(space);
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
            cut(line, columns.saturating_sub(1), capabilities).trim_end().clone_into(line);
        }
        screen.truncate(lines);
        (screen, end)
    }

    /// The widths of the columns that are shown: of the first ones, as many as fit, or fewer if more rows can be told apart then, because
    /// their cells have more space, or as many without truncated account IDs.
    fn widths(&self, space: usize, capabilities: TerminalCapabilities) -> Vec<usize> {
        let rows = || self.rows.iter().filter(|row| row.len() > 1);
        let mut natural: Vec<usize> = Vec::new();
        for row in rows() {
            natural.resize(row.len(), 0);
            for (width, cell) in natural.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let different = |widths: &Vec<usize>| {
            let shown = |row: &Vec<String>| -> Vec<String> {
                row.iter().zip(widths).map(|(cell, &width)| fit(cell, width, capabilities)).collect()
            };
            rows().map(shown).collect::<HashSet<_>>().len()
        };
        let layouts = (1..=natural.len()).rev().filter_map(|count| fitted(natural.get(..count)?, space));
        // The last of several maxima: the one with the most columns.
        let whole_ids = |widths: &Vec<usize>| widths.iter().zip(&natural).all(|(&width, &own)| width >= own.min(ACCOUNT_ID));
        layouts
            .rev()
            .max_by_key(|widths| (different(widths), whole_ids(widths)))
            .or_else(|| natural.first().map(|_| vec![space]))
            .unwrap_or_default()
    }
}

/// These widths if they fit, else with the widest ones narrowed; None if one would be too narrow.
fn fitted(natural: &[usize], space: usize) -> Option<Vec<usize>> {
    let space = space.checked_sub(GAP * natural.len().saturating_sub(1))?;
    let mut widths = natural.to_vec();
    while widths.iter().sum::<usize>() > space {
        let widest = widths.iter_mut().max().filter(|widest| **widest > NARROWEST)?;
        *widest -= 1;
    }
    Some(widths)
}

/// The start of the text, with an ellipsis at its end if it is wider than this many columns.
fn cut(text: &str, columns: usize, capabilities: TerminalCapabilities) -> String {
    if text.width() <= columns {
        return fit(text, columns, capabilities);
    }
    let mut used = 1;
    let kept = text.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    });
    let start: String = kept.chain(if columns > 0 { Some('…') } else { None }).collect();
    if capabilities.utf8 {
        start
    } else {
        start
            .chars()
            .map(|c| {
                if c.is_ascii() {
                    c
                } else if c == '…' {
                    '~'
                } else {
                    '?'
                }
            })
            .collect()
    }
}

/// The text in exactly this many columns: filled with blanks, or with an ellipsis in place of its middle. Names often differ at their ends.
fn fit(text: &str, columns: usize, capabilities: TerminalCapabilities) -> String {
    let mut fitted = String::with_capacity(columns);
    let whole = text.width() <= columns;
    let space = if whole { columns } else { columns.saturating_sub(1) };
    let front = if whole { space } else { space.div_ceil(2) };
    // A terminal without UTF-8 would show each byte.
    let shown = |c: char| if capabilities.utf8 || c.is_ascii() { c.to_string() } else { "?".repeat(c.width().unwrap_or(0)) };
    let within = |chars: &mut dyn Iterator<Item = char>, space: usize| {
        let mut used = 0;
        let kept = chars.take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= space
        });
        kept.collect::<Vec<char>>()
    };
    fitted.extend(within(&mut text.chars(), front).into_iter().map(shown));
    if !whole && columns > 0 {
        fitted.push(if capabilities.utf8 { '…' } else { '~' });
        fitted.extend(within(&mut text.chars().rev(), space - front).into_iter().rev().map(shown));
    }
    let used = fitted.width();
    fitted.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    fitted
}
