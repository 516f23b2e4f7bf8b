//! The user's two files, as a migration reads them, and what must be right before anything is changed.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::access_key::{LongLivedKey, masked};
use crate::audit::find::{self, Hit, Secret as SecretKind};
use crate::audit::places::{Format, Kind};
use crate::audit::walk::FileHits;
use crate::audit::{self, Scope};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::migration::plan::{self, StaticProfile, Unsuitable};
use crate::profile::{Config, store};
use crate::secret::Secret;
use crate::sys::clock::Deadline;
use crate::sys::env::Env;
use crate::sys::file;
use crate::sys::lock::{Folders, Lock};
use crate::text::{edit_file, shell_quote};

/// How long to wait for another migration.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// Both files.
pub(super) struct Files {
    /// What they mean.
    pub(super) config: Config,
    /// Their texts, the config file first; None if there is no file.
    texts: [Option<Zeroizing<String>>; 2],
}

/// Profiles with the same key.
#[derive(Debug, Clone)]
pub(super) struct KeyGroup {
    /// At least one.
    pub(super) profiles: Vec<StaticProfile>,
    /// The profiles that have the key too but can't be migrated.
    pub(super) unsuitable: Vec<Unsuitable>,
}

impl KeyGroup {
    /// The access key ID.
    pub(super) fn id(&self) -> &str {
        self.profiles.first().map(|profile| profile.id.as_str()).unwrap_or_default()
    }

    /// The secret access key.
    pub(super) fn secret(&self) -> Secret {
        self.profiles.first().map_or_else(|| Secret::new(""), |profile| profile.secret.clone())
    }

    /// The names of the profiles.
    pub(super) fn names(&self) -> Vec<&str> {
        self.profiles.iter().map(|profile| &*profile.name).collect()
    }
}

impl Files {
    /// Reads both.
    pub(super) fn read(env: &Env) -> Result<Self> {
        let no_home = || Error::usage("no home folder for .aws/config", "export AWS_CONFIG_FILE=/path/to/config");
        let config = env.config_file().ok_or_else(no_home)?;
        let credentials = env.credentials_file().ok_or_else(no_home)?;
        let texts = [store::read(&config)?, store::read(&credentials)?];
        let [of_config, of_credentials] =
            texts.each_ref().map(|text| text.as_ref().map(|text| text.to_string()).unwrap_or_default());
        Ok(Self { config: Config::of_texts((config, of_config), (credentials, of_credentials)), texts })
    }

    /// The texts, the config file first.
    pub(super) fn texts(&self) -> [Option<&str>; 2] {
        self.texts.each_ref().map(|text| text.as_ref().map(|text| text.as_str()))
    }

    /// The profiles that can be migrated, by key, in file order.
    pub(super) fn groups(&self) -> Vec<KeyGroup> {
        let mut groups: Vec<KeyGroup> = Vec::new();
        for profile in plan::static_profiles(&self.config).into_iter().flatten() {
            match groups.iter_mut().find(|group| group.id() == profile.id.as_str()) {
                Some(group) => group.profiles.push(profile),
                None => groups.push(KeyGroup { profiles: vec![profile], unsuitable: Vec::new() }),
            }
        }
        for profile in self.unsuitable() {
            if let Some(group) = groups.iter_mut().find(|group| group.id() == profile.id) {
                group.unsuitable.push(profile);
            }
        }
        groups
    }

    /// The profiles with a key that can't be migrated.
    pub(super) fn unsuitable(&self) -> Vec<Unsuitable> {
        let profiles = plan::static_profiles(&self.config);
        let suitable: Vec<String> = profiles.iter().flatten().map(|profile| profile.name.clone()).collect();
        let mut unsuitable: Vec<Unsuitable> = profiles.into_iter().filter_map(std::result::Result::err).collect();
        for hidden in self.hidden().into_iter().filter(|hidden| !suitable.contains(&hidden.name)) {
            match unsuitable.iter_mut().find(|profile| profile.name == hidden.name) {
                // Its key is one, if it is written otherwise.
                Some(profile) if LongLivedKey::access(&profile.id).is_none() => *profile = hidden,
                Some(_) => {}
                None => unsuitable.push(hidden),
            }
        }
        unsuitable
    }

    /// The profiles with a key and its secret that not all tools read as such: after a colon, indented, or with more than the key as
    /// the value.
    fn hidden(&self) -> Vec<Unsuitable> {
        let mut hidden: Vec<Unsuitable> = Vec::new();
        for (path, text) in self.config.paths().into_iter().zip(self.texts()) {
            for hit in find::find(text.unwrap_or_default().as_bytes(), Format::Ini) {
                let (Some(id), Some(name)) =
                    (hit.key.id(), hit.section.filter(|_| !hit.commented && hit.secret == SecretKind::Key))
                else {
                    continue;
                };
                let is_profile = self.config.profile(&name).is_some();
                if is_profile && !hidden.iter().any(|other| other.name == name) {
                    let why = format!(
                        "has key {} at {}:{}, where only some AWS tools read it: write it as aws_access_key_id = … and \
                         aws_secret_access_key = …, on lines of their own without indentation",
                        masked(id),
                        path.display(),
                        hit.line
                    );
                    hidden.push(Unsuitable { name, id: id.to_owned(), why, hint: edit_file(&path.to_string_lossy()) });
                }
            }
        }
        hidden
    }

