//! `configure` on a terminal: the wizard.

use crate::support::portal::{Account, Approval, Portal, PortalConfig};
use crate::support::run::DAYPASS;
use crate::terminal::{DOWN, Terminal, home, signed_in};

#[test]
fn the_wizard_creates_a_working_profile_from_four_answers() {
    for (columns, lines) in [(80, 24), (40, 15)] {
        let portal = Portal::live(PortalConfig::default());
        let home = home(&portal);
        let mut terminal = Terminal::new(&home, "", columns, lines);
        terminal.enter("Set up daypass now? [Y/n]");
        terminal.answer("Access portal", "not a portal").shows("is not a start");
        terminal.answer("Access portal", "SANDBOX");
        terminal
            .answer("Region of IAM Identity Center", "us-esat-1")
            .shows("is not a region;")
            .shows("did you mean \"us-east-1\"?");
        terminal.enter("[us-east-1]: ");
        terminal.shows("Signed in to sandbox").shows("Which role?").types("prod,read").shows("1 of 4").types("\r");
        terminal.shows("Selected: Production  ReadOnly").shows("444455556666");
        terminal.answer("Profile name [Production.ReadOnly]", "prod");
        terminal.shows("+[profile prod]").enter("Write this to");
        terminal.shows("Wrote profile prod").shows("Try:").shows("aws sts get-caller-identity --profile prod");
        terminal.ends(0);
        let line = format!("{DAYPASS} credential-process --session sandbox --account 444455556666 --role ReadOnly");
        assert_eq!(
            home.read(".aws/config"),
            format!(
                "[sso-session sandbox]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\n\
                 sso_registration_scopes = sso:account:access\n\n[profile prod]\ncredential_process = {line}\nregion = us-east-1\n"
            )
        );
        home.daypass("credential-process --profile prod").any_output().go();
    }
}

#[test]
fn declining_the_set_up_prints_the_help() {
    let portal = Portal::strict();
    let home = home(&portal);
    let mut terminal = Terminal::new(&home, "", 80, 24);
    terminal.answer("Set up daypass now? [Y/n]", "n").shows("Usage: daypass");
    terminal.ends(0);
    assert!(!home.path(".aws/config").exists());
}

#[test]
fn the_region_is_learned_from_the_portals_page_or_redirect() {
    for (path, region) in [("start", "eu-central-1"), ("vanity", "eu-west-1")] {
        let portal = Portal::live(PortalConfig { page_region: Some("eu-central-1"), ..PortalConfig::default() });
        let home = home(&portal);
        let url = format!("{}/{path}", portal.url());
        let target =
            if path == "start" { url.clone() } else { "https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws".to_owned() };
        portal.change(|config| config.start_url = target);
        let mut terminal = Terminal::new(&home, "configure", 80, 24);
        terminal.answer("Access portal", &format!("{url}/#/")).shows(&format!("is in {region}"));
        terminal.shows("4 of 4").types("glass").shows("1 of 4").types("\r");
        terminal.enter("Profile name [Production.Break+Glass-Now]").enter("Write this to").shows("Wrote profile");
        terminal.ends(0);
        let config = home.read(".aws/config");
        assert!(config.contains(&format!("sso_start_url = {url}\nsso_region = {region}\n")), "{config}");
        assert!(config.contains(&format!("Break+Glass=Now\nregion = {region}\n")), "{config}");
    }
}

