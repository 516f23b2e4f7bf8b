//! The services that requests are signed for: their clients, and their errors for people.

use crate::aws;
use crate::broker;
use crate::context::Context;
use crate::error::{Error, Exit};
use crate::iam::{self, Iam};
use crate::sts::{self, Sts};
use crate::sys::clock;

/// The clients of STS and IAM for one region, which decides the partition. `profile` is the one whose endpoint settings apply.
pub(super) fn clients(context: &Context, region: &str, profile: Option<&str>) -> (Sts, Iam) {
    let settings = aws::Settings { region: region.to_owned(), profile: profile.map(str::to_owned), env: context.env.clone() };
    (Sts::new(settings.clone()), Iam::new(settings))
}

/// The error of a call to STS.
pub(super) fn of_sts(error: sts::Error) -> Error {
    let refused = |why: String| Error::new(Exit::Refused, format!("STS refuses the credentials: {why}"), "daypass list");
    match error {
        sts::Error::Call(error) => of_call("STS", error),
        sts::Error::InvalidSignature(why) => Error::failed(format!("STS does not accept the signature: {why}"), clock::SYNCHRONIZE),
        sts::Error::AccessDenied(why) | sts::Error::InvalidKeys(why) | sts::Error::InvalidRequest(why) => refused(why),
    }
}

/// The error of a call to IAM.
pub(super) fn of_iam(error: iam::Error) -> Error {
    match error {
        iam::Error::Call(error) => of_call("IAM", error),
        iam::Error::AccessDenied(why)
        | iam::Error::NotFound(why)
        | iam::Error::InvalidKeys(why)
        | iam::Error::InvalidRequest(why) => Error::new(Exit::Refused, format!("IAM refuses: {why}"), "daypass retire"),
    }
}

fn of_call(service: &str, error: aws::Error) -> Error {
    // Shows who answers in the place of the service.
    let probe = || format!("curl -sSI https://{}.amazonaws.com", service.to_lowercase());
    match error {
        aws::Error::Rejected(rejection) => {
            let why = rejection.code.clone().unwrap_or_default();
            Error::failed(format!("{service} refuses the request: {}", rejection.why(&why)), "daypass list")
        }
        aws::Error::Unavailable(_, why) => Error::new(Exit::Unreachable, why, probe()),
        aws::Error::Unreachable(obstacle, why) => {
            Error::new(Exit::Unreachable, why, broker::obstacle_hint(obstacle).unwrap_or("daypass list --profiles"))
        }
        aws::Error::UnexpectedResponse(why) => {
            Error::new(Exit::Unreachable, format!("unexpected answer from {service}: {why}"), probe())
        }
        aws::Error::InvalidSettings(why) => broker::invalid_settings(why),
    }
}
