//! Reads the user's config and credentials files; [`super::store`] writes them.
//!
//! [`Config`] reads each file once and scans the text again for each question: one section is found in microseconds, so a tool that asks
//! for credentials never waits for a whole file to be parsed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::ini::{self, Document, FileKind, Group, Kind, Level};
use super::{awscli, encoding, scan};
use crate::error::{Error, Result};
use crate::sys::env::Env;
use crate::sys::file;

/// The config file and the credentials file, as they were when they were read.
#[derive(Debug)]
pub struct Config {
    config: Source,
    credentials: Source,
}

/// One file. A missing one is an empty one.
struct Source {
    path: PathBuf,
    kind: FileKind,
    // The credentials file may contain secret keys.
    text: Zeroizing<String>,
}

/// A profile or a session: its keys and values. A key in the credentials file takes precedence over the same key in the config file.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// In file order; each key once.
    pub values: Vec<Value<'a>>,
    /// The text after [`ini::MARK`], if the section has that comment.
    pub mark: Option<Cow<'a, str>>,
    /// The file that contains its first section.
    pub file: &'a Path,
    /// The line of its first section, counted from 1.
    pub line: usize,
}

/// A value and its position.
#[derive(Clone)]
pub struct Value<'a> {
    /// In lower case.
    pub key: Cow<'a, str>,
    /// As the SDKs read it.
    pub text: Cow<'a, str>,
    /// The file that contains it.
    pub file: &'a Path,
    /// Its line in that file, counted from 1.
    pub line: usize,
}

/// A line that some AWS tools reject or read differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning<'a> {
    /// The file.
    pub file: &'a Path,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, as a clause.
    pub what: Cow<'static, str>,
    /// How serious it is.
    pub level: Level,
    /// What to do, as an instruction; empty if `what` tells it.
    pub fix: Cow<'static, str>,
}

impl Config {
    /// Reads both files.
    ///
    /// # Errors
    /// A file exists and can't be read, or is not UTF-8.
    pub fn read(env: &Env) -> Result<Self> {
        let config = Source::read(env.config_file(), FileKind::Config)?;
        Ok(Self { config, credentials: Source::read(env.credentials_file(), FileKind::Credentials)? })
    }

    /// Reads the sessions and this one profile, if given, with the same result as [`Config::read`]. None if the files can't be read in
    /// parts.
    pub fn read_for(env: &Env, profile: Option<&str>) -> Option<Self> {
        // A quoted name has more than one spelling.
        let plain = profile.is_none_or(ini::is_plain_name);
        let words: Vec<&str> = profile.into_iter().chain(["sso-session"]).collect();
        let credentials = if profile.is_some() { env.credentials_file() } else { None };
        plain.then_some(())?;
        Some(Self {
            config: Source::scan(env.config_file(), FileKind::Config, &words)?,
            credentials: Source::scan(credentials, FileKind::Credentials, &words)?,
        })
    }

    /// Reads the credentials file, and takes this text for the config file at this path.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn with_credentials(env: &Env, path: PathBuf, text: String) -> Result<Self> {
        let config = Source::new(path, FileKind::Config, Zeroizing::new(text));
        Ok(Self { config, credentials: Source::read(env.credentials_file(), FileKind::Credentials)? })
    }

    /// The configuration in two texts, each with the path it has or will have.
    pub fn of_texts(config: (PathBuf, String), credentials: (PathBuf, String)) -> Self {
        let source = |(path, text), kind| Source::new(path, kind, Zeroizing::new(text));
        Self { config: source(config, FileKind::Config), credentials: source(credentials, FileKind::Credentials) }
    }

    /// The path of the config file, which need not exist.
    pub fn path(&self) -> &Path {
        &self.config.path
    }

    /// The paths of the config file and of the credentials file, which need not exist.
    pub fn paths(&self) -> [&Path; 2] {
        [&self.config.path, &self.credentials.path]
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<Block<'_>> {
        [&self.credentials, &self.config].into_iter().fold(None, |block, source| merge(block, source.find(Kind::Profile, name)))
    }

    /// The `[sso-session NAME]` block.
    pub fn session(&self, name: &str) -> Option<Block<'_>> {
        self.config.find(Kind::Session, name)
    }

    /// The `[services NAME]` block.
    pub fn services(&self, name: &str) -> Option<Block<'_>> {
        let is_it = |block: &Block<'_>| {
            let rest = block.name.strip_prefix("services").filter(|rest| rest.starts_with([' ', '\t']));
            rest.is_some_and(|rest| rest.trim().trim_matches(['"', '\'']) == name)
        };
        self.config.blocks(Kind::Other).into_iter().find(is_it)
    }

    /// All profiles, those in the config file first.
    pub fn profiles(&self) -> Vec<Block<'_>> {
        let mut blocks = self.config.blocks(Kind::Profile);
        let known: HashMap<String, usize> = blocks.iter().enumerate().map(|(at, block)| (block.name.to_string(), at)).collect();
        for stronger in self.credentials.blocks(Kind::Profile) {
            match known.get(&*stronger.name).and_then(|at| blocks.get_mut(*at)) {
                Some(block) => block.override_with(stronger),
                None => blocks.push(stronger),
            }
        }
        blocks
    }

    /// All `[sso-session NAME]` blocks.
    pub fn sessions(&self) -> Vec<Block<'_>> {
        self.config.blocks(Kind::Session)
    }

    /// The lines of both files for which the AWS CLI rejects a file, that could not be read, or that tools read differently. One warning
    /// per line, in file order.
    pub fn warnings(&self) -> Vec<Warning<'_>> {
        self.warnings_by(|source| {
            let mut all = awscli::rejections(&source.text);
            all.append(&mut Document::parse(source.text.as_bytes(), source.kind).warnings());
            all.sort_by_key(|warning| (warning.line, warning.level));
            all.dedup_by_key(|warning| warning.line);
            all
        })
    }

    /// The lines for which the AWS CLI rejects a file.
    pub fn rejections(&self) -> Vec<Warning<'_>> {
        self.warnings_by(|source| awscli::rejections(&source.text))
    }

    /// The line of a `[default]` in the config file that is ignored because there is a `[profile default]`.
    pub fn replaced_default(&self) -> Option<usize> {
        let document = Document::find(self.config.text.as_bytes(), FileKind::Config, Kind::Profile, "default");
        document.replaced_default()
    }

    fn warnings_by(&self, of: impl Fn(&Source) -> Vec<ini::Warning>) -> Vec<Warning<'_>> {
        let mut all = Vec::new();
        for source in [&self.config, &self.credentials] {
            let file = &*source.path;
            all.extend(of(source).into_iter().map(|ini::Warning { line, what, level, fix }| Warning {
                file,
                line,
                what,
                level,
                fix,
            }));
        }
        all
    }

    /// Both files: path, kind and text.
    pub(super) fn texts(&self) -> [(&Path, FileKind, &str); 2] {
        [&self.config, &self.credentials].map(|source| (&*source.path, source.kind, source.text.as_str()))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // Unused capacity is wiped at once, but contents byte by byte.
        self.text.clear();
    }
}