#[test]
fn what_a_cancelled_run_signed_in_to_is_proposed_again_and_can_be_signed_out_of() {
    let portal = Portal::live(PortalConfig::default());
    let home = home(&portal);
    let mut terminal = Terminal::new(&home, "configure --no-browser", 100, 24);
    terminal.answer("Access portal", "sandbox").answer("Region of IAM", "us-east-1").shows("4 of 4").types("\u{3}");
    terminal.shows("daypass: cancelled; nothing was changed, and you stay signed in to sandbox");
    let again = "daypass configure --start-url https://sandbox.awsapps.com/start --sso-region us-east-1 --no-browser";
    terminal.shows(&format!("hint: {again}"));
    terminal.ends(130);
    assert!(!home.path(".aws/config").exists());
    home.daypass("status").stdout_has("sandbox").go();
    let mut terminal = Terminal::new(&home, "configure", 80, 24);
    terminal.enter("[https://sandbox.awsapps.com/start]").shows("4 of 4").types("glass").shows("1 of 4").types("\r");
    terminal.shows("Profile name").types("\u{3}").shows("and you stay signed in to sandbox\r\n");
    terminal.shows("--sso-region us-east-1 --account 444455556666 --role 'Break+Glass=Now'\r\n");
    terminal.ends(130);
    home.daypass("logout sandbox").stderr("Signed out of sandbox.\n").go();
}

#[test]
fn what_was_typed_before_the_sign_in_is_named_and_proposed_again() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let home = home(&portal).without("BROWSER");
    let kept = "nothing was changed, and the next 'daypass configure' proposes https://sandbox.awsapps.com/start\r\n";
    let command = "hint: daypass configure --start-url https://sandbox.awsapps.com/start";
    let mut terminal = Terminal::new(&home, "", 120, 24);
    terminal.enter("Set up daypass now? [Y/n]").answer("Access portal", "sandbox").shows("Region of IAM").types("\u{3}");
    terminal.shows(&format!("\r\ndaypass: cancelled; {kept}{command}\r\n"));
    terminal.ends(130);
    let again = || {
        let mut terminal = Terminal::new(&home, "configure", 120, 24);
        terminal.enter("Access portal (alias or address) [https://sandbox.awsapps.com/start]: ");
        terminal
    };
    let mut terminal = again();
    terminal.shows("Region of IAM Identity Center: ");
    // As after Ctrl-Z and fg.
    home.program("kill").args(["-STOP", &terminal.pid]).go();
    home.program("kill").args(["-CONT", &terminal.pid]).go();
    terminal.shows("Region of IAM Identity Center: ").types("\u{4}");
    terminal.shows(&format!("\r\ndaypass: input ended; {kept}{command}\r\n"));
    terminal.ends(130);
    let mut terminal = again();
    terminal.answer("Region of IAM", "us-east-1").shows("c copy code").types("\u{3}");
    terminal.shows(&format!("\r\ndaypass: cancelled; {kept}{command} --sso-region us-east-1\r\n"));
    terminal.ends(130);
    let mut terminal = again();
    terminal.enter("Region of IAM Identity Center [us-east-1]: ").shows("c copy code");
    home.program("kill").args(["-HUP", &terminal.pid]).go();
    terminal.ends(129);
    let mut terminal = again();
    terminal.enter("Region of IAM Identity Center [us-east-1]: ").shows("c copy code");
    portal.deny();
    terminal.shows(&format!("{command} --sso-region us-east-1\r\n"));
    terminal.ends(1);
}

#[test]
fn roles_and_names_of_a_cancelled_run_are_proposed_again_until_they_are_written() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let kept =
        "cancelled; nothing was changed, you stay signed in to corp, and the next 'daypass configure' marks the 2 selected roles";
    let mut terminal = Terminal::new(&home, "configure", 140, 24);
    terminal.enter("Access portal").shows("4 of 4").types("read").shows("2 of 4").types("\u{1}\r");
    terminal.answer("Profile names [{account_name}.{role}]", "x-{account_id}").shows("Write this to").types("\u{3}").shows(kept);
    terminal.ends(130);
    let mut terminal = Terminal::new(&home, "configure", 140, 24);
    terminal.enter("Access portal").shows("4 of 4, 2 marked").types("\r");
    terminal.enter("Profile names [x-{account_id}]").enter("Write this to");
    terminal.shows("Wrote profiles x-111122223333, x-444455556666");
    terminal.ends(0);
    let mut terminal = Terminal::new(&home, "configure", 140, 24);
    terminal.enter("Access portal").shows("4 of 4").types("\u{3}");
    assert!(!terminal.ends(130).contains("marked"));
}

