//! Unified diffs, for `--dry-run`. Touches nothing.

use std::fmt::{self, Write};

use imara_diff::{Algorithm, Diff, InternedInput, Interner, Token, UnifiedDiffConfig, UnifiedDiffPrinter};

/// The hunks of a unified diff with three lines of context, as `diff -u` prints them; empty if the texts are equal.
pub(super) fn hunks(before: &str, after: &str) -> String {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    diff.unified_diff(&Lines(&input.interner), UnifiedDiffConfig::default(), &input).to_string()
}

/// The library's own printer does not mark a missing newline at the end of a file, and numbers an empty range from 1.
struct Lines<'a>(&'a Interner<&'a str>);

impl Lines<'_> {
    fn line(&self, mut to: impl Write, sign: char, line: Token) -> fmt::Result {
        let line = self.0[line];
        write!(to, "{sign}{line}")?;
        if line.ends_with('\n') { Ok(()) } else { to.write_str("\n\\ No newline at end of file\n") }
    }
}

impl UnifiedDiffPrinter for Lines<'_> {
    fn display_header(&self, mut to: impl Write, old: u32, new: u32, old_len: u32, new_len: u32) -> fmt::Result {
        // An empty range is after the line of this number.
        let range = |start: u32, len: u32| format!("{},{len}", start + u32::from(len > 0));
        writeln!(to, "@@ -{} +{} @@", range(old, old_len), range(new, new_len))
    }

    fn display_context_token(&self, to: impl Write, line: Token) -> fmt::Result {
        self.line(to, ' ', line)
    }

    fn display_hunk(&self, mut to: impl Write, before: &[Token], after: &[Token]) -> fmt::Result {
        before.iter().try_for_each(|line| self.line(&mut to, '-', *line))?;
        after.iter().try_for_each(|line| self.line(&mut to, '+', *line))
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
            let patch = Command::new("patch").args(["--quiet", "--fuzz=0", "--output=after", "before", "diff"]).current_dir(&folder).status();
            prop_assert!(patch.expect("this test needs patch: apt-get install patch").success(), "{}", hunks);
            prop_assert_eq!(std::fs::read_to_string(file("after")).unwrap_or_default(), after);
        }
    }
}
