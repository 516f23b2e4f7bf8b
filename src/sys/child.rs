//! Runs the command of `exec`. Touches processes.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::process::Command;

use zeroize::Zeroizing;

use crate::error::{Error, Exit};

/// What Windows' own shell would try after `.exe`, which the system tries by itself: many tools (cdk, npm, sam) are such scripts there.
const SCRIPTS: &[&str] = if cfg!(windows) { &[".cmd", ".bat"] } else { &[] };

/// Becomes the command (Unix), or runs it and returns its status.
///
/// # Errors
/// 127 where there is no such command, 126 where it can't be executed, as shells have it.
#[allow(clippy::disallowed_methods)]
pub fn run(
    command: &[OsString],
    set: &[(Cow<'static, str>, Zeroizing<String>)],
    cleared: &[Cow<'static, str>],
) -> Result<u8, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage("no command to run", "daypass exec PROFILE -- COMMAND"));
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
    let mut ended = become_or_wait(prepared(program));
    for extension in SCRIPTS {
        if matches!(&ended, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            let mut script = program.clone();
            script.push(extension);
            ended = become_or_wait(prepared(&script));
        }
    }
    ended.map_err(|error| {
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

/// The console sends Ctrl-C to the child too: it decides. A status has 32 bits here, so it can't be handed to the door, which takes
/// eight; nothing is left to be tidied.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods)]
fn become_or_wait(mut child: Command) -> io::Result<u8> {
    crate::sys::signal::arm();
    let status = crate::sys::signal::left_to_child(|| child.status());
    std::process::exit(status?.code().unwrap_or(1))
}
