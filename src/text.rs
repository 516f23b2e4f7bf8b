//! Cleans untrusted text for terminals and quotes words for shells. Pure.

use std::borrow::Cow;
use std::time::Duration;

use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// The text without characters that could move a terminal's cursor, colour it, forge a second line or hide something: control characters
/// and line and paragraph separators become spaces; invisible, format and direction characters are removed (Unicode's
/// `Default_Ignorable_Code_Point`, `Bidi_Control`, and the general category `Cf`).
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| treatment(c) == Treatment::Keep) {
        return text.into();
    }
    let cleaned = text.chars().filter_map(|c| match treatment(c) {
        Treatment::Keep => Some(c),
        Treatment::Space => Some(' '),
        Treatment::Remove => None,
    });
    cleaned.collect::<String>().into()
}

/// Whether a character is removed or replaced by [`clean`].
pub fn is_unsafe(c: char) -> bool {
    treatment(c) != Treatment::Keep
}

#[derive(PartialEq)]
enum Treatment {
    Keep,
    Space,
    Remove,
}

fn treatment(c: char) -> Treatment {
    // Nearly all of it.
    if matches!(c, ' '..='~') {
        return Treatment::Keep;
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => Treatment::Space,
        GeneralCategory::Format => Treatment::Remove,
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => Treatment::Remove,
        _ if CodePointSetData::new::<BidiControl>().contains(c) => Treatment::Remove,
        _ => Treatment::Keep,
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

/// The command that sets an environment variable, in the shell that is usual on the system.
pub fn set_variable(name: &str, value: &str) -> String {
    if cfg!(windows) { format!("$Env:{name} = \"{value}\"") } else { format!("export {name}={}", shell_quote(value)) }
}

/// The command that opens a file in the user's editor.
pub fn edit_file(path: &str) -> String {
    if cfg!(windows) { format!("notepad \"{path}\"") } else { format!("${{EDITOR:-vi}} {}", shell_quote(path)) }
}

/// A number of things: `1 profile`, `2 profiles`.
pub fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A whole number of seconds, or of one of these units, as in `30m`. None if it is anything else, or too large. Each unit comes with its
/// length in seconds.
pub fn duration(text: &str, units: &[(&str, u64)]) -> Option<Duration> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = if unit.is_empty() { 1 } else { units.iter().find(|(name, _)| *name == unit)?.1 };
    digits.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_line_breaks_are_removed() {
        assert_eq!(clean("a\x1b[31mb\r\nc\u{9b}d\u{85}e\u{2028}f\u{2029}g"), "a [31mb  c d e f g");
        assert_eq!(clean("plain – text, 日本 🦀"), "plain – text, 日本 🦀");
    }

    #[test]
    fn invisible_and_direction_characters_are_removed() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206a}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert_eq!(clean(&format!("a{c}b")), "ab", "{:x}", u32::from(c));
            assert!(is_unsafe(c));
        }
    }
}
