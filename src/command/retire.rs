//! `daypass retire`: lists the keys that migrations parked, deactivates them at AWS, and deletes them.

use serde::Serialize;
use time::OffsetDateTime;

use super::aws::{clients, of_iam, of_sts};
use crate::access_key::{AccessKeyId, masked};
use crate::aws::SigningKeys;
use crate::broker::retry;
use crate::context::{COMMAND_TIMEOUT, Context, OnBehalf};
use crate::error::{Error, Exit, Result};
use crate::iam::{self, Iam, LastUse};
use crate::migration::retirement::{self, Caller, Facts, Status, Step};
use crate::output::{self, Format, csv, rfc3339};
use crate::profile::names::Session;
use crate::profile::resolve::{self, RoleTarget};
use crate::profile::{Config, names::nearest};
use crate::sts::{self, Sts};
use crate::sys::clock::{self, Deadline};
use crate::text::{self, shell_quote};
use crate::ui::{prompt, terminal};
use crate::vault::{self, ParkedKey};

/// List migrated keys; deactivate, then delete them at AWS
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without an argument, it lists the migrated keys with their status, last use and
next step. With a profile or a key ID, it does the next step:

1. Deactivate. Refused if something used the key after the migration: another
   machine or program still needs it (--force). 'daypass retire --undo dev'
   activates it again.
2. Wait for 14 days, or as long as --wait sets. What breaks meanwhile needs the
   key.
3. Delete, after you type the word 'delete'. A deleted key can't be restored;
   its secret is deleted from the keyring too.

The role of the profile does this. If it may not, the key can deactivate itself
(after the word 'deactivate'), but not activate itself again. Otherwise, retire
prints the commands for an administrator. It never touches keys of a root user.

Without a terminal, use --yes, or --confirm WORD where a word is required.")]
pub struct Args {
    /// Profile that had the key, or the access key ID [default: list all]
    #[arg(value_name = "KEY|PROFILE")]
    pub key: Option<String>,
    /// Activate a deactivated key again
    #[arg(long, conflicts_with_all = ["confirm", "force", "wait"])]
    pub undo: bool,
    /// Days of inactivity before a key is deleted
    #[arg(long, value_name = "DAYS", default_value_t = ParkedKey::WAIT_DAYS)]
    pub wait: u32,
    /// Deactivate the key even if something used it after the migration
    #[arg(long)]
    pub force: bool,
    /// Deactivate without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Confirm a step with the word that it requires: deactivate or delete
    #[arg(long, value_name = "WORD")]
    pub confirm: Option<String>,
    /// Output format of the list
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
    /// Print the sign-in address without opening a browser
    #[arg(long)]
    pub no_browser: bool,
}

/// The hint below the commands for an administrator.
const TO_ADMINISTRATOR: &str = "send the commands above to an administrator of the account";

/// One key, as `--format json` shows it.
#[derive(Serialize)]
struct Entry {
    id: String,
    profiles: Vec<String>,
    account: String,
    parked_at: String,
    status: &'static str,
    last_used: Option<String>,
    service: Option<String>,
    region: Option<String>,
    next: &'static str,
    next_at: Option<String>,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    context.unlock()?;
    let parked = context.vault()?.parked()?;
    match &args.key {
        None if !args.undo => list(context, &args, &parked),
        name => {
            let parked = find(&parked, name.as_ref())?.clone();
            if args.undo { undo(context, &args, parked) } else { Retirement { context, args: &args, parked }.next() }
        }
    }
}

/// The parked key of this profile or ID; without a name the only one.
///
/// # Errors
/// There is none or, without a name, more than one.
pub(super) fn find<'p>(parked: &'p [ParkedKey], name: Option<&String>) -> Result<&'p ParkedKey> {
    let names = || parked.iter().flat_map(|parked| &parked.profiles).map(String::as_str);
    match (name, parked) {
        (None, [only]) => Ok(only),
        (_, []) => Err(Error::usage("there are no migrated keys", "daypass migrate --all --dry-run")),
        (None, _) => {
            let first = names().next().unwrap_or_default();
            let what = format!("there are several migrated keys; name a profile: {}", names().collect::<Vec<_>>().join(", "));
            Err(Error::usage(what, format!("daypass retire {}", shell_quote(first))).adding(&[first]))
        }
        (Some(name), _) => {
            let is_it = |parked: &&ParkedKey| parked.id == *name || masked(&parked.id) == *name || parked.profiles.contains(name);
            let what = || format!("no migrated key belongs to \"{name}\"");
            parked.iter().find(is_it).ok_or_else(|| match nearest(name, names()) {
                Some(near) => Error::typo(format!("{}; did you mean \"{near}\"?", what()), name, near, "daypass retire"),
                None => Error::usage(what(), "daypass retire"),
            })
        }
    }
}

