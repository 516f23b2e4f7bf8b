//! The built program, used from outside as users, scripts and SDKs use it, with a simulated Identity Center.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Tests start programs, send signals, read the clock and print.

#[path = "../support/mod.rs"]
mod support;

#[cfg(unix)]
mod agents;
#[cfg(target_os = "linux")]
mod audit;
mod automatic_login;
mod broker;
mod chain;
mod clock;
mod completion;
#[cfg(target_os = "linux")]
mod concurrency;
#[cfg(unix)]
mod config_files;
mod configure;
mod console;
mod contract;
mod crash_recovery;
#[cfg(unix)]
mod default_profile;
#[cfg(unix)]
mod doctor;
mod endpoints;
mod env;
mod exec;
mod hints;
mod keyring;
mod list;
#[cfg(target_os = "linux")]
mod locks;
mod login;
mod login_events;
#[cfg(unix)]
mod login_terminal;
#[cfg(unix)]
mod migrate;
mod network;
#[cfg(unix)]
mod on_demand;
#[cfg(unix)]
mod picker;
mod pkce;
#[cfg(unix)]
mod retire;
#[cfg(target_os = "linux")]
mod server;
mod sessions;
mod shells;
mod sign_in;
mod start_url;
mod status;
#[cfg(target_os = "linux")]
mod storing;
mod sync;
#[cfg(target_os = "linux")]
mod system_calls;
#[cfg(unix)]
mod terminal;
mod undo;
#[cfg(unix)]
mod wizard;
mod workflow;

use std::time::Duration;

use daypass::profile::names::Session;
use daypass::sys::env::Env;
use daypass::vault::Vault;
use support::portal::Portal;
use support::run::Home;
use time::OffsetDateTime;

const CONFIGURE: &str = "configure --session corp --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 \
    --account 111122223333 --role DeveloperAccess --profile dev --region eu-west-1";

/// A home with the session `corp` and the profile `dev`.
fn configured(portal: &Portal) -> Home {
    let home = Home::new().at(portal);
    home.daypass(CONFIGURE).any_stderr().go();
    home
}

/// The seed of a random test: `DAYPASS_TEST_SEED`, or a random one. Every failure prints it.
fn seed() -> u64 {
    std::env::var("DAYPASS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..))
}

/// The rounds of a random test, or the callers of a concurrent one: as many as it is good for every change, times `DAYPASS_TEST_REPEAT`.
fn number_of(rounds: usize) -> usize {
    let times = std::env::var("DAYPASS_TEST_REPEAT").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    rounds * times
}

/// Fails the test if this program is not installed. `how` is the command that installs it.
#[track_caller]
#[allow(clippy::disallowed_methods)]
fn needs(program: &str, how: &str) {
    let there = std::process::Command::new(program)
        .arg("--version")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    assert!(there.is_ok(), "this test needs {program}: {how}");
}

/// Runs a Python script that drives a terminal with pexpect. Returns its output.
#[track_caller]
fn pexpect(home: &Home, script: &str) -> String {
    let import = "import os, sys\ntry:\n    import pexpect\nexcept ImportError:\n    sys.exit('this test needs pexpect: apt-get install python3-pexpect')\n";
    needs("/usr/bin/python3", "apt-get install python3-pexpect");
    home.program("/usr/bin/python3").args(["-c", &format!("{import}{script}")]).stdout_has("").go().stdout
}

/// A home with the session `corp`, the profile `dev` and a sign-in.
fn signed_in(portal: &Portal) -> Home {
    let home = configured(portal);
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}

/// A portal whose sign-ins may be in the kernel keyring, which all homes of a user share: its start URL should be unique. Dropping it
/// deletes what is left there, also if the test fails.
#[cfg(target_os = "linux")]
struct OnKernelKeyring(Portal);

#[cfg(target_os = "linux")]
impl std::ops::Deref for OnKernelKeyring {
    type Target = Portal;

    fn deref(&self) -> &Portal {
        &self.0
    }
}

#[cfg(target_os = "linux")]
impl Drop for OnKernelKeyring {
    fn drop(&mut self) {
        use daypass::vault::keyutils::Keyutils;
        use daypass::vault::split;
        let start_url = self.start_url();
        for entry in split::list(&Keyutils).unwrap_or_default().into_iter().filter(|entry| entry.key.start_url == start_url) {
            let _ = split::delete(&Keyutils, &entry.key);
        }
    }
}

/// Makes the cached role credentials stale but not expired: they are valid for ten more minutes, of more than two hours.
fn make_stale(home: &Home) {
    let vars = [("DAYPASS_KEYRING", "file".into()), ("XDG_DATA_HOME", home.path("data").to_string_lossy().into_owned())];
    let vault = Vault::open(&vars.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<Env>()).unwrap();
    let now = OffsetDateTime::now_utc();
    let roles = vault.contents(now).unwrap().roles;
    assert!(!roles.is_empty());
    for (key, _) in roles {
        let session =
            Session { name: key.session.clone(), start_url: key.start_url.clone(), region: key.region.clone(), scopes: Vec::new() };
        let mut credentials = vault.role(&session, &key.kind).unwrap().unwrap();
        credentials.received_at = now - Duration::from_hours(2);
        credentials.expires_at = now + Duration::from_mins(10);
        vault.store_role(&session, &key.kind, &credentials).unwrap();
    }
}
