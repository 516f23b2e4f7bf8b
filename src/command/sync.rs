//! `daypass sync`: a profile for every account and role that a session can reach. It changes only profiles that carry its mark.
//!
//! The listing comes first and is whole, or nothing is done. What to write is then worked out by the file as it stands under the lock, so
//! that a profile that another program writes meanwhile is seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use wildmatch::WildMatch;

use super::convert::{self, Sessions};
use super::roles::{self, Reachable};
use crate::cli::{SessionFlags, Sync};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::leads::{Leads, Role};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::store::{self, Others, Plan};
use crate::profile::{Block, Config, helper, resolve, start_url};
use crate::terminal;
use crate::world::World;

/// Runs it.
pub fn run(world: &World, typed: &Sync) -> Result<u8> {
    let region = typed.region.as_deref();
    if let Some(region) = region.filter(|region| !start_url::is_region(region)) {
        return Err(Error::usage(format!("\"{region}\" is not a region"), "--region us-east-1 (or another)"));
    }
    let template = Template::parse(&typed.template, region.is_some())?;
    let program = helper::program(&world.env, typed.helper.as_deref())?;
    let config = Config::read(&world.env)?;
    let flags = (typed.session.clone(), typed.session_name.clone());
    let session = resolve::session_in(&config, &super::asked_session(flags.0, flags.1, None))?;
    // A helper profile names its session's block.
    let session = if config.session(&session.name).is_some() || session.name != session.start_url {
        session
    } else {
        Sessions::of(&config).with_block(&session)
    };

    let all = roles::all(world, &session, &world.broker(&session, None)?)?;
    if all.is_empty() {
        return Err(roles::nothing_reachable(&session.name));
    }
    let chosen = only(all, &typed.only)?;
    let sync = Syncing {
        env: &world.env,
        session: &session,
        template: &template,
        region,
        program: &program,
        prune: typed.prune,
        convert: typed.convert,
        wanted: &chosen,
    };
    let notes = RefCell::default();
    let make = |config: &Config| {
        let (changes, found) = sync.changes(config)?;
        notes.replace(found);
        Ok(changes)
    };
    let plan = if typed.dry_run {
        let plan = store::plan_by(&world.env, &make, Others::Allow)?;
        world.print(&super::diff_for_stdout(&plan))?;
        plan
    } else {
        store::update_by(&world.env, &make, Others::Allow)?
    };
    tell(world, &plan, typed, &notes.into_inner());
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
        let leads = Leads::new(config, self.env);
        let mut ours: HashMap<Role, Vec<String>> = HashMap::new();
        let mut marked: HashSet<&str> = HashSet::new();
        for block in &profiles {
            if let Some(role) = self.role_of_mark(block) {
                ours.entry(role).or_default().push(block.name.to_string());
                marked.insert(&block.name);
            }
        }
        // `default` is what tools take unasked: nobody asked for that.
        let is_taken = |name: &str| name == "default" || known.contains_key(name) && !marked.contains(name);
        let leads_there = |name: &str, role: &Role| {
            let lead = known.get(name).and_then(|block| leads.of(block));
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
        let wanted: HashSet<&Role> = self.wanted.iter().map(|reachable| &reachable.role).collect();
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

    fn mark(&self, role: &Role) -> String {
        format!("{} {} {}", self.session.name, role.account, role.role)
    }

    /// The role that an earlier run for this session wrote the profile for.
    fn role_of_mark(&self, block: &Block<'_>) -> Option<Role> {
        let rest = block.mark.as_deref()?.strip_prefix(&*self.session.name)?.strip_prefix(' ')?;
        let (account, role) = rest.split_once(' ')?;
        Some(Role { account: AccountId::new(account)?, role: RoleName::new(role).ok()? })
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

fn tell(world: &World, plan: &Plan, typed: &Sync, notes: &Notes) {
    // So many that they would push all else off the screen are not for reading.
    const MOST: usize = 20;
    for line in notes.said.iter().take(MOST) {
        world.tell(&terminal::clean(line));
    }
    if notes.said.len() > MOST {
        world.tell(&format!("And {} more like this.", notes.said.len() - MOST));
    }
    let path = plan.path.display().to_string();
    let path = terminal::clean(&path);
    let (new, changed, removed) = differences(plan);
    world.tell(&if plan.is_empty() {
        format!("{path} says this already: nothing was written.")
    } else if typed.dry_run {
        format!("{path} would have {new} profiles more, {changed} changed, {removed} removed; nothing was written.")
    } else {
        format!("Wrote {path}: {new} profiles new, {changed} changed, {removed} removed.")
    });
    if notes.stale > 0 {
        let (count, again) = (notes.stale, again(typed, "--prune"));
        world.tell(&format!("{count} profiles of an earlier sync are not among these; to remove them: {again}"));
    }
    if notes.convertible > 0 {
        let (count, again) = (notes.convertible, again(typed, "--convert"));
        world.tell(&format!("{count} profiles reach these roles by sso_* keys; to turn them into daypass profiles: {again}"));
    }
}

/// The same command with one flag more. All others stay: without its `--name` or `--only` it would mean other profiles.
fn again(typed: &Sync, flag: &str) -> String {
    let Sync { session_name, session, template, only, region, prune, convert, helper, dry_run: _ } = typed;
    let SessionFlags { session, start_url, sso_region, scopes } = session;
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
    let mut words: Vec<&str> = ["daypass", "sync"].into_iter().chain(session_name.as_deref()).collect();
    for (name, value) in valued {
        words.extend(value.into_iter().flat_map(|value| [name, value.as_str()]));
    }
    words.extend([("--prune", *prune), ("--convert", *convert)].iter().filter_map(|&(name, given)| given.then_some(name)));
    words.push(flag);
    resolve::typed_line(words)
}
