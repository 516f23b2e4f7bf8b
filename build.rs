//! Links the unwinder statically into a release build for Linux with glibc, if the C compiler has it so. The standard library refers to
//! it, but a program that aborts on panics unwinds only for a backtrace. The shared one (`libgcc_s`), which every start maps and
//! relocates, takes a tenth of a warm `credential-process` (`benches/run`).

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Cargo reads standard output, and the compiler is a program.

use std::path::Path;
use std::process::Command;
use std::{env, str};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let native = env::var("HOST") == env::var("TARGET");
    if !(native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release")) {
        return;
    }
    // The compiler prints the path of a file that it has, and otherwise the name alone.
    let Ok(answer) = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = Path::new(str::from_utf8(&answer.stdout).unwrap_or_default().trim_end());
    if let Some(folder) = path.parent().filter(|folder| folder.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
