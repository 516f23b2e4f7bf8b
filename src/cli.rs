//! The command line as it is typed: clap's types, nothing else. What it means is decided by the verbs.

// Help texts are for terminals, not for pages; and flags are bools.
#![allow(clippy::doc_markdown, clippy::struct_excessive_bools)]
#![allow(rustdoc::bare_urls, rustdoc::invalid_html_tags, rustdoc::broken_intra_doc_links)]

use std::ffi::OsString;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
///
/// Alone on a terminal it lets you choose among your profiles and roles: Enter starts a shell with the credentials, Ctrl-O opens
/// the console, Ctrl-E prints the variables, Ctrl-S makes a profile.
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
  0  done               4  the portal refuses this account or role
  1  failed             5  the keyring is locked, missing or refuses
  2  wrong usage        6  the portal can't be reached
  3  sign-in needed   130  interrupted";

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
    /// Open the AWS console in the browser
    Console(Console),
    /// List the accounts and roles that you can reach, and the profiles that point at them
    List(List),
    /// Write a profile for every account and role that you can reach
    Sync(Sync),
    /// Show who is signed in and until when (no network)
    Status(Status),
    /// Print a shell function that sets and clears credentials in the shell itself, and completion
    ShellInit(ShellInit),
    /// Print the completion script of a shell
    Completions(Completions),
    /// Print a manual page
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
#[derive(Debug, Default, Args)]
#[allow(clippy::struct_excessive_bools)] // Each is a flag.
#[command(after_help = "\
Examples:
  daypass configure
  daypass configure --session corp \\
      --start-url https://corp.awsapps.com/start --sso-region us-east-1 \\
      --account 111122223333 --role DeveloperAccess \\
      --profile dev --region eu-west-1
  daypass configure --session-only --session corp \\
      --start-url https://corp.awsapps.com/start --sso-region us-east-1
  daypass configure --convert --dry-run

With every value given nothing is asked. Without --account and --role you sign
in and choose: type words to search; space marks several. An existing profile's
values are the defaults.")]
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
    /// Write the session block alone, as 'aws configure sso-session' does
    #[arg(long, conflicts_with_all = ["account", "role", "profile", "region", "output", "native", "helper", "convert"])]
    pub session_only: bool,
    /// Write the SDK's own sso_* keys in place of credential_process
    #[arg(long)]
    pub native: bool,
    /// Write this program name into credential_process, such as the bare 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME", conflicts_with = "native")]
    pub helper: Option<String>,
    /// Let the profile open the browser by itself where sign-in is needed
    #[arg(long, conflicts_with = "native")]
    pub login: bool,
    /// Turn profiles with sso_* keys for the same account and role into daypass profiles of the same name, which keep all
    /// other keys; without --account and --role: all of the session, or of all sessions, or the one of --profile
    #[arg(long, conflicts_with = "native")]
    pub convert: bool,
    /// Write the profile although it keeps other keys, such as static ones in the credentials file, that AWS tools use first
    #[arg(long)]
    pub keep_other_keys: bool,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the sign-in address; open no browser
    #[arg(long)]
    pub no_browser: bool,
}

/// `daypass sync`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass sync corp --region eu-west-1
  daypass sync corp --name '{account_name}-{role}' --only 'Prod*' --dry-run
  daypass sync corp --only 'Prod*' --only '*/ReadOnly'
  daypass sync corp --prune

Fields of --name: {account_id} {account_name} {account_email} {role} {session}
{region}. Characters that not all AWS tools read become hyphens; where two names
would be one, the account's id stands behind both.

