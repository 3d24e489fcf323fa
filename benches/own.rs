//! The program's own side of the goals. What runs in turn with kubectl gives one figure a call; the others add theirs
//! to the outcome.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use crate::cluster::Cluster;
use crate::filled::{self, Filled, SIZE};
use crate::process::Usage;
use crate::pty::{Launch, Session};
use crate::{Bench, KubectlWatch, Outcome, mb, median, ms, nanoseconds, plain};
use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use v9s::cluster::feed::{WatchEvent, read_event};
use v9s::demo::fleet::{Change, Dice, Fleet, FleetKind};
use v9s::records::{Claim, DataVolume, Vm, Vmi, decode as decode_record};
use v9s::store::{Batch, Dir, Id, Touched};
use v9s::ui::input::Key;
use v9s::ui::message::{Draw, Message};
use v9s::views::Filter;

/// Said of what is not written yet.
pub const LATER: &str = "not measured yet";

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_v9s");

const LONG: Duration = Duration::from_secs(120);

/// The program on `vms` of all namespaces, against this kubeconfig.
fn launch(kubeconfig: &Path, folder: &Path) -> Launch {
    let kubeconfig = kubeconfig.display().to_string();
    let mut launch = Launch::new(PROGRAM, ["--kubeconfig", &kubeconfig, "-A", "-c", "vms"]);
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        launch = launch.env(name, folder.display().to_string());
    }
    launch
}

fn thousands(count: usize) -> String {
    match count {
        0..1_000 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    }
}

/// What the title says once everything is there.
fn complete(count: usize) -> String {
    format!("[{}] live", thousands(count))
}

/// Whether any row is on the screen.
fn has_rows(session: &Session) -> bool {
    let screen = session.screen();
    screen.contains("(all)[") && !screen.contains("(all)[0]")
}

/// The program with all rows on the screen and its partners loaded.
fn settled(server: &mut Cluster, folder: &Path) -> Option<Session> {
    let count = server.served.fleet().order(FleetKind::Vm).len();
    let mut session = Session::start(&launch(&server.kubeconfig(folder), folder)).ok()?;
    session.until_text(&complete(count), LONG)?;
    // Its terminal is read meanwhile: a program whose output nobody takes comes to a stop.
    let give_up = Instant::now() + LONG;
    for kind in [FleetKind::Vm, FleetKind::Vmi, FleetKind::DataVolume] {
        while !server.await_watches(kind, 1, Duration::ZERO) && Instant::now() < give_up {
            session.rest(Duration::from_millis(20));
        }
    }
    session.quiet(Duration::from_millis(300), LONG).then_some(session)
}

/// P1: one start against this server, from exec to the first rows on the screen.
pub fn first_rows(server: &mut Cluster, folder: &Path) -> Option<Duration> {
    let mut session = Session::start(&launch(&server.kubeconfig(folder), folder)).ok()?;
    session.until(LONG, has_rows)
}

/// P4: one start against this server until all rows are there: the time from exec, and the cost.
pub fn sync(server: &mut Cluster, folder: &Path) -> Option<(Duration, Usage)> {
    let count = server.served.fleet().order(FleetKind::Vm).len();
    let mut session = Session::start(&launch(&server.kubeconfig(folder), folder)).ok()?;
    let time = session.until_text(&complete(count), LONG)?;
    Some((time, session.usage()))
}

/// P2: the first frame; `floor` is `/bin/true` in milliseconds.
pub fn first_frame(bench: &mut Bench, floor: f64, out: &mut Outcome) {
    let (runs, folder) = (bench.runs() * 3, bench.folder.path().to_owned());
    let server = bench.server(1_000, &[FleetKind::Vm]);
    let kubeconfig = server.kubeconfig(&folder);
    let (mut frames, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let Ok(mut session) = Session::start(&launch(&kubeconfig, &folder)) else { continue };
        frames.extend(session.until_text("v9s Rev", LONG).map(ms));
        rows.extend(session.until(LONG, has_rows).map(ms));
    }
    out.at_most("first frame", floor * 3.0 + 2.0, median(&mut frames), " ms");
    // The server answers at once: what is left is the program's own.
    out.at_most("own share of the first rows", 10.0, median(&mut rows), " ms");
}

