//! `daypass sync`: writes a profile for every account and role of a session. It changes only profiles that have its comment.
//!
//! An incomplete listing changes nothing. The changes are computed from the file under the lock, so that they include what other
//! programs have written since.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use wildmatch::WildMatch;

use super::convert::{self, Sessions};
use super::flags::SessionArgs;
use super::roles::{self, Reachable};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::precedence::Precedence;
use crate::profile::store::{self, Others, Plan};
use crate::profile::{Block, Config, helper, resolve, start_url};
use crate::sys::env::Env;
use crate::text;

/// Write a profile for every account and role
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass sync corp --region eu-west-1
  daypass sync corp --name '{account_name}-{role}' --only 'Prod*' --dry-run
  daypass sync corp --only 'Prod*' --only '*/ReadOnly'
  daypass sync corp --prune

Fields of --name: {account_id} {account_name} {account_email} {role} {session}
{region}. Characters that not all AWS tools accept become hyphens; if two names
collide, the account ID is appended to both.

sync marks its profiles with the comment '# daypass sync: SESSION ACCOUNT ROLE'
and never touches a profile that it did not create; if the name is taken, it
uses another. Remove the comment to keep a profile as your own.")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,
    /// Template for profile names
    #[arg(long = "name", value_name = "TEMPLATE", default_value = naming::DEFAULT)]
    pub template: String,
    /// Only matching accounts (by name or ID), roles, or ACCOUNT/ROLE; * and ? are wildcards; can be repeated
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Region of the profiles
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Remove profiles that an earlier sync of this session created and that are no longer needed
    #[arg(long)]
    pub prune: bool,
    /// Also turn profiles with sso_* keys for these accounts and roles into daypass profiles of the same name; other keys are kept
    #[arg(long)]
    pub convert: bool,
    /// Program name to write into credential_process, such as 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME")]
    pub helper: Option<String>,
    /// Print the change as a diff without writing it
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let region = args.region.as_deref();
    if let Some(region) = region.filter(|region| !start_url::is_region(region)) {
        return Err(Error::typo(format!("\"{region}\" is not a region"), region, "us-east-1", "add --region us-east-1"));
    }
    let template = Template::parse(&args.template, region.is_some())?;
    let program = helper::program(&context.env, args.helper.as_deref())?;
    let config = Config::read(&context.env)?;
    let given = resolve::session_in(&config, &args.session.clone().into())?;
    // A helper profile names its session's block. A legacy session has none, and not every name can be written.
    let has_block = config.session(&given.name).is_some() || given.name != given.start_url;
    let session =
        if has_block && helper::is_argument(&given.name) { given.clone() } else { Sessions::of(&config).with_block(&given) };
    // The person may have signed in under either name.
    let signed_in = if context.vault()?.token(&session)?.is_some() { &session } else { &given };
    let listed = roles::all(context, signed_in, &context.broker(signed_in, None)?)?;
    if listed.roles.is_empty() {
        return Err(roles::nothing_reachable(&given.name));
    }
    let chosen = only(listed.roles, &args.only)?;
    let sync = Syncing {
        env: &context.env,
        session: &session,
        template: &template,
        region,
        program: &program,
        prune: args.prune,
        convert: args.convert,
        wanted: &chosen,
        refused: &listed.refused,
    };
    let notes = RefCell::default();
    let make = |config: &Config| {
        let (changes, found) = sync.changes(config)?;
        notes.replace(found);
        Ok(changes)
    };
    let plan = if args.dry_run {
        let plan = store::plan_by(&context.env, &make, Others::Allow)?;
        context.print(&super::diff_for_stdout(&plan))?;
        plan
    } else {
        store::update_by(&context.env, &make, Others::Allow)?
    };
    tell(context, &plan, &args, &notes.into_inner());
    if session.name != given.name && !plan.is_empty() {
        let (name, old) = (&session.name, &given.name);
        context
            .tell(&text::clean(&format!("These profiles use session {name} for the portal of {old}. Next: daypass login {name}")));
    }
    Ok(0)
}

/// The roles that match any of the globs; all if there are none.
fn only(all: Vec<Reachable>, globs: &[String]) -> Result<Vec<Reachable>> {
    if globs.is_empty() {
        return Ok(all);
    }
    let matchers: Vec<WildMatch> = globs.iter().map(|glob| WildMatch::new_case_insensitive(glob)).collect();
    let chosen: Vec<Reachable> = all
        .into_iter()
        .filter(|Reachable { account, role }| {
            let (id, role) = (role.account.as_str(), role.role.as_str());
            let name = account.name.as_deref().unwrap_or(id);
            let texts = [name, id, role, &format!("{name}/{role}"), &format!("{id}/{role}")].map(str::to_owned);
            matchers.iter().any(|matcher| texts.iter().any(|text| matcher.matches(text)))
        })
        .collect();
    if chosen.is_empty() {
        let what = format!("no account or role matches {}", globs.join(" or "));
        return Err(Error::usage(what, "daypass list"));
    }
    Ok(chosen)
}

