//! What a command can use: the environment, the vault, a broker for a session, the terminal. Each is opened on first use.

mod sign_in;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;

use crate::allowance::Allowances;
use crate::aws;
use crate::broker::{Broker, Locks, Step};
use crate::credentials::RoleCredentials;
use crate::error::{Error, Exit, Result};
use crate::history::History;
use crate::issued::{Issue, Issued};
use crate::output;
use crate::portal::{self, Portal};
use crate::profile::chain::{AssumedRole, Policy};
use crate::profile::index::ProfileIndex;
use crate::profile::names::{self, AccountId, Session};
use crate::profile::request::{Account, AgentRule};
use crate::profile::resolve::RoleTarget;
use crate::profile::{Config, diagnosis};
use crate::sts::{RoleSession, Sts};
use crate::sys::clock::{self, Deadline};
use crate::sys::env::Env;
use crate::sys::file;
use crate::sys::lock::Folders;
use crate::sys::parent;
use crate::text;
use crate::ui::table::{self, Fit, Screen};
use crate::ui::terminal::{self, Interaction, TerminalCapabilities};
use crate::vault::Vault;

/// The time limit of a command that a user waits for, without prompts.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Who signs in, and how.
#[derive(Debug, Clone, Copy)]
pub struct OnBehalf<'a> {
    /// The session to sign in to.
    pub session: &'a Session,
    /// The profile whose endpoint settings apply.
    pub profile: Option<&'a str>,
    /// The user asked not to open a browser.
    pub no_browser: bool,
}

impl<'a> OnBehalf<'a> {
    /// For a session without a profile.
    pub fn of(session: &'a Session) -> Self {
        Self { session, profile: None, no_browser: false }
    }

    /// For the role of a target.
    pub fn of_target(target: &'a RoleTarget) -> Self {
        Self { profile: target.profile.as_deref(), ..Self::of(&target.session) }
    }
}

/// The context of one run.
pub struct Context {
    /// The environment.
    pub env: Env,
    /// How much is printed for people, and whether they may be prompted.
    pub interaction: Interaction,
    /// The definition of the whole command line, for help and manual pages.
    pub definition: fn() -> clap::Command,
    /// The name of the command.
    subcommand: &'static str,
    vault: OnceCell<Vault>,
}

impl Context {
    /// Creates the context; opens nothing.
    pub fn new(env: Env, interaction: Interaction, definition: fn() -> clap::Command, subcommand: &'static str) -> Self {
        Self { env, interaction, definition, subcommand, vault: OnceCell::new() }
    }

    /// Prints the most serious warning about the user's files, if there is one, as one line.
    pub fn warn_of_files(&self) {
        // The command itself reports a file that can't be read.
        if let Ok(config) = Config::read(&self.env) {
            self.warn_of(&config);
        }
    }

    /// The same, about files that were read before.
    pub fn warn_of(&self, config: &Config) {
        if let Some((warning, others)) = diagnosis::worst(config) {
            let more = if others > 0 { format!(" (and {others} more: daypass status -v)") } else { String::new() };
            self.tell(&text::clean(&format!("warning: {}{more}", warning.line())));
        }
    }

    /// The vault that `DAYPASS_KEYRING` selects.
    ///
    /// # Errors
    /// An invalid `DAYPASS_KEYRING`, or no usable keyring.
    pub fn vault(&self) -> Result<&Vault> {
        if self.vault.get().is_none() {
            let vault = Vault::open(&self.env)?;
            return Ok(self.vault.get_or_init(|| vault));
        }
        self.vault.get().ok_or_else(|| Error::failed("the vault can't be opened", "try again"))
    }

    /// The broker of a session; `profile` is the one whose endpoint settings apply.
    ///
    /// # Errors
    /// Those of [`Context::vault`].
    pub fn broker<'a>(&'a self, session: &'a Session, profile: Option<&str>) -> Result<Broker<'a>> {
        let profile = profile.or(self.env.profile()).map(str::to_owned);
        let settings = aws::Settings { region: session.region.clone(), profile, env: self.env.clone() };
        let vault = self.vault()?;
        let locks = Locks::new(Folders::new(&self.env), vault.identity());
        Ok(Broker::new(session, vault, Portal::new(settings, session.start_url.clone()), locks))
    }

    /// The role credentials of a target, with their account ID. If sign-in is required, it is offered on the terminal. `limit` is the time
    /// without it.
    ///
    /// # Errors
    /// Those of [`Context::credentials_unattended`] and of signing in.
    pub fn credentials(&self, target: &RoleTarget, limit: Duration) -> Result<(AccountId, RoleCredentials)> {
        self.offering_sign_in(OnBehalf::of_target(target), || self.credentials_unattended(target, limit))
    }

