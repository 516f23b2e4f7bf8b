//! Lists the accounts and roles of a session for the commands: all or none, sorted, with a line of progress.

use crate::broker::Broker;
use crate::context::{COMMAND_TIMEOUT, Context, OnBehalf};
use crate::error::{Error, Exit, Result};
use crate::history::ListedRole;
use crate::portal::Account;
use crate::profile::index::AccountRole;
use crate::profile::names::{AccountId, Session};
use crate::sys::clock;
use crate::text;
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

/// The result of a listing.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) roles: Vec<Reachable>,
    /// The accounts whose roles the portal refuses to list, such as suspended ones.
    pub(super) refused: Vec<AccountId>,
}

/// All roles in these accounts, in the order of the accounts, then by name. Accounts that the portal refuses are left out with a warning.
///
/// # Errors
/// [`Exit::Refused`] if the portal refuses all of them.
pub(super) fn roles_in(context: &Context, broker: &Broker<'_>, accounts: &[Account]) -> Result<Listed> {
    let progress = Progress::new(context.interaction.quiet || !context.env.moves_cursor());
    let of = accounts.len();
    let show = |done: usize| progress.show(&format!("Listing roles: {done} of {of} accounts"));
    show(0);
    let ids: Vec<AccountId> = accounts.iter().map(|account| account.id.clone()).collect();
    let roles = broker.roles_of(&ids, COMMAND_TIMEOUT, &mut |done| show(done))?;
    drop(progress);
    let mut listed = Listed::default();
    for (account, roles) in accounts.iter().zip(roles) {
        let mut roles = match roles {
            Ok(roles) => roles,
            Err(why) => {
                let what = format!("the portal refuses to list the roles in account {}: {why}", account.id);
                listed.refused.push(account.id.clone());
                if listed.refused.len() == of {
                    let hint = format!("ask your administrator whether account {} is suspended or closed", account.id);
                    return Err(Error::new(Exit::Refused, what, hint));
                }
                context.tell(&format!("warning: {}", text::clean(&what)));
                continue;
            }
        };
        roles.sort();
        roles.dedup();
        listed.roles.extend(
            roles
                .into_iter()
                .map(|role| Reachable { account: account.clone(), role: AccountRole { account: account.id.clone(), role } }),
        );
    }
    Ok(listed)
}

/// All roles of a session, which are recorded for the picker. If sign-in is required, it is offered on the terminal.
pub(super) fn all(context: &Context, session: &Session, broker: &Broker<'_>) -> Result<Listed> {
    context.offering_sign_in(OnBehalf::of(session), || all_unattended(context, session, broker))
}

/// The same, without an offer to sign in.
pub(super) fn all_unattended(context: &Context, session: &Session, broker: &Broker<'_>) -> Result<Listed> {
    let listed = accounts(broker).and_then(|accounts| roles_in(context, broker, &accounts));
    context.note_portal_session(session, broker);
    let listed = listed?;
    remember(context, session, &listed.roles);
    Ok(listed)
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
        "ask your administrator to assign you an account and a permission set in IAM Identity Center",
    )
}
