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
        with(&|stage| {
            // Details beside the list wherever that can be.
            stage.buffer(110, 30);
            stage.press("b");
        }),
        with(&|stage| _ = stage.types("/nosuchthing").press("enter")),
    ]
}

/// The sizes above, and so many by chance.
fn sizes(more: usize) -> Vec<(u16, u16)> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut sizes: Vec<(u16, u16)> =
        WIDTHS.iter().flat_map(|&width| HEIGHTS.iter().map(move |&height| (width, height))).collect();
    sizes.extend((0..more).map(|_| (random.u16(1..=300), random.u16(1..=100))));
    sizes
}

/// Draws a frame and looks whether it is whole: each row belongs to something, and the border is closed.
fn is_whole(stage: &mut Stage, what: &str, (width, height): (u16, u16)) {
    // A cell outside of the buffer would panic.
    let buffer = stage.buffer(width, height);
    let layout = Layout::of(&stage.app);
    let Layout { header, prompt, body, crumbs, flash, .. } = layout;
    let rows: u16 = [header, prompt, body, crumbs, flash].iter().map(|area| area.height).sum();
    assert_eq!(rows, height, "{what} at {width}×{height}");
    if layout.inside() == body {
        return;
    }
    let (right, bottom) = (body.right() - 1, body.bottom() - 1);
    let at = |x: u16, y: u16| buffer[(x, y)].symbol();
    let corners = [at(0, body.y), at(right, body.y), at(0, bottom), at(right, bottom)];
    assert_eq!(corners, ["┌", "┐", "└", "┘"], "{what} at {width}×{height}\n{}", super::text(&buffer));
    for y in body.y + 1..bottom {
        let sides = [at(0, y), at(right, y)];
        // Marks stand on the left, the scrollbar and the sign of more columns on the right.
        let whole = ["│", "✓"].contains(&sides[0]) && ["│", "┃", "›"].contains(&sides[1]);
        assert!(whole, "{what} at {width}×{height}: {sides:?}\n{}", super::text(&buffer));
    }
}

#[test]
fn every_size_can_be_drawn() {
    let sizes = sizes(200);
    for (number, mut stage) in stages().into_iter().enumerate() {
        for &size in &sizes {
            is_whole(&mut stage, &format!("stage {number}"), size);
        }
    }
}

#[test]
fn every_size_of_what_is_opened_is_whole() {
    let widths = [1, 2, 3, 7, 20, 41, 80, 111, 200];
    let heights = [1, 2, 3, 4, 5, 8, 24, 50];
    let all = widths.iter().flat_map(|&width| heights.map(|height| (width, height)));
    let sizes: Vec<(u16, u16)> = all.chain([(300, 100)]).collect();
    let over: [(&str, &str, &str); 14] = [
        ("vms", "webshop-next", "enter tab"),
        ("vms", "web-0", "enter G"),
        ("vms", "web-0", "d"),
        ("vms", "web-0", "d w G"),
        ("vms", "web-0", "y x m"),
        ("secrets", "web-user-data", "y w"),
        ("vms", "mail", "l"),
        ("vms", "webshop-next", "l t w k"),
        ("vms", "web-0", "?"),
        ("vms", "web-0", "ctrl-a G"),
        ("nodes", "node-a", "u"),
        ("vms", "web-0", "enter ?"),
        ("workloads", "cirros", "G"),
        ("nodes", "node-a", "b"),
    ];
    for (view, name, keys) in over {
        let mut stage = Stage::still(view);
        stage.at(name).opens(keys);
        for &size in &sizes {
            is_whole(&mut stage, &format!("{keys} on {name}"), size);
        }
    }
    for (typed, keys) in
        [(":s", "down down down"), (":v", ""), ("/state:", "down"), ("/wrong:", "enter"), ("/state:", "")]
    {
        let mut stage = Stage::still("vms");
        stage.types(typed).press(keys);
        for &size in &sizes {
            is_whole(&mut stage, &format!("{typed} {keys}"), size);
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