#[test]
fn reconfiguring_a_profile_offers_its_values_as_defaults() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write(".aws/config", &home.read(".aws/config").replace("region = eu-west-1", "region = eu-west-1\noutput = yaml"));
    let before = home.read(".aws/config");
    let mut terminal = Terminal::new(&home, "configure --profile dev", 120, 30);
    terminal.enter("Access portal (corp, or a new one) [corp]");
    terminal.shows("Which role?").shows("4 of 4").types("\r").shows("Selected: Development  DeveloperAccess");
    terminal.shows("is already up to date").shows("Try: aws sts get-caller-identity --profile dev");
    terminal.ends(0);
    assert_eq!(home.read(".aws/config"), before);
}

#[test]
fn several_selected_roles_make_several_profiles_with_the_region_used_last() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let mut terminal = Terminal::new(&home, "configure --session corp", 120, 30);
    terminal.shows("4 of 4").types("read").shows("2 of 4").types(&format!("{DOWN} ")).shows("1 marked");
    terminal.types("\u{15}").shows("4 of 4").types("glass").shows("1 of 4").types("\t").shows("2 marked").types("\r");
    terminal.answer("Profile names [{account_name}.{role}]", "{acct}").shows("is not a field");
    terminal.answer("Profile names", "{account_name}-{role}").enter("Write this to");
    terminal.shows("Wrote profiles Production-Break+Glass-Now, Production-ReadOnly to");
    terminal.shows(".aws/config.daypass.bak; 'daypass undo' restores it.");
    terminal.ends(0);
    let config = home.read(".aws/config");
    for role in ["Break+Glass-Now", "ReadOnly"] {
        let written = config.split(&format!("[profile Production-{role}]\n")).nth(1).unwrap();
        assert!(written.lines().nth(1).unwrap() == "region = eu-west-1", "{config}");
    }
}

#[test]
fn an_interrupt_changes_nothing_and_restores_the_terminal() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let before = home.read(".aws/config");
    let mut terminal = Terminal::new(&home, "configure", 80, 24);
    terminal.shows("Access portal (corp").types("\u{3}");
    terminal.ends(130);
    let mut terminal = Terminal::new(&home, "configure --session corp", 80, 24);
    terminal.shows("4 of 4").types("glass").shows("1 of 4").types("\u{1b}").shows("4 of 4").types("\u{1b}");
    terminal.ends(130);
    let mut terminal = Terminal::new(&home, "configure --session corp", 80, 24);
    terminal.shows("4 of 4").types("\u{3}").shows("daypass: cancelled; nothing was changed");
    terminal.ends(130);
    let mut terminal = Terminal::new(&home, "configure --session corp", 80, 24);
    terminal.shows("4 of 4").types("\r").shows("Profile name").types("\u{3}");
    terminal.ends(130);
    assert_eq!(home.read(".aws/config"), before);
}

#[test]
fn a_signal_restores_the_terminal_before_the_program_ends() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for (signal, status) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let mut terminal = Terminal::new(&home, "configure --session corp", 80, 24);
        terminal.shows("4 of 4");
        home.program("kill").args([&format!("-{signal}"), &terminal.pid]).go();
        terminal.ends(status);
    }
}

