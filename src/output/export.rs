//! The variables of `env` and `exec`, and how to set and clear them in each shell. Pure.

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

/// What they set if there is a region; the last one marks the others as set by daypass.
const REGION: [&str; 3] = ["AWS_REGION", "AWS_DEFAULT_REGION", "DAYPASS_REGION"];

/// What they clear: some SDKs prefer a profile to the keys, and botocore prefers the old name of the session token.
const CLEARED: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];

/// What to clear if `set` is set. `region`: the variables that contain the region of an earlier call.
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

/// The variables for these credentials, and for the region if there is one. `status --prompt` shows the name.
pub fn variables(credentials: &RoleCredentials, name: &str, region: Option<&str>) -> Vec<Variable> {
    let [key, secret, token, expiration, active] = SET;
    let mut variables = vec![
        (key, Zeroizing::new(credentials.access_key_id.clone())),
        (secret, Zeroizing::new(credentials.secret_access_key.expose().to_owned())),
        (token, Zeroizing::new(credentials.session_token.expose().to_owned())),
        (expiration, Zeroizing::new(rfc3339(credentials.expires_at))),
        // With the key ID, so that the name does not apply to keys that are set later.
        (active, Zeroizing::new(format!("{} {name}", credentials.access_key_id))),
    ];
    if let Some(region) = region {
        variables.extend(REGION.map(|name| (name, Zeroizing::new(region.to_owned()))));
    }
    variables
}

/// Text for a shell to evaluate, which sets and clears these variables.
///
/// # Errors
/// The format cannot express a value, or cannot clear variables.
pub fn script(shell: Shell, set: &[Variable], cleared: &[&str]) -> Result<Zeroizing<String>> {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => Ok(lines(set, cleared, ["unset ", ""], ["export ", "='", "'"], &[('\'', r"'\''")])),
        // `set -e` fails for a variable that is not set.
        Shell::Fish => Ok(lines(set, cleared, ["set -e ", "; or true"], ["set -gx ", " '", "'"], &[('\\', r"\\"), ('\'', r"\'")])),
        Shell::Powershell => {
            // PowerShell treats typographic quotes as quotes.
            let quotes = [('\'', "''"), ('‘', "‘‘"), ('’', "’’"), ('‚', "‚‚"), ('‛', "‛‛")];
            Ok(lines(set, cleared, ["$Env:", " = $null"], ["$Env:", " = '", "'"], &quotes))
        }
        Shell::Cmd => {
            // The meaning of these characters depends on how the line is read: from a file, typed, with or without delayed expansion.
            let set = checked(shell, set, |c| !c.is_control() && !"\"%!".contains(c))?;
            Ok(lines(&set, cleared, ["set \"", "=\""], ["set \"", "=", "\""], &[]))
        }
        Shell::Dotenv if set.is_empty() => {
            Err(Error::usage("a dotenv file cannot clear variables", "daypass env --unset --shell sh"))
        }
        // Readers of such files differ in how they treat quotes, so only values that need none are written.
        Shell::Dotenv => {
            let set = checked(shell, set, |c| !c.is_control() && !c.is_whitespace() && !"'\"`\\$#".contains(c))?;
            Ok(lines(&set, &[], ["", ""], ["", "=", ""], &[]))
        }
        // null clears: Nushell's `load-env` then does not pass the variable to programs.
        Shell::Json | Shell::Nushell => {
            let values = set.iter().map(|(name, value)| (*name, Some(value.as_str())));
            let all: std::collections::BTreeMap<_, _> = cleared.iter().map(|name| (*name, None)).chain(values).collect();
            let mut bytes = Zeroizing::new(Vec::with_capacity(capacity(set, cleared)));
            // Texts and nulls: serializing them can't fail.
            let _ = serde_json::to_writer_pretty(&mut *bytes, &all);
            bytes.push(b'\n');
            Ok(Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default()))
        }
    }
}

/// The variables, if all characters of each value fit. daypass's own variables are left out if they do not.
fn checked(shell: Shell, set: &[Variable], fits: impl Fn(char) -> bool) -> Result<Vec<Variable>> {
    let (good, bad): (Vec<_>, Vec<_>) = set.iter().cloned().partition(|(_, value)| value.chars().all(&fits));
    match bad.iter().find(|(name, _)| !name.starts_with("DAYPASS_")) {
        None => Ok(good),
        Some((name, _)) => {
            let format = if shell == Shell::Cmd { "cmd" } else { "dotenv" };
            Err(Error::usage(format!("the value of {name} cannot be written as {format}"), "daypass env --shell json"))
        }
    }
}

/// A line for each variable, with the text before the name, before the value and after it: first those to clear, then those to set.
fn lines(
    set: &[Variable],
    cleared: &[&str],
    [clear, cleared_end]: [&str; 2],
    [before, between, after]: [&str; 3],
    escapes: &[(char, &str)],
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(set, cleared)));
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

/// Enough bytes for all of it, however it is escaped: a string that grows would leave copies in memory that are not wiped.
fn capacity(set: &[Variable], cleared: &[&str]) -> usize {
    set.iter().map(|(name, value)| name.len() + 6 * value.len() + 16).sum::<usize>() + 64 * cleared.len()
}

/// The format for the shell of `$SHELL`; POSIX sh if it is not set or not known.
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
            Err(Error::usage(format!("there is no format for {name}"), "add --shell SHELL, or run your tool with 'daypass exec'"))
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
    fn variables_that_would_override_the_keys_are_cleared() {
        assert_eq!(script(Shell::Sh, &[], &["AWS_PROFILE"]), "unset AWS_PROFILE\n");
        assert_eq!(script(Shell::Fish, &[], &["AWS_PROFILE"]), "set -e AWS_PROFILE; or true\n");
        assert_eq!(script(Shell::Cmd, &[], &["AWS_PROFILE"]), "set \"AWS_PROFILE=\"\n");
        assert_eq!(script(Shell::Powershell, &[], &["AWS_PROFILE"]), "$Env:AWS_PROFILE = $null\n");
        assert_eq!(script(Shell::Nushell, &[], &["AWS_PROFILE"]), "{\n  \"AWS_PROFILE\": null\n}\n");
    }

    #[test]
    fn values_that_a_format_cannot_express_are_refused() {
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
    fn a_name_that_does_not_fit_is_left_out() {
        let both = [("DAYPASS_ACTIVE", Zeroizing::new("ASIA my profile".to_owned())), ("X", Zeroizing::new("y".to_owned()))];
        assert_eq!(script(Shell::Dotenv, &both, &[]), "X=y\n");
    }

    #[test]
    fn the_shell_is_known_by_its_program_name() {
        assert_eq!(shell_of(Some("/usr/bin/fish")).unwrap(), Shell::Fish);
        assert_eq!(shell_of(Some("/opt/strange")).unwrap(), Shell::Sh);
        assert!(shell_of(Some("/bin/tcsh")).is_err());
    }
}
