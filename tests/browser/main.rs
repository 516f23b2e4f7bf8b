//! Both sign-in flows in a real browser: the pages of the simulated portal, whose buttons a person uses, and daypass's own callback page.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(unreachable_pub, clippy::disallowed_methods)] // Tests start programs and read the clock.

mod driver;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use driver::Browser;
use support::portal::{Approval, Call, Portal, PortalConfig};
use support::run::Home;

/// A home in which the browser of daypass writes the address into the file `opened`, for the real one.
fn home(portal: &Portal) -> Home {
    let home = Home::new().at(portal).with("DISPLAY", ":0").with("BROWSER", "sh browser");
    home.write("browser", "echo \"$1\" > opened.new && mv opened.new opened\n");
    let config = format!("[sso-session corp]\nsso_start_url = {}\nsso_region = us-east-1\n", portal.start_url());
    home.write(".aws/config", &config);
    home
}

fn by_hand() -> Portal {
    Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() })
}

/// The address that daypass has opened; the next one is waited for again.
fn opened(home: &Home) -> String {
    let start = Instant::now();
    while !home.path("opened").exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "daypass opened no browser");
        std::thread::yield_now();
    }
    let address = home.read("opened").trim_end().to_owned();
    std::fs::remove_file(home.path("opened")).unwrap();
    address
}

/// Saves pictures of the page, light and dark, and checks that its text can be read in both. `DAYPASS_TEST_PICTURES` is the folder;
/// without it, a temporary one.
fn look(browser: &Browser, home: &Home, name: &str) {
    let folder = std::env::var_os("DAYPASS_TEST_PICTURES").map_or_else(|| home.path("pictures"), Into::into);
    std::fs::create_dir_all(&folder).unwrap();
    let seen = ["light", "dark"].map(|scheme| {
        browser.prefer(scheme);
        let picture = browser.picture();
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 2000, "{name} in {scheme} is blank");
        std::fs::write(folder.join(format!("{name}-{scheme}.png")), picture).unwrap();
        let (back, text) = browser.colours();
        let contrast = brightness(&back).abs_diff(brightness(&text));
        assert!(contrast > 120, "{name} in {scheme}: text of {text} on {back}");
        back
    });
    assert_ne!(seen[0], seen[1], "{name} has no dark form");
    browser.prefer("light");
}

/// The mean of the three channels of `rgb(1, 2, 3)`.
fn brightness(colour: &str) -> u32 {
    let channels: Vec<u32> = colour.split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse().ok()).take(3).collect();
    channels.iter().sum::<u32>() / 3
}

#[test]
fn a_person_signs_in_or_denies_it_in_the_browser() {
    let browser = Browser::start();
    pkce_is_allowed(&browser);
    pkce_is_denied(&browser);
    a_device_code_is_compared_and_allowed(&browser);
    a_device_code_is_denied(&browser);
    a_closed_tab_can_be_opened_again(&browser);
}

fn pkce_is_allowed(browser: &Browser) {
    let portal = by_hand();
    let home = home(&portal);
    let login = home.daypass("login corp").stderr_has("Opening your browser").stderr_has("Signed in to corp").spawn();
    browser.open(&opened(&home));
    browser.shows("Let daypass on this machine sign in?");
    look(browser, &home, "authorize");
    assert_eq!(portal.count(Call::RedeemCode), 0, "opening the page allows nothing");
    browser.click("button[value=allow]");
    browser.shows("Signed in");
    assert_eq!(browser.text("p").unwrap(), "daypass is signed in to corp. You can close this page.");
    look(browser, &home, "signed-in");
    login.wait();
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
    home.daypass("list").stdout_has("DeveloperAccess").go();
}

fn pkce_is_denied(browser: &Browser) {
    let portal = by_hand();
    let home = home(&portal);
    let login = home.daypass("login corp --flow pkce").stderr_has("daypass: the sign-in to corp was refused").status(1).spawn();
    browser.open(&opened(&home));
    browser.click("button[value=deny]");
    browser.shows("Not signed in");
    look(browser, &home, "denied");
    login.wait();
    home.daypass("status corp").any_output().status(3).go();
}

fn a_device_code_is_compared_and_allowed(browser: &Browser) {
    let portal = by_hand();
    let home = home(&portal);
    let login = home.daypass("login corp --flow device").stderr_has("Signed in to corp").spawn();
    browser.open(&opened(&home));
    browser.shows("Let daypass on this machine sign in?");
    let code = browser.text(".code").unwrap();
    login.wait_for_stderr(&format!("\n    {code}\n"));
    look(browser, &home, "code");
    browser.click("button[value=allow]");
    browser.shows("Request approved");
    login.wait();
}

fn a_device_code_is_denied(browser: &Browser) {
    let portal = by_hand();
    let home = home(&portal);
    let login = home.daypass("login corp --flow device").stderr_has("daypass: the sign-in to corp was refused").status(1).spawn();
    browser.open(&opened(&home));
    browser.click("button[value=deny]");
    browser.shows("Request denied");
    login.wait();
}

fn a_closed_tab_can_be_opened_again(browser: &Browser) {
    let portal = by_hand();
    let home = home(&portal);
    let mut terminal = home.daypass("login corp").with("TERM", "xterm").with("LANG", "C.UTF-8").on_terminal();
    let first = opened(&home);
    browser.open(&first);
    browser.shows("Let daypass on this machine sign in?");
    browser.close_tab();
    terminal.exp_string("Enter open browser").unwrap();
    terminal.send("\r").unwrap();
    terminal.flush().unwrap();
    let second = opened(&home);
    assert_eq!(first, second);
    browser.open(&second);
    browser.click("button[value=allow]");
    browser.shows("Signed in");
    terminal.exp_string("Signed in to corp").unwrap();
    terminal.exp_eof().unwrap();
}
