//! The simulated STS verifies signatures, keys and trust policies. The client is the program's own.

use std::time::Duration;

use daypass::aws::{Settings, SigningKeys};
use daypass::secret::Secret;
use daypass::sts::{Error, RoleSession, Sts};
use daypass::sys::clock::Deadline;

use crate::support::portal::{Call, IamRole, Portal, PortalConfig, RoleKeys};
use crate::{credentials, fast_polling};

const DEPLOY: &str = "arn:aws:iam::222233334444:role/Deploy";

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn client(portal: &Portal) -> Sts {
    let env = [("AWS_ENDPOINT_URL_STS".to_owned(), portal.url())].into_iter().collect();
    Sts::new(Settings { region: "eu-west-1".to_owned(), profile: None, env })
}

/// Keys of the role `DeveloperAccess` in account 111122223333.
fn portal_keys(portal: &Portal) -> RoleKeys {
    let target = "/federation/credentials?role_name=DeveloperAccess&account_id=111122223333";
    crate::get(portal, target, &format!("x-amz-sso_bearer_token: {}\r\n", portal.sign_in().access_token));
    portal.issued().pop().unwrap()
}

fn signing(keys: &RoleKeys) -> SigningKeys {
    SigningKeys {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: Secret::new(&keys.secret_access_key),
        session_token: Some(Secret::new(&keys.session_token)),
    }
}

fn session() -> RoleSession {
    RoleSession { role_arn: DEPLOY.to_owned(), name: "ada".to_owned(), ..RoleSession::default() }
}

#[test]
fn keys_of_the_portal_sign_and_a_role_session_has_keys_of_its_own() {
    let portal = Portal::live(PortalConfig::default());
    let (sts, keys) = (client(&portal), signing(&portal_keys(&portal)));
    let identity = sts.caller_identity(&keys, deadline()).unwrap();
    assert_eq!(
        identity.arn,
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_DeveloperAccess_0123456789abcdef/ada@example.com"
    );
    let assumed = sts.assume_role(&keys, &session(), deadline()).unwrap();
    let identity = sts.caller_identity(&(&assumed).into(), deadline()).unwrap();
    assert_eq!(identity.arn, "arn:aws:sts::222233334444:assumed-role/Deploy/ada");
    let calls = portal.calls();
    assert_eq!(calls.last().unwrap().region.as_deref(), Some("eu-west-1"));
    assert_eq!(calls.last().unwrap().signed_by, Some(assumed.access_key_id));
    assert_eq!((portal.count(Call::AssumeRole), portal.count(Call::GetCallerIdentity)), (1, 2));
}

#[test]
fn a_wrong_or_unknown_key_is_a_complaint() {
    let portal = Portal::live(PortalConfig::default());
    let (sts, keys) = (client(&portal), signing(&portal_keys(&portal)));
    for (bad, expected) in [
        (SigningKeys { secret_access_key: Secret::new("wrong"), ..keys.clone() }, "the signature does not match"),
        (SigningKeys { access_key_id: "ASIAUNKNOWN".to_owned(), ..keys.clone() }, "a key that was not issued"),
        (SigningKeys { session_token: Some(Secret::new("wrong")), ..keys.clone() }, "x-amz-security-token"),
        (SigningKeys { session_token: None, ..keys.clone() }, "x-amz-security-token"),
    ] {
        assert!(sts.caller_identity(&bad, deadline()).is_err(), "{expected}");
        let complaints = portal.take_complaints();
        assert!(complaints.len() == 1 && complaints[0].contains(expected), "{expected}: {complaints:?}");
    }
    crate::post(&portal, "/", "application/x-www-form-urlencoded", "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(portal.take_complaints()[0].contains("not signed"));
    crate::post(&portal, "/", "application/x-www-form-urlencoded", "Action=GetFederationToken&Version=2011-06-15");
    assert!(portal.take_complaints()[0].contains("no such operation"));
}

#[test]
fn refusals_are_those_of_the_service() {
    let role = IamRole { external_id: Some("x1".to_owned()), ..IamRole::new(DEPLOY, &["AWSReservedSSO_DeveloperAccess_"]) };
    let portal = Portal::live(PortalConfig { roles: vec![role], ..fast_polling() });
    let (sts, keys) = (client(&portal), signing(&portal_keys(&portal)));
    let with_id = || RoleSession { external_id: Some("x1".to_owned()), ..session() };
    let asked = |session: RoleSession| sts.assume_role(&keys, &session, deadline());
    assert!(asked(with_id()).is_ok());
    assert!(matches!(asked(session()), Err(Error::AccessDenied(_))));
    assert!(matches!(asked(RoleSession { source_identity: Some("ada".into()), ..with_id() }), Err(Error::AccessDenied(_))));
    assert!(matches!(asked(RoleSession { duration: Some(Duration::from_secs(3601)), ..with_id() }), Err(Error::InvalidRequest(_))));
    assert!(matches!(asked(RoleSession { policy: Some("{".into()), ..with_id() }), Err(Error::InvalidRequest(_))));
    assert!(matches!(asked(RoleSession { name: "a b".into(), ..with_id() }), Err(Error::InvalidRequest(_))));
    portal.expire_keys();
    assert!(matches!(asked(with_id()), Err(Error::InvalidKeys(_))));
    // The portal's own calls are not signed.
    assert!(credentials(&portal, &portal.sign_in().access_token).starts_with("HTTP/1.1 200"));
}
