//! Decides the next step for a parked key: deactivate, wait, delete. Touches nothing.
//!
//! A key is deactivated before it is deleted, because only the former can be undone. A use after the migration means that something
//! else still needs the key: reading the key's last use is the only way to know. Zero use is no reason to skip the wait (IAM user guide,
//! "Update access keys").

use time::{Duration, OffsetDateTime};

use crate::iam::LastUse;

/// What AWS knows about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It works.
    Active,
    /// It was deactivated.
    Inactive,
    /// There is no such key any more.
    Deleted,
    /// It belongs to the root user of the account.
    Root,
    /// Nobody who may be asked can tell.
    Unknown,
}

/// Who can change the key at AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The role that replaces the key.
    Role,
    /// The key itself: it can deactivate itself, and nothing after that.
    Key,
    /// Neither: an administrator has to.
    Administrator,
}

/// All that the decision depends on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The key at AWS.
    pub status: Status,
    /// Its last use, if it was ever used and that is known.
    pub last_use: Option<LastUse>,
    /// Whether a profile still contains it: the migration was interrupted or undone.
    pub in_files: bool,
    /// When it was parked.
    pub parked_at: OffsetDateTime,
    /// Since when it is known to be inactive.
    pub inactive_since: Option<OffsetDateTime>,
    /// Who can change it.
    pub caller: Caller,
    /// The time of the decision.
    pub now: OffsetDateTime,
    /// How long it must be inactive before it is deleted.
    pub wait: Duration,
    /// Whether the user accepts that something else uses the key.
    pub force: bool,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The profile still contains the key: migrate it again.
    Migrate,
    /// Something used the key after the migration: find it first.
    InUse(LastUse),
    /// Deactivate it. The caller is [`Caller::Role`] or [`Caller::Key`].
    Deactivate(Caller),
    /// It is inactive, and nobody recorded since when: the wait begins now.
    StartWaiting,
    /// Wait until this date.
    Wait(OffsetDateTime),
    /// Delete it, as the role.
    Delete,
    /// It does not exist any more: only the parked secret is left to delete.
    Forget,
    /// Only an administrator can deactivate it.
    AskToDeactivate,
    /// Only an administrator can delete it.
    AskToDelete,
    /// A root user's key, which daypass never touches.
    RootConsole,
}

