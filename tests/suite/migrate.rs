//! `daypass migrate`: profiles with long-lived keys become daypass profiles, and nothing is lost on the way.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use daypass::profile::Config;
use daypass::profile::precedence::{Kind, Precedence, Sdk};

use crate::support::portal::{Account, Answer, Call, Latch, Portal, PortalConfig, UserKey};
use crate::support::run::Home;
use crate::terminal::Terminal;

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
        .leaves(".aws/credentials", "# mine\n\n[other]\nregion = x\n")
        .go();
    assert_eq!(left(&home, &key.secret), Vec::<PathBuf>::new());
    home.daypass("credential-process --profile dev").stdout_has("AccessKeyId").go();
    assert!(portal.calls().iter().all(|call| call.signed_by.as_ref() != Some(&key.id)), "the key was used");
    home.daypass("migrate dev").stderr_has("Profile dev has no key: it uses DeveloperAccess").go();
}

/// A shape of both files before and after; `{KEY}` is the two lines of the key, `{HELPER}` that of the helper.
struct Shape {
    config: &'static str,
    credentials: &'static str,
    config_after: &'static str,
    credentials_after: &'static str,
}

#[test]
fn every_shape_loses_its_key_and_nothing_else() {
    for (name, shape) in [
        (
            "a key in the config file",
            Shape {
                config: "\n[profile dev]\n# c\nregion = x\n{KEY}output = json\n",
                credentials: "",
                config_after: "\n[profile dev]\n# c\nregion = x\noutput = json\n{HELPER}",
                credentials_after: "",
            },
        ),
        (
            "a key in both files, and other keys in both",
            Shape {
                config: "\n[profile dev]\nregion = x\n{KEY}\n[profile b]\nregion = y\n",
                credentials: "[dev]\n{KEY}region = z\n[b]\nmfa = 1\n",
                config_after: "\n[profile dev]\nregion = x\n{HELPER}\n[profile b]\nregion = y\n",
                credentials_after: "[dev]\nregion = z\n[b]\nmfa = 1\n",
            },
        ),
        (
            "comments and a session token beside the key",
            Shape {
                config: "",
                credentials: "[dev]\n# before\n{KEY}# between\naws_session_token = old\n",
                config_after: "\n[profile dev]\n{HELPER}",
                credentials_after: "[dev]\n# before\n# between\n",
            },
        ),
        (
            "two profiles with one key, and another key",
            Shape {
                config: "\n[default]\nregion = x\n",
                credentials: "[default]\n{KEY}\n[dev]\n{KEY}\n[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n",
                config_after: "\n[default]\nregion = x\n{HELPER}\n[profile dev]\n{HELPER}",
                credentials_after: "\n[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n",
            },
        ),
        (
            "single sign-on keys beside the key",
            Shape {
                config: "\n[profile dev]\nsso_session = corp\nsso_account_id = 444455556666\nsso_role_name = Old\n",
                credentials: "[dev]\n{KEY}",
                config_after: "\n[profile dev]\n{HELPER}",
                credentials_after: "",
            },
        ),
        (
            "a profile that is its own source",
            Shape {
                config: "\n[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/R\nsource_profile = dev\nregion = x\n",
                credentials: "[dev]\n{KEY}",
                config_after: "\n[profile dev]\nrole_arn = arn:aws:iam::111122223333:role/R\nsource_profile = dev-base\nregion = x\n\
                               \n[profile dev-base]\n{HELPER}region = x\n",
                credentials_after: "",
            },
        ),
        (
            "values in quotation marks, which the Go SDK removes",
            Shape {
                config: "",
                credentials: "[dev]\naws_access_key_id = \"{ID}\"\naws_secret_access_key = '{SECRET}'\n",
                config_after: "\n[profile dev]\n{HELPER}",
                credentials_after: "",
            },
        ),
        (
            "upper-case keys and Windows line ends",
            Shape {
                config: "",
                credentials: "[dev]\r\nAWS_ACCESS_KEY_ID={ID}\r\nAWS_SECRET_ACCESS_KEY={SECRET}\r\n\r\n[b]\r\nregion = y\r\n",
                config_after: "\n[profile dev]\n{HELPER}",
                credentials_after: "[b]\r\nregion = y\r\n",
            },
        ),
    ] {
        let portal = Portal::live(one_role());
        let key = key(&portal);
        let with = |text: &str| {
            let lines = text.replace("{KEY}", &key.lines());
            lines.replace("{ID}", &key.id).replace("{SECRET}", &key.secret)
        };
        let home = home(&portal, &with(shape.config), &with(shape.credentials));
        let after = |text: &str| text.replace("{HELPER}", &helper("DeveloperAccess"));
        println!("{name}");
        home.daypass("migrate dev --yes")
            .any_stderr()
            .leaves(".aws/config", &format!("{SESSION}{}", after(shape.config_after)))
            .leaves(".aws/credentials", shape.credentials_after)
            .go();
        assert_eq!(left(&home, &key.secret), Vec::<PathBuf>::new(), "{name}");
        home.daypass("migrate --undo dev")
            .any_stderr()
            .leaves(".aws/config", &format!("{SESSION}{}", with(shape.config)))
            .leaves(".aws/credentials", &with(shape.credentials))
            .go();
        assert!(home.files_with(&key.secret).iter().all(|path| path.parent() == Some(&home.path(".aws"))), "{name}");
    }
}

