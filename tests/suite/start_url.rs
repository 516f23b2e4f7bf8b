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
        .status(1)
        .go();
}
