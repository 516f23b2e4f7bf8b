//! The endpoint beside a command of `exec`. On Unix the command replaces this process, so daypass starts itself once more, as a server
//! whose parent the command will be. On Windows this process waits for the command, and a thread serves.

#[cfg(not(unix))]
pub(super) use thread::start;
#[cfg(unix)]
pub(super) use unix::{run, start};

#[cfg(unix)]
mod unix {
    use std::io::{BufRead, BufReader, Read};

    use serde::{Deserialize, Serialize};
    use zeroize::Zeroizing;

    use crate::command::endpoint::{Endpoint, new_token};
    use crate::command::flags::RoleFlags;
    use crate::context::{Context, OnBehalf};
    use crate::error::{Error, Exit, Result};
    use crate::profile::request::RoleRequest;
    use crate::profile::resolve::{self, RoleTarget};
    use crate::secret::{Secret, exposed};
    use crate::sys::{child, parent, signal};

    /// More than any report has, in bytes.
    const MAX_REPORT: u64 = 64 * 1024;

    /// What the server tells the process that started it: one line of JSON.
    #[derive(Serialize, Deserialize)]
    enum Report {
        Ready {
            address: String,
            #[serde(serialize_with = "exposed")]
            token: Secret,
        },
        Failed {
            exit: u8,
            what: String,
            hint: String,
        },
    }

    /// Starts the server and waits until it is ready. `typed`: the arguments that name the role. Returns its address and token, which come
    /// through a pipe. The server itself has no terminal, on which it could offer to sign in.
    pub(in crate::command) fn start(context: &Context, target: &RoleTarget, typed: &[String]) -> Result<(String, Secret)> {
        context.offering_sign_in(OnBehalf::of_target(target), || start_once(context, typed))
    }

    fn start_once(context: &Context, typed: &[String]) -> Result<(String, Secret)> {
        let failed = |why: String| Error::failed(format!("the credential endpoint did not start: {why}"), "daypass status -v");
        let words = ["serve".to_owned(), "--child-of".to_owned(), std::process::id().to_string()];
        let words: Vec<String> = words.into_iter().chain(typed.iter().cloned()).collect();
        let report = child::start_server(&words, context.interaction.verbose > 0).map_err(|error| failed(error.to_string()))?;
        let mut line = Zeroizing::new(String::with_capacity(4096));
        BufReader::new(report.take(MAX_REPORT)).read_line(&mut line).map_err(|error| failed(error.to_string()))?;
        match serde_json::from_str(&line) {
            Ok(Report::Ready { address, token }) => Ok((address, token)),
            Ok(Report::Failed { exit, what, hint }) => Err(Error::new(Exit::of(exit), what, hint)),
            Err(_) => Err(failed("it ended".to_owned())),
        }
    }

    /// Runs as the server of the process `of`, and ends with it.
    pub(in crate::command) fn run(context: &Context, profile: Option<String>, role: RoleFlags, of: u32) -> Result<u8> {
        signal::arm();
        parent::end_with(of);
        let request = RoleRequest::from(role);
        let request = RoleRequest { profile: profile.or(request.profile.clone()), ..request };
        let started = resolve::target(&context.env, &request)
            .and_then(|target| Endpoint::start(context, vec![target], None, new_token()?, &[]));
        let report = match &started {
            Ok(endpoint) => Report::Ready { address: endpoint.address(0), token: endpoint.token().clone() },
            Err(error) => Report::Failed { exit: error.exit as u8, what: error.what.clone(), hint: error.hint.clone() },
        };
        let line = Zeroizing::new(serde_json::to_string(&report).unwrap_or_default() + "\n");
        context.print(&line)?;
        match started {
            Ok(endpoint) => endpoint.run(),
            Err(error) => Ok(error.exit as u8),
        }
    }
}

#[cfg(not(unix))]
mod thread {
    use crate::command::endpoint::{Endpoint, new_token};
    use crate::context::Context;
    use crate::error::Result;
    use crate::profile::resolve::RoleTarget;
    use crate::secret::Secret;

    /// Starts to serve. Returns address and token.
    pub(in crate::command) fn start(context: &Context, target: &RoleTarget, _: &[String]) -> Result<(String, Secret)> {
        let endpoint = Endpoint::start(context, vec![target.clone()], None, new_token()?, &[])?;
        let ready = (endpoint.address(0), endpoint.token().clone());
        std::thread::spawn(move || endpoint.run());
        Ok(ready)
    }
}
