//! Finds long-lived keys in text. Touches nothing, and returns no secrets.
//!
//! The rules against false alarms are those that scanners learned: the alphabet and the account of an ID (gitleaks#1324), word boundaries
//! (gitleaks#1577), examples, IDs in signatures, and digests that are taken for secrets (gitleaks#538).

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use zeroize::Zeroizing;

use super::places::Format;
use crate::access_key::{self, AccessKeyId, BEDROCK_PREFIX, ID_LENGTH, Kind, LongLivedKey, ServiceUser, USER_PREFIX};
use crate::profile::ini::{self, FileKind};

/// How far an ID and its secret may be apart, in lines and in bytes.
const LINES_APART: usize = 8;
const BYTES_APART: usize = 2048;
/// The length of a line's part in which the name of a value is expected.
const NAME: usize = 64;
/// The part of a long line that counts, on each side of a position; and of a long file, before it.
const LINE: usize = 4096;
const SECTION: usize = 65_536;
/// The most IDs of one file: more are a list of something else.
const MOST: usize = 10_000;

static USER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(USER_PREFIX));
static BEDROCK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(BEDROCK_PREFIX));
static SERVICE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("-at-"));

/// A key in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The key.
    pub key: LongLivedKey,
    /// Its line, counted from 1.
    pub line: usize,
    /// What is with it.
    pub secret: Secret,
    /// Whether it is in a comment.
    pub commented: bool,
    /// Whether it is assigned to something that is named like an access key.
    pub named: bool,
    /// The section of an ini file.
    pub section: Option<String>,
}

/// The secret that belongs to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// None was found.
    None,
    /// The password that SES derives from the secret access key.
    Smtp,
    /// The secret itself.
    Key,
}

/// Whether a text can contain a key at all: a fast test.
pub fn may_contain(text: &[u8], format: Format) -> bool {
    let service = || format == Format::Git && SERVICE.find(text).is_some();
    USER.find(text).is_some() || BEDROCK.find(text).is_some() || service()
}

/// The keys in a text, in its order. The text is UTF-8 or any other encoding that contains ASCII; for UTF-16 see [`decode`].
pub fn find(text: &[u8], format: Format) -> Vec<Hit> {
    if !may_contain(text, format) {
        return Vec::new();
    }
    let text = &*unescaped(text);
    let mut hits = access_keys(text, format);
    hits.extend(bedrock_keys(text, format));
    if format == Format::Git {
        hits.extend(service_users(text));
    }
    hits.sort_by_key(|(at, _)| *at);
    let (mut line, mut counted) = (1, 0);
    let number = |(at, hit): (usize, Hit)| {
        line += count_lines(text, counted..at);
        counted = at;
        Hit { line, ..hit }
    };
    hits.into_iter().map(number).collect()
}

