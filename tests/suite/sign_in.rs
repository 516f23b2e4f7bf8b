//! The broker's sign-in in-process: deadlines, and starting again.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use daypass::aws::Settings;
use daypass::broker::{Broker, Decision, Event, Flow, Locks, SignInRequest, SignInUi};
use daypass::credentials::Token;
use daypass::error::Error;
use daypass::profile::names::Session;
use daypass::sys::clock::Deadline;
use daypass::sys::env::Env;
use daypass::sys::lock::Folders;
use daypass::vault::Vault;

use crate::pkce::get;
use crate::support::portal::{Answer, Approval, Call, Portal, PortalConfig};
use crate::support::run::Home;

/// A user whose browser returns at once if the portal redirects it.
#[derive(Default)]
struct InstantBrowser {
    timeout: Duration,
    /// How often the user agrees to start again.
    restarts: usize,
    /// How often the user was asked to.
    asked: usize,
}

impl SignInUi for InstantBrowser {
    fn notify(&mut self, event: &Event<'_>) {
        if let Event::Authorize { url, .. } = event
            && let Some(back) = get(url).location
        {
            // The callback's page may arrive much later, or never.
            thread::spawn(move || get(&back));
        }
    }

    fn wait(&mut self, pause: Duration, _: Duration) -> Decision {
        thread::sleep(pause);
        Decision::Continue
    }

    fn restart(&mut self) -> bool {
        self.asked += 1;
        self.asked <= self.restarts
    }

    fn browser_timeout(&self) -> Duration {
        self.timeout
    }
}

/// Signs in at this portal, in this process.
fn sign_in(portal: &Portal, start_url: &str, request: SignInRequest, ui: &mut dyn SignInUi) -> Result<Token, Error> {
    let home = Home::new();
    let at = |name: &str| home.path(name).display().to_string();
    let vars = [
        ("HOME", at("")),
        ("AWS_CONFIG_FILE", at("config")),
        ("AWS_SHARED_CREDENTIALS_FILE", at("credentials")),
        ("AWS_ENDPOINT_URL_SSO", portal.url()),
        ("AWS_ENDPOINT_URL_SSO_OIDC", portal.url()),
        ("DAYPASS_KEYRING", "memory".to_owned()),
        ("XDG_RUNTIME_DIR", at("run")),
    ];
    let env: Env = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let session =
        Session { name: "corp".to_owned(), start_url: start_url.to_owned(), region: "us-east-1".to_owned(), scopes: Vec::new() };
    let settings = Settings { region: session.region.clone(), profile: None, env: env.clone() };
    let vault = Vault::open(&env)?;
    let locks = Locks::new(Folders::new(&env), vault.identity());
    Broker::new(&session, &vault, daypass::portal::Portal::new(settings, start_url.to_owned()), locks).sign_in(request, ui)
}

#[test]
fn no_step_of_an_automatic_sign_in_exceeds_its_deadline_if_the_portal_hangs() {
    let duration = |hangs: Option<Call>, flow: Flow| {
        let portal = Portal::live(PortalConfig::default());
        // Accepts connections and never answers: a vanity URL that hangs.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let start_url = match hangs {
            Some(call) => {
                portal.expect(call).any_number_of_times().answered(Answer::hang());
                portal.start_url()
            }
            None => format!("http://{}/start", silent.local_addr().unwrap()),
        };
        let start = Instant::now();
        let request = SignInRequest { flow, port: None, unattended_until: Some(Deadline::after(Duration::from_secs(2))) };
        let mut user = InstantBrowser { timeout: Duration::from_mins(10), ..InstantBrowser::default() };
        let result = sign_in(&portal, &start_url, request, &mut user);
        assert!(result.is_err(), "{hangs:?}, {flow:?}");
        assert!(hangs.is_none_or(|call| portal.count(call) > 0), "{hangs:?} did not arrive, {flow:?}: {result:?}");
        start.elapsed()
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
        let running = steps.map(|(hangs, flow)| (hangs, flow, scope.spawn(move || duration(hangs, flow))));
        for (hangs, flow, step) in running {
            let took = step.join().unwrap();
            // The sign-in has 2 s. A step that ignores that takes at least 5 s.
            assert!(took < Duration::from_millis(4500), "{hangs:?}, {flow:?}: {took:?}");
        }
    });
}

#[test]
fn a_sign_in_can_be_started_again_if_the_browser_does_not_return_in_time() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let request = SignInRequest { flow: Flow::Pkce, port: None, unattended_until: None };
    let mut user = InstantBrowser { timeout: Duration::from_millis(100), restarts: 1, asked: 0 };
    let error = sign_in(&portal, &portal.start_url(), request, &mut user).unwrap_err();
    assert_eq!(user.asked, 2);
    assert_eq!(
        error.to_string(),
        "daypass: the sign-in to corp was not completed in the browser in time\nhint: daypass login corp"
    );
    // The browser returns after a restart, which listens on the same port again.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let browser = InstantBrowser { timeout: Duration::from_secs(2), restarts: 1, asked: 0 };
    let mut user = ApprovesOnRestart { portal: &portal, browser };
    sign_in(&portal, &portal.start_url(), SignInRequest { port: Some(port), ..request }, &mut user).unwrap();
    assert_eq!((user.browser.asked, portal.count(Call::StartDeviceAuthorization)), (1, 0));
    // An automatic sign-in does not ask the user.
    let automatic = SignInRequest { unattended_until: Some(Deadline::after(Duration::from_millis(500))), ..request };
    portal.change(|config| config.approval = Approval::ByHand);
    let mut user = InstantBrowser { timeout: Duration::from_mins(10), restarts: 1, asked: 0 };
    let error = sign_in(&portal, &portal.start_url(), automatic, &mut user).unwrap_err();
    assert!(error.what.starts_with("not signed in to corp: the sign-in to corp was not completed") && user.asked == 0, "{error}");
}

/// A user who approves only after the sign-in is started again.
struct ApprovesOnRestart<'a> {
    portal: &'a Portal,
    browser: InstantBrowser,
}

impl SignInUi for ApprovesOnRestart<'_> {
    fn notify(&mut self, event: &Event<'_>) {
        self.browser.notify(event);
    }

    fn wait(&mut self, pause: Duration, left: Duration) -> Decision {
        self.browser.wait(pause, left)
    }

    fn restart(&mut self) -> bool {
        self.portal.change(|config| config.approval = Approval::AfterPolls(0));
        self.browser.restart()
    }

    fn browser_timeout(&self) -> Duration {
        self.browser.timeout
    }
}
