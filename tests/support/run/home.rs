//! A temporary home folder with its environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use tempfile::TempDir;

use super::super::portal::Portal;
use super::command::{Input, Run, Text};
use super::{DAYPASS, LIMIT};

/// The home folder of a user who has never used AWS. Dropping it deletes the folder.
pub struct Home {
    pub(super) folder: TempDir,
    vars: BTreeMap<OsString, OsString>,
}

impl Home {
    /// An empty home. Secrets are kept in files inside it, unless [`Home::keyring`] selects another keyring.
    pub fn new() -> Self {
        super::signals::reset_ignored();
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().to_owned();
        let mut home = Self { folder, vars: BTreeMap::new() };
        // Programs do not run without the first two. The last tells a coverage build where to write its data.
        for name in ["PATH", "SystemRoot", "LLVM_PROFILE_FILE"] {
            home.vars.extend(env::var_os(name).map(|value| (name.into(), value)));
        }
        let bin = Path::new(DAYPASS).parent().expect("the program is in a folder").to_owned();
        let path_list = env::var_os("PATH").unwrap_or_default();
        let path_list = env::join_paths([bin].into_iter().chain(env::split_paths(&path_list))).expect("a PATH");
        for (name, folder) in [("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")] {
            home.make_private(folder);
            home.vars.insert(name.into(), path.join(folder).into());
        }
        home.with("PATH", path_list).with("HOME", path).keyring("file")
    }

    fn make_private(&self, folder: &str) {
        #[cfg_attr(not(unix), allow(unused_mut))]
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(self.path(folder)).expect("a folder in the home");
    }

    /// Sends calls of Identity Center, of STS and of IAM to this portal.
    pub fn at(self, portal: &Portal) -> Self {
        ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM"]
            .into_iter()
            .fold(self, |home, name| home.with(name, portal.url()))
    }

    /// Sets `DAYPASS_KEYRING`.
    pub fn keyring(self, name: &str) -> Self {
        self.with("DAYPASS_KEYRING", name)
    }

    /// Sets a variable for every program in this home.
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// Unsets a variable for every program in this home.
    pub fn without(mut self, name: &str) -> Self {
        self.vars.remove(OsStr::new(name));
        self
    }

    /// A path in the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in the home and creates its folders.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder in the home");
        fs::write(path, text).expect("a file in the home");
    }

    /// The text of a file in the home.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name} in the home: {error}"))
    }

    /// All files in the home that contain this text: to find leaked secrets.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder that can be read") {
                let path = entry.expect("an entry of a folder").path();
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())) {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Runs the program under test with these arguments, split into words as a shell does.
    pub fn daypass(&self, arguments: &str) -> Run<'_> {
        self.program(DAYPASS).args(shlex::split(arguments).expect("arguments that a shell could read"))
    }

    /// A plain command in this home, for tests that start it themselves, for example on a terminal.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.vars).current_dir(self.folder.path());
        command
    }

    /// Runs any other program.
    pub fn program(&self, program: impl Into<OsString>) -> Run<'_> {
        Run {
            home: self,
            program: program.into(),
            arguments: Vec::new(),
            vars: self.vars.clone(),
            stdin: Input::None,
            stdout: Text::Exactly(String::new()),
            stderr: Text::Exactly(String::new()),
            status: vec![0],
            leaves: Vec::new(),
            limit: LIMIT,
        }
    }

    pub(super) fn expand(&self, text: &str) -> String {
        let portal = self.vars.get(OsStr::new("AWS_ENDPOINT_URL_SSO")).map(|url| url.to_string_lossy()).unwrap_or_default();
        text.replace("[HOME]", &self.folder.path().to_string_lossy()).replace("[PORTAL]", &portal).replace("[DAYPASS]", DAYPASS)
    }
}
