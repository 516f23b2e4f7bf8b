//! The questions of the wizard: session, roles, settings and names.

use std::collections::HashSet;

use super::wizard::{Wizard, complete_command};
use crate::broker::Broker;
use crate::command::convert::Sessions;
use crate::command::login::signing_in;
use crate::command::roles::{self, Reachable};
use crate::context::account_called;
use crate::error::{Error, Exit, Result};
use crate::portal;
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::ini::is_plain_name;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::request::Account;
use crate::profile::resolve::{self, CredentialSource};
use crate::profile::{Block, start_url};
use crate::text;
use crate::ui::picker::{self, Picker};

/// With more accounts than this the account is selected first: listing the roles of all would take more than five seconds.
const LISTED_AT_ONCE: usize = 100;

impl Wizard<'_> {
    /// The role that the profile of `--profile` refers to now.
    fn existing_role(&self) -> Option<(Session, AccountRole)> {
        let block = self.config.profile(self.args.profile.as_deref()?)?;
        ProfileIndex::new(self.config, &self.context.env).role_of(&block)
    }

    /// The session: from flags, else from its block, else prompted for.
    pub(super) fn session(&self) -> Result<Session> {
        let flags = &self.args.session;
        let blocks = self.config.sessions();
        let names: Vec<&str> = blocks.iter().map(|block| &*block.name).collect();
        let existing = self.existing_role().map(|(session, _)| session);
        let default = match (&existing, names.as_slice()) {
            (Some(session), _) if names.contains(&&*session.name) => Some(session.name.clone()),
            (Some(session), _) => Some(Sessions::of(self.config).with_block(session).name),
            (None, [only]) => Some((*only).to_owned()),
            (None, _) => flags.start_url.as_deref().map(start_url::session_name),
        };
        let question = match names.as_slice() {
            [] => "Session name (for example, your company)".to_owned(),
            some => format!("Session ({}, or a new name)", some.join(", ")),
        };
        let check = |name: &str| plain_name(name, "--session");
        let name = self.required("--session", flags.session.as_deref(), &question, default.as_deref(), check)?;
        let block = self.config.session(&name);
        // A legacy profile contains the portal of the new session.
        let existing = existing.filter(|_| block.is_none());
        let stored = |key: &str| block.as_ref().and_then(|block| block.text(key)).map(str::to_owned);

        let known = flags.start_url.clone().or_else(|| stored("sso_start_url"));
        let default = existing.as_ref().map(|session| session.start_url.as_str());
        let kept = flags.start_url.is_none() && known.is_some();
        let check = |url: &str| if kept { Ok(url.to_owned()) } else { start_url::clean(url) };
        let question = "Start URL (for example, https://corp.awsapps.com/start)";
        let start_url = self.required("--start-url", known.as_deref(), question, default, check)?;

        // The region of the block belongs to the old start URL; a new one that contains a region replaces both.
        let old = if kept || start_url::region(&start_url).is_none() { stored("sso_region") } else { None };
        let region = flags.sso_region.clone().or(old).or_else(|| start_url::region(&start_url).map(str::to_owned));
        let default = existing.as_ref().map(|session| session.region.as_str());
        let check = |region: &str| region_name(region, "--sso-region");
        let region = self.required("--sso-region", region.as_deref(), "Region of IAM Identity Center", default, check)?;

        let scopes = match (&flags.scopes, &block) {
            (Some(scopes), _) => resolve::scope_list(scopes),
            // An empty list leaves the block's scopes unchanged.
            (None, Some(_)) => Vec::new(),
            (None, None) => {
                let given = Some(portal::ACCOUNT_ACCESS).filter(|_| !self.interactive);
                let question = "Registration scopes, comma-separated";
                let scopes =
                    self.required("--scopes", given, question, Some(portal::ACCOUNT_ACCESS), |text| Ok(text.to_owned()))?;
                resolve::scope_list(&scopes)
            }
        };
        Ok(Session { name, start_url, region, scopes })
    }

    /// The roles: from flags; an account's name and missing values need the portal's list.
    pub(super) fn roles(&self, session: &Session) -> Result<Vec<Reachable>> {
        let account = self.args.account.as_deref().map(Account::new).transpose()?;
        let role = self.args.role.as_deref().map(RoleName::new).transpose()?;
        if let (Some(Account::Id(account)), Some(role)) = (&account, &role) {
            let name = self.context.history().account_name(session, account);
            return Ok(vec![unlisted(account, name, role)]);
        }
        if account.is_none() && !self.interactive {
            return Err(self.missing("--account"));
        }
        if role.is_none() && !self.interactive {
            return Err(self.missing("--role"));
        }
        if role.is_none() && !self.context.env.moves_cursor() {
            let hint = complete_command(self.args, self.config);
            return Err(Error::usage("this terminal (TERM) can't show a list to choose from", hint));
        }
        let broker = self.context.broker(session, None)?;
        let list = || roles::accounts(&broker);
        let accounts =
            if self.interactive { signing_in(self.context, session, None, self.args.no_browser, list)? } else { list()? };
        let only = match &account {
            Some(Account::Id(id)) => Some(id.clone()),
            Some(Account::Name(name)) => Some(account_called(name, &accounts)?),
            None => None,
        };
        if let (Some(id), Some(role)) = (&only, &role) {
            let name = accounts.iter().find(|account| account.id == *id).and_then(|account| account.name.clone());
            return Ok(vec![unlisted(id, name, role)]);
        }
        let named = only.as_ref().and_then(|id| accounts.iter().find(|account| account.id == *id).cloned());
        let accounts = match (named, only) {
            (Some(account), _) => vec![account],
            (None, Some(id)) => vec![portal::Account { id, name: None, email: None }],
            (None, None) => accounts,
        };
        self.pick(&broker, session, accounts, role.as_ref())
    }

    /// Lets the user select from the roles of these accounts, and from the accounts first if there are many.
    fn pick(
        &self,
        broker: &Broker<'_>,
        session: &Session,
        accounts: Vec<portal::Account>,
        role: Option<&RoleName>,
    ) -> Result<Vec<Reachable>> {
        let several = self.args.profile.is_none();
        let now = self.existing_role().filter(|(its, _)| its.is_same_portal(session)).map(|(_, role)| role);
        let name = |account: &portal::Account| account.name.clone().unwrap_or_else(|| "(no name)".to_owned());
        let all_accounts = self.args.account.is_none() && accounts.len() <= LISTED_AT_ONCE;
        let accounts = if accounts.len() > LISTED_AT_ONCE {
            let rows = accounts
                .iter()
                .map(|account| vec![name(account), account.id.to_string(), account.email.clone().unwrap_or_default()]);
            let at = accounts.iter().position(|account| now.as_ref().is_some_and(|role| role.account == account.id));
            self.select("account", &rows.collect::<Vec<_>>(), at, several, &accounts)?
        } else {
            accounts
        };
        let mut all = roles::roles_in(self.context, broker, &accounts)?.roles;
        if all_accounts {
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
        self.select("role", &rows.collect::<Vec<_>>(), at, several, &all)
    }

    /// The items that the user selects; a single one is taken without a prompt.
    fn select<T: Clone>(&self, what: &str, rows: &[Vec<String>], at: Option<usize>, several: bool, items: &[T]) -> Result<Vec<T>> {
        if items.len() == 1 {
            self.context.tell(&format!("Only one {what} available: {}", text::clean(&rows.concat().join(" "))));
            return Ok(items.to_vec());
        }
        let picker = Picker::new(&format!("Which {what}?"), rows.to_vec(), several).at(at.unwrap_or_default());
        let Some((_, chosen)) = picker::pick(picker, self.context.capabilities())? else {
            return Err(Error::new(Exit::Interrupted, "cancelled; nothing was changed", complete_command(self.args, self.config)));
        };
        for row in chosen.iter().filter_map(|&row| rows.get(row)) {
            self.context.tell(&format!("Selected: {}", text::clean(&row.join("  "))));
        }
        Ok(chosen.into_iter().filter_map(|row| items.get(row).cloned()).collect())
    }

    /// The region and output of the new profiles, if given; those of an existing profile are the defaults of the questions.
    pub(super) fn settings(&self) -> Result<Vec<(String, String)>> {
        let block = self.args.profile.as_deref().and_then(|name| self.config.profile(name));
        let stored = |key: &str| block.as_ref().and_then(|block| block.text(key));
        let check = |region: &str| region_name(region, "--region");
        let region = self.optional(self.args.region.as_deref(), "Default region (Enter for none)", stored("region"), check)?;
        let question = "Default output format of the AWS CLI (Enter for none)";
        let output = self.optional(self.args.output.as_deref(), question, stored("output"), |output| Ok(output.to_owned()))?;
        let values = [("region", region), ("output", output)];
        Ok(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// A profile name for each role.
    pub(super) fn names(&self, session: &Session, roles: &[Reachable]) -> Result<Vec<String>> {
        if let ([_], Some(name)) = (roles, &self.args.profile) {
            return Ok(vec![name.clone()]);
        }
        if !self.interactive {
            return Err(self.missing("--profile"));
        }
        let index = ProfileIndex::new(self.config, &self.context.env);
        let refers_to = |name: &str, role: &AccountRole| {
            let target = self.config.profile(name).and_then(|block| index.role_of(&block));
            target.is_some_and(|(its, existing)| its.is_same_portal(session) && existing == *role)
        };
        if let [Reachable { role, .. }] = roles {
            let blocks = self.config.profiles();
            let is_ours = |block: &&Block<'_>| {
                matches!(resolve::credential_source(block), CredentialSource::Helper(_)) && refers_to(&block.name, role)
            };
            let default = match blocks.iter().find(is_ours) {
                Some(block) => block.name.to_string(),
                None => self.names_by_template(naming::DEFAULT, session, roles, &refers_to)?.concat(),
            };
            let check = |name: &str| {
                let name = plain_name(name, "--profile")?;
                self.refuse_other_keys(&[self.profile(session, &name, role, &[])?])?;
                Ok(name)
            };
            return Ok(vec![self.required("--profile", None, "Profile name", Some(&default), check)?]);
        }
        self.required("--profile", None, "Profile names", Some(naming::DEFAULT), |text| {
            self.names_by_template(text, session, roles, &refers_to)
        })
    }

    /// Names from a template. The name of a profile that refers to another role is not used.
    fn names_by_template(
        &self,
        template: &str,
        session: &Session,
        roles: &[Reachable],
        refers_to: &dyn Fn(&str, &AccountRole) -> bool,
    ) -> Result<Vec<String>> {
        let template = Template::parse(template, false)?;
        let wants = roles.iter().map(|Reachable { account, role }| {
            let (account_name, account_email) = (account.name.as_deref(), account.email.as_deref());
            let name = template.name(&Values { role, account_name, account_email, session: &session.name, region: None });
            Want { role: role.clone(), has: if refers_to(&name, role) { vec![name.clone()] } else { Vec::new() }, name }
        });
        let wants: Vec<Want> = wants.collect();
        let kept: HashSet<&str> = wants.iter().flat_map(|want| &want.has).map(String::as_str).collect();
        let names = naming::assign(&wants, |name| !kept.contains(name) && self.config.profile(name).is_some());
        let names: Option<Vec<String>> = names.into_iter().collect();
        names.ok_or_else(|| Error::usage("the template yields no unused names", "daypass configure --profile dev"))
    }
}

/// A role that was given by flags, with the account's name if it is known.
fn unlisted(account: &AccountId, name: Option<String>, role: &RoleName) -> Reachable {
    let listed = portal::Account { id: account.clone(), name, email: None };
    Reachable { account: listed, role: AccountRole { account: account.clone(), role: role.clone() } }
}

fn plain_name(name: &str, flag: &str) -> Result<String> {
    if is_plain_name(name) && !name.starts_with('-') {
        return Ok(name.to_owned());
    }
    let plain: String = name.chars().map(|c| if is_plain_name(c.encode_utf8(&mut [0; 4])) { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let what = format!("\"{name}\" is not a name that all AWS tools can read: they accept letters, digits and _-./@:+%");
    Err(Error::typo(what, name, if plain.is_empty() { "corp" } else { plain }, format!("{flag} corp")))
}

/// A region's name: lower-case letters, digits and hyphens, such as `us-gov-west-1`.
fn region_name(name: &str, flag: &str) -> Result<String> {
    if start_url::is_region(name) {
        return Ok(name.to_owned());
    }
    Err(Error::typo(format!("\"{name}\" is not a region"), name, "us-east-1", format!("{flag} us-east-1")))
}
