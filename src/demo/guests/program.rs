//! A program on the whole screen of a guest's terminal: it says which keys come, and where the mouse is.

use std::fmt::Write as _;
use std::time::Duration;

/// What the terminal is asked for: another screen, no cursor, reports of the mouse, marked pastes; and for the opposite.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1h";
const LEAVE: &str = "\x1b[?1l\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?25h\x1b[?1049l";

/// How many keys are shown.
const KEPT: usize = 8;

/// The program. `q` ends it.
pub(super) struct Program {
    began: Duration,
    seconds: u64,
    size: (u16, u16),
    /// The bytes of a sequence that has begun.
    held: Vec<u8>,
    keys: Vec<String>,
}

impl Program {
    /// Takes the screen.
    pub(super) fn start(now: Duration, size: (u16, u16), out: &mut Vec<u8>) -> Self {
        let program = Self { began: now, seconds: 0, size, held: Vec::new(), keys: Vec::new() };
        out.extend_from_slice(ENTER.as_bytes());
        program.draw(out);
        program
    }

    /// When its clock goes on.
    pub(super) fn next(&self) -> Option<Duration> {
        Some(self.began + Duration::from_secs(self.seconds + 1))
    }

    /// Lets its clock go on.
    pub(super) fn tick(&mut self, now: Duration, size: (u16, u16), out: &mut Vec<u8>) {
        let seconds = now.saturating_sub(self.began).as_secs();
        if seconds != self.seconds || size != self.size {
            (self.seconds, self.size) = (seconds, size);
            self.draw(out);
        }
    }

    /// Takes a byte; says whether the program is over.
    pub(super) fn take(&mut self, byte: u8, size: (u16, u16), out: &mut Vec<u8>) -> bool {
        self.size = size;
        self.held.push(byte);
        let Some(key) = name(&self.held) else {
            self.held.truncate(64);
            return false;
        };
        self.held.clear();
        if key == "q" {
            out.extend_from_slice(LEAVE.as_bytes());
            return true;
        }
        self.keys.push(key);
        let many = self.keys.len().saturating_sub(KEPT);
        self.keys.drain(..many);
        self.draw(out);
        false
    }

    fn draw(&self, out: &mut Vec<u8>) {
        let (rows, columns) = (usize::from(self.size.0.max(3)), usize::from(self.size.1.max(20)));
        let mut text = String::from("\x1b[H\x1b[0;37;44m\x1b[2J");
        let inner = columns - 2;
        let _ = write!(text, "\x1b[1;1H┌{}┐", "─".repeat(inner));
        for row in 2..rows {
            let _ = write!(text, "\x1b[{row};1H│\x1b[{row};{columns}H│");
        }
        let _ = write!(text, "\x1b[{rows};1H└{}┘", "─".repeat(inner));
        let _ = write!(text, "\x1b[1;3H\x1b[1;33m keys \x1b[0;37;44m");
        let lines = [
            format!("{rows} rows, {columns} columns, for {} s", self.seconds),
            "wide: 漢字 コンソール 한국어".to_owned(),
            "Any key, the mouse, a paste; q leaves.".to_owned(),
        ];
        for (line, row) in lines.iter().zip(3..rows) {
            let _ = write!(text, "\x1b[{row};4H{line}");
        }
        for (key, row) in self.keys.iter().rev().zip(7..rows) {
            let _ = write!(text, "\x1b[{row};6H\x1b[1;32m{key}\x1b[0;37;44m");
        }
        text.push_str("\x1b[0m");
        out.extend_from_slice(text.as_bytes());
    }
}

/// What a terminal sends for a key or the mouse, by name; nothing while more has to come.
fn name(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let named = match bytes {
        [0x1b] | [0x1b, b'[' | b'O'] => return None,
        [0x1b, b'[', rest @ ..] => {
            let last = rest.last().copied().unwrap_or_default();
            if !(0x40..=0x7e).contains(&last) {
                return None;
            }
            match rest {
                b"A" => "up".to_owned(),
                b"B" => "down".to_owned(),
                b"C" => "right".to_owned(),
                b"D" => "left".to_owned(),
                b"H" => "home".to_owned(),
                b"F" => "end".to_owned(),
                b"5~" => "page up".to_owned(),
                b"6~" => "page down".to_owned(),
                b"15~" => "F5".to_owned(),
                b"200~" => "a paste begins".to_owned(),
                b"201~" => "a paste ends".to_owned(),
                [b'<', ..] => format!("mouse {}", &text[3..]),
                _ => format!("sequence {}", &text[2..]),
            }
        }
        [0x1b, b'O', last] => match last {
            b'A' => "up (application)".to_owned(),
            b'B' => "down (application)".to_owned(),
            b'C' => "right (application)".to_owned(),
            b'D' => "left (application)".to_owned(),
            b'P'..=b'S' => format!("F{}", last - b'P' + 1),
            _ => format!("sequence {}", &text[1..]),
        },
        [0x1b, rest @ ..] => match std::str::from_utf8(rest) {
            Ok(key) => format!("alt-{key}"),
            Err(why) if why.error_len().is_none() && rest.len() < 4 => return None,
            Err(_) => "bytes that are no text".to_owned(),
        },
        b"\r" => "enter".to_owned(),
        b"\t" => "tab".to_owned(),
        [0x7f] => "backspace".to_owned(),
        [control @ 0..=0x1f] => format!("ctrl-{}", char::from(control | 0x60)),
        _ => match std::str::from_utf8(bytes) {
            Ok(key) => key.to_owned(),
            Err(why) if why.error_len().is_none() && bytes.len() < 4 => return None,
            Err(_) => "bytes that are no text".to_owned(),
        },
    };
    // What is said must not be a control sequence itself.
    Some(crate::text::clean(&named).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        for (bytes, want) in [
            (&b"a"[..], Some("a")),
            ("ü".as_bytes(), Some("ü")),
            (&"ü".as_bytes()[..1], None),
            (b"\x1b", None),
            (b"\x1b[", None),
            (b"\x1b[A", Some("up")),
            (b"\x1bOA", Some("up (application)")),
            (b"\x1bOP", Some("F1")),
            (b"\x1b[15~", Some("F5")),
            (b"\x1b[<0;10;5M", Some("mouse 0;10;5M")),
            (b"\x1b[<0;10", None),
            (b"\x1bx", Some("alt-x")),
            (b"\x03", Some("ctrl-c")),
            (b"\xff", Some("bytes that are no text")),
        ] {
            assert_eq!(name(bytes).as_deref(), want, "{bytes:?}");
        }
    }

    #[test]
    fn the_screen_is_taken_and_given_back() {
        let mut out = Vec::new();
        let mut program = Program::start(Duration::ZERO, (24, 80), &mut out);
        assert!(
            String::from_utf8(std::mem::take(&mut out)).unwrap().contains("24 rows, 80 columns, for 0 s")
        );
        program.tick(Duration::from_secs(2), (30, 100), &mut out);
        assert!(
            String::from_utf8(std::mem::take(&mut out)).unwrap().contains("30 rows, 100 columns, for 2 s")
        );
        assert!(!program.take(b'x', (30, 100), &mut out));
        out.clear();
        assert!(program.take(b'q', (30, 100), &mut out));
        assert_eq!(out, LEAVE.as_bytes());
    }
}
