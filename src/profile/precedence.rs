//! Which credential source each AWS SDK uses for a profile, and which others that one hides. Touches nothing but a [`Config`] and an [`Env`]
//! that were read.
//!
//! Every SDK goes through a list of providers and takes the first that applies, but the lists differ. The tests compare the result with the
//! access keys that the SDKs really signed with (`tests/profile/precedence.json`, `tests/sdk.rs`). .NET follows the source of its version 4.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use super::config::{Block, Config, Value};
use super::helper;
use super::resolve::SSO_KEYS;
use crate::sys::env::Env;

/// A family of tools that choose credentials by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum Sdk {
    /// boto3, and every Python program on botocore
    Boto3,
    /// AWS CLI version 1
    Cli1,
    /// AWS CLI version 2
    Cli2,
    /// SDK for JavaScript version 3, CDK
    Js,
    /// SDK for Rust
    Rust,
    /// SDK for Go version 2, Terraform
    Go,
    /// SDK for Java version 2
    Java,
    /// SDK for .NET version 4
    Dotnet,
}

impl Sdk {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [Self::Boto3, Self::Cli1, Self::Cli2, Self::Js, Self::Rust, Self::Go, Self::Java, Self::Dotnet];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boto3 => "boto3",
            Self::Cli1 => "cli1",
            Self::Cli2 => "cli2",
            Self::Js => "js",
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Java => "java",
            Self::Dotnet => "dotnet",
        }
    }

    /// Whether it is built on botocore.
    fn is_python(self) -> bool {
        matches!(self, Self::Boto3 | Self::Cli1 | Self::Cli2)
    }

    /// Whether it tries the next provider after this one, whose settings are wrong. Others report the error.
    fn skips(self, source: &Source) -> bool {
        match self {
            Self::Js | Self::Java => true,
            Self::Rust => matches!(source.fault, Some(Fault::MissingProfile(_) | Fault::MissingSource(_))),
            Self::Go => {
                matches!(source.fault, Some(Fault::MissingProfile(_)))
                    && source.place == Some(Place::Variable("AWS_DEFAULT_PROFILE"))
            }
            Self::Dotnet => !matches!(source.fault, Some(Fault::MissingProfile(_))),
            Self::Boto3 | Self::Cli1 | Self::Cli2 => false,
        }
    }

    /// Whether it tries the next provider if the command of a `credential_process` fails. The others report the error.
    pub fn goes_on_after_a_failed_process(self) -> bool {
        matches!(self, Self::Js | Self::Java)
    }

    /// The variables that name the profile, the strongest first.
    fn profile_variables(self) -> &'static [&'static str] {
        match self {
            Self::Boto3 | Self::Cli1 => &["AWS_DEFAULT_PROFILE", "AWS_PROFILE"],
            Self::Cli2 | Self::Go => &["AWS_PROFILE", "AWS_DEFAULT_PROFILE"],
            Self::Js | Self::Rust | Self::Java | Self::Dotnet => &["AWS_PROFILE"],
        }
    }

    /// The providers of a profile, the strongest first.
    fn providers(self) -> &'static [Provider] {
        use Provider::{ConfigKeys, CredentialsKeys, Keys, Login, Process, Role, Sso, WebIdentity};
        match self {
            Self::Boto3 | Self::Cli1 | Self::Cli2 => &[Role, WebIdentity, Sso, CredentialsKeys, Login, Process, ConfigKeys],
            Self::Js => &[Role, Keys, WebIdentity, Process, Sso, Login],
            Self::Rust => &[Role, WebIdentity, Sso, Login, Process, Keys],
            Self::Go => &[Role, Keys, WebIdentity, Sso, Login, Process],
            Self::Java => &[WebIdentity, Sso, Role, Login, Process, Keys],
            Self::Dotnet => &[Sso, Role, WebIdentity, Process, Keys],
        }
    }
}

