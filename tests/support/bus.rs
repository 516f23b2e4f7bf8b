//! Private D-Bus session buses, each with a keyring (GNOME Keyring, KWallet, KeePassXC) or none. Each has a home folder of its own and
//! ends when its value is dropped.

// Each test file uses what it needs of it.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Instant;

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

    /// The same home a day later: the collection with all it contains is there, and locked.
    pub(crate) fn locked_again(self) -> Self {
        self.again("gnome-keyring-daemon --foreground --components=secrets")
    }

    /// A bus with KWallet and an empty, open wallet, as after signing in to a Plasma desktop.
    pub(crate) fn kwallet() -> Self {
        needs("kwalletd5", "libkf5wallet-bin");
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join(".config")).unwrap();
        let settings = "[Wallet]\nFirst Use=false\n[org.freedesktop.secrets]\napiEnabled=true\n";
        fs::write(home.path().join(".config/kwalletrc"), settings).unwrap();
        // What pam_kwallet does: it hands over the key of the wallet by a pipe, and by a socket the environment, which is here already.
        let script = home.path().join("kwallet.py");
        let login = "\
import os, socket
pipe, end = os.pipe()
os.write(end, b'k' * 56)
os.close(end)
listener, caller = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
path = os.environ['PAM_KWALLET5_LOGIN'] = os.path.join(os.environ['HOME'], 'login')
if os.path.exists(path):
    os.unlink(path)
