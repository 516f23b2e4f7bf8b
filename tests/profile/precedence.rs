//! Which source each SDK uses, compared with the access keys that the SDKs really signed with.

use std::collections::HashMap;

use daypass::profile::precedence::{Kind, Precedence, Sdk};
use serde::Deserialize;

use crate::signers::SIGNERS;
use crate::{config, env};

/// `precedence.json`: arrangements of files and variables, and the access key ID that arrived at a service.
#[derive(Deserialize)]
struct Arrangements {
    cases: Vec<Arrangement>,
}

#[derive(Deserialize)]
struct Arrangement {
    name: String,
    config: String,
    credentials: String,
    env: HashMap<String, String>,
    /// The profile that was named by an argument.
    argument: Option<String>,
    signed_by: HashMap<String, Option<String>>,
}

/// The source of a key ID that the service gave out.
fn kind_of(signed_by: Option<&str>) -> Kind {
    signed_by.map_or(Kind::None, |id| SIGNERS.into_iter().find(|(prefix, _)| id.starts_with(prefix)).unwrap().1)
}

#[test]
fn every_sdk_signs_with_the_source_that_is_predicted() {
    let all: Arrangements = serde_json::from_str(include_str!("precedence.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &all.cases {
        let config = config(&case.config, &case.credentials);
        let mut vars: HashMap<&str, &str> = case.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        vars.entry("AWS_EC2_METADATA_DISABLED").or_insert("true");
        let env = env(&vars.into_iter().collect::<Vec<_>>());
        let precedence = Precedence::new(&config);
        for sdk in Sdk::ALL {
            let Some(signed_by) = case.signed_by.get(sdk.name()) else { continue };
            let signed_by = signed_by.as_deref();
            let found = precedence.ranking(sdk, &env, case.argument.as_deref());
            let (used, expected) = match kind_of(signed_by) {
                // Whether the command fails, and whether a part of the SDK is installed, is not seen in the files.
                Kind::None if found.used.kind == Kind::Login || case.config.contains("{dir}/fail") => continue,
                Kind::Container | Kind::Instance if case.config.contains("{dir}/fail") => {
                    assert!(sdk.goes_on_after_a_failed_process(), "{sdk:?}");
                    (found.shadowed[0].kind, kind_of(signed_by))
                }
                kind => (found.used.kind, kind),
            };
            let key_is_right = expected != Kind::StaticKey || found.used.key_id.as_deref() == signed_by;
            if used != expected || !key_is_right {
                wrong.push(format!("{}: {sdk:?} signed with {signed_by:?}, predicted {found:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
