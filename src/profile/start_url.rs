//! Parses the address of an access portal as people paste it. Touches nothing.

use crate::error::{Error, Result};

/// Returns the address as the service knows it. Accepts what people type and paste: a portal's alias or ID (`corp`, `d-9067abc123`), an
/// address without `https://`, in upper case, with what the browser's address bar adds (`#/`, a final `/`), and with the backslash that a
/// shell's `\#` leaves. Plain http is accepted for this machine only.
///
/// # Errors
/// It is not a portal's address.
pub fn clean(typed: &str) -> Result<String> {
    let text = without_additions(typed);
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("https".to_owned(), text),
    };
    let (server, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let mut server = server.to_ascii_lowercase();
    let is_label = !server.is_empty() && server.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    // The host of a portal with an instance ID also contains its region.
    if is_label && rest == text && path.is_empty() && server != "localhost" && !server.starts_with("ssoins-") {
        server.push_str(".awsapps.com");
    }
    let is_alias = server.strip_suffix(".awsapps.com").is_some_and(|alias| !alias.contains('.') && !alias.is_empty());
    let path = if is_alias && (path.is_empty() || path.eq_ignore_ascii_case("/start")) { "/start" } else { path };
    let url = format!("{scheme}://{server}{path}");
    let host = host(&url);
    let is_here = matches!(server.split(':').next(), Some("127.0.0.1" | "localhost"));
    let plain = |c: char| c.is_ascii_graphic() && !"\"'`\\<>{}|^;".contains(c);
    if (scheme == "https" && host.contains('.') && !host.starts_with('.') || scheme == "http" && is_here) && url.chars().all(plain)
    {
        return Ok(url);
    }
    let (rule, meant) = match url.strip_prefix("http://") {
        Some(rest) if url.chars().all(plain) => ("the address of an access portal starts with https://", format!("https://{rest}")),
        _ => ("a start URL is the address of your access portal, or its alias or ID", "https://corp.awsapps.com/start".to_owned()),
    };
    let hint = format!("add --start-url {meant}");
    Err(Error::typo(format!("\"{typed}\" is not a start URL: {rule}"), typed, &meant, hint))
}

fn without_additions(typed: &str) -> &str {
    typed.trim().split('#').next().unwrap_or_default().trim_end_matches(['/', '\\'])
}

fn host(url: &str) -> &str {
    url.strip_prefix("https://").and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default()
}

/// Whether both are addresses of the same portal, however they are written.
pub fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (without_additions(one), without_additions(other));
    one.get(host(one).len() + "https://".len()..) == other.get(host(other).len() + "https://".len()..)
        && host(one).eq_ignore_ascii_case(host(other))
        || one == other
}

/// The region, if the host name contains it: `ssoins-….eu-west-1.portal.amazonaws.com`, `ssoins-….portal.eu-west-1.app.aws` and the
/// same in other partitions.
pub fn region(url: &str) -> Option<&str> {
    const BEFORE_PORTAL: [&str; 3] = [".portal.amazonaws.com", ".portal.amazonaws.com.cn", ".portal.amazonaws.eu"];
    const AFTER_PORTAL: [&str; 3] = [".app.aws", ".app.amazonwebservices.com.cn", ".api.amazonwebservices.eu"];
    let host = host(without_additions(url));
    let before = BEFORE_PORTAL.iter().find_map(|end| host.strip_suffix(end)).and_then(|rest| rest.rsplit_once('.'));
    let after = AFTER_PORTAL.iter().find_map(|end| host.strip_suffix(end)).and_then(|rest| rest.rsplit_once('.'));
    let region = match (before, after) {
        (Some((_, region)), _) => region,
        (None, Some((front, region))) if front.ends_with(".portal") => region,
        _ => return None,
    };
    is_region(region).then_some(region)
}

/// Whether it has the form of a region's name: lower-case letters, digits and hyphens, such as `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    let fits = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    fits && text.contains('-') && !text.starts_with('-') && text.len() <= 32
}

