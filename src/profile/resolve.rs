//! What was typed ([`RoleRequest`]) and what it means ([`RoleTarget`], or a [`Session`] alone). Touches nothing but a [`Config`] that was read.
//!
//! Each value comes from its flag; else from the profile named by `--profile` or as an argument; else from that of `AWS_PROFILE`;
//! else from `default`. Where session, account and role are all given, the profile of the environment does not matter.
//!
//! Three kinds of profile lead to role credentials: a *native* one (`sso_session`), a *legacy* one (`sso_start_url` inline), and a
//! *helper* (`credential_process` calls daypass), whose command line is an [`RoleRequest`] again.

use super::config::{Block, Config, Value};
use super::helper;
use super::names::{AccountId, RoleName, Session, nearest};
use super::request::{Account, RoleRequest};
use crate::error::{Error, Exit, Result};
use crate::sys::env::Env;
use crate::text::shell_quote;

/// Which credentials are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleTarget {
    /// The sign-in that they come from.
    pub session: Session,
    /// The account.
    pub account: Account,
    /// The role in it.
    pub role: RoleName,
    /// The region for the user's own calls.
    pub region: Option<String>,
    /// The profile that said so, if one did.
    pub profile: Option<String>,
    /// Whether arguments name another portal, account or role than the profile.
    pub overridden: bool,
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
    /// In a way that is not ours: said as a clause, and what to do.
    Other(String, String),
    /// In no way.
    Nothing,
}

/// The keys by which SDKs take a profile for one of their own single sign-on provider.
pub const SSO_KEYS: [&str; 6] =
    ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region", "sso_registration_scopes"];

/// Which credentials are meant. Reads the files only as far as the question needs them.
///
/// # Errors
/// [`Exit::Usage`] where the flags and files do not say it, or contradict each other; [`Exit::Failed`] for an unreadable file.
pub fn target(env: &Env, asked: &RoleRequest) -> Result<RoleTarget> {
    let profile = match (asked.profile.is_none() && asked.is_complete(), asked.session.is_some()) {
        (true, false) => return target_in(&Config::of_texts(Default::default(), Default::default()), env, asked),
        (true, true) => None,
        (false, _) => Some(asked.profile.as_deref().or(env.profile()).unwrap_or("default")),
    };
    // A part of the files is nearly always enough; where it is not, such as for a profile that leads to another, or to say what is
    // wrong, they are read whole.
    if let Some(part) = Config::read_for(env, profile)
        && let Ok(target) = target_in(&part, env, asked)
    {
        return Ok(target);
    }
    target_in(&Config::read(env)?, env, asked)
}

/// The same by files that were read before.
///
/// # Errors
/// As [`target`].
pub fn target_in(config: &Config, env: &Env, asked: &RoleRequest) -> Result<RoleTarget> {
    let target = requested(config, env, asked)?;
    Ok(RoleTarget { overridden: is_overridden(config, asked, &target), ..target })
}

fn is_overridden(config: &Config, asked: &RoleRequest, target: &RoleTarget) -> bool {
    let Some(name) = &target.profile else { return false };
    let given = [&asked.session, &asked.start_url, &asked.sso_region, &asked.account, &asked.role];
    if given.iter().all(|value| value.is_none()) {
        return false;
    }
    let own = resolve_profile(config, RoleRequest::default(), name, Need::Credentials, &mut Vec::new())
        .and_then(|whole| resolve_role(config, whole, None));
    let is_same =
        |own: RoleTarget| own.session.is_same_portal(&target.session) && own.account == target.account && own.role == target.role;
    !own.is_ok_and(is_same)
}

