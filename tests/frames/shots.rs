//! States of the screen, as somebody would see them.

use std::time::Instant;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};
use v9s::records::{DataVolume, Kind, Node, Vm, Vmi};
use v9s::store::{FeedId, Freshness};
use v9s::ui::app::Options;
use v9s::ui::skins;
use v9s::ui::theme::Look;

use super::{Stage, row_of};
use crate::support::objects::{data_volume, vm, vmi_of};

/// Names that no API server takes, and what a terminal would make of them.
pub(super) const NAMES: [&str; 6] = [
    "東京-データベース-一号機",
    "שרת-אינטרנט",
    "\u{202e}gnp.exe",
    "bell\u{7}-\u{1b}[31mred\u{1b}[0m",
    "a-very-long-name-that-goes-on-and-on-until-the-limit-of-sixty-three",
    "e\u{301}e\u{301}e\u{301}-combining",
];

fn three() -> (Vec<Value>, Vec<Value>) {
    let running = vm("shop", "web").running().stored(1).0;
    let broken = vm("shop", "db").state("ErrorUnschedulable").with("spec.runStrategy", "Always").stored(2).0;
    let asleep = vm("lab", "build").stored(3).0;
    let instance = vmi_of(&running).stored(4).0;
    (vec![running, broken, asleep], vec![instance])
}

fn shop() -> Stage {
    let (machines, instances) = three();
    Stage::fleet(&machines, &instances)
}

#[test]
fn the_whole_screen() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("whole_{width}x{height}"), shop().text(width, height));
    }
}

#[test]
fn a_small_terminal() {
    insta::assert_snapshot!(shop().text(40, 10));
}

#[test]
fn without_colours_and_in_ascii() {
    let mut stage = shop();
    let look = Look { monochrome: true, ascii: true, ..Look::default() };
    stage.app.theme = skins::load("dark", &[], look).unwrap();
    stage.types(":conte");
    let buffer = stage.buffer(80, 24);
    let colours = |cell: &Cell| cell.fg == Color::Reset && cell.bg == Color::Reset;
    assert!(buffer.content().iter().all(|cell| cell.symbol().is_ascii() && colours(cell)));
    // Below the text, what there is instead of colours: bold, dim, reversed.
    let styles = buffer.content().chunks(80).map(|row| {
        let sign = |cell: &Cell| match cell.modifier {
            Modifier::BOLD => 'b',
            Modifier::DIM => 'd',
            reversed if reversed.contains(Modifier::REVERSED) => 'r',
            _ => ' ',
        };
        row.iter().map(sign).collect::<String>().trim_end().to_owned() + "\n"
    });
    insta::assert_snapshot!(super::text(&buffer) + &styles.collect::<String>());
}

#[test]
fn wide_columns() {
    let mut stage = shop();
    stage.press("ctrl-w");
    insta::assert_snapshot!(stage.text(200, 14));
}

#[test]
fn a_prompt_with_a_completion() {
    let mut stage = shop();
    stage.types(":conte");
    let buffer = stage.buffer(80, 24);
    let text = super::text(&buffer);
    let row =
        text.lines().position(|line| line.starts_with("│> contexts ")).unwrap_or_else(|| panic!("{text}"));
    let row = u16::try_from(row).unwrap();
    assert_ne!(buffer[(7, row)].style(), buffer[(8, row)].style(), "what is typed and what is proposed");
    insta::assert_snapshot!(text);
}

#[test]
fn a_filter_with_and_without_hits() {
    let mut stage = shop();
    stage.types("/shop").press("enter");
    let text = stage.text(80, 24);
    assert!(text.contains("vms(all)[2/3] </shop>") && !text.contains("build"), "{text}");
    stage.types("/").types("x");
    insta::assert_snapshot!(stage.text(80, 24));
}

/// Compares a list without rows with what somebody last looked at, at two sizes.
fn without_rows(name: &str, stage: &mut Stage) {
    for (width, height) in [(80, 24), (132, 30)] {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), stage.text(width, height));
    }
}

#[test]
fn an_empty_list() {
    let mut none = Stage::fleet(&[], &[]);
    let text = none.text(80, 24);
    without_rows("empty", &mut none);
    assert!(text.contains("vms(all)[0] live") && text.contains("There are no vms."), "{text}");
    let mut one = Stage::new(Options { namespace: Some("lab".into()), ..Options::default() });
    let feed = one.cover(Kind::Vm);
    one.says::<Vm>(feed, &[], Freshness::Live);
    let text = one.text(80, 24);
    assert!(text.contains("There are no vms in the namespace lab. 0 shows all namespaces."), "{text}");
}

