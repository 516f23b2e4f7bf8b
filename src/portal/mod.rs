//! Calls the two services of IAM Identity Center through the AWS SDK: SSO-OIDC (registration, device authorization, tokens) and the access
//! portal (accounts, roles, role credentials, sign-out). Touches the network; does not know the vault.
//!
//! Each call returns a value or an [`Error`] named for what the caller does next. Nothing here decides or, except for the listing of many
//! accounts, retries. The SDK, its runtime, TLS and the trust roots are built before the first request.

pub mod discovery;
mod error;
mod listing;
mod start_url;
mod types;

use std::cell::OnceCell;
use std::time::Duration;

use aws_sdk_ssooidc::operation::create_token::builders::CreateTokenFluentBuilder;
use time::OffsetDateTime;

use crate::aws::{self, Issued, MIN_ATTEMPT, Service, filled, is_printable};
use crate::credentials::{Registration, RoleCredentials, Token};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::secret::Secret;
use crate::sys::clock::{self, Deadline};

pub use error::Error;
use listing::Listing;
pub use listing::MIN_INTERVAL;
pub use types::{Account, AccountRoles, CodeClient, DeviceAuthorization};

/// The two services, by their names in settings.
const SERVICES: [Service; 2] = [
    Service { id: "SSO", key: "sso", variable: "AWS_ENDPOINT_URL_SSO" },
    Service { id: "SSO OIDC", key: "sso_oidc", variable: "AWS_ENDPOINT_URL_SSO_OIDC" },
];

/// The grant types of `CreateToken` (RFC 8628 §3.4, RFC 6749 §4.1 and §6).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";

/// The name of the client on the approval page.
const CLIENT_NAME: &str = "daypass";

/// The scope that the portal's calls require; the AWS CLI's default.
pub const ACCOUNT_ACCESS: &str = "sso:account:access";

/// How long to wait for the answer to a refresh at least, if the deadline allows it. An answer that is missed loses the sign-in.
const MIN_REFRESH: Duration = Duration::from_secs(4);

/// The services of one session's region.
pub struct Portal {
    settings: aws::Settings,
    start_url: String,
    /// The access portal that the start URL redirects to, once that was looked up.
    resolved: OnceCell<String>,
    client: OnceCell<Client>,
}

/// The clients of both services.
struct Client {
    aws: aws::Client,
    oidc: OnceCell<aws_sdk_ssooidc::Client>,
    sso: OnceCell<aws_sdk_sso::Client>,
}

impl Client {
    fn oidc(&self) -> &aws_sdk_ssooidc::Client {
        self.oidc.get_or_init(|| aws_sdk_ssooidc::Client::new(self.aws.config()))
    }

    fn sso(&self) -> &aws_sdk_sso::Client {
        self.sso.get_or_init(|| aws_sdk_sso::Client::new(self.aws.config()))
    }
}

impl Portal {
    /// A portal with these settings. Builds and calls nothing.
    pub fn new(settings: aws::Settings, start_url: String) -> Self {
        Self { settings, start_url, resolved: OnceCell::new(), client: OnceCell::new() }
    }

    fn client(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let start_url = self.resolved.get().unwrap_or(&self.start_url);
        let aws = aws::Client::build(&self.settings, &SERVICES, start_url::is_dual_stack(start_url))?;
        Ok(self.client.get_or_init(|| Client { aws, oidc: OnceCell::new(), sso: OnceCell::new() }))
    }

    /// How far the service's clock is ahead of this machine's, by the last answer. None before the first one, or if it had no date.
    pub fn clock_offset(&self) -> Option<time::Duration> {
        self.client.get()?.aws.last().clock_offset()
    }

    /// The start URL as the service knows it: if the configured one is a company's own address, the access portal that it redirects to.
    ///
    /// # Errors
    /// [`Error::WrongRegion`] if it redirects to another region. An address without a redirect is returned as it is; the service will
    /// reject it.
    pub fn service_url(&self, deadline: Deadline) -> Result<String, Error> {
        let configured = &self.start_url;
        if !start_url::is_vanity(configured) {
            return Ok(configured.clone());
        }
        let location = aws::location(&self.settings, configured, deadline)?;
        let Some(resolved) = location.as_deref().and_then(start_url::resolved) else {
            log::info!("the start URL does not redirect to an access portal (location {location:?}); using it as it is");
            return Ok(configured.clone());
        };
        match start_url::region(&resolved) {
            Some(region) if region != self.settings.region => {
                let why = format!("it redirects to {resolved}, which is in {region}");
                Err(Error::WrongRegion { region, why })
            }
            _ => {
                log::info!("the start URL redirects to the access portal {resolved}");
                // From now on the hosts are chosen for that portal.
                let _ = self.resolved.set(resolved.clone());
                Ok(resolved)
            }
        }
    }

