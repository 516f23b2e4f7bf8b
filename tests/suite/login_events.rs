//! `login --format json`: the events of both flows.

use crate::configured;
use crate::pkce::BROWSER;
use crate::support::portal::{Answer, Approval, Call, Portal, PortalConfig};

/// The names of the events on standard output.
fn events(stdout: &str) -> Vec<String> {
    let name = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].as_str().unwrap().to_owned();
    stdout.lines().map(name).collect()
}

#[test]
fn auto_uses_the_browser_with_a_display_and_no_terminal() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", BROWSER);
    let done = home.daypass("login corp --format json").stdout_has("signed_in").stderr_has("Signed in to corp").go();
    assert_eq!(events(&done.stdout), ["authorize", "signed_in"]);
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
    // With --no-browser the browser may run on another machine.
    home.daypass("login corp --force --no-browser").stderr_has("check that it shows this code").go();
    assert_eq!(portal.count(Call::RedeemCode), 1);
}

#[test]
fn auto_falls_back_to_a_device_code_if_the_browser_fails_to_start() {
    for browser in ["no-such-browser-here", "false"] {
        let portal = Portal::live(PortalConfig::default());
        let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", browser);
        let done = home.daypass("login corp --format json").any_output().go();
        assert_eq!(events(&done.stdout)[..3], ["authorize", "fell_back", "code"], "{browser}: {done}");
        assert!(done.stdout.contains("signed_in") && done.stderr.contains("check that it shows this code"), "{browser}: {done}");
        assert_eq!(portal.count(Call::PollForToken), 1);
    }
}

#[test]
fn events_of_both_flows_are_one_json_object_per_line() {
    let portal = Portal::live(PortalConfig { approval: Approval::AfterPolls(2), ..PortalConfig::default() });
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
    let code = events("login corp --force --flow pkce --format json");
    assert_eq!(names(&code), ["authorize", "signed_in"]);
    assert!(code[0]["url"].as_str().unwrap().contains(&format!("127.0.0.1%3A{}%2F", code[0]["port"])));
    assert_eq!(names(&events("login corp --if-needed --format json")), ["signed_in"]);
    portal.expect(Call::RegisterClient).answered(Answer::oidc("invalid_redirect_uri"));
    assert_eq!(names(&events("login corp --force --flow pkce --format json"))[..2], ["fell_back", "code"]);
}

#[test]
fn secrets_never_appear_in_events_or_logs() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("DAYPASS_LOG", "trace");
    let done = home.daypass("login corp --flow pkce --format json -vvv").with("BROWSER", BROWSER).any_output().go();
    for secret in portal.secrets() {
        assert!(!done.stderr.contains(&secret) && !done.stdout.contains(&secret), "{secret} in\n{done}");
    }
}
