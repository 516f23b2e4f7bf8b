//! Serves one page on the loopback interface, for the browser's callback after a sign-in (RFC 8252 §7.3). Touches one port of 127.0.0.1.
//!
//! It never blocks: the caller polls it. Browsers open connections that they never use, so several are open at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// How many connections without a request stay open, more than any browser opens. The oldest one is closed first.
const MAX_IDLE: usize = 16;

/// How many connections are accepted before the open ones are read.
const MAX_ACCEPTED: usize = 64;

/// The longest accepted request line in bytes, more than any browser sends.
const MAX_LINE: usize = 16 * 1024;

/// The longest accepted headers in bytes. They are not stored, but a response before they are read could be lost. A browser sends every
/// cookie that any program on this machine has set for 127.0.0.1.
const MAX_HEADERS: usize = 1024 * 1024;

/// How long a browser may take to receive an answer.
const SENDING: Duration = Duration::from_secs(2);

/// Listens until it is dropped.
pub struct Listener {
    socket: TcpListener,
    port: u16,
    open: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    /// The request line, without its end.
    line: Vec<u8>,
    line_is_complete: bool,
    /// The last bytes of the headers that were read.
    tail: [u8; 4],
    /// How many bytes of the headers were read.
    headers: usize,
}

/// A browser that requested the page and waits for the response.
pub struct Visit {
    /// The query of the request, still encoded.
    pub query: String,
    stream: TcpStream,
}

impl Listener {
    /// Listens on this port of 127.0.0.1, or on a free one.
    ///
    /// # Errors
    /// The port is in use or not permitted.
    pub fn bind(port: Option<u16>) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port, open: Vec::new() })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next request for the page at `path`, if there is one already. Other requests get 404 or 405.
    pub fn visit(&mut self, path: &str) -> Option<Visit> {
        for _ in 0..MAX_ACCEPTED {
            let Ok((stream, _)) = self.socket.accept() else { break };
            // Not every system inherits this from the listener.
            if stream.set_nonblocking(true).is_ok() {
                self.open.push(Connection::new(stream));
            }
        }
        let mut at = 0;
        while let Some(connection) = self.open.get_mut(at) {
            match connection.request() {
                Request::Incomplete => at += 1,
                Request::Closed => drop(self.open.remove(at)),
                Request::Line(method, target) => {
                    let stream = self.open.remove(at).stream;
                    let (requested, query) = target.split_once('?').unwrap_or((&target, ""));
                    match (requested == path, method == "GET") {
                        (true, true) => return Some(Visit { query: query.to_owned(), stream }),
                        (true, false) => send(stream, "405 Method Not Allowed", "Allow: GET\r\n", "Use GET."),
                        (false, _) => send(stream, "404 Not Found", "", "Not found."),
                    }
                }
            }
        }
        // Only after all of them were read: the oldest one may be the callback.
        self.open.drain(..self.open.len().saturating_sub(MAX_IDLE));
        None
    }
}

enum Request {
    Incomplete,
    Closed,
    /// Method and target; the headers are ignored.
    Line(String, String),
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, line: Vec::new(), line_is_complete: false, tail: [0; 4], headers: 0 }
    }

    fn request(&mut self) -> Request {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Request::Closed,
                Ok(n) => {
                    if chunk.iter().take(n).any(|&byte| self.ends_with(byte)) {
                        return self.parsed();
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Request::Incomplete,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Request::Closed,
            }
            if self.line.len() > MAX_LINE || self.headers > MAX_HEADERS {
                tracing::warn!("a request to the callback is too long");
                return Request::Closed;
            }
        }
    }

    /// Takes the next byte; whether it is the last one of the headers.
    fn ends_with(&mut self, byte: u8) -> bool {
        if !self.line_is_complete && byte != b'\r' && byte != b'\n' {
            self.line.push(byte);
            return false;
        }
        self.line_is_complete = true;
        self.headers += 1;
        self.tail.rotate_left(1);
        self.tail[3] = byte;
        self.tail == *b"\r\n\r\n"
    }

    fn parsed(&self) -> Request {
        let line = String::from_utf8_lossy(&self.line);
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(version)) if version.starts_with("HTTP/1.") => {
                Request::Line(method.to_owned(), target.to_owned())
            }
            _ => Request::Closed,
        }
    }
}

impl Visit {
    /// Responds with a small page and closes the connection. `ok` selects status 200 or 400.
    pub fn answer(self, ok: bool, title: &str, text: &str) {
        let (title, text) = (escaped(title), escaped(text));
        let page = format!(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:20vh auto;\
             padding:0 1rem;text-align:center}}</style><h1>{title}</h1><p>{text}</p></html>\n"
        );
        send(self.stream, if ok { "200 OK" } else { "400 Bad Request" }, "", &page);
    }
}

