//! Properties of any file, checked with generated ones.

#![allow(clippy::disallowed_methods)] // Tests write files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use daypass::error::Exit;
use daypass::profile::Config;
use daypass::profile::edit::{Change, apply};
use daypass::profile::helper;
use daypass::profile::ini::{Document, FileKind, lines};
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::profile::request::RoleRequest;
use daypass::profile::resolve::{session_in, sessions, target_in};
use proptest::prelude::*;

use crate::grammar::{by_sdk, same};
use crate::{config, env};

/// Meaningful lines, valid and invalid, so that most files resemble real ones.
fn any_line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["default", "a", "b", "c.d/e@f:g+h%i-j_k", "\"q r\"", "x y", "é"]);
    let key =
        prop::sample::select(vec!["region", "Region", "output", "s3", "sso_session", "credential_process", "k", "bad key", ""]);
    let value =
        prop::sample::select(vec!["x", "", "a=b", "x # c", "x;c", "\"x\"", "eu-west-1", "C:\\dir\\", "ü", "https://e/#/", "1 ; c"]);
    let indent = prop::sample::select(vec!["", "", "", "", " ", "  ", "\t"]);
    prop_oneof![
        3 => (name.clone(), prop::sample::select(vec!["profile ", "profile ", "sso-session ", "", "services ", "profile\t"]), prop::sample::select(vec!["]", "]", "]", "] # c", "", "] junk"]), indent.clone())
            .prop_map(|(name, kind, end, indent)| format!("{indent}[{kind}{name}{end}")),
        6 => (key, value, indent, prop::sample::select(vec![" = ", "=", " =", ": ", ""])).prop_map(|(key, value, indent, sign)| format!("{indent}{key}{sign}{value}")),
        1 => prop::sample::select(vec!["", "  ", "# c", "; c", "  # c", "# daypass sync: corp", "junk"]).prop_map(str::to_owned),
    ]
}

pub(crate) fn any_file() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["\n", "\n", "\r\n"]);
    (prop::collection::vec(any_line(), 0..14), end, any::<bool>(), prop::bool::weighted(0.05)).prop_map(
        |(lines, end, ended, bom)| {
            let text = lines.join(end) + if ended { end } else { "" };
            if bom { format!("\u{feff}{text}") } else { text }
        },
    )
}

/// A file that the SDK accepts.
fn good_file() -> impl Strategy<Value = String> {
    let section = prop::sample::select(vec![
        "[profile a]",
        "[profile b] # c",
        "[default]",
        "[profile default]",
        "[sso-session s]",
        "[foo]",
        "[services s]",
    ]);
    let property = prop::sample::select(vec![
        "region = x",
        "REGION=y",
        "k = v # c",
        "k = v;c",
        "sso_session = s\n  more",
        "k = v\n\n  more # c",
        "s3 =\n  a = 1\n\n  b =",
        "k =",
        "# c",
        "; c",
        "",
        "bad key = 1\n  more",
    ]);
    let section =
        (section, prop::collection::vec(property, 0..5)).prop_map(|(head, body)| format!("{head}\n{}\n", body.join("\n")));
    prop::collection::vec(section, 0..6).prop_map(|sections| sections.concat())
}

fn any_change() -> impl Strategy<Value = Change> {
    let name = prop::sample::select(vec!["default", "a", "b", "q r", "new", "c.d/e@f:g+h%i-j_k"]);
    let key = prop::sample::select(vec!["region", "output", "k", "sso_session", "credential_process", "s3"]);
    let value = prop::sample::select(vec!["x", "eu-west-1", "\"/a b/daypass\" credential-process --profile p", "a=b"]);
    let mark = prop::option::weighted(0.3, prop::sample::select(vec!["corp", "corp 111122223333 Role"]));
    prop_oneof![
        6 => (name.clone(), prop::collection::btree_map(key.clone(), value, 0..4), prop::collection::btree_set(key, 0..3), mark).prop_map(|(name, set, remove, mark)| Change::Profile {
            name: name.to_owned(),
            set: set.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            remove: remove.into_iter().map(str::to_owned).collect(),
            mark: mark.map(str::to_owned),
        }),
        1 => name.prop_map(|name| Change::Forget { name: name.to_owned() }),
        1 => Just(Change::Session(Session { name: "a".into(), start_url: "https://e/start#/".into(), region: "x".into(), scopes: vec!["sso:account:access".into()] })),
    ]
}

/// Most tools reject such a file; we may refuse to change it.
fn has_indented_header(text: &str) -> bool {
    text.lines().any(|line| line.starts_with([' ', '\t']) && line.trim_start().starts_with('['))
}

type Meaning = BTreeMap<String, BTreeMap<String, String>>;

