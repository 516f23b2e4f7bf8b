//! `login` on a terminal: what it shows and which keys it accepts while it waits.

use rexpect::session::PtySession;

use crate::support::portal::{Answer, Approval, Call, Portal, PortalConfig};
use crate::support::run::Home;
use crate::{configured, needs, pexpect};

/// Runs daypass in a shell that then prints the exit status and whether the terminal is restored.
fn in_shell(home: &Home, arguments: &str) -> PtySession {
    let script = format!(
        "sh -c 'echo pid $$; exec daypass {arguments}'; echo \"status $?\"; stty -a | grep -q -- '[^-]icanon' && echo terminal as before"
    );
    home.program("sh").args(["-c", &script]).with("TERM", "xterm").with("LANG", "C.UTF-8").on_terminal()
}

/// The text as rexpect reads it: each byte becomes a character.
fn as_read(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// Waits until the browser has opened the page this many times.
fn wait_for_visits(portal: &Portal, times: usize) {
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while portal.visits() < times {
        assert!(std::time::Instant::now() < limit, "the browser opened the page {} times", portal.visits());
        std::thread::yield_now();
    }
}

fn manual_approval() -> Portal {
    Portal::live(PortalConfig { approval: Approval::ByHand, ..PortalConfig::default() })
}

fn ends(terminal: &mut PtySession, status: u8) {
    terminal.exp_string(&format!("status {status}")).unwrap();
    terminal.exp_string("terminal as before").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn the_remaining_time_counts_down_on_one_line() {
    let portal = manual_approval();
    let home = configured(&portal);
    let mut terminal = in_shell(&home, "login corp --no-browser");
    // Each update redraws the line from its start.
    let (before, _) = terminal.exp_regex("\r\x1b\\[KWaiting for your approval: 9:5[0-9] left").unwrap();
    assert!(["▀", "▄", "█"].iter().all(|block| before.contains(&as_read(block))), "a QR code, where no browser opens:\n{before}");
    let (between, _) = terminal.exp_regex("\r\x1b\\[KWaiting for your approval: 9:[0-9]{2} left").unwrap();
    assert!(!between.contains('\n'), "{between:?}");
    portal.allow();
    terminal.exp_string("Signed in to corp").unwrap();
    ends(&mut terminal, 0);
}

#[test]
fn c_copies_the_code_and_enter_opens_the_browser_again() {
    let portal = manual_approval();
    let home = configured(&portal).with("BROWSER", "curl -s -o /dev/null");
    let mut terminal = in_shell(&home, "login corp --flow device");
    let (_, code) = terminal.exp_regex("[A-Z]{4}-[A-Z]{4}\x1b").unwrap();
    terminal.exp_string("Enter open browser, c copy code").unwrap();
    terminal.send("c").unwrap();
    terminal.flush().unwrap();
    let copied = aws_smithy_types::base64::encode(code.trim_end_matches('\x1b'));
    terminal.exp_string(&format!("\x1b]52;c;{copied}\x07")).unwrap();
    terminal.exp_string("sent to the clipboard").unwrap();
    wait_for_visits(&portal, 1);
    terminal.send("\r").unwrap();
    terminal.flush().unwrap();
    wait_for_visits(&portal, 2);
    portal.allow();
    terminal.exp_string("Signed in to corp").unwrap();
    ends(&mut terminal, 0);
}

#[test]
fn ctrl_c_ends_login_with_130_and_restores_the_terminal() {
    let portal = manual_approval();
    let home = configured(&portal);
    let mut terminal = in_shell(&home, "login corp --no-browser");
    terminal.exp_string("c copy code").unwrap();
    terminal.send_control('c').unwrap();
    ends(&mut terminal, 130);
}

#[test]
fn a_signal_restores_the_terminal() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let portal = manual_approval();
        let home = configured(&portal);
        let mut terminal = in_shell(&home, "login corp --no-browser");
        terminal.exp_string("pid ").unwrap();
        let pid = terminal.read_line().unwrap();
        terminal.exp_string("c copy code").unwrap();
        home.program("kill").args([&format!("-{signal}"), pid.trim()]).go();
        ends(&mut terminal, status);
    }
}

#[test]
fn login_ends_when_its_terminal_closes() {
    let portal = manual_approval();
    let home = configured(&portal);
    let script = r"
term = pexpect.spawn('sh', ['-c', 'echo pid $$.; exec daypass login corp --no-browser'], encoding='utf-8', timeout=30)
term.expect('pid ([0-9]+)[.]')
pid = int(term.match.group(1))
term.expect_exact('c copy code')
os.close(term.child_fd)
limit = time.monotonic() + 20
while time.monotonic() < limit:
    if os.waitpid(pid, os.WNOHANG)[0]:
        print('ended')
        break
    time.sleep(0.05)
else:
    os.kill(pid, 9)
    print('waits still')
";
    let home = home.with("TERM", "xterm").with("LANG", "C.UTF-8");
    assert_eq!(pexpect(&home, &format!("import time\n{script}")), "ended\n");
}

