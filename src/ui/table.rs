//! Tables for people. Cells are cleaned, because many come from a server.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text;

/// The blanks between two columns.
const GAP: &str = "  ";

/// The minimum width of a column, that of an account ID. A table that would need narrower ones shows each row as a block.
const NARROWEST: usize = 12;

/// A table without lines, with columns as wide as their widest cell. If the terminal (`width` columns) is too narrow, the cells of the
/// widest columns are wrapped; if it is narrower still, each row becomes a block of lines. Nothing is truncated.
/// `bold` applies to the header.
pub fn plain(head: &[&str], rows: &[Vec<String>], width: Option<usize>, bold: bool) -> String {
    let clean = |cell: &String| text::clean(cell).into_owned();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(clean).collect()).collect();
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.width());
    let natural: Vec<usize> =
        head.iter().enumerate().map(|(column, title)| cells(column).fold(title.width(), usize::max)).collect();
    let strong = |text: String| if bold { format!("\x1b[1m{text}\x1b[m") } else { text };
    let Some(widths) = fitted(&natural, width) else {
        return blocks(head, &rows, strong);
    };
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| pad(cell, *width));
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let titles: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    let mut text = strong(line(&titles)) + "\n";
    for row in &rows {
        let wrapped: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, width)| wrap(cell, *width)).collect();
        for at in 0..wrapped.iter().map(Vec::len).max().unwrap_or_default() {
            let part: Vec<String> = wrapped.iter().map(|lines| lines.get(at).cloned().unwrap_or_default()).collect();
            text += &line(&part);
            text.push('\n');
        }
    }
    text
}

/// The column widths that fit, with the widest columns reduced to the same width. None if the terminal is too narrow for that.
fn fitted(natural: &[usize], width: Option<usize>) -> Option<Vec<usize>> {
    let Some(width) = width else { return Some(natural.to_vec()) };
    let space = width.saturating_sub(GAP.len() * natural.len().saturating_sub(1));
    let at_most = |limit: usize| natural.iter().map(|&own| own.min(limit)).collect::<Vec<_>>();
    let widest = natural.iter().copied().max().unwrap_or_default();
    (NARROWEST.min(widest)..=widest).rev().map(at_most).find(|widths| widths.iter().sum::<usize>() <= space)
}

/// Each row as lines of title and value, with a blank line between rows.
fn blocks(head: &[&str], rows: &[Vec<String>], strong: impl Fn(String) -> String) -> String {
    let widest = head.iter().map(|title| title.width()).max().unwrap_or_default();
    let block = |row: &Vec<String>| {
        let filled = head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let lines: Vec<String> = filled.map(|(title, cell)| strong(pad(title, widest)) + GAP + cell + "\n").collect();
        lines.concat()
    };
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The text padded to this many columns, of which a wide character takes two.
fn pad(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(text.width()))
}

/// Wraps a text, after a blank or a punctuation character if there is one in the second half of the line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let (mut used, mut end, mut good) = (0, 0, 0);
        for (at, c) in rest.char_indices() {
            used += c.width().unwrap_or_default();
            // At least one character per line, however wide.
            if used > width && at > 0 {
                break;
            }
            end = at + c.len_utf8();
            if used * 2 > width && matches!(c, ' ' | ',' | '/' | '-' | '_' | '.' | '@') {
                good = end;
            }
        }
        let (line, after) = rest.split_at(if good > 0 { good } else { end });
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    lines.push(rest.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let rows = [row(&["a", "long cell"]), row(&["wide cell", ""])];
        assert_eq!(plain(&["ONE", "TWO"], &rows, None, false), "ONE        TWO\na          long cell\nwide cell\n");
    }

    #[test]
    fn a_wide_character_takes_two_columns_and_an_accent_none() {
        let rows = [row(&["日本", "x"]), row(&["e\u{301}a", "x"])];
        assert_eq!(plain(&["ONE", "TWO"], &rows, None, false), "ONE   TWO\n日本  x\ne\u{301}a    x\n");
    }

    #[test]
    fn the_widest_columns_are_wrapped_on_a_narrow_terminal() {
        let rows = [row(&["111122223333", "first.last@example.com"])];
        assert_eq!(
            plain(&["ACCOUNT", "EMAIL"], &rows, Some(30), false),
            "ACCOUNT       EMAIL\n111122223333  first.last@\n              example.com\n"
        );
    }

    #[test]
    fn on_a_very_narrow_terminal_each_row_is_a_block() {
        let rows = [row(&["111122223333", "first.last@example.com", ""]), row(&["444455556666", "b", "c"])];
        assert_eq!(
            plain(&["ACCOUNT", "EMAIL", "X"], &rows, Some(20), false),
            "ACCOUNT  111122223333\nEMAIL    first.last@example.com\n\nACCOUNT  444455556666\nEMAIL    b\nX        c\n"
        );
    }

    #[test]
    fn an_account_id_is_never_broken() {
        let row = row(&["111122223333", "Development of tools", "development@example.com", "DeveloperAccess"]);
        for width in 20..100 {
            assert!(
                plain(&["ACCOUNT", "NAME", "EMAIL", "ROLE"], std::slice::from_ref(&row), Some(width), false)
                    .contains("111122223333")
            );
        }
    }

    #[test]
    fn only_the_header_is_bold() {
        assert_eq!(plain(&["ONE"], &[row(&["a"])], None, true), "\x1b[1mONE\x1b[m\na\n");
    }

    proptest! {
        #[test]
        fn a_table_fits_the_terminal_and_loses_nothing(
            cells in prop::collection::vec(prop::collection::vec("[a-zü日 ,/@-]{0,30}", 3), 0..5), width in 1usize..120,
        ) {
            let text = plain(&["ONE", "TWO", "THREE"], &cells, Some(width), false);
            if width >= 3 * NARROWEST + 2 * GAP.len() {
                prop_assert!(text.lines().all(|line| line.width() <= width), "{}", text);
            }
            let letters = |text: &str| {
                let mut letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_uppercase()).collect();
                letters.sort_unstable();
                letters
            };
            prop_assert_eq!(letters(&text), letters(&cells.concat().concat()));
        }
    }
}
