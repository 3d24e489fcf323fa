//! Every size: nothing panics, and nothing is drawn outside.

use serde_json::Value;
use v9s::store::Health;
use v9s::ui::frame::Layout;

use super::shots::NAMES;
use super::{Stage, now};
use crate::support::objects::{fleet_in, vm, vmi_of};

const WIDTHS: [u16; 13] = [1, 2, 3, 5, 10, 20, 40, 79, 80, 81, 120, 200, 300];
const HEIGHTS: [u16; 10] = [1, 2, 3, 5, 10, 24, 25, 40, 60, 100];

fn machines(count: usize) -> Vec<Value> {
    fleet_in(&["east", "west"], count).into_iter().map(|machine| machine.stored(1).0).collect()
}

fn stages() -> Vec<Stage> {
    let mut all = machines(60);
    let instances: Vec<Value> = all[..20].iter().map(|machine| vmi_of(machine).stored(2).0).collect();
    all.extend(NAMES.iter().map(|name| vm("odd", name).stored(3).0));
    let with = |change: &dyn Fn(&mut Stage)| {
        let mut stage = Stage::fleet(&all, &instances);
        change(&mut stage);
        stage
    };
    let sentence = "a sentence that goes on \u{1b}[31m東京 ".repeat(20);
    vec![
        Stage::machines(),
        Stage::fleet(&[], &[]),
        with(&|_| {}),
        with(&|stage| _ = stage.types(":conte")),
        with(&|stage| _ = stage.types("/").types(&"東京 a very long filter ".repeat(20))),
        with(&|stage| _ = stage.press("ctrl-w l l l G shift-right shift-right")),
        with(&|stage| stage.app.say(sentence.clone(), Health::Failed, now())),
        with(&|stage| _ = stage.press("ctrl-e")),
        with(&|stage| _ = stage.types("/nosuchthing").press("enter")),
    ]
}

#[test]
fn every_size_can_be_drawn() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut sizes: Vec<(u16, u16)> =
        WIDTHS.iter().flat_map(|&width| HEIGHTS.iter().map(move |&height| (width, height))).collect();
    sizes.extend((0..200).map(|_| (random.u16(1..=300), random.u16(1..=100))));
    for (number, mut stage) in stages().into_iter().enumerate() {
        for &(width, height) in &sizes {
            // A cell outside of the buffer would panic.
            stage.buffer(width, height);
            let Layout { header, prompt, body, crumbs, flash, .. } = Layout::of(&stage.app);
            let rows: u16 = [header, prompt, body, crumbs, flash].iter().map(|area| area.height).sum();
            assert_eq!(rows, height, "stage {number} at {width}×{height}");
        }
    }
}

#[test]
fn rows_are_the_last_thing_to_go() {
    let machine = vm("a", "web").stored(1).0;
    let mut stage = Stage::fleet(std::slice::from_ref(&machine), &[]);
    for height in 2..=24 {
        for width in [20, 40, 80, 200] {
            let text = stage.text(width, height);
            assert!(text.contains("web"), "{width}×{height}:\n{text}");
        }
    }
}

#[test]
fn the_cursor_is_on_the_screen_at_every_height() {
    let mut stage = Stage::fleet(&machines(60), &[]);
    stage.press("shift-g");
    let last = stage.app.pane.list.selected().unwrap();
    for height in (6..=100).chain((6..100).rev()) {
        stage.buffer(80, height);
        assert!(stage.app.pane.visible().contains(&last), "at {height} rows");
    }
}
