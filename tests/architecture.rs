//! The layers of `src/`: a module imports only from layers below its own, and no two files import each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest to the highest. Modules of one entry don't import each other.
const LAYERS: [(&str, &[&str]); 12] = [
    ("foundation", &["secret", "text"]),
    ("foundation: errors", &["error"]),
    ("system", &["sys"]),
    ("model", &["credentials", "profile"]),
    ("model: keys", &["access_key"]),
    ("services: what all clients of AWS share", &["aws"]),
    ("services", &["portal", "sts", "iam", "vault", "history", "allowance", "issued", "audit"]),
    ("core", &["broker", "migration"]),
    ("interface: what programs read", &["output"]),
    ("interface: what people see", &["ui"]),
    ("interface: context", &["context"]),
    ("commands", &["command"]),
];

/// Above all layers: these import what they need.
const ENTRY: [&str; 4] = ["main", "lib", "cli", "completion"];

#[test]
fn no_module_imports_from_its_own_layer_or_one_above() {
    let mut upward = Vec::new();
    for (file, imports) in imports(&source()) {
        let from = module(&file);
        for import in &imports {
            let to = module(import);
            let entry = ENTRY.contains(&from.as_str()) && ENTRY.contains(&to.as_str());
            if from != to && level(&from) <= level(&to) && !entry {
                upward.push(format!("{} imports {}", file.display(), import.display()));
            }
        }
    }
    assert!(upward.is_empty(), "upward imports:\n{}", upward.join("\n"));
}

#[test]
fn no_files_import_each_other() {
    let imports = imports(&source());
    let mut cycles = BTreeSet::new();
    for start in imports.keys() {
        let mut path = vec![start.clone()];
        if returns(&imports, start, &mut path, &mut BTreeSet::new()) {
            cycles.insert(path.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" → "));
        }
    }
    assert!(cycles.is_empty(), "these files import each other: {cycles:#?}");
}

#[test]
fn every_module_has_a_layer() {
    let known: BTreeSet<&str> = LAYERS.iter().flat_map(|(_, modules)| *modules).chain(&ENTRY).copied().collect();
    let found: BTreeSet<String> = imports(&source()).keys().map(|file| module(file)).collect();
    assert_eq!(found, known.into_iter().map(str::to_owned).collect());
}

#[test]
fn paths_in_braces_and_from_the_parent_are_found() {
    let text = "use crate::{a::B, c};\nuse super::{d, e::{F, g}};\n// use crate::comment;\nfn f() { crate::h::i(); }\n\
                #[cfg(test)]\nmod tests { use super::*; use crate::only_in_tests; }\n";
    let found: BTreeSet<String> = paths(text, &["parent"]).into_iter().map(|path| path.join("::")).collect();
    let expected = ["a::B", "c", "d", "e::F", "e::g", "h::i"].map(str::to_owned);
    assert_eq!(found, expected.into_iter().collect());
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files that each file of the tree imports, relative to the tree.
fn imports(source: &Path) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let mut files = Vec::new();
    collect(source, &mut files);
    let relative: BTreeSet<PathBuf> = files.iter().map(|file| file.strip_prefix(source).unwrap().to_owned()).collect();
    let imports = |file: &PathBuf| {
        let text = fs::read_to_string(source.join(file)).unwrap();
        let here = segments(file);
        let parent: Vec<&str> = match here.split_last() {
            Some((_, rest)) if !file.ends_with("mod.rs") => rest.iter().map(String::as_str).collect(),
            _ => here.iter().map(String::as_str).take(here.len().saturating_sub(1)).collect(),
        };
        let own: Vec<&str> = here.iter().map(String::as_str).collect();
        let mut found: BTreeSet<PathBuf> = paths(&text, &parent).iter().filter_map(|path| file_of(&relative, path)).collect();
        // `pub use child::Name` and `use child::Name` of a folder's own file.
        let children = paths_of_children(&text, &own);
        found.extend(children.iter().filter_map(|path| file_of(&relative, path)));
        found.remove(file);
        found
    };
    relative.iter().map(|file| (file.clone(), imports(file))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `vault/file.rs` is `[vault, file]`, `vault/mod.rs` is `[vault]`, `lib.rs` is `[]`.
fn segments(file: &Path) -> Vec<String> {
    let mut segments: Vec<String> = file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(segments.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        segments.pop();
    }
    segments
}

/// The file that a path below `crate::` refers to.
fn file_of(files: &BTreeSet<PathBuf>, path: &[String]) -> Option<PathBuf> {
    (1..=path.len()).rev().find_map(|length| {
        let joined: PathBuf = path[..length].iter().collect();
        let candidates = [joined.with_extension("rs"), joined.join("mod.rs")];
        candidates.into_iter().find(|file| files.contains(file))
    })
}

/// The paths that a text takes from `crate::` and `super::`, with `parent` as the segments that `super` refers to. Comments and test
/// modules don't count.
fn paths(text: &str, parent: &[&str]) -> Vec<Vec<String>> {
    let text = code(text);
    let mut found = Vec::new();
    for (prefix, base) in [("crate::", &[][..]), ("super::", parent)] {
        for (at, _) in text.match_indices(prefix) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                continue;
            }
            let base = if text[..at].ends_with("daypass::") { continue } else { base };
            let mut rest = &text[at + prefix.len()..];
            let start = base.iter().map(|&segment| segment.to_owned()).collect::<Vec<_>>();
            let start = if prefix == "super::" && parent == ["parent"] { Vec::new() } else { start };
            tree(&mut rest, &start, &mut found);
        }
    }
    found
}

