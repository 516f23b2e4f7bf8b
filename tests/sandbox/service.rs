//! The rules of the service: registrations, codes, tokens, sessions, roles, lists and errors.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::portal::{Account, Approval, Call, Portal, PortalConfig, SignIn};
use crate::{Client, credentials, fast_polling, get, post, raw};

#[test]
fn the_sdk_signs_in_lists_and_gets_role_credentials() {
    let portal = Portal::live(fast_polling());
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
    assert!((3_000_000..=3_600_000).contains(&left), "the expiry is in milliseconds; {left} are left");
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
fn a_device_code_is_approved_after_the_configured_polls_and_works_once() {
    let portal = Portal::live(PortalConfig { approval: Approval::AfterPolls(2), ..fast_polling() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).is_ok());
    assert!(client.poll(&code).unwrap_err().is_invalid_grant_exception());
}

#[test]
fn polling_faster_than_the_interval_gets_slow_down() {
    let portal =
        Portal::live(PortalConfig { interval: Duration::from_hours(1), approval: Approval::ByHand, ..PortalConfig::default() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_authorization_pending_exception());
    assert!(client.poll(&code).unwrap_err().is_slow_down_exception());
}

#[test]
fn denied_and_expired_device_codes_are_refused() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..fast_polling() });
    let client = Client::of(&portal);
    let code = client.start(&portal).device_code.unwrap();
    assert_eq!(portal.deny(), 1);
    assert!(client.poll(&code).unwrap_err().is_access_denied_exception());
    portal.change(|config| config.code_ttl = Duration::ZERO);
    let code = client.start(&portal).device_code.unwrap();
    assert!(client.poll(&code).unwrap_err().is_expired_token_exception());
}

#[test]
fn a_refresh_token_rotates_and_the_old_one_is_refused() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    let first = client.sign_in(&portal).refresh_token.unwrap();
    let second = client.refresh(&first).unwrap();
    assert!(client.refresh(&first).unwrap_err().is_invalid_grant_exception());
    assert!(client.refresh(&second.refresh_token.unwrap()).is_ok());
}

#[test]
fn a_refresh_token_works_only_for_its_client() {
    let portal = Portal::live(fast_polling());
    let token = Client::of(&portal).sign_in(&portal).refresh_token.unwrap();
    assert!(Client::of(&portal).refresh(&token).unwrap_err().is_invalid_grant_exception());
}

#[test]
fn a_client_without_scopes_gets_no_refresh_token() {
    let portal = Portal::live(fast_polling());
    let client = Client::unregistered(&portal);
    let call = client.oidc.register_client().client_name("sandbox test").client_type("public");
    let answer = client.runtime.block_on(call.send()).unwrap();
    let client = Client { id: answer.client_id.unwrap(), secret: answer.client_secret.unwrap(), ..client };
    assert_eq!(client.sign_in(&portal).refresh_token, None);
}

#[test]
fn an_unknown_client_is_invalid_client_and_an_unknown_start_url_invalid_request() {
    let portal = Portal::live(PortalConfig { registration_ttl: Duration::ZERO, ..fast_polling() });
    assert!(Client::unregistered(&portal).poll("secret-x").unwrap_err().is_invalid_client_exception());
    assert!(Client::of(&portal).poll("secret-x").unwrap_err().is_invalid_client_exception());
    portal.change(|config| config.registration_ttl = Duration::from_mins(1));
    let client = Client::of(&portal);
    let call = client.oidc.start_device_authorization().client_id(&client.id).client_secret(&client.secret);
    let error = client.runtime.block_on(call.start_url("https://other.awsapps.com/start").send()).unwrap_err().into_service_error();
    assert!(error.is_invalid_request_exception());
    portal.forget_clients();
    assert!(client.poll("secret-x").unwrap_err().is_invalid_client_exception());
}

#[test]
fn logout_ends_its_whole_session_and_no_other() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    let other = client.sign_in(&portal).access_token.unwrap();
    let first = client.sign_in(&portal);
    let second = client.refresh(&first.refresh_token.unwrap()).unwrap();
    let (old, new) = (first.access_token.unwrap(), second.access_token.unwrap());
    assert!(client.role(&old, "111122223333", "ReadOnly").is_ok(), "an access token stays valid after a refresh");
    client.runtime.block_on(client.sso.logout().access_token(&new).send()).unwrap();
    assert_eq!(client.role(&old, "111122223333", "ReadOnly").unwrap_err(), Some(401));
    assert!(client.refresh(&second.refresh_token.unwrap()).unwrap_err().is_invalid_grant_exception());
    assert!(client.role(&other, "111122223333", "ReadOnly").is_ok());
}

#[test]
fn access_tokens_and_whole_sessions_can_be_revoked() {
    let portal = Portal::live(fast_polling());
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
fn an_unassigned_role_is_forbidden_and_a_malformed_account_id_invalid() {
    let portal = Portal::live(fast_polling());
    let client = Client::of(&portal);
    let token = client.sign_in(&portal).access_token.unwrap();
    assert_eq!(client.role(&token, "111122223333", "Nonsense").unwrap_err(), Some(403));
    assert_eq!(client.role(&token, "999999999999", "ReadOnly").unwrap_err(), Some(403));
    assert_eq!(client.role(&token, "1", "ReadOnly").unwrap_err(), Some(400));
}

#[test]
fn lists_are_paged_and_a_page_token_is_valid_only_for_its_list() {
    let portal = Portal::live(PortalConfig { page_size: 3, ..PortalConfig::of(7, 4) });
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
fn an_account_may_lack_name_and_email() {
    let portal = Portal::live(PortalConfig {
        accounts: vec![Account { name: None, email: None, ..Account::new("1", "x", &[]) }],
        ..fast_polling()
    });
    let client = Client::unregistered(&portal);
    let accounts = client.runtime.block_on(client.sso.list_accounts().access_token(portal.sign_in().access_token).send()).unwrap();
    assert_eq!(accounts.account_list()[0].account_name(), None);
    assert_eq!(accounts.account_list()[0].email_address(), None);
}

#[test]
fn a_sign_in_made_by_the_test_works_like_any_other() {
    let portal = Portal::live(PortalConfig::default());
    let SignIn { client_id, client_secret, access_token, refresh_token, .. } = portal.sign_in();
    let client = Client { id: client_id, secret: client_secret, ..Client::unregistered(&portal) };
    assert!(client.role(&access_token, "111122223333", "ReadOnly").is_ok());
    assert!(client.refresh(&refresh_token.unwrap()).is_ok());
}

#[test]
fn errors_have_the_body_and_the_header_of_their_service() {
    let portal = Portal::live(PortalConfig::default());
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
fn secrets_are_recognisable_unique_recorded_and_of_realistic_length() {
    let portal = Portal::live(fast_polling());
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
    assert!(client.secret.len() + refresh.len() > 2560, "more than fits in the Windows Credential Manager");
}

/// Each request has exactly one error.
#[test]
fn a_malformed_request_is_a_complaint() {
    let portal = Portal::live(PortalConfig::default());
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
fn an_unencoded_plus_is_read_as_a_space() {
    let portal = Portal::live(PortalConfig::default());
    let token = format!("x-amz-sso_bearer_token: {}\r\n", portal.sign_in().access_token);
    let ask = |role: &str| get(&portal, &format!("/federation/credentials?account_id=444455556666&role_name={role}"), &token);
    assert!(ask("Break+Glass%3DNow").starts_with("HTTP/1.1 403"));
    assert!(ask("Break%2BGlass%3dNow").starts_with("HTTP/1.1 200"));
}
