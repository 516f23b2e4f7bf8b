//! Writing files: links, modes, other writers, full disks, killed processes.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use daypass::error::{Error, Exit};
use daypass::profile::Config;
use daypass::profile::edit::Change;
use daypass::profile::request::RoleRequest;
use daypass::profile::store::{Others, Plan, backup_path, plan, remove, update};
use daypass::sys::env::Env;
use tempfile::TempDir;

use crate::{env, env_at};

/// A home folder with a config file.
struct Home {
    folder: TempDir,
    env: Env,
}

impl Home {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = env_at(folder.path());
        Self { folder, env }
    }

    fn with(text: &str) -> Self {
        let home = Self::empty();
        home.put(".aws/config", text);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::File::create(self.path(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn set(&self, profile: &str, region: &str) -> Result<Plan, Error> {
        update(&self.env, &[region_of(profile, region)], Others::Refuse)
    }
}

fn region_of(profile: &str, region: &str) -> Change {
    Change::Profile { name: profile.to_owned(), set: vec![("region".to_owned(), region.to_owned())], remove: vec![], mark: None }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_file_and_its_folder_are_private() {
    let home = Home::empty();
    home.set("a", "x").unwrap();
    assert_eq!(home.text(".aws/config"), "[profile a]\nregion = x\n");
    assert_eq!((mode(&home.path(".aws")), mode(&home.path(".aws/config"))), (0o700, 0o600));
    assert_eq!(home.names(".aws"), ["config"]);
}

#[test]
fn mode_and_group_are_kept_and_the_backup_is_private() {
    let home = Home::with("[profile a]\nregion = x\n");
    let path = home.path(".aws/config");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    // Only root may change the group; for others this is the group that the file has.
    let group = if fs::metadata(&path).unwrap().uid() == 0 { 12345 } else { fs::metadata(&path).unwrap().gid() };
    std::os::unix::fs::chown(&path, None, Some(group)).unwrap();
    home.set("a", "y").unwrap();
    for (path, expected) in [(path.clone(), 0o664), (backup_path(&path), 0o600)] {
        assert_eq!((mode(&path), fs::metadata(&path).unwrap().gid()), (expected, group), "{}", path.display());
    }
}

#[test]
fn the_previous_version_is_backed_up_and_repeating_an_edit_writes_nothing() {
    let home = Home::with("[profile a]\nregion = x\n");
    home.set("a", "y").unwrap();
    let inode = fs::metadata(home.path(".aws/config")).unwrap().ino();
    assert!(home.set("a", "y").unwrap().is_empty());
    assert_eq!(fs::metadata(home.path(".aws/config")).unwrap().ino(), inode);
    assert_eq!(home.text(".aws/config.daypass.bak"), "[profile a]\nregion = x\n");
    assert_eq!(home.names(".aws"), ["config", "config.daypass.bak"]);
}

#[test]
fn a_backup_contains_no_secret() {
    let home = Home::with("[profile a]\naws_secret_access_key = hunter2\nregion = x\n");
    home.set("b", "y").unwrap();
    assert!(home.text(".aws/config").contains("hunter2"));
    let backup = home.text(".aws/config.daypass.bak");
    assert!(backup.starts_with("[profile a]\n# (left out") && backup.ends_with("\nregion = x\n"), "{backup}");
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_edited() {
    for (link, to) in [("dotfiles/aws/config", None), ("dotfiles/aws/config", Some("../dotfiles/aws/config"))] {
        let home = Home::empty();
        home.put(link, "[profile a]\r\nregion = x\r\n");
        fs::create_dir(home.path(".aws")).unwrap();
        let to = to.map_or(home.path(link), PathBuf::from);
        symlink(&to, home.path(".aws/config")).unwrap();
        home.set("a", "y").unwrap();
        assert_eq!(fs::read_link(home.path(".aws/config")).unwrap(), to);
        assert_eq!(home.text(link), "[profile a]\r\nregion = y\r\n");
        // The backup is where the link is, not in the repository of dotfiles.
        assert_eq!(
            (home.names("dotfiles/aws"), home.names(".aws")),
            (vec!["config".into()], vec!["config".into(), "config.daypass.bak".into()])
        );
    }
}

#[test]
fn a_linked_folder_and_a_chain_of_links_are_followed() {
    let home = Home::empty();
    home.put("real/one", "[profile a]\nregion = x\n");
    symlink("one", home.path("real/config")).unwrap();
    symlink("real", home.path(".aws")).unwrap();
    home.set("a", "y").unwrap();
    assert_eq!(home.text("real/one"), "[profile a]\nregion = y\n");
    assert!(fs::symlink_metadata(home.path("real/config")).unwrap().is_symlink());
}

#[test]
fn unusable_config_files_are_reported_by_name() {
    let fails = |home: &Home, words: &str| {
        let error = home.set("a", "y").unwrap_err();
        assert!(error.exit == Exit::Failed && error.what.contains(words) && error.what.contains("config"), "{error}");
    };
    let home = Home::empty();
    fs::create_dir_all(home.path(".aws/config")).unwrap();
    fails(&home, "can't read");

    let home = Home::empty();
    fs::create_dir(home.path(".aws")).unwrap();
    symlink("nowhere", home.path(".aws/config")).unwrap();
    fails(&home, "is a symbolic link to nowhere, which does not exist");
    assert_eq!(home.names(".aws"), ["config"]);

    let home = Home::empty();
    fs::create_dir(home.path(".aws")).unwrap();
    symlink("config", home.path(".aws/config")).unwrap();
    fails(&home, "can't read");

    let home = Home::with("[profile a]\nregion = x\n");
    fs::set_permissions(home.path(".aws/config"), fs::Permissions::from_mode(0o444)).unwrap();
    fails(&home, "is read-only");
    assert_eq!(home.text(".aws/config"), "[profile a]\nregion = x\n");

    let home = Home { env: env(&[("HOME", "/"), ("AWS_CONFIG_FILE", "/dev/null"), ("XDG_RUNTIME_DIR", "/tmp")]), ..Home::empty() };
    let error = home.set("a", "y").unwrap_err();
    assert!(error.what.contains("/dev/null is not a regular file"), "{error}");
}

#[test]
fn a_file_is_deleted_only_if_it_is_what_was_read() {
    let home = Home::with("[profile a]\nregion = x\n");
    let path = home.path(".aws/config");
    assert!(!remove(&home.env, &path, "[profile a]\nregion = y\n").unwrap());
    assert_eq!(home.text(".aws/config"), "[profile a]\nregion = x\n");
    assert!(remove(&home.env, &path, "[profile a]\nregion = x\n").unwrap());
    assert!(!path.exists());
    assert!(!remove(&home.env, &path, "[profile a]\nregion = x\n").unwrap());
}

#[test]
#[cfg(target_os = "linux")]
fn an_unwritable_folder_is_reported_by_name() {
    let home = Home::empty();
    let run = home.path("run");
    let env = env(&[("AWS_CONFIG_FILE", "/proc/config-of-aws"), ("XDG_RUNTIME_DIR", run.to_str().unwrap())]);
    let error = update(&env, &[region_of("a", "x")], Others::Refuse).unwrap_err();
    assert!(error.what.contains("can't write in /proc"), "{error}");
}

#[test]
fn static_keys_in_the_credentials_file_stop_a_helper_unless_allowed() {
    let home = Home::with("");
    home.put(".aws/credentials", "[a]\naws_access_key_id = AKIA\n");
    let change = [Change::helper("a", "daypass credential-process --profile b".into(), vec![])];
    let error = update(&home.env, &change, Others::Refuse).unwrap_err();
    assert!(error.exit == Exit::Usage && error.what.contains(".aws/credentials:2"), "{error}");
    assert_eq!(home.text(".aws/config"), "");
    update(&home.env, &change, Others::Allow).unwrap();
    assert!(home.text(".aws/config").contains("credential_process"));
    assert_eq!(home.text(".aws/credentials"), "[a]\naws_access_key_id = AKIA\n");
}

#[test]
fn a_plan_writes_nothing_and_has_a_unified_diff() {
    let home = Home::with("[profile a]\nregion = x\n\n[profile b]\nk = 1");
    let plan = plan(&home.env, &[region_of("a", "y"), region_of("c", "z")], Others::Refuse).unwrap();
    let path = home.path(".aws/config").display().to_string();
    let path = path.trim_start_matches('/');
    let expected = format!(
        "--- a/{path}\n+++ b/{path}\n@@ -1,5 +1,8 @@\n [profile a]\n-region = x\n+region = y\n \n [profile b]\n-k = 1\n\\ No newline at end of file\n+k = 1\n+\n+[profile c]\n+region = z\n"
    );
    assert_eq!(plan.diff(), expected);
    assert_eq!(home.names(".aws"), ["config"]);
    assert!(!home.path("run").exists());
    assert!(self::plan(&home.env, &[region_of("a", "x")], Others::Refuse).unwrap().diff().is_empty());
    assert!(
        self::plan(&Home::empty().env, &[region_of("a", "x")], Others::Refuse).unwrap().diff().starts_with("--- /dev/null\n+++ b/")
    );
}

#[test]
fn concurrent_writers_lose_nothing() {
    if let Some(writer) = Writer::here() {
        return drop(writer.set("x").unwrap());
    }
    let home = Home::with("# mine\n");
    let this = "concurrent_writers_lose_nothing";
    let writers: Vec<Child> = (0..4).map(|n| again(this, &home, &format!("process-{n}"), "")).collect();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let home = &home;
            scope.spawn(move || (0..5).for_each(|m| drop(home.set(&format!("thread-{n}-{m}"), "x").unwrap())));
        }
    });
    writers.into_iter().for_each(passes);
    let config = Config::read(&home.env).unwrap();
    assert_eq!(config.profiles().len(), 4 + 8 * 5);
    assert_eq!(config.warnings(), []);
    assert_eq!(home.names(".aws"), ["config", "config.daypass.bak"]);
}

#[test]
fn a_full_disk_leaves_the_file_unchanged() {
    if let Some(writer) = Writer::here() {
        let error = writer.set("y").unwrap_err();
        assert!(error.exit == Exit::Failed && error.what.contains("nothing was changed"), "{error}");
        return;
    }
    let text = format!("[profile a]\nregion = x\n# {}\n", "long ".repeat(1000));
    let home = Home::with(&text);
    // No file may grow beyond a few blocks: the write fails as it does on a full disk.
    passes(again("a_full_disk_leaves_the_file_unchanged", &home, "a", "trap '' XFSZ; ulimit -f 4; "));
    assert_eq!(home.text(".aws/config"), text);
    assert_eq!(home.names(".aws"), ["config"]);
}

#[test]
fn a_killed_writer_leaves_a_complete_file() {
    if let Some(writer) = Writer::here() {
        loop {
            writer.set("y").unwrap();
            writer.set("x").unwrap();
        }
    }
    let text = format!("[profile a]\nregion = x\n# {}\n# end\n", "long ".repeat(5_000));
    for round in 0..5 {
        let home = Home::with(&text);
        let mut writer = again("a_killed_writer_leaves_a_complete_file", &home, "a", "");
        let mut seen = 0;
        let mut last = String::new();
        while seen < 20 + round {
            let now = home.text(".aws/config");
            assert!(now.ends_with("# end\n") && now.len() == text.len());
            seen += usize::from(now != last);
            last = now;
            assert!(writer.try_wait().unwrap().is_none(), "the writer ended");
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let now = home.text(".aws/config");
        assert!(now.ends_with("# end\n") && now.len() == text.len());
        // The lock ended with its process, and the next change removes its temporary files.
        home.set("b", "z").unwrap();
        assert_eq!(home.names(".aws"), ["config", "config.daypass.bak"]);
    }
}

/// A process that a test started to write one profile: the same test again, with these variables.
struct Writer {
    env: Env,
    profile: String,
}

impl Writer {
    #[allow(clippy::disallowed_methods)]
    fn here() -> Option<Self> {
        let home = std::env::var("TEST_HOME").ok()?;
        Some(Self { env: env_at(Path::new(&home)), profile: std::env::var("TEST_PROFILE").unwrap() })
    }

    fn set(&self, region: &str) -> Result<Plan, Error> {
        update(&self.env, &[region_of(&self.profile, region)], Others::Refuse)
    }
}

/// Starts this test again as a process that writes the profile. `first` is shell code to run before.
#[allow(clippy::disallowed_methods)]
fn again(test: &str, home: &Home, profile: &str, first: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!("{first}exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("storing::{test}"), "--test-threads=1"])
        .envs([("TEST_HOME", home.folder.path().to_str().unwrap()), ("TEST_PROFILE", profile)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Checks that the process ran the test and passed.
#[track_caller]
fn passes(writer: Child) {
    let output = writer.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Reads the configuration in a thread: a hang fails the test.
fn read_in_time(env: Env) -> Result<Config, Error> {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = send.send(Config::read(&env));
    });
    receive.recv_timeout(std::time::Duration::from_secs(30)).expect("reading ends")
}

fn env_of(config: &Path) -> Env {
    env(&[("AWS_CONFIG_FILE", config.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"), ("XDG_RUNTIME_DIR", "/tmp")])
}

#[test]
fn a_device_or_socket_is_not_read() {
    let home = Home::empty();
    let socket = home.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [Path::new("/dev/zero"), Path::new("/dev/full"), &socket, Path::new("/")] {
        let error = read_in_time(env_of(path)).unwrap_err();
        assert!(error.what.starts_with(&format!("can't read {}: ", path.display())), "{error}");
        let error = update(&env_of(path), &[region_of("a", "x")], Others::Refuse).unwrap_err();
        assert!(error.what.contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(read_in_time(env_of(Path::new("/dev/null"))).unwrap().profiles().len(), 0);
}

#[test]
fn a_pipe_is_read_whole_and_once() {
    let home = Home::empty();
    let path = home.path("pipe");
    let name = path.to_str().unwrap().to_owned();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut writer = Command::new("sh").args(["-c", "printf '[profile a]\\nregion = x\\n' >\"$0\"", &name]).spawn().unwrap();
    for _ in 0..2 {
        let asked = RoleRequest { profile: Some("a".to_owned()), ..RoleRequest::default() };
        let error = daypass::profile::resolve::target(&env_of(&path), &asked).unwrap_err();
        assert!(error.what.contains("profile \"a\"") && !error.what.contains("there is no profile"), "{error}");
        assert_eq!(read_in_time(env_of(&path)).unwrap().profile("a").unwrap().text("region"), Some("x"));
    }
    assert!(writer.wait().unwrap().success());
}

#[test]
fn a_pipe_without_a_writer_or_without_an_end_is_an_error() {
    let home = Home::empty();
    let path = home.path("silent");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let error = read_in_time(env_of(&path)).unwrap_err();
    assert!(error.what.contains("silent: it is a pipe whose writer does not close it"), "{error}");
    let mut writer = Command::new("sh").args(["-c", "exec yes >\"$0\"", path.to_str().unwrap()]).spawn().unwrap();
    let error = read_in_time(env_of(&path)).unwrap_err();
    assert!(error.what.contains("larger than 16 MiB"), "{error}");
    writer.wait().unwrap();
}

#[test]
fn a_path_that_is_not_utf_8_is_the_file_that_is_edited() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::empty();
    let path = home.folder.path().join(std::ffi::OsStr::from_bytes(b"od\xffd"));
    let vars = [("AWS_CONFIG_FILE", path.as_os_str()), ("HOME", home.folder.path().as_os_str())];
    let env: Env = vars.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    update(&env, &[region_of("a", "x")], Others::Refuse).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "[profile a]\nregion = x\n");
    assert!(!home.path(".aws").exists());
}
