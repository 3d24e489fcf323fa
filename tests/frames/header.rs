//! What the header says of the cluster.

use std::sync::Arc;

use serde_json::{Value, json};
use v9s::cluster::discovery::{Discovery, Resource};
use v9s::cluster::gate::ContextId;
use v9s::records::{Kind, Namespace, Node, NodeMetrics, PodMetrics, Record, VmSnapshot, VolumeSnapshot};
use v9s::store::{Freshness, Health};
use v9s::ui::app::Options;
use v9s::ui::message::{Effect, Message};

use super::{Stage, now};

fn node(name: &str, cpu: u32, memory: u32) -> Value {
    json!({"metadata": {"name": name, "uid": format!("n-{name}")},
        "status": {"allocatable": {"cpu": cpu.to_string(), "memory": format!("{memory}Gi")}}})
}

fn use_of(name: &str, millis: u32, memory: u32) -> Value {
    json!({"metadata": {"name": name}, "usage": {"cpu": format!("{millis}m"), "memory": format!("{memory}Gi")}})
}

/// Namespaces on screen, of a server that serves these kinds.
fn namespaces(served: &[Kind]) -> Stage {
    let options = Options { view: Some("namespaces".into()), measures: true, ..Options::default() };
    let mut stage = Stage::new(options);
    stage.discovers(served);
    stage
}

#[test]
fn a_first_view_that_does_not_exist_makes_room_for_one_that_does() {
    let first = |view: &str, falls_back| {
        let mut stage = Stage::new(Options { view: Some(view.into()), falls_back, ..Options::default() });
        stage.discovers(&[Kind::Vm]);
        let said = stage.app.flash.clone().map(|flash| flash.text).unwrap_or_default();
        (stage.app.pane.list.view.name().to_owned(), said)
    };
    let (view, said) = first("nosuchview all", true);
    assert_eq!(view, "workloads");
    assert_eq!(said, "nosuchview: no such view or resource; these are the workloads, ctrl-a lists all.");
    let (view, said) = first("nosuchview", false);
    assert_eq!((&*view, &*said), ("nosuchview", "nosuchview: no such view or resource."));
    let stage = Stage::new(Options { view: Some("vms shop /state:Running".into()), ..Options::default() });
    let list = &stage.app.pane.list;
    assert_eq!((list.view.name(), &*list.filter().text), ("vms", "state:Running"));
    assert_eq!(stage.app.shown.only().as_deref(), Some("shop"));
}

#[test]
fn a_word_that_names_nothing_is_asked_for_before_the_first_offer_is_taken() {
    let mut stage = Stage::new(Options { view: Some("vms".into()), ..Options::default() });
    stage.discovers(&[Kind::Vm, Kind::Migration]);
    stage.types(":mgr").press("enter");
    assert_eq!(stage.app.pane.list.view.name(), "vms");
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::Discover(_))));
    stage.discovers(&[Kind::Vm, Kind::Migration]);
    assert_eq!(stage.app.pane.list.view.name(), "migrations");
    // One that is far from it is offered, and taken only by those who choose it.
    stage.discovers(&[Kind::Vm, Kind::Migration, Kind::Pool]);
    stage.types(":vols").press("enter");
    stage.discovers(&[Kind::Vm, Kind::Migration, Kind::Pool]);
    assert_eq!(stage.app.pane.list.view.name(), "migrations");
    assert_eq!(stage.app.flash.as_ref().unwrap().text, "vols: no such view or resource.");
    // What was said of one screen is not said of the next one.
    stage.types(":vms").press("enter");
    assert!(stage.app.flash.is_none());
}

impl Stage {
    fn discovers(&mut self, served: &[Kind]) {
        let mut discovery = Discovery::default();
        discovery.resources.extend(served.iter().map(|kind| Resource {
            group: kind.info().group.into(),
            version: kind.info().versions[0].into(),
            plural: kind.info().plural.into(),
            namespaced: kind.info().namespaced,
            ..Resource::default()
        }));
        let discovered = Message::Discovered(ContextId(1), Ok(Arc::new(discovery)));
        self.app.update(discovered, now(), &mut self.effects);
    }

