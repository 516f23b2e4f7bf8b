//! `daypass migrate`: profiles with long-lived keys become daypass profiles, and nothing is lost on the way.

use std::fs;
use std::path::PathBuf;

use crate::support::portal::{Account, Answer, Call, Latch, Portal, PortalConfig, UserKey};
use crate::support::run::Home;

const SESSION: &str = "[sso-session corp]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\n";

/// One account with one role, so that a replacement is certain.
pub(crate) fn one_role() -> PortalConfig {
    PortalConfig { accounts: vec![Account::new("111122223333", "Staging", &["DeveloperAccess"])], ..PortalConfig::default() }
}

/// A home with the session `corp` and a sign-in. `config` and `credentials` are what the files contain besides.
pub(crate) fn home(portal: &Portal, config: &str, credentials: &str) -> Home {
    let home = Home::new().at(portal);
    home.write(".aws/config", &format!("{SESSION}{config}"));
    home.write(".aws/credentials", credentials);
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}

pub(crate) fn key(portal: &Portal) -> UserKey {
    portal.new_user_key("111122223333", "ada")
}

fn helper(role: &str) -> String {
    format!("credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role {role}\n")
}

/// The files in which a text is left, apart from the vault.
fn left(home: &Home, text: &str) -> Vec<PathBuf> {
    home.files_with(text).into_iter().filter(|path| !path.starts_with(home.path("data"))).collect()
}

#[test]
fn a_profile_of_the_credentials_file_moves_to_the_config_file() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let home = home(&portal, "", &format!("# mine\n[dev]\n{}\n[other]\nregion = x\n", key.lines()));
    home.daypass("migrate dev")
        .stderr_has("Verified: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DeveloperAccess_")
        .stderr_has("Profile dev now uses DeveloperAccess in 111122223333 (Staging).")
        .stderr_has("daypass retire dev")
        .leaves(".aws/config", &format!("{SESSION}\n[profile dev]\n{}", helper("DeveloperAccess")))
        .leaves(".aws/credentials", "# mine\n[other]\nregion = x\n")
        .go();
    assert_eq!(left(&home, &key.secret), Vec::<PathBuf>::new());
    home.daypass("credential-process --profile dev").stdout_has("AccessKeyId").go();
    assert!(portal.calls().iter().all(|call| call.signed_by.as_ref() != Some(&key.id)), "the key was used");
    home.daypass("migrate dev").stderr_has("Profile dev has no key: it uses DeveloperAccess").go();
}
