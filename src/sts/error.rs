//! The errors of STS, named for what the caller does next. Pure.

use std::time::Duration;

use crate::aws::{self, Rejection, Temporary};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The caller's policies or the role's trust policy forbid it: another role or an administrator has to be asked.
    AccessDenied(String),
    /// The keys that signed the request have expired, were deleted or never existed: get new ones.
    InvalidKeys(String),
    /// The signature is not accepted, as with a clock that is minutes wrong: set the clock.
    InvalidSignature(String),
    /// The service rejects a value of the request: role, session name, duration or policy.
    InvalidRequest(String),
    /// The service was not reached, or did not answer as STS does.
    Call(aws::Error),
}

impl Temporary for Error {
    fn pause(&self) -> Option<Duration> {
        if let Self::Call(error) = self { error.pause() } else { None }
    }

    fn out_of_time() -> Self {
        Self::Call(aws::Error::out_of_time())
    }
}

impl From<aws::Error> for Error {
    fn from(error: aws::Error) -> Self {
        match error {
            aws::Error::Rejected(rejection) => rejected(rejection),
            other => Self::Call(other),
        }
    }
}

/// By the codes of the API reference (`AssumeRole`; Common Errors).
fn rejected(rejection: Rejection) -> Error {
    let code = rejection.code.clone().unwrap_or_default();
    let of: fn(String) -> Error = match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "OptInRequired" | "NotAuthorized" => Error::AccessDenied,
        "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException" => Error::InvalidKeys,
        "SignatureDoesNotMatch" | "RequestExpired" | "RequestTimeTooSkewed" | "InvalidSignatureException" => {
            Error::InvalidSignature
        }
        _ => Error::InvalidRequest,
    };
    of(rejection.why(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_decides_and_not_the_status_or_the_text() {
        let of = |code: &str| {
            let text = Some("ExpiredToken AccessDenied".to_owned());
            Error::from(aws::Error::Rejected(Rejection { status: 403, oauth: None, code: Some(code.to_owned()), text }))
        };
        assert!(matches!(of("AccessDenied"), Error::AccessDenied(_)));
        assert!(matches!(of("ExpiredToken"), Error::InvalidKeys(_)));
        assert!(matches!(of("InvalidClientTokenId"), Error::InvalidKeys(_)));
        assert!(matches!(of("SignatureDoesNotMatch"), Error::InvalidSignature(_)));
        for invalid in ["ValidationError", "MalformedPolicyDocument", "PackedPolicyTooLarge", "RegionDisabledException"] {
            assert!(matches!(of(invalid), Error::InvalidRequest(_)), "{invalid}");
        }
    }
}
