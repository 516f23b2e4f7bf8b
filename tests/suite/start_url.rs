//! Start URLs that redirect to the portal (vanity URLs).

use crate::pkce::BROWSER;
use crate::support::portal::{Call, Portal, PortalConfig};
use crate::support::run::Home;

#[test]
fn a_vanity_url_is_followed_to_the_portal_and_identifies_the_sign_in() {
    for path in ["vanity", "vanity-without-head"] {
        let portal = Portal::live(PortalConfig::default());
        let home = Home::new().at(&portal);
        let own = format!("{}/{path}", portal.url());
        home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
        home.daypass("login corp --no-browser").stderr_has("Signed in to corp").go();
        let started = portal.calls().into_iter().find(|call| call.call == Some(Call::StartDeviceAuthorization)).unwrap();
        assert_eq!(started.field("startUrl"), portal.start_url());
        home.daypass("status corp").stdout_has(&own).go();
        home.daypass("login corp --force --flow pkce").with("BROWSER", BROWSER).stderr_has("Signed in to corp").go();
        assert_eq!(portal.count(Call::RedeemCode), 1);
    }
}

#[test]
fn a_redirect_to_another_domain_is_not_followed() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    let own = format!("{}/vanity-elsewhere", portal.url());
    home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
    home.daypass("login corp --no-browser").stderr_has(&format!("does not accept {own}")).status(1).go();
}

#[test]
fn a_vanity_url_to_another_region_is_reported() {
    let elsewhere = "https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws";
    let portal = Portal::live(PortalConfig { start_url: elsewhere.into(), ..PortalConfig::default() });
    let home = Home::new().at(&portal);
    let own = format!("{}/vanity", portal.url());
    home.write(".aws/config", &format!("[sso-session corp]\nsso_start_url = {own}\nsso_region = us-east-1\n"));
    home.daypass("login corp --no-browser")
        .stderr_has(&format!("it redirects to {elsewhere}, which is in eu-west-1"))
        .stderr_has("\nhint: daypass configure --session corp --sso-region eu-west-1 --session-only\n")
        .status(1)
        .go();
}

#[cfg(unix)]
#[test]
fn a_wrong_region_is_corrected_with_consent() {
    use crate::terminal::Terminal;
    let elsewhere = "https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws";
    let portal = Portal::live(PortalConfig { start_url: elsewhere.into(), ..PortalConfig::default() });
    let home = crate::terminal::home(&portal);
    let wrong = format!("# mine\n[sso-session corp]\nsso_start_url = {}/vanity\nsso_region = us-east-1\n", portal.url());
    home.write(".aws/config", &wrong);
    let mut terminal = Terminal::new(&home, "login corp --no-browser", 200, 24);
    terminal.answer(".aws/config:4 says us-east-1. Change it to eu-west-1? [Y/n]", "n").shows("which is in eu-west-1");
    terminal.ends(1);
    assert_eq!(home.read(".aws/config"), wrong);
    let mut terminal = Terminal::new(&home, "login corp --no-browser", 80, 24);
    terminal.enter("Change it to eu-west-1? [Y/n]").shows("Changed sso_region to eu-west-1").shows("Signed in to corp");
    terminal.ends(0);
    assert_eq!(home.read(".aws/config"), wrong.replace("us-east-1", "eu-west-1"));
    home.daypass("status corp").stdout_has("corp").go();
}