    /// `RegisterClient`, for the device flow.
    pub fn register(&self, session: &Session, deadline: Deadline) -> Result<Registration, Error> {
        let scopes = scopes_of(session);
        let client = self.client()?;
        let request =
            client.oidc().register_client().client_name(CLIENT_NAME).client_type("public").set_scopes(Some(scopes.clone()));
        registration(client.aws.call(deadline, request.send())?, scopes)
    }

    /// `RegisterClient`, for the authorization code flow. `redirect` is the callback address without a port, `issuer` the start URL as the
    /// service knows it.
    pub fn register_for_code(
        &self,
        session: &Session,
        issuer: &str,
        redirect: &str,
        deadline: Deadline,
    ) -> Result<CodeClient, Error> {
        let scopes = scopes_of(session);
        let client = self.client()?;
        let request = client
            .oidc()
            .register_client()
            .client_name(CLIENT_NAME)
            .client_type("public")
            .set_scopes(Some(scopes.clone()))
            .grant_types(AUTHORIZATION_CODE)
            .grant_types(REFRESH_TOKEN)
            .redirect_uris(redirect)
            .issuer_url(issuer);
        let registration = registration(client.aws.call(deadline, request.send())?, scopes)?;
        // The page is on the host that the endpoint rules or the user's settings chose (as in the AWS CLI).
        let base = client.aws.last().uri().strip_suffix("/client/register").map(str::to_owned);
        let base = base.ok_or_else(|| Error::unexpected_response("the endpoint of RegisterClient is not known"))?;
        Ok(CodeClient { registration, authorize: format!("{base}/authorize") })
    }

    /// `StartDeviceAuthorization`. A missing interval means five seconds (RFC 8628 §3.2).
    pub fn start_device_authorization(
        &self,
        start_url: &str,
        registration: &Registration,
        deadline: Deadline,
    ) -> Result<DeviceAuthorization, Error> {
        let client = self.client()?;
        let request = client
            .oidc()
            .start_device_authorization()
            .client_id(&registration.client_id)
            .client_secret(registration.client_secret.expose())
            .start_url(start_url);
        let answer = client.aws.call(deadline, request.send())?;
        match (answer.device_code, answer.user_code, answer.verification_uri) {
            (Some(device_code), Some(user_code), Some(verification_uri)) => Ok(DeviceAuthorization {
                device_code: Secret::new(device_code),
                user_code,
                verification_uri,
                verification_uri_complete: answer.verification_uri_complete,
                expires_in: Duration::from_secs(answer.expires_in.max(0).unsigned_abs().into()),
                interval: Duration::from_secs(match answer.interval {
                    1.. => answer.interval.unsigned_abs().into(),
                    _ => 5,
                }),
            }),
            _ => Err(Error::unexpected_response("StartDeviceAuthorization returned no code")),
        }
    }

    /// `CreateToken` by device code: one poll.
    pub fn poll(&self, registration: &Registration, device_code: &Secret, deadline: Deadline) -> Result<Token, Error> {
        self.create_token(registration, None, MIN_ATTEMPT, deadline, |request| {
            request.grant_type(DEVICE_CODE).device_code(device_code.expose())
        })
    }

    /// `CreateToken` by authorization code. `redirect` is the callback address with its port.
    pub fn redeem(
        &self,
        registration: &Registration,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
        deadline: Deadline,
    ) -> Result<Token, Error> {
        self.create_token(registration, None, MIN_ATTEMPT, deadline, |request| {
            let request = request.grant_type(AUTHORIZATION_CODE).code(code.expose());
            request.code_verifier(verifier.expose()).redirect_uri(redirect)
        })
    }

    /// `CreateToken` by refresh token. A response without a new refresh token keeps the old one (RFC 6749 §6).
    pub fn refresh(&self, old: &Token, deadline: Deadline) -> Result<Token, Error> {
        self.create_token(&old.registration, old.refresh.clone(), MIN_REFRESH, deadline, |request| {
            request.grant_type(REFRESH_TOKEN).set_refresh_token(old.refresh.as_ref().map(|refresh| refresh.expose().to_owned()))
        })
    }

