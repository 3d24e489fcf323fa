//! Keys, as the program names them.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// A key with what is held down beside it. Shift is part of the character where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Control, alt, and shift for keys that are no characters.
    pub with: KeyModifiers,
}

impl Key {
    /// A key alone.
    pub const fn new(code: KeyCode) -> Self {
        Self { code, with: KeyModifiers::NONE }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::new(KeyCode::Char(c))
    }

    /// A character with control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), with: KeyModifiers::CONTROL }
    }

    /// A character with alt.
    pub const fn alt(c: char) -> Self {
        Self { code: KeyCode::Char(c), with: KeyModifiers::ALT }
    }

    /// Another key with shift.
    pub const fn shift(code: KeyCode) -> Self {
        Self { code, with: KeyModifiers::SHIFT }
    }

    /// The key of an event of the terminal; `None` for releases.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let with = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        Some(match event.code {
            // Plain terminals send ctrl-\ as ctrl-4.
            KeyCode::Char('4') if with == KeyModifiers::CONTROL => Self::ctrl('\\'),
            // The same of ctrl-], ctrl-^ and ctrl-_.
            KeyCode::Char('5') if with == KeyModifiers::CONTROL => Self::ctrl(']'),
            KeyCode::Char('6') if with == KeyModifiers::CONTROL => Self::ctrl('^'),
            KeyCode::Char('7') if with == KeyModifiers::CONTROL => Self::ctrl('_'),
            KeyCode::Char(c) => {
                let c = if with.contains(KeyModifiers::SHIFT) { c.to_ascii_uppercase() } else { c };
                let c = if with.contains(KeyModifiers::CONTROL) { c.to_ascii_lowercase() } else { c };
                Self { code: KeyCode::Char(c), with: with - KeyModifiers::SHIFT }
            }
            KeyCode::BackTab => Self::new(KeyCode::BackTab),
            code => Self { code, with },
        })
    }

    /// The character that the key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.with.is_empty() => Some(c),
            _ => None,
        }
    }
}

/// What the mouse did, and where on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mouse {
    /// What it did.
    pub act: MouseAct,
    /// The column.
    pub x: u16,
    /// The row.
    pub y: u16,
    /// Shift, alt and control, as they are held down beside it.
    pub with: KeyModifiers,
}

/// What a mouse can do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseAct {
    /// The left button was pressed.
    Click,
    /// Another button was pressed: 1 the middle one, 2 the right one.
    Press(u8),
    /// A button was released.
    Release(u8),
    /// The mouse was moved with a button down.
    Drag(u8),
    /// The wheel was turned by so many rows.
    Wheel(isize),
}

/// Rows that one step of the wheel is.
const WHEEL: isize = 3;

impl Mouse {
    /// What an event of the terminal means here; `None` for what means nothing.
    pub fn from_event(event: &MouseEvent) -> Option<Self> {
        let act = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => MouseAct::Click,
            MouseEventKind::Down(button) => MouseAct::Press(number(button)),
            MouseEventKind::Up(button) => MouseAct::Release(number(button)),
            MouseEventKind::Drag(button) => MouseAct::Drag(number(button)),
            MouseEventKind::ScrollUp => MouseAct::Wheel(-WHEEL),
            MouseEventKind::ScrollDown => MouseAct::Wheel(WHEEL),
            _ => return None,
        };
        Some(Self { act, x: event.column, y: event.row, with: event.modifiers })
    }
}

fn number(button: MouseButton) -> u8 {
    match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    }
}

const NAMES: &[(KeyCode, &str)] = &[
    (KeyCode::Enter, "enter"),
    (KeyCode::Esc, "esc"),
    (KeyCode::Tab, "tab"),
    (KeyCode::BackTab, "backtab"),
    (KeyCode::Backspace, "backspace"),
    (KeyCode::Delete, "delete"),
    (KeyCode::Insert, "insert"),
    (KeyCode::Up, "up"),
    (KeyCode::Down, "down"),
    (KeyCode::Left, "left"),
    (KeyCode::Right, "right"),
    (KeyCode::Home, "home"),
    (KeyCode::End, "end"),
    (KeyCode::PageUp, "pgup"),
    (KeyCode::PageDown, "pgdn"),
    (KeyCode::Char(' '), "space"),
];

impl fmt::Display for Key {
    /// As hints show it: `a`, `shift-n`, `ctrl-w`, `pgdn`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.with.contains(held) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::Char(c) if c.is_ascii_uppercase() => write!(f, "shift-{}", c.to_ascii_lowercase()),
            KeyCode::F(n) => write!(f, "f{n}"),
            code => match NAMES.iter().find(|(known, _)| *known == code) {
                Some((_, name)) => f.write_str(name),
                None => match code {
                    KeyCode::Char(c) => write!(f, "{c}"),
                    _ => f.write_str("?"),
                },
            },
        }
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a key")]
pub struct NoKey(String);

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut with = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let prefixes = [
                ("ctrl-", KeyModifiers::CONTROL),
                ("alt-", KeyModifiers::ALT),
                ("shift-", KeyModifiers::SHIFT),
            ];
            let found = prefixes.iter().find(|(name, _)| {
                rest.len() > name.len()
                    && rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
            });
            let Some((name, held)) = found else { break };
            with |= *held;
            rest = &rest[name.len()..];
        }
        let lower = rest.to_ascii_lowercase();
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMES.iter().find(|(_, name)| *name == lower) {
                Some((code, _)) => *code,
                None => lower
                    .strip_prefix('f')
                    .and_then(|n| n.parse().ok())
                    .filter(|n| (1..=64).contains(n))
                    .map(KeyCode::F)
                    .ok_or_else(|| NoKey(text.to_owned()))?,
            },
        };
        let event = KeyEvent::new(code, with);
        Self::from_event(&event).ok_or_else(|| NoKey(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_one_to_one() {
        let cases = [
            ("a", Key::char('a')),
            ("shift-n", Key::char('N')),
            ("N", Key::char('N')),
            ("ctrl-w", Key::ctrl('w')),
            ("Ctrl-W", Key::ctrl('w')),
            ("ctrl-\\", Key::ctrl('\\')),
            ("ctrl-space", Key::ctrl(' ')),
            ("shift-left", Key::shift(KeyCode::Left)),
            ("pgdn", Key::new(KeyCode::PageDown)),
            ("f12", Key::new(KeyCode::F(12))),
            ("-", Key::char('-')),
            ("alt-x", Key { code: KeyCode::Char('x'), with: KeyModifiers::ALT }),
        ];
        for (name, key) in cases {
            assert_eq!(name.parse(), Ok(key), "{name}");
            assert_eq!(key.to_string().parse(), Ok(key), "{key}");
        }
        for name in ["", "hyper-x", "f99", "ctrl-", "shift"] {
            assert!(name.parse::<Key>().is_err(), "{name}");
        }
    }
}
