//! The sandbox portal must be as strict and as faithful as the tests that lean on it believe. Its client here is the AWS SDK, and
//! a bare socket where the SDK can't be brought to misbehave.

#![allow(clippy::disallowed_methods)] // This is the far side of the wire.
#![allow(clippy::unwrap_used, clippy::result_large_err)] // Helpers of tests; the SDK's errors are what they are.

#[path = "../support/mod.rs"]
mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sso::config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssooidc::operation::create_token::{CreateTokenError, CreateTokenOutput};
use aws_sdk_ssooidc::operation::start_device_authorization::StartDeviceAuthorizationOutput;
use support::portal::{Account, Answer, Approval, Call, Latch, Portal, Realm, SignIn};
use support::run::Home;

/// The SDK's clients of one portal, with a client registration.
struct Client {
    runtime: tokio::runtime::Runtime,
    oidc: aws_sdk_ssooidc::Client,
    sso: aws_sdk_sso::Client,
    id: String,
    secret: String,
}

macro_rules! config {
    ($sdk:ident, $portal:expr) => {
        $sdk::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .endpoint_url($portal.url())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build())
            .build()
    };
}

impl Client {
    fn unregistered(portal: &Portal) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            oidc: aws_sdk_ssooidc::Client::from_conf(config!(aws_sdk_ssooidc, portal)),
            sso: aws_sdk_sso::Client::from_conf(config!(aws_sdk_sso, portal)),
            id: "nobody".to_owned(),
            secret: "nothing".to_owned(),
        }
    }

    fn of(portal: &Portal) -> Self {
        let client = Self::unregistered(portal);
        let call = client.oidc.register_client().client_name("sandbox test").client_type("public").scopes("sso:account:access");
        let answer = client.runtime.block_on(call.send()).unwrap();
        Self { id: answer.client_id.unwrap(), secret: answer.client_secret.unwrap(), ..client }
    }

    fn start(&self, portal: &Portal) -> StartDeviceAuthorizationOutput {
        let call = self.oidc.start_device_authorization().client_id(&self.id).client_secret(&self.secret);
        self.runtime.block_on(call.start_url(portal.start_url()).send()).unwrap()
    }

    fn poll(&self, device_code: &str) -> Result<CreateTokenOutput, CreateTokenError> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let call = self.oidc.create_token().client_id(&self.id).client_secret(&self.secret).grant_type(grant);
        self.runtime.block_on(call.device_code(device_code).send()).map_err(aws_sdk_ssooidc::error::SdkError::into_service_error)
    }

    fn refresh(&self, token: &str) -> Result<CreateTokenOutput, CreateTokenError> {
        let call = self.oidc.create_token().client_id(&self.id).client_secret(&self.secret).grant_type("refresh_token");
        self.runtime.block_on(call.refresh_token(token).send()).map_err(aws_sdk_ssooidc::error::SdkError::into_service_error)
    }

    fn sign_in(&self, portal: &Portal) -> CreateTokenOutput {
        let code = self.start(portal).device_code.unwrap();
        self.poll(&code).unwrap()
    }

    /// The status of the answer, or None where there was none.
    fn role(&self, token: &str, account: &str, role: &str) -> Result<aws_sdk_sso::types::RoleCredentials, Option<u16>> {
        let call = self.sso.get_role_credentials().access_token(token).account_id(account).role_name(role);
        match self.runtime.block_on(call.send()) {
            Ok(answer) => Ok(answer.role_credentials.unwrap()),
            Err(error) => Err(error.raw_response().map(|response| response.status().as_u16())),
        }
    }
}

