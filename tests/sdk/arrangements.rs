//! The arrangements of `tests/profile/precedence.json`, given to the real SDKs: each signs with the source that [`Precedence`] predicts.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use daypass::profile::Config;
use daypass::profile::precedence::{Kind, Precedence, Sdk};
use daypass::sys::env::Env;
use serde_json::{Value, json};

use super::signers::SIGNERS;
use super::{cached, cli_v2};

const EXPIRES: &str = "2096-01-01T00:00:00Z";

/// One arrangement on the disk.
struct Arrangement {
    name: String,
    vars: HashMap<String, String>,
    argument: String,
    /// Whether its command fails.
    fails: bool,
    /// Whether AWS CLI 2 is tested with it: one process for each takes long, and version 2.9 can't send requests to another STS or portal.
    for_cli2: bool,
}

impl Arrangement {
    /// The line that the clients read.
    fn line(&self) -> String {
        let vars = self.vars.iter().map(|(name, value)| format!("\0{name}={value}"));
        self.argument.clone() + &vars.collect::<String>() + "\n"
    }

    fn argument(&self) -> Option<&str> {
        Some(self.argument.as_str()).filter(|name| !name.is_empty())
    }
}

/// Writes the files of all arrangements.
fn arrange(folder: &Path, service: &str) -> Vec<Arrangement> {
    let all: Value = serde_json::from_str(include_str!("../profile/precedence.json")).unwrap();
    let cases = all["cases"].as_array().unwrap().iter().enumerate();
    cases.map(|(at, case)| {
        let folder = folder.join(at.to_string());
        let cache = folder.join(".aws/sso/cache");
        fs::create_dir_all(&cache).unwrap();
        let place = folder.to_str().unwrap();
        let text = |value: &Value| value.as_str().unwrap().replace("{dir}", place).replace("{stub}", service);
        fs::write(folder.join("config"), text(&case["config"])).unwrap();
        fs::write(folder.join("credentials"), text(&case["credentials"])).unwrap();
        fs::write(folder.join("webtok"), "token").unwrap();
        let keys = json!({"Version": 1, "AccessKeyId": "ASIAPROC", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": EXPIRES});
        for (name, script) in [("proc", format!("#!/bin/sh\necho '{keys}'\n")), ("fail", "#!/bin/sh\nexit 3\n".to_owned())] {
            fs::write(folder.join(name), script).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let start_url = "https://x.awsapps.com/start";
        let token = json!({"accessToken": "t", "expiresAt": EXPIRES, "startUrl": start_url, "region": "us-east-1"}).to_string();
        // The SHA-1 of the session's name, and of the start URL.
        for name in ["ee0bfd2552fbd840c02cc48b6e823320543c450f", "3947de8b16688092197fa616c34e01335f21d256"] {
            fs::write(cache.join(format!("{name}.json")), &token).unwrap();
        }
        let common = [
            ("PATH", std::env::var("PATH").unwrap()),
            ("HOME", place.to_owned()),
            ("AWS_CONFIG_FILE", format!("{place}/config")),
            ("AWS_SHARED_CREDENTIALS_FILE", format!("{place}/credentials")),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL_STS", service.to_owned()),
            ("AWS_ENDPOINT_URL_SSO", service.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let own = case["env"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value)));
        let vars = common.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(own).collect();
        let config = case["config"].as_str().unwrap();
        Arrangement {
            name: case["name"].as_str().unwrap().to_owned(),
            vars,
            argument: case["argument"].as_str().unwrap_or_default().to_owned(),
            fails: config.contains("{dir}/fail"),
            for_cli2: !config.contains("role_arn")
                && !config.contains("sso_account_id")
                && !case["env"]["AWS_ROLE_ARN"].is_string()
                && (at % 3 == 0 || case["env"]["AWS_DEFAULT_PROFILE"].is_string()),
        }
    })
    .collect()
}

/// Starts a service that is STS, the access portal, a container endpoint and the instance metadata service. Returns its address.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(|| stream.and_then(|stream| answer(&stream)));
        }
    });
    url
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line)? > 2 {
        head += &std::mem::take(&mut line);
    }
    let after = |mark: &str| head.split_once(mark).map(|(_, rest)| rest).unwrap_or_default();
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let answer = if path.starts_with("/creds") {
        json!({"AccessKeyId": "ASIACONT", "SecretAccessKey": "s", "Token": "t", "Expiration": EXPIRES}).to_string()
    } else if path.starts_with("/federation/credentials") {
        let keys =
            json!({"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 3_976_214_400_000_u64});
        json!({ "roleCredentials": keys }).to_string()
    } else if path.starts_with("/latest/api/token") {
        "token".to_owned()
    } else if path.trim_end_matches('/').ends_with("security-credentials/role") {
        json!({"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", "AccessKeyId": "ASIAIMDS",
            "SecretAccessKey": "s", "Token": "t", "Expiration": EXPIRES})
        .to_string()
    } else if path.contains("security-credentials") {
        "role".to_owned()
    } else {
        let signer = after("Credential=").split('/').next().unwrap_or_default();
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
        let id = match action {
            "AssumeRole" => format!("ASIAROLE{}", signer.get(..4).unwrap_or_default()),
            "AssumeRoleWithWebIdentity" => "ASIAWEBID".to_owned(),
            _ => signer.to_owned(),
        };
        format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><UserId>{id}</UserId><Credentials>\
             <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>{EXPIRES}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>\
             <AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser></{action}Result></{action}Response>"
        )
    };
    let kind = if answer.starts_with('<') { "text/xml" } else { "application/json" };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{answer}",
        answer.len()
    )
}

