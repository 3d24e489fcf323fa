//! Lists: marks, changes, columns, places.

use std::time::Duration;

use ratatui::style::Modifier;
use serde_json::{Value, json};
use v9s::model::Now;
use v9s::records::{DataSource, DataVolume, Kind, Node, VirtinkVm, Vm, Vmi};
use v9s::store::{Freshness, Health};
use v9s::ui::app::Options;
use v9s::ui::frame::Layout;
use v9s::ui::message::{Effect, Message};
use v9s::ui::panes::list::Hit;

use super::{Stage, buffer, now, row_of, text};
use crate::support::objects::vm;

fn machines() -> Vec<Value> {
    let broken = vm("shop", "db").state("ErrorUnschedulable").with("spec.runStrategy", "Always").stored(1).0;
    let rest =
        ["api", "cache", "web"].map(|name| vm("shop", name).stored(2 + u64::from(name.as_bytes()[0])).0);
    std::iter::once(broken).chain(rest).collect()
}

fn shop() -> Stage {
    Stage::fleet(&machines(), &[])
}

/// The names in the rows, from the top.
fn names(stage: &Stage) -> Vec<String> {
    let name = |&id| stage.app.store.meta(id).unwrap().name.to_string();
    stage.app.pane.list.rows().iter().map(name).collect()
}

/// The column of the screen where a text begins in a line.
fn column_of(line: &str, part: &str) -> u16 {
    let before = &line[..line.find(part).unwrap_or_else(|| panic!("no {part} in {line}"))];
    u16::try_from(before.chars().count()).unwrap()
}

#[test]
fn a_marked_row_has_a_sign_and_keeps_it_behind_a_filter() {
    let mut stage = shop();
    stage.press("j space j j space");
    let text = stage.text(100, 24);
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with('✓')).collect();
    assert_eq!(marked.len(), 2, "{text}");
    assert!(marked[0].contains("cache") && marked[1].contains("web"), "{text}");
    stage.types("/api").press("enter");
    let counts = stage.app.pane.list.counts();
    assert_eq!((counts.shown, counts.total, counts.marked, counts.hidden), (1, 4, 2, 2));
    stage.press("ctrl-\\ esc");
    assert!(!stage.text(100, 24).contains('✓'));
    stage.press("g space G ctrl-space");
    assert_eq!(stage.app.pane.list.counts().marked, 4);
}

#[test]
fn only_rows_with_a_fault() {
    let mut stage = shop();
    stage.press("ctrl-z");
    assert_eq!(names(&stage), ["db"]);
    stage.press("ctrl-z");
    assert_eq!(names(&stage).len(), 4);
}

#[test]
fn a_cell_that_changed_has_a_sign_for_two_seconds() {
    let mut stage = shop();
    let before = stage.text(120, 24);
    assert!(!before.contains('Δ'), "{before}");
    let feed = stage.cover(Kind::Vm);
    let other = vm("shop", "web").state("Paused").stored(2 + u64::from(b'w')).0;
    stage.says::<Vm>(feed, &[other], Freshness::Live);
    let first = now();
    let drawn = text(&buffer(&mut stage.app, 120, 24, first));
    assert!(row_of(&drawn, "web").contains("PausedΔ"), "{drawn}");
    assert_eq!(drawn.matches('Δ').count(), row_of(&drawn, "web").matches('Δ').count(), "{drawn}");
    let wait = stage.app.next_change(first).unwrap();
    assert!(wait <= Duration::from_secs(2), "{wait:?}");
    let later = Now { instant: first.instant + Duration::from_secs(3), ..first };
    let drawn = text(&buffer(&mut stage.app, 120, 24, later));
    assert!(!drawn.contains('Δ'), "{drawn}");
}

#[test]
fn columns_scroll_and_say_that_there_are_more() {
    let mut stage = shop();
    let text = stage.text(60, 24);
    let title = text.lines().find(|line| line.contains("NAMESPACE")).unwrap();
    assert!(title.contains('›') && !title.contains('‹'), "{text}");
    stage.press("right right");
    let text = stage.text(60, 24);
    let title = text.lines().find(|line| line.contains("NAMESPACE")).unwrap();
    assert!(title.contains('‹') && !title.contains("REASON"), "{text}");
    let behind = title.split_once('‹').unwrap().1;
    assert!(behind.starts_with(' '), "the mark touches a title: {title}");
}

