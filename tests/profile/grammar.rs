//! The grammar, row by row: the cases in which real AWS tools differ, the rules that they share, and the SDK's parser as the reference.

use std::borrow::Cow;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env as SdkEnv, Fs};
use daypass::profile::Config;
use daypass::profile::ini::{Document, FileKind, lines};

use crate::config;

/// The result of the SDK's parser; None if it rejects the file.
pub(crate) fn by_sdk(config: &str, credentials: &str) -> Option<aws_config::profile::ProfileSet> {
    let files = EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, config)
        .with_contents(EnvConfigFileKind::Credentials, credentials)
        .build();
    let (fs, env) = (Fs::from_slice(&[]), SdkEnv::from_slice(&[]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(aws_config::profile::load(&fs, &env, &files, Some(Cow::Borrowed("default")))).ok()
}

/// Profiles and sessions as one line: `a{k=v,..}`, sessions with `@`, in the order of their names. `⏎` for a line break.
fn meaning(config: &Config) -> String {
    let show = |block: daypass::profile::Block<'_>, sign: &str| {
        let mut values: Vec<String> = block.values.iter().map(|value| format!("{}={}", value.key, value.text)).collect();
        values.sort();
        format!("{sign}{}{{{}}}", block.name, values.join(",")).replace('\n', "⏎")
    };
    let mut all: Vec<String> = config.profiles().into_iter().map(|block| show(block, "")).collect();
    all.extend(config.sessions().into_iter().map(|block| show(block, "@")));
    all.sort();
    all.join(" ")
}

/// How the SDK's parser, which follows the specification strictly, compares with ours.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Sdk {
    /// The same result.
    Same,
    /// The SDK rejects the whole file; we read what can be read, and warn.
    Rejects,
    /// The SDK reads less; we read what the AWS CLI reads, and warn.
    Less,
}
use Sdk::{Less, Rejects, Same};

