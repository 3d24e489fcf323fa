//! Logs of containers. A real API server asks a kubelet for them, and there is none beside it: this is the embedded one.

use std::time::Duration;

use http::Method;
use serde_json::json;
use v9s::cluster::feed::Timing;
use v9s::cluster::logs::{BATCH, LogRequest, LogSource, LogState, Since};

use crate::support::embedded::Embedded;
use crate::support::kubeconfig::Kubeconfig;
use crate::support::objects::pod;
use crate::support::opened::OpenedLog;
use crate::support::proxy::Proxy;

fn request(since: Since) -> LogRequest {
    let source = LogSource { namespace: "shop".into(), pod: "web".into(), container: "main".into() };
    LogRequest { source, since, previous: false }
}

/// A server with a pod that runs and has said something.
fn running(said: &str) -> Embedded {
    let server = Embedded::new();
    server.cluster().create(pod("shop", "web").running());
    say(&server, said);
    server
}

fn say(server: &Embedded, text: &str) {
    server.server().append_log("shop", "web", "main", text);
}

fn open(server: &Embedded, request: LogRequest) -> OpenedLog {
    OpenedLog::new(&server.kubeconfig("admin"), request, Timing::default())
}

#[test]
fn a_log_is_followed_from_its_last_lines() {
    let server = running("one\ntwo\nthree");
    let mut log = open(&server, request(Since::Tail(2)));
    assert_eq!(log.lines(2), ["two", "three"]);
    say(&server, "four\n\nfive");
    assert_eq!(log.lines(5), ["two", "three", "four", "", "five"]);
    assert_eq!(log.states, [LogState::Following]);
}

#[test]
fn a_log_is_read_from_its_first_lines_to_an_end() {
    let server = running("one\ntwo");
    let mut log = open(&server, request(Since::Head));
    log.until("the end", |log| log.states.contains(&LogState::Over(None)));
    assert_eq!(log.lines, ["one", "two"]);
    let mut recent = open(&server, request(Since::Seconds(3600)));
    assert_eq!(recent.lines(2), ["one", "two"]);
}

#[test]
fn a_lost_link_leaves_no_hole_and_doubles_nothing() {
    let server = running("one\ntwo");
    let mut proxy = Proxy::to(&server.url());
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = Kubeconfig::read(&server.kubeconfig("admin"))
        .server(&proxy.url())
        .write(folder.path(), "through-proxy");
    let mut log = OpenedLog::new(&kubeconfig, request(Since::Tail(100)), Timing::default());
    log.lines(2);
    for round in 0..3 {
        proxy.refuse();
        proxy.cut();
        log.until("the trouble", |log| matches!(log.states.last(), Some(LogState::Lost(_))));
        // Two at the very same time.
        say(&server, &format!("missed {round}\nmissed {round}"));
        proxy.accept_again();
        log.until("what was missed", |log| log.lines.len() == 2 + 2 * (round + 1));
        log.until("following", |log| log.states.last() == Some(&LogState::Following));
    }
    say(&server, "last");
    log.lines(9);
    let want = ["one", "two", "missed 0", "missed 0", "missed 1", "missed 1", "missed 2", "missed 2", "last"];
    assert_eq!(log.lines, want);
    let lost = log.states.iter().find_map(|state| match state {
        LogState::Lost(why) => Some(why),
        _ => None,
    });
    assert!(lost.unwrap().contains(&proxy.url()), "{lost:?}");
}

#[test]
fn a_log_that_says_nothing_for_long_is_asked_for_anew() {
    let server = running("one");
    let mut timing = Timing { watch: Duration::ZERO, ..Timing::default() };
    timing.answer = Duration::from_secs(5);
    let log = OpenedLog::new(&server.kubeconfig("admin"), request(Since::Tail(9)), timing);
    let mut log = log;
    log.until("the second question", |log| log.states.len() >= 2);
    say(&server, "two");
    assert_eq!(log.lines(2), ["one", "two"]);
    assert!(log.states.iter().all(|state| *state == LogState::Following), "{:?}", log.states);
}