    /// The role credentials of a target, with their account ID, without any prompt. A name is looked up at the portal. A coding agent gets
    /// what the profile allows it. They are recorded.
    ///
    /// # Errors
    /// Those of the broker; an unknown or ambiguous account name; a policy file that can't be used; a rule that denies them to agents.
    pub fn credentials_unattended(&self, target: &RoleTarget, limit: Duration) -> Result<(AccountId, RoleCredentials)> {
        let now = clock::now();
        let target = &*self.allowed(target, now)?;
        let (account, credentials) = self.unrecorded_credentials(target, limit)?;
        if self.env.log_issued() {
            self.issued().add(&Issue {
                time: output::rfc3339(now),
                command: self.subcommand.to_owned(),
                profile: target.profile.clone(),
                account: account.to_string(),
                role: target.final_role().to_owned(),
                access_key_id: credentials.access_key_id.clone(),
                expires: output::rfc3339(credentials.expires_at),
                cached: credentials.received_at < now,
                program: parent::quick_program(),
                agent: self.env.agent().map(str::to_owned),
            });
        }
        Ok((account, credentials))
    }

    /// The target itself, or what a coding agent gets instead.
    fn allowed<'t>(&self, target: &'t RoleTarget, now: OffsetDateTime) -> Result<Cow<'t, RoleTarget>> {
        let Some(agent) = self.env.agent() else { return Ok(Cow::Borrowed(target)) };
        let by_default = AgentRule::new(self.env.agents(), None)?;
        let rule = if target.agents == AgentRule::Unset { &by_default } else { &target.agents };
        if matches!(rule, AgentRule::Unset | AgentRule::Allow) || self.allowances().covers(target, now) {
            return Ok(Cow::Borrowed(target));
        }
        match rule {
            AgentRule::Role(other) if target.chain.is_empty() => {
                Ok(Cow::Owned(RoleTarget { role: other.clone(), overridden: *other != target.role, ..target.clone() }))
            }
            _ => Err(self.denied(target, agent)),
        }
    }

    fn denied(&self, target: &RoleTarget, agent: &str) -> Error {
        let name = target.profile.clone().unwrap_or_else(|| format!("{}@{}", target.described_role(), target.final_account()));
        let config = Config::read(&self.env).ok();
        let is_read_only = |other: &RoleTarget| {
            let role = other.final_role().to_lowercase().replace(['-', '_'], "");
            let same = other.final_account() == target.final_account() && other.session.is_same_portal(&target.session);
            same && other.agents != AgentRule::Deny && (role.contains("readonly") || role.contains("viewonly"))
        };
        let targets = config.as_ref().map(|config| ProfileIndex::new(config, &self.env).targets()).unwrap_or_default();
        let read_only = targets.into_iter().find(is_read_only).and_then(|other| other.profile);
        let what = format!("{name} is denied to coding agents, and this is run by one ({agent})");
        if let Some(other) = read_only {
            let hint = format!("export AWS_PROFILE={}", text::shell_quote(&other));
            return Error::new(Exit::Refused, format!("{what}; profile \"{other}\" of the same account is read-only"), hint);
        }
        let account = target.account.to_string();
        let role = match &target.profile {
            Some(profile) => vec![profile.as_str()],
            None => vec!["--session", &target.session.name, "--account", &account, "--role", target.role.as_str()],
        };
        let words = ["daypass", "allow"].into_iter().chain(role).chain(["--for", "30m"]);
        Error::new(Exit::Refused, format!("{what}; a person can allow it for a while"), text::command_line(words))
    }

    /// The roles for which a person has lifted the rule about agents.
    pub fn allowances(&self) -> Allowances {
        Allowances::new(self.env.state_folder())
    }

    /// What was handed out.
    pub fn issued(&self) -> Issued {
        Issued::new(self.env.state_folder())
    }

    fn unrecorded_credentials(&self, target: &RoleTarget, limit: Duration) -> Result<(AccountId, RoleCredentials)> {
        let deadline = Deadline::after(limit);
        let steps = target.chain.iter().map(|role| self.step(role, target)).collect::<Result<Vec<_>>>()?;
        let account = self.account_unattended(target, limit)?;
        let broker = self.broker(&target.session, target.profile.as_deref())?;
        let credentials = broker.chained_credentials(&account, &target.role, &steps, deadline.left());
        self.note_portal_session(&target.session, &broker);
        let credentials = credentials?;
        Ok((target.chain.last().map_or(account, |role| role.arn.account().clone()), credentials))
    }

    /// One role to assume, with the STS that does it.
    fn step(&self, role: &AssumedRole, target: &RoleTarget) -> Result<Step> {
        let region = role.region.as_deref().unwrap_or(&target.session.region);
        let profile = role.profile.as_deref().or(target.profile.as_deref()).or(self.env.profile());
        let settings = aws::Settings {
            region: aws::regions::in_partition(region, role.arn.partition()).to_owned(),
            profile: profile.map(str::to_owned),
            env: self.env.clone(),
        };
        let (policy, policy_arns) = match &role.policy {
            None => (None, Vec::new()),
            Some(Policy::Arn(arn)) => (None, vec![arn.clone()]),
            Some(Policy::File(path)) => (Some(policy_document(path)?), Vec::new()),
        };
        let request = RoleSession {
            role_arn: role.arn.to_string(),
            name: role.session_name.clone().unwrap_or_default(),
            external_id: role.external_id.clone(),
            duration: role.duration,
            policy,
            policy_arns,
            source_identity: role.source_identity.clone(),
        };
        Ok(Step { request, sts: Sts::new(settings) })
    }

    /// The account ID of a target's role at the portal. Only a name is looked up at the portal; if that requires sign-in, it is offered on
    /// the terminal.
    ///
    /// # Errors
    /// Those of the broker and of signing in; an unknown or ambiguous account name.
    pub fn account(&self, target: &RoleTarget, limit: Duration) -> Result<AccountId> {
        self.offering_sign_in(OnBehalf::of_target(target), || self.account_unattended(target, limit))
    }

    fn account_unattended(&self, target: &RoleTarget, limit: Duration) -> Result<AccountId> {
        match &target.account {
            Account::Id(id) => Ok(id.clone()),
            Account::Name(name) => {
                let broker = self.broker(&target.session, target.profile.as_deref())?;
                account_called(name, &broker.accounts(limit)?)
            }
        }
    }

    /// A table that fits the width of the terminal: long cells are truncated. Without a terminal nothing is.
    pub fn table(&self, head: &[&str], rows: &[Vec<String>]) -> String {
        self.fitting_table(head, rows, Fit::Truncate)
    }

    /// A table whose cells users copy, such as commands. Rows that don't fit the terminal are shown with one cell a line.
    pub fn whole_table(&self, head: &[&str], rows: &[Vec<String>]) -> String {
        self.fitting_table(head, rows, Fit::Whole)
    }

    fn fitting_table(&self, head: &[&str], rows: &[Vec<String>], fit: Fit) -> String {
        let width = terminal::width();
        let bold = width.is_some() && !self.env.no_color() && self.env.moves_cursor();
        table::plain(head, rows, fit, Screen { width, bold, utf8: self.env.utf8() })
    }

    /// What earlier runs recorded.
    pub fn history(&self) -> History {
        History::new(self.env.state_folder())
    }

    /// What the terminal can show.
    pub fn capabilities(&self) -> TerminalCapabilities {
        TerminalCapabilities { colour: !self.env.no_color(), utf8: self.env.utf8() }
    }

    /// Whether the user can choose from a list.
    pub fn may_choose(&self) -> bool {
        self.interaction.may_choose(&self.env)
    }

    /// Whether the user can be prompted.
    pub fn may_prompt(&self) -> bool {
        self.interaction.may_prompt()
    }

    /// Prints a message that is not an error to standard error.
    pub fn tell(&self, line: &str) {
        self.interaction.tell(line);
    }

    /// Prints to standard output, for programs.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self, text: &str) -> Result<()> {
        terminal::print(text)
            .map_err(|error| Error::failed(format!("can't write to standard output: {error}"), "check where it is redirected to"))
    }
}

