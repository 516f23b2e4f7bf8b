//! Signals. Ctrl-C ends the program with status 130, whatever it waits for, and SIGTERM and SIGHUP end it too: what is kept is kept
//! whole, so nearly any instant will do. Not so between the request that spends a refresh token and the keeping of the new one: there
//! they wait for the end of a [`hold`], or for a second signal (nobody is kept waiting for a portal that hangs). Touches the
//! process's signal handlers.
//!
//! The warm path waits for nothing, so it installs nothing. `exec` starts its command with the system's own handling again.

/// What was installed holds until the program ends. A signal that the parent had ignored (`nohup`, a script's background job) stays so.
pub fn arm() {
    #[cfg(unix)]
    unix::arm();
    #[cfg(not(unix))]
    console::arm();
}

/// While one lives, a first signal waits.
#[must_use = "signals wait only while it lives"]
#[derive(Debug)]
pub struct Hold(());

/// Lets signals wait from now on.
pub fn hold() -> Hold {
    #[cfg(unix)]
    unix::hold();
    Hold(())
}

/// Whether a signal waits for the end of the only [`hold`] there is: whoever has that one is to come to its end.
pub fn waits() -> bool {
    #[cfg(unix)]
    return unix::waits();
    #[cfg(not(unix))]
    false
}

/// Does what Ctrl-C does, where the terminal gives it as a key.
pub fn interrupt() {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGINT);
    #[cfg(not(unix))]
    console::end();
}

/// Does what Ctrl-Z does, where the terminal gives it as a key: stops the program and all that it runs together with. Returns when it
/// goes on.
#[cfg(unix)]
pub fn stop() {
    unix::stop();
}

/// Ends the program as the signal that waits says, holds or no holds; without one it does nothing.
pub fn obey() {
    #[cfg(unix)]
    unix::obey();
}

/// Runs a child that receives Ctrl-C too: while it runs, Ctrl-C does not end daypass.
#[cfg(not(unix))]
pub fn left_to_child<T>(run: impl FnOnce() -> T) -> T {
    console::left_to_child(run)
}

/// Ctrl-C on Windows. Nothing is held there: the console ends a program that takes long over it.
#[cfg(not(unix))]
mod console {
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::error::Exit;

    static ARMED: Once = Once::new();
    /// Whether a command of `exec` runs beside daypass.
    static CHILD_RUNS: AtomicBool = AtomicBool::new(false);

    /// A command of `exec` runs beside daypass and gets the Ctrl-C too: what it does then decides for both.
    pub(super) fn arm() {
        ARMED.call_once(|| {
            // Where it can't be set, the system's default ends the program as well.
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

    #[allow(clippy::disallowed_methods)] // The system's own handler would end the program as well.
    pub(super) fn end() -> ! {
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
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use std::time::Duration;

    use rustix::process::{Signal, kill_current_process_group};
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
    use signal_hook::{flag, low_level};

    use crate::error::Exit;
    use crate::sys::clock::{self, Deadline};

    static ARMED: Once = Once::new();
    /// How many holds there are.
    static HOLDS: AtomicUsize = AtomicUsize::new(0);
    /// Whether a signal ends the program at once.
    static FREE: AtomicBool = AtomicBool::new(true);
    /// The signal that waits, or 0.
    static WAITING: AtomicUsize = AtomicUsize::new(0);

    /// Whether the program was told to go on.
    static GOES_ON: AtomicBool = AtomicBool::new(false);

    /// A stop has come by then, where one comes: the system lets nobody stop whom no shell could wake (an orphaned process group).
    const STOPPING: Duration = Duration::from_millis(500);

    const INTERRUPTED: i32 = Exit::Interrupted as i32;

    pub(super) fn arm() {
        ARMED.call_once(|| {
            for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !ignored(signal)) {
                // They run in this order. Where one can't be set, the system's default ends the program as well.
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
            SIGINT => low_level::exit(INTERRUPTED),
            other => drop(low_level::emulate_default_handler(other)),
        }
    }

    pub(super) fn stop() {
        static LISTENS: Once = Once::new();
        // A shell that waits for what this prints has it ignored.
        if ignored(SIGTSTP) {
            return;
        }
        LISTENS.call_once(|| drop(flag::register(SIGCONT, &GOES_ON)));
        GOES_ON.store(false, Ordering::SeqCst);
        // Another thread may be the one that takes it, a moment after this has returned.
        let _ = kill_current_process_group(Signal::TSTP);
        let limit = Deadline::after(STOPPING);
        while !GOES_ON.load(Ordering::SeqCst) && !limit.passed() {
            clock::sleep(Duration::from_millis(5));
        }
    }

    /// What this process was started with. Only Linux tells without system calls that Rust does not offer safely.
    fn ignored(signal: i32) -> bool {
        // About 1,400 bytes; with room for them it is one read.
        let mut status = String::with_capacity(4096);
        let _ = File::open("/proc/self/status").and_then(|file| file.take(4096).read_to_string(&mut status));
        let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let set = set.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        // Elsewhere: a lost terminal is what programs are told to survive.
        set.map_or(signal == SIGHUP, |set| set >> (signal - 1) & 1 == 1)
    }
}
