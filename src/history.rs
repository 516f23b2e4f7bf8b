//! Records, for the picker, the roles that each portal listed and how often each was used, and how long sign-ins to it lasted. Contains
//! no secrets. Touches its own folder only; errors there are ignored.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::profile::index::AccountRole;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::replacement::Candidate;
use crate::profile::start_url;
use crate::profile::undo::FileUndo;
use crate::sys::clock::Deadline;
use crate::sys::file;
use crate::sys::lock::Lock;

/// One line for each use: seconds since 1970, a blank, the name.
const USES: &str = "uses";
/// The same for regions: the name is account ID, blank, region.
const REGIONS: &str = "regions";
const LISTINGS: &str = "roles.json";
const SIGN_INS: &str = "sign_ins.json";
/// How to take back what `use` made of `[default]`, for each config file.
const DEFAULTS: &str = "defaults.json";
/// What was typed in a set-up that was not completed: a list of one or none.
const SET_UP: &str = "set_up.json";
/// Exists once a key was parked in the keyring.
const PARKED: &str = "parked";
const LOCK: &str = "lock";

/// The size in bytes at which the older half of the uses is deleted. About two thousand lines remain.
const MOST: u64 = 128 * 1024;

/// How long to wait for another process, which only writes a small file.
const PATIENCE: Duration = Duration::from_millis(500);

/// The number of seconds after which a use counts half: two weeks.
const HALF_LIFE: f64 = 14.0 * 86_400.0;

/// How many past portal sessions are kept for each portal. With a change of their length, the estimate follows after as many.
const PAST_SESSIONS: usize = 5;

/// Administrators choose the length of portal sessions; nearly all choose whole hours.
const HOUR: i64 = 3600;

/// The history in one folder; None if the user has no home folder.
pub struct History {
    folder: Option<PathBuf>,
}

/// A role that a portal listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRole {
    /// The account.
    pub account: AccountId,
    /// The account's name.
    pub account_name: Option<String>,
    /// The role.
    pub role: RoleName,
}

/// A `[default]` that daypass wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultProfile {
    /// The profile that it repeats.
    pub profile: String,
    /// How to restore the config file.
    pub undo: FileUndo,
}

/// What was typed and selected in a set-up.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetUp {
    /// The access portal.
    pub start_url: String,
    /// Its region, if that is known.
    pub region: Option<String>,
    /// The roles, as `role@account`.
    pub roles: Vec<String>,
    /// The name of the profile, or the template for the names of several.
    pub names: Option<String>,
}

/// The roles that one portal listed.
#[derive(Serialize, Deserialize)]
struct Listing {
    start_url: String,
    region: String,
    at: i64,
    accounts: Vec<Account>,
}

/// The sign-ins to one portal. Times are in seconds since 1970.
#[derive(Serialize, Deserialize)]
struct SignIns {
    start_url: String,
    region: String,
    /// When the person signed in; None after the end of that session.
    at: Option<i64>,
    /// When the portal last accepted that sign-in.
    seen: i64,
    /// How long earlier sessions lasted, in seconds, the newest last: when the portal last accepted each, and when it rejected it.
    lasted: Vec<(i64, i64)>,
}

#[derive(Serialize, Deserialize)]
struct Account {
    id: String,
    name: Option<String>,
    roles: Vec<String>,
}

impl History {
    /// The history in this folder, which is created by the first write.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Records the use of a profile or of `role@account`, and of a region in an account: small writes, without a lock.
    pub fn used(&self, name: &str, region: Option<(&AccountId, &str)>, now: OffsetDateTime) {
        let region = region.map(|(account, region)| (REGIONS, format!("{account} {region}")));
        self.record(|folder| {
            let mut lines = std::iter::once((USES, name.to_owned())).chain(region);
            lines.try_for_each(|(file, name)| add(&folder.join(file), &name, now))
        });
    }

    /// The weight of each name: frequent and recent uses count most.
    pub fn uses(&self, now: OffsetDateTime) -> BTreeMap<String, f64> {
        self.weights(USES, now)
    }

