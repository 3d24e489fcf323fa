//! The terminal itself: as it was, however the program ends or is stopped.

use std::process::{Command, Stdio};

use super::{Silent, contexts};
use crate::support::screen::{Modes, Screen};

/// What somebody does to the program, with a name.
type Way = (&'static str, fn(&mut Screen));

#[test]
fn every_way_out_leaves_the_terminal_as_it_was() {
    let silent = Silent::new();
    let ways: [Way; 11] = [
        (":q", |v9s| _ = v9s.press(":q⏎")),
        (":quit", |v9s| _ = v9s.press(":quit⏎")),
        (":q!", |v9s| _ = v9s.press(":q!⏎")),
        (":qa", |v9s| _ = v9s.press(":qa⏎")),
        (":Q", |v9s| _ = v9s.press(":Q⏎")),
        (":exit", |v9s| _ = v9s.press(":exit⏎")),
        ("ctrl-c", |v9s| _ = v9s.press("<ctrl-c>")),
        ("ctrl-c with an open prompt", |v9s| _ = v9s.press("/a<ctrl-c><ctrl-c>")),
        ("TERM", |v9s| _ = v9s.signal("TERM")),
        ("HUP", |v9s| _ = v9s.signal("HUP")),
        ("INT", |v9s| _ = v9s.signal("INT")),
    ];
    for (way, leave) in ways {
        let mut v9s = contexts(&silent).size(80, 24).open();
        v9s.wait_for("contexts[3]");
        assert_ne!(v9s.modes(), Modes::COOKED, "{way}: the program has taken the terminal");
        leave(&mut v9s);
        assert_eq!(v9s.wait_exit(), 0, "{way}");
        v9s.terminal_is_restored();
        assert!(!v9s.text().contains("contexts"), "{way} leaves the screen:\n{}", v9s.text());
    }
}

#[test]
fn signals_before_anything_is_drawn_leave_the_terminal_as_it_was() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut v9s = Screen::builder().silent().size(80, 24).open();
        v9s.wait_for("workloads").signal(signal);
        assert_eq!(v9s.wait_exit(), 0, "{signal}");
        v9s.terminal_is_restored();
    }
}

#[test]
fn a_stopped_program_gives_the_terminal_back_and_takes_it_again() {
    let silent = Silent::new();
    let stops: [Way; 2] =
        [(":suspend", |v9s| _ = v9s.press(":suspend⏎")), ("TSTP", |v9s| _ = v9s.signal("TSTP"))];
    for (way, stop) in stops {
        let mut v9s = contexts(&silent).size(80, 24).job_control().open();
        v9s.wait_for("contexts[3]").wait_for("Context: alpha").press("/bet⏎").wait_for("[1/3]").settle();
        let before = v9s.text();
        for _ in 0..2 {
            stop(&mut v9s);
            v9s.wait_stopped().gone("contexts[").terminal_is_restored();
            v9s.resume().wait_until(|text| text == before, &format!("the screen again after {way}"));
        }
        // It still has the keyboard, and a size that changed meanwhile counts.
        stop(&mut v9s);
        v9s.wait_stopped().resize(100, 30).resume().wait_for("[1/3]").press("⎋").wait_for("contexts[3]");
        assert_eq!(v9s.text().lines().position(|line| line.starts_with('└')), Some(27), "{}", v9s.text());
        v9s.press(":q⏎");
        assert_eq!(v9s.wait_exit(), 0, "{way}");
        v9s.terminal_is_restored();
    }
}

#[test]
fn without_a_terminal_there_is_a_sentence() {
    let output = Command::new(env!("CARGO_BIN_EXE_v9s"))
        .env("KUBECONFIG", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("v9s: ") && said.contains("terminal") && said.lines().count() == 1, "{said}");
}

#[test]
fn an_idle_screen_writes_nothing() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).size(80, 24).open();
    v9s.wait_for("contexts[3]").wait_for("Context: alpha").settle();
    let before = v9s.bytes_so_far();
    // A key that does nothing draws nothing.
    v9s.press("Z").settle();
    assert_eq!(v9s.bytes_so_far(), before);
}

#[test]
fn a_terminal_without_colours_still_tells_the_state() {
    let silent = Silent::new();
    let mut v9s = contexts(&silent).without_env("COLORTERM").env("NO_COLOR", "1").size(80, 24).open();
    v9s.wait_for("contexts[3]").wait_for("alpha(*)");
    let raw = String::from_utf8_lossy(&v9s.raw()).into_owned();
    assert!(!raw.contains("\u{1b}[38;2") && !raw.contains("\u{1b}[48;2"), "colours although NO_COLOR is set");
}
