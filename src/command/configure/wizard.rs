//! Prompts for values that neither the flags nor the config file contain.

use std::cell::RefCell;
use std::io;

use super::args::Args;
use crate::context::Context;
use crate::error::{Correction, Error, Exit, Result};
use crate::history::SetUp;
use crate::profile::names::Session;
use crate::profile::{Config, names, start_url};
use crate::sys::signal::InterruptNotice;
use crate::text;
use crate::ui::{prompt, terminal};

/// One run of `daypass configure`.
pub(super) struct Wizard<'a> {
    pub(super) context: &'a Context,
    pub(super) config: &'a Config,
    pub(super) args: &'a Args,
    /// Whether to prompt for missing values.
    pub(super) interactive: bool,
    /// What was typed in the last run, if that was cancelled.
    pub(super) earlier: Option<SetUp>,
    /// The arguments, with what was typed so far.
    known: RefCell<Args>,
    /// What the next run proposes if this one is cancelled.
    pub(super) set_up: RefCell<SetUp>,
    /// The name of the session, once there is a sign-in.
    signed_in: RefCell<Option<String>>,
    /// What Ctrl-C prints, if this prompts.
    notice: Option<InterruptNotice>,
}

impl<'a> Wizard<'a> {
    pub(super) fn new(context: &'a Context, config: &'a Config, args: &'a Args) -> Self {
        let interactive = context.may_prompt() && !is_complete(args, config);
        let earlier = if interactive { context.history().set_up() } else { None };
        let (known, notice) = (RefCell::new(args.clone()), interactive.then(InterruptNotice::empty));
        let (set_up, signed_in) = (RefCell::default(), RefCell::default());
        Self { context, config, args, interactive, earlier, known, set_up, signed_in, notice }
    }

    /// Notes a value. If this run is cancelled, however that happens, the hint contains it as far as there is a flag for it, and the next
    /// run proposes it.
    pub(super) fn note(&self, set: impl FnOnce(&mut Args, &mut SetUp)) {
        set(&mut self.known.borrow_mut(), &mut self.set_up.borrow_mut());
        if let Some(notice) = &self.notice {
            self.context.history().keep_set_up(Some(self.set_up.borrow().clone()));
            notice.set(terminal::shown(&self.cancelled("cancelled")));
        }
    }

    /// Notes that what was typed is written.
    pub(super) fn note_completion(&self) {
        self.context.history().keep_set_up(None);
    }

    /// Notes that there is a sign-in.
    pub(super) fn note_sign_in(&self, session: &Session) {
        *self.signed_in.borrow_mut() = Some(session.name.clone());
        self.note(|_, _| {});
    }

    /// What was typed for this portal in the last run. The region may be wrong.
    pub(super) fn earlier_for(&self, start_url: &str) -> Option<&SetUp> {
        self.earlier.as_ref().filter(|earlier| start_url::is_same(&earlier.start_url, start_url))
    }

    /// The command that goes on with what was typed so far.
    pub(super) fn command_so_far(&self) -> String {
        command(&self.known.borrow(), &[])
    }

    /// A required value. What is typed is checked at once, and prompted for again if it is invalid.
    pub(super) fn required<T>(
        &self,
        flag: &str,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<T>,
    ) -> Result<T> {
        if let Some(given) = given {
            return check(given);
        }
        if !self.context.may_prompt() {
            return Err(self.missing(flag));
        }
        let mut default = default.map(str::to_owned);
        loop {
            let typed = self.ask(question, default.as_deref())?;
            if typed.is_empty() {
                continue;
            }
            match check(&typed) {
                Err(error) if error.exit == Exit::Usage => {
                    terminal::say(&terminal::fitted(&text::clean(&format!("daypass: {}", error.what))));
                    if let Some(meant) = similar(&error) {
                        default = Some(meant);
                    }
                }
                other => return other,
            }
        }
    }

    /// The error for a value that is required and cannot be prompted for. It names all such values.
    pub(super) fn missing(&self, flag: &str) -> Error {
        let values = missing_values(self.args, self.config);
        let flags: Vec<&str> = values.iter().map(|(flag, _)| *flag).collect();
        let (flags, verb) = match flags.as_slice() {
            [] => (flag.to_owned(), "is"),
            [one] => ((*one).to_owned(), "is"),
            [rest @ .., last] => (format!("{} and {last}", rest.join(", ")), "are"),
        };
        let what = format!("{flags} {verb} missing, and there is no terminal to prompt on");
        Error::usage(what, complete_command(self.args, self.config))
    }

    /// A yes-or-no question.
    pub(super) fn confirm(&self, question: &str, default: bool) -> Result<bool> {
        self.typed(prompt::confirm(&text::clean(question), default))
    }

