//! The questions of the wizard: session, roles, settings and names.

use std::collections::HashSet;

use super::wizard::{Wizard, complete_command};
use crate::broker::Broker;
use crate::command::convert::Sessions;
use crate::command::region;
use crate::command::roles::{self, Reachable};
use crate::context::{OnBehalf, account_called};
use crate::error::{Error, Result};
use crate::history::SetUp;
use crate::portal;
use crate::profile::index::{AccountRole, ProfileIndex};
use crate::profile::ini::is_plain_name;
use crate::profile::names::{self, AccountId, RoleName, Session};
use crate::profile::naming::{self, Template, Values, Want};
use crate::profile::request::Account;
use crate::profile::resolve::{self, CredentialSource};
use crate::profile::{Block, helper, start_url};
use crate::sys::clock;
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

    /// The session: from flags and its block; else the portal is prompted for. Its region is learned from the address if possible.
    pub(super) fn session(&self) -> Result<Session> {
        let flags = &self.args.session;
        let (name, new_url) = self.portal()?;
        let block = self.config.session(&name);
        let stored = |key: &str| block.as_ref().and_then(|block| block.text(key)).map(str::to_owned);
        // A legacy profile, or an earlier run that was cancelled after the sign-in, knows the portal of a new session.
        let known = match (&block, &new_url) {
            (None, Some(url)) => self.unwritten().into_iter().find(|known| start_url::is_same(&known.start_url, url)),
            _ => None,
        };
        let name = known.as_ref().filter(|_| flags.session.is_none()).map_or(name, |known| known.name.clone());
        let start_url = match new_url.clone().or_else(|| stored("sso_start_url")) {
            Some(url) => url,
            None => self.required("--start-url", None, "Address of the access portal", None, start_url::clean)?,
        };
        self.note(|args, set_up| {
            *set_up = self.earlier_for(&start_url).cloned().unwrap_or_default();
            set_up.start_url.clone_from(&start_url);
            args.portal = None;
            if self.config.session(&name).is_some() {
                args.session.session = Some(name.clone());
            } else {
                args.session.start_url = Some(start_url.clone());
            }
        });

        // The region of the block belongs to the old start URL; a new one that contains a region replaces both.
        let of_host = new_url.as_deref().and_then(start_url::region).map(str::to_owned);
        let region = flags.sso_region.as_deref().map(|region| region::checked(region, "--sso-region")).transpose()?;
        let region = region.or(of_host).or_else(|| stored("sso_region")).or(known.map(|known| known.region));
        let region = if let Some(region) = region.or_else(|| self.learned(&name, &start_url)) {
            region
        } else {
            let check = |region: &str| region::checked(region, "--sso-region");
            let default = self.earlier_for(&start_url).and_then(|earlier| earlier.region.as_deref());
            self.required("--sso-region", None, "Region of IAM Identity Center", default, check)?
        };
        self.note(|args, set_up| {
            args.session.sso_region = Some(region.clone()).filter(|_| block.is_none());
            set_up.region = Some(region.clone());
        });
        let scopes = match (&flags.scopes, &block) {
            (Some(scopes), _) => resolve::scope_list(scopes),
            // An empty list leaves the block's scopes unchanged.
            (None, Some(_)) => Vec::new(),
            (None, None) => vec![portal::ACCOUNT_ACCESS.to_owned()],
        };
        Ok(Session { name, start_url, region, scopes })
    }

    fn learned(&self, name: &str, start_url: &str) -> Option<String> {
        let region = region::learned(self.context, start_url)?;
        self.context.tell(&text::clean(&format!("The portal of {name} is in {region}.")));
        Some(region)
    }

    /// The name of the session, and its start URL if that is not the one of its block.
    fn portal(&self) -> Result<(String, Option<String>)> {
        let flags = &self.args.session;
        let url = flags.start_url.as_deref().map(start_url::clean).transpose()?;
        if let Some(name) = &flags.session {
            let name = plain_name(name, "--session")?;
            let existing = || Some(self.existing_role()?.0.start_url).filter(|_| self.config.session(&name).is_none());
            return Ok((name.clone(), url.or_else(existing)));
        }
        if let Some(url) = url {
            return Ok(self.session_at(url));
        }
        if let Some(typed) = &self.args.portal {
            return self.portal_called(typed);
        }
        let existing = self.existing_role().map(|(session, _)| session);
        let blocks = self.config.sessions();
        let names: Vec<&str> = blocks.iter().map(|block| &*block.name).collect();
        let has_block =
            |url: &str| blocks.iter().any(|block| block.text("sso_start_url").is_some_and(|its| start_url::is_same(its, url)));
        let typed = self.earlier.as_ref().map(|earlier| earlier.start_url.clone()).filter(|url| !has_block(url));
        let default = match (&existing, names.as_slice()) {
            (Some(session), names) if names.contains(&&*session.name) => Some(session.name.clone()),
            (Some(session), _) => Some(session.start_url.clone()),
            // A run that was cancelled before the sign-in.
            (None, _) if typed.is_some() => typed,
            (None, [only]) => Some((*only).to_owned()),
            (None, []) => self.unwritten().first().map(|session| session.start_url.clone()),
            (None, _) => None,
        };
        if let (false, [only]) = (self.context.may_prompt(), names.as_slice()) {
            return Ok(((*only).to_owned(), None));
        }
        let question = match names.as_slice() {
            [] => "Access portal (alias or address)".to_owned(),
            some => format!("Access portal ({}, or a new one)", some.join(", ")),
        };
        self.required("--start-url", None, &question, default.as_deref(), |typed| self.portal_called(typed))
    }

    /// The session of this name, or of the portal with this alias, ID or address.
    fn portal_called(&self, typed: &str) -> Result<(String, Option<String>)> {
        if self.config.session(typed).is_some() {
            return Ok((typed.to_owned(), None));
        }
        if let Some(known) = self.unwritten().into_iter().find(|known| known.name == typed) {
            return Ok((known.name, Some(known.start_url)));
        }
        if self.config.profile(typed).is_some() {
            let what = format!("\"{typed}\" is a profile, not an access portal");
            return Err(Error::usage(what, format!("daypass configure --profile {}", text::shell_quote(typed))));
        }
        start_url::clean(typed).map(|url| self.session_at(url))
    }

    /// The session of the portal at this address: that of a block, or a new one that is named after it.
    fn session_at(&self, start_url: String) -> (String, Option<String>) {
        let blocks = self.config.sessions();
        let is_it = |block: &&Block<'_>| {
            let is_same = block.text("sso_start_url").is_some_and(|url| start_url::is_same(url, &start_url));
            is_same && helper::is_argument(&block.name)
        };
        if let Some(block) = blocks.iter().find(is_it) {
            return (block.name.to_string(), None);
        }
        let new = Session { name: start_url.clone(), start_url: start_url.clone(), region: String::new(), scopes: Vec::new() };
        (Sessions::of(self.config).with_block(&new).name, Some(start_url))
    }

    /// The sessions that a sign-in exists for, but no block: those of runs that were cancelled.
    fn unwritten(&self) -> Vec<Session> {
        let contents = self.context.vault().ok().and_then(|vault| vault.contents(clock::now()).ok()).unwrap_or_default();
        let is_new = |session: &Session| self.config.session(&session.name).is_none() && session.name != session.start_url;
        contents.sessions.into_iter().filter(is_new).collect()
    }

    /// The roles: from flags; an account's name and missing values need the portal's list.
    pub(super) fn roles(&self, session: &Session) -> Result<Vec<Reachable>> {
        let account = self.args.account.as_deref().map(Account::new).transpose()?;
        let role = self.args.role.as_deref().map(RoleName::new).transpose()?;
        if let (Some(Account::Id(account)), Some(role)) = (&account, &role) {
            self.check_listed(session, account, role)?;
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
        let by = OnBehalf { no_browser: self.args.no_browser, ..OnBehalf::of(session) };
        let accounts = if self.interactive { self.context.signing_in(by, list)? } else { list()? };
        self.note_sign_in(session);
        let only = match &account {
            Some(Account::Id(id)) => Some(id.clone()),
            Some(Account::Name(name)) => Some(account_called(name, &accounts)?),
            None => None,
        };
        let named = only.as_ref().and_then(|id| accounts.iter().find(|account| account.id == *id).cloned());
        let accounts = match (named, only) {
            (Some(account), _) => vec![account],
            (None, Some(id)) => vec![portal::Account { id, name: None, email: None }],
            (None, None) => accounts,
        };
        self.pick(&broker, session, accounts, role.as_ref())
    }

    /// Notes the selected roles.
    pub(super) fn note_roles(&self, roles: &[Reachable]) {
        self.note(|args, set_up| {
            if let [Reachable { role: AccountRole { account, role }, .. }] = roles {
                (args.account, args.role) = (Some(account.to_string()), Some(role.to_string()));
            }
            let selected: Vec<String> = roles.iter().map(kept).collect();
            if set_up.roles != selected {
                *set_up = SetUp { roles: selected, names: None, ..std::mem::take(set_up) };
            }
        });
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
        let earlier =
            self.earlier_for(&session.start_url).filter(|_| several).map(|earlier| earlier.roles.as_slice()).unwrap_or_default();
        let name = |account: &portal::Account| account.name.clone().unwrap_or_else(|| "(no name)".to_owned());
        let all_accounts = self.args.account.is_none() && accounts.len() <= LISTED_AT_ONCE;
        let accounts = if accounts.len() > LISTED_AT_ONCE {
            let rows = accounts
                .iter()
                .map(|account| vec![name(account), account.id.to_string(), account.email.clone().unwrap_or_default()]);
            let is_current = |account: &portal::Account| now.as_ref().is_some_and(|role| role.account == account.id);
            let was_selected = |account: &portal::Account| {
                earlier.iter().any(|role| role.rsplit_once('@').is_some_and(|(_, its)| its == account.id.as_str()))
            };
            self.select("account", &rows.collect::<Vec<_>>(), several, &accounts, is_current, was_selected)?
        } else {
            accounts
        };
        let mut all = roles::roles_in(self.context, broker, &accounts)?.roles;
        if all_accounts {
            roles::remember(self.context, session, &all);
        }
        if all.is_empty() {
            return Err(roles::nothing_reachable(&session.name));
        }
        if let Some(role) = role {
            let listed: Vec<RoleName> = all.iter().map(|reachable| reachable.role.role.clone()).collect();
            all.retain(|reachable| reachable.role.role == *role);
            if all.is_empty() {
                return Err(unknown_role(role, &listed, &session.name));
            }
        }
        let rows =
            all.iter().map(|Reachable { account, role }| vec![name(account), role.role.to_string(), role.account.to_string()]);
        let is_current = |reachable: &Reachable| now.as_ref() == Some(&reachable.role);
        let was_selected = |reachable: &Reachable| earlier.contains(&kept(reachable));
        self.select("role", &rows.collect::<Vec<_>>(), several, &all, is_current, was_selected)
    }

    /// The items that the user selects; a single one is taken without a prompt. The cursor is on the current one, and those that were
    /// selected in a run that was cancelled are marked.
    fn select<T: Clone>(
        &self,
        what: &str,
        rows: &[Vec<String>],
        several: bool,
        items: &[T],
        is_current: impl Fn(&T) -> bool,
        was_selected: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>> {
        if items.len() == 1 {
            self.context.tell(&format!("Only one {what} available: {}", text::clean(&rows.concat().join(" "))));
            return Ok(items.to_vec());
        }
        let selected: Vec<usize> = (0..).zip(items).filter(|(_, item)| was_selected(item)).map(|(row, _)| row).collect();
        let at = items.iter().position(is_current).or(selected.first().copied()).unwrap_or_default();
        let picker = Picker::new(&format!("Which {what}?"), rows.to_vec(), several).at(at);
        // A single one needs no mark, which would have to be removed to select another.
        let picker = if selected.len() > 1 { picker.marking(selected) } else { picker };
        let Some((_, chosen)) = picker::pick(picker, self.context.capabilities())? else {
            return Err(self.cancelled("cancelled"));
        };
        for row in chosen.iter().filter_map(|&row| rows.get(row)) {
            self.context.tell(&format!("Selected: {}", text::clean(&row.join("  "))));
        }
        Ok(chosen.into_iter().filter_map(|row| items.get(row).cloned()).collect())
    }

    /// An error if the portal listed the account last without this role, but with one of nearly the same name.
    fn check_listed(&self, session: &Session, account: &AccountId, role: &RoleName) -> Result<()> {
        let listed = self.context.history().listing(session).map(|(_, roles)| roles).unwrap_or_default();
        let listed: Vec<RoleName> = listed.into_iter().filter(|role| role.account == *account).map(|listed| listed.role).collect();
        let names = listed.iter().map(RoleName::as_str);
        if listed.contains(role) || names::nearest(role.as_str(), names).is_none() {
            return Ok(());
        }
        Err(unknown_role(role, &listed, &session.name))
    }

    /// The region and output of the new profiles: from flags, else the region that is likely.
    pub(super) fn settings(&self, session: &Session) -> Result<Vec<(String, String)>> {
        let block = self.args.profile.as_deref().and_then(|name| self.config.profile(name));
        let has_region = block.is_some_and(|block| block.text("region").is_some());
        let region = match &self.args.region {
            Some(region) => Some(region::checked(region, "--region")?),
            None if self.interactive && !has_region => Some(self.likely_region(session)),
            None => None,
        };
        let output = self.args.output.as_deref().map(output_format).transpose()?;
        let values = [("region", region), ("output", output)];
        Ok(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
    }

    /// The region of the profile that was written last, else that of the portal.
    pub(super) fn likely_region(&self, session: &Session) -> String {
        let profiles = self.config.profiles();
        let of_portal = profiles.iter().filter(|block| !matches!(resolve::credential_source(block), CredentialSource::Other(..)));
        let last = of_portal.filter_map(|block| block.text("region")).next_back();
        last.filter(|region| start_url::is_region(region)).unwrap_or(&session.region).to_owned()
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
        let earlier = self.set_up.borrow().names.clone();
        if let [Reachable { role, .. }] = roles {
            let blocks = self.config.profiles();
            let is_ours = |block: &&Block<'_>| {
                matches!(resolve::credential_source(block), CredentialSource::Helper(_)) && refers_to(&block.name, role)
            };
            let default = match earlier.or_else(|| blocks.iter().find(is_ours).map(|block| block.name.to_string())) {
                Some(name) => name,
                None => self.names_by_template(naming::DEFAULT, session, roles, &refers_to)?.concat(),
            };
            let check = |name: &str| {
                let name = plain_name(name, "--profile")?;
                self.refuse_other_keys(&[self.profile(session, &name, role, &[])?])?;
                Ok(name)
            };
            let name = self.required("--profile", None, "Profile name", Some(&default), check)?;
            self.note(|args, set_up| (args.profile, set_up.names) = (Some(name.clone()), Some(name.clone())));
            return Ok(vec![name]);
        }
        let default = earlier.as_deref().unwrap_or(naming::DEFAULT);
        self.required("--profile", None, "Profile names", Some(default), |text| {
            let names = self.names_by_template(text, session, roles, &refers_to)?;
            self.note(|_, set_up| set_up.names = Some(text.to_owned()));
            Ok(names)
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

/// How a selected role is kept for the next run.
fn kept(Reachable { role: AccountRole { account, role }, .. }: &Reachable) -> String {
    format!("{role}@{account}")
}

/// A role that was given by flags, with the account's name if it is known.
fn unlisted(account: &AccountId, name: Option<String>, role: &RoleName) -> Reachable {
    let listed = portal::Account { id: account.clone(), name, email: None };
    Reachable { account: listed, role: AccountRole { account: account.clone(), role: role.clone() } }
}

pub(super) fn plain_name(name: &str, flag: &str) -> Result<String> {
    if is_plain_name(name) && !name.starts_with('-') {
        return Ok(name.to_owned());
    }
    let plain: String = name.chars().map(|c| if is_plain_name(c.encode_utf8(&mut [0; 4])) { c } else { '-' }).collect();
    let plain = plain.trim_matches('-');
    let what = format!("\"{name}\" is not a name that all AWS tools can read: they accept letters, digits and _-./@:+%");
    Err(Error::typo(what, name, if plain.is_empty() { "corp" } else { plain }, format!("{flag} corp")))
}

/// The error for a role that the portal does not list.
fn unknown_role(role: &RoleName, listed: &[RoleName], session: &str) -> Error {
    let hint = format!("daypass list {}", text::shell_quote(session));
    match names::nearest(role.as_str(), listed.iter().map(RoleName::as_str)) {
        Some(near) => {
            let what = format!("the portal does not list a role \"{role}\" there; did you mean \"{near}\"?");
            Error::typo(what, role.as_str(), near, hint)
        }
        None => Error::usage(format!("the portal does not list a role \"{role}\" there"), hint),
    }
}

/// An output format of the AWS CLI.
fn output_format(name: &str) -> Result<String> {
    const FORMATS: [&str; 6] = ["json", "text", "table", "yaml", "yaml-stream", "off"];
    if FORMATS.contains(&name) {
        return Ok(name.to_owned());
    }
    let lower = name.to_lowercase();
    let meant = names::nearest(&lower, FORMATS.into_iter()).unwrap_or("json");
    let what = format!("\"{name}\" is not an output format of the AWS CLI, which has {}", FORMATS.join(", "));
    Err(Error::typo(what, name, meant, format!("add --output {meant}")))
}
