//! Tables for people, CSV for spreadsheets.

use crate::terminal;

/// Columns as wide as their widest cell, two blanks between them, no lines. Cells are cleaned: many come from a server.
pub fn plain(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
    let rows: Vec<Vec<String>> =
        std::iter::once(&head).chain(rows).map(|row| row.iter().map(|cell| terminal::clean(cell).into_owned()).collect()).collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// RFC 4180, with line feeds.
pub fn csv(head: &[&str], rows: &[Vec<String>]) -> String {
    let quoted = |cell: &str| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    };
    let mut text = head.join(",");
    text.push('\n');
    for row in rows {
        text.push_str(&row.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_trailing_blanks() {
        let rows = [vec!["a".into(), "long cell".into()], vec!["wide cell".into(), String::new()]];
        assert_eq!(plain(&["ONE", "TWO"], &rows), "ONE        TWO\na          long cell\nwide cell\n");
    }

    #[test]
    fn csv_quotes_as_rfc_4180_says() {
        assert_eq!(csv(&["a", "b"], &[vec!["x,y".into(), "say \"hi\"".into()]]), "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n");
    }
}
