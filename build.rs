//! Leaves out of a release build for Linux with glibc what only unwinding needs: a program that aborts on panics unwinds only for a
//! backtrace. The tables are an eighth of the program. The unwinder, to which the standard library refers, is linked statically if the C
//! compiler has it so: the shared one (`libgcc_s`), which every start maps and relocates, takes a tenth of a warm `credential-process`
//! (`benches/run`).

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Cargo reads standard output, and the compiler is a program.

use std::path::Path;
use std::process::Command;
use std::{env, fs, str};

/// A linker script that adds to the linker's own.
const WITHOUT_TABLES: &str =
    "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) *(.gcc_except_table*) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    let native = env::var("HOST") == env::var("TARGET");
    if !(native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release")) {
        return;
    }
    let script = env::var_os("OUT_DIR").map(|folder| Path::new(&folder).join("without-tables.ld"));
    if let Some(script) = script.filter(|script| fs::write(script, WITHOUT_TABLES).is_ok()) {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{},--no-eh-frame-hdr", script.display());
    }
    // The compiler prints the path of a file that it has, and otherwise the name alone.
    let Ok(answer) = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = Path::new(str::from_utf8(&answer.stdout).unwrap_or_default().trim_end());
    if let Some(folder) = path.parent().filter(|folder| folder.is_absolute()) {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
