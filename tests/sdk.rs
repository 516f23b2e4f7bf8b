//! Real tools read the credentials of a profile that `daypass configure` or `daypass migrate` wrote: AWS CLI v1 and v2, boto3, the
//! JavaScript SDK; and choose between credential sources as `doctor` says, and run longer than their credentials, with the SDKs for
//! Rust, Go and Java. moto is the IAM of the migrations.
//! `tests/run` installs them.

// They run under Unix only: the tools are installed by a shell script.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Helpers of tests.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // These tests start programs, read variables and print.

mod support;

#[path = "sdk/administrator.rs"]
mod administrator;
#[path = "sdk/arrangements.rs"]
mod arrangements;
#[path = "sdk/endpoint.rs"]
mod endpoint;
#[path = "profile/signers.rs"]
mod signers;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::portal::{Account, Call, Portal, PortalConfig, RoleKeys, UserKey};
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

/// Staging with one role, so that a replacement is certain.
fn one_role(account: &str, role: &str) -> PortalConfig {
    PortalConfig { accounts: vec![Account::new(account, "Staging", &[role])], ..PortalConfig::default() }
}

/// A home that is signed in, with these files besides the session.
fn with_files(portal: &Portal, config: &str, credentials: &str) -> Home {
    let home = Home::new().at(portal);
    let session = format!("[sso-session corp]\nsso_start_url = {}\nsso_region = us-east-1\n", portal.start_url());
    home.write(".aws/config", &format!("{session}{config}"));
    home.write(".aws/credentials", credentials);
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}

/// Every shape that a migration leaves in the credentials file: no section, one with other keys, one with comments only, the default
/// profile, a key that was in the config file, and a profile that was its own source.
#[test]
fn every_tool_signs_with_the_role_after_a_migration_whatever_it_leaves() {
    let portal = Portal::live(one_role("111122223333", "DeveloperAccess"));
    let keys: Vec<UserKey> = (0..6).map(|_| portal.new_user_key("111122223333", "ada")).collect();
    let lines = |at: usize| keys[at].lines();
    let credentials = format!(
        "[default]\n{}\n[gone]\n{}\n[region]\n{}region = eu-west-1\n\n[comment]\n# mine\n{}# more\naws_session_token = old\n\n[own]\n{}",
        lines(0),
        lines(1),
        lines(2),
        lines(3),
        lines(4)
    );
    let config = format!(
        "\n[profile config]\n{}region = eu-west-1\n\n[profile own]\nrole_arn = arn:aws:iam::222233334444:role/Deploy\n\
         source_profile = own\nregion = us-east-1\n\n[profile on-top]\nrole_arn = arn:aws:iam::222233334444:role/Deploy\n\
         source_profile = gone\nregion = us-east-1\n",
        lines(5)
    );
    let home = with_files(&portal, &config, &credentials).with("AWS_DEFAULT_REGION", "eu-west-1").with("AWS_REGION", "eu-west-1");
    home.daypass("migrate --all").any_stderr().go();
    let issued = portal.issued()[0].clone();
    let profiles = [None, Some("gone"), Some("region"), Some("comment"), Some("config"), Some("own-base")];
    thread::scope(|scope| {
        for tool in ALL {
            let (home, issued) = (&home, &issued);
            scope.spawn(move || {
                for profile in profiles {
                    let read = tool.run(home, profile).stdout_has("{").go().json();
                    assert_same(tool, &read, issued);
                }
            });
        }
        for name in ["rust", "go", "java"] {
            let (home, issued) = (&home, &issued);
            scope.spawn(move || {
                let Some(client) = endpoint::client(name) else { return };
                for profile in profiles {
                    let run = home.program(&client[0]).args(&client[1..]).stdin("\n").with("AWS_EC2_METADATA_DISABLED", "true");
                    let run = if let Some(profile) = profile { run.with("AWS_PROFILE", profile) } else { run };
                    run.stdout_has(&issued.access_key_id).any_stderr().go();
                }
            });
        }
    });
    // The old CLI knows no variable for the endpoint of STS.
    for tool in [Tool::Boto3, Tool::JavaScript] {
        for profile in ["own", "on-top"] {
            let read = tool.run(&home, Some(profile)).stdout_has("{").go().json();
            let assumed = portal.issued().into_iter().find(|keys| Some(&*keys.access_key_id) == read["AccessKeyId"].as_str());
            assert_eq!(assumed.map(|keys| keys.role).as_deref(), Some("Deploy"), "{tool:?} {profile}");
        }
    }
    let used = portal.calls().into_iter().filter_map(|call| call.signed_by).any(|id| keys.iter().any(|key| key.id == id));
    assert!(!used, "a key was used");
}

