//! What the program may use: allocations, bytes kept, bytes written. Exact counts, never times: those are measured by
//! `cargo bench`.

#[path = "../benches/filled.rs"]
mod filled;

use filled::{Filled, SIZE};
use v9s::demo::fleet::{Fleet, FleetKind};
use v9s::records::{Claim, DataVolume, Record, Records, Vm, Vmi, decode};
use v9s::ui::input::Key;
use v9s::ui::panes::side::Side;
use v9s::views::Motion;

fn assert_at_most(what: &str, most: f64, measured: f64) {
    assert!(measured <= most, "{what}: {measured:.1}, the budget is {most}");
}

#[test]
fn decoding_hardly_allocates() {
    fn allocations<R: Record>(fleet: &Fleet, kind: FleetKind) -> f64
    where
        Records: From<Vec<R>>,
    {
        let objects: Vec<Vec<u8>> = (0..fleet.count())
            .map(|machine| {
                let mut object = Vec::new();
                fleet.write(kind, machine, 0, &mut object);
                object
            })
            .collect();
        // Words are kept once for the process.
        let decode_all = || objects.iter().for_each(|object| drop(decode::<R>(object).unwrap()));
        decode_all();
        let heap = allocation_counter::measure(decode_all);
        heap.count_total as f64 / objects.len() as f64
    }
    // One is the stack on which serde_json skips nested values. The goal is 0.5 beside it: names of more than 24 bytes do
    // not stand in the record itself.
    let fleet = Fleet::new(1, 500);
    assert_at_most("a VM", 1.5, allocations::<Vm>(&fleet, FleetKind::Vm));
    assert_at_most("a VMI", 1.5, allocations::<Vmi>(&fleet, FleetKind::Vmi));
    assert_at_most("a DataVolume", 1.5, allocations::<DataVolume>(&fleet, FleetKind::DataVolume));
    assert_at_most("a claim", 1.5, allocations::<Claim>(&fleet, FleetKind::Claim));
}

#[test]
fn records_are_small() {
    let heap = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_current as f64;
    let fleet = Fleet::new(1, 2_000).running();
    drop(filled::store(&fleet, &FleetKind::ALL));
    let mut store = None;
    let bytes = heap(&mut || store = Some(filled::store(&fleet, &FleetKind::ALL)));
    // The goals are 180 and 320: words of four bytes instead of eight would save 18, links
    // without slack some more. The name of a machine's preference takes two of these, what
    // disks are made of six, its Secret and what holds its instance two each.
    assert_at_most("a record of four kinds, with its places and links", 243.0, bytes / 8_000.0);
    let mut kept = None;
    let empty = heap(&mut || kept = Some(Filled::empty(2_000)));
    let mut kept = None;
    let shown = heap(&mut || {
        let filled = kept.insert(Filled::empty(2_000));
        filled.fill(FleetKind::Vm);
        filled.type_text("/e");
    });
    assert_at_most("a shown record, with order and text", 410.0, (shown - empty) / 2_000.0);
}

#[test]
fn a_frame_hardly_allocates() {
    let mut filled = Filled::new(500);
    filled.press(Key::char('j'));
    filled.draw();
    filled.press(Key::char('j'));
    let heap = allocation_counter::measure(|| _ = filled.draw());
    assert_at_most("allocations of a frame", 10.0, heap.count_total as f64);
    filled.app.side = Side::wanted(true);
    filled.draw();
    filled.press(Key::char('j'));
    let heap = allocation_counter::measure(|| _ = filled.draw());
    assert_at_most("allocations of a frame with another row's details", 300.0, heap.count_total as f64);
    let heap = allocation_counter::measure(|| _ = filled.draw());
    assert_at_most("allocations of a frame with the same row's details", 10.0, heap.count_total as f64);
}

#[test]
fn little_is_written_to_the_terminal() {
    let mut filled = Filled::new(2_000);
    let check = |what: &str, most: f64, bytes: usize| {
        assert!(bytes > 0, "{what} writes something");
        assert_at_most(what, most, bytes as f64);
    };
    check("a whole frame", 12_500.0, filled.draw_whole());
    assert_eq!(filled.draw(), 0, "nothing changed, nothing is written");
    filled.press(Key::char('j'));
    check("the cursor", 700.0, filled.draw());

    // An age on screen goes on: so many cells change.
    filled.now.wall += 86_400;
    let rows = filled.app.pane.visible().len() as f64;
    check("a cell in each row", 64.0 * rows, filled.draw());

    filled.press(Key::char('G'));
    filled.draw();
    let height = isize::try_from(filled.app.pane.height(SIZE)).unwrap();
    filled.app.pane.list.go(Motion::Rows(1 - height), &filled.app.store);
    filled.draw();
    filled.press(Key::char('k'));
    check("a line scrolled", 9_000.0, filled.draw());
}

#[test]
fn a_change_writes_its_row_and_no_more() {
    let mut filled = Filled::new(2_000);
    let first = filled.app.pane.list.rows()[5];
    let name = filled.app.store.meta(first).unwrap().name.clone();
    let machine = (0..2_000).find(|&machine| filled.fleet.name(machine).1 == name).unwrap();
    let written: Vec<usize> = (1..60)
        .map(|revision| {
            filled.change(FleetKind::Vm, [machine].into_iter(), revision);
            filled.change(FleetKind::Vmi, [machine].into_iter(), revision);
            filled.draw()
        })
        .collect();
    assert!(written.iter().any(|&bytes| bytes > 0), "{written:?}");
    assert!(written.iter().all(|&bytes| bytes <= 260), "{written:?}");
}

#[test]
fn what_is_not_on_the_screen_draws_nothing() {
    let mut filled = Filled::new(2_000);
    let machines: Vec<usize> = {
        let visible = filled.app.pane.visible();
        let meta = |id| filled.app.store.meta(id).unwrap();
        let names: Vec<_> = visible.iter().map(|&id| meta(id).name.to_string()).collect();
        (0..2_000).filter(|&machine| !names.contains(&filled.fleet.name(machine).1)).collect()
    };
    let draw = filled.change(FleetKind::Vmi, machines.iter().copied().take(300), 3);
    assert_eq!(draw, v9s::ui::message::Draw::No);
}