impl Source {
    fn new(path: PathBuf, kind: FileKind, text: Zeroizing<String>) -> Self {
        Self { path, kind, text }
    }

    fn read(path: Option<PathBuf>, kind: FileKind) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::new(PathBuf::new(), kind, Zeroizing::default()));
        };
        let text = match file::read(&path) {
            Ok(bytes) => encoding::decode(bytes, &path)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let shown = path.display();
                return Err(Error::failed(format!("can't read {shown}: {error}"), format!("ls -ld \"{shown}\"")));
            }
        };
        Ok(Self::new(path, kind, Zeroizing::new(text)))
    }

    fn scan(path: Option<PathBuf>, kind: FileKind, words: &[&str]) -> Option<Self> {
        let Some(path) = path else { return Self::read(None, kind).ok() };
        let mut text = match file::open_regular(&path) {
            Ok(file) => {
                // A pipe can't be read in parts and then again.
                let file = file?;
                let length = file.metadata().ok()?.len();
                scan::scan(file, length, words).ok()??
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Zeroizing::default(),
            Err(_) => return None,
        };
        let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|error| drop(Zeroizing::new(error.into_bytes()))).ok()?;
        Some(Self::new(path, kind, Zeroizing::new(text)))
    }

    fn find(&self, kind: Kind, name: &str) -> Option<Block<'_>> {
        let document = Document::find(self.text.as_bytes(), self.kind, kind, name);
        let group = document.groups().into_iter().next()?;
        self.block(&document, &group)
    }

    fn blocks(&self, kind: Kind) -> Vec<Block<'_>> {
        let document = Document::of_kind(self.text.as_bytes(), self.kind, kind);
        document.groups().iter().filter_map(|group| self.block(&document, group)).collect()
    }

    fn block<'a>(&'a self, document: &Document<'a>, group: &Group<'_, 'a>) -> Option<Block<'a>> {
        let first = group.first()?;
        let mut values: Vec<Value<'a>> = Vec::new();
        for entry in group.sections.iter().flat_map(|section| document.entries(section)) {
            let value = Value { key: document.key(entry), text: document.value(entry), file: &self.path, line: entry.line };
            match values.iter_mut().find(|earlier| earlier.key == value.key) {
                Some(earlier) => *earlier = value,
                None => values.push(value),
            }
        }
        let mark = group.sections.iter().find_map(|section| document.mark(section));
        Some(Block { name: first.name.clone(), values, mark, file: &self.path, line: first.line })
    }
}

fn merge<'a>(stronger: Option<Block<'a>>, weaker: Option<Block<'a>>) -> Option<Block<'a>> {
    match (stronger, weaker) {
        (Some(stronger), Some(mut weaker)) => {
            weaker.override_with(stronger);
            Some(weaker)
        }
        (stronger, weaker) => stronger.or(weaker),
    }
}

impl<'a> Block<'a> {
    /// The value of a key, given in lower case.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.values.iter().find(|value| value.key == key)
    }

    /// The value's text; None if it is missing or empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|value| &*value.text).filter(|text| !text.is_empty())
    }

    fn override_with(&mut self, stronger: Block<'a>) {
        for value in stronger.values {
            match self.values.iter_mut().find(|earlier| earlier.key == value.key) {
                Some(earlier) => *earlier = value,
                None => self.values.push(value),
            }
        }
    }
}

impl Warning<'_> {
    /// `FILE:LINE: …`, as one line for people.
    pub fn line(&self) -> String {
        let rejected = if self.level == Level::Rejected { "the AWS CLI rejects this file: " } else { "" };
        format!("{}:{}: {rejected}{}", self.file.display(), self.line, self.what)
    }
}

impl Value<'_> {
    /// `FILE:LINE`, for messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

// Values may be secret keys.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key, self.place())
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}
