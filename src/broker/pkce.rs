//! The authorization code flow with PKCE: builds the address that the browser opens and reads the callback (RFC 6749 §4.1, RFC 7636).
//! Pure, except for the random numbers of [`AuthorizationRequest::new`].

use ring::digest;

use crate::secret::{Secret, base64url};

/// The path of the loopback redirect.
pub const CALLBACK: &str = "/oauth/callback";

/// An authorization request: the PKCE verifier, which never reaches the browser, and the state, which ties the callback to the request.
pub struct AuthorizationRequest {
    /// Is sent to the service with the code (RFC 7636 §4.5).
    pub verifier: Secret,
    state: Secret,
}

/// What the browser brought to the callback.
#[derive(Debug, PartialEq, Eq)]
pub enum Callback {
    /// The authorization code.
    Code(Secret),
    /// The person or a policy denied the sign-in.
    Denied(String),
    /// The service does not allow this flow; its own text.
    Unsupported(String),
    /// Does not belong to this request: another state or none, or neither a code nor an error.
    Unrelated,
}

impl AuthorizationRequest {
    /// A new request. None if the system has no random numbers.
    pub fn new() -> Option<Self> {
        Some(Self { verifier: Secret::random()?, state: Secret::random()? })
    }

    /// The address that the browser opens. The key is `scopes`, not RFC 6749's `scope`, and a space is `%20` (as the AWS CLI sends it).
    pub fn address(&self, endpoint: &str, client_id: &str, redirect_uri: &str, scopes: &[String]) -> String {
        let challenge = base64url(digest::digest(&digest::SHA256, self.verifier.expose().as_bytes()).as_ref());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", self.state.expose())
            .append_pair("code_challenge_method", "S256")
            .append_pair("scopes", &scopes.join(" "))
            .append_pair("code_challenge", &challenge)
            .finish()
            .replace('+', "%20");
        format!("{endpoint}?{query}")
    }

    /// Reads the query of the callback. The state is checked first. A parameter that is given twice makes the callback unrelated.
    pub fn read(&self, query: &str) -> Callback {
        let one = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
            (values.next(), values.next().is_some())
        };
        let (Some(state), false) = one("state") else { return Callback::Unrelated };
        if state != self.state.expose() {
            return Callback::Unrelated;
        }
        match (one("code"), one("error")) {
            ((Some(code), false), (None, _)) if !code.is_empty() => Callback::Code(Secret::new(code)),
            ((None, _), (Some(error), false)) => {
                let why = one("error_description").0.filter(|text| !text.is_empty()).unwrap_or_else(|| error.clone()).into_owned();
                if error == "access_denied" { Callback::Denied(why) } else { Callback::Unsupported(why) }
            }
            _ => Callback::Unrelated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verifier and challenge of RFC 7636, appendix B.
    fn request() -> AuthorizationRequest {
        AuthorizationRequest { verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), state: Secret::new("st") }
    }

    #[test]
    fn the_address_contains_the_challenge_and_not_the_verifier() {
        let scopes = ["sso:account:access".to_owned(), "x:y".to_owned()];
        let address =
            request().address("https://oidc.eu-west-1.amazonaws.com/authorize", "id", "http://127.0.0.1:9/oauth/callback", &scopes);
        assert_eq!(
            address,
            "https://oidc.eu-west-1.amazonaws.com/authorize?response_type=code&client_id=id\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Foauth%2Fcallback&state=st&code_challenge_method=S256\
             &scopes=sso%3Aaccount%3Aaccess%20x%3Ay&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_code_is_accepted_only_with_the_right_state() {
        assert_eq!(request().read("code=a%2Bb+c&state=st"), Callback::Code(Secret::new("a+b c")));
        for unrelated in [
            "",
            "code=x",
            "code=x&state=",
            "code=x&state=St",
            "code=x&state=st&state=st",
            "code=x&code=y&state=st",
            "code=&state=st",
            "state=st",
        ] {
            assert_eq!(request().read(unrelated), Callback::Unrelated, "{unrelated}");
        }
    }

    #[test]
    fn an_error_is_accepted_only_with_the_right_state() {
        assert_eq!(request().read("error=access_denied&error_description=no+way&state=st"), Callback::Denied("no way".to_owned()));
        assert_eq!(request().read("error=unauthorized_client&state=st"), Callback::Unsupported("unauthorized_client".to_owned()));
        for unrelated in ["error=access_denied", "error=access_denied&state=x", "error=x&code=y&state=st"] {
            assert_eq!(request().read(unrelated), Callback::Unrelated, "{unrelated}");
        }
    }
}
