//! `sync`: a profile for every role; everything else in the files stays.

use std::fmt::Write;
use std::fs;

use crate::support::portal::{Account, Answer, Call, Portal, PortalConfig};
use crate::support::run::Home;

/// A home with the session `corp` and a sign-in, without profiles.
fn signed_in(portal: &Portal) -> Home {
    let home = Home::new().at(portal);
    home.daypass("configure --session-only --session corp --start-url https://sandbox.awsapps.com/start --sso-region us-east-1")
        .any_stderr()
        .go();
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}

fn with_accounts(accounts: Vec<Account>) -> PortalConfig {
    PortalConfig { accounts, ..PortalConfig::default() }
}

/// The names of the profiles in the file, in order.
fn names(config: &str) -> Vec<&str> {
    config.lines().filter_map(|line| line.strip_prefix("[profile ")?.strip_suffix(']')).collect()
}

fn modified(home: &Home) -> std::time::SystemTime {
    fs::metadata(home.path(".aws/config")).unwrap().modified().unwrap()
}

const SESSION: &str = "\
[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
";

const DEVELOPER: &str = "
[profile Development.DeveloperAccess]
# daypass sync: corp 111122223333 DeveloperAccess
credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role DeveloperAccess
region = eu-west-1
";

#[test]
fn sync_writes_a_profile_for_each_role_and_repeating_it_writes_nothing() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let rest = "
[profile Development.ReadOnly]
# daypass sync: corp 111122223333 ReadOnly
credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role ReadOnly
region = eu-west-1

[profile Production.Break+Glass-Now]
# daypass sync: corp 444455556666 Break+Glass=Now
credential_process = [DAYPASS] credential-process --session corp --account 444455556666 --role Break+Glass=Now
region = eu-west-1

[profile Production.ReadOnly]
# daypass sync: corp 444455556666 ReadOnly
credential_process = [DAYPASS] credential-process --session corp --account 444455556666 --role ReadOnly
region = eu-west-1
";
    let all = format!("{SESSION}{DEVELOPER}{rest}");
    home.daypass("sync corp --region eu-west-1")
        .stderr(
            "Added 4 profiles, changed 0, removed 0 in [HOME]/.aws/config.\n\
             The previous version is in [HOME]/.aws/config.daypass.bak; 'daypass undo' restores it.\n",
        )
        .leaves(".aws/config", &all)
        .go();
    let before = modified(&home);
    home.daypass("sync --region eu-west-1").stderr("[HOME]/.aws/config is already up to date.\n").leaves(".aws/config", &all).go();
    assert_eq!(modified(&home), before);
    // The written profiles work, even for a role name with special characters.
    home.daypass("credential-process --profile Production.Break+Glass-Now").any_output().go();
}

#[test]
fn a_dry_run_prints_the_change_and_writes_nothing() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("sync --dry-run --only ReadOnly")
        .stdout_has("+[profile Production.ReadOnly]\n+# daypass sync: corp 444455556666 ReadOnly\n")
        .stderr_has("Dry run: 2 profiles to add, 0 to change, 0 to remove.")
        .leaves(".aws/config", SESSION)
        .go();
}

#[test]
fn only_selects_by_account_role_or_both() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (globs, expected) in [
        ("--only 'prod*'", vec!["Production.Break+Glass-Now", "Production.ReadOnly"]),
        ("--only 111122223333/*Access", vec!["Development.DeveloperAccess"]),
        ("--only 4444????6666", vec!["Production.Break+Glass-Now", "Production.ReadOnly"]),
        ("--only Dev*/Read* --only Break*", vec!["Development.ReadOnly", "Production.Break+Glass-Now"]),
    ] {
        home.write(".aws/config", SESSION);
        home.daypass(&format!("sync {globs}")).any_stderr().go();
        assert_eq!(names(&home.read(".aws/config")), expected, "{globs}");
    }
    home.write(".aws/config", SESSION);
    home.daypass("sync --only nothing-like-it").stderr_has("matches nothing-like-it").status(2).leaves(".aws/config", SESSION).go();
}

