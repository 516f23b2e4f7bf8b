//! Writes and parses the `credential_process` line that calls daypass. Touches only the folders of `PATH`, to find this program.
//!
//! Tools run the line in three ways: split into words, by `sh -c`, by `cmd /C`. The line means the same to all three: no variables, no
//! `~`, and double quotes only where needed.

use std::path::{Path, PathBuf};

use super::config::Block;
use super::names::{self, AccountId, RoleName};
use super::request::{AssumeRequest, RoleRequest};
use crate::error::{Error, Result};
use crate::sys::env::Env;

/// Returns the line for one role.
///
/// # Errors
/// The program's path or the session's name can't be written so that all tools read it alike.
pub fn line(program: &str, session: &str, account: &AccountId, role: &RoleName) -> Result<String> {
    Ok(format!(
        "{} credential-process --session {} --account {account} --role {role}",
        word(program, cfg!(windows))?,
        argument("--session", session)?
    ))
}

/// Returns the line for the role of another profile.
///
/// # Errors
/// As [`line()`].
pub fn profile_line(program: &str, profile: &str) -> Result<String> {
    Ok(format!("{} credential-process --profile {}", word(program, cfg!(windows))?, argument("--profile", profile)?))
}

/// Returns the line for a role that is assumed with the credentials of `base`: the flags that name them, such as `--profile dev`.
///
/// # Errors
/// A value can't be written so that all tools read it alike.
pub fn chained_line(program: &str, base: &[(&str, &str)], assume: &AssumeRequest) -> Result<String> {
    let mut line = format!("{} credential-process", word(program, cfg!(windows))?);
    let AssumeRequest { role_arn, session_name, external_id, duration, policy, source_identity } = assume;
    let more = [
        ("--role-session-name", session_name),
        ("--external-id", external_id),
        ("--duration", duration),
        ("--policy", policy),
        ("--source-identity", source_identity),
    ];
    let more = more.iter().filter_map(|(flag, value)| Some((*flag, value.as_deref()?)));
    for (flag, value) in base.iter().copied().chain([("--assume-role", &**role_arn)]).chain(more) {
        // A path has backslashes on Windows; it is written as the program's is.
        let value = if flag == "--policy" && is_path(value) { word(value, cfg!(windows))? } else { value_argument(value)? };
        line.extend([" ", flag, " ", &value]);
    }
    Ok(line)
}

fn is_path(policy: &str) -> bool {
    policy != "read-only" && !policy.starts_with("arn:")
}

/// A value of AWS as an argument: those of roles may also contain `=` and `,`, which nothing interprets within a word.
fn value_argument(value: &str) -> Result<String> {
    if is_argument(&value.replace(['=', ','], "+")) {
        return Ok(value.to_owned());
    }
    Err(Error::usage(
        format!("\"{value}\" can't be an argument of credential_process: only letters, digits and ._/:@+-=, are allowed"),
        "use the keys of a profile with role_arn and source_profile instead",
    ))
}

/// Returns the program to write: the value of `--helper`; else the absolute path by which `PATH` finds this program, with links kept so
/// that an upgrade does not break the line; else the program's own path.
///
/// # Errors
/// The program's own path is unknown or not UTF-8.
pub fn program(env: &Env, given: Option<&str>) -> Result<String> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let unknown =
        |why: String| Error::failed(format!("the path of this program can't be used: {why}"), "add --helper /path/to/daypass");
    let own = std::env::current_exe().map_err(|error| unknown(error.to_string()))?;
    let path = on_path(env, &own).unwrap_or(own);
    if !path.exists() {
        return Err(unknown(format!("{} was replaced while it ran", path.display())));
    }
    path.into_os_string().into_string().map_err(|path| unknown(format!("{} is not UTF-8", path.display())))
}

/// The first `daypass` on `PATH` that is the file `own`.
fn on_path(env: &Env, own: &Path) -> Option<PathBuf> {
    let file_name = if cfg!(windows) { "daypass.exe" } else { "daypass" };
    // An empty or relative entry depends on the current folder.
    env.path()
        .into_iter()
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(file_name))
        .find(|path| is_same_file(path, own))
}

#[cfg(unix)]
fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

