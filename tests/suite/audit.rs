//! `audit`: which keys are found in a home and which are not, what is never opened, and the output for people and programs.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::migrate;
use crate::support::portal::{Account, Call, Portal, PortalConfig};
use crate::support::run::{DAYPASS, Home};

const SESSION: &str = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n";
const ROLES: &str = r#"[{"start_url":"https://corp.awsapps.com/start","region":"us-east-1","at":1790000000,"accounts":[
    {"id":"111122223333","name":"Staging","roles":["AdministratorAccess","DeveloperAccess"]},
    {"id":"444455556666","name":"Production","roles":["ReadOnlyAccess"]}]}]"#;
/// Staging, Production, and one that the user does not reach.
const STAGING: u64 = 111_122_223_333;
const PRODUCTION: u64 = 444_455_556_666;
const FOREIGN: u64 = 999_988_887_777;

/// Pseudo-random numbers, the same for the same seed.
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// A key ID of this account.
fn id(account: u64, number: u64) -> String {
    let mut next = random(number);
    let bits = 1_u128 << 79 | u128::from(account) << 39 | u128::from(next() >> 25);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let body = (0..16).rev().map(|at| char::from(letters[usize::try_from(bits >> (5 * at) & 31).unwrap()]));
    "AKIA".chars().chain(body).collect()
}

/// A key ID of the form that does not contain the account.
fn old_id(number: u64) -> String {
    let mut next = random(number + 1000);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let body: String = (0..15).map(|_| char::from(letters[usize::try_from(next() >> 20 & 31).unwrap()])).collect();
    format!("AKIAJ{body}")
}

/// A secret access key. All contain the characters that other formats escape.
fn secret(number: u64) -> String {
    let mut next = random(number + 77);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body: String = (0..36).map(|_| char::from(letters[usize::try_from(next() >> 20 & 63).unwrap()])).collect();
    format!("a+{}/Z{}", &body[..18], &body[18..])
}

/// A home with the session, and the roles that its portal listed.
fn home() -> Home {
    let home = Home::new();
    home.write(".aws/config", SESSION);
    home.write(".local/state/daypass/roles.json", ROLES);
    home
}

fn found(json: &Value) -> BTreeSet<(String, Option<u64>)> {
    let places = json["keys"].as_array().unwrap().iter().flat_map(|key| key["places"].as_array().unwrap());
    places.map(|place| (place["file"].as_str().unwrap().to_owned(), place["line"].as_u64())).collect()
}

