//! Runs the real program, and others, in a home of their own: a temporary folder, an environment that holds nothing else, and a
//! watchdog. What a test does not mention must not happen: both streams are empty and the status is 0 unless it says otherwise.
//!
//! ```ignore
//! let portal = Portal::live(Realm::default());
//! let home = Home::new().at(&portal);
//! home.daypass("login corp").stderr_has("Signed in").go();
//! home.daypass("credential-process --profile nowhere").stderr("daypass: …\nhint: …\n").status(2).go();
//! ```
//!
//! In expected texts `[HOME]`, `[PORTAL]` and `[DAYPASS]` stand for the home's path, the portal's address and the program's path.

#![allow(dead_code, unreachable_pub)] // Each test program uses its part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A fixture that can't go on ends its test.
#![allow(clippy::disallowed_methods)] // Tests start programs, write files and read their own environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs};

use tempfile::TempDir;

use super::portal::Portal;

/// The program under test: the one that Cargo built, or that of `tests/run --binary`.
pub const DAYPASS: &str = match option_env!("DAYPASS_TEST_BINARY") {
    Some(path) => path,
    None => env!("CARGO_BIN_EXE_daypass"),
};

/// How long a child may run if its test says nothing else.
const LIMIT: Duration = Duration::from_mins(1);

/// A user's home folder on a machine where nobody has used AWS yet. It goes with its value.
pub struct Home {
    folder: TempDir,
    vars: BTreeMap<OsString, OsString>,
}

impl Home {
    /// An empty one; secrets are kept in files inside it, unless [`Home::keyring`] says otherwise.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().to_owned();
        let mut home = Self { folder, vars: BTreeMap::new() };
        // The first are what programs need to run at all; the last keeps a coverage build's notes out of the way.
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

    /// Both services are found at this portal.
    pub fn at(self, portal: &Portal) -> Self {
        self.with("AWS_ENDPOINT_URL_SSO", portal.url()).with("AWS_ENDPOINT_URL_SSO_OIDC", portal.url())
    }

    /// `DAYPASS_KEYRING`.
    pub fn keyring(self, name: &str) -> Self {
        self.with("DAYPASS_KEYRING", name)
    }

    /// Sets a variable for all that runs here.
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// Unsets a variable for all that runs here.
    pub fn without(mut self, name: &str) -> Self {
        self.vars.remove(OsStr::new(name));
        self
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file in it, with its folders.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder in the home");
        fs::write(path, text).expect("a file in the home");
    }

    /// The text of a file in it.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name} in the home: {error}"))
    }

    /// The files whose content holds this text, wherever they are in the home: a look for leaks.
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

    /// The program under test, with these arguments, split into words as a shell would.
    pub fn daypass(&self, arguments: &str) -> Run<'_> {
        self.program(DAYPASS).args(shlex::split(arguments).expect("arguments that a shell could read"))
    }

    /// A bare command in this home, for tests that start it in a way of their own, such as on a terminal.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.vars).current_dir(self.folder.path());
        command
    }

    /// Any other program.
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

    fn expand(&self, text: &str) -> String {
        let portal = self.vars.get(OsStr::new("AWS_ENDPOINT_URL_SSO")).map(|url| url.to_string_lossy()).unwrap_or_default();
        text.replace("[HOME]", &self.folder.path().to_string_lossy()).replace("[PORTAL]", &portal).replace("[DAYPASS]", DAYPASS)
    }
}

/// What standard input is.
enum Input {
    None,
    Text(String),
    /// A pipe that nobody writes to and nobody closes, as some SDKs leave it.
    Open,
}

/// What a stream must hold.
enum Text {
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

    fn complaint(&self, name: &str, found: &str) -> Option<String> {
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
    home: &'a Home,
    program: OsString,
    arguments: Vec<OsString>,
    vars: BTreeMap<OsString, OsString>,
    stdin: Input,
    stdout: Text,
    stderr: Text,
    /// One of these; if there are none, any but 0.
    status: Vec<i32>,
    leaves: Vec<(String, String)>,
    limit: Duration,
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

/// A stream, read as it comes.
struct Capture {
    shared: Arc<(Mutex<Captured>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Captured {
    bytes: Vec<u8>,
    ended: bool,
}

impl Capture {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Captured>, Condvar)>::default();
        let for_reader = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            let (captured, changed) = &*for_reader;
            let mut chunk = [0; 4096];
            loop {
                let read = pipe.read(&mut chunk).unwrap_or(0);
                let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
                captured.bytes.extend(chunk.iter().take(read));
                captured.ended = read == 0;
                changed.notify_all();
                if captured.ended {
                    return;
                }
            }
        });
        Self { shared, reader: Some(reader) }
    }

