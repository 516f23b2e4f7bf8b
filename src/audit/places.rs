//! The places where long-lived keys are found: one line of a table for each. Touches nothing.
//!
//! To add a place, add a line to [`PLACES`].

use Advice::{Delete, Line, Migrate, Root};
use Format::{Git, History, Ini, Text};
use Kind as K;

/// A place: files of one pattern, what they are, and what replaces a key there.
#[derive(Debug)]
pub struct Place {
    /// `~/` begins a path in the home folder, `/` an absolute one; others are the last parts of a path in any folder that is searched.
    /// `*` is any text within one part. ASCII case does not matter.
    pub pattern: &'static str,
    /// What it is.
    pub kind: Kind,
    /// How it is read.
    pub format: Format,
    /// Whether the files are made to contain keys: an ID alone is then a finding.
    pub takes_keys: bool,
    /// What replaces a key there.
    pub advice: Advice,
}

/// What a place is, as `--format json` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // The names are in `Kind::name`.
pub enum Kind {
    Credentials,
    Config,
    Copy,
    Environment,
    ShellStartup,
    Session,
    History,
    Project,
    AiTool,
    Download,
    Boto,
    CredentialFile,
    StorageTool,
    BuildTool,
    Kubeconfig,
    GuiClient,
    Git,
    Mail,
    File,
}

impl Kind {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            K::Credentials => "credentials",
            K::Config => "config",
            K::Copy => "copy",
            K::Environment => "environment",
            K::ShellStartup => "shell-startup",
            K::Session => "session",
            K::History => "history",
            K::Project => "project",
            K::AiTool => "ai-tool",
            K::Download => "download",
            K::Boto => "boto",
            K::CredentialFile => "credential-file",
            K::StorageTool => "storage-tool",
            K::BuildTool => "build-tool",
            K::Kubeconfig => "kubeconfig",
            K::GuiClient => "gui-client",
            K::Git => "git",
            K::Mail => "mail",
            K::File => "file",
        }
    }

    /// Whether such a file has no other purpose than to contain credentials, so that only its owner should be able to read it.
    pub fn is_private(self) -> bool {
        matches!(self, K::Credentials | K::Config | K::Copy | K::Download | K::Boto | K::CredentialFile | K::StorageTool | K::Git)
    }
}

/// How a file is read. All are text; keys are found by the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Any text.
    Text,
    /// Sections: an ID and its secret are in the same one.
    Ini,
    /// A shell's history: an ID alone counts only if it is assigned, because it is also an argument of commands about keys.
    History,
    /// Passwords of Git and netrc, which may be those of `CodeCommit`.
    Git,
}

/// What replaces a key. In a line, `{profile}` is the profile to use, `{file}` the file and `{section}` the section of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// `daypass migrate`.
    Migrate,
    /// The line to write instead, or the command to run.
    Line(&'static str),
    /// The file is of no other use.
    Delete,
    /// A root user's key.
    Root,
}

/// A place where any text may be.
pub static ANY_FILE: Place = seen("", K::File, Text, Line("AWS_PROFILE={profile}"));

/// The environment of this process.
pub static ENVIRONMENT: Place =
    place("", K::Environment, Text, Line("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; export AWS_PROFILE={profile}"));

/// The file that `AWS_CREDENTIAL_FILE` names.
pub static CREDENTIAL_FILE: Place =
    place("", K::CredentialFile, Text, Line("unset AWS_CREDENTIAL_FILE; export AWS_PROFILE={profile}"));

/// The shared credentials file and the shared config file.
pub static CREDENTIALS: Place = place("~/.aws/credentials", K::Credentials, Ini, Migrate);
/// The config file.
pub static CONFIG: Place = place("~/.aws/config", K::Config, Ini, Migrate);

/// The default place of a file for which a variable names another.
pub static UNUSED: Place = place(
    "~/.aws/credentials",
    K::Credentials,
    Ini,
    Line("AWS_SHARED_CREDENTIALS_FILE= AWS_CONFIG_FILE= daypass migrate {section}"),
);

