//! Text that came from elsewhere, made fit for a terminal, and words made fit for a shell. Pure.

use std::borrow::Cow;

/// The text without what could move a terminal's cursor, colour it or forge a second line: control characters (C0, DEL, C1) become
/// a space, and direction overrides (U+202A–U+202E, U+2066–U+2069) and zero-width characters go.
pub fn clean(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    if text.chars().any(|c| c.is_control() || hidden(c)) {
        text.chars().filter(|&c| !hidden(c)).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

/// A name as it is typed in a shell: with quotes where it needs them.
pub fn shell_quote(name: &str) -> Cow<'_, str> {
    shlex::try_quote(name).unwrap_or(Cow::Borrowed(name))
}

/// Words as a command line that can be typed.
pub fn command_line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(shell_quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_line_breaks_and_direction_overrides_do_not_survive() {
        assert_eq!(clean("a\x1b[31mb\r\nc\u{9b}d\u{202e}e"), "a [31mb  c dee".replace("c dee", "c de"));
        assert_eq!(clean("plain – text"), "plain – text");
    }
}
