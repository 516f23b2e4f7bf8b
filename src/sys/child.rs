//! Runs the command of `exec`, and others whose result daypass needs. Touches processes.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{Error, Exit};
use crate::sys::clock::{self, Deadline};
use crate::text::shell_quote;

/// The extensions that cmd.exe tries after `.exe`, which the system tries: on Windows many tools (cdk, npm, sam) are such scripts.
const SCRIPTS: &[&str] = if cfg!(windows) { &[".cmd", ".bat"] } else { &[] };

/// Starts this program once more, as a server beside the command that replaces this process: in a process group of its own, so that keys
/// of the terminal don't reach it. Returns what it writes. Its messages are dropped unless `tell`.
#[cfg(unix)]
#[allow(clippy::disallowed_methods)]
pub fn start_server(arguments: &[String], tell: bool) -> io::Result<std::process::ChildStdout> {
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;
    let mut server = Command::new(std::env::current_exe()?);
    server.args(arguments).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
    server.stderr(if tell { Stdio::inherit() } else { Stdio::null() });
    server.spawn()?.stdout.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// Replaces the process by the command (Unix), or runs it and exits with its status.
///
/// # Errors
/// 127 if the command is not found, 126 if it can't be executed, as in POSIX shells.
#[allow(clippy::disallowed_methods)]
pub fn run(
    command: &[OsString],
    set: &[(Cow<'static, str>, Zeroizing<String>)],
    cleared: &[Cow<'static, str>],
) -> Result<u8, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage("no command to run", "daypass exec --help"));
    };
    let prepared = |program: &OsString| {
        let mut child = Command::new(program);
        child.args(arguments);
        for name in cleared {
            child.env_remove(&**name);
        }
        child.envs(set.iter().map(|(name, value)| (&**name, value.as_str())));
        child
    };
    let mut result = exec_or_wait(prepared(program));
    for extension in SCRIPTS {
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            let mut script = program.clone();
            script.push(extension);
            result = exec_or_wait(prepared(&script));
        }
    }
    result.map_err(|error| {
        let name = program.to_string_lossy();
        let quoted = shell_quote(&name);
        if error.kind() == io::ErrorKind::NotFound {
            // Shows where it was looked for.
            let hint = match std::path::Path::new(program).parent() {
                Some(folder) if folder != std::path::Path::new("") => format!("ls -ld {}", shell_quote(&folder.to_string_lossy())),
                _ if cfg!(windows) => "echo %PATH%".to_owned(),
                _ => "echo \"$PATH\"".to_owned(),
            };
            Error::new(Exit::NotFound, format!("{name}: command not found"), hint)
        } else {
            Error::new(Exit::NotExecutable, format!("{name} can't be executed: {error}"), format!("ls -l {quoted}"))
        }
    })
}

/// Replaces the process, so that the command has signals, job control and the terminal for itself.
#[cfg(unix)]
fn exec_or_wait(mut child: Command) -> io::Result<u8> {
    Err(std::os::unix::process::CommandExt::exec(&mut child))
}

/// The console sends Ctrl-C to the child too, which decides. A status has 32 bits on Windows, more than [`run`] can return, so the
/// process exits here.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods)]
fn exec_or_wait(mut child: Command) -> io::Result<u8> {
    crate::sys::signal::arm();
    let status = crate::sys::signal::left_to_child(|| child.status());
    std::process::exit(status?.code().unwrap_or(1))
}

/// What a program printed, and how it ended.
pub struct Output {
    /// Its exit status.
    pub status: ExitStatus,
    /// Standard output, which may contain secrets.
    pub stdout: Zeroizing<Vec<u8>>,
    /// Standard error.
    pub stderr: String,
}

/// Runs a program to its end, as SDKs run a `credential_process`, and returns what it printed. It is killed after `limit`.
///
/// # Errors
/// Those of starting it; [`io::ErrorKind::TimedOut`].
#[allow(clippy::disallowed_methods)]
pub fn output(words: &[String], limit: Duration) -> io::Result<Output> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut child =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let deadline = Deadline::after(limit);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if deadline.passed() {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it did not end within {} s", limit.as_secs())));
        }
        clock::sleep(Duration::from_millis(2));
    };
    let text = |bytes: thread::JoinHandle<Zeroizing<Vec<u8>>>| bytes.join().unwrap_or_default();
    Ok(Output { status, stdout: text(stdout), stderr: String::from_utf8_lossy(&text(stderr)).into_owned() })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Zeroizing<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Runs a command line in the system's shell, on the same terminal, and returns how it ended.
///
/// # Errors
/// Those of starting the shell.
#[allow(clippy::disallowed_methods)]
pub fn shell(line: &str, set: &[(Cow<'static, str>, Zeroizing<String>)], cleared: &[Cow<'static, str>]) -> io::Result<ExitStatus> {
    let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("/bin/sh") };
    command.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(line);
    for name in cleared {
        command.env_remove(&**name);
    }
    command.envs(set.iter().map(|(name, value)| (&**name, value.as_str()))).status()
}
