//! A headless Chromium, driven through chromedriver by the W3C's `WebDriver` protocol: JSON over HTTP on the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_smithy_types::base64;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The name of an element in answers (`WebDriver` §11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a page may take to show what is expected.
const LIMIT: Duration = Duration::from_secs(20);

/// A browser with one tab. Dropping it ends the browser.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Removed after the browser has ended.
    profile: TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let how = "this test needs Chromium and chromedriver: apt-get install chromium chromium-driver";
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect(how);
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split("started successfully on port ").nth(1)?.trim_end_matches('.').parse().ok());
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, port: port.expect(how), session: String::new(), profile };
        // Root may only run it without its sandbox. In containers /dev/shm is too small.
        let arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=700,600"];
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let arguments: Vec<&str> = arguments.into_iter().chain([&*profile]).collect();
        let capabilities = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } } });
        let started = browser.call("POST", "/session", &capabilities);
        browser.session = started["sessionId"].as_str().map_or_else(|| panic!("{how}\n{started}"), str::to_owned);
        browser
    }

    pub fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Waits until the heading of the page is this one.
    #[track_caller]
    pub fn shows(&self, heading: &str) {
        let start = Instant::now();
        loop {
            let found = self.text("h1");
            if found.as_deref() == Some(heading) {
                return;
            }
            assert!(start.elapsed() < LIMIT, "the page should show \"{heading}\", and shows {found:?}");
        }
    }

    /// The text of the first element that matches this selector.
    pub fn text(&self, selector: &str) -> Option<String> {
        let element = self.element(selector)?;
        Some(self.call("GET", &format!("/session/{}/element/{element}/text", self.session), &Value::Null).as_str()?.to_owned())
    }

    pub fn click(&self, selector: &str) {
        let element = self.element(selector).unwrap_or_else(|| panic!("no {selector} on the page"));
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Opens an empty tab and closes the one before.
    pub fn close_tab(&self) {
        let new = self.post("/window/new", &json!({ "type": "tab" }));
        self.call("DELETE", &format!("/session/{}/window", self.session), &Value::Null);
        self.post("/window", &json!({ "handle": new["handle"] }));
    }

    /// Lets pages choose their dark or light form.
    pub fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.post("/goog/cdp/execute", &json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } }));
    }

    /// A picture of the page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let encoded = self.call("GET", &format!("/session/{}/screenshot", self.session), &Value::Null);
        base64::decode(encoded.as_str().unwrap()).unwrap()
    }

    /// The colours of the page's background and text as the browser has computed them.
    pub fn colours(&self) -> (String, String) {
        let script = "const of = element => getComputedStyle(element); const canvas = document.createElement('div'); \
                      canvas.style.color = 'Canvas'; document.body.append(canvas); const back = of(canvas).color; canvas.remove(); \
                      return [back, of(document.querySelector('h1')).color]";
        let found = self.post("/execute/sync", &json!({ "script": script, "args": [] }));
        (found[0].as_str().unwrap().to_owned(), found[1].as_str().unwrap().to_owned())
    }

    fn element(&self, selector: &str) -> Option<String> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        Some(found[ELEMENT].as_str()?.to_owned())
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// The `value` of the answer, which describes the error if there was one.
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line).unwrap();
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().unwrap(),
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut text = vec![0; length];
        answer.read_exact(&mut text).unwrap();
        serde_json::from_slice::<Value>(&text).unwrap()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.call("DELETE", &format!("/session/{}", self.session), &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
