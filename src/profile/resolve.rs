//! Resolves a [`RoleRequest`] to a [`RoleTarget`], or to a [`Session`] alone. Touches only the files that [`Config`] reads.
//!
//! Each value comes from its flag; else from the profile given by `--profile` or as an argument; else from that of `AWS_PROFILE`; else
//! from `default`. If session, account and role are all given, the profile of the environment is ignored.
//!
//! Three kinds of profile give role credentials: *native* (`sso_session`), *legacy* (`sso_start_url` inline), and *helper*
//! (`credential_process` calls daypass), whose command line is another [`RoleRequest`]. A profile with `role_arn` and `source_profile`
//! assumes a role with the credentials of one of these, or of another such profile.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::chain::{AssumedRole, MAX_ROLES};
use super::config::{Block, Config, Value};
use super::encoding;
use super::header;
use super::helper;
use super::ini::{Kind, is_plain_name};
use super::names::{AccountId, RoleName, Session, nearest, plain};
use super::request::{Account, AgentRule, NamedBy, RoleRequest};
use super::start_url;
use crate::error::{Error, Exit, Result};
use crate::sys::env::Env;
use crate::text::{edit_file, set_variable, shell_quote};

/// The role whose credentials were requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTarget {
    /// The session that gives the credentials.
    pub session: Session,
    /// The account.
    pub account: Account,
    /// The role in it.
    pub role: RoleName,
    /// The region for the user's own calls.
    pub region: Option<String>,
    /// The profile that was resolved, if any.
    pub profile: Option<String>,
    /// Whether arguments name another portal, account or role than the profile.
    pub overridden: bool,
    /// The roles to assume on top of it, one after another.
    pub chain: Vec<AssumedRole>,
    /// What the last of these is assumed from: a profile, or `role@account`. Empty without a chain.
    pub via: String,
    /// What coding agents get.
    pub agents: AgentRule,
}

impl RoleTarget {
    /// A role at the portal that no profile describes.
    pub fn of_role(session: Session, account: AccountId, role: RoleName) -> Self {
        Self {
            session,
            account: Account::Id(account),
            role,
            region: None,
            profile: None,
            overridden: false,
            chain: Vec::new(),
            via: String::new(),
            agents: AgentRule::default(),
        }
    }

    /// The account of the credentials; a name only if nothing is assumed.
    pub fn final_account(&self) -> Account {
        self.chain.last().map_or_else(|| self.account.clone(), |role| Account::Id(role.arn.account().clone()))
    }

    /// The name of the role of the credentials.
    pub fn final_role(&self) -> &str {
        self.chain.last().map_or(self.role.as_str(), |role| role.arn.name())
    }

    /// The same, with where it is assumed from: `Deploy via dev`.
    pub fn described_role(&self) -> String {
        if self.chain.is_empty() { self.role.to_string() } else { format!("{} via {}", self.final_role(), self.via) }
    }
}

/// How a profile gets credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// `sso_session` with account and role.
    Native,
    /// `sso_start_url`, `sso_region`, account and role.
    Legacy,
    /// `credential_process` calls daypass with these arguments.
    Helper(Box<RoleRequest>),
    /// Assumes `role_arn` with the credentials of this profile, which may be the profile itself.
    Assumes(String),
    /// Another source: a clause that describes it, and a hint.
    Other(String, String),
    /// None.
    Nothing,
}

/// The keys that make SDKs use their own single sign-on provider for a profile.
pub const SSO_KEYS: [&str; 6] =
    ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region", "sso_registration_scopes"];

/// Resolves a request. Reads only the parts of the files that it needs.
///
/// # Errors
/// [`Exit::Usage`] if flags and files are incomplete or contradict each other; [`Exit::Failed`] for an unreadable file.
pub fn target(env: &Env, request: &RoleRequest) -> Result<RoleTarget> {
    let profile = match (request.profile.is_none() && request.is_complete(), request.session.is_some()) {
        (true, false) => return target_in(&Config::of_texts(Default::default(), Default::default()), env, request),
        (true, true) => None,
        (false, _) => Some(request.profile.as_deref().or(env.profile()).unwrap_or("default")),
    };
    // Parts of the files are nearly always enough. They are read whole if not, such as for a profile that refers to another, or to
    // describe an error.
    if let Some(part) = Config::read_for(env, profile)
        && let Ok(target) = target_in(&part, env, request)
    {
        return Ok(target);
    }
    target_in(&Config::read(env)?, env, request)
}

