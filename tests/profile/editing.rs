//! Edits of a file, byte for byte, and the edits that are refused.

use daypass::error::Exit;
use daypass::profile::edit::{Change, apply, refuse_other_sources};
use daypass::profile::helper;
use daypass::profile::ini::FileKind;
use daypass::profile::names::{AccountId, RoleName, Session};

use crate::config;
#[cfg(unix)]
use crate::env;

fn set(name: &str, set: &[(&str, &str)], remove: &[&str]) -> Change {
    Change::Profile {
        name: name.to_owned(),
        set: set.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
        remove: remove.iter().map(|&key| key.to_owned()).collect(),
        mark: None,
    }
}

fn edited(text: &str, change: Change) -> String {
    apply(text, FileKind::Config, &[change]).unwrap()
}

fn corp() -> Session {
    Session {
        name: "corp".into(),
        start_url: "https://corp.awsapps.com/start".into(),
        region: "us-east-1".into(),
        scopes: vec!["sso:account:access".into()],
    }
}

#[test]
fn an_empty_file_gets_a_session_and_a_profile_block() {
    let line = helper::line(
        "/usr/bin/daypass",
        "corp",
        &AccountId::new("111122223333").unwrap(),
        &RoleName::new("DeveloperAccess").unwrap(),
    );
    let changes = [Change::Session(corp()), Change::helper("dev", line.unwrap(), vec![("region".into(), "eu-west-1".into())])];
    let expected = "\
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
credential_process = /usr/bin/daypass credential-process --session corp --account 111122223333 --role DeveloperAccess
region = eu-west-1
";
    assert_eq!(apply("", FileKind::Config, &changes).unwrap(), expected);
    assert_eq!(apply(expected, FileKind::Config, &changes).unwrap(), expected);
}

#[test]
fn comments_order_blank_lines_and_nested_values_stay() {
    let text = "# mine\n\n[profile a]\n# why\nregion=x\n\n\ns3 =\n  a = 1\n# about b\n\n[profile b]\nk = 1";
    let expected = "# mine\n\n[profile a]\n# why\nregion=y\n\n\ns3 =\n  a = 1\noutput = json\n# about b\n\n[profile b]\nk = 1";
    assert_eq!(edited(text, set("a", &[("region", "y"), ("output", "json")], &[])), expected);
}

#[test]
fn crlf_is_kept_and_used_for_new_lines() {
    let text = "[profile a]\r\nregion = x\r\n";
    let expected = "[profile a]\r\nregion = y\r\noutput = json\r\n\r\n[profile b]\r\nk = 1\r\n";
    let changes = [set("a", &[("region", "y"), ("output", "json")], &[]), set("b", &[("k", "1")], &[])];
    assert_eq!(apply(text, FileKind::Config, &changes).unwrap(), expected);
}

#[test]
fn a_byte_order_mark_stays_at_the_start() {
    assert_eq!(edited("\u{feff}", set("a", &[("k", "1")], &[])), "\u{feff}[profile a]\nk = 1\n");
    assert_eq!(edited("\u{feff}[profile a]\nk = 1\n", set("a", &[("k", "2")], &[])), "\u{feff}[profile a]\nk = 2\n");
}

#[test]
fn a_missing_final_newline_is_added_before_new_lines() {
    assert_eq!(edited("[profile a]\nk = 1", set("a", &[("j", "2")], &[])), "[profile a]\nk = 1\nj = 2\n");
    assert_eq!(edited("[profile a]\nk = 1", set("b", &[("j", "2")], &[])), "[profile a]\nk = 1\n\n[profile b]\nj = 2\n");
    assert_eq!(edited("[profile a]", set("a", &[("j", "2")], &[])), "[profile a]\nj = 2\n");
}

#[test]
fn a_duplicate_section_is_edited_where_the_effective_key_is() {
    let text = "[profile a]\nk = 1\n[profile b]\n[profile a]\nk = 2\n";
    assert_eq!(
        edited(text, set("a", &[("k", "3"), ("j", "4")], &[])),
        "[profile a]\nk = 1\n[profile b]\n[profile a]\nk = 3\nj = 4\n"
    );
    assert_eq!(edited(text, set("a", &[], &["k"])), "[profile a]\n[profile b]\n[profile a]\n");
}

#[test]
fn the_default_profile_is_edited_in_the_section_that_takes_effect() {
    assert_eq!(edited("", set("default", &[("k", "1")], &[])), "[default]\nk = 1\n");
    let both = "[default]\nk = 1\n[profile default]\nk = 2\n";
    assert_eq!(edited(both, set("default", &[("k", "3")], &[])), "[default]\nk = 1\n[profile default]\nk = 3\n");
}

#[test]
fn keys_match_in_any_case_and_names_match_in_quotes() {
    assert_eq!(edited("[profile \"a b\"]\nRegion = x\n", set("a b", &[("region", "y")], &[])), "[profile \"a b\"]\nRegion = y\n");
}

