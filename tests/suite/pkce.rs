//! Signing in by a browser that comes back to this machine; the one here is played by the tests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use daypass::broker::{Broker, Decision, Event, Flow, Locks, SignInRequest, SignInUi};
use daypass::credentials::Token;
use daypass::error::Error;
use daypass::portal::Settings;
use daypass::profile::names::Session;
use daypass::sys::clock::Deadline;
use daypass::sys::env::Env;
use daypass::vault::Vault;

use crate::support::portal::{Answer, Approval, Call, Portal, Realm};
use crate::support::run::Home;
use crate::{at_a_terminal, configured, signed_in};

const LOGIN: &str = "login corp --flow pkce --no-browser";

/// A browser on this machine, for programs that open one: it follows redirects.
const BROWSER: &str = "curl -sL -o /dev/null";

/// What came back for one request; redirects are not followed.
struct Page {
    status: u16,
    location: Option<String>,
    text: String,
}

fn ask(method: &str, url: &str) -> Page {
    let rest = url.strip_prefix("http://").expect("plain http");
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(authority).expect("somebody listens");
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let location = text.lines().find_map(|line| line.strip_prefix("Location: ")).map(str::to_owned);
    Page { status, location, text }
}

fn get(url: &str) -> Page {
    ask("GET", url)
}

/// The address that was printed on a line of its own.
fn address(said: &str) -> &str {
    said.lines().map(str::trim).find(|line| line.starts_with("http://") && line.contains("/authorize?")).expect("an address")
}

#[test]
fn the_browser_comes_back_with_a_code_and_sees_that_it_is_done() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    let login = home.daypass(LOGIN).stderr_has("Signed in to corp").spawn();
    let said = login.says("which must lead to this machine");
    let back = get(address(&said)).location.expect("the person allowed it");
    assert!(back.starts_with("http://127.0.0.1:") && back.contains("/oauth/callback?code="), "{back}");
    let page = get(&back);
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<h1>Signed in</h1>") && page.text.contains("corp"), "{}", page.text);
    login.done();
    // The listener is gone.
    let port = back.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split('/').next()).unwrap();
    assert!(TcpStream::connect(format!("127.0.0.1:{port}")).is_err());
    home.daypass("credential-process --profile dev").stdout_has("111122223333").go();
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
}

#[test]
fn a_sign_in_by_browser_is_refreshed_like_any_other() {
    let portal = Portal::live(Realm { token_life: std::time::Duration::ZERO, ..Realm::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("credential-process --profile dev").stdout_has("111122223333").go();
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::RefreshToken)), (1, 1));
}

#[test]
fn a_visit_that_does_not_belong_here_is_turned_away_and_the_sign_in_goes_on() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    let login = home.daypass(LOGIN).stderr_has("Signed in to corp").spawn();
    let said = login.says("which must lead to this machine");
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
    login.done();
}

#[test]
fn a_refusal_in_the_browser_ends_it_without_a_code() {
    let portal = Portal::live(Realm { authorize_error: Some("access_denied"), ..Realm::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("daypass: the sign-in to corp was refused: said the page\nhint: daypass login corp\n")
        .status(1)
        .go();
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 0);
}

#[test]
fn where_the_code_flow_is_refused_the_device_code_follows_unasked() {
    for error in ["unsupported_grant_type", "invalid_redirect_uri", "unauthorized_client", "invalid_request"] {
        let portal = Portal::strict_in_order();
        let home = configured(&portal);
        portal.expect(Call::RegisterClient).answered(Answer::oidc(error));
        portal.expect(Call::RegisterClient).served();
        portal.expect(Call::StartDeviceAuthorization).served();
        portal.expect(Call::PollForToken).served();
        home.daypass(LOGIN)
            .stderr_has("going on with a code")
            .stderr_has("check that it shows this code")
            .stderr_has("Signed in to corp")
            .go();
    }
}

#[test]
fn a_code_that_the_service_does_not_exchange_leads_to_the_device_code_too() {
    for error in ["unsupported_grant_type", "unauthorized_client"] {
        let portal = Portal::live(Realm::default());
        let home = configured(&portal);
        portal.expect(Call::RedeemCode).answered(Answer::oidc(error));
        home.daypass("login corp --flow pkce")
            .with("BROWSER", BROWSER)
            .stderr_has("going on with a code")
            .stderr_has("Signed in to corp")
            .go();
        assert_eq!(portal.count(Call::PollForToken), 1);
    }
}

#[test]
fn an_authorize_page_that_does_not_serve_us_leads_to_the_device_code_too() {
    let portal = Portal::live(Realm { authorize_error: Some("unauthorized_client"), ..Realm::default() });
    let home = configured(&portal);
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("(said the page): going on with a code")
        .stderr_has("Signed in to corp")
        .go();
}

#[test]
fn a_code_that_is_not_accepted_is_an_error_and_no_fall_back() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    portal.expect(Call::RedeemCode).answered(Answer::oidc("invalid_grant"));
    home.daypass("login corp --flow pkce")
        .with("BROWSER", BROWSER)
        .stderr_has("the code that the browser brought is not accepted")
        .stderr_has("\nhint: daypass login corp\n")
        .status(1)
        .go();
}

