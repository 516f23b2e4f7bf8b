//! Links the program at a fixed address on Linux. A position-independent one is relocated page by page at each start: that is a fifth of
//! what a warm `credential-process` takes (`benches/run`), forty times a day and behind every SDK's call. Libraries, heap and stack stay
//! randomized.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Cargo is spoken to by standard output.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
