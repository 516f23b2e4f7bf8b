//! The events of `login --format json`: one JSON object per line, for editors and scripts. Pure. The help of `login` documents them.

use serde::Serialize;

use super::rfc3339;
use crate::broker::{Event, PollState};
use crate::credentials::Token;

/// The keys of every line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    what: What<'a>,
    session: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum What<'a> {
    Another,
    Authorize { url: &'a str, port: u16, expires_in: u64 },
    Code { verification_uri: &'a str, verification_uri_complete: Option<&'a str>, user_code: &'a str, expires_in: u64 },
    FellBack { reason: &'a str },
    Waiting { state: &'static str },
    SignedIn { expires_at: String, refreshable: bool, already: bool },
}

/// The line of an event.
pub fn event(session: &str, event: &Event<'_>) -> String {
    line(
        session,
        match *event {
            Event::WaitingForOther => What::Another,
            Event::Authorize { url, port, life } => What::Authorize { url, port, expires_in: life.as_secs() },
            Event::DeviceCode(started) => What::Code {
                verification_uri: &started.verification_uri,
                verification_uri_complete: started.verification_uri_complete.as_deref(),
                user_code: &started.user_code,
                expires_in: started.expires_in.as_secs(),
            },
            Event::FellBack(reason) => What::FellBack { reason },
            Event::Polling(state) => What::Waiting {
                state: match state {
                    PollState::Pending => "pending",
                    PollState::SlowDown => "slow_down",
                    PollState::Unreachable => "unreachable",
                },
            },
        },
    )
}

/// The line of the last event.
pub fn signed_in(session: &str, token: &Token, already: bool) -> String {
    line(session, What::SignedIn { expires_at: rfc3339(token.expires_at), refreshable: token.refresh.is_some(), already })
}

fn line(session: &str, what: What<'_>) -> String {
    // Serializing strings and numbers cannot fail.
    super::escaped(&serde_json::to_string(&Line { what, session }).unwrap_or_default()) + "\n"
}
