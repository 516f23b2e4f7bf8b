//! The door: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    end_on_interrupt();
    ExitCode::from(daypass::run(std::env::args_os(), daypass::env::Env::of_process()))
}

/// Ctrl-C ends the program with status 130, whatever it waits for: everything that is kept is kept whole, so any instant will do.
/// (On Unix `exec` starts its command with the default again: a handler does not survive it.)
fn end_on_interrupt() {
    // Where it can't be set, the system's default ends the program as well.
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, &daypass::child::CTRL_C_ENDS_US);
}
