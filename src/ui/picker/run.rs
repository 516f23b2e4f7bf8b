//! Shows a picker on the terminal and reads keys.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::{cursor, queue, terminal as screen};

use super::screen::Style;
use super::state::{Key, Picker, Step};
use crate::error::{Error, Exit, Result};
use crate::sys::{clock, signal};
use crate::ui::terminal::{self, TerminalCapabilities};

/// How often signals are checked for while no key is pressed.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the list and waits for a choice. Returns the key and the numbers of the rows, at least one; None if the user cancels.
///
/// # Errors
/// A terminal error; an empty list.
pub fn pick(mut picker: Picker, capabilities: TerminalCapabilities) -> Result<Option<(Key, Vec<usize>)>> {
    if picker.rows.is_empty() {
        return Err(Error::failed("there is nothing to choose from", "daypass configure"));
    }
    let failed = |error: io::Error| Error::failed(format!("terminal error: {error}"), "daypass --help");
    let _raw = RawMode::enter().map_err(failed)?;
    let mut stale = true;
    loop {
        if stale {
            draw(&mut picker, capabilities).map_err(failed)?;
        }
        stale = false;
        if signal::waits() {
            return Ok(None);
        }
        if !event::poll(SIGNAL_INTERVAL).map_err(failed)? {
            continue;
        }
        stale = true;
        let Some(key) = key_of(&event::read().map_err(failed)?) else { continue };
        #[cfg(unix)]
        if key == Key::Control('z') {
            leave_raw_mode();
            signal::stop();
            enter_raw_mode().map_err(failed)?;
            continue;
        }
        match picker.press(key) {
            Step::Open => {}
            Step::Chosen(key, rows) => return Ok(Some((key, rows))),
            Step::Cancelled => return Ok(None),
        }
    }
}

fn key_of(event: &Event) -> Option<Key> {
    let Event::Key(key) = event else { return None };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Char('p' | 'k') if control => Key::Up,
        KeyCode::Char('n' | 'j') if control => Key::Down,
        KeyCode::Char('a') if control => Key::MarkAll,
        KeyCode::Char('u') if control => Key::EraseLine,
        KeyCode::Char('w') if control => Key::EraseWord,
        KeyCode::Char('h') if control => Key::Backspace,
        KeyCode::Char(c) if control => Key::Control(c),
        KeyCode::Char(' ') => Key::Space,
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::ALT) => Key::Char(c),
        KeyCode::Tab => Key::Tab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

fn draw(picker: &mut Picker, capabilities: TerminalCapabilities) -> io::Result<()> {
    // A terminal that does not know its size reports 0.
    let (columns, lines) = screen::size().ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or((80, 24));
    let (text, end) = picker.screen(columns.into(), lines.into(), capabilities);
    let mut out = Vec::new();
    queue!(out, cursor::MoveTo(0, 0))?;
    for (at, (style, line)) in text.iter().enumerate() {
        if at > 0 {
            out.extend(b"\r\n");
        }
        let (before, after) = match style {
            _ if !capabilities.colour => ("", ""),
            Style::Plain => ("", ""),
            // Legible in every colour scheme.
            Style::Current => ("\x1b[7m", "\x1b[0m"),
            Style::Faint => ("\x1b[2m", "\x1b[0m"),
        };
        out.extend([before, line, after].concat().bytes());
        queue!(out, screen::Clear(screen::ClearType::UntilNewLine))?;
    }
    queue!(out, screen::Clear(screen::ClearType::FromCursorDown))?;
    queue!(out, cursor::MoveTo(u16::try_from(end).unwrap_or(u16::MAX).min(columns - 1), 1))?;
    let mut err = io::stderr().lock();
    err.write_all(&out)?;
    err.flush()
}

/// Ends the program if the picker does not end although it should: crossterm never returns from a terminal that was closed, and uses
/// all of a processor.
#[allow(clippy::disallowed_methods)] // Nothing else ends it if the signal for the closing is ignored.
fn watch(over: &AtomicBool) {
    let mut overdue = 0;
    while !over.load(Ordering::SeqCst) {
        clock::sleep(SIGNAL_INTERVAL);
        overdue = if signal::waits() || terminal::is_gone() { overdue + 1 } else { 0 };
        if overdue > 3 {
            leave_raw_mode();
            signal::obey();
            std::process::exit(Exit::Interrupted as i32);
        }
    }
}

/// The terminal in raw mode on its alternate screen. It is restored when this is dropped, on a panic, and before a signal ends the
/// program.
struct RawMode {
    over: Arc<AtomicBool>,
    // Released after the terminal was restored.
    _hold: signal::Hold,
}

static HOOK: std::sync::Once = std::sync::Once::new();

impl RawMode {
    fn enter() -> io::Result<Self> {
        let raw = Self { over: Arc::default(), _hold: signal::hold() };
        let over = Arc::clone(&raw.over);
        thread::spawn(move || watch(&over));
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave_raw_mode();
                before(panic);
            }));
        });
        enter_raw_mode()?;
        Ok(raw)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        leave_raw_mode();
    }
}

fn enter_raw_mode() -> io::Result<()> {
    screen::enable_raw_mode()?;
    let mut err = io::stderr().lock();
    queue!(err, screen::EnterAlternateScreen)?;
    err.flush()
}

fn leave_raw_mode() {
    let mut err = io::stderr().lock();
    let _ = queue!(err, screen::LeaveAlternateScreen).and_then(|()| err.flush());
    let _ = screen::disable_raw_mode();
}
