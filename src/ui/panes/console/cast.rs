//! Recordings of consoles, in version 2 of asciinema's format: a line of JSON that says how large the screen is, then one for
//! each thing that happened.

use std::time::Duration;

use serde_json::json;

/// A recording that is being made. It makes lines; somebody else writes them.
#[derive(Debug)]
pub(super) struct Cast {
    began: std::time::Instant,
    size: (u16, u16),
    /// The beginning of a character whose end has not come yet.
    rest: Vec<u8>,
}

impl Cast {
    /// Begins one, with its first line. `unix` is the time in seconds since 1970.
    pub(super) fn begin(
        size: (u16, u16),
        title: &str,
        unix: i64,
        began: std::time::Instant,
    ) -> (Self, String) {
        let head = json!({
            "version": 2, "width": size.0, "height": size.1, "timestamp": unix, "title": title,
            "env": {"TERM": "xterm-256color"},
        });
        (Self { began, size, rest: Vec::new() }, format!("{head}\n"))
    }

    /// The lines for bytes that came at a time, on a screen of this size.
    pub(super) fn take(&mut self, bytes: &[u8], size: (u16, u16), now: std::time::Instant) -> String {
        let seconds = now.saturating_duration_since(self.began);
        let mut out = String::new();
        if size != self.size {
            self.size = size;
            out.push_str(&line(seconds, "r", &format!("{}x{}", size.0, size.1)));
        }
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&all) {
            Ok(_) => all.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // What is no UTF-8 is replaced; only its last bytes may become a character yet.
            Err(_) => all.len() - begun(&all),
        };
        self.rest = all.split_off(end);
        if !all.is_empty() {
            out.push_str(&line(seconds, "o", &String::from_utf8_lossy(&all)));
        }
        out
    }
}

/// How many bytes at the end may be the beginning of a character.
fn begun(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    let first = (tail..bytes.len()).find(|&at| {
        std::str::from_utf8(&bytes[at..])
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    });
    first.map_or(0, |at| bytes.len() - at)
}

fn line(at: Duration, what: &str, text: &str) -> String {
    // Microseconds are what players read.
    let seconds = (at.as_secs_f64() * 1e6).round() / 1e6;
    format!("{}\n", json!([seconds, what, text]))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_recording_is_lines_that_players_read() {
        let began = Instant::now();
        let (mut cast, head) = Cast::begin((80, 24), "shop/web", 1_700_000_000, began);
        let head: serde_json::Value = serde_json::from_str(&head).unwrap();
        assert_eq!(
            (&head["version"], &head["width"], &head["timestamp"]),
            (&json!(2), &json!(80), &json!(1_700_000_000))
        );
        let later = began + Duration::from_millis(1500);
        assert_eq!(cast.take(b"a\x1b[1m\"\xe6\x9d", (80, 24), later), "[1.5,\"o\",\"a\\u001b[1m\\\"\"]\n");
        // The size stands before what is written at it; a character comes whole.
        assert_eq!(cast.take(b"\xb1", (100, 30), later), "[1.5,\"r\",\"100x30\"]\n[1.5,\"o\",\"東\"]\n");
        assert_eq!(cast.take(b"\xff\xe6", (100, 30), later), "[1.5,\"o\",\"\u{fffd}\"]\n");
        assert_eq!(cast.take(b"x", (100, 30), later), "[1.5,\"o\",\"\u{fffd}x\"]\n");
        assert_eq!(cast.take(b"", (100, 30), later), "");
    }
}
