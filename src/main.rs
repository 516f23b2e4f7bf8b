//! The door: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    end_on_interrupt();
    ExitCode::from(daypass::run(std::env::args_os(), daypass::env::Env::of_process()))
}

/// Ctrl-C ends the program with status 130, whatever it waits for: everything that is kept is kept whole, so any instant will do
/// but those in which the terminal has to be put right first.
/// (`exec` starts its command with the default again: a handler does not survive it.)
#[cfg(unix)]
fn end_on_interrupt() {
    let at_once = std::sync::Arc::clone(&daypass::terminal::ENDS_AT_ONCE);
    // Where it can't be set, the system's default ends the program as well.
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, at_once);
}
