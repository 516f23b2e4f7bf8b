//! The door: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    end_on_interrupt();
    ExitCode::from(daypass::run(std::env::args_os(), daypass::env::Env::of_process()))
}

/// Ctrl-C ends the program with status 130, whatever it waits for: everything that is kept is kept whole, so any instant will do.
/// (`exec` starts its command with the default again: a handler does not survive it.) Where it is ignored, as in a script's background,
/// it stays so, for the command of `exec` too.
#[cfg(unix)]
fn end_on_interrupt() {
    if interrupt_is_ignored() {
        return;
    }
    let always = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    // Where it can't be set, the system's default ends the program as well.
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, always);
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn interrupt_is_ignored() -> bool {
    // SAFETY: all zeros is a valid `sigaction`; with no new action given, the call only writes the present one to it.
    unsafe {
        let mut present: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, std::ptr::null(), &raw mut present) == 0 && present.sa_sigaction == libc::SIG_IGN
    }
}