#[test]
fn without_a_browser_the_device_code_follows() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    for browser in ["no-such-browser-here", "false"] {
        home.daypass("login corp --flow pkce")
            .with("BROWSER", browser)
            .stderr_has("going on with a code")
            .stderr_has("Signed in to corp")
            .go();
    }
}

#[test]
fn neither_flow_uses_the_registration_of_the_other() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("login corp --flow device --no-browser").any_stderr().go();
    home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).any_stderr().go();
    home.daypass("login corp --flow device --no-browser").any_stderr().go();
    let registered: Vec<bool> = portal
        .calls()
        .iter()
        .filter(|call| call.call == Some(Call::RegisterClient))
        .map(|call| call.fields.contains_key("redirectUris"))
        .collect();
    assert_eq!(registered, [true, false, true]);
}

#[test]
fn a_forwarded_port_is_listened_on_and_opens_no_browser_elsewhere() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal).with("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let login = home
        .daypass(&format!("login corp --port {free}"))
        .with("BROWSER", "touch [HOME]/opened")
        .stderr_has(&format!("in a browser on the machine whose port {free} you forward to this one:\n"))
        .stderr_has(&format!("comes back to port {free} of 127.0.0.1"))
        .stderr_has("Signed in to corp")
        .spawn();
    let said = login.says("which must lead to this machine");
    let back = get(address(&said)).location.unwrap();
    assert!(back.starts_with(&format!("http://127.0.0.1:{free}/")), "{back}");
    get(&back);
    login.done();
}

#[test]
fn a_port_that_is_taken_is_said() {
    let portal = Portal::strict();
    let home = configured(&portal);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    home.daypass(&format!("login corp --port {port}"))
        .stderr_has(&format!("daypass: port {port} of 127.0.0.1 can't be listened on"))
        .stderr_has("\nhint: ")
        .status(2)
        .go();
    home.daypass("login corp --flow device --port 8400").stderr_has("--port is for --flow pkce").status(2).go();
}

/// The names of the events on standard output.
fn events(stdout: &str) -> Vec<String> {
    let name = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned();
    stdout.lines().map(name).collect()
}

#[test]
fn with_a_display_auto_takes_the_browser_without_a_terminal_too() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    let done = home.daypass("login corp --format json").stdout_has("signed_in").stderr_has("Signed in to corp").go();
    assert_eq!(events(&done.stdout), ["authorize", "signed_in"]);
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
    // Where nobody is to open one, there is no telling where it will be.
    home.daypass("login corp --no-browser").stderr_has("check that it shows this code").go();
    assert_eq!(portal.count(Call::RedeemCode), 1);
}

#[test]
fn without_a_terminal_auto_goes_on_with_a_code_where_the_browser_does_not_come_up() {
    for browser in ["no-such-browser-here", "false"] {
        let portal = Portal::live(Realm::default());
        let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", browser);
        let done = home.daypass("login corp --format json").any_output().go();
        assert_eq!(events(&done.stdout)[..3], ["authorize", "fell_back", "code"], "{browser}: {done}");
        assert!(done.stdout.contains("signed_in") && done.stderr.contains("check that it shows this code"), "{browser}: {done}");
        assert_eq!(portal.count(Call::PollForToken), 1);
    }
}

