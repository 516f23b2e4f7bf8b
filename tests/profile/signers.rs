//! The key IDs that the services of the arrangements give out, and the source that each comes from.

use daypass::profile::precedence::Kind;

/// The beginning of a key ID, and its source.
pub(crate) const SIGNERS: [(&str, Kind); 7] = [
    ("ASIAPROC", Kind::CredentialProcess),
    ("ASIASSO", Kind::Sso),
    ("ASIAROLE", Kind::AssumeRole),
    ("ASIAWEBID", Kind::WebIdentity),
    ("ASIACONT", Kind::Container),
    ("ASIAIMDS", Kind::Instance),
    ("AKIA", Kind::StaticKey),
];
