//! Decodes the bytes of the user's files, and names the command that repairs files that daypass can't read or must not edit. Touches
//! nothing.

use std::path::Path;

use crate::error::{Error, Result};
use crate::text::shell_quote;

/// Returns a file's text.
///
/// # Errors
/// It is UTF-16 or UTF-32, or not UTF-8. The AWS tools can't read such a file either.
pub(super) fn decode(bytes: Vec<u8>, path: &Path) -> Result<String> {
    let shown = path.display();
    if let Some(encoding) = wide(&bytes) {
        let what = format!("{shown} is {encoding}, so no AWS tool can read the file");
        return Err(Error::failed(what, converted(&format!("iconv -f {encoding} -t UTF-8"), path)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', valid).count();
        let what = format!("{shown}:{line}: not UTF-8, so no AWS tool can read the file");
        Error::failed(what, converted("iconv -f ISO-8859-1 -t UTF-8", path))
    })
}

/// Checks that a text can be edited line by line.
///
/// # Errors
/// It contains NUL, or a carriage return that does not belong to a CRLF: tools disagree on its lines, so no edit would be safe.
pub(super) fn check_editable(text: &str, path: &Path) -> Result<()> {
    let place = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        format!("{}:{}", path.display(), 1 + memchr::memchr_iter(b'\n', before).count())
    };
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        let what = format!("{}: the file contains NUL bytes, so daypass does not edit it", place(at));
        return Err(Error::failed(what, converted("tr -d '\\000'", path)));
    }
    let lone = |at: &usize| text.as_bytes().get(at + 1) != Some(&b'\n');
    let Some(at) = memchr::memchr_iter(b'\r', text.as_bytes()).find(lone) else { return Ok(()) };
    let doubled = text.get(at..).is_some_and(|rest| rest.trim_start_matches('\r').starts_with('\n'));
    let (what, filter) = if doubled {
        ("a line that ends with CR CR LF", "tr -d '\\r'")
    } else {
        ("a carriage return without a line feed", "tr '\\r' '\\n'")
    };
    Err(Error::failed(format!("{}: {what}, so daypass does not edit the file", place(at)), converted(filter, path)))
}

/// The encoding, if this is UTF-16 or UTF-32: by its byte order mark, or because every other of the first bytes is NUL.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        // iconv takes the byte order from the mark, and removes it.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let first = bytes.get(..bytes.len().min(64) & !1).filter(|first| !first.is_empty())?;
    let nul = |odd: usize| first.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    match (nul(0), nul(1), first.len() / 2) {
        (0, little, pairs) if little * 2 > pairs => Some("UTF-16LE"),
        (big, 0, pairs) if big * 2 > pairs => Some("UTF-16BE"),
        _ => None,
    }
}

/// The command that filters a file in place: its mode and links stay, and no other user can read the copy.
fn converted(filter: &str, path: &Path) -> String {
    if cfg!(windows) {
        let path = path.display().to_string().replace('\'', "''");
        return format!("powershell -Command \"[IO.File]::WriteAllLines('{path}', [IO.File]::ReadAllLines('{path}'))\"");
    }
    let path = path.display().to_string();
    let (old, new) = (shell_quote(&path), format!("{path}.new"));
    let new = shell_quote(&new);
    format!("(umask 077; {filter} <{old} >{new} && cat {new} >{old} && rm {new})")
}