#[test]
fn an_unknown_name_field_is_an_error_that_lists_the_fields_before_any_request() {
    let portal = Portal::strict();
    let home = Home::new().at(&portal);
    home.daypass("sync --name '{acct}.{role}'")
        .stderr_has(
            "\"{acct}\" is not a field of a profile's name; the fields are account_id account_name account_email role session region",
        )
        .stderr_has("\nhint: daypass sync --name '{account_name}.{role}'\n")
        .status(2)
        .go();
    home.daypass("sync --name '{region}'").stderr_has("hint: daypass sync --region us-east-1 --name '{region}'\n").status(2).go();
}

#[test]
fn prune_removes_only_profiles_that_sync_wrote_and_would_not_write_now() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("sync").any_stderr().go();
    let own = "\n[profile mine]\nregion = eu-west-1\n\n[profile other]\n# daypass sync: another 111122223333 Gone\nregion = x\n";
    home.write(".aws/config", &(home.read(".aws/config") + own));
    portal.change(|config| drop(config.accounts.pop()));
    home.daypass("sync")
        .stderr_has("2 profiles of an earlier sync are no longer needed; to remove them: daypass sync --prune\n")
        .go();
    // The suggested command selects the same profiles.
    let again = "daypass sync corp --name '{account_name}_{role}' --region eu-west-1 --only '*/ReadOnly' --only 'Dev*' --prune";
    home.daypass("sync corp --only '*/ReadOnly' --only 'Dev*' --region eu-west-1 --name '{account_name}_{role}' --dry-run")
        .stdout_has("+[profile")
        .stderr_has(&format!("to remove them: {again}\n"))
        .go();
    home.daypass("sync --prune").stderr_has("Added 0 profiles, changed 0, removed 2").go();
    let config = home.read(".aws/config");
    assert_eq!(names(&config), ["Development.DeveloperAccess", "Development.ReadOnly", "mine", "other"]);
    assert!(config.ends_with(own));
}

#[test]
fn a_users_own_profile_is_left_alone_in_either_file() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let own = format!("{SESSION}\n[profile Development.ReadOnly]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n");
    let keys = "[Production.ReadOnly]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n";
    home.write(".aws/config", &own);
    home.write(".aws/credentials", keys);
    home.daypass("sync --only ReadOnly")
        .stderr_has("Profile Development.ReadOnly was not created by sync; it is left alone and Development.ReadOnly-111122223333 is used instead.")
        .stderr_has("Profile Production.ReadOnly was not created by sync")
        .leaves(".aws/credentials", keys)
        .go();
    let config = home.read(".aws/config");
    assert!(config.starts_with(&own));
    assert_eq!(names(&config)[1..], ["Development.ReadOnly-111122223333", "Production.ReadOnly-444455556666"]);
    let before = modified(&home);
    home.daypass("sync --only ReadOnly").any_stderr().go();
    assert_eq!(modified(&home), before);
}

#[test]
fn a_users_own_profile_for_the_same_role_is_not_duplicated() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("configure --session corp --account 111122223333 --role ReadOnly --profile Development.ReadOnly")
        .any_stderr()
        .go();
    let before = home.read(".aws/config");
    home.daypass("sync --only Dev*/ReadOnly").stderr_has("is already up to date").leaves(".aws/config", &before).go();
}

#[test]
fn colliding_account_names_get_distinct_profile_names_in_any_order() {
    let mut accounts = vec![
        Account::new("000000000001", "Team A", &["Admin"]),
        Account::new("000000000002", "Team/A", &["Admin"]),
        Account::new("000000000003", "Team  A", &["Admin"]),
        Account::new("000000000004", "Team B", &["Admin"]),
    ];
    let mut written = Vec::new();
    for _ in 0..2 {
        let portal = Portal::live(with_accounts(accounts.clone()));
        let home = signed_in(&portal);
        home.daypass("sync").any_stderr().go();
        let config = home.read(".aws/config");
        let mut sorted: Vec<String> = names(&config).into_iter().map(str::to_owned).collect();
        sorted.sort();
        written.push(sorted);
        // Another order of accounts at the portal changes nothing.
        let before = modified(&home);
        portal.change(|config| config.accounts.reverse());
        home.daypass("sync").stderr_has("is already up to date").go();
        assert_eq!(modified(&home), before);
        accounts.reverse();
    }
    assert_eq!(written[0], ["Team-A.Admin-000000000001", "Team-A.Admin-000000000002", "Team-A.Admin-000000000003", "Team-B.Admin"]);
    assert_eq!(written[0], written[1]);
}

