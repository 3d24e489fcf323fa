//! P13: the console. The emulator alone, and with the pane around it: messages as they come from a stream, a frame each 33 ms.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use v9s::cluster::console::{ConsoleNews, PIECE, State};
use v9s::emulator::Emulator;
use v9s::model::Now;
use v9s::ui::input::Key;
use v9s::ui::message::{Answer, Effect, Message, Question};

use crate::filled::Filled;
use crate::{Bench, Outcome};

/// Frames of a flood come this often.
const FRAME: Duration = Duration::from_millis(33);

/// What guests write: a boot log with colours, and a program that draws its whole screen again and again.
fn streams() -> [(&'static str, Vec<u8>); 2] {
    let mut log = Vec::new();
    for n in 0..2_000 {
        log.extend_from_slice(
            format!(
                "[{:>5}.{n:06}] systemd[1]: \x1b[0;32mStarted\x1b[0m \x1b[1mUnit {n} of the boot\x1b[0m.\r\n",
                n / 9
            )
            .as_bytes(),
        );
    }
    let mut screen = Vec::new();
    for n in 0..40 {
        screen.extend_from_slice(b"\x1b[H");
        for row in 0..40 {
            screen.extend_from_slice(
                format!(
                    "\x1b[{};1H\x1b[3{}m{:>5}\x1b[m root {:>3}.{} \x1b[1m/usr/bin/process-{n}\x1b[m\x1b[K",
                    row + 1,
                    row % 8,
                    n * row,
                    n,
                    row
                )
                .as_bytes(),
            );
        }
    }
    [("a boot log", log), ("a full-screen program", screen)]
}

fn megabytes_a_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// Measures it.
pub fn console(bench: &mut Bench) -> Outcome {
    let mut out = Outcome::default();
    let wanted = if bench.quick { 10_000_000 } else { 100_000_000 };
    for (name, stream) in streams() {
        let rounds = wanted / stream.len() + 1;
        let mut emulator = Emulator::new(120, 40, 10_000);
        let began = Instant::now();
        for _ in 0..rounds {
            for piece in stream.chunks(PIECE) {
                emulator.feed(piece);
            }
        }
        let speed = megabytes_a_second(rounds * stream.len(), began.elapsed());
        out.at_least(format!("the emulator alone, {name}"), 60.0, speed, " MB/s");
    }
    for (name, stream) in streams() {
        match through_the_pane(&stream, wanted) {
            Some((speed, longest)) => {
                out.at_least(format!("through the pane, {name}"), 20.0, speed, " MB/s");
                out.at_most(format!("the longest a key waits meanwhile, {name}"), 16.7, longest, " ms");
            }
            None => out.skip(format!("through the pane, {name}"), "no console was asked for"),
        }
    }
    out
}

/// Megabytes a second, and the longest step in milliseconds.
fn through_the_pane(stream: &[u8], wanted: usize) -> Option<(f64, f64)> {
    let mut filled = Filled::new(10);
    let mut effects = Vec::new();
    filled.app.update(Message::Key(Key::char('s')), Now::read(), &mut effects);
    let ticket = effects.iter().find_map(|effect| match effect {
        Effect::Ask { ticket, question: Question::Console(_), .. } => Some(*ticket),
        _ => None,
    })?;
    let tell = |filled: &mut Filled, news: ConsoleNews| {
        filled.app.update(Message::Answer(ticket, Answer::Console(news)), Now::read(), &mut Vec::new());
    };
    tell(&mut filled, ConsoleNews::State(State::Live { node: "node-1".into(), paused: false, after: None }));
    filled.draw();
    let pieces: Vec<Bytes> = stream.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    let rounds = wanted / stream.len() + 1;
    let (began, mut drawn, mut longest) = (Instant::now(), Instant::now(), Duration::ZERO);
    for _ in 0..rounds {
        for piece in &pieces {
            let step = Instant::now();
            tell(&mut filled, ConsoleNews::Bytes(piece.clone()));
            if drawn.elapsed() >= FRAME {
                filled.draw();
                drawn = Instant::now();
            }
            longest = longest.max(step.elapsed());
        }
    }
    Some((megabytes_a_second(rounds * stream.len(), began.elapsed()), longest.as_secs_f64() * 1e3))
}