#[test]
fn a_container_that_has_not_started_is_waited_for() {
    let server = Embedded::new();
    let waiting = pod("shop", "web").with("spec.nodeName", "n1").with(
        "status.containerStatuses",
        json!([{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}]),
    );
    let made = server.cluster().create(waiting);
    let mut log = open(&server, request(Since::Tail(100)));
    let words = LogState::Waiting("waiting to start: PodInitializing".into());
    log.until("the waiting", |log| log.states.contains(&words));
    let running = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "main", "state": {"running": {}}}]}});
    server.cluster().patch(&made, running);
    say(&server, "here");
    assert_eq!(log.lines(1), ["here"]);
    // It ends, and is started again later: what it has said is not said anew.
    let ended = json!({"status": {"containerStatuses": [{"name": "main", "state": {"terminated": {"exitCode": 1}}}]}});
    server.cluster().patch(&made, ended);
    log.until("its end", |log| log.states.last() == Some(&LogState::Ended));
    let again = json!({"status": {"containerStatuses": [{"name": "main", "state": {"running": {}}}]}});
    server.cluster().patch(&made, again);
    say(&server, "again");
    assert_eq!(log.lines(2), ["here", "again"]);
}

#[test]
fn what_cannot_be_read_is_said_in_a_sentence() {
    let over = |log: &mut OpenedLog| {
        log.until("the end", |log| {
            matches!(log.states.last(), Some(LogState::Over(_) | LogState::Refused(_)))
        });
        match log.states.last() {
            Some(LogState::Over(Some(why)) | LogState::Refused(why)) => why.clone(),
            other => panic!("{other:?}"),
        }
    };
    let server = running("one");
    let previous = LogRequest { previous: true, ..request(Since::Tail(9)) };
    assert_eq!(over(&mut open(&server, previous)), "there was no container before this one");
    let mut other = request(Since::Tail(9));
    other.source.container = "sidecar".into();
    assert_eq!(over(&mut open(&server, other)), "the pod has no such container");
    let mut gone = request(Since::Tail(9));
    gone.source.pod = "nobody".into();
    assert!(over(&mut open(&server, gone)).contains("pods \"nobody\" not found"));
    let mut foreign = request(Since::Tail(9));
    foreign.source.namespace = "default".into();
    let why = over(&mut OpenedLog::new(&server.kubeconfig("shop"), foreign, Timing::default()));
    assert!(why.starts_with("Not allowed: ") && why.contains("pods/log"), "{why}");

    let mut log = open(&server, request(Since::Tail(9)));
    log.lines(1);
    let path = "/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0";
    server.cluster().request(Method::DELETE, path, None).unwrap();
    assert_eq!(over(&mut log), "the pod is gone");
}

#[test]
fn hostile_output_comes_in_bounded_pieces() {
    let server = running(&format!("\x1b]52;c;eA==\x07\r\n{}\nlast", "x".repeat(100_000)));
    let mut log = open(&server, request(Since::Tail(100)));
    let lines = log.lines(3);
    assert_eq!(lines[0], "\x1b]52;c;eA==\x07", "what it is shown as is decided where it is shown");
    assert!(lines[1].len() < 17_000 && lines[1].ends_with(" more bytes)"), "{}", lines[1].len());
    assert_eq!(lines[2], "last");
}

#[test]
fn a_flood_comes_in_small_batches_and_what_nobody_takes_is_counted() {
    let server = running("");
    let mut log = open(&server, request(Since::Tail(10_000)));
    log.until("the beginning", |log| log.states.contains(&LogState::Following));
    for part in 0..20 {
        let lines: Vec<String> = (0..1000).map(|n| format!("{}", part * 1000 + n)).collect();
        say(&server, &lines.join("\n"));
    }
    log.until("the last line", |log| log.lines.last().is_some_and(|line| line == "19999"));
    assert!(log.largest <= BATCH, "{} lines at a time", log.largest);
    let numbers: Vec<u64> = log.lines.iter().filter_map(|line| line.parse().ok()).collect();
    assert!(numbers.is_sorted());
    assert!(numbers.len() as u64 + log.dropped <= 20_000, "{} and {}", numbers.len(), log.dropped);
}
