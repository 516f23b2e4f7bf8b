//! The part of HTTP/1.1 that the portal needs.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// A complete request.
pub struct Request {
    pub method: String,
    pub path: String,
    /// Decoded as a form, where a raw `+` is a space. This detects clients that do not encode a `+`.
    pub query: Vec<(String, String)>,
    /// With lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the client wants the connection to be closed after the response.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// A response. `to_bytes` returns head and body, so that one write sends both.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type".to_owned(), content_type.to_owned())], body: body.into() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string()).with("x-amzn-RequestId", &request_id())
    }

    pub fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Changes a JSON body. Any other body is left alone.
    pub fn edit(&mut self, edit: &dyn Fn(&mut Value)) {
        if let Ok(mut value) = serde_json::from_slice(&self.body) {
            edit(&mut value);
            self.body = value.to_string().into_bytes();
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            302 => "Found",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            429 => "Too Many Requests",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            _ => "Unknown",
        };
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
        let head = format!("HTTP/1.1 {} {reason}\r\n{headers}Content-Length: {}\r\n\r\n", self.status, self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

/// A request ID in UUID form, like the service's.
pub(super) fn request_id() -> String {
    let id = format!("{:032x}", fastrand::u128(..));
    [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-")
}

/// Reads the next request. Bytes that follow it stay in `unread`. Returns None if the client closed the connection between two
/// requests.
///
/// # Errors
/// Those of the connection; `InvalidData` for a malformed request.
pub fn read(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some((request, length)) = parse(unread)? {
            unread.drain(..length);
            return Ok(Some(request));
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk)? {
            0 if unread.is_empty() => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => unread.extend(chunk.iter().take(n)),
        }
    }
}

/// Returns the request at the start of these bytes and its length, or None if it is incomplete.
fn parse(bytes: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head_length) = head.parse(bytes).map_err(|error| bad(&error.to_string()))? else {
        return Ok(None);
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if header("transfer-encoding").is_some() {
        return Err(bad("a chunked body; the service's clients send its length"));
    }
    let length = header("content-length").map_or(Ok(0), str::parse::<usize>).map_err(|_| bad("content-length is not a number"))?;
    let Some(body) = bytes.get(head_length..).and_then(|rest| rest.get(..length)) else { return Ok(None) };
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: form(query),
        headers: headers.clone(),
        body: body.to_owned(),
    };
    Ok(Some((request, head_length + length)))
}

/// Decodes a form: `a=b&c=d`.
pub fn form(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&hex, 16).unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Closes the connection with RST instead of FIN: "connection reset by peer".
pub fn reset(stream: TcpStream) -> io::Result<()> {
    socket2::Socket::from(stream).set_linger(Some(Duration::ZERO))
}