// ------------------------------------------------------------------------------------------------ decoding

#[inline(never)]
fn decode_one(kind: FleetKind, object: &[u8]) {
    match kind {
        FleetKind::Vm => drop(black_box(decode_record::<Vm>(black_box(object)).expect("a machine"))),
        FleetKind::Vmi => drop(black_box(decode_record::<Vmi>(black_box(object)).expect("an instance"))),
        FleetKind::DataVolume => {
            drop(black_box(decode_record::<DataVolume>(black_box(object)).expect("a disk")));
        }
        FleetKind::Claim => drop(black_box(decode_record::<Claim>(black_box(object)).expect("a claim"))),
    }
}

/// P3: decoding, with [`crate::skip_object`] on the same objects in turn.
pub fn decode(bench: &mut Bench, kind: FleetKind, objects: &[Vec<u8>], out: &mut Outcome) {
    let time = Duration::from_millis(if bench.quick { 50 } else { 150 });
    let mut skip = || crate::skip_floor(objects, time);
    let mut own = || {
        nanoseconds(time, || objects.iter().for_each(|object| decode_one(kind, object)))
            / objects.len() as f64
    };
    let [floor, time] = crate::in_turn(bench.runs(), [&mut skip, &mut own]);
    let machine = matches!(kind, FleetKind::Vm | FleetKind::Vmi);
    out.note(format!("{}, decoded", kind.short()), format!("{} µs", plain(time / 1000.0)));
    let asked = if machine { 1.6 } else { 2.2 };
    out.at_most(format!("{}, decoded against IgnoredAny", kind.short()), asked, time / floor, " ×");
    let heap = allocation_counter::measure(|| objects.iter().for_each(|object| decode_one(kind, object)));
    let each = heap.count_total as f64 / objects.len() as f64;
    out.at_most(format!("{}, allocations", kind.short()), 0.5, each, "");
    if let Some(count) = crate::instructions_per_object("decode", kind) {
        let what = format!("{}, instructions to decode", kind.short());
        match kind {
            FleetKind::Vm | FleetKind::Vmi => out.at_most(what, 150.0, count / 1000.0, " k"),
            _ => out.note(what, format!("{} k", plain(count / 1000.0))),
        }
    }
}

thread_local! {
    static FRAMES: RefCell<Option<Filled>> = const { RefCell::new(None) };
}

/// Under callgrind: does the work named `what` once; `false` when there is none of this name.
pub fn subject(what: &str, kind: FleetKind, object: &[u8]) -> bool {
    match what {
        "decode" => decode_one(kind, object),
        "frame" | "frame-whole" => FRAMES.with_borrow_mut(|filled| {
            let filled = filled.get_or_insert_with(|| Filled::new(500));
            if what == "frame" {
                let up = filled.app.pane.list.place() > 20;
                filled.press(Key::char(if up { 'g' } else { 'j' }));
                black_box(filled.draw());
            } else {
                black_box(filled.draw_whole());
            }
        }),
        _ => return false,
    }
    true
}

// ------------------------------------------------------------------------------------------------ memory

