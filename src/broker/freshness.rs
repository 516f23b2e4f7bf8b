//! Whether a credential is used, replaced or refreshed. Pure: the time is an argument.

use time::{Duration, OffsetDateTime};

use crate::credentials::{RoleCredentials, Token};

/// SDKs ask for new credentials when 15 minutes are left (botocore's advisory refresh). They get ones that are valid for longer.
const ROLE_MARGIN: Duration = Duration::minutes(20);

/// The AWS SDKs' own margin for portal tokens (Rust and JavaScript: five minutes).
const TOKEN_MARGIN: Duration = Duration::minutes(5);

/// A clock that is this much earlier than when a credential was received has been set back.
const CLOCK_SLACK: Duration = Duration::minutes(5);

/// What to do with cached role credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// Return them.
    Fresh,
    /// Fetch new ones; these still work if that fails.
    Stale,
    /// They no longer work.
    Expired,
}

/// Fresh while at least `min(20 minutes, a third of the full life)` is left. The life is measured by the service's clock, the age by this
/// machine's.
pub fn credential_state(credentials: &RoleCredentials, now: OffsetDateTime) -> CredentialState {
    let expires_at = credentials.expires_by_local_clock();
    let left = expires_at - now;
    let margin = ROLE_MARGIN.min((expires_at - credentials.received_at) / 3);
    let clock_was_set_back = now < credentials.received_at - CLOCK_SLACK;
    if left <= Duration::ZERO {
        CredentialState::Expired
    } else if left >= margin && !clock_was_set_back {
        CredentialState::Fresh
    } else {
        CredentialState::Stale
    }
}

/// How long they stay fresh: zero if they are not.
pub fn fresh_for(credentials: &RoleCredentials, now: OffsetDateTime) -> std::time::Duration {
    if credential_state(credentials, now) != CredentialState::Fresh {
        return std::time::Duration::ZERO;
    }
    let expires_at = credentials.expires_by_local_clock();
    let margin = ROLE_MARGIN.min((expires_at - credentials.received_at) / 3);
    // Fresh at the very limit too, so the time after it is what counts.
    (expires_at - now - margin + Duration::MILLISECOND).unsigned_abs()
}

/// What to do with the portal token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It can be used.
    Valid,
    /// Refresh it; it still works if that fails.
    RefreshSoon,
    /// It no longer works; refresh it.
    RefreshNow,
    /// It no longer works and can't be refreshed.
    SignInRequired,
}

