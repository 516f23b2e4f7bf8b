//! Which session `login`, `logout`, `list` and `status` use, when `login` signs in, and what is known about the end of a session.

use time::OffsetDateTime;

use crate::support::portal::{Account, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, signed_in};

const OTHER: &str = "[sso-session other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-east-1\n";

#[test]
fn a_profile_names_its_session() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.write(".aws/config", &(home.read(".aws/config") + OTHER));
    home.daypass("login dev --no-browser").stderr_has("Signed in to corp").go();
    home.daypass("list dev").stdout_has("DeveloperAccess").go();
    let one = home.daypass("status dev").stdout_has("corp").go().stdout;
    assert!(!one.contains("other"), "{one}");
    home.daypass("logout dev").stderr("Signed out of corp.\n").go();
    home.daypass("login deb")
        .stderr_has(
            "there is no session or profile \"deb\" in [HOME]/.aws/config; did you mean \"dev\"?\nhint: daypass login dev\n",
        )
        .status(2)
        .go();
}

#[test]
fn aws_profile_names_the_session() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let keys = "[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    home.write(".aws/config", &(home.read(".aws/config") + OTHER + keys));
    home.daypass("login --no-browser").stderr_has("there are several sessions: corp, other").status(2).go();
    let home = home.with("AWS_PROFILE", "dev");
    home.daypass("login --no-browser").stderr_has("Signed in to corp").go();
    home.daypass("list").stdout_has("DeveloperAccess").go();
    let one = home.daypass("status").stdout_has("corp").go().stdout;
    assert!(!one.contains("other"), "{one}");
    home.daypass("logout").stderr("Signed out of corp.\n").go();
    for command in ["login", "logout", "list", "status"] {
        home.daypass(command)
            .with("AWS_PROFILE", "dve")
            .stderr_has("there is no profile \"dve\"")
            .stderr_has("\"dev\"")
            .status(2)
            .go();
    }
    // Its keys have no session.
    home.daypass("status").with("AWS_PROFILE", "keys").stdout_has("other").any_stderr().status(3).go();
}

#[cfg(unix)]
#[test]
fn on_a_terminal_one_of_several_sessions_is_picked() {
    use crate::terminal::{Terminal, home};
    let portal = Portal::live(PortalConfig::default());
    let home = home(&portal).without("BROWSER");
    home.daypass(crate::CONFIGURE).any_stderr().go();
    home.write(".aws/config", &(OTHER.to_owned() + &home.read(".aws/config")));
    let mut terminal = Terminal::new(&home, "login", 80, 24);
    terminal.shows("Which session?").types("corp").shows("1 of 2").types("\r").shows("Signed in to corp");
    terminal.ends(0);
    let mut terminal = Terminal::new(&home, "logout", 40, 15);
    terminal.shows("Which session?").types("\u{1b}").shows("daypass: cancelled; nothing was changed");
    terminal.ends(130);
}

#[test]
fn a_legacy_profile_uses_the_sign_in_of_a_session_for_the_same_portal() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let legacy = "[profile old]\nsso_start_url = https://sandbox.awsapps.com/start/#/\nsso_region = us-east-1\n\
                  sso_account_id = 111122223333\nsso_role_name = ReadOnly\n";
    home.write(".aws/config", &(home.read(".aws/config") + legacy));
    home.daypass("credential-process --profile old").stdout_has("ASIA").go();
    home.daypass("login old").stderr_has("Already signed in to corp").go();
    home.daypass("login https://sandbox.awsapps.com/start").stderr_has("Already signed in to corp").go();
    assert_eq!(home.daypass("status --format json").stdout_has("[").go().json().as_array().unwrap().len(), 1);
    home.daypass("list").stdout_has("ReadOnly         old\n").go();
}

#[test]
fn logout_accepts_every_name_that_status_shows() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write(".aws/config", "");
    home.daypass("status").stdout_has("corp  ").go();
    home.daypass("status corp").stdout_has("corp  ").go();
    home.daypass("logout corp").stderr("Signed out of corp.\n").go();
    home.daypass("logout corp").any_stderr().status(2).go();
}

