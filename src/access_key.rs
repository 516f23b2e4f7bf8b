//! Access key IDs and what else identifies a long-lived credential: kind, account, display, and the form of the secrets that belong to
//! them. Touches nothing.
//!
//! An ID is a prefix of four letters and 16 characters of base32. Since about spring 2019, the account is part of these 80 bits: the first
//! bit is set, the next 40 bits are the account (awsteele.com, 2020-09-26; `GetAccessKeyInfo` agrees).

use std::fmt;

use aws_smithy_types::base64;
use zeroize::Zeroizing;

use crate::profile::names::AccountId;

/// The length of an access key ID.
pub const ID_LENGTH: usize = 20;
/// The prefix of the access key IDs of IAM users and root users.
pub const USER_PREFIX: &str = "AKIA";
/// The prefix of long-term Amazon Bedrock API keys. The whole key is a secret.
pub const BEDROCK_PREFIX: &str = "ABSK";
/// The prefix of access key IDs of temporary credentials.
const TEMPORARY_PREFIX: &str = "ASIA";
/// The number of base64 characters after the prefix of a Bedrock API key, without padding.
const BEDROCK_LENGTH: std::ops::RangeInclusive<usize> = 109..=269;
/// The length of a secret access key.
const SECRET_LENGTH: usize = 40;
/// The length of an SES SMTP password: a version byte (4) and a HMAC of 32 bytes.
const SMTP_LENGTH: usize = 44;

/// Who an access key ID belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A user of IAM, or the root user: valid until it is deactivated.
    User,
    /// Temporary credentials of STS, which are useless without their session token.
    Temporary,
}

/// A well-formed access key ID. It is not a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessKeyId {
    text: String,
    kind: Kind,
    account: Option<AccountId>,
}

impl AccessKeyId {
    /// None if the text can't be the ID of an access key: another prefix or length, a character outside of base32, or bits that are no
    /// account.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = match text.get(..4)? {
            USER_PREFIX => Kind::User,
            TEMPORARY_PREFIX => Kind::Temporary,
            _ => return None,
        };
        let body = text.get(4..).filter(|body| body.len() == ID_LENGTH - 4)?;
        // The first 50 of the 80 bits.
        let bits = body.bytes().map(base32).collect::<Option<Vec<u64>>>()?;
        let first = bits.iter().take(10).fold(0, |bits, five| bits << 5 | five);
        let is_new = first >> 49 == 1;
        let account = match is_new {
            true => Some(AccountId::new(&format!("{:012}", first >> 9 & 0xff_ffff_ffff))?),
            // The old form begins with I or J.
            false if matches!(bits.first(), Some(8 | 9)) => None,
            false => return None,
        };
        Some(Self { text: text.to_owned(), kind, account })
    }

    /// Who it belongs to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The account, decoded from the ID. None for an ID of the old form, from before about spring 2019, which does not contain it.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is an example: it contains `EXAMPLE`, as all of AWS's do, or another word of placeholders, or repeats itself (less
    /// than 3 bits of entropy per character, the limit of gitleaks and trufflehog).
    pub fn is_example(&self) -> bool {
        const WORDS: [&str; 6] = ["EXAMPLE", "ACCESSKEY", "YOURKEY", "PLACEHOLDER", "CHANGEME", "REDACTED"];
        WORDS.iter().any(|word| self.text.contains(word)) || entropy(&self.text) < 3.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A long-lived credential, by what identifies it and is not a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LongLivedKey {
    /// An access key of an IAM user or a root user.
    Access(AccessKeyId),
    /// A long-term Bedrock API key, with the name of its service-specific credential. None if the key does not contain it.
    Bedrock(Option<ServiceUser>),
    /// HTTPS Git credentials for `CodeCommit`.
    CodeCommit(ServiceUser),
}

impl LongLivedKey {
    /// An access key ID. None for temporary credentials and for what is not an ID.
    pub fn access(text: &str) -> Option<Self> {
        AccessKeyId::parse(text).filter(|id| id.kind() == Kind::User).map(Self::Access)
    }

    /// A Bedrock API key, which is a secret. None if the text can't be one.
    pub fn bedrock(token: &str) -> Option<Self> {
        let encoded = token.strip_prefix(BEDROCK_PREFIX)?.trim_end_matches('=');
        if !BEDROCK_LENGTH.contains(&encoded.len()) || !encoded.bytes().all(is_base64) || entropy(encoded) < 3.0 {
            return None;
        }
        // Whole groups of four, of which the name is at the start.
        let whole = encoded.get(..encoded.len() / 4 * 4)?;
        let decoded = Zeroizing::new(base64::decode(whole).ok()?);
        let name = decoded.split(|byte| *byte == b':').next().and_then(|name| std::str::from_utf8(name).ok());
        Some(Self::Bedrock(name.filter(|name| name.starts_with("BedrockAPIKey-")).and_then(ServiceUser::parse)))
    }

    /// The ID or the name. None for a Bedrock API key without a readable name.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Access(id) => Some(id.as_str()),
            Self::Bedrock(user) => user.as_ref().map(ServiceUser::as_str),
            Self::CodeCommit(user) => Some(user.as_str()),
        }
    }

    /// The account, if what identifies the key contains it.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Access(id) => id.account(),
            Self::Bedrock(user) => user.as_ref().map(ServiceUser::account),
            Self::CodeCommit(user) => Some(user.account()),
        }
    }

    /// The first and the last four characters, such as `AKIA…ALC4`. A Bedrock API key without a readable name is `ABSK…`.
    pub fn masked(&self) -> String {
        self.id().map_or_else(|| format!("{BEDROCK_PREFIX}…"), masked)
    }
}