/// The credentials of the role that replaces a key.
fn role_keys(context: &Context, parked: &ParkedKey, no_browser: bool) -> Result<(RoleTarget, SigningKeys)> {
    let config = Config::read(&context.env)?;
    let session = session_of(&config, parked)?;
    let profile = parked.profiles.iter().find(|name| config.profile(name).is_some()).cloned();
    let region = profile.as_deref().and_then(|name| config.profile(name)?.text("region").map(str::to_owned));
    let region = Some(region.unwrap_or_else(|| session.region.clone()));
    let target = RoleTarget { region, profile, ..RoleTarget::of_role(session, parked.account.clone(), parked.role.clone()) };
    let by = OnBehalf { no_browser, ..OnBehalf::of(&target.session) };
    let (_, credentials) = context.offering_sign_in(by, || context.credentials_unattended(&target, COMMAND_TIMEOUT))?;
    Ok((target, SigningKeys::from(&credentials)))
}

fn session_of(config: &Config, parked: &ParkedKey) -> Result<Session> {
    let gone = || {
        let what = format!("there is no [sso-session {}] any more, by which the key was replaced", parked.session);
        Error::usage(what, format!("daypass configure --session-only --session {}", shell_quote(&parked.session)))
    };
    resolve::session_of(&config.session(&parked.session).ok_or_else(gone)?)
}

/// Activates a key again, as the role that replaces it.
///
/// # Errors
/// The role may not, or the key does not exist any more.
pub(super) fn reactivate(context: &Context, parked: &ParkedKey, no_browser: bool) -> Result<()> {
    let (target, keys) = role_keys(context, parked, no_browser)?;
    let (_, iam) = clients(context, target.region.as_deref().unwrap_or_default(), target.profile.as_deref());
    let deadline = Deadline::after(COMMAND_TIMEOUT);
    let user = match &parked.user {
        Some(user) => Some(user.clone()),
        None => retry::until(deadline, || iam.last_used(&keys, &parked.id, deadline)).map_err(of_iam)?.user,
    };
    let set = || iam.set_active(&keys, user.as_deref(), &parked.id, true, deadline);
    match retry::until(deadline, set) {
        // An administrator may have done it.
        Err(iam::Error::AccessDenied(_))
            if retry::until(deadline, || iam.access_keys(&keys, user.as_deref(), deadline))
                .is_ok_and(|found| status_in(&found, &parked.id) == Status::Active) =>
        {
            Ok(())
        }
        other => other.map_err(of_iam),
    }
}

fn undo(context: &Context, args: &Args, parked: ParkedKey) -> Result<u8> {
    let id = masked(&parked.id);
    if let Err(error) = reactivate(context, &parked, args.no_browser) {
        tell_administrator(context, &parked, "update-access-key", Some("Active"));
        let hint = if error.exit == Exit::Refused { TO_ADMINISTRATOR.to_owned() } else { error.hint.clone() };
        return Err(Error { what: format!("key {id} stays inactive: {}", error.what), hint, ..error });
    }
    store(context, &ParkedKey { inactive_since: None, ..parked })?;
    context.tell(&format!("Reactivated key {id}."));
    Ok(0)
}

fn store(context: &Context, parked: &ParkedKey) -> Result<()> {
    context.vault()?.park(parked).map_err(vault::Error::while_parking)
}

/// The command with which an administrator of the account does a step, and where.
pub(super) fn tell_administrator(context: &Context, parked: &ParkedKey, action: &str, status: Option<&str>) {
    context.tell(&format!("An administrator of account {} can do it:", parked.account));
    let user = parked.user.as_deref().map_or_else(
        || {
            let look = format!("aws iam get-access-key-last-used --access-key-id {}", parked.id);
            context.tell(&format!("  {look}      # names the user"));
            "USER".to_owned()
        },
        |user| shell_quote(user).into_owned(),
    );
    let status = status.map(|status| format!(" --status {status}")).unwrap_or_default();
    context.tell(&text::clean(&format!("  aws iam {action} --user-name {user} --access-key-id {}{status}", parked.id)));
}

/// The time limit for the services while keys are listed.
fn deadline() -> Deadline {
    Deadline::after(COMMAND_TIMEOUT)
}

