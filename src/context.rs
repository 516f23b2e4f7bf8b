//! What a verb can reach: the environment, the vault, a broker for a session, the person. Each is opened when it is first asked for.

use std::cell::OnceCell;
use std::time::Duration;

use crate::broker::{Broker, Locks};
use crate::credentials::RoleCredentials;
use crate::error::{Error, Result};
use crate::history::History;
use crate::portal::{self, Portal};
use crate::profile::names::{AccountId, Session};
use crate::profile::request::Account;
use crate::profile::resolve::RoleTarget;
use crate::sys::clock::Deadline;
use crate::sys::env::Env;
use crate::ui::picker::TerminalCapabilities;
use crate::ui::table;
use crate::ui::terminal::{self, Interaction};
use crate::vault::Vault;

/// How long a command that a person waits for may take, once nobody has to be asked anything.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The context of one run.
pub struct Context {
    /// The environment.
    pub env: Env,
    /// How much is printed for people, and whether they may be prompted.
    pub interaction: Interaction,
    /// The definition of the whole command line, for help and manual pages.
    pub definition: fn() -> clap::Command,
    vault: OnceCell<Vault>,
}

impl Context {
    /// Opens nothing.
    pub fn new(env: Env, interaction: Interaction, definition: fn() -> clap::Command) -> Self {
        Self { env, interaction, definition, vault: OnceCell::new() }
    }

    /// The vault that `DAYPASS_KEYRING` chooses.
    pub fn vault(&self) -> Result<&Vault> {
        if self.vault.get().is_none() {
            let vault = Vault::open(&self.env)?;
            return Ok(self.vault.get_or_init(|| vault));
        }
        self.vault.get().ok_or_else(|| Error::failed("the vault can't be opened", "try again"))
    }

    /// The broker of a session; the profile is the one whose endpoint settings count.
    pub fn broker<'a>(&'a self, session: &'a Session, profile: Option<&str>) -> Result<Broker<'a>> {
        let settings = portal::Settings {
            region: session.region.clone(),
            start_url: session.start_url.clone(),
            profile: profile.or(self.env.profile()).map(str::to_owned),
            env: self.env.clone(),
        };
        Ok(Broker::new(session, self.vault()?, Portal::new(settings), Locks::new(self.env.runtime_folder())))
    }

    /// The role credentials of a target, with the account's id: a name is looked up at the portal.
    pub fn credentials(&self, target: &RoleTarget, patience: Duration) -> Result<(AccountId, RoleCredentials)> {
        let deadline = Deadline::after(patience);
        let account = self.account(target, patience)?;
        let broker = self.broker(&target.session, target.profile.as_deref())?;
        let credentials = broker.role_credentials(&account, &target.role, deadline.left())?;
        Ok((account, credentials))
    }

    /// The account's id: only a name is looked up at the portal.
    pub fn account(&self, target: &RoleTarget, patience: Duration) -> Result<AccountId> {
        match &target.account {
            Account::Id(id) => Ok(id.clone()),
            Account::Name(name) => {
                let broker = self.broker(&target.session, target.profile.as_deref())?;
                account_called(name, &broker.accounts(patience)?)
            }
        }
    }

    /// A table, as wide as the terminal that it is printed on.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) -> String {
        let width = terminal::width();
        table::plain(head, rows, width, width.is_some() && !self.env.no_color() && self.env.moves_cursor())
    }

    /// What is remembered from earlier runs.
    pub fn history(&self) -> History {
        History::new(self.env.state_folder())
    }

    /// What the terminal can show.
    pub fn capabilities(&self) -> TerminalCapabilities {
        TerminalCapabilities { colour: !self.env.no_color(), utf8: self.env.utf8() }
    }

    /// Whether a person is there to choose from a list.
    pub fn may_choose(&self) -> bool {
        self.interaction.may_choose(&self.env)
    }

    /// Whether a person is there to be asked.
    pub fn may_ask(&self) -> bool {
        self.interaction.may_prompt()
    }

    /// Tells a person something that is no error.
    pub fn tell(&self, line: &str) {
        self.interaction.tell(line);
    }

    /// Prints for a program.
    pub fn print(&self, text: &str) -> Result<()> {
        terminal::print(text)
            .map_err(|error| Error::failed(format!("standard output can't be written: {error}"), "check where it goes"))
    }
}

/// The one account of this name, in whatever case.
pub fn account_called(name: &str, accounts: &[portal::Account]) -> Result<AccountId> {
    let called = |same: &dyn Fn(&str) -> bool| {
        accounts
            .iter()
            .filter(|account| account.name.as_deref().is_some_and(same))
            .map(|account| account.id.clone())
            .collect::<Vec<_>>()
    };
    let mut found = called(&|other| other == name);
    if found.is_empty() {
        found = called(&|other| other.to_lowercase() == name.to_lowercase());
    }
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => Err(Error::usage(format!("no account that you can reach is called \"{name}\""), "daypass list")),
        several => {
            let ids: Vec<&str> = several.iter().map(AccountId::as_str).collect();
            Err(Error::usage(format!("several accounts are called \"{name}\": {}", ids.join(", ")), "give the id: --account ID"))
        }
    }
}
