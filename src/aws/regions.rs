//! Knows the names of AWS's regions. Pure.

use crate::profile::names;

/// All regions when this was written (AWS's `partitions.json` and region list). A newer one works too, if its name has the form of a
/// region's.
const KNOWN: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether daypass knows this region.
pub(super) fn is_known(region: &str) -> bool {
    KNOWN.contains(&region)
}

/// Whether this is the name of a region, or could be that of a new one: an area, a direction and a number.
pub fn is_plausible(region: &str) -> bool {
    const DIRECTIONS: [&str; 9] = ["central", "north", "south", "east", "west", "northeast", "northwest", "southeast", "southwest"];
    if is_known(region) {
        return true;
    }
    let Some((front, number)) = region.rsplit_once('-') else { return false };
    let Some((area, direction)) = front.rsplit_once('-') else { return false };
    let is_area = |area: &str| KNOWN.iter().any(|known| known.strip_prefix(area).is_some_and(|rest| rest.starts_with('-')));
    // Another area has two letters, which are not those of a known one in the wrong order.
    let is_new =
        area.len() == 2 && area.bytes().all(|b| b.is_ascii_lowercase()) && !is_area(&area.chars().rev().collect::<String>());
    let is_number = !number.is_empty() && number.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit());
    DIRECTIONS.contains(&direction) && is_number && (is_area(area) || is_new)
}

/// The partitions that have regions of their own: the prefix of these, the one to use if none is known, and the domain of the services'
/// hosts (`partitions.json`).
const PARTITIONS: [(&str, &str, &str, &str); 7] = [
    ("aws-cn", "cn-", "cn-north-1", "amazonaws.com.cn"),
    ("aws-us-gov", "us-gov-", "us-gov-west-1", "amazonaws.com"),
    ("aws-eusc", "eusc-", "eusc-de-east-1", "amazonaws.eu"),
    ("aws-iso", "us-iso-", "us-iso-east-1", "c2s.ic.gov"),
    ("aws-iso-b", "us-isob-", "us-isob-east-1", "sc2s.sgov.gov"),
    ("aws-iso-e", "eu-isoe-", "eu-isoe-west-1", "cloud.adc-e.uk"),
    ("aws-iso-f", "us-isof-", "us-isof-south-1", "csp.hci.ic.gov"),
];

/// This region if it belongs to the partition, else one that does.
pub fn in_partition<'r>(region: &'r str, partition: &str) -> &'r str {
    let of_partition = PARTITIONS.iter().find(|(name, ..)| *name == partition);
    let of_region = PARTITIONS.iter().find(|(_, prefix, ..)| region.starts_with(prefix));
    match of_partition {
        _ if of_partition == of_region => region,
        Some((_, _, default, _)) => default,
        None => "us-east-1",
    }
}

/// The domain of the services' hosts in this region, such as `amazonaws.com`.
pub fn domain(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(_, prefix, ..)| region.starts_with(prefix)).map_or("amazonaws.com", |(.., domain)| domain)
}

/// The known region whose name is most similar, if one is.
pub fn nearest(region: &str) -> Option<&'static str> {
    names::nearest(region, KNOWN.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_another_partition_is_replaced() {
        assert_eq!(in_partition("eu-west-1", "aws"), "eu-west-1");
        assert_eq!(in_partition("mars-north-1", "aws"), "mars-north-1");
        assert_eq!(in_partition("cn-northwest-1", "aws-cn"), "cn-northwest-1");
        assert_eq!(in_partition("eu-west-1", "aws-us-gov"), "us-gov-west-1");
        assert_eq!(in_partition("us-iso-east-1", "aws-iso-b"), "us-isob-east-1");
        assert_eq!(in_partition("us-gov-west-1", "aws"), "us-east-1");
    }

    #[test]
    fn a_region_has_the_domain_of_its_partition() {
        assert_eq!(domain("eu-west-1"), "amazonaws.com");
        assert_eq!(domain("us-gov-west-1"), "amazonaws.com");
        assert_eq!(domain("cn-northwest-1"), "amazonaws.com.cn");
        assert_eq!(domain("eusc-de-east-1"), "amazonaws.eu");
    }

    #[test]
    fn a_new_region_is_plausible_and_a_typo_is_not() {
        for good in ["eu-west-1", "us-gov-west-1", "eu-west-9", "ap-southeast-12", "nz-north-1", "eusc-de-east-1"] {
            assert!(is_plausible(good), "{good}");
        }
        for bad in [
            "",
            "Frankfurt",
            "us-esat-1",
            "ue-west-1",
            "eu-west1",
            "eu-west",
            "eu-west-1a",
            "euw-west-1",
            "EU-west-1",
            "eu-west-1\n",
        ] {
            assert!(!is_plausible(bad), "{bad}");
        }
    }

    #[test]
    fn a_typo_has_a_nearest_region() {
        assert_eq!(nearest("us-esat-1"), Some("us-east-1"));
        assert_eq!(nearest("eu-wset-1"), Some("eu-west-1"));
        assert_eq!(nearest("eu-west1"), Some("eu-west-1"));
        assert_eq!(nearest("frankfurt"), None);
        assert!(is_known("eu-central-2") && !is_known("us-esat-1"));
    }
}
