//! Parses any bytes: nothing panics, every range is within the text, and a search for one section finds what parsing the whole finds.
#![no_main]

use daypass::profile::ini::{Document, FileKind, lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for file in [FileKind::Config, FileKind::Credentials] {
        let whole = Document::parse(text, file);
        let _ = whole.warnings();
        for group in whole.groups() {
            let first = group.first().expect("a group has a section");
            for section in &group.sections {
                assert!(text.get(section.header.clone()).is_some() && section.body_end <= text.len());
                for entry in whole.entries(section) {
                    assert!(text.get(entry.span.clone()).is_some() && entry.text_end <= entry.span.end);
                    let key = whole.key(entry);
                    assert!(whole.is_key(entry, &key) || key.contains('\u{fffd}'));
                }
            }
            let found = Document::find(text, file, first.kind, &first.name);
            let values = |document: &Document<'_>| -> Vec<(String, String)> {
                let groups = document.groups();
                let wanted = groups.iter().find(|other| other.first().is_some_and(|other| (other.kind, &other.name) == (first.kind, &first.name)));
                let sections = wanted.map(|group| group.sections.clone()).unwrap_or_default();
                let entries = sections.iter().flat_map(|section| document.entries(section));
                entries.map(|entry| (document.key(entry).into_owned(), document.value(entry).into_owned())).collect()
            };
            assert_eq!(values(&found), values(&whole));
        }
    }
    let pieces: Vec<u8> = lines(text, 0..text.len()).flat_map(|line| text[line.text.start..line.next].to_vec()).collect();
    assert_eq!(pieces, text);
});
