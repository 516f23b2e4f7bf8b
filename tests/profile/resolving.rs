//! Requests and what they resolve to.

use daypass::error::{Error, Exit};
use daypass::profile::index::ProfileIndex;
use daypass::profile::names::Session;
use daypass::profile::request::{Account, RoleRequest};
use daypass::profile::resolve::{RoleTarget, session_in, sessions, target, target_in};

use crate::{config, env, env_at};

const CORP: &str = "\
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access, other
";

const HELPER: &str = "daypass credential-process --session corp --account 111122223333 --role Dev";

fn asked(flags: &[(&str, &str)]) -> RoleRequest {
    let mut asked = RoleRequest::default();
    for &(flag, value) in flags {
        let place = match flag {
            "profile" => &mut asked.profile,
            "session" => &mut asked.session,
            "start-url" => &mut asked.start_url,
            "sso-region" => &mut asked.sso_region,
            "scopes" => &mut asked.scopes,
            "account" => &mut asked.account,
            "role" => &mut asked.role,
            "region" => &mut asked.region,
            other => panic!("{other}"),
        };
        *place = Some(value.to_owned());
    }
    asked
}

fn resolve(text: &str, vars: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<RoleTarget, Error> {
    target_in(&config(&format!("{CORP}{text}"), ""), &env(vars), &asked(flags))
}

/// `session account role region profile`, `-` for none.
fn shown(target: &RoleTarget) -> String {
    let account = match &target.account {
        Account::Id(id) => id.as_str(),
        Account::Name(name) => name,
    };
    let or_none = |value: &Option<String>| value.clone().unwrap_or("-".into());
    format!("{} {account} {} {} {}", target.session.name, target.role, or_none(&target.region), or_none(&target.profile))
}

fn means(text: &str, vars: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    resolve(text, vars, flags).map_or_else(|error| panic!("{error}"), |target| shown(&target))
}

fn fails(text: &str, vars: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let error = resolve(text, vars, flags).unwrap_err();
    assert_eq!(error.exit, Exit::Usage, "{error}");
    assert!(!error.hint.is_empty());
    error.to_string()
}

const NATIVE: &str = "[profile dev]\nsso_session = corp\nsso_account_id = 000022223333\nsso_role_name = Dev\nregion = eu-west-1\n";

#[test]
fn native_helper_and_legacy_profiles_resolve() {
    assert_eq!(means(NATIVE, &[], &[("profile", "dev")]), "corp 000022223333 Dev eu-west-1 dev");
    let helper = format!("[profile dev]\ncredential_process = {HELPER}\nregion = eu-west-1\n");
    assert_eq!(means(&helper, &[], &[("profile", "dev")]), "corp 111122223333 Dev eu-west-1 dev");
    let legacy =
        "[profile dev]\nsso_start_url = https://old\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = Dev\n";
    let target = resolve(legacy, &[], &[("profile", "dev")]).unwrap();
    let session =
        Session { name: "https://old".into(), start_url: "https://old".into(), region: "eu-west-1".into(), scopes: vec![] };
    assert_eq!((shown(&target), target.session), ("https://old 111122223333 Dev - dev".to_owned(), session));
}

#[test]
fn a_session_block_gives_start_url_region_and_scopes() {
    let session = resolve(NATIVE, &[], &[("profile", "dev")]).unwrap().session;
    assert_eq!((&*session.start_url, &*session.region), ("https://corp.awsapps.com/start", "us-east-1"));
    assert_eq!(session.scopes, ["sso:account:access", "other"]);
}

#[test]
fn the_flag_wins_over_aws_profile_which_wins_over_default() {
    let text = format!("{NATIVE}{}{}", NATIVE.replace("[profile dev]", "[default]"), NATIVE.replace("dev]", "other]"));
    assert!(means(&text, &[("AWS_PROFILE", "other")], &[("profile", "dev")]).ends_with(" dev"));
    assert!(means(&text, &[("AWS_PROFILE", "other")], &[]).ends_with(" other"));
    assert!(means(&text, &[], &[]).ends_with(" default"));
}

#[test]
fn flags_override_the_profile() {
    let flags = [("profile", "dev"), ("role", "Admin"), ("account", "Sandbox"), ("region", "us-west-2")];
    assert_eq!(means(NATIVE, &[], &flags), "corp Sandbox Admin us-west-2 dev");
    let flags = [("profile", "dev"), ("start-url", "https://x"), ("sso-region", "us-west-2")];
    assert_eq!(means(NATIVE, &[], &flags), "https://x 000022223333 Dev eu-west-1 dev");
}

#[test]
fn session_account_and_role_flags_ignore_aws_profile() {
    let flags = [("session", "corp"), ("account", "111122223333"), ("role", "Dev")];
    assert_eq!(means("", &[("AWS_PROFILE", "missing")], &flags), "corp 111122223333 Dev - -");
    assert_eq!(means(NATIVE, &[("AWS_PROFILE", "dev")], &flags), "corp 111122223333 Dev - -");
    let flags = [&flags[..], &[("profile", "dev")]].concat();
    assert_eq!(means(NATIVE, &[], &flags), "corp 111122223333 Dev eu-west-1 dev");
    assert!(fails("", &[], &flags).contains("no profile \"dev\""));
}

#[test]
fn start_url_and_region_flags_need_no_config_file() {
    let flags =
        [("start-url", "https://x"), ("sso-region", "eu-west-1"), ("account", "111122223333"), ("role", "Dev"), ("scopes", "a,b")];
    let folder = tempfile::tempdir().unwrap();
    let target = target(&env_at(folder.path()), &asked(&flags)).unwrap();
    assert_eq!(
        (shown(&target), target.session.scopes),
        ("https://x 111122223333 Dev - -".into(), vec!["a".to_owned(), "b".to_owned()])
    );
    assert!(fails("", &[], &flags[1..]).contains("--sso-region needs --start-url"));
    assert!(fails("", &[], &[flags[0], flags[2], flags[3]]).contains("--start-url needs --sso-region"));
}

#[test]
fn account_and_role_flags_use_the_only_session_unless_a_profile_is_chosen() {
    let flags = [("account", "111122223333"), ("role", "Dev")];
    assert_eq!(means("", &[], &flags), "corp 111122223333 Dev - -");
    assert_eq!(means("[default]\naws_access_key_id = A\n", &[], &flags), "corp 111122223333 Dev - -");
    assert!(
        fails("[profile keys]\naws_access_key_id = A\naws_secret_access_key = x\n", &[("AWS_PROFILE", "keys")], &flags)
            .contains("static access keys")
    );
}

#[test]
fn a_helper_line_is_parsed_in_every_spelling() {
    for line in [
        HELPER,
        "/usr/bin/daypass credential-process --role Dev --account 111122223333 --session corp",
        "\"/a b/daypass\" credential-process --session=corp --account=111122223333 --role=Dev",
        "'/a b/daypass.exe' -v credential-process --session corp --no-browser --account '111122223333' --role Dev -q",
    ] {
        let text = format!("[profile dev]\ncredential_process = {line}\n");
        assert_eq!(means(&text, &[], &[("profile", "dev")]), "corp 111122223333 Dev - dev", "{line}");
    }
    for line in
        ["/usr/bin/notdaypass credential-process --session corp", "daypass login corp", "daypass 'credential-process", "other"]
    {
        let text = format!("[profile dev]\ncredential_process = {line}\n");
        assert!(fails(&text, &[], &[("profile", "dev")]).contains("credential_process that is not daypass"), "{line}");
    }
    for (line, tool) in [("/opt/granted credential-process --profile dev", "Granted"), ("aws-vault exec -j dev", "aws-vault")] {
        let error = resolve(&format!("[profile dev]\ncredential_process = {line}\n"), &[], &[("profile", "dev")]).unwrap_err();
        assert_eq!(error.what, format!("profile \"dev\" gets its credentials from {tool}"));
        assert_eq!(error.hint, "daypass migrate dev");
    }
}

#[test]
fn a_helper_that_names_a_profile_resolves_to_it() {
    let text =
        format!("{NATIVE}[profile tool]\nregion = us-west-2\ncredential_process = daypass credential-process --profile dev\n");
    assert_eq!(means(&text, &[], &[("profile", "tool")]), "corp 000022223333 Dev us-west-2 tool");
    let text = text.replace("region = us-west-2\n", "");
    assert_eq!(means(&text, &[], &[("profile", "tool")]), "corp 000022223333 Dev eu-west-1 tool");
}

#[test]
fn profiles_that_refer_to_each_other_in_a_circle_are_an_error() {
    let text = "[profile a]\ncredential_process = daypass credential-process --profile b\n[profile b]\ncredential_process = daypass credential-process --profile a\n";
    let error = fails(text, &[], &[("profile", "a")]);
    assert!(error.contains("in a cycle") && error.contains("\"a\" (config:5) → \"b\" (config:7) → \"a\" (config:5)"), "{error}");
}

#[test]
fn a_native_profile_whose_helper_names_itself_is_native() {
    let text = format!("{NATIVE}credential_process = daypass credential-process --profile dev\n");
    assert_eq!(means(&text, &[], &[("profile", "dev")]), "corp 000022223333 Dev eu-west-1 dev");
}

#[test]
fn a_profile_may_repeat_its_sessions_settings_but_not_contradict_them() {
    assert_eq!(
        means(&format!("{NATIVE}sso_region = us-east-1\n"), &[], &[("profile", "dev")]),
        "corp 000022223333 Dev eu-west-1 dev"
    );
    let error = fails(&format!("{NATIVE}sso_region = eu-west-1\n"), &[], &[("profile", "dev")]);
    assert!(error.contains("differ in sso_region") && error.contains("config:10") && error.contains("config:3"), "{error}");
}

#[test]
fn a_missing_or_invalid_setting_is_reported_with_file_and_line() {
    let cases = [
        ("[profile dev]\nsso_session = corp\nsso_role_name = R\n", "(config:5) has no sso_account_id"),
        ("[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\n", "(config:5) has no sso_role_name"),
        (
            "[profile dev]\nsso_start_url = https://x\nsso_account_id = 111122223333\nsso_role_name = R\n",
            "(config:5) has no sso_region",
        ),
        ("[profile dev]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = R\n", "config:7: \"123\" is not an account ID"),
        (
            "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = a b\n",
            "config:8: \"a b\" is not a role name",
        ),
        ("[profile dev]\nregion = x\n", "(config:5) has no account and role"),
        (
            "[sso-session s]\nsso_region = x\n[profile dev]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = R\n",
            "(config:5) has no sso_start_url",
        ),
        (
            "[profile dev]\nsso_session = none\nsso_account_id = 111122223333\nsso_role_name = R\n",
            "no [sso-session none] in config",
        ),
        ("[profile dev]\ncredential_process = daypass credential-process --session corp --role R\n", "has no --account"),
    ];
    for (text, expected) in cases {
        let error = fails(text, &[], &[("profile", "dev")]);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn other_credential_sources_are_reported_with_a_hint() {
    let cases = [
        (
            "role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = base\n[profile base]\nlogin_session = x\n",
            "arn:aws:iam::111122223333:role/x is assumed with the credentials of profile \"base\", which gets its credentials from login_session",
            "AWS_PROFILE=dev",
        ),
        ("role_arn = arn:x\ncredential_source = Environment\n", "assumes arn:x", "AWS_PROFILE=dev"),
        (
            "aws_access_key_id = A\naws_secret_access_key = x\n",
            "has static access keys (config:6)",
            "daypass configure --profile dev",
        ),
        ("login_session = x\n", "from login_session", "daypass configure --profile dev"),
    ];
    for (text, what, hint) in cases {
        let error = fails(&format!("[profile dev]\n{text}"), &[], &[("profile", "dev")]);
        assert!(error.contains(what) && error.contains(hint), "{error}");
    }
}

#[test]
fn a_typo_gets_the_nearest_name_as_a_suggestion() {
    let error = fails("[profile production]\nregion = x\n", &[], &[("profile", "prodcution")]);
    assert!(error.contains("did you mean \"production\"?") && error.contains("hint: daypass list --profiles"), "{error}");
    assert!(!fails("[profile production]\nregion = x\n", &[], &[("profile", "zzz")]).contains("did you mean"));
    assert!(fails("", &[], &[("session", "crop"), ("account", "111122223333"), ("role", "R")]).contains("did you mean \"corp\"?"));
}

#[test]
fn the_only_session_is_the_default() {
    let one = |text: &str, flags| session_in(&config(text, ""), &asked(flags));
    assert_eq!(one(CORP, &[]).unwrap().name, "corp");
    let two = format!("{CORP}{}", CORP.replace("corp]", "home]"));
    let error = one(&two, &[]).unwrap_err();
    assert!(error.what.contains("several sessions: corp, home") && error.hint.contains("--session corp"), "{error}");
    assert_eq!(one(&two, &[("session", "home")]).unwrap().name, "home");
    assert_eq!(one("", &[]).unwrap_err().hint, "daypass configure");
    let legacy =
        "[profile a]\nsso_start_url = https://old\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = R\n";
    assert_eq!(one(legacy, &[]).unwrap().name, "https://old");
    let another = legacy.replace("profile a", "profile b").replace("https://old", "https://other");
    let both = format!("{legacy}{another}");
    assert_eq!(one(&both, &[("session", "https://other")]).unwrap().start_url, "https://other");
    assert!(one(&both, &[("session", "https://third")]).is_err());
    assert!(
        one(&format!("{CORP}[profile dev]\nk = 1\n"), &[("session", "dev")]).unwrap_err().what.contains("\"dev\" is a profile")
    );
}

#[test]
fn a_profile_without_a_role_still_selects_its_session() {
    let text = format!("{CORP}{}[profile a]\nsso_session = corp\n", CORP.replace("corp]", "home]"));
    assert_eq!(session_in(&config(&text, ""), &asked(&[("profile", "a")])).unwrap().name, "corp");
}

#[test]
fn sessions_come_from_blocks_and_legacy_profiles() {
    let text = format!(
        "{CORP}[sso-session half]\nsso_region = x\n[profile a]\nsso_start_url = https://old\nsso_region = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = R\n"
    );
    let names: Vec<String> = sessions(&config(&text, "")).into_iter().map(|session| session.name).collect();
    assert_eq!(names, ["corp", "https://old"]);
}

#[test]
fn account_names_are_told_apart_from_malformed_ids() {
    let account = |text| resolve("", &[], &[("session", "corp"), ("account", text), ("role", "R")]).map(|target| target.account);
    assert_eq!(account("Log Archive").unwrap(), Account::Name("Log Archive".into()));
    for bad in ["12345", "1111-2222-3333", "", " "] {
        assert_eq!(account(bad).unwrap_err().exit, Exit::Usage, "{bad:?}");
    }
}

#[test]
fn missing_files_are_empty_and_unreadable_files_are_reported_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let env = env_at(folder.path());
    assert_eq!(target(&env, &asked(&[("profile", "a")])).unwrap_err().exit, Exit::Usage);
    std::fs::create_dir_all(folder.path().join(".aws/credentials")).unwrap();
    let error = target(&env, &asked(&[("profile", "a")])).unwrap_err();
    assert!(error.exit == Exit::Failed && error.what.contains(".aws/credentials"), "{error}");
    std::fs::File::create(folder.path().join(".aws/config"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"# a\n[profile \xff]\n"))
        .unwrap();
    let error = target(&env, &asked(&[("profile", "a")])).unwrap_err();
    assert!(error.exit == Exit::Failed && error.what.contains(".aws/config:2: not UTF-8"), "{error}");
}

#[test]
fn resolving_by_session_does_not_read_the_credentials_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".aws/credentials")).unwrap();
    std::fs::File::create(folder.path().join(".aws/config"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, CORP.as_bytes()))
        .unwrap();
    let flags = asked(&[("session", "corp"), ("account", "111122223333"), ("role", "Dev")]);
    assert_eq!(shown(&target(&env_at(folder.path()), &flags).unwrap()), "corp 111122223333 Dev - -");
}