/// A place: the file, its text with `{ID}` and `{SECRET}` (as fish or JSON escapes it: `{FISHED}`, `{JSONED}`), and the line with the ID.
const PLACES: &[(&str, &str, u64)] = &[
    (".aws/credentials", "# me\n[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n", 3),
    (".aws/credentials.bak", "[default]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\n", 2),
    (".aws/old/credentials", "[old]\naws_access_key_id = {ID}\n", 2),
    (".aws/credentials~", "[old]\nregion = x\naws_access_key_id = {ID}\n", 3),
    (".bashrc", "alias x=y\nexport AWS_ACCESS_KEY_ID={ID}\nexport AWS_SECRET_ACCESS_KEY=\"{SECRET}\"\n", 2),
    (".zshenv", "export AWS_ACCESS_KEY_ID='{ID}' AWS_SECRET_ACCESS_KEY='{SECRET}'\n", 1),
    (".zprofile", "#export AWS_ACCESS_KEY_ID={ID}\n", 1),
    (".aliases", "alias prod='AWS_ACCESS_KEY_ID={ID} AWS_SECRET_ACCESS_KEY={SECRET} aws'\n", 1),
    (".config/fish/config.fish", "set -gx AWS_ACCESS_KEY_ID {ID}\nset -gx AWS_SECRET_ACCESS_KEY {SECRET}\n", 1),
    (".config/fish/conf.d/aws.fish", "set -x AWS_ACCESS_KEY_ID {ID}\n", 1),
    (
        ".config/fish/fish_variables",
        "# This file contains fish universal variable definitions.\n# VERSION: 3.0\nSETUVAR --export AWS_ACCESS_KEY_ID:{ID}\nSETUVAR --export AWS_SECRET_ACCESS_KEY:{FISHED}\n",
        3,
    ),
    (".config/nushell/env.nu", "$env.AWS_ACCESS_KEY_ID = \"{ID}\"\n$env.AWS_SECRET_ACCESS_KEY = \"{SECRET}\"\n", 1),
    (
        ".config/powershell/Microsoft.PowerShell_profile.ps1",
        "$env:AWS_ACCESS_KEY_ID = '{ID}'\r\n$env:AWS_SECRET_ACCESS_KEY = '{SECRET}'\r\n",
        1,
    ),
    ("Documents/WindowsPowerShell/profile.ps1", "\u{feff}$env:AWS_ACCESS_KEY_ID='{ID}'\r\n", 1),
    (".config/environment.d/aws.conf", "AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n", 1),
    (".pam_environment", "AWS_ACCESS_KEY_ID DEFAULT={ID}\n", 1),
    (
        "Library/LaunchAgents/env.plist",
        "<dict>\n<key>AWS_ACCESS_KEY_ID</key>\n<string>{ID}</string>\n<key>AWS_SECRET_ACCESS_KEY</key>\n<string>{SECRET}</string>\n</dict>\n",
        3,
    ),
    (".config/systemd/user/sync.service", "[Service]\nEnvironment=AWS_ACCESS_KEY_ID={ID} AWS_SECRET_ACCESS_KEY={SECRET}\n", 2),
    (".bash_history", "ls\naws configure set aws_access_key_id {ID}\naws configure set aws_secret_access_key {SECRET}\n", 2),
    (
        ".zsh_history",
        ": 1700000000:0;ls\n: 1700000001:0;export AWS_ACCESS_KEY_ID={ID}\n: 1700000002:0;export AWS_SECRET_ACCESS_KEY={SECRET}\n",
        2,
    ),
    (".local/share/powershell/PSReadLine/ConsoleHost_history.txt", "$env:AWS_ACCESS_KEY_ID=\"{ID}\"\n", 1),
    (
        "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
        "Set-AWSCredential -AccessKey {ID} -SecretKey {SECRET}\r\n",
        1,
    ),
    (".python_history", "import boto3\nboto3.client('s3', aws_access_key_id='{ID}', aws_secret_access_key='{SECRET}')\n", 2),
    (".psql_history", "select aws_s3.query_export_to_s3('..', aws_commons.create_aws_credentials('{ID}', '{SECRET}', ''));\n", 1),
    ("src/shop/.env", "PORT=80\nAWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n", 2),
    ("src/shop/.env.production", "S3_KEY={ID}\nS3_SECRET={SECRET}\n", 1),
    ("src/shop/.envrc", "export AWS_ACCESS_KEY_ID={ID}\n", 1),
    ("src/shop/mise.toml", "[env]\nAWS_ACCESS_KEY_ID = \"{ID}\"\nAWS_SECRET_ACCESS_KEY = \"{SECRET}\"\n", 2),
    (
        "src/shop/docker-compose.yml",
        "services:\n  web:\n    environment:\n      - AWS_ACCESS_KEY_ID={ID}\n      - AWS_SECRET_ACCESS_KEY={SECRET}\n",
        4,
    ),
    (
        "src/shop/compose.override.yaml",
        "services: {web: {environment: {AWS_ACCESS_KEY_ID: {ID}, AWS_SECRET_ACCESS_KEY: {SECRET}}}}\n",
        1,
    ),
    ("src/infra/prod.tfvars", "access_key = \"{ID}\"\nsecret_key = \"{SECRET}\"\n", 1),
    (
        "src/infra/.terraform/terraform.tfstate",
        "{\n \"backend\": {\n  \"config\": {\n   \"access_key\": \"{ID}\",\n   \"secret_key\": \"{SECRET}\"\n  }\n }\n}\n",
        4,
    ),
    ("src/fn/serverless.yml", "provider:\n  environment:\n    AWS_ACCESS_KEY_ID: {ID}\n    AWS_SECRET_ACCESS_KEY: {SECRET}\n", 3),
    ("src/fn/Pulumi.dev.yaml", "config:\n  aws:accessKey: {ID}\n  aws:secretKey: {SECRET}\n", 2),
    ("src/fn/image.pkr.hcl", "source \"amazon-ebs\" \"x\" {\n  access_key = \"{ID}\"\n  secret_key = \"{SECRET}\"\n}\n", 2),
    ("src/fn/Vagrantfile", "aws.access_key_id = \"{ID}\"\naws.secret_access_key = \"{SECRET}\"\n", 1),
    ("src/play/group_vars/all.yml", "aws_access_key: {ID}\naws_secret_key: {SECRET}\n", 1),
    (
        "src/play/.chalice/config.json",
        "{\"stages\": {\"dev\": {\"environment_variables\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}}}\n",
        1,
    ),
    (
        "src/play/.vscode/launch.json",
        "{\"env\": {\n\"AWS_ACCESS_KEY_ID\": \"{ID}\",\n\"AWS_SECRET_ACCESS_KEY\": \"{SECRET}\"}}\n",
        2,
    ),
    ("src/play/.vscode/settings.json", "{\"terminal.integrated.env.linux\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    (
        "src/play/.idea/workspace.xml",
        "<envs>\n<env name=\"AWS_ACCESS_KEY_ID\" value=\"{ID}\" />\n<env name=\"AWS_SECRET_ACCESS_KEY\" value=\"{SECRET}\" />\n</envs>\n",
        2,
    ),
    (
        "src/play/analysis.ipynb",
        "{\"cells\": [{\"source\": [\"os.environ['AWS_ACCESS_KEY_ID'] = '{ID}'\\n\", \"os.environ['AWS_SECRET_ACCESS_KEY'] = '{SECRET}'\"]}]}\n",
        1,
    ),
    (".aws/cli/alias", "[toplevel]\nold = !AWS_ACCESS_KEY_ID={ID} AWS_SECRET_ACCESS_KEY={SECRET} aws\n", 2),
    (".zshrc.d/aws.zsh", "export AWS_ACCESS_KEY_ID={ID}\n", 1),
    (".Renviron", "AWS_ACCESS_KEY_ID={ID}\n", 1),
    (".dotfiles/.bashrc", "\nexport AWS_ACCESS_KEY_ID={ID}\n", 2),
    ("src/play/.gitlab-ci.yml", "variables:\n  AWS_ACCESS_KEY_ID: {ID}\n  AWS_SECRET_ACCESS_KEY: {SECRET}\n", 2),
    ("src/play/.github/workflows/x.yaml", "env:\n  AWS_ACCESS_KEY_ID: {ID}\n  AWS_SECRET_ACCESS_KEY: {SECRET}\n", 2),
    ("src/play/k8s/secret.yaml", "stringData:\n  id: {ID}\n  secret: {SECRET}\n", 2),
    ("src/play/bin/deploy.sh", "export AWS_ACCESS_KEY_ID={ID} AWS_SECRET_ACCESS_KEY={SECRET}\n", 1),
    ("src/play/.dvc/config.local", "['remote \"s3\"']\n    access_key_id = {ID}\n    secret_access_key = {SECRET}\n", 2),
    (
        "src/play/.mcp.json",
        "{\"mcpServers\": {\"aws\": {\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\", \"AWS_SECRET_ACCESS_KEY\": \"{JSONED}\"}}}}\n",
        1,
    ),
    (".claude.json", "{\"mcpServers\": {\n\"aws\": {\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}}}\n", 2),
    (".cursor/mcp.json", "{\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    (".codex/config.toml", "[mcp_servers.aws.env]\nAWS_ACCESS_KEY_ID = \"{ID}\"\nAWS_SECRET_ACCESS_KEY = \"{SECRET}\"\n", 2),
    (".gemini/settings.json", "{\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    (".kiro/settings/mcp.json", "{\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    (".config/Code/User/mcp.json", "{\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    ("Library/Application Support/Claude/claude_desktop_config.json", "{\"env\": {\"AWS_ACCESS_KEY_ID\": \"{ID}\"}}\n", 1),
    ("Downloads/accessKeys.csv", "Access key ID,Secret access key\n{ID},{SECRET}\n", 2),
    ("Downloads/bob_accessKeys (1).csv", "\u{feff}Access key ID,Secret access key\r\n{ID},{SECRET}\r\n", 2),
    (
        "Downloads/credentials.csv",
        "User name,Password,Access key ID,Secret access key,Console login link\nbob,,{ID},{SECRET},https://x\n",
        2,
    ),
    ("Downloads/rootkey.csv", "AWSAccessKeyId={ID}\nAWSSecretKey={SECRET}\n", 1),
    (".boto", "[Credentials]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n", 2),
    (".config/rclone/rclone.conf", "[s3]\ntype = s3\naccess_key_id = {ID}\nsecret_access_key = {SECRET}\n", 3),
    (".s3cfg", "[default]\naccess_key = {ID}\nbucket = x\nsecret_key = {SECRET}\n", 2),
    (
        ".mc/config.json",
        "{\"aliases\": {\"s3\": {\"url\": \"https://s3.amazonaws.com\", \"accessKey\": \"{ID}\", \"secretKey\": \"{SECRET}\"}}}\n",
        1,
    ),
    (".m2/settings.xml", "<server><id>s3</id><username>{ID}</username><password>{SECRET}</password></server>\n", 1),
    (".gradle/gradle.properties", "awsAccessKeyId={ID}\nawsSecretAccessKey={SECRET}\n", 1),
    (
        ".kube/config",
        "users:\n- user:\n    exec:\n      env:\n      - name: AWS_ACCESS_KEY_ID\n        value: {ID}\n      - name: AWS_SECRET_ACCESS_KEY\n        value: {SECRET}\n",
        6,
    ),
    ("AppData/Roaming/Cyberduck/Bookmarks/s3.duck", "<key>Username</key>\n<string>{ID}</string>\n", 2),
    ("old-laptop/.aws/credentials", "[dev]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n", 2),
];

/// Texts in which there is no key. `OWN` is an ID of an account of the user's, `OTHER` one of another account.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("src/docs/.env", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"),
    ("src/docs/.env.sample", "AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/.env.test", "AWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\n"),
    ("src/docs/.env.r2", "AWS_ACCESS_KEY_ID=0123456789abcdef0123456789abcdef\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/.env.sts", "AWS_ACCESS_KEY_ID=ASIAY34FZKBOKMUTVV7A\nAWS_SECRET_ACCESS_KEY=SECRET\nAWS_SESSION_TOKEN=x\n"),
    ("src/docs/.env.local", "AWS_ACCESS_KEY_ID=LKIAQAAAAAAAGMKEM7X5\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/.env.digit", "AWS_ACCESS_KEY_ID=AKIARZPUZDIKGB2VALC1\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/.env.fifth", "AWS_ACCESS_KEY_ID=AKIAAZPUZDIKGB2VALC4\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/.env.long", "X=OWNX\nY=XOWN\nZ=OWN_2\n"),
    (
        "src/docs/.env.link",
        "URL=https://b.s3.amazonaws.com/k?AWSAccessKeyId=OWN&Signature=x&Expires=1\nURL=https://b.s3.amazonaws.com/?X-Amz-Credential=OWN%2F20260101%2Fus-east-1%2Fs3%2Faws4_request\n",
    ),
    ("src/docs/.env.id", "USER_ID=AIDARZPUZDIKGB2VALC4\nROLE=AROARZPUZDIKGB2VALC4\n"),
    ("src/docs/terraform.tfstate", "{\"id\": \"AIDARZPUZDIKGB2VALC4\", \"etag\": \"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}\n"),
    (
        ".bash_history",
        "aws iam delete-access-key --access-key-id OWN\ndaypass retire OWN\ngit show da39a3ee5e6b4b0d3255bfef95601890afd80709\n",
    ),
    (".aws/config", "\n[profile dev]\ncredential_process = daypass credential-process --session corp\n"),
    (".aws/credentials.daypass.bak", "[default]\naws_access_key_id = OWN\n# (left out of the backup: a secret)\n"),
    (
        ".aws/credentials",
        "[tmp]\naws_access_key_id = ASIAY34FZKBOKMUTVV7A\naws_secret_access_key = SECRET\naws_session_token = x\n[helper]\ncredential_process = x\n",
    ),
    ("src/docs/README.md", "Set AWS_ACCESS_KEY_ID=OTHER and AWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/node_modules/aws-sdk/.env", "AWS_ACCESS_KEY_ID=OTHER\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/venv/pyvenv.cfg", "home = /usr\n"),
    ("src/docs/venv/lib/.env", "AWS_ACCESS_KEY_ID=OTHER\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    ("src/docs/Dockerfile", "ENV AWS_ACCESS_KEY_ID=OTHER\n"),
    ("src/docs/.ssh/id_rsa", "AWS_ACCESS_KEY_ID=OWN\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    (".ssh/id_ed25519", "AWS_ACCESS_KEY_ID=OWN\nAWS_SECRET_ACCESS_KEY=SECRET\n"),
    (
        "src/docs/.env.bearer",
        "AWS_BEARER_TOKEN_BEDROCK=bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbg\n",
    ),
    (".git-credentials", "https://bob:hunter2@github.com\n"),
    (".gitconfig", "[url \"https://bob-at-111122223333@git-codecommit.us-east-1.amazonaws.com\"]\n"),
];

fn filled(text: &str, account: u64, number: u64) -> String {
    let secret = secret(number);
    let fished = secret.replace('+', "\\x2b").replace('/', "\\x2f");
    let jsoned = secret.replace('+', "\\u002b").replace('/', "\\/");
    let text = text.replace("{FISHED}", &fished).replace("{JSONED}", &jsoned).replace("{SECRET}", &secret);
    text.replace("{ID}", &id(account, number))
}

#[test]
fn every_place_is_found_with_its_exact_line_and_no_look_alike_is() {
    let home = home();
    let mut expected = BTreeSet::new();
    for (number, (file, text, line)) in (1..).zip(PLACES) {
        home.write(file, &filled(text, STAGING, number));
        expected.insert(((*file).to_owned(), Some(*line)));
    }
    for (file, text) in LOOK_ALIKES {
        let text = text.replace("OWN", &id(STAGING, 900)).replace("OTHER", &id(FOREIGN, 901)).replace("SECRET", &secret(902));
        let before = fs::read_to_string(home.path(file)).unwrap_or_default();
        home.write(file, &(before + &text));
    }
    let json = home.daypass("audit --format json").stdout_has("{").status(7).go().json();
    let missing: Vec<_> = expected.difference(&found(&json)).cloned().collect();
    let alarms: Vec<_> = found(&json).difference(&expected).cloned().collect();
    assert!(missing.is_empty() && alarms.is_empty(), "missing: {missing:#?}\nfalse alarms: {alarms:#?}");
    assert_eq!(json["keys"].as_array().unwrap().len(), PLACES.len(), "each place has a key of its own");
    // Whole text: also what is not in files that are named like places.
    let all = home.daypass("audit --all --format json --ids").stdout_has("{").status(7).go().json();
    let more: Vec<_> = found(&all).difference(&expected).map(|(file, _)| file.clone()).collect();
    assert_eq!(more, ["src/docs/README.md", "src/docs/node_modules/aws-sdk/.env", "src/docs/venv/lib/.env"]);
    // No secret in any output.
    for command in ["audit", "audit --all -vv", "audit --all --ids --format json", "audit --format csv"] {
        let done = home.daypass(command).any_output().with("DAYPASS_LOG", "trace").status(7).go();
        for number in (1..=PLACES.len() as u64).chain([902]) {
            let secret = secret(number);
            let output = done.stdout.clone() + &done.stderr;
            assert!(!output.contains(&secret[..12]) && !output.contains(&secret[28..]), "{command}: a secret is printed");
        }
    }
}

/// A pair of keys as environment files and the AWS tools have them.
fn pair(account: u64, number: u64) -> String {
    format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", id(account, number), secret(number))
}

fn audit(home: &Home, arguments: &str, status: i32) -> Value {
    home.daypass(&format!("audit --format json {arguments}")).any_stderr().stdout_has("{").status(status).go().json()
}

/// The masked form of a key.
fn masked(id: &str) -> String {
    format!("{}…{}", &id[..4], &id[16..])
}

#[test]
fn people_get_one_entry_for_each_key_and_the_line_that_replaces_it() {
    let home = home();
    home.write(
        ".aws/credentials",
        &format!(
            "[default]\n{0}[dev]\n{0}[old]\naws_access_key_id = {1}\naws_secret_access_key = {2}\n",
            pair(STAGING, 1),
            old_id(2),
            secret(2)
        ),
    );
    home.write(".aws/credentials.bak", &format!("[default]\n{}", pair(STAGING, 1)));
    home.write(".bashrc", &format!("\nexport AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}\n", id(STAGING, 3), secret(3)));
    home.write("Downloads/rootkey.csv", &format!("AWSAccessKeyId={}\nAWSSecretKey={}\n", id(PRODUCTION, 4), secret(4)));
    home.write("src/x/.env", &format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", id(PRODUCTION, 5), secret(5)));
    home.write("src/x/.env.old", &format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", id(FOREIGN, 6), secret(6)));
    for file in [".aws/credentials", ".bashrc", "Downloads/rootkey.csv", "src/x/.env", "src/x/.env.old"] {
        permit(&home, file, 0o600);
    }
    permit(&home, ".aws/credentials.bak", 0o644);
    let [one, old, three, root, five, six] =
        [id(STAGING, 1), old_id(2), id(STAGING, 3), id(PRODUCTION, 4), id(PRODUCTION, 5), id(FOREIGN, 6)].map(|id| masked(&id));
    let table = home
        .daypass("audit")
        .stderr_has("6 long-lived keys in 8 places. ")
        .stderr_has("Next: daypass migrate dev\n")
        .stdout_has("")
        .status(7)
        .go();
    let notes = if cfg!(unix) { "a copy; other users can read it" } else { "a copy" };
    let blank = " ".repeat(notes.len());
    let expected = [
        format!("KEY        WHERE                      PROFILE  ACCOUNT                        NOTES{}  REPLACE WITH", &blank[5..]),
        format!(
            "{one}  ~/.aws/credentials:2       default  Staging 111122223333           {blank}  DeveloperAccess (1 of 2 roles)"
        ),
        "           ~/.aws/credentials:5       dev".to_owned(),
        format!("           ~/.aws/credentials.bak:2   default                                 {notes}  rm ~/.aws/credentials.bak"),
        format!("{old}  ~/.aws/credentials:8       old      unknown (created before 2019)  {blank}  daypass audit --ask"),
        format!(
            "{root}  ~/Downloads/rootkey.csv:1           Production 444455556666        {blank}  root key: delete it in the console"
        ),
        format!("{three}  ~/.bashrc:2                         Staging 111122223333           {blank}  export AWS_PROFILE=dev"),
        format!(
            "{five}  ~/src/x/.env:1                      Production 444455556666        {blank}  AWS_PROFILE=Production.ReadOnlyAccess"
        ),
        format!("{six}  ~/src/x/.env.old:1                  {FOREIGN}                   {blank}  AWS_PROFILE=NAME"),
    ];
    assert_eq!(table.stdout, expected.map(|line| line + "\n").concat());
}

#[cfg(unix)]
fn permit(home: &Home, file: &str, mode: u32) {
    fs::set_permissions(home.path(file), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn permit(_: &Home, _: &str, _: u32) {}

#[test]
fn json_tells_account_replacement_age_and_permissions_and_fits_its_schema() {
    let home = home();
    home.write(".aws/credentials", &format!("[dev]\n{}", pair(STAGING, 1)));
    home.write("src/x/.git/HEAD", "ref: x\n");
    home.write("src/x/deploy/.env", &pair(STAGING, 1));
    home.write("src/y/.env", &format!("KEY={}\n", id(FOREIGN, 2)));
    home.write("src/y/.env.old", &format!("KEY={}\n", old_id(3)));
    permit(&home, ".aws/credentials", 0o600);
    permit(&home, "src/x/deploy/.env", 0o640);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(24 * 100);
    fs::File::open(home.path(".aws/credentials")).unwrap().set_modified(long_ago).unwrap();
    let json = audit(&home, "", 7);
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    check(&json, &schema, &schema, "$");
    let [dev, second, third] = json["keys"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    assert_eq!(dev["id"], masked(&id(STAGING, 1)));
    assert_eq!(dev["account"], serde_json::json!({"id": "111122223333", "name": "Staging", "reachable": true}));
    assert_eq!(dev["created"]["at_least_days"], 100);
    let role = |role| serde_json::json!({"session": "corp", "account": "111122223333", "role": role, "profile": null});
    assert_eq!(dev["replacement"], Value::Array(vec![role("DeveloperAccess"), role("AdministratorAccess")]));
    let [file, copy] = dev["places"].as_array().unwrap().as_slice() else { panic!("{dev:#}") };
    let place = |place: &Value| ["file", "profile", "kind", "can", "git", "secret"].map(|key| place[key].clone());
    let mut expected = [".aws/credentials", "dev", "credentials", "rewrite"].map(Value::from).to_vec();
    expected.extend([false.into(), true.into()]);
    assert_eq!(place(file).to_vec(), expected);
    assert_eq!(place(copy)[3..], [Value::from("report"), true.into(), true.into()]);
    if cfg!(unix) {
        assert_eq!((&file["mode"], &copy["mode"]), (&"0600".into(), &"0640".into()));
    }
    assert_eq!(second["account"], serde_json::json!({"id": FOREIGN.to_string(), "name": null, "reachable": false}));
    assert_eq!((&second["replacement"], &second["places"][0]["secret"]), (&Value::Array(Vec::new()), &false.into()));
    assert_eq!((&third["account"], third["created"]["at_least_days"].as_i64().unwrap() > 2500), (&Value::Null, true));
    // The order is stable.
    let rest = |mut json: Value| {
        json["scanned"]["ms"] = 0.into();
        json
    };
    assert_eq!(rest(json), rest(audit(&home, "", 7)));
    home.daypass("audit --format csv").stdout_has("id,kind,account_id,").stdout_has(",src/y/.env,1,,project,false,").status(7).go();
    let whole = audit(&home, "--ids", 7);
    assert_eq!(whole["keys"][0]["id"], id(STAGING, 1));
    assert_eq!(whole["keys"][0]["sha256"].as_str().unwrap().len(), 64);
}

/// Checks a value against the part of JSON Schema that docs/audit.schema.json uses.
fn check(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return check(value, &root["$defs"][name.rsplit('/').next().unwrap()], root, at);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let schema = any.iter().find(|schema| (schema["type"] == "null") == value.is_null()).unwrap();
        return check(value, schema, root, at);
    }
    let of = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    assert!(types.contains(&of.into()), "{at} is {of}, not {types:?}");
    if let Some(values) = schema["enum"].as_array() {
        assert!(values.contains(value), "{at}: {value}");
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        check(item, &schema["items"], root, &format!("{at}[{number}]"));
    }
    if let Some(object) = value.as_object() {
        for (key, value) in object {
            let property = schema["properties"].get(key).unwrap_or_else(|| panic!("{at}.{key} is not in the schema"));
            check(value, property, root, &format!("{at}.{key}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(required.as_str().unwrap()), "{at} has no {required}");
        }
    }
}

#[test]
fn an_id_alone_elsewhere_counts_only_in_an_account_of_the_users() {
    let home = home();
    home.write("notes.txt", &format!("old: {}\nbot: {}\n", id(FOREIGN, 1), id(STAGING, 2)));
    assert!(found(&audit(&home, "", 0)).is_empty());
    let text = home.path("notes.txt").to_string_lossy().into_owned();
    for arguments in ["--all".to_owned(), shlex::try_quote(&text).unwrap().into_owned()] {
        assert_eq!(found(&audit(&home, &arguments, 7)), BTreeSet::from([("notes.txt".to_owned(), Some(2))]));
    }
}

#[test]
fn other_encodings_and_other_kinds_of_keys_are_found() {
    let home = home();
    let utf_16: Vec<u8> = format!("\u{feff}dir\r\n$env:AWS_ACCESS_KEY_ID='{}'\r\n", id(STAGING, 1))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    home.write("AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", "");
    fs::write(home.path("AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"), utf_16).unwrap();
    let latin =
        [b"echo caf\xe9 \x83\xff\n".to_vec(), format!("export AWS_ACCESS_KEY_ID={}\n", id(STAGING, 2)).into_bytes()].concat();
    fs::write(home.path(".zsh_history"), latin).unwrap();
    let bedrock = format!("ABSK{}", base64(format!("BedrockAPIKey-ab12-at-{STAGING}:{}", secret(3).repeat(3)).as_bytes()));
    home.write(".bashrc", &format!("\nexport AWS_BEARER_TOKEN_BEDROCK={bedrock}\n"));
    home.write(
        ".git-credentials",
        "https://x:y@github.com\nhttps://bob-at-111122223333:pass%2Fword@git-codecommit.us-east-1.amazonaws.com\n",
    );
    home.write(".netrc", "machine git-codecommit.us-east-1.amazonaws.com\nlogin eve-at-111122223333\npassword hunter2\n");
    let smtp = format!("BE{}", &secret(5).repeat(2)[..42]);
    home.write(".msmtprc", &format!("host email-smtp.us-east-1.amazonaws.com\nuser {}\npassword {smtp}\n", id(STAGING, 5)));
    let json = audit(&home, "", 7);
    let of = |file: &str| {
        let mut keys = json["keys"].as_array().unwrap().iter();
        let key = keys.find(|key| key["places"][0]["file"] == file).unwrap_or_else(|| panic!("{file}: {json:#}"));
        (key["kind"].as_str().unwrap().to_owned(), key["id"].as_str().unwrap().to_owned(), key["places"][0].clone())
    };
    assert_eq!(of("AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt").2["line"], 2);
    assert_eq!(of(".zsh_history").2["line"], 2);
    let (kind, name, place) = of(".bashrc");
    assert_eq!((&*kind, &*name, &place["line"]), ("bedrock", "Bedr…3333", &2.into()));
    let (kind, name, place) = of(".git-credentials");
    assert_eq!((&*kind, &*name, &place["line"]), ("codecommit", "bob-…3333", &2.into()));
    assert_eq!((of(".netrc").0.as_str(), &of(".netrc").2["line"]), ("codecommit", &2.into()));
    assert!(of(".msmtprc").2["advice"].as_str().unwrap().contains("stops its mail"));
    let all = json.to_string();
    assert!(
        !all.contains(&bedrock[60..80]) && !all.contains("hunter2") && !all.contains("pass%2F") && !all.contains(&smtp[10..30])
    );
}

fn base64(bytes: &[u8]) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let chars = (0..4).map(|at| char::from(letters[(bits >> (18 - 6 * at) & 63) as usize]));
        chars.enumerate().map(|(at, c)| if at <= three.len() { c } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn variables_of_the_environment_are_found() {
    let home = home().with("AWS_ACCESS_KEY_ID", id(STAGING, 1)).with("AWS_SECRET_ACCESS_KEY", secret(1));
    let home = home.with("MC_HOST_s3", format!("https://{}:{}@s3.amazonaws.com", id(STAGING, 2), secret(2)));
    let home = home.with("AWS_SESSION_NOTE", "ASIAY34FZKBOKMUTVV7A");
    let json = audit(&home, "--quick", 7);
    let expected = [("environment:AWS_ACCESS_KEY_ID".to_owned(), None), ("environment:MC_HOST_s3".to_owned(), None)];
    assert_eq!(found(&json), BTreeSet::from(expected));
    assert!(json["keys"].as_array().unwrap().iter().all(|key| key["places"][0]["secret"] == true));
    home.daypass("audit --quick")
        .stdout_has("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; export AWS_PROFILE=")
        .stdout_has("unset MC_HOST_s3; export AWS_PROFILE=")
        .any_stderr()
        .status(7)
        .go();
}

#[test]
fn files_that_variables_name_are_searched() {
    let outside = Home::new();
    for (name, number) in [("credentials", 1), ("boto", 2), ("aws.properties", 3), ("history", 4), ("zsh/.zshrc", 5)] {
        outside.write(name, &format!("[dev]\n{}", pair(STAGING, number)));
    }
    let at = |name: &str| outside.path(name);
    let home = home().with("AWS_SHARED_CREDENTIALS_FILE", at("credentials")).with("BOTO_CONFIG", at("boto"));
    let home = home.with("AWS_CREDENTIAL_FILE", at("aws.properties")).with("HISTFILE", at("history")).with("ZDOTDIR", at("zsh"));
    let json = audit(&home, "--quick", 7);
    let kinds: BTreeSet<&str> =
        json["keys"].as_array().unwrap().iter().map(|key| key["places"][0]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["credentials", "boto", "credential-file", "history", "shell-startup"]));
    assert_eq!(json["keys"][0]["places"][0]["can"], "rewrite");
    assert!(json["keys"][0]["places"][0]["file"].as_str().unwrap().starts_with('/') || cfg!(windows));
}

#[test]
fn a_quick_search_leaves_projects_out_and_paths_leave_out_all_else() {
    let home = home();
    home.write(".aws/credentials", &format!("[dev]\n{}", pair(STAGING, 1)));
    home.write("src/x/.env", &pair(STAGING, 2));
    home.write("src/x/main.py", &pair(STAGING, 3));
    let files = |arguments: &str| found(&audit(&home, arguments, 7)).into_iter().map(|(file, _)| file).collect::<Vec<_>>();
    assert_eq!(files("--quick"), [".aws/credentials"]);
    assert_eq!(files(""), [".aws/credentials", "src/x/.env"]);
    assert_eq!(files("src"), ["src/x/.env", "src/x/main.py"]);
    assert_eq!(files("src/x/main.py"), ["src/x/main.py"]);
    assert_eq!(files("--all"), [".aws/credentials", "src/x/.env", "src/x/main.py"]);
    home.daypass("audit nowhere").stderr_has("No long-lived keys.").stderr_has("nowhere").status(1).go();
}

#[test]
fn the_status_tells_scripts_whether_keys_remain() {
    let home = home();
    home.daypass("audit").stderr_has("No long-lived keys. ").go();
    home.daypass("audit -q").go();
    home.write(".bashrc", &format!("export AWS_ACCESS_KEY_ID={}\n", id(STAGING, 1)));
    home.daypass("audit -q").status(7).go();
    home.daypass("audit -q --exit-zero").go();
    home.daypass("audit -q --exit-zero --format json").go();
    home.daypass("audit -q").with("HOME", home.path("nowhere")).stderr_has("can't search the home folder").status(1).go();
}

#[test]
fn accepted_keys_do_not_count_until_their_date_has_passed() {
    let home = home();
    home.write(".bashrc", &format!("export AWS_ACCESS_KEY_ID={}\n", id(STAGING, 1)));
    home.write(".zshrc", &format!("export AWS_ACCESS_KEY_ID={}\n", id(STAGING, 2)));
    let hash = audit(&home, "", 7)["keys"][1]["sha256"].as_str().unwrap().to_owned();
    home.write(
        ".config/daypass/accepted",
        &format!("# robots\n{} 2999-12-31 moves later\n{hash} 2999-12-31 also\n", id(STAGING, 1)),
    );
    home.daypass("audit").stdout_has("accepted until 2999-12-31: moves later").stderr_has("No long-lived keys (2 accepted).").go();
    assert_eq!(audit(&home, "", 0)["keys"][0]["accepted"]["reason"], "moves later");
    home.write("expired", &format!("{} 2020-01-31 soon\n{hash} 2999-12-31 also\nAKIA\n", id(STAGING, 1)));
    home.daypass("audit --accept expired")
        .stdout_has("accepted until 2020-01-31, which has passed")
        .stderr_has("warning: expired:3: not 'KEY-ID-OR-SHA256 UNTIL-DATE REASON'")
        .stderr_has("1 long-lived key in 1 place (1 accepted).")
        .status(7)
        .go();
    home.daypass("audit --accept nowhere").stderr_has("can't read nowhere").status(1).go();
}

#[test]
#[cfg(unix)]
fn pipes_sockets_and_links_out_of_the_home_are_listed_and_not_opened() {
    let home = home();
    let outside = Home::new();
    outside.write("secrets", &pair(STAGING, 1));
    home.write("src/x/real.txt", &pair(STAGING, 2));
    home.write("dotfiles/zshrc", &pair(STAGING, 3));
    home.write("src/y/.env/inside", "");
    let link = |to: std::path::PathBuf, name: &str| std::os::unix::fs::symlink(to, home.path(name)).unwrap();
    link(outside.path("secrets"), "src/x/.env");
    link(outside.path(""), "src/outside");
    link(home.path("src/x/real.txt"), "src/x/.env.local");
    link(home.path("dotfiles/zshrc"), ".zshrc");
    link(home.path("src"), "src/x/loop");
    rustix::fs::mknodat(rustix::fs::CWD, home.path("src/x/.env.pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(home.path("src/x/.env.socket")).unwrap();
    fs::hard_link(home.path("dotfiles/zshrc"), home.path("src/x/.env.same")).unwrap();
    let json = audit(&home, "", 7);
    let expected = [(".zshrc".to_owned(), Some(1)), ("src/x/.env.local".to_owned(), Some(1))];
    assert_eq!(found(&json), BTreeSet::from(expected));
    let not_read: Vec<_> = json["not_read"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["file"].as_str().unwrap(), entry["why"].as_str().unwrap()))
        .collect();
    let expected =
        [("src/x/.env", "a link that leaves your home folder"), ("src/x/.env.pipe", "a pipe"), ("src/x/.env.socket", "a socket")];
    assert_eq!(not_read, expected);
    let all: Vec<_> = found(&audit(&home, "--all", 7)).into_iter().map(|(file, _)| file).collect();
    assert_eq!(all, [".zshrc", "src/x/.env.local"]);
}

#[test]
fn lines_to_write_instead_are_quoted_as_their_formats_require() {
    let home = home();
    let helper = "daypass credential-process --session corp --account 111122223333 --role DeveloperAccess";
    home.write(".aws/config", &format!("{SESSION}\n[profile \"Two Words\"]\ncredential_process = {helper}\n"));
    let json =
        format!("{{\"env\": {{\"AWS_ACCESS_KEY_ID\": \"{}\", \"AWS_SECRET_ACCESS_KEY\": \"{}\"}}}}", id(STAGING, 1), secret(1));
    for file in
        [".bashrc", ".config/systemd/user/a.service", ".cursor/mcp.json", ".codex/config.toml", "Library/LaunchAgents/a.plist"]
    {
        home.write(file, &json);
    }
    home.write("src/x/.dvc/config", &format!("['remote \"s3\"']\n{}", pair(STAGING, 1)));
    let found = audit(&home, "", 7);
    let places = found["keys"][0]["places"].as_array().unwrap();
    for (file, expected) in [
        (".bashrc", "export AWS_PROFILE='Two Words'"),
        (".config/systemd/user/a.service", "Environment=\"AWS_PROFILE=Two Words\""),
        (".cursor/mcp.json", "\"AWS_PROFILE\": \"Two Words\""),
        (".codex/config.toml", "AWS_PROFILE = \"Two Words\""),
        ("Library/LaunchAgents/a.plist", "<key>AWS_PROFILE</key><string>Two Words</string>"),
        ("src/x/.dvc/config", "dvc remote modify s3 profile 'Two Words'"),
    ] {
        let advice = places.iter().find(|place| place["file"] == file).map(|place| &place["advice"]);
        assert_eq!(advice, Some(&expected.into()), "{file}");
    }
    // The profile of that name does not exist yet.
    home.write(".aws/config", SESSION);
    home.daypass("audit").stdout_has("").stderr_has("Next: daypass sync corp --only 111122223333/").status(7).go();
}

#[test]
#[cfg(unix)]
fn a_clean_result_is_a_failure_if_a_place_could_not_be_read() {
    let home = home();
    home.write(".bashrc", "");
    fs::File::create(home.path(".bashrc")).unwrap().set_len(200 << 20).unwrap();
    let json = audit(&home, "", 1);
    assert_eq!((&json["complete"], &json["not_read"][0]["why"]), (&false.into(), &"larger than 100 MiB".into()));
    home.daypass("audit").stderr_has("the search is incomplete: ~/.bashrc: larger than 100 MiB\nhint: ls -ld ").status(1).go();
    // Not a place: it is listed, and the result is complete.
    fs::rename(home.path(".bashrc"), home.path("log.txt")).unwrap();
    fs::write(home.path("log.txt"), "text").unwrap();
    fs::OpenOptions::new().write(true).open(home.path("log.txt")).unwrap().set_len(200 << 20).unwrap();
    assert_eq!(audit(&home, "--all", 0)["not_read"][0]["file"], "log.txt");
    rustix::fs::mknodat(rustix::fs::CWD, home.path(".aws/credentials"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    home.daypass("audit --quick").stderr_has("~/.aws/credentials: a pipe").status(1).go();
}

#[test]
fn stores_of_other_programs_are_named_and_not_opened() {
    let home = home();
    home.write(".awsvault/keys/prod", &pair(STAGING, 1));
    home.write(".ssh/id_rsa", &pair(STAGING, 2));
    home.write(".config/google-chrome/Default/text", &pair(STAGING, 3));
    home.write("secrets.kdbx", &pair(STAGING, 4));
    let json = audit(&home, "--all", 0);
    assert_eq!(json["not_read"][0]["file"], ".awsvault/keys/prod");
    home.write(".ssh/other", &pair(STAGING, 5));
    for path in [".ssh/id_rsa", ".ssh/other", ".ssh", ".config/google-chrome/Default"] {
        home.daypass(&format!("audit {path}")).stderr_has("a private key, or a store of another program").status(1).go();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_opened_for_writing_and_no_socket_is_made() {
    crate::needs("strace", "apt-get install strace");
    let home = home();
    for (number, (file, text, _)) in (1..).zip(PLACES) {
        home.write(file, &filled(text, STAGING, number));
    }
    for arguments in ["", "--quick", "--all", "--format json", ". --format csv"] {
        let trace = home.path("data/trace");
        let command = ["-f", "-qq", "-e", "trace=%file,%network", "-o"]
            .map(Into::into)
            .into_iter()
            .chain([trace.clone().into_os_string(), DAYPASS.into()]);
        let arguments = shlex::split(&format!("audit {arguments}")).unwrap().into_iter().map(Into::into);
        home.program("strace").args(command.chain(arguments).collect::<Vec<std::ffi::OsString>>()).any_output().status(7).go();
        let trace = fs::read_to_string(trace).unwrap();
        let calls = [
            "O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "socket", "connect", "unlink", "rename", "mkdir", "chmod", "utime", "link(",
        ];
        let writing: Vec<&str> =
            trace.lines().filter(|line| calls.iter().any(|call| line.contains(call)) && !line.contains("readlink")).collect();
        assert!(writing.is_empty() && trace.contains("O_RDONLY"), "{arguments:?}: {writing:#?}", arguments = "audit");
    }
}

/// A portal with one account, of which this role is listed, and a home that is signed in.
fn online(role: &str) -> (Portal, Home) {
    let portal =
        Portal::live(PortalConfig { accounts: vec![Account::new("111122223333", "Staging", &[role])], ..PortalConfig::default() });
    let home = migrate::home(&portal, "", "");
    home.daypass("list").any_output().go();
    (portal, home)
}

#[test]
fn roles_ask_aws_about_keys_and_the_keys_are_not_used() {
    let (portal, home) = online("ReadOnly");
    let key = migrate::key(&portal);
    home.write(
        ".aws/credentials",
        &format!("[dev]\n{}[old]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.lines(), old_id(2), secret(2)),
    );
    home.write("src/x/.env", &pair(FOREIGN, 3));
    let before = audit(&home, "", 7);
    assert!(before["keys"].as_array().unwrap().iter().all(|key| key["aws"].is_null()));
    let asked = portal.calls().len();
    let json = audit(&home, "--ask", 7);
    let [dev, old, foreign] = json["keys"].as_array().unwrap().as_slice() else { panic!("{json:#}") };
    assert_eq!((&dev["aws"]["user"], &dev["aws"]["status"]), (&Value::from(key.user.as_str()), &"Active".into()));
    assert!(dev["created"]["date"].is_string(), "{dev:#}");
    // The account of a key of the old form is asked of STS; nobody can be asked about a foreign one.
    assert_eq!((&old["account"]["id"], &old["account"]["name"]), (&"111122223333".into(), &"Staging".into()));
    assert!(foreign["aws"].is_null());
    let calls = portal.calls();
    assert!(calls[asked..].iter().any(|call| call.call == Some(Call::GetAccessKeyLastUsed)));
    assert!(calls.iter().all(|call| call.signed_by.as_ref() != Some(&key.id)), "the key was used");
    home.daypass("audit --ask").stdout_has(&format!("user {}, active, never used", key.user)).any_stderr().status(7).go();
    // 'migrate' has to be told the account that STS named.
    let both = home.read(".aws/credentials");
    home.write(".aws/credentials", &format!("[old]\naws_access_key_id = {}\naws_secret_access_key = {}\n", old_id(2), secret(2)));
    home.daypass("audit --ask").stdout_has("old").stderr_has("\nNext: daypass migrate old --account 111122223333\n").status(7).go();
    home.write(".aws/credentials", &both);
    // Without a list of roles the portal is asked for one, which requires a sign-in.
    fs::remove_file(home.path(".local/state/daypass/roles.json")).unwrap();
    assert_eq!(audit(&home, "--ask", 7)["keys"][0]["aws"]["status"], "Active");
    home.daypass("logout corp").any_output().go();
    home.daypass("audit --ask").stderr_has("not signed in").stderr_has("hint: daypass login").status(3).go();
}

#[test]
fn migrated_keys_are_listed_until_they_are_retired() {
    let (portal, home) = online("AdministratorAccess");
    let key = migrate::key(&portal);
    home.write(".aws/credentials", &format!("[dev]\n{}", key.lines()));
    home.daypass("migrate dev").any_stderr().go();
    let json = audit(&home, "", 0);
    assert_eq!((&json["parked"][0]["id"], &json["parked"][0]["profiles"][0]), (&masked(&key.id).into(), &"dev".into()));
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    check(&json, &schema, &schema, "$");
    home.daypass("audit").stderr_has("1 migrated key is due for the next step: daypass retire\n").go();
    home.daypass("retire dev --yes").any_stderr().go();
    home.daypass("retire dev --wait 0 --confirm delete").any_stderr().go();
    assert_eq!(audit(&home, "", 0)["parked"], Value::Array(Vec::new()));
}
