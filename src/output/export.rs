//! The variables of `env` and `exec`, and how to set and clear them in each shell. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use clap::ValueEnum;
use zeroize::Zeroizing;

use super::rfc3339;
use crate::credentials::RoleCredentials;
use crate::error::{Error, Result};
use crate::profile::names::AccountId;
use crate::secret::Secret;
use crate::sys::env::{REGION, setting};

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
    /// tcsh and csh
    #[value(alias = "csh")]
    Tcsh,
    /// Elvish
    Elvish,
    /// xonsh
    Xonsh,
    /// KEY=value lines, for --env-file and the like
    Dotenv,
    /// A JSON object
    Json,
    /// The JSON document of STS, for tools that run a command for credentials
    StsJson,
}

/// The credentials, which `env` and `exec` always set.
const CREDENTIALS: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "DAYPASS_ACTIVE",
];

/// What they clear: some SDKs prefer a profile to the keys, and botocore prefers the old name of the session token.
const CLEARED: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];

/// The variable from which prompts read the name of a role whose keys are set: starship, powerlevel10k and oh-my-posh know it. No AWS SDK
/// reads it. `AWS_PROFILE`, which all of them read too, would make some SDKs ignore the keys.
const PROMPT: &str = "AWS_VAULT";

/// What prompts prefer to it or to a profile: names and expiries of credentials that other tools set.
const OF_OTHER_TOOLS: [&str; 5] =
    ["AWSU_PROFILE", "AWSUME_PROFILE", "AWS_SSO_PROFILE", "AWS_SESSION_EXPIRATION", "AWSUME_EXPIRATION"];

/// What some SDK prefers to a profile that `AWS_PROFILE` names.
const STRONGER_THAN_PROFILE: [&str; 5] =
    ["AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"];

/// Those of the credential endpoint.
const ENDPOINT: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

/// What SDKs prefer to the endpoint, or to the address and the token above.
const STRONGER_THAN_ENDPOINT: [&str; 9] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CREDENTIAL_EXPIRATION",
];

/// The name of a variable.
pub type Name = Cow<'static, str>;

/// A variable with its value.
pub type Variable = (Name, Zeroizing<String>);

/// What else to set for a role than its credentials.
pub struct Extras<'a> {
    /// The display name, which `status --prompt` shows.
    pub name: &'a str,
    /// The region, if there is one, and the variables that get it.
    pub region: Option<(&'a str, Vec<&'static str>)>,
    /// Settings of the profile.
    pub settings: Vec<(String, String)>,
}

impl Extras<'_> {
    /// The region, if there is one.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().map(|(region, _)| *region)
    }

    /// With the name for prompts. It is marked like a setting, so that clearing the role clears it, unless another tool has set it since.
    fn with_name(mut self) -> Self {
        self.settings.push((PROMPT.to_owned(), self.name.to_owned()));
        self
    }
}

/// The variables to set for a role.
pub fn variables(credentials: &RoleCredentials, account: &AccountId, extras: Extras<'_>) -> Vec<Variable> {
    let [key, secret, token, expiration, account_id, active] = CREDENTIALS.map(Name::from);
    let mut variables = vec![
        (key, Zeroizing::new(credentials.access_key_id.clone())),
        (secret, Zeroizing::new(credentials.secret_access_key.expose().to_owned())),
        (token, Zeroizing::new(credentials.session_token.expose().to_owned())),
        (expiration, Zeroizing::new(rfc3339(credentials.expires_at))),
        // Tools use it to form the endpoint: another account's would send them there.
        (account_id, Zeroizing::new(account.to_string())),
        // With the key ID, so that the name does not apply to keys that are set later.
        (active, Zeroizing::new(format!("{} {}", credentials.access_key_id, extras.name))),
    ];
    add(&mut variables, extras.with_name());
    variables
}

/// The variables to set for a profile from which every AWS tool gets the role itself.
pub fn profile_variables(profile: &str, extras: Extras<'_>) -> Vec<Variable> {
    let mut variables = Vec::new();
    let settings = extras.settings.into_iter().chain([("AWS_PROFILE".to_owned(), profile.to_owned())]).collect();
    add(&mut variables, Extras { settings, ..extras });
    variables
}

/// The variables to set for an endpoint that gives a role's credentials.
pub fn endpoint_variables(address: &str, token: &Secret, extras: Extras<'_>) -> Vec<Variable> {
    let [uri, authorization] = ENDPOINT.map(Name::from);
    let mut variables = vec![(uri, Zeroizing::new(address.to_owned())), (authorization, Zeroizing::new(token.expose().to_owned()))];
    add(&mut variables, extras.with_name());
    variables
}

