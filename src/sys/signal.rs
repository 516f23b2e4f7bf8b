//! Handles signals: Ctrl-C ends the program with status 130, SIGTERM and SIGHUP end it with their default action. Touches the signal
//! handlers of the process.
//!
//! A signal may come at almost any time, because secrets are stored atomically. Between the request that uses up a refresh token and
//! the storing of the new one, a signal is deferred until the [`hold`] ends or a second signal comes.
//!
//! The warm path does not wait, so it installs no handlers. `exec` starts its command with the default handlers.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use crate::sys::stderr::say;

/// Installs the handlers. A signal that the parent process ignores (`nohup`, background jobs of scripts) stays ignored.
pub fn arm() {
    #[cfg(unix)]
    unix::arm();
    #[cfg(not(unix))]
    console::arm();
}

/// Defers the first signal until it is dropped.
#[must_use = "signals are deferred only until it is dropped"]
#[derive(Debug)]
pub struct Hold(());

/// Defers signals from now on.
pub fn hold() -> Hold {
    #[cfg(unix)]
    unix::hold();
    Hold(())
}

/// Whether a signal is deferred and there is only one [`hold`]: its owner should finish.
pub fn waits() -> bool {
    #[cfg(unix)]
    return unix::waits();
    #[cfg(not(unix))]
    false
}

/// Raises SIGINT, for a terminal that delivers Ctrl-C as a key.
pub fn interrupt() {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGINT);
    #[cfg(not(unix))]
    console::end();
}

/// Ends the program with status 0, as soon as no signal would be deferred.
#[cfg(unix)]
pub fn end() -> ! {
    unix::end()
}

/// Stops the process group, for a terminal that delivers Ctrl-Z as a key. Returns when it is continued.
#[cfg(unix)]
pub fn stop() {
    unix::stop();
}

/// Ends the program if a signal is deferred, regardless of holds.
pub fn obey() {
    #[cfg(unix)]
    unix::obey();
}

/// What a signal prints before it ends the program, while this exists: a line break after what was typed, and a text if there is one.
#[derive(Debug)]
pub struct InterruptNotice {
    has_text: Cell<bool>,
}

static NOTICE: Mutex<String> = Mutex::new(String::new());

impl InterruptNotice {
    /// Without a text.
    #[must_use = "it is printed only until it is dropped"]
    pub fn empty() -> Self {
        arm();
        #[cfg(unix)]
        unix::watch();
        Self { has_text: Cell::new(false) }
    }

    /// Without a text, while this question waits for an answer. It is printed again if the process was stopped and is continued, because
    /// the shell has written below it.
    #[must_use = "it is printed only until it is dropped"]
    #[cfg_attr(not(unix), allow(unused_variables))]
    pub fn asking(question: &str) -> Self {
        let notice = Self::empty();
        #[cfg(unix)]
        unix::repeat(question);
        notice
    }

    /// Sets the text.
    pub fn set(&self, text: String) {
        self.has_text.set(true);
        *NOTICE.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }

    fn print() {
        let text = NOTICE.lock().unwrap_or_else(PoisonError::into_inner);
        if !text.is_empty() {
            say(&text);
        }
    }
}

impl Drop for InterruptNotice {
    fn drop(&mut self) {
        if self.has_text.get() {
            self.set(String::new());
        }
        #[cfg(unix)]
        {
            unix::repeat("");
            unix::unwatch();
        }
    }
}

/// Runs `run` while a child process runs that receives Ctrl-C too: Ctrl-C does not end daypass meanwhile.
#[cfg(not(unix))]
pub fn left_to_child<T>(run: impl FnOnce() -> T) -> T {
    console::left_to_child(run)
}

/// Ctrl-C on Windows. It is never deferred, because the console ends a program that handles it slowly.
#[cfg(not(unix))]
mod console {
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::error::Exit;

    static ARMED: Once = Once::new();
    /// Whether a command of `exec` runs.
    static CHILD_RUNS: AtomicBool = AtomicBool::new(false);

    /// A command of `exec` receives Ctrl-C too, and decides what happens.
    pub(super) fn arm() {
        ARMED.call_once(|| {
            // If this fails, the default handler ends the program as well.
            let _ = ctrlc::set_handler(|| {
                if !CHILD_RUNS.load(Ordering::SeqCst) {
                    end();
                }
            });
        });
    }

    pub(super) fn left_to_child<T>(run: impl FnOnce() -> T) -> T {
        CHILD_RUNS.store(true, Ordering::SeqCst);
        let result = run();
        CHILD_RUNS.store(false, Ordering::SeqCst);
        result
    }

    #[allow(clippy::disallowed_methods)] // The default handler would end the program as well.
    pub(super) fn end() -> ! {
        super::InterruptNotice::print();
        std::process::exit(Exit::Interrupted as i32)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        #[cfg(unix)]
        unix::release();
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Mutex, Once, PoisonError};
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::{flag, low_level};

    use crate::error::Exit;
    use crate::sys::clock::{self, Deadline};
    use crate::sys::stderr::{is_ours, print, say};

    static ARMED: Once = Once::new();
    /// The number of holds.
    static HOLDS: AtomicUsize = AtomicUsize::new(0);
    /// The number of notices.
    static NOTICES: AtomicUsize = AtomicUsize::new(0);
    /// Whether a signal ends the program at once.
    static FREE: AtomicBool = AtomicBool::new(true);
    /// The deferred signal, or 0.
    static WAITING: AtomicUsize = AtomicUsize::new(0);