#[test]
fn a_namespace_that_is_not_there_is_said_not_to_be() {
    let options = Options { view: Some("pods".into()), namespace: Some("stuk".into()), ..Options::default() };
    let mut stage = Stage::new(options);
    let feed = stage.cover(Kind::Pod);
    stage.says::<v9s::records::Pod>(feed, &[], Freshness::Live);
    let text = stage.text(80, 24);
    assert!(text.contains("There are no pods in the namespace stuk."), "{text}");
    // It was asked for when there was nothing to show.
    let feed = stage.cover(Kind::Namespace);
    let named = |name: &str| json!({"metadata": {"name": name, "uid": name}, "status": {"phase": "Active"}});
    stage.says::<v9s::records::Namespace>(feed, &["shop", "stuck"].map(named), Freshness::Live);
    let text = stage.text(80, 24);
    assert!(text.contains("There is no namespace stuk. Did you mean stuck?"), "{text}");
    stage.says::<v9s::records::Namespace>(feed, &[named("stuk")], Freshness::Live);
    let text = stage.text(80, 24);
    assert!(text.contains("There are no pods in the namespace stuk."), "{text}");
}

#[test]
fn a_list_that_is_refused() {
    let mut stage = Stage::machines();
    let feed = stage.cover(Kind::Vm);
    let why = "Not allowed: cannot list virtualmachines. Ask for this right.".into();
    stage.says::<Vm>(feed, &[], Freshness::Denied { why });
    without_rows("denied", &mut stage);
    let text = stage.text(80, 24);
    assert!(text.contains("denied") && text.contains("cannot list virtualmachines"), "{text}");
    assert!(!text.contains("There are no"), "{text}");
}

#[test]
fn a_kind_that_is_not_served() {
    let mut stage = Stage::machines();
    let feed = stage.cover(Kind::Vm);
    stage.says::<Vm>(feed, &[], Freshness::Absent);
    let text = stage.text(80, 24);
    assert!(text.contains("not installed"), "{text}");
    assert!(text.contains("does not serve virtualmachines.kubevirt.io"), "{text}");
}

#[test]
fn a_list_that_is_still_coming() {
    let (machines, _) = three();
    let mut stage = Stage::machines();
    assert!(stage.text(80, 24).contains("vms(all)[0] waiting"));
    without_rows("loading", &mut stage);
    let feed = stage.cover(Kind::Vm);
    stage.says::<Vm>(feed, &[], Freshness::Syncing { seen: 0 });
    let text = stage.text(80, 24);
    assert!(text.contains("[0] syncing ") && !text.contains("There are no"), "{text}");
    stage.says::<Vm>(feed, &machines, Freshness::Syncing { seen: 3 });
    assert!(stage.text(80, 24).contains("vms(all)[3] syncing 3"));
}

#[test]
fn a_stale_list_is_dimmed_and_says_why() {
    let (machines, _) = three();
    let mut stage = Stage::machines();
    let feed: FeedId = stage.cover(Kind::Vm);
    stage.says::<Vm>(feed, &machines, Freshness::Live);
    let dimmed = |stage: &mut Stage| {
        let buffer = stage.buffer(80, 24);
        buffer.content().iter().any(|cell| cell.modifier.contains(Modifier::DIM))
    };
    assert!(!dimmed(&mut stage));
    let why = "The connection was closed.".into();
    stage.says::<Vm>(feed, &[], Freshness::Stale { since: Instant::now(), why });
    let text = stage.text(80, 24);
    assert!(dimmed(&mut stage), "{text}");
    assert!(text.contains("vms(all)[3] stale 0s"), "{text}");
    assert!(text.lines().last().unwrap().contains("The connection was closed."), "{text}");
    stage.says::<Vm>(feed, &[], Freshness::Live);
    assert!(!dimmed(&mut stage) && stage.text(80, 24).contains("[3] live"));
}

#[test]
fn names_of_every_kind_stay_in_their_cells() {
    let machines: Vec<Value> = NAMES.iter().map(|name| vm("odd", name).stored(1).0).collect();
    let mut stage = Stage::fleet(&machines, &[]);
    for width in [60, 80, 120, 200] {
        let buffer = stage.buffer(width, 24);
        for cell in buffer.content() {
            let harmful =
                |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
            assert!(!cell.symbol().contains(harmful), "{:?} at width {width}", cell.symbol());
        }
        // The right border stands straight: nothing has grown over its cell.
        let text = super::text(&buffer);
        for line in text.lines().filter(|line| line.starts_with('│')) {
            assert_eq!(v9s::text::width(line), usize::from(width), "{line}");
        }
    }
    let text = stage.text(200, 24);
    assert!(text.contains("東京-データベース-一号機") && text.contains("bell␇-␛[31mred"), "{text}");
}

