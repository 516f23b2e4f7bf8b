//! `status`: sign-ins, cached roles, and the text for a shell prompt.

use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

#[test]
fn status_shows_the_sign_in_its_renewal_limit_and_each_cached_role() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --profile dev").stdout_has("{").go();
    let before = portal.requests();
    home.daypass("status")
        .stdout_has("SESSION  SIGN-IN")
        .stdout_has(" min, then renewed  https://sandbox.awsapps.com/start\n")
        .stdout_has("ACCOUNT       CACHED ROLE      LEFT")
        .stdout_has("111122223333  DeveloperAccess  ")
        .go();
    let json = home.daypass("status corp --format json").stdout_has("[").go().json();
    assert_eq!(json[0]["roles"][0]["role"], "DeveloperAccess");
    assert_eq!((&json[0]["signed_in"], &json[0]["refreshable"]), (&true.into(), &true.into()));
    assert!(json[0]["refreshable_until"].as_str().unwrap().ends_with('Z'));
    let csv = home.daypass("status --session corp --format csv").stdout_has("role_expires_at\n").go().stdout;
    assert!(csv.contains("corp,https://sandbox.awsapps.com/start,us-east-1,true,"), "{csv}");
    assert!(csv.lines().nth(1).unwrap().contains(",111122223333,DeveloperAccess,20"), "{csv}");
    home.daypass("status --profile dev").stdout_has("corp").go();
    assert_eq!(portal.requests(), before, "no network");
}

#[test]
fn verbose_status_names_the_keyrings_and_the_reason() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("status -v")
        .stdout_has("corp")
        .stderr_has("sign-in: ")
        .stderr_has("role credentials: ")
        .stderr_has("DAYPASS_KEYRING=file, [HOME]/data/daypass")
        .go();
}

#[cfg(target_os = "linux")]
#[test]
fn verbose_status_names_the_keyrings_that_were_tried_and_why_they_failed() {
    let home = configured(&Portal::strict()).with("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    let os = home.daypass("status -v").with("DAYPASS_KEYRING", "os").any_stderr().status(5).go();
    assert!(os.stderr.starts_with("tried Secret Service (DAYPASS_KEYRING=os): not available: "), "{os}");
    assert!(os.stderr.contains("\ndaypass: no keyring: "), "{os}");
    let auto = home.daypass("status -v").with("DAYPASS_KEYRING", "auto").any_output().status_of([0, 3, 5]).go().stderr;
    let tried =
        |name: &str| auto.find(&format!("tried {name} (DAYPASS_KEYRING=auto): ")).unwrap_or_else(|| panic!("{name}: {auto}"));
    assert!(tried("Secret Service") < tried("keyutils"), "{auto}");
}

#[test]
fn a_required_sign_in_is_reported_and_ends_with_3() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass("status corp")
        .stdout_has("corp     signed out")
        .stderr("daypass: not signed in to corp\nhint: daypass login corp\n")
        .status(3)
        .go();
    home.daypass("status corp --format json").stdout_has("\"signed_in\": false").any_stderr().status(3).go();
}

#[test]
fn a_sign_in_without_a_config_entry_is_shown() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    home.daypass("status").stderr("No sessions yet. Start with: daypass configure\n").go();
    home.daypass("login --session loose --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 --no-browser")
        .any_stderr()
        .go();
    home.daypass("status").stdout_has("loose").go();
}

#[test]
fn the_prompt_text_comes_from_environment_variables_alone() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev -- daypass status --prompt").stdout_has("dev ").stdout_has(" min\n").go();
    home.daypass("exec --session corp --account 111122223333 --role ReadOnly -- daypass status --prompt")
        .stdout_has("ReadOnly@111122223333 ")
        .go();
    let blind = home.keyring("nonsense").with("AWS_CONFIG_FILE", "/proc/self/mem");
    blind.daypass("status --prompt").stdout("").go();
    blind.daypass("status --prompt").with("AWS_PROFILE", "dev").stdout("dev\n").go();
    blind.daypass("status --prompt --format json").any_stderr().status(2).go();
}
