//! The HTTP server: one thread per connection, and what a request gets.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::{Content, Fault};
use super::call::{self, Call, Received};
use super::expectations::Expectations;
use super::http1::{self, Request, Response};
use super::pages;
use super::service::{self, Service};

/// What the test and the connections share.
#[derive(Default)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    pub(super) stopping: AtomicBool,
    streams: Mutex<HashMap<usize, TcpStream>>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) service: Service,
    pub(super) expectations: Expectations,
    pub(super) calls: Vec<Received>,
    /// The calls that have taken effect.
    pub(super) done: Vec<Call>,
    /// How often a page was opened.
    pub(super) visits: usize,
    pub(super) complaints: Vec<String>,
}

impl Shared {
    /// Ignores poisoning: a test that failed while it held the lock must not hide its own message behind "poisoned".
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread for each connection. Returns when the portal stops and all connections are closed.
pub(super) fn accept_connections(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections = Vec::new();
    for (number, stream) in listener.incoming().enumerate() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let Ok(second_handle) = stream.try_clone() else { continue };
        shared.streams().insert(number, second_handle);
        let shared = Arc::clone(shared);
        connections.push(thread::spawn(move || {
            // A client may disconnect at any point; some tests kill it.
            let _ = serve_connection(stream, number, &shared);
            shared.streams().remove(&number);
        }));
    }
    for stream in shared.streams().values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for connection in connections {
        let _ = connection.join();
    }
}

/// Answers the requests of one connection until either side closes it.
fn serve_connection(mut stream: TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut unread = Vec::new();
    loop {
        let request = match http1::read(&mut stream, &mut unread) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(error) => {
                if error.kind() == io::ErrorKind::InvalidData {
                    shared.inner().complaints.push(format!("not HTTP: {error}"));
                }
                return Err(error);
            }
        };
        let response = match respond(&request, connection, shared) {
            Action::Respond(response) => response.to_bytes(),
            Action::Fail(Fault::Reset, _) => return http1::reset(stream),
            Action::Fail(Fault::Hang, _) => {
                // Until the client gives up or the portal stops.
                while !matches!(stream.read(&mut [0; 1024]), Ok(0) | Err(_)) {}
                return Ok(());
            }
            Action::Fail(Fault::Drip, response) => {
                // Until the client gives up, the portal stops, or everything is sent.
                for byte in response.to_bytes() {
                    stream.write_all(&[byte])?;
                    thread::sleep(Duration::from_millis(100));
                }
                return Ok(());
            }
            Action::Fail(Fault::Garbage, _) => return stream.write_all(b"\x16\x03\x01 \xff\xfe not a web server\r\n\r\n"),
            Action::Fail(Fault::Truncated, response) => {
                let whole = response.to_bytes();
                return stream.write_all(whole.get(..whole.len() - response.body.len().div_ceil(2)).unwrap_or_default());
            }
        };
        stream.write_all(&response)?;
        if request.closes() {
            return Ok(());
        }
    }
}

/// What a request gets.
enum Action {
    Respond(Response),
    Fail(Fault, Response),
}

fn respond(request: &Request, connection: usize, shared: &Shared) -> Action {
    if pages::is_page(request) {
        let mut inner = shared.inner();
        inner.visits += usize::from(request.method == "GET");
        return Action::Respond(pages::serve(request, &mut inner.service));
    }
    let (received, answer) = {
        let mut inner = shared.inner();
        let mut received = call::parse(request, connection);
        inner.service.authenticate(request, &mut received);
        inner.calls.push(received.clone());
        let complaints = received.complaints.iter().map(|complaint| format!("{complaint}, in {received}")).collect::<Vec<_>>();
        inner.complaints.extend(complaints);
        let Some(known) = received.call else {
            return Action::Respond(service::portal_error("UnknownOperationException", 404, "no such operation"));
        };
        match inner.expectations.answer_to(known) {
            Ok(answer) => (received, answer),
            Err(complaint) => {
                inner.complaints.push(complaint);
                return Action::Respond(service::error_for(known, "invalid_request", "the test did not expect this call"));
            }
        }
    };
    if let Some(latch) = &answer.latch {
        latch.wait();
    }
    let mut response = match answer.content {
        Content::Served => shared.inner().service.serve(&received),
        Content::Fixed(response) => response,
        Content::OidcError(code) => service::oidc_error(code, ""),
    };
    shared.inner().done.extend(received.call);
    if let Some(edit) = &answer.edit {
        response.edit(edit.as_ref());
    }
    response.headers.extend(answer.headers);
    match answer.fault {
        Some(fault) => Action::Fail(fault, response),
        None => Action::Respond(response),
    }
}