/// Holds the instances back: the row says only what is known.
#[test]
fn no_lie_while_instances_are_on_their_way() {
    let running = vm("shop", "web").running().stored(1).0;
    let stopped = vm("shop", "idle").stored(2).0;
    let instance = vmi_of(&running).stored(3).0;
    let mut stage = Stage::machines();
    let machines = stage.cover(Kind::Vm);
    stage.says::<Vm>(machines, &[running.clone(), stopped], Freshness::Live);
    let expect = |stage: &mut Stage, web: &str, idle: &str, beside: &str| {
        assert_eq!((stage.state("web").as_str(), stage.state("idle").as_str()), (web, idle));
        let text = stage.text(200, 60);
        let row = row_of(&text, "web");
        assert!(row.contains(beside), "{beside} in {row}");
        assert!(!row.contains("<none>") && !row.contains("Stopped"), "{row}");
    };
    // Nobody has asked; asked; a first page without it.
    expect(&mut stage, "Running…", "Stopped…", " … ");
    let instances = stage.cover(Kind::Vmi);
    expect(&mut stage, "Running…", "Stopped…", " … ");
    stage.says::<Vmi>(instances, &[], Freshness::Syncing { seen: 0 });
    expect(&mut stage, "Running…", "Stopped…", " … ");
    // It comes while the list goes on: what is here is known.
    stage.says::<Vmi>(instances, std::slice::from_ref(&instance), Freshness::Syncing { seen: 1 });
    expect(&mut stage, "Running", "Stopped…", "node-1");
    stage.says::<Vmi>(instances, &[], Freshness::Live);
    expect(&mut stage, "Running", "Stopped", "node-1");
    // The watch is lost: nothing is taken back.
    stage.says::<Vmi>(instances, &[], Freshness::Stale { since: Instant::now(), why: "gone".into() });
    assert!(stage.state("web").starts_with("Running"), "{}", stage.state("web"));
    assert!(stage.state("idle").starts_with("Stopped"), "{}", stage.state("idle"));
}

#[test]
fn no_lie_where_instances_may_not_be_read() {
    let running = vm("shop", "web").running().stored(1).0;
    let mut stage = Stage::machines();
    let machines = stage.cover(Kind::Vm);
    stage.says::<Vm>(machines, &[running], Freshness::Live);
    let instances = stage.cover(Kind::Vmi);
    stage.says::<Vmi>(instances, &[], Freshness::Denied { why: "no".into() });
    assert_eq!(stage.state("web"), "Running…");
    let text = stage.text(200, 60);
    assert!(row_of(&text, "web").contains("<denied>"), "{text}");
}

#[test]
fn no_lie_about_a_node_that_may_not_be_seen() {
    let machine = vm("shop", "web").running().stored(1).0;
    let instance = vmi_of(&machine).stored(1).0;
    let mut stage = Stage::fleet(&[machine], &[instance]);
    stage.press("o");
    let nodes = stage.cover(Kind::Node);
    stage.says::<Node>(nodes, &[], Freshness::Denied { why: "Nodes may not be listed.".into() });
    let text = stage.text(120, 40);
    assert!(text.contains("shop/web: no right to list nodes."), "{text}");
}

#[test]
fn no_lie_while_disks_are_on_their_way() {
    let volumes = json!([{"name": "root", "dataVolume": {"name": "web-root"}}]);
    let machine = vm("shop", "web").state("Provisioning").with("spec.runStrategy", "Always");
    let machine = machine.with("spec.template.spec.volumes", volumes).stored(1).0;
    let mut stage = Stage::machines();
    let machines = stage.cover(Kind::Vm);
    let instances = stage.cover(Kind::Vmi);
    stage.says::<Vm>(machines, std::slice::from_ref(&machine), Freshness::Live);
    stage.says::<Vmi>(instances, &[], Freshness::Live);
    assert_eq!(stage.state("web"), "Provisioning…");
    let disks = stage.cover(Kind::DataVolume);
    stage.says::<DataVolume>(disks, &[], Freshness::Syncing { seen: 0 });
    assert_eq!(stage.state("web"), "Provisioning…");
    let disk = data_volume("shop", "web-root").phase("ImportInProgress", "42.50%").owned_by(&machine);
    stage.says::<DataVolume>(disks, &[disk.stored(2).0], Freshness::Live);
    assert_eq!(stage.state("web"), "Importing 42%");
}
