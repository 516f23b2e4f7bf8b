//! Learns the region of an access portal from its address: from the host name, from where a company's own address redirects to (as the AWS
//! CLI does), or from the portal's page (as Granted does). Touches the network.

use super::start_url;
use super::{Error, SERVICES};
use crate::aws::{self, Page};
use crate::profile::start_url::is_region;
use crate::sys::clock::Deadline;
use crate::sys::env::Env;

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 3;

/// The region of the portal at this address; None if it can't be learned. No credentials are sent. A portal of AWS whose endpoints are
/// replaced (`AWS_ENDPOINT_URL_SSO`) is not asked: another one answers for it.
///
/// # Errors
/// The settings of proxy or certificates can't be used.
pub fn region(env: &Env, address: &str, deadline: Deadline) -> Result<Option<String>, Error> {
    let settings = aws::Settings { region: String::new(), profile: None, env: env.clone() };
    let has_own_endpoint = SERVICES.iter().any(|service| env.endpoint(service.variable).is_some());
    let mut address = address.to_owned();
    for _ in 0..=MOST_REDIRECTS {
        if let Some(region) = start_url::region(&address) {
            return Ok(Some(region));
        }
        if has_own_endpoint && !start_url::is_vanity(&address) {
            break;
        }
        address = match aws::page(&settings, &address, deadline)? {
            Some(Page::Redirect(to)) => match start_url::resolved(&to) {
                Some(to) => to,
                None => break,
            },
            Some(Page::Text(html)) => return Ok(region_of_page(&html)),
            None => break,
        };
    }
    Ok(None)
}

/// The region in `<meta name="region" content="REGION">` of the portal's page.
fn region_of_page(html: &str) -> Option<String> {
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}="))?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    };
    let tags = html.split("<meta").skip(1).filter_map(|rest| rest.split('>').next());
    let mut named = tags.filter(|tag| attribute(tag, "name").as_deref() == Some("region"));
    named.find_map(|tag| attribute(tag, "content")).filter(|region| is_region(region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_portal_contains_its_region() {
        for page in [
            "<html><head><meta name=\"region\" content=\"eu-west-1\"/></head>",
            "<meta charset=utf-8><meta content='eu-west-1' name='region'>",
        ] {
            assert_eq!(region_of_page(page).as_deref(), Some("eu-west-1"), "{page}");
        }
        for page in [
            "",
            "<meta name=region content=eu-west-1>",
            "<meta name=\"region\" content=\"California\">",
            "<meta name=\"region\" content=\"eu-west-1.evil.example/\">",
            "<meta name=\"other\" content=\"eu-west-1\">",
            "<meta name=\"region\"",
        ] {
            assert_eq!(region_of_page(page), None, "{page}");
        }
    }
}