/// Resolves a request by files that were read before.
///
/// # Errors
/// As [`target`].
pub fn target_in(config: &Config, env: &Env, request: &RoleRequest) -> Result<RoleTarget> {
    let target = resolve_request(config, env, request)?;
    Ok(RoleTarget { overridden: is_overridden(config, request, &target), ..target })
}

fn is_overridden(config: &Config, request: &RoleRequest, target: &RoleTarget) -> bool {
    let Some(name) = &target.profile else { return false };
    let given = [&request.session, &request.start_url, &request.sso_region, &request.account, &request.role];
    if given.iter().all(|value| value.is_none()) {
        return request.assume.is_some();
    }
    if request.assume.is_some() {
        return true;
    }
    let mut trail = Trail::default();
    let own = resolve_profile(config, RoleRequest::default(), name, Need::Credentials, &mut trail)
        .and_then(|whole| resolve_role(config, whole, None, trail));
    let is_same = |own: RoleTarget| {
        own.session.is_same_portal(&target.session)
            && own.account == target.account
            && own.role == target.role
            && own.chain == target.chain
    };
    !own.is_ok_and(is_same)
}

fn resolve_request(config: &Config, env: &Env, request: &RoleRequest) -> Result<RoleTarget> {
    let named = request.profile.as_deref();
    if request.is_complete() {
        // Only the region of an explicitly given profile may still be needed.
        let profile =
            named.map(|name| config.profile(name).ok_or_else(|| unknown_profile(config, name, request.named_by))).transpose()?;
        let region = request.region.clone().or_else(|| profile.and_then(|profile| profile.text("region").map(str::to_owned)));
        let trail = Trail::of_flags(request, region.clone(), None)?;
        return resolve_role(config, RoleRequest { region, ..request.clone() }, request.profile.clone(), trail);
    }
    let (chosen, named_by) = match env.profile_variable() {
        Some((variable, name)) if named.is_none() => (Some(name), NamedBy::Variable(variable)),
        _ => (named, request.named_by),
    };
    let name = chosen.unwrap_or("default");
    // `default` was not requested: if flags and the only session are enough, it need not be a daypass profile.
    let flags_suffice = chosen.is_none() && request.account.is_some() && request.role.is_some();
    let mut trail = Trail { named_by, ..Trail::of_flags(request, request.region.clone(), Some(name))? };
    match resolve_profile(config, request.clone(), name, Need::Credentials, &mut trail) {
        Ok(whole) => {
            refuse_other_base(config, request, name, &trail)?;
            resolve_role(config, whole, Some(name.to_owned()), trail)
        }
        Err(error) if flags_suffice && error.exit == Exit::Usage => {
            resolve_role(config, request.clone(), None, Trail::of_flags(request, request.region.clone(), None)?)
        }
        Err(error) => Err(error),
    }
}

/// A profile that assumes a role does so from its own source: with another account or role it would be a chain that nobody configured.
fn refuse_other_base(config: &Config, request: &RoleRequest, name: &str, trail: &Trail) -> Result<()> {
    let own = trail.chain.iter().find(|role| role.profile.is_some());
    let given = [
        ("--session", &request.session),
        ("--start-url", &request.start_url),
        ("--account", &request.account),
        ("--role", &request.role),
    ];
    let flag = given.into_iter().find_map(|(flag, value)| value.as_ref().map(|_| flag));
    let (Some(role), Some(flag)) = (own, flag) else { return Ok(()) };
    let source = config.profile(name).and_then(|profile| profile.text("source_profile").map(str::to_owned));
    Err(Error::usage(
        format!("profile \"{name}\" assumes {}, and {flag} can't change what it does so with", role.arn),
        format!("daypass env {}", shell_quote(source.as_deref().unwrap_or(name))),
    ))
}

