//! Lists accounts and roles (`ListAccounts`, `ListAccountRoles`): all pages, several accounts at once, within the portal's rate limit.
//! Touches the network.
//!
//! Unlike the rest of this module it retries, because one throttled call must slow down all others.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use aws_sdk_sso::Client as PortalClient;
use aws_sdk_sso::types::AccountInfo;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::task::{JoinSet, LocalSet};

use super::error::Error;
use super::types::{Account, AccountRoles};
use crate::aws::{self, LastExchange, MIN_ATTEMPT, Temporary, backoff, filled, within};
use crate::credentials::Token;
use crate::profile::names::{AccountId, RoleName};
use crate::secret::Secret;
use crate::sys::clock::{self, Deadline};

/// Identity Center lists at most 100 entries a page.
const PAGE_SIZE: i32 = 100;

/// The limit for a listing that does not end: ten times the largest organisation that AWS allows.
const MAX_PAGES: usize = 1000;

/// How many calls may run at once.
const CONCURRENT_CALLS: usize = 8;

/// The time from the start of one call to the start of the next. The portal throttles at about twenty calls a second.
pub const MIN_INTERVAL: Duration = Duration::from_millis(60);

/// How often a throttled call is attempted.
const MAX_ATTEMPTS: u32 = 6;

/// The first pause before a retry.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// When the next call may start. All calls of a listing share it.
#[derive(Debug)]
struct RateLimiter {
    next: Instant,
}

impl RateLimiter {
    /// Reserves the time at which a call that is ready now may start.
    fn reserve(&mut self, now: Instant) -> Instant {
        let start = self.next.max(now);
        self.next = start + MIN_INTERVAL;
        start
    }

    /// Lets no call start before then.
    fn delay(&mut self, until: Instant) {
        self.next = self.next.max(until);
    }
}

/// A listing.
pub(super) struct Listing {
    client: PortalClient,
    last: LastExchange,
    token: Secret,
    timeout: Duration,
    limiter: RefCell<RateLimiter>,
}

impl Listing {
    /// `timeout` is for each page.
    pub(super) fn new(client: &aws::Client, portal: PortalClient, token: &Token, timeout: Duration) -> Self {
        let limiter = RefCell::new(RateLimiter { next: Instant::now() });
        Self { client: portal, last: client.last().clone(), token: token.access.clone(), timeout, limiter }
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

    /// The roles of each of these accounts, in their order. `done` gets the number of accounts that are done. An account that the portal
    /// refuses does not end the listing.
    pub(super) async fn roles_of(self, accounts: &[AccountId], done: &mut dyn FnMut(usize)) -> Result<Vec<AccountRoles>, Error> {
        let listing = Rc::new(self);
        let mut found: Vec<AccountRoles> = vec![Ok(Vec::new()); accounts.len()];
        let mut waiting = accounts.iter().cloned().enumerate();
        let mut running = JoinSet::new();
        let mut count = 0;
        let all = async {
            loop {
                while running.len() < CONCURRENT_CALLS
                    && let Some((at, account)) = waiting.next()
                {
                    let listing = Rc::clone(&listing);
                    running.spawn_local(async move { (at, listing.roles(&account).await) });
                }
                // The first error ends the listing; dropping the set cancels the calls under way.
                let Some(ended) = running.join_next().await else { return Ok(found) };
                let (at, roles) =
                    ended.map_err(|error| Error::InvalidSettings(format!("can't list accounts and roles: {error}")))?;
                if let Some(slot) = found.get_mut(at) {
                    *slot = match roles {
                        Err(Error::Forbidden(why)) => Err(why),
                        other => Ok(other?),
                    };
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

    /// One rate-limited call, retried while the portal throttles it and the time-out of the page allows it.
    async fn call<T, E, F>(&self, request: impl Fn() -> F) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut retries = 0;
        let mut deadline = None;
        loop {
            let now = Instant::now();
            clock::pause(self.limiter(|limiter| limiter.reserve(now)).saturating_duration_since(now)).await;
            let deadline = *deadline.get_or_insert_with(|| Deadline::after(self.timeout));
            let (error, asked) = match within(&self.last, deadline, MIN_ATTEMPT, request()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => match error.pause() {
                    Some(asked) => (error, asked),
                    None => return Err(error.into()),
                },
            };
            let pause = backoff(FIRST_PAUSE, retries).max(asked);
            retries += 1;
            if retries >= MAX_ATTEMPTS || pause >= deadline.left() {
                return Err(error.into());
            }
            log::info!("the listing is delayed by {pause:?}: {error:?}");
            self.limiter(|limiter| limiter.delay(Instant::now() + pause));
        }
    }

    fn limiter<T>(&self, act: impl FnOnce(&mut RateLimiter) -> T) -> T {
        act(&mut self.limiter.borrow_mut())
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
    fn fewer_than_twenty_calls_start_in_a_second() {
        let now = Instant::now();
        let mut limiter = RateLimiter { next: now };
        let starts: Vec<Instant> = (0..100).map(|_| limiter.reserve(now)).collect();
        assert_eq!(starts[0], now);
        for start in &starts {
            let within = starts.iter().filter(|other| *other >= start && **other < *start + Duration::from_secs(1)).count();
            assert!(within < 20, "{within}");
        }
    }

    #[test]
    fn a_throttled_call_delays_all_others() {
        let now = Instant::now();
        let mut limiter = RateLimiter { next: now };
        limiter.reserve(now);
        limiter.delay(now + Duration::from_secs(7));
        assert_eq!(limiter.reserve(now), now + Duration::from_secs(7));
        assert_eq!(limiter.reserve(now), now + Duration::from_secs(7) + MIN_INTERVAL);
        let later = now + Duration::from_mins(1);
        assert_eq!(limiter.reserve(later), later);
    }
}