    /// The error of a user who cancels. It names what stays: a sign-in or the portal, several roles, and the values in the hint.
    pub(super) fn cancelled(&self, what: &str) -> Error {
        let roles = self.set_up.borrow().roles.len();
        let stays = match (&*self.signed_in.borrow(), &self.known.borrow().session.start_url) {
            (Some(name), _) if roles > 1 => {
                format!(", you stay signed in to {name}, and the next 'daypass configure' marks the {roles} selected roles")
            }
            (Some(name), _) => format!(", and you stay signed in to {name}"),
            (None, Some(start_url)) => format!(", and the next 'daypass configure' proposes {start_url}"),
            (None, None) => String::new(),
        };
        Error::new(Exit::Interrupted, format!("{what}; nothing was changed{stays}"), self.command_so_far())
    }

    /// One answer. The end of the input is an error: nothing may be decided by it.
    fn ask(&self, question: &str, default: Option<&str>) -> Result<String> {
        self.typed(prompt::ask(&text::clean(question), default))
    }

    fn typed<T>(&self, answer: io::Result<Option<T>>) -> Result<T> {
        let unreadable = |error| Error::failed(format!("can't read standard input: {error}"), self.command_so_far());
        answer.map_err(unreadable)?.ok_or_else(|| self.cancelled("input ended"))
    }
}

/// The corrected value of an invalid one, if it is nearly what was typed.
fn similar(error: &Error) -> Option<String> {
    match error.correction.as_deref() {
        Some(Correction::Replace(wrong, meant)) => {
            names::nearest(&wrong.to_lowercase(), [meant.as_str()].into_iter()).map(str::to_owned)
        }
        _ => None,
    }
}

/// Whether the flags and the config file contain all values that are not learned from the portal. Then nothing else is prompted for.
fn is_complete(args: &Args, config: &Config) -> bool {
    let flags = &args.session;
    let known = flags.session.as_deref().is_some_and(|name| config.session(name).is_some());
    let portal = known || flags.start_url.is_some() || args.portal.is_some();
    portal && (args.session_only || args.account.is_some() && args.role.is_some() && args.profile.is_some())
}

/// The flags that a run without prompts needs in addition, with the value that the config file suggests, or an example.
fn missing_values(args: &Args, config: &Config) -> Vec<(&'static str, String)> {
    let flags = &args.session;
    let blocks = config.sessions();
    let portal = args.portal.as_deref();
    let name = match (flags.session.as_deref().or(portal), blocks.as_slice()) {
        (None, [only]) if flags.start_url.is_none() => Some(&*only.name),
        (name, _) => name,
    };
    let block = name.and_then(|name| config.session(name));
    let stored = |key: &str| block.as_ref().is_some_and(|block| block.text(key).is_some());
    let address = flags.start_url.as_deref().or(portal.filter(|_| block.is_none())).and_then(|text| start_url::clean(text).ok());
    let has_address = address.is_some() || stored("sso_start_url");
    let choice = blocks.first().filter(|_| name.is_none() && !has_address);
    let (portal_flag, example) = match choice {
        Some(first) => ("--session", first.name.to_string()),
        None => ("--start-url", "https://corp.awsapps.com/start".to_owned()),
    };
    let has_region = flags.sso_region.is_some()
        || choice.is_some()
        || address.as_deref().map_or_else(|| stored("sso_region"), |address| start_url::region(address).is_some());
    let unused = ["dev", "example"].into_iter().find(|name| config.profile(name).is_none()).unwrap_or("example-2");
    let whole = !args.session_only && !args.sync;
    let values = [
        (portal_flag, !has_address, example),
        ("--sso-region", !has_region, "us-east-1".to_owned()),
        ("--account", whole && args.account.is_none(), "111122223333".to_owned()),
        ("--role", whole && args.role.is_none(), "ReadOnly".to_owned()),
        ("--profile", whole && args.profile.is_none(), unused.to_owned()),
    ];
    values.into_iter().filter_map(|(flag, missing, value)| missing.then_some((flag, value))).collect()
}

/// The command line of these arguments, with the missing values.
pub(super) fn complete_command(args: &Args, config: &Config) -> String {
    command(args, &missing_values(args, config))
}

/// The command line of these arguments, and more.
fn command(args: &Args, more: &[(&str, String)]) -> String {
    let Args { portal, account, role, profile, region, output, helper, agents, agent_role, .. } = args;
    let given = [
        ("--account", account),
        ("--role", role),
        ("--profile", profile),
        ("--region", region),
        ("--output", output),
        ("--helper", helper),
        ("--agents", agents),
        ("--agent-role", agent_role),
    ];
    let switches = [
        ("--sync", args.sync),
        ("--session-only", args.session_only),
        ("--native", args.native),
        ("--login", args.login),
        ("--convert", args.convert),
        ("--keep-other-keys", args.keep_other_keys),
        ("--dry-run", args.dry_run),
        ("--no-browser", args.no_browser),
    ];
    let mut words = vec!["daypass".to_owned(), "configure".to_owned()];
    words.extend(portal.iter().cloned());
    words.extend(args.session.words());
    words
        .extend(given.iter().filter_map(|(flag, value)| value.as_ref().map(|value| [(*flag).to_owned(), value.clone()])).flatten());
    words.extend(args.assume.words());
    words.extend(more.iter().flat_map(|(flag, value)| [(*flag).to_owned(), value.clone()]));
    words.extend(switches.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()));
    text::command_line(words.iter().map(String::as_str))
}
