//! Plans a migration: which profiles have a long-lived key, what each file contains afterwards, and which other profiles notice. Touches
//! nothing.
//!
//! The rules (tested with boto3, both AWS CLIs and the JavaScript SDK): an ID and its secret are removed in one replacement, from both
//! files. A value is never emptied: some SDKs would sign with the empty one. A profile that only the credentials file contains gets a
//! section in the config file. A profile that is its own `source_profile` gets a base of another name: SDKs take a helper in its place
//! for an endless loop.

use std::collections::HashSet;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::access_key::{AccessKeyId, Kind};
use crate::error::{Error, Result};
use crate::profile::edit::{self, Change};
use crate::profile::ini::{self, Document, FileKind, Section};
use crate::profile::names::Session;
use crate::profile::precedence::{Kind as SourceKind, Precedence, Sdk, Source};
use crate::profile::resolve::{self, CredentialSource, SSO_KEYS};
use crate::profile::undo::{OldValue, SectionUndo};
use crate::profile::{Block, Config, Value};
use crate::secret::Secret;
use crate::text::{edit_file, shell_quote};

/// The keys of a long-lived key, and what some tools write beside them.
pub const STATIC_KEYS: [&str; 4] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"];

/// A profile with an access key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticProfile {
    /// Its name.
    pub name: String,
    /// The access key ID.
    pub id: AccessKeyId,
    /// The secret access key.
    pub secret: Secret,
    /// File and line of the ID.
    pub place: String,
    /// The profile's region.
    pub region: Option<String>,
    /// How the profile uses the key.
    pub usage: Usage,
    /// Where it asks for a code (`mfa_serial`), as `FILE:LINE`, if it assumes a role and that line is in the config file.
    pub mfa: Option<String>,
}

/// How a profile uses its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usage {
    /// As its credentials.
    Direct,
    /// To assume a role: it is its own `source_profile`.
    OwnSource,
    /// Not at all: it assumes a role through this daypass profile, so a migration was interrupted.
    Through(String),
}

/// Why a profile with an access key can't be migrated, as a clause, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsuitable {
    /// The profile.
    pub name: String,
    /// The access key ID as it is written.
    pub id: String,
    /// Why.
    pub why: String,
    /// What to do.
    pub hint: String,
}

/// All profiles with a pair of keys, in file order.
pub fn static_profiles(config: &Config) -> Vec<std::result::Result<StaticProfile, Unsuitable>> {
    config.profiles().iter().filter_map(|block| static_profile(config, block)).collect()
}

/// None if the profile has no pair of keys.
fn static_profile(config: &Config, block: &Block<'_>) -> Option<std::result::Result<StaticProfile, Unsuitable>> {
    let (id, secret) = (block.get("aws_access_key_id")?, block.text("aws_secret_access_key")?);
    if id.text.is_empty() {
        return None;
    }
    let name = block.name.to_string();
    let unsuitable =
        |why: String, hint: String| Some(Err(Unsuitable { name: block.name.to_string(), id: id.text.to_string(), why, hint }));
    let other = || format!("daypass configure --profile {}", shell_quote(&format!("{}-sso", block.name)));
    let edit = || edit_file(&id.file.to_string_lossy());
    let key = match AccessKeyId::parse(unquoted(&id.text)) {
        Some(key) if key.is_example() => return unsuitable(format!("has the key of an example ({})", id.place()), edit()),
        Some(key) if key.kind() == Kind::User => key,
        Some(_) => return unsuitable(format!("has temporary keys, which another program writes ({})", id.place()), other()),
        None => return unsuitable(format!("has keys that are not AWS's ({})", id.place()), other()),
    };
    if !ini::is_plain_name(&name) {
        let why = "has a name that only some AWS tools read: rename it, to letters, digits and _-/.%@:+ without blanks";
        return unsuitable(format!("{why} ({})", id.place()), edit());
    }
    let is_in_config = |value: &&Value<'_>| value.file == config.path();
    let usage = match (block.text("role_arn"), block.text("source_profile")) {
        (None, _) => Usage::Direct,
        (Some(_), Some(source)) if source == name => Usage::OwnSource,
        (Some(_), Some(source)) if is_helper(config, source) => Usage::Through(source.to_owned()),
        (Some(role), _) => {
            let why =
                format!("assumes {role} with other credentials, so that its own keys are not used: remove them ({})", id.place());
            return unsuitable(why, edit());
        }
    };
    let wins = ["web_identity_token_file", "login_session", "credential_source"].into_iter().find_map(|key| block.get(key));
    let in_credentials = |key: &str| block.get(key).filter(|value| !is_in_config(value));
    let wins = wins.or_else(|| in_credentials("credential_process"));
    let wins = wins.or_else(|| in_credentials("source_profile").filter(|_| usage == Usage::OwnSource));
    if let Some(value) = wins {
        let why = format!("also has {}, which AWS tools would use: remove that line ({})", value.key, value.place());
        return unsuitable(why, edit_file(&value.file.to_string_lossy()));
    }
    Some(Ok(StaticProfile {
        id: key,
        secret: Secret::new(unquoted(secret)),
        place: id.place(),
        region: block.text("region").map(str::to_owned),
        mfa: block.get("mfa_serial").filter(is_in_config).filter(|_| usage != Usage::Direct).map(Value::place),
        usage,
        name,
    }))
}

