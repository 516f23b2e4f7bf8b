//! Turns errors of the portal and of STS into messages, hints and exit statuses. Pure.

use crate::aws::{self, Obstacle, regions};
use crate::error::{Error, Exit};
use crate::portal;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::sts;
use crate::sys::clock;
use crate::text::{edit_file, shell_quote};
use crate::vault;

/// An error of the portal, or one on this side that is ready to be shown.
#[derive(Debug)]
pub(super) enum Failure {
    Portal(portal::Error),
    Local(Error),
}

impl From<portal::Error> for Failure {
    fn from(error: portal::Error) -> Self {
        Self::Portal(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Self {
        Self::Local(error.into())
    }
}

/// The text of the error, mostly the service's own.
pub(super) fn why(error: portal::Error) -> String {
    match error {
        portal::Error::Unauthorized(why)
        | portal::Error::InvalidGrant(why)
        | portal::Error::InvalidClient(why)
        | portal::Error::AccessDenied(why)
        | portal::Error::Forbidden(why)
        | portal::Error::InvalidRequest(why)
        | portal::Error::WrongRegion { why, .. }
        | portal::Error::Unavailable(_, why)
        | portal::Error::Unreachable(_, why)
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

/// The error of a role that could not be assumed. `source` is the role that assumes it.
pub(super) fn not_assumed(session: &Session, source: &str, role_arn: &str, error: sts::Error) -> Error {
    let what = |why: &str| format!("{source} can't assume {role_arn}: {why}");
    match error {
        sts::Error::AccessDenied(why) => {
            let why = format!("{why} (its trust policy and the permission set must both allow it)");
            Error::new(Exit::Refused, what(&why), format!("daypass list {}", session_argument(session)))
        }
        sts::Error::InvalidKeys(why) => Error::new(Exit::SignIn, what(&why), login_command(session)),
        sts::Error::InvalidSignature(why) => Error::new(Exit::Unreachable, what(&why), clock::SYNCHRONIZE),
        sts::Error::InvalidRequest(why) => Error::usage(what(&why), edit_file("~/.aws/config")),
        sts::Error::Call(error) => match error {
            aws::Error::Rejected(rejection) => {
                Error::failed(what(&rejection.why("the request is not accepted")), "add -vv").adding(&["-vv"])
            }
            aws::Error::Unavailable(_, why) => unavailable(session, why),
            aws::Error::Unreachable(Obstacle::UnknownRegion, why) => {
                Error::usage(format!("{why} (the region of the profile that assumes the role)"), edit_file("~/.aws/config"))
            }
            aws::Error::Unreachable(obstacle, why) => unreachable(session, obstacle, why),
            aws::Error::UnexpectedResponse(why) => {
                Error::new(Exit::Unreachable, format!("unexpected answer from STS: {why}"), probe(session))
            }
            aws::Error::InvalidSettings(why) => invalid_settings(why),
        },
    }
}

fn unavailable(session: &Session, why: String) -> Error {
    Error::new(Exit::Unreachable, why, probe(session))
}

/// The command that shows who answers in the place of Identity Center. It uses the same proxy.
fn probe(session: &Session) -> String {
    format!("curl -sSI https://portal.sso.{}.{}", shell_quote(&session.region), regions::domain(&session.region))
}

/// The error of an endpoint, proxy or CA setting, with the command that shows these settings.
pub fn invalid_settings(why: String) -> Error {
    let settings = if cfg!(windows) {
        "set | findstr /i \"AWS_ENDPOINT AWS_CA _PROXY\""
    } else {
        "env | grep -i -e AWS_ENDPOINT -e AWS_CA -e _PROXY"
    };
    Error::usage(why, settings)
}

/// `why` may be empty.
pub(super) fn sign_in_required(session: &Session, why: &str) -> Error {
    let what = format!("not signed in to {}", session.name);
    Error::new(Exit::SignIn, if why.is_empty() { what } else { format!("{what}: {why}") }, login_command(session))
}

/// The command that signs in to this session.
pub(super) fn login_command(session: &Session) -> String {
    format!("daypass login {}", session_argument(session))
}

/// The arguments that name this session. One without a block in the config file is given by its address.
fn session_argument(session: &Session) -> String {
    let Session { name, start_url, region, .. } = session;
    if name == start_url {
        format!("--start-url {} --sso-region {}", shell_quote(start_url), shell_quote(region))
    } else {
        shell_quote(name).into_owned()
    }
}

/// The error that the user sees.
pub(super) fn to_error(session: &Session, failure: Failure) -> Error {
    let Session { name, start_url, region, .. } = session;
    match failure {
        Failure::Local(error) => error,
        Failure::Portal(error) => match error {
            portal::Error::Unauthorized(why) | portal::Error::InvalidGrant(why) | portal::Error::InvalidClient(why) => {
                sign_in_required(session, &why)
            }
            portal::Error::AccessDenied(why) => {
                Error::failed(format!("the sign-in to {name} was refused: {why}"), login_command(session))
            }
            portal::Error::DeviceCodeExpired => {
                Error::failed(format!("the sign-in to {name} was not approved before its code expired"), login_command(session))
            }
            portal::Error::AuthorizationPending | portal::Error::SlowDown => {
                Error::failed(format!("the sign-in to {name} is not approved yet"), login_command(session))
            }
            portal::Error::Forbidden(why) => Error::new(
                Exit::Refused,
                format!("the portal refuses: {why}"),
                format!("ask your administrator to assign you a permission set at {start_url}"),
            ),
            portal::Error::InvalidRequest(why) => Error::failed(
                format!("IAM Identity Center in {region} does not accept {start_url}: {why}"),
                if name == start_url {
                    "daypass configure".to_owned()
                } else {
                    format!("daypass configure --session {} --session-only", shell_quote(name))
                },
            ),
            portal::Error::WrongRegion { region: right, why } => Error::failed(
                format!("IAM Identity Center in {region} does not accept {start_url}: {why}"),
                if name == start_url {
                    format!("set sso_region to {right} in the profiles of {start_url}")
                } else {
                    format!("daypass configure --session {} --sso-region {right} --session-only", shell_quote(name))
                },
            ),
            portal::Error::Unavailable(_, why) => unavailable(session, why),
            portal::Error::Unreachable(obstacle, why) => unreachable(session, obstacle, why),
            portal::Error::UnexpectedResponse(why) => Error::new(
                Exit::Unreachable,
                format!("unexpected answer from IAM Identity Center in {region}: {why}"),
                probe(session),
            ),
            portal::Error::InvalidSettings(why) => invalid_settings(why),
        },
    }
}

/// The error of a connection that a retry would not help.
fn unreachable(session: &Session, obstacle: Obstacle, why: String) -> Error {
    match obstacle_hint(obstacle) {
        Some(hint) => Error::new(Exit::Unreachable, why, hint),
        None => unknown_region(session, why),
    }
}

/// What removes an obstacle; None if that is another region.
pub fn obstacle_hint(obstacle: Obstacle) -> Option<&'static str> {
    match obstacle {
        Obstacle::ProxyAuthentication => Some(
            "put the user name and password that the proxy requires into the address in HTTPS_PROXY, before the host (user:password@)",
        ),
        Obstacle::UntrustedCertificate => {
            Some("set AWS_CA_BUNDLE to a PEM file with the certificates of the proxy or company that intercepts TLS")
        }
        Obstacle::CertificateDate => Some(clock::SYNCHRONIZE),
        Obstacle::UnknownRegion => None,
    }
}

fn unknown_region(session: &Session, why: String) -> Error {
    let Session { name, start_url, region, .. } = session;
    let near = regions::nearest(region);
    let hint = if name == start_url {
        format!("set sso_region to the region of IAM Identity Center, such as {}", near.unwrap_or("us-east-1"))
    } else {
        let name = shell_quote(name);
        format!("daypass configure --session {name} --session-only --sso-region {}", near.unwrap_or("us-east-1"))
    };
    match near {
        Some(near) => Error::typo(why, region, near, hint),
        None => Error::usage(why, hint),
    }
}