#[test]
fn an_expired_code_can_be_replaced() {
    let portal = manual_approval();
    let home = configured(&portal);
    portal.expect(Call::PollForToken).answered(Answer::expired());
    let mut terminal = in_shell(&home, "login corp --no-browser");
    terminal.exp_string("Press Enter for a new one").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("open this address").unwrap();
    terminal.exp_string("left").unwrap();
    assert_eq!(portal.allow(), 2);
    terminal.exp_string("Signed in to corp").unwrap();
    ends(&mut terminal, 0);
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 2);
}

#[test]
fn auto_uses_the_browser_with_a_display_and_a_terminal() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", "curl -sL -o /dev/null");
    let mut terminal = in_shell(&home, "login corp");
    terminal.exp_string("in a browser on this machine").unwrap();
    terminal.exp_string("Signed in to corp").unwrap();
    ends(&mut terminal, 0);
    assert_eq!((portal.count(Call::RedeemCode), portal.count(Call::StartDeviceAuthorization)), (1, 0));
}

#[test]
fn auto_uses_a_device_code_over_ssh() {
    let portal = manual_approval();
    let home = configured(&portal).with("DISPLAY", "localhost:10.0").with("SSH_CONNECTION", "192.0.2.1 5 192.0.2.2 22");
    let mut terminal = in_shell(&home, "login corp --no-browser");
    terminal.exp_string("check that it shows this code").unwrap();
    terminal.exp_string("left").unwrap();
    portal.allow();
    ends(&mut terminal, 0);
}

#[test]
fn d_switches_to_a_device_code_while_the_browser_has_not_returned() {
    let portal = manual_approval();
    let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", "true");
    let mut terminal = in_shell(&home, "login corp");
    terminal.exp_string("d device code").unwrap();
    terminal.send("d").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("Switching to a device code.").unwrap();
    terminal.exp_string("check that it shows this code").unwrap();
    terminal.exp_string("left").unwrap();
    portal.allow();
    terminal.exp_string("Signed in to corp").unwrap();
    ends(&mut terminal, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn the_qr_code_depends_on_the_width_of_the_terminal_it_is_drawn_on() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    // Standard output is a pipe. With setsid the process has no controlling terminal either.
    for around in ["", "setsid -w "] {
        for (columns, narrow) in [(20, true), (100, false)] {
            let script = format!("stty cols {columns} rows 50; {around}daypass login corp --force --no-browser --qr | cat");
            let mut terminal = home.program("sh").args(["-c", &script]).with("LANG", "C.UTF-8").on_terminal();
            let said = terminal.exp_eof().unwrap();
            assert!(said.contains("Signed in to corp"), "{said}");
            assert_eq!(said.contains("too narrow for the QR code"), narrow, "{columns} columns, '{around}':\n{said}");
        }
    }
}

#[test]
fn without_utf8_and_colours_the_qr_code_is_plain_ascii() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let done = home.daypass("login corp --no-browser --qr").with("LANG", "C").any_stderr().go();
    let rows = done.stderr.lines().filter(|line| line.starts_with("####")).count();
    assert!(rows > 24 && done.stderr.is_ascii() && !done.stderr.contains('\x1b'), "{}", done.stderr);
}