/// Row, config file, credentials file, our result, how the SDK's parser compares, whether we warn.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str, &str, Sdk, bool)] = &[
    ("1 plain", "[profile a]\nregion = x", "", "a{region=x}", Same, false),
    ("2 prefixed default after", "[default]\nk = 1\nonly = 1\n[profile default]\nk = 2", "", "default{k=2}", Same, true),
    ("3 prefixed default first", "[profile default]\nk = 2\n[default]\nk = 1\nonly = 1", "", "default{k=2}", Same, true),
    ("4 bare name in config", "[a]\nk = 1", "", "", Same, true),
    ("5 prefixed name in credentials", "", "[profile a]\nk = 1", "", Same, true),
    ("6 quoted name with a blank", "[profile \"a b\"]\nk = 1", "", "a b{k=1}", Less, true),
    ("7 quoted name", "[profile \"ab\"]\nk = 1", "", "ab{k=1}", Less, true),
    ("8 name in single quotes", "[profile 'ab']\nk = 1", "", "ab{k=1}", Less, true),
    ("9 blank without quotes", "[profile a b]\nk = 1", "", "", Same, true),
    ("10 two spaces", "[profile  a]\nk = 1", "", "a{k=1}", Same, false),
    ("11 tab", "[profile\ta]\nk = 1", "", "a{k=1}", Same, false),
    ("12 blanks inside the brackets", "[ profile a ]\nk = 1", "", "a{k=1}", Same, false),
    ("13 the same for default", "[ default ]\nk = 1", "", "default{k=1}", Same, false),
    ("14 indented first header", " [profile a]\nk = 1", "", "a{k=1}", Rejects, true),
    ("15 indented later header", "[profile a]\nk = 1\n [profile b]\nj = 2", "", "a{j=2,k=1⏎[profile b]}", Same, true),
    ("16 comment after the header", "[profile a] ; c\nk = 1", "", "a{k=1}", Same, false),
    ("17 comment right after the header", "[profile a]# c\nk = 1", "", "a{k=1}", Same, false),
    ("18 junk after the header", "[profile a] junk\nk = 1\n[profile b]\nk = 2", "", "b{k=2}", Rejects, true),
    ("19 header without end", "[profile a\nk = 1\n[profile b]\nk = 2", "", "b{k=2}", Rejects, true),
    ("20 capitals in the prefix", "[PROFILE a]\nk = 1", "", "", Same, true),
    ("21 capital default", "[Default]\nk = 1", "", "", Same, true),
    ("22 no blank after the prefix", "[profilea]\nk = 1", "", "", Same, true),
    ("23 all name characters", "[profile a.b/c@d:e+f%g-h_i]\nk = 1", "", "a.b/c@d:e+f%g-h_i{k=1}", Same, false),
    ("24 accent", "[profile é]\nk = 1", "", "é{k=1}", Less, true),
    ("25 other signs", "[profile a!b]\nk = 1\n[profile a(b)]\nk = 2", "", "a!b{k=1} a(b){k=2}", Less, true),
    ("26 keys that differ in case", "[profile a]\nRegion = x\nREGION = y", "", "a{region=y}", Same, true),
    ("27 capitals in a key", "[profile a]\nSSO_Session = x", "", "a{sso_session=x}", Same, false),
    ("28 no blanks round =", "[profile a]\nregion=x", "", "a{region=x}", Same, false),
    ("29 colon", "[profile a]\nregion: x\nk = 1", "", "a{k=1}", Rejects, true),
    ("30 = in the value", "[profile a]\nk = a=b", "", "a{k=a=b}", Same, false),
    ("31 # in a URL", "[profile a]\nsso_start_url = https://e/start#/", "", "a{sso_start_url=https://e/start#/}", Same, false),
    ("32 comment after a space", "[profile a]\nregion = x # c", "", "a{region=x}", Same, true),
    ("33 semicolon after a space", "[profile a]\nregion = x ; c", "", "a{region=x}", Same, true),
    ("34 comment after a tab", "[profile a]\nregion = x\t# c", "", "a{region=x}", Same, true),
    ("35 adjacent semicolon", "[profile a]\nregion = x;c", "", "a{region=x;c}", Same, false),
    ("36 quoted value", "[profile a]\nregion = \"x\"", "", "a{region=\"x\"}", Same, false),
    ("37 empty value", "[profile a]\nregion =\noutput = y", "", "a{output=y,region=}", Same, false),
    ("38 no =", "[profile a]\nregion\nk = 1", "", "a{k=1}", Rejects, true),
    ("39 no key", "[profile a]\n= x\nk = 1", "", "a{k=1}", Rejects, true),
    ("40 blank in a key", "[profile a]\nbad key = x\nk = 1", "", "a{k=1}", Same, true),
    ("41 key twice", "[profile a]\nk = 1\nk = 2", "", "a{k=2}", Same, true),
    ("42 section twice", "[profile a]\nk = 1\n[profile a]\nj = 2", "", "a{j=2,k=1}", Same, true),
    ("43 key in both files", "[profile a]\nk = 1\nj = 1", "[a]\nk = 2", "a{j=1,k=2}", Same, false),
    ("44 continued value", "[profile a]\nk = v\n  more", "", "a{k=v⏎more}", Same, false),
    ("45 continued by a key", "[profile a]\nk = v\n  role_arn = z", "", "a{k=v⏎role_arn = z}", Same, false),
    ("46 all keys indented", "[profile a]\n  k = 1\n  j = 2\n[profile b]\nk = 3", "", "a{j=2,k=1} b{k=3}", Rejects, true),
    ("47 nested", "[profile a]\ns3 =\n  a = 1\n  b = 2", "", "a{s3=⏎a = 1⏎b = 2}", Same, false),
    ("48 comment in a nested block", "[profile a]\ns3 =\n  # c\n  b = 2", "", "a{s3=⏎b = 2}", Rejects, true),
    ("49 nested line without =", "[profile a]\ns3 =\n  a\n  b = 2", "", "a{s3=⏎b = 2}", Rejects, true),
    ("50 indented comment after a key", "[profile a]\nk = v\n  # c", "", "a{k=v⏎# c}", Same, true),
    ("51 key before any section", "k = 1\n[profile a]\nk = 2", "", "a{k=2}", Rejects, true),
    ("52 byte order mark", "\u{feff}[profile a]\nk = 1", "", "a{k=1}", Rejects, true),
    ("53 CRLF", "[profile a]\r\nk = 1\r\nj = 2\r\n", "", "a{j=2,k=1}", Same, false),
    ("54 CR only", "[profile a]\rk = 1\r", "", "", Rejects, true),
    ("55 no line end at the end", "[profile a]\nk = 1", "", "a{k=1}", Same, false),
    ("56 quoted session", "[sso-session \"s\"]\nk = 1", "", "@s{k=1}", Less, true),
    ("57 session with a blank", "[sso-session my s]\nk = 1", "", "", Same, true),
    ("58 session twice", "[sso-session s]\nk = 1\n[sso-session s]\nj = 2", "", "@s{j=2,k=1}", Same, true),
    ("59 session in credentials", "", "[sso-session s]\nk = 1", "", Same, true),
    ("60 other sections", "[plugins]\nk = 1\n[foo bar]\nk = 1", "", "", Same, false),
    ("61 percent signs", "[profile a]\nk = 100%x %(y)s", "", "a{k=100%x %(y)s}", Same, false),
    ("62 blank line in a continued value", "[profile a]\nk = v\n\n  more", "", "a{k=v⏎more}", Same, false),
    ("63 empty header", "[]\nk = 1\n[profile a]\nk = 2", "", "a{k=2}", Same, true),
    ("64 no-break space", "[profile a]\nk\u{a0}= 1\nj = 2", "", "a{j=2}", Same, true),
    ("65 dot for a blank", "[profile.a]\nk = 1", "", "", Same, true),
    // More shared rules.
    ("empty files", "", "", "", Same, false),
    ("a profile without keys", "[profile a]", "[b]", "a{} b{}", Same, false),
    ("comments at the start of a line, and empty ones", "# c\n;\n[profile a]\n; c\n#\nk = 1", "", "a{k=1}", Same, false),
    ("lines of blanks", "\t \n[profile a]\n  \nk = 1\n\t\n", "", "a{k=1}", Same, false),
    ("a comment between a value and its next line", "[profile a]\nk = v\n# c\n more", "", "a{k=v⏎more}", Same, false),
    ("a comment in a continued line stays", "[profile a]\nk = v\n more # c", "", "a{k=v⏎more # c}", Same, false),
    ("a nested value may be empty", "[profile a]\ns3 =\n  a =", "", "a{s3=⏎a =}", Same, false),
    ("a nested name may be anything", "[profile a]\ns3 =\n  b c! = 1", "", "a{s3=⏎b c! = 1}", Same, false),
    ("a nested value has no empty name", "[profile a]\ns3 =\n  = 1", "", "a{s3=}", Rejects, true),
    ("a header ends a value", "[profile a]\nk = v\n[profile b]\n more", "", "a{k=v} b{}", Rejects, true),
    ("continuation lines of an ignored line are ignored", "[profile a]\nbad key = v\n  more = 1\nk = 1", "", "a{k=1}", Same, true),
    ("text after a header is no header", "[profile a] k = 1 [profile b]\nk = 1", "", "", Same, true),
    ("credentials by the CLI with a blank", "", "[a b]\nk = 1", "a b{k=1}", Less, true),
    ("a value of other letters", "[profile a]\nk = 😂 ü", "", "a{k=😂 ü}", Same, false),
    ("services are not profiles", "[services s]\ndynamodb =\n  endpoint_url = http://x\n[profile a]\nk = 1", "", "a{k=1}", Same, false),
    ("both files, prefixed default", "[profile default]\nk = 1\n[default]\nj = 2", "[default]\ni = 3", "default{i=3,k=1}", Same, true),
    ("session without its blank", "[sso-sessionfoo]\nk = 1", "[sso-sessionfoo]\nk = 2", "sso-sessionfoo{k=2}", Same, true),
    ("the other tools' comment characters in a name", "[profile a]; c ]\nk = 1", "", "a{k=1}", Same, false),
];

