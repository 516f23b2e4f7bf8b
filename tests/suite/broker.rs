//! Tokens and role credentials: refreshed, fetched, refused.

use std::time::Duration;

use crate::support::portal::{Answer, Call, Portal, PortalConfig};
use crate::{configured, make_stale, signed_in};

const ASK: &str = "credential-process --profile dev";

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

#[test]
fn an_expired_token_is_refreshed_and_the_rotated_one_is_kept() {
    let portal =
        Portal::live(PortalConfig { token_ttl: Duration::ZERO, role_ttl: Duration::from_secs(1), ..PortalConfig::default() });
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    portal.change(|config| config.token_ttl = minutes(60));
    home.daypass("credential-process --session corp --account 111122223333 --role ReadOnly").any_output().go();
    home.daypass("credential-process --session corp --account 444455556666 --role ReadOnly").any_output().go();
    // Each refresh used the refresh token of the previous one. The portal would have refused any other.
    assert_eq!(portal.count(Call::RefreshToken), 2);
}

#[test]
fn a_token_about_to_expire_is_still_used_if_its_refresh_fails() {
    let portal = Portal::live(PortalConfig { token_ttl: minutes(4), ..PortalConfig::default() });
    let home = signed_in(&portal);
    portal.expect(Call::RefreshToken).any_number_of_times().answered(Answer::status(500));
    home.daypass(ASK).stdout_has("111122223333").go();
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
    let home = signed_in(&portal);
    portal.expect(Call::RefreshToken).answered(Answer::served().edited(|answer| {
        answer.as_object_mut().unwrap().remove("refreshToken");
    }));
    home.daypass(ASK).any_output().go();
    // The portal did rotate, so it refuses the old token. This shows that the old token was tried.
    home.daypass("credential-process --session corp --account 111122223333 --role ReadOnly").any_stderr().status(3).go();
    assert_eq!(portal.count(Call::RefreshToken), 2);
}

#[test]
fn an_invalid_refresh_token_requires_a_sign_in_and_is_not_tried_again() {
    let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
    let home = signed_in(&portal);
    portal.end_sessions();
    home.daypass(ASK).stderr_has("daypass: not signed in to corp").stderr_has("\nhint: daypass login corp\n").status(3).go();
    home.daypass(ASK).any_stderr().status(3).go();
    assert_eq!(portal.count(Call::RefreshToken), 1);
}

#[test]
fn network_errors_do_not_lose_the_sign_in() {
    let portal = Portal::live(PortalConfig { token_ttl: Duration::ZERO, ..PortalConfig::default() });
    let home = signed_in(&portal);
    portal.expect(Call::RefreshToken).times(5).answered(Answer::reset());
    home.daypass(ASK).stderr_has("can't reach 127.0.0.1:").status(6).go();
    home.daypass(ASK).stdout_has("111122223333").go();
}

#[test]
fn a_revoked_access_token_is_refreshed_once() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.revoke_access_tokens();
    home.daypass(ASK).stdout_has("111122223333").go();
    assert_eq!(portal.count(Call::RefreshToken), 1);
    assert_eq!(portal.count(Call::GetRoleCredentials), 2);
}

#[test]
fn a_revoked_session_ends_with_3_and_the_next_call_makes_no_request() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.end_sessions();
    home.daypass(ASK).any_stderr().status(3).go();
    let before = portal.requests();
    home.daypass(ASK).any_stderr().status(3).go();
    assert_eq!(portal.requests(), before);
}

#[test]
fn an_unassigned_role_ends_with_4_and_is_remembered_until_the_next_sign_in() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("credential-process --session corp --account 111122223333 --role Nobody")
        .stderr_has("daypass: the portal refuses role Nobody in account 111122223333")
        .stderr_has("\nhint: daypass list corp\n")
        .status(4)
        .go();
    // Some SDKs run a failing helper twice in a row. The second run makes no request.
    for _ in 0..2 {
        home.daypass("credential-process --session corp --account 111122223333 --role Nobody").any_stderr().status(4).go();
    }
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
    // Signing in clears that.
    home.daypass("login corp --force --no-browser").any_stderr().go();
    home.daypass("credential-process --session corp --account 111122223333 --role Nobody").any_stderr().status(4).go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 2);
}

