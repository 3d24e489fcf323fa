//! Keys, prompts, filter, the way back; without any server.

use super::{Silent, contexts};
use crate::support::screen::Flags;
use crate::support::{deadline, poll};

#[test]
fn the_prompt_opens_views_and_completes() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]");
    v9s.press(":names").wait_for("> namespaces").press("⇥⏎").wait_for("namespaces[0]");
    // Enter takes what the prompt proposes.
    v9s.press(":conte⏎").wait_for("contexts[3]");
    // Words of k9s.
    v9s.press(":po⏎").wait_for("pods(").press(":ns⏎").wait_for("namespaces[").press(":vm⏎").wait_for("vms(");
}

#[test]
fn the_prompt_is_a_line_that_can_be_edited() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press(":xods one").wait_for("> xods one");
    v9s.press("<ctrl-w>")
        .wait_for("> xods ")
        .press("⌫⇱<del>p")
        .wait_for("> pods")
        .press("⏎")
        .wait_for("pods(");
    v9s.press(":garbage<ctrl-u>").settle();
    v9s.reject("garbage").press("⌫").gone("│> ");
    // Esc leaves the view as it is.
    v9s.press(":ctx⎋").gone("│> ").expect("pods(");
    // A paste is one line, and runs nothing.
    v9s.press(":").paste("con\ntexts").wait_for("> con texts").press("⎋").gone("│> ");
}

#[test]
fn an_unknown_command_is_told_and_the_view_stays() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press(":nosuchthing⏎").wait_for("nosuchthing").expect("contexts[3]");
    v9s.press(":  ⏎").settle().expect("contexts[3]");
}

#[test]
fn esc_goes_back_the_way_and_dash_to_the_view_before() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press(":ns⏎").wait_for("namespaces[").press(":po⏎").wait_for("pods(");
    v9s.expect("<contexts>").expect("<namespaces>").expect("<pods>");
    v9s.press("⎋").wait_for("─ namespaces[").press("q").wait_for("─ contexts[");
    // Here it ends, and says so; the program stays.
    v9s.press("q").wait_for(":q quits").expect("─ contexts[");
    v9s.press(":po⏎").wait_for("─ pods(").press("-").wait_for("─ contexts[").press("-").wait_for("─ pods(");
}

#[test]
fn the_namespace_of_a_view_is_part_of_the_way_back() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").wait_for("Context: alpha").press(":po shop⏎").wait_for("pods(shop)");
    v9s.press(":vms lab⏎").wait_for("vms(lab)").press("⎋").wait_for("pods(shop)");
    v9s.press("0").wait_for("pods(all)").press(":vms⏎").wait_for("vms(all)");
    // A word that is nothing changes nothing.
    v9s.press(":nosuchthing lab⏎").wait_for("nosuchthing").expect("vms(all)");
    v9s.press(":ns lab⏎").wait_for("workloads(lab)");
}

#[test]
fn the_filter_works_while_it_is_typed() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press("/be").wait_for("contexts[1/3] </be>").reject("gamma");
    v9s.press("t").wait_for("</bet>").press("⌫").wait_for("</be>").press("x").wait_for("contexts[0/3]");
    v9s.expect("Nothing matches").press("⌫⏎").wait_for("contexts[1/3] </be>").gone("/ be");
    // The cursor is on what is shown.
    v9s.press("⎋").wait_for("contexts[3]").expect("gamma");
    // Esc while typing takes back what was typed.
    v9s.press("/zz").wait_for("[0/3]").press("⎋").wait_for("contexts[3]").reject("/ zz");
    // Of all cells, whatever the case, and all words.
    v9s.press("/GAMMA-cl user⏎").wait_for("contexts[1/3]").expect("gamma-home");
    // A view has its own filter; the way back knows it.
    v9s.press(":ns⏎").wait_for("namespaces[0] ").press("⎋").wait_for("contexts[1/3] </GAMMA-cl user>");
}

#[test]
fn a_command_can_bring_a_filter() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").press(":vms /we⏎").wait_for("</we>").press(":vms shop /web⏎");
    v9s.wait_for("vms(shop)[0] </web>");
}

#[test]
fn the_cursor_moves_as_fingers_know() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]");
    let here = |v9s: &mut crate::support::screen::Screen, name: &str, keys: &str| {
        v9s.press(keys).wait_for(name);
        let there = || {
            let (column, row) = v9s.place_of(name);
            v9s.cell(column, row).flags.contains(Flags::INVERSE).then_some(())
        };
        if poll(deadline(), there).is_none() {
            v9s.fail(&format!("after {keys:?} the cursor is not on {name}"));
        }
    };
    for (keys, name) in
        [("j", "beta"), ("↓", "gamma"), ("j", "gamma"), ("k", "beta"), ("g", "alpha"), ("G", "gamma")]
    {
        here(&mut v9s, &format!("{name}-home"), keys);
    }
    for (keys, name) in
        [("⇱", "alpha"), ("⇲", "gamma"), ("<ctrl-b>", "alpha"), ("<ctrl-f>", "gamma"), ("⇞", "alpha")]
    {
        here(&mut v9s, &format!("{name}-home"), keys);
    }
    // The cursor stays on its object when the order turns round.
    here(&mut v9s, "beta-home", "j");
    v9s.press("N").wait_for("NAME↓");
    here(&mut v9s, "beta-home", "");
    assert!(v9s.row_of("gamma-home") < v9s.row_of("alpha-home"));
}

#[test]
fn header_and_columns_come_and_go() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(120, 24).open();
    v9s.wait_for("contexts[3]").wait_for("Cluster:").reject("SERVER");
    v9s.press("<ctrl-w>").wait_for("SERVER").expect(&silent.url()).press("<ctrl-w>").gone("SERVER");
    v9s.press("<ctrl-e>").gone("Cluster:").expect("alpha").press("<ctrl-e>").wait_for("Cluster:");
}