    /// How often a kind was asked for.
    fn times_asked(&self, kind: Kind) -> usize {
        let starts = |effect: &&Effect| matches!(effect, Effect::StartFeed { plan, .. } if plan.kind == kind);
        self.effects.iter().filter(starts).count()
    }

    fn measures(&mut self, round: u8, nodes: &[Value]) {
        let feed = self.cover(Kind::NodeMetrics);
        let record =
            |node: &Value| v9s::records::decode::<NodeMetrics>(node.to_string().as_bytes()).unwrap().record;
        let records: Vec<NodeMetrics> = nodes.iter().map(record).collect();
        let batch = v9s::store::Batch::of(feed, round, records).and(Freshness::Live);
        self.app.update(Message::Feed(batch), now(), &mut self.effects);
    }
}

const SERVED: [Kind; 4] = [Kind::Namespace, Kind::NodeMetrics, Kind::Node, Kind::PodMetrics];

#[test]
fn the_use_of_the_cluster_is_summed_up() {
    let mut stage = namespaces(&SERVED);
    assert_eq!(stage.times_asked(Kind::NodeMetrics), 0, "the rows come first");
    let rows = stage.cover(Kind::Namespace);
    stage.says::<Namespace>(rows, &[json!({"metadata": {"name": "a"}})], Freshness::Live);
    assert_eq!((stage.times_asked(Kind::NodeMetrics), stage.times_asked(Kind::Node)), (1, 0));
    stage.measures(0, &[use_of("a", 500, 2), use_of("b", 1500, 1)]);
    assert_eq!(stage.times_asked(Kind::Node), 1, "how much there is counts only with what is used");
    let feed = stage.cover(Kind::Node);
    stage.says::<Node>(feed, &[node("a", 4, 4), node("b", 4, 8)], Freshness::Live);
    let text = stage.text(80, 24);
    assert!(text.contains(" CPU: 25% MEM: 25%"), "{text}");
    stage.measures(1, &[use_of("a", 500, 1), use_of("b", 1500, 1), use_of("c", 4000, 1)]);
    let text = stage.text(80, 24);
    assert!(text.contains(" CPU: 75%↑ MEM: 25% "), "{text}");
    stage.press("ctrl-e");
    let text = stage.text(80, 24);
    assert!(text.lines().next().unwrap().contains(" CPU 75%↑ MEM 25%"), "{text}");
    // Another namespace is no reason to ask for the nodes again.
    stage.types(":pods all").press("enter");
    assert_eq!((stage.times_asked(Kind::NodeMetrics), stage.times_asked(Kind::Node)), (1, 1));
}

#[test]
fn one_line_of_header_says_where_one_is() {
    let mut stage = Stage::still("vms");
    let line =
        |stage: &mut Stage, width, height| stage.text(width, height).lines().next().unwrap().to_owned();
    let version = env!("CARGO_PKG_VERSION");
    stage.press("ctrl-e");
    assert_eq!(line(&mut stage, 80, 24), format!(" v9s {version} demo:demo:v1.36.0 [RW]"));
    let info = stage.app.session.info.as_mut().unwrap();
    info.context = "somebody@production-europe-west-1".into();
    info.cluster = "production-europe-west-1.example.test:6443".into();
    info.readonly = true;
    let whole = "somebody@production-europe-west-1:production-europe-west-1.example.test:6443:v1.36.0 [R]";
    assert_eq!(line(&mut stage, 120, 24), format!(" v9s {version} {whole}"));
    let cut = line(&mut stage, 80, 24);
    assert!(cut.contains(" somebody@production-europe-west-1:produ"), "{cut}");
    assert!(cut.contains('…') && cut.ends_with(":6443:v1.36.0 [R]"), "{cut}");
    let shorter = line(&mut stage, 60, 24);
    assert!(shorter.contains(" som") && shorter.ends_with(":v1.36.0 [R]"), "{shorter}");
    // A small terminal has it by itself.
    stage.press("ctrl-e");
    assert!(line(&mut stage, 80, 18).ends_with(" [R]"));
}

