//! Removes secrets from a text that is kept as a backup. Touches nothing.
//!
//! The rule (docs/configuration.md): a line is left out if its key names a secret, commented out or not, if one of its words does
//! (`--password x`, `TOKEN=x`), or if it contains a word in the form of a secret access key or a token. So are the lines that continue it,
//! and the lines of a private key. A comment of the same line number takes its place.

/// Replaces a line that is left out.
const LEFT_OUT: &str = "# (left out of the backup: a secret)";

/// Parts of the names of secrets.
const SECRET: [&str; 7] = ["secret", "token", "password", "passwd", "passphrase", "api_key", "private_key"];
/// Names that contain such a part but don't hold a secret.
const HARMLESS: [&str; 3] = ["web_identity_token_file", "token_file", "secret_name"];

/// The text without its secrets, with as many lines.
pub(super) fn without_secrets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut private_key = false;
    // The indent of a line that was left out: a line with a larger one continues it.
    let mut left_out: Option<usize> = None;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\n', '\r']);
        let indent = line.len() - line.trim_start().len();
        let continues = left_out.is_some_and(|of| indent > of && !line.trim().is_empty());
        private_key |= line.contains("-----BEGIN") && line.contains("PRIVATE KEY");
        if private_key || continues || is_secret(line) {
            kept.push_str(LEFT_OUT);
            kept.push_str(whole.get(line.len()..).unwrap_or_default());
            left_out = left_out.filter(|_| continues).or(Some(indent));
        } else {
            kept.push_str(whole);
            left_out = left_out.filter(|_| line.trim().is_empty());
        }
        private_key &= !line.contains("-----END");
    }
    kept
}

/// Whether something was left out of this backup.
pub(super) fn lacks_secrets(backup: &str) -> bool {
    backup.lines().any(|line| line == LEFT_OUT)
}

/// The text with its secrets and access key IDs replaced, with as many lines: for a diff that people see.
pub(super) fn masked(text: &str) -> String {
    const HIDDEN: &str = "********";
    let mut shown = String::with_capacity(text.len());
    for (kept, whole) in without_secrets(text).split_inclusive('\n').zip(text.split_inclusive('\n')) {
        let line = whole.trim_end_matches(['\n', '\r']);
        let end = whole.get(line.len()..).unwrap_or_default();
        let property = line.split_once('=').map(|(key, value)| {
            let value_start = line.len() - value.trim_start().len();
            (key, line.get(..value_start).unwrap_or_default(), value)
        });
        match property {
            Some((key, start, _)) if kept != whole && names_secret(key) => shown.extend([start, HIDDEN, end]),
            _ if kept != whole => shown.extend([HIDDEN, end]),
            Some((key, start, value)) if key.trim().eq_ignore_ascii_case("aws_access_key_id") => {
                let id = value.trim();
                let (front, back) = (id.get(..4).unwrap_or_default(), id.len().checked_sub(4).and_then(|at| id.get(at..)));
                shown.extend([start, front, "…", back.unwrap_or_default(), end]);
            }
            _ => shown.push_str(whole),
        }
    }
    shown
}

fn is_secret(line: &str) -> bool {
    let content = line.trim_start_matches([' ', '\t', '#', ';', '\u{feff}']);
    if content.starts_with('[') {
        return false;
    }
    let key = content.split(['=', ':']).next().unwrap_or_default();
    if key.len() < content.len() && names_secret(key) {
        return true;
    }
    let words = || content.split([' ', '\t', '"', '\'', ',']);
    // A flag's or a variable's name, or user and password in an address.
    let named = |word: &str| {
        let name = word.split('=').next().unwrap_or_default();
        (word.starts_with("--") || name.len() < word.len()) && names_secret(name)
            || word.split_once("://").is_some_and(|(_, rest)| rest.split('/').next().is_some_and(|host| host.contains('@')))
    };
    words().any(named) || content.split(|c: char| !is_base64(c)).any(looks_secret)
}

fn names_secret(name: &str) -> bool {
    let name = name.trim().trim_start_matches('-').to_ascii_lowercase().replace('-', "_");
    SECRET.iter().any(|part| name.contains(part)) && !HARMLESS.contains(&&*name)
}

/// A secret access key has 40 characters; tokens and others have more. Hexadecimal digests have no capitals.
fn looks_secret(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|b| kind(&b));
    (word.len() == 40 || word.len() >= 100) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_secrets_are_left_out_and_others_are_kept() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for line in [
            format!("aws_secret_access_key = {secret}"),
            "AWS_SESSION_TOKEN=x".to_owned(),
            "  aws_security_token = x".to_owned(),
            "# aws_secret_access_key = x".to_owned(),
            "aws_secret_access_key: x".to_owned(),
            "password = x".to_owned(),
            format!("key = {secret}"),
            secret.to_owned(),
            format!("# old: {secret}"),
            "credential_process = tool --password x".to_owned(),
            "credential_process = env AWS_SECRET_ACCESS_KEY=x tool".to_owned(),
            "proxy = http://me:x@proxy:8080/".to_owned(),
            format!("key = {}", "aB1".repeat(40)),
        ] {
            let text = format!("[profile a]\r\n{line}\r\nregion = y\r\n");
            assert_eq!(without_secrets(&text), format!("[profile a]\r\n{LEFT_OUT}\r\nregion = y\r\n"), "{line}");
        }
    }

    #[test]
    fn lines_that_continue_a_secret_are_left_out() {
        let text = "[profile a]\naws_session_token =\n  one\n\n  two\nregion = y\n  more\n";
        assert_eq!(without_secrets(text), format!("[profile a]\n{LEFT_OUT}\n{LEFT_OUT}\n\n{LEFT_OUT}\nregion = y\n  more\n"));
        let key = "a = 1\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb = 2";
        assert_eq!(without_secrets(key), format!("a = 1\n{LEFT_OUT}\n{LEFT_OUT}\n{LEFT_OUT}\nb = 2"));
    }

    #[test]
    fn secrets_and_ids_are_masked_and_the_rest_is_shown() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let text = format!(
            "[a]\r\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\r\naws_secret_access_key = {secret}\n# old: {secret}\n\
             aws_session_token =\n  one\nregion = x"
        );
        let shown = "[a]\r\naws_access_key_id=AKIA…MPLE\r\naws_secret_access_key = ********\n********\n\
                     aws_session_token =********\n********\nregion = x";
        assert_eq!(masked(&text), shown);
    }

    #[test]
    fn a_text_without_secrets_is_kept_byte_for_byte() {
        let text = "\u{feff}# c\r\n[profile secret-token]\nsso_start_url = https://corp.awsapps.com/start#/\nsso_account_id = 111122223333\r\n\
                    credential_process = \"/opt/my secret/daypass\" credential-process --session corp --account 1 --role R\n\
                    web_identity_token_file = /x\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
                    role_arn = arn:aws:iam::111122223333:role/Dev\n# sha 356a192b7913b04c54574d18c28d46e6395428ab\ns3 =\n  a = 1";
        assert_eq!(without_secrets(text), text);
    }
}
