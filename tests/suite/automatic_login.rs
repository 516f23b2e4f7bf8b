//! Profiles with `--login`: `credential-process` opens the browser itself when a sign-in is required.

use crate::pkce::BROWSER;
use crate::support::portal::{Answer, Approval, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

/// A home whose profile `dev` contains `--login`.
fn with_automatic_login(portal: &Portal) -> Home {
    let home = configured(portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    home.daypass("configure --session corp --account 111122223333 --role DeveloperAccess --profile dev --login").any_stderr().go();
    assert!(home.read(".aws/config").contains(" --role DeveloperAccess --login\n"), "{}", home.read(".aws/config"));
    home
}

const ASK: &str = "credential-process --session corp --account 111122223333 --role DeveloperAccess --login";

#[test]
fn concurrent_calls_of_a_login_profile_open_one_browser() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_automatic_login(&portal);
    let running: Vec<_> = (0..8).map(|_| home.daypass(ASK).any_stderr().stdout_has("111122223333").spawn()).collect();
    for run in running {
        run.wait();
    }
    assert_eq!((portal.visits(), portal.count(Call::RedeemCode)), (1, 1));
    // Other commands read the profile too, but `--login` does not apply to them.
    home.daypass("env dev --shell dotenv").stdout_has("AWS_ACCESS_KEY_ID=ASIA").go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass("env dev").any_stderr().status(3).go();
    assert_eq!(portal.visits(), 1);
}

#[test]
fn a_profile_without_login_never_opens_a_browser() {
    let portal = Portal::strict();
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    home.daypass("credential-process --profile dev").stderr_has("hint: daypass login corp").status(3).go();
}

#[test]
fn no_browser_is_opened_over_ssh_in_ci_or_without_a_display() {
    let portal = Portal::strict();
    let home = with_automatic_login(&portal);
    for (name, value) in [("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22"), ("CI", "true"), ("DISPLAY", "")] {
        home.daypass(ASK)
            .with(name, value)
            .stderr_has("not signed in to corp")
            .stderr_has("no browser is opened")
            .stderr_has("\nhint: daypass login corp\n")
            .status(3)
            .go();
    }
}

#[test]
fn a_refused_automatic_sign_in_is_not_repeated_until_the_user_signs_in() {
    let portal = Portal::live(PortalConfig { authorize_error: Some("access_denied"), ..PortalConfig::default() });
    let home = with_automatic_login(&portal);
    home.daypass(ASK).stderr_has("not signed in to corp").stderr_has("said the page").status(3).go();
    // SDKs retry on their own.
    for _ in 0..3 {
        home.daypass(ASK)
            .stderr_has("the last sign-in in the browser was not completed")
            .stderr_has("\nhint: daypass login corp\n")
            .status(3)
            .go();
    }
    assert_eq!(portal.visits(), 1);
    // Signing in clears that.
    portal.change(|config| config.authorize_error = None);
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass(ASK).any_stderr().stdout_has("111122223333").go();
}

#[test]
fn a_portal_failure_before_the_browser_opens_does_not_block_the_next_attempt() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_automatic_login(&portal);
    portal.expect(Call::RegisterClient).answered(Answer::captive_portal());
    home.daypass(ASK).stderr_has("unexpected answer from IAM Identity Center").status(6).go();
    assert_eq!(portal.visits(), 0);
    // A failure after the user has approved does block it: SDKs retry, and every retry would open another page.
    portal.expect(Call::RedeemCode).answered(Answer::captive_portal());
    home.daypass(ASK).stderr_has("unexpected answer from IAM Identity Center").status(6).go();
    home.daypass(ASK).stderr_has("the last sign-in in the browser was not completed").status(3).go();
    assert_eq!(portal.visits(), 1);
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass(ASK).any_stderr().stdout_has("111122223333").go();
    assert_eq!(portal.visits(), 2);
}

#[test]
fn an_automatic_sign_in_without_a_browser_fails_at_once() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let home = with_automatic_login(&portal);
    home.daypass(ASK).with("BROWSER", "no-such-browser-here").stderr_has("no browser could be opened").status(3).go();
}

#[test]
fn a_browser_left_running_keeps_no_stream_of_the_helper_open() {
    let portal = Portal::live(PortalConfig::default());
    let home = with_automatic_login(&portal);
    // The run ends when both streams are closed, long before this browser does.
    home.write("browser", "curl -sL -o /dev/null \"$1\"\necho $$ > browser.pid\nexec sleep 300\n");
    home.daypass(ASK).with("BROWSER", "sh browser").any_stderr().stdout_has("111122223333").go();
    home.program("sh").args(["-c", "until [ -s browser.pid ]; do :; done; kill $(cat browser.pid)"]).go();
}

#[test]
fn no_browser_is_opened_if_already_signed_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("DISPLAY", ":0").with("BROWSER", "no-such-browser-here");
    home.daypass(ASK).stdout_has("111122223333").go();
}