#[test]
fn resolving_all_profiles_at_once_equals_resolving_each() {
    let text = format!(
        "{CORP}
[profile helper]\ncredential_process = {HELPER}
[profile helper-with-region]\ncredential_process = {HELPER} --region a-1
[profile helper-with-both-regions]\ncredential_process = {HELPER} --region a-1\nregion = b-1
[profile helper-that-names-its-account]\ncredential_process = daypass credential-process --session corp --account Development --role Dev
[profile helper-of-no-session]\ncredential_process = daypass credential-process --session nowhere --account 111122223333 --role Dev
[profile helper-of-a-bad-account]\ncredential_process = daypass credential-process --session corp --account 12 --role Dev
[profile helper-by-address]\ncredential_process = daypass credential-process --start-url https://x.awsapps.com/start --sso-region c-1 --account 111122223333 --role Dev
[profile helper-with-scopes]\ncredential_process = {HELPER} --scopes a,b
[profile helper-of-a-profile]\ncredential_process = daypass credential-process --profile native
[profile helper-half]\ncredential_process = daypass credential-process --session corp --role Dev
[profile native]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev\nregion = d-1
[profile native-in-contradiction]\nsso_session = corp\nsso_region = x-1\nsso_account_id = 111122223333\nsso_role_name = Dev
[profile native-of-a-named-account]\nsso_session = corp\nsso_account_id = Development\nsso_role_name = Dev
[profile native-half]\nsso_session = corp\nsso_account_id = 111122223333
[profile legacy]\nsso_start_url = https://old.awsapps.com/start\nsso_region = e-1\nsso_account_id = 111122223333\nsso_role_name = Dev
[profile legacy-without-region]\nsso_start_url = https://old.awsapps.com/start\nsso_account_id = 111122223333\nsso_role_name = Dev
[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x
[profile other]\ncredential_process = other-tool
[default]\nregion = f-1
"
    );
    let (config, env) = (config(&text, ""), env(&[]));
    let index = ProfileIndex::new(&config, &env);
    let mut leading = 0;
    for block in config.profiles() {
        let alone = target_in(&config, &env, &asked(&[("profile", &block.name)])).ok();
        leading += usize::from(alone.is_some());
        assert_eq!(index.target(&block), alone, "{}", block.name);
    }
    assert_eq!(leading, 9);
}
