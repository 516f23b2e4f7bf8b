//! Converts profiles of other tools, which contain no key but belong to the same move.

use super::Migration;
use super::files::Files;
use crate::command::convert::{self, Sessions};
use crate::command::roles::{self, Reachable};
use crate::command::{clean_lines, diff_for_stdout, tell_backup};
use crate::context::OnBehalf;
use crate::error::{Error, Exit, Result};
use crate::profile::edit::Change;
use crate::profile::helper;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::other_tools;
use crate::profile::precedence::Precedence;
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::profile::store::{self, Others};
use crate::text;
use crate::ui::picker::{self, Picker};
use crate::ui::terminal;

impl Migration<'_> {
    /// Converts one profile, or all profiles of other tools. Returns whether there were any.
    pub(super) fn convert(&self, files: &Files, only: Option<&str>) -> Result<bool> {
        let env = &self.context.env;
        let program = helper::program(env, self.args.helper.as_deref())?;
        let request = RoleRequest::from(self.args.session.clone());
        let given = if request == RoleRequest::default() { None } else { Some(resolve::session_in(&files.config, &request)?) };
        let is_wanted = |name: &str| only.is_none_or(|only| only == name);
        let found = convert::conversion(&Precedence::new(&files.config), env, &program, given.as_ref(), false, |name, _, _| {
            is_wanted(name)
        });
        for line in &found.skipped {
            self.context.tell(&text::clean(line));
        }
        let (mut names, mut changes) = (found.names, found.changes);
        let mut is_known = !names.is_empty() || !found.skipped.is_empty();
        for (name, lacks) in found.unknown.iter().filter(|(name, _)| is_wanted(name)) {
            is_known = true;
            if only.is_none() {
                self.context.tell(&text::clean(&format!("Profile {name} is left alone: {lacks}.")));
                continue;
            }
            changes.extend(self.given_role(files, name, lacks, &program)?);
            names.push(name.clone());
        }
        if changes.is_empty() {
            return Ok(is_known);
        }
        let prepared = store::prepare(env, &changes, Others::Refuse)?;
        if self.args.dry_run {
            self.context.print(&diff_for_stdout(&prepared.plan))?;
            return Ok(true);
        }
        if self.context.may_prompt() && !self.args.yes {
            terminal::say(&format!("\n{}", clean_lines(&prepared.plan.diff())));
            if !self.agrees("Write this?", true)? {
                return Err(Error::new(Exit::Interrupted, "nothing was changed", "daypass migrate --dry-run"));
            }
        }
        let done = store::carry_out(env, prepared, &|_| Ok(changes.clone()), Others::Refuse)?;
        let verb = if names.len() == 1 { "calls" } else { "call" };
        self.context.tell(&text::clean(&format!("{} now {verb} daypass.", names.join(", "))));
        tell_backup(self.context, &done);
        Ok(true)
    }

    /// The conversion of a profile whose role only its tool knows, to the role of the flags, or to one that the user chooses.
    fn given_role(&self, files: &Files, name: &str, lacks: &str, program: &str) -> Result<Vec<Change>> {
        let missing = || {
            let what = format!("profile \"{name}\" can't be converted: {lacks}; name the role with --account and --role");
            Error::usage(what, "daypass list")
        };
        let tool = files.config.profile(name).and_then(|block| other_tools::of(&files.config, &block)).ok_or_else(missing)?;
        let session = || resolve::session_in(&files.config, &self.args.session.clone().into());
        let (account, role) = match (&self.args.account, &self.args.role, &tool.role) {
            (Some(account), Some(role), _) => (AccountId::new(account).ok_or_else(missing)?, RoleName::new(role)?),
            (_, _, Some(known)) => (known.account.clone(), known.role.clone()),
            (None, None, None) if self.context.may_choose() && !self.args.yes => self.picked_role(name, &session()?)?,
            _ => return Err(missing()),
        };
        let session = session()?;
        let is_new = files.config.session(&session.name).is_none();
        let session = if is_new { Sessions::of(&files.config).with_block(&session) } else { session };
        let line = helper::line(program, &session.name, &account, &role)?;
        let block = Some(session).filter(|_| is_new).map(Change::Session);
        Ok(block.into_iter().chain([convert::change(name, line, Some(&tool))]).collect())
    }

    /// The role that the user chooses for a profile, from all that the portal lists.
    fn picked_role(&self, name: &str, session: &Session) -> Result<(AccountId, RoleName)> {
        let broker = self.context.broker(session, None)?;
        let by = OnBehalf { no_browser: self.args.no_browser, ..OnBehalf::of(session) };
        let listed = self.context.offering_sign_in(by, || roles::all_unattended(self.context, session, &broker))?.roles;
        if listed.is_empty() {
            return Err(roles::nothing_reachable(&session.name));
        }
        let row = |Reachable { account, role }: &Reachable| {
            vec![account.name.clone().unwrap_or_default(), role.role.to_string(), role.account.to_string()]
        };
        let picker = Picker::new(&format!("Which role is for {name}?"), listed.iter().map(row).collect(), false);
        let chosen = picker::pick(picker, self.context.capabilities())?.and_then(|(_, rows)| rows.first().copied());
        let chosen = chosen.and_then(|row| listed.into_iter().nth(row)).map(|Reachable { role, .. }| (role.account, role.role));
        chosen.ok_or_else(|| {
            Error::new(Exit::Interrupted, "cancelled; nothing was changed", text::command_line(["daypass", "migrate", name]))
        })
    }
}
