//! The program that started this one.

/// The file name of the parent process's program, such as `bash`. None if the system does not tell.
pub fn program() -> Option<String> {
    #[cfg(target_os = "linux")]
    return linux();
    #[cfg(all(unix, not(target_os = "linux")))]
    return ps();
    #[cfg(not(unix))]
    None
}

/// The same, if it takes microseconds to find out.
pub fn quick_program() -> Option<String> {
    if cfg!(target_os = "linux") { program() } else { None }
}

/// Ends this process when its parent, whose ID is `parent`, has ended; also if it has ended already.
#[cfg(unix)]
pub fn end_with(parent: u32) {
    std::thread::spawn(move || {
        wait_for_end(parent);
        super::signal::end();
    });
}

#[cfg(unix)]
fn wait_for_end(parent: u32) {
    use std::time::Duration;
    let lives = || std::os::unix::process::parent_id() == parent;
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, poll};
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        let id = i32::try_from(parent).ok().and_then(Pid::from_raw);
        // If the parent has ended before this call, the ID may be another process's by now; then it is not the parent's any more.
        if let Some(Ok(process)) = id.map(|id| pidfd_open(id, PidfdFlags::empty())) {
            while lives() {
                let mut ended = [PollFd::new(&process, PollFlags::IN)];
                if poll(&mut ended, None).is_ok() {
                    return;
                }
            }
            return;
        }
    }
    while lives() {
        super::clock::sleep(Duration::from_millis(500));
    }
}

/// By the program file, else by the name of the process, which a program may change. A shell that is one of many programs in one file
/// (`BusyBox`), or a script (xonsh), is known by its process's name only.
#[cfg(target_os = "linux")]
fn linux() -> Option<String> {
    let folder = std::path::PathBuf::from(format!("/proc/{}", std::os::unix::process::parent_id()));
    let file = || Some(std::fs::read_link(folder.join("exe")).ok()?.file_name()?.to_str()?.to_owned());
    let name = || Some(std::fs::read_to_string(folder.join("comm")).ok()?.trim().to_owned());
    file().filter(|file| file != "busybox" && !file.starts_with("python")).or_else(name)
}

/// No library tells this without unsafe code or a C parser at build time.
#[cfg(all(unix, not(target_os = "linux")))]
#[allow(clippy::disallowed_methods)]
fn ps() -> Option<String> {
    let parent = std::os::unix::process::parent_id().to_string();
    let output = std::process::Command::new("/bin/ps").args(["-o", "comm=", "-p", &parent]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    // A login shell's name begins with a hyphen.
    Some(path.trim().rsplit('/').next()?.trim_start_matches('-').to_owned())
}
