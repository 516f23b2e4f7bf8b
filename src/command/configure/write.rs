//! What `daypass configure` writes: the changes, the confirmation, and the next step.

use super::args::Args;
use super::questions::plain_name;
use super::wizard::{Wizard, complete_command};
use crate::command::{clean_lines, diff_for_stdout, tell_backup};
use crate::error::{Correction, Error, Result};
use crate::profile::Config;
use crate::profile::chain::{AssumedRole, Policy};
use crate::profile::edit::{self, Change};
use crate::profile::helper;
use crate::profile::index::AccountRole;
use crate::profile::names::Session;
use crate::profile::request::AgentRule;
use crate::profile::request::AssumeRequest;
use crate::profile::store::{self, Others};
use crate::text::{self, shell_quote};
use crate::ui::terminal;

impl Wizard<'_> {
    /// The change that writes a profile for a role.
    pub(super) fn profile(
        &self,
        session: &Session,
        name: &str,
        role: &AccountRole,
        settings: &[(String, String)],
    ) -> Result<Change> {
        let AccountRole { account, role } = role;
        let (agents, agent_role) = (self.args.agents.as_deref(), self.args.agent_role.as_deref());
        AgentRule::new(agents, agent_role)?;
        if self.args.native {
            let keys = [("daypass_agents", agents), ("daypass_agent_role", agent_role)];
            let keys = keys.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.to_owned())));
            let more = settings.iter().cloned().chain(keys).collect();
            return Ok(Change::native(name, &session.name, account.as_str(), role.as_str(), more));
        }
        let line = match self.assumed()? {
            Some(assume) => {
                let base = [("--session", &*session.name), ("--account", account.as_str()), ("--role", role.as_str())];
                helper::chained_line(&self.program()?, &base, &assume)?
            }
            None => helper::line(&self.program()?, &session.name, account, role)?,
        };
        // A rule that the profile has stays.
        let for_agents = match self.config.profile(name) {
            Some(profile) if agents.is_none() && agent_role.is_none() => helper::agent_flags(&profile),
            _ => helper::agent_flags_of(agents, agent_role),
        };
        let login = if self.args.login { " --login" } else { "" };
        Ok(Change::helper(name, format!("{line}{for_agents}{login}"), settings.to_vec()))
    }

    /// The role of `--assume-role`, checked, with the absolute path of its policy: the line is used in any folder.
    fn assumed(&self) -> Result<Option<AssumeRequest>> {
        let Some(mut assume) = self.args.assume.clone().request() else { return Ok(None) };
        let role = AssumedRole::of_flags(&assume, None)?;
        if let Some(Policy::File(path)) = role.policy {
            let unusable =
                |error| Error::usage(format!("the policy {} can't be read: {error}", path.display()), "--policy read-only");
            assume.policy = Some(path.canonicalize().map_err(unusable)?.to_string_lossy().into_owned());
        }
        Ok(Some(assume))
    }

    /// Checks the role of `--assume-role`, which is assumed with the credentials of one role.
    pub(super) fn check_assumed(&self, roles: usize) -> Result<()> {
        if self.assumed()?.is_some() && roles != 1 {
            let what = "--assume-role needs one role to assume it with, given by --account and --role";
            return Err(Error::usage(what, "daypass list"));
        }
        Ok(())
    }

    pub(super) fn program(&self) -> Result<String> {
        helper::program(&self.context.env, self.args.helper.as_deref())
    }

    /// Checks that a profile of this name can be written, before anything is asked.
    pub(super) fn check_profile(&self, name: &str) -> Result<()> {
        let checked = match self.config.profile(name) {
            None => plain_name(name, "--profile").map(drop),
            Some(_) => self.refuse_other_source(name),
        };
        checked.map_err(|error| match error.correction.as_deref() {
            // The hint has all that is missing.
            Some(Correction::Replace(_, meant)) if !self.context.may_prompt() => {
                let args = Args { profile: Some(meant.clone()), ..self.args.clone() };
                Error { hint: complete_command(&args, self.config), correction: None, ..error }
            }
            _ => error,
        })
    }

    fn refuse_other_source(&self, name: &str) -> Result<()> {
        let change = if self.args.native {
            Change::native(name, "", "", "", Vec::new())
        } else {
            Change::helper(name, String::new(), Vec::new())
        };
        self.refuse_other_keys(&[change])
    }

    /// An error if the profile contains keys that AWS tools would prefer to what is written, without `--keep-other-keys`.
    pub(super) fn refuse_other_keys(&self, changes: &[Change]) -> Result<()> {
        if self.args.keep_other_keys { Ok(()) } else { edit::refuse_other_sources(self.config, changes) }
    }

    /// Shows the change, asks for confirmation, writes it, and prints the next step.
    pub(super) fn write(&self, changes: &[Change], names: &[String], session: Option<&Session>) -> Result<u8> {
        let env = &self.context.env;
        let others = if self.args.keep_other_keys { Others::Allow } else { Others::Refuse };
        let prepared = store::prepare(env, changes, others)?;
        let plan = &prepared.plan;
        if self.args.dry_run {
            self.context.print(&diff_for_stdout(plan))?;
            return Ok(0);
        }
        let path = plan.path.display().to_string();
        let path = text::clean(&path);
        if self.interactive && !plan.is_empty() {
            terminal::say(&format!("\n{}", clean_lines(&plan.diff())));
            if !self.confirm(&format!("Write this to {path}?"), true)? {
                self.context.tell("Nothing was written.");
                return Ok(0);
            }
        }
        let done = store::carry_out(env, prepared, &|_| Ok(changes.to_vec()), others)?;
        self.note_completion();
        let what = match (names, session) {
            ([], Some(session)) => format!("session {}", session.name),
            ([one], _) => format!("profile {one}"),
            ([first, second, third, _, rest @ ..], _) if !rest.is_empty() => {
                format!("profiles {first}, {second}, {third} and {} others", rest.len() + 1)
            }
            (several, _) => format!("profiles {}", several.join(", ")),
        };
        self.context.tell(&if done.is_empty() {
            format!("{path} is already up to date.")
        } else {
            format!("Wrote {} to {path}.", text::clean(&what))
        });
        tell_backup(self.context, &done);
        self.tell_next(names, session);
        Ok(0)
    }

    fn tell_next(&self, names: &[String], session: Option<&Session>) {
        // Only a suggestion: a keyring that can't be read is reported by the command that needs it.
        let signed_in =
            |session: &Session| self.context.vault().is_ok_and(|vault| vault.token(session).is_ok_and(|token| token.is_some()));
        match (session, names.first()) {
            (Some(session), _) if !signed_in(session) => {
                self.context.tell(&format!("Next: daypass login {}", shell_quote(&session.name)));
            }
            // It could not read the file.
            _ if !self.config.rejections().is_empty() => {}
            (_, Some(first)) => {
                let region = self.region_to_add(first, session).map(|region| format!(" --region {region}")).unwrap_or_default();
                self.context.tell(&format!("Try: aws sts get-caller-identity --profile {}{region}", shell_quote(first)));
            }
            (Some(session), None) => self.context.tell(&format!("Try: daypass list {}", shell_quote(&session.name))),
            (None, None) => {}
        }
    }

    /// The region that a command with this profile needs in addition; None if the profile or a variable sets one.
    fn region_to_add(&self, profile: &str, session: Option<&Session>) -> Option<String> {
        let env = &self.context.env;
        let written = Config::read(env).ok()?;
        let has_region = env.region().is_some() || written.profile(profile)?.text("region").is_some();
        session.filter(|_| !has_region).map(|session| self.likely_region(session))
    }
}