/// The paths of `use child::…` in a folder's own file, where no prefix names the crate.
fn paths_of_children(text: &str, own: &[&str]) -> Vec<Vec<String>> {
    let text = code(text);
    let modules: BTreeSet<&str> =
        text.lines().filter_map(|line| line.trim().strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name)).collect();
    let mut found = Vec::new();
    for line in text.split(';') {
        let Some((_, path)) = line.trim().rsplit_once("use ") else { continue };
        let first = path.split("::").next().unwrap_or_default().trim();
        if modules.contains(first) {
            let mut rest = path;
            let start: Vec<String> = own.iter().map(|&segment| segment.to_owned()).collect();
            tree(&mut rest, &start, &mut found);
        }
    }
    found
}

/// Reads one path, or a tree of them in braces.
fn tree(rest: &mut &str, start: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = start.to_vec();
    loop {
        *rest = rest.trim_start();
        if let Some(inside) = rest.strip_prefix('{') {
            *rest = inside;
            loop {
                tree(rest, &path, found);
                *rest = rest.trim_start();
                match rest.strip_prefix(',') {
                    Some(after) if !after.trim_start().starts_with('}') => *rest = after,
                    _ => break,
                }
            }
            *rest = rest.trim_start().trim_start_matches(',').trim_start().trim_start_matches('}');
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if !word.is_empty() && word != "self" {
            path.push(word.to_owned());
        }
        *rest = after;
        match rest.strip_prefix("::") {
            Some(after) => *rest = after,
            None => break,
        }
    }
    found.push(path);
}

/// The text without comments and without its test module, which comes last.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn module(file: &Path) -> String {
    let first = file.iter().next().unwrap().to_string_lossy().into_owned();
    first.strip_suffix(".rs").unwrap_or(&first).to_owned()
}

fn level(module: &str) -> usize {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module)).unwrap_or(LAYERS.len())
}

/// Whether a chain of imports returns to the first file of `path`. If so, `path` is that chain.
fn returns(
    imports: &BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    start: &PathBuf,
    path: &mut Vec<PathBuf>,
    seen: &mut BTreeSet<PathBuf>,
) -> bool {
    let here = path.last().unwrap().clone();
    for next in &imports[&here] {
        if next == start {
            path.push(next.clone());
            return true;
        }
        if seen.insert(next.clone()) {
            path.push(next.clone());
            if returns(imports, start, path, seen) {
                return true;
            }
            path.pop();
        }
    }
    false
}
