//! What is wrong with the user's files, for people. Touches nothing but a [`Config`] that was read.

use std::borrow::Cow;

use super::config::{Block, Config, Value, Warning};
use super::ini::Level;
use super::precedence::{self, Precedence};
use super::resolve::{self, CredentialSource, SSO_KEYS};

/// All warnings about both files, in file order.
pub fn warnings(config: &Config) -> Vec<Warning<'_>> {
    let mut all = config.warnings();
    let precedence = Precedence::new(config);
    for block in precedence.profiles() {
        let Some(value) = overriding(&precedence, block) else { continue };
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
pub fn overriding<'b, 'a>(precedence: &Precedence<'_>, profile: &'b Block<'a>) -> Option<&'b Value<'a>> {
    if precedence::is_plain(profile) {
        return None;
    }
    match resolve::credential_source(profile) {
        CredentialSource::Helper(_) => precedence.stronger(profile, &["credential_process"]),
        CredentialSource::Native | CredentialSource::Legacy => precedence.stronger(profile, &SSO_KEYS),
        CredentialSource::Assumes(_) => precedence.stronger(profile, &["role_arn", "source_profile"]),
        CredentialSource::Other(..) | CredentialSource::Nothing => None,
    }
}
