//! Opens an address in the user's browser, and tells whether that browser runs on this machine. Starts other programs.
//!
//! The program gets no streams, because a browser that keeps running must not keep the pipe open that an SDK reads. It gets a process
//! group of its own, so that a Ctrl-C for daypass does not end the browser.

use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::sys::clock::Deadline;
use crate::sys::env::Env;
use crate::sys::web_address;

/// How long a failure of the program counts as a failure to open the address. Later it may be the browser itself that exits.
const LAUNCHING: Duration = Duration::from_secs(5);

/// A browser that was started.
pub struct Opened {
    child: Child,
    launching: Deadline,
    /// Whether its exit status tells whether it opened the address.
    status_counts: bool,
}

impl Opened {
    /// Whether the program still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether the program has failed to open the address, as far as is known now.
    pub fn failed(&mut self) -> bool {
        self.status_counts && !self.launching.passed() && matches!(self.child.try_wait(), Ok(Some(status)) if !status.success())
    }
}

/// Opens the address with the commands in `BROWSER` if it is set (separated by `:`, `%s` for the address; on Windows the path of one
/// program), else with the system's opener.
///
/// # Errors
/// The address is not that of a web page; else the last command's, if none could be started.
pub fn open(address: &str, env: &Env) -> io::Result<Opened> {
    start(commands(&safe(address)?, env))
}

/// Runs a program that opens an address, which is among its arguments.
///
/// # Errors
/// Those of starting it.
#[allow(clippy::disallowed_methods)]
pub fn launch(words: &[String]) -> io::Result<Opened> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments);
    start(vec![command])
}

/// The address of a web page, written so that no script interprets any of it.
///
/// # Errors
/// It is not the address of a web page.
pub fn safe(address: &str) -> io::Result<String> {
    web_address::for_programs(address)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is not the address of a web page"))
}

/// Starts the first of these that can be started.
fn start(commands: Vec<Command>) -> io::Result<Opened> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "no browser");
    for mut command in commands {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => {
                // The status of a Windows launcher is meaningless: `explorer.exe` ends with 1 if it has opened the page. WSL starts them too.
                let is_windows = cfg!(windows) || command.get_program().to_string_lossy().to_ascii_lowercase().ends_with(".exe");
                return Ok(Opened { child, launching: Deadline::after(LAUNCHING), status_counts: !is_windows });
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[allow(clippy::disallowed_methods)]
fn commands(address: &str, env: &Env) -> Vec<Command> {
    let Some(browser) = env.browser() else { return open::commands(address) };
    if cfg!(windows) {
        // Paths contain colons and backslashes, so the whole value is one program.
        let mut command = Command::new(browser);
        command.arg(address);
        return vec![command];
    }
    let parse = |line: &str| {
        let words = shlex::split(line)?;
        let named = words.iter().any(|word| word.contains("%s"));
        let mut words = words.into_iter().map(|word| word.replace("%s", address));
        let mut command = Command::new(words.next()?);
        command.args(words);
        if !named {
            command.arg(address);
        }
        Some(command)
    };
    browser.split(':').filter_map(parse).collect()
}

/// Checks that a browser opened here reaches the loopback interface of this machine.
///
/// # Errors
/// The reason why not, as a clause.
pub fn on_this_machine(env: &Env) -> Result<(), &'static str> {
    here(env, cfg!(target_os = "linux"))
}

fn here(env: &Env, linux: bool) -> Result<(), &'static str> {
    if env.over_ssh() {
        return Err("this is an SSH session");
    }
    if env.ci() {
        return Err("this is a CI job");
    }
    if env.remote_workspace() {
        return Err("this is a remote workspace");
    }
    // Windows forwards the loopback ports of WSL, but daypass must be able to start a Windows browser.
    if env.wsl() && !env.wsl_bridge() {
        return Err("this WSL can't start Windows programs");
    }
    // Containers usually have no display; with one, the browser runs inside the container too.
    if linux && !env.wsl() && !env.display() {
        return Err("there is no display");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // Tests write files of their own.
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        vars.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[cfg(unix)]
    #[test]
    fn the_exit_status_of_a_windows_launcher_does_not_count() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for (name, failed) in [("browser", true), ("explorer.exe", false), ("Firefox.EXE", false)] {
            let path = folder.path().join(name);
            std::fs::write(&path, "#!/bin/sh\nexit 1\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let mut opened = open("https://example.com", &env(&[("BROWSER", &path.to_string_lossy())])).unwrap();
            opened.child.wait().unwrap();
            assert_eq!(opened.failed(), failed, "{name}");
        }
    }

    #[test]
    fn a_browser_is_on_this_machine_if_there_is_a_display_and_no_remote_session() {
        let on_linux = |vars: &[(&str, &str)]| here(&env(vars), true).is_ok();
        assert!(on_linux(&[("DISPLAY", ":0")]) && on_linux(&[("WAYLAND_DISPLAY", "wayland-0"), ("CI", "false")]));
        assert!(on_linux(&[("WSL_DISTRO_NAME", "Debian"), ("WSL_INTEROP", "/run/WSL/1_interop")]));
        for elsewhere in [
            &[][..],
            &[("BROWSER", "lynx")],
            &[("DISPLAY", "localhost:10.0"), ("SSH_CONNECTION", "1 2 3 4")],
            &[("DISPLAY", ":0"), ("CI", "true")],
            &[("DISPLAY", ":0"), ("CODESPACES", "true")],
            &[("DISPLAY", ":0"), ("WSL_DISTRO_NAME", "Debian")],
        ] {
            assert!(!on_linux(elsewhere), "{elsewhere:?}");
        }
        assert!(here(&env(&[]), false).is_ok() && here(&env(&[("SSH_TTY", "/dev/ttys1")]), false).is_err());
    }
}
