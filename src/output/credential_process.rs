//! The `credential_process` document (version 1) that every AWS SDK reads.

use serde::Serialize;
use zeroize::Zeroizing;

use super::rfc3339;
use crate::credentials::RoleCredentials;
use crate::profile::names::AccountId;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'a> {
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expiration: String,
    account_id: &'a str,
}

/// One line of JSON with its line break.
pub fn document(credentials: &RoleCredentials, account: &AccountId) -> Zeroizing<String> {
    let document = Document {
        version: 1,
        access_key_id: &credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.expose(),
        session_token: credentials.session_token.expose(),
        expiration: rfc3339(credentials.expires_at),
        account_id: account.as_str(),
    };
    // Serializing strings and a number cannot fail.
    let mut text = Zeroizing::new(serde_json::to_string(&document).unwrap_or_default());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use time::macros::datetime;

    #[test]
    fn the_document_matches_version_1_of_the_contract() {
        let credentials = RoleCredentials {
            access_key_id: "ASIA1".into(),
            secret_access_key: Secret::new("a\"b"),
            session_token: Secret::new("t"),
            expires_at: datetime!(2030-01-01 00:00:00.5 UTC),
            received_at: datetime!(2029-12-31 23:00 UTC),
            clock_offset: time::Duration::ZERO,
        };
        assert_eq!(
            *document(&credentials, &AccountId::new("000011112222").unwrap()),
            concat!(
                r#"{"Version":1,"AccessKeyId":"ASIA1","SecretAccessKey":"a\"b","SessionToken":"t","#,
                r#""Expiration":"2030-01-01T00:00:00Z","AccountId":"000011112222"}"#,
                "\n"
            )
        );
    }
}
