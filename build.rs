//! Links the program at a fixed address on Linux. A position-independent program is relocated page by page at each start, which takes a
//! fifth of a warm `credential-process` call (`benches/run`), and SDKs make such calls all day. The addresses of libraries, heap and stack
//! are still randomized.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // Build scripts read variables and write to standard output.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