#[test]
fn a_trailing_comment_moves_above_a_changed_value() {
    assert_eq!(edited("[profile a]\nregion = x # home\n", set("a", &[("region", "y")], &[])), "[profile a]\n# home\nregion = y\n");
    assert_eq!(edited("[profile a]\nregion = x # home\n", set("a", &[("region", "x")], &[])), "[profile a]\nregion = x # home\n");
}

#[test]
fn a_continued_value_is_replaced_whole_and_its_comments_stay() {
    let text = "[profile a]\nk = v\n# note\n  more\nj = 1\n";
    assert_eq!(edited(text, set("a", &[("k", "w")], &[])), "[profile a]\n# note\nk = w\nj = 1\n");
    assert_eq!(edited(text, set("a", &[], &["k"])), "[profile a]\n# note\nj = 1\n");
}

#[test]
fn converting_to_a_helper_removes_only_the_sso_keys() {
    let text = "[profile a]\nsso_session = corp\nregion = x\nsso_account_id = 111122223333\nsso_role_name = R\n";
    let change = Change::helper("a", "daypass credential-process --session corp --account 111122223333 --role R".into(), vec![]);
    let line = "credential_process = daypass credential-process --session corp --account 111122223333 --role R\n";
    assert_eq!(edited(text, change), format!("[profile a]\nregion = x\n{line}"));
}

#[test]
fn removing_an_added_profile_restores_the_file() {
    let text = "[profile a]\nk = 1\n\n# about c\n[profile c]\nk = 3\n";
    let with = edited(text, set("b", &[("k", "2")], &[]).marked("corp"));
    assert_eq!(with, format!("{text}\n[profile b]\n# daypass sync: corp\nk = 2\n"));
    assert_eq!(edited(&with, Change::Forget { name: "b".into() }), text);
    assert_eq!(edited(&with, Change::Forget { name: "none".into() }), with);
    assert_eq!(edited(text, Change::Forget { name: "a".into() }), "# about c\n[profile c]\nk = 3\n");
}

#[test]
fn the_sync_marker_is_read_back_and_replaced() {
    let text = edited("[profile a]\nk = 1\n", set("a", &[], &[]).marked("corp 1"));
    assert_eq!(text, "[profile a]\n# daypass sync: corp 1\nk = 1\n");
    assert_eq!(config(&text, "").profile("a").unwrap().mark.as_deref(), Some("corp 1"));
    assert_eq!(edited(&text, set("a", &[], &[]).marked("corp 2")), "[profile a]\n# daypass sync: corp 2\nk = 1\n");
}

#[test]
fn text_that_tools_read_differently_is_not_written() {
    for value in ["", " x", "x ", "a\nb", "a\rb", "a\0b", "a\u{85}b", "x # c", "x ; c", "# c", "\"x\""] {
        let error = apply("", FileKind::Config, &[set("a", &[("k", value)], &[])]).unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{value:?}");
    }
    for name in ["", "a b", "a]", "a\n[default]", "é", "a\"b", "a#b"] {
        let error = apply("", FileKind::Config, &[set(name, &[("k", "1")], &[])]).unwrap_err();
        assert_eq!(error.exit, Exit::Usage, "{name:?}");
    }
    for key in ["", "A", "a b", "a=b", "a\nb", "#a"] {
        assert!(apply("", FileKind::Config, &[set("a", &[(key, "1")], &[])]).is_err(), "{key:?}");
    }
    assert!(apply("", FileKind::Config, &[set("a", &[("k", "1")], &[]).marked("x\n[default]")]).is_err());
}

#[test]
fn two_edits_of_one_profile_are_refused() {
    let error = apply("", FileKind::Config, &[set("a", &[("k", "1")], &[]), set("a", &[("k", "2")], &[])]).unwrap_err();
    assert!(error.what.contains("twice"), "{error}");
}

#[test]
fn a_file_that_rust_ini_misreads_can_still_be_edited() {
    for text in [
        "[profile a] # c\nk = 1\n",
        "[profile a]\nk = C:\\dir\\\n",
        "[profile a]\nk = v\n  more\n",
        "[profile a]\n# c\n[profile b]\nk: 1\n",
        "[default]\nk = 1\n[profile default]\nk = 2\n[profile a]\n",
    ] {
        let after = edited(text, set("a", &[("region", "x")], &[]));
        assert_eq!(config(&after, "").profile("a").unwrap().text("region"), Some("x"), "{text:?}");
    }
}

#[test]
fn ten_thousand_profiles_can_be_written_at_once() {
    let changes: Vec<Change> = (0..10_000).map(|n| set(&format!("p{n}"), &[("region", "x")], &[]).marked("corp")).collect();
    let text = apply("", FileKind::Config, &changes).unwrap();
    assert_eq!(config(&text, "").profiles().len(), 10_000);
    assert_eq!(apply(&text, FileKind::Config, &changes).unwrap(), text);
}

