//! The pause before a retry. Pure, except for its random part.

use std::time::Duration;

/// Doubles `first` with each earlier retry and returns a random half to whole of it, so that processes that failed together do not retry
/// together.
pub fn backoff(first: Duration, retries: u32) -> Duration {
    first.saturating_mul(2u32.saturating_pow(retries)).mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_between_half_and_all_of_the_doubled_one() {
        let first = Duration::from_millis(200);
        for retries in 0..6 {
            let whole = first * 2u32.pow(retries);
            for _ in 0..100 {
                let pause = backoff(first, retries);
                assert!(pause >= whole / 2 && pause <= whole, "{pause:?}");
            }
        }
    }
}