/// Sends bytes and reads until the portal closes.
fn raw(portal: &Portal, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(portal.url().trim_start_matches("http://"))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn get(portal: &Portal, target: &str, headers: &str) -> String {
    raw(portal, &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")).unwrap()
}

fn post(portal: &Portal, path: &str, content_type: &str, body: &str) -> String {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {content_type}\r\n");
    raw(portal, &format!("{head}content-length: {}\r\n\r\n{body}", body.len())).unwrap()
}

fn credentials(portal: &Portal, token: &str) -> String {
    let target = "/federation/credentials?role_name=ReadOnly&account_id=111122223333";
    get(portal, target, &format!("x-amz-sso_bearer_token: {token}\r\n"))
}

fn eager() -> Realm {
    Realm { interval: Duration::ZERO, ..Realm::default() }
}

#[test]
fn the_sdk_signs_in_lists_and_gets_role_credentials() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let code = client.start(&portal);
    assert_eq!(code.expires_in, 600);
    assert_eq!(code.verification_uri_complete.unwrap(), format!("{}/device?user_code={}", portal.url(), code.user_code.unwrap()));
    let token = client.poll(&code.device_code.unwrap()).unwrap();
    assert_eq!((token.expires_in, token.token_type.as_deref()), (3600, Some("Bearer")));
    let token = token.access_token.unwrap();

    let accounts = client.runtime.block_on(client.sso.list_accounts().access_token(&token).send()).unwrap();
    let names: Vec<_> = accounts.account_list().iter().map(|account| account.account_name().unwrap()).collect();
    assert_eq!(names, ["Development", "Production"]);
    let call = client.sso.list_account_roles().access_token(&token).account_id("444455556666");
    let roles = client.runtime.block_on(call.send()).unwrap();
    assert_eq!(roles.role_list()[0].role_name(), Some("Break+Glass=Now"));

    let keys = client.role(&token, "444455556666", "Break+Glass=Now").unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let left = u128::try_from(keys.expiration).unwrap() - now;
    assert!((3_000_000..=3_600_000).contains(&left), "the expiry is in milliseconds: {left} of them are left");
    let issued = &portal.issued()[0];
    assert_eq!(keys.access_key_id, Some(issued.access_key_id.clone()));
    assert_eq!(keys.secret_access_key, Some(issued.secret_access_key.clone()));
    assert_eq!(keys.session_token, Some(issued.session_token.clone()));

    let kinds: Vec<_> = portal.calls().iter().filter_map(|call| call.call).collect();
    let (register, start, poll) = (Call::RegisterClient, Call::StartDeviceAuthorization, Call::PollForToken);
    assert_eq!(kinds, [register, start, poll, Call::ListAccounts, Call::ListAccountRoles, Call::GetRoleCredentials]);
    assert_eq!(portal.calls()[5].field("role_name"), "Break+Glass=Now");
}

#[test]
fn a_device_code_waits_for_as_many_polls_as_it_was_told_and_is_then_spent() {
    let portal = Portal::live(Realm { approval: Approval::AfterPolls(2), ..eager() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).is_ok());
    assert!(client.poll(&code).unwrap_err().is_invalid_grant_exception());
}

#[test]
fn a_client_that_polls_faster_than_it_was_told_has_to_slow_down() {
    let portal = Portal::live(Realm { interval: Duration::from_hours(1), approval: Approval::ByHand, ..Realm::default() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).unwrap_err().is_slow_down_exception());
}

#[test]
fn a_person_may_refuse_and_a_code_may_be_too_old() {
    let portal = Portal::live(Realm { approval: Approval::ByHand, ..eager() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert_eq!(portal.deny(), 1);
    assert!(client.poll(&code).unwrap_err().is_access_denied_exception());
    portal.change(|realm| realm.code_life = Duration::ZERO);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_expired_token_exception());
}

#[test]
fn a_refresh_token_rotates_and_a_spent_one_is_refused() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let first = client.sign_in(&portal).refresh_token.unwrap();
    let second = client.refresh(&first).unwrap();
    assert!(client.refresh(&first).unwrap_err().is_invalid_grant_exception());
    assert!(client.refresh(&second.refresh_token.unwrap()).is_ok());
}

#[test]
fn a_refresh_token_works_only_for_the_client_that_it_was_given_to() {
    let portal = Portal::live(eager());
    let token = Client::of(&portal).sign_in(&portal).refresh_token.unwrap();
    assert!(Client::of(&portal).refresh(&token).unwrap_err().is_invalid_grant_exception());
}

#[test]
fn a_client_without_scopes_gets_no_refresh_token() {
    let portal = Portal::live(eager());
    let client = Client::unregistered(&portal);
    let call = client.oidc.register_client().client_name("sandbox test").client_type("public");
    let answer = client.runtime.block_on(call.send()).unwrap();
    let client = Client { id: answer.client_id.unwrap(), secret: answer.client_secret.unwrap(), ..client };
    assert_eq!(client.sign_in(&portal).refresh_token, None);
}

#[test]
fn an_unknown_or_expired_client_is_invalid_and_an_unknown_start_url_an_invalid_request() {
    let portal = Portal::live(Realm { registration_life: Duration::ZERO, ..eager() });
    assert!(Client::unregistered(&portal).poll("secret-x").unwrap_err().is_invalid_client_exception());
    assert!(Client::of(&portal).poll("secret-x").unwrap_err().is_invalid_client_exception());
    portal.change(|realm| realm.registration_life = Duration::from_mins(1));
    let client = Client::of(&portal);
    let call = client.oidc.start_device_authorization().client_id(&client.id).client_secret(&client.secret);
    let error = client.runtime.block_on(call.start_url("https://other.awsapps.com/start").send()).unwrap_err().into_service_error();
    assert!(error.is_invalid_request_exception());
    portal.forget_clients();
    assert!(client.poll("secret-x").unwrap_err().is_invalid_client_exception());
}

#[test]
fn signing_out_ends_the_whole_session_and_no_other() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let other = client.sign_in(&portal).access_token.unwrap();
    let first = client.sign_in(&portal);
    let second = client.refresh(&first.refresh_token.unwrap()).unwrap();
    let (old, new) = (first.access_token.unwrap(), second.access_token.unwrap());
    assert!(client.role(&old, "111122223333", "ReadOnly").is_ok(), "an access token outlives its refresh");
    client.runtime.block_on(client.sso.logout().access_token(&new).send()).unwrap();
    assert_eq!(client.role(&old, "111122223333", "ReadOnly").unwrap_err(), Some(401));
    assert!(client.refresh(&second.refresh_token.unwrap()).unwrap_err().is_invalid_grant_exception());
    assert!(client.role(&other, "111122223333", "ReadOnly").is_ok());
}

