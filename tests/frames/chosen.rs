//! What the config and a key choose of the screen.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use v9s::cluster::connect::{AuthKind, ConnectionInfo, ContextId};
use v9s::cluster::logs::Since;
use v9s::config::Config;
use v9s::model::{Clock, Now};
use v9s::records::{DataVolume, Event, Kind, Namespace, Pod, PodMetrics, Vm, Vmi};
use v9s::store::Freshness;
use v9s::ui::app::Options;
use v9s::ui::frame::Layout;
use v9s::ui::message::{Effect, Message, Question, SkinOf};
use v9s::ui::session::Link;
use v9s::views::VIEWS;

use super::{Stage, now, row_of};
use crate::support::objects::{launcher_pod, pod, vm, vmi_of};

fn info(config: Config) -> ConnectionInfo {
    ConnectionInfo {
        id: ContextId(1),
        context: "test".into(),
        cluster: "test".into(),
        user: "somebody".into(),
        server: "https://test.invalid".into(),
        namespace: "shop".into(),
        readonly: false,
        auth: AuthKind::Token,
        impersonates: None,
        config: Arc::new(config),
        warnings: Arc::default(),
        clock: Clock::default(),
    }
}

fn skinned(name: &str) -> Config {
    let mut config = Config::default();
    config.ui.skin = name.to_owned();
    config
}

