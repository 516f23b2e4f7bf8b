//! Proxies, TLS and name lookup: what is not retried, and what the error says.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::signed_in;
use crate::support::portal::{Call, Portal, PortalConfig};
use crate::support::run::Home;

const ASK: &str = "credential-process --session corp --account 111122223333 --role DeveloperAccess";

/// A server on the loopback interface. Its thread ends with the test program.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(serve: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                serve(stream);
            }
        });
        Self { port, connections }
    }

    /// Gives every request this answer.
    fn answering(answer: &'static str) -> Self {
        Self::start(move |mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
}

/// A home that is signed in; the portal's address is unset, so that AWS's own hosts are called.
fn without_portal() -> (Portal, Home) {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).without("AWS_ENDPOINT_URL_SSO").without("AWS_ENDPOINT_URL_SSO_OIDC");
    (portal, home)
}

#[test]
fn a_proxy_that_requires_authentication_is_asked_once() {
    let proxy = Server::answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let (_portal, home) = without_portal();
    let address = format!("http://me:hidden@127.0.0.1:{}", proxy.port);
    let server = format!(
        "daypass: can't reach portal.sso.us-east-1.amazonaws.com:443 through the proxy http://127.0.0.1:{} (HTTPS_PROXY): the proxy \
         requires authentication (HTTP 407)\nhint: put the user name and password",
        proxy.port
    );
    let done = home.daypass(ASK).with("HTTPS_PROXY", &address).stderr_has(&server).status(6).go();
    assert!(!done.stderr.contains("hidden"), "{done}");
    assert_eq!(proxy.connections(), 1);
    home.daypass("list corp").with("HTTPS_PROXY", &address).stderr_has("HTTP 407").status(6).go();
    assert_eq!(proxy.connections(), 2);
    home.daypass("login corp --force --flow device --no-browser")
        .with("HTTPS_PROXY", &address)
        .stderr_has("HTTP 407")
        .status(6)
        .go();
    assert_eq!(proxy.connections(), 3);
}

#[test]
fn loopback_is_called_without_a_proxy() {
    let proxy = Server::answering("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    let portal = Portal::live(PortalConfig::default());
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let vars = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let home = vars.iter().fold(signed_in(&portal), |home, name| home.with(name, &address));
    home.daypass(ASK).stdout_has("111122223333").go();
    let localhost = portal.url().replace("127.0.0.1", "localhost");
    home.daypass("list corp").with("AWS_ENDPOINT_URL_SSO", localhost).stdout_has("DeveloperAccess").go();
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn an_unsupported_or_malformed_proxy_is_a_usage_error() {
    let (_portal, home) = without_portal();
    for bad in ["socks5://me:hidden@127.0.0.1:9", "http://me:hidden@127.0.0.1:99999", "http://"] {
        let done = home.daypass(ASK).with("HTTPS_PROXY", bad).stderr_has("daypass: HTTPS_PROXY ").status(2).go();
        assert!(!done.stderr.contains("hidden"), "{done}");
    }
}

/// A TLS server for `localhost` with a certificate of its own, which is valid from this year on, and that certificate as PEM.
fn tls_server(first_year: i32) -> (Server, String) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(first_year, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(first_year + 100, 1, 1);
    let certificate = parameters.self_signed(&key).unwrap();
    let pem = pem(certificate.der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap());
    let server = Server::start(move |stream| {
        let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let mut chunk = [0; 4096];
        if tls.read(&mut chunk).is_ok_and(|read| read > 0) {
            let _ = tls.write_all(b"HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: ForbiddenException\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (server, pem)
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", aws_smithy_types::base64::encode(der))
}

#[test]
fn an_untrusted_certificate_is_not_retried_and_the_hint_names_the_ca_bundle() {
    let (server, pem) = tls_server(2020);
    let (_portal, home) = without_portal();
    let address = format!("https://localhost:{}", server.port);
    home.daypass(ASK)
        .with("AWS_ENDPOINT_URL_SSO", &address)
        .stderr_has(&format!(
            "can't reach localhost:{} (AWS_ENDPOINT_URL_SSO): the issuer of its certificate is not trusted\nhint: set AWS_CA_BUNDLE to a PEM file",
            server.port
        ))
        .status(6)
        .go();
    assert_eq!(server.connections(), 1);
    home.write("ca.pem", &pem);
    home.daypass(ASK)
        .with("AWS_ENDPOINT_URL_SSO", &address)
        .with("AWS_CA_BUNDLE", home.path("ca.pem"))
        .stderr_has("the portal refuses role")
        .status(4)
        .go();
}

#[test]
fn a_certificate_that_is_not_valid_yet_points_to_the_clock() {
    let (server, pem) = tls_server(2100);
    let (_portal, home) = without_portal();
    home.write("ca.pem", &pem);
    home.daypass(ASK)
        .with("AWS_ENDPOINT_URL_SSO", format!("https://localhost:{}", server.port))
        .with("AWS_CA_BUNDLE", home.path("ca.pem"))
        .stderr_has("its certificate is not valid yet by this machine's clock\nhint: sudo timedatectl set-ntp true")
        .status(6)
        .go();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_region_that_does_not_exist_is_a_usage_error_with_the_nearest_one() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal).without("AWS_ENDPOINT_URL_SSO").without("AWS_ENDPOINT_URL_SSO_OIDC");
    home.write(".aws/config", &home.read(".aws/config").replace("us-east-1", "us-esat-1"));
    home.daypass("login corp --no-browser")
        .stderr_has("oidc.us-esat-1.amazonaws.com:443 does not exist")
        .stderr_has("\nhint: daypass configure --session corp --sso-region us-east-1 --session-only\n")
        .status(2)
        .go();
    home.daypass("configure --session corp --session-only --sso-region us-east-1").any_stderr().go();
    assert!(home.read(".aws/config").contains("sso_region = us-east-1"));
    home.daypass("login --start-url https://corp.awsapps.com/start --sso-region us-esat-1 --no-browser")
        .stderr_has("\nhint: daypass login --start-url https://corp.awsapps.com/start --sso-region us-east-1 --no-browser\n")
        .status(2)
        .go();
}

#[test]
fn an_answer_that_never_ends_is_cut_off() {
    let server = Server::start(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
        while stream.write_all(&vec![b' '; 65536]).is_ok() {}
    });
    let (_portal, home) = without_portal();
    home.daypass(ASK)
        .with("AWS_ENDPOINT_URL_SSO", format!("http://127.0.0.1:{}", server.port))
        .stderr_has(&format!("127.0.0.1:{} returned more than 1048576 bytes", server.port))
        .status(6)
        .go();
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_throttled_call_says_how_long_the_service_asks_to_wait() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(crate::support::portal::Answer::throttled(3600));
    home.daypass(ASK).stderr_has("asks to wait 3600 s").status(6).go();
}