fn profiles(config: &Config) -> Meaning {
    let block = |block: daypass::profile::Block<'_>| {
        let values = block.values.iter().map(|value| (value.key.to_string(), value.text.to_string())).collect();
        (block.name.to_string(), values)
    };
    config.profiles().into_iter().map(block).collect()
}

fn name_of(change: &Change) -> &str {
    match change {
        Change::Session(session) => &session.name,
        Change::Profile { name, .. } | Change::Forget { name } => name,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_can_be_parsed_and_their_lines_join_to_the_input(text in prop::collection::vec(any::<u8>(), 0..300), credentials in any::<bool>()) {
        let file = if credentials { FileKind::Credentials } else { FileKind::Config };
        let document = Document::parse(&text, file);
        for section in document.sections() {
            for entry in document.entries(section) {
                let _ = (document.key(entry), document.value(entry));
            }
        }
        let _ = (document.warnings(), document.groups().len());
        let whole: Vec<u8> = lines(&text, 0..text.len()).flat_map(|line| text[line.text.start..line.next].to_vec()).collect();
        prop_assert_eq!(whole, text);
    }

    #[test]
    fn sections_and_keys_are_in_order_and_do_not_overlap(text in any_file()) {
        let document = Document::parse(text.as_bytes(), FileKind::Config);
        let mut end = 0;
        for section in document.sections() {
            prop_assert!(section.header.start >= end);
            end = section.header.end;
            for entry in document.entries(section) {
                prop_assert!(entry.span.start >= end);
                prop_assert!(entry.value.start >= entry.span.start && entry.value.end <= entry.text_end && entry.text_end <= entry.span.end);
                end = entry.span.end;
            }
            prop_assert!(section.body_end >= end && section.body_end <= text.len());
        }
    }

    #[test]
    fn an_empty_edit_changes_no_byte(text in any_file()) {
        prop_assert_eq!(apply(&text, FileKind::Config, &[]).unwrap(), text);
    }

    #[test]
    fn an_edit_changes_the_meaning_only_as_requested(text in any_file(), change in any_change()) {
        let after = match apply(&text, FileKind::Config, std::slice::from_ref(&change)) {
            Ok(after) => after,
            // Refused: a new name that only some tools read, and a key whose value would continue with the indented section line after it.
            Err(error) if error.exit == Exit::Usage => {
                prop_assert_eq!(name_of(&change), "q r");
                prop_assert!(config(&text, "").profile("q r").is_none());
                return Ok(());
            }
            Err(error) => {
                prop_assert!(has_indented_header(&text), "{}", error);
                return Ok(());
            }
        };
        let mut expected = profiles(&config(&text, ""));
        match &change {
            Change::Session(session) => {
                let config = config(&after, "");
                let block = config.session("a").unwrap();
                prop_assert_eq!(block.text("sso_start_url"), Some(&*session.start_url));
            }
            Change::Forget { name } => { expected.remove(name); }
            Change::Profile { name, set, remove, .. } => {
                let values = expected.entry(name.clone()).or_default();
                values.retain(|key, _| !remove.contains(key));
                values.extend(set.iter().cloned());
            }
        }
        prop_assert_eq!(profiles(&config(&after, "")), expected);
        // A second time changes nothing.
        prop_assert_eq!(apply(&after, FileKind::Config, &[change]).unwrap(), after);
    }

    #[test]
    fn bytes_outside_the_edited_section_stay(text in any_file(), change in any_change()) {
        let Ok(after) = apply(&text, FileKind::Config, std::slice::from_ref(&change)) else { return Ok(()) };
        // Every line outside the changed keys is there in the old order.
        let mut left = after.split_inclusive('\n');
        let document = Document::parse(text.as_bytes(), FileKind::Config);
        let touched = |at: usize| document.sections().iter().any(|section| {
            let whole = section.header.start.saturating_sub(3)..section.body_end + 2;
            section.name == name_of(&change) && whole.contains(&at)
        });
        for line in lines(text.as_bytes(), 0..text.len()) {
            if !touched(line.text.start) {
                let old = &text[line.text.start..line.next];
                // A last line without a line end gets one if something follows it now.
                let same = |new: &str| new == old || !old.ends_with('\n') && new.trim_end() == old.trim_end();
                prop_assert!(old == "\u{feff}" || left.any(same), "{:?} is gone from {:?}", old, after);
            }
        }
    }

    #[test]
    fn edits_applied_together_equal_edits_applied_one_by_one(text in any_file(), changes in prop::collection::vec(any_change(), 0..5)) {
        let mut names = std::collections::HashSet::new();
        let changes: Vec<Change> = changes.into_iter().filter(|change| !matches!(change, Change::Session(_)) && names.insert(name_of(change).to_owned())).collect();
        let one_by_one = changes.iter().try_fold(text.clone(), |text, change| apply(&text, FileKind::Config, std::slice::from_ref(change)));
        match (apply(&text, FileKind::Config, &changes), one_by_one) {
            (Ok(at_once), Ok(one_by_one)) => prop_assert_eq!(profiles(&config(&at_once, "")), profiles(&config(&one_by_one, ""))),
            (at_once, one_by_one) => prop_assert!(has_indented_header(&text) || at_once.is_err() == one_by_one.is_err()),
        }
    }

    #[test]
    fn files_that_the_sdk_accepts_are_read_as_the_sdk_reads_them(first in good_file(), second in good_file()) {
        let second = second.replace("profile ", "");
        let sdk = by_sdk(&first, &second).expect("the SDK accepts these files");
        prop_assert!(same(&config(&first, &second), &sdk), "{first}\n---\n{second}");
    }

    #[test]
    fn the_sdk_reads_edited_files_as_daypass_does(text in good_file(), changes in prop::collection::vec(any_change(), 0..3)) {
        if let Ok(after) = apply(&text, FileKind::Config, &changes) {
            let sdk = by_sdk(&after, "").expect("the SDK accepts what was written");
            prop_assert!(same(&Config::of_texts((PathBuf::new(), after.clone()), Default::default()), &sdk), "{after}");
        }
    }

    #[test]
    fn a_written_program_path_is_read_back_as_one_word(path in "/[ -~é]{0,12}(/[a-z #;%&'()*]{1,6})?") {
        let (account, role) = (AccountId::new("111122223333").unwrap(), RoleName::new("R").unwrap());
        let Ok(line) = helper::line(&path, "corp", &account, &role) else { return Ok(()) };
        let words = shlex::split(&line).unwrap();
        prop_assert_eq!(&words[..4], [&*path, "credential-process", "--session", "corp"]);
        let after = apply("", FileKind::Config, &[Change::helper("a", line.clone(), vec![])]).unwrap();
        let written = config(&after, "");
        let profile = written.profile("a").unwrap();
        prop_assert_eq!(profile.text("credential_process"), Some(&*line));
    }

    #[test]
    fn resolving_never_panics_on_any_file(text in any_file(), credentials in any_file(), line in "(daypass )?[ -~]{0,40}") {
        let text = format!("{text}\n[profile z]\ncredential_process = {line}\n");
        let config = config(&text, &credentials);
        for name in ["default", "a", "z", "q r"] {
            let asked = RoleRequest { profile: Some(name.to_owned()), ..RoleRequest::default() };
            let _ = (target_in(&config, &env(&[]), &asked), session_in(&config, &asked), target_in(&config, &env(&[("AWS_PROFILE", name)]), &RoleRequest::default()));
        }
        let _ = (sessions(&config), session_in(&config, &RoleRequest::default()));
    }

    #[test]
    fn reading_one_section_of_any_file_equals_reading_the_whole_file(text in any_file(), credentials in any_file()) {
        let config = config(&text, &credentials);
        let show = |block: &daypass::profile::Block<'_>| {
            let mut values: Vec<String> = block.values.iter().map(|value| format!("{}={} {}", value.key, value.text, value.place())).collect();
            values.sort();
            values
        };
        for block in config.profiles() {
            prop_assert_eq!(show(&config.profile(&block.name).unwrap()), show(&block));
        }
        for block in config.sessions() {
            prop_assert_eq!(show(&config.session(&block.name).unwrap()), show(&block));
        }
    }

    #[test]
    fn reading_a_file_in_part_equals_reading_the_whole_file(text in any_file(), credentials in any_file(), filler in 0usize..3000) {
        // Larger than the buffer, so that sections span several.
        let text = text + "\n" + &"[profile filler]\nregion = somewhere-else-1\n".repeat(filler);
        let home = tempfile::tempdir().unwrap();
        let (config, shared) = (home.path().join("config"), home.path().join("credentials"));
        std::fs::write(&config, &text).unwrap();
        std::fs::write(&shared, &credentials).unwrap();
        let env = env(&[("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", shared.to_str().unwrap())]);
        let whole = Config::read(&env).unwrap();
        for name in ["default", "a", "z", "b-1"] {
            let Some(part) = Config::read_for(&env, Some(name)) else { continue };
            let show = |config: &Config| {
                let block = config.profile(name)?;
                Some(block.values.iter().map(|value| format!("{}={} {}", value.key, value.text, value.place())).collect::<Vec<_>>())
            };
            prop_assert_eq!(show(&part), show(&whole));
            for block in whole.sessions() {
                let texts = |config: &Config| config.session(&block.name).map(|block| format!("{:?}", block.values.iter().map(|value| (value.key.to_string(), value.text.to_string(), value.line)).collect::<Vec<_>>()));
                prop_assert_eq!(texts(&part), texts(&whole));
            }
        }
    }
}
