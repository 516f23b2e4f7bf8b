//! The door: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    end_on_interrupt();
    ExitCode::from(daypass::run(std::env::args_os(), daypass::env::Env::of_process()))
}

/// Ctrl-C ends the program with status 130, whatever it waits for: everything that is kept is kept whole, so any instant will do.
/// (`exec` starts its command with the default again: a handler does not survive it.)
/// Where it can't be set, the system's default ends the program as well.
#[cfg(unix)]
fn end_on_interrupt() {
    let always = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, always);
}

/// As above; a command of `exec` runs beside daypass here and gets the Ctrl-C too: what it does then decides for both.
#[cfg(not(unix))]
#[allow(clippy::disallowed_methods)]
fn end_on_interrupt() {
    let _ = ctrlc::set_handler(|| {
        if !daypass::child::RUNS.load(std::sync::atomic::Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
}
