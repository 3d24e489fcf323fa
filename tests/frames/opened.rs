//! What is opened over a list: YAML, descriptions, logs.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use v9s::cluster::logs::{LogLine, LogNews, LogRequest, LogState, Since};
use v9s::cluster::object::{News, Wanted, Which};
use v9s::records::{Claim, DataVolume, Kind, Node, Pod};
use v9s::store::{FeedId, Freshness};
use v9s::ui::message::{Answer, Effect, Message, Question, Ticket};

use super::{Stage, now, text};
use crate::support::objects::{data_volume, launcher_pod, pod, vm, vmi_of};

impl Stage {
    /// What has been asked for and not given back, in order.
    fn asked(&self) -> Vec<(Ticket, Question)> {
        let given_back = |ticket: Ticket| {
            self.effects.iter().any(|effect| matches!(effect, Effect::Forget(t) if *t == ticket))
        };
        let asked = self.effects.iter().filter_map(|effect| match effect {
            Effect::Ask { ticket, question, .. } => Some((*ticket, question.clone())),
            _ => None,
        });
        asked.filter(|(ticket, _)| !given_back(*ticket)).collect()
    }

    fn answers(&mut self, ticket: Ticket, answer: Answer) -> &mut Self {
        self.app.update(Message::Answer(ticket, answer), now(), &mut self.effects);
        self
    }

    /// The server says how the object is that was opened last.
    pub(super) fn object_is(&mut self, object: &Value) -> &mut Self {
        let named = |question: &Question| matches!(question, Question::Objects(wanted) if matches!(wanted.which, Which::Named(_)));
        let (ticket, _) =
            self.asked().into_iter().rev().find(|(_, question)| named(question)).expect("an object");
        let news = News {
            here: vec![Arc::new(object.clone())],
            whole: true,
            freshness: Some(Freshness::Live),
            ..News::default()
        };
        self.answers(ticket, Answer::Objects(news))
    }

    /// The server answers with the object that was asked for last by its path.
    pub(super) fn document_is(&mut self, object: &Value) -> &mut Self {
        let of_path = |question: &Question| matches!(question, Question::Document { .. });
        let (ticket, _) =
            self.asked().into_iter().rev().find(|(_, question)| of_path(question)).expect("a question");
        self.answers(ticket, Answer::Document(Ok(object.clone())))
    }

    /// The log that is asked for of a container, and its request.
    fn log_of(&self, container: &str) -> (Ticket, LogRequest) {
        let logs: Vec<(Ticket, LogRequest)> = self
            .asked()
            .into_iter()
            .filter_map(|(ticket, question)| match question {
                Question::Log(request) => Some((ticket, request)),
                _ => None,
            })
            .collect();
        let found = logs.iter().find(|(_, request)| request.source.container == container);
        found.unwrap_or_else(|| panic!("no log of {container} in {logs:?}")).clone()
    }

    /// A container says something, a second apart.
    pub(super) fn says_log(&mut self, container: &str, from: i64, lines: &[&str]) -> &mut Self {
        let (ticket, _) = self.log_of(container);
        let at = |n: usize| Timestamp::from_second(1_767_355_100 + from + i64::try_from(n).unwrap()).ok();
        let lines =
            lines.iter().enumerate().map(|(n, line)| LogLine { at: at(n), text: (*line).into() }).collect();
        let news = LogNews { lines, dropped: 0, state: Some(LogState::Following) };
        self.answers(ticket, Answer::Log(news))
    }

    fn log_is(&mut self, container: &str, state: LogState) -> &mut Self {
        let (ticket, _) = self.log_of(container);
        self.answers(ticket, Answer::Log(LogNews { state: Some(state), ..LogNews::default() }))
    }

    fn saved(&self) -> Option<(&str, &str, &str)> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Save { name, extension, text } => Some((name.as_str(), *extension, text.as_str())),
            _ => None,
        })
    }

    fn copied(&self) -> Option<&str> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

