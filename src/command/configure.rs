//! `daypass configure`: writes a session and a profile. By flags it asks nothing; on a terminal it asks for what is missing.

use crate::cli::Configure;
use crate::error::{Error, Exit, Result};
use crate::portal;
use crate::profile::edit::Change;
use crate::profile::names::{AccountId, RoleName, Session};
use crate::profile::resolve::{self, Account};
use crate::profile::store::{self, Others};
use crate::profile::{Config, helper};
use crate::terminal;
use crate::world::{PATIENCE, World, account_called};

/// Runs it.
pub fn run(world: &World, typed: &Configure) -> Result<u8> {
    let config = Config::read(&world.env)?;
    let person = Person { there: world.may_ask() && !is_whole(typed, &config) };
    let session = session(&config, typed, &person)?;
    let (account, role) = account_and_role(world, typed, &session, &person)?;
    let more = more(&config, typed, &person)?;
    let suggested = format!("{role}-{account}");
    let profile = person.must("--profile", typed.profile.as_deref(), "Profile name", Some(&suggested))?;
    let change = if typed.native {
        Change::native(&profile, &session.name, account.as_str(), role.as_str(), more)
    } else {
        let program = helper::program(&world.env, typed.helper.as_deref())?;
        Change::helper(&profile, helper::line(&program, &session.name, &account, &role)?, more)
    };
    let changes = [Change::Session(session.clone()), change];
    if typed.dry_run {
        world.print(&for_stdout(&store::plan(&world.env, &changes, Others::Refuse)?.diff()))?;
        return Ok(0);
    }
    let done = store::update(&world.env, &changes, Others::Refuse)?;
    let path = done.path.display().to_string();
    world.tell(&if done.is_empty() {
        format!("{} says this already: nothing was written.", terminal::clean(&path))
    } else {
        format!("Wrote profile {profile} to {}.", terminal::clean(&path))
    });
    // Only a hint: a keyring that can't be read now is told of when it is needed.
    let signed_in = world.vault().is_ok_and(|vault| vault.token(&session).is_ok_and(|token| token.is_some()));
    world.tell(&if signed_in {
        format!("Try: aws sts get-caller-identity --profile {profile}")
    } else {
        format!("Next: daypass login {}", session.name)
    });
    Ok(0)
}

/// Whether the flags and the file say all that has to be said: then nothing is asked, not even what could be.
fn is_whole(typed: &Configure, config: &Config) -> bool {
    let session = typed.session.session.as_deref();
    let known = session.is_some_and(|name| config.session(name).is_some());
    let portal = typed.session.start_url.is_some() && typed.session.sso_region.is_some();
    session.is_some() && (known || portal) && typed.account.is_some() && typed.role.is_some() && typed.profile.is_some()
}

/// The session: by flags, else what its block says, else by asking.
fn session(config: &Config, typed: &Configure, person: &Person) -> Result<Session> {
    let flags = &typed.session;
    let only = match config.sessions().as_slice() {
        [only] => Some(only.name.to_string()),
        _ => None,
    };
    let name = person.must("--session", flags.session.as_deref(), "Session name, such as your company's", only.as_deref())?;
    let block = config.session(&name);
    let said = |key: &str| block.as_ref().and_then(|block| block.text(key)).map(str::to_owned);
    let given = |flag: &Option<String>, key: &str| flag.clone().or_else(|| said(key));
    let start_url = given(&flags.start_url, "sso_start_url");
    let start_url = person.must("--start-url", start_url.as_deref(), "Start URL, such as https://corp.awsapps.com/start", None)?;
    let region = given(&flags.sso_region, "sso_region");
    let region = person.must("--sso-region", region.as_deref(), "Region of IAM Identity Center", None)?;
    let scopes = match (&flags.scopes, said("sso_registration_scopes")) {
        (Some(scopes), _) => resolve::scope_list(scopes),
        // An empty list leaves the block as it is.
        (None, Some(_)) => Vec::new(),
        (None, None) if block.is_some() => Vec::new(),
        (None, None) => vec![portal::ACCOUNT_ACCESS.to_owned()],
    };
    let start_url = if flags.start_url.is_some() || said("sso_start_url").is_none() { clean_url(&start_url)? } else { start_url };
    Ok(Session { name, start_url, region: region_name(&region, "--sso-region")?, scopes })
}

/// The address as the service knows it: what the browser's own address bar adds (`#/`, a last `/`) goes.
fn clean_url(typed: &str) -> Result<String> {
    let url = typed.trim().split('#').next().unwrap_or_default().trim_end_matches('/');
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_graphic() && !"\"'`\\<>{}|^;".contains(c);
    if host.contains('.') && !host.starts_with('.') && url.chars().all(plain) {
        return Ok(url.to_owned());
    }
    Err(Error::usage(
        format!("\"{typed}\" is not a start URL"),
        "--start-url https://corp.awsapps.com/start (the address of your access portal)",
    ))
}

/// A region's name: small letters, digits and hyphens, such as `us-gov-west-1`.
fn region_name(typed: &str, flag: &str) -> Result<String> {
    let fits = typed.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits && typed.contains('-') && !typed.starts_with('-') {
        return Ok(typed.to_owned());
    }
    Err(Error::usage(format!("\"{typed}\" is not a region"), format!("{flag} us-east-1 (or another)")))
}