/// The user name of a service-specific credential of IAM: `NAME-at-ACCOUNT`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceUser {
    name: String,
    account: AccountId,
}

impl ServiceUser {
    /// None if the text is not such a name (IAM's rule for user names, which have up to 64 characters, and a number that IAM may add).
    pub fn parse(text: &str) -> Option<Self> {
        let (user, account) = text.rsplit_once("-at-")?;
        let fits = (1..=100).contains(&user.len()) && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
        let account = AccountId::new(account).filter(|_| fits)?;
        Some(Self { name: text.to_owned(), account })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

/// The first and the last four characters with `…` between them.
pub fn masked(id: &str) -> String {
    let chars: Vec<char> = id.chars().collect();
    if chars.len() <= 8 {
        return id.to_owned();
    }
    let text = |part: Option<&[char]>| part.unwrap_or_default().iter().collect::<String>();
    format!("{}…{}", text(chars.get(..4)), text(chars.get(chars.len() - 4..)))
}

/// Whether this can be a secret access key: 40 characters of base64, but no digest in hexadecimal and no example. `named`: the text before
/// it says that it is one; otherwise it must also be as irregular as trufflehog requires (4.25 bits per character, all kinds of
/// characters).
pub fn is_secret(text: &str, named: bool) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|b| kind(&b));
    text.len() == SECRET_LENGTH
        && text.bytes().all(is_base64)
        && !text.bytes().all(|b| b.is_ascii_hexdigit())
        && !text.ends_with("EXAMPLEKEY")
        && if named {
            entropy(text) >= 3.0
        } else {
            entropy(text) >= 4.25 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
        }
}

/// Whether this can be the SMTP password that SES derives from a secret access key: base64 of 33 bytes, the first of which is 4.
pub fn is_smtp_password(text: &str) -> bool {
    let second = text.as_bytes().get(1);
    text.len() == SMTP_LENGTH
        && text.starts_with('B')
        && second.is_some_and(|second| (b'A'..=b'P').contains(second))
        && text.bytes().all(is_base64)
        && entropy(text) >= 4.25
}

