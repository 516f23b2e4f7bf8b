//! The command line: the list of commands, the flags that all of them share, and parsing.

// Help texts are written for terminals.
#![allow(clippy::doc_markdown)]

use std::ffi::OsString;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use crate::command;
use crate::context::Context;
use crate::error::Result;
use crate::ui::terminal::Interaction;

/// Short-lived AWS role credentials for every tool on the machine, from one IAM Identity Center sign-in.
///
/// Run without a command to open the picker: Enter starts a shell with the role's credentials, Ctrl-O opens the AWS console,
/// Ctrl-E shows the command that loads them into this shell, Ctrl-S writes a profile.
#[derive(Debug, Parser)]
#[command(name = "daypass", version, disable_help_subcommand = true, after_help = EXIT_STATUS, max_term_width = 100)]
pub struct Cli {
    /// The flags of all commands.
    #[command(flatten)]
    pub global: GlobalFlags,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  done                4  the portal or STS refuses, or a rule denies it
  1  failed              5  the keyring is locked, missing or refuses
  2  usage error         6  the portal can't be reached
  3  sign-in required    7  audit: long-lived keys were found
130  interrupted";

/// Flags that every command accepts.
#[derive(Debug, Args)]
pub struct GlobalFlags {
    /// Print progress to standard error (-vv: log every request). Secrets are never shown
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Common options")]
    pub verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, help_heading = "Common options")]
    pub quiet: bool,
    /// Never prompt; fail if a value is missing
    #[arg(long, global = true, help_heading = "Common options")]
    pub no_input: bool,
}

impl From<GlobalFlags> for Interaction {
    fn from(flags: GlobalFlags) -> Self {
        let GlobalFlags { verbose, quiet, no_input } = flags;
        Self { verbose, quiet, no_input }
    }
}

/// The definition of one command.
#[derive(Parser)]
struct OneCommand<A: Args> {
    #[command(flatten)]
    global: GlobalFlags,
    #[command(flatten)]
    args: A,
}