const EXPORT: Advice = Line("export AWS_PROFILE={profile}");
const FISH: Advice = Line("set -gx AWS_PROFILE {profile}");
const NU: Advice = Line("$env.AWS_PROFILE = \"{profile}\"");
const POWERSHELL: Advice = Line("$env:AWS_PROFILE = '{profile}'");
const ASSIGN: Advice = Line("AWS_PROFILE={profile}");
const SYSTEMD: Advice = Line("Environment=\"AWS_PROFILE={profile}\"");
const JSON: Advice = Line("\"AWS_PROFILE\": \"{profile}\"");
const TOML: Advice = Line("AWS_PROFILE = \"{profile}\"");
const TMUX: Advice = Line("set-environment -g AWS_PROFILE \"{profile}\"");
const PYTHON: Advice = Line("os.environ[\"AWS_PROFILE\"] = \"{profile}\"");
const HCL: Advice = Line("profile = \"{profile}\"");
const YAML: Advice = Line("AWS_PROFILE: {profile}");
const PROPERTY: Advice = Line("daypass exec {profile} -- COMMAND");
const COMPOSE: Advice = Line("daypass exec {profile} -- docker compose up");
const CI: Advice = Line("a role by OpenID Connect: pipelines have no profile");
const FORGET: Advice = Line("delete this line");
const RCLONE: Advice =
    Line("rclone config update {section} env_auth true profile {profile} access_key_id \"\" secret_access_key \"\"");
const S3CMD: Advice = Line("daypass exec {profile} -- s3cmd …, without access_key and secret_key in the file");
const MC: Advice = Line("aws s3 --profile {profile}; mc has no profiles");
const CODECOMMIT: Advice =
    Line("git config --global credential.helper '!aws --profile \"{profile}\" codecommit credential-helper $@'");
const GUI: Advice = Line("choose the AWS CLI profile {profile} in the connection");
const MAIL: Advice = Line("an SMTP user of its own for this program; deactivating this key stops its mail");
const BOTO: Advice = Line("delete [Credentials]: boto3 and the AWS CLI use it if [default] has no keys");

