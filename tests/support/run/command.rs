//! A command to run and the result that is expected of it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::running::{Capture, Watchdog};
use super::{DAYPASS, Finished, Home, LIMIT, Running};

/// Standard input.
pub(super) enum Input {
    None,
    Text(String),
    /// A pipe that stays open and empty, as some SDKs leave it.
    Open,
}

/// What a stream must contain.
pub(super) enum Text {
    Exactly(String),
    Parts(Vec<String>),
}

impl Text {
    /// Adds a part. The first part replaces the requirement that the stream is empty.
    fn and(self, part: String) -> Self {
        match self {
            Self::Exactly(_) => Self::Parts(vec![part]),
            Self::Parts(parts) => Self::Parts(parts.into_iter().chain([part]).collect()),
        }
    }

    pub(super) fn complaint(&self, name: &str, found: &str) -> Option<String> {
        match self {
            Self::Exactly(wanted) => (wanted != found).then(|| format!("{name} should be exactly:\n{wanted}")),
            Self::Parts(parts) => {
                parts.iter().find(|part| !found.contains(*part)).map(|part| format!("{name} should contain: {part}"))
            }
        }
    }
}

/// A command to run and its expected result.
#[must_use = "nothing runs before `go` or `spawn`"]
pub struct Run<'a> {
    pub(super) home: &'a Home,
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) vars: BTreeMap<OsString, OsString>,
    pub(super) stdin: Input,
    pub(super) stdout: Text,
    pub(super) stderr: Text,
    /// The allowed statuses. If empty, any status but 0.
    pub(super) status: Vec<i32>,
    pub(super) leaves: Vec<(String, String)>,
    pub(super) limit: Duration,
}

impl<'a> Run<'a> {
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs the program under test with these arguments, followed by this command.
    pub fn behind(mut self, arguments: &[&str]) -> Self {
        let program = std::mem::replace(&mut self.program, DAYPASS.into());
        let before = arguments.iter().map(Into::into).chain([program]);
        self.arguments.splice(..0, before);
        self
    }

    /// Sets a variable for this run.
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// Unsets a variable for this run.
    pub fn without(mut self, name: &str) -> Self {
        self.vars.remove(OsStr::new(name));
        self
    }

    /// Passes this text on standard input, which is empty by default.
    pub fn stdin(self, text: &str) -> Self {
        Self { stdin: Input::Text(text.to_owned()), ..self }
    }

    /// Standard input is a pipe that stays open and empty.
    pub fn stdin_open(self) -> Self {
        Self { stdin: Input::Open, ..self }
    }

    /// Requires exactly this on standard output.
    pub fn stdout(self, text: &str) -> Self {
        Self { stdout: Text::Exactly(self.home.expand(text)), ..self }
    }

    /// Requires that standard output contains this. Can be repeated.
    pub fn stdout_has(self, part: &str) -> Self {
        Self { stdout: self.stdout.and(self.home.expand(part)), ..self }
    }

    /// Requires exactly this on standard error.
    pub fn stderr(self, text: &str) -> Self {
        Self { stderr: Text::Exactly(self.home.expand(text)), ..self }
    }

    /// Requires that standard error contains this. Can be repeated.
    pub fn stderr_has(self, part: &str) -> Self {
        Self { stderr: self.stderr.and(self.home.expand(part)), ..self }
    }

    /// Allows any output on both streams.
    pub fn any_output(self) -> Self {
        Self { stdout: Text::Parts(Vec::new()), stderr: Text::Parts(Vec::new()), ..self }
    }

    /// Allows any output on standard error.
    pub fn any_stderr(self) -> Self {
        Self { stderr: Text::Parts(Vec::new()), ..self }
    }

    /// Requires this exit status.
    pub fn status(self, status: i32) -> Self {
        self.status_of([status])
    }

    /// Requires one of these exit statuses.
    pub fn status_of(self, status: impl Into<Vec<i32>>) -> Self {
        Self { status: status.into(), ..self }
    }

    /// Requires any failure, for programs whose exit statuses are not specified here.
    pub fn fails(self) -> Self {
        Self { status: Vec::new(), ..self }
    }

    /// Kills the program and fails the test after this time. The default is one minute.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Requires that this file of the home contains exactly this text afterwards.
    pub fn leaves(mut self, name: &str, text: &str) -> Self {
        self.leaves.push((name.to_owned(), self.home.expand(text)));
        self
    }

    /// Starts it on a pseudo-terminal. The test itself checks output and status.
    #[cfg(unix)]
    #[track_caller]
    pub fn on_terminal(self) -> rexpect::session::PtySession {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.vars).current_dir(self.home.folder.path());
        let limit = u64::try_from(LIMIT.as_millis()).ok();
        rexpect::session::spawn_command(command, limit)
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.to_string_lossy()))
    }

    /// Runs it and checks the result.
    #[track_caller]
    pub fn go(self) -> Finished {
        self.spawn().wait()
    }

    /// Starts it without waiting for its end, for concurrent processes and for actions while it runs.
    #[track_caller]
    pub fn spawn(self) -> Running<'a> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.vars).current_dir(self.home.folder.path());
        command.stdin(if matches!(self.stdin, Input::None) { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a process group of its own, so that the watchdog also kills its children.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.to_string_lossy()));
        let mut stdin = child.stdin.take();
        if let Input::Text(text) = &self.stdin {
            let (mut pipe, text) = (stdin.take().expect("a pipe"), text.clone());
            // The program need not read all of its input.
            thread::spawn(move || pipe.write_all(text.as_bytes()));
        }
        let stdout = Capture::of(child.stdout.take().expect("a pipe"));
        let stderr = Capture::of(child.stderr.take().expect("a pipe"));
        let watchdog = Watchdog::start(child.id(), self.limit);
        Running { run: self, child, _stdin: stdin, stdout, stderr, watchdog }
    }
}