#[test]
fn the_list_fits_narrow_and_wide_terminals_with_and_without_colour_and_utf8() {
    let hostile = Account::new(
        "000000000001",
        "Zürich \u{1b}[31m\u{9b}2J 東京 🦀 and a name that is far too long for it",
        &["ReadOnly", "Admin"],
    );
    let portal = Portal::live(PortalConfig { accounts: vec![hostile], ..PortalConfig::default() });
    let plain = signed_in(&portal).with("NO_COLOR", "1").with("LANG", "C");
    for columns in [40, 200] {
        let mut terminal = Terminal::new(&plain, "configure --session corp", columns, 12);
        terminal.shows("2 of 2").shows("Esc cancel").types("\u{3}");
        let seen = terminal.ends(130);
        let list = seen.split("Which role?").nth(1).unwrap().split("\u{1b}[?1049l").next().unwrap();
        assert!(list.is_ascii() && list.contains("Z?rich"), "{list:?}");
        assert!(!list.contains("\u{1b}[7m") && !list.contains("[31m\u{9b}") && !list.contains("\u{1b}[31m"), "{list:?}");
        let widest = list.split("\r\n").map(|line| line.split("\u{1b}[K").next().unwrap().chars().count()).max().unwrap();
        assert!(widest <= columns, "{widest}: {list:?}");
    }
    let coloured = signed_in(&portal);
    let mut terminal = Terminal::new(&coloured, "configure --session corp", 200, 12);
    terminal.shows("Zürich").shows("東京").shows("2 of 2").types("\u{3}");
    assert!(terminal.ends(130).contains("\u{1b}[7m"));
}

#[test]
fn a_dumb_terminal_gets_a_hint_with_the_flags_to_use() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("TERM", "dumb");
    let mut terminal = Terminal::new(&home, "configure --session corp", 80, 24);
    terminal.shows("--account 111122223333 --role ReadOnly");
    terminal.ends(2);
}

#[test]
fn a_profile_name_with_keys_that_take_precedence_is_asked_for_again() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write(".aws/credentials", "[keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n");
    let mut terminal = Terminal::new(&home, "configure --session corp --account 111122223333 --role ReadOnly", 200, 24);
    terminal.answer("Profile name", "keys").shows("aws_access_key_id").shows("--keep-other-keys");
    terminal.answer("Profile name", "not keys").shows("is not a name that all AWS tools can read").shows("[not-keys]");
    terminal.types("fine\r").answer("Write this to", "n").shows("Nothing was written.");
    terminal.ends(0);
    assert!(!home.read(".aws/config").contains("fine"));
}

#[test]
fn the_region_is_not_asked_for_if_the_start_url_contains_it() {
    let portal = Portal::strict();
    let home = home(&portal);
    let mut terminal = Terminal::new(&home, "configure --session-only", 120, 24);
    terminal.answer("Access portal", "ssoins-1234.eu-west-1.portal.amazonaws.com/#/");
    terminal.enter("Write this to").shows("Wrote session ssoins-1234").shows("Next: daypass login ssoins-1234");
    terminal.ends(0);
    assert!(home.read(".aws/config").contains("sso_region = eu-west-1\n"));
}

#[test]
fn an_sso_profile_for_the_same_role_is_named() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let old = "\n[profile old]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\nregion = x-1\n";
    home.write(".aws/config", &(home.read(".aws/config") + old));
    let mut terminal = Terminal::new(&home, "configure --session corp --account 111122223333 --role ReadOnly", 120, 24);
    terminal.shows("old uses sso_* keys for the same role; 'daypass configure --convert' converts such profiles.");
    terminal.enter("Profile name [111122223333.ReadOnly]").enter("Write this to").shows("Wrote profile 111122223333.ReadOnly");
    terminal.ends(0);
    assert!(home.read(".aws/config").contains(old));
}

#[test]
fn with_more_than_a_hundred_accounts_the_account_is_chosen_first() {
    let portal = Portal::live(PortalConfig::of(120, 2));
    let home = signed_in(&portal);
    let mut terminal = Terminal::new(&home, "configure --session corp", 120, 24);
    terminal.shows("Which account?").shows("120 of 120").types("team,077").shows("1 of 120").types("\r");
    terminal.shows("Which role?").shows("2 of 2").types("002\r");
    terminal.enter("Profile name [Team-077.Role002]").enter("Write this to");
    terminal.shows("Wrote profile Team-077.Role002");
    terminal.ends(0);
    assert_eq!(portal.count(crate::support::portal::Call::ListAccountRoles), 1);
}