/// All places, by the order of `Kind`. If several match, the first counts.
pub static PLACES: &[Place] = &[
    place("~/.aws/credentials", K::Credentials, Ini, Migrate),
    place("~/.aws/config", K::Config, Ini, Migrate),
    // daypass's own backups contain no secret, but the ID of a key that may be retired.
    seen("~/.aws/*.daypass.bak", K::Copy, Ini, Delete),
    place("~/.aws/*", K::Copy, Ini, Delete),
    place("~/.aws/cli/alias", K::ShellStartup, Text, ASSIGN),
    place("~/.aws/*/credentials*", K::Copy, Ini, Delete),
    place("aws/credentials", K::Copy, Ini, Delete),
    // Shells.
    place("~/.bashrc", K::ShellStartup, Text, EXPORT),
    place("~/.bash_profile", K::ShellStartup, Text, EXPORT),
    place("~/.bash_login", K::ShellStartup, Text, EXPORT),
    place("~/.bash_logout", K::ShellStartup, Text, EXPORT),
    place("~/.bash_aliases", K::ShellStartup, Text, EXPORT),
    place("~/.bashrc.d/*", K::ShellStartup, Text, EXPORT),
    place("~/.profile", K::ShellStartup, Text, EXPORT),
    place("~/.zshrc", K::ShellStartup, Text, EXPORT),
    place("~/.zshrc.local", K::ShellStartup, Text, EXPORT),
    place("~/.zshenv", K::ShellStartup, Text, EXPORT),
    place("~/.zprofile", K::ShellStartup, Text, EXPORT),
    place("~/.zlogin", K::ShellStartup, Text, EXPORT),
    place("~/.zlogout", K::ShellStartup, Text, EXPORT),
    place("~/.zshrc.d/*", K::ShellStartup, Text, EXPORT),
    place("~/.zsh/*.zsh", K::ShellStartup, Text, EXPORT),
    place("~/.config/zsh/.z*", K::ShellStartup, Text, EXPORT),
    place("~/.config/zsh/*.zsh", K::ShellStartup, Text, EXPORT),
    place("~/.oh-my-zsh/custom/*.zsh", K::ShellStartup, Text, EXPORT),
    place("~/.kshrc", K::ShellStartup, Text, EXPORT),
    place("~/.cshrc", K::ShellStartup, Text, Line("setenv AWS_PROFILE {profile}")),
    place("~/.tcshrc", K::ShellStartup, Text, Line("setenv AWS_PROFILE {profile}")),
    place("~/.login", K::ShellStartup, Text, Line("setenv AWS_PROFILE {profile}")),
    place("~/.aliases", K::ShellStartup, Text, EXPORT),
    place("~/.exports", K::ShellStartup, Text, EXPORT),
    place("~/.secrets", K::ShellStartup, Text, EXPORT),
    place("~/.functions", K::ShellStartup, Text, EXPORT),
    place("~/.extra", K::ShellStartup, Text, EXPORT),
    place("~/.path", K::ShellStartup, Text, EXPORT),
    place("~/.localrc", K::ShellStartup, Text, EXPORT),
    place("~/.bashrc.local", K::ShellStartup, Text, EXPORT),
    place("~/.xprofile", K::ShellStartup, Text, EXPORT),
    place("~/.xsessionrc", K::ShellStartup, Text, EXPORT),
    place("~/.xinitrc", K::ShellStartup, Text, EXPORT),
    place("~/.config/fish/config.fish", K::ShellStartup, Text, FISH),
    place("~/.config/fish/conf.d/*", K::ShellStartup, Text, FISH),
    place("~/.config/fish/functions/*", K::ShellStartup, Text, FISH),
    place(
        "~/.config/fish/fish_variables*",
        K::ShellStartup,
        Text,
        Line("set -eU AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; set -Ux AWS_PROFILE {profile}"),
    ),
    place("~/.config/nushell/*.nu", K::ShellStartup, Text, NU),
    place("~/.config/nushell/autoload/*.nu", K::ShellStartup, Text, NU),
    place("~/Library/Application Support/nushell/*.nu", K::ShellStartup, Text, NU),
    place("~/AppData/Roaming/nushell/*.nu", K::ShellStartup, Text, NU),
    place("~/.config/powershell/*profile.ps1", K::ShellStartup, Text, POWERSHELL),
    place("~/Documents/PowerShell/*profile.ps1", K::ShellStartup, Text, POWERSHELL),
    place("~/Documents/WindowsPowerShell/*profile.ps1", K::ShellStartup, Text, POWERSHELL),
    place("~/OneDrive/Documents/PowerShell/*profile.ps1", K::ShellStartup, Text, POWERSHELL),
    place("~/OneDrive/Documents/WindowsPowerShell/*profile.ps1", K::ShellStartup, Text, POWERSHELL),
    place("~/.Renviron", K::ShellStartup, Text, ASSIGN),
    place("~/.tmux.conf", K::ShellStartup, Text, TMUX),
    place("~/.config/tmux/tmux.conf", K::ShellStartup, Text, TMUX),
    place("~/.ipython/profile_*/startup/*", K::ShellStartup, Text, PYTHON),
    place("~/.jupyter/*", K::ShellStartup, Text, PYTHON),
    place("~/.xonshrc", K::ShellStartup, Text, Line("$AWS_PROFILE = '{profile}'")),
    place("~/.config/elvish/rc.elv", K::ShellStartup, Text, Line("set-env AWS_PROFILE {profile}")),
    // Sessions.
    place("/etc/environment", K::Session, Text, ASSIGN),
    place("/etc/profile.d/*.sh", K::Session, Text, EXPORT),
    place("~/.config/environment.d/*.conf", K::Session, Text, ASSIGN),
    place("~/.pam_environment", K::Session, Text, Line("AWS_PROFILE DEFAULT=\"{profile}\"")),
    place("~/.ssh/environment", K::Session, Text, ASSIGN),
    place("~/.ssh/config", K::Session, Text, Line("SetEnv AWS_PROFILE={profile}")),
    place("~/.config/systemd/user/*", K::Session, Text, SYSTEMD),
    place("~/.config/systemd/user/*.d/*.conf", K::Session, Text, SYSTEMD),
    place("~/.config/autostart/*.desktop", K::Session, Text, Line("Exec=env AWS_PROFILE={profile} …")),
    place("~/.local/share/applications/*.desktop", K::Session, Text, Line("Exec=env AWS_PROFILE={profile} …")),
    place("~/Library/LaunchAgents/*.plist", K::Session, Text, Line("<key>AWS_PROFILE</key><string>{profile}</string>")),
    place("/var/spool/cron/crontabs/{user}", K::Session, Text, ASSIGN),
    place("/var/spool/cron/{user}", K::Session, Text, ASSIGN),
    place("/usr/lib/cron/tabs/{user}", K::Session, Text, ASSIGN),
    // Histories.
    place("~/.bash_history", K::History, History, FORGET),
    place("~/.zsh_history", K::History, History, FORGET),
    place("~/.zhistory", K::History, History, FORGET),
    place("~/.histfile", K::History, History, FORGET),
    place("~/.history", K::History, History, FORGET),
    place("~/.sh_history", K::History, History, FORGET),
    place("~/.ksh_history", K::History, History, FORGET),
    place("~/.ash_history", K::History, History, FORGET),
    place("~/.bash_sessions/*.history*", K::History, History, FORGET),
    place("~/.zsh_sessions/*.history*", K::History, History, FORGET),
    place("~/.config/zsh/.zsh_history", K::History, History, FORGET),
    place("~/.local/state/zsh/history", K::History, History, FORGET),
    place("~/.local/share/zsh/history", K::History, History, FORGET),
    place("~/.local/state/bash/history", K::History, History, FORGET),
    place("~/.local/share/fish/*_history", K::History, History, FORGET),
    place("~/.config/fish/*_history", K::History, History, FORGET),
    place("~/.config/nushell/history*", K::History, History, FORGET),
    place("~/Library/Application Support/nushell/history*", K::History, History, FORGET),
    place("~/AppData/Roaming/nushell/history*", K::History, History, FORGET),
    place("~/.local/share/powershell/PSReadLine/*_history.txt", K::History, History, FORGET),
    place("~/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/*_history.txt", K::History, History, FORGET),
    place("~/.python_history", K::History, History, FORGET),
    place("~/.local/state/python_history", K::History, History, FORGET),
    place("~/.node_repl_history", K::History, History, FORGET),
    place("~/.irb_history", K::History, History, FORGET),
    place("~/.psql_history", K::History, History, FORGET),
    place("~/.mysql_history", K::History, History, FORGET),
    place("~/.sqlite_history", K::History, History, FORGET),
    place("~/.duckdb_history", K::History, History, FORGET),
    place("~/.spark_history", K::History, History, FORGET),
    place("~/.scala_history", K::History, History, FORGET),
    place("~/.rediscli_history", K::History, History, FORGET),
    place("~/.lesshst", K::History, History, FORGET),
    place("~/.viminfo", K::History, History, FORGET),
    place("~/.ipython/profile_*/history.sqlite", K::History, History, FORGET),
    // boto 2, and what else is in the home folder.
    place("~/.boto", K::Boto, Ini, BOTO),
    place("/etc/boto.cfg", K::Boto, Ini, BOTO),
    place("~/.awssecret", K::CredentialFile, Text, Delete),
    place("~/.aws-credentials", K::CredentialFile, Text, Delete),
    place("~/.aws_credentials", K::CredentialFile, Text, Delete),
    place("~/.aws-credential-file", K::CredentialFile, Text, Delete),
    place("~/.ec2/*", K::CredentialFile, Text, Delete),
    place("~/.dbt/profiles.yml", K::CredentialFile, Text, Line("aws_profile_name: {profile}")),
    place("~/.steampipe/config/*.spc", K::CredentialFile, Text, HCL),
    place("~/.fog", K::CredentialFile, Text, Line("daypass exec {profile} -- COMMAND")),
    place("~/.chef/knife.rb", K::Project, Text, Line("knife[:aws_profile] = '{profile}'")),
    place("~/.passwd-s3fs", K::StorageTool, Text, Line("s3fs -o profile={profile}")),
    place("/etc/passwd-s3fs", K::StorageTool, Text, Line("s3fs -o profile={profile}")),
    place("~/.env", K::Project, Text, ASSIGN),
    // AI tools.
    place(".mcp.json", K::AiTool, Text, JSON),
    place("mcp.json", K::AiTool, Text, JSON),
    place("mcp_config.json", K::AiTool, Text, JSON),
    place("*mcp_settings.json", K::AiTool, Text, JSON),
    place("~/.claude.json", K::AiTool, Text, JSON),
    place("~/.claude/settings.json", K::AiTool, Text, JSON),
    place("~/.claude/settings.local.json", K::AiTool, Text, JSON),
    place("~/.claude/mcp.json", K::AiTool, Text, JSON),
    place("~/.mcp.json", K::AiTool, Text, JSON),
    place("~/.cursor/mcp.json", K::AiTool, Text, JSON),
    place("~/.vscode/mcp.json", K::AiTool, Text, JSON),
    place("~/.config/Code/User/mcp.json", K::AiTool, Text, JSON),
    place("~/.config/Code/User/settings.json", K::AiTool, Text, JSON),
    place("~/.config/Code - Insiders/User/*.json", K::AiTool, Text, JSON),
    place("~/.config/VSCodium/User/*.json", K::AiTool, Text, JSON),
    place("~/.config/Cursor/User/*.json", K::AiTool, Text, JSON),
    place("~/.config/*/User/globalStorage/*/settings/*.json", K::AiTool, Text, JSON),
    place("~/Library/Application Support/Code/User/*.json", K::AiTool, Text, JSON),
    place("~/Library/Application Support/Cursor/User/*.json", K::AiTool, Text, JSON),
    place("~/Library/Application Support/*/User/globalStorage/*/settings/*.json", K::AiTool, Text, JSON),
    place("~/AppData/Roaming/Code/User/*.json", K::AiTool, Text, JSON),
    place("~/AppData/Roaming/Cursor/User/*.json", K::AiTool, Text, JSON),
    place("~/AppData/Roaming/*/User/globalStorage/*/settings/*.json", K::AiTool, Text, JSON),
    place("~/.config/Claude/claude_desktop_config.json", K::AiTool, Text, JSON),
    place("~/Library/Application Support/Claude/claude_desktop_config.json", K::AiTool, Text, JSON),
    place("~/AppData/Roaming/Claude/claude_desktop_config.json", K::AiTool, Text, JSON),
    place("~/.codex/config.toml", K::AiTool, Text, TOML),
    place("~/.gemini/settings.json", K::AiTool, Text, JSON),
    place("~/.gemini/.env", K::AiTool, Text, ASSIGN),
    place("~/.kiro/settings/mcp.json", K::AiTool, Text, JSON),
    place("~/.aws/amazonq/*.json", K::AiTool, Text, JSON),
    place("~/.codeium/windsurf/mcp_config.json", K::AiTool, Text, JSON),
    place("~/.config/goose/config.yaml", K::AiTool, Text, YAML),
    place("~/.config/zed/settings.json", K::AiTool, Text, JSON),
    place("~/.config/opencode/opencode.json", K::AiTool, Text, JSON),
    place("~/.continue/config.*", K::AiTool, Text, JSON),
    place("~/.aider.conf.yml", K::AiTool, Text, YAML),
    // Downloads of the console.
    place("rootkey*.csv", K::Download, Text, Root),
    place("*accessKeys*.csv", K::Download, Text, Delete),
    place("*credentials*.csv", K::Download, Text, Delete),
    place("*bedrock*key*.csv", K::Download, Text, Delete),
    place("~/Downloads/rootkey*.csv", K::Download, Text, Root),
    place("~/Downloads/*accessKeys*.csv", K::Download, Text, Delete),
    place("~/Downloads/*credentials*.csv", K::Download, Text, Delete),
    place("~/Desktop/rootkey*.csv", K::Download, Text, Root),
    place("~/Desktop/*accessKeys*.csv", K::Download, Text, Delete),
    place("~/Desktop/*credentials*.csv", K::Download, Text, Delete),
    // Tools for storage.
    place("~/.config/rclone/rclone.conf", K::StorageTool, Ini, RCLONE),
    place("~/.rclone.conf", K::StorageTool, Ini, RCLONE),
    place("~/AppData/Roaming/rclone/rclone.conf", K::StorageTool, Ini, RCLONE),
    place("rclone.conf", K::StorageTool, Ini, RCLONE),
    place("~/.s3cfg*", K::StorageTool, Ini, S3CMD),
    place("~/AppData/Roaming/s3cmd.ini", K::StorageTool, Ini, S3CMD),
    place("~/.mc/config.json", K::StorageTool, Text, MC),
    place("~/mc/config.json", K::StorageTool, Text, MC),
    place("~/.mcli/config.json", K::StorageTool, Text, MC),
    place("~/.config/s3fs/*", K::StorageTool, Text, Line("s3fs -o profile={profile}")),
    place("~/.config/duplicity/*", K::StorageTool, Text, EXPORT),
    place("~/.config/restic/*", K::StorageTool, Text, EXPORT),
    place("~/.duplicacy/preferences", K::StorageTool, Text, PROPERTY),
    // Tools for building.
    place("~/.m2/settings.xml", K::BuildTool, Text, Line("daypass exec {profile} -- mvn …")),
    place("~/.gradle/gradle.properties", K::BuildTool, Text, Line("daypass exec {profile} -- gradle …")),
    place("~/.gradle/init.gradle*", K::BuildTool, Text, Line("daypass exec {profile} -- gradle …")),
    place("~/.sbt/*", K::BuildTool, Text, Line("daypass exec {profile} -- sbt …")),
    place("~/.sbt/*/*", K::BuildTool, Text, Line("daypass exec {profile} -- sbt …")),
    place("~/.s3credentials", K::BuildTool, Text, Line("daypass exec {profile} -- sbt …")),
    place("~/.ivy2/.s3credentials", K::BuildTool, Text, Line("daypass exec {profile} -- sbt …")),
    place("spark-defaults.conf", K::BuildTool, Text, Line("daypass exec {profile} -- spark-submit …")),
    place("core-site.xml", K::BuildTool, Text, Line("daypass exec {profile} -- hadoop …")),
    place("hdfs-site.xml", K::BuildTool, Text, Line("daypass exec {profile} -- hadoop …")),
    place("hive-site.xml", K::BuildTool, Text, Line("daypass exec {profile} -- hive …")),
    place("~/.kube/config*", K::Kubeconfig, Text, Line("{name: AWS_PROFILE, value: {profile}}")),
    place("kubeconfig*", K::Kubeconfig, Text, Line("{name: AWS_PROFILE, value: {profile}}")),
    place("~/.docker/config.json", K::BuildTool, Text, JSON),
    // Graphical clients: the secret is usually in a keychain.
    place("*.duck", K::GuiClient, Text, GUI),
    place("~/.duck/*", K::GuiClient, Text, GUI),
    place("~/.duck/Bookmarks/*.duck", K::GuiClient, Text, GUI),
    place("~/Library/Application Support/Cyberduck/Bookmarks/*.duck", K::GuiClient, Text, GUI),
    place("~/Library/Group Containers/*.duck/Library/Application Support/duck/Bookmarks/*.duck", K::GuiClient, Text, GUI),
    place("~/AppData/Roaming/Cyberduck/Bookmarks/*.duck", K::GuiClient, Text, GUI),
    place("~/Library/Application Support/Transmit/*/*", K::GuiClient, Text, GUI),
    place("~/AppData/Roaming/WinSCP.ini", K::GuiClient, Ini, GUI),
    place("WinSCP.ini", K::GuiClient, Ini, GUI),
    place("~/.local/share/DBeaverData/workspace*/General/.dbeaver/data-sources*.json", K::GuiClient, Text, GUI),
    place("~/Library/DBeaverData/workspace*/General/.dbeaver/data-sources*.json", K::GuiClient, Text, GUI),
    place("~/AppData/Roaming/DBeaverData/workspace*/General/.dbeaver/data-sources*.json", K::GuiClient, Text, GUI),
    // Git and mail.
    place("~/.git-credentials", K::Git, Git, CODECOMMIT),
    place("~/.config/git/credentials", K::Git, Git, CODECOMMIT),
    place("~/.gitconfig", K::Git, Git, CODECOMMIT),
    place("~/.config/git/config", K::Git, Git, CODECOMMIT),
    place("~/.netrc", K::Git, Git, CODECOMMIT),
    place("~/_netrc", K::Git, Git, CODECOMMIT),
    place(".git/config", K::Git, Git, CODECOMMIT),
    place("~/.msmtprc", K::Mail, Text, MAIL),
    place("~/.config/msmtp/config", K::Mail, Text, MAIL),
    place("~/.mailrc", K::Mail, Text, MAIL),
    place("~/.muttrc", K::Mail, Text, MAIL),
    place("~/.config/mutt/muttrc", K::Mail, Text, MAIL),
    place("~/.config/neomutt/neomuttrc", K::Mail, Text, MAIL),
    // Projects.
    place(".env", K::Project, Text, ASSIGN),
    place(".env.*", K::Project, Text, ASSIGN),
    place(".env-*", K::Project, Text, ASSIGN),
    place(".env_*", K::Project, Text, ASSIGN),
    place("*.env", K::Project, Text, ASSIGN),
    place(".envrc*", K::Project, Text, EXPORT),
    place(".secrets", K::Project, Text, ASSIGN),
    place("mise*.toml", K::Project, Text, TOML),
    place(".mise*.toml", K::Project, Text, TOML),
    place("mise/config*.toml", K::Project, Text, TOML),
    place("~/.config/mise/*.toml", K::Project, Text, TOML),
    place("docker-compose*.yml", K::Project, Text, COMPOSE),
    place("docker-compose*.yaml", K::Project, Text, COMPOSE),
    place("compose*.yml", K::Project, Text, COMPOSE),
    place("compose*.yaml", K::Project, Text, COMPOSE),
    place(".devcontainer/devcontainer.json", K::Project, Text, JSON),
    place(".devcontainer.json", K::Project, Text, JSON),
    place("*.tfvars", K::Project, Text, HCL),
    place("*.tfvars.json", K::Project, Text, Line("\"profile\": \"{profile}\"")),
    place("*.tfbackend", K::Project, Text, HCL),
    place("terraform.tfstate", K::Project, Text, Line("terraform init -reconfigure -backend-config=profile={profile}")),
    place("*.tfstate", K::Project, Text, Line("terraform init -reconfigure -backend-config=profile={profile}")),
    place("*.tfstate.backup", K::Project, Text, Delete),
    place("*.tfstate.*.backup", K::Project, Text, Delete),
    place("serverless*.yml", K::Project, Text, Line("profile: {profile}")),
    place("serverless*.yaml", K::Project, Text, Line("profile: {profile}")),
    place("samconfig.toml", K::Project, Text, HCL),
    place("Pulumi*.yaml", K::Project, Text, Line("pulumi config set aws:profile {profile}")),
    place("*.pkr.hcl", K::Project, Text, HCL),
    place("*.pkr.json", K::Project, Text, Line("\"profile\": \"{profile}\"")),
    place("*.pkrvars.hcl", K::Project, Text, HCL),
    place("terragrunt.hcl", K::Project, Text, HCL),
    place("Vagrantfile", K::Project, Text, Line("aws.aws_profile = \"{profile}\"")),
    place("group_vars/*", K::Project, Text, Line("aws_profile: {profile}")),
    place("group_vars/*/*", K::Project, Text, Line("aws_profile: {profile}")),
    place("host_vars/*", K::Project, Text, Line("aws_profile: {profile}")),
    place("host_vars/*/*", K::Project, Text, Line("aws_profile: {profile}")),
    place("*vars.yml", K::Project, Text, Line("aws_profile: {profile}")),
    place("*vars.yaml", K::Project, Text, Line("aws_profile: {profile}")),
    place("vars/*.yml", K::Project, Text, Line("aws_profile: {profile}")),
    place("vars/*.yaml", K::Project, Text, Line("aws_profile: {profile}")),
    place("defaults/main.y*ml", K::Project, Text, Line("aws_profile: {profile}")),
    place(".chalice/config.json", K::Project, Text, Line("chalice deploy --profile {profile}")),
    place(".chalice/deployed/*.json", K::Project, Text, Line("chalice deploy --profile {profile}")),
    place(".vscode/*.json", K::Project, Text, JSON),
    place("*.code-workspace", K::Project, Text, JSON),
    place(".idea/*.xml", K::Project, Text, Line("<env name=\"AWS_PROFILE\" value=\"{profile}\" />")),
    place(".idea/runConfigurations/*.xml", K::Project, Text, Line("<env name=\"AWS_PROFILE\" value=\"{profile}\" />")),
    place("*.run.xml", K::Project, Text, Line("<env name=\"AWS_PROFILE\" value=\"{profile}\" />")),
    place("*.ipynb", K::Project, Text, PYTHON),
    place(".dvc/config", K::Project, Ini, Line("dvc remote modify {section} profile {profile}")),
    place(".dvc/config.local", K::Project, Ini, Line("dvc remote modify --local {section} profile {profile}")),
    place("~/.config/dvc/config", K::Project, Ini, Line("dvc remote modify --global {section} profile {profile}")),
    place(".elasticbeanstalk/*.yml", K::Project, Text, Line("profile: {profile}")),
    place(".streamlit/secrets.toml", K::Project, Text, TOML),
    // Files that contain keys now and then: only an ID with its secret counts.
    seen(".gitlab-ci.yml", K::Project, Text, CI),
    seen(".github/workflows/*.y*ml", K::Project, Text, CI),
    seen(".circleci/config.yml", K::Project, Text, CI),
    seen("bitbucket-pipelines.yml", K::Project, Text, CI),
    seen("azure-pipelines.yml", K::Project, Text, CI),
    seen(".travis.yml", K::Project, Text, CI),
    seen("Jenkinsfile*", K::Project, Text, CI),
    seen("Makefile", K::Project, Text, Line("export AWS_PROFILE := {profile}")),
    seen("justfile", K::Project, Text, Line("export AWS_PROFILE := \"{profile}\"")),
    seen("Taskfile.y*ml", K::Project, Text, YAML),
    seen("*.sh", K::Project, Text, EXPORT),
    seen("cdk*.json", K::Project, Text, Line("\"profile\": \"{profile}\"")),
    seen("config/*.y*ml", K::Project, Text, PROPERTY),
    seen("secret*.y*ml", K::Project, Text, YAML),
    seen("profiles.yml", K::Project, Text, Line("aws_profile_name: {profile}")),
    seen("airflow.cfg", K::Project, Text, Line("aws://?profile_name={profile}")),
    seen("config.py", K::Project, Text, PYTHON),
    seen("wp-config.php", K::Project, Text, PROPERTY),
    seen("*.postman_environment.json", K::Project, Text, PROPERTY),
    seen("Dockerfile*", K::Project, Text, Line("daypass exec {profile} -- docker run -e AWS_ACCESS_KEY_ID …")),
    seen("*.tf", K::Project, Text, HCL),
    seen("local_settings.py", K::Project, Text, PROPERTY),
    seen("settings.py", K::Project, Text, PROPERTY),
    seen("application*.properties", K::Project, Text, PROPERTY),
    seen("application*.y*ml", K::Project, Text, PROPERTY),
    seen("appsettings*.json", K::Project, Text, Line("\"AWS\": { \"Profile\": \"{profile}\" }")),
    seen("local.settings.json", K::Project, Text, JSON),
    seen("secrets.*", K::Project, Text, YAML),
];

