//! What the manual pages tell besides the help: the variables and files that concern each command, and examples. Pure.

/// A variable or a file.
pub struct Entry {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// What it does, as a sentence.
    pub what: &'static str,
    /// The commands that it concerns; empty: all. The page of the program itself has all of them.
    commands: &'static [&'static [&'static str]],
}

impl Entry {
    /// Whether the page of this command has it.
    pub fn concerns(&self, command: &str) -> bool {
        let is_program = command == env!("CARGO_PKG_NAME");
        is_program || self.commands.is_empty() || self.commands.iter().any(|group| group.contains(&command))
    }
}

/// Commands that get role credentials.
const ROLES: &[&str] = &["credential-process", "env", "exec", "serve", "console"];
/// Other commands that call AWS.
const CALLS: &[&str] = &["configure", "login", "logout", "list", "sync", "migrate", "retire", "doctor"];
/// Other commands that read both files.
const READS: &[&str] = &["status", "audit", "allow", "log", "use", "undo", "completions", "shell-init"];
/// Commands that write the config file.
const WRITES: &[&str] = &["configure", "sync", "migrate", "use", "undo"];
/// Commands without another group that use the profile of the environment.
const PROFILE: &[&str] = &["login", "logout", "list", "status", "migrate", "doctor", "allow"];
/// Commands that may open the browser.
const BROWSER: &[&str] = &["login", "console", "configure", "sync", "list", "migrate", "retire", "exec", "env"];

/// The variables.
pub const VARIABLES: &[Entry] = &[
    Entry { name: "AWS_PROFILE, AWS_DEFAULT_PROFILE", what: "The profile, if none is given.", commands: &[ROLES, PROFILE] },
    Entry {
        name: "AWS_REGION, AWS_DEFAULT_REGION",
        what: "The region of the credentials' user. It wins over the region of the profile.",
        commands: &[&["env", "exec", "serve"]],
    },
    Entry {
        name: "AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE",
        what: "The config file and the credentials file.",
        commands: &[ROLES, CALLS, READS],
    },
    Entry {
        name: "AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL_SSO_OIDC",
        what: "The endpoints of IAM Identity Center. AWS_ENDPOINT_URL has no effect on them.",
        commands: &[ROLES, CALLS],
    },
    Entry {
        name: "AWS_CA_BUNDLE",
        what: "A file with the certificates to trust instead of those of the system.",
        commands: &[ROLES, CALLS],
    },
    Entry {
        name: "HTTPS_PROXY, NO_PROXY",
        what: "The proxy, and the hosts that are reached without it. Loopback addresses never use a proxy.",
        commands: &[ROLES, CALLS],
    },
    Entry { name: "BROWSER", what: "The command that opens an address.", commands: &[BROWSER] },
    Entry {
        name: "SHELL",
        what: "The shell whose format is printed if the calling program is no known shell.",
        commands: &[&["env"]],
    },
    Entry {
        name: "DAYPASS_KEYRING",
        what: "Where secrets are stored: auto (the default), os, keyutils (Linux), file or memory.",
        commands: &[ROLES, CALLS, &["status"]],
    },
    Entry {
        name: "DAYPASS_AGENTS",
        what: "What coding agents get from profiles without a rule of their own: allow (the default) or deny.",
        commands: &[ROLES, &["allow", "configure"]],
    },
    Entry {
        name: "DAYPASS_AGENT",
        what: "1 if a coding agent runs this program, 0 if not. Without it, agents are known by variables of their own.",
        commands: &[ROLES, &["allow", "login"]],
    },
    Entry { name: "DAYPASS_LOG_ISSUED", what: "0: don't record which credentials are handed out.", commands: &[ROLES, &["log"]] },
    Entry {
        name: "DAYPASS_LOG",
        what: "A filter for log messages on standard error, such as debug. Secrets are never logged.",
        commands: &[],
    },
    Entry { name: "NO_COLOR", what: "If it is set: no colours and no bold text.", commands: &[] },
];

/// The files.
pub const FILES: &[Entry] = &[
    Entry {
        name: "~/.aws/config",
        what: "The sessions and profiles. daypass has no configuration file of its own.",
        commands: &[ROLES, CALLS, READS],
    },
    Entry {
        name: "~/.aws/credentials",
        what: "Keys of profiles. Only migrate changes this file.",
        commands: &[ROLES, CALLS, READS],
    },
    Entry {
        name: "~/.aws/config.daypass.bak",
        what: "The config file before the last change. It never contains a secret.",
        commands: &[WRITES],
    },
    Entry {
        name: "~/.local/state/daypass/",
        what: "The roles that the portal listed last, the use of profiles, and the record of issued credentials. No secrets.",
        commands: &[ROLES, CALLS, &["log", "allow", "audit"]],
    },
    Entry {
        name: "~/.local/share/daypass/",
        what: "The secrets, with DAYPASS_KEYRING=file.",
        commands: &[ROLES, CALLS, &["status"]],
    },
    Entry { name: "~/.config/daypass/accepted", what: "The accepted keys.", commands: &[&["audit"]] },
];

/// Examples of the commands whose help has none.
pub const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "daypass",
        &["daypass configure", "daypass login", "aws s3 ls --profile dev", "daypass exec dev -- terraform plan", "daypass audit"],
    ),
    ("login", &["daypass login", "daypass login corp", "daypass login --flow device"]),
    ("credential-process", &["aws sts get-caller-identity --profile dev", "daypass credential-process --profile dev"]),
    ("undo", &["daypass undo"]),
    ("logout", &["daypass logout", "daypass logout corp"]),
    ("status", &["daypass status", "daypass status -v", "daypass status --format json"]),
    ("retire", &["daypass retire", "daypass retire dev", "daypass retire --undo dev"]),
    ("shell-init", &["eval \"$(daypass shell-init bash)\"", "dp dev", "dp -"]),
    ("completions", &["daypass completions bash", "daypass completions fish | source"]),
];