fn list(context: &Context, args: &Args, parked: &[ParkedKey]) -> Result<u8> {
    let mut entries = Vec::new();
    for parked in parked {
        let mut retirement = Retirement { context, args, parked: parked.clone() };
        let facts = match role_keys(context, parked, args.no_browser) {
            Ok((target, keys)) => {
                let (_, iam) = clients(context, target.region.as_deref().unwrap_or_default(), target.profile.as_deref());
                retirement.facts(&iam, &keys)
            }
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            Err(error) => Err(error),
        };
        let facts = facts.or_else(|error| {
            context.tell(&text::clean(&format!("Key {}: {}", masked(&parked.id), error.what)));
            retirement.offline_facts()
        })?;
        entries.push(entry(parked, &facts));
    }
    if entries.is_empty() {
        context.tell("No migrated keys. Find keys to migrate: daypass audit");
    }
    let rows = || entries.iter().map(Entry::row).collect::<Vec<_>>();
    let head = ["key", "profiles", "account", "parked_at", "status", "last_used", "service", "region", "next", "next_at"];
    context.print(&match args.format {
        Format::Json => output::json(&entries),
        Format::Csv => csv::table(&head, &rows()),
        Format::Table if entries.is_empty() => String::new(),
        Format::Table => {
            let row = |entry: &Entry| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let day = |time: &str| time.get(..10).unwrap_or_default().to_owned();
                let used = match (&entry.last_used, &entry.service) {
                    (Some(at), service) => format!("{} {}", day(at), text(service)),
                    (None, _) => String::new(),
                };
                let next = match &entry.next_at {
                    Some(at) => format!("{} from {}", entry.next, day(at)),
                    None => entry.next.to_owned(),
                };
                vec![
                    masked(&entry.id),
                    entry.profiles.join(", "),
                    entry.account.clone(),
                    day(&entry.parked_at),
                    entry.status.to_owned(),
                    used,
                    next,
                ]
            };
            let rows: Vec<_> = entries.iter().map(row).collect();
            context.table(&["KEY", "PROFILES", "ACCOUNT", "MIGRATED", "STATUS", "LAST USE", "NEXT"], &rows)
        }
    })?;
    Ok(0)
}

impl Entry {
    fn row(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.profiles.join(" "),
            self.account.clone(),
            self.parked_at.clone(),
            self.status.to_owned(),
            text(&self.last_used),
            text(&self.service),
            text(&self.region),
            self.next.to_owned(),
            text(&self.next_at),
        ]
    }
}

fn entry(parked: &ParkedKey, facts: &Facts) -> Entry {
    let (next, at) = match retirement::next(facts) {
        _ if parked.kept => ("keep", None),
        Step::Migrate => ("migrate", None),
        Step::InUse(_) => ("find its use", None),
        Step::Deactivate(_) => ("deactivate", None),
        Step::AskToDeactivate => ("deactivate (administrator)", None),
        Step::StartWaiting => ("delete", Some(facts.now + facts.wait)),
        Step::Wait(until) => ("delete", Some(until)),
        Step::Delete => ("delete", None),
        Step::AskToDelete => ("delete (administrator)", None),
        Step::Forget => ("forget", None),
        Step::RootConsole => ("delete in the console", None),
    };
    Entry {
        id: parked.id.clone(),
        profiles: parked.profiles.clone(),
        account: parked.account.to_string(),
        parked_at: rfc3339(parked.parked_at),
        status: match facts.status {
            Status::Active => "active",
            Status::Inactive => "inactive",
            Status::Deleted => "deleted",
            Status::Root => "root",
            Status::Unknown => "unknown",
        },
        last_used: facts.last_use.as_ref().map(|last| rfc3339(last.at)),
        service: facts.last_use.as_ref().map(|last| last.service.clone()),
        region: facts.last_use.as_ref().map(|last| last.region.clone()),
        next,
        next_at: at.map(rfc3339),
    }
}

/// The next step of one key.
struct Retirement<'a> {
    context: &'a Context,
    args: &'a Args,
    parked: ParkedKey,
}

