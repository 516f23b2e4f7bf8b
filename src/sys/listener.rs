//! A web server of one page on the loopback interface, for the browser that comes back from a sign-in (RFC 8252 §7.3). Touches one
//! port of 127.0.0.1.
//!
//! It never blocks: the one who waits asks again and again, and does other things in between. A browser opens connections that it never
//! uses, so several are held at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

/// More connections than any browser opens; beyond it the oldest goes.
const MOST: usize = 16;

/// More than any browser's request; a longer one is cut off.
const LONGEST: usize = 16 * 1024;

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
    read: Vec<u8>,
}

/// A browser that asked for the page, and waits.
pub struct Visit {
    /// What stood after the `?`, encoded as it came.
    pub query: String,
    stream: TcpStream,
}

impl Listener {
    /// Listens on this port of 127.0.0.1, or on a free one.
    ///
    /// # Errors
    /// The port is taken, or not allowed to us.
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

    /// The next visit of the page at `path`, if one is there already. Whoever asks for anything else is told that it is not here.
    pub fn visit(&mut self, path: &str) -> Option<Visit> {
        while let Ok((stream, _)) = self.socket.accept() {
            // Not inherited everywhere.
            if stream.set_nonblocking(true).is_ok() {
                self.open.push(Connection { stream, read: Vec::new() });
            }
        }
        self.open.drain(..self.open.len().saturating_sub(MOST));
        let mut at = 0;
        while let Some(connection) = self.open.get_mut(at) {
            match connection.request() {
                Request::NotYet => at += 1,
                Request::Gone => drop(self.open.remove(at)),
                Request::Line(method, target) => {
                    let stream = self.open.remove(at).stream;
                    let (asked, query) = target.split_once('?').unwrap_or((&target, ""));
                    match (asked == path, method == "GET") {
                        (true, true) => return Some(Visit { query: query.to_owned(), stream }),
                        (true, false) => send(stream, "405 Method Not Allowed", "Allow: GET\r\n", "Not this way."),
                        (false, _) => send(stream, "404 Not Found", "", "There is nothing here."),
                    }
                }
            }
        }
        None
    }
}

enum Request {
    NotYet,
    Gone,
    /// Method and target; the headers don't matter.
    Line(String, String),
}

impl Connection {
    fn request(&mut self) -> Request {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Request::Gone,
                Ok(n) => self.read.extend(chunk.iter().take(n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Request::Gone,
            }
            if self.read.len() > LONGEST {
                return Request::Gone;
            }
        }
        if !self.read.windows(4).any(|four| four == b"\r\n\r\n") {
            return Request::NotYet;
        }
        let line = self.read.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(version)) if version.starts_with("HTTP/1.") => {
                Request::Line(method.to_owned(), target.to_owned())
            }
            _ => Request::Gone,
        }
    }
}

impl Visit {
    /// Shows a small page, and ends the visit.
    pub fn answer(self, fine: bool, title: &str, text: &str) {
        let (title, text) = (escaped(title), escaped(text));
        let page = format!(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:20vh auto;\
             padding:0 1rem;text-align:center}}</style><h1>{title}</h1><p>{text}</p></html>\n"
        );
        send(self.stream, if fine { "200 OK" } else { "400 Bad Request" }, "", &page);
    }
}

/// The address holds a code: no page may take it further. A browser that is gone misses nothing.
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

    /// Sends this, and drives the listener until it has a visit or the other side has its answer.
    fn asked(listener: &mut Listener, request: &str) -> (Option<Visit>, TcpStream) {
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
    fn one_path_is_served_and_nothing_else() {
        let mut listener = Listener::bind(None).unwrap();
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "404"),
            ("GET /here/too?x HTTP/1.1\r\n\r\n", "404"),
            ("GET /favicon.ico HTTP/1.1\r\n\r\n", "404"),
            ("POST /here?x=y HTTP/1.1\r\n\r\n", "405"),
        ] {
            let (visit, browser) = asked(&mut listener, request);
            assert!(visit.is_none(), "{request}");
            assert!(answer(browser).starts_with(&format!("HTTP/1.1 {status} ")), "{request}");
        }
        let (visit, browser) = asked(&mut listener, "GET /here?a=b%20c HTTP/1.1\r\nHost: x\r\n\r\n");
        let visit = visit.unwrap();
        assert_eq!(visit.query, "a=b%20c");
        visit.answer(true, "Done <b>", "Close this.");
        let page = answer(browser);
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("<h1>Done &lt;b&gt;</h1>"), "{page}");
    }

    #[test]
    fn connections_that_say_nothing_hold_nobody_up() {
        let mut listener = Listener::bind(None).unwrap();
        let idle: Vec<_> = (0..40).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap()).collect();
        let (visit, _browser) = asked(&mut listener, "GET /here HTTP/1.1\r\n\r\n");
        assert!(visit.is_some());
        assert!(listener.open.len() <= MOST);
        drop(idle);
    }

    #[test]
    fn a_request_that_comes_in_pieces_is_put_together_and_garbage_is_dropped() {
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
    fn the_port_is_free_again_afterwards_and_only_this_machine_reached_it() {
        let listener = Listener::bind(None).unwrap();
        assert!(listener.socket.local_addr().unwrap().ip().is_loopback());
        let port = listener.port();
        drop(listener);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }
}
