//! Where lock files are: they belong to the user, whatever the environment of one process names.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::{DAYPASS, Home, Run};
use crate::{CONFIGURE, OnKernelKeyring, needs};

const ASK: &str = "credential-process --profile dev";

/// A user other than root, with a home folder and perhaps a runtime folder as systemd creates it.
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) home: Home,
    /// Where that user can execute the program.
    pub(super) program: PathBuf,
    _folder: TempDir,
}

impl User {
    /// A signed-in one. None, with a loud message, if this test does not run as root.
    fn new(portal: &Portal) -> Option<Self> {
        let user = Self::configured(portal)?;
        user.daypass("login corp --no-browser").any_stderr().go();
        Some(user)
    }

    /// One with a profile `dev`.
    pub(super) fn configured(portal: &Portal) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        if fs::metadata(folder.path()).unwrap().uid() != 0 {
            eprintln!("\n*** NOT TESTED: this needs root, to act as another user and in /run/user ***\n");
            return None;
        }
        needs("setpriv", "apt-get install util-linux");
        let program = folder.path().join("daypass");
        fs::copy(DAYPASS, &program).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let home = Home::new().at(portal);
        // No other test, and no other run at the same time, uses this one.
        let uid = 100_000 + fastrand::u32(..1_000_000_000);
        let user = Self { uid, home, program, _folder: folder };
        for path in ["", "run", "data", "cache"] {
            user.give(&user.home.path(path));
        }
        user.daypass(CONFIGURE).any_stderr().go();
        Some(user)
    }

    pub(super) fn give(&self, path: &Path) {
        chown(path, Some(self.uid), Some(self.uid)).unwrap();
    }

    pub(super) fn daypass(&self, arguments: &str) -> Run<'_> {
        let uid = self.uid.to_string();
        let run = self.home.program("setpriv").args(["--reuid", &uid, "--regid", &uid, "--clear-groups"]);
        run.arg(&self.program).args(shlex::split(arguments).unwrap())
    }

    /// `/run/user/UID`, with a folder in it as Snap gives to its programs.
    fn runtime_folder(&self) -> Runtime {
        let folder = PathBuf::from(format!("/run/user/{}", self.uid));
        for path in [&folder, &folder.join("snap.code")] {
            fs::create_dir_all(path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
            self.give(path);
        }
        Runtime(folder)
    }

    /// Everything below this folder that belongs to somebody else.
    fn foreign(&self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                if meta.uid() != self.uid {
                    found.push(path.clone());
                }
                if meta.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }
}

struct Runtime(PathBuf);

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn expired() -> Portal {
    Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() })
}

#[test]
fn processes_with_two_runtime_folders_make_one_refresh() {
    let portal = expired();
    let Some(user) = User::new(&portal) else { return };
    let runtime = user.runtime_folder();
    portal.change(|config| config.token_ttl = Duration::from_hours(1));
    let latch = Latch::closed();
    portal.expect(Call::RefreshToken).answered(Answer::served().after(&latch));
    let variables = [Some(runtime.0.clone()), Some(runtime.0.join("snap.code")), None];
    let running: Vec<_> = (0..24)
        .map(|n| match &variables[n % 3] {
            Some(folder) => user.daypass(ASK).with("XDG_RUNTIME_DIR", folder),
            None => user.daypass(ASK).without("XDG_RUNTIME_DIR"),
        })
        .map(|run| run.stdout_has("AccessKeyId").spawn())
        .collect();
    latch.wait_for_requests(1);
    latch.open();
    for run in running {
        run.wait();
    }
    assert_eq!(portal.count(Call::RefreshToken), 1);
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
    let left: Vec<_> = fs::read_dir(runtime.0.join("daypass")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_runtime_folder_of_another_user_or_open_to_others_is_ignored() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::new(&portal) else { return };
    let folder = TempDir::new().unwrap();
    for (owner, mode) in [(0, 0o700), (0, 0o755), (0, 0o1777), (12_345, 0o777), (user.uid, 0o777), (user.uid, 0o750)] {
        chown(folder.path(), Some(owner), Some(owner)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        let other = "credential-process --session corp --account 444455556666 --role ReadOnly";
        user.daypass(other).with("XDG_RUNTIME_DIR", folder.path()).stdout_has("AccessKeyId").go();
        user.daypass("logout corp").with("XDG_RUNTIME_DIR", folder.path()).any_stderr().go();
        user.daypass("login corp --no-browser").with("XDG_RUNTIME_DIR", folder.path()).any_stderr().go();
        user.daypass("configure --session corp --account 111122223333 --role ReadOnly --profile ro")
            .with("XDG_RUNTIME_DIR", folder.path())
            .any_stderr()
            .go();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{owner} {mode:o}");
    }
}

#[test]
fn links_that_another_user_planted_are_not_followed() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::new(&portal) else { return };
    let attacker = 12_345;
    let precious = user.home.path("precious");
    fs::write(&precious, "text").unwrap();
    user.give(&precious);
    // The names of the lock files that this user's calls need.
    let shared = TempDir::new().unwrap();
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
    let running = user.daypass(ASK).stdout_has("AccessKeyId").spawn();
    latch.wait_for_requests(1);
    let names: Vec<_> = fs::read_dir(user.home.path("run/daypass")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    latch.open();
    running.wait();
    assert!(!names.is_empty());
    user.daypass("logout corp").any_stderr().go();
    user.daypass("login corp --no-browser").any_stderr().go();
    let folder = shared.path().join("daypass");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    for name in &names {
        symlink(&precious, folder.join(name)).unwrap();
    }
    chown(&folder, Some(attacker), Some(attacker)).unwrap();
    user.daypass(ASK).with("XDG_RUNTIME_DIR", shared.path()).stdout_has("AccessKeyId").go();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "text");
    // Even in the user's own folder a link is no lock file.
    user.daypass("logout corp").any_stderr().go();
    user.daypass("login corp --no-browser").any_stderr().go();
    for name in &names {
        symlink(&precious, user.home.path("run/daypass").join(name)).unwrap();
    }
    user.daypass(ASK).stdout_has("AccessKeyId").go();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "text");
}

