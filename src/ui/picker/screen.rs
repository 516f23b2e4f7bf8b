//! The lines of a picker's screen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::state::Picker;
use crate::ui::terminal::TerminalCapabilities;

/// Blanks between two columns.
const GAP: usize = 2;

/// The width that a column needs to be useful, if its cells are that wide.
const NARROWEST: usize = 10;

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
        let widths = self.widths(columns.saturating_sub(if self.several { 5 } else { 3 }));
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
            fit(line, columns.saturating_sub(1), capabilities).trim_end().clone_into(line);
        }
        screen.truncate(lines);
        (screen, end)
    }

    /// Each column as wide as its widest cell; if that is too much, the widest are narrowed, and then the last columns are left out.
    fn widths(&self, space: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for row in self.rows.iter().filter(|row| row.len() > 1) {
            widths.resize(row.len(), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let space_for = |widths: &[usize]| space.saturating_sub(GAP * widths.len().saturating_sub(1));
        while widths.len() > 1 && widths.iter().map(|&width| width.min(NARROWEST)).sum::<usize>() > space_for(&widths) {
            widths.pop();
        }
        while widths.iter().sum::<usize>() > space_for(&widths) {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }
}

/// The text in exactly this many columns: filled with blanks, or truncated with an ellipsis.
fn fit(text: &str, columns: usize, capabilities: TerminalCapabilities) -> String {
    let mut fitted = String::with_capacity(columns);
    let mut used = 0;
    let whole = text.width() <= columns;
    let space = if whole { columns } else { columns.saturating_sub(1) };
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > space {
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
