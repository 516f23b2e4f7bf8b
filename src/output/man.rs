//! Manual pages, generated from the definition of the command line. Pure.

use clap::Command;
use clap_mangen::Man;

use super::reference::{self, Entry};

/// When the text of the pages last changed. Not the date of the build: the same source yields the same pages.
const DATE: &str = "2026-11-28";

/// The heading of examples in a help.
const EXAMPLES: &str = "Examples:";

/// The maximum length of roff lines, a rule of `mandoc -Tlint`.
const LONGEST: usize = 80;

/// The page of a built command, in section 1.
pub fn page(command: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let version = env!("CARGO_PKG_VERSION");
    let man = Man::new(command.clone());
    let mut text =
        format!(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {} 1 {DATE} \"daypass {version}\" daypass\n", name.to_uppercase());
    add(&mut text, |out| man.render_name_section(out));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let usage = usage.lines().map(escaped).collect::<Vec<_>>().join("\n.br\n");
    text.extend([".SH SYNOPSIS\n", &usage, "\n"]);
    add(&mut text, |out| man.render_description_section(out));
    if command.get_arguments().next().is_some() {
        add(&mut text, |out| man.render_options_section(out));
    }
    if command.has_subcommands() {
        add(&mut text, |out| man.render_subcommands_section(out));
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if !help.is_empty() {
        text += &after_help(&help);
    }
    let examples = reference::EXAMPLES.iter().find(|(of, _)| *of == command.get_name());
    if let Some((_, lines)) = examples.filter(|_| !help.lines().any(|line| line == EXAMPLES)) {
        let lines: Vec<String> = lines.iter().map(|line| escaped(&format!("  {line}")) + "\n").collect();
        text.extend([".SH EXAMPLES\n.nf\n", &lines.concat(), ".fi\n"]);
    }
    text += &entries("ENVIRONMENT", reference::VARIABLES, command.get_name());
    text += &entries("FILES", reference::FILES, command.get_name());
    if name != env!("CARGO_PKG_NAME") {
        text += ".SH \"SEE ALSO\"\n.BR daypass (1)\n";
    }
    // The generator puts a blank line and too many breaks before the possible values of a flag.
    text.replace(".br\n\n.br\n", ".sp\n").lines().map(|line| broken(line) + "\n").collect()
}

/// A section of variables or files; empty if none concerns the command.
fn entries(heading: &str, all: &[Entry], command: &str) -> String {
    let concerning = all.iter().filter(|entry| entry.concerns(command));
    let item = |entry: &Entry| format!(".TP\n\\fB{}\\fR\n{}\n", escaped(entry.name), escaped(entry.what));
    let text = concerning.map(item).collect::<Vec<_>>().concat();
    if text.is_empty() { text } else { format!(".SH {heading}\n{text}") }
}

/// Writing to memory can't fail.
fn add(text: &mut String, render: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) {
    let mut out = Vec::new();
    let _ = render(&mut out);
    *text += &String::from_utf8_lossy(&out);
}

/// The help below the options. Indented lines are kept as they are; `Examples:` and `Exit status:` become headings.
fn after_help(help: &str) -> String {
    let mut text = String::new();
    let mut as_is = false;
    let is_heading = |line: &str| [EXAMPLES, "Exit status:"].contains(&line);
    let mut lines = help.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let heading = is_heading(line);
        if heading {
            text.extend([".SH \"", &line.trim_end_matches(':').to_uppercase(), "\"\n"]);
        } else if at == 0 {
            text += ".SH NOTES\n";
        }
        if line.starts_with("  ") != as_is {
            as_is = !as_is;
            text += if as_is { ".nf\n" } else { ".fi\n" };
        }
        if line.is_empty() {
            // A heading begins a paragraph itself.
            text += if lines.peek().is_some_and(|(_, next)| is_heading(next)) { "" } else { ".PP\n" };
        } else if !heading {
            text += &escaped(line);
            text.push('\n');
        }
    }
    text + if as_is { ".fi\n" } else { "" }
}

/// Escapes text so that nothing in it is a request, and each character is printed as the one that is typed.
fn escaped(line: &str) -> String {
    let escape = |c: char| match c {
        '\\' => "\\e".to_owned(),
        '-' => "\\-".to_owned(),
        '\'' => "\\(aq".to_owned(),
        '`' => "\\(ga".to_owned(),
        '^' => "\\(ha".to_owned(),
        '~' => "\\(ti".to_owned(),
        other => other.to_string(),
    };
    let text: String = line.chars().map(escape).collect();
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

/// Breaks a line of text at blanks. In text that is not filled, the break is hidden from roff.
fn broken(line: &str) -> String {
    let line = line.trim_end();
    if line.len() <= LONGEST || line.starts_with('.') {
        return line.to_owned();
    }
    let end = if line.starts_with(' ') { "\\\n" } else { "\n" };
    let mut text = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        if used > 0 && used + word.trim_end().len() >= LONGEST {
            if end == "\n" {
                text.truncate(text.trim_end().len());
            }
            text += end;
            used = 0;
            if word.starts_with(['.', '\'']) {
                text += "\\&";
            }
        }
        text += word;
        used += word.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_characters_are_printed_unchanged() {
        assert_eq!(escaped(".a 'b' --c\\"), "\\&.a \\(aqb\\(aq \\-\\-c\\e");
    }

    #[test]
    fn long_lines_are_broken_at_blanks_and_never_into_a_request() {
        let text = broken(&format!("{} .b", "a ".repeat(39)));
        assert!(text.lines().all(|line| line.len() <= LONGEST), "{text}");
        assert!(text.ends_with("\n\\&.b"), "{text}");
    }
}
