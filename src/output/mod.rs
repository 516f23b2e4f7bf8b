//! Text for standard output, one file for each format. Pure, but for the time zone of this machine.

pub mod audit;
pub mod console;
pub mod container;
pub mod credential_process;
pub mod csv;
pub mod export;
pub mod login_events;
pub mod man;
pub mod reference;
pub mod shell;

use std::fmt::Write;

use clap::ValueEnum;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::sys::clock;
use crate::text;

const RFC_3339: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const DAY_AND_TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]");
const TIME: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// The output formats of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// A time as every SDK reads it: RFC 3339, UTC, `Z`, whole seconds.
pub fn rfc3339(moment: OffsetDateTime) -> String {
    moment.to_offset(time::UtcOffset::UTC).format(RFC_3339).unwrap_or_default()
}

/// A time for people: that of this machine, to the minute. UTC is named, because a remote machine may have it where the reader has not.
pub fn when(moment: OffsetDateTime) -> String {
    formatted(clock::local(moment), DAY_AND_TIME)
}

/// A time in the near future or past for people: without the day if that is today.
pub fn when_near(moment: OffsetDateTime, now: OffsetDateTime) -> String {
    let local = clock::local(moment);
    formatted(local, if local.date() == clock::local(now).date() { TIME } else { DAY_AND_TIME })
}

fn formatted(local: OffsetDateTime, format: &[BorrowedFormatItem<'_>]) -> String {
    let zone = if local.offset().is_utc() { " UTC" } else { "" };
    local.format(format).unwrap_or_default() + zone
}

/// The time until then: `2 h 05 min`, `12 min`, `40 s`.
pub fn left(until: OffsetDateTime, now: OffsetDateTime) -> String {
    let seconds = (until - now).whole_seconds().max(0);
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours @ ..48, minutes) => format!("{hours} h {minutes:02} min"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

/// JSON for programs, in which characters that a terminal would act on or hide are escaped; JSON itself only escapes ASCII control
/// characters.
pub fn json(value: &impl Serialize) -> String {
    escaped(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// JSON text with all unsafe characters escaped but its own line breaks. Others can only be inside of strings.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !text::is_unsafe(c) {
            safe.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to memory cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_a_terminal_acts_on() {
        let evil = "a\u{9b}31m\u{202e}b\u{1b}[2J ü\n\u{ad}\u{2028}\u{3164}\u{e0041}";
        let text = json(&[evil]);
        assert!(
            !text.contains(['\u{9b}', '\u{202e}', '\u{1b}', '\u{ad}', '\u{2028}', '\u{3164}', '\u{e0041}']) && text.contains('ü'),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [evil]);
    }
    use time::macros::datetime;

    #[test]
    fn a_time_has_whole_seconds_and_a_z() {
        assert_eq!(rfc3339(datetime!(2026-11-22 10:00:00.999 +01:00)), "2026-11-22T09:00:00Z");
    }

    #[test]
    fn a_remaining_time_is_short() {
        let now = datetime!(2026-01-01 00:00 UTC);
        assert_eq!(left(now + time::Duration::seconds(7500), now), "2 h 05 min");
        assert_eq!(left(now + time::Duration::seconds(59), now), "59 s");
        assert_eq!(left(now - time::Duration::HOUR, now), "0 s");
        assert_eq!(left(now + time::Duration::days(80), now), "80 days");
    }
}