/// The variables to clear for an endpoint. `ours`: settings of an earlier role.
pub fn cleared_for_endpoint(set: &[Variable], ours: Vec<String>) -> Vec<Name> {
    let stale = stale(set, ours);
    let own = CREDENTIALS.into_iter().filter(|name| !STRONGER_THAN_ENDPOINT.contains(name)).map(Name::from);
    STRONGER_THAN_ENDPOINT.into_iter().map(Name::from).chain(own).chain(stale).collect()
}

/// Adds region and settings.
fn add(variables: &mut Vec<Variable>, extras: Extras<'_>) {
    let mut settings = extras.settings;
    if let Some((region, names)) = extras.region {
        if names == REGION {
            variables.extend(REGION.map(|name| (name.into(), Zeroizing::new(region.to_owned()))));
            variables.push(("DAYPASS_REGION".into(), Zeroizing::new(region.to_owned())));
        } else {
            settings.extend(names.into_iter().map(|name| (name.to_owned(), region.to_owned())));
        }
    }
    if !settings.is_empty() {
        let marks: Vec<String> = settings.iter().map(|(name, value)| setting(name, value)).collect();
        variables.extend(settings.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value))));
        variables.push(("DAYPASS_SETTINGS".into(), Zeroizing::new(marks.join(","))));
    }
}

/// The variables to clear if `set` is set. `ours`: settings of an earlier role.
pub fn cleared(set: &[Variable], ours: Vec<String>) -> Vec<Name> {
    CLEARED.into_iter().map(Name::from).chain(stale(set, ours).filter(|name| !CLEARED.contains(&&**name))).collect()
}

/// The variables to clear for a profile: keys, and what some SDK or prompt prefers to `AWS_PROFILE`.
pub fn cleared_for_profile(set: &[Variable], ours: Vec<String>) -> Vec<Name> {
    let stronger: Vec<&'static str> = CREDENTIALS.into_iter().chain(STRONGER_THAN_PROFILE).chain([PROMPT]).collect();
    let stale = stale(set, ours).filter(|name| !stronger.contains(&&**name));
    stronger.iter().map(|&name| name.into()).chain(stale).collect()
}

/// The names and expiries of replaced credentials that other tools have set.
pub fn of_other_tools<'a>(is_set: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = Name> + 'a {
    OF_OTHER_TOOLS.into_iter().filter(move |name| is_set(name)).map(Name::from)
}

fn stale(set: &[Variable], ours: Vec<String>) -> impl Iterator<Item = Name> + '_ {
    ours.into_iter().filter(|name| !set.iter().any(|(set, _)| set == name)).map(Name::from)
}

/// The variables that `env --unset` clears: the settings of the role, and the credentials unless the keys are the user's own.
pub fn unset(ours: Vec<String>, keys_are_users: bool) -> Vec<Name> {
    let credentials = CREDENTIALS.into_iter().filter(|name| !keys_are_users || name.starts_with("DAYPASS_"));
    credentials.map(Name::from).chain(ours.into_iter().map(Name::from)).collect()
}

