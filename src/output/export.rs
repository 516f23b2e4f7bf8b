//! The variables of `env` and `exec`, and how each shell is told to set or clear them.

use clap::ValueEnum;
use zeroize::Zeroizing;

use super::rfc3339;
use crate::credentials::RoleCredentials;
use crate::error::{Error, Result};

/// The shells of `env --shell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// POSIX sh
    Sh,
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// cmd.exe
    Cmd,
    /// Nushell
    #[value(alias = "nu")]
    Nushell,
    /// KEY=value lines, for --env-file and the like
    Dotenv,
    /// A JSON object
    Json,
}

/// What `env` and `exec` always set.
const SET: [&str; 5] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "DAYPASS_ACTIVE"];

/// What they set where there is a region; the last one says that the others are daypass's.
const REGION: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "DAYPASS_REGION"];

/// What they clear: a profile would be asked in place of the keys, and botocore prefers the old name of the session token.
const CLEARED: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];

/// What is to be cleared where these are set. `region`: what holds the region that an earlier call has set, for another profile.
pub fn cleared(set: &[Variable], region: &[&'static str]) -> Vec<&'static str> {
    let stale = region.iter().filter(|name| !set.iter().any(|(set, _)| set == *name));
    CLEARED.iter().chain(stale).copied().collect()
}

/// What `env --unset` clears.
pub fn unset(region: &[&'static str]) -> Vec<&'static str> {
    [&SET, region].concat()
}

/// A variable with its value.
pub type Variable = (&'static str, Zeroizing<String>);

/// The variables with their values; the region's only where there is one. The name is what `status --prompt` shows.
pub fn variables(credentials: &RoleCredentials, name: &str, region: Option<&str>) -> Vec<Variable> {
    let [key, secret, token, expiration, active] = SET;
    let mut variables = vec![
        (key, Zeroizing::new(credentials.access_key_id.clone())),
        (secret, Zeroizing::new(credentials.secret_access_key.expose().to_owned())),
        (token, Zeroizing::new(credentials.session_token.expose().to_owned())),
        (expiration, Zeroizing::new(rfc3339(credentials.expires_at))),
        // With the key, so that it can't be taken for the name of others that are set later.
        (active, Zeroizing::new(format!("{} {name}", credentials.access_key_id))),
    ];
    if let Some(region) = region {
        variables.extend(REGION.map(|name| (name, Zeroizing::new(region.to_owned()))));
    }
    variables
}

/// Text for a shell to evaluate: sets these variables and clears those.
///
/// # Errors
/// The format can't hold a value, or can't clear.
pub fn script(shell: Shell, set: &[Variable], cleared: &[&str]) -> Result<Zeroizing<String>> {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => Ok(lines(set, cleared, ["unset ", ""], ["export ", "='", "'"], &[('\'', r"'\''")])),
        // For a name that is not set, `set -e` leaves a status that is not 0.
        Shell::Fish => Ok(lines(set, cleared, ["set -e ", "; or true"], ["set -gx ", " '", "'"], &[('\\', r"\\"), ('\'', r"\'")])),
        Shell::Powershell => {
            // To PowerShell the typographic quotes are quotes as well.
            let quotes = [('\'', "''"), ('‘', "‘‘"), ('’', "’’"), ('‚', "‚‚"), ('‛', "‛‛")];
            Ok(lines(set, cleared, ["$Env:", " = $null"], ["$Env:", " = '", "'"], &quotes))
        }
        Shell::Cmd => {
            // What these mean depends on how the line is read: in a file, typed, with delayed expansion or without.
            let set = held(shell, set, |c| !c.is_control() && !"\"%!".contains(c))?;
            Ok(lines(&set, cleared, ["set \"", "=\""], ["set \"", "=", "\""], &[]))
        }
        Shell::Dotenv if set.is_empty() => {
            Err(Error::usage("an environment file can't clear variables", "daypass env --unset --shell sh"))
        }
        // The readers of such files differ on quotes, so only what needs none is written. They can't clear.
        Shell::Dotenv => {
            let set = held(shell, set, |c| !c.is_control() && !c.is_whitespace() && !"'\"`\\$#".contains(c))?;
            Ok(lines(&set, &[], ["", ""], ["", "=", ""], &[]))
        }
        // null is for what must not be set: Nushell's `load-env` clears it for the programs that it starts.
        Shell::Json | Shell::Nushell => {
            let values = set.iter().map(|(name, value)| (*name, Some(value.as_str())));
            let all: std::collections::BTreeMap<_, _> = cleared.iter().map(|name| (*name, None)).chain(values).collect();
            let mut bytes = Zeroizing::new(Vec::with_capacity(room(set, cleared)));
            // Texts and nulls: serializing them can't fail.
            let _ = serde_json::to_writer_pretty(&mut *bytes, &all);
            bytes.push(b'\n');
            Ok(Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default()))
        }
    }
}

/// The variables, if each value has only such characters. The one that is only for show is left out where it does not fit.
fn held(shell: Shell, set: &[Variable], fits: impl Fn(char) -> bool) -> Result<Vec<Variable>> {
    let (good, bad): (Vec<_>, Vec<_>) = set.iter().cloned().partition(|(_, value)| value.chars().all(&fits));
    match bad.iter().find(|(name, _)| !name.starts_with("DAYPASS_")) {
        None => Ok(good),
        Some((name, _)) => {
            let format = if shell == Shell::Cmd { "cmd" } else { "dotenv" };
            Err(Error::usage(format!("the value of {name} can't be written for {format}"), "daypass env --shell json"))
        }
    }
}

/// A line a variable: first what is cleared, then what is set, with what stands before the name, before the value and after it.
fn lines(
    set: &[Variable],
    cleared: &[&str],
    [clear, cleared_end]: [&str; 2],
    [before, between, after]: [&str; 3],
    escapes: &[(char, &str)],
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(room(set, cleared)));
    for name in cleared {
        text.extend([clear, name, cleared_end, "\n"]);
    }
    for (name, value) in set {
        text.extend([before, name, between]);
        for c in value.chars() {
            match escapes.iter().find(|(special, _)| *special == c) {
                Some((_, safe)) => text.push_str(safe),
                None => text.push(c),
            }
        }
        text.extend([after, "\n"]);
    }
    text
}

/// Bytes enough for all of it, however it is escaped: a text that grows would leave copies in memory that nobody wipes.
fn room(set: &[Variable], cleared: &[&str]) -> usize {
    set.iter().map(|(name, value)| name.len() + 6 * value.len() + 16).sum::<usize>() + 64 * cleared.len()
}

/// The shell that `$SHELL` names; POSIX sh where there is none.
///
/// # Errors
/// A shell that reads none of the formats.
pub fn shell_of(path: Option<&str>) -> Result<Shell> {
    let name = path.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
    match name.strip_suffix(".exe").unwrap_or(name) {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        "nu" => Ok(Shell::Nushell),
        "pwsh" | "powershell" => Ok(Shell::Powershell),
        "" if cfg!(windows) => Ok(Shell::Powershell),
        "csh" | "tcsh" | "elvish" | "xonsh" => {
            Err(Error::usage(format!("there is no format for {name}"), "add --shell SHELL, or run your tool by 'daypass exec'"))
        }
        _ => Ok(Shell::Sh),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> [Variable; 1] {
        [("X", Zeroizing::new(value.to_owned()))]
    }

    fn script(shell: Shell, set: &[Variable], cleared: &[&str]) -> String {
        super::script(shell, set, cleared).unwrap().to_string()
    }

    #[test]
    fn a_quote_in_a_value_stays_inside_it() {
        assert_eq!(script(Shell::Sh, &set("a'b"), &[]), "export X='a'\\''b'\n");
        assert_eq!(script(Shell::Fish, &set(r"a'\b"), &[]), "set -gx X 'a\\'\\\\b'\n");
        assert_eq!(script(Shell::Powershell, &set("a'b’c"), &[]), "$Env:X = 'a''b’’c'\n");
        assert_eq!(script(Shell::Json, &set("a\"b"), &[]), "{\n  \"X\": \"a\\\"b\"\n}\n");
    }

    #[test]
    fn what_would_shadow_the_keys_is_cleared() {
        assert_eq!(script(Shell::Sh, &[], &["AWS_PROFILE"]), "unset AWS_PROFILE\n");
        assert_eq!(script(Shell::Fish, &[], &["AWS_PROFILE"]), "set -e AWS_PROFILE; or true\n");
        assert_eq!(script(Shell::Cmd, &[], &["AWS_PROFILE"]), "set \"AWS_PROFILE=\"\n");
        assert_eq!(script(Shell::Powershell, &[], &["AWS_PROFILE"]), "$Env:AWS_PROFILE = $null\n");
        assert_eq!(script(Shell::Nushell, &[], &["AWS_PROFILE"]), "{\n  \"AWS_PROFILE\": null\n}\n");
    }

    #[test]
    fn what_a_format_can_not_hold_is_refused() {
        for bad in ["a\nb", "a\rb", "a%b%", "a\"b", "a!b"] {
            assert!(super::script(Shell::Cmd, &set(bad), &[]).is_err(), "{bad:?}");
        }
        for bad in ["a\nb", "a b", "a#b", "'a'", "a\\b", "$a"] {
            assert!(super::script(Shell::Dotenv, &set(bad), &[]).is_err(), "{bad:?}");
        }
        assert!(super::script(Shell::Dotenv, &[], &["X"]).is_err());
        assert_eq!(script(Shell::Cmd, &set("a+b/c=& d^|"), &[]), "set \"X=a+b/c=& d^|\"\n");
        assert_eq!(script(Shell::Dotenv, &set("a+b/c=ü%"), &[]), "X=a+b/c=ü%\n");
    }

    #[test]
    fn a_name_that_does_not_fit_is_left_out_and_the_keys_stay() {
        let both = [("DAYPASS_ACTIVE", Zeroizing::new("ASIA my profile".to_owned())), ("X", Zeroizing::new("y".to_owned()))];
        assert_eq!(script(Shell::Dotenv, &both, &[]), "X=y\n");
    }

    #[test]
    fn the_shell_is_known_by_its_programs_name() {
        assert_eq!(shell_of(Some("/usr/bin/fish")).unwrap(), Shell::Fish);
        assert_eq!(shell_of(Some("/opt/strange")).unwrap(), Shell::Sh);
        assert!(shell_of(Some("/bin/tcsh")).is_err());
    }
}