#[test]
fn login_does_nothing_if_already_signed_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let already = "Already signed in to corp. To sign in again: daypass login corp --force\n";
    for command in ["login", "login corp --max-age 1h", "login --all"] {
        home.daypass(command).stderr(already).go();
    }
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 1);
    home.daypass("login --force --no-browser").stderr_has("Signed in to corp").go();
    // Other scopes need another sign-in.
    home.daypass("login --no-browser --scopes sso:account:access,x:y").stderr_has("Signed in to corp").go();
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 3);
    portal.revoke_access_tokens();
    portal.end_sessions();
    home.daypass("credential-process --profile dev").any_stderr().status(3).go();
    home.daypass("login --no-browser").stderr_has("Signed in to corp").go();
}

/// Moves what is known about sign-ins back in time, and adds a session that lasted between these seconds.
fn signed_in_before(home: &Home, seconds: i64, lasted: &str) {
    let at = OffsetDateTime::now_utc().unix_timestamp() - seconds;
    let text = format!(
        "[{{\"start_url\":\"https://sandbox.awsapps.com/start\",\"region\":\"us-east-1\",\"at\":{at},\"seen\":{at},\"lasted\":[{lasted}]}}]"
    );
    home.write(".local/state/daypass/sign_ins.json", &text);
}

#[test]
fn a_sign_in_that_is_too_old_is_replaced() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    signed_in_before(&home, 9 * 3600, "");
    home.daypass("login --max-age 10h").stderr_has("Already signed in to corp").go();
    home.daypass("login --max-age 8h --no-browser").stderr_has("Signed in to corp").go();
    home.daypass("login --max-age 8h").stderr_has("Already signed in to corp").go();
    let config = home.read(".aws/config");
    let with_age = |age: &str| config.replace("[sso-session corp]\n", &format!("[sso-session corp]\ndaypass_max_age = {age}\n"));
    home.write(".aws/config", &with_age("8h"));
    home.daypass("login").stderr_has("Already signed in to corp").go();
    signed_in_before(&home, 9 * 3600, "");
    home.daypass("login --max-age 10h").stderr_has("Already signed in to corp").go();
    home.daypass("login --if-needed --no-browser").stderr_has("Signed in to corp").go();
    home.write(".aws/config", &with_age("soon"));
    home.daypass("login").stderr_has("[HOME]/.aws/config:2: daypass_max_age is \"soon\"").status(2).go();
    home.daypass("login --force --max-age 8h").any_stderr().status(2).go();
}

#[test]
fn a_keyring_that_forgets_at_once_is_a_usage_error_of_login() {
    let portal = Portal::strict();
    let home = configured(&portal).keyring("memory");
    home.daypass("login").stderr_has("this sign-in would be lost\nhint: unset DAYPASS_KEYRING\n").status(2).go();
}

#[test]
fn the_end_of_the_portal_session_is_learned_from_how_long_it_was_accepted() {
    let portal = Portal::live(PortalConfig { token_ttl: std::time::Duration::from_secs(1), ..PortalConfig::default() });
    let home = signed_in(&portal);
    let known = || home.daypass("status corp --format json").any_output().status_of([0, 3]).go().json();
    assert!(known()[0]["session_end_estimate"].is_null() && known()[0]["signed_in_at"].as_str().unwrap().ends_with('Z'));
    home.daypass("credential-process --profile dev").stdout_has("ASIA").go();
    portal.end_sessions();
    home.daypass("list").any_stderr().status(3).go();
    let learned: serde_json::Value = serde_json::from_str(&home.read(".local/state/daypass/sign_ins.json")).unwrap();
    assert!(learned[0]["at"].is_null() && learned[0]["lasted"].as_array().unwrap().len() == 1, "{learned}");
    home.daypass("login --no-browser").stderr_has("Signed in to corp until about ").go();
    assert!(known()[0]["session_end_estimate"].as_str().unwrap().ends_with('Z'));
    // Signing out says nothing about how long it could have lasted.
    home.daypass("logout").any_stderr().go();
    let learned: serde_json::Value = serde_json::from_str(&home.read(".local/state/daypass/sign_ins.json")).unwrap();
    assert!(learned[0]["at"].is_null() && learned[0]["lasted"].as_array().unwrap().len() == 1, "{learned}");
}

