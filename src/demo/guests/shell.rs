//! A line that is typed, and the handful of commands that a guest knows.

use std::fmt::Write as _;
use std::time::Duration;

use super::guest::{BOOT, Guest};

/// What came of a byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Nothing that matters yet.
    Nothing,
    /// A line is finished.
    Line(String),
    /// The line was given up.
    Broken,
    /// No line will come any more.
    End,
    /// The screen is to be cleared.
    Screen,
}

/// How much a line holds, in characters.
const LONGEST: usize = 4096;

/// Where in a control sequence the bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    No,
    Begun,
    Sequence(Vec<u8>),
}

/// The line that is being typed.
#[derive(Debug, Default)]
pub(super) struct Editor {
    line: String,
    /// The beginning of a character of several bytes.
    partial: Vec<u8>,
    escape: Escape,
    /// A line feed after a carriage return belongs to it.
    returned: bool,
    history: Vec<String>,
    /// How far back in the history the line is from.
    back: usize,
}

impl Editor {
    /// Keeps a line to come back to.
    pub(super) fn remember(&mut self, line: &str) {
        if !line.trim().is_empty() && self.history.last().is_none_or(|last| last != line) {
            self.history.push(line.to_owned());
            let many = self.history.len().saturating_sub(100);
            self.history.drain(..many);
        }
        self.back = 0;
    }

    /// Takes a byte. What is to be seen of it is written to `out`.
    pub(super) fn take(&mut self, byte: u8, echo: bool, out: &mut Vec<u8>) -> Typed {
        if let Some(done) = self.escaped(byte, echo, out) {
            return done;
        }
        let returned = std::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            0x1b => self.escape = Escape::Begun,
            b'\n' if returned => {}
            b'\r' | b'\n' => {
                out.extend_from_slice(b"\r\n");
                self.partial.clear();
                return Typed::Line(std::mem::take(&mut self.line));
            }
            0x03 => {
                out.extend_from_slice(b"^C\r\n");
                self.line.clear();
                return Typed::Broken;
            }
            0x04 if self.line.is_empty() => return Typed::End,
            0x0c => {
                self.line.clear();
                return Typed::Screen;
            }
            0x08 | 0x7f => self.rub_out(1, echo, out),
            0x15 => self.rub_out(usize::MAX, echo, out),
            0x17 => {
                let kept = self.line.trim_end().rfind(' ').map_or(0, |at| at + 1);
                let word = self.line[kept..].chars().count();
                self.rub_out(word, echo, out);
            }
            0x00..=0x1f => {}
            _ => self.push(byte, echo, out),
        }
        Typed::Nothing
    }

    fn escaped(&mut self, byte: u8, echo: bool, out: &mut Vec<u8>) -> Option<Typed> {
        match (&mut self.escape, byte) {
            (Escape::No, _) => return None,
            (Escape::Begun, b'[' | b'O') => self.escape = Escape::Sequence(Vec::new()),
            (Escape::Begun, _) => self.escape = Escape::No,
            (Escape::Sequence(_), b'A' | b'B') => {
                self.escape = Escape::No;
                let back = if byte == b'A' { self.back + 1 } else { self.back.saturating_sub(1) };
                if back <= self.history.len() {
                    self.back = back;
                    self.rub_out(usize::MAX, echo, out);
                    let line = self.history.len().checked_sub(back).and_then(|at| self.history.get(at));
                    let line = line.filter(|_| back > 0).cloned().unwrap_or_default();
                    out.extend_from_slice(line.as_bytes());
                    self.line = line;
                }
            }
            // What begins and ends a paste is a sequence, too; what is pasted counts as typed.
            (Escape::Sequence(_), 0x40..=0x7e) => self.escape = Escape::No,
            (Escape::Sequence(held), _) if held.len() < 32 => held.push(byte),
            (Escape::Sequence(_), _) => self.escape = Escape::No,
        }
        Some(Typed::Nothing)
    }

    fn push(&mut self, byte: u8, echo: bool, out: &mut Vec<u8>) {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) if self.line.len() + text.len() <= LONGEST => {
                self.line.push_str(text);
                if echo {
                    out.extend_from_slice(text.as_bytes());
                }
                self.partial.clear();
            }
            Err(why) if why.error_len().is_none() => {}
            _ => self.partial.clear(),
        }
    }

    fn rub_out(&mut self, many: usize, echo: bool, out: &mut Vec<u8>) {
        for _ in 0..many {
            let Some(c) = self.line.pop() else { return };
            if echo {
                for _ in 0..crate::text::width(c.encode_utf8(&mut [0; 4])) {
                    out.extend_from_slice(b"\x08 \x08");
                }
            }
        }
    }
}