/// Text for a shell to evaluate, which sets and clears these variables. Where `;` separates statements each has one, so that
/// `eval $(daypass env)` without quotes, which joins the lines, works as well.
///
/// # Errors
/// The format cannot express a value, or cannot clear variables.
pub fn script(shell: Shell, set: &[Variable], cleared: &[Name]) -> Result<Zeroizing<String>> {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => {
            Ok(lines(set, cleared, ["unset ", ";"], ["export ", "='", "';"], &[('\'', r"'\''")]))
        }
        // `set -e` fails for a variable that is not set.
        Shell::Fish => {
            Ok(lines(set, cleared, ["set -e ", "; or true;"], ["set -gx ", " '", "';"], &[('\\', r"\\"), ('\'', r"\'")]))
        }
        Shell::Powershell => {
            // PowerShell treats typographic quotes as quotes.
            let quotes = [('\'', "''"), ('‘', "‘‘"), ('’', "’’"), ('‚', "‚‚"), ('‛', "‛‛")];
            Ok(lines(set, cleared, ["$Env:", " = $null;"], ["$Env:", " = '", "';"], &quotes))
        }
        // A line break would end the statement, even in quotes.
        Shell::Tcsh => {
            let set = checked(shell, set, |c| !c.is_control())?;
            Ok(lines(&set, cleared, ["unsetenv ", ";"], ["setenv ", " '", "';"], &[('\'', r"'\''"), ('!', r"\!")]))
        }
        Shell::Elvish => Ok(lines(set, cleared, ["unset-env ", ";"], ["set-env ", " '", "';"], &[('\'', "''")])),
        Shell::Xonsh => {
            let escapes = [('\\', r"\\"), ('\'', r"\'"), ('\n', r"\n"), ('\r', r"\r")];
            Ok(lines(set, cleared, ["${...}.pop('", "', None);"], ["$", " = '", "';"], &escapes))
        }
        Shell::Cmd => {
            // The meaning of these characters depends on how the line is read: from a file, typed, with or without delayed expansion.
            let set = checked(shell, set, |c| !c.is_control() && !"\"%!".contains(c))?;
            Ok(lines(&set, cleared, ["set \"", "=\""], ["set \"", "=", "\""], &[]))
        }
        Shell::Dotenv if set.is_empty() => {
            Err(Error::usage("a dotenv file can't clear variables", "daypass env --unset --shell sh"))
        }
        // Readers of such files differ in how they treat quotes, so only values that need none are written.
        Shell::Dotenv => {
            let set = checked(shell, set, |c| !c.is_control() && !c.is_whitespace() && !"'\"`\\$#".contains(c))?;
            Ok(lines(&set, &[], ["", ""], ["", "=", ""], &[]))
        }
        Shell::StsJson if set.is_empty() => {
            Err(Error::usage("the sts-json document can't clear variables", "daypass env --unset --shell sh"))
        }
        Shell::StsJson => {
            let names = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];
            let value = |name: &str| set.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
            let keys: BTreeMap<_, _> = names.into_iter().zip(CREDENTIALS.map(value)).collect();
            Ok(json(&BTreeMap::from([("Credentials", keys)]), capacity(set, cleared)))
        }
        // null clears: Nushell's `load-env` then does not pass the variable to programs.
        Shell::Json | Shell::Nushell => {
            let values = set.iter().map(|(name, value)| (&**name, Some(value.as_str())));
            let all: BTreeMap<_, _> = cleared.iter().map(|name| (&**name, None)).chain(values).collect();
            Ok(json(&all, capacity(set, cleared)))
        }
    }
}

/// A document of texts and nulls, which can't fail to serialize, in one allocation.
fn json(document: &impl serde::Serialize, capacity: usize) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let _ = serde_json::to_writer_pretty(&mut *bytes, document);
    bytes.push(b'\n');
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default())
}

/// The variables, if all characters of each value fit. Names for people and daypass's own variables are left out if they do not.
fn checked(shell: Shell, set: &[Variable], fits: impl Fn(char) -> bool) -> Result<Vec<Variable>> {
    let (good, bad): (Vec<_>, Vec<_>) = set.iter().cloned().partition(|(_, value)| value.chars().all(&fits));
    match bad.iter().find(|(name, _)| !name.starts_with("DAYPASS_") && name != PROMPT) {
        None => Ok(good),
        Some((name, _)) => {
            let format = match shell {
                Shell::Cmd => "cmd",
                Shell::Tcsh => "tcsh",
                _ => "dotenv",
            };
            let what = format!("the value of {name} can't be written as {format}");
            Err(Error::typo(what, format, "json", "daypass env --shell json"))
        }
    }
}

/// A line for each variable, with the text before the name, before the value and after it: first those to set, then those to clear.
fn lines(
    set: &[Variable],
    cleared: &[Name],
    [clear, cleared_end]: [&str; 2],
    [before, between, after]: [&str; 3],
    escapes: &[(char, &str)],
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(capacity(set, cleared)));
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
    for name in cleared {
        text.extend([clear, name, cleared_end, "\n"]);
    }
    text
}

/// Enough bytes for all of it, however it is escaped: a string that grows would leave copies in memory that are not wiped.
fn capacity(set: &[Variable], cleared: &[Name]) -> usize {
    set.iter().map(|(name, value)| name.len() + 6 * value.len() + 16).sum::<usize>() + 64 * cleared.len()
}

/// The command line that evaluates the output of `command` in this shell, or shows it if the format is for other programs.
pub fn evaluation(shell: Shell, command: &str) -> String {
    match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => format!("eval \"$({command})\""),
        Shell::Fish => format!("{command} | source"),
        Shell::Powershell => format!("{command} | Out-String | Invoke-Expression"),
        Shell::Nushell => format!("{command} | from json | load-env"),
        Shell::Tcsh => format!("eval \"`{command}`\""),
        Shell::Elvish => format!("eval ({command} | slurp)"),
        Shell::Xonsh => format!("execx($({command}))"),
        Shell::Cmd => format!("for /f \"delims=\" %i in ('{command}') do @%i"),
        Shell::Dotenv | Shell::Json | Shell::StsJson => format!("{command} --show"),
    }
}

