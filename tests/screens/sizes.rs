//! The window at any size, at any moment.

use super::{Silent, contexts};

const SIZES: [(u16, u16); 12] = [
    (1, 1),
    (2, 1),
    (1, 2),
    (5, 3),
    (3, 5),
    (20, 5),
    (40, 10),
    (79, 25),
    (81, 23),
    (300, 100),
    (300, 1),
    (1, 100),
];

#[test]
fn every_size_and_back_draws_the_same_screen_again() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").wait_for("Context: alpha").settle();
    let before = v9s.text();
    for (columns, rows) in SIZES {
        v9s.resize(columns, rows).settle();
        v9s.resize(80, 24).wait_until(|text| text == before, &format!("the screen before {columns}x{rows}"));
    }
    // One after another, faster than anybody draws.
    for (columns, rows) in SIZES.into_iter().cycle().take(60) {
        v9s.resize(columns, rows);
    }
    v9s.resize(80, 24).wait_until(|text| text == before, "the first screen after all sizes");
    v9s.press("<ctrl-c>");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn keys_work_at_every_size() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(1, 1).open();
    for (columns, rows) in SIZES {
        v9s.resize(columns, rows).press("jkG/be⌫⌫⌫:ctx⎋lh<ctrl-f><ctrl-w><shift-right>").settle();
    }
    v9s.resize(120, 30).wait_for("contexts[").resize(2, 1).press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn the_prompt_stays_open_and_usable_while_the_window_shrinks() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press("/bet").wait_for("</bet>");
    v9s.resize(30, 4)
        .wait_for("/ bet")
        .resize(80, 24)
        .wait_for("contexts[1/3]")
        .press("a")
        .wait_for("</beta>");
}

#[test]
fn a_small_terminal_shows_rows_rather_than_ornaments() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(40, 10).open();
    v9s.wait_for("alpha(*)").expect("beta").expect("gamma").expect("contexts[3]");
    v9s.resize(40, 5).wait_for("alpha(*)");
    v9s.resize(12, 3).gone("contexts").wait_for("alpha");
}