#[test]
fn places_on_the_screen_are_rows_and_titles() {
    let mut stage = shop();
    let drawn = stage.buffer(100, 24);
    let area = Layout::of(&stage.app).inside();
    let lines: Vec<String> = text(&drawn).lines().map(str::to_owned).collect();
    let state = column_of(&lines[usize::from(area.y)], "STATE");
    let pane = &stage.app.pane;
    let column = pane.list.view.column("STATE").unwrap();
    assert_eq!(pane.hit(state, area.y, area), Some(Hit::Column(column)));
    assert_eq!(pane.hit(state + 4, area.y, area), Some(Hit::Column(column)));
    assert_eq!(pane.hit(area.x, area.y + 2, area), Some(Hit::Row(1)));
    assert_eq!(pane.hit(area.x, area.y + 5, area), None, "below the last row");
    assert_eq!(pane.hit(area.x - 1, area.y + 1, area), None, "the border");
}

#[test]
fn a_letter_sorts_by_its_column() {
    let mut stage = shop();
    stage.types("M");
    let order = stage.app.pane.list.order();
    assert_eq!(stage.app.pane.list.view.heading(order.0).title, "MEMORY");
    let drawn = stage.buffer(120, 24);
    let lines: Vec<String> = text(&drawn).lines().map(str::to_owned).collect();
    let y = lines.iter().position(|line| line.contains("MEMORY↑")).unwrap();
    let x = column_of(&lines[y], "MEMORY");
    assert!(drawn[(x, u16::try_from(y).unwrap())].modifier.contains(Modifier::UNDERLINED));
    stage.types("M");
    assert!(stage.text(120, 24).contains("MEMORY↓"));
}

#[test]
fn a_filter_that_cannot_be_read_hides_nothing() {
    let mut stage = shop();
    stage.types("/web").types(" state:");
    assert_eq!(names(&stage), ["web"]);
    assert!(stage.app.pane.list.filter_error().is_some_and(|error| error.unfinished));
    stage.types("x");
    assert!(names(&stage).is_empty());
    stage.press("backspace").types("stop");
    assert_eq!(names(&stage), ["web"]);
}

#[test]
fn where_rows_are_of_many_is_seen_on_the_border() {
    let machines: Vec<Value> = (0..100).map(|n| vm("shop", &format!("web-{n}")).stored(n + 1).0).collect();
    let mut stage = Stage::fleet(&machines, &[]);
    let thumb = |text: &str| -> Vec<usize> {
        text.lines().enumerate().filter(|(_, line)| line.ends_with('┃')).map(|(at, _)| at).collect()
    };
    let top = thumb(&stage.text(80, 24));
    assert!(!top.is_empty() && top.len() < 8, "{top:?}");
    stage.press("G");
    let bottom = thumb(&stage.text(80, 24));
    assert!(bottom[0] > *top.last().unwrap() && bottom.len() == top.len(), "{top:?} {bottom:?}");
    stage.app.update(Message::Resize(80, 200), now(), &mut Vec::new());
    assert!(thumb(&stage.text(80, 200)).is_empty());
}

