//! What is wrong with a configuration and its environment, for `daypass doctor`. Touches nothing but what was read.
//!
//! The codes are a public interface: docs/doctor.md describes each. What only the disk, the keyring or the network can tell is found by
//! the command itself.

use std::collections::HashSet;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::config::{Block, Value};
use super::ini;
use super::precedence::{Fault, Kind, Place, Precedence, Ranking, Sdk, Source, half_pair, is_plain};
use super::request::RoleRequest;
use super::{helper, resolve};
use crate::sys::env::Env;
use crate::text::{command_line, set_variable};

/// How serious a finding is, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Some tool fails, or uses other credentials than the configuration seems to say.
    Error,
    /// Something that fails or surprises under other circumstances.
    Warning,
    /// Good to know.
    Note,
}

impl Level {
    /// The name in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Declares the codes: a variant, its stable name, its level.
macro_rules! codes {
    ($($variant:ident $name:literal $level:ident,)*) => {
        /// What was found.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // docs/doctor.md describes them.
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How serious it is.
            pub fn level(self) -> Level {
                match self {
                    $(Self::$variant => Level::$level,)*
                }
            }
        }
    };
}

codes! {
    FileRejected "file-rejected" Error,
    ProfileMissing "profile-missing" Error,
    SectionMisnamed "section-misnamed" Error,
    StaticKeyBesideHelper "static-key-beside-helper" Error,
    StaticKeyBesideSso "static-key-beside-sso" Error,
    SsoBesideHelper "sso-beside-helper" Error,
    OtherSourceBesideHelper "other-source-beside-helper" Error,
    HalfKeyPair "half-key-pair" Error,
    EnvironmentKeysExpired "environment-keys-expired" Error,
    TwoProfileVariables "two-profile-variables" Error,
    WebIdentityWins "web-identity-wins" Error,
    ContainerWins "container-wins" Error,
    ContainerAddress "container-address" Error,
    TokenFile "token-file" Error,
    RoleCycle "role-cycle" Error,
    RoleSourceMissing "role-source-missing" Error,
    RoleSourceUnusable "role-source-unusable" Error,
    RoleIncomplete "role-incomplete" Error,
    TwoSources "two-sources" Error,
    SessionMissing "session-missing" Error,
    SessionContradiction "session-contradiction" Error,
    SsoIncomplete "sso-incomplete" Error,
    HelperMissing "helper-missing" Error,
    HelperNotExecutable "helper-not-executable" Error,
    HelperQuoting "helper-quoting" Error,
    NoCredentials "no-credentials" Error,
    SignInRequired "sign-in-required" Error,
    KeyringLocked "keyring-locked" Error,
    KeyringUnavailable "keyring-unavailable" Error,
    CaBundleMissing "ca-bundle-missing" Error,
    ClockOff "clock-off" Error,
    PortalUnreachable "portal-unreachable" Error,
    EnvironmentKeys "environment-keys" Warning,
    DefaultProfileIgnored "default-profile-ignored" Warning,
    FallsThrough "falls-through" Warning,
    HelperRelative "helper-relative" Warning,
    HelperVersionedPath "helper-versioned-path" Warning,
    DurationTooLong "duration-too-long" Warning,
    FileMisread "file-misread" Warning,
    TwoDefaultSections "two-default-sections" Warning,
    FileReadableByOthers "file-readable-by-others" Warning,
    TokenInClear "token-in-clear" Warning,
    KeysInClear "keys-in-clear" Warning,
    ProxyForLoopback "proxy-for-loopback" Warning,
    GeneralEndpoint "general-endpoint" Warning,
    NoScopes "no-scopes" Note,
    ContainerWithoutEffect "container-without-effect" Note,
    NoProfile "no-profile" Note,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub code: Code,
    /// What was found, as a clause.
    pub what: String,
    /// What to do: a command, or one instruction.
    pub hint: String,
    /// Where.
    pub place: Option<Place>,
}

impl Finding {
    /// A finding.
    pub fn new(code: Code, what: impl Into<String>, hint: impl Into<String>, place: Option<Place>) -> Self {
        Self { code, what: what.into(), hint: hint.into(), place }
    }
}

