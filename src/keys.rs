//! Single keys from the terminal, while something is waited for. Touches the terminal's mode.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;

use crate::clock;
use crate::signal::{self, Hold};

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
    // Let go after the terminal was put in order.
    _hold: Hold,
}

impl Keys {
    /// None where there is no terminal to read from, or where it belongs to another program at present.
    pub fn open() -> Option<Self> {
        if !crate::terminal::can_ask() || !in_foreground() {
            return None;
        }
        let hold = signal::hold();
        terminal::enable_raw_mode().ok()?;
        let over = Arc::new(AtomicBool::new(false));
        let (sender, typed) = mpsc::channel();
        let for_thread = Arc::clone(&over);
        let thread = thread::spawn(move || {
            while !for_thread.load(Ordering::SeqCst) {
                if signal::waits() {
                    put_in_order();
                    let _ = io::stderr().write_all(b"\n");
                    signal::obey();
                }
                match event::poll(TICK).and_then(|there| if there { event::read().map(Some) } else { Ok(None) }) {
                    Ok(Some(Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }))) => match code {
                        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => {
                            #[cfg(not(unix))]
                            put_in_order();
                            signal::interrupt();
                        }
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
                    Err(_) => return,
                }
            }
        });
        Some(Self { typed, over, thread: Some(thread), _hold: hold })
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
        put_in_order();
    }
}

fn put_in_order() {
    let _ = terminal::disable_raw_mode();
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