    /// The region in which each account was used most.
    pub fn regions(&self, now: OffsetDateTime) -> HashMap<AccountId, String> {
        let mut weights: Vec<_> = self.weights(REGIONS, now).into_iter().collect();
        weights.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        // The last one, which weighs most, replaces the others.
        let region = |(name, _): (String, f64)| {
            let (account, region) = name.split_once(' ')?;
            Some((AccountId::new(account)?, region.to_owned()))
        };
        weights.into_iter().filter_map(region).collect()
    }

    #[allow(clippy::cast_precision_loss)] // Seconds since 1970 are exact.
    fn weights(&self, file: &str, now: OffsetDateTime) -> BTreeMap<String, f64> {
        let mut weights = BTreeMap::new();
        for line in String::from_utf8_lossy(&self.read(file)).lines() {
            if let Some((at, name)) = line.split_once(' ')
                && let Ok(at) = at.parse::<i64>()
            {
                // If the clock was set back, nothing weighs more.
                let age = now.unix_timestamp().saturating_sub(at).max(0) as f64;
                *weights.entry(name.to_owned()).or_default() += (-age / HALF_LIFE).exp2();
            }
        }
        weights
    }

    /// Records all roles that a portal listed, grouped by account.
    pub fn listed(&self, session: &Session, roles: &[ListedRole], now: OffsetDateTime) {
        let mut accounts: Vec<Account> = Vec::new();
        for ListedRole { account, account_name, role } in roles {
            match accounts.last_mut().filter(|last| last.id == account.as_str()) {
                Some(last) => last.roles.push(role.to_string()),
                None => {
                    accounts.push(Account { id: account.to_string(), name: account_name.clone(), roles: vec![role.to_string()] });
                }
            }
        }
        let (start_url, region) = (session.start_url.clone(), session.region.clone());
        self.change_listings(|listings| {
            listings.retain(|listing| !listing.belongs_to(session));
            listings.push(Listing { start_url, region, at: now.unix_timestamp(), accounts });
        });
    }

    /// The roles that a portal listed last, and when; None if unknown.
    pub fn listing(&self, session: &Session) -> Option<(OffsetDateTime, Vec<ListedRole>)> {
        let listing = self.listing_of(session)?;
        let at = OffsetDateTime::from_unix_timestamp(listing.at).ok()?;
        Some((at, listing.roles()))
    }

    fn listing_of(&self, session: &Session) -> Option<Listing> {
        self.listings().into_iter().find(|listing| listing.belongs_to(session))
    }

    /// The name of an account, as the session's portal listed it last.
    pub fn account_name(&self, session: &Session, account: &AccountId) -> Option<String> {
        let listing = self.listing_of(session)?;
        listing.accounts.into_iter().find(|listed| listed.id == account.as_str())?.name
    }

    /// The only account of this name that the session's portal listed last.
    pub fn account_called(&self, session: &Session, name: &str) -> Option<AccountId> {
        let listing = self.listing_of(session)?;
        let mut ids = listing.accounts.iter().filter(|account| account.name.as_deref() == Some(name)).map(|account| &*account.id);
        let only = ids.next()?;
        if ids.next().is_none() { AccountId::new(only) } else { None }
    }

    /// The roles that the portals of these sessions listed last, in the order of the sessions.
    pub fn candidates(&self, sessions: &[Session]) -> Vec<Candidate> {
        let listings = self.listings();
        let of = |session: &Session| {
            let listed = listings.iter().find(|listing| listing.belongs_to(session)).map(Listing::roles).unwrap_or_default();
            let session = session.clone();
            listed.into_iter().map(move |ListedRole { account, account_name, role }| Candidate {
                session: session.clone(),
                role: AccountRole { account, role },
                account_name,
            })
        };
        sessions.iter().flat_map(of).collect()
    }

    /// What daypass made of the `[default]` of this config file, if it did.
    pub fn default_profile(&self, path: &str) -> Option<DefaultProfile> {
        self.default_profiles().into_iter().find(|default| default.undo.path == path)
    }

    /// Records what daypass makes of the `[default]` of this config file, or that there is nothing to take back.
    ///
    /// # Errors
    /// Those of writing: without this record it must not be changed.
    pub fn set_default_profile(&self, path: &str, default: Option<DefaultProfile>) -> io::Result<()> {
        let folder = self.folder.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file::private_folder(folder)?;
        file::check_folder(folder)?;
        let others = self.default_profiles().into_iter().filter(|other| other.undo.path != path);
        let all: Vec<DefaultProfile> = others.chain(default).collect();
        file::replace_private(&folder.join(DEFAULTS), &serde_json::to_vec(&all)?, true)
    }