#[test]
fn an_administrator_can_kill_access_tokens_alone_or_whole_sessions() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let token = client.sign_in(&portal);
    portal.revoke_access_tokens();
    assert_eq!(client.role(&token.access_token.unwrap(), "111122223333", "ReadOnly").unwrap_err(), Some(401));
    let token = client.refresh(&token.refresh_token.unwrap()).unwrap();
    assert!(client.role(&token.access_token.unwrap(), "111122223333", "ReadOnly").is_ok());
    portal.end_sessions();
    assert!(client.refresh(&token.refresh_token.unwrap()).unwrap_err().is_invalid_grant_exception());
}

#[test]
fn a_role_that_is_not_assigned_is_forbidden_and_a_bad_account_id_invalid() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let token = client.sign_in(&portal).access_token.unwrap();
    assert_eq!(client.role(&token, "111122223333", "Nonsense").unwrap_err(), Some(403));
    assert_eq!(client.role(&token, "999999999999", "ReadOnly").unwrap_err(), Some(403));
    assert_eq!(client.role(&token, "1", "ReadOnly").unwrap_err(), Some(400));
}

#[test]
fn lists_come_in_pages_and_a_page_token_fits_its_own_list_only() {
    let portal = Portal::live(Realm { page_size: 3, ..Realm::of(7, 4) });
    let client = Client::unregistered(&portal);
    let token = portal.sign_in().access_token;
    let mut sizes = Vec::new();
    let mut next = None;
    loop {
        let call = client.sso.list_accounts().access_token(&token).max_results(100).set_next_token(next);
        let page = client.runtime.block_on(call.send()).unwrap();
        sizes.push(page.account_list().len());
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    let call = client.sso.list_account_roles().access_token(&token).account_id("000100000001").next_token("page-of-accounts-3");
    assert!(client.runtime.block_on(call.send()).unwrap_err().into_service_error().is_invalid_request_exception());
    let call = client.sso.list_accounts().access_token(&token).max_results(101);
    assert!(client.runtime.block_on(call.send()).unwrap_err().into_service_error().is_invalid_request_exception());
}

#[test]
fn an_account_may_come_without_name_and_address() {
    let portal =
        Portal::live(Realm { accounts: vec![Account { name: None, email: None, ..Account::new("1", "x", &[]) }], ..eager() });
    let client = Client::unregistered(&portal);
    let accounts = client.runtime.block_on(client.sso.list_accounts().access_token(portal.sign_in().access_token).send()).unwrap();
    assert_eq!(accounts.account_list()[0].account_name(), None);
    assert_eq!(accounts.account_list()[0].email_address(), None);
}

#[test]
fn a_sign_in_out_of_thin_air_is_as_good_as_another() {
    let portal = Portal::live(Realm::default());
    let SignIn { client_id, client_secret, access_token, refresh_token, .. } = portal.sign_in();
    let client = Client { id: client_id, secret: client_secret, ..Client::unregistered(&portal) };
    assert!(client.role(&access_token, "111122223333", "ReadOnly").is_ok());
    assert!(client.refresh(&refresh_token.unwrap()).is_ok());
}

#[test]
fn errors_have_the_body_and_the_header_of_their_service() {
    let portal = Portal::live(Realm::default());
    let body = r#"{"clientId":"a","clientSecret":"b","startUrl":"c"}"#;
    let answer = post(&portal, "/device_authorization", "application/json", body);
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.contains("x-amzn-ErrorType: InvalidClientException:http://"), "{answer}");
    assert!(answer.contains("x-amzn-RequestId: "), "{answer}");
    assert!(answer.contains(r#""error":"invalid_client","error_description":"#), "{answer}");
    let answer = credentials(&portal, "dead");
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("x-amzn-ErrorType: UnauthorizedException:http://"), "{answer}");
    assert!(answer.contains(r#""message":"Session token not found or invalid""#), "{answer}");
}

#[test]
fn everything_secret_is_recognisable_unique_recorded_and_as_long_as_in_life() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    let token = client.poll(&code).unwrap();
    let keys = client.role(token.access_token().unwrap(), "111122223333", "ReadOnly").unwrap();
    let refresh = token.refresh_token.clone().unwrap();
    let handed_out = [
        client.secret.clone(),
        code,
        token.access_token.unwrap(),
        refresh.clone(),
        keys.secret_access_key.unwrap(),
        keys.session_token.unwrap(),
    ];
    let recorded = portal.secrets();
    assert_eq!(recorded, handed_out);
    assert!(recorded.iter().all(|secret| secret.starts_with("secret-")));
    assert!(client.secret.len() + refresh.len() > 2560, "more than Windows' credential manager holds");
}

/// Each of these is wrong in one way only.
#[test]
fn a_request_that_the_service_would_not_understand_is_a_complaint() {
    let portal = Portal::live(Realm::default());
    let complaint = |request: &dyn Fn() -> String, wanted: &str| {
        request();
        let complaints = portal.take_complaints();
        assert!(complaints.len() == 1 && complaints[0].contains(wanted), "{wanted}: {complaints:?}");
    };
    let json = "application/json";
    let client = r#"{"clientName":"a","clientType":"public"}"#;
    let token = format!("x-amz-sso_bearer_token: {}\r\n", portal.sign_in().access_token);
    complaint(&|| post(&portal, "/client/register", json, r#"{"clientName":"a"}"#), "clientType is missing");
    complaint(&|| post(&portal, "/client/register", json, &client.replace('}', ",\"x\":\"1\"}")), "x is unknown");
    complaint(&|| post(&portal, "/client/register", json, &client.replace("\"a\"", "1")), "clientName has the wrong type");
    complaint(&|| post(&portal, "/client/register", "application/x-www-form-urlencoded", client), "content type");
    complaint(&|| post(&portal, "/token", json, r#"{"grantType":"password"}"#), "no such operation");
    complaint(&|| get(&portal, "/client/register", ""), "no such operation");
    complaint(&|| get(&portal, "/assignment/accounts", ""), "x-amz-sso_bearer_token");
    complaint(&|| get(&portal, "/assignment/accounts?max_results=5", &token), "max_results is unknown");
    complaint(&|| get(&portal, "/assignment/accounts", &format!("{token}authorization: AWS4-HMAC-SHA256 x\r\n")), "signed");
    complaint(&|| raw(&portal, "\0\0\0\0").unwrap(), "not HTTP");
}

#[test]
fn a_plus_that_was_not_encoded_is_a_blank() {
    let portal = Portal::live(Realm::default());
    let token = format!("x-amz-sso_bearer_token: {}\r\n", portal.sign_in().access_token);
    let ask = |role: &str| get(&portal, &format!("/federation/credentials?account_id=444455556666&role_name={role}"), &token);
    assert!(ask("Break+Glass%3DNow").starts_with("HTTP/1.1 403"));
    assert!(ask("Break%2BGlass%3dNow").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_strict_portal_complains_of_a_call_that_nobody_expected_and_of_one_that_did_not_come() {
    let portal = Portal::strict();
    portal.expect(Call::GetRoleCredentials).times(2).served();
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 200"));
    let client = Client::unregistered(&portal);
    assert!(client.runtime.block_on(client.sso.list_accounts().access_token(&token).send()).is_err());
    let failure = catch_unwind(AssertUnwindSafe(|| portal.verify())).unwrap_err();
    let failure = failure.downcast_ref::<String>().unwrap();
    assert!(failure.contains("ListAccounts was not expected; expected: GetRoleCredentials, 1 more"), "{failure}");
    assert!(failure.contains("a call did not come: GetRoleCredentials, 1 more"), "{failure}");
    assert!(failure.contains("GetRoleCredentials (GET /federation/credentials) account_id=\"111122223333\""), "{failure}");
}

#[test]
fn a_portal_that_is_dropped_with_complaints_fails_its_test() {
    let portal = Portal::strict();
    portal.expect(Call::Logout).served();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(portal))).is_err());
}

#[test]
fn in_order_means_in_order() {
    let portal = Portal::strict_in_order();
    portal.expect(Call::ListAccounts).any_number_of_times().served();
    portal.expect(Call::GetRoleCredentials).answered(Answer::status(503));
    portal.expect(Call::Logout).served();
    portal.expect(Call::GetRoleCredentials).answered(Answer::no_access());
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 503"), "a call that may come any number of times may be left out");
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 400"), "too early");
    let complaints = portal.take_complaints();
    assert!(complaints[0].contains("expected: Logout, 1 more; GetRoleCredentials, 1 more"), "{complaints:?}");
}

#[test]
fn answers_of_one_call_come_in_the_order_in_which_they_were_expected() {
    let portal = Portal::strict();
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(7));
    portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::unauthorized());
    portal.expect(Call::GetRoleCredentials).answered(Answer::not_found());
    let statuses: Vec<String> = (0..4).map(|_| credentials(&portal, "x")[9..12].to_owned()).collect();
    assert_eq!(statuses, ["429", "401", "401", "404"]);
}

#[test]
fn a_live_portal_serves_what_no_expectation_covers() {
    let portal = Portal::live(Realm::default());
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(7));
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).contains("\r\nRetry-After: 7\r\n"));
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 200"));
}

