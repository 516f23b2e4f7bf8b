//! `daypass login`: signs in, by a browser that comes back to this machine or by a code to compare.

use std::time::Duration;

use crate::broker::{Broker, Event, Flow, Person, Waiting, Way, Wish};
use crate::browser::{self, Opened};
use crate::cli::{Events, FlowChoice, Login};
use crate::clock::{self, Deadline};
use crate::error::{Error, Exit, Result};
use crate::grant::Token;
use crate::keys::{Key, Keys};
use crate::output::{self, qr};
use crate::portal::DeviceAuthorization;
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::terminal;
use crate::vault::Fault;
use crate::world::{PATIENCE, World};

/// How long a person may take to unlock the keyring in the system's own prompt.
const UNLOCKING: Duration = Duration::from_mins(2);

/// How often the line that counts down is looked at, and whether it may be drawn.
const LOOK: Duration = Duration::from_millis(250);

const ELSEWHERE: &str = "No browser could be opened here: use one elsewhere.";

/// Runs it.
pub fn run(world: &World, typed: Login) -> Result<u8> {
    let how = How::of(world, &typed)?;
    let needed = typed.if_needed.then(|| typed.min_ttl.unwrap_or_default());
    if typed.all {
        return all(world, &how, needed);
    }
    let profile = typed.profile.clone();
    let session = resolve::session(&world.env, &super::asked_session(typed.session, typed.name, typed.profile))?;
    one(world, &session, profile.as_deref(), &how, needed)?;
    Ok(0)
}

/// One that fails does not keep the others; the first failure is the status.
fn all(world: &World, how: &How, needed: Option<Duration>) -> Result<u8> {
    let sessions = resolve::sessions(&Config::read(&world.env)?);
    if sessions.is_empty() {
        return Err(Error::usage("there is no session to sign in to", "daypass configure"));
    }
    let mut status = 0;
    for session in &sessions {
        match one(world, session, None, how, needed) {
            Err(error) if error.exit == Exit::Keyring => return Err(error),
            Err(error) => {
                terminal::say(&error.to_string());
                status = if status == 0 { error.exit as u8 } else { status };
            }
            Ok(()) => {}
        }
    }
    Ok(status)
}

fn one(world: &World, session: &Session, profile: Option<&str>, how: &How, needed: Option<Duration>) -> Result<()> {
    if let Some(at_least) = needed
        && let Some(token) = lasting(world, session, profile, at_least)?
    {
        world.tell(&format!("Already signed in to {}.", terminal::clean(&session.name)));
        return how.report(world, session, &token, true);
    }
    let token = sign_in_by(world, session, profile, how)?;
    how.report(world, session, &token, false)
}

/// How to sign in, and what to show of it.
struct How {
    way: Way,
    browser: Browser,
    qr: bool,
    events: bool,
}

/// What becomes of a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Browser {
    Opened,
    /// There is none here.
    Absent,
    /// It was asked for that none is opened.
    Unwanted,
}

impl How {
    /// Without a word about it a browser is opened only where there is one: over SSH it would be a text browser on the other machine.
    fn new(world: &World, way: Way, no_browser: bool) -> Self {
        let there = browser::on_this_machine(&world.env).is_ok() || world.env.browser().is_some();
        let browser = match (no_browser, there) {
            (true, _) => Browser::Unwanted,
            (false, true) => Browser::Opened,
            (false, false) => Browser::Absent,
        };
        Self { way, browser, qr: false, events: false }
    }

    fn of(world: &World, typed: &Login) -> Result<Self> {
        let here = browser::on_this_machine(&world.env);
        let flow = match (typed.flow, typed.port) {
            (FlowChoice::Device, Some(_)) => {
                return Err(Error::usage(
                    "--port is for --flow pkce: a device code needs none",
                    "daypass login --flow pkce --port PORT",
                ));
            }
            (FlowChoice::Pkce, _) | (FlowChoice::Auto, Some(_)) => Flow::Code,
            (FlowChoice::Device, None) => Flow::Device,
            (FlowChoice::Auto, None) => match here {
                Ok(()) if !typed.no_browser && !typed.qr => Flow::Code,
                Ok(()) => Flow::Device,
                Err(why) => {
                    tracing::info!(why, "signing in by a device code");
                    Flow::Device
                }
            },
        };
        let way = Way { flow, port: typed.port, unasked: None };
        // Who forwards a port has a browser at its other end.
        let no_browser = typed.no_browser || typed.port.is_some() && here.is_err();
        Ok(Self { qr: typed.qr, events: typed.format == Events::Json, ..Self::new(world, way, no_browser) })
    }