/// Runs a client that reads all arrangements on standard input.
fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], arrangements: &[Arrangement]) -> Vec<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    let mut child = command.spawn().unwrap();
    let lines: String = arrangements.iter().map(Arrangement::line).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Runs a client once for each arrangement, some at a time.
fn run_each(arrangements: &[Arrangement], command: impl Fn(&Arrangement) -> Option<Command> + Sync) -> Vec<String> {
    let one = |arrangement: &Arrangement| {
        let Some(mut command) = command(arrangement) else { return "not run".to_owned() };
        let output = command.env_clear().envs(&arrangement.vars).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    thread::scope(|scope| {
        let half = arrangements.len().div_ceil(2);
        let running: Vec<_> =
            arrangements.chunks(half).map(|chunk| scope.spawn(move || chunk.iter().map(one).collect::<Vec<_>>())).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// The answer of an SDK to each arrangement; None if its client is not installed.
fn answers(sdk: Sdk, arrangements: &[Arrangement]) -> Option<Vec<String>> {
    let python = || cached("python/venv/bin/python");
    let here = |name: &str| format!("{}/tests/sdk/{name}", env!("CARGO_MANIFEST_DIR"));
    let built = |name: &str| Some(PathBuf::from(here("../../.cache/sdk")).join(name)).filter(|path| path.exists());
    Some(match sdk {
        Sdk::Boto3 | Sdk::Cli1 => run(python(), &[&here("python.py"), sdk.name()], arrangements),
        Sdk::Js => run("node", &[&here("client.cjs"), cached("node").to_str().unwrap()], arrangements),
        Sdk::Go => run(built("go/client")?, &[], arrangements),
        Sdk::Java => {
            let folder = built("java/Client.class")?.parent().unwrap().to_str().unwrap().to_owned();
            run("java", &["-classpath", &format!("{folder}:{folder}/lib/*"), "Client"], arrangements)
        }
        Sdk::Cli2 => {
            let program = cli_v2();
            run_each(arrangements, |arrangement| {
                let mut command = Command::new(&program);
                command.args(["configure", "export-credentials", "--format", "process"]);
                command.args(arrangement.argument().iter().flat_map(|name| ["--profile", name]));
                arrangement.for_cli2.then_some(command)
            })
        }
        // This program is the client too.
        Sdk::Rust => run_each(arrangements, |_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "arrangements::rust_client", "--ignored", "--nocapture"]);
            Some(command)
        }),
        Sdk::Dotnet => return None,
    })
}

/// The source of the key ID in an answer.
fn kind_in(answer: &str) -> Kind {
    let found = SIGNERS.into_iter().find(|(id, _)| !answer.starts_with("ERR") && answer.contains(id));
    found.map_or(Kind::None, |(_, kind)| kind)
}

#[test]
fn every_sdk_signs_with_the_source_that_doctor_names() {
    let folder = tempfile::tempdir().unwrap();
    let arrangements = arrange(folder.path(), &service());
    let arrangements = &arrangements;
    let check = &move |sdk: Sdk| {
        let Some(answers) = answers(sdk, arrangements) else {
            assert!(std::env::var_os("CI").is_none(), "the client for {} is missing: tests/run builds it", sdk.name());
            println!("not tested: {}", sdk.name());
            return Vec::<String>::new();
        };
        assert_eq!(answers.len(), arrangements.len(), "{sdk:?}: {answers:?}");
        let wrong = arrangements.iter().zip(answers).filter_map(|(arrangement, answer)| {
            let env: Env = arrangement.vars.clone().into_iter().collect();
            let config = Config::read(&env).unwrap();
            // The default chain of Rust has no argument.
            let argument = arrangement.argument().filter(|_| sdk != Sdk::Rust);
            let ranking = Precedence::new(&config).ranking(sdk, &env, argument);
            let expected = match &ranking.used.kind {
                Kind::CredentialProcess if arrangement.fails && sdk.goes_on_after_a_failed_process() => ranking.shadowed[0].kind,
                Kind::CredentialProcess if arrangement.fails => Kind::None,
                // Old versions don't know it, and others lack a part that it needs.
                Kind::Login => return None,
                kind => *kind,
            };
            // Without a cargo feature that would add more crates, the client names what it would have used.
            let without_sso =
                matches!(expected, Kind::Sso | Kind::AssumeRole) && sdk == Sdk::Rust && answer.contains("enabled: sso");
            let right = answer == "not run" || kind_in(&answer) == expected || without_sso;
            (!right).then(|| format!("{}: {}: {answer}\n  predicted: {ranking:?}", arrangement.name, sdk.name()))
        });
        wrong.collect()
    };
    let sdks = [Sdk::Boto3, Sdk::Cli1, Sdk::Cli2, Sdk::Js, Sdk::Rust, Sdk::Go, Sdk::Java];
    let wrong: Vec<String> = thread::scope(|scope| {
        let running = sdks.map(|sdk| scope.spawn(move || check(sdk)));
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Not a test: prints the access key ID of the default chain.
#[test]
#[ignore = "started by the test above"]
fn rust_client() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let loading = async {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await;
        let provider = config.credentials_provider().unwrap();
        aws_credential_types::provider::ProvideCredentials::provide_credentials(&provider).await
    };
    match runtime.block_on(loading) {
        Ok(keys) => println!("{}", keys.access_key_id()),
        Err(error) => println!("ERR {error:?}"),
    }
}
