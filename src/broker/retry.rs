//! Another try where it may help: throttling, server errors, resets and time-outs, with jitter, inside one deadline.

use std::time::Duration;

use crate::portal;
use crate::sys::clock::{self, Deadline};

/// After so many tries a server that is there would have answered; offline, nobody waits longer than about three seconds.
const MAX_ATTEMPTS: u32 = 5;

/// The first pause; each further one is twice as long. Of each, a random half to whole is waited, so that processes that failed together
/// do not come back together.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Calls until there is an answer that a further try can't change, or no time for one. `Retry-After` is honoured: where it asks for
/// more than is left, the fault is returned at once.
pub(super) fn until<T>(deadline: Deadline, call: impl FnMut() -> Result<T, portal::Error>) -> Result<T, portal::Error> {
    until_with(deadline, Duration::ZERO, call)
}

/// The same for a call that is not begun with less than `least` left.
pub(super) fn until_with<T>(
    deadline: Deadline,
    least: Duration,
    mut call: impl FnMut() -> Result<T, portal::Error>,
) -> Result<T, portal::Error> {
    if deadline.left() <= least {
        return Err(portal::Error::Unavailable(None, "no time is left to ask".to_owned()));
    }
    let mut tries = 0;
    loop {
        let fault = match call() {
            Err(fault @ (portal::Error::Unavailable(..) | portal::Error::SlowDown)) => fault,
            other => return other,
        };
        let asked = if let portal::Error::Unavailable(Some(after), _) = fault { after } else { Duration::ZERO };
        let pause = portal::backoff(FIRST_PAUSE, tries).max(asked);
        tries += 1;
        if tries >= MAX_ATTEMPTS || pause.saturating_add(least) >= deadline.left() {
            return Err(fault);
        }
        tracing::info!(?fault, ?pause, "trying again");
        clock::sleep(pause);
    }
}
