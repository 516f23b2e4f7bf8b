//! Parses the address of an access portal as people paste it. Touches nothing.

use crate::error::{Error, Result};

/// Returns the address as the service knows it, without what the browser's address bar adds (`#/`, a final `/`) and without the
/// backslash that a shell's `\#` leaves.
///
/// # Errors
/// It is not an https address.
pub fn clean(typed: &str) -> Result<String> {
    let url = without_additions(typed);
    let host = host(url);
    let plain = |c: char| c.is_ascii_graphic() && !"\"'`\\<>{}|^;".contains(c);
    if url.starts_with("https://") && host.contains('.') && !host.starts_with('.') && url.chars().all(plain) {
        return Ok(url.to_owned());
    }
    Err(Error::usage(
        format!("\"{typed}\" is not a start URL"),
        "--start-url https://corp.awsapps.com/start (the address of your access portal)",
    ))
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

/// A session name made from the address: the alias or ID before the first dot; `sso` if that is generic.
pub fn session_name(url: &str) -> String {
    let first = host(without_additions(url)).split('.').next().unwrap_or_default();
    let first = if matches!(first, "start" | "www" | "view" | "identitycenter") { "" } else { first };
    let name: String = first.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if name.trim_matches('-').is_empty() { "sso".to_owned() } else { name.trim_matches('-').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_of_browser_and_shell_are_removed_from_a_start_url() {
        for typed in [
            "https://corp.awsapps.com/start",
            "https://corp.awsapps.com/start/#/",
            "https://corp.awsapps.com/start\\#/",
            " https://corp.awsapps.com/start/#/?tab=accounts",
        ] {
            assert_eq!(clean(typed).unwrap(), "https://corp.awsapps.com/start");
        }
        for bad in [
            "",
            "corp.awsapps.com/start",
            "http://corp.awsapps.com/start",
            "https://",
            "https://a b.c/",
            "https://x.y/\nregion = z",
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
        assert_eq!(session_name("https://start.us-gov-home.awsapps.com/directory/x"), "sso");
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