/// How a profile can get credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// `role_arn` with `source_profile` or `credential_source`; for some SDKs either of them without the other.
    Role,
    WebIdentity,
    Sso,
    Login,
    Process,
    /// Access keys in either file.
    Keys,
    /// Access keys in the credentials file.
    CredentialsKeys,
    /// Access keys in the config file.
    ConfigKeys,
}

/// The kind of a credential source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Access keys in a file or in the environment.
    StaticKey,
    /// A `credential_process` that calls daypass.
    Daypass,
    /// The SDK's own single sign-on.
    Sso,
    /// A `credential_process` that calls another program.
    CredentialProcess,
    /// A role, assumed with the credentials of another source.
    AssumeRole,
    /// A role, assumed with a token file.
    WebIdentity,
    /// `login_session`, which `aws login` writes.
    Login,
    /// The endpoint of `AWS_CONTAINER_CREDENTIALS_*`.
    Container,
    /// The instance metadata service of EC2.
    Instance,
    /// None: the SDK fails.
    None,
}

impl Kind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::StaticKey => "static-key",
            Self::Daypass => "daypass",
            Self::Sso => "sso",
            Self::CredentialProcess => "credential-process",
            Self::AssumeRole => "assume-role",
            Self::WebIdentity => "web-identity",
            Self::Login => "login",
            Self::Container => "container",
            Self::Instance => "instance",
            Self::None => "none",
        }
    }
}

/// Where a source is set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A key in a file, or a section if the key is empty.
    File {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In lower case.
        key: String,
    },
    /// An environment variable.
    Variable(&'static str),
}

impl Place {
    /// The place of a value.
    pub fn of(value: &Value<'_>) -> Self {
        Self::File { file: value.file.to_owned(), line: value.line, key: value.key.to_string() }
    }
}

/// `FILE:LINE`, or the variable's name.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, .. } => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// Why a source gives no credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An access key ID without its secret access key, or the reverse.
    HalfPair,
    /// The profile does not exist.
    MissingProfile(String),
    /// `source_profile` names a profile that does not exist.
    MissingSource(String),
    /// The profile that `source_profile` names has no credentials.
    EmptySource(String),
    /// `role_arn` without `source_profile` and `credential_source`.
    NoSource,
    /// `source_profile` or `credential_source` without `role_arn`.
    NoRole,
    /// Two sources, of which the SDK accepts only one.
    TwoSources(&'static str),
    /// `credential_source` has an unknown value.
    UnknownSource,
    /// Roles whose sources form a cycle.
    Cycle(Vec<String>),
    /// The `[sso-session]` does not exist.
    MissingSession(String),
    /// A key that single sign-on requires.
    Incomplete(&'static str),
    /// The profile repeats a key of its `[sso-session]`.
    Contradiction(&'static str),
    /// A token file without `AWS_ROLE_ARN`.
    NoWebRole,
    /// The AWS CLI rejects the file.
    Rejected,
}

/// A clause without a subject.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfPair => f.write_str("half of a key pair"),
            Self::MissingProfile(name) => write!(f, "there is no profile \"{name}\""),
            Self::MissingSource(name) => write!(f, "source_profile \"{name}\" does not exist"),
            Self::EmptySource(name) => write!(f, "source_profile \"{name}\" has no credentials"),
            Self::NoSource => f.write_str("role_arn without source_profile or credential_source"),
            Self::NoRole => f.write_str("source_profile or credential_source without role_arn"),
            Self::TwoSources(keys) => write!(f, "{keys} in one profile"),
            Self::UnknownSource => f.write_str("an unknown credential_source"),
            Self::Cycle(names) => write!(f, "a cycle of roles: {}", names.join(" → ")),
            Self::MissingSession(name) => write!(f, "there is no [sso-session {name}]"),
            Self::Incomplete(key) => write!(f, "single sign-on without {key}"),
            Self::Contradiction(key) => write!(f, "{key} both in the profile and in its sso-session"),
            Self::NoWebRole => f.write_str("a token file without AWS_ROLE_ARN"),
            Self::Rejected => f.write_str("the file is rejected"),
        }
    }
}