    fn report(&self, world: &World, session: &Session, token: &Token, already: bool) -> Result<()> {
        if self.events { world.print(&output::sign_in::signed_in(&session.name, token, already)) } else { Ok(()) }
    }
}

/// Does what may need a sign-in, for a person who is there: where it is missing they sign in, and it is done again.
pub fn signing_in<T>(
    world: &World,
    session: &Session,
    profile: Option<&str>,
    no_browser: bool,
    act: impl Fn() -> Result<T>,
) -> Result<T> {
    match act() {
        Err(error) if error.exit == Exit::SignIn => {
            sign_in(world, session, profile, no_browser)?;
            act()
        }
        other => other,
    }
}

/// Signs in to a session as the surroundings allow, and tells how long it lasts.
pub fn sign_in(world: &World, session: &Session, profile: Option<&str>, no_browser: bool) -> Result<Token> {
    let local = !no_browser && browser::on_this_machine(&world.env).is_ok();
    let way = Way { flow: if local { Flow::Code } else { Flow::Device }, port: None, unasked: None };
    sign_in_by(world, session, profile, &How::new(world, way, no_browser))
}

fn sign_in_by(world: &World, session: &Session, profile: Option<&str>, how: &How) -> Result<Token> {
    let broker = world.broker(session, profile)?;
    unlock(world, session)?;
    let mut desk = Desk::new(world, session, how);
    let token = broker.sign_in(how.way, &mut desk)?;
    drop(desk);
    let until = output::when(token.expires_at);
    let lasts = if token.refresh.is_some() { format!("until {until}, and is renewed by itself") } else { format!("until {until}") };
    world.tell(&format!("Signed in to {}. The sign-in lasts {lasts}.", terminal::clean(&session.name)));
    if world.vault()?.token_is_volatile() {
        world.tell("The sign-in is kept in the kernel's keyring: it lasts until a restart, or three days without use.");
    }
    Ok(token)
}

/// For a tool that needs credentials, where the profile allows it: opens the browser, if there is one on this machine.
///
/// # Errors
/// Sign-in is needed still: this is no user's desktop, or nobody answered in time.
pub fn sign_in_unasked(world: &World, session: &Session, profile: Option<&str>, needed: Error, until: Deadline) -> Result<()> {
    if let Err(why) = browser::on_this_machine(&world.env) {
        return Err(Error { what: format!("{}; no browser is opened: {why}", needed.what), ..needed });
    }
    let way = Way { flow: Flow::Code, port: None, unasked: Some(until) };
    let how = How::new(world, way, false);
    world.broker(session, profile)?.sign_in(way, &mut Desk::new(world, session, &how)).map(drop)
}

/// A locked keyring is found before the person goes to the browser. With a person there, the system may ask to unlock it.
fn unlock(world: &World, session: &Session) -> Result<()> {
    let vault = world.vault()?;
    match vault.token(session) {
        Err(Fault::Locked(_)) if world.may_ask() => Ok(vault.unlock(UNLOCKING)?),
        Err(fault) => Err(fault.into()),
        Ok(_) => Ok(()),
    }
}

/// The sign-in, if it lasts so long. One that can be refreshed is refreshed: if that works it lasts as long as it can be again.
fn lasting(world: &World, session: &Session, profile: Option<&str>, at_least: Duration) -> Result<Option<Token>> {
    let broker: Broker<'_> = world.broker(session, profile)?;
    let Some(token) = world.vault()?.token(session)? else { return Ok(None) };
    let now = clock::now();
    if token.expires_at > now && token.expires_at - now >= at_least {
        return Ok(Some(token));
    }
    let renewed = broker.refreshed(&token, Deadline::after(PATIENCE)).ok();
    Ok(renewed.filter(|token| token.expires_at - now >= at_least || token.refreshable(now.saturating_add(signed(at_least)))))
}

fn signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}

/// Where the person sits: says and draws what the broker tells, opens the browser, listens to keys.
struct Desk<'a> {
    world: &'a World,
    session: &'a Session,
    /// The session's name as a terminal may see it.
    name: String,
    how: &'a How,
    /// On a terminal that nothing else writes to: the line that counts down, and keys.
    lively: bool,
    keys: Option<Keys>,
    opened: Option<Opened>,
    scene: Scene,
    /// What the last poll came to.
    state: Option<Waiting>,
    copied: bool,
    /// By a key the person chose the code.
    chose_code: bool,
    /// What stands in the line.
    drawn: String,
}

