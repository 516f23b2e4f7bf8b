//! The role that replaces a key: given by flags, known from an earlier run, or proposed from what the portal lists for the account.

use super::files::{Files, KeyGroup};
use super::{Certainty, Migration, typed};
use crate::access_key::masked;
use crate::command::convert::Sessions;
use crate::command::roles::{self, Reachable};
use crate::context::OnBehalf;
use crate::error::{Error, Exit, Result};
use crate::profile::Config;
use crate::profile::helper;
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::replacement::{self, Candidate, KeyUse};
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::sys::clock;
use crate::text::{self, shell_quote};
use crate::ui::picker::{self, Picker};
use crate::ui::prompt;
use crate::vault::ParkedKey;

/// The role that replaces a key.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// A session whose block exists, or is about to be written.
    pub(super) session: Session,
    /// Whether its block does not exist yet.
    pub(super) is_new: bool,
    /// The role.
    pub(super) role: AccountRole,
    /// The account's name, if the portal listed it.
    pub(super) account_name: Option<String>,
}

impl Migration<'_> {
    /// The role for these profiles.
    pub(super) fn choose(
        &self,
        files: &Files,
        group: &KeyGroup,
        known: Option<&ParkedKey>,
        certainty: Certainty,
    ) -> Result<Chosen> {
        let account = self.account(group, known, certainty)?;
        let sessions = self.sessions(&files.config, known)?;
        let role = match (&self.args.role, known) {
            (Some(role), _) => Some(RoleName::new(role)?),
            (None, Some(known)) => Some(known.role.clone()),
            (None, None) => None,
        };
        if let (Some(role), [session]) = (&role, sessions.as_slice()) {
            let role = AccountRole { account, role: role.clone() };
            return Ok(chosen(&files.config, session, role, None));
        }
        let listed = self.listed(&sessions, &account, group)?;
        let profiles = ProfileIndex::new(&files.config, &self.context.env).targets();
        let first = group.profiles.first();
        let key =
            KeyUse { profile: first.map(|profile| &*profile.name), region: first.and_then(|profile| profile.region.as_deref()) };
        let uses = self.context.history().uses(clock::now());
        let mut ranked = replacement::rank(&account, key, &listed, &profiles, &uses);
        if let Some(role) = &role {
            ranked.retain(|found| found.role.role == *role);
        }
        let name = listed.first().and_then(|candidate| candidate.account_name.clone());
        let pick = match ranked.len() {
            1 => 0,
            0 => return Err(none_of(group, &account, role.as_ref(), &listed)),
            _ if certainty == Certainty::OrAsk && self.context.may_choose() && !self.args.yes => {
                let row = |found: &replacement::Replacement| {
                    let profile = found.profile.clone().unwrap_or_default();
                    vec![found.role.role.to_string(), profile, found.session.name.clone()]
                };
                let title = format!("Which role replaces {} ({})?", masked(group.id()), group.names().join(", "));
                let picker = Picker::new(&title, ranked.iter().map(row).collect(), false);
                let Some((_, rows)) = picker::pick(picker, self.context.capabilities())? else {
                    return Err(Error::new(Exit::Interrupted, "cancelled; nothing was changed", command(group, None)));
                };
                rows.first().copied().unwrap_or_default()
            }
            _ => {
                let names: Vec<&str> = ranked.iter().map(|found| found.role.role.as_str()).collect();
                let what = format!("several roles in account {account} could replace {}: {}", masked(group.id()), names.join(", "));
                let best = ranked.first();
                let session = best.filter(|_| sessions.len() > 1).map(|best| ["--session", &*best.session.name]);
                let role = best.map(|best| ["--role", best.role.role.as_str()]);
                let words: Vec<&str> = session.into_iter().chain(role).flatten().collect();
                return Err(Error::usage(what, command(group, best)).adding(&words));
            }
        };
        let found = ranked.get(pick).cloned().ok_or_else(|| none_of(group, &account, role.as_ref(), &listed))?;
        Ok(chosen(&files.config, &found.session, found.role, name))
    }

    /// The account of the key. An ID of the old form does not contain it.
    fn account(&self, group: &KeyGroup, known: Option<&ParkedKey>, certainty: Certainty) -> Result<AccountId> {
        let id = masked(group.id());
        let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
        let parse = |text: &str| {
            let what = || format!("\"{text}\" is not an account ID, which has 12 digits");
            AccountId::new(text).ok_or_else(|| Error::usage(what(), "daypass list"))
        };
        let given = self.args.account.as_deref().map(parse).transpose()?;
        let own = group.profiles.first().and_then(|profile| profile.id.account());
        match (own, given) {
            (Some(own), Some(given)) if *own != given => Err(Error::usage(
                format!("key {id} belongs to account {own}, not {given}: a role elsewhere is another profile"),
                format!("daypass configure --profile {name}-sso --account {given}"),
            )),
            (Some(own), _) => Ok(own.clone()),
            (None, Some(given)) => Ok(given),
            (None, None) if let Some(known) = known => Ok(known.account.clone()),
            (None, None) if certainty == Certainty::OrAsk && self.context.may_prompt() => loop {
                let question = format!("Account ID of key {id} (created before 2019; 'daypass audit --ask' shows it)");
                let answer = typed(prompt::ask(&question, None))?;
                match parse(&answer) {
                    Err(_) => {}
                    valid => break valid,
                }
            },
            (None, None) => Err(Error::usage(
                format!("key {id} was created before 2019, so its account is not known; give it with --account"),
                "daypass audit --ask",
            )),
        }
    }

    /// The sessions to look for the account in: the given one, that of an interrupted run, or all.
    fn sessions(&self, config: &Config, known: Option<&ParkedKey>) -> Result<Vec<Session>> {
        let request = RoleRequest::from(self.args.session.clone());
        if request != RoleRequest::default() {
            return Ok(vec![resolve::session_in(config, &request)?]);
        }
        if let Some(block) = known.and_then(|known| config.session(&known.session)) {
            return Ok(vec![resolve::session_of(&block)?]);
        }
        let sessions = resolve::sessions(config);
        if sessions.is_empty() {
            let what = format!("{} has no [sso-session], so no role can replace the key", config.path().display());
            return Err(Error::usage(what, "daypass configure --session-only"));
        }
        Ok(sessions)
    }

    /// The roles of the account that the portals list. The sessions that listed it before come first; the first that lists it now is the
    /// last that is asked.
    fn listed(&self, sessions: &[Session], account: &AccountId, group: &KeyGroup) -> Result<Vec<Candidate>> {
        let history = self.context.history();
        let before = |session: &&Session| {
            history.candidates(std::slice::from_ref(*session)).iter().any(|found| found.role.account == *account)
        };
        let (first, rest): (Vec<&Session>, Vec<&Session>) = sessions.iter().partition(before);
        let mut failed = None;
        for session in first.into_iter().chain(rest) {
            let broker = self.context.broker(session, None)?;
            let list = || {
                let accounts = roles::accounts(&broker)?;
                let own: Vec<_> = accounts.into_iter().filter(|its| its.id == *account).collect();
                if own.is_empty() { Ok(Vec::new()) } else { Ok(roles::roles_in(self.context, &broker, &own)?.roles) }
            };
            let by = OnBehalf { no_browser: self.args.no_browser, ..OnBehalf::of(session) };
            match self.context.offering_sign_in(by, list) {
                Ok(found) if !found.is_empty() => {
                    let candidate =
                        |Reachable { account, role }| Candidate { session: session.clone(), role, account_name: account.name };
                    return Ok(found.into_iter().map(candidate).collect());
                }
                Ok(_) => {}
                Err(error) if error.exit == Exit::Interrupted => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| {
            let names: Vec<&str> = sessions.iter().map(|session| &*session.name).collect();
            let what = format!("{} gives you no role in account {account} of key {}", names.join(", "), masked(group.id()));
            let hint = format!("ask your administrator to assign you a permission set in account {account}");
            Error::new(Exit::Refused, format!("{what}; nothing was changed"), hint)
        }))
    }
}

