//! Reads only the sections of a file whose headers contain certain words. Every other line becomes an empty one, so line numbers stay
//! right. Touches nothing but the reader it is given.
//!
//! The file goes through a small buffer: reading a megabyte into memory takes longer than everything else in a warm call.

use std::io::{self, Read};

use memchr::memmem::Finder;
use zeroize::Zeroizing;

use super::ini;
use crate::secret::Buffer;

/// The size of the buffer in bytes. A smaller file is read at once.
const CHUNK: usize = 64 * 1024;

/// Returns the sections whose header lines contain one of the words. `length` is the file's approximate length in bytes. None if the
/// text can't be scanned by its headers: an indented header (its meaning depends on the lines before it), a byte order mark, a line
/// longer than the buffer.
pub(super) fn scan(file: impl Read, length: u64, words: &[&str]) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let size = usize::try_from(length).unwrap_or(CHUNK).saturating_add(1).min(CHUNK);
    let kept = Zeroizing::new(Vec::with_capacity(size));
    Scanner { words: words.iter().map(Finder::new).collect(), keeps: false, kept }.read(file, &mut Buffer::new(size))
}

struct Scanner<'w> {
    words: Vec<Finder<'w>>,
    /// Whether the section of the last line is kept.
    keeps: bool,
    kept: Zeroizing<Vec<u8>>,
}

impl Scanner<'_> {
    fn read(mut self, mut file: impl Read, buffer: &mut [u8]) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut filled = 0;
        let mut first = true;
        loop {
            let read = match file.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            filled += read;
            let block = buffer.get(..filled).unwrap_or_default();
            if std::mem::take(&mut first) && block.starts_with(b"\xef\xbb\xbf") {
                return Ok(None);
            }
            let whole = if read == 0 { filled } else { memchr::memrchr(b'\n', block).map_or(0, |at| at + 1) };
            if !self.take(block.get(..whole).unwrap_or_default()) {
                return Ok(None);
            }
            if read == 0 {
                return Ok(Some(self.kept));
            }
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            if filled == buffer.len() {
                return Ok(None);
            }
        }
    }

    /// Processes whole lines. False if they can't be skipped.
    fn take(&mut self, block: &[u8]) -> bool {
        let mut headers = Vec::new();
        for (at, blanks) in ini::brackets(block) {
            if blanks > 0 {
                return false;
            }
            headers.push(at);
        }
        if !self.keeps && !self.words.iter().any(|word| word.find(block).is_some()) {
            self.blank(block);
            return true;
        }
        let mut start = 0;
        for end in headers.into_iter().chain([block.len()]) {
            let section = block.get(start..end).unwrap_or_default();
            if section.starts_with(b"[") {
                let header = section.split(|b| *b == b'\n').next().unwrap_or_default();
                self.keeps = self.words.iter().any(|word| word.find(header).is_some());
            }
            if self.keeps {
                self.kept.extend_from_slice(section);
            } else {
                self.blank(section);
            }
            start = end;
        }
        true
    }

    fn blank(&mut self, lines: &[u8]) {
        let length = self.kept.len() + memchr::memchr_iter(b'\n', lines).count();
        self.kept.resize(length, b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str, words: &[&str]) -> Option<String> {
        scan(text.as_bytes(), text.len() as u64, words).unwrap().map(|kept| String::from_utf8(kept.to_vec()).unwrap())
    }

    #[test]
    fn sections_with_the_word_stay_in_place_and_others_become_empty_lines() {
        let text = "# x\n[profile a]\nk = 1\n[profile b]\nk = [2]\n\n[sso-session s]\nk = 3";
        assert_eq!(scanned(text, &["profile b"]).unwrap(), "\n\n\n[profile b]\nk = [2]\n\n\n");
        assert_eq!(scanned(text, &["sso-session"]).unwrap(), "\n\n\n\n\n\n[sso-session s]\nk = 3");
        assert_eq!(scanned(text, &["nothing"]).unwrap(), "\n\n\n\n\n\n\n");
    }

    #[test]
    fn a_text_that_can_not_be_skipped_is_refused() {
        assert_eq!(scanned("[profile a]\n  [profile b]\n", &["b"]), None);
        assert_eq!(scanned("\u{feff}[profile b]\n", &["b"]), None);
        assert_eq!(scanned(&"x".repeat(CHUNK + 1), &["b"]), None);
    }

    #[test]
    fn a_section_may_span_several_buffers() {
        let filler = "[profile other]\nregion = x\n".repeat(3000);
        let text = format!("{filler}[profile mine]\nregion = {}\n{filler}", "y".repeat(50_000));
        let kept = scanned(&text, &["mine"]).unwrap();
        assert_eq!(kept.trim(), format!("[profile mine]\nregion = {}", "y".repeat(50_000)));
        assert_eq!(kept.lines().count(), text.lines().count());
    }
}