/// What is examined.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The configuration.
    pub precedence: &'a Precedence<'a>,
    /// The variables.
    pub env: &'a Env,
    /// The tools that matter.
    pub sdks: &'a [Sdk],
    /// The profile that was given; None for that of the environment, and for what all profiles have.
    pub argument: Option<&'a str>,
    /// The time.
    pub now: OffsetDateTime,
}

/// What the files and the variables tell.
pub fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    files(subject, &mut found);
    let rankings: Vec<(Sdk, Ranking)> =
        subject.sdks.iter().map(|&sdk| (sdk, subject.precedence.ranking(sdk, subject.env, subject.argument))).collect();
    variables(subject, &rankings, &mut found);
    chosen_profile(subject, &rankings, &mut found);
    match subject.argument {
        Some(name) => {
            for block in chain_of(subject.precedence, name) {
                profile(subject, block, &mut found);
            }
        }
        None => {
            for block in subject.precedence.profiles() {
                profile(subject, block, &mut found);
            }
        }
    }
    found
}

/// A profile and those that its `source_profile` leads to.
pub fn chain_of<'p, 'c>(precedence: &'p Precedence<'c>, name: &str) -> Vec<&'p Block<'c>> {
    let mut chain: Vec<&Block<'c>> = Vec::new();
    let mut next = precedence.profile(name);
    while let Some(block) = next.filter(|block| chain.iter().all(|seen| seen.name != block.name)) {
        chain.push(block);
        let source = block.text("role_arn").and(block.text("source_profile"));
        next = source.and_then(|source| precedence.profile(source));
    }
    chain
}

/// The lines of both files that tools reject or read differently.
fn files(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let config = subject.precedence.config;
    let replaced = config.replaced_default();
    for warning in config.warnings() {
        let place = Place::File { file: warning.file.to_owned(), line: warning.line, key: String::new() };
        let fix = |other: &str| if warning.fix.is_empty() { other.to_owned() } else { warning.fix.to_string() };
        let code = match warning.level {
            ini::Level::Rejected => Code::FileRejected,
            ini::Level::Misread if warning.file == config.path() && replaced == Some(warning.line) => Code::TwoDefaultSections,
            ini::Level::Misread => Code::FileMisread,
            ini::Level::Portability => continue,
        };
        let hint = match code {
            Code::TwoDefaultSections => "move its keys into one [default], and remove [profile default]".to_owned(),
            _ => fix("correct or remove the line"),
        };
        found.push(Finding::new(code, warning.line(), hint, Some(place)));
    }
}

/// What the variables do to every profile.
fn variables(subject: &Subject<'_>, rankings: &[(Sdk, Ranking)], found: &mut Vec<Finding>) {
    let env = subject.env;
    let (id, secret) = (env.aws("AWS_ACCESS_KEY_ID"), env.aws("AWS_SECRET_ACCESS_KEY"));
    let variable = |name| Some(Place::Variable(name));
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    if id.is_some() != secret.is_some() {
        let (there, not) = if id.is_some() { (keys[0], keys[1]) } else { (keys[1], keys[0]) };
        let what = format!("{there} is set, but {not} is not: botocore fails, and other SDKs ignore it");
        found.push(Finding::new(Code::HalfKeyPair, what, unset(&keys), variable(there)));
    }
    let expires = env.expiration().filter(|_| id.is_some()).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    if expires.is_some_and(|expires| expires <= subject.now) {
        let what =
            "the keys in the environment have expired (AWS_CREDENTIAL_EXPIRATION): botocore fails, other SDKs sign with them";
        let name = "AWS_CREDENTIAL_EXPIRATION";
        found.push(Finding::new(Code::EnvironmentKeysExpired, what, unset(&[&keys[..], &[name]].concat()), variable(name)));
    }
    let (profile, default) = (env.aws("AWS_PROFILE"), env.aws("AWS_DEFAULT_PROFILE"));
    match (profile, default) {
        (Some(one), Some(other)) if one != other && subject.argument.is_none() => {
            let what = format!("AWS_DEFAULT_PROFILE is \"{other}\", which boto3 and AWS CLI 1 prefer to AWS_PROFILE, \"{one}\"");
            let name = "AWS_DEFAULT_PROFILE";
            found.push(Finding::new(Code::TwoProfileVariables, what, unset(&[name]), variable(name)));
        }
        (None, Some(other)) if subject.argument.is_none() => {
            let ignoring = rankings.iter().filter(|(_, ranking)| ranking.profile != other).map(|(sdk, _)| *sdk);
            if let Some(sdks) = list(ignoring) {
                let what = format!("AWS_DEFAULT_PROFILE is set, which {sdks} ignore");
                let hint = set_variable("AWS_PROFILE", other);
                found.push(Finding::new(Code::DefaultProfileIgnored, what, hint, variable("AWS_DEFAULT_PROFILE")));
            }
        }
        _ => {}
    }
    container_address(env, found);
    if let Some(url) = env.aws("AWS_ENDPOINT_URL") {
        let what = format!("AWS_ENDPOINT_URL sends the requests of all services to {url}");
        found.push(Finding::new(Code::GeneralEndpoint, what, unset(&["AWS_ENDPOINT_URL"]), variable("AWS_ENDPOINT_URL")));
    }
}