/// What is waited for.
enum Scene {
    /// Nothing that a person could do.
    Nothing,
    /// The browser, at this address.
    Browser(String),
    /// The approval of a code: the address, and the code.
    Code(String, String),
}

impl<'a> Desk<'a> {
    fn new(world: &'a World, session: &'a Session, how: &'a How) -> Self {
        let silent = world.common.quiet || world.common.verbose > 0 || world.env.log().is_some() || !world.env.moves_cursor();
        Self {
            world,
            session,
            name: terminal::clean(&session.name).into_owned(),
            how,
            lively: how.way.unasked.is_none() && terminal::shows_people() && !silent && !how.events,
            keys: None,
            opened: None,
            scene: Scene::Nothing,
            state: None,
            copied: false,
            chose_code: false,
            drawn: String::new(),
        }
    }

    /// The address in the browser, if one may be opened.
    fn open(&mut self, address: &str) -> bool {
        // What the service names is opened only if it is a web page.
        let is_page = address.starts_with("https://") || address.starts_with("http://");
        if self.how.browser != Browser::Opened || !is_page {
            return false;
        }
        self.opened = browser::open(address, &self.world.env).inspect_err(|error| tracing::info!(%error, "no browser")).ok();
        self.opened.is_some()
    }

    fn show_code(&mut self, started: &DeviceAuthorization) {
        let address = started.verification_uri_complete.as_ref().unwrap_or(&started.verification_uri);
        let (shown, code) = (terminal::clean(address), terminal::clean(&started.user_code));
        let (bold, plain) = if self.coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let name = &self.name;
        terminal::say(&format!(
            "To sign in to {name}, open this address and check that it shows this code:\n\n    {shown}\n    {bold}{code}{plain}\n"
        ));
        let opened = self.open(address);
        if self.how.qr || !opened && self.lively {
            self.draw_code(address);
        }
        if !opened && self.how.browser != Browser::Unwanted {
            self.world.tell(ELSEWHERE);
        }
        self.scene = Scene::Code(address.clone(), started.user_code.clone());
    }

    /// A launcher that has failed in the meantime: the person takes another browser.
    fn notice_failure(&mut self) {
        let Scene::Code(address, _) = &self.scene else { return };
        if self.opened.as_mut().is_some_and(Opened::failed) {
            let address = address.clone();
            self.opened = None;
            self.rest();
            if self.lively && !self.how.qr {
                self.draw_code(&address);
            }
            self.world.tell(ELSEWHERE);
        }
    }

    fn draw_code(&self, address: &str) {
        let terminal = qr::Terminal { unicode: self.world.env.utf8(), colours: self.coloured(), columns: terminal::columns() };
        match qr::draw(address, terminal) {
            Some(drawn) => terminal::say(&drawn),
            None if self.how.qr => terminal::say("The address does not fit into a QR code here.\n"),
            None => {}
        }
    }

    fn coloured(&self) -> bool {
        terminal::shows_people() && !self.world.env.no_color() && self.world.env.moves_cursor()
    }

    fn show_page(&mut self, address: &str, port: u16) {
        let (name, shown) = (&self.name, terminal::clean(address));
        let here = self.how.browser == Browser::Opened || browser::on_this_machine(&self.world.env).is_ok();
        let place =
            if here { "on this machine".to_owned() } else { format!("on the machine whose port {port} you forward to this one") };
        terminal::say(&format!("To sign in to {name}, open this address in a browser {place}:\n\n    {shown}\n"));
        if self.how.browser == Browser::Unwanted {
            self.world.tell(&format!("The browser comes back to port {port} of 127.0.0.1, which must lead to this machine."));
        } else if !self.open(address) {
            self.scene = Scene::Nothing;
            return;
        }
        self.scene = Scene::Browser(address.to_owned());
    }

    /// Whether the browser that the code flow needs has not come up.
    fn has_no_browser(&mut self) -> bool {
        let failed = self.opened.as_mut().is_some_and(Opened::failed);
        match self.scene {
            Scene::Nothing => true,
            Scene::Browser(_) => failed,
            // A code can be brought to a browser elsewhere; a process that nobody looks at can't tell of it.
            Scene::Code(..) => self.how.way.unasked.is_some() && (failed || self.opened.is_none()),
        }
    }

