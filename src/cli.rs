//! The command line as it is typed: clap's types, nothing else. What it means is decided by the verbs.

// Help texts are for terminals, not for pages.
#![allow(clippy::doc_markdown, rustdoc::bare_urls, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
#[derive(Debug, Parser)]
#[command(name = "daypass", version, disable_help_subcommand = true, after_help = EXIT_STATUS, max_term_width = 100)]
pub struct Cli {
    /// Flags of all commands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  done                                  4  the portal refuses this account or role
  1  failed                                5  the keyring is locked, missing or refuses
  2  wrong usage                           6  the portal can't be reached
  3  sign-in needed: 'daypass login'     130  interrupted";

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Say what is being done, on standard error (twice: every request; secrets never appear)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
    /// Never ask: a missing value is an error
    #[arg(long, global = true, help_heading = "Common options")]
    pub no_input: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a session and a profile to ~/.aws/config
    Configure(Configure),
    /// Sign in
    Login(Login),
    /// Sign out: forget tokens and credentials here, and end the session at the portal
    Logout(Logout),
    /// Print credentials for an SDK (the credential_process of a profile)
    CredentialProcess(CredentialProcess),
    /// Print variables for a shell to evaluate
    Env(EnvVerb),
    /// Run a command with credentials in its environment
    Exec(Exec),
    /// List the accounts and roles that you can reach, and the profiles that point at them
    List(List),
    /// Show who is signed in and until when (no network)
    Status(Status),
    /// Print the completion script of a shell
    Completions(Completions),
    /// Print the manual page
    Man(Man),
}

/// Which session.
#[derive(Debug, Default, Clone, Args)]
pub struct SessionFlags {
    /// The [sso-session NAME] block in ~/.aws/config
    #[arg(long = "session", value_name = "NAME")]
    pub session: Option<String>,
    /// The access portal's address, such as https://corp.awsapps.com/start
    #[arg(long, value_name = "URL")]
    pub start_url: Option<String>,
    /// The region of IAM Identity Center
    #[arg(long, value_name = "REGION")]
    pub sso_region: Option<String>,
    /// Registration scopes, parted by commas [default: sso:account:access]
    #[arg(long, value_name = "LIST")]
    pub scopes: Option<String>,
}

/// Which role: a profile, or session, account and role.
#[derive(Debug, Default, Clone, Args)]
pub struct RoleFlags {
    /// The profile [default: $AWS_PROFILE, then default]
    #[arg(long = "profile", value_name = "NAME")]
    pub profile: Option<String>,
    /// The session and its settings.
    #[command(flatten)]
    pub session: SessionFlags,
    /// The account: its 12 digits, or its name
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// The role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// The region to work in
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}

/// `daypass configure`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass configure
  daypass configure --session corp --start-url https://corp.awsapps.com/start --sso-region us-east-1 \\
      --account 111122223333 --role DeveloperAccess --profile dev --region eu-west-1

With every value given nothing is asked. Without --account and --role you sign in and choose.")]
pub struct Configure {
    /// The session.
    #[command(flatten)]
    pub session: SessionFlags,
    /// The account: its 12 digits, or its name (which signs in to look it up)
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// The role (permission set)
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// The profile to write
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The profile's region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile's output format for the AWS CLI
    #[arg(long, value_name = "FORMAT")]
    pub output: Option<String>,
    /// Write the SDK's own sso_* keys in place of credential_process
    #[arg(long)]
    pub native: bool,
    /// Write this program name into credential_process, such as the bare 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME", conflicts_with = "native")]
    pub helper: Option<String>,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the sign-in address; open no browser
    #[arg(long)]
    pub no_browser: bool,
}

/// `daypass login`
#[derive(Debug, Args)]
pub struct Login {
    /// The session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Sign in to the session of this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "session"])]
    pub profile: Option<String>,
    /// Print the address; open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Do nothing while the sign-in lasts
    #[arg(long)]
    pub if_needed: bool,
    /// With --if-needed: how long it must last, such as 30m or 8h (a sign-in that can be refreshed is taken to last)
    #[arg(long, value_name = "TIME", requires = "if_needed", value_parser = duration)]
    pub min_ttl: Option<std::time::Duration>,
}

/// `daypass logout`
#[derive(Debug, Args)]
pub struct Logout {
    /// The session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Sign out of the session of this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "session"])]
    pub profile: Option<String>,
    /// Sign out of every session
    #[arg(long, conflicts_with_all = ["name", "session", "profile"])]
    pub all: bool,
}

/// `daypass credential-process`
#[derive(Debug, Args)]
#[command(after_help = "\
In ~/.aws/config ('daypass configure' writes it):
  [profile dev]
  credential_process = /usr/bin/daypass credential-process --session corp --account 111122223333 --role DeveloperAccess")]
pub struct CredentialProcess {
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
}

/// `daypass env`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(daypass env dev)\"               sh, bash, zsh
  daypass env dev | source                fish
  eval \"$(daypass env --unset)\"           clear them again")]
pub struct EnvVerb {
    /// The profile [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub name: Option<String>,
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// The shell to write for [default: by $SHELL]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<Shell>,
    /// Print the commands that clear the variables
    #[arg(long)]
    pub unset: bool,
}

/// `daypass exec`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass exec dev -- aws s3 ls
  daypass exec --session corp --account 111122223333 --role DeveloperAccess -- terraform plan

The status is the command's own; 127 if it is not found, 126 if it can't be executed.")]
pub struct Exec {
    /// The profile [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub name: Option<String>,
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<std::ffi::OsString>,
}

/// `daypass list`
#[derive(Debug, Args)]
pub struct List {
    /// The session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `daypass status`
#[derive(Debug, Args)]
#[command(after_help = "Ends with status 3 where sign-in is needed: of the named session, or of all of them.")]
pub struct Status {
    /// The session [default: all]
    #[arg(value_name = "SESSION")]
    pub name: Option<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `daypass completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `daypass man`
#[derive(Debug, Args)]
pub struct Man {}

/// The output formats of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// The shells of `env --shell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// POSIX sh
    Sh,
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// cmd.exe
    Cmd,
    /// Nushell
    #[value(alias = "nu")]
    Nushell,
    /// KEY=value lines, for --env-file and the like
    Dotenv,
    /// A JSON object
    Json,
}

/// `90`, `90s`, `30m`, `8h`, `2d`: a number of seconds, or of the unit named.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86400,
        _ => return Err("a time is a number with s, m, h or d, such as 30m".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a time is a number with s, m, h or d, such as 30m".to_owned())?;
    Ok(std::time::Duration::from_secs(number.saturating_mul(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(duration("90"), Ok(std::time::Duration::from_secs(90)));
        assert_eq!(duration("8h"), Ok(std::time::Duration::from_hours(8)));
        for bad in ["", "h", "1w", "-1m", "1.5h", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
