//! The server.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::answer::{Fault, Reply as Told};
use super::call::{self, Call, Received};
use super::expectations::Script;
use super::http1::{self, Reply, Request};
use super::pages;
use super::service::{self, Service};

#[derive(Default)]
pub(super) struct Shared {
    pub(super) inner: Mutex<Inner>,
    pub(super) stopping: AtomicBool,
    pub(super) streams: Mutex<HashMap<usize, TcpStream>>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) service: Service,
    pub(super) script: Script,
    pub(super) calls: Vec<Received>,
    pub(super) done: Vec<Call>,
    pub(super) visits: usize,
    pub(super) complaints: Vec<String>,
}

impl Shared {
    /// A test that failed while it held the lock must not hide its own message behind "poisoned".
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread for each connection; returns when all of them have ended.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
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
            // A client that goes away in the middle is its own affair (some tests kill it).
            let _ = converse(stream, number, &shared);
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

/// Requests and answers on one connection, until either side ends it.
fn converse(mut stream: TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
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
        let answer = respond(&request, connection, shared);
        let reply = match answer {
            Outcome::Reply(reply) => reply.to_bytes(),
            Outcome::Fault(Fault::Reset, _) => return http1::reset(stream),
            Outcome::Fault(Fault::Hang, _) => {
                // Until the client gives up or the portal ends.
                while !matches!(stream.read(&mut [0; 1024]), Ok(0) | Err(_)) {}
                return Ok(());
            }
            Outcome::Fault(Fault::Drip, reply) => {
                // Until the client gives up, the portal ends, or all is said.
                for byte in reply.to_bytes() {
                    stream.write_all(&[byte])?;
                    thread::sleep(std::time::Duration::from_millis(100));
                }
                return Ok(());
            }
            Outcome::Fault(Fault::Garbage, _) => return stream.write_all(b"\x16\x03\x01 \xff\xfe not a web server\r\n\r\n"),
            Outcome::Fault(Fault::Truncated, reply) => {
                let whole = reply.to_bytes();
                return stream.write_all(whole.get(..whole.len() - reply.body.len().div_ceil(2)).unwrap_or_default());
            }
        };
        stream.write_all(&reply)?;
        if request.closes() {
            return Ok(());
        }
    }
}

/// What becomes of a request.
enum Outcome {
    Reply(Reply),
    Fault(Fault, Reply),
}

fn respond(request: &Request, connection: usize, shared: &Shared) -> Outcome {
    if pages::is_page(request) {
        let mut inner = shared.inner();
        inner.visits += usize::from(request.method == "GET");
        return Outcome::Reply(pages::serve(request, &mut inner.service));
    }
    let (received, answer) = {
        let mut inner = shared.inner();
        let received = call::recognise(request, connection);
        inner.calls.push(received.clone());
        let complaints = received.complaints.iter().map(|complaint| format!("{complaint}, in {received}")).collect::<Vec<_>>();
        inner.complaints.extend(complaints);
        let Some(known) = received.call else {
            return Outcome::Reply(service::portal_error("UnknownOperationException", 404, "no such operation"));
        };
        match inner.script.answer_to(known) {
            Ok(answer) => (received, answer),
            Err(complaint) => {
                inner.complaints.push(complaint);
                return Outcome::Reply(service::error_of(known, "invalid_request", "the test did not expect this call"));
            }
        }
    };
    if let Some(latch) = &answer.latch {
        latch.pass();
    }
    let mut reply = match answer.reply {
        Told::Served => shared.inner().service.serve(&received),
        Told::Fixed(reply) => reply,
        Told::Oidc(code) => service::oidc_error(code, ""),
    };
    shared.inner().done.extend(received.call);
    if let Some(edit) = &answer.edit {
        reply.edit(edit.as_ref());
    }
    reply.headers.extend(answer.headers);
    match answer.fault {
        Some(fault) => Outcome::Fault(fault, reply),
        None => Outcome::Reply(reply),
    }
}
