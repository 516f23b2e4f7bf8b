//! Private D-Bus session buses: with an unlocked GNOME Keyring, with a locked one, with none. Each has a home folder of its own and
//! ends with its value.

// Each test file uses what it needs of it.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

/// A bus of our own.
pub(crate) struct Bus {
    daemon: Child,
    address: String,
    home: TempDir,
}

const PASSWORD: &str = "test-pw";

impl Bus {
    /// A bus on which nothing provides a Secret Service.
    pub(crate) fn bare() -> Self {
        Self::start(TempDir::new().unwrap(), None)
    }

    /// A bus with GNOME Keyring and an empty, unlocked default collection.
    pub(crate) fn unlocked() -> Self {
        let unlock = format!("printf %s {PASSWORD} | gnome-keyring-daemon --foreground --unlock --components=secrets");
        Self::keyring(TempDir::new().unwrap(), &unlock)
    }

    /// A bus with GNOME Keyring and no collection at all.
    pub(crate) fn without_collection() -> Self {
        Self::keyring(TempDir::new().unwrap(), "gnome-keyring-daemon --foreground --components=secrets")
    }

    /// The same home a day later: the collection with all it holds is there, and locked.
    pub(crate) fn locked_again(mut self) -> Self {
        self.end();
        let home = std::mem::replace(&mut self.home, TempDir::new().unwrap());
        Self::keyring(home, "gnome-keyring-daemon --foreground --components=secrets")
    }

    /// What a program finds in `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops the keyring daemon (SIGSTOP): it is there and does not answer.
    pub(crate) fn stop_keyring(&self) {
        Self::signal("STOP", &self.keyring_pid().unwrap());
    }

    /// Lets a keyring go on that was stopped.
    pub(crate) fn continue_keyring(&self) {
        Self::signal("CONT", &self.keyring_pid().unwrap());
    }

    /// Stops the bus itself.
    pub(crate) fn stop(&self) {
        Self::signal("STOP", &self.daemon.id().to_string());
    }

    /// Runs a program on this bus, with standard input.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        let mut child = command(program)
            .args(arguments)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {}", package(program)));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What programs on this bus ask the Secret Service to show to a person.
    pub(crate) fn watch_prompts(&self) -> Prompts {
        let rule = "interface='org.freedesktop.Secret.Prompt'";
        let mut child = command("dbus-monitor")
            .args(["--address", &self.address, rule])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-monitor: {error}; apt-get install dbus-bin"));
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut prompts = Prompts { child, lines };
        // It loses its name when it becomes a monitor; from then on it sees all.
        prompts.until("member=NameLost");
        prompts
    }

    fn keyring(home: TempDir, start: &str) -> Self {
        let services = home.path().join("services");
        fs::create_dir_all(&services).unwrap();
        let script = home.path().join("keyring.sh");
        fs::write(&script, format!("exec 2>/dev/null\n{start}\n")).unwrap();
        let service = format!("[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sh {}\n", script.display());
        fs::write(services.join("org.freedesktop.secrets.service"), service).unwrap();
        let bus = Self::start(home, Some(&services));
        // Started by the bus, so that the answer comes when it is ready; and a second one can't be.
        let started = bus.send(
            "org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.StartServiceByName",
            &["string:org.freedesktop.secrets", "uint32:0"],
        );
        assert!(started.status.success(), "{}; apt-get install gnome-keyring", String::from_utf8_lossy(&started.stderr));
        bus
    }

    fn start(home: TempDir, services: Option<&Path>) -> Self {
        let services = services.map(|folder| format!("<servicedir>{}</servicedir>", folder.display())).unwrap_or_default();
        let config = home.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>{services}<policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            home.path().join("bus").display()
        );
        fs::write(&config, text).unwrap();
        let mut daemon = command("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdout(Stdio::piped())
            // It reports each activation.
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-daemon: {error}; apt-get install dbus"));
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { daemon, address: address.trim().to_owned(), home }
    }

    fn send(&self, to: &str, path: &str, method: &str, arguments: &[&str]) -> Output {
        let to = format!("--dest={to}");
        self.run("dbus-send", &[&["--session", "--print-reply", &to, path, method], arguments].concat(), "")
    }

    fn keyring_pid(&self) -> Option<String> {
        let method = "org.freedesktop.DBus.GetConnectionUnixProcessID";
        let answer = self.send("org.freedesktop.DBus", "/", method, &["string:org.freedesktop.secrets"]);
        String::from_utf8(answer.stdout).ok()?.split_whitespace().last().map(str::to_owned)
    }

    fn signal(signal: &str, pid: &str) {
        assert!(command("kill").args(["-s", signal, pid]).status().unwrap().success());
    }

    fn end(&mut self) {
        let _ = command("kill").args(["-s", "CONT", &self.daemon.id().to_string()]).status();
        // A stopped keyring can't notice that its bus is gone.
        if let Some(pid) = self.keyring_pid() {
            let _ = command("kill").args(["-s", "CONT", &pid]).status();
        }
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // Ended already where another bus took the home over.
        if self.daemon.try_wait().is_ok_and(|status| status.is_none()) {
            self.end();
        }
    }
}

/// A monitor of calls to prompts.
pub(crate) struct Prompts {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Prompts {
    /// Whether a prompt was asked for up to now.
    pub(crate) fn any(&mut self, bus: &Bus) -> bool {
        let sent = bus.run("dbus-send", &["--session", "/", "org.freedesktop.Secret.Prompt.UpToHere"], "");
        assert!(sent.status.success());
        self.until("member=UpToHere").contains("member=Prompt")
    }

    fn until(&mut self, end: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(end) {
            assert_ne!(self.lines.read_line(&mut seen).unwrap(), 0, "the monitor ended after: {seen}");
        }
        seen
    }
}

impl Drop for Prompts {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// Tests start the programs that they need; the ban is for the program itself.
#[allow(clippy::disallowed_methods)]
fn command(program: &str) -> Command {
    Command::new(program)
}

fn package(program: &str) -> &'static str {
    match program {
        "secret-tool" => "libsecret-tools",
        "dbus-daemon" => "dbus",
        "keyctl" => "keyutils",
        _ => "dbus-bin",
    }
}
