//! `daypass use`: makes `[default]` a copy of a profile, for shells and programs in which nothing names one, and undoes that.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{choose, diff_for_stdout};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::history::DefaultProfile;
use crate::migration::plan::{STATIC_KEYS, undo_of};
use crate::profile::edit::{self, Change};
use crate::profile::ini::FileKind;
use crate::profile::precedence::Precedence;
use crate::profile::request::RoleRequest;
use crate::profile::resolve::{self, CredentialSource, RoleTarget, SSO_KEYS};
use crate::profile::store::{self, Plan, Replacement};
use crate::profile::undo::{FileUndo, Restored};
use crate::profile::{Block, Config, helper};
use crate::text;

/// Make a profile the default for new shells and IDEs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass use dev
  daypass use           # pick one
  daypass use --none    # restore the previous [default]

[default] becomes a copy of the profile. --none restores what it was before:
byte for byte if the file was not changed since, otherwise key by key. A
[default] with access keys is not touched ('daypass migrate default' replaces
the key). [default] has no effect where AWS_PROFILE is set.")]
pub struct Args {
    /// Profile [default: choose from a list]
    #[arg(value_name = "PROFILE")]
    pub name: Option<String>,
    /// Restore the previous [default]
    #[arg(long, conflicts_with = "name")]
    pub none: bool,
    /// Print the change as a diff without writing it
    #[arg(long)]
    pub dry_run: bool,
}

/// The name of the section.
const DEFAULT: &str = "default";

/// How often the change is tried again because another program changed the file.
const TRIES: usize = 20;

/// Keys of a profile that `[default]` does not repeat: other sources of credentials, and what daypass itself reads.
const NOT_COPIED: [&str; 10] = [
    "credential_process",
    "role_arn",
    "source_profile",
    "credential_source",
    "role_session_name",
    "external_id",
    "duration_seconds",
    "mfa_serial",
    "daypass_agents",
    "daypass_agent_role",
];

/// Runs the command.
///
/// # Errors
/// No such profile, or one without a role; a `[default]` that must be kept; those of writing the config file.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let name = match (args.none, args.name) {
        (true, _) => None,
        (false, Some(name)) => Some(name),
        (false, None) => match choose::profile(context, DEFAULT)? {
            Some(name) => Some(name),
            None => return Ok(Exit::Interrupted as u8),
        },
    };
    for _ in 0..TRIES {
        let change = DefaultChange::new(context, name.as_deref())?;
        if args.dry_run {
            context.print(&diff_for_stdout(&change.plan()))?;
            return Ok(0);
        }
        if change.write(context)? {
            change.tell(context);
            return Ok(0);
        }
    }
    let path = context.env.config_file().unwrap_or_default();
    let what = format!("{} keeps changing while daypass writes it", path.display());
    Err(Error::again(what, "close the other program that writes it, then"))
}

/// A change of the config file.
struct DefaultChange {
    path: PathBuf,
    before: Option<Zeroizing<String>>,
    after: Option<Zeroizing<String>>,
    /// The new default, with what undoes the change. None if `[default]` is restored.
    new: Option<(RoleTarget, DefaultProfile)>,
    /// Whether there was something to restore.
    had: bool,
    /// What the user should know.
    remarks: Vec<String>,
}

impl DefaultChange {
    /// Computes the change. A second `use` replaces the first one, so `--none` always restores the user's own `[default]`.
    fn new(context: &Context, name: Option<&str>) -> Result<Self> {
        let env = &context.env;
        let path = env
            .config_file()
            .ok_or_else(|| Error::usage("no home folder for .aws/config", "export AWS_CONFIG_FILE=/path/to/config"))?;
        let before = store::read(&path)?;
        let record = context.history().default_profile(&path.to_string_lossy());
        let restored =
            record.as_ref().map(|record| record.undo.restore(before.as_ref().map(|text| text.as_str()), FileKind::Config));
        let base = match restored.transpose()? {
            None | Some(Restored::Unchanged) => before.clone(),
            Some(Restored::Exactly(text)) => text,
            Some(Restored::Merged(text)) => Some(text),
        };
        let mut change = Self { path, before, after: base, new: None, had: record.is_some(), remarks: Vec::new() };
        if let Some(name) = name {
            change.copy(context, name)?;
        }
        Ok(change)
    }

