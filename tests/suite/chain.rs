//! Roles that are assumed on top of a role of the portal.

use std::time::Duration;

use crate::support::portal::{Answer, Call, IamRole, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, make_stale, signed_in};

const DEPLOY: &str = "arn:aws:iam::222233334444:role/Deploy";
const AUDIT: &str = "arn:aws:iam::333344445555:role/team/Audit";
const NATIVE: &str = "[sso-session corp]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\n\n\
    [profile native]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = DeveloperAccess\n";

/// Adds text to the config file.
fn add(home: &Home, text: &str) {
    home.write(".aws/config", &format!("{}\n{text}\n", home.read(".aws/config")));
}

/// A signed-in home with the profile `deploy` on top of `dev`, and `audit` on top of `deploy`.
fn chained(portal: &Portal) -> Home {
    let home = signed_in(portal);
    add(
        &home,
        &format!(
            "[profile deploy]\nrole_arn = {DEPLOY}\nsource_profile = dev\n\n\
             [profile audit]\nrole_arn = {AUDIT}\nsource_profile = deploy\nregion = eu-central-1\n"
        ),
    );
    home
}

/// The field of the last `AssumeRole`.
fn asked(portal: &Portal, field: &str) -> String {
    let calls = portal.calls();
    calls.iter().rfind(|call| call.call == Some(Call::AssumeRole)).unwrap().field(field).to_owned()
}

/// The access key ID that a command prints.
fn key_of(home: &Home, arguments: &str) -> String {
    let document = home.daypass(&format!("credential-process {arguments}")).stdout_has("AccessKeyId").any_stderr().go().json();
    document["AccessKeyId"].as_str().unwrap().to_owned()
}

#[test]
fn a_profile_assumes_its_role_with_the_credentials_of_its_source() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    let key = key_of(&home, "--profile deploy");
    let issued = portal.issued();
    assert_eq!(issued.iter().map(|keys| &*keys.role).collect::<Vec<_>>(), ["DeveloperAccess", "Deploy"]);
    assert_eq!(key, issued[1].access_key_id);
    // CloudTrail shows the person.
    assert_eq!(asked(&portal, "RoleSessionName"), "ada@example.com");
    assert_eq!((&*asked(&portal, "DurationSeconds"), &*asked(&portal, "ExternalId")), ("", ""));
    let script = "echo $AWS_ACCESS_KEY_ID $AWS_ACCOUNT_ID $AWS_REGION $DAYPASS_ACTIVE";
    let shown = format!("{key} 222233334444 eu-west-1 {key} deploy\n");
    home.daypass(&format!("exec deploy -- sh -c '{script}'")).stdout(&shown).go();
    home.program("sh").args(["-c", &format!("eval \"$(daypass env deploy)\"; {script}")]).stdout(&shown).go();
    assert_eq!((portal.count(Call::AssumeRole), portal.count(Call::GetCallerIdentity)), (1, 1));
    // The base has credentials of its own.
    assert_eq!(key_of(&home, "--profile dev"), issued[0].access_key_id);
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn native_legacy_and_self_referring_profiles_are_sources_too() {
    let portal = Portal::live(PortalConfig::default());
    let home = Home::new().at(&portal);
    let own = "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = DeveloperAccess\n";
    let legacy = "sso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\n\
                  sso_role_name = DeveloperAccess\n";
    home.write(
        ".aws/config",
        &format!(
            "{NATIVE}\n[profile legacy]\n{legacy}\n[profile a]\nrole_arn = {DEPLOY}\nsource_profile = native\n\
             [profile b]\nrole_arn = {DEPLOY}\nsource_profile = legacy\n[profile c]\nrole_arn = {DEPLOY}\nsource_profile = c\n{own}"
        ),
    );
    home.daypass("login corp --no-browser").any_stderr().go();
    // The legacy profile uses the same sign-in, because its portal is the same.
    let keys: Vec<String> = ["a", "b", "c"].iter().map(|name| key_of(&home, &format!("--profile {name}"))).collect();
    assert_eq!(keys, [&*keys[0]; 3], "the same chain");
    assert_eq!(portal.count(Call::AssumeRole), 1);
}