#[test]
fn profiles_on_top_of_the_migrated_one_are_named_and_lose_their_mfa_device_with_consent() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let chain = "\n[profile a]\nrole_arn = arn:aws:iam::222233334444:role/A\nsource_profile = dev\nmfa_serial = arn:x\n\
                 \n[profile b]\nrole_arn = arn:aws:iam::222233334444:role/B\nsource_profile = a\n";
    let with_key = format!("[dev]\n{}", key.lines());
    let home_with = || home(&portal, chain, &with_key);
    home_with()
        .daypass("migrate dev")
        .stderr_has("Profile a assumes arn:aws:iam::222233334444:role/A through dev: its trust policy must allow DeveloperAccess.")
        .stderr_has("Check: aws sts get-caller-identity --profile b")
        .stderr_has("remove mfa_serial")
        .go();
    let home = home_with();
    home.daypass("migrate dev --yes").any_stderr().go();
    assert!(!home.read(".aws/config").contains("mfa_serial"));
}

#[test]
fn a_dry_run_shows_no_secret_and_changes_nothing() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let credentials = format!("[dev]\n{}[near]\naws_secret_access_key = near-by\n", key.lines());
    let home = home(&portal, "", &credentials);
    let shown = home
        .daypass("migrate dev --dry-run")
        .stdout_has("+[profile dev]\n")
        .stdout_has("-aws_secret_access_key = ********\n")
        .stderr_has("Dry run: Profile dev would use DeveloperAccess in 111122223333.")
        .leaves(".aws/credentials", &credentials)
        .go();
    assert!(!shown.stdout.contains("near-by") && !shown.stdout.contains(&key.id), "{shown}");
    assert_eq!(portal.count(Call::GetCallerIdentity), 0);
    home.daypass("retire").stderr_has("No migrated keys").go();
}

