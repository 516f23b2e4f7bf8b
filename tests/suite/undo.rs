//! `undo`: restores the previous version of the config file.

use crate::CONFIGURE;
use crate::support::run::Home;

const OWN: &str = "# mine\r\n[profile other]\r\nregion = x\r\n";

fn changed() -> (Home, String) {
    let home = Home::new();
    home.write(".aws/config", OWN);
    home.daypass(CONFIGURE).stderr_has("config.daypass.bak; 'daypass undo' restores it.").go();
    let after = home.read(".aws/config");
    (home, after)
}

#[test]
fn undo_restores_the_previous_version_and_a_second_one_takes_that_back() {
    let (home, after) = changed();
    home.daypass("undo --dry-run").stdout_has("-[profile dev]\r\n").leaves(".aws/config", &after).go();
    for text in [OWN, &after, OWN] {
        home.daypass("undo --yes").stderr_has("Restored [HOME]/.aws/config.").leaves(".aws/config", text).go();
    }
}

#[test]
fn undo_of_a_new_file_deletes_it() {
    let home = Home::new();
    home.daypass(CONFIGURE).any_stderr().go();
    let after = home.read(".aws/config");
    home.daypass("undo --yes").stderr_has("Deleted [HOME]/.aws/config.").go();
    assert!(!home.path(".aws/config").exists());
    home.daypass("undo --yes").any_stderr().leaves(".aws/config", &after).go();
}

#[test]
fn a_file_that_was_changed_since_is_not_restored() {
    let (home, after) = changed();
    let theirs = after + "# theirs\n";
    home.write(".aws/config", &theirs);
    home.daypass("undo --yes")
        .stderr_has("[HOME]/.aws/config was changed since daypass wrote it")
        .stderr_has("\nhint: diff [HOME]/.aws/config.daypass.bak [HOME]/.aws/config\n")
        .status(1)
        .leaves(".aws/config", &theirs)
        .go();
}

#[test]
fn a_backup_without_its_secrets_or_one_that_was_changed_is_not_restored() {
    let home = Home::new();
    home.write(".aws/config", "[profile other]\naws_secret_access_key = x\n");
    home.daypass(CONFIGURE).any_stderr().go();
    home.daypass("undo --yes").stderr_has("lacks the secrets that the file contained").status(1).go();
    let (home, after) = changed();
    home.write(".aws/config.daypass.bak", "x");
    home.daypass("undo --yes").stderr_has("config.daypass.bak was changed").status(1).leaves(".aws/config", &after).go();
}

#[test]
fn without_a_change_or_a_terminal_undo_says_what_to_do() {
    let home = Home::new();
    home.daypass("undo --yes").stderr_has("there is no recorded change").status(1).go();
    let (home, after) = changed();
    home.daypass("undo").stderr_has("\nhint: daypass undo --yes\n").status(2).leaves(".aws/config", &after).go();
}

#[cfg(unix)]
#[test]
fn undo_shows_the_difference_and_asks() {
    let (home, after) = changed();
    let home = home.with("TERM", "xterm-256color");
    let mut terminal = crate::terminal::Terminal::new(&home, "undo", 80, 24);
    terminal.shows("-[profile dev]").answer("[Y/n]", "n").shows("Nothing was changed.");
    terminal.ends(0);
    assert_eq!(home.read(".aws/config"), after);
    let mut terminal = crate::terminal::Terminal::new(&home, "undo", 40, 15);
    terminal.enter("[Y/n]").shows("Restored");
    terminal.ends(0);
    assert_eq!(home.read(".aws/config"), OWN);
}
