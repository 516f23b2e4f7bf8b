//! Retries calls after throttling, server errors, resets and time-outs, with jitter, before one deadline. Sleeps through
//! [`crate::sys::clock`].

use std::time::Duration;

use crate::portal;
use crate::sys::clock::{self, Deadline};

/// Enough for a server that is up; offline, a person waits about three seconds.
const MAX_ATTEMPTS: u32 = 5;

/// The first pause, see [`portal::backoff`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Calls until the result is final or the time is up. `Retry-After` is honoured: if it asks for more time than is left, the error is
/// returned at once.
pub(super) fn until<T>(deadline: Deadline, call: impl FnMut() -> Result<T, portal::Error>) -> Result<T, portal::Error> {
    until_with(deadline, Duration::ZERO, call)
}

/// Like [`until`], for a call that is not started with less than `least` left.
pub(super) fn until_with<T>(
    deadline: Deadline,
    least: Duration,
    mut call: impl FnMut() -> Result<T, portal::Error>,
) -> Result<T, portal::Error> {
    if deadline.left() <= least {
        return Err(portal::Error::Unavailable(None, "no time is left for the request".to_owned()));
    }
    let mut retries = 0;
    loop {
        let error = match call() {
            Err(error @ (portal::Error::Unavailable(..) | portal::Error::SlowDown)) => error,
            other => return other,
        };
        let asked = if let portal::Error::Unavailable(Some(after), _) = error { after } else { Duration::ZERO };
        let pause = portal::backoff(FIRST_PAUSE, retries).max(asked);
        retries += 1;
        if retries >= MAX_ATTEMPTS || pause.saturating_add(least) >= deadline.left() {
            return Err(error);
        }
        tracing::info!(?error, ?pause, "retrying");
        clock::sleep(pause);
    }
}