    /// Waits until the stream has said this, or ended; what it said so far, and whether this was in it.
    fn wait_for(&self, text: &str) -> (String, bool) {
        let (captured, changed) = &*self.shared;
        let has = |captured: &Captured| String::from_utf8_lossy(&captured.bytes).contains(text);
        let captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
        let captured =
            changed.wait_while(captured, |captured| !captured.ended && !has(captured)).unwrap_or_else(PoisonError::into_inner);
        (String::from_utf8_lossy(&captured.bytes).into_owned(), has(&captured))
    }

    /// All of it.
    fn text(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let captured = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&captured.bytes).into_owned()
    }
}

/// Ends a process group that takes too long.
struct Watchdog {
    called_off: Sender<()>,
    bit: Arc<AtomicBool>,
}

impl Watchdog {
    fn over(group: u32, limit: Duration) -> Self {
        let (called_off, waiting) = mpsc::channel();
        let bit = Arc::<AtomicBool>::default();
        let for_thread = Arc::clone(&bit);
        thread::spawn(move || {
            if waiting.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                for_thread.store(true, Ordering::SeqCst);
                kill_group(group);
            }
        });
        Self { called_off, bit }
    }
}

fn kill_group(group: u32) {
    let killed = if cfg!(windows) {
        Command::new("taskkill").args(["/T", "/F", "/PID", &group.to_string()]).status()
    } else {
        Command::new("sh").arg("-c").arg(format!("kill -s KILL -- -{group}")).status()
    };
    drop(killed);
}

/// A command that runs.
pub struct Running<'a> {
    run: Run<'a>,
    child: Child,
    _stdin: Option<std::process::ChildStdin>,
    stdout: Capture,
    stderr: Capture,
    watchdog: Watchdog,
}

impl Running<'_> {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has said this on standard error; all that it has said by then. Fails if it ends first.
    #[track_caller]
    pub fn says(&self, text: &str) -> String {
        let (said, found) = self.stderr.wait_for(text);
        assert!(found, "it ended and never said {text:?} on standard error, but:\n{said}");
        said
    }

    /// Kills it at once, as a power cut would. Nothing is checked.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end and checks all that was said.
    #[track_caller]
    pub fn done(mut self) -> Done {
        // First the streams: a helper that leaves a child behind which holds them open stalls every SDK, so it must stall here too.
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let status = self.child.wait().expect("its status");
        let _ = self.watchdog.called_off.send(());
        let done = Done { stdout, stderr, status };
        let run = &self.run;
        let mut complaints = Vec::new();
        if self.watchdog.bit.load(Ordering::SeqCst) {
            complaints.push(format!("it hung, or left a child that kept its streams open, and was killed after {:?}", run.limit));
        }
        if run.status.is_empty() && status.success() {
            complaints.push("it should fail".to_owned());
        } else if !run.status.is_empty() && !status.code().is_some_and(|code| run.status.contains(&code)) {
            let wanted: Vec<String> = run.status.iter().map(ToString::to_string).collect();
            complaints.push(format!("the status should be {}, and is {status}", wanted.join(" or ")));
        }
        complaints.extend(run.stdout.complaint("standard output", &done.stdout));
        complaints.extend(run.stderr.complaint("standard error", &done.stderr));
        for (name, wanted) in &run.leaves {
            let found = fs::read_to_string(run.home.path(name)).unwrap_or_else(|error| format!("({error})"));
            complaints
                .extend(Text::Exactly(wanted.clone()).complaint(name, &found).map(|text| format!("{text}\nand is:\n{found}")));
        }
        assert!(complaints.is_empty(), "{} {:?}\n{}\n{done}", run.program.to_string_lossy(), run.arguments, complaints.join("\n"));
        done
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A test that failed in between leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.watchdog.called_off.send(());
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    pub stdout: String,
    pub stderr: String,
    pub status: ExitStatus,
}

impl Done {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--- {}\n--- standard output\n{}\n--- standard error\n{}", self.status, self.stdout, self.stderr)
    }
}