#[test]
fn each_row_is_parsed_as_stated() {
    for (row, config_text, credentials, expected, ..) in ROWS {
        assert_eq!(meaning(&config(config_text, credentials)), *expected, "row {row}");
    }
}

#[test]
fn exactly_the_rows_that_tools_read_differently_have_a_warning() {
    for (row, config_text, credentials, _, _, warns) in ROWS {
        let config = config(config_text, credentials);
        assert_eq!(!config.warnings().is_empty(), *warns, "row {row}: {:?}", config.warnings());
    }
}

#[test]
fn the_sdk_parses_each_row_as_stated() {
    for (row, config_text, credentials, _, sdk, _) in ROWS {
        let ours = config(config_text, credentials);
        let verdict = match by_sdk(config_text, credentials) {
            None => Rejects,
            Some(set) if same(&ours, &set) => Same,
            Some(_) => Less,
        };
        assert_eq!(verdict, *sdk, "row {row}");
    }
}

/// Whether the SDK's parser finds the same profiles, sessions and values.
pub(crate) fn same(ours: &Config, sdk: &aws_config::profile::ProfileSet) -> bool {
    let (profiles, sessions) = (ours.profiles(), ours.sessions());
    let names = |blocks: &[daypass::profile::Block<'_>]| {
        let mut names: Vec<String> = blocks.iter().map(|block| block.name.to_string()).collect();
        names.sort();
        names
    };
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    names(&profiles) == sorted(sdk.profiles().collect())
        && names(&sessions) == sorted(sdk.sso_sessions().collect())
        && profiles.iter().all(|block| {
            block
                .values
                .iter()
                .all(|value| sdk.get_profile(&block.name).and_then(|profile| profile.get(&value.key)) == Some(&*value.text))
        })
        && sessions.iter().all(|block| {
            block
                .values
                .iter()
                .all(|value| sdk.sso_session(&block.name).and_then(|session| session.get(&value.key)) == Some(&*value.text))
        })
}

