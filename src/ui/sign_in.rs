//! The sign-in screen: shows the events of the broker, opens the browser and reads keys.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::keys::{Key, Keys};
use super::terminal::{self, Interaction};
use super::{prompt, qr};
use crate::broker::{Decision, Event, PollState, SignInRequest, SignInUi};
use crate::output::login_events;
use crate::portal::DeviceAuthorization;
use crate::profile::names::Session;
use crate::sys::browser::{self, Opened};
use crate::sys::clock::{self, Deadline};
use crate::sys::env::Env;
use crate::text;

/// How often the countdown is updated.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);

const NO_BROWSER: &str = "Couldn't open a browser here. Open the address on any device.";

/// How to sign in and what to show.
pub struct SignInOptions {
    /// The request to the broker.
    pub request: SignInRequest,
    /// Whether a browser is opened.
    pub browser: Browser,
    /// Always draw the QR code.
    pub qr: bool,
    /// Print an event per line for programs.
    pub events: bool,
}

/// Whether a browser is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Open one.
    Opened,
    /// None runs on this machine.
    Absent,
    /// The user asked not to open one.
    Suppressed,
}

/// The sign-in screen on the terminal.
pub struct TerminalSignIn<'a> {
    env: &'a Env,
    interaction: Interaction,
    session: &'a Session,
    /// The cleaned name of the session.
    name: String,
    options: &'a SignInOptions,
    /// Whether to show the countdown and read keys: on a terminal to which nothing else writes.
    interactive: bool,
    keys: Option<Keys>,
    opened: Option<Opened>,
    prompt: Prompt,
    /// The result of the last poll.
    state: Option<PollState>,
    copied: bool,
    /// Whether the user switched to a device code.
    chose_code: bool,
    /// The countdown as shown.
    shown_line: String,
    /// What [`TerminalSignIn::show_prompt`] has printed above it: the rows, and the size of the terminal.
    shown_prompt: Option<(usize, TerminalSize)>,
}

/// Columns and rows.
type TerminalSize = (Option<u16>, Option<u16>);

/// What the user has to do.
enum Prompt {
    /// Nothing.
    None,
    /// Sign in at this address.
    Browser(String),
    /// Approve a code: the address, and the code.
    Code(String, String),
}

impl<'a> TerminalSignIn<'a> {
    /// Creates the screen; shows nothing yet.
    pub fn new(env: &'a Env, interaction: Interaction, session: &'a Session, options: &'a SignInOptions) -> Self {
        let silent = interaction.quiet || interaction.verbose > 0 || env.log().is_some() || !env.moves_cursor();
        Self {
            env,
            interaction,
            session,
            name: text::clean(&session.name).into_owned(),
            options,
            interactive: options.request.unattended_until.is_none() && terminal::shows_messages() && !silent && !options.events,
            keys: None,
            opened: None,
            prompt: Prompt::None,
            state: None,
            copied: false,
            chose_code: false,
            shown_line: String::new(),
            shown_prompt: None,
        }
    }

    /// Opens the address in the browser if allowed. Returns whether a browser was started.
    fn open(&mut self, address: &str) -> bool {
        if self.options.browser != Browser::Opened {
            return false;
        }
        self.opened = browser::open(address, self.env).inspect_err(|error| log::info!("no browser: {error}")).ok();
        self.opened.is_some()
    }

    fn show_code(&mut self, started: &DeviceAuthorization) {
        let address = started.verification_uri_complete.as_ref().unwrap_or(&started.verification_uri).clone();
        let opened = self.open(&address);
        self.prompt = Prompt::Code(address, started.user_code.clone());
        self.show_prompt(opened);
    }

    /// Reports that the program that opens the browser has failed, in place of what was shown before.
    fn notice_failure(&mut self) {
        if matches!(self.prompt, Prompt::Code(..)) && self.opened.as_mut().is_some_and(Opened::failed) {
            self.opened = None;
            self.restore();
            if let Some((rows, size)) = self.shown_prompt
                && self.interactive
                && !self.options.qr
                && terminal::is_ours()
                && size == terminal_size()
                && size.1.is_some_and(|all| rows < all.into())
            {
                terminal::erase_above(rows);
            }
            self.show_prompt(false);
        }
    }