fn none_of(group: &KeyGroup, account: &AccountId, role: Option<&RoleName>, listed: &[Candidate]) -> Error {
    let names: Vec<&str> = listed.iter().map(|found| found.role.role.as_str()).collect();
    let role = role.map(RoleName::as_str).unwrap_or_default();
    let what = format!("you have no role {role} in account {account}; there is {}", names.join(", "));
    let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
    let first = names.first().copied().unwrap_or_default();
    Error::typo(what, role, first, text::command_line(["daypass", "migrate", &name, "--role", first]))
}

/// A session without a block that a helper can name gets one.
fn chosen(config: &Config, session: &Session, role: AccountRole, account_name: Option<String>) -> Chosen {
    let exists = |session: &Session| config.session(&session.name).is_some();
    let own_name = session.name != session.start_url && helper::is_argument(&session.name);
    let session = if own_name { session.clone() } else { Sessions::of(config).with_block(session) };
    Chosen { is_new: !exists(&session), session, role, account_name }
}

/// The command that migrates these profiles to this role.
fn command(group: &KeyGroup, found: Option<&replacement::Replacement>) -> String {
    let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
    match found {
        Some(found) => {
            let (session, role) = (shell_quote(&found.session.name), shell_quote(found.role.role.as_str()));
            format!("daypass migrate {name} --session {session} --role {role}")
        }
        None => format!("daypass migrate {name}"),
    }
}
