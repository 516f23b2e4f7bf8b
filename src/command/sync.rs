//! `daypass sync`: a profile for every account and role that a session can reach. It changes only profiles that carry its mark.
//!
//! The listing comes first and is whole, or nothing is done. What to write is then worked out by the file as it stands under the lock, so
//! that a profile that another program writes meanwhile is seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use wildmatch::WildMatch;

use super::convert::{self, Sessions};
use super::flags::{SessionArgs, SessionFlags};
use super::roles::{self, Reachable};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::store::{self, Others, Plan};
use crate::profile::{Block, Config, helper, resolve, start_url};
use crate::sys::env::Env;
use crate::text;

/// Write a profile for every account and role that you can reach
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass sync corp --region eu-west-1
  daypass sync corp --name '{account_name}-{role}' --only 'Prod*' --dry-run
  daypass sync corp --only 'Prod*' --only '*/ReadOnly'
  daypass sync corp --prune

Fields of --name: {account_id} {account_name} {account_email} {role} {session}
{region}. Characters that not all AWS tools read become hyphens; where two names
would be one, the account's id stands behind both.

Profiles that sync wrote carry the comment '# daypass sync: SESSION ACCOUNT
ROLE'; it changes no others. Remove the comment to keep a profile as your own. A
name that is yours already is left alone: sync's profile gets another.")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,
    /// The profiles' names
    #[arg(long = "name", value_name = "TEMPLATE", default_value = naming::DEFAULT)]
    pub template: String,
    /// Only accounts (by name or id), roles, or ACCOUNT/ROLE like this; * and ? stand for anything; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// The profiles' region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Remove the profiles that an earlier sync of this session wrote and this one would not
    #[arg(long)]
    pub prune: bool,
    /// Also turn profiles with sso_* keys for these accounts and roles into daypass profiles of the same name, which keep all
    /// other keys
    #[arg(long)]
    pub convert: bool,
    /// Write this program name into credential_process, such as the bare 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME")]
    pub helper: Option<String>,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs it.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let region = args.region.as_deref();
    if let Some(region) = region.filter(|region| !start_url::is_region(region)) {
        return Err(Error::usage(format!("\"{region}\" is not a region"), "--region us-east-1 (or another)"));
    }
    let template = Template::parse(&args.template, region.is_some())?;
    let program = helper::program(&context.env, args.helper.as_deref())?;
    let config = Config::read(&context.env)?;
    let session = resolve::session_in(&config, &args.session.clone().into())?;
    // A helper profile names its session's block.
    let session = if config.session(&session.name).is_some() || session.name != session.start_url {
        session
    } else {
        Sessions::of(&config).with_block(&session)
    };

    let all = roles::all(context, &session, &context.broker(&session, None)?)?;
    if all.is_empty() {
        return Err(roles::nothing_reachable(&session.name));
    }
    let chosen = only(all, &args.only)?;
    let sync = Syncing {
        env: &context.env,
        session: &session,
        template: &template,
        region,
        program: &program,
        prune: args.prune,
        convert: args.convert,
        wanted: &chosen,
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
    Ok(0)
}

/// Those that any of the globs means; all where there are none.
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
        let what = format!("no account or role that you can reach matches {}", globs.join(" or "));
        return Err(Error::usage(what, "daypass list"));
    }
    Ok(chosen)
}

/// What one run knows.
struct Syncing<'a> {
    env: &'a Env,
    session: &'a Session,
    template: &'a Template,
    region: Option<&'a str>,
    program: &'a str,
    prune: bool,
    convert: bool,
    wanted: &'a [Reachable],
}

/// What is worth telling.
#[derive(Debug, Default)]
struct Notes {
    /// What is not as a person may expect, a sentence each.
    said: Vec<String>,
    /// Profiles of earlier runs that this one would not write.
    stale: usize,
    /// Profiles with single sign-on keys that `--convert` would turn.
    convertible: usize,
}

