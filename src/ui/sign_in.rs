//! The sign-in screen: shows what the broker reports, opens the browser, reads keys.

use std::time::Duration;

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

/// How often the line that counts down is looked at, and whether it may be drawn.
const REDRAW_INTERVAL: Duration = Duration::from_millis(250);

const ELSEWHERE: &str = "No browser could be opened here: use one elsewhere.";

/// How to sign in, and what to show of it.
pub struct SignInOptions {
    /// What the broker is asked for.
    pub request: SignInRequest,
    /// Whether a browser is opened.
    pub browser: Browser,
    /// Always draw the QR code.
    pub qr: bool,
    /// Print an event per line for programs.
    pub events: bool,
}

/// What becomes of a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// One is opened.
    Opened,
    /// There is none here.
    Absent,
    /// It was asked for that none is opened.
    Suppressed,
}

/// Where the person sits: says and draws what the broker tells, opens the browser, listens to keys.
pub struct TerminalSignIn<'a> {
    env: &'a Env,
    interaction: Interaction,
    session: &'a Session,
    /// The session's name as a terminal may see it.
    name: String,
    options: &'a SignInOptions,
    /// On a terminal that nothing else writes to: the line that counts down, and keys.
    interactive: bool,
    keys: Option<Keys>,
    opened: Option<Opened>,
    prompt: Prompt,
    /// What the last poll came to.
    state: Option<PollState>,
    copied: bool,
    /// By a key the person chose the code.
    chose_code: bool,
    /// What stands in the line.
    shown_line: String,
}

/// What is waited for.
enum Prompt {
    /// Nothing that a person could do.
    None,
    /// The browser, at this address.
    Browser(String),
    /// The approval of a code: the address, and the code.
    Code(String, String),
}

impl<'a> TerminalSignIn<'a> {
    /// Shows nothing yet.
    pub fn new(env: &'a Env, interaction: Interaction, session: &'a Session, options: &'a SignInOptions) -> Self {
        let silent = interaction.quiet || interaction.verbose > 0 || env.log().is_some() || !env.moves_cursor();
        Self {
            env,
            interaction,
            session,
            name: text::clean(&session.name).into_owned(),
            options,
            interactive: options.request.unattended_until.is_none() && terminal::shows_people() && !silent && !options.events,
            keys: None,
            opened: None,
            prompt: Prompt::None,
            state: None,
            copied: false,
            chose_code: false,
            shown_line: String::new(),
        }
    }

    /// The address in the browser, if one may be opened.
    fn open(&mut self, address: &str) -> bool {
        // What the service names is opened only if it is a web page.
        let is_page = address.starts_with("https://") || address.starts_with("http://");
        if self.options.browser != Browser::Opened || !is_page {
            return false;
        }
        self.opened = browser::open(address, self.env).inspect_err(|error| tracing::info!(%error, "no browser")).ok();
        self.opened.is_some()
    }

    fn show_code(&mut self, started: &DeviceAuthorization) {
        let address = started.verification_uri_complete.as_ref().unwrap_or(&started.verification_uri);
        let (shown, code) = (text::clean(address), text::clean(&started.user_code));
        let (bold, plain) = if self.coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let name = &self.name;
        terminal::say(&format!(
            "To sign in to {name}, open this address and check that it shows this code:\n\n    {shown}\n    {bold}{code}{plain}\n"
        ));
        let opened = self.open(address);
        if self.options.qr || !opened && self.interactive {
            self.draw_code(address);
        }
        if !opened && self.options.browser != Browser::Suppressed {
            self.interaction.tell(ELSEWHERE);
        }
        self.prompt = Prompt::Code(address.clone(), started.user_code.clone());
    }

