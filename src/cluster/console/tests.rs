//! The task, against a small server: what it asks, what it tells, what it types.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::super::kubeconfig::Flags;
use super::super::testing::{Answer, Seen, Server, Step, connect_to, one_context, say};
use super::*;

const FAST: Pace = Pace {
    look: Duration::from_millis(5),
    looks: 2,
    glance: Duration::from_millis(10),
    patience: Duration::from_secs(60),
    ping: Duration::from_secs(25),
    alive: Duration::from_secs(2),
};

fn instance(change: impl FnOnce(&mut Value)) -> Value {
    let mut object = json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "vmi-1"},
        "spec": {"domain": {"devices": {}}},
        "status": {"phase": "Running", "nodeName": "node-1", "activePods": {"pod-2": "node-1", "pod-0": "node-0"}},
    });
    change(&mut object);
    object
}

fn request() -> ConsoleRequest {
    let platform = Platform::KubeVirt;
    ConsoleRequest { platform, or: None, namespace: "shop".into(), name: "web".into(), backlog: 10 }
}

struct Opened {
    console: Console,
    keyboard: Keyboard,
    server: Server,
}

impl Opened {
    async fn at(flags: Flags, pace: Pace, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::of(request(), flags, pace, answer).await
    }

    async fn of(
        request: ConsoleRequest,
        flags: Flags,
        pace: Pace,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::typing(keyboard(), request, flags, pace, answer).await
    }

    async fn typing(
        (keyboard, hands): (Keyboard, Hands),
        request: ConsoleRequest,
        flags: Flags,
        pace: Pace,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(answer).await;
        let folder = tempfile::tempdir().unwrap();
        let configuration = one_context(folder.path(), &format!("server: '{}'", server.url), "");
        let connection = connect_to(&configuration, &flags).await.unwrap();
        Self { console: open(connection, request, hands, pace), keyboard, server }
    }

    async fn next(&mut self) -> ConsoleNews {
        timeout(Duration::from_secs(20), self.console.next()).await.expect("news in time").expect("news")
    }

    async fn state(&mut self) -> State {
        loop {
            if let ConsoleNews::State(state) = self.next().await {
                return state;
            }
        }
    }

    /// The next state but those that pass.
    async fn settled(&mut self) -> State {
        loop {
            match self.state().await {
                State::Opening | State::Reconnecting { .. } => {}
                state => return state,
            }
        }
    }

    /// What the guest writes next, this much of it.
    async fn heard(&mut self, count: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        while heard.len() < count {
            if let ConsoleNews::Bytes(bytes) = self.next().await {
                heard.extend_from_slice(&bytes);
            }
        }
        heard
    }

    fn put(&self, bytes: &'static [u8]) {
        self.keyboard.put(ConsoleInput::Typed(Bytes::from_static(bytes))).unwrap();
    }
}

fn is_console(seen: &Seen) -> bool {
    seen.path == "/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachineinstances/web/console"
}

