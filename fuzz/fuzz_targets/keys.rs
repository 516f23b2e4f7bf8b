//! Searches arbitrary bytes for keys. Nothing panics, lines are lines of the text, and a key that is added is found.
#![no_main]

use daypass::access_key::LongLivedKey;
use daypass::audit::find::{decode, find};
use daypass::audit::{accepted, places::Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = decode(data);
    let text = text.as_ref().map_or(data, |text| text.as_slice());
    let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
    for format in [Format::Text, Format::Ini, Format::History, Format::Git] {
        for hit in find(text, format) {
            assert!((1..=lines).contains(&hit.line));
            // What is shown of a key is its ID alone.
            assert!(hit.key.masked().chars().count() <= 9 && hit.key.id().is_none_or(|id| id.len() < 200));
        }
        let more = [text, b"\nid AKIARZPUZDIKGB2VALC4\n"].concat();
        let added = LongLivedKey::access("AKIARZPUZDIKGB2VALC4");
        assert!(find(&more, format).iter().any(|hit| Some(&hit.key) == added.as_ref() && hit.line == lines + 1));
    }
    let _ = accepted::read(&String::from_utf8_lossy(data));
});
