//! A pseudo-terminal for the tests of interactive commands.

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::support::portal::Portal;
use crate::support::run::{DAYPASS, Home};

/// How long to wait for output, in milliseconds.
const LIMIT: u64 = 30_000;

/// The Down key.
pub(crate) const DOWN: &str = "\u{1b}[B";

/// A terminal on which a program runs.
pub(crate) struct Terminal {
    session: PtySession,
    /// All output so far.
    seen: String,
    /// The process ID of the program.
    pub(crate) pid: String,
}

impl Terminal {
    /// Runs the program under test on a terminal of this size.
    pub(crate) fn new(home: &Home, arguments: &str, columns: usize, lines: usize) -> Self {
        let words = shlex::split(arguments).unwrap();
        let command: Vec<&str> = [DAYPASS].into_iter().chain(words.iter().map(String::as_str)).collect();
        Self::running(home, &command, columns, lines)
    }

    /// Runs any program. After its end a shell prints its status and whether the terminal is in canonical mode again.
    pub(crate) fn running(home: &Home, command: &[&str], columns: usize, lines: usize) -> Self {
        let script = "trap : INT; stty cols $1 rows $2; shift 2; sh -c 'echo \"pid $$.\"; exec \"$@\"' sh \"$@\"; echo \"status $?\"; stty -a | grep -o '[-]*icanon'; echo over";
        let mut outer = home.command("sh");
        outer.args(["-c", script, "sh", &columns.to_string(), &lines.to_string()]).args(command);
        let mut session = spawn_command(outer, Some(LIMIT)).expect("a pseudo-terminal, and sh and stty (Debian: dash, coreutils)");
        session.exp_string("pid ").unwrap();
        let pid = session.exp_string(".").unwrap();
        Self { session, seen: String::new(), pid }
    }

    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> &mut Self {
        // rexpect reads each byte as a character.
        let bytes: String = text.bytes().map(char::from).collect();
        match self.session.exp_string(&bytes) {
            Ok(before) => self.seen.extend([before, bytes]),
            Err(error) => panic!("the terminal never showed {text:?}, but before it:\n{}\nand then: {error}", self.seen),
        }
        self
    }

    pub(crate) fn types(&mut self, keys: &str) -> &mut Self {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
        self
    }

    /// Waits for this question and accepts the default.
    #[track_caller]
    pub(crate) fn enter(&mut self, question: &str) -> &mut Self {
        self.answer(question, "")
    }

    #[track_caller]
    pub(crate) fn answer(&mut self, question: &str, answer: &str) -> &mut Self {
        self.shows(question).types(answer).types("\r")
    }

    /// Asserts that the program ends with this status and restores the terminal. Returns all output.
    #[track_caller]
    pub(crate) fn ends(mut self, status: i32) -> String {
        self.shows(&format!("status {status}\r\n")).shows("icanon\r\n").shows("over\r\n");
        assert!(!self.seen.contains("-icanon"), "the terminal is still in raw mode:\n{}", self.seen);
        assert_eq!(
            self.seen.matches("\u{1b}[?1049h").count(),
            self.seen.matches("\u{1b}[?1049l").count(),
            "the alternate screen is still active"
        );
        assert!(matches!(self.session.process().wait(), Ok(WaitStatus::Exited(..))));
        self.seen
    }
}

pub(crate) fn home(portal: &Portal) -> Home {
    // This browser opens nothing.
    Home::new().at(portal).with("TERM", "xterm-256color").with("LANG", "C.UTF-8").with("BROWSER", "true")
}

/// A home with the session `corp`, the profile `dev` and a sign-in.
pub(crate) fn signed_in(portal: &Portal) -> Home {
    let home = home(portal);
    home.daypass(crate::CONFIGURE).any_stderr().go();
    home.daypass("login corp --no-browser").any_stderr().go();
    home
}
