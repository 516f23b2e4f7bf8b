//! A small HTTP/1.1 server on the loopback interface: for the browser's callback after a sign-in, and for the credential endpoint. Touches
//! one port of 127.0.0.1.
//!
//! httparse, which is hyper's parser, reads the requests. The rest is about limits: a request has a bounded head and a bounded time, the
//! number of connections is bounded, and each gets one answer and is closed. hyper's server would leave these limits to its caller, and
//! need a runtime where a sign-in only looks for a callback between two key presses.
//!
//! [`Server::request`] never blocks, and programs open connections that they never use, so several are open at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use memchr::memmem;
use zeroize::{Zeroize, Zeroizing};

/// How many headers a request may have; browsers send about twenty.
const MAX_HEADERS: usize = 64;

/// How many connections are open at once; more wait in the system's queue.
const MAX_OPEN: usize = 64;

/// How long a connection without a whole request is safe from being closed for the next one, while [`MAX_OPEN`] are open.
const GRACE: Duration = Duration::from_millis(200);

/// How long a program may take to receive an answer.
const SENDING: Duration = Duration::from_secs(2);

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Server {
    socket: TcpListener,
    port: u16,
    limits: Limits,
    open: Vec<Connection>,
}

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The length of request line and headers in bytes.
    pub head: usize,
    /// The time until they have arrived; None if an idle connection may stay open.
    pub time: Option<Duration>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    since: Instant,
    /// The bytes so far. They may contain a token.
    head: Zeroizing<Vec<u8>>,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    headers: Vec<(String, Zeroizing<Vec<u8>>)>,
    stream: TcpStream,
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Number and text: `200 OK`.
    pub status: &'a str,
    /// Whole lines, each with CR and LF.
    pub headers: &'a str,
    /// The content type.
    pub kind: &'a str,
    /// The content.
    pub body: &'a str,
}

impl Server {
    /// Listens on this port of 127.0.0.1, or on a free one.
    ///
    /// # Errors
    /// The port is in use or not permitted.
    pub fn bind(port: Option<u16>, limits: Limits) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port, limits, open: Vec::new() })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of connections without a whole request.
    pub fn waiting(&self) -> usize {
        self.open.len()
    }

    /// The next request, if one has arrived. A request that breaks the limits, or is none, gets an error or no answer.
    pub fn request(&mut self) -> Option<Request> {
        self.accept();
        let now = Instant::now();
        let mut at = 0;
        while let Some(connection) = self.open.get_mut(at) {
            match connection.read(self.limits.head) {
                Progress::Incomplete if self.limits.time.is_none_or(|time| now.duration_since(connection.since) < time) => at += 1,
                Progress::Incomplete | Progress::Closed => drop(self.open.remove(at)),
                Progress::TooLong => {
                    let stream = self.open.remove(at).stream;
                    send(
                        stream,
                        Answer { status: "431 Request Header Fields Too Large", headers: "", kind: "text/plain", body: "" },
                    );
                }
                Progress::Complete(length) => {
                    let connection = self.open.remove(at);
                    if let Some(request) = connection.parsed(length) {
                        return Some(request);
                    }
                }
            }
        }
        None
    }

    /// Accepts the waiting connections, up to the limit. At the limit, the oldest one is closed if its time is over.
    fn accept(&mut self) {
        for _ in 0..MAX_OPEN {
            if self.open.len() >= MAX_OPEN {
                match self.open.first() {
                    Some(oldest) if oldest.since.elapsed() >= GRACE => drop(self.open.remove(0)),
                    _ => return,
                }
            }
            let Ok((stream, _)) = self.socket.accept() else { return };
            // Not every system inherits this from the listener.
            if stream.set_nonblocking(true).is_ok() {
                self.open.push(Connection { stream, since: Instant::now(), head: Zeroizing::default() });
            }
        }
    }

    /// Waits until there is something to read, at most this long.
    #[cfg(unix)]
    pub fn wait(&self, limit: Duration) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let accepts = self.open.len() < MAX_OPEN;
        // A connection that has to be closed in time is not waited for longer.
        let limit = if self.open.is_empty() { limit } else { limit.min(GRACE) };
        let limit = Timespec { tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), tv_nsec: limit.subsec_nanos().into() };
        let streams = self.open.iter().map(|connection| PollFd::new(&connection.stream, PollFlags::IN));
        let listener = accepts.then(|| PollFd::new(&self.socket, PollFlags::IN));
        let mut polled: Vec<PollFd<'_>> = streams.chain(listener).collect();
        // An interrupted wait is only a shorter one.
        let _ = poll(&mut polled, Some(&limit));
    }

    /// Waits a moment.
    #[cfg(not(unix))]
    pub fn wait(&self, limit: Duration) {
        super::clock::sleep(limit.min(Duration::from_millis(10)));
    }
}