/// A value without the quotation marks that the Go SDK, and so Terraform, removes.
fn unquoted(value: &str) -> &str {
    let inner = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

fn is_helper(config: &Config, profile: &str) -> bool {
    config.profile(profile).is_some_and(|block| matches!(resolve::credential_source(&block), CredentialSource::Helper(_)))
}

/// A profile that gets its credentials through one that is migrated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chained {
    /// The profile.
    pub name: String,
    /// The role that it assumes.
    pub role_arn: String,
    /// The profile that it names as its source.
    pub source: String,
    /// Where it asks for a code, as `FILE:LINE`: a role's credentials have no device for that.
    pub mfa: Option<String>,
    /// Whether that line can be removed: it is in the config file.
    pub removable: bool,
}

/// The profiles that assume a role with the credentials of these profiles, or of one that does.
pub fn chained(config: &Config, migrated: &[&str]) -> Vec<Chained> {
    let mut sources: HashSet<String> = migrated.iter().map(|&name| name.to_owned()).collect();
    let mut found: Vec<Chained> = Vec::new();
    let blocks = config.profiles();
    loop {
        let before = found.len();
        for block in &blocks {
            let (Some(role_arn), Some(source)) = (block.text("role_arn"), block.text("source_profile")) else { continue };
            if sources.contains(&*block.name) || !sources.contains(source) {
                continue;
            }
            let mfa = block.get("mfa_serial");
            found.push(Chained {
                name: block.name.to_string(),
                role_arn: role_arn.to_owned(),
                source: source.to_owned(),
                mfa: mfa.map(Value::place),
                removable: mfa.is_some_and(|value| value.file == config.path()),
            });
            sources.insert(block.name.to_string());
        }
        if found.len() == before {
            return found;
        }
    }
}

/// One profile of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The profile.
    pub profile: String,
    /// For a profile that assumes a role: the profile that it gets its credentials from.
    pub base: Option<Base>,
}

/// The base of a profile that assumes a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The profile.
    pub name: String,
    /// Whether it calls daypass already; then it stays as it is.
    pub exists: bool,
}

/// What a migration writes.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The profiles, which all had the same key.
    pub steps: &'a [Step],
    /// The `credential_process` line.
    pub line: &'a str,
    /// A session whose block does not exist yet.
    pub session: Option<&'a Session>,
    /// The profiles that lose `mfa_serial`.
    pub without_mfa: &'a [String],
}

/// A file before and after a change.
#[derive(Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Its path, links not followed.
    pub path: PathBuf,
    /// Which file.
    pub kind: FileKind,
    /// Its text; None if there is no file.
    pub before: Option<Zeroizing<String>>,
    /// Its new text.
    pub after: Zeroizing<String>,
    /// What undoes the change in a file that is changed afterwards.
    pub sections: Vec<SectionUndo>,
}

