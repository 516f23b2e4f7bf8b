//! `ListAccounts` and `ListAccountRoles`: all pages, several accounts at once, never faster than the portal allows. Touches the network.
//!
//! Unlike the rest of this module it retries by itself, because one call that is throttled slows the others down too.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use aws_sdk_sso::Client;
use aws_sdk_sso::types::AccountInfo;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use tokio::task::{JoinSet, LocalSet};

use super::backoff::backoff;
use super::error::Error;
use super::transport::{MIN_ATTEMPT, within};
use super::types::{Account, filled};
use crate::credentials::Token;
use crate::profile::names::{AccountId, RoleName};
use crate::secret::Secret;
use crate::sys::clock::{self, Deadline};

/// Identity Center lists at most 100 entries a page.
const PAGE_SIZE: i32 = 100;

/// A listing that does not end is cut here: ten times the largest organisation that AWS allows.
const MAX_PAGES: usize = 1000;

/// How many calls may be under way.
const CONCURRENT_CALLS: usize = 8;

/// From the start of one call to the next: the portal throttles at about twenty calls a second.
pub const MIN_INTERVAL: Duration = Duration::from_millis(60);

/// How often a call is attempted while the portal is too busy for it.
const MAX_ATTEMPTS: u32 = 6;

/// The first pause before a retry.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// When the next call may start. Shared by all that are under way.
#[derive(Debug)]
struct Pace {
    next: Instant,
}

impl Pace {
    /// When a call that is ready now may start.
    fn take(&mut self, now: Instant) -> Instant {
        let start = self.next.max(now);
        self.next = start + MIN_INTERVAL;
        start
    }

    /// No call starts before then.
    fn hold(&mut self, until: Instant) {
        self.next = self.next.max(until);
    }
}

/// A listing: all of its calls share one pace.
pub(super) struct Listing {
    client: Client,
    token: Secret,
    timeout: Duration,
    pace: RefCell<Pace>,
}

impl Listing {
    /// `timeout` is for each page.
    pub(super) fn new(client: Client, token: &Token, timeout: Duration) -> Self {
        Self { client, token: token.access.clone(), timeout, pace: RefCell::new(Pace { next: Instant::now() }) }
    }

    /// All accounts.
    pub(super) async fn accounts(self) -> Result<Vec<Account>, Error> {
        all_pages(async |page| {
            let request = || {
                self.client.list_accounts().access_token(self.token.expose()).max_results(PAGE_SIZE).set_next_token(page.clone())
            };
            let answer = self.call(|| request().send()).await?;
            let accounts = answer.account_list.unwrap_or_default().into_iter().filter_map(account);
            Ok((accounts.collect(), answer.next_token))
        })
        .await
    }

    /// The roles of each of these accounts, in their order. `done` is told how many accounts are done.
    pub(super) async fn roles_of(self, accounts: &[AccountId], done: &mut dyn FnMut(usize)) -> Result<Vec<Vec<RoleName>>, Error> {
        let listing = Rc::new(self);
        let mut found = vec![Vec::new(); accounts.len()];
        let mut waiting = accounts.iter().cloned().enumerate();
        let mut under_way = JoinSet::new();
        let mut count = 0;
        let all = async {
            loop {
                while under_way.len() < CONCURRENT_CALLS
                    && let Some((at, account)) = waiting.next()
                {
                    let listing = Rc::clone(&listing);
                    under_way.spawn_local(async move { (at, listing.roles(&account).await) });
                }
                // The first failure ends the listing; dropping the set cancels the calls under way.
                let Some(ended) = under_way.join_next().await else { return Ok(found) };
                let (at, roles) = ended.map_err(|error| Error::InvalidSettings(format!("the listing stopped: {error}")))?;
                if let Some(place) = found.get_mut(at) {
                    *place = roles?;
                }
                count += 1;
                done(count);
            }
        };
        LocalSet::new().run_until(all).await
    }

    async fn roles(&self, account: &AccountId) -> Result<Vec<RoleName>, Error> {
        all_pages(async |page| {
            let request = || {
                let request = self.client.list_account_roles().account_id(account.as_str()).access_token(self.token.expose());
                request.max_results(PAGE_SIZE).set_next_token(page.clone())
            };
            let answer = self.call(|| request().send()).await?;
            // A name that no role can have cannot be requested either.
            let roles = answer.role_list.unwrap_or_default().into_iter().filter_map(|role| RoleName::new(&role.role_name?).ok());
            Ok((roles.collect(), answer.next_token))
        })
        .await
    }

    /// One call when its turn comes, retried while the portal is busy and the page's timeout allows it.
    async fn call<T, E, F>(&self, request: impl Fn() -> F) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut retries = 0;
        let mut deadline = None;
        loop {
            let now = Instant::now();
            clock::pause(self.pace(|pace| pace.take(now)).saturating_duration_since(now)).await;
            let deadline = *deadline.get_or_insert_with(|| Deadline::after(self.timeout));
            let error = match within(deadline, MIN_ATTEMPT, request()).await {
                Err(error @ Error::Unavailable(..)) => error,
                other => return other,
            };
            let asked = if let Error::Unavailable(asked, _) = &error { asked.unwrap_or_default() } else { Duration::ZERO };
            let pause = backoff(FIRST_PAUSE, retries).max(asked);
            retries += 1;
            if retries >= MAX_ATTEMPTS || pause >= deadline.left() {
                return Err(error);
            }
            tracing::info!(?error, ?pause, "the listing pauses");
            self.pace(|pace| pace.hold(Instant::now() + pause));
        }
    }

    fn pace<T>(&self, act: impl FnOnce(&mut Pace) -> T) -> T {
        act(&mut self.pace.borrow_mut())
    }
}

/// All pages of a listing; `fetch` returns the entries of one page and the token of the next.
async fn all_pages<T>(
    mut fetch: impl AsyncFnMut(Option<String>) -> Result<(Vec<T>, Option<String>), Error>,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let mut page = None;
    for _ in 0..MAX_PAGES {
        let (entries, next) = fetch(page.clone()).await?;
        all.extend(entries);
        let next = filled(next);
        if next.is_none() {
            return Ok(all);
        }
        if next == page {
            break;
        }
        page = next;
    }
    Err(Error::unexpected_response("the listing does not end"))
}

fn account(info: AccountInfo) -> Option<Account> {
    let id = AccountId::new(&info.account_id?)?;
    Some(Account { id, name: filled(info.account_name), email: filled(info.email_address) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_start_apart_whoever_makes_them_and_fewer_than_twenty_in_a_second() {
        let now = Instant::now();
        let mut pace = Pace { next: now };
        let starts: Vec<Instant> = (0..100).map(|_| pace.take(now)).collect();
        assert_eq!(starts[0], now);
        for start in &starts {
            let within = starts.iter().filter(|other| *other >= start && **other < *start + Duration::from_secs(1)).count();
            assert!(within < 20, "{within}");
        }
    }

    #[test]
    fn a_throttled_call_holds_all_others_back_too() {
        let now = Instant::now();
        let mut pace = Pace { next: now };
        pace.take(now);
        pace.hold(now + Duration::from_secs(7));
        assert_eq!(pace.take(now), now + Duration::from_secs(7));
        assert_eq!(pace.take(now), now + Duration::from_secs(7) + MIN_INTERVAL);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.take(later), later);
    }
}