/// Decides the next step.
pub fn next(facts: &Facts) -> Step {
    let Facts { status, last_use, in_files, parked_at, inactive_since, caller, now, wait, force } = facts;
    match status {
        Status::Root => return Step::RootConsole,
        Status::Deleted if !in_files => return Step::Forget,
        Status::Active | Status::Unknown | Status::Inactive | Status::Deleted => {}
    }
    if *in_files {
        return Step::Migrate;
    }
    // Who deactivated a key itself need not be allowed to look at it.
    if *status == Status::Inactive || *status == Status::Unknown && inactive_since.is_some() {
        let Some(since) = inactive_since else { return Step::StartWaiting };
        let until = since.saturating_add(*wait);
        return match caller {
            _ if *now < until => Step::Wait(until),
            Caller::Role => Step::Delete,
            Caller::Key | Caller::Administrator => Step::AskToDelete,
        };
    }
    if let Some(last_use) = last_use.as_ref().filter(|last_use| last_use.at > *parked_at && !force) {
        return Step::InUse(last_use.clone());
    }
    match caller {
        Caller::Administrator => Step::AskToDeactivate,
        caller => Step::Deactivate(*caller),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const PARKED: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);
    const DAY: Duration = Duration::days(1);

    fn used(at: OffsetDateTime) -> LastUse {
        LastUse { at, service: "s3".into(), region: "eu-west-1".into() }
    }

    fn facts(status: Status, caller: Caller) -> Facts {
        Facts {
            status,
            last_use: Some(used(PARKED - DAY)),
            in_files: false,
            parked_at: PARKED,
            inactive_since: None,
            caller,
            now: PARKED + 30 * DAY,
            wait: 14 * DAY,
            force: false,
        }
    }

    #[test]
    fn every_row_of_the_table_has_its_step() {
        use Caller::{Administrator, Key, Role};
        use Status::{Active, Deleted, Inactive, Root, Unknown};
        let late = PARKED + DAY;
        let since = |days: i64| Some(PARKED + 30 * DAY - Duration::days(days));
        let with = |status, caller, change: &dyn Fn(&mut Facts)| {
            let mut facts = facts(status, caller);
            change(&mut facts);
            facts
        };
        let plain = |_: &mut Facts| {};
        let rows: Vec<(Facts, Step)> = vec![
            (with(Active, Role, &plain), Step::Deactivate(Role)),
            (with(Active, Key, &plain), Step::Deactivate(Key)),
            (with(Active, Administrator, &plain), Step::AskToDeactivate),
            (with(Active, Role, &|f| f.last_use = None), Step::Deactivate(Role)),
            (with(Active, Role, &|f| f.last_use = Some(used(PARKED))), Step::Deactivate(Role)),
            (with(Active, Role, &|f| f.last_use = Some(used(late))), Step::InUse(used(late))),
            (with(Active, Key, &|f| f.last_use = Some(used(late))), Step::InUse(used(late))),
            (with(Active, Administrator, &|f| f.last_use = Some(used(late))), Step::InUse(used(late))),
            (with(Active, Role, &|f| (f.last_use, f.force) = (Some(used(late)), true)), Step::Deactivate(Role)),
            // Reactivated by someone: an old date does not count.
            (with(Active, Role, &|f| f.inactive_since = since(20)), Step::Deactivate(Role)),
            (with(Unknown, Key, &plain), Step::Deactivate(Key)),
            (with(Unknown, Role, &plain), Step::Deactivate(Role)),
            (with(Unknown, Administrator, &plain), Step::AskToDeactivate),
            (with(Unknown, Key, &|f| f.inactive_since = since(13)), Step::Wait(PARKED + 31 * DAY)),
            (with(Unknown, Key, &|f| f.inactive_since = since(14)), Step::AskToDelete),
            (with(Inactive, Role, &plain), Step::StartWaiting),
            (with(Inactive, Administrator, &plain), Step::StartWaiting),
            (with(Inactive, Role, &|f| f.inactive_since = since(13)), Step::Wait(PARKED + 31 * DAY)),
            (with(Inactive, Role, &|f| f.inactive_since = since(14)), Step::Delete),
            (with(Inactive, Role, &|f| (f.inactive_since, f.wait) = (since(0), Duration::ZERO)), Step::Delete),
            (with(Inactive, Role, &|f| (f.inactive_since, f.last_use) = (since(14), Some(used(late)))), Step::Delete),
            (with(Inactive, Key, &|f| f.inactive_since = since(14)), Step::AskToDelete),
            (with(Inactive, Administrator, &|f| f.inactive_since = since(14)), Step::AskToDelete),
            (
                with(Inactive, Role, &|f| (f.inactive_since, f.wait) = (since(14), Duration::MAX)),
                Step::Wait(PARKED.saturating_add(Duration::MAX)),
            ),
            (with(Deleted, Role, &plain), Step::Forget),
            (with(Deleted, Administrator, &plain), Step::Forget),
            (with(Deleted, Role, &|f| f.in_files = true), Step::Migrate),
            (with(Active, Role, &|f| f.in_files = true), Step::Migrate),
            (with(Inactive, Role, &|f| (f.in_files, f.inactive_since) = (true, since(20))), Step::Migrate),
            (with(Root, Role, &plain), Step::RootConsole),
            (with(Root, Role, &|f| (f.in_files, f.force) = (true, true)), Step::RootConsole),
        ];
        for (facts, step) in rows {
            assert_eq!(next(&facts), step, "{facts:?}");
        }
    }
}
