//! Real tools read the credentials of a profile that `daypass configure` wrote: AWS CLI v1 and v2, boto3, the JavaScript SDK; and choose
//! between credential sources as `doctor` says, and run longer than their credentials, with the SDKs for Rust, Go and Java.
//! `tests/run` installs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Helpers of tests.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // These tests start programs, read variables and print.

mod support;

#[path = "sdk/administrator.rs"]
mod administrator;
#[path = "sdk/arrangements.rs"]
mod arrangements;
#[path = "sdk/endpoint.rs"]
mod endpoint;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use serde_json::Value;
use support::portal::{Call, Portal, PortalConfig, RoleKeys};
use support::run::{Home, Run};

/// A tool that reads credentials and prints them as `credential_process` JSON.
#[derive(Debug, Clone, Copy)]
enum Tool {
    CliV2,
    CliV1,
    Boto3,
    JavaScript,
}

const ALL: [Tool; 4] = [Tool::CliV2, Tool::CliV1, Tool::Boto3, Tool::JavaScript];

/// Reads the credentials of the profile in its argument, or of the default chain.
const BOTO3: &str = "
import boto3, json, sys
session = boto3.Session(profile_name=sys.argv[1] if len(sys.argv) > 1 else None)
keys = session.get_credentials().get_frozen_credentials()
print(json.dumps({'AccessKeyId': keys.access_key, 'SecretAccessKey': keys.secret_key, 'SessionToken': keys.token}))
";

/// The same. The first argument is the folder of its packages.
const JAVASCRIPT: &str = "
const [folder, profile] = process.argv.slice(1);
const aws = require('module').createRequire(folder + '/')('@aws-sdk/credential-providers');
const provider = profile ? aws.fromIni({ profile }) : aws.fromNodeProviderChain();
provider().then(keys => console.log(JSON.stringify({
    AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey, SessionToken: keys.sessionToken,
})), error => { console.error(error.message); process.exit(1); });
";

impl Tool {
    /// A run that prints the credentials of this profile, or of the default chain.
    ///
    /// CLI v1 has no command that prints credentials. It sends a signed request to [`sts`], which returns what it was signed with.
    fn run<'a>(self, home: &'a Home, profile: Option<&str>) -> Run<'a> {
        let run = match self {
            Self::CliV2 => home.program(cli_v2()),
            Self::CliV1 => home.program(cached("python/venv/bin/aws")),
            Self::Boto3 => home.program(cached("python/venv/bin/python")).args(["-c", BOTO3]),
            Self::JavaScript => home.program("node").args(["-e", JAVASCRIPT]).arg(cached("node")),
        };
        // No tool waits for the instance metadata service.
        let run = run.with("AWS_EC2_METADATA_DISABLED", "true");
        let run = match self {
            Self::CliV2 => run.args(["configure", "export-credentials", "--format", "process"]),
            Self::CliV1 => run.args(["sts", "get-caller-identity", "--query", SIGNED_WITH, "--endpoint-url", &sts()]),
            Self::Boto3 | Self::JavaScript => return run.args(profile),
        };
        if let Some(profile) = profile { run.args(["--profile", profile]) } else { run }
    }
}

/// Selects what [`sts`] returns, in the fields that the answer of `GetCallerIdentity` has.
const SIGNED_WITH: &str = "{AccessKeyId: UserId, SessionToken: Arn}";

/// Starts a service that answers one `GetCallerIdentity` request with the access key ID and the session token that it was signed with.
/// Returns its address.
fn sts() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || -> io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
                None if line.trim_end().is_empty() => break,
                None => continue,
            };
        }
        let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
        io::copy(&mut reader.take(header("content-length").parse().unwrap_or(0)), &mut io::sink())?;
        let credential = header("authorization");
        let key = credential.split_once("Credential=").and_then(|(_, rest)| rest.split('/').next()).unwrap_or_default();
        let body = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{}</Arn><UserId>{key}</UserId><Account>111122223333</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
            header("x-amz-security-token"),
        );
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    url
}

/// A file that `tests/run` installed.
fn cached(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/sdk").join(name);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    path
}

/// The first AWS CLI v2 on PATH. The first AWS CLI may be a v1.
fn cli_v2() -> PathBuf {
    let is_v2 = |path: &PathBuf| {
        let output = Command::new(path).arg("--version").output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("aws-cli/2"))
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = std::iter::once("/usr/bin".into()).chain(std::env::split_paths(&path)).map(|folder| folder.join("aws"));
    candidates.filter(|path| path.exists()).find(is_v2).expect("no AWS CLI v2: it is in the Debian package awscli")
}

/// A home with the session `corp`, the profile `dev` and a sign-in, without role credentials.
fn signed_in(portal: &Portal) -> Home {
    let home = Home::new().at(portal);
    let session = format!("--session corp --start-url {} --sso-region us-east-1", portal.start_url());
    let role = "--account 111122223333 --role DeveloperAccess --profile dev --region eu-west-1";
    home.daypass(&format!("configure {session} {role}")).any_stderr().go();
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}

#[track_caller]
fn assert_same(tool: Tool, read: &Value, issued: &RoleKeys) {
    let text = |name: &str| read[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("AccessKeyId"), issued.access_key_id, "{tool:?}");
    assert_eq!(text("SessionToken"), issued.session_token, "{tool:?}");
    // A request does not contain the secret access key.
    if !matches!(tool, Tool::CliV1) {
        assert_eq!(text("SecretAccessKey"), issued.secret_access_key, "{tool:?}");
    }
}

#[test]
fn every_tool_reads_the_helper_profile_with_one_exchange_in_total() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for tool in ALL {
        let read = tool.run(&home, Some("dev")).stdout_has("{").go().json();
        assert_same(tool, &read, &portal.issued()[0]);
    }
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

/// The helper inherits `AWS_PROFILE`. If it used the SDK's default credential chain, it would call itself.
#[test]
fn aws_profile_selects_the_helper_profile_without_recursion() {
    for tool in ALL {
        let portal = Portal::live(PortalConfig::default());
        let home = signed_in(&portal).with("AWS_PROFILE", "dev");
        let read = tool.run(&home, None).stdout_has("{").go().json();
        assert_same(tool, &read, &portal.issued()[0]);
        assert_eq!(portal.count(Call::GetRoleCredentials), 1, "{tool:?}");
    }
}

#[test]
fn every_tool_under_exec_uses_its_credentials_without_a_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("AWS_PROFILE", "nonsense");
    for tool in ALL {
        // The same command as before, with `daypass exec dev --` in front of it.
        let read = tool.run(&home, None).behind(&["exec", "dev", "--"]).stdout_has("{").go().json();
        assert_same(tool, &read, &portal.issued()[0]);
    }
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn every_tool_shows_the_hint_if_the_helper_fails() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("logout corp").any_stderr().go();
    for tool in ALL {
        tool.run(&home, Some("dev")).stderr_has("hint: daypass login corp").fails().go();
    }
}
