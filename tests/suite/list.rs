//! `list`: filters, formats, wide and narrow terminals.

use crate::support::portal::{Account, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, pexpect, signed_in};

#[test]
fn a_row_must_contain_every_word_of_the_filter() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let prod = "account_id,account_name,account_email,role,profiles\n444455556666,Production,production@example.com,ReadOnly,\n";
    home.daypass("list --format csv --filter 'PROD read'").stdout(prod).go();
    home.daypass("list --format csv --filter read --filter prod").stdout(prod).go();
    home.daypass("list --format csv --filter dev --filter 1111 --filter developeraccess").stdout_has(",DeveloperAccess,dev\n").go();
    home.daypass("list --filter nothing-like-it").stdout_has("ACCOUNT").stderr("No matches.\n").go();
}

#[test]
fn the_profiles_are_listed_without_network_or_keyring() {
    let portal = Portal::strict();
    let home = configured(&portal).keyring("nonsense");
    home.daypass("list --profiles")
        .stdout(
            "PROFILE  SOURCE          ACCOUNT       ROLE             REGION\n\
             dev      daypass (corp)  111122223333  DeveloperAccess  eu-west-1\n",
        )
        .go();
    home.daypass("list --profiles --format csv --filter nowhere")
        .stdout("profile,source,account,role,region,session,via,overridden_by,place,problem,hint\n")
        .any_stderr()
        .go();
    let json = home.daypass("list corp --profiles --format json").stdout_has("[").go().json();
    assert_eq!(json[0]["profile"], "dev");
    home.daypass("list nowhere --profiles").any_stderr().status(2).go();
}

/// Profiles with each source of credentials: what they contain, the source for programs and for people, and what follows in CSV.
const SOURCES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "native",
        "sso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Dev",
        "sso",
        "SSO (corp)",
        "111122223333,Dev,,corp",
    ),
    (
        "legacy",
        "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = Dev",
        "sso",
        "SSO",
        "111122223333,Dev,,https://x.awsapps.com/start",
    ),
    ("key", "aws_access_key_id = {ID}\naws_secret_access_key = s", "static-key", "static key", "111122223333"),
    ("minio", "aws_access_key_id = minio\naws_secret_access_key = s", "static-key", "static key", ""),
    ("temporary", "aws_access_key_id = x\naws_secret_access_key = s\naws_session_token = t", "temporary-key", "temporary key", ""),
    (
        "granted",
        "granted_sso_start_url = https://x.awsapps.com/start\ngranted_sso_region = us-east-1\ngranted_sso_account_id = 111122223333\n\
         granted_sso_role_name = Dev\ncredential_process = granted credential-process --profile granted",
        "granted",
        "Granted",
        "111122223333,Dev",
    ),
    ("vault", "credential_process = aws-vault export --format=json x", "aws-vault", "aws-vault", ""),
    ("ssocli", "credential_process = aws-sso process -A 111122223333 -R Dev", "aws-sso-cli", "aws-sso-cli", "111122223333,Dev"),
    (
        "role",
        "role_arn = arn:aws:iam::222233334444:role/team/Deploy\nsource_profile = dev",
        "assume-role",
        "role via dev",
        "222233334444,Deploy,eu-west-1,corp,dev",
    ),
    (
        "instance",
        "role_arn = arn:aws:iam::222233334444:role/Deploy\ncredential_source = Ec2InstanceMetadata",
        "assume-role",
        "role via Ec2InstanceMetadata",
        "222233334444,Deploy,,,Ec2InstanceMetadata",
    ),
    (
        "web",
        "role_arn = arn:aws:iam::222233334444:role/Deploy\nweb_identity_token_file = /t",
        "web-identity",
        "web identity",
        "222233334444,Deploy",
    ),
    ("login", "login_session = x", "login", "aws login", ""),
    ("other", "credential_process = /opt/bin/vend --for me", "credential-process", "process vend", ""),
    ("plain", "region = eu-west-1", "none", "none", ""),
    ("gone", "sso_session = gone\nsso_account_id = 111122223333\nsso_role_name = Dev", "broken", "broken", ""),
    ("half", "role_arn = arn:aws:iam::222233334444:role/Deploy\nsource_profile = nowhere", "broken", "broken", ""),
    (
        "lost",
        "credential_process = daypass credential-process --session lost --account 111122223333 --role R",
        "broken",
        "broken",
        "",
    ),
];

