//! The picker: `daypass` without a command on a terminal, and `dp` without a name.

use crate::support::portal::{Account, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::terminal::{DOWN, Terminal, home, signed_in};
use crate::{needs, pexpect};

const ESCAPE: &str = "\u{1b}";
const CONSOLE: &str = "\u{f}";
const ENV: &str = "\u{5}";
const PROFILE: &str = "\u{13}";

/// A home with the session `corp` and the profile `dev`, without a sign-in.
fn configured(portal: &Portal) -> Home {
    let home = home(portal).with("SHELL", "/bin/sh");
    home.daypass(crate::CONFIGURE).any_stderr().go();
    home
}

/// The rows of the picker when it opens, without the key help.
fn rows(home: &Home) -> Vec<String> {
    let mut terminal = Terminal::new(home, "", 200, 40);
    terminal.shows("Esc cancel").types(ESCAPE);
    let seen = terminal.ends(130);
    let screen = seen.split("\u{1b}[?1049h").nth(1).unwrap().split("\u{1b}[?1049l").next().unwrap();
    let plain =
        |line: &str| line.replace("\u{1b}[7m", "").replace("\u{1b}[0m", "").replace("\u{1b}[2m", "").replace("\u{1b}[K", "");
    let lines: Vec<String> = screen.split("\r\n").skip(2).map(|line| plain(line).trim_end().to_owned()).collect();
    let is_count = |line: &str| line.split_once(" of ").is_some_and(|(shown, _)| shown.trim().parse::<usize>().is_ok());
    let end = lines.iter().position(|line| is_count(line)).unwrap();
    lines[..end].iter().map(|line| line.get(2..).unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_picker_opens_without_network_and_cancelling_prints_nothing() {
    let portal = Portal::strict();
    let home = configured(&portal);
    assert_eq!(rows(&home), ["dev  DeveloperAccess  111122223333", "List the roles of corp"]);
    for key in [ESCAPE, "\u{3}"] {
        let mut terminal = Terminal::new(&home, "", 80, 24);
        terminal.shows("2 of 2").types(key);
        let seen = terminal.ends(130);
        assert!(seen.contains("\u{1b}[?1049l\r\nstatus") || seen.contains("\u{1b}[?1049lstatus"), "{seen:?}");
    }
}

#[test]
fn the_picker_signs_in_lists_roles_and_starts_a_shell() {
    let portal = Portal::live(PortalConfig::default());
    let home = home(&portal).with("SHELL", "/bin/sh").with("PS1", "prompt> ");
    let session = "configure --session-only --session corp --start-url https://sandbox.awsapps.com/start --sso-region us-east-1";
    home.daypass(session).any_stderr().go();
    let mut terminal = Terminal::new(&home, "", 120, 30);
    terminal.shows("List the roles of corp").shows("1 of 1").types("\r");
    terminal.shows("Signed in to corp").shows("Break+Glass=Now").shows("5 of 5");
    terminal.types("prod read").shows("1 of 5").types("\r");
    terminal.shows("Started a shell with credentials for ReadOnly@Production (valid for ").shows("Type 'exit' to leave.");
    terminal.shows("prompt> ").types("echo \"<${DAYPASS_ACTIVE#* }>\" $AWS_ACCESS_KEY_ID\r").shows("<ReadOnly@Production> ASIA");
    // The picker names the role of that shell.
    terminal.types("daypass\r").shows("Which role? (this shell uses ReadOnly@Production)").types(ESCAPE).shows("prompt> ");
    // The shell has replaced the daypass process, so it has signals and job control.
    terminal.types("echo \"=$$=\"\r").shows("=");
    let pid = terminal.pid.clone();
    terminal.shows(&format!("{pid}=")).types("exit 7\r");
    terminal.ends(7);
    assert_eq!(portal.count(Call::ListAccounts), 1);
    assert_eq!(rows(&home).len(), 5);
    assert_eq!(portal.count(Call::ListAccounts), 1);
}

#[test]
fn choosing_a_role_signs_in_if_needed() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let mut terminal = Terminal::new(&home, "-q", 120, 30);
    terminal.shows("2 of 2").types("dev\r").shows("address and check").shows("user_code=").types("exit\r");
    terminal.ends(0);
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}

#[test]
fn the_most_used_roles_come_first() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("SHELL", "/bin/sh");
    home.daypass("list").stdout_has("Break+Glass").go();
    let before = [
        "dev  Development  DeveloperAccess  111122223333",
        "     Development  ReadOnly         111122223333",
        "     Production   Break+Glass=Now  444455556666",
        "     Production   ReadOnly         444455556666",
    ];
    assert_eq!(rows(&home)[..4], before);
    let by_flags = |account: &str, role: &str| format!("--session corp --account {account} --role {role}");
    home.daypass(&format!("exec {} -- true", by_flags("444455556666", "ReadOnly"))).go();
    home.daypass("env --session corp --account 444455556666 --role ReadOnly").stdout_has("export").go();
    home.daypass(&format!("console --print {}", by_flags("111122223333", "ReadOnly"))).stdout_has("account_id").go();
    // Calls by SDKs do not count.
    for _ in 0..3 {
        home.daypass("credential-process --profile dev").stdout_has("Version").go();
    }
    assert_eq!(rows(&home)[..4], [before[3], before[1], before[0], before[2]]);
    // Choices in the picker count.
    for _ in 0..3 {
        let mut terminal = Terminal::new(&home, "", 120, 30);
        terminal.shows("5 of 5").types("glass\r").shows("Started a shell").types("exit\r");
        terminal.ends(0);
    }
    assert_eq!(rows(&home)[..4], [before[2], before[3], before[1], before[0]]);
}

#[test]
fn keys_open_the_console_show_the_env_command_and_save_a_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("SHELL", "/bin/bash").with("BROWSER", "sh -c 'echo \"$0\" >opened'");
    home.daypass("list").stdout_has("Break+Glass").go();

    let mut terminal = Terminal::new(&home, "", 120, 30);
    terminal.shows("5 of 5").types("prod glass").shows("1 of 5").types(CONSOLE);
    terminal.ends(0);
    let link = "https://sandbox.awsapps.com/start/#/console?account_id=444455556666&role_name=Break%2BGlass%3DNow\n";
    // daypass does not wait for the browser.
    let wait = "until test -s opened; do :; done; cat opened";
    home.program("sh").args(["-c", wait]).stdout(link).go();

    let mut terminal = Terminal::new(&home, "", 120, 30);
    terminal.shows("5 of 5").types("dev").shows(" of 5").types(ENV);
    terminal.shows("eval \"$(daypass env dev)\"\r\n");
    terminal.ends(0);

    let mut terminal = Terminal::new(&home, "", 120, 30);
    terminal.shows("5 of 5").types("prod read").shows("1 of 5").types(PROFILE);
    terminal.shows("New profile for ReadOnly in 444455556666:");
    terminal.answer("Profile name [Production.ReadOnly]", "prod").enter("Write this to").shows("Wrote profile prod");
    terminal.ends(0);
    home.daypass("list --profiles").stdout_has("444455556666  ReadOnly         eu-west-1").go();
    assert!(rows(&home).contains(&"prod  Production   ReadOnly         444455556666".to_owned()), "{:?}", rows(&home));
}

