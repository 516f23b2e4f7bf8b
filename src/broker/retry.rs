//! Retries calls after throttling, server errors, resets and time-outs, with jitter, before one deadline. Sleeps through
//! [`crate::sys::clock`].

use std::fmt::Debug;
use std::time::Duration;

use crate::aws::{self, Temporary};
use crate::sys::clock::{self, Deadline};

/// Enough for a server that is up; offline, a person waits about three seconds.
const MAX_ATTEMPTS: u32 = 5;

/// The first pause, see [`aws::backoff`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Calls until the result is final or the time is up. `Retry-After` is honoured: if it asks for more time than is left, the error is
/// returned at once.
pub fn until<T, E: Temporary + Debug>(deadline: Deadline, call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    until_with(deadline, Duration::ZERO, call)
}

/// Like [`until`], for a call that is not started with less than `least` left.
pub(super) fn until_with<T, E: Temporary + Debug>(
    deadline: Deadline,
    least: Duration,
    mut call: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    if deadline.left() <= least {
        return Err(E::out_of_time());
    }
    let mut retries = 0;
    loop {
        let error = match call() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(asked) = error.pause() else { return Err(error) };
        let pause = aws::backoff(FIRST_PAUSE, retries).max(asked);
        retries += 1;
        if retries >= MAX_ATTEMPTS || pause.saturating_add(least) >= deadline.left() {
            return Err(error);
        }
        log::info!("retrying after {pause:?}: {error:?}");
        clock::sleep(pause);
    }
}
