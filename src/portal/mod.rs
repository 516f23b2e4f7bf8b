//! Identity Center's two services: SSO-OIDC (registration, device authorization, tokens) and the access portal (accounts, roles, role
//! credentials, sign-out), by the AWS SDK. An edge: it touches the network and knows grants, not the vault.
//!
//! Nothing here decides, or (but for the listing of many accounts) retries: an answer is a noun or a [`Fault`] that says what the caller
//! does next. The SDK, its runtime, TLS and trust roots are built when the first request is about to be made.

mod fault;
mod listing;
mod start_url;
mod transport;
mod trust;

use std::cell::OnceCell;
use std::time::Duration;

use aws_sdk_sso::types::AccountInfo;
use time::OffsetDateTime;

use crate::clock::{self, Deadline};
use crate::grant::{Registration, RoleCredentials, Token};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::secret::Secret;

pub use fault::Fault;
pub use listing::APART;
pub use transport::Settings;

/// The grant types of `CreateToken` (RFC 8628 §3.4, RFC 6749 §4.1 and §6).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";

/// What an Identity Center user sees as the name of the program that asks.
const CLIENT_NAME: &str = "daypass";

/// The scope of the portal's calls, and the AWS CLI's default.
pub const ACCOUNT_ACCESS: &str = "sso:account:access";

/// What an answer to a refresh is waited for at least, if the deadline leaves that: one that comes after we have gone is a sign-in lost.
const REFRESH: Duration = Duration::from_secs(4);

/// Identity Center lists at most 100 entries a page.
const PAGE: i32 = 100;

/// A listing that does not end is cut here: ten times the largest organisation AWS allows.
const MOST_PAGES: usize = 1000;

/// A client that may use the authorization code flow, and where its browser goes.
#[derive(Debug)]
pub struct CodeClient {
    /// No other flow takes it.
    pub registration: Registration,
    /// The authorize page, at the host that registered the client.
    pub authorize: String,
}

/// A started device authorization (RFC 8628 §3.2).
#[derive(Debug)]
pub struct DeviceAuthorization {
    /// What the client polls with. A secret: who has it gets the token.
    pub device_code: Secret,
    /// What the person compares or types.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: String,
    /// The same with the code filled in.
    pub verification_uri_complete: Option<String>,
    /// How long the codes live.
    pub expires_in: Duration,
    /// The shortest pause between two polls.
    pub interval: Duration,
}

/// An account that the signed-in user can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its twelve digits.
    pub id: AccountId,
    /// Its name; some have none.
    pub name: Option<String>,
    /// Its e-mail address; some have none.
    pub email: Option<String>,
}

/// The services of one session's region.
pub struct Portal {
    settings: Settings,
    /// What the start URL leads to, where that is not itself and was looked up.
    resolved: OnceCell<String>,
    wire: OnceCell<transport::Wire>,
}