#[test]
fn status_and_the_prompt_warn_before_the_portal_session_ends() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let (lasted, dev) = ("[28700,28900]", "dev\n");
    let prompt = |shown: &str| home.daypass("status --prompt").with("AWS_PROFILE", "dev").stdout(shown).go();
    signed_in_before(&home, 3600, lasted);
    home.daypass("status").stdout_has("until about ").stdout_has(" (6 h 59 min)").go();
    prompt(dev);
    signed_in_before(&home, 8 * 3600 - 1200, lasted);
    home.daypass("status")
        .stderr("The portal session of corp ends in about 19 min. Sign in again: daypass login corp --force\n")
        .stdout_has(" (19 min)")
        .go();
    prompt("dev (sign-in ends in about 19 min)\n");
    signed_in_before(&home, 8 * 3600 + 60, lasted);
    home.daypass("status").stderr_has("may have ended. Sign in again").stdout_has(", then renewed").go();
    prompt("dev (sign-in may have ended)\n");
    home.daypass("logout").any_stderr().go();
    prompt(dev);
}

#[cfg(unix)]
#[test]
fn people_see_local_times_and_programs_utc() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("TZ", "XYZ-9");
    signed_in_before(&home, 0, "[28700,28900]");
    let end = OffsetDateTime::now_utc() + time::Duration::hours(8);
    let local = end.to_offset(time::macros::offset!(+9));
    let shown = home.daypass("status").stdout_has("until about ").go().stdout;
    let time = |at: OffsetDateTime| format!("{:02}:{:02} (", at.hour(), at.minute());
    let minute = time::Duration::MINUTE;
    assert!(shown.contains(&time(local)) || shown.contains(&time(local - minute)), "{shown}");
    assert!(!shown.contains("UTC"), "{shown}");
    let json = home.daypass("status --format json").stdout_has("[").go().json();
    let estimate = json[0]["session_end_estimate"].as_str().unwrap().to_owned();
    let utc = |at: OffsetDateTime| format!("T{:02}:{:02}:", at.hour(), at.minute());
    assert!(estimate.contains(&utc(end)) || estimate.contains(&utc(end - minute)), "{estimate}");
    home.daypass("status").with("TZ", "UTC0").stdout_has(" UTC (").go();
}

#[test]
fn one_cached_role_can_be_dropped() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let others = "[profile read]\ncredential_process = daypass credential-process --session corp --account 111122223333 --role ReadOnly\n\
                  [profile deploy]\nrole_arn = arn:aws:iam::222233334444:role/Deploy\nsource_profile = dev\n";
    home.write(".aws/config", &(home.read(".aws/config") + others));
    let keys = |profile: &str| home.daypass(&format!("credential-process --profile {profile}")).stdout_has("ASIA").go().stdout;
    let before = ["dev", "read", "deploy"].map(keys);
    home.daypass("logout dev --role-only").stderr("Deleted the cached credentials of dev. The next call gets new ones.\n").go();
    let after = ["dev", "read", "deploy"].map(keys);
    assert_eq!(before[1], after[1], "another role");
    // What was assumed with the old credentials may have its rights too.
    assert!(before[0] != after[0] && before[2] != after[2]);
    home.daypass("status").stdout_has("corp").go();
    home.daypass("logout --role-only").with("AWS_PROFILE", "dev").stderr_has("Deleted the cached credentials of dev").go();
    home.daypass("logout dev --role-only").stderr_has("No credentials of dev were cached").go();
    home.daypass("logout nowhere --role-only").any_stderr().status(2).go();
}

#[test]
fn a_list_without_assignments_says_so() {
    let accounts = vec![Account::new("111122223333", "Empty", &[])];
    let portal = Portal::live(PortalConfig { accounts, ..PortalConfig::default() });
    let home = signed_in(&portal);
    for format in ["table", "json", "csv"] {
        home.daypass(&format!("list --format {format}"))
            .stderr_has("corp gives you no access to any account\nhint: ask your administrator")
            .status(4)
            .go();
    }
}
