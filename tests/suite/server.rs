//! The credential endpoint: `exec --server` and `serve`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::{Home, Running};
use crate::{configured, make_stale, signed_in};

/// Prints address and token, and waits for its input to end.
const SHOW: &str = "sh -c 'echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN ready >&2; read line'";

/// A running endpoint.
struct Endpoint<'a> {
    running: Running<'a>,
    port: u16,
    path: String,
    token: String,
}

impl<'a> Endpoint<'a> {
    /// One beside a command of `exec`.
    fn beside(home: &'a Home, arguments: &str) -> Self {
        Self::of(home.daypass(&format!("exec {arguments} --server -- {SHOW}")).stdin_open().any_output().status_of([0, 1]).spawn())
    }

    fn of(running: Running<'a>) -> Self {
        let shown = running.wait_for_stderr("ready\n");
        let mut words = shown.lines().last().unwrap().split(' ');
        let address = words.next().unwrap().strip_prefix("http://127.0.0.1:").unwrap();
        let (port, path) = address.split_once('/').unwrap();
        Self { port: port.parse().unwrap(), path: format!("/{path}"), token: words.next().unwrap().to_owned(), running }
    }

    /// Sends a request and returns the whole answer; empty if the connection was closed without one.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    /// A request as an SDK sends it, with more headers.
    fn request(&self, headers: &str) -> String {
        let (path, port, token) = (&self.path, self.port, &self.token);
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {token}\r\n{headers}\r\n")
    }

    /// Asks as an SDK does. The status and the document.
    fn ask(&self) -> (u16, Value) {
        let answer = self.raw(&self.request(""));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn key(&self) -> String {
        let (status, document) = self.ask();
        assert_eq!(status, 200, "{document}");
        document["AccessKeyId"].as_str().unwrap().to_owned()
    }

    /// The process that listens.
    fn server(&self) -> u32 {
        let child_of = format!("--child-of\0{}\0", self.running.id());
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.parse().ok());
        let is_it = |id: &u32| fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(&child_of));
        processes.into_iter().find(is_it).expect("a server beside the command")
    }
}

fn lives(process: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[track_caller]
fn ends_within_two_seconds(process: u32) {
    let start = Instant::now();
    while lives(process) {
        assert!(start.elapsed() < Duration::from_secs(2), "the server still runs");
        thread::yield_now();
    }
}

#[test]
fn the_command_keeps_the_process_and_asks_the_endpoint() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("AWS_PROFILE", "nonsense").with("AWS_ACCESS_KEY_ID", "AKIAOLD");
    let endpoint = Endpoint::beside(&home, "dev");
    let (status, document) = endpoint.ask();
    let issued = &portal.issued()[0];
    assert_eq!(status, 200);
    assert_eq!(document["AccessKeyId"], issued.access_key_id.as_str());
    assert_eq!(document["SecretAccessKey"], issued.secret_access_key.as_str());
    assert_eq!(document["Token"], issued.session_token.as_str());
    assert_eq!(document["AccountId"], "111122223333");
    assert!(document["Expiration"].as_str().unwrap().ends_with('Z'));
    let id = endpoint.running.id();
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap();
    assert_eq!(name.trim(), "sh", "the command has the process of daypass");
    let variables = fs::read_to_string(format!("/proc/{id}/environ")).unwrap();
    assert!(variables.contains("AWS_REGION=eu-west-1"), "{variables}");
    for gone in ["AWS_ACCESS_KEY_ID=", "AWS_PROFILE=", "AWS_SESSION_TOKEN=", "AWS_ACCOUNT_ID=", "DAYPASS_ACTIVE="] {
        assert!(!variables.contains(gone), "{gone} in {variables}");
    }
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn what_would_win_over_the_endpoint_is_cleared() {
    let portal = Portal::live(PortalConfig::default());
    let mut home = signed_in(&portal);
    let names = [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_SECURITY_TOKEN",
        "AWS_DEFAULT_PROFILE",
        "AWS_CREDENTIAL_EXPIRATION",
    ];
    for name in names {
        home = home.with(name, "/old");
    }
    let shown = home.daypass("exec dev --server -- env").stdout_has("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:").go();
    assert!(!shown.stdout.contains("/old"), "{shown}");
    // The status is that of the command.
    home.daypass("exec dev --server -- sh -c 'exit 7'").status(7).go();
    home.daypass("exec dev --server -- no-such-program").stderr_has("command not found").status(127).go();
}

#[test]
fn without_a_sign_in_nothing_runs() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let command = "exec dev --server -- touch ran";
    home.daypass(command).stderr("daypass: not signed in to corp\nhint: daypass login corp\n").status(3).go();
    assert!(!home.path("ran").exists());
    home.daypass("serve dev").stderr("daypass: not signed in to corp\nhint: daypass login corp\n").status(3).go();
    home.daypass("exec nowhere --server -- true").stderr_has("no profile \"nowhere\"").status(2).go();
}

