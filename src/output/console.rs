//! The access portal's shortcut link to the AWS console, and the short names of console pages. Pure.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Result};
use crate::profile::names::{AccountId, RoleArn, RoleName, nearest};

/// All but RFC 3986's unreserved characters: role names may contain `+`, which would be decoded as a space.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The prefixes of regions and the console host of their partition; other regions belong to the main partition.
/// The hosts of the last four are derived from the partitions' sign-in hosts, or not known.
const PARTITIONS: [(&str, Option<&str>); 7] = [
    ("cn-", Some("console.amazonaws.cn")),
    ("us-gov-", Some("console.amazonaws-us-gov.com")),
    ("eusc-", Some("console.amazonaws-eusc.eu")),
    ("us-iso-", Some("console.c2shome.ic.gov")),
    ("us-isob-", Some("console.sc2shome.sgov.gov")),
    ("eu-isoe-", None),
    ("us-isof-", None),
];

/// Short names and the path of each page; a `#` part is appended after the region.
const SERVICES: [(&str, &str); 81] = [
    ("acm", "acm/home"),
    ("amplify", "amplify/home"),
    ("apigateway", "apigateway/main/apis"),
    ("apprunner", "apprunner/home"),
    ("appsync", "appsync/home"),
    ("athena", "athena/home"),
    ("autoscaling", "ec2/home#AutoScalingGroups:"),
    ("backup", "backup/home"),
    ("batch", "batch/home"),
    ("bedrock", "bedrock/home"),
    ("billing", "billing/home"),
    ("cloudformation", "cloudformation/home"),
    ("cloudfront", "cloudfront/v4/home"),
    ("cloudshell", "cloudshell/home"),
    ("cloudtrail", "cloudtrailv2/home"),
    ("cloudwatch", "cloudwatch/home"),
    ("codeartifact", "codesuite/codeartifact/home"),
    ("codebuild", "codesuite/codebuild/home"),
    ("codecommit", "codesuite/codecommit/home"),
    ("codedeploy", "codesuite/codedeploy/home"),
    ("codepipeline", "codesuite/codepipeline/home"),
    ("cognito", "cognito/v2/home"),
    ("config", "config/home"),
    ("connect", "connect/v2/app"),
    ("costs", "cost-management/home"),
    ("directconnect", "directconnect/v2/home"),
    ("dms", "dms/v2/home"),
    ("docdb", "docdb/home"),
    ("dynamodb", "dynamodbv2/home"),
    ("ec2", "ec2/home"),
    ("ecr", "ecr/home"),
    ("ecs", "ecs/v2/home"),
    ("efs", "efs/home"),
    ("eks", "eks/home"),
    ("elasticache", "elasticache/home"),
    ("elasticbeanstalk", "elasticbeanstalk/home"),
    ("elb", "ec2/home#LoadBalancers:"),
    ("emr", "emr/home"),
    ("eventbridge", "events/home"),
    ("fsx", "fsx/home"),
    ("glue", "glue/home"),
    ("guardduty", "guardduty/home"),
    ("home", "console/home"),
    ("iam", "iam/home"),
    ("identitycenter", "singlesignon/home"),
    ("inspector", "inspector/v2/home"),
    ("iot", "iot/home"),
    ("kinesis", "kinesis/home"),
    ("kms", "kms/home"),
    ("lambda", "lambda/home"),
    ("lightsail", "ls/webapp/home"),
    ("logs", "cloudwatch/home#logsV2:log-groups"),
    ("macie", "macie/home"),
    ("mq", "amazon-mq/home"),
    ("msk", "msk/home"),
    ("neptune", "neptune/home"),
    ("networkfirewall", "vpcconsole/home#NetworkFirewalls:"),
    ("opensearch", "aos/home"),
    ("organizations", "organizations/v2/home"),
    ("parameterstore", "systems-manager/parameters"),
    ("quotas", "servicequotas/home"),
    ("rds", "rds/home"),
    ("redshift", "redshiftv2/home"),
    ("route53", "route53/v2/home"),
    ("s3", "s3/home"),
    ("sagemaker", "sagemaker/home"),
    ("secretsmanager", "secretsmanager/home"),
    ("securityhub", "securityhub/home"),
    ("servicecatalog", "servicecatalog/home"),
    ("ses", "ses/home"),
    ("sns", "sns/v3/home"),
    ("sqs", "sqs/v3/home"),
    ("ssm", "systems-manager/home"),
    ("sso", "singlesignon/home"),
    ("stepfunctions", "states/home"),
    ("support", "support/home"),
    ("transfer", "transfer/home"),
    ("trustedadvisor", "trustedadvisor/home"),
    ("vpc", "vpcconsole/home"),
    ("waf", "wafv2/homev2"),
    ("xray", "xray/home"),
];