    fn default_profiles(&self) -> Vec<DefaultProfile> {
        serde_json::from_slice(&self.read(DEFAULTS)).unwrap_or_default()
    }

    /// Records that the keyring has the key of a migrated profile, so that commands that need no keyring otherwise do not ask it in vain.
    pub fn parked(&self) {
        self.record(|folder| file::replace_private(&folder.join(PARKED), b"", false));
    }

    /// Whether a key was ever parked.
    pub fn has_parked(&self) -> bool {
        self.folder.as_ref().is_some_and(|folder| folder.join(PARKED).exists())
    }

    /// Keeps what was typed in a set-up until the next one; None if it was completed.
    pub fn keep_set_up(&self, typed: Option<SetUp>) {
        if typed != self.set_up() {
            self.change(SET_UP, |all| *all = typed.into_iter().collect());
        }
    }

    /// What was typed in the last set-up.
    pub fn set_up(&self) -> Option<SetUp> {
        serde_json::from_slice(&self.read(SET_UP)).map(|[only]: [SetUp; 1]| only).ok()
    }

    /// Deletes the list of this session's portal.
    pub fn forget(&self, session: &Session) {
        if self.listing(session).is_some() {
            self.change_listings(|listings| listings.retain(|listing| !listing.belongs_to(session)));
        }
    }

    /// Records that a person has signed in.
    pub fn signed_in(&self, session: &Session, now: OffsetDateTime) {
        let at = now.unix_timestamp();
        let (start_url, region) = (session.start_url.clone(), session.region.clone());
        self.change(SIGN_INS, |all: &mut Vec<SignIns>| match all.iter_mut().find(|own| own.belong_to(session)) {
            Some(own) => (own.at, own.seen) = (Some(at), at),
            None => all.push(SignIns { start_url, region, at: Some(at), seen: at, lasted: Vec::new() }),
        });
    }

    /// Records that the portal has accepted the sign-in, to the minute.
    pub fn session_seen(&self, session: &Session, now: OffsetDateTime) {
        let now = now.unix_timestamp();
        if self.sign_ins().iter().any(|own| own.belong_to(session) && own.seen + 60 <= now) {
            self.change_sign_ins(session, |own| own.seen = own.seen.max(now));
        }
    }

    /// Records that the portal has rejected the sign-in because its session is over.
    pub fn session_ended(&self, session: &Session, now: OffsetDateTime) {
        self.change_sign_ins(session, |own| {
            if let Some(at) = own.at.take() {
                own.lasted.push((own.seen - at, now.unix_timestamp() - at));
                own.lasted.drain(..own.lasted.len().saturating_sub(PAST_SESSIONS));
            }
        });
    }

    /// Records that the person has signed out, which says nothing about how long a session can last.
    pub fn signed_out(&self, session: &Session) {
        self.change_sign_ins(session, |own| own.at = None);
    }

    /// When the person signed in; None if that is not known.
    pub fn signed_in_at(&self, session: &Session) -> Option<OffsetDateTime> {
        let own = self.sign_ins().into_iter().find(|own| own.belong_to(session))?;
        OffsetDateTime::from_unix_timestamp(own.at?).ok()
    }

    /// About when the portal session will end, by how long earlier ones lasted; None if none of them has ended yet.
    pub fn session_end(&self, session: &Session) -> Option<OffsetDateTime> {
        let own = self.sign_ins().into_iter().find(|own| own.belong_to(session))?;
        let length = own.length()?;
        OffsetDateTime::from_unix_timestamp(own.at?.checked_add(length)?).ok()
    }

    fn listings(&self) -> Vec<Listing> {
        serde_json::from_slice(&self.read(LISTINGS)).unwrap_or_default()
    }

    fn sign_ins(&self) -> Vec<SignIns> {
        serde_json::from_slice(&self.read(SIGN_INS)).unwrap_or_default()
    }

