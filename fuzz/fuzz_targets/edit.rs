//! Edits arbitrary text. No edit panics, the new values can be read afterwards, the same edit again changes nothing, and all other profiles
//! keep their values.
#![no_main]

use std::path::PathBuf;

use daypass::profile::edit::{Change, apply};
use daypass::profile::ini::FileKind;
use daypass::profile::names::Session;
use daypass::profile::{Block, Config};
use libfuzzer_sys::fuzz_target;

fn config(text: &str) -> Config {
    Config::of_texts((PathBuf::from("config"), text.to_owned()), (PathBuf::new(), String::new()))
}

fn values(block: &Block<'_>) -> Vec<(String, String)> {
    block.values.iter().map(|value| (value.key.to_string(), value.text.to_string())).collect()
}

fuzz_target!(|text: &str| {
    let session = Session {
        name: "corp".to_owned(),
        start_url: "https://corp.awsapps.com/start".to_owned(),
        region: "us-east-1".to_owned(),
        scopes: vec!["sso:account:access".to_owned()],
    };
    let helper = Change::helper("dev", "/usr/bin/daypass credential-process --session corp".to_owned(), Vec::new());
    let changes = [Change::Session(session), helper.marked("corp 111122223333 Admin"), Change::Forget { name: "old".to_owned() }];
    let Ok(edited) = apply(text, FileKind::Config, &changes) else { return };
    assert_eq!(apply(&edited, FileKind::Config, &changes).as_deref(), Ok(&*edited), "the same edit again changed the text");
    let (old, new) = (config(text), config(&edited));
    let dev = new.profile("dev").expect("the edit wrote this profile");
    assert_eq!(dev.text("credential_process"), Some("/usr/bin/daypass credential-process --session corp"));
    assert_eq!(dev.mark.as_deref(), Some("corp 111122223333 Admin"));
    assert_eq!(new.session("corp").and_then(|block| block.text("sso_region").map(str::to_owned)).as_deref(), Some("us-east-1"));
    assert!(new.profile("old").is_none());
    for block in old.profiles().iter().filter(|block| !["dev", "old"].contains(&&*block.name)) {
        assert_eq!(
            values(block),
            values(&new.profile(&block.name).expect("the edit does not concern this profile")),
            "{}",
            block.name
        );
    }
});
