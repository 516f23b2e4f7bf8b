//! Carries out a migration. The order is such that no moment leaves a profile without credentials, or the key neither in a file nor in the
//! keyring: verify the role; park the key and read it back; write the config file, then the credentials file (most SDKs use the old key
//! until then); run the helper once. A run that was killed is continued by the next one.

use std::time::Duration;

use super::choice::Chosen;
use super::files::{self, Files, KeyGroup};
use super::{Certainty, Migration, typed};
use crate::access_key::masked;
use crate::aws::SigningKeys;
use crate::broker::retry;
use crate::command::aws::{self, clients};
use crate::command::clean_lines;
use crate::command::role_in_shell::{Role, Variables};
use crate::context::{COMMAND_TIMEOUT, OnBehalf};
use crate::credentials::RoleCredentials;
use crate::error::{Error, Exit, Result};
use crate::migration::plan::{self, Base, FileChange, Step, Usage, Wanted};
use crate::profile::resolve::RoleTarget;
use crate::profile::store::{self, Replacement};
use crate::profile::undo::FileUndo;
use crate::profile::{Config, helper};
use crate::sys::child;
use crate::sys::clock::{self, Deadline};
use crate::text::{self, shell_quote};
use crate::ui::prompt;
use crate::ui::terminal;
use crate::vault::ParkedKey;

/// How often a migration is planned again because another program changed a file.
const TRIES: usize = 5;

/// How long the helper may take: it has cached credentials.
const HELPER_TIMEOUT: Duration = Duration::from_mins(1);

/// What is written, apart from the files themselves.
pub(super) struct Orders {
    /// The role.
    pub(super) chosen: Chosen,
    /// The profiles, with their bases.
    pub(super) steps: Vec<Step>,
    /// The `credential_process` line.
    pub(super) line: String,
    /// The profiles that lose `mfa_serial`.
    pub(super) without_mfa: Vec<String>,
}

impl Orders {
    fn changes(&self, files: &Files) -> Result<[FileChange; 2]> {
        let session = Some(&self.chosen.session).filter(|_| self.chosen.is_new);
        let wanted = Wanted { steps: &self.steps, line: &self.line, session, without_mfa: &self.without_mfa };
        plan::changes(&files.config, files.texts(), &wanted)
    }

    /// The role as a target; `profile` is the one whose endpoint settings apply.
    fn target(&self, group: &KeyGroup) -> RoleTarget {
        let first = group.profiles.first();
        let role = &self.chosen.role;
        RoleTarget {
            region: first.and_then(|profile| profile.region.clone()),
            profile: first.map(|profile| profile.name.clone()),
            ..RoleTarget::of_role(self.chosen.session.clone(), role.account.clone(), role.role.clone())
        }
    }
}