fn container_address(env: &Env, found: &mut Vec<Finding>) {
    const NAME: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let Some(address) = env.aws(NAME) else { return };
    let url = url::Url::parse(address).ok();
    let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let allowed = loopback || ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(&host);
    let https = url.as_ref().is_some_and(|url| url.scheme() == "https");
    let place = Some(Place::Variable(NAME));
    if !https && !allowed {
        let what = format!("no SDK asks {address}: over http the host must be this machine");
        found.push(Finding::new(Code::ContainerAddress, what, "use an address on 127.0.0.1", place.clone()));
    }
    let proxy = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].into_iter().find(|name| env.aws(name).is_some());
    let excluded = |list: &str| list.split(',').map(str::trim).any(|entry| entry == "*" || entry == host || entry == "127.0.0.0/8");
    if let Some(proxy) = proxy.filter(|_| loopback && !https && !env.no_proxy().is_some_and(excluded)) {
        let what =
            format!("{proxy} is set, and NO_PROXY does not contain {host}: some SDKs ask the proxy for the credentials of {NAME}");
        let others = env.no_proxy().map(|list| format!("{list},")).unwrap_or_default();
        found.push(Finding::new(Code::ProxyForLoopback, what, set_variable("NO_PROXY", &format!("{others}{host}")), place));
    }
}