Profiles that sync wrote carry the comment '# daypass sync: SESSION ACCOUNT
ROLE'; it changes no others. Remove the comment to keep a profile as your own. A
name that is yours already is left alone: sync's profile gets another.")]
pub struct Sync {
    /// The session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub session_name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// The profiles' names
    #[arg(long = "name", value_name = "TEMPLATE", default_value = crate::profile::naming::DEFAULT)]
    pub template: String,
    /// Only accounts (by name or id), roles, or ACCOUNT/ROLE like this; * and ? stand for anything; can be given several times
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// The profiles' region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Remove the profiles that an earlier sync of this session wrote and this one would not
    #[arg(long)]
    pub prune: bool,
    /// Also turn profiles with sso_* keys for these accounts and roles into daypass profiles of the same name, which keep all
    /// other keys
    #[arg(long)]
    pub convert: bool,
    /// Write this program name into credential_process, such as the bare 'daypass' for dotfiles shared between machines
    #[arg(long, value_name = "NAME")]
    pub helper: Option<String>,
    /// Print the change as a diff and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `daypass login`
#[derive(Debug, Args)]
#[command(after_help = "\
Two ways lead in. A browser on this machine comes back to it by itself (pkce):
nothing to type. Elsewhere (SSH, containers, CI, no display) you open an address
in any browser and compare a code (device). With a forwarded port the first
works over SSH too:
  ssh -L 8400:127.0.0.1:8400 HOST        and there: daypass login --port 8400

While it waits: Enter opens the browser again, c copies the code (of pkce: the
address), d goes on with a device code, Ctrl-Z stops it like any job. In the
background it is silent.

--format json writes one event a line to standard output, each with 'event' and
'session':
  another     another daypass signs in to this session; its result is waited for
  authorize   url, port, expires_in: open url where 127.0.0.1:port leads here
  code        verification_uri, verification_uri_complete, user_code, expires_in
  fell_back   reason: pkce does not work here, a code follows
  waiting     state: pending, slow_down or unreachable (when it changes)
  signed_in   expires_at, refreshable, already (true: nothing had to be done)
Times to go are in seconds. Without signed_in the status is not 0, and standard
error says why.")]
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
    /// Sign in to every session in ~/.aws/config, one after the other
    #[arg(long, conflicts_with_all = ["name", "session", "start_url", "sso_region", "profile"])]
    pub all: bool,
    /// How the answer comes back from the browser
    #[arg(long, value_name = "FLOW", default_value = "auto")]
    pub flow: FlowChoice,
    /// The port of this machine that the browser comes back to, for a forwarded one (means --flow pkce) [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Print the address; open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Show the address as a QR code (by itself on a terminal where no browser can be opened)
    #[arg(long, conflicts_with = "port")]
    pub qr: bool,
    /// What goes to standard output: nothing, or one JSON event a line
    #[arg(long, value_name = "FORMAT", default_value = "none")]
    pub format: Events,
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
In ~/.aws/config, all on one line ('daypass configure' writes it):
  [profile dev]
  credential_process = /usr/bin/daypass credential-process
      --session corp --account 111122223333 --role DeveloperAccess

With --login a sign-in that is missing opens the browser: one for all tools that
ask at once, and never over SSH, in CI or without a display. It waits for 45
seconds; if nobody answers, no other opens for five minutes.")]
pub struct CredentialProcess {
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Open the browser where sign-in is needed ('daypass configure --login' writes this)
    #[arg(long)]
    pub login: bool,
}

/// `daypass env`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(daypass env dev)\"        # sh, bash, zsh
  daypass env dev --shell fish | source
  daypass env dev --shell powershell | Out-String | Invoke-Expression
  daypass env dev --shell nushell | from json | load-env
  for /f \"delims=\" %i in ('daypass env dev --shell cmd') do @%i
  eval \"$(daypass env --unset)\"    # clears them again

Without --shell the format is that of $SHELL, the shell that you log in with.
'daypass shell-init' has a function for this: dp dev.")]
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
    /// Choose the role from a list, on the terminal
    #[arg(long, conflicts_with_all = ["name", "profile", "session", "start_url", "sso_region", "scopes", "account", "role", "unset"])]
    pub pick: bool,
    /// Print the commands that clear the variables
    #[arg(long)]
    pub unset: bool,
}

/// `daypass exec`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass exec dev -- aws s3 ls
  daypass exec dev aws s3 ls
  daypass exec dev -- $SHELL
  daypass exec --session corp --account 111122223333 --role DeveloperAccess \\
      -- terraform plan

The -- may be left out: after the profile, or after the flags that name the
role, the first word is the command, and all that follows is its own. Without a
profile it is needed: 'daypass exec -- aws s3 ls' uses AWS_PROFILE.