#[cfg(not(unix))]
fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// A program's path as one word.
fn word(program: &str, windows: bool) -> Result<String> {
    let refuse = |why: &str| {
        Err(Error::usage(
            format!("\"{program}\" can't be written as a credential_process: {why}"),
            "link it to a plain path, and add --helper PATH",
        ))
    };
    let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
    let drive = windows && program.as_bytes().get(1) == Some(&b':');
    if program.is_empty() || program.contains(separators) && !program.starts_with(separators) && !drive {
        return refuse("it is neither an absolute path nor a bare name");
    }
    // Characters that one of the three interprets inside double quotes. A blank before # or ; would start a comment in the file.
    if program.contains(['"', '$', '`', '!']) || program.chars().any(char::is_control) {
        return refuse("quotes, $, ` and ! mean different things to different shells");
    }
    if windows && program.contains('%') || !windows && program.contains('\\') {
        return refuse("a shell would change a part of it");
    }
    if [" #", " ;"].iter().any(|comment| program.contains(comment)) {
        return refuse("AWS tools would treat the rest as a comment");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/:@+-".contains(c) || windows && c == '\\';
    Ok(if program.chars().all(plain) { program.to_owned() } else { format!("\"{program}\"") })
}

/// Whether the line can contain this name.
pub fn is_argument(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._/:@+-".contains(&b) || b == b'%' && cfg!(not(windows));
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)
}

/// A name as the value of this flag, which is never quoted.
fn argument<'n>(flag: &str, name: &'n str) -> Result<&'n str> {
    if is_argument(name) {
        return Ok(name);
    }
    Err(Error::usage(
        format!("\"{name}\" can't be an argument of credential_process: only letters, digits and ._/:@+- are allowed"),
        format!("daypass configure {flag} {}", names::plain(name, "dev")),
    ))
}

/// The flags, each with a blank before it, for the rule about coding agents that a profile has in its helper line or its own keys.
pub fn agent_flags(profile: &Block<'_>) -> String {
    let own = |key| profile.text(key).map(str::to_owned);
    let line = profile.text("credential_process").and_then(read).unwrap_or_default();
    agent_flags_of(line.agents.or(own("daypass_agents")).as_deref(), line.agent_role.or(own("daypass_agent_role")).as_deref())
}

/// The flags for a rule about coding agents.
pub fn agent_flags_of(agents: Option<&str>, role: Option<&str>) -> String {
    let flags = [("--agents", agents), ("--agent-role", role)];
    flags.iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", (*value)?))).collect()
}

/// The tool for roles of Identity Center that a line calls, if it is one that daypass can replace.
pub fn other_tool(line: &str) -> Option<&'static str> {
    let words = words(line)?;
    let program = words.first()?.rsplit(['/', '\\']).next()?;
    match program.strip_suffix(".exe").unwrap_or(program) {
        "granted" | "dgranted" => Some("Granted"),
        "aws-sso" => Some("aws-sso-cli"),
        "aws-sso-util" => Some("aws-sso-util"),
        "aws-vault" => Some("aws-vault"),
        _ => None,
    }
}

/// Splits a command line as botocore does; None if a quote is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    if cfg!(windows) { Some(split_windows(line)) } else { shlex::split(line) }
}

/// Parses the arguments with which a `credential_process` line calls daypass; None if it calls another program.
pub fn read(line: &str) -> Option<RoleRequest> {
    let mut words = words(line)?.into_iter();
    let program = words.next()?;
    let base = program.rsplit(['/', '\\']).next()?;
    let base = base.strip_suffix(".exe").or_else(|| base.strip_suffix(".EXE")).unwrap_or(base);
    if !(base == "daypass" || cfg!(windows) && base.eq_ignore_ascii_case("daypass")) {
        return None;
    }
    let mut request = RoleRequest::default();
    let mut assume = AssumeRequest::default();
    let mut assumed = None;
    let mut subcommand = None;
    while let Some(word) = words.next() {
        let (flag, attached) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let place = match flag {
            "--profile" => &mut request.profile,
            "--session" => &mut request.session,
            "--start-url" => &mut request.start_url,
            "--sso-region" => &mut request.sso_region,
            "--scopes" => &mut request.scopes,
            "--account" => &mut request.account,
            "--role" => &mut request.role,
            "--region" => &mut request.region,
            "--assume-role" => &mut assumed,
            "--role-session-name" => &mut assume.session_name,
            "--external-id" => &mut assume.external_id,
            "--duration" => &mut assume.duration,
            "--policy" => &mut assume.policy,
            "--source-identity" => &mut assume.source_identity,
            "--agents" => &mut request.agents,
            "--agent-role" => &mut request.agent_role,
            // Flags such as -v and -q do not select credentials.
            flag if flag.starts_with('-') => continue,
            _ if subcommand.is_none() => {
                subcommand = Some(word);
                continue;
            }
            _ => {
                request.profile = Some(word);
                continue;
            }
        };
        *place = Some(attached.or_else(|| words.next())?);
    }
    request.assume = assumed.map(|role_arn| Box::new(AssumeRequest { role_arn, ..assume }));
    (subcommand.as_deref() == Some("credential-process")).then_some(request)
}

