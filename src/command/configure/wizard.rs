//! Prompts for values that neither the flags nor the config file contain.

use std::io;

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
            return Err(self.missing(flag));
        }
        loop {
            let typed = self.ask(question, default)?;
            if typed.is_empty() {
                continue;
            }
            match check(&typed) {
                Err(error) if error.exit == Exit::Usage => terminal::say(&error.to_string()),
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

    /// One answer. The end of the input is an error: nothing may be decided by it.
    fn ask(&self, question: &str, default: Option<&str>) -> Result<String> {
        self.typed(prompt::ask(&text::clean(question), default))
    }

    fn typed<T>(&self, answer: io::Result<Option<T>>) -> Result<T> {
        let hint = || complete_command(self.args, self.config);
        let answer = answer.map_err(|error| Error::failed(format!("can't read standard input: {error}"), hint()))?;
        answer.ok_or_else(|| Error::new(Exit::Interrupted, "input ended; nothing was changed", hint()))
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
            let typed = self.ask(question, default)?;
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

/// The flags that a run without prompts needs in addition, with the value that the config file suggests, or an example.
fn missing_values(args: &Args, config: &Config) -> Vec<(&'static str, String)> {
    let flags = &args.session;
    let blocks = config.sessions();
    let session = match (&flags.session, blocks.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [only]) => only.name.to_string(),
        (None, _) => flags.start_url.as_deref().map_or_else(|| "corp".to_owned(), start_url::session_name),
    };
    let block = config.session(&session);
    let stored = |key: &str| block.as_ref().is_some_and(|block| block.text(key).is_some());
    let start_url = flags.start_url.clone().unwrap_or_else(|| "https://corp.awsapps.com/start".to_owned());
    let region = start_url::region(&start_url).filter(|_| flags.start_url.is_some());
    let unused = ["dev", "example"].into_iter().find(|name| config.profile(name).is_none()).unwrap_or("example-2");
    let whole = !args.session_only;
    let values = [
        ("--session", flags.session.is_none(), session),
        ("--start-url", flags.start_url.is_none() && !stored("sso_start_url"), start_url.clone()),
        ("--sso-region", flags.sso_region.is_none() && !stored("sso_region") && region.is_none(), "us-east-1".to_owned()),
        ("--account", whole && args.account.is_none(), "111122223333".to_owned()),
        ("--role", whole && args.role.is_none(), "ReadOnly".to_owned()),
        ("--profile", whole && args.profile.is_none(), unused.to_owned()),
    ];
    values.into_iter().filter_map(|(flag, missing, value)| missing.then_some((flag, value))).collect()
}

/// The command line of these arguments, with the missing values.
pub(super) fn complete_command(args: &Args, config: &Config) -> String {
    let Args { account, role, profile, region, output, helper, agents, agent_role, .. } = args;
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
        ("--session-only", args.session_only),
        ("--native", args.native),
        ("--login", args.login),
        ("--convert", args.convert),
        ("--keep-other-keys", args.keep_other_keys),
        ("--dry-run", args.dry_run),
        ("--no-browser", args.no_browser),
    ];
    let mut words = vec!["daypass".to_owned(), "configure".to_owned()];
    words.extend(args.session.words());
    words
        .extend(given.iter().filter_map(|(flag, value)| value.as_ref().map(|value| [(*flag).to_owned(), value.clone()])).flatten());
    words.extend(args.assume.words());
    words.extend(missing_values(args, config).into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]));
    words.extend(switches.iter().filter(|(_, given)| *given).map(|(flag, _)| (*flag).to_owned()));
    text::command_line(words.iter().map(String::as_str))
}