/// The skins that were asked for.
fn skins(stage: &Stage) -> Vec<String> {
    let asked = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Skin { name, .. } => name.clone(),
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_broken_skin_of_a_context_is_named_until_a_key_is_pressed() {
    let mut stage = Stage::machines();
    let said = "The skin broken.yaml cannot be used: line 2, column 9: a list is not closed.";
    let broken = |of| Message::Skin(Err(said.to_owned()), of);
    stage.app.update(broken(SkinOf::Files), now(), &mut stage.effects);
    let later = Now { instant: now().instant + Duration::from_secs(3600), ..now() };
    stage.app.expire(later);
    assert!(stage.text(80, 24).contains("The skin broken.yaml cannot be used: line 2, column 9"));
    stage.press("j");
    assert!(stage.app.flash.is_none());
    // Who has just typed its name looks at the screen.
    stage.app.update(broken(SkinOf::Prompt), now(), &mut stage.effects);
    stage.app.expire(later);
    assert!(stage.app.flash.is_none());
}

#[test]
fn a_context_has_the_skin_that_its_files_name() {
    let connect = |stage: &mut Stage, skin: &str| {
        let connected = Message::Connected(ContextId(1), Ok(info(skinned(skin))));
        stage.app.update(connected, now(), &mut stage.effects);
    };
    let mut stage = Stage::new(Options { config: skinned("dark"), ..Options::default() });
    connect(&mut stage, "dark");
    assert_eq!(skins(&stage), [""; 0], "it is there already");
    connect(&mut stage, "red-for-production");
    connect(&mut stage, "red-for-production");
    connect(&mut stage, "dark");
    assert_eq!(skins(&stage), ["red-for-production", "dark"]);
    let options = Options { config: skinned("dark"), keep_skin: true, ..Options::default() };
    let mut stage = Stage::new(options);
    connect(&mut stage, "red-for-production");
    assert_eq!(skins(&stage), [""; 0], "the command line has the last word");
}

#[test]
fn ages_and_what_takes_too_long_go_by_the_clock_of_the_server() {
    // Made a day ago by our clock, and half a minute ago by that of the server.
    for (ahead, state, age) in [(None, "▲ Starting", "24h"), (Some(30 - 86_400), "◐ Starting", "30s")] {
        let mut stage = Stage::machines();
        let info = info(Config::default());
        if let Some(ahead) = ahead {
            info.clock.hear(&http_date(now().wall + ahead), now());
        }
        stage.app.session.info = Some(info);
        let mut machine = vm("shop", "web").stored(1).0;
        machine["spec"]["runStrategy"] = "Always".into();
        let feeds = [Kind::Vm, Kind::Vmi].map(|kind| stage.cover(kind));
        stage.says::<Vmi>(feeds[1], &[], Freshness::Live);
        stage.says::<Vm>(feeds[0], &[machine], Freshness::Live);
        let text = stage.text(140, 20);
        let row = row_of(&text, "web");
        assert!(row.contains(state) && row.contains(age), "{row}");
    }
}

/// A moment as the `Date` of an answer.
fn http_date(seconds: i64) -> String {
    let moment = jiff::Timestamp::from_second(seconds).unwrap();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
fn lists_begin_with_the_set_of_columns_that_the_config_names() {
    let mut config = Config::default();
    config.ui.column_set = "network".into();
    let mut stage =
        Stage::new(Options { all_namespaces: true, config: config.clone(), ..Options::default() });
    let titles = |stage: &mut Stage| stage.text(120, 30);
    assert!(titles(&mut stage).contains("IP FROM"));
    stage.types(":events").press("enter");
    let text = titles(&mut stage);
    assert!(text.contains("events(all)") && !text.contains("IP FROM"), "that view has no such set: {text}");
    stage.types(":vms").press("enter");
    assert!(titles(&mut stage).contains("IP FROM"));
    stage.press("tab");
    assert!(!titles(&mut stage).contains("IP FROM"));
    stage.types(":pods").press("enter").types(":vms").press("enter");
    assert!(!titles(&mut stage).contains("IP FROM"), "another choice counts from then on");
    config.ui.column_set = "nothing".into();
    let stage = Stage::new(Options { config, ..Options::default() });
    let said = stage.app.flash.map(|flash| flash.text).unwrap_or_default();
    assert!(said.contains("no set nothing; there are triage, capacity"), "{said}");
}

#[test]
fn logs_begin_as_the_config_says() {
    let mut config = Config::default();
    (config.logs.tail, config.logs.buffer) = (7, 3);
    (config.logs.wrap, config.logs.timestamps) = (true, true);
    let view = Some("pods".into());
    let mut stage = Stage::new(Options { view, all_namespaces: true, ..Options::default() });
    stage.app.session.info = Some(info(config));
    let one = pod("shop", "web").running().stored(1).0;
    let feed = stage.cover(Kind::Pod);
    stage.says::<Pod>(feed, std::slice::from_ref(&one), Freshness::Live);
    stage.press("l").object_is(&one);
    let asked = stage.effects.iter().find_map(|effect| match effect {
        Effect::Ask { question: Question::Log(request), .. } => Some(request.clone()),
        _ => None,
    });
    let request = asked.expect("a log is asked for");
    assert_eq!(request.since, Since::Tail(7));
    let lines: Vec<String> = (0..9).map(|n| format!("line {n} {}", "long ".repeat(20))).collect();
    stage.says_log(&request.source.container, 0, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let text = stage.text(80, 24);
    assert!(text.contains("Wrap:On") && text.contains("Timestamps:On"), "{text}");
    // What is read from further up is kept for a while, but not while the end is followed.
    assert!(text.contains("line 8") && !text.contains("line 5"), "{text}");
}

/// A machine whose reason is as long as the column may be.
fn reasoned() -> Stage {
    let why =
        "0/5 nodes are available: 1 node(s) were unschedulable, 4 Insufficient memory, and so on and on";
    let broken = vm("shop", "db")
        .state("ErrorUnschedulable")
        .with("spec.runStrategy", "Always")
        .with("status.conditions.0.type", "Failure")
        .with("status.conditions.0.status", "True")
        .with("status.conditions.0.reason", "FailedCreate")
        .with("status.conditions.0.message", why)
        .stored(1)
        .0;
    Stage::fleet(&[broken], &[])
}

#[test]
fn reasons_give_way_to_the_details_of_the_row() {
    let mut stage = reasoned();
    let side = |stage: &mut Stage, width: u16, height: u16| {
        // The widths of columns are known from the frame before.
        stage.buffer(width, height);
        stage.buffer(width, height);
        Layout::of(&stage.app).side().map(|area| area.width)
    };
    assert_eq!(side(&mut stage, 140, 45), None, "the list has the room");
    let wide = side(&mut stage, 170, 45).expect("details beside the list");
    let text = stage.text(170, 45);
    let row: String = row_of(&text, "db").chars().take(usize::from(170 - wide)).collect();
    assert!(
        row.contains('…') && row.trim_end_matches([' ', '│']).ends_with("24h"),
        "the reason is cut, the age is there: {row}"
    );
    // Whoever does not want it has the list alone, whoever wants it has it also where columns go.
    stage.press("b");
    assert_eq!(side(&mut stage, 170, 45), None);
    stage.press("b");
    assert!(side(&mut stage, 170, 45).is_some());
    assert!(side(&mut stage, 120, 40).is_some());
    assert_eq!(side(&mut stage, 80, 24), None, "but a list it stays");
    stage.press("b");
    let said = stage.app.flash.clone().map(|flash| flash.text).unwrap_or_default();
    assert!(said.contains("92 columns"), "{said}");
    assert_eq!(stage.app.store.len(Kind::Vm), 1);
}

#[test]
fn details_can_be_off_from_the_start() {
    let mut config = Config::default();
    config.ui.side = false;
    let mut stage = Stage::new(Options { all_namespaces: true, config, ..Options::default() });
    stage.app.session.link = Link::Up;
    let feed = stage.cover(Kind::Vm);
    stage.says::<Vm>(feed, &[vm("shop", "db").stored(1).0], Freshness::Live);
    for _ in 0..2 {
        stage.buffer(250, 60);
    }
    assert_eq!(Layout::of(&stage.app).side(), None);
}

#[test]
fn details_open_by_themselves_in_every_view_of_a_wide_terminal() {
    for view in VIEWS.iter().map(|view| view.name()) {
        let mut stage = Stage::still(view);
        let text = stage.text(200, 60);
        let side = Layout::of(&stage.app).side();
        let rows = !stage.app.pane.list.rows().is_empty();
        assert_eq!(side.is_some(), rows, "{view}: without rows there is nothing to tell\n{text}");
        if !rows {
            continue;
        }
        let begins = ["│ STATE", "│ FACTS", "┃ STATE", "┃ FACTS"];
        assert!(begins.iter().any(|begin| text.contains(begin)), "{view}:\n{text}");
        stage.press("b");
        stage.buffer(200, 60);
        assert_eq!(Layout::of(&stage.app).side(), None, "{view}");
    }
}

#[test]
fn details_leave_a_list_its_usual_columns() {
    let views = VIEWS.iter().filter(|view| view.name() != "contexts");
    for (view, (width, height)) in views.flat_map(|view| [(view, (200, 60)), (view, (160, 45))]) {
        let mut stage = Stage::still(view.name());
        // The first frame finds out how wide the columns are.
        stage.buffer(width, height);
        let text = stage.text(width, height);
        let list = &stage.app.pane.list;
        let titles = text.lines().nth(8).unwrap();
        let missing: Vec<String> = list
            .columns(&stage.app.store)
            .map(|column| view.heading(column).title.into_owned())
            .filter(|title| !titles.contains(title.as_str()))
            .collect();
        // A sentence is as long as it is.
        let sentences = list.columns(&stage.app.store).any(|column| view.heading(column).widest >= 100);
        let whole = missing.is_empty() || sentences;
        assert!(whole || width < 200, "{} at {width}: {missing:?} is not in\n{text}", view.name());
        assert_eq!(titles.contains('›'), !missing.is_empty(), "{}: {titles}", view.name());
    }
    let mut stage = Stage::still("workloads");
    stage.at("analytics").buffer(200, 60);
    let text = stage.text(200, 60);
    assert!(row_of(&text, "analytics").contains("no node: 1 "), "{text}");
    assert!(text.contains("│  why") && text.contains("│  state"), "{text}");
}

#[test]
fn reasons_give_way_to_columns_where_there_is_room_for_many() {
    for (view, size, seen) in [
        ("vms", (120, 40), "AGE"),
        ("workloads", (120, 40), "MEMORY"),
        ("vms", (160, 45), "NODE"),
        ("workloads", (160, 45), "NODE"),
    ] {
        let text = Stage::still(view).text(size.0, size.1);
        let titles = text.lines().find(|line| line.contains("IN STATE")).unwrap_or_default();
        assert!(titles.contains(seen), "{view} at {size:?}: {titles}");
        let row = row_of(&text, "analytics");
        assert!(row.contains("no node: 1 nod"), "{view} at {size:?}: {row}");
    }
    let text = Stage::still("vms").text(80, 24);
    let row = row_of(&text, "analytics");
    assert!(row.contains("ErrorUnschedulable") && row.contains("no node: 1 node(s)"), "{row}");
}

#[test]
fn machines_are_found_by_what_their_disks_are_made_of() {
    for (view, image) in [
        ("vms", "appliances"),
        ("vmis", "appliances"),
        ("workloads", "appliances"),
        ("vms", "https://"),
        ("datavolumes", "rhel"),
    ] {
        let mut stage = Stage::still(view);
        stage.types(&format!("/image:{image}")).press("enter");
        let list = &stage.app.pane.list;
        assert_eq!(list.filter_error(), None, "{view} {image}");
        let counts = list.counts();
        assert!(counts.shown > 0 && counts.shown < counts.total, "{view} {image}: {counts:?}");
        stage.press("ctrl-w");
        let text = stage.text(500, 50);
        assert!(text.contains("IMAGE") && text.contains(image), "{view} {image}:\n{text}");
    }
    let mut stage = Stage::still("vtvms");
    stage.types("/image:zzz").press("enter");
    assert_eq!((stage.app.pane.list.filter_error(), stage.app.pane.list.counts().shown), (None, 0));
}

#[test]
fn what_rows_are_sorted_by_is_on_the_screen() {
    let mut stage = Stage::still("vms");
    stage.text(100, 30);
    let count = stage.app.pane.list.columns(&stage.app.store).count();
    for _ in 0..count {
        stage.press("shift-right");
        let text = stage.text(100, 30);
        let (column, _) = stage.app.pane.list.order();
        let title = format!("{}↑", stage.app.pane.list.view.heading(column).title);
        assert!(text.contains(&title), "{title}:\n{text}");
    }
    stage.press("ctrl-w");
    assert!(stage.text(80, 24).contains("Wide columns"));
}

#[test]
fn enter_takes_what_the_list_of_commands_has_first() {
    let mut stage = Stage::still("vms");
    stage.types(":mgr").press("enter");
    assert_eq!(place(&stage).0, "migrations");
    // What failed is not offered again.
    stage.types(":qqqqq").press("enter").types(":").press("down");
    let text = stage.text(100, 30);
    let offered = text.contains("> qqqqq") || text.contains("│ qqqqq");
    assert!(text.contains("> migrations") && !offered, "{text}");
    stage.press("esc").types(":mouse off").press("enter");
    assert!(stage.app.flash.as_ref().is_some_and(|flash| flash.text.contains("terminal's again")));
}

#[test]
fn details_follow_the_row_and_what_becomes_of_it() {
    let mut stage = Stage::machines();
    let feed = stage.cover(Kind::Vm);
    let machine = |name: &str, state: &str| vm("shop", name).state(state).stored(1).0;
    stage.says::<Vm>(feed, &[machine("db", "Running"), machine("web", "Paused")], Freshness::Live);
    let beside = |stage: &mut Stage| {
        let text = stage.text(200, 60);
        let said = text.lines().find_map(|line| line.split_once("│  state")).unwrap_or_default().1;
        said.split_whitespace().next().unwrap_or_default().to_owned()
    };
    let first = beside(&mut stage);
    stage.press("j");
    let second = beside(&mut stage);
    assert_ne!(first, second);
    stage.press("k");
    assert_eq!(beside(&mut stage), first);
    let changed = vm("shop", "db").state("Paused").stored(2).0;
    stage.says::<Vm>(feed, &[changed], Freshness::Live);
    assert_eq!(beside(&mut stage), second);
}

/// Name of the view, and its filter.
fn place(stage: &Stage) -> (&str, &str) {
    let list = &stage.app.pane.list;
    (list.view.name(), &list.filter().text)
}

#[test]
fn the_history_shows_again_what_was_shown_and_does_nothing_else() {
    let mut stage = Stage::still("vms");
    stage.types(":pods").press("enter").types("/web").press("enter");
    stage.types(":filter save mine").press("enter").types(":skin light").press("enter");
    stage.types(":nodes").press("enter");
    stage.effects.clear();
    stage.press("[");
    assert_eq!(place(&stage), ("pods", "web"));
    stage.press("[");
    assert_eq!(place(&stage), ("vms", ""), "where one began belongs to it");
    stage.press("[");
    assert!(stage.app.flash.as_ref().is_some_and(|flash| flash.text.contains("no further command")));
    stage.press("] ]");
    assert_eq!(place(&stage), ("nodes", ""));
    assert_eq!(skins(&stage), [""; 0], "nothing but views is shown again");
    let kept: Vec<(&str, &str)> = stage.app.filters.iter().collect();
    assert_eq!(kept, [("mine", "web")]);
}

#[test]
fn who_goes_where_one_is_leaves_nothing_behind() {
    let mut stage = Stage::still("vms");
    for _ in 0..3 {
        stage.types(":vms").press("enter");
    }
    assert_eq!(stage.app.way().collect::<Vec<_>>(), ["vms"]);
    stage.types(":vms shop").press("enter");
    assert_eq!(stage.app.way().collect::<Vec<_>>(), ["vms", "vms"], "another namespace is another place");
}

#[test]
fn only_filters_that_can_be_read_are_kept() {
    let mut stage = Stage::still("vms");
    let said = |stage: &Stage| stage.app.flash.clone().map(|flash| flash.text).unwrap_or_default();
    stage.types(":filter save none").press("enter");
    assert!(said(&stage).contains("no filter to keep"), "{}", said(&stage));
    stage.types("/cpu>x").press("enter").types(":filter save wrong").press("enter");
    assert!(said(&stage).contains("not kept as wrong: cpu is compared"), "{}", said(&stage));
    assert_eq!(stage.app.filters.iter().count(), 0);
    stage.press("esc").types("/cpu>1").press("enter").types(":filter save large").press("enter");
    stage.press("esc").types("/@");
    let text = stage.text(80, 24);
    assert!(text.contains("/ @  tab: large"), "{text}");
    stage.press("tab enter");
    assert_eq!(place(&stage), ("vms", "@large"));
}

#[test]
fn values_that_are_there_stand_behind_a_key() {
    let mut stage = Stage::still("vms");
    let text = stage.types("/state:").text(120, 30);
    assert!(text.contains("/ state:  tab: Running"), "{text}");
    let text = stage.types("nosuch").text(120, 30);
    assert!(!text.contains("tab:"), "{text}");
}

#[test]
fn esc_shows_all_rows_again_before_it_leaves() {
    let mut stage = Stage::still("pods");
    stage.types(":vms").press("enter ctrl-z").types("/nosuchthing").press("enter");
    let text = stage.text(120, 30);
    assert!(text.contains("Nothing with a fault matches the filter \"nosuchthing\""), "{text}");
    stage.press("esc");
    assert!(!stage.app.pane.list.faults_only() && place(&stage) == ("vms", ""));
    stage.press("ctrl-z esc");
    assert_eq!((stage.app.pane.list.faults_only(), place(&stage)), (false, ("vms", "")));
    stage.press("esc");
    assert_eq!(place(&stage), ("pods", ""));
}

#[test]
fn keys_that_mean_nothing_here_are_not_offered() {
    let mut stage = Stage::still("contexts");
    let offered = |stage: &mut Stage, what: &str| {
        stage.buffer(80, 24);
        stage.app.hints().1.iter().any(|hint| hint.text == what)
    };
    assert!(!offered(&mut stage, "Describe") && !offered(&mut stage, "YAML"));
    let mut stage = Stage::still("nodes");
    assert!(offered(&mut stage, "Describe") && !offered(&mut stage, "Logs"));
    // Where there are no logs, `l` is the way to the right, and says so.
    let titles = |stage: &mut Stage| stage.text(80, 24).lines().nth(8).unwrap().to_owned();
    let before = titles(&mut stage);
    assert_ne!(titles(stage.press("l")), before);
    let said = stage.app.flash.clone().map(|flash| flash.text);
    assert_eq!(said.as_deref(), Some("nodes have no logs; l goes to the columns on the right."));
    assert_eq!(titles(stage.press("h")), before);
    let help = |view: &str| Stage::still(view).press("?").text(132, 60);
    let nodes = help("nodes");
    assert!(nodes.contains("<right> <l>") && nodes.matches("<l>").count() == 1, "{nodes}");
    assert!(!help("vms").contains("<right> <l>") && help("vms").contains("<l> "), "{}", help("vms"));
}

#[test]
fn an_event_has_a_type_and_is_in_no_state() {
    let mut stage = Stage::still("events");
    let text = stage.text(200, 60);
    let beside = |word: &str| ["│", "┃"].map(|border| format!("{border}  {word} "));
    let side = |text: &str, word: &str| beside(word).iter().any(|begin| text.contains(begin));
    assert!(side(&text, "reason") && side(&text, "type") && !side(&text, "state"), "{text}");
    let text = stage.opens("enter").text(120, 40);
    assert!(text.contains(" REASON") && !text.contains(" STATE"), "{text}");
    assert!(!text.contains("Normal for") && !text.contains("Warning for"), "{text}");
    // One that says nothing has a dash like other cells.
    let mut stage =
        Stage::new(Options { all_namespaces: true, view: Some("events".into()), ..Options::default() });
    let feed = stage.cover(Kind::Event);
    let event = json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "e"}, "type": "Normal", "reason": "Created",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop"}, "lastTimestamp": "2026-01-02T11:59:00Z",
    });
    stage.says::<Event>(feed, &[event], Freshness::Live);
    let text = stage.text(120, 24);
    let row = text.lines().find(|line| line.contains("pod/web")).unwrap_or(&text);
    assert!(row.contains(" - ") && !row.contains("<none>"), "{row}");
}

