//! `daypass login`: signs in, through a browser that returns to this machine or with a device code.

use std::time::Duration;

use clap::ValueEnum;

use super::flags::{SessionOrProfileArgs, duration};
use super::region;
use super::session::{self, Chosen};
use crate::broker::{Broker, Flow, SignInRequest};
use crate::context::{COMMAND_TIMEOUT, Context, OnBehalf};
use crate::credentials::Token;
use crate::error::{Error, Exit, Result};
use crate::output::{self, login_events};
use crate::portal;
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};
use crate::text;
use crate::ui::sign_in::SignInOptions;
use crate::ui::terminal;
use crate::vault;

/// Sign in to IAM Identity Center
#[derive(Debug, clap::Args)]
#[command(after_help = "\
If you are already signed in, login says so and does nothing. --force starts a
new sign-in, and so does --max-age if the current one is older. For a limit that
always applies, add a line such as 'daypass_max_age = 8h' to the [sso-session]
block.

There are two ways to sign in. If a browser runs on this machine, it returns to
daypass on its own (pkce). Elsewhere (SSH, containers, CI, no display), open an
address in any browser and compare a code (device). Over SSH, pkce works through
a forwarded port:
  ssh -L 8400:127.0.0.1:8400 HOST      and there: daypass login --port 8400

While it waits: Enter opens the browser again, c copies the code, u the address,
d switches to a device code, Ctrl-Z suspends. In the background it prints no
progress.

--format json prints one event per line to standard output, each with 'event'
and 'session':
  another     another daypass is signing in to this session; waiting for it
  authorize   url, port, expires_in: the browser must reach 127.0.0.1:port here
  code        verification_uri, verification_uri_complete, user_code, expires_in
  fell_back   reason: pkce does not work here; a device code follows
  waiting     state: pending, slow_down or unreachable (when it changes)
  signed_in   expires_at, refreshable, already (true: was already signed in)
Durations are in seconds. If no signed_in event follows, the exit status is
non-zero and the reason is on standard error.")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionOrProfileArgs,
    /// Sign in to every session in ~/.aws/config, one after the other
    #[arg(long, conflicts_with_all = ["name", "session", "start_url", "sso_region", "profile"])]
    pub all: bool,
    /// Sign-in flow
    #[arg(long, value_name = "FLOW", default_value = "auto")]
    pub flow: FlowChoice,
    /// Local callback port, for SSH port forwarding (implies --flow pkce) [default: any free port]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Print the address without opening a browser
    #[arg(long)]
    pub no_browser: bool,
    /// Open a browser even if a coding agent runs this
    #[arg(long, conflicts_with = "no_browser")]
    pub browser: bool,
    /// Show the address as a QR code (the default on a terminal if no browser can be opened)
    #[arg(long, conflicts_with = "port")]
    pub qr: bool,
    /// What to print to standard output
    #[arg(long, value_name = "FORMAT", default_value = "none")]
    pub format: Events,
    /// Sign in even if already signed in
    #[arg(long, conflicts_with_all = ["if_needed", "max_age"])]
    pub force: bool,
    /// Sign in again if the sign-in is older than this, such as 8h [default: daypass_max_age of the session]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_age: Option<Duration>,
    /// Do nothing if already signed in (the default)
    #[arg(long)]
    pub if_needed: bool,
    /// With --if-needed: minimum remaining validity, such as 30m or 8h (a refreshable sign-in always qualifies)
    #[arg(long, value_name = "TIME", requires = "if_needed", value_parser = duration)]
    pub min_ttl: Option<Duration>,
}

/// The key of a session's block that limits the age of a sign-in. AWS tools ignore it.
const MAX_AGE: &str = "daypass_max_age";

/// The values of `login --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// Nothing
    None,
    /// One JSON event per line
    Json,
}

/// The values of `login --flow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowChoice {
    /// pkce if a browser runs on this machine, otherwise device
    Auto,
    /// Compare a code in any browser, on any device
    Device,
    /// The browser returns to this machine; falls back to device
    Pkce,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    if context.env.keyring() == Some("memory") {
        let what = "DAYPASS_KEYRING=memory keeps nothing when the command ends, so this sign-in would be lost";
        return Err(Error::usage(what, if cfg!(windows) { "set DAYPASS_KEYRING=auto" } else { "unset DAYPASS_KEYRING" }));
    }
    let options = requested_options(context, &args)?;
    let config = Config::read(&context.env)?;
    let wanted = Wanted { force: args.force, at_least: args.min_ttl.unwrap_or_default(), max_age: args.max_age };
    if args.all {
        return all(context, &config, &options, wanted);
    }
    let Chosen { session, profile } = session::choose(context, &config, args.session)?;
    one(context, &config, OnBehalf { profile: profile.as_deref(), ..OnBehalf::of(&session) }, &options, wanted)?;
    Ok(0)
}

/// When a new sign-in is started although there is one.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    force: bool,
    at_least: Duration,
    /// `--max-age`; else that of the session.
    max_age: Option<Duration>,
}

