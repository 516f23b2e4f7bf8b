//! The documents: their links and anchors exist, and so do the commands and flags that they name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods)] // These tests start the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The Markdown files for users and contributors, as paths from the root of the package.
fn documents() -> BTreeMap<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["", "docs", "packaging"].iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "md"));
    files.map(|path| (path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap())).collect()
}

/// The lines outside fenced blocks, then those inside.
fn prose_and_code(text: &str) -> (Vec<&str>, Vec<&str>) {
    let mut fenced = false;
    let lines = text.lines().filter_map(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fence).then_some((fenced, line))
    });
    let (code, prose): (Vec<_>, Vec<_>) = lines.partition(|(fenced, _)| *fenced);
    let plain = |lines: Vec<(bool, _)>| lines.into_iter().map(|(_, line)| line).collect();
    (plain(prose), plain(code))
}

/// The anchors of a document's headings, as forges derive them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose_and_code(text).0.into_iter().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_an_anchor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = documents();
    let mut broken = Vec::new();
    for (path, text) in &documents {
        for link in prose_and_code(text).0.join("\n").split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let (file, anchor) = link.0.split_once('#').unwrap_or((link.0, ""));
            if file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let target = if file.is_empty() { root.join(path) } else { root.join(path).parent().unwrap().join(file) };
            let text = fs::read_to_string(&target).ok();
            if !target.exists() || !anchor.is_empty() && !text.is_some_and(|text| anchors(&text).contains(anchor)) {
                broken.push(format!("{}: {}", path.display(), link.0));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

/// The daypass command lines in a document's code, as words.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let (prose, code) = prose_and_code(text);
    let spans = prose.join("\n").split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect::<Vec<_>>();
    let code = code.join("\n").replace("\\\n", " ");
    let lines = code.lines().map(str::to_owned).chain(spans);
    let starts = |before: &str| {
        before.trim().is_empty() || ["$ ", "$(", ": ", "|| ", "bin/", "!", "'"].iter().any(|end| before.ends_with(end))
    };
    let after = |line: String| {
        let all = line.match_indices("daypass ").filter(|(at, _)| starts(&line[..*at]));
        all.map(|(at, name)| line[at + name.len()..].to_owned()).collect::<Vec<_>>()
    };
    let commands = lines.flat_map(after);
    let ends = |word: &&str| !matches!(*word, "--" | "|" | "||" | "\\|" | "&&" | "#" | ">" | "\u{2026}");
    let word = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_owned();
    commands.map(|command| command.split_whitespace().take_while(ends).map(word).collect()).collect()
}

#[test]
fn every_command_and_flag_in_the_documents_exists() {
    let help = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_daypass")).args(arguments).arg("--help").output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let main = help(&[]);
    let names = main.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with(' '));
    let names: BTreeSet<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    let flags: BTreeMap<&str, BTreeSet<String>> = names
        .iter()
        .map(|name| (*name, help(&[name]).split(|c: char| !c.is_alphanumeric() && c != '-').map(str::to_owned).collect()))
        .collect();
    let mut unknown = Vec::new();
    for (path, text) in documents() {
        for line in command_lines(&text) {
            let Some(name) =
                line.first().filter(|name| !name.starts_with('-') && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
            else {
                continue;
            };
            let known = flags.get(name.as_str());
            let flag = |word: &&String| {
                word.starts_with("--") && !known.is_some_and(|known| known.contains(word.split('=').next().unwrap()))
            };
            if known.is_none() || line.iter().any(|word| flag(&word)) {
                unknown.push(format!("{}: daypass {}", path.display(), line.join(" ")));
            }
        }
    }
    assert!(unknown.is_empty(), "commands or flags that do not exist:\n{}", unknown.join("\n"));
}
