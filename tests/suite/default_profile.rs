//! `use`: makes a profile the default, and undoes that byte for byte.

use crate::configured;
use crate::support::portal::Portal;
use crate::support::run::Home;
use crate::terminal::{self, Terminal};

/// A home with the profiles `dev` and `ro`, and this text before them.
fn home(before: &str) -> Home {
    let home = configured(&Portal::strict());
    home.daypass("configure --session corp --account 444455556666 --role ReadOnly --profile ro").any_stderr().go();
    home.write(".aws/config", &format!("{before}{}", home.read(".aws/config")));
    home
}

/// The section `[default]` of the config file.
fn default(home: &Home) -> String {
    let config = home.read(".aws/config");
    let (_, rest) = config.split_once("[default]\n").unwrap();
    rest.split("\n[").next().unwrap().trim_end().to_owned()
}

#[test]
fn default_becomes_a_copy_of_the_profile_and_is_restored_byte_for_byte() {
    for before in [
        "",
        "[default]\nregion = us-east-1\n\n",
        "# mine\n[default]\n# why\noutput=json  \nregion = mars-1\ncli_pager =\ns3 =\n  max_concurrent_requests = 20\n\n",
        "[default]\nsso_session = corp\nsso_account_id = 444455556666\nsso_role_name = ReadOnly\nregion = us-east-1\n\n",
    ] {
        let home = home(before);
        let config = home.read(".aws/config");
        home.daypass("use dev").stderr_has("The default is now dev: DeveloperAccess in 111122223333, eu-west-1.").go();
        let section = default(&home);
        assert!(
            section.contains("--account 111122223333 --role DeveloperAccess") && section.contains("region = eu-west-1"),
            "{section}"
        );
        assert!(!section.contains("mars-1") && !section.contains("sso_"), "{section}");
        home.daypass("console --print").stdout_has("account_id=111122223333&role_name=DeveloperAccess").go();
        let written = home.read(".aws/config");
        home.daypass("use dev").stderr_has("The default is already dev").go();
        assert_eq!(home.read(".aws/config"), written);
        // Another one replaces it; the user's own is kept all the same.
        home.daypass("use ro").stderr_has("The default is now ro: ReadOnly in 444455556666.").go();
        assert!(!default(&home).contains("DeveloperAccess"));
        home.daypass("use --none").stderr_has("Restored [default] in").go();
        assert_eq!(home.read(".aws/config"), config);
        home.daypass("use --none").stderr_has("Nothing to restore").go();
        assert_eq!(home.read(".aws/config"), config);
    }
}

#[test]
fn what_changed_since_stays() {
    let home = home("[default]\nregion = us-east-1\noutput = json\n\n");
    home.daypass("use dev").any_stderr().go();
    let added = "\n[profile new]\nregion = eu-north-1\n";
    home.write(".aws/config", &(home.read(".aws/config") + added).replace("[default]\n", "[default]\ncli_pager = less\n"));
    home.daypass("use --none").any_stderr().go();
    let section = default(&home);
    let mut lines: Vec<&str> = section.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["cli_pager = less", "output = json", "region = us-east-1"]);
    assert!(home.read(".aws/config").ends_with(added));
}

#[test]
fn access_keys_of_default_are_never_touched() {
    let keys = "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n\n";
    for in_config in [true, false] {
        let home = home(if in_config { keys } else { "" });
        if !in_config {
            home.write(".aws/credentials", keys);
        }
        let before = home.read(".aws/config");
        home.daypass("use dev")
            .stderr_has("[default] has aws_access_key_id (")
            .stderr_has("\nhint: daypass migrate default\n")
            .status(2)
            .go();
        assert_eq!(home.read(".aws/config"), before);
    }
}

#[test]
fn profiles_of_the_sdks_own_sign_in_and_chains_work_through_daypass() {
    let native = "[profile native]\nsso_session = corp\nsso_account_id = 444455556666\nsso_role_name = ReadOnly\nregion = us-west-2\n\n\
                  [profile deploy]\nrole_arn = arn:aws:iam::222233334444:role/Deploy\nsource_profile = native\n\n";
    let home = home(native);
    home.daypass("use native").stderr_has("The default is now native: ReadOnly in 444455556666, us-west-2.").go();
    assert!(default(&home).contains("credential-process --profile native"));
    home.daypass("use deploy").stderr_has("The default is now deploy: Deploy via native in 222233334444").go();
    home.daypass("use nowhere").stderr_has("no profile \"nowhere\"").status(2).go();
    home.daypass("use default").stderr_has("[default] already is the default").status(2).go();
}

#[test]
fn a_dry_run_writes_nothing_and_what_takes_precedence_is_told() {
    let home = home("[profile based]\nrole_arn = arn:aws:iam::222233334444:role/Deploy\nsource_profile = default\n\n");
    let before = home.read(".aws/config");
    home.daypass("use dev --dry-run").stdout_has("+[default]\n+credential_process = ").go();
    assert_eq!(home.read(".aws/config"), before);
    home.daypass("use").stderr_has("PROFILE is missing").status(2).go();
    home.daypass("use dev")
        .with("AWS_PROFILE", "ro")
        .stderr_has("In this shell AWS_PROFILE is ro, which takes precedence.")
        .stderr_has("so these now use it too: based.")
        .go();
    home.daypass("use --none --dry-run").stdout_has("-[default]\n").go();
    assert!(home.read(".aws/config").contains("[default]"));
}

#[test]
fn without_a_name_the_picker_shows_the_profiles() {
    let portal = Portal::strict();
    let home = terminal::home(&portal);
    home.daypass(crate::CONFIGURE).any_stderr().go();
    for (columns, lines) in [(40, 15), (80, 24)] {
        let mut terminal = Terminal::new(&home, "use", columns, lines);
        terminal.shows("Which profile?").shows("1 of 1").types("\r").shows("The default is");
        terminal.ends(0);
        home.daypass("use --none").any_stderr().go();
    }
}
