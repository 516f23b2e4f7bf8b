//! Addresses that other programs get. Pure.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What shells interpret, in quotes or outside of them, and what has no meaning of its own in an address. A `%` may begin an encoded
/// character, `?`, `=` and `#` do nothing inside of a word, and `&` is treated apart.
const SHELL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'$')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b';')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The address of a web page, written so that no shell interprets any of it: `BROWSER` may contain a script. None for anything else,
/// such as another scheme or an address with a user name.
///
/// An `&` is kept only where `name=` follows, as between the fields of a query: to a shell that is at most an assignment.
pub(super) fn for_programs(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_host = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let is_page = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    let is_page = is_page && url.host_str().is_some_and(is_host);
    if !is_page {
        return None;
    }
    // An IPv6 address has brackets.
    let (origin, rest) = url.as_str().split_at(url[..url::Position::BeforePath].len());
    let mut parts = rest.split('&').map(|part| utf8_percent_encode(part, SHELL).to_string());
    let mut safe = origin.to_owned() + &parts.next().unwrap_or_default();
    for part in parts {
        let name = part.split_once('=').map_or("", |(name, _)| name);
        let is_field = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        safe += if is_field { "&" } else { "%26" };
        safe += &part;
    }
    Some(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pages_are_unchanged() {
        for address in [
            "https://corp.awsapps.com/start/#/console?account_id=1&role_name=a%2Bb&destination=https%3A%2F%2Fx%2F",
            "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH",
            "http://127.0.0.1:8080/device?user_code=A&x=1#y",
            "http://[::1]:8080/",
        ] {
            assert_eq!(for_programs(address).as_deref(), Some(address));
        }
    }

    #[test]
    fn nothing_is_left_for_a_shell() {
        for (address, safe) in [
            ("https://x/?a=$(id)", "https://x/?a=%24%28id%29"),
            ("https://x/a';reboot;'", "https://x/a%27%3Breboot%3B%27"),
            ("https://x/?a=`id`", "https://x/?a=%60id%60"),
            ("https://x/?a&reboot&b=1", "https://x/?a%26reboot&b=1"),
            ("https://x/?a|b>c", "https://x/?a%7Cb%3Ec"),
            ("https://x/#\"\\\n$x", "https://x/#%22%5C%24x"),
        ] {
            assert_eq!(for_programs(address).as_deref(), Some(safe), "{address}");
        }
    }

    #[test]
    fn what_is_not_a_web_page_is_refused() {
        for address in [
            "",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "--help",
            "x",
            "https://me@x/",
            "https://a b/",
            "https://$(id)/",
        ] {
            assert_eq!(for_programs(address), None, "{address}");
        }
    }
}
