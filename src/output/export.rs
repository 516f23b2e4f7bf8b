//! The variables of `env` and `exec`, and how each shell is told to set or clear them.

use zeroize::Zeroizing;

use super::rfc3339;
use crate::cli::Shell;
use crate::grant::RoleCredentials;

/// What `env` and `exec` set.
pub const SET: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];

/// What they clear: a profile would be asked in place of the keys, and botocore prefers the old name of the session token.
pub const CLEARED: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];

/// The variables with their values; the region's two only where there is one.
pub fn variables(credentials: &RoleCredentials, region: Option<&str>) -> Vec<(&'static str, Zeroizing<String>)> {
    let [key, secret, token, expiration, region_1, region_2] = SET;
    let mut variables = vec![
        (key, Zeroizing::new(credentials.access_key_id.clone())),
        (secret, Zeroizing::new(credentials.secret_access_key.expose().to_owned())),
        (token, Zeroizing::new(credentials.session_token.expose().to_owned())),
        (expiration, Zeroizing::new(rfc3339(credentials.expires_at))),
    ];
    if let Some(region) = region {
        variables.extend([region_1, region_2].map(|name| (name, Zeroizing::new(region.to_owned()))));
    }
    variables
}

/// Text for a shell to evaluate: sets these variables and clears those.
pub fn script(shell: Shell, set: &[(&str, Zeroizing<String>)], cleared: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    if shell == Shell::Json {
        let object: std::collections::BTreeMap<_, _> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
        text.push_str(&serde_json::to_string_pretty(&object).unwrap_or_default());
        text.push('\n');
        return text;
    }
    for name in cleared {
        let [before, after] = match shell {
            Shell::Sh | Shell::Bash | Shell::Zsh => ["unset ", "\n"],
            Shell::Fish => ["set -e ", "\n"],
            Shell::Powershell => ["Remove-Item -ErrorAction SilentlyContinue Env:", "\n"],
            Shell::Cmd => ["set ", "=\n"],
            Shell::Nushell => ["hide-env --ignore-errors ", "\n"],
            // An environment file can set, not clear.
            Shell::Dotenv | Shell::Json => continue,
        };
        text.extend([before, name, after]);
    }
    let (before, between, after, escapes): (_, _, _, &[(char, &str)]) = match shell {
        Shell::Sh | Shell::Bash | Shell::Zsh => ("export ", "='", "'", &[('\'', r"'\''")]),
        Shell::Fish => ("set -gx ", " '", "'", &[('\\', r"\\"), ('\'', r"\'")]),
        Shell::Powershell => ("$Env:", " = '", "'", &[('\'', "''")]),
        Shell::Cmd => ("set \"", "=", "\"", &[]),
        Shell::Nushell => ("$env.", " = \"", "\"", &[('\\', r"\\"), ('"', r#"\""#)]),
        Shell::Dotenv | Shell::Json => ("", "=", "", &[]),
    };
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

/// The shell that `$SHELL` names; POSIX sh where it names none that is known.
pub fn shell_of(path: Option<&str>) -> Shell {
    let name = path.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
    match name.strip_suffix(".exe").unwrap_or(name) {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "nu" => Shell::Nushell,
        "pwsh" | "powershell" => Shell::Powershell,
        "" if cfg!(windows) => Shell::Powershell,
        _ => Shell::Sh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: &str) -> [(&'static str, Zeroizing<String>); 1] {
        [("X", Zeroizing::new(value.to_owned()))]
    }

    #[test]
    fn a_quote_in_a_value_stays_inside_it() {
        assert_eq!(*script(Shell::Sh, &set("a'b"), &[]), "export X='a'\\''b'\n");
        assert_eq!(*script(Shell::Fish, &set(r"a'\b"), &[]), "set -gx X 'a\\'\\\\b'\n");
        assert_eq!(*script(Shell::Powershell, &set("a'b"), &[]), "$Env:X = 'a''b'\n");
        assert_eq!(*script(Shell::Nushell, &set("a\"b"), &[]), "$env.X = \"a\\\"b\"\n");
    }

    #[test]
    fn what_would_shadow_the_keys_is_cleared() {
        assert_eq!(*script(Shell::Sh, &[], &["AWS_PROFILE"]), "unset AWS_PROFILE\n");
        assert_eq!(*script(Shell::Fish, &[], &["AWS_PROFILE"]), "set -e AWS_PROFILE\n");
    }

    #[test]
    fn the_shell_is_known_by_its_programs_name() {
        assert_eq!(shell_of(Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(shell_of(Some("/opt/strange")), Shell::Sh);
    }
}
