//! `console`: the portal's shortcut links, which require no sign-in.

use crate::configured;
use crate::support::portal::{Portal, PortalConfig};
use crate::support::run::Home;

const LINK: &str = "https://sandbox.awsapps.com/start/#/console?account_id=111122223333&role_name=DeveloperAccess";

#[test]
fn the_link_of_a_profile_is_printed_without_a_sign_in() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass("console dev --print").stdout(&format!("{LINK}\n")).go();
    home.daypass("console --print").with("AWS_PROFILE", "dev").stdout(&format!("{LINK}\n")).go();
    home.daypass("console --session corp --account 000055556666 --role Break+Glass --print")
        .stdout("https://sandbox.awsapps.com/start/#/console?account_id=000055556666&role_name=Break%2BGlass\n")
        .go();
}

#[test]
fn a_destination_is_a_service_in_the_profiles_region_or_a_console_url() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass("console dev --destination s3 --print")
        .stdout(&format!("{LINK}&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1\n"))
        .go();
    home.daypass("console dev --destination https://us-east-2.console.aws.amazon.com/x --print")
        .stdout(&format!("{LINK}&destination=https%3A%2F%2Fus-east-2.console.aws.amazon.com%2Fx\n"))
        .go();
    home.daypass("console dev --destination https://evil.example/ --print")
        .stderr_has("is not on console.aws.amazon.com")
        .status(2)
        .go();
    home.daypass("console dev --destination lamda --print")
        .stderr("daypass: there is no console page with the short name \"lamda\"; did you mean \"lambda\"?\nhint: daypass console dev --destination lambda --print\n")
        .status(2)
        .go();
}

#[test]
fn an_account_is_found_by_its_name_without_a_request_once_it_was_listed() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let named = "console --session corp --account Production --role ReadOnly --print";
    let link = LINK.replace("111122223333", "444455556666").replace("DeveloperAccess", "ReadOnly") + "\n";
    home.daypass(named).stderr("daypass: not signed in to corp\nhint: daypass login corp\n").status(3).go();
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass(named).stdout(&link).go();
    home.daypass(&named.replace("Production", "Prodution"))
        .stderr(&format!("daypass: you have no account named \"Prodution\"; did you mean \"Production\"?\nhint: daypass {named}\n"))
        .status(2)
        .go();
    home.daypass("list").stdout_has("Production").go();
    let requests = portal.requests();
    home.daypass(named).stdout(&link).go();
    assert_eq!(portal.requests(), requests);
}

#[test]
fn several_profiles_print_several_links_even_if_one_fails() {
    let portal = Portal::strict();
    let home = configured(&portal);
    home.daypass("configure --session corp --account 444455556666 --role ReadOnly --profile ro").any_stderr().go();
    let other = LINK.replace("111122223333", "444455556666").replace("DeveloperAccess", "ReadOnly");
    home.daypass("console dev ro --print").stdout(&format!("{LINK}\n{other}\n")).go();
    home.daypass("console dev nowhere ro --print")
        .stdout(&format!("{LINK}\n{other}\n"))
        .stderr_has("no profile \"nowhere\"")
        .status(2)
        .go();
    // Without a browser each address is shown.
    home.daypass("console dev ro").stderr_has(LINK).stderr_has(&other).status(1).go();
}

#[test]
fn destination_help_lists_the_short_names() {
    let home = Home::new();
    let list = home.daypass("console --destination help").stdout_has("route53 ").go().stdout;
    for (name, also) in [("route53", "r53"), ("cloudformation", "cfn"), ("dynamodb", "ddb"), ("cloudwatch", "cw")] {
        assert!(list.lines().any(|line| line.split_whitespace().take(2).eq([name, also])), "{name}: {list}");
    }
}

#[test]
fn a_launch_command_opens_the_link_in_a_container() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.daypass("login corp --no-browser").any_stderr().go();
    home.daypass("list").stdout_has("Development").go();
    home.write("browse", "#!/bin/sh\nprintf '%s|' \"$@\" >seen.new && mv seen.new seen\nprintf done >finished\n");
    home.program("chmod").args(["+x", "browse"]).go();
    home.program("mkfifo").arg("finished").go();
    let command = format!("{} \"ext+container:name={{account_name}}&url={{url}}\"", home.path("browse").display());
    home.daypass("console dev").with("DAYPASS_CONSOLE_BROWSER", command).with("BROWSER", "false").go();
    home.program("cat").arg("finished").stdout("done").go();
    let encoded = LINK.replace(':', "%3A").replace('/', "%2F").replace('#', "%23").replace('?', "%3F").replace('=', "%3D");
    assert_eq!(home.read("seen"), format!("ext+container:name=Development&url={}|", encoded.replace('&', "%26")));
    home.daypass("console dev")
        .with("DAYPASS_CONSOLE_BROWSER", "firefox {container}")
        .stderr_has("DAYPASS_CONSOLE_BROWSER has {container}; known are url, profile, account_name,")
        .status(2)
        .go();
}

#[test]
fn the_browser_opens_the_link() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    home.write("browse", "#!/bin/sh\nprintf '%s' \"$1\" >seen.new && mv seen.new seen\nprintf done >finished\n");
    home.program("chmod").args(["+x", "browse"]).go();
    home.program("mkfifo").arg("finished").go();
    home.daypass("console dev").with("BROWSER", home.path("browse")).go();
    home.program("cat").arg("finished").stdout("done").go();
    assert_eq!(home.read("seen"), LINK);
}

#[test]
fn without_a_browser_the_link_is_printed_and_the_status_is_1() {
    let portal = Portal::live(PortalConfig::default());
    let home = configured(&portal);
    let told = format!("\nhint: open this address in any browser: {LINK}\n");
    let failed = "daypass: couldn't open a browser here: ";
    for browser in ["no-such-browser", "false"] {
        home.daypass("console dev").with("BROWSER", browser).stderr_has(failed).stderr_has(&told).status(1).go();
    }
    home.daypass("console dev").stderr(&format!("{failed}there is no display{told}")).status(1).go();
    home.daypass("console dev")
        .with("DISPLAY", ":0")
        .with("SSH_CONNECTION", "1 2 3 4")
        .stderr(&format!("{failed}this is an SSH session{told}"))
        .status(1)
        .go();
}

#[test]
fn a_start_url_that_is_not_http_is_never_opened() {
    let portal = Portal::strict();
    let home = configured(&portal);
    let config = home.read(".aws/config").replace("https://sandbox.awsapps.com/start", "file:///etc/passwd");
    home.write(".aws/config", &config);
    home.daypass("console dev").stderr_has("is not a web address").status(2).go();
}