/// What a command led to.
pub(super) enum Done {
    /// Something was said.
    Said(String),
    /// The user left.
    Left,
    /// The full-screen program starts.
    Program,
    /// So many bytes will be said.
    Flood(usize),
    Reboot,
    PowerOff,
    Crash,
}

const HELP: &[(&str, &str)] = &[
    ("help", "this"),
    ("keys", "a program on the whole screen that says which keys come, and the mouse"),
    ("colors", "all colours"),
    ("ls, cat FILE, echo, date", "as everywhere"),
    ("hostname, whoami, uname, uptime", "who this is, and for how long"),
    ("ip, free, df, ps, dmesg", "what it has"),
    ("stty [rows N cols N | size]", "what the terminal is said to be like"),
    ("flood N", "N megabytes of text"),
    ("clear, exit", ""),
    ("reboot, poweroff, crash", "the end, in three ways"),
];

/// Runs a command line.
pub(super) fn run(line: &str, user: &str, guest: &mut Guest, now: Duration) -> Done {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((&command, rest)) = words.split_first() else { return Done::Said(String::new()) };
    let identity = &guest.identity;
    let up = now.saturating_sub(guest.booted).as_secs();
    let lines = |all: &[&str]| Done::Said(all.iter().map(|line| format!("{line}\r\n")).collect());
    let said = |line: &str| Done::Said(format!("{line}\r\n"));
    match (command, rest) {
        ("help" | "?", _) => {
            let line =
                |(name, about): &(&str, &str)| format!("  {name:<34}{about}").trim_end().to_owned() + "\r\n";
            Done::Said(HELP.iter().map(line).collect())
        }
        ("keys", _) => Done::Program,
        ("colors", _) => Done::Said(colours()),
        ("ls", _) => said("\x1b[1;34metc\x1b[0m  notes.txt"),
        ("cat", ["/etc/hostname"]) | ("hostname", _) => said(&identity.host),
        ("cat", ["/etc/os-release"]) => said(&format!("PRETTY_NAME=\"{}\"", identity.system)),
        ("cat", ["notes.txt"]) => lines(&["This machine is played.", "Grüße, 你好, Здравствуй"]),
        ("cat", [file, ..]) => said(&format!("cat: {file}: No such file or directory")),
        ("echo", _) => said(&rest.join(" ")),
        ("date", _) => said(&jiff::Timestamp::now().strftime("%a %b %e %H:%M:%S UTC %Y").to_string()),
        ("whoami", _) => said(user),
        ("uname", ["-r"]) => said(&identity.kernel),
        ("uname", ["-a"]) => said(&format!("Linux {} {} x86_64 GNU/Linux", identity.host, identity.kernel)),
        ("uname", _) => said("Linux"),
        ("uptime", _) => said(&format!(" up {} min, 1 user", up / 60)),
        ("ip", _) => lines(&[
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536",
            "    inet 127.0.0.1/8 scope host lo",
            "2: enp1s0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400",
            &format!("    inet {}/24 scope global enp1s0", identity.address),
        ]),
        ("free", _) => said(&format!("Mem: {} in all", identity.memory)),
        ("df", _) => {
            lines(&["Filesystem  Size  Used  Avail  Mounted on", "/dev/vda4   9.0G  2.1G   6.9G  /"])
        }
        ("ps", _) => lines(&[
            "  PID TTY      TIME     CMD",
            "    1 ?        00:00:01 systemd",
            " 1042 ttyS0    00:00:00 sh",
        ]),
        ("dmesg", _) => {
            let kernel = BOOT.iter().filter(|(_, line)| line.starts_with("[  "));
            Done::Said(
                kernel
                    .map(|(_, line)| {
                        line.replace("{kernel}", &identity.kernel)
                            .replace("{host}", &identity.host)
                            .replace("{processors}", &identity.processors.to_string())
                            + "\r\n"
                    })
                    .collect(),
            )
        }
        ("stty", ["size"]) => said(&format!("{} {}", guest.size.0, guest.size.1)),
        ("stty", words) if !words.is_empty() => set_size(words, guest),
        ("stty", _) => said(&format!("speed 115200 baud; rows {}; columns {};", guest.size.0, guest.size.1)),
        ("flood", [many]) => match many.parse::<usize>() {
            Ok(many @ 1..=1024) => Done::Flood(many << 20),
            _ => said("flood: how many megabytes, 1 to 1024?"),
        },
        ("clear", _) => Done::Said("\x1b[H\x1b[2J\x1b[3J".to_owned()),
        ("exit" | "logout", _) => Done::Left,
        ("reboot", _) => Done::Reboot,
        ("poweroff" | "shutdown" | "halt", _) => Done::PowerOff,
        ("crash", _) => Done::Crash,
        (unknown, _) => said(&format!("sh: {unknown}: command not found")),
    }
}

