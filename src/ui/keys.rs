//! Reads single keys from the terminal while daypass waits. Touches the mode of the terminal.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;

use crate::sys::clock::{self, Deadline};
use crate::sys::signal::{self, Hold};

/// How often the thread checks for a key, for being in the foreground, and for its end.
const TICK: Duration = Duration::from_millis(30);

/// The time limit for the thread to end; only a terminal that closes at the wrong moment can block it longer.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// A key that the sign-in screen reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// A letter, in lower case.
    Letter(char),
}

/// Reads single keys without echo until this is dropped, while this program is in the foreground; in the background it does not touch the
/// terminal. Ctrl-C, Ctrl-Z and the signals that end a program restore the terminal first.
pub struct Keys {
    typed: Receiver<Key>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    // Released after the terminal was restored.
    _hold: Hold,
}

impl Keys {
    /// Starts reading. None if there is no terminal, or one of another session.
    pub fn open() -> Option<Self> {
        if !crate::ui::terminal::can_prompt() || !may_come_to_foreground() {
            return None;
        }
        let hold = signal::hold();
        let over = Arc::new(AtomicBool::new(false));
        let (sender, typed) = mpsc::channel();
        let for_thread = Arc::clone(&over);
        let thread = thread::spawn(move || listen(&for_thread, &sender));
        Some(Self { typed, over, thread, _hold: hold })
    }

    /// The next key, if one is typed within this time.
    pub fn next(&self, limit: Duration) -> Option<Key> {
        // The thread may be blocked by a terminal that closed at the wrong moment.
        if !in_foreground() && signal::waits() {
            signal::obey();
        }
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
        let limit = Deadline::after(END_TIMEOUT);
        while !self.thread.is_finished() && !limit.passed() {
            clock::sleep(Duration::from_millis(1));
        }
        restore();
    }
}

fn listen(over: &AtomicBool, typed: &Sender<Key>) {
    while !over.load(Ordering::SeqCst) {
        if signal::waits() {
            if in_foreground() {
                restore();
                let _ = io::stderr().write_all(b"\n");
            }
            signal::obey();
        }
        // A closed terminal has no foreground.
        if !in_foreground() {
            clock::sleep(TICK);
            continue;
        }
        // After a stop the terminal is in the mode of the shell.
        if !is_raw() {
            restore();
            if terminal::enable_raw_mode().is_err() {
                clock::sleep(TICK);
                continue;
            }
        }
        // Crossterm must not wait: if the terminal closes meanwhile, it reads the end of the input for ever.
        match event::poll(Duration::ZERO).and_then(|ready| if ready { event::read().map(Some) } else { Ok(None) }) {
            Ok(Some(Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }))) => match code {
                KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => {
                    #[cfg(not(unix))]
                    restore();
                    signal::interrupt();
                }
                #[cfg(unix)]
                KeyCode::Char('z') if modifiers.contains(KeyModifiers::CONTROL) => {
                    restore();
                    crate::ui::terminal::rewrite("");
                    signal::stop();
                }
                KeyCode::Enter => {
                    let _ = typed.send(Key::Enter);
                }
                KeyCode::Char(letter) if !modifiers.contains(KeyModifiers::CONTROL) => {
                    let _ = typed.send(Key::Letter(letter.to_ascii_lowercase()));
                }
                _ => {}
            },
            Ok(Some(_)) => {}
            // After an error too: the sign-in may still complete, or a signal may report that the terminal is closed.
            Ok(None) | Err(_) => clock::sleep(TICK),
        }
    }
}

/// Restores the terminal, but only in the foreground: the system stops a background program that changes its mode.
fn restore() {
    if in_foreground() {
        let _ = terminal::disable_raw_mode();
    }
}

#[cfg(unix)]
fn in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn in_foreground() -> bool {
    true
}

/// A terminal of another session never lets this program read.
#[cfg(unix)]
fn may_come_to_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok()
}

#[cfg(not(unix))]
fn may_come_to_foreground() -> bool {
    true
}

/// Whether the terminal is still in the mode that was set here.
fn is_raw() -> bool {
    #[cfg(unix)]
    let kept = {
        use rustix::termios::{LocalModes, tcgetattr};
        tcgetattr(io::stdin()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    };
    #[cfg(not(unix))]
    let kept = true;
    kept && terminal::is_raw_mode_enabled().unwrap_or(false)
}
