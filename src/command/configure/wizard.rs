//! Prompts for values that neither the flags nor the config file contain.

use super::args::Args;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::profile::{Config, start_url};
use crate::text;
use crate::ui::{prompt, terminal};

/// One run of `daypass configure`.
pub(super) struct Wizard<'a> {
    pub(super) context: &'a Context,
    pub(super) config: &'a Config,
    pub(super) args: &'a Args,
    /// Whether to prompt for missing values.
    pub(super) interactive: bool,
}

impl<'a> Wizard<'a> {
    pub(super) fn new(context: &'a Context, config: &'a Config, args: &'a Args) -> Self {
        Self { context, config, args, interactive: context.may_prompt() && !is_complete(args, config) }
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
        if !self.interactive {
            return Err(missing(flag));
        }
        loop {
            let typed = ask(question, default)?;
            if typed.is_empty() {
                continue;
            }
            match check(&typed) {
                Err(error) if error.exit == Exit::Usage => terminal::say(&error.to_string()),
                other => return other,
            }
        }
    }

    /// A value that may be left out.
    pub(super) fn optional(
        &self,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<String>,
    ) -> Result<Option<String>> {
        if given.is_some() || !self.interactive {
            return given.map(check).transpose();
        }
        loop {
            let typed = ask(question, default)?;
            if typed.is_empty() {
                return Ok(None);
            }
            match check(&typed) {
                Err(error) if error.exit == Exit::Usage => terminal::say(&error.to_string()),
                other => return other.map(Some),
            }
        }
    }
}

/// Whether the flags and the config file contain all values. Then nothing is prompted for, not even optional values.
fn is_complete(args: &Args, config: &Config) -> bool {
    let flags = &args.session;
    let known = flags.session.as_deref().is_some_and(|name| config.session(name).is_some());
    let region = flags.sso_region.is_some() || flags.start_url.as_deref().is_some_and(|url| start_url::region(url).is_some());
    let session = flags.session.is_some() && (known || flags.start_url.is_some() && region);
    session && (args.session_only || args.account.is_some() && args.role.is_some() && args.profile.is_some())
}

/// A yes-or-no question.
pub(super) fn confirm(question: &str, default: bool) -> Result<bool> {
    loop {
        let choices = if default { "Y/n" } else { "y/N" };
        match ask(&format!("{question} [{choices}]"), None)?.to_lowercase().as_str() {
            "" => return Ok(default),
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

/// One answer. The end of the input is an error: nothing may be decided by it.
fn ask(question: &str, default: Option<&str>) -> Result<String> {
    let answer = prompt::ask(&text::clean(question), default)
        .map_err(|error| Error::failed(format!("cannot read standard input: {error}"), "daypass configure --help"))?;
    answer.ok_or_else(|| Error::new(Exit::Interrupted, "input ended; nothing was changed", "daypass configure"))
}

/// The error for a value that is required and cannot be prompted for.
pub(super) fn missing(flag: &str) -> Error {
    let hint = match flag {
        "--account" | "--role" => format!("daypass configure {flag} VALUE (or --session-only to write only the session)"),
        _ => format!("daypass configure {flag} VALUE"),
    };
    Error::usage(format!("{flag} is missing, and there is no terminal to prompt on"), hint)
}