/// Returns the requested session: the given one, that of the given profile, or the only one.
///
/// # Errors
/// As [`target`], and if there is no session or more than one.
pub fn session(env: &Env, request: &RoleRequest) -> Result<Session> {
    session_in(&Config::read(env)?, request)
}

/// Returns the requested session by files that were read before.
///
/// # Errors
/// As [`session`].
pub fn session_in(config: &Config, request: &RoleRequest) -> Result<Session> {
    match &request.profile {
        Some(name) if request.session.is_none() && !request.has_portal() => {
            let mut trail = Trail { named_by: request.named_by, ..Trail::default() };
            let whole = resolve_profile(config, request.clone(), name, Need::Session, &mut trail)?;
            portal(config, &whole)
        }
        _ => portal(config, request),
    }
}

/// All sessions: `[sso-session]` blocks, and those of legacy profiles whose portal has no block. Incomplete blocks are left out.
pub fn sessions(config: &Config) -> Vec<Session> {
    let blocks = session_blocks(config);
    let mut all = blocks.clone();
    for profile in config.profiles() {
        if let Some(session) = legacy_session(&blocks, &profile)
            && !all.contains(&session)
            && credential_source(&profile) == CredentialSource::Legacy
        {
            all.push(session);
        }
    }
    all
}

/// The `[sso-session]` blocks in file order. Incomplete ones are left out.
pub fn session_blocks(config: &Config) -> Vec<Session> {
    config.sessions().iter().filter_map(|block| session_of(block).ok()).collect()
}

/// What a profile is resolved for. A session requires no account and no role.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Session,
    Credentials,
}

/// What is found on the way from a profile to the role of the portal that its credentials are based on.
#[derive(Default)]
struct Trail {
    /// What named the first profile.
    named_by: NamedBy,
    /// The profiles so far and their places.
    seen: Vec<(String, String)>,
    /// The roles to assume, the last one first.
    chain: Vec<AssumedRole>,
    /// What the last one is assumed from, if that is a profile.
    via: Option<String>,
    /// The region of the profile at the end.
    region: Option<String>,
}

impl Trail {
    /// The role of `--assume-role`, which is assumed from this profile if there is one.
    fn of_flags(request: &RoleRequest, region: Option<String>, profile: Option<&str>) -> Result<Self> {
        let mut trail = Self::default();
        if let Some(flags) = &request.assume {
            trail.assume(AssumedRole::of_flags(flags, region)?, profile);
        }
        Ok(trail)
    }

    fn assume(&mut self, role: AssumedRole, source: Option<&str>) {
        if self.chain.is_empty() {
            self.via = source.map(str::to_owned);
        }
        self.chain.push(role);
    }

    /// Notes a profile.
    ///
    /// # Errors
    /// It was noted before.
    fn enter(&mut self, profile: &Block<'_>) -> Result<()> {
        let name = profile.name.to_string();
        let again = self.seen.iter().any(|(earlier, _)| *earlier == name);
        self.seen.push((name, format!("{}:{}", profile.file.display(), profile.line)));
        if !again {
            return Ok(());
        }
        let cycle: Vec<String> = self.seen.iter().map(|(name, place)| format!("\"{name}\" ({place})")).collect();
        let what = format!("these profiles refer to each other in a cycle: {}", cycle.join(" → "));
        Err(Error::usage(what, configure_hint(&profile.name)))
    }
}

/// Adds to the request the values of the profile, and of those that it refers to.
fn resolve_profile(config: &Config, request: RoleRequest, name: &str, need: Need, trail: &mut Trail) -> Result<RoleRequest> {
    let profile = config.profile(name).ok_or_else(|| unknown_profile(config, name, trail.named_by))?;
    trail.enter(&profile)?;
    let source = credential_source(&profile);
    match source {
        CredentialSource::Assumes(source) => {
            trail.assume(AssumedRole::of_profile(&profile)?, Some(&source));
            let request = request.or(RoleRequest { region: profile.text("region").map(str::to_owned), ..RoleRequest::default() });
            if source == name {
                return resolve_source(config, request, &profile, own_source(&profile), need, trail);
            }
            refuse_missing(config, &profile, "source_profile", &source)?;
            resolve_profile(config, request, &source, need, trail)
        }
        other => resolve_source(config, request, &profile, other, need, trail),
    }
}