impl FileChange {
    /// Whether the file stays as it is.
    pub fn is_empty(&self) -> bool {
        self.before.as_ref().map_or(self.after.is_empty(), |before| *before == self.after)
    }
}

/// Both files before and after the migration; the config file first. `texts` are those that `config` was made of.
///
/// # Errors
/// Those of [`edit::apply`]; a profile that AWS tools would not read as intended afterwards.
pub fn changes(config: &Config, texts: [Option<&str>; 2], wanted: &Wanted<'_>) -> Result<[FileChange; 2]> {
    let [config_text, credentials_text] = texts;
    let of_config = config_changes(config, wanted);
    let document = Document::parse(credentials_text.unwrap_or_default().as_bytes(), FileKind::Credentials);
    let of_credentials: Vec<Change> =
        wanted.steps.iter().filter_map(|step| removal(&document, credentials_text.unwrap_or_default(), &step.profile)).collect();
    let [config_path, credentials_path] = config.paths();
    let file = |path: PathBuf, kind, text: Option<&str>, changes: &[Change]| -> Result<FileChange> {
        let after = Zeroizing::new(edit::apply(text.unwrap_or_default(), kind, changes)?);
        let sections = undo_of(text.unwrap_or_default(), kind, changes);
        Ok(FileChange { path, kind, before: text.map(|text| Zeroizing::new(text.to_owned())), after, sections })
    };
    let changes = [
        file(config_path.to_owned(), FileKind::Config, config_text, &of_config)?,
        file(credentials_path.to_owned(), FileKind::Credentials, credentials_text, &of_credentials)?,
    ];
    let [config, credentials] = &changes;
    let result = Config::of_texts(
        (config.path.clone(), config.after.to_string()),
        (credentials.path.clone(), credentials.after.to_string()),
    );
    for step in wanted.steps {
        check(&result, step, wanted.line)?;
    }
    Ok(changes)
}

fn config_changes(config: &Config, wanted: &Wanted<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = wanted.session.cloned().map(Change::Session).into_iter().collect();
    let owned = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
    for Step { profile, base } in wanted.steps {
        let mut remove = owned(&STATIC_KEYS);
        let set = if let Some(base) = base {
            if !base.exists {
                let region = config.profile(profile).and_then(|block| block.text("region").map(str::to_owned));
                let region = region.map(|region| ("region".to_owned(), region));
                changes.push(Change::helper(&base.name, wanted.line.to_owned(), region.into_iter().collect()));
            }
            vec![("source_profile".to_owned(), base.name.clone())]
        } else {
            remove.extend(owned(&SSO_KEYS));
            // Another program's line is replaced.
            remove.push("credential_process".to_owned());
            vec![("credential_process".to_owned(), wanted.line.to_owned())]
        };
        if wanted.without_mfa.contains(profile) {
            remove.push("mfa_serial".to_owned());
        }
        changes.push(Change::Profile { name: profile.clone(), set, remove, mark: None });
    }
    for name in wanted.without_mfa.iter().filter(|name| !wanted.steps.iter().any(|step| step.profile == **name)) {
        changes.push(Change::Profile { name: name.clone(), set: Vec::new(), remove: owned(&["mfa_serial"]), mark: None });
    }
    changes
}

/// The change that removes a profile's keys from the credentials file: with its section, if nothing else is in it. None if the file has no
/// section for it.
fn removal(document: &Document<'_>, text: &str, profile: &str) -> Option<Change> {
    let groups = document.groups();
    let group = groups.iter().find(|group| group.first().is_some_and(|first| first.name == profile))?;
    let goes = |key: &str| STATIC_KEYS.contains(&key) || SSO_KEYS.contains(&key);
    let stays = |section: &&Section<'_>| {
        let entries = document.entries(section).iter().any(|entry| !goes(&document.key(entry)));
        entries || has_comment(text, section)
    };
    if !group.sections.iter().any(stays) {
        return Some(Change::Forget { name: profile.to_owned() });
    }
    let remove = STATIC_KEYS.iter().chain(&SSO_KEYS).map(|&key| key.to_owned()).collect();
    Some(Change::Profile { name: profile.to_owned(), set: Vec::new(), remove, mark: None })
}

