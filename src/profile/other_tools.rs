//! Recognises profiles that other tools wrote for a role of Identity Center: Granted, aws-sso-cli, aws-sso-util, aws-vault. Touches
//! nothing.

use super::config::{Block, Config};
use super::helper;
use super::names::{AccountId, RoleName, Session};
use super::resolve::{self, CredentialSource};

/// A profile of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTool {
    /// The tool's name.
    pub tool: &'static str,
    /// The role, if the config file names it.
    pub role: Option<ToolRole>,
    /// Keys that only this tool reads, in lower case.
    pub keys: Vec<String>,
}

/// The role that such a profile gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolRole {
    /// The account.
    pub account: AccountId,
    /// The role (permission set).
    pub role: RoleName,
    /// The portal, named by its start URL. None if the tool keeps it in a file of its own.
    pub session: Option<Session>,
}

/// The keys of Granted.
const GRANTED: [&str; 5] = [
    "granted_sso_start_url",
    "granted_sso_region",
    "granted_sso_account_id",
    "granted_sso_role_name",
    "granted_sso_registration_scopes",
];

/// A key by which aws-sso-util recognises the profiles that it wrote.
const AWS_SSO_UTIL: &str = "sso_auto_populated";

/// Flags of aws-vault that are followed by a value.
const AWS_VAULT_VALUES: [&str; 9] =
    ["--duration", "-d", "--prompt", "--backend", "--format", "--region", "--mfa-token", "-t", "--keychain"];

/// None if the profile calls no such tool.
pub fn of(config: &Config, profile: &Block<'_>) -> Option<OtherTool> {
    let process = profile.text("credential_process");
    let words = || process.and_then(helper::words).unwrap_or_default();
    let named = |tool, role, keys: &[&str]| {
        let keys = keys.iter().filter(|key| profile.get(key).is_some()).map(|&key| key.to_owned()).collect();
        Some(OtherTool { tool, role, keys })
    };
    let tool = match process {
        Some(process) => helper::other_tool(process)?,
        None => profile.text("granted_sso_account_id").map(|_| "Granted")?,
    };
    match tool {
        "Granted" => named(tool, granted(profile), &GRANTED),
        "aws-sso-cli" => named(tool, aws_sso(&words()), &[]),
        "aws-sso-util" => named(tool, own_role(config, profile), &[AWS_SSO_UTIL]),
        _ => {
            let words = words();
            let name = aws_vault_profile(&words).unwrap_or(&profile.name);
            let role = config.profile(name).and_then(|block| own_role(config, &block));
            named(tool, role, &[])
        }
    }
}

fn granted(profile: &Block<'_>) -> Option<ToolRole> {
    let text = |key: &str| profile.text(key);
    let start_url = text("granted_sso_start_url")?.to_owned();
    let region = text("granted_sso_region")?.to_owned();
    Some(ToolRole {
        account: AccountId::new(text("granted_sso_account_id")?)?,
        role: RoleName::new(text("granted_sso_role_name")?).ok()?,
        session: Some(Session { name: start_url.clone(), start_url, region, scopes: Vec::new() }),
    })
}

/// `aws-sso … process --arn arn:aws:iam::ACCOUNT:role/ROLE`, or `--account ACCOUNT --role ROLE`.
fn aws_sso(words: &[String]) -> Option<ToolRole> {
    let value = |long: &str, short: &str| {
        words.iter().zip(words.iter().skip(1).map(Some).chain([None])).find_map(|(word, next)| match word.split_once('=') {
            Some((flag, value)) if flag == long => Some(value),
            None if word == long || word == short => next.map(String::as_str),
            _ => None,
        })
    };
    let (account, role) = match value("--arn", "-a") {
        Some(arn) => {
            let (_, rest) = arn.split_once(":iam::")?;
            let (account, role) = rest.split_once(":role/")?;
            (account, role.rsplit('/').next()?)
        }
        None => (value("--account", "-A")?, value("--role", "-R")?),
    };
    // The tool may leave out leading zeros.
    Some(ToolRole { account: AccountId::new(&format!("{account:0>12}"))?, role: RoleName::new(role).ok()?, session: None })
}