    /// One `CreateToken`; `grant` adds what its grant type requires. The attempt gets at least `least`, if the deadline allows it.
    fn create_token(
        &self,
        registration: &Registration,
        old_refresh: Option<Secret>,
        least: Duration,
        deadline: Deadline,
        grant: impl FnOnce(CreateTokenFluentBuilder) -> CreateTokenFluentBuilder,
    ) -> Result<Token, Error> {
        let client = self.client()?;
        let request = client.oidc().create_token().client_id(&registration.client_id);
        let request = grant(request.client_secret(registration.client_secret.expose()));
        let answer = client.aws.call_for(deadline, least, request.send())?;
        let access = filled(answer.access_token);
        let access = access.ok_or_else(|| Error::unexpected_response("CreateToken returned no token"))?;
        // It is sent as a header, which could not contain others.
        if !is_printable(&access) {
            return Err(Error::unexpected_response("CreateToken returned a token with control characters"));
        }
        Ok(Token {
            access: Secret::new(access),
            expires_at: clock::now() + Duration::from_secs(answer.expires_in.max(0).unsigned_abs().into()),
            refresh: filled(answer.refresh_token).map(Secret::new).or(old_refresh),
            registration: registration.clone(),
        })
    }

    /// `GetRoleCredentials`.
    pub fn role_credentials(
        &self,
        token: &Token,
        account: &AccountId,
        role: &RoleName,
        deadline: Deadline,
    ) -> Result<RoleCredentials, Error> {
        let client = self.client()?;
        let request = client
            .sso()
            .get_role_credentials()
            .account_id(account.as_str())
            .role_name(role.as_str())
            .access_token(token.access.expose());
        let keys = client.aws.call(deadline, request.send())?.role_credentials;
        let keys = keys.ok_or_else(|| Error::unexpected_response("GetRoleCredentials returned no credentials"))?;
        let expires_at = match keys.expiration {
            milliseconds @ 1.. => Some(
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
                    .map_err(|_| Error::unexpected_response("GetRoleCredentials returned a date out of range"))?,
            ),
            _ => None,
        };
        let issued = Issued {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
            session_token: keys.session_token,
            expires_at,
        };
        Ok(issued.checked("GetRoleCredentials", self.clock_offset())?)
    }

    /// `ListAccounts`, all pages. Throttled calls are retried; `timeout` is for each page.
    pub fn accounts(&self, token: &Token, timeout: Duration) -> Result<Vec<Account>, Error> {
        let client = self.client()?;
        client.aws.run(Listing::new(&client.aws, client.sso().clone(), token, timeout).accounts())?
    }

    /// `ListAccountRoles` for each of these accounts, in their order; several calls at once, within the rate limit. Throttled calls are
    /// retried. `timeout` is for each page; `done` gets the number of accounts that are done.
    pub fn roles_of(
        &self,
        token: &Token,
        accounts: &[AccountId],
        timeout: Duration,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<AccountRoles>, Error> {
        let client = self.client()?;
        client.aws.run(Listing::new(&client.aws, client.sso().clone(), token, timeout).roles_of(accounts, done))?
    }

    /// `Logout`: ends the portal session. Role credentials that were issued remain valid until they expire.
    pub fn sign_out(&self, token: &Token, deadline: Deadline) -> Result<(), Error> {
        let client = self.client()?;
        client.aws.call(deadline, client.sso().logout().access_token(token.access.expose()).send())?;
        Ok(())
    }
}

/// The scopes to register with. Without any, the service issues no refresh token; `sso:account:access` is what the portal's calls require
/// (the AWS CLI's default).
pub fn scopes_of(session: &Session) -> Vec<String> {
    if session.scopes.is_empty() { vec![ACCOUNT_ACCESS.to_owned()] } else { session.scopes.clone() }
}

fn seconds(since_epoch: i64) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp(since_epoch)
        .map_err(|_| Error::unexpected_response("RegisterClient returned a date out of range"))
}

fn registration(
    answer: aws_sdk_ssooidc::operation::register_client::RegisterClientOutput,
    scopes: Vec<String>,
) -> Result<Registration, Error> {
    match (filled(answer.client_id), filled(answer.client_secret)) {
        (Some(client_id), Some(client_secret)) => Ok(Registration {
            client_id,
            client_secret: Secret::new(client_secret),
            expires_at: seconds(answer.client_secret_expires_at)?,
            scopes,
        }),
        _ => Err(Error::unexpected_response("RegisterClient returned no client")),
    }
}