#[test]
fn every_oidc_error_reaches_the_sdk_as_the_exception_of_its_name() {
    let portal = Portal::strict();
    let client = Client::unregistered(&portal);
    let mut heard = Vec::new();
    for code in ["slow_down", "unauthorized_client", "invalid_scope", "server_error", "invalid_request", "unsupported_grant_type"] {
        portal.expect(Call::RefreshToken).answered(Answer::oidc(code));
        heard.push(client.refresh("x").unwrap_err().meta().code().unwrap().to_owned());
    }
    let wanted = [
        "SlowDownException",
        "UnauthorizedClientException",
        "InvalidScopeException",
        "InternalServerException",
        "InvalidRequestException",
        "UnsupportedGrantTypeException",
    ];
    assert_eq!(heard, wanted);
}

#[test]
fn faults_of_the_network_look_like_the_real_ones() {
    let portal = Portal::strict();
    let expect = |answer| portal.expect(Call::GetRoleCredentials).answered(answer);
    let request = "GET /federation/credentials?role_name=ReadOnly&account_id=111122223333 HTTP/1.1\r\nhost: x\r\n\
                   x-amz-sso_bearer_token: x\r\n\r\n";
    expect(Answer::reset());
    assert_eq!(raw(&portal, request).unwrap_err().kind(), ErrorKind::ConnectionReset);
    expect(Answer::garbage());
    assert!(!raw(&portal, request).unwrap().starts_with("HTTP"));
    expect(Answer::body(200, "0123456789").but_truncated());
    let answer = raw(&portal, request).unwrap();
    assert!(answer.contains("Content-Length: 10\r\n") && answer.ends_with("\r\n\r\n01234"), "{answer}");
    expect(Answer::captive_portal());
    assert!(credentials(&portal, "x").contains("Content-Type: text/html"));
    expect(Answer::redirect("http://127.0.0.1:9/hotel"));
    let answer = credentials(&portal, "x");
    assert!(answer.starts_with("HTTP/1.1 302 Found") && answer.contains("\r\nLocation: http://127.0.0.1:9/hotel\r\n"), "{answer}");
}