/// The profile that an aws-vault line names.
fn aws_vault_profile(words: &[String]) -> Option<&str> {
    let at = words.iter().position(|word| word == "exec" || word == "export")?;
    let mut rest = words.iter().skip(at + 1);
    while let Some(word) = rest.next() {
        if AWS_VAULT_VALUES.contains(&word.as_str()) {
            rest.next();
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

/// The role of a profile with `sso_*` keys.
fn own_role(config: &Config, profile: &Block<'_>) -> Option<ToolRole> {
    let session = match resolve::credential_source(profile) {
        CredentialSource::Native => resolve::session_of(&config.session(profile.text("sso_session")?)?).ok()?,
        CredentialSource::Legacy => resolve::legacy_session(&resolve::session_blocks(config), profile)?,
        _ => return None,
    };
    Some(ToolRole {
        account: AccountId::new(profile.text("sso_account_id")?)?,
        role: RoleName::new(profile.text("sso_role_name")?).ok()?,
        session: Some(session),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TOOL ACCOUNT ROLE START-URL`, as far as they are known.
    fn found(text: &str) -> Option<String> {
        let config = Config::of_texts(("config".into(), text.to_owned()), Default::default());
        let found = of(&config, &config.profile("a").unwrap())?;
        let role = found.role.map(|ToolRole { account, role, session }| {
            let start_url = session.map(|session| format!(" {}", session.start_url)).unwrap_or_default();
            format!(" {account} {role}{start_url}")
        });
        Some(found.tool.to_owned() + &role.unwrap_or_default())
    }

    const URL: &str = "https://corp.awsapps.com/start";

    #[test]
    fn the_role_of_each_tool_is_found() {
        let granted = format!(
            "[profile a]\ngranted_sso_start_url = {URL}\ngranted_sso_region = us-east-1\ngranted_sso_account_id = 111122223333\n\
             granted_sso_role_name = Dev\ncredential_process = granted credential-process --profile a\n"
        );
        assert_eq!(found(&granted).unwrap(), format!("Granted 111122223333 Dev {URL}"));
        for line in [
            "aws-sso process --arn arn:aws:iam::111122223333:role/Dev",
            "/usr/local/bin/aws-sso -u x process --sso Default --arn=arn:aws:iam::111122223333:role/Dev",
            "aws-sso process -A 111122223333 -R Dev",
        ] {
            let text = format!("[profile a]\ncredential_process = {line}\n");
            assert_eq!(found(&text).unwrap(), "aws-sso-cli 111122223333 Dev", "{line}");
        }
        let sso = format!("sso_start_url = {URL}\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = Dev\n");
        let util = format!("[profile a]\n{sso}credential_process = aws-sso-util credential-process --profile a\n");
        assert_eq!(found(&util).unwrap(), format!("aws-sso-util 111122223333 Dev {URL}"));
        let native = format!(
            "[sso-session corp]\nsso_start_url = {URL}\nsso_region = us-east-1\n[profile b]\nsso_session = corp\n\
             sso_account_id = 111122223333\nsso_role_name = Dev\n[profile a]\ncredential_process = aws-vault exec b --json\n"
        );
        assert_eq!(found(&native).unwrap(), format!("aws-vault 111122223333 Dev {URL}"));
        for line in ["aws-vault export --format=json b", "aws-vault exec -d 1h --json b", "aws-vault --debug exec b --json"] {
            let vault = format!("[profile a]\ncredential_process = {line}\n[profile b]\n{sso}");
            assert_eq!(found(&vault).unwrap(), format!("aws-vault 111122223333 Dev {URL}"), "{line}");
        }
    }

    #[test]
    fn a_role_that_only_the_tool_knows_is_none() {
        assert_eq!(found("[profile a]\ncredential_process = aws-vault exec a --json\n").unwrap(), "aws-vault");
        assert_eq!(found("[profile a]\ncredential_process = aws-sso process --profile x\n").unwrap(), "aws-sso-cli");
        assert_eq!(found("[profile a]\ncredential_process = other\n"), None);
        assert_eq!(found("[profile a]\nregion = x\n"), None);
    }
}