/// One credential source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// [`Kind::None`] if it fails.
    pub kind: Kind,
    /// Where it is set; None for the instance metadata service, and if there is no source.
    pub place: Option<Place>,
    /// The access key ID of static keys.
    pub key_id: Option<String>,
    /// Why it fails.
    pub fault: Option<Fault>,
}

impl Source {
    fn new(kind: Kind, place: Place) -> Self {
        Self { kind, place: Some(place), key_id: None, fault: None }
    }

    fn none(kind: Kind) -> Self {
        Self { kind, place: None, key_id: None, fault: None }
    }

    fn at(kind: Kind, value: &Value<'_>) -> Self {
        Self::new(kind, Place::of(value))
    }

    fn failing(fault: Fault, place: Option<Place>) -> Self {
        Self { kind: Kind::None, place, key_id: None, fault: Some(fault) }
    }

    fn static_key(id: &str, place: Place) -> Self {
        Self { key_id: Some(id.to_owned()), ..Self::new(Kind::StaticKey, place) }
    }
}

/// What one SDK uses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ranking {
    /// The profile that it reads.
    pub profile: String,
    /// The source that it takes.
    pub used: Source,
    /// Those that it would take if the ones before were missing, the strongest first.
    pub shadowed: Vec<Source>,
    /// Sources with wrong settings, which it skips without an error.
    pub skipped: Vec<Source>,
}

/// The profile that an SDK reads.
#[derive(Debug, Clone, Copy)]
struct Choice<'a> {
    profile: &'a str,
    by: By,
}

/// What names a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Default,
    Variable(&'static str),
    /// `--profile`, or its name in code.
    Argument,
}

/// The profiles of a configuration, for any number of questions.
pub struct Precedence<'c> {
    /// The files.
    pub config: &'c Config,
    /// In file order.
    profiles: Vec<Block<'c>>,
    by_name: HashMap<String, usize>,
    sessions: HashMap<String, Block<'c>>,
    /// The first line for which the AWS CLI rejects a file.
    rejected: OnceCell<Option<Place>>,
}

impl<'c> Precedence<'c> {
    /// Reads all sections of the configuration.
    pub fn new(config: &'c Config) -> Self {
        let profiles = config.profiles();
        let by_name = profiles.iter().enumerate().map(|(at, block)| (block.name.to_string(), at)).collect();
        let sessions = config.sessions().into_iter().map(|block| (block.name.to_string(), block)).collect();
        Self { config, profiles, by_name, sessions, rejected: OnceCell::new() }
    }

    fn rejected(&self) -> Option<&Place> {
        let first = || self.config.rejections().into_iter().next();
        let place = || first().map(|line| Place::File { file: line.file.to_owned(), line: line.line, key: String::new() });
        self.rejected.get_or_init(place).as_ref()
    }

    /// Where an SDK finds other credentials for a profile than those that `own` keys set; None if all SDKs use those.
    pub fn stronger<'b, 'a>(&self, block: &'b Block<'a>, own: &[&str]) -> Option<&'b Value<'a>> {
        let place = |sdk| self.of_profile(sdk, block).into_iter().next()?.place;
        Sdk::ALL.into_iter().filter_map(place).find_map(|place| match place {
            Place::File { key, .. } if !own.contains(&&*key) => block.get(&key),
            _ => None,
        })
    }

