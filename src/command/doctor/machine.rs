//! What only the files of this machine tell: programs, token files, caches, modes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::context::Context;
use crate::profile::findings::{Code, Finding, Subject, chain_of};
use crate::profile::precedence::Place;
use crate::profile::{Block, Value, helper};
use crate::sys::file;
use crate::text::{command_line, shell_quote};

/// The most files of a cache that are read.
const MOST_CACHED: usize = 1000;

/// All of it.
pub(super) fn findings(context: &Context, subject: &Subject<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let blocks: Vec<&Block<'_>> = match subject.argument {
        Some(name) => chain_of(subject.precedence, name),
        None => subject.precedence.profiles().collect(),
    };
    programs(context, &blocks, &mut found);
    named_files(context, &blocks, &mut found);
    readable_by_others(context, &mut found);
    caches(context, subject.now, &mut found);
    found
}

/// The programs of `credential_process` lines, one finding for each program.
fn programs(context: &Context, blocks: &[&Block<'_>], found: &mut Vec<Finding>) {
    let mut users: Vec<(String, Vec<(&Block<'_>, &Value<'_>)>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for block in blocks {
        let Some(process) = block.get("credential_process") else { continue };
        let Some(program) = helper::words(&process.text).and_then(|words| words.into_iter().next()) else { continue };
        let at = *known.entry(program.clone()).or_insert(users.len());
        match users.get_mut(at) {
            Some((_, users)) => users.push((block, process)),
            None => users.push((program, vec![(block, process)])),
        }
    }
    for (program, users) in users {
        let Some((block, process)) = users.first() else { continue };
        let others = if users.len() > 1 { format!(" and of {} more", users.len() - 1) } else { String::new() };
        let of = format!("{program}, the credential_process of profile \"{}\" ({}){others}", block.name, process.place());
        let rewrite = command_line(["daypass", "configure", "--profile", &*block.name]);
        let mut add = |code, what: String, hint: String| found.push(Finding::new(code, what, hint, Some(Place::of(process))));
        // A `~` has a finding of its own.
        if program.starts_with('~') {
            continue;
        }
        let path = Path::new(&program);
        let is_name = path.components().count() == 1;
        let path = match (path.is_absolute(), is_name) {
            (true, _) => Some(path.to_owned()),
            (false, true) => on_path(context, &program),
            (false, false) => {
                let hint = "write an absolute path".to_owned();
                add(Code::HelperRelative, format!("{of}, is relative: it depends on the folder of the calling program"), hint);
                continue;
            }
        };
        match path.as_deref().map(|path| (path, fs::metadata(path))) {
            None => add(Code::HelperMissing, format!("{of}, is not on PATH"), rewrite),
            Some((_, Err(_))) => add(Code::HelperMissing, format!("{of}, does not exist"), rewrite),
            Some((_, Ok(meta))) if !meta.is_file() => add(Code::HelperNotExecutable, format!("{of}, is not a file"), rewrite),
            Some((path, Ok(meta))) if !is_executable(&meta) => {
                let hint = format!("chmod +x {}", shell_quote(&path.to_string_lossy()));
                add(Code::HelperNotExecutable, format!("{of}, is not executable"), hint);
            }
            Some((_, Ok(_))) if ["/Cellar/", "/nix/store/"].iter().any(|part| program.contains(part)) => {
                let hint = "write the path of the link on PATH, which stays the same".to_owned();
                add(Code::HelperVersionedPath, format!("{of}, is the path of one version: an upgrade removes it"), hint);
            }
            Some((_, Ok(_))) => {}
        }
    }
}

fn on_path(context: &Context, name: &str) -> Option<PathBuf> {
    let names: &[String] = if cfg!(windows) { &[name.to_owned(), format!("{name}.exe")] } else { &[name.to_owned()] };
    context.env.path().iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
}

#[cfg(unix)]
fn is_executable(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}

/// Token files and certificates that a variable or a profile names.
fn named_files(context: &Context, blocks: &[&Block<'_>], found: &mut Vec<Finding>) {
    let env = &context.env;
    let of_variable = |name: &'static str| Some((name.to_owned(), env.aws(name)?.to_owned(), Place::Variable(name)));
    let of_profiles = |key: &'static str| {
        let named = |block: &&Block<'_>| {
            let value = block.get(key).filter(|value| !value.text.is_empty())?;
            Some((format!("{key} of profile \"{}\"", block.name), value.text.to_string(), Place::of(value)))
        };
        blocks.iter().filter_map(named).collect::<Vec<_>>()
    };
    let tokens = of_variable("AWS_WEB_IDENTITY_TOKEN_FILE").into_iter().chain(of_profiles("web_identity_token_file"));
    for (of, path, place) in tokens {
        if let Err(error) = file::read(&env.expand(&path)) {
            let hint = format!("ls -l {}", shell_quote(&path));
            found.push(Finding::new(Code::TokenFile, format!("{path}, {of} ({place}), can't be read: {error}"), hint, Some(place)));
        }
    }
    if let Some((of, path, place)) = of_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        let fault = match file::read(&env.expand(&path)) {
            Err(error) => Some(format!("can't be read: {error}")),
            Ok(bytes) if bytes.contains(&b'\n') || bytes.contains(&b'\r') => {
                Some("contains a line break, which SDKs refuse".to_owned())
            }
            Ok(_) => None,
        };
        if let Some(fault) = fault {
            let hint = "write the token without a line break (printf %s)".to_owned();
            found.push(Finding::new(Code::TokenFile, format!("{path}, {of}, {fault}"), hint, Some(place)));
        }
    }
    for (of, path, place) in of_variable("AWS_CA_BUNDLE").into_iter().chain(of_profiles("ca_bundle")) {
        if !env.expand(&path).is_file() {
            let hint = format!("ls -l {}", shell_quote(&path));
            found.push(Finding::new(Code::CaBundleMissing, format!("{path}, {of} ({place}), is not a file"), hint, Some(place)));
        }
    }
}