/// Other short names that are common, and the one of the table above that they stand for.
const ALIASES: [(&str, &str); 27] = [
    ("agw", "apigateway"),
    ("asg", "autoscaling"),
    ("cf", "cloudfront"),
    ("cfn", "cloudformation"),
    ("cp", "codepipeline"),
    ("ct", "cloudtrail"),
    ("cw", "cloudwatch"),
    ("ddb", "dynamodb"),
    ("dx", "directconnect"),
    ("ebs", "elasticbeanstalk"),
    ("ec", "elasticache"),
    ("es", "opensearch"),
    ("events", "eventbridge"),
    ("gd", "guardduty"),
    ("l", "lambda"),
    ("lbs", "elb"),
    ("org", "organizations"),
    ("params", "parameterstore"),
    ("r53", "route53"),
    ("rs", "redshift"),
    ("secrets", "secretsmanager"),
    ("sfn", "stepfunctions"),
    ("sh", "securityhub"),
    ("sm", "secretsmanager"),
    ("ssmps", "parameterstore"),
    ("states", "stepfunctions"),
    ("ta", "trustedadvisor"),
];

/// The short names.
pub fn services() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().chain(&ALIASES).map(|(name, _)| *name)
}

/// The short names with their other ones and the path of the page.
pub fn pages() -> impl Iterator<Item = [String; 3]> {
    SERVICES.iter().map(|(name, path)| {
        let others: Vec<&str> = ALIASES.iter().filter(|(_, of)| of == name).map(|(other, _)| *other).collect();
        [(*name).to_owned(), others.join(", "), (*path).to_owned()]
    })
}

/// What the words of a launch command may contain in braces.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// `{profile}`; the role's name if there is no profile.
    pub profile: &'a str,
    /// `{account_name}`; its ID if its name is not known.
    pub account_name: &'a str,
    /// `{account_id}`
    pub account_id: &'a str,
    /// `{role}`
    pub role: &'a str,
    /// `{session}`
    pub session: &'a str,
    /// `{region}`; may be empty.
    pub region: &'a str,
    /// `{url}`
    pub url: &'a str,
}

impl Launch<'_> {
    /// The words of a launch command with these values. In a word that is an address of any scheme, such as
    /// `ext+container:name={account_name}&url={url}`, they are percent-encoded; in others they are one argument as they are. The address is
    /// the last word if none contains it. There is no shell.
    ///
    /// # Errors
    /// The line is empty, has an open quote, or a name in braces that is none of these.
    pub fn words(&self, line: &str, variable: &str) -> Result<Vec<String>> {
        let hint = || format!("{variable}='firefox \"ext+container:name={{account_name}}&url={{url}}\"'");
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| Error::usage(format!("{variable} is not a command line"), hint()))?;
        let mut filled = words.iter().map(|word| self.word(word)).collect::<std::result::Result<Vec<_>, _>>().map_err(|name| {
            let what =
                format!("{variable} has {{{name}}}; known are url, profile, account_name, account_id, role, session, region");
            Error::usage(what, hint())
        })?;
        if !words.iter().any(|word| word.contains("{url}")) {
            filled.push(self.url.to_owned());
        }
        Ok(filled)
    }

    /// One word; an unknown name is the error.
    fn word<'w>(&self, word: &'w str) -> std::result::Result<String, &'w str> {
        let scheme = word.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let is_address = scheme.len() > 1 && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme);
        let (mut filled, mut rest) = (String::new(), word);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            let value = match name {
                "url" => self.url,
                "profile" => self.profile,
                "account_name" => self.account_name,
                "account_id" => self.account_id,
                "role" => self.role,
                "session" => self.session,
                "region" => self.region,
                unknown => return Err(unknown),
            };
            filled.push_str(before);
            if is_address {
                filled.extend(utf8_percent_encode(value, STRICT));
            } else {
                // A name must not become a flag.
                filled.push_str(if filled.is_empty() { value.trim_start_matches('-') } else { value });
            }
            rest = after;
        }
        Ok(filled + rest)
    }
}

/// The sign-in hosts of the partitions (AWS's endpoint list).
const SIGN_IN_HOSTS: [(&str, &str); 4] = [
    ("aws", "signin.aws.amazon.com"),
    ("aws-cn", "signin.amazonaws.cn"),
    ("aws-us-gov", "signin.amazonaws-us-gov.com"),
    ("aws-eusc", "signin.amazonaws-eusc.eu"),
];