#[test]
fn a_profile_name_stays_when_a_similar_account_appears() {
    let portal = Portal::live(with_accounts(vec![Account::new("000000000002", "Team A", &["Admin"])]));
    let home = signed_in(&portal);
    home.daypass("sync").any_stderr().go();
    portal.change(|config| config.accounts.insert(0, Account::new("000000000001", "Team.A", &["Admin"])));
    portal.change(|config| config.accounts.insert(0, Account::new("000000000003", "Team:A", &["Admin"])));
    home.daypass("sync").any_stderr().go();
    assert_eq!(names(&home.read(".aws/config")), ["Team-A.Admin", "Team.A.Admin", "Team-A.Admin-000000000003"]);
}

#[test]
fn hostile_account_names_reach_neither_the_file_nor_the_terminal() {
    let long = "x".repeat(200);
    let hostile = [
        "a]\n[profile evil]\ncredential_process = /bin/evil\n#",
        "\u{1b}[2J\u{9b}31m\u{202e}",
        "../../../etc/passwd",
        "🦀🦀",
        &long,
        "--help",
        "default",
        "a = b ; # c",
        "",
    ];
    let accounts = hostile.iter().zip(1..).map(|(name, n)| Account::new(&format!("{n:012}"), name, &["Admin"]));
    let portal = Portal::live(with_accounts(accounts.collect()));
    let home = signed_in(&portal);
    for template in ["{account_name}", "{account_name}.{role}", "{account_email}"] {
        home.write(".aws/config", SESSION);
        let said = home.daypass("sync --name").arg(template).any_stderr().go();
        assert!(!said.stderr.contains(['\u{1b}', '\u{9b}', '\u{202e}']));
        let config = home.read(".aws/config");
        assert!(config.is_ascii() && !config.contains(['\u{1b}', '\r']));
        assert_eq!(names(&config).len(), hostile.len(), "{config}");
        assert!(!config.contains("[default]") && !config.contains("evil\n"), "{config}");
        for name in names(&config) {
            assert!(name.len() <= 100 && !name.starts_with(['-', '.']) && !name.contains('/'), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.@+-".contains(&b)), "{name}");
        }
        assert!(config.lines().all(|line| line.is_empty() || line.starts_with(['[', '#']) || line.contains(" = ")), "{config}");
    }
    home.daypass("list").stdout_has("000000000003").go();
}

#[test]
fn a_listing_that_fails_half_way_changes_nothing() {
    let portal = Portal::live(PortalConfig::of(12, 2));
    let home = signed_in(&portal);
    home.daypass("sync --only 'Team 001'").any_stderr().go();
    let before = home.read(".aws/config");
    portal.expect(Call::ListAccountRoles).times(6).served();
    portal.expect(Call::ListAccountRoles).answered(Answer::captive_portal());
    home.daypass("sync --prune").stderr_has("daypass: unexpected answer").status(6).leaves(".aws/config", &before).go();
}

#[test]
fn an_account_that_the_portal_refuses_is_named_and_its_profiles_are_left_alone() {
    for status in [403, 404] {
        let portal = Portal::live(PortalConfig::of(3, 2));
        let home = signed_in(&portal);
        home.daypass("sync").any_stderr().go();
        let before = home.read(".aws/config");
        let refused = "000100000002";
        portal.change(|config| config.accounts[1].suspended = Some(status));
        let warning = format!("warning: the portal refuses to list the roles in account {refused}: ");
        home.daypass("sync --prune").stderr_has(&warning).leaves(".aws/config", &before).go();
        let listed = home.daypass("list").stdout_has("000100000001").stderr_has(&warning).go().stdout;
        assert!(listed.contains("000100000003") && !listed.contains(refused), "{listed}");
        portal.change(|config| config.accounts.retain(|account| account.id != "000100000003"));
        home.daypass("sync --prune").stderr_has(&warning).go();
        let after = home.read(".aws/config");
        assert!(after.contains(refused) && !after.contains("000100000003"), "{after}");
    }
}

#[test]
fn a_portal_that_refuses_every_account_changes_nothing() {
    let portal = Portal::live(PortalConfig::of(2, 2));
    let home = signed_in(&portal);
    home.daypass("sync").any_stderr().go();
    let before = home.read(".aws/config");
    portal.expect(Call::ListAccountRoles).any_number_of_times().answered(Answer::no_access());
    home.daypass("sync --prune").stderr_has("daypass: the portal refuses").status(4).leaves(".aws/config", &before).go();
}

#[test]
fn without_a_sign_in_or_any_account_nothing_changes() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("sync").any_stderr().go();
    let before = home.read(".aws/config");
    portal.change(|config| config.accounts.clear());
    home.daypass("sync --prune")
        .stderr_has("corp gives you no access to any account")
        .status(4)
        .leaves(".aws/config", &before)
        .go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass("sync").stderr_has("hint: daypass login corp").status(3).leaves(".aws/config", &before).go();
}