#[test]
fn a_shell_for_a_role_without_a_profile_gets_the_region_and_the_name_of_its_account() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).with("SHELL", "/bin/sh");
    home.daypass("list").stdout_has("Production").go();
    let role = "--session corp --account 444455556666 --role Break+Glass=Now";
    for region in ["us-east-2", "eu-central-1", "eu-central-1"] {
        home.daypass(&format!("exec {role} --region {region} -- true")).go();
    }
    for (columns, lines, name, shown) in [
        (40, 15, "prod read", "<ReadOnly@Production ReadOnly@Production eu-central-1>"),
        (80, 24, "dev readonly", "<ReadOnly@Development ReadOnly@Development eu-west-1>"),
    ] {
        let mut terminal = Terminal::new(&home, "", columns, lines);
        terminal.shows("5 of 5").types(name).shows("1 of 5").types("\r").shows("Started a shell");
        terminal.types("echo \"<${DAYPASS_ACTIVE#* } $AWS_VAULT $AWS_REGION>\"\r").shows(shown).types("exit\r");
        terminal.ends(0);
    }
}

#[test]
fn saving_a_profile_from_a_legacy_one_creates_a_session() {
    let portal = Portal::live(PortalConfig::default());
    let home = home(&portal);
    home.write(
        ".aws/config",
        "[profile old]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n",
    );
    let mut terminal = Terminal::new(&home, "", 160, 30);
    terminal.shows("old").shows("2 of 2").types(PROFILE).shows("old uses sso_* keys for the same role");
    terminal.answer("Profile name", "new").enter("Write this to").shows("Wrote profile new");
    terminal.ends(0);
    assert!(home.read(".aws/config").contains("--session sandbox --account 111122223333 --role ReadOnly"));
}

