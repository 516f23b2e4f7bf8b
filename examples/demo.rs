//! A tour of daypass without an AWS account: `cargo run --example demo`, or with `-- --interactive` to approve the sign-in yourself.
//!
//! It builds the real program, starts the tests' sandbox of IAM Identity Center on this machine, and uses the one against the other in
//! a temporary home. Nothing outside of that home is read or written, and it is gone afterwards.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros)] // It talks to a person and starts programs.

#[path = "../tests/support/portal/mod.rs"]
mod portal;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Duration;
use std::{env, fs};

use portal::{Approval, Portal, PortalConfig};

/// With this argument the demo is the browser of its own daypass: the real one must start in the person's home, not in the temporary.
const OPEN: &str = "--open-in-browser";
/// What the temporary home replaces; the person's own value goes on under the name with `DEMO_REAL_` before it.
const REPLACED: [&str; 5] = ["HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "BROWSER"];

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    // Ctrl-C ends the daypass that runs; the demo then tidies up.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default());
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => tour(false),
        ["--interactive"] => tour(true),
        [OPEN, address] => browse(address),
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

fn tour(interactive: bool) -> Result {
    println!("Building daypass …");
    let program = build()?;
    let approval = if interactive { Approval::ByHand } else { Approval::AfterPolls(0) };
    let life = if interactive { Duration::from_mins(10) } else { Duration::from_mins(1) };
    let portal = Portal::live(PortalConfig { approval, code_ttl: life, long_secrets: false, ..PortalConfig::default() });
    let stage = Stage::new(program, &portal)?;
    stage.explain(&format!("A sandbox of IAM Identity Center listens at {}. Every secret below is made up by it.", portal.url()));

    stage.explain("Say once where you sign in and what you want to be:");
    stage.daypass(&[
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
    stage.command("cat ~/.aws/config");
    print!("{}", fs::read_to_string(stage.home.path().join(".aws/config"))?);

    if interactive {
        stage.explain("Sign in. Approve it on the page that your browser opens, or open the address yourself:");
        stage.daypass(&["login", "corp"])?;
    } else {
        stage.explain("Sign in. (The sandbox approves by itself; `-- --interactive` lets you do it in a browser.)");
        stage.daypass(&["login", "corp", "--no-browser"])?;
    }

    stage.explain("This is what an SDK or the AWS CLI runs when it needs credentials for the profile:");
    let before = portal.requests();
    let first = stage.capture(&["credential-process", "--profile", "dev"])?;
    let issued = portal.issued().pop().ok_or("the sandbox issued no credentials")?;
    check(first.contains(&issued.access_key_id), "these are not the credentials that the sandbox issued")?;
    let asked = portal.requests() - before;
    stage.explain(&format!("The sandbox counted {asked} request. Once more:"));
    let second = stage.capture(&["credential-process", "--profile", "dev"])?;
    check(first == second, "the second answer differs from the first")?;
    check(portal.requests() == before + asked, "the second call made a request")?;
    stage.explain("The same answer, and the sandbox counted 0 requests: it came from the vault.");

    stage.explain("For tools that want variables: eval \"$(daypass env dev)\"");
    let exports = stage.capture(&["env", "dev", "--shell", "sh"])?;
    check(exports.contains(&issued.access_key_id), "the variables are not these credentials")?;

    stage.explain("Or around one command, with nothing left behind in your shell:");
    let child: [&str; 3] =
        if cfg!(windows) { ["cmd", "/C", "echo %AWS_ACCESS_KEY_ID%"] } else { ["sh", "-c", "echo $AWS_ACCESS_KEY_ID"] };
    let seen = stage.capture(&[&["exec", "dev", "--"], &child[..]].concat())?;
    check(seen.trim() == issued.access_key_id, "the child did not get the credentials")?;

    stage.explain("What you can reach, and who is signed in:");
    stage.daypass(&["list", "corp"])?;
    stage.daypass(&["status"])?;

    stage.explain("Sign out. It is forgotten here and ended at the portal, and a tool that asks now is told what to type:");
    stage.daypass(&["logout", "corp"])?;
    stage.refused(&["credential-process", "--profile", "dev"], 3)?;
    portal.verify();
    stage.explain(&format!("Done: {} requests in all, and nothing of this is left on the machine.", portal.requests()));
    Ok(())
}

/// Builds the real program as this one was built, and says where it is.
fn build() -> Result<PathBuf> {
    let here = env::current_exe()?;
    // target/PROFILE/examples/demo
    let folder = here.parent().and_then(Path::parent).ok_or("the demo is in no target folder")?;
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

/// Opens an address with the person's own home and folders.
fn browse(address: &str) -> Result {
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
    Err("no browser could be opened".into())
}

fn check(holds: bool, otherwise: &str) -> Result {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// A temporary home, and the way in which commands in it are shown.
struct Stage {
    home: tempfile::TempDir,
    program: PathBuf,
    vars: Vec<(String, OsString)>,
    colour: bool,
}

impl Stage {
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
        let folder = program.parent().ok_or("the program is in no folder")?.to_owned();
        let path = env::var_os("PATH").unwrap_or_default();
        set("PATH", env::join_paths([folder].into_iter().chain(env::split_paths(&path)))?);
        set("DAYPASS_KEYRING", "file".into());
        set("AWS_ENDPOINT_URL_SSO", portal.url().into());
        set("AWS_ENDPOINT_URL_SSO_OIDC", portal.url().into());
        if cfg!(target_os = "linux") {
            set("BROWSER", format!("{} {OPEN} %s", shlex::try_quote(&env::current_exe()?.to_string_lossy())?).into());
        }
        let colour = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        Ok(Self { home, program, vars, colour })
    }

    fn explain(&self, text: &str) {
        if self.colour { println!("\n\x1b[36m{text}\x1b[0m") } else { println!("\n{text}") }
    }

    fn command(&self, line: &str) {
        if self.colour { println!("\x1b[1m$ {line}\x1b[0m") } else { println!("$ {line}") }
    }

    /// The command, shown as a person would type it, in an environment without anything of AWS's or of daypass's own.
    fn prepared(&self, arguments: &[&str]) -> Result<Command> {
        let line = format!("daypass {}", shlex::try_join(arguments.iter().copied())?);
        self.command(&if line.len() > 100 { line.replace(" --", " \\\n    --") } else { line });
        // What the child prints must come after it.
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

    /// Runs it; its output goes where ours goes.
    fn daypass(&self, arguments: &[&str]) -> Result {
        let status = self.prepared(arguments)?.status()?;
        check(status.success(), &format!("daypass {} ended with {status}", arguments.join(" ")))
    }

    /// Runs it, shows its standard output and hands it back.
    fn capture(&self, arguments: &[&str]) -> Result<String> {
        let Output { status, stdout, .. } = self.prepared(arguments)?.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(stdout)?;
        print!("{text}");
        check(status.success(), &format!("daypass {} ended with {status}", arguments.join(" ")))?;
        Ok(text)
    }

    /// Runs it, and it must end with this status.
    fn refused(&self, arguments: &[&str], status: i32) -> Result {
        let ended = self.prepared(arguments)?.status()?;
        check(ended.code() == Some(status), &format!("daypass {} ended with {ended}, not with {status}", arguments.join(" ")))
    }
}