/// P5: bytes for each record.
pub fn memory(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let fleet = Fleet::new(1, 2_000).running();
    let heap = |work: &mut dyn FnMut()| allocation_counter::measure(work).bytes_current as f64;
    // Words are kept once for the process: those of the fleet are there before anything is counted.
    drop(filled::store(&fleet, &FleetKind::ALL));
    for kinds in [&FleetKind::ALL[..1], &FleetKind::ALL[1..2], &FleetKind::ALL[2..3], &FleetKind::ALL[3..]] {
        let mut store = None;
        let bytes = heap(&mut || store = Some(filled::store(&fleet, kinds)));
        out.note(format!("{} alone", kinds[0].short()), format!("{} B", plain(bytes / 2_000.0)));
    }
    let mut store = None;
    let bytes = heap(&mut || store = Some(filled::store(&fleet, &FleetKind::ALL)));
    out.at_most("each record of four kinds, linked", 180.0, bytes / 8_000.0, " B");
    let mut kept = None;
    let base = heap(&mut || kept = Some(Filled::empty(2_000)));
    let mut kept = None;
    let shown = heap(&mut || {
        let filled = kept.insert(Filled::empty(2_000));
        filled.fill(FleetKind::Vm);
        filled.type_text("/e");
    });
    out.at_most("each shown record, with text and order", 320.0, (shown - base) / 2_000.0, " B");
    let counts: &[(usize, f64)] = match (bench.quick, bench.large) {
        (true, _) => &[],
        (_, false) => &[(10_000, 20.0)],
        (_, true) => &[(10_000, 20.0), (100_000, 100.0)],
    };
    for &(count, asked) in counts {
        let folder = bench.folder.path().to_owned();
        let server = bench.server(count, &FleetKind::ALL);
        match settled(server, &folder) {
            Some(session) => {
                let usage = session.usage();
                out.at_most(
                    format!("vms with instances and disks, {count} each"),
                    asked,
                    mb(usage.resident),
                    " MB",
                );
                out.note(format!("the most of it, {count} each"), format!("{} MB", plain(mb(usage.peak))));
            }
            None => out.skip(format!("the program with {count} of each kind"), "it did not come to rest"),
        }
    }
    out
}

// ------------------------------------------------------------------------------------------------ events

/// P6: events against kubectl's watch.
pub fn events(bench: &mut Bench, kubectl: KubectlWatch, out: &mut Outcome) {
    let count = if bench.quick { 10_000 } else { 40_000 };
    out.at_least("events/s of a core, through to the frame", 50_000.0, through_to_the_frame(count), "");
    let (quick, folder) = (bench.quick, bench.folder.path().to_owned());
    let server = bench.server(1_000, &[FleetKind::Vm, FleetKind::Vmi]);
    let Some(mut session) = settled(server, &folder) else {
        return out.skip("events, the program", "it did not come to rest");
    };
    let mut burst = |count: u64, rate: u64| {
        let (before, begun) = (session.usage(), Instant::now());
        server.begin_events(FleetKind::Vmi, count, rate);
        // The terminal is read meanwhile, as it would be.
        let length = Duration::from_secs_f64(if rate == 0 { 0.3 } else { count as f64 / rate as f64 });
        session.rest(length);
        session.quiet(Duration::from_millis(200), LONG);
        server.end_events();
        // Changes that show nowhere are work, too: it is over when the server has told of everything.
        let mut told = server.stats().bytes_out;
        loop {
            session.quiet(Duration::from_millis(200), LONG);
            match server.stats().bytes_out {
                same if same == told => break,
                more => told = more,
            }
        }
        (session.usage().since(before).cpu.as_secs_f64(), begun.elapsed().as_secs_f64())
    };
    burst(2_000, 0);
    // Changes are made much faster than watches tell of them, and nothing says when a watch has told of the last one.
    out.skip("events/CPU second against kubectl's watch, full speed", "the end of the burst cannot be seen");
    let (cpu, wall) = burst(if quick { 3_000 } else { 10_000 }, 1_000);
    out.at_most("load at 1 000 events/s", 8.0, cpu / wall * 100.0, " %");
    out.at_least("load against kubectl's watch, 1 000 events/s", 8.0, kubectl.load / (cpu / wall), " ×");
}