The status is the command's own; 127 if it is not found, 126 if it can't be
executed.")]
pub struct Exec {
    /// The profile [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub name: Option<String>,
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `daypass console`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass console dev
  daypass console dev --destination s3
  daypass console dev prod --print \\
      --destination https://eu-west-1.console.aws.amazon.com/ec2/home

It needs no credentials: the portal signs you in, in the browser.")]
pub struct Console {
    /// The profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub names: Vec<String>,
    /// Which role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// The page to open: a service's short name, such as s3 or logs, or an address in the console
    #[arg(long, value_name = "URL|SERVICE")]
    pub destination: Option<String>,
    /// Print the link; open no browser
    #[arg(long)]
    pub print: bool,
}

/// `daypass list`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daypass list
  daypass list --filter 'prod read'
  daypass list --profiles")]
pub struct List {
    /// The session [default: the only one in ~/.aws/config]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// Only rows that hold all of these words, in any column and any case
    #[arg(long, value_name = "WORDS")]
    pub filter: Vec<String>,
    /// List the profiles of the config file in place of the portal's accounts and roles (no network)
    #[arg(long)]
    pub profiles: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `daypass status`
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with status 3 where sign-in is needed: of the named session, or of all of
them. A sign-in is renewed until this client's registration ends; the portal's
session may end before, which only the portal knows.

--prompt looks at variables only. It prints what this shell's credentials are
and how long they last ('dev 42 min'), else AWS_PROFILE, else nothing:
  PS1='$(daypass status --prompt) \\$ '")]
pub struct Status {
    /// The session [default: all]
    #[arg(value_name = "SESSION", conflicts_with = "session")]
    pub name: Option<String>,
    /// The session by flags.
    #[command(flatten)]
    pub session: SessionFlags,
    /// The session of this profile
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "session"])]
    pub profile: Option<String>,
    /// Print a few words for a shell's prompt, from this shell's variables alone
    #[arg(long, conflicts_with_all = ["name", "session", "profile", "format"])]
    pub prompt: bool,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `daypass shell-init`
#[derive(Debug, Args)]
#[command(after_help = "\
In the shell's start-up file:
  eval \"$(daypass shell-init bash)\"   # ~/.bashrc
  eval \"$(daypass shell-init zsh)\"    # ~/.zshrc, after compinit
  daypass shell-init fish | source    # ~/.config/fish/config.fish
  daypass shell-init powershell | Out-String | Invoke-Expression  # $PROFILE
Once, for Nushell:
  mkdir $nu.user-autoload-dirs.0
  daypass shell-init nushell | save -f $\"($nu.user-autoload-dirs.0)/daypass.nu\"

Then:
  dp dev    sets the credentials of the profile dev in this shell
  dp        the same, for what you choose from a list
  dp -      clears them")]
pub struct ShellInit {
    /// The shell
    pub shell: Interactive,
    /// What to call the function
    #[arg(long, value_name = "NAME", default_value = "dp", value_parser = function_name)]
    pub name: String,
}

/// `daypass completions`
#[derive(Debug, Args)]
#[command(after_help = "\
The script asks daypass itself, so it knows the names in your config file.
'daypass shell-init' holds it too.")]
pub struct Completions {
    /// The shell
    pub shell: Interactive,
}

/// `daypass man`
#[derive(Debug, Args)]
#[command(after_help = "To read one: daypass man exec | man -l -")]
pub struct Man {
    /// The command [default: daypass itself]
    pub command: Option<String>,
}

/// The shells that people type in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Interactive {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// Nushell
    #[value(alias = "nu")]
    Nushell,
}

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

/// The values of `login --flow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FlowChoice {
    /// pkce where a browser is on this machine, else device
    Auto,
    /// A code to compare; the browser may be anywhere
    Device,
    /// The browser comes back to this machine; device where that fails
    Pkce,
}

/// The values of `login --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// Nothing
    None,
    /// One event a line
    Json,
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

impl Cli {
    /// Reads the command line. Where `exec` is given no `--`, one is put before the first word behind what names the role.
    ///
    /// # Errors
    /// Clap's, which are also help and version.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let strict = Self::try_parse_from(&arguments);
        if strict.as_ref().map_or_else(|error| !error.use_stderr(), |_| true) {
            return strict;
        }
        Self::without_dashes(&arguments).map_or(strict, |(_, typed)| Ok(typed))
    }

    /// Where the command of `exec` begins among these words (the program's name first), the last of which is still being typed. None where
    /// that last word is not of the command.
    pub fn command_at(words: &[OsString]) -> Option<usize> {
        match Self::try_parse_from(words) {
            Ok(typed) if matches!(typed.verb, Some(Verb::Exec(_))) => Some(words.iter().position(|word| word == "--")? + 1),
            _ => Self::without_dashes(words).map(|(at, _)| at),
        }
    }

    /// The command line with a `--` before the first word behind what names the role, and that word's place.
    fn without_dashes(arguments: &[OsString]) -> Option<(usize, Self)> {
        let words = arguments.iter().enumerate().skip(1).take_while(|(_, word)| *word != "--");
        words.filter(|(_, word)| !word.as_encoded_bytes().starts_with(b"-")).find_map(|(at, _)| {
            let (before, command) = arguments.split_at_checked(at)?;
            let typed = Self::try_parse_from(before.iter().chain([&OsString::from("--")]).chain(command)).ok()?;
            matches!(&typed.verb, Some(Verb::Exec(exec)) if exec.names_role()).then_some((at, typed))
        })
    }
}

