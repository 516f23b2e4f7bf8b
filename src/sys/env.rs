//! Every environment variable that daypass reads, one function each. Touches the process environment, once.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};

/// The variables of the region, in the order in which they count.
pub const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// The variables that tell which others daypass set.
const MARKS: [&str; 2] = ["DAYPASS_REGION", "DAYPASS_SETTINGS"];

/// An entry of `DAYPASS_SETTINGS`: the name of a variable and a hash of its value (FNV-1a), so that one that was changed since is the
/// user's.
pub fn setting(name: &str, value: &str) -> String {
    let hash = value.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{name}:{hash:016x}")
}

/// The variables as they were when the program started. An empty value counts as unset.
#[derive(Debug, Clone, Default)]
pub struct Env {
    vars: HashMap<String, String>,
}

impl Env {
    /// Reads the process's own. Values that are not UTF-8 are left out: none that daypass knows may hold such.
    #[allow(clippy::disallowed_methods)]
    pub fn of_process() -> Self {
        env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `AWS_PROFILE`, then `AWS_DEFAULT_PROFILE`, as AWS CLI v2 reads them.
    pub fn profile(&self) -> Option<&str> {
        self.get("AWS_PROFILE").or_else(|| self.get("AWS_DEFAULT_PROFILE"))
    }

    /// `AWS_CONFIG_FILE`, else `~/.aws/config`. None where there is no home either.
    pub fn config_file(&self) -> Option<PathBuf> {
        self.aws_file("AWS_CONFIG_FILE", "config")
    }

    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub fn credentials_file(&self) -> Option<PathBuf> {
        self.aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    }

    fn aws_file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        match self.get(variable) {
            Some(path) => Some(self.expand(path)),
            None => Some(self.home()?.join(".aws").join(name)),
        }
    }