    /// Makes `[default]` a copy of this profile in the text that is to be written.
    fn copy(&mut self, context: &Context, name: &str) -> Result<()> {
        let env = &context.env;
        if name == DEFAULT {
            return Err(Error::usage("[default] already is the default", "daypass use --none"));
        }
        let base = self.after.take();
        let text = base.as_ref().map(|text| text.to_string()).unwrap_or_default();
        let config = Config::with_credentials(env, self.path.clone(), text.clone())?;
        if let Some(rejection) = config.rejections().first() {
            return Err(Error::usage(rejection.line(), rejection.fix.clone()));
        }
        let request = |name: &str| RoleRequest { profile: Some(name.to_owned()), ..RoleRequest::default() };
        let target = resolve::target_in(&config, env, &request(name))?;
        let Some(profile) = config.profile(name) else {
            return Err(Error::failed(format!("there is no profile \"{name}\""), "daypass list --profiles"));
        };
        let own = Config::of_texts((self.path.clone(), text.clone()), Default::default());
        let edit = self.edit(context, &profile, own.profile(DEFAULT).as_ref())?;
        refuse_keys(&config, &edit, name)?;

        let after = Zeroizing::new(edit::apply(&text, FileKind::Config, std::slice::from_ref(&edit))?);
        let new = Config::with_credentials(env, self.path.clone(), after.to_string())?;
        let default = resolve::target_in(&new, env, &request(DEFAULT))?;
        if (&default.session, &default.account, &default.role, &default.chain.len())
            != (&target.session, &target.account, &target.role, &target.chain.len())
        {
            let what = format!("[default] would not give the role of profile \"{name}\"");
            return Err(Error::failed(what, format!("export AWS_PROFILE={}", text::shell_quote(name))));
        }
        let based = |block: &&Block<'_>| *block.name != *name && block.text("source_profile") == Some(DEFAULT);
        let blocks = config.profiles();
        let based: Vec<&str> = blocks.iter().filter(based).map(|block| &*block.name).collect();
        if !based.is_empty() {
            self.remarks.push(format!("Their source_profile is default, so these now use it too: {}", based.join(", ")));
        }

        let shown = self.path.to_string_lossy();
        let sections = undo_of(&text, FileKind::Config, &[edit]);
        let before = base.as_ref().map(|text| text.as_str());
        let undo = FileUndo::new(shown.clone().into_owned(), store::mode(&self.path), before, &after, sections);
        if undo.has_secret() {
            let what = format!("{shown} has a secret among the lines to change, and daypass keeps no copy of a secret");
            return Err(Error::usage(what, format!("export AWS_PROFILE={}", text::shell_quote(name))));
        }
        self.after = Some(after);
        self.new = Some((target, DefaultProfile { profile: name.to_owned(), undo }));
        Ok(())
    }

    /// The change that makes `[default]`, which is now `old`, a copy of a profile. Nested values, which only tune transfers, stay as they
    /// are.
    fn edit(&mut self, context: &Context, profile: &Block<'_>, old: Option<&Block<'_>>) -> Result<Change> {
        let line = match (resolve::credential_source(profile), profile.text("credential_process")) {
            (CredentialSource::Helper(_), Some(line)) => line.to_owned(),
            _ => helper::profile_line(&helper::program(&context.env, None)?, &profile.name)?,
        };
        let is_other_source = |key: &str| NOT_COPIED.contains(&key) || SSO_KEYS.contains(&key) || STATIC_KEYS.contains(&key);
        let (nested, plain): (Vec<_>, Vec<_>) = profile
            .values
            .iter()
            .filter(|value| !value.text.is_empty() && !is_other_source(&value.key))
            .partition(|value| value.text.contains('\n'));
        if !nested.is_empty() {
            let keys: Vec<&str> = nested.iter().map(|value| &*value.key).collect();
            self.remarks.push(format!("Nested settings are not copied: {}", keys.join(", ")));
        }
        let settings = plain.into_iter().map(|value| (value.key.to_string(), value.text.to_string()));
        let set = std::iter::once(("credential_process".to_owned(), line)).chain(settings).collect();
        let replaced = old.map(|old| old.values.as_slice()).unwrap_or_default().iter().filter(|value| !value.text.contains('\n'));
        let remove = replaced.map(|value| value.key.to_string()).filter(|key| !STATIC_KEYS.contains(&&**key)).collect();
        Ok(Change::Profile { name: DEFAULT.to_owned(), set, remove, mark: None })
    }

