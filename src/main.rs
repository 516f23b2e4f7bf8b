//! The program: passes its arguments and environment to the library and returns the exit status.

use std::process::ExitCode;

use daypass::sys::env::Env;
use daypass::sys::process;

/// A static program's `malloc` would be musl's. That one takes memory from the kernel, page by page, and returns it as often as it can,
/// which costs a program that runs for a millisecond a third of its time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    process::forbid_core_dumps();
    process::report_panics();
    ExitCode::from(daypass::run(std::env::args_os(), Env::of_process()))
}
