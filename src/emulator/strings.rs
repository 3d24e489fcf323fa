//! Takes strings out of a guest's bytes: `ESC ]` (title, clipboard, colours, links), `ESC P`, `ESC X`, `ESC ^`, `ESC _`.
//!
//! A string ends where terminals let it end: with `ESC \`, with BEL if it is one of `ESC ]`, with CAN or SUB, and with the escape
//! character of another sequence, which counts. A string that is too long is noise on the line, and what comes after it is text.

use memchr::{memchr, memchr3};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;

/// Titles, links and contents of clipboards are shorter.
const LONGEST_OSC: usize = 64 << 10;
/// Pictures are longer than that.
const LONGEST: usize = 1 << 20;

/// What is left of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// To be read.
    Text(&'a [u8]),
    /// Here a string began, and ended what was begun before it.
    Begin,
}

/// What the bytes before were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Outside,
    /// An escape character that was not passed on yet.
    Escape,
    /// In a string, with how much of it may still come.
    Inside { left: usize, bell: bool },
    /// An escape character in a string.
    InsideEscape,
}

/// Takes strings out of bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct Strings {
    state: State,
}

impl Strings {
    /// Gives the bytes that are no part of a string.
    pub(super) fn cut(&mut self, bytes: &[u8], mut give: impl FnMut(Piece<'_>)) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            match self.state {
                State::Outside => {
                    let at = memchr(ESC, rest).unwrap_or(rest.len());
                    if at > 0 {
                        give(Piece::Text(&rest[..at]));
                    }
                    rest = &rest[at..];
                    if !rest.is_empty() {
                        self.state = State::Escape;
                        rest = &rest[1..];
                    }
                }
                State::Escape => match first {
                    b']' | b'P' | b'X' | b'^' | b'_' => {
                        give(Piece::Begin);
                        let bell = first == b']';
                        self.state = State::Inside { left: if bell { LONGEST_OSC } else { LONGEST }, bell };
                        rest = &rest[1..];
                    }
                    ESC => {
                        give(Piece::Text(&[ESC]));
                        rest = &rest[1..];
                    }
                    _ => {
                        give(Piece::Text(&[ESC]));
                        self.state = State::Outside;
                    }
                },
                State::Inside { left, bell } => {
                    let ends = |byte: u8| matches!(byte, ESC | CAN | SUB) || (bell && byte == BEL);
                    let found = if bell {
                        rest.iter().position(|&byte| ends(byte))
                    } else {
                        memchr3(ESC, CAN, SUB, rest)
                    };
                    let at = found.unwrap_or(rest.len());
                    if at >= left {
                        self.state = State::Outside;
                        rest = &rest[left..];
                        continue;
                    }
                    self.state = match rest.get(at) {
                        None => State::Inside { left: left - at, bell },
                        Some(&ESC) => State::InsideEscape,
                        Some(_) => State::Outside,
                    };
                    rest = rest.get(at + 1..).unwrap_or_default();
                }
                State::InsideEscape => {
                    if first == b'\\' {
                        self.state = State::Outside;
                        rest = &rest[1..];
                    } else {
                        self.state = State::Escape;
                    }
                }
            }
        }
    }
}

/// What follows the escape sequence that a text begins with.
pub(super) fn after_sequence(text: &str) -> &str {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        None => "",
        Some((_, '[')) => {
            let end = chars.find(|(_, c)| matches!(c, '@'..='~' | '\x1b'));
            match end {
                None => "",
                Some((at, '\x1b')) => &text[at..],
                Some((at, _)) => &text[at + 1..],
            }
        }
        Some((_, ']' | 'P' | 'X' | '^' | '_')) => {
            let end = chars.find(|(_, c)| matches!(c, '\x07' | '\x1b'));
            match end {
                None => "",
                Some((at, '\x1b')) if text[at + 1..].starts_with('\\') => &text[at + 2..],
                Some((at, '\x1b')) => &text[at..],
                Some((at, _)) => &text[at + 1..],
            }
        }
        // A character set: one more character.
        Some((at, '(' | ')' | '*' | '+' | '#' | ' ' | '%')) => {
            let mut end = text[at + 1..].char_indices();
            let next = end.next().map_or(0, |(_, c)| c.len_utf8());
            &text[at + 1 + next..]
        }
        Some((at, c)) => &text[at + c.len_utf8()..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(pieces: &[&[u8]]) -> String {
        let mut strings = Strings::default();
        let mut out = Vec::new();
        for bytes in pieces {
            strings.cut(bytes, |piece| match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Begin => out.push(b'|'),
            });
        }
        String::from_utf8_lossy(&out).replace('\x1b', "␛")
    }

    #[test]
    fn strings_are_taken_out_however_they_are_cut() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain", "plain"),
            (b"a\x1b[31mb", "a␛[31mb"),
            (b"a\x1b]0;title\x07b", "a|b"),
            (b"a\x1b]52;c;eA==\x1b\\b", "a|b"),
            (b"a\x1bPq#0\x07still\x1b\\b", "a|b"),
            (b"a\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\b", "a|||b"),
            (b"a\x1b]0;never\x18b", "a|b"),
            (b"a\x1b]0;never\x1ab", "a|b"),
            (b"a\x1b]0;never\x1b[1mb", "a|␛[1mb"),
            (b"a\x1b]0;x\x1b]0;y\x07b", "a||b"),
            (b"\x1b\x1b]0;x\x07b", "␛|b"),
            (b"a\x1b(0lqk\x1b(B", "a␛(0lqk␛(B"),
        ];
        for (bytes, want) in cases {
            assert_eq!(left(&[bytes]), *want, "{:?}", String::from_utf8_lossy(bytes));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(left(&single), *want, "byte by byte: {:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_string_without_an_end_ends_nevertheless() {
        let mut bytes = b"\x1b]0;".to_vec();
        bytes.extend(vec![b'x'; LONGEST_OSC]);
        let out = left(&[&bytes, b"login: "]);
        assert!(out.ends_with("login: ") && out.len() < 20, "{out}");
    }

    #[test]
    fn sequences_are_skipped_in_text() {
        for (text, want) in [
            ("\x1b[31mred", "red"),
            ("\x1b]0;t\x07x", "x"),
            ("\x1b]0;t\x1b\\x", "x"),
            ("\x1b(Bx", "x"),
            ("\x1b", ""),
            ("\x1b[", ""),
            ("\x1bcx", "x"),
            ("\x1b(é", ""),
            ("\x1bé!", "!"),
        ] {
            assert_eq!(after_sequence(text), want, "{text:?}");
        }
    }
}