#[test]
fn a_portal_that_hangs_says_nothing_until_it_ends() {
    let portal = Portal::strict();
    portal.expect(Call::GetRoleCredentials).answered(Answer::hang());
    let latch = Latch::closed();
    portal.expect(Call::Logout).answered(Answer::served().after(&latch));
    let mut hung = TcpStream::connect(portal.url().trim_start_matches("http://")).unwrap();
    let target = "/federation/credentials?role_name=ReadOnly&account_id=111122223333";
    let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nx-amz-sso_bearer_token: x\r\n\r\n");
    hung.write_all(request.as_bytes()).unwrap();
    let mut held = TcpStream::connect(portal.url().trim_start_matches("http://")).unwrap();
    held.write_all(b"POST /logout HTTP/1.1\r\nhost: x\r\nx-amz-sso_bearer_token: x\r\ncontent-length: 0\r\n\r\n").unwrap();
    latch.reached_by(1);
    hung.set_nonblocking(true).unwrap();
    assert_eq!(hung.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    while portal.requests() < 2 {
        thread::yield_now();
    }
    // Neither keeps the portal from ending.
    drop(portal);
    hung.set_nonblocking(false).unwrap();
    assert_eq!(hung.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_latch_holds_requests_until_the_test_lets_them_go() {
    let portal = Portal::live(Realm::default());
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).times(3).answered(Answer::served().after(&latch));
    let token = portal.sign_in().access_token;
    thread::scope(|scope| {
        let asking: Vec<_> = (0..3).map(|_| scope.spawn(|| credentials(&portal, &token))).collect();
        latch.reached_by(3);
        assert_eq!(portal.issued(), [], "what the service does, it does when the latch opens");
        latch.open();
        assert!(asking.into_iter().all(|thread| thread.join().unwrap().starts_with("HTTP/1.1 200")));
    });
    assert_eq!(portal.issued().len(), 3);
}

#[test]
fn an_answer_may_be_lost_after_the_service_did_its_part() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    let token = client.sign_in(&portal).refresh_token.unwrap();
    portal.expect(Call::RefreshToken).answered(Answer::served().but_lost());
    assert!(client.refresh(&token).unwrap_err().meta().code().is_none());
    assert!(client.refresh(&token).unwrap_err().is_invalid_grant_exception(), "it is spent");
}

#[test]
fn an_answer_may_be_edited() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    portal.expect(Call::PollForToken).answered(Answer::served().edited(|json| {
        json.as_object_mut().unwrap().remove("refreshToken");
    }));
    let token = client.sign_in(&portal);
    assert_eq!(token.refresh_token, None);
    // An error whose name is in the header alone.
    let answer = Answer::body(400, "").with_header("x-amzn-ErrorType", "ResourceNotFoundException:http://x/");
    portal.expect(Call::ListAccounts).answered(answer);
    let call = client.sso.list_accounts().access_token(token.access_token.unwrap());
    assert!(client.runtime.block_on(call.send()).unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let portal = Portal::live(eager());
    let client = Client::of(&portal);
    client.start(&portal);
    let connections: Vec<usize> = portal.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections[0], connections[1]);
    // Two requests in one packet are two requests.
    let one = "GET /assignment/accounts HTTP/1.1\r\nhost: x\r\nx-amz-sso_bearer_token: x\r\n";
    let answers = raw(&portal, &format!("{one}\r\n{one}connection: close\r\n\r\n")).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 401").count(), 2);
}