    /// Shows the device code: what matters most comes last, directly above the countdown, and the QR code first, if all of it fits.
    fn show_prompt(&mut self, opened: bool) {
        let Prompt::Code(address, code) = &self.prompt else { return };
        let (shown, code) = (text::clean(address), text::clean(code));
        let (bold, plain) = if self.coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut lines = Vec::new();
        match self.options.browser {
            _ if self.interaction.quiet => {}
            Browser::Opened if opened => lines.push(self.opening()),
            Browser::Opened | Browser::Absent => lines.extend(wrapped(NO_BROWSER)),
            Browser::Suppressed => {}
        }
        lines.extend(wrapped(&format!("To sign in to {}, open this address and check that it shows this code:", self.name)));
        lines.push(format!("    {shown}"));
        // The code and the countdown have a line each.
        let rows = rows_of(&lines) + 1;
        if self.options.qr || !opened && self.interactive {
            self.draw_qr(address, rows + 1);
        }
        lines.push(format!("    {bold}{code}{plain}"));
        terminal::say(&lines.join("\n"));
        self.shown_prompt = Some((rows, terminal_size()));
    }

    /// Draws the QR code if it fits above so many other rows.
    fn draw_qr(&self, address: &str, others: usize) {
        let terminal = qr::Terminal { unicode: self.env.utf8(), colours: self.coloured(), columns: terminal::columns() };
        let fits = |drawing: &String| terminal::rows().is_none_or(|rows| drawing.lines().count() + others <= rows.into());
        match qr::draw(address, terminal).filter(|drawing| self.options.qr || fits(drawing)) {
            Some(drawing) => terminal::say(drawing.trim_end_matches('\n')),
            None if self.options.qr => terminal::say("The terminal is too narrow for the QR code."),
            None => {}
        }
    }

    fn opening(&self) -> String {
        format!("Opening your browser{}", if self.env.utf8() { "…" } else { "..." })
    }

    fn coloured(&self) -> bool {
        terminal::shows_messages() && !self.env.no_color() && self.env.moves_cursor()
    }

    fn show_page(&mut self, address: &str, port: u16) {
        let (name, shown) = (self.name.clone(), text::clean(address));
        let here = self.options.browser == Browser::Opened || browser::on_this_machine(self.env).is_ok();
        let place =
            if here { "on this machine".to_owned() } else { format!("on the machine that forwards port {port} to this one") };
        let opened = self.open(address);
        if opened {
            self.interaction.tell(&self.opening());
        } else if self.options.browser == Browser::Suppressed {
            self.interaction.tell(&format!("The browser returns to 127.0.0.1:{port}, which must reach this machine."));
        } else {
            self.prompt = Prompt::None;
            return;
        }
        let heading = wrapped(&format!("To sign in to {name}, open this address in a browser {place}:"));
        terminal::say(&format!("{}\n    {shown}", heading.join("\n")));
        self.prompt = Prompt::Browser(address.to_owned());
    }

    /// Whether the flow needs a browser and none could be started.
    fn has_no_browser(&mut self) -> bool {
        let failed = self.opened.as_mut().is_some_and(Opened::failed);
        match self.prompt {
            Prompt::None => true,
            Prompt::Browser(_) => failed,
            // A code can be approved in any browser, but an unattended process has no user to show it to.
            Prompt::Code(..) => self.options.request.unattended_until.is_some() && (failed || self.opened.is_none()),
        }
    }

    fn press(&mut self, key: Key) -> Decision {
        match (key, &self.prompt) {
            (Key::Enter, Prompt::Browser(address) | Prompt::Code(address, _)) => {
                let address = address.clone();
                self.open(&address);
            }
            (Key::Letter('c'), Prompt::Code(_, text)) | (Key::Letter('u'), Prompt::Code(text, _) | Prompt::Browser(text)) => {
                terminal::copy(text);
                self.copied = true;
            }
            (Key::Letter('d'), Prompt::Browser(_)) => {
                self.chose_code = true;
                return Decision::UseDeviceCode("a device code was requested");
            }
            _ => {}
        }
        Decision::Continue
    }

