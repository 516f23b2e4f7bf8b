//! `daypass serve`: a credential endpoint in the foreground, for containers and long-running tools. `exec --server` starts it beside its
//! command.

use std::path::{Path, PathBuf};

use super::endpoint::{Endpoint, new_token};
use super::env;
use super::flags::RoleFlags;
#[cfg(unix)]
use super::server;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::export::{self, Shell};
use crate::profile::request::RoleRequest;
use crate::profile::resolve;
use crate::secret::Secret;
use crate::sys::{file, signal};
use crate::text;

/// Run a local credential endpoint
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  daypass serve dev                # prints the variables for other shells
  daypass serve dev prod --port 4100 --token-file ~/.daypass-token
  daypass serve dev --shell dotenv > dev.env
  daypass exec dev --server -- terraform apply

AWS SDKs ask the endpoint for new credentials before the old ones expire, so
programs can run longer than an hour. It listens on 127.0.0.1, and answers only
requests that contain the token. The first profile is at /, and each one at
/PROFILE. Ctrl-C stops it.

If sign-in is required meanwhile, requests fail with the command to type, and
work again after you have signed in.")]
pub struct Args {
    /// Profiles [default: $AWS_PROFILE, then default]
    #[arg(value_name = "PROFILE", conflicts_with = "profile")]
    pub names: Vec<String>,
    /// The role.
    #[command(flatten)]
    pub role: RoleFlags,
    /// Port of 127.0.0.1 to listen on [default: a free one]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// File for the token, so that it stays the same; created if it is missing
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Accept requests for this host too, such as 127.0.0.1:4100 of a forwarded port; can be repeated
    #[arg(long, value_name = "HOST:PORT")]
    pub allow_host: Vec<String>,
    /// Format of the variables [default: that of the calling shell]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<Shell>,
    /// The process of `exec --server`, whose child this is
    #[cfg(unix)]
    #[arg(long, value_name = "PROCESS", hide = true)]
    pub child_of: Option<u32>,
}

/// The shortest token that is accepted from a file: 128 bits in base64.
const MIN_TOKEN: usize = 22;

/// Runs the command, until a signal ends it.
///
/// # Errors
/// Those of resolving the roles and of getting their credentials; a port or a token file that can't be used.
pub fn run(context: &Context, args: Args) -> Result<u8> {
    #[cfg(unix)]
    if let Some(parent) = args.child_of {
        return server::run(context, args.names.into_iter().next(), args.role, parent);
    }
    signal::arm();
    let shell = env::shell(context, args.shell);
    let request = RoleRequest::from(args.role);
    let requests: Vec<RoleRequest> = if args.names.is_empty() {
        vec![request.clone()]
    } else {
        args.names.into_iter().map(|name| RoleRequest { profile: Some(name), ..request.clone() }).collect()
    };
    let targets = requests.iter().map(|request| resolve::target(&context.env, request)).collect::<Result<Vec<_>>>()?;
    let token = args.token_file.as_deref().map_or_else(new_token, token_of)?;
    let endpoint = Endpoint::start(context, targets.clone(), args.port, token, &args.allow_host)?;
    for (role, target) in targets.iter().enumerate() {
        context.tell(&format!("Credentials of {}: {}", super::shown_name_of(context, target), endpoint.address(role)));
    }
    if let Some(first) = targets.first() {
        let name = super::shown_name_of(context, first);
        let extras = super::extras(context, first, &name, request.region.as_deref());
        super::note_use(context, first, &first.final_account(), extras.region());
        let set = export::endpoint_variables(&endpoint.address(0), endpoint.token(), extras);
        let cleared = export::cleared_for_endpoint(&set, context.env.our_settings());
        context.print(&export::script(shell, &set, &cleared)?)?;
    }
    context.tell("Ctrl-C stops the endpoint.");
    endpoint.run()
}

/// The token in a file, which is created with a new one if it is missing.
fn token_of(path: &Path) -> Result<Secret> {
    let shown = path.display();
    let unusable = |why: String| {
        Error::usage(format!("the token file {shown} {why}"), format!("rm {}", text::shell_quote(&path.to_string_lossy())))
    };
    match file::read(path) {
        Ok(bytes) => {
            let token = zeroize::Zeroizing::new(String::from_utf8(bytes).map_err(|_| unusable("is not text".to_owned()))?);
            // SDKs send the content as it is: with a line break they fail.
            if token.len() < MIN_TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(unusable(format!("must contain {MIN_TOKEN} or more characters without a blank or a line break")));
            }
            Ok(Secret::new(&**token))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = new_token()?;
            file::replace_private(path, token.expose().as_bytes(), false).map_err(|error| {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let folder = folder.to_string_lossy();
                let (what, command) = match error.kind() {
                    std::io::ErrorKind::NotFound => ("its folder does not exist".to_owned(), "mkdir -p"),
                    _ => (error.to_string(), "ls -ld"),
                };
                let what = format!("the token file {shown} can't be written: {what}");
                Error::usage(what, format!("{command} {}", text::shell_quote(&folder)))
            })?;
            Ok(token)
        }
        Err(error) => Err(unusable(format!("can't be read: {error}"))),
    }
}
