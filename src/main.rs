//! The program: arguments in, exit status out.

use std::process::ExitCode;

use daypass::sys::env::Env;
use daypass::sys::process;

fn main() -> ExitCode {
    process::forbid_core_dumps();
    ExitCode::from(daypass::run(std::env::args_os(), Env::of_process()))
}
