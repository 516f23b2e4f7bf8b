//! The module `profile`: reading, resolving, editing and writing the AWS config file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

mod damaged;
mod editing;
mod grammar;
mod precedence;
mod property;
mod rejections;
mod resolving;
mod signers;
mod storing;

use std::path::{Path, PathBuf};

use daypass::profile::Config;
use daypass::sys::env::Env;

/// A config over two texts, called `config` and `credentials`.
fn config(config: &str, credentials: &str) -> Config {
    Config::of_texts((PathBuf::from("config"), config.to_owned()), (PathBuf::from("credentials"), credentials.to_owned()))
}

/// An environment with these variables only.
fn env(vars: &[(&str, &str)]) -> Env {
    vars.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// An environment whose home and runtime folder are under `home`.
fn env_at(home: &Path) -> Env {
    let runtime = home.join("run");
    env(&[("HOME", home.to_str().unwrap()), ("XDG_RUNTIME_DIR", runtime.to_str().unwrap())])
}