#[test]
fn throttling_is_retried_and_retry_after_honoured() {
    let portal = Portal::live(PortalConfig::of(12, 1));
    let home = signed_in(&portal);
    portal.expect(Call::ListAccountRoles).times(3).served();
    portal.expect(Call::ListAccountRoles).times(2).answered(Answer::throttled(1));
    portal.expect(Call::ListAccountRoles).answered(Answer::status(503));
    home.daypass("sync").stderr_has("Added 12 profiles").go();
    assert_eq!(portal.count(Call::ListAccountRoles), 15);
}

#[test]
fn a_token_rejected_during_the_listing_is_refreshed() {
    let portal = Portal::live(PortalConfig::of(5, 1));
    let home = signed_in(&portal);
    portal.expect(Call::ListAccountRoles).times(2).served();
    portal.expect(Call::ListAccountRoles).answered(Answer::unauthorized());
    home.daypass("sync").stderr_has("Added 5 profiles").go();
    assert_eq!(portal.count(Call::RefreshToken), 1);
}

#[test]
fn pages_are_followed_and_all_roles_are_listed_over_few_connections() {
    let portal = Portal::live(PortalConfig { page_size: 3, ..PortalConfig::of(7, 4) });
    let home = signed_in(&portal);
    home.daypass("sync").stderr_has("Added 28 profiles").go();
    assert_eq!((portal.count(Call::ListAccounts), portal.count(Call::ListAccountRoles)), (3, 14));
    let connections: std::collections::HashSet<usize> =
        portal.calls().iter().filter(|call| call.call == Some(Call::ListAccountRoles)).map(|call| call.connection).collect();
    assert!(connections.len() <= 8, "{connections:?}");
}

#[test]
fn convert_changes_native_and_legacy_profiles_and_keeps_their_other_keys() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let native = "\n[profile old]\n# mine\nsso_session = corp\nregion = eu-west-1\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\ns3 =\n  max_concurrent_requests = 20\n";
    let legacy = "\n[profile older]\nsso_start_url = https://sandbox.awsapps.com/start/#/\nsso_region = us-east-1\nsso_account_id = 444455556666\nsso_role_name = ReadOnly\noutput = json\n";
    let elsewhere = "\n[profile no-role-of-mine]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Gone\n";
    home.write(".aws/config", &format!("{SESSION}{native}{legacy}{elsewhere}"));
    home.daypass("sync --only Dev*/DeveloperAccess").any_stderr().go();
    home.daypass("sync --only ReadOnly").stderr_has("2 profiles use sso_* keys for these roles").any_stderr().go();
    home.write(".aws/config", &format!("{SESSION}{native}{legacy}{elsewhere}"));
    home.daypass("sync --only Dev*/ReadOnly --only Prod*/ReadOnly --convert").any_stderr().go();
    let config = home.read(".aws/config");
    let daypass = crate::support::run::DAYPASS;
    let line =
        |account| format!("credential_process = {daypass} credential-process --session corp --account {account} --role ReadOnly\n");
    let native =
        format!("\n[profile old]\n# mine\nregion = eu-west-1\ns3 =\n  max_concurrent_requests = 20\n{}", line("111122223333"));
    let legacy = format!("\n[profile older]\noutput = json\n{}", line("444455556666"));
    assert!(config.starts_with(&format!("{SESSION}{native}{legacy}{elsewhere}")), "{config}");
    home.daypass("credential-process --profile older").any_output().go();
}