/// Files with secret keys that other users can read.
#[cfg(unix)]
fn readable_by_others(context: &Context, found: &mut Vec<Finding>) {
    use std::os::unix::fs::PermissionsExt;
    let env = &context.env;
    for path in [env.config_file(), env.credentials_file()].into_iter().flatten() {
        let Ok(meta) = fs::metadata(&path) else { continue };
        let has_secret = || file::read(&path).is_ok_and(|bytes| memchr::memmem::find(&bytes, b"aws_secret_access_key").is_some());
        if meta.is_file() && meta.permissions().mode() & 0o077 != 0 && has_secret() {
            let shown = path.display().to_string();
            let what = format!("other users can read {shown}, which contains a secret access key");
            let place = Place::File { file: path.clone(), line: 1, key: String::new() };
            found.push(Finding::new(Code::FileReadableByOthers, what, format!("chmod 600 {}", shell_quote(&shown)), Some(place)));
        }
    }
}

#[cfg(not(unix))]
fn readable_by_others(_: &Context, _: &mut Vec<Finding>) {}

/// Tokens and keys that the AWS CLI and SDKs keep in files, as long as they are valid.
fn caches(context: &Context, now: OffsetDateTime, found: &mut Vec<Finding>) {
    let Some(home) = context.env.home() else { return };
    let valid = |text: Option<String>| {
        // Some versions write the name of the zone.
        let text = text.map(|text| text.replace("UTC", "Z"));
        text.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()).is_some_and(|until| until > now)
    };
    let text = |json: &Json, pointer| json.pointer(pointer).and_then(Json::as_str).map(str::to_owned);
    let is_token = |json: &Json| {
        let refreshable = text(json, "/refreshToken").is_some() && valid(text(json, "/registrationExpiresAt"));
        text(json, "/accessToken").is_some() && (refreshable || valid(text(json, "/expiresAt")))
    };
    let is_key = |json: &Json| text(json, "/Credentials/SecretAccessKey").is_some() && valid(text(json, "/Credentials/Expiration"));
    let sso = home.join(".aws/sso/cache");
    if let Some((first, count)) = matching(&sso, is_token) {
        let what =
            format!("{} contains {} in clear, valid for every role of its session", sso.display(), counted(count, "sign-in"));
        found.push(Finding::new(Code::TokenInClear, what, "aws sso logout", Some(at(first))));
    }
    let cli = home.join(".aws/cli/cache");
    if let Some((first, count)) = matching(&cli, is_key) {
        let what = format!("{} contains {} of roles in clear", cli.display(), counted(count, "valid key"));
        let hint = format!("rm {}/*.json", shell_quote(&cli.display().to_string()));
        found.push(Finding::new(Code::KeysInClear, what, hint, Some(at(first))));
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("a {what}") } else { format!("{count} {what}s") }
}

fn at(file: PathBuf) -> Place {
    Place::File { file, line: 1, key: String::new() }
}

/// The first of the JSON files in a folder that match, and their number.
fn matching(folder: &Path, matches: impl Fn(&Json) -> bool) -> Option<(PathBuf, usize)> {
    let files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).take(MOST_CACHED);
    let is_match = |path: &PathBuf| {
        let read = || serde_json::from_slice(&zeroize::Zeroizing::new(file::read(path).ok()?)).ok();
        path.extension().is_some_and(|extension| extension == "json") && read().is_some_and(|json: Json| matches(&json))
    };
    let mut found: Vec<PathBuf> = files.filter(is_match).collect();
    found.sort();
    let count = found.len();
    Some((found.into_iter().next()?, count))
}