    /// All profiles, in file order.
    pub fn profiles(&self) -> impl Iterator<Item = &Block<'c>> {
        self.profiles.iter()
    }

    /// An `[sso-session]` by name.
    pub fn session(&self, name: &str) -> Option<&Block<'c>> {
        self.sessions.get(name)
    }

    /// A profile by name.
    pub fn profile(&self, name: &str) -> Option<&Block<'c>> {
        self.profiles.get(*self.by_name.get(name)?)
    }

    /// What an SDK uses. `argument`: the profile that `--profile` or code names, which for most SDKs is stronger than variables.
    pub fn ranking(&self, sdk: Sdk, env: &Env, argument: Option<&str>) -> Ranking {
        let choice = match (argument, chosen(sdk, env)) {
            (Some(profile), _) => Choice { profile, by: By::Argument },
            (None, Some((profile, variable))) => Choice { profile, by: By::Variable(variable) },
            (None, None) => Choice { profile: "default", by: By::Default },
        };
        let (mut skipped, mut sources) = (Vec::new(), Vec::new());
        for source in self.chain(sdk, env, choice) {
            let fails = source.kind == Kind::None;
            let list = if fails && (!sources.is_empty() || sdk.skips(&source)) { &mut skipped } else { &mut sources };
            list.push(source);
        }
        let mut sources = sources.into_iter();
        let used = sources.next().or_else(|| skipped.first().cloned()).unwrap_or(Source::none(Kind::None));
        Ranking { profile: choice.profile.to_owned(), used, shadowed: sources.collect(), skipped }
    }

    /// What an SDK takes from this profile alone, the strongest first, or one source that fails. The profile need not be in a file yet.
    pub fn of_profile(&self, sdk: Sdk, block: &Block<'_>) -> Vec<Source> {
        let fault = match sdk {
            Sdk::Dotnet => dotnet_fault(block),
            Sdk::Go => go_fault(block, self.config),
            _ => None,
        };
        if let Some(fault) = fault {
            return vec![fault];
        }
        let mut found = sdk.providers().iter().filter_map(|provider| self.provided(sdk, *provider, block, &[&block.name]));
        let Some(first) = found.next() else { return Vec::new() };
        if first.kind != Kind::None {
            return std::iter::once(first).chain(found.filter(|source| source.kind != Kind::None)).collect();
        }
        // A second attempt, which reads nothing but this key.
        let process = if sdk == Sdk::Js { process(block) } else { None };
        std::iter::once(first).chain(process).collect()
    }

    /// The sources of an SDK, the strongest first.
    fn chain(&self, sdk: Sdk, env: &Env, choice: Choice<'_>) -> Vec<Source> {
        if sdk.is_python()
            && let Some(place) = self.rejected()
        {
            return vec![Source::failing(Fault::Rejected, Some(place.clone()))];
        }
        let Choice { profile, by } = choice;
        let block = self.profile(profile);
        let by_argument = by == By::Argument;
        let missing = |place| vec![Source::failing(Fault::MissingProfile(profile.to_owned()), place)];
        let mut own = match (block, by) {
            (Some(block), _) => self.of_profile(sdk, block),
            (None, By::Default) => Vec::new(),
            (None, By::Variable(name)) => missing(Some(Place::Variable(name))),
            (None, By::Argument) => missing(None),
        };
        let keys = keys_of_environment(sdk, env);
        let web = web_identity_of_environment(sdk, env, block);
        let rest = container(env).or_else(|| asks_for_metadata(env).then(|| Source::none(Kind::Instance)));
        // Without another source Go assumes the role of a profile with these credentials.
        if sdk == Sdk::Go
            && rest.is_some()
            && let Some(source) = own.first_mut().filter(|source| source.fault == Some(Fault::NoSource))
        {
            *source = Source { kind: Kind::AssumeRole, fault: None, ..source.clone() };
        }
        let mut chain = Vec::new();
        match sdk {
            // The variables of a web identity rank between a role of the profile and its other sources.
            Sdk::Boto3 | Sdk::Cli1 | Sdk::Cli2 => {
                // These report a missing profile whatever else there is.
                if block.is_none() && by != By::Default {
                    return own;
                }
                chain.extend(keys.filter(|_| !by_argument));
                if block.is_some_and(|block| self.role(sdk, block, &[profile]).is_some()) && !own.is_empty() {
                    chain.push(own.remove(0));
                }
                chain.extend(web.filter(|_| !by_argument));
                chain.append(&mut own);
            }
            Sdk::Js => {
                chain.extend(keys.filter(|_| by == By::Default));
                chain.append(&mut own);
                chain.extend(web);
            }
            Sdk::Rust => {
                chain.extend(keys);
                chain.append(&mut own);
                chain.extend(web);
            }
            Sdk::Java => {
                chain.extend(keys);
                chain.extend(web);
                chain.append(&mut own);
            }
            // It reads the profile before it decides, and reports a fault even if another source would win.
            Sdk::Go if own.first().is_some_and(|source| source.kind == Kind::None && !sdk.skips(source)) => return own,
            Sdk::Go | Sdk::Dotnet => {
                chain.extend(keys.filter(|_| !by_argument));
                chain.extend(web.filter(|_| !by_argument));
                chain.append(&mut own);
            }
        }
        chain.extend(rest);
        chain
    }

    fn provided(&self, sdk: Sdk, provider: Provider, block: &Block<'_>, visited: &[&str]) -> Option<Source> {
        match provider {
            Provider::Role => self.role(sdk, block, visited),
            Provider::WebIdentity => {
                let file = value(block, "web_identity_token_file")?;
                match (block.text("role_arn").is_some(), sdk) {
                    (true, _) => Some(Source::at(Kind::WebIdentity, file)),
                    (false, Sdk::Js | Sdk::Java) => None,
                    (false, _) => Some(Source::failing(Fault::NoWebRole, Some(Place::of(file)))),
                }
            }
            Provider::Sso => self.sso(sdk, block),
            Provider::Login => value(block, "login_session").map(|value| Source::at(Kind::Login, value)),
            Provider::Process => process(block),
            Provider::Keys => keys(block, sdk != Sdk::Js, |_| true),
            Provider::CredentialsKeys => keys(block, true, |value| value.file != self.config.path()),
            Provider::ConfigKeys => keys(block, true, |value| value.file == self.config.path()),
        }
    }

    fn sso(&self, sdk: Sdk, block: &Block<'_>) -> Option<Source> {
        const KEYS: [&str; 5] = ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"];
        let needed = if sdk.is_python() { KEYS.get(1..3) } else { KEYS.get(..) };
        needed?.iter().find(|key| value(block, key).is_some())?;
        let first = KEYS.iter().find_map(|key| value(block, key))?;
        let failing = |fault| Some(Source::failing(fault, Some(Place::of(first))));
        let session = match block.text("sso_session") {
            Some(name) => match self.sessions.get(name) {
                Some(session) => Some(session),
                None => return failing(Fault::MissingSession(name.to_owned())),
            },
            None => None,
        };
        for key in ["sso_start_url", "sso_region"] {
            let its = session.and_then(|session| session.text(key));
            match (its, block.text(key)) {
                (None, None) => return failing(Fault::Incomplete(key)),
                (Some(its), Some(own)) if sdk == Sdk::Rust || its != own && (sdk.is_python() || sdk == Sdk::Go) => {
                    return failing(Fault::Contradiction(key));
                }
                _ => {}
            }
        }
        match ["sso_account_id", "sso_role_name"].into_iter().find(|key| block.text(key).is_none()) {
            // It asks the portal without an account.
            Some(_) if sdk == Sdk::Go && session.is_some() => Some(Source::at(Kind::Sso, first)),
            Some(key) => failing(Fault::Incomplete(key)),
            None => Some(Source::at(Kind::Sso, first)),
        }
    }

    /// The role that a profile assumes with other credentials. `visited`: the profiles that led here, this one last.
    fn role(&self, sdk: Sdk, block: &Block<'_>, visited: &[&str]) -> Option<Source> {
        let (source, credential_source) = (value(block, "source_profile"), value(block, "credential_source"));
        let Some(role) = value(block, "role_arn") else {
            return match sdk {
                Sdk::Rust => credential_source.map(|its| named(its)),
                Sdk::Go => source.or(credential_source).map(|its| Source::failing(Fault::NoRole, Some(Place::of(its)))),
                _ => None,
            };
        };
        if block.text("web_identity_token_file").is_some() && sdk != Sdk::Js {
            return None;
        }
        let result = match (source, credential_source) {
            (Some(_), Some(_)) if sdk == Sdk::Js => return None,
            (Some(_), Some(_)) => Err(Fault::TwoSources("source_profile and credential_source")),
            (Some(its), None) => self.base(sdk, block, &its.text, visited),
            (None, Some(its)) => named(its).fault.map_or(Ok(()), Err),
            (None, None) => match sdk {
                Sdk::Js | Sdk::Java | Sdk::Dotnet => return None,
                // It assumes the role with whatever it finds.
                Sdk::Go => self.without_role(sdk, block, visited).map_or(Err(Fault::NoSource), |its| its.fault.map_or(Ok(()), Err)),
                _ => Err(Fault::NoSource),
            },
        };
        Some(match result {
            Ok(()) => Source::at(Kind::AssumeRole, role),
            Err(fault) => Source::failing(fault, Some(Place::of(role))),
        })
    }

    /// Follows `source_profile` to its credentials.
    fn base(&self, sdk: Sdk, block: &Block<'_>, name: &str, visited: &[&str]) -> Result<(), Fault> {
        let next = self.profile(name).ok_or_else(|| Fault::MissingSource(name.to_owned()))?;
        let itself = *name == *block.name;
        let has = |key| next.text(key).is_some();
        let (id, secret) = (has("aws_access_key_id"), has("aws_secret_access_key"));
        let again = visited.contains(&name);
        // A profile that has keys need not assume its role to be the source of another.
        let (may_return, ends) = match sdk {
            Sdk::Boto3 | Sdk::Cli1 | Sdk::Cli2 => (itself && (id || secret), id || secret),
            Sdk::Js => (id && secret, id && secret),
            Sdk::Rust => (itself, itself || id && secret),
            Sdk::Go => (true, again || id && secret),
            Sdk::Java | Sdk::Dotnet => (false, false),
        };
        let visited: Vec<&str> = visited.iter().copied().chain([name]).collect();
        if again && !may_return {
            return Err(Fault::Cycle(visited.iter().map(|name| (*name).to_owned()).collect()));
        }
        let role = if ends { None } else { self.role(sdk, next, &visited) };
        match role.or_else(|| self.without_role(sdk, next, &visited)) {
            None => Err(Fault::EmptySource(name.to_owned())),
            Some(source) => source.fault.map_or(Ok(()), Err),
        }
    }

    /// The strongest source of a profile besides its role.
    fn without_role(&self, sdk: Sdk, block: &Block<'_>, visited: &[&str]) -> Option<Source> {
        let mut providers = sdk.providers().iter().filter(|provider| **provider != Provider::Role);
        providers.find_map(|provider| self.provided(sdk, *provider, block, visited))
    }
}

