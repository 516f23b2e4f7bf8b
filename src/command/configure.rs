//! `daypass configure`: writes a session and profiles. By flags it asks nothing; on a terminal it asks for what is missing, and for
//! nothing that it can know.

use std::collections::HashSet;

use super::convert::{self, Conversion, Sessions};
use super::flags::SessionFlags;
use super::login::signing_in;
use super::roles::{self, Reachable};
use crate::broker::Broker;
use crate::context::{Context, account_called};
use crate::error::{Error, Exit, Result};
use crate::portal;
use crate::profile::edit::{self, Change};
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::ini::is_plain_name;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::request::Account;
use crate::profile::resolve::{self, CredentialSource};
use crate::profile::store::{self, Others};
use crate::profile::{Block, Config, helper, start_url};
use crate::text;
use crate::text::shell_quote;
use crate::ui::picker::{self, Picker};
use crate::ui::{prompt, terminal};

/// Write a session and a profile to ~/.aws/config
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  daypass configure
  daypass configure --session corp \\
      --start-url https://corp.awsapps.com/start --sso-region us-east-1 \\
      --account 111122223333 --role DeveloperAccess \\
      --profile dev --region eu-west-1
  daypass configure --session-only --session corp \\
      --start-url https://corp.awsapps.com/start --sso-region us-east-1
  daypass configure --convert --dry-run

With every value given nothing is asked. Without --account and --role you sign
in and choose: type words to search; space marks several. An existing profile's
values are the defaults.")]
pub struct Args {
    /// The session.
    #[command(flatten)]
    pub session: SessionFlags,
    /// The account: its 12 digits, or its name (which signs in to look it up)
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// The role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// The profile to write
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The profile's region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile's output format for the AWS CLI
    #[arg(long, value_name = "FORMAT")]
    pub output: Option<String>,
    /// Write the session block alone, as 'aws configure sso-session' does
    #[arg(long, conflicts_with_all = ["account", "role", "profile", "region", "output", "native", "helper", "convert"])]
    pub session_only: bool,
    /// Write the SDK's own sso_* keys in place of credential_process
    #[arg(long)]
    pub native: bool,
    /// Write this program name into credential_process, such as the bare 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME", conflicts_with = "native")]
    pub helper: Option<String>,
    /// Let the profile open the browser by itself where sign-in is needed
    #[arg(long, conflicts_with = "native")]
    pub login: bool,
    /// Turn profiles with sso_* keys for the same account and role into daypass profiles of the same name, which keep all
    /// other keys; without --account and --role: all of the session, or of all sessions, or the one of --profile
    #[arg(long, conflicts_with = "native")]
    pub convert: bool,
    /// Write the profile although it keeps other keys, such as static ones in the credentials file, that AWS tools use first
    #[arg(long)]
    pub keep_other_keys: bool,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the sign-in address; open no browser
    #[arg(long)]
    pub no_browser: bool,
}

/// More accounts than this are chosen among first: to list the roles of all would take more than five seconds.
const LISTED_AT_ONCE: usize = 100;

/// Runs it.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    let config = Config::read(&context.env)?;
    let wizard = Wizard { context, config: &config, args: &args, there: context.may_ask() && !is_complete(&args, &config) };
    if args.convert && args.account.is_none() && args.role.is_none() {
        return wizard.convert_alone();
    }
    let session = wizard.session()?;
    let mut changes = vec![Change::Session(session.clone())];
    let mut names = Vec::new();
    if !args.session_only {
        let mut roles = wizard.roles(&session)?;
        let conversion = wizard.conversion(Some(&session), |_, its, role| {
            its.is_same_portal(&session) && roles.iter().any(|wanted| wanted.role == *role)
        })?;
        let converted = wizard.offered(conversion)?;
        // A role whose profile is converted needs no new one beside it.
        roles.retain(|wanted| args.profile.is_some() || !converted.roles.contains(&wanted.role));
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
fn is_complete(args: &Args, config: &Config) -> bool {
    let flags = &args.session;
    let known = flags.session.as_deref().is_some_and(|name| config.session(name).is_some());
    let region = flags.sso_region.is_some() || flags.start_url.as_deref().is_some_and(|url| start_url::region(url).is_some());
    let session = flags.session.is_some() && (known || flags.start_url.is_some() && region);
    session && (args.session_only || args.account.is_some() && args.role.is_some() && args.profile.is_some())
}

/// What is asked of the person, or of nobody.
struct Wizard<'a> {
    context: &'a Context,
    config: &'a Config,
    args: &'a Args,
    /// Whether somebody is there to be asked.
    there: bool,
}