    fn press(&mut self, key: Key) -> Wish {
        match (key, &self.scene) {
            (Key::Enter, Scene::Browser(address) | Scene::Code(address, _)) => {
                let address = address.clone();
                self.open(&address);
            }
            (Key::Letter('c'), Scene::Code(_, text) | Scene::Browser(text)) => {
                terminal::copy(text);
                self.copied = true;
            }
            (Key::Letter('d'), Scene::Browser(_)) => {
                self.chose_code = true;
                return Wish::Device("a code was asked for");
            }
            _ => {}
        }
        Wish::GoOn
    }

    fn draw(&mut self, left: Duration) {
        if !terminal::is_ours() {
            self.drawn.clear();
            return;
        }
        let states = match (&self.scene, self.state) {
            (Scene::Nothing, _) => return,
            (Scene::Browser(_), _) => ["Waiting for the browser: {} left", "Waiting: {}", "{} left"],
            (_, None | Some(Waiting::Pending)) => ["Waiting for your approval: {} left", "Waiting: {}", "{} left"],
            (_, Some(Waiting::SlowDown)) => ["Waiting, slowly as asked: {} left", "Slowly as asked: {}", "Slowly: {}"],
            (_, Some(Waiting::Unreachable)) => {
                ["The service can't be reached, trying again: {} left", "Can't be reached, trying again: {}", "Unreachable: {}"]
            }
        };
        let opens = self.how.browser == Browser::Opened;
        let hints: &[&str] = match (&self.keys, &self.scene) {
            (None, _) => &[],
            (Some(_), _) if self.copied => &["sent to the clipboard", "copied"],
            (Some(_), Scene::Browser(_)) => &[
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
        if line != self.drawn {
            terminal::rewrite(&line);
            self.drawn = line;
        }
    }

    /// The terminal as it was, with an empty line.
    fn rest(&mut self) {
        self.keys = None;
        if !self.drawn.is_empty() && terminal::is_ours() {
            terminal::rewrite("");
        }
        self.drawn.clear();
    }
}

/// The line that counts down, shorter than the terminal is wide: one that wraps would scroll, once a second. `states` (with `{}` for the
/// time) and `hints` go from the longest form to the shortest; what is said matters more than how. `news`: what the hint says was not
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

impl Person for Desk<'_> {
    fn hear(&mut self, event: &Event<'_>) {
        let (waiting, known) = match event {
            Event::Waiting(state) => (true, self.state == Some(*state)),
            _ => (false, false),
        };
        if self.how.events && !known {
            // A reader that is gone is no reason not to sign in.
            let _ = terminal::print(&output::sign_in::event(&self.session.name, event));
        }
        if !waiting {
            self.rest();
            (self.state, self.copied) = (None, false);
        }
        match *event {
            Event::Another => self.world.tell(&format!("Another daypass signs in to {}: waiting for it.", self.name)),
            Event::Authorize { url, port, .. } => self.show_page(url, port),
            Event::Code(started) => self.show_code(started),
            Event::FellBack(_) if self.chose_code => self.world.tell("Going on with a code, as you wish.\n"),
            Event::FellBack(why) => {
                let why = terminal::clean(why);
                self.world.tell(&format!("The browser can't come back here ({why}): going on with a code.\n"));
            }
            Event::Waiting(state) => self.state = Some(state),
        }
    }

    fn pass(&mut self, pause: Duration, left: Duration) -> Wish {
        if self.has_no_browser() {
            return if self.how.way.unasked.is_some() { Wish::GiveUp } else { Wish::Device("no browser could be opened") };
        }
        self.notice_failure();
        if self.lively && self.keys.is_none() && !self.world.common.no_input {
            self.keys = Keys::open();
        }
        let (until, end) = (Deadline::after(pause), Deadline::after(left));
        while !until.passed() {
            if self.lively {
                self.draw(end.left());
            }
            let step = until.left().min(LOOK);
            match &self.keys {
                None => clock::sleep(step),
                Some(keys) => {
                    if let Some(key) = keys.next(step)
                        && let wish @ Wish::Device(_) = self.press(key)
                    {
                        return wish;
                    }
                }
            }
        }
        Wish::GoOn
    }

    fn starts_again(&mut self) -> bool {
        self.rest();
        let question = match self.scene {
            Scene::Browser(_) => "The browser did not come back in time. Enter starts again, Ctrl-C ends",
            _ => "The code has expired. Enter starts again with a new one, Ctrl-C ends",
        };
        self.world.may_ask() && matches!(terminal::ask(question, None), Ok(Some(_)))
    }
}

impl Drop for Desk<'_> {
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
