//! Single keys from the terminal, while something is waited for. Touches the terminal's mode.

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

/// How often the thread looks for a key, whose the terminal is, and whether it is to end.
const TICK: Duration = Duration::from_millis(30);

/// The thread has ended by then, unless a terminal that closed at the wrong moment holds it up.
const ENDING: Duration = Duration::from_secs(1);

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// A letter, in lower case.
    Letter(char),
}

/// The terminal gives single keys, unseen, until this is dropped, and whenever this program is in its foreground: in the background it is
/// left alone. Ctrl-C, Ctrl-Z and the signals that end a program put it in order first.
pub struct Keys {
    typed: Receiver<Key>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    // Let go after the terminal was put in order.
    _hold: Hold,
}

impl Keys {
    /// None where there is no terminal to read from, or none that this program could ever have.
    pub fn open() -> Option<Self> {
        if !crate::ui::terminal::can_ask() || !may_come_to_foreground() {
            return None;
        }
        let hold = signal::hold();
        let over = Arc::new(AtomicBool::new(false));
        let (sender, typed) = mpsc::channel();
        let for_thread = Arc::clone(&over);
        let thread = thread::spawn(move || listen(&for_thread, &sender));
        Some(Self { typed, over, thread, _hold: hold })
    }

    /// The next key, if one is typed in this time.
    pub fn next(&self, limit: Duration) -> Option<Key> {
        // The thread may be held up by a terminal that closed at the wrong moment.
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
        let limit = Deadline::after(ENDING);
        while !self.thread.is_finished() && !limit.passed() {
            clock::sleep(Duration::from_millis(1));
        }
        put_in_order();
    }
}

fn listen(over: &AtomicBool, typed: &Sender<Key>) {
    while !over.load(Ordering::SeqCst) {
        if signal::waits() {
            if in_foreground() {
                put_in_order();
                let _ = io::stderr().write_all(b"\n");
            }
            signal::obey();
        }
        // A terminal that is gone has no foreground.
        if !in_foreground() {
            clock::sleep(TICK);
            continue;
        }
        // After a stop, by whatever signal, the terminal is as the shell wants it.
        if !is_raw() {
            put_in_order();
            if terminal::enable_raw_mode().is_err() {
                clock::sleep(TICK);
                continue;
            }
        }
        // Crossterm does not wait itself: where the terminal closes meanwhile, it reads the end of it for ever.
        match event::poll(Duration::ZERO).and_then(|there| if there { event::read().map(Some) } else { Ok(None) }) {
            Ok(Some(Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }))) => match code {
                KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => {
                    #[cfg(not(unix))]
                    put_in_order();
                    signal::interrupt();
                }
                #[cfg(unix)]
                KeyCode::Char('z') if modifiers.contains(KeyModifiers::CONTROL) => {
                    put_in_order();
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
            // On an error too: what is waited for may still come, and so may the signal that says that the terminal is gone.
            Ok(None) | Err(_) => clock::sleep(TICK),
        }
    }
}

/// Only in the foreground: a program in the background is stopped by the system when it changes the terminal's mode.
fn put_in_order() {
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

/// The terminal of another session never comes.
#[cfg(unix)]
fn may_come_to_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok()
}

#[cfg(not(unix))]
fn may_come_to_foreground() -> bool {
    true
}

/// Whether it is as it was made here, and nobody has changed it since.
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