/// The profile that a variable names, and the variable.
fn chosen(sdk: Sdk, env: &Env) -> Option<(&str, &'static str)> {
    sdk.profile_variables().iter().find_map(|name| Some((env.aws(name)?, *name)))
}

fn keys_of_environment(sdk: Sdk, env: &Env) -> Option<Source> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    let id = env.aws(ID)?;
    match env.aws("AWS_SECRET_ACCESS_KEY") {
        Some(_) => Some(Source::static_key(id, Place::Variable(ID))),
        // The others ignore it.
        None => sdk.is_python().then(|| Source::failing(Fault::HalfPair, Some(Place::Variable(ID)))),
    }
}

fn web_identity_of_environment(sdk: Sdk, env: &Env, block: Option<&Block<'_>>) -> Option<Source> {
    const FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
    env.aws(FILE)?;
    let role = env.aws("AWS_ROLE_ARN").is_some();
    // botocore takes what is missing from the profile.
    let of_profile = sdk.is_python() && block.is_some_and(|block| block.text("role_arn").is_some());
    Some(if role || of_profile {
        Source::new(Kind::WebIdentity, Place::Variable(FILE))
    } else {
        Source::failing(Fault::NoWebRole, Some(Place::Variable(FILE)))
    })
}

/// The endpoint for containers.
fn container(env: &Env) -> Option<Source> {
    let names = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    let name = names.into_iter().find(|name| env.aws(name).is_some())?;
    Some(Source::new(Kind::Container, Place::Variable(name)))
}