/// Refuses a profile whose `key` names a profile that does not exist.
fn refuse_missing(config: &Config, profile: &Block<'_>, key: &str, name: &str) -> Result<()> {
    if config.profile(name).is_some() {
        return Ok(());
    }
    let place = profile.get(key).map(Value::place).unwrap_or_default();
    let error = unknown_profile(config, name, NamedBy::Argument);
    Err(Error { what: format!("{place}: {}", error.what), correction: None, ..error })
}

/// Adds to the request the values of this profile, which has this source.
fn resolve_source(
    config: &Config,
    request: RoleRequest,
    profile: &Block<'_>,
    source: CredentialSource,
    need: Need,
    trail: &mut Trail,
) -> Result<RoleRequest> {
    let name = &profile.name;
    let region = profile.text("region").map(str::to_owned);
    trail.region.clone_from(&region);
    match source {
        kind @ (CredentialSource::Native | CredentialSource::Legacy) => {
            let own = |key: &str| profile.text(key).map(str::to_owned);
            let mut own_values =
                RoleRequest { account: own("sso_account_id"), role: own("sso_role_name"), region, ..RoleRequest::default() };
            (own_values.agents, own_values.agent_role) = (own("daypass_agents"), own("daypass_agent_role"));
            if kind == CredentialSource::Native {
                own_values.session = own("sso_session");
                contradiction(config, profile, &request)?;
            } else {
                let block = legacy_session(&session_blocks(config), profile).filter(|session| session.name != session.start_url);
                if let Some(block) = block {
                    own_values.session = Some(block.name);
                } else {
                    (own_values.start_url, own_values.sso_region) = (own("sso_start_url"), own("sso_region"));
                }
            }
            check_values(profile, &request, need)?;
            Ok(request.or(own_values))
        }
        CredentialSource::Helper(its) => {
            let next = its.profile.clone();
            if let Some(flags) = &its.assume {
                let region = its.region.clone().or_else(|| region.clone());
                let role = AssumedRole { profile: Some(name.to_string()), ..AssumedRole::of_flags(flags, region)? };
                trail.assume(role, next.as_deref());
            }
            let whole = request.or(RoleRequest { region, ..RoleRequest::default() }).or(*its);
            match next {
                Some(next) if !whole.is_complete() => {
                    refuse_missing(config, profile, "credential_process", &next)?;
                    resolve_profile(config, whole, &next, need, trail)
                }
                _ => Ok(whole),
            }
        }
        CredentialSource::Other(what, hint) => Err(match trail.chain.last() {
            Some(role) => {
                let first = trail.seen.first().map_or(&**name, |(name, _)| name);
                Error::usage(
                    format!(
                        "{} is assumed with the credentials of profile \"{name}\", which {what}: the AWS SDK does that",
                        role.arn
                    ),
                    format!("AWS_PROFILE={} aws sts get-caller-identity", shell_quote(first)),
                )
            }
            None => Error::usage(format!("profile \"{name}\" {what}"), hint),
        }),
        CredentialSource::Nothing | CredentialSource::Assumes(_) => {
            let place = format!("{}:{}", profile.file.display(), profile.line);
            if let Some(role) = profile.text("role_arn") {
                let what = format!("profile \"{name}\" ({place}) assumes {role} with its own credentials, and has none");
                return Err(Error::usage(what, other_profile_hint(name)));
            }
            let lacks = missing_key(profile).unwrap_or("account and role");
            Err(Error::usage(format!("profile \"{name}\" ({place}) has no {lacks}"), configure_hint(name)))
        }
    }
}