#[test]
fn what_could_not_work_is_refused_before_anything_is_changed() {
    let portal = Portal::live(PortalConfig::default());
    let (own, foreign) = (key(&portal), portal.new_user_key("999988887777", "eve"));
    let old = "aws_access_key_id = AKIAJ7UBQMD3WZ5RKXGA\naws_secret_access_key = s\n";
    let colon = key(&portal).lines().replace(" = ", ": ");
    let credentials = format!(
        "[colon]\n{colon}\n[two words]\n{}\n[example]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n\n\
         [dev]\n{}\n[foreign]\n{}\n[old]\n{old}\n[temporary]\naws_access_key_id = ASIAY34FZKBOKMUTVV7A\n\
         aws_secret_access_key = s\naws_session_token = t\n\n[minio]\naws_access_key_id = minioadmin\naws_secret_access_key = s\n",
        key(&portal).lines(),
        own.lines(),
        foreign.lines()
    );
    let home = home(&portal, "", &credentials);
    let config = home.read(".aws/config");
    for (command, status, error, hint) in [
        ("migrate dev --yes", 2, "several roles in account 111122223333", "daypass migrate --role DeveloperAccess dev --yes\n"),
        ("migrate dev --role Nobody", 4, "refuses role Nobody in account 111122223333", "daypass list corp"),
        ("migrate dev --account 444455556666 --role ReadOnly", 2, "belongs to account 111122223333", "daypass configure"),
        ("migrate foreign", 4, "corp gives you no role in account 999988887777", "ask your administrator"),
        ("migrate old", 2, "created before 2019", "daypass audit --ask"),
        ("migrate temporary", 2, "has temporary keys", "daypass configure --profile temporary-sso"),
        ("migrate example", 2, "has the key of an example", "${EDITOR:-vi} "),
        ("migrate colon", 2, "credentials:2, where only some AWS tools read it", "${EDITOR:-vi} "),
        ("migrate 'two words'", 2, "has a name that only some AWS tools read: rename it", "${EDITOR:-vi} "),
        ("migrate minio", 2, "keys that are not AWS's", "daypass configure --profile minio-sso"),
        ("migrate nowhere", 2, "no profile \"nowhere\"", "daypass list --profiles"),
        ("migrate dev --role ReadOnly --try 'exit 3'", 1, "fails with the credentials of ReadOnly", "daypass list"),
    ] {
        let failed = home.daypass(command).stderr_has(error).stderr_has(hint).status(status).go();
        assert!(!failed.stderr.contains(&own.secret), "{failed}");
        assert_eq!((home.read(".aws/config"), home.read(".aws/credentials")), (config.clone(), credentials.clone()), "{command}");
    }
    #[cfg(unix)]
    {
        let permit =
            |mode| fs::set_permissions(home.path(".aws/credentials"), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        permit(0o400);
        let refused =
            home.daypass("migrate dev --role ReadOnly").stderr_has("credentials is read-only\nhint: chmod u+w ").status(1).go();
        assert!(!refused.stderr.contains("Verified"), "{refused}");
        assert_eq!(home.read(".aws/config"), config);
        permit(0o600);
    }
    home.daypass("migrate dev --role ReadOnly")
        .with("AWS_ACCESS_KEY_ID", &own.id)
        .stderr_has("AWS_ACCESS_KEY_ID is set in this shell")
        .status(2)
        .go();
    home.write(
        ".bashrc",
        &format!("alias x=y\nexport AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n", own.id, own.secret),
    );
    let refused = home.daypass("migrate dev --role ReadOnly").stderr_has(".bashrc:2 sets key AKIA…").status(2);
    refused.stderr_has("\nhint: ${EDITOR:-vi} [HOME]/.bashrc\n").go();
    // Another key than that of the profile is no obstacle.
    home.write(".bashrc", &format!("export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\n", foreign.id, foreign.secret));
    home.daypass("migrate dev --role ReadOnly --dry-run")
        .stdout_has("credential_process")
        .stderr_has(".bashrc:1 sets key AKIA…")
        .stderr_has(": new shells use it instead of AWS_PROFILE\n")
        .go();
    fs::remove_file(home.path(".bashrc")).unwrap();
    home.write("AppData/AWSToolkit/RegisteredAccounts.json", r#"{"x":{"DisplayName":"dev","AWSAccessKey":"encrypted"}}"#);
    home.daypass("migrate dev --role ReadOnly")
        .with("LOCALAPPDATA", home.path("AppData"))
        .stderr_has("RegisteredAccounts.json contains profile \"dev\"")
        .status(2)
        .go();
    home.write(".aws/config", &format!("{config}[profile twice]\n[profile twice]\n"));
    home.daypass("migrate dev --role ReadOnly").stderr_has("the AWS CLI rejects this file").status(2).go();
    assert_eq!(home.read(".aws/credentials"), credentials);
    home.daypass("retire").stderr_has("No migrated keys").go();
    let keys = [own.id, foreign.id];
    assert!(portal.calls().iter().all(|call| !call.signed_by.as_ref().is_some_and(|id| keys.contains(id))), "a key was used");
}

#[test]
fn a_portal_without_a_session_block_gets_one_before_the_sign_in() {
    let portal = Portal::live(one_role());
    let home = Home::new().at(&portal);
    home.write(".aws/credentials", &format!("[dev]\n{}", key(&portal).lines()));
    let migrate = format!("migrate dev --role DeveloperAccess --start-url {} --sso-region us-east-1", portal.start_url());
    let refused = home.daypass(&migrate).stderr_has("not signed in").status(3).go();
    let hint = refused.stderr.split_once("hint: daypass ").unwrap().1.trim().to_owned();
    home.daypass(&hint).stderr_has("Next: daypass login sandbox\n").go();
    home.daypass("login sandbox --no-browser").any_stderr().go();
    home.daypass(&migrate).stderr_has("Profile dev now uses DeveloperAccess").go();
}

#[test]
fn credentials_of_another_account_than_the_keys_change_nothing() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let credentials = format!("[dev]\n{}", key.lines());
    let home = home(&portal, "", &credentials);
    let other = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:sts::444455556666:assumed-role/x/y</Arn><UserId>x</UserId><Account>444455556666</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>";
    portal.expect(Call::GetCallerIdentity).answered(Answer::body(200, other));
    home.daypass("migrate dev").stderr_has("belong to account 444455556666, not 111122223333").status(4).go();
    portal.expect(Call::GetCallerIdentity).answered(Answer::body(403, "no"));
    home.daypass("migrate dev").any_stderr().fails().leaves(".aws/credentials", &credentials).go();
    home.daypass("retire").stderr_has("No migrated keys").go();
}

#[test]
fn a_helper_that_does_not_work_is_taken_back() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let credentials = format!("[dev]\n{}", key.lines());
    let home = home(&portal, "", &credentials);
    home.write("bin/daypass", "#!/bin/sh\necho broken >&2\nexit 1\n");
    let path = home.path("bin/daypass");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    home.daypass(&format!("migrate dev --helper {}", path.display()))
        .stderr_has("the migrated profile does not work")
        .stderr_has("broken; the files are as they were")
        .status(1)
        .leaves(".aws/config", SESSION)
        .leaves(".aws/credentials", &credentials)
        .go();
    home.daypass("retire").stderr_has("No migrated keys").go();
}

