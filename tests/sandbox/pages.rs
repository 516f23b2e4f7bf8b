//! The verification page.

use crate::support::portal::{Approval, Portal, PortalConfig};
use crate::{Client, fast_polling, get, post};

#[test]
fn a_device_code_is_approved_on_the_verification_page() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..fast_polling() });
    let client = Client::of(&portal);
    let code = client.start(&portal);
    let (device_code, user_code) = (code.device_code.unwrap(), code.user_code.unwrap());
    let page = get(&portal, &format!("/device?user_code={user_code}"), "");
    assert!(page.contains(&user_code) && page.contains("Development, Production") && page.contains("value=allow"), "{page}");
    assert!(client.poll(&device_code).unwrap_err().is_authorization_pending_exception(), "opening the page does not approve");
    let form = "application/x-www-form-urlencoded";
    assert!(post(&portal, "/device", form, "user_code=XXXX-0000&decision=allow").contains("unknown"));
    assert!(post(&portal, "/device", form, &format!("user_code={user_code}&decision=allow")).contains("Request approved"));
    assert!(client.poll(&device_code).is_ok());
    assert_eq!(portal.visits(), 1);
    assert!(!get(&portal, "/device?user_code=%3Cscript%3E", "").to_lowercase().contains("<script>"));
}

#[test]
fn the_authorize_page_has_buttons_and_checks_the_request_again() {
    let portal = Portal::live(PortalConfig { approval: Approval::ByHand, ..fast_polling() });
    let redirect = "http://127.0.0.1/oauth/callback";
    let body = format!(
        r#"{{"clientName":"a","clientType":"public","grantTypes":["authorization_code","refresh_token"],"redirectUris":["{redirect}"],
        "scopes":["sso:account:access"],"issuerUrl":"{}"}}"#,
        portal.start_url()
    );
    let client = post(&portal, "/client/register", "application/json", &body);
    let client = client.split("\"clientId\":\"").nth(1).unwrap().split('"').next().unwrap();
    let query = format!(
        "response_type=code&client_id={client}&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Foauth%2Fcallback&state=%3Cs%3E\
         &code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess&code_challenge=x"
    );
    let page = get(&portal, &format!("/authorize?{query}"), "");
    assert!(page.contains("value=allow") && page.contains("value=deny") && page.contains("&lt;s&gt;"), "{page}");
    let form = "application/x-www-form-urlencoded";
    let denied = post(&portal, "/authorize", form, &format!("{query}&decision=deny"));
    assert!(denied.contains("Location: http://127.0.0.1:9/oauth/callback?error=access_denied"), "{denied}");
    let allowed = post(&portal, "/authorize", form, &format!("{query}&decision=allow"));
    assert!(allowed.contains("Location: http://127.0.0.1:9/oauth/callback?code="), "{allowed}");
    let other = post(&portal, "/authorize", form, &format!("{}&decision=allow", query.replace("oauth", "other")));
    assert!(other.starts_with("HTTP/1.1 400"), "{other}");
}

#[test]
fn opening_the_verification_page_approves_if_so_configured() {
    let portal = Portal::live(PortalConfig { approval: Approval::OnVisit, ..fast_polling() });
    let client = Client::of(&portal);
    let code = client.start(&portal);
    let device_code = code.device_code.unwrap();
    assert!(client.poll(&device_code).unwrap_err().is_authorization_pending_exception());
    get(&portal, code.verification_uri_complete.unwrap().trim_start_matches(&portal.url()), "");
    assert!(client.poll(&device_code).is_ok());
}