impl Portal {
    /// Nothing is built and nobody is called yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, resolved: OnceCell::new(), wire: OnceCell::new() }
    }

    fn wire(&self) -> Result<&transport::Wire, Fault> {
        if let Some(wire) = self.wire.get() {
            return Ok(wire);
        }
        let start_url = self.resolved.get().unwrap_or(&self.settings.start_url);
        let built = transport::Wire::build(&self.settings, start_url::is_dual_stack(start_url))?;
        Ok(self.wire.get_or_init(|| built))
    }

    /// The start URL as the service knows it: where the configured one is a name of the user's own, what it leads to.
    ///
    /// # Errors
    /// [`Fault::Unsuited`] where it leads to another region. One that leads nowhere is returned as it is: the service will say.
    pub fn service_url(&self, deadline: Deadline) -> Result<String, Fault> {
        let configured = &self.settings.start_url;
        if !start_url::is_vanity(configured) {
            return Ok(configured.clone());
        }
        let led = transport::redirect_of(&self.settings, configured, deadline)?;
        let Some(resolved) = led.as_deref().and_then(start_url::resolved) else {
            tracing::info!(led, "the start URL leads to no access portal, and is used as it is");
            return Ok(configured.clone());
        };
        match start_url::region(&resolved) {
            Some(region) if region != self.settings.region => Err(Fault::Unsuited(format!("it leads to {resolved}, in {region}"))),
            _ => {
                tracing::info!(resolved, "the start URL leads to an access portal");
                // The host that is asked from now on goes by the portal's.
                let _ = self.resolved.set(resolved.clone());
                Ok(resolved)
            }
        }
    }

    /// `RegisterClient`, for the device flow.
    pub fn register(&self, session: &Session, deadline: Deadline) -> Result<Registration, Fault> {
        let scopes = scopes_of(session);
        let wire = self.wire()?;
        let request = wire.oidc().register_client().client_name(CLIENT_NAME).client_type("public").set_scopes(Some(scopes.clone()));
        registration(wire.call(deadline, request.send())?, scopes)
    }

    /// `RegisterClient`, for the authorization code flow: `redirect` is the loopback address without its port, `issuer` the start URL as
    /// the service knows it.
    pub fn register_for_code(
        &self,
        session: &Session,
        issuer: &str,
        redirect: &str,
        deadline: Deadline,
    ) -> Result<CodeClient, Fault> {
        let scopes = scopes_of(session);
        let wire = self.wire()?;
        let asked = transport::Asked::default();
        let request = wire
            .oidc()
            .register_client()
            .client_name(CLIENT_NAME)
            .client_type("public")
            .set_scopes(Some(scopes.clone()))
            .grant_types(AUTHORIZATION_CODE)
            .grant_types(REFRESH_TOKEN)
            .redirect_uris(redirect)
            .issuer_url(issuer)
            .customize()
            .interceptor(asked.clone());
        let registration = registration(wire.call(deadline, request.send())?, scopes)?;
        // The page is at the host that the endpoint rules, or the user's settings, chose (AWS CLI).
        let base = asked.uri().and_then(|uri| uri.strip_suffix("/client/register").map(str::to_owned));
        let base = base.ok_or_else(|| Fault::nonsense("the endpoint of RegisterClient is not known"))?;
        Ok(CodeClient { registration, authorize: format!("{base}/authorize") })
    }

    /// `StartDeviceAuthorization`. A missing interval means five seconds (RFC 8628 §3.2).
    pub fn start_device_authorization(
        &self,
        start_url: &str,
        registration: &Registration,
        deadline: Deadline,
    ) -> Result<DeviceAuthorization, Fault> {
        let wire = self.wire()?;
        let request = wire
            .oidc()
            .start_device_authorization()
            .client_id(&registration.client_id)
            .client_secret(registration.client_secret.expose())
            .start_url(start_url);
        let answer = wire.call(deadline, request.send())?;
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
            _ => Err(Fault::nonsense("StartDeviceAuthorization answered without a code")),
        }
    }

    /// `CreateToken` by device code: one poll.
    pub fn poll(&self, registration: &Registration, device_code: &Secret, deadline: Deadline) -> Result<Token, Fault> {
        let wire = self.wire()?;
        let request = wire
            .oidc()
            .create_token()
            .client_id(&registration.client_id)
            .client_secret(registration.client_secret.expose())
            .grant_type(DEVICE_CODE)
            .device_code(device_code.expose());
        token(wire.call(deadline, request.send())?, registration, None)
    }

    /// `CreateToken` by authorization code. The redirect is the one that the browser came back by, with its port.
    pub fn redeem(
        &self,
        registration: &Registration,
        code: &Secret,
        verifier: &Secret,
        redirect: &str,
        deadline: Deadline,
    ) -> Result<Token, Fault> {
        let wire = self.wire()?;
        let request = wire
            .oidc()
            .create_token()
            .client_id(&registration.client_id)
            .client_secret(registration.client_secret.expose())
            .grant_type(AUTHORIZATION_CODE)
            .code(code.expose())
            .code_verifier(verifier.expose())
            .redirect_uri(redirect);
        token(wire.call(deadline, request.send())?, registration, None)
    }

    /// `CreateToken` by refresh token. An answer without a new refresh token keeps the old one (RFC 6749 §6).
    pub fn refresh(&self, old: &Token, deadline: Deadline) -> Result<Token, Fault> {
        let wire = self.wire()?;
        let request = wire
            .oidc()
            .create_token()
            .client_id(&old.registration.client_id)
            .client_secret(old.registration.client_secret.expose())
            .grant_type(REFRESH_TOKEN)
            .set_refresh_token(old.refresh.as_ref().map(|refresh| refresh.expose().to_owned()));
        token(wire.call_for(deadline, REFRESH, request.send())?, &old.registration, old.refresh.clone())
    }

    /// `GetRoleCredentials`.
    pub fn role_credentials(
        &self,
        token: &Token,
        account: &AccountId,
        role: &RoleName,
        deadline: Deadline,
    ) -> Result<RoleCredentials, Fault> {
        let wire = self.wire()?;
        let request = wire
            .sso()
            .get_role_credentials()
            .account_id(account.as_str())
            .role_name(role.as_str())
            .access_token(token.access.expose());
        let keys = wire.call(deadline, request.send())?.role_credentials;
        let keys = keys.ok_or_else(|| Fault::nonsense("GetRoleCredentials answered without credentials"))?;
        let (Some(key), Some(secret), Some(session_token), expires_ms @ 1..) =
            (filled(keys.access_key_id), filled(keys.secret_access_key), filled(keys.session_token), keys.expiration)
        else {
            return Err(Fault::nonsense("GetRoleCredentials answered with credentials that lack a part"));
        };
        let expires_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires_ms) * 1_000_000)
            .map_err(|_| Fault::nonsense("GetRoleCredentials answered with a date out of range"))?;
        Ok(RoleCredentials {
            access_key_id: key,
            secret_access_key: Secret::new(secret),
            session_token: Secret::new(session_token),
            expires_at,
            received_at: clock::now(),
        })
    }

    /// `ListAccounts`, one page: the accounts, and the mark of the next page.
    pub fn accounts(
        &self,
        token: &Token,
        page: Option<String>,
        deadline: Deadline,
    ) -> Result<(Vec<Account>, Option<String>), Fault> {
        let wire = self.wire()?;
        let request = wire.sso().list_accounts().access_token(token.access.expose()).max_results(PAGE).set_next_token(page);
        let answer = wire.call(deadline, request.send())?;
        Ok((answer.account_list.unwrap_or_default().into_iter().filter_map(account).collect(), filled(answer.next_token)))
    }

    /// `ListAccountRoles` for each of these accounts, in their order: several calls at once, at a pace that the portal bears. Throttled
    /// calls are tried again. `patience` is for one call; `done` hears how many accounts are done.
    pub fn roles_of(
        &self,
        token: &Token,
        accounts: &[AccountId],
        patience: Duration,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Vec<RoleName>>, Fault> {
        let wire = self.wire()?;
        wire.run(listing::roles(wire.sso().clone(), token, accounts, patience, done))?
    }

    /// `Logout`: the portal session ends at the server; role credentials that were handed out live on until their own end.
    pub fn sign_out(&self, token: &Token, deadline: Deadline) -> Result<(), Fault> {
        let wire = self.wire()?;
        wire.call(deadline, wire.sso().logout().access_token(token.access.expose()).send()).map(drop)
    }
}