    /// A launcher that has failed in the meantime: the person takes another browser.
    fn notice_failure(&mut self) {
        let Prompt::Code(address, _) = &self.prompt else { return };
        if self.opened.as_mut().is_some_and(Opened::failed) {
            let address = address.clone();
            self.opened = None;
            self.rest();
            if self.interactive && !self.options.qr {
                self.draw_code(&address);
            }
            self.interaction.tell(ELSEWHERE);
        }
    }

    fn draw_code(&self, address: &str) {
        let terminal = qr::Terminal { unicode: self.env.utf8(), colours: self.coloured(), columns: terminal::columns() };
        match qr::draw(address, terminal) {
            Some(shown_line) => terminal::say(&shown_line),
            None if self.options.qr => terminal::say("The address does not fit into a QR code here.\n"),
            None => {}
        }
    }

    fn coloured(&self) -> bool {
        terminal::shows_people() && !self.env.no_color() && self.env.moves_cursor()
    }

    fn show_page(&mut self, address: &str, port: u16) {
        let (name, shown) = (&self.name, text::clean(address));
        let here = self.options.browser == Browser::Opened || browser::on_this_machine(self.env).is_ok();
        let place =
            if here { "on this machine".to_owned() } else { format!("on the machine whose port {port} you forward to this one") };
        terminal::say(&format!("To sign in to {name}, open this address in a browser {place}:\n\n    {shown}\n"));
        if self.options.browser == Browser::Suppressed {
            self.interaction.tell(&format!("The browser comes back to port {port} of 127.0.0.1, which must lead to this machine."));
        } else if !self.open(address) {
            self.prompt = Prompt::None;
            return;
        }
        self.prompt = Prompt::Browser(address.to_owned());
    }

    /// Whether the browser that the code flow needs has not come up.
    fn has_no_browser(&mut self) -> bool {
        let failed = self.opened.as_mut().is_some_and(Opened::failed);
        match self.prompt {
            Prompt::None => true,
            Prompt::Browser(_) => failed,
            // A code can be brought to a browser elsewhere; a process that nobody looks at can't tell of it.
            Prompt::Code(..) => self.options.request.unattended_until.is_some() && (failed || self.opened.is_none()),
        }
    }

