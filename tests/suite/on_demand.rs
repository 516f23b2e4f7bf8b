//! Commands that need a sign-in ask for it on the terminal and continue.

use crate::support::portal::{Approval, Call, Portal, PortalConfig};
use crate::support::run::{DAYPASS, Home};
use crate::terminal::{Terminal, home};

const QUESTION: &str = "Not signed in to corp. Sign in now? [Y/n]: ";
const ASK: &str = "--session corp --account 111122223333 --role DeveloperAccess";

/// A home with the session `corp` and the profile `dev`, without a sign-in, and without a browser.
fn signed_out(portal: &Portal) -> Home {
    let home = home(portal).without("BROWSER");
    home.daypass(crate::CONFIGURE).any_stderr().go();
    home
}

#[test]
fn every_command_that_needs_a_sign_in_asks_and_continues() {
    let show = "sh -c 'echo \"<$AWS_ACCESS_KEY_ID>\"'";
    let exec = format!("{DAYPASS} exec dev -- {show}");
    let server = format!("{DAYPASS} exec dev --server -- sh -c 'echo \"<ASIA $AWS_CONTAINER_CREDENTIALS_FULL_URI>\"'");
    // Standard output is not the terminal.
    let env = format!("sh -c 'eval \"$({DAYPASS} env dev --shell sh)\"; echo \"<$AWS_ACCESS_KEY_ID>\"'");
    let list = format!("{DAYPASS} list");
    let sync = format!("{DAYPASS} sync");
    for (command, shown) in
        [(&exec, "<ASIA"), (&server, "<ASIA http://127.0.0.1:"), (&env, "<ASIA"), (&list, "ACCOUNT"), (&sync, "Added")]
    {
        let portal = Portal::live(PortalConfig::default());
        let home = signed_out(&portal);
        let words = shlex::split(command).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut terminal = Terminal::running(&home, &words, 80, 24);
        terminal.enter(QUESTION).shows("check that it shows this code").shows("Signed in to corp").shows(shown);
        terminal.ends(0);
        // What the approval was for is not asked again.
        home.daypass(&format!("credential-process {ASK}")).stdout_has("ASIA").go();
    }
}

#[test]
fn no_is_an_answer_and_so_is_the_end_of_the_input() {
    for answer in ["n\r", "\u{4}"] {
        let portal = Portal::strict();
        let home = signed_out(&portal);
        let mut terminal = Terminal::new(&home, "exec dev -- true", 40, 15);
        terminal
            .shows("Not signed in to corp. Sign in now?")
            .shows("[Y/n]: ")
            .types(answer)
            .shows("daypass: not signed in to corp")
            .shows("hint: daypass login corp");
        terminal.ends(3);
    }
}

#[test]
fn nobody_is_asked_who_could_not_answer() {
    let portal = Portal::strict();
    let home = signed_out(&portal);
    let ask = format!("credential-process {ASK}");
    for (command, variable) in [
        ("exec dev --no-input -- true", ""),
        ("exec dev -- true", "CLAUDECODE"),
        ("exec dev -- true", "CI"),
        (&*ask, ""),
        ("status", ""),
    ] {
        let home = signed_out(&portal).with(if variable.is_empty() { "UNUSED" } else { variable }, "1");
        let seen = Terminal::new(&home, command, 80, 24).ends(3);
        assert!(!seen.contains("Sign in now?"), "{command}: {seen}");
    }
    // In the background it would be stopped.
    let script = format!("{DAYPASS} exec dev -- true & wait $!");
    let mut terminal = Terminal::running(&home, &["bash", "-c", &format!("set -m; {script}")], 80, 24);
    terminal.shows("hint: daypass login corp");
    let seen = terminal.ends(3);
    assert!(!seen.contains("Sign in now?"), "{seen}");
    home.daypass("exec dev -- true").stderr("daypass: not signed in to corp\nhint: daypass login corp\n").status(3).go();
}

#[test]
fn the_sign_in_screen_fits_the_terminal_and_ends_with_the_code() {
    for (columns, rows, has_qr) in [(40, 15, false), (80, 24, true), (200, 50, true)] {
        let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
        let home = signed_out(&portal);
        let mut terminal = Terminal::new(&home, "login", columns, rows);
        terminal.shows(": 9:");
        portal.allow();
        terminal.shows("Signed in to corp");
        let seen = terminal.ends(0);
        let bytes: Vec<u8> = seen.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let seen = String::from_utf8(bytes).unwrap();
        let screen = seen.split("\r\x1b[K").next().unwrap().trim_start_matches("\r\n");
        let lines: Vec<String> = screen.split("\r\n").map(without_styles).collect();
        assert_eq!(lines.iter().any(|line| line.contains('▄')), has_qr, "{columns}x{rows}:\n{screen}");
        // The last, empty one is that of the countdown.
        let height: usize = lines.iter().map(|line| line.chars().count().div_ceil(columns).max(1)).sum();
        assert!(height <= rows, "{height} rows of {rows}:\n{screen}");
        let [.., heading, address, code, _] = lines.as_slice() else { panic!("{screen}") };
        assert!(heading.ends_with("this code:") && address.contains("http"), "{screen}");
        assert!(address.ends_with(code.trim()), "the code comes last, above the countdown:\n{screen}");
    }
}

/// A line without escape sequences for styles.
fn without_styles(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[test]
fn c_copies_the_code_and_u_the_address() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() });
    let home = signed_out(&portal);
    let mut terminal = Terminal::new(&home, "login", 80, 24);
    terminal.shows("c copy code, u copy address)").types("u").shows("\u{1b}]52;c;").types("c").shows("\u{1b}]52;c;");
    portal.allow();
    terminal.shows("Signed in to corp");
    let seen = terminal.ends(0);
    let copied: Vec<String> = seen
        .split("\u{1b}]52;c;")
        .skip(1)
        .map(|text| String::from_utf8(aws_smithy_types::base64::decode(text.split('\u{7}').next().unwrap()).unwrap()).unwrap())
        .collect();
    assert!(copied[0].starts_with(&portal.url()) && copied[0].ends_with(&copied[1]) && copied[1].len() == 9, "{copied:?}");
}

#[test]
fn with_a_display_it_says_that_it_opens_the_browser() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_out(&portal).with("DISPLAY", ":0").with("BROWSER", "curl -sL -o /dev/null");
    let mut terminal = Terminal::new(&home, "exec dev -- true", 80, 24);
    terminal.enter(QUESTION).shows("Opening your browser…").shows("in a browser on this machine").shows("Signed in to corp");
    terminal.ends(0);
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
}
