//! A portal, a vault with faults, and a session.

use std::rc::Rc;
use std::time::Duration;

use daypass::aws::Settings;
use daypass::broker::{Broker, Locks};
use daypass::credentials::{Registration, RoleCredentials, Token};
use daypass::error::{Error, Exit};
use daypass::portal::Portal as Client;
use daypass::profile::names::{AccountId, RoleName, Session};
use daypass::secret::Secret;
use daypass::sys::env::Env;
use daypass::sys::lock::Folders;
use daypass::vault::{Kind, Vault};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::store::{FaultyStore, SharedStore};
use crate::support::portal::{Portal, PortalConfig};

/// The deadline of `credential-process`.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// A portal, a vault and a session. Each call gets a new broker, as in a new process.
pub(super) struct Fixture {
    pub(super) portal: Portal,
    pub(super) store: Rc<FaultyStore>,
    pub(super) vault: Vault,
    pub(super) session: Session,
    folder: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let portal = Portal::live(PortalConfig { long_secrets: false, ..PortalConfig::default() });
        let folder = TempDir::new().unwrap();
        let store = Rc::<FaultyStore>::default();
        let vault = Vault::new(Box::new(SharedStore(Rc::clone(&store))), None);
        let session =
            Session { name: "corp".to_owned(), start_url: portal.start_url(), region: "us-east-1".to_owned(), scopes: Vec::new() };
        Self { portal, store, vault, session, folder }
    }

    pub(super) fn signed_in() -> Self {
        let fixture = Self::new();
        fixture.new_sign_in();
        fixture
    }

    /// Stores a new sign-in in the vault, as a completed sign-in does.
    pub(super) fn new_sign_in(&self) {
        let sign_in = self.portal.sign_in();
        let at = |seconds: u64| OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap();
        let token = Token {
            access: Secret::new(sign_in.access_token),
            expires_at: at(sign_in.expires_at),
            refresh: sign_in.refresh_token.map(Secret::new),
            registration: Registration {
                client_id: sign_in.client_id,
                client_secret: Secret::new(sign_in.client_secret),
                expires_at: at(sign_in.client_expires_at),
                scopes: vec!["sso:account:access".to_owned()],
            },
        };
        self.vault.store_token(&self.session, &token).unwrap();
        self.vault.delete_roles(&self.session).unwrap();
    }

    pub(super) fn broker(&self) -> Broker<'_> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let endpoints = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name, self.portal.url()));
        let env: Env = [("HOME", path("")), ("AWS_CONFIG_FILE", path("config"))]
            .into_iter()
            .chain(endpoints)
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let locks = Folders::new(&env);
        let settings = Settings { region: self.session.region.clone(), profile: None, env };
        Broker::new(
            &self.session,
            &self.vault,
            Client::new(settings, self.session.start_url.clone()),
            Locks::new(locks, Some(path(""))),
        )
    }

    pub(super) fn ask(&self, role: &str) -> Result<RoleCredentials, Error> {
        self.broker().role_credentials(&account(), &RoleName::new(role).unwrap(), TIMEOUT)
    }

    pub(super) fn change_token(&self, change: impl FnOnce(&mut Token)) {
        let mut token = self.vault.token(&self.session).unwrap().unwrap();
        change(&mut token);
        self.vault.store_token(&self.session, &token).unwrap();
    }

    pub(super) fn expire_token(&self) {
        self.change_token(|token| token.expires_at = OffsetDateTime::now_utc() - Duration::from_hours(1));
    }

    /// Sets how long the cached credentials of a role are still valid, of more than two hours in total.
    pub(super) fn set_time_left(&self, role: &str, left: time::Duration) {
        let role = Kind::Role(account(), RoleName::new(role).unwrap());
        let Some(mut kept) = self.vault.role(&self.session, &role).unwrap() else { return };
        let now = OffsetDateTime::now_utc();
        (kept.received_at, kept.expires_at) = (now - Duration::from_hours(2), now + left);
        self.vault.store_role(&self.session, &role, &kept).unwrap();
    }

    /// Asserts that these credentials were issued for this role and are unexpired.
    #[track_caller]
    pub(super) fn assert_issued_for(&self, role: &str, credentials: &RoleCredentials) {
        assert!(credentials.expires_at > OffsetDateTime::now_utc(), "expired");
        let issued = self.portal.issued().into_iter().any(|issued| {
            issued.role == role
                && issued.access_key_id == credentials.access_key_id
                && issued.secret_access_key == credentials.secret_access_key.expose()
                && issued.session_token == credentials.session_token.expose()
        });
        assert!(issued, "not what was issued for {role}");
    }

    /// Asserts that without faults the next call works, or requires a sign-in if that is allowed. It asks for another role, whose
    /// credentials are not cached and for which no failure is remembered.
    #[track_caller]
    pub(super) fn assert_usable(&self, may_need_sign_in: bool) {
        self.store.fault.take();
        match self.ask("ReadOnly") {
            Ok(credentials) => self.assert_issued_for("ReadOnly", &credentials),
            Err(error) => {
                assert!(may_need_sign_in, "a sign-in was lost that could be kept: {error}");
                assert_eq!((error.exit, error.hint.as_str()), (Exit::SignIn, "daypass login corp"), "{error}");
            }
        }
    }
}

pub(super) fn account() -> AccountId {
    AccountId::new("111122223333").unwrap()
}