    fn change_listings(&self, change: impl FnOnce(&mut Vec<Listing>)) {
        self.change(LISTINGS, change);
    }

    /// Changes what is known about the sign-ins of this session's portal, if the person has signed in to it.
    fn change_sign_ins(&self, session: &Session, change: impl FnOnce(&mut SignIns)) {
        if self.signed_in_at(session).is_some() {
            self.change(SIGN_INS, |all: &mut Vec<SignIns>| {
                all.iter_mut().find(|own| own.belong_to(session)).map(change);
            });
        }
    }

    /// Changes the entries of a file, under the lock.
    fn change<T: Serialize + DeserializeOwned>(&self, name: &str, change: impl FnOnce(&mut Vec<T>)) {
        self.record(|folder| {
            let _lock = Lock::take(&folder.join(LOCK), Deadline::after(PATIENCE))?.ok_or(io::ErrorKind::TimedOut)?;
            let mut entries = serde_json::from_slice(&self.read(name)).unwrap_or_default();
            change(&mut entries);
            file::replace_private(&folder.join(name), &serde_json::to_vec(&entries)?, false)
        });
    }

    /// The content of a file; empty if it is unreadable.
    fn read(&self, name: &str) -> Vec<u8> {
        self.folder.as_ref().and_then(|folder| fs::read(folder.join(name)).ok()).unwrap_or_default()
    }

    /// Writes into the folder, which is created if it is missing.
    fn record(&self, write: impl FnOnce(&Path) -> io::Result<()>) {
        let Some(folder) = &self.folder else { return };
        let checked = file::private_folder(folder).and_then(|()| file::check_folder(folder));
        if let Err(error) = checked.and_then(|()| write(folder)) {
            log::debug!("the history can't be written in {}: {error}", folder.display());
        }
    }
}

/// Appends a line; the older half of a file that has become large is deleted.
fn add(path: &Path, name: &str, now: OffsetDateTime) -> io::Result<()> {
    let mut file = open_uses(path)?;
    if file.metadata()?.len() > MOST {
        let all = fs::read(path)?;
        let newer = all.get(all.len() / 2..).unwrap_or_default();
        let whole = newer.iter().position(|&byte| byte == b'\n').map_or(newer.len(), |at| at + 1);
        file::replace_private(path, newer.get(whole..).unwrap_or_default(), false)?;
        file = open_uses(path)?;
    }
    file.write_all(format!("{} {}\n", now.unix_timestamp(), name.replace('\n', " ")).as_bytes())
}