#[test]
fn memory_in_use_is_measured_against_what_the_launcher_asks_for() {
    let machine =
        vm("shop", "tiny").running().with("spec.template.spec.domain.memory.guest", "64Mi").stored(1).0;
    let instance = vmi_of(&machine).with("spec.domain.memory.guest", "64Mi");
    let instance = instance.with("status.memory", json!({"guestCurrent": "64Mi"})).stored(2).0;
    let launcher = launcher_pod(&instance)
        .with("spec.containers.0.resources", json!({"requests": {"memory": "400Mi"}}))
        .stored(3)
        .0;
    let name = launcher["metadata"]["name"].clone();
    let mut stage = Stage::new(Options { all_namespaces: true, wide: true, ..Options::default() });
    let feeds =
        [Kind::Vm, Kind::Vmi, Kind::DataVolume, Kind::Pod, Kind::PodMetrics].map(|kind| stage.cover(kind));
    stage.says::<Vm>(feeds[0], &[machine], Freshness::Live);
    stage.says::<Vmi>(feeds[1], &[instance], Freshness::Live);
    stage.says::<DataVolume>(feeds[2], &[], Freshness::Live);
    stage.says::<Pod>(feeds[3], &[launcher], Freshness::Live);
    let measured = json!({"metadata": {"name": name, "namespace": "shop"},
        "containers": [{"name": "compute", "usage": {"cpu": "100m", "memory": "200Mi"}}]});
    stage.says::<PodMetrics>(feeds[4], &[measured], Freshness::Live);
    let text = stage.text(400, 24);
    let titles = text.lines().find(|line| line.contains("MEM%")).unwrap();
    let right = titles[..titles.find("MEM%").unwrap()].chars().count() + 4;
    let row: String = row_of(&text, "tiny").chars().take(right).collect();
    assert!(row.ends_with(" 50"), "{row}");
    let help = stage.press("?").text(160, 80);
    assert!(help.contains("COLUMNS") && help.contains("MEM USED of what the launcher asks for"), "{help}");
}