#[test]
fn attacks_are_refused_and_learn_nothing() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    let Endpoint { port, path, token, .. } = &endpoint;
    let own = format!("Host: 127.0.0.1:{port}\r\n");
    let authorized = format!("Authorization: {token}\r\n");
    let get = |headers: &str| format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
    let wrong = format!("Authorization: {}x\r\n", &token[..token.len() - 1]);
    for (what, request, status) in [
        ("no token", get(&own), 403),
        ("a wrong token", get(&format!("{own}{wrong}")), 403),
        ("a part of the token", get(&format!("{own}Authorization: {}\r\n", &token[..20])), 403),
        ("an empty token", get(&format!("{own}Authorization: \r\n")), 403),
        ("two tokens", get(&format!("{own}{wrong}{authorized}")), 403),
        ("a bearer scheme", get(&format!("{own}Authorization: Bearer {token}\r\n")), 403),
        ("no host", get(&authorized), 403),
        ("DNS rebinding", get(&format!("Host: evil.example:{port}\r\n{authorized}")), 403),
        ("another port", get(&format!("Host: 127.0.0.1:1\r\n{authorized}")), 403),
        ("no port", get(&format!("Host: 127.0.0.1\r\n{authorized}")), 403),
        ("two hosts", get(&format!("{own}Host: evil.example\r\n{authorized}")), 403),
        ("an origin", get(&format!("{own}{authorized}Origin: http://127.0.0.1:{port}\r\n")), 403),
        ("an opaque origin", get(&format!("{own}{authorized}origin: null\r\n")), 403),
        ("a referrer", get(&format!("{own}{authorized}Referer: https://evil.example/\r\n")), 403),
        ("a fetch of a browser", get(&format!("{own}{authorized}Sec-Fetch-Site: none\r\n")), 403),
        ("a form", format!("POST {path} HTTP/1.1\r\n{own}{authorized}Content-Length: 0\r\n\r\n"), 405),
        ("a preflight", format!("OPTIONS {path} HTTP/1.1\r\n{own}{authorized}\r\n"), 405),
        ("a preflight of a browser", format!("OPTIONS {path} HTTP/1.1\r\n{own}Origin: https://evil.example\r\n\r\n"), 403),
        ("HEAD", format!("HEAD {path} HTTP/1.1\r\n{own}{authorized}\r\n"), 405),
        ("another path", format!("GET /../../etc/passwd HTTP/1.1\r\n{own}{authorized}\r\n"), 404),
        ("a long head", get(&format!("{own}{authorized}X: {}\r\n", "x".repeat(9000))), 431),
        ("a long head without an end", format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(20_000)), 431),
    ] {
        let answer = endpoint.raw(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        assert!(!answer.to_lowercase().contains("access-control") && !answer.contains(&**token), "{what}: {answer}");
        assert!(!answer.contains("ASIA") && !answer.contains("secret-"), "{what}: {answer}");
    }
    for garbage in ["\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n\r\n"] {
        assert_eq!(endpoint.raw(garbage), "", "{garbage:?}");
    }
    // What SDKs and tools send in addition is fine.
    for good in ["Accept: application/json\r\nUser-Agent: x\r\n", "Connection: keep-alive\r\nCookie: a=b\r\n"] {
        assert!(endpoint.raw(&endpoint.request(good)).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    let localhost = get(&format!("HOST: LocalHost:{port}\r\n{authorized}"));
    assert!(endpoint.raw(&localhost).starts_with("HTTP/1.1 200 OK\r\n"));
    // It listens on 127.0.0.1 only.
    let hex = format!(":{port:04X} ");
    let listens = |file: &str| fs::read_to_string(file).unwrap().lines().filter(|line| line.contains(&hex)).count();
    assert!(fs::read_to_string("/proc/net/tcp").unwrap().contains(&format!("0100007F{}", hex.trim_end())));
    assert_eq!(listens("/proc/net/tcp6"), 0);
    // Nothing that waits is needed by a request.
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn slow_and_idle_connections_neither_block_others_nor_stay() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    let connect = || TcpStream::connect(("127.0.0.1", endpoint.port)).unwrap();
    let mut slow = connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
    let start = Instant::now();
    let idle: Vec<TcpStream> = (0..100).map(|_| connect()).collect();
    endpoint.key();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    // All of them are closed although nobody ends them here.
    for mut stream in idle.into_iter().chain([slow]) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
    }
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn the_server_ends_with_the_command_even_if_it_is_killed() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    let server = endpoint.server();
    assert!(lives(server));
    endpoint.running.kill();
    ends_within_two_seconds(server);
    // And if it ends by itself.
    let endpoint = Endpoint::of(
        home.daypass(
            "exec dev --server -- sh -c 'echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN ready >&2'",
        )
        .any_output()
        .spawn(),
    );
    endpoint.running.wait();
    assert!(TcpStream::connect(("127.0.0.1", endpoint.port)).is_err() || thread_waits(endpoint.port));
}

/// Whether the port is closed within two seconds.
fn thread_waits(port: u16) -> bool {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        if start.elapsed() > Duration::from_secs(2) {
            return false;
        }
    }
    true
}

