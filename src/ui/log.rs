//! Logging to standard error with `-v` and `DAYPASS_LOG`. Only daypass's own events are logged: those of libraries could contain
//! headers or bodies, and secrets never appear at any level.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::terminal;
use crate::text;

/// Starts logging if requested: `DAYPASS_LOG` (a tracing filter such as `debug` or `daypass::broker=trace`), else `-v` (info),
/// `-vv` (debug), `-vvv` (trace).
pub(crate) fn start(variable: Option<&str>, verbose: u8) {
    let by_flag = match verbose {
        0 if variable.is_none() => return,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = variable.map_or_else(|| Ok(Targets::new().with_default(by_flag)), str::parse::<Targets>);
    let filter = filter.unwrap_or_else(|error| {
        // An SDK may be waiting for credentials, so a bad filter is only a warning.
        terminal::say(&format!("daypass: ignoring invalid DAYPASS_LOG: {}", text::clean(&error.to_string())));
        Targets::new().with_default(by_flag)
    });
    let own = filter_fn(|metadata| metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME")));
    let layer = fmt::layer().with_writer(io::stderr).with_ansi(false).without_time().with_target(verbose > 2);
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter).with_filter(own)).try_init();
}
