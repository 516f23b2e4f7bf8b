//! The only place that reads the time of day and that sleeps.

use std::thread;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// Now, in UTC. Read once per decision and handed down, so that one decision never sees two times.
#[allow(clippy::disallowed_methods)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Waits. On the monotonic clock, so that a jump of the time of day does not matter.
#[allow(clippy::disallowed_methods)]
pub fn sleep(duration: Duration) {
    thread::sleep(duration);
}

/// Waits, among other work of the same runtime.
#[allow(clippy::disallowed_methods)]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The moment by which a whole piece of work must be done, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// This long from now.
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left; zero when it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }
}
