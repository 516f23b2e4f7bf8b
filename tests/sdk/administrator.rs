//! The commands that an administrator of an organization and of Identity Center types, through a daypass profile, with the real AWS CLI
//! against moto, which simulates these services. Every request is signed with keys that the portal issued.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use super::support::portal::{Call, Portal, PortalConfig};
use super::support::run::Home;
use super::{cached, cli_v2, signed_in};

/// A program that reads lines and answers each with a line. It ends when it is dropped, with its standard input.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn read(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, line: &str) -> String {
        self.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        self.read()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Starts moto on a free port. Returns its address.
fn moto() -> (Program, String) {
    let script = "
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)
server.start()
print('%s:%s' % server.get_host_and_port(), flush=True)
sys.stdin.read()
";
    let mut program = Program::start(Command::new(cached("python/venv/bin/python")).args(["-c", script]));
    let address = program.read().trim().to_owned();
    assert!(address.starts_with("127.0.0.1:"), "moto did not start");
    (program, address)
}

/// The services and access key IDs of all requests, as the `Authorization` header has them.
type Signers = Arc<Mutex<Vec<(String, String)>>>;

/// Starts a proxy in front of a server, which records who signed each request. Returns its URL.
fn recorder(server: String) -> (String, Signers) {
    let signers = Signers::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let recorded = Arc::clone(&signers);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (server, recorded) = (server.clone(), Arc::clone(&recorded));
            thread::spawn(move || client.and_then(|client| forward(&client, &server, &recorded)));
        }
    });
    (url, signers)
}

/// Forwards one request and its answer, and closes the connection.
fn forward(mut client: &TcpStream, server: &str, signers: &Signers) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if let Some((_, credential)) = line.split_once("Credential=") {
            let mut parts = credential.split('/');
            let (key, service) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
            signers.lock().unwrap().push((service.to_owned(), key.to_owned()));
        }
        if line.trim().is_empty() {
            break;
        }
        if !lower.starts_with("connection:") {
            head += &line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    upstream.write_all(&body)?;
    std::io::copy(&mut upstream, &mut client)?;
    client.shutdown(std::net::Shutdown::Write)
}

/// The AWS CLI, with what earlier commands returned.
struct Administrator {
    cli: Program,
    endpoint: String,
    known: HashMap<&'static str, String>,
    commands: usize,
}