/// All pages of a listing, by a function that fetches one.
pub fn all_pages<T>(mut fetch: impl FnMut(Option<String>) -> Result<(Vec<T>, Option<String>), Fault>) -> Result<Vec<T>, Fault> {
    let mut all = Vec::new();
    let mut page = None;
    for _ in 0..MOST_PAGES {
        let (entries, next) = fetch(page.clone())?;
        all.extend(entries);
        if next.is_none() {
            return Ok(all);
        }
        if next == page {
            break;
        }
        page = next;
    }
    Err(Fault::nonsense("the listing does not end"))
}

/// The scopes to register with: without any the service gives no refresh token, and `sso:account:access` is what the portal's calls need
/// (AWS CLI's default).
pub fn scopes_of(session: &Session) -> Vec<String> {
    if session.scopes.is_empty() { vec![ACCOUNT_ACCESS.to_owned()] } else { session.scopes.clone() }
}

/// An empty text is none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn account(info: AccountInfo) -> Option<Account> {
    let id = AccountId::new(&info.account_id?)?;
    Some(Account { id, name: filled(info.account_name), email: filled(info.email_address) })
}

fn seconds(since_epoch: i64) -> Result<OffsetDateTime, Fault> {
    OffsetDateTime::from_unix_timestamp(since_epoch).map_err(|_| Fault::nonsense("the portal answered with a date out of range"))
}

fn registration(
    answer: aws_sdk_ssooidc::operation::register_client::RegisterClientOutput,
    scopes: Vec<String>,
) -> Result<Registration, Fault> {
    match (filled(answer.client_id), filled(answer.client_secret)) {
        (Some(client_id), Some(client_secret)) => Ok(Registration {
            client_id,
            client_secret: Secret::new(client_secret),
            expires_at: seconds(answer.client_secret_expires_at)?,
            scopes,
        }),
        _ => Err(Fault::nonsense("RegisterClient answered without a client")),
    }
}

fn token(
    answer: aws_sdk_ssooidc::operation::create_token::CreateTokenOutput,
    registration: &Registration,
    old_refresh: Option<Secret>,
) -> Result<Token, Fault> {
    let access = filled(answer.access_token).ok_or_else(|| Fault::nonsense("CreateToken answered without a token"))?;
    Ok(Token {
        access: Secret::new(access),
        expires_at: clock::now() + Duration::from_secs(answer.expires_in.max(0).unsigned_abs().into()),
        refresh: filled(answer.refresh_token).map(Secret::new).or(old_refresh),
        registration: registration.clone(),
    })
}
