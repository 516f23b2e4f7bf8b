//! Parses arbitrary bytes. Nothing panics, every range is within the text, and the scan for one section finds the same entries as the full
//! parser.
#![no_main]

use daypass::profile::ini::{Document, FileKind, lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for file in [FileKind::Config, FileKind::Credentials] {
        let parsed = Document::parse(text, file);
        let _ = parsed.warnings();
        for group in parsed.groups() {
            let first = group.first().expect("every group has a section");
            for section in &group.sections {
                assert!(text.get(section.header.clone()).is_some() && section.body_end <= text.len());
                for entry in parsed.entries(section) {
                    assert!(text.get(entry.span.clone()).is_some() && entry.text_end <= entry.span.end);
                    let key = parsed.key(entry);
                    assert!(parsed.is_key(entry, &key) || key.contains('\u{fffd}'));
                }
            }
            let found = Document::find(text, file, first.kind, &first.name);
            let entries_of = |document: &Document<'_>| -> Vec<(String, String)> {
                let groups = document.groups();
                let group = groups
                    .iter()
                    .find(|other| other.first().is_some_and(|other| (other.kind, &other.name) == (first.kind, &first.name)));
                let sections = group.map(|group| group.sections.clone()).unwrap_or_default();
                let entries = sections.iter().flat_map(|section| document.entries(section));
                entries.map(|entry| (document.key(entry).into_owned(), document.value(entry).into_owned())).collect()
            };
            assert_eq!(entries_of(&found), entries_of(&parsed));
        }
    }
    let pieces: Vec<u8> = lines(text, 0..text.len()).flat_map(|line| text[line.text.start..line.next].to_vec()).collect();
    assert_eq!(pieces, text);
});