/// What happens to the profile that is named, or that the tools read.
fn chosen_profile(subject: &Subject<'_>, rankings: &[(Sdk, Ranking)], found: &mut Vec<Finding>) {
    let (precedence, env) = (subject.precedence, subject.env);
    let named = subject.argument.or(env.profile());
    let name = named.unwrap_or("default");
    let block = precedence.profile(name);
    if let Some(name) = named.filter(|_| block.is_none()) {
        found.push(missing_profile(subject, name));
    }
    let using =
        |wanted: fn(&Source) -> bool| list(rankings.iter().filter(|(_, ranking)| wanted(&ranking.used)).map(|(sdk, _)| *sdk));
    // The sources of the profile itself.
    let has_own = block.is_some_and(|block| subject.sdks.iter().any(|&sdk| is_usable(&precedence.of_profile(sdk, block))));
    let instead = if named.is_some() || has_own { format!("instead of profile \"{name}\"") } else { String::new() };
    let by_us = env.active().is_some();
    if let Some(sdks) = using(|source| source.place == Some(Place::Variable("AWS_ACCESS_KEY_ID")) && source.kind == Kind::StaticKey)
        && (named.is_some() || has_own)
        && !by_us
    {
        let what = format!("{sdks} use the keys in the environment {instead}");
        let hint = unset(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
        found.push(Finding::new(Code::EnvironmentKeys, what, hint, Some(Place::Variable("AWS_ACCESS_KEY_ID"))));
    }
    let web = "AWS_WEB_IDENTITY_TOKEN_FILE";
    if let Some(sdks) =
        using(|source| source.place == Some(Place::Variable("AWS_WEB_IDENTITY_TOKEN_FILE")) && source.kind != Kind::None)
        && (named.is_some() || has_own)
    {
        let what = format!("{sdks} assume the role of AWS_ROLE_ARN with {web} {instead}");
        found.push(Finding::new(Code::WebIdentityWins, what, unset(&[web, "AWS_ROLE_ARN"]), Some(Place::Variable(web))));
    }
    let container = rankings.iter().flat_map(|(_, ranking)| ranking.shadowed.iter().chain([&ranking.used]));
    let container = container.filter(|source| source.kind == Kind::Container).find_map(|source| match source.place {
        Some(Place::Variable(name)) => Some(name),
        _ => None,
    });
    if let Some(variable) = container {
        let place = Some(Place::Variable(variable));
        let users = using(|source| source.kind == Kind::Container && matches!(source.place, Some(Place::Variable(_))));
        match users {
            Some(sdks) if named.is_some() || has_own => {
                let what = format!("{sdks} use the endpoint of {variable} {instead}");
                found.push(Finding::new(Code::ContainerWins, what, unset(&[variable]), place));
            }
            None => {
                let what = format!("{variable} has no effect: every SDK finds credentials before it asks that endpoint");
                found.push(Finding::new(Code::ContainerWithoutEffect, what, unset(&[variable]), place));
            }
            _ => {}
        }
    }
    falls_through(rankings, found);
    let nothing = |ranking: &Ranking| match ranking.used.kind {
        Kind::None => ranking.used.fault.is_none() && ranking.skipped.is_empty(),
        Kind::Instance => ranking.used.place.is_none() && ranking.skipped.is_empty(),
        _ => false,
    };
    let without = list(rankings.iter().filter(|(_, ranking)| nothing(ranking)).map(|(sdk, _)| *sdk));
    match (without, named) {
        (Some(sdks), Some(name)) if block.is_some() && !has_own => {
            let place = block.map(|block| Place::File { file: block.file.to_owned(), line: block.line, key: String::new() });
            let what = format!("{sdks} find no credentials for profile \"{name}\"; on an EC2 instance they would use its role");
            let hint = command_line(["daypass", "configure", "--profile", name]);
            found.push(Finding::new(Code::NoCredentials, what, hint, place));
        }
        (Some(sdks), None) if !has_own => {
            let first = precedence.profiles().next().map(|block| block.name.to_string());
            let what = format!(
                "no profile is named and there are no credentials in [default]: {sdks} find none, except on an EC2 instance"
            );
            let hint = first.map_or_else(|| "daypass configure".to_owned(), |name| command_line(["daypass", "doctor", &*name]));
            found.push(Finding::new(Code::NoProfile, what, hint, None));
        }
        _ => {}
    }
}

fn is_usable(sources: &[Source]) -> bool {
    sources.first().is_some_and(|source| source.kind != Kind::None)
}

fn missing_profile(subject: &Subject<'_>, name: &str) -> Finding {
    let place = match (subject.argument, subject.env.aws("AWS_PROFILE")) {
        (Some(_), _) => None,
        (None, Some(_)) => Some(Place::Variable("AWS_PROFILE")),
        (None, None) => Some(Place::Variable("AWS_DEFAULT_PROFILE")),
    };
    let config = subject.precedence.config;
    let request = RoleRequest { profile: subject.argument.map(str::to_owned), ..RoleRequest::default() };
    let error = resolve::target_in(config, subject.env, &request).err();
    let (what, hint) = error.map_or_else(Default::default, |error| (error.what, error.hint));
    match resolve::misnamed_profile(config, name) {
        Some((file, line)) => Finding::new(Code::SectionMisnamed, what, hint, Some(Place::File { file, line, key: String::new() })),
        None => Finding::new(Code::ProfileMissing, what, hint, place),
    }
}

/// A helper that fails is not the end for every SDK.
fn falls_through(rankings: &[(Sdk, Ranking)], found: &mut Vec<Finding>) {
    let next = |ranking: &Ranking| {
        let next = ranking.shadowed.first().filter(|_| matches!(ranking.used.kind, Kind::Daypass | Kind::CredentialProcess))?;
        match &next.place {
            Some(Place::Variable(name)) => Some(*name),
            _ => None,
        }
    };
    let all = rankings.iter().filter(|(sdk, _)| sdk.goes_on_after_a_failed_process());
    let all: Vec<(Sdk, &'static str)> = all.filter_map(|(sdk, ranking)| Some((*sdk, next(ranking)?))).collect();
    if let (Some(sdks), Some((_, variable))) = (list(all.iter().map(|(sdk, _)| *sdk)), all.first()) {
        let what = format!("if the credential_process fails, as without a sign-in, {sdks} silently use {variable}");
        found.push(Finding::new(Code::FallsThrough, what, unset(&[variable]), Some(Place::Variable(variable))));
    }
}

/// What is wrong in one profile.
fn profile(subject: &Subject<'_>, block: &Block<'_>, found: &mut Vec<Finding>) {
    let name = &block.name;
    let process = block.get("credential_process").filter(|value| !value.text.is_empty());
    let role =
        block.text("role_arn").is_some() && (block.text("source_profile").is_some() || block.text("credential_source").is_some());
    let sso =
        block.text("sso_account_id").is_some() && (block.text("sso_session").is_some() || block.text("sso_start_url").is_some());
    let mut told: HashSet<(Code, Option<Place>)> = HashSet::new();
    let sdks = if is_plain(block) { &[] } else { subject.sdks };
    let first = |&sdk: &Sdk| Some((sdk, subject.precedence.of_profile(sdk, block).into_iter().next()?));
    let firsts: Vec<(Sdk, Source)> = sdks.iter().filter_map(first).collect();
    for in_config in [true, false] {
        if let Some(value) = half_pair(block, subject.precedence.config, in_config) {
            let other = if value.key == "aws_access_key_id" { "aws_secret_access_key" } else { "aws_access_key_id" };
            let what = format!("profile \"{name}\" has {} ({}) without {other} in the same file", value.key, value.place());
            let place = Place::of(value);
            told.insert((Code::HalfKeyPair, Some(place.clone())));
            found.push(Finding::new(Code::HalfKeyPair, what, remove(value), Some(place)));
        }
    }
    for (_, source) in &firsts {
        let Some(Place::File { key, .. }) = &source.place else { continue };
        let Some(value) = block.get(key) else { continue };
        let those = |wanted: fn(&Source) -> bool| {
            let alike = firsts.iter().filter(|(_, its)| its.place == source.place && wanted(its));
            list(alike.map(|(sdk, _)| *sdk))
        };
        let beside = |code, of: &Value<'_>| {
            let what = if let Some(sdks) = those(|its| its.kind != Kind::None) {
                format!("{sdks} use {key} ({}) instead of the {} of profile \"{name}\"", value.place(), of.key)
            } else {
                let sdks = those(|_| true).unwrap_or_default();
                format!("{sdks} can't use profile \"{name}\", which has {key} ({}) beside its {}", value.place(), of.key)
            };
            Some(Finding::new(code, format!("{what} ({})", of.place()), remove_alike(block, value), source.place.clone()))
        };
        let of_sso = || block.get("sso_session").or(block.get("sso_start_url"));
        let finding = match process {
            Some(process) if *key != "credential_process" && !role => match key.as_str() {
                key if key.starts_with("aws_") => beside(Code::StaticKeyBesideHelper, process),
                key if key.starts_with("sso_") => beside(Code::SsoBesideHelper, process),
                _ => beside(Code::OtherSourceBesideHelper, process),
            },
            None if sso && key.starts_with("aws_") => of_sso().and_then(|of| beside(Code::StaticKeyBesideSso, of)),
            _ => source
                .fault
                .as_ref()
                .and_then(|fault| of_fault(subject, block, source, fault, &those(|_| true).unwrap_or_default())),
        };
        if let Some(finding) = finding.filter(|finding| told.insert((finding.code, finding.place.clone()))) {
            found.push(finding);
        }
    }
    if let Some(process) = process {
        helper_line(block, process, found);
        helper_session(subject, block, process, found);
    }
    role_duration(subject, block, found);
    if sso && process.is_none() {
        scopes(subject, block, found);
    }
    if let Some(endpoint) =
        block.get("endpoint_url").filter(|value| !value.text.is_empty() && subject.argument == Some(&block.name))
    {
        let what = format!(
            "endpoint_url ({}) sends the requests of all services of profile \"{name}\" to {}",
            endpoint.place(),
            endpoint.text
        );
        found.push(Finding::new(Code::GeneralEndpoint, what, remove(endpoint), Some(Place::of(endpoint))));
    }
}

/// The finding for a source that fails.
fn of_fault(subject: &Subject<'_>, block: &Block<'_>, source: &Source, fault: &Fault, sdks: &str) -> Option<Finding> {
    let name = &block.name;
    let place = source.place.as_ref()?;
    let configure = || command_line(["daypass", "configure", "--profile", name]);
    let (code, hint) = match fault {
        Fault::Cycle(names) => {
            let lines = names.iter().filter_map(|name| subject.precedence.profile(name)?.get("source_profile").map(Value::place));
            let lines: Vec<String> = lines.collect();
            (Code::RoleCycle, format!("change one source_profile: {}", lines.join(", ")))
        }
        Fault::MissingSource(source) => (Code::RoleSourceMissing, command_line(["daypass", "configure", "--profile", source])),
        Fault::EmptySource(source) => (Code::RoleSourceUnusable, command_line(["daypass", "configure", "--profile", source])),
        Fault::NoSource => (Code::RoleIncomplete, format!("add source_profile = PROFILE below {place}")),
        Fault::UnknownSource => {
            (Code::RoleIncomplete, format!("change {place} to Environment, Ec2InstanceMetadata or EcsContainer"))
        }
        Fault::NoRole | Fault::NoWebRole => (Code::RoleIncomplete, format!("add role_arn = ARN below {place}, or remove the line")),
        Fault::TwoSources(_) => (Code::TwoSources, format!("remove the line of one of them; the first is {place}")),
        Fault::MissingSession(session) => (Code::SessionMissing, session_hint(subject, session)),
        Fault::Incomplete(_) => (Code::SsoIncomplete, configure()),
        Fault::Contradiction(key) => {
            let place = block.get(key).map_or_else(|| place.to_string(), Value::place);
            (Code::SessionContradiction, format!("remove {key} ({place})"))
        }
        // These have findings of their own.
        Fault::HalfPair | Fault::MissingProfile(_) | Fault::Rejected => return None,
    };
    let what = format!("{sdks} can't use profile \"{name}\" ({place}): {fault}");
    Some(Finding::new(code, what, hint, Some(place.clone())))
}

/// A line that not all tools read alike: botocore splits it into words, others give it to a shell.
fn helper_line(block: &Block<'_>, process: &Value<'_>, found: &mut Vec<Finding>) {
    let Some(what) = ambiguity(&process.text, cfg!(windows)) else { return };
    let what =
        format!("not all tools read the credential_process of profile \"{}\" ({}) alike: {what}", block.name, process.place());
    let hint = "write an absolute path, plain arguments, and double quotes only around a path with blanks";
    found.push(Finding::new(Code::HelperQuoting, what, hint, Some(Place::of(process))));
}

/// Why a command line means different things to different tools.
fn ambiguity(line: &str, windows: bool) -> Option<&'static str> {
    const SYNTAX: &str = "$`|&;<>*?()[]{}#!";
    let words = if windows { Some(Vec::new()) } else { shlex::split(line) };
    let Some(words) = words else { return Some("a quote is not closed") };
    if matches!(words.as_slice(), [only] if only.contains(" credential-process")) {
        return Some("quotes around the whole line make it one word, except for Go");
    }
    let mut quote = None;
    let mut starts_word = true;
    for c in line.chars() {
        match (quote, c) {
            (None, '\'') if windows => return Some("Windows does not know single quotes"),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '~') if starts_word => return Some("botocore does not expand ~"),
            (None, c) if SYNTAX.contains(c) => return Some("botocore uses no shell, to which that would be syntax"),
            (None | Some('"'), '\\') if !windows => return Some("a shell and botocore read a backslash differently"),
            (Some('"'), '$' | '`') => return Some("botocore uses no shell, to which that would be syntax"),
            (_, '%') if windows => return Some("only cmd.exe expands %VARIABLES%"),
            _ => {}
        }
        starts_word = c.is_whitespace();
    }
    None
}