#[test]
fn several_sessions_get_a_column_and_each_portal_is_listed_once() {
    let portal = Portal::live(PortalConfig {
        accounts: vec![Account::new("111122223333", "Development", &["ReadOnly"])],
        ..PortalConfig::default()
    });
    let home = signed_in(&portal);
    home.daypass("list").stdout_has("ReadOnly").go();
    let more = "\n[sso-session same]\nsso_start_url = https://sandbox.awsapps.com/start/\nsso_region = us-east-1\n\
        [sso-session other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-east-1\n\
        [profile far]\ncredential_process = daypass credential-process --session other --account Named --role Admin\n";
    home.write(".aws/config", &(home.read(".aws/config") + more));
    let shown = rows(&home);
    assert_eq!(
        shown[..3],
        [
            "dev  Development  DeveloperAccess  corp   111122223333",
            "far  Named        Admin            other",
            "     Development  ReadOnly         corp   111122223333"
        ]
    );
    assert!(shown[3].starts_with("Refresh the roles of corp (updated ") && shown[3].ends_with(" ago)"), "{shown:?}");
    assert_eq!(shown[4..], ["List the roles of other"]);
}

#[test]
fn the_key_help_fits_one_line_and_the_list_fits_every_width() {
    let portal = Portal::live(PortalConfig::default());
    let plain = signed_in(&portal).with("NO_COLOR", "1").with("LANG", "C");
    plain.daypass("list").stdout_has("ReadOnly").go();
    for (columns, help, row) in [
        (40, "  Enter shell ^O console ^E env ^S save\r\n", "> dev  Development  DeveloperAccess"),
        (80, "  Enter shell, ^O console, ^E env, ^S profile, Esc cancel\r\n", "DeveloperAccess  111122223333"),
        (200, "Ctrl-E show env command, Ctrl-S write profile, Esc cancel\r\n", "DeveloperAccess  111122223333"),
    ] {
        let mut terminal = Terminal::new(&plain, "", columns, 20);
        terminal.shows(row).shows("5 of 5").shows(help.trim_end()).types(ESCAPE);
        let seen = terminal.ends(130);
        let list = seen.split("\u{1b}[?1049h").nth(1).unwrap().split("\u{1b}[?1049l").next().unwrap();
        let widest = list.split("\r\n").map(|line| line.split("\u{1b}[K").next().unwrap().chars().count()).max().unwrap();
        assert!(list.is_ascii() && widest < columns + 6 && !list.contains("\u{1b}[7m"), "{columns}: {widest} {list:?}");
    }
    let coloured = plain.without("NO_COLOR");
    let mut terminal = Terminal::new(&coloured, "", 80, 20);
    terminal.shows("\u{1b}[7m> dev").types(ESCAPE);
    terminal.ends(130);
}

#[test]
fn the_history_is_private_contains_no_secret_and_is_deleted_at_logout() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("exec dev true").go();
    home.daypass("list").stdout_has("Production").go();
    let folder = home.path(".local/state/daypass");
    let left = || home.files_with("Production").into_iter().filter(|path| path.starts_with(&folder)).count();
    assert_eq!(left(), 1);
    for secret in portal.secrets() {
        assert!(home.files_with(&secret).iter().all(|path| !path.starts_with(&folder)));
    }
    let modes = "stat -c '%a %n' .local/state/daypass .local/state/daypass/* | sed 's/undo-[0-9a-f]*/undo-HASH/'";
    let expected = "700 .local/state/daypass\n600 .local/state/daypass/issued.jsonl\n600 .local/state/daypass/regions\n\
                    600 .local/state/daypass/roles.json\n600 .local/state/daypass/sign_ins.json\n600 .local/state/daypass/undo-HASH.json\n\
                    600 .local/state/daypass/uses\n";
    home.program("sh").args(["-c", modes]).stdout(expected).go();
    home.daypass("logout").any_stderr().go();
    assert_eq!(left(), 0);
    assert_eq!(rows(&home), ["dev  DeveloperAccess  111122223333", "List the roles of corp"]);
}

#[test]
fn a_history_that_cannot_be_written_is_no_error() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write("full", "");
    let home = home.with("XDG_STATE_HOME", "/dev/null");
    home.daypass("exec dev true").go();
    home.daypass("list").stdout_has("Production").go();
    assert_eq!(rows(&home).len(), 2);
}

