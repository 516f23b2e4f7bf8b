//! CSV for spreadsheets. Cells are cleaned, because many come from a server.

use crate::text;

/// A table as in RFC 4180, with line feeds.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let quoted = |cell: &String| {
        let cell = text::clean(cell);
        if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.into_owned() }
    };
    let mut table = head.join(",");
    table.push('\n');
    for row in rows {
        table += &row.iter().map(quoted).collect::<Vec<_>>().join(",");
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_as_in_rfc_4180() {
        assert_eq!(table(&["a", "b"], &[["x,y", "say \"hi\""].map(str::to_owned).to_vec()]), "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n");
    }
}