#[test]
fn events_of_both_flows_are_one_json_object_a_line() {
    let portal = Portal::live(Realm { approval: Approval::AfterPolls(2), ..Realm::default() });
    let home = configured(&portal);
    let events = |arguments: &str| -> Vec<serde_json::Value> {
        let done = home.daypass(arguments).with("BROWSER", BROWSER).any_output().go();
        done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let names = |events: &[serde_json::Value]| -> Vec<String> {
        assert!(events.iter().all(|event| event["session"] == "corp"), "{events:?}");
        events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
    };
    let device = events("login corp --flow device --no-browser --format json");
    assert_eq!(names(&device), ["code", "waiting", "signed_in"]);
    assert!(device[0]["verification_uri_complete"].as_str().unwrap().ends_with(device[0]["user_code"].as_str().unwrap()));
    assert_eq!((&device[0]["expires_in"], &device[1]["state"]), (&600.into(), &"pending".into()));
    assert_eq!((&device[2]["already"], &device[2]["refreshable"]), (&false.into(), &true.into()));
    let code = events("login corp --flow pkce --format json");
    assert_eq!(names(&code), ["authorize", "signed_in"]);
    assert!(code[0]["url"].as_str().unwrap().contains(&format!("127.0.0.1%3A{}%2F", code[0]["port"])));
    assert_eq!(names(&events("login corp --if-needed --format json")), ["signed_in"]);
    portal.expect(Call::RegisterClient).answered(Answer::oidc("invalid_redirect_uri"));
    assert_eq!(names(&events("login corp --flow pkce --format json"))[..2], ["fell_back", "code"]);
}

#[test]
fn secrets_never_appear_in_what_is_said() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal).with("DAYPASS_LOG", "trace");
    let done = home.daypass("login corp --flow pkce --format json -vvv").with("BROWSER", BROWSER).any_output().go();
    for secret in portal.secrets() {
        assert!(!done.stderr.contains(&secret) && !done.stdout.contains(&secret), "{secret} in\n{done}");
    }
}

#[test]
fn all_sessions_are_signed_in_to_and_one_that_fails_keeps_no_other() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal);
    home.daypass(
        "configure --session away --start-url https://away.awsapps.com/start --sso-region us-east-1 \
                  --account 111122223333 --role ReadOnly --profile away",
    )
    .any_stderr()
    .go();
    let done = home
        .daypass("login --all --no-browser")
        .stderr_has("Signed in to corp")
        .stderr_has("does not accept https://away.awsapps.com/start")
        .status(1)
        .go();
    assert_eq!(done.stderr.matches("\nhint: ").count(), 1);
    home.daypass("login --all --if-needed").any_stderr().stderr_has("Already signed in to corp").status(1).go();
    Home::new().daypass("login --all").stderr_has("no session").status(2).go();
}

#[test]
fn a_companys_own_address_leads_to_the_portal_and_stays_the_name_of_the_sign_in() {
    for path in ["vanity", "vanity-without-head"] {
        let portal = Portal::live(Realm::default());
        let home = Home::new().at(&portal);
        let own = format!("{}/{path}", portal.url());
        home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
        home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
        let started = portal.calls().into_iter().find(|call| call.call == Some(Call::StartDeviceAuthorization)).unwrap();
        assert_eq!(started.field("startUrl"), portal.start_url());
        home.daypass("status corp").stdout_has(&own).go();
        home.daypass("login corp --flow pkce").with("BROWSER", BROWSER).stderr_has("Signed in to corp").go();
        assert_eq!(portal.count(Call::RedeemCode), 1);
    }
}

#[test]
fn an_address_that_leads_elsewhere_is_not_followed() {
    let portal = Portal::live(Realm::default());
    let home = Home::new().at(&portal);
    let own = format!("{}/vanity-elsewhere", portal.url());
    home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
    home.daypass("login corp --no-browser").stderr_has(&format!("does not accept {own}")).status(1).go();
}

