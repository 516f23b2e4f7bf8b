//! Tables for people. Cells are cleaned, because many come from a server.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text;

/// The blanks between two columns.
const GAP: &str = "  ";

/// The width below which no column is truncated. Account IDs and regions are not wider.
const NARROWEST: usize = 16;

/// The width to which the other columns are truncated, so that those of [`COPIED`] are whole.
const LEAST: usize = 10;

/// The titles of columns that users copy names from. They are truncated last. In the first and last column they are never: a name that is
/// too long has a line of its own.
const COPIED: [&str; 3] = ["PROFILE", "PROFILES", "ACCESS KEY ID"];

/// How a table is made to fit a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The cells of the widest columns are truncated.
    Truncate,
    /// No cell is truncated, because users copy them.
    Whole,
}

/// What the output can show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Screen {
    /// The columns of the terminal; None if the output is not on a terminal, which then gets everything.
    pub width: Option<usize>,
    /// Whether the titles are bold.
    pub bold: bool,
    /// Characters outside ASCII.
    pub utf8: bool,
}

/// A table without lines, with columns as wide as their widest cell. If the terminal is too narrow, the table is made to fit, and if that
/// is not possible, each row becomes a block with a line for each cell. Columns without any content are left out.
pub fn plain(head: &[&str], rows: &[Vec<String>], fit: Fit, screen: Screen) -> String {
    let used: Vec<usize> = (0..head.len())
        .filter(|&at| rows.is_empty() || rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let clean = |row: &Vec<String>| -> Vec<String> {
        used.iter().map(|&at| row.get(at).map(|cell| text::clean(cell).into_owned()).unwrap_or_default()).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(clean).collect();
    let head: Vec<&str> = used.iter().filter_map(|&at| head.get(at).copied()).collect();
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.width());
    let natural: Vec<usize> =
        head.iter().enumerate().map(|(column, title)| cells(column).fold(title.width(), usize::max)).collect();
    let strong = |text: String| if screen.bold { format!("\x1b[1m{text}\x1b[m") } else { text };
    let Some(widths) = fitted(&head, &natural, fit, screen.width) else {
        return blocks(&head, &rows, strong);
    };
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| pad(&cut(cell, *width, screen.utf8), *width));
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let is_too_long = |name: &String, width: Option<&usize>| width.is_some_and(|&width| name.width() > width);
    let lines = |row: &Vec<String>| match (row.split_first(), row.split_last()) {
        (Some((name, others)), _) if is_copied(head.first()) && is_too_long(name, widths.first()) => {
            format!("{name}\n{}\n", line(&[&[String::new()], others].concat()))
        }
        (_, Some((name, others))) if is_copied(head.last()) && is_too_long(name, widths.last()) => {
            format!("{}\n{GAP}{GAP}{name}\n", line(others))
        }
        _ => line(row) + "\n",
    };
    let titles: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    let rows: Vec<String> = rows.iter().map(lines).collect();
    strong(line(&titles)) + "\n" + &rows.concat()
}

/// The column widths that fit, with the widest columns reduced to the same width, those that are copied only if need be. None if there are
/// none.
fn fitted(head: &[&str], natural: &[usize], fit: Fit, width: Option<usize>) -> Option<Vec<usize>> {
    let Some(width) = width else { return Some(natural.to_vec()) };
    let space = width.saturating_sub(GAP.len() * natural.len().saturating_sub(1));
    let fits = |widths: &Vec<usize>| widths.iter().sum::<usize>() <= space;
    let all_at_most = |limit: usize| natural.iter().map(|&own| own.min(limit)).collect::<Vec<_>>();
    let at_most = |limit: usize, copied: usize| -> Vec<usize> {
        let width = |(title, &own): (&&str, &usize)| match own {
            _ if COPIED.contains(title) => own.min(copied),
            0..=NARROWEST => own,
            _ => own.min(limit),
        };
        head.iter().zip(natural).map(width).collect()
    };
    let others_at_most = |limit: usize| at_most(limit, usize::MAX);
    let names_apart = |limit: usize| at_most(limit, limit.max(NARROWEST));
    let widest = natural.iter().copied().max().unwrap_or_default();
    let narrowest = if fit == Fit::Whole { widest } else { NARROWEST.min(widest) };
    let has_copied = head.iter().any(|title| COPIED.contains(title));
    let others = if fit == Fit::Whole || !has_copied { widest } else { LEAST.min(widest) };
    let mut whole_names = (others..=widest).rev().map(others_at_most);
    if fit == Fit::Truncate && (is_copied(head.first()) || is_copied(head.last())) {
        whole_names.find(fits).or_else(|| (others..=widest).rev().map(names_apart).find(fits))
    } else {
        whole_names.find(fits).or_else(|| (narrowest..=widest).rev().map(all_at_most).find(fits))
    }
}

fn is_copied(title: Option<&&str>) -> bool {
    title.is_some_and(|title| COPIED.contains(title))
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

/// The text truncated to this many columns, with a mark in place of its middle: names often differ at their ends.
fn cut(text: &str, width: usize, utf8: bool) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mark = if utf8 { "…" } else { "..." };
    let space = width.saturating_sub(mark.width());
    let start = within(text.chars(), space.div_ceil(2));
    let end = within(text.chars().rev(), space / 2);
    start.into_iter().chain(mark.chars()).chain(end.into_iter().rev()).collect()
}

