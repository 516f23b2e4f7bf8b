//! A person is asked to sign in only if the result can be stored, and no secret is left where it should not be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;

use crate::locks::User;
use crate::support::portal::{Answer, Call, Latch, Portal, PortalConfig};
use crate::support::run::Run;
use crate::{configured, needs, signed_in};

/// `login` on the kernel keyring of a user who has filled it with this script.
fn login_after<'a>(user: &'a User, fill: &str) -> Run<'a> {
    needs("keyctl", "apt-get install keyutils");
    let uid = user.uid.to_string();
    user.home
        .program("setpriv")
        .args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "sh", "-c"])
        .arg(format!("{fill}\nexec \"$@\""))
        .arg("sh")
        .arg(&user.program)
        .args(["login", "corp", "--no-browser"])
        .with("DAYPASS_KEYRING", "keyutils")
}

#[test]
fn a_full_kernel_keyring_is_reported_before_the_person_is_asked() {
    let keys = "i=0; while keyctl add user foreign$i x @u; do i=$((i+1)); done >/dev/null 2>&1";
    let bytes = "head -c 17500 /dev/zero | tr '\\0' x | keyctl padd user foreign @u >/dev/null";
    for (fill, cause) in [(keys, " of 200 keys, "), (bytes, " of 20000 bytes")] {
        let portal = Portal::live(PortalConfig::default());
        let Some(user) = User::configured(&portal) else { return };
        login_after(&user, fill)
            .stderr_has("daypass: the kernel keyring is full: this user's quota of kernel keys is used up: ")
            .stderr_has(cause)
            .stderr_has("\nhint: export DAYPASS_KEYRING=file\n")
            .status(5)
            .go();
        assert_eq!(portal.count(Call::StartDeviceAuthorization), 0);
    }
}

#[test]
fn a_read_only_folder_is_reported_before_the_person_is_asked() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::configured(&portal) else { return };
    let folder = user.home.path("data/daypass");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    user.give(&folder);
    let done = user.daypass("login corp --no-browser").stderr_has("data/daypass").stderr_has("Permission denied").status(5).go();
    assert!(!done.stderr.contains("KEYRING=file"), "the back-end that has just failed is no way out: {done}");
    assert_eq!(portal.count(Call::StartDeviceAuthorization), 0);
}

#[test]
fn a_sign_in_that_can_not_be_stored_is_ended_at_the_portal() {
    let portal = Portal::live(PortalConfig::default());
    let Some(user) = User::configured(&portal) else { return };
    let latch = Latch::closed();
    portal.expect(Call::PollForToken).answered(Answer::served().after(&latch));
    let login = user.daypass("login corp --no-browser").any_stderr().status(5).spawn();
    latch.wait_for_requests(1);
    fs::set_permissions(user.home.path("data/daypass"), fs::Permissions::from_mode(0o500)).unwrap();
    latch.open();
    login.wait();
    assert_eq!(portal.count(Call::Logout), 1);
}

#[test]
fn no_core_is_dumped_while_secrets_are_in_memory_but_commands_of_exec_may_dump() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let script = |command: &str| format!("ulimit -c unlimited; {command}");
    let shell = |command: &str| home.program("sh").args(["-c", &script(command)]).any_output().fails().go().status;
    if !shell("exec sh -c 'kill -QUIT $$'").core_dumped() {
        eprintln!("\n*** NOT TESTED: this machine writes no core dumps ***\n");
        return;
    }
    assert!(shell("exec daypass exec dev -- sh -c 'kill -QUIT $$'").core_dumped());
    let latch = Latch::closed();
    portal.expect(Call::GetRoleCredentials).answered(Answer::served().after(&latch));
    let asking = home
        .program("sh")
        .args(["-c", &script("exec daypass credential-process --session corp --account 444455556666 --role ReadOnly")])
        .any_output()
        .fails()
        .spawn();
    latch.wait_for_requests(1);
    let sent = std::process::Command::new("sh").arg("-c").arg(format!("kill -QUIT {}", asking.id())).status().unwrap();
    assert!(sent.success());
    let status = asking.wait().status;
    assert_eq!((status.signal(), status.core_dumped()), (Some(3), false));
    latch.open();
}

#[test]
fn lock_files_contain_no_text_of_the_portal_and_are_deleted_once_the_call_works() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("login corp --no-browser").any_stderr().go();
    let ask = "credential-process --session corp --account 111122223333 --role Nobody";
    home.daypass(ask).any_stderr().status(4).go();
    home.daypass(ask).stderr_has("a moment ago").status(4).go();
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
    assert_eq!(home.files_with("refused ").len(), 1);
    for text in ["No access", "Forbidden", "Nobody"] {
        assert_eq!(home.files_with(text), Vec::<std::path::PathBuf>::new(), "{text}");
    }
    home.daypass("logout corp").any_stderr().go();
    assert_eq!(home.files_with("refused "), Vec::<std::path::PathBuf>::new(), "a sign-out deletes it");
}
