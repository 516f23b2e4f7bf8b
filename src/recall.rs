//! What daypass remembers from one run to the next that is no secret: which roles a portal listed, and how much each was used. It is
//! what the picker shows before any network, and in which order. Touches its own folder only; where that fails, it remembers nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::clock::Deadline;
use crate::file::{self, Lock};
use crate::profile::names::{AccountId, RoleName, Session};

const USES: &str = "uses.json";
const LISTINGS: &str = "roles.json";
const LOCK: &str = "lock";

/// Another process writes a small file: that takes no longer. What is written here is not worth a longer wait.
const PATIENCE: Duration = Duration::from_millis(500);

/// A use counts half as much after so many seconds: two weeks.
const HALF_LIFE: f64 = 14.0 * 86_400.0;

/// What counts less is forgotten: one use after some three months.
const FORGOTTEN: f64 = 0.01;

/// One folder's memory; None where the user has no home.
pub struct Recall {
    folder: Option<PathBuf>,
}

/// A role as a portal listed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub account_name: Option<String>,
    /// The role in it.
    pub role: RoleName,
}

/// The sum of all uses, each halved every [`HALF_LIFE`], as it was at a moment (seconds since 1970).
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Use {
    weight: f64,
    at: i64,
}

/// What one portal listed.
#[derive(Serialize, Deserialize)]
struct Listing {
    start_url: String,
    region: String,
    at: i64,
    accounts: Vec<Account>,
}

#[derive(Serialize, Deserialize)]
struct Account {
    id: String,
    name: Option<String>,
    roles: Vec<String>,
}

impl Use {
    #[allow(clippy::cast_precision_loss)] // Of seconds since 1970 nothing is lost for a long time.
    fn weight_at(self, now: i64) -> f64 {
        // A clock that was put back makes nothing weigh more.
        self.weight * (-(now.saturating_sub(self.at).max(0) as f64) / HALF_LIFE).exp2()
    }
}

impl Recall {
    /// The memory in this folder, which is made when there is something to remember.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// A profile, or `role@account`, was used.
    pub fn used(&self, name: &str, now: OffsetDateTime) {
        let now = now.unix_timestamp();
        self.change(USES, |uses: &mut BTreeMap<String, Use>| {
            let weight = uses.get(name).map_or(0.0, |before| before.weight_at(now)) + 1.0;
            uses.retain(|_, before| before.weight_at(now) >= FORGOTTEN);
            uses.insert(name.to_owned(), Use { weight, at: now });
        });
    }

    /// How much each was used: often and lately weighs most.
    pub fn uses(&self, now: OffsetDateTime) -> BTreeMap<String, f64> {
        let now = now.unix_timestamp();
        let uses: BTreeMap<String, Use> = self.read(USES);
        uses.into_iter().map(|(name, its)| (name, its.weight_at(now))).collect()
    }

    /// A portal listed these roles, and no others. They stand together by account.
    pub fn listed(&self, session: &Session, roles: &[Listed], now: OffsetDateTime) {
        let mut accounts: Vec<Account> = Vec::new();
        for Listed { account, account_name, role } in roles {
            match accounts.last_mut().filter(|last| last.id == account.as_str()) {
                Some(last) => last.roles.push(role.to_string()),
                None => {
                    accounts.push(Account { id: account.to_string(), name: account_name.clone(), roles: vec![role.to_string()] });
                }
            }
        }
        let (start_url, region) = (session.start_url.clone(), session.region.clone());
        self.change(LISTINGS, |listings: &mut Vec<Listing>| {
            listings.retain(|listing| !listing.is_of(session));
            listings.push(Listing { start_url, region, at: now.unix_timestamp(), accounts });
        });
    }

    /// The roles that a portal listed last, and when; None where it is not known.
    pub fn listing(&self, session: &Session) -> Option<(OffsetDateTime, Vec<Listed>)> {
        let listings: Vec<Listing> = self.read(LISTINGS);
        let listing = listings.into_iter().find(|listing| listing.is_of(session))?;
        let at = OffsetDateTime::from_unix_timestamp(listing.at).ok()?;
        let roles = listing.accounts.into_iter().flat_map(|Account { id, name, roles }| {
            let account = AccountId::new(&id);
            roles.into_iter().filter_map(move |role| {
                Some(Listed { account: account.clone()?, account_name: name.clone(), role: RoleName::new(&role).ok()? })
            })
        });
        Some((at, roles.collect()))
    }

    /// Forgets what the portal of this session listed.
    pub fn forget(&self, session: &Session) {
        if self.listing(session).is_some() {
            self.change(LISTINGS, |listings: &mut Vec<Listing>| listings.retain(|listing| !listing.is_of(session)));
        }
    }