/// The link with which a person who is signed in to the console switches to a role (IAM user guide, "Switch to a role"). `name` is shown
/// in the console.
///
/// # Errors
/// The console of the role's partition is not known.
pub fn switch_link(role: &RoleArn, name: Option<&str>) -> Result<String> {
    let partition = role.partition();
    let host = SIGN_IN_HOSTS.iter().find(|(known, _)| *known == partition).map(|(_, host)| host);
    let host = host.ok_or_else(|| {
        Error::usage(format!("the sign-in page of partition {partition} is not known"), "switch to the role in the console")
    })?;
    let encoded = |text: &str| utf8_percent_encode(text, STRICT).to_string();
    let shown = name.map(|name| format!("&displayName={}", encoded(name))).unwrap_or_default();
    Ok(format!("https://{host}/switchrole?account={}&roleName={}{shown}", role.account(), encoded(role.name_with_path())))
}

/// The shortcut link: the portal signs the user in if necessary and opens the destination in the console with this role.
///
/// # Errors
/// The start URL is not a web address.
pub fn link(start_url: &str, account: &AccountId, role: &RoleName, destination: Option<&str>) -> Result<String> {
    let start = start_url.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/');
    let is_page = ["https://", "http://"].iter().any(|scheme| start.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !is_page || start.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let what = format!("the start URL \"{start_url}\" is not a web address");
        return Err(Error::usage(what, "daypass configure --session-only"));
    }
    let role = utf8_percent_encode(role.as_str(), STRICT);
    let mut link = format!("{start}/#/console?account_id={account}&role_name={role}");
    if let Some(destination) = destination {
        link.extend(["&destination="].into_iter().chain(utf8_percent_encode(destination, STRICT)));
    }
    Ok(link)
}

/// The address of a `--destination`: a short name, or an address on a console host of the session's partition, which `sso_region`
/// determines. `region` is the region to show.
///
/// # Errors
/// An unknown name; an address on another host; a partition whose console host is not known.
pub fn destination(text: &str, sso_region: &str, region: Option<&str>) -> Result<String> {
    let partition = PARTITIONS.iter().find(|(prefix, _)| sso_region.starts_with(prefix));
    let Some(host) = partition.map_or(Some("console.aws.amazon.com"), |(_, host)| *host) else {
        let what = format!("the console address for the partition of {sso_region} is not known");
        return Err(Error::usage(what, "leave out --destination"));
    };
    let page = format!("https://{host}/");
    let otherwise = format!("add --destination {page}");
    if text.contains("://") {
        return if is_at(text, host) {
            Ok(text.to_owned())
        } else {
            let what = format!("--destination \"{text}\" is not on {host}, the console of the session's partition");
            Err(Error::typo(what, text, &page, otherwise))
        };
    }
    let typed = text.to_ascii_lowercase();
    let wanted = ALIASES.iter().find(|(alias, _)| *alias == typed).map_or(&*typed, |(_, name)| name);
    let Some((_, path)) = SERVICES.iter().find(|(name, _)| *name == wanted) else {
        let what = format!("there is no console page with the short name \"{text}\"");
        let otherwise = "daypass console --destination help";
        return Err(match nearest(wanted, services()) {
            Some(near) => Error::typo(format!("{what}; did you mean \"{near}\"?"), text, near, otherwise),
            None => Error::typo(what, text, "help", otherwise),
        });
    };
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    let query = region.map(|region| format!("?region={}", utf8_percent_encode(region, STRICT))).unwrap_or_default();
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    Ok(format!("https://{host}/{path}{query}{fragment}"))
}