#[test]
fn a_chain_of_two_roles_looks_the_name_up_once_and_caches_both() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    let key = key_of(&home, "--profile audit");
    let issued = portal.issued();
    assert_eq!(issued.iter().map(|keys| &*keys.role).collect::<Vec<_>>(), ["DeveloperAccess", "Deploy", "Audit"]);
    assert_eq!(key, issued[2].access_key_id);
    assert_eq!(key_of(&home, "--profile deploy"), issued[1].access_key_id);
    assert_eq!((portal.count(Call::AssumeRole), portal.count(Call::GetCallerIdentity)), (2, 1));
    // Each role is assumed in its profile's region, else in that of its source.
    let calls = portal.calls();
    let regions = calls.iter().filter(|call| call.call == Some(Call::AssumeRole)).map(|call| call.region.clone().unwrap());
    assert_eq!(regions.collect::<Vec<_>>(), ["eu-west-1", "eu-central-1"]);
}

#[test]
fn the_keys_of_the_profile_are_honoured_and_a_long_duration_is_limited() {
    let role = IamRole { external_id: Some("x-1/2".to_owned()), ..IamRole::new(DEPLOY, &["AWSReservedSSO_DeveloperAccess_"]) };
    let portal = Portal::live(PortalConfig { roles: vec![role], ..PortalConfig::default() });
    let home = signed_in(&portal);
    let keys = "external_id = x-1/2\nrole_session_name = release\nduration_seconds = 43200\nregion = ap-south-1\n";
    add(&home, &format!("[profile deploy]\nrole_arn = {DEPLOY}\nsource_profile = dev\n{keys}"));
    let ask = || home.daypass("credential-process --profile deploy").stdout_has("222233334444");
    ask().stderr_has("valid for one hour").go();
    ask().go();
    for (field, value) in [("RoleSessionName", "release"), ("DurationSeconds", "3600"), ("ExternalId", "x-1/2")] {
        assert_eq!(asked(&portal, field), value);
    }
    assert_eq!(portal.calls().last().unwrap().region.as_deref(), Some("ap-south-1"));
    assert_eq!(portal.count(Call::GetCallerIdentity), 0);
}

#[test]
fn flags_assume_a_role_on_top_of_a_profile_or_of_a_role() {
    let role = IamRole { allows_source_identity: true, ..IamRole::new(DEPLOY, &["AWSReservedSSO_DeveloperAccess_"]) };
    let portal = Portal::live(PortalConfig { roles: vec![role], ..PortalConfig::default() });
    let home = signed_in(&portal);
    let on_role = "--session corp --account 111122223333 --role DeveloperAccess";
    let plain = key_of(&home, &format!("--profile dev --assume-role {DEPLOY}"));
    assert_eq!(plain, key_of(&home, &format!("{on_role} --assume-role {DEPLOY}")), "one chain, however it is named");
    let limited = key_of(&home, &format!("{on_role} --assume-role {DEPLOY} --policy read-only --duration 15m"));
    assert_ne!(plain, limited);
    assert_eq!(asked(&portal, "PolicyArns.member.1.arn"), "arn:aws:iam::aws:policy/ReadOnlyAccess");
    assert_eq!(asked(&portal, "DurationSeconds"), "900");
    home.write("policy.json", "{\n  \"Version\": \"2012-10-17\"\n}\n");
    let arguments = format!("{on_role} --assume-role {DEPLOY} --policy policy.json --source-identity ada --role-session-name x1");
    let by_file = key_of(&home, &arguments);
    assert_eq!(asked(&portal, "Policy"), r#"{"Version":"2012-10-17"}"#);
    assert_eq!((&*asked(&portal, "SourceIdentity"), &*asked(&portal, "RoleSessionName")), ("ada", "x1"));
    // Another text of the policy is another key.
    home.write("policy.json", "{}");
    assert_ne!(by_file, key_of(&home, &arguments));
    home.daypass(&format!("env dev --assume-role {DEPLOY} --shell sh")).stdout_has("Deploy@222233334444'").go();
    home.daypass("env dev --external-id x --shell sh").stderr_has("--assume-role").status(2).go();
    home.daypass("env dev --assume-role Deploy --shell sh").stderr_has("\"Deploy\" is not the ARN of a role").status(2).go();
    home.write("policy.json", "{");
    home.daypass(&format!("credential-process {arguments}")).stderr_has("policy.json is not JSON").status(2).go();
}

#[test]
fn a_refused_role_is_never_replaced_by_its_base() {
    let portal = Portal::live(PortalConfig { roles: Vec::new(), ..PortalConfig::default() });
    let home = chained(&portal);
    for (profile, source, role) in [
        ("deploy", "DeveloperAccess in account 111122223333", DEPLOY),
        // The first role of the chain fails.
        ("audit", "DeveloperAccess in account 111122223333", DEPLOY),
    ] {
        for command in ["credential-process --profile", "exec"] {
            let command = if command == "exec" { format!("exec {profile} -- env") } else { format!("{command} {profile}") };
            home.daypass(&command).stderr_has(&format!("daypass: {source} can't assume {role}: ")).status(4).go();
        }
    }
    // A moment later the refusal is known.
    assert_eq!(portal.count(Call::AssumeRole), 1);
    // If access is taken away, unexpired credentials are not extended.
    portal.change(|config| config.roles = PortalConfig::default().roles);
    let home = chained(&portal);
    key_of(&home, "--profile deploy");
    portal.change(|config| config.roles.clear());
    make_stale(&home);
    home.daypass("credential-process --profile deploy").stderr_has("can't assume").status(4).go();
}

#[test]
fn a_base_that_expired_early_is_fetched_again_once() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    key_of(&home, "--profile dev");
    portal.expire_keys();
    key_of(&home, "--profile deploy");
    assert_eq!((portal.count(Call::GetRoleCredentials), portal.count(Call::AssumeRole)), (2, 2));
    assert_eq!(portal.count(Call::GetCallerIdentity), 1);
    // Through two roles, whose cached credentials no longer work either.
    portal.expire_keys();
    key_of(&home, "--profile audit");
    assert_eq!(portal.count(Call::GetRoleCredentials), 3);
    // Only once.
    portal.expect(Call::AssumeRole).times(2).answered(Answer::sts("ExpiredToken", 403));
    let role = "credential-process --profile dev --assume-role arn:aws:iam::222233334444:role/Other";
    home.daypass(role).stderr_has("can't assume").stderr_has("\nhint: daypass login corp").status(3).go();
}