fn machine() -> Value {
    let volumes = json!([
        {"name": "root", "dataVolume": {"name": "web-root"}},
        {"name": "ci", "cloudInitNoCloud": {"userData": "#cloud-config\npassword: hunter2"}},
    ]);
    let disks =
        json!([{"name": "root", "disk": {"bus": "virtio"}}, {"name": "ci", "cdrom": {"bus": "sata"}}]);
    vm("shop", "web")
        .running()
        .with("spec.template.spec.volumes", volumes)
        .with("spec.template.spec.domain.devices.disks", disks)
        .with("metadata.managedFields", json!([{"manager": "kubectl"}, {"manager": "virt-controller"}]))
        .annotation("example.test/note", "kept by \u{1b}[31mhand")
        .stored(1)
        .0
}

/// The machine, its instance, its launcher, and a disk whose importer runs.
fn with_pods() -> (Stage, FeedId) {
    let machine = machine();
    let instance = vmi_of(&machine).stored(2).0;
    let launcher = launcher_pod(&instance).stored(3).0;
    let disk = data_volume("shop", "web-root").owned_by(&machine).stored(4).0;
    let mut stage = Stage::fleet(std::slice::from_ref(&machine), std::slice::from_ref(&instance));
    let feeds = [Kind::DataVolume, Kind::Claim, Kind::Pod].map(|kind| stage.cover(kind));
    stage.says::<DataVolume>(feeds[0], std::slice::from_ref(&disk), Freshness::Live);
    stage.says::<Claim>(feeds[1], &[], Freshness::Live);
    stage.says::<Pod>(feeds[2], &[launcher, importer(&disk)], Freshness::Live);
    (stage, feeds[2])
}

fn importer(disk: &Value) -> Value {
    pod("shop", "importer-prime-1")
        .with("spec.containers.0.name", "importer")
        .label("cdi.kubevirt.io", "importer")
        .owned_by(disk)
        .running()
        .stored(5)
        .0
}

#[test]
fn yaml_is_shown_without_what_says_nothing_and_without_secrets() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("y");
    insta::assert_snapshot!("yaml_waiting", stage.text(80, 24));
    let asked = stage.asked();
    let Question::Objects(Wanted { target, namespace, which }) = &asked[0].1 else { panic!("{asked:?}") };
    assert_eq!((target.plural.as_str(), namespace.as_deref()), ("virtualmachines", Some("shop")));
    assert_eq!(*which, Which::Named("web".into()));
    stage.object_is(&machine());
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("yaml_{width}x{height}"), stage.text(width, height));
    }
    let whole = stage.text(120, 100);
    assert!(!whole.contains("hunter2") && !whole.contains("virt-controller"), "{whole}");
    let whole = stage.press("x m").text(120, 120);
    assert!(whole.contains("password: hunter2") && whole.contains("manager: virt-controller"), "{whole}");
    assert!(!stage.text(300, 100).contains('\u{1b}'));
}

#[test]
fn what_changes_in_yaml_is_marked_until_it_is_held() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("y").object_is(&machine());
    let mut changed = machine();
    changed["status"]["printableStatus"] = json!("Paused");
    stage.object_is(&changed);
    let frame = stage.text(80, 100);
    let marked: Vec<&str> = frame.lines().filter(|line| line.contains('┃')).collect();
    assert_eq!(marked.len(), 1, "{frame}");
    assert!(marked[0].contains("printableStatus: Paused"), "{}", marked[0]);
    changed["status"]["printableStatus"] = json!("Running");
    stage.press("r").object_is(&changed);
    assert!(stage.text(80, 100).contains("printableStatus: Paused"));
    assert!(stage.text(80, 100).contains("held, newer there"));
    assert!(stage.press("r").text(80, 100).contains("printableStatus: Running"));
}

#[test]
fn yaml_is_searched_copied_saved_and_shown_alone() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("y").object_is(&machine());
    stage.text(80, 24);
    stage.types("/name").press("enter n");
    let frame = stage.text(80, 24);
    assert!(frame.contains("</name[2:"), "{frame}");
    insta::assert_snapshot!("yaml_searched", frame);
    stage.press("c ctrl-s");
    let copied = stage.copied().expect("a copy").to_owned();
    assert!(copied.starts_with("# folded: ") && copied.contains("runStrategy: Always"), "{copied}");
    assert!(copied.contains("[hidden, 31 bytes]"), "what is hidden on screen is not copied");
    assert_eq!(stage.saved(), Some(("virtualmachines-web", "yaml", copied.as_str())));
    let full = stage.press("f").text(80, 24);
    assert!(full.contains("apiVersion: ") && !full.contains("Context:"), "{full}");
    let closed = stage.press("f esc esc").text(80, 24);
    assert!(closed.contains("NAMESPACE"), "{closed}");
    assert!(stage.asked().is_empty(), "what was asked for ends with the pane");
}