    fn draw(&mut self, left: Duration) {
        if !terminal::is_ours() {
            self.shown_line.clear();
            return;
        }
        let states = match (&self.prompt, self.state) {
            (Prompt::None, _) => return,
            (Prompt::Browser(_), _) => ["Waiting for the browser: {} left", "Waiting: {}", "{} left"],
            (_, None | Some(PollState::Pending)) => ["Waiting for your approval: {} left", "Waiting: {}", "{} left"],
            (_, Some(PollState::SlowDown)) => ["Waiting (asked to slow down): {} left", "Waiting (slowed down): {}", "Waiting: {}"],
            (_, Some(PollState::Unreachable)) => {
                ["Can't reach the service, retrying: {} left", "Unreachable, retrying: {}", "Unreachable: {}"]
            }
        };
        let opens = self.options.browser == Browser::Opened;
        let hints: &[&str] = match (&self.keys, &self.prompt) {
            (None, _) => &[],
            (Some(_), _) if self.copied => &["sent to the clipboard", "copied"],
            (Some(_), Prompt::Browser(_)) => &[
                "Enter open browser, u copy address, d device code",
                "Enter open, u copy address, d device code",
                "Enter open, u copy, d code",
                "u copy address, d device code",
                "u copy, d code",
            ],
            (Some(_), _) => &[
                "Enter open browser, c copy code, u copy address",
                "Enter open, c copy code, u copy address",
                "Enter open, c code, u URL",
                "c copy code, u copy address",
                "c code, u URL",
            ],
        };
        let hints: Vec<&str> = hints.iter().copied().filter(|hint| opens || !hint.starts_with("Enter")).collect();
        let line = fitting(&states, left, &hints, self.copied, terminal::columns());
        if line != self.shown_line {
            terminal::rewrite(&line);
            self.shown_line = line;
        }
    }

    /// Restores the terminal and clears the line.
    fn restore(&mut self) {
        self.keys = None;
        if !self.shown_line.is_empty() && terminal::is_ours() {
            terminal::rewrite("");
        }
        self.shown_line.clear();
    }
}