#[test]
fn the_command_of_try_gets_the_new_credentials() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let home = home(&portal, "", &format!("[dev]\n{}", key.lines()));
    home.daypass("migrate dev --try 'echo $AWS_ACCESS_KEY_ID $AWS_ACCOUNT_ID > tried'").any_stderr().go();
    assert_eq!(home.read("tried"), format!("{} 111122223333\n", portal.issued()[0].access_key_id));
}

#[test]
fn all_migrates_what_is_certain_and_lists_the_rest() {
    let mut config = one_role();
    config.accounts.push(Account::new("444455556666", "Production", &["Admin", "ReadOnly"]));
    let portal = Portal::live(config);
    let (certain, open) = (key(&portal), portal.new_user_key("444455556666", "ada"));
    let credentials = format!("[dev]\n{}\n[prod]\n{}", certain.lines(), open.lines());
    let tools = "\n[profile granted]\ngranted_sso_start_url = https://sandbox.awsapps.com/start\ngranted_sso_region = us-east-1\n\
                 granted_sso_account_id = 111122223333\ngranted_sso_role_name = DeveloperAccess\n\
                 credential_process = granted credential-process --profile granted\nregion = x\n\
                 \n[profile vault]\ncredential_process = aws-vault exec vault --json\n";
    let home = home(&portal, tools, &credentials).with("TERM", "xterm");
    home.daypass("migrate --all")
        .stderr_has("Profile dev now uses DeveloperAccess")
        .stderr_has("granted now calls daypass.")
        .stderr_has("Profile vault is left alone: its role is known to aws-vault only.")
        .stderr_has("Not migrated:\n  prod: several roles in account 444455556666 could replace")
        .stderr_has("daypass migrate prod --session corp --role ReadOnly")
        .status(2)
        .leaves(".aws/credentials", &format!("[prod]\n{}", open.lines()))
        .go();
    let config = home.read(".aws/config");
    assert!(!config.contains("granted_sso") && config.contains("--role DeveloperAccess\nregion = x\n"), "{config}");
    home.daypass("configure --convert").stderr_has("To choose its role: daypass migrate vault\n").go();
    home.daypass("migrate vault").stderr_has("its role is known to aws-vault only").status(2).go();
    let mut terminal = Terminal::new(&home, "migrate vault", 80, 24);
    terminal
        .shows("Which role is for vault?")
        .types("prod,read\r")
        .shows("444455556666 --role ReadOnly")
        .answer("Write this?", "n");
    terminal.ends(130);
    home.daypass("migrate vault --account 111122223333 --role DeveloperAccess").stderr_has("vault now calls daypass").go();
    home.daypass("credential-process --profile vault").stdout_has("AccessKeyId").go();
}