#[test]
fn what_cannot_be_shown_is_said_in_words() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("y");
    let (ticket, _) = stage.asked()[0].clone();
    let says = |freshness| News { freshness: Some(freshness), ..News::default() };
    let denied =
        Freshness::Denied { why: "Not allowed: user \"u\" cannot get resource \"virtualmachines\".".into() };
    stage.answers(ticket, Answer::Objects(says(denied)));
    let frame = stage.text(80, 24);
    assert!(frame.contains("Not allowed: user \"u\" cannot get") && frame.contains("no answer"), "{frame}");
    stage.answers(ticket, Answer::Objects(says(Freshness::Live)));
    stage.object_is(&machine());
    stage.answers(ticket, Answer::Objects(News { gone: vec!["uid".into()], ..News::default() }));
    let frame = stage.text(80, 24);
    assert!(frame.contains("deleted") && frame.contains("apiVersion"), "the last state stays\n{frame}");
}

#[test]
fn a_machine_is_described_with_what_was_said_about_it() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("d").object_is(&machine());
    let events = stage.asked().into_iter().find_map(|(ticket, question)| match question {
        Question::Objects(Wanted { which: Which::Fields(fields), .. }) => Some((ticket, fields)),
        _ => None,
    });
    let (ticket, fields) = events.expect("events");
    assert!(fields.starts_with("involvedObject.uid="), "{fields}");
    assert!(stage.text(120, 60).contains("waiting"));
    let event = json!({
        "metadata": {"name": "e", "uid": "1"}, "reason": "FailedCreate", "message": "no room\u{7} left", "type": "Warning",
        "lastTimestamp": "2026-01-02T11:55:00Z", "involvedObject": {"kind": "VirtualMachine", "name": "web"},
        "source": {"component": "virtualmachine-controller"},
    });
    let news = News { here: vec![Arc::new(event)], whole: true, ..News::default() };
    stage.answers(ticket, Answer::Objects(news));
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("describe_{width}x{height}"), stage.text(width, height));
    }
    stage.text(120, 24);
    let end = stage.press("G").text(120, 24);
    assert!(end.contains("▲ FailedCreate") && end.contains("no room␇ left"), "{end}");
}

#[test]
fn a_description_tells_the_events_of_the_object_that_is_there_now() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    let events = |stage: &Stage| {
        let asked = stage.asked().into_iter().filter_map(|(ticket, question)| match question {
            Question::Objects(Wanted { which: Which::Fields(fields), .. }) => Some((ticket, fields)),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let said = |uid: &str, reason: &str| {
        let event = json!({"metadata": {"name": uid, "uid": uid}, "reason": reason, "type": "Normal"});
        Answer::Objects(News { here: vec![Arc::new(event)], whole: true, ..News::default() })
    };
    stage.press("d").object_is(&machine());
    let before = events(&stage);
    stage.answers(before[0].0, said("1", "Stopped"));
    assert!(stage.text(120, 100).contains("Stopped"));
    // Another one comes under the same name.
    let mut other = machine();
    other["metadata"]["uid"] = json!("5b1f8b7c-0f5e-4e0a-9d3c-6f2f6a7d8e90");
    stage.object_is(&other);
    let after = events(&stage);
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].1.ends_with("5b1f8b7c-0f5e-4e0a-9d3c-6f2f6a7d8e90"), "{after:?}");
    assert!(!stage.text(120, 100).contains("Stopped"));
    stage.answers(before[0].0, said("2", "Late"));
    stage.answers(after[0].0, said("3", "Started"));
    let text = stage.text(120, 100);
    assert!(text.contains("Started") && !text.contains("Late"), "{text}");
}

#[test]
fn who_waits_for_a_list_below_the_help_closes_itself_and_not_the_help() {
    let mut stage = Stage::fleet(&[machine()], &[]);
    stage.press("o");
    assert!(stage.text(120, 40).contains("Waiting for the list"));
    stage.press("?");
    let nodes = stage.cover(Kind::Node);
    stage.says::<Node>(nodes, &[], Freshness::Live);
    let text = stage.text(120, 40);
    assert!(text.contains("shop/web is on no node."), "{text}");
    assert!(text.contains("<help>"), "{text}");
    let text = stage.press("esc").text(120, 40);
    assert!(!text.contains("Waiting for the list") && text.contains("NAMESPACE"), "{text}");
}

