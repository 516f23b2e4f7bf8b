//! Answers any request for the callback page: nothing panics, nothing blocks, and only the right state gives a code.
#![no_main]

use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, TcpStream};

use daypass::broker::pkce::{AuthorizationRequest, Callback};
use daypass::sys::listener::Listener;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let request = AuthorizationRequest::new().expect("random numbers");
    if let Ok(query) = std::str::from_utf8(data) {
        assert!(matches!(request.read(query), Callback::Unrelated), "a state that nobody knows");
        let address = request.address("https://oidc.example/authorize", "client", "http://127.0.0.1/callback", &[]);
        let state = address.split('&').find(|pair| pair.starts_with("state=")).expect("a state");
        let _ = request.read(&format!("{state}&{query}"));
    }
    let mut listener = Listener::bind(None).expect("a free port");
    let mut browser = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).expect("the listener accepts");
    let _ = browser.write_all(data).and_then(|()| browser.shutdown(Shutdown::Write));
    for _ in 0..3 {
        if let Some(visit) = listener.visit("/callback") {
            let query = visit.query.clone();
            assert!(matches!(request.read(&query), Callback::Unrelated));
            visit.answer(false, &query, &query);
        }
    }
});