/// Whether an address is on this host or a subdomain. Addresses that browsers parse differently (with a user name, a port, a backslash
/// or blanks) are not.
fn is_at(address: &str, host: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let below = authority.strip_suffix(host).and_then(|before| if before.is_empty() { Some("") } else { before.strip_suffix('.') });
    let plain = |label: &str| label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    below.is_some_and(plain) && !address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Correction;

    #[test]
    fn every_value_of_the_shortcut_link_is_encoded() {
        let (account, role) = (AccountId::new("111122223333").unwrap(), RoleName::new("Break+Glass=Now,a@b").unwrap());
        for start in ["https://corp.awsapps.com/start", "https://corp.awsapps.com/start/", "https://corp.awsapps.com/start/#/"] {
            assert_eq!(
                link(start, &account, &role, Some("https://console.aws.amazon.com/s3/home?region=eu-west-1#x")).unwrap(),
                "https://corp.awsapps.com/start/#/console?account_id=111122223333&role_name=Break%2BGlass%3DNow%2Ca%40b\
                 &destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1%23x"
            );
        }
        for bad in ["", "file:///etc/passwd", "javascript:alert(1)", "https://", "--help", "https://a b"] {
            assert!(link(bad, &account, &role, None).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_link_that_switches_the_role_encodes_its_path() {
        let of = |arn: &str, name| switch_link(&RoleArn::new(arn).unwrap(), name);
        assert_eq!(
            of("arn:aws:iam::222233334444:role/team/De+ploy", Some("a b")).unwrap(),
            "https://signin.aws.amazon.com/switchrole?account=222233334444&roleName=team%2FDe%2Bploy&displayName=a%20b"
        );
        assert!(of("arn:aws-cn:iam::222233334444:role/x", None).unwrap().starts_with("https://signin.amazonaws.cn/"));
        assert!(of("arn:aws-iso:iam::222233334444:role/x", None).is_err());
    }

    #[test]
    fn a_launch_command_gets_each_value_as_one_word_and_encoded_inside_of_an_address() {
        let launch = Launch {
            profile: "dev",
            account_name: "--Dev & 'Test'",
            account_id: "111122223333",
            role: "R+W",
            session: "corp",
            region: "eu-west-1",
            url: "https://corp.awsapps.com/start/#/console?a=1&b=2",
        };
        let of = |line: &str| launch.words(line, "V").map_err(|error| error.what);
        assert_eq!(
            of("firefox \"ext+container:name={account_name}&url={url}\"").unwrap(),
            [
                "firefox",
                "ext+container:name=--Dev%20%26%20%27Test%27&url=https%3A%2F%2Fcorp.awsapps.com%2Fstart%2F%23%2Fconsole%3Fa%3D1%26b%3D2"
            ]
        );
        let chrome = of("chrome --profile-directory={account_name} {profile} {url}").unwrap();
        assert_eq!(chrome, ["chrome", "--profile-directory=--Dev & 'Test'", "dev", launch.url]);
        assert_eq!(of("open {account_name}").unwrap(), ["open", "Dev & 'Test'", launch.url]);
        assert!(of("x {nonsense}").unwrap_err().starts_with("V has {nonsense}; known are url,"));
        assert!(of("x 'open").is_err() && of("  ").is_err());
    }

    #[test]
    fn each_partition_has_its_own_console() {
        for (sso_region, page) in [
            ("eu-central-1", "https://console.aws.amazon.com/s3/home?region=r-1"),
            ("cn-north-1", "https://console.amazonaws.cn/s3/home?region=r-1"),
            ("us-gov-west-1", "https://console.amazonaws-us-gov.com/s3/home?region=r-1"),
            ("eusc-de-east-1", "https://console.amazonaws-eusc.eu/s3/home?region=r-1"),
        ] {
            assert_eq!(destination("S3", sso_region, Some("r-1")).unwrap(), page);
            assert_eq!(destination(page, sso_region, None).unwrap(), page);
        }
        assert!(destination("https://console.amazonaws.cn/s3", "us-east-1", None).is_err());
        assert!(destination("s3", "eu-isoe-west-1", None).is_err());
        assert_eq!(
            destination("logs", "us-east-1", Some("r-1")).unwrap(),
            "https://console.aws.amazon.com/cloudwatch/home?region=r-1#logsV2:log-groups"
        );
    }

    #[test]
    fn only_console_hosts_are_destinations() {
        for good in [
            "https://eu-west-1.console.aws.amazon.com/ec2",
            "https://CONSOLE.aws.amazon.com",
            "https://a-b.c.console.aws.amazon.com/?x",
        ] {
            assert!(is_at(good, "console.aws.amazon.com"), "{good}");
        }
        for bad in [
            "http://console.aws.amazon.com/",
            "https://console.aws.amazon.com.evil.example/",
            "https://evilconsole.aws.amazon.com/",
            "https://evil.example/console.aws.amazon.com",
            "https://evil.example#.console.aws.amazon.com",
            "https://evil.example\\.console.aws.amazon.com",
            "https://me@console.aws.amazon.com/",
            "https://evil.example:443@console.aws.amazon.com/",
            "https://console.aws.amazon.com:8443/",
            "https://console.aws.amazon.com/ x",
        ] {
            assert!(!is_at(bad, "console.aws.amazon.com"), "{bad}");
        }
    }

    #[test]
    fn the_short_names_are_sorted_and_unique() {
        assert!(SERVICES.is_sorted_by(|one, next| one.0 < next.0) && ALIASES.is_sorted_by(|one, next| one.0 < next.0));
        let is_name = |wanted: &str| SERVICES.iter().any(|(name, _)| *name == wanted);
        assert!(ALIASES.iter().all(|(alias, name)| is_name(name) && !is_name(alias)));
    }

    #[test]
    fn a_mistyped_short_name_is_corrected() {
        assert_eq!(destination("R53", "us-east-1", None), destination("route53", "us-east-1", None));
        let correction = destination("Lamda", "us-east-1", None).unwrap_err().correction.unwrap();
        assert_eq!(*correction, Correction::Replace("Lamda".to_owned(), "lambda".to_owned()));
    }
}