    fn plan(&self) -> Plan {
        let text = |text: &Option<Zeroizing<String>>| text.as_ref().map(|text| text.to_string());
        Plan { path: self.path.clone(), before: text(&self.before), after: text(&self.after).unwrap_or_default() }
    }

    /// Writes the file if it still is what was read. Returns whether it was.
    fn write(&self, context: &Context) -> Result<bool> {
        let shown = self.path.to_string_lossy();
        let history = context.history();
        let record = |default: Option<DefaultProfile>| {
            history.set_default_profile(&shown, default).map_err(|error| {
                Error::failed(format!("can't record the previous [default]: {error}; nothing was written"), "daypass status -v")
            })
        };
        // Before the file: what it was must never be lost.
        if let Some((_, default)) = &self.new
            && self.before != self.after
        {
            record(Some(default.clone()))?;
        }
        let done = match (&self.before, &self.after) {
            (before, after) if before == after => true,
            (Some(before), None) => store::remove(&context.env, &self.path, before)?,
            (before, after) => {
                let (before, after) = (before.as_ref().map(|text| text.as_str()), after.as_ref().map_or("", |text| text.as_str()));
                store::replace(
                    &context.env,
                    Replacement { path: &self.path, before, after, backup: true, undone_by: None, mode: None },
                )?
            }
        };
        if done && self.new.is_none() && self.had {
            record(None)?;
        }
        Ok(done)
    }

    fn tell(&self, context: &Context) {
        let tell = |line: String| context.tell(&text::clean(&line));
        let same = self.before == self.after;
        match &self.new {
            Some((target, default)) => {
                let (name, verb) = (&default.profile, if same { "is already" } else { "is now" });
                let region = target.region.as_deref().map(|region| format!(", {region}")).unwrap_or_default();
                let back = if same { "" } else { " Undo: daypass use --none" };
                tell(format!(
                    "The default {verb} {name}: {} in {}{region}.{back}",
                    target.described_role(),
                    target.final_account()
                ));
            }
            None if self.had => tell(format!("Restored [default] in {}.", self.path.display())),
            None => tell("Nothing to restore: [default] was not written by 'daypass use'.".to_owned()),
        }
        super::tell_backup(context, &self.plan());
        self.remarks.iter().for_each(|remark| tell(format!("{remark}.")));
        if let (Some(_), Some((variable, profile))) = (&self.new, context.env.profile_variable()) {
            tell(format!("In this shell {variable} is {profile}, which takes precedence."));
        }
    }
}

/// An error if `[default]` has access keys, or another source that AWS tools would go on using after this change.
fn refuse_keys(config: &Config, edit: &Change, name: &str) -> Result<()> {
    let precedence = Precedence::new(config);
    let Some(block) = precedence.profile(DEFAULT) else { return Ok(()) };
    let keys = STATIC_KEYS.iter().find_map(|key| block.get(key));
    let keys = keys.map(|key| format!("[default] has {} ({}), which is not touched", key.key, key.place()));
    let Some(what) = keys.or_else(|| edit::other_source(&precedence, block, edit)) else { return Ok(()) };
    let hint = resolve::migrate_hint(block).unwrap_or_else(|| format!("export AWS_PROFILE={}", text::shell_quote(name)));
    Err(Error::usage(what, hint))
}