listener.bind(path)
listener.listen(1)
caller.connect(path)
caller.close()
os.set_inheritable(pipe, True)
os.set_inheritable(listener.fileno(), True)
os.execvp('kwalletd5', ['kwalletd5', '--pam-login', str(pipe), str(listener.fileno())])
";
        fs::write(&script, login).unwrap();
        let start = format!("exec /usr/bin/python3 {}", script.display());
        // The first start makes the wallet, and offers it to nobody yet. It does so before it answers its first call.
        let bus = Self::keyring(home, &start);
        let read_alias = "org.freedesktop.Secret.Service.ReadAlias";
        bus.send("org.freedesktop.secrets", "/org/freedesktop/secrets", read_alias, &["string:default"]);
        bus.again(&start)
    }

    /// The same home a day later, with KWallet: nothing has opened the wallet.
    pub(crate) fn closed_wallet(self) -> Self {
        self.again("exec kwalletd5")
    }

    /// A bus with KeePassXC and an empty, unlocked database. With `confirm`, KeePassXC asks a person before a program reads, and before it
    /// deletes.
    pub(crate) fn keepassxc(confirm: bool) -> Self {
        needs("keepassxc", "keepassxc");
        let home = TempDir::new().unwrap();
        let path = |name: &str| home.path().join(name).display().to_string();
        // The group that programs may use is named in the database.
        let content = "<KeePassFile><Meta><CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key>\
            <Value>{b792a8e4-cfbc-47ba-a4e0-c23ccdf5be04}</Value></Item></CustomData></Meta>\
            <Root><Group><UUID>t5Ko5M+8R7qk4MI8zfW+BA==</UUID><Name>Passwords</Name></Group></Root></KeePassFile>";
        fs::write(path("db.xml"), content).unwrap();
        let mut import = command("keepassxc-cli");
        import.args(["import", "--quiet", "--set-password", "--decryption-time", "100", &path("db.xml"), &path("db.kdbx")]);
        let imported = output(import.env("HOME", home.path()), &format!("{PASSWORD}\n{PASSWORD}\n"));
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let settings = format!(
            "[General]\nConfigVersion=2\n[GUI]\nCheckForUpdates=false\n[Security]\nNoConfirmMoveEntryToRecycleBin=false\n\
             [FdoSecrets]\nEnabled=true\nShowNotification=false\nConfirmAccessItem={confirm}\nConfirmDeleteItem={confirm}\n"
        );
        fs::write(path("keepassxc.ini"), settings).unwrap();
        let start = format!(
            "printf %s {PASSWORD} | exec keepassxc --config {} --localconfig {} --pw-stdin {}",
            path("keepassxc.ini"),
            path("local.ini"),
            path("db.kdbx")
        );
        let bus = Self::keyring(home, &start);
        // It offers its service before it has opened the database.
        let start = Instant::now();
        while !bus.property("Locked").contains("boolean false") {
            assert!(start.elapsed().as_secs() < 60, "KeePassXC opens no database");
        }
        bus
    }

    /// A property of the default collection, as dbus-send prints it.
    pub(crate) fn property(&self, name: &str) -> String {
        let default = "/org/freedesktop/secrets/aliases/default";
        let arguments = ["string:org.freedesktop.Secret.Collection", &format!("string:{name}")];
        let answer = self.send("org.freedesktop.secrets", default, "org.freedesktop.DBus.Properties.Get", &arguments);
        String::from_utf8(answer.stdout).unwrap()
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

    /// Ends the keyring daemon at once.
    pub(crate) fn kill_keyring(&self) {
        Self::signal("KILL", &self.keyring_pid().unwrap());
    }

    /// Runs a program on this bus, with standard input.
    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        let mut command = command(program);
        command.args(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.address).env("HOME", self.home.path());
        output(&mut command, input)
    }

    /// What programs on this bus ask the Secret Service to show to a person.
    pub(crate) fn watch_prompts(&self) -> Monitor {
        self.watch("interface='org.freedesktop.Secret.Prompt'")
    }

    /// The messages on this bus that match a rule.
    pub(crate) fn watch(&self, rule: &str) -> Monitor {
        let mut child = command("dbus-monitor")
            .args(["--address", &self.address, rule])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-monitor: {error}; apt-get install dbus-bin"));
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut monitor = Monitor { child, lines };
        // It loses its name when it becomes a monitor; from then on it sees all.
        monitor.until("member=NameLost");
        monitor
    }

    fn keyring(home: TempDir, start: &str) -> Self {
        let services = home.path().join("services");
        fs::create_dir_all(&services).unwrap();
        let script = home.path().join("keyring.sh");
        // Programs with windows get along without a screen, and have one instance for each temporary folder.
        fs::write(&script, format!("exec 2>/dev/null\nexport QT_QPA_PLATFORM=offscreen TMPDIR=\"$HOME\"\n{start}\n")).unwrap();
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

    /// The same home on another bus.
    fn again(mut self, start: &str) -> Self {
        self.end();
        Self::keyring(std::mem::replace(&mut self.home, TempDir::new().unwrap()), start)
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
        // Not every keyring ends with its bus, and a stopped one can't.
        if let Some(pid) = self.keyring_pid() {
            let _ = command("kill").args(["-s", "KILL", &pid]).status();
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

/// The messages on a bus.
pub(crate) struct Monitor {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Monitor {
    /// Whether a prompt was asked for up to now.
    pub(crate) fn any(&mut self, bus: &Bus) -> bool {
        let sent = bus.run("dbus-send", &["--session", "/", "org.freedesktop.Secret.Prompt.UpToHere"], "");
        assert!(sent.status.success());
        self.until("member=UpToHere").contains("member=Prompt")
    }

    /// Waits for a message, and returns what was seen up to it.
    pub(crate) fn until(&mut self, end: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(end) {
            assert_ne!(self.lines.read_line(&mut seen).unwrap(), 0, "the monitor ended after: {seen}");
        }
        seen
    }
}

impl Drop for Monitor {
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

fn output(command: &mut Command, input: &str) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {}", package(&program)));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A program that the bus will start.
fn needs(program: &str, package: &str) {
    let found = command("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status().unwrap();
    assert!(found.success(), "this test needs {program}: apt-get install {package}");
}

fn package(program: &str) -> &'static str {
    match program {
        "secret-tool" => "libsecret-tools",
        "dbus-daemon" => "dbus",
        "keyctl" => "keyutils",
        "keepassxc-cli" => "keepassxc",
        _ => "dbus-bin",
    }
}
