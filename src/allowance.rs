//! Remembers for which roles a person has lifted the rule about coding agents, and until when. Touches its own file only.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::profile::resolve::RoleTarget;
use crate::sys::file;
use crate::text::shell_quote;

/// One line for each role: seconds since 1970, a blank, the role.
const FILE: &str = "allowed";

/// The allowances in one folder; None if the user has no home folder.
pub struct Allowances {
    folder: Option<PathBuf>,
}

impl Allowances {
    /// The allowances in this folder, which is created by the first write.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Allows agents this role until then.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn allow(&self, target: &RoleTarget, until: OffsetDateTime, now: OffsetDateTime) -> Result<()> {
        let Some(folder) = &self.folder else {
            return Err(Error::failed("there is no home folder to remember this in", "export HOME=/path/to/home"));
        };
        let key = key(target);
        let others = self.valid(now).into_iter().filter(|(_, other)| *other != key);
        let lines = others.chain([(until.unix_timestamp(), key.clone())]).map(|(until, key)| format!("{until} {key}\n"));
        let text: String = lines.collect();
        let path = folder.join(FILE);
        let write = || {
            file::private_folder(folder)?;
            file::replace_private(&path, text.as_bytes(), false)
        };
        write().map_err(|error: std::io::Error| {
            let shown = path.display().to_string();
            Error::failed(format!("can't write {shown}: {error}"), format!("ls -ld {}", shell_quote(&folder.to_string_lossy())))
        })
    }

    /// Whether agents are allowed this role now.
    pub fn covers(&self, target: &RoleTarget, now: OffsetDateTime) -> bool {
        let key = key(target);
        self.valid(now).iter().any(|(_, allowed)| *allowed == key)
    }

    fn valid(&self, now: OffsetDateTime) -> Vec<(i64, String)> {
        let read = |folder: &Path| file::read(&folder.join(FILE)).ok();
        let bytes = self.folder.as_deref().and_then(read).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let lines = lines.filter_map(|(until, key)| Some((until.parse().ok()?, key.to_owned())));
        lines.filter(|(until, _)| *until > now.unix_timestamp()).collect()
    }
}

/// A helper's command line does not know its profile, so the role is what is allowed.
fn key(target: &RoleTarget) -> String {
    let mut words = vec![target.session.start_url.clone(), target.account.to_string(), target.role.to_string()];
    words.extend(target.chain.iter().map(|role| role.arn.to_string()));
    words.join(" ")
}