fn asks_for_metadata(env: &Env) -> bool {
    !env.aws("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What a `credential_source` names.
fn named(value: &Value<'_>) -> Source {
    match &*value.text {
        "Environment" => Source::at(Kind::StaticKey, value),
        "EcsContainer" => Source::at(Kind::Container, value),
        "Ec2InstanceMetadata" => Source::at(Kind::Instance, value),
        _ => Source::failing(Fault::UnknownSource, Some(Place::of(value))),
    }
}

/// Whether a profile has no other source than a `credential_process`, so that all SDKs use that.
pub(super) fn is_plain(block: &Block<'_>) -> bool {
    const OTHERS: [&str; 5] = ["role_arn", "source_profile", "credential_source", "web_identity_token_file", "login_session"];
    let other = |key: &str| key.starts_with("sso_") || key.starts_with("aws_") || OTHERS.contains(&key);
    block.text("credential_process").is_some() && !block.values.iter().any(|value| other(&value.key))
}

/// A value that is not empty.
fn value<'b, 'a>(block: &'b Block<'a>, key: &str) -> Option<&'b Value<'a>> {
    block.get(key).filter(|value| !value.text.is_empty())
}

fn process(block: &Block<'_>) -> Option<Source> {
    let process = value(block, "credential_process")?;
    let kind = if helper::read(&process.text).is_some() { Kind::Daypass } else { Kind::CredentialProcess };
    Some(Source::at(kind, process))
}

/// The access keys among these values. `reports`: half of a pair is an error.
fn keys(block: &Block<'_>, reports: bool, among: impl Fn(&Value<'_>) -> bool) -> Option<Source> {
    let of = |key| value(block, key).filter(|value| among(value));
    match (of("aws_access_key_id"), of("aws_secret_access_key")) {
        (Some(id), Some(_)) => Some(Source::static_key(&id.text, Place::of(id))),
        (Some(half), None) | (None, Some(half)) if reports => Some(Source::failing(Fault::HalfPair, Some(Place::of(half)))),
        _ => None,
    }
}

/// An access key ID or a secret access key whose other half is not in the same file.
pub(super) fn half_pair<'b, 'a>(block: &'b Block<'a>, config: &Config, in_config: bool) -> Option<&'b Value<'a>> {
    let of = |key| value(block, key).filter(|value| (value.file == config.path()) == in_config);
    match (of("aws_access_key_id"), of("aws_secret_access_key")) {
        (Some(half), None) | (None, Some(half)) => Some(half),
        _ => None,
    }
}

/// .NET accepts only a profile that has the keys of exactly one source (`CredentialProfileTypeDetector`).
fn dotnet_fault(block: &Block<'_>) -> Option<Source> {
    let mut found = ["credential_process", "role_arn", "aws_access_key_id"].iter().filter_map(|key| value(block, key));
    found.next().filter(|_| SSO_KEYS.iter().all(|key| value(block, key).is_none()))?;
    found.next().map(|second| Source::failing(Fault::TwoSources("more than one source"), Some(Place::of(second))))
}

/// Go refuses a profile that has half of a key pair in a file, or two of these keys (`SharedConfig.validateCredentialType`).
fn go_fault(block: &Block<'_>, config: &Config) -> Option<Source> {
    let half =
        [true, false].into_iter().find_map(|in_config| keys(block, true, |value| (value.file == config.path()) == in_config));
    if let Some(half) = half.filter(|source| source.kind == Kind::None) {
        return Some(half);
    }
    let keys = ["source_profile", "credential_source", "credential_process", "web_identity_token_file"];
    let mut found = keys.iter().filter_map(|key| value(block, key));
    let first = found.next()?;
    let what = "two of source_profile, credential_source, credential_process and web_identity_token_file";
    found.next().map(|_| Source::failing(Fault::TwoSources(what), Some(Place::of(first))))
}