impl Migration<'_> {
    /// Migrates the profiles of one key.
    pub(super) fn migrate(&self, files: Files, group: KeyGroup, certainty: Certainty) -> Result<()> {
        let env = &self.context.env;
        files::refuse_key_of_startup(&self.startup, group.id())?;
        for name in group.names() {
            files::refuse_registered_account(env, name)?;
        }
        let known = if self.args.dry_run { None } else { self.parked(group.id())? };
        let chosen = self.choose(&files, &group, known.as_ref(), certainty)?;
        let program = helper::program(env, self.args.helper.as_deref())?;
        let line = helper::line(&program, &chosen.session.name, &chosen.role.account, &chosen.role.role)?;
        let steps = self.steps(&files.config, &group)?;
        let without_mfa = self.without_mfa(&files.config, &group)?;
        let orders = Orders { chosen, steps, line, without_mfa };
        let changes = orders.changes(&files)?;
        if self.args.dry_run {
            return self.show(&files, &group, &orders, &changes);
        }
        for change in changes.iter().filter(|change| !change.is_empty()) {
            store::check_writable(&change.path)?;
        }
        let credentials = self.verified(&group, &orders)?;
        self.attempt(&group, &orders, &credentials)?;
        if self.context.may_prompt() && !self.args.yes {
            terminal::say(&format!("\n{}", clean_lines(&diff(&changes))));
            let question = format!("Write this, and move key {} to the keyring?", masked(group.id()));
            if !typed(prompt::confirm(&question, true))? {
                return Err(Error::new(Exit::Interrupted, "nothing was changed", "daypass migrate --dry-run"));
            }
        }
        let (changes, parked) = self.write(files, &group, &orders, known)?;
        if let Err(why) = self.check(&orders) {
            return Err(self.take_back(&group, &changes, why));
        }
        self.report(&group, &orders, &changes, &parked)
    }

    /// The parked key of this ID, which an earlier run left. A keyring that can't be used is found before anybody is asked to sign in.
    fn parked(&self, id: &str) -> Result<Option<ParkedKey>> {
        self.context.unlock()?;
        let parked = self.context.vault()?.parked().map_err(crate::vault::Error::while_parking)?;
        Ok(parked.into_iter().find(|parked| parked.id == id))
    }

    /// The profiles with their bases. The name of a new base is asked for.
    fn steps(&self, config: &Config, group: &KeyGroup) -> Result<Vec<Step>> {
        let step = |profile: &plan::StaticProfile| {
            let base = match &profile.usage {
                Usage::Direct => None,
                Usage::Through(name) => Some(Base { name: name.clone(), exists: true }),
                Usage::OwnSource => Some(Base { name: self.base_name(config, &profile.name)?, exists: false }),
            };
            Ok(Step { profile: profile.name.clone(), base })
        };
        group.profiles.iter().map(step).collect()
    }

    fn base_name(&self, config: &Config, profile: &str) -> Result<String> {
        let default = plan::base_name(config, profile);
        if !self.context.may_prompt() || self.args.yes {
            return Ok(default);
        }
        let question = format!("Profile {profile} assumes a role with its own key. Name of a new profile for its base");
        loop {
            let name = typed(prompt::ask(&text::clean(&question), Some(&default)))?;
            if config.profile(&name).is_none() && crate::profile::ini::is_plain_name(&name) {
                return Ok(name);
            }
            terminal::say("That name is taken, or not one that all AWS tools read.");
        }
    }

    /// The profiles whose `mfa_serial` is removed: a role's credentials have no device that could give a code.
    fn without_mfa(&self, config: &Config, group: &KeyGroup) -> Result<Vec<String>> {
        let own = group.profiles.iter().filter_map(|profile| Some((profile.name.clone(), profile.mfa.clone()?)));
        let chained = plan::chained(config, &group.names());
        let chained = chained.into_iter().filter(|chained| chained.removable);
        let asking = own.chain(chained.filter_map(|chained| Some((chained.name, chained.mfa?))));
        let mut removed = Vec::new();
        for (name, place) in asking {
            let question = format!("Profile {name} asks for an MFA code ({place}), which a role can't give. Remove mfa_serial?");
            if self.agrees(&question, false)? {
                removed.push(name);
            }
        }
        Ok(removed)
    }

    /// The credentials of the role, once STS says that they belong to the key's account.
    fn verified(&self, group: &KeyGroup, orders: &Orders) -> Result<RoleCredentials> {
        let context = self.context;
        let target = orders.target(group);
        let by = OnBehalf { no_browser: self.args.no_browser, ..OnBehalf::of(&target.session) };
        let get = || context.credentials_unattended(&target, COMMAND_TIMEOUT);
        let (account, credentials) = context.offering_sign_in(by, get)?;
        let region = target.region.clone().unwrap_or_else(|| target.session.region.clone());
        let (sts, _) = clients(context, &region, target.profile.as_deref());
        let deadline = Deadline::after(COMMAND_TIMEOUT);
        let keys = SigningKeys::from(&credentials);
        let identity = retry::until(deadline, || sts.caller_identity(&keys, deadline)).map_err(aws::of_sts)?;
        if identity.account != account.as_str() {
            let what = format!("the credentials of {} belong to account {}, not {account}", target.role, identity.account);
            return Err(Error::new(Exit::Refused, format!("{what}; nothing was changed"), "daypass list"));
        }
        context.tell(&text::clean(&format!("Verified: {}", identity.arn)));
        Ok(credentials)
    }

    /// Runs the command of `--try` with the credentials.
    fn attempt(&self, group: &KeyGroup, orders: &Orders, credentials: &RoleCredentials) -> Result<()> {
        let Some(command) = &self.args.attempt else { return Ok(()) };
        let target = orders.target(group);
        let account = orders.chosen.role.account.clone();
        let role = Role { target: &target, account, credentials: credentials.clone(), region: None };
        let Variables { set, cleared, .. } = role.keys(self.context);
        let failed = |why: String| {
            Error::failed(
                format!("'{command}' fails with the credentials of {}: {why}; nothing was changed", target.role),
                "daypass list",
            )
        };
        let status = child::shell(command, &set, &cleared).map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(()) } else { Err(failed(status.to_string())) }
    }

    /// Parks the key and writes both files. Plans again if another program changed a file meanwhile.
    fn write(
        &self,
        mut files: Files,
        group: &KeyGroup,
        orders: &Orders,
        mut known: Option<ParkedKey>,
    ) -> Result<([FileChange; 2], ParkedKey)> {
        let env = &self.context.env;
        let overtaken = || {
            let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
            Error::failed("the AWS files were changed meanwhile, so the migration stopped", format!("daypass migrate {name}"))
        };
        for _ in 0..TRIES {
            let changes = orders.changes(&files)?;
            let parked = self.record(group, orders, &changes, known);
            self.context.vault()?.park(&parked).map_err(crate::vault::Error::while_parking)?;
            self.context.history().parked();
            let [config, credentials] = &changes;
            let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
            let undone_by = format!("daypass migrate --undo {name}");
            if replaced(env, config, Some(&undone_by))? && replaced(env, credentials, None)? {
                return Ok((changes, parked));
            }
            known = Some(parked);
            files = Files::read(env)?;
            files.refuse_unreliable()?;
            let again = files.groups().into_iter().find(|again| again.id() == group.id()).ok_or_else(overtaken)?;
            if again.names() != group.names() || again.secret() != group.secret() {
                return Err(overtaken());
            }
        }
        Err(overtaken())
    }

    /// The record of the key, with what restores the files. What an earlier run changed stays in it.
    fn record(&self, group: &KeyGroup, orders: &Orders, changes: &[FileChange; 2], known: Option<ParkedKey>) -> ParkedKey {
        let mut profiles: Vec<String> = group.profiles.iter().map(|profile| profile.name.clone()).collect();
        let (mut undo, mut user) = (Vec::new(), None);
        if let Some(known) = known {
            let now = |path: &str| {
                let change = changes.iter().find(|change| change.path.to_string_lossy() == path)?;
                change.before.as_ref().map(|text| text.as_str())
            };
            let other = !known.profiles.iter().any(|name| profiles.contains(name));
            undo.extend(known.files.into_iter().filter(|old| old.is_after(now(&old.path)) || other));
            profiles.extend(known.profiles.into_iter().filter(|name| !group.names().contains(&name.as_str())));
            user = known.user;
        }
        for change in changes.iter().filter(|change| !change.is_empty()) {
            let before = change.before.as_ref().map(|text| text.as_str());
            let path = change.path.to_string_lossy().into_owned();
            let file = FileUndo::new(path, store::mode(&change.path), before, &change.after, change.sections.clone());
            if !undo.contains(&file) {
                undo.push(file);
            }
        }
        ParkedKey {
            id: group.id().to_owned(),
            secret: group.secret(),
            account: orders.chosen.role.account.clone(),
            session: orders.chosen.session.name.clone(),
            role: orders.chosen.role.role.clone(),
            profiles,
            parked_at: clock::now().replace_nanosecond(0).unwrap_or_else(|_| clock::now()),
            inactive_since: None,
            user,
            kept: self.args.keep_key,
            files: undo,
        }
    }

    /// Resolves the profiles as SDKs do, and runs the helper once.
    ///
    /// # Errors
    /// Why they have no credentials, as a clause.
    fn check(&self, orders: &Orders) -> std::result::Result<(), String> {
        let files = Files::read(&self.context.env).map_err(|error| error.what)?;
        for step in &orders.steps {
            plan::uses_helper(&files.config, step, &orders.line).map_err(|why| format!("profile \"{}\": {why}", step.profile))?;
        }
        let words = helper::words(&orders.line).ok_or_else(|| "the line can't be split into words".to_owned())?;
        let output = child::output(&words, HELPER_TIMEOUT).map_err(|error| format!("{}: {error}", orders.line))?;
        if !output.status.success() {
            return Err(format!("{}: {}", orders.line, output.stderr.trim()));
        }
        let document: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|_| "the helper printed no credentials".to_owned())?;
        let text = |key: &str| document.get(key).and_then(serde_json::Value::as_str);
        match (text("AccessKeyId"), text("AccountId")) {
            (Some(_), Some(account)) if account != orders.chosen.role.account.as_str() => {
                Err(format!("the helper printed credentials of account {account}"))
            }
            (Some(_), _) => Ok(()),
            (None, _) => Err("the helper printed no credentials".to_owned()),
        }
    }

    /// Restores the files after a migration whose result does not work.
    fn take_back(&self, group: &KeyGroup, changes: &[FileChange; 2], why: String) -> Error {
        let env = &self.context.env;
        let name = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
        let [config, credentials] = changes;
        // The key first: most SDKs then use it again.
        let restored = restored(env, credentials).and_then(|one| Ok(restored(env, config)? && one));
        match restored {
            Ok(true) => {
                // The record does no harm: the key is in the files, too.
                let _ = self.context.vault().map(|vault| vault.delete_parked(group.id()));
                Error::failed(
                    format!("the migrated profile does not work: {why}; the files are as they were"),
                    format!("daypass migrate {name}"),
                )
            }
            Ok(false) => Error::failed(
                format!("the migrated profile does not work: {why}; the files were changed meanwhile"),
                format!("daypass migrate --undo {name}"),
            ),
            Err(error) => Error::failed(
                format!("the migrated profile does not work: {why}; the files could not be restored: {}", error.what),
                format!("daypass migrate --undo {name}"),
            ),
        }
    }
}