/// A session name made from the address: the alias or ID before the first dot. If that is generic: the name of a directory (in
/// `us-gov` and China), or the domain of a company's own address; else `sso`.
pub fn session_name(url: &str) -> String {
    const GENERIC: [&str; 8] = ["start", "www", "view", "identitycenter", "aws", "sso", "login", "portal"];
    let url = without_additions(url);
    let mut labels = host(url).split('.');
    let first = labels.next().unwrap_or_default();
    let name = match (url.split_once("/directory/"), labels.next()) {
        _ if !GENERIC.contains(&first) => first,
        (Some((_, directory)), _) => directory,
        (None, Some(domain)) if !host(url).ends_with(".awsapps.com") && first != "identitycenter" => domain,
        _ => "",
    };
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if name.trim_matches('-').is_empty() { "sso".to_owned() } else { name.trim_matches('-').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_becomes_the_address_of_the_portal() {
        for typed in [
            "https://corp.awsapps.com/start",
            "https://corp.awsapps.com/start/#/",
            "https://corp.awsapps.com/start\\#/",
            " https://corp.awsapps.com/start/#/?tab=accounts",
            "corp",
            "CORP",
            "corp.awsapps.com",
            "corp.awsapps.com/start#/",
            "HTTPS://Corp.AWSapps.com/START/",
        ] {
            assert_eq!(clean(typed).unwrap(), "https://corp.awsapps.com/start", "{typed}");
        }
        for (typed, url) in [
            ("d-9067abc123", "https://d-9067abc123.awsapps.com/start"),
            ("ssoins-1.Portal.eu-west-1.app.aws/#/", "https://ssoins-1.portal.eu-west-1.app.aws"),
            ("start.us-gov-home.awsapps.com/directory/Acme", "https://start.us-gov-home.awsapps.com/directory/Acme"),
            ("aws.company.example", "https://aws.company.example"),
            ("http://127.0.0.1:8080/start", "http://127.0.0.1:8080/start"),
        ] {
            assert_eq!(clean(typed).unwrap(), url, "{typed}");
        }
        for bad in [
            "",
            "http://corp.awsapps.com/start",
            "https://",
            "https://a b.c/",
            "https://x.y/\nregion = z",
            "ssoins-1234567890abcdef",
            "a b",
            "ftp://corp.awsapps.com/start",
            "é",
        ] {
            assert!(clean(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_region_is_taken_from_the_host_name() {
        let cases = [
            ("https://ssoins-1234567890abcdef.eu-west-1.portal.amazonaws.com", Some("eu-west-1")),
            ("https://ssoins-1234567890abcdef.portal.us-east-2.app.aws/#/", Some("us-east-2")),
            ("https://x.cn-north-1.portal.amazonaws.com.cn", Some("cn-north-1")),
            ("https://x.portal.cn-north-1.app.amazonwebservices.com.cn", Some("cn-north-1")),
            ("https://x.eusc-de-east-1.portal.amazonaws.eu", Some("eusc-de-east-1")),
            ("https://x.portal.eusc-de-east-1.api.amazonwebservices.eu/", Some("eusc-de-east-1")),
            ("https://corp.awsapps.com/start", None),
            ("https://eu-west-1.portal.amazonaws.com.example.com", None),
            ("https://x.other.us-east-2.app.aws", None),
            ("https://aws.company.example", None),
            ("", None),
        ];
        for (url, expected) in cases {
            assert_eq!(region(url), expected, "{url}");
        }
    }

    #[test]
    fn addresses_of_the_same_portal_are_equal() {
        assert!(is_same("https://corp.awsapps.com/start", "https://Corp.awsapps.com/start/#/"));
        assert!(!is_same("https://corp.awsapps.com/start", "https://corp.awsapps.com/other"));
        assert!(!is_same("https://corp.awsapps.com/start", "https://corp2.awsapps.com/start"));
        assert!(is_same("", "") && !is_same("é", "https://é"));
    }

    #[test]
    fn a_session_is_named_after_its_host() {
        assert_eq!(session_name("https://corp.awsapps.com/start"), "corp");
        assert_eq!(session_name("https://start.us-gov-home.awsapps.com/directory/acme"), "acme");
        assert_eq!(session_name("https://aws.company.example/"), "company");
        assert_eq!(session_name("https://view.awsapps.com/start"), "sso");
        assert_eq!(session_name("nonsense"), "sso");
    }

    #[test]
    fn only_region_names_are_regions() {
        assert!(is_region("us-gov-west-1"));
        for bad in ["", "Frankfurt", "eu west 1", "eu-west-1\n", "-x"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