#[test]
fn keys_of_the_terminal_do_not_reach_the_server() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    let (command, server) = (endpoint.running.id(), endpoint.server());
    let group = |id: u32| {
        fs::read_to_string(format!("/proc/{id}/stat")).unwrap().rsplit_once(") ").unwrap().1.split(' ').nth(2).unwrap().to_owned()
    };
    assert_ne!(group(command), group(server));
}

#[test]
fn the_token_is_on_no_disk_and_in_no_command_line() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    assert!(endpoint.token.len() >= 43);
    assert_eq!(home.files_with(&endpoint.token), Vec::<PathBuf>::new());
    let server = endpoint.server();
    for id in [server, endpoint.running.id()] {
        let line = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap();
        assert!(!line.contains(&endpoint.token), "{line}");
    }
    // The server's own environment can't be read at all: it may not be dumped.
    let environ = fs::read(format!("/proc/{server}/environ")).unwrap_or_default();
    assert!(!environ.windows(endpoint.token.len()).any(|window| window == endpoint.token.as_bytes()));
    // No other one has this token.
    let other = Endpoint::beside(&home, "dev");
    assert_ne!(other.token, endpoint.token);
    let answer = other.raw(&other.request("").replace(&other.token, &endpoint.token));
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[test]
fn forty_clients_get_new_credentials_with_one_renewal() {
    let portal = Portal::live(PortalConfig { role_ttl: Duration::from_secs(6), ..PortalConfig::default() });
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    let first = endpoint.key();
    portal.change(|config| config.role_ttl = Duration::from_hours(1));
    // A third of the life is left.
    portal.wait_for(Call::GetRoleCredentials, 2);
    while endpoint.key() == first {
        thread::yield_now();
    }
    let keys: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..40).map(|_| scope.spawn(|| endpoint.key())).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0] && *key != first));
    assert_eq!(portal.count(Call::GetRoleCredentials), 2);
}

#[test]
fn requests_do_not_wait_for_the_portal_while_anything_works() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --profile dev").stdout_has("ASIA").go();
    make_stale(&home);
    let old = portal.issued()[0].access_key_id.clone();
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::status(503).after(&latch));
    latch.open();
    // The portal fails at its start already.
    let endpoint = Endpoint::beside(&home, "dev");
    let start = Instant::now();
    assert_eq!(endpoint.key(), old);
    assert!(start.elapsed() < Duration::from_secs(1));
    let (_, document) = endpoint.ask();
    let left =
        time::OffsetDateTime::parse(document["Expiration"].as_str().unwrap(), &time::format_description::well_known::Rfc3339);
    assert!(left.unwrap() - time::OffsetDateTime::now_utc() < time::Duration::minutes(11), "the true end");
}

#[test]
fn after_a_sign_out_requests_name_the_command_to_type_once_nothing_is_valid() {
    let portal = Portal::live(PortalConfig { role_ttl: Duration::from_secs(3), ..PortalConfig::default() });
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev");
    home.daypass("logout corp").any_stderr().go();
    let (status, _) = endpoint.ask();
    assert_eq!(status, 200, "what is valid is served to its end");
    let refused = loop {
        match endpoint.ask() {
            (200, _) => thread::yield_now(),
            (status, document) => break (status, document),
        }
    };
    assert_eq!(refused.0, 403);
    assert_eq!(refused.1["Message"], "not signed in to corp: daypass login corp");
    // Signing in makes it work again, without a restart.
    portal.change(|config| config.role_ttl = Duration::from_hours(1));
    home.daypass("login corp --no-browser").any_stderr().go();
    while endpoint.ask().0 != 200 {
        thread::yield_now();
    }
}

