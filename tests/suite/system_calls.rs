//! System calls that fail at random instants, injected by strace: daypass reports an error of its own kind, loses no sign-in, and
//! leaves the user's config file as it was or as it should be.

use std::time::Duration;

use crate::support::portal::{Portal, PortalConfig, Rotation};
use crate::support::run::{DAYPASS, Home};
use crate::{CONFIGURE, needs, number_of, seed, signed_in};

/// Calls and the errors that they may return (their manual pages). Calls of the allocator and of the dynamic loader alone are left out.
const FAILURES: [(&str, &[&str]); 15] = [
    ("openat", &["EACCES", "EMFILE", "ENOENT", "ENFILE", "EROFS"]),
    ("read", &["EIO", "EINTR"]),
    ("write", &["EIO", "ENOSPC", "EINTR", "EDQUOT"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("rename", &["EACCES", "ENOSPC", "EXDEV"]),
    ("mkdir", &["EACCES", "ENOSPC", "EROFS"]),
    ("flock", &["EINTR", "ENOLCK"]),
    ("unlink", &["EACCES", "EROFS"]),
    ("fchmod", &["EPERM", "EROFS"]),
    ("statx", &["EACCES", "ELOOP"]),
    ("socket", &["EMFILE", "EACCES"]),
    ("connect", &["ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT"]),
    ("sendto", &["ECONNRESET", "EPIPE"]),
    ("recvfrom", &["ECONNRESET"]),
    ("epoll_create1", &["EMFILE"]),
];

/// A random system call of this command line fails once. Returns what was injected, and the result.
fn with_a_failing_call(home: &Home, random: &mut fastrand::Rng, arguments: &str) -> (String, Option<i32>) {
    let (call, errors) = FAILURES[random.usize(..FAILURES.len())];
    let injected = format!("inject={call}:error={}:when={}", errors[random.usize(..errors.len())], random.u32(1..40));
    let mut words =
        vec!["-f".to_owned(), "-qq".into(), "-o".into(), "/dev/null".into(), "-e".into(), injected.clone(), DAYPASS.into()];
    words.extend(shlex::split(arguments).unwrap());
    let done = home.program("strace").args(words).any_output().status_of((0..=255).collect::<Vec<_>>()).go();
    let loader_failed = done.stderr.contains("error while loading shared libraries");
    assert!(done.status.success() || loader_failed || done.stderr.contains("\nhint: "), "{injected}: {arguments}\n{done}");
    (injected, done.status.code())
}

#[test]
fn a_failing_system_call_loses_no_sign_in() {
    needs("strace", "apt-get install strace");
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    // Every call refreshes and fetches.
    let ttl = Duration::ZERO;
    let portal = Portal::live(PortalConfig { token_ttl: ttl, role_ttl: ttl, rotation: Rotation::Never, ..PortalConfig::of(1, 3) });
    let home = signed_in(&portal);
    let ask = "credential-process --session corp --account 000100000001 --role Role001";
    for round in 0..number_of(40) {
        let (injected, _) = with_a_failing_call(&home, &mut random, ask);
        let after = home.daypass(ask).any_output().status_of([0, 3]).go();
        assert!(after.status.success(), "seed {seed}, round {round}: {injected} lost the sign-in\n{after}");
    }
}

#[test]
fn a_failing_system_call_leaves_the_config_file_whole() {
    needs("strace", "apt-get install strace");
    let seed = seed();
    let mut random = fastrand::Rng::with_seed(seed);
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let before = home.read(".aws/config");
    let change = CONFIGURE.replace("--profile dev", "--profile other");
    home.daypass(&change).any_output().go();
    let after = home.read(".aws/config");
    for round in 0..number_of(40) {
        home.write(".aws/config", &before);
        let (injected, status) = with_a_failing_call(&home, &mut random, &change);
        let left = home.read(".aws/config");
        let expected = if status == Some(0) { &after } else { &before };
        // A failure after the rename is reported although the file is new.
        assert!(left == *expected || left == after, "seed {seed}, round {round}: {injected} left\n{left}");
    }
}
