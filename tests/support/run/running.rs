//! A running program, its output, and its watchdog.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use daypass::cli::Cli;

use super::DAYPASS;
use super::command::{Run, Text};

/// A stream that a thread reads as output arrives.
pub(super) struct Capture {
    shared: Arc<(Mutex<Captured>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Captured {
    bytes: Vec<u8>,
    ended: bool,
}

impl Capture {
    pub(super) fn of(mut pipe: impl Read + Send + 'static) -> Self {
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

    /// Waits until the stream contains this text or ends. Returns the output so far, and whether it contains the text.
    fn wait_for(&self, text: &str) -> (String, bool) {
        let (captured, changed) = &*self.shared;
        let has = |captured: &Captured| String::from_utf8_lossy(&captured.bytes).contains(text);
        let captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
        let captured =
            changed.wait_while(captured, |captured| !captured.ended && !has(captured)).unwrap_or_else(PoisonError::into_inner);
        (String::from_utf8_lossy(&captured.bytes).into_owned(), has(&captured))
    }

    /// Waits for the end of the stream and returns all of it.
    fn text(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        let captured = self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&captured.bytes).into_owned()
    }
}

/// Kills a process group that runs too long.
pub(super) struct Watchdog {
    stop: Sender<()>,
    killed: Arc<AtomicBool>,
}

impl Watchdog {
    pub(super) fn start(group: u32, limit: Duration) -> Self {
        let (stop, stopped) = mpsc::channel();
        let killed = Arc::<AtomicBool>::default();
        let for_thread = Arc::clone(&killed);
        thread::spawn(move || {
            if stopped.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                for_thread.store(true, Ordering::SeqCst);
                kill_group(group);
            }
        });
        Self { stop, killed }
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

/// What is wrong with the command in the last line of an error, which must be accepted as it stands and differ from the one that has just
/// failed.
fn hint_complaint(run: &Run, stderr: &str) -> Option<String> {
    let hint = stderr.trim_end().rsplit_once("\nhint: ")?.1;
    let words = shlex::split(hint)?;
    if words.first()? != "daypass" || hint.contains(['|', ';']) {
        return None;
    }
    if run.program == DAYPASS && words.iter().skip(1).map(OsString::from).eq(run.arguments.iter().cloned()) {
        return Some(format!("the hint repeats the command that failed: {hint}"));
    }
    let error = Cli::try_parse_from(words).err()?;
    let shows = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!shows).then(|| format!("the command in the hint is refused: {hint}: {error}"))
}

/// A running program.
pub struct Running<'a> {
    pub(super) run: Run<'a>,
    pub(super) child: Child,
    pub(super) _stdin: Option<std::process::ChildStdin>,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
    pub(super) watchdog: Watchdog,
}

impl Running<'_> {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until standard error contains this text and returns all of it so far. Fails if the program ends first.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) -> String {
        let (output, found) = self.stderr.wait_for(text);
        assert!(found, "it ended without printing {text:?} on standard error, which is:\n{output}");
        output
    }

    /// Kills it (SIGKILL). Nothing is checked.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end and checks the result.
    #[track_caller]
    pub fn wait(mut self) -> Finished {
        // Streams come first: a child that keeps them open stalls every SDK, so it must stall the test too.
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        let status = self.child.wait().expect("its status");
        let _ = self.watchdog.stop.send(());
        let finished = Finished { stdout, stderr, status };
        let run = &self.run;
        let mut complaints = Vec::new();
        if self.watchdog.killed.load(Ordering::SeqCst) {
            complaints.push(format!("it hung, or a child kept its streams open; killed after {:?}", run.limit));
        }
        if run.status.is_empty() && status.success() {
            complaints.push("it should fail".to_owned());
        } else if !run.status.is_empty() && !status.code().is_some_and(|code| run.status.contains(&code)) {
            let expected: Vec<String> = run.status.iter().map(ToString::to_string).collect();
            complaints.push(format!("the status should be {}, and is {status}", expected.join(" or ")));
        }
        complaints.extend(run.stdout.complaint("standard output", &finished.stdout));
        complaints.extend(run.stderr.complaint("standard error", &finished.stderr));
        complaints.extend(hint_complaint(run, &finished.stderr));
        for (name, expected) in &run.leaves {
            let found = fs::read_to_string(run.home.path(name)).unwrap_or_else(|error| format!("({error})"));
            complaints
                .extend(Text::Exactly(expected.clone()).complaint(name, &found).map(|text| format!("{text}\nand is:\n{found}")));
        }
        assert!(
            complaints.is_empty(),
            "{} {:?}\n{}\n{finished}",
            run.program.to_string_lossy(),
            run.arguments,
            complaints.join("\n")
        );
        finished
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A test that fails leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.watchdog.stop.send(());
    }
}

/// The result of a program.
#[derive(Debug)]
pub struct Finished {
    pub stdout: String,
    pub stderr: String,
    pub status: ExitStatus,
}

impl Finished {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--- {}\n--- standard output\n{}\n--- standard error\n{}", self.status, self.stdout, self.stderr)
    }
}
