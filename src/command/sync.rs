//! `daypass sync`: writes a profile for every account and role of a session. It changes only profiles that have its comment.
//!
//! An incomplete listing changes nothing. The changes are computed from the file under the lock, so that they include what other
//! programs have written since.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use wildmatch::WildMatch;

use super::convert::{self, Sessions};
use super::flags::{SessionArgs, SessionFlags};
use super::region;
use super::roles::{self, Listed, Reachable};
use crate::context::{Context, OnBehalf};
use crate::error::{Error, Result};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::precedence::Precedence;
use crate::profile::store::{self, Others, Plan};
use crate::profile::{Block, Config, helper, resolve};
use crate::sys::env::Env;
use crate::text;

/// Write a profile for every account and role
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass sync corp --region eu-west-1
  daypass sync corp --name '{account_name}-{role}' --only 'Prod*' --dry-run
  daypass sync corp --only 'Prod*' --only '*/ReadOnly'
  daypass sync corp --all-roles
  daypass sync corp --prune

Fields of --name: {account_id} {account_name} {account_email} {role} {session}
{region}. Characters that not all AWS tools accept become hyphens; if two names
collide, the account ID is appended to both.

sync marks its profiles with the comment '# daypass sync: SESSION ACCOUNT ROLE'
and never touches a profile that it did not create; if the name is taken, it
uses another. Remove the comment to keep a profile as your own. With --only, it
changes only what matches, even with --prune.

The previous version of the file is kept; 'daypass undo' restores it.")]
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
    /// Leave out roles that one of your own profiles already uses (the default)
    #[arg(long, conflicts_with = "all_roles")]
    pub missing: bool,
    /// Also write profiles for roles that one of your own profiles already uses
    #[arg(long)]
    pub all_roles: bool,
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
    if let Some(region) = &args.region {
        region::checked(region, "--region")?;
    }
    let template = Template::parse(&args.template, args.region.is_some())?;
    let config = Config::read(&context.env)?;
    let given = resolve::session_in(&config, &args.session.clone().into())?;
    // A helper profile names its session's block. A legacy session has none, and not every name can be written.
    let has_block = config.session(&given.name).is_some() || given.name != given.start_url;
    let session =
        if has_block && helper::is_argument(&given.name) { given.clone() } else { Sessions::of(&config).with_block(&given) };
    // The person may have signed in under either name.
    let signed_in = if context.vault()?.token(&session)?.is_some() { &session } else { &given };
    let listed = roles::all(context, signed_in, &context.broker(signed_in, None)?)?;
    let plan = write(context, &args, &template, &session, false, listed)?;
    if session.name != given.name && !plan.is_empty() {
        let (name, old) = (&session.name, &given.name);
        context
            .tell(&text::clean(&format!("These profiles use session {name} for the portal of {old}. Next: daypass login {name}")));
    }
    Ok(0)
}

/// `configure --sync`: signs in if required, and writes the session and a profile for every role.
pub(super) fn onboard(
    context: &Context,
    session: &Session,
    region: String,
    helper: Option<String>,
    dry_run: bool,
    no_browser: bool,
) -> Result<u8> {
    let broker = context.broker(session, None)?;
    let by = OnBehalf { no_browser, ..OnBehalf::of(session) };
    let listed = context.signing_in(by, || roles::all_unattended(context, session, &broker))?;
    let args = Args {
        session: SessionArgs { name: Some(session.name.clone()), flags: SessionFlags::default() },
        template: naming::DEFAULT.to_owned(),
        only: Vec::new(),
        region: Some(region),
        missing: true,
        all_roles: false,
        prune: false,
        convert: false,
        helper,
        dry_run,
    };
    let template = Template::parse(&args.template, true)?;
    write(context, &args, &template, session, true, listed)?;
    if !dry_run && let Some(name) = a_profile_of(&Config::read(&context.env)?, &context.env, session) {
        context.tell(&format!("Try: aws sts get-caller-identity --profile {}", text::shell_quote(&name)));
    }
    Ok(0)
}

/// The first profile of a session.
fn a_profile_of(config: &Config, env: &Env, session: &Session) -> Option<String> {
    let targets = ProfileIndex::new(config, env).targets();
    targets.into_iter().find(|target| target.session.is_same_portal(session))?.profile
}