/// The address contains a code, so the headers keep it from caches, referrers and other pages. Errors are ignored.
fn send(mut stream: TcpStream, status: &str, header: &str, page: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n{page}",
        page.len()
    );
    let _ = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_write_timeout(Some(SENDING)))
        .and_then(|()| stream.write_all(text.as_bytes()))
        .and_then(|()| stream.shutdown(std::net::Shutdown::Write));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a request and polls the listener until it returns a visit or the browser has its response.
    fn send_request(listener: &mut Listener, request: &str) -> (Option<Visit>, TcpStream) {
        let mut browser = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
        browser.write_all(request.as_bytes()).unwrap();
        browser.set_nonblocking(true).unwrap();
        loop {
            let visit = listener.visit("/here");
            if visit.is_some() || browser.peek(&mut [0]).is_ok() {
                browser.set_nonblocking(false).unwrap();
                return (visit, browser);
            }
        }
    }

    fn answer(mut browser: TcpStream) -> String {
        let mut text = String::new();
        browser.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn only_a_get_of_the_one_path_is_served() {
        let mut listener = Listener::bind(None).unwrap();
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "404"),
            ("GET /here/too?x HTTP/1.1\r\n\r\n", "404"),
            ("GET /favicon.ico HTTP/1.1\r\n\r\n", "404"),
            ("POST /here?x=y HTTP/1.1\r\n\r\n", "405"),
        ] {
            let (visit, browser) = send_request(&mut listener, request);
            assert!(visit.is_none(), "{request}");
            assert!(answer(browser).starts_with(&format!("HTTP/1.1 {status} ")), "{request}");
        }
        let (visit, browser) = send_request(&mut listener, "GET /here?a=b%20c HTTP/1.1\r\nHost: x\r\n\r\n");
        let visit = visit.unwrap();
        assert_eq!(visit.query, "a=b%20c");
        visit.answer(true, "Done <b>", "Close this.");
        let page = answer(browser);
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("<h1>Done &lt;b&gt;</h1>"), "{page}");
    }

    #[test]
    fn idle_connections_do_not_block_a_request() {
        let mut listener = Listener::bind(None).unwrap();
        let idle: Vec<_> = (0..40).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap()).collect();
        let (visit, _browser) = send_request(&mut listener, "GET /here HTTP/1.1\r\n\r\n");
        assert!(visit.is_some());
        assert!(listener.open.len() <= MAX_IDLE + MAX_ACCEPTED);
        drop(idle);
    }

    #[test]
    fn long_headers_do_not_matter() {
        let mut listener = Listener::bind(None).unwrap();
        let request = format!("GET /here?code=x HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(20_000));
        let (visit, browser) = send_request(&mut listener, &request);
        let visit = visit.unwrap();
        assert_eq!(visit.query, "code=x");
        visit.answer(true, "Done", "Close this.");
        assert!(answer(browser).starts_with("HTTP/1.1 200 OK\r\n"));
    }

    #[test]
    fn the_oldest_connection_is_read_before_it_is_closed() {
        let mut listener = Listener::bind(None).unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
        let mut browser = connect();
        browser.write_all(b"GET /here?first HTTP/1.1\r\n\r\n").unwrap();
        let _idle: Vec<_> = (0..2 * MAX_IDLE).map(|_| connect()).collect();
        assert_eq!(listener.visit("/here").unwrap().query, "first");
        assert!(listener.visit("/here").is_none());
        assert_eq!(listener.open.len(), MAX_IDLE);
    }

    #[test]
    fn a_request_in_pieces_is_read_and_garbage_is_dropped() {
        let mut listener = Listener::bind(None).unwrap();
        let mut browser = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
        browser.write_all(b"GET /he").unwrap();
        assert!(listener.visit("/here").is_none());
        browser.write_all(b"re?x HTTP/1.1\r\n\r\n").unwrap();
        let query = loop {
            if let Some(visit) = listener.visit("/here") {
                break visit.query;
            }
        };
        assert_eq!(query, "x");
        let (visit, browser) = {
            let mut garbage = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
            garbage.write_all(b"\x16\x03\x01\r\n\r\n").unwrap();
            garbage.set_nonblocking(true).unwrap();
            loop {
                let visit = listener.visit("/here");
                if !matches!(garbage.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock) {
                    break (visit, garbage);
                }
            }
        };
        browser.set_nonblocking(false).unwrap();
        assert!(visit.is_none());
    }

    #[test]
    fn the_listener_binds_loopback_only_and_frees_its_port() {
        let listener = Listener::bind(None).unwrap();
        assert!(listener.socket.local_addr().unwrap().ip().is_loopback());
        let port = listener.port();
        drop(listener);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }
}
