//! What an administrator sets up.

use std::time::Duration;

/// What an administrator of Identity Center sets up, and how the person at the browser behaves.
#[derive(Debug, Clone)]
pub struct Realm {
    /// The one that is known; any other is an `invalid_request` without a description, as in life.
    pub start_url: String,
    pub accounts: Vec<Account>,
    /// Told in whole seconds.
    pub token_life: Duration,
    /// Told in milliseconds.
    pub role_life: Duration,
    pub code_life: Duration,
    pub registration_life: Duration,
    /// What clients are told to wait between two polls; one that waits less than half of it gets `slow_down`.
    pub interval: Duration,
    pub approval: Approval,
    /// What the authorize page comes back with in place of a code, such as `access_denied`.
    pub authorize_error: Option<&'static str>,
    /// Whether clients with scopes get refresh tokens.
    pub refresh_tokens: bool,
    /// Whether a spent refresh token is honoured until somebody has used what came in its place. Otherwise it is dead at once.
    pub lenient_rotation: bool,
    /// Entries of a page of a list, if the client asks for no fewer.
    pub page_size: usize,
    /// Whether secrets are as long as the real ones, which matters to keyrings; short ones are for reading.
    pub long_secrets: bool,
}

impl Default for Realm {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self {
            start_url: "https://sandbox.awsapps.com/start".to_owned(),
            accounts: vec![
                Account::new("111122223333", "Development", &["DeveloperAccess", "ReadOnly"]),
                Account::new("444455556666", "Production", &["Break+Glass=Now", "ReadOnly"]),
            ],
            token_life: hour,
            role_life: hour,
            code_life: Duration::from_mins(10),
            registration_life: 90 * 24 * hour,
            interval: Duration::from_secs(1),
            approval: Approval::AfterPolls(0),
            authorize_error: None,
            refresh_tokens: true,
            lenient_rotation: false,
            page_size: 100,
            long_secrets: true,
        }
    }
}

impl Realm {
    /// So many accounts with so many roles each.
    pub fn of(accounts: usize, roles: usize) -> Self {
        let roles: Vec<String> = (1..=roles).map(|n| format!("Role{n:03}")).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        let accounts = (1..=accounts).map(|n| Account::new(&format!("{:012}", 100_000_000 + n), &format!("Team {n:03}"), &roles));
        Self { accounts: accounts.collect(), ..Self::default() }
    }
}

/// An account, with the roles that the person has in it.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    /// The service may leave it out.
    pub name: Option<String>,
    /// The service may leave it out.
    pub email: Option<String>,
    pub roles: Vec<String>,
}

impl Account {
    pub fn new(id: &str, name: &str, roles: &[&str]) -> Self {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "-"));
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        Self { id: id.to_owned(), name: Some(name.to_owned()), email: Some(email), roles }
    }
}

/// When a device code is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// By itself, after so many polls were told to wait.
    AfterPolls(usize),
    /// As soon as a browser opens the complete verification address.
    OnVisit,
    /// By the buttons of that page, or by [`super::Portal::allow`] and [`super::Portal::deny`].
    ByHand,
}