impl Syncing<'_> {
    fn changes(&self, config: &Config) -> Result<(Vec<Change>, Notes)> {
        let profiles = config.profiles();
        let known: HashMap<&str, &Block<'_>> = profiles.iter().map(|block| (&*block.name, block)).collect();
        let index = ProfileIndex::new(config, self.env);
        let mut ours: HashMap<AccountRole, Vec<String>> = HashMap::new();
        let mut marked: HashSet<&str> = HashSet::new();
        for block in &profiles {
            if let Some(role) = self.role_of_mark(block) {
                ours.entry(role).or_default().push(block.name.to_string());
                marked.insert(&block.name);
            }
        }
        // `default` is what tools take unasked: nobody asked for that.
        let is_taken = |name: &str| name == "default" || known.contains_key(name) && !marked.contains(name);
        let leads_there = |name: &str, role: &AccountRole| {
            let lead = known.get(name).and_then(|block| index.role_of(block));
            lead.is_some_and(|(session, its)| its == *role && session.is_same_portal(self.session))
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
            // A profile of the user's own that does the same under the same name: there is nothing to add.
            if !(is_taken(&name) && leads_there(&name, role)) {
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
                notes.said.push(format!("No name is free for role {} in account {}.", want.role.role, want.role.account));
                continue;
            };
            if is_taken(&want.name) {
                notes.said.push(format!("Profile {} is not of sync's making: it stays, and sync's is called {name}.", want.name));
            }
            written.insert(name);
            let line = helper::line(self.program, &self.session.name, &want.role.account, &want.role.role)?;
            let more = self.region.map(|region| ("region".to_owned(), region.to_owned())).into_iter().collect();
            let change = Change::helper(name, line, more).marked(&self.mark(&want.role));
            match known.get(&**name).and_then(|block| edit::other_source(config, block, &change)) {
                Some(why) => notes.said.push(format!("Profile {name} stays as it is: {why}.")),
                None => changes.push(change),
            }
        }
        for block in profiles.iter().filter(|block| marked.contains(&*block.name) && !written.contains(&*block.name)) {
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
        let wanted: HashSet<&AccountRole> = self.wanted.iter().map(|reachable| &reachable.role).collect();
        let settled: HashSet<String> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Profile { name, .. } | Change::Forget { name } => Some(name.clone()),
                Change::Session(_) => None,
            })
            .collect();
        let mut found = convert::conversion(config, self.env, self.program, Some(self.session), |name, session, role| {
            session.is_same_portal(self.session) && wanted.contains(role) && !settled.contains(name)
        });
        if self.convert {
            changes.append(&mut found.changes);
            notes.said.append(&mut found.stay);
        } else {
            notes.convertible = found.names.len();
        }
    }

    fn mark(&self, role: &AccountRole) -> String {
        format!("{} {} {}", self.session.name, role.account, role.role)
    }

    /// The role that an earlier run for this session wrote the profile for.
    fn role_of_mark(&self, block: &Block<'_>) -> Option<AccountRole> {
        let rest = block.mark.as_deref()?.strip_prefix(&*self.session.name)?.strip_prefix(' ')?;
        let (account, role) = rest.split_once(' ')?;
        Some(AccountRole { account: AccountId::new(account)?, role: RoleName::new(role).ok()? })
    }
}

/// How many profiles one text has that the other lacks or says otherwise: new, changed, removed.
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
    // So many that they would push all else off the screen are not for reading.
    const MOST: usize = 20;
    for line in notes.said.iter().take(MOST) {
        context.tell(&text::clean(line));
    }
    if notes.said.len() > MOST {
        context.tell(&format!("And {} more like this.", notes.said.len() - MOST));
    }
    let path = plan.path.display().to_string();
    let path = text::clean(&path);
    let (new, changed, removed) = differences(plan);
    context.tell(&if plan.is_empty() {
        format!("{path} says this already: nothing was written.")
    } else if args.dry_run {
        format!("{path} would have {new} profiles more, {changed} changed, {removed} removed; nothing was written.")
    } else {
        format!("Wrote {path}: {new} profiles new, {changed} changed, {removed} removed.")
    });
    if notes.stale > 0 {
        let (count, again) = (notes.stale, again(args, "--prune"));
        context.tell(&format!("{count} profiles of an earlier sync are not among these; to remove them: {again}"));
    }
    if notes.convertible > 0 {
        let (count, again) = (notes.convertible, again(args, "--convert"));
        context.tell(&format!("{count} profiles reach these roles by sso_* keys; to turn them into daypass profiles: {again}"));
    }
}

/// The same command with one flag more. All others stay: without its `--name` or `--only` it would mean other profiles.
fn again(args: &Args, flag: &str) -> String {
    let Args { session, template, only, region, prune, convert, helper, dry_run: _ } = args;
    let SessionArgs { name, flags: SessionFlags { session, start_url, sso_region, scopes } } = session;
    let valued = [
        ("--session", session.as_ref()),
        ("--start-url", start_url.as_ref()),
        ("--sso-region", sso_region.as_ref()),
        ("--scopes", scopes.as_ref()),
        ("--name", Some(template).filter(|template| *template != naming::DEFAULT)),
        ("--region", region.as_ref()),
        ("--helper", helper.as_ref()),
    ];
    let valued = valued.into_iter().chain(only.iter().map(|glob| ("--only", Some(glob))));
    let mut words: Vec<&str> = ["daypass", "sync"].into_iter().chain(name.as_deref()).collect();
    for (name, value) in valued {
        words.extend(value.into_iter().flat_map(|value| [name, value.as_str()]));
    }
    words.extend([("--prune", *prune), ("--convert", *convert)].iter().filter_map(|&(name, given)| given.then_some(name)));
    words.push(flag);
    text::command_line(words)
}