#[test]
fn a_browser_that_fails_to_start_is_reported_while_waiting() {
    let portal = manual_approval();
    let home = configured(&portal).with("BROWSER", "false");
    let script = "stty cols 90 rows 30; exec daypass login corp --flow device";
    let mut terminal = home.program("sh").args(["-c", script]).with("TERM", "xterm").with("LANG", "C.UTF-8").on_terminal();
    // The four rows that were shown before are replaced.
    terminal.exp_string("Opening your browser").unwrap();
    terminal.exp_string("\x1b[4A\x1b[J").unwrap();
    terminal.exp_string(&as_read("▀")).unwrap();
    terminal.exp_string("Couldn't open a browser here").unwrap();
    terminal.exp_string("left").unwrap();
    portal.allow();
    terminal.exp_string("Signed in to corp").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn no_browser_is_tried_over_ssh() {
    let portal = manual_approval();
    let home = configured(&portal).with("SSH_TTY", "/dev/pts/1");
    home.write("bin/xdg-open", "#!/bin/sh\ntouch \"$HOME/opened\"\n");
    home.program("chmod").args(["+x", "bin/xdg-open"]).go();
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    let login = home.daypass("login corp").with("PATH", path).stderr_has("Couldn't open a browser here").any_stderr().spawn();
    login.wait_for_stderr("Open the address on any device");
    portal.allow();
    login.wait();
    assert!(!home.path("opened").exists());
}

#[test]
fn ctrl_c_does_not_end_the_browser() {
    let ask = "credential-process --session corp --account 111122223333 --role DeveloperAccess --login";
    for arguments in ["login corp --format json", ask] {
        let portal = manual_approval();
        let home = configured(&portal).with("DISPLAY", ":0").with("BROWSER", "sh browser");
        home.write("browser", "echo $$ > browser.new && mv browser.new browser.pid\nexec sleep 90\n");
        // The terminal signals the whole process group. The shell survives to print the browser's state.
        let script = format!("trap : INT; daypass {arguments}; echo \"status $?\"; ps -o stat= -p $(cat browser.pid)");
        let mut terminal = home.program("sh").args(["-c", &script]).on_terminal();
        while !home.path("browser.pid").exists() {
            std::thread::yield_now();
        }
        terminal.send_control('c').unwrap();
        terminal.exp_string("status 130").unwrap();
        let state = terminal.exp_eof().unwrap();
        home.program("sh").args(["-c", "kill $(cat browser.pid)"]).any_output().status_of([0, 1]).go();
        assert!(state.trim().starts_with('S'), "{arguments}: the browser's state is {state:?}");
    }
}

#[test]
fn the_waiting_line_is_shorter_on_a_narrow_terminal_and_never_wraps() {
    let portal = manual_approval();
    let home = configured(&portal).with("BROWSER", "true");
    portal.expect(Call::PollForToken).answered(Answer::status(503));
    let script = "stty cols 40 rows 30; exec daypass login corp --flow device";
    let mut terminal = home.program("sh").args(["-c", script]).with("TERM", "xterm").with("LANG", "C.UTF-8").on_terminal();
    terminal.exp_regex("\r\x1b\\[KUnreachable: 9:[0-9]{2}  \\(c code, u URL\\)").unwrap();
    terminal.send("c").unwrap();
    terminal.flush().unwrap();
    terminal.exp_string("\x1b]52;c;").unwrap();
    terminal.exp_regex("\r\x1b\\[KUnreachable, retrying: 9:[0-9]{2}  \\(copied\\)").unwrap();
    portal.allow();
    let drawn = terminal.exp_string("Signed in to corp").unwrap();
    assert!(drawn.split("\r\x1b[K").all(|line| line.len() < 40), "{drawn:?}");
    terminal.exp_eof().unwrap();
}

/// Asserts that login polls in the background without printing anything.
fn silent_while_polled(terminal: &mut PtySession, portal: &Portal) {
    let polled = portal.count(Call::PollForToken);
    // There is one second between two polls.
    portal.wait_for(Call::PollForToken, polled + 3);
    terminal.send_line("echo pr''obed").unwrap();
    let said = terminal.exp_string("probed\r\n").unwrap();
    assert!(!said.contains(" left") && !said.contains("Waiting"), "{said:?}");
    terminal.exp_string("READY").unwrap();
}

#[test]
fn login_supports_job_control() {
    needs("bash", "apt-get install bash");
    needs("zsh", "apt-get install zsh");
    for shell in [&["bash", "--norc", "--noprofile", "-i"][..], &["zsh", "-f", "-i"]] {
        let portal = manual_approval();
        let home = configured(&portal).with("TERM", "xterm").with("PS1", "READY").with("LANG", "C.UTF-8");
        let mut terminal = home.program(shell[0]).args(&shell[1..]).on_terminal();
        let line = "\r\x1b\\[KWaiting for your approval: 9:[0-9]{2} left  \\(c copy code, u copy address\\)";
        terminal.exp_string("READY").unwrap();

        terminal.send_line("daypass login corp --no-browser &").unwrap();
        terminal.exp_string("open this address").unwrap();
        silent_while_polled(&mut terminal, &portal);
        terminal.send_line("fg").unwrap();
        terminal.exp_regex(line).unwrap();
        // login reads the keys again and does not echo them.
        terminal.send("c").unwrap();
        terminal.flush().unwrap();
        terminal.exp_string("\x1b]52;c;").unwrap();
        terminal.exp_string("sent to the clipboard").unwrap();

        terminal.send_control('z').unwrap();
        terminal.exp_regex("[Ss](topped|uspended)").unwrap();
        terminal.exp_string("READY").unwrap();
        terminal.send_line("stty -a | grep -o '[-]*icanon'").unwrap();
        terminal.exp_string("\nicanon").unwrap();
        terminal.exp_string("READY").unwrap();
        terminal.send_line("bg").unwrap();
        silent_while_polled(&mut terminal, &portal);
        terminal.send_line("fg").unwrap();
        terminal.exp_string("sent to the clipboard").unwrap();

        // Stopping works a second time.
        terminal.send_control('z').unwrap();
        terminal.exp_regex("[Ss](topped|uspended)").unwrap();
        terminal.send_line("fg").unwrap();
        terminal.exp_string("sent to the clipboard").unwrap();
        portal.allow();
        terminal.exp_string("Signed in to corp").unwrap();
        terminal.send_line("echo st''atus $?; exit").unwrap();
        terminal.exp_string("status 0").unwrap();
        terminal.exp_eof().unwrap();
    }
}
