//! The broker's sign-in, in-process.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use daypass::broker::{Broker, Decision, Event, Flow, Locks, SignInRequest, SignInUi};
use daypass::credentials::Token;
use daypass::error::Error;
use daypass::portal::Settings;
use daypass::profile::names::Session;
use daypass::sys::clock::Deadline;
use daypass::sys::env::Env;
use daypass::sys::lock::Folders;
use daypass::vault::Vault;

use crate::pkce::get;
use crate::support::portal::{Answer, Approval, Call, Portal, PortalConfig};
use crate::support::run::Home;

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
    let settings =
        Settings { region: session.region.clone(), start_url: session.start_url.clone(), profile: None, env: env.clone() };
    let vault = Vault::open(&env)?;
    let locks = Locks::new(Folders::new(&env), vault.identity());
    Broker::new(&session, &vault, daypass::portal::Portal::new(settings), locks).sign_in(way, person)
}

#[test]
fn no_step_of_an_automatic_sign_in_exceeds_its_deadline_if_the_portal_hangs() {
    let takes = |hangs: Option<Call>, flow: Flow| {
        let portal = Portal::live(PortalConfig::default());
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
fn a_sign_in_can_be_started_again_if_the_browser_does_not_return_in_time() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let way = SignInRequest { flow: Flow::Pkce, port: None, unattended_until: None };
    let mut person = Prompt { patience: Duration::from_millis(100), again: 1, asked: 0 };
    let error = signs_in(&portal, &portal.start_url(), way, &mut person).unwrap_err();
    assert_eq!(person.asked, 2);
    assert_eq!(
        error.to_string(),
        "daypass: the sign-in to corp was not completed in the browser in time\nhint: daypass login corp"
    );
    // Another time the browser comes: the same port is free again.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let calm = Prompt { patience: Duration::from_secs(2), again: 1, asked: 0 };
    let mut person = ComesLater { portal: &portal, calm };
    signs_in(&portal, &portal.start_url(), SignInRequest { port: Some(port), ..way }, &mut person).unwrap();
    assert_eq!((person.calm.asked, portal.count(Call::StartDeviceAuthorization)), (1, 0));
    // Nobody is asked who had not asked.
    let unasked = SignInRequest { unattended_until: Some(Deadline::after(Duration::from_millis(500))), ..way };
    portal.change(|config| config.approval = Approval::ByHand);
    let mut person = Prompt { patience: Duration::from_mins(10), again: 1, asked: 0 };
    let error = signs_in(&portal, &portal.start_url(), unasked, &mut person).unwrap_err();
    assert!(error.what.starts_with("not signed in to corp: the sign-in to corp was not completed") && person.asked == 0, "{error}");
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
        self.portal.change(|config| config.approval = Approval::AfterPolls(0));
        self.calm.restart()
    }

    fn browser_timeout(&self) -> Duration {
        self.calm.patience
    }
}