    fn press(&mut self, key: Key) -> Decision {
        match (key, &self.prompt) {
            (Key::Enter, Prompt::Browser(address) | Prompt::Code(address, _)) => {
                let address = address.clone();
                self.open(&address);
            }
            (Key::Letter('c'), Prompt::Code(_, text) | Prompt::Browser(text)) => {
                terminal::copy(text);
                self.copied = true;
            }
            (Key::Letter('d'), Prompt::Browser(_)) => {
                self.chose_code = true;
                return Decision::UseDeviceCode("a code was asked for");
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
            (_, Some(PollState::SlowDown)) => ["Waiting, slowly as asked: {} left", "Slowly as asked: {}", "Slowly: {}"],
            (_, Some(PollState::Unreachable)) => {
                ["The service can't be reached, trying again: {} left", "Can't be reached, trying again: {}", "Unreachable: {}"]
            }
        };
        let opens = self.options.browser == Browser::Opened;
        let hints: &[&str] = match (&self.keys, &self.prompt) {
            (None, _) => &[],
            (Some(_), _) if self.copied => &["sent to the clipboard", "copied"],
            (Some(_), Prompt::Browser(_)) => &[
                "Enter open browser, c copy address, d device code",
                "Enter open, c copy, d device code",
                "Enter open, c copy, d code",
                "c copy address, d device code",
                "c copy, d code",
            ],
            (Some(_), _) => &["Enter open browser, c copy code", "Enter open, c copy", "c copy code", "c copy"],
        };
        let hints: Vec<&str> = hints.iter().copied().filter(|hint| opens || !hint.starts_with("Enter")).collect();
        let line = fitting(&states, left, &hints, self.copied, terminal::columns());
        if line != self.shown_line {
            terminal::rewrite(&line);
            self.shown_line = line;
        }
    }

    /// The terminal as it was, with an empty line.
    fn rest(&mut self) {
        self.keys = None;
        if !self.shown_line.is_empty() && terminal::is_ours() {
            terminal::rewrite("");
        }
        self.shown_line.clear();
    }
}

/// The line that counts down, shorter than the terminal is wide: one that wraps would scroll, once a second. `states` (with `{}` for the
/// time) and `hints` go from the longest form to the shortest; what is said matters more than options. `news`: what the hint says was not
/// there before, and is shown before anything else.
fn fitting(states: &[&str], left: Duration, hints: &[&str], news: bool, columns: Option<u16>) -> String {
    let room = columns.map_or(usize::MAX, |columns| usize::from(columns).saturating_sub(1));
    let time = format!("{}:{:02}", left.as_secs() / 60, left.as_secs() % 60);
    let states: Vec<String> = states.iter().map(|state| state.replace("{}", &time)).collect();
    // Rather all keys than more words.
    let (all, some): (Vec<&str>, Vec<&str>) = hints.iter().partition(|hint| hint.starts_with("Enter"));
    let with = |hints: Vec<&str>| -> Vec<String> {
        states.iter().flat_map(|state| hints.iter().map(move |hint| format!("{state}  ({hint})"))).collect()
    };
    let with_hint = with(all).into_iter().chain(with(some));
    let alone = hints.last().filter(|_| news).map(|&hint| hint.to_owned());
    let mut forms = with_hint.chain(alone).chain(states.iter().cloned()).chain([time.clone()]);
    // All of it is ASCII: a character is a column.
    forms.find(|form| form.len() <= room).unwrap_or_else(|| {
        let last = hints.last().filter(|_| news).copied().unwrap_or(&time);
        last.chars().take(room).collect()
    })
}

impl SignInUi for TerminalSignIn<'_> {
    fn notify(&mut self, event: &Event<'_>) {
        let (waiting, known) = match event {
            Event::Polling(state) => (true, self.state == Some(*state)),
            _ => (false, false),
        };
        if self.options.events && !known {
            // A reader that is gone is no reason not to sign in.
            let _ = terminal::print(&login_events::event(&self.session.name, event));
        }
        if !waiting {
            self.rest();
            (self.state, self.copied) = (None, false);
        }
        match *event {
            Event::WaitingForOther => self.interaction.tell(&format!("Another daypass signs in to {}: waiting for it.", self.name)),
            Event::Authorize { url, port, .. } => self.show_page(url, port),
            Event::DeviceCode(started) => self.show_code(started),
            Event::FellBack(_) if self.chose_code => self.interaction.tell("Going on with a code, as you decision.\n"),
            Event::FellBack(why) => {
                let why = text::clean(why);
                self.interaction.tell(&format!("The browser can't come back here ({why}): going on with a code.\n"));
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
        self.rest();
        let question = match self.prompt {
            Prompt::Browser(_) => "The browser did not come back in time. Enter starts again, Ctrl-C ends",
            _ => "The code has expired. Enter starts again with a new one, Ctrl-C ends",
        };
        self.interaction.may_prompt() && matches!(prompt::ask(question, None), Ok(Some(_)))
    }
}

impl Drop for TerminalSignIn<'_> {
    fn drop(&mut self) {
        self.rest();
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
    fn what_is_shown_goes_by_what_fits() {
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
        fn it_fits_at_any_width_and_says_at_any_that_something_was_copied(columns in 0u16..200, seconds in 0u64..10_000) {
            let left = Duration::from_secs(seconds);
            for (hints, news) in [(&HINTS[..], false), (&SENT[..], true), (&[][..], false)] {
                prop_assert!(fitting(&STATES, left, hints, news, Some(columns)).len() < usize::from(columns.max(1)));
            }
            let said = fitting(&STATES, left, &SENT, true, Some(columns));
            prop_assert!(columns < 7 || said.contains("copied") || said.contains("sent to the clipboard"), "{}", said);
        }
    }
}