/// The inputs of one run.
struct Syncing<'a> {
    env: &'a Env,
    session: &'a Session,
    template: &'a Template,
    region: Option<&'a str>,
    program: &'a str,
    prune: bool,
    convert: bool,
    wanted: &'a [Reachable],
    /// Accounts whose roles could not be listed: their profiles are left alone.
    refused: &'a [AccountId],
}

/// What to report.
#[derive(Debug, Default)]
struct Notes {
    /// What a user may not expect, a sentence each.
    remarks: Vec<String>,
    /// The number of profiles of earlier runs that this one does not write.
    stale: usize,
    /// The number of profiles with `sso_*` keys that `--convert` would convert.
    convertible: usize,
}

impl Syncing<'_> {
    fn changes(&self, config: &Config) -> Result<(Vec<Change>, Notes)> {
        let profiles = config.profiles();
        let known: HashMap<&str, &Block<'_>> = profiles.iter().map(|block| (&*block.name, block)).collect();
        let index = ProfileIndex::new(config, self.env);
        let precedence = Precedence::new(config);
        let mut ours: HashMap<AccountRole, Vec<String>> = HashMap::new();
        let mut marked: HashSet<&str> = HashSet::new();
        for block in &profiles {
            if let Some(role) = self.role_of_mark(block) {
                ours.entry(role).or_default().push(block.name.to_string());
                marked.insert(&block.name);
            }
        }
        // Tools use `default` if nothing else is named; sync must not decide that.
        let is_taken = |name: &str| name == "default" || known.contains_key(name) && !marked.contains(name);
        let refers_to = |name: &str, role: &AccountRole| {
            let target = known.get(name).and_then(|block| index.role_of(block));
            target.is_some_and(|(session, its)| its == *role && session.is_same_portal(self.session))
        };

        let mut notes = Notes::default();
        let mut wants = Vec::new();
        for Reachable { account, role } in self.wanted {
            let values = Values {
                role,
                account_name: account.name.as_deref(),
                account_email: account.email.as_deref(),
                session: &self.session.name,
                region: self.region,
            };
            let name = self.template.name(&values);
            // The user's own profile of this name refers to the same role: nothing to add.
            if !(is_taken(&name) && refers_to(&name, role)) {
                wants.push(Want { role: role.clone(), name, has: ours.remove(role).unwrap_or_default() });
            }
        }
        let names = naming::assign(&wants, is_taken);

        let mut changes = Vec::new();
        if config.session(&self.session.name).is_none() {
            changes.push(Change::Session(Session { scopes: portal::scopes_of(self.session), ..self.session.clone() }));
        }
        let mut written: HashSet<&str> = HashSet::new();
        for (want, name) in wants.iter().zip(&names) {
            let Some(name) = name else {
                notes.remarks.push(format!("No unused name for role {} in account {}.", want.role.role, want.role.account));
                continue;
            };
            if is_taken(&want.name) {
                let taken = &want.name;
                notes.remarks.push(match known.get(&**taken).map(|block| &block.mark) {
                    _ if taken == "default" => format!("sync does not write profile default; {name} is used instead."),
                    Some(Some(_)) => {
                        format!("Profile {taken} belongs to another sync; it is left alone and {name} is used instead.")
                    }
                    _ => format!("Profile {taken} was not created by sync; it is left alone and {name} is used instead."),
                });
            }
            written.insert(name);
            let rule = known.get(&**name).map(|block| helper::agent_flags(block)).unwrap_or_default();
            let line = helper::line(self.program, &self.session.name, &want.role.account, &want.role.role)? + &rule;
            let more = self.region.map(|region| ("region".to_owned(), region.to_owned())).into_iter().collect();
            let change = Change::helper(name, line, more).marked(&self.mark(&want.role));
            match known.get(&**name).and_then(|block| edit::other_source(&precedence, block, &change)) {
                Some(why) => notes.remarks.push(format!("Profile {name} is left alone: {why}.")),
                None => changes.push(change),
            }
        }
        let is_unlisted = |block: &Block<'_>| self.role_of_mark(block).is_some_and(|role| self.refused.contains(&role.account));
        for block in profiles.iter().filter(|block| marked.contains(&*block.name) && !written.contains(&*block.name)) {
            if is_unlisted(block) {
                continue;
            }
            if self.prune {
                changes.push(Change::Forget { name: block.name.to_string() });
            } else {
                notes.stale += 1;
            }
        }
        self.convert(config, &mut changes, &mut notes);
        Ok((changes, notes))
    }

    fn convert(&self, config: &Config, changes: &mut Vec<Change>, notes: &mut Notes) {
        let selected: HashSet<&AccountRole> = self.wanted.iter().map(|reachable| &reachable.role).collect();
        let decided: HashSet<String> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Profile { name, .. } | Change::Forget { name } => Some(name.clone()),
                Change::Session(_) => None,
            })
            .collect();
        let mut found = convert::conversion(config, self.env, self.program, Some(self.session), true, |name, session, role| {
            session.is_same_portal(self.session) && selected.contains(role) && !decided.contains(name)
        });
        if self.convert {
            changes.append(&mut found.changes);
            notes.remarks.append(&mut found.skipped);
        } else {
            notes.convertible = found.names.len();
        }
    }

    fn mark(&self, role: &AccountRole) -> String {
        format!("{} {} {}", self.session.name, role.account, role.role)
    }

    /// The role in the comment of an earlier run for this session.
    fn role_of_mark(&self, block: &Block<'_>) -> Option<AccountRole> {
        let rest = block.mark.as_deref()?.strip_prefix(&*self.session.name)?.strip_prefix(' ')?;
        let (account, role) = rest.split_once(' ')?;
        Some(AccountRole { account: AccountId::new(account)?, role: RoleName::new(role).ok()? })
    }
}