impl Wizard<'_> {
    /// Where the profile that is configured anew index now.
    fn lead(&self) -> Option<(Session, AccountRole)> {
        let block = self.config.profile(self.args.profile.as_deref()?)?;
        ProfileIndex::new(self.config, &self.context.env).role_of(&block)
    }

    /// The session: by flags, else what its block says, else by asking.
    fn session(&self) -> Result<Session> {
        let flags = &self.args.session;
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
        let account = self.args.account.as_deref().map(Account::new).transpose()?;
        let role = self.args.role.as_deref().map(RoleName::new).transpose()?;
        if let (Some(Account::Id(account)), Some(role)) = (&account, &role) {
            return Ok(vec![unlisted(account, role)]);
        }
        if account.is_none() && !self.there {
            return Err(missing("--account"));
        }
        if role.is_none() && !self.there {
            return Err(missing("--role"));
        }
        if role.is_none() && !self.context.env.moves_cursor() {
            return Err(Error::usage(
                "this terminal (TERM) can't show a list to choose from",
                "daypass configure --account ID --role NAME ('daypass list' shows yours)",
            ));
        }
        let broker = self.context.broker(session, None)?;
        let list = || roles::accounts(&broker);
        let accounts = if self.there { signing_in(self.context, session, None, self.args.no_browser, list)? } else { list()? };
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
        let several = self.args.profile.is_none();
        let now = self.lead().filter(|(its, _)| its.is_same_portal(session)).map(|(_, role)| role);
        let name = |account: &portal::Account| account.name.clone().unwrap_or_else(|| "(no name)".to_owned());
        let whole = self.args.account.is_none() && accounts.len() <= LISTED_AT_ONCE;
        let accounts = if accounts.len() > LISTED_AT_ONCE {
            let rows = accounts
                .iter()
                .map(|account| vec![name(account), account.id.to_string(), account.email.clone().unwrap_or_default()]);
            let at = accounts.iter().position(|account| now.as_ref().is_some_and(|role| role.account == account.id));
            self.choose("Which account?", &rows.collect::<Vec<_>>(), at, several, &accounts)?
        } else {
            accounts
        };
        let mut all = roles::roles_in(self.context, broker, &accounts)?;
        if whole {
            roles::remember(self.context, session, &all);
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
            self.context.tell(&format!("Using the only one: {}.", text::clean(&rows.concat().join(" "))));
            return Ok(things.to_vec());
        }
        let picker = Picker::new(title, rows.to_vec(), several).at(at.unwrap_or_default());
        let Some((_, chosen)) = picker::pick(picker, self.context.capabilities())? else {
            return Err(Error::new(Exit::Interrupted, "you left the list; nothing was changed", "daypass configure"));
        };
        for row in chosen.iter().filter_map(|&row| rows.get(row)) {
            self.context.tell(&format!("Chosen: {}", text::clean(&row.join("  "))));
        }
        Ok(chosen.into_iter().filter_map(|row| things.get(row).cloned()).collect())
    }

    /// The profiles' own region and output, where they are given; an existing profile's are the defaults of the questions.
    fn more(&self) -> Result<Vec<(String, String)>> {
        let block = self.args.profile.as_deref().and_then(|name| self.config.profile(name));
        let said = |key: &str| block.as_ref().and_then(|block| block.text(key));
        let region = |region: &str| region_name(region, "--region");
        let region = self.may(self.args.region.as_deref(), "Default region (Enter for none)", said("region"), region)?;
        let output = "Default output format of the AWS CLI (Enter for none)";
        let output = self.may(self.args.output.as_deref(), output, said("output"), |output| Ok(output.to_owned()))?;
        let values = [("region", region), ("output", output)];
        Ok(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// A name for each role.
    fn names(&self, session: &Session, roles: &[Reachable]) -> Result<Vec<String>> {
        if let ([_], Some(name)) = (roles, &self.args.profile) {
            return Ok(vec![name.clone()]);
        }
        if !self.there {
            return Err(missing("--profile"));
        }
        let index = ProfileIndex::new(self.config, &self.context.env);
        let leads_to = |name: &str, role: &AccountRole| {
            let lead = self.config.profile(name).and_then(|block| index.role_of(&block));
            lead.is_some_and(|(its, there)| its.is_same_portal(session) && there == *role)
        };
        if let [Reachable { role, .. }] = roles {
            let blocks = self.config.profiles();
            let ours = |block: &&Block<'_>| {
                matches!(resolve::credential_source(block), CredentialSource::Helper(_)) && leads_to(&block.name, role)
            };
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

    /// Names of their own: a profile that index elsewhere is not taken.
    fn by_template(
        &self,
        template: &str,
        session: &Session,
        roles: &[Reachable],
        leads_to: &dyn Fn(&str, &AccountRole) -> bool,
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

    fn profile(&self, session: &Session, name: &str, role: &AccountRole, more: &[(String, String)]) -> Result<Change> {
        let AccountRole { account, role } = role;
        if self.args.native {
            return Ok(Change::native(name, &session.name, account.as_str(), role.as_str(), more.to_vec()));
        }
        let line = helper::line(&self.program()?, &session.name, account, role)?;
        Ok(Change::helper(name, if self.args.login { line + " --login" } else { line }, more.to_vec()))
    }

    fn program(&self) -> Result<String> {
        helper::program(&self.context.env, self.args.helper.as_deref())
    }

    /// Keys that AWS tools would use in place of what is written stop it, unless they are meant to stay.
    fn refuse_other_keys(&self, change: &Change) -> Result<()> {
        let Change::Profile { name, .. } = change else { return Ok(()) };
        if self.args.keep_other_keys {
            return Ok(());
        }
        match self.config.profile(name).and_then(|block| edit::other_source(self.config, &block, change)) {
            Some(what) => Err(Error::usage(
                what,
                format!(
                    "take another name, remove that line, or add --keep-other-keys: daypass configure --profile {}-sso",
                    shell_quote(name)
                ),
            )),
            None => Ok(()),
        }
    }

    /// Profiles with the SDKs' own keys that can be turned into daypass profiles.
    fn conversion(&self, planned: Option<&Session>, wanted: impl Fn(&str, &Session, &AccountRole) -> bool) -> Result<Conversion> {
        if self.args.native {
            return Ok(Conversion::default());
        }
        let own = self.args.profile.as_deref().filter(|_| planned.is_some());
        let wanted = |name: &str, session: &Session, role: &AccountRole| own != Some(name) && wanted(name, session, role);
        Ok(convert::conversion(self.config, &self.context.env, &self.program()?, planned, wanted))
    }

    /// All of it with `--convert`; what the person says without; else nothing, and a hint.
    fn offered(&self, found: Conversion) -> Result<Conversion> {
        if self.args.convert {
            for line in &found.stay {
                self.context.tell(&text::clean(line));
            }
            return Ok(found);
        }
        if found.names.is_empty() {
            return Ok(found);
        }
        let names = text::clean(&found.names.join(", ")).into_owned();
        if self.there && yes(&format!("{names} reaches the same by sso_* keys. Turn it into a daypass profile?"), false)? {
            return Ok(found);
        }
        if !self.there {
            self.context.tell(&format!("{names} reaches the same role by sso_* keys; --convert turns it into a daypass profile."));
        }
        Ok(Conversion::default())
    }

    /// `--convert` without account and role: all profiles with the SDKs' own keys, of one session or one name where those are given.
    fn convert_alone(&self) -> Result<u8> {
        let flags = &self.args.session;
        let found = self.conversion(None, |name, session, _| {
            self.args.profile.as_deref().is_none_or(|wanted| wanted == name)
                && flags.session.as_deref().is_none_or(|wanted| wanted == session.name)
                && flags.start_url.as_deref().is_none_or(|wanted| start_url::is_same(wanted, &session.start_url))
        })?;
        for line in &found.stay {
            self.context.tell(&text::clean(line));
        }
        if found.names.is_empty() {
            self.context.tell("There is no profile with sso_* keys to convert: nothing was written.");
            return Ok(0);
        }
        self.write(&found.changes, &found.names, None)
    }

    /// Shows, asks, writes, and says what to do next.
    fn write(&self, changes: &[Change], names: &[String], session: Option<&Session>) -> Result<u8> {
        for change in changes {
            self.refuse_other_keys(change)?;
        }
        let env = &self.context.env;
        let plan = store::plan(env, changes, Others::Allow)?;
        if self.args.dry_run {
            self.context.print(&super::diff_for_stdout(&plan))?;
            return Ok(0);
        }
        let path = plan.path.display().to_string();
        let path = text::clean(&path);
        if self.there && !plan.is_empty() {
            terminal::say(&format!("\n{}", super::clean_lines(&plan.diff())));
            if !yes(&format!("Write this to {path}?"), true)? {
                self.context.tell("Nothing was written.");
                return Ok(0);
            }
        }
        let others = if self.args.keep_other_keys { Others::Allow } else { Others::Refuse };
        let done = store::update(env, changes, others)?;
        let what = match (names, session) {
            ([], Some(session)) => format!("session {}", session.name),
            ([one], _) => format!("profile {one}"),
            (several, _) => format!("profiles {}", several.join(", ")),
        };
        self.context.tell(&if done.is_empty() {
            format!("{path} says this already: nothing was written.")
        } else {
            format!("Wrote {} to {path}.", text::clean(&what))
        });
        self.say_next(names, session);
        Ok(0)
    }

    fn say_next(&self, names: &[String], session: Option<&Session>) {
        // Only a hint: a keyring that can't be read now is told of when it is needed.
        let signed_in =
            |session: &Session| self.context.vault().is_ok_and(|vault| vault.token(session).is_ok_and(|token| token.is_some()));
        match (session, names.first()) {
            (Some(session), _) if !signed_in(session) => {
                self.context.tell(&format!("Next: daypass login {}", shell_quote(&session.name)));
            }
            (_, Some(first)) => self.context.tell(&format!("Try: aws sts get-caller-identity --profile {}", shell_quote(first))),
            (Some(session), None) => self.context.tell(&format!("Try: daypass list {}", shell_quote(&session.name))),
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
            let args = ask(question, default)?;
            if args.is_empty() {
                continue;
            }
            match check(&args) {
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
            let args = ask(question, default)?;
            if args.is_empty() {
                return Ok(None);
            }
            match check(&args) {
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
    let answer = prompt::ask(&text::clean(question), default).map_err(|error| {
        Error::failed(format!("standard input can't be read: {error}"), "give the values as flags: daypass configure --help")
    })?;
    answer.ok_or_else(|| Error::new(Exit::Interrupted, "the input ended; nothing was changed", "daypass configure"))
}

/// A role that was named, not listed.
fn unlisted(account: &AccountId, role: &RoleName) -> Reachable {
    let listed = portal::Account { id: account.clone(), name: None, email: None };
    Reachable { account: listed, role: AccountRole { account: account.clone(), role: role.clone() } }
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
fn region_name(args: &str, flag: &str) -> Result<String> {
    if start_url::is_region(args) {
        return Ok(args.to_owned());
    }
    Err(Error::usage(format!("\"{args}\" is not a region"), format!("{flag} us-east-1 (or another)")))
}

fn missing(flag: &str) -> Error {
    let hint = match flag {
        "--account" | "--role" => format!("daypass configure {flag} VALUE (or --session-only to write the session alone)"),
        _ => format!("daypass configure {flag} VALUE"),
    };
    Error::usage(format!("{flag} is missing, and there is no terminal to ask on"), hint)
}
