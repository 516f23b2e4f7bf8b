//! Logging to standard error with `-v` and `DAYPASS_LOG`. Only daypass's own events are logged: those of libraries could contain
//! headers or bodies, and secrets never appear at any level.

use env_filter::{Builder, Filter};
use log::{LevelFilter, Log, Metadata, Record};

use crate::sys::stderr::say;
use crate::text;

/// Starts logging if requested: `DAYPASS_LOG` (a filter such as `debug` or `daypass::broker=trace`), else `-v` (info),
/// `-vv` (debug), `-vvv` (trace).
pub(crate) fn start(variable: Option<&str>, verbose: u8) {
    let by_flag = match verbose {
        0 if variable.is_none() => return,
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        2 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let mut filter = Builder::new();
    match variable.map(|variable| filter.try_parse(variable)) {
        None => drop(filter.filter_level(by_flag)),
        Some(Ok(_)) => {}
        Some(Err(error)) => {
            // An SDK may be waiting for credentials, so a bad filter is only a warning.
            say(&format!("daypass: ignoring invalid DAYPASS_LOG: {}", text::clean(&error.to_string())));
            filter.filter_level(by_flag);
        }
    }
    let filter = filter.build();
    log::set_max_level(filter.filter());
    let _ = log::set_boxed_logger(Box::new(Logger { filter, with_target: verbose > 2 }));
}

struct Logger {
    filter: Filter,
    with_target: bool,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME")) && self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let target = if self.with_target { format!("{}: ", record.target()) } else { String::new() };
            say(&text::clean(&format!("{:>5} {target}{}", record.level(), record.args())));
        }
    }

    fn flush(&self) {}
}
