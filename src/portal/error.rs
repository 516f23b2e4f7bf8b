//! The errors of Identity Center, named for what the caller does next. Pure.

use std::time::Duration;

use crate::aws::{self, Obstacle, Rejection, Temporary};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Device flow: not approved yet. Poll again after the interval.
    AuthorizationPending,
    /// Poll five seconds slower from now on (RFC 8628 §3.5); other calls: back off.
    SlowDown,
    /// Device flow: the code has expired. Start again.
    DeviceCodeExpired,
    /// Device flow: the person or a policy denied the sign-in.
    AccessDenied(String),
    /// The client registration is not accepted: register again, once.
    InvalidClient(String),
    /// The portal token is not accepted: refresh it or sign in.
    Unauthorized(String),
    /// The refresh token or the device code is not accepted and never will be (`invalid_grant`): sign in.
    InvalidGrant(String),
    /// No access to this account or role. Signing in again does not help.
    Forbidden(String),
    /// The service rejects the request: wrong start URL, region or scope.
    InvalidRequest(String),
    /// The start URL belongs to another region.
    WrongRegion {
        /// The region of the portal.
        region: String,
        /// How that is known, as a clause.
        why: String,
    },
    /// Throttled, server error, reset or time-out: retry, not before the given time.
    Unavailable(Option<Duration>, String),
    /// There is no connection, and a retry would not change that: the request was sent once.
    Unreachable(Obstacle, String),
    /// The answer is not one of Identity Center: a captive portal, a wrong endpoint.
    UnexpectedResponse(String),
    /// No request can be made, because an endpoint, proxy or CA setting is wrong.
    InvalidSettings(String),
}

impl Error {
    /// An [`Error::UnexpectedResponse`] with this text.
    pub fn unexpected_response(what: &str) -> Self {
        Self::UnexpectedResponse(what.to_owned())
    }
}

impl Temporary for Error {
    fn pause(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(asked, _) => Some(asked.unwrap_or_default()),
            Self::SlowDown => Some(Duration::ZERO),
            _ => None,
        }
    }

    fn out_of_time() -> Self {
        aws::Error::out_of_time().into()
    }
}

impl From<aws::Error> for Error {
    fn from(error: aws::Error) -> Self {
        match error {
            aws::Error::Rejected(rejection) => rejected(rejection),
            aws::Error::Unavailable(after, why) => Self::Unavailable(after, why),
            aws::Error::Unreachable(obstacle, why) => Self::Unreachable(obstacle, why),
            aws::Error::UnexpectedResponse(why) => Self::UnexpectedResponse(why),
            aws::Error::InvalidSettings(why) => Self::InvalidSettings(why),
        }
    }
}

/// `error` first (RFC 6749 §5.2), the shape second: the SDK looks at the shape only.
fn rejected(rejection: Rejection) -> Error {
    let Rejection { oauth, code, .. } = &rejection;
    match (oauth.as_deref(), code.as_deref()) {
        (Some("authorization_pending"), _) | (None, Some("AuthorizationPendingException")) => Error::AuthorizationPending,
        (Some("slow_down"), _) | (None, Some("SlowDownException")) => Error::SlowDown,
        (Some("expired_token"), _) | (None, Some("ExpiredTokenException")) => Error::DeviceCodeExpired,
        (Some("access_denied"), _) | (None, Some("AccessDeniedException")) => Error::AccessDenied(rejection.why("access denied")),
        (Some("invalid_grant"), _) | (None, Some("InvalidGrantException")) => {
            Error::InvalidGrant(rejection.why("the grant is not accepted"))
        }
        (Some("invalid_client" | "unauthorized_client"), _)
        | (None, Some("InvalidClientException" | "UnauthorizedClientException")) => {
            Error::InvalidClient(rejection.why("the client registration is not accepted"))
        }
        (Some(error), _) => {
            let error = error.to_owned();
            Error::InvalidRequest(rejection.why(&error))
        }
        (None, code) => match rejection.status {
            401 => Error::Unauthorized(rejection.why("the token is not accepted")),
            403 | 404 => Error::Forbidden(rejection.why("no access")),
            _ => {
                let code = code.unwrap_or("the request is not accepted").to_owned();
                Error::InvalidRequest(rejection.why(&code))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(status: u16, oauth: Option<&str>, code: Option<&str>, text: Option<&str>) -> Error {
        let [oauth, code, text] = [oauth, code, text].map(|part| part.map(str::to_owned));
        aws::Error::Rejected(Rejection { status, oauth, code, text }).into()
    }

    #[test]
    fn the_error_field_takes_precedence_over_the_shape() {
        assert_eq!(error_of(400, Some("authorization_pending"), Some("InvalidGrantException"), None), Error::AuthorizationPending);
    }

    #[test]
    fn the_shape_alone_is_sufficient() {
        assert_eq!(error_of(400, None, Some("SlowDownException"), None), Error::SlowDown);
        assert_eq!(error_of(403, None, Some("ForbiddenException"), None), Error::Forbidden("no access".into()));
    }

    #[test]
    fn only_invalid_grant_means_that_a_refresh_token_is_unusable() {
        assert_eq!(error_of(400, Some("invalid_grant"), None, Some("Invalid")), Error::InvalidGrant("Invalid".into()));
        assert_eq!(
            error_of(400, None, Some("InvalidGrantException"), None),
            Error::InvalidGrant("the grant is not accepted".into())
        );
        assert_eq!(
            error_of(401, None, Some("UnauthorizedException"), None),
            Error::Unauthorized("the token is not accepted".into())
        );
    }
}
