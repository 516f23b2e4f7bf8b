//! The polling rules of the device flow (RFC 8628 §3.4–3.5). Pure: it returns how long to wait; the caller waits and polls.

use std::time::Duration;

use crate::portal;

/// What each `slow_down` adds to the interval, permanently (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The longest pause after failed polls.
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// What to do after a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Wait this long, then poll again.
    Wait(Duration),
    /// Stop without a token, for this reason.
    End(portal::Error),
}

/// A device authorization under way.
#[derive(Debug)]
pub struct Polling {
    interval: Duration,
    failures: u32,
}

impl Polling {
    /// Starts with the interval that the service returned.
    pub fn new(interval: Duration) -> Self {
        Self { interval, failures: 0 }
    }

    /// The pause before the first poll. Nobody approves at once, and polling too fast is answered with `slow_down`.
    pub fn first(&self) -> Duration {
        self.interval
    }

    /// What to do after a poll that returned no token. `left` is how long the code is still valid.
    pub fn after(&mut self, error: portal::Error, left: Duration) -> Next {
        let pause = match error {
            portal::Error::AuthorizationPending => {
                self.failures = 0;
                self.interval
            }
            portal::Error::SlowDown => {
                self.failures = 0;
                self.interval += SLOW_DOWN;
                self.interval
            }
            // RFC 8628 §3.5: back off exponentially after a time-out. The code may well be valid for longer than the outage.
            portal::Error::Unavailable(after, _) => {
                self.failures = (self.failures + 1).min(16);
                let backed_off = self.interval.saturating_mul(2u32.saturating_pow(self.failures)).min(MAX_PAUSE.max(self.interval));
                backed_off.max(after.unwrap_or_default())
            }
            end => return Next::End(end),
        };
        if pause < left { Next::Wait(pause) } else { Next::End(portal::Error::DeviceCodeExpired) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEFT: Duration = Duration::from_mins(10);

    fn secs(n: u64) -> Next {
        Next::Wait(Duration::from_secs(n))
    }

    #[test]
    fn pending_waits_the_interval_again() {
        let mut polling = Polling::new(Duration::from_secs(1));
        assert_eq!(Next::Wait(polling.first()), secs(1));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
    }

    #[test]
    fn each_slow_down_adds_five_seconds_permanently() {
        let mut polling = Polling::new(Duration::from_secs(5));
        assert_eq!(polling.after(portal::Error::SlowDown, LEFT), secs(10));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(10));
        assert_eq!(polling.after(portal::Error::SlowDown, LEFT), secs(15));
    }

    #[test]
    fn failed_polls_back_off_until_one_is_answered() {
        let mut polling = Polling::new(Duration::from_secs(1));
        let busy = || portal::Error::Unavailable(None, String::new());
        assert_eq!(polling.after(busy(), LEFT), secs(2));
        assert_eq!(polling.after(busy(), LEFT), secs(4));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
        assert_eq!(polling.after(busy(), LEFT), secs(2));
    }

    #[test]
    fn a_code_that_expires_before_the_next_poll_counts_as_expired() {
        let mut polling = Polling::new(Duration::from_secs(5));
        assert_eq!(
            polling.after(portal::Error::AuthorizationPending, Duration::from_secs(5)),
            Next::End(portal::Error::DeviceCodeExpired)
        );
    }

    proptest! {
        #[test]
        fn polls_are_never_faster_than_the_service_asked(
            interval in 1u64..30,
            answers in proptest::collection::vec(0u8..3, 0..60),
        ) {
            let mut polling = Polling::new(Duration::from_secs(interval));
            let mut asked = Duration::from_secs(interval);
            for answer in answers {
                let error = match answer {
                    0 => portal::Error::AuthorizationPending,
                    1 => { asked += SLOW_DOWN; portal::Error::SlowDown }
                    _ => portal::Error::Unavailable(None, String::new()),
                };
                match polling.after(error, Duration::from_secs(100_000)) {
                    Next::Wait(pause) => prop_assert!(pause >= asked),
                    Next::End(_) => prop_assert!(false, "no answer stops the polling"),
                }
            }
        }

        #[test]
        fn a_decision_of_the_person_or_the_service_stops_the_polling(interval in 1u64..30) {
            for end in [portal::Error::AccessDenied(String::new()), portal::Error::DeviceCodeExpired, portal::Error::InvalidGrant(String::new()), portal::Error::InvalidRequest(String::new())] {
                prop_assert_eq!(Polling::new(Duration::from_secs(interval)).after(end.clone(), LEFT), Next::End(end));
            }
        }
    }
}