#[test]
fn a_session_known_only_from_a_legacy_profile_gets_a_block() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    home.write(
        ".aws/config",
        "[profile older]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n",
    );
    home.daypass("login --session sandbox --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 --no-browser")
        .any_stderr()
        .go();
    home.daypass("sync").any_stderr().go();
    let config = home.read(".aws/config");
    assert!(config.contains("[sso-session sandbox]\n") && config.contains(" --session sandbox "), "{config}");
    home.daypass("credential-process --profile Production.ReadOnly").any_output().go();
}

#[test]
fn the_users_bytes_are_kept_also_through_a_symbolic_link() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let own = SESSION.replace('\n', "\r\n") + "\r\n# end, and a lone tab:\t\r\n[plugins]\r\nx=y";
    home.write("dotfiles/aws", &own);
    fs::remove_file(home.path(".aws/config")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("../dotfiles/aws", home.path(".aws/config")).unwrap();
    home.daypass("sync").any_stderr().go();
    assert!(fs::symlink_metadata(home.path(".aws/config")).unwrap().is_symlink());
    let after = home.read("dotfiles/aws");
    assert!(after.starts_with(&own), "{after}");
    assert_eq!(after.matches('\n').count(), after.matches("\r\n").count());
    home.daypass("sync --prune --only nothing/*").any_stderr().status(2).leaves("dotfiles/aws", &after).go();
    // Removing the profiles restores the file, except that its last line now has a newline.
    home.daypass("sync --prune --only Dev*/ReadOnly").any_stderr().go();
    let after = home.read("dotfiles/aws");
    let first = after.find("\r\n[profile ").unwrap();
    assert_eq!(&after[..first], own + "\r\n");
}

#[test]
fn parallel_writers_lose_nothing() {
    let portal = Portal::live(PortalConfig::of(6, 2));
    let home = signed_in(&portal);
    let add = |n: usize| format!("configure --session corp --account 111122223333 --role ReadOnly --profile mine-{n}");
    let mut running = Vec::new();
    for n in 0..8 {
        running.push(home.daypass("sync").any_stderr().spawn());
        running.push(home.daypass(&add(n)).any_stderr().spawn());
    }
    for run in running {
        run.wait();
    }
    let config = home.read(".aws/config");
    let mut found = names(&config);
    found.sort_unstable();
    let mut expected: Vec<String> = (0..8).map(|n| format!("mine-{n}")).collect();
    expected.extend((1..=6).flat_map(|n| (1..=2).map(move |role| format!("Team-{n:03}.Role{role:03}"))));
    expected.sort_unstable();
    assert_eq!(found, expected);
    home.daypass("sync").stderr_has("is already up to date").go();
}

#[test]
fn a_profile_that_appears_during_sync_is_not_overwritten() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let latch = crate::support::portal::Latch::closed();
    portal.expect(Call::ListAccounts).answered(Answer::served().after(&latch));
    let sync = home.daypass("sync --only Dev*/ReadOnly").any_stderr().spawn();
    latch.wait_for_requests(1);
    let own = format!("{SESSION}\n[profile Development.ReadOnly]\nregion = mine\n");
    home.write(".aws/config", &own);
    latch.open();
    sync.wait();
    let config = home.read(".aws/config");
    assert!(config.starts_with(&own) && config.contains("[profile Development.ReadOnly-111122223333]\n"), "{config}");
}