#[test]
fn a_person_approves_on_the_page_that_the_portal_serves() {
    let portal = Portal::live(Realm { approval: Approval::ByHand, ..eager() });
    let client = Client::of(&portal);
    let code = client.start(&portal);
    let (device_code, user_code) = (code.device_code.unwrap(), code.user_code.unwrap());
    let page = get(&portal, &format!("/device?user_code={user_code}"), "");
    assert!(page.contains(&user_code) && page.contains("Development, Production") && page.contains("value=allow"), "{page}");
    assert!(client.poll(&device_code).unwrap_err().is_authorization_pending_exception(), "to look is not to allow");
    let form = "application/x-www-form-urlencoded";
    assert!(post(&portal, "/device", form, "user_code=XXXX-0000&decision=allow").contains("unknown"));
    assert!(post(&portal, "/device", form, &format!("user_code={user_code}&decision=allow")).contains("Request approved"));
    assert!(client.poll(&device_code).is_ok());
    assert_eq!(portal.visits(), 1);
    assert!(!get(&portal, "/device?user_code=%3Cscript%3E", "").to_lowercase().contains("<script>"));
}

#[test]
fn a_browser_that_opens_the_page_may_be_approval_enough() {
    let portal = Portal::live(Realm { approval: Approval::OnVisit, ..eager() });
    let client = Client::of(&portal);
    let code = client.start(&portal);
    let device_code = code.device_code.unwrap();
    assert!(client.poll(&device_code).unwrap_err().is_authorization_pending_exception());
    get(&portal, code.verification_uri_complete.unwrap().trim_start_matches(&portal.url()), "");
    assert!(client.poll(&device_code).is_ok());
}