/// Answers about the machine, its pods and its log.
fn about(seen: &Seen, object: &Value) -> Answer {
    match seen.path.split('?').next() {
        Some("/apis/kubevirt.io/v1/namespaces/shop/virtualmachineinstances/web") => {
            say(200, object.to_string())
        }
        Some("/api/v1/namespaces/shop/pods") => {
            let pod = |name: &str, uid: &str| json!({"metadata": {"name": name, "uid": uid}});
            say(200, json!({"items": [pod("old", "pod-0"), pod("launcher", "pod-2")]}).to_string())
        }
        Some("/api/v1/namespaces/shop/pods/launcher/log") => say(200, "booting\nweb login:\n"),
        _ => say(404, r#"{"kind":"Status","message":"not found","reason":"NotFound"}"#),
    }
}

#[tokio::test]
async fn a_console_brings_what_was_written_before_and_then_carries_bytes() {
    let steps = vec![Step::Say(b"# "), Step::Hear(b"ls\r"), Step::Say(b"ls\r\nbin\r\n"), Step::Hold];
    let answer = move |seen: &Seen| match is_console(seen) {
        true => Answer::Stream(steps.clone()),
        false => about(seen, &instance(|_| {})),
    };
    let mut opened = Opened::at(Flags::default(), FAST, answer).await;
    assert_eq!(opened.next().await, ConsoleNews::State(State::Opening));
    assert_eq!(opened.next().await, ConsoleNews::Backlog(vec!["booting".into(), "web login:".into()]));
    let live = State::Live { node: "node-1".into(), paused: false, after: None };
    assert_eq!(opened.next().await, ConsoleNews::State(live));
    assert_eq!(opened.heard(2).await, b"# ");
    opened.put(b"ls\r");
    assert_eq!(opened.heard(9).await, b"ls\r\nbin\r\n");
    let asked = opened.server.seen();
    let console = asked.iter().find(|seen| is_console(seen)).unwrap();
    assert_eq!(console.all("sec-websocket-protocol"), [Protocol::Plain.name()]);
    assert!(console.all("accept").is_empty(), "KubeVirt refuses who accepts JSON only");
    let log = asked.iter().find(|seen| seen.path.contains("/log?")).unwrap();
    assert!(log.path.contains("container=guest-console-log&tailLines=10"), "{}", log.path);
}

#[tokio::test]
async fn another_client_is_left_in_peace_until_somebody_asks() {
    let answer = move |seen: &Seen| match is_console(seen) {
        true => Answer::Stream(vec![Step::Say(b"hi"), Step::Close(1000, "bye")]),
        false => about(seen, &instance(|_| {})),
    };
    let mut opened = Opened::at(Flags::default(), FAST, answer).await;
    assert!(matches!(opened.settled().await, State::Live { .. }));
    assert_eq!(opened.settled().await, State::Closed(Why::Taken));
    let count = |server: &Server| server.seen().iter().filter(|seen| is_console(seen)).count();
    assert_eq!(count(&opened.server), 1);
    // What is typed meanwhile opens nothing, and is not kept for later.
    opened.put(b"reboot\r");
    opened.keyboard.put(ConsoleInput::Again).unwrap();
    assert!(matches!(opened.settled().await, State::Live { .. }));
    assert_eq!(count(&opened.server), 2);
}

#[tokio::test]
async fn it_follows_its_machine_to_another_node() {
    let opens = AtomicU32::new(0);
    let moved = Arc::new(AtomicU32::new(0));
    let now = moved.clone();
    let answer = move |seen: &Seen| {
        if is_console(seen) {
            return match opens.fetch_add(1, Ordering::SeqCst) {
                0 => Answer::Stream(vec![Step::Say(b"one")]),
                // Its new node is not ready at once.
                1 => say(500, r#"{"kind":"Status","message":"bad handshake","reason":"InternalError"}"#),
                _ => {
                    now.store(9, Ordering::SeqCst);
                    Answer::Stream(vec![Step::Say(b"two"), Step::Hold])
                }
            };
        }
        about(
            seen,
            &instance(|vmi| match (opens.load(Ordering::SeqCst), now.fetch_add(1, Ordering::SeqCst)) {
                (0, _) => {}
                (_, 0..4) => {
                    vmi["status"]["migrationState"] = json!({"startTimestamp": "2026-01-01T00:00:00Z"});
                }
                _ => vmi["status"]["nodeName"] = json!("node-2"),
            }),
        )
    };
    let mut opened = Opened::at(Flags::default(), FAST, answer).await;
    assert_eq!(opened.heard(3).await, b"one");
    let after = Some(Why::Migrated { from: "node-1".into(), to: "node-2".into() });
    assert_eq!(opened.settled().await, State::Live { node: "node-2".into(), paused: false, after });
    assert_eq!(opened.heard(3).await, b"two");
}

#[tokio::test]
async fn refusals_are_said_in_a_sentence() {
    let status = |code: u16, message: &'static str, reason: &'static str| {
        move |seen: &Seen| match is_console(seen) {
            true => say(code, json!({"kind": "Status", "message": message, "reason": reason}).to_string()),
            false => about(seen, &instance(|_| {})),
        }
    };
    let cases = [
        (400, "No serial consoles are present.", "BadRequest", "No serial consoles are present"),
        (
            403,
            "virtualmachineinstances \"web\" is forbidden: no",
            "Forbidden",
            "virtualmachineinstances/console",
        ),
    ];
    for (code, message, reason, want) in cases {
        let mut opened = Opened::at(Flags::default(), FAST, status(code, message, reason)).await;
        let State::Closed(why) = opened.settled().await else { panic!("open") };
        let said = why.sentence("shop/web", Platform::KubeVirt);
        assert!(said.contains(want), "{said}");
    }
    let silent = |seen: &Seen| {
        about(
            seen,
            &instance(|vmi| vmi["spec"]["domain"]["devices"]["autoattachSerialConsole"] = json!(false)),
        )
    };
    let mut opened = Opened::at(Flags::default(), FAST, silent).await;
    assert_eq!(opened.settled().await, State::Closed(Why::NoSerial));
    assert!(opened.server.seen().iter().all(|seen| !is_console(seen)), "nothing is asked in vain");
}

#[tokio::test]
async fn a_read_only_session_listens_and_types_nothing() {
    let heard: Arc<Mutex<Vec<Step>>> = Arc::default();
    let steps = vec![Step::Say(b"login: "), Step::Hear(b"x")];
    *heard.lock().unwrap() = steps;
    let answer = move |seen: &Seen| match is_console(seen) {
        true => Answer::Stream(heard.lock().unwrap().clone()),
        false => about(seen, &instance(|_| {})),
    };
    let pace = Pace { ping: Duration::from_millis(20), ..FAST };
    let flags = Flags { readonly: true, ..Flags::default() };
    let mut opened = Opened::at(flags, pace, answer).await;
    assert_eq!(opened.heard(7).await, b"login: ");
    opened.put(b"x");
    // Had it been heard, the server would have ended the stream. Its signs of life go on: three of them, and it is still open.
    let more = timeout(Duration::from_millis(200), opened.console.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_dead_link_is_noticed() {
    // Nobody reads there, so nobody answers.
    let answer = move |seen: &Seen| match is_console(seen) {
        true => Answer::Stream(vec![Step::Say(b"hi"), Step::Hold]),
        false => about(seen, &instance(|_| {})),
    };
    let pace = Pace { ping: Duration::from_millis(10), ..FAST };
    let mut opened = Opened::at(Flags::default(), pace, answer).await;
    assert!(matches!(opened.settled().await, State::Live { .. }));
    assert_eq!(opened.settled().await, State::Closed(Why::Silent));
}

#[test]
fn what_waits_to_be_sent_is_bounded() {
    let (keyboard, mut hands) = keyboard();
    let piece = ConsoleInput::Typed(Bytes::from(vec![b'x'; TYPED / 2]));
    assert_eq!(keyboard.put(piece.clone()), Ok(()));
    assert_eq!(keyboard.put(piece), Ok(()));
    assert_eq!(keyboard.put(ConsoleInput::Typed(Bytes::from_static(b"x"))), Err(Full));
    let sending = hands.receiver.try_recv().unwrap();
    assert_eq!(keyboard.put(ConsoleInput::Typed(Bytes::from_static(b"x"))), Err(Full));
    drop(sending);
    assert_eq!(keyboard.put(ConsoleInput::Typed(Bytes::from_static(b"x"))), Ok(()));
}

#[tokio::test]
async fn what_was_typed_for_the_guest_as_it_was_is_not_typed_into_its_next_life() {
    let (keyboard, hands) = keyboard();
    let streams = AtomicU32::new(0);
    let (late, typed) = (keyboard.clone(), Arc::new(AtomicU32::new(0)));
    let has_typed = typed.clone();
    let answer = move |seen: &Seen| {
        if is_console(seen) {
            return Answer::Stream(match streams.fetch_add(1, Ordering::SeqCst) {
                0 => vec![Step::Say(b"$ "), Step::Close(1000, "")],
                _ => vec![Step::Say(b"login: "), Step::Hear(b"root\r"), Step::Say(b"welcome"), Step::Hold],
            });
        }
        if streams.load(Ordering::SeqCst) == 1 && has_typed.swap(1, Ordering::SeqCst) == 0 {
            late.put(ConsoleInput::Typed(Bytes::from_static(b"hunter2\r"))).unwrap();
        }
        let life = streams.load(Ordering::SeqCst);
        about(seen, &instance(|one| one["metadata"]["uid"] = format!("vmi-{life}").into()))
    };
    let mut opened = Opened::typing((keyboard, hands), request(), Flags::default(), FAST, answer).await;
    assert_eq!(opened.heard(2 + 7).await, b"$ login: ");
    opened.put(b"root\r");
    assert_eq!(opened.heard(7).await, b"welcome");
    assert_eq!(typed.load(Ordering::SeqCst), 1);
}

fn virtink() -> ConsoleRequest {
    ConsoleRequest { platform: Platform::Virtink, ..request() }
}

fn is_exec(seen: &Seen) -> bool {
    seen.path.starts_with("/api/v1/namespaces/shop/pods/vm-web-x2k4p/exec?")
}

/// Answers about a machine of Virtink, and the log of its pod.
fn about_virtink(seen: &Seen, phase: &str) -> Answer {
    match seen.path.split('?').next() {
        Some("/apis/virt.virtink.smartx.com/v1alpha1/namespaces/shop/virtualmachines/web") => {
            let status = json!({"phase": phase, "nodeName": "node-1", "vmPodName": "vm-web-x2k4p"});
            say(200, json!({"metadata": {"uid": "vm-1"}, "status": status}).to_string())
        }
        Some("/api/v1/namespaces/shop/pods/vm-web-x2k4p/log") => say(200, "booting\n"),
        _ => say(404, r#"{"kind":"Status","message":"not found","reason":"NotFound"}"#),
    }
}

#[tokio::test]
async fn a_machine_of_virtink_is_reached_by_a_command_in_its_pod() {
    let steps = vec![
        // As servers begin: channels that bring nothing.
        Step::Say(b"\x01"),
        Step::Say(b"\x03"),
        Step::Say(b"\x01# "),
        Step::Hear(b"\x00ls\r"),
        Step::Say(b"\x02a warning\n"),
        Step::Say(b"\x01bin\r\n"),
        Step::Hold,
    ];
    let answer = move |seen: &Seen| match is_exec(seen) {
        true => Answer::Stream(steps.clone()),
        false => about_virtink(seen, "Running"),
    };
    let mut opened = Opened::of(virtink(), Flags::default(), FAST, answer).await;
    assert_eq!(opened.next().await, ConsoleNews::State(State::Opening));
    assert_eq!(opened.next().await, ConsoleNews::Backlog(vec!["booting".into()]));
    let live = State::Live { node: "node-1".into(), paused: false, after: None };
    assert_eq!(opened.next().await, ConsoleNews::State(live));
    assert_eq!(opened.heard(2).await, b"# ");
    opened.put(b"ls\r");
    assert_eq!(opened.heard(5).await, b"bin\r\n", "complaints of the command are not the guest's words");
    let asked = opened.server.seen();
    let exec = asked.iter().find(|seen| is_exec(seen)).unwrap();
    assert_eq!(exec.all("sec-websocket-protocol"), ["v4.channel.k8s.io"]);
    let query = exec.path.split('?').nth(1).unwrap();
    assert!(query.starts_with("container=cloud-hypervisor&stdin=true&stdout=true&stderr=true&command=sh&"));
    assert!(!query.contains("tty"), "the terminal in the pod is one already: {query}");
}

#[tokio::test]
async fn a_command_that_was_killed_before_its_guest_is_known_to_be_off_is_understood_later() {
    const KILLED: &[u8] =
        b"\x03{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"137\"}]}}";
    let off = Arc::new(AtomicU32::new(0));
    let told = off.clone();
    let answer = move |seen: &Seen| match (is_exec(seen), told.load(Ordering::SeqCst)) {
        (true, _) => Answer::Stream(vec![Step::Say(KILLED)]),
        (false, 0) => about_virtink(seen, "Running"),
        (false, _) => about_virtink(seen, "Succeeded"),
    };
    let mut opened = Opened::of(virtink(), Flags::default(), FAST, answer).await;
    loop {
        if let State::Closed(why) = opened.settled().await {
            assert!(matches!(why, Why::Exited { code: Some(137), .. }), "{why:?}");
            break;
        }
    }
    off.store(1, Ordering::SeqCst);
    // From now on it waits for another life of its guest.
    assert_eq!(opened.state().await, State::Reconnecting { attempt: 1, why: Why::PoweredOff });
}

#[tokio::test]
async fn a_name_is_looked_for_on_both_platforms() {
    let vm = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web";
    // Whether KubeVirt has a machine of this name that is off, and whose the name is then.
    for (off, whose) in [(true, Platform::KubeVirt), (false, Platform::Virtink)] {
        let answer = move |seen: &Seen| match () {
            () if is_exec(seen) => Answer::Stream(vec![Step::Say(b"\x01# "), Step::Hold]),
            () if off && seen.path == vm => say(200, "{}"),
            () => about_virtink(seen, "Running"),
        };
        let request = ConsoleRequest { or: Some(Platform::Virtink), ..request() };
        let mut opened = Opened::of(request, Flags::default(), FAST, answer).await;
        assert_eq!(opened.next().await, ConsoleNews::State(State::Opening));
        assert_eq!(opened.next().await, ConsoleNews::Platform(whose));
        match opened.settled().await {
            State::Closed(why) => assert!(off && why == Why::NotThere, "{why:?}"),
            state => assert!(!off && matches!(state, State::Live { .. }), "{state:?}"),
        }
    }
}

#[tokio::test]
async fn after_a_migration_the_log_of_the_new_pod_is_read_and_after_a_broken_line_none() {
    // How often the stream was opened.
    for moves in [true, false] {
        let opens = AtomicU32::new(0);
        let answer = move |seen: &Seen| {
            if is_console(seen) {
                return match opens.fetch_add(1, Ordering::SeqCst) {
                    0 => Answer::Stream(vec![Step::Say(b"one")]),
                    _ => Answer::Stream(vec![Step::Say(b"two"), Step::Hold]),
                };
            }
            let moved = moves && opens.load(Ordering::SeqCst) > 0;
            if seen.path.contains("/pods/old/log?") {
                return say(200, "on the new node\n");
            }
            about(
                seen,
                &instance(|vmi| {
                    if moved {
                        vmi["status"]["nodeName"] = json!("node-0");
                    }
                }),
            )
        };
        let mut opened = Opened::at(Flags::default(), FAST, answer).await;
        assert_eq!(opened.heard(3).await, b"one");
        let mut told = Vec::new();
        while told.last() != Some(&ConsoleNews::Bytes(Bytes::from_static(b"two"))) {
            let news = opened.next().await;
            if matches!(news, ConsoleNews::State(State::Closed(_))) {
                opened.keyboard.put(ConsoleInput::Again).unwrap();
            }
            told.push(news);
        }
        let logs: Vec<_> = told.iter().filter(|news| matches!(news, ConsoleNews::Backlog(_))).collect();
        match moves {
            true => assert_eq!(logs, [&ConsoleNews::Backlog(vec!["on the new node".into()])]),
            false => assert!(logs.is_empty(), "that log has been told: {logs:?}"),
        }
    }
}

#[tokio::test]
async fn what_keeps_a_console_of_virtink_closed_is_told() {
    const FAILED: &[u8] = b"\x03{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"message\":\"exit code 42\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"42\"}]}}";
    const SILENT: &[u8] = b"\x03{\"status\":\"Failure\",\"message\":\"container not found\"}";
    const MISSING: &[u8] = b"\x03{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"127\"}]}}";
    let forbidden = r#"{"kind":"Status","reason":"Forbidden","message":"pods \"x\" is forbidden: no"}"#;
    type Make = fn(&str) -> Answer;
    let cases: [(Make, &str, &str); 5] = [
        (|_| Answer::Stream(vec![Step::Say(FAILED)]), "Running", "names no terminal for the guest's hvc0"),
        (|_| Answer::Stream(vec![Step::Say(SILENT)]), "Running", "has ended: container not found."),
        (
            |_| Answer::Stream(vec![Step::Say(b"\x02sh: cat: not found\n"), Step::Say(MISSING)]),
            "Running",
            "has ended: sh: cat: not found.",
        ),
        (|body| say(403, body), "Running", "Ask for the verbs get and create on pods/exec."),
        (|_| Answer::HangUp, "", "shop/web has ended (Stopped). Start the machine"),
    ];
    for (make, phase, want) in cases {
        let answer = move |seen: &Seen| match is_exec(seen) {
            true => make(forbidden),
            false => about_virtink(seen, phase),
        };
        let mut opened = Opened::of(virtink(), Flags::default(), FAST, answer).await;
        let why = loop {
            if let State::Closed(why) = opened.settled().await {
                break why;
            }
        };
        let said = why.sentence("shop/web", Platform::Virtink);
        assert!(said.contains(want), "{said}");
    }
}

#[tokio::test]
async fn a_read_only_session_runs_no_command_in_a_pod() {
    let flags = Flags { readonly: true, ..Flags::default() };
    let mut opened = Opened::of(virtink(), flags, FAST, |seen| about_virtink(seen, "Running")).await;
    let State::Closed(why) = opened.settled().await else { panic!("open") };
    let said = why.sentence("shop/web", Platform::Virtink);
    assert!(said.contains("read-only (--readonly)"), "{said}");
    assert!(opened.server.seen().iter().all(|seen| !is_exec(seen)), "nothing was sent");
}

#[tokio::test]
async fn a_guest_that_is_paused_meanwhile_is_told_of_and_stays_open() {
    let looks = AtomicU32::new(0);
    let answer = move |seen: &Seen| match is_console(seen) {
        true => Answer::Stream(vec![Step::Say(b"hi"), Step::Hold]),
        false => about(
            seen,
            &instance(|vmi| {
                let look = looks.fetch_add(1, Ordering::SeqCst);
                let paused = if (6..9).contains(&look) { "True" } else { "False" };
                vmi["status"]["conditions"] = json!([{"type": "Paused", "status": paused}]);
            }),
        ),
    };
    let mut opened = Opened::at(Flags::default(), FAST, answer).await;
    assert!(matches!(opened.settled().await, State::Live { paused: false, .. }));
    assert_eq!(opened.heard(2).await, b"hi");
    assert_eq!(opened.next().await, ConsoleNews::Paused(true));
    assert_eq!(opened.next().await, ConsoleNews::Paused(false));
    assert_eq!(opened.server.seen().iter().filter(|seen| is_console(seen)).count(), 1);
}
