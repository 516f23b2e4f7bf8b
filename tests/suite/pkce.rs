//! `login` with the authorization code flow (PKCE). The tests act as the browser.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::{configured, pexpect};

const LOGIN: &str = "login corp --flow pkce --no-browser";

/// A `BROWSER` that follows redirects.
pub(crate) const BROWSER: &str = "curl -sL -o /dev/null";

/// The response to one request. Redirects are not followed.
pub(crate) struct Page {
    status: u16,
    pub(crate) location: Option<String>,
    text: String,
}

fn ask(method: &str, url: &str) -> Page {
    let rest = url.strip_prefix("http://").expect("plain http");
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(authority).expect("a listener");
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let location = text.lines().find_map(|line| line.strip_prefix("Location: ")).map(str::to_owned);
    Page { status, location, text }
}

pub(crate) fn get(url: &str) -> Page {
    ask("GET", url)
}

/// The address, which is on a line of its own.
fn address(said: &str) -> &str {
    said.lines().map(str::trim).find(|line| line.starts_with("http://") && line.contains("/authorize?")).expect("an address")
}

#[test]
fn the_callback_completes_the_sign_in_and_shows_a_page() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let login = home.daypass(LOGIN).stderr_has("Signed in to corp").spawn();
    let said = login.wait_for_stderr("code_challenge=");
    let back = get(address(&said)).location.expect("a redirect");
    assert!(back.starts_with("http://127.0.0.1:") && back.contains("/oauth/callback?code="), "{back}");
    let page = get(&back);
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<h1>Signed in</h1>") && page.text.contains("corp"), "{}", page.text);
    login.wait();
    // The listener is closed.
    let port = back.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split('/').next()).unwrap();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
    home.daypass("credential-process --profile dev").stdout_has("111122223333").go();
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
}

#[test]
fn a_pkce_sign_in_is_refreshed_like_any_other() {
    let portal = Portal::live(PortalConfig { token_ttl: std::time::Duration::ZERO, ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("credential-process --profile dev").stdout_has("111122223333").go();
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::RefreshToken)), (1, 1));
}

#[test]
fn unrelated_requests_are_rejected_and_the_sign_in_continues() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let login = home.daypass(LOGIN).stderr_has("Signed in to corp").spawn();
    let said = login.wait_for_stderr("code_challenge=");
    let back = get(address(&said)).location.unwrap();
    let (here, query) = back.split_once('?').unwrap();
    let (root, _) = back.split_once("/oauth").unwrap();
    let code = query.split('&').next().unwrap();
    for (stray, status) in [
        (format!("{here}?{code}&state=forged"), 400),
        (format!("{here}?{code}"), 400),
        (format!("{here}?error=access_denied&state=forged"), 400),
        (here.to_owned(), 400),
        (format!("{root}/?{query}"), 404),
        (format!("{root}/oauth/callback/?{query}"), 404),
        (format!("{root}/favicon.ico"), 404),
    ] {
        assert_eq!(get(&stray).status, status, "{stray}");
    }
    assert_eq!(ask("POST", &back).status, 405);
    assert_eq!(portal.count(Call::RedeemCode), 0);
    assert_eq!(get(&back).status, 200);
    login.wait();
}