/// Events of a watch through decoder, store, order and frames of 33 ms: so many a second.
fn through_to_the_frame(count: usize) -> f64 {
    let mut filled = Filled::new(10_000);
    let lines: Vec<Vec<u8>> = (0..2_000)
        .map(|n| filled.fleet.event(FleetKind::Vmi, Change::Modified, n * 37 % 10_000, n as u64 % 7 + 1))
        .collect();
    let feed = filled.feed(FleetKind::Vmi);
    let (mut records, mut dirty, mut drawn) = (Vec::<Vmi>::new(), Draw::No, Instant::now());
    let started = Instant::now();
    for line in lines.iter().cycle().take(count) {
        if let Ok(WatchEvent::Here(decoded)) = read_event::<Vmi>(line) {
            records.push(decoded.record);
        }
        // What arrives in one piece of 256 KiB.
        if records.len() == 32 {
            let batch = Batch::of(feed, 0, std::mem::take(&mut records));
            dirty = dirty.max(filled.tell(Message::Feed(batch)));
        }
        if dirty != Draw::No && drawn.elapsed() >= Duration::from_millis(33) {
            filled.draw();
            (dirty, drawn) = (Draw::No, Instant::now());
        }
    }
    count as f64 / started.elapsed().as_secs_f64()
}

// ------------------------------------------------------------------------------------------------ keys

