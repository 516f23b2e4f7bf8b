//! Single keys from the terminal, while something is waited for; and what Ctrl-C does, then and otherwise. Touches the terminal's mode
//! and the signals.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;

use crate::clock;

/// How often the thread looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// A letter, in lower case.
    Letter(char),
}

/// The terminal gives single keys, unseen, until this is dropped. Ctrl-C and the signals that end a program put it in order first.
pub struct Keys {
    typed: Receiver<Key>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// None where there is no terminal to read from, or where it belongs to another program at present.
    pub fn open() -> Option<Self> {
        if !crate::terminal::can_ask() || !in_foreground() {
            return None;
        }
        signals::hold();
        if terminal::enable_raw_mode().is_err() {
            signals::release();
            return None;
        }
        let over = Arc::new(AtomicBool::new(false));
        let (sender, typed) = mpsc::channel();
        let for_thread = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !for_thread.load(Ordering::SeqCst) {
                if let Some(status) = signals::noted() {
                    end(status);
                }
                match event::poll(TICK).and_then(|there| if there { event::read().map(Some) } else { Ok(None) }) {
                    Ok(Some(Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }))) => match code {
                        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => end(130),
                        KeyCode::Enter => {
                            let _ = sender.send(Key::Enter);
                        }
                        KeyCode::Char(letter) if !modifiers.contains(KeyModifiers::CONTROL) => {
                            let _ = sender.send(Key::Letter(letter.to_ascii_lowercase()));
                        }
                        _ => {}
                    },
                    Ok(_) => {}
                    // The terminal is gone: what is waited for may still come.
                    Err(_) => return signals::release(),
                }
            }
        });
        Some(Self { typed, over, thread: Some(thread) })
    }

    /// The next key, if one is typed in this time.
    pub fn next(&self, limit: Duration) -> Option<Key> {
        match self.typed.recv_timeout(limit) {
            Ok(key) => Some(key),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                clock::sleep(limit);
                None
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = terminal::disable_raw_mode();
        signals::release();
        // One that came in the last moment.
        if let Some(status) = signals::noted() {
            end(status);
        }
    }
}

/// Ends the program from within: everything that is kept is kept whole, so any instant will do.
#[allow(clippy::disallowed_methods)]
fn end(status: i32) -> ! {
    let _ = terminal::disable_raw_mode();
    let _ = io::stderr().write_all(b"\n");
    std::process::exit(status)
}

/// A program in the background is stopped by the system when it changes the terminal's mode.
#[cfg(unix)]
fn in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn in_foreground() -> bool {
    true
}

pub use signals::end_on_interrupt;

#[cfg(unix)]
mod signals {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;

    /// Whether a signal ends the program in its handler, as nearly always, and not in the thread that first puts the terminal in order.
    static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

    /// The last signal that came while it was held.
    static HELD: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

    /// Ctrl-C ends the program with status 130, whatever it waits for: everything that is kept is kept whole, so any instant will do.
    /// (`exec` starts its command with the default again: a handler does not survive it.)
    pub fn end_on_interrupt() {
        // Where it can't be set, the system's default ends the program as well.
        let _ = flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&AT_ONCE));
    }

    /// What to end with, if a signal came while it was held.
    pub(super) fn noted() -> Option<i32> {
        match HELD.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(i32::try_from(signal).map_or(1, |signal| 128 + signal)),
        }
    }

    /// From now on signals that end a program are only noted.
    pub(super) fn hold() {
        // Once only: handlers stay, and do as before while nothing is held.
        static REGISTERED: LazyLock<()> = LazyLock::new(|| {
            for signal in [SIGTERM, SIGHUP] {
                let _ = flag::register_conditional_default(signal, Arc::clone(&AT_ONCE));
            }
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                let _ = usize::try_from(signal).map(|number| flag::register_usize(signal, Arc::clone(&HELD), number));
            }
        });
        LazyLock::force(&REGISTERED);
        AT_ONCE.store(false, Ordering::SeqCst);
    }

    pub(super) fn release() {
        AT_ONCE.store(true, Ordering::SeqCst);
    }
}

#[cfg(not(unix))]
mod signals {
    /// The system ends the program by itself.
    pub fn end_on_interrupt() {}

    pub(super) fn hold() {}

    pub(super) fn release() {}

    pub(super) fn noted() -> Option<i32> {
        None
    }
}
