//! What is opened over the lists of the demo as it stands still: its panes ask, and its own objects and logs answer.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use v9s::cluster::connect::{AuthKind, ConnectionInfo, ContextId};
use v9s::cluster::console::{ConsoleNews, State};
use v9s::cluster::discovery::ServerVersion;
use v9s::cluster::error::{Failure, FailureKind};
use v9s::cluster::logs::{LogLine, LogNews, LogRequest, LogState};
use v9s::cluster::object::{News, Wanted, Which};
use v9s::demo::fixtures;
use v9s::demo::guests::{Guest, Identity};
use v9s::model::Clock;
use v9s::records::Kind;
use v9s::store::Freshness;
use v9s::ui::app::{App, Options};
use v9s::ui::message::{Answer, Effect, Message, Question};
use v9s::ui::session::Link;
use v9s::ui::theme::Theme;
use v9s::views::VIEWS;

use super::demo::recording;
use super::{NOW, Stage, now};

/// What stands in the demo.
static OBJECTS: LazyLock<Vec<Value>> = LazyLock::new(|| fixtures::objects(time()));

fn time() -> jiff::Timestamp {
    jiff::Timestamp::from_second(NOW).unwrap()
}

impl Stage {
    /// The demo as it stands still, with this view of all namespaces on screen.
    pub(super) fn still(view: &str) -> Self {
        let options = Options { view: Some(view.into()), all_namespaces: true, ..Options::default() };
        let mut app = App::new(options, Theme::default(), (80, 24), now());
        app.replay(recording().as_bytes(), 1.0).unwrap();
        app.session.info = Some(ConnectionInfo {
            id: ContextId(1),
            context: "demo".into(),
            cluster: "demo".into(),
            user: "demo-admin".into(),
            server: "https://demo.invalid".into(),
            namespace: "default".into(),
            readonly: false,
            auth: AuthKind::Token,
            impersonates: None,
            config: Arc::default(),
            warnings: Arc::default(),
            clock: Clock::default(),
        });
        app.session.version = Some(ServerVersion::parse("v1.36.0"));
        Self { app, effects: Vec::new() }
    }

    /// Puts the cursor on an object.
    pub(super) fn at(&mut self, name: &str) -> &mut Self {
        let named = |id: &&v9s::store::Id| self.app.store.meta(**id).unwrap().name == name;
        let id = *self.app.pane.list.rows().iter().find(named).unwrap_or_else(|| panic!("no row {name}"));
        let uid = self.app.store.meta(id).unwrap().uid;
        self.app.pane.list.go_to(uid, &self.app.store);
        self
    }

    /// Presses keys, and answers all that is asked then.
    pub(super) fn opens(&mut self, keys: &str) -> &mut Self {
        self.press(keys);
        for _ in 0..10 {
            let effects = std::mem::take(&mut self.effects);
            for effect in effects {
                let Effect::Ask { ticket, question, .. } = effect else { continue };
                for answer in answers(&question) {
                    self.app.update(Message::Answer(ticket, answer), now(), &mut self.effects);
                }
            }
        }
        self
    }
}

fn answers(question: &Question) -> Vec<Answer> {
    match question {
        Question::Document { path } => vec![Answer::Document(document(path))],
        Question::Objects(wanted) => vec![Answer::Objects(News {
            here: objects(wanted).into_iter().map(Arc::new).collect(),
            whole: true,
            freshness: Some(Freshness::Live),
            ..News::default()
        })],
        Question::Log(request) => vec![Answer::Log(log(request))],
        Question::Console(request) => {
            let live = State::Live { node: "node-a".into(), paused: false, after: None };
            let said = program_of_a_guest(&request.name);
            [ConsoleNews::State(live), ConsoleNews::Bytes(said.into())].map(Answer::Console).into()
        }
    }
}

/// A console that was on screen before its guest wrote anything.
fn console() -> Stage {
    let mut stage = Stage::still("vms");
    stage.at(RUNNING).press("s").buffer(100, 30);
    stage.opens("");
    stage
}