impl Exec {
    /// Whether it says by itself which role is meant.
    fn names_role(&self) -> bool {
        self.name.is_some() || self.role.profile.is_some() || (self.role.account.is_some() && self.role.role.is_some())
    }
}

/// A name that all shells take for a function.
fn function_name(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits { Ok(text.to_owned()) } else { Err("a function's name has letters, digits, _ and -".to_owned()) }
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
    fn what_stands_below_the_options_fits_eighty_columns() {
        let mut all = Cli::command().term_width(80);
        all.build();
        for command in std::iter::once(&all).chain(all.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let shown = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
                assert!(shown.lines().any(|other| other == line), "{} breaks: {line}", command.get_name());
            }
            // A command that goes on in the next line says so: it is typed as it stands.
            for (line, next) in help.lines().zip(help.lines().skip(1)) {
                assert_eq!(line.ends_with('\\'), next.starts_with("      ") && !line.contains(" = "), "{line}");
            }
        }
    }

    fn exec(line: &str) -> Option<(Option<String>, Vec<OsString>)> {
        let typed = Cli::read(shlex::split(line).unwrap().into_iter().map(OsString::from)).ok()?;
        match typed.verb {
            Some(Verb::Exec(exec)) => Some((exec.name.or(exec.role.profile), exec.command)),
            _ => None,
        }
    }

    #[test]
    fn the_dashes_of_exec_may_be_left_out_where_the_role_is_named() {
        let is = |line: &str, profile: Option<&str>, command: &str| {
            let command: Vec<OsString> = shlex::split(command).unwrap().into_iter().map(OsString::from).collect();
            assert_eq!(exec(line), Some((profile.map(str::to_owned), command)), "{line}");
        };
        is("daypass exec dev -- aws s3 ls", Some("dev"), "aws s3 ls");
        is("daypass exec dev aws s3 ls --region x --profile y", Some("dev"), "aws s3 ls --region x --profile y");
        is("daypass exec dev git log -- file", Some("dev"), "git log -- file");
        is("daypass -v exec --region eu-west-1 dev aws -v", Some("dev"), "aws -v");
        is("daypass exec dev --region eu-west-1 aws sts", Some("dev"), "aws sts");
        is("daypass exec --profile dev aws s3", Some("dev"), "aws s3");
        is("daypass exec --profile=dev aws", Some("dev"), "aws");
        is("daypass exec --session corp --account 1 --role R aws s3", None, "aws s3");
        is("daypass exec --role R dev aws", Some("dev"), "aws");
        is("daypass exec -- aws s3", None, "aws s3");
        is("daypass exec exec -- exec", Some("exec"), "exec");
    }

    #[test]
    fn a_word_that_is_typed_belongs_to_the_command_of_exec_or_to_daypass() {
        let at = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            Cli::command_at(&words)
        };
        for (line, begins) in [
            ("daypass exec dev -- ", 4),
            ("daypass exec dev -- cat /etc/hos", 4),
            ("daypass exec dev -- cat -", 4),
            ("daypass exec -- who", 3),
            ("daypass exec dev ", 3),
            ("daypass exec dev cat -", 3),
            ("daypass exec dev git log -- fi", 3),
            ("daypass -v exec --profile=dev --region eu-west-1 cat --prof", 6),
        ] {
            assert_eq!(at(line), Some(begins), "{line}");
        }
        for line in [
            "daypass ex",
            "daypass exec ",
            "daypass exec de",
            "daypass exec dev -",
            "daypass exec dev --",
            "daypass exec dev --region ",
            "daypass exec --account 111122223333 --role ",
            "daypass env dev exec ",
            "daypass console -- exec",
        ] {
            assert_eq!(at(line), None, "{line}");
        }
    }

    #[test]
    fn exec_without_a_command_is_wrong_usage() {
        for line in [
            "daypass exec",
            "daypass exec dev",
            "daypass exec dev --",
            "daypass exec --profile dev",
            "daypass exec --bogus dev aws",
        ] {
            assert_eq!(exec(line), None, "{line}");
        }
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