/// The parts of paths that are never opened: private keys, browsers, password databases and the vaults of other programs. A pattern is
/// a file's or folder's last parts, as in [`Place::pattern`].
pub static CLOSED: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".pki",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.ppk",
    "*.jks",
    "*.keystore",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    // Password databases and keyrings.
    "*.kdbx",
    "*.kdb",
    "*.opvault",
    "*.agilekeychain",
    ".password-store",
    "share/gopass",
    "share/keyrings",
    "share/kwalletd",
    "Library/Keychains",
    ".1password",
    ".config/1Password",
    ".config/Bitwarden*",
    "Application Support/1Password*",
    "Application Support/Bitwarden*",
    "Roaming/Bitwarden*",
    "Local/1Password*",
    "Microsoft/Credentials",
    "Microsoft/Protect",
    "Microsoft/Vault",
    "daypass/*.secret",
    // Vaults of other programs.
    ".awsvault",
    ".granted",
    ".Leapp",
    // Browsers and mail programs.
    ".mozilla",
    ".librewolf",
    ".thunderbird",
    ".config/google-chrome*",
    ".config/chromium*",
    ".config/BraveSoftware",
    ".config/microsoft-edge*",
    ".config/opera*",
    ".config/vivaldi*",
    ".cache/mozilla",
    ".cache/google-chrome*",
    ".cache/chromium*",
    "Application Support/Google",
    "Application Support/Firefox",
    "Application Support/Chromium",
    "Application Support/BraveSoftware",
    "Application Support/Microsoft Edge*",
    "Application Support/com.operasoftware.*",
    "Application Support/Vivaldi",
    "Application Support/Arc",
    "Local/Google/Chrome*",
    "Local/Chromium",
    "Local/BraveSoftware",
    "Local/Microsoft/Edge*",
    "Local/Vivaldi",
    "Local/Mozilla",
    "Roaming/Mozilla",
    "Roaming/Thunderbird",
    "Roaming/Opera Software",
    "Library/Safari",
    "Library/Cookies",
    "Library/Mail",
    "Library/Messages",
    "snap/firefox",
    "snap/chromium",
    ".var/app/org.mozilla.*",
    ".var/app/com.google.Chrome*",
    ".var/app/org.chromium.*",
    ".var/app/com.brave.*",
];

