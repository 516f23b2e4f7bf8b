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
            "PROFILE  ACCOUNT       ROLE             REGION     SESSION\ndev      111122223333  DeveloperAccess  eu-west-1  corp\n",
        )
        .go();
    home.daypass("list --profiles --format csv --filter nowhere")
        .stdout("profile,account,role,region,session,overridden_by\n")
        .any_stderr()
        .go();
    let json = home.daypass("list corp --profiles --format json").stdout_has("[").go().json();
    assert_eq!(json[0]["profile"], "dev");
    home.daypass("list nowhere --profiles").any_stderr().status(2).go();
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
    let (narrow, longest) = on_terminal(&home, 70);
    assert!(longest <= 70 && !narrow.contains("example.com"), "{narrow}");
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