/// What a guest's program on the whole screen writes, in a console of the picture's size.
fn program_of_a_guest(name: &str) -> Vec<u8> {
    let instance = json!({"metadata": {"name": name}});
    let moment = std::time::Duration::from_secs(60);
    let mut guest = Guest::new(Identity::of(&instance), std::time::Duration::ZERO, moment);
    guest.take(b"\rroot\rroot\rstty rows 19 cols 98\rkeys\r", moment);
    guest.take(b"\x1b[15~\x1b[A\x1bx\x1b[<0;12;5M", moment);
    guest.said()
}

/// Where the API server has an object.
fn path_of(object: &Value) -> String {
    let version = object["apiVersion"].as_str().unwrap();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let of = |kind: &&Kind| kind.info().name == object["kind"] && kind.info().group == group;
    let plural = Kind::ALL.iter().find(of).map_or("others", |kind| kind.info().plural);
    let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{version}") };
    let place = object["metadata"]["namespace"].as_str().map(|name| format!("/namespaces/{name}"));
    let name = object["metadata"]["name"].as_str().unwrap();
    format!("{root}{}/{plural}/{name}", place.unwrap_or_default())
}

fn document(path: &str) -> Result<Value, Failure> {
    let found = |path: &str| OBJECTS.iter().find(|object| path_of(object) == path).cloned();
    // What a guest says of itself stands in its instance, too.
    let guest = path
        .strip_prefix("/apis/subresources.kubevirt.io/")
        .and_then(|rest| rest.strip_suffix("/guestosinfo"));
    let found = match guest {
        Some(instance) => found(&format!("/apis/kubevirt.io/{instance}")).and_then(|instance| {
            let info = instance["status"]["guestOSInfo"].clone();
            info["name"].is_string().then(|| json!({"guestAgentVersion": "9.2.0", "os": info}))
        }),
        None => found(path),
    };
    let missing = || Failure {
        kind: FailureKind::NotFound,
        what: format!("{path} is not there."),
        remedy: None,
        causes: Box::default(),
    };
    found.ok_or_else(missing)
}

fn objects(wanted: &Wanted) -> Vec<Value> {
    let list = wanted.target.path(wanted.namespace.as_deref());
    let fits = |object: &Value| match &wanted.which {
        Which::Named(name) => path_of(object) == format!("{list}/{name}"),
        Which::Fields(fields) => {
            let uid = fields.strip_prefix("involvedObject.uid=").unwrap();
            object["kind"] == "Event" && object["involvedObject"]["uid"] == uid
        }
    };
    OBJECTS.iter().filter(|object| fits(object)).cloned().collect()
}

fn log(request: &LogRequest) -> LogNews {
    let source = &request.source;
    let said = fixtures::logs(time()).into_iter().find(|log| {
        (log.namespace, &*log.pod, log.container) == (&*source.namespace, &*source.pod, &*source.container)
    });
    let lines = said.map(|log| log.lines).unwrap_or_default().into_iter();
    let lines = lines.map(|(at, text)| LogLine { at: Some(at), text: text.into() }).collect();
    LogNews { lines, dropped: 0, state: Some(LogState::Following) }
}

/// A machine that does not come, one that runs, and one that moves.
const FAILING: &str = "webshop-next";
const RUNNING: &str = "web-0";
const MOVING: &str = "mail";

/// The smallest screen that shows all, and one that shows more.
const SIZES: [(u16, u16); 2] = [(80, 24), (132, 43)];