/// The first of these characters, in at most this many columns.
fn within(chars: impl Iterator<Item = char>, mut space: usize) -> Vec<char> {
    let fits = |c: &char| {
        let rest = space.checked_sub(c.width().unwrap_or_default());
        space = rest.unwrap_or_default();
        rest.is_some()
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    const WIDE: Screen = Screen { width: None, bold: false, utf8: true };

    fn on(width: usize) -> Screen {
        Screen { width: Some(width), ..WIDE }
    }

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let rows = [row(&["a", "long cell"]), row(&["wide cell", ""])];
        assert_eq!(plain(&["ONE", "TWO"], &rows, Fit::Truncate, WIDE), "ONE        TWO\na          long cell\nwide cell\n");
    }

    #[test]
    fn a_wide_character_takes_two_columns_and_an_accent_none() {
        let rows = [row(&["日本", "x"]), row(&["e\u{301}a", "x"])];
        assert_eq!(plain(&["ONE", "TWO"], &rows, Fit::Truncate, WIDE), "ONE   TWO\n日本  x\ne\u{301}a    x\n");
    }

    #[test]
    fn the_widest_columns_are_truncated_on_a_narrow_terminal() {
        let rows = [row(&["111122223333", "first.middle.last@example.com", "x"]), row(&["444455556666", "b", ""])];
        let head = ["ACCOUNT", "EMAIL", "X"];
        assert_eq!(
            plain(&head, &rows, Fit::Truncate, on(40)),
            "ACCOUNT       EMAIL                    X\n111122223333  first.middl…example.com  x\n444455556666  b\n"
        );
        assert!(plain(&head, &rows, Fit::Truncate, Screen { utf8: false, ..on(40) }).contains("first.midd...xample.com  x\n"));
    }

    #[test]
    fn a_row_that_does_not_fit_is_a_block_of_whole_cells() {
        let rows = [row(&["111122223333", "first.middle.last@example.com", ""]), row(&["444455556666", "b", "c"])];
        let blocks =
            "ACCOUNT  111122223333\nEMAIL    first.middle.last@example.com\n\nACCOUNT  444455556666\nEMAIL    b\nX        c\n";
        assert_eq!(plain(&["ACCOUNT", "EMAIL", "X"], &rows, Fit::Truncate, on(30)), blocks);
        assert_eq!(plain(&["ACCOUNT", "EMAIL", "X"], &rows, Fit::Whole, on(45)), blocks);
        assert!(plain(&["ACCOUNT", "EMAIL", "X"], &rows, Fit::Whole, on(46)).starts_with("ACCOUNT       EMAIL"));
    }

    #[test]
    fn an_empty_column_is_left_out() {
        assert_eq!(plain(&["ONE", "TWO"], &[row(&["a", ""])], Fit::Truncate, WIDE), "ONE\na\n");
        assert_eq!(plain(&["ONE", "TWO"], &[], Fit::Truncate, WIDE), "ONE  TWO\n");
    }

    #[test]
    fn an_account_id_is_never_truncated() {
        let row = row(&["111122223333", "Development of tools", "development@example.com", "DeveloperAccess"]);
        for width in 20..100 {
            assert!(
                plain(&["ACCOUNT", "NAME", "EMAIL", "ROLE"], std::slice::from_ref(&row), Fit::Truncate, on(width))
                    .contains("111122223333")
            );
        }
    }

    #[test]
    fn names_that_are_copied_are_truncated_last() {
        let rows = [row(&["Development.DeveloperAccess", "111122223333", "AdministratorReadOnlyAccess"])];
        let table = |width| plain(&["PROFILE", "ACCOUNT", "ROLE"], &rows, Fit::Truncate, on(width));
        assert!(table(60).ends_with("Development.DeveloperAccess  111122223333  Administ…lyAccess\n"), "{}", table(60));
        let narrow = "Development.DeveloperAccess\n                   111122223333  Administ…lyAccess\n";
        assert!(table(50).ends_with(narrow), "{}", table(50));
        let key = |width| {
            plain(&["ACCOUNT", "PROFILES"], &[row(&["111122223333", "Development.DeveloperAccess"])], Fit::Truncate, on(width))
        };
        assert!(key(35).ends_with("\n111122223333\n    Development.DeveloperAccess\n"), "{}", key(35));
    }

    #[test]
    fn only_the_header_is_bold() {
        let screen = Screen { bold: true, ..WIDE };
        assert_eq!(plain(&["ONE"], &[row(&["a"])], Fit::Truncate, screen), "\x1b[1mONE\x1b[m\na\n");
    }

    proptest! {
        #[test]
        fn a_table_fits_the_terminal_or_is_whole(
            cells in prop::collection::vec(prop::collection::vec("[a-zü日 ,/@-]{0,40}", 3), 0..5), width in 1usize..160, utf8 in any::<bool>(),
        ) {
            let letters = |text: &str| {
                let mut letters: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_uppercase()).collect();
                letters.sort_unstable();
                letters
            };
            for fit in [Fit::Truncate, Fit::Whole] {
                let text = plain(&["ONE", "TWO", "THREE"], &cells, fit, Screen { utf8, ..on(width) });
                if fit == Fit::Truncate && width >= 3 * NARROWEST + 2 * GAP.len() {
                    prop_assert!(text.lines().all(|line| line.width() <= width), "{}", text);
                }
                if fit == Fit::Whole || width < NARROWEST {
                    prop_assert_eq!(letters(&text), letters(&cells.concat().concat()));
                }
            }
        }
    }
}
