//! Lists the accounts and roles of a session for the commands: all or none, sorted, with a line of progress.

use crate::broker::Broker;
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::error::{Error, Exit, Result};
use crate::history::ListedRole;
use crate::portal::Account;
use crate::profile::index::AccountRole;
use crate::profile::names::{AccountId, Session};
use crate::sys::clock;
use crate::ui::progress::Progress;

/// One role in one account.
#[derive(Debug, Clone)]
pub(super) struct Reachable {
    pub(super) account: Account,
    pub(super) role: AccountRole,
}

/// The accounts sorted by name, those without a name last, like the AWS CLI.
pub(super) fn accounts(broker: &Broker<'_>) -> Result<Vec<Account>> {
    let mut accounts = broker.accounts(COMMAND_TIMEOUT)?;
    accounts.sort_by(|a, b| (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id)));
    accounts.dedup_by(|a, b| a.id == b.id);
    Ok(accounts)
}

/// All roles in these accounts, in the order of the accounts, then by name.
pub(super) fn roles_in(context: &Context, broker: &Broker<'_>, accounts: &[Account]) -> Result<Vec<Reachable>> {
    let progress = Progress::new(context.interaction.quiet || !context.env.moves_cursor());
    let of = accounts.len();
    let show = |done: usize| progress.show(&format!("Listing roles: {done} of {of} accounts"));
    show(0);
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
    let roles = broker.roles_of(&ids, COMMAND_TIMEOUT, &mut |done| show(done))?;
    let mut all = Vec::new();
    for (account, mut roles) in accounts.iter().zip(roles) {
        roles.sort();
        roles.dedup();
        all.extend(
            roles
                .into_iter()
                .map(|role| Reachable { account: account.clone(), role: AccountRole { account: account.id.clone(), role } }),
        );
    }
    Ok(all)
}

/// All roles of a session, which are recorded for the picker.
pub(super) fn all(context: &Context, session: &Session, broker: &Broker<'_>) -> Result<Vec<Reachable>> {
    let all = roles_in(context, broker, &accounts(broker)?)?;
    remember(context, session, &all);
    Ok(all)
}

/// Records all roles of the session for the picker, which shows them without asking the portal.
pub(super) fn remember(context: &Context, session: &Session, all: &[Reachable]) {
    let listed = |Reachable { account, role }: &Reachable| ListedRole {
        account: role.account.clone(),
        account_name: account.name.clone(),
        role: role.role.clone(),
    };
    context.history().listed(session, &all.iter().map(listed).collect::<Vec<_>>(), clock::now());
}

/// The error for a user without any role.
pub(super) fn nothing_reachable(session: &str) -> Error {
    Error::new(
        Exit::Refused,
        format!("{session} gives you no access to any account"),
        "ask your administrator for an assignment in IAM Identity Center",
    )
}
