//! What is typed, pasted and done with the mouse, as bytes that a guest's program reads. As xterm sends them, but for the keypad: its
//! keys come as those that they stand for, so its application mode makes no difference.

use alacritty_terminal::term::TermMode;

use super::{Emulator, Place};

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A character.
    Char(char),
    /// Enter.
    Enter,
    /// The tabulator.
    Tab,
    /// The tabulator backwards.
    BackTab,
    /// Backspace.
    Backspace,
    /// Escape.
    Escape,
    /// The cursor.
    Up,
    /// The cursor.
    Down,
    /// The cursor.
    Left,
    /// The cursor.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Insert.
    Insert,
    /// Delete.
    Delete,
    /// A function key, from 1 on.
    Function(u8),
}

/// What is held down beside a key or the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Shift; part of the character where there is one.
    pub shift: bool,
    /// Alt.
    pub alt: bool,
    /// Control.
    pub control: bool,
}

impl Held {
    /// The number that xterm adds to a key; 1 is none.
    fn number(self) -> u8 {
        1 + u8::from(self.shift) + 2 * u8::from(self.alt) + 4 * u8::from(self.control)
    }
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// A button went down: 0 left, 1 middle, 2 right.
    Press(u8),
    /// It went up.
    Release(u8),
    /// The mouse moved while it was down.
    Drag(u8),
    /// The wheel, one step up.
    WheelUp,
    /// The wheel, one step down.
    WheelDown,
}

/// A place beyond this cannot be told in the oldest way of telling.
const LAST_OLD_PLACE: u16 = 222;

impl Emulator {
    /// The bytes of a key; nothing for keys that send none.
    pub fn key(&self, code: Code, held: Held) -> Vec<u8> {
        let mode = self.term.mode();
        let application = mode.contains(TermMode::APP_CURSOR);
        let mut bytes = match code {
            Code::Char(c) => return character(c, held),
            Code::Enter if mode.contains(TermMode::LINE_FEED_NEW_LINE) => b"\r\n".to_vec(),
            Code::Enter => b"\r".to_vec(),
            Code::Tab => b"\t".to_vec(),
            Code::BackTab => return b"\x1b[Z".to_vec(),
            Code::Backspace if held.control => b"\x08".to_vec(),
            Code::Backspace => b"\x7f".to_vec(),
            Code::Escape => b"\x1b".to_vec(),
            Code::Up => return letter(b'A', held, application),
            Code::Down => return letter(b'B', held, application),
            Code::Right => return letter(b'C', held, application),
            Code::Left => return letter(b'D', held, application),
            Code::Home => return letter(b'H', held, application),
            Code::End => return letter(b'F', held, application),
            Code::Insert => return number(2, held),
            Code::Delete => return number(3, held),
            Code::PageUp => return number(5, held),
            Code::PageDown => return number(6, held),
            Code::Function(n) => return function(n, held),
        };
        if held.alt {
            bytes.insert(0, 0x1b);
        }
        bytes
    }

    /// The bytes of a text that is pasted. What would end the paste or be a key of its own is left out.
    pub fn paste(&self, text: &str) -> Vec<u8> {
        let brackets = self.term.mode().contains(TermMode::BRACKETED_PASTE);
        let mut bytes = Vec::with_capacity(text.len() + 12);
        if brackets {
            bytes.extend_from_slice(b"\x1b[200~");
        }
        let mut before = ' ';
        for c in text.chars() {
            match c {
                '\n' if before == '\r' => {}
                '\n' | '\r' => bytes.push(b'\r'),
                '\t' => bytes.push(b'\t'),
                c if c.is_control() => {}
                c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            before = c;
        }
        if brackets {
            bytes.extend_from_slice(b"\x1b[201~");
        }
        bytes
    }

    /// Whether the guest's program wants to know what the mouse does.
    pub fn wants_mouse(&self) -> bool {
        self.term.mode().intersects(TermMode::MOUSE_MODE)
    }

    /// The bytes that tell a guest's program of the mouse; none if it does not want to know. The wheel moves the cursor of a
    /// program that has the whole screen.
    pub fn mouse(&self, act: Act, place: Place, held: Held) -> Option<Vec<u8>> {
        let mode = self.term.mode();
        if !self.wants_mouse() {
            let scrolls = mode.contains(TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL);
            let code = match act {
                Act::WheelUp => Code::Up,
                Act::WheelDown => Code::Down,
                _ => return None,
            };
            return scrolls.then(|| self.key(code, Held::default()).repeat(3));
        }
        if matches!(act, Act::Drag(_)) && !mode.intersects(TermMode::MOUSE_DRAG | TermMode::MOUSE_MOTION) {
            return Some(Vec::new());
        }
        let beside = 4 * u8::from(held.shift) + 8 * u8::from(held.alt) + 16 * u8::from(held.control);
        let button = match act {
            Act::Press(button) | Act::Release(button) => button.min(2),
            Act::Drag(button) => 32 + button.min(2),
            Act::WheelUp => 64,
            Act::WheelDown => 65,
        } + beside;
        let released = matches!(act, Act::Release(_));
        let Place { row, column } = place;
        if mode.contains(TermMode::SGR_MOUSE) {
            let end = if released { 'm' } else { 'M' };
            let (x, y) = (u32::from(column) + 1, u32::from(row) + 1);
            return Some(format!("\x1b[<{button};{x};{y}{end}").into_bytes());
        }
        let button = if released { 3 + beside } else { button };
        let mut bytes = vec![0x1b, b'[', b'M', 32 + button];
        for at in [column, row] {
            if mode.contains(TermMode::UTF8_MOUSE) {
                let c = char::from_u32(33 + u32::from(at)).filter(|&c| c < '\u{800}')?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                bytes.push(33 + u8::try_from(at).ok().filter(|_| at <= LAST_OLD_PLACE)?);
            }
        }
        Some(bytes)
    }
}

fn character(c: char, held: Held) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(5);
    if held.alt {
        bytes.push(0x1b);
    }
    let control = match c {
        _ if !held.control => None,
        'a'..='z' => Some(c as u8 - b'a' + 1),
        '@'..='_' => Some(c as u8 - b'@'),
        ' ' | '2' => Some(0),
        '3'..='7' => Some(c as u8 - b'3' + 0x1b),
        '8' | '?' => Some(0x7f),
        '/' => Some(0x1f),
        '~' | '`' => Some(0x1e),
        _ => None,
    };
    match control {
        Some(byte) => bytes.push(byte),
        None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
    bytes
}

fn letter(letter: u8, held: Held, application: bool) -> Vec<u8> {
    match held.number() {
        1 if application => vec![0x1b, b'O', letter],
        1 => vec![0x1b, b'[', letter],
        number => format!("\x1b[1;{number}{}", char::from(letter)).into_bytes(),
    }
}

fn number(key: u8, held: Held) -> Vec<u8> {
    match held.number() {
        1 => format!("\x1b[{key}~").into_bytes(),
        number => format!("\x1b[{key};{number}~").into_bytes(),
    }
}

fn function(n: u8, held: Held) -> Vec<u8> {
    const NUMBERS: [u8; 16] = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];
    match n {
        1..=4 => {
            let end = b'P' + n - 1;
            match held.number() {
                1 => vec![0x1b, b'O', end],
                number => format!("\x1b[1;{number}{}", char::from(end)).into_bytes(),
            }
        }
        _ => match NUMBERS.get(usize::from(n).wrapping_sub(5)) {
            Some(&key) => number(key, held),
            None => Vec::new(),
        },
    }
}