#[test]
fn each_profile_is_listed_with_the_source_of_its_credentials() {
    let home = configured(&Portal::strict()).keyring("nonsense");
    let profile = |(name, keys, ..): &(&str, &str, &str, &str, &str)| format!("\n[profile {name}]\n{keys}\n");
    let text: String = SOURCES.iter().map(profile).collect();
    // A key of account 111122223333.
    home.write(".aws/config", &(home.read(".aws/config") + &text.replace("{ID}", "AKIARTX3GSDSQAAAAMBZ")));
    let csv = home.daypass("list --profiles --format csv").any_stderr().stdout_has("dev,daypass,").go().stdout;
    let table = home.daypass("list --profiles").any_stderr().stdout_has("PROFILE").go().stdout;
    let json = home.daypass("list --profiles --format json").any_stderr().stdout_has("[").go().json();
    for (name, _, source, shown, rest) in SOURCES {
        let row = csv.lines().find(|line| line.starts_with(&format!("{name},"))).unwrap_or_else(|| panic!("{name}: {csv}"));
        assert!(row.starts_with(&format!("{name},{source},{rest}")), "{row}");
        let entry = json.as_array().unwrap().iter().find(|entry| entry["profile"] == *name).unwrap();
        assert_eq!(entry["source"], *source, "{name}");
        let cells = table.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{name}: {table}"));
        assert!(cells[name.len()..].trim_start().starts_with(shown), "{cells}");
        if *source == "broken" {
            assert!(entry["place"].as_str().unwrap().contains(".aws/config:"), "{entry}");
            assert!(entry["problem"].is_string() && entry["hint"].is_string(), "{entry}");
        }
    }
    assert!(table.contains("config:74): source_profile \"nowhere\" does not exist\nhint: "), "{table}");
    assert!(table.ends_with("\n4 profiles can be moved to daypass: daypass migrate --all\n"), "{table}");
    let one = home.daypass("list --profiles --filter static --filter 1111").any_stderr().stdout_has("key").go().stdout;
    assert!(one.ends_with("\n1 profile can be moved to daypass: daypass migrate key\n"), "{one}");
    // Only the profiles of the portal.
    let table = home.daypass("list corp --profiles").any_stderr().stdout_has("role").go().stdout;
    assert!(!table.contains("legacy") && !table.contains("minio"), "{table}");
}

#[test]
fn names_from_the_server_are_cleaned_in_every_format() {
    let evil = "Evil\u{1b}[2J\u{9b}31m\u{202e}\nname, \"x\"";
    let accounts = vec![Account { name: Some(evil.to_owned()), ..Account::new("111122223333", "x", &["ReadOnly"]) }];
    let portal = Portal::live(PortalConfig { accounts, ..PortalConfig::default() });
    let home = signed_in(&portal);
    for format in ["table", "csv", "json"] {
        let text = home.daypass(&format!("list --format {format}")).stdout_has("ReadOnly").go().stdout;
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{format}: {text:?}");
    }
    assert_eq!(home.daypass("list --format json").stdout_has("[").go().json()[0]["account_name"], evil);
}

/// The output of `list` on a terminal with this many columns, and the length of its longest line.
fn on_terminal(home: &Home, columns: usize) -> (String, usize) {
    let script = format!(
        "print(pexpect.run('daypass list', encoding='utf-8', dimensions=(50, {columns})).replace('\\r\\n', '\\n'), end='')"
    );
    let text = pexpect(home, &script);
    // The progress line is cleared before the table is printed.
    let table = text.rsplit("\r\u{1b}[K").next().unwrap().replace("\u{1b}[1m", "").replace("\u{1b}[m", "");
    let longest = table.lines().map(|line| line.chars().count()).max().unwrap();
    (text, longest)
}

#[test]
fn the_table_fits_terminals_of_any_width() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("TERM", "xterm").with("LC_ALL", "C.UTF-8");
    let (wide, _) = on_terminal(&home, 200);
    assert!(wide.contains("\u{1b}[1mACCOUNT       NAME") && wide.contains("Development  DeveloperAccess  dev\n"), "{wide}");
    let (narrow, longest) = on_terminal(&home, 60);
    assert!(longest <= 60 && narrow.contains("DeveloperAcc") && narrow.lines().count() < 10, "{narrow}");
    let (blocks, longest) = on_terminal(&home, 40);
    assert!(longest <= 40 && blocks.contains("  DeveloperAccess\n"), "{blocks}");
    let (plain, _) = on_terminal(&home.with("NO_COLOR", "1"), 200);
    assert!(!plain.contains("\u{1b}[1m"), "{plain}");
}

#[test]
fn piped_output_is_complete_uncoloured_and_without_progress() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("COLUMNS", "20").with("TERM", "xterm");
    let text = home.daypass("list").stdout_has("Development  DeveloperAccess  dev\n").go().stdout;
    assert!(!text.contains('\u{1b}'));
    assert_eq!(portal.count(Call::ListAccounts), 1);
}

#[test]
fn without_a_utf_8_locale_output_is_ascii() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("LC_ALL", "C");
    for arguments in ["list", "status", "list --profiles", "--help", "env --help", "status --prompt"] {
        let text = home.daypass(arguments).any_output().go().stdout;
        assert!(text.is_ascii(), "{arguments}: {text}");
    }
}
