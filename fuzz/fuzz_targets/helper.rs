//! Parses any `credential_process` line: nothing panics, and a line that daypass writes is read back as it was meant.
#![no_main]

use daypass::profile::helper;
use daypass::profile::names::{AccountId, RoleName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = helper::read(text);
    let mut words = text.splitn(4, '\n');
    let mut word = || words.next().unwrap_or_default();
    let (program, session) = (word(), word());
    let (Some(account), Ok(role)) = (AccountId::new(word()), RoleName::new(word())) else { return };
    if let Ok(line) = helper::line(program, session, &account, &role)
        && let Some(request) = helper::read(&line)
    {
        assert_eq!(request.session.as_deref(), Some(session));
        assert_eq!(request.account.as_deref(), Some(account.as_str()));
        assert_eq!(request.role.as_deref(), Some(role.as_str()));
    }
});
