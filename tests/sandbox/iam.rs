//! The simulated IAM verifies signatures, rights and the state of keys. The client is the program's own.

use std::time::Duration;

use daypass::aws::{Settings, SigningKeys};
use daypass::iam::{Error, Iam};
use daypass::secret::Secret;
use daypass::sys::clock::Deadline;

use crate::support::portal::{Account, Portal, PortalConfig, RoleKeys, UserKey};

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn client(portal: &Portal) -> Iam {
    let env = [("AWS_ENDPOINT_URL_IAM".to_owned(), portal.url())].into_iter().collect();
    Iam::new(Settings { region: "eu-west-1".to_owned(), profile: None, env })
}

/// A portal whose only account has these roles.
fn portal() -> Portal {
    let roles = ["AdministratorAccess", "ReadOnly", "DeveloperAccess"];
    Portal::live(PortalConfig { accounts: vec![Account::new("111122223333", "Staging", &roles)], ..PortalConfig::default() })
}

fn role_keys(portal: &Portal, role: &str) -> SigningKeys {
    let target = format!("/federation/credentials?role_name={role}&account_id=111122223333");
    crate::get(portal, &target, &format!("x-amz-sso_bearer_token: {}\r\n", portal.sign_in().access_token));
    let RoleKeys { access_key_id, secret_access_key, session_token, .. } = portal.issued().pop().unwrap();
    SigningKeys {
        access_key_id,
        secret_access_key: Secret::new(secret_access_key),
        session_token: Some(Secret::new(session_token)),
    }
}

fn own_keys(key: &UserKey) -> SigningKeys {
    SigningKeys { access_key_id: key.id.clone(), secret_access_key: Secret::new(&*key.secret), session_token: None }
}

#[test]
fn a_role_manages_the_keys_of_its_account_as_far_as_it_may() {
    let portal = portal();
    let (iam, key) = (client(&portal), portal.new_user_key("111122223333", "ada"));
    let (admin, reader) = (role_keys(&portal, "AdministratorAccess"), role_keys(&portal, "ReadOnly"));
    let used = iam.last_used(&reader, &key.id, deadline()).unwrap();
    assert_eq!((used.user.as_deref(), used.last), (Some("ada"), None));
    portal.change_user_key(&key.id, |key| key.last_used = Some((1_700_000_000, "s3".into(), "eu-west-1".into())));
    let last = iam.last_used(&reader, &key.id, deadline()).unwrap().last.unwrap();
    assert_eq!((last.at.unix_timestamp(), &*last.service, &*last.region), (1_700_000_000, "s3", "eu-west-1"));
    let refused = iam.set_active(&reader, Some("ada"), &key.id, false, deadline());
    assert!(matches!(refused, Err(Error::AccessDenied(_))));
    let nothing = role_keys(&portal, "DeveloperAccess");
    assert!(matches!(iam.last_used(&nothing, &key.id, deadline()), Err(Error::AccessDenied(_))));
    iam.set_active(&admin, Some("ada"), &key.id, false, deadline()).unwrap();
    let listed = iam.access_keys(&admin, Some("ada"), deadline()).unwrap();
    assert_eq!((&*listed[0].id, listed[0].active, listed[0].created.is_some()), (&*key.id, false, true));
    iam.delete(&admin, "ada", &key.id, deadline()).unwrap();
    assert!(matches!(iam.delete(&admin, "ada", &key.id, deadline()), Err(Error::NotFound(_))));
    assert!(iam.access_keys(&admin, Some("ada"), deadline()).unwrap().is_empty());
    // The service is global: its requests are signed for one region.
    assert!(portal.calls().iter().filter(|call| call.signed_by.is_some()).all(|call| call.region.as_deref() == Some("us-east-1")));
}

#[test]
fn a_key_deactivates_itself_once() {
    let portal = portal();
    let (iam, key) = (client(&portal), portal.new_user_key("111122223333", "ada"));
    let own = own_keys(&key);
    assert_eq!(iam.access_keys(&own, None, deadline()).unwrap().len(), 1);
    iam.set_active(&own, None, &key.id, false, deadline()).unwrap();
    assert!(matches!(iam.set_active(&own, None, &key.id, true, deadline()), Err(Error::InvalidKeys(_))));
    let foreign = portal.new_user_key("999988887777", "eve");
    assert!(matches!(iam.last_used(&own_keys(&foreign), &key.id, deadline()), Err(Error::AccessDenied(_))));
    let wrong = SigningKeys { secret_access_key: Secret::new("wrong"), ..own_keys(&foreign) };
    assert!(iam.access_keys(&wrong, None, deadline()).is_err());
    assert!(portal.take_complaints()[0].contains("the signature does not match"));
}