fn requested(config: &Config, env: &Env, asked: &RoleRequest) -> Result<RoleTarget> {
    let named = asked.profile.as_deref();
    if asked.is_complete() {
        // Only a region may still be wanted, of a profile that was named on purpose.
        let profile = named.map(|name| config.profile(name).ok_or_else(|| unknown_profile(config, name))).transpose()?;
        let region = profile.and_then(|profile| profile.text("region").map(str::to_owned));
        return resolve_role(
            config,
            RoleRequest { region: asked.region.clone().or(region), ..asked.clone() },
            asked.profile.clone(),
        );
    }
    let chosen = named.or(env.profile());
    let name = chosen.unwrap_or("default");
    // Nobody asked for `default`: where the flags and the only session do without it, it need not be one of ours.
    let flags_suffice = chosen.is_none() && asked.account.is_some() && asked.role.is_some();
    match resolve_profile(config, asked.clone(), name, Need::Credentials, &mut Vec::new()) {
        Ok(whole) => resolve_role(config, whole, Some(name.to_owned())),
        Err(error) if flags_suffice && error.exit == Exit::Usage => resolve_role(config, asked.clone(), None),
        Err(error) => Err(error),
    }
}

/// Which sign-in is meant: the one that was named, that of the profile that was named, or the only one there is.
///
/// # Errors
/// As [`target`]; where several could be meant, or none is there, the error says which and what to type.
pub fn session(env: &Env, asked: &RoleRequest) -> Result<Session> {
    session_in(&Config::read(env)?, asked)
}

/// The same by files that were read before.
///
/// # Errors
/// As [`session`].
pub fn session_in(config: &Config, asked: &RoleRequest) -> Result<Session> {
    match &asked.profile {
        Some(name) if asked.session.is_none() && !asked.has_portal() => {
            let whole = resolve_profile(config, asked.clone(), name, Need::Session, &mut Vec::new())?;
            portal(config, &whole)
        }
        _ => portal(config, asked),
    }
}

/// All sign-ins that the files know: `[sso-session]` blocks, and what legacy profiles hold. Blocks that miss a key are left out.
pub fn sessions(config: &Config) -> Vec<Session> {
    let mut all: Vec<Session> = config.sessions().iter().filter_map(|block| session_of(block).ok()).collect();
    for profile in config.profiles().iter().filter(|profile| credential_source(profile) == CredentialSource::Legacy) {
        if let Some(session) = legacy_session(profile)
            && !all.contains(&session)
        {
            all.push(session);
        }
    }
    all
}

/// What a profile is asked for: a session needs no account and no role.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    Session,
    Credentials,
}

/// Adds to `asked` what the profile says, and those that it leads to.
fn resolve_profile(config: &Config, asked: RoleRequest, name: &str, need: Need, seen: &mut Vec<String>) -> Result<RoleRequest> {
    if seen.iter().any(|earlier| earlier == name) {
        let round = seen.join("\" → \"");
        return Err(Error::usage(
            format!("the profiles \"{round}\" → \"{name}\" name each other in a circle"),
            configure_hint(name),
        ));
    }
    seen.push(name.to_owned());
    let profile = config.profile(name).ok_or_else(|| unknown_profile(config, name))?;
    let region = profile.text("region").map(str::to_owned);
    match credential_source(&profile) {
        kind @ (CredentialSource::Native | CredentialSource::Legacy) => {
            let own = |key: &str| profile.text(key).map(str::to_owned);
            let mut said =
                RoleRequest { account: own("sso_account_id"), role: own("sso_role_name"), region, ..RoleRequest::default() };
            if kind == CredentialSource::Native {
                said.session = own("sso_session");
                contradiction(config, &profile, &asked)?;
            } else {
                (said.start_url, said.sso_region) = (own("sso_start_url"), own("sso_region"));
            }
            check_values(&profile, &asked, need)?;
            Ok(asked.or(said))
        }
        CredentialSource::Helper(said) => {
            let next = said.profile.clone();
            let whole = asked.or(RoleRequest { region, ..RoleRequest::default() }).or(*said);
            match next {
                Some(next) if !whole.is_complete() => resolve_profile(config, whole, &next, need, seen),
                _ => Ok(whole),
            }
        }
        CredentialSource::Other(what, hint) => Err(Error::usage(format!("profile \"{name}\" {what}"), hint)),
        CredentialSource::Nothing => {
            let place = format!("{}:{}", profile.file.display(), profile.line);
            Err(Error::usage(format!("profile \"{name}\" ({place}) names no account and role"), configure_hint(name)))
        }
    }
}