impl Administrator {
    fn new(home: &Home, endpoint: &str) -> Self {
        let mut command = home.command(cached("python/venv/bin/python"));
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/cli.py"));
        command.envs([("AWS_PROFILE", "dev"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", "")]);
        Self { cli: Program::start(&mut command), endpoint: endpoint.to_owned(), known: HashMap::new(), commands: 0 }
    }

    /// Runs a command, in which `{NAME}` is what an earlier one returned.
    #[track_caller]
    fn runs(&mut self, line: &str) -> Value {
        let words = shlex::split(line).unwrap().into_iter().map(|word| {
            let known = |word: String, (name, value): (&&str, &String)| word.replace(&format!("{{{name}}}"), value);
            self.known.iter().fold(word, known)
        });
        let words: Vec<String> =
            words.chain(["--endpoint-url".into(), self.endpoint.clone(), "--output".into(), "json".into()]).collect();
        self.commands += 1;
        let answer: Value = serde_json::from_str(&self.cli.ask(&json!(words).to_string())).unwrap();
        assert_eq!(answer["status"], 0, "{line}: {answer}");
        serde_json::from_str(answer["output"].as_str().unwrap()).unwrap_or_default()
    }

    /// The same, and remembers a part of its output, by its JSON pointer.
    #[track_caller]
    fn learns(&mut self, name: &'static str, pointer: &str, line: &str) {
        let output = self.runs(line);
        let value = output.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{line}: no {pointer} in {output}"));
        self.known.insert(name, value.to_owned());
    }
}

#[test]
fn an_administrator_works_through_the_guides_with_a_daypass_profile() {
    let portal = Portal::live(PortalConfig::default());
    let home = signed_in(&portal);
    let (_moto, address) = moto();
    let (endpoint, signers) = recorder(address);
    let mut admin = Administrator::new(&home, &endpoint);
    let policy =
        r#"'{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:CreateAccessKey", "Resource": "*"}]}'"#;

    // AWS Organizations: an organization, a unit, an account, a service control policy.
    admin.runs("sts get-caller-identity");
    admin.runs("organizations create-organization --feature-set ALL");
    admin.runs("organizations describe-organization");
    admin.learns("root", "/Roots/0/Id", "organizations list-roots");
    admin.runs("organizations enable-policy-type --root-id {root} --policy-type SERVICE_CONTROL_POLICY");
    admin.learns("unit", "/OrganizationalUnit/Id", "organizations create-organizational-unit --parent-id {root} --name Workloads");
    admin.learns(
        "request",
        "/CreateAccountStatus/Id",
        "organizations create-account --email dev@example.com --account-name Development",
    );
    admin.learns(
        "account",
        "/CreateAccountStatus/AccountId",
        "organizations describe-create-account-status --create-account-request-id {request}",
    );
    admin.runs("organizations move-account --account-id {account} --source-parent-id {root} --destination-parent-id {unit}");
    let listed = admin.runs("organizations list-accounts-for-parent --parent-id {unit}");
    assert_eq!(listed["Accounts"][0]["Name"], "Development");
    let create =
        "organizations create-policy --name no-keys --type SERVICE_CONTROL_POLICY --description 'No access keys' --content";
    admin.learns("policy", "/Policy/PolicySummary/Id", &format!("{create} {policy}"));
    admin.runs("organizations attach-policy --policy-id {policy} --target-id {unit}");
    admin.runs("organizations list-policies-for-target --target-id {unit} --filter SERVICE_CONTROL_POLICY");
    admin.runs("organizations enable-aws-service-access --service-principal sso.amazonaws.com");
    admin.runs("organizations list-accounts");

    // IAM Identity Center: users and groups, permission sets, assignments.
    let instances = admin.runs("sso-admin list-instances");
    let text = |key: &str| instances["Instances"][0][key].as_str().unwrap().to_owned();
    admin.known.extend([("instance", text("InstanceArn")), ("store", text("IdentityStoreId"))]);
    admin.learns(
        "user",
        "/UserId",
        "identitystore create-user --identity-store-id {store} --user-name jane --display-name 'Jane Doe' \
         --name GivenName=Jane,FamilyName=Doe --emails Value=jane@example.com,Type=work,Primary=true",
    );
    admin.learns("group", "/GroupId", "identitystore create-group --identity-store-id {store} --display-name Developers");
    admin.runs("identitystore create-group-membership --identity-store-id {store} --group-id {group} --member-id UserId={user}");
    let members = admin.runs("identitystore list-group-memberships --identity-store-id {store} --group-id {group}");
    assert_eq!(members["GroupMemberships"][0]["MemberId"]["UserId"], admin.known["user"].as_str());
    admin.runs("identitystore describe-user --identity-store-id {store} --user-id {user}");
    admin.runs("identitystore list-users --identity-store-id {store}");
    admin.learns(
        "set",
        "/PermissionSet/PermissionSetArn",
        "sso-admin create-permission-set --instance-arn {instance} --name DeveloperAccess --session-duration PT8H",
    );
    let of_set = "--instance-arn {instance} --permission-set-arn {set}";
    admin.runs(&format!(
        "sso-admin attach-managed-policy-to-permission-set {of_set} --managed-policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess"
    ));
    admin.runs(&format!("sso-admin put-inline-policy-to-permission-set {of_set} --inline-policy {policy}"));
    let assignment =
        format!("{of_set} --target-id {{account}} --target-type AWS_ACCOUNT --principal-type GROUP --principal-id {{group}}");
    admin.runs(&format!("sso-admin create-account-assignment {assignment}"));
    let assigned = admin.runs(&format!("sso-admin list-account-assignments {of_set} --account-id {{account}}"));
    assert_eq!(assigned["AccountAssignments"][0]["PrincipalId"], admin.known["group"].as_str());
    admin.runs(&format!("sso-admin provision-permission-set {of_set} --target-type ALL_PROVISIONED_ACCOUNTS"));
    admin.runs(&format!("sso-admin describe-permission-set {of_set}"));
    admin.runs(&format!("sso-admin delete-account-assignment {assignment}"));

    // IAM: an old user's key is deactivated and deleted; a role, and a session of it.
    admin.runs("iam create-user --user-name old");
    admin.learns("key", "/AccessKey/AccessKeyId", "iam create-access-key --user-name old");
    admin.runs("iam update-access-key --user-name old --access-key-id {key} --status Inactive");
    let keys = admin.runs("iam list-access-keys --user-name old");
    assert_eq!(keys["AccessKeyMetadata"][0]["Status"], "Inactive");
    admin.runs("iam delete-access-key --user-name old --access-key-id {key}");
    let trust = policy.replace("Deny", "Allow").replace("iam:CreateAccessKey", "sts:AssumeRole");
    admin.learns("role", "/Role/Arn", &format!("iam create-role --role-name deploy --assume-role-policy-document {trust}"));
    admin.runs(&format!("iam put-role-policy --role-name deploy --policy-name deploy --policy-document {policy}"));
    admin.runs("sts assume-role --role-arn {role} --role-session-name test");
    let commands = admin.commands;

    // AWS CLI 2 does the same.
    for command in ["sts get-caller-identity", "organizations list-accounts", "sso-admin list-instances"] {
        home.program(cli_v2())
            .args(command.split(' ').chain(["--profile", "dev", "--endpoint-url", &endpoint]))
            .with("AWS_EC2_METADATA_DISABLED", "true")
            .stdout_has("{")
            .go();
    }
    let signers = signers.lock().unwrap();
    assert!(signers.len() >= commands + 3, "{} requests of {commands} commands were recorded", signers.len());
    let issued = &portal.issued()[0].access_key_id;
    let others: Vec<_> = signers.iter().filter(|(_, key)| key != issued).collect();
    assert!(others.is_empty(), "signed with other keys: {others:?}");
    assert_eq!(portal.count(Call::GetRoleCredentials), 1);
}
