//! The vault on real keyrings (the kernel's, GNOME Keyring on a private bus, files) and on failing ones.

// Tests unwrap to assert, and start programs, write files and read variables of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs
)]

#[cfg(target_os = "linux")]
#[path = "../support/bus.rs"]
mod bus;
mod contract;
#[cfg(unix)]
mod files;
#[cfg(target_os = "linux")]
mod keyutils;
mod records;
#[cfg(target_os = "linux")]
mod secret_service;
mod selection;
mod splitting;
mod test_backend;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use daypass::credentials::{Registration, RoleCredentials, Token};
use daypass::error::{Error, Exit};
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::secret::Secret;
use daypass::sys::clock;
use daypass::sys::env::Env;
use daypass::vault::file::Files;
use daypass::vault::memory::Memory;
use daypass::vault::record::{Record, SignIn};
use daypass::vault::{self, Backend, Bytes, Item, Key, Kind, Vault, split};
use proptest::prelude::*;
use test_backend::TestBackend;
use time::OffsetDateTime;

/// A text in the start URL of every session of this run, and of no other run.
fn run() -> &'static str {
    static RUN: OnceLock<String> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::Builder::new().prefix("run-").tempdir().unwrap();
        folder.path().file_name().unwrap().to_str().unwrap().to_owned()
    })
}

/// A session that no other test uses: all tests share the kernel keyring.
fn session(name: &str) -> Session {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let start_url = format!("https://{}.example/{}/", run(), COUNT.fetch_add(1, Ordering::Relaxed));
    Session { name: name.to_owned(), start_url, region: "eu-west-1".to_owned(), scopes: vec![] }
}

fn account(number: usize) -> AccountId {
    AccountId::new(&format!("{number:012}")).unwrap()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// In whole seconds, as expiries are stored.
fn in_minutes(minutes: i64) -> OffsetDateTime {
    clock::now().replace_nanosecond(0).unwrap() + time::Duration::minutes(minutes)
}

fn credentials(text: &str, expires_at: OffsetDateTime) -> RoleCredentials {
    RoleCredentials {
        access_key_id: format!("ASIA{text}"),
        secret_access_key: Secret::new("s".repeat(40)),
        session_token: Secret::new("t".repeat(900)),
        expires_at,
        received_at: clock::now(),
        clock_offset: time::Duration::ZERO,
    }
}

fn registration() -> Registration {
    Registration {
        client_id: "client".to_owned(),
        client_secret: Secret::new("c".repeat(2000)),
        expires_at: in_minutes(60 * 24 * 90),
        scopes: vec!["sso:account:access".to_owned()],
    }
}

fn token(text: &str) -> Token {
    Token { access: Secret::new(text), expires_at: in_minutes(60), refresh: Some(Secret::new("r")), registration: registration() }
}

fn a_key() -> Key {
    Key { kind: Kind::Token, session: "corp".to_owned(), start_url: "https://x".to_owned(), region: "r".to_owned() }
}

fn text_of(store: &dyn Backend, key: &Key) -> Option<String> {
    split::get(store, key).unwrap().map(|value| value.expose().to_owned())
}