#[test]
fn logs_of_a_machine_are_those_of_all_that_works_for_it() {
    let (mut stage, pods) = with_pods();
    stage.press("l");
    stage
        .says_log("compute", 0, &["{\"level\":\"info\",\"msg\":\"Domain name event\"}", "second"])
        .says_log("importer", -10, &["\u{1b}[32mI1120\u{1b}[0m importer.go:103] Starting importer"])
        .says_log("guest-console-log", 1, &["[    0.000000] Linux version 6.11.4", "\u{1b}[2Jweb login: "]);
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("logs_{width}x{height}"), stage.text(width, height));
    }
    let times = stage.press("t w").text(120, 12);
    assert!(times.contains("2026-01-02T11:58:20.000Z compute"), "{times}");
    // The importer is started again in another pod, and a second launcher comes with a migration.
    let disk = data_volume("shop", "web-root").owned_by(&machine()).stored(4).0;
    let mut second = importer(&disk);
    second["metadata"]["name"] = json!("importer-prime-2");
    second["metadata"]["uid"] = json!("4a41f566-fe01-409c-a06c-0a1cd6e317e7");
    stage.says::<Pod>(pods, &[second], Freshness::Live);
    let pods: Vec<String> = stage
        .asked()
        .into_iter()
        .filter_map(|(_, question)| match question {
            Question::Log(request) if request.source.container == "importer" => Some(request.source.pod),
            _ => None,
        })
        .collect();
    assert_eq!(pods, ["importer-prime-1", "importer-prime-2"]);
    assert!(stage.text(120, 12).contains("importer-1"));
}

#[test]
fn of_more_logs_than_one_reads_the_title_says_how_many_are_left_out() {
    let (mut stage, pods) = with_pods();
    let disk = data_volume("shop", "web-root").owned_by(&machine()).stored(4).0;
    let importers: Vec<Value> = (0..30u32)
        .map(|n| {
            let mut pod = importer(&disk);
            pod["metadata"]["name"] = json!(format!("importer-prime-{n:02}"));
            pod["metadata"]["uid"] = json!(format!("4a41f566-fe01-409c-a06c-{n:012}"));
            pod
        })
        .collect();
    stage.says::<Pod>(pods, &importers, Freshness::Live);
    let title = |stage: &mut Stage| {
        let text = stage.text(100, 24);
        text.lines().find(|line| line.contains("Logs(")).unwrap_or(&text).to_owned()
    };
    stage.press("l").says_log("guest-console-log", 0, &["login:"]);
    assert!(title(&mut stage).contains("live, 24 of 33 logs"), "{}", title(&mut stage));
    // One that has ended for good makes room for the next.
    stage.log_is("importer", LogState::Over(None));
    stage.says::<Pod>(pods, &importers[..1], Freshness::Live);
    assert!(title(&mut stage).contains("live, 25 of 33 logs"), "{}", title(&mut stage));
}

/// A stage with the log of a pod open.
fn pod_log() -> (Stage, Value) {
    let web = pod("shop", "web")
        .with("spec.containers", json!([{"name": "main"}, {"name": "proxy"}]))
        .running()
        .stored(1)
        .0;
    let mut stage = Stage::new(v9s::ui::app::Options {
        view: Some("pods".into()),
        all_namespaces: true,
        ..v9s::ui::app::Options::default()
    });
    let feed = stage.cover(Kind::Pod);
    stage.says::<Pod>(feed, std::slice::from_ref(&web), Freshness::Live);
    stage.press("l");
    stage.object_is(&web);
    (stage, web)
}

fn numbered(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("line {n}")).collect()
}

