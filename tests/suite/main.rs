//! The shipped binary, through the doors that every user has, against a sandbox of Identity Center.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Tests start programs, send signals, read the clock and print.

#[path = "../support/mod.rs"]
mod support;

mod broker;
mod configure;
mod contract;
mod keyring;
mod login;
mod races;
mod road;
mod storm;

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

/// The same, signed in.
fn signed_in(portal: &Portal) -> Home {
    let home = configured(portal);
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}
