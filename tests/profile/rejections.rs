//! The lines for which the AWS CLI rejects a file, with the AWS CLI's own reader as the reference. `tests/run` installs it.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;

use daypass::profile::ini::Level;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::config;
use crate::property::any_file;

/// Kind, config file, and the lines for which it is rejected.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &[usize])] = &[
    ("valid", "[default]\nregion = x\n[profile a]\ns3 =\n  a = 1\n\n  b = 2\n# c\nk = v\n  more\n", &[]),
    ("empty", "", &[]),
    ("section twice", "[profile a]\nk = 1\n[profile b]\n[profile a]\nj = 1\n", &[4]),
    ("section twice, spelled differently", "[profile a]\nk = 1\n[profile  a]\nk = 2\n", &[]),
    ("session twice", "[sso-session s]\n[sso-session s]\n", &[2]),
    ("other section twice", "[plugins]\n[plugins]\n", &[2]),
    ("key twice", "[profile a]\nk = 1\nj = 1\nk = 2\n", &[4]),
    ("key twice, in other case", "[profile a]\nRegion = x\nregion = y\n", &[3]),
    ("key twice, with a colon", "[profile a]\nk = 1\nk: 2\n", &[3]),
    ("key twice in two sections", "[profile a]\nk = 1\n[profile b]\nk = 1\n", &[]),
    ("byte order mark", "\u{feff}[profile a]\nk = 1\n", &[1]),
    ("byte order mark before a comment", "\u{feff}# c\n[profile a]\n", &[1]),
    ("stray line", "[profile a]\nregion\nk = 1\n", &[2]),
    ("no key", "[profile a]\n= 1\n", &[2]),
    ("no ]", "[default]\nk = 1\n[profile dev\nj = 1\n", &[3]),
    ("no ] in the first line", "[profile dev\n", &[1]),
    ("empty header", "[profile a]\n[]\n", &[2]),
    ("merge", "[profile a]\n<<<<<<< HEAD\nk = 1\n=======\nj = 2\n>>>>>>> theirs\n", &[2, 4, 6]),
    ("key before a section", "region = x\n[default]\n", &[1]),
    ("blank and comment before a section", "\n  # c\n; c\n[default]\n", &[]),
    ("nested line without =", "[profile a]\ns3 =\n  a = 1\n  b\n", &[4]),
    ("nested line with a colon", "[profile a]\ns3 =\n  a: 1\n", &[3]),
    ("indented header after a key", "[profile a]\nk = 1\n  [profile b]\n", &[]),
    ("indented header after a key without a value", "[profile a]\nk =\n  [profile b]\n", &[3]),
    ("less indented header", "[profile a]\n  k = 1\n [profile a]\n", &[3]),
    ("junk after a header", "[profile a] junk\nk = 1\n", &[]),
    ("CR for a line end", "[profile a]\rk = 1\r", &[]),
    ("CR CR LF", "[profile a]\r\r\nk = 1\r\r\n", &[]),
    ("NUL", "[profile a]\nk = \0\n", &[]),
    ("no-break space for a blank line", "[profile a]\n\u{a0}\nk = 1\n", &[]),
    ("colon", "[profile a]\nregion: x\n", &[]),
];

/// Reads each of the files with the AWS CLI's own reader, and prints a line for each: whether it accepts the file.
const READER: &str = "
import sys
try:
    from awscli.botocore.configloader import raw_config_parse
except ImportError:
    sys.exit('this test needs the AWS CLI: apt-get install awscli')
for path in sys.argv[1:]:
    try:
        raw_config_parse(path)
        print('accepts')
    except Exception:  # Not only ConfigParseError: some files make Python's reader itself fail.
        print('rejects')
";

#[allow(clippy::disallowed_methods)]
fn accepted(texts: &[String]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..texts.len()).map(|n| folder.path().join(n.to_string())).collect();
    for (path, text) in paths.iter().zip(texts) {
        fs::write(path, text).unwrap();
    }
    let output = Command::new("/usr/bin/python3").args(["-c", READER]).args(&paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "accepts").collect()
}

fn rejected_lines(text: &str) -> Vec<usize> {
    config(text, "").rejections().iter().map(|warning| warning.line).collect()
}

#[test]
fn each_kind_is_rejected_for_the_right_line() {
    for (kind, text, lines) in KINDS {
        assert_eq!(rejected_lines(text), *lines, "{kind}");
        let all = config(text, "");
        let warned: Vec<usize> =
            all.warnings().iter().filter(|warning| warning.level == Level::Rejected).map(|warning| warning.line).collect();
        assert_eq!(warned, *lines, "{kind}");
    }
}

#[test]
#[allow(clippy::disallowed_methods)]
fn the_aws_cli_rejects_the_same_kinds() {
    let cached = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/sdk/python/venv/bin/aws");
    let tools = [(Path::new("/usr/bin/aws"), &["configure", "list-profiles"][..]), (&cached, &["configure", "list"][..])];
    let folder = tempfile::tempdir().unwrap();
    for (tool, arguments) in tools.iter().filter(|(tool, _)| tool.exists()) {
        for (kind, text, lines) in KINDS {
            let path = folder.path().join("config");
            fs::write(&path, text).unwrap();
            let output = Command::new(tool)
                .args(*arguments)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("LC_ALL", "C.UTF-8")
                .env("HOME", folder.path())
                .env("AWS_CONFIG_FILE", &path)
                .env("AWS_EC2_METADATA_DISABLED", "true")
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.success(), lines.is_empty(), "{} {kind}: {errors}", tool.display());
            assert_eq!(errors.contains("Unable to parse config file"), !lines.is_empty(), "{} {kind}: {errors}", tool.display());
        }
    }
    assert!(tools[0].0.exists(), "this test needs AWS CLI v2: apt-get install awscli");
}

#[test]
fn any_file_is_rejected_exactly_if_the_aws_cli_rejects_it() {
    let mut runner = TestRunner::deterministic();
    let files = any_file();
    let texts: Vec<String> = (0..2000).map(|_| files.new_tree(&mut runner).unwrap().current()).collect();
    let mut rejected = 0;
    for (text, accepted) in texts.iter().zip(accepted(&texts)) {
        assert_eq!(rejected_lines(text).is_empty(), accepted, "{text:?}");
        rejected += usize::from(!accepted);
    }
    assert!((200..1800).contains(&rejected), "{rejected}");
}