    /// Whether the process was continued, for [`stop`] and for the question.
    static CONTINUED: AtomicBool = AtomicBool::new(false);
    static ASK_AGAIN: AtomicBool = AtomicBool::new(false);
    /// The question that waits for an answer.
    static QUESTION: Mutex<String> = Mutex::new(String::new());

    /// How long to wait for the stop to happen. The kernel does not stop an orphaned process group, because no shell could continue it.
    const STOPPING: Duration = Duration::from_millis(500);

    /// How often it is checked whether there is a notice or a question to print.
    const TICK: Duration = Duration::from_millis(20);

    const INTERRUPTED: i32 = Exit::Interrupted as i32;

    pub(super) fn arm() {
        ARMED.call_once(|| {
            for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !ignored(signal)) {
                // They run in this order. If one can't be set, the default action ends the program as well.
                let _ = if signal == SIGINT {
                    flag::register_conditional_shutdown(signal, INTERRUPTED, &FREE)
                } else {
                    flag::register_conditional_default(signal, &FREE)
                };
                let _ = flag::register_usize(signal, &WAITING, usize::try_from(signal).unwrap_or_default());
                let _ = flag::register(signal, &FREE);
            }
        });
    }

    pub(super) fn hold() {
        arm();
        HOLDS.fetch_add(1, Ordering::SeqCst);
        FREE.store(false, Ordering::SeqCst);
    }

    pub(super) fn release() {
        if HOLDS.fetch_sub(1, Ordering::SeqCst) == 1 {
            FREE.store(NOTICES.load(Ordering::SeqCst) == 0, Ordering::SeqCst);
            obey();
        }
    }

    /// Leaves signals to a thread, because a handler must not print a notice. A second signal ends the program at once.
    pub(super) fn watch() {
        FREE.store(false, Ordering::SeqCst);
        if NOTICES.fetch_add(1, Ordering::SeqCst) > 0 {
            return;
        }
        let watcher = thread::Builder::new().spawn(|| {
            while NOTICES.load(Ordering::SeqCst) > 0 {
                if WAITING.load(Ordering::SeqCst) != 0 && HOLDS.load(Ordering::SeqCst) == 0 {
                    say("");
                    obey();
                }
                // In the background the terminal belongs to the shell.
                if ASK_AGAIN.load(Ordering::SeqCst) && is_ours() && ASK_AGAIN.swap(false, Ordering::SeqCst) {
                    print(&QUESTION.lock().unwrap_or_else(PoisonError::into_inner));
                }
                clock::sleep(TICK);
            }
        });
        if watcher.is_err() {
            // Without a notice, then.
            FREE.store(true, Ordering::SeqCst);
        }
    }

    /// Sets the question.
    pub(super) fn repeat(question: &str) {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| drop(flag::register(SIGCONT, &ASK_AGAIN)));
        ASK_AGAIN.store(false, Ordering::SeqCst);
        question.clone_into(&mut QUESTION.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn unwatch() {
        if NOTICES.fetch_sub(1, Ordering::SeqCst) == 1 && HOLDS.load(Ordering::SeqCst) == 0 {
            FREE.store(true, Ordering::SeqCst);
            obey();
        }
    }

    pub(super) fn waits() -> bool {
        WAITING.load(Ordering::SeqCst) != 0 && HOLDS.load(Ordering::SeqCst) == 1
    }

    pub(super) fn obey() {
        match i32::try_from(WAITING.swap(0, Ordering::SeqCst)).unwrap_or_default() {
            0 => {}
            SIGINT => {
                super::InterruptNotice::print();
                low_level::exit(INTERRUPTED)
            }
            other => drop(low_level::emulate_default_handler(other)),
        }
    }

    pub(super) fn end() -> ! {
        while HOLDS.load(Ordering::SeqCst) > 0 {
            clock::sleep(Duration::from_millis(20));
        }
        low_level::exit(0)
    }

    pub(super) fn stop() {
        static LISTENING: Once = Once::new();
        // Ignored if a shell waits for the output of daypass.
        if ignored(SIGTSTP) {
            return;
        }
        LISTENING.call_once(|| drop(flag::register(SIGCONT, &CONTINUED)));
        CONTINUED.store(false, Ordering::SeqCst);
        // Another thread may receive the signal, shortly after this call has returned.
        let _ = kill_current_process_group(Signal::TSTP);
        let limit = Deadline::after(STOPPING);
        while !CONTINUED.load(Ordering::SeqCst) && !limit.passed() {
            clock::sleep(Duration::from_millis(5));
        }
    }

    /// Whether the process was started with this signal ignored. Only Linux shows it without unsafe system calls.
    fn ignored(signal: i32) -> bool {
        // The file has about 1,400 bytes; with this capacity it takes one read.
        let mut status = String::with_capacity(4096);
        let _ = File::open("/proc/self/status").and_then(|file| file.take(4096).read_to_string(&mut status));
        let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let set = set.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        // Elsewhere only SIGHUP is commonly ignored (`nohup`).
        set.map_or(signal == SIGHUP, |set| set >> (signal - 1) & 1 == 1)
    }
}