fn base32(byte: u8) -> Option<u64> {
    match byte {
        b'A'..=b'Z' => Some(u64::from(byte - b'A')),
        b'2'..=b'7' => Some(u64::from(byte - b'2') + 26),
        _ => None,
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Shannon's entropy in bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    let part = |&count: &u32| {
        let share = f64::from(count) / length;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(part).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// An ID of the new form: the first bit, 40 bits of the account, 39 random bits.
    fn encode(prefix: &str, account: u64, random: u64) -> String {
        let bits = 1_u128 << 79 | u128::from(account) << 39 | u128::from(random & 0x7f_ffff_ffff);
        let body = (0..16).rev().map(|at| char::from(ALPHABET[usize::try_from(bits >> (5 * at) & 31).unwrap()]));
        prefix.chars().chain(body).collect()
    }

    #[test]
    fn published_ids_decode_to_their_accounts() {
        for (id, account) in [
            ("ASIAY34FZKBOKMUTVV7A", Some("609629065308")),
            ("ASIAVJ2E6QGR2WZILJFM", Some("364679954851")),
            ("AKIASP2TPHJSQH3FJXYZ", Some("171436882533")),
            ("AKIARZPUZDIKGB2VALC4", Some("123456789012")),
            ("ASIAQAAAAAAAGMKEM7X5", Some("000000000000")),
            ("AKIA6RVFFB77RE7OLMKI", Some("999999999999")),
            ("AKIAIOSFODNN7EXAMPLE", None),
        ] {
            assert_eq!(AccessKeyId::parse(id).unwrap().account().map(AccountId::as_str), account, "{id}");
        }
    }

    #[test]
    fn what_is_not_an_access_key_is_refused() {
        for text in [
            "",
            "AKIA",
            "AKIARZPUZDIKGB2VALC",
            "AKIARZPUZDIKGB2VALC44",
            "akiarzpuzdikgb2valc4",
            "AKIARZPUZDIKGB2VALC1",
            "AKIARZPUZDIKGB2VALCé",
            // The fifth character is possible in no form.
            "AKIAAZPUZDIKGB2VALC4",
            // An account of thirteen digits.
            "AKIA7777777777777777",
            // An identifier of a user, and a key of LocalStack.
            "AIDARZPUZDIKGB2VALC4",
            "LKIARZPUZDIKGB2VALC4",
        ] {
            assert_eq!(AccessKeyId::parse(text), None, "{text}");
        }
        assert_eq!(LongLivedKey::access("ASIAY34FZKBOKMUTVV7A"), None);
    }

    #[test]
    fn examples_are_recognised() {
        let is_example = |id| AccessKeyId::parse(id).unwrap().is_example();
        assert!(
            is_example("AKIAYOURACCESSKEYIDX")
                && is_example("AKIAIOSFODNN7EXAMPLE")
                && is_example("AKIAXXXXXXXXXXXXXXXX")
                && !is_example("AKIARZPUZDIKGB2VALC4")
        );
    }

    #[test]
    fn the_middle_of_an_id_is_masked() {
        let key = |id| LongLivedKey::access(id).unwrap();
        assert_eq!(key("AKIARZPUZDIKGB2VALC4").masked(), "AKIA…ALC4");
        assert_eq!(masked("bob-at-111122223333"), "bob-…3333");
        assert_eq!(masked("short"), "short");
    }

    #[test]
    fn secrets_are_told_from_digests_and_examples() {
        let real = "xQ3v8Zk1Lr0pT7uYbN5sWc2dEf9gHjK4mA6oIi+/";
        assert!(is_secret(real, false));
        let named = "abcdabcdabcdabcdabcdabcdABCDABCDABCDABC/";
        assert!(is_secret(named, true) && !is_secret(named, false));
        for text in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "xQ3v8Zk1Lr0pT7uYbN5sWc2dEf9gHjK4mA6oIi+",
            "xQ3v8Zk1Lr0pT7uYbN5sWc2dEf9gHjK4mA6oIi_-",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(!is_secret(text, true), "{text}");
        }
        assert!(!is_secret("/usr/share/applications/default/mimeapps", false));
        let smtp = "BEv8Zk1Lr0pT7uYbN5sWc2dEf9gHjK4mA6oIi+/xQ3vZ";
        assert!(is_smtp_password(smtp) && !is_smtp_password(&smtp.replacen("BE", "BZ", 1)) && !is_smtp_password(real));
    }

    #[test]
    fn a_bedrock_key_tells_its_name_and_account_but_not_its_secret() {
        let token = |name: &str| format!("ABSK{}", base64::encode(format!("{name}:{}", "x9Kq2".repeat(14))));
        let key = LongLivedKey::bedrock(&token("BedrockAPIKey-ab12-at-111122223333")).unwrap();
        assert_eq!(key.id(), Some("BedrockAPIKey-ab12-at-111122223333"));
        assert_eq!(key.account().unwrap().as_str(), "111122223333");
        assert_eq!(key.masked(), "Bedr…3333");
        let unreadable = LongLivedKey::bedrock(&token("something-else-of-the-same-length-1234")).unwrap();
        assert_eq!((unreadable.id(), unreadable.account(), unreadable.masked()), (None, None, "ABSK…".to_owned()));
        assert_eq!(LongLivedKey::bedrock("ABSKshort"), None);
        assert_eq!(LongLivedKey::bedrock(&format!("ABSK{}", "A".repeat(120))), None);
    }

    #[test]
    fn a_service_user_ends_with_its_account() {
        assert_eq!(ServiceUser::parse("a-at-b-at-111122223333").unwrap().account().as_str(), "111122223333");
        for text in ["bob", "bob-at-1111", "-at-111122223333", "b b-at-111122223333"] {
            assert_eq!(ServiceUser::parse(text), None, "{text}");
        }
        assert_eq!(ServiceUser::parse(&format!("{}-at-111122223333", "b".repeat(101))), None);
    }

    proptest! {
        #[test]
        fn every_account_survives_encoding(account in 0_u64..1_000_000_000_000, random: u64, temporary: bool) {
            let id = encode(if temporary { "ASIA" } else { "AKIA" }, account, random);
            let parsed = AccessKeyId::parse(&id).unwrap();
            prop_assert_eq!(parsed.account().unwrap().as_str(), format!("{account:012}"));
            prop_assert_eq!(parsed.as_str(), id);
            prop_assert_eq!(parsed.kind() == Kind::Temporary, temporary);
        }

        #[test]
        fn numbers_of_thirteen_digits_are_no_accounts(account in 1_000_000_000_000_u64..1 << 40, random: u64) {
            prop_assert_eq!(AccessKeyId::parse(&encode("AKIA", account, random)), None);
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in "(AKIA|ASIA|ABSK)?\\PC{0,300}") {
            let _ = (AccessKeyId::parse(&text), LongLivedKey::bedrock(&text), ServiceUser::parse(&text), masked(&text));
            let _ = (is_secret(&text, true), is_smtp_password(&text));
        }
    }
}