/// A sentence as lines that fit the terminal of standard error.
fn wrapped(sentence: &str) -> Vec<String> {
    let columns = terminal::columns().map_or(usize::MAX, usize::from);
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn terminal_size() -> TerminalSize {
    (terminal::columns(), terminal::rows())
}

/// How many rows these lines take on the terminal of standard error.
fn rows_of(lines: &[String]) -> usize {
    let columns = terminal::columns().map_or(usize::MAX, usize::from).max(1);
    lines.iter().map(|line| line.width().div_ceil(columns).max(1)).sum()
}

/// The countdown, shorter than the terminal is wide: a line that wraps would scroll once a second. `states` (with `{}` for the time) and
/// `hints` are ordered from the longest form to the shortest; the state matters more than the keys. `news`: the hint reports something new
/// and matters most.
fn fitting(states: &[&str], left: Duration, hints: &[&str], news: bool, columns: Option<u16>) -> String {
    let space = columns.map_or(usize::MAX, |columns| usize::from(columns).saturating_sub(1));
    let time = format!("{}:{:02}", left.as_secs() / 60, left.as_secs() % 60);
    let states: Vec<String> = states.iter().map(|state| state.replace("{}", &time)).collect();
    // Showing all keys matters more than longer words.
    let (all, some): (Vec<&str>, Vec<&str>) = hints.iter().partition(|hint| hint.starts_with("Enter"));
    let with = |hints: Vec<&str>| -> Vec<String> {
        states.iter().flat_map(|state| hints.iter().map(move |hint| format!("{state}  ({hint})"))).collect()
    };
    let with_hint = with(all).into_iter().chain(with(some));
    let alone = hints.last().filter(|_| news).map(|&hint| hint.to_owned());
    let mut forms = with_hint.chain(alone).chain(states.iter().cloned()).chain([time.clone()]);
    // All of it is ASCII, so a character takes one column.
    forms.find(|form| form.len() <= space).unwrap_or_else(|| {
        let last = hints.last().filter(|_| news).copied().unwrap_or(&time);
        last.chars().take(space).collect()
    })
}

impl SignInUi for TerminalSignIn<'_> {
    fn notify(&mut self, event: &Event<'_>) {
        let (waiting, known) = match event {
            Event::Polling(state) => (true, self.state == Some(*state)),
            _ => (false, false),
        };
        if self.options.events && !known {
            // If the reader is gone, the sign-in continues.
            let _ = terminal::print(&login_events::event(&self.session.name, event));
        }
        if !waiting {
            self.restore();
            (self.state, self.copied) = (None, false);
        }
        match *event {
            Event::WaitingForOther => {
                self.interaction.tell(&format!("Another daypass is signing in to {}; waiting for it.", self.name));
            }
            Event::Authorize { url, port, .. } => self.show_page(url, port),
            Event::DeviceCode(started) => self.show_code(started),
            Event::FellBack(_) if self.chose_code => self.interaction.tell("Switching to a device code."),
            Event::FellBack(why) => {
                let why = text::clean(why);
                self.interaction.tell(&format!("Browser sign-in doesn't work here ({why}); using a device code instead."));
            }
            Event::Polling(state) => self.state = Some(state),
        }
    }

    fn wait(&mut self, pause: Duration, left: Duration) -> Decision {
        if self.has_no_browser() {
            return if self.options.request.unattended_until.is_some() {
                Decision::GiveUp
            } else {
                Decision::UseDeviceCode("no browser could be opened")
            };
        }
        self.notice_failure();
        if self.interactive && self.keys.is_none() && !self.interaction.no_input {
            self.keys = Keys::open();
        }
        let (until, end) = (Deadline::after(pause), Deadline::after(left));
        while !until.passed() {
            if self.interactive {
                self.draw(end.left());
            }
            let step = until.left().min(REDRAW_INTERVAL);
            match &self.keys {
                None => clock::sleep(step),
                Some(keys) => {
                    if let Some(key) = keys.next(step)
                        && let decision @ Decision::UseDeviceCode(_) = self.press(key)
                    {
                        return decision;
                    }
                }
            }
        }
        Decision::Continue
    }

    fn restart(&mut self) -> bool {
        self.restore();
        let question = match self.prompt {
            Prompt::Browser(_) => "The browser did not return in time. Press Enter to start again, Ctrl-C to cancel",
            _ => "The code has expired. Press Enter for a new one, Ctrl-C to cancel",
        };
        self.interaction.may_prompt() && matches!(prompt::ask(question, None), Ok(Some(_)))
    }
}

impl Drop for TerminalSignIn<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [&str; 3] = ["Waiting for the browser: {} left", "Waiting: {}", "{} left"];
    const HINTS: [&str; 3] = ["Enter open browser, c copy address", "Enter open, c copy", "c copy"];
    const SENT: [&str; 2] = ["sent to the clipboard", "copied"];
    const LEFT: Duration = Duration::from_secs(588);

    #[test]
    fn the_longest_form_that_fits_is_shown() {
        for (columns, line) in [
            (None, "Waiting for the browser: 9:48 left  (Enter open browser, c copy address)"),
            (Some(73), "Waiting for the browser: 9:48 left  (Enter open browser, c copy address)"),
            (Some(72), "Waiting for the browser: 9:48 left  (Enter open, c copy)"),
            (Some(40), "Waiting: 9:48  (Enter open, c copy)"),
            (Some(32), "9:48 left  (Enter open, c copy)"),
            (Some(31), "Waiting: 9:48  (c copy)"),
            (Some(15), "Waiting: 9:48"),
            (Some(5), "9:48"),
            (Some(4), "9:4"),
            (Some(0), ""),
        ] {
            assert_eq!(fitting(&STATES, LEFT, &HINTS, false, columns), line);
        }
    }

    proptest! {
        #[test]
        fn it_fits_at_any_width_and_always_reports_a_copy(columns in 0u16..200, seconds in 0u64..10_000) {
            let left = Duration::from_secs(seconds);
            for (hints, news) in [(&HINTS[..], false), (&SENT[..], true), (&[][..], false)] {
                prop_assert!(fitting(&STATES, left, hints, news, Some(columns)).len() < usize::from(columns.max(1)));
            }
            let said = fitting(&STATES, left, &SENT, true, Some(columns));
            prop_assert!(columns < 7 || said.contains("copied") || said.contains("sent to the clipboard"), "{}", said);
        }
    }
}
