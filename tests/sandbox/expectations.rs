//! Expected calls, answers that a test chooses, and latches.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::{Client, credentials, fast_polling, raw};

#[test]
fn a_strict_portal_reports_unexpected_and_missing_calls() {
    let portal = Portal::strict();
    portal.expect(Call::GetRoleCredentials).times(2).served();
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 200"));
    let client = Client::unregistered(&portal);
    assert!(client.runtime.block_on(client.sso.list_accounts().access_token(&token).send()).is_err());
    let failure = catch_unwind(AssertUnwindSafe(|| portal.verify())).unwrap_err();
    let failure = failure.downcast_ref::<String>().unwrap();
    assert!(failure.contains("ListAccounts was not expected; expected: GetRoleCredentials, 1 more"), "{failure}");
    assert!(failure.contains("a call did not arrive: GetRoleCredentials, 1 more"), "{failure}");
    assert!(failure.contains("GetRoleCredentials (GET /federation/credentials) account_id=\"111122223333\""), "{failure}");
}

#[test]
fn dropping_a_portal_with_complaints_fails_the_test() {
    let portal = Portal::strict();
    portal.expect(Call::Logout).served();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(portal))).is_err());
}

#[test]
fn strict_in_order_rejects_a_call_out_of_order() {
    let portal = Portal::strict_in_order();
    portal.expect(Call::ListAccounts).any_number_of_times().served();
    portal.expect(Call::GetRoleCredentials).answered(Answer::status(503));
    portal.expect(Call::Logout).served();
    portal.expect(Call::GetRoleCredentials).answered(Answer::no_access());
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 503"), "an expectation of any number of calls may be skipped");
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 400"), "out of order");
    let complaints = portal.take_complaints();
    assert!(complaints[0].contains("expected: Logout, 1 more; GetRoleCredentials, 1 more"), "{complaints:?}");
}

#[test]
fn answers_to_one_call_come_in_the_order_of_the_expectations() {
    let portal = Portal::strict();
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(7));
    portal.expect(Call::GetRoleCredentials).times(2).answered(Answer::unauthorized());
    portal.expect(Call::GetRoleCredentials).answered(Answer::not_found());
    let statuses: Vec<String> = (0..4).map(|_| credentials(&portal, "x")[9..12].to_owned()).collect();
    assert_eq!(statuses, ["429", "401", "401", "404"]);
}

#[test]
fn a_live_portal_serves_calls_without_an_expectation() {
    let portal = Portal::live(PortalConfig::default());
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(7));
    let token = portal.sign_in().access_token;
    assert!(credentials(&portal, &token).contains("\r\nRetry-After: 7\r\n"));
    assert!(credentials(&portal, &token).starts_with("HTTP/1.1 200"));
}

#[test]
fn the_sdk_maps_every_oidc_error_to_its_exception() {
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
fn simulated_network_faults_look_like_real_ones() {
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
fn a_hanging_answer_sends_nothing_until_the_portal_is_dropped() {
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
    latch.wait_for_requests(1);
    hung.set_nonblocking(true).unwrap();
    assert_eq!(hung.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    while portal.requests() < 2 {
        thread::yield_now();
    }
    // Neither prevents the portal from stopping.
    drop(portal);
    hung.set_nonblocking(false).unwrap();
    assert_eq!(hung.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_latch_holds_requests_until_the_test_opens_it() {
    let portal = Portal::live(PortalConfig::default());
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).times(3).answered(Answer::served().after(&latch));
    let token = portal.sign_in().access_token;
    thread::scope(|scope| {
        let asking: Vec<_> = (0..3).map(|_| scope.spawn(|| credentials(&portal, &token))).collect();
        latch.wait_for_requests(3);
        assert_eq!(portal.issued(), [], "the call takes effect when the latch opens");
        latch.open();
        assert!(asking.into_iter().all(|thread| thread.join().unwrap().starts_with("HTTP/1.1 200")));
    });
    assert_eq!(portal.issued().len(), 3);
}

#[test]
fn a_lost_answer_still_has_its_effect_on_the_service() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    let token = client.sign_in(&portal).refresh_token.unwrap();
    portal.expect(Call::RefreshToken).answered(Answer::served().but_lost());
    assert!(client.refresh(&token).unwrap_err().meta().code().is_none());
    assert!(client.refresh(&token).unwrap_err().is_invalid_grant_exception(), "it was replaced");
}

#[test]
fn a_test_can_edit_an_answer() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    portal.expect(Call::PollForToken).answered(Answer::served().edited(|json| {
        json.as_object_mut().unwrap().remove("refreshToken");
    }));
    let token = client.sign_in(&portal);
    assert_eq!(token.refresh_token, None);
    // An error with its name only in the header.
    let answer = Answer::body(400, "").with_header("x-amzn-ErrorType", "ResourceNotFoundException:http://x/");
    portal.expect(Call::ListAccounts).answered(answer);
    let call = client.sso.list_accounts().access_token(token.access_token.unwrap());
    assert!(client.runtime.block_on(call.send()).unwrap_err().into_service_error().is_resource_not_found_exception());
}

#[test]
fn connections_are_kept_alive() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    client.start(&portal);
    let connections: Vec<usize> = portal.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections[0], connections[1]);
    // Two requests may arrive in one packet.
    let one = "GET /assignment/accounts HTTP/1.1\r\nhost: x\r\nx-amz-sso_bearer_token: x\r\n";
    let answers = raw(&portal, &format!("{one}\r\n{one}connection: close\r\n\r\n")).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 401").count(), 2);
}
