//! The result of `daypass audit` for programs (docs/audit.schema.json). It contains no secret. Pure.

use serde::Serialize;

use super::csv;

/// The whole result.
#[derive(Debug, Serialize)]
pub struct Document {
    /// The version of this format.
    pub version: u32,
    /// Whether everything that was to be searched could be read.
    pub complete: bool,
    /// The keys, in the order in which to deal with them.
    pub keys: Vec<Key>,
    /// The keys of migrated profiles, which are in the keyring until they are retired.
    pub parked: Vec<Parked>,
    /// What was not read.
    pub not_read: Vec<NotRead>,
    /// How much was searched.
    pub scanned: Scanned,
}

/// A long-lived key.
#[derive(Debug, Serialize)]
pub struct Key {
    /// The key's ID, or a user name; masked unless `--ids` is given.
    pub id: String,
    /// The SHA-256 of the whole ID, in hexadecimal. None for a Bedrock API key without a readable name.
    pub sha256: Option<String>,
    /// `user`, `root`, `bedrock` or `codecommit`.
    pub kind: &'static str,
    /// None if it is not known: IDs from before about spring 2019 do not contain it.
    pub account: Option<Account>,
    /// Whether `daypass migrate` has to be told the account, because the ID does not contain it.
    #[serde(skip)]
    pub needs_account: bool,
    /// How old it is, as far as is known.
    pub created: Option<Created>,
    /// What AWS says, with `--ask`.
    pub aws: Option<Aws>,
    /// Whether it is accepted.
    pub accepted: Option<Accepted>,
    /// The roles that can replace it, the best first.
    pub replacement: Vec<Replacement>,
    /// Where it is, the place to begin with first.
    pub places: Vec<Place>,
}

/// An account.
#[derive(Debug, Serialize)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// As the portal listed it last.
    pub name: Option<String>,
    /// Whether a portal lists a role in it.
    pub reachable: bool,
}

/// How old a key is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// The key is at least this many days old: a file that contains it has not changed since, or the ID has the old form.
    AtLeastDays(i64),
    /// The date, from AWS.
    Date(String),
}

/// What AWS says of a key.
#[derive(Debug, Serialize)]
pub struct Aws {
    /// The name of the IAM user.
    pub user: Option<String>,
    /// `Active` or `Inactive`.
    pub status: Option<String>,
    /// When it was used last; none if never.
    pub last_used: Option<String>,
    /// The service that it was used for.
    pub service: Option<String>,
}

/// The acceptance of a key.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// The last day on which it counts.
    pub until: String,
    /// The reason.
    pub reason: String,
    /// Whether that day has passed: the key counts again.
    pub expired: bool,
}

/// A role that can replace a key.
#[derive(Debug, Serialize)]
pub struct Replacement {
    /// The session.
    pub session: String,
    /// The account.
    pub account: String,
    /// The role.
    pub role: String,
    /// The profile that uses it already.
    pub profile: Option<String>,
}

/// A place of a key.
#[derive(Debug, Serialize)]
pub struct Place {
    /// Relative to the home folder if it is below it. For a variable: `environment:NAME`.
    pub file: String,
    /// Counted from 1; none for a variable.
    pub line: Option<usize>,
    /// The profile, in files of the AWS tools.
    pub profile: Option<String>,
    /// What the file is, such as `credentials`, `history` or `project`.
    pub kind: &'static str,
    /// Whether its secret is with it.
    pub secret: bool,
    /// The permissions in octal, on Unix.
    pub mode: Option<String>,
    /// Whether the file is in a Git work tree.
    pub git: bool,
    /// `rewrite`: `daypass migrate` changes it. `report`: nobody does but the user.
    pub can: &'static str,
    /// The line or command that replaces the key there.
    pub advice: String,
    /// The path for people.
    #[serde(skip)]
    pub shown: String,
    /// What is wrong with the place, for people.
    #[serde(skip)]
    pub notes: Vec<&'static str>,
}

/// The key of a migrated profile.
#[derive(Debug, Serialize)]
pub struct Parked {
    /// The key's ID; masked unless `--ids` is given.
    pub id: String,
    /// The profiles that had it.
    pub profiles: Vec<String>,
    /// Its account.
    pub account: String,
    /// When it was migrated.
    pub since: String,
    /// Since when it is known to be inactive.
    pub inactive_since: Option<String>,
    /// When the next step of `daypass retire` is due; none if the key is kept.
    pub due: Option<String>,
    /// Whether that date has come.
    #[serde(skip)]
    pub is_due: bool,
}

/// What was not read.
#[derive(Debug, Serialize)]
pub struct NotRead {
    /// As in [`Place::file`].
    pub file: String,
    /// The reason, as a clause.
    pub why: String,
    /// The path for people.
    #[serde(skip)]
    pub shown: String,
}

/// How much was searched.
#[derive(Debug, Serialize)]
pub struct Scanned {
    /// The number of files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// The time in milliseconds.
    pub ms: u64,
}

impl Key {
    /// Whether it still has to be dealt with.
    pub fn counts(&self) -> bool {
        self.accepted.as_ref().is_none_or(|accepted| accepted.expired)
    }
}

/// One row for each place.
pub fn csv(document: &Document) -> String {
    let head = [
        "id",
        "kind",
        "account_id",
        "account_name",
        "reachable",
        "accepted_until",
        "replacement",
        "file",
        "line",
        "profile",
        "place",
        "secret",
        "mode",
        "git",
        "can",
        "advice",
    ];
    let row = |key: &Key, place: &Place| {
        let account = key.account.as_ref();
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        vec![
            key.id.clone(),
            key.kind.to_owned(),
            text(account.map(|account| &account.id)),
            text(account.and_then(|account| account.name.as_ref())),
            account.is_some_and(|account| account.reachable).to_string(),
            text(key.accepted.as_ref().map(|accepted| &accepted.until)),
            key.replacement.iter().map(|role| role.role.as_str()).collect::<Vec<_>>().join(" "),
            place.file.clone(),
            place.line.map(|line| line.to_string()).unwrap_or_default(),
            text(place.profile.as_ref()),
            place.kind.to_owned(),
            place.secret.to_string(),
            text(place.mode.as_ref()),
            place.git.to_string(),
            place.can.to_owned(),
            place.advice.clone(),
        ]
    };
    let rows: Vec<_> = document.keys.iter().flat_map(|key| key.places.iter().map(move |place| row(key, place))).collect();
    csv::table(&head, &rows)
}