/// The message with which a run fails.
fn failure(run: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(run)).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn a_run_fails_for_output_that_nobody_mentioned_for_another_status_and_for_another_file() {
    let home = Home::new();
    let sh = |script: &str| home.program("sh").args(["-c", script]);
    sh("true").go();
    assert!(failure(|| drop(sh("echo hello").go())).contains("standard output should be exactly"));
    assert!(failure(|| drop(sh("echo hello >&2").go())).contains("standard error should be exactly"));
    assert!(failure(|| drop(sh("exit 3").go())).contains("the status should be 0, and is exit status: 3"));
    assert!(failure(|| drop(sh("echo one").stdout_has("one").stdout_has("two").go())).contains("standard output should hold: two"));
    assert!(failure(|| drop(sh("echo b >f").leaves("f", "a\n").go())).contains("f should be exactly"));
    sh("cat; echo $HOME; echo no >&2; echo b >f; exit 3")
        .stdin("typed\n")
        .stdout("typed\n[HOME]\n")
        .stderr("no\n")
        .leaves("f", "b\n")
        .status(3)
        .go();
}

#[test]
fn a_run_sees_no_variable_but_those_of_its_home() {
    let portal = Portal::live(Realm::default());
    let home = Home::new().at(&portal).with("MINE", "1");
    let shown = home.program("env").any_output().go().stdout;
    let mut names: Vec<&str> = shown.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| *name != "LLVM_PROFILE_FILE");
    names.sort_unstable();
    let services = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "DAYPASS_KEYRING", "HOME", "MINE", "PATH"];
    assert_eq!(names, [&services[..], &["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]].concat());
}

#[test]
fn a_run_that_hangs_is_killed_with_all_that_it_started() {
    let home = Home::new();
    let message = failure(|| {
        home.program("sh").args(["-c", "sleep 1000 & exec sleep 1000"]).limit(Duration::from_millis(200)).go();
    });
    assert!(message.contains("it hung"), "{message}");
}

#[test]
fn a_running_program_can_be_listened_to_and_killed() {
    let home = Home::new();
    let talker = || home.program("sh").args(["-c", "echo one >&2; read line; echo two >&2"]).stdin_open().spawn();
    let running = talker();
    assert!(running.says("one").contains("one"));
    running.kill();
    assert!(failure(|| drop(home.program("true").spawn().says("one"))).contains("never said"));
}

#[test]
fn a_secret_in_a_file_of_the_home_is_found() {
    let home = Home::new();
    home.write("data/deep/down", "xx secret-1 yy");
    assert_eq!(home.files_with("secret-"), [home.path("data/deep/down")]);
    assert_eq!(home.files_with("secret-2"), Vec::<std::path::PathBuf>::new());
}