#[test]
fn a_killed_sync_leaves_the_old_file_or_the_new_one() {
    let portal = Portal::live(PortalConfig::of(3, 2));
    let home = signed_in(&portal);
    let mut own = SESSION.to_owned();
    for n in 0..2000 {
        let _ = write!(own, "\n[profile own-{n}]\nregion = eu-west-1\n");
    }
    home.write(".aws/config", &own);
    home.daypass("sync").any_stderr().go();
    let new = home.read(".aws/config");
    for round in 0..12 {
        home.write(".aws/config", &own);
        let before = portal.count(Call::ListAccountRoles);
        let sync = home.daypass("sync").any_stderr().spawn();
        // Everything is listed and sync writes the file. Each round kills it a little later.
        while portal.count(Call::ListAccountRoles) < before + 3 {
            std::thread::yield_now();
        }
        for _ in 0..round * 20_000 {
            std::hint::black_box(round);
        }
        sync.kill();
        let found = home.read(".aws/config");
        assert!(found == own || found == new, "a file that is neither, of {} bytes", found.len());
    }
    home.write(".aws/config", &own);
    home.daypass("sync").any_stderr().leaves(".aws/config", &new).go();
    let left: Vec<_> = fs::read_dir(home.path(".aws")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn list_shows_each_role_with_its_profiles() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("sync --only ReadOnly").any_stderr().go();
    let native = "\n[profile native]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n";
    let through = "\n[profile through]\ncredential_process = daypass credential-process --profile native\n";
    home.write(".aws/config", &(home.read(".aws/config") + native + through));
    home.daypass("list --format csv")
        .stdout(
            "account_id,account_name,account_email,role,profiles\n\
             111122223333,Development,development@example.com,DeveloperAccess,\n\
             111122223333,Development,development@example.com,ReadOnly,Development.ReadOnly native through\n\
             444455556666,Production,production@example.com,Break+Glass=Now,\n\
             444455556666,Production,production@example.com,ReadOnly,Production.ReadOnly\n",
        )
        .go();
}

#[test]
fn prune_with_only_leaves_alone_what_another_only_wrote() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("sync --only 'Prod*'").any_stderr().go();
    let before = home.read(".aws/config");
    let done = home.daypass("sync --only 'Dev*'").any_stderr().go();
    assert!(!done.stderr.contains("--prune"), "{done}");
    assert_eq!(names(&home.read(".aws/config")).len(), 4);
    home.daypass("sync --only 'Prod*' --prune").stderr_has("is already up to date").go();
    assert!(home.read(".aws/config").starts_with(&before));
    // A role that is gone and matches is no longer needed.
    portal.change(|config| config.accounts[0].roles.truncate(1));
    home.daypass("sync --only 'Dev*' --prune").stderr_has("removed 1 in").go();
    assert_eq!(names(&home.read(".aws/config")).len(), 3);
}

#[test]
fn a_role_that_a_profile_reaches_already_gets_no_second_one() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("configure --session corp --account 111122223333 --role ReadOnly --profile mine").any_stderr().go();
    home.daypass("sync")
        .stderr_has("Added 3 profiles")
        .stderr_has("Left out 1 role that has a profile already (--all-roles adds")
        .go();
    home.daypass("sync --missing").stderr_has("Left out 1 role").go();
    home.daypass("sync --all-roles").stderr_has("Added 1 profile, ").go();
    // A profile of an earlier sync is updated as before.
    home.daypass("sync --region eu-west-3").stderr_has("Added 0 profiles, changed 4").go();
    assert!(!home.read(".aws/config").split("[profile mine]").nth(1).unwrap().split('[').next().unwrap().contains("eu-west-3"));
}

#[test]
fn one_command_signs_a_new_colleague_in_and_writes_every_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    home.daypass("configure SANDBOX --sso-region us-east-1 --sync --no-browser")
        .stderr_has("Signed in to sandbox")
        .stderr_has("Added 4 profiles, changed 0, removed 0 in [HOME]/.aws/config.\nTry: aws sts get-caller-identity --profile ")
        .go();
    let config = home.read(".aws/config");
    assert!(
        config.starts_with(&SESSION.replace("corp", "sandbox")) && config.matches("\nregion = us-east-1\n").count() == 4,
        "{config}"
    );
    home.daypass("credential-process --profile Development.ReadOnly").any_output().go();
    home.daypass("configure sandbox --sync --no-browser").stderr_has("is already up to date").leaves(".aws/config", &config).go();
    home.daypass("sync").stderr_has("is already up to date").go();
}