#[test]
fn a_warning_names_file_line_and_problem() {
    let config = config("[profile a]\nregion\n", "[b]\nk = 1\nk = 2\n");
    let shown: Vec<String> =
        config.warnings().iter().map(|warning| format!("{}:{}: {}", warning.file.display(), warning.line, warning.what)).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown[0].starts_with("config:2: this line has no ="), "{shown:?}");
    assert!(shown[1].starts_with("credentials:3: k is already set in line 2"), "{shown:?}");
}

#[test]
fn a_value_knows_its_file_and_line() {
    let config = config("# top\n[profile a]\nk = 1\nj = 1\n", "[a]\nk = 2\n");
    let profile = config.profile("a").unwrap();
    assert_eq!(profile.get("k").unwrap().place(), "credentials:2");
    assert_eq!(profile.get("j").unwrap().place(), "config:4");
}

#[test]
fn reading_one_section_equals_reading_the_whole_file() {
    for (row, config_text, credentials, ..) in ROWS {
        let config = config(config_text, credentials);
        for block in config.profiles() {
            assert_eq!(format!("{:?}", config.profile(&block.name).unwrap().values), format!("{:?}", block.values), "row {row}");
        }
        for block in config.sessions() {
            assert_eq!(format!("{:?}", config.session(&block.name).unwrap().values), format!("{:?}", block.values), "row {row}");
        }
    }
}

#[test]
fn debug_output_shows_no_value() {
    let config = config("", "[a]\naws_secret_access_key = hunter2\n");
    assert!(!format!("{config:?} {:?}", config.profile("a")).contains("hunter2"));
}

#[test]
fn lines_cover_the_whole_text() {
    for (_, text, ..) in ROWS {
        let mut end = 0;
        for line in lines(text.as_bytes(), 0..text.len()) {
            assert_eq!(line.text.start, end);
            end = line.next;
        }
        assert_eq!(end, text.len());
    }
}

#[test]
fn five_thousand_profiles_are_all_found() {
    use std::fmt::Write;
    let mut text = String::new();
    for n in 0..5000 {
        write!(text, "[profile account-{n}.Role]\nregion = eu-west-1\ncredential_process = /usr/bin/daypass credential-process --session corp --account {n:012} --role Role\n\n").unwrap();
    }
    let document = Document::parse(text.as_bytes(), FileKind::Config);
    assert_eq!((document.sections().len(), document.warnings().len()), (5000, 0));
    let config = config(&text, "");
    assert_eq!(config.profiles().len(), 5000);
    assert_eq!(config.profile("account-4999.Role").unwrap().line, 4999 * 4 + 1);
}