#[test]
fn an_address_that_leads_to_another_region_is_said() {
    let elsewhere = "https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws";
    let portal = Portal::live(Realm { start_url: elsewhere.into(), ..Realm::default() });
    let home = Home::new().at(&portal);
    let own = format!("{}/vanity", portal.url());
    home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
    home.daypass("login corp --no-browser").stderr_has(&format!("it leads to {elsewhere}, in eu-west-1")).status(1).go();
}

/// A home whose profile may open the browser by itself.
fn allowing(portal: &Portal) -> Home {
    let home = configured(portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    home.daypass("configure --session corp --account 111122223333 --role DeveloperAccess --profile dev --login").any_stderr().go();
    assert!(home.read(".aws/config").contains(" --role DeveloperAccess --login\n"), "{}", home.read(".aws/config"));
    home
}

const ASK: &str = "credential-process --session corp --account 111122223333 --role DeveloperAccess --login";

#[test]
fn a_profile_that_allows_it_opens_one_browser_for_all_who_ask() {
    let portal = Portal::live(Realm::default());
    let home = allowing(&portal);
    let running: Vec<_> = (0..8).map(|_| home.daypass(ASK).any_stderr().stdout_has("111122223333").spawn()).collect();
    for run in running {
        run.done();
    }
    assert_eq!((portal.visits(), portal.count(Call::RedeemCode)), (1, 1));
    // The profile is read as one of ours, and nobody else is allowed anything by it.
    home.daypass("env dev --shell dotenv").stdout_has("AWS_ACCESS_KEY_ID=ASIA").go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass("env dev").any_stderr().status(3).go();
    assert_eq!(portal.visits(), 1);
}

#[test]
fn a_profile_that_does_not_allow_it_never_opens_one() {
    let portal = Portal::strict();
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    home.daypass("credential-process --profile dev").stderr_has("hint: daypass login corp").status(3).go();
}

#[test]
fn no_browser_is_opened_where_nobody_sits() {
    let portal = Portal::strict();
    let home = allowing(&portal);
    for (name, value) in [("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22"), ("CI", "true"), ("DISPLAY", "")] {
        home.daypass(ASK)
            .with(name, value)
            .stderr_has("sign-in to corp needed")
            .stderr_has("no browser is opened")
            .stderr_has("\nhint: daypass login corp\n")
            .status(3)
            .go();
    }
}

#[test]
fn a_sign_in_that_was_refused_unasked_is_not_asked_for_again_at_once() {
    let portal = Portal::live(Realm { authorize_error: Some("access_denied"), ..Realm::default() });
    let home = allowing(&portal);
    home.daypass(ASK).stderr_has("sign-in to corp needed").stderr_has("said the page").status(3).go();
    // SDKs try again by themselves.
    for _ in 0..3 {
        home.daypass(ASK).stderr_has("nobody answered").stderr_has("\nhint: daypass login corp\n").status(3).go();
    }
    assert_eq!(portal.visits(), 1);
    // A person who signs in has answered.
    portal.change(|realm| realm.authorize_error = None);
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass(ASK).any_stderr().stdout_has("111122223333").go();
}

#[test]
fn a_portal_that_failed_before_anybody_was_asked_keeps_no_later_tool_from_asking() {
    let portal = Portal::live(Realm::default());
    let home = allowing(&portal);
    portal.expect(Call::RegisterClient).answered(Answer::captive_portal());
    home.daypass(ASK).stderr_has("is something else").status(6).go();
    assert_eq!(portal.visits(), 0);
    // One that fails after the person has done their part does: SDKs try again, and would open one page after the other.
    portal.expect(Call::RedeemCode).answered(Answer::captive_portal());
    home.daypass(ASK).stderr_has("is something else").status(6).go();
    home.daypass(ASK).stderr_has("nobody answered").status(3).go();
    assert_eq!(portal.visits(), 1);
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass(ASK).any_stderr().stdout_has("111122223333").go();
    assert_eq!(portal.visits(), 2);
}

#[test]
fn an_unasked_sign_in_without_a_browser_ends_at_once() {
    let portal = Portal::live(Realm { approval: Approval::ByHand, ..Realm::default() });
    let home = allowing(&portal);
    home.daypass(ASK).with("BROWSER", "no-such-browser-here").stderr_has("no browser could be opened").status(3).go();
}

#[test]
fn what_is_left_behind_holds_no_stream_of_the_helper() {
    let portal = Portal::live(Realm::default());
    let home = allowing(&portal);
    // A browser that stays for longer than any test: the run ends when both streams are closed.
    home.write("browser", "curl -sL -o /dev/null \"$1\"\necho $$ > browser.pid\nexec sleep 300\n");
    home.daypass(ASK).with("BROWSER", "sh browser").any_stderr().stdout_has("111122223333").go();
    home.program("sh").args(["-c", "until [ -s browser.pid ]; do :; done; kill $(cat browser.pid)"]).go();
}

#[test]
fn signed_in_already_no_browser_is_opened() {
    let portal = Portal::live(Realm::default());
    let home = signed_in(&portal).with("DISPLAY", ":0").with("BROWSER", "no-such-browser-here");
    home.daypass(ASK).stdout_has("111122223333").go();
}

/// What stands behind this command in a document, up to the next one; an address and a time may be any.
fn shown<'a>(document: &'a str, command: &str) -> Vec<&'a str> {
    let text = document.split_once(command).unwrap_or_else(|| panic!("nothing shows {command}")).1;
    let text = text.split("\n$ ").next().unwrap().split("```").next().unwrap().trim();
    let masked =
        |line: &'a str| if line.trim_start().starts_with("http") { "ADDRESS" } else { line.split(" until ").next().unwrap() };
    text.lines().map(masked).collect()
}