#[test]
fn a_file_that_another_program_changes_meanwhile_keeps_that_change() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let home = home(&portal, "", &format!("[dev]\n{}", key.lines()));
    let latch = Latch::closed();
    portal.expect(Call::GetCallerIdentity).answered(Answer::served().after(&latch));
    let running = home.daypass("migrate dev").any_stderr().spawn();
    latch.wait_for_requests(1);
    home.write(".aws/credentials", &format!("[dev]\n{}[new]\nregion = y\n", key.lines()));
    home.write(".aws/config", &format!("{SESSION}[profile x]\nregion = z\n"));
    latch.open();
    running.wait();
    assert_eq!(home.read(".aws/credentials"), "[new]\nregion = y\n");
    assert!(home.read(".aws/config").contains("[profile x]\nregion = z\n\n[profile dev]\n"));
    home.daypass("migrate --undo dev").any_stderr().go();
    assert_eq!(home.read(".aws/credentials"), format!("[dev]\n{}[new]\nregion = y\n", key.lines()));
}

#[test]
fn undo_restores_bytes_and_mode_and_what_was_changed_since_stays() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let credentials = format!("# é\n[dev]\n{}", key.lines());
    let home = home(&portal, "", &credentials);
    let path = home.path(".aws/credentials");
    fs::rename(&path, home.path("dotfile")).unwrap();
    std::os::unix::fs::symlink(home.path("dotfile"), &path).unwrap();
    let mode = |mode: u32| fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    let mode_now = || std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777;
    mode(0o640);
    home.daypass("migrate dev").any_stderr().go();
    assert_eq!(mode_now(), 0o640);
    mode(0o600);
    home.daypass("migrate --undo").stderr_has("Restored dev").leaves("dotfile", &credentials).go();
    assert_eq!((mode_now(), path.is_symlink()), (0o640, true));
    assert_eq!(home.read(".aws/config"), SESSION);
    home.daypass("migrate dev").any_stderr().go();
    let config = home.read(".aws/config");
    home.write(".aws/config", &format!("{config}region = q\n[profile n]\nregion = y\n"));
    // A key that the profile got since is not overwritten.
    let (without, other) = (home.read(".aws/credentials"), portal.new_user_key("111122223333", "eve"));
    home.write(".aws/credentials", &format!("{without}[dev]\n{}", other.lines()));
    let refused = home.daypass("migrate --undo dev").stderr_has("has key AKIA…").stderr_has("which would be lost").status(2).go();
    assert!(home.read(".aws/credentials").contains(&other.secret), "{refused}");
    home.write(".aws/credentials", &without);
    home.daypass("migrate --undo dev").stderr_has("was changed since").go();
    assert_eq!(home.read(".aws/config"), format!("{SESSION}\n[profile dev]\nregion = q\n[profile n]\nregion = y\n"));
    assert_eq!(home.read(".aws/credentials"), credentials);
    home.daypass("migrate --undo dev").stderr_has("there are no migrated keys").status(2).go();
}

#[test]
fn copies_elsewhere_are_named() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let commented = key.lines().replace("aws_", "# aws_");
    let home = home(&portal, "", &format!("[dev]\n{}{commented}", key.lines()));
    home.write(".aws/credentials.old", &format!("[dev]\n{}", key.lines()));
    home.daypass("migrate dev")
        .stderr_has("The key is also in [HOME]/.aws/credentials.old:2\n")
        .stderr_has("The key is also in [HOME]/.aws/credentials:1\n")
        .leaves(".aws/credentials", &commented)
        .go();
}

#[test]
fn an_old_backup_with_the_secret_is_cleaned_with_consent() {
    let portal = Portal::live(one_role());
    let key = key(&portal);
    for (flag, cleaned) in [("", false), ("--yes", true)] {
        let home = home(&portal, "", &format!("[dev]\n{}", key.lines()));
        home.write(".aws/credentials.daypass.bak", &format!("[dev]\n{}", key.lines()));
        home.daypass(&format!("migrate dev {flag}")).any_stderr().go();
        assert_eq!(left(&home, &key.secret).is_empty(), cleaned, "{flag}");
    }
}

