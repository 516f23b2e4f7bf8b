//! Reads of a large file what one question needs: the sections whose headers hold certain words, with every other line left empty, so that
//! line numbers stay true. The file goes through a small buffer: taking a megabyte into memory takes longer than all else that a warm
//! call does. Touches nothing but the reader it is given.

use std::io::{self, Read};

use memchr::memmem::Finder;
use zeroize::Zeroizing;

use super::ini;

/// What is read at a time, and of a smaller file all.
const CHUNK: usize = 64 * 1024;

/// The sections whose header lines hold one of the words, of a file of about this length. None where the text is not one that can be passed over by its headers: a
/// header behind blanks (what it is depends on the lines before it), a byte order mark, a line longer than the buffer.
pub(super) fn scan(mut file: impl Read, length: u64, words: &[&str]) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut sieve =
        Sieve { words: words.iter().map(Finder::new).collect(), keeps: false, kept: Zeroizing::new(Vec::with_capacity(CHUNK)) };
    let size = usize::try_from(length).unwrap_or(CHUNK).saturating_add(1).min(CHUNK);
    let mut buffer = Zeroizing::new(vec![0; size]);
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
        if !sieve.take(block.get(..whole).unwrap_or_default()) {
            return Ok(None);
        }
        if read == 0 {
            return Ok(Some(sieve.kept));
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
        if filled == buffer.len() {
            return Ok(None);
        }
    }
}

struct Sieve<'w> {
    words: Vec<Finder<'w>>,
    /// Whether the section that the last line was in is kept.
    keeps: bool,
    kept: Zeroizing<Vec<u8>>,
}

impl Sieve<'_> {
    /// Takes whole lines. False where they can't be passed over.
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

    fn sifted(text: &str, words: &[&str]) -> Option<String> {
        scan(text.as_bytes(), text.len() as u64, words).unwrap().map(|kept| String::from_utf8(kept.to_vec()).unwrap())
    }

    #[test]
    fn sections_with_the_word_stay_where_they_were_and_others_leave_empty_lines() {
        let text = "# x\n[profile a]\nk = 1\n[profile b]\nk = [2]\n\n[sso-session s]\nk = 3";
        assert_eq!(sifted(text, &["profile b"]).unwrap(), "\n\n\n[profile b]\nk = [2]\n\n\n");
        assert_eq!(sifted(text, &["sso-session"]).unwrap(), "\n\n\n\n\n\n[sso-session s]\nk = 3");
        assert_eq!(sifted(text, &["nothing"]).unwrap(), "\n\n\n\n\n\n\n");
    }

    #[test]
    fn what_can_not_be_passed_over_is_not() {
        assert_eq!(sifted("[profile a]\n  [profile b]\n", &["b"]), None);
        assert_eq!(sifted("\u{feff}[profile b]\n", &["b"]), None);
        assert_eq!(sifted(&"x".repeat(CHUNK + 1), &["b"]), None);
    }

    #[test]
    fn a_section_may_lie_across_the_ends_of_the_buffer() {
        let filler = "[profile other]\nregion = x\n".repeat(3000);
        let text = format!("{filler}[profile mine]\nregion = {}\n{filler}", "y".repeat(50_000));
        let kept = sifted(&text, &["mine"]).unwrap();
        assert_eq!(kept.trim(), format!("[profile mine]\nregion = {}", "y".repeat(50_000)));
        assert_eq!(kept.lines().count(), text.lines().count());
    }
}
