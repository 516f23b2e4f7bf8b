//! The record of the credentials that were handed out. Touches its own file only.
//!
//! One line of JSON for each, appended by one write, so that concurrent processes need no lock. There are no secrets in it: the access key
//! ID is what CloudTrail shows. A record that can't be written fails nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sys::file;

/// The current file, and the one before it.
const FILES: [&str; 2] = ["issued.jsonl", "issued.1.jsonl"];

/// The size in bytes at which the current file becomes the one before, about three thousand lines.
const MOST: u64 = 1 << 20;

/// One set of credentials that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// When, in RFC 3339.
    pub time: String,
    /// The subcommand of daypass.
    pub command: String,
    /// The profile, if one was named: the command line of a `credential_process` usually names none.
    pub profile: Option<String>,
    /// The account of the credentials.
    pub account: String,
    /// Their role.
    pub role: String,
    /// Their access key ID.
    pub access_key_id: String,
    /// When they expire, in RFC 3339.
    pub expires: String,
    /// Whether they were in the keyring already.
    pub cached: bool,
    /// The program that started daypass, if the system tells it quickly.
    pub program: Option<String>,
    /// The coding agent, if one was detected.
    pub agent: Option<String>,
}

/// The record in one folder; None if there is none.
pub struct Issued {
    folder: Option<PathBuf>,
}

impl Issued {
    /// The record in this folder, which is created by the first write.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Adds a line.
    pub fn add(&self, issue: &Issue) {
        let Some(folder) = &self.folder else { return };
        if let Err(error) = append(folder, issue) {
            log::debug!("the credentials were not recorded: {error}");
        }
    }

    /// All lines, the oldest first. Lines that can't be read are left out.
    pub fn all(&self) -> Vec<Issue> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let texts = FILES.iter().rev().filter_map(|name| file::read(&folder.join(name)).ok());
        let all = texts.flat_map(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Issue>>()
        });
        all.collect()
    }
}

fn append(folder: &Path, issue: &Issue) -> io::Result<()> {
    let mut line = serde_json::to_vec(issue)?;
    line.push(b'\n');
    // Root with the variables of another user leaves nothing in that user's folder.
    #[cfg(unix)]
    file::refuse_for_root(folder)?;
    let path = folder.join(FILES[0]);
    let mut file = match open(&path, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file::private_folder(folder)?;
            open(&path, true)?
        }
        other => other?,
    };
    file.write_all(&line)?;
    if file.metadata()?.len() > MOST {
        fs::rename(&path, folder.join(FILES[1]))?;
    }
    Ok(())
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(create);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // Writes a file of its own.
mod tests {
    use super::*;

    fn issue(n: usize) -> Issue {
        let text = || n.to_string();
        let (time, command, account, role, access_key_id, expires) = (text(), text(), text(), text(), text(), text());
        Issue { time, command, profile: None, account, role, access_key_id, expires, cached: false, program: None, agent: None }
    }

    #[test]
    fn the_record_is_private_bounded_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let issued = Issued::new(Some(folder.path().join("new")));
        for n in 0..20_000 {
            issued.add(&issue(n));
        }
        let all = issued.all();
        let number = |issue: &Issue| issue.time.parse::<u32>().unwrap();
        assert_eq!(all.last().unwrap(), &issue(19_999));
        assert!(all.windows(2).all(|pair| number(&pair[0]) + 1 == number(&pair[1])));
        let size = |name| fs::metadata(folder.path().join("new").join(name)).unwrap().len();
        assert!(all.len() > 5000 && size(FILES[0]) + size(FILES[1]) < 2 * MOST + 1000);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("new").join(FILES[0])).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(folder.path().join("new").join(FILES[0]), "damaged\n").unwrap();
        assert!(!issued.all().is_empty());
    }
}
