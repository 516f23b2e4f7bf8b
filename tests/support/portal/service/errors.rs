//! Error responses of both services.

use serde_json::json;

use super::super::call::Call;
use super::super::http1::Response;

/// An SSO-OIDC error. Its name is in the body and in a header.
pub(in super::super) fn oidc_error(code: &str, description: &str) -> Response {
    let (shape, status) = match code {
        "authorization_pending" => ("AuthorizationPendingException", 400),
        "slow_down" => ("SlowDownException", 400),
        "expired_token" => ("ExpiredTokenException", 400),
        "access_denied" => ("AccessDeniedException", 400),
        "invalid_grant" => ("InvalidGrantException", 400),
        "invalid_client" => ("InvalidClientException", 401),
        "unauthorized_client" => ("UnauthorizedClientException", 400),
        "invalid_scope" => ("InvalidScopeException", 400),
        "invalid_client_metadata" => ("InvalidClientMetadataException", 400),
        "invalid_redirect_uri" => ("InvalidRedirectUriException", 400),
        "unsupported_grant_type" => ("UnsupportedGrantTypeException", 400),
        "server_error" => ("InternalServerException", 500),
        "invalid_request" => ("InvalidRequestException", 400),
        other => panic!("SSO-OIDC has no error {other}"),
    };
    let response = Response::json(status, &json!({"error": code, "error_description": description}));
    response.with("x-amzn-ErrorType", &format!("{shape}:http://internal.amazon.com/coral/com.amazonaws.ssooidc/"))
}

/// An error of the portal.
pub(in super::super) fn portal_error(shape: &str, status: u16, message: &str) -> Response {
    let response = Response::json(status, &json!({"message": message, "__type": shape}));
    response.with("x-amzn-ErrorType", &format!("{shape}:http://internal.amazon.com/coral/com.amazonaws.ssoportal/"))
}

/// A 400 in the form of the service that the call belongs to.
pub(in super::super) fn error_for(call: Call, code: &str, description: &str) -> Response {
    if call.signed_service().is_some() {
        return super::query_error("ValidationError", 400, description);
    }
    if call.is_oidc() { oidc_error(code, description) } else { portal_error("InvalidRequestException", 400, description) }
}