#[test]
fn root_leaves_nothing_in_the_home_or_runtime_folder_of_another_user() {
    let start_url = format!("https://root-{}.awsapps.com/start", fastrand::u64(..));
    let portal = OnKernelKeyring(Portal::live(PortalConfig { start_url, ..PortalConfig::default() }));
    let of_user = Portal::live(PortalConfig::default());
    let Some(user) = User::new(&of_user) else { return };
    let runtime = user.runtime_folder();
    let before = [user.foreign(&user.home.path("")), user.foreign(&runtime.0)];
    // As `sudo -E` does: root's number, the user's variables.
    let root = |arguments: &str| {
        user.home
            .daypass(arguments)
            .with("AWS_ENDPOINT_URL_SSO", portal.url())
            .with("AWS_ENDPOINT_URL_SSO_OIDC", portal.url())
            .with("DAYPASS_KEYRING", "keyutils")
            .with("XDG_RUNTIME_DIR", &runtime.0)
            .any_output()
    };
    let session = format!("--session root --start-url {} --sso-region us-east-1", portal.start_url());
    root(&format!("login {session} --no-browser")).go();
    root(&format!("exec {session} --account 111122223333 --role ReadOnly -- true")).go();
    root(&format!("list {session}")).go();
    root(&format!("logout {session}")).go();
    root("login corp --no-browser").with("DAYPASS_KEYRING", "file").with("XDG_DATA_HOME", user.home.path("new")).status(5).go();
    root("configure --session other --start-url https://o.awsapps.com/start --sso-region us-east-1 --account 111122223333 --role R --profile p")
        .with("AWS_CONFIG_FILE", user.home.path("none/config"))
        .status(1)
        .go();
    assert_eq!([user.foreign(&user.home.path("")), user.foreign(&runtime.0)], before);
    user.daypass(ASK).with("XDG_RUNTIME_DIR", &runtime.0).stdout_has("AccessKeyId").go();
}

#[test]
fn a_lock_file_that_root_left_does_not_stop_the_user() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::new(&portal) else { return };
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
    let running = user.daypass(ASK).stdout_has("AccessKeyId").spawn();
    latch.wait_for_requests(1);
    let names: Vec<_> = fs::read_dir(user.home.path("run/daypass")).unwrap().map(|entry| entry.unwrap().path()).collect();
    latch.open();
    running.wait();
    user.daypass("logout corp").any_stderr().go();
    user.daypass("login corp --no-browser").any_stderr().go();
    for path in &names {
        fs::write(path, "1\n\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    user.daypass(ASK).stdout_has("AccessKeyId").go();
}

#[test]
fn without_any_writable_folder_daypass_works_without_locks() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::new(&portal) else { return };
    needs("unshare", "apt-get install util-linux");
    let uid = user.uid.to_string();
    let read_only = |arguments: &str| {
        let script = "mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && mount -t tmpfs -o ro none /dev/shm || exit 99\n\
                      exec setpriv --reuid \"$0\" --regid \"$0\" --clear-groups \"$@\"";
        user.home
            .program("unshare")
            .args(["-m", "sh", "-c", script, &uid])
            .arg(&user.program)
            .args(shlex::split(arguments).unwrap())
    };
    assert!(user.home.path("").starts_with("/tmp"), "the home must be read-only too");
    let memory = |arguments: &str| read_only(arguments).with("DAYPASS_KEYRING", "memory");
    memory(ASK).stderr_has("hint: daypass login corp").status(3).go();
    memory("logout corp").any_stderr().go();
    read_only(ASK).any_stderr().stdout_has("AccessKeyId").go();
}