/// By flags; an account's name, and what is missing, by what the portal lists.
fn account_and_role(world: &World, typed: &Configure, session: &Session, person: &Person) -> Result<(AccountId, RoleName)> {
    let account = typed.account.as_deref().map(Account::new).transpose()?;
    let role = typed.role.as_deref().map(RoleName::new).transpose()?;
    if let (Some(Account::Id(account)), Some(role)) = (&account, &role) {
        return Ok((account.clone(), role.clone()));
    }
    if account.is_none() && !person.there {
        return Err(missing("--account"));
    }
    if role.is_none() && !person.there {
        return Err(missing("--role"));
    }
    let broker = world.broker(session, None)?;
    let mut accounts = match broker.accounts(PATIENCE) {
        Err(error) if error.exit == Exit::SignIn && person.there => {
            super::login::sign_in(world, session, None, typed.no_browser)?;
            broker.accounts(PATIENCE)?
        }
        other => other?,
    };
    accounts.sort_by(|a, b| (a.name.is_none(), &a.name, &a.id).cmp(&(b.name.is_none(), &b.name, &b.id)));
    let account = match account {
        Some(Account::Id(id)) => id,
        Some(Account::Name(name)) => account_called(&name, &accounts)?,
        None => {
            let lines: Vec<String> = accounts
                .iter()
                .map(|account| format!("{}  {}", account.id, account.name.as_deref().unwrap_or("(no name)")))
                .collect();
            accounts.get(Person::pick("account", &lines)?).map(|account| account.id.clone()).ok_or_else(|| missing("--account"))?
        }
    };
    let role = if let Some(role) = role {
        role
    } else {
        let mut roles = broker.roles(&account, PATIENCE)?;
        roles.sort();
        let lines: Vec<String> = roles.iter().map(ToString::to_string).collect();
        roles.get(Person::pick("role", &lines)?).cloned().ok_or_else(|| missing("--role"))?
    };
    Ok((account, role))
}

/// The profile's own region and output, where they are given; an existing profile's are the defaults of the questions.
fn more(config: &Config, typed: &Configure, person: &Person) -> Result<Vec<(String, String)>> {
    let block = typed.profile.as_deref().and_then(|name| config.profile(name));
    let said = |key: &str| block.as_ref().and_then(|block| block.text(key));
    let region = person.may(typed.region.as_deref(), "Default region of the profile (Enter for none)", said("region"))?;
    let output = person.may(typed.output.as_deref(), "Default output format of the AWS CLI (Enter for none)", said("output"))?;
    let region = region.map(|region| region_name(&region, "--region")).transpose()?;
    let values = [("region", region), ("output", output)];
    Ok(values.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

/// Who can be asked, or nobody.
struct Person {
    there: bool,
}

impl Person {
    /// A value that there must be.
    fn must(&self, flag: &str, given: Option<&str>, question: &str, default: Option<&str>) -> Result<String> {
        if let Some(given) = given {
            return Ok(given.to_owned());
        }
        if !self.there {
            return Err(missing(flag));
        }
        loop {
            let typed = terminal::ask(question, default).map_err(unread)?.ok_or_else(|| missing(flag))?;
            if !typed.is_empty() {
                return Ok(typed);
            }
        }
    }

    /// A value that may be left out.
    fn may(&self, given: Option<&str>, question: &str, default: Option<&str>) -> Result<Option<String>> {
        if given.is_some() || !self.there {
            return Ok(given.map(str::to_owned));
        }
        let typed = terminal::ask(question, default).map_err(unread)?;
        Ok(typed.filter(|typed| !typed.is_empty()))
    }

    /// The index of one of several; of one alone without asking.
    fn pick(what: &str, lines: &[String]) -> Result<usize> {
        match lines {
            [] => {
                return Err(Error::new(
                    Exit::Refused,
                    format!("you can reach no {what}"),
                    "ask your administrator for an assignment",
                ));
            }
            [_] => return Ok(0),
            _ => {}
        }
        for (number, line) in (1..).zip(lines) {
            terminal::say(&format!("{number:>4}  {}", terminal::clean(line)));
        }
        loop {
            let typed = terminal::ask(&format!("Which {what}? (1-{})", lines.len()), None).map_err(unread)?;
            match typed.ok_or_else(|| missing(&format!("--{what}")))?.parse::<usize>() {
                Ok(number) if (1..=lines.len()).contains(&number) => return Ok(number - 1),
                _ => terminal::say("Type one of the numbers."),
            }
        }
    }
}

fn missing(flag: &str) -> Error {
    Error::usage(format!("{flag} is missing, and there is no terminal to ask on"), format!("daypass configure {flag} VALUE"))
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn unread(error: std::io::Error) -> Error {
    Error::failed(format!("standard input can't be read: {error}"), "give the values as flags: daypass configure --help")
}

/// A diff quotes the file: what could move a terminal's cursor is shown to terminals as blanks.
fn for_stdout(diff: &str) -> String {
    if terminal::shows_output() {
        diff.split_inclusive('\n').map(|line| terminal::clean(line.trim_end_matches('\n')).into_owned() + "\n").collect()
    } else {
        diff.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_browser_adds_to_a_start_url_goes() {
        for typed in [
            "https://corp.awsapps.com/start",
            "https://corp.awsapps.com/start/#/",
            " https://corp.awsapps.com/start/#/?tab=accounts",
        ] {
            assert_eq!(clean_url(typed).unwrap(), "https://corp.awsapps.com/start");
        }
        for bad in [
            "",
            "corp.awsapps.com/start",
            "http://corp.awsapps.com/start",
            "https://",
            "https://a b.c/",
            "https://x.y/\nregion = z",
        ] {
            assert!(clean_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_looks_like_one() {
        assert!(region_name("us-gov-west-1", "--region").is_ok());
        for bad in ["", "Frankfurt", "eu west 1", "eu-west-1\n", "-x"] {
            assert!(region_name(bad, "--region").is_err(), "{bad}");
        }
    }
}
