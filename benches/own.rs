//! The program's own side of the goals. What runs in turn with kubectl gives one
//! figure a call; the others add theirs to the outcome. What is not written yet adds a line that says so.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use crate::fleet::FleetKind;
use crate::pages::Pages;
use crate::process::Usage;
use crate::{Bench, KubectlWatch, Outcome};
use std::path::Path;
use std::time::Duration;

/// Said of what is not written yet.
pub const LATER: &str = "not measured yet";

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_v9s");

/// P1: one start against this server, from exec to the first rows on the screen.
pub fn first_rows(_server: &mut Pages, _folder: &Path) -> Option<Duration> {
    None
}

/// P4: one start against this server until all rows are there: the time from exec, and the cost.
pub fn sync(_server: &mut Pages, _folder: &Path) -> Option<(Duration, Usage)> {
    None
}

/// P2: the first frame; `floor` is `/bin/true` in milliseconds.
pub fn first_frame(_bench: &mut Bench, floor: f64, out: &mut Outcome) {
    out.skip(format!("first frame, ≤ {} ms", crate::plain(floor * 3.0 + 2.0)), LATER);
}

/// P3: decoding, with [`crate::skip_object`] on the same objects in turn.
pub fn decode(_bench: &mut Bench, kind: FleetKind, _objects: &[Vec<u8>], out: &mut Outcome) {
    out.skip(format!("{}, decoded", kind.short()), LATER);
}

/// P3, under callgrind: does the work named `what` once; `false` when there is none of this name.
pub fn subject(_what: &str, _object: &[u8]) -> bool {
    false
}

/// P5: bytes for each record.
pub fn memory(_bench: &mut Bench) -> Outcome {
    later("memory")
}

/// P6: events against kubectl's watch.
pub fn events(_bench: &mut Bench, _kubectl: KubectlWatch, out: &mut Outcome) {
    out.skip("events", LATER);
}

/// P7: key to bytes.
pub fn keys(_bench: &mut Bench) -> Outcome {
    later("keys")
}

/// P8: filters.
pub fn filters(_bench: &mut Bench) -> Outcome {
    later("filters")
}

/// P9: repairing the order.
pub fn reorder(_bench: &mut Bench) -> Outcome {
    later("order")
}

/// P10: one frame.
pub fn frame(_bench: &mut Bench) -> Outcome {
    later("frame")
}

/// P11: bytes written.
pub fn terminal_bytes(_bench: &mut Bench) -> Outcome {
    later("bytes")
}

/// P12: idle.
pub fn idle(_bench: &mut Bench) -> Outcome {
    later("idle")
}

/// P13: the console.
pub fn console(_bench: &mut Bench) -> Outcome {
    later("console")
}

fn later(what: &str) -> Outcome {
    let mut out = Outcome::default();
    out.skip(what, LATER);
    out
}
