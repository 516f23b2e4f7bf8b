//! What is wrong with the user's files, for people. Touches nothing but a [`Config`] that was read.

use std::borrow::Cow;

use super::config::{Block, Config, Value, Warning};
use super::ini::Level;
use super::resolve::{self, CredentialSource};

/// Keys of sources that tools prefer to a `credential_process`, and some of them to single sign-on.
const STRONGER: [&str; 5] =
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "web_identity_token_file", "login_session"];

/// All warnings about both files, in file order.
pub fn warnings(config: &Config) -> Vec<Warning<'_>> {
    let mut all = config.warnings();
    for block in config.profiles() {
        let Some(value) = overriding(&block) else { continue };
        let what = format!("AWS tools use this {} instead of what profile \"{}\" gets from daypass", value.key, block.name);
        all.push(Warning {
            file: value.file,
            line: value.line,
            what: Cow::Owned(what),
            level: Level::Misread,
            fix: Cow::Borrowed("remove the key if it is not in use"),
        });
    }
    all
}

/// The most serious warnings about both files: their number, and the first of them. None if all files mean what they seem to mean.
pub fn worst(config: &Config) -> Option<(Warning<'_>, usize)> {
    let all = warnings(config);
    let others = all.len().saturating_sub(1);
    let first = all.into_iter().min_by_key(|warning| warning.level)?;
    (first.level < Level::Portability).then_some((first, others))
}

/// The key by which tools get other credentials for a profile that is for daypass or single sign-on.
pub fn overriding<'b, 'a>(profile: &'b Block<'a>) -> Option<&'b Value<'a>> {
    let ours = matches!(
        resolve::credential_source(profile),
        CredentialSource::Helper(_) | CredentialSource::Native | CredentialSource::Legacy
    );
    STRONGER.iter().filter(|_| ours).find_map(|key| profile.get(key)).filter(|value| !value.text.is_empty())
}
