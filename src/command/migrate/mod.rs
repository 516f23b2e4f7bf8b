//! `daypass migrate`: turns profiles with long-lived keys, and those of other tools, into daypass profiles of the same name.

mod carry_out;
mod choice;
mod files;
mod other_tools;
mod report;
mod undo;

use crate::access_key::LongLivedKey;
use crate::command::flags::SessionFlags;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::migration::plan::Unsuitable;
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::text;
use crate::ui::{prompt, terminal};

use files::{Files, StartupKey};

/// Turn profiles with long-lived keys into daypass profiles of the same name
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass migrate dev
  daypass migrate --all --dry-run
  daypass migrate dev --session corp --role DeveloperAccess \\
      --try 'aws s3 ls s3://my-bucket'
  daypass migrate --undo dev

The role must be in the account of the key; daypass proposes the roles that the
portal lists for it. Before anything is changed, the role's credentials are
verified. Then the key moves from the files to the keyring, and the profile
calls daypass. Profiles with the same key are migrated together. Profiles of
Granted, aws-sso-cli, aws-sso-util and aws-vault are converted.

The key stays active at AWS until 'daypass retire'. daypass can't see policies
that name the IAM user of the key (trust, bucket and key policies): test what
depends on them with --try.")]
pub struct Args {
    /// Profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Migrate every profile whose replacement is certain, and list what is missing for the others
    #[arg(long, conflicts_with_all = ["profiles", "undo"])]
    pub all: bool,
    /// The session.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Account ID (12 digits) of the key, if the key does not contain it
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Role (permission set) that replaces the key
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// Program name to write into credential_process, such as 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME")]
    pub helper: Option<String>,
    /// Run this with the credentials of the role first, and stop if it fails
    #[arg(long = "try", value_name = "COMMAND")]
    pub attempt: Option<String>,
    /// Change only the files: the key stays active, and 'status' and 'retire' don't remind you of it
    #[arg(long)]
    pub keep_key: bool,
    /// Restore the files as they were before the migration, and reactivate the key if it was deactivated
    #[arg(long, conflicts_with_all = ["attempt", "keep_key", "account", "role"])]
    pub undo: bool,
    /// Accept every proposal without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Print what would change, with values masked, without changing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print the sign-in address without opening a browser
    #[arg(long)]
    pub no_browser: bool,
}

/// One run of the command.
struct Migration<'a> {
    context: &'a Context,
    args: &'a Args,
    /// The keys of start-up files.
    startup: Vec<StartupKey>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    if args.undo {
        return Migration { context, args: &args, startup: Vec::new() }.undo();
    }
    files::refuse_exported_key(context)?;
    let run = Migration { context, args: &args, startup: files::startup_keys(&context.env) };
    Files::read(&context.env)?.refuse_unreliable()?;
    let _lock = if args.dry_run { None } else { files::lock(&context.env)? };
    let done = if args.all { run.all() } else { run.named() }?;
    for startup in &run.startup {
        context.tell(&text::clean(&format!("warning: {}: new shells use it instead of AWS_PROFILE", startup.described())));
    }
    Ok(done)
}

impl Migration<'_> {
    fn named(&self) -> Result<u8> {
        let names = match self.args.profiles.as_slice() {
            [] => vec![self.context.env.profile().unwrap_or("default").to_owned()],
            names => names.to_vec(),
        };
        let mut done: Vec<String> = Vec::new();
        for name in names {
            if !done.contains(&name) {
                done.extend(self.one(&name)?);
            }
        }
        Ok(0)
    }

    /// Migrates one profile, and those that have the same key. Returns their names.
    fn one(&self, name: &str) -> Result<Vec<String>> {
        // Each migration changes the files.
        let files = Files::read(&self.context.env)?;
        if let Some(group) = files.groups().into_iter().find(|group| group.names().contains(&name)) {
            let names = group.names().into_iter().map(str::to_owned).collect();
            self.migrate(files, group, Certainty::OrAsk)?;
            return Ok(names);
        }
        if let Some(Unsuitable { name, why, hint, .. }) = files.unsuitable().into_iter().find(|profile| profile.name == name) {
            return Err(Error::usage(format!("profile \"{name}\" {why}"), hint));
        }
        if self.convert(&files, Some(name))? {
            return Ok(vec![name.to_owned()]);
        }
        let request = RoleRequest { profile: Some(name.to_owned()), ..RoleRequest::default() };
        let target = resolve::target_in(&files.config, &self.context.env, &request)?;
        let (role, account) = (&target.role, &target.account);
        self.context.tell(&text::clean(&format!("Profile {name} has no key: it uses {role} in {account} already.")));
        Ok(vec![name.to_owned()])
    }

    /// Migrates every profile whose replacement is certain, and lists the others.
    fn all(&self) -> Result<u8> {
        let files = Files::read(&self.context.env)?;
        let mut left: Vec<(String, Error)> = Vec::new();
        // Temporary keys and those of other services are not what this is about.
        let long_lived = |profile: &Unsuitable| LongLivedKey::access(&profile.id).is_some();
        for Unsuitable { name, why, hint, .. } in files.unsuitable().into_iter().filter(long_lived) {
            left.push((name, Error::usage(why, hint)));
        }
        let groups = files.groups();
        let found = groups.len() + left.len();
        for group in groups {
            let names = group.names().join(", ");
            // Each migration changes the files.
            let files = Files::read(&self.context.env)?;
            match self.migrate(files, group, Certainty::Required) {
                Err(error) if matches!(error.exit, Exit::Interrupted | Exit::Keyring) => return Err(error),
                Err(error) => left.push((names, error)),
                Ok(()) => {}
            }
        }
        let converted = self.convert(&Files::read(&self.context.env)?, None)?;
        if found == 0 && !converted {
            self.context.tell("No profile has a long-lived key.");
        }
        if !left.is_empty() {
            terminal::say("Not migrated:");
        }
        for (names, error) in &left {
            terminal::say(&text::clean(&format!("  {names}: {}; {}", error.what, error.hint)));
        }
        Ok(left.first().map_or(0, |(_, error)| error.exit as u8))
    }

    /// A yes-or-no question; `default` without a terminal. `--yes` answers yes.
    fn agrees(&self, question: &str, default: bool) -> Result<bool> {
        if self.args.yes {
            return Ok(true);
        }
        if !self.context.may_prompt() {
            return Ok(default);
        }
        typed(prompt::confirm(&text::clean(question), true))
    }
}

/// Whether a role may be asked for if several could replace a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// No: the profile is left alone.
    Required,
    /// On a terminal.
    OrAsk,
}

/// What was typed. The end of the input decides nothing.
fn typed<T>(answer: std::io::Result<Option<T>>) -> Result<T> {
    let answer = answer.map_err(|error| Error::failed(format!("can't read standard input: {error}"), "daypass migrate --help"))?;
    answer.ok_or_else(|| Error::new(Exit::Interrupted, "input ended; nothing was changed", "daypass migrate --help"))
}
