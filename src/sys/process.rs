//! Protects the memory of the process, which contains secrets. Touches the process's attributes.

/// Forbids core dumps (SIGQUIT, SIGABRT) and debuggers of other processes of the user. A program that the process starts or becomes gets
/// its own attribute back. On systems other than Linux core dumps are off by default.
pub fn forbid_core_dumps() {
    // It can't fail: the value is valid.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