/// The format for the shell that runs daypass: the parent process if it is a known shell, else that of `$SHELL`, else POSIX sh.
pub fn shell_of(parent: Option<&str>, login: Option<&str>) -> Shell {
    let name = |path: &str| {
        let file = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        file.strip_suffix(".exe").map(str::to_owned).unwrap_or(file)
    };
    let known = [parent, login].into_iter().flatten().find_map(|path| known_shell(&name(path)));
    known.unwrap_or(if cfg!(windows) && login.is_none() { Shell::Powershell } else { Shell::Sh })
}

fn known_shell(name: &str) -> Option<Shell> {
    match name {
        "sh" | "dash" | "ash" | "ksh" | "ksh93" | "mksh" | "oksh" | "yash" => Some(Shell::Sh),
        "bash" | "rbash" => Some(Shell::Bash),
        "zsh" => Some(Shell::Zsh),
        "fish" => Some(Shell::Fish),
        "nu" => Some(Shell::Nushell),
        "pwsh" | "powershell" => Some(Shell::Powershell),
        "cmd" => Some(Shell::Cmd),
        "csh" | "tcsh" | "bsd-csh" => Some(Shell::Tcsh),
        "elvish" => Some(Shell::Elvish),
        "xonsh" => Some(Shell::Xonsh),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> [Variable; 1] {
        [("X".into(), Zeroizing::new(value.to_owned()))]
    }

    fn script(shell: Shell, set: &[Variable], cleared: &[&'static str]) -> String {
        let cleared: Vec<Name> = cleared.iter().map(|&name| name.into()).collect();
        super::script(shell, set, &cleared).unwrap().to_string()
    }

    #[test]
    fn a_quote_in_a_value_stays_inside_it() {
        assert_eq!(script(Shell::Sh, &set("a'b"), &[]), "export X='a'\\''b';\n");
        assert_eq!(script(Shell::Fish, &set(r"a'\b"), &[]), "set -gx X 'a\\'\\\\b';\n");
        assert_eq!(script(Shell::Powershell, &set("a'b’c"), &[]), "$Env:X = 'a''b’’c';\n");
        assert_eq!(script(Shell::Json, &set("a\"b"), &[]), "{\n  \"X\": \"a\\\"b\"\n}\n");
    }

    #[test]
    fn variables_that_would_override_the_keys_are_cleared() {
        assert_eq!(script(Shell::Sh, &[], &["AWS_PROFILE"]), "unset AWS_PROFILE;\n");
        assert_eq!(script(Shell::Fish, &[], &["AWS_PROFILE"]), "set -e AWS_PROFILE; or true;\n");
        assert_eq!(script(Shell::Cmd, &[], &["AWS_PROFILE"]), "set \"AWS_PROFILE=\"\n");
        assert_eq!(script(Shell::Powershell, &[], &["AWS_PROFILE"]), "$Env:AWS_PROFILE = $null;\n");
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
        assert!(super::script(Shell::Dotenv, &[], &["X".into()]).is_err());
        assert_eq!(script(Shell::Cmd, &set("a+b/c=& d^|"), &[]), "set \"X=a+b/c=& d^|\"\n");
        assert_eq!(script(Shell::Dotenv, &set("a+b/c=ü%"), &[]), "X=a+b/c=ü%\n");
    }

    #[test]
    fn a_name_that_does_not_fit_is_left_out() {
        let both =
            [("DAYPASS_ACTIVE".into(), Zeroizing::new("ASIA my profile".to_owned())), ("X".into(), Zeroizing::new("y".to_owned()))];
        assert_eq!(script(Shell::Dotenv, &both, &[]), "X=y\n");
    }

    #[test]
    fn the_shell_is_the_parent_process_or_that_of_the_variable() {
        assert_eq!(shell_of(Some("bash"), Some("/usr/bin/fish")), Shell::Bash);
        assert_eq!(shell_of(Some("make"), Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(shell_of(None, Some("/opt/strange")), Shell::Sh);
        assert_eq!(shell_of(Some("cmd.exe"), None), Shell::Cmd);
        assert_eq!(shell_of(Some("tcsh"), Some("/bin/bash")), Shell::Tcsh);
        assert_eq!(shell_of(Some("make"), Some("/usr/bin/elvish")), Shell::Elvish);
    }

    #[test]
    fn keys_of_the_user_are_not_cleared() {
        assert_eq!(unset(vec!["AWS_REGION".to_owned()], true), ["DAYPASS_ACTIVE", "AWS_REGION"]);
        assert_eq!(unset(Vec::new(), false), CREDENTIALS);
    }
}