    /// What can't be read is nothing: it comes again.
    fn read<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        let bytes = self.folder.as_ref().and_then(|folder| fs::read(folder.join(name)).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    fn change<T: Serialize + DeserializeOwned + Default>(&self, name: &str, change: impl FnOnce(&mut T)) {
        let Some(folder) = &self.folder else { return };
        let write = || -> io::Result<()> {
            file::private_folder(folder)?;
            let _lock = Lock::take(&folder.join(LOCK), Deadline::after(PATIENCE))?.ok_or(io::ErrorKind::TimedOut)?;
            let mut content: T = self.read(name);
            change(&mut content);
            file::replace_private(&folder.join(name), &serde_json::to_vec(&content)?, false)
        };
        if let Err(error) = write() {
            tracing::debug!(%error, folder = %folder.display(), "nothing can be remembered");
        }
    }
}

impl Listing {
    fn is_of(&self, session: &Session) -> bool {
        (&self.start_url, &self.region) == (&session.start_url, &session.region)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn recall() -> (tempfile::TempDir, Recall) {
        let folder = tempfile::tempdir().unwrap();
        let recall = Recall::new(Some(folder.path().join("daypass")));
        (folder, recall)
    }

    fn session(start_url: &str) -> Session {
        Session { name: "corp".into(), start_url: start_url.into(), region: "us-east-1".into(), scopes: Vec::new() }
    }

    fn listed(account: &str, role: &str) -> Listed {
        Listed { account: AccountId::new(account).unwrap(), account_name: Some("Dev".into()), role: RoleName::new(role).unwrap() }
    }

    #[test]
    fn what_is_used_often_and_lately_weighs_most() {
        let (_folder, recall) = recall();
        let weeks = |weeks| NOW + time::Duration::weeks(weeks);
        for (name, at) in [("old", 0), ("old", 0), ("old", 0), ("often", 8), ("often", 8), ("once", 8)] {
            recall.used(name, weeks(at));
        }
        let uses = recall.uses(weeks(8));
        assert!(uses["often"] > uses["once"] && uses["once"] > uses["old"], "{uses:?}");
        assert!((uses["old"] - 3.0 / 16.0).abs() < 1e-9, "{uses:?}");
        // In the end it is gone, and a clock that goes back changes nothing.
        recall.used("once", weeks(30));
        assert_eq!(recall.uses(weeks(29)).into_keys().collect::<Vec<_>>(), ["once"]);
    }

    #[test]
    fn each_portal_has_its_listing_until_it_is_forgotten() {
        let (_folder, recall) = recall();
        let (one, other) = (session("https://one.awsapps.com/start"), session("https://other.awsapps.com/start"));
        let roles = [listed("111122223333", "Admin"), listed("111122223333", "ReadOnly"), listed("444455556666", "Admin")];
        recall.listed(&one, &[listed("999999999999", "Gone")], NOW);
        recall.listed(&one, &roles, NOW);
        recall.listed(&other, &roles[..1], NOW);
        assert_eq!(recall.listing(&one), Some((NOW, roles.to_vec())));
        recall.forget(&one);
        assert_eq!(recall.listing(&one), None);
        assert_eq!(recall.listing(&other), Some((NOW, roles[..1].to_vec())));
    }

    #[test]
    fn a_spoilt_file_is_an_empty_one_and_a_folder_that_can_not_be_made_is_no_error() {
        let (folder, recall) = recall();
        let path = folder.path().join("daypass").join(USES);
        recall.used("dev", NOW);
        for spoilt in [&b"{\"dev\":{\"weight\":null"[..], b"[]", b"", b"\xff", b"{\"dev\":{\"weight\":1e999,\"at\":0}}"] {
            fs::write(&path, spoilt).unwrap();
            assert!(recall.uses(NOW).is_empty(), "{spoilt:?}");
            recall.used("dev", NOW);
            assert_eq!(recall.uses(NOW)["dev"].to_bits(), 1_f64.to_bits());
        }
        let nowhere = Recall::new(Some(path.join("below a file")));
        nowhere.used("dev", NOW);
        assert!(nowhere.uses(NOW).is_empty() && Recall::new(None).uses(NOW).is_empty());
    }

    #[test]
    fn many_at_once_lose_no_use_and_leave_private_files() {
        let (folder, recall) = recall();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| recall.used("dev", NOW)));
            }
        });
        assert_eq!(recall.uses(NOW)["dev"].to_bits(), 20_f64.to_bits());
        #[cfg(unix)]
        for (name, mode) in [("daypass", 0o40700), ("daypass/uses.json", 0o100_600), ("daypass/lock", 0o100_600)] {
            let found = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.path().join(name)).unwrap());
            assert_eq!(found, mode, "{name}: {found:o}");
        }
    }
}
