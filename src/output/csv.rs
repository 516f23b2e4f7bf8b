//! CSV for spreadsheets. Cells are cleaned, because many come from a server.

use crate::text;

/// A table as in RFC 4180, with line feeds. Cells that a spreadsheet would evaluate begin with `'`.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let quoted = |cell: &String| {
        let cell = text::clean(cell);
        // A spreadsheet would evaluate it as a formula. The quotation mark makes it text, as OWASP recommends.
        let is_formula = cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        let cell = if is_formula { format!("'{cell}") } else { cell.into_owned() };
        if cell.contains([',', '"']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
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
    fn cells_are_quoted_as_in_rfc_4180_and_are_no_formulas() {
        assert_eq!(
            table(&["a"], &[vec!["=1+1".to_owned()], vec!["\t@x,y".to_owned()], vec!["a=b".to_owned()]]),
            "a\n'=1+1\n\"' @x,y\"\na=b\n"
        );
        assert_eq!(table(&["a", "b"], &[["x,y", "say \"hi\""].map(str::to_owned).to_vec()]), "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n");
    }
}