#[test]
fn the_first_sign_in_that_readme_shows_is_that_of_a_desktop() {
    let portal = Portal::live(Realm::default());
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER).with("TERM", "xterm");
    let said = at_a_terminal(
        &home,
        "
shell = pexpect.spawn('daypass', ['login'], encoding='utf-8', timeout=30, dimensions=(40, 500))
shell.expect(pexpect.EOF)
print(shell.before.replace('\\r\\n', '\\n'))
",
    );
    // The line that counts down is written over.
    let said: Vec<&str> = said.lines().map(|line| line.rsplit("\r\x1b[K").next().unwrap_or_default()).collect();
    let command = "$ daypass login\n";
    assert_eq!(shown(include_str!("../../README.md"), command), shown(&format!("{command}{}", said.join("\n")), command));
}

/// Somebody whose browser comes back at once, if the portal lets it, and who never does anything else.
#[derive(Default)]
struct Prompt {
    patience: Duration,
    /// How often they start again.
    again: usize,
    /// How often they were asked to.
    asked: usize,
}

impl SignInUi for Prompt {
    fn notify(&mut self, event: &Event<'_>) {
        if let Event::Authorize { url, .. } = event
            && let Some(back) = get(url).location
        {
            // The page may come much later, or never.
            thread::spawn(move || get(&back));
        }
    }

    fn wait(&mut self, pause: Duration, _: Duration) -> Decision {
        thread::sleep(pause);
        Decision::Continue
    }

    fn restart(&mut self) -> bool {
        self.asked += 1;
        self.asked <= self.again
    }

    fn browser_timeout(&self) -> Duration {
        self.patience
    }
}

/// A sign-in at this portal, without the program around it.
fn signs_in(portal: &Portal, start_url: &str, way: SignInRequest, person: &mut dyn SignInUi) -> Result<Token, Error> {
    let home = Home::new();
    home.write("config", &format!("[default]\nendpoint_url = {}\n", portal.url()));
    let at = |name: &str| home.path(name).display().to_string();
    let vars = [
        ("HOME", at("")),
        ("AWS_CONFIG_FILE", at("config")),
        ("AWS_SHARED_CREDENTIALS_FILE", at("credentials")),
        ("DAYPASS_KEYRING", "memory".to_owned()),
        ("XDG_RUNTIME_DIR", at("run")),
    ];
    let env: Env = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let session =
        Session { name: "corp".to_owned(), start_url: start_url.to_owned(), region: "us-east-1".to_owned(), scopes: Vec::new() };
    let settings = Settings {
        region: session.region.clone(),
        start_url: session.start_url.clone(),
        profile: Some("default".to_owned()),
        env: env.clone(),
    };
    let vault = Vault::open(&env)?;
    let locks = Locks::new(env.runtime_folder());
    Broker::new(&session, &vault, daypass::portal::Portal::new(settings), locks).sign_in(way, person)
}

