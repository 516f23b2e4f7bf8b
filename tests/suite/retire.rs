//! `daypass retire`: deactivates a migrated key, waits, deletes it, and has a way back until then.

use crate::migrate::{home, key, one_role};
use crate::support::portal::{Account, Answer, Call, KeyRights, Portal, PortalConfig, UserKey};
use crate::support::run::Home;

const LATER: i64 = 4_000_000_000;

/// Staging with this role.
fn portal(role: &str) -> Portal {
    Portal::live(PortalConfig { accounts: vec![Account::new("111122223333", "Staging", &[role])], ..PortalConfig::default() })
}

/// A home whose profile `dev` was migrated from this key.
fn migrated(portal: &Portal, key: &UserKey) -> Home {
    let home = home(portal, "", &format!("[dev]\n{}", key.lines()));
    home.daypass("migrate dev").any_stderr().go();
    home
}

/// No request was signed with the key.
fn assert_unused(portal: &Portal, key: &UserKey) {
    assert!(portal.calls().iter().all(|call| call.signed_by.as_ref() != Some(&key.id)), "the key was used");
}

#[test]
fn a_role_deactivates_waits_and_deletes() {
    let portal = portal("AdministratorAccess");
    let key = key(&portal);
    let home = migrated(&portal, &key);
    home.daypass("status").stdout_has("").stderr_has("1 migrated key is due for the next step: daypass retire\n").go();
    home.daypass("retire").stdout_has("active").stdout_has("deactivate").go();
    home.daypass("retire dev").stderr_has("needs consent").stderr_has("hint: daypass retire --yes dev").status(2).go();
    assert!(portal.user_key(&key.id).unwrap().active);
    home.daypass("retire dev --yes").stderr_has("Deactivated key AKIA…").stderr_has("daypass retire --undo dev").go();
    assert!(!portal.user_key(&key.id).unwrap().active);
    home.daypass("status").stdout_has("").go();
    home.daypass("retire").stdout_has("inactive").stdout_has("delete from 20").go();
    home.daypass("retire dev").stderr_has("It can be deleted from 20").go();
    home.daypass("retire dev --wait 0").stderr_has("needs the word \"delete\"").status(2).go();
    home.daypass("retire dev --wait 0 --confirm deactivate").stderr_has("needs the word \"delete\"").status(2).go();
    assert!(portal.user_key(&key.id).is_some());
    let id = &key.id;
    home.daypass(&format!("retire {id} --wait 0 --confirm delete")).stderr_has("Deleted key AKIA…").go();
    assert_eq!(portal.user_key(&key.id), None);
    assert_eq!(home.files_with(&key.secret), Vec::<std::path::PathBuf>::new());
    home.daypass("retire").stderr_has("No migrated keys").go();
    assert_unused(&portal, &key);
}

#[test]
fn both_ways_back_reactivate() {
    let portal = portal("AdministratorAccess");
    let key = key(&portal);
    let home = migrated(&portal, &key);
    home.daypass("retire dev --yes").any_stderr().go();
    home.daypass("retire --undo dev").stderr_has("Reactivated key AKIA…").go();
    assert!(portal.user_key(&key.id).unwrap().active);
    home.daypass("retire dev --yes").any_stderr().go();
    home.daypass("migrate --undo dev").stderr_has("Reactivated key AKIA…").stderr_has("Restored dev").go();
    assert!(portal.user_key(&key.id).unwrap().active);
    assert_eq!(home.read(".aws/credentials"), format!("[dev]\n{}", key.lines()));
    assert_unused(&portal, &key);
}

#[test]
fn a_use_after_the_migration_is_named_and_refused() {
    let portal = portal("AdministratorAccess");
    let key = key(&portal);
    let home = migrated(&portal, &key);
    portal.change_user_key(&key.id, |key| key.last_used = Some((LATER, "s3".into(), "eu-west-1".into())));
    home.daypass("retire dev --yes").stderr_has("was used by s3 in eu-west-1 at 2096-10-02 07:06 UTC").status(1).go();
    home.daypass("retire").stdout_has("find its use").go();
    assert!(portal.user_key(&key.id).unwrap().active);
    portal.change_user_key(&key.id, |key| key.last_used = Some((1_000_000_000, "ses".into(), "eu-west-1".into())));
    home.daypass("retire dev --yes").stderr_has("SMTP log-ins with this key ID").stderr_has("Deactivated").go();
    portal.change_user_key(&key.id, |key| {
        (key.active, key.last_used) = (true, Some((LATER, "s3".into(), "eu-west-1".into())));
    });
    home.daypass("retire dev --yes --force").stderr_has("Deactivated").go();
    assert_unused(&portal, &key);
}