#[test]
fn the_machines_of_a_node_say_what_keeps_them_there() {
    let mut stage = Stage::still("nodes");
    let titles = |stage: &mut Stage| {
        stage.text(240, 30).lines().find(|line| line.contains("STATE")).unwrap().to_owned()
    };
    stage.press("enter");
    assert!(titles(&mut stage).contains("HELD BY"), "{}", titles(&mut stage));
    stage.types(":vms").press("enter");
    assert!(!titles(&mut stage).contains("HELD BY"), "{}", titles(&mut stage));
}

#[test]
fn a_namespace_is_used_from_now_on_and_marked() {
    let mut stage = Stage::still("namespaces");
    let text = stage.at("shop").press("u").text(120, 30);
    assert!(text.contains("│shop+(*)"), "{text}");
    stage.types(":vms").press("enter");
    let text = stage.text(120, 30);
    assert!(text.contains("vms(shop)"), "{text}");
}

#[test]
fn namespaces_are_asked_for_with_the_first_command() {
    let mut stage = Stage::machines();
    let feed = stage.cover(Kind::Vm);
    stage.says::<Vm>(feed, &[vm("shop", "db").stored(1).0], Freshness::Live);
    stage.effects.clear();
    stage.types(":vms s");
    assert!(stage.app.offers().is_empty(), "typing does not wait");
    let asked =
        |effect: &Effect| matches!(effect, Effect::StartFeed { plan, .. } if plan.kind == Kind::Namespace);
    assert!(stage.effects.iter().any(asked));
    let feed = stage.cover(Kind::Namespace);
    let named = |name: &str| {
        let mut object = vm("", name).stored(1).0;
        object["kind"] = "Namespace".into();
        object
    };
    stage.says::<Namespace>(feed, &[named("shop"), named("lab")], Freshness::Live);
    let offers: Vec<&str> = stage.app.offers().iter().map(|offer| &*offer.whole).collect();
    assert_eq!(offers, ["vms shop"]);
}

#[test]
fn the_message_of_an_event_is_seen_in_a_small_terminal() {
    let mut stage = Stage::still("events");
    let text = stage.text(80, 24);
    assert!(text.contains("MESSAGE"), "{text}");
}

#[test]
fn help_is_put_away_by_the_key_that_opened_it_and_by_enter() {
    let mut stage = Stage::still("vms");
    for key in ["?", "enter", "q", "esc"] {
        stage.press("?");
        let text = stage.text(120, 40);
        assert!(text.contains("EVERYWHERE") && text.contains("Quit"), "all of it is on one screen:\n{text}");
        stage.press(key);
        assert!(stage.app.top().is_none(), "{key}");
    }
}