    /// `~` as a whole first part stands for the home folder; `~user` is left alone (the AWS SDKs' common rule).
    pub fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix('~'), self.home()) {
            (Some(""), Some(home)) => home,
            (Some(rest), Some(home)) if rest.starts_with('/') || (cfg!(windows) && rest.starts_with('\\')) => home.join(&rest[1..]),
            _ => Path::new(path).to_owned(),
        }
    }

    /// `HOME`; on Windows then `USERPROFILE`, then `HOMEDRIVE` with `HOMEPATH` (the order of the SDKs' file-location vectors);
    /// else what the system says.
    pub fn home(&self) -> Option<PathBuf> {
        let windows = || {
            self.get("USERPROFILE")
                .map(PathBuf::from)
                .or_else(|| Some(PathBuf::from(format!("{}{}", self.get("HOMEDRIVE")?, self.get("HOMEPATH")?))))
        };
        self.get("HOME").map(PathBuf::from).or_else(|| if cfg!(windows) { windows() } else { None }).or_else(dirs::home_dir)
    }

    /// The value of `DAYPASS_KEYRING`.
    pub fn keyring(&self) -> Option<&str> {
        self.get("DAYPASS_KEYRING")
    }

    /// `DAYPASS_COMPLETE`: the shell that asks for completions.
    pub fn completing(&self) -> Option<&str> {
        self.get("DAYPASS_COMPLETE")
    }

    /// What the keys in the environment are, where daypass put them there: `DAYPASS_ACTIVE` holds the access key's id, a blank, and
    /// the profile or `role@account`. Not that of other keys that were put there later.
    pub fn active(&self) -> Option<&str> {
        let (key, name) = self.get("DAYPASS_ACTIVE")?.split_once(' ')?;
        (self.access_key() == Some(key)).then_some(name)
    }

    /// Whether daypass set this variable, to the value that it still has: the region's, whose value `DAYPASS_REGION` repeats, or another
    /// that `DAYPASS_SETTINGS` lists.
    pub fn is_ours(&self, name: &str) -> bool {
        let Some(value) = self.get(name) else { return false };
        let region = REGION.contains(&name) && self.get("DAYPASS_REGION") == Some(value);
        region || self.get("DAYPASS_SETTINGS").is_some_and(|list| list.split(',').any(|entry| entry == setting(name, value)))
    }

    /// The variables that daypass set for a role, apart from the credentials, with those that mark them.
    pub fn our_settings(&self) -> Vec<String> {
        let names = self.vars.keys().filter(|name| MARKS.contains(&name.as_str()) || self.is_ours(name));
        let mut names: Vec<String> = names.cloned().collect();
        names.sort();
        names
    }

    /// The names of the AWS variables that the user set.
    pub fn users_variables(&self) -> Vec<&str> {
        let names = self.vars.keys().map(String::as_str);
        names.filter(|name| name.starts_with("AWS_") && self.get(name).is_some() && !self.is_ours(name)).collect()
    }

    /// The region that the user set: `AWS_REGION`, then `AWS_DEFAULT_REGION`.
    pub fn region(&self) -> Option<&str> {
        REGION.into_iter().find_map(|name| self.get(name).filter(|_| !self.is_ours(name)))
    }

    /// `AWS_ACCESS_KEY_ID`
    pub fn access_key(&self) -> Option<&str> {
        self.get("AWS_ACCESS_KEY_ID")
    }

    /// `AWS_CREDENTIAL_EXPIRATION`
    pub fn expiration(&self) -> Option<&str> {
        self.get("AWS_CREDENTIAL_EXPIRATION")
    }

    /// The value of `DAYPASS_LOG`.
    pub fn log(&self) -> Option<&str> {
        self.get("DAYPASS_LOG")
    }

    /// `SHELL`, the user's login shell.
    pub fn shell(&self) -> Option<&str> {
        self.get("SHELL")
    }

    /// The program of the person's own shell: `SHELL`, else the system's.
    pub fn shell_program(&self) -> &str {
        let system = || if cfg!(windows) { self.get("COMSPEC").unwrap_or("cmd.exe") } else { "/bin/sh" };
        self.shell().unwrap_or_else(system)
    }

    /// `BROWSER`: a list of commands, parted by `:`.
    pub fn browser(&self) -> Option<&str> {
        self.get("BROWSER")
    }

    /// `NO_COLOR`: any value but the empty one asks for none.
    pub fn no_color(&self) -> bool {
        self.get("NO_COLOR").is_some()
    }

    /// Whether text is UTF-8: `LC_ALL`, else `LC_CTYPE`, else `LANG`; elsewhere than on Linux it is.
    pub fn utf8(&self) -> bool {
        let locale = self.get("LC_ALL").or_else(|| self.get("LC_CTYPE")).or_else(|| self.get("LANG"));
        let named = |locale: &str| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        // macOS's terminals are, whatever they say.
        cfg!(not(target_os = "linux")) || locale.is_some_and(named)
    }

    /// Whether `TERM` names a terminal on which a cursor can be moved.
    pub fn moves_cursor(&self) -> bool {
        cfg!(windows) || self.get("TERM").is_some_and(|term| term != "dumb")
    }

    /// Whether this program was started over SSH.
    pub fn over_ssh(&self) -> bool {
        ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| self.get(name).is_some())
    }

    /// `CI`, which every continuous integration service sets.
    pub fn ci(&self) -> bool {
        self.get("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// A workspace in somebody's cloud: Codespaces, Gitpod, Cloud9, `CloudShell`, a development container, a pod.
    pub fn remote_workspace(&self) -> bool {
        let marks = ["CODESPACES", "GITPOD_WORKSPACE_ID", "C9_USER", "REMOTE_CONTAINERS", "KUBERNETES_SERVICE_HOST"];
        marks.iter().any(|name| self.get(name).is_some()) || self.get("AWS_EXECUTION_ENV") == Some("CloudShell")
    }

    /// `WSL_DISTRO_NAME`: Linux inside of Windows.
    pub fn wsl(&self) -> bool {
        self.get("WSL_DISTRO_NAME").is_some()
    }

    /// `WSL_INTEROP`: Windows programs can be started from there.
    pub fn wsl_bridge(&self) -> bool {
        self.get("WSL_INTEROP").is_some()
    }

    /// `WAYLAND_DISPLAY` or `DISPLAY`.
    pub fn display(&self) -> bool {
        self.get("WAYLAND_DISPLAY").is_some() || self.get("DISPLAY").is_some()
    }

    /// `AWS_CA_BUNDLE`: certificates to trust in place of the system's.
    pub fn ca_bundle(&self) -> Option<PathBuf> {
        self.get("AWS_CA_BUNDLE").map(|path| self.expand(path))
    }

    /// Whether `SSL_CERT_FILE` or `SSL_CERT_DIR` (OpenSSL's) says where the system's certificates are.
    pub fn names_certificates(&self) -> bool {
        self.get("SSL_CERT_FILE").is_some() || self.get("SSL_CERT_DIR").is_some()
    }

    /// `PATH`, as the list that it is.
    pub fn path(&self) -> Vec<PathBuf> {
        self.get("PATH").map(|list| env::split_paths(list).collect()).unwrap_or_default()
    }

    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub fn session_bus(&self) -> Option<&str> {
        self.get("DBUS_SESSION_BUS_ADDRESS")
    }

    /// Where the session bus listens if `DBUS_SESSION_BUS_ADDRESS` does not say: `$XDG_RUNTIME_DIR/bus`, else `/run/user/UID/bus`
    /// (systemd's place; programs started by cron or over ssh have no address). It need not be there.
    pub fn session_bus_socket(&self) -> Option<PathBuf> {
        let own = self.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Some(own.or_else(runtime_of_user)?.join("bus"))
    }

    /// Where the file back-end keeps its secrets: `$XDG_DATA_HOME/daypass` or the platform's kin.
    pub fn data_folder(&self) -> Option<PathBuf> {
        let own = self.get("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute() && cfg!(target_os = "linux"));
        let by_home = || if cfg!(target_os = "linux") { Some(self.home()?.join(".local/share")) } else { dirs::data_local_dir() };
        Some(own.or_else(by_home)?.join("daypass"))
    }

    /// Where what is remembered for the picker lives: `$XDG_STATE_HOME/daypass` or the platform's kin.
    pub fn state_folder(&self) -> Option<PathBuf> {
        let own = self.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute() && cfg!(target_os = "linux"));
        let by_home = || if cfg!(target_os = "linux") { Some(self.home()?.join(".local/state")) } else { dirs::data_local_dir() };
        Some(own.or_else(by_home)?.join("daypass"))
    }

    /// Where locks live: one folder for all processes of the user, whatever each has in its environment.
    ///
    /// `$XDG_RUNTIME_DIR/daypass`; where that is unset `/run/user/UID` if it is there; else the cache folder.
    pub fn runtime_folder(&self) -> Option<PathBuf> {
        let own = self.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Some(own.or_else(runtime_of_user).or_else(|| self.cache_folder())?.join("daypass"))
    }

    fn cache_folder(&self) -> Option<PathBuf> {
        let own = self.get("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute() && cfg!(target_os = "linux"));
        let by_home = || if cfg!(target_os = "linux") { Some(self.home()?.join(".cache")) } else { dirs::cache_dir() };
        own.or_else(by_home)
    }
}

#[cfg(target_os = "linux")]
fn runtime_of_user() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    let folder = PathBuf::from(format!("/run/user/{uid}"));
    (std::fs::metadata(&folder).ok()?.uid() == uid).then_some(folder)
}

#[cfg(not(target_os = "linux"))]
fn runtime_of_user() -> Option<PathBuf> {
    None
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(vars: T) -> Self {
        Self { vars: vars.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        vars.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(env(&[("AWS_PROFILE", ""), ("AWS_DEFAULT_PROFILE", "dev")]).profile(), Some("dev"));
    }

    #[test]
    fn a_tilde_is_the_home_folder_only_as_a_whole_first_part() {
        let at = |file| env(&[("HOME", "/home/me"), ("AWS_CONFIG_FILE", file)]).config_file().unwrap();
        assert_eq!(at("~/aws.ini"), Path::new("/home/me/aws.ini"));
        assert_eq!(at("~other/aws.ini"), Path::new("~other/aws.ini"));
        assert_eq!(at("/a/~/b"), Path::new("/a/~/b"));
    }

    #[test]
    fn the_config_file_is_under_home_if_nothing_else_is_said() {
        assert_eq!(env(&[("HOME", "/home/me")]).config_file().unwrap(), Path::new("/home/me/.aws/config"));
    }
}
