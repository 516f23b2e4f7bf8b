//! Every SDK under `daypass exec --server`: a process that runs longer than its credentials goes on with the next ones.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread;
use std::time::Duration;

use super::support::portal::{Call, Portal, PortalConfig};
use super::support::run::{DAYPASS, Home};
use super::{cached, cli_v2, signed_in};

/// How long the first credentials are valid.
const LIFE: Duration = Duration::from_secs(9);

/// Prints the key that boto3 would sign with, for each line of standard input.
const BOTO3: &str = "
import boto3, sys
credentials = boto3.Session().get_credentials()
for line in sys.stdin:
    print(credentials.get_frozen_credentials().access_key, flush=True)
";

/// The same for JavaScript. The argument is the folder of its packages.
const JAVASCRIPT: &str = "
const aws = require('module').createRequire(process.argv[1] + '/')('@aws-sdk/credential-providers');
const provider = aws.fromNodeProviderChain();
require('readline').createInterface({ input: process.stdin }).on('line', async () => {
    try { console.log((await provider()).accessKeyId); } catch (error) { console.log('ERR ' + error.message); }
});
";

/// Each command is a process of its own, in one that goes on.
const CLI_V2: &str =
    "while read -r _; do aws2 configure export-credentials --format process | grep -o 'ASIA[A-Z0-9]*' || echo ERR; done";
const CLI_V1: &str = "while read -r _; do aws1 sts get-caller-identity --query UserId --output text || echo ERR; done";

/// The command of a client that prints a key for each line; None if it is not installed, which is a failure in CI.
pub(crate) fn client(name: &str) -> Option<Vec<String>> {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let built = |file: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/sdk").join(file);
        let found = path.exists();
        assert!(found || std::env::var_os("CI").is_none(), "the client for {name} is missing: tests/run builds it");
        if !found {
            println!("not tested: {name}");
        }
        found.then_some(path)
    };
    let shell =
        |script: &str, alias: &str, path: PathBuf| vec!["sh".to_owned(), "-c".to_owned(), script.replace(alias, &text(path))];
    Some(match name {
        "boto3" => vec![text(cached("python/venv/bin/python")), "-c".to_owned(), BOTO3.to_owned()],
        "cli1" => shell(CLI_V1, "aws1", cached("python/venv/bin/aws")),
        "cli2" => shell(CLI_V2, "aws2", cli_v2()),
        "js" => vec!["node".to_owned(), "-e".to_owned(), JAVASCRIPT.to_owned(), text(cached("node"))],
        "rust" => {
            let this = std::env::current_exe().unwrap();
            ["--exact", "endpoint::rust_client", "--ignored", "--nocapture"].map(str::to_owned).into_iter().fold(
                vec![text(this)],
                |mut words, word| {
                    words.push(word);
                    words
                },
            )
        }
        "go" => vec![text(built("go/client")?)],
        _ => {
            let folder = text(built("java/Client.class")?.parent().unwrap().to_owned());
            vec!["java".to_owned(), "-classpath".to_owned(), format!("{folder}:{folder}/lib/*"), "Client".to_owned()]
        }
    })
}

/// A client that runs.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(home: &Home, command: &[String]) -> Self {
        let mut exec = home.command(DAYPASS);
        exec.args(["exec", "dev", "--server", "--"]).args(command);
        exec.env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = exec.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// The key that it would sign with now.
    fn key(&mut self) -> String {
        self.stdin.write_all(b"\n").unwrap();
        loop {
            let mut line = String::new();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the client ended");
            // Rust's test harness prints lines of its own.
            if line.starts_with("ASIA") || line.starts_with("ERR") {
                return line.trim().to_owned();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_sdk_goes_on_with_new_credentials_without_a_restart() {
    let check = |name: &str| {
        let Some(command) = client(name) else { return };
        let portal = Portal::live(PortalConfig { role_ttl: LIFE, ..PortalConfig::default() });
        let home = signed_in(&portal);
        let mut running = Running::start(&home, &command);
        let first = running.key();
        assert_eq!(first, portal.issued()[0].access_key_id, "{name}");
        portal.change(|config| config.role_ttl = Duration::from_hours(1));
        portal.wait_for(Call::GetRoleCredentials, 2);
        let second = portal.issued()[1].access_key_id.clone();
        let start = std::time::Instant::now();
        loop {
            let key = running.key();
            if key == second {
                break;
            }
            assert_eq!(key, first, "{name}");
            assert!(start.elapsed() < 3 * LIFE, "{name} keeps the old credentials");
        }
        assert_eq!(portal.count(Call::GetRoleCredentials), 2, "{name}");
    };
    let check = &check;
    thread::scope(|scope| {
        let names = ["boto3", "cli1", "cli2", "js", "rust", "go", "java"];
        let running = names.map(|name| scope.spawn(move || check(name)));
        for thread in running {
            thread.join().unwrap();
        }
    });
}

/// Not a test: for each line of standard input, prints the key that a client of the SDK for Rust signs a request with.
#[test]
#[ignore = "started by the test above"]
fn rust_client() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = aws_smithy_http_client::Builder::new().build_http();
    runtime.block_on(async {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await;
        let sts = aws_sdk_sts::Client::new(&config);
        for _ in std::io::stdin().lines() {
            match sts.get_caller_identity().send().await {
                Ok(identity) => println!("{}", identity.user_id().unwrap_or_default()),
                Err(error) => println!("ERR {error:?}"),
            }
        }
    });
}