/// Compares what the screen says with what it said when somebody last looked at it.
fn at_both_sizes(name: &str, stage: &mut Stage) {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn all_about_a_machine_that_fails_and_one_that_runs() {
    at_both_sizes("detail_failing", Stage::still("vms").at(FAILING).opens("enter"));
    at_both_sizes("detail_running", Stage::still("vms").at(RUNNING).opens("enter"));
}

#[test]
fn details_of_every_kind_fill_the_screen() {
    for view in VIEWS.iter().map(|view| view.name()).filter(|view| *view != "contexts") {
        for (width, height) in [(120, 40), (200, 60)] {
            let mut stage = Stage::still(view);
            stage.opens("enter");
            if stage.app.layers.is_empty() {
                continue;
            }
            let text = stage.text(width, height);
            let body: Vec<&str> = text.lines().skip(8).take_while(|line| line.starts_with('│')).collect();
            let sections = body.iter().filter(|line| is_heading(line)).count();
            assert!(is_heading(body[0]), "{view}: the left half begins with nothing\n{text}");
            let middle = usize::from(width) / 2;
            let right = |line: &&&str| line.chars().skip(middle).any(char::is_alphanumeric);
            assert!(
                sections < 3 || body.iter().any(|line| right(&line)),
                "{view}: nothing at the right\n{text}"
            );
        }
    }
}

/// Whether a section begins here.
fn is_heading(line: &str) -> bool {
    let said = line.trim_start_matches("│ ");
    said.len() + 4 == line.len() && said.starts_with(|c: char| c.is_ascii_uppercase())
}

#[test]
fn descriptions_and_yaml() {
    at_both_sizes("describe_failing", Stage::still("vms").at(FAILING).opens("d"));
    at_both_sizes("yaml_secret", Stage::still("secrets").at("web-user-data").opens("y"));
}

#[test]
fn logs_of_a_machine_that_fails_and_one_that_moves() {
    at_both_sizes("logs_failing", Stage::still("vms").at(FAILING).opens("l"));
    at_both_sizes("logs_moving", Stage::still("vms").at(MOVING).opens("l"));
}

#[test]
fn a_program_of_a_guest_in_a_console() {
    let mut console = console();
    insta::assert_snapshot!(console.text(100, 30));
    insta::assert_snapshot!("menu_of_a_console", console.press("ctrl-]").text(100, 30));
}

#[test]
fn what_helps() {
    at_both_sizes("help_of_a_list", Stage::still("vms").press("?"));
    at_both_sizes("help_of_a_log", Stage::still("vms").at(FAILING).opens("l ?"));
    at_both_sizes("aliases", Stage::still("vms").press("ctrl-a"));
    at_both_sizes("commands_offered", Stage::still("vms").types(":sn").press("down"));
    at_both_sizes("filters_offered", Stage::still("vms").types("/state:").press("down"));
}

#[test]
fn ways_to_choose_from() {
    at_both_sizes("used_by", Stage::still("nodes").at("node-a").opens("u"));
}

#[test]
fn a_row_in_more_detail_beside_the_list() {
    insta::assert_snapshot!(Stage::still("nodes").at("node-a").text(200, 50));
}

#[test]
fn what_has_no_rows() {
    let mut none = Stage::still("vms");
    at_both_sizes("nothing_matches", none.types("/state:Running cpu>64").press("enter"));
    let mut wrong = Stage::still("vms");
    at_both_sizes("a_filter_that_is_wrong", wrong.types("/cpu>many").press("enter"));
}

/// The road from an object may be closed again before it was begun: all is known already.
#[test]
fn a_road_that_leads_nowhere_says_so() {
    let mut stage = Stage::still("vms");
    stage.app.session.link = Link::Up;
    let text = stage.at("spare").opens("o").text(80, 24);
    assert!(text.contains("spare is on no node."), "{text}");
    assert!(text.contains("<vms>") && stage.app.top().is_none(), "{text}");
}

/// The pictures in the README.
#[test]
fn the_pictures_are_what_the_demo_shows() {
    let mut list = Stage::still("vms");
    list.app.session.link = Link::Up;
    let mut detail = Stage::still("vms");
    detail.at(FAILING).opens("enter");
    let mut logs = Stage::still("vms");
    logs.at(MOVING).opens("l");
    let mut console = console();
    for (name, stage, (width, height)) in [
        ("demo.svg", &mut list, (132, 48)),
        ("detail.svg", &mut detail, (132, 48)),
        ("logs.svg", &mut logs, (132, 40)),
        ("console.svg", &mut console, (100, 30)),
    ] {
        let drawn = v9s::cli::svg(&stage.buffer(width, height));
        crate::docs::same_as_asset(name, &drawn);
    }
}
