//! The device flow as states (RFC 8628 §3.4–3.5). Pure: it says how long to wait; somebody else waits and polls.

use std::time::Duration;

use crate::portal;

/// What `slow_down` adds to the interval, for good (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The longest pause that failing polls grow to.
const LONGEST: Duration = Duration::from_mins(1);

/// What to do after a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Wait so long, then poll again.
    Wait(Duration),
    /// It ends here, without a token, for this reason.
    End(portal::Error),
}

/// A device authorization under way.
#[derive(Debug)]
pub struct Polling {
    interval: Duration,
    failures: u32,
}

impl Polling {
    /// Starts with the interval that the service asked for.
    pub fn new(interval: Duration) -> Self {
        Self { interval, failures: 0 }
    }

    /// The pause before the first poll: nobody approves in no time, and polling faster than asked earns a `slow_down`.
    pub fn first(&self) -> Duration {
        self.interval
    }

    /// What a poll without a token leads to; `left` is what remains of the code's life.
    pub fn after(&mut self, fault: portal::Error, left: Duration) -> Next {
        let pause = match fault {
            portal::Error::AuthorizationPending => {
                self.failures = 0;
                self.interval
            }
            portal::Error::SlowDown => {
                self.failures = 0;
                self.interval += SLOW_DOWN;
                self.interval
            }
            // RFC 8628 §3.5: on a time-out back off exponentially; the code may well outlive the disturbance.
            portal::Error::Unavailable(after, _) => {
                self.failures = (self.failures + 1).min(16);
                let backed_off = self.interval.saturating_mul(2u32.saturating_pow(self.failures)).min(LONGEST.max(self.interval));
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
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
    }

    #[test]
    fn each_slow_down_adds_five_seconds_for_good() {
        let mut polling = Polling::new(Duration::from_secs(5));
        assert_eq!(polling.after(portal::Error::SlowDown, LEFT), secs(10));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(10));
        assert_eq!(polling.after(portal::Error::SlowDown, LEFT), secs(15));
    }

    #[test]
    fn failing_polls_back_off_and_a_success_forgets_them() {
        let mut polling = Polling::new(Duration::from_secs(1));
        let busy = || portal::Error::Unavailable(None, String::new());
        assert_eq!(polling.after(busy(), LEFT), secs(2));
        assert_eq!(polling.after(busy(), LEFT), secs(4));
        assert_eq!(polling.after(portal::Error::AuthorizationPending, LEFT), secs(1));
        assert_eq!(polling.after(busy(), LEFT), secs(2));
    }

    #[test]
    fn a_code_whose_life_ends_before_the_next_poll_has_expired() {
        let mut polling = Polling::new(Duration::from_secs(5));
        assert_eq!(
            polling.after(portal::Error::AuthorizationPending, Duration::from_secs(5)),
            Next::End(portal::Error::DeviceCodeExpired)
        );
    }

    proptest! {
        #[test]
        fn polls_never_come_faster_than_the_service_asked(
            interval in 1u64..30,
            answers in proptest::collection::vec(0u8..3, 0..60),
        ) {
            let mut polling = Polling::new(Duration::from_secs(interval));
            let mut asked = Duration::from_secs(interval);
            for answer in answers {
                let fault = match answer {
                    0 => portal::Error::AuthorizationPending,
                    1 => { asked += SLOW_DOWN; portal::Error::SlowDown }
                    _ => portal::Error::Unavailable(None, String::new()),
                };
                match polling.after(fault, Duration::from_secs(100_000)) {
                    Next::Wait(pause) => prop_assert!(pause >= asked),
                    Next::End(_) => prop_assert!(false, "nothing ended the flow"),
                }
            }
        }

        #[test]
        fn what_the_person_or_the_service_decided_ends_it_at_once(interval in 1u64..30) {
            for end in [portal::Error::AccessDenied(String::new()), portal::Error::DeviceCodeExpired, portal::Error::InvalidGrant(String::new()), portal::Error::InvalidRequest(String::new())] {
                prop_assert_eq!(Polling::new(Duration::from_secs(interval)).after(end.clone(), LEFT), Next::End(end));
            }
        }
    }
}
