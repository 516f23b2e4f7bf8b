//! The services with signed requests: who signs, and the form of their answers.

use std::time::SystemTime;

use super::super::call::Received;
use super::super::http1::{Request, Response};
use super::super::sigv4::{self, Signature};
use super::Service;

/// Who a key belongs to.
#[derive(Debug, Clone)]
pub(in super::super) struct Principal {
    /// The twelve digits of the account.
    pub account: String,
    /// The ARN of the user or of the role session.
    pub arn: String,
    pub secret_access_key: String,
    /// None for the long-lived key of a user.
    pub session_token: Option<String>,
    /// None for the long-lived key of a user.
    pub expires_at: Option<SystemTime>,
}

impl Service {
    /// Verifies who signed a request, and notes it. What is not signed with an issued key, or wrongly, is a complaint.
    pub(in super::super) fn authenticate(&self, request: &Request, received: &mut Received) {
        let Some(service) = received.call.and_then(super::super::call::Call::signed_service) else { return };
        let verified = Signature::of(request).and_then(|signature| {
            received.region = Some(signature.region.clone());
            received.signed_by = Some(signature.key_id.clone());
            let principal = self.principals.get(&signature.key_id).ok_or("signed with a key that was not issued")?;
            if request.header("x-amz-security-token") != principal.session_token.as_deref() {
                return Err("x-amz-security-token is not the one that was issued with the key".to_owned());
            }
            signature.verify(request, service, &principal.secret_access_key)
        });
        received.complaints.extend(verified.err());
        received.current = sigv4::is_current(request, SystemTime::now());
    }

    /// Who signed a request, if the keys and the signature have not expired.
    pub(super) fn principal(&self, received: &Received) -> Result<Principal, Response> {
        let principal = received.signed_by.as_ref().and_then(|key| self.principals.get(key));
        let Some(principal) = principal else {
            return Err(query_error("InvalidClientTokenId", 403, "The security token included in the request is invalid."));
        };
        if !received.current {
            return Err(query_error("SignatureDoesNotMatch", 403, "Signature expired"));
        }
        if self.user_keys.iter().any(|key| Some(&key.id) == received.signed_by.as_ref() && !key.active) {
            return Err(query_error("InvalidClientTokenId", 403, "The security token included in the request is invalid."));
        }
        if principal.expires_at.is_some_and(|expires| expires <= SystemTime::now()) {
            return Err(query_error("ExpiredToken", 403, "The security token included in the request is expired"));
        }
        Ok(principal.clone())
    }

    /// Lets all keys that were issued so far expire.
    pub(in super::super) fn expire_keys(&mut self) {
        for principal in self.principals.values_mut().filter(|principal| principal.session_token.is_some()) {
            principal.expires_at = Some(SystemTime::UNIX_EPOCH);
        }
    }
}

/// An answer in XML: the elements of the result of an operation.
pub(super) fn result(operation: &str, namespace: &str, result: &str) -> Response {
    let body = format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{operation}Response>",
        super::super::http1::request_id()
    );
    Response::new(200, "text/xml", body)
}

/// An error of a service with signed requests.
pub(in super::super) fn query_error(code: &str, status: u16, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
        escape(message),
        super::super::http1::request_id()
    );
    Response::new(status, "text/xml", body)
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