/// Parses the values; the profile is for messages.
fn resolve_role(config: &Config, request: RoleRequest, profile: Option<String>, trail: Trail) -> Result<RoleTarget> {
    let missing = |flag: &str| match &profile {
        Some(name) => {
            let line = config.profile(name).and_then(|profile| profile.get("credential_process").map(Value::place));
            let what = match line {
                Some(place) => format!("the credential_process of profile \"{name}\" ({place}) has no --{flag}"),
                None => format!("profile \"{name}\" has no {flag}"),
            };
            Error::usage(what, configure_hint(name))
        }
        None => {
            Error::usage(format!("--{flag} is missing"), if flag == "account" { "daypass list" } else { "daypass list --profiles" })
        }
    };
    let account = Account::new(request.account.as_deref().ok_or_else(|| missing("account"))?)?;
    let role = RoleName::new(request.role.as_deref().ok_or_else(|| missing("role"))?)?;
    let session = portal(config, &request)?;
    let agents = AgentRule::new(request.agents.as_deref(), request.agent_role.as_deref())?;
    let Trail { mut chain, via, region, .. } = trail;
    if chain.len() > MAX_ROLES {
        let what = format!("{} roles are assumed one after another; {MAX_ROLES} are the most", chain.len());
        return Err(Error::usage(what, edit_file(&config.path().to_string_lossy())));
    }
    chain.reverse();
    // A role without a region of its own is assumed in that of its source.
    let mut region = region.unwrap_or_else(|| session.region.clone());
    for role in &mut chain {
        match &role.region {
            Some(own) => region.clone_from(own),
            None => role.region = Some(region.clone()),
        }
    }
    let via = if chain.is_empty() { String::new() } else { via.unwrap_or_else(|| format!("{role}@{account}")) };
    Ok(RoleTarget { session, account, role, region: request.region, profile, overridden: false, chain, via, agents })
}

/// The session of a request.
fn portal(config: &Config, request: &RoleRequest) -> Result<Session> {
    let scopes = request.scopes.as_deref().map(scope_list);
    match (&request.session, &request.start_url, &request.sso_region) {
        (name, Some(start_url), Some(region)) => Ok(Session {
            name: name.clone().unwrap_or_else(|| start_url.clone()),
            start_url: start_url.clone(),
            region: region.clone(),
            scopes: scopes.unwrap_or_default(),
        }),
        (Some(name), start_url, region) => {
            // A legacy profile's session is named by its address.
            let is_it = |session: &Session| {
                session.name == *name || name.starts_with("https://") && start_url::is_same(&session.start_url, name)
            };
            let legacy = || sessions(config).into_iter().find(is_it);
            let mut session = match config.session(name) {
                Some(block) => session_of(&block)?,
                None => legacy().ok_or_else(|| unknown_session(config, name))?,
            };
            session.start_url = start_url.clone().unwrap_or(session.start_url);
            session.region = region.clone().unwrap_or(session.region);
            session.scopes = scopes.unwrap_or(session.scopes);
            Ok(session)
        }
        (None, Some(_), None) => {
            Err(Error::missing("--start-url needs --sso-region, the region of Identity Center", "--sso-region", "us-east-1"))
        }
        (None, None, Some(_)) => Err(Error::missing(
            "--sso-region needs --start-url, the address of the portal",
            "--start-url",
            "https://corp.awsapps.com/start",
        )),
        (None, None, None) => {
            let mut session = only_session(config)?;
            session.scopes = scopes.unwrap_or(session.scopes);
            Ok(session)
        }
    }
}

fn only_session(config: &Config) -> Result<Session> {
    let blocks = config.sessions();
    if let [only] = blocks.as_slice() {
        return session_of(only);
    }
    let mut all = sessions(config);
    match (all.len(), blocks.len()) {
        (1, 0) => Ok(all.remove(0)),
        (0, 0) => check_lines(config)
            .and(Err(Error::usage(format!("{} has no [sso-session]", config.path().display()), "daypass configure"))),
        _ => {
            let legacy = all.iter().filter(|session| session.name == session.start_url).map(|session| &*session.name);
            let names: Vec<&str> = blocks.iter().map(|block| &*block.name).chain(legacy).collect();
            let first = names.first().copied().unwrap_or_default();
            Err(Error::missing(format!("there are several sessions: {}", names.join(", ")), "--session", first))
        }
    }
}

