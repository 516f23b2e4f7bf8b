//! Reads the file of accepted keys: lines of `KEY-ID-OR-SHA256 UNTIL-DATE REASON`. Touches nothing.

use std::collections::HashMap;
use std::fmt::Write;

use time::Date;
use time::macros::format_description;

use crate::access_key::{LongLivedKey, ServiceUser};

/// Why a key is accepted, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The last day on which it counts, in UTC.
    pub until: Date,
    /// The reason.
    pub reason: String,
}

/// The accepted keys by the SHA-256 of their IDs, in lower-case hexadecimal, and the numbers of the lines that can't be read. `#` begins
/// a comment line. A key's last line counts.
pub fn read(text: &str) -> (HashMap<String, Acceptance>, Vec<usize>) {
    let mut accepted = HashMap::new();
    let mut bad = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Some((key, acceptance)) => drop(accepted.insert(key, acceptance)),
            None => bad.push(number),
        }
    }
    (accepted, bad)
}

fn entry(line: &str) -> Option<(String, Acceptance)> {
    let mut words = line.split_whitespace();
    let (key, until) = (words.next()?, words.next()?);
    let until = Date::parse(until, format_description!("[year]-[month]-[day]")).ok()?;
    let reason = words.collect::<Vec<_>>().join(" ");
    let is_hash = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = || LongLivedKey::access(key).is_some() || ServiceUser::parse(key).is_some();
    let key = if is_hash { key.to_ascii_lowercase() } else { sha256(Some(key).filter(|_| is_id())?) };
    (!reason.is_empty()).then_some((key, Acceptance { until, reason }))
}

/// The SHA-256 of a key's ID, in lower-case hexadecimal.
pub fn sha256(id: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn a_key_is_accepted_by_its_id_or_hash_with_a_date_and_a_reason() {
        let id = "AKIARZPUZDIKGB2VALC4";
        let hash = sha256(id);
        for key in [id.to_owned(), hash.clone(), hash.to_uppercase()] {
            let (accepted, bad) = read(&format!("\u{feff}# robots\n\n  {key}  2026-12-31  CI of  tools \n"));
            assert_eq!(accepted[&hash], Acceptance { until: date!(2026 - 12 - 31), reason: "CI of tools".to_owned() });
            assert!(bad.is_empty());
        }
    }

    #[test]
    fn lines_without_a_key_a_date_or_a_reason_are_reported() {
        let masked = "AKIA…ALC4 2026-12-31 robots\nakiarzpuzdikgb2valc4 2026-12-31 robots";
        let (accepted, bad) = read(&format!("AKIARZPUZDIKGB2VALC4 2026-12-31\nAKIARZPUZDIKGB2VALC4 soon robots\nx\n{masked}\n"));
        assert_eq!((accepted.len(), bad), (0, vec![1, 2, 3, 4, 5]));
    }
}
