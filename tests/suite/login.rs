//! `login` with the device flow.

use std::time::Duration;

use crate::configured;
use crate::support::portal::{Answer, Approval, Call, Latch, Portal, PortalConfig};
use crate::support::run::Home;

const LOGIN: &str = "login corp --no-browser";

/// A portal that serves the start of a device flow. Each test adds the answers to the polls.
fn device_flow() -> Portal {
    let portal = Portal::strict();
    portal.expect(Call::RegisterClient).served();
    portal.expect(Call::StartDeviceAuthorization).served();
    portal
}

#[test]
fn the_address_and_the_code_are_printed_even_with_quiet() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let said = home.daypass("login corp --no-browser --quiet").stderr_has("[PORTAL]").go().stderr;
    let code = portal.calls().iter().filter(|call| call.call == Some(Call::PollForToken)).count();
    assert_eq!(code, 1);
    assert!(said.lines().any(|line| line.trim().len() == 9 && line.contains('-')), "a user code on a line of its own:\n{said}");
}

#[test]
fn login_waits_while_authorization_is_pending() {
    let portal = device_flow();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).times(2).answered(Answer::pending());
    portal.expect(Call::PollForToken).served();
    portal.allow();
    portal.change(|config| config.approval = Approval::AfterPolls(0));
    home.daypass(LOGIN).stderr_has("Signed in to corp").go();
}

#[test]
fn login_continues_after_slow_down() {
    let portal = device_flow();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::slow_down());
    portal.expect(Call::PollForToken).served();
    home.daypass(LOGIN).stderr_has("Signed in to corp").go();
}

#[test]
fn a_denial_ends_login_at_once() {
    let portal = device_flow();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::denied());
    home.daypass(LOGIN)
        .stderr_has("daypass: the sign-in to corp was refused")
        .stderr_has("\nhint: daypass login corp\n")
        .status(1)
        .go();
    home.daypass("status corp").any_output().status(3).go();
}

#[test]
fn an_expired_code_ends_login() {
    let portal = device_flow();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::expired());
    home.daypass(LOGIN).stderr_has("before its code expired\nhint: daypass login corp\n").status(1).go();
}

#[test]
fn failed_polls_do_not_end_login() {
    let portal = device_flow();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::reset());
    portal.expect(Call::PollForToken).answered(Answer::status(502));
    portal.expect(Call::PollForToken).served();
    home.daypass(LOGIN).stderr_has("Signed in to corp").go();
}

#[test]
fn a_client_registration_is_reused() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass(LOGIN).any_stderr().go();
    home.daypass("login corp --force --no-browser").any_stderr().go();
    assert_eq!(portal.count(Call::RegisterClient), 1);
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 2);
}

#[test]
fn a_registration_that_the_service_no_longer_knows_is_replaced() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass(LOGIN).any_stderr().go();
    portal.forget_clients();
    home.daypass("login corp --force --no-browser").stderr_has("Signed in to corp").go();
    assert_eq!(portal.count(Call::RegisterClient), 2);
}

#[test]
fn a_registration_that_expires_soon_is_not_reused() {
    let portal = Portal::live(PortalConfig { registration_ttl: Duration::from_mins(14), ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass(LOGIN).any_stderr().go();
    home.daypass("login corp --force --no-browser").any_stderr().go();
    assert_eq!(portal.count(Call::RegisterClient), 2);
}

#[test]
fn a_registration_with_other_scopes_is_not_reused() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass(LOGIN).any_stderr().go();
    home.daypass("login corp --no-browser --scopes sso:account:access,codewhisperer:completions").any_stderr().go();
    assert_eq!(portal.count(Call::RegisterClient), 2);
}

#[test]
fn a_wrong_start_url_is_reported_with_region_and_address() {
    let portal = Portal::live(PortalConfig { start_url: "https://other.awsapps.com/start".into(), ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass(LOGIN)
        .stderr_has("IAM Identity Center in us-east-1 does not accept https://sandbox.awsapps.com/start")
        .stderr_has("\nhint: daypass configure --session corp --session-only")
        .status(1)
        .go();
}

#[test]
fn the_browser_variable_opens_the_verification_page() {
    let portal = Portal::live(PortalConfig { approval: Approval::OnVisit, ..PortalConfig::default() });
    let home = configured(&portal);
    home.daypass("login corp").with("BROWSER", "curl -s -o /dev/null").stderr_has("Signed in to corp").go();
    assert_eq!(portal.visits(), 1);
}

#[test]
fn without_a_browser_login_says_so_and_continues() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("login corp")
        .with("BROWSER", "no-such-browser-here")
        .stderr_has("Couldn't open a browser here")
        .stderr_has("Signed in to corp")
        .go();
}

#[test]
fn if_needed_does_nothing_if_already_signed_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::signed_in(&portal);
    let before = portal.requests();
    home.daypass("login corp --if-needed --min-ttl 30m")
        .stderr("Already signed in to corp. To sign in again: daypass login corp --force\n")
        .go();
    assert_eq!(portal.requests(), before);
    // Longer than the access token is valid: a refresh shows that the session is.
    home.daypass("login corp --if-needed --min-ttl 8h")
        .stderr("Already signed in to corp. To sign in again: daypass login corp --force\n")
        .go();
    assert_eq!(portal.count(Call::RefreshToken), 1);
    portal.end_sessions();
    home.daypass("login corp --if-needed --min-ttl 8h --no-browser").stderr_has("Signed in to corp").go();
}

#[test]
fn two_concurrent_logins_sign_in_once() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let home = configured(&portal);
    let first = home.daypass(LOGIN).stderr_has("Signed in to corp").spawn();
    first.wait_for_stderr("open this address");
    let second = home
        .daypass("login corp --no-browser -v")
        .stderr_has("waiting for another daypass")
        .stderr_has("Signed in to corp")
        .spawn();
    second.wait_for_stderr("waiting for another daypass");
    portal.allow();
    first.wait();
    second.wait();
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 1);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_login_with_130() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let home = configured(&portal);
    let login = home.daypass(LOGIN).any_stderr().status(130).spawn();
    login.wait_for_stderr("open this address");
    home.program("kill").args(["-INT", &login.id().to_string()]).go();
    login.wait();
}

#[test]
fn signing_in_drops_cached_role_credentials() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::signed_in(&portal);
    home.daypass("credential-process --profile dev").any_output().go();
    home.daypass("login corp --force --no-browser").any_stderr().go();
    home.daypass("credential-process --profile dev").any_output().go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 2);
}

#[test]
fn a_captive_portal_is_not_mistaken_for_identity_center() {
    let portal = Portal::strict();
    let home = configured(&portal);
    portal.expect(Call::RegisterClient).answered(Answer::captive_portal());
    home.daypass(LOGIN)
        .stderr_has("unexpected answer from IAM Identity Center")
        .stderr_has("\nhint: curl -sSI https://portal.sso.us-east-1.amazonaws.com")
        .status(6)
        .go();
}

#[test]
fn a_killed_login_keeps_the_previous_sign_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = crate::signed_in(&portal);
    let latch = Latch::closed();
    portal.expect(Call::PollForToken).answered(Answer::served().after(&latch));
    let login = home.daypass("login corp --force --no-browser").any_stderr().spawn();
    latch.wait_for_requests(1);
    login.kill();
    latch.open();
    home.daypass("credential-process --profile dev").any_output().go();
}

#[test]
fn login_all_signs_in_to_every_session_even_if_one_fails() {
    let portal = Portal::live(PortalConfig::default());
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
    Home::new().daypass("login --all").stderr_has("no sessions").status(2).go();
}