fn set_size(words: &[&str], guest: &mut Guest) -> Done {
    let (mut rows, mut columns) = guest.size;
    for pair in words.chunks(2) {
        match (
            pair,
            pair.get(1).and_then(|number| number.parse::<u16>().ok()).filter(|n| (1..=1000).contains(n)),
        ) {
            (["rows", _], Some(number)) => rows = number,
            (["cols" | "columns", _], Some(number)) => columns = number,
            _ => return Done::Said(format!("stty: invalid argument '{}'\r\n", pair.join(" "))),
        }
    }
    guest.size = (rows, columns);
    Done::Said(String::new())
}

fn colours() -> String {
    let mut out = String::new();
    for base in [40, 100] {
        for colour in 0..8 {
            let _ = write!(out, "\x1b[{}m  {colour}  ", base + colour);
        }
        out.push_str("\x1b[0m\r\n");
    }
    for row in 0..6 {
        for colour in 0..36 {
            let _ = write!(out, "\x1b[48;5;{}m ", 16 + row * 36 + colour);
        }
        out.push_str("\x1b[0m\r\n");
    }
    for red in 0..36 {
        let _ = write!(out, "\x1b[48;2;{};80;{}m ", red * 7, 255 - red * 7);
    }
    out + "\x1b[0m \x1b[1mbold\x1b[0m \x1b[3mitalic\x1b[0m \x1b[4munderlined\x1b[0m \x1b[7minverse\x1b[0m\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> (Vec<Typed>, String) {
        let (mut editor, mut out) = (Editor::default(), Vec::new());
        editor.remember("earlier");
        let all = bytes
            .iter()
            .map(|&byte| editor.take(byte, true, &mut out))
            .filter(|typed| *typed != Typed::Nothing);
        (all.collect(), String::from_utf8(out).unwrap())
    }

    #[test]
    fn lines_are_edited() {
        for (bytes, line) in [
            (&b"ls\r"[..], "ls"),
            (b"ls\n", "ls"),
            (b"lx\x7fs\r", "ls"),
            (b"one two\x17three\r", "one three"),
            (b"rubbish\x15ls\r", "ls"),
            ("grüße\u{7f}\r".as_bytes(), "grüß"),
            (b"\x1b[200~ls\x1b[201~\r", "ls"),
            (b"x\x1b[A\r", "earlier"),
            (b"\x1b[A\x1b[B\r", ""),
            (b"\x1bOP\x1b[15~\x1b[<0;1;1Mls\r", "ls"),
            (b"\xffls\r", "ls"),
        ] {
            assert_eq!(typed(bytes).0, [Typed::Line(line.to_owned())], "{bytes:?}");
        }
        assert_eq!(typed(b"ls\r\nls\r\n").0.len(), 2, "a line feed after a carriage return is no line");
        assert_eq!(typed(b"ls\x03").0, [Typed::Broken]);
        assert_eq!(typed(b"\x04").0, [Typed::End]);
        assert_eq!(
            typed("語\u{7f}".as_bytes()).1,
            "語\x08 \x08\x08 \x08",
            "a wide character takes two columns"
        );
    }
}