#[test]
fn a_404_ends_with_4() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(Answer::not_found());
    home.daypass(ASK).any_stderr().status(4).go();
}

#[test]
fn throttling_server_errors_and_resets_are_retried() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(1));
    portal.expect(Call::GetRoleCredentials).answered(Answer::status(503));
    portal.expect(Call::GetRoleCredentials).answered(Answer::reset());
    portal.expect(Call::GetRoleCredentials).answered(Answer::served().but_truncated());
    home.daypass(ASK).stdout_has("111122223333").go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 5);
}

#[test]
fn a_retry_after_beyond_the_deadline_is_not_waited_for() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    portal.expect(Call::GetRoleCredentials).answered(Answer::throttled(3600));
    home.daypass(ASK).any_stderr().status(6).go();
}

#[test]
fn malformed_answers_and_captive_portals_end_with_6() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    for answer in [
        Answer::captive_portal(),
        Answer::redirect("https://hotel.example/"),
        Answer::body(200, "{}"),
        Answer::body(200, "{\"roleCr"),
    ] {
        portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(answer);
        home.daypass(ASK).any_stderr().status(6).go();
        portal.take_complaints();
    }
}

#[test]
fn unexpired_credentials_are_returned_while_the_portal_fails() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass(ASK).any_output().go();
    make_stale(&home);
    portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(Answer::status(500));
    home.daypass(ASK).stdout_has(&portal.issued()[0].access_key_id).go();
    assert!(portal.count(Call::GetRoleCredentials) > 1);
}

#[test]
fn a_profile_without_a_sign_in_ends_with_3_and_a_hint() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass(ASK).stderr("daypass: not signed in to corp\nhint: daypass login corp\n").status(3).go();
}

#[test]
fn a_server_that_repeats_the_token_does_not_get_it_into_any_output_or_file() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    home.daypass("list corp").stdout_has("DeveloperAccess").go();
    let token = portal.calls().last().unwrap().bearer.clone().unwrap();
    for status in [403, 503, 400] {
        let body = serde_json::json!({ "message": format!("Your token {token} is not accepted") }).to_string();
        let answer = Answer::body(status, &body).with_header("x-amzn-ErrorType", "ForbiddenException");
        portal.expect(Call::GetRoleCredentials).any_number_of_times().answered(answer.with_header("x-amzn-RequestId", &token));
        let role = format!("credential-process -vv --session corp --account 111122223333 --role Role{status}");
        let done = home.daypass(&role).stderr_has("Your token [redacted] is not accepted").status_of([4, 6]).go();
        assert!(!done.stderr.contains(&token[..20]), "{done}");
        portal.take_complaints();
    }
    assert!(home.files_with(&token[..20]).iter().all(|file| !file.starts_with(home.path("run"))), "in a lock file");
}

#[test]
fn a_long_error_text_is_cut() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let body = serde_json::json!({ "message": "x".repeat(100_000) }).to_string();
    portal
        .expect(Call::GetRoleCredentials)
        .answered(Answer::body(403, &body).with_header("x-amzn-ErrorType", "ForbiddenException"));
    let done = home.daypass(ASK).stderr_has("xxx…").status(4).go();
    assert!(done.stderr.len() < 1000, "{done}");
}

#[test]
fn credentials_with_control_characters_are_refused() {
    for (member, text) in
        [("accessKeyId", "ASIA\n"), ("secretAccessKey", "a\0b"), ("sessionToken", "a\u{1b}[2J"), ("sessionToken", "a b")]
    {
        let portal = Portal::live(PortalConfig::default());
        let home = signed_in(&portal);
        portal.expect(Call::GetRoleCredentials).answered(Answer::served().edited(move |answer| {
            answer["roleCredentials"][member] = text.into();
        }));
        home.daypass(ASK).stderr_has("control characters").status(6).go();
    }
}

#[test]
fn user_and_password_of_an_endpoint_are_not_logged() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let done = home
        .daypass("credential-process -vv --profile dev")
        .with("AWS_ENDPOINT_URL_SSO", "https://me:hidden@127.0.0.1:9")
        .stderr_has("127.0.0.1:9")
        .status(6)
        .go();
    assert!(!done.stderr.contains("hidden") && !done.stderr.contains("me:"), "{done}");
}
