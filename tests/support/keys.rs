//! The key notation of the tests, and the bytes that a terminal sends for it.
//!
//! | Written | Key |
//! |---|---|
//! | `⏎ ⎋ ⇥ ⌫ ␣` | enter, esc, tab, backspace, space |
//! | `↑ ↓ ← → ⇞ ⇟ ⇱ ⇲` | arrows, page up and down, home, end |
//! | `<ctrl-c> <shift-left> <alt-x> <f1> <del> <ins> <shift-tab>` | as named; modifiers add up, as in `<ctrl-shift-up>` |
//! | `<lt>` | `<` itself |
//! | everything else | as typed |

/// What is sent for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the bytes would mean something else together with the next key:
    /// the program has to read them first. This is so for esc.
    pub alone: bool,
}

/// Returns the strokes that a text in key notation means. `application` says
/// whether the program has switched the cursor keys to application mode.
///
/// # Panics
///
/// When a name in angle brackets is not a key.
pub fn strokes(notation: &str, application: bool) -> Vec<Stroke> {
    let mut strokes = Vec::new();
    let mut rest = notation;
    while let Some(key) = rest.chars().next() {
        rest = &rest[key.len_utf8()..];
        let name = match key {
            '<' => {
                let Some((name, after)) = rest.split_once('>') else {
                    panic!("No > ends the key in {notation:?}; write <lt> for the character <.");
                };
                rest = after;
                name.to_owned()
            }
            '⏎' => "enter".into(),
            '⎋' => "esc".into(),
            '⇥' => "tab".into(),
            '⌫' => "backspace".into(),
            '␣' => "space".into(),
            '↑' => "up".into(),
            '↓' => "down".into(),
            '←' => "left".into(),
            '→' => "right".into(),
            '⇞' => "pageup".into(),
            '⇟' => "pagedown".into(),
            '⇱' => "home".into(),
            '⇲' => "end".into(),
            other => {
                strokes.push(typed(other.to_string().into_bytes()));
                continue;
            }
        };
        let Some(stroke) = named(&name, application) else {
            panic!("There is no key <{name}>, in {notation:?}.");
        };
        strokes.push(stroke);
    }
    strokes
}

fn typed(bytes: Vec<u8>) -> Stroke {
    Stroke { bytes, alone: false }
}

fn named(name: &str, application: bool) -> Option<Stroke> {
    let (mut shift, mut alt, mut ctrl) = (false, false, false);
    let mut key = name;
    loop {
        let (flag, rest) = if let Some(rest) = key.strip_prefix("shift-") {
            (&mut shift, rest)
        } else if let Some(rest) = key.strip_prefix("alt-") {
            (&mut alt, rest)
        } else if let Some(rest) = key.strip_prefix("ctrl-") {
            (&mut ctrl, rest)
        } else {
            break;
        };
        *flag = true;
        key = rest;
    }
    let modifiers = u8::from(shift) + 2 * u8::from(alt) + 4 * u8::from(ctrl);

    let letter = |letter: char| match (modifiers, application) {
        (0, true) => format!("\x1bO{letter}"),
        (0, false) => format!("\x1b[{letter}"),
        _ => format!("\x1b[1;{}{letter}", modifiers + 1),
    };
    let number = |number: u8| match modifiers {
        0 => format!("\x1b[{number}~"),
        _ => format!("\x1b[{number};{}~", modifiers + 1),
    };
    let sequence = match key {
        "up" => letter('A'),
        "down" => letter('B'),
        "right" => letter('C'),
        "left" => letter('D'),
        "home" => letter('H'),
        "end" => letter('F'),
        "ins" => number(2),
        "del" => number(3),
        "pageup" => number(5),
        "pagedown" => number(6),
        "tab" if shift => "\x1b[Z".into(),
        _ => match key.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()) {
            // The first four come from another time than the others.
            Some(n @ 1..=4) => {
                let last = char::from(b'P' + n - 1);
                match modifiers {
                    0 => format!("\x1bO{last}"),
                    _ => letter(last),
                }
            }
            Some(n @ 5..=12) => number([15, 17, 18, 19, 20, 21, 23, 24][usize::from(n) - 5]),
            _ => return plain(key, shift, alt, ctrl),
        },
    };
    Some(typed(sequence.into_bytes()))
}

/// A key that is one character, whatever is held with it.
fn plain(key: &str, shift: bool, alt: bool, ctrl: bool) -> Option<Stroke> {
    let mut character = match key {
        "enter" => '\r',
        "esc" => '\x1b',
        "tab" => '\t',
        "backspace" => '\x7f',
        "space" => ' ',
        "lt" => '<',
        _ => {
            let mut characters = key.chars();
            let first = characters.next()?;
            if characters.next().is_some() {
                return None;
            }
            first
        }
    };
    if shift {
        character = character.to_ascii_uppercase();
    }
    if ctrl {
        character = match character {
            '@'..='_' | 'a'..='z' => char::from(character as u8 & 0x1f),
            ' ' => '\0',
            '/' => '\x1f',
            _ => return None,
        };
    }
    let mut bytes = Vec::new();
    if alt {
        bytes.push(0x1b);
    }
    bytes.extend_from_slice(character.to_string().as_bytes());
    let alone = bytes == [0x1b];
    Some(Stroke { bytes, alone })
}