/// Whether a section contains a comment on a line of its own.
fn has_comment(text: &str, section: &Section<'_>) -> bool {
    let body = text.get(section.header.end..section.body_end).unwrap_or_default();
    body.lines().any(|line| line.trim_start().starts_with(['#', ';']))
}

/// The keys of each section that these changes touch, with their old values.
pub fn undo_of(text: &str, kind: FileKind, changes: &[Change]) -> Vec<SectionUndo> {
    let document = Document::parse(text.as_bytes(), kind);
    let groups = document.groups();
    let mut undo = Vec::new();
    for change in changes {
        let (name, set, remove) = match change {
            Change::Profile { name, set, remove, .. } => (name, &**set, Some(remove)),
            Change::Forget { name } => (name, &[][..], None),
            // A session block that is not needed any more does no harm.
            Change::Session(_) => continue,
        };
        let group =
            groups.iter().find(|group| group.first().is_some_and(|first| first.kind == ini::Kind::Profile && first.name == *name));
        let mut values: Vec<OldValue> = Vec::new();
        for entry in group.into_iter().flat_map(|group| &group.sections).flat_map(|section| document.entries(section)) {
            let (key, value) = (document.key(entry), document.value(entry));
            let touched =
                remove.is_none_or(|remove| remove.iter().any(|removed| *removed == key)) || set.iter().any(|(set, _)| *set == key);
            if touched {
                values.retain(|earlier| earlier.key != key);
                values.push(OldValue { key: key.into_owned(), value: Secret::new(value) });
            }
        }
        let added = set.iter().map(|(key, _)| key.clone()).filter(|key| !values.iter().any(|old| old.key == *key));
        undo.push(SectionUndo { profile: name.clone(), existed: group.is_some(), added: added.collect(), values });
    }
    undo
}

/// Checks that every SDK will take the profile's credentials from this line.
fn check(config: &Config, step: &Step, line: &str) -> Result<()> {
    uses_helper(config, step, line).map_err(|why| {
        let what = format!("profile \"{}\" would not use the new role afterwards: {why}", step.profile);
        Error::failed(what, "daypass migrate --dry-run")
    })
}

/// Checks that every SDK gets the credentials of a profile from this line, or those of its base.
///
/// # Errors
/// What an SDK would use instead, as a clause.
pub fn uses_helper(config: &Config, step: &Step, line: &str) -> std::result::Result<(), String> {
    let precedence = Precedence::new(config);
    let base = step.base.as_ref();
    let name = base.map_or(&*step.profile, |base| &*base.name);
    let block = precedence.profile(name).ok_or_else(|| format!("there is no profile \"{name}\""))?;
    if base.is_none_or(|base| !base.exists) && block.text("credential_process") != Some(line) {
        return Err(format!("profile \"{name}\" does not call daypass"));
    }
    let takes = |profile: &str, kind: SourceKind| {
        let block = precedence.profile(profile).ok_or_else(|| format!("there is no profile \"{profile}\""))?;
        for sdk in Sdk::ALL {
            match precedence.of_profile(sdk, block).first() {
                Some(source) if source.kind == kind => {}
                Some(Source { place: Some(place), .. }) => return Err(format!("{} would use {place}", sdk.name())),
                _ => return Err(format!("{} would find no credentials", sdk.name())),
            }
        }
        Ok(())
    };
    takes(name, SourceKind::Daypass)?;
    if base.is_some() { takes(&step.profile, SourceKind::AssumeRole) } else { Ok(()) }
}

/// A name for the base of a profile that is its own `source_profile`.
pub fn base_name(config: &Config, profile: &str) -> String {
    let names = std::iter::once(format!("{profile}-base")).chain((2..).map(|n| format!("{profile}-base-{n}")));
    names.into_iter().find(|name| config.profile(name).is_none()).unwrap_or_default()
}

/// The file and the first line, counted from 1, that contains the key's secret after the change: a comment, which stays.
pub fn copy_in(change: &FileChange, secret: &Secret) -> Option<(String, usize)> {
    let at = change.after.lines().position(|line| line.contains(secret.expose()))?;
    Some((change.path.display().to_string(), at + 1))
}
