use unicode_width::UnicodeWidthStr;

use super::{Key, Picker, Step};
use crate::ui::terminal::TerminalCapabilities;

const UTF8: TerminalCapabilities = TerminalCapabilities { colour: true, utf8: true };
const ASCII: TerminalCapabilities = TerminalCapabilities { colour: false, utf8: false };

fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
}

fn accounts(several: bool) -> Picker {
    let rows = rows(&[
        &["Development", "111122223333", "DeveloperAccess"],
        &["Development", "111122223333", "ReadOnly"],
        &["Production", "444455556666", "Break+Glass=Now"],
        &["Production", "444455556666", "ReadOnly"],
    ]);
    Picker::new("Role", rows, several)
}

fn press(picker: &mut Picker, keys: &str) -> Step {
    let mut step = Step::Open;
    for c in keys.chars() {
        step = picker.press(match c {
            ' ' => Key::Space,
            '\t' => Key::Tab,
            '\n' => Key::Enter,
            '\u{1b}' => Key::Escape,
            '\u{8}' => Key::Backspace,
            '↓' => Key::Down,
            '↑' => Key::Up,
            c => Key::Char(c),
        });
    }
    step
}

fn text(picker: &mut Picker, columns: usize, lines: usize, capabilities: TerminalCapabilities) -> Vec<String> {
    picker.screen(columns, lines, capabilities).0.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn words_match_in_any_order_and_case() {
    for words in ["prod read", "READ prod", "4444 only", "prd rdnl", "read,prod"] {
        assert_eq!(press(&mut accounts(false), &format!("{words}\n")), Step::Chosen(Key::Enter, vec![3]), "{words}");
    }
}

#[test]
fn enter_selects_the_current_row_and_does_nothing_without_a_match() {
    assert_eq!(press(&mut accounts(false), "\n"), Step::Chosen(Key::Enter, vec![0]));
    assert_eq!(press(&mut accounts(false).at(2), "\n"), Step::Chosen(Key::Enter, vec![2]));
    assert_eq!(press(&mut accounts(false), "zzz\n"), Step::Open);
    assert_eq!(press(&mut accounts(false), "zzz\u{8}\u{8}\u{8}↓\n"), Step::Chosen(Key::Enter, vec![1]));
}

#[test]
fn the_cursor_wraps_around() {
    assert_eq!(press(&mut accounts(false), "↑\n"), Step::Chosen(Key::Enter, vec![3]));
    assert_eq!(press(&mut accounts(false), "↓↓↓↓\n"), Step::Chosen(Key::Enter, vec![0]));
}

#[test]
fn marks_survive_a_new_query_and_are_selected_together() {
    let mut picker = accounts(true);
    // A comma separates words, a space marks.
    press(&mut picker, "prod,read ");
    assert_eq!(press(&mut picker, "\u{1b}↓ \n"), Step::Chosen(Key::Enter, vec![1, 3]));
}

#[test]
fn marking_twice_unmarks_and_a_single_choice_list_has_no_marks() {
    assert_eq!(press(&mut accounts(true), "\t\t↓\n"), Step::Chosen(Key::Enter, vec![1]));
    assert_eq!(press(&mut accounts(false), "\t↓\n"), Step::Chosen(Key::Enter, vec![1]));
}

#[test]
fn all_matching_rows_can_be_marked() {
    let mut picker = accounts(true);
    press(&mut picker, "read");
    picker.press(Key::MarkAll);
    assert_eq!(press(&mut picker, "\n"), Step::Chosen(Key::Enter, vec![1, 3]));
    picker.press(Key::MarkAll);
    assert_eq!(press(&mut picker, "\n"), Step::Chosen(Key::Enter, vec![1]));
}

#[test]
fn escape_clears_the_query_first_and_then_cancels() {
    let mut picker = accounts(true);
    assert_eq!(press(&mut picker, "x\u{1b}"), Step::Open);
    assert_eq!(press(&mut picker, "\u{1b}"), Step::Cancelled);
    assert_eq!(picker.press(Key::Interrupt), Step::Cancelled);
}

#[test]
fn erase_word_removes_the_last_word() {
    let mut picker = accounts(true);
    press(&mut picker, "prod,read");
    picker.press(Key::EraseWord);
    assert_eq!(text(&mut picker, 80, 24, UTF8)[1], "> prod");
    picker.press(Key::EraseLine);
    assert_eq!(text(&mut picker, 80, 24, UTF8)[1], ">");
}

#[test]
fn the_screen_shows_title_query_rows_and_keys() {
    let mut picker = accounts(true);
    press(&mut picker, "prod");
    press(&mut picker, "↓ ");
    assert_eq!(
        text(&mut picker, 200, 24, UTF8),
        [
            "Role",
            "> prod",
            "    Production   444455556666  Break+Glass=Now",
            "> * Production   444455556666  ReadOnly",
            "  2 of 4, 1 marked",
            "  Type to search (a comma between words), Space mark, Ctrl-A mark all, Enter select, Esc cancel",
        ]
    );
}

#[test]
fn no_line_is_wider_than_the_screen_and_no_screen_higher() {
    for (columns, lines) in [(40, 10), (20, 5), (1, 1), (0, 0), (3, 2), (200, 50)] {
        for capabilities in [UTF8, ASCII] {
            let mut picker = accounts(true);
            press(&mut picker, "development");
            let shown = text(&mut picker, columns, lines, capabilities);
            assert!(shown.len() <= lines, "{columns}x{lines}");
            assert!(shown.iter().all(|line| line.width() <= columns), "{columns}x{lines}: {shown:?}");
        }
    }
}

#[test]
fn at_forty_columns_the_middle_of_the_widest_cells_is_left_out() {
    let shown = text(&mut accounts(false), 40, 24, UTF8);
    assert_eq!(shown[2], "> Development  11112…23333  Devel…ccess");
    let shown = text(&mut accounts(false), 40, 24, ASCII);
    assert_eq!(shown[2], "> Development  11112~23333  Devel~ccess");
    // An account ID that is not needed is hidden rather than truncated.
    let roles = rows(&[&["Development", "DeveloperAccess", "111122223333"], &["Development", "ReadOnly", "111122223333"]]);
    let shown = text(&mut Picker::new("Role", roles, true), 40, 24, UTF8);
    assert_eq!(shown[2], ">   Development  DeveloperAccess");
}

#[test]
fn at_forty_columns_rows_can_be_told_apart() {
    let long = |account: &str, role: &str, id: &str| {
        let account = format!("company-platform-{account}");
        vec![format!("{account}.{role}"), account, role.to_owned(), id.to_owned()]
    };
    let rows = vec![
        long("production-eu", "AdministratorAccess", "111122223333"),
        long("production-us", "AdministratorAccess", "111122223334"),
        long("production-us", "AdministratorReadOnly", "111122223334"),
        long("staging-us", "AdministratorAccess", "111122223335"),
    ];
    for several in [false, true] {
        let mut picker = Picker::new("x", rows.clone(), several);
        let shown = text(&mut picker, 40, 15, UTF8);
        let different: std::collections::HashSet<&str> =
            shown[2..6].iter().map(|line| line.trim_start_matches(['>', ' '])).collect();
        assert_eq!(different.len(), 4, "{shown:#?}");
    }
}

#[test]
fn unprintable_characters_become_question_marks_and_escapes_are_removed() {
    let mut picker = Picker::new("x", rows(&[&["Zürich 東京 \u{1b}[31m", "a"]]), false);
    assert_eq!(text(&mut picker, 80, 24, ASCII)[2], "> Z?rich ????  [31m  a");
    assert_eq!(text(&mut picker, 80, 24, UTF8)[2], "> Zürich 東京  [31m  a");
}

#[test]
fn a_long_list_scrolls_with_the_cursor() {
    let many: Vec<Vec<String>> = (0..100).map(|n| vec![format!("row {n}")]).collect();
    let mut picker = Picker::new("x", many, false).at(50);
    assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 50".to_owned()));
    picker.press(Key::PageDown);
    assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 56".to_owned()));
    picker.press(Key::End);
    assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 99".to_owned()));
    picker.press(Key::Home);
    assert!(text(&mut picker, 80, 10, UTF8).contains(&"> row 0".to_owned()));
}