#[test]
fn a_role_without_rights_leaves_it_to_the_key_or_an_administrator() {
    for role in ["DeveloperAccess", "ReadOnly"] {
        let portal = portal(role);
        let key = key(&portal);
        let home = migrated(&portal, &key);
        let command = if role == "ReadOnly" { "aws iam update-access-key --user-name ada" } else { "--user-name USER" };
        let refused = home.daypass("retire dev --yes").stderr_has(command).stderr_has("--status Inactive").status(4).go();
        assert!(
            refused.stderr.contains(&key.id) && refused.stderr.contains("daypass retire --confirm deactivate dev --yes"),
            "{refused}"
        );
        assert_unused(&portal, &key);
        home.daypass("retire dev --confirm deactivate")
            .stderr_has("only an administrator can activate it")
            .stderr_has("Deactivated key AKIA…")
            .go();
        assert!(!portal.user_key(&key.id).unwrap().active);
        home.daypass("retire dev").stderr_has("It can be deleted from 20").go();
        home.daypass("retire dev --wait 0 --confirm delete").stderr_has("aws iam delete-access-key --user-name ada").status(4).go();
        home.daypass("retire --undo dev").stderr_has("hint: send the commands above").status(4).go();
        home.daypass("migrate --undo dev").stderr_has("stays inactive").stderr_has("--status Active").go();
        assert_eq!(home.read(".aws/credentials"), format!("[dev]\n{}", key.lines()));
        // The role that may look sees that an administrator has activated it.
        portal.change_user_key(&key.id, |key| key.active = true);
        let seen = if role == "ReadOnly" { "Reactivated key" } else { "stays inactive" };
        home.daypass("migrate --undo dev").stderr_has(seen).go();
    }
}

#[test]
fn a_key_that_may_not_deactivate_itself_is_left_to_an_administrator() {
    let portal = portal("DeveloperAccess");
    portal.change(|config| config.own_key_rights = KeyRights::Nothing);
    let key = key(&portal);
    let home = migrated(&portal, &key);
    home.daypass("retire dev --confirm deactivate").stderr_has("aws iam update-access-key").status(4).go();
    assert!(portal.user_key(&key.id).unwrap().active);
}

#[test]
fn a_root_key_is_never_touched() {
    for role in ["AdministratorAccess", "DeveloperAccess"] {
        let portal = portal(role);
        let key = portal.new_user_key("111122223333", "root");
        let home = migrated(&portal, &key);
        home.daypass("retire dev --confirm deactivate").stderr_has("security_credentials").status(4).go();
        assert!(portal.user_key(&key.id).unwrap().active);
        assert_eq!(portal.count(Call::UpdateAccessKey), 0);
    }
}

#[test]
fn a_key_that_somebody_else_changed_is_followed() {
    let portal = portal("AdministratorAccess");
    let key = key(&portal);
    let home = migrated(&portal, &key);
    portal.change_user_key(&key.id, |key| key.active = false);
    home.daypass("retire dev").stderr_has("is inactive. It can be deleted from").go();
    // The wait begins when it was first seen inactive.
    home.daypass("retire dev --confirm delete").stderr_has("It can be deleted from").go();
    portal.change_user_key(&key.id, |key| key.id = "AKIAGONE".to_owned());
    home.daypass("retire dev").stderr_has("does not exist any more").go();
    home.daypass("retire").stderr_has("No migrated keys").go();
}

#[test]
fn a_service_that_fails_changes_nothing() {
    let portal = portal("AdministratorAccess");
    let key = key(&portal);
    let home = migrated(&portal, &key);
    portal.expect(Call::GetAccessKeyLastUsed).times(5).answered(Answer::status(503));
    home.daypass("retire dev --yes").any_stderr().status(6).go();
    portal.expect(Call::UpdateAccessKey).times(5).answered(Answer::status(503));
    home.daypass("retire dev --yes").any_stderr().status(6).go();
    assert!(portal.user_key(&key.id).unwrap().active);
    home.daypass("logout corp").any_stderr().go();
    home.daypass("retire").stderr_has("not signed in to corp").stdout_has("unknown").go();
    home.daypass("retire dev").stderr_has("hint: daypass login corp").status(3).go();
}

#[test]
fn an_interrupted_or_kept_key_is_not_retired_by_mistake() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let home = migrated(&portal, &key);
    home.write(".aws/credentials", &format!("[dev]\n{}", key.lines()));
    home.daypass("retire dev --yes").stderr_has("still contains key").stderr_has("hint: daypass migrate dev").status(1).go();
    home.daypass("migrate dev --keep-key").stderr_has("The key stays active.").go();
    home.daypass("status").stdout_has("").go();
    home.daypass("retire").stdout_has("keep").go();
    home.daypass("retire --format json").stdout_has(&key.id).go();
    assert!(!home.daypass("retire --format csv").stdout_has("").go().stdout.contains(&key.secret));
}