/// Turns texts into names; the profile is for messages.
fn resolve_role(config: &Config, asked: RoleRequest, profile: Option<String>) -> Result<RoleTarget> {
    let missing = |flag: &str| match &profile {
        Some(name) => Error::usage(format!("profile \"{name}\" does not say which {flag} is meant"), configure_hint(name)),
        None => Error::usage(format!("--{flag} is missing"), format!("give --{flag}, or a profile that has one")),
    };
    let account = Account::new(asked.account.as_deref().ok_or_else(|| missing("account"))?)?;
    let role = RoleName::new(asked.role.as_deref().ok_or_else(|| missing("role"))?)?;
    let session = portal(config, &asked)?;
    Ok(RoleTarget { session, account, role, region: asked.region, profile, overridden: false })
}

/// The sign-in that flags (or what stood in a profile) name.
fn portal(config: &Config, asked: &RoleRequest) -> Result<Session> {
    let scopes = asked.scopes.as_deref().map(scope_list);
    match (&asked.session, &asked.start_url, &asked.sso_region) {
        (name, Some(start_url), Some(region)) => Ok(Session {
            name: name.clone().unwrap_or_else(|| start_url.clone()),
            start_url: start_url.clone(),
            region: region.clone(),
            scopes: scopes.unwrap_or_default(),
        }),
        (Some(name), start_url, region) => {
            // A legacy profile's sign-in has no name but its address.
            let legacy = || sessions(config).into_iter().find(|session| session.name == *name);
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
            Err(Error::usage("--start-url needs --sso-region, the region of Identity Center", "add --sso-region REGION"))
        }
        (None, None, Some(_)) => {
            Err(Error::usage("--sso-region needs --start-url, the address of the portal", "add --start-url URL"))
        }
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
        (0, 0) => Err(Error::usage(format!("{} has no [sso-session] yet", config.path().display()), "daypass configure")),
        _ => {
            let legacy = all.iter().filter(|session| session.name == session.start_url).map(|session| &*session.name);
            let names: Vec<&str> = blocks.iter().map(|block| &*block.name).chain(legacy).collect();
            let first = names.first().copied().unwrap_or_default();
            Err(Error::usage(
                format!("there are several sessions: {}", names.join(", ")),
                format!("name one: --session {}", shell_quote(first)),
            ))
        }
    }
}

/// The sign-in that a block describes.
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

/// The sign-in that a legacy profile holds; it is called by its start URL.
pub fn legacy_session(profile: &Block<'_>) -> Option<Session> {
    let start_url = profile.text("sso_start_url")?.to_owned();
    Some(Session { name: start_url.clone(), start_url, region: profile.text("sso_region")?.to_owned(), scopes: Vec::new() })
}

/// `--scopes` and `sso_registration_scopes`: parted by commas.
pub fn scope_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// How the profile gets credentials, in the order in which most SDKs look: an assumed role before single sign-on, that before a process.
pub fn credential_source(profile: &Block<'_>) -> CredentialSource {
    let name = &profile.name;
    let has = |key| profile.text(key).is_some();
    let process = profile.text("credential_process");
    let other = |what: String, hint: String| CredentialSource::Other(what, hint);
    if let Some(role) = profile.text("role_arn") {
        return match profile.text("source_profile") {
            Some(source) => other(
                format!("assumes {role} with the credentials of profile \"{source}\": the AWS SDK does that by itself"),
                format!("use AWS_PROFILE={name} with your tool, or ask for the source itself: daypass env {source}"),
            ),
            None => {
                other(format!("assumes {role}, which the AWS SDK does by itself"), format!("use AWS_PROFILE={name} with your tool"))
            }
        };
    }
    if has("sso_account_id") || has("sso_role_name") {
        if has("sso_session") {
            return CredentialSource::Native;
        }
        if has("sso_start_url") {
            return CredentialSource::Legacy;
        }
    }
    if let Some(process) = process {
        return match helper::read(process) {
            Some(asked) => CredentialSource::Helper(Box::new(asked)),
            None => other("gets its credentials from a credential_process that is not daypass".to_owned(), configure_hint(name)),
        };
    }
    if has("sso_session") {
        return CredentialSource::Native;
    }
    if has("sso_start_url") {
        return CredentialSource::Legacy;
    }
    if let Some(key) = profile.get("aws_access_key_id") {
        return other(format!("holds static access keys ({})", key.place()), configure_hint(name));
    }
    if let Some(key) = ["web_identity_token_file", "login_session", "credential_source"].into_iter().find(|key| has(key)) {
        return other(format!("gets its credentials by {key}, which the AWS SDK does by itself"), configure_hint(name));
    }
    CredentialSource::Nothing
}

