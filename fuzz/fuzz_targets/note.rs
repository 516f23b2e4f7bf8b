//! Parses any note of a lock file: nothing panics, and a note that can be read stays the same when it is written and read again.
#![no_main]

use daypass::broker::note_round_trip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    if let Some(written) = note_round_trip(line) {
        assert_eq!(note_round_trip(&written).as_deref(), Some(&*written));
    }
});
