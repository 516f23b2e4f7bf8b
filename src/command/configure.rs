//! `daypass configure`: writes a session and profiles. By flags it asks nothing; on a terminal it asks for what is missing, and for
//! nothing that it can know.

use std::collections::HashSet;

use super::convert::{self, Conversion, Sessions};
use super::login::signing_in;
use super::roles::{self, Reachable};
use crate::broker::Broker;
use crate::cli::Configure;
use crate::error::{Error, Exit, Result};
use crate::picker::{self, Picker};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::ini::is_plain_name;
use crate::profile::leads::{Leads, Role};
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::resolve::{self, Account, Means, typed as quoted};
use crate::profile::store::{self, Others};
use crate::profile::{Block, Config, helper, start_url};
use crate::terminal;
use crate::world::{World, account_called};

/// More accounts than this are chosen among first: to list the roles of all would take more than five seconds.
const LISTED_AT_ONCE: usize = 100;

/// Runs it.
pub fn run(world: &World, typed: &Configure) -> Result<u8> {
    let config = Config::read(&world.env)?;
    let wizard = Wizard { world, config: &config, typed, there: world.may_ask() && !is_whole(typed, &config) };
    if typed.convert && typed.account.is_none() && typed.role.is_none() {
        return wizard.convert_alone();
    }
    let session = wizard.session()?;
    let mut changes = vec![Change::Session(session.clone())];
    let mut names = Vec::new();
    if !typed.session_only {
        let mut roles = wizard.roles(&session)?;
        let conversion = wizard.conversion(Some(&session), |_, its, role| {
            its.is_same_portal(&session) && roles.iter().any(|wanted| wanted.role == *role)
        })?;
        let converted = wizard.offered(conversion)?;
        // A role whose profile is converted needs no new one beside it.
        roles.retain(|wanted| typed.profile.is_some() || !converted.roles.contains(&wanted.role));
        if !roles.is_empty() {
            let more = wizard.more()?;
            names = wizard.names(&session, &roles)?;
            for (name, Reachable { role, .. }) in names.iter().zip(&roles) {
                changes.push(wizard.profile(&session, name, role, &more)?);
            }
        }
        changes.extend(converted.changes);
        names.extend(converted.names);
    }
    wizard.write(&changes, &names, Some(&session))
}

/// Whether the flags and the file say all that has to be said: then nothing is asked, not even what could be.
fn is_whole(typed: &Configure, config: &Config) -> bool {
    let flags = &typed.session;
    let known = flags.session.as_deref().is_some_and(|name| config.session(name).is_some());
    let region = flags.sso_region.is_some() || flags.start_url.as_deref().is_some_and(|url| start_url::region(url).is_some());
    let session = flags.session.is_some() && (known || flags.start_url.is_some() && region);
    session && (typed.session_only || typed.account.is_some() && typed.role.is_some() && typed.profile.is_some())
}

/// What is asked of the person, or of nobody.
struct Wizard<'a> {
    world: &'a World,
    config: &'a Config,
    typed: &'a Configure,
    /// Whether somebody is there to be asked.
    there: bool,
}

