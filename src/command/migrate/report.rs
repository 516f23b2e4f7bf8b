//! What a migration tells: before it, what would change; after it, what is left to do.

use std::collections::BTreeMap;

use super::Migration;
use super::carry_out::{Orders, diff};
use super::files::{self, Files, KeyGroup};
use crate::access_key::masked;
use crate::command::clean_lines;
use crate::error::Result;
use crate::migration::plan::{self, FileChange};
use crate::profile::store;
use crate::text::{self, shell_quote};
use crate::ui::terminal;
use crate::vault::ParkedKey;

impl Migration<'_> {
    fn say(&self, line: &str) {
        self.context.tell(&text::clean(line));
    }

    /// `--dry-run`.
    pub(super) fn show(&self, files: &Files, group: &KeyGroup, orders: &Orders, changes: &[FileChange; 2]) -> Result<()> {
        let text = diff(changes);
        self.context.print(&if terminal::shows_output() { clean_lines(&text) } else { text })?;
        let (role, account) = (&orders.chosen.role.role, &orders.chosen.role.account);
        self.say(&format!("Dry run: {} would use {role} in {account}.", profiles(group)));
        self.say(&format!("Key {} would move from the files to the keyring.", masked(group.id())));
        self.tell_chains(files, group, orders);
        Ok(())
    }

    /// What was done, and what is left.
    pub(super) fn report(&self, group: &KeyGroup, orders: &Orders, changes: &[FileChange; 2], parked: &ParkedKey) -> Result<()> {
        let (role, account) = (&orders.chosen.role.role, &orders.chosen.role.account);
        let name = orders.chosen.account_name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let verb = if group.profiles.len() == 1 { "uses" } else { "use" };
        self.say(&format!(
            "{} now {verb} {role} in {account}{name}. Key {} is in the keyring.",
            profiles(group),
            masked(group.id())
        ));
        for step in &orders.steps {
            if let Some(base) = step.base.as_ref().filter(|base| !base.exists) {
                self.say(&format!("Profile {} assumes its role through the new profile {}.", step.profile, base.name));
            }
        }
        let files = Files::read(&self.context.env)?;
        self.tell_chains(&files, group, orders);
        self.tell_copies(group, changes)?;
        if let [config, _] = changes
            && config.before.is_some()
            && !config.is_empty()
        {
            self.say(&format!("The previous config file, without secrets, is in {}.", store::backup_path(&config.path).display()));
        }
        let first = group.names().first().map(|name| shell_quote(name).into_owned()).unwrap_or_default();
        if parked.kept {
            self.say(&format!("The key stays active. Undo: daypass migrate --undo {first}"));
        } else {
            self.say(&format!("The key is still active. Undo: daypass migrate --undo {first}"));
            self.say(&format!("When everything works, deactivate it: daypass retire {first}"));
        }
        Ok(())
    }

    /// The profiles that assume a role through the migrated ones.
    fn tell_chains(&self, files: &Files, group: &KeyGroup, orders: &Orders) {
        let role = &orders.chosen.role.role;
        for chained in plan::chained(&files.config, &group.names()) {
            let (name, source) = (&chained.name, &chained.source);
            let command = format!("aws sts get-caller-identity --profile {}", shell_quote(name));
            self.say(&format!("Profile {name} assumes {} through {source}: its trust policy must allow {role}.", chained.role_arn));
            self.say(&format!("  Check: {command}"));
            if let Some(place) = chained.mfa.filter(|_| !orders.without_mfa.contains(name)) {
                self.say(&format!("  It asks for an MFA code, which a role can't give: remove mfa_serial ({place})."));
            }
        }
        for profile in &group.profiles {
            if let Some(place) = profile.mfa.as_ref().filter(|_| !orders.without_mfa.contains(&profile.name)) {
                let name = &profile.name;
                self.say(&format!("Profile {name} asks for an MFA code, which a role can't give: remove mfa_serial ({place})."));
            }
        }
    }

    /// Where the key is left: in profiles that can't be migrated, in comments and other known places, and in a backup of an earlier daypass.
    fn tell_copies(&self, group: &KeyGroup, changes: &[FileChange; 2]) -> Result<()> {
        for profile in &group.unsuitable {
            self.say(&format!("Profile {} still contains the key: it {}; {}.", profile.name, profile.why, profile.hint));
        }
        let secret = group.secret();
        for change in changes {
            let Some(backup) = store::clean_backup(&change.path, secret.expose(), false)? else { continue };
            let shown = backup.display();
            if self.agrees(&format!("The backup {shown} contains the key. Remove the secret from it?"), false)? {
                store::clean_backup(&change.path, secret.expose(), true)?;
            } else {
                self.say(&format!("A backup still contains the key: {shown}"));
            }
        }
        let mut places: BTreeMap<String, Option<usize>> = files::copies(&self.context.env, group.id()).into_iter().collect();
        for (file, line) in changes.iter().filter_map(|change| plan::copy_in(change, &secret)) {
            places.entry(file).or_insert(Some(line));
        }
        for (file, line) in places {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            self.say(&format!("The key is also in {file}{line}"));
        }
        Ok(())
    }
}

/// `Profile dev`, or `Profiles default, dev`.
fn profiles(group: &KeyGroup) -> String {
    let word = if group.profiles.len() == 1 { "Profile" } else { "Profiles" };
    format!("{word} {}", group.names().join(", "))
}
