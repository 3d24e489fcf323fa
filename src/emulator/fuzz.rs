//! Whatever a guest writes, and whatever is done meanwhile: nothing panics, no cell is a control character, nothing grows.
//!
//! `cargo test` replays `corpus.txt`, one input a line, and a few hundred seeded ones. `V9S_FUZZ_SECONDS=600` makes it go on for so
//! long; what it finds is printed as a line for the corpus.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::input::{Act, Code, Held};
use super::search::Needle;
use super::*;

const CORPUS: &str = include_str!("corpus.txt");

/// Pieces that mean something, alone or after one another.
const PIECES: &[&str] = &[
    "\x1b",
    "[",
    "]",
    "?",
    ";",
    ":",
    "h",
    "l",
    "m",
    "H",
    "J",
    "K",
    "L",
    "M",
    "P",
    "S",
    "T",
    "X",
    "@",
    "b",
    "c",
    "d",
    "g",
    "n",
    "r",
    "t",
    "q",
    "0",
    "1",
    "2",
    "7",
    "8",
    "9",
    "20",
    "65535",
    "4294967295",
    "99999999999999999999",
    "1000",
    "1002",
    "1003",
    "1005",
    "1006",
    "1007",
    "1047",
    "1048",
    "1049",
    "2004",
    "2026",
    "\x1b[",
    "\x1b[?",
    "\x1b]",
    "\x1bP",
    "\x1b_",
    "\x1b^",
    "\x1bX",
    "\x1b\\",
    "\x07",
    "\x18",
    "\x1a",
    "\x1b(0",
    "\x1b(B",
    "\x1b)0",
    "\x0e",
    "\x0f",
    "\x1bc",
    "\x1bD",
    "\x1bE",
    "\x1bM",
    "\x1bH",
    "\x1b7",
    "\x1b8",
    "\x1b#8",
    "\x1b=",
    "\x1b>",
    "\r",
    "\n",
    "\t",
    "\x08",
    "\x0b",
    "\x0c",
    "\0",
    " ",
    "x",
    "login: ",
    "東",
    "\u{301}",
    "\u{200d}",
    "\u{fe0f}",
    "👩",
    "🇩",
    "\u{202e}",
    "\u{9b}",
    "\u{9d}",
    "\u{a0}",
    "\u{ad}",
    "\u{e0001}",
    "\u{10ffff}",
    "\x1b[38;2;1;2;3m",
    "\x1b[48:5:9m",
    "\x1b[4:3m",
    "\x1b[58;5;1m",
    "\x1b[2;5r",
    "\x1b[?6h",
    "\x1b[?7l",
    "\x1b[4h",
    "\x1b[?3h",
    "\x1b[1;1H",
    "\x1b[999;999H",
    "\x1b[?1049h",
    "\x1b[?1049l",
];

/// An input: bytes with what is done between them, as bytes themselves, so that it is one line of the corpus.
fn made(random: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(1..120) {
        match random.u8(0..20) {
            0 => bytes.push(random.u8(..)),
            1 => bytes.extend((0..random.usize(0..40)).map(|_| random.u8(b' '..=b'~'))),
            // Told apart from what a guest writes by `act`.
            2 => bytes.extend([0xf8, random.u8(..), random.u8(..)]),
            _ => bytes.extend(PIECES[random.usize(..PIECES.len())].as_bytes()),
        }
    }
    bytes
}

/// Does what a person may do, by two numbers.
fn act(emulator: &mut Emulator, what: u8, how: u8) {
    let place = Place { row: u16::from(how) % 40, column: u16::from(how) };
    match what % 14 {
        0 => _ = emulator.resize(u16::from(how), u16::from(what)),
        1 => emulator.scroll(Scroll::Lines(i32::from(how) - 128)),
        2 => emulator.scroll(Scroll::Top),
        3 => emulator.scroll(Scroll::Bottom),
        4 => emulator.select_from(place, how & 1 == 0),
        5 => emulator.select_to(place),
        6 => emulator.note("a note"),
        7 => emulator.end_session(),
        8 => emulator.clear(),
        9 => {
            if let Some(mut needle) = Needle::new(if how & 1 == 0 { "x" } else { "東" }) {
                emulator.hits(&mut needle);
                emulator.find(&mut needle, place, how & 2 == 0);
                emulator.count(&mut needle, place);
            }
        }
        10 => _ = emulator.mouse(Act::Press(how), place, Held::default()),
        11 => _ = emulator.key(Code::Function(how), Held::default()),
        12 => emulator.backlog("before \x1b[1mand \x1b]0;"),
        _ => emulator.scroll(Scroll::Pages(i32::from(how) - 128)),
    }
}

/// Feeds an input and looks whether all is as it has to be.
fn check(input: &[u8]) {
    let mut emulator = Emulator::new(20, 6, 50);
    for (at, part) in input.split(|&byte| byte == 0xf8).enumerate() {
        let part = match part {
            [what, how, rest @ ..] if at > 0 => {
                act(&mut emulator, *what, *how);
                rest
            }
            part => part,
        };
        let answers = emulator.feed(part);
        assert!(answers.len() <= MOST_ANSWERS);
        assert!(answers.iter().all(|byte| matches!(byte, 0x1b | b' '..=b'~')), "{answers:?}");
    }
    let (columns, rows) = emulator.size();
    let mut before = None;
    for cell in emulator.cells() {
        assert!(!cell.character.is_control() && cell.marks.len() <= MOST_MARKS, "{cell:?}");
        let text: String = std::iter::once(cell.character).chain(cell.marks.iter().copied()).collect();
        assert_eq!(crate::text::clean(&text), text);
        assert!(cell.row < rows && cell.column < columns, "{cell:?}");
        assert!(before < Some((cell.row, cell.column)));
        before = Some((cell.row, cell.column));
    }
    if let Some(cursor) = emulator.cursor() {
        assert!(cursor.row < rows && cursor.column < columns);
    }
    assert!(emulator.lines_above() <= 50);
    let text = emulator.text();
    assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()), "{text:?}");
    if let Some(text) = emulator.selected() {
        assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()), "{text:?}");
    }
}

fn line_of(input: &[u8]) -> String {
    input.escape_ascii().to_string()
}

fn bytes_of(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = line.bytes();
    while let Some(byte) = chars.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match chars.next() {
            Some(b'x') => {
                let digits = [chars.next().unwrap(), chars.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            Some(b'r') => bytes.push(b'\r'),
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(other) => bytes.push(other),
            None => panic!("a line that ends in the middle: {line}"),
        }
    }
    bytes
}

#[test]
fn the_corpus_is_harmless() {
    for line in CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let input = bytes_of(line);
        assert_eq!(bytes_of(&line_of(&input)), input);
        let checked = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(checked.is_ok(), "{line}");
    }
}

#[test]
fn anything_is_harmless() {
    let seconds = std::env::var("V9S_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut seed = 0;
    while seed < 300 || Instant::now() < until {
        let input = made(&mut Rng::with_seed(seed));
        let checked = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(checked.is_ok(), "seed {seed}, a line for the corpus:\n{}", line_of(&input));
        seed += 1;
    }
    println!("{seed} inputs");
}