/// The text of a file as UTF-8, if it is UTF-16: by its byte order mark, or because most of every other of its first bytes are NUL, and
/// none of the others is.
pub fn decode(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let first = bytes.get(..bytes.len().min(64) & !1)?;
    let nul = |odd: usize| first.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let big = match first {
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        [_, 0, ..] if nul(0) == 0 && nul(1) * 4 > first.len() => false,
        [0, _, ..] if nul(1) == 0 && nul(0) * 4 > first.len() => true,
        _ => return None,
    };
    let unit = |pair: &[u8]| match *pair {
        [one, other] if big => u16::from_be_bytes([one, other]),
        [one, other] => u16::from_le_bytes([one, other]),
        _ => 0,
    };
    // Three bytes for a unit at most, so that the buffer is never copied.
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() / 2 * 3 + 3));
    for c in char::decode_utf16(bytes.chunks(2).map(unit)) {
        text.extend_from_slice(c.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(text)
}

/// An ID in the text, of whatever kind: secrets belong to the nearest.
struct Found {
    span: Range<usize>,
    key: Option<LongLivedKey>,
    secret: Secret,
}

fn access_keys(text: &[u8], format: Format) -> Vec<(usize, Hit)> {
    let mut all: Vec<Found> = USER.find_iter(text).filter_map(|at| found(text, at)).take(MOST).collect();
    if all.is_empty() {
        return Vec::new();
    }
    // Temporary credentials near by have secrets of their own.
    all.extend(memchr::memmem::find_iter(text, "ASIA").filter_map(|at| found(text, at)).take(MOST));
    all.sort_by_key(|found| found.span.start);
    let areas: Vec<Range<usize>> = all.iter().map(|found| around(text, &found.span, format)).collect();
    let mut regions: Vec<Range<usize>> = Vec::new();
    for area in &areas {
        match regions.last_mut() {
            Some(last) if area.start <= last.end => last.end = last.end.max(area.end),
            _ => regions.push(area.clone()),
        }
    }
    let ends = |region: &Range<usize>| {
        let start = region.start;
        memchr::memchr_iter(b'\n', text.get(region.clone()).unwrap_or_default()).map(move |at| start + at)
    };
    let line_ends: Vec<usize> = regions.iter().flat_map(ends).collect();
    let candidates = |span: &Range<usize>| {
        let first = all.partition_point(|found| found.span.end + BYTES_APART < span.start);
        let last = all.partition_point(|found| found.span.start <= span.end + BYTES_APART);
        // The nearest line; then an ID before the secret.
        let distance = |at: usize| {
            let (found, area) = (all.get(at)?, areas.get(at)?);
            let is_after = found.span.start > span.start;
            let between = if is_after { span.end..found.span.start } else { found.span.end..span.start };
            let lines = line_ends.partition_point(|end| *end < between.end) - line_ends.partition_point(|end| *end < between.start);
            (area.start <= span.start && span.end <= area.end).then_some(((lines, is_after, between.len()), at))
        };
        let mut near: Vec<_> = (first..last).filter_map(distance).collect();
        near.sort_unstable();
        near
    };
    let with_candidates = |(span, secret)| (candidates(&span), secret);
    let mut secrets: Vec<_> = regions.into_iter().flat_map(|region| secrets(text, region)).map(with_candidates).collect();
    // The surest first: an ID that has a secret leaves others to its neighbours.
    secrets.sort_by_key(|(near, _)| near.first().map(|(distance, _)| *distance));
    for (near, secret) in secrets {
        let lacks = |at: &usize| all.get(*at).is_some_and(|found| found.secret < secret);
        let order = || near.iter().map(|(_, at)| *at);
        if let Some(found) = order().find(lacks).or_else(|| order().next()).and_then(|at| all.get_mut(at)) {
            found.secret = found.secret.max(secret);
        }
    }
    let hit = |found: Found| {
        let (span, key) = (found.span, found.key?);
        let line = line_of(text, span.start);
        let before = text.get(line.start..span.start).unwrap_or_default();
        let commented = is_comment(before);
        let section = if format == Format::Ini { section(text, line.start, commented) } else { None };
        Some((span.start, Hit { key, line: 0, secret: found.secret, commented, named: is_named(before), section }))
    };
    all.into_iter().filter_map(hit).collect()
}

/// The ID at this position. None if it is only part of a word or a signature, or an example.
fn found(text: &[u8], at: usize) -> Option<Found> {
    let span = at..at + ID_LENGTH;
    let id = AccessKeyId::parse(std::str::from_utf8(text.get(span.clone())?).ok()?)?;
    let (before, after) = (text.get(..at)?, text.get(span.end..)?);
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if is_word(before.last()) || is_word(after.first()) || in_signature(before, after) {
        return None;
    }
    let key = (id.kind() == Kind::User && !id.is_example()).then_some(LongLivedKey::Access(id));
    Some(Found { span, key, secret: Secret::None })
}

/// Whether an ID is part of a signed request, which contains no secret: `ID/20260101/REGION/…` of version 4, or the query of version 2.
fn in_signature(before: &[u8], after: &[u8]) -> bool {
    let scope = |rest: &[u8]| rest.len() > 8 && rest.iter().take(8).all(u8::is_ascii_digit) && rest.get(8) == Some(&b'/');
    let ends = |end: &[u8]| {
        let start = before.len().checked_sub(end.len());
        start.and_then(|start| before.get(start..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    after.strip_prefix(b"/").is_some_and(scope)
        || ends(b"x-amz-credential=")
        || ends(b"?awsaccesskeyid=")
        || ends(b"&awsaccesskeyid=")
        || ends(b"&amp;awsaccesskeyid=")
}

/// The lines that may contain the secret of an ID: in an ini file those of its section.
fn around(text: &[u8], span: &Range<usize>, format: Format) -> Range<usize> {
    let is_end = |line: Range<usize>| format == Format::Ini && header(text.get(line).unwrap_or_default(), true).is_some();
    let own = line_of(text, span.start);
    let (mut start, mut end) = (own.start, own.end);
    for _ in 0..LINES_APART {
        let Some(before) = start.checked_sub(1).map(|at| line_of(text, at)) else { break };
        if is_end(before.clone()) {
            break;
        }
        start = before.start;
    }
    for _ in 0..LINES_APART {
        if end >= text.len() {
            break;
        }
        let after = line_of(text, end + 1);
        if is_end(after.clone()) {
            break;
        }
        end = after.end;
    }
    start.max(span.start.saturating_sub(BYTES_APART))..end.min(span.end.saturating_add(BYTES_APART)).min(text.len())
}

/// The words of a region that can be secrets.
fn secrets(text: &[u8], region: Range<usize>) -> Vec<(Range<usize>, Secret)> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-');
    let mut found = Vec::new();
    // The region may begin within a word.
    let cut = region.start > 0 && text.get(region.start - 1).is_some_and(|byte| is_part(*byte));
    let word = |rest: &[u8]| rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
    let mut at = region.start + if cut { word(text.get(region.clone()).unwrap_or_default()) } else { 0 };
    while at < region.end {
        let rest = text.get(at..).unwrap_or_default();
        let length = word(rest);
        let span = at..at + length;
        at = span.end + 1;
        if !matches!(length, 40 | 44) || rest.get(length) == Some(&b'=') {
            continue;
        }
        let Some(word) = rest.get(..length).and_then(|word| std::str::from_utf8(word).ok()) else { continue };
        let line = line_of(text, span.start);
        let before = text.get(line.start.max(span.start.saturating_sub(NAME))..span.start).unwrap_or_default();
        if access_key::is_secret(word, contains(before, "secret")) {
            found.push((span, Secret::Key));
        } else if access_key::is_smtp_password(word) {
            found.push((span, Secret::Smtp));
        }
    }
    found
}

fn bedrock_keys(text: &[u8], format: Format) -> Vec<(usize, Hit)> {
    let hit = |at: usize| {
        let rest = text.get(at..)?;
        let before = text.get(line_of(text, at).start..at)?;
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        if before.last().is_some_and(|byte| is_part(byte) || *byte == b'_') {
            return None;
        }
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let key = LongLivedKey::bedrock(std::str::from_utf8(rest.get(..length)?).ok()?)?;
        let named = contains(before, "bedrock");
        // Without a readable name it may be anything.
        if key.id().is_none() && !named {
            return None;
        }
        let commented = is_comment(before);
        let section = if format == Format::Ini { section(text, at, commented) } else { None };
        Some((at, Hit { key, line: 0, secret: Secret::Key, commented, named, section }))
    };
    BEDROCK.find_iter(text).filter_map(hit).take(MOST).collect()
}

/// The user names of `CodeCommit` with a password: in an address (`https://NAME:PASSWORD@HOST`) or in a netrc file.
fn service_users(text: &[u8]) -> Vec<(usize, Hit)> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_+=,.-".contains(byte);
    let hit = |at: usize| {
        let line = line_of(text, at);
        let before = text.get(line.start..at)?;
        let start = at - before.iter().rev().take_while(|byte| is_part(byte)).count();
        let end = at + "-at-".len() + 12;
        let user = ServiceUser::parse(std::str::from_utf8(text.get(start..end)?).ok()?)?;
        let after = text.get(end..).unwrap_or_default();
        let near = text.get(around(text, &(start..end), Format::Text)).unwrap_or_default();
        let rest = text.get(end..line.end).unwrap_or_default();
        let in_address = after.first() == Some(&b':') && rest.contains(&b'@') && contains(rest, "codecommit");
        let in_netrc =
            after.first().is_none_or(u8::is_ascii_whitespace) && contains(near, "codecommit") && contains(near, "password");
        let commented = is_comment(before);
        let hit = Hit { key: LongLivedKey::CodeCommit(user), line: 0, secret: Secret::Key, commented, named: true, section: None };
        (in_address || in_netrc).then_some((start, hit))
    };
    SERVICE.find_iter(text).filter_map(hit).take(MOST).collect()
}

/// The line that contains this position, without its line feed; the near part of a long one.
fn line_of(text: &[u8], at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let (first, last) = (at.saturating_sub(LINE), (at + LINE).min(text.len()));
    let start = memchr::memrchr(b'\n', text.get(first..at).unwrap_or_default()).map_or(first, |end| first + end + 1);
    let end = memchr::memchr(b'\n', text.get(at..last).unwrap_or_default()).map_or(last, |end| at + end);
    start..end
}

fn count_lines(text: &[u8], range: Range<usize>) -> usize {
    memchr::memchr_iter(b'\n', text.get(range).unwrap_or_default()).count()
}

fn is_comment(before: &[u8]) -> bool {
    let line = before.trim_ascii_start();
    line.starts_with(b"#") || line.starts_with(b";") || line.starts_with(b"//")
}

/// Whether the text before an ID ends with the name of an access key ID, and is not a flag of commands about keys.
fn is_named(before: &[u8]) -> bool {
    let before = before.get(before.len().saturating_sub(NAME)..).unwrap_or_default();
    let before = String::from_utf8_lossy(before).to_ascii_lowercase();
    let is_flag = before.trim_end_matches([' ', '=', '"', '\'']).ends_with("--access-key-id");
    !is_flag && ["access_key", "accesskey", "access-key", "aws_key"].iter().any(|name| before.contains(name))
}

/// Whether a text contains a word, which is in lower case, in any case.
fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// The name of the section before this position. `commented`: a header that is commented out counts too.
fn section(text: &[u8], mut at: usize, commented: bool) -> Option<String> {
    let first = at.saturating_sub(SECTION);
    while let Some(end) = at.checked_sub(1).filter(|end| *end >= first) {
        let line = line_of(text, end);
        if let Some(name) = header(text.get(line.clone()).unwrap_or_default(), commented) {
            return Some(name);
        }
        at = line.start;
    }
    None
}

/// The name in a section's header, without the word `profile` of config files.
fn header(line: &[u8], commented: bool) -> Option<String> {
    let line = line.trim_ascii();
    let marks = if commented { line.iter().take_while(|byte| b"#; \t".contains(byte)).count() } else { 0 };
    let line = line.get(marks..)?;
    let inner = line.strip_prefix(b"[")?;
    let inner = inner.get(..memchr::memchr(b']', inner)?)?.trim_ascii();
    let (kind, name, ..) = ini::classify(inner, FileKind::Config);
    let name = if kind == ini::Kind::Profile { name } else { String::from_utf8_lossy(inner) };
    (!name.is_empty()).then(|| name.into_owned())
}

/// The text with the escapes of JSON, TOML, fish, XML and addresses resolved that an ID or a secret may contain or follow. Lines keep their
/// numbers: an escaped line break becomes a blank.
fn unescaped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = memchr::memchr3(b'\\', b'%', b'&', rest) {
        let (before, from) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (byte, length) = escape(from).unwrap_or_else(|| (from.first().copied().unwrap_or_default(), 1));
        plain.push(byte);
        rest = from.get(length..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    plain
}

/// The character of the escape at the start of a text, and the length of the escape.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let number = |from: usize, digits: usize, radix: u32| {
        let digits = std::str::from_utf8(text.get(from..from + digits)?).ok().filter(|text| !text.starts_with('+'))?;
        u8::from_str_radix(digits, radix).ok().filter(u8::is_ascii)
    };
    let visible = |byte: u8| if byte.is_ascii_control() { b' ' } else { byte };
    match *text {
        [b'\\', b'n' | b'r' | b't', ..] => Some((b' ', 2)),
        [b'\\', quoted @ (b'/' | b'"' | b'\'' | b'=' | b':' | b'+'), ..] => Some((quoted, 2)),
        [b'\\', b'x', ..] => Some((visible(number(2, 2, 16)?), 4)),
        [b'\\', b'u', b'0', b'0', ..] => Some((visible(number(4, 2, 16)?), 6)),
        [b'%', _, _, ..] => Some((visible(number(1, 2, 16)?), 3)),
        [b'&', b'#', b'x' | b'X', _, _, b';', ..] => Some((visible(number(3, 2, 16)?), 6)),
        [b'&', b'#', _, _, b';', ..] => Some((visible(number(2, 2, 10)?), 5)),
        _ => text.starts_with(b"&quot;").then_some((b'"', 6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "AKIARZPUZDIKGB2VALC4";
    const OTHER: &str = "AKIASP2TPHJSQH3FJXYZ";
    const SECRET: &str = "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";
    const SECOND: &str = "Zk1Lr0pT7uYbN5sWc2dEf9gHjK4mA6oIi+/xQ3v8";

    /// ID, line, and whether the secret is with it.
    fn found(text: &str, format: Format) -> Vec<(String, usize, bool)> {
        let hits = find(text.as_bytes(), format).into_iter();
        hits.map(|hit| (hit.key.id().unwrap_or_default().to_owned(), hit.line, hit.secret == Secret::Key)).collect()
    }

    #[test]
    fn an_id_is_a_whole_word_and_no_example() {
        for text in ["x{}", "{}x", "_{}", "{}_", "0{}"] {
            assert!(found(&text.replace("{}", ID), Format::Text).is_empty(), "{text}");
        }
        for text in ["{}", "\"{}\"", "={}&", "\\n{}", "\\t{}\\n", "\\x3d{}\\x1e", "%3D{}%26", "\\u003d{}", "//{}:", "&#61;{}"] {
            assert_eq!(found(&text.replace("{}", ID), Format::Text), [(ID.to_owned(), 1, false)], "{text}");
        }
        assert!(found("AKIAIOSFODNN7EXAMPLE AKIAXXXXXXXXXXXXXXXX ASIAY34FZKBOKMUTVV7A", Format::Text).is_empty());
    }

    #[test]
    fn an_id_in_a_signature_is_none() {
        for text in [
            "https://b.s3.amazonaws.com/?X-Amz-Credential={}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
            "https://b.s3.amazonaws.com/?X-Amz-Credential={}/20260101/us-east-1",
            "Authorization: AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/s3/aws4_request",
            "https://b.s3.amazonaws.com/k?AWSAccessKeyId={}&Signature=x",
            "https://b.s3.amazonaws.com/k?Expires=1&amp;AWSAccessKeyId={}",
        ] {
            assert!(found(&text.replace("{}", ID), Format::Text).is_empty(), "{text}");
        }
        assert_eq!(found(&format!("AWSAccessKeyId={ID}\nAWSSecretKey={SECRET}\n"), Format::Text), [(ID.to_owned(), 1, true)]);
    }

    #[test]
    fn a_secret_belongs_to_the_nearest_id() {
        let one = (ID.to_owned(), 1, true);
        for text in [
            format!("{ID}\n{SECRET}\n{OTHER}\n"),
            format!("id={ID}\nregion=x\nsecret={SECRET}\n\n{OTHER}\n"),
            format!("{ID},{SECRET}\n{OTHER},\n"),
        ] {
            let hits = found(&text, Format::Text);
            assert_eq!((&hits[0], hits[1].2), (&one, false), "{text}");
        }
        let all: Vec<bool> =
            found(&format!("{SECRET}\n{ID}\n{SECOND}\n{OTHER}\n"), Format::Text).into_iter().map(|hit| hit.2).collect();
        assert_eq!(all, [true, true]);
        // In alphabetical order, as variables of the environment.
        let text = format!("AWS_ACCESS_KEY={ID}\nAWS_BEARER=x\nAWS_SECRET_KEY={SECRET}\nMC_HOST=https://{OTHER}:{SECOND}@host\n");
        assert_eq!(found(&text, Format::Text).into_iter().map(|hit| hit.2).collect::<Vec<_>>(), [true, true]);
        // Temporary credentials have their own.
        assert_eq!(found(&format!("{ID}\n\nASIAY34FZKBOKMUTVV7A\n{SECRET}\n"), Format::Text), [(ID.to_owned(), 1, false)]);
        // Too far away.
        assert_eq!(found(&format!("{ID}{}{SECRET}\n", "\n".repeat(20)), Format::Text), [(ID.to_owned(), 1, false)]);
        assert_eq!(found(&format!("{ID}{}{SECRET}\n", " ".repeat(5000)), Format::Text), [(ID.to_owned(), 1, false)]);
    }

    #[test]
    fn a_secret_of_another_section_does_not_count() {
        let text = format!(
            "[one]\naws_access_key_id={ID}\n[profile two]\naws_secret_access_key={SECRET}\n#[three]\n#aws_access_key_id = {OTHER}\n"
        );
        let hits = find(text.as_bytes(), Format::Ini);
        let seen: Vec<_> = hits.iter().map(|hit| (hit.line, hit.secret, hit.section.as_deref(), hit.commented)).collect();
        assert_eq!(seen, [(2, Secret::None, Some("one"), false), (6, Secret::None, Some("three"), true)]);
    }

    #[test]
    fn digests_and_parts_of_longer_words_are_no_secrets() {
        for other in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            &format!("{SECRET}x"),
            &format!("x{SECRET}"),
            &format!("{SECRET}="),
            &format!("ghp_{SECRET}"),
            "/usr/local/share/applications/mimeapps/",
        ] {
            assert_eq!(found(&format!("{ID} {other}\n"), Format::Text), [(ID.to_owned(), 1, false)], "{other}");
        }
    }

    #[test]
    fn escaped_secrets_are_read_as_they_are_meant() {
        for escaped in [
            SECRET.replace('+', "\\x2b").replace('/', "\\x2f"),
            SECRET.replace('+', "\\u002B").replace('/', "\\/"),
            SECRET.replace('+', "%2B").replace('/', "%2f"),
            SECRET.replace('+', "&#x2B;").replace('/', "&#47;"),
        ] {
            assert_eq!(found(&format!("\n{ID} \"{escaped}\"\n"), Format::Text), [(ID.to_owned(), 2, true)], "{escaped}");
        }
    }

    #[test]
    fn an_argument_of_a_command_about_keys_is_not_an_assignment() {
        let named = |text: &str| find(text.replace("{}", ID).as_bytes(), Format::History)[0].named;
        assert!(
            named("export AWS_ACCESS_KEY_ID={}")
                && named("aws configure set aws_access_key_id {}")
                && named("s3cmd --access_key={}")
        );
        assert!(
            !named("aws iam delete-access-key --access-key-id {}")
                && !named("aws iam x --access-key-id={}")
                && !named("daypass retire {}")
        );
    }

    #[test]
    fn utf_16_is_decoded_with_and_without_a_mark() {
        let units = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        for text in
            [units("\u{feff}id é", u16::to_le_bytes), units("\u{feff}id é", u16::to_be_bytes), units("id é", u16::to_le_bytes)]
        {
            let decoded = decode(&text).unwrap();
            assert!(std::str::from_utf8(&decoded).unwrap().ends_with("id é"));
        }
        assert_eq!(decode(b"plain text"), None);
        assert_eq!(decode(b""), None);
    }

    #[test]
    fn a_hostile_text_takes_no_longer_than_another() {
        let text = format!("{ID},").repeat(2_000) + &"x".repeat(1_000_000);
        let started = std::time::Instant::now();
        assert_eq!(find(text.as_bytes(), Format::Ini).len(), 2_000);
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn any_bytes_are_searched_without_panic(bytes: Vec<u8>, at in 0_usize..64, format in 0..4) {
            let format = [Format::Text, Format::Ini, Format::History, Format::Git][usize::try_from(format).unwrap()];
            let mut bytes = bytes;
            let at = at.min(bytes.len());
            bytes.splice(at..at, format!(" {ID} -at-111122223333:{SECRET}@codecommit ").into_bytes());
            let hits = find(&bytes, format);
            prop_assert!(hits.iter().any(|hit| hit.key.id() == Some(ID)));
            let _ = decode(&bytes);
        }
    }
}
