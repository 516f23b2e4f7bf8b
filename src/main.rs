//! The program: arguments in, exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(daypass::run(std::env::args_os(), daypass::sys::env::Env::of_process()))
}