#[test]
fn without_the_persons_name_the_role_is_assumed_under_another() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    portal.expect(Call::GetCallerIdentity).answered(Answer::status(503));
    key_of(&home, "--profile audit");
    assert_eq!(asked(&portal, "RoleSessionName"), "daypass");
    assert_eq!((portal.count(Call::GetCallerIdentity), portal.count(Call::AssumeRole)), (1, 2));
}

#[test]
fn if_sts_fails_unexpired_credentials_are_returned_and_a_throttled_call_is_retried() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    portal.expect(Call::AssumeRole).answered(Answer::sts("Throttling", 400));
    let key = key_of(&home, "--profile deploy");
    assert_eq!(portal.count(Call::AssumeRole), 2);
    make_stale(&home);
    portal.expect(Call::AssumeRole).any_number_of_times().answered(Answer::status(503));
    assert_eq!(key_of(&home, "--profile deploy"), key);
    let calls = portal.requests();
    assert_eq!(key_of(&home, "--profile deploy"), key, "a moment later, without a call");
    assert_eq!(portal.requests(), calls);
}

#[test]
fn a_sign_out_deletes_the_credentials_of_assumed_roles() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    key_of(&home, "--profile audit");
    home.daypass("status").stdout_has("Deploy via DeveloperAccess@111122223333").stdout_has("333344445555").go();
    home.daypass("logout corp").any_stderr().go();
    home.daypass("credential-process --profile audit").stderr_has("not signed in to corp").status(3).go();
    for secret in portal.secrets().iter().filter(|secret| secret.contains("-key-") || secret.contains("-session-")) {
        assert_eq!(home.files_with(secret), Vec::<std::path::PathBuf>::new());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn forty_cold_calls_make_one_exchange_and_assume_the_role_once() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    let running: Vec<_> = (0..40)
        .map(|n| {
            let form = ["--profile deploy".to_owned(), format!("--profile dev --assume-role {DEPLOY}")];
            home.daypass(&format!("credential-process {}", form[n % 2])).stdout_has("AccessKeyId").spawn()
        })
        .collect();
    let answers: Vec<String> = running.into_iter().map(|run| run.wait().stdout).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let counts = [Call::GetRoleCredentials, Call::AssumeRole, Call::GetCallerIdentity].map(|call| portal.count(call));
    assert_eq!(counts, [1, 1, 1]);
}