enum Progress {
    Incomplete,
    Closed,
    TooLong,
    /// The length of the head.
    Complete(usize),
}

impl Connection {
    fn read(&mut self, limit: usize) -> Progress {
        let mut chunk = Zeroizing::new([0; 4096]);
        loop {
            match self.stream.read(&mut *chunk) {
                Ok(0) => return Progress::Closed,
                Ok(n) => {
                    let seen = self.head.len().saturating_sub(3);
                    extend(&mut self.head, chunk.get(..n).unwrap_or_default());
                    let end = memmem::find(self.head.get(seen..).unwrap_or_default(), b"\r\n\r\n").map(|at| seen + at + 4);
                    if end.unwrap_or(self.head.len()) > limit {
                        return Progress::TooLong;
                    }
                    if let Some(length) = end {
                        return Progress::Complete(length);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Incomplete,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Closed,
            }
        }
    }

    /// The request; None if it is not HTTP/1.1.
    fn parsed(self, length: usize) -> Option<Request> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(self.head.get(..length)?).ok().filter(httparse::Status::is_complete)?;
        let headers =
            request.headers.iter().map(|header| (header.name.to_ascii_lowercase(), Zeroizing::new(header.value.to_vec())));
        let (method, target, headers) = (request.method?.to_owned(), request.path?.to_owned(), headers.collect());
        Some(Request { method, target, headers, stream: self.stream })
    }
}

/// Appends, and wipes the old buffer if it has to grow.
fn extend(buffer: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if buffer.capacity() - buffer.len() < more.len() {
        let mut grown = Vec::with_capacity((buffer.len() + more.len()).max(2 * buffer.capacity()));
        grown.extend_from_slice(buffer);
        buffer.zeroize();
        *buffer = Zeroizing::new(grown);
    }
    buffer.extend_from_slice(more);
}

impl Request {
    /// The values of a header, given in lower case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Whether it has a header whose lower-case name begins with this.
    pub fn has_header(&self, start: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.starts_with(start))
    }

    /// Answers and closes the connection. Errors are ignored.
    pub fn answer(self, answer: Answer<'_>) {
        send(self.stream, answer);
    }
}

fn send(mut stream: TcpStream, Answer { status, headers, kind, body }: Answer<'_>) {
    let mut text = Zeroizing::new(String::with_capacity(body.len() + headers.len() + 256));
    text.extend(["HTTP/1.1 ", status, "\r\n", headers, "Content-Type: ", kind, "\r\nContent-Length: ", &body.len().to_string()]);
    text.extend(["\r\nConnection: close\r\nCache-Control: no-store\r\n\r\n", body]);
    let sent = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_write_timeout(Some(SENDING)))
        .and_then(|()| stream.write_all(text.as_bytes()))
        .and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    // What was not read would make the system reset the connection before the answer is read.
    if sent.is_ok() && stream.set_nonblocking(true).is_ok() {
        let mut rest = [0; 4096];
        for _ in 0..16 {
            if !matches!(stream.read(&mut rest), Ok(1..)) {
                break;
            }
        }
    }
}
