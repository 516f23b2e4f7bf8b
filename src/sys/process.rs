//! Protects the memory of the process, which contains secrets, and reports panics. Touches the process's attributes.

use std::panic;
use std::path::{Component, Path};

use super::stderr;

/// Forbids core dumps (SIGQUIT, SIGABRT) and debuggers of other processes of the user. A program that the process starts or becomes gets
/// its own attribute back. On systems other than Linux core dumps are off by default.
pub fn forbid_core_dumps() {
    // It can't fail: the value is valid.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The name of this machine; empty if the system does not tell.
pub fn host_name() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    String::new()
}

/// Makes a panic an error like any other, with status 1. Libraries panic where the system refuses what they take for granted, such as a
/// file descriptor. The message is left out, because it may quote a secret.
pub fn report_panics() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if cfg!(debug_assertions) {
            default(info);
        }
        let place = info.location().map(|at| format!(" at {}:{}", shortened(at.file()), at.line())).unwrap_or_default();
        stderr::say(&format!(
            "daypass: internal error{place}\nhint: if it happens again, report this line and the output of: daypass --version"
        ));
        // The hook may not return: a panic must not unwind, and it must end with status 1.
        #[allow(clippy::disallowed_methods)]
        std::process::exit(1);
    }));
}

/// The path from the package on: paths of libraries name a folder of the machine that compiled them.
fn shortened(file: &str) -> String {
    let parts: Vec<_> = Path::new(file).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let source = parts.iter().rposition(|part| part.as_os_str() == "src").map_or(0, |at| at.saturating_sub(1));
    parts.get(source..).unwrap_or_default().iter().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_panic_does_not_name_folders_outside_the_package() {
        assert_eq!(
            shortened("/home/a/.cargo/registry/src/index-1/tokio-1.0.0/src/runtime/driver.rs"),
            "tokio-1.0.0/src/runtime/driver.rs"
        );
        assert_eq!(shortened("src/sys/process.rs"), "src/sys/process.rs");
        assert_eq!(shortened(""), "");
    }
}