#[test]
fn lists_show_the_role_and_its_source() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    home.daypass("list --profiles")
        .stdout_has("deploy   role via dev     222233334444  Deploy ")
        .stdout_has("audit    role via deploy  333344445555  Audit ")
        .go();
    let entries = home.daypass("list --profiles --format json").stdout_has("[").go().json();
    let deploy = entries.as_array().unwrap().iter().find(|entry| entry["profile"] == "deploy").unwrap();
    assert_eq!((&deploy["role"], &deploy["via"], &deploy["account"]), (&"Deploy".into(), &"dev".into(), &"222233334444".into()));
    // It is not a profile of its base role.
    home.daypass("list corp --filter DeveloperAccess --format csv").stdout_has("DeveloperAccess,dev\n").go();
}

#[test]
fn the_console_opens_with_the_base_and_a_link_switches_the_role() {
    let portal = Portal::live(PortalConfig::default());
    let home = chained(&portal);
    home.daypass("console deploy --print")
        .stdout(
            "https://sandbox.awsapps.com/start/#/console?account_id=111122223333&role_name=DeveloperAccess\n\
             https://signin.aws.amazon.com/switchrole?account=222233334444&roleName=Deploy&displayName=deploy\n",
        )
        .go();
    home.daypass("console audit --print").stderr_has("\nhint: daypass console deploy\n").status(2).go();
}

#[test]
fn configure_writes_a_line_that_assumes_the_role() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write("policy.json", "{}");
    let flags = format!("--assume-role {DEPLOY} --role-session-name ada+1 --duration 30m --policy policy.json");
    let role = "--session corp --account 111122223333 --role DeveloperAccess --profile deploy";
    home.daypass(&format!("configure {role} {flags}")).any_stderr().go();
    let path = home.path("policy.json").canonicalize().unwrap();
    let line = format!(
        "credential_process = [DAYPASS] credential-process --session corp --account 111122223333 --role DeveloperAccess \
         --assume-role {DEPLOY} --role-session-name ada+1 --duration 30m --policy {}\n",
        path.display()
    );
    let line = line.replace("[DAYPASS]", crate::support::run::DAYPASS);
    assert!(home.read(".aws/config").contains(&line), "{}", home.read(".aws/config"));
    key_of(&home, "--profile deploy");
    assert_eq!((&*asked(&portal, "RoleSessionName"), &*asked(&portal, "DurationSeconds")), ("ada+1", "1800"));
    home.daypass("list --profiles").stdout_has("daypass via DeveloperAccess@111122223333  222233334444  Deploy").go();
    home.daypass(&format!("configure {role} {flags}")).stderr_has("already up to date").go();
    home.daypass(&format!("configure {role} --assume-role x")).stderr_has("\"x\" is not the ARN").status(2).go();
    let odd = format!("configure {role} --assume-role {DEPLOY} --external-id 'a b'");
    home.daypass(&odd).stderr_has("\"a b\" can't be an argument").status(2).go();
}

#[test]
fn convert_turns_chains_into_lines_of_the_same_meaning() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let native = "[profile native]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = DeveloperAccess\n";
    add(
        &home,
        &format!(
            "{native}\n[profile deploy]\nrole_arn = {DEPLOY}\nsource_profile = native\nduration_seconds = 7200\noutput = json\n\n\
             [profile audit]\nrole_arn = {AUDIT}\nsource_profile = deploy\nrole_session_name = x1\n\n\
             [profile mfa]\nrole_arn = {AUDIT}\nsource_profile = dev\nmfa_serial = arn:aws:iam::1:mfa/x\n\n\
             [profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = x\n\
             [profile static]\nrole_arn = {DEPLOY}\nsource_profile = keys\n"
        ),
    );
    home.daypass("login corp --no-browser").any_stderr().go();
    let before = key_of(&home, "--profile audit");
    home.daypass("configure --convert").stderr_has("native, deploy, audit").go();
    let config = home.read(".aws/config");
    let start = format!("credential_process = {} credential-process", crate::support::run::DAYPASS);
    for section in [
        format!(
            "[profile deploy]\n{start} --session corp --account 111122223333 --role DeveloperAccess --assume-role {DEPLOY} \
             --duration 3600\noutput = json\n"
        ),
        format!("[profile audit]\n{start} --profile deploy --assume-role {AUDIT} --role-session-name x1\n"),
    ] {
        let sorted = |text: &str| text.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        assert!(sorted(&section).is_subset(&sorted(&config)), "{section}\n{config}");
    }
    assert!(config.contains("mfa_serial") && config.matches("role_arn").count() == 2, "{config}");
    assert_eq!(
        key_of(&home, "--profile deploy"),
        key_of(&home, &format!("--profile native --assume-role {DEPLOY} --duration 3600"))
    );
    assert_ne!(key_of(&home, "--profile audit"), before, "with another duration of its source");
}

