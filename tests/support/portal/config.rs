//! The configuration of the simulated service.

use std::time::Duration;

/// What an administrator of Identity Center configures, and how the user behaves in the browser.
#[derive(Debug, Clone)]
pub struct PortalConfig {
    /// The only valid one. Any other gets `invalid_request` without a description, as from the real service.
    pub start_url: String,
    pub accounts: Vec<Account>,
    /// How long access tokens are valid, in whole seconds.
    pub token_ttl: Duration,
    /// How long role credentials are valid, in milliseconds.
    pub role_ttl: Duration,
    /// How long device codes are valid.
    pub code_ttl: Duration,
    /// How long client registrations are valid.
    pub registration_ttl: Duration,
    /// The polling interval. A client that waits less than half of it gets `slow_down`.
    pub interval: Duration,
    pub approval: Approval,
    /// The error that the authorize page returns instead of a code, such as `access_denied`.
    pub authorize_error: Option<&'static str>,
    /// Whether clients with scopes get refresh tokens.
    pub refresh_tokens: bool,
    pub rotation: Rotation,
    /// The most entries on one page of a list.
    pub page_size: usize,
    /// The name of the user, which Identity Center makes the session name of roles.
    pub user: String,
    /// The roles that can be assumed.
    pub roles: Vec<IamRole>,
    /// How long the credentials of assumed roles are valid at most.
    pub assumed_ttl: Duration,
    /// Whether secrets are as long as real ones, which matters to keyrings. Short ones are easier to read.
    pub long_secrets: bool,
    /// What permission sets allow on access keys; nothing if one is not named.
    pub key_rights: Vec<(String, KeyRights)>,
    /// What users may do with their own keys.
    pub own_key_rights: KeyRights,
    /// The region that the portal's page, `/start`, names.
    pub page_region: Option<&'static str>,
}

impl Default for PortalConfig {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self {
            start_url: "https://sandbox.awsapps.com/start".to_owned(),
            accounts: vec![
                Account::new("111122223333", "Development", &["DeveloperAccess", "ReadOnly"]),
                Account::new("444455556666", "Production", &["Break+Glass=Now", "ReadOnly"]),
            ],
            token_ttl: hour,
            role_ttl: hour,
            code_ttl: Duration::from_mins(10),
            registration_ttl: 90 * 24 * hour,
            interval: Duration::from_secs(1),
            approval: Approval::AfterPolls(0),
            authorize_error: None,
            refresh_tokens: true,
            rotation: Rotation::Strict,
            page_size: 100,
            user: "ada@example.com".to_owned(),
            roles: vec![
                IamRole::new("arn:aws:iam::222233334444:role/Deploy", &["AWSReservedSSO_DeveloperAccess_"]),
                IamRole::new("arn:aws:iam::333344445555:role/team/Audit", &["assumed-role/Deploy/"]),
            ],
            assumed_ttl: hour,
            long_secrets: true,
            key_rights: vec![("AdministratorAccess".to_owned(), KeyRights::All), ("ReadOnly".to_owned(), KeyRights::Read)],
            own_key_rights: KeyRights::All,
            page_region: None,
        }
    }
}

impl PortalConfig {
    /// This many accounts with this many roles each.
    pub fn of(accounts: usize, roles: usize) -> Self {
        let roles: Vec<String> = (1..=roles).map(|n| format!("Role{n:03}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let accounts = (1..=accounts).map(|n| Account::new(&format!("{:012}", 100_000_000 + n), &format!("Team {n:03}"), &roles));
        Self { accounts: accounts.collect(), ..Self::default() }
    }
}

/// An account, with the roles that are assigned to the user.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    /// Optional in the service's answer.
    pub name: Option<String>,
    /// Optional in the service's answer.
    pub email: Option<String>,
    pub roles: Vec<String>,
    /// `ListAccountRoles` answers with 403 or 404, as for a suspended account.
    pub suspended: Option<u16>,
}

impl Account {
    pub fn new(id: &str, name: &str, roles: &[&str]) -> Self {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "-"));
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        Self { id: id.to_owned(), name: Some(name.to_owned()), email: Some(email), roles, suspended: None }
    }
}

/// What a permission set, or a user's own policy, allows on access keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRights {
    Nothing,
    /// `GetAccessKeyLastUsed` and `ListAccessKeys`.
    Read,
    /// All calls.
    All,
}

/// A role that can be assumed, with its trust policy.
#[derive(Debug, Clone)]
pub struct IamRole {
    pub arn: String,
    /// Parts of the ARNs of the principals that may assume it.
    pub trusts: Vec<String>,
    /// The external ID that it requires.
    pub external_id: Option<String>,
    pub allows_source_identity: bool,
}

impl IamRole {
    pub fn new(arn: &str, trusts: &[&str]) -> Self {
        let trusts = trusts.iter().map(|&part| part.to_owned()).collect();
        Self { arn: arn.to_owned(), trusts, external_id: None, allows_source_identity: false }
    }

    /// Its account ID.
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Its name, without the path.
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

/// When a device code is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Automatically, after this many polls got `authorization_pending`.
    AfterPolls(usize),
    /// As soon as a browser opens `verificationUriComplete`.
    OnVisit,
    /// With the buttons of that page, or with [`super::Portal::allow`] and [`super::Portal::deny`].
    ByHand,
}

/// What a refresh does to the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It stays the same.
    Never,
    /// A new one is issued. The previous one stays valid until a client uses one of the new tokens.
    Lenient,
    /// A new one is issued. The previous one becomes invalid at once.
    Strict,
}
