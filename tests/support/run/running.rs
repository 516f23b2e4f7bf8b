//! Running.

use std::fmt;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::command::{Run, Text};

/// A stream, read as it comes.
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
pub(super) struct Watchdog {
    called_off: Sender<()>,
    bit: Arc<AtomicBool>,
}

impl Watchdog {
    pub(super) fn over(group: u32, limit: Duration) -> Self {
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
