//! What the config and a key choose of the screen.

use std::sync::Arc;

use v9s::cluster::connect::{AuthKind, ConnectionInfo, ContextId};
use v9s::cluster::logs::Since;
use v9s::config::Config;
use v9s::records::{Kind, Pod, Vm};
use v9s::store::Freshness;
use v9s::ui::app::Options;
use v9s::ui::frame::Layout;
use v9s::ui::message::{Effect, Message, Question};
use v9s::ui::session::Link;

use super::{Stage, now, row_of};
use crate::support::objects::{pod, vm};

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
    assert!(said.contains("100 columns"), "{said}");
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