/// Returns the session of a block.
///
/// # Errors
/// A key is missing or empty.
pub fn session_of(block: &Block<'_>) -> Result<Session> {
    let must = |key: &str| {
        block.text(key).map(str::to_owned).ok_or_else(|| {
            let (name, file, line) = (&block.name, block.file.display(), block.line);
            let hint = configure_session_hint(name);
            Error::usage(format!("[sso-session {name}] ({file}:{line}) has no {key}"), hint)
        })
    };
    Ok(Session {
        name: block.name.to_string(),
        start_url: must("sso_start_url")?,
        region: must("sso_region")?,
        scopes: block.text("sso_registration_scopes").map(scope_list).unwrap_or_default(),
    })
}

/// The session of a legacy profile: the first of these blocks for the same portal, so that one sign-in is enough for both; else one named
/// by its start URL.
pub fn legacy_session(blocks: &[Session], profile: &Block<'_>) -> Option<Session> {
    let start_url = profile.text("sso_start_url")?.to_owned();
    let own = Session { name: start_url.clone(), start_url, region: profile.text("sso_region")?.to_owned(), scopes: Vec::new() };
    Some(blocks.iter().find(|block| block.is_same_portal(&own)).cloned().unwrap_or(own))
}

/// Splits `--scopes` or `sso_registration_scopes`, which are comma-separated.
pub fn scope_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// The credential source of a profile, in the order of most SDKs: assumed role, single sign-on, process.
pub fn credential_source(profile: &Block<'_>) -> CredentialSource {
    let name = &profile.name;
    let has = |key| profile.text(key).is_some();
    let Some(role) = profile.text("role_arn") else { return own_source(profile) };
    let left_to_sdk = |how: &str| {
        CredentialSource::Other(
            format!("assumes {role}{how}, which the AWS SDK does itself"),
            format!("AWS_PROFILE={} aws sts get-caller-identity", shell_quote(name)),
        )
    };
    match profile.text("source_profile") {
        _ if has("web_identity_token_file") => left_to_sdk(" with a web identity"),
        _ if has("credential_source") => left_to_sdk(" with credential_source"),
        Some(_) if has("mfa_serial") => left_to_sdk(" with a code of an MFA device"),
        Some(source) => CredentialSource::Assumes(source.to_owned()),
        None => CredentialSource::Other("has role_arn but no source_profile".to_owned(), other_profile_hint(name)),
    }
}

/// The credential source of a profile, apart from a role that it assumes.
fn own_source(profile: &Block<'_>) -> CredentialSource {
    let name = &profile.name;
    let has = |key| profile.text(key).is_some();
    let process = profile.text("credential_process");
    let other = |what: String, hint: String| CredentialSource::Other(what, hint);
    if has("sso_account_id") || has("sso_role_name") {
        if has("sso_session") {
            return CredentialSource::Native;
        }
        if has("sso_start_url") {
            return CredentialSource::Legacy;
        }
    }
    if let Some(process) = process {
        if let Some(request) = helper::read(process) {
            return CredentialSource::Helper(Box::new(request));
        }
        let program = helper::other_tool(process).unwrap_or("a credential_process that is not daypass");
        let hint = migrate_hint(profile).unwrap_or_else(|| other_profile_hint(name));
        return other(format!("gets its credentials from {program}"), hint);
    }
    if has("sso_session") {
        return CredentialSource::Native;
    }
    if has("sso_start_url") {
        return CredentialSource::Legacy;
    }
    if let Some(key) = profile.get("aws_access_key_id") {
        if !has("aws_secret_access_key") {
            return other(
                format!("has aws_access_key_id ({}) but no aws_secret_access_key", key.place()),
                other_profile_hint(name),
            );
        }
        let hint = migrate_hint(profile).unwrap_or_else(|| other_profile_hint(name));
        return other(format!("has static access keys ({})", key.place()), hint);
    }
    if let Some(key) = ["web_identity_token_file", "login_session", "credential_source"].into_iter().find(|key| has(key)) {
        return other(format!("gets its credentials from {key}, which AWS SDKs handle themselves"), other_profile_hint(name));
    }
    CredentialSource::Nothing
}