fn refused(config_text: &str, credentials: &str, change: Change) -> Option<String> {
    refuse_other_sources(&config(config_text, credentials), &[change]).err().map(|error| error.what)
}

fn to_helper() -> Change {
    Change::helper("a", "daypass credential-process --profile b".into(), vec![])
}

#[test]
fn a_profile_with_another_credential_source_is_not_converted() {
    let what = refused("[profile a]\nregion = x\n", "[a]\naws_access_key_id = AKIA\n", to_helper()).unwrap();
    assert!(what.contains("aws_access_key_id (credentials:2)") && !what.contains("AKIA"), "{what}");
    for key in
        ["role_arn", "source_profile", "credential_source", "web_identity_token_file", "login_session", "aws_secret_access_key"]
    {
        assert!(refused(&format!("[profile a]\n{key} = x\n"), "", to_helper()).unwrap().contains(key));
    }
    assert!(refused("[profile a]\ncredential_process = other\n", "", to_helper()).unwrap().contains("another program"));
    assert!(refused("", "[a]\nsso_session = corp\n", to_helper()).unwrap().contains("sso_session (credentials:2)"));
}

#[test]
fn native_profiles_and_existing_helpers_can_be_converted() {
    assert_eq!(refused("[profile a]\nsso_session = corp\nsso_account_id = 1\nregion = x\n", "", to_helper()), None);
    assert_eq!(refused("[profile a]\ncredential_process = /x/daypass credential-process --profile c\n", "", to_helper()), None);
    let native = Change::native("a", "corp", "111122223333", "R", vec![]);
    assert_eq!(refused("[profile a]\ncredential_process = /x/daypass credential-process --profile c\n", "", native), None);
    assert_eq!(refused("[profile a]\nrole_arn = x\n", "", set("a", &[("region", "y")], &[])), None);
}

#[test]
fn the_helper_line_is_quoted_only_if_needed_and_a_shell_reads_it_alike() {
    let (account, role) = (AccountId::new("111122223333").unwrap(), RoleName::new("R").unwrap());
    let line_for = |program: &str, session: &str| helper::line(program, session, &account, &role);
    let line = |program: &str| line_for(program, "corp");
    let arguments = "credential-process --session corp --account 111122223333 --role R";
    assert_eq!(line("/usr/bin/daypass").unwrap(), format!("/usr/bin/daypass {arguments}"));
    assert_eq!(line("daypass").unwrap(), format!("daypass {arguments}"));
    assert_eq!(line("/a b/daypass").unwrap(), format!("\"/a b/daypass\" {arguments}"));
    for odd in ["/a b/daypass", "/a'b/daypass", "/a&b/daypass", "/a(b)/daypass", "/é/daypass", "/a*b/daypass", "/a;b/daypass"] {
        let line = line(odd).unwrap();
        let script = format!("set -- {line}; printf '%s\\n' \"$@\"");
        #[allow(clippy::disallowed_methods)]
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{odd}\n{}\n", arguments.replace(' ', "\n")));
        assert_eq!(helper::read(&line).unwrap().session.as_deref(), Some("corp"), "{line}");
        let text = edited("", Change::helper("a", line.clone(), vec![]));
        assert_eq!(config(&text, "").profile("a").unwrap().text("credential_process"), Some(&*line));
    }
    for bad in ["/a\"b", "/a$b", "/a`b", "/a\\b", "/a!b", "/a #b", "/a ;b", "/a\nb", "~/bin/daypass", "bin/daypass", ""] {
        assert_eq!(line(bad).unwrap_err().exit, Exit::Usage, "{bad:?}");
    }
    assert!(line_for("daypass", "a b").is_err() && line_for("daypass", "-x").is_err());
}

#[test]
#[cfg(unix)]
fn the_program_path_is_its_link_on_path() {
    let folder = tempfile::tempdir().unwrap();
    let (other, mine) = (folder.path().join("other"), folder.path().join("mine"));
    for path in [&other, &mine] {
        std::fs::create_dir(path).unwrap();
    }
    std::fs::copy("/bin/true", other.join("daypass")).unwrap();
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), mine.join("daypass")).unwrap();
    let path = format!(":relative:{}:{}", other.display(), mine.display());
    assert_eq!(helper::program(&env(&[("PATH", &path)]), None).unwrap(), mine.join("daypass").to_str().unwrap());
    assert_eq!(helper::program(&env(&[]), None).unwrap(), std::env::current_exe().unwrap().to_str().unwrap());
    assert_eq!(helper::program(&env(&[("PATH", &path)]), Some("daypass")).unwrap(), "daypass");
}
