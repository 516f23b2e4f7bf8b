//! The errors of IAM, named for what the caller does next. Pure.

use std::time::Duration;

use crate::aws::{self, Rejection, Temporary};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The caller's policies forbid it: someone else has to do it. IAM answers so for a key that does not exist, too.
    AccessDenied(String),
    /// There is no such user or key.
    NotFound(String),
    /// The keys that signed the request have expired, are inactive, were deleted or never existed.
    InvalidKeys(String),
    /// The service rejects the request.
    InvalidRequest(String),
    /// The service was not reached, or did not answer as IAM does.
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

/// By the codes of the API reference (`UpdateAccessKey`; Common Errors).
fn rejected(rejection: Rejection) -> Error {
    let code = rejection.code.clone().unwrap_or_default();
    let of: fn(String) -> Error = match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "OptInRequired" | "NotAuthorized" => Error::AccessDenied,
        "NoSuchEntity" | "NoSuchEntityException" => Error::NotFound,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch" => Error::InvalidKeys,
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
            let text = Some("NoSuchEntity AccessDenied".to_owned());
            Error::from(aws::Error::Rejected(Rejection { status: 403, oauth: None, code: Some(code.to_owned()), text }))
        };
        assert!(matches!(of("AccessDenied"), Error::AccessDenied(_)));
        assert!(matches!(of("NoSuchEntity"), Error::NotFound(_)));
        for invalid in ["InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"] {
            assert!(matches!(of(invalid), Error::InvalidKeys(_)), "{invalid}");
        }
        assert!(matches!(of("LimitExceeded"), Error::InvalidRequest(_)));
    }
}