#[test]
fn credentials_of_default_stop_the_command_unless_it_is_isolated() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let config = home.read(".aws/config");
    for default in ["aws_access_key_id = AKIA\naws_secret_access_key = s", "credential_process = /bin/other", "login_session = x"] {
        home.write(".aws/config", &format!("[default]\nregion = x\n{default}\n\n{config}"));
        home.daypass("exec dev --server -- true")
            .stderr_has("AWS tools would use the credentials of [default] ([HOME]/.aws/config:3) instead of the endpoint")
            .stderr_has("\nhint: daypass exec --isolate dev --server -- true\n")
            .status(2)
            .go();
        let show = "sh -c 'cat $AWS_CONFIG_FILE $AWS_SHARED_CREDENTIALS_FILE; echo $AWS_CONTAINER_CREDENTIALS_FULL_URI'";
        let shown = home.daypass(&format!("exec --isolate dev --server -- {show}")).stdout_has("http://127.0.0.1:").go();
        assert!(!shown.stdout.contains("AKIA"), "{shown}");
    }
    home.write(".aws/config", &format!("[default]\nregion = x\n\n{config}"));
    home.daypass("exec dev --server -- true").go();
    home.write(".aws/credentials", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n");
    home.daypass("exec dev --server -- true").stderr_has("[HOME]/.aws/credentials:2").status(2).go();
    home.daypass("exec dev --isolate -- true").stderr_has("--server").status(2).go();
}

#[test]
fn an_assumed_role_is_served_and_renewed() {
    let short = Duration::from_secs(3);
    let portal = Portal::live(PortalConfig { assumed_ttl: short, ..PortalConfig::default() });
    let home = signed_in(&portal);
    let endpoint = Endpoint::beside(&home, "dev --assume-role arn:aws:iam::222233334444:role/Deploy");
    let (_, document) = endpoint.ask();
    assert_eq!(document["AccountId"], "222233334444");
    let first = endpoint.key();
    while endpoint.key() == first {
        thread::yield_now();
    }
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
    assert!(portal.count(Call::AssumeRole) >= 2);
}

#[test]
fn serve_prints_the_variables_and_serves_each_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("configure --session corp --account 444455556666 --role ReadOnly --profile 'prod/x'").any_stderr().go();
    let run = home.daypass("serve dev prod/x --shell json --token-file token --allow-host localhost:4100");
    let running = run.any_output().status_of([130, 143]).spawn();
    let shown = running.wait_for_stderr("Ctrl-C stops the endpoint.");
    let address = |name: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(&format!("Credentials of {name}: "))).unwrap();
        line.strip_prefix("http://127.0.0.1:")
            .unwrap()
            .split_once('/')
            .map(|(port, path)| (port.parse().unwrap(), format!("/{path}")))
            .unwrap()
    };
    let token = home.read("token");
    assert!(token.len() >= 43 && !token.ends_with('\n'));
    let ((port, path), (_, other)) = (address("dev"), address("prod/x"));
    let endpoint = Endpoint { running, port, path, token: token.clone() };
    assert_eq!(endpoint.ask().1["AccountId"], "111122223333");
    let prod = endpoint.raw(&endpoint.request("").replacen("GET / ", &format!("GET {other} "), 1));
    assert!(prod.contains("\"AccountId\":\"444455556666\""), "{prod}");
    let forwarded = endpoint.request("").replace(&format!("127.0.0.1:{port}"), "localhost:4100");
    assert!(endpoint.raw(&forwarded).starts_with("HTTP/1.1 200 "));
    assert!(endpoint.raw(&endpoint.request("").replacen("GET / ", "GET /nowhere ", 1)).starts_with("HTTP/1.1 404 "));
    // The variables are on standard output.
    home.program("sh").args(["-c", &format!("kill -INT {}", endpoint.running.id())]).go();
    let done = endpoint.running.wait();
    let variables = done.json();
    assert_eq!(variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"], token.as_str());
    assert_eq!(variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"], format!("http://127.0.0.1:{port}/").as_str());
    assert_eq!((&variables["AWS_REGION"], &variables["AWS_PROFILE"]), (&"eu-west-1".into(), &Value::Null));
    // The next one has the same token; a file that SDKs could not send is refused.
    home.write("token", &format!("{token}\n"));
    home.daypass("serve dev --token-file token").stderr_has("without a blank or a line break").status(2).go();
    home.daypass("serve dev --token-file no/token").stderr_has("its folder does not exist\nhint: mkdir -p no\n").status(2).go();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    home.daypass(&format!("serve dev --port {port}")).stderr_has(&format!("can't listen on 127.0.0.1:{port}")).status(1).go();
}