impl Retirement<'_> {
    fn id(&self) -> String {
        masked(&self.parked.id)
    }

    /// How the key is named on the command line.
    fn name(&self) -> String {
        shell_quote(self.parked.profiles.first().unwrap_or(&self.parked.id)).into_owned()
    }

    /// What is known without asking AWS.
    fn offline_facts(&self) -> Result<Facts> {
        let config = Config::read(&self.context.env)?;
        let has_it = |block: &crate::profile::Block<'_>| block.text("aws_access_key_id") == Some(&*self.parked.id);
        Ok(Facts {
            status: Status::Unknown,
            last_use: None,
            in_files: config.profiles().iter().any(has_it),
            parked_at: self.parked.parked_at,
            inactive_since: self.parked.inactive_since,
            caller: Caller::Role,
            now: clock::now(),
            wait: time::Duration::days(self.args.wait.into()),
            force: self.args.force,
        })
    }

    /// What AWS knows about the key, asked with these keys of the role. Notes the user.
    fn facts(&mut self, iam: &Iam, keys: &SigningKeys) -> Result<Facts> {
        let mut facts = self.offline_facts()?;
        let deadline = deadline();
        match retry::until(deadline, || iam.last_used(keys, &self.parked.id, deadline)) {
            Ok(found) => {
                facts.last_use = found.last;
                match found.user {
                    // IAM names the root user so in its reports, and no user at all for its keys.
                    None => facts.status = Status::Root,
                    Some(user) if user == "<root_account>" => facts.status = Status::Root,
                    user => self.parked.user = user,
                }
            }
            Err(iam::Error::NotFound(_)) => facts.status = Status::Deleted,
            // The role may not, or the key is gone: the list of the user's keys tells, if the user is known.
            Err(iam::Error::AccessDenied(_)) => {}
            Err(error) => return Err(of_iam(error)),
        }
        let Some(user) = self.parked.user.as_deref().filter(|_| facts.status == Status::Unknown) else {
            if facts.status == Status::Unknown {
                facts.caller = Caller::Key;
            }
            return Ok(facts);
        };
        match retry::until(deadline, || iam.access_keys(keys, Some(user), deadline)) {
            Ok(found) => facts.status = status_in(&found, &self.parked.id),
            Err(iam::Error::NotFound(_)) => facts.status = Status::Deleted,
            Err(iam::Error::AccessDenied(_)) => {}
            Err(error) => return Err(of_iam(error)),
        }
        Ok(facts)
    }

    fn next(&mut self) -> Result<u8> {
        let (target, keys) = role_keys(self.context, &self.parked, self.args.no_browser)?;
        let (sts, iam) = clients(self.context, target.region.as_deref().unwrap_or_default(), target.profile.as_deref());
        let facts = self.facts(&iam, &keys)?;
        match retirement::next(&facts) {
            Step::Deactivate(Caller::Role) => self.deactivate(&iam, &keys, &facts, &sts),
            Step::Deactivate(_) => self.deactivate_itself(&sts, &iam, &facts),
            Step::Delete => self.delete(&iam, &keys),
            step => self.other(step, &facts),
        }
    }

    /// The steps that change nothing at AWS.
    fn other(&mut self, step: Step, facts: &Facts) -> Result<u8> {
        let (id, name) = (self.id(), self.name());
        match step {
            Step::Migrate => {
                let what = format!("a profile still contains key {id}");
                Err(Error::failed(what, format!("daypass migrate {name}")))
            }
            Step::InUse(last) => {
                let (service, region, at) = (&last.service, &last.region, output::when(last.at));
                let what =
                    format!("key {id} was used by {service} in {region} at {at}, after the migration: something else needs it");
                Err(Error::failed(
                    text::clean(&what),
                    format!("find what uses it; daypass retire {name} --force deactivates it anyway"),
                ))
            }
            Step::StartWaiting => {
                let until = facts.now + facts.wait;
                store(self.context, &ParkedKey { inactive_since: Some(facts.now), ..self.parked.clone() })?;
                self.context.tell(&format!(
                    "Key {id} is inactive. It can be deleted from {} on: daypass retire {name}",
                    output::when(until)
                ));
                Ok(0)
            }
            Step::Wait(until) => {
                self.context.tell(&format!("Key {id} is inactive. It can be deleted from {} on.", output::when(until)));
                self.context.tell(&format!("If something breaks: daypass retire --undo {name}"));
                Ok(0)
            }
            Step::Forget => {
                self.context.vault()?.delete_parked(&self.parked.id)?;
                self.context.tell(&format!("Key {id} does not exist any more. Its secret was deleted from the keyring."));
                Ok(0)
            }
            Step::AskToDeactivate => {
                tell_administrator(self.context, &self.parked, "update-access-key", Some("Inactive"));
                let what = format!("neither {} nor the key itself may deactivate key {id}", self.parked.role);
                Err(Error::new(Exit::Refused, what, TO_ADMINISTRATOR))
            }
            Step::AskToDelete => {
                tell_administrator(self.context, &self.parked, "delete-access-key", None);
                let what = format!("{} may not delete key {id}", self.parked.role);
                Err(Error::new(Exit::Refused, what, TO_ADMINISTRATOR))
            }
            Step::RootConsole => Err(Error::new(
                Exit::Refused,
                format!("key {id} belongs to the root user of account {}, which daypass never touches", self.parked.account),
                "sign in as the root user and delete it at https://console.aws.amazon.com/iam/home#/security_credentials",
            )),
            Step::Deactivate(_) | Step::Delete => Ok(0),
        }
    }

    /// Deactivates the key as the role, after consent.
    fn deactivate(&mut self, iam: &Iam, keys: &SigningKeys, facts: &Facts, sts: &Sts) -> Result<u8> {
        let Some(user) = self.parked.user.clone() else { return self.deactivate_itself(sts, iam, facts) };
        self.tell_last_use(facts.last_use.as_ref());
        if !self.agrees("deactivate", &format!("Deactivate key {} of user {user}?", self.id()))? {
            return Ok(0);
        }
        let deadline = deadline();
        match retry::until(deadline, || iam.set_active(keys, Some(&user), &self.parked.id, false, deadline)) {
            Ok(()) => self.deactivated(true),
            Err(iam::Error::AccessDenied(_)) => self.deactivate_itself(sts, iam, facts),
            Err(error) => Err(of_iam(error)),
        }
    }

    /// Lets the key deactivate itself, after the word was given. A key whose account is not known is never used.
    fn deactivate_itself(&mut self, sts: &Sts, iam: &Iam, facts: &Facts) -> Result<u8> {
        let own = AccessKeyId::parse(&self.parked.id).and_then(|id| id.account().cloned());
        if own.as_ref() != Some(&self.parked.account) {
            return self.other(Step::AskToDeactivate, facts);
        }
        let id = self.id();
        self.context.tell(&format!("{} may not manage access keys. Key {id} may deactivate itself:", self.parked.role));
        self.context.tell("  then only an administrator can activate it again.");
        if self.args.confirm.is_none() && !self.context.may_prompt() {
            tell_administrator(self.context, &self.parked, "update-access-key", Some("Inactive"));
            let what = format!("{} may not deactivate key {id}", self.parked.role);
            let hint = format!("daypass retire {} --confirm deactivate", self.name());
            return Err(Error::new(Exit::Refused, what, hint).adding(&["--confirm", "deactivate"]));
        }
        self.require("deactivate")?;
        let keys = SigningKeys {
            access_key_id: self.parked.id.clone(),
            secret_access_key: self.parked.secret.clone(),
            session_token: None,
        };
        let (start, deadline) = (clock::now(), deadline());
        let identity = match retry::until(deadline, || sts.caller_identity(&keys, deadline)) {
            Err(sts::Error::InvalidKeys(_)) => {
                // Deactivated by somebody else. A deleted key has the same answer.
                return self.other(Step::StartWaiting, facts);
            }
            other => other.map_err(of_sts)?,
        };
        if identity.arn.ends_with(":root") {
            return self.other(Step::RootConsole, facts);
        }
        if identity.account != self.parked.account.as_str() {
            return self.other(Step::AskToDeactivate, facts);
        }
        self.parked.user = identity.arn.rsplit('/').next().filter(|_| identity.arn.contains(":user/")).map(str::to_owned);
        if let Ok(found) = iam.last_used(&keys, &self.parked.id, deadline) {
            // The requests of this run are no sign of another program.
            let last = found.last.filter(|last| last.at < start - time::Duration::minutes(1));
            let again = retirement::next(&Facts { caller: Caller::Key, last_use: last.clone(), ..facts.clone() });
            if let Step::InUse(_) = again {
                return self.other(again, facts);
            }
            self.tell_last_use(last.as_ref());
        }
        match retry::until(deadline, || iam.set_active(&keys, None, &self.parked.id, false, deadline)) {
            Ok(()) => self.deactivated(false),
            Err(iam::Error::AccessDenied(_)) => self.other(Step::AskToDeactivate, facts),
            Err(error) => Err(of_iam(error)),
        }
    }

    fn tell_last_use(&self, last: Option<&LastUse>) {
        let Some(last) = last else { return };
        self.context.tell(&text::clean(&format!("Last use: {} by {} in {}.", output::when(last.at), last.service, last.region)));
        if last.service == "ses" || last.service == "email" {
            self.context.tell("SES used it: SMTP log-ins with this key ID as the user name stop working with the key.");
        }
    }

    fn deactivated(&self, can_undo: bool) -> Result<u8> {
        let (id, name, now) = (self.id(), self.name(), clock::now());
        let until = output::when(now + time::Duration::days(self.args.wait.into()));
        let stored = store(self.context, &ParkedKey { inactive_since: Some(whole_second(now)), ..self.parked.clone() });
        self.context.tell(&format!("Deactivated key {id}. It can be deleted from {until} on: daypass retire {name}"));
        if can_undo {
            self.context.tell(&format!("If something breaks: daypass retire --undo {name}"));
        } else {
            self.context.tell("If something breaks, only an administrator can activate it:");
            tell_administrator(self.context, &self.parked, "update-access-key", Some("Active"));
        }
        stored.map(|()| 0)
    }

    fn delete(&mut self, iam: &Iam, keys: &SigningKeys) -> Result<u8> {
        let Some(user) = self.parked.user.clone() else { return Ok(0) };
        let id = self.id();
        self.context.tell(&format!("This deletes key {id} of user {} for good.", text::clean(&user)));
        self.require("delete")?;
        let deadline = deadline();
        match retry::until(deadline, || iam.delete(keys, &user, &self.parked.id, deadline)) {
            Ok(()) | Err(iam::Error::NotFound(_)) => {}
            Err(iam::Error::AccessDenied(_)) => {
                tell_administrator(self.context, &self.parked, "delete-access-key", None);
                let what = format!("{} may not delete key {id}", self.parked.role);
                return Err(Error::new(Exit::Refused, what, TO_ADMINISTRATOR));
            }
            Err(error) => return Err(of_iam(error)),
        }
        self.context.vault()?.delete_parked(&self.parked.id)?;
        self.context.tell(&format!("Deleted key {id} at AWS, and its secret from the keyring."));
        Ok(0)
    }

    /// Consent at a terminal, by `--yes`, or by `--confirm` with the word of the step.
    fn agrees(&self, word: &str, question: &str) -> Result<bool> {
        self.check_word(word)?;
        if self.args.yes || self.args.confirm.is_some() {
            return Ok(true);
        }
        if !self.context.may_prompt() {
            let what = format!("to {word} key {} needs consent, and there is no terminal to ask on", self.id());
            return Err(Error::usage(what, format!("daypass retire {} --yes", self.name())).adding(&["--yes"]));
        }
        let agreed = typed(prompt::confirm(&text::clean(question), false))?;
        if !agreed {
            self.context.tell("Nothing was changed.");
        }
        Ok(agreed)
    }

    /// The word of a step, typed at a terminal or given by `--confirm`.
    fn require(&self, word: &str) -> Result<()> {
        self.check_word(word)?;
        if self.args.confirm.is_some() {
            return Ok(());
        }
        let hint = format!("daypass retire {} --confirm {word}", self.name());
        if !self.context.may_prompt() {
            let what = format!("this step needs the word \"{word}\", and there is no terminal to type it on");
            return Err(Error::usage(what, hint).adding(&["--confirm", word]));
        }
        terminal::say("");
        if typed(prompt::ask(&format!("Type {word} to continue"), None))? == word {
            return Ok(());
        }
        Err(Error::new(Exit::Interrupted, "the word was not typed; nothing was changed", hint))
    }

    fn check_word(&self, word: &str) -> Result<()> {
        match &self.args.confirm {
            Some(given) if given != word => {
                let what = format!("--confirm {given}: the next step of key {} needs the word \"{word}\"", self.id());
                Err(Error::typo(what, given, word, format!("daypass retire {} --confirm {word}", self.name())))
            }
            _ => Ok(()),
        }
    }
}

fn status_in(found: &[iam::AccessKey], id: &str) -> Status {
    match found.iter().find(|key| key.id == id) {
        Some(key) if key.active => Status::Active,
        Some(_) => Status::Inactive,
        None => Status::Deleted,
    }
}

/// As it is stored.
fn whole_second(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

/// What was typed. The end of the input decides nothing.
fn typed<T>(answer: std::io::Result<Option<T>>) -> Result<T> {
    let answer = answer.map_err(|error| Error::failed(format!("can't read standard input: {error}"), "daypass retire --help"))?;
    answer.ok_or_else(|| Error::new(Exit::Interrupted, "input ended; nothing was changed", "daypass retire --help"))
}