/// Signs in to each session, even if one fails. The exit status is that of the first failure.
fn all(context: &Context, config: &Config, options: &SignInOptions, wanted: Wanted) -> Result<u8> {
    let sessions = resolve::sessions(config);
    if sessions.is_empty() {
        return Err(Error::usage("there are no sessions to sign in to", "daypass configure"));
    }
    let mut status = 0;
    for session in &sessions {
        match one(context, config, OnBehalf::of(session), options, wanted) {
            Err(error) if error.exit == Exit::Keyring => return Err(error),
            Err(error) => {
                terminal::say(&terminal::shown(&error));
                status = if status == 0 { error.exit as u8 } else { status };
            }
            Ok(()) => {}
        }
    }
    Ok(status)
}

fn one(context: &Context, config: &Config, by: OnBehalf<'_>, options: &SignInOptions, wanted: Wanted) -> Result<()> {
    let session = by.session;
    let max_age = wanted.max_age.map_or_else(|| max_age_of(config, session), |age| Ok(Some(age)))?;
    if !wanted.force
        && !max_age.is_some_and(|age| is_older(context, session, age))
        && let Some(token) = still_valid(context, by, wanted.at_least)?
    {
        let now = clock::now();
        let until = match (token.refresh.is_some(), context.history().session_end(session)) {
            (true, Some(end)) => format!(" until about {}", output::when_near(end, now)),
            (true, None) => String::new(),
            (false, _) => format!(" until {}", output::when_near(token.expires_at, now)),
        };
        let again = format!("daypass login {} --force", session::words(session));
        context.tell(&text::clean(&format!("Already signed in to {}{until}. To sign in again: {again}", session.name)));
        return report(options, context, session, &token, true);
    }
    let token = match context.sign_in_with(by, options) {
        Err(error) => {
            // The portal may be in another region than the file says.
            let session = &region::corrected(context, session, error)?;
            context.sign_in_with(OnBehalf { session, ..by }, options)?
        }
        Ok(token) => token,
    };
    report(options, context, session, &token, false)
}

/// The oldest sign-in that the session's block accepts.
///
/// # Errors
/// The value is not a duration.
fn max_age_of(config: &Config, session: &Session) -> Result<Option<Duration>> {
    let Some(block) = config.session(&session.name) else { return Ok(None) };
    let Some(value) = block.get(MAX_AGE).filter(|value| !value.text.is_empty()) else { return Ok(None) };
    let parsed = duration(&value.text).map(Some);
    parsed.map_err(|why| {
        let what = format!("{}: {MAX_AGE} is \"{}\"; {why}", value.place(), value.text);
        Error::usage(what, format!("set {MAX_AGE} of [sso-session {}] to a time such as 8h", session.name))
    })
}

/// Whether the sign-in is older than this. One of unknown age is.
fn is_older(context: &Context, session: &Session, than: Duration) -> bool {
    context.history().signed_in_at(session).is_none_or(|at| clock::now() - at > signed(than))
}

/// The options from the arguments of `login`.
fn requested_options(context: &Context, args: &Args) -> Result<SignInOptions> {
    let local = browser::on_this_machine(&context.env);
    let no_browser = args.no_browser || context.env.agent().is_some() && !args.browser;
    let flow = match (args.flow, args.port) {
        (FlowChoice::Device, Some(_)) => {
            let what = "--port requires --flow pkce; a device code uses no port";
            return Err(Error::typo(what, "device", "pkce", "daypass login --flow pkce"));
        }
        (FlowChoice::Pkce, _) | (FlowChoice::Auto, Some(_)) => Flow::Pkce,
        (FlowChoice::Device, None) => Flow::Device,
        (FlowChoice::Auto, None) => match local {
            Ok(()) if !no_browser && !args.qr => Flow::Pkce,
            Ok(()) => Flow::Device,
            Err(why) => {
                log::info!("signing in by a device code: {why}");
                Flow::Device
            }
        },
    };
    let request = SignInRequest { flow, port: args.port, unattended_until: None };
    // With a forwarded port the browser runs on the machine at its other end.
    let no_browser = no_browser || args.port.is_some() && local.is_err();
    Ok(SignInOptions { qr: args.qr, events: args.format == Events::Json, ..context.sign_in_options(request, no_browser) })
}

/// Prints the last event if events were requested.
fn report(options: &SignInOptions, context: &Context, session: &Session, token: &Token, already: bool) -> Result<()> {
    if options.events { context.print(&login_events::signed_in(&session.name, token, already)) } else { Ok(()) }
}

/// The stored sign-in if it stays valid for `at_least`. A refreshable one is refreshed first, and is valid as long as it can be refreshed.
fn still_valid(context: &Context, by: OnBehalf<'_>, at_least: Duration) -> Result<Option<Token>> {
    let broker: Broker<'_> = context.broker(by.session, by.profile)?;
    context.unlock()?;
    let stored = context.vault()?.token(by.session).map_err(vault::Error::after_unlocking)?;
    let Some(token) = stored else { return Ok(None) };
    if token.registration.scopes != portal::scopes_of(by.session) {
        return Ok(None);
    }
    let now = clock::now();
    if token.expires_at > now && token.expires_at - now >= at_least {
        return Ok(Some(token));
    }
    let renewed = broker.refreshed(&token, Deadline::after(COMMAND_TIMEOUT)).ok();
    context.note_portal_session(by.session, &broker);
    Ok(renewed.filter(|token| token.expires_at - now >= at_least || token.refreshable(now.saturating_add(signed(at_least)))))
}

fn signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}