#[test]
fn no_step_of_an_unasked_sign_in_outlasts_the_whole_at_a_portal_that_hangs() {
    let takes = |hangs: Option<Call>, flow: Flow| {
        let portal = Portal::live(Realm::default());
        // Takes connections and says nothing: a start URL of the company's own that leads nowhere.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let start_url = match hangs {
            Some(call) => {
                portal.expect(call).any_number_of_times().answered(Answer::hang());
                portal.start_url()
            }
            None => format!("http://{}/start", silent.local_addr().unwrap()),
        };
        let began = Instant::now();
        let way = SignInRequest { flow, port: None, unattended_until: Some(Deadline::after(Duration::from_secs(2))) };
        let mut person = Prompt { patience: Duration::from_mins(10), ..Prompt::default() };
        let ended = signs_in(&portal, &start_url, way, &mut person);
        assert!(ended.is_err(), "{hangs:?}, {flow:?}");
        assert!(hangs.is_none_or(|call| portal.count(call) > 0), "{hangs:?} never came, {flow:?}: {ended:?}");
        began.elapsed()
    };
    thread::scope(|scope| {
        let steps = [
            (None, Flow::Pkce),
            (Some(Call::RegisterClient), Flow::Pkce),
            (Some(Call::RedeemCode), Flow::Pkce),
            (Some(Call::RegisterClient), Flow::Device),
            (Some(Call::StartDeviceAuthorization), Flow::Device),
            (Some(Call::PollForToken), Flow::Device),
        ];
        let running = steps.map(|(hangs, flow)| (hangs, flow, scope.spawn(move || takes(hangs, flow))));
        for (hangs, flow, step) in running {
            let took = step.join().unwrap();
            // Each step by itself may take five seconds or more.
            assert!(took < Duration::from_millis(4500), "{hangs:?}, {flow:?}: {took:?}");
        }
    });
}

#[test]
fn where_the_browser_does_not_come_back_in_time_the_sign_in_can_be_started_again() {
    let portal = Portal::live(Realm { approval: Approval::ByHand, ..Realm::default() });
    let way = SignInRequest { flow: Flow::Pkce, port: None, unattended_until: None };
    let mut person = Prompt { patience: Duration::from_millis(100), again: 1, asked: 0 };
    let error = signs_in(&portal, &portal.start_url(), way, &mut person).unwrap_err();
    assert_eq!(person.asked, 2);
    assert_eq!(error.to_string(), "daypass: nobody finished the sign-in to corp in the browser in time\nhint: daypass login corp");
    // Another time the browser comes: the same port is free again.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let calm = Prompt { patience: Duration::from_secs(2), again: 1, asked: 0 };
    let mut person = ComesLater { portal: &portal, calm };
    signs_in(&portal, &portal.start_url(), SignInRequest { port: Some(port), ..way }, &mut person).unwrap();
    assert_eq!((person.calm.asked, portal.count(Call::StartDeviceAuthorization)), (1, 0));
    // Nobody is asked who had not asked.
    let unasked = SignInRequest { unattended_until: Some(Deadline::after(Duration::from_millis(500))), ..way };
    portal.change(|realm| realm.approval = Approval::ByHand);
    let mut person = Prompt { patience: Duration::from_mins(10), again: 1, asked: 0 };
    let error = signs_in(&portal, &portal.start_url(), unasked, &mut person).unwrap_err();
    assert!(error.what.starts_with("sign-in to corp needed: nobody finished") && person.asked == 0, "{error}");
}

/// Somebody who finds the page when they are asked whether to start again.
struct ComesLater<'a> {
    portal: &'a Portal,
    calm: Prompt,
}

impl SignInUi for ComesLater<'_> {
    fn notify(&mut self, event: &Event<'_>) {
        self.calm.notify(event);
    }

    fn wait(&mut self, pause: Duration, left: Duration) -> Decision {
        self.calm.wait(pause, left)
    }

    fn restart(&mut self) -> bool {
        self.portal.change(|realm| realm.approval = Approval::AfterPolls(0));
        self.calm.restart()
    }

    fn browser_timeout(&self) -> Duration {
        self.calm.patience
    }
}
