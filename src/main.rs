//! The program: passes its arguments and environment to the library and returns the exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(daypass::run(std::env::args_os(), daypass::sys::env::Env::of_process()))
}
