//! The shipped binary, through the doors that every user has, against a sandbox of Identity Center.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Tests start programs, send signals, read the clock and print.

#[path = "../support/mod.rs"]
mod support;

mod automatic_login;
mod broker;
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
mod network;
#[cfg(unix)]
mod picker;
mod pkce;
mod shells;
mod sign_in;
mod start_url;
mod status;
#[cfg(target_os = "linux")]
mod storing;
mod sync;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod wizard;
mod workflow;

use support::portal::Portal;
use support::run::Home;

const CONFIGURE: &str = "configure --session corp --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 \
    --account 111122223333 --role DeveloperAccess --profile dev --region eu-west-1";

/// A home with a session `corp` and a profile `dev`.
fn configured(portal: &Portal) -> Home {
    let home = Home::new().at(portal);
    home.daypass(CONFIGURE).any_stderr().go();
    home
}

/// A program that a test can't do without.
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

/// Runs a Python script that drives a terminal with pexpect; what it prints is returned.
#[track_caller]
fn at_a_terminal(home: &Home, script: &str) -> String {
    let import = "import os, sys\ntry:\n    import pexpect\nexcept ImportError:\n    sys.exit('this test needs pexpect: apt-get install python3-pexpect')\n";
    needs("/usr/bin/python3", "apt-get install python3-pexpect");
    home.program("/usr/bin/python3").args(["-c", &format!("{import}{script}")]).stdout_has("").go().stdout
}

/// The same, signed in.
fn signed_in(portal: &Portal) -> Home {
    let home = configured(portal);
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}
