//! Opens an address in the person's browser. Starts other programs, with all three streams closed to them: one that stays behind must
//! not hold the pipe that an SDK reads from.

use std::io;
use std::process::{Command, Stdio};

use crate::env::Env;

/// `BROWSER` where it is set (commands parted by `:`, `%s` for the address; on Windows the path of one program), else what the system
/// opens addresses with.
///
/// # Errors
/// The last command's, if none could be started.
#[allow(clippy::disallowed_methods)]
pub fn open(address: &str, env: &Env) -> io::Result<()> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "no browser");
    for mut command in commands(address, env) {
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(_) => return Ok(()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

#[allow(clippy::disallowed_methods)]
fn commands(address: &str, env: &Env) -> Vec<Command> {
    let Some(browser) = env.browser() else { return open::commands(address) };
    if cfg!(windows) {
        // Colons and backslashes are parts of a path there: the whole of it is one program.
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