fn open_uses(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl SignIns {
    fn belong_to(&self, session: &Session) -> bool {
        self.region == session.region && start_url::is_same(&self.start_url, &session.start_url)
    }

    /// The length of a portal session in seconds, as far as the past tells: at least as long as any was accepted, because sessions can
    /// also end early (the person signed out in the browser, or had signed in there before); and a whole number of hours, if that fits.
    fn length(&self) -> Option<i64> {
        let longest = self.lasted.iter().max_by_key(|(seen, _)| *seen)?;
        let current = self.at.map_or(0, |at| self.seen - at);
        let least = longest.0.max(current).max(1);
        let most = self.lasted.iter().map(|(_, rejected)| *rejected).filter(|rejected| *rejected >= least).min()?;
        let hours = (least + HOUR - 1) / HOUR * HOUR;
        Some(if hours <= most { hours } else { most })
    }
}

impl Listing {
    fn belongs_to(&self, session: &Session) -> bool {
        self.region == session.region && start_url::is_same(&self.start_url, &session.start_url)
    }

    fn roles(&self) -> Vec<ListedRole> {
        let roles = self.accounts.iter().flat_map(|Account { id, name, roles }| {
            let account = AccountId::new(id);
            roles.iter().filter_map(move |role| {
                Some(ListedRole { account: account.clone()?, account_name: name.clone(), role: RoleName::new(role).ok()? })
            })
        });
        roles.collect()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn history() -> (tempfile::TempDir, History) {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(Some(folder.path().join("daypass")));
        (folder, history)
    }

    fn session(start_url: &str) -> Session {
        Session { name: "corp".into(), start_url: start_url.into(), region: "us-east-1".into(), scopes: Vec::new() }
    }

    fn listed(account: &str, role: &str) -> ListedRole {
        ListedRole {
            account: AccountId::new(account).unwrap(),
            account_name: Some("Dev".into()),
            role: RoleName::new(role).unwrap(),
        }
    }

    #[test]
    fn frequent_and_recent_uses_weigh_most() {
        let (_folder, history) = history();
        let weeks = |weeks| NOW + time::Duration::weeks(weeks);
        for (name, at) in [("old", 0), ("old", 0), ("old", 0), ("often", 8), ("often", 8), ("once", 8)] {
            history.used(name, None, weeks(at));
        }
        let uses = history.uses(weeks(8));
        assert!(uses["often"] > uses["once"] && uses["once"] > uses["old"], "{uses:?}");
        assert!((uses["old"] - 3.0 / 16.0).abs() < 1e-9, "{uses:?}");
        // If the clock was set back, nothing weighs more.
        assert!(history.uses(weeks(-9)).values().all(|&weight| weight <= 3.0));
    }

    #[test]
    fn the_region_of_an_account_is_the_one_used_most() {
        let (_folder, history) = history();
        let (one, other) = (AccountId::new("111122223333").unwrap(), AccountId::new("444455556666").unwrap());
        for (account, region) in [(&one, "eu-west-1"), (&one, "us-east-1"), (&one, "eu-west-1"), (&other, "us-east-1")] {
            history.used("dev", Some((account, region)), NOW);
        }
        let regions = history.regions(NOW);
        assert_eq!((regions.len(), &*regions[&one], &*regions[&other]), (2, "eu-west-1", "us-east-1"));
    }

    #[test]
    fn each_portal_has_its_own_listing_until_it_is_deleted() {
        let (_folder, history) = history();
        let (one, other) = (session("https://one.awsapps.com/start"), session("https://other.awsapps.com/start"));
        let roles = [listed("111122223333", "Admin"), listed("111122223333", "ReadOnly"), listed("444455556666", "Admin")];
        history.listed(&one, &[listed("999999999999", "Gone")], NOW);
        history.listed(&one, &roles, NOW);
        history.listed(&other, &roles[..1], NOW);
        assert_eq!(history.listing(&one), Some((NOW, roles.to_vec())));
        assert_eq!(history.listing(&session("https://one.awsapps.com/start/")), Some((NOW, roles.to_vec())));
        assert_eq!(history.account_name(&one, &roles[0].account).as_deref(), Some("Dev"));
        // Two accounts of the first portal have this name.
        assert_eq!(history.account_called(&one, "Dev"), None);
        assert_eq!(history.account_called(&other, "Dev"), Some(roles[0].account.clone()));
        let sessions = [other.clone(), session("https://third.awsapps.com/start"), one.clone()];
        let candidates: Vec<_> = history.candidates(&sessions).into_iter().map(|found| (found.session, found.role.role)).collect();
        let expected = [(&other, "Admin"), (&one, "Admin"), (&one, "ReadOnly"), (&one, "Admin")];
        assert_eq!(candidates, expected.map(|(session, role)| (session.clone(), RoleName::new(role).unwrap())));
        history.forget(&one);
        assert_eq!(history.listing(&one), None);
        assert_eq!(history.listing(&other), Some((NOW, roles[..1].to_vec())));
    }

    #[test]
    fn the_end_of_a_session_is_learned_from_earlier_ones() {
        let (_folder, history) = history();
        let corp = session("https://corp.awsapps.com/start");
        let after = |hours: f64| NOW + time::Duration::seconds_f64(hours * 3600.0);
        // (signed in, last accepted, rejected) and the estimate for a sign-in right after, in hours.
        let mut start = 0.0;
        for (seen, rejected, expected) in [
            (7.5, 16.0, 8.0),
            // A sign-out in the browser: no session that is shorter changes the estimate.
            (1.0, 1.2, 8.0),
            (7.9, 8.1, 8.0),
            // Not a whole hour.
            (8.2, 8.4, 8.4),
        ] {
            history.signed_in(&corp, after(start));
            history.session_seen(&corp, after(start + seen));
            history.session_ended(&corp, after(start + rejected));
            assert_eq!((history.signed_in_at(&corp), history.session_end(&corp)), (None, None));
            start += 100.0;
            history.signed_in(&corp, after(start));
            assert_eq!(history.signed_in_at(&corp), Some(after(start)));
            let end = history.session_end(&corp).unwrap() - after(start);
            assert!((end.as_seconds_f64() / 3600.0 - expected).abs() < 0.001, "{seen} {rejected}: {end}");
        }
        assert_eq!(history.session_end(&session("https://other.awsapps.com/start")), None);
        // A session that outlasts all earlier ones says so itself.
        history.session_seen(&corp, after(start + 17.0));
        assert_eq!(history.session_end(&corp), None);
        history.signed_out(&corp);
        history.session_ended(&corp, after(start + 9.5));
        history.signed_in(&corp, after(start + 100.0));
        assert!(history.session_end(&corp).unwrap() < after(start + 108.5), "a sign-out is not the end of a session's life");
    }

    #[test]
    fn earlier_lengths_are_forgotten_after_a_change() {
        let (_folder, history) = history();
        let corp = session("https://corp.awsapps.com/start");
        for (day, hours) in [12, 4, 4, 4, 4, 4].into_iter().enumerate() {
            let start = NOW + time::Duration::days(day.try_into().unwrap());
            history.signed_in(&corp, start);
            history.session_seen(&corp, start + time::Duration::hours(hours) - time::Duration::MINUTE);
            history.session_ended(&corp, start + time::Duration::hours(hours) + time::Duration::MINUTE);
        }
        let start = NOW + time::Duration::days(9);
        history.signed_in(&corp, start);
        assert_eq!(history.session_end(&corp), Some(start + time::Duration::hours(4)));
    }

    #[test]
    fn damaged_lines_are_skipped_and_an_impossible_folder_is_no_error() {
        let (folder, history) = history();
        let path = folder.path().join("daypass").join(USES);
        history.used("a\nb", None, NOW);
        for damaged in ["\n", "x\n", "1e999 x\n", "99999999999999999999 x\n", "\u{0}\n", "1"] {
            fs::write(&path, fs::read_to_string(&path).unwrap() + damaged).unwrap();
        }
        history.used("lost with the damaged line", None, NOW);
        fs::write(&path, [fs::read(&path).unwrap(), b"\xff\n".to_vec()].concat()).unwrap();
        history.used("c", None, NOW);
        let uses = history.uses(NOW);
        assert!(uses["a b"] > 0.9 && uses["c"] > 0.9, "{uses:?}");
        let portal = session("https://one.awsapps.com/start");
        fs::write(folder.path().join("daypass").join(LISTINGS), "[{\"start_url\":").unwrap();
        assert_eq!(history.listing(&portal), None);
        history.listed(&portal, &[listed("111122223333", "Admin")], NOW);
        assert!(history.listing(&portal).is_some());
        let nowhere = History::new(Some(path.join("below a file")));
        nowhere.used("dev", None, NOW);
        assert!(nowhere.uses(NOW).is_empty() && History::new(None).uses(NOW).is_empty());
    }

    #[test]
    fn the_older_half_of_many_uses_is_deleted() {
        let (folder, history) = history();
        let path = folder.path().join("daypass").join(USES);
        history.used("first", None, NOW);
        fs::write(&path, fs::read_to_string(&path).unwrap() + &"1767225600 many\n".repeat(10_000)).unwrap();
        history.used("last", None, NOW);
        let uses = history.uses(NOW);
        assert!(uses.contains_key("last") && uses.contains_key("many") && !uses.contains_key("first"));
        assert!(fs::metadata(&path).unwrap().len() < MOST);
    }

    #[test]
    fn concurrent_writers_lose_no_use_and_the_file_is_private() {
        let (folder, history) = history();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| history.used("dev", None, NOW)));
            }
        });
        assert!((history.uses(NOW)["dev"] - 20.0).abs() < 1e-9);
        #[cfg(not(unix))]
        drop(folder);
        #[cfg(unix)]
        for (name, mode) in [("daypass", 0o40700), ("daypass/uses", 0o100_600)] {
            let found = std::os::unix::fs::MetadataExt::mode(&fs::metadata(folder.path().join(name)).unwrap());
            assert_eq!(found, mode, "{name}: {found:o}");
        }
    }
}