    /// Refuses files that AWS tools reject: what a change does to their meaning can't be known.
    pub(super) fn refuse_unreliable(&self) -> Result<()> {
        match self.config.rejections().first() {
            Some(rejection) => {
                let fix = if rejection.fix.is_empty() { String::new() } else { format!("; {}", rejection.fix) };
                Err(Error::usage(format!("{}{fix}", rejection.line()), edit_file(&rejection.file.to_string_lossy())))
            }
            None => Ok(()),
        }
    }
}

/// Refuses a key in the environment, which most tools would go on using. One that daypass set ends by itself.
pub(super) fn refuse_exported_key(context: &Context) -> Result<()> {
    let env = &context.env;
    if env.access_key().is_none() || env.active().is_some() {
        return Ok(());
    }
    let hint = if cfg!(windows) {
        "set AWS_ACCESS_KEY_ID=& set AWS_SECRET_ACCESS_KEY=& set AWS_SESSION_TOKEN="
    } else {
        "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
    };
    Err(Error::usage("AWS_ACCESS_KEY_ID is set in this shell, so tools would use that key instead of any profile", hint))
}

/// A key that a shell's start-up file or the session sets: the next shell has it in its environment.
pub(super) struct StartupKey {
    path: String,
    line: usize,
    key: LongLivedKey,
}

impl StartupKey {
    /// `FILE:LINE sets key AKIA…XXXX`
    pub(super) fn described(&self) -> String {
        format!("{}:{} sets key {}", self.path, self.line, self.key.masked())
    }
}

/// The keys of start-up files. A home that can't be searched has none here: 'daypass audit' reports it.
pub(super) fn startup_keys(env: &Env) -> Vec<StartupKey> {
    let Ok(found) = audit::search(env, &Scope::Quick, &mut |_| {}) else { return Vec::new() };
    let files = found.files.into_iter().filter(|file| matches!(file.place.kind, Kind::ShellStartup | Kind::Session));
    let sets = |hit: &Hit| !hit.commented && matches!(hit.key, LongLivedKey::Access(_)) && hit.secret == SecretKind::Key;
    let of_file = |file: FileHits| {
        let path = file.path.display().to_string();
        let hits = file.hits.into_iter().filter(sets);
        hits.map(move |Hit { key, line, .. }| StartupKey { path: path.clone(), line, key })
    };
    files.flat_map(of_file).collect()
}

/// Refuses this key if a start-up file sets it: tools would go on using it.
pub(super) fn refuse_key_of_startup(keys: &[StartupKey], id: &str) -> Result<()> {
    match keys.iter().find(|startup| startup.key.id() == Some(id)) {
        None => Ok(()),
        Some(startup) => {
            let what = format!("{}, which tools would use instead of any profile: remove it there first", startup.described());
            Err(Error::usage(what, edit_file(&startup.path)))
        }
    }
}

/// The known places that contain a key besides the profiles: a file with its first line, or the name of a variable.
pub(super) fn copies(env: &Env, id: &str) -> Vec<(String, Option<usize>)> {
    let Ok(found) = audit::search(env, &Scope::Quick, &mut |_| {}) else { return Vec::new() };
    let of = |file: &FileHits| {
        // The ID alone in a backup of daypass does no harm.
        let counts = |hit: &&Hit| hit.key.id() == Some(id) && (hit.secret > SecretKind::None || file.place.takes_keys);
        let hit = file.hits.iter().find(counts)?;
        let line = Some(hit.line).filter(|_| file.place.kind != Kind::Environment);
        Some((file.path.display().to_string(), line))
    };
    found.files.iter().filter_map(of).collect()
}

/// Refuses a profile of this name in the store of the AWS Toolkit, which .NET and PowerShell search first.
pub(super) fn refuse_registered_account(env: &Env, profile: &str) -> Result<()> {
    let Some(path) = env.local_app_data().map(|folder| folder.join("AWSToolkit").join("RegisteredAccounts.json")) else {
        return Ok(());
    };
    let Ok(bytes) = file::read(&path) else { return Ok(()) };
    let accounts: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let names = accounts.as_object().into_iter().flatten().filter_map(|(_, account)| account.get("DisplayName")?.as_str());
    if !names.into_iter().any(|name| name == profile) {
        return Ok(());
    }
    let what = format!("{} contains profile \"{profile}\", which .NET and PowerShell would go on using", path.display());
    Err(Error::usage(what, format!("powershell -Command \"Remove-AWSCredentialProfile -ProfileName {}\"", shell_quote(profile))))
}

/// The lock of all migrations of a user. None if there is no folder for it: each file is replaced only if nobody else changed it.
pub(super) fn lock(env: &Env) -> Result<Option<Lock>> {
    let Some(folder) = Folders::new(env).usable() else { return Ok(None) };
    let path = folder.join("migrate.lock");
    let lock = Lock::take(&path, Deadline::after(LOCK_TIMEOUT)).map_err(|error| {
        Error::failed(format!("can't lock {}: {error}", path.display()), format!("ls -l {}", shell_quote(&path.to_string_lossy())))
    })?;
    lock.map(Some).ok_or_else(|| {
        let what = format!("another daypass has been migrating for {} seconds", LOCK_TIMEOUT.as_secs());
        Error::again(what, "wait for it to end, then")
    })
}