/// A token is refreshed when five minutes are left, if it can be; otherwise it is used until it expires.
pub fn token_state(token: &Token, now: OffsetDateTime) -> TokenState {
    let alive = now < token.expires_at;
    match (alive, token.refreshable(now)) {
        (true, true) if token.expires_at - now < TOKEN_MARGIN => TokenState::RefreshSoon,
        (true, _) => TokenState::Valid,
        (false, true) => TokenState::RefreshNow,
        (false, false) => TokenState::SignInRequired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Registration;
    use crate::secret::Secret;
    use proptest::prelude::*;

    const T0: OffsetDateTime = time::macros::datetime!(2026-01-01 00:00 UTC);

    fn credentials(life: Duration) -> RoleCredentials {
        RoleCredentials {
            access_key_id: "ASIA".into(),
            secret_access_key: Secret::new("s"),
            session_token: Secret::new("t"),
            expires_at: T0 + life,
            received_at: T0,
            clock_offset: Duration::ZERO,
        }
    }

    fn state_of(left: Duration, refresh: bool, registration_left: Duration) -> TokenState {
        let registration = Registration {
            client_id: "c".into(),
            client_secret: Secret::new("s"),
            expires_at: T0 + registration_left,
            scopes: vec![],
        };
        let refresh = refresh.then(|| Secret::new("r"));
        token_state(&Token { access: Secret::new("a"), expires_at: T0 + left, refresh, registration }, T0)
    }

    #[test]
    fn credentials_of_an_hour_are_replaced_when_less_than_twenty_minutes_are_left() {
        let hour = credentials(Duration::HOUR);
        assert_eq!(credential_state(&hour, T0 + Duration::minutes(40)), CredentialState::Fresh);
        assert_eq!(credential_state(&hour, T0 + Duration::minutes(40) + Duration::SECOND), CredentialState::Stale);
        assert_eq!(credential_state(&hour, T0 + Duration::HOUR), CredentialState::Expired);
    }

    #[test]
    fn credentials_stay_fresh_for_the_time_that_is_told() {
        for life in [Duration::HOUR, Duration::minutes(15), Duration::SECOND] {
            let credentials = credentials(life);
            let left = fresh_for(&credentials, T0);
            assert_eq!(credential_state(&credentials, T0 + left), CredentialState::Stale);
            assert_eq!(credential_state(&credentials, T0 + left - Duration::milliseconds(2)), CredentialState::Fresh);
            assert!(fresh_for(&credentials, T0 + left).is_zero());
        }
    }

    #[test]
    fn short_lived_credentials_are_fresh_for_two_thirds_of_their_life() {
        let quarter = credentials(Duration::minutes(15));
        assert_eq!(credential_state(&quarter, T0 + Duration::minutes(10)), CredentialState::Fresh);
        assert_eq!(credential_state(&quarter, T0 + Duration::minutes(11)), CredentialState::Stale);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_make_credentials_fresh() {
        assert_eq!(credential_state(&credentials(Duration::HOUR), T0 - Duration::HOUR), CredentialState::Stale);
    }

    #[test]
    fn a_clock_that_is_wrong_all_the_time_does_not_change_the_life() {
        for offset in [Duration::hours(13), Duration::hours(-13)] {
            let hour = credentials(Duration::HOUR);
            let hour = RoleCredentials { expires_at: hour.expires_at + offset, clock_offset: offset, ..hour };
            assert_eq!(credential_state(&hour, T0), CredentialState::Fresh);
            assert_eq!(credential_state(&hour, T0 + Duration::minutes(41)), CredentialState::Stale);
            assert_eq!(credential_state(&hour, T0 + Duration::HOUR), CredentialState::Expired);
        }
    }

    #[test]
    fn a_token_is_refreshed_shortly_before_it_expires_if_it_can_be() {
        let days = Duration::days(30);
        assert_eq!(state_of(Duration::minutes(6), true, days), TokenState::Valid);
        assert_eq!(state_of(Duration::minutes(4), true, days), TokenState::RefreshSoon);
        assert_eq!(state_of(Duration::minutes(4), false, days), TokenState::Valid);
        assert_eq!(state_of(-Duration::minutes(4), true, days), TokenState::RefreshNow);
    }

    #[test]
    fn an_expired_registration_cannot_refresh() {
        assert_eq!(state_of(-Duration::minutes(4), true, -Duration::SECOND), TokenState::SignInRequired);
        assert_eq!(state_of(-Duration::minutes(4), false, Duration::HOUR), TokenState::SignInRequired);
    }

    proptest! {
        #[test]
        fn expired_credentials_are_never_returned(life in 1i64..50_000, age in -100_000i64..200_000) {
            let state = credential_state(&credentials(Duration::seconds(life)), T0 + Duration::seconds(age));
            prop_assert_eq!(state == CredentialState::Expired, age >= life);
        }

        #[test]
        fn new_credentials_are_fresh_whatever_their_life(life in 1i64..50_000) {
            prop_assert_eq!(credential_state(&credentials(Duration::seconds(life)), T0), CredentialState::Fresh);
        }

        #[test]
        fn a_valid_token_never_requires_a_sign_in(left in 1i64..100_000, refresh: bool, registration in -1000i64..1000) {
            let state = state_of(Duration::seconds(left), refresh, Duration::seconds(registration));
            prop_assert!(matches!(state, TokenState::Valid | TokenState::RefreshSoon));
        }
    }
}
