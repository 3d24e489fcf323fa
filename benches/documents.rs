//! P15: how long rules take.

use std::hint::black_box;
use std::time::{Duration, Instant};

use v9s::rules::known::{Known, Options};
use v9s::rules::{LONGEST, MOST_COPIES, Source, judge};

use super::{Bench, Outcome};

/// A workload of average size; `N` is its number.
const WORKLOAD: &str = include_str!("workload.yaml");

/// The best of some runs, in milliseconds: what the machine does besides is not the question.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    let runs = (0..5).map(|_| {
        let began = Instant::now();
        black_box(run());
        began.elapsed()
    });
    runs.min().unwrap_or(Duration::MAX).as_secs_f64() * 1e3
}

fn findings(text: &str) -> usize {
    let source = Source::read(text.as_bytes());
    judge(&source, &[], &Known::default(), &Options::default()).len()
}

/// The documents of one file, read and judged.
pub fn judged(_: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let many: String =
        (0..1000).map(|number| format!("---\n{}", WORKLOAD.replace("-N", &format!("-{number}")))).collect();
    let count = Source::read(many.as_bytes()).documents.len();
    assert_eq!((count, findings(&many)), (1000, 0), "the example is read whole and is good");
    let megabytes = many.len() as f64 / 1e6;
    let read = best(|| Source::read(many.as_bytes()).documents.len());
    out.note(format!("1 000 documents read ({megabytes:.1} MB)"), format!("{read:.0} ms"));
    out.at_most("1 000 documents read and judged", 500.0, best(|| findings(&many)), "ms");
    let bomb = (1..12).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
        format!("{text}a{at}: &a{at} [{}]\n", vec![format!("*a{}", at - 1); 9].join(", "))
    });
    out.at_most(
        format!("a bomb of aliases refused after {MOST_COPIES}"),
        100.0,
        best(|| findings(&bomb)),
        "ms",
    );
    let large = "a: b\n".repeat(LONGEST / 5);
    out.at_most("16 MiB of one key refused", 2_000.0, best(|| findings(&large)), "ms");
    out
}