#[test]
fn a_denial_in_the_browser_ends_the_sign_in_without_a_device_code() {
    let portal = Portal::live(PortalConfig { authorize_error: Some("access_denied"), ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("daypass: the sign-in to corp was refused: said the page\nhint: daypass login corp\n")
        .status(1)
        .go();
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 0);
}

#[test]
fn a_service_that_refuses_pkce_gets_the_device_flow() {
    for error in ["unsupported_grant_type", "invalid_redirect_uri", "unauthorized_client", "invalid_request"] {
        let portal = Portal::strict_in_order();
        let home = configured(&portal);
        portal.expect(Call::RegisterClient).answered(Answer::oidc(error));
        portal.expect(Call::RegisterClient).served();
        portal.expect(Call::StartDeviceAuthorization).served();
        portal.expect(Call::PollForToken).served();
        home.daypass(LOGIN)
            .stderr_has("using a device code instead")
            .stderr_has("check that it shows this code")
            .stderr_has("Signed in to corp")
            .go();
    }
}

#[test]
fn a_service_that_does_not_exchange_codes_gets_the_device_flow() {
    for error in ["unsupported_grant_type", "unauthorized_client"] {
        let portal = Portal::live(PortalConfig::default());
        let home = configured(&portal);
        portal.expect(Call::RedeemCode).answered(Answer::oidc(error));
        home.daypass("login corp --flow pkce")
            .with("BROWSER", BROWSER)
            .stderr_has("using a device code instead")
            .stderr_has("Signed in to corp")
            .go();
        assert_eq!(portal.count(Call::PollForToken), 1);
    }
}

#[test]
fn an_authorize_page_that_rejects_the_client_leads_to_the_device_flow() {
    let portal = Portal::live(PortalConfig { authorize_error: Some("unauthorized_client"), ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("(said the page); using a device code instead")
        .stderr_has("Signed in to corp")
        .go();
}

#[test]
fn a_rejected_authorization_code_is_an_error_without_fallback() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    portal.expect(Call::RedeemCode).answered(Answer::oidc("invalid_grant"));
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("the authorization code was not accepted")
        .stderr_has("\nhint: daypass login corp\n")
        .status(1)
        .go();
}

#[test]
fn without_a_browser_the_device_flow_is_used() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    for browser in ["no-such-browser-here", "false"] {
        home.daypass("login corp --force --flow pkce")
            .with("BROWSER", browser)
            .stderr_has("using a device code instead")
            .stderr_has("Signed in to corp")
            .go();
    }
}

#[test]
fn the_two_flows_do_not_share_a_client_registration() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("login corp --force --flow device --no-browser").any_stderr().go();
    home.daypass("login corp --force --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("login corp --force --flow device --no-browser").any_stderr().go();
    let registered: Vec<bool> = portal
        .calls()
        .iter()
        .filter(|call| call.call == Some(Call::RegisterClient))
        .map(|call| call.fields.contains_key("redirectUris"))
        .collect();
    assert_eq!(registered, [true, false, true]);
}

#[test]
fn a_forwarded_port_is_listened_on_and_opens_no_browser_over_ssh() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let login = home
        .daypass(&format!("login corp --port {free}"))
        .with("BROWSER", "touch [HOME]/opened")
        .stderr_has(&format!("in a browser on the machine that forwards port {free} to this one:\n"))
        .stderr_has(&format!("returns to 127.0.0.1:{free}"))
        .stderr_has("Signed in to corp")
        .spawn();
    let said = login.wait_for_stderr("code_challenge=");
    let back = get(address(&said)).location.unwrap();
    assert!(back.starts_with(&format!("http://127.0.0.1:{free}/")), "{back}");
    get(&back);
    login.wait();
}

#[test]
fn a_port_in_use_is_a_usage_error() {
    let portal = Portal::strict();
    let home = configured(&portal);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    home.daypass(&format!("login corp --port {port}"))
        .stderr_has(&format!("daypass: can't listen on port {port} of 127.0.0.1"))
        .stderr_has("\nhint: ")
        .status(2)
        .go();
    home.daypass("login corp --flow device --port 8400").stderr_has("--port requires --flow pkce").status(2).go();
}

/// The output that a document shows for this command, with addresses and times masked.
fn example_output<'a>(document: &'a str, command: &str) -> Vec<&'a str> {
    let text = document.split_once(command).unwrap_or_else(|| panic!("{command} is not example_output")).1;
    let text = text.split("\n$ ").next().unwrap().split("```").next().unwrap().trim();
    let masked =
        |line: &'a str| if line.trim_start().starts_with("http") { "ADDRESS" } else { line.split(" until ").next().unwrap() };
    text.lines().map(masked).collect()
}

#[test]
fn the_documentation_shows_the_real_output_of_login() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER).with("TERM", "xterm");
    let said = pexpect(
        &home,
        "
shell = pexpect.spawn('daypass', ['login'], encoding='utf-8', timeout=30, dimensions=(40, 500))
shell.expect(pexpect.EOF)
print(shell.before.replace('\\r\\n', '\\n'))
",
    );
    // The countdown line is overwritten.
    let said: Vec<&str> = said.lines().map(|line| line.rsplit("\r\x1b[K").next().unwrap_or_default()).collect();
    let command = "$ daypass login\n";
    assert_eq!(
        example_output(include_str!("../../docs/usage.md"), command),
        example_output(&format!("{command}{}", said.join("\n")), command)
    );
}
