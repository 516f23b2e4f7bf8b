//! `--undo`: restores the files as they were before a migration, and reactivates the key.

use std::path::PathBuf;

use super::Migration;
use super::files;
use crate::access_key::masked;
use crate::command::retire;
use crate::error::{Error, Result};
use crate::profile::Config;
use crate::profile::ini::FileKind;
use crate::profile::store::{self, Replacement};
use crate::profile::undo::{FileUndo, Restored};
use crate::text::{self, edit_file, shell_quote};
use crate::vault::ParkedKey;

/// How often a file is restored again because another program changed it.
const TRIES: usize = 5;

impl Migration<'_> {
    pub(super) fn undo(&self) -> Result<u8> {
        let context = self.context;
        let _lock = files::lock(&context.env)?;
        context.unlock()?;
        let parked = context.vault()?.parked()?;
        let find = |name: &String| retire::find(&parked, Some(name)).cloned();
        let chosen = match self.args.profiles.as_slice() {
            [] => vec![retire::find(&parked, None)?.clone()],
            names => names.iter().map(find).collect::<Result<Vec<_>>>()?,
        };
        for parked in &chosen {
            refuse_other_key(&Config::read(&context.env)?, parked)?;
        }
        for parked in chosen {
            let id = masked(&parked.id);
            let mut active = true;
            if parked.inactive_since.is_some() {
                if let Err(error) = retire::reactivate(context, &parked, self.args.no_browser) {
                    active = false;
                    context.tell(&text::clean(&format!("Key {id} stays inactive: {}.", error.what)));
                } else {
                    context.tell(&format!("Reactivated key {id}."));
                }
            }
            // The credentials file was written last.
            for file in parked.files.iter().rev() {
                self.restore(file)?;
            }
            let names = parked.profiles.join(", ");
            if active {
                context.vault()?.delete_parked(&parked.id)?;
                context.tell(&text::clean(&format!("Restored {names}: the files contain key {id} again.")));
            } else {
                context.tell(&text::clean(&format!("Restored {names}; the key does not work until it is activated:")));
                retire::tell_administrator(context, &parked, "update-access-key", Some("Active"));
            }
        }
        Ok(0)
    }

    fn restore(&self, undo: &FileUndo) -> Result<()> {
        let env = &self.context.env;
        // A path that is not UTF-8 is not the text that was stored.
        let known = [(env.config_file(), FileKind::Config), (env.credentials_file(), FileKind::Credentials)];
        let own = known.into_iter().find_map(|(path, kind)| Some((path.filter(|path| path.to_string_lossy() == undo.path)?, kind)));
        let Some((path, kind)) = own else {
            let shown = PathBuf::from(&undo.path);
            let what = format!("the key was in {}, which is neither the config file nor the credentials file now", shown.display());
            return Err(Error::failed(what, format!("export AWS_SHARED_CREDENTIALS_FILE={}", shell_quote(&undo.path))));
        };
        for _ in 0..TRIES {
            let now = store::read(&path)?;
            let now = now.as_ref().map(|text| text.as_str());
            let (after, mode) = match undo.restore(now, kind)? {
                Restored::Unchanged => return Ok(()),
                Restored::Exactly(Some(text)) => (text, undo.mode),
                Restored::Merged(text) => {
                    self.context
                        .tell(&text::clean(&format!("{} was changed since; only the profile is restored.", path.display())));
                    (text, None)
                }
                Restored::Exactly(None) => {
                    if store::remove(env, &path, now.unwrap_or_default())? {
                        return Ok(());
                    }
                    continue;
                }
            };
            if store::replace(env, Replacement { path: &path, before: now, after: &after, backup: false, undone_by: None, mode })? {
                return Ok(());
            }
        }
        let what = format!("{} keeps changing while daypass restores it", path.display());
        Err(Error::again(what, "close the other program that writes it, then"))
    }
}

/// Refuses to overwrite another key that a profile got since.
fn refuse_other_key(config: &Config, parked: &ParkedKey) -> Result<()> {
    for name in &parked.profiles {
        let block = config.profile(name);
        let Some(other) = block.as_ref().and_then(|block| block.get("aws_access_key_id")) else { continue };
        if !other.text.contains(&*parked.id) {
            let (id, place) = (masked(&other.text), other.place());
            let what = format!("profile \"{name}\" has key {id} now ({place}), which would be lost: remove or rename it first");
            return Err(Error::usage(what, edit_file(&other.file.to_string_lossy())));
        }
    }
    Ok(())
}