/// Checks that a profile's own region and start URL match those of its session.
fn contradiction(config: &Config, profile: &Block<'_>, request: &RoleRequest) -> Result<()> {
    let named = profile.text("sso_session").filter(|_| request.session.is_none() && request.start_url.is_none());
    let Some(session) = named.and_then(|name| config.session(name)) else { return Ok(()) };
    for key in ["sso_region", "sso_start_url"] {
        if let (Some(own), Some(its)) = (profile.get(key), session.get(key))
            && own.text != its.text
        {
            let what = format!("{} and {} differ in {key}: \"{}\" and \"{}\"", own.place(), its.place(), own.text, its.text);
            return Err(Error::usage(what, edit_file(&own.file.to_string_lossy())));
        }
    }
    Ok(())
}

/// Checks the values that no flag overrides, while file and line are still known.
fn check_values(profile: &Block<'_>, request: &RoleRequest, need: Need) -> Result<()> {
    let name = &profile.name;
    let at = |value: &Value<'_>, error: Error| Error { what: format!("{}: {}", value.place(), error.what), ..error };
    let must = |key| match profile.get(key).filter(|value| !value.text.is_empty()) {
        Some(value) => Ok(value),
        None => Err(Error::usage(
            format!("profile \"{name}\" ({}:{}) has no {key}", profile.file.display(), profile.line),
            configure_hint(name),
        )),
    };
    if request.account.is_none() && need == Need::Credentials {
        let value = must("sso_account_id")?;
        if AccountId::new(&value.text).is_none() {
            let what = format!("{}: \"{}\" is not an account ID, which has 12 digits", value.place(), value.text);
            return Err(Error::usage(what, configure_hint(name)));
        }
    }
    if request.role.is_none() && need == Need::Credentials {
        let value = must("sso_role_name")?;
        RoleName::new(&value.text).map_err(|error| at(value, error))?;
    }
    if profile.text("sso_session").is_none() && request.session.is_none() && request.sso_region.is_none() {
        must("sso_region")?;
    }
    Ok(())
}

/// Checks that all tools agree on what the lines of the config file are.
///
/// # Errors
/// It has other line ends; the hint is the command that converts them.
pub fn check_lines(config: &Config) -> Result<()> {
    let [(path, _, text), _] = config.texts();
    encoding::check_editable(text, path)
}

/// The line that was probably meant as the header of this section, as a clause and a hint.
fn lookalike(config: &Config, kind: Kind, name: &str) -> Option<(String, String)> {
    config.texts().into_iter().find_map(|(path, file, text)| {
        let found = header::lookalike(text, file, kind, name)?;
        let place = format!("{}:{} is \"{}\" and should be {}", path.display(), found.line, found.text, found.correct);
        Some((place, edit_file(&path.to_string_lossy())))
    })
}

/// The line that was probably meant as the header of this profile, which does not exist.
pub(super) fn misnamed_profile(config: &Config, name: &str) -> Option<(PathBuf, usize)> {
    let of = |(path, file, text): (&Path, _, _)| Some((path.to_owned(), header::lookalike(text, file, Kind::Profile, name)?.line));
    config.texts().into_iter().find_map(of)
}

fn unknown_profile(config: &Config, name: &str, by: NamedBy) -> Error {
    let blocks = config.profiles();
    let near = nearest(name, blocks.iter().map(|block| &*block.name));
    let what = format!("there is no profile \"{name}\"{by} in {}", config.path().display());
    if let Err(error) = check_lines(config) {
        return Error { what: format!("{what}: {}", error.what), ..error };
    }
    if let Some((place, header)) = lookalike(config, Kind::Profile, name) {
        return Error::usage(format!("{what}, but {place}"), header);
    }
    match (near, by) {
        (Some(near), NamedBy::Variable(variable)) => {
            Error::usage(format!("{what}; did you mean \"{near}\"?"), set_variable(variable, near))
        }
        (Some(near), _) => Error::typo(format!("{what}; did you mean \"{near}\"?"), name, near, "daypass list --profiles"),
        (None, _) if blocks.is_empty() => Error::usage(what, configure_hint(&new_name(name, "dev"))),
        (None, _) => Error::usage(what, "daypass list --profiles"),
    }
}