#[test]
fn scrolling_up_stops_following_and_loses_nothing() {
    let (mut stage, _) = pod_log();
    let lines = numbered(0, 100);
    let all: Vec<&str> = lines.iter().map(String::as_str).collect();
    stage.says_log("main", 0, &all[..50]);
    assert!(stage.text(80, 24).contains("line 49"));
    stage.press("k");
    stage.says_log("main", 50, &all[50..]);
    let frame = stage.text(80, 24);
    assert!(frame.contains("line 48") && !frame.contains("line 99"), "{frame}");
    assert!(frame.contains("▼ 50 new") && frame.contains("Autoscroll:Off"), "{frame}");
    let frame = stage.press("end").text(80, 24);
    assert!(
        frame.contains("line 99") && !frame.contains("new") && frame.contains("Autoscroll:On"),
        "{frame}"
    );
}

#[test]
fn the_log_of_a_pod_is_its_main_container_or_all_of_them() {
    let (mut stage, _) = pod_log();
    assert_eq!(stage.log_of("main").1.since, Since::Tail(100));
    stage.log_is("main", LogState::Waiting("waiting to start: PodInitializing".into()));
    assert!(stage.text(80, 24).contains("── main: waiting to start: PodInitializing"));
    stage.says_log("main", 0, &["first"]);
    stage.press("a");
    stage.says_log("proxy", 1, &["from the proxy"]).says_log("main", 0, &["from main"]);
    let frame = stage.text(80, 24);
    assert!(frame.contains("main  from main") && frame.contains("proxy from the proxy"), "{frame}");
    assert!(!frame.contains("first"), "what was read before is read anew");
    stage.press("a 3");
    assert_eq!(stage.log_of("main").1.since, Since::Seconds(300));
    assert!(stage.text(80, 24).contains("[5m]"));
    stage.press("p");
    assert!(stage.log_of("main").1.previous);
    stage.log_is("main", LogState::Over(Some("there was no container before this one".into())));
    let frame = stage.text(80, 24);
    assert!(
        frame.contains("Previous Logs(shop/web:main)") && frame.contains("no container before"),
        "{frame}"
    );
}

#[test]
fn lines_of_a_log_are_filtered_marked_saved_and_forgotten() {
    let (mut stage, _) = pod_log();
    stage.says_log("main", 0, &["an Error here", "fine", "another error", "fine, too"]);
    stage.types("/error").press("enter");
    insta::assert_snapshot!("logs_filtered", stage.text(80, 24));
    stage.press("m ctrl-s c");
    let (name, extension, text) = stage.saved().expect("a file");
    assert_eq!((name, extension), ("logs-web", "log"));
    assert!(text.starts_with("an Error here\nanother error\n──") && stage.copied() == Some(text), "{text}");
    stage.types("/").press("ctrl-u").types("!fine").press("enter");
    let frame = stage.text(80, 24);
    assert!(frame.contains("an Error here") && !frame.contains("fine, too"), "{frame}");
    stage.press("C");
    stage.says_log("main", 60, &["new error"]);
    let frame = stage.text(80, 24);
    assert!(frame.contains("new error") && !frame.contains("an Error here"), "{frame}");
}

#[test]
fn what_a_program_writes_is_shown_in_its_colours_and_never_obeyed() {
    let (mut stage, _) = pod_log();
    stage.says_log("main", 0, &["\u{1b}[31mred\u{1b}[0m \u{1b}]52;c;eA==\u{7} \u{202e}txt.exe"]);
    let buffer = stage.buffer(80, 24);
    let frame = text(&buffer);
    assert!(frame.contains("red ␛]52;c;eA==␇ ·txt.exe"), "{frame}");
    let red = buffer
        .content()
        .iter()
        .find(|cell| cell.symbol() == "r" && cell.fg == ratatui::style::Color::Indexed(1));
    assert!(red.is_some(), "{frame}");
}

#[test]
fn every_size_of_what_is_opened_can_be_drawn() {
    let mut stages =
        [pod_log().0, with_pods().0, Stage::fleet(&[machine()], &[]), Stage::fleet(&[machine()], &[])];
    stages[0].says_log("main", 0, &["x".repeat(300).as_str(), "東京\u{1b}[31m東京"]).press("w");
    stages[1].press("l").says_log("compute", 0, &["one"]);
    stages[2].press("y").object_is(&machine()).press("w");
    stages[3].press("d").object_is(&machine()).press("f");
    for stage in &mut stages {
        for width in [1, 2, 3, 7, 20, 79, 80, 120, 300] {
            for height in [1, 2, 3, 4, 5, 8, 24, 60] {
                stage.buffer(width, height);
                stage.press("k j G g");
            }
        }
    }
}
