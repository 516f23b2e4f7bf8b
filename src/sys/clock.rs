//! Reads the time of day and sleeps; no other module does either.

use std::thread;
use std::time::{Duration, Instant};

use time::{OffsetDateTime, UtcOffset};

/// The command that sets this machine's clock by the network.
pub const SYNCHRONIZE: &str = if cfg!(windows) {
    "w32tm /resync"
} else if cfg!(target_os = "macos") {
    "sudo sntp -sS time.apple.com"
} else {
    "sudo timedatectl set-ntp true"
};

/// The current time in UTC. Read once per decision and passed down, so that one decision never sees two times.
#[allow(clippy::disallowed_methods)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The same moment in the time zone of this machine (`TZ`, or the system's), for people; in UTC if it is not known.
///
/// The C library reads the zone, which is safe in any thread because daypass never changes its own environment.
pub fn local(moment: OffsetDateTime) -> OffsetDateTime {
    moment.to_offset(UtcOffset::local_offset_at(moment).unwrap_or(UtcOffset::UTC))
}

/// Sleeps, by the monotonic clock: a change of the time of day does not matter.
#[allow(clippy::disallowed_methods)]
pub fn sleep(duration: Duration) {
    thread::sleep(duration);
}

/// Sleeps without blocking other work of the same runtime.
#[allow(clippy::disallowed_methods)]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The time by which a piece of work must be done, by the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that is `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// The time left; zero once the deadline has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether the deadline has passed.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }
}
