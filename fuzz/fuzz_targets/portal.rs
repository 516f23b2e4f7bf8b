//! Receives any answer of the portal, from the status line to the JSON document: nothing panics, and it becomes a value or an error.
#![no_main]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use daypass::credentials::{Registration, Token};
use daypass::aws::Settings;
use daypass::portal::Portal;
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::secret::Secret;
use daypass::sys::clock::Deadline;
use daypass::sys::env::Env;
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

/// Status and body of the next answers.
static ANSWER: Mutex<(u16, Vec<u8>)> = Mutex::new((200, Vec::new()));
static STARTED: OnceLock<()> = OnceLock::new();

/// Serves the answer at an address that the SDK's variables name.
fn start() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    for variable in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var(variable, &url) };
    }
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            while let Ok(read) = stream.read(&mut chunk) {
                request.extend_from_slice(&chunk[..read]);
                if read == 0 || is_complete(&request) {
                    break;
                }
            }
            let (status, body) = ANSWER.lock().expect("no thread panics").clone();
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
}

/// Whether head and body have arrived.
fn is_complete(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    request.len() >= head + 4 + length
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, body)) = data.split_first() else { return };
    STARTED.get_or_init(start);
    let statuses = [200, 200, 200, 400, 401, 403, 404, 429, 500];
    *ANSWER.lock().expect("no thread panics") = (statuses[usize::from(kind >> 3) % statuses.len()], body.to_vec());
    let session = Session {
        name: "corp".to_owned(),
        start_url: "https://corp.awsapps.com/start".to_owned(),
        region: "us-east-1".to_owned(),
        scopes: Vec::new(),
    };
    let env: Env = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
    let settings = Settings { region: session.region.clone(), profile: None, env };
    let portal = Portal::new(settings, session.start_url.clone());
    let later = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let registration =
        Registration { client_id: "id".to_owned(), client_secret: Secret::new("x"), expires_at: later, scopes: Vec::new() };
    let token = Token {
        access: Secret::new("x"),
        expires_at: later,
        refresh: Some(Secret::new("x")),
        registration: registration.clone(),
    };
    let deadline = Deadline::after(Duration::from_secs(2));
    match kind & 7 {
        0 => drop(portal.register(&session, deadline)),
        1 => drop(portal.start_device_authorization(&session.start_url, &registration, deadline)),
        2 => drop(portal.poll(&registration, &Secret::new("code"), deadline)),
        3 => drop(portal.refresh(&token, deadline)),
        4 => {
            let account = AccountId::new("111122223333").expect("twelve digits");
            let role = RoleName::new("Role").expect("a role name");
            drop(portal.role_credentials(&token, &account, &role, deadline));
        }
        5 => drop(portal.accounts(&token, Duration::from_millis(500))),
        6 => {
            let accounts = [AccountId::new("111122223333").expect("twelve digits")];
            drop(portal.roles_of(&token, &accounts, Duration::from_millis(500), &mut |_| {}));
        }
        _ => drop(portal.sign_out(&token, deadline)),
    }
});
