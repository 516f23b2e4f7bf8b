//! Files that daypass does not edit, and lines that tools misread.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use daypass::error::Error;
use daypass::profile::diagnosis;
use daypass::profile::edit::Change;
use daypass::profile::ini::Level;
use daypass::profile::request::RoleRequest;
use daypass::profile::resolve;
use daypass::profile::store::{Others, update};

use crate::{config, env_at};

fn region() -> [Change; 1] {
    [Change::Profile { name: "a".into(), set: vec![("region".into(), "y".into())], remove: vec![], mark: None }]
}

#[allow(clippy::disallowed_methods)]
fn write(home: &Path, bytes: &[u8]) -> Result<(), Error> {
    let path = home.join(".aws/config");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    update(&env_at(home), &region(), Others::Refuse).map(drop)
}

/// UTF-16 with or without a byte order mark.
fn utf_16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
}

#[test]
#[allow(clippy::disallowed_methods)]
fn a_damaged_file_is_not_edited_and_the_hint_repairs_it() {
    let text = "[profile a]\nregion = x\n[profile bcd]\nregion = x\n";
    let kinds: [(&str, Vec<u8>); 9] = [
        ("UTF-16 with a mark", utf_16(text, true, u16::to_le_bytes)),
        ("UTF-16BE with a mark", utf_16(text, true, u16::to_be_bytes)),
        ("UTF-16LE", utf_16(text, false, u16::to_le_bytes)),
        ("UTF-16BE", utf_16(text, false, u16::to_be_bytes)),
        ("UTF-32", std::iter::once('\u{feff}').chain(text.chars()).flat_map(|c| u32::from(c).to_le_bytes()).collect()),
        ("NUL", text.replace("bcd", "b\0cd").into_bytes()),
        ("CR CR LF", text.replace('\n', "\r\r\n").into_bytes()),
        ("CR", text.replace('\n', "\r").into_bytes()),
        ("Latin-1", [b"# \xe9\n", text.as_bytes()].concat()),
    ];
    for (kind, bytes) in kinds {
        let home = tempfile::tempdir().unwrap();
        let error = write(home.path(), &bytes).unwrap_err();
        let path = home.path().join(".aws/config");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{kind}");
        assert!(error.what.contains(path.to_str().unwrap()), "{kind}: {error}");
        let repair = Command::new("sh").args(["-c", &error.hint]).output().unwrap();
        assert!(repair.status.success(), "{kind}: {} {repair:?}", error.hint);
        update(&env_at(home.path()), &region(), Others::Refuse).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let repaired = fs::read_to_string(&path).unwrap();
        assert!(repaired.contains(&text.replace("= x\n[", "= y\n[")), "{kind}: {repaired:?}");
    }
}

#[test]
fn a_carriage_return_before_each_line_feed_is_no_damage() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), b"[profile a]\r\nregion = x\r\n").unwrap();
}

#[test]
fn what_is_missing_for_the_lines_of_the_file_is_told_with_the_repair() {
    for end in ["\r\r\n", "\r"] {
        let config = config(&"[sso-session s]\nsso_region = x\n[profile a]\nregion = x\n".replace('\n', end), "");
        let request = |profile: Option<&str>| RoleRequest { profile: profile.map(str::to_owned), ..RoleRequest::default() };
        let env = env_at(Path::new("/nonexistent"));
        for error in [
            resolve::target_in(&config, &env, &request(Some("a"))).unwrap_err(),
            resolve::session_in(&config, &RoleRequest { session: Some("s".into()), ..request(None) }).unwrap_err(),
            resolve::session_in(&config, &request(None)).unwrap_err(),
        ] {
            assert!(error.what.contains("carriage return") || error.what.contains("CR CR LF"), "{error}");
            assert!(error.hint.contains("tr "), "{error}");
        }
    }
}

#[test]
fn a_misread_line_has_a_warning() {
    for (line, words) in [
        ("region = eu-west-1 # Ireland", "\"# Ireland\" as part of the value"),
        ("region = eu-west-1 ; Ireland", "\"; Ireland\" as part of the value"),
        ("region = eu-west-1\t# Ireland", "\"# Ireland\" as part of the value"),
        ("region =\u{a0}eu-west-1", "a no-break space (U+00A0)"),
        ("region = eu-west-1\u{a0}", "a no-break space (U+00A0)"),
        ("region\u{a0}= eu-west-1", "a no-break space (U+00A0)"),
        ("\u{a0}region = eu-west-1", "a no-break space (U+00A0)"),
        ("region = eu-west-1\u{3000}", "a Unicode blank (U+3000)"),
        ("region = \u{200b}eu-west-1", "an invisible character (U+200B)"),
        ("[profile\u{a0}b]", "a no-break space (U+00A0)"),
        ("[PROFILE b]", "this section is ignored"),
        ("[profil b]", "this section is ignored"),
        ("[b]", "[profile NAME]"),
    ] {
        let config = config(&format!("[profile a]\noutput = json\n{line}\n"), "");
        let warnings = config.warnings();
        let found = warnings.iter().find(|warning| warning.what.contains(words));
        let found = found.unwrap_or_else(|| panic!("{line}: {warnings:?}"));
        assert_eq!((found.line, found.level), (3, Level::Misread), "{line}");
    }
}

#[test]
fn keys_that_win_over_daypass_have_a_warning() {
    let helper = "[profile a]\ncredential_process = daypass credential-process --session s --account 111122223333 --role R\n";
    let keys =
        "[b]\naws_access_key_id = AKIA\naws_secret_access_key = x\n[a]\naws_access_key_id = AKIA\naws_secret_access_key = x\n";
    let config = config(helper, keys);
    let (warning, others) = diagnosis::worst(&config).unwrap();
    assert_eq!((warning.line, others), (5, 0));
    assert!(warning.line().starts_with("credentials:5: AWS tools use this aws_access_key_id instead"), "{}", warning.line());
    assert!(!warning.line().contains("AKIA"));
}

#[test]
fn the_most_serious_warning_is_first() {
    let config = config("[profile \"x y\"]\nregion = x # c\n[profile a]\nstray\n", "");
    let (warning, others) = diagnosis::worst(&config).unwrap();
    assert_eq!((warning.line, others), (4, 2));
    assert!(diagnosis::worst(&crate::config("[profile \"x y\"]\n", "")).is_none());
}
