//! Run.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::running::{Capture, Watchdog};
use super::{DAYPASS, Done, Home, LIMIT, Running};

/// What standard input is.
pub(super) enum Input {
    None,
    Text(String),
    /// A pipe that nobody writes to and nobody closes, as some SDKs leave it.
    Open,
}

/// What a stream must hold.
pub(super) enum Text {
    Exactly(String),
    Parts(Vec<String>),
}

impl Text {
    /// One more part; before the first one, nothing was allowed.
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
                parts.iter().find(|part| !found.contains(*part)).map(|part| format!("{name} should hold: {part}"))
            }
        }
    }
}

/// A command that will be run, and what must come of it.
#[must_use = "nothing runs before `go` or `spawn`"]
pub struct Run<'a> {
    pub(super) home: &'a Home,
    pub(super) program: OsString,
    pub(super) arguments: Vec<OsString>,
    pub(super) vars: BTreeMap<OsString, OsString>,
    pub(super) stdin: Input,
    pub(super) stdout: Text,
    pub(super) stderr: Text,
    /// One of these; if there are none, any but 0.
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

    /// The program under test runs this command, behind these arguments.
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

    /// What is typed into it. Without this, standard input is empty.
    pub fn stdin(self, text: &str) -> Self {
        Self { stdin: Input::Text(text.to_owned()), ..self }
    }

    /// Standard input is a pipe that stays open and silent.
    pub fn stdin_open(self) -> Self {
        Self { stdin: Input::Open, ..self }
    }

    /// Standard output is exactly this.
    pub fn stdout(self, text: &str) -> Self {
        Self { stdout: Text::Exactly(self.home.expand(text)), ..self }
    }

    /// Standard output holds this; can be said several times.
    pub fn stdout_has(self, part: &str) -> Self {
        Self { stdout: self.stdout.and(self.home.expand(part)), ..self }
    }

    /// Standard error is exactly this.
    pub fn stderr(self, text: &str) -> Self {
        Self { stderr: Text::Exactly(self.home.expand(text)), ..self }
    }

    /// Standard error holds this; can be said several times.
    pub fn stderr_has(self, part: &str) -> Self {
        Self { stderr: self.stderr.and(self.home.expand(part)), ..self }
    }

    /// It may print what it likes.
    pub fn any_output(self) -> Self {
        Self { stdout: Text::Parts(Vec::new()), stderr: Text::Parts(Vec::new()), ..self }
    }

    /// It may say what it likes on standard error.
    pub fn any_stderr(self) -> Self {
        Self { stderr: Text::Parts(Vec::new()), ..self }
    }

    /// It ends with this status.
    pub fn status(self, status: i32) -> Self {
        self.status_of([status])
    }

    /// It ends with one of these.
    pub fn status_of(self, status: impl Into<Vec<i32>>) -> Self {
        Self { status: status.into(), ..self }
    }

    /// It fails, with whatever status: for programs that are not ours.
    pub fn fails(self) -> Self {
        Self { status: Vec::new(), ..self }
    }

    /// It is killed, and its test fails, when it takes longer than this (a minute, if nothing else is said).
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Afterwards this file of the home holds exactly this.
    pub fn leaves(mut self, name: &str, text: &str) -> Self {
        self.leaves.push((name.to_owned(), self.home.expand(text)));
        self
    }

    /// Starts it on a pseudo-terminal of its own. What it may say there, and how it ends, the test checks itself.
    #[cfg(unix)]
    #[track_caller]
    pub fn on_terminal(self) -> rexpect::session::PtySession {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.vars).current_dir(self.home.folder.path());
        let limit = u64::try_from(LIMIT.as_millis()).ok();
        rexpect::session::spawn_command(command, limit)
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.to_string_lossy()))
    }

    /// Runs it to its end and checks all that was said.
    #[track_caller]
    pub fn go(self) -> Done {
        self.spawn().done()
    }

    /// Starts it and does not wait: for races, and for what happens in between.
    #[track_caller]
    pub fn spawn(self) -> Running<'a> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(&self.vars).current_dir(self.home.folder.path());
        command.stdin(if matches!(self.stdin, Input::None) { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its own group, so that the watchdog also ends what it left behind.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.to_string_lossy()));
        let mut stdin = child.stdin.take();
        if let Input::Text(text) = &self.stdin {
            let (mut pipe, text) = (stdin.take().expect("a pipe"), text.clone());
            // A child that does not read to the end is no fault here.
            thread::spawn(move || pipe.write_all(text.as_bytes()));
        }
        let stdout = Capture::of(child.stdout.take().expect("a pipe"));
        let stderr = Capture::of(child.stderr.take().expect("a pipe"));
        let watchdog = Watchdog::over(child.id(), self.limit);
        Running { run: self, child, _stdin: stdin, stdout, stderr, watchdog }
    }
}