#[test]
fn without_a_usable_terminal_the_help_is_printed() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass("").stdout_has("Usage: daypass").go();
    for (arguments, home) in [("--no-input", &configured(&portal)), ("", &configured(&portal).with("TERM", "dumb"))] {
        let mut terminal = Terminal::new(home, arguments, 120, 60);
        terminal.shows("Usage: daypass");
        terminal.ends(0);
    }
    let mut terminal = Terminal::running(&home, &["sh", "-c", "daypass >help; grep -c Usage help"], 120, 60);
    terminal.shows("1\r\n");
    assert!(!terminal.ends(0).contains("Begin with"));
    let mut terminal = Terminal::new(&crate::terminal::home(&portal), "", 120, 60);
    terminal.answer("Set up daypass now?", "n").shows("Usage: daypass");
    terminal.ends(0);
}

#[test]
fn dp_without_a_name_sets_the_selected_role_in_the_current_shell() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("list").stdout_has("Production").go();
    let mut shells = vec![
        ("bash", "bash", "eval \"$(daypass shell-init bash)\"", "$?"),
        ("zsh", "zsh", "eval \"$(daypass shell-init zsh)\"", "$?"),
        ("fish", "fish", "daypass shell-init fish | source", "$status"),
    ];
    for (shell, package, init, status) in shells.drain(..) {
        needs(shell, &format!("apt-get install {package}"));
        let script = format!("{init}; dp; echo left {status}; dp; echo is $DAYPASS_ACTIVE, {status}.");
        let mut terminal = Terminal::running(&home, &[shell, "-c", &script], 100, 30);
        terminal.shows("Enter select, Esc cancel").types(ESCAPE).shows("left 130\r\n");
        terminal.shows("Enter select, Esc cancel").types("readonly").shows("2 of 5").types(DOWN).types(" prod\r");
        terminal.shows("is ASIA").shows("ReadOnly@Production, 0.");
        terminal.ends(0);
    }
}

#[test]
fn dp_without_a_name_works_in_nushell() {
    needs("nu", "npm install -g nushell");
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.write("daypass.nu", &home.daypass("shell-init nushell").stdout_has("def").go().stdout);
    let script = "source daypass.nu; dp; print $\"is ($env.AWS_PROFILE).\"";
    let mut terminal = Terminal::running(&home, &["nu", "--no-config-file", "-c", script], 100, 30);
    terminal.shows("Enter select, Esc cancel").types("\r").shows("is dev.");
    terminal.ends(0);
}

#[test]
fn env_pick_conflicts_with_a_profile_and_with_unset() {
    let home = Home::new();
    for other in ["dev", "--profile dev", "--account 1", "--unset"] {
        home.daypass(&format!("env --pick {other}")).stderr_has("--pick").stderr_has("hint: daypass env --help").status(2).go();
    }
}

#[test]
fn the_picker_ends_when_its_terminal_closes() {
    let portal = Portal::strict();
    let home = configured(&portal);
    let said = pexpect(
        &home,
        "
import pty, time
ended = 0
for turn in range(12):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp('daypass', ['daypass'])
    seen = b''
    while b'Esc cancel' not in seen:
        seen += os.read(terminal, 4096)
    if turn % 2:
        os.write(terminal, b'dev')
    os.close(terminal)
    until = time.monotonic() + 20
    while time.monotonic() < until and not os.waitpid(pid, os.WNOHANG)[0]:
        time.sleep(0.01)
    try:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    except ProcessLookupError:
        ended += 1
print(ended)
",
    );
    assert_eq!(said, "12\n");
}

#[test]
fn the_picker_supports_job_control() {
    needs("bash", "apt-get install bash");
    let portal = Portal::strict();
    let home = configured(&portal).with("PS1", "READY> ");
    let said = pexpect(
        &home,
        r#"
bash = pexpect.spawn('bash', ['--norc', '--noprofile', '-i'], encoding='utf-8', timeout=30, dimensions=(20, 80))
bash.expect_exact('READY> ')
bash.sendline('daypass')
bash.expect_exact('2 of 2')
bash.send('de')
bash.expect_exact('> de')
bash.sendcontrol('z')
bash.expect('1049l.*Stopped.*daypass')
bash.expect_exact('READY> ')
bash.sendline('stty -a | grep -o "[-]*icanon"; fg')
bash.expect_exact('icanon')
bash.expect('1049h.*> de')
bash.expect_exact('Esc cancel')
bash.send('\x03')
bash.expect_exact('READY> ')
bash.sendline('echo st""atus=$?')
bash.expect_exact('status=130')
bash.sendeof()
bash.expect(pexpect.EOF)
print('all of it')
"#,
    );
    assert_eq!(said, "all of it\n");
}
