//! A QR code as lines of text. Pure.
//!
//! With colours it is black on white in every colour scheme. Without, the light modules are drawn, which is right on a dark terminal;
//! most cameras read the inverse as well.

use qrcode::{Color, EcLevel, QrCode};

/// The capabilities of the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Draw with half blocks, so that modules are square; else with two characters per module.
    pub unicode: bool,
    /// Use escape sequences.
    pub colours: bool,
    /// Its width in columns, if known.
    pub columns: Option<u16>,
}

/// Light modules around the code: cameras need two (the standard requires four, which do not fit into 24 lines).
const MARGIN: usize = 2;

/// Exact white and black: themes redefine the first sixteen colours.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const WHITE: &str = "\x1b[48;5;231m";
const BLACK: &str = "\x1b[48;5;16m";
const PLAIN: &str = "\x1b[0m";

/// Draws a text as a QR code. None if it is too long for the terminal or for a QR code.
pub fn draw(text: &str, terminal: Terminal) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let size = code.width() + 2 * MARGIN;
    let columns = if terminal.unicode { size } else { 2 * size };
    if terminal.columns.is_some_and(|available| columns > available.into()) {
        return None;
    }
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(MARGIN).filter(|&at| at < code.width());
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    let line = |y: usize| -> String {
        if terminal.unicode {
            let row = (0..size).map(|x| {
                match (is_dark(x, y), if y + 1 < size { is_dark(x, y + 1) } else { !terminal.colours }, terminal.colours) {
                    (true, true, true) | (false, false, false) => '█',
                    (true, false, true) | (false, true, false) => '▀',
                    (false, true, true) | (true, false, false) => '▄',
                    (false, false, true) | (true, true, false) => ' ',
                }
            });
            let row: String = row.collect();
            if terminal.colours { format!("{BLACK_ON_WHITE}{row}{PLAIN}") } else { row }
        } else if terminal.colours {
            let row: String = (0..size).flat_map(|x| [if is_dark(x, y) { BLACK } else { WHITE }, "  "]).collect();
            row + PLAIN
        } else {
            (0..size).map(|x| if is_dark(x, y) { "  " } else { "##" }).collect()
        }
    };
    let step = if terminal.unicode { 2 } else { 1 };
    Some((0..size).step_by(step).map(|y| line(y) + "\n").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH";

    /// The dark modules, without the margin.
    fn expected() -> Vec<Vec<bool>> {
        let code = QrCode::with_error_correction_level(ADDRESS, EcLevel::L).unwrap();
        code.to_colors().chunks(code.width()).map(|row| row.iter().map(|&module| module == Color::Dark).collect()).collect()
    }

    fn seen(terminal: Terminal) -> Vec<Vec<bool>> {
        let drawn = draw(ADDRESS, terminal).unwrap();
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for line in drawn.lines() {
            match (terminal.unicode, terminal.colours) {
                (true, colours) => {
                    let cells: Vec<char> = line.chars().filter(|c| "█▀▄ ".contains(*c)).collect();
                    rows.push(cells.iter().map(|c| "█▀".contains(*c) == colours).collect());
                    rows.push(cells.iter().map(|c| "█▄".contains(*c) == colours).collect());
                }
                (false, true) => rows.push(line.trim_end_matches(PLAIN).split_terminator("  ").map(|cell| cell == BLACK).collect()),
                (false, false) => rows.push(line.as_bytes().chunks(2).map(|cell| cell == b"  ").collect()),
            }
        }
        let size = expected().len();
        rows[MARGIN..MARGIN + size].iter().map(|row| row[MARGIN..MARGIN + size].to_vec()).collect()
    }

    #[test]
    fn all_styles_show_the_same_code() {
        for (unicode, colours) in [(true, true), (true, false), (false, true), (false, false)] {
            assert_eq!(seen(Terminal { unicode, colours, columns: None }), expected(), "unicode {unicode}, colours {colours}");
        }
    }

    #[test]
    fn without_utf8_it_is_ascii_and_a_narrow_terminal_gets_none() {
        assert!(draw(ADDRESS, Terminal { unicode: false, colours: true, columns: Some(80) }).unwrap().is_ascii());
        assert_eq!(draw(ADDRESS, Terminal { unicode: false, colours: false, columns: Some(60) }), None);
        let small = draw(ADDRESS, Terminal { unicode: true, colours: false, columns: Some(40) }).unwrap();
        assert!(small.lines().count() < 22 && small.lines().all(|line| line.chars().count() <= 40));
    }
}
