//! Manual pages, made of the command line's definition. Pure.

use clap::Command;
use clap_mangen::Man;

/// When the pages last changed in what they say. Not the day of the build: the same source makes the same pages.
const DATE: &str = "2026-11-23";

/// Lines of roff are no longer than this, by the rules of `mandoc -Tlint`.
const LONGEST: usize = 80;

/// The page of a command that has been built, of section 1.
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
    if let Some(help) = command.get_after_help() {
        text += &after_help(&help.to_string());
    }
    if name != env!("CARGO_PKG_NAME") {
        text += ".SH \"SEE ALSO\"\n.BR daypass (1)\n";
    }
    // What stands before the possible values of a flag is a blank line and more breaks than roff wants.
    text.replace(".br\n\n.br\n", ".sp\n").lines().map(|line| broken(line) + "\n").collect()
}

/// Writing to memory can't fail.
fn add(text: &mut String, render: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) {
    let mut out = Vec::new();
    let _ = render(&mut out);
    *text += &String::from_utf8_lossy(&out);
}

/// What help shows below the options: text, and indented lines that stay as they are. `Examples:` and the like are headings.
fn after_help(help: &str) -> String {
    let mut text = String::new();
    let mut as_is = false;
    for (at, line) in help.lines().enumerate() {
        let heading = ["Examples:", "Exit status:"].contains(&line);
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
            text += ".PP\n";
        } else if !heading {
            text += &escaped(line);
            text.push('\n');
        }
    }
    text + if as_is { ".fi\n" } else { "" }
}

/// Text in which nothing is a request, and each sign comes out as the one that is typed.
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

/// A line of text over several, broken at blanks. Where lines are not filled the break is hidden from roff.
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
    fn what_is_typed_comes_out_as_it_is() {
        assert_eq!(escaped(".a 'b' --c\\"), "\\&.a \\(aqb\\(aq \\-\\-c\\e");
    }

    #[test]
    fn long_lines_are_broken_at_blanks_and_never_into_a_request() {
        let text = broken(&format!("{} .b", "a ".repeat(39)));
        assert!(text.lines().all(|line| line.len() <= LONGEST), "{text}");
        assert!(text.ends_with("\n\\&.b"), "{text}");
    }
}