/// Both changes as unified diffs, with values masked.
pub(super) fn diff(changes: &[FileChange; 2]) -> String {
    let diff = |change: &FileChange| {
        if change.is_empty() {
            return String::new();
        }
        store::masked_diff(&change.path, change.before.as_ref().map(|text| text.as_str()), &change.after)
    };
    changes.iter().map(diff).collect()
}

/// Whether a change was written, or there was nothing to write; false if the file was changed meanwhile. A backup is made of a file whose
/// change is `undone_by` a command.
fn replaced(env: &crate::sys::env::Env, change: &FileChange, undone_by: Option<&str>) -> Result<bool> {
    if change.is_empty() {
        return Ok(true);
    }
    let before = change.before.as_ref().map(|text| text.as_str());
    store::replace(
        env,
        Replacement { path: &change.path, before, after: &change.after, backup: undone_by.is_some(), undone_by, mode: None },
    )
}

/// Whether a change was taken back; false if the file was changed meanwhile.
fn restored(env: &crate::sys::env::Env, change: &FileChange) -> Result<bool> {
    match &change.before {
        _ if change.is_empty() => Ok(true),
        Some(before) => {
            let (path, before) = (&change.path, before.as_str());
            let new = Replacement { path, before: Some(&change.after), after: before, backup: false, undone_by: None, mode: None };
            store::replace(env, new)
        }
        None => store::remove(env, &change.path, &change.after),
    }
}
