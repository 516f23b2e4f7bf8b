//! Cleans untrusted text for terminals and quotes words for shells. Pure.

use std::borrow::Cow;

/// The text without characters that could move a terminal's cursor, colour it or forge a second line: control characters (C0, DEL, C1)
/// become spaces; direction overrides (U+202A–U+202E, U+2066–U+2069) and zero-width characters are removed.
pub fn clean(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    if text.chars().any(|c| c.is_control() || hidden(c)) {
        text.chars().filter(|&c| !hidden(c)).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into()
    } else {
        text.into()
    }
}

/// A word as it is typed in a shell, quoted if necessary.
pub fn shell_quote(name: &str) -> Cow<'_, str> {
    shlex::try_quote(name).unwrap_or(Cow::Borrowed(name))
}

/// A command line that can be typed, from its words.
pub fn command_line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(shell_quote).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_line_breaks_and_direction_overrides_are_removed() {
        assert_eq!(clean("a\x1b[31mb\r\nc\u{9b}d\u{202e}e"), "a [31mb  c de");
        assert_eq!(clean("plain – text"), "plain – text");
    }
}
