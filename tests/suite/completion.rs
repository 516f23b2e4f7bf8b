//! Completion and manual pages: the committed copies are up to date, and real shells complete with them.

use std::path::{Path, PathBuf};

use crate::support::run::Home;
use crate::{needs, pexpect};

const CONFIG: &str = "\
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1

[profile dev]
credential_process = daypass credential-process --session corp --account 111122223333 --role DeveloperAccess

[profile devops]
sso_session = corp
sso_account_id = 444455556666
sso_role_name = ReadOnly

[profile \"with blank\"]
region = eu-west-1
";

/// A home in which neither keyring nor network works.
fn home() -> Home {
    let home = Home::new().keyring("nonsense").with("AWS_ENDPOINT_URL", "http://127.0.0.1:9").with("TERM", "dumb");
    home.write(".aws/config", CONFIG);
    home
}

fn at_the_top(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[track_caller]
#[allow(clippy::disallowed_methods)]
fn same_as_committed(home: &Home, arguments: &str, file: &str) {
    let printed = home.daypass(arguments).stdout_has("daypass").go().stdout;
    let committed = std::fs::read_to_string(at_the_top(file)).unwrap_or_default();
    assert!(printed == committed, "{file} is not what 'daypass {arguments}' prints: run packaging/generate");
}

/// The commands that `--help` lists.
fn commands(home: &Home) -> Vec<String> {
    let help = home.daypass("--help").stdout_has("Commands:").go().stdout;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
    let starts = list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    starts.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn the_committed_completion_scripts_are_up_to_date() {
    let home = home();
    for (shell, file) in [
        ("bash", "daypass.bash"),
        ("zsh", "_daypass"),
        ("fish", "daypass.fish"),
        ("powershell", "_daypass.ps1"),
        ("nushell", "daypass.nu"),
    ] {
        same_as_committed(&home, &format!("completions {shell}"), &format!("completions/{file}"));
    }
}

#[test]
fn the_committed_manual_pages_are_up_to_date_complete_and_lint_free() {
    needs("mandoc", "apt-get install mandoc");
    let home = home();
    let commands = commands(&home);
    assert!(commands.len() >= 12, "{commands:?}");
    let pages = std::iter::once(("man".to_owned(), "daypass.1".to_owned()))
        .chain(commands.iter().map(|command| (format!("man {command}"), format!("daypass-{command}.1"))));
    for (arguments, page) in pages {
        let file = format!("packaging/man/{page}");
        same_as_committed(&home, &arguments, &file);
        // No output and status 0: not even a style warning.
        home.program("mandoc").args(["-Tlint", "-Wall"]).arg(at_the_top(&file)).go();
    }
    assert_eq!(std::fs::read_dir(at_the_top("packaging/man")).unwrap().count(), commands.len() + 1, "run packaging/generate");
    home.daypass("man nonsense").stderr("daypass: there is no command \"nonsense\"\nhint: daypass --help\n").status(2).go();
}

#[test]
fn each_manual_page_has_examples_variables_and_files_that_concern_it() {
    let home = home();
    let page = |command: &str| home.daypass(&format!("man {command}")).stdout_has(".SH NAME").go().stdout;
    for command in std::iter::once(String::new()).chain(commands(&home)) {
        let text = page(&command);
        for heading in ["EXAMPLES", "ENVIRONMENT"] {
            let found = text.matches(&format!(".SH {heading}\n")).count() + text.matches(&format!(".SH \"{heading}\"\n")).count();
            assert_eq!(found, 1, "{command}: {heading}\n{text}");
        }
    }
    assert!(page("exec").contains("\\fBAWS_PROFILE, AWS_DEFAULT_PROFILE\\fR") && !page("audit").contains("\\fBAWS_PROFILE"));
    assert!(page("audit").contains("\\fB\\(ti/.config/daypass/accepted\\fR") && !page("exec").contains("daypass/accepted"));
    assert!(!page("help").contains(".SH FILES"));
}

#[test]
fn help_prints_what_the_flag_prints() {
    let home = home();
    for command in ["", "exec", "help"] {
        let flag = home.daypass(&format!("{command} --help")).stdout_has("Usage: daypass").go().stdout;
        home.daypass(&format!("help {command}")).stdout(&flag).go();
    }
    let exec = home.daypass("help exec").stdout_has("Usage: daypass exec").go().stdout;
    let heading = exec.find("\nWithout a profile:\n").unwrap();
    assert!(exec[heading..].find("--account").unwrap() < exec[heading..].find("\nRole chaining:").unwrap(), "{exec}");
    home.daypass("help nonsense").stderr("daypass: there is no command \"nonsense\"\nhint: daypass --help\n").status(2).go();
}

#[test]
fn bash_completes_commands_profiles_sessions_accounts_and_roles() {
    needs("bash", "apt-get install bash");
    let home = home();
    let script = r#"
eval "$(daypass completions bash)"
complete_line() {
    COMP_WORDS=($1)
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    _daypass daypass "${COMP_WORDS[COMP_CWORD]}" '' 2>/dev/null
    echo "${COMPREPLY[*]}"
}
complete -p daypass >/dev/null
complete_line 'daypass stat'
complete_line 'daypass env de'
complete_line 'daypass login co'
complete_line 'daypass exec --account 4'
complete_line 'daypass exec --role R'
complete_line 'daypass console --destination lamb'
complete_line 'daypass env --shell fi'
"#;
    home.program("bash").args(["-c", script]).stdout("status\ndev devops\ncorp\n444455556666\nReadOnly\nlambda\nfish\n").go();
}

#[test]
fn fish_completes_names_with_descriptions() {
    needs("fish", "apt-get install fish");
    let home = home();
    let script = format!(
        "source {}; complete -C 'daypass env de'; complete -C 'daypass login c'; daypass shell-init fish | source; complete -C 'dp devo'",
        at_the_top("completions/daypass.fish").display()
    );
    home.program("fish")
        .args(["--no-config", "-c", &script])
        .stdout(
            "dev\tDeveloperAccess in 111122223333\ndevops\tReadOnly in 444455556666\ncorp\thttps://corp.awsapps.com/start\n\
             devops\tReadOnly in 444455556666\n",
        )
        .go();
}

/// Starts a shell for each line, runs `init`, types the line and a tab, and waits for the completed text.
#[track_caller]
fn tab(home: &Home, shell: &[&str], init: &str, lines: &[(&str, &str)]) {
    needs(shell[0], &format!("apt-get install {}", shell[0]));
    let script = format!(
        r#"
for typed, shown in zip({typed:?}, {shown:?}):
    shell = pexpect.spawn({program:?}, {flags:?}, encoding='utf-8', timeout=30, dimensions=(40, 120), env=dict(os.environ, PS1='READY> '))
    shell.expect_exact('READY> ')
    shell.sendline({init:?} + '; echo set""tled')
    shell.expect_exact('settled')
    shell.expect_exact('READY> ')
    shell.send(typed + '\t')
    if shell.expect_exact([shown, pexpect.TIMEOUT]):
        sys.exit(repr(typed) + ' became ' + repr(shell.before))
    shell.close(force=True)
"#,
        program = shell[0],
        flags = &shell[1..],
        typed = lines.iter().map(|line| line.0).collect::<Vec<_>>(),
        shown = lines.iter().map(|line| line.1).collect::<Vec<_>>(),
    );
    pexpect(home, &script);
}

const BASH: [&str; 4] = ["bash", "--norc", "--noprofile", "-i"];
const ZSH: [&str; 3] = ["zsh", "-f", "-i"];
const INIT_BASH: &str = "eval \"$(daypass shell-init bash)\"";
const INIT_ZSH: &str = "autoload -Uz compinit; compinit -D; eval \"$(daypass shell-init zsh)\"";

#[test]
fn zsh_completes_at_the_first_tab_from_an_autoloaded_file_and_after_shell_init() {
    let home = home();
    let init = format!("fpath=({} $fpath); autoload -Uz compinit; compinit -D", at_the_top("completions").display());
    tab(&home, &ZSH, &init, &[("daypass console devo", "devops")]);
    tab(&home, &ZSH, INIT_ZSH, &[("dp devo", "devops")]);
}

#[test]
fn flags_are_offered_only_for_a_word_that_begins_like_one() {
    needs("bash", "apt-get install bash");
    let home = home();
    let script = r#"
eval "$(daypass completions bash)"
complete_line() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _daypass daypass "${COMP_WORDS[COMP_CWORD]}" '' 2>/dev/null
    echo "${COMPREPLY[*]}"
}
complete_line daypass env ''
complete_line daypass use ''
complete_line daypass console --destination r5
complete_line daypass env --un
complete_line daypass use -
"#;
    let profiles = "dev devops with\\ blank";
    home.program("bash")
        .args(["-c", script])
        .stdout_has(&format!("{profiles}\n{profiles}\nr53\n--unset\n"))
        .stdout_has("--none")
        .go();
    for shell in ["fish", "powershell", "nushell"] {
        let names = home.daypass("-- daypass env ''").with("DAYPASS_COMPLETE", shell).stdout_has("devops").go().stdout;
        assert!(names.lines().all(|line| !line.starts_with('-')), "{shell}: {names}");
        home.daypass("-- daypass env --un").with("DAYPASS_COMPLETE", shell).stdout_has("--unset").go();
    }
    let zsh = home.daypass("-- daypass env ''").with("DAYPASS_COMPLETE", "zsh").with("_CLAP_COMPLETE_INDEX", "2");
    assert!(!zsh.stdout_has("devops").go().stdout.contains("\n--"));
}

#[test]
fn bash_completes_the_shell_init_function() {
    tab(&home(), &BASH, INIT_BASH, &[("dp devo", "devops")]);
}

/// Lines that complete to commands and files, with and without `--` and with various options before.
const OF_A_COMMAND: [(&str, &str); 6] = [
    ("daypass exec dev -- whoa", "whoami"),
    ("daypass exec dev whoa", "whoami"),
    ("daypass exec --profile=dev whoa", "whoami"),
    ("daypass exec 'with blank' -- cat no", "notes.txt"),
    ("daypass exec dev cat no", "notes.txt"),
    ("daypass exec devo", "devops"),
];

#[test]
fn bash_completes_the_command_of_exec_with_and_without_bash_completion() {
    let home = home();
    home.write("notes.txt", "");
    tab(&home, &BASH, INIT_BASH, &OF_A_COMMAND);
    for function in ["_command_offset", "_comp_command_offset"] {
        let init = format!("{INIT_BASH}; {function}() {{ COMPREPLY=(offset-$1); }}");
        tab(&home, &BASH, &init, &[("daypass exec --region=eu-west-1 dev -- ls off", "offset-7")]);
    }
}

#[test]
fn zsh_completes_the_command_of_exec_with_the_commands_own_completion() {
    let home = home();
    home.write("notes.txt", "");
    let init = format!("{INIT_ZSH}; _mine() {{ compadd -- --of-its-own }}; compdef _mine mine");
    tab(&home, &ZSH, &init, &OF_A_COMMAND);
    tab(&home, &ZSH, &init, &[("daypass exec dev mine --of", "--of-its-own"), ("daypass exec dev -- mine --of", "--of-its-own")]);
}

#[test]
fn fish_completes_the_command_of_exec_with_the_commands_own_completion() {
    needs("fish", "apt-get install fish");
    let home = home();
    home.write("notes.txt", "");
    let lines = OF_A_COMMAND.iter().map(|(line, _)| format!("complete -C \"{line}\" | string split -f1 \\t; "));
    let script = format!(
        "daypass completions fish | source; complete -c mine -f -a --of-its-own; {}; complete -C 'daypass exec dev mine --'",
        lines.collect::<String>()
    );
    let expected = OF_A_COMMAND.map(|(_, shown)| shown).join("\n");
    home.program("fish").args(["--no-config", "-c", &script]).stdout(&format!("{expected}\n--of-its-own\n")).go();
}

#[test]
fn nushell_completes_the_command_of_exec_with_and_without_another_completer() {
    needs("nu", "npm install -g nushell");
    let home = home();
    home.write("daypass.nu", &home.daypass("completions nushell").stdout_has("completer").go().stdout);
    let ask = "let completer = $env.config.completions.external.completer
        do $completer [daypass exec dev whoa] | to nuon | print
        do $completer [daypass exec dev -- cat no] | to nuon | print\n";
    home.write("alone.nu", &format!("source daypass.nu\n{ask}"));
    // For a null answer Nushell completes files.
    home.program("nu").args(["--no-config-file", "alone.nu"]).stdout("[whoami]\nnull\n").go();
    let other = "$env.config.completions.external.completer = {|words| $words }";
    home.write("beside.nu", &format!("{other}\nsource daypass.nu\n{ask}"));
    home.program("nu").args(["--no-config-file", "beside.nu"]).stdout("[whoami]\n[cat, no]\n").go();
}

#[test]
fn no_daypass_flags_are_offered_after_the_command_of_exec() {
    let home = home();
    for (line, shell) in [("exec dev cat --", "fish"), ("exec dev -- cat --", "fish"), ("exec dev cat --", "powershell")] {
        home.daypass(&format!("-- daypass {line}")).with("DAYPASS_COMPLETE", shell).go();
    }
    home.daypass("-- daypass exec dev --reg").with("DAYPASS_COMPLETE", "fish").stdout("--region\tRegion to use\n").go();
}

#[test]
fn a_name_with_a_space_completes_as_one_word() {
    needs("nu", "npm install -g nushell");
    let home = home();
    let blank = [("daypass env wi", r"with\ blank"), (r"daypass env with\ b", r"with\ blank"), ("dp wi", r"with\ blank")];
    tab(&home, &BASH, INIT_BASH, &blank);
    tab(&home, &BASH, INIT_BASH, &[("daypass env \"wi", "\"with blank\"")]);
    tab(&home, &ZSH, INIT_ZSH, &blank);
    home.write("daypass.nu", &home.daypass("completions nushell").stdout_has("completer").go().stdout);
    let script =
        "source daypass.nu; daypass-complete [daypass env wi] | get value.0 | print; daypass-complete [daypass env zz] | length";
    home.program("nu").args(["--no-config-file", "-c", script]).stdout("`with blank`\n0\n").go();
}

#[test]
fn man_completes_every_command() {
    let home = home();
    let run = home.daypass("-- daypass man cred").with("DAYPASS_COMPLETE", "fish");
    run.stdout("credential-process\tPrint credentials for an SDK (the credential_process of a profile)\n").go();
    let all = home.daypass("-- daypass man ''").with("DAYPASS_COMPLETE", "fish").stdout_has("exec\t").go().stdout;
    let names: Vec<&str> = all.lines().filter_map(|line| line.split('\t').next()).filter(|name| !name.starts_with('-')).collect();
    assert_eq!(names.len(), commands(&home).len(), "{names:?}");
}

#[test]
fn nushell_completion_keeps_an_existing_external_completer() {
    needs("nu", "npm install -g nushell");
    let home = home();
    let script = format!(
        "$env.config.completions.external.completer = {{|words| [other] }}\n\
         source {}\n\
         let completer = $env.config.completions.external.completer\n\
         do $completer [daypass env dev] | get value | str join ' ' | $in + (char newline) | print --no-newline\n\
         do $completer [daypass login c] | get description.0 | $in + (char newline) | print --no-newline\n\
         do $completer [git x] | get 0 | $in + (char newline) | print --no-newline\n",
        at_the_top("completions/daypass.nu").display()
    );
    home.write("script.nu", &script);
    home.program("nu").args(["--no-config-file", "script.nu"]).stdout("dev devops\nhttps://corp.awsapps.com/start\nother\n").go();
}

#[test]
fn an_unreadable_config_file_gives_no_names_and_no_errors() {
    let home = home();
    home.write(".aws/config", "[profile dev");
    home.daypass("-- daypass env de").with("DAYPASS_COMPLETE", "fish").stdout("").go();
    home.daypass("-- daypass sta").with("DAYPASS_COMPLETE", "fish").stdout_has("status\t").go();
    home.daypass("-- daypass sta").with("DAYPASS_COMPLETE", "tcsh").stderr_has("hint: ").status(2).go();
}
