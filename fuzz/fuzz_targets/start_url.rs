//! Parses any start URL: nothing panics, a cleaned address stays the same when cleaned again, and what a browser adds changes nothing.
#![no_main]

use daypass::profile::ini::is_plain_name;
use daypass::profile::start_url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    assert!(is_plain_name(&start_url::session_name(text)));
    assert!(start_url::region(text).is_none_or(start_url::is_region));
    assert!(start_url::is_same(text, text));
    if let Ok(url) = start_url::clean(text) {
        assert_eq!(start_url::clean(&url).as_deref(), Ok(&*url));
        assert!(start_url::is_same(&url, &format!("{url}/#/")));
        assert_eq!(start_url::region(&url), start_url::region(&format!("{url}/#/")));
    }
});
