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
fn opening_the_verification_page_approves_if_so_configured() {
    let portal = Portal::live(PortalConfig { approval: Approval::OnVisit, ..fast_polling() });
    let client = Client::of(&portal);
    let code = client.start(&portal);
    let device_code = code.device_code.unwrap();
    assert!(client.poll(&device_code).unwrap_err().is_authorization_pending_exception());
    get(&portal, code.verification_uri_complete.unwrap().trim_start_matches(&portal.url()), "");
    assert!(client.poll(&device_code).is_ok());
}