/// Stores of other programs: their names are listed, they are never opened.
pub static VAULTS: &[(&str, &str)] = &[
    ("~/.awsvault/keys/*", "a key in aws-vault, which is not opened"),
    ("~/.granted/secure-storage/*", "a store of Granted, which is not opened"),
    ("~/.Leapp/Leapp-lock.json", "the store of Leapp, which is not opened"),
    (
        "~/AppData/Local/AWSToolkit/RegisteredAccounts.json",
        "encrypted keys of the AWS SDK for .NET, which uses them before the credentials file",
    ),
];

/// The folders that the default search does not enter: what programs fetch or generate. Hidden folders are not entered either, but for
/// [`HIDDEN`].
pub static PRUNED: &[&str] = &[
    "node_modules",
    "bower_components",
    "jspm_packages",
    "__pycache__",
    "site-packages",
    "dist-packages",
    "__pypackages__",
    "Pods",
    "DerivedData",
    "elm-stuff",
    "lost+found",
];

/// Folders right below the home folder that contain no projects.
pub static PRUNED_AT_HOME: &[&str] =
    &["Library", "AppData", "Applications", "snap", "miniconda3", "anaconda3", "miniforge3", "mambaforge", "Application Data"];

/// Hidden folders of projects that the default search enters.
pub static HIDDEN: &[&str] = &[
    ".aws",
    ".terraform",
    ".chalice",
    ".vscode",
    ".idea",
    ".run",
    ".dvc",
    ".cursor",
    ".claude",
    ".gemini",
    ".kiro",
    ".codex",
    ".mc",
    ".kube",
    ".devcontainer",
    ".elasticbeanstalk",
    ".streamlit",
    ".config",
    ".m2",
    ".gradle",
    ".sbt",
    ".docker",
    ".github",
    ".circleci",
];

/// Hidden folders right below the home folder that the default search enters.
pub static HIDDEN_AT_HOME: &[&str] = &[".dotfiles"];

const fn place(pattern: &'static str, kind: Kind, format: Format, advice: Advice) -> Place {
    Place { pattern, kind, format, takes_keys: true, advice }
}

const fn seen(pattern: &'static str, kind: Kind, format: Format, advice: Advice) -> Place {
    Place { pattern, kind, format, takes_keys: false, advice }
}
