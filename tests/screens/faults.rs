//! A server that fails on request, and what the screen makes of it: it says in a sentence what happened, keeps its rows,
//! and goes on by itself.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::embedded::Embedded;
use crate::support::objects::{vm, vmi_of};
use crate::support::screen::{Flags, Screen};
use crate::support::{deadline, poll};

/// A server with so many machines in the namespace `shop`.
fn fleet(count: usize) -> Embedded {
    let embedded = Embedded::new();
    for n in 0..count {
        put(&embedded, &format!("web-{n:03}"));
    }
    embedded
}

fn put(embedded: &Embedded, name: &str) {
    let machine = Value::from(vm("shop", name).running().stored(1));
    embedded.server().put(vmi_of(&machine).into()).unwrap();
    embedded.server().put(machine).unwrap();
}

/// The screen on the machines; a request may take two seconds.
fn open(embedded: &Embedded) -> Screen {
    Screen::builder()
        .kubeconfig(&embedded.kubeconfig("admin"))
        .args(["-n", "shop", "--request-timeout", "2"])
        .size(200, 30)
        .open()
}

/// The screen as one line, without borders.
fn said(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits until the screen says something of this server in a sentence, and what there is to do in another.
#[track_caller]
fn wait_until_said(v9s: &mut Screen, embedded: &Embedded, words: &str) {
    let url = embedded.url();
    let what = format!("{words:?} about {url}");
    v9s.wait_until(|text| said(text).contains(words) && text.contains(&url), &what);
    let text = said(&v9s.text()).replace(&url, "SERVER");
    let sentences = &text[text.find("SERVER").unwrap()..];
    let ends = sentences.split_inclusive(['.', '?', '…']).filter(|part| part.contains(' ')).count();
    assert!(ends >= 2, "there is no advice in {text}");
}

/// Rows are there, and can be told from fresh ones.
#[track_caller]
fn assert_stale_rows(v9s: &mut Screen) {
    v9s.wait_for(" stale ").expect("web-000").expect("web-002");
    // Between two attempts a list may have been complete for a moment.
    let dimmed = || v9s.cell_of("● Running").flags.contains(Flags::DIM).then_some(());
    assert!(poll(deadline(), dimmed).is_some(), "stale rows are dimmed");
}

/// Goes through faults of a server whose machines are on the screen.
fn in_the_middle(cases: &[(&[&str], &str)]) {
    let embedded = fleet(3);
    let mut v9s = open(&embedded);
    v9s.wait_for("workloads(shop)[3]").wait_for(" live ");
    for (n, (specs, words)) in cases.iter().enumerate() {
        for spec in *specs {
            embedded.fault(spec);
        }
        let meanwhile = format!("new-{n}");
        put(&embedded, &meanwhile);
        wait_until_said(&mut v9s, &embedded, words);
        assert_stale_rows(&mut v9s);
        embedded.server().faults().clear();
        v9s.wait_for(" live ").wait_for(&meanwhile).gone(" stale ").gone(words).expect("web-000");
        v9s.wait_for(&format!("workloads(shop)[{}]", 4 + n));
        assert!(!v9s.cell_of("● Running").flags.contains(Flags::DIM), "fresh rows are not dimmed");
    }
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn watches_that_end_break_or_are_forgotten() {
    in_the_middle(&[
        (&["drop,resource=vms"], "ends every watch at once. v9s asks again by itself."),
        (&["cut,resource=vms"], "was cut. Is the network up"),
        // In the middle of the event that tells of the new machine.
        (&["cut=60,resource=vms"], "was cut. Is the network up"),
        (&["410,resource=vms,verb=watch"], "no longer keeps the history asked for"),
        (&["garbage,resource=vms"], "cannot be understood: a line of the watch is no event."),
        (&["garbage=http,resource=vms"], "cannot be understood: it is not HTTP."),
        // The running one ends, and the next one is not answered.
        (
            &["503,resource=vms,times=1", "silence,resource=vms"],
            "did not answer within 2 s. Is the network slow",
        ),
    ]);
}

#[test]
fn watches_that_are_refused() {
    in_the_middle(&[
        (
            &["429=1s,resource=vms"],
            "asks to slow down: Too many requests, please try again later. v9s asks again",
        ),
        (&["500,resource=vms"], "failed (500): Internal error occurred"),
        (&["503,resource=vms"], "is not available (503): the server is currently unable to handle"),
        (&["401,resource=vms"], "does not accept this login: Unauthorized. Log in again"),
        // All that there is.
        (&["503"], "is not available (503)"),
        (&["cut"], "was cut. Is the network up"),
    ]);
}

#[test]
fn the_pause_that_a_server_asks_for_is_kept() {
    let embedded = fleet(3);
    let mut v9s = open(&embedded);
    v9s.wait_for("workloads(shop)[3]").wait_for(" live ");
    let fault = embedded.fault("429=3s,resource=vms,times=2");
    embedded.await_met(fault, 1);
    let first = Instant::now();
    wait_until_said(&mut v9s, &embedded, "asks to slow down");
    assert_stale_rows(&mut v9s);
    embedded.await_met(fault, 2);
    // The first was noticed some moments after it was met.
    assert!(first.elapsed() > Duration::from_millis(2_900), "{:?}", first.elapsed());
    put(&embedded, "new-0");
    v9s.wait_for("new-0").wait_for(" live ").expect("workloads(shop)[4]");
}

#[test]
fn what_is_open_about_one_object_says_when_the_server_is_gone() {
    let mut embedded = fleet(3);
    for (key, opened) in
        [("⏎", "vms(shop/web-001)"), ("d", "Describe(shop/web-001)"), ("y", "YAML(shop/web-001)")]
    {
        let mut v9s = Screen::builder()
            .kubeconfig(&embedded.kubeconfig("admin"))
            .args(["-n", "shop", "-c", "vms", "--request-timeout", "2"])
            .size(120, 30)
            .open();
        v9s.wait_for("vms(shop)[3] live").press("j").press(key);
        v9s.wait_for(&format!("{opened} live "));
        embedded.stop();
        v9s.wait_for(&format!("{opened} stale ")).expect("web-001");
        let url = embedded.url();
        v9s.wait_until(|text| said(text).contains(&url), "what is wrong");
        embedded.start();
        v9s.wait_for(&format!("{opened} live ")).gone(" stale ").expect("web-001");
        v9s.press("⎋").wait_for("vms(shop)[3] live").press(":q⏎");
        assert_eq!(v9s.wait_exit(), 0);
    }
}

#[test]
fn what_only_takes_long_or_ends_in_order_is_no_failure() {
    let embedded = fleet(3);
    embedded.fault("latency=300ms");
    let mut v9s = open(&embedded);
    v9s.wait_for("workloads(shop)[3]").wait_for(" live ");
    let dropped = embedded.fault("drop,resource=vms,times=1,after=1100ms");
    embedded.await_met(dropped, 1);
    put(&embedded, "new-0");
    v9s.wait_until(
        |text| {
            assert!(!text.contains("stale"), "{text}");
            text.contains("new-0")
        },
        "the new machine",
    );
    v9s.expect(" live ").expect("workloads(shop)[4]");
}

/// Starts the program on a server that fails, and takes the fault away.
fn from_the_start(cases: &[(&str, &str)]) {
    let embedded = fleet(3);
    for (spec, words) in cases {
        embedded.fault(spec);
        let mut v9s = open(&embedded);
        wait_until_said(&mut v9s, &embedded, words);
        v9s.reject(" live ").reject("There are no");
        embedded.server().faults().clear();
        v9s.wait_for("workloads(shop)[3]").wait_for(" live ").expect("web-002").gone(words);
    }
}

#[test]
fn lists_that_are_refused() {
    from_the_start(&[
        ("429=1s,resource=vms", "asks to slow down: Too many requests"),
        ("500,resource=vms", "failed (500): Internal error occurred"),
        ("503=1s,resource=vms", "is not available (503): the server is currently unable to handle"),
        ("401,resource=vms", "does not accept this login: Unauthorized. Log in again"),
        ("410,resource=vms,verb=list", "no longer keeps the history asked for"),
    ]);
}

#[test]
fn lists_that_break_off_or_make_no_sense() {
    from_the_start(&[
        ("cut=300,resource=vms", "was cut. Is the network up"),
        ("garbage,resource=vms", "cannot be understood: the answer is not a list of objects."),
        ("garbage=http,resource=vms", "cannot be understood: it is not HTTP."),
        ("silence,resource=vms", "did not answer within 2 s. Is the network slow"),
        ("silence=300,resource=vms", "did not answer within 2 s. Is the network slow"),
    ]);
}

#[test]
fn a_server_that_fails_altogether() {
    from_the_start(&[
        ("401", "does not accept this login: Unauthorized. Log in again"),
        ("503", "is not available (503)"),
        ("429=1s", "asks to slow down"),
        ("silence", "did not answer within 2 s. Is the network slow"),
        ("garbage", "cannot be understood: it is not JSON"),
        ("garbage=http", "cannot be understood: it is not HTTP."),
        ("cut", "was cut. Is the network up"),
    ]);
}

#[test]
fn lists_that_fail_between_their_pages_are_complete_in_the_end() {
    let embedded = fleet(120);
    for spec in ["410", "500", "429=1s", "cut=40000", "garbage", "silence=9000"] {
        let fault = embedded.fault(&format!("{spec},verb=continue,resource=vms,times=1"));
        let mut v9s = open(&embedded);
        v9s.wait_for("web-000");
        embedded.await_met(fault, 1);
        // The first page stays where it is.
        v9s.wait_until(
            |text| {
                assert!(text.contains("web-000"), "{spec}: {text}");
                text.contains("workloads(shop)[120]") && text.contains(" live ")
            },
            "all machines",
        );
    }
}