impl Wizard<'_> {
    /// Where the profile that is configured anew leads now.
    fn lead(&self) -> Option<(Session, Role)> {
        let block = self.config.profile(self.typed.profile.as_deref()?)?;
        Leads::new(self.config, &self.world.env).of(&block)
    }

    /// The session: by flags, else what its block says, else by asking.
    fn session(&self) -> Result<Session> {
        let flags = &self.typed.session;
        let blocks = self.config.sessions();
        let names: Vec<&str> = blocks.iter().map(|block| &*block.name).collect();
        let lead = self.lead().map(|(session, _)| session);
        let default = match (&lead, names.as_slice()) {
            (Some(session), _) if names.contains(&&*session.name) => Some(session.name.clone()),
            (Some(session), _) => Some(Sessions::of(self.config).with_block(session).name),
            (None, [only]) => Some((*only).to_owned()),
            (None, _) => flags.start_url.as_deref().map(start_url::session_name),
        };
        let question = match names.as_slice() {
            [] => "Session name, such as your company's".to_owned(),
            some => format!("Session ({}, or a new name)", some.join(", ")),
        };
        let name =
            self.must("--session", flags.session.as_deref(), &question, default.as_deref(), |name| plain(name, "--session"))?;
        let block = self.config.session(&name);
        // A legacy profile that is configured anew knows its portal.
        let lead = lead.filter(|_| block.is_none());
        let said = |key: &str| block.as_ref().and_then(|block| block.text(key)).map(str::to_owned);

        let known = flags.start_url.clone().or_else(|| said("sso_start_url"));
        let default = lead.as_ref().map(|session| session.start_url.as_str());
        let kept = flags.start_url.is_none() && known.is_some();
        let check = |url: &str| if kept { Ok(url.to_owned()) } else { start_url::clean(url) };
        let question = "Start URL, such as https://corp.awsapps.com/start";
        let start_url = self.must("--start-url", known.as_deref(), question, default, check)?;

        // A new address brings its own region, where it holds one.
        let old = if kept || start_url::region(&start_url).is_none() { said("sso_region") } else { None };
        let region = flags.sso_region.clone().or(old).or_else(|| start_url::region(&start_url).map(str::to_owned));
        let default = lead.as_ref().map(|session| session.region.as_str());
        let check = |region: &str| region_name(region, "--sso-region");
        let region = self.must("--sso-region", region.as_deref(), "Region of IAM Identity Center", default, check)?;

        let scopes = match (&flags.scopes, &block) {
            (Some(scopes), _) => resolve::scope_list(scopes),
            // An empty list leaves the block as it is.
            (None, Some(_)) => Vec::new(),
            (None, None) => {
                let default = Some(portal::ACCOUNT_ACCESS).filter(|_| !self.there);
                let question = "Registration scopes, parted by commas";
                let scopes = self.must("--scopes", default, question, Some(portal::ACCOUNT_ACCESS), |text| Ok(text.to_owned()))?;
                resolve::scope_list(&scopes)
            }
        };
        Ok(Session { name, start_url, region, scopes })
    }

    /// By flags; an account's name, and what is missing, by what the portal lists.
    fn roles(&self, session: &Session) -> Result<Vec<Reachable>> {
        let account = self.typed.account.as_deref().map(Account::new).transpose()?;
        let role = self.typed.role.as_deref().map(RoleName::new).transpose()?;
        if let (Some(Account::Id(account)), Some(role)) = (&account, &role) {
            return Ok(vec![unlisted(account, role)]);
        }
        if account.is_none() && !self.there {
            return Err(missing("--account"));
        }
        if role.is_none() && !self.there {
            return Err(missing("--role"));
        }
        if role.is_none() && !self.world.env.moves_cursor() {
            return Err(Error::usage(
                "this terminal (TERM) can't show a list to choose from",
                "daypass configure --account ID --role NAME ('daypass list' shows yours)",
            ));
        }
        let broker = self.world.broker(session, None)?;
        let list = || roles::accounts(&broker);
        let accounts = if self.there { signing_in(self.world, session, None, self.typed.no_browser, list)? } else { list()? };
        let only = match &account {
            Some(Account::Id(id)) => Some(id.clone()),
            Some(Account::Name(name)) => Some(account_called(name, &accounts)?),
            None => None,
        };
        if let (Some(id), Some(role)) = (&only, &role) {
            return Ok(vec![unlisted(id, role)]);
        }
        let named = only.as_ref().and_then(|id| accounts.iter().find(|account| account.id == *id).cloned());
        let accounts = match (named, only) {
            (Some(account), _) => vec![account],
            (None, Some(id)) => vec![portal::Account { id, name: None, email: None }],
            (None, None) => accounts,
        };
        self.pick(&broker, session, accounts, role.as_ref())
    }

    /// Lets the person choose among the roles of these accounts; among the accounts first where they are many.
    fn pick(
        &self,
        broker: &Broker<'_>,
        session: &Session,
        accounts: Vec<portal::Account>,
        role: Option<&RoleName>,
    ) -> Result<Vec<Reachable>> {
        let several = self.typed.profile.is_none();
        let now = self.lead().filter(|(its, _)| its.is_same_portal(session)).map(|(_, role)| role);
        let name = |account: &portal::Account| account.name.clone().unwrap_or_else(|| "(no name)".to_owned());
        let whole = self.typed.account.is_none() && accounts.len() <= LISTED_AT_ONCE;
        let accounts = if accounts.len() > LISTED_AT_ONCE {
            let rows = accounts
                .iter()
                .map(|account| vec![name(account), account.id.to_string(), account.email.clone().unwrap_or_default()]);
            let at = accounts.iter().position(|account| now.as_ref().is_some_and(|role| role.account == account.id));
            self.choose("Which account?", &rows.collect::<Vec<_>>(), at, several, &accounts)?
        } else {
            accounts
        };
        let mut all = roles::roles_in(self.world, broker, &accounts)?;
        if whole {
            roles::remember(self.world, session, &all);
        }
        if let Some(role) = role {
            all.retain(|reachable| reachable.role.role == *role);
        }
        if all.is_empty() {
            return Err(roles::nothing_reachable(&session.name));
        }
        let rows =
            all.iter().map(|Reachable { account, role }| vec![name(account), role.role.to_string(), role.account.to_string()]);
        let at = all.iter().position(|reachable| now.as_ref() == Some(&reachable.role));
        self.choose("Which role?", &rows.collect::<Vec<_>>(), at, several, &all)
    }

    /// Those of the things that the person chooses; one alone without asking.
    fn choose<T: Clone>(
        &self,
        title: &str,
        rows: &[Vec<String>],
        at: Option<usize>,
        several: bool,
        things: &[T],
    ) -> Result<Vec<T>> {
        if things.len() == 1 {
            self.world.tell(&format!("Using the only one: {}.", terminal::clean(&rows.concat().join(" "))));
            return Ok(things.to_vec());
        }
        let picker = Picker::new(title, rows.to_vec(), several).at(at.unwrap_or_default());
        let Some((_, chosen)) = picker::pick(picker, self.world.look())? else {
            return Err(Error::new(Exit::Interrupted, "you left the list; nothing was changed", "daypass configure"));
        };
        for row in chosen.iter().filter_map(|&row| rows.get(row)) {
            self.world.tell(&format!("Chosen: {}", terminal::clean(&row.join("  "))));
        }
        Ok(chosen.into_iter().filter_map(|row| things.get(row).cloned()).collect())
    }

    /// The profiles' own region and output, where they are given; an existing profile's are the defaults of the questions.
    fn more(&self) -> Result<Vec<(String, String)>> {
        let block = self.typed.profile.as_deref().and_then(|name| self.config.profile(name));
        let said = |key: &str| block.as_ref().and_then(|block| block.text(key));
        let region = |region: &str| region_name(region, "--region");
        let region = self.may(self.typed.region.as_deref(), "Default region (Enter for none)", said("region"), region)?;
        let output = "Default output format of the AWS CLI (Enter for none)";
        let output = self.may(self.typed.output.as_deref(), output, said("output"), |output| Ok(output.to_owned()))?;
        let values = [("region", region), ("output", output)];
        Ok(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// A name for each role.
    fn names(&self, session: &Session, roles: &[Reachable]) -> Result<Vec<String>> {
        if let ([_], Some(name)) = (roles, &self.typed.profile) {
            return Ok(vec![name.clone()]);
        }
        if !self.there {
            return Err(missing("--profile"));
        }
        let leads = Leads::new(self.config, &self.world.env);
        let leads_to = |name: &str, role: &Role| {
            let lead = self.config.profile(name).and_then(|block| leads.of(&block));
            lead.is_some_and(|(its, there)| its.is_same_portal(session) && there == *role)
        };
        if let [Reachable { role, .. }] = roles {
            let blocks = self.config.profiles();
            let ours = |block: &&Block<'_>| matches!(resolve::means(block), Means::Helper(_)) && leads_to(&block.name, role);
            let known = blocks.iter().find(ours);
            let default = match known {
                Some(block) => block.name.to_string(),
                None => self.by_template(naming::DEFAULT, session, roles, &leads_to)?.concat(),
            };
            let check = |name: &str| {
                let name = plain(name, "--profile")?;
                self.refuse_other_keys(&self.profile(session, &name, role, &[])?)?;
                Ok(name)
            };
            return Ok(vec![self.must("--profile", None, "Profile name", Some(&default), check)?]);
        }
        self.must("--profile", None, "Profile names", Some(naming::DEFAULT), |text| {
            self.by_template(text, session, roles, &leads_to)
        })
    }

    /// Names of their own: a profile that leads elsewhere is not taken.
    fn by_template(
        &self,
        template: &str,
        session: &Session,
        roles: &[Reachable],
        leads_to: &dyn Fn(&str, &Role) -> bool,
    ) -> Result<Vec<String>> {
        let template = Template::parse(template, false)?;
        let wants = roles.iter().map(|Reachable { account, role }| {
            let (account_name, account_email) = (account.name.as_deref(), account.email.as_deref());
            let name = template.name(&Values { role, account_name, account_email, session: &session.name, region: None });
            Want { role: role.clone(), has: if leads_to(&name, role) { vec![name.clone()] } else { Vec::new() }, name }
        });
        let wants: Vec<Want> = wants.collect();
        let kept: HashSet<&str> = wants.iter().flat_map(|want| &want.has).map(String::as_str).collect();
        let names = naming::assign(&wants, |name| !kept.contains(name) && self.config.profile(name).is_some());
        let names: Option<Vec<String>> = names.into_iter().collect();
        names.ok_or_else(|| Error::usage("the template gives no free names", "daypass configure --profile NAME"))
    }

    fn profile(&self, session: &Session, name: &str, role: &Role, more: &[(String, String)]) -> Result<Change> {
        let Role { account, role } = role;
        if self.typed.native {
            return Ok(Change::native(name, &session.name, account.as_str(), role.as_str(), more.to_vec()));
        }
        let line = helper::line(&self.program()?, &session.name, account, role)?;
        Ok(Change::helper(name, if self.typed.login { line + " --login" } else { line }, more.to_vec()))
    }

    fn program(&self) -> Result<String> {
        helper::program(&self.world.env, self.typed.helper.as_deref())
    }

    /// Keys that AWS tools would use in place of what is written stop it, unless they are meant to stay.
    fn refuse_other_keys(&self, change: &Change) -> Result<()> {
        let Change::Profile { name, .. } = change else { return Ok(()) };
        if self.typed.keep_other_keys {
            return Ok(());
        }
        match self.config.profile(name).and_then(|block| edit::other_source(self.config, &block, change)) {
            Some(what) => Err(Error::usage(
                what,
                format!(
                    "take another name, remove that line, or add --keep-other-keys: daypass configure --profile {}-sso",
                    quoted(name)
                ),
            )),
            None => Ok(()),
        }
    }

    /// Profiles with the SDKs' own keys that can be turned into daypass profiles.
    fn conversion(&self, planned: Option<&Session>, wanted: impl Fn(&str, &Session, &Role) -> bool) -> Result<Conversion> {
        if self.typed.native {
            return Ok(Conversion::default());
        }
        let own = self.typed.profile.as_deref().filter(|_| planned.is_some());
        let wanted = |name: &str, session: &Session, role: &Role| own != Some(name) && wanted(name, session, role);
        Ok(convert::conversion(self.config, &self.world.env, &self.program()?, planned, wanted))
    }

    /// All of it with `--convert`; what the person says without; else nothing, and a hint.
    fn offered(&self, found: Conversion) -> Result<Conversion> {
        if self.typed.convert {
            for line in &found.stay {
                self.world.tell(&terminal::clean(line));
            }
            return Ok(found);
        }
        if found.names.is_empty() {
            return Ok(found);
        }
        let names = terminal::clean(&found.names.join(", ")).into_owned();
        if self.there && yes(&format!("{names} reaches the same by sso_* keys. Turn it into a daypass profile?"), false)? {
            return Ok(found);
        }
        if !self.there {
            self.world.tell(&format!("{names} reaches the same role by sso_* keys; --convert turns it into a daypass profile."));
        }
        Ok(Conversion::default())
    }

    /// `--convert` without account and role: all profiles with the SDKs' own keys, of one session or one name where those are given.
    fn convert_alone(&self) -> Result<u8> {
        let flags = &self.typed.session;
        let found = self.conversion(None, |name, session, _| {
            self.typed.profile.as_deref().is_none_or(|wanted| wanted == name)
                && flags.session.as_deref().is_none_or(|wanted| wanted == session.name)
                && flags.start_url.as_deref().is_none_or(|wanted| start_url::is_same(wanted, &session.start_url))
        })?;
        for line in &found.stay {
            self.world.tell(&terminal::clean(line));
        }
        if found.names.is_empty() {
            self.world.tell("There is no profile with sso_* keys to convert: nothing was written.");
            return Ok(0);
        }
        self.write(&found.changes, &found.names, None)
    }

    /// Shows, asks, writes, and says what to do next.
    fn write(&self, changes: &[Change], names: &[String], session: Option<&Session>) -> Result<u8> {
        for change in changes {
            self.refuse_other_keys(change)?;
        }
        let env = &self.world.env;
        let plan = store::plan(env, changes, Others::Allow)?;
        if self.typed.dry_run {
            self.world.print(&super::diff_for_stdout(&plan))?;
            return Ok(0);
        }
        let path = plan.path.display().to_string();
        let path = terminal::clean(&path);
        if self.there && !plan.is_empty() {
            terminal::say(&format!("\n{}", super::clean_lines(&plan.diff())));
            if !yes(&format!("Write this to {path}?"), true)? {
                self.world.tell("Nothing was written.");
                return Ok(0);
            }
        }
        let others = if self.typed.keep_other_keys { Others::Allow } else { Others::Refuse };
        let done = store::update(env, changes, others)?;
        let what = match (names, session) {
            ([], Some(session)) => format!("session {}", session.name),
            ([one], _) => format!("profile {one}"),
            (several, _) => format!("profiles {}", several.join(", ")),
        };
        self.world.tell(&if done.is_empty() {
            format!("{path} says this already: nothing was written.")
        } else {
            format!("Wrote {} to {path}.", terminal::clean(&what))
        });
        self.say_next(names, session);
        Ok(0)
    }

    fn say_next(&self, names: &[String], session: Option<&Session>) {
        // Only a hint: a keyring that can't be read now is told of when it is needed.
        let signed_in =
            |session: &Session| self.world.vault().is_ok_and(|vault| vault.token(session).is_ok_and(|token| token.is_some()));
        match (session, names.first()) {
            (Some(session), _) if !signed_in(session) => self.world.tell(&format!("Next: daypass login {}", quoted(&session.name))),
            (_, Some(first)) => self.world.tell(&format!("Try: aws sts get-caller-identity --profile {}", quoted(first))),
            (Some(session), None) => self.world.tell(&format!("Try: daypass list {}", quoted(&session.name))),
            (None, None) => {}
        }
    }

    /// A value that there must be. What a person types is checked at once, and asked again.
    fn must<T>(
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
        if !self.there {
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
    fn may(
        &self,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<String>,
    ) -> Result<Option<String>> {
        if given.is_some() || !self.there {
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

fn yes(question: &str, default: bool) -> Result<bool> {
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

/// One answer. Where the input ends nothing is decided.
fn ask(question: &str, default: Option<&str>) -> Result<String> {
    let answer = terminal::ask(&terminal::clean(question), default).map_err(|error| {
        Error::failed(format!("standard input can't be read: {error}"), "give the values as flags: daypass configure --help")
    })?;
    answer.ok_or_else(|| Error::new(Exit::Interrupted, "the input ended; nothing was changed", "daypass configure"))
}

/// A role that was named, not listed.
fn unlisted(account: &AccountId, role: &RoleName) -> Reachable {
    let listed = portal::Account { id: account.clone(), name: None, email: None };
    Reachable { account: listed, role: Role { account: account.clone(), role: role.clone() } }
}

fn plain(name: &str, flag: &str) -> Result<String> {
    if is_plain_name(name) && !name.starts_with('-') {
        return Ok(name.to_owned());
    }
    Err(Error::usage(
        format!("\"{name}\" can't be written as a name that all AWS tools read"),
        format!("{flag} NAME, of letters, digits and _-./@:+%"),
    ))
}

/// A region's name: small letters, digits and hyphens, such as `us-gov-west-1`.
fn region_name(typed: &str, flag: &str) -> Result<String> {
    if start_url::is_region(typed) {
        return Ok(typed.to_owned());
    }
    Err(Error::usage(format!("\"{typed}\" is not a region"), format!("{flag} us-east-1 (or another)")))
}

fn missing(flag: &str) -> Error {
    let hint = match flag {
        "--account" | "--role" => format!("daypass configure {flag} VALUE (or --session-only to write the session alone)"),
        _ => format!("daypass configure {flag} VALUE"),
    };
    Error::usage(format!("{flag} is missing, and there is no terminal to ask on"), hint)
}