/// Writes the profiles for the roles that were listed, or shows what it would write, and reports it.
fn write(context: &Context, args: &Args, template: &Template, session: &Session, with_block: bool, listed: Listed) -> Result<Plan> {
    if listed.roles.is_empty() {
        return Err(roles::nothing_reachable(&session.name));
    }
    let only = Globs::new(&args.only);
    let names: HashMap<AccountId, String> =
        listed.roles.iter().filter_map(|role| Some((role.account.id.clone(), role.account.name.clone()?))).collect();
    let mut wanted = listed.roles;
    wanted.retain(|reachable| only.matches(&reachable.role, &names));
    if wanted.is_empty() {
        let what = format!("no account or role matches {}", args.only.join(" or "));
        return Err(Error::usage(what, "daypass list"));
    }
    let program = helper::program(&context.env, args.helper.as_deref())?;
    let sync = Syncing {
        env: &context.env,
        session,
        with_block,
        template,
        region: args.region.as_deref(),
        program: &program,
        all_roles: args.all_roles,
        prune: args.prune,
        convert: args.convert,
        wanted: &wanted,
        only: &only,
        account_names: &names,
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
    tell(context, &plan, args, &notes.into_inner());
    Ok(plan)
}

/// The globs of `--only`.
struct Globs(Vec<WildMatch>);

impl Globs {
    fn new(globs: &[String]) -> Self {
        Self(globs.iter().map(|glob| WildMatch::new_case_insensitive(glob)).collect())
    }

    /// Whether any of the globs matches the account, by its name or ID, the role, or both; true if there are none.
    fn matches(&self, AccountRole { account, role }: &AccountRole, names: &HashMap<AccountId, String>) -> bool {
        let (id, role) = (account.as_str(), role.as_str());
        let name = names.get(account).map_or(id, String::as_str);
        let texts = [name, id, role, &format!("{name}/{role}"), &format!("{id}/{role}")].map(str::to_owned);
        self.0.is_empty() || self.0.iter().any(|glob| texts.iter().any(|text| glob.matches(text)))
    }
}

/// The inputs of one run.
struct Syncing<'a> {
    env: &'a Env,
    session: &'a Session,
    /// Whether the session's block is written too.
    with_block: bool,
    template: &'a Template,
    region: Option<&'a str>,
    program: &'a str,
    all_roles: bool,
    prune: bool,
    convert: bool,
    wanted: &'a [Reachable],
    only: &'a Globs,
    /// The names of the accounts that were listed.
    account_names: &'a HashMap<AccountId, String>,
    /// Accounts whose roles could not be listed: their profiles are left alone.
    refused: &'a [AccountId],
}

/// What to report.
#[derive(Debug, Default)]
struct Notes {
    /// What a user may not expect, a sentence each.
    remarks: Vec<String>,
    /// The number of roles that are left out because another profile reaches them.
    reached: usize,
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
        let mut reached: HashSet<AccountRole> = HashSet::new();
        for block in &profiles {
            if let Some(role) = self.role_of_mark(block) {
                ours.entry(role).or_default().push(block.name.to_string());
                marked.insert(&block.name);
            } else if let Some((session, role)) = index.role_of(block)
                && session.is_same_portal(self.session)
                // Which role `default` has may change at any time.
                && block.name != "default"
            {
                reached.insert(role);
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
            if !self.all_roles && reached.contains(role) && !ours.contains_key(role) {
                notes.reached += 1;
                continue;
            }
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
        if self.with_block || config.session(&self.session.name).is_none() {
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
        // Another run with other globs wrote what does not match, and needs it.
        let is_unlisted = |block: &Block<'_>| {
            let is = |role: AccountRole| self.refused.contains(&role.account) || !self.only.matches(&role, self.account_names);
            self.role_of_mark(block).is_some_and(is)
        };
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
        self.convert(&precedence, &mut changes, &mut notes);
        Ok((changes, notes))
    }

    fn convert(&self, precedence: &Precedence<'_>, changes: &mut Vec<Change>, notes: &mut Notes) {
        let selected: HashSet<&AccountRole> = self.wanted.iter().map(|reachable| &reachable.role).collect();
        let decided: HashSet<String> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Profile { name, .. } | Change::Forget { name } => Some(name.clone()),
                Change::Session(_) => None,
            })
            .collect();
        let mut found = convert::conversion(precedence, self.env, self.program, Some(self.session), true, |name, session, role| {
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
        format!("Dry run: {} to add, {changed} to change, {removed} to remove.", text::counted(new, "profile"))
    } else {
        format!("Added {}, changed {changed}, removed {removed} in {path}.", text::counted(new, "profile"))
    });
    if !args.dry_run {
        super::tell_backup(context, plan);
    }
    if notes.reached > 0 {
        let have = if notes.reached == 1 { "has" } else { "have" };
        let roles = text::counted(notes.reached, "role");
        context.tell(&format!("Left out {roles} that {have} a profile already (--all-roles adds them)."));
    }
    if notes.stale > 0 {
        let (count, again) = (notes.stale, again(args, "--prune"));
        let (are, them) = if count == 1 { ("is", "it") } else { ("are", "them") };
        let profiles = text::counted(count, "profile");
        context.tell(&format!("{profiles} of an earlier sync {are} no longer needed; to remove {them}: {again}"));
    }
    if notes.convertible > 0 {
        let (count, again) = (notes.convertible, again(args, "--convert"));
        let (uses, them) = if count == 1 { ("uses", "it") } else { ("use", "them") };
        let profiles = text::counted(count, "profile");
        context.tell(&format!("{profiles} {uses} sso_* keys for these roles; to convert {them}: {again}"));
    }
}

/// The same command with one more flag.
fn again(args: &Args, flag: &str) -> String {
    let Args { session, template, only, region, missing: _, all_roles, prune, convert, helper, dry_run: _ } = args;
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
    words.extend(
        [("--all-roles", *all_roles), ("--prune", *prune), ("--convert", *convert)]
            .iter()
            .filter_map(|&(name, given)| given.then_some(name)),
    );
    words.push(flag);
    text::command_line(words)
}