/// Splits by the rules of the C runtime on Windows: double quotes keep blanks, a backslash is literal except before a quote.
fn split_windows(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut backslashes = 0;
    for c in line.chars() {
        if c == '\\' {
            backslashes += 1;
            continue;
        }
        if c == '"' {
            let word = word.get_or_insert_default();
            word.extend(std::iter::repeat_n('\\', backslashes / 2));
            if backslashes % 2 == 1 {
                word.push('"');
            } else {
                quoted = !quoted;
            }
            backslashes = 0;
            continue;
        }
        if backslashes > 0 {
            word.get_or_insert_default().extend(std::iter::repeat_n('\\', backslashes));
            backslashes = 0;
        }
        if matches!(c, ' ' | '\t' | '\n') && !quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(c);
        }
    }
    if backslashes > 0 {
        word.get_or_insert_default().extend(std::iter::repeat_n('\\', backslashes));
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_words_follow_the_c_runtime() {
        let cases: [(&str, &[&str]); 8] = [
            (r"a b  c", &["a", "b", "c"]),
            (r#""C:\Program Files\daypass.exe" x"#, &[r"C:\Program Files\daypass.exe", "x"]),
            (r"C:\dir\daypass.exe x", &[r"C:\dir\daypass.exe", "x"]),
            (r#"a\"b"#, &["a\"b"]),
            (r#""a\\" b"#, &[r"a\", "b"]),
            (r#"a\\\"b"#, &[r#"a\"b"#]),
            (r#""" b\"#, &["", r"b\"]),
            (r"'a b'", &["'a", "b'"]),
        ];
        for (line, words) in cases {
            assert_eq!(split_windows(line), words, "{line}");
        }
    }

    #[test]
    fn every_argument_of_a_line_is_read_again() {
        let value = |text: &str| Some(text.to_owned());
        let assume = AssumeRequest {
            role_arn: "arn:aws:iam::222233334444:role/Deploy".to_owned(),
            session_name: value("release"),
            external_id: value("x-1/2"),
            duration: value("30m"),
            policy: value("read-only"),
            source_identity: value("jane"),
        };
        let base = [
            ("--session", "corp"),
            ("--start-url", "https://corp.awsapps.com/start"),
            ("--sso-region", "us-east-1"),
            ("--scopes", "sso:account:access"),
            ("--account", "111122223333"),
            ("--role", "Dev"),
            ("--region", "eu-west-1"),
            ("--agents", "deny"),
            ("--agent-role", "ReadOnly"),
        ];
        let line = chained_line("daypass", &base, &assume).unwrap();
        let request = RoleRequest {
            session: value("corp"),
            start_url: value("https://corp.awsapps.com/start"),
            sso_region: value("us-east-1"),
            scopes: value("sso:account:access"),
            account: value("111122223333"),
            role: value("Dev"),
            region: value("eu-west-1"),
            agents: value("deny"),
            agent_role: value("ReadOnly"),
            assume: Some(Box::new(assume)),
            ..RoleRequest::default()
        };
        assert_eq!(read(&line), Some(request.clone()), "{line}");
        assert_eq!(read(&line.replace("-id x", "-id=x").replace("-identity j", "-identity=j")), Some(request));
    }

    #[test]
    fn a_windows_path_keeps_its_backslashes_and_is_refused_where_cmd_would_expand_it() {
        let written = |program| word(program, true).map_err(|error| error.exit);
        assert_eq!(written(r"C:\bin\daypass.exe").unwrap(), r"C:\bin\daypass.exe");
        assert_eq!(written(r"C:\Program Files (x86)\daypass.exe").unwrap(), r#""C:\Program Files (x86)\daypass.exe""#);
        assert_eq!(split_windows(&written(r"C:\a b\daypass.exe").unwrap()), [r"C:\a b\daypass.exe"]);
        assert!(written(r"C:\%HOME%\daypass.exe").is_err() && written(r"bin\daypass.exe").is_err());
    }
}