/// How many processes are killed: `DAYPASS_TEST_KILLS`, or a number that takes a few seconds.
#[allow(clippy::disallowed_methods)]
fn kills() -> usize {
    std::env::var("DAYPASS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// The seed of this run: `DAYPASS_TEST_SEED`, or a random one. Every failure prints it.
#[allow(clippy::disallowed_methods)]
fn seed() -> u64 {
    std::env::var("DAYPASS_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| fastrand::u64(..))
}

/// Whether each SDK gets credentials for the profile from these files: the key or the helper.
fn resolves(home: &Home, key: &UserKey, when: &str) {
    let texts = [".aws/config", ".aws/credentials"].map(|name| (home.path(name), home.read(name)));
    let [config, credentials] = texts;
    let config = Config::of_texts(config, credentials);
    assert!(config.rejections().is_empty(), "{when}");
    let precedence = Precedence::new(&config);
    let block = precedence.profile("dev").unwrap_or_else(|| panic!("{when}: no profile"));
    // .NET alone accepts no helper in one file beside a key in the other, as between the two writes.
    for sdk in Sdk::ALL.into_iter().filter(|sdk| *sdk != Sdk::Dotnet) {
        let used = precedence.of_profile(sdk, block).into_iter().next();
        let works = used.as_ref().is_some_and(|source| match source.kind {
            Kind::StaticKey => source.key_id.as_ref() == Some(&key.id) && block.text("aws_secret_access_key") == Some(&key.secret),
            kind => kind == Kind::Daypass,
        });
        assert!(works, "{when}: {sdk:?} uses {used:?}");
    }
}

#[test]
fn a_kill_at_any_moment_leaves_a_working_profile_and_the_key_in_a_file_or_the_keyring() {
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let portal = Portal::live(one_role());
    let key = key(&portal);
    let others = "\n[near]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = near-by\n";
    let credentials = format!("[dev]\n{}{others}", key.lines());
    let home = home(&portal, "\n[profile dev]\nregion = x\n", &credentials);
    home.daypass("credential-process --session corp --account 111122223333 --role DeveloperAccess").any_output().go();
    let start = Instant::now();
    home.daypass("migrate dev").any_stderr().go();
    let mut longest = start.elapsed();
    let (mut reached, mut undone) = ([0; 4], false);
    for round in 0..kills() {
        let when = format!("seed {seed}, round {round}");
        // Half of the kills hit an undo.
        let command = if undone { "migrate dev" } else { "migrate --undo dev" };
        let running = home.daypass(command).any_output().spawn();
        // The kill is meant to be random: nothing depends on the length of this pause.
        std::thread::sleep(longest.mul_f64(random.f64()));
        running.kill();
        resolves(&home, &key, &when);
        let in_file = home.read(".aws/credentials").contains(&key.secret);
        let in_vault = home.files_with(&key.secret).iter().any(|path| path.starts_with(home.path("data")));
        assert!(in_file || in_vault, "{when}: the key is lost");
        reached[usize::from(in_file) * 2 + usize::from(in_vault)] += 1;
        // Any other file may contain it only if an undo was killed while it wrote the file.
        let elsewhere = left(&home, &key.secret).into_iter().filter(|path| *path != home.path(".aws/credentials"));
        let elsewhere: Vec<_> = elsewhere.collect();
        assert!(elsewhere.is_empty() || !undone, "{when}: {elsewhere:?}");
        let start = Instant::now();
        let again = home.daypass(command).any_output().status_of([0, 2]).go();
        longest = longest.max(start.elapsed().min(Duration::from_secs(1)));
        assert!(again.status.success() || again.stderr.contains("there are no migrated keys"), "{when}\n{again}");
        assert_eq!(left(&home, &key.secret).is_empty(), undone, "{when}: {again}");
        undone = !undone;
        let expected = if undone { credentials.clone() } else { others.to_owned() };
        assert_eq!(home.read(".aws/credentials").trim_start(), expected.trim_start(), "{when}\n{again}");
    }
    eprintln!("in neither, only the keyring, only a file, both: {reached:?}");
    assert_eq!(reached[0], 0);
}
