//! `daypass login`: signs in, through a browser that returns to this machine or with a device code.

use std::time::Duration;

use clap::ValueEnum;

use super::flags::{SessionOrProfileArgs, duration};

use crate::broker::{Broker, Flow, SignInRequest};
use crate::context::{COMMAND_TIMEOUT, Context};
use crate::credentials::Token;
use crate::error::{Error, Exit, Result};
use crate::output::{self, login_events};
use crate::profile::names::Session;
use crate::profile::{Config, resolve};
use crate::sys::browser;
use crate::sys::clock::{self, Deadline};
use crate::text;
use crate::ui::sign_in::{Browser, SignInOptions, TerminalSignIn};
use crate::ui::terminal;
use crate::vault;

/// Sign in
#[derive(Debug, clap::Args)]
#[command(after_help = "\
There are two ways to sign in. If a browser runs on this machine, it returns to
daypass on its own (pkce). Elsewhere (SSH, containers, CI, no display), open an
address in any browser and compare a code (device). Over SSH, pkce works through
a forwarded port:
  ssh -L 8400:127.0.0.1:8400 HOST      and there: daypass login --port 8400

While it waits: Enter opens the browser again, c copies the code (pkce: the
address), d switches to a device code, Ctrl-Z suspends. In the background it
prints no progress.

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
    /// Open a browser even if a coding agent runs this, for which daypass opens none
    #[arg(long, conflicts_with = "no_browser")]
    pub browser: bool,
    /// Show the address as a QR code (the default on a terminal if no browser can be opened)
    #[arg(long, conflicts_with = "port")]
    pub qr: bool,
    /// What to print to standard output
    #[arg(long, value_name = "FORMAT", default_value = "none")]
    pub format: Events,
    /// Do nothing if already signed in
    #[arg(long)]
    pub if_needed: bool,
    /// With --if-needed: minimum remaining validity, such as 30m or 8h (a refreshable sign-in always qualifies)
    #[arg(long, value_name = "TIME", requires = "if_needed", value_parser = duration)]
    pub min_ttl: Option<Duration>,
}

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

/// The time limit for a prompt of the system's keyring.
const UNLOCK_TIMEOUT: Duration = Duration::from_mins(2);

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let options = requested_options(context, &args)?;
    let needed = args.if_needed.then(|| args.min_ttl.unwrap_or_default());
    if args.all {
        return all(context, &options, needed);
    }
    let profile = args.session.profile.clone();
    let session = resolve::session(&context.env, &args.session.into())?;
    one(context, &session, profile.as_deref(), &options, needed)?;
    Ok(0)
}

/// Signs in to each session, even if one fails. The exit status is that of the first failure.
fn all(context: &Context, options: &SignInOptions, needed: Option<Duration>) -> Result<u8> {
    let sessions = resolve::sessions(&Config::read(&context.env)?);
    if sessions.is_empty() {
        return Err(Error::usage("there are no sessions to sign in to", "daypass configure"));
    }
    let mut status = 0;
    for session in &sessions {
        match one(context, session, None, options, needed) {
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

fn one(
    context: &Context,
    session: &Session,
    profile: Option<&str>,
    options: &SignInOptions,
    needed: Option<Duration>,
) -> Result<()> {
    if let Some(at_least) = needed
        && let Some(token) = still_valid(context, session, profile, at_least)?
    {
        context.tell(&format!("Already signed in to {}.", text::clean(&session.name)));
        return report(options, context, session, &token, true);
    }
    let token = sign_in_by(context, session, profile, options)?;
    report(options, context, session, &token, false)
}

/// The default is to open a browser only if one runs on this machine: over SSH it would be a text browser on the remote machine.
fn sign_in_options(context: &Context, request: SignInRequest, no_browser: bool) -> SignInOptions {
    let available = browser::on_this_machine(&context.env).is_ok() || context.env.browser().is_some();
    let browser = match (no_browser, available) {
        (true, _) => Browser::Suppressed,
        (false, true) => Browser::Opened,
        (false, false) => Browser::Absent,
    };
    SignInOptions { request, browser, qr: false, events: false }
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
                tracing::info!(why, "signing in by a device code");
                Flow::Device
            }
        },
    };
    let request = SignInRequest { flow, port: args.port, unattended_until: None };
    // With a forwarded port the browser runs on the machine at its other end.
    let no_browser = no_browser || args.port.is_some() && local.is_err();
    Ok(SignInOptions { qr: args.qr, events: args.format == Events::Json, ..sign_in_options(context, request, no_browser) })
}

