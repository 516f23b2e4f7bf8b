//! Unified diffs, for `--dry-run`. Touches nothing.

use std::fmt::Write;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

/// Unchanged lines around a change.
const CONTEXT: u32 = 3;

/// The hunks of a unified diff, as `diff -u` prints them; empty if the texts are equal.
pub(super) fn hunks(before: &str, after: &str) -> String {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let (old, new) = (lines(before), lines(after));
    let mut text = String::new();
    let changes: Vec<Hunk> = diff.hunks().collect();
    // The unchanged lines between the changes of a group would all be context.
    for group in changes.chunk_by(|one, next| next.before.start - one.before.end <= 2 * CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let around = |start: u32, end: u32| start.saturating_sub(CONTEXT)..end + CONTEXT;
        let old_range = within(&old, around(first.before.start, last.before.end));
        let new_range = within(&new, around(first.after.start, last.after.end));
        // Writing to a string can't fail.
        let _ = writeln!(text, "@@ -{} +{} @@", numbers(&old_range), numbers(&new_range));
        let mut at = old_range.start;
        for change in group {
            push(&mut text, ' ', &old, at..change.before.start as usize);
            push(&mut text, '-', &old, change.before.start as usize..change.before.end as usize);
            push(&mut text, '+', &new, change.after.start as usize..change.after.end as usize);
            at = change.before.end as usize;
        }
        push(&mut text, ' ', &old, at..old_range.end);
    }
    text
}

/// The lines of a text with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The part of a range that exists.
fn within(lines: &[&str], range: Range<u32>) -> Range<usize> {
    range.start as usize..lines.len().min(range.end as usize)
}

/// The first line, counted from 1, and the number of lines. For no lines, the number of the line before.
fn numbers(range: &Range<usize>) -> String {
    format!("{},{}", range.start + usize::from(!range.is_empty()), range.len())
}

fn push(text: &mut String, sign: char, lines: &[&str], range: Range<usize>) {
    for line in lines.get(range).unwrap_or_default() {
        text.push(sign);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    use std::process::Command;

    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        (prop::collection::vec("[ab]?", 0..24), any::<bool>())
            .prop_map(|(lines, newline)| lines.join("\n") + if newline { "\n" } else { "" })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn patch_applies_a_diff(before in text(), after in text()) {
            let hunks = hunks(&before, &after);
            prop_assert_eq!(hunks.is_empty(), before == after);
            prop_assume!(!hunks.is_empty());
            let folder = tempfile::tempdir().unwrap();
            let file = |name: &str| folder.path().join(name);
            std::fs::write(file("before"), before).unwrap();
            std::fs::write(file("diff"), format!("--- before\n+++ after\n{hunks}")).unwrap();
            let patch = Command::new("patch").args(["--verbose", "--fuzz=0", "--output=after", "before", "diff"]).current_dir(&folder).output();
            let patch = patch.expect("this test needs patch: apt-get install patch");
            let exact = patch.status.success() && !String::from_utf8_lossy(&patch.stdout).contains("offset");
            prop_assert!(exact, "{:?}\n{}", patch, hunks);
            prop_assert_eq!(std::fs::read_to_string(file("after")).unwrap_or_default(), after);
        }
    }
}