#[test]
fn a_broken_chain_names_the_profiles_and_lines() {
    let portal = Portal::strict();
    let home = Home::new().at(&portal);
    let role = format!("role_arn = {DEPLOY}\nsource_profile");
    for (text, profile, expected) in [
        (
            format!("[profile a]\n{role} = b\n[profile b]\n{role} = a\n"),
            "a",
            "in a cycle: \"a\" ([HOME]/.aws/config:1) → \"b\" ([HOME]/.aws/config:4) → \"a\" ([HOME]/.aws/config:1)".to_owned(),
        ),
        (
            format!("[profile a]\n{role} = b\n[profile c]\nregion = x\n"),
            "a",
            "[HOME]/.aws/config:3: there is no profile \"b\" in [HOME]/.aws/config".to_owned(),
        ),
        (
            format!("[profile a]\n{role} = a\n"),
            "a",
            format!("profile \"a\" ([HOME]/.aws/config:1) assumes {DEPLOY} with its own credentials, and has none"),
        ),
        (
            format!("[profile a]\n{role} = k\n[profile k]\naws_access_key_id = A\naws_secret_access_key = s\n"),
            "a",
            format!(
                "{DEPLOY} is assumed with the credentials of profile \"k\", which has static access keys ([HOME]/.aws/config:5)"
            ),
        ),
        (
            format!("[profile a]\n{role} = n\nmfa_serial = arn:x\n{NATIVE}"),
            "a",
            format!("profile \"a\" assumes {DEPLOY} with a code of an MFA device, which the AWS SDK does itself"),
        ),
        (
            format!("[profile a]\nrole_arn = nonsense\nsource_profile = native\n{NATIVE}"),
            "a",
            "[HOME]/.aws/config:2: \"nonsense\" is not the ARN of a role".to_owned(),
        ),
        (
            format!("[profile a]\n{role} = native\nduration_seconds = soon\n{NATIVE}"),
            "a",
            "[HOME]/.aws/config:4: \"soon\" is not a number of seconds".to_owned(),
        ),
    ] {
        home.write(".aws/config", &text);
        home.daypass(&format!("credential-process --profile {profile}")).stderr_has(&expected).status(2).go();
    }
    let hops: Vec<String> = (0..6).map(|n| format!("[profile p{n}]\n{role} = p{}\n", n + 1)).collect();
    home.write(".aws/config", &format!("{}{}", hops.concat(), NATIVE.replace("profile native", "profile p6")));
    home.daypass("credential-process --profile p0").stderr_has("6 roles are assumed one after another").status(2).go();
    home.daypass("credential-process --profile p1").stderr_has("not signed in to corp").status(3).go();
    home.write(".aws/config", &format!("[profile a]\n{role} = native\n{NATIVE}"));
    home.daypass("env a --role ReadOnly --shell sh").stderr_has("\nhint: daypass env native\n").status(2).go();
}

#[test]
fn the_endpoint_of_sts_is_its_own() {
    let portal = Portal::live(PortalConfig { role_ttl: Duration::from_hours(2), ..PortalConfig::default() });
    let home = chained(&portal).without("AWS_ENDPOINT_URL_STS").with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let config = home.read(".aws/config").replace("source_profile = dev\n", "source_profile = dev\nservices = local\n");
    home.write(".aws/config", &format!("{config}\n[services local]\nsts =\n  endpoint_url = {}\n", portal.url()));
    key_of(&home, "--profile deploy");
    assert_eq!(portal.count(Call::AssumeRole), 1);
    let bad = home.daypass("credential-process --profile audit").with("AWS_ENDPOINT_URL_STS", "http://sts.example.com");
    bad.stderr_has("(AWS_ENDPOINT_URL_STS) is plain http").status(2).go();
}