/// Prints the last event if events were requested.
fn report(options: &SignInOptions, context: &Context, session: &Session, token: &Token, already: bool) -> Result<()> {
    if options.events { context.print(&login_events::signed_in(&session.name, token, already)) } else { Ok(()) }
}

/// Runs `act`; if it fails because sign-in is required, signs in and runs it again.
pub fn signing_in<T>(
    context: &Context,
    session: &Session,
    profile: Option<&str>,
    no_browser: bool,
    act: impl Fn() -> Result<T>,
) -> Result<T> {
    match act() {
        Err(error) if error.exit == Exit::SignIn => {
            sign_in(context, session, profile, no_browser)?;
            act()
        }
        other => other,
    }
}

/// Signs in to a session with the flow that this machine allows, and reports how long the sign-in is valid.
///
/// # Errors
/// Those of the broker and of the keyring.
pub fn sign_in(context: &Context, session: &Session, profile: Option<&str>, no_browser: bool) -> Result<Token> {
    let no_browser = no_browser || context.env.agent().is_some();
    let local = !no_browser && browser::on_this_machine(&context.env).is_ok();
    let request = SignInRequest { flow: if local { Flow::Pkce } else { Flow::Device }, port: None, unattended_until: None };
    sign_in_by(context, session, profile, &sign_in_options(context, request, no_browser))
}

fn sign_in_by(context: &Context, session: &Session, profile: Option<&str>, options: &SignInOptions) -> Result<Token> {
    let broker = context.broker(session, profile)?;
    unlock(context)?;
    // A keyring that can't be used is found before the user goes to the browser.
    context.vault()?.token(session).map_err(vault::Error::after_unlocking)?;
    let mut ui = TerminalSignIn::new(&context.env, context.interaction, session, options);
    let token = broker.sign_in(options.request, &mut ui)?;
    drop(ui);
    let until = output::when(token.expires_at);
    let renewal = if token.refresh.is_some() { "; daypass renews it automatically" } else { "" };
    context.tell(&format!("Signed in to {} until {until}{renewal}.", text::clean(&session.name)));
    if context.vault()?.token_is_volatile() {
        context.tell("The sign-in is stored in the kernel keyring: it is lost on a restart or after three days without use.");
    }
    Ok(token)
}

/// Signs in for a tool that needs credentials, if a browser runs on this machine. The profile must allow it.
///
/// # Errors
/// Sign-in is still required: there is no desktop, or nobody signed in before `until`.
pub fn sign_in_unattended(
    context: &Context,
    session: &Session,
    profile: Option<&str>,
    needed: Error,
    until: Deadline,
) -> Result<()> {
    if let Err(why) = browser::on_this_machine(&context.env) {
        return Err(Error { what: format!("{}; no browser is opened: {why}", needed.what), ..needed });
    }
    let request = SignInRequest { flow: Flow::Pkce, port: None, unattended_until: Some(until) };
    let options = sign_in_options(context, request, false);
    context
        .broker(session, profile)?
        .sign_in(request, &mut TerminalSignIn::new(&context.env, context.interaction, session, &options))
        .map(drop)
}

/// On a terminal, the system prompts for a keyring that is locked or asks for confirmation.
pub(super) fn unlock(context: &Context) -> Result<()> {
    if context.may_prompt() {
        context.vault()?.unlock(UNLOCK_TIMEOUT).map_err(vault::Error::after_unlocking)?;
    }
    Ok(())
}

/// The stored sign-in if it stays valid for `at_least`. A refreshable one is refreshed first, and is valid as long as it can be refreshed.
fn still_valid(context: &Context, session: &Session, profile: Option<&str>, at_least: Duration) -> Result<Option<Token>> {
    let broker: Broker<'_> = context.broker(session, profile)?;
    let Some(token) = context.vault()?.token(session)? else { return Ok(None) };
    let now = clock::now();
    if token.expires_at > now && token.expires_at - now >= at_least {
        return Ok(Some(token));
    }
    let renewed = broker.refreshed(&token, Deadline::after(COMMAND_TIMEOUT)).ok();
    Ok(renewed.filter(|token| token.expires_at - now >= at_least || token.refreshable(now.saturating_add(signed(at_least)))))
}

fn signed(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}