/// P7: key to bytes.
pub fn keys(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let (count, folder) = (if bench.quick { 10_000 } else { 100_000 }, bench.folder.path().to_owned());
    let server = bench.server(count, &[FleetKind::Vm]);
    let kubeconfig = server.kubeconfig(&folder);
    during_sync(&launch(&kubeconfig, &folder), count, &mut out);
    let Some(mut session) = settled(server, &folder) else {
        out.skip("keys", "the program did not come to rest");
        return out;
    };
    let rounds = if bench.quick { 2 } else { 6 };
    let groups: [(&str, &[&[u8]]); 8] = [
        ("move", &[b"j", b"k", b"\x06", b"\x02", b"G", b"g"]),
        ("sort", &[b"N", b"A", b"S", b"P", b"N", b"N", b"P"]),
        ("first filter", &[b"/", b"e", b"\x1b"]),
        ("filter", &[b"/", b"w", b"i", b"n", b"\x7f", b"\x7f", b"\x7f", b"o", b"r", b"\x1b"]),
        (
            "terms",
            &[
                b"/", b"s", b"t", b"a", b"t", b"e", b":", b"R", b"u", b" ", b"c", b"p", b"u", b">", b"2",
                b"\x1b",
            ],
        ),
        ("regex", &[b"/", b"w", b".", b"*", b"1", b"$", b"\x1b"]),
        ("faults and marks", &[b" ", b"G", b"\x00", b"\x1a", b"\x1a", b"\x1c"]),
        ("move in a filter", &[b"/", b"e", b"\r", b"j", b"G", b"k", b"\x1b"]),
    ];
    let mut all = Vec::new();
    for (name, keys) in groups {
        let mut times = Vec::new();
        for _ in 0..rounds {
            for key in keys {
                times.extend(session.press(key, Duration::from_secs(2)).map(|(time, _)| ms(time)));
            }
        }
        let (middle, worst) = (median(&mut times), percentile(&mut times, 99));
        out.note(format!("{name}, median at {count} rows"), format!("{} ms", plain(middle)));
        out.at_most(format!("{name}, p99 at {count} rows"), 16.7, worst, " ms");
        all.append(&mut times);
    }
    out.at_most(format!("any of these keys, p99 at {count} rows"), 16.7, percentile(&mut all, 99), " ms");
    out
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values
        .get((values.len() * percent / 100).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// Types a filter while the rows come: how long until each letter stands in the prompt.
fn during_sync(launch: &Launch, count: usize, out: &mut Outcome) {
    let mut times = Vec::new();
    for _ in 0..3 {
        let Ok(mut session) = Session::start(launch) else { continue };
        if session.until(LONG, has_rows).is_none() {
            continue;
        }
        session.send(b"/");
        session.until_text("│/ ", LONG);
        let mut typed = String::new();
        let live = complete(count);
        for letter in "prod shop erp web ".chars().cycle().take(400) {
            if session.screen().contains("live") && session.screen().contains(&live) || typed.len() > 100 {
                break;
            }
            typed.push(letter);
            let pressed = session.elapsed();
            session.send(letter.to_string().as_bytes());
            let wanted = format!("│/ {}", typed.trim_end());
            if let Some(shown) = session.until_text(&wanted, Duration::from_secs(2))
                && letter != ' '
            {
                times.push(ms(shown - pressed));
            }
            session.rest(Duration::from_millis(3));
        }
    }
    if times.is_empty() {
        return out.skip("filter during a sync", "the sync was over before a key was pressed");
    }
    let keys = times.len();
    let (middle, worst) = (median(&mut times), percentile(&mut times, 99));
    out.note(format!("filter during a sync, median of {keys} keys"), format!("{} ms", plain(middle)));
    out.at_most(format!("filter during a sync of {count} rows, p99"), 16.7, worst, " ms");
}

// ------------------------------------------------------------------------------------------------ order and filter

fn many(bench: &Bench) -> usize {
    if bench.quick { 10_000 } else { 100_000 }
}

/// P8: filters.
pub fn filters(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let mut filled = Filled::empty(many(bench));
    filled.fill(FleetKind::Vm);
    let now = filled.now;
    // The same text as in the program's own index, for the floor.
    let mut text = String::new();
    let list = &filled.app.pane.list;
    for &id in list.rows() {
        for column in 0..list.view.width() {
            if !["AGE", "IN STATE"].contains(&&*list.view.heading(column).title) {
                list.view.cell(&filled.app.store, id, column, now, &mut text);
                text.push(' ');
            }
        }
        text.push('\n');
    }
    text.make_ascii_lowercase();
    let app = &mut filled.app;
    let built = Instant::now();
    app.pane.list.set_filter(Filter::parse("zzz"), &app.store, now);
    let first = ms(built.elapsed());
    app.pane.list.finish(&app.store, now);
    out.at_most("first letter of a filter, to its first rows", 16.7, first, " ms");
    out.note(
        "text index built",
        format!("{} ms for {} MB", plain(ms(built.elapsed())), plain(mb(text.len() as u64))),
    );
    for word in ["qqq", "prod", "web"] {
        let finder = memchr::memmem::Finder::new(word);
        let mut bare = || {
            nanoseconds(Duration::from_millis(30), || {
                // One hit for each line, as a filter needs.
                let (mut from, mut hits) = (0, 0);
                while let Some(at) = finder.find(&text.as_bytes()[from..]) {
                    hits += 1;
                    from += at;
                    from += memchr::memchr(b'\n', &text.as_bytes()[from..]).unwrap_or(0);
                }
                black_box(hits);
            }) / 1e6
        };
        let mut own = || {
            let mut times = Vec::new();
            for _ in 0..5 {
                // Not narrower than the one before, so every row is looked at.
                app.pane.list.set_filter(Filter::parse("zzz"), &app.store, now);
                let started = Instant::now();
                app.pane.list.set_filter(Filter::parse(word), &app.store, now);
                times.push(ms(started.elapsed()));
            }
            median(&mut times)
        };
        let [bare, own] = crate::in_turn(bench.runs(), [&mut bare, &mut own]);
        let hits = app.pane.list.rows().len();
        out.note(
            format!("{word:?}, {hits} hits"),
            format!("{} ms, bare memmem {} ms", plain(own), plain(bare)),
        );
        out.at_most(format!("{word:?} against bare memmem"), 3.0, own / bare, " ×");
    }
    // Everything else that can be typed, from a filter that lets nothing pass and so narrows nothing.
    for (what, expression, asked) in [
        ("fuzzy", "-f prdwb1", Some(10.0)),
        ("regex", "web.*-[0-9]+7 ", Some(20.0)),
        ("inverse", "!prod", None),
        ("state", "state:Running,Stopped", None),
        ("number", "cpu>2", None),
        ("size", "memory>=8Gi", None),
        ("age", "age<300d", None),
        ("labels", "-l app=web", None),
        ("terms together", "web state:Running cpu>2 memory>=8Gi age<600d -has:agent", None),
    ] {
        let mut times = Vec::new();
        for _ in 0..bench.runs() {
            app.pane.list.set_filter(Filter::parse("zzz"), &app.store, now);
            let started = Instant::now();
            app.pane.list.set_filter(Filter::parse(expression), &app.store, now);
            app.pane.list.finish(&app.store, now);
            times.push(ms(started.elapsed()));
        }
        let hits = app.pane.list.rows().len();
        let what = format!("{what} {expression:?}, {hits} hits");
        match asked {
            Some(asked) => out.at_most(what, asked, median(&mut times), " ms"),
            // Done in turns, between which keys are taken: P7 has how long one waits.
            None => out.note(what, format!("{} ms", plain(median(&mut times)))),
        }
    }
    let mut offers = Vec::new();
    for typed in ["", "state:", "node:", "name:"] {
        let started = Instant::now();
        black_box(v9s::views::complete(typed, typed.len(), &app.pane.list, &app.store, now));
        offers.push(ms(started.elapsed()));
    }
    out.at_most("offers for what is typed, slowest", 16.7, offers.iter().copied().fold(0.0, f64::max), " ms");
    out
}

/// P9: repairing the order.
pub fn reorder(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let count = many(bench);
    let mut filled = Filled::empty(count);
    filled.fill(FleetKind::Vm);
    let columns = ["NAMESPACE", "STATE", "NAME"];
    let mut dice = Dice::new(7);
    for title in columns {
        let app = &mut filled.app;
        let column = app.pane.list.view.column(title).expect("a column of vms");
        if app.pane.list.order().0 != column {
            app.pane.list.sort_by(column, &app.store, filled.now);
        }
        for (changes, asked) in [(1_usize, None), (100, None), (1_000, Some(1.5))] {
            let mut times = Vec::new();
            for round in 0..bench.runs() as u64 * 4 {
                let ids: Vec<Id> = {
                    let all = filled.app.pane.list.rows();
                    (0..changes).map(|_| all[dice.below(all.len() as u64) as usize]).collect()
                };
                let machines = (0..changes).map(|_| dice.below(count as u64) as usize);
                let records = filled::of_machines(&filled.fleet, FleetKind::Vm, machines, round + 1);
                let mut touched = Touched::default();
                let batch = Batch::of(filled.feed(FleetKind::Vm), 0, records);
                filled.app.store.apply(batch, filled.now, &mut touched);
                // Those that look as before are changes too.
                let missing = changes.saturating_sub(touched.ids.len());
                touched.ids.extend(ids.into_iter().take(missing));
                let app = &mut filled.app;
                let started = Instant::now();
                app.pane.list.touched(&touched, &app.store, filled.now);
                times.push(ms(started.elapsed()));
            }
            let what = format!("{changes} changes of {count} rows by {title}");
            match asked {
                Some(asked) => out.at_most(what, asked, median(&mut times), " ms"),
                None => out.note(what, format!("{} ms", plain(median(&mut times)))),
            }
        }
    }
    let other = filled.app.pane.list.view.column("IP").expect("a column of vms");
    for title in ["NAME", "STATE", "AGE", "NAMESPACE", "CPU"] {
        let app = &mut filled.app;
        let column = app.pane.list.view.column(title).expect("a column of vms");
        let mut times = Vec::new();
        for _ in 0..bench.runs() {
            app.pane.list.set_order(other, Dir::Up, &app.store, filled.now);
            let started = Instant::now();
            app.pane.list.set_order(column, Dir::Up, &app.store, filled.now);
            times.push(ms(started.elapsed()));
        }
        out.at_most(format!("{count} rows sorted by {title}"), 16.7, median(&mut times), " ms");
    }
    out
}

// ------------------------------------------------------------------------------------------------ frames

/// P10: one frame.
pub fn frame(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    for (what, name) in [("frame", "the cursor moved"), ("frame-whole", "a whole frame")] {
        match crate::instructions_per_object(what, FleetKind::Vm) {
            Some(count) if what == "frame" => out.at_most(name, 3.5, count / 1e6, " M instructions"),
            Some(count) => out.note(name, format!("{} M instructions", plain(count / 1e6))),
            None => out.skip(name, "no valgrind"),
        }
    }
    let mut filled = Filled::new(many(bench));
    filled.draw();
    let mut step = 0;
    let mut moved = |filled: &mut Filled| {
        step += 1;
        filled.press(Key::char(if step % 2 == 0 { 'k' } else { 'j' }));
    };
    let time = nanoseconds(Duration::from_millis(300), || {
        moved(&mut filled);
        black_box(filled.draw());
    });
    out.note("time of a frame", format!("{} ms", plain(time / 1e6)));
    moved(&mut filled);
    let heap = allocation_counter::measure(|| _ = black_box(filled.draw()));
    out.at_most("allocations of a frame", 10.0, heap.count_total as f64, "");
    out
}

/// P11: bytes written.
pub fn terminal_bytes(_bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let mut filled = Filled::new(2_000);
    let mut add = |what: &str, asked: f64, bytes: usize| out.at_most(what, asked, bytes as f64, " B");
    add("a whole frame", 12_500.0, filled.draw_whole());
    add("nothing changed", 0.0, filled.draw());
    filled.press(Key::char('j'));
    add("the cursor moved", 700.0, filled.draw());
    filled.press(Key::char('G'));
    filled.draw();
    let height = isize::try_from(filled.app.pane.height(SIZE)).unwrap_or(0);
    let list = &mut filled.app.pane.list;
    list.go(v9s::views::Motion::Rows(1 - height), &filled.app.store);
    filled.draw();
    filled.press(Key::char('k'));
    add("scrolled by a line", 9_000.0, filled.draw());
    out
}

// ------------------------------------------------------------------------------------------------ idle

/// P12: idle.
pub fn idle(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let (quick, folder) = (bench.quick, bench.folder.path().to_owned());
    let server = bench.server(if quick { 1_000 } else { 10_000 }, &[FleetKind::Vm, FleetKind::Vmi]);
    let Some(mut session) = settled(server, &folder) else {
        out.skip("idle", "the program did not come to rest");
        return out;
    };
    session.rest(Duration::from_secs(if quick { 1 } else { 12 }));
    let (usage, bytes, served) = (session.usage(), session.bytes(), server.stats());
    let seconds = if quick { 5.0 } else { 30.0 };
    session.rest(Duration::from_secs_f64(seconds));
    let (cost, after) = (session.usage().since(usage), server.stats());
    // A program that has gone costs nothing either.
    if session.ended().is_some() || cost.threads == 0 {
        out.skip("idle", "the program has ended");
        return out;
    }
    out.at_most("wake-ups a second", 0.5, cost.wakeups as f64 / seconds, "");
    out.at_most("CPU", 0.01, cost.cpu.as_secs_f64() / seconds * 100.0, " %");
    out.at_most("bytes to the terminal", 0.0, (session.bytes() - bytes) as f64, "");
    out.at_most("requests to the server", 0.0, (after.requests - served.requests) as f64, "");
    out.at_most(
        "bytes from the server a second",
        100.0,
        (after.bytes_out - served.bytes_out) as f64 / seconds,
        "",
    );
    out
}

// ------------------------------------------------------------------------------------------------ a real server

/// P14, by hand: `goals p14 KUBECONFIG`. The program on all virtual machines of a real API server, beside that server's
/// own time for the same pages.
pub fn real_server(kubeconfig: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let launch = launch(kubeconfig, folder.path());
    // A server that has just started reads everything from its disk first: that pass does not count.
    server_alone(kubeconfig, folder.path());
    let server = server_alone(kubeconfig, folder.path());
    if let Some((count, first, all)) = &server {
        println!("the server alone: {count} machines, first page {first:.1?}, all pages {all:.1?}");
    }
    let live = |session: &Session| session.screen().lines().any(|line| line.contains("] live"));
    for _ in 0..3 {
        let mut session = Session::start(&launch).expect("a program that starts");
        let frame = session.until_text("v9s Rev", LONG).unwrap_or_default();
        let Some(rows) = session.until(LONG, has_rows) else {
            println!("no rows came:\n{}", session.screen());
            return;
        };
        let all = session.until(LONG, live).unwrap_or_default();
        let usage = session.usage();
        session.rest(Duration::from_secs(10));
        let (settled, bytes) = (session.usage(), session.bytes());
        session.rest(Duration::from_secs(10));
        let idle = session.usage().since(settled);
        println!(
            "first frame {frame:.1?}, first rows {rows:.1?}, all rows {all:.1?} ({:.2?} CPU), {:.1} MB after 10 s \
             (peak {:.1}), idle {:.3} % CPU, {:.1} wake-ups/s, {} bytes",
            usage.cpu,
            mb(settled.resident),
            mb(settled.peak),
            idle.cpu.as_secs_f64() * 10.0,
            idle.wakeups as f64 / 10.0,
            session.bytes() - bytes
        );
        if let Some((_, _, server)) = server {
            println!(
                "all rows within {:.2} × of the server's own time",
                all.as_secs_f64() / server.as_secs_f64()
            );
        }
    }
}

/// Machines, time of the first page of 50 and of all pages, each asked for when the one before has come; nothing is
/// parsed but the continue token.
fn server_alone(kubeconfig: &Path, folder: &Path) -> Option<(usize, Duration, Duration)> {
    use v9s::cluster::connect::connect;
    use v9s::cluster::gate::{ContextId, Gate};
    use v9s::cluster::kubeconfig::{self, Flags};
    let flags = Flags { kubeconfig: Some(kubeconfig.to_owned()), ..Flags::default() };
    let configuration = kubeconfig::load(&flags, &|name| std::env::var_os(name), Some(folder)).ok()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    runtime.block_on(async move {
        let gate = Gate::new(true);
        gate.show(ContextId(1));
        let connection = connect(&configuration, None, &flags, ContextId(1), &gate).await.ok()?;
        let started = Instant::now();
        let (mut token, mut count, mut first) = (String::new(), 0, None);
        loop {
            let limit = if first.is_none() { 50 } else { 500 };
            let uri = format!("/apis/kubevirt.io/v1/virtualmachines?limit={limit}&continue={token}");
            let request =
                http::Request::get(uri).header("accept", "application/json").body(Vec::new()).ok()?;
            let answer = connection.send(request, LONG).await.ok()?;
            let body = http_body_util::BodyExt::collect(answer.into_body()).await.ok()?.to_bytes();
            first.get_or_insert_with(|| started.elapsed());
            count += memchr::memmem::find_iter(&body, br#""kind":"VirtualMachine","#).count();
            let key = br#""continue":""#;
            let Some(at) = memchr::memmem::rfind(&body, key) else { break };
            let rest = &body[at + key.len()..];
            token = String::from_utf8_lossy(&rest[..rest.iter().position(|&c| c == b'"')?]).into_owned();
            if token.is_empty() {
                break;
            }
        }
        Some((count, first?, started.elapsed()))
    })
}
