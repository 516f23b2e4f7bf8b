//! Serves one page on the loopback interface, for the browser's callback after a sign-in (RFC 8252 §7.3), through [`Server`].
//!
//! It never blocks: the caller polls it.

use std::io;

use super::http::{Answer, Limits, Request, Server};

/// A browser sends every cookie that any program on this machine has set for 127.0.0.1, and opens connections that it never uses.
const LIMITS: Limits = Limits { head: 1024 * 1024, time: None };

/// Keep the address, which contains a code, from referrers and other pages.
const PRIVATE: &str = "Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n";

const HTML: &str = "text/html; charset=utf-8";

/// Listens until it is dropped.
pub struct Listener(Server);

/// A browser that requested the page and waits for the response.
pub struct Visit {
    /// The query of the request, still encoded.
    pub query: String,
    request: Request,
}

impl Listener {
    /// Listens on this port of 127.0.0.1, or on a free one.
    ///
    /// # Errors
    /// The port is in use or not permitted.
    pub fn bind(port: Option<u16>) -> io::Result<Self> {
        Server::bind(port, LIMITS).map(Self)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The next request for the page at `path`, if there is one already. Other requests get 404 or 405.
    pub fn visit(&mut self, path: &str) -> Option<Visit> {
        while let Some(request) = self.0.request() {
            let (requested, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
            let (status, headers, body) = match (requested == path, &*request.method) {
                (true, "GET") => return Some(Visit { query: query.to_owned(), request }),
                (true, _) => ("405 Method Not Allowed", "Allow: GET\r\n", "Use GET."),
                (false, _) => ("404 Not Found", "", "Not found."),
            };
            request.answer(Answer { status, headers: &format!("{headers}{PRIVATE}"), kind: HTML, body });
        }
        None
    }
}

impl Visit {
    /// Responds with a small page and closes the connection. `ok` selects status 200 or 400.
    pub fn answer(self, ok: bool, title: &str, text: &str) {
        let (title, text) = (escaped(title), escaped(text));
        let (mark, colour) = if ok { ("✓", "light-dark(#1a7f37,#57c26f)") } else { ("!", "light-dark(#b35900,#f0a34a)") };
        let page = format!(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{title}</title>\
             <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:20vh auto;\
             padding:0 1rem;text-align:center}}body::before{{content:\"{mark}\";display:block;width:3.5rem;margin:auto;\
             border:.2rem solid;border-radius:50%;font:700 2rem/3.5rem system-ui,sans-serif;color:{colour}}}</style>\
             <h1>{title}</h1><p>{text}</p></html>\n"
        );
        let status = if ok { "200 OK" } else { "400 Bad Request" };
        self.request.answer(Answer { status, headers: PRIVATE, kind: HTML, body: &page });
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{Ipv4Addr, TcpStream};

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
    fn more_connections_than_are_open_at_once_only_delay_a_request() {
        let mut listener = Listener::bind(None).unwrap();
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
        let _idle: Vec<_> = (0..100).map(|_| connect()).collect();
        let mut browser = connect();
        browser.write_all(b"GET /here?last HTTP/1.1\r\n\r\n").unwrap();
        let query = loop {
            if let Some(visit) = listener.visit("/here") {
                break visit.query;
            }
        };
        assert_eq!(query, "last");
        assert!(listener.0.waiting() <= 64);
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
        let port = listener.port();
        drop(listener);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }
}