/// A profile that names a session may repeat its region and start URL, not gainsay them.
fn contradiction(config: &Config, profile: &Block<'_>, asked: &RoleRequest) -> Result<()> {
    let named = profile.text("sso_session").filter(|_| asked.session.is_none() && asked.start_url.is_none());
    let Some(session) = named.and_then(|name| config.session(name)) else { return Ok(()) };
    for key in ["sso_region", "sso_start_url"] {
        if let (Some(own), Some(its)) = (profile.get(key), session.get(key))
            && own.text != its.text
        {
            let what = format!(
                "{} and {} contradict each other: {key} is \"{}\" and \"{}\"",
                own.place(),
                its.place(),
                own.text,
                its.text
            );
            return Err(Error::usage(what, format!("remove {key} from profile \"{}\"", profile.name)));
        }
    }
    Ok(())
}

/// The values that a flag does not override, checked where file and line can still be named.
fn check_values(profile: &Block<'_>, asked: &RoleRequest, need: Need) -> Result<()> {
    let name = &profile.name;
    let at = |value: &Value<'_>, error: Error| Error { what: format!("{}: {}", value.place(), error.what), ..error };
    let must = |key| match profile.get(key).filter(|value| !value.text.is_empty()) {
        Some(value) => Ok(value),
        None => Err(Error::usage(
            format!("profile \"{name}\" ({}:{}) has no {key}", profile.file.display(), profile.line),
            configure_hint(name),
        )),
    };
    if asked.account.is_none() && need == Need::Credentials {
        let value = must("sso_account_id")?;
        if AccountId::new(&value.text).is_none() {
            let what = format!("{}: \"{}\" is not an account id: those have twelve digits", value.place(), value.text);
            return Err(Error::usage(what, configure_hint(name)));
        }
    }
    if asked.role.is_none() && need == Need::Credentials {
        let value = must("sso_role_name")?;
        RoleName::new(&value.text).map_err(|error| at(value, error))?;
    }
    if profile.text("sso_session").is_none() && asked.session.is_none() && asked.sso_region.is_none() {
        must("sso_region")?;
    }
    Ok(())
}

fn unknown_profile(config: &Config, name: &str) -> Error {
    let blocks = config.profiles();
    let near = nearest(name, blocks.iter().map(|block| &*block.name));
    let what = format!("there is no profile \"{name}\" in {}", config.path().display());
    match near {
        Some(near) => Error::typo(format!("{what}; there is \"{near}\""), name, near, "daypass list --profiles"),
        None => Error::usage(what, configure_hint(name)),
    }
}

fn unknown_session(config: &Config, name: &str) -> Error {
    let blocks = config.sessions();
    let near = nearest(name, blocks.iter().map(|block| &*block.name));
    let what = format!("there is no [sso-session {name}] in {}", config.path().display());
    match near {
        Some(near) => Error::typo(format!("{what}; there is \"{near}\""), name, near, "daypass status"),
        None if config.profile(name).is_some() => {
            Error::usage(format!("{what}; \"{name}\" is a profile"), format!("daypass login --profile {}", shell_quote(name)))
        }
        None => Error::usage(what, configure_session_hint(name)),
    }
}

fn configure_session_hint(name: &str) -> String {
    format!("daypass configure --session {} --start-url URL --sso-region REGION", shell_quote(name))
}

fn configure_hint(profile: &str) -> String {
    format!("daypass configure --profile {}", shell_quote(profile))
}
