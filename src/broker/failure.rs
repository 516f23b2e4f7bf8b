//! What a failure of the portal means to the user: message, hint and exit status. Pure.

use crate::error::{Error, Exit};
use crate::portal;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::text::shell_quote;
use crate::vault;

/// An error of the portal, or what went wrong on this side.
#[derive(Debug)]
pub(super) enum Failure {
    Portal(portal::Error),
    Ours(Error),
}

impl From<portal::Error> for Failure {
    fn from(fault: portal::Error) -> Self {
        Self::Portal(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<vault::Error> for Failure {
    fn from(fault: vault::Error) -> Self {
        Self::Ours(fault.into())
    }
}

/// The service's own words.
pub(super) fn why(fault: portal::Error) -> String {
    match fault {
        portal::Error::Unauthorized(why)
        | portal::Error::InvalidGrant(why)
        | portal::Error::InvalidClient(why)
        | portal::Error::AccessDenied(why)
        | portal::Error::Forbidden(why)
        | portal::Error::InvalidRequest(why)
        | portal::Error::Unavailable(_, why)
        | portal::Error::UnexpectedResponse(why)
        | portal::Error::InvalidSettings(why) => why,
        portal::Error::AuthorizationPending | portal::Error::SlowDown | portal::Error::DeviceCodeExpired => String::new(),
    }
}

pub(super) fn refused(session: &Session, account: &AccountId, role: &RoleName, why: &str) -> Error {
    Error::new(
        Exit::Refused,
        format!("the portal refuses role {role} in account {account}: {why}"),
        format!("daypass list {}", session_argument(session)),
    )
}

pub(super) fn sign_in_required(session: &Session, why: &str) -> Error {
    Error::new(Exit::SignIn, format!("sign-in to {} needed: {why}", session.name), login_command(session))
}

/// The command that signs in to this session.
pub(super) fn login_command(session: &Session) -> String {
    format!("daypass login {}", session_argument(session))
}

/// The session as a command takes it. One without a block is called by its address.
fn session_argument(session: &Session) -> String {
    let Session { name, start_url, region, .. } = session;
    if name == start_url {
        format!("--start-url {} --sso-region {}", shell_quote(start_url), shell_quote(region))
    } else {
        shell_quote(name).into_owned()
    }
}

/// What a failure means to the user.
pub(super) fn to_error(session: &Session, failure: Failure) -> Error {
    let Session { name, start_url, region, .. } = session;
    match failure {
        Failure::Ours(error) => error,
        Failure::Portal(fault) => match fault {
            portal::Error::Unauthorized(why) | portal::Error::InvalidGrant(why) | portal::Error::InvalidClient(why) => {
                sign_in_required(session, &why)
            }
            portal::Error::AccessDenied(why) => {
                Error::failed(format!("the sign-in to {name} was refused: {why}"), login_command(session))
            }
            portal::Error::DeviceCodeExpired => {
                Error::failed(format!("nobody approved the sign-in to {name} before its code expired"), login_command(session))
            }
            portal::Error::AuthorizationPending | portal::Error::SlowDown => {
                Error::failed(format!("the sign-in to {name} is not approved yet"), login_command(session))
            }
            portal::Error::Forbidden(why) => Error::new(
                Exit::Refused,
                format!("the portal refuses: {why}"),
                format!("daypass list {}", session_argument(session)),
            ),
            portal::Error::InvalidRequest(why) => Error::failed(
                format!("IAM Identity Center in {region} does not accept {start_url}: {why}"),
                format!(
                    "check the start URL and the region: daypass configure --session {} --start-url URL --sso-region REGION",
                    if name == start_url { "NAME".into() } else { shell_quote(name) }
                ),
            ),
            portal::Error::Unavailable(_, why) => Error::new(
                Exit::Unreachable,
                format!("IAM Identity Center in {region} can't be reached: {why}"),
                "check the network (HTTPS_PROXY and NO_PROXY are honoured), then try again",
            ),
            portal::Error::UnexpectedResponse(why) => Error::new(
                Exit::Unreachable,
                format!("what answers for IAM Identity Center in {region} is something else: {why}"),
                "check for a captive portal or a proxy, and AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL_SSO_OIDC and AWS_ENDPOINT_URL",
            ),
            portal::Error::InvalidSettings(why) => {
                Error::usage(why, "check AWS_ENDPOINT_URL*, AWS_CA_BUNDLE, HTTPS_PROXY and the endpoint settings of the profile")
            }
        },
    }
}