#[test]
fn other_kinds_are_called_as_in_k9s() {
    let served = |groups: &[&str]| {
        let mut discovery = Discovery::default();
        discovery.resources.extend(groups.iter().map(|group| Resource {
            group: (*group).into(),
            version: "v1".into(),
            plural: "deployments".into(),
            namespaced: true,
            ..Resource::default()
        }));
        let mut stage = Stage::machines();
        let discovered = Message::Discovered(ContextId(1), Ok(Arc::new(discovery)));
        stage.app.update(discovered, now(), &mut stage.effects);
        stage.types(":deployments.apps").press("enter");
        stage.text(80, 24)
    };
    let text = served(&["apps"]);
    assert!(text.contains("─ deployments(all)[0] ") && text.contains(" <deployments>"), "{text}");
    let text = served(&["apps", "example.test"]);
    assert!(text.contains("─ deployments.apps(all)[0] ") && text.contains(" <deployments.apps>"), "{text}");
}

#[test]
fn who_may_not_read_it_hears_nothing_of_it() {
    let mut stage = namespaces(&SERVED);
    let rows = stage.cover(Kind::Namespace);
    stage.says::<Namespace>(rows, &[json!({"metadata": {"name": "a"}})], Freshness::Live);
    let feed = stage.cover(Kind::NodeMetrics);
    stage.says::<NodeMetrics>(feed, &[], Freshness::Denied { why: "no right".into() });
    for _ in 0..3 {
        stage.discovers(&SERVED);
    }
    assert_eq!((stage.times_asked(Kind::NodeMetrics), stage.times_asked(Kind::Node)), (1, 0));
    let text = stage.text(80, 24);
    assert!(text.contains(" CPU: n/a MEM: n/a ") && !text.contains("No right"), "{text}");
    assert!(text.contains(" KubeVirt: n/a CDI: n/a "), "{text}");
    assert!(stage.app.flash.is_none() && stage.app.reason().is_none());
}

#[test]
fn a_cluster_that_measures_nothing_is_not_asked() {
    let mut stage = namespaces(&[Kind::Namespace, Kind::Node, Kind::Pod]);
    let rows = stage.cover(Kind::Namespace);
    stage.says::<Namespace>(rows, &[json!({"metadata": {"name": "a"}})], Freshness::Live);
    assert_eq!((stage.times_asked(NodeMetrics::KIND), stage.times_asked(PodMetrics::KIND)), (0, 0));
    assert!(stage.text(80, 24).contains(" CPU: n/a MEM: n/a "));
}

#[test]
fn a_kind_that_is_refused_is_named_once_and_the_rows_of_others_show() {
    let view = Some("snapshots".into());
    let mut stage = Stage::new(Options { view, all_namespaces: true, ..Options::default() });
    let (machines, volumes) = (stage.cover(Kind::VmSnapshot), stage.cover(Kind::VolumeSnapshot));
    let snapshot = json!({"metadata": {"name": "before", "namespace": "shop", "uid": "1"}, "status": {"readyToUse": true}});
    stage.says::<VolumeSnapshot>(volumes, &[snapshot], Freshness::Live);
    let why = "Not allowed: User x cannot list resource \"virtualmachinesnapshots\".";
    stage.says::<VmSnapshot>(machines, &[], Freshness::Denied { why: why.into() });
    let text = stage.text(120, 24);
    assert!(text.contains("live in part") && text.contains("before"), "{text}");
    let said = "No right to list machine snapshots.";
    assert!(text.contains(said) && text.matches("machine snapshots").count() == 1, "{text}");
    stage.says::<VmSnapshot>(machines, &[], Freshness::Live);
    let text = stage.text(120, 24);
    assert!(!text.contains("in part") && !text.contains("no right"), "{text}");
}

#[test]
fn the_logo_has_the_colour_of_what_is_said() {
    let mut stage = namespaces(&SERVED);
    let colour = |stage: &mut Stage| stage.buffer(120, 24)[(120 - 18, 1)].fg;
    let theme = stage.app.theme.clone();
    let at = |style: ratatui::style::Style| style.fg.unwrap();
    assert_eq!(colour(&mut stage), at(theme.logo));
    for (health, style) in [
        (Health::Well, theme.logo_info),
        (Health::Warning, theme.logo_warning),
        (Health::Failed, theme.logo_error),
    ] {
        stage.app.say("Something.", health, now());
        assert_eq!(colour(&mut stage), at(style), "{health:?}");
    }
}