/// How many profiles a plan adds, changes and removes.
fn differences(plan: &Plan) -> (usize, usize, usize) {
    let read = |text: &str| Config::of_texts((plan.path.clone(), text.to_owned()), Default::default());
    let (before, after) = (read(plan.before.as_deref().unwrap_or_default()), read(&plan.after));
    let meaning = |config: &Config| -> HashMap<String, Vec<(String, String)>> {
        let values = |block: &Block<'_>| block.values.iter().map(|value| (value.key.to_string(), value.text.to_string())).collect();
        config.profiles().iter().map(|block| (block.name.to_string(), values(block))).collect()
    };
    let (before, after) = (meaning(&before), meaning(&after));
    let new = after.keys().filter(|name| !before.contains_key(*name)).count();
    let changed = after.iter().filter(|(name, values)| before.get(*name).is_some_and(|was| was != *values)).count();
    let removed = before.keys().filter(|name| !after.contains_key(*name)).count();
    (new, changed, removed)
}

fn tell(context: &Context, plan: &Plan, args: &Args, notes: &Notes) {
    // More would push everything else off the screen.
    const MOST: usize = 20;
    for line in notes.remarks.iter().take(MOST) {
        context.tell(&text::clean(line));
    }
    if notes.remarks.len() > MOST {
        context.tell(&format!("({} more like this)", notes.remarks.len() - MOST));
    }
    let path = plan.path.display().to_string();
    let path = text::clean(&path);
    let (new, changed, removed) = differences(plan);
    context.tell(&if plan.is_empty() {
        format!("{path} is already up to date.")
    } else if args.dry_run {
        format!("Dry run: {new} profiles to add, {changed} to change, {removed} to remove.")
    } else {
        format!("Added {new} profiles, changed {changed}, removed {removed} in {path}.")
    });
    if notes.stale > 0 {
        let (count, again) = (notes.stale, again(args, "--prune"));
        context.tell(&format!("{count} profiles of an earlier sync are no longer needed; to remove them: {again}"));
    }
    if notes.convertible > 0 {
        let (count, again) = (notes.convertible, again(args, "--convert"));
        context.tell(&format!("{count} profiles use sso_* keys for these roles; to convert them: {again}"));
    }
}

/// The same command with one more flag.
fn again(args: &Args, flag: &str) -> String {
    let Args { session, template, only, region, prune, convert, helper, dry_run: _ } = args;
    let valued = [
        ("--name", Some(template).filter(|template| *template != naming::DEFAULT)),
        ("--region", region.as_ref()),
        ("--helper", helper.as_ref()),
    ];
    let valued = valued.into_iter().chain(only.iter().map(|glob| ("--only", Some(glob))));
    let flags = session.flags.words();
    let mut words: Vec<&str> = ["daypass", "sync"].into_iter().chain(session.name.as_deref()).collect();
    words.extend(flags.iter().map(String::as_str));
    for (name, value) in valued {
        words.extend(value.into_iter().flat_map(|value| [name, value.as_str()]));
    }
    words.extend([("--prune", *prune), ("--convert", *convert)].iter().filter_map(|&(name, given)| given.then_some(name)));
    words.push(flag);
    text::command_line(words)
}