/// A helper line of daypass that names a session which does not exist.
fn helper_session(subject: &Subject<'_>, block: &Block<'_>, process: &Value<'_>, found: &mut Vec<Finding>) {
    let Some(request) = helper::read(&process.text) else { return };
    let Some(session) = request.session.filter(|_| request.start_url.is_none()) else { return };
    if subject.precedence.session(&session).is_none() {
        let what = format!(
            "the credential_process of profile \"{}\" ({}) names [sso-session {session}], which does not exist",
            block.name,
            process.place()
        );
        found.push(Finding::new(Code::SessionMissing, what, session_hint(subject, &session), Some(Place::of(process))));
    }
}

fn session_hint(subject: &Subject<'_>, session: &str) -> String {
    let request = RoleRequest { session: Some(session.to_owned()), ..RoleRequest::default() };
    let error = resolve::session_in(subject.precedence.config, &request).err();
    error.map_or_else(|| "daypass configure --session-only".to_owned(), |error| error.hint)
}

/// A role that is assumed with the credentials of a role lasts an hour at most.
fn role_duration(subject: &Subject<'_>, block: &Block<'_>, found: &mut Vec<Finding>) {
    let Some(duration) = block.get("duration_seconds") else { return };
    let long = duration.text.parse::<u64>().is_ok_and(|seconds| seconds > 3600);
    let base = chain_of(subject.precedence, &block.name).last().copied();
    let has_keys = base.is_some_and(|base| base.text("aws_access_key_id").is_some());
    if long && block.text("role_arn").is_some() && block.text("source_profile").is_some() && !has_keys {
        let what = format!(
            "duration_seconds ({}) is {}, but AWS allows 3600 at most for a role that is assumed with a role's credentials",
            duration.place(),
            duration.text
        );
        found.push(Finding::new(Code::DurationTooLong, what, remove(duration), Some(Place::of(duration))));
    }
}

