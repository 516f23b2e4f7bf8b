//! Shows daypass without an AWS account: `cargo run --example demo`, or with `-- --interactive` to approve the sign-in yourself.
//!
//! Builds the real program, starts the tests' simulated IAM Identity Center on this machine, and runs daypass against it in a temporary
//! home directory. Nothing outside that directory is read or written, and it is deleted at the end.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // An example may print, read variables and start programs.

#[path = "../tests/support/portal/mod.rs"]
mod portal;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Duration;
use std::{env, fs};

use daypass::ui::terminal;
use portal::{Approval, KeyRights, Portal, PortalConfig};

/// With this argument the demo acts as the browser of its own daypass. It starts the real browser in the user's home directory instead of
/// the temporary one.
const OPEN: &str = "--open-in-browser";
/// Variables that the demo replaces. The user's own values are passed on with the prefix `DEMO_REAL_`.
const REPLACED: [&str; 5] = ["HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "BROWSER"];

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // Ctrl-C ends the daypass process; the demo then cleans up.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default());
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => run(false, false),
        // Somebody types into the picker, at least docs/record.
        ["--pick"] => run(false, true),
        ["--interactive"] => run(true, true),
        [OPEN, address] => open_in_browser(address),
        _ => Err("usage: cargo run --example demo [-- --interactive]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(interactive: bool, pick: bool) -> Result {
    println!("Building daypass …");
    let program = build()?;
    let approval = if interactive { Approval::ByHand } else { Approval::AfterPolls(0) };
    let code_ttl = if interactive { Duration::from_mins(10) } else { Duration::from_mins(1) };
    let key_rights = vec![("DeveloperAccess".to_owned(), KeyRights::All)];
    let portal = Portal::live(PortalConfig { approval, code_ttl, long_secrets: false, key_rights, ..PortalConfig::default() });
    let demo = Demo::new(program, &portal)?;
    demo.explain(&format!("A simulated IAM Identity Center is listening at {}. All secrets below are fake.", portal.url()));

    demo.explain("Tell daypass your portal, account and role, once:");
    demo.daypass(&[
        "configure",
        "--session",
        "corp",
        "--start-url",
        &portal.start_url(),
        "--sso-region",
        "us-east-1",
        "--account",
        "111122223333",
        "--role",
        "DeveloperAccess",
        "--profile",
        "dev",
        "--region",
        "eu-west-1",
    ])?;
    demo.show_command("cat ~/.aws/config");
    print!("{}", fs::read_to_string(demo.home.path().join(".aws/config"))?);

    if interactive {
        demo.explain("Sign in. Approve the sign-in on the page that opens in your browser, or open the address yourself:");
        let status = demo.command(&["login", "corp"])?.stdin(Stdio::inherit()).status()?;
        check(status.success(), &format!("daypass login corp exited with {status}"))?;
    } else {
        demo.explain("Sign in. (Here it is approved automatically; with `-- --interactive` you approve it in a browser.)");
        demo.daypass(&["login", "corp", "--no-browser"])?;
    }

    demo.explain("The AWS CLI and the SDKs run this command when they need credentials for the profile:");
    let before = portal.requests();
    let first = demo.capture(&["credential-process", "--profile", "dev"])?;
    let issued = portal.issued().pop().ok_or("no credentials were issued")?;
    check(first.contains(&issued.access_key_id), "these are not the credentials that were issued")?;
    let requests = portal.requests() - before;
    demo.explain(&format!("Identity Center received {requests} request. Run it again:"));
    let second = demo.capture(&["credential-process", "--profile", "dev"])?;
    check(first == second, "the second output differs from the first")?;
    check(portal.requests() == before + requests, "the second call made a request")?;
    demo.explain("The output is the same, without a request, because daypass had stored the credentials.");

    demo.explain("For tools that read environment variables: eval \"$(daypass env dev)\"");
    let exports = demo.capture(&["env", "dev", "--shell", "sh"])?;
    check(exports.contains(&issued.access_key_id), "the variables do not contain these credentials")?;

    demo.explain("Or for a single command, leaving your shell unchanged:");
    let child: [&str; 3] =
        if cfg!(windows) { ["cmd", "/C", "echo %AWS_ACCESS_KEY_ID%"] } else { ["sh", "-c", "echo $AWS_ACCESS_KEY_ID"] };
    let printed = demo.capture(&[&["exec", "dev", "--"], &child[..]].concat())?;
    check(printed.trim() == issued.access_key_id, "the command did not receive the credentials")?;

    demo.explain("List the accounts and roles that you can access, and check who is signed in:");
    demo.daypass(&["list", "corp"])?;
    demo.daypass(&["status"])?;

    if pick {
        demo.explain("Or pick a role: type some letters of it, then Ctrl-E for its variables, Enter for a shell, Esc to leave:");
        // Leaving the list is not a failure.
        demo.command(&[])?.stdin(Stdio::inherit()).status()?;
    }

    let key = portal.new_user_key("111122223333", "ada");
    let credentials = demo.home.path().join(".aws/credentials");
    fs::write(&credentials, format!("[old]\n{}", key.lines()))?;
    demo.explain("Find the long-lived keys on this machine (here: one that the demo has just put into ~/.aws/credentials):");
    demo.fails_with(&["audit"], 7)?;
    demo.explain("Replace the key with a role of its account, under the same profile name, and search again:");
    demo.daypass(&["migrate", "old", "--role", "DeveloperAccess"])?;
    demo.daypass(&["audit"])?;
    check(!fs::read_to_string(&credentials)?.contains(&key.secret), "the key is still in the file")?;
    demo.explain("Retire the key: deactivate it now, delete it when two weeks have shown that nothing needs it.");
    demo.daypass(&["retire", "old", "--yes"])?;
    check(portal.user_key(&key.id).is_some_and(|key| !key.active), "the key is still active")?;
    demo.daypass(&["retire"])?;

    demo.explain("Sign out. Tools now get an error that names the command to run:");
    demo.daypass(&["logout", "corp"])?;
    demo.fails_with(&["credential-process", "--profile", "dev"], 3)?;
    portal.verify();
    demo.explain(&format!("Done: {} requests in total. Nothing is left on this machine.", portal.requests()));
    Ok(())
}

/// Builds daypass with the profile that this example was built with. Returns its path.
fn build() -> Result<PathBuf> {
    let here = env::current_exe()?;
    // target/PROFILE/examples/demo
    let folder = here.parent().and_then(Path::parent).ok_or("the demo is not in a target folder")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--bin",
        "daypass",
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    check(cargo.stdin(Stdio::null()).status()?.success(), "daypass could not be built")?;
    Ok(folder.join(format!("daypass{}", env::consts::EXE_SUFFIX)))
}

/// Opens an address with the user's own home directory and folders.
fn open_in_browser(address: &str) -> Result {
    for mut command in open::commands(address) {
        for name in REPLACED {
            match env::var_os(format!("DEMO_REAL_{name}")) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    Err("couldn't open a browser".into())
}

fn check(condition: bool, message: &str) -> Result {
    if condition { Ok(()) } else { Err(message.into()) }
}

/// Runs commands in a temporary home directory and shows them.
struct Demo {
    home: tempfile::TempDir,
    program: PathBuf,
    vars: Vec<(String, OsString)>,
    colour: bool,
}

impl Demo {
    fn new(program: PathBuf, portal: &Portal) -> Result<Self> {
        let home = tempfile::TempDir::with_prefix("daypass-demo-")?;
        let own = REPLACED.iter().filter_map(|name| Some((format!("DEMO_REAL_{name}"), env::var_os(name)?)));
        let mut vars: Vec<(String, OsString)> = own.collect();
        let mut set = |name: &str, value: OsString| vars.push((name.to_owned(), value));
        set("HOME", home.path().into());
        for (name, folder) in [("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "run")] {
            let folder = home.path().join(folder);
            fs::create_dir(&folder)?;
            set(name, folder.into());
        }
        let folder = program.parent().ok_or("the program has no parent folder")?.to_owned();
        let path = env::var_os("PATH").unwrap_or_default();
        set("PATH", env::join_paths([folder].into_iter().chain(env::split_paths(&path)))?);
        set("DAYPASS_KEYRING", "file".into());
        for service in ["SSO", "SSO_OIDC", "STS", "IAM"] {
            set(&format!("AWS_ENDPOINT_URL_{service}"), portal.url().into());
        }
        if cfg!(target_os = "linux") {
            set("BROWSER", format!("{} {OPEN} %s", shlex::try_quote(&env::current_exe()?.to_string_lossy())?).into());
        }
        let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        Ok(Self { home, program, vars, colour })
    }

    fn explain(&self, text: &str) {
        let text = terminal::fitted_to(text, terminal::width());
        if self.colour { println!("\n\x1b[36m{text}\x1b[0m") } else { println!("\n{text}") }
    }

    fn show_command(&self, line: &str) {
        if self.colour { println!("\x1b[1m$ {line}\x1b[0m") } else { println!("$ {line}") }
    }

    /// Shows the command as the user would type it. It runs without inherited `AWS_*` and `DAYPASS_*` variables.
    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let line = shlex::try_join(["daypass"].iter().chain(arguments).copied())?;
        self.show_command(&if line.len() > 100 { line.replace(" --", " \\\n    --") } else { line });
        // The command line must appear before the command's own output.
        io::stdout().flush()?;
        let mut command = Command::new(&self.program);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("AWS_") || text.starts_with("DAYPASS_") {
                command.env_remove(&name);
            }
        }
        command.args(arguments).envs(self.vars.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.path()).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs daypass with the output streams of this program.
    fn daypass(&self, arguments: &[&str]) -> Result {
        let status = self.command(arguments)?.status()?;
        check(status.success(), &format!("daypass {} exited with {status}", arguments.join(" ")))
    }

    /// Runs daypass. Shows and returns its standard output.
    fn capture(&self, arguments: &[&str]) -> Result<String> {
        let Output { status, stdout, .. } = self.command(arguments)?.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(stdout)?;
        print!("{text}");
        check(status.success(), &format!("daypass {} exited with {status}", arguments.join(" ")))?;
        Ok(text)
    }

    /// Runs daypass. Any exit status but this one is an error.
    fn fails_with(&self, arguments: &[&str], status: i32) -> Result {
        let exit = self.command(arguments)?.status()?;
        check(exit.code() == Some(status), &format!("daypass {} exited with {exit} instead of {status}", arguments.join(" ")))
    }
}
