//! A prompt for one line of input.

use std::io::{self, BufRead};

use super::terminal;
use crate::sys::signal::InterruptNotice;
use crate::sys::stderr;
use crate::text;

/// Prompts on standard error and reads one line. The default is shown in brackets and returned for an empty line.
/// None at the end of the input.
///
/// # Errors
/// Those of reading standard input.
pub fn ask(question: &str, default: Option<&str>) -> io::Result<Option<String>> {
    let prompt = match default {
        Some(default) => format!("{question} [{}]: ", text::clean(default)),
        None => format!("{question}: "),
    };
    let prompt = terminal::fitted(&prompt);
    let _notice = InterruptNotice::asking(&prompt);
    stderr::print(&prompt);
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line)?;
    if !line.ends_with('\n') {
        // Ctrl-D leaves the cursor on this line.
        terminal::say("");
    }
    if length == 0 {
        return Ok(None);
    }
    let typed = line.trim();
    Ok(Some(if typed.is_empty() { default.unwrap_or_default().to_owned() } else { typed.to_owned() }))
}

/// Asks a yes-or-no question until it is answered. None at the end of the input.
///
/// # Errors
/// Those of reading standard input.
pub fn confirm(question: &str, default: bool) -> io::Result<Option<bool>> {
    let choices = if default { "Y/n" } else { "y/N" };
    loop {
        let Some(typed) = ask(&format!("{question} [{choices}]"), None)? else { return Ok(None) };
        match typed.to_lowercase().as_str() {
            "" => return Ok(Some(default)),
            "y" | "yes" => return Ok(Some(true)),
            "n" | "no" => return Ok(Some(false)),
            _ => {}
        }
    }
}
