//! Classifies start URLs: AWS's own or a company's ("vanity") address, the region, and the redirects that are accepted. Pure.

use http::Uri;

/// The access portals' domains (AWS CLI's list), those of the dual-stack portals first.
const DUAL_STACK: [&str; 3] = [".app.aws", ".app.amazonwebservices.com.cn", ".api.amazonwebservices.eu"];
const CLASSIC: [&str; 5] =
    [".portal.amazonaws.com", ".portal.amazonaws.com.cn", ".portal.amazonaws.eu", ".awsapps.com", ".awsapps.cn"];

/// The hosts of start URLs in issuer form.
const ISSUERS: [&str; 4] = [
    "identitycenter.amazonaws.com",
    "identitycenter.amazonaws.com.cn",
    "identitycenter.amazonaws.eu",
    "identitycenter.us-gov.amazonaws.com",
];

/// Whether it is an address that is not AWS's: https, or http on this machine.
pub(super) fn is_vanity(start_url: &str) -> bool {
    let Some(uri) = parse(start_url) else { return false };
    let here = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    !is_owned(&uri) && (uri.scheme_str() == Some("https") || here && uri.scheme_str() == Some("http"))
}

/// Whether it is a dual-stack portal. Those need the dual-stack OIDC host: the verification page of the other one fails (aws-cli 10507).
pub(super) fn is_dual_stack(start_url: &str) -> bool {
    parse(start_url).is_some_and(|uri| is_below(&uri, &DUAL_STACK))
}

/// The target of a vanity address as the service knows it: without query, fragment, default port and trailing `/`. None unless it is https
/// and on one of AWS's hosts.
pub(super) fn resolved(location: &str) -> Option<String> {
    let uri = parse(location).filter(|uri| uri.scheme_str() == Some("https") && is_owned(uri))?;
    let host = uri.host()?.to_ascii_lowercase();
    match uri.port_u16() {
        None | Some(443) => Some(format!("https://{host}{}", uri.path()).trim_end_matches('/').to_owned()),
        Some(_) => None,
    }
}

/// The region in a host of the newer forms: `….portal.REGION.app.aws`, `….REGION.portal.amazonaws.com` and those of other partitions.
pub(super) fn region(start_url: &str) -> Option<String> {
    let host = parse(start_url)?.host()?.to_ascii_lowercase();
    let before = DUAL_STACK.iter().chain(&CLASSIC[..3]).find_map(|domain| host.strip_suffix(domain))?;
    let label = before.rsplit('.').next()?;
    // Other labels in that place, such as an identity store's, do not end in a number.
    let ends_in_number = label.rsplit('-').next().is_some_and(|end| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit()));
    (before.contains('.') && ends_in_number && label.matches('-').count() >= 2).then(|| label.to_owned())
}

fn parse(url: &str) -> Option<Uri> {
    // A user part could disguise another host as one of AWS's.
    url.parse().ok().filter(|uri: &Uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@')))
}

fn is_owned(uri: &Uri) -> bool {
    is_below(uri, &DUAL_STACK)
        || is_below(uri, &CLASSIC)
        || uri.host().is_some_and(|host| ISSUERS.iter().any(|issuer| host.eq_ignore_ascii_case(issuer)))
}

fn is_below(uri: &Uri, domains: &[&str]) -> bool {
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    domains.iter().any(|domain| host.len() > domain.len() && host.ends_with(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_aws_in_all_partitions_are_used_as_written() {
        for own in [
            "https://corp.awsapps.com/start",
            "https://d-1234567890.awsapps.com/start/#/",
            "https://ssoins-0123456789abcdef.us-west-2.portal.amazonaws.com",
            "https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws",
            "https://start.us-gov-home.awsapps.com/directory/d-1",
            "https://start.home.awsapps.cn/directory/d-1",
            "https://ssoins-1.cn-north-1.portal.amazonaws.com.cn",
            "https://ssoins-1.portal.cn-north-1.app.amazonwebservices.com.cn",
            "https://ssoins-1.eusc-de-east-1.portal.amazonaws.eu",
            "https://ssoins-1.portal.eusc-de-east-1.api.amazonwebservices.eu",
            "https://identitycenter.amazonaws.com/ssoins-1",
            "https://identitycenter.us-gov.amazonaws.com/ssoins-1",
        ] {
            assert!(!is_vanity(own), "{own}");
        }
        for other in ["https://aws.company.example", "https://awsapps.com.evil.example/start", "https://evilawsapps.com/start"] {
            assert!(is_vanity(other), "{other}");
        }
        for other in ["http://aws.company.example", "https://corp.awsapps.com@evil.example/start", "corp", "", "ftp://x.example/"] {
            assert!(!is_vanity(other), "{other}");
        }
    }

    #[test]
    fn a_redirect_is_accepted_only_to_https_on_a_host_of_aws() {
        assert_eq!(resolved("https://Corp.AWSapps.com:443/start/?x=y#/z").as_deref(), Some("https://corp.awsapps.com/start"));
        assert_eq!(
            resolved("https://ssoins-1.portal.eu-west-1.app.aws/").as_deref(),
            Some("https://ssoins-1.portal.eu-west-1.app.aws")
        );
        for rejected in [
            "http://corp.awsapps.com/start",
            "https://corp.awsapps.com:8443/start",
            "https://corp.awsapps.com@evil.example/start",
            "https://evil.example/corp.awsapps.com",
            "https://app.aws.evil.example",
            "https://.app.aws",
            "/start",
            "//corp.awsapps.com/start",
            "",
        ] {
            assert_eq!(resolved(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn the_newer_hosts_contain_their_region() {
        for (url, named) in [
            ("https://ssoins-0123456789abcdef.us-west-2.portal.amazonaws.com", Some("us-west-2")),
            ("https://ssoins-0123456789abcdef.portal.eu-central-1.app.aws/", Some("eu-central-1")),
            ("https://ssoins-1.portal.eusc-de-east-1.api.amazonwebservices.eu", Some("eusc-de-east-1")),
            ("https://ssoins-1.cn-north-1.portal.amazonaws.com.cn", Some("cn-north-1")),
            ("https://corp.awsapps.com/start", None),
            ("https://d-1.awsapps.com/start", None),
            ("https://identitycenter.amazonaws.com/ssoins-1", None),
            ("https://us-west-2.portal.amazonaws.com", None),
        ] {
            assert_eq!(region(url).as_deref(), named, "{url}");
        }
    }

    #[test]
    fn dual_stack_portals_are_recognised_by_their_domain() {
        assert!(is_dual_stack("https://ssoins-1.portal.eu-west-1.app.aws"));
        assert!(!is_dual_stack("https://ssoins-1.eu-west-1.portal.amazonaws.com"));
    }
}
