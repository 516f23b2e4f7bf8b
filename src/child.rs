//! Runs the command of `exec`. Touches processes.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use zeroize::Zeroizing;

use crate::error::{Error, Exit};

/// Becomes the command (Unix), or runs it and returns its status.
///
/// # Errors
/// 127 where there is no such command, 126 where it can't be executed, as shells have it.
#[allow(clippy::disallowed_methods)]
pub fn run(command: &[OsString], set: &[(&str, Zeroizing<String>)], cleared: &[&str]) -> Result<u8, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage("no command to run", "daypass exec PROFILE -- COMMAND"));
    };
    let mut child = Command::new(program);
    child.args(arguments);
    for name in cleared {
        child.env_remove(name);
    }
    for (name, value) in set {
        child.env(name, value.as_str());
    }
    become_or_wait(child).map_err(|error| {
        let name = program.to_string_lossy();
        let quoted = shlex::try_quote(&name).unwrap_or_else(|_| name.clone());
        if error.kind() == io::ErrorKind::NotFound {
            Error::new(Exit::NotFound, format!("{name}: command not found"), format!("command -v {quoted}"))
        } else {
            Error::new(Exit::NotExecutable, format!("{name} can't be executed: {error}"), format!("ls -l {quoted}"))
        }
    })
}

/// The process is replaced, so that signals, job control and the terminal are the command's own.
#[cfg(unix)]
fn become_or_wait(mut child: Command) -> io::Result<u8> {
    Err(std::os::unix::process::CommandExt::exec(&mut child))
}

/// The console sends Ctrl-C to the child too: it decides.
#[cfg(not(unix))]
fn become_or_wait(mut child: Command) -> io::Result<u8> {
    let status = child.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