#[test]
fn the_names_of_all_marked_rows_are_copied() {
    let mut stage = shop();
    stage.press("g space j space");
    stage.effects.clear();
    stage.press("c n");
    let copied: Vec<&str> = stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Copy(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(copied, ["api\ncache", "shop"]);
}

#[test]
fn a_filter_is_completed_with_what_is_there() {
    let mut stage = shop();
    stage.types("/stat");
    let text = stage.text(100, 24);
    assert!(text.contains("│/ state:"), "{text}");
    stage.press("tab");
    assert!(stage.text(100, 24).contains("│/ state:  tab: Stopped"));
    stage.press("tab enter");
    assert_eq!(names(&stage), ["api", "cache", "web"], "the most frequent one");
    let text = stage.text(100, 24);
    assert!(text.contains("vms(all)[3/4] </state:Stopped>"), "{text}");
}

#[test]
fn what_is_wrong_with_a_filter_stands_in_its_prompt() {
    let mut stage = shop();
    stage.types("/web").types(" [a");
    let drawn = stage.buffer(120, 24);
    let lines: Vec<String> = text(&drawn).lines().map(str::to_owned).collect();
    let y = lines.iter().position(|line| line.contains("│/ web [a")).unwrap();
    assert!(lines[y].contains("is no regular expression"), "{}", lines[y]);
    let (x, y) = (column_of(&lines[y], "web"), u16::try_from(y).unwrap());
    assert_eq!(Some(drawn[(x, y)].fg), stage.app.theme.row(Health::Failed).fg);
    assert_eq!(names(&stage).len(), 4, "nothing is hidden by what nobody can read");
    stage.press("enter");
    let text = stage.text(120, 24);
    assert!(text.contains("vms(all)[4] </web [a>") && text.contains("is no regular expression"), "{text}");
}

#[test]
fn ctrl_c_takes_back_what_was_begun() {
    let mut stage = shop();
    stage.types("/web").press("enter").types("/(").press("ctrl-c");
    assert_eq!((names(&stage), &*stage.app.pane.list.filter().text), (vec!["web".to_owned()], "web"));
    assert!(stage.app.prompt.is_none() && !stage.app.is_over());
    stage.types("/").press("ctrl-c");
    assert_eq!(names(&stage), ["web"]);
}

#[test]
fn a_saved_filter_is_known_wherever_a_filter_is_written() {
    let mut stage = shop();
    stage.types("/name:c").press("enter").types(":filter save sea").press("enter").press("esc");
    stage.types(":vms all /@sea").press("enter");
    assert_eq!(names(&stage), ["cache"]);
    stage.types(":vms all /@tree").press("enter");
    let text = stage.text(80, 24);
    assert!(text.contains("vms(all)[4] </@tree>"), "{text}");
    let why = stage.app.pane.list.filter_error().map(|error| error.why.clone()).unwrap_or_default();
    assert!(why.starts_with("There is no saved filter \"tree\""), "{why}");
}

#[test]
fn the_title_counts_marks_and_says_what_is_left_out() {
    let mut stage = shop();
    stage.press("space j space").types("/web").press("enter");
    let text = stage.text(100, 24);
    assert!(text.contains("vms(all)[1/4 ✓2, 2 hidden] </web>"), "{text}");
    stage.press("esc ctrl-z");
    let text = stage.text(100, 24);
    assert!(text.contains("[1/4 ✓2, 2 hidden] </faults>"), "{text}");
}

#[test]
fn a_disk_made_of_what_a_source_points_to_is_one_of_its_copies() {
    let options = Options { view: Some("datasources".into()), all_namespaces: true, ..Options::default() };
    let mut stage = Stage::new(options);
    let sources = stage.cover(Kind::DataSource);
    let meta = |name: &str| json!({"name": name, "namespace": "images", "uid": name});
    let source = json!({"metadata": meta("ubuntu"), "spec": {"source": {"pvc": {"name": "golden", "namespace": "images"}}}});
    stage.says::<DataSource>(sources, &[source], Freshness::Live);
    stage.press("enter");
    let disks = stage.cover(Kind::DataVolume);
    // KubeVirt names the claim that the source points to, not the source.
    let of = |name: &str, claim: &str| json!({"metadata": meta(name), "spec": {"source": {"pvc": {"name": claim, "namespace": "images"}}}});
    stage.says::<DataVolume>(disks, &[of("web-root", "golden"), of("other", "else")], Freshness::Live);
    assert_eq!(names(&stage), ["web-root"]);
}

#[test]
fn nodes_say_what_living_guests_ask_for_and_that_they_take_none() {
    let view = Some("nodes".into());
    let mut stage = Stage::new(Options { view, all_namespaces: true, ..Options::default() });
    let nodes = stage.cover(Kind::Node);
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let node = |schedulable: &str| {
        json!({"metadata": {"name": "n", "uid": "n", "labels": {"kubevirt.io/schedulable": schedulable}},
            "status": {"conditions": ready}})
    };
    stage.says::<Node>(nodes, &[node("true")], Freshness::Live);
    let guest = |name: &str, phase: &str| {
        json!({"metadata": {"name": name, "namespace": "shop", "uid": name},
            "spec": {"domain": {"cpu": {"cores": 3}, "memory": {"guest": "1Gi"}}},
            "status": {"nodeName": "n", "phase": phase}})
    };
    let guests = [guest("a", "Running"), guest("b", "Succeeded"), guest("c", "Failed")];
    let feed = stage.cover(Kind::Vmi);
    stage.says::<Vmi>(feed, &guests, Freshness::Live);
    let others = stage.cover(Kind::VirtinkVm);
    stage.says::<VirtinkVm>(others, &[], Freshness::Live);
    let text = stage.text(200, 20);
    let row: Vec<&str> = row_of(&text, "n").split_whitespace().collect();
    assert!(row.contains(&"3") && row.contains(&"1Gi"), "{text}");
    assert!(!text.contains("TakesNoMachines"), "{text}");
    stage.says::<Node>(nodes, &[node("false")], Freshness::Live);
    let text = stage.text(200, 20);
    assert!(row_of(&text, "n").contains("▲ Ready") && text.contains("TakesNoMachines"), "{text}");
}