/// Declares the commands: a variant, its name, and its module in `command/`, which contains `Args` (with the help) and `run`.
macro_rules! commands {
    ($($variant:ident($name:literal, $module:ident),)*) => {
        /// The commands.
        #[derive(Debug, Subcommand)]
        #[allow(missing_docs)] // The help is in each module's `Args`.
        pub enum Command {
            $(#[command(name = $name)] $variant(command::$module::Args),)*
        }

        impl Command {
            /// The name of the command.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Runs the command and returns its exit status.
            ///
            /// # Errors
            /// Those of the command.
            pub fn run(self, context: &Context) -> Result<u8> {
                match self {
                    $(Self::$variant(args) => command::$module::run(context, args),)*
                }
            }

            /// Parses these words, a command and its arguments, with the definition of that command alone. None if there is no such
            /// command.
            fn parse(name: &str, words: &[OsString]) -> Option<std::result::Result<Cli, clap::Error>> {
                match name {
                    $($name => Some(
                        OneCommand::try_parse_from(words)
                            .map(|OneCommand { global, args }| Cli { global, command: Some(Self::$variant(args)) }),
                    ),)*
                    _ => None,
                }
            }

            /// The definition of the command of this name. None if there is no such command.
            fn definition(name: &str) -> Option<clap::Command> {
                match name {
                    $($name => Some(command::$module::Args::augment_args(clap::Command::new($name))),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    Configure("configure", configure),
    Login("login", login),
    Logout("logout", logout),
    CredentialProcess("credential-process", credential_process),
    Env("env", env),
    Exec("exec", exec),
    Serve("serve", serve),
    Console("console", console),
    Use("use", use_profile),
    List("list", list),
    Sync("sync", sync),
    Undo("undo", undo),
    Status("status", status),
    Audit("audit", audit),
    Migrate("migrate", migrate),
    Retire("retire", retire),
    Doctor("doctor", doctor),
    Allow("allow", allow),
    Log("log", log),
    ShellInit("shell-init", shell_init),
    Completions("completions", completions),
    Man("man", man),
    Help("help", help),
}

/// When the warning about the user's files is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWarning {
    /// Before the command runs.
    Before,
    /// If it fails: SDKs show the standard error of a `credential_process`.
    OnFailure,
    /// Never, or by the command itself.
    Never,
}

impl Command {
    /// When the warning about the user's files is printed.
    pub fn file_warning(&self) -> FileWarning {
        match self {
            Self::Login(_)
            | Self::Logout(_)
            | Self::Env(_)
            | Self::Exec(_)
            | Self::Serve(_)
            | Self::Console(_)
            | Self::Use(_)
            | Self::List(_)
            | Self::Sync(_) => FileWarning::Before,
            Self::CredentialProcess(_) => FileWarning::OnFailure,
            Self::Configure(_)
            | Self::Status(_)
            | Self::Allow(_)
            | Self::Audit(_)
            | Self::Doctor(_)
            | Self::Log(_)
            | Self::Migrate(_)
            | Self::Retire(_)
            | Self::ShellInit(_)
            | Self::Undo(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Help(_) => FileWarning::Never,
        }
    }
}

impl Cli {
    /// Parses the command line. If `exec` is given without `--`, one is inserted after the arguments that name the role.
    ///
    /// # Errors
    /// Those of clap, which include requests for help and version.
    pub fn read(arguments: &[OsString]) -> std::result::Result<Self, clap::Error> {
        let typed = Self::parse_any(arguments);
        match &typed {
            Ok(_) => return typed,
            Err(error) if error.use_stderr() => {
                if let Some((_, typed)) = Self::with_separator(arguments) {
                    return Ok(typed);
                }
            }
            Err(_) => {}
        }
        // The texts of the full parser name the program.
        Self::try_parse_from(arguments)
    }

    /// Parses a line with the definition of its command alone: to define all commands takes longer than most of them run. None if the
    /// first argument is no command.
    fn parse_one(arguments: &[OsString]) -> Option<std::result::Result<Self, clap::Error>> {
        let words = arguments.get(1..)?;
        Command::parse(words.first()?.to_str()?, words)
    }

    /// The definition of the command line; of the commands only this one, if there is one of this name.
    pub fn definition_of(command: Option<&str>) -> clap::Command {
        match command.and_then(Command::definition) {
            Some(command) => GlobalFlags::augment_args(clap::Command::new("daypass")).subcommand(command),
            None => Self::command(),
        }
    }

    fn parse_any(words: &[OsString]) -> std::result::Result<Self, clap::Error> {
        Self::parse_one(words).unwrap_or_else(|| Self::try_parse_from(words))
    }

    /// The index at which the command of `exec` begins in these words (the program name first), the last of which is being typed. None if
    /// that last word does not belong to the command.
    pub fn command_at(words: &[OsString]) -> Option<usize> {
        match Self::parse_any(words) {
            Ok(typed) if matches!(typed.command, Some(Command::Exec(_))) => {
                let at = words.iter().position(|word| word == "--")? + 1;
                (at < words.len()).then_some(at)
            }
            _ => Self::with_separator(words).map(|(at, _)| at),
        }
    }

    /// The command line with a `--` after the arguments that name the role, and its index.
    fn with_separator(arguments: &[OsString]) -> Option<(usize, Self)> {
        // The flags before a command have no values.
        let exec = arguments.iter().skip(1).position(|word| !word.as_encoded_bytes().starts_with(b"-"))? + 1;
        let words = arguments.iter().enumerate().skip(exec + 1).take_while(|(_, word)| *word != "--");
        words.filter(|(_, word)| !word.as_encoded_bytes().starts_with(b"-")).find_map(|(at, _)| {
            let (before, command) = arguments.split_at_checked(at)?;
            let words: Vec<OsString> = before.iter().chain([&OsString::from("--")]).chain(command).cloned().collect();
            let typed = Self::parse_any(&words).ok()?;
            matches!(&typed.command, Some(Command::Exec(exec)) if exec.role.is_complete()).then_some((at, typed))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn text_below_the_options_fits_eighty_columns() {
        let mut all = Cli::command().term_width(80);
        all.build();
        for command in std::iter::once(&all).chain(all.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let shown = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
                assert!(shown.lines().any(|other| other == line), "{} breaks: {line}", command.get_name());
            }
            // A command over two lines has a backslash, so that it can be copied.
            for (line, next) in help.lines().zip(help.lines().skip(1)) {
                assert_eq!(line.ends_with('\\'), next.starts_with("      ") && !line.contains(" = "), "{line}");
            }
        }
    }

    fn exec(line: &str) -> Option<(Option<String>, Vec<OsString>)> {
        let typed = Cli::read(&shlex::split(line).unwrap().into_iter().map(OsString::from).collect::<Vec<_>>()).ok()?;
        match typed.command {
            Some(Command::Exec(exec)) => Some((exec.role.profile().map(str::to_owned), exec.command)),
            _ => None,
        }
    }

    #[test]
    fn exec_needs_no_separator_if_the_role_is_named() {
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
    fn the_word_being_typed_belongs_to_the_command_of_exec_or_to_daypass() {
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
    fn exec_without_a_command_is_valid() {
        for line in ["daypass exec", "daypass exec dev", "daypass exec dev --", "daypass exec --profile dev"] {
            assert!(exec(line).is_some_and(|(_, command)| command.is_empty()), "{line}");
        }
        assert_eq!(exec("daypass exec --bogus dev aws"), None);
    }
}
