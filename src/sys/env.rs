//! Reads every environment variable that daypass uses, one function each. Touches the process environment, once.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    // Shared, because each client of a service keeps a copy.
    vars: Arc<HashMap<String, OsString>>,
    /// The text of values that are not UTF-8, with U+FFFD for what is not: such a name is reported, not ignored.
    lossy: HashMap<String, String>,
}

impl Env {
    /// The variables of this process.
    #[allow(clippy::disallowed_methods)]
    pub fn of_process() -> Self {
        env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value))).collect()
    }

    fn get(&self, name: &str) -> Option<&str> {
        let text = self.os(name)?;
        text.to_str().or_else(|| self.lossy.get(name).map(String::as_str))
    }

    /// The value as the system has it, for paths.
    fn os(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    fn folder(&self, name: &str) -> Option<PathBuf> {
        self.os(name).map(PathBuf::from)
    }

    /// These variables with others set and cleared, as a child process gets them.
    pub fn changed<'a>(
        &self,
        set: impl IntoIterator<Item = (&'a str, &'a str)>,
        cleared: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut changed = self.clone();
        let vars = Arc::make_mut(&mut changed.vars);
        for name in cleared {
            vars.remove(name);
        }
        vars.extend(set.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        changed
    }

    /// A variable of the AWS SDKs' credential providers, by its name.
    pub fn aws(&self, name: &str) -> Option<&str> {
        self.get(name)
    }

    /// `AWS_PROFILE`, then `AWS_DEFAULT_PROFILE`, as AWS CLI v2 reads them.
    pub fn profile(&self) -> Option<&str> {
        Some(self.profile_variable()?.1)
    }

    /// The variable that names the profile, and the name.
    pub fn profile_variable(&self) -> Option<(&'static str, &str)> {
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(|variable| Some((variable, self.get(variable)?)))
    }

    /// `AWS_CONFIG_FILE`, else `~/.aws/config`. None if there is no home folder either.
    pub fn config_file(&self) -> Option<PathBuf> {
        self.aws_file("AWS_CONFIG_FILE", "config")
    }

    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub fn credentials_file(&self) -> Option<PathBuf> {
        self.aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    }

    fn aws_file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        match self.os(variable) {
            Some(path) => Some(self.expand(path)),
            None => Some(self.home()?.join(".aws").join(name)),
        }
    }

    /// Replaces a `~` that is the whole first part by the home folder; `~user` is left alone (the common rule of the AWS SDKs).
    pub fn expand(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home,
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }

    /// `HOME`; on Windows then `USERPROFILE`, then `HOMEDRIVE` with `HOMEPATH` (the order of the SDKs' file-location vectors);
    /// else the system's.
    pub fn home(&self) -> Option<PathBuf> {
        let windows = || {
            self.folder("USERPROFILE").or_else(|| {
                let mut path = self.os("HOMEDRIVE")?.to_owned();
                path.push(self.os("HOMEPATH")?);
                Some(PathBuf::from(path))
            })
        };
        self.folder("HOME").or_else(|| if cfg!(windows) { windows() } else { None }).or_else(dirs::home_dir)
    }

    /// All variables, sorted by name, for the search for keys.
    pub fn variables(&self) -> Vec<(&str, &OsStr)> {
        let mut all: Vec<_> = self.vars.iter().map(|(name, value)| (name.as_str(), value.as_os_str())).collect();
        all.sort();
        all
    }

    /// `USER` or `LOGNAME`.
    pub fn user(&self) -> Option<&str> {
        self.get("USER").or_else(|| self.get("LOGNAME"))
    }

    /// `BOTO_CONFIG`: the configuration of boto 2.
    pub fn boto_config(&self) -> Option<PathBuf> {
        self.os("BOTO_CONFIG").map(|path| self.expand(path))
    }

    /// `AWS_CREDENTIAL_FILE`: the file with one key, of tools before the AWS CLI.
    pub fn credential_file(&self) -> Option<PathBuf> {
        self.os("AWS_CREDENTIAL_FILE").map(|path| self.expand(path))
    }

    /// `HISTFILE`: the shell's history.
    pub fn shell_history(&self) -> Option<PathBuf> {
        self.os("HISTFILE").map(|path| self.expand(path))
    }

    /// `KUBECONFIG`: a list of files.
    pub fn kubeconfig(&self) -> Vec<PathBuf> {
        self.os("KUBECONFIG").map(|list| env::split_paths(list).filter(|path| path.is_absolute()).collect()).unwrap_or_default()
    }

    /// `RCLONE_CONFIG`: the configuration of rclone.
    pub fn rclone_config(&self) -> Option<PathBuf> {
        self.os("RCLONE_CONFIG").map(|path| self.expand(path))
    }

    /// Other folders for parts of the home folder, by these parts: those of zsh, of the XDG base directory specification and of Windows.
    pub fn moved_folders(&self) -> Vec<(&'static str, PathBuf)> {
        let folders = [
            (".config/zsh/", "ZDOTDIR"),
            (".config/", "XDG_CONFIG_HOME"),
            (".local/share/", "XDG_DATA_HOME"),
            (".local/state/", "XDG_STATE_HOME"),
            ("AppData/Roaming/", "APPDATA"),
            ("AppData/Local/", "LOCALAPPDATA"),
        ];
        folders.into_iter().filter_map(|(part, name)| Some((part, self.folder(name).filter(|path| path.is_absolute())?))).collect()
    }

    /// The file with the keys that are accepted: `~/.config/daypass/accepted`.
    pub fn accepted_keys(&self) -> Option<PathBuf> {
        Some(self.home()?.join(".config/daypass/accepted"))
    }

    /// The value of `DAYPASS_KEYRING`.
    pub fn keyring(&self) -> Option<&str> {
        self.get("DAYPASS_KEYRING")
    }

    /// `DAYPASS_COMPLETE`: the shell that requests completions.
    pub fn completing(&self) -> Option<&str> {
        self.get("DAYPASS_COMPLETE")
    }

    /// `_CLAP_COMPLETE_INDEX`: the index of the word to complete, from the scripts for bash and zsh. The other shells send no word after it.
    pub fn completed_word(&self) -> Option<usize> {
        self.get("_CLAP_COMPLETE_INDEX")?.parse().ok()
    }

    /// Whether this runs in a pane of tmux.
    pub fn tmux(&self) -> bool {
        self.get("TMUX").is_some()
    }

    /// The profile or `role@account` of the keys in the environment, if daypass set them. `DAYPASS_ACTIVE` contains the access key ID, a
    /// blank, and that name; it is ignored if the keys were changed since.
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

    /// The coding agent that started this program, by the variables that agents set for the programs they run. `DAYPASS_AGENT` = `1` or `0`
    /// overrides them. `CURSOR_TRACE_ID` is none of them: the editor also sets it in the user's own terminal.
    pub fn agent(&self) -> Option<&'static str> {
        const MARKS: [(&str, &str); 11] = [
            ("CLAUDECODE", "claude-code"),
            ("CURSOR_AGENT", "cursor"),
            ("CODEX_SANDBOX", "codex"),
            ("CODEX_THREAD_ID", "codex"),
            ("GEMINI_CLI", "gemini-cli"),
            ("OPENCODE", "opencode"),
            ("COPILOT_AGENT_SESSION_ID", "copilot"),
            ("CLINE_ACTIVE", "cline"),
            ("AI_AGENT", "agent"),
            ("AGENT", "agent"),
            ("DAYPASS_AGENT", "agent"),
        ];
        let is_set = |name: &str| self.get(name).is_some_and(|value| !matches!(value, "0" | "false"));
        if self.get("DAYPASS_AGENT").is_some() && !is_set("DAYPASS_AGENT") {
            return None;
        }
        MARKS.into_iter().find(|(variable, _)| is_set(variable)).map(|(_, name)| name)
    }

    /// `DAYPASS_AGENTS`: what profiles without a rule of their own allow agents.
    pub fn agents(&self) -> Option<&str> {
        self.get("DAYPASS_AGENTS")
    }

    /// Whether the credentials that are handed out are recorded: unless `DAYPASS_LOG_ISSUED` is `0`.
    pub fn log_issued(&self) -> bool {
        self.get("DAYPASS_LOG_ISSUED") != Some("0")
    }

    /// `AWS_CREDENTIAL_EXPIRATION`
    pub fn expiration(&self) -> Option<&str> {
        self.get("AWS_CREDENTIAL_EXPIRATION")
    }

    /// `LOCALAPPDATA`, a folder on Windows.
    pub fn local_app_data(&self) -> Option<PathBuf> {
        self.folder("LOCALAPPDATA")
    }

    /// The value of `DAYPASS_LOG`.
    pub fn log(&self) -> Option<&str> {
        self.get("DAYPASS_LOG")
    }

    /// `SHELL`, the user's login shell.
    pub fn shell(&self) -> Option<&str> {
        self.get("SHELL")
    }

    /// The user's own shell: `SHELL`, else the system's.
    pub fn shell_program(&self) -> &str {
        let system = || if cfg!(windows) { self.get("COMSPEC").unwrap_or("cmd.exe") } else { "/bin/sh" };
        self.shell().unwrap_or_else(system)
    }

    /// `BROWSER`: a list of commands, separated by `:`.
    pub fn browser(&self) -> Option<&str> {
        self.get("BROWSER")
    }

    /// `DAYPASS_CONSOLE_BROWSER`: the command that opens the console.
    pub fn console_browser(&self) -> Option<&str> {
        self.get("DAYPASS_CONSOLE_BROWSER")
    }

    /// Whether `NO_COLOR` is set and not empty.
    pub fn no_color(&self) -> bool {
        self.get("NO_COLOR").is_some()
    }

    /// Whether text is UTF-8, according to `LC_ALL`, else `LC_CTYPE`, else `LANG`. Always true on other systems than Linux.
    pub fn utf8(&self) -> bool {
        let locale = self.get("LC_ALL").or_else(|| self.get("LC_CTYPE")).or_else(|| self.get("LANG"));
        let named = |locale: &str| locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        // Terminals of macOS use UTF-8 regardless of these variables.
        cfg!(not(target_os = "linux")) || locale.is_some_and(named)
    }

    /// Whether the terminal named by `TERM` can move its cursor.
    pub fn moves_cursor(&self) -> bool {
        cfg!(windows) || self.get("TERM").is_some_and(|term| term != "dumb")
    }

    /// Whether daypass was started over SSH.
    pub fn over_ssh(&self) -> bool {
        ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| self.get(name).is_some())
    }

    /// Whether `CI` is set, as continuous integration services do.
    pub fn ci(&self) -> bool {
        self.get("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// Whether this is a remote workspace: Codespaces, Gitpod, Cloud9, `CloudShell`, a development container, a pod.
    pub fn remote_workspace(&self) -> bool {
        let marks = ["CODESPACES", "GITPOD_WORKSPACE_ID", "C9_USER", "REMOTE_CONTAINERS", "KUBERNETES_SERVICE_HOST"];
        marks.iter().any(|name| self.get(name).is_some()) || self.get("AWS_EXECUTION_ENV") == Some("CloudShell")
    }

    /// Whether `WSL_DISTRO_NAME` is set: Linux inside Windows.
    pub fn wsl(&self) -> bool {
        self.get("WSL_DISTRO_NAME").is_some()
    }

    /// Whether `WSL_INTEROP` is set: Windows programs can be started.
    pub fn wsl_bridge(&self) -> bool {
        self.get("WSL_INTEROP").is_some()
    }

    /// Whether `WAYLAND_DISPLAY` or `DISPLAY` is set.
    pub fn display(&self) -> bool {
        self.get("WAYLAND_DISPLAY").is_some() || self.get("DISPLAY").is_some()
    }

    /// `AWS_CA_BUNDLE`: certificates to trust instead of the system's.
    pub fn ca_bundle(&self) -> Option<PathBuf> {
        self.os("AWS_CA_BUNDLE").map(|path| self.expand(path))
    }

    /// The endpoint of one service; `variable` is `AWS_ENDPOINT_URL_…`. One that `env` or `exec` set for a profile is not the user's.
    pub fn endpoint(&self, variable: &str) -> Option<&str> {
        self.set_by_user(variable)
    }

    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`, unless `env` or `exec` set it for a profile.
    pub fn ignore_configured_endpoints(&self) -> Option<&str> {
        self.set_by_user("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    }

    /// `AWS_USE_FIPS_ENDPOINT`, unless `env` or `exec` set it for a profile.
    pub fn use_fips_endpoint(&self) -> Option<&str> {
        self.set_by_user("AWS_USE_FIPS_ENDPOINT")
    }

    /// `AWS_USE_DUALSTACK_ENDPOINT`, unless `env` or `exec` set it for a profile.
    pub fn use_dual_stack_endpoint(&self) -> Option<&str> {
        self.set_by_user("AWS_USE_DUALSTACK_ENDPOINT")
    }

    fn set_by_user(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|_| !self.is_ours(name))
    }

    /// The proxy for https and the name of its variable: `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` or `all_proxy`.
    pub fn https_proxy(&self) -> Option<(&'static str, &str)> {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    /// `NO_PROXY` or `no_proxy`: the hosts that are reached without a proxy, separated by commas.
    pub fn no_proxy(&self) -> Option<&str> {
        self.get("NO_PROXY").or_else(|| self.get("no_proxy"))
    }

    /// Whether `SSL_CERT_FILE` or `SSL_CERT_DIR` (OpenSSL's variables) is set.
    pub fn names_certificates(&self) -> bool {
        self.os("SSL_CERT_FILE").is_some() || self.os("SSL_CERT_DIR").is_some()
    }

    /// The folders in `PATH`.
    pub fn path(&self) -> Vec<PathBuf> {
        self.os("PATH").map(|list| env::split_paths(list).collect()).unwrap_or_default()
    }

    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub fn session_bus(&self) -> Option<&str> {
        self.get("DBUS_SESSION_BUS_ADDRESS")
    }

    /// The socket of the session bus if `DBUS_SESSION_BUS_ADDRESS` is unset: `$XDG_RUNTIME_DIR/bus` if it exists, else `/run/user/UID/bus`
    /// (systemd's; programs started by cron or over SSH have no address). It may not exist.
    pub fn session_bus_socket(&self) -> Option<PathBuf> {
        let sockets: Vec<_> = self.runtime_folders().iter().rev().map(|folder| folder.join("bus")).collect();
        sockets.iter().find(|socket| socket.exists()).or(sockets.first()).cloned()
    }

    /// The folder of the file back-end: `$XDG_DATA_HOME/daypass` or the platform's equivalent.
    pub fn data_folder(&self) -> Option<PathBuf> {
        Some(self.base_folder("XDG_DATA_HOME", ".local/share", dirs::data_local_dir)?.join("daypass"))
    }

    /// The folder of the picker's history: `$XDG_STATE_HOME/daypass` or the platform's equivalent.
    pub fn state_folder(&self) -> Option<PathBuf> {
        Some(self.base_folder("XDG_STATE_HOME", ".local/state", dirs::data_local_dir)?.join("daypass"))
    }

    /// `$XDG_CACHE_HOME/daypass` or the platform's equivalent.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        Some(self.base_folder("XDG_CACHE_HOME", ".cache", dirs::cache_dir)?.join("daypass"))
    }

    /// The runtime folders of the user: `/run/user/UID` (systemd's), then `XDG_RUNTIME_DIR`, which a program may have set for itself or
    /// which may belong to another user. They are not checked.
    pub fn runtime_folders(&self) -> Vec<PathBuf> {
        let named = self.folder("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
        #[cfg(target_os = "linux")]
        let own = Some(PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw())));
        #[cfg(not(target_os = "linux"))]
        let own = None;
        own.into_iter().chain(named).collect()
    }

    /// `TMPDIR`
    pub fn temporary_folder(&self) -> Option<PathBuf> {
        self.folder("TMPDIR").filter(|path| path.is_absolute())
    }

    /// A folder of the XDG base directory specification on Linux, else the system's. A variable that Snap or Flatpak has set for one
    /// program is ignored: in the terminal of such an editor daypass must find the same secrets as everywhere else.
    fn base_folder(&self, variable: &str, default: &str, system: fn() -> Option<PathBuf>) -> Option<PathBuf> {
        if !cfg!(target_os = "linux") {
            return system();
        }
        let home = self.home();
        let of_one_program = |path: &Path| {
            home.as_ref().is_some_and(|home| path.starts_with(home.join("snap")) || path.starts_with(home.join(".var/app")))
        };
        let named = self.folder(variable).filter(|path| path.is_absolute() && !of_one_program(path));
        named.or_else(|| Some(home?.join(default)))
    }
}

impl<V: Into<OsString>> FromIterator<(String, V)> for Env {
    fn from_iter<T: IntoIterator<Item = (String, V)>>(vars: T) -> Self {
        let vars: HashMap<String, OsString> = vars.into_iter().map(|(name, value)| (name, value.into())).collect();
        let lossy = vars.iter().filter(|(_, value)| value.to_str().is_none());
        Self {
            lossy: lossy.map(|(name, value)| (name.clone(), value.to_string_lossy().into_owned())).collect(),
            vars: Arc::new(vars),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        vars.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_agent_is_known_by_its_variable_unless_overridden() {
        assert_eq!(env(&[("CLAUDECODE", "1")]).agent(), Some("claude-code"));
        assert_eq!(env(&[("AI_AGENT", "x")]).agent(), Some("agent"));
        assert_eq!(env(&[("DAYPASS_AGENT", "1")]).agent(), Some("agent"));
        assert_eq!(env(&[("DAYPASS_AGENT", "1"), ("CODEX_SANDBOX", "seatbelt")]).agent(), Some("codex"));
        assert_eq!(env(&[("DAYPASS_AGENT", "0"), ("CLAUDECODE", "1")]).agent(), None);
        assert_eq!(env(&[("CURSOR_TRACE_ID", "x"), ("CLINE_ACTIVE", "false"), ("AGENT", "")]).agent(), None);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        assert_eq!(env(&[("AWS_PROFILE", ""), ("AWS_DEFAULT_PROFILE", "dev")]).profile(), Some("dev"));
    }

    #[test]
    #[cfg(unix)]
    fn a_path_that_is_not_utf_8_is_kept_and_such_a_name_is_not_ignored() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"/tmp/\xff/config".to_vec());
        let env: Env = [("AWS_CONFIG_FILE", odd.clone()), ("AWS_PROFILE", odd.clone())]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        assert_eq!(env.config_file().unwrap(), Path::new(&odd));
        assert_eq!(env.profile().unwrap(), "/tmp/\u{fffd}/config");
    }

    #[test]
    fn a_tilde_is_expanded_only_as_the_whole_first_part() {
        let at = |file| env(&[("HOME", "/home/me"), ("AWS_CONFIG_FILE", file)]).config_file().unwrap();
        assert_eq!(at("~/aws.ini"), Path::new("/home/me/aws.ini"));
        assert_eq!(at("~other/aws.ini"), Path::new("~other/aws.ini"));
        assert_eq!(at("/a/~/b"), Path::new("/a/~/b"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn folders_that_snap_and_flatpak_set_for_one_program_are_ignored() {
        let data = |folder| env(&[("HOME", "/home/me"), ("XDG_DATA_HOME", folder)]).data_folder().unwrap();
        assert_eq!(data("/srv/me"), Path::new("/srv/me/daypass"));
        for of_one_program in ["/home/me/snap/code/174/.local/share", "/home/me/.var/app/com.visualstudio.code/data", "relative"] {
            assert_eq!(data(of_one_program), Path::new("/home/me/.local/share/daypass"), "{of_one_program}");
        }
    }

    #[test]
    fn the_config_file_is_in_the_home_folder_by_default() {
        assert_eq!(env(&[("HOME", "/home/me")]).config_file().unwrap(), Path::new("/home/me/.aws/config"));
    }
}