/// This name for what does not exist yet, as all tools read it.
fn new_name<'n>(name: &'n str, if_empty: &'n str) -> Cow<'n, str> {
    if is_plain_name(name) { name.into() } else { plain(name, if_empty) }
}

/// The key without which the other keys of this profile have no effect.
fn missing_key(profile: &Block<'_>) -> Option<&'static str> {
    // Each key requires those after it.
    const REQUIRES: [(&str, &[&str]); 8] = [
        ("sso_region", &["sso_start_url"]),
        ("sso_account_id", &["sso_session"]),
        ("sso_role_name", &["sso_session"]),
        ("aws_secret_access_key", &["aws_access_key_id"]),
        ("aws_session_token", &["aws_access_key_id"]),
        ("source_profile", &["role_arn"]),
        ("external_id", &["role_arn"]),
        ("mfa_serial", &["role_arn"]),
    ];
    let has = |key: &&str| profile.text(key).is_some();
    REQUIRES.iter().filter(|(key, _)| has(key)).flat_map(|(_, needed)| *needed).find(|key| !has(key)).copied()
}

fn unknown_session(config: &Config, name: &str) -> Error {
    let blocks = config.sessions();
    let near = nearest(name, blocks.iter().map(|block| &*block.name));
    let what = format!("there is no [sso-session {name}] in {}", config.path().display());
    if let Err(error) = check_lines(config) {
        return Error { what: format!("{what}: {}", error.what), ..error };
    }
    if let Some((place, header)) = lookalike(config, Kind::Session, name) {
        return Error::usage(format!("{what}, but {place}"), header);
    }
    match (session_of_profile(config, name), near) {
        (Some(session), _) => {
            Error::typo(format!("{what}; \"{name}\" is a profile of session {session}"), name, &session, "daypass status")
        }
        (None, Some(near)) => Error::typo(format!("{what}; did you mean \"{near}\"?"), name, near, "daypass status"),
        (None, None) if config.profile(name).is_some() => {
            let what = format!("{what}; \"{name}\" is a profile");
            match blocks.as_slice() {
                [only] => Error::typo(what, name, &only.name, "daypass status"),
                _ => Error::usage(what, configure_session_hint(&new_name(name, "corp"))),
            }
        }
        (None, None) if blocks.is_empty() => Error::usage(what, configure_session_hint(&new_name(name, "corp"))),
        (None, None) => Error::usage(what, "daypass status"),
    }
}

/// The name of the session that a profile refers to, if both exist.
fn session_of_profile(config: &Config, name: &str) -> Option<String> {
    config.profile(name)?;
    let whole = resolve_profile(config, RoleRequest::default(), name, Need::Session, &mut Trail::default()).ok()?;
    whole.session.filter(|session| config.session(session).is_some()).or(whole.start_url)
}

fn configure_session_hint(name: &str) -> String {
    format!("daypass configure --session-only --session {}", shell_quote(name))
}

/// The command that moves a profile with a long-lived key, or of another tool, to daypass. None if it has neither: keys of other makers
/// have other forms, and no role replaces them.
pub fn migrate_hint(profile: &Block<'_>) -> Option<String> {
    let is_aws = |id: &str| id.len() == 20 && id.starts_with("AKIA");
    let has_key = profile.text("aws_access_key_id").is_some_and(is_aws) && profile.text("aws_secret_access_key").is_some();
    let of_tool = || profile.text("credential_process").and_then(helper::other_tool).is_some();
    (has_key || of_tool()).then(|| format!("daypass migrate {}", shell_quote(&profile.name)))
}

/// A profile with another credential source keeps it: the role gets a profile of its own.
fn other_profile_hint(profile: &str) -> String {
    configure_hint(&format!("{profile}-sso"))
}

fn configure_hint(profile: &str) -> String {
    format!("daypass configure --profile {}", shell_quote(profile))
}
