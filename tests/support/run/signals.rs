//! Signal dispositions of the programs that tests start.

/// Gives programs that are started from now on the default action for signals that this process ignores, as it does under `nohup`.
///
/// An ignored signal stays ignored across `exec`, but a handled one gets its default action. So this installs a handler, which does
/// nothing, for each ignored signal.
#[cfg(target_os = "linux")]
pub(super) fn reset_ignored() {
    use std::sync::{Arc, Once};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").expect("the status of this process");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("the ignored signals");
        let mask = u64::from_str_radix(mask.trim(), 16).expect("a hexadecimal mask");
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            if mask & (1 << (signal - 1)) != 0 {
                signal_hook::flag::register(signal, Arc::default()).expect("a signal handler");
            }
        }
    });
}

#[cfg(not(target_os = "linux"))]
pub(super) fn reset_ignored() {}