#[test]
fn boto3_finds_credentials_whenever_a_migration_is_killed() {
    let portal = Portal::live(one_role("111122223333", "DeveloperAccess"));
    let key = portal.new_user_key("111122223333", "ada");
    let home = with_files(&portal, "", &format!("[dev]\n{}", key.lines()));
    let start = Instant::now();
    home.daypass("migrate dev").any_stderr().go();
    let longest = start.elapsed();
    home.daypass("migrate --undo dev").any_stderr().go();
    for kill in 0..8 {
        let running = home.daypass("migrate dev").any_output().spawn();
        // The kill is meant to be at any moment: nothing depends on the length of this pause.
        thread::sleep(longest.mul_f64(f64::from(kill) / 8.0));
        running.kill();
        let read = Tool::Boto3.run(&home, Some("dev")).stdout_has("{").go().json();
        let id = read["AccessKeyId"].as_str().unwrap().to_owned();
        assert!(id == key.id || portal.issued().iter().any(|keys| keys.access_key_id == id), "{id}");
        home.daypass("migrate dev").any_stderr().go();
        home.daypass("migrate --undo dev").any_stderr().go();
    }
}

/// moto, an IAM and STS of another make, for account 123456789012. It ends with the test.
struct Moto {
    server: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let mut server = Command::new(cached("python/venv/bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| Some(line.ok()?.split_once("Running on ")?.1.trim().to_owned()));
        // It must be able to go on printing.
        thread::spawn(move || lines.for_each(drop));
        Self { server, url: url.expect("moto prints its address") }
    }

    /// Runs Python code with a client of IAM; returns what it prints.
    fn iam(&self, home: &Home, code: &str) -> String {
        let client = format!(
            "import boto3\niam = boto3.client('iam', endpoint_url='{}', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='y')\n",
            self.url
        );
        let run = home.program(cached("python/venv/bin/python")).args(["-c", &format!("{client}{code}")]);
        run.stdout_has("").go().stdout.trim().to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_key_of_moto_is_migrated_deactivated_reactivated_and_deleted() {
    let (moto, portal) = (Moto::start(), Portal::live(one_role("123456789012", "AdministratorAccess")));
    let home = with_files(&portal, "", "").with("AWS_ENDPOINT_URL_STS", &moto.url).with("AWS_ENDPOINT_URL_IAM", &moto.url);
    let create = "iam.create_user(UserName='ada')\nkey = iam.create_access_key(UserName='ada')['AccessKey']\n\
                  print('aws_access_key_id =', key['AccessKeyId'])\nprint('aws_secret_access_key =', key['SecretAccessKey'])";
    let credentials = format!("[dev]\n{}\n", moto.iam(&home, create));
    home.write(".aws/credentials", &credentials);
    let status = || moto.iam(&home, "print([key['Status'] for key in iam.list_access_keys(UserName='ada')['AccessKeyMetadata']])");
    home.daypass("migrate dev").stderr_has("Profile dev now uses AdministratorAccess in 123456789012").go();
    home.daypass("retire").stdout_has("active").go();
    home.daypass("retire dev --yes").stderr_has("Deactivated key AKIA").go();
    assert_eq!(status(), "['Inactive']");
    home.daypass("migrate --undo dev").stderr_has("Reactivated key AKIA").leaves(".aws/credentials", &credentials).go();
    assert_eq!(status(), "['Active']");
    home.daypass("migrate dev").any_stderr().go();
    home.daypass("retire dev --yes").any_stderr().go();
    home.daypass("retire dev --wait 0 --confirm delete").stderr_has("Deleted key AKIA").limit(Duration::from_mins(1)).go();
    assert_eq!(status(), "[]");
}
