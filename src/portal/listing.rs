//! Many `ListAccountRoles` at once: several under way, and never more in a second than the portal allows.
//!
//! Unlike the rest of this room it tries again by itself, because one call that is throttled slows the others down too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::transport::{LEAST, within};
use super::{Fault, MOST_PAGES, PAGE, filled};
use crate::clock::{self, Deadline};
use crate::grant::Token;
use crate::profile::names::{AccountId, RoleName};
use crate::secret::Secret;

/// How many calls may be under way.
const AT_ONCE: usize = 8;

/// From one call to the next: the portal throttles at about twenty calls a second.
pub const APART: Duration = Duration::from_millis(60);

/// How often a call is tried that the portal is too busy for.
const TRIES: u32 = 6;

/// The first pause before another try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// When the next call may start. Shared by all that are under way.
#[derive(Debug)]
struct Pace {
    next: Instant,
}

impl Pace {
    /// When a call that is ready now may start.
    fn take(&mut self, now: Instant) -> Instant {
        let start = self.next.max(now);
        self.next = start + APART;
        start
    }

    /// Nobody starts before then.
    fn hold(&mut self, until: Instant) {
        self.next = self.next.max(until);
    }
}

/// What all calls of one listing share.
struct Listing {
    client: aws_sdk_sso::Client,
    token: Secret,
    patience: Duration,
    pace: Mutex<Pace>,
}

impl Listing {
    fn pace<T>(&self, act: impl FnOnce(&mut Pace) -> T) -> T {
        act(&mut self.pace.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One call, in its turn, tried again while the portal is busy and this call's own patience lasts.
    async fn page(&self, account: &AccountId, page: Option<&str>) -> Result<(Vec<RoleName>, Option<String>), Fault> {
        let mut tries = 0;
        let mut deadline = None;
        loop {
            let now = Instant::now();
            clock::pause(self.pace(|pace| pace.take(now)).saturating_duration_since(now)).await;
            let deadline = *deadline.get_or_insert_with(|| Deadline::after(self.patience));
            let request = self
                .client
                .list_account_roles()
                .account_id(account.as_str())
                .access_token(self.token.expose())
                .max_results(PAGE)
                .set_next_token(page.map(str::to_owned));
            let fault = match within(deadline, LEAST, request.send()).await {
                Ok(answer) => {
                    // A name that no role can have could not be asked for either.
                    let roles = answer.role_list.unwrap_or_default().into_iter();
                    let roles = roles.filter_map(|role| RoleName::new(&role.role_name?).ok());
                    return Ok((roles.collect(), filled(answer.next_token)));
                }
                Err(fault) => fault,
            };
            let Fault::Busy(asked, _) = &fault else { return Err(fault) };
            let pause = (PAUSE * 2u32.saturating_pow(tries)).mul_f64(0.5 + fastrand::f64() / 2.0).max(asked.unwrap_or_default());
            tries += 1;
            if tries >= TRIES || pause >= deadline.left() {
                return Err(fault);
            }
            tracing::info!(?fault, ?pause, "the listing pauses");
            self.pace(|pace| pace.hold(Instant::now() + pause));
        }
    }

    async fn roles(&self, account: &AccountId) -> Result<Vec<RoleName>, Fault> {
        let mut all = Vec::new();
        let mut page: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let (roles, next) = self.page(account, page.as_deref()).await?;
            all.extend(roles);
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
}

/// The roles of each of these accounts, in their order. `patience` is for one call; `done` hears how many accounts are done.
pub(super) async fn roles(
    client: aws_sdk_sso::Client,
    token: &Token,
    accounts: &[AccountId],
    patience: Duration,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<Vec<RoleName>>, Fault> {
    let pace = Mutex::new(Pace { next: Instant::now() });
    let listing = Arc::new(Listing { client, token: token.access.clone(), patience, pace });
    let mut found = vec![Vec::new(); accounts.len()];
    let mut waiting = accounts.iter().cloned().enumerate();
    let mut under_way = JoinSet::new();
    let mut count = 0;
    loop {
        while under_way.len() < AT_ONCE
            && let Some((at, account)) = waiting.next()
        {
            let listing = Arc::clone(&listing);
            under_way.spawn(async move { (at, listing.roles(&account).await) });
        }
        // The first failure ends all: those under way end with the set.
        let Some(ended) = under_way.join_next().await else { return Ok(found) };
        let (at, roles) = ended.map_err(|error| Fault::Settings(format!("the listing stopped: {error}")))?;
        if let Some(place) = found.get_mut(at) {
            *place = roles?;
        }
        count += 1;
        done(count);
    }
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
        assert_eq!(pace.take(now), now + Duration::from_secs(7) + APART);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.take(later), later);
    }
}
