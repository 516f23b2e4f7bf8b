//! The authorization code flow with proof of possession: what goes into the address that the browser opens, and what comes back by it
//! (RFC 6749 §4.1, RFC 7636). Pure, but for the random numbers of a new [`Proof`].

use ring::digest;

use crate::secret::{Secret, base64url};

/// The one path of the loopback redirect.
pub const CALLBACK: &str = "/oauth/callback";

/// What this side knows, and nobody who only sees the browser: the verifier. The state ties what comes back to what was opened.
pub struct Proof {
    /// Goes to the service with the code (RFC 7636 §4.5).
    pub verifier: Secret,
    state: Secret,
}

/// What came to the callback.
#[derive(Debug, PartialEq, Eq)]
pub enum Return {
    /// The authorization code.
    Code(Secret),
    /// The person, or a policy, said no.
    Denied(String),
    /// The service does not do this flow for us: its own words.
    Unfit(String),
    /// Not ours: another state, or none, or no answer at all.
    Stray,
}

impl Proof {
    /// A fresh one. None where the system has no random numbers.
    pub fn new() -> Option<Self> {
        Some(Self { verifier: Secret::random()?, state: Secret::random()? })
    }

    /// Where the browser goes. The key is `scopes`, not RFC 6749's `scope` (the AWS CLI's observed form); blanks as `%20`.
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

    /// Reads the query that came back. The state is looked at before anything else; a name that comes twice makes it a stray.
    pub fn read(&self, query: &str) -> Return {
        let one = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
            (values.next(), values.next().is_some())
        };
        let (Some(state), false) = one("state") else { return Return::Stray };
        if state != self.state.expose() {
            return Return::Stray;
        }
        match (one("code"), one("error")) {
            ((Some(code), false), (None, _)) if !code.is_empty() => Return::Code(Secret::new(code)),
            ((None, _), (Some(error), false)) => {
                let why = one("error_description").0.filter(|text| !text.is_empty()).unwrap_or_else(|| error.clone()).into_owned();
                if error == "access_denied" { Return::Denied(why) } else { Return::Unfit(why) }
            }
            _ => Return::Stray,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verifier and challenge of RFC 7636, appendix B.
    fn proof() -> Proof {
        Proof { verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), state: Secret::new("st") }
    }

    #[test]
    fn the_address_holds_what_the_service_wants_and_not_the_verifier() {
        let scopes = ["sso:account:access".to_owned(), "x:y".to_owned()];
        let address =
            proof().address("https://oidc.eu-west-1.amazonaws.com/authorize", "id", "http://127.0.0.1:9/oauth/callback", &scopes);
        assert_eq!(
            address,
            "https://oidc.eu-west-1.amazonaws.com/authorize?response_type=code&client_id=id\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Foauth%2Fcallback&state=st&code_challenge_method=S256\
             &scopes=sso%3Aaccount%3Aaccess%20x%3Ay&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn a_code_counts_only_with_its_state() {
        assert_eq!(proof().read("code=a%2Bb+c&state=st"), Return::Code(Secret::new("a+b c")));
        for stray in
            ["", "code=x", "code=x&state=", "code=x&state=St", "code=x&state=st&state=st", "code=x&code=y&state=st", "state=st"]
        {
            assert_eq!(proof().read(stray), Return::Stray, "{stray}");
        }
    }

    #[test]
    fn an_error_counts_only_with_its_state_and_a_refusal_is_told_from_the_rest() {
        assert_eq!(proof().read("error=access_denied&error_description=no+way&state=st"), Return::Denied("no way".to_owned()));
        assert_eq!(proof().read("error=unauthorized_client&state=st"), Return::Unfit("unauthorized_client".to_owned()));
        for stray in ["error=access_denied", "error=access_denied&state=x", "error=x&code=y&state=st"] {
            assert_eq!(proof().read(stray), Return::Stray, "{stray}");
        }
    }
}