/// The policy document in a file, without insignificant white space: STS limits its length.
///
/// # Errors
/// It can't be read, or is not JSON.
fn policy_document(path: &Path) -> Result<String> {
    let shown = path.display();
    let hint = || format!("cat {}", text::shell_quote(&path.to_string_lossy()));
    let bytes = file::read(path).map_err(|error| Error::usage(format!("the policy {shown} can't be read: {error}"), hint()))?;
    let json: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| Error::usage(format!("the policy {shown} is not JSON: {error}"), hint()))?;
    Ok(json.to_string())
}

/// The only account with this name, ignoring case if no name matches exactly.
///
/// # Errors
/// No account or several accounts have this name.
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
        [] => {
            let what = format!("you have no account named \"{name}\"");
            let known = accounts.iter().filter_map(|account| account.name.as_deref());
            Err(match names::nearest(name, known) {
                Some(near) => Error::typo(format!("{what}; did you mean \"{near}\"?"), name, near, "daypass list"),
                None => Error::usage(what, "daypass list"),
            })
        }
        several => {
            let ids: Vec<&str> = several.iter().map(AccountId::as_str).collect();
            let first = ids.first().copied().unwrap_or_default();
            let what = format!("several accounts are named \"{name}\": {}", ids.join(", "));
            Err(Error::typo(what, name, first, format!("add --account {first}")))
        }
    }
}