/// A session without scopes, for a profile whose sign-in is the SDK's own.
fn scopes(subject: &Subject<'_>, block: &Block<'_>, found: &mut Vec<Finding>) {
    let Some(session) = block.text("sso_session").and_then(|name| subject.precedence.session(name)) else { return };
    let place = Place::File { file: session.file.to_owned(), line: session.line, key: String::new() };
    if session.text("sso_registration_scopes").is_none() && !found.iter().any(|finding| finding.place.as_ref() == Some(&place)) {
        let what = format!(
            "[sso-session {}] ({place}) has no sso_registration_scopes: a sign-in of the AWS CLI can't be renewed",
            session.name
        );
        let hint = format!("add sso_registration_scopes = sso:account:access below {place}");
        found.push(Finding::new(Code::NoScopes, what, hint, Some(place)));
    }
}

/// `boto3, js and go`; None if there are none.
fn list(sdks: impl Iterator<Item = Sdk>) -> Option<String> {
    let names: Vec<&str> = sdks.map(Sdk::name).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [rest @ .., last] => Some(format!("{} and {last}", rest.join(", "))),
    }
}

fn remove(value: &Value<'_>) -> String {
    format!("remove {} ({})", value.key, value.place())
}

/// The same for all keys of a profile that belong together, in one file.
fn remove_alike(block: &Block<'_>, value: &Value<'_>) -> String {
    let prefixes = ["aws_", "sso_"];
    let Some(prefix) = prefixes.iter().find(|prefix| value.key.starts_with(**prefix)) else { return remove(value) };
    let secret = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
    let belongs = |other: &&Value<'_>| {
        let of_kind = if *prefix == "aws_" { secret.contains(&&*other.key) } else { other.key.starts_with("sso_") };
        other.file == value.file && of_kind
    };
    let keys: Vec<&str> = block.values.iter().filter(belongs).map(|other| &*other.key).collect();
    format!("remove {} ({})", keys.join(", "), value.place())
}

/// The command that unsets variables, in the shell that is usual on the system.
fn unset(names: &[&str]) -> String {
    if cfg!(windows) {
        let names: Vec<String> = names.iter().map(|name| format!("Env:{name}")).collect();
        return format!("Remove-Item {}", names.join(","));
    }
    format!("unset {}", names.join(" "))
}
